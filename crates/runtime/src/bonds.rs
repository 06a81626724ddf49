//! Links, monitors and aliases, from the side of the process that makes them.

use std::sync::Arc;

use proto::signal::{Dest, Signal};
use term::{Atom, Pid, Ref, Term};

use crate::address::To;
use crate::ctx::Ctx;
use crate::exit::{NOCONNECTION, NOPROC};
use crate::lane::Lane;
use crate::mail::{Cause, Mail, Order};
use crate::mailbox::{Mark, Turns};
use crate::message::{Down, Look, Message};
use crate::node::counter_of;
use crate::signals::nodedown;
use crate::ties::{AliasMode, Link, Target, Watch};
use crate::watchers::Near;

impl Ctx {
    /// Links this process and another: when one ends, the other gets an exit signal. A link that is there already
    /// stays as it is; the end of a process that is not there is `noproc`.
    pub fn link(&self, to: &Pid) {
        let here = self.process();
        if *to == here.pid {
            return;
        }
        let mut state = here.state();
        let ties = state.ties();
        if ties.links.get(to).is_some_and(|link| link.unlinking.is_none()) {
            return;
        }
        if here.node.seat(to).is_some() {
            ties.links.insert(to.clone(), Link { lane: 0, unlinking: None });
            drop(state);
            if !here.node.push(to, Mail::Link(here.pid.clone())) {
                here.post_self(Mail::exit(to.clone(), Term::Atom(NOPROC), Cause::Link));
            }
            return;
        }
        drop(state);
        let lane = self.tied_lane(to.node.name());
        let mut state = here.state();
        let id = lane.as_ref().map_or(0, |lane| lane.id());
        state.ties().links.insert(to.clone(), Link { lane: id, unlinking: None });
        drop(state);
        let link = Signal::Link { from: here.pid.clone(), to: to.clone() };
        // A tied lane that is down by now has its end in our inbox already.
        match lane {
            Some(lane) => {
                lane.push(link, None);
            }
            None => here.post_self(Mail::exit(to.clone(), Term::Atom(NOCONNECTION), Cause::Link)),
        }
    }

    /// Takes a link away. Once this returns no exit of that link is heard any more.
    pub fn unlink(&self, to: &Pid) {
        let here = self.process();
        let mut state = here.state();
        let Some(ties) = &mut state.ties else { return };
        let Some(link) = ties.links.get(to).filter(|link| link.unlinking.is_none()).cloned() else { return };
        let id = ties.next_unlink();
        ties.links.insert(to.clone(), Link { lane: link.lane, unlinking: Some(id) });
        let lane = ties.lanes.get(&link.lane).cloned();
        drop(state);
        let from = here.pid.clone();
        let told = match lane {
            Some(lane) => lane.push(Signal::Unlink { id, from, to: to.clone() }, None),
            None => here.node.push(to, Mail::order(Order::Unlink { id, from, lane: None })),
        };
        if !told {
            here.state().ties().links.remove(to);
        }
    }

