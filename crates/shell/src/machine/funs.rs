//! Funs: made here, or come from elsewhere as abstract clauses with bindings.

use std::collections::BTreeMap;
use std::sync::Arc;

use trunkline::Atom;
use trunkline::term::{Fun, Map, Term};

use super::code::Proto;
use super::{Machine, Module};
use crate::compile::Compiler;
use crate::limits::FUNS_REMEMBERED_MAX;
use crate::raise::{Raise, Result};

/// The code of a fun, with what it closes over.
pub(super) struct Closure {
    pub(super) proto: Arc<Proto>,
    pub(super) values: Vec<Term>,
    pub(super) module: Option<Arc<Module>>,
}

/// Clauses, what is bound, records.
pub(crate) type Source =
    (Arc<Vec<crate::ast::Clause>>, BTreeMap<Atom, Term>, BTreeMap<Atom, crate::parser::Record>);

/// How OTP 25 numbers the funs of `erl_eval`: a fun made here is one of its to it.
pub(crate) const ERL_EVAL_UNIQ: [u8; 16] =
    [6, 83, 97, 170, 70, 21, 144, 209, 189, 241, 235, 98, 209, 166, 235, 8];
pub(crate) const ERL_EVAL_OLD_UNIQ: i64 = 3_316_493;

impl Machine {
    /// A fun of the running code.
    pub(super) fn make_fun(&mut self, proto: &Arc<Proto>) -> Term {
        let base = self.now.base;
        let values: Vec<Term> = proto
            .captures
            .iter()
            .map(|(_, outside, _)| self.slots[base + *outside as usize].clone())
            .collect();
        let module = self.now.module.clone();
        let arity = proto.code.arity;
        let fun = match (&module, proto.index) {
            (Some(module), Some(index)) => Fun {
                arity,
                uniq: module.md5,
                index,
                module: module.name.clone(),
                old_index: index.into(),
                old_uniq: i64::from(u32::from_be_bytes([0, module.md5[0], module.md5[1], module.md5[2]])),
                creator: self.around.pid.clone(),
                free: values.clone(),
            },
            _ => {
                let index = if proto.name.is_some() { 20 } else { 43 } - u32::from(arity.min(20));
                Fun {
                    arity,
                    uniq: ERL_EVAL_UNIQ,
                    index,
                    module: Atom::new("erl_eval"),
                    old_index: index.into(),
                    old_uniq: ERL_EVAL_OLD_UNIQ,
                    creator: self.around.pid.clone(),
                    free: vec![environment(proto, &values)],
                }
            }
        };
        let fun = Arc::new(fun);
        if proto.index.is_none() {
            let closure = Arc::new(Closure { proto: proto.clone(), values, module: None });
            self.remember(&fun, closure);
        }
        Term::Fun(fun)
    }

    fn remember(&mut self, fun: &Arc<Fun>, closure: Arc<Closure>) {
        if self.funs.len() >= FUNS_REMEMBERED_MAX {
            self.funs.retain(|_, (fun, _)| Arc::strong_count(fun) > 1);
            if self.funs.len() >= FUNS_REMEMBERED_MAX / 2 {
                self.funs.clear();
            }
        }
        self.funs.insert(Arc::as_ptr(fun) as usize, (fun.clone(), closure));
    }

    /// The clauses of a fun as they stand in its source, what it closes over, and the records of its module.
    pub(crate) fn source_of(&mut self, fun: &Arc<Fun>) -> Result<Source> {
        let closure = self.closure(fun)?;
        let names = closure.proto.captures.iter().map(|(name, ..)| name.clone());
        let bound = names.zip(closure.values.iter().cloned()).collect();
        let records = closure.module.as_ref().map(|module| module.records.clone()).unwrap_or_default();
        Ok((closure.proto.clauses.clone(), bound, records))
    }

