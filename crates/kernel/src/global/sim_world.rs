//! A world for the name servers alone: nodes, wires that keep order, pids that die, and one seed for all of it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque};
use std::sync::Arc;

use proto::Now;
use term::{Atom, Export, NodeId, Pid, Term};

use super::Mistake;
use super::dice::Dice;
use super::events::{CallId, Effect, Event, MonitorId, Request, RequestId, ResolveId};
use super::machine::{Config, Global};
use super::names::settle;
use super::sim_signals::{Due, Signal, What};

/// Nanoseconds in a millisecond: the world's clock ticks in milliseconds.
pub(super) const MS: u64 = 1_000_000;

/// A cluster that has so much to say will never be quiet.
pub(super) const EVENTS_MAX: u64 = 100_000;

pub(super) struct World {
    pub(super) dice: Dice,
    pub(super) now: u64,
    pub(super) nodes: Vec<Node>,
    pub(super) blocked: BTreeSet<(usize, usize)>,
    pub(super) prevent_overlapping: bool,
    pub(super) events: u64,
    pub(super) story: Option<Vec<String>>,
    pub(super) mistake: Mistake,
    /// So many of the nodes, the first ones, are as OTP's.
    pub(super) like_otp: usize,
    pub(super) conns: BTreeMap<(usize, usize), Conn>,
    pub(super) heap: BinaryHeap<Reverse<Due>>,
    pub(super) next: u64,
}

pub(super) struct Node {
    pub(super) name: Atom,
    pub(super) creation: u32,
    pub(super) life: Option<Life>,
    /// Stopped (as by SIGSTOP) until then: nothing gets through to it, everything waits.
    pub(super) frozen: u64,
    /// Its name server has other things to do until then: what it hears waits, and connections come and go meanwhile.
    pub(super) busy: u64,
}

/// One incarnation.
pub(super) struct Life {
    pub(super) machine: Global,
    pub(super) id: NodeId,
    pub(super) pids: BTreeSet<u32>,
    pub(super) next_pid: u32,
    pub(super) up: BTreeMap<usize, u64>,
    pub(super) dialing: BTreeSet<usize>,
    pub(super) asked_to_connect: BTreeSet<usize>,
    pub(super) waiting: BTreeMap<usize, Vec<Signal>>,
    pub(super) monitors: BTreeMap<MonitorId, Pid>,
    pub(super) watchers: Vec<(usize, MonitorId, Pid)>,
    pub(super) calls: BTreeMap<CallId, usize>,
    pub(super) resolves: BTreeMap<ResolveId, usize>,
    pub(super) requests: BTreeMap<RequestId, Request>,
    pub(super) wake_at: Option<u64>,
    /// What the name server has not read yet.
    pub(super) mailbox: VecDeque<Event>,
}

pub(super) struct Conn {
    pub(super) id: u64,
    /// Of the two directions, low to high first: when the last packet arrives, how many were sent, where the cut is.
    pub(super) last: [u64; 2],
    /// The same for each sender: what two of them send may change places, as fragments of different senders do.
    pub(super) last_of: BTreeMap<(usize, u32), u64>,
    pub(super) up: [u64; 2],
    pub(super) sent: [u64; 2],
    pub(super) cut: [Option<u64>; 2],
    pub(super) broken: bool,
    pub(super) gone: [bool; 2],
}

impl World {
    pub(super) fn new(seed: u64, count: usize, prevent_overlapping: bool, mistake: Mistake) -> World {
        let mut world = World {
            dice: Dice::new(seed),
            now: 0,
            nodes: Vec::new(),
            blocked: BTreeSet::new(),
            prevent_overlapping,
            events: 0,
            story: None,
            mistake,
            like_otp: (seed / 4) as usize % (count + 1),
            conns: BTreeMap::new(),
            heap: BinaryHeap::new(),
            next: 0,
        };
        for index in 0..count {
            let host = if world.dice.below(2) == 0 { "here" } else { "there" };
            let name = Atom::new(&format!("{}@{host}", (b'a' + index as u8) as char));
            world.nodes.push(Node { name, creation: 0, life: None, frozen: 0, busy: 0 });
            world.boot(index);
        }
        world
    }

