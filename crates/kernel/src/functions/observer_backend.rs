//! `observer_backend`: what `etop` and `observer` ask every node. The records are those of `observer_backend.hrl`.

use std::time::Duration;

use runtime::{Ctx, Node};
use term::{Pid, Term};
use tokio::task::yield_now;

use super::erlang::{facts, info, time};
use super::{Answer, Fault, Module, args};
use args::{atom, number, ok, pair, pid, undefined};

pub(super) const MODULE: Module = Module {
    name: "observer_backend",
    unfit: "function_clause",
    near: &[
        ("vsn", 0, |_, _| Ok(ok(Term::string(VERSION)))),
        ("sys_info", 0, |ctx, _| Ok(sys_info(ctx))),
        // There are neither ports nor sockets that Erlang would know.
        ("get_port_list", 0, |_, _| Ok(Term::NIL)),
        ("get_socket_list", 0, |_, _| Ok(Term::NIL)),
        ("socket_info", 0, |_, _| Ok(socket_info())),
        ("get_table_list", 2, |ctx, a| get_table_list(ctx, a)),
        ("get_table", 3, |ctx, a| {
            let (parent, kind) = (pid(&a[0])?.clone(), atom(&a[2])?.as_str());
            if !matches!(kind, "ets" | "mnesia") {
                return Err(Fault::Unfit);
            }
            // No table has anything in it.
            Ok(Term::Pid(ctx.spawn(move |mut ctx: Ctx| async move {
                let me = Term::Pid(ctx.pid());
                ctx.send(&parent, Term::tuple([me, Term::atom("$end_of_table")]));
            })))
        }),
    ],
    far: &[
        ("etop_collect", 1, |ctx, a| Box::pin(etop_collect(ctx, a))),
        ("procs_info", 1, |ctx, a| Box::pin(procs_info(ctx, a))),
        ("fetch_stats", 2, |ctx, a| Box::pin(fetch_stats(ctx, a))),
    ],
};

/// Of runtime_tools, whose part this is.
const VERSION: &str = "1.19";

/// Processes that are looked at before others get their turn.
const PROCESSES_PER_TURN: usize = 500;

/// Processes in one message, as OTP has it.
const PROCESSES_PER_MESSAGE: usize = 10_000;

/// Nobody needs to know more often.
const STATS_MILLIS_MIN: u64 = 10;

fn sys_info(ctx: &Ctx) -> Term {
    const ITEMS: [&str; 24] = [
        "logical_processors",
        "logical_processors_online",
        "logical_processors_available",
        "schedulers",
        "schedulers_online",
        "otp_release",
        "version",
        "system_architecture",
        "kernel_poll",
        "smp_support",
        "threads",
        "thread_pool_size",
        "process_count",
        "atom_limit",
        "atom_count",
        "process_limit",
        "process_count",
        "port_limit",
        "port_count",
        "ets_limit",
        "ets_count",
        "dist_buf_busy_limit",
        "creation",
        "machine",
    ];
    let node = ctx.node();
    let word = number(size_of::<usize>());
    let schedulers = facts::system_info(ctx, "schedulers_online").unwrap_or_else(undefined);
    let first = [
        pair("uptime", number(node.now().as_nanos() / 1_000_000)),
        pair("run_queue", number(node.run_queue_lengths().iter().sum::<usize>())),
        pair("io_input", Term::Int(0)),
        pair("io_output", Term::Int(0)),
        pair("schedulers_available", schedulers),
        pair("wordsize_internal", word.clone()),
        pair("wordsize_external", word),
        pair("alloc_info", Term::NIL),
    ];
    let items = ITEMS.iter().map(|item| pair(item, facts::system_info(ctx, item).unwrap_or_else(undefined)));
    let memory = facts::memory().map(|(kind, bytes)| pair(kind, number(bytes)));
    Term::list(first.into_iter().chain(items).chain(memory))
}

fn socket_info() -> Term {
    const NONE: [&str; 13] = [
        "num_monitors",
        "num_cnt_bits",
        "num_dinet",
        "num_dinet6",
        "num_dlocal",
        "num_pip",
        "num_psctp",
        "num_ptcp",
        "num_pudp",
        "num_sockets",
        "num_tdgrams",
        "num_tseqpkgs",
        "num_tstreams",
    ];
    let chunks = pair("iov_max", number(crate::limits::WRITE_CHUNKS_MAX));
    Term::list([chunks].into_iter().chain(NONE.iter().map(|item| pair(item, Term::Int(0)))))
}

