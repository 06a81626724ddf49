//! `rpc` between our nodes and OTP's, in both directions: promises, many nodes, broadcasts, servers by name, `rex`.

use std::time::Duration;

use trunkline::rpc::{self, Raise, RpcError};
use trunkline::{Atom, Ctx, Node, Pid, Term};
use trunkline_tests::erl::quoted;
use trunkline_tests::meeting::{Meeting, both_dialling};
use trunkline_tests::world::{PATIENCE, message, t};

const NOBODY: &str = "nobody@localhost";

fn export(ours: &Node) {
    ours.export("calc", "add", |a: i64, b: i64| a + b);
    ours.export("calc", "square", |a: i64, plus: i64| a * a + plus);
    ours.export("calc", "throw", |what: Term| -> Result<i64, Raise> { Err(Raise::Throw(what)) });
    ours.export("calc", "exit", |what: Term| -> Result<i64, Raise> { Err(Raise::Exit(what)) });
    ours.export("calc", "error", |what: Term| -> Result<i64, Raise> { Err(Raise::Error(what)) });
    ours.export("calc", "same", |what: Term| what);
    ours.export("calc", "tell", |ctx: &mut Ctx, pid: Pid, what: Term| {
        let from = ctx.node().name().clone();
        ctx.send(&pid, (from, what));
    });
    ours.export_async("calc", "never", std::future::pending::<i64>);
    ours.export_async("calc", "wait", |millis: u64| tokio::time::sleep(Duration::from_millis(millis)));
}

/// Registers `name`: answers `{From, Message}` with `{name, node(), {got, Message}}`, and ends at `{From, stop}`.
fn server(node: &Node, name: &'static str) {
    let pid = node.spawn(move |mut ctx: Ctx| async move {
        loop {
            let (from, message): (Pid, Term) = ctx.receive().await;
            if message.is_atom("stop") {
                return;
            }
            let node = ctx.node().name().clone();
            ctx.send(&from, (Atom::new(name), node, (Atom::new("got"), message)));
        }
    });
    node.register(name, &pid).expect("the name is free");
}

