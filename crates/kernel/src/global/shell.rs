//! The shell around the machine: events in, effects carried out. What it has to do is said in [`events`](super::events).

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use otp::request::{self, Caller};
use runtime::{AliasMode, Ctx, Down, LaneState, Node, SendOptions};
use term::{Atom, FromTerm, IntoTerm, List, Pid, Ref, Term, term};
use tokio::sync::oneshot;

use super::events::{
    Actor, CallId, ConnectionId, Effect, Event, Level, MonitorId, Request, RequestId, ResolveId,
};
use super::hub::{Hub, Note, Settings};
use super::machine::{Config, Global};
use super::messages::{Named, is_broken};
use super::resolver;
use crate::net_kernel;
use crate::rpc::{self, RpcError};

/// The name of the process, here and everywhere.
pub(crate) const NAME: Atom = Atom::constant(&"global_name_server");

/// The machine, and what its effects have set going.
pub(crate) struct Shell {
    node: Node,
    hub: Arc<Hub>,
    machine: Global,
    locker: Pid,
    registrar: Pid,
    peers: BTreeMap<Atom, Peer>,
    /// Our monitors on the name servers of peers.
    servers: BTreeMap<Ref, Atom>,
    /// The aliases by which peers answer.
    calls: BTreeMap<Ref, (CallId, Atom)>,
    requests: BTreeMap<RequestId, Asked>,
    last_request: RequestId,
    monitors: BTreeMap<MonitorId, Ref>,
    monitored: BTreeMap<Ref, MonitorId>,
}

/// A connection that the machine knows of.
struct Peer {
    connection: ConnectionId,
    visible: bool,
    /// It has no name server: calls have no answer.
    deaf: bool,
}

/// Who waits for an answer.
struct Asked {
    give: oneshot::Sender<Term>,
    /// What takes the lock back that was granted when nobody waited for it any more.
    undo: Option<Request>,
}

impl Shell {
    /// Begins. What an earlier process of this node has promised to its peers is not known any more: connections that are up
    /// are closed, and the names that were registered for processes of this node are registered again.
    pub(crate) fn begin(ctx: &mut Ctx, locker: Pid, registrar: Pid) -> Shell {
        let node = ctx.node().clone();
        let hub = Hub::of(&node);
        let left = hub.begin(ctx.pid_ref());
        let settings = node.shelf::<Settings>();
        let config = Config {
            me: node.id().clone(),
            server: ctx.pid(),
            locker: locker.clone(),
            registrar: registrar.clone(),
            creation_extension: ((node.roll() >> 40) << 32) as i64,
            connect_all: settings.connect_all,
            prevent_overlapping: settings.prevent_overlapping,
            many_names: false,
            seed: node.roll(),
            #[cfg(test)]
            mistake: super::Mistake::None,
        };
        let mut shell = Shell {
            node: node.clone(),
            hub,
            machine: Global::new(config),
            locker,
            registrar,
            peers: BTreeMap::new(),
            servers: BTreeMap::new(),
            calls: BTreeMap::new(),
            requests: BTreeMap::new(),
            last_request: 0,
            monitors: BTreeMap::new(),
            monitored: BTreeMap::new(),
        };
        net_kernel::watch_connections(&node, ctx.pid_ref());
        match left {
            Some(left) => shell.begin_again(ctx, left),
            None => shell.meet_peers(ctx),
        }
        shell.read_notes(ctx);
        shell
    }

    /// Who came before this process did.
    fn meet_peers(&mut self, ctx: &mut Ctx) {
        for peer in self.node.peers().into_iter().filter(|peer| peer.state == LaneState::Up) {
            self.node_up(ctx, &peer.name, peer.visible, peer.connection);
        }
    }

    fn begin_again(&mut self, ctx: &mut Ctx, left: BTreeMap<Term, Named>) {
        for peer in self.node.peers().into_iter().filter(|peer| peer.visible) {
            net_kernel::hang_up(&self.node, &peer.name, peer.connection);
        }
        for (name, named) in left {
            if named.pid.node == *self.node.id() && self.node.is_process_alive(&named.pid) {
                let (give, _) = oneshot::channel();
                self.request(ctx, Request::Register { name, pid: named.pid, method: named.method }, give);
            }
        }
    }

