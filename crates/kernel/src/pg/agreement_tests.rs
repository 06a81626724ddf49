//! Scopes without nodes: all who are connected agree, whatever happened.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use term::{Atom, NodeId, Pid, Term, term};

use super::groups::{Effect, Groups};
use super::groups_tests::{node, pid};
use super::table::listed;
use super::wire::PeerMessage;

/// Some nodes, and pipes between them that keep order and lose everything when they break.
struct World {
    dice: StdRng,
    nodes: Vec<Member>,
    /// What is on its way over a connection; `None` says that the connection is over.
    pipes: BTreeMap<(usize, usize), VecDeque<Arrival>>,
    connected: BTreeSet<(usize, usize)>,
}

struct Member {
    id: NodeId,
    me: Pid,
    groups: Groups,
    /// Speaks version 1 when it discovers, as OTP 29 does.
    modern: bool,
    watched: BTreeSet<Pid>,
    alive: BTreeSet<u32>,
    next: u32,
    truth: BTreeMap<Term, BTreeMap<Pid, u32>>,
}

enum Arrival {
    Up,
    Down,
    /// For a process, or for whoever has the name.
    Message(Option<Pid>, Term),
}

const NODES: usize = 4;

impl World {
    fn new(seed: u64) -> World {
        let mut dice = StdRng::seed_from_u64(seed);
        let names = ["a", "b", "c", "d"];
        let mut nodes = Vec::new();
        for name in &names[..NODES] {
            let id = node(name);
            let me = pid(&id, 1);
            let mut groups = Groups::new(id.clone());
            groups.begin(me.clone(), []);
            let modern = dice.random_bool(0.5);
            let (watched, alive, truth) = (BTreeSet::new(), BTreeSet::new(), BTreeMap::new());
            nodes.push(Member { id, me, groups, modern, watched, alive, next: 2, truth });
        }
        World { dice, nodes, pipes: BTreeMap::new(), connected: BTreeSet::new() }
    }

    fn index(&self, node: &Atom) -> usize {
        self.nodes.iter().position(|member| member.id.name() == node).expect("a node of this world")
    }

    fn some(&mut self) -> usize {
        self.dice.random_range(0..NODES)
    }

    fn step(&mut self) {
        let one = self.some();
        match self.dice.random_range(0..100) {
            0..25 => self.join(one),
            25..40 => self.leave(one),
            40..45 => self.die(one),
            45..50 => self.toggle(one),
            50..52 => self.restart(one),
            _ => drop(self.deliver()),
        }
        self.carry_out(one);
    }

    fn group(&mut self) -> Term {
        Term::Int(self.dice.random_range(0..3))
    }

    fn join(&mut self, at: usize) {
        let group = self.group();
        let fresh = self.dice.random_bool(0.5);
        let member = &mut self.nodes[at];
        let id = match member.alive.iter().next_back() {
            Some(id) if !fresh => *id,
            _ => {
                member.next += 1;
                member.next
            }
        };
        member.alive.insert(id);
        let who = pid(&member.id, id);
        let pids = vec![who.clone(); self.dice.random_range(1..3)];
        *member.truth.entry(group.clone()).or_default().entry(who).or_insert(0) += pids.len() as u32;
        member.groups.join(&group, &pids);
    }

    fn leave(&mut self, at: usize) {
        let group = self.group();
        let member = &mut self.nodes[at];
        let Some(id) = member.alive.iter().next().copied() else { return };
        let who = pid(&member.id, id);
        let left = member.groups.leave(&group, std::slice::from_ref(&who));
        let there = member.truth.entry(group).or_default();
        assert_eq!(left, there.contains_key(&who));
        if let Some(count) = there.get_mut(&who) {
            *count -= 1;
            if *count == 0 {
                there.remove(&who);
            }
        }
    }

    fn die(&mut self, at: usize) {
        let member = &mut self.nodes[at];
        let Some(id) = member.alive.pop_first() else { return };
        let who = pid(&member.id, id);
        member.truth.values_mut().for_each(|there| {
            there.remove(&who);
        });
        self.carry_out(at);
        let member = &mut self.nodes[at];
        if member.watched.remove(&who) {
            member.groups.down(&who);
        }
    }

    /// A new scope process on the same node, with what the node knows of itself.
    fn restart(&mut self, at: usize) {
        self.carry_out(at);
        let member = &mut self.nodes[at];
        let old = member.me.clone();
        member.next += 1;
        member.me = pid(&member.id, member.next);
        member.watched.clear();
        let others = (0..NODES).filter(|other| self.connected.contains(&(at, *other)));
        let others: Vec<usize> = others.collect();
        let names: Vec<Atom> = others.iter().map(|other| self.nodes[*other].id.name().clone()).collect();
        let member = &mut self.nodes[at];
        let me = member.me.clone();
        member.groups.begin(me, names);
        for other in others {
            let down = term!({down, (old.clone())});
            self.pipes.entry((at, other)).or_default().push_back(Arrival::Message(None, down));
        }
    }

