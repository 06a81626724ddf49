//! Generic servers among themselves, on one node.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use runtime::{Ctx, Down, Exit, ExitSignal, Node};
use term::{FromTerm, IntoTerm, Pid, Term, term};
use trunkline_otp as otp;

use otp::gen_server::{self, Start};
use otp::pending::{Requests, Response};
use otp::{
    CallError, Flow, GenServer, Name, NameService, Reply, Request, Server, ServerRef, StartError, Unknown,
    place, report, sys,
};

struct Counter {
    n: i64,
    waiting: Vec<Reply<i64>>,
    heard: Arc<Mutex<Vec<String>>>,
}

#[derive(Request)]
#[request(crate = "otp")]
enum Ask {
    Get(Reply<i64>),
    Add(i64, Reply<i64>),
    /// Answered with the next question.
    Later(Reply<i64>),
    Forget(Reply<i64>),
    Stop {
        reason: Term,
        reply: Reply<()>,
    },
    Crash(Reply<i64>),
    Nap(Reply<()>),
    Then(Reply<()>),
    Rest(Reply<()>),
    Me(Reply<Pid>),
    Text(Reply<String>),
    SelfCall(Reply<bool>),
}

#[derive(IntoTerm, FromTerm)]
#[term(crate = "term")]
enum Tell {
    Reset,
    Fail,
}

#[derive(FromTerm, IntoTerm)]
#[term(crate = "term")]
struct Tick(i64);

type Log = Arc<Mutex<Vec<String>>>;

impl Counter {
    fn say(&self, what: impl Into<String>) {
        self.heard.lock().unwrap().push(what.into());
    }
}

/// The lines of this file that panic.
const PANICS: [u32; 2] = [81, 111];

/// How such a process ends.
fn panicked(text: &str, line: u32) -> Term {
    let place = term!([{file, (Term::string(file!()))}, {line, (i64::from(line))}]);
    term!({{panic, (text)}, [{rust, panic, 1, (place)}]})
}

impl GenServer for Counter {
    type Args = (Term, Log);
    type Call = Ask;
    type Cast = Tell;
    type Info = Tick;

    async fn init(ctx: &mut Ctx, (how, heard): (Term, Log)) -> Result<Self, Exit> {
        match how.as_atom().map(|word| word.as_str()) {
            Some("ignore") => return Err(otp::proc_lib::ignore()),
            Some("panic") => panic!("not today"),
            Some("sleep") => ctx.sleep(Duration::from_secs(60)).await,
            Some("trap") => drop(ctx.set_trap_exit(true)),
            Some(reason) => return Err(Exit::from(reason)),
            None => {}
        }
        Ok(Counter { n: how.as_int().unwrap_or(0), waiting: Vec::new(), heard })
    }

    async fn started(&mut self, _: &mut Ctx) -> Flow {
        self.say("started");
        Flow::Continue
    }

    async fn handle_call(&mut self, ctx: &mut Ctx, ask: Ask) -> Flow {
        for reply in self.waiting.drain(..) {
            reply.send(self.n);
        }
        match ask {
            Ask::Get(reply) => reply.send(self.n),
            Ask::Add(k, reply) => {
                self.n += k;
                reply.send(self.n);
            }
            Ask::Later(reply) => self.waiting.push(reply),
            Ask::Forget(reply) => drop(reply),
            Ask::Stop { reason, reply } => {
                reply.send(());
                return Flow::stop(reason);
            }
            Ask::Crash(_reply) => panic!("boom"),
            Ask::Nap(reply) => {
                reply.send(());
                return Flow::Timeout(Duration::from_millis(20));
            }
            Ask::Then(reply) => {
                reply.send(());
                return Flow::HandleContinue;
            }
            Ask::Rest(reply) => {
                reply.send(());
                return Flow::Hibernate;
            }
            Ask::Me(reply) => reply.send(ctx.pid()),
            Ask::Text(reply) => reply.send("text".to_owned()),
            Ask::SelfCall(reply) => {
                let me = Server::<Counter>::at(ctx.pid());
                reply.send(me.call(ctx, Ask::Get).await == Err(CallError::CallingSelf));
            }
        }
        Flow::Continue
    }

