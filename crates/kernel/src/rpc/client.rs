//! Calls to other nodes, with erpc's distinctions between the ways in which they fail.

use std::time::Duration;

use runtime::SpawnAt;
use term::{Atom, FromTerm, IntoTerm, Term};

use super::asker::Asker;
use super::error::RpcError;
use super::request::{RequestId, Target, send, spawn_for};

/// Arguments of a call: a tuple of up to eight values, or a `Vec<Term>`.
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
    (A B C D E F G);
    (A B C D E F G H);
}

/// A promise: the result of a call that is under way, for whoever comes to yield it.
pub type Key<R = Term> = RequestId<R>;

/// Calls `module:function(arguments...)` on `peer` and waits for its value, as long as it takes. (`erpc:call/4`.)
///
/// The call is sent at once, before the first poll: what comes back is the future of its result, `Result<R, RpcError>`.
/// A call to the own node runs in a new process too, and fails in the same ways. An OTP node's `rpc:call` returns what was
/// thrown as if it were a value: here it is [`RpcError::Threw`].
///
/// # Errors
/// When there is no value, or one that does not read as an `R`.
///
/// # Cancel-safety
/// Dropping the future gives the answer up and takes the monitor back; the function runs on.
pub fn call<R: FromTerm>(
    asker: &impl Asker,
    peer: impl Into<Atom>,
    module: impl Into<Atom>,
    function: impl Into<Atom>,
    arguments: impl Arguments,
) -> RequestId<R> {
    send(asker, target(peer, module, function, arguments), None)
}

/// As [`call`], but waits no longer than `within`.
///
/// # Errors
/// As [`call`], and [`RpcError::Timeout`].
///
/// # Cancel-safety
/// As [`call`].
pub fn call_within<R: FromTerm>(
    asker: &impl Asker,
    peer: impl Into<Atom>,
    module: impl Into<Atom>,
    function: impl Into<Atom>,
    arguments: impl Arguments,
    within: Duration,
) -> RequestId<R> {
    send(asker, target(peer, module, function, arguments), Some(within))
}

/// Calls, and does something else meanwhile: the key can be given to anybody, who gets the result with
/// [`RequestId::yield_value`] or looks for it with [`RequestId::nb_yield`]. (`rpc:async_call/4`.)
pub fn async_call<R: FromTerm>(
    asker: &impl Asker,
    peer: impl Into<Atom>,
    module: impl Into<Atom>,
    function: impl Into<Atom>,
    arguments: impl Arguments,
) -> Key<R> {
    call(asker, peer, module, function, arguments)
}

/// Has the function run on `peer`; nobody waits for it. (`rpc:cast/4`, `erpc:cast/4`.)
pub fn cast(
    asker: &impl Asker,
    peer: impl Into<Atom>,
    module: impl Into<Atom>,
    function: impl Into<Atom>,
    arguments: impl Arguments,
) {
    let Target { peer, module, function, arguments } = target(peer, module, function, arguments);
    let what = vec![Term::Atom(module), Term::Atom(function), Term::list(arguments)];
    spawn_for(asker, "rpc: casts", |mut ctx| async move {
        ctx.spawn_request(peer, "erpc", "execute_cast", what, SpawnAt::default());
    });
}

/// Has the function run on all `peers`; nobody waits for it. (`rpc:eval_everywhere/4`, `erpc:multicast/4`.)
pub fn eval_everywhere(
    asker: &impl Asker,
    peers: impl IntoIterator<Item = impl Into<Atom>>,
    module: impl Into<Atom>,
    function: impl Into<Atom>,
    arguments: impl Arguments,
) {
    let (module, function, arguments) = (module.into(), function.into(), arguments.into_terms());
    let peers: Vec<Atom> = peers.into_iter().map(Into::into).collect();
    let what = vec![Term::Atom(module), Term::Atom(function), Term::list(arguments)];
    spawn_for(asker, "rpc: casts", |mut ctx| async move {
        for peer in peers {
            ctx.spawn_request(peer, "erpc", "execute_cast", what.clone(), SpawnAt::default());
        }
    });
}

/// This node and all visible ones it is connected with: what the functions that take nodes mean in OTP when none are given.
/// (`[node() | nodes()]`.)
pub fn everywhere(asker: &impl Asker) -> Vec<Atom> {
    let node = asker.runtime_node();
    let others = crate::net_kernel::nodes(node, crate::net_kernel::Kind::Visible);
    std::iter::once(node.name().clone()).chain(others).collect()
}

pub(crate) fn target(
    peer: impl Into<Atom>,
    module: impl Into<Atom>,
    function: impl Into<Atom>,
    arguments: impl Arguments,
) -> Target {
    Target {
        peer: peer.into(),
        module: module.into(),
        function: function.into(),
        arguments: arguments.into_terms(),
    }
}

/// `{badrpc, Reason}` or the value: what `rpc:call` of OTP makes of the outcome of a call. Nothing stands for the error
/// `badarg` that it raises itself.
pub fn badrpc(outcome: Result<Term, RpcError>) -> Option<Term> {
    super::error::rpcify(outcome)
}
