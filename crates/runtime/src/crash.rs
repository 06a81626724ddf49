//! What is said when a process ends by an error of its own: one line for our operator, and an error report for the node whose
//! processes it worked for.

use std::any::Any;
use std::cell::Cell;
use std::panic;
use std::sync::{Mutex, Once};
use std::time::Duration;

use proto::Now;
use term::print::{Names, Printer};
use term::{Atom, Term};

use crate::address::To;
use crate::exit::{Exit, Panic};
use crate::limits::{CRASH_CHARACTERS_MAX, CRASH_DEPTH_MAX, CRASHES_PER_SEC_MAX};
use crate::message::Message;
use crate::process::Proc;
use crate::router::{SendOptions, Sender};
use crate::table::lock;

/// How much was said lately: a peer can cause as many crashes as it likes, by asking for functions that do not exist. OTP's
/// logger has such a limit too (`burst_limit_max_count`).
#[derive(Default)]
struct Crashes(Mutex<Burst>);

#[derive(Default)]
struct Burst {
    since: Option<Now>,
    said: u32,
    unsaid: u64,
}

impl Crashes {
    /// How many were not said since the last that was, if this one may be.
    fn admit(&self, now: Now) -> Option<u64> {
        let mut burst = lock(&self.0);
        if burst.since.is_none_or(|since| now - since >= Duration::from_secs(1)) {
            burst.since = Some(now);
            burst.said = 0;
        }
        if burst.said == CRASHES_PER_SEC_MAX {
            burst.unsaid += 1;
            return None;
        }
        burst.said += 1;
        Some(std::mem::take(&mut burst.unsaid))
    }
}

thread_local! {
    /// Where this thread panicked last: a panic is caught on the thread it happens on, but only its hook is told where.
    static PLACE: Cell<Option<(String, u32)>> = const { Cell::new(None) };
}

/// Has the place of every panic remembered, for the thread it happens on. Whatever hook there is runs afterwards as before; one
/// that is set later and does not lead on to this one only makes our lines say less.
pub(crate) fn remember_places() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            PLACE.set(panic.location().map(|at| (at.file().to_owned(), at.line())));
            usual(panic);
        }));
    });
}

/// Where the panic was that this thread has just caught.
pub(crate) fn place_of_panic() -> Option<(String, u32)> {
    PLACE.take()
}

impl Proc {
    /// The process panicked.
    pub(crate) fn panicked(&self, panic: &(dyn Any + Send)) -> Exit {
        let panic = Panic::caught(panic);
        let at = panic.place.as_ref().map_or_else(String::new, |(file, line)| format!(", at {file}:{line}"));
        let said = panic.reason.clone();
        let exit = panic.into_exit();
        self.crashed(&said, &at, exit.reason());
        exit
    }

    /// The process returned with this reason.
    pub(crate) fn returned(&self, exit: &Exit) {
        if is_error(exit.reason()) && !self.state().ends_quietly {
            self.crashed(exit.reason(), "", exit.reason());
        }
    }

    /// As OTP says it when a process that is no behaviour ends by an error: here `said` and `at` on one line, elsewhere the reason.
    fn crashed(&self, said: &Term, at: &str, reason: &Term) {
        let Some(unsaid) = self.node.shelf::<Crashes>().admit(self.node.now()) else { return };
        let (name, leader) = {
            let state = self.state();
            (state.name.clone(), state.leader.clone())
        };
        let (node, label) = (self.node.name(), self.label);
        let name = name.map_or_else(String::new, |name| format!(" ({name})"));
        let said = shown(said);
        let pid = &self.pid;
        tracing::error!(
            label,
            unsaid,
            "Error in process {pid}{name} on node {node} with exit value: {said}{at}"
        );
        if let Some(leader) = leader.filter(|leader| leader.node.name() != node) {
            self.report_to(&leader, node, reason);
        }
    }

    /// Tells the node of our group leader, which logs it as its own. (`logger_proxy`; "Logging that crosses nodes".)
    fn report_to(&self, leader: &term::Pid, node: &Atom, reason: &Term) {
        let arguments = [Term::Pid(self.pid.clone()), Term::Atom(node.clone()), reason.clone()];
        let tags = [("emulator", "true"), ("tag", "error")];
        let tags = tags.into_iter().map(|(key, value)| (Term::atom(key), Term::atom(value)));
        let meta = [
            (Term::atom("pid"), Term::Pid(self.pid.clone())),
            (Term::atom("gl"), Term::Pid(leader.clone())),
            (Term::atom("error_logger"), Term::Map(tags.collect())),
        ];
        let report = Term::tuple([
            Term::atom("log"),
            Term::atom("error"),
            Term::string("Error in process ~p on node ~p with exit value:~n~p~n"),
            Term::list(arguments),
            Term::Map(meta.into_iter().collect()),
        ]);
        self.log_at(leader, report);
    }

    /// Sends a log event to the node of this group leader, if that is another one.
    pub(crate) fn log_at(&self, leader: &term::Pid, event: Term) {
        if leader.node.name() == self.node.name() {
            return;
        }
        // As in OTP: who does not read his log loses it. And nobody is dialled for it.
        let options = SendOptions { noconnect: true, nosuspend: true };
        let from = Sender { pid: Some(&self.pid), at: self.home() };
        let to = To::NameAt(Atom::new("logger_proxy"), leader.node.name().clone());
        let _ = self.node.route(from, to, Message::new(event), options);
    }
}

/// Whether this is what a process ends with that met an error: a reason, and where.
fn is_error(reason: &Term) -> bool {
    let Some([_, Term::List(stack)]) = reason.as_tuple() else { return false };
    let frame = |frame: &Term| {
        matches!(
            frame.as_tuple(),
            Some([Term::Atom(_), Term::Atom(_), Term::Int(_) | Term::List(_), Term::List(_)])
        )
    };
    !stack.is_nil() && stack.iter().all(|item| frame(&item))
}

/// A reason on one line, but not endless.
fn shown(reason: &Term) -> String {
    let printer = Printer { depth: Some(CRASH_DEPTH_MAX), line_length: 0, ..Printer::new(&Names).unicode() };
    let text = printer.pretty(reason);
    match text.char_indices().nth(CRASH_CHARACTERS_MAX) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_flood_of_crashes_a_few_are_said_and_the_others_counted() {
        let crashes = Crashes::default();
        let said = (0..1000).filter(|_| crashes.admit(Now::ZERO).is_some()).count();
        assert_eq!(said, CRASHES_PER_SEC_MAX as usize);
        assert_eq!(crashes.admit(Now::from_secs(1)), Some(1000 - u64::from(CRASHES_PER_SEC_MAX)));
        assert_eq!(crashes.admit(Now::from_secs(1)), Some(0));
    }

    #[test]
    fn a_reason_with_a_stack_is_an_error_and_nothing_else_is() {
        let read = |text: &str| term::read::read_term(text).unwrap();
        assert!(is_error(&read("{undef, [{m, f, [1], []}]}")));
        assert!(is_error(&read("{badarg, [{m, f, 1, [{line, 2}]}, {n, g, 0, []}]}")));
        for other in
            ["normal", "{shutdown, []}", "{x, [a]}", "{a, [{m, f, 1}]}", "{x, [{m, f, a, []}]}", "[]"]
        {
            assert!(!is_error(&read(other)), "{other}");
        }
        let deep = (0..100_000).fold(Term::NIL, |inner, _| Term::tuple([inner]));
        assert!(shown(&deep).len() < 200);
        assert!(shown(&Term::binary(&"x".repeat(100_000))).len() <= CRASH_CHARACTERS_MAX + 3);
    }
}
