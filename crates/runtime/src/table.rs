//! The process table: a slot for every process, and in it its inbox.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::Waker;

use term::Pid;

use crate::lane::Lane;
use crate::limits::{LAZY_SIGNALS_MAX, PROCESSES_MAX};
use crate::mail::{Mail, Order};
use crate::mailbox::Policy;
use crate::message::{self, Form, Message};
use crate::node::Node;
use crate::process::{Proc, Task};
use crate::watchers::{Near, Watchers};

/// Slots in chunks that are made when they are needed and never move.
pub(crate) struct Table {
    /// The first chunks, which are small.
    first: [Chunk; CHUNKS_SMALL],
    /// The others, in groups: of a node with few processes not even their places are there.
    groups: [OnceLock<Box<[Chunk]>>; GROUPS],
    free: [Shard; FREE_SHARDS],
    next: AtomicU32,
    alive: AtomicU32,
}

/// Slots side by side.
type Chunk = OnceLock<Box<[Slot]>>;

/// Seats to use again.
#[derive(Default)]
struct Shard {
    /// About how many there are: saves the lock where there are none.
    count: AtomicU32,
    seats: Mutex<Vec<Seat>>,
}

/// A place in the table and how often it was used before: the two numbers of a pid.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Seat {
    pub(crate) id: u32,
    pub(crate) serial: u32,
}

impl Seat {
    /// The pid of whoever sits there.
    pub(crate) fn pid(self, here: &Node) -> Pid {
        Pid { node: here.id().clone(), id: self.id, serial: self.serial }
    }
}

/// One slot.
pub(crate) struct Slot(Mutex<Body>);

pub(crate) struct Body {
    pub(crate) serial: u32,
    pub(crate) life: Life,
    /// The process waits for mail: the next message wakes it.
    pub(crate) receiving: bool,
    /// The process was woken while it ran, or waited for its turn.
    pub(crate) woken: bool,
    kind: Kind,
    /// There is more than messages in the inbox.
    pub(crate) orders: bool,
    pub(crate) inbox: VecDeque<Mail>,
    /// The process itself, while it rests.
    pub(crate) task: Option<Task>,
    /// Wakes whoever polls `receive` when that is not the process itself.
    pub(crate) reader: Option<Box<Waker>>,
    /// Monitors on the process from this node.
    pub(crate) watchers: Option<Box<Watchers>>,
    pub(crate) process: Option<Arc<Proc>>,
}

/// What is special about the inbox of a process.
#[derive(Clone, Copy, Default)]
pub(crate) struct Kind {
    /// It has a ceiling.
    pub(crate) bounded: bool,
    /// What peers send there is counted.
    pub(crate) service: bool,
}

/// Whom a piece of mail has woken. To be seen to when the slot is not locked any more.
#[derive(Default)]
#[must_use]
pub(crate) struct Roused {
    pub(crate) task: Option<Task>,
    pub(crate) reader: Option<Box<Waker>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    Free,
    Alive,
    /// Ended, but its inbox still takes mail, to be answered.
    Exiting,
}

impl Table {
    pub(crate) fn new() -> Table {
        Table {
            first: Default::default(),
            groups: [const { OnceLock::new() }; GROUPS],
            free: Default::default(),
            next: AtomicU32::new(0),
            alive: AtomicU32::new(0),
        }
    }

    /// A free seat, preferably near `hint`; `None` when the table is full.
    pub(crate) fn reserve(&self, hint: u32) -> Option<Seat> {
        for turn in 0..FREE_SHARDS {
            let shard = &self.free[(hint as usize).wrapping_add(turn) % FREE_SHARDS];
            if shard.count.load(Ordering::Relaxed) == 0 {
                continue;
            }
            let mut seats = lock(&shard.seats);
            if let Some(seat) = seats.pop() {
                shard.count.store(seats.len() as u32, Ordering::Relaxed);
                return Some(seat);
            }
        }
        let index = self.next.fetch_add(1, Ordering::SeqCst);
        if index >= PROCESSES_MAX {
            self.next.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        Some(Seat { id: index + ID_FIRST, serial: 0 })
    }

    /// Makes the seat a living process.
    pub(crate) fn install(&self, seat: Seat, process: Arc<Proc>, kind: Kind) {
        let (chunk, offset) = place(seat.id - ID_FIRST);
        let home = match chunk.checked_sub(CHUNKS_SMALL) {
            None => &self.first[chunk],
            Some(large) => {
                let group = &self.groups[large / GROUP_CHUNKS];
                let made = || (0..GROUP_CHUNKS).map(|_| OnceLock::new()).collect();
                &group.get_or_init(made)[large % GROUP_CHUNKS]
            }
        };
        let slots = home.get_or_init(|| (0..chunk_slots(chunk)).map(|_| Slot::empty()).collect());
        let mut body = slots[offset].lock();
        body.serial = seat.serial;
        body.life = Life::Alive;
        body.kind = kind;
        body.process = Some(process);
        self.alive.fetch_add(1, Ordering::SeqCst);
    }

    /// The slot with this number, if it was ever used.
    #[inline]
    pub(crate) fn slot(&self, id: u32) -> Option<&Slot> {
        let index = id.checked_sub(ID_FIRST)?;
        let (chunk, offset) = place(index);
        let home = match self.first.get(chunk) {
            Some(first) => first,
            None => {
                let large = chunk - CHUNKS_SMALL;
                &self.groups.get(large / GROUP_CHUNKS)?.get()?[large % GROUP_CHUNKS]
            }
        };
        home.get()?.get(offset)
    }

    /// The slot of a process that is still there, locked.
    #[inline]
    pub(crate) fn find(&self, seat: Seat) -> Option<MutexGuard<'_, Body>> {
        let body = self.slot(seat.id)?.lock();
        (body.serial == seat.serial && body.life != Life::Free).then_some(body)
    }

