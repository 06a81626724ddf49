//! What `erpc` has and [`crate::rpc`] has not: calls to many nodes whose outcomes are listed node by node, and collections of
//! requests.
//!
//! The calls themselves are those of [`crate::rpc`], which keep erpc's distinctions: `erpc::call` is `rpc::call`.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! # use trunkline_kernel as kernel;
//! use kernel::{Node, erpc};
//!
//! let node = Node::alone();
//! node.export("math", "add", |a: i64, b: i64| a + b);
//! let mut requests = erpc::RequestIds::new();
//! for number in 1..=3 {
//!     requests.add(erpc::send_request::<i64>(&node, node.name(), "math", "add", (number, 10)), number);
//! }
//! while let Some((sum, number)) = requests.receive_response(None).await.unwrap() {
//!     assert_eq!(sum, Ok(number + 10));
//! }
//! # }
//! ```

mod collection;

use std::time::Duration;

use term::{Atom, FromTerm, Term};

pub use crate::rpc::{
    Arguments, Asker, RequestId, RpcError as Error, call, call_within, cast, eval_everywhere as multicast,
};
use crate::rpc::{Waiting, call_all};
pub use collection::{RequestIds, Response};

/// Sends a call and does not wait. (`erpc:send_request/4`.) See [`RequestId`].
pub fn send_request<R: FromTerm>(
    asker: &impl Asker,
    peer: impl Into<Atom>,
    module: impl Into<Atom>,
    function: impl Into<Atom>,
    arguments: impl Arguments,
) -> RequestId<R> {
    call(asker, peer, module, function, arguments)
}

/// Calls the function on all `peers` at once; there is an outcome for each, in the order of the peers, [`Error::Timeout`] for those
/// that are late. (`erpc:multicall/4,5`.)
///
/// # Cancel-safety
/// As [`call`].
pub fn multicall<R: FromTerm + Send + 'static>(
    asker: &impl Asker,
    peers: impl IntoIterator<Item = impl Into<Atom>>,
    module: impl Into<Atom>,
    function: impl Into<Atom>,
    arguments: impl Arguments,
    within: impl Into<Option<Duration>>,
) -> Waiting<Vec<Result<R, Error>>> {
    let peers = peers.into_iter().map(Into::into).collect();
    let called = call_all(asker, peers, module, function, arguments, within);
    Box::pin(async move {
        let mut outcomes = Vec::with_capacity(called.len());
        for request in called {
            outcomes.push(request.await);
        }
        outcomes
    })
}

/// `{ok, Value}`, `{throw, Value}`, `{exit, Reason}` or `{error, Reason}`: how `erpc:multicall` of OTP lists an outcome.
pub fn listed(outcome: Result<Term, Error>) -> Term {
    crate::rpc::listed(outcome)
}
