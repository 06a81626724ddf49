//! How calls fail, and how OTP says each of these failures.

use term::{Atom, FromTerm, Ref, Term};

use super::raise::Raise;

/// Why a call has no value: what `erpc` tells apart.
///
/// | Here | `erpc:call` raises | `rpc:call` returns |
/// |---|---|---|
/// | `Threw(T)` | `throw:T` | `T` |
/// | `Exited(R)` | `exit:{exception, R}` | `{badrpc, {'EXIT', R}}` |
/// | `Failed { reason, trace }` | `error:{exception, R, Trace}` | `{badrpc, {'EXIT', {R, Trace}}}` |
/// | `Signal(R)` | `exit:{signal, R}` | `{badrpc, {'EXIT', R}}` |
/// | `NoConnection` | `error:{erpc, noconnection}` | `{badrpc, nodedown}` |
/// | `Timeout` | `error:{erpc, timeout}` | `{badrpc, timeout}` |
/// | `NotSupported` | `error:{erpc, notsup}` | `{badrpc, notsup}` |
/// | `SystemLimit` | `error:{erpc, system_limit}` | `{badrpc, {'EXIT', system_limit}}` |
/// | `BadArg` | `error:{erpc, badarg}` | raises `error:badarg` |
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RpcError {
    /// The function threw.
    #[error("threw {0:?}")]
    Threw(Term),
    /// The function exited.
    #[error("exited: {0:?}")]
    Exited(Term),
    /// The function met an error.
    #[error("failed: {reason:?}")]
    Failed {
        /// Why: `undef`, `badarg`, ...
        reason: Term,
        /// The stack, as Erlang has it.
        trace: Term,
    },
    /// The process that ran it was ended from outside.
    #[error("ended by a signal: {0:?}")]
    Signal(Term),
    /// The node is too old for this kind of call.
    #[error("notsup: the node does not know this kind of call")]
    NotSupported,
    /// The node cannot be reached, or was lost before it answered.
    #[error("noconnection: the node cannot be reached")]
    NoConnection,
    /// The time is over; the function may still run.
    #[error("timeout: no answer in time")]
    Timeout,
    /// The node has no room for one process more, or cannot apply anything to so many arguments.
    #[error("system_limit: the node is full, or there are too many arguments")]
    SystemLimit,
    /// The request cannot be made: there is no such request, or its answer was given already.
    #[error("badarg: there is no such request (any more)")]
    BadArg,
    /// The node refused for another reason: `badopt`, ...
    #[error("refused by the node: {0}")]
    Refused(Atom),
    /// The value does not read as what was asked for.
    #[error("the value is {value:?}, {mismatch}")]
    Mismatch {
        /// What came.
        value: Term,
        /// What was expected.
        mismatch: term::Mismatch,
    },
}

impl RpcError {
    /// What `{erpc, Reason}` says.
    pub(crate) fn of_erpc(reason: &Atom) -> RpcError {
        match reason.as_str() {
            "noconnection" => RpcError::NoConnection,
            "notsup" => RpcError::NotSupported,
            "system_limit" => RpcError::SystemLimit,
            "badarg" => RpcError::BadArg,
            "timeout" => RpcError::Timeout,
            _ => RpcError::Refused(reason.clone()),
        }
    }

    /// What `rpc:call` returns for it; nothing where that raises the error `badarg` itself.
    pub fn to_badrpc(&self) -> Option<Term> {
        let badrpc = |reason| Some(Term::tuple([Term::atom("badrpc"), reason]));
        let exit = |reason| badrpc(exit_tuple(reason));
        match self {
            RpcError::Threw(value) if is_exit(value) => badrpc(value.clone()),
            RpcError::Threw(value) => Some(value.clone()),
            RpcError::Exited(reason) | RpcError::Signal(reason) => exit(reason.clone()),
            RpcError::Failed { reason, trace } => exit(Term::tuple([reason.clone(), trace.clone()])),
            RpcError::NotSupported => badrpc(Term::atom("notsup")),
            RpcError::NoConnection => badrpc(Term::atom("nodedown")),
            RpcError::Timeout => badrpc(Term::atom("timeout")),
            RpcError::SystemLimit => exit(Term::atom("system_limit")),
            RpcError::BadArg => None,
            RpcError::Refused(reason) => exit(Term::Atom(reason.clone())),
            RpcError::Mismatch { value, .. } => Some(value.clone()),
        }
    }