    pub(super) fn boot(&mut self, index: usize) {
        let node = &mut self.nodes[index];
        if node.life.is_some() {
            return;
        }
        (node.frozen, node.busy) = (0, 0);
        node.creation += 1;
        let id = NodeId::new(node.name.clone(), node.creation);
        let pid = |number: u64| Pid { node: id.clone(), id: number as u32, serial: 0 };
        let config = Config {
            me: id.clone(),
            server: pid(1),
            locker: pid(10 + self.dice.below(30)),
            registrar: pid(2),
            creation_extension: (self.dice.below(1 << 20) as i64) << 32,
            connect_all: true,
            prevent_overlapping: self.prevent_overlapping,
            many_names: false,
            seed: self.dice.next(),
            mistake: if index < self.like_otp { Mistake::TrustMonitors } else { self.mistake },
        };
        node.life = Some(Life {
            machine: Global::new(config),
            id,
            pids: (1..50).collect(),
            next_pid: 100,
            up: BTreeMap::new(),
            dialing: BTreeSet::new(),
            asked_to_connect: BTreeSet::new(),
            waiting: BTreeMap::new(),
            monitors: BTreeMap::new(),
            watchers: Vec::new(),
            calls: BTreeMap::new(),
            resolves: BTreeMap::new(),
            requests: BTreeMap::new(),
            wake_at: None,
            mailbox: VecDeque::new(),
        });
        self.tell(|world| format!("{} boots", world.nodes[index].name));
    }

    pub(super) fn crash(&mut self, index: usize) {
        if self.nodes[index].life.take().is_some() {
            self.tell(|world| format!("{} crashes", world.nodes[index].name));
            let pairs: Vec<(usize, usize)> =
                self.conns.keys().filter(|(a, b)| *a == index || *b == index).copied().collect();
            for (a, b) in pairs {
                self.cut(a, b);
                if let Some(conn) = self.conns.get_mut(&(a, b)) {
                    conn.gone[usize::from(index == b)] = true;
                }
                self.forget(a, b);
            }
        }
    }

    /// Runs until nothing is left to do before this time.
    pub(super) fn run_until(&mut self, until: u64) {
        while let Some(Reverse(due)) = self.heap.peek()
            && due.at <= until
        {
            let Some(Reverse(due)) = self.heap.pop() else { return };
            self.now = due.at;
            self.events += 1;
            if self.events > EVENTS_MAX {
                return;
            }
            self.happen(due.what);
        }
        self.now = until;
    }

    // What the test does.

    pub(super) fn dial(&mut self, from: usize, to: usize) {
        let wait = self.delay();
        let Some(life) = self.nodes[from].life.as_mut() else { return };
        if from == to || life.up.contains_key(&to) || !life.dialing.insert(to) {
            return;
        }
        let creation = life.id.creation();
        self.schedule(wait, What::Dialed { from, creation, to });
    }

    pub(super) fn freeze(&mut self, index: usize, millis: u64) {
        // Half a millisecond off the beat: nothing else happens then, so what waits stays in order.
        let thaws = self.now - self.now % MS + millis * MS + MS / 2;
        if self.is_frozen(index) {
            return;
        }
        self.nodes[index].frozen = thaws;
        self.tell(|world| format!("{} is frozen for {millis} ms", world.nodes[index].name));
    }

    /// The name server of a node reads nothing for a while.
    pub(super) fn distract(&mut self, index: usize, millis: u64) {
        let creation = self.nodes[index].creation;
        if self.nodes[index].life.is_none() || self.is_busy(index) {
            return;
        }
        self.nodes[index].busy = self.now + millis * MS;
        self.tell(|world| format!("{} is busy for {millis} ms", world.nodes[index].name));
        self.schedule(millis * MS, What::Idle { at: index, creation });
    }

    fn is_busy(&self, index: usize) -> bool {
        self.nodes[index].busy > self.now
    }

    /// It reads what has come meanwhile.
    fn catch_up(&mut self, at: usize) {
        while let Some(event) = self.nodes[at].life.as_mut().and_then(|life| life.mailbox.pop_front()) {
            self.read(at, event);
        }
    }

    pub(super) fn is_frozen(&self, index: usize) -> bool {
        self.nodes[index].frozen > self.now
    }

