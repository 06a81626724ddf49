//! State machines on one node.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use runtime::{Ctx, Exit, Node};
use term::{FromTerm, IntoTerm, Term, term};
use trunkline_otp as otp;

use otp::gen_statem::{self, Event, Machine, Start, Step};
use otp::{CallError, GenStatem, Nothing, Reply, Request, StartError, report, sys};

type Log = Arc<Mutex<Vec<String>>>;

/// A machine whose state is a letter, and which does what it is told.
struct Puppet {
    log: Log,
}

#[derive(Clone, Debug, PartialEq, IntoTerm, FromTerm)]
#[term(crate = "term")]
enum State {
    A,
    B,
    C,
}

#[derive(Request)]
#[request(crate = "otp")]
enum Ask {
    /// Goes there.
    Go(State, Reply<State>),
    /// Answered in state C only.
    InC(i64, Reply<i64>),
    /// Says three things to itself, one of which changes the state.
    Talk(Reply<()>),
    /// Sets the time-outs of this name: event, state, or any other.
    Timer(Term, i64, Reply<()>),
    Cancel(Term, Reply<()>),
    Repeat(Reply<()>),
    Crash(Reply<()>),
    Stop(Reply<()>),
}

#[derive(FromTerm, IntoTerm)]
#[term(crate = "term")]
enum Tell {
    Note(i64),
}

impl Puppet {
    fn say(&self, what: String) {
        self.log.lock().unwrap().push(what);
    }
}

impl GenStatem for Puppet {
    type Args = (Term, Log);
    type State = State;
    type Call = Ask;
    type Cast = Tell;
    type Info = i64;
    type Internal = &'static str;

    const STATE_ENTER: bool = true;

    async fn init(_: &mut Ctx, (how, log): (Term, Log)) -> Result<(State, Self), Exit> {
        if how.is_atom("fail") {
            return Err(Exit::from("failed"));
        }
        Ok((State::A, Puppet { log }))
    }

    async fn started(&mut self, _: &mut Ctx, _: &State) -> Step<Self> {
        Step::keep().internal("first")
    }

    async fn enter(&mut self, _: &mut Ctx, from: &State, state: &State) -> Step<Self> {
        self.say(format!("enter {from:?}{state:?}"));
        match state {
            State::B => Step::keep().state_timeout(Duration::from_millis(100), "bored"),
            _ => Step::keep(),
        }
    }

    async fn handle_event(&mut self, _: &mut Ctx, state: &State, event: Event<Self>) -> Step<Self> {
        match (state, event) {
            (_, Event::Call(Ask::Go(to, reply))) => Step::to(to).reply(reply, state.clone()),
            (State::C, Event::Call(Ask::InC(n, reply))) => Step::keep().reply(reply, n),
            (_, event @ Event::Call(Ask::InC(..))) => Step::keep().postpone(event),
            (_, Event::Call(Ask::Talk(reply))) => Step::to(State::C)
                .reply(reply, ())
                .internal("one")
                .internal("two")
                .next_event(Event::Cast(Tell::Note(3))),
            (_, Event::Call(Ask::Timer(which, millis, reply))) => {
                let after = Duration::from_millis(millis.unsigned_abs());
                let step = Step::keep().reply(reply, ());
                match which.as_atom().unwrap().as_str() {
                    "event" => step.event_timeout(after, "event"),
                    "state" => step.state_timeout(after, "state"),
                    name => step.timeout(name, after, "named"),
                }
            }
            (_, Event::Call(Ask::Cancel(which, reply))) => {
                let step = Step::keep().reply(reply, ());
                match which.as_atom().unwrap().as_str() {
                    "state" => step.cancel_state_timeout(),
                    name => step.cancel_timeout(name),
                }
            }
            (_, Event::Call(Ask::Repeat(reply))) => Step::repeat().reply(reply, ()),
            (_, Event::Call(Ask::Crash(_))) => panic!("boom"),
            (_, Event::Call(Ask::Stop(reply))) => Step::stop("enough").reply(reply, ()),
            (state, Event::Cast(Tell::Note(n))) => {
                self.say(format!("{state:?} cast {n}"));
                Step::keep()
            }
            (state, Event::Info(n)) => {
                self.say(format!("{state:?} info {n}"));
                Step::keep()
            }
            (state, Event::Internal(what)) => {
                self.say(format!("{state:?} {what}"));
                Step::keep()
            }
            (State::B, Event::StateTimeout("bored")) => {
                self.say("bored".to_owned());
                Step::to(State::A)
            }
            (state, Event::StateTimeout(what)) | (state, Event::EventTimeout(what)) => {
                self.say(format!("{state:?} {what} time-out"));
                Step::keep()
            }
            (state, Event::Timeout(name, what)) => {
                self.say(format!("{state:?} {what} time-out {name}"));
                Step::keep()
            }
        }
    }

    async fn terminate(&mut self, _: &mut Ctx, reason: &Exit, state: &State) {
        self.say(format!("{state:?} terminate {:?}", reason.reason()));
    }

