//! `re`: regular expressions as PCRE has them, matched by going back, with a ceiling of steps.

mod build;
mod options;
mod parse;
mod run;
mod tree;
mod weave;

use std::collections::BTreeMap;

use build::Program;
use options::{Capture, Options, Type};
use run::{Limit, Look, Machine, Newline};
use trunkline::term::Term;

use super::Row;
use super::args::{atom, ok};
use super::convert::string;
use crate::machine::code::Native::Pure;
use crate::raise::{Raise, Result};

pub(super) const TABLE: &[Row] = &[
    ("version", 0, Pure(|_| Ok(Term::binary("8.44 2020-02-12")))),
    ("compile", 1, Pure(|a| compile(&a[0], &Term::NIL))),
    ("compile", 2, Pure(|a| compile(&a[0], &a[1]))),
    ("inspect", 2, Pure(inspect)),
    ("run", 2, Pure(|a| run(&a[0], &a[1], &Term::NIL))),
    ("run", 3, Pure(|a| run(&a[0], &a[1], &a[2]))),
    ("replace", 3, Pure(|a| weave::replace(&a[0], &a[1], &a[2], &Term::NIL))),
    ("replace", 4, Pure(|a| weave::replace(&a[0], &a[1], &a[2], &a[3]))),
    ("split", 2, Pure(|a| weave::split(&a[0], &a[1], &Term::NIL))),
    ("split", 3, Pure(|a| weave::split(&a[0], &a[1], &a[2]))),
];

/// A pattern with the options it was made with.
struct Regex {
    program: Program,
    names: BTreeMap<String, Vec<usize>>,
    options: Options,
}

impl Regex {
    /// Reads a pattern: bytes of Latin-1 or UTF-8, as the options have it.
    fn new(pattern: &[u8], options: Options) -> std::result::Result<Regex, (String, usize)> {
        let told = |(what, place): (&str, usize)| (what.to_owned(), place);
        let (text, places) =
            characters(pattern, options.whole.unicode).ok_or_else(|| told(("invalid UTF-8 string", 0)))?;
        let parsed = parse::parse(&text, &places, options.flags, options.whole).map_err(told)?;
        let program =
            build::build(&parsed).ok_or_else(|| told(("regular expression is too large", pattern.len())))?;
        Ok(Regex { program, names: parsed.names, options })
    }

    fn groups(&self) -> usize {
        self.program.groups.len() - 1
    }
}

/// Characters, and where each begins (and the last ends).
fn characters(bytes: &[u8], unicode: bool) -> Option<(Vec<u32>, Vec<usize>)> {
    if !unicode {
        return Some((bytes.iter().map(|byte| u32::from(*byte)).collect(), (0..=bytes.len()).collect()));
    }
    let text = std::str::from_utf8(bytes).ok()?;
    let (mut codes, mut places) = (Vec::new(), Vec::new());
    for (place, c) in text.char_indices() {
        codes.push(c as u32);
        places.push(place);
    }
    places.push(text.len());
    Some((codes, places))
}

/// The bytes of a pattern or a subject.
fn bytes_of(data: &Term, unicode: bool) -> Result<Vec<u8>> {
    if !unicode {
        return super::args::iodata(data);
    }
    super::bits_text::chars(data).map(String::into_bytes).ok_or_else(Raise::badarg)
}

fn compile(pattern: &Term, options: &Term) -> Result<Term> {
    let read = Options::read(options)?;
    if read.of_run {
        return Err(Raise::badarg());
    }
    let bytes = bytes_of(pattern, read.whole.unicode)?;
    match Regex::new(&bytes, read) {
        Ok(regex) => {
            let flag = |set: bool| Term::Int(set.into());
            let crlf = matches!(regex.options.newline, Newline::CrLf | Newline::AnyCrLf | Newline::Any);
            let kept = Term::tuple([Term::atom("trunkline_re"), Term::Binary(bytes.into()), options.clone()]);
            Ok(ok(Term::tuple([
                Term::atom("re_pattern"),
                Term::Int(regex.groups() as i64),
                flag(regex.options.whole.unicode),
                flag(crlf),
                Term::Binary(trunkline::term::encode(&kept).into()),
            ])))
        }
        Err((what, place)) => {
            let wrong = Term::tuple([string(&what), Term::Int(place as i64)]);
            Ok(Term::tuple([Term::atom("error"), wrong]))
        }
    }
}