/// The same in OTP's node.
const THEIR_SERVER: &str = "case whereis(asker) of undefined -> ok; Old -> exit(Old, kill), \
     (fun W() -> case whereis(asker) of undefined -> ok; _ -> W() end end)() end, \
     register(asker, spawn(fun L() -> receive {F, stop} -> ok; \
     {F, M} -> F ! {asker, node(), {got, M}}, L() end end)), ok";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn otp_uses_all_of_rpc_towards_our_node() {
    both_dialling(async |meeting| {
        let Meeting { erl, ours, .. } = meeting;
        export(ours);
        server(ours, "asker");
        for (expression, value) in [
            // Promises.
            ("rpc:yield(rpc:async_call(Us, calc, add, [1, 2]))", "3"),
            ("(fun() -> K = rpc:async_call(Us, calc, wait, [300]), A = rpc:nb_yield(K), B = rpc:nb_yield(K, 10), \
              {A, B, rpc:nb_yield(K, 20000)} end)()", "{timeout,timeout,{value,ok}}"),
            ("rpc:yield(rpc:async_call(Us, calc, exit, [bye]))", "{badrpc,{'EXIT',bye}}"),
            ("rpc:nb_yield(rpc:async_call(Us, calc, error, [oops]), 20000)", "{value,{badrpc,{'EXIT',{oops,[{calc,error,1,[]}]}}}}"),
            // Values, and every way to fail.
            ("rpc:call(Us, calc, throw, [ball])", "ball"),
            ("rpc:call(Us, calc, throw, [{'EXIT', x}])", "{badrpc,{'EXIT',x}}"),
            ("rpc:call(Us, calc, same, [{badrpc, mine}])", "{badrpc,mine}"),
            ("rpc:call(Us, calc, add, [1, two])", "{badrpc,{'EXIT',{function_clause,[{calc,add,[1,two],[]}]}}}"),
            ("rpc:call(Us, calc, never, [], 20)", "{badrpc,timeout}"),
            ("element(1, element(2, element(2, rpc:call(Us, calc, same, lists:seq(1, 300)))))", "undef"),
            ("rpc:call(Us, calc, same, lists:seq(1, 3000))", "{badrpc,{'EXIT',system_limit}}"),
            ("catch rpc:call(Us, calc, same, [a|b])", "{badrpc,{'EXIT',{badarg,[{erlang,apply,[calc,same,[a|b]],[]}]}}}"),
            // Many nodes.
            ("rpc:multicall([Us, node(), nobody@localhost], erlang, is_alive, [])", "{[true,true],[nobody@localhost]}"),
            ("rpc:multicall([Us, Us], calc, wait, [10000], 100) =:= {[], [Us, Us]}", "true"),
            ("rpc:multicall([Us], calc, throw, [x])", "{[x],[]}"),
            ("(fun() -> {R, []} = rpc:multicall(erlang, node, []), lists:sort(R) =:= lists:sort([node(), Us]) end)()", "true"),
            ("rpc:eval_everywhere([Us], calc, tell, [self(), everywhere]), receive {Us, everywhere} -> ok after 20000 -> lost end", "ok"),
            ("rpc:cast(Us, calc, tell, [self(), once]), receive {Us, once} -> ok after 20000 -> lost end", "ok"),
            ("rpc:pmap({calc, square}, [1], [1, 2, 3])", "{'EXIT'"),
            ("[rpc:call(Us, calc, square, [X, 1]) || X <- [1, 2, 3]]", "[2,5,10]"),
            ("lists:usort(rpc:parallel_eval([{erlang, node, []}, {erlang, node, []}])) =:= lists:usort([node(), Us])", "true"),
            // Servers by name, broadcasts.
            ("rpc:server_call(Us, asker, asker, hello)", "{got,hello}"),
            ("rpc:server_call(Us, nobody, nobody, hello)", "{error,nodedown}"),
            ("rpc:multi_server_call([Us, nobody@localhost], asker, hello)", "{[{got,hello}],[nobody@localhost]}"),
            ("rpc:sbcast([Us, nobody@localhost], asker, {self(), cast}) =:= {[Us], [nobody@localhost]}", "true"),
            ("receive {asker, Us, {got, cast}} -> ok after 20000 -> lost end", "ok"),
            ("rpc:sbcast([Us], no_such_name, x) =:= {[], [Us]}", "true"),
            ("rpc:abcast([Us], asker, {self(), abcast}), receive {asker, Us, {got, abcast}} -> ok after 20000 -> lost end", "ok"),
            // Through rex.
            ("rpc:block_call(Us, calc, add, [1, 2])", "3"),
            ("rpc:block_call(Us, calc, exit, [bye])", "{badrpc,{'EXIT',bye}}"),
            ("rpc:block_call(Us, calc, throw, [ball])", "ball"),
            ("rpc:block_call(Us, calc, error, [oops])", "{badrpc,{'EXIT',{oops,[{calc,error,1,[]}]}}}"),
            ("element(1, hd(rpc:pinfo(rpc:call(Us, erlang, whereis, [rex]), [registered_name])))", "registered_name"),
            ("rpc:pinfo(rpc:call(Us, erlang, whereis, [rex]), registered_name)", "{registered_name,rex}"),
            // Nothing is left behind by any of these.
            ("receive Late -> Late after 50 -> none end", "none"),
        ] {
            if value == "{'EXIT'" {
                // The module is not there on OTP's side, where half of the calls go.
                erl.check(&format!("catch {expression}"), "{'EXIT',badrpc}");
            } else {
                erl.scene(expression, value);
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rex_does_one_block_call_after_the_other_and_serves_the_old_forms() {
    both_dialling(async |meeting| {
        let Meeting { erl, ours, .. } = meeting;
        export(ours);
        server(ours, "asker");
        erl.eval("Sock = fun(M) -> {rex, Us} ! {self(), M}, receive {rex, A} -> A; {rex, N, A} -> {N =:= Us, A} after 20000 -> lost end end");
        for (expression, value) in [
            // Two of 150 ms each: the second waits for the first, and an ordinary request waits for both.
            ("(fun() -> T = erlang:monotonic_time(millisecond), Me = self(), \
              [spawn(fun() -> Me ! {done, rpc:block_call(Us, calc, wait, [150])} end) || _ <- [1, 2]], \
              [receive {done, ok} -> ok end || _ <- [1, 2]], \
              erlang:monotonic_time(millisecond) - T >= 300 end)()", "true"),
            ("rpc:block_call(Us, calc, wait, [60000], 20)", "{badrpc,timeout}"),
        ] {
            erl.scene(expression, value);
        }
        // That one still blocks; whoever ends rex gets a new one, as under OTP's supervisor.
        erl.check("exit(rpc:call(Us, erlang, whereis, [rex]), kill)", "true");
        erl.until("catch gen_server:call({rex, Us}, {call, calc, add, [1, 1], self()}, 100)", "2");
        erl.check("gen_server:call({rex, Us}, stop)", "stopped");
        erl.until("catch gen_server:call({rex, Us}, {call, calc, add, [1, 1], self()}, 100)", "2");
        for (expression, value) in [
            ("gen_server:call({rex, Us}, {call, calc, add, [5, 6], user})", "11"),
            ("gen_server:call({rex, Us}, {call, calc, throw, [x], group_leader()})", "x"),
            ("gen_server:call({rex, Us}, {call, calc, same, [{'EXIT', x}], group_leader()})", "{'EXIT',x}"),
            ("gen_server:call({rex, Us}, {call, no, such, [], group_leader()})", "{badrpc,{'EXIT',{undef,[{no,such,[],[]}]}}}"),
            ("gen_server:cast({rex, Us}, {cast, calc, tell, [self(), old], group_leader()}), receive {Us, old} -> ok after 20000 -> lost end", "ok"),
            ("Sock({call, calc, add, [1, 2], user})", "3"),
            ("Sock({call, calc, exit, [x], group_leader()})", "{badrpc,{'EXIT',x}}"),
            ("Sock({sbcast, asker, {self(), hi}}), receive {asker, Us, {got, hi}} -> ok after 20000 -> lost end", "ok"),
            ("Sock({sbcast, nobody, hi})", "{true,{nonexisting_name,nobody}}"),
            ("Sock({send, nobody, hi})", "{true,{nonexisting_name,nobody}}"),
            ("{rex, Us} ! {self(), {send, asker, hi}}, receive {asker, Us, {got, hi}} -> ok after 20000 -> lost end", "ok"),
            ("{rex, Us} ! {self(), features_request}, receive {features_reply, Us, F} -> F after 20000 -> lost end", "[erpc]"),
            // What is printed comes before the answer, in its order.
            ("{rex, Us} ! {self(), {call, erlang, apply, [erlang, send, [{noname, Us}, x]], send_stdout_to_caller}}, receive {rex, A} -> A after 20000 -> lost end", "x"),
            ("receive Late -> Late after 50 -> none end", "none"),
        ] {
            erl.scene(expression, value);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_called_function_prints_comes_to_the_caller() {
    both_dialling(async |meeting| {
        let Meeting { erl, ours, .. } = meeting;
        ours.export_async("calc", "print", |mut ctx: Ctx, request: Term| async move {
            let leader = ctx.group_leader();
            let (me, tag) = (ctx.pid(), ctx.make_ref());
            ctx.send(&leader, (Atom::new("io_request"), me, tag, request));
            let (_, _, reply): (Atom, trunkline::Ref, Term) = ctx.receive().await;
            reply
        });
        erl.eval(
            "Print = fun(R) -> {rex, Us} ! {self(), {call, calc, print, [R], send_stdout_to_caller}}, \
             (fun L(Acc) -> receive {rex_stdout, B} -> L([B | Acc]); {rex, V} -> {lists:reverse(Acc), V} after 20000 -> lost end end)([]) end",
        );
        for (request, value) in [
            ("{put_chars, unicode, \"hi\"}", "{[<<\"hi\">>],ok}"),
            ("{put_chars, unicode, io_lib, format, [\"~w\", [x]]}", "{[<<\"x\">>],ok}"),
            ("{put_chars, unicode, no, such, []}", "{[],{error,such}}"),
            ("{requests, [{put_chars, unicode, \"a\"}, {put_chars, unicode, <<\"b\">>}]}", "{[<<\"a\">>,<<\"b\">>],ok}"),
            ("{requests, [{put_chars, unicode, \"a\"}, what, {put_chars, unicode, \"b\"}]}", "{[<<\"a\">>],{error,request}}"),
            ("{get_line, unicode, \"\"}", "{[],{error,enotsup}}"),
            ("getopts", "{[],{error,enotsup}}"),
            ("{setopts, []}", "{[],{error,enotsup}}"),
            ("nonsense", "{[],{error,request}}"),
        ] {
            erl.check(&format!("Print({request})"), value);
        }
        erl.check("Print({put_chars, latin1, [<<228>>, 252]}) =:= {[<<195,164,195,188>>], ok}", "true");
        erl.check("element(1, element(2, Print({put_chars, unicode, [-1]})))", "error");
        // In a call, output goes to the caller's group leader.
        let leader = "(fun() -> L = spawn(fun F() -> receive {io_request, P, R, {put_chars, _, T}} -> P ! {io_reply, R, ok}, \
             M = whereis(gathering), M ! {printed, T}, F() end end), register(gathering, self()), group_leader(L, self()), \
             CALL, X = receive {printed, T} -> T after 20000 -> lost end, unregister(gathering), X end)()";
        for call in [
            "ok = rpc:call(Us, calc, print, [{put_chars, unicode, \"t\"}])",
            "ok = erpc:call(Us, calc, print, [{put_chars, unicode, \"t\"}])",
            "ok = rpc:block_call(Us, calc, print, [{put_chars, unicode, \"t\"}])",
            "rpc:cast(Us, calc, print, [{put_chars, unicode, \"t\"}])",
            "[ok] = element(1, rpc:multicall([Us], calc, print, [{put_chars, unicode, \"t\"}]))",
        ] {
            let scene = format!(
                "Me = self(), spawn(fun() -> Me ! {{told, {}}} end), receive {{told, T}} -> T ?WAIT end",
                leader.replace("CALL", call)
            );
            erl.scene(&scene, "\"t\"");
        }
        // And the other way: a process of ours calls, and leads itself.
        let them = Atom::new(&erl.name);
        let printed = ours.run(move |mut ctx: Ctx| async move {
            let me = ctx.pid();
            ctx.set_group_leader(&me);
            let key = rpc::async_call::<()>(&ctx, them, "io", "put_chars", (Term::string("hello"),));
            let (tag, from, reference, _request): (Atom, Pid, Term, Term) = ctx.receive().await;
            ctx.send(&from, (Atom::new("io_reply"), reference, Atom::new("ok")));
            (tag, key.yield_value().await, ctx.unread())
        });
        assert_eq!(printed.await, (Atom::new("io_request"), Ok(()), vec![]));
        // From outside of all processes, it goes to `user`: nobody hangs.
        let outside = rpc::call_within::<()>(ours, erl.name.as_str(), "io", "put_chars", (Term::string("x"),), PATIENCE);
        assert_eq!(outside.await, Ok(()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn we_use_all_of_rpc_towards_otp() {
    both_dialling(async |meeting| {
        let Meeting { erl, ours, .. } = meeting;
        erl.check(THEIR_SERVER, "ok");
        server(ours, "asker");
        let them = Atom::new(&erl.name);
        let us = ours.name().clone();
        let node: &Node = ours;
        // Promises, yielded by another process than the one that asked.
        let mut key = rpc::async_call::<i64>(node, &them, "erlang", "apply", (Atom::new("erlang"), Atom::new("abs"), [-7].to_vec()));
        assert_eq!(ours.run(|_| async move { key.nb_yield(PATIENCE).await }).await, Some(Ok(7)));
        let mut slow = rpc::async_call::<Term>(node, &them, "timer", "sleep", (150,));
        assert_eq!(slow.nb_yield(Duration::ZERO).await, None);
        assert_eq!(slow.nb_yield(Duration::from_millis(5)).await, None);
        assert_eq!(slow.nb_yield(PATIENCE).await, Some(Ok(t("ok"))));
        assert_eq!(slow.nb_yield(Duration::ZERO).await, None, "a value is given once");
        assert_eq!(slow.yield_value().await, Err(RpcError::BadArg));
        // Failures.
        let call = async |module: &str, function: &str, arguments: Vec<Term>| {
            rpc::call_within::<Term>(node, &them, module, function, arguments, PATIENCE).await
        };
        assert_eq!(call("erlang", "throw", vec![t("ball")]).await, Err(RpcError::Threw(t("ball"))));
        assert_eq!(call("erlang", "exit", vec![t("bye")]).await, Err(RpcError::Exited(t("bye"))));
        assert!(matches!(call("erlang", "error", vec![t("oops")]).await, Err(RpcError::Failed { reason, .. }) if reason == t("oops")));
        let many: Vec<Term> = (0..3000).map(Term::Int).collect();
        assert_eq!(call("erlang", "node", many).await, Err(RpcError::SystemLimit));
        let soon = Duration::from_millis(30);
        assert_eq!(rpc::call_within::<Term>(node, &them, "timer", "sleep", (60_000,), soon).await, Err(RpcError::Timeout));
        assert_eq!(rpc::call::<Term>(node, NOBODY, "erlang", "node", ()).await, Err(RpcError::NoConnection));
        assert!(matches!(rpc::call::<i64>(node, &them, "erlang", "node", ()).await, Err(RpcError::Mismatch { .. })));
        // Somebody kills what runs there.
        erl.check("register(victims, spawn(fun() -> receive {P, kill} -> exit(P, kill) end end))", "true");
        let killed = "receive after 0 -> victims ! {self(), kill}, receive never -> ok end end";
        let killed = rpc::call::<Term>(node, &them, "guest", "eval", (killed,)).await;
        assert_eq!(killed, Err(RpcError::Signal(t("killed"))));
        // Through rex.
        assert_eq!(rpc::block_call::<Atom>(node, &them, "erlang", "node", (), PATIENCE).await, Ok(them.clone()));
        assert_eq!(rpc::block_call::<Term>(node, &them, "erlang", "exit", (Atom::new("x"),), None).await, Err(RpcError::Exited(t("x"))));
        assert!(matches!(rpc::block_call::<Term>(node, &them, "no", "such", (), None).await, Err(RpcError::Failed { reason, .. }) if reason == t("undef")));
        assert_eq!(rpc::block_call::<Term>(node, NOBODY, "erlang", "node", (), None).await, Err(RpcError::NoConnection));
        assert_eq!(rpc::block_call::<Term>(node, &them, "timer", "sleep", (200,), soon).await, Err(RpcError::Timeout));
        // Many nodes.
        let peers = [them.clone(), us.clone(), Atom::new(NOBODY)];
        let all = rpc::multicall::<bool>(node, peers.clone(), "erlang", "is_alive", (), None).await;
        assert_eq!((all.results, all.bad_nodes), (vec![Ok(true), Ok(true)], vec![Atom::new(NOBODY)]));
        let late = rpc::multicall::<Term>(node, [&them], "timer", "sleep", (60_000,), soon).await;
        assert_eq!((late.results, late.bad_nodes), (vec![], vec![them.clone()]));
        let sorted = rpc::everywhere(node);
        assert_eq!(sorted, [us.clone(), them.clone()]);
        let squares = rpc::pmap::<i64>(node, "erlang", "abs", (), [-1, 2, -3]).await;
        assert_eq!(squares, Ok(vec![1, 2, 3]));
        let nodes = rpc::parallel_eval::<Atom>(node, vec![(Atom::new("erlang"), Atom::new("node"), vec![]); 3]).await;
        assert_eq!(nodes, [Ok(us.clone()), Ok(them.clone()), Ok(us.clone())]);
        // Servers by name, broadcasts, casts.
        let got = |what: &str| t(&format!("{{got, {what}}}"));
        assert_eq!(rpc::server_call::<Term>(node, &them, "asker", Atom::new("asker"), Atom::new("hi")).await, Ok(got("hi")));
        assert_eq!(rpc::server_call::<Term>(node, &them, "nobody", Atom::new("x"), Atom::new("hi")).await, Err(RpcError::NoConnection));
        let replies = rpc::multi_server_call(node, peers.clone(), "asker", Atom::new("hi")).await;
        assert_eq!((replies.replies, replies.bad_nodes), (vec![got("hi"), got("hi")], vec![Atom::new(NOBODY)]));
        let (their_name, their) = (them.clone(), quoted(them.as_str()));
        let unread = ours.run(move |mut ctx: Ctx| async move {
            let me = ctx.pid();
            let reached = rpc::sbcast(&ctx, peers.clone(), "asker", (me.clone(), Atom::new("all"))).await;
            assert_eq!(reached.good.len(), 2, "{reached:?}");
            assert_eq!(reached.bad, [Atom::new(NOBODY)]);
            let nowhere = rpc::sbcast(&ctx, [&their_name], "no_such_name", Atom::new("x")).await;
            assert_eq!(nowhere.bad, std::slice::from_ref(&their_name));
            rpc::abcast(&ctx, [&their_name], "asker", (me.clone(), Atom::new("one")));
            rpc::cast(&ctx, &their_name, "erlang", "send", (me.clone(), Atom::new("cast")));
            rpc::eval_everywhere(&ctx, [&their_name], "erlang", "send", (me, Atom::new("cast")));
            let mut heard = Vec::new();
            for _ in 0..5 {
                heard.push(message(&mut ctx).await.to_string());
            }
            heard.sort();
            (heard, ctx.unread())
        });
        let (heard, rest) = unread.await;
        assert_eq!(heard.iter().filter(|text| *text == "cast").count(), 2, "{heard:?}");
        assert_eq!(heard.iter().filter(|text| text.contains("{got,all}")).count(), 2, "{heard:?}");
        assert!(heard.contains(&format!("{{asker,{their},{{got,one}}}}")), "{heard:?}");
        assert_eq!(rest, []);
        let pid = call("erlang", "whereis", vec![t("rex")]).await.unwrap();
        let pid = pid.as_pid().unwrap();
        assert_eq!(rpc::pinfo_of(node, pid, Atom::new("registered_name")).await, Ok(t("{registered_name, rex}")));
        assert!(rpc::pinfo(node, pid).await.unwrap().as_list().is_some());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_is_given_up_leaves_nothing_behind() {
    both_dialling(async |meeting| {
        let Meeting { erl, ours, .. } = meeting;
        let them = Atom::new(&erl.name);
        let processes = ours.process_count();
        let (node, peer) = (ours.clone(), them.clone());
        let unread = ours.run(move |mut ctx: Ctx| async move {
            for _ in 0..20 {
                let soon = Duration::from_millis(5);
                let late = rpc::call_within::<Term>(&ctx, &peer, "timer", "sleep", (100,), soon).await;
                assert_eq!(late, Err(RpcError::Timeout));
                drop(rpc::async_call::<Term>(&node, &peer, "timer", "sleep", (100,)));
            }
            ctx.sleep(Duration::from_millis(250)).await;
            ctx.unread()
        });
        assert_eq!(unread.await, []);
        trunkline_tests::world::eventually("all helpers end", async || ours.process_count() <= processes)
            .await;
        // Nor there: nobody watches the processes that still run.
        rpc::async_call::<Term>(
            ours,
            &them,
            "guest",
            "eval",
            ("register(sleeper, self()), receive never -> ok end",),
        )
        .nb_yield(Duration::from_millis(1))
        .await;
        erl.until(
            "case whereis(sleeper) of undefined -> none; P -> process_info(P, monitored_by) end",
            "{monitored_by,[]}",
        );
        erl.check("exit(whereis(sleeper), kill)", "true");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn otp_has_our_node_call_others() {
    both_dialling(async |meeting| {
        let Meeting { erl, ours, .. } = meeting;
        export(ours);
        erl.check(THEIR_SERVER, "ok");
        for (expression, value) in [
            ("rpc:call(Us, rpc, call, [node(), erlang, abs, [-1]])", "1"),
            ("rpc:call(Us, rpc, call, [node(), erlang, abs, [-1], 20000])", "1"),
            ("rpc:call(Us, rpc, call, [node(), timer, sleep, [60000], 20])", "{badrpc,timeout}"),
            ("rpc:call(Us, rpc, call, [nobody@localhost, erlang, abs, [-1]])", "{badrpc,nodedown}"),
            ("element(1, element(2, element(2, rpc:call(Us, rpc, call, [node(), erlang, abs, not_a_list]))))", "badarg"),
            ("rpc:call(Us, rpc, block_call, [node(), erlang, abs, [-1]])", "1"),
            ("rpc:call(Us, rpc, cast, [node(), erlang, send, [self(), c]]), receive c -> ok after 20000 -> lost end", "ok"),
            ("rpc:call(Us, rpc, multicall, [[node(), nobody@localhost], erlang, abs, [-1]])", "{[1],[nobody@localhost]}"),
            ("rpc:call(Us, rpc, multicall, [[node()], erlang, abs, [-1], 20000])", "{[1],[]}"),
            ("lists:sort(element(1, rpc:call(Us, rpc, multicall, [erlang, node, []]))) =:= lists:sort([node(), Us])", "true"),
            ("lists:sort(element(1, rpc:call(Us, rpc, multicall, [erlang, node, [], 20000]))) =:= lists:sort([node(), Us])", "true"),
            ("rpc:call(Us, rpc, eval_everywhere, [[node()], erlang, send, [self(), e]]), receive e -> ok after 20000 -> lost end", "ok"),
            ("rpc:call(Us, rpc, server_call, [node(), asker, asker, hi])", "{got,hi}"),
            ("rpc:call(Us, rpc, multi_server_call, [[node(), nobody@localhost], asker, hi])", "{[{got,hi}],[nobody@localhost]}"),
            ("rpc:call(Us, rpc, sbcast, [[node()], asker, {self(), s}]) =:= {[node()], []}", "true"),
            ("receive {asker, _, {got, s}} -> ok after 20000 -> lost end", "ok"),
            ("rpc:call(Us, rpc, abcast, [[node()], asker, {self(), a}]), receive {asker, _, {got, a}} -> ok after 20000 -> lost end", "ok"),
            ("rpc:call(Us, rpc, parallel_eval, [[{erlang, node, []}, {erlang, node, []}]]) =:= [Us, node()]", "true"),
            ("rpc:call(Us, rpc, pmap, [{calc, same}, [], []])", "[]"),
            ("rpc:call(Us, rpc, pmap, [{no, such}, [], [1]])", "{badrpc,{'EXIT',badrpc}}"),
            ("rpc:call(Us, rpc, pinfo, [whereis(rex), registered_name])", "{registered_name,rex}"),
            ("erpc:call(Us, erpc, call, [node(), erlang, abs, [-1]])", "1"),
            ("erpc:call(Us, erpc, call, [node(), fun erlang:node/0]) =:= node()", "true"),
            ("try erpc:call(Us, erpc, call, [node(), erlang, exit, [x]]) catch exit:{exception, R} -> R end", "{exception,x}"),
            ("try erpc:call(Us, erpc, call, [nobody@localhost, erlang, node, [], 20000]) catch error:{exception, R, _} -> R end", "{erpc,noconnection}"),
            ("try erpc:call(Us, erpc, call, [node(), erlang, throw, [x]]) catch throw:R -> R end", "x"),
            ("erpc:call(Us, erpc, multicall, [[node(), nobody@localhost], erlang, abs, [-1]])", "[{ok,1},{error,{erpc,noconnection}}]"),
            ("erpc:call(Us, erpc, multicall, [[node()], erlang, exit, [x], 20000])", "[{exit,{exception,x}}]"),
            ("erpc:call(Us, erpc, cast, [node(), erlang, send, [self(), c]]), receive c -> ok after 20000 -> lost end", "ok"),
            ("erpc:call(Us, erpc, multicast, [[node()], erlang, send, [self(), m]]), receive m -> ok after 20000 -> lost end", "ok"),
            ("try erpc:call(Us, erpc, call, [1, 2, 3, 4]) catch error:{exception, R, _} -> R end", "{erpc,badarg}"),
        ] {
            erl.scene(expression, value);
        }
    })
    .await;
}
