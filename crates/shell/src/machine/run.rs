//! Running: as far as it goes without waiting, and on when what was waited for is there.

use std::collections::BTreeMap;
use std::time::Duration;

use trunkline::{Atom, Term};

use super::code::Op;
use super::steps::Stepped;
use super::{Machine, Wait};
use crate::ast::Expr;
use crate::compile::Compiler;
use crate::limits::{MACHINES_DEEP_MAX, STEPS_PER_TURN_MAX};
use crate::raise::{Class, Raise, Result};
use crate::world::{Commands, NoCommands, Pending, World};

/// Where a machine stopped.
#[derive(Debug)]
pub enum Pause {
    /// At the end.
    Done(Result<Term>),
    /// It waits.
    Wait(Wait),
}

impl Machine {
    /// Goes on until something takes time or others should have their turn.
    pub fn proceed(&mut self, world: &mut dyn World) -> Pause {
        loop {
            if self.steps >= STEPS_PER_TURN_MAX {
                self.steps = 0;
                if let Some(raise) = self.weigh() {
                    return Pause::Done(Err(raise));
                }
                return Pause::Wait(Wait::Turn);
            }
            self.steps += 1;
            match self.step(world) {
                Ok(Stepped::On) => {}
                Ok(Stepped::Done) => return Pause::Done(Ok(self.stack.pop().unwrap_or(Term::NIL))),
                Ok(Stepped::Wait(wait)) => return Pause::Wait(wait),
                Err(raise) => {
                    if let Some(raise) = self.unwind(raise) {
                        return Pause::Done(Err(raise));
                    }
                }
            }
        }
    }

    /// `receive`: for how long.
    pub(super) fn begin_receive(&mut self, limited: bool) -> Result<Wait> {
        if !limited {
            return Ok(Wait::Receive(None));
        }
        let time = self.stack.pop().unwrap_or(Term::NIL);
        match time {
            Term::Atom(atom) if atom == *"infinity" => Ok(Wait::Receive(None)),
            Term::Int(time @ 0..=0xffff_ffff) => Ok(Wait::Receive(Some(Duration::from_millis(time as u64)))),
            _ => Err(Raise::named("timeout_value")),
        }
    }

    /// Offers a message to the `receive` that waits: taken, it goes on with its clause.
    pub fn offer(&mut self, message: &Term) -> bool {
        let code = self.now.code.clone();
        let Some(Op::Receive(op)) = code.ops.get(self.now.at.saturating_sub(1)) else { return false };
        for (head, label) in &op.clauses {
            if self.head(&code.heads[*head as usize], message) {
                self.now.at = *label as usize;
                return true;
            }
        }
        false
    }

    /// The time of the `receive` that waits is over.
    pub fn late(&mut self) {
        let code = self.now.code.clone();
        if let Some(Op::Receive(op)) = code.ops.get(self.now.at.saturating_sub(1))
            && let Some(label) = op.after
        {
            self.now.at = label as usize;
        }
    }
}

/// Runs a machine to its end, without commands of a shell.
///
/// # Errors
/// What the program raises and does not catch.
///
/// Safe to cancel: the program stops where it is.
pub async fn run(machine: &mut Machine, world: &mut dyn World) -> Result<Term> {
    run_with(machine, world, &mut NoCommands).await
}

/// Runs a machine to its end.
///
/// # Errors
/// What the program raises and does not catch.
///
/// Safe to cancel: the program stops where it is.
pub async fn run_with(
    machine: &mut Machine,
    world: &mut dyn World,
    commands: &mut dyn Commands,
) -> Result<Term> {
    loop {
        let wait = match machine.proceed(world) {
            Pause::Done(value) => return value,
            Pause::Wait(wait) => wait,
        };
        if world.is_interrupted() {
            return Err(Raise::new(Class::Exit, Term::atom("interrupt")));
        }
        let value = match wait {
            Wait::Turn => {
                world.breathe().await;
                continue;
            }
            Wait::Receive(time) => {
                let mut taken = |message: &Term| machine.offer(message);
                if !world.receive(&mut taken, time).await {
                    machine.late();
                }
                continue;
            }
            Wait::Sleep(time) => {
                world.receive(&mut |_| false, time).await;
                Ok(Term::atom("ok"))
            }
            Wait::Apply(module, function, arguments) => world.apply(module, function, arguments).await,
            Wait::Command(name, arguments) => commands.command(world, name, arguments).await,
            Wait::Write(device, text) => world.write(device, text).await,
            Wait::Spawn(entry, how) => world.spawn(entry, how).await,
            Wait::Evaluate(body, bound, shape) => {
                let mut bound = bound;
                let value = apart(machine, world, &body, &mut bound).await;
                shape.answer(value, bound)
            }
        };
        if let Some(raise) = machine.resume(value) {
            return Err(raise);
        }
    }
}

/// Evaluates expressions in a machine of their own, which this one waits for.
fn apart<'a>(
    outer: &'a mut Machine,
    world: &'a mut dyn World,
    body: &'a [Expr],
    bound: &'a mut BTreeMap<Atom, Term>,
) -> Pending<'a, Result<Term>> {
    Box::pin(async move {
        if outer.within >= MACHINES_DEEP_MAX {
            return Err(Raise::named("system_limit"));
        }
        let names: Vec<Atom> = bound.keys().cloned().collect();
        let command = Compiler::alone(&outer.vm.library).command(body, &names);
        let command = command.map_err(|error| Raise::error(Term::string(&error.what)))?;
        let mut inner = Machine::new(outer.vm.clone(), world.pid(), world.node());
        inner.within = outer.within + 1;
        inner.dictionary = std::mem::take(&mut outer.dictionary);
        inner.heap = std::mem::take(&mut outer.heap);
        inner.prepare(&command, bound);
        let value = run(&mut inner, world).await;
        outer.dictionary = std::mem::take(&mut inner.dictionary);
        outer.heap = std::mem::take(&mut inner.heap);
        inner.bound(&command, bound);
        value
    })
}