    /// Breaks a connection: what is under way is lost from some point on, each side notices when it notices.
    pub(super) fn cut(&mut self, a: usize, b: usize) {
        let (low, high) = (a.min(b), a.max(b));
        let notice = [self.notice(), self.notice()];
        let dice = [self.dice.next(), self.dice.next()];
        let now = self.now;
        let Some(conn) = self.conns.get_mut(&(low, high)).filter(|conn| !conn.broken) else { return };
        conn.broken = true;
        let id = conn.id;
        let mut whens = [0; 2];
        for direction in 0..2 {
            // At most the last few are lost.
            conn.cut[direction] = Some(conn.sent[direction].saturating_sub(dice[direction] % 6));
            whens[direction] = (conn.last[direction] + 1).max(now + notice[direction]);
        }
        // Direction 0 arrives at the higher one.
        self.schedule_at(whens[0], What::Down { conn: id, at: high, peer: low });
        self.schedule_at(whens[1], What::Down { conn: id, at: low, peer: high });
        self.tell(|world| {
            format!("{} and {} lose each other", world.nodes[low].name, world.nodes[high].name)
        });
    }

    pub(super) fn spawn(&mut self, index: usize) -> Option<Pid> {
        let life = self.nodes[index].life.as_mut()?;
        life.next_pid += 1;
        life.pids.insert(life.next_pid);
        Some(Pid { node: life.id.clone(), id: life.next_pid, serial: 0 })
    }

    pub(super) fn lives(&self, pid: &Pid) -> bool {
        self.index(pid.node.name())
            .and_then(|index| self.nodes[index].life.as_ref())
            .is_some_and(|life| life.id == pid.node && life.pids.contains(&pid.id))
    }

    pub(super) fn kill(&mut self, pid: &Pid) {
        let Some(index) = self.index(pid.node.name()) else { return };
        let Some(life) = self.nodes[index].life.as_mut().filter(|life| life.id == pid.node) else { return };
        if !life.pids.remove(&pid.id) {
            return;
        }
        let told: Vec<(usize, MonitorId)> = life
            .watchers
            .extract_if(.., |(_, _, watched)| watched == pid)
            .map(|(who, id, _)| (who, id))
            .collect();
        self.tell(|_| format!("{pid} dies"));
        for (who, id) in told {
            if who == index {
                self.near(index, Event::PidDown { id });
            } else {
                self.transmit(index, who, Signal::Down { id });
            }
        }
    }

    pub(super) fn request(&mut self, index: usize, id: RequestId, request: Request) {
        if self.is_frozen(index) {
            return;
        }
        if let Some(life) = self.nodes[index].life.as_mut() {
            life.requests.insert(id, request.clone());
            self.tell(|world| format!("{} is asked {id}: {request:?}", world.nodes[index].name));
            self.event(index, Event::Request { id, request });
        }
    }

    pub(super) fn index(&self, name: &Atom) -> Option<usize> {
        self.nodes.iter().position(|node| node.name == *name)
    }

    pub(super) fn connected(&self, a: usize, b: usize) -> bool {
        let sees =
            |a: usize, b: usize| self.nodes[a].life.as_ref().is_some_and(|life| life.up.contains_key(&b));
        sees(a, b) && sees(b, a)
    }

    pub(super) fn tell(&mut self, line: impl FnOnce(&World) -> String) {
        if self.story.is_none() {
            return;
        }
        let line = format!("{:>8} ms  {}", self.now / MS, line(self));
        self.story.get_or_insert_default().push(line);
    }

    // What happens.

    fn happen(&mut self, what: What) {
        let thaws = self.nodes[what.at()].frozen;
        if thaws > self.now {
            return self.schedule_at(thaws, what);
        }
        match what {
            What::Up { conn, at, peer } => self.up(conn, at, peer),
            What::Down { conn, at, peer } => self.down(conn, at, peer),
            What::Packet { conn, from, at, number, signal } => {
                let (key, direction) = way(from, at);
                let lost = self.conns.get(&key).is_none_or(|current| {
                    current.id != conn || current.cut[direction].is_some_and(|cut| number >= cut)
                });
                let heard =
                    self.nodes[at].life.as_ref().is_some_and(|life| life.up.get(&from) == Some(&conn));
                if !lost && heard {
                    self.arrive(at, from, signal);
                }
            }
            What::Near { at, creation, event } if self.is(at, creation) => {
                if let Event::PidDown { id } = &event
                    && self.nodes[at].life.as_mut().unwrap().monitors.remove(id).is_none()
                {
                    return;
                }
                self.event(at, event);
            }
            What::Run { at, creation, signal } if self.is(at, creation) => self.arrive(at, at, signal),
            What::Wake { at, creation, when } if self.is(at, creation) => {
                let life = self.nodes[at].life.as_mut().unwrap();
                if life.wake_at.take_if(|at| *at == when).is_some() {
                    self.event(at, Event::Wake);
                }
            }
            What::Dialed { from, creation, to } if self.is(from, creation) => self.dialed(from, to),
            What::Idle { at, creation } if self.is(at, creation) => self.catch_up(at),
            _ => {}
        }
    }

