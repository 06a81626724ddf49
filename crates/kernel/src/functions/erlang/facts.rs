//! `erlang`: what tools ask a node about itself: `system_info`, `statistics`, `memory`; and its end.

use std::sync::Mutex;

use runtime::{Ctx, Node};
use term::Term;

use super::super::{Answer, Fault, Module, args, init};
use args::{atom, boolean, number, pair, undefined};

pub(in super::super) const MODULE: Module = Module {
    name: "erlang",
    unfit: "badarg",
    near: &[
        ("system_info", 1, |ctx, a| {
            match &a[0] {
                Term::Atom(item) => system_info(ctx, item.as_str()),
                Term::Tuple(item) => system_info_of(item),
                _ => None,
            }
            .ok_or(Fault::Unfit)
        }),
        ("system_flag", 2, |_, a| match atom(&a[0])?.as_str() {
            // Always measured.
            "scheduler_wall_time" => args::truth(&a[1]).map(|_| boolean(true)),
            _ => Err(Fault::Unfit),
        }),
        ("statistics", 1, |ctx, a| statistics(ctx.node(), atom(&a[0])?.as_str()).ok_or(Fault::Unfit)),
        ("memory", 0, |ctx, _| all_memory(ctx)),
        ("memory", 1, |_, a| match &a[0] {
            Term::Atom(_) => memory_of(&a[0]),
            kinds => {
                let kinds = args::items(kinds)?;
                let pairs = kinds.iter().map(|kind| Ok(Term::tuple([kind.clone(), memory_of(kind)?])));
                Ok(Term::list(pairs.collect::<Result<Vec<_>, Fault>>()?))
            }
        }),
    ],
    far: &[
        ("halt", 0, |ctx, _| Box::pin(init::halt(ctx))),
        ("halt", 1, |ctx, a| {
            Box::pin(async move {
                status(&a[0])?;
                init::halt(ctx).await
            })
        }),
        ("halt", 2, |ctx, a| {
            Box::pin(async move {
                status(&a[0])?;
                args::items(&a[1])?.iter().try_for_each(halt_option)?;
                init::halt(ctx).await
            })
        }),
    ],
};

/// `{flush, Bool}`, and since OTP 27 `{flush_timeout, Milliseconds}`: a mistake must not end the node.
fn halt_option(option: &Term) -> Result<(), Fault> {
    let fits = match option.as_tuple() {
        Some([word, flush]) if word.is_atom("flush") => flush.is_atom("true") || flush.is_atom("false"),
        Some([word, time]) if word.is_atom("flush_timeout") => {
            time.is_atom("infinity") || matches!(time, Term::Int(0..))
        }
        _ => false,
    };
    if fits { Ok(()) } else { Err(Fault::Unfit) }
}

/// A number, `abort`, or the slogan of a crash dump.
fn status(term: &Term) -> Result<(), Fault> {
    let fits = match term {
        Term::Int(status) => *status >= 0,
        Term::Atom(word) => *word == "abort",
        other => args::charlist(other).is_ok(),
    };
    if fits { Ok(()) } else { Err(Fault::Unfit) }
}

/// The release whose protocols we speak.
pub(in super::super) const OTP_RELEASE: &str = "27";
/// Its runtime system.
const ERTS_VERSION: &str = "15.0";

/// Atoms of the BEAM's table by default. There is no table here, so none is ever in it.
const ATOM_LIMIT: i64 = 1_048_576;

/// What `erlang:system_info/1` says.
pub(in super::super) fn system_info(ctx: &Ctx, item: &str) -> Option<Term> {
    let node = ctx.node();
    let processors = || std::thread::available_parallelism().map_or(1, |threads| threads.get() as i64);
    Some(match item {
        "otp_release" => Term::string(OTP_RELEASE),
        "version" => Term::string(ERTS_VERSION),
        "system_version" => {
            let version = env!("CARGO_PKG_VERSION");
            Term::string(&format!("Trunkline {version} [erts-{ERTS_VERSION}]\n"))
        }
        "system_architecture" => {
            Term::string(&format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS))
        }
        "machine" => Term::string("TRUNKLINE"),
        "driver_version" | "nif_version" => Term::string("0.0"),
        "process_count" => number(node.process_count()),
        "process_limit" => number(runtime::limits::PROCESSES_MAX),
        "creation" => Term::Int(node.id().creation().into()),
        "schedulers" | "schedulers_online" => number(node.run_queue_lengths().len()),
        "logical_processors" | "logical_processors_online" | "logical_processors_available" => {
            Term::Int(processors())
        }
        "scheduler_id" => Term::Int(1),
        "wordsize" => number(size_of::<usize>()),
        "atom_limit" => Term::Int(ATOM_LIMIT),
        "dist_buf_busy_limit" => number(runtime::limits::LANE_BYTES_MAX),
        "start_time" => Term::Int(0),
        "os_monotonic_time_source" => monotonic_source(),
        "procs" | "loaded" | "info" | "dist" => Term::binary(""),
        item => return constant(item),
    })
}

