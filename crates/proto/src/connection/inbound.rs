//! The reading half: bytes to arrivals. Frames are cut off without copying; payloads stay undecoded slices of them.

use std::sync::Arc;

use bytes::buf::Limit;
use bytes::{Buf, BufMut, Bytes, BytesMut};
use term::NodeId;
use term::wire::{WireContext, WireTerm};

use super::atom_cache::Seen;
use super::control::decode::{Control, decode, decode_send};
use super::fragments::Reassembly;
use super::{Counters, FRAGMENT_FIRST, FRAGMENT_NEXT, HEADER, PASS_THROUGH, Style, VERSION};
use crate::error::{Blame, PeerFault};
use crate::flags::Flags;
use crate::limits::{
    FRAGMENTED_BYTES_MAX, FRAGMENTED_MESSAGES_MAX, FRAME_BYTES_MAX, LANDING_BYTES_MIN, READ_BYTES,
    READ_HEAD_BYTES,
};
use crate::signal::{Arrival, Payload};

/// How much a peer may make us keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ceilings {
    /// Longest packet in bytes.
    pub frame_bytes_max: usize,
    /// Unfinished sequences of fragments.
    pub fragmented_messages_max: usize,
    /// Bytes in unfinished sequences of fragments.
    pub fragmented_bytes_max: usize,
}

impl Default for Ceilings {
    fn default() -> Ceilings {
        Ceilings {
            frame_bytes_max: FRAME_BYTES_MAX,
            fragmented_messages_max: FRAGMENTED_MESSAGES_MAX,
            fragmented_bytes_max: FRAGMENTED_BYTES_MAX,
        }
    }
}

/// The reading half of a connection.
///
/// Feed it with [`Inbound::receive`] until that gives `None`; read more bytes; repeat. After an error the connection
/// must be closed: what follows on the wire can no longer be understood, and unfinished fragments never existed.
pub struct Inbound {
    style: Style,
    fragments: bool,
    me: NodeId,
    peer: NodeId,
    cache: Seen,
    reassembly: Reassembly,
    ceilings: Ceilings,
    counters: Counters,
    /// Whole packets that were taken off the caller's buffer in one piece.
    taken: Bytes,
    /// A large fragment of which the head has come, but not yet the end.
    landing: Option<Landing>,
    /// The last that came was such a fragment, and not the last of its message: another will follow.
    bulk: bool,
}

/// A fragment that goes straight to where it belongs, past the buffer.
struct Landing {
    sequence: u64,
    fragment: u64,
    missing: usize,
}

impl Inbound {
    /// The reading half of the connection from `peer` to `me`, with the default ceilings.
    pub fn new(negotiated: Flags, me: NodeId, peer: NodeId) -> Inbound {
        Inbound::with_ceilings(negotiated, me, peer, Ceilings::default())
    }

    /// The same with other ceilings.
    pub fn with_ceilings(negotiated: Flags, me: NodeId, peer: NodeId, ceilings: Ceilings) -> Inbound {
        Inbound {
            style: Style::of(negotiated),
            fragments: negotiated.contains(Flags::FRAGMENTS),
            cache: Seen::new(me.clone(), peer.clone()),
            me,
            peer,
            reassembly: Reassembly::new(ceilings.fragmented_messages_max, ceilings.fragmented_bytes_max),
            ceilings,
            counters: Counters::default(),
            taken: Bytes::new(),
            landing: None,
            bulk: false,
        }
    }

    /// The next arrival; `None` when more bytes are needed. Whole packets are taken off the front of `buffer`, a packet
    /// that is still incomplete stays there. Ticks are counted and passed over.
    ///
    /// # Errors
    /// When the peer broke the protocol or a ceiling.
    pub fn receive(&mut self, buffer: &mut BytesMut) -> Result<Option<Arrival>, Blame> {
        loop {
            if let Some(arrival) = self.go_on_landing(buffer)? {
                return Ok(Some(arrival));
            }
            if self.taken.is_empty() && !self.take_packets(buffer)? {
                self.land(buffer)?;
                return Ok(None);
            }
            self.bulk = false;
            let length = length_at(&self.taken, 0).unwrap_or_default();
            let mut packet = self.taken.split_to(4 + length);
            self.counters.packets += 1;
            self.counters.bytes += packet.len() as u64;
            if length == 0 {
                self.counters.ticks += 1;
                continue;
            }
            packet.advance(4);
            if let Some(arrival) = self.packet(packet)? {
                self.counters.signals += 1;
                return Ok(Some(arrival));
            }
        }
    }

