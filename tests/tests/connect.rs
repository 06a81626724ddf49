//! Connecting with OTP's nodes: in every way, with the wrong cookie, under a taken name, again after a restart.

use trunkline::net_kernel::{self, Kind};
use trunkline::{Atom, Ctx, Pid, Term};
use trunkline_tests::erl::{self, Erl, quoted};
use trunkline_tests::logs;
use trunkline_tests::meeting::{Meeting, in_every_way};
use trunkline_tests::peer::Peer;
use trunkline_tests::world::{self, eventually};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_lists_the_other_where_it_belongs_and_pings_it() {
    in_every_way(async |meeting| {
        let Meeting { erl, ours, way } = meeting;
        let them = Atom::new(&erl.name);
        let (kind, other, word, another) = match way.visible() {
            true => (Kind::Visible, Kind::Hidden, "visible", "hidden"),
            false => (Kind::Hidden, Kind::Visible, "hidden", "visible"),
        };
        let only_them = std::slice::from_ref(&them);
        assert_eq!(ours.nodes_of(kind), only_them, "{way}");
        assert_eq!(ours.nodes_of(Kind::Connected), only_them, "{way}");
        assert!(ours.nodes_of(other).is_empty(), "{way}");
        erl.until(
            &format!("[lists:member(Us, nodes(K)) || K <- [{word}, connected, known, {another}, this]]"),
            "[true,true,true,false,false]",
        );
        erl.check("net_adm:ping(Us)", "pong");
        ours.ping(them.clone()).await.unwrap_or_else(|why| panic!("{way}: {why}"));
        erl.check("erpc:call(Us, erlang, nodes, [connected])", &format!("[{}]", quoted(&erl.name.clone())));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn otp_hears_of_us_coming_and_going_and_why() {
    if !erl::found() {
        return;
    }
    let epmd = world::private_epmd();
    let mut erl = Erl::start(&world::unique("erl"), epmd, &[]);
    erl.load_guest();
    erl.eval(
        "register(watcher, guest:trap(fun() -> net_kernel:monitor_nodes(true, [{node_type, all}, nodedown_reason]) end)), \
         guest:seen(watcher)",
    );
    for (number, hidden) in [false, true].into_iter().enumerate() {
        let name = world::unique("ours");
        let kind = if hidden { "hidden" } else { "visible" };
        let builder = world::node(&name, epmd);
        let ours = if hidden { builder.hidden() } else { builder }.start().await.unwrap();
        let up = format!("{{nodeup,{name},[{{node_type,{kind}}}]}}");
        let down =
            |why: &str| format!("{{nodedown,{name},[{{nodedown_reason,{why}}},{{node_type,{kind}}}]}}");
        let heard = format!("length(guest:seen(watcher)) - {}", 6 * number);
        ours.connect(erl.name.as_str()).await.unwrap();
        settle(&mut erl, &ours).await;
        net_kernel::disconnect(&ours, erl.name.as_str()).await;
        erl.until(&heard, "2");
        erl.check(&format!("net_kernel:connect_node({name})"), "true");
        settle(&mut erl, &ours).await;
        erl.check(&format!("erlang:disconnect_node({name})"), "true");
        erl.until(&heard, "4");
        eventually("we know it too", async || ours.nodes_of(Kind::Connected).is_empty()).await;
        ours.connect(erl.name.as_str()).await.unwrap();
        settle(&mut erl, &ours).await;
        ours.shutdown().await;
        erl.until(&heard, "6");
        let closed = down("connection_closed");
        let expected = [up.clone(), closed.clone(), up.clone(), down("disconnect"), up, closed].join(",");
        erl.check(&format!("lists:nthtail({}, guest:seen(watcher))", 6 * number), &format!("[{expected}]"));
    }
}

/// Waits until both sides have said everything that they say to a new peer. What OTP's `global` and `rex` say later would
/// connect again.
async fn settle(erl: &mut Erl, ours: &trunkline::Node) {
    erl.until(&format!("lists:member({}, nodes(connected))", ours.name()), "true");
    erl.check("sys:get_state(global_name_server), sys:get_state(rex), ok", "ok");
    ours.ping(erl.name.as_str()).await.unwrap();
    erl.check(&format!("net_adm:ping({})", ours.name()), "pong");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_cookie_is_refused_and_the_log_names_the_refused_peer() {
    if !erl::found() {
        return;
    }
    logs::keep();
    let epmd = world::private_epmd();
    let mut erl = Erl::start(&world::unique("erl"), epmd, &[]);
    let name = world::unique("salad");
    let ours = world::node(&name, epmd).cookie("another").start().await.unwrap();
    // OTP refuses us.
    let refused = ours.connect(erl.name.as_str()).await.unwrap_err().to_string();
    assert!(refused.contains(&erl.name) && refused.contains("cookie"), "{refused}");
    erl.until_printed(&["Connection attempt from node", &name, "rejected. Invalid challenge reply."]);
    // We refuse OTP, in its own words.
    let them = erl.name.clone();
    erl.check(&format!("net_adm:ping({name})"), "pang");
    let words = ["** Connection attempt from node", them.as_str(), "rejected. Invalid challenge reply. **"];
    eventually("our log says so", async || !logs::with(&words).is_empty()).await;
    assert!(ours.nodes_of(Kind::Connected).is_empty());
    erl.check("nodes(connected)", "[]");
    // A cookie for this one peer puts it right, on either side.
    erl.check(&format!("erlang:set_cookie({name}, another)"), "true");
    erl.check(&format!("net_adm:ping({name})"), "pong");
    erl.check(&format!("erlang:disconnect_node({name})"), "true");
    erl.check(&format!("erlang:set_cookie({name}, {})", world::COOKIE), "true");
    eventually("it is gone", async || ours.nodes_of(Kind::Connected).is_empty()).await;
    let cookie = trunkline::Cookie::new(world::COOKIE).unwrap();
    net_kernel::set_cookie_of(&ours, erl.name.as_str(), cookie);
    ours.connect(erl.name.as_str()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_not_allowed_is_refused_on_both_sides() {
    if !erl::found() {
        return;
    }
    logs::keep();
    let epmd = world::private_epmd();
    let mut erl = Erl::start(&world::unique("erl"), epmd, &[]);
    let name = world::unique("stranger");
    let ours = world::node(&name, epmd).start().await.unwrap();
    erl.check("net_kernel:allow([friend@localhost])", "ok");
    let refused = ours.connect(erl.name.as_str()).await.unwrap_err().to_string();
    assert!(refused.contains("allow list"), "{refused}");
    erl.until_printed(&["Connection attempt from", "disallowed node", &name]);
    erl.check(&format!("net_kernel:allow([{name}])"), "ok");
    net_kernel::allow(&ours, ["friend@localhost"]);
    erl.check(&format!("net_adm:ping({name})"), "pang");
    let words = ["** Connection attempt from disallowed node", erl.name.as_str()];
    eventually("our log says so", async || !logs::with(&words).is_empty()).await;
    net_kernel::allow(&ours, [erl.name.as_str()]);
    erl.check(&format!("net_adm:ping({name})"), "pong");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_is_taken_is_refused_by_both_sides() {
    if !erl::found() {
        return;
    }
    let epmd = world::private_epmd();
    let erl = Erl::start(&world::unique("twin"), epmd, &[]);
    let refused = world::node(&erl.name, epmd).start().await.unwrap_err().to_string();
    assert!(refused.contains(&format!("the name {} is in use by another node", erl.name)), "{refused}");
    let name = world::unique("twin");
    let _ours = world::node(&name, epmd).start().await.unwrap();
    let said = erl::fails_to_start(&name, epmd);
    assert!(said.contains("seems to be in use by another Erlang node"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_of_ours_that_starts_again_is_let_in_at_once_and_its_old_pids_are_dead() {
    if !erl::found() {
        return;
    }
    let epmd = world::private_epmd();
    let mut erl = Erl::start(&world::unique("erl"), epmd, &[]);
    let name = world::unique("phoenix");
    let program = env!("CARGO_BIN_EXE_peer");
    let mut old = Peer::start(program, &name, epmd, &[]);
    assert_eq!(old.say(&format!("connect {}", erl.name)), "ok");
    erl.eval(&format!("Old = erpc:call({name}, erlang, whereis, [echo]), is_pid(Old)"));
    erl.check("Old ! {self(), hello}, receive {echo, hello} -> yes after 20000 -> no end", "yes");
    old.kill();
    let mut new = Peer::start(program, &name, epmd, &[]);
    assert_eq!(new.say(&format!("connect {}", erl.name)), "ok");
    erl.check(&format!("net_adm:ping({name})"), "pong");
    erl.eval(&format!("New = erpc:call({name}, erlang, whereis, [echo]), is_pid(New)"));
    erl.check("New =:= Old", "false");
    erl.check("New ! {self(), hello}, receive {echo, hello} -> yes after 20000 -> no end", "yes");
    erl.check("M = erlang:monitor(process, Old), receive {'DOWN', M, process, Old, R} -> R after 20000 -> nothing end", "noproc");
    erl.check(
        "Old ! {self(), anybody}, New ! {self(), last}, receive {echo, L} -> L after 20000 -> nothing end",
        "last",
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pids_of_an_old_life_of_an_erl_are_dead_to_us() {
    if !erl::found() {
        return;
    }
    let epmd = world::private_epmd();
    let name = world::unique("erl");
    let ours = world::node(&world::unique("ours"), epmd).start().await.unwrap();
    let mut lives: Vec<Pid> = Vec::new();
    for _ in 0..2 {
        let mut erl = Erl::start(&name, epmd, &[]);
        erl.load_guest();
        ours.connect(name.as_str()).await.unwrap();
        lives.push(ours.call(name.as_str(), "erlang", "whereis", (Atom::new("echo"),)).await.unwrap());
        if lives.len() == 2 {
            let [old, new] = &lives[..] else { unreachable!() };
            let (old, new) = (old.clone(), new.clone());
            assert_ne!(old, new);
            let reason = ours.run(|mut ctx: Ctx| async move {
                let watch = ctx.monitor(&old);
                let down: trunkline::Down = ctx.receive_within(world::PATIENCE).await.expect("an answer");
                assert_eq!(down.reference, watch);
                ctx.send(&old, (ctx.pid(), 1));
                ctx.send(&new, (ctx.pid(), 2));
                let echo = world::message(&mut ctx).await;
                assert_eq!(echo, world::t("{echo, 2}"));
                down.reason
            });
            assert_eq!(reason.await, Term::atom("noproc"));
        }
        erl.kill();
        let down = Atom::new(&name);
        eventually("it is gone", async || !ours.nodes().contains(&down)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dynamic_node_gets_its_name_from_us() {
    if !erl::found() {
        return;
    }
    let epmd = world::private_epmd();
    let ours = world::node(&world::unique("ours"), epmd).start().await.unwrap();
    let mut erl = Erl::start("undefined", epmd, &[]);
    erl.check("node()", "nonode@nohost");
    erl.check(&format!("net_kernel:connect_node({})", ours.name()), "true");
    let name = erl.eval("node()");
    assert_ne!(name, "nonode@nohost");
    let name = name.trim_matches('\'').to_owned();
    erl.check("nodes(hidden)", &format!("[{}]", ours.name()));
    assert_eq!(ours.nodes_of(Kind::Hidden), [Atom::new(&name)], "a dynamic node hides");
    ours.ping(name.as_str()).await.unwrap();
    erl.check(&format!("net_adm:ping({})", ours.name()), "pong");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn we_get_a_dynamic_name_from_otp() {
    if !erl::found() {
        return;
    }
    let epmd = world::private_epmd();
    let mut erl = Erl::start(&world::unique("erl"), epmd, &[]);
    let ours = world::node("undefined@localhost", epmd).join(erl.name.as_str()).await.unwrap();
    let name = ours.name().to_string();
    assert!(name.ends_with("@localhost") && !name.starts_with("undefined"), "{name}");
    let us = quoted(&name);
    erl.check("nodes(hidden)", &format!("[{us}]"));
    erl.check(&format!("net_adm:ping({us})"), "pong");
    ours.ping(erl.name.as_str()).await.unwrap();
    world::echo(&ours);
    erl.scene(&format!("{{echo, {us}}} ! {{self(), hello}}, receive {{echo, X}} -> X ?WAIT end"), "hello");
    // Two of them are two.
    let other = world::node("undefined@localhost", epmd).join(erl.name.as_str()).await.unwrap();
    assert_ne!(other.name(), ours.name());
    erl.check("length(nodes(hidden))", "2");
    let reachable = other.ping(ours.name().clone()).await;
    assert!(reachable.is_err(), "nobody can dial a dynamic node");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_names_meet_long_names() {
    if !erl::found() {
        return;
    }
    let epmd = world::private_epmd();
    let mut erl = Erl::start("erl@127.0.0.1", epmd, &[]);
    let ours = world::node("ours@127.0.0.1", epmd).start().await.unwrap();
    ours.ping("erl@127.0.0.1").await.unwrap();
    erl.check("nodes()", "['ours@127.0.0.1']");
    let mixed = world::node(&world::unique("short"), epmd).start().await.unwrap();
    let refused = mixed.connect("erl@127.0.0.1").await.unwrap_err().to_string();
    assert!(refused.contains("short names"), "{refused}");
}
