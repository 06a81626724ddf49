//! What other nodes expect of `global_name_server` before `global` itself lives here: its locks.

pub(crate) mod locks;

// The machine that will take the place of the minimal service: complete, but its shell is not written yet.
#[allow(dead_code, unreachable_pub)]
mod clients;
#[allow(dead_code, unreachable_pub)]
mod dice;
#[allow(dead_code, unreachable_pub)]
pub mod events;
#[allow(dead_code, unreachable_pub)]
mod locker;
#[allow(dead_code, unreachable_pub)]
pub mod machine;
#[allow(dead_code, unreachable_pub)]
mod messages;
#[allow(dead_code, unreachable_pub)]
pub mod names;
#[allow(dead_code, unreachable_pub)]
mod overlap;
#[allow(dead_code, unreachable_pub)]
mod peers;
#[allow(dead_code, unreachable_pub)]
mod registrar;
#[allow(dead_code, unreachable_pub)]
mod serve;
#[allow(dead_code, unreachable_pub)]
mod sessions;
#[allow(dead_code, unreachable_pub)]
mod watch;

#[cfg(test)]
mod sim_signals;
#[cfg(test)]
mod sim_tests;
#[cfg(test)]
mod sim_world;

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
}
