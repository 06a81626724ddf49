//! Stories of processes on one node.

use std::time::Duration;

use runtime::{AliasMode, Ctx, Down, Exit, ExitSignal, Limit, Mark, Node, NodeConfig, Policy, SpawnOptions};
use term::{Atom, FromTerm, IntoTerm, Mismatch, Pid, Ref, Term};
use tokio::runtime::{Builder, Handle};
use trunkline_runtime as runtime;

#[derive(Debug, PartialEq, Clone)]
struct Ping(i64);

impl IntoTerm for Ping {
    fn into_term(self) -> Term {
        Term::tuple([Term::atom("ping"), Term::Int(self.0)])
    }
}

impl FromTerm for Ping {
    fn from_term(term: &Term) -> Result<Ping, Mismatch> {
        match term.as_tuple() {
            Some([tag, Term::Int(number)]) if tag.is_atom("ping") => Ok(Ping(*number)),
            _ => Err(Mismatch { expected: "{ping, Integer}" }),
        }
    }
}

/// Runs the story in a process of a fresh node with a paused clock.
fn story<F, Fut, T>(body: F) -> T
where
    F: FnOnce(Ctx) -> Fut + Send + 'static,
    Fut: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    let executor = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    executor.block_on(async {
        let node = Node::new(NodeConfig { seed: Some(1), ..NodeConfig::alone(Handle::current()) });
        let value = node.run(body).await;
        node.shutdown().await;
        assert_eq!(node.process_count(), 0);
        value
    })
}

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// A process that waits for one message and returns.
fn patient(ctx: &Ctx) -> Pid {
    ctx.spawn(|mut ctx| async move {
        let _: Term = ctx.receive().await;
    })
}

#[test]
fn messages_arrive_in_order_and_as_the_types_they_were_sent_as() {
    story(|mut ctx| async move {
        let me = ctx.pid();
        ctx.spawn(move |mut ctx| async move {
            for number in 0..1_000 {
                ctx.send(&me, Ping(number));
            }
            ctx.send(&me, Term::atom("done"));
        });
        for number in 0..1_000 {
            assert_eq!(ctx.receive::<Ping>().await, Ping(number));
        }
        assert!(ctx.receive::<Term>().await.is_atom("done"));
    });
}

#[test]
fn the_first_message_that_fits_is_taken_and_the_others_stay() {
    story(|mut ctx| async move {
        let me = ctx.pid();
        ctx.send(&me, Atom::inline("first"));
        ctx.send(&me, Ping(1));
        ctx.send(&me, 7_i64);
        ctx.send(&me, Ping(2));
        assert_eq!(ctx.receive::<i64>().await, 7);
        assert_eq!(ctx.select(|term| Ping::from_term(term).ok().filter(|ping| ping.0 == 2)).await, Ping(2));
        assert_eq!(ctx.receive::<Ping>().await, Ping(1));
        assert_eq!(ctx.receive::<Atom>().await, "first");
        assert_eq!(ctx.try_receive::<Term>(), None);
        assert_eq!(ctx.node().process_info(&me).unwrap().message_queue_len, 0);
    });
}

#[test]
fn a_timeout_loses_no_message() {
    story(|mut ctx| async move {
        let me = ctx.pid();
        assert_eq!(ctx.receive_within::<Ping>(secs(5)).await, None);
        assert_eq!(ctx.node().now().as_secs(), 5);
        ctx.send_after(secs(2), &me, Ping(1));
        assert_eq!(ctx.receive_within::<Ping>(secs(1)).await, None);
        assert_eq!(ctx.receive_within::<Ping>(secs(5)).await, Some(Ping(1)));
        assert_eq!(ctx.node().now().as_secs(), 7);
        ctx.send(&me, Ping(2));
        assert_eq!(ctx.receive_within::<Ping>(Duration::ZERO).await, Some(Ping(2)));
    });
}

#[test]
fn a_cancelled_receive_leaves_the_message() {
    story(|mut ctx| async move {
        let me = ctx.pid();
        for round in 0..100 {
            ctx.send_after(Duration::from_millis(round % 3), &me, Ping(round as i64));
            let early = tokio::time::timeout(Duration::from_millis(1), ctx.receive::<Ping>()).await;
            let ping = match early {
                Ok(ping) => ping,
                Err(_) => ctx.receive().await,
            };
            assert_eq!(ping, Ping(round as i64));
        }
    });
}

