//! Functions that need the process they are called in, and that the node does not have for everybody.

use crate::raise::Raise;
use crate::raise::Result as Raised;
use trunkline::otp::report::{self as reports, Level};
use trunkline::{AliasMode, Atom, Ctx, Pid, Ref, Term, To};

/// What `module:function` says to these arguments; nothing when it is none of ours.
pub(super) fn ask(ctx: &mut Ctx, module: &Atom, function: &Atom, arguments: &[Term]) -> Option<Raised<Term>> {
    if *module == "logger" && *function == "$report" {
        return Some(report(ctx, arguments));
    }
    if *module != "erlang" {
        return None;
    }
    let answer = match (function.as_str(), arguments) {
        ("demonitor", [Term::Ref(monitor)]) => demonitor(ctx, monitor, &[]),
        ("demonitor", [Term::Ref(monitor), Term::List(options)]) => {
            demonitor(ctx, monitor, &options.iter().collect::<Vec<_>>())
        }
        ("group_leader", []) => Term::Pid(ctx.group_leader()),
        ("group_leader", [Term::Pid(leader), Term::Pid(of)]) => {
            group_leader(ctx, leader, of);
            truth(true)
        }
        ("monitor", [what, of, Term::List(options)]) if what.is_atom("process") => {
            monitor(ctx, of, &options.iter().collect::<Vec<_>>())?
        }
        ("alias", []) => Term::Ref(ctx.alias(AliasMode::Explicit)),
        ("alias", [Term::List(options)]) => {
            if !options.iter().all(|option| option.is_atom("reply") || option.is_atom("explicit_unalias")) {
                return Some(Err(Raise::badarg()));
            }
            let reply = options.iter().any(|option| option.is_atom("reply"));
            Term::Ref(ctx.alias(if reply { AliasMode::Reply } else { AliasMode::Explicit }))
        }
        ("unalias", [Term::Ref(alias)]) => truth(ctx.unalias(alias)),
        ("demonitor" | "group_leader" | "alias" | "unalias", _) => return Some(Err(Raise::badarg())),
        ("halt", []) => halt(0),
        ("halt", [Term::Int(status), ..]) => halt(*status as i32),
        _ => return None,
    };
    Some(Ok(answer))
}

/// What a behaviour has to say: how loud, under which title, as OTP's report and as text.
fn report(ctx: &Ctx, arguments: &[Term]) -> Raised<Term> {
    let [level, title, report, text] = arguments else { return Err(Raise::badarg()) };
    let level = match level.as_atom().map(Atom::as_str) {
        Some("error") => Level::Error,
        Some("warning") => Level::Warning,
        _ => Level::Info,
    };
    let title = crate::library::text(title)?;
    let text = crate::library::chars(text).ok_or_else(Raise::badarg)?;
    reports::say(ctx, level, &title, report.clone(), text);
    Ok(Term::atom("ok"))
}

fn truth(value: bool) -> Term {
    Term::atom(if value { "true" } else { "false" })
}

/// Whoever types it here means this very program, at once.
fn halt(status: i32) -> ! {
    std::process::exit(status & 0xff)
}

fn group_leader(ctx: &Ctx, leader: &Pid, of: &Pid) {
    if of == ctx.pid_ref() {
        ctx.set_group_leader(leader);
    } else {
        ctx.node().set_group_leader(of, leader);
    }
}

fn demonitor(ctx: &mut Ctx, monitor: &Ref, options: &[Term]) -> Term {
    let asked = |word: &str| options.iter().any(|option| option.is_atom(word));
    let was = ctx.demonitor(monitor, asked("flush"));
    truth(was || !asked("info"))
}

fn monitor(ctx: &mut Ctx, of: &Term, options: &[Term]) -> Option<Term> {
    let to = match of {
        Term::Pid(pid) => To::Pid(pid.clone()),
        Term::Atom(name) => To::Name(name.clone()),
        Term::Tuple(pair) => match pair.as_slice() {
            [Term::Atom(name), Term::Atom(node)] => To::NameAt(name.clone(), node.clone()),
            _ => return None,
        },
        _ => return None,
    };
    let mode = options.iter().find_map(|option| match option.as_tuple() {
        Some([key, mode]) if key.is_atom("alias") => match mode.as_atom()?.as_str() {
            "explicit_unalias" => Some(AliasMode::Explicit),
            "demonitor" => Some(AliasMode::Demonitor),
            "reply_demonitor" => Some(AliasMode::ReplyDemonitor),
            _ => None,
        },
        _ => None,
    });
    Some(Term::Ref(match mode {
        Some(mode) => ctx.monitor_with_alias(to, mode),
        None => ctx.monitor(to),
    }))
}
