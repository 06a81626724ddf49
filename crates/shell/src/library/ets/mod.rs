//! `ets`: tables in memory that belong to the node and are owned by processes.

mod change;
mod fun2ms;
mod look;
mod spec;
mod store;
mod tables;
mod walk;

use trunkline::term::Term;
use trunkline::{Atom, Pid};

use super::Row;
use super::args::{atom, boolean, items, size};
use crate::machine::Machine;
use crate::machine::code::After;
use crate::machine::code::Native::Step;
use crate::raise::{Raise, Result};
use crate::world::World;
use spec::Spec;
pub(super) use store::weigh;
use store::{Kind, Protection, Table};
pub(crate) use tables::Tables;
use tables::{Access, here, tables, with};

pub(super) const LOOK: &[Row] = look::TABLE;
pub(super) const CHANGE: &[Row] = change::TABLE;
pub(super) const WALK: &[Row] = walk::TABLE;

/// Tables themselves.
pub(super) const TABLE: &[Row] = &[
    ("new", 2, Step(|machine, world, a| new(machine, world, &a))),
    (
        "delete",
        1,
        Step(|machine, world, a| {
            let tid = with(machine, world, &a[0], Access::Write, |table, _| Ok(table.tid.clone()))?;
            tables(machine).discard(&tid);
            yes()
        }),
    ),
    (
        "rename",
        2,
        Step(|machine, world, a| {
            let name = atom(&a[1])?.clone();
            let tid = with(machine, world, &a[0], Access::Write, |table, _| Ok(table.tid.clone()))?;
            tables(machine).rename(&tid, name).map(After::Value)
        }),
    ),
    (
        "all",
        0,
        Step(|machine, world, _| {
            let owners = tables(machine).owners();
            for owner in owners {
                if owner != world.pid() && !world.is_alive(&owner) {
                    tables(machine).bury(world, &owner);
                }
            }
            Ok(After::Value(Term::list(tables(machine).handles())))
        }),
    ),
    (
        "whereis",
        1,
        Step(|machine, world, a| {
            atom_or_ref(&a[0])?;
            let found = tables(machine).find(world, &a[0])?;
            Ok(After::Value(found.map_or_else(|| Term::atom("undefined"), Term::Ref)))
        }),
    ),
    (
        "give_away",
        3,
        Step(|machine, world, mut a| {
            let data = a.pop().unwrap_or(Term::NIL);
            let Term::Pid(to) = a[1].clone() else { return Err(Raise::badarg()) };
            let from = world.pid();
            if to == from || to.node != from.node || !world.is_alive(&to) {
                return Err(Raise::badarg());
            }
            let known = tables(machine).owns(&to);
            let handle = with(machine, world, &a[0], Access::Own, |table, _| {
                table.owner = to.clone();
                Ok(table.handle())
            })?;
            let letter = [Term::atom("ETS-TRANSFER"), handle, Term::Pid(from), data];
            world.send(&a[1], Term::tuple(letter), &Term::NIL)?;
            Ok(watched(!known, boolean(true), &to))
        }),
    ),
    (
        "setopts",
        2,
        Step(|machine, world, a| {
            let all = match &a[1] {
                Term::List(_) => items(&a[1])?,
                one => vec![one.clone()],
            };
            let heirs = all.iter().map(heir).collect::<Result<Vec<_>>>()?;
            with(machine, world, &a[0], Access::Own, |table, _| {
                if let Some(heir) = heirs.last() {
                    table.heir = heir.clone();
                }
                Ok(())
            })?;
            yes()
        }),
    ),
    (
        "safe_fixtable",
        2,
        Step(|machine, world, a| {
            let fix = match atom(&a[1])?.as_str() {
                "true" => true,
                "false" => false,
                _ => return Err(Raise::badarg()),
            };
            let me = world.pid();
            with(machine, world, &a[0], Access::Read, |table, _| {
                table.fix(&me, fix);
                Ok(())
            })?;
            yes()
        }),
    ),
    // What the process that watches an owner calls when the owner is gone.
    (
        "-gone",
        1,
        Step(|machine, world, a| {
            if let Term::Pid(pid) = &a[0]
                && !world.is_alive(pid)
            {
                tables(machine).bury(world, pid);
            }
            yes()
        }),
    ),
];

