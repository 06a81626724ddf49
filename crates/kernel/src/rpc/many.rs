//! Many calls at once: to many nodes, or for many values.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use term::{Atom, FromTerm, IntoTerm, Term};

use super::asker::Asker;
use super::client::{Arguments, everywhere};
use super::error::RpcError;
use super::request::{RequestId, Target, send};

/// A future that holds nothing of who asked.
pub type Waiting<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What came of calling many nodes.
#[derive(Clone, Debug, PartialEq)]
pub struct Answers<R> {
    /// Of the nodes that answered, in their order: a value, or how the function failed.
    pub results: Vec<Result<R, RpcError>>,
    /// The nodes that were not reached, or not in time, in their order.
    pub bad_nodes: Vec<Atom>,
}

/// Calls the function on all `peers` at once. (`rpc:multicall/3,4,5`; [`everywhere`] are the peers of those forms that name
/// none.) With a time, what has not answered when it is over is a bad node.
///
/// # Cancel-safety
/// As [`super::call`].
pub fn multicall<R: FromTerm + Send + 'static>(
    asker: &impl Asker,
    peers: impl IntoIterator<Item = impl Into<Atom>>,
    module: impl Into<Atom>,
    function: impl Into<Atom>,
    arguments: impl Arguments,
    within: impl Into<Option<Duration>>,
) -> Waiting<Answers<R>> {
    let peers: Vec<Atom> = peers.into_iter().map(Into::into).collect();
    let called = call_all(asker, peers.clone(), module, function, arguments, within);
    Box::pin(async move {
        let mut answers = Answers { results: Vec::with_capacity(called.len()), bad_nodes: Vec::new() };
        for (peer, request) in peers.into_iter().zip(called) {
            match request.await {
                Err(RpcError::NoConnection | RpcError::Timeout) => answers.bad_nodes.push(peer),
                result => answers.results.push(result),
            }
        }
        answers
    })
}

/// The same call to every peer, in the order of the peers.
pub(crate) fn call_all<R: FromTerm>(
    asker: &impl Asker,
    peers: Vec<Atom>,
    module: impl Into<Atom>,
    function: impl Into<Atom>,
    arguments: impl Arguments,
    within: impl Into<Option<Duration>>,
) -> Vec<RequestId<R>> {
    let (module, function, arguments) = (module.into(), function.into(), arguments.into_terms());
    let within = within.into();
    let call = |peer| {
        let (module, function, arguments) = (module.clone(), function.clone(), arguments.clone());
        send(asker, Target { peer, module, function, arguments }, within)
    };
    peers.into_iter().map(call).collect()
}

/// Module, function and arguments of one call.
pub type Mfa = (Atom, Atom, Vec<Term>);

/// Runs each call on one of the nodes of [`everywhere`], in turn; the results come in the order of the calls.
/// (`rpc:parallel_eval/1`.)
///
/// # Cancel-safety
/// As [`super::call`].
pub fn parallel_eval<R: FromTerm + Send + 'static>(
    asker: &impl Asker,
    calls: Vec<Mfa>,
) -> Waiting<Vec<Result<R, RpcError>>> {
    let peers = everywhere(asker);
    let called: Vec<RequestId<R>> = peers
        .iter()
        .cycle()
        .zip(calls)
        .map(|(peer, (module, function, arguments))| {
            send(asker, Target { peer: peer.clone(), module, function, arguments }, None)
        })
        .collect();
    Box::pin(async move {
        let mut results = Vec::with_capacity(called.len());
        for request in called {
            results.push(request.await);
        }
        results
    })
}

/// Calls `module:function(item, extra...)` for every item, spread over the nodes of [`everywhere`]; the values come in the order
/// of the items. (`rpc:pmap/3`.)
///
/// # Errors
/// The first failure in the order of the items, where OTP's exits with `badrpc` only. All calls have ended then.
///
/// # Cancel-safety
/// As [`super::call`].
pub fn pmap<R: FromTerm + Send + 'static>(
    asker: &impl Asker,
    module: impl Into<Atom>,
    function: impl Into<Atom>,
    extra: impl Arguments,
    items: impl IntoIterator<Item = impl IntoTerm>,
) -> Waiting<Result<Vec<R>, RpcError>> {
    let (module, function, extra) = (module.into(), function.into(), extra.into_terms());
    let calls = items.into_iter().map(|item| {
        let arguments = std::iter::once(item.into_term()).chain(extra.iter().cloned()).collect();
        (module.clone(), function.clone(), arguments)
    });
    let results = parallel_eval(asker, calls.collect());
    Box::pin(async move { results.await.into_iter().collect() })
}
