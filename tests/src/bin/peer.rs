//! A small node in an OS process of its own, controlled by lines on standard input: something to kill.
//!
//! `peer NAME EPMD_PORT [hidden] [overlapping] [ticktime=SECONDS]`; then lines: `connect NODE`, `ping NODE`, `nodes`,
//! `register NAME` (a new process, with `global`), `whereis NAME` (whose process that is), `quit`.

use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use trunkline::net_kernel::Kind;
use trunkline::{Atom, Node, global};
use trunkline_tests::world;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, port, flags @ ..] = &arguments[..] else { panic!("peer NAME EPMD_PORT [FLAG]...") };
    let mut builder = world::node(name, port.parse().expect("a port"));
    for flag in flags {
        builder = match flag.strip_prefix("ticktime=") {
            _ if flag == "overlapping" => builder.prevent_overlapping_partitions(false),
            Some(seconds) => builder.net_ticktime(Duration::from_secs(seconds.parse().expect("seconds"))),
            None => builder.hidden(),
        };
    }
    let node = builder.start().await.unwrap_or_else(|why| panic!("{name} does not start: {why}"));
    world::echo(&node);
    world::counter(&node);
    node.export_async("tests", "never", std::future::pending::<()>);
    println!("up");
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        println!("{}", obey(&node, &line).await);
    }
}

async fn obey(node: &Node, line: &str) -> String {
    match line.split_once(' ').unwrap_or((line, "")) {
        ("connect", peer) => node.connect(peer).await.map_or_else(|why| why.to_string(), |()| "ok".into()),
        ("ping", peer) => node.ping(peer).await.map_or_else(|why| why.to_string(), |_| "pong".into()),
        ("nodes", _) => {
            let names: Vec<String> = node.nodes_of(Kind::Connected).iter().map(ToString::to_string).collect();
            names.join(" ")
        }
        ("register", name) => {
            let process = world::echo_process(node);
            global::register(node, Atom::new(name), &process).await.to_string()
        }
        ("whereis", name) => {
            let found = global::whereis(node, Atom::new(name));
            found.map_or_else(|| "undefined".into(), |pid| pid.node.name().to_string())
        }
        _ => std::process::exit(0),
    }
}
