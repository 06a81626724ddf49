//! Processes on one node, measured: the local rows of the performance table. `cargo run --release --example local_bench [ROW | all] [WORKERS]`.

use std::time::{Duration, Instant};

use runtime::{AliasMode, Ctx, Node, NodeConfig};
use term::{Atom, FromTerm, IntoTerm, Mismatch, Pid, Ref, Term};
use tokio::runtime::{Builder, Runtime};
use trunkline_runtime as runtime;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

struct Ping(i64, Pid);

impl IntoTerm for Ping {
    fn into_term(self) -> Term {
        Term::tuple([Term::atom("ping"), Term::Int(self.0), Term::Pid(self.1)])
    }
}

impl FromTerm for Ping {
    fn from_term(term: &Term) -> Result<Ping, Mismatch> {
        match term.as_tuple() {
            Some([_, Term::Int(number), Term::Pid(pid)]) => Ok(Ping(*number, pid.clone())),
            _ => Err(Mismatch { expected: "{ping, Integer, Pid}" }),
        }
    }
}

struct Ask(Ref, i64);
struct Reply(Ref, i64);

macro_rules! pair {
    ($type:ident) => {
        impl IntoTerm for $type {
            fn into_term(self) -> Term {
                Term::tuple([Term::atom("$gen"), Term::Ref(self.0), Term::Int(self.1)])
            }
        }

        impl FromTerm for $type {
            fn from_term(term: &Term) -> Result<$type, Mismatch> {
                match term.as_tuple() {
                    Some([_, Term::Ref(reference), Term::Int(number)]) => {
                        Ok($type(reference.clone(), *number))
                    }
                    _ => Err(Mismatch { expected: "{Tag, Ref, Integer}" }),
                }
            }
        }
    };
}
pair!(Ask);
pair!(Reply);

/// Gives the figure of one row.
type Row = fn(&Runtime, &Node) -> f64;

fn main() {
    let only: Option<String> = std::env::args().nth(1).filter(|only| only != "all");
    let workers: usize = std::env::args().nth(2).and_then(|count| count.parse().ok()).unwrap_or(2);
    let rows: [(&str, &str, Row, f64); 9] = [
        ("spawn_exit", "processes/s   >= 1.54 M", spawn_exit, 1.0e+06),
        ("idle_memory", "bytes         <= 640", idle_memory, 1.0e+06),
        ("one_to_one", "messages/s    >= 17.8 M", |rt, node| fan_in(rt, node, 1), 4.0e+06),
        ("four_to_one", "messages/s    >= 6.8 M", |rt, node| fan_in(rt, node, 4), 4.0e+06),
        ("ring_1", "hops/s        >= 5 M", |rt, node| ring(rt, node, 1), 4.0e+06),
        ("ring_100", "hops/s        >= 20 M", |rt, node| ring(rt, node, 100), 4.0e+06),
        ("call", "us (p50)      <= 0.39", call, 3.0e+05),
        ("clients_100", "calls/s       >= 2.4 M", clients, 2.0e+06),
        ("behind_100k", "us (p50)      <= 2 x call", call_behind, 3.0e+05),
    ];
    for (name, unit, row, operations) in rows {
        if only.as_ref().is_some_and(|only| !name.contains(only.as_str())) {
            continue;
        }
        let mut processor: Vec<f64> = Vec::new();
        let mut best: Vec<f64> = (0..if name == "idle_memory" { 1 } else { 5 })
            .map(|_| {
                let executor =
                    Builder::new_multi_thread().worker_threads(workers).enable_time().build().unwrap();
                let node = Node::new(NodeConfig::alone(executor.handle().clone()));
                let before = processor_nanos();
                let value = row(&executor, &node);
                processor.push((processor_nanos() - before) / operations);
                value
            })
            .collect();
        best.sort_by(f64::total_cmp);
        processor.sort_by(f64::total_cmp);
        let median = best[best.len() / 2];
        println!("{name:14} {median:>16.3}  {unit}   (all: {best:.2?}; processor ns: {processor:.0?})");
    }
}

/// What all threads have had of the processors so far: the figure to compare by when the machine is busy with others.
fn processor_nanos() -> f64 {
    let threads = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let times = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("schedstat")).ok());
    times.filter_map(|text| text.split(' ').next()?.parse::<f64>().ok()).sum()
}

#[allow(clippy::disallowed_methods)]
fn now() -> Instant {
    Instant::now()
}

/// What a coordinator process measures.
fn measure<F, Fut>(executor: &Runtime, node: &Node, body: F) -> f64
where
    F: FnOnce(Ctx) -> Fut + Send + 'static,
    Fut: Future<Output = f64> + Send + 'static,
{
    executor.block_on(node.run(body))
}

fn spawn_exit(executor: &Runtime, node: &Node) -> f64 {
    const COUNT: usize = 1_000_000;
    measure(executor, node, |ctx| async move {
        let start = now();
        for _ in 0..COUNT {
            ctx.spawn(|_| async {});
        }
        while ctx.node().process_count() > 1 {
            tokio::task::yield_now().await;
        }
        COUNT as f64 / start.elapsed().as_secs_f64()
    })
}

