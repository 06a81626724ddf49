//! Names that a whole cluster knows, locks that a whole cluster respects, and the mesh: OTP's `global`.
//!
//! A process of any visible node can have a name: [`register`], [`whereis`], [`send`]. All nodes have the whole table, so that
//! finding a name costs nothing; changing it takes the lock `global` on every node. When two clusters meet, their tables
//! become one, and a [`Resolver`] settles who keeps a name that both have. When a node of a cluster loses another one, all
//! others drop that one too (`prevent_overlapping_partitions`), so that there are never two opinions of who is there.
//!
//! ```no_run
//! # use trunkline_kernel as kernel;
//! # async fn example(node: kernel::Node, pid: term::Pid) {
//! use kernel::global;
//!
//! assert!(global::register(&node, "the counter", &pid).await);
//! assert_eq!(global::whereis(&node, "the counter"), Some(pid));
//! # }
//! ```
//!
//! Inside: a machine without network and clock (`machine`, what happens to it and what it wants done in `events`), and the
//! shell around it, the process `global_name_server`.

mod api;
mod exports;
mod hub;
mod resolver;
mod shell;

#[allow(unreachable_pub)]
mod clients;
#[allow(unreachable_pub)]
mod debts;
#[allow(unreachable_pub)]
mod dice;
#[allow(unreachable_pub)]
mod events;
mod interrupted;
#[allow(unreachable_pub)]
mod locker;
mod locks;
#[allow(unreachable_pub)]
mod machine;
#[allow(unreachable_pub)]
mod messages;
#[allow(unreachable_pub)]
mod names;
#[allow(unreachable_pub)]
mod overlap;
#[allow(unreachable_pub)]
mod peers;
#[allow(unreachable_pub)]
mod registrar;
#[allow(unreachable_pub)]
mod serve;
#[allow(unreachable_pub)]
mod sessions;
#[allow(unreachable_pub)]
mod watch;

#[cfg(test)]
mod sim_signals;
#[cfg(test)]
mod sim_tests;
#[cfg(test)]
mod sim_wires;
#[cfg(test)]
mod sim_world;
#[cfg(test)]
mod words_tests;

pub use api::{
    del_lock, disconnect, re_register, re_register_with, register, register_with, registered_names, send,
    set_lock, sync, sync_with, transaction, unregister, whereis,
};
pub(crate) use exports::install;
pub(crate) use hub::{Hub, Settings, WAKE};
pub use resolver::Resolver;
pub(crate) use shell::Shell;

/// Mistakes that `global` was once wrong by, or could be: the simulator must notice each of them.
#[cfg(test)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(unreachable_pub)]
pub enum Mistake {
    /// None.
    None,
    /// Takes messages of a session that is no more for those of the one that is.
    BlindToTags,
    /// Believes that the peer means this session, whatever it confirms.
    TrustEveryAck,
    /// Does not hear of the nodes that its partition met.
    DeafToNews,
    /// Does not hear of lost connections.
    DeafToLosses,
    /// Does not give a lock back after a meeting.
    KeepTheLock,
    /// Does not finish what somebody began and could not tell everybody.
    LeaveChangesUndone,
    /// Hears news of who is not of its partition.
    HearStrangers,
    /// Does not give back what a peer may have locked for it over a connection that is gone.
    LeaveDebts,
    /// None, but OTP's way: what processes of a node had goes when a monitor says so, whatever is heard of their node. A monitor
    /// that is set late is one over the connection there is by then.
    TrustMonitors,
}
