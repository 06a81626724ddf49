//! Scopes without nodes: what they say to whom, and that all who are connected agree, whatever happened.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use term::{Atom, NodeId, Pid, Ref, Term, term};

use super::groups::{Effect, Groups};
use super::table::listed;
use super::wire::{Change, PeerMessage};

fn node(name: &str) -> NodeId {
    NodeId::new(Atom::new(&format!("{name}@h")), 1)
}

fn pid(node: &NodeId, id: u32) -> Pid {
    Pid { node: node.clone(), id, serial: 0 }
}

/// The scope of `a`, which has the process 1, and another's scope process.
fn scope() -> (Groups, Pid, Pid) {
    let mut groups = Groups::new(node("a"));
    let me = pid(&node("a"), 1);
    groups.begin(me.clone(), []);
    groups.take_effects();
    (groups, me, pid(&node("b"), 1))
}

fn hear(groups: &mut Groups, message: &Term) -> Vec<Effect> {
    groups.hear(PeerMessage::read(message).unwrap_or_else(|| panic!("understood: {message:?}")));
    groups.take_effects()
}

fn send(peer: &Pid, message: Term) -> Effect {
    Effect::Send { peer: peer.clone(), message }
}

fn cast(peer: &Pid, message: Term) -> Effect {
    Effect::Cast { peer: peer.clone(), message }
}

#[test]
fn a_scope_that_begins_asks_all_and_answers_with_all_it_has() {
    let (mut groups, me, b) = scope();
    groups.begin(me.clone(), [Atom::new("b@h")]);
    let discover = || term!({discover, (me.clone())});
    let asked = [Effect::SendNode { node: Atom::new("b@h"), message: discover() }];
    assert_eq!(groups.take_effects(), asked);
    groups.node_up(Atom::new("b@h"));
    assert_eq!(groups.take_effects(), asked);
    let member = pid(&node("a"), 7);
    groups.join(&term!(g), &[member.clone(), member.clone()]);
    assert_eq!(groups.take_effects(), [Effect::Monitor(member.clone())], "there is nobody to tell");
    let sync = || term!({sync, (me.clone()), [{g, [(member.clone()), (member.clone())]}]});
    let discovered = hear(&mut groups, &term!({discover, (b.clone())}));
    assert_eq!(discovered, [Effect::Monitor(b.clone()), cast(&b, sync()), send(&b, discover())]);
    assert_eq!(hear(&mut groups, &term!({discover, (b.clone())})), [cast(&b, sync())], "known by now");
}

