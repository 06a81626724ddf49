//! What is wrong with the arguments of `io:format`, as OTP's `erl_stdlib_errors` says it.

use trunkline::Term;

/// For each wrong argument its number, from 1, and what is wrong with it; number 0 is about all of them.
pub(super) fn wrong(given: &[Term]) -> Vec<(usize, String)> {
    let none = Term::NIL;
    let (behind, text, arguments) = match given {
        [text] => (0, text, &none),
        [text, arguments] => (0, text, arguments),
        [_, text, arguments] => (1, text, arguments),
        _ => return Vec::new(),
    };
    if behind == 1 && !matches!(given[0], Term::Pid(_)) {
        return vec![(1, "the device does not exist".to_owned())];
    }
    let at = |number: usize, what: &str| vec![(number + behind, what.to_owned())];
    let Some(format) = text_of(text) else {
        let mut told = at(1, "not a valid format string");
        if let Some(what) = list(arguments) {
            told.extend(at(2, what));
        }
        if matches!(text, Term::Pid(_)) && text_of(arguments).is_some() {
            told.push((0, "possibly missing argument list".to_owned()));
        }
        return told;
    };
    if let Some(what) = list(arguments) {
        return at(2, what);
    }
    let kinds = match kinds(&format) {
        Ok(kinds) => kinds,
        Err(why) => return at(1, &format!("format string invalid ({why})")),
    };
    let arguments: Vec<Term> = arguments.as_list().map(|list| list.iter().collect()).unwrap_or_default();
    if kinds.len() != arguments.len() {
        let mut told = at(1, "wrong number of arguments");
        if matches!(text, Term::Atom(_)) {
            told.push((0, "possibly missing argument list".to_owned()));
        }
        return told;
    }
    let wrong = kinds.iter().zip(&arguments).enumerate().filter(|(_, (kind, value))| !kind.fits(value));
    let wrong: Vec<String> = wrong
        .map(|(number, (kind, _))| format!("element {} must be of type {}", number + 1, kind.name()))
        .collect();
    match wrong.is_empty() {
        true => at(1, "failed to format string"),
        false => at(2, &wrong.join("\n")),
    }
}

fn text_of(term: &Term) -> Option<String> {
    match term {
        Term::Atom(name) => Some(name.as_str().to_owned()),
        Term::Binary(bytes) => Some(String::from_utf8_lossy(bytes.as_slice()).into_owned()),
        other => crate::library::text(other).ok(),
    }
}

fn list(term: &Term) -> Option<&'static str> {
    match term.as_list() {
        None => Some("not a list"),
        Some(list) if list.improper_tail().is_some() => Some("not a proper list"),
        Some(_) => None,
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Any,
    Float,
    Integer,
    Text,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Any => "term",
            Kind::Float => "float",
            Kind::Integer => "integer",
            Kind::Text => "string",
        }
    }

    fn fits(self, value: &Term) -> bool {
        match self {
            Kind::Any => true,
            Kind::Float => matches!(value, Term::Float(_)),
            Kind::Integer => matches!(value, Term::Int(_) | Term::Big(_)),
            Kind::Text => {
                matches!(value, Term::Atom(_) | Term::Binary(_))
                    || crate::library::iodata(value).is_ok()
                    || crate::library::text(value).is_ok()
            }
        }
    }
}

/// What the control sequences of a format take.
fn kinds(format: &str) -> Result<Vec<Kind>, String> {
    let mut kinds = Vec::new();
    let mut rest = format.chars().peekable();
    while let Some(c) = rest.next() {
        if c != '~' {
            continue;
        }
        let truncated = || "truncated".to_owned();
        // Width, precision and padding, each of which may be an argument.
        for _ in 0..3 {
            if rest.next_if_eq(&'*').is_some() {
                kinds.push(Kind::Integer);
            } else {
                while rest.next_if(|c| c.is_ascii_digit() || *c == '-').is_some() {}
            }
            if rest.next_if_eq(&'.').is_none() {
                break;
            }
        }
        let mut seen = String::new();
        while let Some(modifier) = rest.next_if(|c| matches!(c, 't' | 'l' | 'k' | 'K')) {
            seen.push(modifier);
        }
        match rest.next().ok_or_else(truncated)? {
            '~' | 'n' => {}
            'i' | 'w' | 'p' => kinds.push(Kind::Any),
            'W' | 'P' => kinds.extend([Kind::Any, Kind::Integer]),
            's' => kinds.push(Kind::Text),
            'e' | 'f' | 'g' => kinds.push(Kind::Float),
            'b' | 'B' | '+' | '#' | 'c' => kinds.push(Kind::Integer),
            'x' | 'X' => kinds.extend([Kind::Integer, Kind::Text]),
            other => return Err(format!("invalid control ~{seen}{other}")),
        }
    }
    Ok(kinds)
}
