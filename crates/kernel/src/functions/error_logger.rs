//! `error_logger`, and of `logger` what says something: it goes where the program's log goes.

use runtime::Ctx;
use term::Term;

use super::{Answer, Module};
use crate::services::{say_legacy, say_log};

pub(super) const MODULE: Module = Module {
    name: "error_logger",
    unfit: "function_clause",
    near: &[
        ("error_msg", 1, |ctx, a| message(ctx, "error", &a[0], &Term::NIL)),
        ("error_msg", 2, |ctx, a| message(ctx, "error", &a[0], &a[1])),
        ("format", 2, |ctx, a| message(ctx, "error", &a[0], &a[1])),
        ("warning_msg", 1, |ctx, a| message(ctx, "warning_msg", &a[0], &Term::NIL)),
        ("warning_msg", 2, |ctx, a| message(ctx, "warning_msg", &a[0], &a[1])),
        ("info_msg", 1, |ctx, a| message(ctx, "info_msg", &a[0], &Term::NIL)),
        ("info_msg", 2, |ctx, a| message(ctx, "info_msg", &a[0], &a[1])),
        ("error_report", 1, |ctx, a| message(ctx, "error_report", &Term::atom("std_error"), &a[0])),
        ("error_report", 2, |ctx, a| message(ctx, "error_report", &a[0], &a[1])),
        ("warning_report", 1, |ctx, a| message(ctx, "warning_report", &Term::atom("std_warning"), &a[0])),
        ("warning_report", 2, |ctx, a| message(ctx, "warning_report", &a[0], &a[1])),
        ("info_report", 1, |ctx, a| message(ctx, "info_report", &Term::atom("std_info"), &a[0])),
        ("info_report", 2, |ctx, a| message(ctx, "info_report", &a[0], &a[1])),
        ("get_format_depth", 0, |_, _| Ok(Term::atom("unlimited"))),
        ("warning_map", 0, |_, _| Ok(Term::atom("warning"))),
        ("which_report_handlers", 0, |_, _| Ok(Term::NIL)),
        ("tty", 1, |_, _| Ok(Term::atom("ok"))),
    ],
    far: &[],
};

fn message(ctx: &mut Ctx, kind: &str, first: &Term, second: &Term) -> Answer {
    let about = Term::tuple([ctx.pid().into(), first.clone(), second.clone()]);
    let event = Term::tuple([Term::atom(kind), ctx.group_leader().into(), about]);
    say_legacy(ctx.node(), &event);
    Ok(Term::atom("ok"))
}

pub(super) const LOGGER: Module = Module {
    name: "logger",
    unfit: "function_clause",
    near: &[
        ("emergency", 1, |ctx, a| log(ctx, "emergency", a)),
        ("emergency", 2, |ctx, a| log(ctx, "emergency", a)),
        ("emergency", 3, |ctx, a| log(ctx, "emergency", a)),
        ("alert", 1, |ctx, a| log(ctx, "alert", a)),
        ("alert", 2, |ctx, a| log(ctx, "alert", a)),
        ("alert", 3, |ctx, a| log(ctx, "alert", a)),
        ("critical", 1, |ctx, a| log(ctx, "critical", a)),
        ("critical", 2, |ctx, a| log(ctx, "critical", a)),
        ("critical", 3, |ctx, a| log(ctx, "critical", a)),
        ("error", 1, |ctx, a| log(ctx, "error", a)),
        ("error", 2, |ctx, a| log(ctx, "error", a)),
        ("error", 3, |ctx, a| log(ctx, "error", a)),
        ("warning", 1, |ctx, a| log(ctx, "warning", a)),
        ("warning", 2, |ctx, a| log(ctx, "warning", a)),
        ("warning", 3, |ctx, a| log(ctx, "warning", a)),
        ("notice", 1, |ctx, a| log(ctx, "notice", a)),
        ("notice", 2, |ctx, a| log(ctx, "notice", a)),
        ("notice", 3, |ctx, a| log(ctx, "notice", a)),
        ("info", 1, |ctx, a| log(ctx, "info", a)),
        ("info", 2, |ctx, a| log(ctx, "info", a)),
        ("info", 3, |ctx, a| log(ctx, "info", a)),
        ("debug", 1, |ctx, a| log(ctx, "debug", a)),
        ("debug", 2, |ctx, a| log(ctx, "debug", a)),
        ("debug", 3, |ctx, a| log(ctx, "debug", a)),
        ("log", 2, log_at),
        ("log", 3, log_at),
        ("log", 4, log_at),
    ],
    far: &[],
};

fn log_at(ctx: &mut Ctx, a: &[Term]) -> Answer {
    let level = super::args::atom(&a[0])?.clone();
    log(ctx, level.as_str(), &a[1..])
}

/// A string or a report; a format with its arguments; either with metadata behind it.
fn log(ctx: &mut Ctx, level: &str, a: &[Term]) -> Answer {
    let own = || Term::Map([(Term::atom("pid"), Term::Pid(ctx.pid()))].into_iter().collect());
    let what = match a {
        [text @ (Term::List(_) | Term::Binary(_))] => [Term::atom("string"), text.clone()],
        [report] => [Term::atom("report"), report.clone()],
        [format, arguments @ Term::List(_), ..] => [format.clone(), arguments.clone()],
        [text @ (Term::List(_) | Term::Binary(_)), _] => [Term::atom("string"), text.clone()],
        [report, _] => [Term::atom("report"), report.clone()],
        _ => return Err(super::Fault::Unfit),
    };
    say_log(ctx.node(), &Term::atom(level), &Term::tuple(what), &own());
    Ok(Term::atom("ok"))
}
