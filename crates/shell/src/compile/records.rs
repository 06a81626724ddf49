//! Records, which are tuples in the end.

use trunkline::Atom;
use trunkline::term::Term;

use super::{Compiled, Compiler, refuse};
use crate::ast::{Expr, Loc, RecordField};
use crate::library::{guard_bif, operator};
use crate::machine::code::{Failure, Op, Test};
use crate::parser::Record;

impl Compiler<'_> {
    pub(super) fn record(&self, loc: Loc, name: &Atom) -> Compiled<Record> {
        match self.unit.records.get(name) {
            Some(record) => Ok(record.clone()),
            None => refuse(loc, format!("record {} undefined", crate::lexer::write_atom(name.as_str()))),
        }
    }

    pub(super) fn no_field<T>(&self, loc: Loc, field: &Atom, record: &Atom) -> Compiled<T> {
        let write = crate::lexer::write_atom;
        refuse(loc, format!("field {} undefined in record {}", write(field.as_str()), write(record.as_str())))
    }

    fn position(&self, loc: Loc, name: &Atom, field: &Expr) -> Compiled<(u32, u32)> {
        let record = self.record(loc, name)?;
        let Some(this) = field.as_atom() else { return refuse(loc, "illegal pattern") };
        match record.fields.iter().position(|(_, name, _)| name == this) {
            Some(at) => Ok((at as u32 + 1, record.fields.len() as u32 + 1)),
            None => self.no_field(field.loc, this, name),
        }
    }

    /// `#name.field`.
    pub(super) fn record_index(&mut self, loc: Loc, name: &Atom, field: &Expr) -> Compiled<Term> {
        let (at, _) = self.position(loc, name, field)?;
        Ok(Term::Int(i64::from(at) + 1))
    }

    /// What the fields of a new record are.
    fn values(&mut self, loc: Loc, name: &Atom, fields: &[RecordField]) -> Compiled<Vec<Expr>> {
        let record = self.record(loc, name)?;
        let others = fields.iter().find(|field| field.name.as_var().is_some());
        for field in fields {
            if let Some(this) = field.name.as_atom()
                && !record.fields.iter().any(|(_, name, _)| name == this)
            {
                return self.no_field(field.loc, this, name);
            }
        }
        let value = |(_, name, default): &(Loc, Atom, Option<Expr>)| {
            let given = fields.iter().find(|field| field.name.as_atom() == Some(name));
            match (given.or(others), default) {
                (Some(field), _) => field.value.clone(),
                (None, Some(default)) => default.clone(),
                (None, None) => Expr::atom(loc, "undefined"),
            }
        };
        Ok(record.fields.iter().map(value).collect())
    }

    /// `#name{…}`.
    pub(super) fn new_record(&mut self, loc: Loc, name: &Atom, fields: &[RecordField]) -> Compiled<()> {
        let values = self.values(loc, name, fields)?;
        self.emit(Op::Const(Term::Atom(name.clone())));
        self.beside(&values)?;
        self.emit(Op::Tuple(values.len() as u32 + 1));
        Ok(())
    }

    /// `R#name{…}`.
    pub(super) fn update_record(
        &mut self,
        loc: Loc,
        on: &Expr,
        name: &Atom,
        fields: &[RecordField],
    ) -> Compiled<()> {
        let record = self.record(loc, name)?;
        let mut at = Vec::new();
        let mut exprs = vec![on.clone()];
        for field in fields {
            at.push(self.position(loc, name, &field.name)?.0);
            exprs.push(field.value.clone());
        }
        self.beside(&exprs)?;
        let size = record.fields.len() as u32 + 1;
        self.emit(Op::RecordSet { name: name.clone(), size, at: at.into() });
        Ok(())
    }

    /// `R#name.field`.
    pub(super) fn get_record(&mut self, loc: Loc, on: &Expr, name: &Atom, field: &Expr) -> Compiled<()> {
        self.expr(on, false)?;
        let (at, size) = self.position(loc, name, field)?;
        self.emit(Op::RecordGet { name: name.clone(), size, at });
        Ok(())
    }

    /// `record_info(fields, name)` and `record_info(size, name)`.
    pub(super) fn record_info(&mut self, loc: Loc, what: &Expr, name: &Expr) -> Compiled<Option<Term>> {
        let (Some(what), Some(name)) = (what.as_atom(), name.as_atom()) else { return Ok(None) };
        let record = self.record(loc, name)?;
        Ok(match what.as_str() {
            "size" => Some(Term::Int(record.fields.len() as i64 + 1)),
            "fields" => Some(Term::list(record.fields.iter().map(|field| Term::Atom(field.1.clone())))),
            _ => None,
        })
    }

    /// In a guard: `is_record(Value, name)`, with the size if the record is known.
    pub(super) fn test_is_record(&mut self, value: &Expr, tag: &Expr, loc: Loc) -> Compiled<Test> {
        let size = tag.as_atom().and_then(|name| self.unit.records.get(name)).map(|r| r.fields.len() + 1);
        if size.is_none() && tag.as_atom().is_some() {
            self.record(tag.loc, tag.as_atom().unwrap_or(&Atom::new("")))?;
        }
        let value = self.test(value)?;
        let tag = self.test(tag)?;
        let (count, arguments) = match size {
            Some(size) => (3, vec![value, tag, Test::Const(Term::Int(size as i64))]),
            None => (2, vec![value, tag]),
        };
        match guard_bif("is_record", count) {
            Some(bif) => Ok(Test::Pure(bif, arguments)),
            None => refuse(loc, "illegal guard expression"),
        }
    }

    pub(super) fn test_record_field(
        &mut self,
        loc: Loc,
        on: &Expr,
        name: &Atom,
        field: &Expr,
    ) -> Compiled<Test> {
        let (at, size) = self.position(loc, name, field)?;
        let again = self.test(on)?;
        let (Some(is_record), Some(element)) = (guard_bif("is_record", 3), guard_bif("element", 2)) else {
            return refuse(loc, "illegal guard expression");
        };
        let constant = |number: u32| Test::Const(Term::Int(number.into()));
        let tag = Test::Const(Term::Atom(name.clone()));
        let is = Test::Pure(is_record, vec![again, tag, constant(size)]);
        let get = Test::Pure(element, vec![constant(at + 1), self.test(on)?]);
        // A guard fails as a whole where the value is no such record, also within `not` and `orelse`.
        let sure = match operator("=:=", 2) {
            Some(_) => Test::Shortcut(true, Box::new(is), Box::new(get)),
            None => get,
        };
        Ok(sure)
    }

    pub(super) fn test_record(&mut self, loc: Loc, name: &Atom, fields: &[RecordField]) -> Compiled<Test> {
        let mut items = vec![Test::Const(Term::Atom(name.clone()))];
        for value in self.values(loc, name, fields)? {
            items.push(self.test(&value)?);
        }
        Ok(Test::Tuple(items))
    }

    pub(super) fn fail(&mut self, failure: Failure) {
        self.emit(Op::Fail(failure));
    }
}
