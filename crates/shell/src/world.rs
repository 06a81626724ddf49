//! What a program can do to the world around it.

use std::future::Future;
use std::pin::Pin as Pinned;
use std::time::Duration;

use trunkline::term::print::NodeNumbers;
use trunkline::{Atom, Pid, Ref, Term};

use crate::machine::Entry;
use crate::raise::{Raise, Result};

/// Something that takes time.
pub type Pending<'a, T> = Pinned<Box<dyn Future<Output = T> + Send + 'a>>;

/// How a process is started.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Spawn {
    /// Linked to the one that starts it.
    pub link: bool,
    /// Watched by the one that starts it.
    pub monitor: bool,
    /// On this node; on ours when there is none.
    pub node: Option<Atom>,
}

/// The process a program runs in, and the node around it.
///
/// Everything that is quick is a plain method; what takes time gives a future, which is safe to drop.
pub trait World: Send {
    /// `self()`.
    fn pid(&self) -> Pid;
    /// `node()`.
    fn node(&self) -> Atom;
    /// `make_ref()`.
    fn make_ref(&mut self) -> Ref;
    /// `erlang:send/3`.
    ///
    /// # Errors
    /// `badarg` for what is no destination.
    fn send(&mut self, to: &Term, message: Term, options: &Term) -> Result<Term>;
    /// Starts a process: its pid, or `{Pid, Ref}` when it is watched.
    ///
    /// # Errors
    /// When it cannot be started.
    fn spawn<'a>(&'a mut self, entry: Entry, how: Spawn) -> Pending<'a, Result<Term>>;
    /// The first message that `pick` takes; `false` when the time is over.
    fn receive<'a>(
        &'a mut self,
        pick: &'a mut (dyn FnMut(&Term) -> bool + Send),
        time: Option<Duration>,
    ) -> Pending<'a, bool>;
    /// The functions of a process that belong to its node: `link/1`, `register/2` …. `None` for those it does not know.
    fn ask(&mut self, module: &Atom, function: &Atom, arguments: &[Term]) -> Option<Result<Term>>;
    /// Whether the node has this function for everybody.
    fn is_exported(&self, module: &Atom, function: &Atom, arity: u8) -> bool;
    /// Calls a function of the node.
    fn apply<'a>(
        &'a mut self,
        module: Atom,
        function: Atom,
        arguments: Vec<Term>,
    ) -> Pending<'a, Result<Term>>;
    /// Writes to a device; to the group leader when none is named.
    fn write<'a>(&'a mut self, device: Option<Term>, text: String) -> Pending<'a, Result<Term>>;
    /// Lets others run.
    fn breathe<'a>(&'a mut self) -> Pending<'a, ()>;
    /// Nanoseconds since 1970, and since some moment that never changes.
    fn clock(&self) -> (i64, i64);
    /// A number nobody can guess.
    fn roll(&mut self) -> u64;
    /// With which numbers identifiers are shown.
    fn numbers(&self) -> &dyn NodeNumbers;
    /// Whether this process lives, as far as is known here; processes elsewhere do.
    fn is_alive(&self, _: &Pid) -> bool {
        true
    }
    /// Whether somebody wants the program to stop.
    fn is_interrupted(&self) -> bool {
        false
    }
}

/// Who knows the commands of a shell.
pub trait Commands: Send {
    /// Does a command.
    ///
    /// # Errors
    /// What it raises; `shell_undef` when there is none of this name.
    fn command<'a>(
        &'a mut self,
        world: &'a mut dyn World,
        name: Atom,
        arguments: Vec<Term>,
    ) -> Pending<'a, Result<Term>>;
}

/// No commands at all.
#[derive(Clone, Copy, Debug)]
pub struct NoCommands;

impl Commands for NoCommands {
    fn command<'a>(
        &'a mut self,
        _: &'a mut dyn World,
        name: Atom,
        arguments: Vec<Term>,
    ) -> Pending<'a, Result<Term>> {
        Box::pin(std::future::ready(Err(no_command(&name, arguments.len()))))
    }
}

/// `{shell_undef, Name, Arity, []}`.
pub fn no_command(name: &Atom, arity: usize) -> Box<Raise> {
    let tag = Term::atom("shell_undef");
    Raise::error(Term::tuple([tag, name.clone().into(), Term::Int(arity as i64), Term::NIL]))
}
