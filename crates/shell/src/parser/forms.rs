//! Forms of a module: functions and attributes. Types are skipped.

use std::sync::Arc;

use trunkline::Atom;
use trunkline::term::{Map, Term};

use super::{ParseError, Parsed, Parser};
use crate::ast::{Clause, Expr, Kind};
use crate::lexer::{Loc, Tok, characters};

/// A form.
#[derive(Clone, PartialEq, Debug)]
pub enum Form {
    /// A function.
    Function {
        /// Where it begins.
        loc: Loc,
        /// Its name.
        name: Atom,
        /// How many arguments it takes.
        arity: usize,
        /// Its clauses.
        clauses: Arc<Vec<Clause>>,
    },
    /// An attribute.
    Attribute(Loc, Attribute),
}

/// An attribute.
#[derive(Clone, PartialEq, Debug)]
pub enum Attribute {
    /// `-module(m).`
    Module(Atom),
    /// `-export([f/1]).`
    Export(Vec<(Atom, usize)>),
    /// `-import(m, [f/1]).`
    Import(Atom, Vec<(Atom, usize)>),
    /// `-record(r, {…}).`
    Record(Record),
    /// A type, a specification: not looked at.
    Type(Atom),
    /// Any other.
    Other(Atom, Term),
}

/// The definition of a record.
#[derive(Clone, PartialEq, Debug)]
pub struct Record {
    /// Its name.
    pub name: Atom,
    /// Its fields, with what they are when nothing is said.
    pub fields: Vec<(Loc, Atom, Option<Expr>)>,
}

impl Parser<'_> {
    pub(crate) fn form(&mut self) -> Parsed<Form> {
        if self.is("-") {
            return self.attribute();
        }
        let mut clauses = Vec::new();
        let (start, name) = self.atom()?;
        let mut loc = start;
        loop {
            let patterns = self.arguments()?;
            let guards = self.when()?;
            let body = self.arrow()?;
            clauses.push(Clause { loc, patterns, guards, body });
            if !self.eat(";") {
                break;
            }
            let (at, next) = self.atom()?;
            loc = at;
            if next != name {
                return self.wrong(at, "head mismatch");
            }
        }
        self.dot()?;
        let arity = clauses[0].patterns.len();
        if let Some(odd) = clauses.iter().find(|clause| clause.patterns.len() != arity) {
            return self.wrong(odd.loc, "head mismatch");
        }
        Ok(Form::Function { loc: start, name, arity, clauses: Arc::new(clauses) })
    }

    fn attribute(&mut self) -> Parsed<Form> {
        self.expect("-")?;
        let (loc, name) = self.atom()?;
        let attribute = match name.as_str() {
            "type" | "opaque" | "nominal" | "spec" | "callback" => {
                while self.peek().is_some_and(|token| token.tok != Tok::Dot) {
                    self.next();
                }
                Attribute::Type(name)
            }
            "record" => {
                self.expect("(")?;
                let record = self.record()?;
                self.expect(")")?;
                Attribute::Record(record)
            }
            _ => self.value_attribute(name)?,
        };
        self.dot()?;
        Ok(Form::Attribute(loc, attribute))
    }

    /// `name, {field = Value :: type(), …}`.
    pub(crate) fn record(&mut self) -> Parsed<Record> {
        let (_, name) = self.atom()?;
        self.expect(",")?;
        self.expect("{")?;
        let mut fields = Vec::new();
        while !self.eat("}") {
            let (loc, field) = self.atom()?;
            let value = if self.eat("=") { Some(self.expr()?) } else { None };
            if self.eat("::") {
                self.skip_type()?;
            }
            fields.push((loc, field, value));
            if !self.is("}") {
                self.expect(",")?;
            }
        }
        Ok(Record { name, fields })
    }

    /// Goes to the comma or the closing mark behind a type.
    fn skip_type(&mut self) -> Parsed<()> {
        let mut open = 0usize;
        while let Some(token) = self.peek() {
            match token.tok {
                Tok::Word("(" | "[" | "{" | "<<") => open += 1,
                Tok::Word(")" | "]" | "}" | ">>") if open == 0 => return Ok(()),
                Tok::Word(")" | "]" | "}" | ">>") => open -= 1,
                Tok::Word(",") if open == 0 => return Ok(()),
                Tok::Dot => break,
                _ => {}
            }
            self.next();
        }
        Err(self.unexpected())
    }

    fn value_attribute(&mut self, name: Atom) -> Parsed<Attribute> {
        let mut values = if self.is("(") { self.arguments()? } else { self.body()? };
        let bad = |expr: &Expr, what: String| Err(ParseError { loc: expr.first(), what });
        let Some(first) = values.first() else { return Err(self.unexpected()) };
        Ok(match (name.as_str(), values.len()) {
            ("module", 1) => match first.as_atom() {
                Some(module) => Attribute::Module(module.clone()),
                None => return bad(first, "bad module declaration".to_owned()),
            },
            ("export", 1) => Attribute::Export(names(first)?),
            ("import", 2) => match first.as_atom() {
                Some(module) => Attribute::Import(module.clone(), names(&values[1])?),
                None => return bad(first, "bad import declaration".to_owned()),
            },
            ("file" | "define" | "include", _) => Attribute::Other(name, Term::NIL),
            (_, 1) => {
                let value = values.remove(0);
                match normalise(&arities(value.clone())) {
                    Some(term) => Attribute::Other(name, term),
                    None => return bad(&value, "bad attribute".to_owned()),
                }
            }
            _ => return bad(&values[1], "bad attribute".to_owned()),
        })
    }
}

