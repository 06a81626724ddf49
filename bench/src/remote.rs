//! Our rows between two OS processes over loopback; the same programs as `beam/bench_remote.erl`.

use std::future::Future;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use kernel::{net_kernel, rpc};
use otp::request;
use runtime::Ctx;
use term::{Atom, Binary, Pid, Term};
use tokio::time::sleep;

use crate::measure::{Measure, percentile};
use crate::ours::{Run, now};
use crate::station;
use crate::words::{Ack, Bulk, Done, Go, Ping, Pong, SinkAt, Sunk, Up, WantSink};

pub(crate) fn fire_1_pair(run: &Run) -> Result<Vec<Measure>> {
    fire_row("fire_1_pair", 1, run)
}

pub(crate) fn fire_100_pairs(run: &Run) -> Result<Vec<Measure>> {
    fire_row("fire_100_pairs", 100, run)
}

fn fire_row(row: &'static str, pairs: u64, run: &Run) -> Result<Vec<Measure>> {
    connected(run, move |mut ctx, peer, size| async move {
        fire(&mut ctx, pairs, size / 10, &peer).await;
        let time = fire(&mut ctx, pairs, size, &peer).await;
        Ok(vec![Measure::new(row, size as f64 / time.as_secs_f64(), "msg/s")])
    })
}

/// Each pair: one sender here, one sink there that says when it has counted all.
async fn fire(ctx: &mut Ctx, pairs: u64, size: u64, peer: &Atom) -> Duration {
    let each = (size / pairs) as i64;
    let mut senders = Vec::new();
    for _ in 0..pairs {
        let (main, peer) = (ctx.pid(), peer.clone());
        senders.push(ctx.spawn(move |ctx| sender(ctx, each, peer, main)));
    }
    for _ in 0..pairs {
        ctx.receive::<Up>().await;
    }
    let begun = now();
    for sender in &senders {
        ctx.send(sender, Go(0));
    }
    for _ in 0..pairs {
        ctx.receive::<Done>().await;
    }
    begun.elapsed()
}

async fn sender(mut ctx: Ctx, each: i64, peer: Atom, main: Pid) {
    let sink = sink(&mut ctx, each, 0, &peer).await;
    ctx.send(&main, Up(0));
    ctx.receive::<Go>().await;
    for number in 0..each {
        ctx.send_paced(&sink, Ping(number, ctx.pid())).await;
        if number % SENDS_A_TURN == SENDS_A_TURN - 1 {
            ctx.breathe().await;
        }
    }
    ctx.receive::<Sunk>().await;
    ctx.send(&main, Done(0));
}

pub(crate) fn round_trip(run: &Run) -> Result<Vec<Measure>> {
    connected(run, |mut ctx, peer, size| async move {
        let mut times = Vec::new();
        for round in 0..size + size / 10 {
            let begun = now();
            ping(&mut ctx, &peer).await;
            if round >= size / 10 {
                times.push(micros(begun.elapsed()));
            }
        }
        Ok(vec![at("round_trip_p50", &times, 50.0, "us")?, at("round_trip_p99", &times, 99.0, "us")?])
    })
}

async fn ping(ctx: &mut Ctx, peer: &Atom) {
    ctx.send((ECHO, peer.clone()), Ping(1, ctx.pid()));
    ctx.receive::<Pong>().await;
}

pub(crate) fn pipelined(run: &Run) -> Result<Vec<Measure>> {
    connected(run, |mut ctx, peer, size| async move {
        in_window(&mut ctx, WINDOW * 2, &peer).await;
        let begun = now();
        in_window(&mut ctx, size, &peer).await;
        Ok(vec![Measure::new("pipelined", size as f64 / begun.elapsed().as_secs_f64(), "req/s")])
    })
}

async fn in_window(ctx: &mut Ctx, size: u64, peer: &Atom) {
    for number in 0..size + WINDOW {
        if number >= WINDOW {
            ctx.receive::<Pong>().await;
        }
        if number < size {
            ctx.send((ECHO, peer.clone()), Ping(number as i64, ctx.pid()));
        }
    }
}

