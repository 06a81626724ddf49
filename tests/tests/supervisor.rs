//! Supervisors of ours and OTP's: the same decisions, the same words, children across nodes.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use trunkline::otp::report;
use trunkline::prelude::*;
use trunkline::supervisor::{Child, ChildError, ChildState, Restart, Shutdown, Supervisor, SupervisorRef};
use trunkline_tests::meeting::{Meeting, both_dialling};
use trunkline_tests::world::{self, t};

/// A child that ends as it is told.
fn obedient(id: &str) -> Child {
    Child::task(id, |mut ctx: Ctx| async move { Exit(ctx.receive().await) })
}

/// Runs one supervisor of three children on OTP for every case, in the words that the Rust side uses too.
const OTP_SIDE: &str = "F = fun(Strategy, [A, B, C], Dead, Reason) -> \
    Start = fun() -> {ok, spawn_link(fun() -> receive R -> exit(R) end end)} end, \
    persistent_term:put(start_child, Start), \
    Child = fun(Id, Restart) -> #{id => Id, start => {erlang, apply, [Start, []]}, restart => Restart} end, \
    {ok, Sup} = gen_server:start(supervisor, {self, guest_sup, {#{strategy => Strategy, intensity => 1, period => 5}, \
        [Child(a, A), Child(b, B), Child(c, C)]}}, []), \
    Pids = fun() -> [{I, P} || {I, P, _, _} <- supervisor:which_children(Sup)] end, \
    Before = Pids(), P = proplists:get_value(Dead, Before), M = monitor(process, P), P ! Reason, \
    receive {'DOWN', M, _, _, _} -> ok end, After = Pids(), \
    Said = [case {proplists:get_value(I, Before), proplists:get_value(I, After, gone)} of \
        {Same, Same} -> same; {_, gone} -> gone; {_, undefined} -> stopped; {_, N} when is_pid(N) -> new end || I <- [a, b, c]], \
    exit(Sup, kill), Said end";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_strategy_decides_as_otp_does() {
    if !trunkline_tests::erl::found() {
        return;
    }
    let epmd = world::private_epmd();
    let mut erl =
        trunkline_tests::erl::Erl::start(&world::unique("erl"), epmd, &["-kernel", "logger_level", "none"]);
    erl.check(
        "{ok, guest_sup, Code} = compile:forms([{attribute, 1, module, guest_sup}, {attribute, 2, export, [{init, 1}]}, \
         {function, 3, init, 1, [{clause, 3, [{var, 3, 'X'}], [], [{tuple, 3, [{atom, 3, ok}, {var, 3, 'X'}]}]}]}]), \
         element(1, code:load_binary(guest_sup, \"guest_sup\", Code))",
        "module",
    );
    erl.eval(OTP_SIDE);
    let ours = world::node(&world::unique("ours"), epmd).start().await.unwrap();
    let restarts = ["permanent", "transient", "temporary"];
    for strategy in ["one_for_one", "one_for_all", "rest_for_one"] {
        let mut cases = Vec::new();
        for kind in restarts {
            for other in restarts {
                for dead in ["a", "b", "c"] {
                    for reason in ["normal", "{shutdown, x}", "boom"] {
                        cases.push((kind, other, dead, reason));
                    }
                }
            }
        }
        let asked: Vec<String> = cases
            .iter()
            .map(|(kind, other, dead, reason)| {
                format!("F({strategy}, [{other}, {kind}, {other}], {dead}, {reason})")
            })
            .collect();
        let theirs = erl.eval(&format!("[{}]", asked.join(", ")));
        let mut decided = Vec::new();
        for (kind, other, dead, reason) in cases {
            decided.push(decide(&ours, strategy, [other, kind, other], dead, reason).await);
        }
        assert_eq!(format!("[{}]", decided.join(",")), theirs, "{strategy}: {asked:?}");
    }
}

