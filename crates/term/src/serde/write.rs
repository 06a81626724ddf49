//! Values to bytes.

use serde::Serialize;
use serde::ser::{self, Serializer};

use super::{Error, RAW};
use crate::encode::Encoder;
use crate::tags;

pub(super) fn to_bytes<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, Error> {
    let mut encoder = Encoder::standalone();
    value.serialize(Writer { encoder: &mut encoder, raw: false })?;
    Ok(encoder.finish().bytes)
}

struct Writer<'a> {
    encoder: &'a mut Encoder,
    /// The bytes that come are a whole term, with its version byte.
    raw: bool,
}

/// What follows the head of a container.
struct Items<'a> {
    encoder: &'a mut Encoder,
    /// Where the count of a list or map is, to be put in at the end.
    count_at: Option<usize>,
    count: usize,
    list: bool,
}

impl<'a> Writer<'a> {
    fn name(self, name: &str) -> Result<(), Error> {
        let atom =
            crate::Atom::try_new(name).ok_or_else(|| Error(format!("too long for an atom: {name}")))?;
        self.encoder.atom(&atom);
        Ok(())
    }

    /// A list or map whose length is known at its end.
    fn counted(self, tag: u8) -> Items<'a> {
        let count_at = Some(self.encoder.counted_header(tag));
        Items { encoder: self.encoder, count_at, count: 0, list: tag == tags::LIST }
    }

    fn tuple(self, arity: usize) -> Items<'a> {
        self.encoder.tuple_header(arity);
        Items { encoder: self.encoder, count_at: None, count: 0, list: false }
    }

    fn big(self, number: num_bigint::BigInt) -> Result<(), Error> {
        self.encoder.term(&crate::Term::from(number));
        Ok(())
    }
}

impl Items<'_> {
    fn put<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        value.serialize(Writer { encoder: self.encoder, raw: false })
    }

    fn put_key(&mut self, key: &'static str) -> Result<(), Error> {
        self.count += 1;
        Writer { encoder: self.encoder, raw: false }.name(key)
    }

    /// An empty list is written as `[]` alone would be: `LIST_EXT` of no elements is its tail.
    fn finish(self) -> Result<(), Error> {
        if let Some(at) = self.count_at {
            let count = u32::try_from(self.count).map_err(|_| Error("too many elements".into()))?;
            self.encoder.put_count(at, count);
        }
        if self.list {
            self.encoder.nil();
        }
        Ok(())
    }
}

impl<'a> Serializer for Writer<'a> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Items<'a>;
    type SerializeTuple = Items<'a>;
    type SerializeTupleStruct = Items<'a>;
    type SerializeTupleVariant = Items<'a>;
    type SerializeMap = Items<'a>;
    type SerializeStruct = Items<'a>;
    type SerializeStructVariant = Items<'a>;

    fn is_human_readable(&self) -> bool {
        false
    }

    fn serialize_bool(self, value: bool) -> Result<(), Error> {
        self.name(if value { "true" } else { "false" })
    }

    fn serialize_i8(self, value: i8) -> Result<(), Error> {
        self.serialize_i64(value.into())
    }

    fn serialize_i16(self, value: i16) -> Result<(), Error> {
        self.serialize_i64(value.into())
    }

    fn serialize_i32(self, value: i32) -> Result<(), Error> {
        self.serialize_i64(value.into())
    }

    fn serialize_i64(self, value: i64) -> Result<(), Error> {
        self.encoder.int(value);
        Ok(())
    }

    fn serialize_i128(self, value: i128) -> Result<(), Error> {
        self.big(value.into())
    }

    fn serialize_u8(self, value: u8) -> Result<(), Error> {
        self.serialize_i64(value.into())
    }

    fn serialize_u16(self, value: u16) -> Result<(), Error> {
        self.serialize_i64(value.into())
    }

    fn serialize_u32(self, value: u32) -> Result<(), Error> {
        self.serialize_i64(value.into())
    }

    fn serialize_u64(self, value: u64) -> Result<(), Error> {
        match i64::try_from(value) {
            Ok(value) => self.serialize_i64(value),
            Err(_) => self.big(value.into()),
        }
    }

    fn serialize_u128(self, value: u128) -> Result<(), Error> {
        self.big(value.into())
    }

    fn serialize_f32(self, value: f32) -> Result<(), Error> {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(self, value: f64) -> Result<(), Error> {
        self.encoder.float(value);
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), Error> {
        self.serialize_u32(value.into())
    }

    fn serialize_str(self, value: &str) -> Result<(), Error> {
        self.serialize_bytes(value.as_bytes())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), Error> {
        match value {
            [tags::VERSION, term @ ..] if self.raw => self.encoder.raw(term),
            _ => self.encoder.bytes(value)?,
        }
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.name("undefined")
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        self.name("ok")
    }

    fn serialize_unit_struct(self, name: &'static str) -> Result<(), Error> {
        self.name(name)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Error> {
        self.name(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(Writer { raw: name == RAW, ..self })
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        let mut items = self.tuple(2);
        items.put_key(variant)?;
        items.put(value)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Items<'a>, Error> {
        Ok(self.counted(tags::LIST))
    }

    fn serialize_tuple(self, length: usize) -> Result<Items<'a>, Error> {
        Ok(self.tuple(length))
    }

    fn serialize_tuple_struct(self, _: &'static str, length: usize) -> Result<Items<'a>, Error> {
        Ok(self.tuple(length))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Items<'a>, Error> {
        let mut items = self.tuple(length + 1);
        items.put_key(variant)?;
        Ok(items)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Items<'a>, Error> {
        Ok(self.counted(tags::MAP))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Items<'a>, Error> {
        Ok(self.counted(tags::MAP))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Items<'a>, Error> {
        self.encoder.tuple_header(2);
        Writer { encoder: self.encoder, raw: false }.name(variant)?;
        Ok(self.counted(tags::MAP))
    }
}

impl ser::SerializeSeq for Items<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.count += 1;
        self.put(value)
    }

    fn end(self) -> Result<(), Error> {
        self.finish()
    }
}

impl ser::SerializeTuple for Items<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.put(value)
    }

    fn end(self) -> Result<(), Error> {
        self.finish()
    }
}

macro_rules! tuple_fields {
    ($($trait:ident)*) => {$(
        impl ser::$trait for Items<'_> {
            type Ok = ();
            type Error = Error;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
                self.put(value)
            }

            fn end(self) -> Result<(), Error> {
                self.finish()
            }
        }
    )*};
}

tuple_fields! { SerializeTupleStruct SerializeTupleVariant }

macro_rules! map_fields {
    ($($trait:ident)*) => {$(
        impl ser::$trait for Items<'_> {
            type Ok = ();
            type Error = Error;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Error> {
                self.put_key(key)?;
                self.put(value)
            }

            fn end(self) -> Result<(), Error> {
                self.finish()
            }
        }
    )*};
}

map_fields! { SerializeStruct SerializeStructVariant }

impl ser::SerializeMap for Items<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.count += 1;
        self.put(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.put(value)
    }

    fn end(self) -> Result<(), Error> {
        self.finish()
    }
}
