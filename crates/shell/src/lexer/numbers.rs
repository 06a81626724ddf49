//! Numbers: `42`, `1_000`, `16#ff`, `1.5e3`, `2#1.01#e3`.

use num_bigint::BigInt;
use trunkline::term::Term;

use super::{LexError, Lexer, Loc, Tok, Wrong, error, illegal};
use crate::limits::INTEGER_DIGITS_MAX;

impl Lexer {
    pub(super) fn number(&mut self, loc: Loc) -> Result<Tok, LexError> {
        let digits = self.digits(10);
        match self.peek(0) {
            Some('.') if self.peek(1).is_some_and(|c| c.is_ascii_digit()) => self.fraction(digits, loc),
            Some('#') => self.based(&digits, loc),
            _ => integer(&digits, 10).map(Tok::Integer).ok_or_else(|| illegal(loc, "integer")),
        }
    }

    /// Digits of a base, single underscores between them left out.
    fn digits(&mut self, base: u32) -> String {
        let mut digits = String::new();
        loop {
            match self.peek(0) {
                Some(c) if c.is_digit(base) => digits.push(c),
                Some('_') if !digits.is_empty() && self.peek(1).is_some_and(|c| c.is_digit(base)) => {}
                _ => return digits,
            }
            self.bump();
        }
    }

    fn based(&mut self, digits: &str, loc: Loc) -> Result<Tok, LexError> {
        let base = digits.parse::<u32>().ok().filter(|base| (2..=36).contains(base));
        let Some(base) = base else {
            let digits = digits.trim_start_matches('0');
            let digits = if digits.is_empty() { "0" } else { digits };
            return Err(error(loc, format!("illegal base '{digits}'"), Wrong::Base(digits.to_owned())));
        };
        self.bump();
        let digits = self.digits(base);
        integer(&digits, base).map(Tok::Integer).ok_or_else(|| illegal(loc, "integer"))
    }

    fn fraction(&mut self, whole: String, loc: Loc) -> Result<Tok, LexError> {
        self.bump();
        let mut text = whole + "." + &self.digits(10);
        if matches!(self.peek(0), Some('e' | 'E')) {
            self.bump();
            text.push('e');
            if let Some(sign @ ('+' | '-')) = self.peek(0) {
                self.bump();
                text.push(sign);
            }
            let exponent = self.digits(10);
            if exponent.is_empty() {
                return Err(illegal(loc, "float"));
            }
            text.push_str(&exponent);
        }
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Tok::Float(number)),
            _ => Err(illegal(loc, "float")),
        }
    }
}

/// Digits as an integer; `None` for none, or too many.
pub(crate) fn integer(digits: &str, base: u32) -> Option<Term> {
    if let Ok(number) = i64::from_str_radix(digits, base) {
        return Some(Term::Int(number));
    }
    if digits.len() > INTEGER_DIGITS_MAX {
        return None;
    }
    BigInt::parse_bytes(digits.as_bytes(), base).map(Term::from)
}
