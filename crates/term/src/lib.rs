//! Erlang values: their order, their text, their bytes.
