//! What a compiler warns of: variables and functions that nobody uses.

use std::collections::{BTreeMap, BTreeSet};

use trunkline::Atom;

use crate::ast::{Clause, Expr, Generator, Kind, Loc, MapField, Qualifier};
use crate::module::{ModuleError, wrong};

/// Names and arities.
type Name = (Atom, usize);

/// A function: where it is, and its clauses.
pub(crate) struct Function<'a> {
    pub(crate) loc: Loc,
    pub(crate) clauses: &'a [Clause],
}

/// Warnings, in the order of their places. `roots` are called from outside.
pub(crate) fn warnings(
    functions: &BTreeMap<Name, Function<'_>>,
    roots: impl Iterator<Item = Name>,
) -> Vec<ModuleError> {
    let mut found = Vec::new();
    let mut calls: BTreeMap<&Name, BTreeSet<Name>> = BTreeMap::new();
    for (name, function) in functions {
        let mut seen = Seen::default();
        for clause in function.clauses {
            let mut variables = Seen::default();
            variables.clause(clause);
            found.extend(variables.unused());
            seen.calls.append(&mut variables.calls);
        }
        calls.insert(name, seen.calls);
    }
    let mut reached: BTreeSet<Name> = BTreeSet::new();
    let mut todo: Vec<Name> = roots.collect();
    while let Some(name) = todo.pop() {
        let Some(next) = calls.get(&name) else { continue };
        if reached.insert(name) {
            todo.extend(next.iter().cloned());
        }
    }
    for ((name, arity), function) in functions.iter().filter(|(name, _)| !reached.contains(name)) {
        let shown = crate::lexer::write_atom(name.as_str());
        found.push(wrong(function.loc, format!("Warning: function {shown}/{arity} is unused")));
    }
    found.sort_by_key(|warning| warning.loc);
    found
}

/// Calls of functions that the module neither has nor imports, in the order of their places.
pub(crate) fn undefined(
    functions: &BTreeMap<Name, Function<'_>>,
    is_known: impl Fn(&Name) -> bool,
) -> Vec<ModuleError> {
    let mut seen = Seen::default();
    functions.values().for_each(|function| seen.clauses(function.clauses));
    let unknown = seen.places.iter().filter(|(name, _)| !functions.contains_key(name) && !is_known(name));
    unknown
        .map(|((name, arity), loc)| {
            let shown = crate::lexer::write_atom(name.as_str());
            wrong(*loc, format!("function {shown}/{arity} undefined"))
        })
        .collect()
}

/// The callbacks that a behaviour asks for and the module does not have.
pub(crate) fn callbacks(behaviour: &Atom, loc: Loc, has: impl Fn(&str, u8) -> bool) -> Vec<ModuleError> {
    let wanted: &[(&str, u8)] = match behaviour.as_str() {
        "application" => &[("start", 2), ("stop", 1)],
        "gen_event" => &[("handle_call", 2), ("handle_event", 2), ("init", 1)],
        "gen_server" => &[("handle_call", 3), ("handle_cast", 2), ("init", 1)],
        "gen_statem" => &[("callback_mode", 0), ("init", 1)],
        "supervisor" => &[("init", 1)],
        _ => &[],
    };
    let missing = wanted.iter().filter(|(name, arity)| !has(name, *arity));
    let behaviour = crate::lexer::write_atom(behaviour.as_str());
    missing
        .map(|(name, arity)| {
            let what =
                format!("Warning: undefined callback function {name}/{arity} (behaviour '{behaviour}')");
            wrong(loc, what)
        })
        .collect()
}

/// What occurs in a clause: each variable, how often and where first, and which functions of the module are called.
#[derive(Default)]
struct Seen {
    variables: BTreeMap<Atom, (usize, Loc)>,
    calls: BTreeSet<Name>,
    /// Where functions of the module are called.
    places: Vec<(Name, Loc)>,
}

impl Seen {
    fn unused(&self) -> Vec<ModuleError> {
        let once =
            self.variables.iter().filter(|(name, (count, _))| *count == 1 && !name.as_str().starts_with('_'));
        once.map(|(name, (_, loc))| wrong(*loc, format!("Warning: variable '{}' is unused", name.as_str())))
            .collect()
    }

