//! What strangers may send, thrown at every machine. One file for each target, one line for each in the table.

pub mod atom_cache;
pub mod connection;
pub mod epmd;
pub mod fragments;
pub mod handshake;
pub mod term;

/// A function that must survive any bytes.
pub struct Target {
    /// What to call it on the command line.
    pub name: &'static str,
    /// Panics when a promise is broken.
    pub run: fn(&[u8]),
}

/// Every target. To add one: its file, its line here, its `fuzz_targets/*.rs`.
pub const TARGETS: &[Target] = &[
    Target { name: "atom_cache", run: atom_cache::atom_cache },
    Target { name: "connection", run: connection::connection },
    Target { name: "epmd", run: epmd::epmd },
    Target { name: "fragments", run: fragments::fragments },
    Target { name: "handshake", run: handshake::handshake },
    Target { name: "term", run: term::term },
];
