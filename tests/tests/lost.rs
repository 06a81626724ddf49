//! What is heard when a node is killed: every link, monitor and watch fires once, with `noconnection`.

use trunkline::otp::request::{self, CallError};
use trunkline::rpc::{self, RpcError};
use trunkline::{Atom, Ctx, Down, ExitSignal, Pid, SpawnAt, Term};
use trunkline_tests::erl::{self, Erl};
use trunkline_tests::meeting::{Meeting, both_dialling};
use trunkline_tests::peer::Peer;
use trunkline_tests::world::{self, PATIENCE, t};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_a_node_of_ours_is_killed_otp_hears_each_thing_once() {
    if !erl::found() {
        return;
    }
    let epmd = world::private_epmd();
    let mut erl = Erl::start(&world::unique("erl"), epmd, &[]);
    erl.load_guest();
    for (we_dial, flags) in [(true, &[][..]), (false, &[]), (true, &["hidden"]), (false, &["hidden"])] {
        let name = world::unique("victim");
        let mut peer = Peer::start(env!("CARGO_BIN_EXE_peer"), &name, epmd, flags);
        if we_dial {
            assert_eq!(peer.say(&format!("connect {}", erl.name)), "ok");
        } else {
            erl.check(&format!("net_kernel:connect_node({name})"), "true");
        }
        erl.forget();
        erl.eval(&format!(
            "P = erpc:call({name}, erlang, whereis, [echo]), W = guest:watch_all([P], {name}), \
             G = gen_server:send_request({{counter, {name}}}, never), E = erpc:send_request({name}, tests, never, []), ok"
        ));
        erl.check("P ! {self(), here}, receive {echo, here} -> ok after 20000 -> lost end", "ok");
        erl.check("guest:seen(W)", "[]");
        peer.kill();
        erl.until("length(guest:seen(W))", "4");
        let expected = format!(
            "[{{'EXIT',noconnection}},{{'DOWN',pid,noconnection}},{{'DOWN',{{echo,{name}}},noconnection}},{{nodedown,{name}}}]"
        );
        let shape = "fun({'EXIT', Q, R}) when Q =:= P -> {'EXIT', R}; ({'DOWN', _, process, Q, R}) when Q =:= P -> {'DOWN', pid, R}; \
                     ({'DOWN', _, process, O, R}) -> {'DOWN', O, R}; (O) -> O end";
        let sorted = format!("lists:sort(lists:map({shape}, guest:seen(W))) =:= lists:sort({expected})");
        erl.check(&sorted, "true");
        erl.check("element(1, element(2, gen_server:receive_response(G, 20000)))", "noconnection");
        erl.check("try erpc:receive_response(E, 20000) catch error:{erpc, Why} -> Why end", "noconnection");
        erl.check("nodes(connected)", "[]");
        erl.check("length(guest:seen(W))", "4");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_an_erl_is_killed_we_hear_each_thing_once_and_in_otps_order() {
    if !erl::found() {
        return;
    }
    let epmd = world::private_epmd();
    for we_dial in [true, false] {
        let mut erl = Erl::start(&world::unique("erl"), epmd, &[]);
        erl.load_guest();
        let ours = world::node(&world::unique("ours"), epmd).start().await.unwrap();
        if we_dial {
            ours.connect(erl.name.as_str()).await.unwrap();
        } else {
            erl.check(&format!("net_kernel:connect_node({})", ours.name()), "true");
        }
        let them = Atom::new(&erl.name);
        let (ready, wait) = tokio::sync::oneshot::channel();
        let (go, gone) = tokio::sync::oneshot::channel::<()>();
        let watching = tokio::spawn({
            let (ours, them) = (ours.clone(), them.clone());
            async move {
                ours.run(move |mut ctx: Ctx| async move {
                    ctx.set_trap_exit(true);
                    let (far, _) = ctx
                        .spawn_at(them.clone(), "guest", "echo", vec![t("loop")], SpawnAt::default())
                        .await
                        .unwrap();
                    ctx.link(&far);
                    ctx.monitor(&far);
                    ctx.monitor((Atom::new("echo"), them.clone()));
                    ctx.monitor_node(them.clone(), true);
                    ctx.send(&far, (ctx.pid(), 1));
                    assert_eq!(world::message(&mut ctx).await, t("{echo, 1}"));
                    let _ = ready.send(());
                    let _ = gone.await;
                    // The node does not answer any more: this stays open.
                    let id =
                        ctx.spawn_request(them.clone(), "guest", "echo", vec![t("loop")], SpawnAt::default());
                    let mut heard = Vec::new();
                    for _ in 0..5 {
                        heard.push(world::message(&mut ctx).await);
                    }
                    ctx.sleep(std::time::Duration::from_millis(50)).await;
                    (heard, far, id, ctx.unread())
                })
                .await
            }
        });
        wait.await.unwrap();
        let call = tokio::spawn({
            let (ours, them) = (ours.clone(), them.clone());
            async move { rpc::call::<Term>(&ours, them, "timer", "sleep", (Atom::new("infinity"),)).await }
        });
        let asking = tokio::spawn({
            let (ours, them) = (ours.clone(), them.clone());
            let ask = move |mut ctx: Ctx| async move {
                request::call(&mut ctx, (Atom::new("counter"), them), Term::atom("never"), None).await
            };
            async move { ours.run(ask).await }
        });
        erl.until(
            "length([1 || P <- processes(), {current_function, {timer, sleep, 1}} <- [process_info(P, current_function)]])",
            "1",
        );
        erl.signal("STOP");
        let _ = go.send(());
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        erl.kill();
        let (heard, far, id, rest) = tokio::time::timeout(PATIENCE, watching).await.unwrap().unwrap();
        assert!(rest.is_empty(), "heard twice: {rest:?}");
        check_order(&heard, &far, &them, Term::Ref(id));
        assert_eq!(call.await.unwrap(), Err(RpcError::NoConnection));
        assert_eq!(asking.await.unwrap(), Err(CallError::NodeDown));
        assert!(ours.nodes().is_empty());
    }
}

/// Links, then monitors, then watched nodes, then spawn requests.
fn check_order(heard: &[Term], far: &Pid, them: &Atom, id: Term) {
    use trunkline::FromTerm;
    let exit = ExitSignal::from_term(&heard[0]).expect("the link first");
    assert!(exit.from == *far && exit.reason.is_atom("noconnection"), "{heard:?}");
    let mut targets = Vec::new();
    for term in &heard[1..3] {
        let down = Down::from_term(term).expect("then the monitors");
        assert!(down.reason.is_atom("noconnection"), "{heard:?}");
        targets.push(down.target);
    }
    let name = Term::tuple([Term::atom("echo"), Term::Atom(them.clone())]);
    assert!(targets.contains(&Term::Pid(far.clone())) && targets.contains(&name), "{heard:?}");
    assert_eq!(heard[3], Term::tuple([Term::atom("nodedown"), Term::Atom(them.clone())]));
    let reply = Term::tuple([Term::atom("spawn_reply"), id, Term::atom("error"), Term::atom("noconnection")]);
    assert_eq!(heard[4], reply);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disconnect_by_either_side_is_heard_by_both() {
    both_dialling(async |meeting| {
        let Meeting { erl, ours, .. } = meeting;
        let them = Atom::new(&erl.name);
        for they_end_it in [true, false] {
            ours.connect(them.clone()).await.unwrap();
            erl.eval("(fun() -> register(watcher, guest:watch_all([erpc:call(Us, erlang, whereis, [echo])], Us)) end)()");
            let (ready, wait) = tokio::sync::oneshot::channel();
            let peer = them.clone();
            let ours_hears = ours.spawn_watch(peer, ready);
            wait.await.unwrap();
            erl.check("{echo, Us} ! {whereis(watcher), sync}, guest:seen(watcher), (fun F() -> case guest:seen(watcher) of [{echo, sync}] -> ok; _ -> timer:sleep(5), F() end end)()", "ok");
            if they_end_it {
                erl.check("erlang:disconnect_node(Us)", "true");
            } else {
                assert!(ours.disconnect(them.clone()).await);
            }
            assert_eq!(ours_hears.await.unwrap(), ["EXIT noconnection", "DOWN noconnection", "nodedown"]);
            erl.until("length(guest:seen(watcher))", "5");
            erl.check("exit(whereis(watcher), kill), catch unregister(watcher), ok", "ok");
            // The link has taken our echo with it; the next one needs a new one.
            world::eventually("the linked echo ended", async || ours.whereis("echo").is_none()).await;
            world::echo(ours);
        }
    })
    .await;
}

/// What a process of ours hears that links to, monitors and watches.
trait SpawnWatch {
    fn spawn_watch(
        &self,
        peer: Atom,
        ready: tokio::sync::oneshot::Sender<()>,
    ) -> tokio::task::JoinHandle<Vec<String>>;
}

impl SpawnWatch for trunkline::Node {
    fn spawn_watch(
        &self,
        peer: Atom,
        ready: tokio::sync::oneshot::Sender<()>,
    ) -> tokio::task::JoinHandle<Vec<String>> {
        let node = self.clone();
        tokio::spawn(async move {
            let story = node.run(move |mut ctx: Ctx| async move {
                ctx.set_trap_exit(true);
                let how = SpawnAt { link: true, monitor: true };
                let (far, _) =
                    ctx.spawn_at(peer.clone(), "guest", "echo", vec![t("loop")], how).await.unwrap();
                ctx.monitor_node(peer, true);
                ctx.send(&far, (ctx.pid(), 1));
                assert_eq!(world::message(&mut ctx).await, t("{echo, 1}"));
                let _ = ready.send(());
                let mut heard = Vec::new();
                let exit: ExitSignal = ctx.receive_within(PATIENCE).await.expect("an exit");
                heard.push(format!("EXIT {}", exit.reason));
                let down: Down = ctx.receive_within(PATIENCE).await.expect("a down");
                heard.push(format!("DOWN {}", down.reason));
                let (word, _): (Atom, Atom) = ctx.receive_within(PATIENCE).await.expect("a nodedown");
                heard.push(word.to_string());
                heard.extend(ctx.unread().iter().map(ToString::to_string));
                heard
            });
            story.await
        })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_nowhere_is_noconnection_at_once_on_both_sides() {
    both_dialling(async |meeting| {
        let Meeting { erl, ours, .. } = meeting;
        let heard = ours.run(move |mut ctx: Ctx| async move {
            ctx.set_trap_exit(true);
            let nobody = "nobody@localhost";
            ctx.monitor(("x", nobody));
            let down: Down = ctx.receive_within(PATIENCE).await.expect("a down");
            ctx.monitor_node(nobody, true);
            let nodedown = world::message(&mut ctx).await;
            let spawned = ctx.spawn_at(nobody, "m", "f", vec![], SpawnAt { link: true, monitor: true }).await;
            ctx.send(("x", nobody), 1);
            (down.reason, nodedown, spawned.unwrap_err().to_string(), ctx.unread())
        });
        let expected =
            (t("noconnection"), t("{nodedown, nobody@localhost}"), "noconnection".to_owned(), vec![]);
        assert_eq!(heard.await, expected);
        erl.check("net_adm:ping(nobody@localhost)", "pang");
    })
    .await;
}
