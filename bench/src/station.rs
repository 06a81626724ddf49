//! Our nodes in the remote rows: how a driver and a peer start, and the processes that any driver can talk to.

use std::io::Read;

use anyhow::{Context, Result, bail};
use kernel::Node;
use kernel::net_kernel::AutoConnect;
use otp::request::{self, Request};
use runtime::Ctx;
use term::{Atom, Term};
use tokio::runtime::{Builder, Runtime};

use crate::words::{Ack, Ping, Pong, SinkAt, Sunk, WantSink};

/// As many workers as cores, like BEAM's schedulers.
pub(crate) fn executor() -> Result<Runtime> {
    Builder::new_multi_thread().enable_all().build().context("cannot start the executor")
}

/// A node of ours with the EPMD and the cookie of this run. In the remote rows nobody dials but who is told to: a service
/// that has something to say would otherwise connect again what a row has just parted.
pub(crate) async fn node(name: &str, dials: AutoConnect) -> Result<Node> {
    let cookie = std::env::var(COOKIE).with_context(|| format!("{COOKIE} is not set; run the harness"))?;
    let builder = Node::builder(name).cookie(cookie).dist_auto_connect(dials);
    builder.start().await.with_context(|| format!("cannot start {name}"))
}

/// Our other side of the remote programs: says `ready`, ends with its standard input.
pub(crate) fn peer(name: &str) -> Result<()> {
    let executor = executor()?;
    let node = executor.block_on(node(name, AutoConnect::Never))?;
    open(&node)?;
    println!("ready");
    let mut rest = Vec::new();
    std::io::stdin().read_to_end(&mut rest)?;
    Ok(())
}

/// The same named processes as `beam/bench_peer.erl`, and the function that rpc calls.
fn open(node: &Node) -> Result<()> {
    for (name, pid) in [
        ("bench_echo", node.spawn(echo)),
        ("bench_sinks", node.spawn(sinks)),
        ("bench_server", node.spawn(server)),
    ] {
        if node.register(Atom::new(name), &pid).is_err() {
            bail!("{name} is registered already");
        }
    }
    node.export("bench_peer", "id", |value: Term| value);
    Ok(())
}

/// `{ping, N, From}` is answered with `{pong, N, self()}`.
async fn echo(mut ctx: Ctx) {
    loop {
        let Ping(number, from) = ctx.receive().await;
        ctx.send(&from, Pong(number, ctx.pid()));
    }
}

async fn sinks(mut ctx: Ctx) {
    loop {
        let wanted: WantSink = ctx.receive().await;
        ctx.spawn(|ctx| sink(ctx, wanted));
    }
}

async fn sink(mut ctx: Ctx, WantSink(count, every, from): WantSink) {
    ctx.send(&from, SinkAt(ctx.pid()));
    for seen in 1..=count {
        ctx.receive::<Term>().await;
        if every > 0 && seen % every == 0 {
            ctx.send(&from, Ack(seen));
        }
    }
    ctx.send(&from, Sunk(count));
}

/// A generic server that answers `get` with 0.
pub(crate) async fn server(mut ctx: Ctx) {
    loop {
        if let Request::Call(from, question) = Request::read(ctx.receive().await)
            && question.is_atom("get")
        {
            request::reply(&mut ctx, &from, 0_i64);
        }
    }
}

/// Resident memory of this OS process.
pub(crate) fn rss_bytes() -> Result<u64> {
    let text = std::fs::read_to_string("/proc/self/status")?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS in status")?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib * 1024)
}

/// Processor time of an OS process of this machine so far, in microseconds: fields 14 and 15 of its stat, in ticks of 10 ms.
pub(crate) fn cpu_us(os_pid: &str) -> Result<f64> {
    let text = std::fs::read_to_string(format!("/proc/{os_pid}/stat"))?;
    let (_, fields) = text.rsplit_once(") ").context("no name in stat")?;
    let mut ticks = 0_u64;
    for field in fields.split(' ').skip(11).take(2) {
        ticks += field.parse::<u64>()?;
    }
    Ok(ticks as f64 * 10_000.0)
}

pub(crate) const COOKIE: &str = "TRUNKLINE_BENCH_COOKIE";
