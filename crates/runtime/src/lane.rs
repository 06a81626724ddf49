//! One outgoing queue per peer, first in, first out, with credit in bytes. A lane lives as long as one connection.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use proto::Flags;
use proto::limits::FRAGMENT_BYTES;
use proto::signal::{Parcel, Signal};
use term::wire::Encoded;
use term::{Atom, NodeId};

use crate::limits::{ANSWER_BYTES_MAX, LANE_BYTES_LOW, LANE_BYTES_MAX, PARCEL_BYTES, SERVICE_MESSAGES_MAX};
use crate::table::{Seat, lock};

/// Who is at the other end of a connection.
#[derive(Clone, Debug)]
pub struct PeerInfo {
    /// Its incarnation.
    pub id: NodeId,
    /// What was negotiated: the flags that both sides announced.
    pub flags: Flags,
    /// Whether it counts in `nodes()`.
    pub visible: bool,
}

/// Where a lane is in its life. It never goes back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LaneState {
    /// Being dialled; what is sent waits.
    Pending,
    /// Connected.
    Up,
    /// Over.
    Down,
}

/// The way to one peer.
pub struct Lane {
    id: u64,
    peer: Atom,
    /// Bytes waiting or with the driver, beside the lock so that senders and lenses need none.
    queued: AtomicUsize,
    /// How many of these belong to small signals, which bulk does not hold up.
    queued_small: AtomicUsize,
    /// About how many of these bytes the peer has caused itself.
    answers: AtomicUsize,
    /// Messages for services of this node that the peer has sent and no service has looked at yet.
    unheard: AtomicUsize,
    inner: Mutex<Inner>,
}

struct Inner {
    state: LaneState,
    queue: Vec<Parcel>,
    driver: Option<Waker>,
    /// Something waits that has not woken the driver.
    hushed: bool,
    paused: Vec<Waker>,
    info: Option<PeerInfo>,
    /// The processes that something ties to the peer through this connection.
    tied: BTreeSet<(u32, u32)>,
    dropped: u64,
}

impl Lane {
    pub(crate) fn new(id: u64, peer: Atom) -> Lane {
        Lane {
            id,
            peer,
            queued: AtomicUsize::new(0),
            queued_small: AtomicUsize::new(0),
            answers: AtomicUsize::new(0),
            unheard: AtomicUsize::new(0),
            inner: Mutex::new(Inner {
                state: LaneState::Pending,
                queue: Vec::new(),
                driver: None,
                hushed: false,
                paused: Vec::new(),
                info: None,
                tied: BTreeSet::new(),
                dropped: 0,
            }),
        }
    }

    /// The number of the connection: no other lane of this node has had it.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The name of the peer.
    pub fn peer(&self) -> &Atom {
        &self.peer
    }

    /// Where the lane is in its life.
    pub fn state(&self) -> LaneState {
        lock(&self.inner).state
    }

    /// Who the peer is, once the lane is up.
    pub fn info(&self) -> Option<PeerInfo> {
        lock(&self.inner).info.clone()
    }

    /// Bytes that wait here or are with the driver.
    pub fn queued_bytes(&self) -> usize {
        self.queued.load(Ordering::Relaxed)
    }

    /// What `parcel` counts in [`Lane::queued_bytes`], to be given back with [`Lane::consumed`].
    pub fn parcel_bytes(parcel: &Parcel) -> usize {
        PARCEL_BYTES + parcel.payload.as_ref().map_or(0, Encoded::len)
    }

    /// How many of a signal's bytes count as small: all or none.
    pub fn small_bytes(bytes: usize) -> usize {
        if bytes > FRAGMENT_BYTES { 0 } else { bytes }
    }

