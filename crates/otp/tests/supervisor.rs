//! Supervisors and their children on one node.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use runtime::{Ctx, Down, Exit, ExitSignal, Node};
use term::{Pid, Term, term};
use trunkline_otp as otp;

use otp::supervisor::{
    AutoShutdown, Child, ChildError, ChildState, Counts, Kind, Restart, Shutdown, Supervisor, SupervisorRef,
};
use otp::{Flow, GenServer, Nothing, Reply, Request, Server, StartError, report, sys};

#[derive(Clone)]
struct Worker {
    stubborn: bool,
}

#[derive(Request)]
#[request(crate = "otp")]
enum Ask {
    Stop(Term, Reply<()>),
    Ping(Reply<i64>),
}

impl GenServer for Worker {
    type Args = Term;
    type Call = Ask;
    type Cast = Nothing;
    type Info = Nothing;

    async fn init(ctx: &mut Ctx, how: Term) -> Result<Self, Exit> {
        if how.is_atom("fail") {
            return Err(Exit::from("failed"));
        }
        if how.is_atom("ignore") {
            return Err(otp::proc_lib::ignore());
        }
        ctx.set_trap_exit(how.is_atom("stubborn"));
        Ok(Worker { stubborn: how.is_atom("stubborn") })
    }

    async fn handle_call(&mut self, _: &mut Ctx, ask: Ask) -> Flow {
        match ask {
            Ask::Stop(reason, reply) => {
                reply.send(());
                return Flow::stop(reason);
            }
            Ask::Ping(reply) => reply.send(1),
        }
        Flow::Continue
    }

    async fn terminate(&mut self, ctx: &mut Ctx, _: &Exit) {
        if self.stubborn {
            ctx.sleep(Duration::from_secs(3600)).await;
        }
    }
}

fn worker(id: &str) -> Child {
    Child::server::<Worker>(id, Term::NIL)
}

async fn pids(node: &Node, of: &SupervisorRef) -> Vec<(String, Option<Pid>)> {
    let mut children = of.which_children(node).await.unwrap();
    children.reverse();
    let pid = |state| if let ChildState::Running(pid) = state { Some(pid) } else { None };
    children.into_iter().map(|child| (format!("{:?}", child.id), pid(child.state))).collect()
}

async fn end(node: &Node, pid: &Pid, reason: Term) {
    let server = Server::<Worker>::at(pid);
    let pid = pid.clone();
    node.run(move |mut ctx| async move {
        ctx.monitor(&pid);
        let _ = server.call(&mut ctx, |reply| Ask::Stop(reason, reply)).await;
        ctx.receive::<Down>().await;
    })
    .await;
}

/// Until the supervisor has done what there is to do.
async fn settled(node: &Node, of: &SupervisorRef) {
    let _ = sys::get_state(node, of).await;
    tokio::time::sleep(Duration::from_millis(1)).await;
    let _ = sys::get_state(node, of).await;
}