#[test]
fn each_peer_is_spoken_to_in_the_version_it_knows() {
    let (mut groups, me, old) = scope();
    let new = pid(&node("c"), 1);
    hear(&mut groups, &term!({discover, (old.clone())}));
    assert_eq!(
        hear(&mut groups, &term!({discover, (new.clone()), 1})),
        [
            Effect::Monitor(new.clone()),
            cast(&new, term!({local_data, (me.clone()), 1, #{}})),
            send(&new, term!({discover, (me.clone()), 1})),
        ]
    );
    let p = pid(&node("a"), 7);
    groups.join(&term!(g), std::slice::from_ref(&p));
    groups.join(&term!(g), &[p.clone(), p.clone()]);
    assert!(groups.leave(&term!(g), std::slice::from_ref(&p)));
    groups.join(&term!(h), std::slice::from_ref(&p));
    assert!(!groups.leave(&term!(i), std::slice::from_ref(&p)), "never joined");
    groups.down(&p);
    let me = || Term::Pid(me.clone());
    let p = || Term::Pid(p.clone());
    let sent = groups.take_effects();
    let to = |peer: &Pid| -> Vec<Term> {
        let mine = sent.iter().filter_map(|effect| match effect {
            Effect::Send { peer: to, message } if to == peer => Some(message.clone()),
            _ => None,
        });
        mine.collect()
    };
    assert_eq!(
        to(&old),
        [
            term!({join, (me()), g, (p())}),
            term!({join, (me()), g, [(p()), (p())]}),
            term!({leave, (me()), (p()), [g]}),
            term!({join, (me()), h, (p())}),
            term!({leave, (me()), (p()), [g, g, h]}),
        ]
    );
    assert_eq!(
        to(&new),
        [
            term!({update, (me()), [{g, [(p())], []}]}),
            term!({update, (me()), [{g, [(p()), (p())], []}]}),
            term!({update, (me()), [{g, [], [(p())]}]}),
            term!({update, (me()), [{h, [(p())], []}]}),
            term!({update, (me()), [{g, [], [(p()), (p())]}, {h, [], [(p())]}]}),
        ]
    );
}

#[test]
fn a_peer_of_either_version_is_understood_whatever_it_said_first() {
    for discover in [false, true] {
        let (mut groups, _, b) = scope();
        let (x, y) = (pid(&b.node, 8), pid(&b.node, 9));
        let (b, tx, ty) = (Term::Pid(b), Term::Pid(x.clone()), Term::Pid(y.clone()));
        let members = |groups: &Groups, group: &str| groups.table().members(&Term::atom(group)).to_vec();
        hear(&mut groups, &term!({join, (b.clone()), g, (tx.clone())}));
        assert!(members(&groups, "g").is_empty(), "from a stranger");
        if discover {
            hear(&mut groups, &term!({discover, (b.clone()), 1}));
        }
        hear(&mut groups, &term!({sync, (b.clone()), [{g, [(tx.clone())]}, {h, [(ty.clone())]}, {e, []}]}));
        assert_eq!((members(&groups, "g"), members(&groups, "h")), (vec![x.clone()], vec![y.clone()]));
        assert!(members(&groups, "e").is_empty());
        hear(&mut groups, &term!({join, (b.clone()), g, [(tx.clone()), (ty.clone())]}));
        assert_eq!(members(&groups, "g"), [x.clone(), x.clone(), y.clone()]);
        hear(
            &mut groups,
            &term!({update, (b.clone()), [{g, [(ty.clone())], [(tx.clone())]}, {h, [], [(ty.clone())]}]}),
        );
        assert_eq!(members(&groups, "g"), [x.clone(), y.clone(), y.clone()]);
        assert_eq!(groups.table().groups(), [term!(g)]);
        hear(&mut groups, &term!({leave, (b.clone()), (ty.clone()), [g, h, g, g]}));
        assert_eq!(members(&groups, "g"), std::slice::from_ref(&x));
        hear(&mut groups, &term!({local_data, (b.clone()), 1, #{h => [(ty.clone())], g => [(ty.clone())]}}));
        assert_eq!((members(&groups, "g"), members(&groups, "h")), (vec![y.clone()], vec![y.clone()]));
        groups.down(b.as_pid().unwrap());
        assert!(groups.table().groups().is_empty());
    }
}

#[test]
fn those_who_monitor_hear_exactly_what_changed() {
    let (mut groups, _, b) = scope();
    let (mine, x, y) = (pid(&node("a"), 7), pid(&b.node, 8), pid(&b.node, 9));
    let (one, all) = (Ref::new(node("a"), &[1, 0, 0]).unwrap(), Ref::new(node("a"), &[2, 0, 0]).unwrap());
    assert!(groups.monitor(one.clone(), &mine, Some(term!(g))));
    assert!(groups.monitor(all.clone(), &mine, None));
    assert_eq!(groups.take_effects(), [Effect::Monitor(mine.clone())], "once is enough");
    let told = |effects: Vec<Effect>| -> Vec<Term> {
        let messages = effects.into_iter().filter_map(|effect| match effect {
            Effect::Tell { message, .. } => Some(message),
            _ => None,
        });
        messages.collect()
    };
    let (tb, tx, ty) = (Term::Pid(b.clone()), Term::Pid(x), Term::Pid(y));
    let sync = term!({sync, (tb.clone()), [{g, [(tx.clone())]}, {h, [(tx.clone())]}]});
    assert_eq!(
        told(hear(&mut groups, &sync)),
        [
            term!({(all.clone()), join, g, [(tx.clone())]}),
            term!({(one.clone()), join, g, [(tx.clone())]}),
            term!({(all.clone()), join, h, [(tx.clone())]}),
        ]
    );
    assert!(told(hear(&mut groups, &sync)).is_empty(), "nothing is new");
    let sync = term!({sync, (tb.clone()), [{g, [(tx.clone()), (ty.clone())]}]});
    assert_eq!(
        told(hear(&mut groups, &sync)),
        [
            term!({(all.clone()), join, g, [(ty.clone())]}),
            term!({(one.clone()), join, g, [(ty.clone())]}),
            term!({(all.clone()), leave, h, [(tx.clone())]}),
        ]
    );
    assert!(groups.demonitor(&all) && !groups.demonitor(&all));
    groups.down(&b);
    assert_eq!(told(groups.take_effects()), [term!({(one.clone()), leave, g, [(tx), (ty)]})]);
    assert!(groups.demonitor(&one));
    assert_eq!(groups.take_effects(), [Effect::Demonitor(mine)]);
}

#[test]
fn what_is_malformed_is_not_understood_and_strangers_members_are_left_out() {
    let b = pid(&node("b"), 1);
    let tb = || Term::Pid(b.clone());
    let x = || Term::Pid(pid(&b.node, 8));
    for bad in [
        term!(discover),
        term!({ discover }),
        term!({discover, b}),
        term!({discover, (tb()), x}),
        term!({discover, (tb()), -1}),
        term!({sync, (tb()), g}),
        term!({sync, (tb()), [g]}),
        term!({sync, (tb()), [{g, [1]}]}),
        term!({sync, (tb()), [{g, [(x()) | 1]}]}),
        term!({sync, (tb()), [{g, []} | 1]}),
        term!({join, (tb()), g, 1}),
        term!({join, (tb()), g}),
        term!({leave, (tb()), (x()), g}),
        term!({leave, (tb()), (x()), [g | g]}),
        term!({update, (tb()), [{g, [], 1}]}),
        term!({update, (tb()), [{g, []}]}),
        term!({local_data, (tb()), 1, []}),
        term!({local_data, (tb()), x, #{}}),
        term!({local_data, (tb()), 1, #{g => 1}}),
    ] {
        assert_eq!(PeerMessage::read(&bad), None, "{bad:?}");
    }
    let stranger = Term::Pid(pid(&node("c"), 8));
    let (mut groups, me, _) = scope();
    hear(&mut groups, &term!({sync, (tb()), [{g, [(stranger.clone()), (x())]}]}));
    hear(&mut groups, &term!({join, (tb()), h, (stranger)}));
    assert_eq!(groups.table().members(&term!(g)).to_vec(), [pid(&b.node, 8)]);
    assert!(groups.table().members(&term!(h)).is_empty());
    assert!(hear(&mut groups, &term!({discover, (me)})).is_empty(), "we are no peer of ours");
}

#[test]
fn a_scope_process_that_begins_again_keeps_our_members_and_asks_for_the_others() {
    let (mut groups, _, b) = scope();
    let (mine, x) = (pid(&node("a"), 7), Term::Pid(pid(&b.node, 8)));
    groups.join(&term!(g), std::slice::from_ref(&mine));
    let of = Ref::new(node("a"), &[1, 0, 0]).unwrap();
    groups.monitor(of.clone(), &mine, None);
    hear(&mut groups, &term!({sync, (Term::Pid(b.clone())), [{g, [(x.clone())]}]}));
    let again = pid(&node("a"), 2);
    groups.begin(again.clone(), [b.node.name().clone()]);
    assert_eq!(
        groups.take_effects(),
        [
            Effect::Tell { pid: mine.clone(), message: term!({(of), leave, g, [(x)]}) },
            Effect::Monitor(mine.clone()),
            Effect::SendNode { node: b.node.name().clone(), message: term!({discover, (again.clone())}) },
        ]
    );
    let sync = term!({sync, (again), [{g, [(Term::Pid(mine))]}]});
    assert_eq!(hear(&mut groups, &term!({discover, (b.clone())}))[1], cast(&b, sync));
}

#[test]
fn a_peer_that_could_not_be_told_everything_gets_everything() {
    let (mut groups, me, b) = scope();
    hear(&mut groups, &term!({discover, (b.clone())}));
    let mine = pid(&node("a"), 7);
    groups.join(&term!(g), std::slice::from_ref(&mine));
    groups.catch_up(&b);
    let sync = term!({sync, (me), [{g, [(Term::Pid(mine.clone()))]}]});
    assert_eq!(groups.take_effects(), [Effect::Monitor(mine), cast(&b, sync)], "not twice");
}

#[test]
fn a_change_is_read_as_it_is_made() {
    let b = pid(&node("b"), 1);
    let x = pid(&b.node, 8);
    let read = PeerMessage::read(&term!({join, (b.clone()), {room, 1}, (x.clone())}));
    let change = Change { group: term!({room, 1}), join: vec![x], leave: vec![] };
    assert_eq!(read, Some(PeerMessage::Update { peer: b, changes: vec![change] }));
}

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
        self.settle(one);
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
        self.settle(to);
        true
    }

    fn settle(&mut self, at: usize) {
        self.carry_out(at);
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
    for seed in 0..300 {
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
