//! `rex`: calls in the old form, and the answer to `features_request` that every visible node asks at once.

use otp::request::{self, Caller, Request};
use runtime::limits::PROCESSES_FOR_PEERS_MAX;
use runtime::{Ctx, Node, SpawnOptions, To};
use term::{Atom, Pid, Term};

use super::start_registered;
use crate::functions::sys;
use crate::rpc::{self, Ran};

pub(super) fn start(node: &Node) {
    start_registered(node, "rex", |mut ctx: Ctx| async move {
        loop {
            let message: Term = ctx.receive().await;
            match Request::read(message) {
                Request::Call(from, question) if question.is_atom("stop") => {
                    // It starts again at once, as under OTP's supervisor.
                    request::answer(&mut ctx, &from, Term::atom("stopped"));
                    return;
                }
                Request::Call(from, question) => on_call(&mut ctx, from, &question).await,
                Request::Cast(what) => {
                    if let Some(job) = Job::read(&what, "cast") {
                        job.cast(&ctx);
                    }
                }
                Request::Info(message) => on_info(&mut ctx, &message),
                Request::System(from, question) => sys::serve(&mut ctx, "rex", &from, &question),
            }
        }
    });
}

async fn on_call(ctx: &mut Ctx, from: Caller, question: &Term) {
    if let Some(job) = Job::read(question, "call") {
        return job.answer(ctx, Client::Gen(from));
    }
    if let Some(job) = Job::read(question, "block_call") {
        // Nothing else is read meanwhile: that is what the caller wants.
        let answer = job.outcome(ctx).await;
        request::answer(ctx, &from, answer);
    }
}

fn on_info(ctx: &mut Ctx, message: &Term) {
    let Some([from, what]) = message.as_tuple() else { return };
    if what.is_atom("features_request") {
        let features = Term::list([Term::atom("erpc")]);
        let node = Term::Atom(ctx.node().name().clone());
        return tell(ctx, from, Term::tuple([Term::atom("features_reply"), node, features]));
    }
    if let Some(mut job) = Job::read(what, "call") {
        if job.leader.is_atom("send_stdout_to_caller") {
            job.leader = Term::tuple([job.leader, from.clone()]);
        }
        return job.answer(ctx, Client::Plain(from.clone()));
    }
    let node = Term::Atom(ctx.node().name().clone());
    match what.as_tuple() {
        Some([word, name, message]) if word.is_atom("sbcast") => {
            let sent = deliver(ctx, name, message.clone());
            let answer = if sent { node.clone() } else { nonexisting(name) };
            tell(ctx, from, Term::tuple([Term::atom("rex"), node, answer]));
        }
        Some([word, name, message]) if word.is_atom("send") => {
            let message = Term::tuple([from.clone(), message.clone()]);
            if !deliver(ctx, name, message) {
                tell(ctx, from, Term::tuple([Term::atom("rex"), node, nonexisting(name)]));
            }
        }
        _ => {}
    }
}

fn nonexisting(name: &Term) -> Term {
    Term::tuple([Term::atom("nonexisting_name"), name.clone()])
}

/// `To ! Message`; `false` where Erlang would say `badarg`.
fn deliver(ctx: &mut Ctx, to: &Term, message: Term) -> bool {
    match address(ctx, to) {
        Some(to) => {
            ctx.send(to, message);
            true
        }
        None => false,
    }
}

/// As [`deliver`], for answers: rex waits for nobody.
fn tell(ctx: &mut Ctx, to: &Term, message: Term) {
    if let Some(to) = address(ctx, to) {
        ctx.answer(to, message);
    }
}

/// Whom a term means as the receiver of a message; nobody has an unknown name.
fn address(ctx: &Ctx, to: &Term) -> Option<To<'static>> {
    match to {
        Term::Pid(pid) => Some(To::Pid(pid.clone())),
        Term::Ref(alias) => Some(To::Alias(alias.clone())),
        Term::Atom(name) => ctx.whereis(name.clone()).map(To::Pid),
        Term::Tuple(pair) => match pair.as_slice() {
            [Term::Atom(name), Term::Atom(node)] => Some(To::NameAt(name.clone(), node.clone())),
            _ => None,
        },
        _ => None,
    }
}

/// Who waits for the outcome of a call.
enum Client {
    /// `gen_server:call`.
    Gen(Caller),
    /// A C node, for one: it gets `{rex, Outcome}`.
    Plain(Term),
}

impl Client {
    fn answer(&self, ctx: &mut Ctx, outcome: Term) {
        match self {
            Client::Gen(caller) => request::answer(ctx, caller, outcome),
            Client::Plain(from) => tell(ctx, from, Term::tuple([Term::atom("rex"), outcome])),
        }
    }
}

