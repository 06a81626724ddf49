//! Processes that run Erlang: how they begin, here and elsewhere, and how they end.

use std::sync::Arc;

use trunkline::{Atom, Ctx, Exit, SpawnAt, SpawnOptions, Term};

use super::{NodeWorld, foreign};
use crate::machine::{Entry, Machine, run};
use crate::raise::{Class, Raise, Result};
use crate::vm::Vm;
use crate::world::Spawn;

/// Runs a program in a process of its own, to its end.
///
/// # Errors
/// With the reason with which the process is to end.
pub async fn live(ctx: Ctx, vm: Arc<Vm>, entry: Entry) -> std::result::Result<(), Exit> {
    let mut world = NodeWorld::new(ctx, vm);
    match whole(&mut world, entry).await {
        Ok(_) => Ok(()),
        Err(raise) => {
            // As in OTP: an error is news for the log; who exits has said what he had to say.
            if raise.class == Class::Exit {
                world.ctx.end_quietly();
            }
            Err(Exit(raise.into_exit()))
        }
    }
}

/// Runs a program: its value.
///
/// # Errors
/// With the reason with which its process is to end.
pub async fn value_of(ctx: Ctx, vm: Arc<Vm>, entry: Entry) -> std::result::Result<Term, Exit> {
    let mut world = NodeWorld::new(ctx, vm);
    whole(&mut world, entry).await.map_err(|raise| Exit(raise.into_exit()))
}

async fn whole(world: &mut NodeWorld, entry: Entry) -> Result<Term> {
    let mut machine = Machine::new(world.vm.clone(), world.ctx.pid(), world.ctx.node().name().clone());
    machine.start(entry);
    run(&mut machine, world).await.map_err(|mut raise| {
        if raise.trace.is_empty() {
            // An error has a stack behind it, as those who hear of it expect.
            let frame = [Term::atom("erl_eval"), Term::atom("expr"), Term::Int(6), Term::NIL];
            raise.trace.push(Term::tuple(frame));
        }
        raise
    })
}

/// What an exported function met, as Erlang's code meets it: an error has a stack behind it.
pub fn raised(exit: Term) -> Box<Raise> {
    let error = match exit.as_tuple() {
        Some([reason, Term::List(stack)]) if !stack.is_nil() && stack.improper_tail().is_none() => {
            let frames: Vec<Term> = stack.iter().collect();
            let frame = |frame: &Term| {
                matches!(frame.as_tuple(), Some([Term::Atom(_), Term::Atom(_), _, Term::List(_)]))
            };
            frames.iter().all(frame).then(|| (reason.clone(), frames))
        }
        _ => None,
    };
    let Some((reason, trace)) = error else { return Raise::new(Class::Exit, exit) };
    let (class, reason) = match reason.as_tuple() {
        Some([tag, value]) if tag.is_atom("nocatch") => (Class::Throw, value.clone()),
        _ => (Class::Error, reason),
    };
    Box::new(Raise { class, reason, trace, traced: false, own: false, cause: None })
}

impl NodeWorld {
    /// Starts a process here.
    pub(super) fn spawn_here(&mut self, entry: Entry, how: &Spawn) -> Term {
        let vm = self.vm.clone();
        let body = move |ctx: Ctx| live(ctx, vm, entry);
        let options = SpawnOptions { label: Some("apply"), ..SpawnOptions::default() };
        match (how.link, how.monitor) {
            (linked, true) => {
                let (pid, reference) = self.ctx.spawn_monitor_with(options, linked, body);
                Term::tuple([Term::Pid(pid), Term::Ref(reference)])
            }
            (true, false) => Term::Pid(self.ctx.spawn_link_with(options, body)),
            (false, false) => Term::Pid(self.ctx.spawn_with(options, body)),
        }
    }

    /// Starts a process on another node. That none came of it is heard as an exit or a down message, never as an error.
    pub(super) async fn spawn_there(&mut self, node: Atom, entry: Entry, how: Spawn) -> Result<Term> {
        let (module, function, arguments) = match entry {
            Entry::Fun(fun) => (Atom::new("erlang"), Atom::new("apply"), vec![fun, Term::NIL]),
            Entry::Mfa(module, function, arguments) => (module, function, arguments),
        };
        let arguments = foreign::arguments_for(self.ctx.node(), &node, arguments).await;
        let at = SpawnAt { link: how.link, monitor: how.monitor };
        match self.ctx.spawn_at(node.clone(), module, function, arguments, at).await {
            Ok((pid, reference)) if how.monitor => Ok(Term::tuple([Term::Pid(pid), Term::Ref(reference)])),
            Ok((pid, _)) => Ok(Term::Pid(pid)),
            Err(error) => {
                tracing::warn!("** Can not start erlang:apply on {node} ** {error}");
                // A process that has just ended stands in for the one that never was.
                let gone = how.clone();
                let vm = self.vm.clone();
                let reason = Term::atom("noconnection");
                let body = move |ctx: Ctx| async move {
                    drop((ctx, vm));
                    Err::<(), Exit>(Exit(reason))
                };
                Ok(match (gone.link, gone.monitor) {
                    (_, true) => {
                        let (pid, reference) = self.ctx.spawn_monitor(body);
                        Term::tuple([Term::Pid(pid), Term::Ref(reference)])
                    }
                    (true, false) => Term::Pid(self.ctx.spawn_link(body)),
                    (false, false) => Term::Pid(self.ctx.spawn(body)),
                })
            }
        }
    }
}
