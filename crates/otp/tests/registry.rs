//! Registries: unique and duplicate keys, names by key, and what becomes of the entries of the dead.

use std::time::Duration;

use runtime::{Ctx, Down, Exit, Node};
use term::{Pid, Term, term};
use trunkline_otp as otp;

use otp::gen_server::Start;
use otp::registry::{AlreadyRegistered, Keys, Registry};
use otp::supervisor::Supervisor;
use otp::{GenServer, Nothing, Server, StartError, sys};

struct Player;

impl GenServer for Player {
    type Args = ();
    type Call = Nothing;
    type Cast = Nothing;
    type Info = Nothing;

    async fn init(_: &mut Ctx, (): ()) -> Result<Self, Exit> {
        Ok(Player)
    }
}

async fn until(mut so: impl FnMut() -> bool) {
    while !so() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_unique_key_is_the_name_of_one_process() {
    let node = Node::alone();
    let players = Registry::start(&node, "players", Keys::Unique).await.unwrap();
    let begin = || Start::<Player>::new(()).named(players.name(term!({player, 1})));
    let anna = begin().start(&node).await.unwrap();
    let pid = anna.pid().unwrap().clone();
    assert_eq!(begin().start(&node).await, Err(StartError::AlreadyStarted(pid.clone())));
    assert_eq!(players.whereis(term!({player, 1})), Some(pid.clone()));
    assert_eq!(players.keys(&pid), [term!({player, 1})]);
    let by_key = Server::<Player>::at(players.name(term!({player, 1})));
    assert!(sys::get_state(&node, &by_key).await.is_ok());
    node.run(move |mut ctx| async move {
        ctx.monitor(&pid);
        ctx.exit(&pid, Exit::kill());
        ctx.receive::<Down>().await;
    })
    .await;
    // Free at once, not when somebody has swept.
    assert_eq!(players.whereis(term!({player, 1})), None);
    begin().start(&node).await.unwrap();
    until(|| players.count() == 1).await;
    let again = Registry::start(&node, "players", Keys::Unique).await;
    assert!(matches!(again, Err(StartError::AlreadyStarted(_))));
    assert_eq!(Registry::find(&node, "players").unwrap().count(), 1);
}

#[tokio::test(start_paused = true)]
async fn many_have_a_duplicate_key_and_all_hear_what_is_sent_to_it() {
    let node = Node::alone();
    let topics = Registry::start(&node, "topics", Keys::Duplicate).await.unwrap();
    let listener = |n: i64| {
        let topics = topics.clone();
        node.spawn(move |mut ctx: Ctx| async move {
            topics.register(&ctx, "news", n).unwrap();
            topics.register(&ctx, "weather", n).unwrap();
            let (from, word): (Pid, Term) = ctx.receive().await;
            ctx.send(&from, (n, word));
        })
    };
    (1..=3).for_each(|n| drop(listener(n)));
    until(|| topics.lookup("news").len() == 3).await;
    let (heard, mine) = {
        let topics = topics.clone();
        node.run(move |mut ctx| async move {
            topics.register(&ctx, "other", 1i64).unwrap();
            assert!(topics.update_value(&ctx, "other", |_| Term::Int(2)));
            let mine = topics.lookup("other");
            topics.unregister(&ctx, "other");
            assert!(!topics.update_value(&ctx, "other", |_| Term::Int(3)));
            let message = term!({(ctx.pid()), hello});
            assert_eq!(topics.dispatch(&mut ctx, "news", message), 3);
            let mut heard: Vec<i64> = Vec::new();
            for _ in 0..3 {
                heard.push(ctx.receive::<(i64, Term)>().await.0);
            }
            heard.sort();
            (heard, mine.into_iter().map(|(_, value)| value).collect::<Vec<_>>())
        })
        .await
    };
    assert_eq!((heard, mine), (vec![1, 2, 3], vec![Term::Int(2)]));
    until(|| topics.count() == 0).await;
}

#[tokio::test(start_paused = true)]
async fn a_registry_under_a_supervisor_starts_again_empty() {
    let node = Node::alone();
    let rules = Supervisor::one_for_one().child(Registry::child("players", Keys::Unique));
    rules.start(&node).await.unwrap();
    let players = Registry::find(&node, "players").unwrap();
    let (taken, keeper) = {
        let players = players.clone();
        node.run(move |mut ctx| async move {
            players.register(&ctx, "key", 1i64).unwrap();
            let mine = ctx.pid();
            let taken = players.register(&ctx, "key", 2i64);
            assert_eq!(taken, Err(AlreadyRegistered(mine)));
            let keeper = ctx.whereis("players").unwrap();
            ctx.monitor(&keeper);
            ctx.exit(&keeper, Exit::kill());
            ctx.receive::<Down>().await;
            (taken.is_err(), keeper)
        })
        .await
    };
    assert!(taken);
    until(|| node.whereis("players").is_some_and(|pid| pid != keeper)).await;
    assert_eq!(Registry::find(&node, "players").unwrap().count(), 0);
}
