//! Messages to servers on other nodes, and what can be asked of `rex` itself.

use std::collections::BTreeMap;
use std::time::Duration;

use otp::request::{self, CallError};
use runtime::Ctx;
use term::{Atom, FromTerm, IntoTerm, Pid, Ref, Term};

use super::asker::Asker;
use super::client::{Arguments, target};
use super::error::RpcError;
use super::many::Waiting;
use super::request::{RequestId, Target, ask, spawn_for};
use super::server::Ran;

const REX: Atom = Atom::inline("rex");

/// Sends `message` to the processes of this name on all `peers`; nobody knows whether they got it. (`rpc:abcast/2,3`.)
///
/// The messages go out from a process of their own: those of one `abcast` and what its caller sends otherwise may overtake each
/// other.
pub fn abcast(
    asker: &impl Asker,
    peers: impl IntoIterator<Item = impl Into<Atom>>,
    name: impl Into<Atom>,
    message: impl IntoTerm,
) {
    let (name, message) = (name.into(), message.into_term());
    let peers: Vec<Atom> = peers.into_iter().map(Into::into).collect();
    spawn_for(asker, "rpc: casts", |mut ctx| async move {
        for peer in peers {
            ctx.send((name.clone(), peer), message.clone());
        }
    });
}

/// The nodes that got a message, and those that did not, each in the order in which they were given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reached {
    /// The process of the name has the message in its mailbox.
    pub good: Vec<Atom>,
    /// The node was not reached, or nobody has the name there.
    pub bad: Vec<Atom>,
}

/// Sends `message` to the processes of this name on all `peers`, and waits until each node says that it was delivered.
/// (`rpc:sbcast/2,3`.)
///
/// # Cancel-safety
/// When the future is dropped the messages are under way all the same.
pub fn sbcast(
    asker: &impl Asker,
    peers: impl IntoIterator<Item = impl Into<Atom>>,
    name: impl Into<Atom>,
    message: impl IntoTerm,
) -> Waiting<Reached> {
    let order = Term::tuple([Term::atom("sbcast"), Term::Atom(name.into()), message.into_term()]);
    let told = tell_all(asker, peers, REX, order);
    Box::pin(async move {
        let mut reached = Reached::default();
        for (peer, answer) in told.await {
            let delivered = answer.is_some_and(|answer| answer.as_tuple().is_none());
            if delivered { reached.good.push(peer) } else { reached.bad.push(peer) }
        }
        reached
    })
}

/// Sends `{self(), Message}` to the process of this name on `peer`, and waits for its answer
/// `{ReplyWrapper, Node, Reply}`. (`rpc:server_call/4`.)
///
/// # Errors
/// [`RpcError::NoConnection`] when the node is not reached, nobody has the name, or the server ends before it answers:
/// `{error, nodedown}` in OTP.
pub fn server_call<R: FromTerm>(
    asker: &impl Asker,
    peer: impl Into<Atom>,
    name: impl Into<Atom>,
    wrapper: impl IntoTerm,
    message: impl IntoTerm,
) -> RequestId<R> {
    let (peer, name) = (peer.into(), name.into());
    let (wrapper, message) = (wrapper.into_term(), message.into_term());
    ask(asker, None, |mut ctx: Ctx| async move {
        let monitor = ctx.monitor((name.clone(), peer.clone()));
        let me = ctx.pid();
        ctx.send((name, peer.clone()), Term::tuple([Term::Pid(me), message]));
        ctx.select(|message| match message.as_tuple()? {
            [tag, Term::Ref(reference), ..] if tag.is_atom("DOWN") && *reference == monitor => {
                Some(Err(RpcError::NoConnection))
            }
            [tag, Term::Atom(node), reply] if *tag == wrapper && *node == peer => Some(Ok(reply.clone())),
            _ => None,
        })
        .await
    })
}

/// What many servers answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Replies {
    /// In the order of the nodes.
    pub replies: Vec<Term>,
    /// The nodes that were not reached, have nobody of the name, or lost him before he answered.
    pub bad_nodes: Vec<Atom>,
}

/// Sends `{self(), Message}` to the processes of this name on all `peers`, and waits for their answers `{Name, Node, Reply}`.
/// (`rpc:multi_server_call/2,3`.)
pub fn multi_server_call(
    asker: &impl Asker,
    peers: impl IntoIterator<Item = impl Into<Atom>>,
    name: impl Into<Atom>,
    message: impl IntoTerm,
) -> Waiting<Replies> {
    let told = tell_all(asker, peers, name.into(), message.into_term());
    Box::pin(async move {
        let mut all = Replies { replies: Vec::new(), bad_nodes: Vec::new() };
        for (peer, answer) in told.await {
            match answer {
                Some(reply) => all.replies.push(reply),
                None => all.bad_nodes.push(peer),
            }
        }
        all
    })
}

type Told = Vec<(Atom, Option<Term>)>;

/// `{self(), Message}` to `name` on all nodes at once; the answers `{Name, Node, Reply}`, or nothing of those that are gone.
fn tell_all(
    asker: &impl Asker,
    peers: impl IntoIterator<Item = impl Into<Atom>>,
    name: Atom,
    message: Term,
) -> Waiting<Told> {
    let peers: Vec<Atom> = peers.into_iter().map(Into::into).collect();
    let lost = peers.iter().map(|peer| (peer.clone(), None)).collect();
    let (mut give, take) = tokio::sync::oneshot::channel();
    spawn_for(asker, "rpc: waits for servers", |mut ctx: Ctx| async move {
        let gathered = gather(&mut ctx, peers, name, message);
        tokio::select! {
            biased;
            answers = gathered => { let _ = give.send(answers); }
            () = give.closed() => {}
        }
    });
    Box::pin(async move { take.await.unwrap_or(lost) })
}

