//! Distributed applications: an application runs on one node of a ladder, moves down when nodes are lost, and is taken
//! over when a better one is back.
//!
//! All nodes of the ladder load and start it; it runs on the first that is up, and `start` returns everywhere when it runs
//! there. The decisions are [`Ladder`]'s and those of a pure machine beside it, which agree with OTP's `dist_ac`, so that a
//! ladder may have nodes of both kinds. [`permit`] and [`takeover`] move it by hand.
//!
//! What OTP leaves out: a ladder whose nodes lose each other runs it on both sides of the gap, and when the gap has closed
//! the better place keeps it and the other stops its copy.

mod api;
mod boot;
mod builder;
mod deciding;
mod events;
mod exports;
mod introduce;
pub mod ladder;
mod losses;
mod machine;
mod meeting;
mod permits;
mod process;
#[cfg(test)]
mod sim_tests;
#[cfg(test)]
mod sim_world;
mod votes;
mod wire;

pub use api::{known_nodes, permit, takeover};
pub use boot::BootError;
pub(crate) use boot::{boot, prepare};
pub(crate) use builder::{Parameters, Programs};
pub use ladder::{Ladder, Rank};
