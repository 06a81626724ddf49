//! A scope on a node: its state behind a lock that lasts a line, and the process that speaks for it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use otp::request::{self, Caller, Request};
use proto::Now;
use runtime::{Ctx, Down, Exit, ExitSignal, Node, SendOptions, Sent};
use term::{Atom, FromTerm, Pid, Ref, Term};

use super::groups::{Effect, Groups};
use super::wire::{self, PeerMessage};
use crate::functions::sys;
use crate::limits::PG_CATCH_UP_MILLIS;
use crate::net_kernel::{self, Kind, WatchOptions};

/// One scope of a node.
///
/// Whoever changes it does so at once and leaves the effects here: the process carries them out, in order.
pub(super) struct Scope {
    pub(super) name: Atom,
    state: RwLock<State>,
}

struct State {
    groups: Groups,
    /// The process, once it runs.
    process: Option<Pid>,
    /// The process has been told that there is something to do.
    poked: bool,
}

impl Scope {
    pub(super) fn new(node: &Node, name: Atom) -> Scope {
        let groups = Groups::new(node.id().clone());
        Scope { name, state: RwLock::new(State { groups, process: None, poked: false }) }
    }

    pub(super) fn read<R>(&self, look: impl FnOnce(&Groups) -> R) -> R {
        look(&self.state.read().unwrap_or_else(PoisonError::into_inner).groups)
    }

    /// Changes the state; the process hears that it has something to do.
    pub(super) fn change<R>(&self, node: &Node, change: impl FnOnce(&mut Groups) -> R) -> R {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let value = change(&mut state.groups);
        if state.groups.has_effects()
            && !state.poked
            && let Some(process) = state.process.clone()
        {
            state.poked = true;
            drop(state);
            node.send(process, WAKE);
        }
        value
    }

    fn begin(&self, process: Pid, nodes: Vec<Atom>) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.groups.begin(process.clone(), nodes);
        state.process = Some(process);
    }

    /// As [`Scope::change`], for the process itself, which carries out what follows anyway.
    fn change_here<R>(&self, change: impl FnOnce(&mut Groups) -> R) -> R {
        change(&mut self.state.write().unwrap_or_else(PoisonError::into_inner).groups)
    }

    fn take_effects(&self) -> Vec<Effect> {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.poked = false;
        state.groups.take_effects()
    }
}

/// Tells the process that there is something to do. Whoever else sends it makes the process look, no more.
const WAKE: Atom = Atom::constant(&"$trunkline_pg_wake");

/// The process of a scope.
pub(super) struct Process {
    scope: Arc<Scope>,
    /// With whom it ends, when it was started as a linked one.
    parent: Option<Pid>,
    watched: BTreeMap<Pid, Ref>,
    references: BTreeMap<Ref, Pid>,
    /// Peers that have too much to read: they get everything at once when they have read it.
    behind: BTreeSet<Pid>,
    looked: Now,
    /// Messages that nobody understands.
    unknown: u64,
}

impl Process {
    pub(super) fn new(scope: Arc<Scope>, parent: Option<Pid>) -> Process {
        Process {
            scope,
            parent,
            watched: BTreeMap::new(),
            references: BTreeMap::new(),
            behind: BTreeSet::new(),
            looked: Now::from_nanos(0),
            unknown: 0,
        }
    }

    pub(super) async fn run(mut self, mut ctx: Ctx) -> Result<(), Exit> {
        let pid = ctx.pid();
        net_kernel::monitor_nodes(ctx.node(), &pid, WatchOptions::default());
        let nodes = net_kernel::nodes(ctx.node(), Kind::Visible);
        self.scope.begin(pid, nodes);
        loop {
            self.carry_out(&mut ctx);
            let message = match self.behind.is_empty() {
                true => Some(ctx.receive::<Term>().await),
                false => ctx.receive_within::<Term>(Duration::from_millis(PG_CATCH_UP_MILLIS)).await,
            };
            if let Some(message) = message {
                self.hear(&mut ctx, message)?;
            }
            self.catch_up(&ctx);
        }
    }

