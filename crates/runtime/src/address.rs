//! Whom one can send to.

use term::{Atom, Pid, Ref};

/// A receiver: a process, a name, a name on a node, an alias.
#[derive(Clone, Debug)]
pub enum To<'a> {
    /// A process.
    Pid(Pid),
    /// A process, borrowed.
    PidRef(&'a Pid),
    /// A name registered on this node.
    Name(Atom),
    /// A name registered on a node: `{Name, Node}`.
    NameAt(Atom, Atom),
    /// A process alias.
    Alias(Ref),
    /// A process alias, borrowed.
    AliasRef(&'a Ref),
}

impl From<Pid> for To<'_> {
    fn from(pid: Pid) -> Self {
        To::Pid(pid)
    }
}

impl<'a> From<&'a Pid> for To<'a> {
    fn from(pid: &'a Pid) -> Self {
        To::PidRef(pid)
    }
}

impl From<Atom> for To<'_> {
    fn from(name: Atom) -> Self {
        To::Name(name)
    }
}

impl From<&Atom> for To<'_> {
    fn from(name: &Atom) -> Self {
        To::Name(name.clone())
    }
}

impl From<&str> for To<'_> {
    fn from(name: &str) -> Self {
        To::Name(Atom::new(name))
    }
}

impl From<(Atom, Atom)> for To<'_> {
    fn from((name, node): (Atom, Atom)) -> Self {
        To::NameAt(name, node)
    }
}

impl From<(&str, &str)> for To<'_> {
    fn from((name, node): (&str, &str)) -> Self {
        To::NameAt(Atom::new(name), Atom::new(node))
    }
}

impl From<(&str, &Atom)> for To<'_> {
    fn from((name, node): (&str, &Atom)) -> Self {
        To::NameAt(Atom::new(name), node.clone())
    }
}

impl From<Ref> for To<'_> {
    fn from(alias: Ref) -> Self {
        To::Alias(alias)
    }
}

impl<'a> From<&'a Ref> for To<'a> {
    fn from(alias: &'a Ref) -> Self {
        To::AliasRef(alias)
    }
}
