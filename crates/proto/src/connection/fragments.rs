//! Fragments: a rope to cut a payload into parts without copying it, and the table in which parts become one again.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use term::wire::{Encoded, WireContext, WireTerm};

use crate::error::PeerFault;
use crate::limits::{FRAGMENT_HEAD_FREE_BYTES, FRAGMENT_HEAD_WEIGHT};
use crate::signal::{Arrival, Payload, Signal};

/// The bytes of a payload, in pieces that are shared, not copied.
#[derive(Debug, Default)]
pub(crate) struct Rope {
    pieces: VecDeque<Bytes>,
    bytes: usize,
}

impl Rope {
    /// The payload with its splices in their places.
    pub(crate) fn new(bytes: Vec<u8>, splices: Vec<(usize, Bytes)>) -> Rope {
        let mut pieces = VecDeque::with_capacity(2 * splices.len() + 1);
        let mut rest = Bytes::from(bytes);
        let mut cut = 0;
        for (offset, splice) in splices {
            let before = rest.split_to(offset.saturating_sub(cut).min(rest.len()));
            cut += before.len();
            pieces.extend([before, splice]);
        }
        pieces.push_back(rest);
        pieces.retain(|piece| !piece.is_empty());
        let bytes = pieces.iter().map(Bytes::len).sum();
        Rope { pieces, bytes }
    }

    /// Takes the next piece, at most `bytes_max` of it.
    pub(crate) fn next(&mut self, bytes_max: usize) -> Option<Bytes> {
        let front = self.pieces.front_mut()?;
        let piece =
            if front.len() > bytes_max { front.split_to(bytes_max) } else { self.pieces.pop_front()? };
        self.bytes -= piece.len();
        Some(piece)
    }

    /// Bytes left.
    pub(crate) fn len(&self) -> usize {
        self.bytes
    }
}

impl From<Encoded> for Rope {
    fn from(encoded: Encoded) -> Rope {
        Rope::new(encoded.bytes, encoded.splices)
    }
}

/// The sequences of a peer whose last fragment has not come yet.
pub(crate) struct Reassembly {
    open: BTreeMap<u64, Partial>,
    bytes: usize,
    /// What the control messages and headers of the sequences count for.
    heads: usize,
    messages_max: usize,
    bytes_max: usize,
    /// Bytes of the message that became whole last: room for as many is made for the next one at once.
    last: usize,
}

/// A signal that waits for the rest of its payload.
struct Partial {
    signal: Signal,
    /// The table of the first fragment holds for the whole sequence, whatever happens to the cache meanwhile.
    context: Arc<WireContext>,
    /// The number of the fragment that must come next.
    next: u64,
    bytes: Vec<u8>,
    head: usize,
}

impl Reassembly {
    pub(crate) fn new(messages_max: usize, bytes_max: usize) -> Reassembly {
        Reassembly { open: BTreeMap::new(), bytes: 0, heads: 0, messages_max, bytes_max, last: 0 }
    }

    /// Bytes held for unfinished sequences.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The first of `fragment` fragments, at least two. The part starts at `at` in its packet; what is before it is held
    /// too, decoded.
    pub(crate) fn begin(
        &mut self,
        sequence: u64,
        fragment: u64,
        signal: Signal,
        context: Arc<WireContext>,
        (packet, at): (&[u8], usize),
    ) -> Result<(), PeerFault> {
        if self.open.contains_key(&sequence) {
            return Err(PeerFault::BadFragment { sequence, fragment, why: "its sequence is open already" });
        }
        if self.open.len() >= self.messages_max {
            return Err(PeerFault::TooManyFragments { held: self.open.len() + 1, max: self.messages_max });
        }
        let head = if at > FRAGMENT_HEAD_FREE_BYTES { at.saturating_mul(FRAGMENT_HEAD_WEIGHT) } else { 0 };
        self.heads += head;
        self.count(packet.len() - at)?;
        // Growing copies. One message at a time may claim room, and no more than its like was seen to need.
        let claimed = usize::try_from(fragment).unwrap_or(usize::MAX).saturating_mul(packet.len() - at);
        let room = if self.open.is_empty() { claimed.min(self.last) } else { 0 };
        let mut bytes = Vec::with_capacity(room.max(packet.len() - at));
        bytes.extend_from_slice(&packet[at..]);
        self.open.insert(sequence, Partial { signal, context, next: fragment - 1, bytes, head });
        Ok(())
    }

    /// A further fragment; the last one gives the signal back.
    pub(crate) fn go_on(
        &mut self,
        sequence: u64,
        fragment: u64,
        part: &[u8],
    ) -> Result<Option<Arrival>, PeerFault> {
        self.place(sequence, fragment)?.extend_from_slice(part);
        self.count(part.len())?;
        Ok(self.finish(sequence))
    }

    /// Where the bytes of this fragment belong, which must be the next of its sequence. What is put there has to be
    /// counted; [`Reassembly::finish`] ends the fragment.
    pub(crate) fn place(&mut self, sequence: u64, fragment: u64) -> Result<&mut Vec<u8>, PeerFault> {
        let bad = |why| PeerFault::BadFragment { sequence, fragment, why };
        let held = self.open.get_mut(&sequence).ok_or(bad("its sequence was never begun"))?;
        if held.next != fragment {
            return Err(bad("it is out of order"));
        }
        Ok(&mut held.bytes)
    }

    /// The fragment that was due is there; the last one gives the signal back.
    pub(crate) fn finish(&mut self, sequence: u64) -> Option<Arrival> {
        let held = self.open.get_mut(&sequence)?;
        held.next -= 1;
        if held.next > 0 {
            return None;
        }
        let whole = self.open.remove(&sequence)?;
        self.bytes -= whole.bytes.len();
        self.heads -= whole.head;
        self.last = whole.bytes.len();
        let term = WireTerm { bytes: whole.bytes.into(), context: whole.context };
        Some(Arrival { signal: whole.signal, payload: Payload::Wire(term) })
    }

    /// Counts bytes that were put in their place; [`Reassembly::count`] must say soon whether they are too many.
    pub(crate) fn note(&mut self, more: usize) {
        self.bytes += more;
    }

    pub(crate) fn count(&mut self, more: usize) -> Result<(), PeerFault> {
        self.bytes += more;
        let held = self.bytes.saturating_add(self.heads);
        if held > self.bytes_max {
            return Err(PeerFault::TooManyFragments { held, max: self.bytes_max });
        }
        Ok(())
    }
}
