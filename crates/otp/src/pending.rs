//! Many questions at a time: OTP's request ids, and collections of them.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::time::Duration;

use runtime::Ctx;
use term::{FromTerm, IntoTerm, Ref, Term};

use crate::place::ServerRef;
use crate::reply::read;
use crate::request::{CallError, Caller, GEN_CALL, Question};

/// A question that has been asked, and is not yet answered. Belongs to the process that asked.
///
/// One that is merely dropped stays asked: its answer, should it come, will lie unread in the mailbox. Use
/// [`RequestId::abandon`].
#[must_use = "the answer will come to this process: receive it, or abandon the request"]
pub struct RequestId<T = Term> {
    state: State,
    answer: PhantomData<fn() -> T>,
}

enum State {
    Asked(Question),
    /// Nobody was there to be asked.
    Failed(Ref),
}

/// Asks a generic server any question. See also [`crate::Server::send_request`]. (`gen_server:send_request/2`.)
pub fn send_request(ctx: &mut Ctx, to: impl Into<ServerRef>, question: impl IntoTerm) -> RequestId {
    let question = question.into_term();
    RequestId::ask(ctx, &to.into(), |from: Caller| {
        Term::tuple([Term::Atom(GEN_CALL), from.into_term(), question])
    })
}

impl<T: FromTerm> RequestId<T> {
    pub(crate) fn ask<M: IntoTerm + Send + 'static>(
        ctx: &mut Ctx,
        to: &ServerRef,
        make: impl FnOnce(Caller) -> M,
    ) -> RequestId<T> {
        let place = to.find(ctx.node());
        let state = match place {
            Some(place) => State::Asked(Question::ask(ctx, place, make)),
            None => State::Failed(ctx.make_ref()),
        };
        RequestId { state, answer: PhantomData }
    }

    /// Waits for the answer; when the time is over, the request is abandoned. (`gen_server:receive_response/2`.)
    ///
    /// # Errors
    /// When there will be no answer.
    pub async fn receive(self, ctx: &mut Ctx, within: Option<Duration>) -> Result<T, CallError> {
        match self.wait(ctx, within).await {
            Some(answer) => answer,
            None => match &self.state {
                State::Asked(question) => {
                    question.take_back(ctx).unwrap_or(Err(CallError::Timeout)).and_then(read)
                }
                State::Failed(_) => Err(CallError::NoProc),
            },
        }
    }

    /// Waits for the answer; `None` when the time is over, and one can wait again. (`gen_server:wait_response/2`.)
    pub async fn wait(&self, ctx: &mut Ctx, within: Option<Duration>) -> Option<Result<T, CallError>> {
        let State::Asked(question) = &self.state else { return Some(Err(CallError::NoProc)) };
        let answer = question.wait(ctx, within).await?;
        question.done(ctx);
        Some(answer.and_then(read))
    }

    /// Whether this message is the answer. (`gen_server:check_response/2`.)
    pub fn check(&self, ctx: &mut Ctx, message: &Term) -> Option<Result<T, CallError>> {
        let State::Asked(question) = &self.state else { return None };
        let answer = question.check(message)?;
        question.done(ctx);
        Some(answer.and_then(read))
    }

    /// Takes the question back: its answer, should it come, is dropped.
    pub fn abandon(self, ctx: &mut Ctx) {
        if let State::Asked(question) = &self.state {
            question.take_back(ctx);
        }
    }

    fn key(&self) -> &Ref {
        match &self.state {
            State::Asked(question) => &question.alias,
            State::Failed(key) => key,
        }
    }
}

/// Open questions, each under a label. Answers are taken in the order in which they come.
///
/// ```
/// # use trunkline_otp as otp;
/// # use runtime::Ctx;
/// # use otp::pending::{Requests, Response, send_request};
/// # use term::Term;
/// # async fn example(ctx: &mut Ctx) {
/// let mut requests = Requests::new();
/// for name in ["east", "west"] {
///     let id = send_request(ctx, name, Term::atom("weather"));
///     requests.add(name, id);
/// }
/// while let Response::Answer(name, weather) = requests.receive(ctx, None).await {
///     println!("{name}: {weather:?}");
/// }
/// # }
/// ```
pub struct Requests<L, T = Term> {
    open: BTreeMap<Ref, (L, RequestId<T>)>,
}

