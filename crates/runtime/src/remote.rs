//! Spawning by name: functions that peers may start here, and processes that we start there.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};

use proto::signal::{Payload, Signal};
use term::encode::encode_wire;
use term::{Atom, Pid, Ref, Term};

use crate::ctx::Ctx;
use crate::exit::{Exit, NOCONNECTION};
use crate::lane::Lane;
use crate::limits::PROCESSES_FOR_PEERS_MAX;
use crate::mail::{Mail, Order};
use crate::message::{Form, Message};
use crate::node::Node;
use crate::process::Proc;
use crate::spawn::{Birth, SpawnOptions};
use crate::ties::{Link, Request, Watcher};

/// What an exported function returns while it runs.
pub type ExportedFuture = Pin<Box<dyn Future<Output = Result<Term, Exit>> + Send>>;

/// A function that can be started by its name: it gets a process of its own, and the arguments.
pub type ExportedFn = Arc<dyn Fn(Ctx, Vec<Term>) -> ExportedFuture + Send + Sync>;

/// The exported functions of a node.
#[derive(Default)]
pub(crate) struct Exports(RwLock<BTreeMap<ExportKey, ExportedFn>>);

/// Module, function, arity; without an arity it stands for all that are not there themselves.
type ExportKey = (Atom, Atom, Option<u8>);

impl Exports {
    pub(crate) fn list(&self) -> Vec<(Atom, Atom, Option<u8>)> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }
}

/// What a `SPAWN_REQUEST` asks for.
pub(crate) struct SpawnOrder {
    pub(crate) id: Ref,
    pub(crate) from: Pid,
    pub(crate) leader: Pid,
    pub(crate) module: Atom,
    pub(crate) function: Atom,
    pub(crate) arity: u8,
    pub(crate) options: Term,
}

/// How to spawn on another node.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SpawnAt {
    /// Link the new process to the one that asks.
    pub link: bool,
    /// Monitor the new process; the reference of the request is the monitor.
    pub monitor: bool,
}

/// What came of [`Ctx::spawn_at`].
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SpawnError {
    /// The node cannot be reached, or was lost before it answered.
    #[error("noconnection")]
    NoConnection,
    /// The node refused: `badopt`, `notsup`, `system_limit` ….
    #[error("{0}")]
    Refused(Atom),
}

impl Node {
    /// Lets other nodes, and this one, start `body` as `module:function/arity`; with `None`, for every arity.
    pub fn export(
        &self,
        module: impl Into<Atom>,
        function: impl Into<Atom>,
        arity: Option<u8>,
        body: ExportedFn,
    ) {
        let key = (module.into(), function.into(), arity);
        self.exports().0.write().unwrap_or_else(PoisonError::into_inner).insert(key, body);
    }

    /// Takes an export back; whether it was there.
    pub fn unexport(&self, module: &Atom, function: &Atom, arity: Option<u8>) -> bool {
        let key = (module.clone(), function.clone(), arity);
        self.exports().0.write().unwrap_or_else(PoisonError::into_inner).remove(&key).is_some()
    }

    /// The function of that name and arity.
    pub fn exported(&self, module: &Atom, function: &Atom, arity: u8) -> Option<ExportedFn> {
        let exports = self.exports().0.read().unwrap_or_else(PoisonError::into_inner);
        let exact = exports.get(&(module.clone(), function.clone(), Some(arity)));
        exact.or_else(|| exports.get(&(module.clone(), function.clone(), None))).cloned()
    }

    /// Sets the group leader of a process, near or far. (`group_leader/2`.) Whether there is a way to it.
    pub fn set_group_leader(&self, of: &Pid, leader: &Pid) -> bool {
        if self.seat(of).is_some() {
            return self.push(of, Mail::order(Order::Leader(leader.clone())));
        }
        let signal = Signal::GroupLeader { leader: leader.clone(), to: of.clone() };
        self.lane_to(of.node.name()).is_some_and(|lane| lane.push(signal, None))
    }

