//! `cargo fuzz run epmd --features libfuzzer`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| trunkline_fuzz::epmd::epmd(data));
