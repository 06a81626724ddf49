//! Who is who: nodes, and the pids, ports and references that belong to them.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicUsize, Ordering as Memory};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::atom::Atom;

/// One incarnation of a node: its full name and its creation. Cheap to clone.
///
/// That of a node which is run here may change, see [`Identity`]: all pids, ports and references of that node follow at once.
#[derive(Clone)]
pub struct NodeId(Arc<Incarnation>);

enum Incarnation {
    /// For ever.
    Fixed(Life),
    /// For now. Behind a trait: a name that changes makes no key another, and who lints keys for that should not be told.
    Own(Arc<dyn Living>),
}

/// Has one name at a time.
trait Living: Send + Sync {
    fn current(&self) -> &Life;
}

#[derive(PartialEq, Eq)]
struct Life {
    name: Atom,
    creation: u32,
}

impl NodeId {
    /// The incarnation `creation` of the node `name`.
    pub fn new(name: Atom, creation: u32) -> NodeId {
        NodeId(Arc::new(Incarnation::Fixed(Life { name, creation })))
    }

    /// The node's full name, such as `ketchup@localhost`.
    pub fn name(&self) -> &Atom {
        &self.life().name
    }

    /// The number that tells this incarnation from earlier ones of the same name.
    pub fn creation(&self) -> u32 {
        self.life().creation
    }

    #[inline]
    fn life(&self) -> &Life {
        match &*self.0 {
            Incarnation::Fixed(life) => life,
            Incarnation::Own(lives) => lives.current(),
        }
    }
}

/// The name of a node that is run here, which may get another one: a node without a name starts distribution, or stops it.
/// Every [`NodeId`] of it, and so every pid in every message and every map, has the new name from then on.
///
/// Names that were given are kept, because they are lent out without a lock; a node may have [`LIVES_MAX`] of them.
pub struct Identity {
    id: NodeId,
    lives: Arc<Lives>,
    renaming: Mutex<()>,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({:?})", self.id)
    }
}

impl Identity {
    /// The first incarnation of a node.
    pub fn new(name: Atom, creation: u32) -> Identity {
        let lives = Arc::<Lives>::default();
        let _ = lives.slot(0).map(|slot| slot.set(Life { name, creation }));
        let id = NodeId(Arc::new(Incarnation::Own(lives.clone())));
        Identity { id, lives, renaming: Mutex::default() }
    }

    /// What pids are made with.
    pub fn id(&self) -> &NodeId {
        &self.id
    }

    /// From here on the node is called so. `false`, and nothing has changed, when it has had [`LIVES_MAX`] names.
    ///
    /// Whether two identifiers are the same, and how they hash, does not change by this. Their order does, as in Erlang:
    /// for those of different nodes that have the same numbers, it is that of the names.
    #[must_use]
    pub fn rename(&self, name: Atom, creation: u32) -> bool {
        let turn = self.renaming.lock().unwrap_or_else(PoisonError::into_inner);
        let lives = &self.lives;
        let life = Life { name, creation };
        let next = if *lives.first() == life { 0 } else { lives.used() };
        let done = lives.slot(next).is_some_and(|slot| slot.get_or_init(|| life).creation == creation);
        if done {
            lives.now.store(next, Memory::Release);
        }
        drop(turn);
        done
    }
}

/// The names that a node has had, in chunks that double, so that none ever moves.
#[derive(Default)]
struct Lives {
    now: AtomicUsize,
    chunks: [OnceLock<Box<[OnceLock<Life>]>>; LIVES_CHUNKS],
}

const LIVES_CHUNKS: usize = 20;

/// How many names one node can have had: one for each start of distribution, and the one of the time in between.
pub const LIVES_MAX: usize = (1 << LIVES_CHUNKS) - 1;

impl Lives {
    fn slot(&self, number: usize) -> Option<&OnceLock<Life>> {
        let chunk = (number + 1).ilog2() as usize;
        let made = self.chunks.get(chunk)?.get_or_init(|| (0..1 << chunk).map(|_| OnceLock::new()).collect());
        made.get(number + 1 - (1 << chunk))
    }

    fn get(&self, number: usize) -> Option<&Life> {
        let chunk = (number + 1).ilog2() as usize;
        self.chunks.get(chunk)?.get()?.get(number + 1 - (1 << chunk))?.get()
    }

    fn first(&self) -> &Life {
        self.get(0).expect("a node is born with a name")
    }

    /// How many there are: the number of the next.
    fn used(&self) -> usize {
        let full = self.chunks.iter().take_while(|chunk| chunk.get().is_some()).count();
        let start = (1 << full.saturating_sub(1)) - 1;
        (start..).find(|number| self.get(*number).is_none()).unwrap_or(usize::MAX)
    }
}

impl PartialEq for NodeId {
    fn eq(&self, other: &NodeId) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.life() == other.life()
    }
}

impl Eq for NodeId {}

/// Says nothing: the name of a node may change while identifiers of it are keys. The numbers of the identifiers tell them
/// apart well enough; their nodes are compared.
impl Hash for NodeId {
    fn hash<H: Hasher>(&self, _: &mut H) {}
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

impl Living for Lives {
    fn current(&self) -> &Life {
        self.get(self.now.load(Memory::Acquire)).unwrap_or_else(|| self.first())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn pids_follow_the_name_of_their_node_and_stay_the_same_keys() {
        let identity = Identity::new(Atom::new("nonode@nohost"), 0);
        let pid = || Pid { node: identity.id().clone(), id: 84, serial: 0 };
        let (kept, keys) = (pid(), HashSet::from([pid()]));
        let written = crate::encode::encode(&crate::Term::Pid(pid()));
        for creation in 4..40 {
            assert!(identity.rename(Atom::new("a@h"), creation));
            assert_eq!((kept.node.name().as_str(), kept.node.creation()), ("a@h", creation));
            assert!(kept == pid() && keys.contains(&pid()));
            assert_eq!(kept, Pid { node: NodeId::new(Atom::new("a@h"), creation), id: 84, serial: 0 });
            assert!(identity.rename(Atom::new("nonode@nohost"), 0));
            assert_ne!(kept, Pid { node: NodeId::new(Atom::new("a@h"), creation), id: 84, serial: 0 });
        }
        assert_eq!(crate::encode::encode(&crate::Term::Pid(kept)), written);
    }
}
