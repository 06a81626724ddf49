//! `rex`: calls in the old form, and the answer to `features_request` that every visible node asks at once.

use otp::request::{self, Caller, Request};
use runtime::Ctx;
use runtime::Node;
use term::{Atom, Pid, Term};

use super::start_registered;
use crate::rpc::{self, Ran};

pub(super) fn start(node: &Node) {
    start_registered(node, "rex", |mut ctx: Ctx| async move {
        loop {
            let message: Term = ctx.receive().await;
            match Request::read(message) {
                Request::Call(from, question) => on_call(&mut ctx, from, &question),
                Request::Cast(what) => {
                    if let Some(job) = Job::read(&what, &["cast"]) {
                        job.run(&ctx, |_, _| {});
                    }
                }
                Request::Info(message) => on_info(&mut ctx, &message),
                Request::System(..) => {}
            }
        }
    });
}

/// `{call, M, F, A, GroupLeader}`: run, and answered as `rpc:call` answers.
fn on_call(ctx: &mut Ctx, from: Caller, question: &Term) {
    let words = ["call", "block_call"];
    match Job::read(question, &words) {
        Some(job) => job.run(ctx, move |ctx, ran| request::answer(ctx, &from, ran.into_rpc())),
        None if is_job(question, &words) => request::answer(ctx, &from, badarg()),
        None => {}
    }
}

/// Whether somebody waits for the result of this, be it well-formed or not.
fn is_job(term: &Term, words: &[&str]) -> bool {
    matches!(term.as_tuple(), Some([Term::Atom(word), _, _, _, _]) if words.contains(&word.as_str()))
}

/// What `rpc:call` returns for a module, function or list of arguments that is none.
fn badarg() -> Term {
    Ran::Error(Term::atom("badarg"), Term::NIL).into_rpc()
}

fn on_info(ctx: &mut Ctx, message: &Term) {
    let Some([Term::Pid(from), what]) = message.as_tuple() else { return };
    if what.is_atom("features_request") {
        let features = Term::list([Term::atom("erpc")]);
        let node = Term::Atom(ctx.node().name().clone());
        return ctx.answer(from, Term::tuple([Term::atom("features_reply"), node, features]));
    }
    if let Some(job) = Job::read(what, &["call"]) {
        let from = from.clone();
        return job
            .run(ctx, move |ctx, ran| ctx.answer(&from, Term::tuple([Term::atom("rex"), ran.into_rpc()])));
    }
    if is_job(what, &["call"]) {
        return ctx.answer(from, Term::tuple([Term::atom("rex"), badarg()]));
    }
    match what.as_tuple() {
        Some([word, Term::Atom(name), message]) if word.is_atom("sbcast") => {
            let there = ctx.whereis(name.clone());
            let answer = match &there {
                Some(pid) => {
                    ctx.send(pid, message.clone());
                    Term::Atom(ctx.node().name().clone())
                }
                None => nonexisting(name),
            };
            tell(ctx, from, answer);
        }
        Some([word, Term::Atom(name), message]) if word.is_atom("send") => match ctx.whereis(name.clone()) {
            Some(pid) => ctx.send(&pid, Term::tuple([Term::Pid(from.clone()), message.clone()])),
            None => tell(ctx, from, nonexisting(name)),
        },
        _ => {}
    }
}

fn nonexisting(name: &Atom) -> Term {
    Term::tuple([Term::atom("nonexisting_name"), Term::Atom(name.clone())])
}

fn tell(ctx: &mut Ctx, to: &Pid, what: Term) {
    let node = Term::Atom(ctx.node().name().clone());
    ctx.answer(to, Term::tuple([Term::atom("rex"), node, what]));
}

/// What somebody wants to have run.
struct Job {
    module: Atom,
    function: Atom,
    arguments: Vec<Term>,
    leader: Option<Pid>,
}

impl Job {
    fn read(term: &Term, words: &[&str]) -> Option<Job> {
        let [Term::Atom(word), Term::Atom(module), Term::Atom(function), Term::List(list), leader] =
            term.as_tuple()?
        else {
            return None;
        };
        let right = words.contains(&word.as_str()) && list.improper_tail().is_none();
        right.then(|| Job {
            module: module.clone(),
            function: function.clone(),
            arguments: list.iter().collect(),
            leader: leader.as_pid().cloned(),
        })
    }

    /// Runs it in a process of its own, whose output goes where the caller said.
    fn run(self, ctx: &Ctx, then: impl FnOnce(&mut Ctx, Ran) + Send + 'static) {
        let leader = self.leader.or_else(|| ctx.whereis("user"));
        let node = ctx.node().clone();
        let Job { module, function, arguments, .. } = self;
        let options = runtime::SpawnOptions { leader: leader.clone(), ..Default::default() };
        node.spawn_with(options, move |mut ctx: Ctx| async move {
            let options = runtime::SpawnOptions { leader, ..Default::default() };
            let (give, take) = tokio::sync::oneshot::channel();
            ctx.spawn_with(options, move |inner: Ctx| async move {
                let _ = give.send(rpc::apply(inner, module, function, arguments).await);
            });
            let ran = take.await.unwrap_or_else(|_| Ran::Exit(Term::atom("killed")));
            then(&mut ctx, ran);
        });
    }
}