    pub(crate) fn on_spawn_request(&self, lane: &Arc<Lane>, order: SpawnOrder, payload: Payload) {
        let answer = |linked, monitored, result| {
            let (id, to) = (order.id.clone(), order.from.clone());
            lane.push_hushed(Signal::SpawnReply { id, to, linked, monitored, result, token: None }, None);
        };
        if self.table().alive() >= PROCESSES_FOR_PEERS_MAX {
            return answer(false, false, Err(Atom::inline("system_limit")));
        }
        let Some(wanted) = read_options(&order.options) else {
            return answer(false, false, Err(Atom::inline("badopt")));
        };
        let arguments = match payload {
            Payload::Wire(wire) => Message::from_wire(wire),
            Payload::Term(term) => Message(Form::Term(term)),
            Payload::None => return answer(false, false, Err(Atom::inline("badarg"))),
        };
        let tied = Link { lane: lane.id(), unlinking: None };
        let watcher = Watcher { pid: order.from.clone(), name: None, lane: lane.id() };
        let birth = Birth {
            parent: None,
            link: wanted.link.then(|| (order.from.clone(), tied)),
            watcher: wanted.monitor.then(|| (order.id.clone(), watcher)),
            lane: (wanted.link || wanted.monitor).then(|| lane.clone()),
        };
        let options = SpawnOptions { leader: Some(order.leader.clone()), ..SpawnOptions::default() };
        let process = self.conceive(options, "spawned by a peer", birth);
        if (wanted.link || wanted.monitor) && !lane.tie(process.seat()) {
            // The connection is over already: the process hears it as its first signal.
            let reason = Term::Atom(NOCONNECTION);
            process.post_self(Mail::order(Order::LaneDown { lane: lane.id(), reason }));
        }
        // The answer goes before anything that the process itself may send.
        answer(wanted.link, wanted.monitor, Ok(process.pid.clone()));
        let (module, function, arity) = (order.module, order.function, order.arity);
        self.run_process(process, move |ctx| apply(ctx, module, function, arity, arguments));
    }
}

/// The body of a process that was asked for by name.
async fn apply(ctx: Ctx, module: Atom, function: Atom, arity: u8, arguments: Message) -> Result<(), Exit> {
    let list = arguments.into_term().map_err(|_| Exit::from("badarg"))?;
    let list: Vec<Term> = match list.as_list() {
        Some(list) if list.improper_tail().is_none() => list.iter().collect(),
        _ => return Err(Exit::from("badarg")),
    };
    if list.len() != usize::from(arity) {
        return Err(Exit::from("badarg"));
    }
    let node = ctx.node().clone();
    if let Some(body) = node.exported(&module, &function, arity) {
        return body(ctx, list).await.map(drop);
    }
    if module == "erlang" && function == "apply" {
        return apply_erlang(ctx, node, list).await;
    }
    Err(undef(module, function, list))
}

/// `erlang:apply/2` with an exported fun, and `apply/3`. A fun made by code cannot run here.
async fn apply_erlang(ctx: Ctx, node: Node, list: Vec<Term>) -> Result<(), Exit> {
    let (module, function, arguments) = match &list[..] {
        [Term::Export(export), Term::List(arguments)] => {
            (export.module.clone(), export.function.clone(), arguments)
        }
        [Term::Atom(module), Term::Atom(function), Term::List(arguments)] => {
            (module.clone(), function.clone(), arguments)
        }
        [fun, Term::List(_)] => return Err(Exit(Term::tuple([Term::atom("badfun"), fun.clone()]))),
        _ => return Err(undef(Atom::inline("erlang"), Atom::inline("apply"), list)),
    };
    if arguments.improper_tail().is_some() {
        return Err(Exit::from("badarg"));
    }
    let arguments: Vec<Term> = arguments.iter().collect();
    let arity = u8::try_from(arguments.len()).map_err(|_| Exit::from("system_limit"))?;
    match node.exported(&module, &function, arity) {
        Some(body) => body(ctx, arguments).await.map(drop),
        None => Err(undef(module, function, arguments)),
    }
}

/// `{undef, [{Module, Function, Arguments, []}]}`.
fn undef(module: Atom, function: Atom, arguments: Vec<Term>) -> Exit {
    let call = Term::tuple([Term::Atom(module), Term::Atom(function), Term::list(arguments), Term::NIL]);
    Exit(Term::tuple([Term::atom("undef"), Term::list([call])]))
}

/// The options that mean something to us; `None` when there is one that OTP does not know either.
fn read_options(options: &Term) -> Option<SpawnAt> {
    let list = options.as_list().filter(|list| list.improper_tail().is_none())?;
    let mut wanted = SpawnAt::default();
    for option in list {
        match &option {
            Term::Atom(word) if *word == "link" => wanted.link = true,
            Term::Atom(word) if *word == "monitor" => wanted.monitor = true,
            Term::Tuple(pair) => match pair.as_slice() {
                [Term::Atom(key), _] if TUNING.contains(&key.as_str()) => {}
                _ => return None,
            },
            _ => return None,
        }
    }
    Some(wanted)
}

/// Options that tune the BEAM's heaps and schedulers.
const TUNING: [&str; 7] = [
    "priority",
    "fullsweep_after",
    "min_heap_size",
    "min_bin_vheap_size",
    "max_heap_size",
    "message_queue_data",
    "async_dist",
];

