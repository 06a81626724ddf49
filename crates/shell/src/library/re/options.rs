//! Options of `re`, read.

use std::collections::BTreeMap;

use trunkline::term::Term;

use super::parse::{Flags, Whole};
use super::run::Newline;
use super::{Found, named};
use crate::library::args::{atom, items, size};
use crate::raise::{Raise, Result};

/// What of a match is told.
#[derive(Clone, Debug)]
pub(super) enum Capture {
    All,
    AllButFirst,
    First,
    None,
    Names,
    These(Vec<Which>),
}

/// A group.
#[derive(Clone, Debug)]
pub(super) enum Which {
    Number(usize),
    Name(String),
}

impl Which {
    fn read(term: &Term) -> Result<Which> {
        match term {
            Term::Int(number @ 0..) => Ok(Which::Number(*number as usize)),
            Term::Atom(name) => Ok(Which::Name(name.as_str().to_owned())),
            Term::Binary(name) => {
                let name = std::str::from_utf8(name.as_slice()).map_err(|_| Raise::badarg())?;
                Ok(Which::Name(name.to_owned()))
            }
            other => crate::library::text(other).map(Which::Name),
        }
    }

    pub(super) fn of(
        &self,
        names: &BTreeMap<String, Vec<usize>>,
        found: &Found,
    ) -> Result<Option<(usize, usize)>> {
        Ok(match self {
            Which::Number(number) => found.get(*number).copied().flatten(),
            Which::Name(name) => names.get(name).and_then(|groups| named(groups, found)),
        })
    }
}

/// As what.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Type {
    Index,
    List,
    Binary,
}

/// All of them.
#[derive(Clone, Debug)]
pub(super) struct Options {
    pub(super) flags: Flags,
    pub(super) whole: Whole,
    pub(super) newline: Newline,
    pub(super) bsr_anycrlf: bool,
    pub(super) anchored: bool,
    pub(super) firstline: bool,
    pub(super) global: bool,
    pub(super) notbol: bool,
    pub(super) noteol: bool,
    pub(super) notempty: bool,
    pub(super) notempty_atstart: bool,
    pub(super) report_errors: bool,
    pub(super) offset: usize,
    pub(super) match_limit: u64,
    pub(super) depth_limit: u64,
    pub(super) capture: Capture,
    pub(super) kind: Type,
    /// Whether there is one that only compiling takes, or only running.
    pub(super) of_compile: bool,
    pub(super) of_run: bool,
    newline_set: bool,
}

/// How many steps PCRE takes when nobody says it.
const STEPS: u64 = 10_000_000;

impl Options {
    pub(super) fn read(options: &Term) -> Result<Options> {
        let mut read = Options {
            flags: Flags::default(),
            whole: Whole::default(),
            newline: Newline::Lf,
            bsr_anycrlf: false,
            anchored: false,
            firstline: false,
            global: false,
            notbol: false,
            noteol: false,
            notempty: false,
            notempty_atstart: false,
            report_errors: false,
            offset: 0,
            match_limit: STEPS,
            depth_limit: STEPS,
            capture: Capture::All,
            kind: Type::Index,
            of_compile: false,
            of_run: false,
            newline_set: false,
        };
        // Of options that are said twice, the last counts.
        for option in items(options)? {
            match option.as_tuple() {
                Some(parts) => read.pair(parts)?,
                None => read.word(atom(&option)?.as_str())?,
            }
        }
        Ok(read)
    }

    fn word(&mut self, word: &str) -> Result<()> {
        let compiling = match word {
            "unicode" => &mut self.whole.unicode,
            "ucp" => &mut self.whole.ucp,
            "caseless" => &mut self.flags.caseless,
            "dotall" => &mut self.flags.dotall,
            "extended" => &mut self.flags.extended,
            "multiline" => &mut self.flags.multiline,
            "ungreedy" => &mut self.flags.ungreedy,
            "dupnames" => &mut self.flags.dupnames,
            "dollar_endonly" => &mut self.whole.dollar_endonly,
            "no_auto_capture" => &mut self.whole.no_auto_capture,
            "firstline" => &mut self.firstline,
            "bsr_anycrlf" => &mut self.bsr_anycrlf,
            "bsr_unicode" | "no_start_optimize" | "never_utf" => {
                self.of_compile = true;
                return Ok(());
            }
            "anchored" => {
                self.anchored = true;
                return Ok(());
            }
            _ => return self.running(word),
        };
        *compiling = true;
        self.of_compile = true;
        Ok(())
    }

    fn running(&mut self, word: &str) -> Result<()> {
        let running = match word {
            "global" => &mut self.global,
            "notbol" => &mut self.notbol,
            "noteol" => &mut self.noteol,
            "notempty" => &mut self.notempty,
            "notempty_atstart" => &mut self.notempty_atstart,
            "report_errors" => &mut self.report_errors,
            _ => return Err(Raise::badarg()),
        };
        *running = true;
        self.of_run = true;
        Ok(())
    }

    fn pair(&mut self, parts: &[Term]) -> Result<()> {
        match parts {
            [key, value] if key.is_atom("newline") => {
                self.newline_set = true;
                self.newline = match atom(value)?.as_str() {
                    "lf" => Newline::Lf,
                    "cr" => Newline::Cr,
                    "crlf" => Newline::CrLf,
                    "anycrlf" => Newline::AnyCrLf,
                    "any" => Newline::Any,
                    _ => return Err(Raise::badarg()),
                };
                return Ok(());
            }
            [key, value] if key.is_atom("offset") => self.offset = size(value)?,
            [key, value] if key.is_atom("match_limit") => self.match_limit = size(value)? as u64,
            [key, value] if key.is_atom("match_limit_recursion") => self.depth_limit = size(value)? as u64,
            [key, value] if key.is_atom("capture") => {
                (self.capture, self.kind) = (capture(value)?, Type::Index);
            }
            [key, value, kind] if key.is_atom("capture") => {
                self.capture = capture(value)?;
                self.kind = match atom(kind)?.as_str() {
                    "index" => Type::Index,
                    "list" => Type::List,
                    "binary" => Type::Binary,
                    _ => return Err(Raise::badarg()),
                };
            }
            _ => return Err(Raise::badarg()),
        }
        self.of_run = true;
        Ok(())
    }

    /// These options of a call, on top of those a pattern was made with.
    pub(super) fn over(self, made_with: &Options) -> Options {
        let newline = if self.newline_set { self.newline } else { made_with.newline };
        Options { newline, bsr_anycrlf: made_with.bsr_anycrlf, ..self }
    }

    /// Whether only `match` is told.
    pub(super) fn captures_nothing(&self, names: &BTreeMap<String, Vec<usize>>) -> bool {
        match &self.capture {
            Capture::None => true,
            Capture::These(these) => these.is_empty(),
            Capture::Names => names.is_empty(),
            _ => false,
        }
    }
}

fn capture(term: &Term) -> Result<Capture> {
    match term {
        Term::Atom(word) => match word.as_str() {
            "all" => Ok(Capture::All),
            "all_but_first" => Ok(Capture::AllButFirst),
            "first" => Ok(Capture::First),
            "none" => Ok(Capture::None),
            "all_names" => Ok(Capture::Names),
            _ => Err(Raise::badarg()),
        },
        list => Ok(Capture::These(items(list)?.iter().map(Which::read).collect::<Result<_>>()?)),
    }
}
