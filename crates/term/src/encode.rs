//! Terms to bytes.

use std::slice::Iter;

use num_bigint::Sign;

use crate::atom::{Atom, INLINE_BYTES_MAX};
use crate::binary::Binary;
use crate::fun::Fun;
use crate::ident::{NodeId, Pid, Port, Ref};
use crate::limits::SPLICE_BYTES_MIN;
use crate::list::{List, Runs, Slice};
use crate::tags;
use crate::term::Term;
use crate::wire::Encoded;

/// The bytes of `term`, with the version byte 131 and all atoms written out.
pub fn encode(term: &Term) -> Vec<u8> {
    let mut encoder = Encoder::standalone();
    match term {
        Term::Local(local) => {
            encoder.byte(tags::LOCAL);
            encoder.raw(&local.0);
        }
        _ => encoder.term(term),
    }
    encoder.out.bytes
}

/// The bytes of `term`, compressed by zlib where that makes them fewer; `level` is 1 (quick) to 9 (small).
pub fn compressed(term: &Term, level: u32) -> Vec<u8> {
    use std::io::Read;
    let plain = encode(term);
    let mut bytes = vec![tags::VERSION, tags::COMPRESSED];
    bytes.extend((plain.len() as u32 - 1).to_be_bytes());
    let mut packer = flate2::read::ZlibEncoder::new(&plain[1..], flate2::Compression::new(level.min(9)));
    match packer.read_to_end(&mut bytes) {
        Ok(_) if bytes.len() < plain.len() => bytes,
        _ => plain,
    }
}

/// `term` for a connection: see [`Encoded`].
pub fn encode_wire(term: &Term) -> Encoded {
    let mut encoder = Encoder::new();
    encoder.term(term);
    encoder.finish()
}

/// Writes terms for a connection, whole or piece by piece.
///
/// Whoever writes a header ([`Encoder::tuple_header`]) writes as many terms after it as it says.
#[derive(Debug)]
pub struct Encoder {
    out: Encoded,
    /// How many bytes the splices have together.
    spliced: usize,
    /// Nothing is shared with a connection: atoms are written out, binaries copied.
    standalone: bool,
    /// Where in `out.atoms` an atom was found last, by [`hint`].
    hints: [u8; HINTS],
}

const HINTS: usize = 32;

/// Room for a small message, so that it is not moved while it grows.
const FIRST_BYTES: usize = 128;

/// Lists of at most this many bytes have a form of their own, `STRING_EXT`.
const STRING_BYTES_MAX: usize = u16::MAX as usize;

/// Atoms that can stand as references; the later ones are written out.
const ATOMS_MAX: usize = 255;

impl Default for Encoder {
    fn default() -> Encoder {
        Encoder::new()
    }
}

impl Encoder {
    /// An encoder that has written nothing yet.
    pub fn new() -> Encoder {
        let out = Encoded { bytes: Vec::with_capacity(FIRST_BYTES), ..Encoded::default() };
        Encoder { out, spliced: 0, standalone: false, hints: [0; HINTS] }
    }

    /// An encoder that shares nothing with a connection, and has written the version byte.
    pub(crate) fn standalone() -> Encoder {
        let mut encoder = Encoder { standalone: true, ..Encoder::new() };
        encoder.byte(tags::VERSION);
        encoder
    }

    /// What was written.
    pub fn finish(self) -> Encoded {
        self.out
    }

    /// The head of a tuple of `arity` terms.
    pub fn tuple_header(&mut self, arity: usize) {
        match u8::try_from(arity) {
            Ok(arity) => self.raw(&[tags::SMALL_TUPLE, arity]),
            Err(_) => self.tag_u32(tags::LARGE_TUPLE, arity as u32),
        }
    }

    /// The head of a list of `length` terms. After them comes the tail, usually [`Encoder::nil`].
    pub fn list_header(&mut self, length: usize) {
        self.tag_u32(tags::LIST, length as u32);
    }

    /// `[]`.
    pub fn nil(&mut self) {
        self.byte(tags::NIL);
    }

    /// An integer.
    #[inline]
    pub fn int(&mut self, number: i64) {
        if let Ok(small) = u8::try_from(number) {
            return self.raw(&[tags::SMALL_INTEGER, small]);
        }
        if let Ok(medium) = i32::try_from(number) {
            return self.tag_u32(tags::INTEGER, medium as u32);
        }
        let size = number.unsigned_abs();
        let length = 8 - size.leading_zeros() as usize / 8;
        self.raw(&[tags::SMALL_BIG, length as u8, u8::from(number < 0)]);
        self.raw(&size.to_le_bytes()[..length]);
    }

