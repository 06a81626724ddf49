//! A node that starts again while its peer still believes in the old life: `alive`, and the new one is let in at once.

use std::time::Duration;

use tokio::time::Instant;
use trunkline::carrier::Address;
use trunkline::discovery::{Discovery, Epmd, List, Registration};
use trunkline::names::{self, HostNames};
use trunkline::net_kernel::Kind;
use trunkline::{Atom, Ctx, ExitSignal, Node, Pid, Term};
use trunkline_tests::erl::{self, Erl};
use trunkline_tests::world::{self, PATIENCE, eventually, t};

async fn port_of(epmd: u16, name: &str) -> u16 {
    let names = Epmd::at(epmd).names("localhost").await.expect("EPMD answers");
    let local = name.split('@').next().expect("a name");
    names.iter().find(|(known, _)| known == local).expect("it is registered").1
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn otp_lets_the_new_life_of_our_node_in_while_the_old_one_still_holds_its_connection() {
    if !erl::found() {
        return;
    }
    let epmd = world::private_epmd();
    let mut erl = Erl::start(&world::unique("erl"), epmd, &[]);
    erl.load_guest();
    let name = world::unique("phoenix");
    let old = world::node(&name, epmd).start().await.unwrap();
    world::echo(&old);
    old.ping(erl.name.as_str()).await.unwrap();
    erl.eval(&format!("Old = erpc:call({name}, erlang, whereis, [echo]), register(watcher, guest:watch_all([Old], {name})), f"));
    erl.check("Old ! {self(), here}, receive {echo, here} -> ok after 20000 -> lost end", "ok");
    // The same name, without asking EPMD: for OTP it looks like a crash that it has not noticed yet.
    let list = List::new([(erl.name.clone(), Address::new("127.0.0.1", port_of(epmd, &erl.name).await))]);
    let new = Node::builder(&name).cookie(world::COOKIE).discovery(list).start().await.unwrap();
    world::echo(&new);
    let started = Instant::now();
    new.ping(erl.name.as_str()).await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(3), "let in after {:?}", started.elapsed());
    erl.until("length(guest:seen(watcher))", "4");
    erl.check(&format!("nodes() =:= [{name}]"), "true");
    erl.check(&format!("New = erpc:call({name}, erlang, whereis, [echo]), New =:= Old"), "false");
    erl.check("New ! {self(), new}, receive {echo, new} -> ok after 20000 -> lost end", "ok");
    erl.check(
        "M = erlang:monitor(process, Old), receive {'DOWN', M, process, Old, R} -> R after 20000 -> lost end",
        "noproc",
    );
    erl.check("length(guest:seen(watcher))", "4");
    eventually("the old life hears of it", async || old.nodes().is_empty()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn we_let_the_new_life_of_an_erl_in_while_the_old_one_still_holds_its_connection() {
    if !erl::found() {
        return;
    }
    let (first, second) = (world::private_epmd(), world::private_epmd());
    let name = world::unique("phoenix");
    let mut old = Erl::start(&name, first, &[]);
    old.load_guest();
    let ours = world::node(&world::unique("ours"), first).start().await.unwrap();
    let us = ours.name().to_string();
    ours.ping(name.as_str()).await.unwrap();
    let far: Pid = ours.call(name.as_str(), "erlang", "whereis", (Atom::new("echo"),)).await.unwrap();
    let (ready, wait) = tokio::sync::oneshot::channel();
    let linked = tokio::spawn({
        let (ours, far) = (ours.clone(), far.clone());
        async move {
            ours.run(move |mut ctx: Ctx| async move {
                ctx.set_trap_exit(true);
                ctx.link(&far);
                ctx.send(&far, (ctx.pid(), 1));
                assert_eq!(world::message(&mut ctx).await, t("{echo, 1}"));
                let _ = ready.send(());
                let exit: ExitSignal = ctx.receive_within(PATIENCE).await.expect("an exit");
                (exit.from == far, exit.reason, ctx.unread())
            })
            .await
        }
    });
    wait.await.unwrap();
    old.signal("STOP");
    // The new life registers elsewhere, where we are known too.
    let register = Registration {
        name: names::complete(&us, None, &HostNames::of_system()).unwrap(),
        port: port_of(first, &us).await,
        interface: None,
        hidden: false,
    };
    let registered = Epmd::at(second).register(register).await.unwrap();
    tokio::spawn(registered.keep);
    // Two EPMDs do not know of each other: that they give different creations to one name, only time sees to.
    let creation = u64::from(far.node.creation());
    eventually("a second has passed", async || world::time_of_day().as_secs() > creation).await;
    let mut new = Erl::start(&name, second, &[]);
    new.load_guest();
    let started = Instant::now();
    new.check(&format!("net_adm:ping({us})"), "pong");
    assert!(started.elapsed() < Duration::from_secs(3), "let in after {:?}", started.elapsed());
    assert_eq!(linked.await.unwrap(), (true, t("noconnection"), vec![]));
    assert_eq!(ours.nodes_of(Kind::Connected), [Atom::new(&name)]);
    let now: Pid = ours.call(name.as_str(), "erlang", "whereis", (Atom::new("echo"),)).await.unwrap();
    assert_ne!(now.node, far.node);
    let heard = ours.run(move |mut ctx: Ctx| async move {
        ctx.monitor(&far);
        let down: trunkline::Down = ctx.receive_within(PATIENCE).await.expect("a down");
        ctx.send(&now, (ctx.pid(), Term::atom("new")));
        (down.reason, world::message(&mut ctx).await)
    });
    assert_eq!(heard.await, (t("noproc"), t("{echo, new}")));
}
