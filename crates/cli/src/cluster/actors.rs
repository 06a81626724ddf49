//! The processes of a member: one answers pings, one per peer sends them, one watches nodes come and go, one holds the
//! ties. `guest.erl` has the same four, and they understand each other.

use std::io::{self, Write};
use std::time::Duration;

use trunkline::net_kernel::{self, WatchOptions};
use trunkline::term::{Atom, Pid, Term};
use trunkline::{Ctx, Down, ExitSignal, SendOptions};

use super::report::{Report, Tie};

/// Answers `{ping, From, N}` with `{pong, N}`.
pub(super) async fn echo(mut ctx: Ctx) {
    ctx.register("echo").expect("a member has one echo");
    loop {
        let message: Term = ctx.receive().await;
        if let Some([Term::Atom(tag), Term::Pid(from), number]) = message.as_tuple()
            && tag.as_str() == "ping"
        {
            ctx.send(from, Term::tuple([Term::atom("pong"), number.clone()]));
        }
    }
}

/// Follows nodes that come and go: reports them, and starts a [`flow`] to each that comes.
pub(super) async fn eyes(mut ctx: Ctx) {
    let (node, me) = (ctx.node().clone(), ctx.pid());
    net_kernel::monitor_nodes(&node, &me, WatchOptions::default());
    for peer in node.peers() {
        node.spawn(|ctx| flow(ctx, peer.name));
    }
    loop {
        let mut nodes: Vec<String> = node.peers().into_iter().map(|peer| peer.name.to_string()).collect();
        nodes.sort();
        say(&Report::Sees(nodes));
        let message: Term = ctx.receive().await;
        if let Some([Term::Atom(what), Term::Atom(name)]) = message.as_tuple()
            && what.as_str() == "nodeup"
        {
            let name = name.clone();
            node.spawn(|ctx| flow(ctx, name));
        }
    }
}

/// Pings the echo of one node, 5 ms after the last answer, until the node is gone.
async fn flow(mut ctx: Ctx, peer: Atom) {
    let (mut number, mut answers, mut since) = (0_i64, 0_u64, ctx.node().now());
    loop {
        number += 1;
        let sent = ctx.node().now();
        let ping = Term::tuple([Term::atom("ping"), Term::Pid(ctx.pid()), Term::Int(number)]);
        // A flow must not bring back who has gone: it has no business to dial. An answer that never comes tells as much
        // as what the sending says.
        let _ =
            ctx.send_with(("echo", &peer), ping, SendOptions { noconnect: true, ..SendOptions::default() });
        let pong = Term::tuple([Term::atom("pong"), Term::Int(number)]);
        if ctx.select_within(ANSWER_TIMEOUT, |message| (*message == pong).then_some(())).await.is_none() {
            if ctx.node().peers().iter().all(|up| up.name != peer) {
                return;
            }
            continue;
        }
        answers += 1;
        let now = ctx.node().now();
        let window = now.since(since);
        if window >= REPORT_INTERVAL {
            let per_second = (answers as f64 / window.as_secs_f64()) as u64;
            let micros = now.since(sent).as_micros() as u64;
            say(&Report::Flow { node: peer.to_string(), micros, per_second });
            (answers, since) = (0, now);
        }
        ctx.sleep(PAUSE).await;
    }
}

/// Holds the ties: on `{watch, Node}` it links to the anchor of that node, monitors it, and monitors the node.
pub(super) async fn anchor(mut ctx: Ctx) {
    ctx.register("anchor").expect("a member has one anchor");
    ctx.set_trap_exit(true);
    loop {
        let message: Term = ctx.receive().await;
        if let Some(Down { target: Term::Pid(pid), reason, .. }) = read(&message) {
            fired(Tie::Monitor, pid.node.name(), &reason);
            continue;
        }
        if let Some(ExitSignal { from, reason }) = read(&message) {
            fired(Tie::Link, from.node.name(), &reason);
            continue;
        }
        match message.as_tuple() {
            Some([Term::Atom(what), Term::Atom(node)]) if what.as_str() == "watch" => {
                let ask = Term::tuple([Term::atom("whereis"), Term::Pid(ctx.pid())]);
                ctx.send(("anchor", node), ask);
            }
            Some([Term::Atom(what), Term::Pid(from)]) if what.as_str() == "whereis" => {
                let answer = Term::tuple([Term::atom("anchor"), Term::Pid(ctx.pid())]);
                ctx.send(from, answer);
            }
            Some([Term::Atom(what), Term::Pid(pid)]) if what.as_str() == "anchor" => tie(&mut ctx, pid),
            Some([Term::Atom(what), Term::Atom(node)]) if what.as_str() == "nodedown" => {
                fired(Tie::NodeDown, node, &Term::atom("noconnection"));
            }
            _ => {}
        }
    }
}

fn tie(ctx: &mut Ctx, pid: &Pid) {
    ctx.link(pid);
    ctx.monitor(pid);
    ctx.monitor_node(pid.node.name().clone(), true);
    say(&Report::Watching(pid.node.name().to_string()));
}

fn read<T: trunkline::term::FromTerm>(message: &Term) -> Option<T> {
    T::from_term(message).ok()
}

fn fired(tie: Tie, node: &Atom, reason: &Term) {
    let reason = format!("{reason:?}").replace(char::is_whitespace, "");
    say(&Report::Fired { tie, node: node.to_string(), reason });
}

/// One line to the stage. When nobody listens, this member has no reason to be.
pub(super) fn say(report: &Report) {
    if writeln!(io::stdout(), "{report}").is_err() {
        std::process::exit(0);
    }
}

const ANSWER_TIMEOUT: Duration = Duration::from_secs(1);
const REPORT_INTERVAL: Duration = Duration::from_millis(500);
const PAUSE: Duration = Duration::from_millis(5);
