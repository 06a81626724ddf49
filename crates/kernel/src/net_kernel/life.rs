//! A running node gets a name, and loses it again: distribution started and stopped at run time.
//!
//! What lives on the node, lives on: its processes, names, timers and exports know nothing of it. Their pids have the name of
//! the node, whatever it is at the moment ([`runtime::Node::rename`]), so that a pid which was kept is the same before and
//! after. What peers keep of an earlier name is dead for them and for us, because the creation is a new one.

use std::time::Duration;

use runtime::{Exit, LaneState, Node};
use term::{Atom, Pid, Term};
use tokio::sync::{Mutex, oneshot};

use super::core::NetKernel;
use super::end::End;
use super::naming::Named;
use super::service;
use super::watch::{Change, tell};
use crate::builder::{Builder, StartError};
use crate::limits::DRAIN_MILLIS_MAX;
use crate::names::Form;
use crate::services::auth;

/// The name of a node that has none.
pub(crate) const ALONE: Atom = Atom::inline("nonode@nohost");

/// How a running node shall be called, and what it does then. The rest is as [`Builder::alone`] was told.
/// (`net_kernel:start/2`.)
#[derive(Clone, Debug)]
#[must_use]
pub struct Options {
    name: String,
    form: Option<Form>,
    ticktime: Option<Duration>,
    intensity: Option<u32>,
    listen: Option<bool>,
    hidden: Option<bool>,
}

impl Options {
    /// The name; `undefined` for a node that will be named by the first peer it connects with.
    pub fn new(name: impl Into<String>) -> Options {
        let name = name.into();
        Options { name, form: None, ticktime: None, intensity: None, listen: None, hidden: None }
    }

    /// Short names. (`name_domain`.) Without this and [`Options::long_names`] the host in the name decides.
    pub fn short_names(mut self) -> Options {
        self.form = Some(Form::Short);
        self
    }

    /// Long names. (`name_domain`.)
    pub fn long_names(mut self) -> Options {
        self.form = Some(Form::Long);
        self
    }

    /// How long a peer may be silent. (`net_ticktime`.)
    pub fn net_ticktime(mut self, time: Duration) -> Options {
        self.ticktime = Some(time);
        self
    }

    /// Ticks per tick time. (`net_tickintensity`.)
    pub fn net_tickintensity(mut self, ticks: u32) -> Options {
        self.intensity = Some(ticks);
        self
    }

    /// Whether others can connect to this node. One that does not listen is hidden. (`dist_listen`.)
    pub fn dist_listen(mut self, listen: bool) -> Options {
        self.listen = Some(listen);
        self
    }

    /// Whether it hides. (`hidden`.)
    pub fn hidden(mut self, hidden: bool) -> Options {
        self.hidden = Some(hidden);
        self
    }

    fn of(self, builder: Builder) -> Builder {
        let builder = builder.named(&self.name, self.form);
        let builder = self.ticktime.map_or(builder.clone(), |time| builder.net_ticktime(time));
        let builder = self.intensity.map_or(builder.clone(), |ticks| builder.net_tickintensity(ticks));
        let builder = self.listen.map_or(builder.clone(), |listen| builder.dist_listen(listen));
        self.hidden.map_or(builder.clone(), |hidden| builder.hiding(hidden))
    }
}

/// Why a node keeps its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotStopped {
    /// The name was not given by [`start`]: the node was born with it. (`not_allowed`.)
    #[error("the node was born with its name: shut the node down instead")]
    NotAllowed,
    /// It has none. (`not_found`.)
    #[error("the node has no name")]
    NotFound,
}

/// What a node without a name will be when it is given one.
#[derive(Default)]
pub(crate) struct Template(pub(crate) Builder);

/// Starting and stopping, one at a time.
#[derive(Default)]
struct Turn(Mutex<()>);

/// Gives a name to a running node, which is part of a cluster from then on. Gives back the pid of its `net_kernel`.
/// (`net_kernel:start/1,2`.)
///
/// Processes that watch nodes ([`monitor_nodes`](super::monitor_nodes)) hear of this one.
///
/// # Errors
/// When the node has a name; when the name, the cookie, the port or the registration cannot be had.
///
/// # Cancel-safety
/// Dropping the future takes everything back.
pub async fn start(node: &Node, options: Options) -> Result<Pid, StartError> {
    let turn = node.shelf::<Turn>();
    let _turn = turn.0.lock().await;
    if NetKernel::of(node).is_some() {
        return Err(StartError::AlreadyStarted(net_kernel(node)));
    }
    let template = node.shelf::<Template>();
    options.of(template.0.clone()).start_in(node).await?;
    Ok(net_kernel(node))
}

