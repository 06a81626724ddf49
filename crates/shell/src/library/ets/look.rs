//! `ets`: reading by key, one key after the other, and what a table tells of itself.

use trunkline::term::Term;

use super::store::{Kind, Table, weigh};
use super::{Access, with};
use crate::library::Row;
use crate::library::args::{atom, boolean, items, size};
use crate::machine::Machine;
use crate::machine::code::After;
use crate::machine::code::Native::Step;
use crate::raise::{Raise, Result};
use crate::world::World;

pub(super) const TABLE: &[Row] = &[
    ("lookup", 2, Step(|m, w, a| read(m, w, &a[0], |table| Ok(Term::list(table.get(&a[1]).to_vec()))))),
    ("member", 2, Step(|m, w, a| read(m, w, &a[0], |table| Ok(boolean(!table.get(&a[1]).is_empty()))))),
    (
        "lookup_element",
        3,
        Step(|m, w, a| read(m, w, &a[0], |table| element(table, &a)?.ok_or_else(Raise::badarg))),
    ),
    (
        "lookup_element",
        4,
        Step(|m, w, a| read(m, w, &a[0], |table| Ok(element(table, &a)?.unwrap_or_else(|| a[3].clone())))),
    ),
    ("tab2list", 1, Step(|m, w, a| read(m, w, &a[0], |table| Ok(Term::list(table.objects().cloned()))))),
    ("first", 1, Step(|m, w, a| read(m, w, &a[0], |table| Ok(key(table.end(false)))))),
    ("last", 1, Step(|m, w, a| read(m, w, &a[0], |table| Ok(key(table.end(true)))))),
    ("next", 2, Step(|m, w, a| read(m, w, &a[0], |table| beside(table, &a[1], false).map(key)))),
    ("prev", 2, Step(|m, w, a| read(m, w, &a[0], |table| beside(table, &a[1], true).map(key)))),
    ("first_lookup", 1, Step(|m, w, a| read(m, w, &a[0], |table| Ok(both(table.end(false)))))),
    ("last_lookup", 1, Step(|m, w, a| read(m, w, &a[0], |table| Ok(both(table.end(true)))))),
    ("next_lookup", 2, Step(|m, w, a| read(m, w, &a[0], |table| beside(table, &a[1], false).map(both)))),
    ("prev_lookup", 2, Step(|m, w, a| read(m, w, &a[0], |table| beside(table, &a[1], true).map(both)))),
    ("slot", 2, Step(|m, w, a| read(m, w, &a[0], |table| slot(table, size(&a[1])?)))),
    ("info", 1, Step(|m, w, a| told(m, w, &a[0], |table, w| Ok(Term::list(all(table, w)))))),
    ("info", 2, Step(|m, w, a| told(m, w, &a[0], |table, w| one(table, w, &a[1])))),
];

fn read(
    machine: &Machine,
    world: &mut dyn World,
    table: &Term,
    f: impl FnOnce(&Table) -> Result<Term>,
) -> Result<After> {
    with(machine, world, table, Access::Read, |table, _| f(table)).map(After::Value)
}

fn end_of_table() -> Term {
    Term::atom("$end_of_table")
}

fn key(found: Option<(&Term, &[Term])>) -> Term {
    found.map_or_else(end_of_table, |(key, _)| key.clone())
}

fn both(found: Option<(&Term, &[Term])>) -> Term {
    found.map_or_else(end_of_table, |(key, objects)| Term::tuple([key.clone(), Term::list(objects.to_vec())]))
}

/// In a table without order a key must be there, unless the table is fixed: then it may just have been deleted.
fn beside<'a>(table: &'a Table, key: &Term, before: bool) -> Result<Option<(&'a Term, &'a [Term])>> {
    if table.kind != Kind::OrderedSet && table.fixed.is_empty() && table.get(key).is_empty() {
        return Err(Raise::badarg());
    }
    Ok(table.beside(key, before && table.kind == Kind::OrderedSet))
}

