//! Patterns.

use trunkline::Atom;
use trunkline::term::Term;

use super::scope::Var;
use super::{Compiled, Compiler, bit_types, refuse};
use crate::ast::{BinElement, Expr, Kind, Loc, RecordField};
use crate::lexer::characters;
use crate::machine::bits::{Spec, Type};
use crate::machine::code::{Pattern, Segment};

/// How names in a pattern are understood.
#[derive(Clone, Copy)]
pub(super) struct Way {
    /// From here on variables are new in this pattern.
    from: usize,
    /// All names are new: heads of funs, generators.
    fresh: bool,
}

impl Compiler<'_> {
    /// Patterns side by side.
    pub(super) fn patterns(&mut self, exprs: &[Expr], fresh: bool) -> Compiled<Vec<Pattern>> {
        let way = Way { from: self.sight(), fresh };
        exprs.iter().map(|expr| self.pattern(expr, way)).collect()
    }

    pub(super) fn pattern(&mut self, expr: &Expr, way: Way) -> Compiled<Pattern> {
        Ok(match &expr.kind {
            Kind::Var(name) if *name == *"_" => Pattern::Any,
            Kind::Var(name) => self.pattern_var(name, expr.loc, way)?,
            Kind::Atom(atom) => Pattern::Const(Term::Atom(atom.clone())),
            Kind::Integer(number) => Pattern::Const(number.clone()),
            Kind::Float(number) => Pattern::Const(Term::Float(*number)),
            Kind::Char(c) => Pattern::Const(Term::Int((*c).into())),
            Kind::String(text) => Pattern::Const(characters(text)),
            Kind::Nil => Pattern::Const(Term::NIL),
            Kind::Value(value) => Pattern::Const(value.clone()),
            Kind::List(items, tail) => {
                let items = items.iter().map(|(_, item)| self.pattern(item, way)).collect::<Compiled<_>>()?;
                Pattern::List(items, Box::new(self.pattern(tail, way)?))
            }
            Kind::Tuple(items) => {
                Pattern::Tuple(items.iter().map(|item| self.pattern(item, way)).collect::<Compiled<_>>()?)
            }
            Kind::Match(left, right) => {
                let left = self.pattern(left, way)?;
                Pattern::Both(Box::new(left), Box::new(self.pattern(right, way)?))
            }
            Kind::Map(None, _) => self.pattern_map(expr, way)?,
            Kind::Bin(elements) => self.pattern_bits(elements, way)?,
            Kind::Record(None, name, fields) => self.pattern_record(expr.loc, name, fields, way)?,
            Kind::RecordIndex(name, field) => Pattern::Const(self.record_index(expr.loc, name, field)?),
            Kind::Op2("++", left, right) => self.pattern_append(expr.loc, left, right, way)?,
            Kind::Op1(..) | Kind::Op2(..) => match self.constant(expr) {
                Some(value) => Pattern::Const(value),
                None => return refuse(expr.loc, "illegal pattern"),
            },
            _ => return refuse(expr.first(), "illegal pattern"),
        })
    }

    fn pattern_var(&mut self, name: &Atom, _loc: Loc, way: Way) -> Compiled<Pattern> {
        let frame = self.frame();
        let new = frame.vars[way.from.min(frame.vars.len())..].iter().rev().find(|(this, _)| this == name);
        if let Some((_, Var::Safe(slot))) = new {
            return Ok(Pattern::Same(*slot));
        }
        if way.fresh {
            return Ok(Pattern::Bind(self.bind(name, true)));
        }
        match self.find(self.frames.len() - 1, name) {
            Some(Var::Safe(slot)) => Ok(Pattern::Same(slot)),
            Some(Var::Unsafe(..)) => self.read(name, _loc).map(Pattern::Same),
            None if self.frame().beside.contains(name) => {
                let slot = self.bind(name, false);
                Ok(Pattern::Same(slot))
            }
            None => Ok(Pattern::Bind(self.bind(name, false))),
        }
    }

    /// `"abc" ++ Rest`, `[1,2] ++ Rest`.
    fn pattern_append(&mut self, loc: Loc, left: &Expr, right: &Expr, way: Way) -> Compiled<Pattern> {
        let right = self.pattern(right, way)?;
        let items: Vec<Pattern> = match &left.kind {
            Kind::Nil => return Ok(right),
            Kind::String(text) => text.iter().map(|c| Pattern::Const(Term::Int((*c).into()))).collect(),
            Kind::List(items, tail) if tail.kind == Kind::Nil => {
                let mut all = Vec::new();
                for (_, item) in items {
                    match self.constant(item) {
                        Some(value) => all.push(Pattern::Const(value)),
                        None => return refuse(loc, "illegal pattern"),
                    }
                }
                all
            }
            _ => return refuse(loc, "illegal pattern"),
        };
        Ok(if items.is_empty() { right } else { Pattern::List(items, Box::new(right)) })
    }

    fn pattern_map(&mut self, expr: &Expr, way: Way) -> Compiled<Pattern> {
        let Kind::Map(None, fields) = &expr.kind else { return refuse(expr.loc, "illegal pattern") };
        let mut pairs = Vec::new();
        for field in fields {
            if !field.exact {
                return refuse(field.loc, "illegal pattern");
            }
            // Keys are settled before the pattern: what it binds itself cannot be a key.
            let new = self.hide(way.from);
            let key = self.test(&field.key);
            self.frame().vars.extend(new);
            let key = match key {
                Ok(key) => key,
                Err(error) if error.what == "illegal guard expression" => {
                    return refuse(field.key.first(), "illegal map key in pattern");
                }
                Err(error) => return Err(error),
            };
            pairs.push((key, self.pattern(&field.value, way)?));
        }
        Ok(Pattern::Map(pairs))
    }

    pub(super) fn pattern_bits(&mut self, elements: &[BinElement], way: Way) -> Compiled<Pattern> {
        let mut segments = Vec::new();
        // Sizes see what was bound before the pattern, and in these very bits, but not beside them.
        let begun = self.sight();
        let last = elements.len().saturating_sub(1);
        for (at, element) in elements.iter().enumerate() {
            let spec = bit_types::settle(element)?;
            if spec.kind == Type::Binary && element.size.is_none() && at < last {
                return refuse(
                    element.loc,
                    "a binary field without size is only allowed at the end of a binary pattern",
                );
            }
            match bit_types::spread(element) {
                Some(letters) => {
                    for letter in letters {
                        segments.push(self.segment(&letter, spec, way, begun)?);
                    }
                }
                None => segments.push(self.segment(element, spec, way, begun)?),
            }
        }
        Ok(Pattern::Bits(segments))
    }

    fn segment(&mut self, element: &BinElement, spec: Spec, way: Way, begun: usize) -> Compiled<Segment> {
        let size = match &element.size {
            None => None,
            Some(size) if size.as_atom().is_some_and(|atom| *atom == *"all") => None,
            Some(size) => {
                let within = self.hide(begun);
                let beside = self.hide(way.from.min(begun));
                self.frame().vars.extend(within.iter().cloned());
                let test = self.test(size);
                let here = self.sight() - within.len();
                self.hide(here);
                self.frame().vars.extend(beside.into_iter().chain(within));
                match test {
                    Ok(test) => Some(test),
                    Err(error) if error.what == "illegal guard expression" => {
                        return refuse(size.first(), "illegal bit size");
                    }
                    Err(error) => return Err(error),
                }
            }
        };
        let pattern = match self.pattern(&element.value, way)? {
            Pattern::Const(Term::Int(number)) if spec.kind == Type::Float => {
                Pattern::Const(Term::Float(number as f64))
            }
            pattern @ (Pattern::Any | Pattern::Bind(_) | Pattern::Same(_) | Pattern::Const(_)) => pattern,
            _ => return refuse(element.loc, "illegal pattern"),
        };
        Ok(Segment { spec, size, pattern })
    }

    fn pattern_record(
        &mut self,
        loc: Loc,
        name: &Atom,
        fields: &[RecordField],
        way: Way,
    ) -> Compiled<Pattern> {
        let record = self.record(loc, name)?;
        let names: Vec<Atom> = record.fields.iter().map(|field| field.1.clone()).collect();
        let mut items = vec![Pattern::Const(Term::Atom(name.clone()))];
        let others = fields.iter().find(|field| field.name.as_var().is_some());
        let mut given: Vec<Option<&Expr>> = vec![others.map(|others| &others.value); names.len()];
        for field in fields {
            if let Some(this) = field.name.as_atom() {
                match names.iter().position(|name| name == this) {
                    Some(at) => given[at] = Some(&field.value),
                    None => return self.no_field(field.loc, this, name),
                }
            }
        }
        for value in given {
            items.push(match value {
                Some(value) => self.pattern(value, way)?,
                None => Pattern::Any,
            });
        }
        Ok(Pattern::Tuple(items))
    }

    /// The value of an expression of constants: numbers, atoms and operators.
    pub(super) fn constant(&mut self, expr: &Expr) -> Option<Term> {
        match &expr.kind {
            Kind::Integer(_) | Kind::Float(_) | Kind::Char(_) | Kind::Atom(_) => {
                crate::parser::normalise(expr)
            }
            Kind::Op1(op, inner) => {
                let inner = self.constant(inner)?;
                crate::library::operator(op, 1)?(&[inner]).ok()
            }
            Kind::Op2(op, left, right) => {
                let both = [self.constant(left)?, self.constant(right)?];
                crate::library::operator(op, 2)?(&both).ok()
            }
            _ => None,
        }
    }

    /// A pattern that binds nothing but new names.
    pub(super) fn generator_pattern(&mut self, expr: &Expr) -> Compiled<Pattern> {
        let way = Way { from: self.sight(), fresh: true };
        self.pattern(expr, way)
    }

    pub(super) fn match_pattern(&mut self, expr: &Expr) -> Compiled<Pattern> {
        let way = Way { from: self.sight(), fresh: false };
        self.pattern(expr, way)
    }
}
