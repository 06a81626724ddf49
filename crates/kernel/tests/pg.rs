//! Process groups: between nodes of ours, and with a live OTP, in both directions.

extern crate trunkline_kernel as kernel;

mod common;

use std::time::Duration;

use common::*;
use kernel::pg::{self, Change, ChangeKind, PgError, StartError};
use kernel::{Node, rpc};
use otp::request;
use runtime::Ctx;
use term::{Atom, FromTerm, Pid, Term, term};

/// A process that does nothing until it is told to end.
fn idler(node: &Node) -> Pid {
    node.spawn(|mut ctx: Ctx| async move {
        let _: Atom = ctx.receive().await;
    })
}

fn end(node: &Node, pid: &Pid) {
    node.send(pid, Atom::new("stop"));
}

/// Waits until these are the members, in whatever order.
async fn until_members(node: &Node, scope: &str, group: Term, expected: &[&Pid]) {
    let mut expected: Vec<Pid> = expected.iter().copied().cloned().collect();
    expected.sort();
    let what = format!("{} sees {expected:?} in {group:?}", node.name());
    eventually(&what, async || {
        let mut seen: Vec<Pid> = pg::members_in(node, scope, group.clone()).into_iter().collect();
        seen.sort();
        seen == expected
    })
    .await;
}

/// As [`until_members`], from within a process.
async fn until_count(ctx: &mut Ctx, node: &Node, group: i64, count: usize) {
    while pg::members(node, group).len() != count {
        ctx.sleep(Duration::from_millis(2)).await;
    }
}

async fn pair() -> (Node, Node) {
    let epmd = private_epmd();
    let zoey = node("zoey@localhost", epmd).start().await.unwrap();
    let bill = node("bill@localhost", epmd).start().await.unwrap();
    bill.connect("zoey@localhost").await.unwrap();
    (zoey, bill)
}

