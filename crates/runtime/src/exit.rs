//! Why processes end: reasons, and how a return value or a panic becomes one.

use std::any::Any;

use term::{Atom, Term};

/// Why a process ends, or shall end. Inside a process `?` on a `Result<_, Exit>` is "let it crash".
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("exit: {0:?}")]
pub struct Exit(pub Term);

impl Exit {
    /// `normal`: nothing went wrong; linked processes are not disturbed.
    pub fn normal() -> Exit {
        Exit(Term::Atom(NORMAL))
    }

    /// `shutdown`: somebody above wants the process to end in order.
    pub fn shutdown() -> Exit {
        Exit(Term::Atom(SHUTDOWN))
    }

    /// `kill`: cannot be trapped when sent with `exit/2`; the process ends with `killed`.
    pub fn kill() -> Exit {
        Exit(Term::Atom(KILL))
    }

    /// The reason.
    pub fn reason(&self) -> &Term {
        &self.0
    }

    /// Whether this is the reason `normal`.
    pub fn is_normal(&self) -> bool {
        self.0.is_atom("normal")
    }
}

impl From<Term> for Exit {
    fn from(reason: Term) -> Exit {
        Exit(reason)
    }
}

impl From<Atom> for Exit {
    fn from(reason: Atom) -> Exit {
        Exit(Term::Atom(reason))
    }
}

/// The atom of that text as the reason.
impl From<&str> for Exit {
    fn from(reason: &str) -> Exit {
        Exit(Term::atom(reason))
    }
}

/// What a process may return: `()` ends it as `normal`, `Err(exit)` with that reason.
pub trait Outcome: Send + 'static {
    /// The reason with which a process that returned this ends.
    fn into_exit(self) -> Exit;
}

impl Outcome for () {
    fn into_exit(self) -> Exit {
        Exit::normal()
    }
}

impl Outcome for Result<(), Exit> {
    fn into_exit(self) -> Exit {
        self.err().unwrap_or_else(Exit::normal)
    }
}

impl Outcome for Result<std::convert::Infallible, Exit> {
    fn into_exit(self) -> Exit {
        self.err().unwrap_or_else(Exit::normal)
    }
}

impl Outcome for Exit {
    fn into_exit(self) -> Exit {
        self
    }
}

/// A process whose body ends in `loop {}` has the type `!`, which stable Rust lets us name only through a trait.
impl Outcome for <fn() -> ! as Returns>::Type {
    fn into_exit(self) -> Exit {
        self
    }
}

/// Names what a function returns.
pub trait Returns {
    /// It.
    type Type;
}

impl<T> Returns for fn() -> T {
    type Type = T;
}

/// `{panic, <<"message">>}`: what links and monitors hear when a process panicked.
pub(crate) fn of_panic(panic: &(dyn Any + Send)) -> Exit {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Exit(Term::tuple([Term::atom("panic"), Term::binary(text.unwrap_or("not a text"))]))
}

pub(crate) const NORMAL: Atom = Atom::inline("normal");
pub(crate) const SHUTDOWN: Atom = Atom::inline("shutdown");
pub(crate) const KILL: Atom = Atom::inline("kill");
pub(crate) const KILLED: Atom = Atom::inline("killed");
pub(crate) const NOPROC: Atom = Atom::inline("noproc");
pub(crate) const NOCONNECTION: Atom = Atom::inline("noconnection");
