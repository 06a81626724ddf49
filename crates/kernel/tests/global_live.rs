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

/// A process that passes on what it hears.
fn listener(node: &Node) -> (Pid, tokio::sync::mpsc::UnboundedReceiver<Term>) {
    let (tell, told) = tokio::sync::mpsc::unbounded_channel();
    let pid = node.spawn(move |mut ctx: Ctx| async move {
        loop {
            let _ = tell.send(ctx.receive::<Term>().await);
        }
    });
    (pid, told)
}

/// A spy without global looks at OTP's node while ours is away: names registered on both sides before they meet.
async fn clash(ours_name: &str, method: &str, resolver: impl Fn(&Node) -> global::Resolver) -> Clash {
    let epmd = private_epmd();
    let ours = node(ours_name, epmd).start().await.unwrap();
    let spy = node("spy@localhost", epmd).hidden().start().await.unwrap();
    let otp = erl(OTP, epmd, &[], "ok.").await;
    connected(&spy, OTP).await;
    let theirs = format!(
        "P = spawn(fun F() -> receive {{global_name_conflict, _}} = M -> put(m, M), F(); {{global_name_conflict, _, _}} = M -> put(m, M), F() end end), \
         yes = global:register_name(clash, P, fun global:{method}/3), P"
    );
    let theirs = Pid::from_term(&eval(&spy, OTP, &theirs).await).unwrap();
    let (mine, heard) = listener(&ours);
    assert!(global::register_with(&ours, Atom::new("clash"), &mine, &resolver(&ours)).await);
    ours.connect(OTP).await.unwrap();
    global::sync(&ours).await;
    // Both tables are final when both are in step and the lock is free.
    until_eval(
        &spy,
        OTP,
        &format!("lists:member('{ours_name}', gen_server:call(global_name_server, get_synced))"),
        "true",
    )
    .await;
    until_eval(&spy, OTP, "ets:tab2list(global_locks)", "[]").await;
    let at_theirs = eval(&spy, OTP, "global:whereis_name(clash)").await;
    Clash { ours, spy, _otp: otp, mine, heard, theirs, at_theirs }
}

struct Clash {
    ours: Node,
    spy: Node,
    _otp: Erl,
    mine: Pid,
    heard: tokio::sync::mpsc::UnboundedReceiver<Term>,
    theirs: Pid,
    at_theirs: Term,
}

impl Clash {
    fn at_ours(&self) -> Option<Pid> {
        global::whereis(&self.ours, Atom::new("clash"))
    }