fn net_kernel(node: &Node) -> Pid {
    // Somebody may have ended it a moment ago: then it is the one that nobody has.
    node.whereis("net_kernel").unwrap_or_else(|| Pid { node: node.id().clone(), id: 0, serial: 0 })
}

/// Whether the node is part of a cluster, or could be. (`erlang:is_alive/0`.)
pub fn started(node: &Node) -> bool {
    NetKernel::of(node).is_some()
}

/// Takes the name from a node that got it by [`start`]: connections end, links and monitors over them fire, the registration
/// goes, and the node is `nonode@nohost` when this returns. (`net_kernel:stop/0`.)
///
/// # Errors
/// When the node has no name, or was born with it.
///
/// # Cancel-safety
/// The node loses its name even when the future is dropped.
pub async fn stop(node: &Node) -> Result<(), NotStopped> {
    let (tell, outcome) = oneshot::channel();
    let owner = node.clone();
    node.spawn_task(async move {
        let turn = owner.shelf::<Turn>();
        let _turn = turn.0.lock().await;
        let outcome = match NetKernel::of(&owner) {
            None => Err(NotStopped::NotFound),
            Some(net) if !net.may_stop => Err(NotStopped::NotAllowed),
            Some(net) => {
                end(&owner, &net).await;
                Ok(())
            }
        };
        let _ = tell.send(outcome);
    });
    outcome.await.unwrap_or(Err(NotStopped::NotFound))
}

/// The processes of a node with a name.
pub(crate) fn furnish(node: &Node, net: &NetKernel) {
    net.keep(auth::start(node));
    net.keep(service::start(node));
}

async fn end(node: &Node, net: &NetKernel) {
    net.close(node);
    for peer in net.peers() {
        if let Some(gone) = net.end_connection(&peer, End::Stopped) {
            let _ = gone.await;
        }
    }
    drop_pending_lanes(node);
    for name in ["net_kernel", "auth"] {
        kill(node, name).await;
    }
    drain(node).await;
    rename(node, ALONE, 0);
    tracing::info!("the node has no name any more");
}

/// What waits for peers waits in vain.
fn drop_pending_lanes(node: &Node) {
    for peer in node.peers() {
        if let Some(lane) = node.lane(&peer.name).filter(|lane| lane.state() == LaneState::Pending) {
            node.lane_down(&lane, Term::atom("net_kernel_terminated"));
        }
    }
}

async fn kill(node: &Node, name: &'static str) {
    let Some(pid) = node.whereis(name) else { return };
    let victim = pid.clone();
    node.spawn(move |ctx: runtime::Ctx| async move { ctx.exit(&victim, Exit::kill()) });
    while node.is_process_alive(&pid) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Waits until `global` and `pg` have heard of their peers' going. They keep pids of this node and of others in order, and that
/// order changes with the name. Not for long: one that does not listen will find its peers gone all the same.
async fn drain(node: &Node) {
    let busy = |pid: &Pid| {
        node.process_info(pid).is_some_and(|info| {
            let service = info.label.starts_with("pg") || info.label.starts_with("global_name_server");
            service && (info.message_queue_len > 0 || info.status == runtime::Status::Running)
        })
    };
    for _ in 0..DRAIN_MILLIS_MAX {
        if !node.processes().iter().any(busy) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// The node is called otherwise from here on, and whoever watches nodes hears of it, as in OTP.
pub(crate) fn rename(node: &Node, name: Atom, creation: u32) {
    let old = node.name().clone();
    if !node.rename(name.clone(), creation) {
        // A million names: the node keeps the one it has.
        tracing::error!(%name, "this node has had too many names");
        return;
    }
    let (gone, down) = match name == ALONE {
        true => (old, Some(End::Stopped.reason())),
        false => (name, None),
    };
    if gone != ALONE {
        node.shelf::<Named>().remember(&gone);
        tell(node, &Change { node: gone, visible: true, connection: None, down });
    }
}
