//! Against a live `erl`: both dialling directions, visible and hidden, and what OTP's own tools say of us.

extern crate trunkline_kernel as kernel;

mod common;

use std::time::Duration;

use common::*;
use kernel::net_kernel::{self, Kind};
use kernel::rpc::{self, RpcError};
use runtime::{Down, ExitSignal};
use term::{Atom, FromTerm, Pid, Term};

async fn call(node: &kernel::Node, module: &str, function: &str, arguments: Vec<Term>) -> Term {
    let answer = rpc::call_within(node, OTP, module, function, arguments, PATIENCE).await;
    answer.unwrap_or_else(|error| panic!("{module}:{function}: {error}"))
}

/// Evaluates Erlang on the other side.
async fn eval(node: &kernel::Node, expressions: &str) -> Term {
    let tokens = call(node, "erl_scan", "string", vec![Term::string(expressions)]).await;
    let (_, tokens, _) = <(Atom, Term, Term)>::from_term(&tokens).unwrap();
    let (_, parsed) =
        <(Atom, Term)>::from_term(&call(node, "erl_parse", "parse_exprs", vec![tokens]).await).unwrap();
    let answer = call(node, "erl_eval", "exprs", vec![parsed, Term::NIL]).await;
    <(Atom, Term, Term)>::from_term(&answer).unwrap().1
}

const OTP: &str = "otp@localhost";
const OURS: &str = "ours@localhost";

/// Our node and an `erl` that is up: it has pinged us.
async fn pair(flags: &[&str], hidden: bool) -> Option<(kernel::Node, Erl, u16)> {
    if !erl_is_here() {
        return None;
    }
    let epmd = private_epmd();
    let builder = node(OURS, epmd);
    let ours = if hidden { builder.hidden() } else { builder }.start().await.unwrap();
    let mut heard = news(&ours);
    let flags = [&["-setcookie", COOKIE], flags].concat();
    let erl = Erl::start("otp@localhost", epmd, &flags, "net_adm:ping('ours@localhost').");
    until(&mut heard, "nodeup", OTP).await;
    Some((ours, erl, epmd))
}

