//! The gen protocol: questions with a return address, and their answers. What every behaviour speaks.

use std::time::Duration;

use runtime::{AliasMode, Ctx, Down, Exit, Mark, Node, To};
use term::{Atom, FromTerm, IntoTerm, List, Mismatch, Pid, Ref, Term, term};

pub(crate) const GEN_CALL: Atom = Atom::inline("$gen_call");
pub(crate) const GEN_CAST: Atom = Atom::inline("$gen_cast");
pub(crate) const SYSTEM: Atom = Atom::inline("system");
pub(crate) const ALIAS: Atom = Atom::inline("alias");

/// Who asks, and how he knows the answer again: `{Pid, Tag}`.
#[derive(Clone, Debug, PartialEq)]
pub struct Caller {
    /// The process that asks.
    pub pid: Pid,
    /// Comes back with the answer, whatever it is.
    pub tag: Term,
}

impl Caller {
    /// Where the answer goes: to the alias in the tag (`[alias | Ref]`, or `[[alias | Ref] | _]` of a multi-call since
    /// OTP 26), or to the process itself.
    fn address(&self) -> To<'_> {
        match self.alias() {
            Some(alias) => To::Alias(alias),
            None => To::PidRef(&self.pid),
        }
    }

    pub(crate) fn alias(&self) -> Option<Ref> {
        let head = |term: &Term| term.as_list().and_then(List::uncons);
        let nested = |term: &Term| head(term).and_then(|(first, _)| alias_of(&first));
        alias_of(&self.tag).or_else(|| nested(&self.tag))
    }
}

impl Caller {
    /// The monitor by which the caller watches whom he asks, where the tag tells it: OTP's and our own callers do.
    fn monitor(&self) -> Option<Ref> {
        match (&self.tag, self.tag.as_list().and_then(List::uncons)) {
            (Term::Ref(monitor), _) => Some(monitor.clone()),
            (_, Some((Term::List(_), Term::Ref(monitor)))) => Some(monitor),
            _ => alias_of(&self.tag),
        }
    }
}

/// The caller hears that the question ended this process, which lives on: nobody shall wait for an answer that will not come.
/// Whether he could be told.
pub fn refuse(ctx: &Ctx, caller: &Caller, reason: impl Into<runtime::Exit>) -> bool {
    caller.monitor().is_some_and(|monitor| ctx.dismiss(&monitor, reason))
}

impl FromTerm for Caller {
    fn from_term(term: &Term) -> Result<Caller, Mismatch> {
        match term.as_tuple() {
            Some([Term::Pid(pid), tag]) => Ok(Caller { pid: pid.clone(), tag: tag.clone() }),
            _ => Err(Mismatch { expected: "{Pid, Tag}" }),
        }
    }
}

impl IntoTerm for Caller {
    fn into_term(self) -> Term {
        Term::tuple([Term::Pid(self.pid), self.tag])
    }
}

fn alias_of(tag: &Term) -> Option<Ref> {
    match tag.as_list()?.uncons()? {
        (Term::Atom(word), Term::Ref(alias)) if word == ALIAS => Some(alias),
        _ => None,
    }
}

/// A message as a generic server sees it.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// `{'$gen_call', From, Question}`.
    Call(Caller, Term),
    /// `{'$gen_cast', Message}`.
    Cast(Term),
    /// `{system, From, Request}`: for `sys`.
    System(Caller, Term),
    /// Anything else.
    Info(Term),
}

impl Request {
    /// Sorts a message.
    pub fn read(message: Term) -> Request {
        match message.as_tuple() {
            Some([Term::Atom(tag), from, question]) if *tag == GEN_CALL || *tag == SYSTEM => {
                match Caller::from_term(from) {
                    Ok(from) if *tag == GEN_CALL => Request::Call(from, question.clone()),
                    Ok(from) => Request::System(from, question.clone()),
                    Err(_) => Request::Info(message),
                }
            }
            Some([Term::Atom(tag), message]) if *tag == GEN_CAST => Request::Cast(message.clone()),
            _ => Request::Info(message),
        }
    }
}

/// Answers a call: `{Tag, Reply}`. A caller that gave up does not get it.
pub fn reply(ctx: &mut Ctx, to: &Caller, reply: impl IntoTerm) {
    ctx.send(to.address(), Term::tuple([to.tag.clone(), reply.into_term()]));
}

/// As [`reply`], for services that must not wait for anybody: see [`Ctx::answer`].
pub fn answer(ctx: &mut Ctx, to: &Caller, answer: impl IntoTerm) {
    ctx.answer(to.address(), Term::tuple([to.tag.clone(), answer.into_term()]));
}

/// As [`answer`], from wherever the question is by now.
pub(crate) fn answer_from(node: &Node, to: &Caller, answer: Term) {
    node.answer(to.address(), Term::tuple([to.tag.clone(), answer]));
}

