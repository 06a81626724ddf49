//! The meeting: a wire, the connection machines, and the lanes of the node. Nothing is decided here.
//!
//! Two tasks per connection. The reader also keeps the ticks and is the one who ends the connection, so that nothing is
//! delivered after links and monitors have fired. The writer takes what senders have encoded and writes it.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use carrier::{ReadHalf, Wire, WriteHalf};
use proto::connection::{Inbound, Outbound, Refusal, Refused, TickAction, Ticks};
use proto::handshake::Peer;
use proto::signal::{Arrival, Parcel, Payload, Signal};
use proto::{Flags, Now};
use runtime::{Lane, Node, Pace};
use term::Atom;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{Notify, mpsc};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until};

use super::core::{NetKernel, Opened, Order, Traffic};
use super::end::End;
use super::table::ConnectionId;
use crate::limits::{
    BURIED_PAUSE_MILLIS_MAX, DEFERRED_BYTES_MAX, OWED_BYTES_MAX, READ_PAUSE_MILLIS, TAKEN_PARCELS_KEPT_MAX,
    WRITE_BATCH_BYTES, WRITE_CHUNKS_MAX,
};

/// What reader and writer know of each other.
struct Shared {
    traffic: Arc<Traffic>,
    tick: AtomicBool,
    tick_wanted: Notify,
}

/// Starts the tasks of a connection that has come up. `rest` came behind the handshake.
pub(super) fn start(
    node: &Node,
    net: &Arc<NetKernel>,
    wire: Box<dyn Wire>,
    met: Peer,
    rest: Vec<u8>,
    opened: Opened,
) {
    let Opened { number, lane, id, orders, ticks, traffic } = opened;
    let peer = lane.peer().clone();
    net.note_address(&peer, number, wire.peer().to_string());
    let (read, write) = wire.split();
    let shared = Arc::new(Shared { traffic, tick: AtomicBool::new(false), tick_wanted: Notify::new() });
    let (report, broken) = mpsc::channel(1);
    let writer = Writer {
        node: node.clone(),
        lane: lane.clone(),
        write,
        outbound: Outbound::new(met.negotiated),
        shared: shared.clone(),
        owed: 0,
        owed_small: 0,
    };
    let writer = node.spawn_task(async move {
        if let Err(error) = writer.run().await {
            let _ = report.send(error).await;
        } else {
            // The lane is down: the reader knows, because it was the reader who took it down.
        }
    });
    let mut reader = Reader {
        node: node.clone(),
        lane,
        read,
        inbound: Inbound::new(met.negotiated, node.id().clone(), id),
        buffer: BytesMut::from(&rest[..]),
        ticks,
        shared,
        orders,
        broken,
        told_pause: false,
        told_buried: false,
        deferred: Deferred::default(),
    };
    let last_will =
        LastWill { node: node.clone(), net: net.clone(), peer, number, writer, end: End::Crashed };
    node.spawn_task(async move {
        let mut last_will = last_will;
        last_will.end = reader.run().await;
    });
}

/// Ends the connection when the reader is over, however that came: also when it panics, or is stopped.
struct LastWill {
    node: Node,
    net: Arc<NetKernel>,
    peer: Atom,
    number: ConnectionId,
    writer: AbortHandle,
    end: End,
}

impl Drop for LastWill {
    fn drop(&mut self) {
        self.writer.abort();
        // A node that stops stops all its tasks and processes: nobody is left to be told.
        if matches!(self.end, End::Crashed) && self.node.is_closing() {
            return;
        }
        tell(&self.peer, &self.end);
        self.net.connection_over(&self.node, &self.peer, self.number, &self.end);
    }
}

fn tell(peer: &Atom, end: &End) {
    match end {
        End::Deaf | End::Garbled | End::Crashed => {
            tracing::error!("** Connection to node {peer} closed: {end} **")
        }
        End::Silence => {
            tracing::warn!("** Node {peer} not responding **\n** Removing (timedout) connection **")
        }
        End::Blame(blame) => tracing::error!("** Connection to node {peer} closed: {blame} **"),
        End::Wire(_) | End::Closed | End::Replaced => {
            tracing::info!("connection to node {peer} ended: {end}")
        }
        End::Asked | End::Stopped => tracing::debug!("connection to node {peer} ended: {end}"),
    }
}

