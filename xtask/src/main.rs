//! The commands of the house: `cargo xtask test` and friends.

fn main() {}
