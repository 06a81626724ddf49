//! `global` against live `erl`s: names, locks, conflicts and meshes across both kinds of nodes.

extern crate trunkline_kernel as kernel;

mod common;

use common::*;
use kernel::{Node, global, rpc};
use runtime::Ctx;
use term::{Atom, FromTerm, Pid, Term};

/// Evaluates Erlang on a node.
async fn eval(node: &Node, on: &str, expressions: &str) -> Term {
    let call = async |module: &str, function: &str, arguments: Vec<Term>| {
        let answer = rpc::call_within::<Term>(node, on, module, function, arguments, PATIENCE).await;
        answer.unwrap_or_else(|error| panic!("{expressions}: {error}"))
    };
    let tokens = call("erl_scan", "string", vec![Term::string(&format!("{expressions}."))]).await;
    let (_, tokens, _) = <(Atom, Term, Term)>::from_term(&tokens).unwrap();
    let (_, parsed) =
        <(Atom, Term)>::from_term(&call("erl_parse", "parse_exprs", vec![tokens]).await).unwrap();
    let answer = call("erl_eval", "exprs", vec![parsed, Term::NIL]).await;
    <(Atom, Term, Term)>::from_term(&answer).unwrap().1
}

/// Evaluates until the printed value is this.
async fn until_eval(node: &Node, on: &str, expressions: &str, value: &str) {
    let mut last = String::new();
    let wait = async {
        loop {
            last = eval(node, on, expressions).await.to_string();
            if last == value {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    let came = tokio::time::timeout(PATIENCE, wait).await.is_ok();
    assert!(came, "{on}: {expressions} is {last}, not {value}");
}

fn sleeper(node: &Node) -> Pid {
    node.spawn(|mut ctx: Ctx| async move {
        loop {
            let _: Term = ctx.receive().await;
        }
    })
}

async fn erl(name: &str, epmd: u16, flags: &[&str], script: &str) -> Erl {
    let flags = [&["-setcookie", COOKIE], flags].concat();
    Erl::start(name, epmd, &flags, script)
}

/// Connects as soon as the peer is up.
async fn connected(node: &Node, peer: &str) {
    eventually(&format!("{peer} is up"), async || node.connect(peer).await.is_ok()).await;
}

const OTP: &str = "otp@localhost";

#[tokio::test(flavor = "multi_thread")]
async fn a_name_registered_on_either_side_is_seen_on_the_other() {
    if !erl_is_here() {
        return;
    }
    for ours in ["aaa@localhost", "zzz@localhost"] {
        let epmd = private_epmd();
        let ours = node(ours, epmd).start().await.unwrap();
        let early = sleeper(&ours);
        assert!(global::register(&ours, "early", &early).await);
        let mut otp = erl(OTP, epmd, &[], "ok.").await;
        connected(&ours, OTP).await;
        global::sync(&ours).await;
        until_eval(&ours, OTP, "global:whereis_name(<<\"early\">>) =/= undefined", "true").await;

        // From them to us.
        let theirs = eval(
            &ours,
            OTP,
            "P = spawn(fun() -> receive stop -> ok end end), yes = global:register_name({their, 1}, P), P",
        )
        .await;
        let theirs = Pid::from_term(&theirs).unwrap();
        let name = (Atom::new("their"), 1_i64);
        assert_eq!(global::whereis(&ours, name.clone()), Some(theirs.clone()));
        let mine = sleeper(&ours);
        assert!(!global::register(&ours, name.clone(), &mine).await, "the name is taken");

        // From us to them.
        assert!(global::register(&ours, Atom::new("mine"), &mine).await);
        assert!(eval(&ours, OTP, "global:whereis_name(mine)").await == Term::Pid(mine.clone()));
        assert!(!global::register(&ours, Atom::new("mine too"), &mine).await, "one name is enough");
        let names = eval(&ours, OTP, "lists:sort(global:registered_names())").await;
        assert_eq!(names.to_string(), "[mine,{their,1},<<101,97,114,108,121>>]");
        assert_eq!(Term::list(global::registered_names(&ours)), names);

        // Both change what the other has.
        assert!(eval(&ours, OTP, "P = spawn(fun() -> receive stop -> ok end end), yes = global:re_register_name(mine, P), global:whereis_name(mine) =:= P").await.is_atom("true"));
        assert_eq!(
            global::whereis(&ours, Atom::new("mine")).map(|pid| pid.node.name().to_string()).as_deref(),
            Some(OTP)
        );
        global::re_register(&ours, Atom::new("mine"), &mine).await;
        assert!(eval(&ours, OTP, "global:whereis_name(mine)").await == Term::Pid(mine.clone()));
        global::unregister(&ours, name.clone()).await;
        assert!(eval(&ours, OTP, "global:whereis_name({their, 1})").await.is_atom("undefined"));
        eval(&ours, OTP, "global:unregister_name(mine)").await;
        assert_eq!(global::whereis(&ours, Atom::new("mine")), None);

        // Names end with their processes, and with their nodes.
        assert!(global::register(&ours, name.clone(), &theirs).await, "for a process of theirs");
        let dying = sleeper(&ours);
        assert!(global::register(&ours, "dying", &dying).await);
        ours.run(move |ctx| async move { ctx.exit(&dying, "kill") }).await;
        ours.run({
            let theirs = theirs.clone();
            move |mut ctx| async move { ctx.send(&theirs, Atom::new("stop")) }
        })
        .await;
        until_eval(&ours, OTP, "global:whereis_name(<<\"dying\">>)", "undefined").await;
        until_eval(&ours, OTP, "global:whereis_name({their, 1})", "undefined").await;
        eventually("they die here too", async || global::registered_names(&ours).len() == 1).await;
        eval(&ours, OTP, "yes = global:register_name(last, whereis(init))").await;
        assert!(global::whereis(&ours, Atom::new("last")).is_some());
        otp.kill().await;
        eventually("the node takes its names along", async || {
            global::whereis(&ours, Atom::new("last")).is_none()
        })
        .await;
        ours.shutdown().await;
    }
}
