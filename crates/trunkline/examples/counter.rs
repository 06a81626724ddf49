//! A counter that others ask as they ask a gen_server. Run it: `cargo run -p trunkline --example counter`
//!
//! From an Erlang node with the same cookie: `gen_server:call({counter, 'stock@localhost'}, {add, 3}).`
use std::time::Duration;

use trunkline::otp::request::{self, Request};
use trunkline::prelude::*;

/// Answers `get` and `{add, N}`, and forgets everything on the cast `reset`.
async fn counter(mut ctx: Ctx) {
    let mut count = 0;
    loop {
        match Request::read(ctx.receive().await) {
            Request::Call(from, question) => {
                if let Ok((_add, n)) = <(Atom, i64)>::from_term(&question) {
                    count += n;
                }
                request::reply(&mut ctx, &from, count);
            }
            Request::Cast(message) if message.is_atom("reset") => count = 0,
            _ => {}
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let stock = trunkline::node("stock@localhost").cookie("s3cret").start().await?;
    let shop = trunkline::node("shop@localhost").cookie("s3cret").start().await?;
    let pid = stock.spawn(counter);
    stock.register("counter", &pid)?;

    shop.run(|mut ctx: Ctx| async move {
        let counter = ("counter", "stock@localhost");
        let patience = Some(Duration::from_secs(5));
        for n in 1..=4 {
            let sum = request::call(&mut ctx, counter, (Atom::new("add"), n), patience).await?;
            println!("add {n}: {sum:?}");
        }
        request::cast(&mut ctx, counter, Atom::new("reset"));
        println!("after reset: {:?}", request::call(&mut ctx, counter, Atom::new("get"), patience).await?);
        let nobody = request::call(&mut ctx, ("nobody", "stock@localhost"), Atom::new("get"), patience).await;
        println!("nobody there: {}", nobody.unwrap_err());
        Ok::<(), request::CallError>(())
    })
    .await?;
    shop.shutdown().await;
    stock.shutdown().await;
    Ok(())
}