    /// Never connects, and never waits for a peer that does not read: the others must hear.
    fn carry_out(&mut self, ctx: &mut Ctx) {
        for effect in self.scope.take_effects() {
            match effect {
                Effect::SendNode { node, message } => {
                    let _ = ctx.send_with((self.scope.name.clone(), node), message, POLITE);
                }
                Effect::Send { peer, message } => {
                    let waits = self.behind.contains(&peer);
                    if !waits && ctx.send_with(&peer, message, POLITE) == Sent::NoSuspend {
                        tracing::warn!(scope = %self.scope.name, %peer, "pg: a peer does not read, it will get everything at once later");
                        self.behind.insert(peer);
                    }
                }
                Effect::Cast { peer, message } => {
                    self.behind.remove(&peer);
                    ctx.answer(&peer, Term::tuple([Term::atom("$gen_cast"), message]));
                }
                Effect::Tell { pid, message } => ctx.answer(&pid, message),
                Effect::Monitor(pid) => {
                    let reference = ctx.monitor(&pid);
                    self.references.insert(reference.clone(), pid.clone());
                    self.forget_watch(ctx, &pid);
                    self.watched.insert(pid, reference);
                }
                Effect::Demonitor(pid) => self.forget_watch(ctx, &pid),
            }
        }
    }

    fn forget_watch(&mut self, ctx: &mut Ctx, pid: &Pid) {
        if let Some(reference) = self.watched.remove(pid) {
            self.references.remove(&reference);
            ctx.demonitor(&reference, true);
        }
    }

    /// Whoever was behind and has read gets everything at once.
    fn catch_up(&mut self, ctx: &Ctx) {
        let now = ctx.node().now();
        if self.behind.is_empty() || now.since(self.looked) < Duration::from_millis(PG_CATCH_UP_MILLIS) {
            return;
        }
        self.looked = now;
        for peer in self.behind.clone() {
            let lane = ctx.node().lane(peer.node.name());
            if lane.is_some_and(|lane| !lane.is_full()) {
                self.behind.remove(&peer);
                self.scope.change_here(|groups| groups.catch_up(&peer));
            }
        }
    }

    fn hear(&mut self, ctx: &mut Ctx, message: Term) -> Result<(), Exit> {
        if let Ok(down) = Down::from_term(&message) {
            if let Some(pid) = self.references.remove(&down.reference) {
                self.watched.remove(&pid);
                self.behind.remove(&pid);
                self.scope.change_here(|groups| groups.down(&pid));
            }
            return Ok(());
        }
        if let Ok(exit) = ExitSignal::from_term(&message) {
            return if self.parent == Some(exit.from) { Err(Exit(exit.reason)) } else { Ok(()) };
        }
        match Request::read(message) {
            Request::Call(from, question) => self.on_call(ctx, &from, &question),
            Request::Cast(message) | Request::Info(message) => self.on_message(ctx, &message),
            Request::System(from, question) => sys::serve(ctx, "pg", &from, &question),
        }
        Ok(())
    }

    fn on_message(&mut self, ctx: &Ctx, message: &Term) {
        if message.as_atom() == Some(&WAKE) {
            return;
        }
        if let Some([word, Term::Atom(node)]) = message.as_tuple() {
            if word.is_atom("nodeup") {
                self.scope.change_here(|groups| groups.node_up(node.clone()));
            }
            if word.is_atom("nodeup") || word.is_atom("nodedown") {
                return;
            }
        }
        match PeerMessage::read(message) {
            // A peer that is not connected any more will discover us when it is. We dial nobody because somebody says so.
            Some(said) if ctx.node().lane(said.peer().node.name()).is_none() => {}
            Some(said) => self.scope.change_here(|groups| groups.hear(said)),
            None => {
                self.unknown += 1;
                if self.unknown.is_power_of_two() {
                    let (scope, count) = (&self.scope.name, self.unknown);
                    let what = shape(message);
                    tracing::warn!(%scope, count, "pg: a message that nobody here understands was dropped: {what}");
                }
            }
        }
    }

