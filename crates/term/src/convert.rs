//! From Rust types to terms and back.
//!
//! | Rust | Erlang |
//! |---|---|
//! | `bool`, [`Atom`] | atom |
//! | integers | integer |
//! | `f64`, `f32` | float; the atoms `nan`, `infinity`, `'-infinity'` where there is no number |
//! | `String`, `&str` | binary of UTF-8; a list of characters is read too |
//! | [`Binary`], [`Bytes`] | binary |
//! | `Vec`, [`List`] | proper list |
//! | tuples, [`Tuple`] | tuple |
//! | `BTreeMap`, `HashMap`, [`Map`] | map |
//! | `Option` | `undefined` or the value |
//! | `Result` | `{ok, Value}` (`ok` for `Ok(())`) or `{error, Reason}` |
//! | `()` | `ok` |

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hash};
use std::sync::Arc;

use bytes::Bytes;
use num_bigint::BigInt;

use crate::atom::Atom;
use crate::binary::Binary;
use crate::fun::{Export, Fun};
use crate::ident::{Pid, Port, Ref};
use crate::list::{List, Slice};
use crate::map::Map;
use crate::term::Term;
use crate::tuple::Tuple;

/// A Rust value that is an Erlang term.
pub trait IntoTerm {
    /// The term.
    fn into_term(self) -> Term;
}

/// A Rust type whose values some Erlang terms are. The type is the pattern.
pub trait FromTerm: Sized {
    /// The value, or what was expected in the place of the term.
    ///
    /// # Errors
    /// When the term does not have the shape of this type.
    fn from_term(term: &Term) -> Result<Self, Mismatch>;
}

/// A term did not have the shape it was read as.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("expected {expected}")]
pub struct Mismatch {
    /// What the term was read as.
    pub expected: &'static str,
}

impl Mismatch {
    /// The refusal of a term that is not what was expected.
    pub const fn expected(expected: &'static str) -> Mismatch {
        Mismatch { expected }
    }
}

impl IntoTerm for Term {
    fn into_term(self) -> Term {
        self
    }
}

impl FromTerm for Term {
    fn from_term(term: &Term) -> Result<Term, Mismatch> {
        Ok(term.clone())
    }
}

/// What may stand bare in `term!`: one type for each kind of literal.
#[doc(hidden)]
pub trait Literal: IntoTerm {}

impl Literal for i64 {}
impl Literal for f64 {}
impl Literal for bool {}
impl Literal for &str {}

/// The term of a literal.
#[doc(hidden)]
pub fn literal(literal: impl Literal) -> Term {
    literal.into_term()
}

macro_rules! plain {
    ($($type:ty, $variant:ident, $name:literal;)*) => {$(
        impl IntoTerm for $type {
            fn into_term(self) -> Term {
                Term::$variant(self)
            }
        }

        impl FromTerm for $type {
            fn from_term(term: &Term) -> Result<$type, Mismatch> {
                match term {
                    Term::$variant(value) => Ok(value.clone()),
                    _ => Err(Mismatch::expected($name)),
                }
            }
        }
    )*};
}

plain! {
    Pid, Pid, "a pid";
    Port, Port, "a port";
    Ref, Ref, "a reference";
    Atom, Atom, "an atom";
    Tuple, Tuple, "a tuple";
    Map, Map, "a map";
    List, List, "a list";
    Binary, Binary, "a binary";
    Arc<Fun>, Fun, "a fun";
    Arc<Export>, Export, "an exported fun";
    i64, Int, "an integer of 64 bits";
}

macro_rules! integers {
    ($($type:ty, $name:literal;)*) => {$(
        impl IntoTerm for $type {
            fn into_term(self) -> Term {
                match i64::try_from(self) {
                    Ok(number) => Term::Int(number),
                    Err(_) => Term::from(BigInt::from(self)),
                }
            }
        }

        impl FromTerm for $type {
            fn from_term(term: &Term) -> Result<$type, Mismatch> {
                let number = match term {
                    Term::Int(number) => <$type>::try_from(*number).ok(),
                    Term::Big(number) => <$type>::try_from(&**number).ok(),
                    _ => None,
                };
                number.ok_or(Mismatch::expected($name))
            }
        }
    )*};
}

integers! {
    i8, "an integer of 8 bits";
    u8, "an integer of 0 to 255";
    i16, "an integer of 16 bits";
    u16, "an integer of 0 to 65535";
    i32, "an integer of 32 bits";
    u32, "an integer of 0 to 4294967295";
    u64, "an integer of 64 bits that is not negative";
    i128, "an integer of 128 bits";
    u128, "an integer of 128 bits that is not negative";
    isize, "an integer of a word";
    usize, "an integer of a word that is not negative";
}

impl IntoTerm for BigInt {
    fn into_term(self) -> Term {
        Term::from(self)
    }
}

