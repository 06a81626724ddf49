//! `erl_eval`: abstract expressions, with the names that are bound before and after.

use std::collections::BTreeMap;

use trunkline::Atom;
use trunkline::term::Term;

use super::Row;
use super::args::text;
use super::convert::string;
use crate::abstract_form::read_exprs;
use crate::ast::Body;
use crate::lexer::{self, Loc, Scan};
use crate::machine::Wait;
use crate::machine::code::After;
use crate::machine::code::Native::Step;
use crate::parser;
use crate::raise::{Raise, Result};

pub(super) const TABLE: &[Row] = &[
    ("exprs", 2, Step(|_, _, a| exprs(&a[0], &a[1]))),
    ("exprs", 3, Step(|_, _, a| exprs(&a[0], &a[1]))),
    ("exprs", 4, Step(|_, _, a| exprs(&a[0], &a[1]))),
    ("expr", 2, Step(|_, _, a| exprs(&Term::list([a[0].clone()]), &a[1]))),
    ("expr", 3, Step(|_, _, a| exprs(&Term::list([a[0].clone()]), &a[1]))),
    ("expr", 4, Step(|_, _, a| exprs(&Term::list([a[0].clone()]), &a[1]))),
    ("eval_str", 1, Step(|_, _, a| eval_str(&a[0]))),
];

fn exprs(body: &Term, bindings: &Term) -> Result<After> {
    let body = read_exprs(body).map_err(|_| Raise::badarg())?;
    let pairs: Vec<(Term, Term)> = match bindings {
        Term::Map(map) => map.pairs().to_vec(),
        other => super::erlang::map_of(other)?.pairs().to_vec(),
    };
    let bound = pairs.into_iter().filter_map(|(name, value)| Some((name.as_atom()?.clone(), value)));
    Ok(After::Wait(Wait::Evaluate(body, bound.collect(), Shape::Bindings)))
}

/// What the answer of an evaluation looks like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// `{value, Value, Bindings}`.
    Bindings,
    /// `{ok, Value}` or `{error, Text}`.
    Text,
}

impl Shape {
    /// The answer.
    ///
    /// # Errors
    /// What was raised, where the shape does not put it into words.
    pub(crate) fn answer(self, value: Result<Term>, bound: BTreeMap<Atom, Term>) -> Result<Term> {
        match (self, value) {
            (Shape::Bindings, value) => {
                let bound = bound.into_iter().map(|(name, value)| Term::tuple([name.into(), value]));
                Ok(Term::tuple([Term::atom("value"), value?, Term::list(bound)]))
            }
            (Shape::Text, Ok(value)) => Ok(Term::tuple([Term::atom("ok"), value])),
            (Shape::Text, Err(raise)) => {
                let caught = Term::tuple([Term::atom("EXIT"), raise.into_exit()]);
                Ok(error(&format!("*** eval: {caught:#}")))
            }
        }
    }
}

fn error(what: &str) -> Term {
    Term::tuple([Term::atom("error"), string(what)])
}

/// `erl_eval:eval_str/1`: one form of text.
fn eval_str(source: &Term) -> Result<After> {
    let source = match source {
        Term::Binary(bytes) => bytes.as_slice().iter().map(|byte| char::from(*byte)).collect(),
        other => text(other)?,
    };
    let body: std::result::Result<Body, String> = match lexer::form(&source, Loc::new(1, 0), false) {
        Ok(Scan::Form(tokens, taken)) if source.chars().skip(taken).all(char::is_whitespace) => {
            parser::exprs(&tokens).map_err(|wrong| format!("*** {}", wrong.what))
        }
        Ok(Scan::Form(_, taken)) => {
            let rest: String = source.chars().skip(taken).collect();
            Err(format!("Non-white space found after end-of-form :{rest}"))
        }
        Ok(_) => Err("Incomplete form (missing .<cr>)??".to_owned()),
        Err(wrong) => Err(wrong.what),
    };
    Ok(match body {
        Ok(body) => After::Wait(Wait::Evaluate(body, BTreeMap::new(), Shape::Text)),
        Err(what) => After::Value(error(&what)),
    })
}
