//! Whose turn it is: the order of what waits. Per sender first come, first served; between senders, fair.

use std::collections::{BTreeMap, VecDeque};

use term::Pid;

use super::Queued;
use crate::connection::control::encode::term_inside;
use crate::connection::fragments::Rope;
use crate::limits::FRAGMENT_BYTES;
use crate::signal::{Dest, Parcel, Signal};

/// Everything that waits.
pub(super) struct Turns {
    fragments: bool,
    /// All signals, in the order they were pushed.
    queue: VecDeque<Queued>,
    /// Senders with a sequence of fragments under way, or signals behind one.
    senders: BTreeMap<Pid, Sender>,
    /// Those of them whose sequence is not just being written, in the order of their turns.
    order: VecDeque<Pid>,
    /// Signals whose sender cannot be told: each waits for all senders that were busy when it came.
    held: VecDeque<(u64, Queued)>,
    /// Bytes of whole signals written since the last fragment.
    since_fragment: usize,
    /// Senders that ever became busy.
    busy: u64,
    /// Sequences that were ever begun.
    sequences: u64,
}

/// A sender with bulk.
struct Sender {
    /// What it has under way; nothing while that is being written.
    current: Option<Sequence>,
    /// What it said later.
    waiting: VecDeque<Queued>,
    /// Its number among those that ever became busy.
    busy: u64,
}

/// A payload that leaves in fragments.
pub(crate) struct Sequence {
    pub(super) id: u64,
    /// The number of the next fragment, counting down to 1.
    pub(super) fragment: u64,
    pub(super) code: u8,
    pub(super) signal: Signal,
    pub(super) atoms: Vec<term::Atom>,
    pub(super) rope: Rope,
    pub(super) begun: bool,
    sender: Pid,
    cost: usize,
}

/// What is to be written next.
pub(super) enum Next {
    Whole(Queued),
    /// One fragment of this; to be put back afterwards.
    Fragment(Sequence),
}

impl Turns {
    pub(super) fn new(fragments: bool) -> Turns {
        Turns {
            fragments,
            queue: VecDeque::new(),
            senders: BTreeMap::new(),
            order: VecDeque::new(),
            held: VecDeque::new(),
            since_fragment: 0,
            busy: 0,
            sequences: 0,
        }
    }

    pub(super) fn push(&mut self, queued: Queued) {
        self.queue.push_back(queued);
    }

    /// Whole signals go first, but after a fragment's worth of them a fragment has its turn.
    pub(super) fn next(&mut self) -> Option<Next> {
        while self.order.is_empty() || self.since_fragment < FRAGMENT_BYTES {
            if let Some(released) = self.release() {
                return Some(Next::Whole(released));
            }
            let Some(queued) = self.queue.pop_front() else { break };
            if self.senders.is_empty() && !self.is_bulk(&queued) {
                return Some(Next::Whole(queued));
            }
            if let Some(free) = self.sort(queued) {
                return Some(Next::Whole(free));
            }
        }
        self.since_fragment = 0;
        self.turn()
    }

    /// The first of the queue, where it lies, when nobody has bulk: by far the usual case.
    pub(super) fn plain(&mut self) -> Option<&mut Queued> {
        let alone = self.senders.is_empty() && self.held.is_empty();
        if !alone || self.queue.front().is_none_or(|queued| self.is_bulk(queued)) {
            return None;
        }
        self.queue.front_mut()
    }

    /// Forgets what [`Turns::plain`] gave.
    pub(super) fn plain_done(&mut self) {
        self.queue.pop_front();
    }

    pub(super) fn wrote(&mut self, bytes: usize) {
        self.since_fragment += bytes;
    }

    /// Takes a sequence back after a fragment of it was written.
    pub(super) fn put_back(&mut self, sequence: Sequence) {
        let Some(sender) = self.senders.get_mut(&sequence.sender) else { return };
        let pid = sequence.sender.clone();
        if sequence.fragment > 0 {
            sender.current = Some(sequence);
            self.order.push_back(pid);
        } else if sender.waiting.is_empty() {
            self.senders.remove(&pid);
        } else {
            self.order.push_back(pid);
        }
    }

