//! Elixir programs and a node of ours: Node, GenServer, Task, :erpc, :global, and what Phoenix.PubSub sends.

use std::process::{Command, Stdio};

use trunkline::{Ctx, Map, Node, Term, pg};
use trunkline_tests::world::{self, COOKIE};

/// Whether `elixir` is here.
fn found() -> bool {
    let found = Command::new("elixir")
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !found {
        eprintln!("SKIPPED: no elixir was found");
    }
    found
}

const SCOPE: &str = "Elixir.Phoenix.PubSub";
/// The group and the registered name of the adapter of a `Phoenix.PubSub` called `Chat`.
const ADAPTER: &str = "Elixir.Chat.Adapter";

/// What Phoenix.PubSub's adapter is on a node: a member of its group that has the group's name. It answers a broadcast with
/// another, to the members of all other nodes.
fn adapter(ours: &Node) {
    let member = ours.spawn(|mut ctx: Ctx| async move {
        loop {
            let message: Term = ctx.receive().await;
            let Some([word, topic, heard, dispatcher]) = message.as_tuple() else { continue };
            if !word.is_atom("forward_to_local") || topic.as_binary() != Some(b"room:lobby") {
                continue;
            }
            let back = Term::Map([(Term::atom("heard"), heard.clone())].into_iter().collect::<Map>());
            let back = Term::tuple([word.clone(), topic.clone(), back, dispatcher.clone()]);
            let here = ctx.node().name().clone();
            let members = pg::members_in(ctx.node(), SCOPE, Term::atom(ADAPTER));
            for member in members.iter().filter(|member| *member.node.name() != here) {
                ctx.send(member, back.clone());
            }
        }
    });
    pg::start(ours, SCOPE).expect("the scope is free");
    pg::join_in(ours, SCOPE, Term::atom(ADAPTER), member.clone()).expect("it is ours");
    ours.register(ADAPTER, &member).expect("the name is free");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn elixir_programs_take_a_node_of_ours_for_one_of_theirs() {
    if !found() {
        return;
    }
    let epmd = world::private_epmd();
    let ours = world::node(&world::unique("ours"), epmd).start().await.expect("our node starts");
    world::counter(&ours);
    adapter(&ours);
    let name = world::unique("elixir");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/erl/story.exs");
    let told = tokio::process::Command::new("elixir")
        .args([
            "--sname",
            &name,
            "--cookie",
            COOKIE,
            "--erl",
            "-start_epmd false",
            script,
            ours.name().as_str(),
        ])
        .env("ERL_EPMD_PORT", epmd.to_string())
        .env("ERL_CRASH_DUMP_SECONDS", "0")
        .output();
    let told = tokio::time::timeout(world::PATIENCE * 4, told).await.expect("in time").expect("elixir runs");
    let printed = String::from_utf8_lossy(&told.stdout);
    let wrong: Vec<&str> = printed.lines().filter(|line| line.starts_with("wrong")).collect();
    let whole = format!("{printed}\n{}", String::from_utf8_lossy(&told.stderr));
    assert!(wrong.is_empty() && printed.contains("done"), "{whole}");
}
