//! Processes: a node is a value; mailboxes, links, monitors, names, lanes.
//!
//! A [`Node`] is made from a [`NodeConfig`]; [`Node::spawn`] starts a process and hands it a [`Ctx`], through which it
//! sends, receives, links and watches. Networks are not known here: what is for another node waits in a [`Lane`],
//! and whoever has a wire to that node takes it from there and gives what arrives to [`Node::deliver`].

#[cfg(panic = "abort")]
compile_error!("processes must be able to crash alone: set `panic = \"unwind\"` in the profile");

mod address;
mod bonds;
mod border;
mod crash;
mod ctx;
mod exit;
mod exports;
mod few;
mod garbled;
mod gauges;
mod lane;
mod lens;
pub mod limits;
mod mail;
mod mailbox;
mod message;
mod names;
mod node;
mod pids;
mod process;
mod receive;
mod remote;
mod requests;
mod router;
mod sched;
mod signals;
mod spawn;
mod table;
#[cfg(test)]
mod tests;
mod ties;
mod timers;
mod watchers;

pub use address::To;
pub use border::{Gateway, Pace, Peer, PeerEvent, PeerListener};
pub use ctx::Ctx;
pub use exit::{Exit, Outcome, Panic, Returns};
pub use exports::{ExportKey, ExportedFn, ExportedFuture, Finder, Library};
pub use lane::{Lane, LaneState, PeerInfo};
pub use lens::{ProcessInfo, Status};
pub use mailbox::{Limit, Mark, Policy};
pub use message::{Down, ExitSignal, Message};
pub use names::RegisterError;
pub use node::{Node, NodeConfig};
pub use requests::{Replies, SpawnAt, SpawnError, SpawnRequest};
pub use router::{SendOptions, Sent};
pub use spawn::SpawnOptions;
pub use ties::AliasMode;
