//! Expressions made of clauses: case, if, receive, try, maybe, fun.

use std::sync::Arc;

use trunkline::Atom;

use super::{Parsed, Parser};
use crate::ast::{Body, Clause, Expr, Kind, Try};
use crate::lexer::{Loc, Tok};

impl Parser<'_> {
    /// An expression that begins with a reserved word.
    pub(crate) fn keyword(&mut self, word: &str, loc: Loc) -> Parsed<Expr> {
        let kind = match word {
            "begin" => {
                self.next();
                let body = self.body()?;
                self.expect("end")?;
                Kind::Block(body)
            }
            "if" => {
                self.next();
                let clauses = self.clauses(Parser::if_clause)?;
                self.expect("end")?;
                Kind::If(clauses)
            }
            "case" => {
                self.next();
                let value = self.expr()?;
                self.expect("of")?;
                let clauses = self.clauses(Parser::case_clause)?;
                self.expect("end")?;
                Kind::Case(Box::new(value), clauses)
            }
            "receive" => self.receive()?,
            "try" => self.try_expr()?,
            "maybe" => self.maybe()?,
            "fun" => self.fun()?,
            _ => return Err(self.unexpected()),
        };
        Ok(Expr::new(loc, kind))
    }

    /// Clauses with semicolons between them.
    fn clauses(&mut self, one: fn(&mut Self) -> Parsed<Clause>) -> Parsed<Vec<Clause>> {
        let mut clauses = vec![one(self)?];
        while self.eat(";") {
            clauses.push(one(self)?);
        }
        Ok(clauses)
    }

    fn if_clause(&mut self) -> Parsed<Clause> {
        let guards = self.guard()?;
        let body = self.arrow()?;
        Ok(Clause { loc: guards[0][0].first(), patterns: Vec::new(), guards, body })
    }

    fn case_clause(&mut self) -> Parsed<Clause> {
        let pattern = self.expr()?;
        let guards = self.when()?;
        let body = self.arrow()?;
        Ok(Clause { loc: pattern.first(), patterns: vec![pattern], guards, body })
    }

    /// `-> Body`.
    pub(super) fn arrow(&mut self) -> Parsed<Body> {
        self.expect("->")?;
        self.body()
    }

    /// `when Guard`, or nothing.
    pub(super) fn when(&mut self) -> Parsed<Vec<Vec<Expr>>> {
        if self.eat("when") { self.guard() } else { Ok(Vec::new()) }
    }

    fn guard(&mut self) -> Parsed<Vec<Vec<Expr>>> {
        let mut guards = vec![self.body()?];
        while self.eat(";") {
            guards.push(self.body()?);
        }
        Ok(guards)
    }

    fn receive(&mut self) -> Parsed<Kind> {
        self.next();
        let clauses = if self.is("after") { Vec::new() } else { self.clauses(Parser::case_clause)? };
        let after = if self.eat("after") {
            let time = self.expr()?;
            Some((Box::new(time), self.arrow()?))
        } else {
            None
        };
        self.expect("end")?;
        Ok(Kind::Receive(clauses, after))
    }

    fn try_expr(&mut self) -> Parsed<Kind> {
        self.next();
        let body = self.body()?;
        let of = if self.eat("of") { self.clauses(Parser::case_clause)? } else { Vec::new() };
        let catch = if self.eat("catch") {
            self.clauses(Parser::catch_clause)?
        } else if self.is("after") {
            Vec::new()
        } else {
            return Err(self.unexpected());
        };
        let after = if self.eat("after") { self.body()? } else { Vec::new() };
        self.expect("end")?;
        Ok(Kind::Try(Box::new(Try { body, of, catch, after })))
    }

    fn catch_clause(&mut self) -> Parsed<Clause> {
        let class = match (self.peek(), self.peek_at(1)) {
            (Some(token), Some(colon)) if colon.is(":") => match &token.tok {
                Tok::Atom(atom) => Some(Expr::new(token.loc, Kind::Atom(atom.clone()))),
                Tok::Var(name) => Some(Expr::new(token.loc, Kind::Var(name.clone()))),
                _ => None,
            },
            _ => None,
        };
        let given = class.is_some();
        if given {
            self.next();
            self.next();
        }
        self.colon_ends = true;
        let pattern = self.expr();
        self.colon_ends = false;
        let pattern = pattern?;
        let loc = class.as_ref().map_or(pattern.first(), |class| class.loc);
        let mut stack = Expr::new(last(&pattern), Kind::Var(Atom::new("_")));
        if given && self.eat(":") {
            match self.peek().map(|token| (&token.tok, token.loc)) {
                Some((Tok::Var(name), at)) => {
                    self.next();
                    stack = Expr::new(at, Kind::Var(name.clone()));
                }
                _ => return Err(self.unexpected()),
            }
        }
        let class = class.unwrap_or_else(|| Expr::atom(loc, "throw"));
        let guards = self.when()?;
        let body = self.arrow()?;
        let pattern = Expr::new(loc, Kind::Tuple(vec![class, pattern, stack]));
        Ok(Clause { loc, patterns: vec![pattern], guards, body })
    }

    fn maybe(&mut self) -> Parsed<Kind> {
        self.next();
        let mut body = Vec::new();
        loop {
            let expr = self.expr()?;
            if self.is("?=") {
                let loc = self.expect("?=")?;
                let value = self.expr()?;
                body.push(Expr::new(loc, Kind::MaybeMatch(Box::new(expr), Box::new(value))));
            } else {
                body.push(expr);
            }
            if !self.eat(",") {
                break;
            }
        }
        let mut otherwise = None;
        if self.is("else") {
            let loc = self.expect("else")?;
            otherwise = Some((loc, self.clauses(Parser::case_clause)?));
        }
        self.expect("end")?;
        Ok(Kind::Maybe(body, otherwise))
    }

    fn fun(&mut self) -> Parsed<Kind> {
        self.next();
        let Some(token) = self.peek() else { return Err(self.unexpected()) };
        let named = match (&token.tok, self.peek_at(1)) {
            (Tok::Var(name), Some(next)) if next.is("(") => Some(name.clone()),
            (Tok::Var(_) | Tok::Atom(_), _) => return self.fun_name(),
            _ => None,
        };
        let mut clauses = vec![self.fun_clause(named.as_ref())?];
        while self.eat(";") {
            clauses.push(self.fun_clause(named.as_ref())?);
        }
        self.expect("end")?;
        if let Some(odd) = clauses.iter().find(|c| c.patterns.len() != clauses[0].patterns.len()) {
            return self.wrong(odd.loc, "head mismatch");
        }
        Ok(match named {
            Some(name) => Kind::NamedFun(name, Arc::new(clauses)),
            None => Kind::Fun(Arc::new(clauses)),
        })
    }

    /// A clause; that of a named fun begins with its name.
    fn fun_clause(&mut self, named: Option<&Atom>) -> Parsed<Clause> {
        let loc = self.loc();
        if let Some(Tok::Var(name)) = self.peek().map(|token| &token.tok) {
            self.next();
            if named != Some(name) {
                return self.wrong(loc, "head mismatch");
            }
        } else if named.is_some() && self.is("(") {
            return self.wrong(loc, "head mismatch");
        }
        let patterns = self.arguments()?;
        let guards = self.when()?;
        let body = self.arrow()?;
        Ok(Clause { loc, patterns, guards, body })
    }

    /// `fun f/1`, `fun m:f/1`.
    fn fun_name(&mut self) -> Parsed<Kind> {
        let first = self.atom_or_var()?;
        if self.eat("/") {
            let Kind::Atom(name) = first.kind else {
                self.at -= 1;
                return Err(self.unexpected());
            };
            return match self.peek().map(|token| &token.tok) {
                Some(Tok::Integer(arity)) => {
                    self.next();
                    let arity = arity.as_int().and_then(|arity| u32::try_from(arity).ok());
                    Ok(Kind::FunLocal(name, arity.unwrap_or(u32::MAX)))
                }
                _ => Err(self.unexpected()),
            };
        }
        self.expect(":")?;
        let second = self.atom_or_var()?;
        self.expect("/")?;
        let Some(token) = self.peek() else { return Err(self.unexpected()) };
        let arity = match &token.tok {
            Tok::Integer(number) => Kind::Integer(number.clone()),
            Tok::Var(name) => Kind::Var(name.clone()),
            _ => return Err(self.unexpected()),
        };
        self.next();
        let arity = Expr::new(token.loc, arity);
        Ok(Kind::FunRemote(Box::new(first), Box::new(second), Box::new(arity)))
    }

    fn atom_or_var(&mut self) -> Parsed<Expr> {
        let Some(token) = self.peek() else { return Err(self.unexpected()) };
        let kind = match &token.tok {
            Tok::Atom(atom) => Kind::Atom(atom.clone()),
            Tok::Var(name) => Kind::Var(name.clone()),
            _ => return Err(self.unexpected()),
        };
        self.next();
        Ok(Expr::new(token.loc, kind))
    }
}

/// The last place that is named in a pattern.
fn last(expr: &Expr) -> Loc {
    let mut latest = expr.loc;
    let mut look = |inner: &Expr| latest = latest.max(last(inner));
    match &expr.kind {
        Kind::List(items, tail) => {
            items.iter().for_each(|(_, item)| look(item));
            look(tail);
        }
        Kind::Tuple(items) => items.iter().for_each(look),
        Kind::Map(on, fields) => {
            on.iter().for_each(|on| look(on));
            fields.iter().for_each(|field| {
                look(&field.key);
                look(&field.value);
            });
        }
        Kind::Record(on, _, fields) => {
            on.iter().for_each(|on| look(on));
            fields.iter().for_each(|field| look(&field.value));
        }
        Kind::Bin(elements) => elements.iter().for_each(|element| {
            look(&element.value);
            element.size.iter().for_each(&mut look);
        }),
        Kind::Match(left, right) | Kind::Op2(_, left, right) => {
            look(left);
            look(right);
        }
        Kind::Op1(_, inner) | Kind::RecordIndex(_, inner) => look(inner),
        _ => {}
    }
    latest
}
