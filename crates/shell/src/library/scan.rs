//! `erl_scan` and `erl_parse`: what people call by hand.

use trunkline::Atom;
use trunkline::term::Term;

use super::Row;
use super::args::{ok, text};
use super::convert::string;
use crate::abstract_form::{read_exprs, write_clauses, write_expr, write_exprs};
use crate::lexer::{self, Loc, Tok, Token};
use crate::machine::code::Native::Pure;
use crate::parser::{self, Attribute, Form};
use crate::raise::{Raise, Result};

pub(super) const SCAN: &[Row] = &[
    ("string", 1, Pure(|a| scan(&a[0], Loc::new(1, 0)))),
    ("string", 2, Pure(|a| scan(&a[0], crate::abstract_form::read_loc(&a[1])))),
    (
        "reserved_word",
        1,
        Pure(|a| {
            let name = super::args::atom(&a[0])?;
            Ok(super::args::boolean(lexer::RESERVED.iter().any(|word| *name == **word)))
        }),
    ),
];

pub(super) const PARSE: &[Row] = &[
    ("parse_exprs", 1, Pure(|a| parse(&a[0], |tokens| parser::exprs(tokens).map(|body| write_exprs(&body))))),
    (
        "parse_term",
        1,
        Pure(|a| {
            parse(&a[0], |tokens| {
                let body = parser::exprs(tokens)?;
                let bad = |loc| parser::ParseError { loc, what: "bad term".to_owned() };
                match body.as_slice() {
                    [one] => parser::normalise(one).ok_or_else(|| bad(one.first())),
                    more => Err(bad(more.get(1).map_or_else(Loc::default, |expr| expr.first()))),
                }
            })
        }),
    ),
    (
        "normalise",
        1,
        Pure(|a| {
            let exprs = read_exprs(&Term::list([a[0].clone()])).map_err(|_| Raise::badarg())?;
            exprs.first().and_then(parser::normalise).ok_or_else(|| Raise::with("badarg", a[0].clone()))
        }),
    ),
    ("parse_form", 1, Pure(|a| parse(&a[0], |tokens| written(parser::form(tokens)?)))),
];

fn scan(source: &Term, start: Loc) -> Result<Term> {
    let source = text(source)?;
    match lexer::tokens(&source, start) {
        Ok(tokens) => {
            let end = tokens.last().map_or(start, |token| token.end);
            let tokens = Term::list(tokens.iter().map(Token::to_term));
            Ok(Term::tuple([Term::atom("ok"), tokens, end.to_term()]))
        }
        Err(error) => {
            let what = Term::tuple([error.loc.to_term(), Term::atom("erl_scan"), string(&error.what)]);
            Ok(Term::tuple([Term::atom("error"), what, error.loc.to_term()]))
        }
    }
}

fn parse(
    tokens: &Term,
    how: impl FnOnce(&[Token]) -> std::result::Result<Term, parser::ParseError>,
) -> Result<Term> {
    let tokens = super::args::items(tokens)?;
    let tokens: Option<Vec<Token>> = tokens.iter().map(token).collect();
    match how(&tokens.ok_or_else(Raise::badarg)?) {
        Ok(value) => Ok(ok(value)),
        Err(error) => {
            let words = match error.what.split_once("before: ") {
                Some((before, token)) => Term::list([string(&format!("{before}before: ")), string(token)]),
                None => string(&error.what),
            };
            let what = Term::tuple([error.loc.to_term(), Term::atom("erl_parse"), words]);
            Ok(Term::tuple([Term::atom("error"), what]))
        }
    }
}

fn token(term: &Term) -> Option<Token> {
    let word = |name: &str| {
        let all = lexer::words();
        all.into_iter().find(|word| *word == name).map(Tok::Word)
    };
    let (loc, tok) = match term.as_tuple()? {
        [kind, loc] => match kind.as_atom()?.as_str() {
            "dot" => (loc, Tok::Dot),
            name => (loc, word(name)?),
        },
        [kind, loc, value] => (
            loc,
            match (kind.as_atom()?.as_str(), value) {
                ("atom", Term::Atom(atom)) => Tok::Atom(atom.clone()),
                ("var", Term::Atom(name)) => Tok::Var(name.clone()),
                ("integer", number) => Tok::Integer(number.clone()),
                ("float", Term::Float(number)) => Tok::Float(*number),
                ("char", Term::Int(c)) => Tok::Char(u32::try_from(*c).ok()?),
                ("string", value) => Tok::Str(text(value).ok()?.chars().map(|c| c as u32).collect()),
                _ => return None,
            },
        ),
        _ => return None,
    };
    let loc = crate::abstract_form::read_loc(loc);
    Some(Token { loc, end: loc, tok })
}

/// A form as a term. What types and specifications say is not kept by the parser.
fn written(form: Form) -> std::result::Result<Term, parser::ParseError> {
    let names = |list: Vec<(Atom, usize)>| {
        Term::list(list.into_iter().map(|(name, arity)| Term::tuple([name.into(), Term::Int(arity as i64)])))
    };
    let (loc, kind, value) = match form {
        Form::Function { loc, name, arity, clauses } => {
            let arity = Term::Int(arity as i64);
            let all = write_clauses(&clauses);
            return Ok(Term::tuple([Term::atom("function"), loc.to_term(), name.into(), arity, all]));
        }
        Form::Attribute(loc, Attribute::Module(name)) => (loc, Atom::new("module"), name.into()),
        Form::Attribute(loc, Attribute::Export(list)) => (loc, Atom::new("export"), names(list)),
        Form::Attribute(loc, Attribute::Import(module, list)) => {
            (loc, Atom::new("import"), Term::tuple([module.into(), names(list)]))
        }
        Form::Attribute(loc, Attribute::Record(record)) => {
            let fields = record.fields.iter().map(|(loc, name, default)| {
                let name = Term::tuple([Term::atom("atom"), loc.to_term(), name.clone().into()]);
                let mut field = vec![Term::atom("record_field"), loc.to_term(), name];
                field.extend(default.as_ref().map(write_expr));
                Term::Tuple(field.into())
            });
            (loc, Atom::new("record"), Term::tuple([record.name.clone().into(), Term::list(fields)]))
        }
        Form::Attribute(loc, Attribute::Other(name, value)) => (loc, name, value),
        Form::Attribute(loc, Attribute::Type(name)) => {
            return Err(parser::ParseError { loc, what: format!("-{name} is not kept here") });
        }
    };
    Ok(Term::tuple([Term::atom("attribute"), loc.to_term(), kind.into(), value]))
}
