//! Trees as terms and back: Erlang's abstract format, as it crosses the wire.

mod read;
mod write;

pub use read::{clauses as read_clauses, exprs as read_exprs, loc as read_loc};
pub use write::{clauses as write_clauses, expr as write_expr, exprs as write_exprs};
