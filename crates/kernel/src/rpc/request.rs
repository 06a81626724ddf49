//! A call that is under way: what is held until its answer comes.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use runtime::{Ctx, Node, SpawnAt, SpawnOptions};
use term::{Atom, FromTerm, Ref, Term};
use tokio::sync::oneshot;

use super::asker::Asker;
use super::error::{RpcError, outcome_of, read};

type Outcome = Result<Term, RpcError>;

/// A call that was sent and not yet answered. It is a future of its result, and whoever holds it may wait for it: another
/// process than the one that called, or none.
///
/// A process of its own waits for the answer, so nothing ever comes to the mailbox of the one who called, late or not.
/// Dropping this gives the call up: the function runs on where it runs, its result is dropped there.
///
/// # Cancel-safety
/// Waiting by reference (`(&mut request).await`, [`RequestId::wait_response`]) can be given up and begun again.
#[must_use = "dropping it gives the call up"]
pub struct RequestId<R = Term> {
    answer: Option<oneshot::Receiver<Outcome>>,
    read: PhantomData<fn() -> R>,
}

impl<R: FromTerm> RequestId<R> {
    /// Waits for the result, for at most `within` (`None`: as long as it takes). (`erpc:receive_response/1,2`.)
    ///
    /// # Errors
    /// When there is no value; [`RpcError::Timeout`] when the time is over, and the call is given up;
    /// [`RpcError::BadArg`] when the result was given already.
    pub async fn receive_response(mut self, within: impl Into<Option<Duration>>) -> Result<R, RpcError> {
        match within.into() {
            None => (&mut self).await,
            Some(within) if self.answer.is_some() => {
                self.wait_response(within).await.unwrap_or(Err(RpcError::Timeout))
            }
            Some(_) => Err(RpcError::BadArg),
        }
    }

    /// Waits for the result for at most `within`; nothing when it did not come, and one may wait again.
    /// (`erpc:wait_response/2`; `rpc:nb_yield/2`.) Nothing too when it was given before.
    pub async fn wait_response(&mut self, within: Duration) -> Option<Result<R, RpcError>> {
        self.answer.as_ref()?;
        if let Some(answer) = self.check_response() {
            return Some(answer);
        }
        if within.is_zero() {
            return None;
        }
        tokio::time::timeout(within, self).await.ok()
    }

    /// The result, if it is there and was not given before. (`erpc:check_response/2`.)
    pub fn check_response(&mut self) -> Option<Result<R, RpcError>> {
        let answer = match self.answer.as_mut()?.try_recv() {
            Ok(answer) => answer,
            Err(oneshot::error::TryRecvError::Empty) => return None,
            Err(oneshot::error::TryRecvError::Closed) => Err(lost()),
        };
        self.answer = None;
        Some(read(answer))
    }

    /// As [`RequestId::receive_response`] without a time. (`rpc:yield/1`.)
    ///
    /// # Errors
    /// As [`RequestId::receive_response`].
    pub async fn yield_value(self) -> Result<R, RpcError> {
        self.await
    }

    /// As [`RequestId::wait_response`]; with zero it looks and does not wait. (`rpc:nb_yield/1,2`.)
    pub async fn nb_yield(&mut self, within: Duration) -> Option<Result<R, RpcError>> {
        self.wait_response(within).await
    }

    /// Whether the result was given already.
    pub fn is_done(&self) -> bool {
        self.answer.is_none()
    }

    /// The same request, whose value is to be read as another type.
    pub fn reading<S: FromTerm>(self) -> RequestId<S> {
        RequestId { answer: self.answer, read: PhantomData }
    }
}

/// Its result; [`RpcError::BadArg`] when that was given already.
impl<R: FromTerm> Future for RequestId<R> {
    type Output = Result<R, RpcError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(answer) = self.answer.as_mut() else { return Poll::Ready(Err(RpcError::BadArg)) };
        let answer = std::task::ready!(Pin::new(answer).poll(cx));
        self.answer = None;
        Poll::Ready(read(answer.unwrap_or_else(|_| Err(lost()))))
    }
}

impl<R> fmt::Debug for RequestId<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.answer.is_some() { "under way" } else { "done" };
        write!(f, "RequestId({state})")
    }
}

/// The process that waited was ended: this node shuts down, or somebody killed it.
fn lost() -> RpcError {
    RpcError::Signal(Term::atom("killed"))
}

/// What shall be run where.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) peer: Atom,
    pub(crate) module: Atom,
    pub(crate) function: Atom,
    pub(crate) arguments: Vec<Term>,
}

/// Calls it in a process of its own there. (`SPAWN_REQUEST` of `erpc:execute_call/4` with a monitor; the manual's 8.1.)
pub(crate) fn send<R>(asker: &impl Asker, target: Target, within: Option<Duration>) -> RequestId<R> {
    ask(asker, within, move |mut ctx: Ctx| async move {
        let result = ctx.make_ref();
        let Target { peer, module, function, arguments } = target;
        let what =
            vec![Term::Ref(result.clone()), Term::Atom(module), Term::Atom(function), Term::list(arguments)];
        let how = SpawnAt { monitor: true, ..SpawnAt::default() };
        let id = ctx.spawn_request(peer, "erpc", "execute_call", what, how);
        ctx.select(|message| outcome(message, &id, &result)).await
    })
}

/// Starts a process that asks and waits, so that its mailbox holds nothing else; it ends when nobody waits any more.
pub(crate) fn ask<R, F, Fut>(asker: &impl Asker, within: Option<Duration>, body: F) -> RequestId<R>
where
    F: FnOnce(Ctx) -> Fut + Send + 'static,
    Fut: Future<Output = Outcome> + Send + 'static,
{
    let (mut give, take) = oneshot::channel();
    spawn_for(asker, "rpc: waits for an answer", move |ctx: Ctx| {
        let asking = body(ctx);
        async move {
            let timed = async {
                match within {
                    Some(within) => {
                        tokio::time::timeout(within, asking).await.unwrap_or(Err(RpcError::Timeout))
                    }
                    None => asking.await,
                }
            };
            let answer = tokio::select! {
                biased;
                answer = timed => answer,
                () = give.closed() => return,
            };
            let _ = give.send(answer);
        }
    });
    RequestId { answer: Some(take), read: PhantomData }
}

/// Starts a process that does something for `asker`, with its group leader.
pub(crate) fn spawn_for<F, Fut>(asker: &impl Asker, label: &'static str, body: F)
where
    F: FnOnce(Ctx) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let node: &Node = asker.runtime_node();
    let options = SpawnOptions { label: Some(label), leader: asker.leader(), ..SpawnOptions::default() };
    node.spawn_with(options, body);
}

fn outcome(message: &Term, id: &Ref, result: &Ref) -> Option<Outcome> {
    match message.as_tuple()? {
        [tag, Term::Ref(reference), _, _, reason] if tag.is_atom("DOWN") && reference == id => {
            Some(outcome_of(reason, result))
        }
        [tag, Term::Ref(reference), word, Term::Atom(reason)]
            if tag.is_atom("spawn_reply") && reference == id && word.is_atom("error") =>
        {
            Some(Err(RpcError::of_erpc(reason)))
        }
        _ => None,
    }
}
