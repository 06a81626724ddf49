//! `global_name_server`: the process of [`global`](crate::global), and the two whose pids stand for its locks.

use std::time::Duration;

use otp::request::Request;
use runtime::{Ctx, Down, ExitSignal, Node, SpawnOptions};
use term::{Atom, FromTerm, Pid, Term};

use super::start_registered;
use crate::functions::sys;
use crate::global::{Shell, WAKE};
use crate::limits::GLOBAL_MESSAGES_PER_TURN_MAX;

pub(crate) fn start(node: &Node) {
    start_registered(node, "global_name_server", run);
}

/// All three processes are there when this returns: who counts processes must not see a node grow by itself.
fn run(ctx: Ctx) -> impl Future<Output = ()> + Send {
    let locker = ctx.spawn_link_with(named("global_name_server: locker"), rest);
    let registrar = ctx.spawn_link_with(named("global_name_server: registrar"), rest);
    serve(ctx, locker, registrar)
}

async fn serve(mut ctx: Ctx, locker: Pid, registrar: Pid) {
    let mut shell = Shell::begin(&mut ctx, locker, registrar);
    let mut heard = 0_u32;
    loop {
        heard = (heard + 1) % GLOBAL_MESSAGES_PER_TURN_MAX;
        if heard == 0 {
            // Work for one peer that asks for much must not keep all others waiting.
            ctx.breathe().await;
        }
        let patience = shell.patience();
        if patience == Some(Duration::ZERO) {
            // Mail that is there goes first only if time has not run out.
            shell.wake(&mut ctx);
            continue;
        }
        match ctx.receive_with_origin(patience).await {
            None => shell.wake(&mut ctx),
            Some((origin, message)) => {
                if hear(&mut shell, &mut ctx, origin, message) == Heard::TheEnd {
                    return;
                }
            }
        }
    }
}

fn named(label: &'static str) -> SpawnOptions {
    SpawnOptions { label: Some(label), ..SpawnOptions::default() }
}

/// Holds locks and does nothing, until the server is no more.
async fn rest(mut ctx: Ctx) {
    ctx.set_trap_exit(true);
    let node = ctx.node().clone();
    loop {
        let message: Term = ctx.receive().await;
        if let Ok(signal) = ExitSignal::from_term(&message)
            && signal.from.node == *node.id()
            && !node.is_process_alive(&signal.from)
        {
            return;
        }
    }
}

#[derive(PartialEq)]
enum Heard {
    Something,
    /// A process without which this one cannot be has ended: everything begins anew.
    TheEnd,
}

fn hear(shell: &mut Shell, ctx: &mut Ctx, origin: Option<Atom>, message: Term) -> Heard {
    if origin.is_none() && near(shell, ctx, &message) {
        return Heard::Something;
    }
    if let Ok(signal) = ExitSignal::from_term(&message) {
        let helpless = origin.is_none() && ended(shell, ctx, &signal.from);
        return if helpless { Heard::TheEnd } else { Heard::Something };
    }
    if shell.answered(ctx, &message) {
        return Heard::Something;
    }
    match Request::read(message.clone()) {
        Request::Call(from, question) => shell.call(ctx, from, question),
        Request::Cast(_) | Request::Info(_) => shell.message(ctx, origin, message),
        Request::System(from, question) => sys::serve(ctx, "global_name_server", &from, &question),
    }
    Heard::Something
}

fn ended(shell: &Shell, ctx: &Ctx, pid: &Pid) -> bool {
    shell.is_helper(pid) && !ctx.node().is_process_alive(pid)
}

/// What only this node itself says.
fn near(shell: &mut Shell, ctx: &mut Ctx, message: &Term) -> bool {
    if let Ok(down) = Down::from_term(message) {
        shell.down(ctx, &down);
        return true;
    }
    if message.as_atom() == Some(&WAKE) {
        shell.read_notes(ctx);
        return true;
    }
    let Some([Term::Atom(what), Term::Atom(peer), Term::Map(facts)]) = message.as_tuple() else {
        return false;
    };
    let fact = |key: &str| facts.get(&Term::atom(key));
    // This node itself has got a name, or lost it.
    if fact("connection_id").is_some_and(|id| id.is_atom("undefined")) {
        shell.renamed();
        return true;
    }
    let Some(connection) = fact("connection_id").and_then(Term::as_int).and_then(|id| u64::try_from(id).ok())
    else {
        return false;
    };
    let visible = fact("node_type").is_some_and(|kind| kind.is_atom("visible"));
    match what.as_str() {
        "nodeup" => shell.node_up(ctx, peer, visible, connection),
        "nodedown" => shell.node_down(ctx, peer, connection),
        _ => return false,
    }
    true
}