/// What is as it is on every node without a BEAM inside.
fn constant(item: &str) -> Option<Term> {
    Some(match item {
        "port_count" | "atom_count" | "ets_count" | "port_limit" | "ets_limit" | "thread_pool_size" => {
            Term::Int(0)
        }
        "dirty_cpu_schedulers"
        | "dirty_cpu_schedulers_online"
        | "dirty_io_schedulers"
        | "fullsweep_after"
        | "trace_control_word"
        | "async_dist"
        | "nif_count" => Term::Int(0),
        "smp_support" | "threads" | "kernel_poll" | "dynamic_trace_probes" => {
            boolean(item != "dynamic_trace_probes")
        }
        "debug_compiled" | "heap_type_private" | "port_parallelism" => boolean(false),
        "multi_scheduling" => Term::atom("enabled"),
        "multi_scheduling_blockers" | "normal_multi_scheduling_blockers" => Term::NIL,
        "alloc_util_allocators" | "allocated_areas" | "cpu_topology_list" | "dist_ctrl" => Term::NIL,
        "cpu_topology" | "elib_malloc" | "scheduler_bind_type_default" => undefined(),
        "scheduler_bind_type" => Term::atom("unbound"),
        "scheduler_bindings" => Term::Tuple(Vec::new().into()),
        "dynamic_trace" => Term::atom("none"),
        "heap_type" => Term::atom("private"),
        "build_type" => Term::atom("opt"),
        "emu_type" => Term::atom("opt"),
        "emu_flavor" => Term::atom("emu"),
        "time_correction" => boolean(true),
        "time_warp_mode" => Term::atom("no_time_warp"),
        "time_offset" => Term::atom("final"),
        "end_time" => Term::Int(i64::MAX),
        "delayed_node_table_gc" => Term::Int(60),
        "modified_timing_level" | "c_compiler_used" => undefined(),
        "message_queue_data" => Term::atom("on_heap"),
        "min_heap_size" | "min_bin_vheap_size" => Term::tuple([Term::atom(item), Term::Int(0)]),
        "tolerant_timeofday" => Term::atom("enabled"),
        "outstanding_system_requests_limit" => Term::Int(0),
        "compat_rel" => Term::Int(OTP_RELEASE.parse().ok()?),
        "compile_info" | "system_logger" => Term::NIL,
        "eager_check_io" => boolean(true),
        "check_io" => Term::NIL,
        _ => return None,
    })
}

/// The items that are tuples.
fn system_info_of(item: &[Term]) -> Option<Term> {
    let words: Vec<&str> = item.iter().filter_map(|word| word.as_atom().map(|word| word.as_str())).collect();
    Some(match words[..] {
        ["wordsize", "internal" | "external"] => number(size_of::<usize>()),
        ["allocator", _] => boolean(false),
        ["cpu_topology", "defined" | "detected" | "used"] => undefined(),
        _ => match item {
            [word, list] if word.is_atom("allocator_sizes") && list.as_list().is_some() => Term::NIL,
            _ => return None,
        },
    })
}

fn monotonic_source() -> Term {
    Term::list([
        pair("function", Term::atom("clock_gettime")),
        pair("clock_id", Term::atom("CLOCK_MONOTONIC")),
        pair("resolution", Term::Int(1_000_000_000)),
        pair("parallel", Term::atom("yes")),
    ])
}

