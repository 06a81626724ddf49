//! What the connection promises: nothing lost, nothing reordered per sender, nothing believed.

mod captured;
mod fairness;
mod malformed;
mod round_trip;
mod ticking;

use std::collections::VecDeque;

use bytes::{BufMut, Bytes, BytesMut};
use term::encode::encode_wire;
use term::{Atom, Binary, NodeId, Pid, Ref, Term};

use super::{Inbound, Outbound};
use crate::error::Blame;
use crate::flags::Flags;
use crate::signal::{Arrival, Dest, Parcel, Payload, Signal};

/// Dice that tell the same story for the same seed.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(super) fn word(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    pub(super) fn below(&mut self, limit: u64) -> u64 {
        (self.word() >> 11) % limit
    }

    pub(super) fn coin(&mut self) -> bool {
        self.below(2) == 0
    }
}

pub(super) fn here() -> NodeId {
    NodeId::new(Atom::new("trunkline@127.0.0.1"), 0x6B00_C1C8)
}

pub(super) fn there() -> NodeId {
    NodeId::new(Atom::new("peer@127.0.0.1"), 0x6B00_BF44)
}

pub(super) fn pid(node: NodeId, id: u32) -> Pid {
    Pid { node, id, serial: 0 }
}

pub(super) fn reference(node: NodeId, word: u32) -> Ref {
    Ref::new(node, &[word, 2, 3]).expect("three words")
}

pub(super) fn send(from: u32, message: &Term) -> Parcel {
    let (from, to) = (Some(pid(there(), from)), Dest::Pid(pid(here(), 1)));
    Parcel {
        signal: Signal::Send { from, to, token: None, priority: false },
        payload: Some(encode_wire(message)),
    }
}

pub(super) fn blob(bytes: usize, fill: u8) -> Term {
    Term::Binary(Binary::from(vec![fill; bytes]))
}

/// All that waits, as one run of bytes.
pub(super) fn drain(outbound: &mut Outbound) -> Vec<u8> {
    let mut chunks = VecDeque::new();
    while outbound.fill(&mut chunks, 1 << 20).more {}
    chunks.iter().flat_map(|chunk: &Bytes| chunk.to_vec()).collect()
}

/// All that arrives, the bytes coming in pieces as the dice fall.
pub(super) fn feed(inbound: &mut Inbound, bytes: &[u8], dice: &mut Dice) -> Result<Vec<Arrival>, Blame> {
    let mut arrivals = Vec::new();
    let mut buffer = BytesMut::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let longest = [1, 7, 100, 5_000, 200_000][dice.below(5) as usize];
        let (piece, more) = rest.split_at(rest.len().min(1 + dice.below(longest) as usize));
        rest = more;
        // Reading past the buffer is a choice, and makes no difference.
        let mut landed = 0;
        if dice.coin()
            && let Some(mut place) = inbound.landing()
        {
            landed = place.remaining_mut().min(piece.len());
            place.put_slice(&piece[..landed]);
            inbound.landed(landed);
        }
        buffer.reserve(inbound.wanted_bytes(&buffer));
        buffer.extend_from_slice(&piece[landed..]);
        while let Some(arrival) = inbound.receive(&mut buffer)? {
            arrivals.push(arrival);
        }
    }
    assert!(buffer.is_empty(), "{} bytes were left over", buffer.len());
    Ok(arrivals)
}

/// The term beside a signal.
pub(super) fn term_of(arrival: &Arrival) -> Option<Term> {
    match &arrival.payload {
        Payload::None => None,
        Payload::Wire(wire) => Some(wire.decode().expect("a payload is a term")),
        Payload::Term(term) => Some(term.clone()),
    }
}

/// Both halves, from there to here.
pub(super) fn wire(flags: Flags) -> (Outbound, Inbound) {
    (Outbound::new(flags), Inbound::new(flags, here(), there()))
}
