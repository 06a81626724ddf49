//! Calls between our nodes and OTP's: generic servers, erpc, rpc; their values, failures and timeouts.

use std::time::Duration;

use trunkline::otp::request::{self, CallError};
use trunkline::rpc::{self, RpcError};
use trunkline::{Atom, Ctx, Node, Term};
use trunkline_tests::meeting::{Meeting, both_dialling, in_every_way};
use trunkline_tests::world::{PATIENCE, t};

fn export(ours: &Node) {
    ours.export("math", "add", |a: i64, b: i64| a + b);
    ours.export("math", "crash", || -> i64 { panic!("boom") });
    ours.export("tests", "badrpc", || t("{'EXIT', returned}"));
    ours.export_async("tests", "never", std::future::pending::<i64>);
    ours.export_raw(
        "tests",
        "exit",
        Some(1),
        std::sync::Arc::new(|_, mut arguments| {
            Box::pin(async move { Err(trunkline::Exit(arguments.remove(0))) })
        }),
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn generic_servers_answer_across_in_every_way_of_meeting() {
    in_every_way(async |meeting| {
        let Meeting { erl, ours, way } = meeting;
        erl.check("gen_server:call({counter, Us}, {add, 2})", "2");
        erl.check("gen_server:cast({counter, Us}, {add, 5})", "ok");
        erl.check("gen_server:call({counter, Us}, {add, 0})", "7");
        erl.check("C = gen_server:call({counter, Us}, self), gen_server:call(C, {add, 1})", "8");
        let them = Atom::new(&erl.name);
        let answers = ours.run(move |mut ctx: Ctx| async move {
            let to = (Atom::new("counter"), them);
            let mut answers = Vec::new();
            let before = request::call(&mut ctx, to.clone(), t("{add, 0}"), None).await.unwrap();
            request::cast(&mut ctx, to.clone(), t("{add, 3}"));
            for question in ["{add, 2}", "{later, 9}"] {
                answers.push(request::call(&mut ctx, to.clone(), t(question), Some(PATIENCE)).await.unwrap());
            }
            let pid = request::call(&mut ctx, to, t("self"), None).await.unwrap();
            let sum = request::call(&mut ctx, pid.as_pid().unwrap(), t("{add, 0}"), None).await.unwrap();
            (before.as_int().unwrap(), answers, sum.as_int().unwrap(), ctx.unread())
        });
        let (before, answers, sum, rest) = answers.await;
        assert_eq!(answers, [Term::Int(before + 5), Term::Int(9)], "{way}");
        assert_eq!((sum, rest), (before + 5, vec![]), "{way}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_of_servers_that_are_not_there_do_not_answer_or_end_fail_as_in_otp() {
    both_dialling(async |meeting| {
        let Meeting { erl, ours, .. } = meeting;
        erl.scene("try gen_server:call({nobody, Us}, q) catch exit:{Why, _} -> Why end", "noproc");
        erl.scene("try gen_server:call({counter, Us}, never, 50) catch exit:{Why, _} -> Why end", "timeout");
        erl.scene(
            "try gen_server:call({counter, 'nobody@localhost'}, q) catch exit:{Why, _} -> Why end",
            "{nodedown,nobody@localhost}",
        );
        erl.scene("try gen_server:call({counter, Us}, {stop, boom}) catch exit:{Why, _} -> Why end", "boom");
        let them = Atom::new(&erl.name);
        let failures = ours.run(move |mut ctx: Ctx| async move {
            let soon = Some(Duration::from_millis(50));
            let mut failures = Vec::new();
            for (name, node, question, within) in [
                ("nobody", them.clone(), "q", None),
                ("counter", them.clone(), "never", soon),
                ("counter", Atom::new("nobody@localhost"), "q", None),
                ("counter", them, "{stop, boom}", None),
            ] {
                let answer = request::call(&mut ctx, (Atom::new(name), node), t(question), within).await;
                failures.push(answer.unwrap_err());
            }
            (failures, ctx.unread())
        });
        let expected =
            vec![CallError::NoProc, CallError::Timeout, CallError::NodeDown, CallError::Exited(t("boom"))];
        assert_eq!(failures.await, (expected, vec![]));
        erl.check("element(1, guest:start())", "ok");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_servers_are_asked_at_once() {
    both_dialling(async |meeting| {
        let Meeting { erl, .. } = meeting;
        erl.scene(
            "{Good, Bad} = gen_server:multi_call([node(), Us, 'nobody@localhost'], counter, {add, 0}), \
             {lists:sort([N || {N, S} <- Good, is_integer(S)]) =:= lists:sort([node(), Us]), Bad}",
            "{true,[nobody@localhost]}",
        );
        erl.check(
            "gen_server:abcast([Us], counter, {add, 100}), gen_server:call({counter, Us}, {add, 0})",
            "100",
        );
        erl.scene(
            "R = gen_server:send_request({counter, Us}, {add, 1}), gen_server:receive_response(R, 20000)",
            "{reply,101}",
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn otp_calls_our_functions_in_every_way_of_meeting() {
    in_every_way(async |meeting| {
        let Meeting { erl, ours, .. } = meeting;
        export(ours);
        erl.check("rpc:call(Us, math, add, [1, 2])", "3");
        erl.check("erpc:call(Us, math, add, [1, 2])", "3");
        erl.check("rpc:call(Us, erlang, node, []) =:= Us", "true");
        erl.check("erpc:call(Us, erlang, apply, [fun erlang:node/0, []]) =:= Us", "true");
        erl.check("rpc:block_call(Us, math, add, [3, 4])", "7");
        erl.check("gen_server:call({rex, Us}, {call, math, add, [5, 6], group_leader()})", "11");
        erl.check("rpc:yield(rpc:async_call(Us, math, add, [7, 8]))", "15");
        erl.check(
            "rpc:cast(Us, erlang, send, [self(), cast]), receive cast -> came after 20000 -> lost end",
            "came",
        );
        erl.check(
            "erpc:cast(Us, erlang, send, [self(), ecast]), receive ecast -> came after 20000 -> lost end",
            "came",
        );
        erl.check(
            "rpc:multicall([node(), Us, 'nobody@localhost'], erlang, is_alive, [])",
            "{[true,true],[nobody@localhost]}",
        );
        erl.check("[X || {ok, X} <- erpc:multicall([Us, Us], math, add, [1, 1])]", "[2,2]");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failures_of_our_functions_are_told_as_otp_tells_its_own() {
    both_dialling(async |meeting| {
        let Meeting { erl, ours, .. } = meeting;
        export(ours);
        erl.check("rpc:call(Us, no, such, [1])", "{badrpc,{'EXIT',{undef,[{no,such,[1],[]}]}}}");
        erl.check("rpc:call(Us, math, add, [1])", "{badrpc,{'EXIT',{undef,[{math,add,[1],[]}]}}}");
        erl.scene("try erpc:call(Us, no, such, [1]) catch error:{exception, R, S} -> {R, S} end", "{undef,[{no,such,[1],[]}]}");
        erl.scene("try erpc:call(Us, math, add, [1, x]) catch error:{exception, R, [{M, F, A, _} | _]} -> {R, M, F, A} end", "{function_clause,math,add,[1,x]}");
        erl.scene("try erpc:call(Us, tests, exit, [bye]) catch exit:{exception, R} -> R end", "bye");
        erl.check("rpc:call(Us, tests, exit, [bye])", "{badrpc,{'EXIT',bye}}");
        erl.check("rpc:call(Us, tests, badrpc, [])", "{badrpc,{'EXIT',returned}}");
        erl.scene("try erpc:call(Us, math, crash, []) catch error:{exception, {panic, T}, _} -> T end", "<<\"boom\">>");
        erl.check("rpc:call(Us, tests, never, [], 50)", "{badrpc,timeout}");
        erl.scene("try erpc:call(Us, tests, never, [], 50) catch error:{erpc, Why} -> Why end", "timeout");
        erl.scene("try erpc:call('nobody@localhost', tests, never, []) catch error:{erpc, Why} -> Why end", "noconnection");
        erl.scene("try erpc:call(Us, erlang, apply, [fun() -> ok end, []]) catch error:{exception, {badfun, F}, _} -> is_function(F) end", "true");
        erl.check("net_adm:ping(Us)", "pong");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn we_call_otps_functions_and_tell_their_failures_apart() {
    in_every_way(async |meeting| {
        let Meeting { erl, ours, way } = meeting;
        let them = erl.name.as_str();
        assert_eq!(
            ours.call::<Vec<i64>>(them, "lists", "seq", (1, 5)).await.unwrap(),
            [1, 2, 3, 4, 5],
            "{way}"
        );
        assert_eq!(ours.call::<Atom>(them, "erlang", "node", ()).await.unwrap(), Atom::new(them));
        let fail = async |module: &str, function: &str, arguments: Vec<Term>| {
            ours.call::<Term>(them, module, function, arguments).await.unwrap_err()
        };
        assert_eq!(fail("erlang", "exit", vec![t("bye")]).await, RpcError::Exited(t("bye")));
        assert_eq!(fail("erlang", "throw", vec![t("ball")]).await, RpcError::Threw(t("ball")));
        let RpcError::Failed { reason, trace } = fail("no", "such", vec![t("1")]).await else {
            panic!("undef")
        };
        assert_eq!((reason, trace), (t("undef"), t("[{no,such,[1],[]}]")));
        let RpcError::Failed { reason, .. } = fail("erlang", "error", vec![t("{my, own}")]).await else {
            panic!("error")
        };
        assert_eq!(reason, t("{my, own}"));
        let killed = fail("erlang", "apply", vec![t("erlang"), t("exit"), t("[killed]")]).await;
        assert_eq!(killed, RpcError::Exited(t("killed")));
        let soon = Duration::from_millis(50);
        let late =
            rpc::call_within::<Term>(ours, them, "timer", "sleep", (Atom::new("infinity"),), soon).await;
        assert_eq!(late, Err(RpcError::Timeout), "{way}");
        let nowhere = ours.call::<Term>("nobody@localhost", "erlang", "node", ()).await;
        assert_eq!(nowhere, Err(RpcError::NoConnection));
        let all = rpc::multicall::<Atom>(
            ours,
            [them, ours.name().as_str(), "nobody@localhost"],
            "erlang",
            "node",
            (),
            PATIENCE,
        );
        let all = all.await;
        assert_eq!(all.results, [Ok(Atom::new(them)), Ok(ours.name().clone())], "{way}");
        assert_eq!(all.bad_nodes, [Atom::new("nobody@localhost")], "{way}");
    })
    .await;
}
