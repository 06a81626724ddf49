//! The steps of the machine.

use trunkline::term::{List, Map, Term};

use super::bits::BitBuffer;
use super::code::{Failure, Op};
use super::{Handler, Machine, Wait, matching};
use crate::raise::{Raise, Result};
use crate::world::World;

/// What came of a step.
pub(super) enum Stepped {
    On,
    Done,
    Wait(Wait),
}

impl Machine {
    /// One step.
    pub(super) fn step(&mut self, world: &mut dyn World) -> Result<Stepped> {
        let code = self.now.code.clone();
        let at = self.now.at;
        self.now.at += 1;
        let base = self.now.base;
        match &code.ops[at] {
            Op::Const(value) => self.stack.push(value.clone()),
            Op::Load(slot) => self.stack.push(self.slots[base + *slot as usize].clone()),
            Op::Pop => {
                self.stack.pop();
            }
            Op::Pure(f, count, name) => {
                let from = self.stack.len() - usize::from(*count);
                match f(&self.stack[from..]) {
                    Ok(value) => {
                        self.stack.truncate(from);
                        self.made(&value);
                        self.stack.push(value);
                    }
                    Err(raise) => return Err(raise.from_call(&name.0, &name.1, &self.stack[from..])),
                }
            }
            Op::Jump(label) => self.now.at = *label as usize,
            Op::Enter(head, label) => {
                let head = &code.heads[*head as usize];
                let count = head.patterns.len();
                let values: Vec<Term> = self.slots[base..base + count].to_vec();
                if !matching::head(head, &values, &mut self.slots[base..], &self.around) {
                    self.now.at = *label as usize;
                }
            }
            Op::Case(head, label) => {
                let value = std::mem::replace(self.top(), Term::NIL);
                if self.head(&code.heads[*head as usize], &value) {
                    self.stack.pop();
                } else {
                    *self.top() = value;
                    self.now.at = *label as usize;
                }
            }
            Op::Match(head) => {
                let value = self.top().clone();
                if !self.head(&code.heads[*head as usize], &value) {
                    return Err(Raise::with("badmatch", value));
                }
            }
            Op::Guard(head, label) => {
                if !matching::guard(&code.heads[*head as usize], &self.slots[base..], &self.around) {
                    self.now.at = *label as usize;
                }
            }
            Op::Call(callee, count, tail) => {
                let wait = self.call(callee, *count, *tail, world)?;
                return Ok(wait.map_or(Stepped::On, Stepped::Wait));
            }
            Op::Return => {
                if !self.leave() {
                    return Ok(Stepped::Done);
                }
            }
            Op::Fail(failure) => return Err(self.failure(*failure)),
            Op::Receive(op) => return self.begin_receive(op.after.is_some()).map(Stepped::Wait),
            Op::Shell(name, count) => {
                let arguments = self.arguments(*count);
                return Ok(Stepped::Wait(Wait::Command(name.clone(), arguments)));
            }
            op => self.other(op)?,
        }
        Ok(Stepped::On)
    }

