//! The members of a group at one moment, and the news of changes.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use term::{FromTerm, IntoTerm, Mismatch, Pid, Ref, Term};

/// The members of a group at one moment, in no particular order; one that joined several times stands there as often.
/// Shared by all who read between two changes: cheap to get, cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct Members(pub(super) Arc<[Pid]>);

impl Deref for Members {
    type Target = [Pid];

    fn deref(&self) -> &[Pid] {
        &self.0
    }
}

impl fmt::Debug for Members {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl IntoIterator for Members {
    type Item = Pid;
    type IntoIter = IntoIter;

    fn into_iter(self) -> IntoIter {
        IntoIter { members: self.0, next: 0 }
    }
}

impl<'a> IntoIterator for &'a Members {
    type Item = &'a Pid;
    type IntoIter = std::slice::Iter<'a, Pid>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl IntoTerm for Members {
    fn into_term(self) -> Term {
        Term::list(self.into_iter().map(Term::Pid))
    }
}

/// The members of a group, one by one. See [`Members`].
#[derive(Clone, Debug)]
pub struct IntoIter {
    members: Arc<[Pid]>,
    next: usize,
}

impl Iterator for IntoIter {
    type Item = Pid;

    fn next(&mut self) -> Option<Pid> {
        let member = self.members.get(self.next)?;
        self.next += 1;
        Some(member.clone())
    }
}

/// One process, or several.
pub trait Pids {
    /// The processes.
    fn into_pids(self) -> Vec<Pid>;
}

impl Pids for &Pid {
    fn into_pids(self) -> Vec<Pid> {
        vec![self.clone()]
    }
}

impl Pids for Pid {
    fn into_pids(self) -> Vec<Pid> {
        vec![self]
    }
}

impl Pids for &[Pid] {
    fn into_pids(self) -> Vec<Pid> {
        self.to_vec()
    }
}

impl<const N: usize> Pids for [Pid; N] {
    fn into_pids(self) -> Vec<Pid> {
        self.into()
    }
}

impl<const N: usize> Pids for &[Pid; N] {
    fn into_pids(self) -> Vec<Pid> {
        self.to_vec()
    }
}

impl Pids for Vec<Pid> {
    fn into_pids(self) -> Vec<Pid> {
        self
    }
}

impl Pids for &Vec<Pid> {
    fn into_pids(self) -> Vec<Pid> {
        self.clone()
    }
}

/// `{Ref, join | leave, Group, Pids}`: what [`monitor`](super::monitor) and [`monitor_scope`](super::monitor_scope) send.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// What the monitor gave back.
    pub reference: Ref,
    /// Whether they came or went.
    pub kind: ChangeKind,
    /// The group.
    pub group: Term,
    /// Who came or went; one that joined or left several times at once stands there as often.
    pub pids: Vec<Pid>,
}

/// Whether processes came to a group or went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// They came.
    Join,
    /// They went: left, ended, or were lost with their node.
    Leave,
}

impl FromTerm for Change {
    fn from_term(term: &Term) -> Result<Change, Mismatch> {
        const SHAPE: Mismatch = Mismatch::expected("{Ref, join | leave, Group, Pids}");
        let Some([Term::Ref(reference), Term::Atom(word), group, Term::List(pids)]) = term.as_tuple() else {
            return Err(SHAPE);
        };
        let kind = match word.as_str() {
            "join" => ChangeKind::Join,
            "leave" => ChangeKind::Leave,
            _ => return Err(SHAPE),
        };
        let pids = pids.iter().map(|pid| pid.as_pid().cloned()).collect::<Option<_>>().ok_or(SHAPE)?;
        Ok(Change { reference: reference.clone(), kind, group: group.clone(), pids })
    }
}