struct Reader {
    node: Node,
    lane: Arc<Lane>,
    read: ReadHalf,
    inbound: Inbound,
    buffer: BytesMut,
    ticks: Ticks,
    shared: Arc<Shared>,
    orders: mpsc::UnboundedReceiver<Order>,
    broken: mpsc::Receiver<io::Error>,
    /// Whether the log knows that this peer does not read.
    told_pause: bool,
    /// Whether the log knows that this peer buries our services.
    told_buried: bool,
    deferred: Deferred,
}

enum Event {
    Read(io::Result<usize>),
    Order(Option<Order>),
    Broken(Option<io::Error>),
    Tick,
    Release,
}

/// How often deferred spawn requests are looked at.
const RELEASE_PAUSE: Duration = Duration::from_millis(READ_PAUSE_MILLIS);

/// Spawn requests that wait until the peer has read more of what it asked for. Nothing can be addressed to a process that is
/// not there yet, so nobody's signals change their order; everything else is always read, because a peer that waits for us
/// to read would otherwise wait for ever when we wait for it.
#[derive(Default)]
struct Deferred {
    arrivals: VecDeque<Arrival>,
    bytes: usize,
}

impl Deferred {
    fn is_empty(&self) -> bool {
        self.arrivals.is_empty()
    }

    fn push(&mut self, arrival: Arrival) {
        self.bytes += Deferred::bytes_of(&arrival);
        self.arrivals.push_back(arrival);
    }

    fn pop(&mut self) -> Option<Arrival> {
        let arrival = self.arrivals.pop_front()?;
        self.bytes -= Deferred::bytes_of(&arrival);
        Some(arrival)
    }

    fn bytes_of(arrival: &Arrival) -> usize {
        let payload = match &arrival.payload {
            Payload::Wire(term) => term.bytes.len(),
            Payload::None | Payload::Term(_) => 0,
        };
        size_of::<Arrival>() + payload
    }
}

impl Reader {
    /// Reads and ticks until something ends the connection.
    async fn run(&mut self) -> End {
        let zero = Instant::now() - self.node.now().since(Now::ZERO);
        let sleep = sleep_until(zero + self.ticks.poll_deadline().since(Now::ZERO));
        tokio::pin!(sleep);
        let mut rest = match self.deliver() {
            Ok(pace) => rest_until(pace),
            Err(end) => return end,
        };
        let mut deadline = self.ticks.poll_deadline();
        loop {
            let event = tokio::select! {
                biased;
                order = self.orders.recv() => Event::Order(order),
                () = &mut sleep => Event::Tick,
                error = self.broken.recv() => Event::Broken(error),
                () = tokio::time::sleep(RELEASE_PAUSE), if !self.deferred.is_empty() => Event::Release,
                read = read(&mut self.read, &mut self.inbound, &mut self.buffer, &self.lane, rest) => {
                    Event::Read(read)
                }
            };
            let ended = match event {
                Event::Release => self.release(),
                Event::Read(Ok(0)) => Some(End::Closed),
                Event::Read(Ok(_)) => match self.deliver() {
                    Ok(pace) => {
                        rest = rest_until(pace);
                        self.tell_pause();
                        self.let_go().await;
                        None
                    }
                    Err(end) => Some(end),
                },
                Event::Read(Err(error)) => Some(End::Wire(error)),
                Event::Broken(Some(error)) => Some(End::Wire(error)),
                Event::Broken(None) => Some(End::Closed),
                Event::Order(order) => self.obey(order),
                Event::Tick => self.tick(),
            };
            if let Some(end) = ended {
                return end;
            }
            // Setting a timer takes a lock that the whole executor shares.
            if deadline != self.ticks.poll_deadline() {
                deadline = self.ticks.poll_deadline();
                sleep.as_mut().reset(zero + deadline.since(Now::ZERO));
            }
        }
    }

    /// Spawned processes get a turn before their births are told: most calls are over by then, and one packet tells both.
    async fn let_go(&mut self) {
        if self.lane.is_hushed() {
            tokio::task::yield_now().await;
            self.lane.nudge();
        }
    }