#[test]
fn a_reply_behind_unread_mail_costs_one_look() {
    story(|mut ctx| async move {
        let me = ctx.pid();
        for number in 0..100_000_i64 {
            ctx.send(&me, number);
        }
        let echo = ctx.spawn(|mut ctx| async move {
            loop {
                let Asked(from, reference) = ctx.receive().await;
                ctx.send(from, Answer(reference, 42));
            }
        });
        assert_eq!(ctx.try_receive::<Pid>(), None);
        for _ in 0..100 {
            let mark = ctx.mark();
            let reference = ctx.make_ref();
            let before = ctx.scanned_messages();
            ctx.send(&echo, Asked(ctx.pid(), reference.clone()));
            let Answer(answered, number) = ctx.receive_from(mark).await;
            assert_eq!((answered, number), (reference, 42));
            assert_eq!(ctx.scanned_messages() - before, 1);
        }
        assert_eq!(ctx.node().process_info(&me).unwrap().message_queue_len, 100_000);
        assert_eq!(ctx.receive::<i64>().await, 0);
    });
}

struct Asked(Pid, Ref);
struct Answer(Ref, i64);

impl IntoTerm for Asked {
    fn into_term(self) -> Term {
        Term::tuple([Term::Pid(self.0), Term::Ref(self.1)])
    }
}

impl FromTerm for Asked {
    fn from_term(term: &Term) -> Result<Asked, Mismatch> {
        match term.as_tuple() {
            Some([Term::Pid(pid), Term::Ref(reference)]) => Ok(Asked(pid.clone(), reference.clone())),
            _ => Err(Mismatch { expected: "{Pid, Ref}" }),
        }
    }
}

impl IntoTerm for Answer {
    fn into_term(self) -> Term {
        Term::tuple([Term::Ref(self.0), Term::Int(self.1)])
    }
}

impl FromTerm for Answer {
    fn from_term(term: &Term) -> Result<Answer, Mismatch> {
        match term.as_tuple() {
            Some([Term::Ref(reference), Term::Int(number)]) => Ok(Answer(reference.clone(), *number)),
            _ => Err(Mismatch { expected: "{Ref, Integer}" }),
        }
    }
}

#[test]
fn gaps_in_a_long_mailbox_do_not_lose_or_reorder_mail() {
    story(|mut ctx| async move {
        let me = ctx.pid();
        for number in 0..1_000_i64 {
            ctx.send(&me, number);
        }
        for number in (0..1_000_i64).filter(|number| number % 3 != 0) {
            ctx.select(|term| (term.as_int() == Some(number)).then_some(())).await;
        }
        for number in (0..1_000_i64).filter(|number| number % 3 == 0) {
            assert_eq!(ctx.receive::<i64>().await, number);
        }
        assert!(ctx.unread().is_empty());
    });
}

#[test]
fn an_abnormal_end_takes_linked_processes_along_and_a_normal_one_does_not() {
    story(|mut ctx| async move {
        ctx.set_trap_exit(true);
        let middle = ctx.spawn_link(|mut ctx| async move {
            let end = ctx.spawn_link(|mut ctx| async move {
                let why: Term = ctx.receive().await;
                Err::<(), Exit>(Exit(why))
            });
            ctx.spawn_link(|_| async {}); // ends as normal: nothing happens
            let Ping(_) = ctx.receive().await;
            ctx.send(&end, Term::atom("boom"));
            ctx.sleep(secs(1_000)).await;
        });
        ctx.sleep(secs(1)).await;
        assert!(ctx.node().is_process_alive(&middle));
        ctx.send(&middle, Ping(0));
        let exit: ExitSignal = ctx.receive().await;
        assert_eq!((exit.from, exit.reason), (middle, Term::atom("boom")));
    });
}

#[test]
fn kill_cannot_be_trapped_and_is_told_as_killed() {
    story(|mut ctx| async move {
        let stubborn = ctx.spawn(|mut ctx| async move {
            ctx.set_trap_exit(true);
            loop {
                let _: Term = ctx.receive().await;
            }
        });
        let monitor = ctx.monitor(&stubborn);
        ctx.sleep(secs(1)).await;
        ctx.exit(&stubborn, "please");
        ctx.sleep(secs(1)).await;
        assert!(ctx.node().is_process_alive(&stubborn));
        ctx.exit(&stubborn, Exit::kill());
        let down: Down = ctx.receive().await;
        assert_eq!(down.reference, monitor);
        assert_eq!((down.target, down.reason), (Term::Pid(stubborn), Term::atom("killed")));
    });
}

