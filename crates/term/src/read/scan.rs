//! Text to tokens.

use num_bigint::BigInt;

use super::{Fault, Read, fault};
use crate::atom::Atom;
use crate::limits::BIG_INTEGER_BITS_MAX;
use crate::print::RESERVED;
use crate::term::Term;

#[derive(Clone, PartialEq, Debug)]
pub(super) enum Token {
    Number(Term),
    Atom(Atom),
    /// A word that is no atom unless it is quoted.
    Reserved(&'static str),
    Text(String),
    Mark(&'static str),
    /// A dot that ends a term.
    Dot,
    End,
}

const MARKS: [&str; 15] = ["=>", "<<", ">>", "{", "}", "[", "]", "|", ",", "#", ":", "/", "-", "+", "("];

pub(super) struct Scanner<'a> {
    text: &'a str,
    rest: &'a str,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Scanner<'a> {
        Scanner { text, rest: text }
    }

    /// The byte where the next token is looked for.
    pub(super) fn at(&self) -> usize {
        self.text.len() - self.rest.len()
    }

    /// The next token and where it begins.
    pub(super) fn token(&mut self) -> Read<(Token, usize)> {
        self.skip_space();
        let at = self.at();
        let Some(first) = self.rest.chars().next() else { return Ok((Token::End, at)) };
        let token = match first {
            '0'..='9' => self.number()?,
            '\'' => {
                let text = self.quoted('\'')?;
                Token::Atom(atom(&text, at)?)
            }
            '"' => Token::Text(self.quoted('"')?),
            '$' => {
                self.skip(1);
                Token::Number(Term::Int(i64::from(u32::from(self.character(None)?))))
            }
            '.' => self.dot(at)?,
            first if is_small(first) => self.word(at)?,
            _ => match MARKS.iter().find(|mark| self.rest.starts_with(**mark)) {
                Some(mark) => {
                    self.skip(mark.len());
                    Token::Mark(mark)
                }
                None if first == '_' || first.is_uppercase() => {
                    return Err(fault("a variable has no value here", at));
                }
                None => return Err(fault(format!("no term has the character {first:?}"), at)),
            },
        };
        Ok((token, at))
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or("");
    }

    /// Spaces as `erl_scan` knows them, and comments.
    fn skip_space(&mut self) {
        loop {
            self.rest = self.rest.trim_start_matches(is_space);
            if !self.rest.starts_with('%') {
                return;
            }
            let line = self.rest.find('\n').unwrap_or(self.rest.len());
            self.skip(line);
        }
    }

    fn dot(&mut self, at: usize) -> Read<Token> {
        self.skip(1);
        match self.rest.chars().next() {
            None | Some('%') => Ok(Token::Dot),
            Some(c) if is_space(c) => Ok(Token::Dot),
            _ => Err(fault("a dot that ends nothing", at)),
        }
    }

    fn word(&mut self, at: usize) -> Read<Token> {
        let end = self.rest.find(|c| !is_name(c)).unwrap_or(self.rest.len());
        let word = &self.rest[..end];
        self.skip(end);
        if let Ok(place) = RESERVED.binary_search(&word) {
            return Ok(Token::Reserved(RESERVED[place]));
        }
        Ok(Token::Atom(atom(word, at)?))
    }

    /// Digits in a base, single underscores between them left out.
    fn digits(&mut self, base: u32) -> String {
        let mut digits = String::new();
        loop {
            let end = self.rest.find(|c: char| !c.is_digit(base)).unwrap_or(self.rest.len());
            digits.push_str(&self.rest[..end]);
            self.skip(end);
            let mut next = self.rest.chars();
            let more = next.next() == Some('_') && next.next().is_some_and(|c| c.is_digit(base));
            if !more || end == 0 {
                return digits;
            }
            self.skip(1);
        }
    }

    fn number(&mut self) -> Read<Token> {
        let at = self.at();
        let whole = self.digits(10);
        if self.rest.starts_with('#') {
            let base = whole.parse().unwrap_or(0);
            if !(2..=36).contains(&base) {
                return Err(fault("a base is 2 to 36", at));
            }
            self.skip(1);
            let digits = self.digits(base);
            return integer(&digits, base, at);
        }
        let mut after_dot = self.rest.chars().skip(1);
        if self.rest.starts_with('.') && after_dot.next().is_some_and(|c| c.is_ascii_digit()) {
            self.skip(1);
            return self.float(whole, at);
        }
        integer(&whole, 10, at)
    }

    fn float(&mut self, whole: String, at: usize) -> Read<Token> {
        let mut text = format!("{whole}.{}", self.digits(10));
        if self.rest.starts_with(['e', 'E']) {
            let signed = self.rest[1..].starts_with(['-', '+']);
            let digits = &self.rest[1 + usize::from(signed)..];
            if digits.starts_with(|c: char| c.is_ascii_digit()) {
                text.push_str(&self.rest[..1 + usize::from(signed)]);
                self.skip(1 + usize::from(signed));
                text.push_str(&self.digits(10));
            } else {
                return Err(fault("a float whose exponent has no digits", at));
            }
        }
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Token::Number(Term::Float(number))),
            _ => Err(fault("a float beyond what a float can hold", at)),
        }
    }

    /// The text between quotes.
    fn quoted(&mut self, quote: char) -> Read<String> {
        let at = self.at();
        self.skip(1);
        let mut text = String::new();
        loop {
            if self.rest.is_empty() {
                return Err(fault("a quote that is never closed", at));
            }
            if self.rest.starts_with(quote) {
                self.skip(1);
                return Ok(text);
            }
            text.push(self.character(Some(at))?);
        }
    }

    /// One character, escaped or not. `open` is where the quote around it stands, if there is one.
    fn character(&mut self, open: Option<usize>) -> Read<char> {
        let at = self.at();
        let mut ended = || fault("the text ends inside a character or a quote", open.unwrap_or(at));
        let first = self.rest.chars().next().ok_or_else(&mut ended)?;
        self.skip(first.len_utf8());
        if first != '\\' {
            return Ok(first);
        }
        let escaped = self.rest.chars().next().ok_or_else(&mut ended)?;
        let bad = |at| fault("an escape that is no character", at);
        match escaped {
            '0'..='7' => {
                let length = self.rest.bytes().take(3).take_while(|b| (b'0'..=b'7').contains(b)).count();
                self.code(length, 8, at)
            }
            'x' => {
                self.skip(1);
                if !self.rest.starts_with('{') {
                    return match self.rest.get(..2) {
                        Some(_) => self.code(2, 16, at),
                        None => Err(bad(at)),
                    };
                }
                self.skip(1);
                let length = self.rest.find('}').ok_or_else(|| bad(at))?;
                let character = self.code(length, 16, at)?;
                self.skip(1);
                Ok(character)
            }
            '^' => {
                self.skip(1);
                let letter = self.rest.chars().next().ok_or_else(|| bad(at))?;
                self.skip(letter.len_utf8());
                match letter {
                    '@'..='_' | 'a'..='z' => Ok(char::from(letter as u8 & 31)),
                    '?' => Ok('\u{7f}'),
                    _ => Err(bad(at)),
                }
            }
            other => {
                self.skip(other.len_utf8());
                Ok(match other {
                    'b' => '\u{8}',
                    'd' => '\u{7f}',
                    'e' => '\u{1b}',
                    'f' => '\u{c}',
                    'n' => '\n',
                    'r' => '\r',
                    's' => ' ',
                    't' => '\t',
                    'v' => '\u{b}',
                    other => other,
                })
            }
        }
    }

    /// The character whose code the next `length` bytes are.
    fn code(&mut self, length: usize, base: u32, at: usize) -> Read<char> {
        let digits = self.rest.get(..length).filter(|digits| digits.chars().all(|c| c.is_digit(base)));
        let code = digits.and_then(|digits| u32::from_str_radix(digits, base).ok());
        self.skip(length);
        code.and_then(char::from_u32).ok_or_else(|| fault("an escape that is no character", at))
    }
}

fn integer(digits: &str, base: u32, at: usize) -> Result<Token, Fault> {
    if let Ok(number) = i64::from_str_radix(digits, base) {
        return Ok(Token::Number(Term::Int(number)));
    }
    // The time that reading takes grows with the square of the digits.
    if digits.len() as u64 > BIG_INTEGER_BITS_MAX / 32 {
        return Err(fault("an integer of too many digits", at));
    }
    match BigInt::parse_bytes(digits.as_bytes(), base) {
        Some(number) => Ok(Token::Number(Term::from(number))),
        None => Err(fault("an integer without digits", at)),
    }
}

fn atom(text: &str, at: usize) -> Read<Atom> {
    Atom::try_new(text).ok_or_else(|| fault("an atom of more than 255 characters", at))
}

fn is_space(c: char) -> bool {
    c <= ' ' || ('\u{80}'..='\u{a0}').contains(&c)
}

fn is_small(c: char) -> bool {
    c.is_ascii_lowercase() || (('ß'..='ÿ').contains(&c) && c != '÷')
}

fn is_name(c: char) -> bool {
    is_small(c) || c.is_ascii_alphanumeric() || c == '_' || c == '@' || (('À'..='Þ').contains(&c) && c != '×')
}
