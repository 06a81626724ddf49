//! `string`: what looks at characters. What is made of these is `erl/string.erl`.

use trunkline::term::Term;

use super::Row;
use super::args::boolean;
use super::bits_text::chars;
use super::convert::string;
use super::graphemes;
use super::lists::clause;
use crate::machine::code::Native::Pure;
use crate::raise::{Raise, Result};

pub(super) const TABLE: &[Row] = &[
    ("length", 1, Pure(|a| Ok(Term::Int(graphemes::count(&read(&a[0])?) as i64)))),
    ("to_graphemes", 1, Pure(|a| Ok(Term::list(graphemes::clusters(&read(&a[0])?))))),
    ("uppercase", 1, Pure(|a| alike(&a[0], graphemes::upper))),
    ("lowercase", 1, Pure(|a| alike(&a[0], graphemes::lower))),
    ("casefold", 1, Pure(|a| alike(&a[0], graphemes::folded))),
    ("titlecase", 1, Pure(|a| alike(&a[0], graphemes::titled))),
    ("reverse", 1, Pure(|a| Ok(Term::list(graphemes::clusters(&graphemes::reversed(&read(&a[0])?)))))),
    (
        "next_codepoint",
        1,
        Pure(|a| next(&a[0], |text| text.chars().next().map(|c| (Term::Int(c as i64), c.len_utf8())))),
    ),
    ("next_grapheme", 1, Pure(|a| next(&a[0], graphemes::first))),
    ("jaro_similarity", 2, Pure(|a| Ok(Term::Float(graphemes::jaro(&read(&a[0])?, &read(&a[1])?))))),
    ("equal", 2, Pure(|a| Ok(boolean(read(&a[0])? == read(&a[1])?)))),
    ("equal", 3, Pure(|a| Ok(boolean(folded(&a[0], &a[2])? == folded(&a[1], &a[2])?)))),
    (
        "equal",
        4,
        Pure(|a| {
            let (one, two) = (folded(&a[0], &a[2])?, folded(&a[1], &a[2])?);
            let form = match super::args::atom(&a[3])?.as_str() {
                "none" => return Ok(boolean(one == two)),
                "nfc" => super::unicode::nfc,
                "nfd" => super::unicode::nfd,
                "nfkc" => super::unicode::nfkc,
                "nfkd" => super::unicode::nfkd,
                _ => return Err(Raise::named("function_clause")),
            };
            Ok(boolean(form(&one) == form(&two)))
        }),
    ),
    ("is_empty", 1, Pure(|a| Ok(boolean(read(&a[0])?.is_empty())))),
    ("to_integer", 1, Pure(|a| number(&a[0], false))),
    ("to_float", 1, Pure(|a| number(&a[0], true))),
];

fn folded(term: &Term, ignoring: &Term) -> Result<String> {
    let text = read(term)?;
    match ignoring {
        no if no.is_atom("false") => Ok(text),
        yes if yes.is_atom("true") => Ok(graphemes::folded(&text)),
        _ => Err(Raise::named("function_clause")),
    }
}

/// What comes first, before the rest; of what is no text an `error` with it.
fn next(term: &Term, first: impl Fn(&str) -> Option<(Term, usize)>) -> Result<Term> {
    if let Term::Binary(binary) = term
        && std::str::from_utf8(binary.as_slice()).is_err()
    {
        let (good, bytes) = (binary.as_slice().utf8_chunks().next(), binary.as_slice());
        let good = good.map_or("", |chunk| chunk.valid());
        return Ok(match first(good) {
            Some((first, length)) => {
                Term::List(trunkline::List::cons(first, Term::Binary(bytes[length..].into())))
            }
            None => Term::tuple([Term::atom("error"), term.clone()]),
        });
    }
    let text = read(term)?;
    let Some((first, length)) = first(&text) else { return Ok(Term::NIL) };
    let rest = &text[length..];
    let rest = if matches!(term, Term::Binary(_)) { Term::binary(rest) } else { string(rest) };
    Ok(Term::List(trunkline::List::cons(first, rest)))
}

fn read(term: &Term) -> Result<String> {
    match term {
        Term::Binary(_) => chars(term).ok_or_else(|| Raise::with("badarg", term.clone())),
        _ => clause(chars(term).ok_or_else(Raise::badarg)),
    }
}

/// A text of the type that came: a binary of a binary, a list of a list.
fn alike(term: &Term, how: fn(&str) -> String) -> Result<Term> {
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
