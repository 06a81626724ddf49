//! Distributed applications among nodes of our own, in virtual time: what OTP leaves to luck, a cluster that was split.
#![cfg(feature = "sim")]

extern crate trunkline_kernel as kernel;

use std::time::Duration;

use kernel::dist_ac::{self, Ladder};
use kernel::sim::{Net, sim};
use kernel::{Builder, Node, global};
use otp::application::{self, Application, Kind, Spec, StartType};
use runtime::{Ctx, Exit};
use term::{Atom, Pid, Term};

const TICKTIME: Duration = Duration::from_secs(4);

struct Shop;

impl Application for Shop {
    fn spec(&self) -> Spec {
        Spec::new("shop").registered(["shop_top"])
    }

    async fn start(&self, ctx: &mut Ctx, _: StartType) -> Result<Pid, Exit> {
        let top = ctx.spawn_link(|mut ctx: Ctx| async move {
            let _: Term = ctx.receive().await;
        });
        ctx.node().register("shop_top", &top).map_err(|_| Exit::from("name_taken"))?;
        Ok(top)
    }
}

fn shape(builder: Builder) -> Builder {
    let ladder = Ladder::first(["a@a"]).then(["b@b", "c@c"]).then(["d@d"]).wait(Duration::from_secs(1));
    builder.net_ticktime(TICKTIME).distributed("shop", ladder).offer(Shop)
}

fn runs(node: &Node) -> bool {
    node.whereis("shop_top").is_some()
}

fn copies(nodes: &[&Node]) -> usize {
    nodes.iter().filter(|node| runs(node)).count()
}

/// Joins the others, and starts the application there when it is known who they are.
async fn join(net: &Net, nodes: &[&Node], new: &[&Node]) {
    for node in &nodes[1..] {
        node.connect(nodes[0].name().clone()).await.unwrap();
    }
    net.until("all are known", || nodes.iter().all(|node| dist_ac::known_nodes(node).len() == nodes.len()))
        .await;
    for node in new {
        application::load(node, "shop").await.unwrap();
    }
    net.until("all have heard of that", || true).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let mut starts = tokio::task::JoinSet::new();
    for node in new.iter().map(|node| (*node).clone()) {
        starts.spawn(async move { application::start(&node, "shop", Kind::Permanent).await });
    }
    while let Some(started) = starts.join_next().await {
        assert_eq!(started.unwrap(), Ok(()));
    }
}

async fn a_long_day(net: Net) {
    let [a, b, c, d] = net.boot(["a", "b", "c", "d"], shape).await;
    let all = [&a, &b, &c, &d];
    join(&net, &all, &all).await;
    net.until("the first runs it, and nobody else", || runs(&a) && copies(&all) == 1).await;

    // Both sides run it while they do not see each other, and the better place keeps it.
    let split = net.partition(&["a"], &["b", "c", "d"]);
    net.until("the next ones run it too", || runs(&a) && copies(&[&b, &c]) == 1).await;
    assert!(!runs(&d));
    drop(split);
    for node in [&b, &c, &d] {
        let _ = node.connect(a.name().clone()).await;
    }
    net.until("the first alone runs it again", || runs(&a) && copies(&all) == 1).await;
    net.until("all are known again", || all.iter().all(|node| dist_ac::known_nodes(node).len() == 4)).await;

    net.crash(&a).await;
    net.until("one of the next runs it", || copies(&[&b, &c]) == 1).await;
    let (second, third) = if runs(&b) { (&b, &c) } else { (&c, &b) };
    net.crash(second).await;
    net.until("the other one does", || runs(third) && !runs(&d)).await;

    let a = net.boot_again("a").await;
    join(&net, &[&a, third, &d], &[&a]).await;
    net.until("the first has taken it over", || runs(&a) && copies(&[&a, third, &d]) == 1).await;
}

#[test]
fn a_cluster_that_was_split_has_one_copy_again_and_fails_over_and_back() {
    for seed in 0..4 {
        println!("seed {seed}");
        sim(seed, a_long_day);
    }
}

/// Somebody decides on a node while another boots: it cannot introduce itself, and so it must not decide.
async fn a_boot_while_others_decide(net: Net) {
    let [a] = net.boot(["a"], shape).await;
    application::load(&a, "shop").await.unwrap();
    application::start(&a, "shop", Kind::Temporary).await.unwrap();
    net.until("the first runs it", || runs(&a)).await;
    let name = a.name().clone();
    let (locked, lock) = tokio::sync::oneshot::channel();
    let decider = a.spawn(move |mut ctx: Ctx| async move {
        let me = ctx.pid();
        assert!(global::set_lock(&mut ctx, Atom::new("dist_ac"), me, Some(&[name]), None).await);
        let _ = locked.send(());
        let _: Term = ctx.receive().await;
    });
    lock.await.unwrap();
    assert!(global::register(&a, Atom::new("till"), &decider).await);

    let [b] = net.boot(["b"], |builder| shape(builder).sync_nodes(["a@a"], Duration::from_secs(5))).await;
    assert_eq!(global::whereis(&b, Atom::new("till")), Some(decider.clone()), "what starts may look for it");
    application::load(&b, "shop").await.unwrap();
    net.always("one copy", {
        let (a, b) = (a.clone(), b.clone());
        move || copies(&[&a, &b]) == 1
    });
    let node = b.clone();
    let start = tokio::spawn(async move { application::start(&node, "shop", Kind::Temporary).await });
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(dist_ac::known_nodes(&b).len(), 1);
    assert!(!start.is_finished(), "whoever knows nobody does not decide");
    a.send(&decider, Term::atom("done"));
    assert_eq!(start.await.unwrap(), Ok(()));
    assert_eq!(dist_ac::known_nodes(&b).len(), 2);
    net.until("the first runs it still", || runs(&a) && !runs(&b)).await;
}

#[test]
fn a_node_that_boots_decides_nothing_before_it_has_met_the_others() {
    for seed in 0..4 {
        println!("seed {seed}");
        sim(seed, a_boot_while_others_decide);
    }
}
