//! The atom cache, one per direction: what has been sent, what has been seen, and the headers that speak of it.
//!
//! A header has up to 255 references into 2,048 slots; each either names a slot that is filled or fills it anew.
//! (Erlang Distribution Protocol, "Distribution Header".)

use std::sync::Arc;

use bytes::BytesMut;
use term::wire::WireContext;
use term::{Atom, NodeId};

use crate::error::PeerFault;
use crate::limits::{ATOM_CACHE_SLOTS, SEEN_HEADERS_MAX, SENT_HEADERS_MAX};

/// The sending side: which atom the peer has in which slot.
pub struct Sent {
    slots: Vec<Option<Atom>>,
    /// Headers in which every atom was in its slot, ready to be sent again.
    recent: [Recent; SENT_HEADERS_MAX],
    /// Which of them is overwritten next.
    oldest: usize,
    /// Counts the writes of slots: a recent header is good as long as it is not older than the last write.
    writes: u64,
}

#[derive(Default)]
struct Recent {
    atoms: Vec<Atom>,
    bytes: Vec<u8>,
    writes: u64,
}

impl Default for Sent {
    fn default() -> Sent {
        Sent { slots: vec![None; ATOM_CACHE_SLOTS], recent: Default::default(), oldest: 0, writes: 1 }
    }
}

impl Sent {
    /// Appends the header for these atoms, those of the payload first. Both together are at most 255.
    pub fn write_header(&mut self, out: &mut BytesMut, payload: &[Atom], control: &[&Atom]) {
        let known = self.recent.iter().find(|recent| recent.is_for(self.writes, payload, control));
        if let Some(recent) = known {
            out.extend_from_slice(&recent.bytes);
            return;
        }
        let start = out.len();
        let writes = self.writes;
        self.build(out, payload, control);
        if writes == self.writes {
            self.remember(&out[start..], payload, control);
        }
    }

    fn build(&mut self, out: &mut BytesMut, payload: &[Atom], control: &[&Atom]) {
        let count = payload.len() + control.len();
        out.extend_from_slice(&[count as u8]);
        if count == 0 {
            return;
        }
        let flags = out.len();
        out.resize(flags + count / 2 + 1, 0);
        let atoms = || payload.iter().chain(control.iter().copied());
        // One long atom among the new ones makes all lengths two bytes; long atoms are rare, so ask all of them.
        let long = atoms().any(|atom| atom.as_bytes().len() > usize::from(u8::MAX));
        for (place, atom) in atoms().enumerate() {
            let (slot, new) = self.slot(atom);
            let nibble = (slot >> 8) as u8 | if new { NEW_ENTRY } else { 0 };
            out[flags + place / 2] |= nibble << (place % 2 * 4);
            out.extend_from_slice(&[slot as u8]);
            if new {
                write_text(out, atom.as_bytes(), long);
            }
        }
        out[flags + count / 2] |= u8::from(long) << (count % 2 * 4);
    }

    /// The slot of an atom, and whether it has just been put there. Each atom has two slots to choose from.
    fn slot(&mut self, atom: &Atom) -> (usize, bool) {
        let first = slot_of(atom.as_bytes());
        let second = first ^ 1;
        for slot in [first, second] {
            if self.slots[slot].as_ref().is_some_and(|held| held == atom) {
                return (slot, false);
            }
        }
        let slot = match (&self.slots[first], &self.slots[second]) {
            (None, _) => first,
            (_, None) => second,
            _ => [first, second][(self.writes & 1) as usize],
        };
        self.slots[slot] = Some(atom.clone());
        self.writes += 1;
        (slot, true)
    }

    fn remember(&mut self, bytes: &[u8], payload: &[Atom], control: &[&Atom]) {
        let recent = &mut self.recent[self.oldest];
        self.oldest = (self.oldest + 1) % SENT_HEADERS_MAX;
        recent.writes = self.writes;
        recent.bytes.clear();
        recent.bytes.extend_from_slice(bytes);
        recent.atoms.clear();
        recent.atoms.extend(payload.iter().chain(control.iter().copied()).cloned());
    }
}

