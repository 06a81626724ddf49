//! A world without a node: one process that can send to itself, and time that stands still.

use std::collections::VecDeque;
use std::time::Duration;

use trunkline::term::print::NodeNumbers;
use trunkline::term::{Identity, NodeId};
use trunkline::{Atom, Pid, Ref, Term};

use crate::machine::Entry;
use crate::raise::{Raise, Result};
use crate::world::{Pending, Spawn, World};

/// One process, `<0.84.0>` on `nonode@nohost`. For tests, and for source that only computes.
pub struct Alone {
    identity: NodeId,
    /// What was sent to it and not received.
    pub mailbox: VecDeque<Term>,
    /// What was written.
    pub output: String,
    /// How many turns it may still take before it is interrupted; without end when nothing is said.
    pub turns: Option<u32>,
    references: u32,
    state: u64,
}

impl Default for Alone {
    fn default() -> Alone {
        let identity = Identity::new(Atom::new("nonode@nohost"), 0).id().clone();
        Alone {
            identity,
            mailbox: VecDeque::new(),
            output: String::new(),
            turns: None,
            references: 0,
            state: 1,
        }
    }
}

struct Zero;

impl NodeNumbers for Zero {
    fn number(&self, _: &NodeId) -> Option<u32> {
        Some(0)
    }
}

fn ready<'a, T: Send + 'a>(value: T) -> Pending<'a, T> {
    Box::pin(std::future::ready(value))
}

impl World for Alone {
    fn pid(&self) -> Pid {
        Pid { node: self.identity.clone(), id: 84, serial: 0 }
    }

    fn node(&self) -> Atom {
        Atom::new("nonode@nohost")
    }

    fn make_ref(&mut self) -> Ref {
        self.references += 1;
        Ref::new(self.identity.clone(), &[self.references, 0, 0]).expect("three words")
    }

    fn send(&mut self, to: &Term, message: Term, _: &Term) -> Result<Term> {
        match to {
            Term::Pid(pid) if *pid == self.pid() => self.mailbox.push_back(message),
            Term::Pid(_) | Term::Ref(_) | Term::Tuple(_) => {}
            _ => return Err(Raise::badarg()),
        }
        Ok(Term::atom("ok"))
    }

    fn spawn<'a>(&'a mut self, _: Entry, _: Spawn) -> Pending<'a, Result<Term>> {
        ready(Err(Raise::named("notsup")))
    }

    fn receive<'a>(
        &'a mut self,
        pick: &'a mut (dyn FnMut(&Term) -> bool + Send),
        time: Option<Duration>,
    ) -> Pending<'a, bool> {
        let found = self.mailbox.iter().position(pick);
        if let Some(at) = found {
            self.mailbox.remove(at);
            return ready(true);
        }
        match time {
            Some(_) => ready(false),
            // Nobody is there to send anything.
            None => Box::pin(std::future::pending()),
        }
    }

    fn ask(&mut self, _: &Atom, _: &Atom, _: &[Term]) -> Option<Result<Term>> {
        None
    }

    fn is_exported(&self, _: &Atom, _: &Atom, _: u8) -> bool {
        false
    }

    fn apply<'a>(
        &'a mut self,
        module: Atom,
        function: Atom,
        arguments: Vec<Term>,
    ) -> Pending<'a, Result<Term>> {
        ready(Err(Raise::undef(&module, &function, &arguments)))
    }

    fn write<'a>(&'a mut self, _: Option<Term>, text: String) -> Pending<'a, Result<Term>> {
        self.output.push_str(&text);
        ready(Ok(Term::atom("ok")))
    }

    fn is_interrupted(&self) -> bool {
        self.turns == Some(0)
    }

    fn breathe<'a>(&'a mut self) -> Pending<'a, ()> {
        self.turns = self.turns.map(|turns| turns.saturating_sub(1));
        ready(())
    }

    fn clock(&self) -> (i64, i64) {
        (0, 0)
    }

    fn roll(&mut self) -> u64 {
        self.state =
            self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.state ^ self.state >> 33
    }

    fn numbers(&self) -> &dyn NodeNumbers {
        &Zero
    }
}

impl std::fmt::Debug for Alone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Alone").finish_non_exhaustive()
    }
}
