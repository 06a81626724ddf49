//! Silence and death: idle connections stay up, stopped nodes are given up in OTP's time, by both sides.

use std::time::Duration;

use tokio::time::Instant;
use trunkline::net_kernel::{self, Kind, NodeType, Shape, TickTime, WatchOptions};
use trunkline::{Atom, Ctx, Node, Term};
use trunkline_tests::erl::{self, Erl};
use trunkline_tests::peer::Peer;
use trunkline_tests::world;

/// `net_ticktime` of these tests, in seconds; four ticks in it.
const TICKTIME_SECONDS: u64 = 4;
const TICKTIME: Duration = Duration::from_secs(TICKTIME_SECONDS);

/// A silent peer is given up between a tick less and a tick more than the tick time (and whatever a busy machine needs).
fn in_otps_window(silence: Duration) -> bool {
    silence >= TICKTIME - TICKTIME / 4 - Duration::from_millis(200)
        && silence < TICKTIME + TICKTIME / 4 + SLACK
}

const SLACK: Duration = Duration::from_millis(1500);

fn start_erl(epmd: u16, flags: &[&str]) -> Erl {
    let mut all = vec!["-kernel", "net_ticktime", "4"];
    all.extend(flags);
    let mut erl = Erl::start(&world::unique("erl"), epmd, &all);
    erl.load_guest();
    erl.eval(
        "register(watcher, guest:trap(fun() -> net_kernel:monitor_nodes(true, [{node_type, all}, nodedown_reason]) end)), \
         guest:seen(watcher)",
    );
    erl
}

