//! Bit strings: built and taken apart, bit by bit where needed.

use num_bigint::{BigInt, BigUint, Sign};
use num_traits::ToPrimitive;
use trunkline::Binary;
use trunkline::term::{BitString, Term};

use crate::limits::BITS_MAX;
use crate::raise::{Raise, Result};

/// What a segment is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Type {
    /// An integer.
    Integer,
    /// A float.
    Float,
    /// A bit string.
    Binary,
    /// A character in UTF-8.
    Utf8,
    /// A character in UTF-16.
    Utf16,
    /// A character in UTF-32.
    Utf32,
}

/// How a segment is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Spec {
    /// Its type.
    pub kind: Type,
    /// Bits per unit of its size.
    pub unit: usize,
    /// Whether an integer has a sign.
    pub signed: bool,
    /// Whether the lowest byte is first.
    pub little: bool,
}

/// Bits that grow.
#[derive(Clone, Default, Debug)]
pub(crate) struct BitBuffer {
    bytes: Vec<u8>,
    bits: usize,
}

/// A run of bits: bytes, the first bit, how many.
#[derive(Clone, Debug)]
pub(crate) struct Bits {
    pub(crate) bytes: Binary,
    pub(crate) start: usize,
    pub(crate) length: usize,
}

impl Bits {
    /// The bits of a binary or bit string.
    pub(crate) fn of(term: &Term) -> Option<Bits> {
        match term {
            Term::Binary(bytes) => Some(Bits { bytes: bytes.clone(), start: 0, length: bytes.len() * 8 }),
            Term::Bits(bits) => {
                let length = (bits.bytes.len() - 1) * 8 + usize::from(bits.last_bits);
                Some(Bits { bytes: bits.bytes.clone(), start: 0, length })
            }
            _ => None,
        }
    }

    /// The first `length` bits, and the rest.
    pub(crate) fn split(&self, length: usize) -> Option<(Bits, Bits)> {
        if length > self.length {
            return None;
        }
        let first = Bits { length, ..self.clone() };
        let rest = Bits { start: self.start + length, length: self.length - length, ..self.clone() };
        Some((first, rest))
    }

    pub(crate) fn to_term(&self) -> Term {
        if self.start.is_multiple_of(8)
            && self.length.is_multiple_of(8)
            && let Some(part) = self.bytes.part(self.start / 8, self.length / 8)
        {
            return Term::Binary(part);
        }
        let mut buffer = BitBuffer::default();
        buffer.push_bits(self);
        buffer.into_term()
    }

    fn byte(&self, at: usize) -> u8 {
        self.bytes.as_slice().get(at).copied().unwrap_or(0)
    }

    /// The bits as bytes, filled up at the end with zeros.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let (from, shift) = (self.start / 8, self.start % 8);
        let count = self.length.div_ceil(8);
        let mut bytes: Vec<u8> = if shift == 0 {
            self.bytes.as_slice()[from..from + count].to_vec()
        } else {
            (from..from + count).map(|at| self.byte(at) << shift | self.byte(at + 1) >> (8 - shift)).collect()
        };
        if let (Some(last), odd @ 1..) = (bytes.last_mut(), self.length % 8) {
            *last &= !(0xff >> odd);
        }
        bytes
    }

    /// The bits as an integer.
    pub(crate) fn integer(&self, signed: bool, little: bool) -> Term {
        if self.length == 0 {
            return Term::Int(0);
        }
        let mut bytes = self.to_bytes();
        let odd = self.length % 8;
        if little {
            // The last byte holds the highest bits: as many as there are, moved down.
            if let (Some(last), 1..) = (bytes.last_mut(), odd) {
                *last >>= 8 - odd;
            }
            bytes.reverse();
        }
        let mut value = BigUint::from_bytes_be(&bytes);
        if !little && odd > 0 {
            value >>= 8 - odd;
        }
        let mut value = BigInt::from(value);
        if signed && value.bit(self.length as u64 - 1) {
            value -= BigInt::from(1) << self.length;
        }
        Term::from(value)
    }

    pub(crate) fn float(&self, little: bool) -> Option<f64> {
        let mut bytes = self.to_bytes();
        if little {
            bytes.reverse();
        }
        let number = match self.length {
            16 => half_to_f64(u16::from_be_bytes(bytes.try_into().ok()?)),
            32 => f64::from(f32::from_be_bytes(bytes.try_into().ok()?)),
            64 => f64::from_be_bytes(bytes.try_into().ok()?),
            _ => return None,
        };
        number.is_finite().then_some(number)
    }

    /// The character in UTF-8, and how many bits it takes.
    pub(crate) fn utf8(&self) -> Option<(char, usize)> {
        let first = *self.split(8)?.0.to_bytes().first()?;
        let count = match first {
            0..0x80 => 1,
            0xc0..0xe0 => 2,
            0xe0..0xf0 => 3,
            0xf0..0xf8 => 4,
            _ => return None,
        };
        let bytes = self.split(count * 8)?.0.to_bytes();
        Some((std::str::from_utf8(&bytes).ok()?.chars().next()?, count * 8))
    }

    pub(crate) fn utf16(&self, little: bool) -> Option<(char, usize)> {
        let unit = |at: usize| {
            let two: [u8; 2] = self.split(at + 16)?.0.split(at)?.1.to_bytes().try_into().ok()?;
            Some(if little { u16::from_le_bytes(two) } else { u16::from_be_bytes(two) })
        };
        let first = unit(0)?;
        if (0xd800..0xdc00).contains(&first) {
            let both = [first, unit(16)?];
            return Some((char::decode_utf16(both).next()?.ok()?, 32));
        }
        Some((char::from_u32(first.into())?, 16))
    }

    pub(crate) fn utf32(&self, little: bool) -> Option<(char, usize)> {
        let four: [u8; 4] = self.split(32)?.0.to_bytes().try_into().ok()?;
        let value = if little { u32::from_le_bytes(four) } else { u32::from_be_bytes(four) };
        Some((char::from_u32(value)?, 32))
    }
}

