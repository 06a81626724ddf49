//! The tables of a node: whose they are, who may read and write them, and what they may cost.

use std::collections::BTreeMap;
use std::sync::{MutexGuard, PoisonError};

use trunkline::term::Term;
use trunkline::{Atom, Pid, Ref};

use super::spec::Here;
use super::store::Table;
use crate::limits::{ETS_BYTES_MAX, ETS_TABLES_MAX};
use crate::machine::Machine;
use crate::raise::{Raise, Result};
use crate::world::World;

/// All tables.
#[derive(Default)]
pub(crate) struct Tables {
    all: BTreeMap<Ref, Table>,
    names: BTreeMap<Atom, Ref>,
    /// Bytes of all objects.
    bytes: usize,
}

/// What is asked of a table.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Write,
    /// What only the owner may.
    Own,
    /// What everybody may know.
    Info,
}

/// The tables, for a moment.
pub(super) fn tables(machine: &Machine) -> MutexGuard<'_, Tables> {
    machine.vm.tables.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn here(world: &dyn World) -> Here {
    Here { pid: world.pid(), node: world.node() }
}

/// Does something with a table; `f` is told how many bytes there is room for.
pub(super) fn with<T>(
    machine: &Machine,
    world: &mut dyn World,
    table: &Term,
    access: Access,
    f: impl FnOnce(&mut Table, usize) -> Result<T>,
) -> Result<T> {
    let mut tables = tables(machine);
    let tid = tables.find(world, table)?.ok_or_else(|| Raise::caused("id"))?;
    let room = ETS_BYTES_MAX.saturating_sub(tables.bytes);
    let table = tables.all.get_mut(&tid).ok_or_else(|| Raise::caused("id"))?;
    let mine = table.owner == world.pid();
    let allowed = match access {
        Access::Read => mine || table.protection != super::store::Protection::Private,
        Access::Write => mine || table.protection == super::store::Protection::Public,
        Access::Own => mine,
        Access::Info => true,
    };
    if !allowed {
        return Err(Raise::caused("access"));
    }
    let before = table.bytes;
    let value = f(table, room);
    let after = table.bytes;
    tables.bytes = (tables.bytes + after).saturating_sub(before);
    value
}

impl Tables {
    /// The table of this name or reference. Tables of processes that are gone are not there any more.
    pub(super) fn find(&mut self, world: &mut dyn World, table: &Term) -> Result<Option<Ref>> {
        // Twice: an heir can be gone as well.
        for _ in 0..=self.all.len() {
            let tid = match table {
                Term::Atom(name) => self.names.get(name).cloned(),
                Term::Ref(tid) => Some(tid.clone()),
                _ => return Err(Raise::badarg()),
            };
            let Some(found) = tid.and_then(|tid| self.all.get(&tid)) else { return Ok(None) };
            let owner = found.owner.clone();
            if owner == world.pid() || world.is_alive(&owner) {
                return Ok(Some(found.tid.clone()));
            }
            self.bury(world, &owner);
        }
        Ok(None)
    }

    /// The tables of a process that is gone go to their heirs, or for ever.
    pub(super) fn bury(&mut self, world: &mut dyn World, gone: &Pid) {
        let theirs: Vec<Ref> =
            self.all.values().filter(|table| table.owner == *gone).map(|table| table.tid.clone()).collect();
        for tid in theirs {
            let Some(table) = self.all.get_mut(&tid) else { continue };
            match table.heir.clone().filter(|(heir, _)| heir != gone && world.is_alive(heir)) {
                Some((heir, data)) => {
                    table.owner = heir.clone();
                    let letter = [Term::atom("ETS-TRANSFER"), table.handle(), Term::Pid(gone.clone()), data];
                    let _ = world.send(&Term::Pid(heir), Term::tuple(letter), &Term::NIL);
                }
                None => self.discard(&tid),
            }
        }
    }

    pub(super) fn discard(&mut self, tid: &Ref) {
        let Some(table) = self.all.remove(tid) else { return };
        self.bytes = self.bytes.saturating_sub(table.bytes);
        if table.named {
            self.names.remove(&table.name);
        }
    }

    /// Adds a table; whether it is the first of its owner.
    pub(super) fn add(&mut self, table: Table) -> Result<bool> {
        if self.all.len() >= ETS_TABLES_MAX {
            return Err(Raise::named("system_limit"));
        }
        if table.named {
            if self.names.contains_key(&table.name) {
                return Err(Raise::badarg());
            }
            self.names.insert(table.name.clone(), table.tid.clone());
        }
        let first = !self.owns(&table.owner);
        self.all.insert(table.tid.clone(), table);
        Ok(first)
    }

    pub(super) fn owns(&self, pid: &Pid) -> bool {
        self.all.values().any(|table| table.owner == *pid)
    }

    pub(super) fn rename(&mut self, tid: &Ref, name: Atom) -> Result<Term> {
        let table = self.all.get_mut(tid).ok_or_else(Raise::badarg)?;
        if table.named {
            if self.names.contains_key(&name) && table.name != name {
                return Err(Raise::badarg());
            }
            self.names.remove(&table.name);
            self.names.insert(name.clone(), tid.clone());
        }
        table.name = name;
        Ok(table.handle())
    }

    pub(super) fn owners(&self) -> Vec<Pid> {
        self.all.values().map(|table| table.owner.clone()).collect()
    }

    pub(super) fn handles(&self) -> Vec<Term> {
        self.all.values().map(Table::handle).collect()
    }
}