#[test]
fn a_link_exit_with_reason_kill_can_be_trapped() {
    story(|mut ctx| async move {
        ctx.set_trap_exit(true);
        let child = ctx.spawn_link(|_| async { Err::<(), Exit>(Exit::kill()) });
        let exit: ExitSignal = ctx.receive().await;
        assert_eq!((exit.from, exit.reason), (child, Term::atom("kill")));
    });
}

#[test]
fn an_exit_drops_what_the_process_holds_before_others_hear_of_it() {
    struct Flag(std::sync::Arc<std::sync::atomic::AtomicBool>);
    impl Drop for Flag {
        fn drop(&mut self) {
            self.0.store(true, std::sync::atomic::Ordering::SeqCst);
        }
    }
    story(|mut ctx| async move {
        let dropped = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
        let flag = Flag(dropped.clone());
        let (child, _) = ctx.spawn_monitor(move |mut ctx| async move {
            let _flag = flag;
            ctx.sleep(secs(1_000_000)).await;
        });
        ctx.exit(&child, "enough");
        let down: Down = ctx.receive().await;
        assert_eq!(down.reason, Term::atom("enough"));
        assert!(dropped.load(std::sync::atomic::Ordering::SeqCst));
        assert!(ctx.node().now().as_secs() < 1_000_000);
    });
}

#[test]
fn a_panic_is_an_exit_reason() {
    story(|mut ctx| async move {
        let (_, monitor) = ctx.spawn_monitor(|_| async {
            if true {
                panic!("out of {}", "cheese");
            }
        });
        let down: Down = ctx.receive().await;
        assert_eq!(down.reference, monitor);
        // As errors of Erlang are: why, and where.
        let said = format!("{:?}", down.reason);
        let why = "{{panic,<<\"out of cheese\">>},[{rust,panic,1,[{file,\"crates/runtime/tests/processes.rs\"},{line,";
        assert!(said.starts_with(why), "{said}");
    });
}

#[test]
fn message_then_exit_arrives_as_message_then_exit() {
    story(|mut ctx| async move {
        ctx.set_trap_exit(true);
        let me = ctx.pid();
        for _ in 0..100 {
            let me = me.clone();
            let child = ctx.spawn_link(move |mut ctx| async move { ctx.send(&me, Ping(1)) });
            let first: Term = ctx.receive().await;
            assert!(Ping::from_term(&first).is_ok());
            assert_eq!(ctx.receive::<ExitSignal>().await.from, child);
        }
    });
}

#[test]
fn links_and_monitors_on_the_dead_answer_noproc() {
    story(|mut ctx| async move {
        ctx.set_trap_exit(true);
        let (child, first) = ctx.spawn_monitor(|_| async {});
        let down: Down = ctx.receive().await;
        assert_eq!((down.reference, down.reason), (first, Term::atom("normal")));
        ctx.link(&child);
        let exit: ExitSignal = ctx.receive().await;
        assert_eq!((exit.from, exit.reason), (child.clone(), Term::atom("noproc")));
        let second = ctx.monitor(&child);
        let down: Down = ctx.receive().await;
        assert_eq!((down.reference, down.reason), (second, Term::atom("noproc")));
        let third = ctx.monitor("nobody");
        let down: Down = ctx.receive().await;
        let target = Term::tuple([Term::atom("nobody"), Term::atom("nonode@nohost")]);
        assert_eq!((down.reference, down.target), (third, target));
    });
}

#[test]
fn unlink_silences_a_link_even_when_both_ends_play() {
    story(|mut ctx| async move {
        ctx.set_trap_exit(true);
        let child = patient(&ctx);
        ctx.link(&child);
        ctx.unlink(&child);
        ctx.link(&child);
        ctx.unlink(&child);
        ctx.sleep(secs(1)).await;
        assert!(ctx.node().process_info(&child).unwrap().links.is_empty());
        assert!(ctx.node().process_info(ctx.pid_ref()).unwrap().links.is_empty());
        ctx.link(&child);
        ctx.exit(&child, "gone");
        ctx.unlink(&child); // the exit may be on its way: it must not be heard
        assert_eq!(ctx.receive_within::<ExitSignal>(secs(1)).await, None);
        assert!(!ctx.node().is_process_alive(&child));
    });
}