impl BitBuffer {
    pub(crate) fn len(&self) -> usize {
        self.bits
    }

    /// Appends the first `length` bits of `bytes`.
    pub(crate) fn push(&mut self, bytes: &[u8], length: usize) {
        let shift = self.bits % 8;
        let count = length.div_ceil(8);
        if shift == 0 {
            self.bytes.extend_from_slice(&bytes[..count]);
        } else {
            for byte in &bytes[..count] {
                if let Some(last) = self.bytes.last_mut() {
                    *last |= byte >> shift;
                }
                self.bytes.push(byte << (8 - shift));
            }
        }
        self.bits += length;
        self.bytes.truncate(self.bits.div_ceil(8));
        if let (Some(last), odd @ 1..) = (self.bytes.last_mut(), self.bits % 8) {
            *last &= !(0xff >> odd);
        }
    }

    pub(crate) fn push_bits(&mut self, bits: &Bits) {
        self.push(&bits.to_bytes(), bits.length);
    }

    /// Appends an integer of `length` bits.
    pub(crate) fn push_integer(&mut self, value: &Term, length: usize, little: bool) -> Result<()> {
        let count = length.div_ceil(8);
        let mut bytes = match value {
            Term::Int(number) => {
                let fill = if *number < 0 { 0xff } else { 0 };
                let mut bytes = vec![fill; count.max(8)];
                let from = bytes.len() - 8;
                bytes[from..].copy_from_slice(&number.to_be_bytes());
                bytes
            }
            Term::Big(number) => {
                let mut bytes = number.to_signed_bytes_be();
                let fill = if number.sign() == Sign::Minus { 0xff } else { 0 };
                if bytes.len() < count {
                    let mut filled = vec![fill; count - bytes.len()];
                    filled.append(&mut bytes);
                    bytes = filled;
                }
                bytes
            }
            _ => return Err(Raise::badarg()),
        };
        bytes.drain(..bytes.len() - count);
        let odd = length % 8;
        if little {
            bytes.reverse();
            if let (Some(last), 1..) = (bytes.last_mut(), odd) {
                *last <<= 8 - odd;
            }
            self.push(&bytes, length);
        } else if odd == 0 {
            self.push(&bytes, length);
        } else {
            let whole = Bits { bytes: bytes.into(), start: 8 - odd, length };
            self.push_bits(&whole);
        }
        Ok(())
    }

    pub(crate) fn into_term(self) -> Term {
        match self.bits % 8 {
            0 => Term::Binary(Binary::from(self.bytes)),
            odd => {
                let bytes = Binary::from(self.bytes);
                Term::Bits(std::sync::Arc::new(BitString { bytes, last_bits: odd as u8 }))
            }
        }
    }

