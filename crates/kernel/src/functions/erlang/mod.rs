//! `erlang`: what the BEAM itself answers.

pub(super) mod arithmetic;
pub(super) mod convert;
pub(super) mod facts;
mod floats;
pub(super) mod info;
pub(super) mod integers;
pub(super) mod process;
pub(super) mod sums;
pub(super) mod terms;
pub(super) mod time;