pub(crate) fn remote_clients_100(run: &Run) -> Result<Vec<Measure>> {
    connected(run, |mut ctx, peer, size| async move {
        clients(&mut ctx, size / 10, &peer).await;
        let begun = now();
        clients(&mut ctx, size, &peer).await;
        let rate = size as f64 / begun.elapsed().as_secs_f64();
        Ok(vec![Measure::new("remote_clients_100", rate, "calls/s")])
    })
}

async fn clients(ctx: &mut Ctx, size: u64, peer: &Atom) {
    for _ in 0..CLIENTS {
        let (main, peer) = (ctx.pid(), peer.clone());
        ctx.spawn(move |mut ctx| async move {
            for _ in 0..size / CLIENTS {
                let answer = request::call(&mut ctx, (SERVER, peer.clone()), Term::atom("get"), None).await;
                assert_eq!(answer, Ok(Term::Int(0)), "the server answers");
            }
            ctx.send(&main, Done(0));
        });
    }
    for _ in 0..CLIENTS {
        ctx.receive::<Done>().await;
    }
}

pub(crate) fn rpc_call(run: &Run) -> Result<Vec<Measure>> {
    connected(run, |ctx, peer, size| async move {
        let mut times = Vec::new();
        for round in 0..size + size / 10 {
            let begun = now();
            let one: i64 = rpc::call(ctx.node(), peer.clone(), "bench_peer", "id", (1_i64,)).await?;
            ensure!(one == 1, "id gave {one}");
            if round >= size / 10 {
                times.push(micros(begun.elapsed()));
            }
        }
        Ok(vec![at("rpc_call_p50", &times, 50.0, "us")?])
    })
}

/// `size` is in MiB for every row of binaries.
pub(crate) fn binaries_1m(run: &Run) -> Result<Vec<Measure>> {
    binaries("binaries_1m", 1, run)
}

pub(crate) fn binaries_64m(run: &Run) -> Result<Vec<Measure>> {
    binaries("binaries_64m", 64, run)
}

fn binaries(row: &'static str, mib: usize, run: &Run) -> Result<Vec<Measure>> {
    connected(run, move |mut ctx, peer, size| async move {
        let bulk = bulk(mib);
        let count = (size / mib as u64).max(1);
        stream(&mut ctx, &bulk, (count / 10).max(1), &peer).await;
        let begun = now();
        stream(&mut ctx, &bulk, count, &peer).await;
        let bytes = count as f64 * (mib * MIB) as f64;
        Ok(vec![Measure::new(row, bytes / begun.elapsed().as_secs_f64() / 1.0e9, "GB/s")])
    })
}

async fn stream(ctx: &mut Ctx, bulk: &Binary, count: u64, peer: &Atom) {
    let sink = sink(ctx, count as i64, 0, peer).await;
    for _ in 0..count {
        ctx.send_paced(&sink, Bulk(bulk.clone())).await;
    }
    ctx.receive::<Sunk>().await;
}

fn bulk(mib: usize) -> Binary {
    Binary::from(vec![b'x'; mib * MIB])
}

/// Small round trips for `size` milliseconds while binaries of 64 MiB stream, four unacknowledged at most.
pub(crate) fn call_during_bulk(run: &Run) -> Result<Vec<Measure>> {
    connected(run, |mut ctx, peer, size| async move {
        let (main, to) = (ctx.pid(), peer.clone());
        let streamer = ctx.spawn(|ctx| streamer(ctx, to, main));
        ctx.receive::<Up>().await;
        let (begun, mut times) = (now(), Vec::new());
        while begun.elapsed() < Duration::from_millis(size) {
            let asked = now();
            ping(&mut ctx, &peer).await;
            times.push(micros(asked.elapsed()) / 1_000.0);
        }
        ctx.send(&streamer, Go(0));
        let rate: f64 = ctx.receive().await;
        Ok(vec![
            at("bulk_call_p50", &times, 50.0, "ms")?,
            at("bulk_call_p99", &times, 99.0, "ms")?,
            at("bulk_call_max", &times, 100.0, "ms")?,
            Measure::new("bulk_rate", rate, "GB/s"),
        ])
    })
}

