//! What waits in an inbox: every signal in one order, whoever sent it.

use std::sync::Arc;

use term::{Atom, Pid, Ref, Term};

use crate::lane::Lane;
use crate::message::Message;

/// One signal in an inbox. Small, because a mailbox is an array of them.
pub(crate) enum Mail {
    Message(Message),
    /// Came by an alias, named by its counter: counts only while the alias is active.
    Aliased(u64, Message),
    Link(Pid),
    /// Needs no wake-up, like its opposite: it only matters when the process ends.
    Monitor {
        from: Pid,
        reference: Ref,
    },
    Demonitor(Ref),
    Order(Box<Order>),
}

/// The rarer signals.
pub(crate) enum Order {
    Exit {
        from: Pid,
        reason: Term,
        cause: Cause,
    },
    Unlink {
        id: u64,
        from: Pid,
        lane: Option<Arc<Lane>>,
    },
    UnlinkAck {
        id: u64,
        from: Pid,
    },
    /// OTP 25's `UNLINK` without acknowledgement.
    UnlinkOld(Pid),
    LinkFar {
        from: Pid,
        lane: Arc<Lane>,
    },
    MonitorFar {
        from: Pid,
        reference: Ref,
        name: Option<Atom>,
        lane: Arc<Lane>,
    },
    Down {
        reference: Ref,
        reason: Term,
    },
    Leader(Pid),
    /// A connection ended: everything that was tied through it.
    LaneDown {
        lane: u64,
        reason: Term,
    },
    SpawnReply {
        id: Ref,
        lane: Option<Arc<Lane>>,
        linked: bool,
        monitored: bool,
        result: Result<Pid, Atom>,
    },
    /// The mailbox is over its ceiling and its policy is to end the process.
    Overflow,
}

/// What an exit signal comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The end of a linked process: counts only while the link does.
    Link,
    /// `exit/2`.
    Call,
    /// The end of the node.
    Shutdown,
}

impl Mail {
    pub(crate) fn order(order: Order) -> Mail {
        Mail::Order(Box::new(order))
    }

    pub(crate) fn exit(from: Pid, reason: Term, cause: Cause) -> Mail {
        Mail::order(Order::Exit { from, reason, cause })
    }

    pub(crate) fn is_message(&self) -> bool {
        matches!(self, Mail::Message(_) | Mail::Aliased(..))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envelope_is_small() {
        assert!(size_of::<Mail>() <= 40, "{}", size_of::<Mail>());
    }
}
