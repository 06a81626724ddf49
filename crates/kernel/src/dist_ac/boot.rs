//! The boot: nodes that must be there are waited for, `dist_ac` meets the others, applications start.

use std::sync::Arc;
use std::time::Duration;

use otp::application::{self, ApplicationError, Spec};
use runtime::{Ctx, Node};
use term::{Atom, Term, term};

use super::builder::Programs;
use super::exports;
use super::ladder::Ladder;
use super::process::{self, NAME};
use crate::limits::SYNC_NODES_AGAIN_MILLIS;
use crate::net_kernel::{self, Kind};

/// Why a node with applications does not start.
#[derive(Clone, Debug, thiserror::Error)]
pub enum BootError {
    /// Nodes that must be up are not.
    #[error(
        "mandatory_nodes_down: {} must be up before this node starts (sync_nodes_mandatory), and {} not within {within:?} \
         (sync_nodes_timeout): start {} first, or at the same time",
        names(.missing), if .missing.len() == 1 { "was" } else { "were" }, if .missing.len() == 1 { "it" } else { "them" }
    )]
    MandatoryNodesDown {
        /// Which.
        missing: Vec<Atom>,
        /// How long they were waited for.
        within: Duration,
    },
    /// An application does not start.
    #[error("the application {app} does not start: {why}")]
    Application {
        /// Which.
        app: Atom,
        /// Why not.
        why: ApplicationError,
    },
}

fn names(nodes: &[Atom]) -> String {
    nodes.iter().map(Atom::as_str).collect::<Vec<_>>().join(", ")
}

/// Before others can come in: everything that they may ask for is there.
pub(crate) fn prepare(node: &Node, programs: &Programs) {
    application::library(node, Spec::new("trunkline").describe("Trunkline").vsn(env!("CARGO_PKG_VERSION")));
    for install in &programs.install {
        install(node);
    }
    application::configure(node, programs.files.clone(), programs.command_line.clone());
    application::configure(node, Vec::new(), vec![(Atom::new("kernel"), programs.kernel_parameters(node))]);
    application::export(node);
    application::on_end(node, end);
    crate::services::start_registered(node, application::CONTROLLER, application::serve);
    exports::install(node);
    if wants_dist_ac(node) {
        process::start(node);
    }
}

fn wants_dist_ac(node: &Node) -> bool {
    let said = |key: &str| application::get_env(node, "kernel", key);
    said("distributed").is_some() || said("start_dist_ac").is_some_and(|so| so.is_atom("true"))
}

impl Programs {
    /// What the builder said, as kernel's parameters; with what files have said already.
    fn kernel_parameters(&self, node: &Node) -> Vec<(Atom, Term)> {
        let mut parameters = Vec::new();
        let mut say = |key: &str, value: Term| parameters.push((Atom::new(key), value));
        let before = |key: &str| match application::get_env(node, "kernel", key) {
            Some(Term::List(list)) => list.iter().collect::<Vec<_>>(),
            _ => Vec::new(),
        };
        if !self.ladders.is_empty() {
            let ours = self.ladders.iter().map(|(app, ladder)| ladder.to_term(app));
            let others = before("distributed").into_iter().filter(|element| {
                Ladder::from_term(element)
                    .is_none_or(|(app, _)| self.ladders.iter().all(|(name, _)| *name != app))
            });
            say("distributed", Term::list(ours.chain(others)));
        }
        if !self.permissions.is_empty() {
            let ours = self.permissions.iter().map(|(app, allow)| term!({(app.clone()), (*allow)}));
            say("permissions", Term::list(ours.chain(before("permissions"))));
        }
        let nodes = |nodes: &[Atom]| Term::list(nodes.iter().cloned().map(Term::Atom));
        if !self.mandatory.is_empty() {
            say("sync_nodes_mandatory", nodes(&self.mandatory));
        }
        if !self.optional.is_empty() {
            say("sync_nodes_optional", nodes(&self.optional));
        }
        if let Some(within) = self.sync_within {
            say("sync_nodes_timeout", super::ladder::wait_term(within));
        }
        parameters
    }
}

/// After the door has opened. When this fails the node is to be shut down.
pub(crate) async fn boot(node: &Node, programs: &Programs) -> Result<(), BootError> {
    sync_nodes(node).await?;
    if let Some(dist_ac) = node.whereis(NAME) {
        let went = node.try_run(move |mut ctx: Ctx| async move {
            let me = ctx.pid();
            ctx.send(&dist_ac, term!({go, (me)}));
            ctx.select(|message| message.is_atom("dist_ac_took_control").then_some(())).await;
        });
        went.await;
    }
    // All are loaded before the first is started: whoever decides where one runs must know it everywhere.
    for (app, _) in &programs.start {
        if !application::loaded(node, app.clone()) {
            let failed = |why| BootError::Application { app: app.clone(), why };
            application::load(node, app.clone()).await.map_err(failed)?;
        }
    }
    for (app, kind) in &programs.start {
        let failed = |why| BootError::Application { app: app.clone(), why };
        application::ensure_all_started(node, app.clone(), *kind).await.map_err(failed)?;
    }
    Ok(())
}

/// Waits for the nodes of `sync_nodes_mandatory` and `sync_nodes_optional`, if `sync_nodes_timeout` is said.
async fn sync_nodes(node: &Node) -> Result<(), BootError> {
    let Some(timeout) = application::get_env(node, "kernel", "sync_nodes_timeout") else { return Ok(()) };
    let within = timeout.as_int().and_then(|millis| u64::try_from(millis).ok()).map(Duration::from_millis);
    let list = |key: &str| match application::get_env(node, "kernel", key) {
        Some(Term::List(list)) => list.iter().filter_map(|peer| peer.as_atom().cloned()).collect(),
        _ => Vec::new(),
    };
    let (mandatory, optional): (Vec<Atom>, Vec<Atom>) =
        (list("sync_nodes_mandatory"), list("sync_nodes_optional"));
    let all: Arc<[Atom]> =
        mandatory.iter().chain(&optional).filter(|peer| *peer != node.name()).cloned().collect();
    let missing = |of: &[Atom]| {
        let up = net_kernel::nodes(node, Kind::Connected);
        let missing = of.iter().filter(|peer| !up.contains(peer) && *peer != node.name());
        missing.cloned().collect::<Vec<Atom>>()
    };
    let wait = async {
        let mut rounds = 0u64;
        while !missing(&all).is_empty() {
            // They are asked again and again: not everybody who comes later looks for us.
            if rounds.is_multiple_of(20) {
                for peer in missing(&all) {
                    let node = node.clone();
                    node.clone().spawn_task(async move {
                        let _ = net_kernel::connect(&node, peer).await;
                    });
                }
            }
            rounds += 1;
            tokio::time::sleep(Duration::from_millis(SYNC_NODES_AGAIN_MILLIS)).await;
        }
        // What starts next may look for the one whom it takes over from: his name must be known here.
        crate::global::sync_with(node, all.iter().cloned()).await;
    };
    match within {
        None => wait.await,
        Some(within) => {
            let _ = tokio::time::timeout(within, wait).await;
            let missing = missing(&mandatory);
            if !missing.is_empty() {
                return Err(BootError::MandatoryNodesDown { missing, within });
            }
        }
    }
    Ok(())
}

/// The node cannot go on: said as OTP says it, and done.
pub(super) fn end(node: &Node, reason: Term) {
    tracing::error!("Kernel pid terminated (application_controller) ({reason})");
    let mortal = crate::Node::new(node.clone());
    node.handle().spawn(async move { mortal.shutdown().await });
}
