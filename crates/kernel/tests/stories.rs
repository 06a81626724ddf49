//! Stories of several nodes, each from one seed, in virtual time.

extern crate trunkline_kernel as kernel;

use std::time::Duration;

use kernel::net_kernel::{self, AutoConnect};
use kernel::sim::{Net, sim};
use runtime::{Ctx, Down};
use term::{Atom, Term};

const MINUTE: Duration = Duration::from_secs(60);

/// Four nodes that chatter while wires stall, a node dies, and comes again.
async fn busy_evening(net: Net) {
    let soon = Duration::from_secs(4);
    // One cable fails here, and nobody is to be expelled for that.
    let shape =
        move |builder: kernel::Builder| builder.net_ticktime(soon).prevent_overlapping_partitions(false);
    let nodes = net.boot(["bill", "daryl", "rick", "zoey"], shape).await;
    let [bill, daryl, rick, zoey] = &nodes;
    for node in &nodes {
        let (log, own) = (net.clone(), node.name().to_string());
        let listener = node.spawn(move |mut ctx: Ctx| async move {
            loop {
                let (from, number): (Atom, i64) = ctx.receive().await;
                if number % 10 == 0 {
                    log.say(format!("{own}: heard {number} from {from}"));
                }
            }
        });
        node.register("ear", &listener).unwrap();
    }
    bill.connect(zoey.name().clone()).await.unwrap();
    rick.connect(daryl.name().clone()).await.unwrap();
    rick.connect(bill.name().clone()).await.unwrap();
    let everybody = || nodes.iter().all(|node| node.nodes().len() == 3);
    net.until("everybody sees everybody", everybody).await;
    for node in &nodes {
        let others = node.nodes();
        node.spawn(move |mut ctx: Ctx| async move {
            for number in 0..50_i64 {
                for other in &others {
                    ctx.send((Atom::new("ear"), other.clone()), (ctx.node().name().clone(), number));
                }
                ctx.sleep(Duration::from_millis(3)).await;
            }
        });
    }
    let split = net.partition(&["bill"], &["rick"]);
    net.until("bill misses rick", || bill.nodes().len() == 2).await;
    drop(split);
    net.crash(daryl).await;
    net.until("daryl is missed", || {
        [bill, rick, zoey].iter().all(|node| !node.nodes().contains(daryl.name()))
    })
    .await;
    let daryl = net.boot_again("daryl").await;
    daryl.connect(zoey.name().clone()).await.unwrap();
    net.until("daryl is back", || daryl.nodes().len() == 3).await;
}

#[test]
fn the_same_seed_tells_the_same_story() {
    let mut different = std::collections::BTreeSet::new();
    for seed in 0..20 {
        let (first, second) = (sim(seed, busy_evening), sim(seed, busy_evening));
        assert_eq!(first.log, second.log, "seed {seed}");
        different.insert(first.log);
    }
    assert!(different.len() > 15, "other seeds tell other stories");
}

#[test]
fn a_silent_peer_is_given_up_after_the_tick_time() {
    for seed in 0..5 {
        sim(seed, |net| async move {
            let [a, b] = net.boot(["a", "b"], |builder| builder).await;
            a.connect(b.name().clone()).await.unwrap();
            tokio::time::sleep(60 * MINUTE).await;
            assert_eq!(a.nodes().len(), 1, "ticks keep an idle connection up");
            let _split = net.partition(&["a"], &["b"]);
            let cut = net.now();
            net.until("a gives b up", || a.nodes().is_empty()).await;
            let waited = net.now() - cut;
            assert!(waited >= Duration::from_secs(44) && waited <= Duration::from_secs(76), "{waited:?}");
        });
    }
}

#[test]
fn a_shorter_tick_time_holds_after_its_transition() {
    sim(1, |net| async move {
        let [a, b] = net.boot(["a", "b"], |builder| builder).await;
        a.connect(b.name().clone()).await.unwrap();
        for node in [&a, &b] {
            let change = net_kernel::set_net_ticktime(node, Duration::from_secs(4), Duration::from_secs(10));
            assert_eq!(change, Some(net_kernel::TickTimeChange::ChangeInitiated));
        }
        tokio::time::sleep(MINUTE).await;
        assert_eq!(net_kernel::net_ticktime(&a), Some(net_kernel::TickTime::Is(Duration::from_secs(4))));
        assert_eq!(a.nodes().len(), 1);
        let _split = net.partition(&["a"], &["b"]);
        let cut = net.now();
        net.until("a gives b up", || a.nodes().is_empty()).await;
        assert!(net.now() - cut < Duration::from_secs(6), "{:?}", net.now() - cut);
    });
}

