//! The verb `stop`: a node ends, and we wait until it has.

use std::process::ExitCode;
use std::time::Duration;

use tokio::time::{sleep, timeout};
use trunkline::Term;
use trunkline::discovery::{Discovery, Epmd};
use trunkline::rpc::RpcError;

use crate::call::seconds;
use crate::cluster::duration_text;
use crate::identity::Identity;
use crate::limits::STOP_TIMEOUT;
use crate::visit::{Trouble, Visit};

/// Stop a node, and wait until it is down
///
/// As init:stop/0 does it: applications end in order. Down is a node whose connection has ended and whom its EPMD has
/// forgotten.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = "Examples:
  trunkline stop bill@localhost
  trunkline stop bill@localhost -timeout 120
  trunkline stop bill@localhost -halt

Exit code: 0 when it is down, 1 when it refuses or is still there in the end, 2 for a mistake in the command line, 3 when \
there is no connection; `trunkline doctor` says why.")]
pub(crate) struct Stop {
    /// The node, as it calls itself
    node: String,
    #[command(flatten)]
    identity: Identity,
    /// End it at once, as erlang:halt/0 does: no application is stopped in order
    #[arg(long)]
    halt: bool,
    /// How long to wait until it is down, instead of half a minute
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    timeout: Option<Duration>,
}

impl Stop {
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        self.identity.warn_of_cookie();
        Ok(match self.stop().await {
            Ok(took) => {
                println!("{} is down after {}", self.node, duration_text(took));
                ExitCode::SUCCESS
            }
            Err(trouble) => trouble.tell(),
        })
    }

    async fn stop(&self) -> Result<Duration, Trouble> {
        let visit = Visit::to(&self.node, &self.identity, "stop").await?;
        let begun = visit.node.now();
        let within = self.timeout.unwrap_or(STOP_TIMEOUT);
        let port = port_of(&visit).await;
        let ended = timeout(within, async {
            self.order(&visit, within).await?;
            while visit.is_connected() || is_registered(&visit, port).await {
                sleep(LOOK_AGAIN).await;
            }
            Ok(visit.node.now() - begun)
        });
        let ended = ended.await;
        let still =
            || Trouble::failed(format!("{} is still there after {}", self.node, duration_text(within)));
        visit.end().await;
        ended.unwrap_or_else(|_| Err(still()))
    }

    /// Who halts at once answers nothing.
    async fn order(&self, visit: &Visit, within: Duration) -> Result<(), Trouble> {
        let (module, function) = if self.halt { ("erlang", "halt") } else { ("init", "stop") };
        match visit.call(module, function, Vec::new(), within).await {
            Ok(_) | Err(RpcError::NoConnection) => Ok(()),
            Err(RpcError::Failed { reason, .. }) if self.is_refusal(&reason) => Err(Trouble::failed(
                format!("{} is no node that others may end by {module}:{function}/0 ({reason})", self.node),
            )),
            Err(error) => Err(Trouble::of_call(&visit.peer, &error)),
        }
    }

    /// A node of ours ends when its program does, not when a stranger wants it.
    fn is_refusal(&self, reason: &Term) -> bool {
        reason.is_atom("undef") || reason.is_atom("badarg") || reason.is_atom("notsup")
    }
}

const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// The port under which EPMD knows the node; nothing where it does not, or cannot be asked.
async fn port_of(visit: &Visit) -> Option<u16> {
    let names = Epmd::new().names(visit.name.host()).await.ok()?;
    names.into_iter().find(|(local, _)| local == visit.name.local()).map(|(_, port)| port)
}

/// A node of the same name on another port is a new one.
async fn is_registered(visit: &Visit, port: Option<u16>) -> bool {
    port.is_some() && port_of(visit).await == port
}
