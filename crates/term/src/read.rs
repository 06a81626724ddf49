//! The text of terms, as in `sys.config` files and `file:consult`, read into terms.

mod bits;
mod scan;

use std::sync::Arc;

use crate::fun::Export;
use crate::limits::READ_BYTES_MAX;
use crate::list::List;
use crate::map::Map;
use crate::term::Term;
use bits::Bits;
use scan::{Scanner, Token};

/// Why a text is no term.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{line}:{column}: {what}")]
pub struct ReadError {
    /// What is wrong.
    pub what: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
}

/// The one term that `text` is. A dot may end it.
///
/// # Errors
/// When the text is anything but one term, or longer than [`READ_BYTES_MAX`].
pub fn read_term(text: &str) -> Result<Term, ReadError> {
    let mut reader = Reader::new(text)?;
    let term = reader.term().map_err(|fault| reader.locate(fault))?;
    reader.end_of_only_term().map_err(|fault| reader.locate(fault))?;
    Ok(term)
}

/// The terms of a file such as `sys.config`, each ended by a dot.
///
/// # Errors
/// When the text is anything but terms that a dot ends, or longer than [`READ_BYTES_MAX`].
pub fn read_terms(text: &str) -> Result<Vec<Term>, ReadError> {
    let mut reader = Reader::new(text)?;
    let mut terms = Vec::new();
    loop {
        match reader.next_of_file() {
            Ok(Some(term)) => terms.push(term),
            Ok(None) => return Ok(terms),
            Err(fault) => return Err(reader.locate(fault)),
        }
    }
}

/// What is wrong, and at which byte of the text.
struct Fault {
    what: String,
    at: usize,
}

type Read<T> = Result<T, Fault>;

struct Reader<'a> {
    text: &'a str,
    scanner: Scanner<'a>,
    /// The next token, where it has been looked at already.
    ahead: Option<(Token, usize)>,
}

