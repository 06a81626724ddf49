//! The process around a server of the I/O protocol.

use std::collections::BTreeMap;
use std::sync::Arc;

use runtime::{Ctx, Exit, Node, SpawnOptions};
use term::{Atom, Pid, Ref, Term};

use super::protocol::{Effect, Machine};
use super::source::Said;
use super::{Input, Output, numbers_of};

/// A group leader to be: processes whose leader it is write to its sink and read from its input, on whatever node they are.
///
/// ```
/// # extern crate trunkline_kernel as kernel;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// use kernel::io::{self, Input, Leader};
///
/// let node = kernel::Node::alone();
/// let (told, mut hears) = tokio::sync::mpsc::unbounded_channel();
/// let leader = Leader::new(move |text| drop(told.send(text.to_owned()))).input(Input::text("joe\n")).start(&node);
/// let options = runtime::SpawnOptions { leader: Some(leader), ..Default::default() };
/// node.spawn_with(options, |mut ctx: runtime::Ctx| async move {
///     let name = io::get_line(&mut ctx, "Who? ").await.unwrap().unwrap();
///     io::format(&mut ctx, "Hello, ~ts!~n", (name.trim_end(),)).await.unwrap();
/// });
/// assert_eq!(hears.recv().await.unwrap(), "Who? ");
/// assert_eq!(hears.recv().await.unwrap(), "Hello, joe!\n");
/// # }
/// ```
#[must_use = "nobody leads before `start`"]
pub struct Leader(Output);

impl Leader {
    /// One whose output goes to `sink`. It is called on the executor's threads and must not block.
    pub fn new(sink: impl Fn(&str) + Send + Sync + 'static) -> Leader {
        Leader(Output::new(Arc::new(sink)))
    }

    /// Takes its input from there; without this, who reads is told `eof`.
    pub fn input(self, input: impl Into<Input>) -> Leader {
        self.0.set_input(input.into());
        self
    }

    /// A terminal of this size; without this it has none.
    pub fn geometry(mut self, columns: u32, rows: u32) -> Leader {
        self.0.geometry = Some((columns, rows));
        self
    }

    /// Starts its process, which serves until it is ended.
    ///
    /// # Panics
    /// As [`Node::spawn`].
    pub fn start(self, node: &Node) -> Pid {
        let output = Arc::new(self.0);
        let options = SpawnOptions { label: Some("group leader"), service: true, ..SpawnOptions::default() };
        node.spawn_with(options, move |ctx: Ctx| serve(ctx, output))
    }
}

impl std::fmt::Debug for Leader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Leader").field("geometry", &self.0.geometry).finish_non_exhaustive()
    }
}

/// Serves the I/O protocol, without an end.
pub(crate) async fn serve(mut ctx: Ctx, output: Arc<Output>) {
    let node = ctx.node().clone();
    let mut machine = Machine::new(output.geometry);
    let mut calls = BTreeMap::new();
    let mut input = output.input.lock().await;
    loop {
        let wants = machine.wants_input();
        let effects = tokio::select! {
            biased;
            // Whatever it is, it is taken: what nobody reads would pile up.
            message = ctx.receive::<Term>() => heard(&node, &mut machine, &mut calls, &message),
            said = input.next_if(wants) => match said {
                Said::Text(text) => machine.input(&text, &numbers_of(&node)),
                Said::End(end) => machine.end_of_input(end, &numbers_of(&node)),
            },
        };
        for effect in effects {
            match effect {
                Effect::Write(text) => output.put(&text).await,
                Effect::Reply { to, reply_as, reply } => {
                    ctx.answer(&to, Term::tuple([Term::atom("io_reply"), reply_as, reply]));
                }
                Effect::Apply { token, requester, function, arguments } => {
                    let body = move |ctx: Ctx| apply(ctx, requester, function, arguments);
                    let (_, call) = ctx.spawn_monitor(body);
                    calls.insert(call, token);
                }
            }
        }
    }
}

fn heard(node: &Node, machine: &mut Machine, calls: &mut BTreeMap<Ref, u64>, message: &Term) -> Vec<Effect> {
    match message.as_tuple() {
        Some([word, Term::Pid(from), reply_as, request]) if word.is_atom("io_request") => {
            machine.request(from.clone(), reply_as.clone(), request.clone(), &numbers_of(node))
        }
        Some([word, Term::Ref(call), _, _, reason]) if word.is_atom("DOWN") => match calls.remove(call) {
            Some(token) => machine.applied(token, value_in(reason), &numbers_of(node)),
            None => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// What a call that ended came to.
fn value_in(reason: &Term) -> Option<Term> {
    match reason.as_tuple() {
        Some([word, value]) if word.is_atom(APPLIED) => Some(value.clone()),
        _ => None,
    }
}

const APPLIED: &str = "io_applied";

/// Calls a function for a request: one that is exported here, or one of the node that asks (which has its own module's code).
/// The process ends with what it came to.
async fn apply(
    ctx: Ctx,
    requester: Pid,
    (module, function): (Atom, Atom),
    arguments: Vec<Term>,
) -> Result<(), Exit> {
    let node = ctx.node().clone();
    let arity = u8::try_from(arguments.len()).map_err(|_| Exit::normal())?;
    let value = match node.exported(&module, &function, arity) {
        Some(body) => body(ctx, arguments).await.map_err(|_| Exit::normal())?,
        None if requester.node.name() == node.name() => return Ok(()),
        None => {
            let peer = requester.node.name().clone();
            let called = crate::rpc::call::<Term>(&node, peer, module, function, arguments);
            called.await.map_err(|_| Exit::normal())?
        }
    };
    Err(Exit(Term::tuple([Term::atom(APPLIED), value])))
}
