//! The functions that every node answers for: a part of `erlang`, `net_kernel`, `net_adm`, `io_lib`.

use std::sync::Arc;
use std::time::Duration;

use runtime::{Ctx, ExportedFn, Node};
use term::{Atom, Term};

use super::export::failure;
use super::facts;
use crate::net_kernel::{self, Kind, Kinds, TickTime, TickTimeChange, nodes};

/// Exports them.
pub(crate) fn install(node: &Node) {
    super::functions::install(node);
    for (module, function, arity, body) in TABLE {
        node.export(*module, *function, Some(*arity), near(module, function, *body));
    }
    crate::global::install(node);
    crate::pg::install(node);
    export_waiting(node, "net_adm", "ping", |node, peer| {
        Box::pin(async move {
            let answer = if crate::ping(&node, peer).await.is_ok() { "pong" } else { "pang" };
            Term::atom(answer)
        })
    });
    export_waiting(node, "net_kernel", "connect_node", |node, peer| {
        Box::pin(async move { boolean(net_kernel::connect(&node, peer).await.is_ok()) })
    });
    for module in ["erlang", "net_kernel"] {
        let name = if module == "erlang" { "disconnect_node" } else { "disconnect" };
        export_waiting(node, module, name, |node, peer| {
            Box::pin(async move { boolean(net_kernel::disconnect(&node, peer).await) })
        });
    }
}

/// A function that answers at once; nothing means `badarg`.
type Near = fn(&mut Ctx, &[Term]) -> Option<Term>;

const TABLE: &[(&str, &str, u8, Near)] = &[
    ("erlang", "node", 0, |ctx, _| Some(Term::Atom(ctx.node().name().clone()))),
    ("erlang", "node", 1, |_, arguments| node_of(&arguments[0])),
    ("erlang", "nodes", 0, |ctx, _| Some(names(nodes(ctx.node(), Kind::Visible)))),
    ("erlang", "nodes", 1, |ctx, arguments| Some(names(nodes(ctx.node(), kinds(&arguments[0])?)))),
    ("erlang", "is_alive", 0, |ctx, _| Some(boolean(net_kernel::net_ticktime(ctx.node()).is_some()))),
    ("erlang", "self", 0, |ctx, _| Some(Term::Pid(ctx.pid()))),
    ("erlang", "group_leader", 0, |ctx, _| Some(Term::Pid(ctx.group_leader()))),
    ("erlang", "whereis", 1, |ctx, arguments| {
        let pid = ctx.whereis(arguments[0].as_atom()?.clone());
        Some(pid.map_or(Term::atom("undefined"), Term::Pid))
    }),
    ("erlang", "registered", 0, |ctx, _| Some(names(ctx.registered()))),
    ("erlang", "processes", 0, |ctx, _| Some(Term::list(ctx.node().processes().into_iter().map(Term::Pid)))),
    ("erlang", "is_process_alive", 1, |ctx, arguments| {
        let pid = arguments[0].as_pid().filter(|pid| pid.node.name() == ctx.node().name())?;
        Some(boolean(ctx.node().is_process_alive(pid)))
    }),
    ("erlang", "send", 2, send),
    ("erlang", "exit", 2, |ctx, arguments| {
        ctx.exit(arguments[0].as_pid()?, arguments[1].clone());
        Some(Term::atom("true"))
    }),
    ("erlang", "system_info", 1, |ctx, arguments| system_info(ctx, arguments[0].as_atom()?.as_str())),
    ("erlang", "function_exported", 3, |ctx, arguments| {
        let arity = u8::try_from(arguments[2].as_int()?).ok()?;
        let found = ctx.node().exported(arguments[0].as_atom()?, arguments[1].as_atom()?, arity);
        Some(boolean(found.is_some()))
    }),
    ("erlang", "process_info", 1, |ctx, arguments| {
        facts::process_info(ctx.node(), facts::pid_of(ctx, arguments)?)
    }),
    ("erlang", "process_info", 2, |ctx, arguments| {
        facts::process_info_of(ctx.node(), facts::pid_of(ctx, arguments)?, &arguments[1])
    }),
    ("erlang", "memory", 0, |_, _| Some(facts::memory())),
    ("erlang", "memory", 1, |_, arguments| facts::memory_of(&arguments[0])),
    ("erlang", "garbage_collect", 1, |ctx, arguments| {
        let alive = ctx.node().is_process_alive(facts::pid_of(ctx, arguments)?);
        Some(boolean(alive))
    }),
    ("inet", "gethostname", 0, |_, _| Some(facts::hostname())),
    ("net", "gethostname", 0, |_, _| Some(facts::hostname())),
    ("net_adm", "localhost", 0, |_, _| Some(facts::localhost())),
    ("application", "which_applications", 0, |_, _| Some(facts::applications())),
    ("application", "which_applications", 1, |_, _| Some(facts::applications())),
    ("application", "loaded_applications", 0, |_, _| Some(facts::applications())),
    ("init", "get_status", 0, |_, _| Some(facts::init_status())),
    ("code", "which", 1, |_, _| Some(Term::atom("non_existing"))),
    ("code", "is_loaded", 1, |_, _| Some(boolean(false))),
    ("code", "get_object_code", 1, |_, _| Some(Term::atom("error"))),
    ("code", "ensure_loaded", 1, |_, _| Some(Term::tuple([Term::atom("error"), Term::atom("nofile")]))),
    // A stranger does not stop this program.
    ("erlang", "halt", 0, |_, _| None),
    ("erlang", "halt", 1, |_, _| None),
    ("net_kernel", "get_net_ticktime", 0, |ctx, _| match net_kernel::net_ticktime(ctx.node()) {
        Some(TickTime::Is(time)) => Some(Term::Int(time.as_secs() as i64)),
        Some(TickTime::OngoingChangeTo(time)) => Some(ongoing(time)),
        None => Some(Term::atom("ignored")),
    }),
    ("net_kernel", "set_net_ticktime", 1, |ctx, arguments| set_ticktime(ctx, &arguments[0], &Term::Int(60))),
    ("net_kernel", "set_net_ticktime", 2, |ctx, arguments| set_ticktime(ctx, &arguments[0], &arguments[1])),
    ("io_lib", "format", 2, |ctx, arguments| {
        crate::io::format_on(ctx.node(), &arguments[0], &arguments[1]).map(|text| Term::string(&text))
    }),
    ("os", "type", 0, |_, _| {
        Some(Term::tuple([Term::atom(std::env::consts::FAMILY), Term::atom(std::env::consts::OS)]))
    }),
    ("os", "getpid", 0, |_, _| Some(Term::string(&std::process::id().to_string()))),
];