/// A container whose end has not been read yet.
enum Open {
    Tuple(Vec<Term>),
    List(Vec<Term>),
    /// The tail of an improper list comes next.
    Tail(Vec<Term>),
    Map(Vec<(Term, Term)>, Option<Term>),
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Result<Reader<'a>, ReadError> {
        let reader = Reader { text, scanner: Scanner::new(text), ahead: None };
        if text.len() > READ_BYTES_MAX {
            return Err(reader.locate(Fault { what: "the text is longer than READ_BYTES_MAX".into(), at: 0 }));
        }
        Ok(reader)
    }

    fn locate(&self, fault: Fault) -> ReadError {
        let before = &self.text[..fault.at];
        let line = before.rsplit('\n').next().unwrap_or(before);
        let (lines, column) = (before.matches('\n').count(), line.chars().count());
        ReadError { what: fault.what, line: lines + 1, column: column + 1 }
    }

    fn next(&mut self) -> Read<(Token, usize)> {
        match self.ahead.take() {
            Some(token) => Ok(token),
            None => self.scanner.token(),
        }
    }

    fn peek(&mut self) -> Read<&Token> {
        if self.ahead.is_none() {
            self.ahead = Some(self.scanner.token()?);
        }
        // Just filled.
        Ok(self.ahead.as_ref().map_or(&Token::End, |(token, _)| token))
    }

    fn take_if(&mut self, mark: &'static str) -> Read<bool> {
        let there = *self.peek()? == Token::Mark(mark);
        if there {
            self.ahead = None;
        }
        Ok(there)
    }

    fn expect(&mut self, mark: &'static str) -> Read<()> {
        match self.next()? {
            (Token::Mark(found), _) if found == mark => Ok(()),
            (found, at) => Err(unexpected(&found, at, &format!("'{mark}'"))),
        }
    }

    fn next_of_file(&mut self) -> Read<Option<Term>> {
        if *self.peek()? == Token::End {
            return Ok(None);
        }
        let term = self.term()?;
        match self.next()? {
            (Token::Dot, _) => Ok(Some(term)),
            (found, at) => Err(unexpected(&found, at, "a dot")),
        }
    }

    fn end_of_only_term(&mut self) -> Read<()> {
        let (mut last, mut at) = self.next()?;
        if last == Token::Dot {
            (last, at) = self.next()?;
        }
        if last == Token::End { Ok(()) } else { Err(unexpected(&last, at, "the end")) }
    }

    /// Reads a term however deep.
    fn term(&mut self) -> Read<Term> {
        let mut outer: Vec<Open> = Vec::new();
        'value: loop {
            let (token, at) = self.next()?;
            let mut value = match token {
                Token::Mark("{") if !self.take_if("}")? => {
                    outer.push(Open::Tuple(Vec::new()));
                    continue 'value;
                }
                Token::Mark("{") => Term::tuple([]),
                Token::Mark("[") if !self.take_if("]")? => {
                    outer.push(Open::List(Vec::new()));
                    continue 'value;
                }
                Token::Mark("[") => Term::NIL,
                Token::Mark("#") => {
                    self.expect("{")?;
                    if !self.take_if("}")? {
                        outer.push(Open::Map(Vec::new(), None));
                        continue 'value;
                    }
                    Term::Map(Map::default())
                }
                other => self.plain(other, at)?,
            };
            loop {
                let Some(open) = outer.pop() else { return Ok(value) };
                match self.put(open, value)? {
                    Ok(whole) => value = whole,
                    Err(open) => {
                        outer.push(open);
                        continue 'value;
                    }
                }
            }
        }
    }

    /// Puts a value into a container and reads the mark after it: gives back the whole or what is still open.
    fn put(&mut self, open: Open, value: Term) -> Read<Result<Term, Open>> {
        let unexpected = |found: &Token, at, wanted| Err(unexpected(found, at, wanted));
        match open {
            Open::Tuple(mut items) => {
                items.push(value);
                match self.next()? {
                    (Token::Mark(","), _) => Ok(Err(Open::Tuple(items))),
                    (Token::Mark("}"), _) => Ok(Ok(Term::Tuple(items.into()))),
                    (found, at) => unexpected(&found, at, "',' or '}'"),
                }
            }
            Open::List(mut items) => {
                items.push(value);
                match self.next()? {
                    (Token::Mark(","), _) => Ok(Err(Open::List(items))),
                    (Token::Mark("|"), _) => Ok(Err(Open::Tail(items))),
                    (Token::Mark("]"), _) => Ok(Ok(Term::List(items.into()))),
                    (found, at) => unexpected(&found, at, "',', '|' or ']'"),
                }
            }
            Open::Tail(items) => {
                self.expect("]")?;
                Ok(Ok(List::with_tail(items, value)))
            }
            Open::Map(pairs, None) => {
                self.expect("=>")?;
                Ok(Err(Open::Map(pairs, Some(value))))
            }
            Open::Map(mut pairs, Some(key)) => {
                pairs.push((key, value));
                match self.next()? {
                    (Token::Mark(","), _) => Ok(Err(Open::Map(pairs, None))),
                    (Token::Mark("}"), _) => Ok(Ok(Term::Map(pairs.into_iter().collect()))),
                    (found, at) => unexpected(&found, at, "',' or '}'"),
                }
            }
        }
    }

    /// A term that is no container.
    fn plain(&mut self, token: Token, at: usize) -> Read<Term> {
        match token {
            Token::Number(number) => Ok(number),
            Token::Atom(atom) => Ok(Term::Atom(atom)),
            Token::Text(text) => Ok(Term::string(&self.rest_of_text(text)?)),
            Token::Mark("<<") => self.binary(),
            Token::Mark("-") => self.negative(),
            Token::Mark("+") => match self.next()? {
                (Token::Number(number), _) => Ok(number),
                (found, at) => Err(unexpected(&found, at, "a number")),
            },
            Token::Reserved("fun") => self.export(),
            found => Err(unexpected(&found, at, "a term")),
        }
    }

    fn negative(&mut self) -> Read<Term> {
        match self.next()? {
            (Token::Number(Term::Int(number)), _) => Ok(number
                .checked_neg()
                .map_or_else(|| Term::from(-num_bigint::BigInt::from(number)), Term::Int)),
            (Token::Number(Term::Big(number)), _) => Ok(Term::from(-num_bigint::BigInt::clone(&number))),
            (Token::Number(Term::Float(number)), _) => Ok(Term::Float(-number)),
            (found, at) => Err(unexpected(&found, at, "a number")),
        }
    }

    /// Strings side by side are one.
    fn rest_of_text(&mut self, mut text: String) -> Read<String> {
        while let Token::Text(_) = self.peek()? {
            if let (Token::Text(more), _) = self.next()? {
                text.push_str(&more);
            }
        }
        Ok(text)
    }

    fn export(&mut self) -> Read<Term> {
        let module = self.atom()?;
        self.expect(":")?;
        let function = self.atom()?;
        self.expect("/")?;
        match self.next()? {
            (Token::Number(Term::Int(arity)), _) if (0..=255).contains(&arity) => {
                Ok(Term::Export(Arc::new(Export { module, function, arity: arity as u8 })))
            }
            (found, at) => Err(unexpected(&found, at, "an arity of 0 to 255")),
        }
    }

    fn atom(&mut self) -> Read<crate::atom::Atom> {
        match self.next()? {
            (Token::Atom(atom), _) => Ok(atom),
            (found, at) => Err(unexpected(&found, at, "an atom")),
        }
    }

    fn binary(&mut self) -> Read<Term> {
        let mut bits = Bits::default();
        if self.take_if(">>")? {
            return Ok(bits.into_term());
        }
        loop {
            self.segment(&mut bits)?;
            match self.next()? {
                (Token::Mark(","), _) => {}
                (Token::Mark(">>"), _) => return Ok(bits.into_term()),
                (found, at) => return Err(unexpected(&found, at, "',' or '>>'")),
            }
        }
    }

    /// `Value:Size/utf8`: a value is an integer or a string, the size counts bits.
    fn segment(&mut self, bits: &mut Bits) -> Read<()> {
        let (token, at) = self.next()?;
        let values = match token {
            Token::Text(text) => {
                self.rest_of_text(text)?.chars().map(|c| Term::Int(i64::from(u32::from(c)))).collect()
            }
            other => vec![self.plain(other, at)?],
        };
        let mut size = None;
        if self.take_if(":")? {
            match self.next()? {
                (Token::Number(Term::Int(bits)), _) => size = Some(bits),
                (found, at) => return Err(unexpected(&found, at, "a size in bits")),
            }
        }
        let utf8 = self.take_if("/")? && {
            let type_at = self.scanner.at();
            match self.atom()? {
                name if name == "utf8" => true,
                name if name == "integer" => false,
                name => return Err(fault(format!("segments of type {name} are not read"), type_at)),
            }
        };
        if utf8 && size.is_some() {
            return Err(fault("a segment of type utf8 has no size", at));
        }
        for value in values {
            let put = if utf8 { bits.put_utf8(&value) } else { bits.put_integer(&value, size.unwrap_or(8)) };
            put.map_err(|what| fault(what, at))?;
        }
        Ok(())
    }
}

fn fault(what: impl Into<String>, at: usize) -> Fault {
    Fault { what: what.into(), at }
}

fn unexpected(found: &Token, at: usize, wanted: &str) -> Fault {
    let found = match found {
        Token::End => String::from("the end of the text"),
        Token::Dot => String::from("a dot"),
        Token::Mark(mark) => format!("'{mark}'"),
        Token::Atom(atom) => format!("the atom {}", Term::Atom(atom.clone())),
        Token::Reserved(word) => format!("the word {word}, which is an atom only in quotes"),
        Token::Number(_) => String::from("a number"),
        Token::Text(_) => String::from("a string"),
    };
    Fault { what: format!("expected {wanted}, found {found}"), at }
}

#[cfg(test)]
mod tests;
