//! Distributed applications: an application runs on one node of a ladder, moves down when nodes are lost, and is taken
//! over when a better one is back.

mod deciding;
mod events;
pub mod ladder;
mod machine;
mod meeting;
mod permits;
#[cfg(test)]
mod sim_tests;
#[cfg(test)]
mod sim_world;
mod wire;

pub use ladder::{Ladder, Rank};
