//! What `#[trunkline::module]` writes calls to. No part of the interface.

pub use runtime::{Ctx, Node};
use term::FromTerm;
pub use term::Term;

pub use super::export::{Running, export_running};
use super::raise::Answer;
pub use super::raise::Raise;

/// One argument.
///
/// # Errors
/// When it does not read as what the function takes.
pub fn read<T: FromTerm>(arguments: &[Term], index: usize) -> Result<T, Raise> {
    super::raise::read(arguments.get(index).ok_or(Raise::Unfit)?)
}

/// What the function returned.
///
/// # Errors
/// What it raises.
pub fn answer<Kind, T: Answer<Kind>>(returned: T) -> Result<Term, Raise> {
    returned.answer()
}
