//! `string`: what looks at characters. What is made of these is `erl/string.erl`.

use trunkline::term::Term;

use super::Row;
use super::bits_text::chars;
use super::convert::string;
use super::lists::clause;
use crate::machine::code::Native::Pure;
use crate::raise::{Raise, Result};

pub(super) const TABLE: &[Row] = &[
    ("length", 1, Pure(|a| Ok(Term::Int(read(&a[0])?.chars().count() as i64)))),
    ("to_graphemes", 1, Pure(|a| Ok(string(&read(&a[0])?)))),
    ("uppercase", 1, Pure(|a| alike(&a[0], |text| text.to_uppercase()))),
    ("lowercase", 1, Pure(|a| alike(&a[0], |text| text.to_lowercase()))),
    ("casefold", 1, Pure(|a| alike(&a[0], |text| text.to_lowercase()))),
    (
        "titlecase",
        1,
        Pure(|a| {
            alike(&a[0], |text| {
                let mut rest = text.chars();
                let first: String = rest.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
                first + rest.as_str()
            })
        }),
    ),
    (
        "reverse",
        1,
        Pure(|a| {
            let text: String = read(&a[0])?.chars().rev().collect();
            Ok(string(&text))
        }),
    ),
    ("is_empty", 1, Pure(|a| Ok(super::args::boolean(read(&a[0])?.is_empty())))),
    ("to_integer", 1, Pure(|a| number(&a[0], false))),
    ("to_float", 1, Pure(|a| number(&a[0], true))),
];

fn read(term: &Term) -> Result<String> {
    match term {
        Term::Binary(_) => chars(term).ok_or_else(|| Raise::with("badarg", term.clone())),
        _ => clause(chars(term).ok_or_else(Raise::badarg)),
    }
}

/// A text of the type that came: a binary of a binary, a list of a list.
fn alike(term: &Term, how: impl FnOnce(&str) -> String) -> Result<Term> {
    let text = chars(term).ok_or_else(|| Raise::with("badarg", term.clone()))?;
    let text = how(&text);
    Ok(if matches!(term, Term::Binary(_)) { Term::binary(&text) } else { string(&text) })
}

/// `{Number, Rest}` or `{error, Reason}`.
fn number(term: &Term, float: bool) -> Result<Term> {
    let error = |reason: &str| Ok(Term::tuple([Term::atom("error"), Term::atom(reason)]));
    let Some(text) = chars(term) else { return error("badarg") };
    let sign = usize::from(text.starts_with(['+', '-']));
    let digits = |from: usize| text[from..].bytes().take_while(u8::is_ascii_digit).count();
    let whole = sign + digits(sign);
    let mut end = whole;
    if whole > sign && float {
        let point = text[whole..].starts_with(['.', ',']);
        let part = if point { digits(whole + 1) } else { 0 };
        if part == 0 {
            return error("no_float");
        }
        end = whole + 1 + part;
        if text[end..].starts_with(['e', 'E']) {
            let sign = usize::from(text[end + 1..].starts_with(['+', '-']));
            let power = digits(end + 1 + sign);
            if power > 0 {
                end += 1 + sign + power;
            }
        }
    }
    if whole == sign {
        return error(if float { "no_float" } else { "no_integer" });
    }
    let read = text[..end].replace(',', ".");
    let value = if float {
        super::convert::read_float(&read).ok()
    } else {
        crate::lexer::integer(read.trim_start_matches(['+', '-']), 10).and_then(|number| {
            if read.starts_with('-') { crate::machine::numbers::negate(&[number]).ok() } else { Some(number) }
        })
    };
    let rest =
        if matches!(term, Term::Binary(_)) { Term::binary(&text[end..]) } else { string(&text[end..]) };
    match value {
        Some(value) => Ok(Term::tuple([value, rest])),
        None => error(if float { "no_float" } else { "no_integer" }),
    }
}
