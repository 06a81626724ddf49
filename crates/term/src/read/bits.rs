//! Puts segments of a binary together, bit by bit where they are no whole bytes.

use std::sync::Arc;

use num_bigint::BigInt;
use num_traits::Signed;

use crate::binary::{Binary, BitString};
use crate::limits::READ_SEGMENT_BITS_MAX;
use crate::term::Term;

#[derive(Default)]
pub(super) struct Bits {
    bytes: Vec<u8>,
    /// How many bits of the last byte are taken, unless they all are.
    taken: u8,
}

impl Bits {
    /// The lowest `size` bits of an integer.
    pub(super) fn put_integer(&mut self, value: &Term, size: i64) -> Result<(), String> {
        let size = usize::try_from(size).map_err(|_| "a size is not negative")?;
        if size > READ_SEGMENT_BITS_MAX {
            return Err("a segment of more than READ_SEGMENT_BITS_MAX bits".into());
        }
        let number = match value {
            Term::Int(number) if size == 8 && self.taken == 0 => {
                self.bytes.push(*number as u8);
                return Ok(());
            }
            Term::Int(number) => BigInt::from(*number),
            Term::Big(number) => BigInt::clone(number),
            _ => return Err("a segment is an integer or a string".into()),
        };
        let fill = if number.is_negative() { 0xff } else { 0 };
        let digits = number.to_signed_bytes_le();
        for at in (0..size).rev() {
            let byte = digits.get(at / 8).copied().unwrap_or(fill);
            self.put_bit(byte >> (at % 8) & 1);
        }
        Ok(())
    }

    pub(super) fn put_utf8(&mut self, value: &Term) -> Result<(), String> {
        let code = value.as_int().and_then(|code| u32::try_from(code).ok());
        let character = code.and_then(char::from_u32).ok_or("a segment of type utf8 is a character")?;
        for byte in character.encode_utf8(&mut [0; 4]).bytes() {
            self.put_integer(&Term::Int(byte.into()), 8)?;
        }
        Ok(())
    }

    fn put_bit(&mut self, bit: u8) {
        if self.taken == 0 {
            self.bytes.push(0);
        }
        if let Some(last) = self.bytes.last_mut() {
            *last |= bit << (7 - self.taken);
        }
        self.taken = (self.taken + 1) % 8;
    }

    pub(super) fn into_term(self) -> Term {
        match self.taken {
            0 => Term::Binary(Binary::from(self.bytes)),
            last_bits => Term::Bits(Arc::new(BitString { bytes: self.bytes.into(), last_bits })),
        }
    }
}
