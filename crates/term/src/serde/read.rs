//! Bytes to values.

use bytes::Bytes;
use serde::de::value::SeqDeserializer;
use serde::de::{self, DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

use super::{Error, RAW};
use crate::decode::{PLACEHOLDER, Piece, Reader, read_term};
use crate::limits::SERDE_LEVELS_MAX;
use crate::tags;
use crate::term::Term;
use crate::wire::WireContext;

pub(super) fn from_bytes<T: DeserializeOwned>(bytes: &Bytes) -> Result<T, Error> {
    match bytes.first() {
        Some(&tags::VERSION) => {}
        _ => return Err(Error("the version byte 131 is missing".into())),
    }
    let context = WireContext::default();
    let mut values = Values { reader: Reader::new(bytes, 1, &context), levels: 0 };
    let value = T::deserialize(&mut values)?;
    if values.reader.at() < bytes.len() {
        return Err(Error("the term ends before its bytes do".into()));
    }
    Ok(value)
}

struct Values<'a> {
    reader: Reader<'a>,
    levels: usize,
}

fn mismatch(expected: &str) -> Error {
    Error(format!("expected {expected}"))
}

impl Values<'_> {
    /// One level deeper. The recursion is serde's, so its depth has a ceiling.
    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        if self.levels == SERDE_LEVELS_MAX {
            return Err(Error("nested deeper than SERDE_LEVELS_MAX".into()));
        }
        self.levels += 1;
        let value = read(self);
        self.levels -= 1;
        value
    }

    /// The next value, if it is none of the containers; otherwise nothing is consumed.
    fn plain(&mut self) -> Result<Option<Term>, Error> {
        let (mark, mut term) = (self.reader.mark(), PLACEHOLDER);
        match self.reader.piece(&mut term)? {
            Piece::Whole => Ok(Some(term)),
            _ => {
                self.reader.rewind(mark);
                Ok(None)
            }
        }
    }

    fn text(&mut self) -> Result<String, Error> {
        let text = match self.plain()? {
            Some(Term::Atom(atom)) => Some(atom.as_str().to_owned()),
            Some(term) => crate::convert::FromTerm::from_term(&term).ok(),
            // A list of characters beyond Latin-1.
            None => crate::convert::FromTerm::from_term(&read_term(&mut self.reader)?).ok(),
        };
        text.ok_or_else(|| mismatch("a text"))
    }

    fn elements<'de, V: Visitor<'de>>(
        &mut self,
        left: usize,
        list: bool,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.reader.expect(left, 0)?;
        self.deeper(|values| {
            let mut items = Items { values, left };
            let value = visitor.visit_seq(&mut items)?;
            if items.left > 0 {
                return Err(mismatch("fewer elements"));
            }
            if list && !matches!(values.plain()?, Some(Term::List(tail)) if tail.is_nil()) {
                return Err(mismatch("a proper list"));
            }
            Ok(value)
        })
    }

    fn pairs<'de, V: Visitor<'de>>(&mut self, left: usize, visitor: V) -> Result<V::Value, Error> {
        self.reader.expect(left.saturating_mul(2), 0)?;
        self.deeper(|values| {
            let mut items = Items { values, left };
            let value = visitor.visit_map(&mut items)?;
            if items.left > 0 {
                return Err(mismatch("fewer keys"));
            }
            Ok(value)
        })
    }

    fn plain_any<'de, V: Visitor<'de>>(term: Term, visitor: V) -> Result<V::Value, Error> {
        match term {
            Term::Int(number) => visitor.visit_i64(number),
            Term::Big(number) => match (u64::try_from(&*number), i128::try_from(&*number)) {
                (Ok(number), _) => visitor.visit_u64(number),
                (_, Ok(number)) => visitor.visit_i128(number),
                _ => match u128::try_from(&*number) {
                    Ok(number) => visitor.visit_u128(number),
                    Err(_) => Err(mismatch("an integer of at most 128 bits")),
                },
            },
            Term::Float(number) => visitor.visit_f64(number),
            Term::Atom(atom) => match atom.as_str() {
                "true" => visitor.visit_bool(true),
                "false" => visitor.visit_bool(false),
                text => visitor.visit_str(text),
            },
            Term::Binary(binary) => match std::str::from_utf8(binary.as_slice()) {
                Ok(text) => visitor.visit_str(text),
                Err(_) => visitor.visit_bytes(binary.as_slice()),
            },
            Term::List(list) => {
                let numbers: Vec<u8> = list.iter().filter_map(|n| n.as_int()?.try_into().ok()).collect();
                visitor.visit_seq(SeqDeserializer::new(numbers.into_iter()))
            }
            _ => Err(mismatch("something that serde knows, which identifiers and funs are not")),
        }
    }
}

