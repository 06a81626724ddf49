//! Stories told against live OTP nodes: the harness.

pub mod erl;
pub mod logs;
pub mod meeting;
pub mod peer;
pub mod world;
