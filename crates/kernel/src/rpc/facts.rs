//! What tools ask a node about itself: its processes, its memory, its host.

use runtime::{Ctx, Node, ProcessInfo, Status};
use term::{Pid, Term};

use crate::names::HostNames;

/// `erlang:process_info(Pid)`: the usual items.
pub(super) fn process_info(node: &Node, pid: &Pid) -> Option<Term> {
    if pid.node.name() != node.name() {
        return None;
    }
    let Some(info) = node.process_info(pid) else { return Some(Term::atom("undefined")) };
    let items = ITEMS.iter().filter(|name| **name != "registered_name" || info.registered_name.is_some());
    Some(Term::list(items.filter_map(|name| item(&info, name).map(|value| pair(name, value)))))
}

/// `erlang:process_info(Pid, ItemOrItems)`; nothing means `badarg`.
pub(super) fn process_info_of(node: &Node, pid: &Pid, wanted: &Term) -> Option<Term> {
    if pid.node.name() != node.name() {
        return None;
    }
    let Some(info) = node.process_info(pid) else { return Some(Term::atom("undefined")) };
    match wanted {
        Term::List(list) => {
            let items: Option<Vec<Term>> = list
                .iter()
                .map(|name| {
                    let name = name.as_atom()?.as_str().to_owned();
                    item(&info, &name).map(|value| pair(&name, value))
                })
                .collect();
            items.map(Term::list)
        }
        name => match name.as_atom()?.as_str() {
            // As in Erlang: alone, the name of the nameless is an empty list.
            "registered_name" if info.registered_name.is_none() => Some(Term::NIL),
            name => item(&info, name).map(|value| pair(name, value)),
        },
    }
}

const ITEMS: [&str; 13] = [
    "registered_name",
    "current_function",
    "initial_call",
    "status",
    "message_queue_len",
    "links",
    "monitors",
    "monitored_by",
    "dictionary",
    "trap_exit",
    "priority",
    "group_leader",
    "reductions",
];

fn item(info: &ProcessInfo, name: &str) -> Option<Term> {
    Some(match name {
        "registered_name" => info.registered_name.clone().map_or(Term::NIL, Term::Atom),
        // There is no code loaded here whose name would say anything: the label is what the process was started as.
        "current_function" | "initial_call" => {
            Term::tuple([Term::atom("trunkline"), label(info), Term::Int(0)])
        }
        "label" => Term::binary(info.label),
        "status" => Term::atom(match info.status {
            Status::Waiting => "waiting",
            Status::Running => "running",
            Status::Exiting => "exiting",
        }),
        "message_queue_len" => Term::Int(info.message_queue_len as i64),
        "links" => Term::list(info.links.iter().cloned().map(Term::Pid)),
        "monitors" => Term::list(info.monitors.iter().map(|who| pair("process", who.clone()))),
        "monitored_by" => Term::list(info.monitored_by.iter().map(|(who, _)| Term::Pid(who.clone()))),
        "dictionary" => Term::NIL,
        "trap_exit" => Term::atom(if info.trap_exit { "true" } else { "false" }),
        "priority" => Term::atom("normal"),
        "group_leader" => info.group_leader.clone().map_or(Term::atom("undefined"), Term::Pid),
        "parent" => info.parent.clone().map_or(Term::atom("undefined"), Term::Pid),
        // What comes nearest to work done.
        "reductions" => Term::Int((info.messages_received + info.messages_sent) as i64),
        "error_handler" => Term::atom("error_handler"),
        _ => return None,
    })
}

/// A label may be a type's name, which no atom would hold.
fn label(info: &ProcessInfo) -> Term {
    let short: String = info.label.chars().take(term::limits::ATOM_CHARACTERS_MAX).collect();
    Term::atom(&short)
}

/// `erlang:memory()`: the program has one heap, and does not know whose a byte is.
pub(super) fn memory() -> Term {
    let total = Term::Int(resident_bytes());
    let zero = ["processes_used", "system", "atom", "atom_used", "binary", "code", "ets"];
    let known = [pair("total", total.clone()), pair("processes", total)];
    Term::list(known.into_iter().chain(zero.into_iter().map(|name| pair(name, Term::Int(0)))))
}

/// `erlang:memory(Kind)`; nothing means `badarg`.
pub(super) fn memory_of(kind: &Term) -> Option<Term> {
    let all = memory();
    let wanted = kind.as_atom()?;
    all.as_list()?.iter().find_map(|entry| match entry.as_tuple() {
        Some([Term::Atom(name), value]) if name == wanted => Some(value.clone()),
        _ => None,
    })
}

/// From Linux; 0 where it is not told.
fn resident_bytes() -> i64 {
    const PAGE_BYTES: i64 = 4096;
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text.split_whitespace().nth(1).and_then(|pages| pages.parse::<i64>().ok());
    pages.unwrap_or(0).saturating_mul(PAGE_BYTES)
}

/// `inet:gethostname()`: `{ok, "kitchen"}`.
pub(super) fn hostname() -> Term {
    Term::tuple([Term::atom("ok"), Term::string(&HostNames::of_system().short)])
}

/// `net_adm:localhost()`: the full name where there is one.
pub(super) fn localhost() -> Term {
    let names = HostNames::of_system();
    Term::string(names.long.as_deref().unwrap_or(&names.short))
}

/// `application:which_applications()`: what OTP's tools take for a node that is up.
pub(super) fn applications() -> Term {
    let entry = |name: &str, what: &str| {
        let version = Term::string(env!("CARGO_PKG_VERSION"));
        Term::tuple([Term::atom(name), Term::string(what), version])
    };
    Term::list([
        entry("kernel", "ERTS  CXC 138 10"),
        entry("stdlib", "ERTS  CXC 138 10"),
        entry("trunkline", "Trunkline"),
    ])
}

/// `init:get_status()`.
pub(super) fn init_status() -> Term {
    Term::tuple([Term::atom("started"), Term::atom("started")])
}

/// The pid of this node that is the first argument.
pub(super) fn pid_of<'a>(ctx: &Ctx, arguments: &'a [Term]) -> Option<&'a Pid> {
    arguments.first()?.as_pid().filter(|pid| pid.node.name() == ctx.node().name())
}

fn pair(key: &str, value: Term) -> Term {
    Term::tuple([Term::atom(key), value])
}