impl<'de> Deserializer<'de> for &mut Values<'_> {
    type Error = Error;

    fn is_human_readable(&self) -> bool {
        false
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let mut term = PLACEHOLDER;
        match self.reader.piece(&mut term)? {
            Piece::Whole => Values::plain_any(term, visitor),
            Piece::Tuple(arity) => self.elements(arity, false, visitor),
            Piece::List(length) => self.elements(length, true, visitor),
            Piece::Map(pairs) => self.pairs(pairs, visitor),
            Piece::Fun(..) => Err(mismatch("something that serde knows, which a fun is not")),
        }
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.plain()? {
            Some(Term::Int(code)) => match u32::try_from(code).ok().and_then(char::from_u32) {
                Some(c) => visitor.visit_char(c),
                None => Err(mismatch("a character")),
            },
            _ => Err(mismatch("a character")),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_string(self.text()?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_string(self.text()?)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_string(self.text()?)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.plain()? {
            Some(Term::Binary(binary)) => visitor.visit_bytes(binary.as_slice()),
            Some(Term::List(list)) => Values::plain_any(Term::List(list), visitor),
            _ => Err(mismatch("a binary")),
        }
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let mark = self.reader.mark();
        match self.plain()? {
            Some(Term::Atom(atom)) if atom == *"undefined" || atom == *"nil" => visitor.visit_none(),
            _ => {
                self.reader.rewind(mark);
                visitor.visit_some(self)
            }
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.plain()? {
            Some(Term::Atom(atom)) if atom == *"ok" => visitor.visit_unit(),
            _ => Err(mismatch("ok")),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, name: &str, visitor: V) -> Result<V::Value, Error> {
        match self.plain()? {
            Some(Term::Atom(atom)) if atom == *name => visitor.visit_unit(),
            _ => Err(mismatch(name)),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &str, visitor: V) -> Result<V::Value, Error> {
        if name != RAW {
            return visitor.visit_newtype_struct(self);
        }
        let start = self.reader.at();
        drop(read_term(&mut self.reader)?);
        let mut bytes = vec![tags::VERSION];
        bytes.extend_from_slice(self.reader.since(start));
        visitor.visit_byte_buf(bytes)
    }

    fn deserialize_enum<V: Visitor<'de>>(self, _: &str, _: &[&str], visitor: V) -> Result<V::Value, Error> {
        let mut slot = PLACEHOLDER;
        match self.plain()? {
            Some(Term::Atom(atom)) => visitor.visit_enum(atom.as_str().to_owned().into_deserializer()),
            Some(_) => Err(mismatch("an atom or a tagged tuple")),
            None => match self.reader.piece(&mut slot)? {
                Piece::Tuple(arity) if arity > 0 => {
                    self.deeper(|values| visitor.visit_enum(Variant { values, left: arity - 1 }))
                }
                _ => Err(mismatch("an atom or a tagged tuple")),
            },
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        drop(read_term(&mut self.reader)?);
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 seq tuple tuple_struct map struct
    }
}

/// The elements of a container that are still to be read.
struct Items<'v, 'a> {
    values: &'v mut Values<'a>,
    left: usize,
}

impl<'de> de::SeqAccess<'de> for Items<'_, '_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        seed.deserialize(&mut *self.values).map(Some)
    }
}

impl<'de> de::MapAccess<'de> for Items<'_, '_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        seed.deserialize(&mut *self.values).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        seed.deserialize(&mut *self.values)
    }
}

/// A tagged tuple of which the tag comes next.
struct Variant<'v, 'a> {
    values: &'v mut Values<'a>,
    left: usize,
}

impl<'de> de::EnumAccess<'de> for Variant<'_, '_> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Error> {
        let value = seed.deserialize(&mut *self.values)?;
        Ok((value, self))
    }
}

impl<'de> de::VariantAccess<'de> for Variant<'_, '_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        if self.left == 0 { Ok(()) } else { Err(mismatch("an atom")) }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        if self.left == 1 { seed.deserialize(self.values) } else { Err(mismatch("{Tag, Value}")) }
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.values.elements(self.left, false, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &[&str], visitor: V) -> Result<V::Value, Error> {
        if self.left == 1 { self.values.deserialize_any(visitor) } else { Err(mismatch("{Tag, Map}")) }
    }
}
