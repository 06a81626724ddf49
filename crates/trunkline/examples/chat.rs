//! A chat without a server: every node sends to every node. Run it: `cargo run -p trunkline --example chat`
//!
//! That talks to itself. To chat: `cargo run -p trunkline --example chat -- bill`, and in other terminals
//! `cargo run -p trunkline --example chat -- zoey bill`; who knows one knows all. An empty line leaves.
use trunkline::net_kernel::WatchOptions;
use trunkline::prelude::*;

/// Shows what is said, and who comes and goes.
async fn ear(mut ctx: Ctx) {
    let (node, me) = (ctx.node().clone(), ctx.pid());
    net_kernel::monitor_nodes(&node, &me, WatchOptions::default());
    loop {
        let (what, who, text) = ctx.select(heard).await;
        match what.as_str() {
            "say" => println!("[{}] {who}: {text}", node.name()),
            "nodeup" => println!("[{}] {who} comes", node.name()),
            _ => println!("[{}] {who} goes", node.name()),
        }
    }
}

/// `{say, Who, Text}`, `{nodeup, Who}` or `{nodedown, Who}`.
fn heard(message: &Term) -> Option<(Atom, Atom, String)> {
    let said = <(Atom, Atom, String)>::from_term(message);
    said.or_else(|_| <(Atom, Atom)>::from_term(message).map(|(what, who)| (what, who, String::new()))).ok()
}

async fn join(name: &str, friend: Option<&str>) -> Result<Node, Box<dyn std::error::Error>> {
    let node = trunkline::node(&format!("{name}@localhost")).cookie("s3cret").start().await?;
    let pid = node.spawn(ear);
    node.register("ear", &pid)?;
    if let Some(friend) = friend {
        node.connect(format!("{friend}@localhost").as_str()).await?;
    }
    Ok(node)
}

/// Sends to the ear of every node, and comes back once all have heard what this process said before.
async fn say(node: &Node, text: &str) {
    let (text, everybody) = (text.to_owned(), node.nodes());
    node.run(|mut ctx: Ctx| async move {
        let me = ctx.node().name().clone();
        for peer in everybody {
            ctx.send(("ear", &peer), (Atom::new("say"), me.clone(), text.clone()));
        }
    })
    .await;
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let Some(name) = words.first() {
        let node = join(name, words.get(1).map(String::as_str)).await?;
        for line in std::io::stdin().lines() {
            match line? {
                line if line.is_empty() => break,
                line => say(&node, &line).await,
            }
        }
        node.shutdown().await;
        return Ok(());
    }
    let bill = join("bill", None).await?;
    let zoey = join("zoey", Some("bill")).await?;
    say(&bill, "hello").await;
    say(&zoey, "good evening").await;
    for node in [&bill, &zoey] {
        let peer = node.nodes()[0].clone();
        node.ping(peer).await?; // what was sent before has arrived by now
    }
    zoey.shutdown().await;
    bill.shutdown().await;
    Ok(())
}
