//! Who runs when: work moves to a free worker late, but it moves; nothing is lost between workers; nothing leaks.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Duration;

use runtime::{AliasMode, Ctx, Down, Exit, ExitSignal, Node, NodeConfig};
use term::{Pid, Ref, Term};
use tokio::runtime::{Builder, Runtime};
use trunkline_runtime as runtime;

fn two_workers() -> (Runtime, Node) {
    let executor = Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
    let node = Node::new(NodeConfig::alone(executor.handle().clone()));
    (executor, node)
}

/// A process that computes, as far as the scheduler can see, until somebody else has run.
fn compute_until(flag: &AtomicBool) {
    for _ in 0..20_000_000_u64 {
        if flag.load(Ordering::SeqCst) {
            return;
        }
        std::thread::yield_now();
    }
    panic!("nobody took over what waited behind a process that computes");
}

#[test]
fn who_waits_behind_a_process_that_computes_is_taken_over() {
    let (executor, node) = two_workers();
    executor.block_on(node.run(|mut ctx| async move {
        let flag = Arc::new(AtomicBool::new(false));
        let me = ctx.pid();
        for what in [0, 1] {
            let (flag, me) = (flag.clone(), me.clone());
            ctx.spawn(move |mut ctx| async move {
                match what {
                    0 => compute_until(&flag),
                    _ => flag.store(true, Ordering::SeqCst),
                }
                ctx.send(&me, 1_i64);
            });
        }
        for _ in 0..2 {
            ctx.receive::<i64>().await;
        }
    }));
}

#[test]
fn children_of_a_parent_that_computes_are_taken_over() {
    let (executor, node) = two_workers();
    executor.block_on(node.run(|ctx| async move {
        let flag = Arc::new(AtomicBool::new(false));
        let child = flag.clone();
        ctx.spawn(|_| async {});
        ctx.spawn(move |_| async move { child.store(true, Ordering::SeqCst) });
        compute_until(&flag);
    }));
}

#[test]
fn an_idle_moment_later_it_is_so_again() {
    let (executor, node) = two_workers();
    executor.block_on(node.run(|mut ctx| async move {
        for pause in [0, 1, 40] {
            ctx.sleep(Duration::from_millis(pause)).await;
            let flag = Arc::new(AtomicBool::new(false));
            let child = flag.clone();
            let runs = ctx.spawn(|_| async {});
            ctx.spawn(move |_| async move { child.store(true, Ordering::SeqCst) });
            compute_until(&flag);
            ctx.monitor(&runs);
            ctx.receive::<Down>().await;
        }
    }));
}

#[test]
fn in_one_thread_everybody_runs_in_the_order_of_its_waking() {
    let story = || {
        let executor = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        executor.block_on(async {
            let node =
                Node::new(NodeConfig { seed: Some(7), ..NodeConfig::alone(executor.handle().clone()) });
            let log = Arc::new(Mutex::new(Vec::new()));
            let seen = log.clone();
            node.run(|mut ctx| async move {
                let me = ctx.pid();
                for number in 0..50_i64 {
                    let (me, seen) = (me.clone(), seen.clone());
                    ctx.spawn(move |mut ctx| async move {
                        for round in 0..20 {
                            seen.lock().unwrap().push((number, round));
                            match ctx.node().roll() % 3 {
                                0 => ctx.breathe().await,
                                1 => ctx.sleep(Duration::from_millis(ctx.node().roll() % 5)).await,
                                _ => ctx.send(&me, number),
                            }
                        }
                        ctx.send(&me, -1_i64);
                    });
                }
                let mut left = 50;
                while left > 0 {
                    left -= i64::from(ctx.receive::<i64>().await < 0);
                }
            })
            .await;
            node.shutdown().await;
            std::mem::take(&mut *log.lock().unwrap())
        })
    };
    let first = story();
    assert_eq!(first.len(), 1_000);
    assert_eq!(first, story());
}

#[test]
fn a_process_that_keeps_its_own_waker_is_freed() {
    let token = Arc::new(());
    let (executor, node) = two_workers();
    let kept = Arc::downgrade(&node.shelf::<AtomicU32>());
    for end in [true, false] {
        let token = token.clone();
        node.spawn(move |mut ctx| async move {
            let mut own: Option<Waker> = None;
            poll_fn(|cx| {
                own = Some(cx.waker().clone());
                Poll::Ready(())
            })
            .await;
            if !end {
                ctx.receive::<Term>().await;
            }
            drop((own, token));
        });
    }
    executor.block_on(node.shutdown());
    assert_eq!(Arc::strong_count(&token), 1);
    drop(node);
    drop(executor);
    assert!(kept.upgrade().is_none(), "the node outlives its last handle");
}