    async fn handle_cast(&mut self, _: &mut Ctx, tell: Tell) -> Flow {
        match tell {
            Tell::Reset => self.n = 0,
            Tell::Fail => return Flow::stop("failed"),
        }
        Flow::Continue
    }

    async fn handle_info(&mut self, _: &mut Ctx, Tick(by): Tick) -> Flow {
        self.n += by;
        Flow::Continue
    }

    async fn handle_unknown(&mut self, _: &mut Ctx, unknown: Unknown) -> Flow {
        match unknown {
            Unknown::Call(question, reply) => {
                self.say(format!("call {question:?}"));
                reply.send(Term::atom("what"));
            }
            Unknown::Cast(message) => self.say(format!("cast {message:?}")),
            Unknown::Info(message) => self.say(format!("info {message:?}")),
        }
        Flow::Continue
    }

    async fn handle_timeout(&mut self, _: &mut Ctx) -> Flow {
        self.say("timeout");
        Flow::Continue
    }

    async fn handle_continue(&mut self, _: &mut Ctx) -> Flow {
        self.say("continue");
        Flow::Continue
    }

    fn hibernate(&mut self) {
        self.say("hibernate");
    }

    async fn terminate(&mut self, _: &mut Ctx, reason: &Exit) {
        self.say(format!("terminate {:?}", reason.reason()));
    }

    fn state_term(&self) -> Term {
        self.n.into_term()
    }
}

fn log() -> Log {
    Log::default()
}

fn args(how: impl IntoTerm) -> (Term, Log) {
    (how.into_term(), log())
}

fn reports(node: &Node) -> Arc<Mutex<Vec<Term>>> {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let ear = heard.clone();
    report::listen(node, move |report| ear.lock().unwrap().push(report.label().unwrap().clone()));
    heard
}

