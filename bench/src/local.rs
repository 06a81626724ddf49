//! Our rows of one node by itself; the same programs as `beam/bench_local.erl`.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use otp::request;
use runtime::{Ctx, Node};
use term::{Pid, Term};

use crate::measure::{Measure, percentile};
use crate::ours::{Run, now};
use crate::station;
use crate::words::{Done, Go, Ping, Token, Up};

/// `size` processes that end at once; the last one says so.
pub(crate) fn spawn_exit(run: &Run) -> Result<Vec<Measure>> {
    rate("spawn_exit", "proc/s", run.size, |mut ctx, size| async move {
        spawn_many(&mut ctx, size / 10).await;
        timed(spawn_many(&mut ctx, size)).await
    })
}

async fn spawn_many(ctx: &mut Ctx, size: u64) {
    let (me, left) = (ctx.pid(), Arc::new(AtomicU64::new(size)));
    for _ in 0..size {
        let (me, left) = (me.clone(), left.clone());
        ctx.spawn(|mut ctx| async move {
            if left.fetch_sub(1, Ordering::Relaxed) == 1 {
                ctx.send(&me, Done(0));
            }
        });
    }
    ctx.receive::<Done>().await;
}

/// Resident memory that `size` waiting processes add, each.
pub(crate) fn idle_memory(run: &Run) -> Result<Vec<Measure>> {
    let size = run.size;
    let before = station::rss_bytes()?;
    alone(move |mut ctx| async move {
        let me = ctx.pid();
        for _ in 0..size {
            let me = me.clone();
            ctx.spawn(|mut ctx| async move {
                ctx.send(&me, Up(0));
                drop(me);
                ctx.receive::<Go>().await;
            });
        }
        for _ in 0..size {
            ctx.receive::<Up>().await;
        }
        let added = station::rss_bytes()?.saturating_sub(before);
        Ok(vec![Measure::new("idle_memory", added as f64 / size as f64, "bytes")])
    })?
}

pub(crate) fn send_1_to_1(run: &Run) -> Result<Vec<Measure>> {
    flood("send_1_to_1", 1, run.size)
}

pub(crate) fn send_4_to_1(run: &Run) -> Result<Vec<Measure>> {
    flood("send_4_to_1", 4, run.size)
}

/// Messages `{ping, I, Pid}` from some processes to one that counts them.
fn flood(row: &str, senders: u64, size: u64) -> Result<Vec<Measure>> {
    rate(row, "msg/s", size, move |mut ctx, size| async move {
        flood_once(&mut ctx, senders, size / 10).await;
        timed(flood_once(&mut ctx, senders, size)).await
    })
}

async fn flood_once(ctx: &mut Ctx, senders: u64, size: u64) {
    let (me, each) = (ctx.pid(), size / senders);
    let sink = ctx.spawn(move |mut ctx| async move {
        for _ in 0..each * senders {
            ctx.receive::<Ping>().await;
        }
        ctx.send(&me, Done(0));
    });
    for _ in 0..senders {
        let sink = sink.clone();
        ctx.spawn(move |mut ctx| async move { send_pings(&mut ctx, each, &sink).await });
    }
    ctx.receive::<Done>().await;
}

/// BEAM takes a process off its core every 4,000 reductions; ours gives others a turn by itself.
pub(crate) async fn send_pings(ctx: &mut Ctx, count: u64, to: &Pid) {
    for number in 0..count as i64 {
        ctx.send(to, Ping(number, ctx.pid()));
        if number % SENDS_A_TURN == SENDS_A_TURN - 1 {
            ctx.breathe().await;
        }
    }
}

pub(crate) fn ring_1(run: &Run) -> Result<Vec<Measure>> {
    ring("ring_1", 1, run.size)
}

pub(crate) fn ring_100(run: &Run) -> Result<Vec<Measure>> {
    ring("ring_100", 100, run.size)
}

/// A ring of 1,000 processes; each token makes its share of `size` hops.
fn ring(row: &str, tokens: u64, size: u64) -> Result<Vec<Measure>> {
    rate(row, "hops/s", size, move |mut ctx, size| async move {
        let me = ctx.pid();
        let main = me.clone();
        let first = ctx.spawn(move |mut ctx| async move {
            let next: Pid = ctx.receive().await;
            pass_on(ctx, next, main).await;
        });
        let mut last = first.clone();
        for _ in 1..RING_MEMBERS {
            let (next, main) = (last, me.clone());
            last = ctx.spawn(|ctx| pass_on(ctx, next, main));
        }
        ctx.send(&first, last.clone());
        timed(async {
            for _ in 0..tokens {
                ctx.send(&last, Token((size / tokens) as i64));
            }
            for _ in 0..tokens {
                ctx.receive::<Done>().await;
            }
        })
        .await
    })
}

