//! Erlang values: their order, their text, their bytes.

mod atom;
mod binary;
mod bury;
pub mod convert;
pub mod decode;
pub mod encode;
pub mod format;
mod fun;
mod hash;
mod ident;
pub mod limits;
mod list;
mod macros;
mod map;
pub mod order;
pub mod phash;
pub mod print;
pub mod read;
#[cfg(feature = "serde")]
pub mod serde;
mod tags;
mod term;
mod tuple;
pub mod wire;

pub use atom::Atom;
pub use binary::{Binary, BitString};
pub use bytes::Bytes;
pub use convert::{FromTerm, IntoTerm, Mismatch};
pub use decode::{DecodeError, decode, decode_at, decode_wire};
pub use encode::{Encoder, encode, encode_wire};
pub use fun::{Export, Fun, Local};
pub use ident::{Identity, LIVES_MAX, NodeId, Pid, Port, REF_WORDS_MAX, Ref};
pub use list::{List, Slice};
pub use map::Map;
pub use num_bigint::BigInt;
pub use order::{Numbers, compare, equal_by_value};
pub use term::Term;
#[cfg(feature = "derive")]
pub use term_derive::{FromTerm, IntoTerm};
pub use tuple::Tuple;
pub use wire::{Encoded, WireContext, WireTerm};
