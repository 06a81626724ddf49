//! A shell on standard input, without a node: `cargo run -p trunkline-shell --example pipe < commands`.

use std::io::Read;

use trunkline_shell::{Alone, Reply, Session, Vm, World};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let mut source = String::new();
    std::io::stdin().read_to_string(&mut source)?;
    let mut session = Session::new(Vm::new());
    let mut world = Alone::default();
    let mut rest = source.as_str();
    loop {
        print!("{}", session.prompt(&world.node()));
        let reply = session.enter(rest, true, &mut world).await;
        print!("{}", std::mem::take(&mut world.output));
        let taken = match reply {
            Reply::Value(_, text, taken) | Reply::Wrong(text, taken) => {
                print!("{text}");
                taken
            }
            _ => break,
        };
        let cut = rest.char_indices().nth(taken).map_or(rest.len(), |(at, _)| at);
        rest = &rest[cut..];
    }
    Ok(())
}
