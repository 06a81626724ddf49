//! A running node gets a name and loses it again, under the eyes of a live `erl`; and OTP's answers to those who ask for it.

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use trunkline::net_kernel::{self, Kind, NotStopped, Options, Shape, WatchOptions};
use trunkline::{Atom, Ctx, Node, Pid, StartError, Term, global, pg};
use trunkline_tests::erl::{self, Erl};
use trunkline_tests::world::{self, COOKIE, eventually, message, t};

/// A node without a name, which will ask this EPMD when it gets one.
fn alone(epmd: u16) -> Node {
    Node::builder("nobody").cookie(COOKIE).epmd_port(epmd).output(|_| {}).alone()
}

/// A process that keeps what it hears; the other one takes it out.
fn keeper(node: &Node) -> Pid {
    node.spawn(|mut ctx: Ctx| async move {
        ctx.set_trap_exit(true);
        let mut heard: Vec<Term> = Vec::new();
        loop {
            let message: Term = ctx.receive().await;
            match message.as_tuple() {
                Some([word, Term::Pid(from)]) if word.is_atom("heard") => {
                    ctx.send(from, Term::list(std::mem::take(&mut heard)));
                }
                Some([word, Term::Pid(to)]) if word.is_atom("tie") => {
                    ctx.link(to);
                    ctx.monitor(to);
                    ctx.monitor_node(to.node.name().clone(), true);
                }
                _ => heard.push(message),
            }
        }
    })
}

