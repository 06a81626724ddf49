//! Races, made to happen: what a stress test passes over.

use std::time::Duration;

use term::{Pid, Term};
use tokio::runtime::Builder;

use crate::{Ctx, Down, ExitSignal, Node};

fn story<F, Fut>(body: F)
where
    F: FnOnce(Ctx) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let executor = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    executor.block_on(async {
        let node = Node::alone();
        node.run(body).await;
        node.shutdown().await;
    });
}

/// Does `act` at the moment when the next process to end has told everybody but still takes mail.
fn while_dying(ctx: &Ctx, act: impl FnOnce(&Node, &Pid) + Send + 'static) {
    let mut act = Some(act);
    ctx.node().set_stage(Box::new(move |node, pid| {
        if let Some(act) = act.take() {
            act(node, pid);
        }
    }));
}

#[test]
fn the_dead_answer_their_mail() {
    story(|mut ctx| async move {
        ctx.set_trap_exit(true);
        let dying = ctx.spawn(|mut ctx| async move {
            let _: Term = ctx.receive().await;
        });
        // A second process makes its monitor and its link in the very last moment of the first.
        let me = ctx.pid();
        let late = ctx.spawn({
            let dying = dying.clone();
            move |mut ctx| async move {
                ctx.set_trap_exit(true);
                let _: i64 = ctx.receive().await;
                let down: Down = ctx.receive().await;
                let exit: ExitSignal = ctx.receive().await;
                assert_eq!((down.target, exit.from), (Term::Pid(dying.clone()), dying));
                ctx.send(&me, Term::tuple([down.reason, exit.reason]));
            }
        });
        let other = ctx.node().process(&late).unwrap();
        let (target, node) = (dying.clone(), ctx.node().clone());
        while_dying(&ctx, move |_, pid| {
            assert_eq!(*pid, target);
            assert!(!node.is_process_alive(pid));
            let mut hand = Ctx::new(other.clone());
            hand.monitor(pid);
            hand.link(pid);
        });
        ctx.sleep(Duration::from_secs(1)).await;
        ctx.send(&dying, Term::NIL);
        ctx.sleep(Duration::from_secs(1)).await;
        ctx.send(&late, 1_i64);
        let told: Option<Term> = ctx.receive_within(Duration::from_secs(1)).await;
        let noproc = Term::tuple([Term::atom("noproc"), Term::atom("noproc")]);
        assert_eq!(told.expect("a watcher was forgotten"), noproc);
    });
}

#[test]
fn a_monitor_that_was_there_before_the_end_hears_the_true_reason() {
    story(|mut ctx| async move {
        // It never waits for mail, so the monitor lies in its inbox until the end.
        let busy = ctx.spawn(|_| async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            crate::Exit::from("tired")
        });
        ctx.monitor(&busy);
        assert_eq!(ctx.node().process_info(&busy).unwrap().monitored_by.len(), 1);
        assert_eq!(ctx.receive::<Down>().await.reason, Term::atom("tired"));
    });
}

#[test]
fn a_name_given_to_the_dying_is_refused() {
    story(|mut ctx| async move {
        let dying = ctx.spawn(|mut ctx| async move {
            let _: Term = ctx.receive().await;
        });
        while_dying(&ctx, |node, pid| {
            assert_eq!(node.register("late", pid), Err(crate::RegisterError::NoProcess));
        });
        ctx.send(&dying, Term::NIL);
        ctx.sleep(Duration::from_secs(1)).await;
        assert_eq!(ctx.whereis("late"), None);
    });
}

#[test]
fn a_message_behind_a_signal_wakes_a_reader_of_another_task() {
    story(|mut ctx| async move {
        let me = ctx.pid();
        // The hand is given to a task that is not the process's own.
        let child = ctx.spawn(move |mut ctx| async move {
            let reading = tokio::spawn(async move {
                let number: i64 = ctx.receive().await;
                ctx.send(&me, number);
            });
            let _ = reading.await;
        });
        ctx.sleep(Duration::from_secs(1)).await;
        ctx.link(&child);
        ctx.send(&child, 5_i64);
        assert_eq!(ctx.receive_within::<i64>(Duration::from_secs(1)).await, Some(5));
    });
}