#[test]
fn demonitor_with_flush_leaves_nothing_behind() {
    story(|mut ctx| async move {
        let child = patient(&ctx);
        let first = ctx.monitor(&child);
        assert!(ctx.demonitor(&first, true));
        assert!(!ctx.demonitor(&first, true));
        let second = ctx.monitor(&child);
        ctx.send(&child, 1_i64);
        ctx.sleep(secs(1)).await;
        assert_eq!(ctx.unread().len(), 1);
        assert!(!ctx.demonitor(&second, true));
        assert!(ctx.unread().is_empty());
    });
}

#[test]
fn a_late_answer_to_an_alias_is_dropped() {
    story(|mut ctx| async move {
        let slow = ctx.spawn(|mut ctx| async move {
            loop {
                let Asked(_, reference) = ctx.receive().await;
                ctx.sleep(secs(2)).await;
                ctx.send(&reference, Answer(reference.clone(), 1));
            }
        });
        let reference = ctx.monitor_with_alias(&slow, AliasMode::Demonitor);
        ctx.send(&slow, Asked(ctx.pid(), reference.clone()));
        assert!(ctx.receive_within::<Answer>(secs(1)).await.is_none());
        ctx.demonitor(&reference, true);
        assert!(ctx.receive_within::<Answer>(secs(5)).await.is_none());
        let reference = ctx.monitor_with_alias(&slow, AliasMode::ReplyDemonitor);
        ctx.send(&slow, Asked(ctx.pid(), reference.clone()));
        assert_eq!(ctx.receive::<Answer>().await.0, reference);
        assert!(ctx.node().process_info(ctx.pid_ref()).unwrap().monitors.is_empty());
        let alias = ctx.alias(AliasMode::Reply);
        ctx.send(&alias, 1_i64);
        ctx.send(&alias, 2_i64);
        assert_eq!(ctx.receive::<i64>().await, 1);
        assert_eq!(ctx.try_receive::<i64>(), None);
        let alias = ctx.alias(AliasMode::Explicit);
        ctx.send(&alias, 3_i64);
        assert_eq!(ctx.receive::<i64>().await, 3);
        assert!(ctx.unalias(&alias));
        ctx.send(&alias, 4_i64);
        assert_eq!(ctx.receive_within::<i64>(secs(1)).await, None);
    });
}

#[test]
fn timers_fire_once_or_tell_what_was_left() {
    story(|mut ctx| async move {
        let me = ctx.pid();
        let timer = ctx.send_after(secs(10), &me, Ping(1));
        ctx.sleep(secs(4)).await;
        assert_eq!(ctx.node().read_timer(&timer), Some(secs(6)));
        assert_eq!(ctx.cancel_timer(&timer), Some(secs(6)));
        assert_eq!(ctx.cancel_timer(&timer), None);
        assert_eq!(ctx.receive_within::<Ping>(secs(100)).await, None);
        let timer = ctx.send_after(secs(1), &me, Ping(2));
        assert_eq!(ctx.receive::<Ping>().await, Ping(2));
        assert_eq!(ctx.cancel_timer(&timer), None);
    });
}

#[test]
fn a_name_belongs_to_one_process_and_ends_with_it() {
    story(|mut ctx| async move {
        let child = patient(&ctx);
        ctx.node().register("kitchen", &child).unwrap();
        assert!(ctx.node().register("kitchen", ctx.pid_ref()).is_err());
        assert!(ctx.node().register("cellar", &child).is_err());
        assert!(ctx.register("undefined").is_err());
        assert_eq!(ctx.whereis("kitchen"), Some(child.clone()));
        let monitor = ctx.monitor("kitchen");
        ctx.send("kitchen", Ping(1));
        let down: Down = ctx.receive().await;
        assert_eq!(down.reference, monitor);
        assert_eq!(ctx.whereis("kitchen"), None);
        assert!(ctx.node().register("kitchen", &child).is_err());
        ctx.register("kitchen").unwrap();
        ctx.send(("kitchen", "nonode@nohost"), Ping(2));
        assert_eq!(ctx.receive::<Ping>().await, Ping(2));
        assert!(ctx.unregister("kitchen"));
        assert!(ctx.registered().is_empty());
    });
}

fn bounded(policy: Policy) -> SpawnOptions {
    let mailbox = Limit::Bounded { messages_max: 3, policy };
    SpawnOptions { mailbox, ..SpawnOptions::default() }
}