/// Tells its rate in GB/s when it is told to stop.
async fn streamer(mut ctx: Ctx, peer: Atom, main: Pid) {
    let bulk = bulk(64);
    let sink = sink(&mut ctx, 1 << 40, 1, &peer).await;
    for _ in 0..4 {
        ctx.send_paced(&sink, Bulk(bulk.clone())).await;
    }
    ctx.receive::<Ack>().await;
    ctx.send(&main, Up(0));
    let (begun, mut acked) = (now(), 0);
    while ctx.try_receive::<Go>().is_none() {
        ctx.send_paced(&sink, Bulk(bulk.clone())).await;
        ctx.receive::<Ack>().await;
        acked += 1;
    }
    let rate = (acked * 64 * MIB) as f64 / begun.elapsed().as_secs_f64() / 1.0e9;
    ctx.send(&main, rate);
}

/// Processor time of both sides for one message one way.
pub(crate) fn cpu_per_message(run: &Run) -> Result<Vec<Measure>> {
    connected(run, |mut ctx, peer, size| async move {
        fire(&mut ctx, 1, size / 10, &peer).await;
        let theirs: String = rpc::call(ctx.node(), peer.clone(), "os", "getpid", ()).await?;
        let used = || Ok::<f64, anyhow::Error>(station::cpu_us("self")? + station::cpu_us(&theirs)?);
        let before = used()?;
        fire(&mut ctx, 1, size, &peer).await;
        Ok(vec![Measure::new("cpu_per_message", (used()? - before) / size as f64, "us")])
    })
}

/// From nothing to connected: name looked up, dialled, hands shaken.
pub(crate) fn connect(run: &Run) -> Result<Vec<Measure>> {
    connected(run, |ctx, peer, size| async move {
        let mut times = Vec::new();
        for _ in 0..size {
            net_kernel::disconnect(ctx.node(), peer.clone()).await;
            // The other side has to notice too, or it would answer `alive`.
            sleep(Duration::from_millis(10)).await;
            if !net_kernel::nodes(ctx.node(), net_kernel::Kind::Connected).is_empty() {
                bail!("somebody else has connected");
            }
            let begun = now();
            net_kernel::connect(ctx.node(), peer.clone()).await?;
            times.push(micros(begun.elapsed()) / 1_000.0);
        }
        Ok(vec![at("connect_p50", &times, 50.0, "ms")?])
    })
}

async fn sink(ctx: &mut Ctx, count: i64, every: i64, peer: &Atom) -> Pid {
    ctx.send((SINKS, peer.clone()), WantSink(count, every, ctx.pid()));
    let SinkAt(sink) = ctx.receive().await;
    sink
}

/// Runs a process on a node that is connected with the peer.
fn connected<F, Fut>(run: &Run, body: F) -> Result<Vec<Measure>>
where
    F: FnOnce(Ctx, Atom, u64) -> Fut + Send + 'static,
    Fut: Future<Output = Result<Vec<Measure>>> + Send + 'static,
{
    let peer = Atom::new(run.peer.as_deref().context("a remote program needs a PEER")?);
    let size = run.size;
    station::executor()?.block_on(async {
        let node = station::node(DRIVER, net_kernel::AutoConnect::Never).await?;
        node.connect(peer.clone()).await?;
        node.try_run(move |ctx| body(ctx, peer, size)).await.context("the driver panicked")?
    })
}

fn at(row: &str, times: &[f64], percent: f64, unit: &str) -> Result<Measure> {
    Ok(Measure::new(row, percentile(times, percent).context("nothing was measured")?, unit))
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1.0e6
}

const DRIVER: &str = "bench_ours_driver@127.0.0.1";
const ECHO: Atom = Atom::inline("bench_echo");
const SINKS: Atom = Atom::inline("bench_sinks");
const SERVER: Atom = Atom::inline("bench_server");
const WINDOW: u64 = 1_000;
const CLIENTS: u64 = 100;
const SENDS_A_TURN: i64 = 1_000;
const MIB: usize = 1024 * 1024;
