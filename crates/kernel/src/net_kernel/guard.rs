//! An attempt that is dropped half-way, by a timeout or by another that takes its place, is an attempt that failed.

use std::sync::Arc;

use runtime::Node;
use term::Atom;

use super::core::NetKernel;
use super::end::SetupFault;
use super::table::Attempt;

/// Reports an attempt as failed unless it was told otherwise.
pub(super) struct AttemptGuard {
    node: Node,
    net: Arc<NetKernel>,
    peer: Atom,
    attempt: Attempt,
    settled: bool,
}

impl AttemptGuard {
    pub(super) fn new(node: &Node, net: &Arc<NetKernel>, peer: &Atom, attempt: Attempt) -> AttemptGuard {
        AttemptGuard { node: node.clone(), net: net.clone(), peer: peer.clone(), attempt, settled: false }
    }

    pub(super) fn peer(&self) -> &Atom {
        &self.peer
    }

    pub(super) fn attempt(&self) -> Attempt {
        self.attempt
    }

    /// The attempt led to a connection.
    pub(super) fn succeeded(mut self) {
        self.settled = true;
    }

    /// The attempt came to nothing.
    pub(super) fn failed(mut self, why: SetupFault) {
        self.settled = true;
        self.net.attempt_failed(&self.node, &self.peer, self.attempt, why);
    }
}

impl Drop for AttemptGuard {
    fn drop(&mut self) {
        if !self.settled {
            self.net.attempt_failed(&self.node, &self.peer, self.attempt, SetupFault::Abandoned);
        }
    }
}
