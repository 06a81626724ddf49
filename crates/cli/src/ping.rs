//! The verb `ping`: whether a node answers, and how fast.

use std::process::ExitCode;
use std::time::Duration;

use tokio::time::timeout;

use crate::cluster::duration_text;
use crate::identity::Identity;
use crate::limits::PING_TIMEOUT;
use crate::visit::{Trouble, USAGE, Visit};

/// Ask a node whether it is there: prints pong or pang, and how long the answer took
///
/// Visits as a hidden node that no EPMD knows.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = "Examples:
  trunkline ping bill@localhost
  trunkline ping bill@localhost -count 5
  trunkline ping bill@127.0.0.1 -name me@127.0.0.1 -cookie-file secret

Exit code: 0 for pong, 1 for pang (with -count: one pang is enough), 2 for a mistake in the command line. \
`trunkline doctor` says why.")]
pub(crate) struct Ping {
    /// The node, as it calls itself
    node: String,
    #[command(flatten)]
    identity: Identity,
    /// Accepted for the likeness with Erlang's options: a ping is always hidden
    #[arg(long)]
    hidden: bool,
    /// How often to ask
    #[arg(long, default_value_t = 1, value_name = "TIMES", value_parser = clap::value_parser!(u32).range(1..))]
    count: u32,
}

impl Ping {
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        self.identity.warn_of_cookie();
        let mut code = ExitCode::SUCCESS;
        let mut visit = None;
        for _ in 0..self.count {
            match self.once(&mut visit).await {
                Ok(took) => println!("pong from {} in {}", self.node, duration_text(took)),
                Err(trouble) if trouble.code == USAGE => return Ok(trouble.tell()),
                Err(trouble) => {
                    println!("pang");
                    eprintln!("trunkline: {}", trouble.text);
                    code = ExitCode::FAILURE;
                    visit = None;
                }
            }
        }
        if let Some(visit) = visit {
            visit.end().await;
        }
        Ok(code)
    }

    /// How long the answer took. The connection is kept for the next time.
    async fn once(&self, visit: &mut Option<Visit>) -> Result<Duration, Trouble> {
        let late = || Trouble::failed("no answer in time");
        if visit.is_none() {
            let coming = Visit::to(&self.node, &self.identity, "ping");
            *visit = Some(timeout(PING_TIMEOUT, coming).await.map_err(|_| late())??);
        }
        let Some(Visit { node, peer, .. }) = visit.as_ref() else { return Err(late()) };
        let answer = timeout(PING_TIMEOUT, node.ping(peer.clone())).await.map_err(|_| late())?;
        answer.map_err(|why| Trouble::failed(format!("{why}; `trunkline doctor {peer}` tells more")))
    }
}
