//! Two nodes in twenty lines. Run it: `cargo run -p trunkline --example ping`
use trunkline::prelude::*;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let ketchup = trunkline::node("ketchup@localhost").cookie("s3cret").start().await?;
    let mustard = trunkline::node("mustard@localhost").cookie("s3cret").start().await?;

    let ponger = mustard.spawn(|mut ctx: Ctx| async move {
        loop {
            let (ping, from): (Atom, Pid) = ctx.receive().await; // the first message that reads as one; others stay
            println!("{ping} from {from}");
            ctx.send(from, (Atom::new("pong"), ctx.pid()));
        }
    });
    mustard.register("ponger", &ponger)?;

    let asking = ketchup.run(|mut ctx: Ctx| async move {
        ctx.send(("ponger", "mustard@localhost"), (Atom::new("ping"), ctx.pid())); // connects by itself
        ctx.receive::<(Atom, Pid)>().await
    });
    let (pong, from) = asking.await;
    println!("{pong} from {from}; connected with {:?}", ketchup.nodes());
    ketchup.shutdown().await;
    mustard.shutdown().await;
    Ok(())
}