fn near(module: &'static str, function: &'static str, body: Near) -> ExportedFn {
    Arc::new(move |mut ctx, arguments| {
        Box::pin(async move {
            let answer = body(&mut ctx, &arguments);
            answer.ok_or_else(|| failure("badarg", Atom::new(module), Atom::new(function), arguments))
        })
    })
}

type Waiting = fn(Node, Atom) -> std::pin::Pin<Box<dyn Future<Output = Term> + Send>>;

/// A function of one node name that takes its time.
fn export_waiting(node: &Node, module: &'static str, function: &'static str, body: Waiting) {
    let exported: ExportedFn = Arc::new(move |ctx, arguments| {
        let node = ctx.node().clone();
        Box::pin(async move {
            // The process must live as long as its function runs, or nobody could end it.
            let _ctx = ctx;
            match arguments[0].as_atom().cloned() {
                Some(peer) => Ok(body(node, peer).await),
                None => Err(failure("badarg", Atom::new(module), Atom::new(function), arguments)),
            }
        })
    });
    node.export(module, function, Some(1), exported);
}

fn send(ctx: &mut Ctx, arguments: &[Term]) -> Option<Term> {
    let message = arguments[1].clone();
    match &arguments[0] {
        Term::Pid(pid) => ctx.send(pid, message.clone()),
        Term::Ref(alias) => ctx.send(alias, message.clone()),
        Term::Atom(name) => {
            let pid = ctx.whereis(name.clone())?;
            ctx.send(&pid, message.clone());
        }
        Term::Tuple(pair) => match pair.as_slice() {
            [Term::Atom(name), Term::Atom(node)] => ctx.send((name.clone(), node.clone()), message.clone()),
            _ => return None,
        },
        _ => return None,
    }
    Some(message)
}

fn node_of(term: &Term) -> Option<Term> {
    let node = match term {
        Term::Pid(pid) => &pid.node,
        Term::Port(port) => &port.node,
        Term::Ref(reference) => reference.node(),
        _ => return None,
    };
    Some(Term::Atom(node.name().clone()))
}

/// What `erlang:system_info/1` says. `otp_release` is the release whose protocols we speak.
fn system_info(ctx: &Ctx, item: &str) -> Option<Term> {
    let threads = || std::thread::available_parallelism().map_or(1, |threads| threads.get() as i64);
    Some(match item {
        "otp_release" => Term::string("27"),
        "version" => Term::string("15.0"),
        "system_version" => Term::string(&format!("Trunkline {} [erts-15.0]\n", env!("CARGO_PKG_VERSION"))),
        "process_count" => Term::Int(ctx.node().process_count() as i64),
        "process_limit" => Term::Int(runtime::limits::PROCESSES_MAX as i64),
        "port_count" | "atom_count" => Term::Int(0),
        "creation" => Term::Int(i64::from(ctx.node().id().creation())),
        "schedulers" | "schedulers_online" | "logical_processors" => Term::Int(threads()),
        "wordsize" => Term::Int(size_of::<usize>() as i64),
        "smp_support" | "threads" => Term::atom("true"),
        "machine" => Term::string("TRUNKLINE"),
        "system_architecture" => {
            Term::string(&format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS))
        }
        _ => return None,
    })
}

fn set_ticktime(ctx: &Ctx, ticktime: &Term, transition: &Term) -> Option<Term> {
    let seconds = |term: &Term| u64::try_from(term.as_int()?).ok().map(Duration::from_secs);
    let change = net_kernel::set_net_ticktime(ctx.node(), seconds(ticktime)?, seconds(transition)?);
    Some(match change {
        Some(TickTimeChange::Unchanged) => Term::atom("unchanged"),
        Some(TickTimeChange::ChangeInitiated) => Term::atom("change_initiated"),
        Some(TickTimeChange::OngoingChangeTo(time)) => ongoing(time),
        None => Term::atom("ignored"),
    })
}

fn ongoing(time: Duration) -> Term {
    Term::tuple([Term::atom("ongoing_change_to"), Term::Int(time.as_secs() as i64)])
}

fn kinds(term: &Term) -> Option<Kinds> {
    match term {
        Term::List(list) => list.iter().map(|kind| Kind::from_name(kind.as_atom()?.as_str())).collect(),
        kind => Kind::from_name(kind.as_atom()?.as_str()).map(Kinds::from),
    }
}

fn names(names: Vec<Atom>) -> Term {
    Term::list(names.into_iter().map(Term::Atom))
}

fn boolean(truth: bool) -> Term {
    Term::atom(if truth { "true" } else { "false" })
}
