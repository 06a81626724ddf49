//! net_kernel at run time: whatever is asked of ours and of one of OTP's has the same answer.

use std::time::Duration;

use trunkline::net_kernel::{self, AutoConnect, Kind, NodeType, Options, Shape, WatchOptions};
use trunkline::{Ctx, Down, ExitSignal, FromTerm, Node, Pid, Term};
use trunkline_tests::erl::{self, Erl};
use trunkline_tests::world::{self, eventually, message};

/// Evaluates `expression`, in which `N` is the node that is asked, for both; in the printed values each is `SELF`. Errors of
/// calls lose the stack that they bring.
fn compare(erl: &mut Erl, both: [&str; 2], expression: &str) -> Option<String> {
    let answers = both.map(|node| {
        let value = erl.eval(&format!(
            "(fun(N) -> case {expression} of {{badrpc, {{'EXIT', {{W, [_ | _]}}}}}} -> {{failed, W}}; V -> V end end)({node})"
        ));
        value.replace(node, "SELF")
    });
    let [theirs, ours] = answers;
    assert!(!ours.contains("EXCEPTION"), "{expression}: {ours}");
    (theirs != ours).then(|| format!("{expression}\n  OTP  {theirs}\n  ours {ours}"))
}

const CALLS: &[&str] = &[
    "net_kernel, get_net_ticktime, []",
    "net_kernel, set_net_ticktime, [60]",
    "net_kernel, set_net_ticktime, [60, 0]",
    "net_kernel, set_net_ticktime, [0]",
    "net_kernel, set_net_ticktime, [a]",
    "net_kernel, set_net_ticktime, [8, -1]",
    "net_kernel, set_net_ticktime, [240, 40]",
    "net_kernel, set_net_ticktime, [60, 1]",
    "net_kernel, set_net_ticktime, [240, 1]",
    "net_kernel, get_net_ticktime, []",
    "net_kernel, start, [[x, shortnames, 0]]",
    "net_kernel, stop, []",
    "net_kernel, nodename, []",
    "net_kernel, longnames, []",
    "net_kernel, connecttime, []",
    "net_kernel, epmd_module, []",
    "net_kernel, setopts, ['nobody@localhost', [{nodelay, true}]]",
    "net_kernel, setopts, [1, []]",
    "net_kernel, setopts, [N, x]",
    "net_kernel, getopts, ['nobody@localhost', [nodelay]]",
    "net_kernel, getopts, [1, []]",
    "net_kernel, getopts, [N, x]",
    "net_kernel, connect_node, ['nobody@localhost']",
    "net_kernel, connect_node, ['nobody']",
    "net_kernel, connect_node, [N]",
    "net_kernel, connect_node, [1]",
    "net_kernel, hidden_connect_node, [N]",
    "net_kernel, disconnect, ['nobody@localhost']",
    "net_kernel, disconnect, [N]",
    "net_kernel, passive_cnct, [N]",
    "net_kernel, passive_cnct, [node()]",
    "net_kernel, node_info, ['nobody@localhost']",
    "net_kernel, node_info, ['nobody@localhost', type]",
    "net_kernel, node_info, [node(), type]",
    "net_kernel, node_info, [node(), state]",
    "net_kernel, node_info, [node(), x]",
    "net_kernel, verbose, [2]",
    "net_kernel, verbose, [0]",
    "net_kernel, monitor_nodes, [true]",
    "net_kernel, monitor_nodes, [x]",
    "net_kernel, monitor_nodes, [true, [{node_type, some}]]",
    "net_kernel, allowed, []",
    "net_kernel, allow, [x]",
    "net_kernel, allow, [[1]]",
    "net_kernel, async_disconnect, ['nobody@localhost']",
    "erlang, disconnect_node, ['nobody@localhost']",
    "erlang, disconnect_node, [N]",
    "erlang, monitor_node, [N, true]",
    "erlang, monitor_node, [1, true]",
    "erlang, monitor_node, [N, x]",
    "erlang, monitor_node, [node(), true, []]",
    "erlang, monitor_node, [node(), true, [x]]",
    "erlang, monitor_node, [node(), true, [allow_passive_connect]]",
    "erlang, is_alive, []",
    "erlang, nodes, [this]",
    "erlang, nodes, [x]",
    "erlang, nodes, [[this, x]]",
    "erlang, nodes, [this, #{connection_id => true, node_type => true}]",
    "erlang, nodes, [this, #{connection_id => false, node_type => true}]",
    "erlang, nodes, [this, #{x => true}]",
    "erlang, nodes, [this, #{node_type => 1}]",
    "erlang, nodes, [this, []]",
    "erlang, get_cookie, []",
    "erlang, get_cookie, [N]",
    "erlang, get_cookie, [node()]",
    "erlang, set_cookie, ['c@localhost', cookies]",
    "erlang, get_cookie, ['c@localhost']",
    "erlang, set_cookie, [N, monster]",
    "erlang, set_cookie, [monster]",
    "auth, get_cookie, []",
    "auth, cookie, []",
    "auth, get_cookie, ['c@localhost']",
    "auth, set_cookie, ['d@localhost', biscuit]",
    "auth, get_cookie, ['d@localhost']",
    "auth, set_cookie, [monster]",
    "auth, cookie, [[monster]]",
    "auth, is_auth, [node()]",
    "auth, is_auth, ['nobody@localhost']",
    "auth, node_cookie, [node(), monster]",
    "auth, node_cookie, [[node(), monster]]",
    "auth, sync_cookie, []",
    "auth, print, [N, \"~p\", [x]]",
];

