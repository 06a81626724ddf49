//! What behaviours have to say when something goes wrong: OTP's reports, through `tracing`.

use std::fmt::Write as _;
use std::sync::{Arc, PoisonError, RwLock};

use runtime::{Ctx, Node};
use term::{Atom, Export, Map, Pid, Term, term};

use crate::limits::REPORT_CHARACTERS_MAX;

/// One report, in OTP's shape.
#[derive(Clone, Debug)]
pub struct Report {
    /// How loud.
    pub level: Level,
    /// What OTP's logger gets: a map with `label`, such as `{gen_server, terminate}`, and what that label goes with.
    pub report: Term,
    /// The same for people.
    pub text: String,
}

/// How loud a report is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Something failed.
    Error,
    /// Something is odd.
    Warning,
    /// All is well: progress reports.
    Info,
}

impl Report {
    /// The label, such as `{gen_server, terminate}`.
    pub fn label(&self) -> Option<&Term> {
        self.report.as_map().and_then(|map| map.get(&Term::atom("label")))
    }
}

/// Hears every report of a node, besides `tracing`: for logs that go to other nodes, and for tests.
pub fn listen(node: &Node, listener: impl Fn(&Report) + Send + Sync + 'static) {
    let listeners = node.shelf::<Listeners>();
    listeners.0.write().unwrap_or_else(PoisonError::into_inner).push(Arc::new(listener));
}

/// The level that somebody has set for all reports of this node (`logger:set_primary_config(level, Level)`).
pub fn primary_level(node: &Node) -> Option<Atom> {
    node.shelf::<Primary>().0.read().unwrap_or_else(PoisonError::into_inner).clone()
}

/// From now on reports below this level, `none` to `all`, are said nowhere. Before anybody sets one, `tracing`'s subscriber alone
/// decides what is shown.
pub fn set_primary_level(node: &Node, level: Atom) {
    *node.shelf::<Primary>().0.write().unwrap_or_else(PoisonError::into_inner) = Some(level);
}

/// Set once by hand, if ever, and read for each report.
#[derive(Default)]
struct Primary(RwLock<Option<Atom>>);

/// How bad a level is, the worst first: OTP's numbers.
pub fn severity(level: &Atom) -> Option<i32> {
    const LEVELS: [&str; 8] =
        ["emergency", "alert", "critical", "error", "warning", "notice", "info", "debug"];
    match level.as_str() {
        "none" => Some(-1),
        "all" => Some(10),
        level => LEVELS.iter().position(|known| *known == level).map(|at| at as i32),
    }
}

/// Whether the level that somebody has set lets it through.
pub(crate) fn is_wanted(node: &Node, level: Level, title: &str) -> bool {
    let word = match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Info if title.is_empty() => "info",
        Level::Info => "notice",
    };
    let Some(wanted) = primary_level(node).as_ref().and_then(severity) else { return true };
    severity(&Atom::new(word)).is_some_and(|severity| severity <= wanted)
}

type Listener = Arc<dyn Fn(&Report) + Send + Sync>;

#[derive(Default)]
struct Listeners(RwLock<Vec<Listener>>);

/// Says it: here, and on the node of the group leader, if that is another one. There it is a report as OTP's own are, which OTP
/// formats as it does its own.
pub(crate) fn tell(ctx: &Ctx, level: Level, report: Term, text: String) {
    say(ctx, level, "", report, text);
}

