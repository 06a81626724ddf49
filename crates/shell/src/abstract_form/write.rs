//! Trees as terms.

use trunkline::term::{Atom, List, Term};

use crate::ast::{BinElement, Clause, Expr, Generator, Kind, Loc, MapField, Over, Qualifier, RecordField};
use crate::lexer::characters;

fn tagged<const N: usize>(tag: &str, loc: Loc, rest: [Term; N]) -> Term {
    let mut items = vec![Term::atom(tag), loc.to_term()];
    items.extend(rest);
    Term::Tuple(items.into())
}

/// A body.
pub fn exprs(body: &[Expr]) -> Term {
    Term::list(body.iter().map(expr))
}

/// Clauses.
pub fn clauses(clauses: &[Clause]) -> Term {
    Term::list(clauses.iter().map(|clause| {
        let guards = Term::list(clause.guards.iter().map(|tests| exprs(tests)));
        tagged("clause", clause.loc, [exprs(&clause.patterns), guards, exprs(&clause.body)])
    }))
}

/// An expression.
pub fn expr(this: &Expr) -> Term {
    let loc = this.loc;
    match &this.kind {
        Kind::Var(name) => tagged("var", loc, [name.clone().into()]),
        Kind::Integer(number) => tagged("integer", loc, [number.clone()]),
        Kind::Float(number) => tagged("float", loc, [Term::Float(*number)]),
        Kind::Char(c) => tagged("char", loc, [Term::Int((*c).into())]),
        Kind::Atom(atom) => tagged("atom", loc, [atom.clone().into()]),
        Kind::String(text) => tagged("string", loc, [characters(text)]),
        Kind::Nil => tagged("nil", loc, []),
        Kind::List(items, tail) => {
            items.iter().rev().fold(expr(tail), |tail, (loc, item)| tagged("cons", *loc, [expr(item), tail]))
        }
        Kind::Tuple(items) => tagged("tuple", loc, [exprs(items)]),
        Kind::Map(on, fields) => {
            let fields = Term::list(fields.iter().map(map_field));
            match on {
                Some(on) => tagged("map", loc, [expr(on), fields]),
                None => tagged("map", loc, [fields]),
            }
        }
        Kind::Record(..) | Kind::RecordIndex(..) | Kind::RecordField(..) => record(this),
        Kind::Bin(elements) => tagged("bin", loc, [Term::list(elements.iter().map(bin_element))]),
        Kind::Lc(template, parts) => tagged("lc", loc, [expr(template), qualifiers(parts)]),
        Kind::Bc(template, parts) => tagged("bc", loc, [expr(template), qualifiers(parts)]),
        Kind::Mc(template, parts) => tagged("mc", loc, [map_field(template), qualifiers(parts)]),
        Kind::Block(body) => tagged("block", loc, [exprs(body)]),
        Kind::Match(left, right) => tagged("match", loc, [expr(left), expr(right)]),
        Kind::MaybeMatch(left, right) => tagged("maybe_match", loc, [expr(left), expr(right)]),
        Kind::Op1(op, inner) => tagged("op", loc, [Term::atom(op), expr(inner)]),
        Kind::Op2(op, left, right) => tagged("op", loc, [Term::atom(op), expr(left), expr(right)]),
        Kind::Call(function, arguments) => tagged("call", loc, [expr(function), exprs(arguments)]),
        Kind::Remote(module, function) => tagged("remote", loc, [expr(module), expr(function)]),
        Kind::Catch(inner) => tagged("catch", loc, [expr(inner)]),
        Kind::Value(value) => tagged("value", loc, [value.clone()]),
        _ => structured(this),
    }
}