const QUESTIONS: &[(&str, &str)] = &[
    ("net_kernel", "get_state"),
    ("net_kernel", "nodename"),
    ("net_kernel", "longnames"),
    ("net_kernel", "ticktime"),
    ("net_kernel", "allowed"),
    ("net_kernel", "{is_auth, x}"),
    ("net_kernel", "{is_auth, [1 | 2]}"),
    ("net_kernel", "{verbose, 0}"),
    ("net_kernel", "{allow, x}"),
    ("net_kernel", "{new_ticktime, 240000, 1000}"),
    ("net_kernel", "{connect, normal, 'nobody@localhost'}"),
    ("net_kernel", "{connect, normal, N}"),
    ("net_kernel", "{disconnect, 'nobody@localhost'}"),
    ("net_kernel", "{disconnect, N}"),
    ("net_kernel", "{passive_cnct, N}"),
    ("net_kernel", "{getopts, 'nobody@localhost', [nodelay]}"),
    ("net_kernel", "{setopts, 'nobody@localhost', []}"),
    ("net_kernel", "{apply, a, b, c}"),
    ("net_kernel", "{spawn, a, b, c}"),
    ("net_kernel", "nobody_knows"),
    ("net_kernel", "{}"),
    ("net_kernel", "{nobody, knows}"),
    ("net_kernel", "[]"),
    ("net_kernel", "1"),
    ("net_kernel", "#{}"),
    ("auth", "echo"),
    ("auth", "get_our_cookie"),
    ("auth", "sync_cookie"),
    ("auth", "{get_cookie, 'c@localhost'}"),
    ("auth", "{set_cookie, 'e@localhost', nut}"),
    ("auth", "{get_cookie, 'e@localhost'}"),
    ("auth", "{set_our_cookie, monster}"),
];