    /// How long to wait for mail before [`Shell::wake`].
    pub(crate) fn patience(&self) -> Option<Duration> {
        self.machine.poll_deadline().map(|deadline| deadline.since(self.node.now()))
    }

    /// The deadline has passed.
    pub(crate) fn wake(&mut self, ctx: &mut Ctx) {
        self.feed(ctx, Event::Wake);
    }

    /// Whether the process is one without which this one cannot be.
    pub(crate) fn is_helper(&self, pid: &Pid) -> bool {
        *pid == self.locker || *pid == self.registrar
    }

    /// Something that this node's processes want, or something of our own has an outcome.
    pub(crate) fn read_notes(&mut self, ctx: &mut Ctx) {
        for note in self.hub.take_notes() {
            match note {
                Note::Request(request, give) => self.request(ctx, request, give),
                Note::Unconnected { server, node } if server == *ctx.pid_ref() => {
                    self.feed(ctx, Event::ConnectFailed { node });
                }
                Note::Resolved { server, id, verdict } if server == *ctx.pid_ref() => {
                    self.feed(ctx, Event::Resolved { id, verdict });
                }
                Note::Unconnected { .. } | Note::Resolved { .. } => {}
            }
        }
    }

    fn request(&mut self, ctx: &mut Ctx, request: Request, give: oneshot::Sender<Term>) {
        self.last_request += 1;
        let id = self.last_request;
        let undo = match &request {
            Request::SetLock { client, resource, requester, nodes, .. } => Some(Request::DelLock {
                client: client.clone(),
                resource: resource.clone(),
                requester: requester.clone(),
                nodes: nodes.clone(),
            }),
            _ => None,
        };
        self.requests.insert(id, Asked { give, undo });
        self.feed(ctx, Event::Request { id, request });
    }

    /// The node is called otherwise from here on. There is no peer at such a moment: a node loses them before its name.
    pub(crate) fn renamed(&mut self) {
        self.machine.rename(self.node.name().clone());
    }

    /// `nodeup` of net_kernel, which comes before anything that the connection brings.
    pub(crate) fn node_up(&mut self, ctx: &mut Ctx, node: &Atom, visible: bool, connection: ConnectionId) {
        if self.peers.get(node).is_some_and(|peer| peer.connection >= connection) {
            return;
        }
        self.peers.insert(node.clone(), Peer { connection, visible, deaf: false });
        if visible {
            let reference = ctx.monitor((NAME, node.clone()));
            self.servers.insert(reference, node.clone());
        }
        self.feed(ctx, Event::NodeUp { node: node.clone(), visible, connection });
    }

    /// `nodedown` of net_kernel, which comes after everything that the connection brought.
    pub(crate) fn node_down(&mut self, ctx: &mut Ctx, node: &Atom, connection: ConnectionId) {
        // We stop: our connections end one by one. Who would hear that we have lost the others would drop those.
        if self.node.is_closing() || self.peers.get(node).is_none_or(|peer| peer.connection != connection) {
            return;
        }
        self.peers.remove(node);
        self.forget_calls(ctx, node);
        self.servers.retain(|_, peer| peer != node);
        self.feed(ctx, Event::NodeDown { node: node.clone() });
    }

    fn forget_calls(&mut self, ctx: &Ctx, node: &Atom) -> Vec<CallId> {
        let gone: Vec<Ref> =
            self.calls.iter().filter(|(_, (_, peer))| peer == node).map(|(alias, _)| alias.clone()).collect();
        let forget = |alias: Ref| {
            ctx.unalias(&alias);
            self.calls.remove(&alias).map(|(id, _)| id)
        };
        gone.into_iter().filter_map(forget).collect()
    }

    /// A monitor has fired.
    pub(crate) fn down(&mut self, ctx: &mut Ctx, down: &Down) {
        if let Some(id) = self.monitored.remove(&down.reference) {
            self.monitors.remove(&id);
            return self.feed(ctx, Event::PidDown { id });
        }
        let Some(node) = self.servers.remove(&down.reference) else { return };
        if down.reason.is_atom("noconnection") {
            return;
        }
        if let Some(peer) = self.peers.get_mut(&node) {
            peer.deaf = true;
        }
        for id in self.forget_calls(ctx, &node) {
            self.feed(ctx, Event::CallReply { id, reply: None });
        }
        // Nobody there introduces us to its peers.
        net_kernel::learn(&self.node, &node);
    }