    /// The code of a fun.
    pub(super) fn closure(&mut self, fun: &Arc<Fun>) -> Result<Arc<Closure>> {
        if let Some((_, closure)) = self.funs.get(&(Arc::as_ptr(fun) as usize)) {
            return Ok(closure.clone());
        }
        let bad = || Raise::with("badfun", Term::Fun(fun.clone()));
        let closure = if fun.module == *"erl_eval" {
            arrived(&self.vm, fun).ok_or_else(bad)?
        } else {
            let module = self.vm.module(&fun.module).or_else(|| self.vm.own(&fun.module));
            let module = module.filter(|module| module.md5 == fun.uniq).ok_or_else(bad)?;
            let proto = module.funs.get(fun.index as usize).cloned().ok_or_else(bad)?;
            if proto.captures.len() != fun.free.len() || proto.code.arity != fun.arity {
                return Err(bad());
            }
            Closure { proto, values: fun.free.clone(), module: Some(module) }
        };
        let closure = Arc::new(closure);
        self.remember(fun, closure.clone());
        Ok(closure)
    }
}

/// What `erl_eval` keeps with a fun: `{Anno, Bindings, Lf, Ef, FunUsedVars, Clauses}`, and its name.
fn environment(proto: &Arc<Proto>, values: &[Term]) -> Term {
    let bindings = proto
        .captures
        .iter()
        .zip(values)
        .map(|((name, ..), value)| Term::tuple([Term::Atom(name.clone()), value.clone()]));
    let clauses = proto.written.get_or_init(|| crate::abstract_form::write_clauses(&proto.clauses));
    let none = Term::atom("none");
    let mut parts = vec![
        proto.loc.to_term(),
        Term::list(bindings),
        none.clone(),
        none,
        Term::Map(Map::default()),
        clauses.clone(),
    ];
    parts.extend(proto.name.as_ref().map(|(name, _)| Term::Atom(name.clone())));
    Term::Tuple(parts.into())
}

/// A fun of `erl_eval`, of whatever release: what it brings along, read and compiled.
fn arrived(vm: &crate::vm::Vm, fun: &Fun) -> Option<Closure> {
    let parts = fun.free.first()?.as_tuple()?;
    // From OTP 25 on the place comes first and the variables of inner funs before the clauses.
    let (bindings, clauses, name, loc) = match parts {
        [loc, bindings, _, _, _, clauses] => (bindings, clauses, None, crate::abstract_form::read_loc(loc)),
        [loc, bindings, _, _, _, clauses, name] => {
            (bindings, clauses, Some(name.as_atom()?), crate::abstract_form::read_loc(loc))
        }
        [bindings, _, _, clauses] => (bindings, clauses, None, Default::default()),
        [bindings, _, _, clauses @ Term::List(_), name] => {
            (bindings, clauses, Some(name.as_atom()?), Default::default())
        }
        [bindings, _, _, _, clauses] => (bindings, clauses, None, Default::default()),
        _ => return None,
    };
    let bound: BTreeMap<String, (Atom, Term)> = match bindings {
        Term::Map(map) => pairs(map.pairs().iter().cloned())?,
        Term::List(list) => {
            let items: Option<Vec<(Term, Term)>> = list
                .iter()
                .map(|pair| match pair.as_tuple() {
                    Some([name, value]) => Some((name.clone(), value.clone())),
                    _ => None,
                })
                .collect();
            pairs(items?.into_iter())?
        }
        _ => return None,
    };
    let clauses = Arc::new(crate::abstract_form::read_clauses(clauses).ok()?);
    let names: Vec<Atom> = bound.values().map(|(name, _)| name.clone()).collect();
    let proto = Compiler::alone(&vm.library).arrived(loc, name, &clauses, &names).ok()?;
    if proto.code.arity != fun.arity {
        return None;
    }
    let values = proto.captures.iter().map(|(name, ..)| Some(bound.get(name.as_str())?.1.clone()));
    let values = values.collect::<Option<Vec<Term>>>()?;
    Some(Closure { proto, values, module: None })
}

fn pairs(pairs: impl Iterator<Item = (Term, Term)>) -> Option<BTreeMap<String, (Atom, Term)>> {
    // Besides variables there can be records, as `{record, Index, Name}`: not needed, they were expanded.
    let named = pairs.filter_map(|(name, value)| {
        let name = name.as_atom()?.clone();
        Some((name.as_str().to_owned(), (name, value)))
    });
    Some(named.collect())
}