    /// The next of a busy sender: a fragment, or a signal that had to wait behind one.
    fn turn(&mut self) -> Option<Next> {
        let pid = self.order.pop_front()?;
        let sender = self.senders.get_mut(&pid)?;
        if let Some(sequence) = sender.current.take() {
            return Some(Next::Fragment(sequence));
        }
        let queued = sender.waiting.pop_front()?;
        if self.is_bulk(&queued) {
            return Some(Next::Fragment(self.sequence(pid, queued)));
        }
        if self.senders.get(&pid).is_some_and(|sender| sender.waiting.is_empty()) {
            self.senders.remove(&pid);
        } else {
            self.order.push_back(pid);
        }
        Some(Next::Whole(queued))
    }

    /// Puts a signal where it belongs; gives it back when it may go at once.
    fn sort(&mut self, queued: Queued) -> Option<Queued> {
        let Some(pid) = sender_of(&queued.parcel.signal).cloned() else {
            if self.senders.is_empty() {
                return Some(queued);
            }
            self.held.push_back((self.busy, queued));
            return None;
        };
        if let Some(sender) = self.senders.get_mut(&pid) {
            sender.waiting.push_back(queued);
            return None;
        }
        if !self.is_bulk(&queued) {
            return Some(queued);
        }
        let sequence = self.sequence(pid.clone(), queued);
        self.busy += 1;
        let sender = Sender { current: Some(sequence), waiting: VecDeque::new(), busy: self.busy };
        self.senders.insert(pid.clone(), sender);
        self.order.push_back(pid);
        None
    }

    /// The first held signal, if all that was before it is out.
    fn release(&mut self) -> Option<Queued> {
        let (barrier, _) = self.held.front()?;
        if self.senders.values().any(|sender| sender.busy <= *barrier) {
            return None;
        }
        self.held.pop_front().map(|(_, queued)| queued)
    }

    /// Whether it leaves in fragments. (What has no sender to take turns with does not.)
    fn is_bulk(&self, queued: &Queued) -> bool {
        // The cost is never less than the length of the payload.
        let long = || queued.parcel.payload.as_ref().is_some_and(|payload| payload.len() > FRAGMENT_BYTES);
        queued.cost > FRAGMENT_BYTES
            && self.fragments
            && !term_inside(queued.code)
            && long()
            && sender_of(&queued.parcel.signal).is_some()
    }

    fn sequence(&mut self, sender: Pid, queued: Queued) -> Sequence {
        self.sequences += 1;
        let Queued { code, parcel: Parcel { signal, payload }, cost } = queued;
        let payload = payload.unwrap_or_default();
        let fragment = payload.len().div_ceil(FRAGMENT_BYTES) as u64;
        Sequence {
            id: self.sequences,
            fragment,
            code,
            signal,
            atoms: payload.atoms,
            rope: Rope::new(payload.bytes, payload.splices),
            begun: false,
            sender,
            cost,
        }
    }
}

impl Sequence {
    /// What a part that was written counted for; with the last one goes the rest.
    pub(super) fn cost_of(&mut self, part: usize) -> usize {
        let cost = if self.fragment == 0 { self.cost } else { part.min(self.cost) };
        self.cost -= cost;
        cost
    }
}

/// Who said it; nothing where the signal does not tell.
fn sender_of(signal: &Signal) -> Option<&Pid> {
    match signal {
        Signal::Send { from, .. } => from.as_ref(),
        Signal::Exit { from, .. }
        | Signal::Exit2 { from, .. }
        | Signal::Link { from, .. }
        | Signal::Unlink { from, .. }
        | Signal::UnlinkAck { from, .. }
        | Signal::UnlinkOld { from, .. }
        | Signal::Monitor { from, .. }
        | Signal::Demonitor { from, .. }
        | Signal::SpawnRequest { from, .. } => Some(from),
        Signal::Down { from: Dest::Pid(pid), .. } | Signal::SpawnReply { result: Ok(pid), .. } => Some(pid),
        Signal::Down { .. } | Signal::SpawnReply { .. } | Signal::GroupLeader { .. } => None,
    }
}