#[test]
fn a_monitor_over_a_dead_wire_fires_once() {
    for seed in 0..10 {
        sim(seed, |net| async move {
            let [a, b] = net.boot(["a", "b"], |builder| builder).await;
            let far = b.spawn(|mut ctx: Ctx| async move {
                let _: Term = ctx.receive().await;
            });
            let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
            a.spawn(move |mut ctx: Ctx| async move {
                let reference = ctx.monitor(&far);
                loop {
                    let down: Down = ctx.receive().await;
                    let _ = tell.send((down.reference == reference, down.reason));
                }
            });
            net.until("they are connected", || a.nodes().len() == 1).await;
            net.crash(&b).await;
            let (same, reason) = told.recv().await.unwrap();
            assert!(same && reason.is_atom("noconnection"));
            tokio::time::sleep(5 * MINUTE).await;
            assert!(told.try_recv().is_err(), "a second time");
        });
    }
}

#[test]
fn nodes_that_dial_each_other_at_once_end_with_one_connection() {
    for seed in 0..50 {
        sim(seed, |net| async move {
            let nodes = net.boot(["a", "b", "c", "d", "e"], |builder| builder.connect_all(false)).await;
            let mut dials = Vec::new();
            for one in &nodes {
                for other in nodes.iter().filter(|other| other.name() != one.name()) {
                    let (one, other) = (one.clone(), other.name().clone());
                    dials.push(tokio::spawn(async move { one.connect(other).await }));
                }
            }
            for dial in dials {
                dial.await.unwrap().unwrap();
            }
            net.until("all are connected", || nodes.iter().all(|node| node.nodes().len() == 4)).await;
            tokio::time::sleep(5 * MINUTE).await;
            assert!(nodes.iter().all(|node| node.nodes().len() == 4), "and stay so");
            assert_eq!(net.wires().wires(), 10, "one wire a pair");
        });
    }
}

#[test]
fn a_node_that_never_dials_by_itself_loses_what_it_sends_to_strangers() {
    sim(3, |net| async move {
        let [a, b] = net.boot(["a", "b"], |builder| builder.dist_auto_connect(AutoConnect::Never)).await;
        let name = b.name().clone();
        let reason = a.run(move |mut ctx| async move {
            ctx.monitor((Atom::new("x"), name));
            ctx.receive::<Down>().await.reason
        });
        assert!(reason.await.is_atom("noconnection"));
        a.connect(b.name().clone()).await.unwrap();
        assert_eq!(a.nodes().len(), 1);
    });
}

#[test]
fn what_shall_always_be_so_is_watched() {
    let broken = std::panic::catch_unwind(|| {
        sim(1, |net| async move {
            let [a, b] = net.boot(["a", "b"], |builder| builder).await;
            let watched = a.clone();
            net.always("nobody is connected", move || watched.nodes().is_empty());
            a.connect(b.name().clone()).await.unwrap();
            tokio::time::sleep(Duration::from_millis(10)).await;
        });
    });
    assert!(broken.is_err());
}

/// The handshake of the lesser takes more than a second, so the greater, who wants the connection too, dials itself and sends
/// it away. What the lesser has to say waits for that.
#[test]
fn what_waits_for_a_slow_handshake_survives_the_insistence_of_the_peer() {
    for seed in 0..10 {
        sim(seed, |net| async move {
            let [bill, zoey] = net.boot(["bill", "zoey"], |builder| builder.connect_all(false)).await;
            let heard = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
            for node in [&bill, &zoey] {
                let heard = heard.clone();
                let ear = node.spawn(move |mut ctx: Ctx| async move {
                    let _: Term = ctx.receive().await;
                    heard.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                });
                node.register("ear", &ear).unwrap();
            }
            let slow = net.slow("bill", "zoey", Duration::from_millis(900));
            bill.send(("ear", zoey.name().as_str()), Term::NIL);
            // When bill's name is there and his proof is not.
            tokio::time::sleep(Duration::from_millis(1_000 + seed * 70)).await;
            zoey.send(("ear", bill.name().as_str()), Term::NIL);
            let both = || heard.load(std::sync::atomic::Ordering::Relaxed) == 2;
            net.until("both are heard", both).await;
            drop(slow);
        });
    }
}
