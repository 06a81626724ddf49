//! The local registry: one process a name, one name a process.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use term::{Atom, Pid};

use crate::node::Node;
use crate::table::Life;

/// Names of this node.
#[derive(Default)]
pub(crate) struct Names(RwLock<BTreeMap<Atom, Pid>>);

/// Why a name was not registered: all of them are `badarg` in Erlang.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RegisterError {
    /// Another process has the name; unregister it first.
    #[error("the name is taken")]
    NameTaken,
    /// The process has a name already; a process has one at most.
    #[error("the process has a name already")]
    HasName,
    /// There is no such process on this node.
    #[error("no such process on this node")]
    NoProcess,
    /// `undefined` is what `whereis` says for nobody.
    #[error("`undefined` cannot be a name")]
    Undefined,
}

impl Names {
    pub(crate) fn whereis(&self, name: &Atom) -> Option<Pid> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    pub(crate) fn all(&self) -> Vec<Atom> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    /// Takes the name away from `pid`, if it is the one who has it.
    pub(crate) fn forget(&self, name: &Atom, pid: &Pid) {
        let mut names = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if names.get(name) == Some(pid) {
            names.remove(name);
        }
    }
}

impl Node {
    /// Gives the process a name.
    ///
    /// # Errors
    /// When the name or the process is not free for it.
    pub fn register(&self, name: impl Into<Atom>, pid: &Pid) -> Result<(), RegisterError> {
        let name = name.into();
        if name == "undefined" {
            return Err(RegisterError::Undefined);
        }
        let process = self.process(pid).ok_or(RegisterError::NoProcess)?;
        let mut names = self.names().0.write().unwrap_or_else(PoisonError::into_inner);
        if names.contains_key(&name) {
            return Err(RegisterError::NameTaken);
        }
        let mut state = process.state();
        if state.name.is_some() {
            return Err(RegisterError::HasName);
        }
        // A process that ends first says so in the table and then gives up its name: one of us sees the other.
        let alive = self.table().find(process.seat()).is_some_and(|body| body.life == Life::Alive);
        if !alive {
            return Err(RegisterError::NoProcess);
        }
        state.name = Some(name.clone());
        names.insert(name, pid.clone());
        Ok(())
    }

    /// Takes the name back; whether somebody had it.
    pub fn unregister(&self, name: impl Into<Atom>) -> bool {
        let name = name.into();
        let Some(pid) = self.names().0.write().unwrap_or_else(PoisonError::into_inner).remove(&name) else {
            return false;
        };
        if let Some(process) = self.process(&pid) {
            let mut state = process.state();
            if state.name.as_ref() == Some(&name) {
                state.name = None;
            }
        }
        true
    }

    /// Who has the name.
    pub fn whereis(&self, name: impl Into<Atom>) -> Option<Pid> {
        self.names().whereis(&name.into())
    }

    /// All names, in the order of atoms.
    pub fn registered(&self) -> Vec<Atom> {
        self.names().all()
    }
}
