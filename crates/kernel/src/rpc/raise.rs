//! How an exported function answers: with a value, or by raising on purpose.

use runtime::Exit;
use term::{Atom, FromTerm, IntoTerm, Term};

use super::server::{Ran, sort};

/// What an exported function raises on purpose, as `throw/1`, `exit/1` and `error/1` do in Erlang.
///
/// ```
/// # use trunkline_kernel as kernel;
/// use kernel::rpc::Raise;
///
/// fn withdraw(balance: i64, amount: i64) -> Result<i64, Raise> {
///     if amount < 0 {
///         return Err(Raise::badarg());
///     }
///     if amount > balance {
///         return Err(Raise::throw("overdrawn"));
///     }
///     Ok(balance - amount)
/// }
/// # assert_eq!(withdraw(1, 1), Ok(0));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Raise {
    /// `throw(Value)`.
    Throw(Term),
    /// `exit(Reason)`.
    Exit(Term),
    /// `error(Reason)`: the stack names the function and how many arguments it takes.
    Error(Term),
    /// `error(Reason, Arguments)`: the stack has the arguments too, as with functions that refuse them.
    Refuse(Term),
    /// An error that was met somewhere else, with its stack.
    Reraise {
        /// Why.
        reason: Term,
        /// Where, as Erlang's stacks have it.
        stack: Term,
    },
    /// The arguments do not fit: `badarg` in the module `erlang`, `function_clause` anywhere else.
    Unfit,
}

impl Raise {
    /// Throws this.
    pub fn throw(value: impl IntoTerm) -> Raise {
        Raise::Throw(value.into_term())
    }

    /// Exits with this reason.
    pub fn exit(reason: impl IntoTerm) -> Raise {
        Raise::Exit(reason.into_term())
    }

    /// Meets this error.
    pub fn error(reason: impl IntoTerm) -> Raise {
        Raise::Error(reason.into_term())
    }

    /// The error `badarg`, with the arguments in the stack.
    pub fn badarg() -> Raise {
        Raise::Refuse(Term::atom("badarg"))
    }

    /// The reason with which a process ends that raised this and did not catch it. It says which of the three it was:
    /// an error has a stack behind it, a throw is the error `{nocatch, Value}`.
    pub(crate) fn uncaught(self, module: Atom, function: Atom, arguments: Vec<Term>) -> Exit {
        let erlang = module == "erlang";
        let named = Term::Int(arguments.len() as i64);
        let frame =
            |about| Term::list([Term::tuple([Term::Atom(module), Term::Atom(function), about, Term::NIL])]);
        Exit(match self {
            // What looks like an error is none for that.
            Raise::Exit(reason) if !matches!(sort(Exit(reason.clone())), Ran::Exit(_)) => {
                return Exit::on_purpose(reason);
            }
            Raise::Exit(reason) => reason,
            Raise::Throw(value) => Term::tuple([Term::tuple([Term::atom("nocatch"), value]), frame(named)]),
            Raise::Error(reason) => Term::tuple([reason, frame(named)]),
            Raise::Refuse(reason) => Term::tuple([reason, frame(Term::list(arguments))]),
            Raise::Reraise { reason, stack } => Term::tuple([reason, stack]),
            Raise::Unfit => {
                let reason = if erlang { "badarg" } else { "function_clause" };
                Term::tuple([Term::atom(reason), frame(Term::list(arguments))])
            }
        })
    }
}

/// A process that would crash: the reason of its end is raised as an exit.
impl From<Exit> for Raise {
    fn from(exit: Exit) -> Raise {
        Raise::Exit(exit.0)
    }
}

impl From<term::Mismatch> for Raise {
    fn from(_: term::Mismatch) -> Raise {
        Raise::Unfit
    }
}

/// What a call of another function met is raised again, as it would be in Erlang.
impl From<super::RpcError> for Raise {
    fn from(error: super::RpcError) -> Raise {
        error.into_raise()
    }
}

/// What an exported function may return: a value that is a term, or a `Result` of one whose error raises ([`Raise`], [`Exit`]).
///
/// Any other `Result` is the term `{ok, Value}` or `{error, Reason}`. Nobody needs to implement this.
pub trait Answer<Kind> {
    /// The value, or what is raised.
    ///
    /// # Errors
    /// What is raised.
    fn answer(self) -> Result<Term, Raise>;
}

/// The function returns a term.
pub enum Plain {}

/// The function may raise.
pub enum Raising {}

/// The function may exit.
pub enum Exiting {}

impl<T: IntoTerm> Answer<Plain> for T {
    fn answer(self) -> Result<Term, Raise> {
        Ok(self.into_term())
    }
}

impl<T: IntoTerm> Answer<Raising> for Result<T, Raise> {
    fn answer(self) -> Result<Term, Raise> {
        self.map(T::into_term)
    }
}

impl<T: IntoTerm> Answer<Exiting> for Result<T, Exit> {
    fn answer(self) -> Result<Term, Raise> {
        Ok(self?.into_term())
    }
}

/// Reads one argument.
pub(crate) fn read<T: FromTerm>(argument: &Term) -> Result<T, Raise> {
    Ok(T::from_term(argument)?)
}
