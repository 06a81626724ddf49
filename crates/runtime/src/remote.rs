//! Spawning by name: functions that peers may start here.

use std::sync::Arc;

use proto::signal::{Payload, Signal};
use term::{Atom, Pid, Ref, Term};

use crate::ctx::Ctx;
use crate::exit::{Exit, NOCONNECTION};
use crate::lane::Lane;
use crate::limits::PROCESSES_FOR_PEERS_MAX;
use crate::mail::{Mail, Order};
use crate::message::{Form, Message};
use crate::node::Node;
use crate::requests::SpawnAt;
use crate::spawn::{Birth, SpawnOptions};
use crate::ties::{Link, Watcher};

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

impl Node {
    /// Sets the group leader of a process, near or far. (`group_leader/2`.) Whether there is a way to it.
    pub fn set_group_leader(&self, of: &Pid, leader: &Pid) -> bool {
        if self.seat(of).is_some() {
            return self.push(of, Mail::order(Order::Leader(leader.clone())));
        }
        let signal = Signal::GroupLeader { leader: leader.clone(), to: of.clone() };
        self.lane_to(of.node.name()).is_some_and(|lane| lane.push(signal, None))
    }

    pub(crate) fn on_spawn_request(&self, lane: &Arc<Lane>, order: SpawnOrder, payload: Payload) {
        let answer = |linked, monitored, result: Result<Pid, Atom>| {
            let (id, to) = (order.id.clone(), order.from.clone());
            // A birth goes along with what the child says first; with a refusal nothing else goes.
            let born = result.is_ok();
            let reply = Signal::SpawnReply { id, to, linked, monitored, result, token: None };
            if born {
                lane.push_hushed(reply, None)
            } else {
                lane.push(reply, None)
            };
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
pub(crate) async fn apply(
    ctx: Ctx,
    module: Atom,
    function: Atom,
    arity: u8,
    arguments: Message,
) -> Result<(), Exit> {
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
        return body(ctx, list).await.map(drop).map_err(|exit| exit.sorted().0);
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
        Some(body) => body(ctx, arguments).await.map(drop).map_err(|exit| exit.sorted().0),
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
                [Term::Atom(key), value] if tunes(key, value) => {}
                _ => return None,
            },
            _ => return None,
        }
    }
    Some(wanted)
}

/// Whether this option tunes the BEAM's heaps and schedulers: understood, and without an effect here.
pub(crate) fn tunes(key: &Atom, value: &Term) -> bool {
    let size = matches!(value, Term::Int(0..) | Term::Big(_));
    let word = |words: &[&str]| value.as_atom().is_some_and(|word| words.contains(&word.as_str()));
    match key.as_str() {
        "priority" => word(&["low", "normal", "high", "max"]),
        "fullsweep_after" | "min_heap_size" | "min_bin_vheap_size" => size,
        "max_heap_size" => size || value.as_map().is_some(),
        "message_queue_data" => word(&["on_heap", "off_heap"]),
        "async_dist" => word(&["true", "false"]),
        _ => false,
    }
}