    /// Watches a process, or whoever has a name now: one [`Down`] when it ends, at once if it is not there.
    pub fn monitor<'a>(&mut self, to: impl Into<To<'a>>) -> Ref {
        let (reference, counter) = self.next_reference();
        self.watch(to.into(), &reference, counter, None);
        reference
    }

    /// Watches, and makes the monitor's reference an alias: what others send to it comes here, as long as it lasts.
    /// The pair to ask a question with: whoever answers to the reference cannot be too late.
    pub fn monitor_with_alias<'a>(&mut self, to: impl Into<To<'a>>, mode: AliasMode) -> Ref {
        let (reference, counter) = self.next_reference();
        self.watch(to.into(), &reference, counter, Some(mode));
        reference
    }

    /// Takes a monitor back, and its alias unless that is explicit. With `flush` a [`Down`] that has come already is
    /// thrown away. Whether the monitor was still there.
    pub fn demonitor(&mut self, reference: &Ref, flush: bool) -> bool {
        let here = self.process();
        let Some(counter) = counter_of(reference, &here.pid) else { return false };
        let there = {
            let mut state = here.state();
            let ties = state.ties();
            ties.end_alias(counter);
            here.drop_monitor(ties, counter)
        };
        if flush && !there {
            self.flush_down(reference, counter);
        }
        there
    }

    /// A reference by which others can send to this process, until it is taken back.
    pub fn alias(&mut self, mode: AliasMode) -> Ref {
        let (reference, counter) = self.next_reference();
        self.process().state().ties().aliases.insert(counter, mode);
        reference
    }

    /// Takes an alias back: mail that comes by it from now on is dropped. Whether it was there.
    pub fn unalias(&self, alias: &Ref) -> bool {
        let here = self.process();
        let counter = counter_of(alias, &here.pid);
        counter.is_some_and(|counter| here.state().ties().unalias(counter))
    }

    /// Asks for one `{nodedown, Node}` when the connection to `node` ends, or takes one such request back. Connects
    /// when there is no connection; a node that cannot be reached is down at once.
    pub fn monitor_node(&self, node: impl Into<Atom>, on: bool) {
        let (here, node) = (self.process(), node.into());
        if node == *here.node.name() {
            return;
        }
        if !on {
            let mut state = here.state();
            let ties = state.ties();
            let lanes = &ties.lanes;
            ties.nodes.retain(|id, count| {
                if lanes.get(id).is_some_and(|lane| *lane.peer() == node) {
                    *count -= 1;
                }
                *count > 0
            });
            return;
        }
        match self.tied_lane(&node) {
            Some(lane) => *here.state().ties().nodes.entry(lane.id()).or_insert(0) += 1,
            None => here.post_self(Mail::Message(nodedown(&node))),
        }
    }

    /// The lane to a node, with this process noted on it.
    fn tied_lane(&self, peer: &Atom) -> Option<Arc<Lane>> {
        let here = self.process();
        let lane = here.node.lane_to(peer)?;
        let tied = here.state().ties().tie(&lane, here.seat());
        tied.then_some(lane)
    }

    fn watch(&mut self, to: To<'_>, reference: &Ref, counter: u64, alias: Option<AliasMode>) {
        let desk = self.desk();
        desk.watched = (counter, desk.unread.mark());
        let here = self.process();
        // The usual case in a hurry: a question to a process of this node.
        if let To::PidRef(pid) = &to
            && let Some(seat) = here.node.seat(pid)
        {
            return self.watch_near(Target::Near(seat), reference, counter, alias);
        }
        let near = here.node.name().clone();
        let (target, dest) = match to {
            To::PidRef(pid) => (Target::Pid(pid.clone()), Dest::Pid(pid.clone())),
            To::Pid(pid) => (Target::Pid(pid.clone()), Dest::Pid(pid)),
            To::Name(name) => self.named(name, near),
            To::NameAt(name, node) => self.named(name, node),
            // An alias cannot be watched: it is nobody.
            To::Alias(alias) => (Target::Pid(nobody(&alias)), Dest::Alias(alias)),
            To::AliasRef(alias) => (Target::Pid(nobody(alias)), Dest::Alias(alias.clone())),
        };
        let peer = match &target {
            Target::Near(_) => None,
            Target::Pid(pid) if here.node.seat(pid).is_some() => None,
            Target::Pid(pid) => Some(pid.node.name().clone()),
            Target::Name { node, .. } if node == here.node.name() => None,
            Target::Name { node, .. } => Some(node.clone()),
        };
        let Some(peer) = peer else { return self.watch_near(target, reference, counter, alias) };
        let lane = self.tied_lane(&peer);
        let id = lane.as_ref().map_or(0, |lane| lane.id());
        here.state().ties().note_watch(counter, Watch::new(target, id), alias);
        let (from, reference) = (here.pid.clone(), reference.clone());
        match lane {
            Some(lane) => {
                lane.push(Signal::Monitor { from, to: dest, reference }, None);
            }
            None => {
                let reason = Term::Atom(NOCONNECTION);
                here.post_self(Mail::order(Order::Down { reference, reason }));
            }
        }
    }

    fn named(&self, name: Atom, node: Atom) -> (Target, Dest) {
        let here = &self.process().node;
        let pid = if node == *here.name() { here.whereis(name.clone()) } else { None };
        (Target::Name { pid, name: name.clone(), node }, Dest::Name(name))
    }

    fn watch_near(&self, target: Target, reference: &Ref, counter: u64, alias: Option<AliasMode>) {
        let here = self.process();
        let seat = match &target {
            Target::Near(seat) => Some(*seat),
            Target::Pid(pid) | Target::Name { pid: Some(pid), .. } => here.node.seat(pid),
            Target::Name { pid: None, .. } => None,
        };
        let mut watch = Watch::new(target, 0);
        let mut state = here.state();
        // As in Erlang, one never hears one's own end.
        let there = seat == Some(here.seat())
            || seat.is_some_and(|seat| {
                let near = Near { seat: here.seat(), counter };
                match here.node.table().watch(seat, near, || Mail::Monitor {
                    from: here.pid.clone(),
                    reference: reference.clone(),
                }) {
                    Some(place) => {
                        watch.place = place;
                        true
                    }
                    None => false,
                }
            });
        state.ties().note_watch(counter, watch, alias);
        drop(state);
        if !there {
            let (reference, reason) = (reference.clone(), Term::Atom(NOPROC));
            here.post_self(Mail::order(Order::Down { reference, reason }));
        }
    }

    /// Writes down a monitor whose other half exists.
    pub(crate) fn note_monitor(&self, reference: &Ref, pid: Pid) {
        let here = self.process();
        if let Some(counter) = counter_of(reference, &here.pid) {
            here.state().ties().monitors.insert(counter, Watch::new(Target::Pid(pid), 0));
        }
    }

    fn flush_down(&mut self, reference: &Ref, counter: u64) {
        self.collect();
        let (watched, before) = self.desk().watched;
        let mark = if watched == counter { before } else { Mark::START };
        let is_it = |message: &mut Message| match message.take_down(reference) {
            true => Look::Yes(()),
            false => Look::No,
        };
        let _ = self.desk().unread.find(mark, &mut Turns::unlimited(), is_it, |_, _| {});
    }
}

impl Message {
    /// Whether this is the `Down` of that monitor; takes it if it is. `Down`s are made here and stay as they are until read.
    fn take_down(&mut self, reference: &Ref) -> bool {
        let ours = match &self.0 {
            crate::message::Form::Value(value) => {
                let any: &dyn std::any::Any = &**value;
                any.downcast_ref::<Down>().is_some_and(|down| down.reference == *reference)
            }
            // With a tag of its own, as `demonitor(Reference, [flush])` has it in Erlang.
            crate::message::Form::Term(term) => {
                matches!(term.as_tuple(), Some([_, Term::Ref(of), _, _, _]) if of == reference)
            }
            _ => false,
        };
        if ours {
            self.0 = crate::message::Form::Taken;
        }
        ours
    }
}

fn nobody(alias: &Ref) -> Pid {
    Pid { node: alias.node().clone(), id: 0, serial: 0 }
}