    fn is(&self, at: usize, creation: u32) -> bool {
        self.nodes[at].life.as_ref().is_some_and(|life| life.id.creation() == creation)
    }

    fn dialed(&mut self, from: usize, to: usize) {
        let (key, _) = way(from, to);
        let creation = self.nodes[from].creation;
        match self.conns.get(&key) {
            Some(conn) if !conn.broken => return,
            Some(_) => return self.schedule(50 * MS, What::Dialed { from, creation, to }),
            None => {}
        }
        if self.nodes[to].life.is_none() || self.blocked.contains(&key) {
            return self.dial_failed(from, to);
        }
        self.next += 1;
        let id = self.next;
        let whens = [self.now + self.delay(), self.now + self.delay()];
        let last_of = BTreeMap::new();
        let conn = Conn {
            id,
            last: whens,
            last_of,
            up: whens,
            sent: [0; 2],
            cut: [None; 2],
            broken: false,
            gone: [false; 2],
        };
        self.conns.insert(key, conn);
        self.schedule_at(whens[0], What::Up { conn: id, at: key.1, peer: key.0 });
        self.schedule_at(whens[1], What::Up { conn: id, at: key.0, peer: key.1 });
    }

    fn dial_failed(&mut self, from: usize, to: usize) {
        let Some(life) = self.nodes[from].life.as_mut() else { return };
        life.dialing.remove(&to);
        let waiting = life.waiting.remove(&to).unwrap_or_default();
        let asked = life.asked_to_connect.remove(&to);
        self.lost(from, to, waiting);
        if asked {
            let node = self.nodes[to].name.clone();
            self.event(from, Event::ConnectFailed { node });
        }
    }

    /// Signals that could not be sent, and answers that will not come.
    fn lost(&mut self, from: usize, _to: usize, signals: Vec<Signal>) {
        for signal in signals {
            let Some(life) = self.nodes[from].life.as_mut() else { return };
            match signal {
                Signal::Monitor { id, .. } if life.monitors.remove(&id).is_some() => {
                    self.event(from, Event::PidDown { id });
                }
                Signal::Resolve { id, .. } => {
                    life.resolves.remove(&id);
                    self.event(from, Event::Resolved { id, verdict: Err(Term::atom("nodedown")) });
                }
                _ => {}
            }
        }
    }

    fn up(&mut self, conn: u64, at: usize, peer: usize) {
        let (key, _) = way(at, peer);
        // A connection of the life before is none of this one.
        let side = usize::from(at == key.1);
        if self.conns.get(&key).is_none_or(|current| current.id != conn || current.gone[side]) {
            return;
        }
        let Some(life) = self.nodes[at].life.as_mut() else { return };
        life.up.insert(peer, conn);
        life.dialing.remove(&peer);
        life.asked_to_connect.remove(&peer);
        let waiting = life.waiting.remove(&peer).unwrap_or_default();
        let node = self.nodes[peer].name.clone();
        self.tell(|world| format!("{} sees {} come", world.nodes[at].name, world.nodes[peer].name));
        for signal in waiting {
            self.transmit(at, peer, signal);
        }
        self.event(at, Event::NodeUp { node, visible: true, connection: conn });
    }

    fn down(&mut self, conn: u64, at: usize, peer: usize) {
        let (key, _) = way(at, peer);
        let Some(current) = self.conns.get_mut(&key).filter(|current| current.id == conn) else { return };
        current.gone[usize::from(at == key.1)] = true;
        self.forget(key.0, key.1);
        let Some(life) = self.nodes[at].life.as_mut() else { return };
        if life.up.remove(&peer).is_none() {
            return;
        }
        life.watchers.retain(|(who, _, _)| *who != peer);
        let name = self.nodes[peer].name.clone();
        let life = self.nodes[at].life.as_mut().unwrap();
        let monitors: Vec<MonitorId> =
            life.monitors.iter().filter(|(_, pid)| *pid.node.name() == name).map(|(id, _)| *id).collect();
        life.monitors.retain(|_, pid| *pid.node.name() != name);
        let calls: Vec<CallId> = life.calls.extract_if(.., |_, to| *to == peer).map(|(id, _)| id).collect();
        let resolves: Vec<ResolveId> =
            life.resolves.extract_if(.., |_, to| *to == peer).map(|(id, _)| id).collect();
        self.tell(|world| format!("{} sees {} go", world.nodes[at].name, world.nodes[peer].name));
        monitors.into_iter().for_each(|id| self.event(at, Event::PidDown { id }));
        calls.into_iter().for_each(|id| self.event(at, Event::CallReply { id, reply: None }));
        for id in resolves {
            self.event(at, Event::Resolved { id, verdict: Err(Term::atom("nodedown")) });
        }
        self.event(at, Event::NodeDown { node: name });
    }

