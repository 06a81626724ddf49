//! Connections to other nodes: who is connected, who wants to be, and who hears of it.
//!
//! The decisions are in [`table`], the meeting of protocol, carrier and processes in `driver`. Here is what a program
//! asks for: [`connect`], [`disconnect`], [`nodes`], [`monitor_nodes`], [`set_net_ticktime`]. All of them work from a
//! process too: `net_kernel::connect(ctx.node(), "b@host")`.

pub(crate) mod cookie_book;
mod core;
mod dial;
mod door;
mod driver;
mod end;
mod exports;
mod exports_start;
mod guard;
mod half_open;
mod handshake;
mod hush;
mod info;
mod join;
mod life;
mod mesh;
mod naming;
mod nodes;
mod passive;
mod service;
pub mod table;
mod ticktime;
mod watch;

use std::sync::Arc;

use proto::handshake::Cookie;
use runtime::Node;
use term::{Atom, Pid};
use tokio::sync::oneshot;

pub use self::core::Setup;
pub(crate) use self::core::{Beginning, NetKernel};
pub(crate) use door::keep as keep_door;
pub use end::{ConnectError, End, SetupFault};
pub(crate) use exports::install;
pub(crate) use join::{ask_for_name, settle};
pub(crate) use life::{ALONE, Template, furnish, rename};
pub use life::{NotStopped, Options, start, started, stop};
pub(crate) use mesh::{hang_up, learn, watch_connections};
pub(crate) use naming::has_had;
pub use nodes::{Kind, Kinds, NodeInfo, nodes, nodes_info};

pub use table::AutoConnect;
pub use ticktime::{TickTime, TickTimeChange};
pub use watch::{NodeType, Shape, WatchOptions};

use self::core::Wanted;
use self::table::Cause;
use crate::names;

/// Connects to `peer`, or waits for the attempt that is under way. (`net_kernel:connect_node/1`.)
///
/// # Errors
/// When the peer cannot be reached, refuses, or has another cookie; when its name is no good; when the allow list does not
/// have it.
///
/// # Cancel-safety
/// The attempt goes on when the future is dropped.
pub async fn connect(node: &Node, peer: impl Into<Atom>) -> Result<(), ConnectError> {
    connect_for(node, peer.into(), Cause::Explicit).await
}

/// As [`connect`], but not where the policy (`dist_auto_connect`) has signals wait for somebody to connect explicitly.
pub(crate) async fn connect_as_signals(node: &Node, peer: Atom) -> Result<(), ConnectError> {
    connect_for(node, peer, Cause::Auto).await
}

async fn connect_for(node: &Node, peer: Atom, cause: Cause) -> Result<(), ConnectError> {
    if peer == *node.name() {
        return Ok(());
    }
    let net = NetKernel::of(node).ok_or(ConnectError::NotDistributed)?;
    names::check_peer(peer.as_str(), net.setup.form)?;
    let (done, outcome) = oneshot::channel();
    match net.want(node, &peer, cause, Some(done)) {
        Wanted::Up => Ok(()),
        Wanted::NotAllowed => Err(ConnectError::NotAllowed(peer.to_string())),
        Wanted::Barred | Wanted::TooMany => Err(ConnectError::Barred(peer.to_string())),
        Wanted::Pending => {
            let abandoned =
                || ConnectError::Failed { peer: peer.to_string(), why: Arc::new(SetupFault::Abandoned) };
            outcome.await.unwrap_or_else(|_| Err(abandoned()))
        }
    }
}

/// As [`connect`], but as a hidden node: `peer` is in nobody's `nodes()` by this. (`net_kernel:hidden_connect_node/1`.)
///
/// # Errors
/// As [`connect`].
///
/// # Cancel-safety
/// The attempt goes on when the future is dropped, and may not be hidden any more.
pub async fn connect_hidden(node: &Node, peer: impl Into<Atom>) -> Result<(), ConnectError> {
    let peer = peer.into();
    let Some(net) = NetKernel::of(node) else { return connect(node, peer).await };
    let hiding = Hiding::new(net, &peer);
    let outcome = connect(node, peer).await;
    drop(hiding);
    outcome
}

