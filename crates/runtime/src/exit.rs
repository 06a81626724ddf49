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

    /// For an exported function ([`crate::Node::export`]): it exits with this reason on purpose. Without this, `{Reason, Stack}`
    /// tells whoever called it of an error, as it does in Erlang's logs; here it stays the reason of an exit.
    pub fn on_purpose(reason: Term) -> Exit {
        Exit(Term::tuple([Term::Atom(ON_PURPOSE), reason]))
    }

    /// The exit itself, and whether it was said to be [on purpose](Exit::on_purpose): for whoever calls an exported function.
    pub fn sorted(self) -> (Exit, bool) {
        match self.0.as_tuple() {
            Some([Term::Atom(word), reason]) if *word == ON_PURPOSE => (Exit(reason.clone()), true),
            _ => (self, false),
        }
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

/// A panic that was caught, as Erlang says an error: why, and where.
#[derive(Clone, Debug, PartialEq)]
pub struct Panic {
    /// `{panic, <<"message">>}`.
    pub reason: Term,
    /// The file, as the compiler was told of it, and the line; nothing where the program has a panic hook that does not lead on
    /// to ours.
    pub place: Option<(String, u32)>,
}

impl Panic {
    /// Of what `catch_unwind` gave. To be called at once, on the thread that caught it.
    pub fn caught(panic: &(dyn Any + Send)) -> Panic {
        let text = panic.downcast_ref::<&str>().copied();
        let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        let reason = Term::tuple([Term::atom("panic"), Term::binary(text.unwrap_or("not a text"))]);
        Panic { reason, place: crate::crash::place_of_panic() }
    }

    /// What stands behind module, function and arity in a frame of a stack: `[{file, "src/shop.rs"}, {line, 42}]`.
    pub fn location(&self) -> Term {
        let Some((file, line)) = &self.place else { return Term::NIL };
        let pair = |key: &str, value| Term::tuple([Term::atom(key), value]);
        Term::list([pair("file", Term::string(file)), pair("line", Term::Int((*line).into()))])
    }

    /// `{{panic, <<"message">>}, [{rust, panic, 1, [{file, "src/shop.rs"}, {line, 42}]}]}`: what links and monitors hear when a
    /// process panicked, in the shape that errors of Erlang have.
    pub fn into_exit(self) -> Exit {
        let frame = [Term::atom("rust"), Term::atom("panic"), Term::Int(1), self.location()];
        Exit(Term::tuple([self.reason, Term::list([Term::tuple(frame)])]))
    }
}

/// No message and no reason of anybody else's looks like this.
const ON_PURPOSE: Atom = Atom::inline("$exit_purpose");
pub(crate) const NORMAL: Atom = Atom::inline("normal");
pub(crate) const SHUTDOWN: Atom = Atom::inline("shutdown");
pub(crate) const KILL: Atom = Atom::inline("kill");
pub(crate) const KILLED: Atom = Atom::inline("killed");
pub(crate) const NOPROC: Atom = Atom::inline("noproc");
pub(crate) const NOCONNECTION: Atom = Atom::inline("noconnection");