    fn clause(&mut self, clause: &Clause) {
        self.all(&clause.patterns);
        clause.guards.iter().for_each(|guard| self.all(guard));
        self.all(&clause.body);
    }

    fn clauses(&mut self, clauses: &[Clause]) {
        clauses.iter().for_each(|clause| self.clause(clause));
    }

    fn all(&mut self, exprs: &[Expr]) {
        exprs.iter().for_each(|expr| self.expr(expr));
    }

    fn both(&mut self, one: &Expr, other: &Expr) {
        self.expr(one);
        self.expr(other);
    }

    fn field(&mut self, field: &MapField) {
        self.both(&field.key, &field.value);
    }

    fn generator(&mut self, generator: &Generator) {
        self.both(&generator.pattern, &generator.from);
        generator.value.iter().for_each(|value| self.expr(value));
    }

    fn qualifiers(&mut self, qualifiers: &[Qualifier]) {
        for qualifier in qualifiers {
            match qualifier {
                Qualifier::Generate(generator) => self.generator(generator),
                Qualifier::Zip(_, generators) => generators.iter().for_each(|one| self.generator(one)),
                Qualifier::Filter(filter) => self.expr(filter),
            }
        }
    }

    /// As deep as the parser lets source nest.
    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            Kind::Var(name) => self.variables.entry(name.clone()).or_insert((0, expr.loc)).0 += 1,
            Kind::List(items, tail) => {
                items.iter().for_each(|(_, item)| self.expr(item));
                self.expr(tail);
            }
            Kind::Tuple(items) | Kind::Block(items) => self.all(items),
            Kind::Map(on, fields) => {
                on.iter().for_each(|on| self.expr(on));
                fields.iter().for_each(|field| self.field(field));
            }
            Kind::Record(on, _, fields) => {
                on.iter().for_each(|on| self.expr(on));
                fields.iter().for_each(|field| self.expr(&field.value));
            }
            Kind::RecordField(on, _, _) => self.expr(on),
            Kind::Bin(elements) => {
                for element in elements {
                    self.expr(&element.value);
                    element.size.iter().for_each(|size| self.expr(size));
                }
            }
            Kind::Lc(value, qualifiers) | Kind::Bc(value, qualifiers) => {
                self.qualifiers(qualifiers);
                self.expr(value);
            }
            Kind::Mc(field, qualifiers) => {
                self.qualifiers(qualifiers);
                self.field(field);
            }
            Kind::FunLocal(name, arity) => {
                self.calls.insert((name.clone(), *arity as usize));
            }
            _ => self.flow(&expr.kind),
        }
    }

    fn flow(&mut self, kind: &Kind) {
        match kind {
            Kind::If(clauses) => self.clauses(clauses),
            Kind::Case(of, clauses) => {
                self.expr(of);
                self.clauses(clauses);
            }
            Kind::Receive(clauses, after) => {
                self.clauses(clauses);
                if let Some((time, body)) = after {
                    self.expr(time);
                    self.all(body);
                }
            }
            Kind::Try(parts) => {
                self.all(&parts.body);
                self.clauses(&parts.of);
                self.clauses(&parts.catch);
                self.all(&parts.after);
            }
            Kind::Maybe(body, or) => {
                self.all(body);
                or.iter().for_each(|(_, clauses)| self.clauses(clauses));
            }
            Kind::Match(one, other) | Kind::MaybeMatch(one, other) | Kind::Op2(_, one, other) => {
                self.both(one, other)
            }
            Kind::Remote(one, other) => self.both(one, other),
            Kind::Catch(one) | Kind::Op1(_, one) => self.expr(one),
            Kind::Call(callee, arguments) => {
                if let Kind::Atom(name) = &callee.kind {
                    self.places.push(((name.clone(), arguments.len()), callee.loc));
                    self.calls.insert((name.clone(), arguments.len()));
                }
                self.expr(callee);
                self.all(arguments);
            }
            Kind::FunRemote(module, function, arity) => {
                self.both(module, function);
                self.expr(arity);
            }
            Kind::Fun(clauses) => self.clauses(clauses),
            Kind::NamedFun(name, clauses) => {
                // It may go unused without a word.
                self.variables.entry(name.clone()).or_insert((0, Loc::new(0, 0))).0 += 2;
                self.clauses(clauses);
            }
            _ => {}
        }
    }
}