    /// The class and the reason of the exception that `erpc:call` raises for it: what `erpc:multicall` has in its list.
    pub fn to_exception(&self) -> (Atom, Term) {
        let exit = |word: &str, reason: &Term| {
            (Atom::inline("exit"), Term::tuple([Term::atom(word), reason.clone()]))
        };
        let error = |reason| (Atom::inline("error"), reason);
        let erpc = |word: &str| error(Term::tuple([Term::atom("erpc"), Term::atom(word)]));
        match self {
            RpcError::Threw(value) => (Atom::inline("throw"), value.clone()),
            RpcError::Exited(reason) => exit("exception", reason),
            RpcError::Signal(reason) => exit("signal", reason),
            RpcError::Failed { reason, trace } => {
                error(Term::tuple([Term::atom("exception"), reason.clone(), trace.clone()]))
            }
            RpcError::NotSupported => erpc("notsup"),
            RpcError::NoConnection => erpc("noconnection"),
            RpcError::Timeout => erpc("timeout"),
            RpcError::SystemLimit => erpc("system_limit"),
            RpcError::BadArg => erpc("badarg"),
            RpcError::Refused(reason) => erpc(reason.as_str()),
            // The call had a value; that it is not what the Rust side expected is our own affair.
            RpcError::Mismatch { value, .. } => error(Term::tuple([Term::atom("badmatch"), value.clone()])),
        }
    }

    /// The exception of [`RpcError::to_exception`], to be raised again.
    pub(crate) fn into_raise(self) -> Raise {
        let (class, reason) = self.to_exception();
        match class.as_str() {
            "throw" => Raise::Throw(reason),
            "exit" => Raise::Exit(reason),
            _ => Raise::Error(reason),
        }
    }
}

/// What `rpc:call` returns for the outcome of a call; nothing where it raises `badarg`.
pub(crate) fn rpcify(outcome: Result<Term, RpcError>) -> Option<Term> {
    match outcome {
        Ok(value) if is_exit(&value) => Some(Term::tuple([Term::atom("badrpc"), value])),
        Ok(value) => Some(value),
        Err(error) => error.to_badrpc(),
    }
}

/// `{ok, Value}` or `{Class, Reason}`: how `erpc:multicall` lists the outcome of one call.
pub(crate) fn listed(outcome: Result<Term, RpcError>) -> Term {
    match outcome {
        Ok(value) => Term::tuple([Term::atom("ok"), value]),
        Err(error) => {
            let (class, reason) = error.to_exception();
            Term::tuple([Term::Atom(class), reason])
        }
    }
}

/// Reads the reason with which `erpc:execute_call/4` exited.
pub(super) fn outcome_of(reason: &Term, result: &Ref) -> Result<Term, RpcError> {
    let signal = || Err(RpcError::Signal(reason.clone()));
    let Some([Term::Ref(reference), Term::Atom(word), rest @ ..]) = reason.as_tuple() else {
        return if reason.is_atom("noconnection") { Err(RpcError::NoConnection) } else { signal() };
    };
    if reference != result {
        return signal();
    }
    Err(match (word.as_str(), rest) {
        ("return", [value]) => return Ok(value.clone()),
        ("throw", [value]) => RpcError::Threw(value.clone()),
        ("exit", [reason]) => RpcError::Exited(reason.clone()),
        ("error", [reason, trace]) => RpcError::Failed { reason: reason.clone(), trace: trace.clone() },
        ("error", [pair]) => match pair.as_tuple() {
            Some([erpc, Term::Atom(why)]) if erpc.is_atom("erpc") => RpcError::of_erpc(why),
            _ => return signal(),
        },
        _ => return signal(),
    })
}

