//! Source as tokens: what `erl_scan` does, with a ceiling on everything.

mod numbers;
mod quotes;
mod token;

pub(crate) use numbers::integer;
pub use token::{Loc, Tok, Token, characters, write_atom, write_char, write_string};
use trunkline::Atom;

use crate::limits::SOURCE_CHARACTERS_MAX;

/// Why source is not made of tokens.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{loc}: {what}")]
pub struct LexError {
    /// Where it goes wrong.
    pub loc: Loc,
    /// What is wrong, as `erl_scan:format_error/1` says it.
    pub what: String,
    /// As `erl_scan` has it: what `format_error/1` takes.
    pub descriptor: Wrong,
}

/// What is wrong with a token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wrong {
    /// `{illegal, What}`.
    Illegal(&'static str),
    /// `{base, Number}`.
    Base(String),
    /// `{unterminated, What, Beginning}`: `{string, Quote, Beginning}` in OTP 25.
    Unterminated(char, Vec<u32>),
    /// `char`: a character was begun.
    Char,
    /// In the words of later releases.
    Other(&'static str),
}

/// What came of reading on to a dot.
#[derive(Clone, PartialEq, Debug)]
pub enum Scan {
    /// A form, its last token the dot (or what there was at the end of the source), and how many characters it took.
    Form(Vec<Token>, usize),
    /// There is nothing but space.
    Empty,
    /// The source ends within a form.
    More,
}

/// All tokens of a text.
///
/// # Errors
/// Where something is no token.
pub fn tokens(source: &str, start: Loc) -> Result<Vec<Token>, LexError> {
    let mut lexer = Lexer::new(source, start)?;
    let mut tokens = Vec::new();
    while let Some(token) = lexer.next(true)? {
        tokens.push(token);
    }
    Ok(tokens)
}

/// Tokens up to the first dot. With `last`, no more source comes: what is there is the form.
///
/// # Errors
/// Where something is no token; with the characters that belong to it.
pub fn form(source: &str, start: Loc, last: bool) -> Result<Scan, LexError> {
    let mut lexer = Lexer::new(source, start)?;
    let mut tokens = Vec::new();
    loop {
        match lexer.next(last) {
            Ok(Some(token)) => {
                let dot = token.tok == Tok::Dot;
                tokens.push(token);
                if dot {
                    return Ok(Scan::Form(tokens, lexer.at));
                }
            }
            Ok(None) if tokens.is_empty() => return Ok(Scan::Empty),
            Ok(None) if last => return Ok(Scan::Form(tokens, lexer.at)),
            Ok(None) => return Ok(Scan::More),
            Err(error) if !last && error.is_unfinished() => return Ok(Scan::More),
            Err(error) => return Err(error),
        }
    }
}

impl LexError {
    /// Whether more source could make it right.
    fn is_unfinished(&self) -> bool {
        matches!(self.descriptor, Wrong::Unterminated(..) | Wrong::Char)
    }
}

/// All reserved words, operators and marks.
pub(crate) fn words() -> Vec<&'static str> {
    RESERVED.iter().chain(&MARKS).copied().collect()
}

pub(crate) struct Lexer {
    pub(crate) chars: Vec<char>,
    pub(crate) at: usize,
    pub(crate) loc: Loc,
}

/// The reserved words of OTP 25, with `maybe` and `else`.
pub const RESERVED: [&str; 29] = [
    "after", "begin", "case", "try", "cond", "catch", "andalso", "orelse", "end", "fun", "if", "let", "of",
    "receive", "when", "bnot", "not", "div", "rem", "band", "and", "bor", "bxor", "bsl", "bsr", "or", "xor",
    "maybe", "else",
];

/// Operators and marks, the longest first.
const MARKS: [&str; 50] = [
    "<:-", "<:=", "...", "=:=", "=/=", "..", "?=", "<<", "<-", "<=", ">>", ">=", "->", "--", "++", "=<",
    "=>", "==", "/=", "||", ":=", "::", "&&", "=", ":", "|", "#", "/", "?", "-", "+", "*", "<", ">", "!",
    "@", "\\", "^", "`", "~", "&", ",", "(", ")", "{", "}", "[", "]", ";", ".",
];