/// Sends without expecting an answer.
pub fn cast<'a>(ctx: &mut Ctx, to: impl Into<To<'a>>, message: impl IntoTerm) {
    ctx.send(to, Term::tuple([Term::Atom(GEN_CAST), message.into_term()]));
}

/// Why a call has no answer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CallError {
    /// Nobody has that name or pid.
    #[error("noproc: nobody is there")]
    NoProc,
    /// The node cannot be reached, or was lost before it answered.
    #[error("nodedown: the node cannot be reached")]
    NodeDown,
    /// The time is over. The answer, should it still come, is dropped.
    #[error("timeout: no answer in time")]
    Timeout,
    /// The process ended before it answered.
    #[error("the process ended before it answered: {0:?}")]
    Exited(Term),
    /// A process that asks itself would wait for ever.
    #[error("calling_self: a process cannot call itself")]
    CallingSelf,
    /// There is an answer, and it is not of the type that was asked for.
    #[error("the answer is not of the type that was asked for: {0:?}")]
    Unreadable(Term),
}

impl CallError {
    /// The reason as `gen_server:call/2` exits with it, without the call.
    pub fn reason(&self) -> Term {
        match self {
            CallError::NoProc => Term::atom("noproc"),
            CallError::NodeDown => Term::atom("nodedown"),
            CallError::Timeout => Term::atom("timeout"),
            CallError::Exited(reason) => reason.clone(),
            CallError::CallingSelf => Term::atom("calling_self"),
            CallError::Unreadable(answer) => term!({bad_answer, (answer.clone())}),
        }
    }
}

/// `?` in a process: it ends with `{Reason, {gen_server, call, []}}`, so that whoever watches it sees that a call failed.
impl From<CallError> for Exit {
    fn from(error: CallError) -> Exit {
        Exit(term!({(error.reason()), {gen_server, call, []}}))
    }
}

/// Asks a generic server, near or far, and waits for its answer; `None` waits for ever.
///
/// # Errors
/// When there will be no answer.
///
/// # Cancel-safety
/// When the future is dropped the question may have been asked; its answer is dropped.
pub async fn call<'a>(
    ctx: &mut Ctx,
    to: impl Into<To<'a>>,
    question: impl IntoTerm,
    within: Option<Duration>,
) -> Result<Term, CallError> {
    call_as(ctx, Term::Atom(GEN_CALL), to, question, within).await
}

/// As [`call`], with another word in the place of `'$gen_call'`: `system` for [`crate::sys`].
pub(crate) async fn call_as<'a>(
    ctx: &mut Ctx,
    label: Term,
    to: impl Into<To<'a>>,
    question: impl IntoTerm,
    within: Option<Duration>,
) -> Result<Term, CallError> {
    let question = question.into_term();
    ask(ctx, to.into(), |from: Caller| Term::tuple([label, from.into_term(), question]), within).await
}

/// Sends the message that `make` makes for this caller, and waits for the answer.
pub(crate) async fn ask<M: IntoTerm + Send + 'static>(
    ctx: &mut Ctx,
    to: To<'_>,
    make: impl FnOnce(Caller) -> M,
    within: Option<Duration>,
) -> Result<Term, CallError> {
    if is_self(ctx, &to) {
        return Err(CallError::CallingSelf);
    }
    let question = Question::ask(ctx, to, make);
    let mut waiting = Waiting { ctx, question, open: true };
    let answer = waiting.answer(within).await;
    answer.ok_or(CallError::Timeout).flatten()
}

fn is_self(ctx: &Ctx, to: &To<'_>) -> bool {
    match to {
        To::Pid(pid) => pid == ctx.pid_ref(),
        To::PidRef(pid) => *pid == ctx.pid_ref(),
        To::Name(name) => ctx.whereis(name.clone()).as_ref() == Some(ctx.pid_ref()),
        _ => false,
    }
}

/// A question that has been asked, and where its answer can lie.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) alias: Ref,
    mark: Mark,
}

