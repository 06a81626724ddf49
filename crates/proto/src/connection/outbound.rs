//! The writing half: parcels to chunks of bytes. Small packets share a chunk, large binaries pass through uncopied, and
//! bulk takes turns.

mod packet;
mod turns;

use std::collections::VecDeque;

use bytes::Bytes;

use super::control::encode::{choose, term_inside};
use super::{Counters, Style};
use crate::flags::Flags;
use crate::limits::{FRAGMENT_BYTES, QUEUED_SIGNAL_BYTES};
use crate::signal::{Parcel, Signal};
use packet::Packets;
use turns::{Next, Turns};

/// The writing half of a connection.
///
/// [`Outbound::push`] queues, [`Outbound::fill`] takes out. Signals of one sender leave in the order they were pushed,
/// always. Messages above 64 KiB leave in fragments (where negotiated), senders taking turns, and small signals of other
/// senders pass them by.
pub struct Outbound {
    negotiated: Flags,
    style: Style,
    turns: Turns,
    packets: Packets,
    tick: bool,
    queued_bytes: usize,
    /// How many of them are no bulk.
    small_bytes: usize,
}

/// What a call of [`Outbound::fill`] has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Filled {
    /// Bytes appended.
    pub bytes: usize,
    /// Whether more is waiting.
    pub more: bool,
}

/// A parcel that cannot be sent to this peer, given back.
#[derive(Debug)]
pub struct Refused {
    /// What was pushed.
    pub parcel: Parcel,
    /// Why it cannot be sent.
    pub why: Refusal,
}

/// Why a parcel cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The peer does not know this signal; answer for it (`notsup` to a spawn request), or drop it as OTP does.
    #[error("the peer did not negotiate {0}")]
    NotNegotiated(Flags),
    /// A message to a name or an alias has to say who sends it.
    #[error("a message to a name or an alias needs a sender")]
    NoSender,
    /// The signal and its payload don't go together: one is missing, or one too many.
    #[error("the payload is missing, or there should be none")]
    Payload,
    /// A receiver that this signal cannot have, or an unlink without a number.
    #[error("no such signal exists")]
    Malformed,
    /// The payload was to be written again without atom references, but it is no term.
    #[error("the payload is not a term")]
    NotATerm,
    /// The packet would be longer than its length field can say.
    #[error("the payload is too long for one packet, and fragments were not negotiated")]
    TooLong,
}

/// A parcel on its way through the queues.
#[derive(Debug)]
pub(crate) struct Queued {
    code: u8,
    parcel: Parcel,
    /// What it counts for in `queued_bytes`.
    cost: usize,
}

impl Outbound {
    /// The writing half of a connection with these flags.
    pub fn new(negotiated: Flags) -> Outbound {
        let style = Style::of(negotiated);
        Outbound {
            negotiated,
            style,
            turns: Turns::new(negotiated.contains(Flags::FRAGMENTS)),
            packets: Packets::new(style),
            tick: false,
            queued_bytes: 0,
            small_bytes: 0,
        }
    }

    /// Queues a signal.
    ///
    /// # Errors
    /// When it cannot be said to this peer; nothing is queued then.
    pub fn push(&mut self, mut parcel: Parcel) -> Result<(), Box<Refused>> {
        match self.prepare(&mut parcel) {
            Ok(code) => {
                let payload = parcel.payload.as_ref().map_or(0, term::wire::Encoded::len);
                let cost = payload + QUEUED_SIGNAL_BYTES;
                self.queued_bytes += cost;
                self.small_bytes += small(cost);
                self.turns.push(Queued { code, parcel, cost });
                Ok(())
            }
            Err(why) => Err(Box::new(Refused { parcel, why })),
        }
    }

    /// Breaks the silence: a tick leaves with the next `fill`, before anything else, so that it waits for one fragment
    /// at most.
    pub fn tick(&mut self) {
        self.tick = true;
    }

    /// Appends chunks of whole packets to `out`, until nothing is queued or about `budget_bytes` are there. (A packet is
    /// never cut, so a large one may exceed the budget; with fragments by 64 KiB at most.)
    pub fn fill(&mut self, out: &mut VecDeque<Bytes>, budget_bytes: usize) -> Filled {
        let start = self.packets.counters.bytes;
        if std::mem::take(&mut self.tick) {
            self.packets.tick();
        }
        while ((self.packets.counters.bytes - start) as usize) < budget_bytes {
            if let Some(queued) = self.turns.plain() {
                self.queued_bytes -= queued.cost;
                self.small_bytes -= small(queued.cost);
                self.packets.whole(queued, out);
                self.turns.plain_done();
                continue;
            }
            match self.turns.next() {
                Some(Next::Whole(mut queued)) => {
                    self.queued_bytes -= queued.cost;
                    self.small_bytes -= small(queued.cost);
                    let bytes = self.packets.whole(&mut queued, out);
                    self.turns.wrote(bytes);
                }
                Some(Next::Fragment(mut sequence)) => {
                    let part = self.packets.fragment(&mut sequence, out);
                    self.queued_bytes -= sequence.cost_of(part);
                    self.turns.put_back(sequence);
                }
                None => break,
            }
        }
        self.packets.flush(out);
        Filled { bytes: (self.packets.counters.bytes - start) as usize, more: !self.is_empty() }
    }

    /// Bytes that wait: payloads, and [`QUEUED_SIGNAL_BYTES`] for each signal. For back-pressure, and for the eyes of an
    /// operator.
    pub fn queued_bytes(&self) -> usize {
        self.queued_bytes
    }

    /// How many of [`Outbound::queued_bytes`] are small signals: those that bulk does not hold up.
    pub fn small_bytes(&self) -> usize {
        self.small_bytes
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.queued_bytes == 0 && !self.tick
    }

    /// Packets sent since the connection was made, ticks and fragments included: what [`super::Ticks`] asks for.
    pub fn packets_sent(&self) -> u64 {
        self.packets.counters.packets
    }

    /// What has been sent since the connection was made.
    pub fn counters(&self) -> Counters {
        self.packets.counters
    }

    fn prepare(&self, parcel: &mut Parcel) -> Result<u8, Refusal> {
        let code = choose(&parcel.signal, self.negotiated)?;
        let Some(payload) = &mut parcel.payload else {
            return if needs_payload(&parcel.signal) { Err(Refusal::Payload) } else { Ok(code) };
        };
        if !needs_payload(&parcel.signal) || payload.bytes.is_empty() {
            return Err(Refusal::Payload);
        }
        if self.style != Style::Cached && !payload.atoms.is_empty() {
            *payload = packet::written_out(payload).ok_or(Refusal::NotATerm)?;
        }
        let uncut = !self.negotiated.contains(Flags::FRAGMENTS) || term_inside(code);
        if uncut && payload.len() > PAYLOAD_BYTES_MAX {
            return Err(Refusal::TooLong);
        }
        Ok(code)
    }
}

/// What a signal of this cost counts for among the small ones.
fn small(cost: usize) -> usize {
    if cost > FRAGMENT_BYTES + QUEUED_SIGNAL_BYTES { 0 } else { cost }
}

/// What fits behind a four-byte length, leaving room for the header and the control message.
const PAYLOAD_BYTES_MAX: usize = u32::MAX as usize - FRAGMENT_BYTES * 16;

fn needs_payload(signal: &Signal) -> bool {
    matches!(
        signal,
        Signal::Send { .. }
            | Signal::Exit { .. }
            | Signal::Exit2 { .. }
            | Signal::Down { .. }
            | Signal::SpawnRequest { .. }
    )
}
