//! A thousand nodes, one after the other: what a node was must be gone when it has stopped.

extern crate trunkline_kernel as kernel;

mod hostile;

use std::sync::Arc;
use std::time::Duration;

use hostile::*;
use kernel::Node;
use runtime::Ctx;
use term::{Atom, Pid, Term};

/// Starts two nodes, lets them talk, link, monitor, set timers and leave things half done, and stops them.
async fn one_life(epmd: u16, round: usize, witness: &Arc<()>) {
    let start = |who: String| Node::builder(&who).cookie(COOKIE).epmd_port(epmd).output(|_| {}).start();
    let one = start(format!("one{round}@localhost")).await.unwrap();
    let two = start(format!("two{round}@localhost")).await.unwrap();
    let kept = witness.clone();
    let echo = two.spawn(move |mut ctx: Ctx| async move {
        let _kept = kept;
        loop {
            let (from, message): (Pid, Term) = ctx.receive().await;
            ctx.send(&from, message);
        }
    });
    two.register("echo", &echo).unwrap();
    let kept = witness.clone();
    one.export("m", "f", move || {
        let _ = &kept;
        1_i64
    });
    let to = two.name().clone();
    let (kept, far) = (witness.clone(), echo.clone());
    let answer = one
        .run(move |mut ctx: Ctx| async move {
            ctx.send((Atom::new("echo"), to), (ctx.pid(), Term::Int(7)));
            let answer: i64 = ctx.receive().await;
            ctx.send_after(Duration::from_secs(3600), ctx.pid_ref(), 1_i64);
            let far = &far;
            ctx.spawn({
                let (far, kept) = (far.clone(), kept.clone());
                move |mut ctx: Ctx| async move {
                    let _kept = kept;
                    ctx.link(&far);
                    ctx.monitor(&far);
                    ctx.sleep(Duration::from_secs(3600)).await;
                }
            });
            answer
        })
        .await;
    assert_eq!(answer, 7);
    // A dial that goes nowhere, and a message that waits for it.
    one.send((Atom::new("nobody"), Atom::new("nowhere@localhost")), 1_i64);
    if round.is_multiple_of(2) {
        two.shutdown().await;
        one.shutdown().await;
    } else {
        tokio::join!(one.shutdown(), two.shutdown());
    }
}

#[test]
fn a_thousand_nodes_start_and_stop_and_leave_nothing() {
    let scene = Scene::new("lives");
    let epmd = scene.epmd;
    let witness = Arc::new(());
    let lives = |from: usize, to: usize| {
        scene.runtime.block_on(async {
            for round in from..to {
                let life = one_life(epmd, round, &witness);
                tokio::time::timeout(PATIENCE, life).await.expect("a node stops");
            }
        });
    };
    let tasks = || scene.runtime.metrics().num_alive_tasks();
    lives(0, 50);
    eventually("everything of the first nodes is gone", || Arc::strong_count(&witness) == 1);
    let (memory, alive) = (resident(), tasks());
    lives(50, 550);
    eventually("everything of the nodes is gone", || Arc::strong_count(&witness) == 1);
    eventually("their tasks are gone", || tasks() <= alive + 5);
    let grown = resident().saturating_sub(memory);
    println!("lives: 1,000 nodes leave {} KiB, {} tasks", grown / 1024, tasks().saturating_sub(alive));
    assert!(grown < 12 * MIB, "{} KiB", grown / 1024);
    scene.stands();
}