/// As long as it is there a peer is dialled as by a hidden node.
struct Hiding(Arc<NetKernel>, Atom);

impl Hiding {
    fn new(net: Arc<NetKernel>, peer: &Atom) -> Hiding {
        net.hide_from(peer, true);
        Hiding(net, peer.clone())
    }
}

impl Drop for Hiding {
    fn drop(&mut self) {
        self.0.hide_from(&self.1, false);
    }
}

/// Ends the connection to `peer`, and waits for nothing.
pub(crate) fn hang_up_any(node: &Node, peer: &Atom) {
    if let Some(net) = NetKernel::of(node) {
        let _ = net.end_connection(peer, End::Asked);
    }
}

/// Ends the connection to `peer`; whether there was one. Links and monitors over it have fired when this returns.
/// (`erlang:disconnect_node/1`.)
///
/// # Cancel-safety
/// The connection ends even when the future is dropped.
pub async fn disconnect(node: &Node, peer: impl Into<Atom>) -> bool {
    let Some(net) = NetKernel::of(node) else { return false };
    match net.end_connection(&peer.into(), End::Asked) {
        Some(gone) => {
            let _ = gone.await;
            true
        }
        None => false,
    }
}

/// Lets only the nodes on the list in and out; calls add to the list. Entries are node names, hosts, or `name@`.
/// (`net_kernel:allow/1`.) Connections that are up stay up. Nothing happens on a node that is alone.
pub fn allow(node: &Node, entries: impl IntoIterator<Item = impl Into<Atom>>) {
    if let Some(net) = NetKernel::of(node) {
        net.state().table.allow(entries.into_iter().map(Into::into));
    }
}

/// Tells `who` of every node that comes or goes, until it ends or [`unmonitor_nodes`] is called; also of this one, when it
/// gets a name and when it loses it. Calls add up: twice subscribed is twice told. (`net_kernel:monitor_nodes(true, Options)`.)
pub fn monitor_nodes(node: &Node, who: &Pid, options: WatchOptions) {
    let desk = node.shelf::<watch::Desk>();
    let mut watchers = desk.watchers();
    watchers.retain(|pid| node.is_process_alive(pid));
    watchers.add(who.clone(), options);
}

/// Ends the subscriptions that `who` has with exactly these options. (`net_kernel:monitor_nodes(false, Options)`.)
pub fn unmonitor_nodes(node: &Node, who: &Pid, options: WatchOptions) {
    node.shelf::<watch::Desk>().watchers().remove(who, options);
}

/// The tick time; nothing on a node that is alone. (`net_kernel:get_net_ticktime/0`.)
pub fn net_ticktime(node: &Node) -> Option<TickTime> {
    NetKernel::of(node).map(|net| net.state().ticktime.get(node.now()))
}

/// Changes the tick time of all connections. A longer one holds at once, a shorter one after `transition`; all nodes of
/// the cluster should be told within it. (`net_kernel:set_net_ticktime/2`, whose default transition is 60 seconds.)
/// Nothing on a node that is alone.
pub fn set_net_ticktime(
    node: &Node,
    ticktime: std::time::Duration,
    transition: std::time::Duration,
) -> Option<TickTimeChange> {
    NetKernel::of(node).map(|net| net.set_ticktime(node.now(), ticktime, transition))
}

/// Our own cookie; nothing on a node that is alone.
pub fn cookie(node: &Node) -> Option<Cookie> {
    NetKernel::of(node).map(|net| net.cookies.own())
}

/// Changes our own cookie. Connections that are up stay up. Nothing happens on a node that is alone.
pub fn set_cookie(node: &Node, cookie: Cookie) {
    if let Some(net) = NetKernel::of(node) {
        net.cookies.set_own(cookie);
    }
}

/// Gives `peer` a cookie of its own, for both directions. (`erlang:set_cookie/2`.) Nothing happens on a node that is alone.
pub fn set_cookie_of(node: &Node, peer: impl Into<Atom>, cookie: Cookie) {
    if let Some(net) = NetKernel::of(node) {
        net.cookies.set(peer.into(), cookie);
    }
}