    /// Puts mail into the inbox of a process, or gives it back when there is no such process.
    pub(crate) fn push(&self, seat: Seat, mail: Mail) -> Result<Roused, Mail> {
        match self.find(seat) {
            Some(mut body) => Ok(body.push(mail)),
            None => Err(mail),
        }
    }

    /// The same for a message from here; `None` when there is no such process.
    #[inline]
    pub(crate) fn push_value(&self, seat: Seat, value: Box<dyn message::Near>) -> Option<Roused> {
        let mut body = self.find(seat)?;
        if body.kind.bounded {
            return Some(body.push(Mail::Message(Message(Form::Value(value)))));
        }
        body.inbox.push_back(Mail::Message(Message(Form::Value(value))));
        Some(body.say_mail())
    }

    /// The same for a message that came through `lane`.
    pub(crate) fn push_far(&self, seat: Seat, mut mail: Mail, lane: &Arc<Lane>) -> Result<Roused, Mail> {
        match self.find(seat) {
            Some(mut body) => {
                if body.kind.service
                    && let Mail::Message(message) | Mail::Aliased(_, message) = &mut mail
                {
                    message.count_for(lane);
                }
                Ok(body.push(mail))
            }
            None => Err(mail),
        }
    }

    /// Adds a monitor to a process: its place, or nothing when there is no such process. One that is ending gets the
    /// monitor as mail, which it answers, in its order.
    pub(crate) fn watch(&self, seat: Seat, near: Near, mail: impl FnOnce() -> Mail) -> Option<Option<u32>> {
        let mut body = self.find(seat)?;
        if body.life == Life::Exiting {
            body.orders = true;
            body.inbox.push_back(mail());
            return Some(None);
        }
        Some(Some(body.watchers.get_or_insert_default().add(near)))
    }

    /// Takes a monitor away from a process.
    pub(crate) fn unwatch(&self, seat: Seat, place: Option<u32>, near: Near) {
        if let Some(mut body) = self.find(seat)
            && let Some(watchers) = &mut body.watchers
        {
            watchers.remove(place, near);
        }
    }

    /// Takes away the monitor for which this holds.
    pub(crate) fn take_watcher(&self, seat: Seat, is: impl Fn(Near) -> bool) -> Option<Near> {
        self.find(seat)?.watchers.as_mut()?.take(is)
    }

    /// Frees the seat of a process whose inbox is closed.
    pub(crate) fn release(&self, seat: Seat) {
        self.alive.fetch_sub(1, Ordering::SeqCst);
        let next = Seat { id: seat.id, serial: seat.serial.wrapping_add(1) };
        let shard = &self.free[seat.id as usize % FREE_SHARDS];
        let mut seats = lock(&shard.seats);
        seats.push(next);
        shard.count.store(seats.len() as u32, Ordering::Relaxed);
    }

    /// How many processes there are. A node that closes says so and then looks here; who comes or goes counts here and then
    /// looks whether the node closes: in one order, so that one of the two sees the other.
    pub(crate) fn alive(&self) -> u32 {
        self.alive.load(Ordering::SeqCst)
    }

    /// The processes there are, in the order of their slots.
    pub(crate) fn processes(&self) -> Vec<Arc<Proc>> {
        let made = self.next.load(Ordering::SeqCst).min(PROCESSES_MAX);
        (0..made).filter_map(|index| self.process_at(index)).collect()
    }

    fn process_at(&self, index: u32) -> Option<Arc<Proc>> {
        let body = self.slot(index + ID_FIRST)?.lock();
        (body.life == Life::Alive).then(|| body.process.clone()).flatten()
    }
}

