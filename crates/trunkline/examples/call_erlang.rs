//! Calls functions of a real Erlang node, and lets it call ours. Run it: `cargo run -p trunkline --example call_erlang`
//!
//! Both nodes take the cookie from `~/.erlang.cookie`. Without `erl` it says so and ends.
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use trunkline::prelude::*;

const ERLANG: &str = "joe@localhost";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let node = trunkline::node("rust@localhost").start().await?;
    node.export("math", "add", |a: i64, b: i64| a + b);
    let Some(mut erlang) = start_erlang() else {
        println!("erl is not installed: nothing to call");
        return Ok(());
    };

    let reversed: Vec<i64> = node.call(ERLANG, "lists", "reverse", (vec![1_000, 2_000, 3_000],)).await?;
    println!("lists:reverse([1000,2000,3000]) = {reversed:?}");

    // Erlang calls math:add(40, 2) here, and tells us what it got.
    let arguments = (Atom::new("rust@localhost"), Atom::new("math"), Atom::new("add"), vec![40, 2]);
    let sum: i64 = node.call(ERLANG, "erpc", "call", arguments).await?;
    println!("erpc:call('rust@localhost', math, add, [40, 2]) = {sum}");

    let oops = node.call::<Term>(ERLANG, "erlang", "atom_to_list", (7,)).await;
    println!("atom_to_list(7): {}", oops.unwrap_err());

    // A monitor tells when a process over there ends.
    let down = node.run(|mut ctx: Ctx| async move {
        ctx.monitor(("kernel_sup", ERLANG));
        rpc::cast(ctx.node(), ERLANG, "erlang", "halt", ());
        ctx.receive::<Down>().await
    });
    println!("and then kernel_sup was gone: {:?}", down.await.reason);
    erlang.wait()?;
    node.shutdown().await;
    Ok(())
}

/// Starts an Erlang node and waits until it is up.
fn start_erlang() -> Option<Child> {
    let mut command = Command::new("erl");
    command.args(["-sname", ERLANG, "-noinput", "-eval", "io:format(\"up~n\")."]);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().ok()?;
    let mut line = String::new();
    BufReader::new(child.stdout.take()?).read_line(&mut line).ok()?;
    Some(child)
}