/// A pattern that was compiled before, or one that is now; with it the options of the call.
fn regex(pattern: &Term, options: &Term) -> Result<std::result::Result<(Regex, Options), (String, usize)>> {
    let read = Options::read(options)?;
    let Some([tag, _, _, _, Term::Binary(kept)]) = pattern.as_tuple() else {
        let bytes = bytes_of(pattern, read.whole.unicode)?;
        return Ok(Regex::new(&bytes, read.clone()).map(|regex| (regex, read)));
    };
    let kept = trunkline::term::decode(&kept.to_bytes()).map_err(|_| Raise::badarg())?;
    let Some([mine, Term::Binary(bytes), made_with]) = kept.as_tuple() else { return Err(Raise::badarg()) };
    if !tag.is_atom("re_pattern") || !mine.is_atom("trunkline_re") || read.of_compile {
        return Err(Raise::badarg());
    }
    let made_with = Options::read(made_with)?;
    let both = read.over(&made_with);
    Ok(Regex::new(bytes.as_slice(), made_with).map(|regex| (regex, both)))
}

fn inspect(a: &[Term]) -> Result<Term> {
    if !matches!(a[0], Term::Tuple(_)) || atom(&a[1])?.as_str() != "namelist" {
        return Err(Raise::badarg());
    }
    let (regex, _) = regex(&a[0], &Term::NIL)?.map_err(|_| Raise::badarg())?;
    Ok(Term::tuple([a[1].clone(), Term::list(regex.names.keys().map(|name| Term::binary(name)))]))
}

/// A match: begin and end of each group, in bytes.
type Found = Vec<Option<(usize, usize)>>;

/// A text in which matches are looked for.
struct Search<'a> {
    regex: &'a Regex,
    options: &'a Options,
    codes: Vec<u32>,
    places: Vec<usize>,
}

impl<'a> Search<'a> {
    fn new(regex: &'a Regex, options: &'a Options, subject: &[u8]) -> Result<Search<'a>> {
        let (codes, places) = characters(subject, regex.options.whole.unicode).ok_or_else(Raise::badarg)?;
        Ok(Search { regex, options, codes, places })
    }

    /// The character that begins at this byte.
    fn at(&self, byte: usize) -> Result<usize> {
        self.places.binary_search(&byte).map_err(|_| Raise::badarg())
    }

    fn find(
        &self,
        from: usize,
        anchored: bool,
        not_empty: bool,
    ) -> std::result::Result<Option<Found>, Limit> {
        let options = self.options;
        let look = Look {
            text: &self.codes,
            unicode: self.regex.options.whole.unicode,
            ucp: self.regex.options.whole.ucp,
            newline: options.newline,
            any_r: !options.bsr_anycrlf,
            notbol: options.notbol,
            noteol: options.noteol,
            notempty: options.notempty,
            notempty_atstart: options.notempty_atstart || not_empty,
        };
        let mut machine = Machine::new(&self.regex.program, look, options.match_limit, options.depth_limit);
        if !machine.find(from, from, anchored || options.anchored || self.regex.options.anchored)? {
            return Ok(None);
        }
        let pairs = machine.groups.chunks(2).map(|pair| match pair {
            [Some(from), Some(to)] => Some((self.places[*from.min(to)], self.places[*to])),
            _ => None,
        });
        let found: Found = pairs.collect();
        let too_far = options.firstline || self.regex.options.firstline;
        let line = self.codes.iter().skip(from).position(|c| *c == 10).map(|at| self.places[from + at]);
        let begin = found.first().copied().flatten().map(|(begin, _)| begin);
        Ok(Some(found)
            .filter(|_| !too_far || line.is_none_or(|line| begin.is_some_and(|begin| begin <= line))))
    }

    /// All matches one behind the other. Behind an empty one another is looked for at the same place first.
    fn all(&self, from: usize, most: usize) -> std::result::Result<Vec<Found>, Limit> {
        let (mut at, mut empty, mut all) = (from, false, Vec::new());
        while at <= self.codes.len() && all.len() < most {
            match self.find(at, empty, empty)? {
                Some(found) => {
                    let (begin, end) = found[0].unwrap_or_default();
                    at = self.places.binary_search(&end).unwrap_or(self.codes.len());
                    empty = begin == end;
                    all.push(found);
                }
                None if empty => {
                    let crlf = self.options.newline != Newline::Lf
                        && self.options.newline != Newline::Cr
                        && self.codes.get(at..at + 2) == Some(&[13, 10]);
                    at += if crlf { 2 } else { 1 };
                    empty = false;
                }
                None => break,
            }
        }
        Ok(all)
    }
}

