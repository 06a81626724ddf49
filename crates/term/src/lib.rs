//! Erlang values: their order, their text, their bytes.

mod atom;
mod binary;
pub mod convert;
pub mod decode;
pub mod encode;
mod fun;
mod ident;
pub mod limits;
mod list;
mod map;
pub mod order;
mod term;
mod tuple;
pub mod wire;

pub use atom::Atom;
pub use binary::{Binary, BitString};
pub use convert::{FromTerm, IntoTerm, Mismatch};
pub use fun::{Export, Fun, Local};
pub use ident::{NodeId, Pid, Port, REF_WORDS_MAX, Ref};
pub use list::List;
pub use map::Map;
pub use term::Term;
pub use tuple::Tuple;