    /// Appends a segment. `size` is what was said, if it was.
    pub(crate) fn segment(&mut self, spec: Spec, value: &Term, size: Option<&Term>) -> Result<()> {
        let units = |default: usize| match size {
            None => Ok(default),
            Some(Term::Int(size)) => usize::try_from(*size)
                .ok()
                .and_then(|size| size.checked_mul(spec.unit))
                .ok_or_else(Raise::badarg),
            Some(Term::Big(size)) if size.sign() == Sign::Plus => Err(Raise::named("system_limit")),
            Some(_) => Err(Raise::badarg()),
        };
        let room = |length: usize| {
            if length > BITS_MAX { Err(Raise::named("system_limit")) } else { Ok(length) }
        };
        match spec.kind {
            Type::Integer => {
                let length = units(8)?;
                if !matches!(value, Term::Int(_) | Term::Big(_)) {
                    return Err(Raise::badarg());
                }
                self.push_integer(value, room(length)?, spec.little)
            }
            Type::Float => {
                let length = units(64)?;
                self.push_float(value, length, spec.little)
            }
            Type::Binary => {
                let bits = Bits::of(value).ok_or_else(Raise::badarg)?;
                let length = match size {
                    None if bits.length % spec.unit == 0 => bits.length,
                    None => return Err(Raise::badarg()),
                    Some(_) => units(0)?,
                };
                let (part, _) = bits.split(length).ok_or_else(Raise::badarg)?;
                room(self.bits + length)?;
                self.push_bits(&part);
                Ok(())
            }
            Type::Utf8 | Type::Utf16 | Type::Utf32 => {
                let c = value.as_int().and_then(|c| u32::try_from(c).ok()).and_then(char::from_u32);
                self.push_character(spec, c.ok_or_else(Raise::badarg)?);
                Ok(())
            }
        }
    }

    fn push_float(&mut self, value: &Term, length: usize, little: bool) -> Result<()> {
        let number = super::numbers::float(value).ok_or_else(Raise::badarg)?;
        let mut bytes = match length {
            16 => {
                let half = half_of(number).ok_or_else(Raise::badarg)?;
                half.to_be_bytes().to_vec()
            }
            32 => {
                let single = number.to_f32().filter(|f| f.is_finite()).ok_or_else(Raise::badarg)?;
                single.to_be_bytes().to_vec()
            }
            64 => number.to_be_bytes().to_vec(),
            _ => return Err(Raise::badarg()),
        };
        if little {
            bytes.reverse();
        }
        self.push(&bytes, length);
        Ok(())
    }

    fn push_character(&mut self, spec: Spec, c: char) {
        let bytes = match spec.kind {
            Type::Utf8 => c.to_string().into_bytes(),
            Type::Utf16 => {
                let mut units = [0; 2];
                let units = c.encode_utf16(&mut units);
                let order = if spec.little { u16::to_le_bytes } else { u16::to_be_bytes };
                units.iter().flat_map(|unit| order(*unit)).collect()
            }
            _ if spec.little => (c as u32).to_le_bytes().to_vec(),
            _ => (c as u32).to_be_bytes().to_vec(),
        };
        self.push(&bytes, bytes.len() * 8);
    }
}

/// The value of a float of 16 bits.
fn half_to_f64(half: u16) -> f64 {
    let sign = if half & 0x8000 == 0 { 1.0 } else { -1.0 };
    let (exponent, fraction) = (i32::from(half >> 10 & 0x1f), f64::from(half & 0x3ff));
    sign * match exponent {
        0 => fraction * 2f64.powi(-24),
        31 => f64::INFINITY,
        _ => (1.0 + fraction / 1024.0) * 2f64.powi(exponent - 15),
    }
}

/// A number as a float of 16 bits, rounded to even; `None` when it is too big.
fn half_of(number: f64) -> Option<u16> {
    let sign = if number.is_sign_negative() { 0x8000 } else { 0 };
    let value = number.abs();
    if value < 2f64.powi(-14) {
        return Some(sign | (value * 2f64.powi(24)).round_ties_even() as u16);
    }
    let mut exponent = value.log2().floor() as i32;
    if 2f64.powi(exponent) > value {
        exponent -= 1;
    }
    let mut fraction = ((value / 2f64.powi(exponent) - 1.0) * 1024.0).round_ties_even() as i32;
    if fraction >= 1024 {
        fraction = 0;
        exponent += 1;
    }
    if exponent > 15 {
        return None;
    }
    Some(sign | ((exponent + 15) as u16) << 10 | fraction as u16)
}
