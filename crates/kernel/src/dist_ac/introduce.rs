//! Introductions: who has a `dist_ac` is told of ours, under a lock that keeps starts and moves away meanwhile.

use std::time::Duration;

use runtime::{Ctx, Node, SpawnOptions};
use term::{Atom, Pid, Term, term};

use super::process::{Hub, NAME};
use crate::limits::{DIST_AC_QUESTION_MILLIS, DIST_AC_STRANGER_MILLIS};
use crate::net_kernel::{Kind, nodes};
use crate::{global, rpc};

/// Introduces us to everybody who does not know us, in a process of its own. One at a time is enough: it goes on as long as
/// there are strangers.
pub(super) fn begin(ctx: &Ctx, boot: bool) {
    let hub = Hub::of(ctx.node());
    let mut introducer = hub.introducer.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if introducer.as_ref().is_some_and(|pid| ctx.node().is_process_alive(pid)) {
        return;
    }
    let dist_ac = ctx.pid();
    let options = SpawnOptions { label: Some("dist_ac: introducer"), ..SpawnOptions::default() };
    *introducer = Some(ctx.spawn_link_with(options, move |ctx| run(ctx, dist_ac, boot)));
}

/// Everybody has answered: the lock is not needed any more.
pub(super) fn met(ctx: &mut Ctx) {
    let hub = Hub::of(ctx.node());
    let introducer = hub.introducer.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
    if let Some(pid) = introducer {
        ctx.send(&pid, Term::atom("met"));
    }
}

async fn run(mut ctx: Ctx, dist_ac: Pid, boot: bool) {
    if boot {
        introduce(&mut ctx, &dist_ac, true).await;
    }
    loop {
        let strangers = strangers(ctx.node());
        if strangers.is_empty() {
            return;
        }
        match look(ctx.node(), &strangers).await {
            Found::Nobody => return,
            Found::Somebody => introduce(&mut ctx, &dist_ac, false).await,
            // It boots, and will introduce itself.
            Found::Later => {}
        }
        ctx.sleep(Duration::from_millis(DIST_AC_STRANGER_MILLIS)).await;
    }
}

fn strangers(node: &Node) -> Vec<Atom> {
    let hub = Hub::of(node);
    nodes(node, Kind::Visible).into_iter().filter(|peer| !hub.knows(peer)).collect()
}

enum Found {
    Nobody,
    Somebody,
    Later,
}

/// Whether there is a stranger with a `dist_ac` that will take our introduction for one. While OTP's boots it would take it
/// for an answer to its own, and never hear what runs here.
async fn look(node: &Node, strangers: &[Atom]) -> Found {
    let mut found = Found::Nobody;
    for peer in strangers {
        if !has_dist_ac(node, peer).await {
            continue;
        }
        let within = Duration::from_millis(DIST_AC_QUESTION_MILLIS);
        let arguments = (Atom::new("ac_tab"), Atom::new("sync_dacs"));
        let asked = rpc::call::<Term>(node, peer.clone(), "ets", "lookup", arguments);
        match tokio::time::timeout(within, asked).await {
            Ok(Ok(table)) if table == Term::NIL => found = Found::Later,
            // Nodes of ours have no such table, and understand.
            Ok(_) => return Found::Somebody,
            Err(_) => found = Found::Later,
        }
    }
    found
}

async fn has_dist_ac(node: &Node, peer: &Atom) -> bool {
    let within = Duration::from_millis(DIST_AC_QUESTION_MILLIS);
    let asked = rpc::call::<Term>(node, peer.clone(), "erlang", "whereis", (Atom::new(NAME),));
    matches!(tokio::time::timeout(within, asked).await, Ok(Ok(Term::Pid(_))))
}

async fn introduce(ctx: &mut Ctx, dist_ac: &Pid, boot: bool) {
    let dist_ac = dist_ac.clone();
    let resource = Atom::new(NAME);
    let body = async |ctx: &mut Ctx| {
        let mut with = Vec::new();
        for peer in strangers(ctx.node()) {
            if has_dist_ac(ctx.node(), &peer).await {
                with.push(peer);
            }
        }
        if with.is_empty() && !boot {
            return;
        }
        ctx.send(&dist_ac, term!({introduce, (with)}));
        ctx.select(|message| message.is_atom("met").then_some(())).await;
    };
    // The requester is the same on all nodes: those who introduce themselves do not keep each other away.
    global::transaction(ctx, resource, Atom::new("sync_dacs"), None, None, body).await;
}