    /// An atom.
    #[inline]
    pub fn atom(&mut self, atom: &Atom) {
        if !self.standalone
            && let Some(place) = self.place_of(atom)
        {
            return self.raw(&[tags::ATOM_CACHE_REF, place]);
        }
        if let Some((text, length)) = atom.inline_bytes() {
            // A copy of fixed size and a cut are faster than a copy of some size.
            let mut bytes = [0; INLINE_BYTES_MAX + 2];
            bytes[0] = tags::SMALL_ATOM_UTF8;
            bytes[1] = length;
            bytes[2..].copy_from_slice(text);
            let end = self.out.bytes.len() + 2 + usize::from(length);
            self.raw(&bytes);
            return self.out.bytes.truncate(end);
        }
        let text = atom.as_bytes();
        match u8::try_from(text.len()) {
            Ok(length) => self.raw(&[tags::SMALL_ATOM_UTF8, length]),
            Err(_) => {
                let [high, low] = (text.len() as u16).to_be_bytes();
                self.raw(&[tags::ATOM_UTF8, high, low]);
            }
        }
        self.raw(text);
    }

    /// The place of an atom among those referred to; none when it is new and they are full.
    #[inline]
    fn place_of(&mut self, atom: &Atom) -> Option<u8> {
        let hint = hint(atom);
        let hinted = self.hints[hint];
        if self.out.atoms.get(usize::from(hinted)) == Some(atom) {
            return Some(hinted);
        }
        let atoms = &mut self.out.atoms;
        let place = match atoms.iter().position(|known| known == atom) {
            Some(place) => place,
            None if atoms.len() >= ATOMS_MAX => return None,
            None => {
                atoms.push(atom.clone());
                atoms.len() - 1
            }
        };
        self.hints[hint] = place as u8;
        Some(place as u8)
    }

    /// A pid.
    #[inline]
    pub fn pid(&mut self, pid: &Pid) {
        self.byte(tags::NEW_PID);
        self.atom(pid.node.name());
        let mut numbers = [0; 12];
        numbers[..4].copy_from_slice(&pid.id.to_be_bytes());
        numbers[4..8].copy_from_slice(&pid.serial.to_be_bytes());
        numbers[8..].copy_from_slice(&pid.node.creation().to_be_bytes());
        self.raw(&numbers);
    }

    /// A port. Small numbers keep the form that releases before OTP 24 read, as OTP 25 has it.
    pub fn port(&mut self, port: &Port) {
        let old = port.id < 1 << 28;
        self.byte(if old { tags::NEW_PORT } else { tags::V4_PORT });
        self.atom(port.node.name());
        match old {
            true => self.raw(&(port.id as u32).to_be_bytes()),
            false => self.raw(&port.id.to_be_bytes()),
        }
        self.creation(&port.node);
    }

    /// A reference.
    pub fn reference(&mut self, reference: &Ref) {
        let words = reference.words();
        self.raw(&[tags::NEWER_REFERENCE, 0, words.len() as u8]);
        self.atom(reference.node().name());
        self.creation(reference.node());
        for word in words {
            self.raw(&word.to_be_bytes());
        }
    }

    /// A binary. From `SPLICE_BYTES_MIN` on it is not copied.
    pub fn binary(&mut self, binary: &Binary) {
        self.tag_u32(tags::BINARY, binary.len() as u32);
        self.bulk(binary);
    }

    /// A term of any kind.
    ///
    /// Two kinds of values have no form of their own that a peer would take: a float that is not finite is
    /// written as the atom `nan`, `infinity` or `'-infinity'`, and a [`Term::Local`] as a binary that holds
    /// it, for the node that made it to decode.
    pub fn term(&mut self, term: &Term) {
        let Some(mut part) = self.begin(term) else { return };
        let mut outer: Vec<Part<'_>> = Vec::new();
        loop {
            match self.write_on(&mut part) {
                Some(inner) => outer.push(std::mem::replace(&mut part, inner)),
                None => match outer.pop() {
                    Some(next) => part = next,
                    None => return,
                },
            }
        }
    }