/// What somebody wants to have run.
struct Job {
    module: Term,
    function: Term,
    arguments: Term,
    /// A pid, `user`, or `{send_stdout_to_caller, Pid}`.
    leader: Term,
}

/// Where the output of a job goes.
enum Leader {
    Process(Option<Pid>),
    /// A process that is there for this job only.
    Forward(Pid),
}

impl Job {
    fn read(term: &Term, word: &str) -> Option<Job> {
        match term.as_tuple()? {
            [tag, module, function, arguments, leader] if tag.is_atom(word) => Some(Job {
                module: module.clone(),
                function: function.clone(),
                arguments: arguments.clone(),
                leader: leader.clone(),
            }),
            _ => None,
        }
    }

    /// Has it run in a process of its own, and its outcome told by another.
    fn answer(self, ctx: &mut Ctx, client: Client) {
        if full(ctx) {
            return client.answer(ctx, Ran::Limit.into_rpc());
        }
        ctx.spawn(|mut teller: Ctx| async move {
            let outcome = self.outcome(&mut teller).await;
            client.answer(&mut teller, outcome);
        });
    }

    /// Nobody waits for it.
    fn cast(self, ctx: &Ctx) {
        if full(ctx) {
            return;
        }
        ctx.spawn(|mut teller: Ctx| async move {
            let (module, function) = (self.module.clone(), self.function.clone());
            let outcome = self.outcome(&mut teller).await;
            if outcome
                .as_tuple()
                .is_some_and(|pair| pair[..].first().is_some_and(|tag| tag.is_atom("badrpc")))
            {
                tracing::warn!(%module, %function, %outcome, "a function that was cast failed");
            }
        });
    }

    /// Runs it in a process of its own, whose output goes where the caller said.
    async fn outcome(self, ctx: &mut Ctx) -> Term {
        let leader = match self.leader(ctx) {
            Ok(leader) => leader,
            Err(refused) => return refused,
        };
        let (leader, forward) = match leader {
            Leader::Process(pid) => (pid, None),
            Leader::Forward(pid) => (Some(pid.clone()), Some(pid)),
        };
        let outcome = self.run(ctx, leader).await;
        if let Some(forward) = forward {
            let me = ctx.pid();
            let monitor = ctx.monitor(&forward);
            ctx.send(&forward, Term::tuple([Term::atom("stop"), Term::Pid(me)]));
            ctx.select(|message| {
                let down = message.as_tuple().and_then(|parts| parts.get(1)?.as_ref()) == Some(&monitor);
                (down || message.is_atom("stopped")).then_some(())
            })
            .await;
            ctx.demonitor(&monitor, true);
        }
        outcome
    }

    async fn run(self, ctx: &mut Ctx, leader: Option<Pid>) -> Term {
        let options = SpawnOptions { leader, ..SpawnOptions::default() };
        let (give, take) = tokio::sync::oneshot::channel();
        ctx.spawn_with(options, move |inner: Ctx| async move {
            let ran = rpc::apply_terms(inner, &self.module, &self.function, &self.arguments).await;
            let _ = give.send(ran);
        });
        // Whoever ends the process ends the call.
        take.await.unwrap_or(Ran::Exit(Term::atom("killed"))).into_rpc()
    }

    /// Where the output goes, or what is answered when that cannot be.
    fn leader(&self, ctx: &Ctx) -> Result<Leader, Term> {
        match (&self.leader, self.leader.as_tuple()) {
            (Term::Pid(pid), _) => Ok(Leader::Process(Some(pid.clone()))),
            (Term::Atom(word), _) if *word == "user" => Ok(Leader::Process(ctx.whereis("user"))),
            (_, Some([word, Term::Pid(caller)])) if word.is_atom("send_stdout_to_caller") => {
                Ok(Leader::Forward(rpc::forward_output(ctx.node(), ctx.pid(), caller.clone())))
            }
            _ => {
                let module = Atom::new("rpc");
                let arguments = Term::list([self.leader.clone()]);
                let frame =
                    Term::tuple([Term::Atom(module), Term::atom("set_group_leader"), arguments, Term::NIL]);
                Err(Ran::Error(Term::atom("function_clause"), Term::list([frame])).into_rpc())
            }
        }
    }
}

/// Whether peers have started as many processes as they may.
fn full(ctx: &Ctx) -> bool {
    ctx.node().process_count() >= PROCESSES_FOR_PEERS_MAX as usize
}
