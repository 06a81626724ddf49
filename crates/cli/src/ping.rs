//! The verb `ping`: whether a node answers, and how fast.

use std::process::ExitCode;
use std::time::Duration;

use trunkline::Node;
use trunkline::otp::request;
use trunkline::term::{Atom, Term};

use crate::cluster::duration_text;
use crate::identity::{Identity, peer_name};
use crate::limits::IS_AUTH_TIMEOUT;

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
        let node = Node::builder(&me.to_string())
            .cookie_proto(self.identity.cookie()?)
            .hidden(self.hidden)
            .start()
            .await?;
        let mut code = ExitCode::SUCCESS;
        for _ in 0..self.count {
            match ping(&node, &peer.to_string()).await {
                Ok(took) => println!("pong from {peer} in {}", duration_text(took)),
                Err(why) => {
                    println!("pang");
                    eprintln!("trunkline: {why}; `trunkline doctor {peer}` tells more");
                    code = ExitCode::FAILURE;
                }
            }
        }
        node.stop().await;
        Ok(code)
    }
}

/// Connects, and asks what `net_adm:ping/1` asks. The time is that of the question alone, not of the connection.
pub(crate) async fn ping(node: &Node, peer: &str) -> anyhow::Result<Duration> {
    node.connect(peer).await?;
    let (peer, me) = (Atom::new(peer), node.name().clone());
    node.run(|mut ctx| async move {
        let began = ctx.node().now();
        let question = Term::tuple([Term::atom("is_auth"), Term::Atom(me)]);
        let answer = request::call(&mut ctx, ("net_kernel", &peer), question, Some(IS_AUTH_TIMEOUT)).await?;
        anyhow::ensure!(answer.is_atom("yes"), "{peer} answers {answer:?} instead of yes");
        Ok(ctx.node().now().since(began))
    })
    .await
}