#[tokio::test(start_paused = true)]
async fn children_start_in_order_and_restart_as_the_strategy_says() {
    let strategies = [
        (Supervisor::one_for_one(), [false, true, false]),
        (Supervisor::one_for_all(), [true, true, true]),
        (Supervisor::rest_for_one(), [false, true, true]),
    ];
    for (strategy, renewed) in strategies {
        let node = Node::alone();
        let supervisor = strategy.child(worker("a")).child(worker("b")).child(worker("c"));
        let supervisor = supervisor.start(&node).await.unwrap();
        let before = pids(&node, &supervisor).await;
        assert_eq!(before.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
        end(&node, before[1].1.as_ref().unwrap(), Term::atom("boom")).await;
        settled(&node, &supervisor).await;
        let after = pids(&node, &supervisor).await;
        for at in 0..3 {
            assert!(after[at].1.is_some());
            assert_eq!(before[at].1 != after[at].1, renewed[at], "{at}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_child_can_be_added_ended_restarted_and_deleted() {
    let node = Node::alone();
    let supervisor = Supervisor::one_for_one().named("sup").child(worker("a")).start(&node).await.unwrap();
    let failed = Child::server::<Worker>("f", Term::atom("fail"));
    let error = supervisor.start_child(&node, failed).await.unwrap_err();
    assert!(
        matches!(&error, ChildError::Failed(why) if format!("{why:?}").starts_with("{failed,#{")),
        "{error:?}"
    );
    let ignored = Child::server::<Worker>("i", Term::atom("ignore"));
    assert_eq!(supervisor.start_child(&node, ignored.clone()).await, Err(ChildError::Ignored));
    assert_eq!(supervisor.start_child(&node, ignored).await, Err(ChildError::AlreadyPresent));
    assert_eq!(supervisor.delete_child(&node, "i").await, Ok(()));
    let b = supervisor.start_child(&node, worker("b")).await.unwrap();
    let again = supervisor.start_child(&node, worker("b")).await;
    assert_eq!(again, Err(ChildError::AlreadyStarted(b.clone())));
    assert_eq!(supervisor.restart_child(&node, "b").await, Err(ChildError::Running));
    assert_eq!(supervisor.delete_child(&node, "b").await, Err(ChildError::Running));
    assert_eq!(supervisor.terminate_child(&node, "b").await, Ok(()));
    assert!(!node.is_process_alive(&b));
    let counts = Counts { specs: 2, active: 1, supervisors: 0, workers: 2 };
    assert_eq!(supervisor.count_children(&node).await, Ok(counts));
    assert!(supervisor.restart_child(&node, "b").await.unwrap() != b);
    let temporary = worker("t").restart(Restart::Temporary);
    supervisor.start_child(&node, temporary).await.unwrap();
    assert_eq!(supervisor.terminate_child(&node, "t").await, Ok(()));
    assert_eq!(supervisor.terminate_child(&node, "t").await, Err(ChildError::NotFound));
    let spec = supervisor.get_childspec(&node, "a").await.unwrap();
    let expected = term!(#{id => a, start => {(term::Atom::new("Worker")), start_link, []}, restart => permanent,
        significant => false, shutdown => 5000, type => worker, modules => [(term::Atom::new("Worker"))]});
    assert_eq!(spec, expected);
    let significant = worker("s").restart(Restart::Transient).significant();
    let error = supervisor.start_child(&node, significant).await.unwrap_err();
    assert_eq!(
        error,
        ChildError::Failed(term!({bad_combination, [{auto_shutdown, never}, {significant, true}]}))
    );
}

#[tokio::test(start_paused = true)]
async fn children_are_ended_kindly_then_not_and_in_reverse() {
    let node = Node::alone();
    let order = Arc::new(Mutex::new(Vec::new()));
    let task = |id: &'static str| {
        let order = order.clone();
        Child::task(id, move |mut ctx: Ctx| {
            let order = order.clone();
            async move {
                ctx.set_trap_exit(true);
                let signal: ExitSignal = ctx.receive().await;
                order.lock().unwrap().push(id);
                Exit(signal.reason)
            }
        })
    };
    let stubborn = || Child::server::<Worker>("stubborn", Term::atom("stubborn"));
    let inner = Supervisor::one_for_one().child(task("inner"));
    let supervisor = Supervisor::one_for_all()
        .child(task("first"))
        .child(stubborn().shutdown(Shutdown::Within(Duration::from_millis(100))))
        .child(Child::supervisor("sub", inner))
        .child(Child::server::<Worker>("brutal", Term::atom("stubborn")).shutdown(Shutdown::BrutalKill))
        .child(task("last"))
        .start(&node)
        .await
        .unwrap();
    let children = pids(&node, &supervisor).await;
    assert_eq!(supervisor.count_children(&node).await.unwrap().supervisors, 1);
    let before = node.now();
    let place = supervisor.place().clone();
    let down = node
        .run(
            move |mut ctx| async move { otp::proc_lib::stop(&mut ctx, &place, Exit::shutdown(), None).await },
        )
        .await;
    assert_eq!(down, Ok(()));
    assert_eq!(*order.lock().unwrap(), ["last", "inner", "first"]);
    let took = node.now().since(before);
    assert!(took >= Duration::from_millis(100) && took < Duration::from_secs(1), "{took:?}");
    assert!(children.iter().all(|(_, pid)| !node.is_process_alive(pid.as_ref().unwrap())));
}

#[tokio::test(start_paused = true)]
async fn too_many_restarts_end_the_supervisor_and_its_parent_hears_it() {
    let node = Node::alone();
    let labels = Arc::new(Mutex::new(Vec::new()));
    let ear = labels.clone();
    report::listen(&node, move |report| ear.lock().unwrap().push(format!("{:?}", report.label().unwrap())));
    node.run(|mut ctx| async move {
        ctx.set_trap_exit(true);
        let flaky = Child::task("flaky", |mut ctx: Ctx| async move {
            ctx.sleep(Duration::from_millis(10)).await;
            Exit::from("flaky")
        });
        let rules = Supervisor::one_for_one().intensity(3, Duration::from_secs(5)).child(worker("calm"));
        let supervisor = rules.child(flaky).start_link(&mut ctx).await.unwrap();
        let end: ExitSignal = ctx.receive().await;
        assert_eq!((Some(&end.from), end.reason), (supervisor.pid(), Term::atom("shutdown")));
        assert_eq!(ctx.node().process_count(), 1);
    })
    .await;
    let labels = labels.lock().unwrap();
    let count = |label: &str| labels.iter().filter(|heard| *heard == label).count();
    assert_eq!(count("{supervisor,progress}"), 2 + 3);
    assert_eq!(count("{supervisor,child_terminated}"), 4);
    assert_eq!(count("{supervisor,shutdown}"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_restart_that_fails_is_tried_again() {
    let node = Node::alone();
    let starts = Arc::new(Mutex::new(0));
    let counted = starts.clone();
    // Starts at first, then fails twice, then starts.
    let moody = Child::new("moody", move |ctx| {
        let nth = {
            let mut starts = counted.lock().unwrap();
            *starts += 1;
            *starts
        };
        Box::pin(async move {
            match nth {
                2 | 3 => Err(Term::atom("moody")),
                _ => Ok(Some(ctx.spawn_link(|mut ctx: Ctx| async move { ctx.receive::<()>().await }))),
            }
        })
    });
    for (strategy, restarts) in [(Supervisor::one_for_one(), 3), (Supervisor::rest_for_one(), 3)] {
        *starts.lock().unwrap() = 0;
        let supervisor = strategy.intensity(restarts, Duration::from_secs(5));
        let supervisor = supervisor.child(moody.clone()).child(worker("after")).start(&node).await.unwrap();
        let first = pids(&node, &supervisor).await[0].1.clone().unwrap();
        node.run(move |ctx| async move { ctx.exit(&first, "boom") }).await;
        settled(&node, &supervisor).await;
        settled(&node, &supervisor).await;
        assert_eq!(*starts.lock().unwrap(), 4);
        assert!(pids(&node, &supervisor).await.iter().all(|(_, pid)| pid.is_some()));
    }
}

#[tokio::test(start_paused = true)]
async fn while_one_child_does_not_start_again_another_one_is_at_rest() {
    let node = Node::alone();
    let starts = Arc::new(Mutex::new(0));
    // Starts once; then never, and slowly.
    let once = Child::new("once", move |ctx| {
        let first = {
            let mut starts = starts.lock().unwrap();
            *starts += 1;
            *starts == 1
        };
        Box::pin(async move {
            if !first {
                ctx.sleep(Duration::from_millis(100)).await;
                return Err(Term::atom("never"));
            }
            Ok(Some(ctx.spawn_link(|mut ctx: Ctx| async move { ctx.receive::<()>().await })))
        })
    });
    let rules = Supervisor::one_for_all().intensity(100, Duration::from_secs(3600));
    let supervisor = rules.child(once).child(worker("other")).start(&node).await.unwrap();
    let other = pids(&node, &supervisor).await[1].1.clone().unwrap();
    end(&node, &other, Term::atom("boom")).await;
    let states = supervisor.which_children(&node).await.unwrap().into_iter().map(|child| child.state);
    assert_eq!(states.collect::<Vec<_>>(), [ChildState::Stopped, ChildState::Restarting]);
    assert_eq!(supervisor.restart_child(&node, "once").await, Err(ChildError::Restarting));
    assert_eq!(supervisor.delete_child(&node, "other").await, Ok(()));
    assert_eq!(supervisor.terminate_child(&node, "once").await, Ok(()));
    assert_eq!(supervisor.count_children(&node).await.unwrap().active, 0);
}

#[tokio::test(start_paused = true)]
async fn significant_children_end_their_supervisor() {
    let node = Node::alone();
    let significant = |id| worker(id).restart(Restart::Transient).significant();
    for (rule, ends) in [(AutoShutdown::AnySignificant, 1), (AutoShutdown::AllSignificant, 2)] {
        let supervisor = Supervisor::one_for_one().auto_shutdown(rule).child(worker("other"));
        let supervisor =
            supervisor.child(significant("a")).child(significant("b")).start(&node).await.unwrap();
        let pid = supervisor.pid().unwrap().clone();
        let children = pids(&node, &supervisor).await;
        for (nth, (_, child)) in children[1..].iter().enumerate() {
            assert!(node.is_process_alive(&pid));
            end(&node, child.as_ref().unwrap(), Term::atom("normal")).await;
            settled(&node, &supervisor).await;
            assert_eq!(node.is_process_alive(&pid), nth + 1 < ends, "{rule:?}");
            if nth + 1 == ends {
                break;
            }
        }
    }
    let bad = Supervisor::one_for_one().child(worker("a").significant()).start(&node).await;
    assert!(matches!(bad, Err(StartError::Failed(_))), "{bad:?}");
    let twice = Supervisor::one_for_one().child(worker("a")).child(worker("a")).start(&node).await;
    assert_eq!(twice, Err(StartError::Failed(term!({start_spec, {duplicate_child_name, a}}))));
    let fails =
        Supervisor::one_for_one().child(worker("a")).child(Child::server::<Worker>("f", Term::atom("fail")));
    let why = term!({shutdown, {failed_to_start_child, f, failed}});
    assert_eq!(fails.start(&node).await, Err(StartError::Failed(why)));
    assert_eq!(node.process_count(), 0);
}

#[tokio::test(start_paused = true)]
async fn dynamic_children_come_and_go() {
    let node = Node::alone();
    let dynamic = Supervisor::dynamic().children_max(3).named("pool").start(&node).await.unwrap();
    let a = dynamic.start_child(&node, worker("any")).await.unwrap();
    let t = dynamic.start_child(&node, worker("any").restart(Restart::Temporary)).await.unwrap();
    dynamic.start_child(&node, worker("any")).await.unwrap();
    let full = dynamic.start_child(&node, worker("any")).await;
    assert_eq!(full, Err(ChildError::Failed(Term::atom("max_children"))));
    end(&node, &a, Term::atom("boom")).await;
    end(&node, &t, Term::atom("boom")).await;
    settled(&node, &dynamic).await;
    let children = dynamic.which_children(&node).await.unwrap();
    assert_eq!(children.len(), 2);
    assert!(children.iter().all(|child| child.id.is_atom("undefined") && child.kind == Kind::Worker));
    let ChildState::Running(pid) = &children[0].state else { panic!() };
    assert_eq!(dynamic.terminate_child(&node, pid).await, Ok(()));
    assert_eq!(dynamic.terminate_child(&node, pid).await, Err(ChildError::NotFound));
    assert_eq!(dynamic.terminate_child(&node, "x").await, Err(ChildError::Simple));
    assert_eq!(dynamic.count_children(&node).await.unwrap().active, 1);

    let simple = Supervisor::simple_one_for_one(|mut args| {
        Child::server::<Worker>("any", args.pop().unwrap_or(Term::NIL)).restart(Restart::Temporary)
    });
    let simple = simple.start(&node).await.unwrap();
    simple.start_child_spec(&node, term!([stubborn])).await.unwrap();
    let failed = simple.start_child_spec(&node, term!([fail])).await;
    assert_eq!(failed, Err(ChildError::Failed(Term::atom("failed"))));
    assert!(simple.start_child_spec(&node, term!(x)).await.is_err());
    let counts = Counts { specs: 1, active: 1, supervisors: 0, workers: 1 };
    assert_eq!(simple.count_children(&node).await, Ok(counts));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_children_crash_and_nothing_leaks() {
    const CHILDREN: usize = 1_000;
    let node = Node::alone();
    let crash = || {
        Child::task("crash", |mut ctx: Ctx| async move {
            let reason: Term = ctx.receive().await;
            Exit(reason)
        })
    };
    let mut named = Supervisor::one_for_one().intensity(10 * CHILDREN, Duration::from_secs(3600));
    for id in 0..CHILDREN {
        named = named.child(Child::task(id as i64, |mut ctx: Ctx| async move { Exit(ctx.receive().await) }));
    }
    let named = named.start(&node).await.unwrap();
    let dynamic = Supervisor::dynamic().intensity(10 * CHILDREN, Duration::from_secs(3600));
    let dynamic = dynamic.start(&node).await.unwrap();
    for _ in 0..CHILDREN {
        dynamic.start_child(&node, crash()).await.unwrap();
    }
    for supervisor in [&named, &dynamic] {
        for _ in 0..3 {
            let before = pids(&node, supervisor).await;
            before.iter().for_each(|(_, pid)| node.send(pid.as_ref().unwrap(), Term::atom("boom")));
            loop {
                let after = pids(&node, supervisor).await;
                let renewed = after.iter().all(|(_, pid)| {
                    pid.as_ref().is_some_and(|pid| !before.iter().any(|(_, old)| old.as_ref() == Some(pid)))
                });
                if renewed {
                    assert_eq!(after.len(), CHILDREN);
                    break;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        let pid = supervisor.pid().unwrap();
        let info = node.process_info(pid).unwrap();
        assert_eq!((info.links.len(), info.monitors.len(), info.message_queue_len), (CHILDREN, 0, 0));
    }
    // Those who asked are on their way out.
    while node.process_count() > 2 * CHILDREN + 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for supervisor in [named, dynamic] {
        let place = supervisor.place().clone();
        node.run(move |mut ctx| async move {
            otp::proc_lib::stop(&mut ctx, &place, Exit::shutdown(), None).await.unwrap();
        })
        .await;
    }
    while node.process_count() > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn malformed_requests_neither_hang_nor_end_a_supervisor() {
    let node = Node::alone();
    let supervisor = Supervisor::one_for_one().named("sup").child(worker("a")).start(&node).await.unwrap();
    let dynamic = Supervisor::dynamic().named("pool").start(&node).await.unwrap();
    for (spec, reason) in [
        (term!(x), term!({invalid_child_spec, x})),
        (term!(#{}), term!(missing_id)),
        (term!(#{id => x}), term!(missing_start)),
        (term!(#{id => x, start => y}), term!({invalid_mfa, y})),
        (term!(#{id => x, start => {a, b, c}}), term!({invalid_mfa, {a, b, c}})),
        (term!(#{id => x, start => {a, b, []}, restart => often}), term!({invalid_restart_type, often})),
        (term!(#{id => x, start => {a, b, []}, shutdown => (-1)}), term!({invalid_shutdown, (-1)})),
        (term!(#{id => x, start => {a, b, []}, type => y}), term!({invalid_child_type, y})),
        (term!(#{id => x, start => {a, b, []}, modules => [1]}), term!({invalid_modules, [1]})),
        (term!(#{id => x, start => {a, b, []}, significant => 1}), term!({invalid_significant, 1})),
    ] {
        let answer = supervisor.start_child_spec(&node, spec.clone()).await;
        assert_eq!(answer, Err(ChildError::Failed(reason)), "{spec:?}");
        assert!(dynamic.start_child_spec(&node, spec).await.is_err());
    }
    let undef = supervisor.start_child_spec(&node, term!(#{id => x, start => {a, b, []}})).await;
    assert!(format!("{undef:?}").contains("{undef,[{a,b,[],[]}]}"), "{undef:?}");
    for message in [
        term!({(term::Atom::new("$gen_cast")), {try_again_restart, x}}),
        term!(what),
        term!({try_again_restart, 1}),
    ] {
        node.send("sup", message.clone());
        node.send("pool", message);
    }
    for name in ["sup", "pool"] {
        for question in [
            term!({terminate_child, 1}),
            term!({restart_child, []}),
            term!({delete_child, {}}),
            term!({get_childspec, x}),
        ] {
            let answer = node
                .run(move |mut ctx| async move {
                    otp::request::call(&mut ctx, name, question, None).await.unwrap()
                })
                .await;
            assert!(answer.as_tuple().unwrap()[0].is_atom("error"));
        }
    }
    assert_eq!(supervisor.count_children(&node).await.unwrap().active, 1);
    assert_eq!(dynamic.count_children(&node).await.unwrap().active, 0);
}
