//! What a process does with the signals in its inbox, one after the other, in the order in which they came.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use proto::signal::{Dest, Signal};
use term::{Atom, Pid, Ref, Term};

use crate::exit::{Exit, KILLED, NOCONNECTION};
use crate::lane::Lane;
use crate::mail::{Cause, Mail, Order};
use crate::message::{Down, ExitSignal, Message};
use crate::node::{counter_of, reference};
use crate::process::{Proc, State};
use crate::ties::{AliasMode, Link, Target, Ties, Watch, Watcher};
use crate::watchers::{Near, Watchers};

impl Proc {
    /// Takes mail out of the inbox: messages go to `out`, everything else happens here.
    pub(crate) fn take_in(&self, mail: impl Iterator<Item = Mail>, mut out: impl FnMut(Message)) {
        for mail in mail {
            match mail {
                Mail::Message(message) => out(message),
                Mail::Aliased(counter, message) => {
                    if self.admits(counter) {
                        out(message);
                    }
                }
                Mail::Link(from) => {
                    let link = Link { lane: 0, unlinking: None };
                    self.state().ties().links.entry(from).or_insert(link);
                }
                // Only the dying get such mail, and they answer it.
                Mail::Monitor { .. } => self.node.bounce(&self.pid, mail),
                Mail::Demonitor(reference) => {
                    self.state().ties().watchers.remove(&reference);
                }
                Mail::Order(order) => self.obey(*order, &mut out),
            }
        }
    }

    fn obey(&self, order: Order, out: &mut impl FnMut(Message)) {
        match order {
            Order::Exit { from, reason, cause } => self.on_exit(from, reason, cause, out),
            Order::Unlink { id, from, lane } => self.on_unlink(id, from, lane),
            Order::UnlinkAck { id, from } => self.on_unlink_ack(id, &from),
            Order::UnlinkOld(from) => {
                self.state().ties().links.remove(&from);
            }
            Order::LinkFar { from, lane } => self.on_link_far(from, &lane),
            Order::MonitorFar { from, reference, name, lane } => {
                let mut state = self.state();
                let ties = state.ties();
                if ties.tie(&lane, self.seat()) {
                    ties.watchers.insert(reference, Watcher { pid: from, name, lane: lane.id() });
                }
            }
            Order::Down { reference, reason } => self.on_down(reference, reason, out),
            Order::Leader(leader) => self.state().leader = Some(leader),
            Order::LaneDown { lane, reason } => self.on_lane_down(lane, reason, out),
            Order::SpawnReply { id, lane, linked, monitored, result } => {
                self.on_spawn_reply(id, lane, linked, monitored, result, out);
            }
            Order::Overflow => self.doom(&mut self.state(), Exit::from("mailbox_overflow")),
        }
    }

    /// Whether a message by this alias counts.
    pub(crate) fn admits(&self, counter: u64) -> bool {
        let mut state = self.state();
        let Some(ties) = &mut state.ties else { return false };
        match ties.monitors.get(counter).and_then(|watch| watch.alias) {
            Some(AliasMode::ReplyDemonitor) => {
                self.drop_monitor(ties, counter);
                return true;
            }
            Some(_) => return true,
            None => {}
        }
        let Some(mode) = ties.aliases.get(counter).copied() else { return false };
        if matches!(mode, AliasMode::Reply | AliasMode::ReplyDemonitor) {
            ties.aliases.remove(counter);
        }
        true
    }

    fn on_exit(&self, from: Pid, reason: Term, cause: Cause, out: &mut impl FnMut(Message)) {
        let mut state = self.state();
        if cause == Cause::Shutdown {
            self.doom(&mut state, Exit(reason));
            return;
        }
        if cause == Cause::Link {
            let Some(ties) = &mut state.ties else { return };
            // A link that we have given up does not count; its acknowledgement will still come, or not.
            match ties.links.get(&from) {
                Some(link) if link.unlinking.is_none() => ties.links.remove(&from),
                _ => return,
            };
        } else if reason.is_atom("kill") {
            self.doom(&mut state, Exit(Term::Atom(KILLED)));
            return;
        }
        if state.trap_exit {
            drop(state);
            out(Message::new(ExitSignal { from, reason }));
        } else if !reason.is_atom("normal") || (cause == Cause::Call && from == self.pid) {
            self.doom(&mut state, Exit(reason));
        }
    }

    fn on_link_far(&self, from: Pid, lane: &Arc<Lane>) {
        let mut state = self.state();
        let ties = state.ties();
        if !ties.links.contains_key(&from) && ties.tie(lane, self.seat()) {
            ties.links.insert(from, Link { lane: lane.id(), unlinking: None });
        }
    }