    /// `{[alias | Ref], Reply}`: whether it answers a call of ours.
    pub(crate) fn answered(&mut self, ctx: &mut Ctx, message: &Term) -> bool {
        let Some([Term::List(tag), reply]) = message.as_tuple() else { return false };
        let Some((_, Term::Ref(alias))) = tag.uncons() else { return false };
        let Some((id, _)) = self.calls.remove(&alias) else { return false };
        ctx.unalias(&alias);
        self.feed(ctx, Event::CallReply { id, reply: Some(reply.clone()) });
        true
    }

    /// A `$gen_call`.
    pub(crate) fn call(&mut self, ctx: &mut Ctx, from: Caller, request: Term) {
        if is_broken(&request) {
            tracing::warn!(%request, caller = %from.pid, "global: a request that nobody can read");
            request::refuse(ctx, &from, term!({function_clause, [{global, handle_call, 3, []}]}));
            return;
        }
        let caller = from.pid.clone();
        self.feed(ctx, Event::Call { from: from.into_term(), caller, request });
    }

    /// Any other message. Over hidden connections `global` is not spoken.
    pub(crate) fn message(&mut self, ctx: &mut Ctx, origin: Option<Atom>, message: Term) {
        let from = origin.unwrap_or_else(|| self.node.name().clone());
        if from == *self.node.name() || self.peers.get(&from).is_some_and(|peer| peer.visible) {
            self.feed(ctx, Event::Message { from, message });
        } else {
            tracing::debug!(%from, ?message, "global is not spoken with this node");
        }
    }

