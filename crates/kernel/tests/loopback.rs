//! Nodes over TCP on loopback, with an EPMD of their own.

extern crate trunkline_kernel as kernel;

mod common;

use std::time::Duration;

use common::*;
use kernel::net_kernel::{self, Kind};
use kernel::rpc::{self, RpcError};
use runtime::{Ctx, Down};
use term::{Atom, Pid, Term};

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_meet_and_talk() {
    let epmd = private_epmd();
    let zoey = node("zoey@localhost", epmd).start().await.unwrap();
    let bill = node("bill@localhost", epmd).start().await.unwrap();
    zoey.register("echo", &echo(&zoey)).unwrap();
    bill.connect("zoey@localhost").await.unwrap();
    assert_eq!(bill.nodes(), [Atom::new("zoey@localhost")]);
    let answer: (Atom, i64) = bill
        .run(|mut ctx| async move {
            ctx.send(("echo", "zoey@localhost"), (ctx.pid(), 7));
            ctx.receive().await
        })
        .await;
    assert_eq!(answer, (Atom::new("echo"), 7));
    assert!(bill.ping("zoey@localhost").await.is_ok());
    assert!(zoey.ping("bill@localhost").await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn sending_connects_and_what_waited_arrives_in_order() {
    let epmd = private_epmd();
    let zoey = node("zoey@localhost", epmd).start().await.unwrap();
    let bill = node("bill@localhost", epmd).start().await.unwrap();
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let sink = zoey.spawn(move |mut ctx: Ctx| async move {
        loop {
            let number: i64 = ctx.receive().await;
            let _ = tell.send(number);
        }
    });
    zoey.register("sink", &sink).unwrap();
    bill.spawn(|mut ctx: Ctx| async move {
        for number in 0..1000_i64 {
            ctx.send(("sink", "zoey@localhost"), number);
        }
    });
    for number in 0..1000 {
        assert_eq!(told.recv().await, Some(number));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_of_a_name_is_told_where_the_first_is() {
    let epmd = private_epmd();
    let _first = node("twin@localhost", epmd).start().await.unwrap();
    let refused = node("twin@localhost", epmd).start().await.unwrap_err().to_string();
    assert!(
        refused.starts_with("the name twin@localhost is in use by another node, registered at port "),
        "{refused}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn another_cookie_is_refused_on_both_sides() {
    let epmd = private_epmd();
    let zoey = node("zoey@localhost", epmd).start().await.unwrap();
    let mallory = node("mallory@localhost", epmd).cookie("other").start().await.unwrap();
    assert!(mallory.connect("zoey@localhost").await.is_err());
    assert!(zoey.connect("mallory@localhost").await.is_err());
    assert!(zoey.nodes_of(Kind::Connected).is_empty());
    // A cookie for one peer puts it right.
    let cookie = kernel::Cookie::new(COOKIE).unwrap();
    net_kernel::set_cookie_of(&mallory, "zoey@localhost", cookie);
    mallory.connect("zoey@localhost").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_ends_up_connected_to_everybody() {
    let epmd = private_epmd();
    let mut all = Vec::new();
    for name in ["bill@localhost", "daryl@localhost", "rick@localhost", "zoey@localhost"] {
        all.push(node(name, epmd).start().await.unwrap());
    }
    let spy = node("spy@localhost", epmd).hidden().start().await.unwrap();
    let [bill, daryl, rick, zoey] = &all[..] else { panic!() };
    bill.connect("zoey@localhost").await.unwrap();
    rick.connect("daryl@localhost").await.unwrap();
    spy.connect("bill@localhost").await.unwrap();
    rick.connect("bill@localhost").await.unwrap();
    eventually("a full mesh", async || all.iter().all(|node| node.nodes().len() == 3)).await;
    assert_eq!(spy.nodes_of(Kind::Hidden), [Atom::new("bill@localhost")]);
    assert_eq!(bill.nodes_of(Kind::Hidden), [Atom::new("spy@localhost")]);
    assert!(daryl.nodes_of(Kind::Hidden).is_empty() && zoey.nodes_of(Kind::Hidden).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_connection_is_heard_once_by_link_monitor_and_watcher() {
    let epmd = private_epmd();
    let zoey = node("zoey@localhost", epmd).start().await.unwrap();
    let bill = node("bill@localhost", epmd).start().await.unwrap();
    let far = echo(&zoey);
    let mut heard = news(&bill);
    let (ready, wait) = tokio::sync::oneshot::channel();
    let watching = tokio::spawn({
        let bill = bill.clone();
        async move {
            bill.run(move |mut ctx| async move {
                ctx.set_trap_exit(true);
                ctx.link(&far);
                let reference = ctx.monitor(&far);
                ctx.monitor_node("zoey@localhost", true);
                ctx.send(&far, (ctx.pid(), 1));
                let _: (Atom, i64) = ctx.receive().await;
                let _ = ready.send(());
                let exit: runtime::ExitSignal = ctx.receive().await;
                let down: Down = ctx.receive().await;
                let nodedown: (Atom, Atom) = ctx.receive().await;
                ctx.sleep(Duration::from_millis(50)).await;
                (exit.reason, down.reference == reference, down.reason, nodedown.0, ctx.unread())
            })
            .await
        }
    });
    wait.await.unwrap();
    assert!(net_kernel::disconnect(&bill, "zoey@localhost").await);
    let (exit, same, down, nodedown, rest) = watching.await.unwrap();
    assert!(exit.is_atom("noconnection") && same && down.is_atom("noconnection") && nodedown == "nodedown");
    assert!(rest.is_empty(), "{rest:?}");
    until(&mut heard, "nodedown", "zoey@localhost").await;
    assert!(!net_kernel::disconnect(&bill, "zoey@localhost").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn exported_functions_are_called_from_afar() {
    let epmd = private_epmd();
    let zoey = node("zoey@localhost", epmd).start().await.unwrap();
    let bill = node("bill@localhost", epmd).start().await.unwrap();
    zoey.export("math", "add", |a: i64, b: i64| a + b);
    zoey.export_async("math", "slow", |a: i64| async move {
        tokio::time::sleep(Duration::from_millis(5)).await;
        a * 2
    });
    zoey.export("math", "bomb", || -> i64 { panic!("boom") });
    let peer = "zoey@localhost";
    assert_eq!(bill.call::<i64>(peer, "math", "add", (40, 2)).await, Ok(42));
    assert_eq!(bill.call::<i64>(peer, "math", "slow", (21,)).await, Ok(42));
    assert_eq!(zoey.call::<i64>(peer, "math", "add", (1, 1)).await, Ok(2), "near calls take the same way");
    assert_eq!(bill.call::<Atom>(peer, "erlang", "node", ()).await, Ok(Atom::new(peer)));
    let failed = |answer: Result<Term, RpcError>| match answer {
        Err(RpcError::Failed { reason, .. }) => reason,
        other => panic!("{other:?}"),
    };
    assert!(failed(bill.call(peer, "math", "sub", (1, 2)).await).is_atom("undef"));
    assert!(failed(bill.call(peer, "math", "add", (1, Atom::new("x"))).await).is_atom("function_clause"));
    assert!(failed(bill.call(peer, "math", "bomb", ()).await).as_tuple().is_some());
    let nobody = bill.call::<Term>("nobody@localhost", "math", "add", (1, 2)).await;
    assert_eq!(nobody, Err(RpcError::NoConnection));
    let soon = Duration::from_millis(20);
    zoey.export_async("math", "never", std::future::pending::<i64>);
    let late = rpc::call_within::<i64>(&bill, peer, "math", "never", (), soon).await;
    assert_eq!(late, Err(RpcError::Timeout));
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_nodes_dial_each_other_at_once_and_no_link_is_lost() {
    let epmd = private_epmd();
    let mut nodes = Vec::new();
    for number in 0..10 {
        let name = format!("n{number}@localhost");
        let started = node(&name, epmd).connect_all(false).start().await.unwrap();
        started.register("echo", &echo(&started)).unwrap();
        nodes.push(started);
    }
    for round in 0..10 {
        let mut dials = Vec::new();
        for one in &nodes {
            for other in nodes.iter().filter(|other| other.name() != one.name()) {
                let (one, other) = (one.clone(), other.name().clone());
                dials.push(tokio::spawn(async move {
                    let answer = one.run(move |mut ctx| async move {
                        ctx.send((Atom::new("echo"), other.clone()), (ctx.pid(), 1));
                        ctx.receive_within::<(Atom, i64)>(PATIENCE).await
                    });
                    answer.await
                }));
            }
        }
        for dial in dials {
            assert!(dial.await.unwrap().is_some(), "round {round}: a message was lost");
        }
        assert!(nodes.iter().all(|node| node.nodes().len() == 9), "round {round}");
        for one in &nodes {
            for other in one.nodes() {
                one.disconnect(other).await;
            }
        }
        eventually("nobody is connected", async || nodes.iter().all(|node| node.nodes().is_empty())).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn half_open_connections_cost_little_and_others_are_served() {
    let epmd = private_epmd();
    let zoey = node("zoey@localhost", epmd).start().await.unwrap();
    let bill = node("bill@localhost", epmd).start().await.unwrap();
    let address = bill.call::<Term>("bill@localhost", "erlang", "is_alive", ()).await;
    assert!(address.is_ok());
    let names =
        kernel::discovery::Discovery::names(&kernel::discovery::Epmd::at(epmd), "localhost").await.unwrap();
    let port = names.iter().find(|(name, _)| name == "zoey").unwrap().1;
    let mut open = Vec::new();
    for _ in 0..600 {
        open.push(tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap());
    }
    bill.connect("zoey@localhost").await.unwrap();
    eventually("zoey has bill too", async || zoey.nodes_of(Kind::Connected).len() == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_of_a_dead_process_is_free() {
    let epmd = private_epmd();
    let zoey = node("zoey@localhost", epmd).start().await.unwrap();
    let bill = node("bill@localhost", epmd).start().await.unwrap();
    bill.connect("zoey@localhost").await.unwrap();
    let lock = |id: i64| Term::tuple([Term::atom("set_lock"), Term::tuple([Term::atom("r"), Term::Int(id)])]);
    let ask = |question: Term| async {
        bill.run(move |mut ctx| async move {
            let to = ("global_name_server", "zoey@localhost");
            otp::request::call(&mut ctx, to, question, Some(PATIENCE)).await.unwrap()
        })
        .await
    };
    assert!(ask(lock(1)).await.is_atom("true"));
    // The process that asked has ended by now, so its lock goes with it.
    eventually("the lock is free", async || ask(lock(2)).await.is_atom("true")).await;
    let _: Option<Pid> = zoey.whereis("global_name_server");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_without_a_name_is_given_one() {
    let epmd = private_epmd();
    let zoey = node("zoey@localhost", epmd).start().await.unwrap();
    zoey.register("echo", &echo(&zoey)).unwrap();
    let guest = node("undefined@localhost", epmd).join("zoey@localhost").await.unwrap();
    assert!(guest.name().as_str().ends_with("@localhost") && *guest.name() != "undefined@localhost");
    assert_eq!(zoey.nodes_of(Kind::Hidden), [guest.name().clone()]);
    let answer: (Atom, i64) = guest
        .run(|mut ctx| async move {
            ctx.send(("echo", "zoey@localhost"), (ctx.pid(), 1));
            ctx.receive().await
        })
        .await;
    assert_eq!(answer.1, 1);
    let (name, creation) = (guest.name().clone(), guest.id().creation());
    guest.shutdown().await;
    eventually("the guest has left", async || zoey.nodes_of(Kind::Hidden).is_empty()).await;
    let next = node("undefined@localhost", epmd).join("zoey@localhost").await.unwrap();
    assert_eq!((next.name(), next.id().creation()), (&name, creation + 1), "names are given again");
}

#[tokio::test(flavor = "multi_thread")]
async fn random_bytes_close_their_own_connection_only() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let epmd = private_epmd();
    let _zoey = node("zoey@localhost", epmd).start().await.unwrap();
    let bill = node("bill@localhost", epmd).start().await.unwrap();
    bill.connect("zoey@localhost").await.unwrap();
    let names =
        kernel::discovery::Discovery::names(&kernel::discovery::Epmd::at(epmd), "localhost").await.unwrap();
    let port = names.iter().find(|(name, _)| name == "zoey").unwrap().1;
    for nonsense in [&[0xff; 4000][..], b"GET / HTTP/1.1\r\n\r\n", &[0, 3, b'N', 0, 0], &[0, 0, 0, 0]] {
        let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        stream.write_all(nonsense).await.unwrap();
        let mut answer = Vec::new();
        let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap();
        assert!(answer.is_empty());
    }
    assert!(bill.ping("zoey@localhost").await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn long_and_short_names_do_not_mix() {
    let epmd = private_epmd();
    let short = node("a@localhost", epmd).start().await.unwrap();
    let refused = short.connect("b@127.0.0.1").await.unwrap_err().to_string();
    assert!(refused.starts_with("b@127.0.0.1 is a long name and this node uses short names"), "{refused}");
    let long = node("b@127.0.0.1", epmd).start().await.unwrap();
    let other = node("c@127.0.0.1", epmd).start().await.unwrap();
    long.connect("c@127.0.0.1").await.unwrap();
    assert_eq!(other.nodes().len(), 1);
    let down = short.run(|mut ctx| async move {
        ctx.monitor(("x", "b@127.0.0.1"));
        ctx.receive::<Down>().await.reason
    });
    assert!(down.await.is_atom("noconnection"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_meet_without_an_epmd() {
    use carrier::Address;
    use kernel::discovery::List;
    let free = || std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (first, second) = (free(), free());
    let known = List::new([
        ("a@localhost", Address::new("127.0.0.1", first)),
        ("b@localhost", Address::new("127.0.0.1", second)),
    ]);
    let builder = |name: &str, port: u16| kernel::node(name).cookie(COOKIE).ports(port..=port);
    let a = builder("a@localhost", first).discovery(known.clone()).start().await.unwrap();
    let b = builder("b@localhost", second).discovery(known).start().await.unwrap();
    a.connect("b@localhost").await.unwrap();
    eventually("b has a too", async || b.nodes() == [Atom::new("a@localhost")]).await;
    assert!(a.id().creation() > 3 && b.id().creation() > 3);
    let stranger = a.connect("c@localhost").await.unwrap_err().to_string();
    assert!(stranger.contains("c@localhost is not registered at the fixed list of nodes"), "{stranger}");
    let port_taken = builder("c@localhost", first).fixed_port(first).start().await.unwrap_err().to_string();
    assert!(port_taken.contains("another program has it"), "{port_taken}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_node_is_gone_for_its_peers_and_its_waiters() {
    let epmd = private_epmd();
    let zoey = node("zoey@localhost", epmd).start().await.unwrap();
    let bill = node("bill@localhost", epmd).start().await.unwrap();
    bill.connect("zoey@localhost").await.unwrap();
    let mut heard = news(&bill);
    let waiting = tokio::spawn({
        let zoey = zoey.clone();
        async move { zoey.until_stopped().await }
    });
    zoey.shutdown().await;
    until(&mut heard, "nodedown", "zoey@localhost").await;
    tokio::time::timeout(PATIENCE, waiting).await.unwrap().unwrap();
    assert!(bill.nodes().is_empty());
    assert!(bill.connect("zoey@localhost").await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_that_flood_each_other_with_calls_both_get_their_answers() {
    flood_each_other(50_000).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn they_get_them_beyond_the_ceiling_of_answers_too() {
    flood_each_other(100_000).await;
}

/// Both nodes ask for 400 answers of so many bytes at once.
async fn flood_each_other(bytes: i64) {
    let epmd = private_epmd();
    let zoey = node("zoey@localhost", epmd).start().await.unwrap();
    let bill = node("bill@localhost", epmd).start().await.unwrap();
    for one in [&zoey, &bill] {
        one.export("blob", "make", |bytes: i64| term::Binary::from(vec![7; bytes as usize]));
    }
    let flood = |from: kernel::Node, to: &'static str| async move {
        let calls: Vec<_> = (0..400)
            .map(|_| {
                let from = from.clone();
                tokio::spawn(async move {
                    from.call::<term::Binary>(to, "blob", "make", (bytes,)).await.map(|blob| blob.len())
                })
            })
            .collect();
        for call in calls {
            let answer = tokio::time::timeout(PATIENCE, call).await.expect("nobody stands still");
            assert_eq!(answer.unwrap(), Ok(bytes as usize));
        }
    };
    tokio::join!(flood(zoey.clone(), "bill@localhost"), flood(bill.clone(), "zoey@localhost"));
}