fn get_table_list(ctx: &mut Ctx, a: &[Term]) -> Answer {
    args::items(&a[1])?;
    match atom(&a[0])?.as_str() {
        "ets" => Ok(Term::NIL),
        "mnesia" => {
            let text = format!("Mnesia is not running on: {}", ctx.node().name());
            Err(Fault::Throw(args::error(Term::string(&text))))
        }
        _ => Err(Fault::Unfit),
    }
}

/// `{etop_proc_info, Pid, Memory, Reductions, Name, Runtime, CurrentFunction, Messages}`.
fn etop_proc_info(node: &Node, pid: &Pid) -> Option<Term> {
    let info = node.process_info(pid)?;
    let call = info::call(&info, None);
    let name = info.registered_name.clone().map_or(call.clone(), Term::Atom);
    Some(Term::tuple([
        Term::atom("etop_proc_info"),
        Term::Pid(pid.clone()),
        number(info::memory(&info)),
        number(info.turns),
        name,
        Term::Int(0),
        call,
        number(info.message_queue_len),
    ]))
}

/// All of these processes but the one that asks.
async fn collect(ctx: &mut Ctx, pids: &[Pid]) -> Vec<Term> {
    let mut found = Vec::with_capacity(pids.len());
    for (place, pid) in pids.iter().enumerate() {
        if place % PROCESSES_PER_TURN == PROCESSES_PER_TURN - 1 {
            yield_now().await;
        }
        if pid != ctx.pid_ref() {
            found.extend(etop_proc_info(ctx.node(), pid));
        }
    }
    found
}

/// Sends `{Self, EtopInfo}`.
async fn etop_collect(mut ctx: Ctx, a: Vec<Term>) -> Answer {
    let collector = pid(&a[0])?;
    let runtime = facts::statistics(ctx.node(), "scheduler_wall_time").unwrap_or_else(undefined);
    let pids = ctx.node().processes();
    let processes = collect(&mut ctx, &pids).await;
    let memory = ["total", "processes", "ets", "atom", "code", "binary"];
    let memory = memory.iter().filter_map(|kind| facts::memory().find(|(name, _)| name == kind));
    let record = Term::Tuple(
        [
            Term::atom("etop_info"),
            time::timestamp(),
            number(processes.len()),
            undefined(),
            runtime,
            number(ctx.node().run_queue_lengths().iter().sum::<usize>()),
            Term::NIL,
            Term::list(memory.map(|(kind, bytes)| pair(kind, number(bytes)))),
            Term::list(processes),
        ]
        .into_iter()
        .collect(),
    );
    let message = Term::tuple([Term::Pid(ctx.pid()), record]);
    ctx.send_paced(collector, message).await;
    Ok(Term::atom("ok"))
}

/// Sends `{procs_info, Self, [EtopProcInfo]}`, as often as it takes.
async fn procs_info(mut ctx: Ctx, a: Vec<Term>) -> Answer {
    let collector = pid(&a[0])?;
    let pids = ctx.node().processes();
    let chunks = pids.chunks(PROCESSES_PER_MESSAGE);
    for chunk in chunks {
        let processes = Term::list(collect(&mut ctx, chunk).await);
        let message = Term::tuple([Term::atom("procs_info"), Term::Pid(ctx.pid()), processes]);
        ctx.send_paced(collector, message).await;
    }
    Ok(Term::atom("ok"))
}

/// Sends `{stats, 1, SchedulerWallTime, Io, Memory}` again and again, until any message comes.
async fn fetch_stats(mut ctx: Ctx, a: Vec<Term>) -> Answer {
    let (parent, millis) = (pid(&a[0])?, u64::try_from(args::int(&a[1])?).map_err(|_| Fault::Unfit)?);
    let pause = Duration::from_millis(millis.max(STATS_MILLIS_MIN));
    ctx.set_trap_exit(true);
    while ctx.receive_within::<Term>(pause).await.is_none() {
        let stats = stats(ctx.node());
        ctx.send_paced(parent, stats).await;
    }
    Ok(Term::atom("ok"))
}

fn stats(node: &Node) -> Term {
    let statistics = |item| facts::statistics(node, item).unwrap_or_else(undefined);
    let memory = Term::list(facts::memory().map(|(kind, bytes)| pair(kind, number(bytes))));
    let word = Term::atom("stats");
    Term::tuple([word, Term::Int(1), statistics("scheduler_wall_time"), statistics("io"), memory])
}
