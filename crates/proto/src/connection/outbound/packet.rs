//! Packets: length, header, control message, payload, written into batches.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use term::Atom;
use term::wire::{Encoded, WireContext, WireTerm};

use super::Queued;
use super::turns::Sequence;
use crate::connection::atom_cache::Sent;
use crate::connection::control::encode::{Refs, encode, term_inside};
use crate::connection::fragments::Rope;
use crate::connection::{Counters, FRAGMENT_FIRST, FRAGMENT_NEXT, HEADER, PASS_THROUGH, Style, VERSION};
use crate::limits::{BATCH_BYTES, FRAGMENT_BYTES, PASS_BYTES_MIN};
use crate::signal::{Parcel, Signal};

/// Writes packets.
pub(super) struct Packets {
    style: Style,
    cache: Sent,
    /// The packets since the last chunk was handed out.
    batch: BytesMut,
    /// The control message being made.
    control: Vec<u8>,
    pub(super) counters: Counters,
}

/// How a packet with a control message begins.
#[derive(Clone, Copy)]
enum Start {
    Whole,
    Fragments { sequence: u64, fragment: u64 },
}

impl Packets {
    pub(super) fn new(style: Style) -> Packets {
        Packets {
            style,
            cache: Sent::default(),
            batch: BytesMut::new(),
            control: Vec::new(),
            counters: Counters::default(),
        }
    }

    /// Four zeroes.
    pub(super) fn tick(&mut self) {
        self.batch.extend_from_slice(&[0; 4]);
        self.count(4);
        self.counters.ticks += 1;
    }

    /// A signal in one piece; gives the bytes it took. (It stays where it lies: moving it would cost more than this.)
    pub(super) fn whole(&mut self, queued: &mut Queued, out: &mut VecDeque<Bytes>) -> usize {
        let Queued { code, parcel: Parcel { signal, payload }, .. } = queued;
        self.make_room(out);
        self.counters.signals += 1;
        let Some(payload) = payload else {
            return self.head(Start::Whole, *code, signal, &[], 0);
        };
        let bytes = self.head(Start::Whole, *code, signal, &payload.atoms, payload.len());
        if payload.splices.is_empty() && payload.bytes.len() < PASS_BYTES_MIN {
            self.batch.extend_from_slice(&payload.bytes);
        } else {
            self.pieces(&mut std::mem::take(payload).into(), usize::MAX, out);
        }
        bytes
    }

    /// The next fragment; gives the bytes of payload in it.
    pub(super) fn fragment(&mut self, sequence: &mut Sequence, out: &mut VecDeque<Bytes>) -> usize {
        let Sequence { id, fragment, .. } = *sequence;
        let part = sequence.rope.len().min(FRAGMENT_BYTES);
        self.make_room(out);
        if sequence.begun {
            let length = (2 + 8 + 8 + part) as u32;
            self.batch.extend_from_slice(&length.to_be_bytes());
            self.batch.extend_from_slice(&[VERSION, FRAGMENT_NEXT]);
            self.batch.extend_from_slice(&id.to_be_bytes());
            self.batch.extend_from_slice(&fragment.to_be_bytes());
            self.count(4 + length as usize);
        } else {
            let start = Start::Fragments { sequence: id, fragment };
            self.head(start, sequence.code, &sequence.signal, &sequence.atoms, part);
            sequence.begun = true;
        }
        self.pieces(&mut sequence.rope, part, out);
        sequence.fragment -= 1;
        self.counters.signals += u64::from(sequence.fragment == 0);
        part
    }

    /// Hands out what is in the batch.
    pub(super) fn flush(&mut self, out: &mut VecDeque<Bytes>) {
        if !self.batch.is_empty() {
            out.push_back(self.batch.split().freeze());
        }
    }

    /// A full batch is handed out before it would have to be moved to a larger place.
    fn make_room(&mut self, out: &mut VecDeque<Bytes>) {
        if self.batch.capacity() - self.batch.len() < 2 * PASS_BYTES_MIN {
            self.flush(out);
            self.batch.reserve(BATCH_BYTES);
        }
    }

    /// Everything before the payload; gives the bytes of the whole packet.
    fn head(&mut self, start: Start, code: u8, signal: &Signal, atoms: &[Atom], payload: usize) -> usize {
        let first = self.batch.len();
        self.control.clear();
        let number = (self.style == Style::Cached).then_some(atoms.len());
        let refs = encode(signal, code, &mut self.control, Refs::after(number));
        match (self.style, start) {
            (Style::PassThrough, _) => self.batch.extend_from_slice(&[0, 0, 0, 0, PASS_THROUGH, VERSION]),
            (_, Start::Whole) => self.batch.extend_from_slice(&[0, 0, 0, 0, VERSION, HEADER]),
            (_, Start::Fragments { sequence, fragment }) => {
                self.batch.extend_from_slice(&[0, 0, 0, 0, VERSION, FRAGMENT_FIRST]);
                self.batch.extend_from_slice(&sequence.to_be_bytes());
                self.batch.extend_from_slice(&fragment.to_be_bytes());
            }
        }
        match self.style {
            Style::Cached => self.cache.write_header(&mut self.batch, atoms, refs.list()),
            Style::Bare => self.batch.extend_from_slice(&[0]),
            Style::PassThrough => {}
        }
        self.batch.extend_from_slice(&self.control);
        if self.style == Style::PassThrough && payload > 0 && !term_inside(code) {
            self.batch.extend_from_slice(&[VERSION]);
        }
        let bytes = self.batch.len() - first + payload;
        self.batch[first..first + 4].copy_from_slice(&((bytes - 4) as u32).to_be_bytes());
        self.count(bytes);
        bytes
    }

    /// The next `bytes` of the rope: small pieces are copied, large ones handed out as they are.
    fn pieces(&mut self, rope: &mut Rope, mut bytes: usize, out: &mut VecDeque<Bytes>) {
        while bytes > 0
            && let Some(piece) = rope.next(bytes)
        {
            bytes -= piece.len();
            if piece.len() < PASS_BYTES_MIN {
                self.batch.extend_from_slice(&piece);
            } else {
                self.flush(out);
                out.push_back(piece);
            }
        }
    }

    fn count(&mut self, bytes: usize) {
        self.counters.packets += 1;
        self.counters.bytes += bytes as u64;
    }
}

/// The same term with its atoms written out, for a peer that negotiated no atom cache. Slow, and rare.
pub(super) fn written_out(encoded: &Encoded) -> Option<Encoded> {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rope: Rope = encoded.clone().into();
    while let Some(piece) = rope.next(usize::MAX) {
        bytes.extend_from_slice(&piece);
    }
    let context = Arc::new(WireContext { atoms: encoded.atoms.clone(), nodes: Vec::new() });
    let term = WireTerm { bytes: bytes.into(), context }.decode().ok()?;
    let mut bytes = term::encode::encode(&term);
    bytes.remove(0);
    Some(Encoded { bytes, ..Encoded::default() })
}
