//! Calls to other nodes, with erpc's distinctions between the ways in which they fail.

use std::time::Duration;

use runtime::{Ctx, Down, Node, SpawnAt};
use term::{Atom, FromTerm, IntoTerm, Ref, Term};
use tokio::sync::oneshot;

/// Arguments of a call: a tuple of up to six values, or a `Vec<Term>`.
pub trait Arguments {
    /// The arguments, one by one.
    fn into_terms(self) -> Vec<Term>;
}

impl Arguments for Vec<Term> {
    fn into_terms(self) -> Vec<Term> {
        self
    }
}

macro_rules! arguments {
    ($(($($arg:ident)*);)*) => {$(
        #[allow(non_snake_case)]
        impl<$($arg: IntoTerm),*> Arguments for ($($arg,)*) {
            fn into_terms(self) -> Vec<Term> {
                let ($($arg,)*) = self;
                vec![$($arg.into_term()),*]
            }
        }
    )*};
}

arguments! {
    ();
    (A);
    (A B);
    (A B C);
    (A B C D);
    (A B C D E);
    (A B C D E F);
}

/// Why a call has no value.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
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
    /// The node does not do this: `notsup`, `system_limit`, ...
    #[error("refused by the node: {0}")]
    Refused(Atom),
    /// The node cannot be reached, or was lost before it answered.
    #[error("noconnection: the node cannot be reached")]
    NoConnection,
    /// The time is over; the function may still run.
    #[error("timeout: no answer in time")]
    Timeout,
    /// The value does not read as what was asked for.
    #[error("the value is {value:?}, {mismatch}")]
    Mismatch {
        /// What came.
        value: Term,
        /// What was expected.
        mismatch: term::Mismatch,
    },
}

/// Calls `module:function(arguments...)` on `peer` and waits for its value, as long as it takes. (`erpc:call/4`.)
///
/// # Errors
/// When there is no value, or one that does not read as an `R`.
///
/// # Cancel-safety
/// Dropping the future drops the answer; the function runs on.
pub async fn call<R: FromTerm>(
    node: &Node,
    peer: impl Into<Atom>,
    module: impl Into<Atom>,
    function: impl Into<Atom>,
    arguments: impl Arguments,
) -> Result<R, RpcError> {
    read(ask(node, peer.into(), module.into(), function.into(), arguments.into_terms(), None).await)
}

/// As [`call`], but waits no longer than `within`.
///
/// # Errors
/// As [`call`], and [`RpcError::Timeout`].
///
/// # Cancel-safety
/// As [`call`].
pub async fn call_within<R: FromTerm>(
    node: &Node,
    peer: impl Into<Atom>,
    module: impl Into<Atom>,
    function: impl Into<Atom>,
    arguments: impl Arguments,
    within: Duration,
) -> Result<R, RpcError> {
    read(ask(node, peer.into(), module.into(), function.into(), arguments.into_terms(), Some(within)).await)
}

/// Calls the function on all `peers` at once; the answers come in the order of the peers. (`erpc:multicall/5`.)
///
/// # Cancel-safety
/// As [`call`].
pub async fn multicall<R: FromTerm>(
    node: &Node,
    peers: impl IntoIterator<Item = impl Into<Atom>>,
    module: impl Into<Atom>,
    function: impl Into<Atom>,
    arguments: impl Arguments,
    within: Duration,
) -> Vec<(Atom, Result<R, RpcError>)> {
    let (module, function, arguments) = (module.into(), function.into(), arguments.into_terms());
    let mut asked: Vec<_> = peers
        .into_iter()
        .map(|peer| {
            let peer = peer.into();
            let (module, function) = (module.clone(), function.clone());
            let answer = start(node, peer.clone(), module, function, arguments.clone(), Some(within));
            (peer, answer)
        })
        .collect();
    let mut answers = Vec::with_capacity(asked.len());
    for (peer, answer) in asked.drain(..) {
        answers.push((peer, read(answer.await.unwrap_or(Err(RpcError::NoConnection)))));
    }
    answers
}

