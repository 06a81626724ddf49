//! `string`. Characters are code points here, OTP's are grapheme clusters: the two differ where marks combine.

use term::Term;

use super::{Answer, Fault, Module, args, lists};
use args::{boolean, chardata, charlist, count, int, items, number};

pub(super) const MODULE: Module = Module {
    name: "string",
    unfit: "badarg",
    near: &[
        ("length", 1, |_, a| Ok(number(chardata(&a[0])?.chars().count()))),
        ("len", 1, |_, a| Ok(number(args::list(&a[0])?.len()))),
        ("is_empty", 1, |_, a| Ok(boolean(chardata(&a[0])?.is_empty()))),
        ("equal", 2, |_, a| Ok(boolean(chardata(&a[0])? == chardata(&a[1])?))),
        ("uppercase", 1, |_, a| like(&a[0], |text| text.chars().flat_map(char::to_uppercase).collect())),
        ("lowercase", 1, |_, a| like(&a[0], |text| text.chars().flat_map(char::to_lowercase).collect())),
        ("casefold", 1, |_, a| like(&a[0], |text| text.chars().flat_map(char::to_lowercase).collect())),
        ("to_upper", 1, |_, a| latin1(&a[0], true)),
        ("to_lower", 1, |_, a| latin1(&a[0], false)),
        ("reverse", 1, |_, a| Ok(Term::string(&chardata(&a[0])?.chars().rev().collect::<String>()))),
        ("trim", 1, |_, a| like(&a[0], |text| text.trim_matches(is_space).to_owned())),
        ("trim", 2, |_, a| trim(&a[0], &a[1], is_space)),
        ("trim", 3, |_, a| {
            let letters = charlist(&a[2])?;
            trim(&a[0], &a[1], |c| letters.contains(c))
        }),
        ("strip", 1, |_, a| like(&a[0], |text| text.trim_matches(' ').to_owned())),
        ("split", 2, |_, a| split(&a[0], &a[1], "leading")),
        ("split", 3, |_, a| split(&a[0], &a[1], args::atom(&a[2])?.as_str())),
        ("lexemes", 2, |_, a| lexemes(&a[0], &a[1])),
        ("tokens", 2, |_, a| lexemes(&a[0], &a[1])),
        ("concat", 2, |_, a| Ok(term::List::with_tail(items(&a[0])?, a[1].clone()))),
        ("join", 2, join),
        ("slice", 2, |_, a| slice(&a[0], &a[1], None)),
        ("slice", 3, |_, a| slice(&a[0], &a[1], Some(&a[2]))),
        ("substr", 2, |_, a| slice(&a[0], &before(&a[1])?, None)),
        ("substr", 3, |_, a| slice(&a[0], &before(&a[1])?, Some(&a[2]))),
        ("find", 2, |_, a| find(a, "leading")),
        ("find", 3, |_, a| find(a, args::atom(&a[2])?.as_str())),
        ("prefix", 2, |_, a| {
            let (text, prefix) = (chardata(&a[0])?, chardata(&a[1])?);
            Ok(text.strip_prefix(&prefix).map_or(Term::atom("nomatch"), |rest| kind_of(&a[0], rest)))
        }),
        ("str", 2, |_, a| {
            let (text, wanted) = (charlist(&a[0])?, charlist(&a[1])?);
            let place = text.find(&wanted).map(|at| text[..at].chars().count() + 1);
            Ok(number(place.unwrap_or(0)))
        }),
        ("chr", 2, |_, a| {
            let at = args::list(&a[0])?.iter().position(|c| c == a[1]);
            Ok(number(at.map_or(0, |at| at + 1)))
        }),
        ("replace", 3, |_, a| replace(a, "leading")),
        ("replace", 4, |_, a| replace(a, args::atom(&a[3])?.as_str())),
        ("copies", 2, |_, a| {
            let (text, times) = (charlist(&a[0])?, count(&a[1])?);
            args::bounded(text.len().saturating_mul(times))?;
            Ok(Term::string(&text.repeat(times)))
        }),
        ("chars", 2, |_, a| {
            int(&a[0])?;
            Ok(Term::list(std::iter::repeat_n(a[0].clone(), args::bounded(count(&a[1])?)?)))
        }),
        ("to_integer", 1, |_, a| Ok(to_number(&a[0], false))),
        ("to_float", 1, |_, a| Ok(to_number(&a[0], true))),
    ],
    far: &[],
};

/// A text of the type that another one has: binary or list.
fn kind_of(model: &Term, text: &str) -> Term {
    if let Term::Binary(_) = model { Term::binary(text) } else { Term::string(text) }
}

fn like(term: &Term, change: impl FnOnce(String) -> String) -> Answer {
    Ok(kind_of(term, &change(chardata(term)?)))
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t'..='\r' | '\u{85}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}')
}

