//! derive(IntoTerm, FromTerm): Rust types as Erlang terms.
