//! A node of ours for the soak, in an OS process of its own: answers the expressions that `erl/soaker.erl` answers.
//!
//! `soaker NAME EPMD_PORT`. With `TRUNKLINE_SOAK_LOG=FOLDER`, what it logs is added to `FOLDER/NAME.log`.

use tokio::io::{AsyncBufReadExt, BufReader};
use tracing::Level;
use trunkline_tests::soak::ours::Soaker;
use trunkline_tests::world;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, port] = &arguments[..] else { panic!("soaker NAME EPMD_PORT") };
    if let Some(folder) = std::env::var_os("TRUNKLINE_SOAK_LOG") {
        let path = std::path::Path::new(&folder).join(format!("{name}.log"));
        let file = std::fs::File::options().append(true).create(true).open(path).expect("the folder exists");
        tracing_subscriber::fmt()
            .with_writer(std::sync::Mutex::new(file))
            .with_ansi(false)
            .with_max_level(Level::TRACE)
            .init();
    }
    let node = world::node(name, port.parse().expect("a port")).start().await;
    let soaker = Soaker::start(node.unwrap_or_else(|why| panic!("{name} does not start: {why}")));
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        println!("\n#value#{}", soaker.answer(&line));
    }
}