    /// How many bytes to make room for before the next read, when `receive` has given `None`. Never much more than has
    /// been seen already, whatever a length field claims.
    pub fn wanted_bytes(&self, buffer: &BytesMut) -> usize {
        if self.bulk && buffer.is_empty() {
            return READ_HEAD_BYTES;
        }
        let claimed = length_at(buffer, 0).map_or(0, |length| length.saturating_add(4));
        let missing = claimed.saturating_sub(buffer.len());
        missing.clamp(READ_BYTES, READ_BYTES.max(buffer.len()))
    }

    /// Where the next bytes belong when they are the rest of a large fragment. Reading them there instead of into the
    /// buffer, and saying so with [`Inbound::landed`], saves copying them; it is never necessary.
    pub fn landing(&mut self) -> Option<Limit<&mut Vec<u8>>> {
        let Landing { sequence, fragment, missing } = *self.landing.as_ref()?;
        let place = self.reassembly.place(sequence, fragment).ok()?;
        place.reserve(missing.min(place.len().max(READ_BYTES)));
        Some(place.limit(missing))
    }

    /// So many bytes were put where [`Inbound::landing`] said. To be followed by [`Inbound::receive`].
    pub fn landed(&mut self, bytes: usize) {
        if let Some(landing) = &mut self.landing {
            landing.missing = landing.missing.saturating_sub(bytes);
            self.reassembly.note(bytes);
        }
    }

    /// The rest of a buffer that begins with a large fragment, but ends before it does, goes where it belongs.
    fn land(&mut self, buffer: &mut BytesMut) -> Result<(), PeerFault> {
        let Some(length) = length_at(buffer, 0) else { return Ok(()) };
        let Some(part) = buffer.get(4 + FRAGMENT_HEAD_BYTES..) else { return Ok(()) };
        let next = self.fragments && buffer[4..6] == [VERSION, FRAGMENT_NEXT];
        if !next || self.style == Style::PassThrough || length < LANDING_BYTES_MIN {
            return Ok(());
        }
        let (sequence, fragment) = fragment_ids(&buffer[4..])?;
        self.reassembly.place(sequence, fragment)?.extend_from_slice(part);
        self.reassembly.count(part.len())?;
        let missing = (4 + length).saturating_sub(buffer.len());
        self.landing = Some(Landing { sequence, fragment, missing });
        self.counters.packets += 1;
        self.counters.bytes += 4 + length as u64;
        buffer.clear();
        Ok(())
    }

    /// Takes what belongs to a fragment that lands; the last one gives the signal back.
    fn go_on_landing(&mut self, buffer: &mut BytesMut) -> Result<Option<Arrival>, PeerFault> {
        let Some(Landing { sequence, fragment, missing }) = &mut self.landing else { return Ok(None) };
        let part = buffer.split_to(buffer.len().min(*missing));
        if !part.is_empty() {
            self.reassembly.place(*sequence, *fragment)?.extend_from_slice(&part);
            *missing -= part.len();
        }
        self.reassembly.count(part.len())?;
        if *missing > 0 {
            return Ok(None);
        }
        let arrival = self.reassembly.finish(*sequence);
        self.landing = None;
        self.bulk = arrival.is_none();
        self.counters.signals += u64::from(arrival.is_some());
        Ok(arrival)
    }

    /// Packets received since the connection was made, ticks and fragments included: what [`super::Ticks`] asks for.
    pub fn packets_received(&self) -> u64 {
        self.counters.packets
    }

    /// What has been received since the connection was made.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Bytes held for messages whose last fragment has not come yet.
    pub fn fragmented_bytes(&self) -> usize {
        self.reassembly.bytes()
    }

    /// Takes all whole packets off the buffer at once: one shared allocation for all of them.
    fn take_packets(&mut self, buffer: &mut BytesMut) -> Result<bool, PeerFault> {
        let mut end = 0;
        while let Some(length) = length_at(buffer, end) {
            if length > self.ceilings.frame_bytes_max {
                // Whatever stands before it is still good; it is blamed when it is the next.
                if end == 0 {
                    let max = self.ceilings.frame_bytes_max;
                    return Err(PeerFault::PacketTooLong { claimed: length, max });
                }
                break;
            }
            if buffer.len() - end < 4 + length {
                break;
            }
            end += 4 + length;
        }
        if end == 0 {
            return Ok(false);
        }
        self.taken = buffer.split_to(end).freeze();
        Ok(true)
    }

    #[inline(always)]
    fn packet(&mut self, packet: Bytes) -> Result<Option<Arrival>, PeerFault> {
        let start = [packet[0], packet.get(1).copied().unwrap_or_default()];
        match (self.style, start) {
            (Style::PassThrough, [PASS_THROUGH, VERSION]) => self.pass_through(packet).map(Some),
            (Style::Cached | Style::Bare, [VERSION, HEADER]) => self.whole(packet).map(Some),
            (Style::Cached | Style::Bare, [VERSION, FRAGMENT_FIRST]) if self.fragments => {
                self.fragment_first(packet)
            }
            (Style::Cached | Style::Bare, [VERSION, FRAGMENT_NEXT]) if self.fragments => {
                self.fragment_next(&packet)
            }
            _ => Err(PeerFault::BadPacket { start, bytes: packet.len() }),
        }
    }

