//! `cargo fuzz run atom_cache --features libfuzzer`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| trunkline_fuzz::atom_cache::atom_cache(data));