/// The old functions know Latin-1 only; of a character too.
fn latin1(term: &Term, upper: bool) -> Answer {
    let change = |code: i64| match u8::try_from(code).map(char::from) {
        // These two have their other case beyond.
        Ok('ÿ' | 'ß' | 'µ') | Err(_) => code,
        Ok(c) if upper => c.to_uppercase().next().map_or(code, |c| c as i64),
        Ok(c) => c.to_lowercase().next().map_or(code, |c| c as i64),
    };
    match term {
        Term::Int(code) => Ok(Term::Int(change(*code))),
        list => {
            let codes = items(list)?;
            let codes = codes.iter().map(|code| Ok(Term::Int(change(int(code)?))));
            Ok(Term::list(codes.collect::<Result<Vec<_>, Fault>>()?))
        }
    }
}

fn trim(term: &Term, end: &Term, goes: impl Fn(char) -> bool) -> Answer {
    let text = chardata(term)?;
    let left = match args::atom(end)?.as_str() {
        "leading" => text.trim_start_matches(&goes),
        "trailing" => text.trim_end_matches(&goes),
        "both" => text.trim_start_matches(&goes).trim_end_matches(&goes),
        _ => return Err(Fault::Unfit),
    };
    Ok(kind_of(term, left))
}

fn split(term: &Term, pattern: &Term, end: &str) -> Answer {
    let (text, pattern) = (chardata(term)?, chardata(pattern)?);
    let parts: Vec<&str> = match end {
        "leading" | "trailing" | "all" if pattern.is_empty() => vec![&text],
        "leading" => text.split_once(&pattern).map_or(vec![&*text], |(left, right)| vec![left, right]),
        "trailing" => text.rsplit_once(&pattern).map_or(vec![&*text], |(left, right)| vec![left, right]),
        "all" => text.split(&pattern).collect(),
        _ => return Err(Fault::Unfit),
    };
    Ok(Term::list(parts.into_iter().map(|part| kind_of(term, part))))
}

fn lexemes(term: &Term, separators: &Term) -> Answer {
    let (text, separators) = (chardata(term)?, charlist(separators)?);
    let words = text.split(|c| separators.contains(c)).filter(|word| !word.is_empty());
    Ok(Term::list(words.map(|word| kind_of(term, word))))
}

fn join(_: &mut runtime::Ctx, a: &[Term]) -> Answer {
    let mut joined = Vec::new();
    for (at, part) in items(&a[0])?.iter().enumerate() {
        if at > 0 {
            joined.extend(items(&a[1])?);
        }
        joined.extend(items(part)?);
        args::bounded(joined.len())?;
    }
    Ok(Term::list(joined))
}

/// Counted from 1 to counted from 0.
fn before(place: &Term) -> Answer {
    Ok(Term::Int(int(place)?.checked_sub(1).ok_or(Fault::Unfit)?))
}

fn slice(term: &Term, start: &Term, length: Option<&Term>) -> Answer {
    let start = count(start)?;
    let length = match length {
        None => usize::MAX,
        Some(Term::Atom(word)) if *word == "infinity" => usize::MAX,
        Some(length) => count(length)?,
    };
    like(term, |text| text.chars().skip(start).take(length).collect())
}

fn find(a: &[Term], end: &str) -> Answer {
    let (text, pattern) = (chardata(&a[0])?, chardata(&a[1])?);
    let at = match end {
        "leading" => text.find(&pattern),
        "trailing" => text.rfind(&pattern),
        _ => return Err(Fault::Unfit),
    };
    Ok(at.map_or(Term::atom("nomatch"), |at| kind_of(&a[0], &text[at..])))
}

/// The parts with the replacement between them.
fn replace(a: &[Term], end: &str) -> Answer {
    let parts = split(&a[0], &a[1], end)?;
    lists::joined(&a[2], &parts)
}

/// `{Number, Rest}`, or `{error, no_integer}`.
fn to_number(term: &Term, real: bool) -> Term {
    let Ok(text) = chardata(term) else { return args::error(Term::atom("badarg")) };
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let sign = usize::from(text.starts_with(['+', '-']));
    let whole = sign + digits(&text[sign..]);
    let fraction = text[whole..].strip_prefix('.').map_or(0, digits);
    let (end, missing) = match real {
        false => (whole, whole == sign),
        true => (whole + 1 + fraction, whole == sign || fraction == 0),
    };
    if missing {
        return args::error(Term::atom(if real { "no_float" } else { "no_integer" }));
    }
    let rest = kind_of(term, &text[end..]);
    let value = match real {
        true => text[..end].parse().map(Term::Float).ok(),
        false => term::read::read_term(text[..end].trim_start_matches('+')).ok(),
    };
    value.map_or(args::error(Term::atom("badarg")), |value| Term::tuple([value, rest]))
}
