//! OTP's `global` with one of our nodes among the visible ones: nothing hangs, and the mesh closes.

use std::time::Duration;

use tokio::time::Instant;
use trunkline::net_kernel::Kind;
use trunkline::{Atom, Node};
use trunkline_tests::erl::{self, Erl};
use trunkline_tests::meeting::{Meeting, both_dialling};
use trunkline_tests::world::{self, eventually};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_and_locks_of_global_do_not_hang_with_us_among_the_visible() {
    both_dialling(async |meeting| {
        let Meeting { erl, .. } = meeting;
        let started = Instant::now();
        erl.check("global:trans({resource, self()}, fun() -> done end)", "done");
        erl.check("global:trans({resource, self()}, fun() -> done end, [node(), Us])", "done");
        erl.check("global:set_lock({held, me})", "true");
        erl.check("global:set_lock({held, me}, [node(), Us], 0)", "true");
        erl.check("global:set_lock({held, another}, [node(), Us], 0)", "false");
        erl.check("global:del_lock({held, me}), global:del_lock({held, me})", "true");
        erl.check("global:set_lock({held, another}, [node(), Us], 0)", "true");
        erl.check("global:del_lock({held, another}, [node(), Us])", "true");
        erl.check("global:register_name(here, self())", "yes");
        erl.check("global:whereis_name(here) =:= self()", "true");
        erl.check("global:re_register_name(here, self())", "yes");
        erl.check("global:unregister_name(here), global:whereis_name(here)", "undefined");
        let took = started.elapsed();
        assert!(took < Duration::from_secs(10), "global was held up for {took:?}");
        erl.check("lists:member(Us, nodes())", "true");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_that_a_process_of_otps_holds_with_us_ends_with_the_process() {
    both_dialling(async |meeting| {
        let Meeting { erl, .. } = meeting;
        erl.scene(
            "Me = self(), P = spawn(fun() -> Me ! {got, global:set_lock({mine, self()}, [Us], 0)}, receive stop -> ok end end), \
             receive {got, true} -> ok end, false = global:set_lock({mine, Me}, [Us], 0), P ! stop, \
             (fun F(0) -> never; F(N) -> case global:set_lock({mine, Me}, [Us], 0) of true -> global:del_lock({mine, Me}, [Us]); false -> timer:sleep(20), F(N - 1) end end)(500)",
            "true",
        );
    })
    .await;
}

async fn visible(node: &Node, count: usize) {
    eventually(&format!("{} sees {count}", node.name()), async || node.nodes().len() == count).await;
}

/// Two OTP nodes that know each other.
fn pair(epmd: u16) -> (Erl, Erl) {
    let mut one = Erl::start(&world::unique("erl"), epmd, &[]);
    let two = Erl::start(&world::unique("erl"), epmd, &[]);
    one.check(&format!("net_adm:ping({})", two.name), "pong");
    (one, two)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_joins_is_soon_connected_to_everybody() {
    if !erl::found() {
        return;
    }
    let epmd = world::private_epmd();
    let (mut one, mut two) = pair(epmd);
    let bill = world::node(&world::unique("bill"), epmd).start().await.unwrap();
    let zoey = world::node(&world::unique("zoey"), epmd).start().await.unwrap();
    let spy = world::node(&world::unique("spy"), epmd).hidden().start().await.unwrap();
    spy.connect(one.name.as_str()).await.unwrap();
    bill.connect(one.name.as_str()).await.unwrap();
    visible(&bill, 2).await;
    zoey.connect(bill.name().clone()).await.unwrap();
    visible(&bill, 3).await;
    visible(&zoey, 3).await;
    one.until("length(nodes())", "3");
    two.until("length(nodes())", "3");
    one.check("nodes(hidden)", &format!("[{}]", spy.name()));
    two.check("nodes(hidden)", "[]");
    assert_eq!(spy.nodes_of(Kind::Connected), [Atom::new(&one.name)]);
    // Names go from one OTP node to the other as if we were not there.
    one.check("global:register_name(shared, self())", "yes");
    two.until("is_pid(global:whereis_name(shared))", "true");
    // One of ours leaves: nobody takes that for a partition of the others.
    zoey.shutdown().await;
    visible(&bill, 2).await;
    two.until("length(nodes())", "2");
    one.until("length(nodes())", "2");
    bill.ping(two.name.as_str()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_pairs_that_meet_become_four() {
    if !erl::found() {
        return;
    }
    let epmd = world::private_epmd();
    let (mut one, mut two) = pair(epmd);
    let bill = world::node(&world::unique("bill"), epmd).start().await.unwrap();
    let zoey = world::node(&world::unique("zoey"), epmd).start().await.unwrap();
    bill.connect(zoey.name().clone()).await.unwrap();
    bill.connect(one.name.as_str()).await.unwrap();
    visible(&bill, 3).await;
    visible(&zoey, 3).await;
    one.until("length(nodes())", "3");
    two.until("length(nodes())", "3");
}
