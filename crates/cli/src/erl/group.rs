//! A group leader with a person behind it: the terminal's side of a shell, wherever the shell runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use trunkline::io::protocol::{Effect, Machine};
use trunkline::{Atom, Ctx, Exit, Node, Pid, Ref, SpawnOptions, Term, rpc};

use shell::node::Numbers;

/// What is to be shown.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Shown {
    Text(String),
    /// Somebody waits for a line; `secret` when it must not be seen.
    Prompt {
        text: String,
        secret: bool,
    },
}

/// What a person does; the end of the channel is the end of input.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Typed {
    /// A line with its end.
    Line(String),
    /// Whoever reads shall stop.
    Interrupt,
    /// The terminal has so many columns and rows from now on.
    Resized(u32, u32),
}

/// Where things are shown. Called on the executor's threads.
pub(crate) type Face = Arc<dyn Fn(Shown) + Send + Sync>;

/// Where one's lines come from.
pub(crate) struct Source {
    pub(crate) typed: mpsc::Receiver<Typed>,
    /// Hears of the end of input, and nobody else does: many a shell that is told `eof` halts its node ("Avoid answering
    /// `eof` to a shell").
    pub(crate) end: Option<oneshot::Sender<()>>,
}

/// Starts one.
pub(crate) fn start(node: &Node, face: Face, source: Source, size: Option<(u32, u32)>) -> Pid {
    let options = SpawnOptions { label: Some("group"), service: true, ..SpawnOptions::default() };
    node.spawn_with(options, move |ctx: Ctx| serve(ctx, face, source, size))
}

async fn serve(mut ctx: Ctx, face: Face, source: Source, size: Option<(u32, u32)>) {
    let Source { mut typed, mut end } = source;
    // Input that ends is the matter of one listener, or an `eof`.
    let silent = end.is_some();
    // What its clients' ends say is of no interest.
    ctx.set_trap_exit(true);
    let node = ctx.node().clone();
    let numbers = Numbers(node.clone());
    let mut machine = Machine::new(size);
    let mut calls = BTreeMap::new();
    let mut over = false;
    let mut prompt = String::new();
    loop {
        let wanted = machine.wants_input();
        let mut heard = false;
        let effects = tokio::select! {
            biased;
            message = ctx.receive::<Term>() => match message.as_tuple() {
                Some([word, Term::Pid(from), reply_as, request]) if word.is_atom("io_request") => {
                    if !wanted && calls.is_empty() {
                        // The next who reads brings a prompt of its own, or none.
                        prompt.clear();
                    }
                    machine.request(from.clone(), reply_as.clone(), request.clone(), &numbers)
                }
                Some([word, Term::Ref(call), _, _, reason]) if word.is_atom("DOWN") => match calls.remove(call) {
                    Some(token) => machine.applied(token, value_in(reason), &numbers),
                    None => Vec::new(),
                },
                _ => Vec::new(),
            },
            line = typed.recv(), if wanted && !over => {
                heard = !matches!(line, Some(Typed::Resized(..)));
                match line {
                    Some(Typed::Resized(columns, rows)) => {
                        machine.resize(columns, rows);
                        Vec::new()
                    }
                    Some(Typed::Line(line)) => machine.input(&line, &numbers),
                    Some(Typed::Interrupt) => machine.interrupt(&numbers),
                    None if silent => {
                        over = true;
                        let _ = end.take().map(|end| end.send(()));
                        Vec::new()
                    }
                    None => {
                        over = true;
                        machine.end_of_input(Term::atom("eof"), &numbers)
                    }
                }
            }
        };
        // Whoever waits for a line goes on waiting while others write.
        let asks = machine.wants_input() && (!wanted || heard) && !over;
        perform(&mut ctx, &face, &mut calls, effects, asks.then(|| machine.wants_password()), &mut prompt);
    }
}

/// `prompt`: the last text is one, and whether the answer is secret.
fn perform(
    ctx: &mut Ctx,
    face: &Face,
    calls: &mut BTreeMap<Ref, u64>,
    effects: Vec<Effect>,
    prompt: Option<bool>,
    said: &mut String,
) {
    let last = effects.iter().rposition(|effect| matches!(effect, Effect::Write(_)));
    let mut prompted = false;
    for (at, effect) in effects.into_iter().enumerate() {
        match effect {
            Effect::Write(text) => match prompt {
                Some(secret) if Some(at) == last => {
                    prompted = true;
                    said.clone_from(&text);
                    face(Shown::Prompt { text, secret });
                }
                _ => face(Shown::Text(text)),
            },
            Effect::Reply { to, reply_as, reply } => {
                ctx.answer(&to, Term::tuple([Term::atom("io_reply"), reply_as, reply]));
            }
            Effect::Apply { token, requester, function, arguments } => {
                let (_, call) = ctx.spawn_monitor(move |ctx: Ctx| apply(ctx, requester, function, arguments));
                calls.insert(call, token);
            }
        }
    }
    if let (Some(secret), false) = (prompt, prompted) {
        // The line was not enough: another, behind the same words.
        face(Shown::Prompt { text: said.clone(), secret });
    }
}

const APPLIED: &str = "io_applied";

fn value_in(reason: &Term) -> Option<Term> {
    match reason.as_tuple() {
        Some([word, value]) if word.is_atom(APPLIED) => Some(value.clone()),
        _ => None,
    }
}

/// Calls a function for a request where its code is: on the node that asks (`erl_scan:tokens` of its release), or here.
async fn apply(
    ctx: Ctx,
    requester: Pid,
    (module, function): (Atom, Atom),
    arguments: Vec<Term>,
) -> Result<(), Exit> {
    let node = ctx.node().clone();
    let value = if requester.node.name() == node.name() {
        let arity = u8::try_from(arguments.len()).map_err(|_| Exit::normal())?;
        let body = node.exported(&module, &function, arity).ok_or_else(Exit::normal)?;
        body(ctx, arguments).await.map_err(|_| Exit::normal())?
    } else {
        let peer = requester.node.name().clone();
        let called = rpc::call::<Term>(&node, peer, module, function, arguments);
        called.await.map_err(|_| Exit::normal())?
    };
    Err(Exit(Term::tuple([Term::atom(APPLIED), value])))
}

/// Returns when the process has ended, with the reason.
pub(crate) async fn until_gone(ctx: &mut Ctx, pid: &Pid) -> Term {
    let monitor = ctx.monitor(pid);
    ctx.select(|message| {
        let down = <trunkline::Down as trunkline::FromTerm>::from_term(message).ok()?;
        (down.reference == monitor).then_some(down.reason)
    })
    .await
}
