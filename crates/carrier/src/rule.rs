//! Rules of the in-memory network: what happens to bytes on their way.

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use crate::memory::Net;

/// Bytes about to cross from one host to another, as a rule sees them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crossing<'a> {
    /// The host they leave.
    pub from: &'a str,
    /// The host they go to.
    pub to: &'a str,
    /// How many. Zero for a dial, for the end of a direction, and when the rules have changed and a wire on which
    /// nothing waits is put before them.
    pub bytes: usize,
    /// The listener's port, whichever way the bytes go: what service the wire belongs to.
    pub port: u16,
    /// Part of a dial: once from the dialler to the listener, then back.
    pub dial: bool,
}

/// What a rule says about a crossing.
///
/// Where several rules speak, the hardest word counts: `Cut`, then `Drop`, then the longest `Deliver`, then `Pass`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As if there were no rule.
    Pass,
    /// The bytes arrive this much later. Never before bytes written earlier in the same direction: what
    /// follows a slow crossing waits behind it. Bytes in flight count against the pipe's ceiling, as in TCP's window.
    Deliver(Duration),
    /// A black hole. A stream with a hole in it would be corrupt, so the direction *stalls*: these bytes and all
    /// that follow, its end included, are taken (until the pipe is full and the writer waits) and not delivered.
    /// When the rules change and no longer say `Drop`, all that was held is delivered in order, as TCP would
    /// retransmit it. A dial just waits; the caller's timeout decides how long.
    Drop,
    /// The connection is reset: both ends read and write `ConnectionReset`, bytes on the way are lost.
    /// A dial is refused.
    Cut,
}

impl Verdict {
    /// The harder of two.
    pub fn and(self, other: Verdict) -> Verdict {
        use Verdict::*;
        match (self, other) {
            (Cut, _) | (_, Cut) => Cut,
            (Drop, _) | (_, Drop) => Drop,
            (Deliver(a), Deliver(b)) => Deliver(a.max(b)),
            (Deliver(a), Pass) | (Pass, Deliver(a)) => Deliver(a),
            (Pass, Pass) => Pass,
        }
    }
}

pub(crate) type RuleFn = dyn Fn(&Crossing<'_>) -> Verdict + Send + Sync;

/// All rules at one moment; replaced as a whole, so that a changed set is a different `Arc`.
#[derive(Clone, Default)]
pub(crate) struct Rules {
    next: u64,
    list: Vec<(u64, Arc<RuleFn>)>,
}

impl Rules {
    pub(crate) fn with(&self, rule: Arc<RuleFn>) -> (Rules, u64) {
        let mut rules = self.clone();
        let id = rules.next;
        rules.next += 1;
        rules.list.push((id, rule));
        (rules, id)
    }

    pub(crate) fn without(&self, id: u64) -> Rules {
        let mut rules = self.clone();
        rules.list.retain(|(other, _)| *other != id);
        rules
    }

    pub(crate) fn judge(&self, crossing: &Crossing<'_>) -> Verdict {
        self.list.iter().fold(Verdict::Pass, |verdict, (_, rule)| verdict.and(rule(crossing)))
    }
}

/// Keeps a rule in force. Dropping it heals the network: stalled wires deliver at once what they held.
#[must_use = "the rule ends when its guard is dropped"]
pub struct RuleGuard {
    pub(crate) net: Weak<Net>,
    pub(crate) id: u64,
}

impl RuleGuard {
    /// Lets the rule stay as long as the network lives.
    pub fn forever(mut self) {
        self.net = Weak::new();
    }
}

impl Drop for RuleGuard {
    fn drop(&mut self) {
        if let Some(net) = self.net.upgrade() {
            net.change_rules(|rules| rules.without(self.id));
        }
    }
}

impl fmt::Debug for RuleGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RuleGuard").field("id", &self.id).finish_non_exhaustive()
    }
}