/// `[f/1, g/2]`.
fn names(expr: &Expr) -> Parsed<Vec<(Atom, usize)>> {
    let bad = |loc, what: &str| Err(ParseError { loc, what: what.to_owned() });
    let (items, tail) = match &expr.kind {
        Kind::Nil => return Ok(Vec::new()),
        Kind::List(items, tail) => (items, tail),
        _ => return bad(expr.first(), "bad Name/Arity"),
    };
    if tail.kind != Kind::Nil {
        return bad(tail.first(), "bad Name/Arity");
    }
    let mut all = Vec::new();
    for (_, item) in items {
        let Kind::Op2("/", name, arity) = &item.kind else { return bad(item.first(), "bad Name/Arity") };
        let Some(name) = name.as_atom() else { return bad(name.first(), "bad function name") };
        match &arity.kind {
            Kind::Integer(Term::Int(arity @ 0..=255)) => all.push((name.clone(), *arity as usize)),
            _ => return bad(arity.first(), "bad function arity"),
        }
    }
    Ok(all)
}

/// In attributes `f/1` stands for `{f,1}`.
fn arities(mut expr: Expr) -> Expr {
    match &mut expr.kind {
        Kind::Op2("/", name, arity) if name.as_atom().is_some() && matches!(arity.kind, Kind::Integer(_)) => {
            expr.kind = Kind::Tuple(vec![(**name).clone(), (**arity).clone()]);
        }
        Kind::List(items, _) => {
            for (_, item) in items {
                *item = arities(item.clone());
            }
        }
        Kind::Tuple(items) => {
            for item in items {
                *item = arities(item.clone());
            }
        }
        _ => {}
    }
    expr
}

/// The value of an expression that is a value already, as `erl_parse:normalise/1` has it.
pub fn normalise(expr: &Expr) -> Option<Term> {
    Some(match &expr.kind {
        Kind::Integer(number) => number.clone(),
        Kind::Float(number) => Term::Float(*number),
        Kind::Char(c) => Term::Int((*c).into()),
        Kind::Atom(atom) => Term::Atom(atom.clone()),
        Kind::String(text) => characters(text),
        Kind::Nil => Term::NIL,
        Kind::Value(value) => value.clone(),
        Kind::List(items, tail) => {
            let items: Option<Vec<_>> = items.iter().map(|(_, item)| normalise(item)).collect();
            trunkline::List::with_tail(items?, normalise(tail)?)
        }
        Kind::Tuple(items) => {
            let items: Option<Vec<_>> = items.iter().map(normalise).collect();
            Term::Tuple(items?.into())
        }
        Kind::Map(None, fields) => {
            let mut map = Map::default();
            for field in fields {
                if field.exact {
                    return None;
                }
                map.insert(normalise(&field.key)?, normalise(&field.value)?);
            }
            Term::Map(map)
        }
        Kind::Bin(elements) if elements.iter().all(|e| e.size.is_none()) => {
            let mut bytes = Vec::new();
            for element in elements {
                let wide = element.types.as_ref().is_some_and(|types| types.iter().any(|t| t.0 == *"utf8"));
                match (&element.value.kind, wide) {
                    (Kind::String(text), true) => {
                        bytes.extend(
                            text.iter().filter_map(|c| char::from_u32(*c)).collect::<String>().bytes(),
                        );
                    }
                    (Kind::String(text), false) => bytes.extend(text.iter().map(|c| *c as u8)),
                    (Kind::Integer(Term::Int(number)), false) => bytes.push(*number as u8),
                    _ => return None,
                }
            }
            Term::Binary(bytes.into())
        }
        Kind::Op1("+", inner) => normalise(inner).filter(is_number)?,
        Kind::Op1("-", inner) => match normalise(inner)? {
            Term::Int(number) => Term::from(-num_bigint::BigInt::from(number)),
            Term::Big(number) => Term::from(-(*number).clone()),
            Term::Float(number) => Term::Float(-number),
            _ => return None,
        },
        Kind::FunRemote(m, f, a) => match (normalise(m)?, normalise(f)?, normalise(a)?) {
            (Term::Atom(module), Term::Atom(function), Term::Int(arity @ 0..=255)) => {
                let arity = arity as u8;
                Term::Export(Arc::new(trunkline::term::Export { module, function, arity }))
            }
            _ => return None,
        },
        _ => return None,
    })
}

fn is_number(term: &Term) -> bool {
    matches!(term, Term::Int(_) | Term::Big(_) | Term::Float(_))
}