    fn feed(&mut self, ctx: &mut Ctx, event: Event) {
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            tracing::trace!(?event, "global");
            self.machine.on(self.node.now(), event);
            // Who is told that a name is registered must find it.
            self.hub.publish(self.machine.take_name_changes());
            while let Some(effect) = self.machine.poll_effect() {
                tracing::trace!(?effect, "global");
                events.extend(self.carry_out(ctx, effect));
            }
        }
    }

    /// Does what is to be done; gives back what happened at once.
    fn carry_out(&mut self, ctx: &mut Ctx, effect: Effect) -> Option<Event> {
        match effect {
            Effect::Send { actor, node, connection, message } => {
                self.send_over(ctx, &actor, &node, connection, &message);
            }
            Effect::Call { id, actor, node, connection, request } => {
                return self.ask(ctx, id, &actor, &node, connection, request);
            }
            Effect::SendPid { pid, message } => {
                let polite = SendOptions { noconnect: true, ..SendOptions::default() };
                let _ = ctx.send_with(&pid, message, polite);
            }
            Effect::Reply { to, reply } => {
                if let Ok(to) = Caller::from_term(&to) {
                    request::answer(ctx, &to, reply);
                }
            }
            Effect::Monitor { id, pid } => {
                let reference = ctx.monitor(&pid);
                self.monitors.insert(id, reference.clone());
                self.monitored.insert(reference, id);
            }
            Effect::Demonitor { id } => {
                if let Some(reference) = self.monitors.remove(&id) {
                    self.monitored.remove(&reference);
                    ctx.demonitor(&reference, true);
                }
            }
            Effect::Connect { node } => self.connect(ctx, node),
            Effect::Disconnect { node } => {
                if let Some(peer) = self.peers.get(&node) {
                    net_kernel::hang_up(&self.node, &node, peer.connection);
                }
            }
            Effect::Resolve { id, node, method, name, theirs, ours } => {
                self.resolve(ctx, id, node, [method, name, Term::Pid(theirs), Term::Pid(ours)]);
            }
            Effect::Answer { id, answer } => return self.answer(id, answer),
            Effect::Log { level, text } => say(level, &text),
        }
        None
    }

    fn actor<'a>(&'a self, ctx: &'a Ctx, actor: &'a Actor) -> &'a Pid {
        match actor {
            Actor::Server => ctx.pid_ref(),
            Actor::Locker => &self.locker,
            Actor::Registrar => &self.registrar,
            Actor::Client(pid) => pid,
        }
    }

    /// Over this connection, or not at all.
    fn send_over(
        &self,
        ctx: &Ctx,
        actor: &Actor,
        node: &Atom,
        connection: ConnectionId,
        message: &Term,
    ) -> bool {
        let lane = self.node.lane(node).filter(|lane| lane.id() == connection);
        lane.is_some_and(|lane| self.node.send_over(&lane, self.actor(ctx, actor), NAME, message))
    }

    /// `$gen_call` in the name of the actor, whose pid decides who holds the lock; the answer comes to us by an alias.
    fn ask(
        &mut self,
        ctx: &mut Ctx,
        id: CallId,
        actor: &Actor,
        node: &Atom,
        connection: ConnectionId,
        request: Term,
    ) -> Option<Event> {
        let deaf = self.peers.get(node).is_none_or(|peer| peer.deaf);
        let alias = ctx.alias(AliasMode::Explicit);
        let tag = Term::List(List::cons(Term::atom("alias"), Term::Ref(alias.clone())));
        let from = Term::tuple([Term::Pid(self.actor(ctx, actor).clone()), tag]);
        let message = Term::tuple([Term::atom("$gen_call"), from, request]);
        if !deaf && self.send_over(ctx, actor, node, connection, &message) {
            self.calls.insert(alias, (id, node.clone()));
            return None;
        }
        ctx.unalias(&alias);
        Some(Event::CallReply { id, reply: None })
    }

    fn connect(&self, ctx: &Ctx, peer: Atom) {
        let (node, hub, server) = (self.node.clone(), self.hub.clone(), ctx.pid());
        self.node.spawn_task(async move {
            if let Err(error) = net_kernel::connect(&node, peer.clone()).await {
                tracing::debug!(%peer, "global cannot connect: {error}");
            } else if node.lane(&peer).and_then(|lane| lane.info()).is_some_and(|info| info.visible) {
                return;
            }
            hub.post(&node, Note::Unconnected { server, node: peer });
        });
    }

    fn resolve(&self, ctx: &Ctx, id: ResolveId, at: Atom, arguments: [Term; 4]) {
        let (node, hub, server) = (self.node.clone(), self.hub.clone(), ctx.pid());
        if at == *node.name() {
            node.spawn(move |ctx: Ctx| async move {
                let node = ctx.node().clone();
                let verdict = resolver::resolve_it(ctx, arguments).await;
                hub.post(&node, Note::Resolved { server, id, verdict: Ok(verdict) });
            });
            return;
        }
        self.node.spawn_task(async move {
            let answer = rpc::call::<Term>(&node, at, "global", "resolve_it", arguments.to_vec()).await;
            hub.post(&node, Note::Resolved { server, id, verdict: answer.map_err(|error| badrpc(&error)) });
        });
    }

    fn answer(&mut self, id: RequestId, answer: Term) -> Option<Event> {
        let Asked { give, undo } = self.requests.remove(&id)?;
        let granted = answer.is_atom("true");
        if give.send(answer).is_ok() || !granted {
            return None;
        }
        let request = undo?;
        self.last_request += 1;
        Some(Event::Request { id: self.last_request, request })
    }
}

/// As `rpc:call` has it.
fn badrpc(error: &RpcError) -> Term {
    match error {
        RpcError::NoConnection => Term::atom("nodedown"),
        RpcError::Timeout => Term::atom("timeout"),
        RpcError::NotSupported => Term::atom("notsup"),
        RpcError::SystemLimit => Term::atom("system_limit"),
        RpcError::BadArg => Term::atom("badarg"),
        RpcError::Refused(why) => Term::Atom(why.clone()),
        RpcError::Failed { reason, .. }
        | RpcError::Exited(reason)
        | RpcError::Threw(reason)
        | RpcError::Signal(reason) => Term::tuple([Term::atom("EXIT"), reason.clone()]),
        RpcError::Mismatch { value, .. } => value.clone(),
    }
}

fn say(level: Level, text: &str) {
    match level {
        Level::Error => tracing::error!("{text}"),
        Level::Warning => tracing::warn!("{text}"),
        Level::Info => tracing::info!("{text}"),
    }
}