impl Recent {
    fn is_for(&self, writes: u64, payload: &[Atom], control: &[&Atom]) -> bool {
        self.writes == writes
            && self.atoms.len() == payload.len() + control.len()
            && self.atoms[..payload.len()] == *payload
            && self.atoms[payload.len()..].iter().zip(control).all(|(mine, theirs)| mine == *theirs)
    }
}

/// Half a byte of flags: the reference fills its slot.
const NEW_ENTRY: u8 = 8;

fn write_text(out: &mut BytesMut, text: &[u8], long: bool) {
    if long {
        out.extend_from_slice(&(text.len() as u16).to_be_bytes());
    } else {
        out.extend_from_slice(&[text.len() as u8]);
    }
    out.extend_from_slice(text);
}

/// Arbitrary to the peer; it only has to spread.
fn slot_of(text: &[u8]) -> usize {
    (spread(text) >> 53) as usize
}

fn spread(bytes: &[u8]) -> u64 {
    const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut hash = bytes.len() as u64;
    let mut chunks = bytes.chunks_exact(8);
    for chunk in &mut chunks {
        let word = u64::from_le_bytes([
            chunk[0], chunk[1], chunk[2], chunk[3], chunk[4], chunk[5], chunk[6], chunk[7],
        ]);
        hash = (hash.rotate_left(29) ^ word).wrapping_mul(ODD);
    }
    let rest = chunks.remainder().iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
    let hash = (hash.rotate_left(29) ^ rest).wrapping_mul(ODD);
    (hash ^ hash >> 32).wrapping_mul(ODD)
}

/// The receiving side: which atom the peer has put into which slot.
pub struct Seen {
    slots: Vec<Slot>,
    /// Tables of headers without new entries, found again by the header's bytes.
    tables: Vec<Option<Table>>,
    /// Counts the writes of slots.
    writes: u64,
    /// This node and its peer.
    nodes: [NodeId; 2],
    /// The table of a header without references.
    empty: Arc<WireContext>,
}

#[derive(Clone, Default)]
struct Slot {
    atom: Option<Atom>,
    /// The count of writes when this slot was last written.
    written: u64,
}

struct Table {
    header: Vec<u8>,
    /// The count of writes when the table was last known to be right.
    checked: u64,
    context: Arc<WireContext>,
}

impl Seen {
    /// An empty cache for what `peer` sends to `me`.
    pub fn new(me: NodeId, peer: NodeId) -> Seen {
        let nodes = [peer, me];
        Seen {
            slots: vec![Slot::default(); ATOM_CACHE_SLOTS],
            tables: std::iter::repeat_with(|| None).take(SEEN_HEADERS_MAX).collect(),
            writes: 0,
            empty: Arc::new(WireContext { atoms: Vec::new(), nodes: nodes.to_vec() }),
            nodes,
        }
    }

    /// The table for what has no header, or an empty one.
    pub fn empty(&self) -> &Arc<WireContext> {
        &self.empty
    }

    /// Reads the header at the front of `bytes` (which start with the count of references): what its references mean,
    /// and how long it is.
    ///
    /// # Errors
    /// When the header is cut off, names an empty slot, or its text is no atom.
    pub fn read_header(&mut self, bytes: &[u8]) -> Result<(Arc<WireContext>, usize), PeerFault> {
        let count = usize::from(*bytes.first().ok_or(CUT_OFF)?);
        if count == 0 {
            return Ok((Arc::clone(&self.empty), 1));
        }
        let flags = bytes.get(1..count / 2 + 2).ok_or(CUT_OFF)?;
        // With an odd count the last nibble but one belongs to a reference, with an even one only the long-atoms bit
        // is left; bit 3 of that nibble means nothing, so a header that sets it is only read the slow way.
        if flags.iter().any(|pair| pair & 0x88 != 0) {
            return self.read_new(bytes, count);
        }
        let length = 1 + flags.len() + count;
        let header = bytes.get(..length).ok_or(CUT_OFF)?;
        Ok((self.table(header, count)?, length))
    }

