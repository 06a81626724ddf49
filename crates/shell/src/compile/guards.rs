//! Guards: expressions that only compute.

use trunkline::term::Term;

use super::{Compiled, Compiler, bit_types, refuse};
use crate::ast::{Expr, Kind};
use crate::lexer::characters;
use crate::library::{guard_bif, operator};
use crate::machine::code::Test;

const ILLEGAL: &str = "illegal guard expression";

impl Compiler<'_> {
    /// Guards of a clause.
    pub(super) fn guards(&mut self, guards: &[Vec<Expr>]) -> Compiled<Vec<Vec<Test>>> {
        guards.iter().map(|tests| tests.iter().map(|test| self.guard_test(test)).collect()).collect()
    }

    /// A test at the top of a guard, where old names of tests are understood.
    fn guard_test(&mut self, expr: &Expr) -> Compiled<Test> {
        if let Kind::Call(function, arguments) = &expr.kind {
            let old = function.as_atom().and_then(|name| {
                let name = name.as_str();
                let known = [
                    "integer",
                    "float",
                    "number",
                    "atom",
                    "list",
                    "tuple",
                    "pid",
                    "reference",
                    "port",
                    "binary",
                    "function",
                ];
                known.contains(&name).then(|| format!("is_{name}"))
            });
            if let (Some(new), 1) = (old, arguments.len())
                && let Some(bif) = guard_bif(&new, 1)
            {
                return Ok(Test::Pure(bif, vec![self.test(&arguments[0])?]));
            }
        }
        self.test(expr)
    }

    pub(super) fn test(&mut self, expr: &Expr) -> Compiled<Test> {
        let loc = expr.loc;
        Ok(match &expr.kind {
            Kind::Var(name) => Test::Slot(self.read(name, loc)?),
            Kind::Atom(_)
            | Kind::Integer(_)
            | Kind::Float(_)
            | Kind::Char(_)
            | Kind::Nil
            | Kind::Value(_) => Test::Const(crate::parser::normalise(expr).unwrap_or(Term::NIL)),
            Kind::String(text) => Test::Const(characters(text)),
            Kind::Tuple(items) => Test::Tuple(self.tests(items)?),
            Kind::List(items, tail) => {
                let items = items.iter().map(|(_, item)| self.test(item)).collect::<Compiled<_>>()?;
                Test::List(items, Box::new(self.test(tail)?))
            }
            Kind::Map(on, fields) => {
                let mut pairs = Vec::new();
                for field in fields {
                    pairs.push((field.exact, self.test(&field.key)?, self.test(&field.value)?));
                }
                match on {
                    None => Test::Map(pairs.into_iter().map(|(_, key, value)| (key, value)).collect()),
                    Some(on) => Test::MapUpdate(Box::new(self.test(on)?), pairs),
                }
            }
            Kind::Bin(_) => self.test_bits(expr)?,
            Kind::Op2(op @ ("andalso" | "orelse"), left, right) => {
                let left = Box::new(self.test(left)?);
                Test::Shortcut(*op == "andalso", left, Box::new(self.test(right)?))
            }
            Kind::Op2("!" | "++" | "--", ..) => return refuse(expr.first(), ILLEGAL),
            Kind::Op1(op, inner) => match operator(op, 1) {
                Some(f) => Test::Pure(f, vec![self.test(inner)?]),
                None => return refuse(loc, ILLEGAL),
            },
            Kind::Op2(op, left, right) => match operator(op, 2) {
                Some(f) => Test::Pure(f, vec![self.test(left)?, self.test(right)?]),
                None => return refuse(loc, ILLEGAL),
            },
            Kind::Call(function, arguments) => self.test_call(expr, function, arguments)?,
            Kind::RecordIndex(name, field) => Test::Const(self.record_index(loc, name, field)?),
            Kind::RecordField(on, name, field) => self.test_record_field(loc, on, name, field)?,
            Kind::Record(None, name, fields) => self.test_record(loc, name, fields)?,
            _ => return refuse(expr.first(), ILLEGAL),
        })
    }

    fn tests(&mut self, exprs: &[Expr]) -> Compiled<Vec<Test>> {
        exprs.iter().map(|expr| self.test(expr)).collect()
    }

    fn test_call(&mut self, expr: &Expr, function: &Expr, arguments: &[Expr]) -> Compiled<Test> {
        let name = match &function.kind {
            Kind::Atom(name) => name,
            Kind::Remote(module, name) => match (module.as_atom(), name.as_atom()) {
                (Some(module), Some(name)) if *module == *"erlang" => name,
                _ => return refuse(expr.first(), ILLEGAL),
            },
            _ => return refuse(expr.first(), ILLEGAL),
        };
        match (name.as_str(), arguments) {
            ("self", []) => return Ok(Test::Me),
            ("node", []) => return Ok(Test::Node),
            ("is_record", [value, tag]) => return self.test_is_record(value, tag, expr.loc),
            _ => {}
        }
        let remote = matches!(function.kind, Kind::Remote(..));
        let found = guard_bif(name.as_str(), arguments.len())
            .or_else(|| operator(name.as_str(), arguments.len()).filter(|_| remote));
        match found {
            Some(bif) => Ok(Test::Pure(bif, self.tests(arguments)?)),
            None => refuse(expr.first(), ILLEGAL),
        }
    }

    fn test_bits(&mut self, expr: &Expr) -> Compiled<Test> {
        let Kind::Bin(elements) = &expr.kind else { return refuse(expr.loc, ILLEGAL) };
        let mut segments = Vec::new();
        for element in elements {
            let spec = bit_types::settle(element)?;
            let parts = bit_types::spread(element).unwrap_or_else(|| vec![element.clone()]);
            for part in parts {
                let size = match &part.size {
                    Some(size) => Some(self.test(size)?),
                    None => None,
                };
                segments.push((spec, self.test(&part.value)?, size));
            }
        }
        Ok(Test::Bits(segments))
    }

    /// Whether an expression may stand in a guard: a filter that may is one.
    pub(super) fn is_guard(&mut self, expr: &Expr) -> bool {
        self.test(expr).is_ok()
    }
}
