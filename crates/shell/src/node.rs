//! The world of a process on a node: what a program does, its [`Ctx`] does.

mod ask;
mod foreign;
mod natives;
mod start;

pub use ask::ASKED;

use std::sync::Arc;
use std::time::Duration;

pub use start::{live, raised, value_of};
use trunkline::io::{self, Device};
use trunkline::otp::proc_lib::{self, Remembered};
use trunkline::runtime::Node;
use trunkline::term::NodeId;
use trunkline::term::print::NodeNumbers;
use trunkline::{Atom, Ctx, Exit, FromTerm, Pid, Ref, SendOptions, Sent, Status, Term, To};

use crate::limits::PROCESSES_MAX;
use crate::machine::Entry;
use crate::raise::{Raise, Result};
use crate::vm::Vm;
use crate::world::{Pending, Spawn, World};

/// A process of a node that runs Erlang. The functions it calls run in this very process.
pub struct NodeWorld {
    pub(crate) ctx: Ctx,
    pub(crate) vm: Arc<Vm>,
    numbers: Numbers,
    /// To whom this process has sent an exit signal last: signals go before questions.
    signalled: Option<Pid>,
    /// What others may know of how it began.
    family: Option<Remembered>,
}

/// How a node numbers others in what it shows.
pub struct Numbers(pub Node);

impl NodeNumbers for Numbers {
    fn number(&self, node: &NodeId) -> Option<u32> {
        Some(self.0.node_number(node))
    }
}

impl std::fmt::Debug for Numbers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Numbers({})", self.0.name())
    }
}

/// How long an exit signal may take to a process that computes.
const SIGNAL_MILLIS_MAX: u64 = 500;
/// How long one that waits may take to heed it.
const HEED_MILLIS_MAX: u64 = 20;

impl NodeWorld {
    /// The world of this process.
    pub fn new(ctx: Ctx, vm: Arc<Vm>) -> NodeWorld {
        let numbers = Numbers(ctx.node().clone());
        foreign::watch(ctx.node());
        NodeWorld { ctx, vm, numbers, signalled: None, family: None }
    }

    /// The process.
    pub fn ctx(&mut self) -> &mut Ctx {
        &mut self.ctx
    }

    /// Whether a process lives, asked when it has had its turn since the exit signal that was sent before.
    async fn is_alive(&mut self, pid: &Pid) -> bool {
        let node = self.ctx.node().clone();
        let Some(before) = node.process_info(pid).map(|info| info.turns) else { return false };
        for waited in 0..SIGNAL_MILLIS_MAX {
            let Some(info) = node.process_info(pid) else { return false };
            if info.turns > before + 1 || waited > HEED_MILLIS_MAX && info.status == Status::Waiting {
                break;
            }
            self.ctx.sleep(Duration::from_millis(1)).await;
        }
        node.is_process_alive(pid)
    }

    async fn call(&mut self, module: Atom, function: Atom, arguments: Vec<Term>) -> Result<Term> {
        if let ("erlang", "is_process_alive", [Term::Pid(pid)]) =
            (module.as_str(), function.as_str(), arguments.as_slice())
            && let Some(pid) = self.signalled.take_if(|signalled| signalled == pid)
        {
            let alive = self.is_alive(&pid).await;
            return Ok(Term::atom(if alive { "true" } else { "false" }));
        }
        let arguments = match foreign::addressee(self.ctx.node(), &module, arguments.first()) {
            Some(peer) => foreign::arguments_for(self.ctx.node(), &peer, arguments).await,
            None => arguments,
        };
        let arity = u8::try_from(arguments.len()).ok();
        if let Some(body) = arity.and_then(|arity| self.ctx.node().exported(&module, &function, arity)) {
            return self
                .ctx
                .lend(move |ctx| body(ctx, arguments))
                .await
                .map_err(|exit| raised(exit.sorted().0.0));
        }
        Err(Raise::undef(&module, &function, &arguments))
    }
}

/// Lets this node run funs that come from shells, and modules of `vm`, as `erlang:apply/2` asks for them.
pub fn export_funs(node: &Node, vm: &Arc<Vm>) {
    let vm = vm.clone();
    let body: trunkline::ExportedFn = Arc::new(move |ctx, arguments| {
        let vm = vm.clone();
        Box::pin(async move {
            let [fun, list] = <[Term; 2]>::try_from(arguments).map_err(|_| Exit::from("badarg"))?;
            let entry = Entry::Mfa(Atom::new("erlang"), Atom::new("apply"), vec![fun, list]);
            value_of(ctx, vm, entry).await
        })
    });
    node.export("erlang", "apply", Some(2), body);
}

/// Where a term says that a message goes.
pub(crate) fn destination(to: &Term) -> Result<To<'_>> {
    match to {
        Term::Pid(pid) => Ok(To::PidRef(pid)),
        Term::Ref(alias) => Ok(To::AliasRef(alias)),
        Term::Atom(name) => Ok(To::Name(name.clone())),
        Term::Tuple(pair) => match &**pair {
            [Term::Atom(name), Term::Atom(node)] => Ok(To::NameAt(name.clone(), node.clone())),
            _ => Err(Raise::badarg()),
        },
        _ => Err(Raise::badarg()),
    }
}