    /// The table of a header without new entries: most likely one we made before.
    fn table(&mut self, header: &[u8], count: usize) -> Result<Arc<WireContext>, PeerFault> {
        let place = (spread(header) >> 32) as usize % SEEN_HEADERS_MAX;
        if let Some(table) = &mut self.tables[place]
            && table.header == header
            && (table.checked == self.writes || unwritten(&self.slots, header, count, table.checked))
        {
            table.checked = self.writes;
            return Ok(Arc::clone(&table.context));
        }
        let mut atoms = Vec::with_capacity(count);
        for slot in slots_of(header, count) {
            atoms.push(self.slots[slot].atom.clone().ok_or(EMPTY_SLOT)?);
        }
        let context = self.context(atoms);
        let table = Table { header: header.to_vec(), checked: self.writes, context: Arc::clone(&context) };
        self.tables[place] = Some(table);
        Ok(context)
    }

    #[inline(never)]
    fn read_new(&mut self, bytes: &[u8], count: usize) -> Result<(Arc<WireContext>, usize), PeerFault> {
        let nibble = |place: usize| bytes[1 + place / 2] >> (place % 2 * 4) & 0xF;
        let long = nibble(count) & 1 != 0;
        let mut at = count / 2 + 2;
        let mut atoms = Vec::with_capacity(count);
        for place in 0..count {
            let slot = usize::from(nibble(place) & 7) << 8 | usize::from(*bytes.get(at).ok_or(CUT_OFF)?);
            at += 1;
            if nibble(place) & NEW_ENTRY != 0 {
                let (atom, end) = read_text(bytes, at, long)?;
                at = end;
                self.fill(slot, atom);
            }
            atoms.push(self.slots[slot].atom.clone().ok_or(EMPTY_SLOT)?);
        }
        Ok((self.context(atoms), at))
    }

    fn fill(&mut self, slot: usize, atom: Atom) {
        // The name of a node we know shares its text with the node: comparing them is then comparing addresses.
        let known = self.nodes.iter().find(|node| *node.name() == atom);
        let atom = known.map_or(atom, |node| node.name().clone());
        self.writes += 1;
        self.slots[slot] = Slot { atom: Some(atom), written: self.writes };
    }

    fn context(&self, atoms: Vec<Atom>) -> Arc<WireContext> {
        Arc::new(WireContext { atoms, nodes: self.nodes.to_vec() })
    }
}

/// Whether no slot of the header was written after the table was checked.
fn unwritten(slots: &[Slot], header: &[u8], count: usize, checked: u64) -> bool {
    slots_of(header, count).all(|slot| slots[slot].written <= checked)
}

/// The slots named by a header that has no new entries and is all there.
fn slots_of(header: &[u8], count: usize) -> impl Iterator<Item = usize> {
    let (flags, indexes) = header[1..].split_at(count / 2 + 1);
    indexes
        .iter()
        .enumerate()
        .map(|(place, index)| usize::from(flags[place / 2] >> (place % 2 * 4) & 7) << 8 | usize::from(*index))
}

fn read_text(bytes: &[u8], at: usize, long: bool) -> Result<(Atom, usize), PeerFault> {
    let (length, start) = if long {
        let length = bytes.get(at..at + 2).ok_or(CUT_OFF)?;
        (usize::from(length[0]) << 8 | usize::from(length[1]), at + 2)
    } else {
        (usize::from(*bytes.get(at).ok_or(CUT_OFF)?), at + 1)
    };
    let text = bytes.get(start..start + length).ok_or(CUT_OFF)?;
    let text = std::str::from_utf8(text).map_err(|_| PeerFault::Header("an atom is not UTF-8"))?;
    let atom = Atom::try_new(text).ok_or(PeerFault::Header("an atom has more than 255 characters"))?;
    Ok((atom, start + length))
}

const CUT_OFF: PeerFault = PeerFault::Header("it is cut off");
const EMPTY_SLOT: PeerFault = PeerFault::Header("it names a slot that was never filled");