/// What a supervisor of ours does, in the words of the Erlang side.
async fn decide(node: &Node, strategy: &str, kinds: [&str; 3], dead: &str, reason: &str) -> String {
    let mut rules = match strategy {
        "one_for_one" => Supervisor::one_for_one(),
        "one_for_all" => Supervisor::one_for_all(),
        _ => Supervisor::rest_for_one(),
    };
    for (id, kind) in ["a", "b", "c"].into_iter().zip(kinds) {
        rules = rules.child(obedient(id).restart(Restart::from_term(&Term::atom(kind)).unwrap()));
    }
    let supervisor = rules.start(node).await.unwrap();
    let before = states(node, &supervisor).await;
    let victim = before.iter().find(|(id, _)| id == dead).and_then(|(_, state)| pid_of(state)).unwrap();
    let reason = t(reason);
    node.run(move |mut ctx| async move {
        ctx.monitor(&victim);
        ctx.send(&victim, reason);
        ctx.receive::<Down>().await;
    })
    .await;
    let after = states(node, &supervisor).await;
    let said = ["a", "b", "c"].map(|id| {
        let find = |all: &[(String, ChildState)]| {
            all.iter().find(|(is, _)| is == id).map(|(_, state)| state.clone())
        };
        match (find(&before), find(&after)) {
            (_, None) => "gone",
            (old, new) if old == new => "same",
            (_, Some(ChildState::Running(_))) => "new",
            _ => "stopped",
        }
    });
    let pid = supervisor.pid().unwrap().clone();
    node.run(move |ctx| async move { ctx.exit(&pid, Exit::kill()) }).await;
    format!("[{}]", said.join(","))
}

async fn states(node: &Node, supervisor: &SupervisorRef) -> Vec<(String, ChildState)> {
    let children = supervisor.which_children(node).await.unwrap();
    children.into_iter().map(|child| (format!("{:?}", child.id), child.state)).collect()
}

