//! The hidden verb of a member: a node that does what it is told on standard input and tells what it sees.

use std::process::ExitCode;

use tokio::io::{AsyncBufReadExt, BufReader};
use trunkline::Node;
use trunkline::term::{Atom, Term};

use super::actors::{anchor, echo, eyes, say};
use super::report::{Command, Report};
use super::world::node_of;

/// A member of the cluster; started by `trunkline cluster`
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct ClusterMember {
    who: String,
}

impl ClusterMember {
    /// Lives until it is told to quit, or its stage is gone: both end standard input.
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        let node = Node::builder(&node_of(&self.who)).start().await?;
        node.spawn(echo);
        node.spawn(anchor);
        node.spawn(eyes);
        say(&Report::Ready { creation: node.id().creation() });
        let mut lines = BufReader::new(tokio::io::stdin()).lines();
        while let Some(line) = lines.next_line().await? {
            match line.parse() {
                Ok(Command::Quit) => break,
                Ok(command) => {
                    let node = node.clone();
                    tokio::spawn(async move { obey(&node, command).await });
                }
                Err(error) => say(&Report::Note(format!("{error}"))),
            }
        }
        node.shutdown().await;
        Ok(ExitCode::SUCCESS)
    }
}

async fn obey(node: &Node, command: Command) {
    match command {
        Command::Connect(peer) => {
            if let Err(error) = node.connect(peer.as_str()).await {
                say(&Report::Note(error.to_string()));
            }
        }
        Command::Watch(peer) => {
            let watch = Term::tuple([Term::atom("watch"), Term::Atom(Atom::new(&peer))]);
            node.run(|mut ctx| async move { ctx.send("anchor", watch) }).await;
        }
        Command::Ping(peer) => {
            let took = node.ping(peer.as_str()).await;
            if let Err(error) = &took {
                say(&Report::Note(error.to_string()));
            }
            let micros = took.ok().map(|took| took.as_micros() as u64);
            say(&Report::Pinged { node: peer, micros });
        }
        Command::Quit => {}
    }
}