impl Lexer {
    pub(crate) fn new(source: &str, start: Loc) -> Result<Lexer, LexError> {
        if source.len() > SOURCE_CHARACTERS_MAX * 4 || source.chars().count() > SOURCE_CHARACTERS_MAX {
            return Err(error(start, "source is too long", Wrong::Other("source is too long")));
        }
        Ok(Lexer { chars: source.chars().collect(), at: 0, loc: start })
    }

    pub(crate) fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    /// Takes a character.
    pub(crate) fn bump(&mut self) -> Option<char> {
        let c = self.peek(0)?;
        self.at += 1;
        if c == '\n' {
            self.loc = Loc { line: self.loc.line + 1, column: u32::from(self.loc.column > 0) };
        } else if self.loc.column > 0 {
            self.loc.column += 1;
        }
        Some(c)
    }

    pub(crate) fn take(&mut self, count: usize) -> String {
        (0..count).filter_map(|_| self.bump()).collect()
    }

    /// The next token; `None` at the end. With `last` nothing comes behind the end.
    pub(crate) fn next(&mut self, last: bool) -> Result<Option<Token>, LexError> {
        self.skip_space()?;
        let Some(c) = self.peek(0) else { return Ok(None) };
        let loc = self.loc;
        let tok = match c {
            'a'..='z' | 'ß'..='ÿ' if c != '÷' => self.word(loc)?,
            'A'..='Z' | '_' | 'À'..='Þ' if c != '×' => {
                let name = self.name();
                Tok::Var(Atom::try_new(&name).ok_or_else(|| illegal(loc, "var"))?)
            }
            '0'..='9' => self.number(loc)?,
            '"' | '\'' | '$' | '~' => self.quoted(c, loc)?,
            '.' => match self.dot(last) {
                Some(tok) => tok,
                None => return Ok(None),
            },
            _ => match self.mark() {
                Some(mark) => Tok::Word(mark),
                None => {
                    self.bump();
                    return Err(illegal(loc, "character"));
                }
            },
        };
        Ok(Some(Token { loc, end: self.loc, tok }))
    }

    fn skip_space(&mut self) -> Result<(), LexError> {
        while let Some(c) = self.peek(0) {
            match c {
                '\0'..=' ' | '\u{80}'..='\u{a0}' => {
                    self.bump();
                }
                '%' => {
                    while self.peek(0).is_some_and(|c| c != '\n') {
                        self.bump();
                    }
                }
                _ => break,
            }
        }
        Ok(())
    }

    fn word(&mut self, loc: Loc) -> Result<Tok, LexError> {
        let name = self.name();
        match RESERVED.iter().find(|word| **word == name) {
            Some(word) => Ok(Tok::Word(word)),
            None => Ok(Tok::Atom(Atom::try_new(&name).ok_or_else(|| illegal(loc, "atom"))?)),
        }
    }

    pub(crate) fn name(&mut self) -> String {
        let mut name = String::new();
        while let Some(c) = self.peek(0) {
            match c {
                'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '@' => {}
                'À'..='ÿ' if c != '÷' && c != '×' => {}
                _ => break,
            }
            name.push(c);
            self.bump();
        }
        name
    }

    /// A dot at the end, or the mark; `None` when that cannot be told yet.
    fn dot(&mut self, last: bool) -> Option<Tok> {
        match self.peek(1) {
            Some('%') => {
                self.bump();
                Some(Tok::Dot)
            }
            Some('\0'..=' ' | '\u{80}'..='\u{a0}') => {
                self.take(2);
                Some(Tok::Dot)
            }
            None if last => {
                self.bump();
                Some(Tok::Dot)
            }
            None => None,
            Some(_) => self.mark().map(Tok::Word),
        }
    }

    fn mark(&mut self) -> Option<&'static str> {
        let first = u8::try_from(self.peek(0)?).ok()?;
        let found = MARKS.iter().find(|mark| {
            mark.as_bytes()[0] == first
                && mark.chars().enumerate().all(|(ahead, c)| self.peek(ahead) == Some(c))
        })?;
        self.take(found.chars().count());
        Some(found)
    }
}

pub(crate) fn error(loc: Loc, what: impl Into<String>, descriptor: Wrong) -> LexError {
    LexError { loc, what: what.into(), descriptor }
}

pub(crate) fn illegal(loc: Loc, what: &'static str) -> LexError {
    error(loc, format!("illegal {what}"), Wrong::Illegal(what))
}
