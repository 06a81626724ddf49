//! Erlang's wire protocols as machines: bytes and time in, events out. No I/O, no clock.
