//! `logger_proxy`: log events of far processes whose output comes here. ("Logging that crosses nodes".)

use otp::request::{self, Request};
use runtime::{Ctx, Node};
use term::Term;

use super::log_report::{cut, text_of_report};
use super::standing::unknown_call;
use super::start_registered;
use crate::functions::sys;
use crate::io::{format_on, format_terms, text_of};

pub(super) fn start(node: &Node) {
    start_registered(node, "logger_proxy", |mut ctx: Ctx| async move {
        loop {
            match Request::read(ctx.receive().await) {
                // OTP's is a generic server: who asks waits for an answer, perhaps for ever.
                Request::Call(from, question) => request::answer(&mut ctx, &from, unknown_call(&question)),
                Request::System(from, question) => sys::serve(&mut ctx, "logger_proxy", &from, &question),
                Request::Cast(_) => {}
                Request::Info(message) => hear(ctx.node(), &message),
            }
        }
    });
}

/// `{log, Level, Format, Arguments, Meta}` or `{log, Level, Report, Meta}`.
fn hear(node: &Node, message: &Term) {
    let Some([log, level, rest @ ..]) = message.as_tuple() else { return };
    if !log.is_atom("log") || level.as_atom().is_none() {
        return;
    }
    match rest {
        [format, arguments, meta] => say(level, meta, cut(format_terms(node, format, arguments))),
        [report, meta] => say(level, meta, event_text(node, report)),
        _ => {}
    }
}

/// An event of `error_logger`, as nodes and programs of old send it: `{Type, GroupLeader, {Pid, Format, Arguments}}` or
/// `{Type, GroupLeader, {Pid, ReportType, Report}}`.
pub(crate) fn say_legacy(node: &Node, event: &Term) {
    let (Some([kind, _, about]), Some(word)) =
        (event.as_tuple(), event.as_tuple().and_then(|parts| parts.first()))
    else {
        return tracing::info!("an event of error_logger: {}", cut(event.to_string()));
    };
    let word = word.as_atom().map_or("", |word| word.as_str());
    let level = match word {
        "error" | "error_report" => "error",
        "warning_msg" | "warning_report" => "warning",
        _ => "info",
    };
    let text = match about.as_tuple() {
        Some([_, _, report]) if word.ends_with("_report") => event_text(node, report),
        Some([_, format, arguments]) => format_terms(node, format, arguments),
        _ => format!("{kind}: {about}"),
    };
    let pid = about.as_tuple().and_then(|parts| parts.first());
    let meta = pid.map(|pid| [(Term::atom("pid"), pid.clone())].into_iter().collect());
    say(&Term::atom(level), &Term::Map(meta.unwrap_or_default()), cut(text));
}

/// An event of this node's own `logger`.
pub(crate) fn say_log(node: &Node, level: &Term, event: &Term, meta: &Term) {
    say(level, meta, event_text(node, event));
}

/// A report, or a string.
fn event_text(node: &Node, report: &Term) -> String {
    if let Some(text) = text_of(report).filter(|text| !text.is_empty()) {
        return cut(text);
    }
    match report.as_tuple() {
        Some([word, text]) if word.is_atom("string") => text_of(text).map(cut),
        Some([word, report]) if word.is_atom("report") => Some(text_of_report(node, report)),
        Some([format, arguments]) if arguments.as_list().is_some() => {
            format_on(node, format, arguments).map(cut)
        }
        _ => None,
    }
    .unwrap_or_else(|| text_of_report(node, report))
}

/// Says it as loud as it is; `tracing` has five levels where OTP has eight, so the three others are named.
fn say(level: &Term, meta: &Term, text: String) {
    let level = level.as_atom().map_or("", term::Atom::as_str);
    let text = text.trim_end().replace('\n', " ");
    let named = match level {
        "emergency" | "alert" | "critical" | "notice" => format!("[{level}] {text}"),
        _ => text,
    };
    let pid = meta.as_map().and_then(|map| map.get(&Term::atom("pid")).cloned());
    let from = pid.as_ref().and_then(Term::as_pid);
    let (peer, pid) = match from {
        Some(pid) => (pid.node.name().as_str(), pid.to_string()),
        None => ("?", "?".to_owned()),
    };
    match level {
        "emergency" | "alert" | "critical" | "error" => tracing::error!(peer, pid, "{named}"),
        "warning" => tracing::warn!(peer, pid, "{named}"),
        "notice" | "info" => tracing::info!(peer, pid, "{named}"),
        _ => tracing::debug!(peer, pid, "{named}"),
    }
}
