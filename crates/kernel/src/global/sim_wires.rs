//! The wires of the simulator's world: packets in order, delays, and who dials whom when something has to be sent.

use std::cmp::Reverse;

use term::Pid;

use super::events::{Actor, Event};
use super::sim_signals::{Due, Signal, What};
use super::sim_world::{MS, World, way};

impl World {
    pub(super) fn transmit(&mut self, from: usize, to: usize, signal: Signal) {
        let creation = self.nodes[from].creation;
        if from == to {
            return self.schedule(0, What::Run { at: to, creation, signal });
        }
        let wait = self.delay();
        let now = self.now;
        let Some(conn) = self.nodes[from].life.as_ref().and_then(|life| life.up.get(&to)).copied() else {
            return;
        };
        let (key, direction) = way(from, to);
        let Some(current) = self.conns.get_mut(&key).filter(|current| current.id == conn) else { return };
        let sender = signal.sender();
        let last = current.last_of.get(&(direction, sender)).copied().unwrap_or(current.up[direction]);
        let at = (last + 1).max(now + wait);
        let number = current.sent[direction];
        current.sent[direction] += 1;
        if !current.broken {
            current.last[direction] = at.max(current.last[direction]);
            current.last_of.insert((direction, sender), at);
        }
        self.schedule_at(at, What::Packet { conn, from, at: to, number, signal });
    }

    pub(super) fn connect_and_send(&mut self, from: usize, to: usize, signal: Signal) {
        let Some(life) = self.nodes[from].life.as_mut() else { return };
        if from == to || life.up.contains_key(&to) {
            return self.transmit(from, to, signal);
        }
        life.waiting.entry(to).or_default().push(signal);
        self.dial(from, to);
    }

    pub(super) fn near(&mut self, at: usize, event: Event) {
        let creation = self.nodes[at].creation;
        self.schedule(0, What::Near { at, creation, event });
    }

    pub(super) fn actor(&self, at: usize, actor: &Actor) -> Pid {
        self.nodes[at].life.as_ref().unwrap().machine.pid_of(actor)
    }

    pub(super) fn schedule(&mut self, wait: u64, what: What) {
        self.schedule_at(self.now + wait, what);
    }

    pub(super) fn schedule_at(&mut self, at: u64, what: What) {
        self.next += 1;
        self.heap.push(Reverse(Due { at, order: self.next, what }));
    }

    pub(super) fn delay(&mut self) -> u64 {
        let most = if self.dice.below(16) == 0 { 400 } else { 12 };
        (1 + self.dice.below(most)) * MS
    }

    pub(super) fn notice(&mut self) -> u64 {
        let most = if self.dice.below(8) == 0 { 15_000 } else { 300 };
        (1 + self.dice.below(most)) * MS
    }
}
