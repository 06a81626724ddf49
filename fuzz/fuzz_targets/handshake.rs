//! `cargo fuzz run handshake --features libfuzzer`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| trunkline_fuzz::handshake::handshake(data));