    fn data_term(&self) -> Term {
        Term::Int(self.log.lock().unwrap().len() as i64)
    }
}

async fn puppet(node: &Node) -> (Machine<Puppet>, Log) {
    let log = Log::default();
    let machine = Start::<Puppet>::new((Term::NIL, log.clone())).start(node).await.unwrap();
    machine.call(node, |reply| Ask::Cancel(Term::atom("nothing"), reply)).await.unwrap();
    (machine, log)
}

fn said(log: &Log) -> Vec<String> {
    std::mem::take(&mut *log.lock().unwrap())
}

async fn sleep(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}

#[tokio::test(start_paused = true)]
async fn states_are_entered_and_postponed_events_come_again_in_order() {
    let node = Node::alone();
    let (machine, log) = puppet(&node).await;
    assert_eq!(said(&log), ["enter AA", "A first"]);
    let waiting: Vec<_> = (1..=3)
        .map(|n| {
            let (machine, node) = (machine.clone(), node.clone());
            tokio::spawn(async move { machine.call(&node, |reply| Ask::InC(n, reply)).await })
        })
        .collect();
    sleep(1).await;
    assert_eq!(machine.call(&node, |reply| Ask::Go(State::A, reply)).await, Ok(State::A));
    assert_eq!(said(&log), [""; 0], "the same state is no other state");
    assert_eq!(machine.call(&node, |reply| Ask::Go(State::B, reply)).await, Ok(State::A));
    sleep(1).await;
    assert!(waiting.iter().all(|call| !call.is_finished()));
    assert_eq!(machine.call(&node, |reply| Ask::Go(State::C, reply)).await, Ok(State::B));
    for (at, call) in waiting.into_iter().enumerate() {
        assert_eq!(call.await.unwrap(), Ok(at as i64 + 1));
    }
    machine.call(&node, Ask::Repeat).await.unwrap();
    assert_eq!(said(&log), ["enter AB", "enter BC", "enter CC"]);
}

#[tokio::test(start_paused = true)]
async fn what_a_machine_says_to_itself_comes_before_all_else() {
    let node = Node::alone();
    let (machine, log) = puppet(&node).await;
    said(&log);
    sys::suspend(&node, &machine).await.unwrap();
    let talk = machine.call(&node, Ask::Talk);
    let inside = async {
        sleep(1).await;
        machine.cast(&node, Tell::Note(4));
        node.send(machine.pid().unwrap(), 5i64);
        sleep(1).await;
        sys::resume(&node, &machine).await.unwrap();
    };
    let (answer, ()) = tokio::join!(talk, inside);
    answer.unwrap();
    machine.call(&node, |reply| Ask::InC(1, reply)).await.unwrap();
    assert_eq!(said(&log), ["enter AC", "C one", "C two", "C cast 3", "C cast 4", "C info 5"]);
}

#[tokio::test(start_paused = true)]
async fn time_outs_of_three_kinds() {
    let node = Node::alone();
    let (machine, log) = puppet(&node).await;
    said(&log);
    let set = async |which: &str, millis: i64| {
        let which = Term::atom(which);
        machine.call(&node, |reply| Ask::Timer(which, millis, reply)).await.unwrap();
    };
    let go = async |to: State| machine.call(&node, |reply| Ask::Go(to, reply)).await.unwrap();
    // An event time-out is over with the next event, whatever it is; system messages are no events.
    set("event", 50).await;
    sleep(40).await;
    machine.cast(&node, Tell::Note(1));
    sleep(40).await;
    set("event", 50).await;
    sleep(30).await;
    sys::get_state(&node, &machine).await.unwrap();
    sleep(21).await;
    assert_eq!(said(&log), ["A cast 1", "A event time-out"]);
    // A state time-out is over with the state.
    set("state", 50).await;
    go(State::C).await;
    sleep(60).await;
    set("state", 50).await;
    sleep(60).await;
    set("state", 50).await;
    machine.call(&node, |reply| Ask::Cancel(Term::atom("state"), reply)).await.unwrap();
    sleep(60).await;
    assert_eq!(said(&log), ["enter AC", "C state time-out"]);
    // One with a name lasts, and starts anew when it is set again.
    set("lunch", 50).await;
    set("dinner", 80).await;
    set("never", 10).await;
    machine.call(&node, |reply| Ask::Cancel(Term::atom("never"), reply)).await.unwrap();
    go(State::A).await;
    sleep(40).await;
    set("lunch", 50).await;
    sleep(60).await;
    assert_eq!(said(&log), ["enter CA", "A named time-out dinner", "A named time-out lunch"]);
    // One that `enter` has set.
    go(State::B).await;
    sleep(101).await;
    assert_eq!(said(&log), ["enter AB", "bored", "enter BA"]);
    // No time at all: before what waits in the mailbox.
    sys::suspend(&node, &machine).await.unwrap();
    let asked = machine.call(&node, |reply| Ask::Timer(Term::atom("now"), 0, reply));
    let told = async {
        sleep(1).await;
        machine.cast(&node, Tell::Note(7));
        sys::resume(&node, &machine).await.unwrap();
    };
    let (asked, ()) = tokio::join!(asked, told);
    asked.unwrap();
    go(State::A).await;
    assert_eq!(said(&log), ["A named time-out now", "A cast 7"]);
}

