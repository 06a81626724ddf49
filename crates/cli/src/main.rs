//! The binary trunkline: one file per verb.

fn main() {}