fn pid_of(state: &ChildState) -> Option<Pid> {
    if let ChildState::Running(pid) = state { Some(pid.clone()) } else { None }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn otp_asks_a_supervisor_of_ours_and_gives_it_children() {
    both_dialling(async |meeting| {
        let Meeting { erl, ours, .. } = meeting;
        let ours: &Node = ours;
        // A start function that Erlang programs can name.
        ours.export_raw(
            "shop",
            "start_link",
            Some(1),
            Arc::new(|ctx, arguments| {
                Box::pin(async move {
                    if arguments[0].is_atom("fail") {
                        return Ok(t("{error, failed}"));
                    }
                    let pid = ctx.spawn(|mut ctx: Ctx| async move { Exit(ctx.receive().await) });
                    Ok(Term::tuple([Term::atom("ok"), Term::Pid(pid)]))
                })
            }),
        );
        let inner = Supervisor::one_for_one().child(obedient("leaf"));
        Supervisor::rest_for_one()
            .named("shop_sup")
            .child(obedient("first"))
            .child(Child::supervisor("inner", inner))
            .start(ours)
            .await
            .unwrap();
        Supervisor::dynamic().named("pool").start(ours).await.unwrap();
        erl.eval("S = {shop_sup, Us}, Spec = fun(Id, A) -> #{id => Id, start => {shop, start_link, [A]}} end");
        for (question, answer) in [
            (
                "[{I, is_pid(P), T, M} || {I, P, T, M} <- supervisor:which_children(S)]",
                "[{inner,true,supervisor,[inner]},{first,true,worker,[first]}]",
            ),
            ("supervisor:count_children(S)", "[{specs,2},{active,2},{supervisors,1},{workers,1}]"),
            (
                "[{_, P, _, _} | _] = supervisor:which_children(S), [{L, _, _, _}] = supervisor:which_children(P), L",
                "leaf",
            ),
            ("element(1, supervisor:start_child(S, Spec(x, fine)))", "ok"),
            ("element(1, supervisor:start_child(S, Spec(x, fine)))", "error"),
            ("{error, {Why, _}} = supervisor:start_child(S, Spec(y, fail)), Why", "failed"),
            ("supervisor:start_child(S, #{id => z})", "{error,missing_start}"),
            ("supervisor:terminate_child(S, x)", "ok"),
            ("supervisor:delete_child(S, first)", "{error,running}"),
            ("element(1, supervisor:restart_child(S, x))", "ok"),
            ("supervisor:terminate_child(S, x)", "ok"),
            ("supervisor:delete_child(S, x)", "ok"),
            ("supervisor:restart_child(S, x)", "{error,not_found}"),
            (
                "supervisor:get_childspec(S, first)",
                "{ok,#{id => first,modules => [first],restart => permanent,shutdown => 5000,significant => false,start => {first,start_link,[]},type => worker}}",
            ),
            ("element(1, sys:get_state(S))", "state"),
            (
                "(fun() -> {status, _, {module, gen_server}, [D | _]} = sys:get_status(S), proplists:get_value('$initial_call', D) end)()",
                "{supervisor,init,1}",
            ),
            // As Elixir's DynamicSupervisor asks.
            ("element(1, gen_server:call({pool, Us}, {start_child, {{shop, start_link, [fine]}, temporary, 5000, worker, [shop]}}))", "ok"),
            ("[{undefined, D, worker, [shop]}] = supervisor:which_children({pool, Us}), is_pid(D)", "true"),
            ("supervisor:terminate_child({pool, Us}, D)", "ok"),
            ("supervisor:count_children({pool, Us})", "[{specs,0},{active,0},{supervisors,0},{workers,0}]"),
        ] {
            erl.check(question, answer);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_supervisor_of_ours_has_children_on_a_node_of_otp() {
    both_dialling(async |meeting| {
        let Meeting { erl, ours, .. } = meeting;
        let ours: &Node = ours;
        let errors = Arc::new(Mutex::new(Vec::new()));
        let ear = errors.clone();
        report::listen(ours, move |report| ear.lock().unwrap().push(format!("{:?}", report.label().unwrap())));
        let them = Atom::new(&erl.name);
        erl.check("catch unregister(counter), ok", "ok");
        let rules = Supervisor::one_for_one()
            .named("far_sup")
            .intensity(5, Duration::from_secs(5))
            .child(Child::otp("server", &them, "gen_server", "guest", 5).shutdown(Shutdown::Within(Duration::from_secs(10))))
            .child(Child::at("called", &them, "gen_server", "start", t("[guest, 6, []]").as_list().unwrap().iter().collect()));
        let supervisor = rules.start(ours).await.unwrap();
        erl.eval("Pid = fun(I) -> [P] = [P || {J, P, _, _} <- supervisor:which_children({far_sup, Us}), I =:= J], P end");
        erl.check("gen_server:call(Pid(server), {add, 0})", "5");
        erl.check("gen_server:call(Pid(called), {add, 0})", "6");
        // Its parent is our supervisor.
        erl.check(
            "{dictionary, Dict} = process_info(Pid(server), dictionary), [Parent | _] = proplists:get_value('$ancestors', Dict), \
             Parent =:= rpc:call(Us, erlang, whereis, [far_sup])",
            "true",
        );
        for child in ["server", "called"] {
            erl.eval(&format!("Old = Pid({child}), exit(Old, kill)"));
            erl.until(&format!("is_pid(Pid({child})) andalso Pid({child}) =/= Old"), "true");
            erl.eval("'#forget'");
            erl.eval(&format!("Us = {}", trunkline_tests::erl::quoted(ours.name().as_str())));
            erl.eval("Pid = fun(I) -> [P] = [P || {J, P, _, _} <- supervisor:which_children({far_sup, Us}), I =:= J], P end");
        }
        let fails = Child::otp("fails", &them, "gen_server", "no_such_module", 0);
        let error = supervisor.start_child(ours, fails).await.unwrap_err();
        assert!(matches!(&error, ChildError::Failed(why) if format!("{why:?}").contains("undef")), "{error:?}");
        let nowhere = Child::at("nowhere", "nobody@localhost", "m", "f", vec![]);
        let error = supervisor.start_child(ours, nowhere).await.unwrap_err();
        assert!(matches!(&error, ChildError::Failed(why) if format!("{why:?}").contains("noconnection")), "{error:?}");
        erl.eval("Left = [Pid(server), Pid(called)]");
        let place = supervisor.place().clone();
        let stopped = ours.run(move |mut ctx| async move {
            trunkline::otp::proc_lib::stop(&mut ctx, &place, Exit::shutdown(), None).await
        });
        assert_eq!(stopped.await, Ok(()));
        erl.check("[is_process_alive(P) || P <- Left]", "[false,false]");
        let errors = errors.lock().unwrap();
        assert_eq!(errors.iter().filter(|label| *label == "{supervisor,child_terminated}").count(), 2);
        assert!(!errors.iter().any(|label| label == "{supervisor,shutdown_error}"), "{errors:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_supervisor_of_otp_is_asked_by_ours() {
    both_dialling(async |meeting| {
        let Meeting { erl, ours, .. } = meeting;
        let ours: &Node = ours;
        let theirs = SupervisorRef::at(("kernel_sup", &Atom::new(&erl.name)));
        let children = theirs.which_children(ours).await.unwrap();
        let rex = children.iter().find(|child| child.id.is_atom("rex")).expect("rex is there");
        assert!(matches!(rex.state, ChildState::Running(_)));
        assert_eq!(theirs.count_children(ours).await.unwrap().specs, children.len());
        let spec = theirs.get_childspec(ours, "rex").await.unwrap();
        assert_eq!(spec.as_map().unwrap().get(&Term::atom("restart")), Some(&Term::atom("permanent")));
        assert_eq!(theirs.delete_child(ours, "rex").await, Err(ChildError::Running));
        assert_eq!(theirs.restart_child(ours, "nobody").await, Err(ChildError::NotFound));
        let spec =
            t("#{id => extra, start => {gen_server, start_link, [guest, 1, []]}, restart => temporary}");
        let extra = theirs.start_child_spec(ours, spec).await.unwrap();
        assert_eq!(extra.node.name().as_str(), erl.name);
        assert_eq!(theirs.terminate_child(ours, "extra").await, Ok(()));
    })
    .await;
}

/// Ends as it is told, on whichever node it was started.
struct Far;

#[derive(IntoTerm, FromTerm)]
enum Tell {
    End(Term),
}

impl GenServer for Far {
    type Args = i64;
    type Call = Nothing;
    type Cast = Tell;
    type Info = Nothing;

    async fn init(_: &mut Ctx, start: i64) -> Result<Self, Exit> {
        if start < 0 { Err(Exit::from("negative")) } else { Ok(Far) }
    }

    async fn handle_cast(&mut self, _: &mut Ctx, Tell::End(reason): Tell) -> Flow {
        Flow::stop(reason)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_supervisor_has_children_on_another_node_of_ours_and_hears_when_it_is_lost() {
    let epmd = world::private_epmd();
    let here = world::node(&world::unique("here"), epmd).start().await.unwrap();
    let there = world::node(&world::unique("there"), epmd).start().await.unwrap();
    trunkline::gen_server::export::<Far>(&there, "far");
    let far = |id: &str, n: i64| Child::at(id, there.name(), "far", "start", vec![Term::Int(n)]);
    let rules = Supervisor::one_for_one().intensity(3, Duration::from_secs(3600));
    let supervisor = rules.child(far("a", 1)).start(&*here).await.unwrap();
    let failed = supervisor.start_child(&here, far("b", -1)).await;
    assert!(
        matches!(&failed, Err(ChildError::Failed(why)) if format!("{why:?}").starts_with("{negative,")),
        "{failed:?}"
    );
    let child = async || {
        let children = states(&here, &supervisor).await;
        pid_of(&children[0].1)
    };
    let first = child().await.unwrap();
    assert_eq!(first.node.name(), there.name());
    Server::<Far>::at(&first).cast(&here, Tell::End(Term::atom("boom")));
    world::eventually("it is started again", async || child().await.is_some_and(|pid| pid != first)).await;
    let pid = supervisor.pid().unwrap().clone();
    assert!(here.is_process_alive(&pid));
    // Nowhere to start it again: the intensity is reached.
    there.shutdown().await;
    world::eventually("the supervisor gives up", async || !here.is_process_alive(&pid)).await;
}
