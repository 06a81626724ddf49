//! A counter that others ask, wherever they are. Run it: `cargo run -p trunkline --example counter`
//!
//! From an Erlang node with the same cookie: `gen_server:call({counter, 'stock@localhost'}, {add, 3}).`
use trunkline::gen_server::Start;
use trunkline::otp::CallError;
use trunkline::prelude::*;

struct Counter {
    count: i64,
}

#[derive(Request)]
enum Ask {
    Get(Reply<i64>),      // get
    Add(i64, Reply<i64>), // {add, N}
}

#[derive(IntoTerm, FromTerm)]
enum Tell {
    Reset, // reset
}

impl GenServer for Counter {
    type Args = i64;
    type Call = Ask;
    type Cast = Tell;
    type Info = Nothing;

    async fn init(_: &mut Ctx, start: i64) -> Result<Self, Exit> {
        Ok(Counter { count: start })
    }

    async fn handle_call(&mut self, _: &mut Ctx, ask: Ask) -> Flow {
        match ask {
            Ask::Get(reply) => reply.send(self.count),
            Ask::Add(n, reply) => {
                self.count += n;
                reply.send(self.count);
            }
        }
        Flow::Continue
    }

    async fn handle_cast(&mut self, _: &mut Ctx, Tell::Reset: Tell) -> Flow {
        self.count = 0;
        Flow::Continue
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let stock = trunkline::node("stock@localhost").cookie("s3cret").start().await?;
    let shop = trunkline::node("shop@localhost").cookie("s3cret").start().await?;
    Start::<Counter>::new(0).named("counter").start(&stock).await?;

    shop.run(|mut ctx: Ctx| async move {
        let counter = Server::<Counter>::at(("counter", "stock@localhost"));
        for n in 1..=4 {
            let sum = counter.call(&mut ctx, |reply| Ask::Add(n, reply)).await?;
            println!("add {n}: {sum}");
        }
        counter.cast(&mut ctx, Tell::Reset);
        println!("after reset: {}", counter.call(&mut ctx, Ask::Get).await?);
        let nobody = Server::<Counter>::at(("nobody", "stock@localhost"));
        println!("nobody there: {}", nobody.call(&mut ctx, Ask::Get).await.unwrap_err());
        Ok::<(), CallError>(())
    })
    .await?;
    shop.shutdown().await;
    stock.shutdown().await;
    Ok(())
}
