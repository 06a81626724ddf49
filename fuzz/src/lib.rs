//! What strangers may send, thrown at every machine. One file for each target, one line for each in the table.

pub mod epmd;
pub mod handshake;

/// A function that must survive any bytes.
pub struct Target {
    /// What to call it on the command line.
    pub name: &'static str,
    /// Panics when a promise is broken.
    pub run: fn(&[u8]),
}

/// Every target. To add one: its file, its line here, its `fuzz_targets/*.rs`.
pub const TARGETS: &[Target] =
    &[Target { name: "epmd", run: epmd::epmd }, Target { name: "handshake", run: handshake::handshake }];
