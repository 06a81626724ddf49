//! Processes started by module, function and arguments on the other side, both ways.

use std::sync::Arc;
use std::time::Duration;

use trunkline::{
    AliasMode, Atom, Ctx, Down, Exit, ExitSignal, FromTerm, Node, Pid, Replies, SpawnAt, SpawnError,
    SpawnRequest, Term, rpc,
};
use trunkline_tests::meeting::{Meeting, both_dialling, in_every_way};
use trunkline_tests::world::{self, PATIENCE, t};

/// `tests:hello/1` tells whom it is given its pid, `tests:wait/0` ends as it is told, `tests:named/0` too, under a name.
fn export(ours: &Node) {
    ours.export_raw(
        "tests",
        "hello",
        Some(1),
        Arc::new(|mut ctx, arguments| {
            Box::pin(async move {
                let to = Pid::from_term(&arguments[0]).map_err(|_| Exit::from("badarg"))?;
                let me = ctx.pid();
                ctx.send(&to, (Atom::new("hello"), me));
                Ok(Term::atom("ok"))
            })
        }),
    );
    ours.export_raw(
        "tests",
        "wait",
        Some(0),
        Arc::new(|mut ctx, _| Box::pin(async move { Err(Exit(ctx.receive().await)) })),
    );
    ours.export_raw(
        "tests",
        "named",
        Some(0),
        Arc::new(|mut ctx, _| {
            Box::pin(async move {
                ctx.register("named").map_err(|_| Exit::from("taken"))?;
                Err(Exit(ctx.receive().await))
            })
        }),
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn otp_spawns_our_functions_in_every_way_of_meeting() {
    in_every_way(async |meeting| {
        let Meeting { erl, ours, .. } = meeting;
        export(ours);
        erl.eval("process_flag(trap_exit, true)");
        erl.scene("P = spawn(Us, tests, hello, [self()]), receive {hello, P} -> node(P) =:= Us ?WAIT end", "true");
        erl.scene("P = spawn_link(Us, tests, wait, []), P ! bye, receive {'EXIT', P, R} -> R ?WAIT end", "bye");
        erl.scene("{P, M} = spawn_monitor(Us, tests, wait, []), P ! bye, receive {'DOWN', M, process, P, R} -> R ?WAIT end", "bye");
        erl.scene(
            "{P, M} = spawn_opt(Us, tests, wait, [], [link, monitor, {priority, high}, {min_heap_size, 1000}]), P ! both, \
             {receive {'EXIT', P, A} -> A ?WAIT end, receive {'DOWN', M, process, P, B} -> B ?WAIT end}",
            "{both,both}",
        );
        erl.scene(
            "R = spawn_request(Us, tests, wait, [], [monitor, {reply_tag, made}]), P = receive {made, R, ok, Q} -> Q ?WAIT end, \
             P ! over, receive {'DOWN', R, process, P, Why} -> Why ?WAIT end",
            "over",
        );
        erl.scene("R = spawn_request(Us, tests, hello, [self()], [{reply, no}]), H = receive {hello, P} -> node(P) =:= Us ?WAIT end, receive {spawn_reply, R, _, _} -> told after 0 -> H end", "true");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_we_cannot_run_says_so_to_otp() {
    both_dialling(async |meeting| {
        let Meeting { erl, ours, .. } = meeting;
        export(ours);
        erl.eval("process_flag(trap_exit, true)");
        erl.scene("{P, M} = spawn_monitor(Us, no, such, [1]), receive {'DOWN', M, process, P, R} -> R ?WAIT end", "{undef,[{no,such,[1],[]}]}");
        erl.scene("P = spawn_link(Us, tests, wait, [too, many]), receive {'EXIT', P, R} -> R ?WAIT end", "{undef,[{tests,wait,[too,many],[]}]}");
        erl.scene("{P, M} = spawn_monitor(Us, fun() -> ok end), receive {'DOWN', M, process, P, {badfun, F}} -> is_function(F, 0); {'DOWN', M, process, P, {{badfun, F}, _}} -> is_function(F, 0) ?WAIT end", "true");
        erl.scene("{P, M} = spawn_monitor(Us, erlang, apply, [fun erlang:node/0, []]), receive {'DOWN', M, process, P, R} -> R ?WAIT end", "normal");
        // An option that nobody knows: OTP's own check is passed by.
        let bad = "R = erts_internal:dist_spawn_request(Us, {tests, hello, [self()]}, [{no_such_option, 1}], spawn_request), \
                   receive {spawn_reply, R, error, Why} -> Why; {hello, _} -> ran ?WAIT end";
        erl.scene(bad, "badopt");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_otp_abandons_ends_the_linked_process() {
    both_dialling(async |meeting| {
        let Meeting { erl, ours, .. } = meeting;
        export(ours);
        erl.scene("R = spawn_request(Us, tests, named, [], [link]), spawn_request_abandon(R)", "true");
        // Spawned after it, answered after it: the first one has come and gone or hears it now.
        erl.scene("P = spawn(Us, tests, hello, [self()]), receive {hello, P} -> ok ?WAIT end", "ok");
        world::eventually("the abandoned process ends", async || ours.whereis("named").is_none()).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn we_spawn_otps_functions_in_every_way_of_meeting() {
    in_every_way(async |meeting| {
        let Meeting { erl, ours, way } = meeting;
        let them = Atom::new(&erl.name);
        let heard = ours.run(move |mut ctx: Ctx| async move {
            ctx.set_trap_exit(true);
            let me = Term::Pid(ctx.pid());
            let plain = SpawnAt::default();
            let (far, _) =
                ctx.spawn_at(them.clone(), "erlang", "send", vec![me, t("hi")], plain).await.unwrap();
            assert_eq!(world::message(&mut ctx).await, t("hi"));
            assert_eq!(*far.node.name(), them);
            let both = SpawnAt { link: true, monitor: true };
            let (far, watch) =
                ctx.spawn_at(them.clone(), "guest", "exit_after", vec![t("{why, 1}")], both).await.unwrap();
            ctx.send(&far, Term::atom("go"));
            let exit: ExitSignal = ctx.receive_within(PATIENCE).await.expect("an exit");
            let down: Down = ctx.receive_within(PATIENCE).await.expect("a down");
            assert!(exit.from == far && down.reference == watch && down.target == Term::Pid(far));
            assert_eq!((exit.reason, down.reason), (t("{why, 1}"), t("{why, 1}")));
            let monitor = SpawnAt { link: false, monitor: true };
            ctx.spawn_at(them.clone(), "no", "such", vec![t("1")], monitor).await.unwrap();
            let down: Down = ctx.receive_within(PATIENCE).await.expect("a down");
            let id = ctx.spawn_request(them.clone(), "erlang", "node", vec![], plain);
            let reply = world::message(&mut ctx).await;
            let [tag, reference, word, Term::Pid(pid)] = reply.as_tuple().unwrap() else { panic!("{reply}") };
            assert!(tag.is_atom("spawn_reply") && *reference == Term::Ref(id) && word.is_atom("ok"));
            assert_eq!(*pid.node.name(), them);
            (down.reason, ctx.unread())
        });
        assert_eq!(heard.await, (t("{undef, [{no,such,[1],[]}]}"), vec![]), "{way}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_processes_linked_by_spawn_are_heard_to_end() {
    both_dialling(async |meeting| {
        let Meeting { erl, ours, .. } = meeting;
        export(ours);
        erl.eval("process_flag(trap_exit, true)");
        erl.scene(
            "Ps = [spawn_link(Us, tests, wait, []) || _ <- lists:seq(1, 1000)], [P ! {bye, P} || P <- Ps], \
             lists:usort([receive {'EXIT', P, {bye, P}} -> ok ?WAIT end || P <- Ps])",
            "[ok]",
        );
        let them = erl.name.clone();
        let count = ours.run(move |mut ctx: Ctx| async move {
            ctx.set_trap_exit(true);
            let how = SpawnAt { link: true, monitor: false };
            let mut pids = Vec::new();
            for _ in 0..1000 {
                ctx.spawn_request(them.as_str(), "guest", "exit_after", vec![t("bye")], how);
            }
            while pids.len() < 1000 {
                let (_, _, _, pid): (Atom, trunkline::Ref, Atom, Pid) =
                    ctx.receive_within(PATIENCE).await.expect("a reply");
                ctx.send(&pid, Term::atom("go"));
                pids.push(pid);
            }
            let mut ends = 0;
            while ends < 1000 {
                let exit: ExitSignal = ctx.receive_within(PATIENCE).await.expect("an exit");
                assert!(exit.reason.is_atom("bye") && pids.contains(&exit.from));
                ends += 1;
            }
            ends
        });
        assert_eq!(count.await, 1000);
        let nowhere = ours.run(|mut ctx: Ctx| async move {
            ctx.spawn_at("nobody@localhost", "m", "f", vec![], SpawnAt::default()).await
        });
        assert_eq!(nowhere.await.unwrap_err(), SpawnError::NoConnection);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_option_of_a_spawn_request_does_what_it_does_in_otp() {
    both_dialling(async |meeting| {
        let Meeting { erl, ours, .. } = &*meeting;
        export(ours);
        let them = Atom::new(&erl.name);
        let told = ours.run(move |mut ctx: Ctx| async move {
            let go = |ctx: &mut Ctx, pid: &Term| ctx.send(pid.as_pid().unwrap(), Term::atom("go"));
            let bye = || vec![t("bye")];
            let ask = |ctx: &mut Ctx, how| ctx.spawn_request(them.clone(), "guest", "exit_after", bye(), how);
            // The tags of the answer and of the end.
            let how = SpawnRequest::new().monitor_with_tag(t("{ended, 1}")).reply_tag(t("{made, 2}"));
            let id = Term::Ref(ask(&mut ctx, how));
            let made = world::message(&mut ctx).await;
            let [tag, reference, _, pid] = made.as_tuple().unwrap() else { panic!("{made}") };
            assert!(*tag == t("{made, 2}") && *reference == id, "{made}");
            go(&mut ctx, pid);
            let wanted = Term::tuple([t("{ended, 1}"), id, t("process"), pid.clone(), t("bye")]);
            assert_eq!(world::message(&mut ctx).await, wanted);
            // An alias that lasts as long as the monitor: who is spawned sends by it.
            let how =
                SpawnRequest::new().monitor_with_alias(AliasMode::ReplyDemonitor).reply(Replies::OnError);
            let node = ctx.node().name().clone();
            let wait = |ctx: &mut Ctx, how| {
                ctx.spawn_request(them.clone(), "timer", "sleep", vec![t("infinity")], how)
            };
            let id = wait(&mut ctx, how);
            ctx.send(&id, t("by_alias"));
            assert_eq!(world::message(&mut ctx).await, t("by_alias"));
            ctx.send(&id, t("too_late"));
            assert_eq!(ctx.receive_within::<Term>(Duration::from_millis(50)).await, None, "{node}");
            // An alias ends with the request that fails.
            let how =
                SpawnRequest::new().monitor_with_alias(AliasMode::Explicit).tune("priority", t("wrong"));
            let id = ask(&mut ctx, how);
            assert_eq!(world::message(&mut ctx).await.as_tuple().unwrap()[3], t("badopt"));
            ctx.send(&id, t("nobody"));
            // Tuning is passed on, and seen there.
            let how = SpawnRequest::new().link().tune("priority", t("high")).tune("min_heap_size", 500);
            ctx.set_trap_exit(true);
            let (pid, _) = ctx.spawn_at(them.clone(), "guest", "exit_after", bye(), how).await.unwrap();
            let seen: Term =
                rpc::call(&ctx, them.clone(), "erlang", "process_info", (pid.clone(), t("priority")))
                    .await
                    .unwrap();
            assert_eq!(seen, t("{priority, high}"));
            go(&mut ctx, &Term::Pid(pid.clone()));
            let exit: ExitSignal = ctx.receive_within(PATIENCE).await.expect("an exit");
            assert!(exit.from == pid && exit.reason == t("bye"));
            answers_and_refusals(&mut ctx, them).await;
            ctx.unread()
        });
        assert_eq!(told.await, []);
    })
    .await;
}

/// When there is an answer, and what this node does itself.
async fn answers_and_refusals(ctx: &mut Ctx, them: Atom) {
    // Answers only as wanted: of the four only two come.
    for (replies, module) in [(Replies::OnError, "x"), (Replies::OnSuccess, "y"), (Replies::Never, "z")] {
        let how = SpawnRequest::new().reply(replies).reply_tag(t(module));
        ctx.spawn_request(them.clone(), "erlang", "node", vec![], how.clone());
        ctx.spawn_request("nobody@localhost", "erlang", "node", vec![], how);
    }
    let answers = [world::message(ctx).await, world::message(ctx).await];
    let mut answers = answers.map(|answer| {
        let parts = answer.as_tuple().unwrap();
        (parts[0].to_string(), parts[2].to_string())
    });
    answers.sort();
    assert_eq!(answers, [("x".into(), "error".into()), ("y".into(), "ok".into())]);
    // What is given up is told to end.
    let id =
        ctx.spawn_request(them.clone(), "guest", "exit_after", vec![t("bye")], SpawnRequest::new().link());
    assert!(ctx.spawn_request_abandon(&id) && !ctx.spawn_request_abandon(&id));
    // The same on this node.
    let (here, how) = (ctx.node().name().clone(), SpawnRequest::new().monitor_with_tag(t("near")));
    let (pid, id) = ctx.spawn_at(here.clone(), "tests", "wait", vec![], how).await.unwrap();
    ctx.send(&pid, t("over"));
    let wanted = Term::tuple([t("near"), Term::Ref(id), t("process"), Term::Pid(pid), t("over")]);
    assert_eq!(world::message(ctx).await, wanted);
    let many = vec![Term::NIL; 256];
    let refused = ctx.spawn_at(here, "tests", "wait", many.clone(), SpawnAt::default()).await;
    assert_eq!(refused, Err(SpawnError::Refused("system_limit".into())));
    let refused = ctx.spawn_at(them, "tests", "wait", many, SpawnAt::default()).await;
    assert_eq!(refused, Err(SpawnError::Refused("system_limit".into())));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_option_of_otps_requests_is_understood_here_and_what_is_none_is_refused() {
    both_dialling(async |meeting| {
        let Meeting { erl, ours, .. } = meeting;
        export(ours);
        let options = "[{priority, low}, {fullsweep_after, 0}, {min_heap_size, 1}, {min_bin_vheap_size, 1}, {max_heap_size, #{}}, \
             {message_queue_data, off_heap}, {async_dist, true}]";
        let ask = |options: &str| {
            format!(
                "R = erts_internal:dist_spawn_request(Us, {{tests, hello, [self()]}}, {options}, spawn_request), \
                 receive {{spawn_reply, R, ok, P}} -> receive {{hello, P}} -> ok ?WAIT end; {{spawn_reply, R, error, Why}} -> Why ?WAIT end"
            )
        };
        erl.scene(&ask(options), "ok");
        for bad in ["{priority, 7}", "{max_heap_size, -1}", "{message_queue_data, x}", "{link, true}", "no_such", "17", "{}"] {
            erl.scene(&ask(&format!("[{bad}]")), "badopt");
        }
        erl.scene(
            "R = spawn_request(Us, tests, wait, [], [{reply, success_only}, {monitor, [{alias, explicit_unalias}, {tag, mine}]}]), \
             P = receive {spawn_reply, R, ok, Q} -> Q ?WAIT end, P ! ended, \
             {receive {mine, R, process, P, Why} -> Why ?WAIT end, unalias(R)}",
            "{ended,true}",
        );
    })
    .await;
}