fn connection_ids(node: &Node) -> Vec<(Atom, Option<u64>)> {
    net_kernel::nodes_info(node, Kind::Connected)
        .into_iter()
        .map(|info| (info.name, info.connection_id))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_connections_stay_up() {
    if !erl::found() {
        return;
    }
    let epmd = world::private_epmd();
    let mut erls = [start_erl(epmd, &[]), start_erl(epmd, &["-hidden"])];
    let mut ours = Vec::new();
    for (hidden, we_dial) in [(false, true), (false, false), (true, true), (true, false)] {
        let builder = world::node(&world::unique("ours"), epmd).net_ticktime(TICKTIME).connect_all(false);
        let node = if hidden { builder.hidden() } else { builder }.start().await.unwrap();
        for erl in &mut erls {
            if we_dial {
                node.connect(erl.name.as_str()).await.unwrap();
            } else {
                erl.check(&format!("net_kernel:connect_node({})", node.name()), "true");
            }
        }
        ours.push(node);
    }
    for node in &ours {
        world::eventually("both are connected", async || node.nodes_of(Kind::Connected).len() == 2).await;
    }
    let before: Vec<_> = ours.iter().map(connection_ids).collect();
    // Time itself is what is tried here.
    tokio::time::sleep(TICKTIME * 5 / 2).await;
    assert_eq!(ours.iter().map(connection_ids).collect::<Vec<_>>(), before, "the same connections as before");
    for erl in &mut erls {
        erl.check("[N || {nodedown, N, _} <- guest:seen(watcher)]", "[]");
        erl.check("length(nodes(connected))", "4");
    }
}

/// Has a process of the node pass on the reason when `peer` goes down.
fn reason_of_nodedown(node: &Node, peer: &str) -> tokio::sync::oneshot::Receiver<Term> {
    let (tell, told) = tokio::sync::oneshot::channel();
    let peer = Atom::new(peer);
    let watcher = node.spawn(move |mut ctx: Ctx| async move {
        let reason = ctx
            .select(|message| match message.as_tuple() {
                Some([word, Term::Atom(name), info]) if word.is_atom("nodedown") && *name == peer => {
                    info.as_map()?.get(&Term::atom("nodedown_reason")).cloned()
                }
                _ => None,
            })
            .await;
        let _ = tell.send(reason);
    });
    let options = WatchOptions {
        node_type: Some(NodeType::All),
        nodedown_reason: true,
        shape: Shape::Map,
        ..WatchOptions::default()
    };
    net_kernel::monitor_nodes(node, &watcher, options);
    told
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_erl_is_given_up_in_otps_time() {
    if !erl::found() {
        return;
    }
    let epmd = world::private_epmd();
    let erl = start_erl(epmd, &[]);
    let mut ours = Vec::new();
    for hidden in [false, true] {
        let builder = world::node(&world::unique("ours"), epmd).net_ticktime(TICKTIME).connect_all(false);
        let node = if hidden { builder.hidden() } else { builder }.start().await.unwrap();
        node.connect(erl.name.as_str()).await.unwrap();
        node.ping(erl.name.as_str()).await.unwrap();
        ours.push((reason_of_nodedown(&node, &erl.name), node));
    }
    erl.signal("STOP");
    let stopped = Instant::now();
    for (reason, node) in ours {
        let reason = tokio::time::timeout(world::PATIENCE, reason).await.expect("given up").unwrap();
        let silence = stopped.elapsed();
        assert!(reason.is_atom("net_tick_timeout"), "{reason}");
        assert!(in_otps_window(silence), "given up after {silence:?}");
        assert!(node.nodes_of(Kind::Connected).is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_node_of_ours_is_given_up_by_otp_and_takes_up_again_after_it() {
    if !erl::found() {
        return;
    }
    let epmd = world::private_epmd();
    let mut erl = start_erl(epmd, &[]);
    for flags in [&["ticktime=4"][..], &["ticktime=4", "hidden"]] {
        let name = world::unique("peer");
        let mut peer = Peer::start(env!("CARGO_BIN_EXE_peer"), &name, epmd, flags);
        assert_eq!(peer.say(&format!("connect {}", erl.name)), "ok");
        assert_eq!(peer.say(&format!("ping {}", erl.name)), "pong");
        peer.signal("STOP");
        let stopped = Instant::now();
        erl.until(
            &format!("[W || {{nodedown, {name}, [{{nodedown_reason, W}}, _]}} <- guest:seen(watcher)]"),
            "[net_tick_timeout]",
        );
        let silence = stopped.elapsed();
        assert!(in_otps_window(silence), "given up after {silence:?}");
        peer.signal("CONT");
        // It wakes up to a closed connection, and is let in again.
        erl.until(&format!("net_adm:ping({name})"), "pong");
        assert_eq!(peer.say(&format!("ping {}", erl.name)), "pong");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tick_time_is_changed_while_connections_are_up() {
    if !erl::found() {
        return;
    }
    let epmd = world::private_epmd();
    let mut erl = Erl::start(&world::unique("erl"), epmd, &[]);
    let ours = world::node(&world::unique("ours"), epmd).start().await.unwrap();
    ours.ping(erl.name.as_str()).await.unwrap();
    let us = ours.name().to_string();
    // Both from a minute to four seconds, within one; OTP asks ours over the wire.
    erl.check("net_kernel:set_net_ticktime(4, 1)", "change_initiated");
    erl.check(&format!("rpc:call({us}, net_kernel, set_net_ticktime, [4, 1])"), "change_initiated");
    erl.check(&format!("rpc:call({us}, net_kernel, get_net_ticktime, [])"), "{ongoing_change_to,4}");
    erl.until(&format!("rpc:call({us}, net_kernel, get_net_ticktime, [])"), "4");
    assert_eq!(net_kernel::net_ticktime(&ours), Some(TickTime::Is(TICKTIME)));
    let before = connection_ids(&ours);
    tokio::time::sleep(TICKTIME * 3 / 2).await;
    assert_eq!(connection_ids(&ours), before, "still the same connection");
    let reason = reason_of_nodedown(&ours, &erl.name);
    erl.signal("STOP");
    let stopped = Instant::now();
    let reason = tokio::time::timeout(world::PATIENCE, reason).await.expect("given up").unwrap();
    assert!(
        reason.is_atom("net_tick_timeout") && in_otps_window(stopped.elapsed()),
        "{reason} {:?}",
        stopped.elapsed()
    );
}
