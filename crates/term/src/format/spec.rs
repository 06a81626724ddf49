//! A format taken apart: characters, and control sequences with their arguments.

use super::FormatError;
use crate::list::Slice;
use crate::term::Term;

/// A piece of a format.
pub(super) enum Piece {
    Char(char),
    /// A list or binary in the place of a character.
    Chars(Term),
    Control(Spec),
}

/// `~F.P.PadModC`, with what it takes from the arguments.
pub(super) struct Spec {
    /// Negative: to the left.
    pub(super) width: Option<i64>,
    pub(super) precision: Option<i64>,
    pub(super) pad: char,
    pub(super) unicode: bool,
    /// `l`: no lists as strings.
    pub(super) plain: bool,
    pub(super) control: char,
    arguments: Vec<Term>,
}

impl Spec {
    pub(super) fn argument(&self, index: usize) -> Result<&Term, FormatError> {
        self.arguments.get(index).ok_or(FormatError::BadArgument)
    }
}

/// What is left of the format and of the arguments.
struct Scanner {
    format: std::vec::IntoIter<Term>,
    /// The next of the format, already taken out.
    peeked: Option<Term>,
    arguments: std::vec::IntoIter<Term>,
}

/// Takes a format apart.
pub(super) fn scan(format: &Term, arguments: &Term) -> Result<Vec<Piece>, FormatError> {
    let arguments = proper(arguments).ok_or(FormatError::BadArgument)?;
    let format = characters(format).ok_or(FormatError::BadArgument)?;
    let mut scanner = Scanner { format: format.into_iter(), peeked: None, arguments: arguments.into_iter() };
    let mut pieces = Vec::new();
    while let Some(next) = scanner.next() {
        pieces.push(match next {
            Term::Int(code) if code == i64::from(b'~') => Piece::Control(scanner.control()?),
            Term::Int(code) => Piece::Char(char_of(code)?),
            chars @ (Term::List(_) | Term::Binary(_)) => Piece::Chars(chars),
            _ => return Err(FormatError::BadArgument),
        });
    }
    if scanner.arguments.next().is_some() { Err(FormatError::BadArgument) } else { Ok(pieces) }
}

/// The format, character by character; what is in a binary is Latin-1.
fn characters(format: &Term) -> Option<Vec<Term>> {
    match format {
        Term::Atom(atom) => Some(atom.as_str().chars().map(|c| Term::Int(u32::from(c).into())).collect()),
        Term::Binary(bytes) => Some(bytes.as_slice().iter().map(|&byte| Term::Int(byte.into())).collect()),
        other => proper(other),
    }
}

fn proper(list: &Term) -> Option<Vec<Term>> {
    let list = list.as_list()?;
    let mut items = Vec::new();
    let mut runs = list.runs();
    for run in &mut runs {
        match run {
            Slice::Terms(terms) => items.extend_from_slice(terms),
            Slice::Bytes(bytes) => items.extend(bytes.iter().map(|&byte| Term::Int(byte.into()))),
        }
    }
    if runs.improper_tail().is_some() { None } else { Some(items) }
}

fn char_of(code: i64) -> Result<char, FormatError> {
    u32::try_from(code).ok().and_then(char::from_u32).ok_or(FormatError::BadArgument)
}

impl Scanner {
    fn next(&mut self) -> Option<Term> {
        self.peeked.take().or_else(|| self.format.next())
    }

    /// The next character, if it is one; it stays.
    fn peek(&mut self) -> Option<char> {
        if self.peeked.is_none() {
            self.peeked = self.format.next();
        }
        char_of(self.peeked.as_ref()?.as_int()?).ok()
    }

    /// Takes the next character if it is this one.
    fn take(&mut self, wanted: char) -> bool {
        let here = self.peek() == Some(wanted);
        if here {
            self.peeked = None;
        }
        here
    }

    fn argument(&mut self) -> Result<Term, FormatError> {
        self.arguments.next().ok_or(FormatError::BadArgument)
    }

    fn control(&mut self) -> Result<Spec, FormatError> {
        let left = self.take('-');
        let mut width = self.number()?;
        if left {
            // Without a number there is nothing to be put to the left.
            width = Some(-width.ok_or(FormatError::BadArgument)?);
        }
        let precision = if self.take('.') { self.number()? } else { None };
        let pad = if self.take('.') { self.pad()? } else { ' ' };
        let (mut unicode, mut plain) = (false, false);
        loop {
            match self.peek() {
                Some('t') => unicode = true,
                Some('l') => plain = true,
                // OTP 26: maps in the order of their keys. Ours always are.
                Some('k') => {}
                _ => break,
            }
            self.peeked = None;
        }
        let control = self.peek().ok_or(FormatError::BadArgument)?;
        self.peeked = None;
        let count = match control {
            '~' | 'n' => 0,
            'W' | 'P' | 'x' | 'X' => 2,
            'w' | 'p' | 's' | 'e' | 'f' | 'g' | 'b' | 'B' | '+' | '#' | 'c' | 'i' => 1,
            _ => return Err(FormatError::BadArgument),
        };
        let arguments = (0..count).map(|_| self.argument()).collect::<Result<_, _>>()?;
        Ok(Spec { width, precision, pad, unicode, plain, control, arguments })
    }

    fn number(&mut self) -> Result<Option<i64>, FormatError> {
        if self.take('*') {
            let number = self.argument()?.as_int().filter(|number| *number != i64::MIN);
            return number.map(Some).ok_or(FormatError::BadArgument);
        }
        let mut number: Option<i64> = None;
        while let Some(digit) = self.peek().and_then(|c| c.to_digit(10)) {
            self.peeked = None;
            number = Some(number.unwrap_or(0).saturating_mul(10).saturating_add(digit.into()));
        }
        Ok(number)
    }

    fn pad(&mut self) -> Result<char, FormatError> {
        // Where no argument is left, the star is the character to pad with.
        let starred = self.peek() == Some('*') && !self.arguments.as_slice().is_empty();
        let next = self.next().ok_or(FormatError::BadArgument)?;
        let pad = if starred { self.argument()? } else { next };
        char_of(pad.as_int().ok_or(FormatError::BadArgument)?)
    }
}
