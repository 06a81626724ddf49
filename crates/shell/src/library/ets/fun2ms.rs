//! `ets:fun2ms/1`: a literal fun read as a match specification.

use std::collections::BTreeMap;

use trunkline::Atom;
use trunkline::term::{List, Map, Term};

use crate::ast::{Body, Clause, Expr, Kind, RecordField};
use crate::lexer::characters;
use crate::library::convert::string;
use crate::library::{guard_bif, operator};
use crate::machine::Machine;
use crate::parser::{Record, normalise};
use crate::raise::{Raise, Result};

/// `{ok, Spec}`, or `{error, Why}` for a fun that is none.
pub(super) fn translated(machine: &mut Machine, fun: &Term) -> Result<Term> {
    let Term::Fun(fun) = fun else { return Err(Raise::named("function_clause")) };
    let (clauses, bound, records) = machine.source_of(fun)?;
    let translation = Translation { bound: &bound, records: &records };
    let mut specs = Vec::new();
    for clause in clauses.iter() {
        match translation.clause(clause) {
            Ok(all) => specs.extend(all),
            Err(why) => return Ok(Term::tuple([Term::atom("error"), string(&why)])),
        }
    }
    Ok(Term::tuple([Term::atom("ok"), Term::list(specs)]))
}

struct Translation<'a> {
    /// What the fun closes over.
    bound: &'a BTreeMap<Atom, Term>,
    records: &'a BTreeMap<Atom, Record>,
}

type Translated<T> = std::result::Result<T, String>;

/// The variables of a head, by name.
#[derive(Default)]
struct Head {
    names: BTreeMap<Atom, Term>,
    count: usize,
}

impl Head {
    fn variable(&mut self, name: &Atom) -> Term {
        if *name == *"_" {
            return Term::atom("_");
        }
        let count = &mut self.count;
        let new = || {
            *count += 1;
            Term::atom(&format!("${count}"))
        };
        self.names.entry(name.clone()).or_insert_with(new).clone()
    }
}

fn call(name: &str, arguments: impl IntoIterator<Item = Term>) -> Term {
    let parts: Vec<Term> = std::iter::once(Term::atom(name)).chain(arguments).collect();
    Term::Tuple(parts.into())
}

