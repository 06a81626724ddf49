//! Reports of OTP's logger as one line of text, shaped as OTP's formatters do with `single_line`.

use runtime::Node;
use term::Term;
use term::print::Printer;

use crate::io::numbers_of;
use crate::limits::{LOG_CHARACTERS_MAX, LOG_DEPTH_MAX};

/// A report, which is a map or a list of pairs; anything else is shown as it is.
pub(super) fn text_of_report(node: &Node, report: &Term) -> String {
    let shower = Shower { node };
    let label = field(report, "label");
    let inner = field(report, "report");
    let parts = label.as_ref().and_then(|label| label.as_tuple()).unwrap_or_default();
    let text = match (parts, &inner) {
        ([module, word], Some(inner)) if module.is_atom("supervisor") => shower.supervisor(word, inner),
        ([module, word], Some(inner)) if module.is_atom("proc_lib") && word.is_atom("crash") => {
            shower.crash(inner)
        }
        ([module, word], Some(inner)) if module.is_atom("application_controller") => {
            format!("Application {}: {}", shower.show(word), shower.pairs(inner))
        }
        ([behaviour, word], _) if word.is_atom("terminate") => shower.terminate(behaviour, report),
        ([behaviour, word], _) if word.is_atom("no_handle_info") => format!(
            "{}: undefined handle_info in {}. Unhandled message: {}.",
            shower.show(behaviour),
            shower.field(report, "module"),
            shower.field(report, "message"),
        ),
        _ => shower.pairs(report),
    };
    cut(text)
}

/// Not endless.
pub(super) fn cut(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(LOG_CHARACTERS_MAX) {
        text.truncate(end);
        text.push_str("...");
    }
    text
}

/// The value of a key in a map or in a list of pairs.
fn field(report: &Term, key: &str) -> Option<Term> {
    match report {
        Term::Map(map) => map.get(&Term::atom(key)).cloned(),
        Term::List(list) => list.iter().find_map(|pair| match pair.as_tuple() {
            Some([name, value]) if name.is_atom(key) => Some(value.clone()),
            _ => None,
        }),
        _ => None,
    }
}

struct Shower<'a> {
    node: &'a Node,
}

impl Shower<'_> {
    fn show(&self, term: &Term) -> String {
        let numbers = numbers_of(self.node);
        let printer =
            Printer { depth: Some(LOG_DEPTH_MAX), line_length: 0, ..Printer::new(&numbers).unicode() };
        printer.pretty(term)
    }

    fn field(&self, report: &Term, key: &str) -> String {
        field(report, key).map_or_else(|| "undefined".into(), |value| self.show(&value))
    }

    /// `Supervisor: Name. Context: Context. Reason: Reason. Offender: ...`.
    fn supervisor(&self, word: &Term, report: &Term) -> String {
        let name = self.field(report, "supervisor");
        if word.is_atom("progress") {
            let started = field(report, "started").map_or_else(String::new, |child| self.pairs(&child));
            return format!("Supervisor: {name}. Started: {started}.");
        }
        let context = field(report, "errorContext").unwrap_or_else(|| word.clone());
        let offender = field(report, "offender").map_or_else(String::new, |child| self.pairs(&child));
        let reason = self.field(report, "reason");
        format!(
            "Supervisor: {name}. Context: {}. Reason: {reason}. Offender: {offender}.",
            self.show(&context)
        )
    }

    /// `[About, Linked]`: the process that crashed, and those linked with it.
    fn crash(&self, report: &Term) -> String {
        let parts: Vec<Term> = report.as_list().map(|list| list.iter().take(2).collect()).unwrap_or_default();
        let Some(about) = parts.first() else { return self.show(report) };
        let reason = match field(about, "error_info") {
            Some(info) => match info.as_tuple() {
                Some([class, reason, stack]) => {
                    format!("{}: {}. Stack: {}", self.show(class), self.show(reason), self.show(stack))
                }
                _ => self.show(&info),
            },
            None => "undefined".into(),
        };
        let name = match field(about, "registered_name") {
            Some(name) if name.as_atom().is_some() => format!(" ({})", self.show(&name)),
            _ => String::new(),
        };
        let more = ["initial_call", "ancestors", "message_queue_len", "links"];
        let more: Vec<String> = more
            .iter()
            .filter_map(|key| Some(format!("{key}: {}", self.show(&field(about, key)?))))
            .collect();
        format!("Process {}{name} crashed. {reason}. {}.", self.field(about, "pid"), more.join("; "))
    }

    fn terminate(&self, behaviour: &Term, report: &Term) -> String {
        let name = field(report, "name").or_else(|| field(report, "handler"));
        let name = name.map_or_else(|| "undefined".into(), |name| self.show(&name));
        let reason = self.field(report, "reason");
        let more = ["last_message", "queue", "state", "client_info"];
        let more: Vec<String> = more
            .iter()
            .filter_map(|key| Some(format!("{key}: {}", self.show(&field(report, key)?))))
            .collect();
        let behaviour = self.show(behaviour);
        format!("{behaviour} {name} terminating. Reason: {reason}. {}.", more.join("; "))
    }

    /// `key: value; key: value`.
    fn pairs(&self, report: &Term) -> String {
        let pair = |key: &Term, value: &Term| format!("{}: {}", self.show(key), self.show(value));
        match report {
            Term::Map(map) => {
                map.pairs().iter().map(|(key, value)| pair(key, value)).collect::<Vec<_>>().join("; ")
            }
            Term::List(list) if list.improper_tail().is_none() && !list.is_nil() => {
                let parts: Option<Vec<String>> = list
                    .iter()
                    .map(|item| match item.as_tuple() {
                        Some([key, value]) => Some(pair(key, value)),
                        // A string, or a list of anything.
                        _ => item
                            .as_tuple()
                            .map(|_| self.show(&item))
                            .or_else(|| item.as_atom().map(|_| self.show(&item))),
                    })
                    .collect();
                parts.map_or_else(|| self.show(report), |parts| parts.join("; "))
            }
            other => self.show(other),
        }
    }
}