/// Expressions made of clauses, and funs.
fn structured(this: &Expr) -> Term {
    let loc = this.loc;
    match &this.kind {
        Kind::If(branches) => tagged("if", loc, [clauses(branches)]),
        Kind::Case(value, branches) => tagged("case", loc, [expr(value), clauses(branches)]),
        Kind::Receive(branches, None) => tagged("receive", loc, [clauses(branches)]),
        Kind::Receive(branches, Some((time, body))) => {
            tagged("receive", loc, [clauses(branches), expr(time), exprs(body)])
        }
        Kind::Try(parts) => {
            let of = clauses(&parts.of);
            tagged("try", loc, [exprs(&parts.body), of, clauses(&parts.catch), exprs(&parts.after)])
        }
        Kind::Maybe(body, None) => tagged("maybe", loc, [exprs(body)]),
        Kind::Maybe(body, Some((at, branches))) => {
            tagged("maybe", loc, [exprs(body), tagged("else", *at, [clauses(branches)])])
        }
        Kind::FunLocal(name, arity) => {
            let arity = Term::Int((*arity).into());
            tagged("fun", loc, [Term::tuple([Term::atom("function"), name.clone().into(), arity])])
        }
        Kind::FunRemote(m, f, a) => {
            tagged("fun", loc, [Term::tuple([Term::atom("function"), expr(m), expr(f), expr(a)])])
        }
        Kind::Fun(branches) => tagged("fun", loc, [Term::tuple([Term::atom("clauses"), clauses(branches)])]),
        Kind::NamedFun(name, branches) => tagged("named_fun", loc, [name.clone().into(), clauses(branches)]),
        _ => Term::NIL,
    }
}

fn record(this: &Expr) -> Term {
    let loc = this.loc;
    let fields = |fields: &[RecordField]| {
        Term::list(fields.iter().map(|f| tagged("record_field", f.loc, [expr(&f.name), expr(&f.value)])))
    };
    match &this.kind {
        Kind::Record(None, name, of) => tagged("record", loc, [name.clone().into(), fields(of)]),
        Kind::Record(Some(on), name, of) => {
            tagged("record", loc, [expr(on), name.clone().into(), fields(of)])
        }
        Kind::RecordIndex(name, field) => tagged("record_index", loc, [name.clone().into(), expr(field)]),
        Kind::RecordField(on, name, field) => {
            tagged("record_field", loc, [expr(on), name.clone().into(), expr(field)])
        }
        _ => Term::NIL,
    }
}

fn map_field(field: &MapField) -> Term {
    let tag = if field.exact { "map_field_exact" } else { "map_field_assoc" };
    tagged(tag, field.loc, [expr(&field.key), expr(&field.value)])
}

fn bin_element(element: &BinElement) -> Term {
    let default = || Term::atom("default");
    let size = element.size.as_ref().map_or_else(default, expr);
    let types = element
        .types
        .as_ref()
        .map_or_else(default, |types| Term::List(types.iter().map(bit_type).collect::<List>()));
    tagged("bin_element", element.loc, [expr(&element.value), size, types])
}

fn bit_type((name, unit): &(Atom, Option<i64>)) -> Term {
    match unit {
        Some(unit) => Term::tuple([name.clone().into(), Term::Int(*unit)]),
        None => name.clone().into(),
    }
}

fn qualifiers(parts: &[Qualifier]) -> Term {
    Term::list(parts.iter().map(|part| match part {
        Qualifier::Filter(test) => expr(test),
        Qualifier::Generate(this) => generator(this),
        Qualifier::Zip(loc, these) => tagged("zip", *loc, [Term::list(these.iter().map(generator))]),
    }))
}

fn generator(this: &Generator) -> Term {
    let tag = match (this.over, this.strict) {
        (Over::List, false) => "generate",
        (Over::List, true) => "generate_strict",
        (Over::Bits, false) => "b_generate",
        (Over::Bits, true) => "b_generate_strict",
        (Over::Map, false) => "m_generate",
        (Over::Map, true) => "m_generate_strict",
    };
    let pattern = match &this.value {
        Some(value) => tagged("map_field_exact", this.loc, [expr(&this.pattern), expr(value)]),
        None => expr(&this.pattern),
    };
    tagged(tag, this.loc, [pattern, expr(&this.from)])
}