/// What `erlang:statistics/1` says. There is no garbage, and bytes of ports there are none.
pub(in super::super) fn statistics(node: &Node, item: &str) -> Option<Term> {
    let queues = || node.run_queue_lengths();
    let each = |lengths: Vec<usize>| Term::list(lengths.into_iter().map(number));
    Some(match item {
        "run_queue" | "total_run_queue_lengths" | "total_run_queue_lengths_all" => {
            number(queues().iter().sum::<usize>())
        }
        "run_queue_lengths" | "run_queue_lengths_all" => each(queues()),
        // Who waits for its turn, and who asks.
        "total_active_tasks" | "total_active_tasks_all" => number(queues().iter().sum::<usize>() + 1),
        "active_tasks" | "active_tasks_all" => each(queues()),
        "context_switches" => Term::tuple([number(node.turns()), Term::Int(0)]),
        // A reduction is a turn that some process had.
        "reductions" | "exact_reductions" => since_last(node, |last| &mut last.reductions, node.turns()),
        "runtime" => since_last(node, |last| &mut last.runtime, cpu_millis()),
        "wall_clock" => since_last(node, |last| &mut last.wall_clock, node.now().as_nanos() / 1_000_000),
        "garbage_collection" => Term::tuple([Term::Int(0), Term::Int(0), Term::Int(0)]),
        "io" => Term::tuple([pair("input", Term::Int(0)), pair("output", Term::Int(0))]),
        "scheduler_wall_time" | "scheduler_wall_time_all" => scheduler_wall_time(node),
        "microstate_accounting" => undefined(),
        _ => return None,
    })
}

/// What was said last, for those who want to know what came since.
#[derive(Default)]
struct Last(Mutex<LastSaid>);

#[derive(Default)]
struct LastSaid {
    reductions: u64,
    runtime: u64,
    wall_clock: u64,
}

fn since_last(node: &Node, which: impl FnOnce(&mut LastSaid) -> &mut u64, total: u64) -> Term {
    let last = node.shelf::<Last>();
    let mut last = last.0.lock().unwrap_or_else(|e| e.into_inner());
    let before = std::mem::replace(which(&mut last), total);
    Term::tuple([number(total), number(total.saturating_sub(before))])
}

/// `{Scheduler, Active, Total}` in nanoseconds: the executor's threads, on which the schedulers run.
fn scheduler_wall_time(node: &Node) -> Term {
    let metrics = node.handle().metrics();
    let total = node.now().as_nanos();
    let entry = |worker: usize| {
        let busy = u64::try_from(metrics.worker_total_busy_duration(worker).as_nanos()).unwrap_or(u64::MAX);
        Term::tuple([number(worker + 1), number(busy.min(total)), number(total)])
    };
    Term::list((0..metrics.num_workers()).map(entry))
}

/// Processor time of the program, from Linux; 0 where it is not told.
fn cpu_millis() -> u64 {
    const TICK_MILLIS: u64 = 10;
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name, in parentheses, may hold anything; user and system time are the 12th and 13th field behind it.
    let behind = text.rsplit_once(')').map_or("", |(_, behind)| behind);
    let ticks = behind.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok());
    ticks.sum::<u64>() * TICK_MILLIS
}

/// What `erlang:memory/0` says. The program has one heap and does not know whose a byte is: all but the code of the
/// program itself goes to the account of the processes.
pub(in super::super) fn memory() -> impl Iterator<Item = (&'static str, u64)> {
    const PAGE_BYTES: u64 = 4096;
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: Vec<u64> = text.split_whitespace().filter_map(|pages| pages.parse().ok()).collect();
    let field = |at: usize| pages.get(at).copied().unwrap_or(0).saturating_mul(PAGE_BYTES);
    let (total, code) = (field(1), field(3).min(field(1)));
    let none = ["atom", "atom_used", "binary"].map(|kind| (kind, 0));
    [("total", total), ("processes", total - code), ("processes_used", total - code), ("system", code)]
        .into_iter()
        .chain(none)
        .chain([("code", code), ("ets", 0)])
}

pub(in super::super) fn memory_of(kind: &Term) -> Answer {
    let kind = atom(kind)?;
    memory().find(|(name, _)| *kind == **name).map(|(_, bytes)| number(bytes)).ok_or(Fault::Unfit)
}

pub(in super::super) fn all_memory(_: &mut Ctx) -> Answer {
    Ok(Term::list(memory().map(|(kind, bytes)| pair(kind, number(bytes)))))
}
