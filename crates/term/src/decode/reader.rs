//! Reads one tag and what belongs to it: a whole value, or the head of a container.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use num_bigint::{BigInt, Sign};

use super::DecodeError;
use crate::atom::Atom;
use crate::binary::{Binary, BitString};
use crate::fun::{Export, Fun};
use crate::ident::{NodeId, Pid, Port, REF_WORDS_MAX, Ref};
use crate::limits::BIG_INTEGER_BITS_MAX;
use crate::list::List;
use crate::tags;
use crate::term::Term;
use crate::wire::WireContext;

/// What came next: a value, or a container of so many elements (a list's tail not counted; a map's pairs).
pub(crate) enum Piece {
    /// It is in the slot now.
    Whole,
    Tuple(usize),
    List(usize),
    Map(usize),
    Fun(Box<Fun>, usize),
}

/// What stands in a slot before anything has been read into it.
pub(crate) const PLACEHOLDER: Term = Term::Int(0);

/// Puts a value in the place of a placeholder, which needs no dropping.
#[inline(always)]
pub(crate) fn set(slot: &mut Term, value: Term) {
    std::mem::forget(std::mem::replace(slot, value));
}

/// Takes a value out and leaves a placeholder.
#[inline(always)]
pub(crate) fn take(slot: &mut Term) -> Term {
    std::mem::replace(slot, PLACEHOLDER)
}

pub(crate) struct Reader<'a> {
    all: &'a Bytes,
    bytes: &'a [u8],
    /// The offset of the next byte. One number that moves, not a slice that shrinks: two words that are written one by one and
    /// read back as one stall the processor at every value.
    at: usize,
    context: &'a WireContext,
    /// What the binaries of the term share; made for the first of them.
    buffer: Option<Arc<Bytes>>,
    /// The node that the last identifier belonged to, which is likely the next one's too.
    last_node: Option<NodeId>,
}