#[test]
fn processes_go_with_their_executor() {
    let token = Arc::new(());
    let (executor, node) = two_workers();
    let kept = Arc::downgrade(&node.shelf::<AtomicU32>());
    executor.block_on(node.run({
        let token = token.clone();
        |mut ctx| async move {
            for _ in 0..100 {
                let token = token.clone();
                ctx.spawn(move |mut ctx| async move {
                    let other = token.clone();
                    ctx.spawn(move |mut ctx| async move {
                        ctx.sleep(Duration::from_secs(1_000)).await;
                        drop(other);
                    });
                    ctx.receive::<Term>().await;
                    drop(token);
                });
            }
            ctx.breathe().await;
        }
    }));
    drop(executor);
    assert_eq!(Arc::strong_count(&token), 1);
    drop(node);
    assert!(kept.upgrade().is_none(), "the node outlives its last handle");
}

/// Dice for stories in which the order of events is not ours to choose.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

#[test]
fn every_monitor_and_every_link_is_heard_exactly_once() {
    for seed in 0..6 {
        let (executor, node) = two_workers();
        let told = executor.block_on(async {
            let run = node.run(move |ctx| bereave(ctx, seed));
            tokio::time::timeout(Duration::from_secs(60), run).await
        });
        assert!(told.is_ok(), "seed {seed}: somebody was never told");
        executor.block_on(node.shutdown());
        assert_eq!(node.process_count(), 0, "seed {seed}");
    }
}

/// Watches, links and kills a crowd that ends at the same time by itself, from two sides at once.
async fn bereave(mut ctx: Ctx, seed: u64) {
    let me = ctx.pid();
    let witnesses: Vec<Pid> = (0..4)
        .map(|number| {
            let me = me.clone();
            ctx.spawn(move |ctx| witness(ctx, me, seed * 10 + number))
        })
        .collect();
    for _ in &witnesses {
        let missing: i64 = ctx.receive().await;
        assert_eq!(missing, 0, "seed {seed}");
    }
}

async fn witness(mut ctx: Ctx, boss: Pid, seed: u64) {
    let mut dice = Dice(seed);
    ctx.set_trap_exit(true);
    let (mut watched, mut linked) = (BTreeMap::<Ref, u32>::new(), BTreeMap::<Pid, u32>::new());
    for _ in 0..500 {
        let rounds = dice.roll(4);
        let child = ctx.spawn(move |mut ctx| async move {
            for _ in 0..rounds {
                ctx.breathe().await;
            }
        });
        for _ in 0..dice.roll(3) {
            watched.insert(ctx.monitor(&child), 0);
        }
        if dice.roll(2) == 0 {
            ctx.link(&child);
            linked.insert(child.clone(), 0);
        }
        if dice.roll(3) == 0 {
            let taken_back = ctx.monitor_with_alias(&child, AliasMode::Demonitor);
            ctx.breathe().await;
            ctx.demonitor(&taken_back, true);
            // Nothing may come by it any more.
            ctx.send(&taken_back, 0_i64);
        }
        match dice.roll(4) {
            0 => ctx.exit(&child, Exit::kill()),
            1 => ctx.breathe().await,
            _ => {}
        }
    }
    while watched.values().chain(linked.values()).any(|heard| *heard == 0) {
        if let Some(down) = ctx.receive_within::<Down>(Duration::ZERO).await {
            *watched.get_mut(&down.reference).expect("a monitor that was taken back is heard") += 1;
        } else if let Some(exit) = ctx.receive_within::<ExitSignal>(Duration::ZERO).await {
            *linked.get_mut(&exit.from).expect("an exit without a link") += 1;
        } else {
            ctx.breathe().await;
        }
    }
    assert!(watched.values().chain(linked.values()).all(|heard| *heard == 1));
    let left = ctx.unread().len() as i64;
    ctx.send(&boss, left);
}

#[test]
fn questions_and_answers_cross_workers() {
    for seed in 0..3 {
        let (executor, node) = two_workers();
        let server = node.spawn(|mut ctx| async move {
            loop {
                let (alias, number): (Ref, i64) = ctx.receive().await;
                ctx.send(&alias, number + 1);
            }
        });
        let clients = (0..8).map(|number| {
            let (node, server) = (node.clone(), server.clone());
            executor.spawn(async move { node.run(ask_often(server, seed * 8 + number)).await })
        });
        let clients: Vec<_> = clients.collect();
        executor.block_on(async {
            for client in clients {
                let told = tokio::time::timeout(Duration::from_secs(60), client).await;
                assert!(matches!(told, Ok(Ok(()))), "seed {seed}: an answer was lost");
            }
        });
    }
}

fn ask_often(
    server: Pid,
    seed: u64,
) -> impl FnOnce(Ctx) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> + Send + 'static {
    move |mut ctx| {
        Box::pin(async move {
            let mut dice = Dice(seed);
            for number in 0..3_000_i64 {
                let alias = ctx.monitor_with_alias(&server, AliasMode::ReplyDemonitor);
                ctx.send(&server, (alias, number));
                if dice.roll(50) == 0 {
                    // Somewhere else meanwhile.
                    ctx.sleep(Duration::from_micros(dice.roll(300))).await;
                }
                assert_eq!(ctx.receive::<i64>().await, number + 1, "seed {seed}");
            }
        })
    }
}
