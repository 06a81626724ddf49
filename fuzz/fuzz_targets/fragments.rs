//! `cargo fuzz run fragments --features libfuzzer`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| trunkline_fuzz::fragments::fragments(data));
