//! Funs and functions.

use std::sync::{Arc, OnceLock};

use trunkline::Atom;
use trunkline::term::{Export, Term};

use super::{Compiled, Compiler, Frame, refuse};
use crate::ast::{Clause, Expr, Kind, Loc};
use crate::machine::code::{Callee, Code, Failure, Head, Op, Proto, Slot};

impl Compiler<'_> {
    pub(super) fn fun(&mut self, expr: &Expr) -> Compiled<()> {
        match &expr.kind {
            Kind::Fun(clauses) => self.make_fun(expr.loc, None, clauses),
            Kind::NamedFun(name, clauses) => self.make_fun(expr.loc, Some(name), clauses),
            Kind::FunRemote(m, f, a) => {
                let value = crate::parser::normalise(expr);
                if let Some(value) = value {
                    self.emit(Op::Const(value));
                    return Ok(());
                }
                self.beside(&[(**m).clone(), (**f).clone(), (**a).clone()])?;
                self.at(expr.loc);
                let callee = Callee::Mfa(Atom::new("erlang"), Atom::new("make_fun"));
                self.emit(Op::Call(Box::new(callee), 3, false));
                Ok(())
            }
            Kind::FunLocal(name, arity) => self.local_fun(expr.loc, name, *arity),
            _ => refuse(expr.loc, "illegal expression"),
        }
    }

    /// `fun f/1`: in a module a fun that calls the function, in the shell only what is imported has one.
    fn local_fun(&mut self, loc: Loc, name: &Atom, arity: u32) -> Compiled<()> {
        let shown = crate::lexer::write_atom(name.as_str());
        let Ok(count) = u8::try_from(arity) else { return refuse(loc, "too many arguments") };
        let key = (name.clone(), usize::from(count));
        let module = match self.unit.functions {
            Some(functions) if functions.contains_key(&key) => None,
            Some(_) if self.unit.imports.contains_key(&key) => self.unit.imports.get(&key).cloned(),
            _ if crate::library::is_auto_imported(name.as_str(), count.into()) => Some(Atom::new("erlang")),
            Some(_) => return refuse(loc, format!("function {shown}/{arity} undefined")),
            None => {
                self.emit(Op::Const(Term::atom("undef")));
                self.emit(Op::Raise);
                return Ok(());
            }
        };
        if let Some(module) = module {
            let export = Export { module, function: name.clone(), arity: count };
            self.emit(Op::Const(Term::Export(Arc::new(export))));
            return Ok(());
        }
        let var = |at: u8| Expr::new(loc, Kind::Var(Atom::new(&format!("V{at}"))));
        let patterns: Vec<Expr> = (0..count).map(var).collect();
        let function = Expr::new(loc, Kind::Atom(name.clone()));
        let body = vec![Expr::new(loc, Kind::Call(Box::new(function), patterns.clone()))];
        let clauses = Arc::new(vec![Clause { loc, patterns, guards: Vec::new(), body }]);
        self.make_fun(loc, None, &clauses)
    }

    fn make_fun(&mut self, loc: Loc, name: Option<&Atom>, clauses: &Arc<Vec<Clause>>) -> Compiled<()> {
        let index = self.unit.functions.map(|_| {
            self.unit.funs.push(None);
            self.unit.funs.len() as u32 - 1
        });
        let (code, captures, own) = self.clauses(name, clauses)?;
        let mut all = Vec::new();
        for (captured, inside) in captures {
            let outside = self.read(&captured, loc)?;
            all.push((captured, outside, inside));
        }
        all.sort_by(|a, b| a.0.as_str().cmp(b.0.as_str()));
        let name = name.cloned().zip(own);
        let written = OnceLock::new();
        let proto = Proto { code, loc, name, captures: all, clauses: clauses.clone(), written, index };
        let proto = Arc::new(proto);
        if let Some(index) = index {
            self.unit.funs[index as usize] = Some(proto.clone());
        }
        let frame = self.frame();
        frame.funs.push(proto);
        let at = frame.funs.len() as u32 - 1;
        self.at(loc);
        self.emit(Op::MakeFun(at));
        Ok(())
    }

    /// The clauses of a fun in a frame of their own.
    #[expect(clippy::type_complexity, reason = "what a fun is made of")]
    fn clauses(
        &mut self,
        name: Option<&Atom>,
        clauses: &[Clause],
    ) -> Compiled<(Arc<Code>, Vec<(Atom, Slot)>, Option<Slot>)> {
        let Some(arity) = clauses.first().and_then(|c| u8::try_from(c.patterns.len()).ok()) else {
            return refuse(Loc::default(), "limit of number of arguments to interpreted function exceeded");
        };
        self.frames.push(Frame { slots: arity.into(), ..Frame::default() });
        let own = name.map(|name| self.bind(name, true));
        let done = self.function_clauses(clauses);
        let Some(mut frame) = self.frames.pop() else { return Err(super::lost()) };
        done?;
        let captures = std::mem::take(&mut frame.captures);
        let label = name.cloned().unwrap_or_else(|| Atom::new("-fun-"));
        let code = frame.into_code(self.unit.module.clone(), label, arity);
        Ok((Arc::new(code), captures, own))
    }

    fn function_clauses(&mut self, clauses: &[Clause]) -> Compiled<()> {
        let from = self.sight();
        for clause in clauses {
            self.at(clause.loc);
            let patterns = self.patterns(&clause.patterns, true)?;
            let guard = self.guards(&clause.guards)?;
            let head = self.head(Head { patterns, guard });
            let next = self.emit_jump(Op::Enter(head, 0));
            self.body(&clause.body, true)?;
            self.emit(Op::Return);
            self.hide(from);
            self.frame().homes.clear();
            self.land(next);
        }
        if let Some(first) = clauses.first() {
            self.at(first.loc);
        }
        self.fail(Failure::Function);
        Ok(())
    }

    /// A function of a module.
    pub(crate) fn function(&mut self, name: &Atom, clauses: &[Clause]) -> Compiled<Arc<Code>> {
        let arity = clauses.first().map_or(0, |clause| clause.patterns.len());
        let Ok(arity) = u8::try_from(arity) else {
            return refuse(clauses[0].loc, "too many arguments");
        };
        self.frames.push(Frame { slots: arity.into(), ..Frame::default() });
        let done = self.function_clauses(clauses);
        let Some(frame) = self.frames.pop() else { return Err(super::lost()) };
        done?;
        Ok(Arc::new(frame.into_code(self.unit.module.clone(), name.clone(), arity)))
    }

    /// A fun that came as clauses, with the names of what it brings along.
    pub(crate) fn arrived(
        &mut self,
        loc: Loc,
        name: Option<&Atom>,
        clauses: &Arc<Vec<Clause>>,
        bound: &[Atom],
    ) -> Compiled<Arc<Proto>> {
        self.frames.push(Frame::default());
        for captured in bound {
            self.bind(captured, true);
        }
        let made = self.make_fun(loc, name, clauses);
        let Some(frame) = self.frames.pop() else { return Err(super::lost()) };
        made?;
        frame.funs.last().cloned().ok_or_else(super::lost)
    }
}