    /// Steps that are taken less often.
    fn other(&mut self, op: &Op) -> Result<()> {
        match op {
            Op::Tuple(_) | Op::List(_) | Op::Map(_) | Op::MapUpdate(_) | Op::Bits(_) => self.build(op)?,
            Op::RecordGet { .. } | Op::RecordSet { .. } => self.record(op)?,
            Op::Shortcut(and, label) => {
                let value = self.top();
                if value.is_atom(if *and { "true" } else { "false" }) {
                    self.stack.pop();
                } else if value.is_atom(if *and { "false" } else { "true" }) {
                    self.now.at = *label as usize;
                } else {
                    return Err(Raise::with("badarg", value.clone()));
                }
            }
            Op::Raise => {
                let reason = self.stack.pop().unwrap_or(Term::NIL);
                return Err(Raise::error(reason));
            }
            Op::MakeFun(at) => {
                let proto = self.now.code.funs[*at as usize].clone();
                let fun = self.make_fun(&proto);
                self.stack.push(fun);
            }
            Op::Try(label) => self.handlers.push(Handler {
                calls: self.calls.len(),
                stack: self.stack.len(),
                iters: self.iters.len(),
                gathers: self.gathers.len(),
                label: *label,
            }),
            Op::EndTry => {
                self.handlers.pop();
            }
            Op::Caught => self.caught(),
            Op::Three => {
                let three = self.take(3);
                self.stack.push(Term::Tuple(three.into()));
            }
            Op::Reraise => return Err(self.reraise()),
            Op::Iterate(_) | Op::Next(..) | Op::Collect(_) | Op::Collected | Op::Gather | Op::Filter(_) => {
                self.looped(op)?;
            }
            Op::Maybe(head, label) => {
                let value = self.top().clone();
                let code = self.now.code.clone();
                if !self.head(&code.heads[*head as usize], &value) {
                    self.now.at = *label as usize;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// A step of a comprehension.
    fn looped(&mut self, op: &Op) -> Result<()> {
        match op {
            Op::Iterate(over) => self.iterate(*over)?,
            Op::Next(heads, label) if !self.next_element(heads)? => {
                self.now.at = *label as usize;
            }
            Op::Collect(what) => self.collect(*what),
            Op::Collected => self.collected(),
            Op::Gather => self.gather()?,
            Op::Filter(label) => {
                let value = self.stack.pop().unwrap_or(Term::NIL);
                if value.is_atom("false") {
                    self.now.at = *label as usize;
                } else if !value.is_atom("true") {
                    return Err(Raise::with("bad_filter", value));
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Makes a tuple, a list, a map, bits.
    fn build(&mut self, op: &Op) -> Result<()> {
        match op {
            Op::Tuple(count) => {
                let items = self.take(*count as usize);
                self.stack.push(Term::Tuple(items.into()));
            }
            Op::List(count) => {
                let tail = self.stack.pop().unwrap_or(Term::NIL);
                let items = self.take(*count as usize);
                self.stack.push(List::with_tail(items, tail));
            }
            Op::Map(count) => {
                let items = self.take(2 * *count as usize);
                let map: Map = pairs(items).collect();
                self.stack.push(Term::Map(map));
            }
            Op::MapUpdate(exact) => self.update_map(exact)?,
            Op::Bits(specs) => self.build_bits(specs)?,
            _ => {}
        }
        Ok(())
    }

    /// Takes a field out of a record, or puts some in.
    fn record(&mut self, op: &Op) -> Result<()> {
        match op {
            Op::RecordGet { name, size, at } => {
                let value = self.stack.pop().unwrap_or(Term::NIL);
                let field = record(&value, name, *size).and_then(|items| items.get(*at as usize).cloned());
                match field {
                    Some(field) => self.stack.push(field),
                    None => return Err(Raise::with("badrecord", value)),
                }
            }
            Op::RecordSet { name, size, at } => {
                let values = self.take(at.len());
                let value = self.stack.pop().unwrap_or(Term::NIL);
                let Some(items) = record(&value, name, *size) else {
                    return Err(Raise::with("badrecord", value));
                };
                let mut items = items.to_vec();
                for (at, value) in at.iter().zip(values) {
                    items[*at as usize] = value;
                }
                self.stack.push(Term::Tuple(items.into()));
            }
            _ => {}
        }
        Ok(())
    }

    fn top(&mut self) -> &mut Term {
        let last = self.stack.len() - 1;
        &mut self.stack[last]
    }

    fn take(&mut self, count: usize) -> Vec<Term> {
        let from = self.stack.len() - count;
        self.stack.split_off(from)
    }

    /// Matches a value; in a command, what a failed match has bound is unbound again.
    pub(super) fn head(&mut self, head: &super::code::Head, value: &Term) -> bool {
        let base = self.now.base;
        let matched =
            matching::head(head, std::slice::from_ref(value), &mut self.slots[base..], &self.around);
        if !matched && self.calls.is_empty() {
            let mut bound = Vec::new();
            head.patterns.iter().for_each(|pattern| matching::binds(pattern, &mut bound));
            for slot in bound {
                self.slots[base + slot as usize] = self.sentinel.clone();
            }
        }
        matched
    }

    fn update_map(&mut self, exact: &[bool]) -> Result<()> {
        let items = self.take(2 * exact.len());
        let mut map = match self.stack.pop() {
            Some(Term::Map(map)) => map,
            other => return Err(Raise::with("badmap", other.unwrap_or(Term::NIL))),
        };
        for ((key, value), exact) in pairs(items).zip(exact) {
            if *exact && map.get(&key).is_none() {
                return Err(Raise::with("badkey", key));
            }
            map.insert(key, value);
        }
        self.stack.push(Term::Map(map));
        Ok(())
    }

    fn build_bits(&mut self, specs: &[(super::bits::Spec, bool)]) -> Result<()> {
        let count = specs.iter().map(|(_, sized)| 1 + usize::from(*sized)).sum();
        let mut values = self.take(count).into_iter();
        let mut buffer = BitBuffer::default();
        for (spec, sized) in specs {
            let value = values.next().unwrap_or(Term::NIL);
            let size = if *sized { values.next() } else { None };
            buffer.segment(*spec, &value, size.as_ref())?;
            self.steps += (buffer.len() / 65_536) as u32;
        }
        let value = buffer.into_term();
        self.made(&value);
        self.stack.push(value);
        Ok(())
    }

    fn failure(&mut self, failure: Failure) -> Box<Raise> {
        let mut value = || self.stack.pop().unwrap_or(Term::NIL);
        match failure {
            Failure::Case => Raise::with("case_clause", value()),
            Failure::If => Raise::named("if_clause"),
            Failure::Try => Raise::with("try_clause", value()),
            Failure::Else => Raise::with("else_clause", value()),
            Failure::Function => {
                let code = self.now.code.clone();
                let base = self.now.base;
                let arguments = self.slots[base..base + usize::from(code.arity)].to_vec();
                if self.now.module.is_some() {
                    let mut raise = Raise::named("function_clause");
                    self.trace(&mut raise.trace);
                    // The call that fits no clause is told with its arguments.
                    if let Some(Term::Tuple(call)) = raise.trace.first_mut() {
                        let mut parts = call.to_vec();
                        parts[2] = Term::list(arguments);
                        *call = parts.into();
                    }
                    raise.traced = true;
                    return raise;
                }
                let name = trunkline::Atom::new("-inside-an-interpreted-fun-");
                Raise::named("function_clause").from_call(
                    &trunkline::Atom::new("erl_eval"),
                    &name,
                    &arguments,
                )
            }
        }
    }
}

fn record<'a>(value: &'a Term, name: &trunkline::Atom, size: u32) -> Option<&'a [Term]> {
    let items = value.as_tuple()?;
    let is = items.len() == size as usize && items.first().and_then(Term::as_atom) == Some(name);
    is.then_some(items)
}

fn pairs(items: Vec<Term>) -> impl Iterator<Item = (Term, Term)> {
    let mut items = items.into_iter();
    std::iter::from_fn(move || Some((items.next()?, items.next()?)))
}
