//! The handle of a generic server: near, far, or by name, the same.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::time::Duration;

use runtime::Ctx;
use term::{Atom, FromTerm, Pid, Term};

use super::GenServer;
use super::mail::Mail;
use crate::ask::{Asker, Request};
use crate::limits::CALL_TIME_DEFAULT;
use crate::pending::{RequestId, Requests, Response};
use crate::place::ServerRef;
use crate::reply::{Reply, read};
use crate::request::{CallError, Caller};

/// A handle of a server that understands `S::Call` and `S::Cast`: one of ours, or one of OTP's that speaks the same words.
///
/// Cheap to clone. Who asks is a process (`&mut Ctx`), or a program that is none (`&Node`).
pub struct Server<S> {
    place: ServerRef,
    server: PhantomData<fn() -> S>,
}

impl<S: GenServer> Server<S> {
    /// The server that is there: a pid, a name of this node, `(name, node)`, [`ServerRef::global`], [`ServerRef::via`].
    pub fn at(place: impl Into<ServerRef>) -> Server<S> {
        Server { place: place.into(), server: PhantomData }
    }

    /// Where it is.
    pub fn place(&self) -> &ServerRef {
        &self.place
    }

    /// Its pid, if the handle was made from one.
    pub fn pid(&self) -> Option<&Pid> {
        if let ServerRef::Pid(pid) = &self.place { Some(pid) } else { None }
    }

    /// Asks, and waits for the answer for five seconds. The variant is the question: `counter.call(ctx, Ask::Get)`,
    /// `counter.call(ctx, |reply| Ask::Add(3, reply))`.
    ///
    /// # Errors
    /// When there will be no answer. `?` in a process ends it as OTP's `gen_server:call/2` does.
    ///
    /// # Cancel-safety
    /// When the future is dropped the question may have been asked; its answer is dropped.
    pub async fn call<T: FromTerm>(
        &self,
        asker: impl Asker,
        question: impl FnOnce(Reply<T>) -> S::Call,
    ) -> Result<T, CallError> {
        let asking = self.ask(asker, question(Reply::blank()), Some(CALL_TIME_DEFAULT));
        asking.await.and_then(read)
    }

    /// As [`Server::call`], for at most this time; `None` waits for ever.
    ///
    /// # Errors
    /// As [`Server::call`].
    pub async fn call_within<T: FromTerm>(
        &self,
        asker: impl Asker,
        within: impl Into<Option<Duration>>,
        question: impl FnOnce(Reply<T>) -> S::Call,
    ) -> Result<T, CallError> {
        let asking = self.ask(asker, question(Reply::blank()), within.into());
        asking.await.and_then(read)
    }

    fn ask(
        &self,
        asker: impl Asker,
        question: S::Call,
        within: Option<Duration>,
    ) -> impl Future<Output = Result<Term, CallError>> + Send {
        asker.ask(self.place.clone(), |from| addressed::<S>(question, from), within)
    }

    /// Sends without expecting an answer.
    pub fn cast(&self, asker: impl Asker, message: S::Cast) {
        asker.tell(&self.place, Mail::<S>::Cast(message));
    }

    /// Asks, and goes on; the answer is fetched later, or one of many is: see [`Requests`].
    pub fn send_request<T: FromTerm>(
        &self,
        ctx: &mut Ctx,
        question: impl FnOnce(Reply<T>) -> S::Call,
    ) -> RequestId<T> {
        let question = question(Reply::blank());
        RequestId::ask(ctx, &self.place, |from| addressed::<S>(question, from))
    }

    /// Asks the servers of this name on all these nodes, and waits for their answers. (`gen_server:multi_call/4`.)
    ///
    /// # Cancel-safety
    /// As [`Server::call`].
    pub async fn multi_call<T: FromTerm>(
        ctx: &mut Ctx,
        nodes: impl IntoIterator<Item = Atom>,
        name: impl Into<Atom>,
        within: Option<Duration>,
        question: impl Fn(Reply<T>) -> S::Call,
    ) -> Multi<T> {
        let name = name.into();
        let mut requests = Requests::new();
        for node in nodes {
            let place = ServerRef::NameAt(name.clone(), node.clone());
            let id = Server::<S>::at(place).send_request(ctx, &question);
            requests.add(node, id);
        }
        gather(ctx, requests, within).await
    }

    /// Sends to the servers of this name on all these nodes. (`gen_server:abcast/3`.)
    pub fn abcast(
        ctx: &mut Ctx,
        nodes: impl IntoIterator<Item = Atom>,
        name: impl Into<Atom>,
        message: impl Fn() -> S::Cast,
    ) {
        let name = name.into();
        for node in nodes {
            Server::<S>::at((name.clone(), node)).cast(&mut *ctx, message());
        }
    }

    /// Lets the server end in order, and waits for its end. (`gen_server:stop/3`.)
    ///
    /// # Errors
    /// When it was not there, ended for another reason, or does not end in time.
    pub async fn stop(
        &self,
        ctx: &mut Ctx,
        reason: impl Into<runtime::Exit>,
        within: Option<Duration>,
    ) -> Result<(), CallError> {
        crate::proc_lib::stop(ctx, &self.place, reason.into(), within).await
    }
}

fn addressed<S: GenServer>(mut question: S::Call, from: Caller) -> Mail<S> {
    question.reply_to().address(from);
    Mail::Call(question)
}

/// What several servers answered.
#[derive(Debug)]
pub struct Multi<T> {
    /// The nodes whose server answered, and what, in the order of the answers.
    pub replies: Vec<(Atom, T)>,
    /// The nodes without an answer: not reached, nobody there, or not in time.
    pub bad_nodes: Vec<Atom>,
}

pub(crate) async fn gather<T: FromTerm>(
    ctx: &mut Ctx,
    mut requests: Requests<Atom, T>,
    within: Option<Duration>,
) -> Multi<T> {
    let mut multi = Multi { replies: Vec::new(), bad_nodes: Vec::new() };
    let deadline = within.map(|within| ctx.node().now() + within);
    loop {
        let left = deadline.map(|deadline| deadline.since(ctx.node().now()));
        match requests.wait(ctx, left).await {
            Response::Answer(node, Ok(answer)) => multi.replies.push((node, answer)),
            Response::Answer(node, Err(_)) => multi.bad_nodes.push(node),
            Response::NoRequest => return multi,
            Response::Timeout => {
                multi.bad_nodes.extend(requests.abandon(ctx));
                return multi;
            }
        }
    }
}

impl<S> Clone for Server<S> {
    fn clone(&self) -> Self {
        Server { place: self.place.clone(), server: PhantomData }
    }
}

impl<S> PartialEq for Server<S> {
    fn eq(&self, other: &Self) -> bool {
        self.place == other.place
    }
}

impl<S> fmt::Debug for Server<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Server({})", self.place)
    }
}

impl<S> From<&Server<S>> for ServerRef {
    fn from(server: &Server<S>) -> ServerRef {
        server.place.clone()
    }
}

/// A handle is sent as what it points to.
impl<S> term::IntoTerm for Server<S> {
    fn into_term(self) -> Term {
        self.place.into_term()
    }
}

impl<S: GenServer> FromTerm for Server<S> {
    fn from_term(term: &Term) -> Result<Self, term::Mismatch> {
        ServerRef::from_term(term).map(Server::at)
    }
}
