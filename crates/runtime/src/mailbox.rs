//! Unread mail: what a process has received but not yet read, in order; marks; ceilings.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};

use term::Pid;
use tracing::warn;

use crate::limits::DECODED_BYTES_PER_RECEIVE;
use crate::message::{Look, Message};

/// A place in the stream of a process's mail: everything that came later lies behind it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Mark(pub(crate) u64);

impl Mark {
    /// Before all mail.
    pub const START: Mark = Mark(0);
}

/// What happens when a bounded mailbox is full. Every drop is counted, and said in the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Policy {
    /// Nothing but a word in the log.
    Warn,
    /// The message that came is dropped.
    DropNewest,
    /// The oldest unread message is dropped.
    DropOldest,
    /// The message is dropped and the receiver ends with `mailbox_overflow`.
    ExitReceiver,
}

/// How many messages a mailbox may hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Limit {
    /// As many as there is memory for, as in Erlang.
    #[default]
    Unbounded,
    /// At most `messages_max` unread messages; then `policy`.
    Bounded {
        /// Messages.
        messages_max: usize,
        /// What to do with more.
        policy: Policy,
    },
}

/// The ceiling of one mailbox, and how often it was hit.
pub(crate) struct Bound {
    pub(crate) messages_max: usize,
    pub(crate) policy: Policy,
    pub(crate) hits: AtomicU64,
}

impl Bound {
    pub(crate) fn of(limit: Limit) -> Option<Box<Bound>> {
        match limit {
            Limit::Unbounded => None,
            Limit::Bounded { messages_max, policy } => {
                Some(Box::new(Bound { messages_max, policy, hits: AtomicU64::new(0) }))
            }
        }
    }

    /// Counts one hit; says the 1st, 2nd, 4th, 8th … in the log.
    pub(crate) fn report(&self, pid: &Pid) {
        let hits = self.hits.fetch_add(1, Ordering::Relaxed) + 1;
        if hits.is_power_of_two() {
            let (max, policy) = (self.messages_max, self.policy);
            warn!(%pid, hits, max, ?policy, "the mailbox is full");
        }
    }
}

/// Messages that may still be taken, or decoded, before others get their turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Turns(pub(crate) u32);

impl Turns {
    /// For those who do not wait, and so cannot rest.
    pub(crate) fn unlimited() -> Turns {
        Turns(u32::MAX)
    }

    /// Whether this message may be looked at now. One that is decoded already costs nothing.
    pub(crate) fn take_for(&mut self, message: &Message) -> bool {
        let bytes = message.undecoded_bytes();
        if bytes == 0 {
            return true;
        }
        let before = self.0;
        if before < u32::MAX {
            let cost = 1 + bytes / DECODED_BYTES_PER_RECEIVE;
            self.0 = before.saturating_sub(u32::try_from(cost).unwrap_or(u32::MAX));
        }
        before > 0
    }
}

/// Unread mail. Read messages in the middle leave a gap, so that nothing moves when one is taken from far behind.
#[derive(Default)]
pub(crate) struct Unread {
    entries: VecDeque<Entry>,
    next: u64,
    gaps: usize,
    /// How many messages were looked at, ever: what a mark saves can be seen here.
    pub(crate) scanned: u64,
}

struct Entry {
    number: u64,
    message: Message,
}

/// What a look through the mail found.
pub(crate) enum Found<R> {
    Yes(R),
    /// Nothing; everything before this mark need not be looked at again.
    Nothing(Mark),
    /// Nothing up to this mark; the rest is for another time, because so much had to be decoded.
    Tired(Mark),
}

impl Unread {
    pub(crate) fn push(&mut self, message: Message) {
        self.entries.push_back(Entry { number: self.next, message });
        self.next += 1;
    }

    /// The end of the mail of now.
    pub(crate) fn mark(&self) -> Mark {
        Mark(self.next)
    }

    /// How many messages are unread.
    pub(crate) fn len(&self) -> usize {
        self.entries.len() - self.gaps
    }

    /// Drops the oldest message.
    pub(crate) fn drop_oldest(&mut self) {
        self.trim();
        self.entries.pop_front();
    }

    /// The first message from `mark` on which `look` takes. An undecodable message is dropped and told to `bad`. What must be
    /// decoded uses up `turns`.
    pub(crate) fn find<R>(
        &mut self,
        mark: Mark,
        turns: &mut Turns,
        mut look: impl FnMut(&mut Message) -> Look<R>,
        mut bad: impl FnMut(term::decode::DecodeError, Option<&term::Atom>),
    ) -> Found<R> {
        let mut at = self.place(mark);
        while let Some(entry) = self.entries.get_mut(at) {
            if !entry.message.is_taken() {
                if !turns.take_for(&entry.message) {
                    return Found::Tired(Mark(entry.number));
                }
                self.scanned += 1;
                match look(&mut entry.message) {
                    Look::Yes(value) => {
                        self.remove(at);
                        return Found::Yes(value);
                    }
                    Look::No => {}
                    Look::Undecodable(error) => {
                        bad(error, entry.message.origin());
                        self.remove(at);
                        at = self.place(mark);
                        continue;
                    }
                }
            }
            at += 1;
        }
        Found::Nothing(self.mark())
    }

    fn place(&self, mark: Mark) -> usize {
        match self.entries.front() {
            Some(first) if first.number < mark.0 => self.entries.partition_point(|e| e.number < mark.0),
            _ => 0,
        }
    }

    fn remove(&mut self, at: usize) {
        if at == 0 {
            self.entries.pop_front();
        } else if at + 1 == self.entries.len() {
            self.entries.pop_back();
        } else if let Some(entry) = self.entries.get_mut(at) {
            entry.message = Message(crate::message::Form::Taken);
            self.gaps += 1;
        }
        if self.gaps > 0 {
            self.trim();
            if self.gaps > GAPS_MIN && self.gaps * 2 > self.entries.len() {
                self.entries.retain(|entry| !entry.message.is_taken());
                self.gaps = 0;
            }
        }
    }

    /// No gaps at the ends.
    fn trim(&mut self) {
        while self.gaps > 0 && self.entries.front().is_some_and(|entry| entry.message.is_taken()) {
            self.entries.pop_front();
            self.gaps -= 1;
        }
        while self.gaps > 0 && self.entries.back().is_some_and(|entry| entry.message.is_taken()) {
            self.entries.pop_back();
            self.gaps -= 1;
        }
    }

    /// Gives memory back when nothing is left of a flood.
    pub(crate) fn shrink(&mut self, room: usize) {
        if self.entries.is_empty() && self.entries.capacity() > room {
            self.entries = VecDeque::new();
        }
    }
}

const GAPS_MIN: usize = 64;