    /// What OTP's process remembers to have heard.
    async fn they_heard(&self) -> String {
        let pid = Term::Pid(self.theirs.clone());
        let heard = rpc::call_within::<Term>(
            &self.spy,
            OTP,
            "erlang",
            "process_info",
            vec![pid, Term::atom("dictionary")],
            PATIENCE,
        );
        heard.await.unwrap().to_string()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_on_both_sides_is_settled_by_random_exit() {
    if !erl_is_here() {
        return;
    }
    for (name, we_win) in [("aaa@localhost", true), ("zzz@localhost", false)] {
        let clash = clash(name, "random_exit_name", |_| global::Resolver::random_exit()).await;
        let (winner, loser) =
            if we_win { (&clash.mine, &clash.theirs) } else { (&clash.theirs, &clash.mine) };
        assert!(clash.at_theirs == Term::Pid(winner.clone()), "{name}: {}", clash.at_theirs);
        assert_eq!(clash.at_ours().as_ref(), Some(winner));
        let loser_node = loser.node.name().to_string();
        let loser = vec![Term::Pid(loser.clone())];
        eventually("the other one is killed", async || {
            let from = if we_win { &clash.spy } else { &clash.ours };
            let asked = rpc::call_within::<Term>(
                from,
                loser_node.as_str(),
                "erlang",
                "is_process_alive",
                loser.clone(),
                PATIENCE,
            );
            asked.await.is_ok_and(|alive| alive.is_atom("false"))
        })
        .await;
        clash.ours.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_on_both_sides_is_settled_by_notifying() {
    if !erl_is_here() {
        return;
    }
    for (name, we_win) in [("aaa@localhost", true), ("zzz@localhost", false)] {
        let mut random = clash(name, "random_notify_name", |_| global::Resolver::random_notify()).await;
        let winner = if we_win { &random.mine } else { &random.theirs };
        assert!(random.at_theirs == Term::Pid(winner.clone()), "{name}: {}", random.at_theirs);
        assert_eq!(random.at_ours().as_ref(), Some(winner));
        if we_win {
            assert!(random.they_heard().await.contains("{global_name_conflict,clash}"));
        } else {
            let heard = random.heard.recv().await.unwrap().to_string();
            assert_eq!(heard, "{global_name_conflict,clash}");
        }
        random.ours.shutdown().await;

        let mut all = clash(name, "notify_all_name", |_| global::Resolver::notify_all()).await;
        assert!(all.at_theirs.is_atom("undefined") && all.at_ours().is_none(), "{name}");
        let heard = all.heard.recv().await.unwrap();
        assert!(
            heard
                == Term::tuple([
                    Term::atom("global_name_conflict"),
                    Term::atom("clash"),
                    Term::Pid(all.theirs.clone())
                ])
        );
        assert!(all.they_heard().await.contains("global_name_conflict,clash,"));
        all.ours.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_on_both_sides_is_settled_by_a_closure_of_ours() {
    if !erl_is_here() {
        return;
    }
    let ours_wins = |node: &Node| {
        let me = node.id().clone();
        let choose = move |_: &Term, one: &Pid, other: &Pid| {
            Some(if one.node == me { one.clone() } else { other.clone() })
        };
        global::Resolver::closure(node, "ours", choose)
    };
    // When our name is the greater one, theirs is asked; but it is theirs that decides then, by its own method.
    for (name, method) in [("aaa@localhost", "random_exit_name"), ("zzz@localhost", "notify_all_name")] {
        let clash = clash(name, method, ours_wins).await;
        let winner = (name == "aaa@localhost").then(|| clash.mine.clone());
        assert_eq!(clash.at_ours(), winner);
        assert!(clash.at_theirs == winner.map_or(Term::atom("undefined"), Term::Pid));
        clash.ours.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn locks_hold_across_both_kinds_of_nodes() {
    if !erl_is_here() {
        return;
    }
    let epmd = private_epmd();
    let ours = node("ours@localhost", epmd).start().await.unwrap();
    let _otp = erl(OTP, epmd, &[], "ok.").await;
    connected(&ours, OTP).await;
    global::sync(&ours).await;
    let r = || Atom::new("r");
    let (release, released) = tokio::sync::oneshot::channel::<()>();
    let (tell, told) = tokio::sync::oneshot::channel::<bool>();
    let holder = ours.clone();
    let held = tokio::spawn(async move {
        holder
            .run(move |mut ctx| async move {
                let body = async |_: &mut Ctx| {
                    let _ = tell.send(true);
                    let _ = released.await;
                    42
                };
                let answer = global::transaction(&mut ctx, r(), 1, None, Some(0), body).await;
                (answer, ctx.pid())
            })
            .await
    });
    assert!(told.await.unwrap());
    assert!(eval(&ours, OTP, "global:set_lock({r, me}, [node() | nodes()], 0)").await.is_atom("false"));
    assert!(eval(&ours, OTP, "global:set_lock({r, me}, ['ours@localhost'], 0)").await.is_atom("false"));
    assert!(
        eval(&ours, OTP, "global:set_lock({r, 1}, [node() | nodes()], 0), global:del_lock({r, 1})")
            .await
            .is_atom("true")
    );
    release.send(()).unwrap();
    assert_eq!(held.await.unwrap().0, Some(42));
    assert!(
        eval(&ours, OTP, "global:trans({r, self()}, fun() -> done end, [node() | nodes()], 0)")
            .await
            .is_atom("done")
    );

    // They hold it: we wait for it, and get it when their process ends.
    let theirs = eval(
        &ours,
        OTP,
        "S = self(), P = spawn(fun() -> true = global:set_lock({r, self()}), S ! {ok, self()}, receive stop -> ok end end), receive {ok, P} -> P end",
    )
    .await;
    let theirs = Pid::from_term(&theirs).unwrap();
    let tried = ours
        .run(move |mut ctx| async move {
            let me = ctx.pid();
            let at_once = global::set_lock(&mut ctx, r(), me.clone(), None, Some(0)).await;
            let here = [ctx.node().name().clone()];
            let here = global::set_lock(&mut ctx, r(), me.clone(), Some(&here), Some(0)).await;
            ctx.send(&theirs, Atom::new("stop"));
            let later = global::set_lock(&mut ctx, r(), me.clone(), None, None).await;
            (at_once, here, later)
        })
        .await;
    assert_eq!(tried, (false, false, true));
    // Our process has ended, and its lock with it.
    until_eval(&ours, OTP, "ets:tab2list(global_locks)", "[]").await;
    let dropped = ours
        .run(move |mut ctx| async move {
            let me = ctx.pid();
            tokio::select! {
                biased;
                _ = global::set_lock(&mut ctx, r(), me.clone(), None, None) => panic!("so fast?"),
                () = std::future::ready(()) => {}
            }
            let other = [Atom::new(OTP), ctx.node().name().clone()];
            global::set_lock(&mut ctx, r(), Atom::new("other"), Some(&other), Some(20)).await
        })
        .await;
    assert!(dropped, "a lock that nobody waits for is given back");
    until_eval(&ours, OTP, "ets:tab2list(global_locks)", "[]").await;
    assert!(eval(&ours, OTP, "element(3, global:info()) =:= #{} orelse maps:is_key('ours@localhost', element(3, global:info()))").await.is_atom("true"));
}

#[tokio::test(flavor = "multi_thread")]
async fn three_of_each_agree_on_what_was_registered_at_random() {
    if !erl_is_here() {
        return;
    }
    let seed: u64 = std::env::var("TRUNKLINE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(7);
    println!("seed {seed}");
    let epmd = private_epmd();
    let mut ours = Vec::new();
    for name in ["a@localhost", "k@localhost", "z@localhost"] {
        ours.push(node(name, epmd).start().await.unwrap());
    }
    let theirs = ["b@localhost", "l@localhost", "y@localhost"];
    let mut erls = Vec::new();
    for name in theirs {
        erls.push(erl(name, epmd, &[], "ok.").await);
    }
    // A chain, which global makes a mesh.
    for (one, other) in ours.iter().zip(theirs) {
        connected(one, other).await;
    }
    ours[0].connect("k@localhost").await.unwrap();
    ours[2].connect("l@localhost").await.unwrap();
    for node in &ours {
        eventually("a mesh", async || node.nodes().len() == 5).await;
        global::sync(node).await;
    }
    let me = &ours[0];
    for name in theirs {
        until_eval(me, name, "length(nodes())", "5").await;
        until_eval(me, name, "global:sync()", "ok").await;
    }
    let mut dice = seed;
    let mut roll = |below: u64| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (dice >> 33) % below
    };
    let mut jobs = tokio::task::JoinSet::new();
    for _ in 0..60 {
        let (who, name, what) = (roll(6) as usize, roll(8), roll(4));
        let node = ours[who % 3].clone();
        if who < 3 {
            jobs.spawn(async move {
                let name = (Atom::new("n"), name as i64);
                match what {
                    0 => global::unregister(&node, name).await,
                    1 => global::re_register(&node, name, &sleeper(&node)).await,
                    _ => drop(global::register(&node, name, &sleeper(&node)).await),
                }
            });
        } else {
            let other = theirs[who - 3];
            let pid = "spawn(fun() -> receive stop -> ok end end)";
            let job = match what {
                0 => format!("global:unregister_name({{n, {name}}})"),
                1 => format!("global:re_register_name({{n, {name}}}, {pid})"),
                _ => format!("global:register_name({{n, {name}}}, {pid})"),
            };
            jobs.spawn(async move { drop(eval(&node, other, &job).await) });
        }
    }
    tokio::time::timeout(PATIENCE, jobs.join_all()).await.expect("nobody waits for ever");
    let table = "lists:sort([{N, global:whereis_name(N)} || N <- global:registered_names()])";
    let first = eval(me, theirs[0], table).await;
    for name in &theirs[1..] {
        assert!(eval(me, name, table).await == first, "seed {seed}: {name}");
    }
    for node in &ours {
        let names = global::registered_names(node).into_iter();
        let mine = Term::list(names.map(|name| {
            let pid = global::whereis(node, name.clone()).map_or(Term::atom("undefined"), Term::Pid);
            Term::tuple([name, pid])
        }));
        assert!(mine == first, "seed {seed}: {}: {mine} against {first}", node.name());
        let us =
            rpc::call_within::<Term>(node, node.name().clone(), "global", "registered_names", (), PATIENCE);
        assert!(us.await.is_ok());
    }
    for name in theirs {
        until_eval(me, name, "ets:tab2list(global_locks)", "[]").await;
        until_eval(me, name, "maps:size(maps:filter(fun({pending, _}, _) -> true; (_, _) -> false end, element(3, global:info())))", "0").await;
    }
}