impl Question {
    pub(crate) fn ask<M: IntoTerm + Send + 'static>(
        ctx: &mut Ctx,
        to: To<'_>,
        make: impl FnOnce(Caller) -> M,
    ) -> Question {
        let mark = ctx.mark();
        let alias = ctx.monitor_with_alias(to.clone(), AliasMode::ReplyDemonitor);
        let tag = Term::List(List::cons(Term::Atom(ALIAS), Term::Ref(alias.clone())));
        let caller = Caller { pid: ctx.pid(), tag };
        ctx.send(to, make(caller));
        Question { alias, mark }
    }

    /// The answer, or `None` when the time is over; the question stays asked then.
    pub(crate) async fn wait(
        &self,
        ctx: &mut Ctx,
        within: Option<Duration>,
    ) -> Option<Result<Term, CallError>> {
        let pick = |message: &Term| outcome(message, &self.alias);
        match within {
            Some(wait) => ctx.select_from_within(self.mark, wait, pick).await,
            None => Some(ctx.select_from(self.mark, pick).await),
        }
    }

    pub(crate) fn mark(&self) -> Mark {
        self.mark
    }

    /// Which question this message would be an answer to.
    pub(crate) fn key_of(message: &Term) -> Option<Ref> {
        match message.as_tuple()? {
            [tag, _] => alias_of(tag),
            _ => Down::from_term(message).ok().map(|down| down.reference),
        }
    }

    /// Whether this message is the answer.
    pub(crate) fn check(&self, message: &Term) -> Option<Result<Term, CallError>> {
        outcome(message, &self.alias)
    }

    /// Takes the question back: nothing of it stays, and what still comes is dropped. The answer, if it is there.
    pub(crate) fn take_back(&self, ctx: &mut Ctx) -> Option<Result<Term, CallError>> {
        ctx.demonitor(&self.alias, true);
        ctx.try_select(self.mark, |message| outcome(message, &self.alias))
    }

    /// After the answer: the monitor goes.
    pub(crate) fn done(&self, ctx: &mut Ctx) {
        ctx.demonitor(&self.alias, true);
    }
}

/// A wait that leaves nothing behind when it is given up.
struct Waiting<'c> {
    ctx: &'c mut Ctx,
    question: Question,
    open: bool,
}

impl Waiting<'_> {
    async fn answer(&mut self, within: Option<Duration>) -> Option<Result<Term, CallError>> {
        let answer = self.question.wait(self.ctx, within).await;
        self.open = false;
        match answer {
            Some(answer) => {
                self.question.done(self.ctx);
                Some(answer)
            }
            // As in OTP: an answer that came in the last moment counts.
            None => self.question.take_back(self.ctx),
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if self.open {
            self.question.take_back(self.ctx);
        }
    }
}

/// The answer `{[alias | Ref], Reply}`, or the end of the one who was asked.
fn outcome(message: &Term, alias: &Ref) -> Option<Result<Term, CallError>> {
    if let Some([tag, reply]) = message.as_tuple()
        && alias_of(tag).as_ref() == Some(alias)
    {
        return Some(Ok(reply.clone()));
    }
    let down = Down::from_term(message).ok().filter(|down| down.reference == *alias)?;
    Some(Err(match down.reason.as_atom().map(Atom::as_str) {
        Some("noproc") => CallError::NoProc,
        Some("noconnection") => CallError::NodeDown,
        _ => CallError::Exited(down.reason),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use runtime::Node;

    fn server(node: &Node) -> Pid {
        node.spawn(|mut ctx: Ctx| async move {
            loop {
                let message: Term = ctx.receive().await;
                match Request::read(message) {
                    Request::Call(from, question) if question.is_atom("ping") => {
                        reply(&mut ctx, &from, Term::atom("pong"));
                    }
                    Request::Cast(word) if word.is_atom("stop") => return,
                    _ => {}
                }
            }
        })
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_is_answered_or_says_why_not() {
        let node = Node::alone();
        let pid = server(&node);
        let answers = node
            .run(move |mut ctx| async move {
                let second = Some(Duration::from_secs(1));
                let pong = call(&mut ctx, &pid, Term::atom("ping"), second).await;
                let silence = call(&mut ctx, &pid, Term::atom("what"), second).await;
                cast(&mut ctx, &pid, Term::atom("stop"));
                let gone = call(&mut ctx, &pid, Term::atom("ping"), None).await;
                let nobody = call(&mut ctx, "nobody", Term::atom("ping"), None).await;
                (pong, silence, gone, nobody, ctx.unread())
            })
            .await;
        assert_eq!(answers.0, Ok(Term::atom("pong")));
        assert_eq!(answers.1, Err(CallError::Timeout));
        assert!(matches!(answers.2, Err(CallError::Exited(_) | CallError::NoProc)));
        assert_eq!(answers.3, Err(CallError::NoProc));
        assert!(answers.4.is_empty(), "nothing is left behind: {:?}", answers.4);
    }

    #[tokio::test]
    async fn an_answer_goes_where_the_tag_says() {
        let node = Node::alone();
        let other = server(&node);
        node.run(move |mut ctx| async move {
            let alias = ctx.alias(AliasMode::Explicit);
            let aliased = || Term::List(List::cons(Term::Atom(ALIAS), Term::Ref(alias.clone())));
            let nested = Term::List(List::cons(aliased(), Term::Int(7)));
            for tag in [aliased(), nested] {
                // The pid is somebody else's: only the alias leads here.
                reply(&mut ctx, &Caller { pid: other.clone(), tag: tag.clone() }, Term::Int(1));
                let (back, answer): (Term, i64) = ctx.receive().await;
                assert_eq!((back, answer), (tag, 1));
            }
            let old = Caller { pid: ctx.pid(), tag: Term::Int(3) };
            reply(&mut ctx, &old, Term::Int(2));
            assert_eq!(ctx.receive::<(i64, i64)>().await, (3, 2));
        })
        .await;
    }
}