/// The text of an atom, where it stands.
enum Name<'a> {
    Known(&'a Atom),
    Utf8(&'a [u8]),
    Latin1(&'a [u8]),
}

type Read<T> = Result<T, DecodeError>;

const TRUNCATED: &str = "the bytes end inside a term";

impl<'a> Reader<'a> {
    pub(crate) fn new(all: &'a Bytes, at: usize, context: &'a WireContext) -> Reader<'a> {
        Reader { all, bytes: all, at, context, buffer: None, last_node: None }
    }

    /// The offset of the next byte.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// A place to come back to.
    #[cfg(feature = "serde")]
    pub(crate) fn mark(&self) -> usize {
        self.at
    }

    /// Goes back to a place.
    #[cfg(feature = "serde")]
    pub(crate) fn rewind(&mut self, mark: usize) {
        self.at = mark;
    }

    /// What was read since the offset `start`.
    #[cfg(feature = "serde")]
    pub(crate) fn since(&self, start: usize) -> &'a [u8] {
        &self.all[start..self.at()]
    }

    #[cold]
    pub(crate) fn error(&self, what: &'static str) -> DecodeError {
        DecodeError { what, at: self.at() }
    }

    /// Whether `elements` more elements can follow, besides the `lacking` ones of other containers.
    #[inline]
    pub(crate) fn expect(&self, elements: usize, lacking: usize) -> Read<()> {
        if elements.saturating_add(lacking) > self.bytes.len() - self.at {
            return Err(self.error("a container claims more elements than there are bytes"));
        }
        Ok(())
    }

    /// The next bytes, which stay the next.
    #[inline(always)]
    fn ahead<const N: usize>(&self) -> Option<&'a [u8; N]> {
        self.bytes.get(self.at..)?.first_chunk()
    }

    #[inline(always)]
    fn chunk<const N: usize>(&mut self) -> Read<&'a [u8; N]> {
        let Some(chunk) = self.ahead() else { return Err(self.error(TRUNCATED)) };
        self.at += N;
        Ok(chunk)
    }

    #[inline(always)]
    fn byte(&mut self) -> Read<u8> {
        Ok(self.chunk::<1>()?[0])
    }

    #[inline(always)]
    fn u16(&mut self) -> Read<u16> {
        Ok(u16::from_be_bytes(*self.chunk()?))
    }

    #[inline(always)]
    fn u32(&mut self) -> Read<u32> {
        Ok(u32::from_be_bytes(*self.chunk()?))
    }

    #[inline(always)]
    fn length(&mut self) -> Read<usize> {
        Ok(self.u32()? as usize)
    }

    #[inline]
    fn take(&mut self, length: usize) -> Read<&'a [u8]> {
        let end = self.at.saturating_add(length);
        let Some(taken) = self.bytes.get(self.at..end) else { return Err(self.error(TRUNCATED)) };
        self.at = end;
        Ok(taken)
    }

    /// The next value into its slot, which holds a placeholder, or the head of the next container.
    ///
    /// Every value is made where it stays: handing terms up through results costs more than reading them.
    #[inline(always)]
    pub(crate) fn piece(&mut self, slot: &mut Term) -> Read<Piece> {
        match self.byte()? {
            tags::SMALL_INTEGER => set(slot, Term::Int(self.byte()?.into())),
            tags::INTEGER => set(slot, Term::Int(i32::from_be_bytes(*self.chunk()?).into())),
            tags::ATOM_CACHE_REF => set(slot, Term::Atom(self.known_atom()?.clone())),
            tags::SMALL_ATOM_UTF8 => {
                let length = self.byte()?.into();
                if let Some(atom) = self.short_atom(length) {
                    set(slot, Term::Atom(atom));
                } else {
                    let name = Name::Utf8(self.take(length)?);
                    set(slot, Term::Atom(self.atom(name)?));
                }
            }
            // As OTP 25 still writes all that fits Latin-1.
            tags::ATOM => {
                let length = self.u16()?.into();
                if let Some(atom) = self.short_atom(length) {
                    set(slot, Term::Atom(atom));
                } else {
                    let name = Name::Latin1(self.take(length)?);
                    set(slot, Term::Atom(self.atom(name)?));
                }
            }
            tags::NEW_PID => set(slot, Term::Pid(self.new_pid()?)),
            tags::SMALL_TUPLE => return Ok(Piece::Tuple(self.byte()?.into())),
            tags::LARGE_TUPLE => return Ok(Piece::Tuple(self.length()?)),
            tags::NIL => set(slot, Term::NIL),
            tags::STRING => set(slot, self.string()?),
            tags::LIST => return Ok(Piece::List(self.length()?)),
            tags::MAP => return Ok(Piece::Map(self.length()?)),
            tags::BINARY => set(slot, Term::Binary(self.binary()?)),
            tags::SMALL_BIG => {
                let length = self.byte()?;
                set(slot, self.big(length.into())?);
            }
            tags::NEW_FLOAT => {
                let number = f64::from_be_bytes(*self.chunk()?);
                set(slot, self.float(number)?);
            }
            tag => return self.rare_piece(tag, slot),
        }
        Ok(Piece::Whole)
    }

    #[inline(never)]
    fn rare_piece(&mut self, tag: u8, slot: &mut Term) -> Read<Piece> {
        *slot = match tag {
            tags::SMALL_ATOM | tags::ATOM_UTF8 => {
                let name = self.name_after(tag)?;
                Term::Atom(self.atom(name)?)
            }
            tags::NEW_FUN => return self.fun(),
            tags::EXPORT => self.export()?,
            tags::NEWER_REFERENCE | tags::NEW_REFERENCE | tags::REFERENCE => self.reference(tag)?,
            tags::NEW_PORT | tags::V4_PORT | tags::PORT => self.port(tag)?,
            tags::PID => Term::Pid(self.old_pid()?),
            tags::BIT_BINARY => self.bits()?,
            tags::LARGE_BIG => {
                let length = self.length()?;
                self.big(length)?
            }
            tags::FLOAT => self.text_float()?,
            tags::FUN => return Err(self.error("a fun of the format that OTP 23 gave up (FUN_EXT)")),
            tags::RECORD => return Err(self.error("a native record, which we don't speak (RECORD_EXT)")),
            tags::LOCAL => return Err(self.error("a term for its own node's eyes only (LOCAL_EXT)")),
            _ => return Err(self.error("no term has this tag, which stands before what is")),
        };
        Ok(Piece::Whole)
    }

    /// The atom of so many bytes, if it is short and ASCII and does not stand at the very end; otherwise nothing is consumed.
    #[inline(always)]
    fn short_atom(&mut self, length: usize) -> Option<Atom> {
        let atom = Atom::from_start_of(self.ahead()?, u8::try_from(length).ok()?)?;
        self.at += length;
        Some(atom)
    }

    #[inline]
    fn known_atom(&mut self) -> Read<&'a Atom> {
        let place = self.byte()?;
        let Some(atom) = self.context.atoms.get(usize::from(place)) else {
            return Err(self.error("an atom cache reference to nothing"));
        };
        Ok(atom)
    }

    #[inline]
    fn name(&mut self) -> Read<Name<'a>> {
        let tag = self.byte()?;
        self.name_after(tag)
    }

    #[inline]
    fn name_after(&mut self, tag: u8) -> Read<Name<'a>> {
        let length = match tag {
            tags::ATOM_CACHE_REF => return Ok(Name::Known(self.known_atom()?)),
            tags::SMALL_ATOM_UTF8 | tags::SMALL_ATOM => self.byte()?.into(),
            tags::ATOM_UTF8 | tags::ATOM => self.u16()?.into(),
            _ => return Err(self.error("a term where only an atom may stand")),
        };
        let text = self.take(length)?;
        let utf8 = matches!(tag, tags::ATOM_UTF8 | tags::SMALL_ATOM_UTF8);
        Ok(if utf8 { Name::Utf8(text) } else { Name::Latin1(text) })
    }

    #[inline]
    fn atom(&self, name: Name<'_>) -> Read<Atom> {
        let text = match name {
            Name::Known(atom) => return Ok(atom.clone()),
            Name::Utf8(text) => match std::str::from_utf8(text) {
                Ok(text) => Cow::Borrowed(text),
                Err(_) => return Err(self.error("an atom that is not UTF-8")),
            },
            Name::Latin1(text) if text.is_ascii() => {
                Cow::Borrowed(std::str::from_utf8(text).unwrap_or_default())
            }
            Name::Latin1(text) => Cow::Owned(text.iter().map(|&byte| char::from(byte)).collect()),
        };
        Atom::try_new(&text).ok_or_else(|| self.error("an atom of more than 255 characters"))
    }

    /// The incarnation of a node, taken from those at hand where it is one of them.
    #[inline]
    fn node(&mut self, name: Name<'_>, creation: u32) -> Read<NodeId> {
        let is = |node: &&NodeId| -> bool {
            node.creation() == creation
                && match name {
                    Name::Known(atom) => atom == node.name(),
                    Name::Utf8(text) => node.name().as_bytes() == text,
                    Name::Latin1(text) => text.is_ascii() && node.name().as_bytes() == text,
                }
        };
        if let Some(node) = self.last_node.iter().chain(&self.context.nodes).find(is) {
            return Ok(node.clone());
        }
        let node = NodeId::new(self.atom(name)?, creation);
        self.last_node = Some(node.clone());
        Ok(node)
    }

    #[inline]
    fn new_pid(&mut self) -> Read<Pid> {
        let name = self.name()?;
        let numbers: &[u8; 12] = self.chunk()?;
        let (id, serial, creation) = (word(numbers, 0), word(numbers, 1), word(numbers, 2));
        Ok(Pid { node: self.node(name, creation)?, id, serial })
    }

    fn old_pid(&mut self) -> Read<Pid> {
        let name = self.name()?;
        let (id, serial, creation) = (self.u32()?, self.u32()?, self.byte()?);
        Ok(Pid { node: self.node(name, creation.into())?, id, serial })
    }

    fn port(&mut self, tag: u8) -> Read<Term> {
        let name = self.name()?;
        let id = if tag == tags::V4_PORT { u64::from_be_bytes(*self.chunk()?) } else { self.u32()?.into() };
        let creation = if tag == tags::PORT { self.byte()?.into() } else { self.u32()? };
        Ok(Term::Port(Port { node: self.node(name, creation)?, id }))
    }

    fn reference(&mut self, tag: u8) -> Read<Term> {
        let count = if tag == tags::REFERENCE { 1 } else { usize::from(self.u16()?) };
        let name = self.name()?;
        let mut words = [0; REF_WORDS_MAX];
        if tag == tags::REFERENCE {
            words[0] = self.u32()?;
        }
        let creation = if tag == tags::NEWER_REFERENCE { self.u32()? } else { self.byte()?.into() };
        if count == 0 || count > REF_WORDS_MAX {
            return Err(self.error("a reference that does not have 1 to 5 words"));
        }
        if tag != tags::REFERENCE {
            for word in &mut words[..count] {
                *word = self.u32()?;
            }
        }
        let node = self.node(name, creation)?;
        Ref::new(node, &words[..count]).map(Term::Ref).ok_or_else(|| self.error("a reference without words"))
    }

    #[inline]
    fn string(&mut self) -> Read<Term> {
        let length = self.u16()?;
        let start = self.at();
        self.take(length.into())?;
        Ok(Term::List(List::from_bytes(self.all.slice(start..start + usize::from(length)))))
    }

    #[inline(always)]
    fn binary(&mut self) -> Read<Binary> {
        let length = self.length()?;
        self.slice(length)
    }

    #[inline(always)]
    fn slice(&mut self, length: usize) -> Read<Binary> {
        let start = self.at();
        self.take(length)?;
        let buffer = match &self.buffer {
            Some(buffer) => buffer,
            None => self.make_buffer(),
        };
        Binary::slice_of(buffer, start, length).ok_or_else(|| self.error("a binary beyond 4 GiB"))
    }

    #[cold]
    fn make_buffer(&mut self) -> &Arc<Bytes> {
        self.buffer.insert(Arc::new(self.all.clone()))
    }

    fn bits(&mut self) -> Read<Term> {
        let length = self.length()?;
        let last_bits = self.byte()?;
        if last_bits > 8 || (last_bits == 0) != (length == 0) {
            return Err(self.error("a bit string whose bits and bytes don't agree"));
        }
        let bytes = self.slice(length)?;
        if last_bits == 8 || length == 0 {
            return Ok(Term::Binary(bytes));
        }
        Ok(Term::Bits(Arc::new(BitString { bytes: clear_unused(bytes, last_bits), last_bits })))
    }

    #[inline]
    fn float(&self, number: f64) -> Read<Term> {
        if !number.is_finite() {
            return Err(self.error("a float that is no finite number"));
        }
        Ok(Term::Float(number))
    }

    fn text_float(&mut self) -> Read<Term> {
        let text: &[u8; 31] = self.chunk()?;
        let end = text.iter().position(|&byte| byte == 0).unwrap_or(text.len());
        let number = std::str::from_utf8(&text[..end]).ok().and_then(|text| text.trim().parse().ok());
        self.float(number.ok_or_else(|| self.error("a float that is no number"))?)
    }

    /// Integers stand with their least significant byte first.
    #[inline]
    fn big(&mut self, length: usize) -> Read<Term> {
        let sign = self.byte()?;
        if length as u64 * 8 > BIG_INTEGER_BITS_MAX {
            return Err(self.error("an integer of more than BIG_INTEGER_BITS_MAX bits"));
        }
        let digits = self.take(length)?;
        if let Some(number) = small(digits, sign != 0) {
            return Ok(Term::Int(number));
        }
        let sign = if sign == 0 { Sign::Plus } else { Sign::Minus };
        Ok(Term::from(BigInt::from_bytes_le(sign, digits)))
    }

    fn export(&mut self) -> Read<Term> {
        let (module, function) = (self.plain_atom()?, self.plain_atom()?);
        let arity = self.integer()?;
        let Ok(arity) = u8::try_from(arity) else {
            return Err(self.error("an exported fun whose arity is not 0 to 255"));
        };
        Ok(Term::Export(Arc::new(Export { module, function, arity })))
    }

    /// The size that comes first is not used: where atoms stand as references it is not to be trusted.
    fn fun(&mut self) -> Read<Piece> {
        self.u32()?;
        let arity = self.byte()?;
        let uniq = *self.chunk()?;
        let index = self.u32()?;
        let free = self.length()?;
        let module = self.plain_atom()?;
        let old_index = self.integer()?;
        let old_uniq = self.integer()?;
        let creator = match self.byte()? {
            tags::NEW_PID => self.new_pid()?,
            tags::PID => self.old_pid()?,
            _ => return Err(self.error("a fun whose creator is no pid")),
        };
        let fun = Fun { arity, uniq, index, module, old_index, old_uniq, creator, free: Vec::new() };
        Ok(Piece::Fun(Box::new(fun), free))
    }

    fn plain_atom(&mut self) -> Read<Atom> {
        let name = self.name()?;
        self.atom(name)
    }

    fn integer(&mut self) -> Read<i64> {
        let term = match self.byte()? {
            tags::SMALL_INTEGER => return Ok(self.byte()?.into()),
            tags::INTEGER => return Ok(i32::from_be_bytes(*self.chunk()?).into()),
            tags::SMALL_BIG => {
                let length = self.byte()?;
                self.big(length.into())?
            }
            _ => return Err(self.error("a term where only an integer may stand")),
        };
        term.as_int().ok_or_else(|| self.error("an integer too large for its place"))
    }
}

fn word(bytes: &[u8; 12], at: usize) -> u32 {
    u32::from_be_bytes([bytes[4 * at], bytes[4 * at + 1], bytes[4 * at + 2], bytes[4 * at + 3]])
}

fn small(digits: &[u8], negative: bool) -> Option<i64> {
    if digits.len() > 8 {
        return None;
    }
    let mut bytes = [0; 8];
    bytes[..digits.len()].copy_from_slice(digits);
    let size = u64::from_le_bytes(bytes);
    if negative { 0i64.checked_sub_unsigned(size) } else { i64::try_from(size).ok() }
}

/// Two bit strings are equal when their bytes are: what does not count is zero.
fn clear_unused(bytes: Binary, last_bits: u8) -> Binary {
    let unused = 0xff_u8 >> last_bits;
    match bytes.as_slice().split_last() {
        Some((last, _)) if last & unused != 0 => {
            let mut copy = bytes.as_slice().to_vec();
            if let Some(last) = copy.last_mut() {
                *last &= !unused;
            }
            Binary::from(copy)
        }
        _ => bytes,
    }
}