    fn toggle(&mut self, one: usize) {
        let other = self.some();
        if other == one {
            return;
        }
        for (from, to) in [(one, other), (other, one)] {
            let pipe = self.pipes.entry((from, to)).or_default();
            if self.connected.remove(&(from, to)) {
                // Some of it got through.
                let through = self.dice.random_range(0..=pipe.len());
                pipe.truncate(through);
                pipe.push_back(Arrival::Down);
            } else {
                self.connected.insert((from, to));
                pipe.push_back(Arrival::Up);
            }
        }
    }

    fn deliver(&mut self) -> bool {
        let full: Vec<(usize, usize)> =
            self.pipes.iter().filter(|(_, pipe)| !pipe.is_empty()).map(|(key, _)| *key).collect();
        if full.is_empty() {
            return false;
        }
        let (from, to) = full[self.dice.random_range(0..full.len())];
        let arrival = self.pipes.get_mut(&(from, to)).and_then(VecDeque::pop_front).expect("not empty");
        let peer = self.nodes[from].id.clone();
        let member = &mut self.nodes[to];
        match arrival {
            Arrival::Up => member.groups.node_up(peer.name().clone()),
            Arrival::Down => {
                let theirs: Vec<Pid> =
                    member.watched.iter().filter(|pid| pid.node == peer).cloned().collect();
                for pid in theirs {
                    member.watched.remove(&pid);
                    member.groups.down(&pid);
                }
            }
            Arrival::Message(Some(to), _) if to != member.me => {}
            Arrival::Message(_, message) => match message.as_tuple().unwrap() {
                [word, Term::Pid(dead)] if word.is_atom("down") => {
                    if member.watched.remove(dead) {
                        member.groups.down(dead);
                    }
                }
                _ => member.groups.hear(PeerMessage::read(&message).expect("well said")),
            },
        }
        self.carry_out(to);
        true
    }

    fn carry_out(&mut self, at: usize) {
        for effect in self.nodes[at].groups.take_effects() {
            match effect {
                Effect::SendNode { node, message } => {
                    let message = self.modernised(at, message);
                    let to = self.index(&node);
                    self.push(at, to, None, message);
                }
                Effect::Send { peer, message } | Effect::Cast { peer, message } => {
                    let to = self.index(peer.node.name());
                    self.push(at, to, Some(peer), message);
                }
                Effect::Monitor(pid) => {
                    self.nodes[at].watched.insert(pid.clone());
                    self.answer_monitor(at, &pid);
                }
                Effect::Demonitor(pid) => {
                    self.nodes[at].watched.remove(&pid);
                }
                Effect::Tell { .. } => {}
            }
        }
    }

    /// `noproc`, where nobody is there.
    fn answer_monitor(&mut self, at: usize, pid: &Pid) {
        let home = self.index(pid.node.name());
        let gone = match home == at {
            true => !self.nodes[at].alive.contains(&pid.id),
            false => self.nodes[home].me != *pid,
        };
        if gone && home != at {
            self.pipes
                .entry((home, at))
                .or_default()
                .push_back(Arrival::Message(None, term!({down, (pid.clone())})));
        } else if gone {
            self.nodes[at].watched.remove(pid);
            self.nodes[at].groups.down(pid);
        }
    }

    fn modernised(&self, at: usize, message: Term) -> Term {
        match (self.nodes[at].modern, message.as_tuple()) {
            (true, Some([word, me])) if word.is_atom("discover") => {
                Term::tuple([word.clone(), me.clone(), Term::Int(1)])
            }
            _ => message,
        }
    }

    fn push(&mut self, from: usize, to: usize, whom: Option<Pid>, message: Term) {
        if self.connected.contains(&(from, to)) {
            self.pipes.entry((from, to)).or_default().push_back(Arrival::Message(whom, message));
        }
    }

    /// What everybody must see: their own, and what those have with whom they are connected.
    fn check(&self, seed: u64) {
        for (at, member) in self.nodes.iter().enumerate() {
            for group in (0..3).map(Term::Int) {
                let mut seen = member.groups.table().members(&group).to_vec();
                let visible = |other: &usize| *other == at || self.connected.contains(&(at, *other));
                let bags = (0..NODES).filter(visible).filter_map(|other| self.nodes[other].truth.get(&group));
                let mut truth: Vec<Pid> = bags.flat_map(listed).collect();
                seen.sort();
                truth.sort();
                assert_eq!(seen, truth, "seed {seed}: {} of group {group:?}", member.id.name());
            }
        }
    }
}

#[test]
fn all_who_are_connected_agree_whatever_happened() {
    for seed in 0..120 {
        let mut world = World::new(seed);
        for _ in 0..4 {
            for _ in 0..200 {
                world.step();
            }
            while world.deliver() {}
            world.check(seed);
        }
    }
}