    /// Says once what an operator should know.
    fn tell_pause(&mut self) {
        let peer = self.lane.peer();
        if self.lane.owes_too_much() && !std::mem::replace(&mut self.told_pause, true) {
            let unread = self.lane.queued_bytes();
            tracing::warn!(
                unread,
                "** Node {peer} asks faster than it reads the answers: its requests wait until it does **"
            );
        }
        if self.lane.piles_up() && !std::mem::replace(&mut self.told_buried, true) {
            tracing::warn!(
                "** Node {peer} asks faster than our services can hear it: it is read more slowly **"
            );
        }
    }

    /// Delivers all that is complete, but for spawn requests of a peer that does not read what it asked for.
    fn deliver(&mut self) -> Result<Pace, End> {
        self.release();
        let mut pace = Pace::Go;
        while let Some(arrival) = self.inbound.receive(&mut self.buffer)? {
            let spawns = matches!(arrival.signal, Signal::SpawnRequest { .. });
            if spawns && (!self.deferred.is_empty() || self.lane.owes_too_much()) {
                self.deferred.push(arrival);
            } else {
                match self.node.deliver(&self.lane, arrival) {
                    Pace::Go => {}
                    Pace::Pause => pace = Pace::Pause,
                    Pace::Garbled => return Err(End::Garbled),
                }
            }
        }
        self.shared.traffic.received.store(self.inbound.packets_received(), Ordering::Relaxed);
        if self.deferred.bytes > DEFERRED_BYTES_MAX || self.lane.owed_bytes() > OWED_BYTES_MAX {
            return Err(End::Deaf);
        }
        Ok(pace)
    }

    /// Delivers the spawn requests that waited, as far as the peer has read.
    fn release(&mut self) -> Option<End> {
        while !self.lane.owes_too_much() {
            let arrival = self.deferred.pop()?;
            let _ = self.node.deliver(&self.lane, arrival);
        }
        None
    }

    fn tick(&mut self) -> Option<End> {
        let received = self.inbound.packets_received();
        let sent = self.shared.traffic.sent.load(Ordering::Relaxed);
        let quiet = self.lane.queued_bytes() == 0;
        match self.ticks.on_interval(self.node.now(), received, sent, quiet) {
            TickAction::None => None,
            TickAction::Dead => Some(End::Silence),
            TickAction::Send => {
                self.shared.tick.store(true, Ordering::Relaxed);
                self.shared.tick_wanted.notify_one();
                None
            }
        }
    }

    fn obey(&mut self, order: Option<Order>) -> Option<End> {
        match order {
            Some(Order::End(end)) => Some(end),
            Some(Order::Ticktime(ticktime, transition)) => {
                self.ticks.set(ticktime, transition, self.node.now());
                None
            }
            None => Some(End::Stopped),
        }
    }
}

/// When to read on. A moment, not a time: who reads may be called away, and comes back to the same rest.
fn rest_until(pace: Pace) -> Option<Instant> {
    (pace == Pace::Pause).then(|| Instant::now() + Duration::from_millis(READ_PAUSE_MILLIS))
}

/// Reads what there is; after a short rest when the peer does not read what it asked for, a longer one when our services
/// cannot hear all that it says.
async fn read(
    from: &mut ReadHalf,
    inbound: &mut Inbound,
    buffer: &mut BytesMut,
    lane: &Lane,
    rest: Option<Instant>,
) -> io::Result<usize> {
    if let Some(mut moment) = rest {
        sleep_until(moment).await;
        let at_last = moment + Duration::from_millis(BURIED_PAUSE_MILLIS_MAX);
        while lane.piles_up() && moment < at_last {
            moment += Duration::from_millis(READ_PAUSE_MILLIS);
            sleep_until(moment).await;
        }
    }
    if let Some(mut place) = inbound.landing() {
        let bytes = from.read_buf(&mut place).await?;
        inbound.landed(bytes);
        return Ok(bytes);
    }
    let wanted = inbound.wanted_bytes(buffer);
    buffer.reserve(wanted);
    from.read_buf(&mut buffer.limit(wanted)).await
}

