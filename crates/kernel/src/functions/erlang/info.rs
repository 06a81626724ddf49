//! `erlang:process_info/1,2`: every item that OTP documents. Sizes are in words, as OTP has them.

use runtime::{Ctx, ProcessInfo, Status};
use term::{Atom, Map, Pid, Term};

use super::super::{Answer, Fault, args};
use args::{boolean, number, pair, undefined};

/// `process_info(Pid)`: the usual items.
pub(in super::super) fn process_info(ctx: &mut Ctx, pid: &Pid) -> Answer {
    let Some(info) = ctx.node().process_info(pid) else { return Ok(undefined()) };
    let items = USUAL.iter().filter(|name| **name != "registered_name" || info.registered_name.is_some());
    let items = items.filter_map(|name| match *name {
        "dictionary" => Some(pair(name, dictionary(ctx, pid))),
        name => item(&info, name).map(|value| pair(name, value)),
    });
    Ok(Term::list(items))
}

/// What a process of a behaviour has there on OTP: `'$initial_call'` and `'$ancestors'`.
fn dictionary(ctx: &Ctx, pid: &Pid) -> Term {
    let pairs = otp::proc_lib::dictionary(ctx.node(), pid);
    Term::list(pairs.into_iter().map(|(key, value)| Term::tuple([key, value])))
}

/// `process_info(Pid, ItemOrItems)`.
pub(super) fn process_info_of(ctx: &mut Ctx, pid: &Pid, wanted: &Term) -> Answer {
    let info = ctx.node().process_info(pid);
    let nobody = NOBODY;
    // Its unread messages only the process itself can see.
    let messages = if pid == ctx.pid_ref() { ctx.unread() } else { Vec::new() };
    let dictionary = dictionary(ctx, pid);
    let value_of = |name: &Term| -> Result<Term, Fault> {
        let known = info.as_ref().or(Some(&nobody));
        match args::atom(name)?.as_str() {
            "messages" => Ok(Term::list(messages.iter().cloned())),
            "dictionary" => Ok(dictionary.clone()),
            name => known.and_then(|info| item(info, name)).ok_or(Fault::Unfit),
        }
    };
    let answer = match wanted {
        Term::List(_) => {
            let names = args::items(wanted)?;
            let items = names.iter().map(|name| Ok(Term::tuple([name.clone(), value_of(name)?])));
            Term::list(items.collect::<Result<Vec<_>, Fault>>()?)
        }
        name => match value_of(name)? {
            // As in Erlang: alone, the name of the nameless is an empty list.
            Term::List(none) if name.is_atom("registered_name") && none.is_nil() => Term::NIL,
            value => Term::tuple([name.clone(), value]),
        },
    };
    Ok(if info.is_some() { answer } else { undefined() })
}

/// The module that stands where OTP names a module of code.
const MODULE: &str = "trunkline";

/// Who is not there: names of items are checked all the same.
const NOBODY: ProcessInfo = ProcessInfo {
    registered_name: None,
    message_queue_len: 0,
    links: Vec::new(),
    monitors: Vec::new(),
    monitored_by: Vec::new(),
    trap_exit: false,
    status: Status::Exiting,
    label: "",
    parent: None,
    group_leader: None,
    messages_received: 0,
    messages_sent: 0,
    turns: 0,
    bytes: 0,
    mailbox_full: None,
};

const USUAL: [&str; 17] = [
    "registered_name",
    "current_function",
    "initial_call",
    "status",
    "message_queue_len",
    "links",
    "dictionary",
    "trap_exit",
    "error_handler",
    "priority",
    "group_leader",
    "total_heap_size",
    "heap_size",
    "stack_size",
    "reductions",
    "garbage_collection",
    "suspending",
];

fn item(info: &ProcessInfo, name: &str) -> Option<Term> {
    Some(match name {
        "registered_name" => info.registered_name.clone().map_or(Term::NIL, Term::Atom),
        // There is no code loaded here whose name would say anything: the label is what the process was started as.
        "current_function" | "initial_call" => call(info, None),
        "current_location" => call(info, Some(Term::NIL)),
        "current_stacktrace" => Term::list([call(info, Some(Term::NIL))]),
        "label" => Term::binary(info.label),
        "status" => Term::atom(match info.status {
            Status::Waiting => "waiting",
            Status::Running => "running",
            Status::Exiting => "exiting",
        }),
        "message_queue_len" => number(info.message_queue_len),
        "links" => Term::list(info.links.iter().cloned().map(Term::Pid)),
        "monitors" => Term::list(info.monitors.iter().map(|who| pair("process", who.clone()))),
        "monitored_by" => Term::list(info.monitored_by.iter().map(|(who, _)| Term::Pid(who.clone()))),
        "trap_exit" => boolean(info.trap_exit),
        "group_leader" => info.group_leader.clone().map_or(undefined(), Term::Pid),
        "parent" => info.parent.clone().map_or(undefined(), Term::Pid),
        // How often it was let run.
        "reductions" => number(info.turns),
        "memory" => number(memory(info)),
        "total_heap_size" | "heap_size" => number(memory(info) / size_of::<usize>()),
        name => return constant(name),
    })
}

/// What a process without a BEAM around it does not have, in OTP's shape.
fn constant(name: &str) -> Option<Term> {
    let none = || Term::Int(0);
    Some(match name {
        "dictionary" | "binary" | "sequential_trace_token" | "suspending" | "messages" => Term::NIL,
        "priority" => Term::atom("normal"),
        "error_handler" => Term::atom("error_handler"),
        "stack_size" | "catchlevel" | "min_heap_size" | "min_bin_vheap_size" | "fullsweep_after"
        | "trace" => none(),
        "backtrace" => Term::binary(""),
        "last_calls" | "async_dist" => boolean(false),
        "message_queue_data" => Term::atom("on_heap"),
        "max_heap_size" => heap_ceiling(),
        "garbage_collection" => Term::list([
            pair("max_heap_size", heap_ceiling()),
            pair("min_bin_vheap_size", none()),
            pair("min_heap_size", none()),
            pair("fullsweep_after", none()),
            pair("minor_gcs", none()),
        ]),
        "garbage_collection_info" => Term::list(COLLECTION.iter().map(|name| pair(name, none()))),
        _ => return None,
    })
}

const COLLECTION: [&str; 11] = [
    "old_heap_block_size",
    "heap_block_size",
    "mbuf_size",
    "recent_size",
    "stack_size",
    "old_heap_size",
    "heap_size",
    "bin_vheap_size",
    "bin_vheap_block_size",
    "bin_old_vheap_size",
    "bin_old_vheap_block_size",
];

/// No ceiling.
fn heap_ceiling() -> Term {
    let pairs = [("error_logger", boolean(true)), ("kill", boolean(false)), ("size", Term::Int(0))];
    Term::Map(pairs.into_iter().map(|(key, value)| (Term::atom(key), value)).collect::<Map>())
}

/// Bytes of the process itself and of the places of its unread messages.
pub(in super::super) fn memory(info: &ProcessInfo) -> usize {
    info.bytes + info.message_queue_len * size_of::<Term>()
}

/// `{trunkline, Label, 0}`.
pub(in super::super) fn call(info: &ProcessInfo, behind: Option<Term>) -> Term {
    // A label may be a type's name, which no atom would hold.
    let label: String = info.label.chars().take(term::limits::ATOM_CHARACTERS_MAX).collect();
    let items = [Term::Atom(Atom::new(MODULE)), Term::atom(&label), Term::Int(0)];
    Term::Tuple(items.into_iter().chain(behind).collect())
}
