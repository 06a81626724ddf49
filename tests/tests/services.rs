//! What OTP's nodes expect to find on a node: net_kernel, rex, user, group leaders, trace tokens.

use std::sync::{Arc, Mutex};

use trunkline::{Atom, Ctx, Exit, SpawnAt, Term};
use trunkline_tests::erl::{self, Erl};
use trunkline_tests::meeting::{Meeting, both_dialling};
use trunkline_tests::world::{self, eventually};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_services_answer_as_otps_do_and_strange_questions_do_not_hurt() {
    both_dialling(async |meeting| {
        let Meeting { erl, .. } = meeting;
        erl.check("gen_server:call({net_kernel, Us}, {is_auth, node()})", "yes");
        erl.check("rpc:call(Us, erlang, system_info, [otp_release]) =/= {badrpc, nodedown}", "true");
        erl.check("lists:all(fun(N) -> is_pid(rpc:call(Us, erlang, whereis, [N])) end, [net_kernel, rex, global_name_server, user])", "true");
        erl.check("{rex, Us} ! {self(), features_request}, receive {features_reply, Us, [erpc]} -> yes after 20000 -> no end", "yes");
        erl.check("{rex, Us} ! {self(), {call, erlang, node, [], user}}, receive {rex, N} -> N =:= Us after 20000 -> no end", "true");
        // What nobody understands is not answered, and nothing ends.
        erl.eval("Pids = [rpc:call(Us, erlang, whereis, [N]) || N <- [net_kernel, rex, global_name_server, user]]");
        erl.check(
            "[begin catch gen_server:call(P, Q, 20), gen_server:cast(P, Q), P ! Q end || P <- Pids, \
              Q <- [nonsense, {}, {is_auth}, {call, 1, 2}, [improper | list], {set_lock, x}, {io_request, a, b, c}, \
                    {'$gen_call', nobody, x}, {'$gen_call', {self(), [alias | x]}, y}, {'EXIT', self(), boo}, #{}]], ok",
            "ok",
        );
        erl.check("net_adm:ping(Us)", "pong");
        erl.check("Pids =:= [rpc:call(Us, erlang, whereis, [N]) || N <- [net_kernel, rex, global_name_server, user]]", "true");
        erl.check("[exit(P, shutdown) || P <- Pids], net_adm:ping(Us)", "pong");
        erl.check("Pids =:= [rpc:call(Us, erlang, whereis, [N]) || N <- [net_kernel, rex, global_name_server, user]]", "true");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_service_answers_questions_about_itself_and_says_what_it_does_not_know() {
    both_dialling(async |meeting| {
        let Meeting { erl, .. } = meeting;
        for name in ["logger_proxy", "application_controller", "rex", "net_kernel", "global_name_server", "auth", "kernel_sup"] {
            erl.check(&format!("sys:get_state({{{name}, Us}}, 20000)"), name);
            erl.check(
                &format!("element(3, sys:get_status({{{name}, Us}}, 20000))"),
                if name == "kernel_sup" { "{module,supervisor}" } else { "{module,gen_server}" },
            );
            erl.check(
                &format!("try sys:replace_state({{{name}, Us}}, fun(S) -> S end, 20000) catch error:_ -> refused end"),
                "refused",
            );
        }
        erl.check("gen_server:call({logger_proxy, Us}, nonsense, 20000)", "{error,{unknown_call,nonsense}}");
        for options in ["[a]", "[{flush, x}]", "[{flush, true} | x]"] {
            erl.check(
                &format!("(fun({{badrpc, {{'EXIT', {{Why, _}}}}}}) -> Why end)(rpc:call(Us, erlang, halt, [1, {options}]))"),
                "badarg",
            );
        }
        erl.check("rpc:call(Us, global, send, [nobody, hello])", "{badrpc,{'EXIT',{badarg,{nobody,hello}}}}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_otp_prints_here_appears_here() {
    if !erl::found() {
        return;
    }
    let epmd = world::private_epmd();
    let mut erl = Erl::start(&world::unique("erl"), epmd, &[]);
    let printed = Arc::new(Mutex::new(String::new()));
    let sink = printed.clone();
    let ours = world::node(&world::unique("ours"), epmd)
        .output(move |text| sink.lock().unwrap().push_str(text))
        .start()
        .await
        .unwrap();
    let us = ours.name();
    erl.check(&format!("User = erpc:call({us}, erlang, whereis, [user]), node(User)"), us.as_str());
    erl.check("io:format(User, \"~p says ~s~n\", [erl, \"hello\"])", "ok");
    erl.check("io:put_chars(User, [<<\"bytes \"/utf8>>, $a, [16#e4, $\\n]])", "ok");
    erl.check("io:get_line(User, \"\")", "eof");
    eventually("it is printed", async || *printed.lock().unwrap() == "erl says hello\nbytes aä\n").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_otp_spawns_here_has_the_group_leader_of_who_asked() {
    both_dialling(async |meeting| {
        let Meeting { erl, .. } = meeting;
        erl.check("rpc:call(Us, erlang, group_leader, []) =:= group_leader()", "true");
        erl.check("erpc:call(Us, erlang, group_leader, []) =:= group_leader()", "true");
        // Set from afar.
        erl.scene("P = erpc:call(Us, erlang, whereis, [echo]), group_leader(self(), P), P ! {self(), alive}, receive {echo, A} -> A ?WAIT end", "alive");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signals_with_trace_tokens_are_understood() {
    both_dialling(async |meeting| {
        let Meeting { erl, ours, .. } = meeting;
        let victim = world::echo_process(ours);
        ours.register("victim", &victim).unwrap();
        erl.eval("process_flag(trap_exit, true)");
        ours.export_raw("tests", "wait", Some(0), Arc::new(|mut ctx: Ctx, _| Box::pin(async move { Err(Exit(ctx.receive().await)) })));
        erl.scene(
            "V = erpc:call(Us, erlang, whereis, [victim]), seq_trace:set_token(label, 17), seq_trace:set_token(send, true), \
             V ! {self(), by_pid}, {victim, Us} ! {self(), by_name}, A = erlang:alias(), V ! {A, by_alias}, \
             Said = [receive {echo, X} -> X ?WAIT end || _ <- [1, 2, 3]], \
             {P, M} = spawn_opt(Us, tests, wait, [], [link, monitor]), P ! {bye, lists:duplicate(100000, x)}, \
             {E, _} = receive {'EXIT', P, R} -> R ?WAIT end, {D, _} = receive {'DOWN', M, _, P, Q} -> Q ?WAIT end, \
             N = erlang:monitor(process, V), exit(V, traced), G = receive {'DOWN', N, _, V, Why} -> Why ?WAIT end, \
             seq_trace:set_token([]), {Said, E, D, G}",
            "{[by_pid,by_name,by_alias],bye,bye,traced}",
        );
        erl.check("net_adm:ping(Us)", "pong");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_erl_that_links_to_everything_and_dies_leaves_nothing_behind() {
    if !erl::found() {
        return;
    }
    let epmd = world::private_epmd();
    let mut erl = Erl::start(&world::unique("erl"), epmd, &[]);
    erl.load_guest();
    let ours = world::node(&world::unique("ours"), epmd).start().await.unwrap();
    let trapper = ours.spawn(|mut ctx: Ctx| async move {
        ctx.set_trap_exit(true);
        loop {
            let _: Term = ctx.receive().await;
        }
    });
    ours.register("trapper", &trapper).unwrap();
    let plain = world::echo(&ours);
    let before = ours.processes().len();
    erl.eval(&format!("Us = {}", ours.name()));
    erl.eval("T = erpc:call(Us, erlang, whereis, [trapper]), E = erpc:call(Us, erlang, whereis, [echo])");
    erl.check("Ps = [spawn(fun() -> link(T), [erlang:monitor(process, X) || X <- [T, E, {echo, Us}]], receive stop -> ok end end) || _ <- lists:seq(1, 500)], length(Ps)", "500");
    let them = Atom::new(&erl.name);
    let linked = ours.run(move |mut ctx: Ctx| async move {
        ctx.spawn_at(them, "guest", "linked_echo", vec![Term::Pid(plain)], SpawnAt::default()).await.is_ok()
    });
    assert!(linked.await);
    erl.check("E ! {self(), here}, receive {echo, here} -> ok after 20000 -> lost end", "ok");
    eventually("all are linked", async || {
        ours.process_info(&trapper).is_some_and(|info| info.links.len() == 500)
    })
    .await;
    erl.kill();
    eventually("no tie is left", async || {
        ours.process_info(&trapper).is_some_and(|info| info.links.is_empty() && info.monitored_by.is_empty())
    })
    .await;
    eventually("the linked one ended", async || ours.whereis("echo").is_none()).await;
    eventually("nobody else is left behind", async || ours.processes().len() < before).await;
}
