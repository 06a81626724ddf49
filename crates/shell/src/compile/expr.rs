//! Expressions.

use std::sync::Arc;

use trunkline::Atom;
use trunkline::term::Term;

use super::scope::Var;
use super::{Compiled, Compiler, bit_types, refuse};
use crate::ast::{BinElement, Expr, Kind, MapField};
use crate::lexer::characters;
use crate::library::operator;
use crate::machine::code::{Callee, Head, Op};

impl Compiler<'_> {
    /// Expressions one after the other; the value of the last stays.
    pub(super) fn body(&mut self, body: &[Expr], tail: bool) -> Compiled<()> {
        for (at, expr) in body.iter().enumerate() {
            let last = at + 1 == body.len();
            self.expr(expr, tail && last)?;
            if !last {
                self.emit(Op::Pop);
            }
        }
        Ok(())
    }

    /// Expressions side by side: none sees what another binds.
    pub(super) fn beside(&mut self, exprs: &[Expr]) -> Compiled<()> {
        let from = self.sight();
        let known = self.frame().beside.len();
        let mut bound = Vec::new();
        for expr in exprs {
            self.expr(expr, false)?;
            let new = self.hide(from);
            self.frame().beside.extend(safe(&new));
            bound.extend(new);
        }
        let frame = self.frame();
        frame.beside.truncate(known);
        frame.vars.extend(bound);
        Ok(())
    }

    pub(super) fn expr(&mut self, expr: &Expr, tail: bool) -> Compiled<()> {
        self.at(expr.loc);
        let loc = expr.loc;
        match &expr.kind {
            Kind::Var(name) if *name == *"_" => return refuse(loc, "variable '_' is unbound"),
            Kind::Var(name) => {
                let slot = self.read(name, loc)?;
                self.emit(Op::Load(slot));
            }
            Kind::Atom(_)
            | Kind::Integer(_)
            | Kind::Float(_)
            | Kind::Char(_)
            | Kind::Nil
            | Kind::Value(_) => {
                let value = crate::parser::normalise(expr).unwrap_or(Term::NIL);
                self.emit(Op::Const(value));
            }
            Kind::String(text) => self.emit(Op::Const(characters(text))),
            Kind::List(items, tail) => self.list(items, tail)?,
            Kind::Tuple(items) => {
                self.beside(items)?;
                self.emit(Op::Tuple(items.len() as u32));
            }
            Kind::Map(on, fields) => self.map(on.as_deref(), fields)?,
            Kind::Bin(elements) => self.bits(elements)?,
            Kind::Op1(op, inner) => {
                self.expr(inner, false)?;
                self.at(loc);
                self.pure_operator(op, 1, expr)?;
            }
            Kind::Op2(..) => self.binary(expr, tail)?,
            Kind::Match(pattern, value) => {
                self.expr(value, false)?;
                let patterns = vec![self.match_pattern(pattern)?];
                let head = self.head(Head { patterns, guard: Vec::new() });
                self.at(loc);
                self.emit(Op::Match(head));
            }
            Kind::Call(function, arguments) => self.call(expr, function, arguments, tail)?,
            Kind::Block(body) => self.body(body, tail)?,
            Kind::Remote(..) => return refuse(loc, "illegal expression"),
            Kind::MaybeMatch(..) => return refuse(loc, "illegal use of ?="),
            Kind::Record(None, name, fields) => self.new_record(loc, name, fields)?,
            Kind::Record(Some(on), name, fields) => self.update_record(loc, on, name, fields)?,
            Kind::RecordField(on, name, field) => self.get_record(loc, on, name, field)?,
            Kind::RecordIndex(name, field) => {
                let index = self.record_index(loc, name, field)?;
                self.emit(Op::Const(index));
            }
            Kind::Lc(..) | Kind::Bc(..) | Kind::Mc(..) => self.comprehension(expr)?,
            Kind::Fun(_) | Kind::NamedFun(..) | Kind::FunLocal(..) | Kind::FunRemote(..) => self.fun(expr)?,
            _ => self.structured(expr, tail)?,
        }
        Ok(())
    }

    fn list(&mut self, items: &[(crate::ast::Loc, Expr)], tail: &Expr) -> Compiled<()> {
        let mut all: Vec<Expr> = items.iter().map(|(_, item)| item.clone()).collect();
        all.push(tail.clone());
        self.beside(&all)?;
        self.emit(Op::List(items.len() as u32));
        Ok(())
    }

    fn map(&mut self, on: Option<&Expr>, fields: &[MapField]) -> Compiled<()> {
        let mut all: Vec<Expr> = on.into_iter().cloned().collect();
        for field in fields {
            all.push(field.key.clone());
            all.push(field.value.clone());
        }
        self.beside(&all)?;
        match on {
            Some(_) => self.emit(Op::MapUpdate(fields.iter().map(|field| field.exact).collect())),
            None => {
                if let Some(exact) = fields.iter().find(|field| field.exact) {
                    return refuse(
                        exact.loc,
                        "only association operators '=>' are allowed in map construction",
                    );
                }
                self.emit(Op::Map(fields.len() as u32));
            }
        }
        Ok(())
    }

    fn bits(&mut self, elements: &[BinElement]) -> Compiled<()> {
        let mut all = Vec::new();
        let mut specs = Vec::new();
        for element in elements {
            let spec = bit_types::settle(element)?;
            let parts = bit_types::spread(element).unwrap_or_else(|| vec![element.clone()]);
            for part in parts {
                let size = part.size.filter(|size| size.as_atom().is_none_or(|atom| *atom != *"all"));
                specs.push((spec, size.is_some()));
                all.push(part.value);
                all.extend(size);
            }
        }
        self.beside(&all)?;
        self.emit(Op::Bits(specs.into()));
        Ok(())
    }

    fn pure_operator(&mut self, op: &str, arity: u8, expr: &Expr) -> Compiled<()> {
        let Some(f) = operator(op, arity.into()) else { return refuse(expr.loc, "illegal expression") };
        let name = Arc::new((Atom::new("erlang"), Atom::new(op)));
        self.emit(Op::Pure(f, arity, name));
        Ok(())
    }

    fn binary(&mut self, expr: &Expr, tail: bool) -> Compiled<()> {
        let Kind::Op2(op, left, right) = &expr.kind else { return Ok(()) };
        match *op {
            "andalso" | "orelse" => {
                self.expr(left, false)?;
                self.at(expr.loc);
                let jump = self.emit_jump(Op::Shortcut(*op == "andalso", 0));
                let from = self.sight();
                self.expr(right, tail)?;
                let what = if *op == "andalso" { "andalso" } else { "orelse" };
                self.distrust(from, what, expr.loc);
                self.land(jump);
                Ok(())
            }
            "!" => {
                self.beside_two(left, right)?;
                self.at(expr.loc);
                let callee = Callee::Mfa(Atom::new("erlang"), Atom::new("!"));
                self.emit(Op::Call(Box::new(callee), 2, false));
                Ok(())
            }
            op => {
                self.beside_two(left, right)?;
                self.at(expr.loc);
                self.pure_operator(op, 2, expr)
            }
        }
    }

    fn beside_two(&mut self, left: &Expr, right: &Expr) -> Compiled<()> {
        let from = self.sight();
        self.expr(left, false)?;
        let mut new = self.hide(from);
        let known = self.frame().beside.len();
        self.frame().beside.extend(safe(&new));
        self.expr(right, false)?;
        let frame = self.frame();
        frame.beside.truncate(known);
        frame.vars.append(&mut new);
        Ok(())
    }

    fn call(&mut self, expr: &Expr, function: &Expr, arguments: &[Expr], tail: bool) -> Compiled<()> {
        let arity = arguments.len();
        let Ok(count) = u8::try_from(arity) else { return refuse(expr.loc, "too many arguments") };
        match &function.kind {
            Kind::Atom(name) => {
                if *name == *"record_info"
                    && arity == 2
                    && let Some(value) = self.record_info(expr.loc, &arguments[0], &arguments[1])?
                {
                    self.emit(Op::Const(value));
                    return Ok(());
                }
                self.local_call(expr, name, arguments, count, tail)
            }
            Kind::Remote(module, name) => match (module.as_atom(), name.as_atom()) {
                (Some(module), Some(name)) => self.remote_call(expr, module, name, arguments, tail),
                _ => {
                    let mut all = vec![(**module).clone(), (**name).clone()];
                    all.extend_from_slice(arguments);
                    self.beside(&all)?;
                    self.at(expr.loc);
                    self.emit(Op::Call(Box::new(Callee::Remote), count, tail));
                    Ok(())
                }
            },
            _ => {
                let mut all = vec![function.clone()];
                all.extend_from_slice(arguments);
                self.beside(&all)?;
                self.at(expr.loc);
                self.emit(Op::Call(Box::new(Callee::Fun), count, tail));
                Ok(())
            }
        }
    }

    fn local_call(
        &mut self,
        expr: &Expr,
        name: &Atom,
        arguments: &[Expr],
        count: u8,
        tail: bool,
    ) -> Compiled<()> {
        let key = (name.clone(), arguments.len());
        let erlang = Atom::new("erlang");
        if let Some(functions) = self.unit.functions {
            if functions.contains_key(&key) {
                self.beside(arguments)?;
                self.at(expr.loc);
                self.emit(Op::Call(Box::new(Callee::Local(name.clone())), count, tail));
                return Ok(());
            }
            if let Some(module) = self.unit.imports.get(&key).cloned() {
                return self.remote_call(expr, &module, name, arguments, tail);
            }
            if *name == *"record_info" {
                return refuse(expr.loc, "illegal record info");
            }
            if crate::library::is_auto_imported(name.as_str(), arguments.len()) {
                return self.remote_call(expr, &erlang, name, arguments, tail);
            }
            let name = crate::lexer::write_atom(name.as_str());
            return refuse(expr.loc, format!("function {name}/{count} undefined"));
        }
        if crate::library::is_auto_imported(name.as_str(), arguments.len()) {
            return self.remote_call(expr, &erlang, name, arguments, tail);
        }
        self.beside(arguments)?;
        self.at(expr.loc);
        self.emit(Op::Shell(name.clone(), count));
        Ok(())
    }

    fn remote_call(
        &mut self,
        expr: &Expr,
        module: &Atom,
        name: &Atom,
        arguments: &[Expr],
        tail: bool,
    ) -> Compiled<()> {
        if *module == *"erlang"
            && *name == *"is_record"
            && arguments.len() == 2
            && let Some(name) = arguments[1].as_atom()
        {
            let size = Term::Int(self.record(arguments[1].loc, name)?.fields.len() as i64 + 1);
            let mut all = arguments.to_vec();
            all.push(Expr::new(expr.loc, Kind::Value(size)));
            return self.remote_call(expr, module, name, &all, tail);
        }
        self.beside(arguments)?;
        self.at(expr.loc);
        let count = arguments.len() as u8;
        if *module == *"erlang"
            && let Some(f) = self.unit.library.pure(module, name, count)
        {
            let name = Arc::new((module.clone(), name.clone()));
            self.emit(Op::Pure(f, count, name));
            return Ok(());
        }
        self.emit(Op::Call(Box::new(Callee::Mfa(module.clone(), name.clone())), count, tail));
        Ok(())
    }
}

/// What is bound for sure: beside it the same name is the same value.
fn safe(vars: &[(Atom, Var)]) -> Vec<Atom> {
    vars.iter().filter(|(_, var)| matches!(var, Var::Safe(_))).map(|(name, _)| name.clone()).collect()
}