fn element(table: &Table, a: &[Term]) -> Result<Option<Term>> {
    let at = size(&a[2])?.checked_sub(1).ok_or_else(Raise::badarg)?;
    let of = |object: &Term| object.as_tuple().and_then(|o| o.get(at).cloned()).ok_or_else(Raise::badarg);
    let objects = table.get(&a[1]);
    if table.kind.is_bag() && !objects.is_empty() {
        // The newest first, as OTP has it.
        return Ok(Some(Term::list(objects.iter().rev().map(of).collect::<Result<Vec<_>>>()?)));
    }
    objects.first().map(of).transpose()
}

fn slot(table: &Table, at: usize) -> Result<Term> {
    match table.nth(at) {
        Some(objects) => Ok(Term::list(objects.to_vec())),
        None if at == table.keys() => Ok(end_of_table()),
        None => Err(Raise::badarg()),
    }
}

fn told(
    machine: &Machine,
    world: &mut dyn World,
    table: &Term,
    f: impl FnOnce(&Table, &Term) -> Result<Term>,
) -> Result<After> {
    super::atom_or_ref(table)?;
    let node = Term::Atom(world.node());
    let there = super::tables(machine).find(world, table)?;
    let Some(tid) = there else { return Ok(After::Value(Term::atom("undefined"))) };
    with(machine, world, &Term::Ref(tid), Access::Info, |table, _| f(table, &node)).map(After::Value)
}

fn flag(table: &Table, name: &str) -> Term {
    let set = table.flags.iter().rev().find(|(this, _)| *this == name);
    set.map_or_else(|| boolean(false), |(_, value)| value.clone())
}

fn all(table: &Table, node: &Term) -> Vec<Term> {
    const KEYS: &[&str] = &[
        "id",
        "decentralized_counters",
        "read_concurrency",
        "write_concurrency",
        "compressed",
        "memory",
        "owner",
        "heir",
        "name",
        "size",
        "node",
        "named_table",
        "type",
        "keypos",
        "protection",
    ];
    let pair = |key: &&str| item(table, node, key).map(|value| Term::tuple([Term::atom(key), value]));
    KEYS.iter().filter_map(pair).collect()
}

fn item(table: &Table, node: &Term, key: &str) -> Option<Term> {
    Some(match key {
        "id" => Term::Ref(table.tid.clone()),
        "memory" => Term::Int((table.bytes / 8 + 128) as i64),
        "owner" => Term::Pid(table.owner.clone()),
        "heir" => table.heir.as_ref().map_or_else(|| Term::atom("none"), |(heir, _)| Term::Pid(heir.clone())),
        "name" => Term::Atom(table.name.clone()),
        "size" => Term::Int(table.size as i64),
        "node" => node.clone(),
        "named_table" => boolean(table.named),
        "type" => Term::atom(table.kind.as_str()),
        "keypos" => Term::Int(table.keypos as i64),
        "protection" => Term::atom(table.protection.as_str()),
        "fixed" => boolean(!table.fixed.is_empty()),
        "safe_fixed" | "safe_fixed_monotonic_time" => {
            if table.fixed.is_empty() {
                return Some(boolean(false));
            }
            let fixed = table.fixed.iter();
            let fixed =
                fixed.map(|(pid, count)| Term::tuple([Term::Pid(pid.clone()), Term::Int(*count as i64)]));
            Term::tuple([Term::Int(0), Term::list(fixed)])
        }
        "binary" => Term::NIL,
        "stats" => Term::tuple([Term::Int(table.keys() as i64), Term::Int(weigh(node) as i64)]),
        "decentralized_counters" | "read_concurrency" | "write_concurrency" | "compressed" => {
            flag(table, key)
        }
        _ => return None,
    })
}

fn one(table: &Table, node: &Term, what: &Term) -> Result<Term> {
    if let Term::List(_) = what {
        let one =
            |key: &Term| -> Result<Term> { Ok(Term::tuple([key.clone(), self::one(table, node, key)?])) };
        return Ok(Term::list(items(what)?.iter().map(one).collect::<Result<Vec<_>>>()?));
    }
    item(table, node, atom(what)?.as_str()).ok_or_else(Raise::badarg)
}
