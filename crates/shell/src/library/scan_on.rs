//! `erl_scan:tokens/2,3,4`: tokens up to a dot, from text that comes in pieces.

use trunkline::term::Term;

use super::Row;
use super::args::text;
use super::convert::string;
use crate::abstract_form::read_loc;
use crate::lexer::{self, Loc, Scan, Token};
use crate::machine::code::Native::Pure;
use crate::raise::Result;

pub(super) const TABLE: &[Row] = &[
    ("tokens", 2, Pure(|a| go_on(&a[0], &a[1], Loc::new(1, 0)))),
    ("tokens", 3, Pure(|a| go_on(&a[0], &a[1], read_loc(&a[2])))),
    ("tokens", 4, Pure(|a| go_on(&a[0], &a[1], read_loc(&a[2])))),
];

/// A continuation is `[]`, or `{'-tokens', Text, Where}` with all that came so far.
fn go_on(continuation: &Term, more: &Term, start: Loc) -> Result<Term> {
    let (mut source, start) = match continuation.as_tuple() {
        Some([_, before, start]) => (text(before)?, read_loc(start)),
        _ => (String::new(), start),
    };
    let last = more.is_atom("eof");
    if !last {
        source.push_str(&text(more)?);
    }
    match lexer::form(&source, start, last) {
        Ok(Scan::More) => Ok(unfinished(&source, start)),
        Ok(Scan::Empty) if last => {
            let end = Term::tuple([Term::atom("eof"), start.to_term()]);
            Ok(done(end, Term::atom("eof")))
        }
        Ok(Scan::Empty) => Ok(unfinished(&source, start)),
        Ok(Scan::Form(tokens, taken)) => {
            let end = tokens.last().map_or(start, |token| token.end);
            let rest: String = source.chars().skip(taken).collect();
            let rest = if last && rest.is_empty() { Term::atom("eof") } else { string(&rest) };
            let tokens = Term::list(tokens.iter().map(Token::to_term));
            Ok(done(Term::tuple([Term::atom("ok"), tokens, end.to_term()]), rest))
        }
        Err(error) => {
            let what = [error.loc.to_term(), Term::atom("erl_scan"), string(&error.what)];
            let wrong = [Term::atom("error"), Term::tuple(what), error.loc.to_term()];
            // On with the next line.
            let rest = source.split_once('\n').map_or("", |(_, rest)| rest);
            Ok(done(Term::tuple(wrong), if last { Term::atom("eof") } else { string(rest) }))
        }
    }
}

fn done(result: Term, rest: Term) -> Term {
    Term::tuple([Term::atom("done"), result, rest])
}

fn unfinished(source: &str, start: Loc) -> Term {
    let continuation = Term::tuple([Term::atom("-tokens"), string(source), start.to_term()]);
    Term::Tuple(vec![Term::atom("more"), continuation].into())
}