#[tokio::test(start_paused = true)]
async fn a_server_answers_processes_and_programs() {
    let node = Node::alone();
    let server = Start::<Counter>::new(args(1)).named("counter").start(&node).await.unwrap();
    let by_name = Server::<Counter>::at("counter");
    let by_both = Server::<Counter>::at(("counter", node.name()));
    assert_eq!(server.call(&node, |reply| Ask::Add(3, reply)).await, Ok(4));
    server.cast(&node, Tell::Reset);
    for handle in [&server, &by_name, &by_both] {
        let handle = handle.clone();
        let left = node.run(move |mut ctx| async move {
            let sum = handle.call(&mut ctx, |reply| Ask::Add(1, reply)).await;
            (sum.is_ok(), handle.call(&mut ctx, Ask::SelfCall).await, ctx.unread())
        });
        assert_eq!(left.await, (true, Ok(true), vec![]));
    }
    // A message that is neither question nor cast, and one from a process that knows nothing of types.
    node.send("counter", Tick(10));
    node.send("counter", term!({tick, 100}));
    assert_eq!(by_name.call(&node, Ask::Get).await, Ok(113));
    assert_eq!(by_name.call(&node, Ask::Me).await.as_ref(), Ok(server.pid().unwrap()));
    // The wrong type, from both sides of the question.
    let wrong = otp::request::call;
    node.run(move |mut ctx| async move {
        let answer = wrong(&mut ctx, "counter", term!({add, text}), None).await;
        assert_eq!(answer, Ok(Term::atom("what")));
        let answer = wrong(&mut ctx, "counter", term!({add, 7}), None).await;
        assert_eq!(answer, Ok(Term::Int(120)));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_can_come_late_or_not_at_all() {
    let node = Node::alone();
    let server = gen_server::start::<Counter>(&node, args(5)).await.unwrap();
    node.run(|mut ctx| async move {
        let soon = Duration::from_millis(10);
        let later = server.send_request(&mut ctx, Ask::Later);
        assert_eq!(later.wait(&mut ctx, Some(soon)).await, None);
        assert_eq!(server.call(&mut ctx, Ask::Get).await, Ok(5));
        assert_eq!(later.receive(&mut ctx, Some(soon)).await, Ok(5));
        // Given up: the answer that comes then is nowhere to be seen.
        assert_eq!(server.call_within(&mut ctx, soon, Ask::Later).await, Err(CallError::Timeout));
        let cancelled = tokio::time::timeout(soon, server.call(&mut ctx, Ask::Later)).await;
        assert!(cancelled.is_err());
        let abandoned = server.send_request(&mut ctx, Ask::Later);
        abandoned.abandon(&mut ctx);
        assert_eq!(server.call(&mut ctx, Ask::Get).await, Ok(5));
        assert_eq!(server.call_within(&mut ctx, soon, Ask::Forget).await, Err(CallError::Timeout));
        // The future is dropped when the answer lies in the mailbox, unread.
        let mut call = Box::pin(server.call(&mut ctx, Ask::Get));
        assert!(std::future::poll_fn(|cx| std::task::Poll::Ready(call.as_mut().poll(cx).is_pending())).await);
        tokio::time::sleep(soon).await;
        drop(call);
        assert_eq!(ctx.unread(), vec![]);
        assert!(ctx.node().process_info(ctx.pid_ref()).unwrap().monitors.is_empty());
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn many_questions_are_answered_in_the_order_of_their_answers() {
    let node = Node::alone();
    for (name, n) in [("east", 1), ("west", 2)] {
        Start::<Counter>::new(args(n)).named(name).start(&node).await.unwrap();
    }
    node.run(|mut ctx| async move {
        let mut requests = Requests::new();
        let ask = |ctx: &mut Ctx, name: &str, what: fn(Reply<i64>) -> Ask| {
            Server::<Counter>::at(name).send_request(ctx, what)
        };
        let late = ask(&mut ctx, "east", Ask::Later);
        requests.add("late", late);
        let prompt = ask(&mut ctx, "west", Ask::Get);
        requests.add("prompt", prompt);
        let nobody = Server::<Counter>::at(ServerRef::global("nobody")).send_request(&mut ctx, Ask::Get);
        requests.add("nobody", nobody);
        assert_eq!(requests.len(), 3);
        let within = Some(Duration::from_millis(10));
        assert_eq!(requests.wait(&mut ctx, within).await, Response::Answer("nobody", Err(CallError::NoProc)));
        assert_eq!(requests.wait(&mut ctx, within).await, Response::Answer("prompt", Ok(2)));
        assert_eq!(requests.wait(&mut ctx, within).await, Response::Timeout);
        ask(&mut ctx, "east", Ask::Get).receive(&mut ctx, None).await.unwrap();
        let message = ctx.receive::<Term>().await;
        assert_eq!(requests.check(&mut ctx, &message), Some(Response::Answer("late", Ok(1))));
        assert_eq!(requests.receive(&mut ctx, within).await, Response::NoRequest);

        let here = ctx.node().name().clone();
        let nodes = [here.clone(), term::Atom::new("nowhere@nohost")];
        let multi = Server::<Counter>::multi_call(&mut ctx, nodes.clone(), "east", within, Ask::Get).await;
        assert_eq!((multi.replies, multi.bad_nodes), (vec![(here, 1)], vec![nodes[1].clone()]));
        Server::<Counter>::abcast(&mut ctx, nodes, "east", || Tell::Reset);
        assert_eq!(Server::<Counter>::at("east").call(&mut ctx, Ask::Get).await, Ok(0));
        assert_eq!(ctx.unread(), vec![]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_start_says_why_it_failed_and_the_starter_lives_on() {
    let node = Node::alone();
    let heard = reports(&node);
    let expected = [
        ("ignore", StartError::Ignored),
        ("wrong", StartError::Failed(Term::atom("wrong"))),
        ("panic", StartError::Failed(panicked("not today", PANICS[0]))),
        ("sleep", StartError::Timeout),
    ];
    for (how, error) in expected {
        let how = Term::atom(how);
        let begin =
            move || Start::<Counter>::new(args(how.clone())).named("x").within(Duration::from_secs(1));
        assert_eq!(begin().start(&node).await, Err(error.clone()));
        let expected = error.clone();
        node.run(move |mut ctx| async move {
            assert_eq!(begin().start_link(&mut ctx).await, Err(expected.clone()));
            assert_eq!(begin().start_monitor(&mut ctx).await.unwrap_err(), expected);
            ctx.sleep(Duration::from_secs(1)).await;
            assert_eq!(ctx.unread(), vec![]);
            assert_eq!(ctx.whereis("x"), None);
        })
        .await;
    }
    let crash = term!({proc_lib, crash});
    assert_eq!(*heard.lock().unwrap(), vec![crash; 6]);
    let first = Start::<Counter>::new(args(0)).named("x").start(&node).await.unwrap();
    let second = Start::<Counter>::new(args(0)).named("x").start(&node).await;
    assert_eq!(second, Err(StartError::AlreadyStarted(first.pid().unwrap().clone())));
    let (server, watch) = node
        .run(|mut ctx| async move {
            let (server, watch) = gen_server::start_monitor::<Counter>(&mut ctx, args(0)).await.unwrap();
            server.stop(&mut ctx, "done", None).await.unwrap();
            let down: Down = ctx.receive().await;
            assert_eq!(down.reason, Term::atom("done"));
            (server, watch == down.reference)
        })
        .await;
    assert!(watch);
    assert_eq!(server.call(&node, Ask::Get).await, Err(CallError::NoProc));
}

#[tokio::test(start_paused = true)]
async fn a_server_ends_for_every_reason_there_is() {
    let node = Node::alone();
    let heard = reports(&node);
    let log = log();
    let mine = log.clone();
    node.run(move |mut ctx| async move {
        ctx.set_trap_exit(true);
        let mut link = async |how: &Term| {
            let (how, log) = (how.clone(), mine.clone());
            gen_server::start_link::<Counter>(&mut ctx, (how, log)).await.unwrap()
        };
        let zero = Term::Int(0);
        let [stops, crashes, casts] = [link(&zero).await, link(&zero).await, link(&zero).await];
        let [trapping, deaf] = [link(&Term::atom("trap")).await, link(&zero).await];
        let stop = |reply| Ask::Stop { reason: term!({shutdown, 1}), reply };
        stops.call(&mut ctx, stop).await.unwrap();
        let crashed = crashes.call(&mut ctx, Ask::Crash).await;
        assert_eq!(crashed, Err(CallError::Exited(panicked("boom", PANICS[1]))));
        casts.cast(&mut ctx, Tell::Fail);
        // From the parent, and from somebody else.
        ctx.exit(deaf.pid().unwrap(), "go");
        let stranger = ctx.spawn({
            let to = trapping.pid().unwrap().clone();
            move |ctx: Ctx| async move { ctx.exit(&to, "hello") }
        });
        let _ = ctx.monitor(&stranger);
        ctx.receive::<Down>().await;
        assert_eq!(trapping.call(&mut ctx, Ask::Get).await, Ok(0));
        ctx.exit(trapping.pid().unwrap(), "farewell");
        let mut ends = Vec::new();
        for _ in 0..5 {
            ends.push(format!("{:?}", ctx.receive::<ExitSignal>().await.reason));
        }
        let boom = format!("{:?}", panicked("boom", PANICS[1]));
        ends.sort_by_key(|end| end.trim_start_matches('{').to_owned());
        assert_eq!(ends, ["failed", "farewell", "go", &*boom, "{shutdown,1}"]);
    })
    .await;
    let log = log.lock().unwrap();
    let said: Vec<_> = log.iter().filter(|line| *line != "started").collect();
    assert_eq!(said.len(), 5, "{said:?}");
    for word in
        ["terminate {shutdown,1}", "terminate {{panic,<<\"boom\">>},[{rust,panic,", "terminate failed"]
    {
        assert!(said.iter().any(|line| line.starts_with(word)), "{word}: {said:?}");
    }
    assert!(
        said.iter().any(|line| line.starts_with("info {'EXIT',") && line.ends_with("hello}")),
        "{said:?}"
    );
    assert!(said.iter().any(|line| *line == "terminate farewell"), "{said:?}");
    let (terminate, crash) = (term!({gen_server, terminate}), term!({proc_lib, crash}));
    let count = |label: &Term| heard.lock().unwrap().iter().filter(|heard| *heard == label).count();
    assert_eq!((count(&terminate), count(&crash)), (3, 3));
}

#[tokio::test(start_paused = true)]
async fn a_server_waits_continues_and_rests_as_it_says() {
    let node = Node::alone();
    let log = log();
    let server = gen_server::start::<Counter>(&node, (Term::Int(0), log.clone())).await.unwrap();
    server.call(&node, Ask::Then).await.unwrap();
    server.call(&node, Ask::Rest).await.unwrap();
    server.call(&node, Ask::Nap).await.unwrap();
    // A message in time: no timeout.
    server.call(&node, Ask::Get).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.call(&node, Ask::Nap).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    node.send(server.pid().unwrap(), Term::atom("what"));
    node.send(server.pid().unwrap(), term!({(Term::atom("$gen_cast")), what}));
    server.call(&node, Ask::Get).await.unwrap();
    let expected = ["started", "continue", "hibernate", "timeout", "info what", "cast what"];
    assert_eq!(*log.lock().unwrap(), expected);
}

#[tokio::test(start_paused = true)]
async fn sys_looks_into_a_server_and_changes_it() {
    let node = Node::alone();
    let server = Start::<Counter>::new(args(7)).named("counter").start(&node).await.unwrap();
    assert_eq!(sys::get_state(&node, &server).await, Ok(Term::Int(7)));
    let replaced = sys::replace_state(&node, &server, |counter: &mut Counter| counter.n *= 2).await;
    assert_eq!(replaced, Ok(Term::Int(14)));
    assert!(sys::replace_state(&node, &server, |_: &mut String| ()).await.is_err());
    assert!(sys::replace_state(&node, &server, |_: &mut Counter| panic!("no")).await.is_err());
    let system = |request: Term| sys::system(&node, (&server).into(), request);
    let refused = system(term!({replace_state, a_fun})).await.unwrap();
    assert!(refused.as_tuple().unwrap()[0].is_atom("error"), "{refused:?}");
    assert_eq!(system(term!([1])).await, Ok(term!({error, {unknown_system_msg, [1]}})));

    sys::suspend(&node, &server).await.unwrap();
    let soon = Duration::from_millis(10);
    assert_eq!(server.call_within(&node, soon, Ask::Get).await, Err(CallError::Timeout));
    server.cast(&node, Tell::Reset);
    assert_eq!(
        sys::replace_state(&node, &server, |counter: &mut Counter| counter.n = 9).await,
        Ok(Term::Int(9))
    );
    let status = format!("{:?}", sys::get_status(&node, &server).await.unwrap());
    for word in [
        "{module,gen_server}",
        "suspended",
        "Status for generic server counter",
        "$initial_call",
        "'Counter'",
    ] {
        assert!(status.contains(word), "{word}: {status}");
    }
    sys::resume(&node, &server).await.unwrap();
    assert_eq!(server.call(&node, Ask::Get).await, Ok(0));

    sys::statistics(&node, &server, true).await.unwrap();
    sys::log(&node, &server, 2).await.unwrap();
    sys::trace(&node, &server, true).await.unwrap();
    server.call(&node, |reply| Ask::Add(1, reply)).await.unwrap();
    let events = format!("{:?}", sys::get_log(&node, &server).await.unwrap());
    assert!(events.contains("{in,{'$gen_call',") && events.contains("{out,1,"), "{events}");
    let statistics = format!("{:?}", sys::get_statistics(&node, &server).await.unwrap());
    assert!(statistics.contains("{messages_in,1},{messages_out,1}"), "{statistics}");
    assert_eq!(system(term!({debug, no_debug})).await, Ok(Term::atom("ok")));
    assert_eq!(sys::get_statistics(&node, &server).await, Ok(Term::atom("no_statistics")));
    sys::terminate(&node, &server, Term::atom("normal")).await.unwrap();
    assert_eq!(server.call(&node, Ask::Get).await, Err(CallError::NoProc));
}

/// A name service for one name.
#[derive(Default)]
struct Single(Mutex<Option<(Term, Pid)>>);

impl NameService for Single {
    fn whereis(&self, _: &Node, name: &Term) -> Option<Pid> {
        self.0.lock().unwrap().as_ref().filter(|(taken, _)| taken == name).map(|(_, pid)| pid.clone())
    }

    fn register<'a>(&'a self, _: &'a Node, name: &'a Term, pid: &'a Pid) -> place::NameFuture<'a, bool> {
        let free = self.0.lock().unwrap().replace((name.clone(), pid.clone())).is_none();
        Box::pin(async move { free })
    }

    fn unregister<'a>(&'a self, _: &'a Node, _: &'a Term) -> place::NameFuture<'a, ()> {
        *self.0.lock().unwrap() = None;
        Box::pin(async {})
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_is_found_by_whatever_names_it() {
    let node = Node::alone();
    let name = Name::via("single", "leader");
    assert!(Start::<Counter>::new(args(1)).named(name.clone()).start(&node).await.is_err());
    place::install(&node, "single", Arc::new(Single::default()));
    assert!(Start::<Counter>::new(args("fail".to_owned())).start(&node).await.is_ok());
    let bad = Start::<Counter>::new(args(Term::atom("bad"))).named(name.clone()).start(&node).await;
    assert_eq!(bad, Err(StartError::Failed(Term::atom("bad"))));
    Start::<Counter>::new(args(1)).named(name.clone()).start(&node).await.unwrap();
    let found = Server::<Counter>::at(ServerRef::via("single", "leader"));
    assert_eq!(found.call(&node, Ask::Get).await, Ok(1));
    assert_eq!(sys::get_state(&node, &found).await, Ok(Term::Int(1)));
    let term = found.clone().into_term();
    assert_eq!(term, term!({via, single, "leader"}));
    assert_eq!(Server::<Counter>::from_term(&term), Ok(found));
}

#[tokio::test]
async fn malformed_requests_neither_hang_nor_end_a_server() {
    let node = Node::alone();
    let server = Start::<Counter>::new(args(0)).named("counter").start(&node).await.unwrap();
    let (call, cast) = (Term::atom("$gen_call"), Term::atom("$gen_cast"));
    let me = server.pid().unwrap().clone();
    let tag = term!([alias | (node.make_ref())]);
    for message in [
        term!({ (call.clone()) }),
        term!({(call.clone()), x, get}),
        term!({(call.clone()), {x, y}, get}),
        term!({(call.clone()), {(me.clone()), (tag.clone())}, get}),
        term!({(call.clone()), {(me.clone()), [alias]}, get}),
        term!({(call.clone()), {(me.clone()), [[alias | x] | y]}, []}),
        term!({(call.clone()), {(me), (tag)}, get, more}),
        term!({ (cast.clone()) }),
        term!({(cast), {reset, 1}}),
        term!({system, x, get_state}),
        term!({system, {x, y}, suspend}),
        term!({(Term::atom("EXIT")), x, y}),
        term!([]),
    ] {
        node.send("counter", message);
    }
    for what in [
        term!({debug, x}),
        term!({debug, {log, {true, 0}}}),
        term!({debug, {log, {true, (i64::MAX)}}}),
        term!({debug, {log_to_file, (Term::string("/etc/passwd"))}}),
        term!({debug, {install, {x, y}}}),
        term!({debug, {x, y, z}}),
        term!({replace_state, (node.make_ref())}),
        term!({change_code, a, b, c}),
        term!({}),
    ] {
        assert!(sys::system(&node, "counter".into(), what).await.is_ok());
    }
    assert_eq!(server.call(&node, Ask::Get).await, Ok(0));
}