impl Ctx {
    /// Asks `node` to start `module:function(arguments…)`. The answer is the message
    /// `{spawn_reply, Reference, ok | error, PidOrReason}`, with the reference that is returned here.
    pub fn spawn_request(
        &mut self,
        node: impl Into<Atom>,
        module: impl Into<Atom>,
        function: impl Into<Atom>,
        arguments: Vec<Term>,
        how: SpawnAt,
    ) -> Ref {
        let (node, module, function) = (node.into(), module.into(), function.into());
        let (id, counter) = self.next_reference();
        let here = self.process();
        if node == *here.node.name() {
            self.spawn_here(id.clone(), counter, (module, function), arguments, how);
            return id;
        }
        let refused = |reason| {
            let result = Err(reason);
            let order =
                Order::SpawnReply { id: id.clone(), lane: None, linked: false, monitored: false, result };
            here.post_self(Mail::order(order));
        };
        let Ok(arity) = u8::try_from(arguments.len()) else {
            here.state().ties().requests.insert(counter, Request { lane: 0, tag: SPAWN_REPLY });
            refused(Atom::inline("system_limit"));
            return id;
        };
        let lane = here.node.lane_to(&node);
        let mut state = here.state();
        let ties = state.ties();
        let lane = lane.filter(|lane| ties.tie(lane, here.seat()));
        let request = Request { lane: lane.as_ref().map_or(0, |lane| lane.id()), tag: SPAWN_REPLY };
        ties.requests.insert(counter, request);
        let leader = state.leader.clone().unwrap_or_else(|| here.pid.clone());
        drop(state);
        let Some(lane) = lane else {
            refused(NOCONNECTION);
            return id;
        };
        let words = [(how.link, "link"), (how.monitor, "monitor")];
        let options = Term::list(words.into_iter().filter(|(on, _)| *on).map(|(_, word)| Term::atom(word)));
        let from = here.pid.clone();
        let signal = Signal::SpawnRequest {
            id: id.clone(),
            from,
            leader,
            module,
            function,
            arity,
            options,
            token: None,
        };
        lane.push(signal, Some(encode_wire(&Term::list(arguments))));
        id
    }

    /// Starts `module:function(arguments…)` on `node` and waits for its pid. When the future is dropped the request is
    /// abandoned: a linked process is told to exit.
    ///
    /// # Errors
    /// When the node is not reached or refuses. A function that does not exist is no error: its process exits with `undef`.
    pub async fn spawn_at(
        &mut self,
        node: impl Into<Atom>,
        module: impl Into<Atom>,
        function: impl Into<Atom>,
        arguments: Vec<Term>,
        how: SpawnAt,
    ) -> Result<(Pid, Ref), SpawnError> {
        let mark = self.mark();
        let id = self.spawn_request(node, module, function, arguments, how);
        let _abandon = Abandon(self.process().clone(), id.clone());
        let answer = self
            .select_from(mark, |term| match term.as_tuple() {
                Some([Term::Atom(tag), Term::Ref(reference), _, what])
                    if *tag == SPAWN_REPLY && *reference == id =>
                {
                    Some(what.clone())
                }
                _ => None,
            })
            .await;
        match answer {
            Term::Pid(pid) => Ok((pid, id)),
            Term::Atom(reason) if reason == NOCONNECTION => Err(SpawnError::NoConnection),
            Term::Atom(reason) => Err(SpawnError::Refused(reason)),
            _ => Err(SpawnError::Refused(Atom::inline("badarg"))),
        }
    }

    /// Gives up on a spawn request that has not been answered; whether there was one.
    pub fn spawn_request_abandon(&mut self, id: &Ref) -> bool {
        abandon(self.process(), id)
    }

    /// The same on this node.
    fn spawn_here(&self, id: Ref, counter: u64, name: (Atom, Atom), arguments: Vec<Term>, how: SpawnAt) {
        let here = self.process();
        let me = || here.pid.clone();
        let birth = Birth {
            parent: Some(here.clone()),
            link: how.link.then(|| (me(), Link { lane: 0, unlinking: None })),
            watcher: how.monitor.then(|| (id.clone(), Watcher { pid: me(), name: None, lane: 0 })),
            lane: None,
        };
        let child = here.node.conceive(SpawnOptions::default(), "spawned by name", birth);
        here.state().ties().requests.insert(counter, Request { lane: 0, tag: SPAWN_REPLY });
        let (linked, monitored, result) = (how.link, how.monitor, Ok(child.pid.clone()));
        here.post_self(Mail::order(Order::SpawnReply { id, lane: None, linked, monitored, result }));
        let arity = u8::try_from(arguments.len()).unwrap_or(u8::MAX);
        let arguments = Message(Form::Term(Term::list(arguments)));
        here.node.run_process(child, move |ctx| apply(ctx, name.0, name.1, arity, arguments));
    }
}

/// Gives up on a request when the wait for it is given up.
struct Abandon(Arc<Proc>, Ref);

impl Drop for Abandon {
    fn drop(&mut self) {
        abandon(&self.0, &self.1);
    }
}

fn abandon(process: &Proc, id: &Ref) -> bool {
    let counter = crate::node::counter_of(id, &process.pid);
    counter.is_some_and(|counter| process.state().ties().requests.remove(&counter).is_some())
}

const SPAWN_REPLY: Atom = Atom::inline("spawn_reply");