/// What it has heard since this was asked last, as text without references.
async fn heard(node: &Node, keeper: &Pid) -> Vec<String> {
    let keeper = keeper.clone();
    let list = node.run(|mut ctx: Ctx| async move {
        let me = ctx.pid();
        ctx.send(&keeper, Term::tuple([Term::atom("heard"), Term::Pid(me)]));
        message(&mut ctx).await
    });
    let list = list.await;
    list.as_list().unwrap().iter().map(|item| item.to_string()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_gets_a_name_and_loses_it_and_what_lives_on_it_does_not_notice() {
    if !erl::found() {
        return;
    }
    let epmd = world::private_epmd();
    let ours = alone(epmd);
    assert_eq!((ours.name().as_str(), ours.id().creation()), ("nonode@nohost", 0));
    for (name, there) in [("rex", true), ("global_name_server", true), ("net_kernel", false), ("auth", false)]
    {
        assert_eq!(ours.whereis(name).is_some(), there, "{name}");
    }
    let echo = world::echo(&ours);
    let keeper = keeper(&ours);
    let all = WatchOptions {
        nodedown_reason: true,
        shape: Shape::Map,
        connection_id: true,
        ..WatchOptions::default()
    };
    net_kernel::monitor_nodes(&ours, &keeper, all);
    let (hashed, ordered) = (HashSet::from([echo.clone()]), BTreeSet::from([echo.clone()]));
    assert!(global::register(&ours, "the echo", &echo).await);
    pg::join(&ours, "echoes", [echo.clone()]).unwrap();
    assert_eq!(net_kernel::stop(&ours).await, Err(NotStopped::NotFound));
    let late = ours.spawn(|mut ctx: Ctx| async move {
        let me = ctx.pid();
        ctx.send_after(Duration::from_millis(400), &me, Term::atom("tick"));
        message(&mut ctx).await;
    });

    let mut erl = Erl::start(&world::unique("erl"), epmd, &[]);
    erl.load_guest();
    erl.eval("register(trapper, guest:trap(fun() -> ok end))");
    let name = world::unique("ours");
    let mut creations = BTreeSet::new();
    for round in 0..3 {
        let node_kernel = net_kernel::start(&ours, Options::new(name.as_str())).await.unwrap();
        assert_eq!(ours.name().as_str(), name);
        assert_eq!(Some(&node_kernel), ours.whereis("net_kernel").as_ref());
        assert!(creations.insert(ours.id().creation()), "a new creation in each life");
        let again = net_kernel::start(&ours, Options::new("other@localhost")).await.unwrap_err();
        assert!(matches!(again, StartError::AlreadyStarted(pid) if pid == node_kernel));
        assert!(hashed.contains(&echo) && ordered.contains(&echo), "our own pids are the same");
        assert_eq!(echo.node.name().as_str(), name);

        // Everything answers to the new name, whoever connects.
        erl.eval(&format!("Us = {name}"));
        erl.check("net_adm:ping(Us)", "pong");
        erl.scene("{echo, Us} ! {self(), hi}, receive X -> X ?WAIT end", "{echo,hi}");
        erl.eval("P = rpc:call(Us, erlang, whereis, [echo]), Old = case get(old) of undefined -> P; O -> O end, put(old, P)");
        erl.check("node(P) =:= Us", "true");
        erl.scene("P ! {self(), by_pid}, receive X -> X ?WAIT end", "{echo,by_pid}");
        if round > 0 {
            erl.check("P =:= Old", "false");
            erl.scene("Old ! {self(), lost}, P ! {self(), found}, receive X -> X ?WAIT end", "{echo,found}");
        }
        erl.until("global:whereis_name(<<\"the echo\">>) =:= P", "true");
        erl.check("pg:start_link(), ok", "ok");
        erl.until("pg:get_members(<<\"echoes\">>) =:= [P]", "true");
        erl.check(
            "sys:get_state(global_name_server), rpc:call(Us, net_kernel, get_state, [])",
            &format!("#{{name => {name},name_domain => shortnames,name_type => static,started => dynamic}}"),
        );

        // Ties across the connection.
        let tied = world::counter(&ours);
        erl.eval("C = rpc:call(Us, erlang, whereis, [counter])");
        erl.eval("T = guest:trap(fun() -> link(C), erlang:monitor(process, C), erlang:monitor_node(Us, true) end), guest:seen(T)");
        let theirs = erl_pid(&ours, &erl.name, "trapper").await;
        let told = Term::tuple([Term::atom("tie"), Term::Pid(theirs)]);
        ours.send(&keeper, told);
        let before = heard(&ours, &keeper).await;
        assert!(
            before[0].starts_with(&format!("{{nodeup,{name},#{{connection_id => undefined")),
            "{before:?}"
        );

        net_kernel::stop(&ours).await.unwrap();
        assert_eq!((ours.name().as_str(), ours.id().creation()), ("nonode@nohost", 0));
        assert!(ours.nodes_of(Kind::Connected).is_empty() && ours.whereis("net_kernel").is_none());
        assert!(
            hashed.contains(&echo) && ordered.contains(&echo) && echo.node.name().as_str() == "nonode@nohost"
        );
        erl.until("lists:sort([element(1, M) || M <- guest:seen(T)])", "['DOWN','EXIT',nodedown]");
        let local = name.split('@').next().unwrap();
        erl.until(&format!("lists:keymember({local:?}, 1, element(2, erl_epmd:names()))"), "false");
        let after = heard(&ours, &keeper).await;
        let told = |word: &str| after.iter().filter(|line| line.starts_with(word)).count();
        assert_eq!((told("{'DOWN'"), told("{'EXIT'")), (1, 1), "{after:?}");
        assert!(after.iter().all(|line| !line.starts_with("{'DOWN'") || line.contains("noconnection")));
        let last = after.last().unwrap();
        assert!(
            last.starts_with(&format!("{{nodedown,{name},")) && last.contains("net_kernel_terminated"),
            "{after:?}"
        );
        eventually("a process that was linked over the connection", async || !ours.is_process_alive(&tied))
            .await;
        assert_eq!(global::whereis(&ours, "the echo").as_ref(), Some(&echo), "our own names stay");
        assert_eq!(
            pg::members(&ours, "echoes").iter().cloned().collect::<Vec<Pid>>(),
            std::slice::from_ref(&echo)
        );
        assert!(!erl.printed.iter().any(|line| line.contains("terminat")), "{:?}", erl.printed);
        erl.forget();
    }
    eventually("the timer of another life", async || !ours.is_process_alive(&late)).await;
    assert!(ours.nodes_of(Kind::Known).contains(&Atom::new(&name)));
    ours.shutdown().await;
}

async fn erl_pid(ours: &Node, peer: &str, name: &str) -> Pid {
    ours.call(peer, "erlang", "whereis", (Atom::new(name),)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn start_and_stop_answer_in_otps_words() {
    if !erl::found() {
        return;
    }
    let epmd = world::private_epmd();
    let ours = alone(epmd);
    // On a node of its own without a name, started by us so that both are asked the same.
    let theirs = Alone::start(epmd);
    let table = [
        ("net_kernel", "get_state", "[]"),
        ("net_kernel", "stop", "[]"),
        ("net_kernel", "get_net_ticktime", "[]"),
        ("net_kernel", "set_net_ticktime", "[10]"),
        ("net_kernel", "connect_node", "['a@b']"),
        ("net_kernel", "allow", "[['a@b']]"),
        ("net_kernel", "allowed", "[]"),
        ("net_kernel", "longnames", "[]"),
        ("net_kernel", "verbose", "[1]"),
        ("erlang", "get_cookie", "[]"),
        ("erlang", "get_cookie", "['a@b']"),
        ("erlang", "set_cookie", "[abc]"),
        ("erlang", "set_cookie", "['a@b', abc]"),
        ("auth", "get_cookie", "[]"),
        ("erlang", "disconnect_node", "['a@b']"),
        ("erlang", "monitor_node", "['a@b', true]"),
        ("erlang", "is_alive", "[]"),
        ("erlang", "nodes", "[[this, visible, hidden]]"),
        ("net_kernel", "start", "[['x@y@z', shortnames]]"),
        ("net_kernel", "start", "[['']]"),
        ("net_kernel", "start", "[foo]"),
        ("net_kernel", "start", "[\"x\"]"),
        ("net_kernel", "start", "[[foo, bar]]"),
        ("net_kernel", "start", "[['a b', shortnames]]"),
        ("net_kernel", "start", "[[foo, shortnames, abc]]"),
        ("net_kernel", "start", "[[foo, shortnames, 0]]"),
        ("net_kernel", "start", "[foo, []]"),
        ("net_kernel", "start", "[foo, #{bad => 1}]"),
        ("net_kernel", "start", "[foo, #{net_ticktime => 0}]"),
        ("net_kernel", "start", "[foo, #{hidden => 1}]"),
        ("net_kernel", "start", "[\"x\", #{}]"),
        ("net_kernel", "start", "['x@y@z', #{}]"),
        ("net_kernel", "start", "['bad name', #{}]"),
        ("net_kernel", "start", "[foo, #{name_domain => x}]"),
        ("net_kernel", "start", "[foo, #{net_tickintensity => 3}]"),
        ("net_kernel", "monitor_nodes", "[perhaps]"),
        ("net_kernel", "monitor_nodes", "[true, [{node_type, x}]]"),
        ("net_kernel", "monitor_nodes", "[true, [{node_type, all}, x, y]]"),
        ("net_kernel", "monitor_nodes", "[true, #{x => 1}]"),
        ("net_kernel", "monitor_nodes", "[true, #{connection_id => 1}]"),
        ("net_kernel", "monitor_nodes", "[true, [connection_id, nodedown_reason]]"),
        ("net_kernel", "monitor_nodes", "[false, []]"),
    ];
    let mut wrong = Vec::new();
    for (module, function, arguments) in table {
        let expected = theirs.apply(module, function, arguments);
        let got = apply(&ours, module, function, arguments).await;
        if expected != got {
            wrong.push(format!("{module}:{function} {arguments}:\n OTP  {expected}\n ours {got}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // In step: each is given a name, asked, and loses it.
    let steps = |name: &str| {
        [
            ("start", format!("[['{name}@localhost', shortnames]]")),
            ("start", "[another, #{}]".to_owned()),
            ("get_state", "[]".to_owned()),
            ("allowed", "[]".to_owned()),
            ("stop", "[]".to_owned()),
            ("get_state", "[]".to_owned()),
            (
                "start",
                format!(
                    "['{name}@localhost', #{{name_domain => shortnames, net_ticktime => 7, net_tickintensity => 10, hidden => true}}]"
                ),
            ),
            ("get_net_ticktime", "[]".to_owned()),
            ("stop", "[]".to_owned()),
            ("start", format!("['{name}@127.0.0.1', #{{dist_listen => false}}]")),
            ("get_state", "[]".to_owned()),
            ("stop", "[]".to_owned()),
            ("start", "[[undefined, shortnames]]".to_owned()),
            ("get_state", "[]".to_owned()),
            ("stop", "[]".to_owned()),
            ("stop", "[]".to_owned()),
        ]
    };
    for ((function, theirs_said), (_, ours_said)) in steps("theirs").into_iter().zip(steps("mine12")) {
        let expected = without_pids(&theirs.apply("net_kernel", function, &theirs_said).to_string());
        let got = without_pids(&apply(&ours, "net_kernel", function, &ours_said).await.to_string());
        assert_eq!(got.replace("mine12", "theirs"), expected, "{function} {ours_said}");
    }
    ours.shutdown().await;
}

fn without_pids(text: &str) -> String {
    let mut inside = false;
    let kept = text.chars().filter(|letter| {
        inside = (inside || *letter == '<') && *letter != '>';
        !inside
    });
    kept.collect()
}

/// Runs it in a process of its own: what it gives, or `{error, Reason}`.
async fn apply(node: &Node, module: &str, function: &str, arguments: &str) -> Term {
    let arguments: Vec<Term> = t(arguments).as_list().unwrap().iter().collect();
    let (module, function) = (Atom::new(module), Atom::new(function));
    node.run(move |ctx: Ctx| async move {
        let arity = arguments.len() as u8;
        let body = ctx
            .node()
            .exported(&module, &function, arity)
            .unwrap_or_else(|| panic!("{module}:{function}/{arity}"));
        match body(ctx, arguments).await {
            Ok(value) => Term::tuple([Term::atom("value"), value]),
            Err(exit) => Term::tuple([Term::atom("error"), exit.0.as_tuple().unwrap()[0].clone()]),
        }
    })
    .await
}

/// An `erl` without a name, asked over its standard input.
struct Alone(std::cell::RefCell<(std::process::Child, std::io::BufReader<std::process::ChildStdout>)>);

impl Alone {
    fn start(epmd: u16) -> Alone {
        let evaluator = "F = fun F() -> case io:get_line(\"\") of eof -> halt(0); L -> \
            {ok, T, _} = erl_scan:string(L), {ok, {M, G, A}} = erl_parse:parse_term(T), \
            R = try {value, apply(M, G, A)} catch error:X -> {error, X} end, \
            io:format(\"#~s~n\", [base64:encode(term_to_binary(R))]), F() end end, F().";
        let mut child = std::process::Command::new("erl")
            .args(["-noshell", "-kernel", "logger_level", "none", "-eval", evaluator])
            .env("ERL_EPMD_PORT", epmd.to_string())
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let out = std::io::BufReader::new(child.stdout.take().unwrap());
        Alone(std::cell::RefCell::new((child, out)))
    }

    fn apply(&self, module: &str, function: &str, arguments: &str) -> Term {
        use std::io::{BufRead, Write};
        let (child, out) = &mut *self.0.borrow_mut();
        writeln!(child.stdin.as_mut().unwrap(), "{{{module}, {function}, {arguments}}}.").unwrap();
        loop {
            let mut line = String::new();
            assert!(out.read_line(&mut line).unwrap() > 0, "erl is gone");
            if let Some(text) = line.strip_prefix('#') {
                return trunkline::term::decode::decode(&base64(text.trim()).into()).unwrap();
            }
        }
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        let child = &mut self.0.borrow_mut().0;
        let _ = child.kill();
        let _ = child.wait();
    }
}

fn base64(text: &str) -> Vec<u8> {
    let value = |byte: u8| match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b'=').map(value).collect();
    let bits = |chunk: &[u8]| {
        chunk.iter().fold(0_u32, |so_far, digit| so_far << 6 | u32::from(*digit)) << (6 * (4 - chunk.len()))
    };
    digits.chunks(4).flat_map(|chunk| bits(chunk).to_be_bytes()[1..chunk.len()].to_vec()).collect()
}