#[tokio::test(flavor = "multi_thread")]
async fn members_are_seen_everywhere_until_they_leave_or_end_or_their_node_is_lost() {
    let (zoey, bill) = pair().await;
    let room = || term!({room, 1});
    let (a, b, c) = (idler(&zoey), idler(&zoey), idler(&bill));
    pg::join(&zoey, room(), [a.clone(), b.clone(), b.clone()]).unwrap();
    assert_eq!(*pg::members(&bill, room()), [], "nobody has asked for the scope there yet");
    pg::join(&bill, room(), &c).unwrap();
    assert_eq!(*pg::local_members(&bill, room()), *std::slice::from_ref(&c), "at once");
    for node in [&zoey, &bill] {
        until_members(node, "pg", room(), &[&a, &b, &b, &c]).await;
        assert_eq!(pg::which_groups(node), [room()]);
    }
    assert_eq!(pg::leave(&zoey, room(), &b), Ok(true));
    until_members(&bill, "pg", room(), &[&a, &b, &c]).await;
    end(&zoey, &b);
    until_members(&bill, "pg", room(), &[&a, &c]).await;
    assert_eq!(pg::leave(&zoey, room(), &b), Ok(false));

    bill.disconnect("zoey@localhost").await;
    until_members(&bill, "pg", room(), &[&c]).await;
    until_members(&zoey, "pg", room(), &[&a]).await;
    let d = idler(&zoey);
    pg::join(&zoey, room(), &d).unwrap();
    bill.connect("zoey@localhost").await.unwrap();
    for node in [&zoey, &bill] {
        until_members(node, "pg", room(), &[&a, &c, &d]).await;
    }
    zoey.shutdown().await;
    until_members(&bill, "pg", room(), &[&c]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn scopes_do_not_see_each_other_and_say_what_is_wrong() {
    let (zoey, bill) = pair().await;
    let (far, near) = (idler(&bill), idler(&zoey));
    assert_eq!(pg::join(&zoey, 1, &far), Err(PgError::NotLocal(far)));
    assert_eq!(pg::join_in(&zoey, "a", 1, &near), Err(PgError::NoScope(Atom::new("a"))));
    assert!(pg::members_in(&zoey, "a", 1).is_empty() && pg::which_groups_in(&zoey, "a").is_empty());
    let pid = pg::start(&zoey, "a").unwrap();
    assert_eq!(zoey.whereis("a"), Some(pid.clone()));
    assert_eq!(pg::start(&zoey, "a"), Err(StartError::AlreadyStarted(pid)));
    assert_eq!(pg::start(&zoey, "rex"), Err(StartError::NameTaken(Atom::new("rex"))));
    assert_eq!(pg::join_in(&zoey, "rex", 1, &near), Err(PgError::NoScope(Atom::new("rex"))));
    pg::start(&bill, "a").unwrap();
    pg::start(&bill, "b").unwrap();
    pg::join_in(&zoey, "a", 1, &near).unwrap();
    until_members(&bill, "a", Term::Int(1), &[&near]).await;
    assert!(pg::members_in(&bill, "b", 1).is_empty() && pg::members(&bill, 1).is_empty());
    assert!(pg::which_local_groups_in(&bill, "a").is_empty());
    assert_eq!(pg::which_local_groups_in(&zoey, "a"), [Term::Int(1)]);

    let (tell, told) = tokio::sync::oneshot::channel();
    let parent = zoey.spawn(|mut ctx: Ctx| async move {
        let _ = tell.send(pg::start_link(&ctx, "linked"));
        let _: Atom = ctx.receive().await;
        Err::<(), runtime::Exit>("oops".into())
    });
    told.await.unwrap().unwrap();
    pg::join_in(&zoey, "linked", 1, &near).unwrap();
    end(&zoey, &parent);
    eventually("the scope ends with its parent", async || {
        zoey.whereis("linked").is_none() && pg::join_in(&zoey, "linked", 1, &near).is_err()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_monitors_hears_every_change_and_nothing_after() {
    let (zoey, bill) = pair().await;
    pg::start(&zoey, pg::DEFAULT_SCOPE).unwrap();
    let (a, b) = (idler(&bill), idler(&bill));
    pg::join(&bill, Atom::new("g"), &a).unwrap();
    until_members(&zoey, "pg", term!(g), &[&a]).await;
    let far = bill.clone();
    zoey.run(move |mut ctx| async move {
        let (one, members) = pg::monitor(&mut ctx, Atom::new("g")).unwrap();
        let (all, groups) = pg::monitor_scope(&mut ctx).unwrap();
        assert_eq!(*members, *std::slice::from_ref(&a));
        assert_eq!(groups.into_iter().collect::<Vec<_>>(), [(term!(g), members)]);
        pg::join(&far, Atom::new("h"), &b).unwrap();
        pg::join(&far, Atom::new("g"), &b).unwrap();
        end(&far, &a);
        let expected = [
            (&all, ChangeKind::Join, "h", &b),
            (&all, ChangeKind::Join, "g", &b),
            (&one, ChangeKind::Join, "g", &b),
            (&all, ChangeKind::Leave, "g", &a),
            (&one, ChangeKind::Leave, "g", &a),
        ];
        for (reference, kind, group, pid) in expected {
            let change: Change = ctx.receive().await;
            let group = Term::atom(group);
            let expected = Change { reference: reference.clone(), kind, group, pids: vec![pid.clone()] };
            assert_eq!(change, expected);
        }
        pg::leave(&far, Atom::new("h"), &b).unwrap();
        pg::join(ctx.node(), Atom::new("g"), ctx.pid()).unwrap();
        assert!(pg::demonitor(&mut ctx, &one).await && pg::demonitor(&mut ctx, &all).await);
        assert!(!pg::demonitor(&mut ctx, &all).await);
        assert!(ctx.unread().is_empty(), "{:?}", ctx.unread());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scope_process_that_is_killed_comes_back_with_its_members() {
    let (zoey, bill) = pair().await;
    let (a, b) = (idler(&zoey), idler(&bill));
    pg::join(&zoey, 1, &a).unwrap();
    pg::join(&bill, 1, &b).unwrap();
    for _ in 0..3 {
        until_members(&bill, "pg", Term::Int(1), &[&a, &b]).await;
        let old = zoey.whereis("pg").unwrap();
        let victim = old.clone();
        bill.run(move |ctx| async move { ctx.exit(&victim, "kill") }).await;
        eventually("another process", async || zoey.whereis("pg").is_some_and(|pid| pid != old)).await;
        until_members(&zoey, "pg", Term::Int(1), &[&a, &b]).await;
    }
    until_members(&bill, "pg", Term::Int(1), &[&a, &b]).await;
    end(&zoey, &a);
    until_members(&bill, "pg", Term::Int(1), &[&b]).await;
    assert_eq!(*pg::members(&zoey, 1), [b]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_speaks_version_1_is_answered_in_it() {
    let (zoey, bill) = pair().await;
    let mine = idler(&zoey);
    pg::join(&zoey, 1, &mine).unwrap();
    let theirs = idler(&bill);
    let local = zoey.clone();
    bill.run(move |mut ctx| async move {
        let scope = local.whereis("pg").unwrap();
        let wait = PATIENCE;
        ctx.send(&scope, term!({discover, (ctx.pid()), 1}));
        let data: Term = ctx.receive_within(wait).await.unwrap();
        assert_eq!(
            data,
            term!({(Atom::new("$gen_cast")), {local_data, (scope.clone()), 1, #{1 => [(mine.clone())]}}})
        );
        let discover: Term = ctx.receive_within(wait).await.unwrap();
        assert_eq!(discover, term!({discover, (scope.clone()), 1}));
        ctx.send(
            &scope,
            term!({(Atom::new("$gen_cast")), {local_data, (ctx.pid()), 1, #{1 => [(theirs.clone())]}}}),
        );
        until_count(&mut ctx, &local, 1, 2).await;
        ctx.send(
            &scope,
            term!({update, (ctx.pid()), [{1, [], [(theirs.clone())]}, {2, [(theirs.clone())], []}]}),
        );
        until_count(&mut ctx, &local, 2, 1).await;
        until_count(&mut ctx, &local, 1, 1).await;
        pg::leave(&local, 1, &mine).unwrap();
        let update: Term = ctx.receive_within(wait).await.unwrap();
        assert_eq!(update, term!({update, (scope), [{1, [], [(mine)]}]}));
    })
    .await;
    until_members(&zoey, "pg", Term::Int(2), &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_malformed_harms_nobody_and_every_call_is_answered() {
    let (zoey, bill) = pair().await;
    let mine = idler(&zoey);
    pg::join(&zoey, 1, &mine).unwrap();
    let expected = zoey.whereis("pg");
    bill.run(move |mut ctx| async move {
        let to = || (Atom::new("pg"), Atom::new("zoey@localhost"));
        let nobody = Pid { node: term::NodeId::new(Atom::new("x@nowhere"), 1), id: 1, serial: 0 };
        for bad in [
            term!(nonsense),
            term!({discover, 1}),
            term!({discover, (nobody.clone())}),
            term!({join, (ctx.pid()), 1, [1 | 2]}),
            term!({leave, (ctx.pid()), 1, 1}),
            term!({(Atom::new("$gen_cast")), {sync, (nobody), [{1}]}}),
            term!({(Atom::new("DOWN")), 1, process, 1, 1}),
            term!({system, 1, 1}),
        ] {
            ctx.send(to(), bad);
        }
        let badarg = || Ok(term!({error, badarg}));
        for question in [term!(what), term!({join_local, 1, (ctx.pid())}), term!({update, [1]}), term!({})] {
            assert_eq!(request::call(&mut ctx, to(), question, Some(PATIENCE)).await, badarg());
        }
    })
    .await;
    assert_eq!(zoey.whereis("pg"), expected, "the same process all the time");
    assert_eq!(*pg::members(&zoey, 1), [mine]);
    assert!(zoey.lane(&Atom::new("x@nowhere")).is_none(), "we dial nobody for a stranger's word");
}

const OTP: &str = "otp@localhost";

/// Our node, and an `erl` that has pinged it.
async fn with_erl() -> Option<(Node, Erl, u16)> {
    if !erl_is_here() {
        return None;
    }
    let epmd = private_epmd();
    let ours = node("ours@localhost", epmd).start().await.unwrap();
    let erl = erl(&ours, epmd).await;
    Some((ours, erl, epmd))
}

async fn erl(ours: &Node, epmd: u16) -> Erl {
    let mut heard = news(ours);
    let erl = Erl::start(OTP, epmd, &["-setcookie", COOKIE], "net_adm:ping('ours@localhost').");
    until(&mut heard, "nodeup", OTP).await;
    erl
}

/// Evaluates Erlang on the other side.
async fn eval(node: &Node, expressions: &str) -> Term {
    async fn call(node: &Node, module: &str, function: &str, arguments: Vec<Term>) -> Term {
        let answer = rpc::call_within(node, OTP, module, function, arguments, PATIENCE).await;
        answer.unwrap_or_else(|error| panic!("{module}:{function}: {error}"))
    }
    let tokens = call(node, "erl_scan", "string", vec![Term::string(expressions)]).await;
    let (_, tokens, _) = <(Atom, Term, Term)>::from_term(&tokens).unwrap();
    let (_, parsed) =
        <(Atom, Term)>::from_term(&call(node, "erl_parse", "parse_exprs", vec![tokens]).await).unwrap();
    let answer = call(node, "erl_eval", "exprs", vec![parsed, Term::NIL]).await;
    <(Atom, Term, Term)>::from_term(&answer).unwrap().1
}

const IDLER: &str = "spawn(fun() -> receive stop -> ok end end)";

/// Starts members on the other side: `{Group, Pid}` for each.
async fn far_member(ours: &Node, scope: &str, group: &str, times: usize) -> Pid {
    let again = vec!["P"; times].join(",");
    let eval = eval(ours, &format!("P = {IDLER}, ok = pg:join({scope}, {group}, [{again}]), P.")).await;
    Pid::from_term(&eval).unwrap()
}

async fn until_otp_sees(ours: &Node, scope: &str, group: &str, expected: &[&Pid]) {
    let mut expected: Vec<Term> = expected.iter().map(|pid| Term::Pid((*pid).clone())).collect();
    expected.sort();
    let expected = Term::list(expected);
    eventually(&format!("otp sees {expected:?} in {group}"), async || {
        eval(ours, &format!("lists:sort(pg:get_members({scope}, {group})).")).await == expected
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn otp_and_we_see_each_other_s_members_come_and_go() {
    let Some((ours, mut erl_node, epmd)) = with_erl().await else { return };
    let group = || term!({room, "é"});
    let theirs = "{room, <<\"é\"/utf8>>}";
    // They start after us, then we after them.
    for (scope, otp_first) in [("s", false), ("t", true)] {
        if otp_first {
            eval(&ours, &format!("{{ok, _}} = pg:start({scope}).")).await;
        }
        pg::start(&ours, scope).unwrap();
        let mine = idler(&ours);
        pg::join_in(&ours, scope, group(), [mine.clone(), mine.clone()]).unwrap();
        if !otp_first {
            eval(&ours, &format!("{{ok, _}} = pg:start({scope}).")).await;
        }
        let far = far_member(&ours, scope, theirs, 2).await;
        until_members(&ours, scope, group(), &[&mine, &mine, &far, &far]).await;
        until_otp_sees(&ours, scope, theirs, &[&mine, &mine, &far, &far]).await;
        // Joins and leaves of one and of several, on both sides.
        let second = idler(&ours);
        pg::join_in(&ours, scope, group(), &second).unwrap();
        pg::leave_in(&ours, scope, group(), &mine).unwrap();
        pg::join_in(&ours, scope, 7, [mine.clone(), second.clone()]).unwrap();
        until_otp_sees(&ours, scope, theirs, &[&mine, &second, &far, &far]).await;
        until_otp_sees(&ours, scope, "7", &[&mine, &second]).await;
        // Deaths: in several groups, several times.
        pg::join_in(&ours, scope, group(), &mine).unwrap();
        end(&ours, &mine);
        until_otp_sees(&ours, scope, theirs, &[&second, &far, &far]).await;
        until_otp_sees(&ours, scope, "7", &[&second]).await;
        end(&ours, &second);
        end(&ours, &far);
        until_members(&ours, scope, group(), &[]).await;
        until_otp_sees(&ours, scope, theirs, &[]).await;
        assert!(eval(&ours, &format!("pg:which_groups({scope}).")).await == Term::NIL);
        assert!(pg::which_groups_in(&ours, scope).is_empty());
    }
    // A lost connection, a lost node, and its next life.
    let mine = idler(&ours);
    pg::join_in(&ours, "s", group(), &mine).unwrap();
    let far = far_member(&ours, "s", theirs, 1).await;
    for _ in 0..3 {
        until_members(&ours, "s", group(), &[&mine, &far]).await;
        until_otp_sees(&ours, "s", theirs, &[&mine, &far]).await;
        ours.disconnect(OTP).await;
        until_members(&ours, "s", group(), &[&mine]).await;
        ours.connect(OTP).await.unwrap();
    }
    until_members(&ours, "s", group(), &[&mine, &far]).await;
    erl_node.kill().await;
    until_members(&ours, "s", group(), &[&mine]).await;
    let _next = erl(&ours, epmd).await;
    eval(&ours, "{ok, _} = pg:start(s).").await;
    let far = far_member(&ours, "s", theirs, 1).await;
    until_members(&ours, "s", group(), &[&mine, &far]).await;
    until_otp_sees(&ours, "s", theirs, &[&mine, &far]).await;
    assert!(eval(&ours, "is_pid(whereis(s)).").await.is_atom("true"));
}

#[tokio::test(flavor = "multi_thread")]
async fn otp_s_pg_asks_us_as_it_asks_itself() {
    let Some((ours, _erl, _)) = with_erl().await else { return };
    let mine = idler(&ours);
    pg::join(&ours, Atom::new("g"), &mine).unwrap();
    ours.register("mine", &mine).unwrap();
    let calls = [
        ("rpc:call(N, pg, which_groups, []).", "[g]"),
        ("[P] = rpc:call(N, pg, get_members, [g]), P =:= rpc:call(N, erlang, whereis, [mine]).", "true"),
        ("[P] = rpc:call(N, pg, get_local_members, [pg, g]), rpc:call(N, pg, leave, [g, P]).", "ok"),
        ("rpc:call(N, pg, get_local_members, [g]).", "[]"),
        ("P = rpc:call(N, erlang, whereis, [mine]), rpc:call(N, pg, leave, [g, P]).", "not_joined"),
        ("P = rpc:call(N, erlang, whereis, [mine]), rpc:call(N, pg, join, [pg, {g, 1}, [P, P]]).", "ok"),
        ("rpc:call(N, pg, which_local_groups, [pg]).", "[{g,1}]"),
        ("element(1, element(2, element(2, rpc:call(N, pg, join, [g, self()])))).", "{nolocal,self}"),
        ("element(1, element(2, element(2, rpc:call(N, pg, which_groups, [nope])))).", "badarg"),
        ("rpc:call(N, pg, get_members, [nope, g]).", "[]"),
        ("P = rpc:call(N, erlang, whereis, [mine]), gen_server:call({pg, N}, {join_local, h, P}).", "ok"),
        ("P = rpc:call(N, erlang, whereis, [mine]), gen_server:call({pg, N}, {leave_local, h, P}).", "ok"),
        (
            "P = rpc:call(N, erlang, whereis, [mine]), gen_server:call({pg, N}, {leave_local, h, P}).",
            "not_joined",
        ),
        ("gen_server:call({pg, N}, {demonitor, make_ref()}).", "false"),
        ("gen_server:call({pg, N}, nonsense).", "{error,badarg}"),
        (
            "P = rpc:call(N, erlang, whereis, [mine]), {R, #{{g, 1} := [P, P]}} = gen_server:call({pg, N}, monitor), \
             {R2, []} = gen_server:call({pg, N}, {monitor, h}), \
             rpc:call(N, pg, join, [h, P]), receive {R, join, h, [P]} -> ok end, receive {R2, join, h, [P]} -> ok end, \
             [gen_server:call({pg, N}, {demonitor, X}) || X <- [R, R2, R]].",
            "[ok,ok,false]",
        ),
    ];
    for (expression, expected) in calls {
        let expression = format!("N = 'ours@localhost', {expression}");
        let answer = eval(&ours, &expression).await;
        let shown = match answer.as_tuple() {
            Some([word, Term::Pid(_)]) => Term::tuple([word.clone(), Term::atom("self")]).to_string(),
            _ => answer.to_string(),
        };
        assert_eq!(shown, expected, "{expression}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_does_not_read_holds_up_nobody_and_gets_everything_later() {
    let Some((ours, _erl, _)) = with_erl().await else { return };
    eval(&ours, "{ok, _} = pg:start(s).").await;
    pg::start(&ours, "s").unwrap();
    let mine = idler(&ours);
    pg::join_in(&ours, "s", 0, &mine).unwrap();
    until_otp_sees(&ours, "s", "0", &[&mine]).await;
    let os_pid = eval(&ours, "list_to_integer(os:getpid()).").await.as_int().unwrap();
    let signal = |name: &str| {
        let status = std::process::Command::new("kill").args([name, &os_pid.to_string()]).status();
        assert!(status.expect("kill is there").success());
    };
    signal("-STOP");
    // More than the lane and the sockets hold.
    let padding = "x".repeat(1 << 16);
    for number in 1..=400_i64 {
        pg::join_in(&ours, "s", (number % 10, padding.as_str()), &mine).unwrap();
        if number > 10 {
            pg::leave_in(&ours, "s", (number % 10, padding.as_str()), &mine).unwrap();
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let waits = ours.lane(&Atom::new(OTP)).unwrap().queued_bytes();
    assert!(waits < 16 * 1024 * 1024, "{waits} bytes wait");
    pg::join_in(&ours, "s", 1, &mine).unwrap();
    pg::leave_in(&ours, "s", 0, &mine).unwrap();
    signal("-CONT");
    until_otp_sees(&ours, "s", "1", &[&mine]).await;
    until_otp_sees(&ours, "s", "0", &[]).await;
    assert!(eval(&ours, "length(pg:which_groups(s)).").await == Term::Int(11));
    let all = eval(&ours, "lists:sum([length(pg:get_members(s, G)) || G <- pg:which_groups(s)]).").await;
    assert!(all == Term::Int(11));
}

/// Whole nodes in one thread, from one seed: splits, crashes, joins, leaves and ends, and then all agree.
#[cfg(feature = "sim")]
mod simulated {
    use std::collections::BTreeMap;

    use kernel::sim::{Net, sim};

    use super::*;

    const HOSTS: [&str; 4] = ["bill", "daryl", "rick", "zoey"];

    async fn unruly_evening(net: Net) {
        let soon = Duration::from_secs(4);
        let nodes = net.boot(HOSTS, move |builder| builder.net_ticktime(soon)).await;
        let mut nodes: BTreeMap<&str, Node> = HOSTS.into_iter().zip(nodes).collect();
        nodes.values().for_each(|node| drop(pg::start(node, "s").unwrap()));
        let mut members: Vec<(&str, Pid)> = Vec::new();
        for round in 0..4 {
            let mut splits = Vec::new();
            for _ in 0..40 {
                let host = HOSTS[net.roll() as usize % 4];
                let other = HOSTS[net.roll() as usize % 4];
                let node = nodes[host].clone();
                let group = (net.roll() % 3) as i64;
                match net.roll() % 12 {
                    0..4 => {
                        let member = idler(&node);
                        pg::join_in(&node, "s", group, [member.clone(), member.clone()]).unwrap();
                        members.push((host, member));
                    }
                    4..6 if !members.is_empty() => {
                        let (home, member) = &members[net.roll() as usize % members.len()];
                        let _ = pg::leave_in(&nodes[home], "s", group, member);
                    }
                    6..8 if !members.is_empty() => {
                        let (home, member) = members.swap_remove(net.roll() as usize % members.len());
                        end(&nodes[home], &member);
                    }
                    8 if host != other => splits.push(net.partition(&[host], &[other])),
                    9 => drop(node.disconnect(nodes[other].name().clone()).await),
                    10 => {
                        let victim = node.whereis("s");
                        node.run(move |ctx| async move { victim.map(|pid| ctx.exit(&pid, "kill")) }).await;
                    }
                    11 if round % 2 == 0 && net.roll().is_multiple_of(8) => {
                        net.crash(&node).await;
                        members.retain(|(home, _)| *home != host);
                        nodes.insert(host, net.boot_again(host).await);
                        pg::start(&nodes[host], "s").unwrap();
                    }
                    _ => {}
                }
                tokio::time::sleep(Duration::from_millis(net.roll() % 700)).await;
            }
            splits.clear();
            // Nobody may still believe in a connection that is none.
            tokio::time::sleep(Duration::from_secs(20)).await;
            for (host, node) in &nodes {
                for other in HOSTS.iter().filter(|other| *other != host) {
                    let _ = node.connect(nodes[other].name().clone()).await;
                }
            }
            net.until("all are connected and agree", || agree(&nodes)).await;
        }
    }

    fn agree(nodes: &BTreeMap<&str, Node>) -> bool {
        (0..3_i64).all(|group| {
            let locals = nodes.values().flat_map(|node| pg::local_members_in(node, "s", group));
            let mut truth: Vec<Pid> = locals.collect();
            truth.sort();
            nodes.values().all(|node| {
                let mut seen: Vec<Pid> = pg::members_in(node, "s", group).into_iter().collect();
                seen.sort();
                node.nodes().len() == nodes.len() - 1 && seen == truth
            })
        })
    }

    #[test]
    fn all_agree_after_an_unruly_evening() {
        for seed in 0..20 {
            sim(seed, unruly_evening);
        }
    }

    #[test]
    fn the_same_seed_tells_the_same_evening() {
        for seed in 100..103 {
            assert_eq!(sim(seed, unruly_evening).log, sim(seed, unruly_evening).log, "seed {seed}");
        }
    }
}
