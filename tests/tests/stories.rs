//! The stories that users know, with ours in the place of each OTP node in turn: the same steps, the same answers.

use trunkline::Term;
use trunkline_tests::erl;
use trunkline_tests::player::Player;
use trunkline_tests::world::{eventually, private_epmd, t};

const DEFAULT: &str = "random_exit_name";

/// Names of any term, given on one node and known on the other; they move, and end with their process.
#[tokio::test(flavor = "multi_thread")]
async fn the_story_of_global_with_ours_in_either_role() {
    if !erl::found() {
        return;
    }
    for (one, other) in [(true, false), (false, true)] {
        let epmd = private_epmd();
        let (mut cthulu, mut lovecraft) =
            (Player::start("cthulu", one, epmd).await, Player::start("lovecraft", other, epmd).await);
        let (here, there) = (cthulu.name.clone(), lovecraft.name.clone());
        assert!(cthulu.connect(&there).await);
        eventually("both are connected", async || cthulu.nodes().len() + lovecraft.nodes().len() == 2).await;
        let zombie = "{zombie, 12}";
        assert!(cthulu.register(zombie, DEFAULT).await);
        eventually("lovecraft knows the zombie", async || lovecraft.home(zombie) == here).await;
        assert!(!lovecraft.register(zombie, DEFAULT).await, "the name is taken");
        lovecraft.send(zombie, "brains").await;
        assert_eq!(cthulu.hears().await, t("brains"));
        lovecraft.re_register(zombie).await;
        assert_eq!(cthulu.home(zombie), there);
        cthulu.unregister(zombie).await;
        assert_eq!((cthulu.home(zombie), lovecraft.home(zombie)), ("undefined".into(), "undefined".into()));
        assert!(cthulu.register_other("short_lived", DEFAULT).await);
        lovecraft.send("short_lived", "stop").await;
        eventually("its name goes with it", async || lovecraft.home("short_lived") == "undefined").await;
        assert_eq!(lovecraft.names(), "[]");
        cthulu.end().await;
        lovecraft.end().await;
    }
}

/// Two nodes meet who gave the same names: each way to settle that, and one of one's own.
#[tokio::test(flavor = "multi_thread")]
async fn the_story_of_conflicts_with_ours_in_either_role() {
    if !erl::found() {
        return;
    }
    for (one, other) in [(true, false), (false, true)] {
        let epmd = private_epmd();
        let (mut hill, mut valley) =
            (Player::start("hill", one, epmd).await, Player::start("valley", other, epmd).await);
        let (here, there) = (hill.name.clone(), valley.name.clone());
        for player in [&mut hill, &mut valley] {
            assert!(player.register("camp", "notify_all_name").await);
            assert!(player.register_other("scout", DEFAULT).await);
            assert!(player.register_other("notified", "random_notify_name").await);
            assert!(player.register_favouring("busiest", &there).await);
        }
        assert!(hill.connect(&there).await);
        let conflict = |node: &str| Term::tuple([t("global_name_conflict"), t("camp"), Term::atom(node)]);
        assert_eq!(hill.hears().await, conflict(&there));
        assert_eq!(valley.hears().await, conflict(&here));
        eventually("nobody has the camp", async || {
            hill.home("camp") == "undefined" && valley.home("camp") == "undefined"
        })
        .await;
        // Both sides agree who is left: who lives on the node with the smaller name.
        for name in ["scout", "notified"] {
            eventually(name, async || hill.home(name) == here && valley.home(name) == here).await;
        }
        eventually("the busiest", async || hill.home("busiest") == there && valley.home("busiest") == there)
            .await;
        hill.end().await;
        valley.end().await;
    }
}

/// Two pairs meet, all are connected to all, one is lost and all hear of it.
#[tokio::test(flavor = "multi_thread")]
async fn the_story_of_the_survivors_with_ours_in_each_role() {
    if !erl::found() {
        return;
    }
    for ours in 0..4 {
        let epmd = private_epmd();
        let mut all = Vec::new();
        for (index, role) in ["bill", "zoey", "rick", "daryl"].into_iter().enumerate() {
            all.push(Player::start(role, index == ours, epmd).await);
        }
        let names: Vec<String> = all.iter().map(|player| player.name.clone()).collect();
        for (from, to) in [(0, 1), (2, 3), (2, 0)] {
            assert!(all[from].connect(&names[to]).await);
        }
        let others = |me: usize, gone: usize| {
            let mut others: Vec<String> =
                (0..4).filter(|at| *at != me && *at != gone).map(|at| names[at].clone()).collect();
            others.sort();
            others
        };
        eventually("everybody sees everybody", async || {
            all.iter_mut().enumerate().all(|(at, player)| player.nodes() == others(at, at))
        })
        .await;
        for player in &mut all[..3] {
            player.monitor_nodes();
        }
        let daryl = all.pop().expect("four players");
        daryl.end().await;
        for (at, player) in all.iter_mut().enumerate() {
            let down = Term::tuple([t("nodedown"), Term::atom(&names[3])]);
            assert_eq!(player.hears().await, down, "{}, ours is {}", names[at], names[ours]);
            assert_eq!(player.nodes(), others(at, 3));
        }
        for player in all {
            player.end().await;
        }
    }
}