/// As the reports of our own behaviours: to `tracing`, to those who listen, and to the node of the group leader. `title` is what
/// stands above it where OTP has a title of its own, such as `CRASH REPORT`; else it is empty. With a title also what is
/// [`Level::Info`] is for people: OTP's `notice`.
pub fn say(ctx: &Ctx, level: Level, title: &str, report: Term, text: String) {
    let node = ctx.node();
    if !is_wanted(node, level, title) {
        return;
    }
    let report = Report { level, report, text };
    match level {
        Level::Error => tracing::error!(node = %node.name(), title, "{}", report.text),
        Level::Warning => tracing::warn!(node = %node.name(), title, "{}", report.text),
        Level::Info => tracing::info!(node = %node.name(), title, "{}", report.text),
    }
    let listeners = node.shelf::<Listeners>();
    let listeners = listeners.0.read().unwrap_or_else(PoisonError::into_inner).clone();
    listeners.iter().for_each(|listener| listener(&report));
    // OTP's level is `notice` when nobody says otherwise: what is less than that does not leave a node.
    let leader = ctx.group_leader();
    if (level != Level::Info || !title.is_empty()) && leader.node.name() != node.name() {
        let word = Term::atom(match level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Info => "notice",
        });
        let meta = meta(ctx, &leader, &report);
        ctx.log_at_leader(term!({log, (word), (report.report), (meta)}));
    }
}

/// What OTP's behaviours say about their reports: where they belong, and which function makes text of them. The functions there
/// know the reports that OTP makes; the others are shown as the maps they are.
fn meta(ctx: &Ctx, leader: &Pid, report: &Report) -> Term {
    let label = report.label().and_then(Term::as_tuple).unwrap_or_default();
    let (module, what) = match label {
        [Term::Atom(module), Term::Atom(what)] => (module.as_str(), what.as_str()),
        _ => ("", ""),
    };
    let callback = match (module, what) {
        ("proc_lib", _) => Some("report_cb"),
        ("supervisor", "unexpected_message") => None,
        ("supervisor", _) | (_, "terminate" | "no_handle_info") => Some("format_log"),
        _ => None,
    };
    let sasl = match module {
        "proc_lib" => Some(("crash_report", "CRASH REPORT")),
        "supervisor" => Some(("supervisor_report", "SUPERVISOR REPORT")),
        _ => None,
    };
    let old = match (sasl, report.level) {
        (Some((kind, _)), _) => term!(#{tag => error_report, type => (Term::atom(kind))}),
        (None, Level::Error) => term!(#{tag => error}),
        (None, _) => term!(#{tag => warning_msg}),
    };
    let domain = if sasl.is_some() { term!([otp, sasl]) } else { term!([otp]) };
    let mut meta: Map = [
        (Term::atom("pid"), Term::Pid(ctx.pid())),
        (Term::atom("gl"), Term::Pid(leader.clone())),
        (Term::atom("domain"), domain),
        (Term::atom("error_logger"), old),
    ]
    .into_iter()
    .collect();
    if let Some((_, title)) = sasl {
        meta.insert(Term::atom("logger_formatter"), term!(#{title => (Term::string(title))}));
    }
    if let Some(function) = callback {
        let export = Export { module: Atom::new(module), function: Atom::new(function), arity: 2 };
        meta.insert(Term::atom("report_cb"), Term::Export(Arc::new(export)));
    }
    Term::Map(meta)
}

/// A term for a report: as Erlang prints it, but not endless.
pub(crate) fn show(term: &Term) -> String {
    let mut text = Cut { text: String::new() };
    match write!(text, "{term:?}") {
        Ok(()) => text.text,
        Err(_) => text.text + "...",
    }
}

/// The same behind so many characters: broken into lines as Erlang does, below its beginning.
pub(crate) fn show_at(term: &Term, column: usize) -> String {
    let printer = term::print::Printer {
        column: column + 1,
        ..term::print::Printer::new(&term::print::Names).unicode()
    };
    let mut text = printer.pretty(term);
    if let Some((end, _)) = text.char_indices().nth(REPORT_CHARACTERS_MAX) {
        text.truncate(end);
        text.push_str("...");
    }
    text
}

/// Stops whoever writes when it is enough.
struct Cut {
    text: String,
}

impl std::fmt::Write for Cut {
    fn write_str(&mut self, more: &str) -> std::fmt::Result {
        if self.text.len() + more.len() > REPORT_CHARACTERS_MAX {
            return Err(std::fmt::Error);
        }
        self.text.push_str(more);
        Ok(())
    }
}