async fn pass_on(mut ctx: Ctx, next: Pid, main: Pid) {
    loop {
        match ctx.receive::<Token>().await {
            Token(0) => ctx.send(&main, Done(0)),
            Token(hops) => ctx.send(&next, Token(hops - 1)),
        }
    }
}

/// `gen_server:call`, one after the other.
pub(crate) fn call(run: &Run) -> Result<Vec<Measure>> {
    let size = run.size;
    alone(move |mut ctx| async move {
        let server = ctx.spawn(station::server);
        call_batches(&mut ctx, &server, size / 10).await;
        let times = call_batches(&mut ctx, &server, size).await;
        let p50 = percentile(&times, 50.0).context("no call was made")?;
        Ok(vec![Measure::new("call_p50", p50, "us")])
    })?
}

/// Microseconds of a call, in batches of a hundred as BEAM's side has them.
async fn call_batches(ctx: &mut Ctx, server: &Pid, size: u64) -> Vec<f64> {
    let mut times = Vec::new();
    for _ in 0..(size / CALLS_A_BATCH).max(1) {
        let begun = now();
        for _ in 0..CALLS_A_BATCH {
            ask(ctx, server).await;
        }
        times.push(begun.elapsed().as_secs_f64() * 1.0e6 / CALLS_A_BATCH as f64);
    }
    times
}

async fn ask(ctx: &mut Ctx, server: &Pid) {
    let answer = request::call(ctx, server, Term::atom("get"), None).await;
    assert_eq!(answer, Ok(Term::Int(0)), "the server answers");
}

pub(crate) fn clients_100(run: &Run) -> Result<Vec<Measure>> {
    rate("clients_100", "calls/s", run.size, |mut ctx, size| async move {
        let server = ctx.spawn(station::server);
        clients(&mut ctx, &server, size / 10).await;
        timed(clients(&mut ctx, &server, size)).await
    })
}

async fn clients(ctx: &mut Ctx, server: &Pid, size: u64) {
    for _ in 0..CLIENTS {
        let (me, server) = (ctx.pid(), server.clone());
        ctx.spawn(move |mut ctx| async move {
            for _ in 0..size / CLIENTS {
                ask(&mut ctx, &server).await;
            }
            ctx.send(&me, Done(0));
        });
    }
    for _ in 0..CLIENTS {
        ctx.receive::<Done>().await;
    }
}

/// What a call costs a process with `size` unread messages, over what it costs one with none.
pub(crate) fn reply_behind_unread(run: &Run) -> Result<Vec<Measure>> {
    let size = run.size;
    alone(move |ctx| async move {
        let server = ctx.spawn(station::server);
        let empty = call_behind(ctx.node(), &server, 0).await?;
        let full = call_behind(ctx.node(), &server, size).await?;
        Ok(vec![Measure::new("reply_behind_unread", full / empty, "x")])
    })?
}

async fn call_behind(node: &Node, server: &Pid, unread: u64) -> Result<f64> {
    let server = server.clone();
    let times = node.run(move |mut ctx| async move {
        let me = ctx.pid();
        send_pings(&mut ctx, unread, &me).await;
        call_batches(&mut ctx, &server, 1_000).await;
        call_batches(&mut ctx, &server, 20_000).await
    });
    percentile(&times.await, 50.0).context("no call was made")
}

/// Runs a process on a node without a network.
fn alone<F, Fut>(body: F) -> Result<Fut::Output>
where
    F: FnOnce(Ctx) -> Fut + Send + 'static,
    Fut: Future + Send + 'static,
    Fut::Output: Send + 'static,
{
    station::executor()?.block_on(async { Node::alone().try_run(body).await.context("the driver panicked") })
}

/// A row that is so many things in the time that `body` gives back.
fn rate<F, Fut>(row: &str, unit: &str, size: u64, body: F) -> Result<Vec<Measure>>
where
    F: FnOnce(Ctx, u64) -> Fut + Send + 'static,
    Fut: Future<Output = Duration> + Send + 'static,
{
    let time = alone(move |ctx| body(ctx, size))?;
    Ok(vec![Measure::new(row, size as f64 / time.as_secs_f64(), unit)])
}

async fn timed(work: impl Future<Output = ()>) -> Duration {
    let begun = now();
    work.await;
    begun.elapsed()
}

const RING_MEMBERS: usize = 1_000;
const CALLS_A_BATCH: u64 = 100;
const CLIENTS: u64 = 100;
const SENDS_A_TURN: i64 = 1_000;
