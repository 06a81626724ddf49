//! Expressions: operators by their precedence.

use super::{Parsed, Parser};
use crate::ast::{Expr, Kind};
use crate::lexer::Tok;

/// How tightly an operator binds, and how it groups.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Groups {
    Left,
    Right,
    Never,
}

fn binary(word: &str) -> Option<(u32, Groups)> {
    Some(match word {
        "=" | "!" => (100, Groups::Right),
        "orelse" => (150, Groups::Right),
        "andalso" => (160, Groups::Right),
        "==" | "/=" | "=<" | "<" | ">=" | ">" | "=:=" | "=/=" => (200, Groups::Never),
        "++" | "--" => (300, Groups::Right),
        "+" | "-" | "bor" | "bxor" | "bsl" | "bsr" | "or" | "xor" => (400, Groups::Left),
        "/" | "*" | "div" | "rem" | "band" | "and" => (500, Groups::Left),
        _ => return None,
    })
}

const PREFIX: u32 = 600;

impl Parser<'_> {
    /// An expression.
    pub(crate) fn expr(&mut self) -> Parsed<Expr> {
        self.climb(0)
    }

    /// An expression whose operators bind at least as tightly as `least`.
    fn climb(&mut self, least: u32) -> Parsed<Expr> {
        let level = self.level();
        self.deepen()?;
        let mut left = self.prefixed()?;
        let mut never = u32::MAX;
        while let Some((word, power, groups)) = self.operator() {
            if power < least {
                break;
            }
            if power == never {
                return Err(self.unexpected());
            }
            let Some(token) = self.next() else { break };
            let right = self.climb(if groups == Groups::Right { power } else { power + 1 })?;
            never = if groups == Groups::Never { power } else { u32::MAX };
            self.deepen()?;
            left = join(word, token.loc, left, right);
        }
        self.set_level(level);
        Ok(left)
    }

    fn operator(&self) -> Option<(&'static str, u32, Groups)> {
        let Tok::Word(word) = self.peek()?.tok else { return None };
        let (power, groups) = binary(word)?;
        Some((word, power, groups))
    }

    fn prefixed(&mut self) -> Parsed<Expr> {
        let Some(token) = self.peek() else { return Err(self.unexpected()) };
        let Tok::Word(word) = token.tok else { return self.primary() };
        match word {
            "catch" => {
                self.next();
                let inner = self.climb(0)?;
                Ok(Expr::new(token.loc, Kind::Catch(Box::new(inner))))
            }
            "+" | "-" | "bnot" | "not" => {
                self.next();
                let inner = self.climb(PREFIX)?;
                Ok(Expr::new(token.loc, Kind::Op1(word, Box::new(inner))))
            }
            _ => self.primary(),
        }
    }
}

fn join(word: &'static str, loc: crate::lexer::Loc, left: Expr, right: Expr) -> Expr {
    if word == "=" {
        return Expr::new(left.first(), Kind::Match(Box::new(left), Box::new(right)));
    }
    Expr::new(loc, Kind::Op2(word, Box::new(left), Box::new(right)))
}