#[tokio::test(flavor = "multi_thread")]
async fn otp_dials_us_and_takes_us_for_one_of_its_own() {
    let Some((ours, mut erl, _)) = pair(&[], false).await else { return };
    assert_eq!(ours.nodes(), [Atom::new(OTP)]);
    assert!(eval(&ours, "nodes().").await == Term::list([Term::atom(OURS)]));
    ours.ping(OTP).await.unwrap();
    assert!(eval(&ours, "net_adm:ping('ours@localhost').").await.is_atom("pong"));
    assert!(
        eval(&ours, "element(1, hd(element(2, net_adm:names()))).").await == Term::string("ours")
            || eval(&ours, "lists:sort([N || {N, _} <- element(2, net_adm:names())]).").await
                == Term::list([Term::string("otp"), Term::string("ours")])
    );
    let mut heard = news(&ours);
    erl.kill().await;
    until(&mut heard, "nodedown", OTP).await;
    assert!(ours.nodes().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn we_dial_otp_and_it_sees_us_again_after_a_disconnect() {
    let Some((ours, _erl, _)) = pair(&[], false).await else { return };
    for _ in 0..5 {
        assert!(ours.disconnect(OTP).await);
        assert!(ours.nodes().is_empty());
        ours.connect(OTP).await.unwrap();
        ours.ping(OTP).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hidden_node_of_either_kind_is_not_in_nodes() {
    let Some((ours, _erl, _)) = pair(&[], true).await else { return };
    assert!(ours.nodes().is_empty());
    assert_eq!(ours.nodes_of(Kind::Hidden), [Atom::new(OTP)]);
    assert!(
        eval(&ours, "{nodes(), nodes(hidden)}.").await
            == Term::tuple([Term::NIL, Term::list([Term::atom(OURS)])])
    );
    let Some((ours, _erl, _)) = pair(&["-hidden"], false).await else { return };
    assert!(ours.nodes().is_empty());
    assert_eq!(ours.nodes_of(Kind::Hidden), [Atom::new(OTP)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_cookie_is_refused_in_both_directions() {
    if !erl_is_here() {
        return;
    }
    let epmd = private_epmd();
    let ours = node(OURS, epmd).start().await.unwrap();
    let script = "pang = net_adm:ping('ours@localhost'), register(waiter, spawn(fun() -> receive after infinity -> ok end end)), \
                  receive after infinity -> ok end.";
    let _erl = Erl::start("otp@localhost", epmd, &["-setcookie", "other"], script);
    // It has dialled us and been refused when we can reach its port and are refused in turn.
    eventually("otp answers", async || {
        let refused = ours.connect(OTP).await.unwrap_err().to_string();
        refused.contains("cookie")
    })
    .await;
    assert!(ours.nodes_of(Kind::Connected).is_empty());
    net_kernel::set_cookie_of(&ours, OTP, kernel::Cookie::new("other").unwrap());
    ours.connect(OTP).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn links_monitors_and_spawns_work_both_ways() {
    let Some((ours, mut erl, _)) = pair(&[], false).await else { return };
    ours.export("math", "add", |a: i64, b: i64| a + b);
    assert!(eval(&ours, "rpc:call('ours@localhost', math, add, [1, 2]).").await == Term::Int(3));
    assert!(eval(&ours, "erpc:call('ours@localhost', math, add, [1, 2]).").await == Term::Int(3));
    let undefined = eval(&ours, "rpc:call('ours@localhost', math, sub, [1, 2]).").await;
    assert!(undefined.to_string().contains("undef"), "{undefined}");
    let spawned = "{P, R} = spawn_monitor('ours@localhost', math, add, [1, 2]), \
                   receive {'DOWN', R, process, P, Why} -> Why after 5000 -> late end.";
    assert!(eval(&ours, spawned).await.is_atom("normal"));
    let missing = "process_flag(trap_exit, true), P = spawn_link('ours@localhost', no, such, []), \
                   receive {'EXIT', P, {undef, _}} -> ok after 5000 -> late end.";
    assert!(eval(&ours, missing).await.is_atom("ok"));
    let noproc = "R = monitor(process, {nobody, 'ours@localhost'}), \
                  receive {'DOWN', R, process, {nobody, 'ours@localhost'}, noproc} -> ok after 5000 -> late end.";
    assert!(eval(&ours, noproc).await.is_atom("ok"));

    let pid = eval(&ours, "spawn(fun() -> receive stop -> exit(bye) end end).").await;
    let pid = Pid::from_term(&pid).unwrap();
    let ends = ours
        .run(move |mut ctx| async move {
            ctx.set_trap_exit(true);
            ctx.link(&pid);
            let reference = ctx.monitor(&pid);
            ctx.send(&pid, Atom::new("stop"));
            let exit: ExitSignal = ctx.receive().await;
            let down: Down = ctx.receive().await;
            (exit.reason, down.reference == reference, down.reason)
        })
        .await;
    assert!(ends.0.is_atom("bye") && ends.1 && ends.2.is_atom("bye"));

    let sleeper = eval(&ours, "spawn(fun() -> receive after infinity -> ok end end).").await;
    let sleeper = Pid::from_term(&sleeper).unwrap();
    let (ready, wait) = tokio::sync::oneshot::channel();
    let watching = tokio::spawn({
        let ours = ours.clone();
        async move {
            ours.run(move |mut ctx| async move {
                ctx.set_trap_exit(true);
                ctx.link(&sleeper);
                ctx.monitor(&sleeper);
                ctx.send(&sleeper, 1_i64);
                let _ = ready.send(());
                let exit: ExitSignal = ctx.receive().await;
                let down: Down = ctx.receive().await;
                (exit.reason, down.reason)
            })
            .await
        }
    });
    wait.await.unwrap();
    erl.kill().await;
    let (exit, down) = watching.await.unwrap();
    assert!(exit.is_atom("noconnection") && down.is_atom("noconnection"));
}

#[tokio::test(flavor = "multi_thread")]
async fn otp_s_tools_find_what_they_expect() {
    let Some((ours, _erl, _)) = pair(&[], false).await else { return };
    let calls = [
        ("global:set_lock({r, self()}).", "true"),
        ("global:trans({r2, self()}, fun() -> ok end).", "ok"),
        ("gen_server:call({net_kernel, 'ours@localhost'}, nodename).", "ours@localhost"),
        ("rpc:call('ours@localhost', erlang, whereis, [nobody]).", "undefined"),
        (
            "gen_server:call({rex, 'ours@localhost'}, {call, erlang, node, [], group_leader()}).",
            "ours@localhost",
        ),
        (
            "{rex, 'ours@localhost'} ! {self(), {call, erlang, node, [], user}}, receive {rex, N} -> N after 5000 -> late end.",
            "ours@localhost",
        ),
        ("rpc:multicall(['ours@localhost'], erlang, is_alive, []).", "{[true],[]}"),
        ("rpc:call('ours@localhost', net_adm, ping, [node()]).", "pong"),
        ("rpc:call('ours@localhost', erlang, system_info, [otp_release]).", "[50,55]"),
        (
            "gen_server:multi_call(['ours@localhost'], net_kernel, {is_auth, node()}).",
            "{[{ours@localhost,yes}],[]}",
        ),
        ("rpc:call('ours@localhost', net_kernel, get_net_ticktime, []).", "60"),
        (
            "P = rpc:call('ours@localhost', erlang, whereis, [rex]), \
          rpc:call('ours@localhost', erlang, process_info, [P, registered_name]).",
            "{registered_name,rex}",
        ),
        (
            "P = rpc:call('ours@localhost', erlang, whereis, [rex]), \
          lists:member(P, rpc:call('ours@localhost', erlang, processes, [])).",
            "true",
        ),
        ("is_integer(rpc:call('ours@localhost', erlang, memory, [total])).", "true"),
    ];
    for (expression, expected) in calls {
        let answer = eval(&ours, expression).await;
        assert_eq!(answer.to_string(), expected, "{expression}");
    }
    let gone = rpc::call_within::<Term>(&ours, OTP, "erlang", "error", (Atom::new("oops"),), PATIENCE).await;
    assert!(matches!(gone, Err(RpcError::Failed { reason, .. }) if reason.is_atom("oops")));
    let thrown = rpc::call_within::<Term>(&ours, OTP, "erlang", "throw", (Atom::new("up"),), PATIENCE).await;
    assert_eq!(thrown, Err(RpcError::Threw(Term::atom("up"))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_life_of_a_peer_replaces_the_first() {
    let Some((ours, mut erl, epmd)) = pair(&[], false).await else { return };
    let mut heard = news(&ours);
    erl.kill().await;
    let _again =
        Erl::start("otp@localhost", epmd, &["-setcookie", COOKIE], "net_adm:ping('ours@localhost').");
    until(&mut heard, "nodedown", OTP).await;
    until(&mut heard, "nodeup", OTP).await;
    ours.ping(OTP).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn output_from_afar_appears_here() {
    if !erl_is_here() {
        return;
    }
    let epmd = private_epmd();
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let ours = node(OURS, epmd).output(move |text| drop(tell.send(text.to_owned()))).start().await.unwrap();
    let mut heard = news(&ours);
    let _erl = Erl::start("otp@localhost", epmd, &["-setcookie", COOKIE], "net_adm:ping('ours@localhost').");
    until(&mut heard, "nodeup", OTP).await;
    eval(&ours, "io:format(rpc:call('ours@localhost', erlang, whereis, [user]), \"hello ~p~n\", [[1,2]]).")
        .await;
    let text = tokio::time::timeout(Duration::from_secs(10), told.recv()).await.unwrap();
    assert_eq!(text.as_deref(), Some("hello [1,2]\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nameless_erl_is_given_a_name() {
    if !erl_is_here() {
        return;
    }
    let epmd = private_epmd();
    let ours = node(OURS, epmd).start().await.unwrap();
    let mut heard = news(&ours);
    let script = "true = net_kernel:connect_node('ours@localhost').";
    let _erl = Erl::start("undefined", epmd, &["-setcookie", COOKIE], script);
    let named = tokio::time::timeout(PATIENCE, heard.recv()).await.unwrap().unwrap();
    assert_eq!(named.0, "nodeup");
    let (local, host) = named.1.split_once('@').unwrap();
    assert!(!local.is_empty() && !host.is_empty());
    assert_eq!(ours.nodes_of(Kind::Hidden), [Atom::new(&named.1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn erl_call_calls_a_function_of_ours() {
    if !erl_is_here() {
        return;
    }
    let epmd = private_epmd();
    let ours = node(OURS, epmd).start().await.unwrap();
    ours.export("math", "add", |a: i64, b: i64| a + b);
    let calling = tokio::process::Command::new("erl_call")
        .args(["-sname", OURS, "-c", COOKIE, "-a", "math add [40,2]"])
        .env("ERL_EPMD_PORT", epmd.to_string())
        .output();
    match tokio::time::timeout(PATIENCE, calling).await.expect("erl_call ends") {
        Ok(output) => assert_eq!(String::from_utf8_lossy(&output.stdout), "42", "{output:?}"),
        Err(error) => println!("SKIPPED: there is no erl_call on this machine: {error}"),
    }
}