fn read_after_five(policy: Policy) -> Vec<i64> {
    story(move |mut ctx| async move {
        let me = ctx.pid();
        let child = ctx.spawn_with(bounded(policy), move |mut ctx| async move {
            ctx.sleep(secs(1)).await;
            while let Some(number) = ctx.receive_within::<i64>(secs(1)).await {
                ctx.send(&me, number);
            }
            ctx.send(&me, Atom::inline("end"));
        });
        for number in 1..=5_i64 {
            ctx.send(&child, number);
        }
        assert!(ctx.node().process_info(&child).unwrap().mailbox_full.unwrap() > 0);
        ctx.receive::<Atom>().await;
        std::iter::from_fn(|| ctx.try_receive::<i64>()).collect()
    })
}

#[test]
fn a_full_mailbox_does_what_its_policy_says() {
    assert_eq!(read_after_five(Policy::Warn), [1, 2, 3, 4, 5]);
    assert_eq!(read_after_five(Policy::DropNewest), [1, 2, 3]);
    assert_eq!(read_after_five(Policy::DropOldest), [3, 4, 5]);
    story(|mut ctx| async move {
        let child = ctx.spawn_with(bounded(Policy::ExitReceiver), |mut ctx| async move {
            ctx.set_trap_exit(true);
            ctx.sleep(secs(1_000)).await;
        });
        ctx.monitor(&child);
        for number in 1..=5_i64 {
            ctx.send(&child, number);
        }
        assert_eq!(ctx.receive::<Down>().await.reason, Term::atom("mailbox_overflow"));
    });
}

#[test]
fn a_busy_receiver_lets_others_run() {
    story(|mut ctx| async move {
        let me = ctx.pid();
        ctx.spawn({
            let me = me.clone();
            move |mut ctx| async move { ctx.send(&me, Atom::inline("stop")) }
        });
        ctx.send(&me, Ping(0));
        // It always has mail, and yet its neighbour gets a turn.
        let mut rounds = 0;
        while ctx.try_receive::<Atom>().is_none() {
            let ping: Ping = ctx.receive().await;
            ctx.send(&me, ping);
            rounds += 1;
            assert!(rounds < 100_000);
        }
    });
}

#[test]
fn group_leaders_are_inherited() {
    story(|mut ctx| async move {
        let leader = patient(&ctx);
        ctx.set_group_leader(&leader);
        let me = ctx.pid();
        ctx.spawn(move |mut ctx| async move {
            let leader = ctx.group_leader();
            ctx.send(&me, leader);
        });
        assert_eq!(ctx.receive::<Pid>().await, leader);
    });
}

#[test]
fn pids_are_shown_and_read_as_the_shell_does() {
    story(|ctx| async move {
        let me = ctx.pid();
        let shown = ctx.node().show_pid(&me);
        assert_eq!(shown, format!("<0.{}.{}>", me.id, me.serial));
        assert_eq!(ctx.node().parse_pid(&shown), Some(me));
        let other = Pid { node: term::NodeId::new(Atom::inline("b@host"), 1), id: 84, serial: 0 };
        let shown = ctx.node().show_pid(&other);
        assert_eq!(shown, "<9000.84.0>");
        assert_eq!(ctx.node().parse_pid("9000.84.0"), Some(other));
        assert_eq!(ctx.node().parse_pid("<7.1.0>"), None);
    });
}

#[test]
fn to_other_nodes_a_lonely_node_says_noconnection() {
    story(|mut ctx| async move {
        ctx.set_trap_exit(true);
        let far = Pid { node: term::NodeId::new(Atom::inline("b@host"), 1), id: 84, serial: 0 };
        ctx.send(&far, Ping(1));
        assert_eq!(ctx.node().dropped_messages(), 1);
        ctx.link(&far);
        assert_eq!(ctx.receive::<ExitSignal>().await.reason, Term::atom("noconnection"));
        ctx.monitor(("x", "b@host"));
        assert_eq!(ctx.receive::<Down>().await.reason, Term::atom("noconnection"));
        ctx.monitor_node("b@host", true);
        let nodedown = Term::tuple([Term::atom("nodedown"), Term::atom("b@host")]);
        assert_eq!(ctx.receive::<Term>().await, nodedown);
        let mut elsewhere = ctx;
        assert!(elsewhere.spawn_at("b@host", "m", "f", vec![], runtime::SpawnAt::default()).await.is_err());
        let _ = elsewhere.mark() > Mark::START;
    });
}