#[tokio::test(start_paused = true)]
async fn a_machine_ends_and_says_so() {
    let node = Node::alone();
    let labels = Arc::new(Mutex::new(Vec::new()));
    let ear = labels.clone();
    report::listen(&node, move |report| ear.lock().unwrap().push(report.label().unwrap().clone()));
    let (machine, log) = puppet(&node).await;
    assert_eq!(machine.call(&node, Ask::Stop).await, Ok(()));
    assert_eq!(machine.call(&node, Ask::Stop).await, Err(CallError::NoProc));
    let (crashing, crashed) = puppet(&node).await;
    let end = crashing.call(&node, Ask::Crash).await;
    let Err(CallError::Exited(why)) = end else { panic!("{end:?}") };
    let boom = "{{panic,<<\"boom\">>},[{rust,panic,1,[{file,\"crates/otp/tests/gen_statem.rs\"},{line,";
    assert!(format!("{why:?}").starts_with(boom), "{why:?}");
    assert_eq!(said(&log).last().unwrap(), "A terminate enough");
    assert_eq!(*said(&crashed).last().unwrap(), format!("A terminate {why:?}"));
    let failed = gen_statem::start::<Puppet>(&node, (Term::atom("fail"), log)).await;
    assert_eq!(failed.unwrap_err(), StartError::Failed(Term::atom("failed")));
    let (statem, crash) = (term!({gen_statem, terminate}), term!({proc_lib, crash}));
    assert_eq!(*labels.lock().unwrap(), [statem.clone(), crash.clone(), statem, crash.clone(), crash]);
}

#[tokio::test(start_paused = true)]
async fn sys_looks_into_a_machine() {
    let node = Node::alone();
    let (machine, _) = puppet(&node).await;
    assert_eq!(sys::get_state(&node, &machine).await, Ok(term!({a, 2})));
    let replaced = sys::replace_state(&node, &machine, |puppet: &mut Puppet| puppet.say("x".into())).await;
    assert_eq!(replaced, Ok(term!({a, 3})));
    let status = format!("{:?}", sys::get_status(&node, &machine).await.unwrap());
    assert!(status.contains("{module,gen_statem}") && status.contains("{'Puppet',init,1}"), "{status}");
}

/// `enter` may not change the state.
struct Restless;

impl GenStatem for Restless {
    type Args = ();
    type State = State;
    type Call = Nothing;
    type Cast = Nothing;
    type Info = i64;
    type Internal = ();

    const STATE_ENTER: bool = true;

    async fn init(_: &mut Ctx, (): ()) -> Result<(State, Self), Exit> {
        Ok((State::A, Restless))
    }

    async fn enter(&mut self, _: &mut Ctx, from: &State, state: &State) -> Step<Self> {
        if from == state { Step::keep() } else { Step::to(State::C) }
    }

    async fn handle_event(&mut self, _: &mut Ctx, _: &State, _: Event<Self>) -> Step<Self> {
        Step::to(State::B)
    }
}

#[tokio::test(start_paused = true)]
async fn a_state_that_is_entered_cannot_be_left_on_the_threshold() {
    let node = Node::alone();
    node.run(|mut ctx| async move {
        let (machine, _) = gen_statem::start_monitor::<Restless>(&mut ctx, ()).await.unwrap();
        ctx.send(machine.pid().unwrap(), 1i64);
        let down: runtime::Down = ctx.receive().await;
        assert_eq!(down.reason, term!({bad_state_enter_return, b}));
    })
    .await;
}

#[tokio::test]
async fn malformed_requests_neither_hang_nor_end_a_machine() {
    let node = Node::alone();
    let (machine, log) = puppet(&node).await;
    let (call, cast) = (Term::atom("$gen_call"), Term::atom("$gen_cast"));
    let pid = machine.pid().unwrap().clone();
    let from = term!({(pid.clone()), [alias | (node.make_ref())]});
    for message in [
        term!({(call.clone()), x, {go, b}}),
        term!({(call.clone()), (from.clone()), {go, nowhere}}),
        term!({(call.clone()), (from.clone()), {timer, event, soon}}),
        term!({(call), (from.clone()), []}),
        term!({(cast.clone()), {note, x}}),
        term!({ (cast) }),
        term!({system, (from), {replace_state, x}}),
        term!({timeout, (node.make_ref()), x}),
        term!(state_timeout),
    ] {
        node.send(&pid, message);
    }
    machine.cast(&node, Tell::Note(1));
    assert_eq!(machine.call(&node, |reply| Ask::Go(State::A, reply)).await, Ok(State::A));
    assert_eq!(said(&log), ["enter AA", "A first", "A cast 1"]);
}