impl FromTerm for BigInt {
    fn from_term(term: &Term) -> Result<BigInt, Mismatch> {
        match term {
            Term::Int(number) => Ok(BigInt::from(*number)),
            Term::Big(number) => Ok(BigInt::clone(number)),
            _ => Err(Mismatch::expected("an integer")),
        }
    }
}

/// A number that is not finite becomes the atom `nan`, `infinity` or `'-infinity'`: Erlang has no such floats.
impl IntoTerm for f64 {
    fn into_term(self) -> Term {
        match self {
            _ if self.is_finite() => Term::Float(self),
            _ if self.is_nan() => Term::atom("nan"),
            _ if self > 0.0 => Term::atom("infinity"),
            _ => Term::atom("-infinity"),
        }
    }
}

/// Floats only: to Erlang's patterns `1` is no float.
impl FromTerm for f64 {
    fn from_term(term: &Term) -> Result<f64, Mismatch> {
        if let Term::Float(number) = term { Ok(*number) } else { Err(Mismatch::expected("a float")) }
    }
}

impl IntoTerm for f32 {
    fn into_term(self) -> Term {
        f64::from(self).into_term()
    }
}

impl FromTerm for f32 {
    fn from_term(term: &Term) -> Result<f32, Mismatch> {
        f64::from_term(term).map(|number| number as f32)
    }
}

impl IntoTerm for bool {
    fn into_term(self) -> Term {
        Term::Atom(if self { Atom::inline("true") } else { Atom::inline("false") })
    }
}

impl FromTerm for bool {
    fn from_term(term: &Term) -> Result<bool, Mismatch> {
        match term.as_atom().map(Atom::as_bytes) {
            Some(b"true") => Ok(true),
            Some(b"false") => Ok(false),
            _ => Err(Mismatch::expected("true or false")),
        }
    }
}

impl IntoTerm for () {
    fn into_term(self) -> Term {
        Term::Atom(Atom::inline("ok"))
    }
}

impl FromTerm for () {
    fn from_term(term: &Term) -> Result<(), Mismatch> {
        if term.is_atom("ok") { Ok(()) } else { Err(Mismatch::expected("ok")) }
    }
}

impl IntoTerm for &str {
    fn into_term(self) -> Term {
        Term::binary(self)
    }
}

impl IntoTerm for String {
    fn into_term(self) -> Term {
        Term::Binary(Binary::from(self.into_bytes()))
    }
}

/// From a binary of UTF-8, or from a list of characters.
impl FromTerm for String {
    fn from_term(term: &Term) -> Result<String, Mismatch> {
        let text = match term {
            Term::Binary(binary) => std::str::from_utf8(binary.as_slice()).ok().map(String::from),
            Term::List(list) => text_of(list),
            _ => None,
        };
        text.ok_or(Mismatch::expected("a text"))
    }
}

/// The text of a list of characters, as a string literal in Erlang is; `None` for any other list.
pub fn text_of(list: &List) -> Option<String> {
    let mut text = String::new();
    let mut runs = list.runs();
    for run in &mut runs {
        match run {
            Slice::Bytes(bytes) => text.extend(bytes.iter().map(|&byte| char::from(byte))),
            Slice::Terms(items) => {
                for item in items {
                    text.push(char::from_u32(u32::try_from(item.as_int()?).ok()?)?);
                }
            }
        }
    }
    if runs.improper_tail().is_some() { None } else { Some(text) }
}

impl IntoTerm for Bytes {
    fn into_term(self) -> Term {
        Term::Binary(Binary::new(self))
    }
}

/// Shares the buffer that the binary is a slice of.
impl FromTerm for Bytes {
    fn from_term(term: &Term) -> Result<Bytes, Mismatch> {
        if let Term::Binary(binary) = term {
            Ok(binary.to_bytes())
        } else {
            Err(Mismatch::expected("a binary"))
        }
    }
}

impl<T: IntoTerm> IntoTerm for Vec<T> {
    fn into_term(self) -> Term {
        Term::list(self.into_iter().map(T::into_term))
    }
}

impl<T: FromTerm> FromTerm for Vec<T> {
    fn from_term(term: &Term) -> Result<Vec<T>, Mismatch> {
        let Some(list) = term.as_list() else { return Err(Mismatch::expected("a list")) };
        let mut runs = list.runs();
        let mut items = Vec::new();
        for run in &mut runs {
            items.reserve(run.len());
            match run {
                Slice::Terms(terms) => {
                    for term in terms {
                        items.push(T::from_term(term)?);
                    }
                }
                Slice::Bytes(bytes) => {
                    for byte in bytes {
                        items.push(T::from_term(&Term::Int((*byte).into()))?);
                    }
                }
            }
        }
        if runs.improper_tail().is_some() {
            return Err(Mismatch::expected("a proper list"));
        }
        Ok(items)
    }
}