async fn gather(ctx: &mut Ctx, peers: Vec<Atom>, name: Atom, message: Term) -> Told {
    let me = ctx.pid();
    let mut waiting: BTreeMap<Ref, usize> = BTreeMap::new();
    let mut answers: Told = Vec::with_capacity(peers.len());
    for (index, peer) in peers.into_iter().enumerate() {
        let to = (name.clone(), peer.clone());
        waiting.insert(ctx.monitor(to.clone()), index);
        ctx.send(to, Term::tuple([Term::Pid(me.clone()), message.clone()]));
        answers.push((peer, None));
    }
    while !waiting.is_empty() {
        let (monitor, reply) = ctx
            .select(|message| match message.as_tuple()? {
                [tag, Term::Ref(reference), ..] if tag.is_atom("DOWN") => {
                    waiting.contains_key(reference).then(|| (reference.clone(), None))
                }
                [tag, Term::Atom(node), reply] if tag.as_atom() == Some(&name) => {
                    // The same node may have been named twice: its answers come in the order of the questions.
                    let first = waiting.iter().filter(|(_, index)| answers[**index].0 == *node);
                    let (monitor, _) = first.min_by_key(|(_, index)| **index)?;
                    Some((monitor.clone(), Some(reply.clone())))
                }
                _ => None,
            })
            .await;
        ctx.demonitor(&monitor, true);
        if let Some(index) = waiting.remove(&monitor) {
            answers[index].1 = reply;
        }
    }
    answers
}

/// Calls the function in such a way that `rex` of `peer` does nothing else meanwhile. (`rpc:block_call/4,5`.)
///
/// # Errors
/// As [`super::call`]; that a function exited or failed is told apart by the shape of what `rex` says.
///
/// # Cancel-safety
/// As [`super::call`].
pub fn block_call<R: FromTerm>(
    asker: &impl Asker,
    peer: impl Into<Atom>,
    module: impl Into<Atom>,
    function: impl Into<Atom>,
    arguments: impl Arguments,
    within: impl Into<Option<Duration>>,
) -> RequestId<R> {
    let Target { peer, module, function, arguments } = target(peer, module, function, arguments);
    let within = within.into();
    ask(asker, None, move |mut ctx: Ctx| async move {
        let leader = Term::Pid(ctx.group_leader());
        let (module, function) = (Term::Atom(module), Term::Atom(function));
        let question =
            Term::tuple([Term::atom("block_call"), module, function, Term::list(arguments), leader]);
        let to = (REX, peer.clone());
        match request::call(&mut ctx, to, question.clone(), within).await {
            Ok(answer) => unwrap_badrpc(answer),
            Err(CallError::Timeout) => Err(RpcError::Timeout),
            Err(CallError::NodeDown) => Err(RpcError::NoConnection),
            Err(CallError::Exited(reason)) => Err(no_rex(reason, &peer, question, within)),
            // Nobody calls himself here, and every answer reads as a term.
            Err(_) => Err(no_rex(Term::atom("noproc"), &peer, question, within)),
        }
    })
}

/// What `gen_server:call` exits with in OTP.
fn no_rex(reason: Term, peer: &Atom, question: Term, within: Option<Duration>) -> RpcError {
    let to = Term::tuple([Term::Atom(REX), Term::Atom(peer.clone())]);
    let within = within.map_or(Term::atom("infinity"), |time| Term::Int(time.as_millis() as i64));
    let arguments = Term::list([to, question, within]);
    let call = Term::tuple([Term::atom("gen_server"), Term::atom("call"), arguments]);
    RpcError::Exited(Term::tuple([reason, call]))
}

/// `{badrpc, {'EXIT', Reason}}` as the failure it stands for.
fn unwrap_badrpc(answer: Term) -> Result<Term, RpcError> {
    if let Some([tag, exit]) = answer.as_tuple()
        && tag.is_atom("badrpc")
        && let Some([word, reason]) = exit.as_tuple()
        && word.is_atom("EXIT")
    {
        return Err(match super::server::sort(runtime::Exit(reason.clone())) {
            Ran::Error(reason, trace) => RpcError::Failed { reason, trace },
            _ if reason.is_atom("system_limit") => RpcError::SystemLimit,
            _ => RpcError::Exited(reason.clone()),
        });
    }
    Ok(answer)
}

/// What a process's own node says of it: `[{Item, Info}]`, or `undefined`. (`rpc:pinfo/1`.)
///
/// # Errors
/// As [`super::call`].
pub fn pinfo(asker: &impl Asker, pid: &Pid) -> RequestId<Term> {
    super::call(asker, pid.node.name().clone(), "erlang", "process_info", (pid.clone(),))
}

/// As [`pinfo`], for one item, an atom, or a list of them. (`rpc:pinfo/2`.)
///
/// # Errors
/// As [`super::call`].
pub fn pinfo_of(asker: &impl Asker, pid: &Pid, items: impl IntoTerm) -> RequestId<Term> {
    super::call(asker, pid.node.name().clone(), "erlang", "process_info", (pid.clone(), items))
}
