//! Pids as text: `<0.84.0>` for our own, `<N.84.0>` for others, N counted per node as they are seen.

use std::sync::Mutex;

use term::{NodeId, Pid};

use crate::node::Node;
use crate::table::lock;

/// The nodes whose pids were shown, in the order of their first appearance.
#[derive(Default)]
pub(crate) struct PidNumbers(Mutex<Vec<NodeId>>);

impl Node {
    /// The pid as the shell prints it.
    pub fn show_pid(&self, pid: &Pid) -> String {
        format!("<{}.{}.{}>", self.node_number(&pid.node), pid.id, pid.serial)
    }

    /// The pid that [`Node::show_pid`] printed so; with or without the angle brackets.
    pub fn parse_pid(&self, text: &str) -> Option<Pid> {
        let text = text.strip_prefix('<').and_then(|text| text.strip_suffix('>')).unwrap_or(text);
        let mut parts = text.split('.');
        let (number, id, serial) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        let node = self.numbered_node(number.parse().ok()?)?;
        Some(Pid { node, id: id.parse().ok()?, serial: serial.parse().ok()? })
    }

    /// The number of a node in printed pids: 0 for this one.
    pub fn node_number(&self, node: &NodeId) -> u32 {
        if node == self.id() {
            return 0;
        }
        let mut seen = lock(&self.pid_numbers().0);
        let at = seen.iter().position(|known| known == node).unwrap_or_else(|| {
            seen.push(node.clone());
            seen.len() - 1
        });
        at as u32 + NUMBER_FIRST
    }

    fn numbered_node(&self, number: u32) -> Option<NodeId> {
        if number == 0 {
            return Some(self.id().clone());
        }
        let at = number.checked_sub(NUMBER_FIRST)?;
        lock(&self.pid_numbers().0).get(at as usize).cloned()
    }
}

/// As high as the BEAM's atom numbers usually are, so that nobody takes it for one of our own.
const NUMBER_FIRST: u32 = 9_000;
