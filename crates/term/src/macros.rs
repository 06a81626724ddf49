//! `term!`: terms written as they look.

/// A term, written much as in Erlang: bare words are atoms, Rust expressions stand in parentheses, strings are
/// binaries.
///
/// ```
/// use trunkline_term::{Atom, Term, term};
///
/// let n = 3;
/// let ping = term!({ping, (n), [1, -2 | tail], "text", #{key => {2.5, true}}});
/// assert_eq!(format!("{ping:?}"), r#"{ping,3,[1,-2|tail],<<"text">>,#{key => {2.5,true}}}"#);
/// assert_eq!(term!((Atom::new("$gen_call"))), Term::atom("$gen_call"));
/// ```
///
/// A container may have about a hundred elements; build longer ones with [`Term::list`](crate::Term::list).
/// Of several values under one key of a map the last one stays.
#[macro_export]
macro_rules! term {
    ({ $($items:tt)* }) => { $crate::Term::tuple($crate::__items!([] $($items)*)) };
    ([ $($items:tt)* ]) => { $crate::__list!([] $($items)*) };
    (# { $($pairs:tt)* }) => { $crate::Term::Map($crate::__pairs!([] $($pairs)*)) };
    (( $value:expr )) => { $crate::IntoTerm::into_term($value) };
    (- $number:literal) => { $crate::convert::literal(-$number) };
    ($atom:ident) => { $crate::Term::Atom($crate::Atom::new(stringify!($atom))) };
    ($literal:literal) => { $crate::convert::literal($literal) };
}

/// The elements of a tuple, as an array.
#[doc(hidden)]
#[macro_export]
macro_rules! __items {
    ([$($done:expr,)*]) => { [$($done,)*] };
    ([$($done:expr,)*] # $map:tt $(, $($rest:tt)*)?) => {
        $crate::__items!([$($done,)* $crate::term!(# $map),] $($($rest)*)?)
    };
    ([$($done:expr,)*] - $number:literal $(, $($rest:tt)*)?) => {
        $crate::__items!([$($done,)* $crate::term!(- $number),] $($($rest)*)?)
    };
    ([$($done:expr,)*] $item:tt $(, $($rest:tt)*)?) => {
        $crate::__items!([$($done,)* $crate::term!($item),] $($($rest)*)?)
    };
}

/// A list, proper or not.
#[doc(hidden)]
#[macro_export]
macro_rules! __list {
    ([]) => { $crate::Term::NIL };
    ([$($done:expr,)*]) => { $crate::List::with_tail(vec![$($done,)*], $crate::Term::NIL) };
    ([$($done:expr,)*] | $($tail:tt)*) => {
        $crate::List::with_tail(vec![$($done,)*], $crate::term!($($tail)*))
    };
    ([$($done:expr,)*] # $map:tt $(, $($rest:tt)*)?) => {
        $crate::__list!([$($done,)* $crate::term!(# $map),] $($($rest)*)?)
    };
    ([$($done:expr,)*] # $map:tt | $($tail:tt)*) => {
        $crate::__list!([$($done,)* $crate::term!(# $map),] | $($tail)*)
    };
    ([$($done:expr,)*] - $number:literal $(, $($rest:tt)*)?) => {
        $crate::__list!([$($done,)* $crate::term!(- $number),] $($($rest)*)?)
    };
    ([$($done:expr,)*] - $number:literal | $($tail:tt)*) => {
        $crate::__list!([$($done,)* $crate::term!(- $number),] | $($tail)*)
    };
    ([$($done:expr,)*] $item:tt $(, $($rest:tt)*)?) => {
        $crate::__list!([$($done,)* $crate::term!($item),] $($($rest)*)?)
    };
    ([$($done:expr,)*] $item:tt | $($tail:tt)*) => {
        $crate::__list!([$($done,)* $crate::term!($item),] | $($tail)*)
    };
}

/// The pairs of a map. A key is read first, then its value.
#[doc(hidden)]
#[macro_export]
macro_rules! __pairs {
    ([$($done:expr,)*]) => { <$crate::Map as ::core::iter::FromIterator<_>>::from_iter([$($done,)*]) };
    ([$($done:expr,)*] # $key:tt => $($rest:tt)*) => {
        $crate::__pairs!(@value [$($done,)*] ($crate::term!(# $key)) $($rest)*)
    };
    ([$($done:expr,)*] - $key:literal => $($rest:tt)*) => {
        $crate::__pairs!(@value [$($done,)*] ($crate::term!(- $key)) $($rest)*)
    };
    ([$($done:expr,)*] $key:tt => $($rest:tt)*) => {
        $crate::__pairs!(@value [$($done,)*] ($crate::term!($key)) $($rest)*)
    };
    (@value [$($done:expr,)*] ($key:expr) # $value:tt $(, $($rest:tt)*)?) => {
        $crate::__pairs!([$($done,)* ($key, $crate::term!(# $value)),] $($($rest)*)?)
    };
    (@value [$($done:expr,)*] ($key:expr) - $value:literal $(, $($rest:tt)*)?) => {
        $crate::__pairs!([$($done,)* ($key, $crate::term!(- $value)),] $($($rest)*)?)
    };
    (@value [$($done:expr,)*] ($key:expr) $value:tt $(, $($rest:tt)*)?) => {
        $crate::__pairs!([$($done,)* ($key, $crate::term!($value)),] $($($rest)*)?)
    };
}
