//! What behaviours have to say when something goes wrong: OTP's reports, through `tracing`.

use std::fmt::Write as _;
use std::sync::{Arc, PoisonError, RwLock};

use runtime::Node;
use term::Term;

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

type Listener = Arc<dyn Fn(&Report) + Send + Sync>;

#[derive(Default)]
struct Listeners(RwLock<Vec<Listener>>);

/// Says it.
pub(crate) fn tell(node: &Node, level: Level, report: Term, text: String) {
    let report = Report { level, report, text };
    match level {
        Level::Error => tracing::error!(node = %node.name(), "{}", report.text),
        Level::Warning => tracing::warn!(node = %node.name(), "{}", report.text),
        Level::Info => tracing::info!(node = %node.name(), "{}", report.text),
    }
    let listeners = node.shelf::<Listeners>();
    let listeners = listeners.0.read().unwrap_or_else(PoisonError::into_inner).clone();
    listeners.iter().for_each(|listener| listener(&report));
}

/// A term for a report: as Erlang prints it, but not endless.
pub(crate) fn show(term: &Term) -> String {
    let mut text = Cut { text: String::new() };
    match write!(text, "{term:?}") {
        Ok(()) => text.text,
        Err(_) => text.text + "...",
    }
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
