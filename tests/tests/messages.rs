//! Messages between our nodes and OTP's: to pids, to names, and every type of data there and back.

use trunkline::{Atom, Ctx, Node, Pid, Term};
use trunkline_tests::meeting::{Meeting, both_dialling, in_every_way};
use trunkline_tests::world::{self, t};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_reach_pids_and_names_in_every_way_of_meeting() {
    in_every_way(async |meeting| {
        let Meeting { erl, ours, way } = meeting;
        erl.check("{echo, Us} ! {self(), hello}, receive {echo, hello} -> by_name after 20000 -> lost end", "by_name");
        erl.check("P = erpc:call(Us, erlang, whereis, [echo]), node(P) =:= Us", "true");
        erl.check("P ! {self(), 42}, receive {echo, 42} -> by_pid after 20000 -> lost end", "by_pid");
        erl.check("erlang:send(P, {self(), 43}, [noconnect, nosuspend])", "ok");
        erl.check("receive {echo, 43} -> came after 20000 -> lost end", "came");
        erl.check("[A, B] = [{self(), X} || X <- [first, second]], P ! A, P ! B, [receive {echo, Y} -> Y end || _ <- [A, B]]", "[first,second]");
        let them = erl.name.clone();
        let there: Pid = ours.call(them.as_str(), "erlang", "whereis", (Atom::new("echo"),)).await.unwrap();
        let said = ours.run(move |mut ctx: Ctx| async move {
            let me = ctx.pid();
            ctx.send(("echo", them.as_str()), (me.clone(), 1));
            let by_name = world::message(&mut ctx).await;
            ctx.send(&there, (me, Term::Pid(there.clone())));
            (by_name, world::message(&mut ctx).await == Term::tuple([Term::atom("echo"), Term::Pid(there)]))
        });
        assert_eq!(said.await, (t("{echo, 1}"), true), "{way}");
        // To a name that nobody has, and to a process that is gone: nothing happens, the connection stays.
        erl.check("{nobody, Us} ! hello, P ! {self(), still_there}, receive {echo, S} -> S after 20000 -> lost end", "still_there");
    })
    .await;
}

/// OTP 28 and later send what is urgent, and what goes to an alias, as a signal of its own: `ALTACT_SIG_SEND`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_urgent_to_newer_releases_arrives() {
    both_dialling(async |meeting| {
        let Meeting { erl, ours, .. } = meeting;
        if erl.eval("list_to_integer(erlang:system_info(otp_release)) >= 28") == "false" {
            return;
        }
        ours.export_async("tests", "victim", |mut ctx: Ctx| async move {
            let _: Term = ctx.receive().await;
            Term::NIL
        });
        erl.eval("P = erpc:call(Us, erlang, whereis, [echo])");
        erl.scene("erlang:send(P, {self(), 1}, [priority]), receive {echo, X} -> X ?WAIT end", "1");
        erl.scene("erlang:send({echo, Us}, {self(), 2}, [priority]), receive {echo, X} -> X ?WAIT end", "2");
        erl.scene("A = alias([priority]), P ! {A, 3}, receive {echo, X} -> X ?WAIT end", "3");
        erl.scene(
            "{V, M} = spawn_monitor(Us, tests, victim, []), exit(V, urgent, [priority]), \
             receive {'DOWN', M, process, V, Why} -> Why ?WAIT end",
            "urgent",
        );
        erl.check("net_adm:ping(Us)", "pong");
    })
    .await;
}

