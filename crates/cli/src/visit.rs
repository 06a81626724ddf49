//! A short visit to a node: hidden, known to no EPMD, and gone without a trace.

use std::future::pending;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use trunkline::carrier::{Address, BoxFuture};
use trunkline::discovery::{Discovery, DiscoveryError, Epmd, Registered, Registration};
use trunkline::names::{NodeName, check_peer};
use trunkline::net_kernel::{ConnectError, Kind, SetupFault};
use trunkline::rpc::{self, RpcError};
use trunkline::{Atom, Builder, Node, StartError, Term};

use crate::identity::{Identity, peer_name};

/// Exit codes of the verbs that visit a node. What clap refuses has 2 too.
pub(crate) const FAILED: u8 = 1;
pub(crate) const USAGE: u8 = 2;
pub(crate) const NO_CONNECTION: u8 = 3;

/// Why there is nothing to show, said to the user.
#[derive(Debug)]
pub(crate) struct Trouble {
    pub(crate) code: u8,
    pub(crate) text: String,
}

impl Trouble {
    pub(crate) fn usage(text: impl Into<String>) -> Trouble {
        Trouble { code: USAGE, text: text.into() }
    }

    pub(crate) fn failed(text: impl Into<String>) -> Trouble {
        Trouble { code: FAILED, text: text.into() }
    }

    fn no_connection(peer: &NodeName, why: &dyn std::fmt::Display) -> Trouble {
        Trouble { code: NO_CONNECTION, text: format!("{why}; `trunkline doctor {peer}` tells more") }
    }

    /// What a call of ours came to.
    pub(crate) fn of_call(peer: &Atom, error: &RpcError) -> Trouble {
        match error {
            RpcError::NoConnection => {
                Trouble { code: NO_CONNECTION, text: format!("the connection to {peer} is lost") }
            }
            error => Trouble::failed(format!("{peer}: {error}")),
        }
    }

    /// Says it, and ends with its code.
    pub(crate) fn tell(&self) -> ExitCode {
        eprintln!("trunkline: {}", self.text);
        ExitCode::from(self.code)
    }
}

/// A connection to one node.
pub(crate) struct Visit {
    pub(crate) node: Node,
    pub(crate) peer: Atom,
    /// The peer's name in its parts.
    pub(crate) name: NodeName,
}

impl Visit {
    /// Connects to the node called `text`.
    ///
    /// Without a name of our own the peer gives us one, from those it has given before: whoever is visited every minute
    /// gathers no new atoms (OTP 23 and later).
    pub(crate) async fn to(text: &str, identity: &Identity, role: &str) -> Result<Visit, Trouble> {
        let wrong = |error: &dyn std::fmt::Display| Trouble::usage(error.to_string());
        let name = peer_name(text, identity.form()).map_err(|error| wrong(&error))?;
        let me = identity.own_name(role, &name).map_err(|error| wrong(&error))?;
        check_peer(&name.to_string(), me.form()).map_err(|error| wrong(&error))?;
        let peer = Atom::new(&name.to_string());
        let builder = || -> Result<Builder, Trouble> {
            let builder = Node::builder(&me.to_string()).discovery(Unseen(Epmd::new())).hidden();
            identity.dress(builder).map_err(|why| Trouble::usage(why.to_string()))
        };
        let failed = |why: &dyn std::fmt::Display| Trouble::no_connection(&name, why);
        let joined = match identity.is_named() {
            true => Err(None),
            false => builder()?.join(peer.clone()).await.map_err(Some),
        };
        let node = match joined {
            Ok(node) => node,
            Err(Some(why)) if !gives_no_names(&why) => return Err(failed(&why)),
            Err(_) => {
                let node = builder()?.start().await.map_err(|why| failed(&why))?;
                node.connect(peer.clone()).await.map_err(|why| failed(&why))?;
                node
            }
        };
        Ok(Visit { node, peer, name })
    }

    /// Calls a function there.
    pub(crate) async fn call(
        &self,
        module: &str,
        function: &str,
        arguments: Vec<Term>,
        within: Duration,
    ) -> Result<Term, RpcError> {
        rpc::call_within(&self.node, self.peer.clone(), module, function, arguments, within).await
    }

    /// Whether we are still there.
    pub(crate) fn is_connected(&self) -> bool {
        self.node.nodes_of(Kind::Connected).contains(&self.peer)
    }

    pub(crate) async fn end(self) {
        self.node.shutdown().await;
    }
}

fn gives_no_names(why: &StartError) -> bool {
    let StartError::Join(ConnectError::Failed { why, .. }) = why else { return false };
    matches!(Arc::as_ref(why), SetupFault::Nameless)
}

/// Finds others by EPMD and is found by nobody.
struct Unseen(Epmd);

impl Discovery for Unseen {
    fn register<'a>(&'a self, who: Registration) -> BoxFuture<'a, Result<Registered, DiscoveryError>> {
        Box::pin(async move {
            // Nobody asks EPMD to keep our name, but whoever has it would be thrown out by the nodes we visit.
            let names = self.0.names(who.name.host()).await.unwrap_or_default();
            match names.into_iter().find(|(local, _)| local == who.name.local()) {
                Some((_, port)) => Err(DiscoveryError::NameTaken {
                    name: who.name.to_string(),
                    place: format!("port {port} of the EPMD of {}", who.name.host()),
                }),
                None => Ok(Registered { creation: None, keep: Box::pin(pending()) }),
            }
        })
    }

    fn resolve<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Address, DiscoveryError>> {
        self.0.resolve(name)
    }

    fn names<'a>(&'a self, host: &'a str) -> BoxFuture<'a, Result<Vec<(String, u16)>, DiscoveryError>> {
        self.0.names(host)
    }
}
