//! Who is who: nodes, and the pids, ports and references that belong to them.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::atom::Atom;

/// One incarnation of a node: its full name and its creation. Cheap to clone.
#[derive(Clone)]
pub struct NodeId(Arc<Incarnation>);

#[derive(PartialEq, Eq)]
struct Incarnation {
    name: Atom,
    creation: u32,
}

impl NodeId {
    /// The incarnation `creation` of the node `name`.
    pub fn new(name: Atom, creation: u32) -> NodeId {
        NodeId(Arc::new(Incarnation { name, creation }))
    }

    /// The node's full name, such as `ketchup@localhost`.
    pub fn name(&self) -> &Atom {
        &self.0.name
    }

    /// The number that tells this incarnation from earlier ones of the same name.
    pub fn creation(&self) -> u32 {
        self.0.creation
    }
}

impl PartialEq for NodeId {
    fn eq(&self, other: &NodeId) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
    }
}

impl Eq for NodeId {}

impl Hash for NodeId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.creation.hash(state);
        self.0.name.hash(state);
    }
}

/// By name, then creation, as Erlang's term order compares the nodes of identifiers.
impl Ord for NodeId {
    fn cmp(&self, other: &NodeId) -> Ordering {
        if Arc::ptr_eq(&self.0, &other.0) {
            return Ordering::Equal;
        }
        self.name().cmp(other.name()).then(self.creation().cmp(&other.creation()))
    }
}

impl PartialOrd for NodeId {
    fn partial_cmp(&self, other: &NodeId) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.name(), self.creation())
    }
}

/// A process identifier. Works the same near and far: as a key, in a message, as an address.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Pid {
    /// The incarnation of the node on which the process lives.
    pub node: NodeId,
    /// The first number of the process on its node.
    pub id: u32,
    /// The second number of the process on its node.
    pub serial: u32,
}

/// By serial, id, node name and creation, in this order: Erlang's term order of pids.
impl Ord for Pid {
    fn cmp(&self, other: &Pid) -> Ordering {
        (self.serial, self.id).cmp(&(other.serial, other.id)).then_with(|| self.node.cmp(&other.node))
    }
}

impl PartialOrd for Pid {
    fn partial_cmp(&self, other: &Pid) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// `<node@host.84.0>`: for logs, where no node stands by to number the peers.
impl fmt::Display for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}.{}.{}>", self.node.name(), self.id, self.serial)
    }
}

impl fmt::Debug for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A port identifier.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Port {
    /// The incarnation of the node that opened the port.
    pub node: NodeId,
    /// The number of the port on its node.
    pub id: u64,
}

/// By node name, creation, then id: Erlang's term order of ports.
impl Ord for Port {
    fn cmp(&self, other: &Port) -> Ordering {
        self.node.cmp(&other.node).then(self.id.cmp(&other.id))
    }
}

impl PartialOrd for Port {
    fn partial_cmp(&self, other: &Port) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Debug for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#Port<{}.{}>", self.node.name(), self.id)
    }
}

/// The most words a reference has (OTP 27 uses five for aliases).
pub const REF_WORDS_MAX: usize = 5;

/// A reference: unique on its node for the node's life.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Ref(Arc<RefParts>);

#[derive(PartialEq, Eq, Hash)]
struct RefParts {
    node: NodeId,
    length: u8,
    words: [u32; REF_WORDS_MAX],
}

impl Ref {
    /// A reference made of `words`, in the order they have on the wire; `None` unless there are 1 to 5.
    pub fn new(node: NodeId, words: &[u32]) -> Option<Ref> {
        if words.is_empty() || words.len() > REF_WORDS_MAX {
            return None;
        }
        let mut all = [0; REF_WORDS_MAX];
        all[..words.len()].copy_from_slice(words);
        Some(Ref(Arc::new(RefParts { node, length: words.len() as u8, words: all })))
    }

    /// The incarnation of the node that made the reference.
    pub fn node(&self) -> &NodeId {
        &self.0.node
    }

    /// The words of the reference, in the order they have on the wire.
    pub fn words(&self) -> &[u32] {
        &self.0.words[..self.0.length as usize]
    }
}

/// By node name, creation, then words from the last to the first, missing high words counting as zero.
impl Ord for Ref {
    fn cmp(&self, other: &Ref) -> Ordering {
        if Arc::ptr_eq(&self.0, &other.0) {
            return Ordering::Equal;
        }
        self.0.node.cmp(&other.0.node).then_with(|| self.0.words.iter().rev().cmp(other.0.words.iter().rev()))
    }
}

impl PartialOrd for Ref {
    fn partial_cmp(&self, other: &Ref) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Debug for Ref {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#Ref<{}", self.node().name())?;
        self.words().iter().rev().try_for_each(|word| write!(f, ".{word}"))?;
        f.write_str(">")
    }
}
