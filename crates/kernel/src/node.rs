//! A node with a name: the handle that programs hold.

use std::fmt;
use std::ops::Deref;
use std::time::Duration;

use term::{Atom, FromTerm};
use tokio::sync::watch;

use crate::builder::Builder;
use crate::limits::OUTPUT_FLUSH_MILLIS;
use crate::net_kernel::{self, ConnectError, Kind, Kinds, NetKernel};
use crate::ping::{PingError, ping};
use crate::rpc::{self, Arguments, AsyncFunction, Function, RpcError};
use crate::services::Output;

/// A node, alone or in a cluster. Clones are the same node.
///
/// It derefs to [`runtime::Node`], so everything a node without a network can do is here too. What a node in a cluster can
/// do besides is also found as functions in modules ([`net_kernel`], [`rpc`]), for processes, which hold a
/// [`runtime::Node`].
///
/// Dropping the handle does not stop the node; [`Node::shutdown`] does.
#[derive(Clone)]
pub struct Node(runtime::Node);

impl Node {
    pub(crate) fn new(node: runtime::Node) -> Node {
        Node(node)
    }

    /// Begins a node with this name. Where the host is missing the system's is filled in.
    pub fn builder(name: &str) -> Builder {
        Builder::new(name)
    }

    /// A node without a name and without a network: `nonode@nohost`. It may be given one with [`net_kernel::start`].
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn alone() -> Node {
        Builder::default().alone()
    }

    /// Connects to a node. See [`net_kernel::connect`].
    ///
    /// # Errors
    /// As [`net_kernel::connect`].
    pub async fn connect(&self, peer: impl Into<Atom>) -> Result<(), ConnectError> {
        net_kernel::connect(self, peer).await
    }

    /// Ends the connection to a node. See [`net_kernel::disconnect`].
    pub async fn disconnect(&self, peer: impl Into<Atom>) -> bool {
        net_kernel::disconnect(self, peer).await
    }

    /// Connects, asks the peer's net_kernel, and gives back how long its answer took. See [`ping`].
    ///
    /// # Errors
    /// As [`ping`].
    pub async fn ping(&self, peer: impl Into<Atom>) -> Result<Duration, PingError> {
        ping(self, peer).await
    }

    /// The visible nodes we are connected with, by name. (`nodes/0`.)
    pub fn nodes(&self) -> Vec<Atom> {
        self.nodes_of(Kind::Visible)
    }

    /// The nodes of these kinds. (`nodes/1`.)
    pub fn nodes_of(&self, kinds: impl Into<Kinds>) -> Vec<Atom> {
        net_kernel::nodes(self, kinds)
    }

    /// Lets other nodes call `function` as `module:name`. See [`rpc::export`]. For a function that works with the process
    /// it runs in, see [`runtime::Node::export`], reached as `Node::export_raw`.
    pub fn export<Args>(&self, module: &str, name: &str, function: impl Function<Args>) {
        rpc::export(self, module, name, function);
    }

    /// As [`Node::export`], for an async function.
    pub fn export_async<Args>(&self, module: &str, name: &str, function: impl AsyncFunction<Args>) {
        rpc::export_async(self, module, name, function);
    }

    /// Lets other nodes start `body` as `module:name/arity`; without an arity, for every number of arguments.
    /// The body gets the process it runs in. How it fails: see [`runtime::Node::export`].
    pub fn export_raw(&self, module: &str, name: &str, arity: Option<u8>, body: runtime::ExportedFn) {
        self.0.export(module, name, arity, body);
    }

    /// Calls a function on a node. See [`rpc::call`].
    ///
    /// # Errors
    /// As [`rpc::call`].
    pub async fn call<R: FromTerm>(
        &self,
        peer: impl Into<Atom>,
        module: impl Into<Atom>,
        function: impl Into<Atom>,
        arguments: impl Arguments,
    ) -> Result<R, RpcError> {
        rpc::call(self, peer, module, function, arguments).await
    }

    /// Stops the node: its connections, its processes, its tasks, its registration.
    ///
    /// # Cancel-safety
    /// The end goes on when the future is dropped.
    pub async fn shutdown(&self) {
        otp::application::stop_all(&self.0).await;
        self.halt().await;
    }

    /// As [`Node::shutdown`], at once: applications are not stopped one after the other.
    pub(crate) async fn halt(&self) {
        NetKernel::close_gate(&self.0);
        self.0.shutdown().await;
        let output = self.0.shelf::<Output>();
        let _ = tokio::time::timeout(Duration::from_millis(OUTPUT_FLUSH_MILLIS), output.flush()).await;
        self.0.shelf::<Stopped>().0.send_replace(true);
    }

    /// Returns when the node has been stopped with [`Node::shutdown`].
    pub async fn until_stopped(&self) {
        let stopped = self.0.shelf::<Stopped>();
        // The sender lives as long as the shelf we hold.
        let _ = stopped.0.subscribe().wait_for(|stopped| *stopped).await;
    }
}

/// Says whether the node has been stopped.
struct Stopped(watch::Sender<bool>);

impl Default for Stopped {
    fn default() -> Stopped {
        Stopped(watch::Sender::new(false))
    }
}

impl Deref for Node {
    type Target = runtime::Node;

    fn deref(&self) -> &runtime::Node {
        &self.0
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}