impl Slot {
    fn empty() -> Slot {
        Slot(Mutex::new(Body {
            serial: 0,
            life: Life::Free,
            receiving: false,
            woken: false,
            kind: Kind::default(),
            orders: false,
            inbox: VecDeque::new(),
            task: None,
            reader: None,
            watchers: None,
            process: None,
        }))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Body> {
        lock(&self.0)
    }
}

impl Body {
    fn push(&mut self, mail: Mail) -> Roused {
        match &mail {
            Mail::Message(_) | Mail::Aliased(..) => {
                if self.kind.bounded && !self.make_room() {
                    return if self.inbox.back().is_some_and(|last| !last.is_message()) {
                        self.call()
                    } else {
                        Roused::default()
                    };
                }
                self.inbox.push_back(mail);
                self.say_mail()
            }
            Mail::Monitor { .. } | Mail::Demonitor(_) if self.inbox.len() < LAZY_SIGNALS_MAX => {
                self.inbox.push_back(mail);
                Roused::default()
            }
            _ => {
                self.inbox.push_back(mail);
                self.call()
            }
        }
    }

    /// Lets the process look at its signals.
    fn call(&mut self) -> Roused {
        self.orders = true;
        if let Some(process) = &self.process {
            process.attention.store(true, Ordering::Relaxed);
        }
        Roused { task: self.rouse(), reader: None }
    }

    /// Wakes whoever waits for mail.
    #[inline]
    pub(crate) fn say_mail(&mut self) -> Roused {
        if !self.receiving {
            return Roused::default();
        }
        self.receiving = false;
        Roused { task: self.rouse(), reader: self.reader.take() }
    }

    /// The process if it rests; if it does not, it will run once more.
    pub(crate) fn rouse(&mut self) -> Option<Task> {
        let task = self.task.take();
        self.woken |= task.is_none();
        task
    }

    /// Whether one more message may come in, after doing what the policy says.
    fn make_room(&mut self) -> bool {
        let Some(process) = self.process.clone() else { return true };
        let Some(bound) = process.bound.as_deref() else { return true };
        let waiting = self.inbox.iter().filter(|mail| mail.is_message()).count();
        let unread = process.unread.load(Ordering::Relaxed) as usize;
        if waiting + unread < bound.messages_max {
            return true;
        }
        bound.report(&process.pid);
        match bound.policy {
            Policy::Warn => true,
            Policy::DropNewest => false,
            Policy::DropOldest => {
                // What the process has in its hands already it drops itself, when it next looks.
                if unread == 0
                    && let Some(oldest) = self.inbox.iter().position(Mail::is_message)
                {
                    self.inbox.remove(oldest);
                }
                true
            }
            Policy::ExitReceiver => {
                self.inbox.push_back(Mail::order(Order::Overflow));
                false
            }
        }
    }
}

/// A lock that a panic elsewhere does not take away: what is under it is always whole between two lines.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The first chunks double, so that a small node is small; the rest have one size.
fn place(index: u32) -> (usize, usize) {
    let index = index as usize;
    if index < SMALL_SLOTS {
        let chunk = (index / FIRST_SLOTS + 1).ilog2() as usize;
        return (chunk, index - FIRST_SLOTS * ((1 << chunk) - 1));
    }
    let rest = index - SMALL_SLOTS;
    (CHUNKS_SMALL + rest / CHUNK_SLOTS, rest % CHUNK_SLOTS)
}

fn chunk_slots(chunk: usize) -> usize {
    if chunk < CHUNKS_SMALL { FIRST_SLOTS << chunk } else { CHUNK_SLOTS }
}

/// `<0.0.0>` stays unused.
const ID_FIRST: u32 = 1;
const FREE_SHARDS: usize = 8;
const FIRST_SLOTS: usize = 64;
const CHUNKS_SMALL: usize = 7;
const SMALL_SLOTS: usize = FIRST_SLOTS * ((1 << CHUNKS_SMALL) - 1);
const CHUNK_SLOTS: usize = 8_192;
const GROUP_CHUNKS: usize = 32;
const GROUPS: usize = (PROCESSES_MAX as usize).div_ceil(CHUNK_SLOTS * GROUP_CHUNKS);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_index_has_its_own_place() {
        let mut expected = (0, 0);
        for index in 0..100_000 {
            assert_eq!(place(index), expected);
            expected.1 += 1;
            if expected.1 == chunk_slots(expected.0) {
                expected = (expected.0 + 1, 0);
            }
        }
    }

    #[test]
    fn every_process_that_there_can_be_has_a_slot_and_no_other_has() {
        let table = Table::new();
        for id in [ID_FIRST, SMALL_SLOTS as u32, SMALL_SLOTS as u32 + ID_FIRST, PROCESSES_MAX, u32::MAX] {
            assert!(table.slot(id).is_none(), "{id}: nobody was there yet");
        }
        let (chunk, _) = place(PROCESSES_MAX - 1);
        assert!((chunk - CHUNKS_SMALL) / GROUP_CHUNKS < GROUPS);
        assert!(size_of::<Table>() < 4_096, "{}", size_of::<Table>());
    }
}