/// Values that both sides can write down.
const WRITTEN: &[&str] = &[
    "0",
    "1",
    "-1",
    "255",
    "256",
    "-256",
    "2147483647",
    "-2147483648",
    "134217727",
    "134217728",
    "-134217729",
    "2147483648",
    "4294967296",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "1606938044258990275541962092341162602522202993782792835301376",
    "0.0",
    "-0.0",
    "1.5",
    "-2.75",
    "1.7976931348623157e308",
    "5.0e-324",
    "3.141592653589793",
    "a",
    "''",
    "'with space'",
    "'Ünïcode'",
    "'日本語'",
    "'$gen_call'",
    "true",
    "undefined",
    "{}",
    "{a}",
    "{a,b,{c,{d}}}",
    "[]",
    "[1]",
    "[1,2,3]",
    "[256,257]",
    "[a|b]",
    "[1,2|3]",
    "[[]|[[]]]",
    "\"string\"",
    "[1,a,\"s\",{}]",
    "[0,255,256]",
    "<<>>",
    "<<1,2,3>>",
    "<<\"binary\">>",
    "<<255:7>>",
    "<<1:1>>",
    "<<1,2,3:3>>",
    "#{}",
    "#{a => 1}",
    "#{1 => a, 1.0 => b, <<\"k\">> => #{n => []}, {t} => [l]}",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_both_sides_can_write_down_is_the_same_on_both_sides() {
    both_dialling(async |meeting| {
        let Meeting { erl, ours, .. } = meeting;
        for text in WRITTEN {
            let value = t(text);
            let (checked, back) = tell(ours, &erl.name, value.clone(), text).await;
            assert_eq!(checked, t("{checked, true}"), "OTP reads {text} as we wrote it");
            assert_same(text, &back, &value);
            erl.check(&format!("guest:there_and_back({{echo, Us}}, {text})"), "true");
        }
    })
    .await;
}

/// Has OTP compare the value with what it writes itself, and echo it.
async fn tell(ours: &Node, them: &str, value: Term, text: &'static str) -> (Term, Term) {
    let them = them.to_owned();
    let told = ours.run(move |mut ctx: Ctx| async move {
        let me = Term::Pid(ctx.pid());
        let check = Term::tuple([Term::atom("check"), value.clone(), Term::binary(text)]);
        ctx.send(("echo", them.as_str()), Term::tuple([me.clone(), check]));
        let checked = world::message(&mut ctx).await;
        ctx.send(("echo", them.as_str()), Term::tuple([me, value]));
        (checked, world::message(&mut ctx).await)
    });
    told.await
}

#[track_caller]
fn assert_same(text: &str, back: &Term, value: &Term) {
    let [_, back] = back.as_tuple().expect("{echo, Value}") else { panic!("{back:?}") };
    assert!(back.cmp_exact(value).is_eq() && back == value, "{text} came back as {back:?}");
    assert_eq!(trunkline::term::encode(back), trunkline::term::encode(value), "{text} has other bytes");
}

/// Values that only Erlang can make.
const MADE: &[&str] = &[
    "self()",
    "make_ref()",
    "hd(erlang:ports())",
    "erlang:alias()",
    "group_leader()",
    "P",
    "[P, self(), P]",
    "fun erlang:node/0",
    "fun lists:map/2",
    "guest:closure({self(), 1.5, [a]})",
    "fun(X) -> {X, Us} end",
    "list_to_atom(lists:duplicate(255, $x))",
    "list_to_atom(lists:duplicate(255, 16#65e5))",
    "1 bsl 5000",
    "-(1 bsl 5000)",
    "1 bsl 100000",
    "(1 bsl 2040) - 1",
    "1 bsl 2040",
    "list_to_tuple(lists:seq(1, 255))",
    "list_to_tuple(lists:seq(1, 300))",
    "lists:seq(1, 100000)",
    "lists:duplicate(65535, $a)",
    "lists:duplicate(65536, $a)",
    "lists:duplicate(100, [])",
    "lists:foldl(fun(_, A) -> [A] end, [], lists:seq(1, 100000))",
    "lists:foldl(fun(_, A) -> {A} end, {}, lists:seq(1, 100000))",
    "lists:foldl(fun(_, A) -> #{k => A} end, #{}, lists:seq(1, 10000))",
    "maps:from_list([{N, N * N} || N <- lists:seq(1, 32)])",
    "maps:from_list([{{N}, N} || N <- lists:seq(1, 33)])",
    "maps:from_list([{integer_to_binary(N), N} || N <- lists:seq(1, 10000)])",
    "[list_to_atom(\"trunkline_atom_\" ++ integer_to_list(N)) || N <- lists:seq(1, 3000)]",
    "[math:pow(N, 1.7) / 3 || N <- lists:seq(1, 1000)]",
    "<<(binary:copy(<<5>>, 70000))/binary, 1:5>>",
    "binary_to_list(binary:copy(<<0, 255>>, 1000))",
    "erlang:fun_info(fun lists:map/2)",
    "c:lm()",
    "erlang:system_info(system_version)",
    "ets:new(table, [])",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_only_erlang_can_make_survives_the_way_through_us() {
    both_dialling(async |meeting| {
        let Meeting { erl, .. } = meeting;
        erl.eval("P = erpc:call(Us, erlang, whereis, [echo])");
        for text in MADE {
            let answer = erl.eval(&format!("guest:there_and_back(P, {text})"));
            assert_eq!(answer, "true", "{text}");
        }
        erl.check("P ! {self(), guest:closure(7)}, receive {echo, F} -> F(8) after 20000 -> lost end", "{7,8}");
        erl.check("P ! {self(), fun(X) -> X * 2 end}, receive {echo, G} -> G(21) after 20000 -> lost end", "42");
        erl.check("A = erlang:alias([reply]), P ! {A, once}, P ! {A, twice}, receive {echo, O} -> O after 20000 -> lost end", "once");
        erl.check("P ! {self(), last}, receive {echo, L} -> L after 20000 -> lost end", "last");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sending_connects_from_either_side() {
    if !trunkline_tests::erl::found() {
        return;
    }
    let epmd = world::private_epmd();
    let mut erl = trunkline_tests::erl::Erl::start(&world::unique("erl"), epmd, &[]);
    erl.load_guest();
    let ours = world::node(&world::unique("ours"), epmd).start().await.unwrap();
    world::echo(&ours);
    let us = ours.name().to_string();
    erl.check(
        &format!("{{echo, {us}}} ! {{self(), hi}}, receive {{echo, H}} -> H after 20000 -> lost end"),
        "hi",
    );
    erl.check(&format!("erlang:disconnect_node({us}), nodes(connected)"), "[]");
    erl.check(&format!("erlang:send({{echo, {us}}}, hi, [noconnect])"), "noconnect");
    let them = Atom::new(&erl.name);
    world::eventually("it is gone", async || !ours.nodes().contains(&them)).await;
    let answers = ours.run(move |mut ctx: Ctx| async move {
        let me = ctx.pid();
        let noconnect = trunkline::SendOptions { noconnect: true, ..trunkline::SendOptions::default() };
        let sent = ctx.send_with(("echo", &them), (me.clone(), 0), noconnect);
        for number in 1..=100 {
            ctx.send(("echo", &them), (me.clone(), number));
        }
        let mut answers = Vec::new();
        while answers.len() < 100 {
            answers.push(world::message(&mut ctx).await);
        }
        (sent, answers)
    });
    let (sent, answers) = answers.await;
    assert_eq!(sent, trunkline::Sent::NoConnect);
    let expected: Vec<Term> = (1..=100).map(|number| t(&format!("{{echo, {number}}}"))).collect();
    assert_eq!(answers, expected);
}