struct Writer {
    node: Node,
    lane: Arc<Lane>,
    write: WriteHalf,
    outbound: Outbound,
    shared: Arc<Shared>,
    /// Bytes of the lane's credit that were taken and not yet given back.
    owed: usize,
    /// How many of these are for small signals.
    owed_small: usize,
}

impl Writer {
    /// Writes until the lane is down or the wire breaks.
    async fn run(mut self) -> io::Result<()> {
        let mut parcels = Vec::new();
        let mut chunks = VecDeque::new();
        let shared = self.shared.clone();
        loop {
            if self.outbound.is_empty() {
                let lane = &self.lane;
                let more = tokio::select! {
                    biased;
                    more = poll_fn(|cx| lane.poll_take(cx, &mut parcels)) => more,
                    () = shared.tick_wanted.notified() => true,
                };
                if !more {
                    return Ok(());
                }
            } else if !take_waiting(&self.lane, &mut parcels).await {
                return Ok(());
            }
            if self.shared.tick.swap(false, Ordering::Relaxed)
                && self.outbound.is_empty()
                && parcels.is_empty()
            {
                self.outbound.tick();
            }
            for parcel in parcels.drain(..) {
                let bytes = Lane::parcel_bytes(&parcel);
                self.owed += bytes;
                self.owed_small += Lane::small_bytes(bytes);
                if let Err(refused) = self.outbound.push(parcel) {
                    self.refused(*refused);
                }
            }
            if parcels.capacity() > TAKEN_PARCELS_KEPT_MAX {
                // What a burst took is given back.
                parcels = Vec::new();
            }
            self.outbound.fill(&mut chunks, WRITE_BATCH_BYTES);
            self.shared.traffic.sent.store(self.outbound.packets_sent(), Ordering::Relaxed);
            write_all(&mut self.write, &mut chunks).await?;
            let keep = self.outbound.queued_bytes().min(self.owed);
            let keep_small = self.outbound.small_bytes().min(self.owed_small);
            self.lane.consumed(self.owed - keep, self.owed_small - keep_small);
            (self.owed, self.owed_small) = (keep, keep_small);
        }
    }

    /// A signal that the peer would not understand. A spawn request is answered for it, the rest is dropped, as OTP does.
    fn refused(&self, refused: Refused) {
        let Refused { parcel, why } = refused;
        match (parcel.signal, why) {
            (Signal::SpawnRequest { id, from, .. }, Refusal::NotNegotiated(_)) => {
                let result = Err(Atom::inline("notsup"));
                let (linked, monitored, token) = (false, false, None);
                let signal = Signal::SpawnReply { id, to: from, linked, monitored, result, token };
                let _ = self.node.deliver(&self.lane, Arrival { signal, payload: Payload::None });
            }
            (signal, why) => {
                tracing::debug!(peer = %self.lane.peer(), ?signal, "a signal was not sent: {why}")
            }
        }
    }
}

/// Takes what waits, without waiting; small signals then overtake the fragments of large ones.
async fn take_waiting(lane: &Lane, parcels: &mut Vec<Parcel>) -> bool {
    poll_fn(|cx| match lane.poll_take(cx, parcels) {
        Poll::Pending => Poll::Ready(true),
        ready => ready,
    })
    .await
}

/// Writes all chunks, side by side without copying.
async fn write_all(write: &mut WriteHalf, chunks: &mut VecDeque<Bytes>) -> io::Result<()> {
    while !chunks.is_empty() {
        let mut slices = [IoSlice::new(&[]); WRITE_CHUNKS_MAX];
        let count = chunks.len().min(WRITE_CHUNKS_MAX);
        for (slice, chunk) in slices.iter_mut().zip(chunks.iter()) {
            *slice = IoSlice::new(chunk);
        }
        let mut written = write.write_vectored(&slices[..count]).await?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        while written > 0
            && let Some(first) = chunks.front_mut()
        {
            let part = written.min(first.len());
            first.advance(part);
            written -= part;
            if first.is_empty() {
                chunks.pop_front();
            }
        }
    }
    write.flush().await
}

/// Whether a peer with these flags may be asked for its nodes.
pub(super) fn can_spawn(negotiated: Flags) -> bool {
    negotiated.contains(Flags::SPAWN)
}