fn yes() -> Result<After> {
    Ok(After::Value(boolean(true)))
}

fn atom_or_ref(term: &Term) -> Result<()> {
    if matches!(term, Term::Atom(_) | Term::Ref(_)) { Ok(()) } else { Err(Raise::badarg()) }
}

/// A value; first a process is started that watches the new owner, unless there is one.
fn watched(first: bool, value: Term, owner: &Pid) -> After {
    if first {
        After::Mfa(Atom::new("ets"), Atom::new("-watch"), vec![value, Term::Pid(owner.clone())])
    } else {
        After::Value(value)
    }
}

fn new(machine: &Machine, world: &mut dyn World, a: &[Term]) -> Result<After> {
    let (name, options) = (atom(&a[0])?.clone(), items(&a[1])?);
    let owner = world.pid();
    let mut table = Table::new(world.make_ref(), name, owner.clone());
    for option in &options {
        table.option(option)?;
    }
    let handle = table.handle();
    let mut tables = tables(machine);
    // The name can be that of a table whose owner is gone.
    tables.find(world, &handle)?;
    let first = tables.add(table)?;
    Ok(watched(first, handle, &owner))
}

/// `{heir, Pid, Data}` or `{heir, none}`.
fn heir(option: &Term) -> Result<Option<(Pid, Term)>> {
    match option.as_tuple() {
        Some([tag, none]) if tag.is_atom("heir") && none.is_atom("none") => Ok(None),
        Some([tag, Term::Pid(heir), data]) if tag.is_atom("heir") => Ok(Some((heir.clone(), data.clone()))),
        _ => Err(Raise::badarg()),
    }
}

impl Table {
    fn option(&mut self, option: &Term) -> Result<()> {
        if let Term::Atom(word) = option {
            match word.as_str() {
                "set" => self.kind = Kind::Set,
                "ordered_set" => self.kind = Kind::OrderedSet,
                "bag" => self.kind = Kind::Bag,
                "duplicate_bag" => self.kind = Kind::DuplicateBag,
                "public" => self.protection = Protection::Public,
                "protected" => self.protection = Protection::Protected,
                "private" => self.protection = Protection::Private,
                "named_table" => self.named = true,
                "compressed" => self.flags.push(("compressed", boolean(true))),
                _ => return Err(Raise::badarg()),
            }
            return Ok(());
        }
        let Some([tag, value, ..]) = option.as_tuple() else { return Err(Raise::badarg()) };
        let truth = value.is_atom("true") || value.is_atom("false");
        match atom(tag)?.as_str() {
            "keypos" => {
                self.keypos = size(value)?;
                if self.keypos == 0 {
                    return Err(Raise::badarg());
                }
            }
            "heir" => self.heir = heir(option)?,
            "read_concurrency" if truth => self.flags.push(("read_concurrency", value.clone())),
            "write_concurrency" if truth || value.is_atom("auto") => {
                self.flags.push(("write_concurrency", value.clone()));
            }
            "decentralized_counters" if truth => self.flags.push(("decentralized_counters", value.clone())),
            _ => return Err(Raise::badarg()),
        }
        Ok(())
    }

    /// Fixes for this process once more, or once less.
    fn fix(&mut self, pid: &Pid, on: bool) {
        let at = self.fixed.iter().position(|(this, _)| this == pid);
        match (on, at) {
            (true, Some(at)) => self.fixed[at].1 += 1,
            (true, None) => self.fixed.push((pid.clone(), 1)),
            (false, Some(at)) if self.fixed[at].1 > 1 => self.fixed[at].1 -= 1,
            (false, Some(at)) => {
                self.fixed.remove(at);
            }
            (false, None) => {}
        }
    }
}

/// A match specification as an argument.
fn specification(term: &Term) -> Result<Spec> {
    if let Some([tag, inner]) = term.as_tuple()
        && tag.is_atom(COMPILED)
    {
        return Spec::read(inner).map_err(|_| Raise::badarg());
    }
    Spec::read(term).map_err(|_| Raise::badarg())
}

/// What `match_spec_compile/1` gives is marked so.
const COMPILED: &str = "$compiled_ms";

fn pattern(term: &Term, result: &str) -> Result<Spec> {
    Spec::of_pattern(term, result).map_err(|_| Raise::badarg())
}