/// What waiting for one of several answers gave.
#[derive(Debug, PartialEq)]
pub enum Response<L, T> {
    /// The answer to the question of this label, which is no longer among the open ones.
    Answer(L, Result<T, CallError>),
    /// There is no open question.
    NoRequest,
    /// The time is over.
    Timeout,
}

impl<L, T: FromTerm> Requests<L, T> {
    /// None.
    pub fn new() -> Requests<L, T> {
        Requests { open: BTreeMap::new() }
    }

    /// Adds a question.
    pub fn add(&mut self, label: L, id: RequestId<T>) {
        self.open.insert(id.key().clone(), (label, id));
    }

    /// How many are open.
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// Whether none is open.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Waits for the next answer; when the time is over, all questions are abandoned.
    pub async fn receive(&mut self, ctx: &mut Ctx, within: Option<Duration>) -> Response<L, T> {
        let response = self.wait(ctx, within).await;
        if matches!(response, Response::Timeout) {
            self.abandon(ctx);
        }
        response
    }

    /// Waits for the next answer; when the time is over, one can wait again.
    pub async fn wait(&mut self, ctx: &mut Ctx, within: Option<Duration>) -> Response<L, T> {
        if let Some(failed) = self.failed() {
            let (label, _) = self.open.remove(&failed).expect("it is among them");
            return Response::Answer(label, Err(CallError::NoProc));
        }
        let marks = self.open.values().filter_map(|(_, id)| match &id.state {
            State::Asked(question) => Some(question.mark()),
            State::Failed(_) => None,
        });
        let Some(mark) = marks.min() else { return Response::NoRequest };
        let open = &self.open;
        let pick = |message: &Term| {
            let key = Question::key_of(message)?;
            let (key, (_, id)) = open.get_key_value(&key)?;
            let State::Asked(question) = &id.state else { return None };
            Some((key.clone(), question.check(message)?))
        };
        let found = match within {
            Some(wait) => ctx.select_from_within(mark, wait, pick).await,
            None => Some(ctx.select_from(mark, pick).await),
        };
        let Some((key, answer)) = found else { return Response::Timeout };
        self.answered(ctx, &key, answer)
    }

    /// Whether this message is an answer.
    pub fn check(&mut self, ctx: &mut Ctx, message: &Term) -> Option<Response<L, T>> {
        let key = Question::key_of(message)?;
        let (_, id) = self.open.get(&key)?;
        let State::Asked(question) = &id.state else { return None };
        let answer = question.check(message)?;
        Some(self.answered(ctx, &key, answer))
    }

    /// Takes all questions back, and gives their labels.
    pub fn abandon(&mut self, ctx: &mut Ctx) -> Vec<L> {
        let open = std::mem::take(&mut self.open);
        open.into_values()
            .map(|(label, id)| {
                id.abandon(ctx);
                label
            })
            .collect()
    }

    fn answered(&mut self, ctx: &mut Ctx, key: &Ref, answer: Result<Term, CallError>) -> Response<L, T> {
        let Some((label, id)) = self.open.remove(key) else { return Response::NoRequest };
        if let State::Asked(question) = &id.state {
            question.done(ctx);
        }
        Response::Answer(label, answer.and_then(read))
    }

    fn failed(&self) -> Option<Ref> {
        let mut failed = self.open.iter().filter(|(_, (_, id))| matches!(id.state, State::Failed(_)));
        failed.next().map(|(key, _)| key.clone())
    }
}

impl<L, T: FromTerm> Default for Requests<L, T> {
    fn default() -> Self {
        Requests::new()
    }
}
