//! serde: Rust types as terms, straight to bytes and from them.
//!
//! | serde | Erlang |
//! |---|---|
//! | bool, integers, floats, `char` | atom, integers, floats, integer |
//! | str, bytes | binary (atoms and lists of characters are read as str too) |
//! | option | `undefined` (`nil` is read too), or the value |
//! | unit, unit struct | `ok`, the name as an atom |
//! | newtype struct | its value |
//! | tuple, tuple struct | tuple |
//! | seq | list (tuples are read too) |
//! | map, struct | map; a struct's keys are atoms (binaries are read too) |
//! | enum | the name as an atom, `{name, Value}`, `{name, A, B}`, `{name, #{field => Value}}` |
//!
//! [`Term`], [`Pid`], [`Ref`] and [`Atom`] can be parts of such types; in other formats than this
//! they are bytes of the external term format.

mod read;
mod write;

use bytes::Bytes;
use serde::de::{DeserializeOwned, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::atom::Atom;
use crate::convert::{FromTerm, IntoTerm};
use crate::ident::{Pid, Ref};
use crate::term::Term;

/// Why a value is no term, or a term no such value.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Error(pub(crate) String);

impl serde::ser::Error for Error {
    fn custom<T: std::fmt::Display>(message: T) -> Error {
        Error(message.to_string())
    }
}

impl serde::de::Error for Error {
    fn custom<T: std::fmt::Display>(message: T) -> Error {
        Error(message.to_string())
    }
}

impl From<crate::decode::DecodeError> for Error {
    fn from(error: crate::decode::DecodeError) -> Error {
        Error(error.to_string())
    }
}

/// The bytes of a value's term, with the version byte 131. No [`Term`] is built.
///
/// # Errors
/// When the value's `Serialize` fails.
pub fn to_bytes<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, Error> {
    write::to_bytes(value)
}

/// The value of a term in bytes that start with the version byte 131. No [`Term`] is built.
///
/// # Errors
/// When the bytes are not exactly one term, or the term is none of `T`.
pub fn from_bytes<T: DeserializeOwned>(bytes: &Bytes) -> Result<T, Error> {
    read::from_bytes(bytes)
}

/// The term of a value.
///
/// # Errors
/// When the value's `Serialize` fails, or a map has a key twice.
pub fn to_term<T: Serialize + ?Sized>(value: &T) -> Result<Term, Error> {
    Ok(crate::decode::decode(&to_bytes(value)?.into())?)
}

/// The value of a term.
///
/// # Errors
/// When the term is none of `T`.
pub fn from_term<T: DeserializeOwned>(term: &Term) -> Result<T, Error> {
    from_bytes(&crate::encode::encode(term).into())
}

/// A value of a serde type in the place of a term: an argument or the value of an exported function, a part of a message.
///
/// ```
/// use trunkline_term::serde::Serde;
/// use trunkline_term::{FromTerm, IntoTerm, read::read_term};
///
/// #[derive(serde::Serialize, serde::Deserialize, Debug, PartialEq)]
/// struct Order { item: String, count: u32 }
///
/// let order = read_term("#{item => <<\"tea\">>, count => 2}").unwrap();
/// let Serde(read): Serde<Order> = Serde::from_term(&order).unwrap();
/// assert_eq!(read, Order { item: "tea".to_owned(), count: 2 });
/// assert_eq!(Serde(read).into_term(), order);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Serde<T>(pub T);

impl<T: DeserializeOwned> FromTerm for Serde<T> {
    fn from_term(term: &Term) -> Result<Serde<T>, crate::convert::Mismatch> {
        from_term(term).map(Serde).map_err(|_| crate::convert::Mismatch::expected(std::any::type_name::<T>()))
    }
}

/// # Panics
/// When the value's `Serialize` fails: one of the derived ones does so only for a map that has a key twice.
impl<T: Serialize> IntoTerm for Serde<T> {
    fn into_term(self) -> Term {
        to_term(&self.0).unwrap_or_else(|why| panic!("a value that is no term: {why}"))
    }
}

/// The name of the newtype struct whose bytes stand for a term as it is.
const RAW: &str = "$trunkline::Term";

/// Bytes for serde: without this they would be a seq of integers.
struct Raw(Vec<u8>);

impl Serialize for Raw {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Term;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a term")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Term, D::Error> {
        deserializer.deserialize_byte_buf(self)
    }

    fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Term, E> {
        self.visit_byte_buf(bytes.to_vec())
    }

    fn visit_byte_buf<E: serde::de::Error>(self, bytes: Vec<u8>) -> Result<Term, E> {
        crate::decode::decode(&bytes.into()).map_err(E::custom)
    }
}

macro_rules! raw {
    ($($type:ty)*) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let bytes = crate::encode::encode(&self.clone().into_term());
                serializer.serialize_newtype_struct(RAW, &Raw(bytes))
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$type, D::Error> {
                let term = deserializer.deserialize_newtype_struct(RAW, RawVisitor)?;
                <$type>::from_term(&term).map_err(serde::de::Error::custom)
            }
        }
    )*};
}

raw! { Term Pid Ref Atom }

#[cfg(test)]
mod tests;
