//! Programs of others against a node of ours, as they are: Phoenix.PubSub, libcluster, recon, observer_cli.
//!
//! They are no part of this repository. `TRUNKLINE_PROGRAMS` names a folder with their compiled modules (`elixirc -o FOLDER` and
//! `erlc -o FOLDER` of their sources will do); what is not in it is skipped. What they send is told without them in
//! `elixir.rs` and `tools.rs`.

use std::net::UdpSocket;
use std::process::Stdio;

use trunkline::{Ctx, Map, Node, Pid, Term, pg};
use trunkline_tests::world::{self, COOKIE};

const SCOPE: &str = "Elixir.Phoenix.PubSub";
/// The group and the registered name of the adapter of a `Phoenix.PubSub` called `Chat`.
const ADAPTER: &str = "Elixir.Chat.Adapter";

/// What Phoenix.PubSub's adapter is on a node: a member of its group that has the group's name. It answers a broadcast with
/// another, to the members of all other nodes.
fn adapter(ours: &Node) -> Pid {
    let member = ours.spawn(|mut ctx: Ctx| async move {
        loop {
            let message: Term = ctx.receive().await;
            let Some([word, topic, text, dispatcher]) = message.as_tuple() else { continue };
            if !word.is_atom("forward_to_local")
                || !topic.as_binary().is_some_and(|topic| topic.starts_with(b"room:"))
            {
                continue;
            }
            let back = Term::Map([(Term::atom("heard"), text.clone())].into_iter().collect::<Map>());
            let back = Term::tuple([word.clone(), topic.clone(), back, dispatcher.clone()]);
            let here = ctx.node().name().clone();
            let members = pg::members_in(ctx.node(), SCOPE, Term::atom(ADAPTER));
            for member in &*members {
                if *member.node.name() != here {
                    ctx.send(member, back.clone());
                }
            }
        }
    });
    pg::start(ours, SCOPE).expect("the scope is free");
    pg::join_in(ours, SCOPE, Term::atom(ADAPTER), member.clone()).expect("it is ours");
    ours.register(ADAPTER, &member).expect("the name is free");
    member
}

/// Tells the story of `programs.exs` about the program of this name, and gives back whether it was there.
async fn told(program: &str, ours: &Node, epmd: u16, more: &[&str]) {
    let Some(folder) = std::env::var_os("TRUNKLINE_PROGRAMS") else {
        eprintln!("SKIPPED: TRUNKLINE_PROGRAMS names no folder with {program}");
        return;
    };
    let name = world::unique("elixir");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/erl/programs.exs");
    let told = tokio::process::Command::new("elixir")
        .args(["--sname", &name, "--cookie", COOKIE, "--erl", "-start_epmd false", "-pa"])
        .arg(folder)
        .args([script, program, ours.name().as_str()])
        .args(more)
        .env("ERL_EPMD_PORT", epmd.to_string())
        .env("ERL_CRASH_DUMP_SECONDS", "0")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let told = tokio::time::timeout(world::PATIENCE * 4, told).await.expect("in time").expect("elixir runs");
    let printed = String::from_utf8_lossy(&told.stdout);
    let whole = format!("{printed}\n{}", String::from_utf8_lossy(&told.stderr));
    println!("{whole}");
    let wrong = printed.lines().any(|line| line.starts_with("wrong"));
    assert!(!wrong && (printed.contains("done") || printed.contains("SKIPPED")), "{whole}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn phoenix_pubsub_broadcasts_to_us_and_hears_our_broadcasts() {
    let epmd = world::private_epmd();
    let ours = world::node(&world::unique("ours"), epmd).start().await.expect("our node starts");
    adapter(&ours);
    told("pubsub", &ours, epmd, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn libcluster_finds_us_by_every_strategy_that_needs_no_service() {
    let epmd = world::private_epmd();
    let ours = world::node(&world::unique("ours"), epmd).start().await.expect("our node starts");
    // Gossip: a datagram every second says who is there. Both sides have an address of loopback of their own.
    let theirs = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port");
    let socket = tokio::net::UdpSocket::bind(("127.0.0.2", theirs.port())).await.expect("the same port here");
    let who = [(Term::atom("node"), Term::Atom(ours.name().clone()))].into_iter().collect::<Map>();
    let heartbeat = [&b"heartbeat::"[..], &trunkline::term::encode::encode(&Term::Map(who))].concat();
    let gossip = tokio::spawn(async move {
        loop {
            let _ = socket.send_to(&heartbeat, theirs).await;
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
    });
    told("libcluster", &ours, epmd, &[&theirs.port().to_string()]).await;
    gossip.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recon_and_observer_cli_are_answered() {
    let epmd = world::private_epmd();
    let ours = world::node(&world::unique("ours"), epmd).start().await.expect("our node starts");
    told("recon", &ours, epmd, &[]).await;
}