    /// What OTP's `pg` asks its own scope process: 25 to 28, and 29.
    fn on_call(&mut self, ctx: &mut Ctx, from: &Caller, question: &Term) {
        let reply = match (question.as_atom().map(Atom::as_str), question.as_tuple()) {
            (Some("monitor"), _) => self.monitor(ctx, from, None),
            (_, Some([word, group, pids])) if word.is_atom("join_local") => self.join(ctx, group, pids),
            (_, Some([word, group, pids])) if word.is_atom("leave_local") => self.leave(ctx, group, pids),
            (_, Some([word, group])) if word.is_atom("monitor") => {
                self.monitor(ctx, from, Some(group.clone()))
            }
            (_, Some([word, Term::Ref(reference)])) if word.is_atom("demonitor") => {
                let there = self.scope.change_here(|groups| groups.demonitor(reference));
                Some(Term::atom(if there { "ok" } else { "false" }))
            }
            (_, Some([word, Term::List(changes)])) if word.is_atom("update") => {
                changes.iter().try_for_each(|change| self.update(ctx, &change)).map(|()| Term::atom("ok"))
            }
            (_, Some([word, what])) if word.is_atom("subscribe") => match what.as_tuple() {
                Some([word, group]) if word.is_atom("group") => self.monitor(ctx, from, Some(group.clone())),
                None if what.is_atom("scope") => self.monitor(ctx, from, None),
                _ => None,
            },
            (_, Some([word, Term::Ref(reference)])) if word.is_atom("unsubscribe") => {
                self.scope.change_here(|groups| groups.demonitor(reference));
                Some(Term::atom("ok"))
            }
            _ => None,
        };
        // OTP's process would end, which answers too.
        let reply = reply.unwrap_or_else(|| Term::tuple([Term::atom("error"), Term::atom("badarg")]));
        self.carry_out(ctx);
        request::answer(ctx, from, reply);
    }

    fn join(&self, ctx: &Ctx, group: &Term, pids: &Term) -> Option<Term> {
        let pids = self.local(ctx, pids)?;
        self.scope.change_here(|groups| groups.join(group, &pids));
        Some(Term::atom("ok"))
    }

    fn leave(&self, ctx: &Ctx, group: &Term, pids: &Term) -> Option<Term> {
        let pids = self.local(ctx, pids)?;
        let left = self.scope.change_here(|groups| groups.leave(group, &pids));
        Some(Term::atom(if left { "ok" } else { "not_joined" }))
    }

    fn update(&self, ctx: &Ctx, change: &Term) -> Option<()> {
        let [group, join, leave] = change.as_tuple()? else { return None };
        self.leave(ctx, group, leave)?;
        self.join(ctx, group, join).map(|_| ())
    }

    /// Pids of this node; nobody joins for the processes of others.
    fn local(&self, ctx: &Ctx, pids: &Term) -> Option<Vec<Pid>> {
        wire::pids_of(pids).filter(|pids| pids.iter().all(|pid| pid.node == *ctx.node().id()))
    }

    fn monitor(&self, ctx: &mut Ctx, from: &Caller, group: Option<Term>) -> Option<Term> {
        let reference = ctx.make_ref();
        let now = self.scope.change_here(|groups| {
            let now = match &group {
                Some(group) => Term::list(groups.table().members(group).iter().cloned().map(Term::Pid)),
                None => Term::Map(groups.table().to_map()),
            };
            groups.monitor(reference.clone(), &from.pid, group).then_some(now)
        })?;
        Some(Term::tuple([Term::Ref(reference), now]))
    }
}

/// Enough of a message to know it again: it may be as long as its sender likes.
fn shape(message: &Term) -> String {
    match message.as_tuple() {
        Some([Term::Atom(word), rest @ ..]) => format!("{{{word}, ...}} with {} more elements", rest.len()),
        Some(elements) => format!("a tuple with {} elements", elements.len()),
        None => "no tuple".to_owned(),
    }
}

const POLITE: SendOptions = SendOptions { noconnect: true, nosuspend: true };
