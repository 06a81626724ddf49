//! Links and exits between our nodes and OTP's, in both directions.

use trunkline::{Atom, Ctx, Exit, ExitSignal, Node, Pid, SpawnAt, Term};
use trunkline_tests::meeting::{Meeting, both_dialling, in_every_way};
use trunkline_tests::world::{self, PATIENCE, t};

/// A process of OTP's that ends with the reason when it is told `go`.
async fn doomed(ours: &Node, them: &str, reason: Term) -> Pid {
    let arguments = (Atom::new("guest"), Atom::new("exit_after"), vec![reason]);
    ours.call(them, "erlang", "spawn", arguments).await.expect("a process there")
}

/// Links to `far`, has it end, and gives back what is heard.
async fn hear_the_end(ours: &Node, far: Pid) -> (bool, Term, Vec<Term>) {
    let heard = ours.run(move |mut ctx: Ctx| async move {
        ctx.set_trap_exit(true);
        ctx.link(&far);
        ctx.send(&far, Term::atom("go"));
        let exit: ExitSignal = ctx.receive_within(PATIENCE).await.expect("an exit");
        (exit.from == far, exit.reason, ctx.unread())
    });
    heard.await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_either_end_of_a_link_is_heard_at_the_other_in_every_way_of_meeting() {
    in_every_way(async |meeting| {
        let Meeting { erl, ours, way } = meeting;
        // Theirs ends, we linked.
        for reason in ["normal", "boom", "{deep, [reason, <<1,2>>]}"] {
            let far = doomed(ours, &erl.name, t(reason)).await;
            assert_eq!(hear_the_end(ours, far).await, (true, t(reason), vec![]), "{way}");
        }
        // Ours ends, they linked.
        erl.eval("process_flag(trap_exit, true)");
        for reason in ["normal", "boom", "{deep,[reason,<<1,2>>]}"] {
            let pid = world::echo_process(ours);
            ours.register("victim", &pid).unwrap();
            erl.check(
                &format!("(fun() -> V = erpc:call(Us, erlang, whereis, [victim]), link(V), V ! {{stop, {reason}}}, receive {{'EXIT', V, R}} -> R after 20000 -> lost end end)()"),
                reason,
            );
        }
        // Ours ends, we linked: the link is known to both ends.
        erl.check("(fun() -> {echo, Us} ! {self(), link}, receive linked -> ok end, P = erpc:call(Us, erlang, whereis, [echo]), P ! {stop, bye}, receive {'EXIT', P, R} -> R after 20000 -> lost end end)()", "bye");
        // Theirs ends, they linked.
        let heard = {
            let them = erl.name.clone();
            ours.run(move |mut ctx: Ctx| async move {
                ctx.set_trap_exit(true);
                let me = Term::Pid(ctx.pid());
                let arguments = vec![me.clone()];
                let (far, _) = ctx.spawn_at(them.as_str(), "guest", "linked_echo", arguments, SpawnAt::default()).await.unwrap();
                ctx.send(&far, Term::tuple([me, Term::atom("ready")]));
                let ready = world::message(&mut ctx).await;
                ctx.send(&far, t("{stop, their_end}"));
                let exit: ExitSignal = ctx.receive_within(PATIENCE).await.expect("an exit");
                (ready, exit.reason)
            })
        };
        assert_eq!(heard.await, (t("{echo, ready}"), t("their_end")), "{way}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn linking_to_nobody_is_noproc_on_both_sides() {
    both_dialling(async |meeting| {
        let Meeting { erl, ours, .. } = meeting;
        erl.eval("process_flag(trap_exit, true)");
        let pid = ours.spawn(|_: Ctx| async {});
        world::eventually("it ended", async || !ours.is_process_alive(&pid)).await;
        ours.export("tests", "dead", move || pid.clone());
        erl.check("(fun() -> D = erpc:call(Us, tests, dead, []), link(D), receive {'EXIT', D, R} -> R after 20000 -> lost end end)()", "noproc");
        let dead: Pid = ours.call(erl.name.as_str(), "erlang", "spawn", (Atom::new("erlang"), Atom::new("self"), Term::NIL)).await.unwrap();
        world::eventually("it ended", async || {
            let alive = ours.call::<bool>(erl.name.as_str(), "erlang", "is_process_alive", (dead.clone(),)).await;
            alive == Ok(false)
        })
        .await;
        let (_, reason, rest) = hear_the_end(ours, dead).await;
        assert_eq!((reason, rest), (t("noproc"), vec![]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exit_2_is_heard_on_the_other_side_and_kill_is_not_trapped() {
    both_dialling(async |meeting| {
        let Meeting { erl, ours, .. } = meeting;
        erl.eval("process_flag(trap_exit, true)");
        for (reason, heard) in [("stop", "stop"), ("kill", "killed"), ("{a,1}", "{a,1}")] {
            let pid = world::echo_process(ours);
            ours.register("victim", &pid).unwrap();
            erl.check(
                &format!("(fun() -> V = erpc:call(Us, erlang, whereis, [victim]), M = erlang:monitor(process, V), exit(V, {reason}), receive {{'DOWN', M, process, V, R}} -> R after 20000 -> lost end end)()"),
                heard,
            );
        }
        // `normal` from another process does nothing to one that does not trap; one that traps hears it.
        erl.check("(fun() -> P = erpc:call(Us, erlang, whereis, [echo]), exit(P, normal), P ! {self(), alive}, receive {echo, A} -> A after 20000 -> lost end end)()", "alive");
        let them = erl.name.clone();
        let heard = ours.run(move |mut ctx: Ctx| async move {
            ctx.set_trap_exit(true);
            let me = Term::Pid(ctx.pid());
            let exit = vec![me, Term::atom("from_afar")];
            let (far, _) = ctx.spawn_at(them.as_str(), "erlang", "exit", exit, SpawnAt::default()).await.unwrap();
            let first: ExitSignal = ctx.receive_within(PATIENCE).await.expect("an exit");
            let mut reasons = vec![(first.from == far, first.reason)];
            for word in ["stop", "kill"] {
                let (victim, watch) = ctx
                    .spawn_at(them.as_str(), "guest", "exit_after", vec![t("x")], trunkline::SpawnAt { link: false, monitor: true })
                    .await
                    .unwrap();
                ctx.exit(&victim, Exit::from(word));
                let down: trunkline::Down = ctx.receive_within(PATIENCE).await.expect("a down");
                reasons.push((down.reference == watch, down.reason));
            }
            reasons
        });
        assert_eq!(heard.await, [(true, t("from_afar")), (true, t("stop")), (true, t("killed"))]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_unlink_no_exit_is_heard_from_either_side() {
    both_dialling(async |meeting| {
        let Meeting { erl, ours, .. } = meeting;
        erl.eval("process_flag(trap_exit, true)");
        let pid = world::echo_process(ours);
        ours.register("victim", &pid).unwrap();
        // They take the link back; then ours does.
        for how in ["link(V), unlink(V)", "V ! {self(), link}, receive linked -> ok end, unlink(V)", "link(V), V ! {self(), unlink}, receive unlinked -> ok end"] {
            let ends = if how.contains("{self(), unlink}") { "V ! {stop, silent}" } else { "V ! {self(), alive}, receive {echo, alive} -> ok end" };
            erl.check(
                &format!("(fun() -> V = erpc:call(Us, erlang, whereis, [victim]), {how}, {ends}, pong = net_adm:ping(Us), receive {{'EXIT', V, R}} -> R after 0 -> quiet end end)()"),
                "quiet",
            );
        }
        let them = erl.name.clone();
        let unread = ours.run(move |mut ctx: Ctx| async move {
            ctx.set_trap_exit(true);
            let how = trunkline::SpawnAt { link: true, monitor: true };
            let (far, watch) = ctx.spawn_at(them.as_str(), "guest", "exit_after", vec![t("silent")], how).await.unwrap();
            ctx.unlink(&far);
            ctx.send(&far, Term::atom("go"));
            let down: trunkline::Down = ctx.receive_within(PATIENCE).await.expect("a down");
            (down.reference == watch, down.reason, ctx.unread())
        });
        assert_eq!(unread.await, (true, t("silent"), vec![]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_exit_that_is_under_way_when_the_link_is_taken_back_is_not_heard() {
    both_dialling(async |meeting| {
        let Meeting { erl, ours, .. } = meeting;
        erl.eval("process_flag(trap_exit, true)");
        for _ in 0..20 {
            let pid = world::echo_process(ours);
            ours.register("victim", &pid).unwrap();
            erl.scene(
                "V = erpc:call(Us, erlang, whereis, [victim]), M = erlang:monitor(process, V), link(V), V ! {stop, unheard}, \
                 unlink(V), receive {'DOWN', M, process, V, R} -> R ?WAIT end, \
                 receive {'EXIT', V, _} -> heard after 0 -> quiet end",
                "quiet",
            );
        }
        let them = erl.name.clone();
        let heard = ours.run(move |mut ctx: Ctx| async move {
            ctx.set_trap_exit(true);
            let how = trunkline::SpawnAt { link: true, monitor: true };
            for _ in 0..50 {
                let what = vec![t("unheard")];
                let (far, watch) = ctx.spawn_at(them.as_str(), "guest", "exit_after", what, how).await.unwrap();
                ctx.send(&far, Term::atom("go"));
                // The exit comes while this process does something else: it lies in the inbox, unseen, when the link goes.
                tokio::task::block_in_place(|| std::thread::sleep(std::time::Duration::from_millis(5)));
                ctx.unlink(&far);
                let down: trunkline::Down = ctx.receive_within(PATIENCE).await.expect("a down");
                assert_eq!((down.reference, down.reason), (watch, t("unheard")));
            }
            ctx.unread()
        });
        assert_eq!(heard.await, []);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_made_and_taken_back_a_thousand_times_by_both_ends_at_once_end_as_they_should() {
    both_dialling(async |meeting| {
        let Meeting { erl, ours, way } = meeting;
        erl.eval("process_flag(trap_exit, true)");
        let pid = ours.spawn(|mut ctx: Ctx| async move {
            ctx.set_trap_exit(true);
            let far: Pid = ctx.receive().await;
            for _ in 0..1000 {
                ctx.link(&far);
                ctx.unlink(&far);
                ctx.breathe().await;
            }
            ctx.link(&far);
            let me = ctx.pid();
            ctx.send(&far, me);
            let _: Atom = ctx.receive().await;
            ctx.set_trap_exit(false);
            Exit::from("the_end")
        });
        ours.register("dancer", &pid).unwrap();
        erl.check(
            "(fun() -> V = erpc:call(Us, erlang, whereis, [dancer]), V ! self(), \
               [begin link(V), unlink(V) end || _ <- lists:seq(1, 1000)], \
               receive V -> ok end, link(V), V ! enough, \
               receive {'EXIT', V, R} -> pong = net_adm:ping(Us), receive {'EXIT', V, _} -> twice after 0 -> R end after 20000 -> lost end end)()",
            "the_end",
        );
        println!("{way}: done");
    })
    .await;
}