impl World for NodeWorld {
    fn pid(&self) -> Pid {
        self.ctx.pid()
    }

    fn node(&self) -> Atom {
        self.ctx.node().name().clone()
    }

    fn make_ref(&mut self) -> Ref {
        self.ctx.make_ref()
    }

    fn send(&mut self, to: &Term, message: Term, options: &Term) -> Result<Term> {
        let to = match to {
            Term::Atom(name) => To::Pid(self.ctx.whereis(name.clone()).ok_or_else(Raise::badarg)?),
            other => destination(other)?,
        };
        let has = |word: &str| options.as_list().is_some_and(|list| list.iter().any(|o| o.is_atom(word)));
        let how = SendOptions { noconnect: has("noconnect"), nosuspend: has("nosuspend") };
        let message = foreign::message_to(self.ctx.node(), &to, message);
        Ok(Term::atom(match self.ctx.send_with(to, message, how) {
            Sent::Ok => "ok",
            Sent::NoConnect => "noconnect",
            Sent::NoSuspend => "nosuspend",
        }))
    }

    fn spawn<'a>(&'a mut self, entry: Entry, how: Spawn) -> Pending<'a, Result<Term>> {
        match how.node.clone() {
            Some(node) if node != *self.ctx.node().name() => Box::pin(self.spawn_there(node, entry, how)),
            _ if self.ctx.node().process_count() >= PROCESSES_MAX => {
                Box::pin(std::future::ready(Err(Raise::named("system_limit"))))
            }
            _ => {
                let started = self.spawn_here(entry, &how);
                Box::pin(std::future::ready(Ok(started)))
            }
        }
    }

    fn receive<'a>(
        &'a mut self,
        pick: &'a mut (dyn FnMut(&Term) -> bool + Send),
        time: Option<Duration>,
    ) -> Pending<'a, bool> {
        Box::pin(async move {
            let pick = |message: &Term| pick(message).then_some(());
            match time {
                Some(time) => self.ctx.select_within(time, pick).await.is_some(),
                None => {
                    self.ctx.select(pick).await;
                    true
                }
            }
        })
    }

    fn ask(&mut self, module: &Atom, function: &Atom, arguments: &[Term]) -> Option<Result<Term>> {
        if *module == *"proc_lib" && *function == *"$remember" {
            let [initial, ancestors] = arguments else { return Some(Err(Raise::badarg())) };
            self.family = Some(proc_lib::remember(&self.ctx, initial.clone(), ancestors.clone()));
            return Some(Ok(Term::atom("ok")));
        }
        if *module == *"logger" {
            return natives::ask(&mut self.ctx, module, function, arguments);
        }
        if *module != *"erlang" {
            return None;
        }
        let arity = u8::try_from(arguments.len()).ok()?;
        let answer = natives::ask(&mut self.ctx, module, function, arguments)
            .or_else(|| self.quick(function.as_str(), arguments));
        match answer {
            None if self.ctx.node().exported_by_name(module, function, arity).is_none() => {
                self.erlang(function.as_str(), arguments)
            }
            answer => answer,
        }
    }

    fn is_exported(&self, module: &Atom, function: &Atom, arity: u8) -> bool {
        let alive = arity == 1 && *function == *"is_process_alive" && *module == *"erlang";
        alive || self.ctx.node().exported_by_name(module, function, arity).is_some()
    }

    fn apply<'a>(
        &'a mut self,
        module: Atom,
        function: Atom,
        arguments: Vec<Term>,
    ) -> Pending<'a, Result<Term>> {
        Box::pin(self.call(module, function, arguments))
    }

    fn write<'a>(&'a mut self, device: Option<Term>, text: String) -> Pending<'a, Result<Term>> {
        Box::pin(async move {
            let device = match &device {
                Some(device) => Device::from_term(device).map_err(|_| Raise::badarg())?,
                None => Device::of(&self.ctx),
            };
            let written = device.put_chars(&mut self.ctx, &text).await;
            written.map(|()| Term::atom("ok")).map_err(|error| match error {
                io::IoError::Terminated => Raise::named("terminated"),
                _ => Raise::badarg(),
            })
        })
    }

    fn is_alive(&self, pid: &Pid) -> bool {
        pid.node != *self.ctx.node().id() || self.ctx.node().is_process_alive(pid)
    }

    fn breathe<'a>(&'a mut self) -> Pending<'a, ()> {
        Box::pin(self.ctx.breathe())
    }

    fn clock(&self) -> (i64, i64) {
        ask::clock(self.ctx.node().now())
    }

    fn roll(&mut self) -> u64 {
        self.ctx.node().roll()
    }

    fn numbers(&self) -> &dyn NodeNumbers {
        &self.numbers
    }
}

impl std::fmt::Debug for NodeWorld {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NodeWorld({:?})", self.ctx)
    }
}
