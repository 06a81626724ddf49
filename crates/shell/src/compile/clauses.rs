//! Expressions made of clauses.

use super::scope::Var;
use super::{Compiled, Compiler, refuse};
use crate::ast::{Body, Clause, Expr, Kind, Loc, Try};
use crate::machine::code::{Failure, Head, Op, ReceiveOp};
use trunkline::Atom;

type Ways = Vec<Vec<(Atom, Var)>>;

impl Compiler<'_> {
    pub(super) fn structured(&mut self, expr: &Expr, tail: bool) -> Compiled<()> {
        let loc = expr.loc;
        match &expr.kind {
            Kind::Case(value, clauses) => {
                self.expr(value, false)?;
                self.choose(clauses, Failure::Case, "case", loc, tail)
            }
            Kind::If(clauses) => self.if_expr(clauses, loc, tail),
            Kind::Receive(clauses, after) => self.receive(clauses, after.as_ref(), loc, tail),
            Kind::Try(parts) => self.try_expr(parts, loc),
            Kind::Catch(inner) => {
                let from = self.sight();
                let handler = self.emit_jump(Op::Try(0));
                self.expr(inner, false)?;
                self.distrust(from, "catch", loc);
                self.emit(Op::EndTry);
                let end = self.emit_jump(Op::Jump(0));
                self.land(handler);
                self.emit(Op::Caught);
                self.land(end);
                Ok(())
            }
            Kind::Maybe(body, otherwise) => self.maybe(body, otherwise.as_ref(), loc, tail),
            _ => refuse(loc, "illegal expression"),
        }
    }

    fn clause_head(&mut self, clause: &Clause) -> Compiled<u32> {
        let patterns = self.patterns(&clause.patterns, false)?;
        let guard = self.guards(&clause.guards)?;
        Ok(self.head(Head { patterns, guard }))
    }

    /// Clauses for the value on the stack.
    fn choose(
        &mut self,
        clauses: &[Clause],
        failure: Failure,
        what: &'static str,
        loc: Loc,
        tail: bool,
    ) -> Compiled<()> {
        let from = self.sight();
        let (mut ways, mut ends): (Ways, Vec<usize>) = (Vec::new(), Vec::new());
        for clause in clauses {
            self.at(clause.loc);
            let head = self.clause_head(clause)?;
            let next = self.emit_jump(Op::Case(head, 0));
            self.body(&clause.body, tail)?;
            ways.push(self.hide(from));
            ends.push(self.emit_jump(Op::Jump(0)));
            self.land(next);
        }
        self.at(loc);
        self.fail(failure);
        for end in ends {
            self.land(end);
        }
        self.join(ways, what, loc);
        Ok(())
    }

    fn if_expr(&mut self, clauses: &[Clause], loc: Loc, tail: bool) -> Compiled<()> {
        let from = self.sight();
        let (mut ways, mut ends): (Ways, Vec<usize>) = (Vec::new(), Vec::new());
        for clause in clauses {
            let guard = self.guards(&clause.guards)?;
            let head = self.head(Head { patterns: Vec::new(), guard });
            let next = self.emit_jump(Op::Guard(head, 0));
            self.body(&clause.body, tail)?;
            ways.push(self.hide(from));
            ends.push(self.emit_jump(Op::Jump(0)));
            self.land(next);
        }
        self.at(loc);
        self.fail(Failure::If);
        for end in ends {
            self.land(end);
        }
        self.join(ways, "if", loc);
        Ok(())
    }

    fn receive(
        &mut self,
        clauses: &[Clause],
        after: Option<&(Box<Expr>, Body)>,
        loc: Loc,
        tail: bool,
    ) -> Compiled<()> {
        if let Some((time, _)) = after {
            self.expr(time, false)?;
        }
        let from = self.sight();
        let op = ReceiveOp { clauses: Vec::new(), after: None };
        let wait = self.emit_jump(Op::Receive(Box::new(op)));
        let (mut ways, mut ends, mut starts): (Ways, Vec<usize>, Vec<_>) =
            (Vec::new(), Vec::new(), Vec::new());
        for clause in clauses {
            let head = self.clause_head(clause)?;
            starts.push((head, self.here()));
            self.body(&clause.body, tail)?;
            ways.push(self.hide(from));
            ends.push(self.emit_jump(Op::Jump(0)));
        }
        let mut late = None;
        if let Some((_, body)) = after {
            late = Some(self.here());
            self.body(body, tail)?;
            ways.push(self.hide(from));
        }
        if let Op::Receive(op) = &mut self.frame().ops[wait] {
            op.clauses = starts;
            op.after = late;
        }
        for end in ends {
            self.land(end);
        }
        self.join(ways, "receive", loc);
        Ok(())
    }

    fn try_expr(&mut self, parts: &Try, loc: Loc) -> Compiled<()> {
        let from = self.sight();
        let cleanup = (!parts.after.is_empty()).then(|| self.emit_jump(Op::Try(0)));
        let guarded = (!parts.catch.is_empty()).then(|| self.emit_jump(Op::Try(0)));
        self.body(&parts.body, false)?;
        if guarded.is_some() {
            self.emit(Op::EndTry);
        }
        let tried = self.sight();
        if !parts.of.is_empty() {
            self.choose(&parts.of, Failure::Try, "try", loc, false)?;
        }
        self.distrust(from, "try", loc);
        // What the clauses of `of` bind is not seen where something is caught.
        let chosen = self.hide(tried);
        if let Some(guarded) = guarded {
            let end = self.emit_jump(Op::Jump(0));
            self.land(guarded);
            self.emit(Op::Three);
            self.catch_clauses(&parts.catch, loc)?;
            self.land(end);
        }
        self.frame().vars.extend(chosen);
        if let Some(cleanup) = cleanup {
            self.emit(Op::EndTry);
            self.after_body(&parts.after, loc)?;
            let end = self.emit_jump(Op::Jump(0));
            self.land(cleanup);
            self.emit(Op::Three);
            let seen = self.sight();
            self.after_body(&parts.after, loc)?;
            self.hide(seen);
            self.emit(Op::Reraise);
            self.land(end);
        }
        self.distrust(from, "try", loc);
        Ok(())
    }

    fn after_body(&mut self, after: &Body, loc: Loc) -> Compiled<()> {
        let from = self.sight();
        self.body(after, false)?;
        self.distrust(from, "try", loc);
        self.emit(Op::Pop);
        Ok(())
    }

    fn catch_clauses(&mut self, clauses: &[Clause], loc: Loc) -> Compiled<()> {
        let from = self.sight();
        let (mut ways, mut ends): (Ways, Vec<usize>) = (Vec::new(), Vec::new());
        for clause in clauses {
            if let Some(Kind::Tuple(parts)) = clause.patterns.first().map(|pattern| &pattern.kind)
                && let [_, _, Expr { kind: Kind::Var(stack), loc }] = parts.as_slice()
            {
                let depth = self.frames.len() - 1;
                if *stack != *"_" && self.find(depth, stack).is_some() {
                    let what =
                        format!("stacktrace variable '{}' must not be previously bound", stack.as_str());
                    return refuse(*loc, what);
                }
            }
            let head = self.clause_head(clause)?;
            let next = self.emit_jump(Op::Case(head, 0));
            self.body(&clause.body, false)?;
            ways.push(self.hide(from));
            ends.push(self.emit_jump(Op::Jump(0)));
            self.land(next);
        }
        self.emit(Op::Reraise);
        for end in ends {
            self.land(end);
        }
        self.join(ways, "try", loc);
        Ok(())
    }

    fn maybe(
        &mut self,
        body: &Body,
        otherwise: Option<&(Loc, Vec<Clause>)>,
        loc: Loc,
        tail: bool,
    ) -> Compiled<()> {
        let from = self.sight();
        let mut out = Vec::new();
        for (at, expr) in body.iter().enumerate() {
            match &expr.kind {
                Kind::MaybeMatch(pattern, value) => {
                    self.expr(value, false)?;
                    let patterns = vec![self.match_pattern(pattern)?];
                    let head = self.head(Head { patterns, guard: Vec::new() });
                    out.push(self.emit_jump(Op::Maybe(head, 0)));
                }
                _ => self.expr(expr, tail && at + 1 == body.len())?,
            }
            if at + 1 < body.len() {
                self.emit(Op::Pop);
            }
        }
        self.distrust(from, "maybe", loc);
        let new = self.hide(from);
        let end = self.emit_jump(Op::Jump(0));
        for jump in out {
            self.land(jump);
        }
        if let Some((at, clauses)) = otherwise {
            self.choose(clauses, Failure::Else, "else", *at, tail)?;
            self.distrust(from, "else", *at);
        }
        self.land(end);
        self.frame().vars.extend(new);
        Ok(())
    }
}
