//! `erpc` between our nodes and OTP's, in both directions: outcomes told apart, requests, collections of them, many nodes.

use std::time::Duration;

use trunkline::erpc::{self, Error, RequestIds, Response};
use trunkline::rpc::Raise;
use trunkline::{Atom, Ctx, Node, Term};
use trunkline_tests::meeting::{Meeting, both_dialling};
use trunkline_tests::world::{PATIENCE, t};

const NOBODY: &str = "nobody@localhost";

fn export(ours: &Node) {
    ours.export("calc", "add", |a: i64, b: i64| a + b);
    ours.export("calc", "raise", |class: Atom, what: Term| -> Result<i64, Raise> {
        Err(match class.as_str() {
            "throw" => Raise::Throw(what),
            "exit" => Raise::Exit(what),
            _ => Raise::Error(what),
        })
    });
    ours.export("calc", "panic", || -> i64 { panic!("boom") });
    ours.export_async("calc", "die", |mut ctx: Ctx| async move {
        let me = ctx.pid();
        ctx.exit(&me, trunkline::Exit::kill());
        ctx.receive::<()>().await;
    });
    ours.export_async("calc", "never", std::future::pending::<i64>);
    ours.export_async("calc", "wait", |millis: u64, value: Term| async move {
        tokio::time::sleep(Duration::from_millis(millis)).await;
        value
    });
    ours.export_async("calc", "leader", |ctx: Ctx| async move { ctx.group_leader() });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn otp_uses_all_of_erpc_towards_our_node() {
    both_dialling(async |meeting| {
        let Meeting { erl, ours, .. } = meeting;
        export(ours);
        erl.eval("Try = fun(F) -> try {value, F()} catch C:R -> {C, R} end end");
        for (expression, value) in [
            ("Try(fun() -> erpc:call(Us, calc, add, [1, 2]) end)", "{value,3}"),
            ("Try(fun() -> erpc:call(Us, calc, add, [1, 2], 20000) end)", "{value,3}"),
            ("Try(fun() -> erpc:call(Us, fun erlang:node/0) =:= Us end)", "{value,true}"),
            ("Try(fun() -> erpc:call(Us, calc, raise, [throw, ball]) end)", "{throw,ball}"),
            ("Try(fun() -> erpc:call(Us, calc, raise, [exit, bye]) end)", "{exit,{exception,bye}}"),
            // An exit is one also where its reason looks like an error with its stack.
            ("Try(fun() -> erpc:call(Us, calc, raise, [exit, {badarg, [{m, f, 1, []}]}]) end)", "{exit,{exception,{badarg,[{m,f,1,[]}]}}}"),
            ("Try(fun() -> erpc:call(Us, calc, raise, [exit, {{nocatch, x}, []}]) end)", "{exit,{exception,{{nocatch,x},[]}}}"),
            ("{Qe, Me} = spawn_monitor(Us, calc, raise, [exit, {badarg, [{m, f, 1, []}]}]), receive {'DOWN', Me, _, Qe, We} -> We after 20000 -> lost end", "{badarg,[{m,f,1,[]}]}"),
            ("Try(fun() -> erpc:call(Us, calc, raise, [error, oops]) end)", "{error,{exception,oops,[{calc,raise,2,[]}]}}"),
            ("Try(fun() -> erpc:call(Us, calc, add, [1, x]) end)", "{error,{exception,function_clause,[{calc,add,[1,x],[]}]}}"),
            ("Try(fun() -> erpc:call(Us, calc, add, [1]) end)", "{error,{exception,undef,[{calc,add,[1],[]}]}}"),
            ("Try(fun() -> erpc:call(Us, no, such, []) end)", "{error,{exception,undef,[{no,such,[],[]}]}}"),
            (
                "{error, {exception, Why, [{calc, panic, 0, [{file, F}, {line, _}]}]}} = Try(fun() -> erpc:call(Us, calc, panic, []) end), {Why, F}",
                "{{panic,<<\"boom\">>},\"tests/tests/erpc.rs\"}",
            ),
            ("Try(fun() -> erpc:call(Us, calc, die, []) end)", "{exit,{signal,killed}}"),
            ("Try(fun() -> erpc:call(Us, calc, never, [], 20) end)", "{error,{erpc,timeout}}"),
            ("Try(fun() -> erpc:call(Us, calc, add, lists:seq(1, 3000)) end)", "{error,{erpc,system_limit}}"),
            ("Try(fun() -> erpc:call(Us, calc, leader, []) =:= group_leader() end)", "{value,true}"),
            // Requests.
            ("erpc:receive_response(erpc:send_request(Us, calc, add, [1, 2]))", "3"),
            ("(fun() -> R = erpc:send_request(Us, calc, wait, [100, x]), A = erpc:wait_response(R), \
              {A, erpc:wait_response(R, 20000)} end)()", "{no_response,{response,x}}"),
            ("(fun() -> R = erpc:send_request(Us, calc, add, [1, 2]), \
              receive M -> erpc:check_response(M, R) after 20000 -> lost end end)()", "{response,3}"),
            ("Try(fun() -> erpc:receive_response(erpc:send_request(Us, calc, never, []), 20) end)", "{error,{erpc,timeout}}"),
            ("(fun() -> C0 = erpc:reqids_new(), C1 = erpc:send_request(Us, calc, wait, [150, slow], a, C0), \
              C2 = erpc:send_request(Us, calc, add, [1, 2], b, C1), {3, b, C3} = erpc:receive_response(C2, infinity, true), \
              {{response, slow}, a, C4} = erpc:wait_response(C3, 20000, true), \
              {erpc:reqids_size(C2), erpc:reqids_size(C4), erpc:receive_response(C4, infinity, true)} end)()", "{2,0,no_request}"),
            // Many nodes.
            ("erpc:multicall([Us, nobody@localhost, Us], calc, add, [1, 2])", "[{ok,3},{error,{erpc,noconnection}},{ok,3}]"),
            ("[R || C <- [throw, exit], R <- erpc:multicall([Us], calc, raise, [C, x])]", "[{throw,x},{exit,{exception,x}}]"),
            ("erpc:multicall([Us], calc, raise, [error, x])", "[{error,{exception,x,[{calc,raise,2,[]}]}}]"),
            ("erpc:multicall([Us, Us], calc, never, [], 20)", "[{error,{erpc,timeout}},{error,{erpc,timeout}}]"),
            ("erpc:multicall([Us], calc, die, [])", "[{exit,{signal,killed}}]"),
            ("erpc:cast(Us, erlang, send, [self(), cast]), receive cast -> ok after 20000 -> lost end", "ok"),
            ("erpc:multicast([Us, Us], erlang, send, [self(), both]), [receive both -> ok after 20000 -> lost end || _ <- [1, 2]]", "[ok,ok]"),
            ("erpc:cast(Us, calc, raise, [exit, unheard])", "ok"),
            ("receive Late -> Late after 50 -> none end", "none"),
        ] {
            erl.scene(expression, value);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn we_use_all_of_erpc_towards_otp_and_towards_ourselves() {
    both_dialling(async |meeting| {
        let Meeting { erl, ours, .. } = meeting;
        export(ours);
        // What `guest` says on OTP's side, our own exports say here: the same answers in both places.
        let them = Atom::new(&erl.name);
        let us = ours.name().clone();
        let node: &Node = ours;
        for peer in [&them, &us] {
            let apply = async |function: &str, arguments: Vec<Term>| {
                erpc::call_within::<Term>(node, peer, "erlang", function, arguments, PATIENCE).await
            };
            assert_eq!(apply("node", vec![]).await, Ok(Term::Atom(peer.clone())));
            let undef = erpc::call::<Term>(node, peer, "no", "such", (1,)).await;
            assert_eq!(
                undef,
                Err(Error::Failed { reason: t("undef"), trace: t("[{no, such, [1], []}]") }),
                "{peer}"
            );
            let limit = apply("node", (0..3000).map(Term::Int).collect()).await;
            assert_eq!(limit, Err(Error::SystemLimit), "{peer}");
            let mismatch = erpc::call::<i64>(node, peer, "erlang", "node", ()).await;
            assert!(matches!(mismatch, Err(Error::Mismatch { .. })), "{peer}");
            let outcomes =
                erpc::multicall::<Atom>(node, [peer, &Atom::new(NOBODY)], "erlang", "node", (), PATIENCE)
                    .await;
            assert_eq!(outcomes, [Ok(peer.clone()), Err(Error::NoConnection)]);
        }
        for (class, error) in [
            ("throw", Error::Threw(t("x"))),
            ("exit", Error::Exited(t("x"))),
            ("error", Error::Failed { reason: t("x"), trace: t("[{calc, raise, 2, []}]") }),
        ] {
            let raised =
                erpc::call::<Term>(node, &us, "calc", "raise", (Atom::new(class), Atom::new("x"))).await;
            assert_eq!(raised, Err(error.clone()));
            let raised =
                erpc::call::<Term>(node, &them, "erlang", class, (Atom::new("x"),)).await.unwrap_err();
            assert_eq!(raised.to_exception().0, error.to_exception().0);
        }
        assert_eq!(erpc::call::<Term>(node, &us, "calc", "die", ()).await, Err(Error::Signal(t("killed"))));
        let soon = Duration::from_millis(20);
        for (peer, module, function) in [(&them, "timer", "sleep"), (&us, "calc", "wait")] {
            let arguments = if *peer == us { vec![t("60000"), t("x")] } else { vec![t("60000")] };
            let late = erpc::send_request::<Term>(node, peer, module, function, arguments.clone());
            assert_eq!(late.receive_response(soon).await, Err(Error::Timeout));
            let late = erpc::multicall::<Term>(node, [peer, peer], module, function, arguments, soon).await;
            assert_eq!(late, [Err(Error::Timeout), Err(Error::Timeout)]);
        }
        assert_eq!(erpc::call::<Term>(node, NOBODY, "erlang", "node", ()).await, Err(Error::NoConnection));
        // How OTP lists these outcomes.
        let listed: Vec<Term> = erpc::multicall::<Term>(
            node,
            [&us, &Atom::new(NOBODY)],
            "calc",
            "raise",
            (Atom::new("exit"), 7),
            None,
        )
        .await
        .into_iter()
        .map(erpc::listed)
        .collect();
        assert_eq!(Term::list(listed), t("[{exit, {exception, 7}}, {error, {erpc, noconnection}}]"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collection_gives_each_response_once_with_its_label() {
    both_dialling(async |meeting| {
        let Meeting { erl, ours, .. } = meeting;
        export(ours);
        let them = Atom::new(&erl.name);
        let us = ours.name().clone();
        let node: &Node = ours;
        let wait = |millis: i64| erpc::send_request::<Term>(node, &us, "calc", "wait", (millis, millis));
        let mut requests = RequestIds::new();
        assert_eq!(requests.receive_response(None).await, Ok(None));
        requests.add(wait(200), "slow");
        requests.add(erpc::send_request::<Term>(node, &them, "erlang", "abs", (-3,)), "near");
        requests.add(erpc::send_request::<Term>(node, NOBODY, "erlang", "abs", (-3,)), "nowhere");
        assert_eq!(requests.size(), 3);
        let mut heard = Vec::new();
        while let Some((result, label)) = requests.receive_response(PATIENCE).await.unwrap() {
            heard.push((label, result));
        }
        assert_eq!(heard[2], ("slow", Ok(t("200"))));
        heard.sort_by_key(|(label, _)| *label);
        assert_eq!(heard[..2], [("near", Ok(t("3"))), ("nowhere", Err(Error::NoConnection))]);
        // Not in time: everything goes on; or, with `receive_response`, is given up.
        requests.add(wait(60_000), "never");
        assert_eq!(requests.check_response(), Response::NoResponse);
        assert_eq!(requests.wait_response(Duration::from_millis(10)).await, Response::NoResponse);
        assert_eq!(requests.labels().collect::<Vec<_>>(), [&"never"]);
        assert_eq!(requests.receive_response(Duration::from_millis(10)).await, Err(Error::Timeout));
        assert!(requests.is_empty());
        // One that keeps.
        let mut kept = RequestIds::keeping();
        kept.add(wait(0), 1);
        assert_eq!(kept.receive_response(PATIENCE).await, Ok(Some((Ok(t("0")), 1))));
        assert_eq!(kept.wait_response(None).await, Response::NoResponse);
        assert_eq!(kept.size(), 1);
        assert!(kept.into_list()[0].0.is_done());
        // A request is a future: whichever of two comes first.
        let (slow, quick) = (wait(60_000), wait(1));
        tokio::select! {
            _ = slow => panic!("the slow one"),
            result = quick => assert_eq!(result, Ok(t("1"))),
        }
    })
    .await;
}