    /// Writes on to the end of a part, or to a container inside it.
    #[inline]
    fn write_on<'a>(&mut self, part: &mut Part<'a>) -> Option<Part<'a>> {
        match part {
            Part::Terms(terms) => terms.find_map(|term| self.begin(term)),
            Part::Pairs(pairs, value) => loop {
                let term = match value.take() {
                    Some(value) => value,
                    None => {
                        let (key, next) = pairs.next()?;
                        *value = Some(next);
                        key
                    }
                };
                if let Some(inner) = self.begin(term) {
                    return Some(inner);
                }
            },
            Part::List(terms, runs) => loop {
                if let Some(inner) = terms.find_map(|term| self.begin(term)) {
                    return Some(inner);
                }
                match runs.as_mut()?.next() {
                    Some(Slice::Terms(items)) => *terms = items.iter(),
                    Some(Slice::Bytes(bytes)) => bytes.iter().for_each(|&byte| self.int(byte.into())),
                    None => match runs.take()?.improper_tail() {
                        Some(tail) => return self.begin(tail),
                        None => self.nil(),
                    },
                }
            },
            Part::Fun { free, at, spliced } => {
                let inner = free.find_map(|term| self.begin(term));
                if inner.is_none() {
                    let size = self.out.bytes.len() - *at + self.spliced - *spliced;
                    self.out.bytes[*at..*at + 4].copy_from_slice(&(size as u32).to_be_bytes());
                }
                inner
            }
        }
    }

    /// Writes a plain value, or the head of a container and gives back what it contains.
    #[inline]
    fn begin<'a>(&mut self, term: &'a Term) -> Option<Part<'a>> {
        match term {
            Term::Int(number) => self.int(*number),
            Term::Atom(atom) => self.atom(atom),
            Term::Pid(pid) => self.pid(pid),
            Term::Binary(binary) => self.binary(binary),
            Term::Float(number) => self.float(*number),
            Term::Ref(reference) => self.reference(reference),
            Term::Tuple(items) => {
                self.tuple_header(items.len());
                return Some(Part::Terms(items.iter()));
            }
            Term::List(list) => return self.list(list),
            Term::Map(map) => {
                self.tag_u32(tags::MAP, map.len() as u32);
                return Some(Part::Pairs(map.pairs().iter(), None));
            }
            other => return self.begin_rare(other),
        }
        None
    }

    #[inline(never)]
    fn begin_rare<'a>(&mut self, term: &'a Term) -> Option<Part<'a>> {
        match term {
            Term::Big(number) => {
                let (sign, digits) = number.to_bytes_le();
                match u8::try_from(digits.len()) {
                    Ok(length) => self.raw(&[tags::SMALL_BIG, length]),
                    Err(_) => self.tag_u32(tags::LARGE_BIG, digits.len() as u32),
                }
                self.byte(u8::from(sign == Sign::Minus));
                self.raw(&digits);
            }
            Term::Port(port) => self.port(port),
            Term::Bits(bits) => {
                self.tag_u32(tags::BIT_BINARY, bits.bytes.len() as u32);
                self.byte(bits.last_bits);
                self.bulk(&bits.bytes);
            }
            Term::Export(export) => {
                self.byte(tags::EXPORT);
                self.atom(&export.module);
                self.atom(&export.function);
                self.raw(&[tags::SMALL_INTEGER, export.arity]);
            }
            Term::Local(local) => {
                self.tag_u32(tags::BINARY, local.0.len() as u32 + 2);
                self.raw(&[tags::VERSION, tags::LOCAL]);
                self.raw(&local.0);
            }
            Term::Fun(fun) => return Some(self.fun(fun)),
            _ => {}
        }
        None
    }

    /// The size of a fun is known at its end, and counts itself.
    fn fun<'a>(&mut self, fun: &'a Fun) -> Part<'a> {
        self.byte(tags::NEW_FUN);
        let (at, spliced) = (self.out.bytes.len(), self.spliced);
        self.raw(&[0, 0, 0, 0, fun.arity]);
        self.raw(&fun.uniq);
        self.raw(&fun.index.to_be_bytes());
        self.raw(&(fun.free.len() as u32).to_be_bytes());
        self.atom(&fun.module);
        self.int(fun.old_index);
        self.int(fun.old_uniq);
        self.pid(&fun.creator);
        Part::Fun { free: fun.free.iter(), at, spliced }
    }

    #[inline]
    fn list<'a>(&mut self, list: &'a List) -> Option<Part<'a>> {
        let mut runs = list.runs();
        if let Some(length) = string_length(list) {
            if length == 0 {
                self.nil();
                return None;
            }
            let [high, low] = length.to_be_bytes();
            self.raw(&[tags::STRING, high, low]);
            for run in runs {
                match run {
                    Slice::Bytes(bytes) => self.raw(bytes),
                    Slice::Terms(items) => self.out.bytes.extend(items.iter().filter_map(as_byte)),
                }
            }
            return None;
        }
        self.list_header(list.len());
        let first = match runs.next()? {
            Slice::Terms(items) => items.iter(),
            Slice::Bytes(bytes) => {
                bytes.iter().for_each(|&byte| self.int(byte.into()));
                [].iter()
            }
        };
        Some(Part::List(first, Some(runs)))
    }

    /// The head of a list or map whose count is not known yet, and where the count goes.
    #[cfg(feature = "serde")]
    pub(crate) fn counted_header(&mut self, tag: u8) -> usize {
        self.tag_u32(tag, 0);
        self.out.bytes.len() - 4
    }

    /// Puts in a count that was left open.
    #[cfg(feature = "serde")]
    pub(crate) fn put_count(&mut self, at: usize, count: u32) {
        self.out.bytes[at..at + 4].copy_from_slice(&count.to_be_bytes());
    }

    /// A binary, copied.
    #[cfg(feature = "serde")]
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<(), crate::serde::Error> {
        let length =
            u32::try_from(bytes.len()).map_err(|_| crate::serde::Error("a binary of 4 GiB".into()))?;
        self.tag_u32(tags::BINARY, length);
        self.raw(bytes);
        Ok(())
    }

    /// A float; see [`Encoder::term`] for what is not finite.
    pub fn float(&mut self, number: f64) {
        const NAN: Atom = Atom::inline("nan");
        const INFINITY: Atom = Atom::inline("infinity");
        const MINUS_INFINITY: Atom = Atom::inline("-infinity");
        if number.is_finite() {
            self.byte(tags::NEW_FLOAT);
            return self.raw(&number.to_be_bytes());
        }
        self.atom(&match number {
            _ if number.is_nan() => NAN,
            _ if number > 0.0 => INFINITY,
            _ => MINUS_INFINITY,
        });
    }

    fn creation(&mut self, node: &NodeId) {
        self.raw(&node.creation().to_be_bytes());
    }

    #[inline]
    fn byte(&mut self, byte: u8) {
        self.out.bytes.push(byte);
    }

    #[inline]
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.out.bytes.extend_from_slice(bytes);
    }

    #[inline]
    fn tag_u32(&mut self, tag: u8, number: u32) {
        let [a, b, c, d] = number.to_be_bytes();
        self.raw(&[tag, a, b, c, d]);
    }

    #[inline]
    fn bulk(&mut self, binary: &Binary) {
        if self.standalone || binary.len() < SPLICE_BYTES_MIN {
            return self.raw(binary.as_slice());
        }
        self.spliced += binary.len();
        self.out.splices.push((self.out.bytes.len(), binary.to_bytes()));
    }
}

