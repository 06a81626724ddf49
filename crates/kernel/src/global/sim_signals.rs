//! What travels and what happens in the world of the simulator, and when.

use term::{Pid, Term};

use super::events::{CallId, Event, MonitorId, ResolveId};

#[derive(Clone)]
pub(super) enum Signal {
    Message(u32, Term),
    Call { id: CallId, caller: Pid, request: Term },
    Reply { id: CallId, reply: Term },
    Monitor { id: MonitorId, pid: Pid },
    Demonitor { id: MonitorId },
    Down { id: MonitorId },
    Resolve { id: ResolveId, method: Term, name: Term, theirs: Pid, ours: Pid },
    Verdict { id: ResolveId, verdict: Term },
    Kill(Pid),
}

impl Signal {
    /// The number of the process that sends it; zero for what the nodes do themselves, one for the name server.
    pub(super) fn sender(&self) -> u32 {
        match self {
            Signal::Message(sender, _) => *sender,
            Signal::Call { caller, .. } => caller.id,
            Signal::Down { .. } | Signal::Kill(_) | Signal::Verdict { .. } => 0,
            Signal::Reply { .. }
            | Signal::Monitor { .. }
            | Signal::Demonitor { .. }
            | Signal::Resolve { .. } => 1,
        }
    }
}

pub(super) enum What {
    Up { conn: u64, at: usize, peer: usize },
    Down { conn: u64, at: usize, peer: usize },
    Packet { conn: u64, from: usize, at: usize, number: u64, signal: Signal },
    Near { at: usize, creation: u32, event: Event },
    Run { at: usize, creation: u32, signal: Signal },
    Wake { at: usize, creation: u32, when: u64 },
    Dialed { from: usize, creation: u32, to: usize },
    Idle { at: usize, creation: u32 },
}

impl What {
    /// The node to which it happens.
    pub(super) fn at(&self) -> usize {
        match self {
            What::Up { at, .. }
            | What::Down { at, .. }
            | What::Packet { at, .. }
            | What::Near { at, .. }
            | What::Run { at, .. }
            | What::Wake { at, .. }
            | What::Idle { at, .. }
            | What::Dialed { from: at, .. } => *at,
        }
    }
}

pub(super) struct Due {
    pub(super) at: u64,
    pub(super) order: u64,
    pub(super) what: What,
}

impl PartialEq for Due {
    fn eq(&self, other: &Due) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}
impl Eq for Due {}
impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Due) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Due {
    fn cmp(&self, other: &Due) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}
