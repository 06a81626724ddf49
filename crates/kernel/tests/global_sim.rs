//! `global` among nodes of our own, in virtual time.
#![cfg(feature = "sim")]

extern crate trunkline_kernel as kernel;

use std::time::Duration;

use kernel::sim::{Net, sim};
use kernel::{Node, global};
use runtime::Ctx;
use term::{Atom, Pid, Term};

const TICKTIME: Duration = Duration::from_secs(4);
const HOSTS: [&str; 3] = ["a", "b", "c"];

fn sleeper(node: &Node) -> Pid {
    node.spawn(|mut ctx: Ctx| async move {
        loop {
            let _: Term = ctx.receive().await;
        }
    })
}

async fn cluster(net: &Net) -> [Node; 3] {
    let nodes = net.boot(HOSTS, |builder| builder.net_ticktime(TICKTIME)).await;
    nodes[0].connect(nodes[1].name().clone()).await.unwrap();
    nodes[2].connect(nodes[1].name().clone()).await.unwrap();
    net.until("all are connected", || nodes.iter().all(|node| node.nodes().len() == 2)).await;
    for node in &nodes {
        global::sync(node).await;
    }
    nodes
}

fn table(node: &Node) -> Vec<(Term, Option<Pid>)> {
    let names = global::registered_names(node);
    names.into_iter().map(|name| (name.clone(), global::whereis(node, name))).collect()
}

async fn agree(net: &Net, nodes: &[&Node]) {
    let start = net.now();
    net.until("all agree", || {
        let so = nodes.iter().all(|node| table(node) == table(nodes[0]));
        if !so && net.now() - start > Duration::from_secs(600) {
            panic!("{:?}", nodes.iter().map(|node| (node.nodes(), table(node))).collect::<Vec<_>>());
        }
        so
    })
    .await;
}

#[test]
fn three_nodes_agree_after_a_partition_is_healed() {
    for seed in 0..20 {
        sim(seed, |net| async move {
            let nodes = cluster(&net).await;
            let [a, b, c] = &nodes;
            for (number, node) in nodes.iter().enumerate() {
                assert!(global::register(node, (Atom::new("of"), number as i64), &sleeper(node)).await);
            }
            agree(&net, &[a, b, c]).await;
            assert_eq!(global::registered_names(a).len(), 3);
            let split = net.partition(&["a"], &["b", "c"]);
            net.until("the two sides have lost each other", || {
                a.nodes().is_empty() && b.nodes().len() == 1 && c.nodes().len() == 1
            })
            .await;
            net.until("and each other's names", || {
                global::registered_names(a).len() == 1 && global::registered_names(b).len() == 2
            })
            .await;
            // The same name on both sides: the one on the node with the smaller name stays, the other one is killed.
            let (one, other) = (sleeper(a), sleeper(c));
            assert!(global::register(a, "both", &one).await);
            assert!(global::register(c, "both", &other).await);
            drop(split);
            b.connect(a.name().clone()).await.unwrap();
            net.until("all are connected again", || nodes.iter().all(|node| node.nodes().len() == 2)).await;
            for node in &nodes {
                global::sync(node).await;
            }
            agree(&net, &[a, b, c]).await;
            assert_eq!(global::registered_names(b).len(), 4);
            assert_eq!(global::whereis(b, "both"), Some(one));
            net.until("the other one is killed", || !c.is_process_alive(&other)).await;
        });
    }
}

#[test]
fn a_node_that_dies_and_returns_at_once_is_met_by_all() {
    for seed in 0..20 {
        sim(seed, |net| async move {
            let [a, b, mut c] = cluster(&net).await;
            for rest in [0, 300, 2_000, 5_000] {
                net.crash(&c).await;
                net.until("c is missed", || a.nodes().len() == 1 && b.nodes().len() == 1).await;
                tokio::time::sleep(Duration::from_millis(rest)).await;
                c = net.boot_again("c").await;
                c.connect(a.name().clone()).await.unwrap();
                let all = || [&a, &b, &c].iter().all(|node| node.nodes().len() == 2);
                net.until("all are connected", all).await;
                tokio::time::sleep(Duration::from_secs(60)).await;
                assert!(all(), "and stay so");
                assert!(global::register(&b, rest, &sleeper(&c)).await);
                agree(&net, &[&a, &b, &c]).await;
            }
        });
    }
}

#[test]
fn a_lost_cable_expels_who_lost_it_from_all() {
    sim(1, |net| async move {
        let [a, b, c] = cluster(&net).await;
        let _split = net.partition(&["a"], &["b"]);
        net.until("nobody is left in between", || {
            let (a, b, c) = (a.nodes().len(), b.nodes().len(), c.nodes().len());
            a + b + c <= 2
        })
        .await;
    });
}