    /// `131 68 Header Control [Message]`
    #[inline(always)]
    fn whole(&mut self, packet: Bytes) -> Result<Arrival, PeerFault> {
        let (context, header) = self.cache.read_header(&packet[2..])?;
        if let Some((signal, end)) = decode_send(&packet, 2 + header, &context) {
            let mut bytes = packet;
            bytes.advance(end);
            return Ok(Arrival { signal, payload: Payload::Wire(WireTerm { bytes, context }) });
        }
        self.uncommon(packet, 2 + header, context)
    }

    /// Every other control message, out of the way of the commonest.
    #[inline(never)]
    fn uncommon(
        &mut self,
        packet: Bytes,
        at: usize,
        context: Arc<WireContext>,
    ) -> Result<Arrival, PeerFault> {
        let control = decode(&packet, at, &context, &self.me, &self.peer)?;
        arrive(control, packet, context)
    }

    /// `112 131 Control [131 Message]`
    #[inline(never)]
    fn pass_through(&mut self, packet: Bytes) -> Result<Arrival, PeerFault> {
        let context = Arc::clone(self.cache.empty());
        let mut control = decode(&packet, 2, &context, &self.me, &self.peer)?;
        if control.payload {
            if packet.get(control.end) != Some(&VERSION) {
                return Err(bad(&control, "its message does not start with the version byte"));
            }
            control.end += 1;
        }
        arrive(control, packet, context)
    }

    /// `131 69 Sequence:64 Fragment:64 Header Control Part`
    #[inline(never)]
    fn fragment_first(&mut self, packet: Bytes) -> Result<Option<Arrival>, PeerFault> {
        let (sequence, fragment) = fragment_ids(&packet)?;
        let (context, header) = self.cache.read_header(&packet[FRAGMENT_HEAD_BYTES..])?;
        let control = decode(&packet, FRAGMENT_HEAD_BYTES + header, &context, &self.me, &self.peer)?;
        if fragment == 1 {
            return arrive(control, packet, context).map(Some);
        }
        if !control.payload {
            return Err(bad(&control, "it came in fragments but has nothing to cut"));
        }
        let part = (&packet[..], control.end);
        self.reassembly.begin(sequence, fragment, control.signal, context, part)?;
        Ok(None)
    }

    /// `131 70 Sequence:64 Fragment:64 Part`
    #[inline(never)]
    fn fragment_next(&mut self, packet: &Bytes) -> Result<Option<Arrival>, PeerFault> {
        let (sequence, fragment) = fragment_ids(packet)?;
        self.reassembly.go_on(sequence, fragment, &packet[FRAGMENT_HEAD_BYTES..])
    }
}

fn arrive(control: Control, mut packet: Bytes, context: Arc<WireContext>) -> Result<Arrival, PeerFault> {
    let more = control.end < packet.len();
    let payload = match (control.payload, more) {
        (true, true) => {
            packet.advance(control.end);
            Payload::Wire(WireTerm { bytes: packet, context })
        }
        (false, false) => control.inside,
        (true, false) => return Err(bad(&control, "its message is missing")),
        (false, true) => return Err(bad(&control, "bytes follow that belong to nothing")),
    };
    Ok(Arrival { signal: control.signal, payload })
}

fn bad(control: &Control, why: &'static str) -> PeerFault {
    PeerFault::BadControl { opcode: control.opcode.code, name: control.opcode.name, why }
}

/// `131 69` or `131 70`, sequence and fragment.
const FRAGMENT_HEAD_BYTES: usize = 2 + 8 + 8;

fn fragment_ids(packet: &[u8]) -> Result<(u64, u64), PeerFault> {
    let number = |at: usize| {
        let bytes = packet.get(at..at + 8)?;
        Some(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    };
    let (Some(sequence), Some(fragment)) = (number(2), number(10)) else {
        return Err(PeerFault::BadPacket { start: [packet[0], packet[1]], bytes: packet.len() });
    };
    if fragment == 0 {
        return Err(PeerFault::BadFragment { sequence, fragment, why: "fragments count down to 1" });
    }
    Ok((sequence, fragment))
}

/// The length field at `at`, if it is all there.
fn length_at(bytes: &[u8], at: usize) -> Option<usize> {
    let field = bytes.get(at..at + 4)?;
    Some(u32::from_be_bytes([field[0], field[1], field[2], field[3]]) as usize)
}