    /// For the driver: moves everything that waits into `parcels`. `Ready(true)` when there was something,
    /// `Ready(false)` when the lane is down, pending when nothing waits. Safe to cancel.
    pub fn poll_take(&self, cx: &mut Context<'_>, parcels: &mut Vec<Parcel>) -> Poll<bool> {
        let mut inner = lock(&self.inner);
        if inner.state == LaneState::Down {
            return Poll::Ready(false);
        }
        if !inner.queue.is_empty() {
            inner.hushed = false;
            if parcels.is_empty() {
                std::mem::swap(parcels, &mut inner.queue);
            } else {
                parcels.append(&mut inner.queue);
            }
            return Poll::Ready(true);
        }
        if !inner.driver.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            inner.driver = Some(cx.waker().clone());
        }
        Poll::Pending
    }

    /// For the driver: `bytes` of what it took have left for the peer, `small` of them as [`Lane::small_bytes`] counts.
    /// Paused senders go on when enough have.
    pub fn consumed(&self, bytes: usize, small: usize) {
        let before_small = self.queued_small.fetch_sub(small, Ordering::Relaxed);
        let before = self.queued.fetch_sub(bytes, Ordering::Relaxed);
        let answers = self.answers.load(Ordering::Relaxed);
        if answers > 0 && before > 0 {
            // Answers leave among everything else: as large a part of them as of the whole.
            let part = answers as u128 * bytes.min(before) as u128 / before as u128;
            self.answers.fetch_sub(if bytes >= before { answers } else { part as usize }, Ordering::Relaxed);
        }
        debug_assert!(before >= bytes, "more bytes given back than taken");
        if passes_low(before, bytes) || passes_low(before_small, small) {
            let paused = std::mem::take(&mut lock(&self.inner).paused);
            paused.into_iter().for_each(Waker::wake);
        }
    }

    /// Whether senders should pause.
    pub fn is_full(&self) -> bool {
        self.queued_bytes() > LANE_BYTES_MAX
    }

    /// Whether the sender of a signal of so many bytes should pause. Who sends little does not wait for those who send
    /// bulk: its signals pass them by.
    pub(crate) fn is_full_for(&self, bytes: usize) -> bool {
        self.waiting(bytes) > LANE_BYTES_MAX
    }

    /// What waits before a signal of so many bytes.
    fn waiting(&self, bytes: usize) -> usize {
        let small = Lane::small_bytes(bytes) > 0;
        if small { self.queued_small.load(Ordering::Relaxed) } else { self.queued_bytes() }
    }

    /// Whether the peer asks faster than it reads the answers: the driver must start nothing new for it meanwhile.
    pub fn owes_too_much(&self) -> bool {
        self.owed_bytes() > ANSWER_BYTES_MAX
    }

    /// About how many of the bytes that wait the peer has asked for.
    pub fn owed_bytes(&self) -> usize {
        self.answers.load(Ordering::Relaxed)
    }

    /// Whether the peer sends to the services of this node faster than they can hear it: others wait behind it in their
    /// mailboxes, so the driver should rest until it is heard.
    pub fn piles_up(&self) -> bool {
        self.unheard.load(Ordering::Relaxed) > SERVICE_MESSAGES_MAX
    }

    /// Bytes just pushed that the peer has asked for.
    pub(crate) fn count_answer(&self, bytes: usize) {
        self.answers.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Ready as soon as the lane has room again for a signal of so many bytes, or is down. Safe to cancel.
    pub(crate) fn poll_room(&self, cx: &mut Context<'_>, bytes: usize) -> Poll<()> {
        let mut inner = lock(&self.inner);
        // Under the lock, so that `consumed` cannot slip in between the look and the waker.
        if inner.state == LaneState::Down || self.waiting(bytes) <= LANE_BYTES_LOW {
            return Poll::Ready(());
        }
        if !inner.paused.iter().any(|waker| waker.will_wake(cx.waker())) {
            inner.paused.push(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Puts a signal at the end of the queue; `false` when the lane is down.
    pub(crate) fn push(&self, signal: Signal, payload: Option<Encoded>) -> bool {
        self.put(signal, payload, false)
    }

    /// As [`Lane::push`], for the driver's own reader: does not wake the driver, whom the next push or [`Lane::nudge`] wakes.
    /// What the peer asked for is often done at once, and its end then leaves with this.
    pub(crate) fn push_hushed(&self, signal: Signal, payload: Option<Encoded>) -> bool {
        self.put(signal, payload, true)
    }

    /// For the driver: whether it sleeps although something waits.
    pub fn is_hushed(&self) -> bool {
        lock(&self.inner).hushed
    }

    /// For the driver: wakes it if something waits that has not woken it.
    pub fn nudge(&self) {
        let mut inner = lock(&self.inner);
        if std::mem::take(&mut inner.hushed)
            && let Some(driver) = &inner.driver
        {
            driver.wake_by_ref();
        }
    }

    fn put(&self, signal: Signal, payload: Option<Encoded>, hushed: bool) -> bool {
        let parcel = Parcel { signal, payload };
        let bytes = Lane::parcel_bytes(&parcel);
        let mut inner = lock(&self.inner);
        if inner.state == LaneState::Down {
            inner.dropped += 1;
            return false;
        }
        self.queued.fetch_add(bytes, Ordering::Relaxed);
        self.queued_small.fetch_add(Lane::small_bytes(bytes), Ordering::Relaxed);
        if is_answer(&parcel.signal) {
            self.count_answer(bytes);
        }
        inner.queue.push(parcel);
        let wakes = inner.queue.len() == 1 || inner.hushed;
        inner.hushed = wakes && hushed;
        if wakes
            && !hushed
            && let Some(driver) = &inner.driver
        {
            driver.wake_by_ref();
        }
        true
    }

    /// Notes that the process must hear when the connection ends; `false` when it has ended.
    pub(crate) fn tie(&self, seat: Seat) -> bool {
        let mut inner = lock(&self.inner);
        let open = inner.state != LaneState::Down;
        if open {
            inner.tied.insert((seat.id, seat.serial));
        }
        open
    }

    pub(crate) fn untie(&self, seat: Seat) {
        lock(&self.inner).tied.remove(&(seat.id, seat.serial));
    }

    /// From pending to up; `false` when the lane is past that.
    pub(crate) fn open(&self, info: PeerInfo) -> bool {
        let mut inner = lock(&self.inner);
        if inner.state != LaneState::Pending {
            return false;
        }
        inner.state = LaneState::Up;
        inner.info = Some(info);
        true
    }

    /// Ends the lane: who was tied to it, how many signals were dropped, whether it had been up. `None` when it was over.
    pub(crate) fn close(&self) -> Option<Closed> {
        let mut inner = lock(&self.inner);
        if inner.state == LaneState::Down {
            return None;
        }
        let was_up = inner.state == LaneState::Up;
        inner.state = LaneState::Down;
        let dropped = std::mem::take(&mut inner.queue);
        let tied = std::mem::take(&mut inner.tied);
        let wakers: Vec<Waker> = inner.driver.take().into_iter().chain(inner.paused.drain(..)).collect();
        drop(inner);
        wakers.into_iter().for_each(Waker::wake);
        let seats = tied.into_iter().map(|(id, serial)| Seat { id, serial }).collect();
        Some(Closed { was_up, dropped: dropped.len(), tied: seats })
    }
}

/// One message for a service that nobody has looked at.
pub(crate) struct Unheard(Arc<Lane>);

impl Unheard {
    pub(crate) fn new(lane: &Arc<Lane>) -> Unheard {
        lane.unheard.fetch_add(1, Ordering::Relaxed);
        Unheard(lane.clone())
    }
}

impl Drop for Unheard {
    fn drop(&mut self) {
        self.0.unheard.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Whether taking `bytes` away from `before` makes room.
fn passes_low(before: usize, bytes: usize) -> bool {
    before > LANE_BYTES_LOW && before.saturating_sub(bytes) <= LANE_BYTES_LOW
}

/// Signals that come of what the peer sent before.
fn is_answer(signal: &Signal) -> bool {
    matches!(
        signal,
        Signal::Down { .. } | Signal::Exit { .. } | Signal::UnlinkAck { .. } | Signal::SpawnReply { .. }
    )
}

/// What a lane leaves behind.
pub(crate) struct Closed {
    pub(crate) was_up: bool,
    pub(crate) dropped: usize,
    pub(crate) tied: Vec<Seat>,
}

impl fmt::Debug for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lane({} to {}, {:?}, {} bytes)", self.id, self.peer, self.state(), self.queued_bytes())
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if self.dropped > 0 {
            tracing::debug!(dropped = self.dropped, "signals sent to a lane that was down");
        }
    }
}