    /// A connection that both sides have seen end is no more.
    fn forget(&mut self, a: usize, b: usize) {
        if let Some(conn) = self.conns.get(&(a, b))
            && conn.broken
            && (0..2).all(|side| conn.gone[side] || self.nodes[[a, b][side]].life.is_none())
        {
            self.conns.remove(&(a, b));
        }
    }

    fn arrive(&mut self, at: usize, from: usize, signal: Signal) {
        match signal {
            Signal::Message(_, message) => {
                let from = self.nodes[from].name.clone();
                self.tell(|world| format!("{} -> {}  {message:?}", from, world.nodes[at].name));
                self.event(at, Event::Message { from, message });
            }
            Signal::Call { id, caller, request } => {
                self.tell(|world| format!("{caller} -> {}  {request:?}", world.nodes[at].name));
                let from = Term::tuple([Term::Pid(caller.clone()), Term::Int(id as i64)]);
                self.event(at, Event::Call { from, caller, request });
            }
            Signal::Reply { id, reply } => {
                let life = self.nodes[at].life.as_mut().unwrap();
                if life.calls.remove(&id).is_some() {
                    self.event(at, Event::CallReply { id, reply: Some(reply) });
                }
            }
            Signal::Monitor { id, pid } => {
                if self.lives(&pid) {
                    self.nodes[at].life.as_mut().unwrap().watchers.push((from, id, pid));
                } else if from == at {
                    self.near(at, Event::PidDown { id });
                } else {
                    self.transmit(at, from, Signal::Down { id });
                }
            }
            Signal::Demonitor { id } => {
                let life = self.nodes[at].life.as_mut().unwrap();
                life.watchers.retain(|(who, watch, _)| (*who, *watch) != (from, id));
            }
            Signal::Down { id } => {
                if self.nodes[at].life.as_mut().unwrap().monitors.remove(&id).is_some() {
                    self.event(at, Event::PidDown { id });
                }
            }
            Signal::Resolve { id, method, name, theirs, ours } => {
                let verdict = self.resolve_it(at, &method, &name, &theirs, &ours);
                if from == at {
                    self.near(at, Event::Resolved { id, verdict: Ok(verdict) });
                } else {
                    self.transmit(at, from, Signal::Verdict { id, verdict });
                }
            }
            Signal::Verdict { id, verdict } => {
                if self.nodes[at].life.as_mut().unwrap().resolves.remove(&id).is_some() {
                    self.event(at, Event::Resolved { id, verdict: Ok(verdict) });
                }
            }
            Signal::Kill(pid) => self.kill(&pid),
        }
    }

    fn resolve_it(&mut self, at: usize, method: &Term, name: &Term, one: &Pid, other: &Pid) -> Term {
        let Some(settled) = settle(method, name, one, other) else { return Term::atom("undef") };
        self.tell(|_| format!("{one} and {other} clash over {name:?}: {:?}", settled.answer));
        if let Some(pid) = settled.kill {
            match self.index(pid.node.name()) {
                Some(home) if home != at => self.transmit(at, home, Signal::Kill(pid)),
                _ => self.kill(&pid),
            }
        }
        settled.answer
    }

    fn event(&mut self, at: usize, event: Event) {
        let busy = self.is_busy(at);
        match self.nodes[at].life.as_mut() {
            Some(life) if busy || !life.mailbox.is_empty() => life.mailbox.push_back(event),
            _ => self.read(at, event),
        }
    }

    fn read(&mut self, at: usize, event: Event) {
        let now = Now::from_nanos(self.now);
        let Some(life) = self.nodes[at].life.as_mut() else { return };
        life.machine.on(now, event);
        loop {
            let Some(life) = self.nodes[at].life.as_mut() else { return };
            let Some(effect) = life.machine.poll_effect() else { break };
            self.act(at, effect);
        }
        let Some(life) = self.nodes[at].life.as_mut() else { return };
        let deadline = life.machine.poll_deadline().map(|at| at.as_nanos().max(self.now));
        if deadline != life.wake_at {
            life.wake_at = deadline;
            let creation = life.id.creation();
            if let Some(when) = deadline {
                self.schedule_at(when, What::Wake { at, creation, when });
            }
        }
    }

