//! What is raised: errors, exits, throws.

use trunkline::Atom;
use trunkline::term::Term;

/// Its class.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Class {
    /// `error`.
    Error,
    /// `exit`.
    Exit,
    /// `throw`.
    Throw,
}

impl Class {
    /// As Erlang names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Class::Error => "error",
            Class::Exit => "exit",
            Class::Throw => "throw",
        }
    }

    /// The class of that name.
    pub fn read(term: &Term) -> Option<Class> {
        match term.as_atom()?.as_str() {
            "error" => Some(Class::Error),
            "exit" => Some(Class::Exit),
            "throw" => Some(Class::Throw),
            _ => None,
        }
    }
}

/// Something raised. Boxed where it travels: it is rare.
#[derive(Clone, PartialEq, Debug)]
pub struct Raise {
    /// Its class.
    pub class: Class,
    /// Why.
    pub reason: Term,
    /// The calls it came through, as far as they are known: `{M, F, Args | Arity, Info}`.
    pub trace: Vec<Term>,
    /// Whether the trace is complete: nothing is to be added.
    pub traced: bool,
    /// Whether it was raised by a call of `error/1`, which is not to be seen in the trace.
    pub own: bool,
    /// What OTP calls the cause, where the reason alone does not tell it: `id`, of a table that is not there.
    pub cause: Option<&'static str>,
}

/// What an evaluation comes to.
pub type Result<T> = std::result::Result<T, Box<Raise>>;

impl Raise {
    /// Raises.
    pub fn new(class: Class, reason: Term) -> Box<Raise> {
        Box::new(Raise { class, reason, trace: Vec::new(), traced: false, own: false, cause: None })
    }

    /// An error.
    pub fn error(reason: Term) -> Box<Raise> {
        Raise::new(Class::Error, reason)
    }

    /// An error whose reason is an atom.
    pub fn named(reason: &str) -> Box<Raise> {
        Raise::error(Term::atom(reason))
    }

    /// `badarg`.
    pub fn badarg() -> Box<Raise> {
        Raise::named("badarg")
    }

    /// `badarith`.
    pub fn badarith() -> Box<Raise> {
        Raise::named("badarith")
    }

    /// `{Tag, Value}`.
    pub fn with(tag: &str, value: Term) -> Box<Raise> {
        Raise::error(Term::tuple([Term::atom(tag), value]))
    }

    /// `undef`, of a function.
    pub fn undef(module: &Atom, function: &Atom, arguments: &[Term]) -> Box<Raise> {
        let mut raise = Raise::named("undef");
        raise.trace.push(call(module, function, arguments));
        raise
    }

    /// `badarg`, with its cause.
    pub fn caused(cause: &'static str) -> Box<Raise> {
        let mut raise = Raise::badarg();
        raise.cause = Some(cause);
        raise
    }

    /// Says which call it came from, unless that is known.
    #[must_use]
    pub fn from_call(mut self: Box<Self>, module: &Atom, function: &Atom, arguments: &[Term]) -> Box<Raise> {
        if self.trace.is_empty() && !self.traced && !self.own {
            self.trace.push(match self.cause {
                Some(cause) => caused_call(module, function, arguments, cause),
                None => call(module, function, arguments),
            });
        }
        self
    }

    /// The reason a process ends with that lets this through.
    pub fn into_exit(self) -> Term {
        match self.class {
            Class::Exit => self.reason,
            Class::Error => Term::tuple([self.reason, Term::list(self.trace)]),
            Class::Throw => {
                let reason = Term::tuple([Term::atom("nocatch"), self.reason]);
                Term::tuple([reason, Term::list(self.trace)])
            }
        }
    }
}

fn call(module: &Atom, function: &Atom, arguments: &[Term]) -> Term {
    let arguments = Term::list(arguments.iter().cloned());
    Term::tuple([module.clone().into(), function.clone().into(), arguments, Term::NIL])
}

/// A call whose `error_info` tells the cause, as in a trace of OTP's.
fn caused_call(module: &Atom, function: &Atom, arguments: &[Term], cause: &str) -> Term {
    let pairs = [("cause", cause), ("module", "erl_stdlib_errors")];
    let info =
        Term::Map(pairs.into_iter().map(|(key, value)| (Term::atom(key), Term::atom(value))).collect());
    let info = Term::list([Term::tuple([Term::atom("error_info"), info])]);
    let arguments = Term::list(arguments.iter().cloned());
    Term::tuple([module.clone().into(), function.clone().into(), arguments, info])
}