fn run(subject: &Term, pattern: &Term, options: &Term) -> Result<Term> {
    let error = |what: Term| Ok(Term::tuple([Term::atom("error"), what]));
    let (regex, options) = match regex(pattern, options)? {
        Ok(both) => both,
        Err((what, place)) => {
            if !Options::read(options)?.report_errors {
                return Err(Raise::badarg());
            }
            let wrong = Term::tuple([string(&what), Term::Int(place as i64)]);
            return error(Term::tuple([Term::atom("compile"), wrong]));
        }
    };
    let bytes = bytes_of(subject, regex.options.whole.unicode)?;
    let search = Search::new(&regex, &options, &bytes)?;
    if options.global && options.offset > bytes.len() {
        return Ok(Term::atom("nomatch"));
    }
    let from = search.at(options.offset)?;
    let found = if options.global {
        search.all(from, usize::MAX)
    } else {
        search.find(from, false, false).map(|found| found.into_iter().collect())
    };
    let all = match found {
        Ok(all) => all,
        Err(_) if !options.report_errors => return Ok(Term::atom("nomatch")),
        Err(Limit::Steps) => return error(Term::atom("match_limit")),
        Err(Limit::Depth) => return error(Term::atom("match_limit_recursion")),
    };
    if all.is_empty() {
        return Ok(Term::atom("nomatch"));
    }
    if options.captures_nothing(&regex.names) {
        return Ok(Term::atom("match"));
    }
    let show = |found: &Found| shown(&regex, &options, &bytes, found);
    let value = if options.global {
        Term::list(all.iter().map(show).collect::<Result<Vec<_>>>()?)
    } else {
        show(&all[0])?
    };
    Ok(Term::tuple([Term::atom("match"), value]))
}

/// What a match has caught, as it was asked for.
fn shown(regex: &Regex, options: &Options, bytes: &[u8], found: &Found) -> Result<Term> {
    let set = found.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
    let wanted: Vec<Option<(usize, usize)>> = match &options.capture {
        Capture::All => found[..set].to_vec(),
        Capture::AllButFirst => found[..set].iter().skip(1).copied().collect(),
        Capture::First => found[..1].to_vec(),
        Capture::None => Vec::new(),
        Capture::Names => regex.names.values().map(|groups| named(groups, found)).collect(),
        Capture::These(these) => {
            these.iter().map(|which| which.of(&regex.names, found)).collect::<Result<Vec<_>>>()?
        }
    };
    let part = |range: Option<(usize, usize)>| match options.kind {
        Type::Index => match range {
            Some((from, to)) => Term::tuple([Term::Int(from as i64), Term::Int((to - from) as i64)]),
            None => Term::tuple([Term::Int(-1), Term::Int(0)]),
        },
        Type::Binary => Term::Binary(range.map_or(&[][..], |(from, to)| &bytes[from..to]).into()),
        Type::List => {
            let part = range.map_or(&[][..], |(from, to)| &bytes[from..to]);
            text(part, regex.options.whole.unicode)
        }
    };
    Ok(Term::list(wanted.into_iter().map(part)))
}

/// Bytes as a list of characters.
fn text(bytes: &[u8], unicode: bool) -> Term {
    match std::str::from_utf8(bytes) {
        Ok(text) if unicode => string(text),
        _ => Term::List(trunkline::List::from_bytes(bytes.to_vec().into())),
    }
}

/// The first group of a name that has matched.
fn named(groups: &[usize], found: &Found) -> Option<(usize, usize)> {
    groups.iter().find_map(|group| found.get(*group).copied().flatten())
}