impl Translation<'_> {
    /// A clause of the fun: as many clauses as its guard has alternatives.
    fn clause(&self, clause: &Clause) -> Translated<Vec<Term>> {
        const ONE: &str = "ets:fun2ms requires fun with single variable or tuple parameter";
        let mut head = Head::default();
        let [pattern] = clause.patterns.as_slice() else { return Err(ONE.to_owned()) };
        let pattern = self.top(pattern, &mut head).ok_or(ONE)??;
        let body = self.body(&clause.body, &head)?;
        let guards = if clause.guards.is_empty() { vec![Vec::new()] } else { clause.guards.clone() };
        let mut all = Vec::new();
        for tests in &guards {
            let tests =
                tests.iter().map(|test| self.value(test, &head, "guard")).collect::<Translated<Vec<_>>>()?;
            all.push(Term::tuple([pattern.clone(), Term::list(tests), Term::list(body.clone())]));
        }
        Ok(all)
    }

    /// The parameter: a tuple or a variable, perhaps both.
    fn top(&self, pattern: &Expr, head: &mut Head) -> Option<Translated<Term>> {
        match &pattern.kind {
            Kind::Var(_) | Kind::Tuple(_) | Kind::Record(None, ..) => Some(self.pattern(pattern, head)),
            Kind::Match(left, right) => {
                let (name, tuple) = match (&left.kind, &right.kind) {
                    (Kind::Var(name), _) => (name, right),
                    (_, Kind::Var(name)) => (name, left),
                    _ => return None,
                };
                head.names.insert(name.clone(), Term::atom("$_"));
                self.top(tuple, head)
            }
            _ => None,
        }
    }

    fn pattern(&self, pattern: &Expr, head: &mut Head) -> Translated<Term> {
        Ok(match &pattern.kind {
            Kind::Var(name) => head.variable(name),
            Kind::Tuple(parts) => {
                let parts = parts.iter().map(|part| self.pattern(part, head));
                Term::Tuple(parts.collect::<Translated<Vec<_>>>()?.into())
            }
            Kind::List(parts, tail) => {
                let parts = parts.iter().map(|(_, part)| self.pattern(part, head));
                let parts = parts.collect::<Translated<Vec<_>>>()?;
                List::with_tail(parts, self.pattern(tail, head)?)
            }
            Kind::Map(None, fields) => {
                let mut map = Map::default();
                for field in fields {
                    let key = normalise(&field.key).ok_or_else(|| untranslated("map", "head"))?;
                    map.insert(key, self.pattern(&field.value, head)?);
                }
                Term::Map(map)
            }
            Kind::Record(None, name, fields) => {
                let parts = self.record(name, fields, |value| match value {
                    Some(value) => self.pattern(value, head),
                    None => Ok(Term::atom("_")),
                })?;
                Term::Tuple(parts.into())
            }
            _ => normalise(pattern).ok_or_else(|| untranslated("expression", "head"))?,
        })
    }

    /// The parts of a record: its name, then its fields, as far as they are named.
    fn record(
        &self,
        name: &Atom,
        fields: &[RecordField],
        mut of: impl FnMut(Option<&Expr>) -> Translated<Term>,
    ) -> Translated<Vec<Term>> {
        let record = self.records.get(name).ok_or_else(|| format!("record {} undefined", name.as_str()))?;
        let others = fields.iter().find(|field| field.name.as_var().is_some());
        let mut parts = vec![Term::Atom(name.clone())];
        for (_, field, _) in &record.fields {
            let given = fields.iter().find(|this| this.name.as_atom() == Some(field)).or(others);
            parts.push(of(given.map(|field| &field.value))?);
        }
        Ok(parts)
    }

    fn body(&self, body: &Body, head: &Head) -> Translated<Vec<Term>> {
        body.iter().map(|expr| self.value(expr, head, "body")).collect()
    }

    fn values(&self, exprs: &[Expr], head: &Head, place: &str) -> Translated<Vec<Term>> {
        exprs.iter().map(|expr| self.value(expr, head, place)).collect()
    }

    fn value(&self, expr: &Expr, head: &Head, place: &str) -> Translated<Term> {
        Ok(match &expr.kind {
            Kind::Var(name) => match (head.names.get(name), self.bound.get(name)) {
                (Some(variable), _) => variable.clone(),
                (None, Some(value)) => Term::tuple([Term::atom("const"), value.clone()]),
                (None, None) => return Err(format!("variable '{}' is unbound", name.as_str())),
            },
            Kind::String(text) => characters(text),
            Kind::Tuple(parts) => {
                let parts = self.values(parts, head, place)?;
                Term::tuple([Term::Tuple(parts.into())])
            }
            Kind::List(parts, tail) => {
                let parts = parts.iter().map(|(_, part)| self.value(part, head, place));
                let parts = parts.collect::<Translated<Vec<_>>>()?;
                List::with_tail(parts, self.value(tail, head, place)?)
            }
            Kind::Map(None, fields) => {
                let mut map = Map::default();
                for field in fields {
                    let key = self.value(&field.key, head, place)?;
                    map.insert(key, self.value(&field.value, head, place)?);
                }
                Term::Map(map)
            }
            Kind::Map(Some(_), _) => return Err(untranslated("map", place)),
            Kind::Op1(op, inner) => call(op, [self.value(inner, head, place)?]),
            Kind::Op2(op, left, right)
                if operator(op, 2).is_some() || matches!(*op, "andalso" | "orelse") =>
            {
                call(op, [self.value(left, head, place)?, self.value(right, head, place)?])
            }
            Kind::Call(function, arguments) => return self.call(function, arguments, head, place),
            Kind::Match(..) => {
                return Err(format!("fun with {place} matching ('=' in {place}) is illegal as match_spec"));
            }
            Kind::Record(None, name, fields) => {
                let parts = self.record(name, fields, |value| match value {
                    Some(value) => self.value(value, head, place),
                    None => Ok(Term::atom("undefined")),
                })?;
                Term::tuple([Term::Tuple(parts.into())])
            }
            Kind::RecordField(on, name, field) => {
                let at = self.index(name, field)?;
                call("element", [Term::Int(at), self.value(on, head, place)?])
            }
            Kind::RecordIndex(name, field) => Term::Int(self.index(name, field)?),
            _ => match normalise(expr) {
                Some(Term::Atom(atom)) if atom.as_str().starts_with('$') => {
                    Term::tuple([Term::atom("const"), Term::Atom(atom)])
                }
                Some(constant) => constant,
                None => return Err(untranslated(kind(expr), place)),
            },
        })
    }

    fn index(&self, name: &Atom, field: &Expr) -> Translated<i64> {
        let record = self.records.get(name).ok_or_else(|| format!("record {} undefined", name.as_str()))?;
        let at = record.fields.iter().position(|(_, this, _)| Some(this) == field.as_atom());
        at.map(|at| at as i64 + 2).ok_or_else(|| format!("field undefined in record {}", name.as_str()))
    }

    fn call(&self, function: &Expr, arguments: &[Expr], head: &Head, place: &str) -> Translated<Term> {
        let (name, remote) = match &function.kind {
            Kind::Atom(name) => (name, false),
            Kind::Remote(module, name) => match (module.as_atom(), name.as_atom()) {
                (Some(module), Some(name)) if *module == *"erlang" => (name, true),
                (Some(module), Some(name)) => {
                    let called = format!("{}:{}/{}", module.as_str(), name.as_str(), arguments.len());
                    return Err(format!(
                        "fun containing the remote function call '{called}' (called in {place}) cannot be \
                         translated into match_spec"
                    ));
                }
                _ => return Err(untranslated("call", place)),
            },
            _ => return Err(untranslated("call", place)),
        };
        let count = arguments.len();
        let given = self.values(arguments, head, place)?;
        match (name.as_str(), count) {
            ("object", 0) if !remote => return Ok(Term::atom("$_")),
            ("bindings", 0) if !remote => return Ok(Term::atom("$*")),
            ("self" | "node", 0) => return Ok(call(name.as_str(), [])),
            ("is_record", 2) => {
                let size = given[1].as_atom().and_then(|name| self.records.get(name));
                let size = size.map_or(0, |record| record.fields.len() as i64 + 1);
                return Ok(call("is_record", given.into_iter().chain([Term::Int(size)])));
            }
            _ => {}
        }
        let known =
            guard_bif(name.as_str(), count).is_some() || remote && operator(name.as_str(), count).is_some();
        if !known {
            let called = format!("{}/{count}", name.as_str());
            return Err(format!(
                "fun containing the local function call '{called}' (called in {place}) cannot be translated \
                 into match_spec"
            ));
        }
        Ok(call(name.as_str(), given))
    }
}

fn untranslated(what: &str, place: &str) -> String {
    format!("the language element {what} (in {place}) cannot be translated into match_spec")
}

/// What the abstract format calls it.
fn kind(expr: &Expr) -> &'static str {
    match &expr.kind {
        Kind::Case(..) => "case",
        Kind::If(_) => "if",
        Kind::Receive(..) => "receive",
        Kind::Try(_) => "try",
        Kind::Catch(_) => "catch",
        Kind::Block(_) => "block",
        Kind::Lc(..) => "lc",
        Kind::Bc(..) => "bc",
        Kind::Bin(_) => "bin",
        Kind::Fun(_) | Kind::FunLocal(..) | Kind::FunRemote(..) => "fun",
        Kind::Op2(..) => "op",
        _ => "expression",
    }
}
