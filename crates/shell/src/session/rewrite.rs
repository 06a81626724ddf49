//! What is replaced before a command runs: `v(N)`, `e(N)`, `f(X)`, `rd(name, {…})`.

use trunkline::Term;

use super::Session;
use crate::ast::{Body, Clause, Expr, Kind, Qualifier};
use crate::parser::Record;

impl Session {
    /// The command with everything replaced that needs the memory of the shell.
    pub(super) fn rewrite(&mut self, mut body: Body) -> Result<Body, String> {
        for expr in &mut body {
            self.expr(expr)?;
        }
        Ok(body)
    }

    fn expr(&mut self, expr: &mut Expr) -> Result<(), String> {
        if let Kind::Call(function, arguments) = &mut expr.kind {
            if let Some(own) = own_command(function) {
                function.kind = Kind::Atom(own);
            }
            let name = function.as_atom().map(|name| name.as_str().to_owned());
            let replaced = match (name.as_deref(), arguments.as_slice()) {
                (Some("v"), [number]) => Some(Kind::Value(Self::recall(number, |at| self.memory.value(at))?)),
                (Some("e"), [number]) => Some(Kind::Block(Self::recall(number, |at| self.memory.body(at))?)),
                (Some("f"), [Expr { kind: Kind::Var(name), .. }]) => {
                    let name = Term::tuple([Term::atom("var"), name.clone().into()]);
                    let argument = Expr::new(expr.loc, Kind::Value(name));
                    Some(Kind::Call(function.clone(), vec![argument]))
                }
                (Some("rd"), [name, definition]) if name.as_atom().is_some() => {
                    match record(name, definition) {
                        Ok(record) => {
                            let name = record.name.clone();
                            self.records.insert(name.clone(), record);
                            Some(Kind::Atom(name))
                        }
                        Err(why) => Some(exit(function, why)),
                    }
                }
                _ => None,
            };
            if let Some(kind) = replaced {
                expr.kind = kind;
                return Ok(());
            }
        }
        self.inside(expr)
    }

    /// What is remembered under the number that was typed.
    fn recall<T>(number: &Expr, found: impl Fn(i64) -> Option<T>) -> Result<T, String> {
        let value = match crate::parser::normalise(number) {
            Some(Term::Int(number)) => number,
            Some(other) => return Err(format!("{other}: command not found")),
            None => return Err("command not found".to_owned()),
        };
        found(value).ok_or_else(|| format!("{value}: command not found"))
    }

    fn all<'a>(&mut self, exprs: impl IntoIterator<Item = &'a mut Expr>) -> Result<(), String> {
        exprs.into_iter().try_for_each(|expr| self.expr(expr))
    }

    fn clauses(&mut self, clauses: &mut [Clause]) -> Result<(), String> {
        clauses.iter_mut().try_for_each(|clause| self.all(&mut clause.body))
    }

    fn inside(&mut self, expr: &mut Expr) -> Result<(), String> {
        match &mut expr.kind {
            Kind::List(items, tail) => {
                self.all(items.iter_mut().map(|(_, item)| item))?;
                self.expr(tail)
            }
            Kind::Tuple(items) | Kind::Block(items) => self.all(items),
            Kind::Map(on, fields) => {
                self.all(on.iter_mut().map(|on| &mut **on))?;
                fields.iter_mut().try_for_each(|field| self.all([&mut field.key, &mut field.value]))
            }
            Kind::Record(on, _, fields) => {
                self.all(on.iter_mut().map(|on| &mut **on))?;
                self.all(fields.iter_mut().map(|field| &mut field.value))
            }
            Kind::RecordField(on, ..) | Kind::Catch(on) | Kind::Op1(_, on) => self.expr(on),
            Kind::Bin(elements) => self.all(elements.iter_mut().map(|element| &mut element.value)),
            Kind::Lc(template, parts) | Kind::Bc(template, parts) => {
                self.expr(template)?;
                self.qualifiers(parts)
            }
            Kind::Mc(field, parts) => {
                self.all([&mut field.key, &mut field.value])?;
                self.qualifiers(parts)
            }
            Kind::If(clauses) => self.clauses(clauses),
            Kind::Case(value, clauses) => {
                self.expr(value)?;
                self.clauses(clauses)
            }
            Kind::Receive(clauses, after) => {
                self.clauses(clauses)?;
                match after {
                    Some((time, body)) => {
                        self.expr(time)?;
                        self.all(body)
                    }
                    None => Ok(()),
                }
            }
            Kind::Try(parts) => {
                self.all(&mut parts.body)?;
                self.clauses(&mut parts.of)?;
                self.clauses(&mut parts.catch)?;
                self.all(&mut parts.after)
            }
            Kind::Match(_, value) | Kind::MaybeMatch(_, value) => self.expr(value),
            Kind::Maybe(body, otherwise) => {
                self.all(body)?;
                otherwise.iter_mut().try_for_each(|(_, clauses)| self.clauses(clauses))
            }
            Kind::Op2(_, left, right) | Kind::Remote(left, right) => self.all([&mut **left, &mut **right]),
            Kind::Call(function, arguments) => {
                self.expr(function)?;
                self.all(arguments)
            }
            Kind::Fun(clauses) | Kind::NamedFun(_, clauses) => {
                self.clauses(std::sync::Arc::<Vec<Clause>>::make_mut(clauses))
            }
            _ => Ok(()),
        }
    }

    fn qualifiers(&mut self, parts: &mut [Qualifier]) -> Result<(), String> {
        parts.iter_mut().try_for_each(|part| match part {
            Qualifier::Filter(test) => self.expr(test),
            Qualifier::Generate(generator) => self.expr(&mut generator.from),
            Qualifier::Zip(_, generators) => {
                self.all(generators.iter_mut().map(|generator| &mut generator.from))
            }
        })
    }
}

/// `c:flush` and its like: commands that the shell itself does.
fn own_command(function: &Expr) -> Option<trunkline::Atom> {
    let Kind::Remote(module, name) = &function.kind else { return None };
    let (module, name) = (module.as_atom()?, name.as_atom()?);
    let own = super::commands::OWN.iter().find(|(own, _)| *own == module.as_str())?;
    own.1.contains(&name.as_str()).then(|| name.clone())
}

/// `exit(Why)`, with a text.
fn exit(at: &Expr, why: &str) -> Kind {
    let call = Kind::Remote(
        Box::new(Expr::new(at.loc, Kind::Atom("erlang".into()))),
        Box::new(Expr::new(at.loc, Kind::Atom("exit".into()))),
    );
    Kind::Call(Box::new(Expr::new(at.loc, call)), vec![Expr::new(at.loc, Kind::Value(Term::string(why)))])
}

/// `name` and `{field, field = Value}` as a definition.
fn record(name: &Expr, definition: &Expr) -> Result<Record, &'static str> {
    let name = name.as_atom().cloned().ok_or("bad record declaration")?;
    let Kind::Tuple(items) = &definition.kind else { return Err("bad record declaration") };
    let field = |item: &Expr| match &item.kind {
        Kind::Atom(field) => Some((item.loc, field.clone(), None)),
        Kind::Match(field, value) => Some((item.loc, field.as_atom()?.clone(), Some((**value).clone()))),
        _ => None,
    };
    let fields: Option<Vec<_>> = items.iter().map(field).collect();
    Ok(Record { name, fields: fields.ok_or("bad record field")? })
}
