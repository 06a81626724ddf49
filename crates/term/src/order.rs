//! Erlang's total order of terms, `==` and `=:=`.

use std::cmp::Ordering;

use crate::term::Term;

/// How numbers of different types compare.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Numbers {
    /// `1 == 1.0`, as `==`, `<` and `lists:sort/1` have it.
    ByValue,
    /// `1 =/= 1.0`, as `=:=` and map keys have it.
    Exact,
}

/// Compares two terms.
pub fn compare(_left: &Term, _right: &Term, _numbers: Numbers) -> Ordering {
    unimplemented!()
}

/// `=:=`: see [`Numbers::Exact`].
impl PartialEq for Term {
    fn eq(&self, other: &Term) -> bool {
        compare(self, other, Numbers::Exact) == Ordering::Equal
    }
}

impl Eq for Term {}
