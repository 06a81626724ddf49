//! The verb `ping`: whether a node answers, and how fast.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use tokio::time::timeout;
use trunkline::Node;
use trunkline::names::NodeName;

use crate::cluster::duration_text;
use crate::identity::{Identity, peer_name};
use crate::limits::PING_TIMEOUT;

/// Ask a node whether it is there: prints pong or pang, and how long the answer took
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = "Examples:
  trunkline ping bill@localhost
  trunkline ping bill@localhost -count 5
  trunkline ping bill@127.0.0.1 -name me@127.0.0.1 -setcookie secret

Exit code: 0 for pong, 1 for pang (with -count: one pang is enough). `trunkline doctor` says why.")]
pub(crate) struct Ping {
    /// The node, as it calls itself
    node: String,
    #[command(flatten)]
    identity: Identity,
    /// Do not appear in the node's nodes()
    #[arg(long)]
    hidden: bool,
    /// How often to ask
    #[arg(long, default_value_t = 1, value_name = "TIMES", value_parser = clap::value_parser!(u32).range(1..))]
    count: u32,
}

impl Ping {
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        let peer = peer_name(&self.node, self.identity.form())?;
        let me = self.identity.own_name("ping", &peer)?;
        let builder = self.identity.dress(Node::builder(&me.to_string()));
        let node = if self.hidden { builder.hidden() } else { builder }.start().await?;
        let mut code = ExitCode::SUCCESS;
        for _ in 0..self.count {
            match once(&node, &peer).await {
                Ok(took) => println!("pong from {peer} in {}", duration_text(took)),
                Err(why) => {
                    println!("pang");
                    eprintln!("trunkline: {why}; `trunkline doctor {peer}` tells more");
                    code = ExitCode::FAILURE;
                }
            }
        }
        node.shutdown().await;
        Ok(code)
    }
}

/// How long the answer took.
async fn once(node: &Node, peer: &NodeName) -> anyhow::Result<Duration> {
    let name = peer.to_string();
    Ok(timeout(PING_TIMEOUT, node.ping(name.as_str())).await.context("no answer in time")??)
}
