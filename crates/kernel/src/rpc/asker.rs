//! Who calls: a process, or the program outside of all processes.

use runtime::{Ctx, Node};
use term::Pid;

/// Who calls: a [`Ctx`], or a node from outside of its processes.
///
/// The difference is where the output of the called function goes: to the group leader of the process, or to the node's `user`.
/// Nobody needs to implement this.
pub trait Asker {
    /// The node from which the call goes out.
    fn runtime_node(&self) -> &Node;

    /// The group leader of what is called.
    fn leader(&self) -> Option<Pid>;
}

impl Asker for Node {
    fn runtime_node(&self) -> &Node {
        self
    }

    fn leader(&self) -> Option<Pid> {
        self.whereis("user")
    }
}

impl Asker for crate::Node {
    fn runtime_node(&self) -> &Node {
        self
    }

    fn leader(&self) -> Option<Pid> {
        self.whereis("user")
    }
}

impl Asker for Ctx {
    fn runtime_node(&self) -> &Node {
        self.node()
    }

    fn leader(&self) -> Option<Pid> {
        Some(self.group_leader())
    }
}