    fn act(&mut self, at: usize, effect: Effect) {
        match effect {
            Effect::Send { actor, node, connection, message } => {
                let sender = self.actor(at, &actor).id;
                if let Some(to) = self.index(&node)
                    && self.nodes[at].life.as_ref().unwrap().up.get(&to) == Some(&connection)
                {
                    self.transmit(at, to, Signal::Message(sender, message));
                }
            }
            Effect::Call { id, actor, node, connection, request } => {
                let Some(to) = self.index(&node) else { return };
                let caller = self.actor(at, &actor);
                let life = self.nodes[at].life.as_mut().unwrap();
                if life.up.get(&to) != Some(&connection) {
                    return self.near(at, Event::CallReply { id, reply: None });
                }
                life.calls.insert(id, to);
                self.transmit(at, to, Signal::Call { id, caller, request });
            }
            Effect::SendPid { .. } => {}
            Effect::Reply { to, reply } => {
                if let Some([Term::Pid(pid), Term::Int(id)]) = to.as_tuple()
                    && let Some(to) = self.index(pid.node.name())
                {
                    self.transmit(at, to, Signal::Reply { id: *id as u64, reply });
                }
            }
            Effect::Monitor { id, pid } => {
                self.nodes[at].life.as_mut().unwrap().monitors.insert(id, pid.clone());
                if let Some(home) = self.index(pid.node.name()) {
                    self.connect_and_send(at, home, Signal::Monitor { id, pid });
                }
            }
            Effect::Demonitor { id } => {
                if let Some(pid) = self.nodes[at].life.as_mut().unwrap().monitors.remove(&id)
                    && let Some(home) = self.index(pid.node.name())
                {
                    self.transmit(at, home, Signal::Demonitor { id });
                }
            }
            Effect::Connect { node } => {
                if let Some(to) = self.index(&node) {
                    self.nodes[at].life.as_mut().unwrap().asked_to_connect.insert(to);
                    self.dial(at, to);
                }
            }
            Effect::Disconnect { node } => {
                if let Some(to) = self.index(&node) {
                    self.cut(at, to);
                }
            }
            Effect::Resolve { id, node, method, name, theirs, ours } => {
                if let Some(to) = self.index(&node) {
                    if to != at {
                        self.nodes[at].life.as_mut().unwrap().resolves.insert(id, to);
                    }
                    self.connect_and_send(at, to, Signal::Resolve { id, method, name, theirs, ours });
                }
            }
            Effect::Answer { id, answer } => self.answered(at, id, &answer),
            Effect::Log { level, text } => {
                self.tell(|world| format!("{} says {level:?}: {text}", world.nodes[at].name));
            }
        }
    }

    fn answered(&mut self, at: usize, id: RequestId, answer: &Term) {
        let request = self.nodes[at].life.as_mut().unwrap().requests.remove(&id);
        self.tell(|world| format!("{} answers {id}: {answer:?}", world.nodes[at].name));
        // Who gets a lock keeps it for a while; some die with it.
        let Some(Request::SetLock { client, resource, requester, nodes, .. }) = request else { return };
        if !answer.is_atom("true") {
            return;
        }
        let give = Request::DelLock { client: client.clone(), resource, requester, nodes };
        let creation = self.nodes[at].creation;
        let wait = self.dice.below(2_000) * MS;
        let life = self.nodes[at].life.as_mut().unwrap();
        if self.dice.below(4) == 0 {
            self.schedule(wait, What::Run { at, creation, signal: Signal::Kill(client) });
        } else {
            life.requests.insert(id + 1_000_000, give.clone());
            let event = Event::Request { id: id + 1_000_000, request: give };
            self.schedule(wait, What::Near { at, creation, event });
        }
    }
}

/// The pair, and which of its two directions it is.
pub(super) fn way(from: usize, to: usize) -> ((usize, usize), usize) {
    ((from.min(to), from.max(to)), usize::from(from > to))
}

/// `fun global:Function/3`.
pub(super) fn method(function: &str) -> Term {
    Term::Export(Arc::new(Export { module: Atom::new("global"), function: Atom::new(function), arity: 3 }))
}
