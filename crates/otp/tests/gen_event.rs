//! Event managers and their handlers on one node.

use std::sync::{Arc, Mutex};

use runtime::{Ctx, Exit, Node};
use term::{FromTerm, Term, term};
use trunkline_otp as otp;

use otp::gen_event::{EventError, Handler, HandlerId, Leave, Manager, Next, Start};
use otp::{GenEvent, Reply, Request, report, sys};

type Log = Arc<Mutex<Vec<String>>>;

struct Ear {
    name: &'static str,
    heard: i64,
    log: Log,
}

#[derive(FromTerm)]
#[term(crate = "term")]
enum Event {
    Ring(i64),
    Leave,
    Crash,
    Become,
}

#[derive(Request)]
#[request(crate = "otp")]
enum Ask {
    Count(Reply<i64>),
    Crash(Reply<i64>),
    Quit(Reply<i64>),
}

impl GenEvent for Ear {
    type Args = (&'static str, i64, Log);
    type Event = Event;
    type Call = Ask;

    async fn init(_: &mut Ctx, (name, heard, log): Self::Args) -> Result<Self, Exit> {
        if name == "deaf" {
            return Err(Exit::from("deaf"));
        }
        Ok(Ear { name, heard, log })
    }

    async fn handle_event(&mut self, _: &mut Ctx, event: Event) -> Next {
        match event {
            Event::Ring(by) => self.heard += by,
            Event::Leave => return Next::Remove,
            Event::Crash => panic!("too loud"),
            Event::Become => {
                let log = self.log.clone();
                let heir = Handler::heir::<Ear>("heir", move |left| {
                    ("heir", left.and_then(|left| left.as_int()).unwrap_or(-1), log)
                });
                return Next::Swap(Term::atom("over"), heir);
            }
        }
        Next::Continue
    }

    async fn handle_call(&mut self, _: &mut Ctx, ask: Ask) -> Next {
        match ask {
            Ask::Count(reply) => reply.send(self.heard),
            Ask::Crash(_reply) => panic!("no"),
            Ask::Quit(reply) => {
                reply.send(self.heard);
                return Next::Remove;
            }
        }
        Next::Continue
    }

    async fn handle_info(&mut self, _: &mut Ctx, info: Term) -> Next {
        self.log.lock().unwrap().push(format!("{} info {info:?}", self.name));
        Next::Continue
    }

    async fn terminate(&mut self, _: &mut Ctx, why: Leave) -> Term {
        self.log.lock().unwrap().push(format!("{} {why:?}", self.name));
        Term::Int(self.heard)
    }

    fn state_term(&self) -> Term {
        Term::Int(self.heard)
    }
}

fn ear(name: &'static str, log: &Log) -> Handler {
    Handler::new::<Ear>(name, (name, 0, log.clone()))
}

async fn names(node: &Node, manager: &Manager) -> String {
    let handlers = manager.which_handlers(node).await.unwrap();
    format!("{:?}", Term::list(handlers.into_iter().map(term::IntoTerm::into_term)))
}

#[tokio::test(start_paused = true)]
async fn handlers_come_hear_answer_and_go() {
    let (node, log) = (Node::alone(), Log::default());
    let manager = Start::new().named("manager").start(&node).await.unwrap();
    manager.add_handler(&node, ear("left", &log)).await.unwrap();
    manager.add_handler(&node, ear("right", &log)).await.unwrap();
    manager.add_handler(&node, Handler::new::<Ear>(("left", 2), ("second", 10, log.clone()))).await.unwrap();
    let deaf = manager.add_handler(&node, ear("deaf", &log)).await;
    assert_eq!(deaf, Err(EventError::Failed(Term::atom("deaf"))));
    assert_eq!(names(&node, &manager).await, "[{left,2},right,left]");
    manager.notify(&node, term!({ring, 1}));
    manager.notify(&node, term!({not_for, them}));
    manager.sync_notify(&node, term!({ring, 2})).await.unwrap();
    let count = async |id: HandlerId| manager.call::<Ear, _>(&node, id, Ask::Count).await;
    assert_eq!(count("left".into()).await, Ok(3));
    assert_eq!(count(("left", 2).into()).await, Ok(13));
    assert_eq!(count("nobody".into()).await, Err(EventError::NoHandler));
    assert_eq!(
        sys::get_state(&node, &manager).await,
        Ok(term!([{left, 2, 13}, {right, false, 3}, {left, false, 3}]))
    );
    let left = manager.delete_handler(&node, "right", term!(bye)).await;
    assert_eq!(left, Ok(Term::Int(3)));
    assert_eq!(manager.delete_handler(&node, "right", term!(bye)).await, Err(EventError::NoHandler));
    assert_eq!(manager.call::<Ear, _>(&node, ("left", 2), Ask::Quit).await, Ok(13));
    manager.sync_notify(&node, term!(leave)).await.unwrap();
    assert_eq!(names(&node, &manager).await, "[]");
    assert_eq!(*log.lock().unwrap(), ["right Asked(bye)", "second Removed", "left Removed"]);
    node.run(move |mut ctx| async move { manager.stop(&mut ctx, Exit::normal(), None).await.unwrap() }).await;
}

#[tokio::test(start_paused = true)]
async fn one_handler_takes_the_place_of_another() {
    let (node, log) = (Node::alone(), Log::default());
    let manager = Start::new().start(&node).await.unwrap();
    manager.add_handler(&node, ear("first", &log)).await.unwrap();
    manager.add_handler(&node, ear("last", &log)).await.unwrap();
    manager.sync_notify(&node, term!({ring, 5})).await.unwrap();
    manager.delete_handler(&node, "last", Term::NIL).await.unwrap();
    // By itself, and by others.
    manager.sync_notify(&node, term!(become)).await.unwrap();
    assert_eq!(manager.call::<Ear, _>(&node, "heir", Ask::Count).await, Ok(5));
    let kept = log.clone();
    let new = Handler::heir::<Ear>("new", move |left| ("new", left.unwrap().as_int().unwrap() + 1, kept));
    manager.swap_handler(&node, "heir", term!(go), new).await.unwrap();
    assert_eq!(manager.call::<Ear, _>(&node, "new", Ask::Count).await, Ok(6));
    let kept = log.clone();
    let orphan = Handler::heir::<Ear>("orphan", move |left| {
        kept.lock().unwrap().push(format!("instead of nobody: {left:?}"));
        ("orphan", 0, kept)
    });
    manager.swap_handler(&node, "nobody", term!(go), orphan).await.unwrap();
    assert_eq!(names(&node, &manager).await, "[orphan,new]");
    let log = log.lock().unwrap();
    assert_eq!(log[1..], ["first Asked(over)", "heir Asked(go)", "instead of nobody: Some(error)"]);
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_crashes_goes_alone_and_its_supervisor_hears_it() {
    let (node, log) = (Node::alone(), Log::default());
    let reported = Arc::new(Mutex::new(0));
    let count = reported.clone();
    report::listen(&node, move |report| {
        assert_eq!(report.label(), Some(&term!({gen_event, terminate})));
        *count.lock().unwrap() += 1;
    });
    let manager = Start::new().start(&node).await.unwrap();
    manager.add_handler(&node, ear("calm", &log)).await.unwrap();
    let (theirs, kept) = (manager.clone(), log.clone());
    let gone = node
        .run(move |mut ctx| async move {
            theirs.add_sup_handler(&mut ctx, ear("loud", &kept)).await.unwrap();
            let crashed = theirs.call::<Ear, i64>(&mut ctx, "loud", Ask::Crash).await;
            assert!(matches!(crashed, Err(EventError::Failed(_))), "{crashed:?}");
            let told: Term = ctx.receive().await;
            theirs.add_sup_handler(&mut ctx, ear("loud", &kept)).await.unwrap();
            theirs.delete_handler(&mut ctx, "loud", Term::NIL).await.unwrap();
            let deleted: Term = ctx.receive().await;
            // Not supervised: nobody hears of this one but the log.
            theirs.add_handler(&mut ctx, ear("other", &kept)).await.unwrap();
            theirs.sync_notify(&mut ctx, term!(crash)).await.unwrap();
            theirs.add_sup_handler(&mut ctx, ear("left_behind", &kept)).await.unwrap();
            (told, deleted, ctx.unread())
        })
        .await;
    let word = term::Atom::new("gen_event_EXIT");
    let (told, deleted, unread) = gone;
    let no = "{gen_event_EXIT,loud,{'EXIT',{{panic,<<\"no\">>},[{rust,panic,1,[{file,";
    assert!(format!("{told:?}").starts_with(no), "{told:?}");
    assert_eq!((deleted, unread), (term!({(word), loud, normal}), vec![]));
    // It took its handler with it; the manager lives on.
    assert_eq!(names(&node, &manager).await, "[]");
    assert_eq!(*reported.lock().unwrap(), 3);
    let log = log.lock().unwrap();
    assert!(log.iter().any(|line| line == "left_behind Orphaned(normal)"), "{log:?}");
}

#[tokio::test]
async fn malformed_requests_neither_hang_nor_end_a_manager() {
    let (node, log) = (Node::alone(), Log::default());
    let manager = Start::new().named("manager").start(&node).await.unwrap();
    manager.add_handler(&node, ear("ear", &log)).await.unwrap();
    let me = manager.pid().unwrap().clone();
    for message in [
        term!({ notify }),
        term!({x, y, {call, ear}}),
        term!({x, {(me), y}, {unheard, of}}),
        term!({x, {y, z}, which_handlers}),
        term!({(term::Atom::new("EXIT")), x, y}),
        term!({system, x, y}),
        term!([]),
    ] {
        node.send("manager", message);
    }
    for command in [
        term!({ call }),
        term!({call, [], x}),
        term!({call, ear, strange}),
        term!({add_handler, []}),
        term!({add_handler, nobody, []}),
        term!({add_handler, {a, b, c}, []}),
        term!({add_sup_handler, nobody, [], x}),
        term!({delete_handler, [], x}),
        term!({swap_handler, a, b}),
        term!({swap_handler, [], a, b, c}),
        term!({ sync_notify }),
        term!(get_modules),
    ] {
        let answer = node
            .run(move |mut ctx| async move {
                let me = ctx.pid();
                let tag = ctx.make_ref();
                ctx.send("manager", term!({(me.clone()), {(me), (tag.clone())}, (command)}));
                ctx.select(|message| {
                    message
                        .as_tuple()
                        .filter(|pair| pair[0] == Term::Ref(tag.clone()))
                        .map(|pair| pair[1].clone())
                })
                .await
            })
            .await;
        assert!(!answer.is_atom("ok"), "{answer:?}");
    }
    assert_eq!(
        names(&node, &manager).await,
        "[]",
        "the handler that was asked what it does not know is gone, as in OTP"
    );
}