    fn on_unlink(&self, id: u64, from: Pid, lane: Option<Arc<Lane>>) {
        let mut state = self.state();
        let links = &mut state.ties().links;
        if links.get(&from).is_some_and(|link| link.unlinking.is_none()) {
            links.remove(&from);
        }
        self.node.acknowledge_unlink(id, &self.pid, &from, lane.as_ref());
    }

    fn on_unlink_ack(&self, id: u64, from: &Pid) {
        let mut state = self.state();
        let links = &mut state.ties().links;
        if links.get(from).is_some_and(|link| link.unlinking == Some(id)) {
            links.remove(from);
        }
    }

    fn on_down(&self, reference: Ref, reason: Term, out: &mut impl FnMut(Message)) {
        let Some(counter) = counter_of(&reference, &self.pid) else { return };
        let (watch, tag) = {
            let mut state = self.state();
            let ties = state.ties();
            ties.end_alias(counter);
            (ties.monitors.remove(counter), ties.down_tags.remove(&counter))
        };
        if let Some(watch) = watch {
            out(down(tag, Down { reference, target: watch.target.to_term(&self.node), reason }));
        }
    }

    /// Links, monitors, watched nodes, spawn requests, in this order: as OTP does for one process.
    fn on_lane_down(&self, lane: u64, reason: Term, out: &mut impl FnMut(Message)) {
        let (cut, peer) = {
            let mut state = self.state();
            let ties = state.ties();
            let peer = ties.lanes.get(&lane).map(|lane| lane.peer().clone());
            (ties.cut(lane), peer)
        };
        for (pid, link) in cut.links {
            if link.unlinking.is_some() {
                continue;
            }
            let mut state = self.state();
            if state.trap_exit {
                drop(state);
                out(Message::new(ExitSignal { from: pid, reason: reason.clone() }));
            } else {
                self.doom(&mut state, Exit(reason.clone()));
            }
        }
        for (counter, watch) in cut.monitors {
            let tag = {
                let mut state = self.state();
                let ties = state.ties();
                ties.end_alias(counter);
                ties.down_tags.remove(&counter)
            };
            let (reference, reason) = (reference(&self.pid, counter), reason.clone());
            out(down(tag, Down { reference, target: watch.target.to_term(&self.node), reason }));
        }
        for _ in 0..cut.nodedowns {
            let Some(peer) = &peer else { break };
            out(nodedown(peer));
        }
        for (counter, request) in cut.requests {
            self.state().ties().aliases.remove(counter);
            if request.replies.to(false) {
                out(spawn_reply(request.tag, reference(&self.pid, counter), Err(NOCONNECTION)));
            }
        }
    }

    fn on_spawn_reply(
        &self,
        id: Ref,
        lane: Option<Arc<Lane>>,
        linked: bool,
        monitored: bool,
        result: Result<Pid, Atom>,
        out: &mut impl FnMut(Message),
    ) {
        let Some(counter) = counter_of(&id, &self.pid) else { return };
        let mut state = self.state();
        let ties = state.ties();
        let Some(request) = ties.requests.remove(&counter) else {
            // Nobody waits any more: the linked child is told so, the monitored one is of no concern.
            if let (Ok(child), true) = (&result, linked) {
                self.node.send_exit(&self.pid, child, lane.as_ref(), &Term::atom("abandoned"), Cause::Link);
            }
            return;
        };
        let lane_id = lane.as_ref().map_or(0, |lane| lane.id());
        if let Ok(child) = &result {
            if linked {
                ties.links.entry(child.clone()).or_insert(Link { lane: lane_id, unlinking: None });
            }
            if monitored {
                let mut watch = Watch::new(Target::Pid(child.clone()), lane_id);
                if let Some(mode @ (AliasMode::Demonitor | AliasMode::ReplyDemonitor)) =
                    ties.aliases.get(counter).copied()
                {
                    ties.aliases.remove(counter);
                    watch.alias = Some(mode);
                }
                ties.monitors.insert(counter, watch);
                if let Some(tag) = request.down_tag {
                    ties.down_tags.insert(counter, tag);
                }
            }
        } else {
            ties.aliases.remove(counter);
        }
        drop(state);
        if request.replies.to(result.is_ok()) {
            out(spawn_reply(request.tag, id, result));
        }
    }

    /// The process is to end; the first reason counts.
    fn doom(&self, state: &mut State, exit: Exit) {
        state.ties().doom.get_or_insert(exit);
        self.attention.store(true, Ordering::Relaxed);
    }

    /// Takes a monitor of this process back, without flushing.
    pub(crate) fn drop_monitor(&self, ties: &mut Ties, counter: u64) -> bool {
        let Some(watch) = ties.monitors.remove(counter) else { return false };
        ties.down_tags.remove(&counter);
        self.tell_demonitor(ties, watch, counter);
        true
    }

