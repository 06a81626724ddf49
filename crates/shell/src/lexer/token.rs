//! Tokens, and where they stand.

use trunkline::Atom;
use trunkline::term::{Term, print};

/// A place in the source. Column 0 means that only the line is known, line 0 that nothing is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Hash)]
pub struct Loc {
    /// The line, counted from 1.
    pub line: u32,
    /// The column, counted from 1; 0 for none.
    pub column: u32,
}

impl Loc {
    /// Line and column.
    pub fn new(line: u32, column: u32) -> Loc {
        Loc { line, column }
    }

    /// As Erlang has it: `Line` or `{Line,Column}`.
    pub fn to_term(self) -> Term {
        match self.column {
            0 => Term::Int(self.line.into()),
            column => Term::tuple([Term::Int(self.line.into()), Term::Int(column.into())]),
        }
    }
}

impl std::fmt::Display for Loc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.column {
            0 => write!(f, "{}", self.line),
            column => write!(f, "{}:{column}", self.line),
        }
    }
}

/// What a token is.
#[derive(Clone, PartialEq, Debug)]
pub enum Tok {
    /// An atom.
    Atom(Atom),
    /// A variable.
    Var(Atom),
    /// An integer.
    Integer(Term),
    /// A floating-point number.
    Float(f64),
    /// `$c`.
    Char(u32),
    /// A string: its characters.
    Str(Vec<u32>),
    /// A sigil: its name, its characters, what stands behind it.
    Sigil(String, Vec<u32>, String),
    /// A reserved word, an operator, a punctuation mark.
    Word(&'static str),
    /// The dot at the end.
    Dot,
}

/// A token.
#[derive(Clone, PartialEq, Debug)]
pub struct Token {
    /// Where it begins.
    pub loc: Loc,
    /// Where it ends: the place behind its last character.
    pub end: Loc,
    /// What it is.
    pub tok: Tok,
}

impl Token {
    /// Whether it is this reserved word or mark.
    pub fn is(&self, word: &str) -> bool {
        matches!(self.tok, Tok::Word(this) if this == word)
    }

    /// The token as a syntax error shows it.
    pub fn show(&self) -> String {
        match &self.tok {
            Tok::Atom(atom) => write_atom(atom.as_str()),
            Tok::Var(name) => name.as_str().to_owned(),
            Tok::Integer(number) => number.to_string(),
            Tok::Float(number) => Term::Float(*number).to_string(),
            Tok::Char(c) => write_char(*c),
            Tok::Str(text) | Tok::Sigil(_, text, _) => write_string(text, '"'),
            Tok::Word(word) => write_atom(word),
            Tok::Dot => "'.'".to_owned(),
        }
    }

    /// As `erl_scan` has it.
    pub fn to_term(&self) -> Term {
        let loc = self.loc.to_term();
        let with = |kind: &str, value: Term| Term::tuple([Term::atom(kind), loc.clone(), value]);
        match &self.tok {
            Tok::Atom(atom) => with("atom", Term::Atom(atom.clone())),
            Tok::Var(name) => with("var", Term::Atom(name.clone())),
            Tok::Integer(number) => with("integer", number.clone()),
            Tok::Float(number) => with("float", Term::Float(*number)),
            Tok::Char(c) => with("char", Term::Int((*c).into())),
            Tok::Str(text) | Tok::Sigil(_, text, _) => with("string", characters(text)),
            Tok::Word(word) => Term::tuple([Term::atom(word), loc.clone()]),
            Tok::Dot => Term::tuple([Term::atom("dot"), loc.clone()]),
        }
    }
}

/// A list of characters as a term.
pub fn characters(text: &[u32]) -> Term {
    if text.iter().all(|c| *c < 256) {
        let bytes: Vec<u8> = text.iter().map(|c| *c as u8).collect();
        return Term::List(trunkline::List::from_bytes(bytes.into()));
    }
    Term::list(text.iter().map(|c| Term::Int((*c).into())))
}

/// An atom with its quotes, if it needs them.
pub fn write_atom(text: &str) -> String {
    let mut out = String::new();
    let _ = print::write_atom(&mut out, text, true);
    out
}

/// `$c`, as `io_lib:write_char` writes it.
pub fn write_char(c: u32) -> String {
    match c {
        0x27 => "$'".to_owned(),
        0x22 => "$\"".to_owned(),
        0x20 => "$\\s".to_owned(),
        c => {
            let text = write_string(&[c], '"');
            format!("${}", &text[1..text.len() - 1])
        }
    }
}

/// A string with its quotes, as `io_lib:write_string` writes it.
pub fn write_string(text: &[u32], quote: char) -> String {
    let mut out = String::from(quote);
    for c in text {
        match *c {
            c if c == quote as u32 || c == 0x5c => out.extend(['\\', char::from_u32(c).unwrap_or('?')]),
            0x0a => out.push_str("\\n"),
            0x0d => out.push_str("\\r"),
            0x09 => out.push_str("\\t"),
            0x0b => out.push_str("\\v"),
            0x08 => out.push_str("\\b"),
            0x0c => out.push_str("\\f"),
            0x1b => out.push_str("\\e"),
            0x7f => out.push_str("\\d"),
            c @ 0..0x20 => out.push_str(&format!("\\{c:03o}")),
            c @ 0x80..0xa0 => out.push_str(&format!("\\{c:o}")),
            c => match char::from_u32(c) {
                Some(c) => out.push(c),
                None => out.push_str(&format!("\\x{{{c:X}}}")),
            },
        }
    }
    out.push(quote);
    out
}