/// Has the function run on `peer`; nobody waits for it. (`erpc:cast/4`.)
pub fn cast(
    node: &Node,
    peer: impl Into<Atom>,
    module: impl Into<Atom>,
    function: impl Into<Atom>,
    arguments: impl Arguments,
) {
    let list = Term::list(arguments.into_terms());
    let what = vec![Term::Atom(module.into()), Term::Atom(function.into()), list];
    let peer = peer.into();
    node.spawn(|mut ctx: Ctx| async move {
        ctx.spawn_request(peer, "erpc", "execute_cast", what, SpawnAt::default());
    });
}

async fn ask(
    node: &Node,
    peer: Atom,
    module: Atom,
    function: Atom,
    arguments: Vec<Term>,
    within: Option<Duration>,
) -> Result<Term, RpcError> {
    start(node, peer, module, function, arguments, within).await.unwrap_or(Err(RpcError::NoConnection))
}

/// A process of its own asks, so that its mailbox holds nothing else; it ends when nobody waits any more.
fn start(
    node: &Node,
    peer: Atom,
    module: Atom,
    function: Atom,
    arguments: Vec<Term>,
    within: Option<Duration>,
) -> oneshot::Receiver<Result<Term, RpcError>> {
    let (mut give, take) = oneshot::channel();
    node.spawn(move |mut ctx: Ctx| async move {
        let result = ctx.make_ref();
        let what =
            vec![Term::Ref(result.clone()), Term::Atom(module), Term::Atom(function), Term::list(arguments)];
        let how = SpawnAt { link: false, monitor: true };
        let id = ctx.spawn_request(peer, "erpc", "execute_call", what, how);
        let pick = |message: &Term| outcome(message, &id, &result);
        let wait = async {
            match within {
                Some(within) => ctx.select_within(within, pick).await.unwrap_or(Err(RpcError::Timeout)),
                None => ctx.select(pick).await,
            }
        };
        let answer = tokio::select! {
            biased;
            answer = wait => answer,
            () = give.closed() => return,
        };
        let _ = give.send(answer);
    });
    take
}

fn outcome(message: &Term, id: &Ref, result: &Ref) -> Option<Result<Term, RpcError>> {
    if let Ok(down) = Down::from_term(message) {
        return (down.reference == *id).then(|| value(&down.reason, result));
    }
    match message.as_tuple()? {
        [tag, Term::Ref(reference), word, Term::Atom(reason)]
            if tag.is_atom("spawn_reply") && reference == id && word.is_atom("error") =>
        {
            Some(Err(refused(reason)))
        }
        _ => None,
    }
}

fn refused(reason: &Atom) -> RpcError {
    if *reason == "noconnection" { RpcError::NoConnection } else { RpcError::Refused(reason.clone()) }
}

/// Reads the reason with which `erpc:execute_call/4` exited.
fn value(reason: &Term, result: &Ref) -> Result<Term, RpcError> {
    let parts = reason.as_tuple().unwrap_or_default();
    let [Term::Ref(reference), Term::Atom(word), rest @ ..] = parts else {
        let lost = reason.is_atom("noconnection");
        return Err(if lost { RpcError::NoConnection } else { RpcError::Signal(reason.clone()) });
    };
    match (word.as_str(), rest) {
        _ if reference != result => Err(RpcError::Signal(reason.clone())),
        ("return", [value]) => Ok(value.clone()),
        ("throw", [value]) => Err(RpcError::Threw(value.clone())),
        ("exit", [reason]) => Err(RpcError::Exited(reason.clone())),
        ("error", [reason, trace]) => Err(RpcError::Failed { reason: reason.clone(), trace: trace.clone() }),
        ("error", [reason]) => Err(RpcError::Failed { reason: reason.clone(), trace: Term::NIL }),
        _ => Err(RpcError::Signal(reason.clone())),
    }
}

fn read<R: FromTerm>(answer: Result<Term, RpcError>) -> Result<R, RpcError> {
    let value = answer?;
    R::from_term(&value).map_err(|mismatch| RpcError::Mismatch { value, mismatch })
}