impl<T: IntoTerm> IntoTerm for Box<T> {
    fn into_term(self) -> Term {
        (*self).into_term()
    }
}

impl<T: FromTerm> FromTerm for Box<T> {
    fn from_term(term: &Term) -> Result<Box<T>, Mismatch> {
        T::from_term(term).map(Box::new)
    }
}

impl<T: IntoTerm> IntoTerm for Option<T> {
    fn into_term(self) -> Term {
        self.map_or(Term::Atom(Atom::inline("undefined")), T::into_term)
    }
}

impl<T: FromTerm> FromTerm for Option<T> {
    fn from_term(term: &Term) -> Result<Option<T>, Mismatch> {
        if term.is_atom("undefined") { Ok(None) } else { T::from_term(term).map(Some) }
    }
}

impl<T: IntoTerm, E: IntoTerm> IntoTerm for Result<T, E> {
    fn into_term(self) -> Term {
        match self {
            Ok(value) => {
                let value = value.into_term();
                if is_empty_ok::<T>(&value) { value } else { Term::tuple([Term::atom("ok"), value]) }
            }
            Err(reason) => Term::tuple([Term::atom("error"), reason.into_term()]),
        }
    }
}

impl<T: FromTerm, E: FromTerm> FromTerm for Result<T, E> {
    fn from_term(term: &Term) -> Result<Result<T, E>, Mismatch> {
        match term.as_tuple() {
            Some([tag, value]) if tag.is_atom("ok") => T::from_term(value).map(Ok),
            Some([tag, reason]) if tag.is_atom("error") => E::from_term(reason).map(Err),
            None if is_empty_ok::<T>(term) => T::from_term(term).map(Ok),
            _ => Err(Mismatch::expected("{ok, Value} or {error, Reason}")),
        }
    }
}

/// Erlang says `ok`, not `{ok, ok}`, when there is nothing to say.
fn is_empty_ok<T>(term: &Term) -> bool {
    size_of::<T>() == 0 && term.is_atom("ok")
}

impl<K: IntoTerm, V: IntoTerm> IntoTerm for BTreeMap<K, V> {
    fn into_term(self) -> Term {
        Term::Map(self.into_iter().map(|(key, value)| (key.into_term(), value.into_term())).collect())
    }
}

impl<K: FromTerm + Ord, V: FromTerm> FromTerm for BTreeMap<K, V> {
    fn from_term(term: &Term) -> Result<BTreeMap<K, V>, Mismatch> {
        read_pairs(term).and_then(Iterator::collect)
    }
}

impl<K: IntoTerm, V: IntoTerm, S> IntoTerm for HashMap<K, V, S> {
    fn into_term(self) -> Term {
        Term::Map(self.into_iter().map(|(key, value)| (key.into_term(), value.into_term())).collect())
    }
}

impl<K: FromTerm + Eq + Hash, V: FromTerm, S: BuildHasher + Default> FromTerm for HashMap<K, V, S> {
    fn from_term(term: &Term) -> Result<HashMap<K, V, S>, Mismatch> {
        read_pairs(term).and_then(Iterator::collect)
    }
}

type Pair<K, V> = Result<(K, V), Mismatch>;

fn read_pairs<K: FromTerm, V: FromTerm>(
    term: &Term,
) -> Result<impl Iterator<Item = Pair<K, V>> + '_, Mismatch> {
    let map = term.as_map().ok_or(Mismatch::expected("a map"))?;
    Ok(map.pairs().iter().map(|(key, value)| Ok((K::from_term(key)?, V::from_term(value)?))))
}

macro_rules! tuples {
    ($($arity:literal $($name:ident)*;)*) => {$(
        impl<$($name: IntoTerm),*> IntoTerm for ($($name,)*) {
            #[allow(non_snake_case)]
            fn into_term(self) -> Term {
                let ($($name,)*) = self;
                Term::tuple([$($name.into_term()),*])
            }
        }

        impl<$($name: FromTerm),*> FromTerm for ($($name,)*) {
            #[allow(non_snake_case)]
            fn from_term(term: &Term) -> Result<($($name,)*), Mismatch> {
                match term.as_tuple() {
                    Some([$($name),*]) => Ok(($($name::from_term($name)?,)*)),
                    _ => Err(Mismatch::expected(concat!("a tuple of size ", $arity))),
                }
            }
        }
    )*};
}

tuples! {
    1 A; 2 A B; 3 A B C; 4 A B C D; 5 A B C D E; 6 A B C D E F; 7 A B C D E F G; 8 A B C D E F G H;
    9 A B C D E F G H I; 10 A B C D E F G H I J; 11 A B C D E F G H I J K; 12 A B C D E F G H I J K L;
}

#[cfg(test)]
mod tests;