    fn tell_demonitor(&self, ties: &Ties, watch: Watch, counter: u64) {
        if watch.lane != 0
            && let Some(lane) = ties.lanes.get(&watch.lane)
        {
            let to = match watch.target {
                Target::Pid(pid) => Dest::Pid(pid),
                Target::Near(seat) => Dest::Pid(seat.pid(&self.node)),
                Target::Name { name, .. } => Dest::Name(name),
            };
            let reference = reference(&self.pid, counter);
            lane.push(Signal::Demonitor { from: self.pid.clone(), to, reference }, None);
            return;
        }
        let seat = match &watch.target {
            Target::Near(seat) => Some(*seat),
            Target::Pid(pid) | Target::Name { pid: Some(pid), .. } => self.node.seat(pid),
            Target::Name { pid: None, .. } => None,
        };
        if let Some(seat) = seat {
            self.node.table().unwatch(seat, watch.place, Near { seat: self.seat(), counter });
        }
    }

    /// Tells one watcher that this process is down, which it is for nobody else. Whether there was such a watcher.
    pub(crate) fn dismiss(&self, watcher: &Ref, reason: &Term) -> bool {
        let own = |near: Near| {
            let (id, serial) = (near.seat.id, near.seat.serial);
            reference(&Pid { node: self.pid.node.clone(), id, serial }, near.counter)
        };
        if let Some(near) = self.node.table().take_watcher(self.seat(), |near| own(near) == *watcher) {
            let order = Order::Down { reference: own(near), reason: reason.clone() };
            let _ = self.node.post(near.seat, Mail::order(order), self.home());
            return true;
        }
        let mut state = self.state();
        let Some(ties) = state.ties.as_mut() else { return false };
        let Some(far) = ties.watchers.remove(watcher) else { return false };
        let lane = ties.lanes.get(&far.lane).cloned();
        drop(state);
        let from = far.name.map_or_else(|| Dest::Pid(self.pid.clone()), Dest::Name);
        self.node.send_down(from, &far.pid, lane.as_ref(), watcher.clone(), reason);
        true
    }

    /// The last words of a process: links first, then watchers; then whom it watched itself.
    pub(crate) fn tell_the_bereaved(&self, mut ties: Ties, near: Option<Box<Watchers>>, reason: &Term) {
        for (pid, link) in std::mem::take(&mut ties.links) {
            if link.unlinking.is_none() {
                self.node.send_exit(&self.pid, &pid, ties.lanes.get(&link.lane), reason, Cause::Link);
            }
        }
        for watcher in near.iter().flat_map(|near| near.iter()) {
            let (id, serial) = (watcher.seat.id, watcher.seat.serial);
            let own = reference(&Pid { node: self.pid.node.clone(), id, serial }, watcher.counter);
            let order = Order::Down { reference: own, reason: reason.clone() };
            let _ = self.node.post(watcher.seat, Mail::order(order), self.home());
        }
        for (reference, watcher) in std::mem::take(&mut ties.watchers) {
            let lane = ties.lanes.get(&watcher.lane);
            let from = watcher.name.map_or_else(|| Dest::Pid(self.pid.clone()), Dest::Name);
            self.node.send_down(from, &watcher.pid, lane, reference, reason);
        }
        for (counter, watch) in ties.monitors.take_out(|_| true) {
            self.tell_demonitor(&ties, watch, counter);
        }
        for lane in ties.lanes.values() {
            lane.untie(self.seat());
        }
    }
}

/// What a monitor says in the end, with another tag than `'DOWN'` where that was asked for.
fn down(tag: Option<Term>, down: Down) -> Message {
    match tag {
        None => Message::new(down),
        Some(tag) => {
            let Down { reference, target, reason } = down;
            Message::new(Term::tuple([tag, Term::Ref(reference), Term::atom("process"), target, reason]))
        }
    }
}

/// `{nodedown, Node}`.
pub(crate) fn nodedown(peer: &Atom) -> Message {
    Message::new(Term::tuple([Term::atom("nodedown"), Term::Atom(peer.clone())]))
}

/// `{spawn_reply, Id, ok | error, PidOrReason}`.
pub(crate) fn spawn_reply(tag: Term, id: Ref, result: Result<Pid, Atom>) -> Message {
    let (word, what) = match result {
        Ok(pid) => ("ok", Term::Pid(pid)),
        Err(reason) => ("error", Term::Atom(reason)),
    };
    Message::new(Term::tuple([tag, Term::Ref(id), Term::atom(word), what]))
}
