//! Records of a shell: how they are shown, listed, read, and forgotten.

use std::path::Path;

use trunkline::term::print::{NodeNumbers, Printer, RecordNames};
use trunkline::{Atom, Term};

use super::Session;
use crate::code::Near;
use crate::parser::{Attribute, Form, Record};
use crate::raise::{Raise, Result};

impl RecordNames for Session {
    fn fields(&self, name: &Atom, count: usize) -> Option<Vec<Atom>> {
        let record = self.records.get(name).filter(|record| record.fields.len() == count)?;
        Some(record.fields.iter().map(|(_, field, _)| field.clone()).collect())
    }
}

impl Session {
    /// The value as the shell shows it, from this column on.
    pub(super) fn show_at(&self, value: &Term, column: usize, numbers: &dyn NodeNumbers) -> String {
        self.show_within(value, column, numbers, Some(30))
    }

    /// All of it: `rp/1`.
    pub(super) fn show_whole(&self, value: &Term, numbers: &dyn NodeNumbers) -> String {
        self.show_within(value, 1, numbers, None)
    }

    fn show_within(
        &self,
        value: &Term,
        column: usize,
        numbers: &dyn NodeNumbers,
        depth: Option<usize>,
    ) -> String {
        let printer = Printer::new(numbers).unicode();
        let printer = Printer {
            column,
            line_length: self.columns,
            line_characters: Some(60),
            depth,
            strings: self.strings,
            records: Some(self),
            ..printer
        };
        printer.pretty(value)
    }

    /// `rl/0,1`: those that are named, or all.
    pub(super) fn list_records(&self, named: Option<&Term>, numbers: &dyn NodeNumbers) -> String {
        let wanted =
            |record: &&Record| named.is_none_or(|named| names(named, &Term::Atom(record.name.clone())));
        let mut text = String::new();
        for record in self.records.values().filter(wanted) {
            let field = |(_, name, value): &(_, trunkline::Atom, Option<crate::ast::Expr>)| {
                let name = crate::lexer::write_atom(name.as_str());
                match value.as_ref().map(crate::parser::normalise) {
                    None => name,
                    Some(Some(value)) => format!("{name} = {}", self.show_whole(&value, numbers)),
                    Some(None) => format!("{name} = ..."),
                }
            };
            let fields: Vec<String> = record.fields.iter().map(field).collect();
            let name = crate::lexer::write_atom(record.name.as_str());
            text.push_str(&format!("-record({name},{{{}}}).\n", fields.join(", ")));
        }
        text
    }

    /// `rf/1`: forgets those that are named; `'_'` names all.
    pub(super) fn forget_records(&mut self, named: &Term) {
        self.records.retain(|name, _| !named.is_atom("_") && !names(named, &Term::Atom(name.clone())));
    }

    /// `rr/1,2`: from a loaded module or a file; those that are named, or all.
    pub(super) fn read_records(&mut self, file: &Term, named: Option<&Term>) -> Result<Term> {
        let wanted = |record: &Record| {
            named.is_none_or(|named| named.is_atom("_") || names(named, &Term::Atom(record.name.clone())))
        };
        let found: Vec<Record> = match file {
            Term::Atom(name) if self.vm.module(name).is_some() => self
                .vm
                .module(name)
                .map(|module| module.records.values().cloned().collect())
                .unwrap_or_default(),
            _ => match self.records_in(file)? {
                Some(records) => records,
                None => return Ok(Term::tuple([Term::atom("error"), Term::atom("nofile")])),
            },
        };
        let mut read = Vec::new();
        for record in found.into_iter().filter(wanted) {
            read.push(Term::Atom(record.name.clone()));
            self.records.insert(record.name.clone(), record);
        }
        read.sort();
        Ok(Term::list(read))
    }

    /// The records of a file; nothing when it cannot be read.
    fn records_in(&self, file: &Term) -> Result<Option<Vec<Record>>> {
        let path = super::commands::file_name(file)?;
        let with_ending = path.with_extension("erl");
        let source = [&path, &with_ending].into_iter().find_map(|path| std::fs::read_to_string(path).ok());
        let Some(source) = source else { return Ok(None) };
        let beside = path.parent().map(Path::to_path_buf).unwrap_or_default();
        let mut near = Near { beside, includes: Vec::new(), path: self.vm.code_path() };
        let forms = crate::preprocess::forms(&source, &mut near)
            .map_err(|error| Raise::error(Term::binary(&error.to_string())))?;
        let record = |tokens: &Vec<crate::lexer::Token>| match crate::parser::form(tokens) {
            Ok(Form::Attribute(_, Attribute::Record(record))) => Some(record),
            _ => None,
        };
        Ok(Some(forms.iter().filter_map(record).collect()))
    }
}

/// Whether this is the name, or a list with it.
fn names(named: &Term, name: &Term) -> bool {
    named == name || named.as_list().is_some_and(|list| list.iter().any(|one| one == *name))
}