/// What nobody answers, and nobody is hurt by.
const NOISE: &[&str] = &[
    "x",
    "{}",
    "[]",
    "{'$gen_call', x, y}",
    "{'$gen_call', {self(), x}, y}",
    "{'$gen_cast', x}",
    "{'$gen_cast', {print, x, y}}",
    "{'$gen_cast', {async_disconnect, 1}}",
    "{'$gen_cast', {async_disconnect, 'nobody@localhost'}}",
    "{system, x, y}",
    "{'EXIT', self(), kill}",
    "{self(), registered_send, nobody, x}",
    "{self(), registered_send, 1, x}",
    "{self(), badcookie, net_kernel, x}",
    "{nodedown, node()}",
    "{nodeup, a, #{connection_id => undefined}}",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ours_answers_as_otps_does_whoever_asks_and_however_wrong() {
    if !erl::found() {
        return;
    }
    let epmd = world::private_epmd();
    let mut erl = Erl::start(&world::unique("erl"), epmd, &[]);
    let mut other = Erl::start(&world::unique("other"), epmd, &["-kernel", "logger_level", "none"]);
    let ours = world::node(&world::unique("ours"), epmd).start().await.unwrap();
    world::echo(&ours);
    let (theirs, us) = (other.name.clone(), ours.name().to_string());
    let both = [theirs.as_str(), us.as_str()];
    erl.check(&format!("[net_adm:ping(N) || N <- [{theirs}, {us}]]"), "[pong,pong]");
    let mut wrong = Vec::new();
    for call in CALLS {
        wrong.extend(compare(&mut erl, both, &format!("rpc:call(N, {call})")));
    }
    for (process, question) in QUESTIONS {
        let asked = format!(
            "try gen_server:call({{{process}, N}}, {question}, 300) catch exit:{{Out, _}} -> Out end"
        );
        wrong.extend(compare(&mut erl, both, &asked));
    }
    for process in ["net_kernel", "auth"] {
        for noise in NOISE.iter().chain(&["{'$gen_call', {self(), x}, {allow, [a | b]}}"]) {
            erl.check(&format!("[{{{process}, N}} ! {noise} || N <- [{us}]], ok"), "ok");
        }
    }
    // Old nodes spawn by asking net_kernel.
    for form in [
        "{spawn, erlang, send, [self(), done], group_leader()}",
        "{spawn_link, erlang, send, [self(), done], group_leader()}",
        "{spawn_opt, erlang, send, [self(), done], [], link, group_leader()}",
        "{spawn_opt, erlang, send, [self(), done], [], no_link, group_leader()}",
        "{spawn_link, nobody, knows, [], group_leader()}",
    ] {
        let story = format!(
            "begin process_flag(trap_exit, true), P = gen_server:call({{net_kernel, N}}, {form}), \
             D = receive done -> done after 300 -> nothing end, \
             E = receive {{'EXIT', P, {{Undef, _}}}} -> Undef; {{'EXIT', P, R}} -> R after 300 -> nothing end, \
             {{node(P) =:= N, D, E}} end"
        );
        wrong.extend(compare(&mut erl, both, &story));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    erl.check(&format!("[net_adm:ping({us}), gen_server:call({{auth, {us}}}, echo)]"), "[pong,hello]");
    // What one writes, its caller reads.
    erl.eval(&format!("rpc:call({us}, net_kernel, i, [])"));
    erl.until_printed(&["Node", "State", "Type"]);
    erl.until_printed(&[&erl.name.clone(), "up", "normal"]);
    let info = erl
        .eval(&format!("{{ok, I}} = rpc:call({us}, net_kernel, node_info, [node()]), [K || {{K, _}} <- I]"));
    assert_eq!(info, "[owner,state,address,type,in,out]");
    erl.check("[is_pid(proplists:get_value(owner, I)), element(1, proplists:get_value(address, I)), proplists:get_value(in, I) > 5]", "[true,net_address,true]");
    other.eval("ok");
    ours.shutdown().await;
}

/// A process that keeps what it hears, with `nodes(connected)` at that moment.
struct Watcher(Pid, std::sync::Arc<std::sync::Mutex<Vec<(String, usize)>>>);

fn watcher(node: &Node) -> Watcher {
    let heard = std::sync::Arc::<std::sync::Mutex<Vec<(String, usize)>>>::default();
    let notes = heard.clone();
    let pid = node.spawn(move |mut ctx: Ctx| async move {
        ctx.set_trap_exit(true);
        loop {
            let message: Term = ctx.receive().await;
            if let Some([word, Term::Pid(to)]) = message.as_tuple()
                && word.is_atom("link")
            {
                ctx.link(to);
                continue;
            }
            let word = ExitSignal::from_term(&message).map(|exit| format!("'EXIT' {}", exit.reason));
            let count = ctx.node().peers().iter().filter(|peer| peer.id.is_some()).count();
            notes.lock().unwrap().push((word.unwrap_or_else(|_| message.to_string()), count));
        }
    });
    Watcher(pid, heard)
}

impl Watcher {
    async fn hears(&self, what: &[(&str, usize)]) {
        eventually("all is heard", async || self.1.lock().unwrap().len() >= what.len()).await;
        let heard = std::mem::take(&mut *self.1.lock().unwrap());
        let heard: Vec<(&str, usize)> = heard.iter().map(|(text, count)| (text.as_str(), *count)).collect();
        assert_eq!(heard, what);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watchers_hear_what_they_asked_for_as_often_as_they_asked_and_in_otps_order() {
    if !erl::found() {
        return;
    }
    let epmd = world::private_epmd();
    let mut erl =
        Erl::start(&world::unique("erl"), epmd, &["-kernel", "prevent_overlapping_partitions", "false"]);
    erl.load_guest();
    let ours = world::node(&world::unique("ours"), epmd)
        .prevent_overlapping_partitions(false)
        .start()
        .await
        .unwrap();
    let (us, them) = (ours.name().to_string(), erl.name.clone());
    let plain = WatchOptions::default();
    let all = WatchOptions {
        node_type: Some(NodeType::All),
        nodedown_reason: true,
        connection_id: false,
        shape: Shape::List,
    };
    let (twice, listed, hidden) = (watcher(&ours), watcher(&ours), watcher(&ours));
    net_kernel::monitor_nodes(&ours, &twice.0, plain);
    net_kernel::monitor_nodes(&ours, &twice.0, plain);
    net_kernel::monitor_nodes(&ours, &listed.0, all);
    net_kernel::monitor_nodes(
        &ours,
        &hidden.0,
        WatchOptions { node_type: Some(NodeType::Hidden), shape: Shape::Map, ..plain },
    );
    let (up, down) = (format!("{{nodeup,{them}}}"), format!("{{nodedown,{them}}}"));
    let listed_up = |kind: &str| format!("{{nodeup,{them},[{{node_type,{kind}}}]}}");
    let listed_down = |kind: &str, why: &str| {
        format!("{{nodedown,{them},[{{nodedown_reason,{why}}},{{node_type,{kind}}}]}}")
    };

    erl.check(&format!("net_kernel:connect_node({us})"), "true");
    twice.hears(&[(&up, 1), (&up, 1)]).await;
    listed.hears(&[(&listed_up("visible"), 1)]).await;
    // A link over the connection fires before its nodedown is told.
    let theirs: Pid =
        ours.call(them.as_str(), "erlang", "whereis", (trunkline::Atom::new("echo"),)).await.unwrap();
    ours.send(&listed.0, Term::tuple([Term::atom("link"), Term::Pid(theirs)]));
    erl.until("length(element(2, process_info(whereis(echo), links)))", "1");
    erl.check(&format!("erlang:disconnect_node({us})"), "true");
    twice.hears(&[(&down, 0), (&down, 0)]).await;
    listed.hears(&[("'EXIT' noconnection", 0), (&listed_down("visible", "connection_closed"), 0)]).await;

    // One unsubscribes, all of its subscriptions of that kind are gone.
    net_kernel::unmonitor_nodes(&ours, &twice.0, plain);
    net_kernel::connect_hidden(&ours, them.as_str()).await.unwrap();
    listed.hears(&[(&listed_up("hidden"), 1)]).await;
    hidden.hears(&[(&format!("{{nodeup,{them},#{{node_type => hidden}}}}"), 1)]).await;
    erl.until(&format!("{{lists:member({us}, nodes()), lists:member({us}, nodes(hidden))}}"), "{false,true}");
    assert!(net_kernel::disconnect(&ours, them.as_str()).await);
    listed.hears(&[(&listed_down("hidden", "disconnect"), 0)]).await;
    hidden.hears(&[(&format!("{{nodedown,{them},#{{node_type => hidden}}}}"), 0)]).await;
    assert!(twice.1.lock().unwrap().is_empty());

    // From Erlang, for a process that runs here: it is told, and nobody when it is gone.
    ours.export_raw(
        "tests",
        "watch",
        Some(1),
        std::sync::Arc::new(|mut ctx: Ctx, arguments: Vec<Term>| {
            Box::pin(async move {
                let me = ctx.pid();
                net_kernel::monitor_nodes(ctx.node(), &me, WatchOptions::default());
                ctx.monitor_node("nobody@localhost", true);
                let to = arguments[0].as_pid().unwrap().clone();
                let heard = message(&mut ctx).await;
                ctx.send(&to, heard);
                Ok(Term::atom("ok"))
            })
        }),
    );
    erl.scene(
        &format!("spawn({us}, tests, watch, [self()]), receive X -> X ?WAIT end"),
        "{nodedown,nobody@localhost}",
    );
    ours.shutdown().await;
}

/// Whether a message to a name at the peer arrives, what a monitor of it and a ping say.
async fn tries(node: &Node, peer: &str) -> (bool, String, bool) {
    let to = (trunkline::Atom::new("nobody"), trunkline::Atom::new(peer));
    let reason = node.run(move |mut ctx: Ctx| async move {
        ctx.monitor(to);
        ctx.receive::<Down>().await.reason.to_string()
    });
    let reason = reason.await;
    let connected = node.nodes_of(Kind::Connected).iter().any(|name| name.as_str() == peer);
    (connected, reason, node.ping(peer).await.is_ok())
}

const TRIES: &str = "(fun() -> R = erlang:monitor(process, {nobody, T}), W = receive {'DOWN', R, _, _, X} -> X end, \
     {lists:member(T, nodes()), W, net_adm:ping(T) =:= pong} end)()";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signals_connect_always_once_or_never_as_the_node_was_told() {
    if !erl::found() {
        return;
    }
    let epmd = world::private_epmd();
    let mut target =
        Erl::start(&world::unique("target"), epmd, &["-kernel", "prevent_overlapping_partitions", "false"]);
    let peer = target.name.clone();
    for (policy, word) in [(AutoConnect::Never, "never"), (AutoConnect::Once, "once")] {
        let flags =
            ["-kernel", "dist_auto_connect", word, "-kernel", "prevent_overlapping_partitions", "false"];
        let mut theirs = Erl::start(&world::unique("theirs"), epmd, &flags);
        theirs.eval(&format!("T = {peer}"));
        let ours = world::node(&world::unique("ours"), epmd)
            .dist_auto_connect(policy)
            .prevent_overlapping_partitions(false)
            .connect_all(false)
            .start()
            .await
            .unwrap();
        let mut same = async |what: &str| {
            let (connected, reason, pong) = tries(&ours, &peer).await;
            assert_eq!(theirs.eval(TRIES), format!("{{{connected},{reason},{pong}}}"), "{word}: {what}");
        };
        same("at first").await;
        if word == "once" {
            assert!(net_kernel::disconnect(&ours, peer.as_str()).await);
            theirs.check("erlang:disconnect_node(T)", "true");
        }
        let same = async |theirs: &mut Erl, what: &str| {
            let (connected, reason, pong) = tries(&ours, &peer).await;
            assert_eq!(theirs.eval(TRIES), format!("{{{connected},{reason},{pong}}}"), "{word}: {what}");
            connected
        };
        assert!(!same(&mut theirs, "barred").await);
        // Who is not dialled may dial.
        let waits = ours.clone();
        let name = peer.clone();
        let passive = tokio::spawn(async move {
            waits
                .call::<Term>(
                    waits.name().clone(),
                    "erlang",
                    "monitor_node",
                    (trunkline::Atom::new(&name), true, vec![trunkline::Atom::new("allow_passive_connect")]),
                )
                .await
        });
        target.check(&format!("net_kernel:connect_node({})", ours.name()), "true");
        assert!(passive.await.unwrap().unwrap().is_atom("true"));
        assert!(net_kernel::disconnect(&ours, peer.as_str()).await);
        ours.connect(peer.as_str()).await.unwrap();
        theirs.check("net_kernel:connect_node(T)", "true");
        assert!(same(&mut theirs, "asked for").await);
        ours.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_not_allowed_neither_comes_in_nor_is_gone_to() {
    if !erl::found() {
        return;
    }
    let epmd = world::private_epmd();
    let mut erl = Erl::start(&world::unique("erl"), epmd, &[]);
    let mut other = Erl::start(&world::unique("other"), epmd, &["-kernel", "connect_all", "false"]);
    let ours = world::node(&world::unique("ours"), epmd).connect_all(false).start().await.unwrap();
    let us = ours.name().to_string();
    erl.check(&format!("rpc:call({us}, net_kernel, allow, [[node(), 'x@y']])"), "ok");
    erl.check(&format!("rpc:call({us}, net_kernel, allowed, []) =:= {{ok, [node(), 'x@y']}}"), "true");
    other.check(&format!("net_kernel:connect_node({us})"), "false");
    other.check(&format!("net_adm:ping({us})"), "pang");
    assert!(ours.connect(other.name.as_str()).await.is_err());
    let allowed = format!("rpc:call({us}, net_kernel, allow, [[{}]])", other.name);
    erl.check(&allowed, "ok");
    other.check(&format!("net_adm:ping({us})"), "pong");
    // One that does not listen is in nobody's list, and hides.
    let quiet = world::node(&world::unique("quiet"), epmd).dist_listen(false).start().await.unwrap();
    quiet.connect(other.name.as_str()).await.unwrap();
    other.until(
        &format!("{{lists:member({0}, nodes()), lists:member({0}, nodes(hidden))}}", quiet.name()),
        "{false,true}",
    );
    let local = quiet.name().as_str().split('@').next().unwrap().to_owned();
    other.check(&format!("lists:keymember({local:?}, 1, element(2, erl_epmd:names()))"), "false");
    quiet.shutdown().await;
    ours.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_without_a_name_is_named_by_its_first_peer_for_as_long_as_that_is_there() {
    if !erl::found() {
        return;
    }
    let epmd = world::private_epmd();
    let mut erl = Erl::start(&world::unique("erl"), epmd, &[]);
    let mut second = Erl::start(&world::unique("second"), epmd, &["-kernel", "connect_all", "false"]);
    let ours = Node::builder("nobody").cookie(world::COOKIE).epmd_port(epmd).output(|_| {}).alone();
    let echo = world::echo(&ours);
    net_kernel::start(&ours, Options::new("undefined@localhost")).await.unwrap();
    let state = |ours: &Node| {
        let ours = ours.clone();
        async move {
            ours.call::<Term>(ours.name().clone(), "net_kernel", "get_state", ()).await.unwrap().to_string()
        }
    };
    assert_eq!(
        state(&ours).await,
        "#{name => undefined,name_domain => shortnames,name_type => dynamic,started => dynamic}"
    );
    assert_eq!(ours.name().as_str(), "nonode@nohost");
    let mut names = Vec::new();
    for _ in 0..2 {
        // A signal is enough, as in OTP.
        let to = (trunkline::Atom::new("nobody"), trunkline::Atom::new(&erl.name));
        let reason = ours.run(|mut ctx: Ctx| async move {
            ctx.monitor(to);
            ctx.receive::<Down>().await.reason.to_string()
        });
        assert_eq!(reason.await, "noproc");
        let name = ours.name().to_string();
        assert!(name.ends_with("@localhost") && !name.starts_with("undefined"), "{name}");
        assert!(
            state(&ours).await.contains(&format!("name => '{name}'")) || state(&ours).await.contains(&name)
        );
        erl.check("length(nodes(hidden))", "1");
        erl.scene("[N] = nodes(hidden), {echo, N} ! {self(), hi}, P = rpc:call(N, erlang, whereis, [echo]), P ! {self(), there}, [receive X -> X ?WAIT end || _ <- [1, 2]]", "[{echo,hi},{echo,there}]");
        assert_eq!(echo.node.name().as_str(), name);
        // The second peer knows it by the same name, and loses it with the first.
        ours.connect(second.name.as_str()).await.unwrap();
        second.check(&format!("nodes(hidden) =:= ['{name}']"), "true");
        erl.check(&format!("erlang:disconnect_node('{name}')"), "true");
        eventually("the name is lost", async || ours.name().as_str() == "nonode@nohost").await;
        second.until("nodes(hidden)", "[]");
        names.push(name);
    }
    tokio::time::sleep(Duration::from_millis(1)).await;
    net_kernel::stop(&ours).await.unwrap();
    ours.shutdown().await;
}