/// What of a container is still to be written.
enum Part<'a> {
    Terms(Iter<'a, Term>),
    /// The value of the key that was written last, unless it is written too.
    Pairs(Iter<'a, (Term, Term)>, Option<&'a Term>),
    /// No runs are left when the tail has been written.
    List(Iter<'a, Term>, Option<Runs<'a>>),
    /// The size of the fun, to be put in at `at` when its free variables are written.
    Fun {
        free: Iter<'a, Term>,
        at: usize,
        spliced: usize,
    },
}

/// The length of a list that is a string of bytes, short enough for `STRING_EXT`.
fn string_length(list: &List) -> Option<u16> {
    let mut length = 0;
    let mut runs = list.runs();
    for run in &mut runs {
        length += run.len();
        let bytes = match run {
            Slice::Bytes(_) => true,
            Slice::Terms(items) => items.iter().all(|item| as_byte(item).is_some()),
        };
        if !bytes || length > STRING_BYTES_MAX {
            return None;
        }
    }
    if runs.improper_tail().is_some() { None } else { u16::try_from(length).ok() }
}

#[inline]
fn as_byte(term: &Term) -> Option<u8> {
    if let Term::Int(number) = term { u8::try_from(*number).ok() } else { None }
}

/// Where an atom is looked for first.
#[inline]
fn hint(atom: &Atom) -> usize {
    let text = atom.as_bytes();
    let ends =
        usize::from(text.first().copied().unwrap_or(0)) ^ usize::from(text.last().copied().unwrap_or(0)) << 2;
    (ends ^ text.len() << 1) % HINTS
}
