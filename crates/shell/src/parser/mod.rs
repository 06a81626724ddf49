//! Tokens as trees: `erl_parse`, by precedence climbing.

mod clauses;
mod expr;
mod forms;
mod primary;

pub use forms::{Attribute, Form, Record, normalise};

use crate::ast::{Body, Expr};
use crate::lexer::{Loc, Tok, Token};
use crate::limits::NESTING_LEVELS_MAX;

/// Why tokens are no expression.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{loc}: {what}")]
pub struct ParseError {
    /// Where it goes wrong.
    pub loc: Loc,
    /// What is wrong, as `erl_parse:format_error/1` says it.
    pub what: String,
}

pub(crate) type Parsed<T> = Result<T, ParseError>;

/// Expressions up to a dot, as `erl_parse:parse_exprs/1` reads them.
///
/// # Errors
/// Where the syntax is broken.
pub fn exprs(tokens: &[Token]) -> Parsed<Body> {
    let mut parser = Parser::new(tokens);
    let body = parser.body()?;
    // To `erl_parse` the expressions are a function: what stands behind a semicolon should be its next clause.
    if parser.eat(";") {
        return Err(parser.unexpected());
    }
    parser.dot()?;
    Ok(body)
}

/// A form of a module.
///
/// # Errors
/// Where the syntax is broken.
pub fn form(tokens: &[Token]) -> Parsed<Form> {
    Parser::new(tokens).form()
}

pub(crate) struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    depth: usize,
    /// Whether a colon ends an expression: in the patterns of `catch`.
    pub(crate) colon_ends: bool,
}

impl<'a> Parser<'a> {
    pub(crate) fn new(tokens: &'a [Token]) -> Parser<'a> {
        Parser { tokens, at: 0, depth: 0, colon_ends: false }
    }

    pub(crate) fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.at)
    }

    pub(crate) fn peek_at(&self, ahead: usize) -> Option<&'a Token> {
        self.tokens.get(self.at + ahead)
    }

    pub(crate) fn next(&mut self) -> Option<&'a Token> {
        let token = self.tokens.get(self.at)?;
        self.at += 1;
        Some(token)
    }

    pub(crate) fn is(&self, word: &str) -> bool {
        self.peek().is_some_and(|token| token.is(word))
    }

    /// Takes the word if it is next.
    pub(crate) fn eat(&mut self, word: &str) -> bool {
        let is = self.is(word);
        self.at += usize::from(is);
        is
    }

    pub(crate) fn expect(&mut self, word: &str) -> Parsed<Loc> {
        match self.peek() {
            Some(token) if token.is(word) => {
                self.at += 1;
                Ok(token.loc)
            }
            _ => Err(self.unexpected()),
        }
    }

    pub(crate) fn dot(&mut self) -> Parsed<()> {
        match self.peek() {
            Some(token) if token.tok == Tok::Dot => {
                self.at += 1;
                Ok(())
            }
            _ => Err(self.unexpected()),
        }
    }

    /// The place of the next token, or of the end.
    pub(crate) fn loc(&self) -> Loc {
        match self.peek() {
            Some(token) => token.loc,
            None => self.tokens.last().map_or(Loc::new(1, 1), |token| token.end),
        }
    }

    /// `syntax error before: …`.
    pub(crate) fn unexpected(&self) -> ParseError {
        let shown = self.peek().map(Token::show).unwrap_or_default();
        let loc = match self.peek() {
            Some(token) => token.loc,
            None => self.tokens.last().map_or(Loc::new(1, 1), |token| token.loc),
        };
        ParseError { loc, what: format!("syntax error before: {shown}") }
    }

    pub(crate) fn wrong<T>(&self, loc: Loc, what: impl Into<String>) -> Parsed<T> {
        Err(ParseError { loc, what: what.into() })
    }

    /// Goes one level deeper for as long as `inner` reads.
    pub(crate) fn deeper<T>(&mut self, inner: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        self.deepen()?;
        let parsed = inner(self);
        self.depth -= 1;
        parsed
    }

    pub(crate) fn deepen(&mut self) -> Parsed<()> {
        if self.depth >= NESTING_LEVELS_MAX {
            return self.wrong(self.loc(), "expressions are nested too deep");
        }
        self.depth += 1;
        Ok(())
    }

    pub(crate) fn level(&self) -> usize {
        self.depth
    }

    pub(crate) fn set_level(&mut self, depth: usize) {
        self.depth = depth;
    }

    /// Expressions with commas between them.
    pub(crate) fn body(&mut self) -> Parsed<Vec<Expr>> {
        let mut exprs = vec![self.expr()?];
        while self.eat(",") {
            exprs.push(self.expr()?);
        }
        Ok(exprs)
    }
}