pub(super) fn read<R: FromTerm>(answer: Result<Term, RpcError>) -> Result<R, RpcError> {
    let value = answer?;
    R::from_term(&value).map_err(|mismatch| RpcError::Mismatch { value, mismatch })
}

pub(crate) fn exit_tuple(reason: Term) -> Term {
    Term::tuple([Term::atom("EXIT"), reason])
}

/// `{'EXIT', Reason}`: what a caught exit is, which a value can be mistaken for.
fn is_exit(value: &Term) -> bool {
    matches!(value.as_tuple(), Some([tag, _]) if tag.is_atom("EXIT"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn t(text: &str) -> Term {
        term::read::read_term(text).unwrap()
    }

    #[test]
    fn every_failure_is_told_as_otp_tells_it() {
        let failed = RpcError::Failed { reason: t("r"), trace: t("[]") };
        let table = [
            (RpcError::Threw(t("ball")), Some("ball"), ("throw", "ball")),
            (RpcError::Threw(t("{'EXIT', x}")), Some("{badrpc, {'EXIT', x}}"), ("throw", "{'EXIT', x}")),
            (RpcError::Exited(t("r")), Some("{badrpc, {'EXIT', r}}"), ("exit", "{exception, r}")),
            (RpcError::Signal(t("r")), Some("{badrpc, {'EXIT', r}}"), ("exit", "{signal, r}")),
            (failed, Some("{badrpc, {'EXIT', {r, []}}}"), ("error", "{exception, r, []}")),
            (RpcError::NoConnection, Some("{badrpc, nodedown}"), ("error", "{erpc, noconnection}")),
            (RpcError::Timeout, Some("{badrpc, timeout}"), ("error", "{erpc, timeout}")),
            (RpcError::NotSupported, Some("{badrpc, notsup}"), ("error", "{erpc, notsup}")),
            (
                RpcError::SystemLimit,
                Some("{badrpc, {'EXIT', system_limit}}"),
                ("error", "{erpc, system_limit}"),
            ),
            (RpcError::BadArg, None, ("error", "{erpc, badarg}")),
        ];
        for (error, badrpc, (class, reason)) in table {
            assert_eq!(error.to_badrpc(), badrpc.map(t), "{error:?}");
            assert_eq!(error.to_exception(), (Atom::new(class), t(reason)), "{error:?}");
        }
        assert_eq!(rpcify(Ok(t("{'EXIT', v}"))), Some(t("{badrpc, {'EXIT', v}}")));
    }

    #[test]
    fn the_reasons_of_execute_call_are_read_and_strange_ones_are_signals() {
        let node = term::NodeId::new(Atom::new("a@b"), 4);
        let (result, other) =
            (Ref::new(node.clone(), &[1, 2, 3]).unwrap(), Ref::new(node, &[9, 2, 3]).unwrap());
        let of = |reference: &Ref, rest: &[&str]| {
            let items = std::iter::once(Term::Ref(reference.clone())).chain(rest.iter().map(|text| t(text)));
            Term::Tuple(items.collect::<Vec<_>>().into())
        };
        let failed = RpcError::Failed { reason: t("r"), trace: t("[s]") };
        for (rest, outcome) in [
            (&["return", "7"][..], Ok(t("7"))),
            (&["throw", "7"], Err(RpcError::Threw(t("7")))),
            (&["exit", "7"], Err(RpcError::Exited(t("7")))),
            (&["error", "r", "[s]"], Err(failed)),
            (&["error", "{erpc, system_limit}"], Err(RpcError::SystemLimit)),
        ] {
            assert_eq!(outcome_of(&of(&result, rest), &result), outcome, "{rest:?}");
        }
        assert_eq!(outcome_of(&t("noconnection"), &result), Err(RpcError::NoConnection));
        let strange = [&["error", "r"][..], &["return"], &["return", "1", "2"], &["what", "1"], &[]];
        for reason in strange.map(|rest| of(&result, rest)).into_iter().chain([
            of(&other, &["return", "7"]),
            t("killed"),
            t("{}"),
            t("[]"),
        ]) {
            assert_eq!(outcome_of(&reason, &result), Err(RpcError::Signal(reason.clone())), "{reason:?}");
        }
    }
}