fn idle_memory(executor: &Runtime, node: &Node) -> f64 {
    const COUNT: usize = 1_000_000;
    let before = resident_bytes();
    measure(executor, node, move |ctx| async move {
        for _ in 0..COUNT {
            ctx.spawn(|mut ctx| async move {
                let _: Term = ctx.receive().await;
            });
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
        (resident_bytes() - before) as f64 / COUNT as f64
    })
}

fn resident_bytes() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    text.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).unwrap_or(0) * 4_096
}

fn fan_in(executor: &Runtime, node: &Node, senders: usize) -> f64 {
    const COUNT: usize = 4_000_000;
    measure(executor, node, move |mut ctx| async move {
        let me = ctx.pid();
        let start = now();
        for _ in 0..senders {
            let me = me.clone();
            ctx.spawn(move |mut ctx| async move {
                for number in 0..(COUNT / senders) as i64 {
                    ctx.send(&me, Ping(number, ctx.pid()));
                    if number % 1_000 == 999 {
                        ctx.breathe().await;
                    }
                }
            });
        }
        let mut sum = 0;
        for _ in 0..COUNT {
            let Ping(number, _) = ctx.receive().await;
            sum += number;
        }
        assert!(sum > 0);
        COUNT as f64 / start.elapsed().as_secs_f64()
    })
}

fn ring(executor: &Runtime, node: &Node, tokens: i64) -> f64 {
    const MEMBERS: usize = 1_000;
    const HOPS: i64 = 4_000_000;
    measure(executor, node, move |mut ctx| async move {
        let me = ctx.pid();
        let mut next = me.clone();
        for _ in 1..MEMBERS {
            let to = next;
            next = ctx.spawn(move |mut ctx| async move {
                loop {
                    let token: i64 = ctx.receive().await;
                    ctx.send(&to, token - 1);
                }
            });
        }
        let start = now();
        for _ in 0..tokens {
            ctx.send(&next, HOPS / tokens);
        }
        let mut left = tokens;
        while left > 0 {
            let token: i64 = ctx.receive().await;
            if token <= 0 {
                left -= 1;
            } else {
                ctx.send(&next, token - 1);
            }
        }
        let hops = HOPS as f64 / start.elapsed().as_secs_f64();
        for pid in ctx.node().processes() {
            if pid != me {
                ctx.exit(&pid, runtime::Exit::kill());
            }
        }
        hops
    })
}

fn server(ctx: &Ctx) -> Pid {
    ctx.spawn(|mut ctx| async move {
        loop {
            let Ask(from, number) = ctx.receive().await;
            ctx.send(&from, Reply(from.clone(), number + 1));
        }
    })
}

/// As gen:call does: monitor with alias, send, wait behind the mark, demonitor.
async fn ask(ctx: &mut Ctx, server: &Pid, number: i64) -> i64 {
    let mark = ctx.mark();
    let reference = ctx.monitor_with_alias(server, AliasMode::Demonitor);
    ctx.send(server, Ask(reference.clone(), number));
    let Reply(_, answer) = ctx.receive_from(mark).await;
    ctx.demonitor(&reference, true);
    answer
}

async fn call_p50(ctx: &mut Ctx, server: &Pid) -> f64 {
    let mut rounds = Vec::new();
    for _ in 0..300 {
        let start = now();
        for number in 0..1_000 {
            assert_eq!(ask(ctx, server, number).await, number + 1);
        }
        rounds.push(start.elapsed().as_secs_f64() * 1e6 / 1_000.0);
    }
    rounds.sort_by(f64::total_cmp);
    rounds[rounds.len() / 2]
}

fn call(executor: &Runtime, node: &Node) -> f64 {
    measure(executor, node, |mut ctx| async move {
        let server = server(&ctx);
        call_p50(&mut ctx, &server).await
    })
}

fn call_behind(executor: &Runtime, node: &Node) -> f64 {
    measure(executor, node, |mut ctx| async move {
        let me = ctx.pid();
        let server = server(&ctx);
        for _ in 0..100_000 {
            ctx.send(&me, Atom::inline("unread"));
        }
        call_p50(&mut ctx, &server).await
    })
}

fn clients(executor: &Runtime, node: &Node) -> f64 {
    const CLIENTS: usize = 100;
    const CALLS: i64 = 20_000;
    measure(executor, node, |mut ctx| async move {
        let me = ctx.pid();
        let server = server(&ctx);
        let start = now();
        for _ in 0..CLIENTS {
            let (me, server) = (me.clone(), server.clone());
            ctx.spawn(move |mut ctx| async move {
                for number in 0..CALLS {
                    ask(&mut ctx, &server, number).await;
                }
                ctx.send(&me, 1_i64);
            });
        }
        for _ in 0..CLIENTS {
            ctx.receive::<i64>().await;
        }
        (CLIENTS as i64 * CALLS) as f64 / start.elapsed().as_secs_f64()
    })
}
