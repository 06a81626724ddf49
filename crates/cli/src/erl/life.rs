//! The world of a program in Erlang: the process it runs in, on a node.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use shell::raise::Result as Raised;
use shell::world::{Pending, Spawn};
use shell::{Class, Entry, Machine, Raise, Vm, World, run};
use trunkline::io::{self, Device};
use trunkline::term::print::NodeNumbers;
use trunkline::{Atom, Ctx, Exit, FromTerm, NodeId, Pid, Ref, SendOptions, Sent, SpawnAt, Term, To, runtime};

use super::natives;

/// How a node numbers others in what it shows.
pub(crate) struct Numbers(pub(crate) runtime::Node);

impl NodeNumbers for Numbers {
    fn number(&self, node: &NodeId) -> Option<u32> {
        Some(self.0.node_number(node))
    }
}

/// A process of a node as a program sees it.
pub(crate) struct Life {
    pub(crate) ctx: Ctx,
    vm: Arc<Vm>,
    numbers: Numbers,
    /// To whom this process has sent an exit signal last: signals go before questions.
    pub(super) signalled: Option<Pid>,
}

/// How long an exit signal may take to a process that computes.
const SIGNAL_MILLIS_MAX: u64 = 500;

impl Life {
    pub(crate) fn new(ctx: Ctx, vm: Arc<Vm>) -> Life {
        let numbers = Numbers(ctx.node().clone());
        Life { ctx, vm, numbers, signalled: None }
    }

    /// Whether a process lives is answered when it has had the time to hear the exit signal that was sent before.
    async fn let_signal_pass(&mut self, arguments: &[Term]) {
        let Some(pid) =
            self.signalled.take().filter(|pid| matches!(arguments, [Term::Pid(this)] if this == pid))
        else {
            return;
        };
        for _ in 0..SIGNAL_MILLIS_MAX {
            if !self.ctx.node().is_process_alive(&pid) {
                return;
            }
            self.ctx.sleep(Duration::from_millis(1)).await;
        }
    }

    /// Starts a process here.
    fn spawn_here(&mut self, entry: Entry, how: &Spawn) -> Term {
        let vm = self.vm.clone();
        let body = move |ctx: Ctx| live(ctx, vm, entry);
        match (how.link, how.monitor) {
            (false, false) => Term::Pid(self.ctx.spawn(body)),
            (true, false) => Term::Pid(self.ctx.spawn_link(body)),
            (false, true) => {
                let (pid, reference) = self.ctx.spawn_monitor(body);
                Term::tuple([Term::Pid(pid), Term::Ref(reference)])
            }
            (true, true) => {
                let pid = self.ctx.spawn_link(body);
                let reference = self.ctx.monitor(&pid);
                Term::tuple([Term::Pid(pid), Term::Ref(reference)])
            }
        }
    }

    /// Starts a process on another node. That none came of it is heard as an exit or a down message, never as an error.
    async fn spawn_there(&mut self, node: Atom, entry: Entry, how: Spawn) -> Raised<Term> {
        let (module, function, arguments) = match entry {
            Entry::Fun(fun) => (Atom::new("erlang"), Atom::new("apply"), vec![fun, Term::NIL]),
            Entry::Mfa(module, function, arguments) => (module, function, arguments),
        };
        let at = SpawnAt { link: how.link, monitor: how.monitor };
        match self.ctx.spawn_at(node.clone(), module, function, arguments, at).await {
            Ok((pid, reference)) if how.monitor => Ok(Term::tuple([Term::Pid(pid), Term::Ref(reference)])),
            Ok((pid, _)) => Ok(Term::Pid(pid)),
            Err(error) => {
                tracing::warn!("** Can not start erlang:apply on {node} ** {error}");
                // A process that has just ended stands in for the one that never was.
                let gone = how.clone();
                let vm = self.vm.clone();
                let reason = Term::atom("noconnection");
                let body = move |ctx: Ctx| async move {
                    drop((ctx, vm));
                    Err::<(), Exit>(Exit(reason))
                };
                Ok(match (gone.link, gone.monitor) {
                    (_, true) => {
                        let (pid, reference) = self.ctx.spawn_monitor(body);
                        Term::tuple([Term::Pid(pid), Term::Ref(reference)])
                    }
                    (true, false) => Term::Pid(self.ctx.spawn_link(body)),
                    (false, false) => Term::Pid(self.ctx.spawn(body)),
                })
            }
        }
    }
}

/// Runs a program in a process of its own, to its end.
pub(crate) async fn live(ctx: Ctx, vm: Arc<Vm>, entry: Entry) -> Result<(), Exit> {
    value_of(ctx, vm, entry).await.map(drop)
}

/// Runs a program: its value, or the reason with which its process ends.
pub(crate) async fn value_of(ctx: Ctx, vm: Arc<Vm>, entry: Entry) -> Result<Term, Exit> {
    let mut machine = Machine::new(vm.clone(), ctx.pid(), ctx.node().name().clone());
    machine.start(entry);
    let mut life = Life::new(ctx, vm);
    run(&mut machine, &mut life).await.map_err(|mut raise| {
        if raise.trace.is_empty() {
            // An error has a stack behind it, as those who hear of it expect.
            let frame = [Term::atom("erl_eval"), Term::atom("expr"), Term::Int(6), Term::NIL];
            raise.trace.push(Term::tuple(frame));
        }
        Exit(raise.into_exit())
    })
}

/// What an exported function met, as Erlang's code meets it: an error has a stack behind it.
pub(crate) fn raised(exit: Term) -> Box<Raise> {
    let error = match exit.as_tuple() {
        Some([reason, Term::List(stack)]) if !stack.is_nil() && stack.improper_tail().is_none() => {
            let frames: Vec<Term> = stack.iter().collect();
            let frame = |frame: &Term| {
                matches!(frame.as_tuple(), Some([Term::Atom(_), Term::Atom(_), _, Term::List(_)]))
            };
            frames.iter().all(frame).then(|| (reason.clone(), frames))
        }
        _ => None,
    };
    let Some((reason, trace)) = error else { return Raise::new(Class::Exit, exit) };
    let (class, reason) = match reason.as_tuple() {
        Some([tag, value]) if tag.is_atom("nocatch") => (Class::Throw, value.clone()),
        _ => (Class::Error, reason),
    };
    Box::new(Raise { class, reason, trace, traced: false, own: false })
}

/// Whom one can send to.
fn receiver(ctx: &Ctx, to: &Term) -> Raised<To<'static>> {
    Ok(match to {
        Term::Pid(pid) => To::Pid(pid.clone()),
        Term::Ref(alias) => To::Alias(alias.clone()),
        Term::Atom(name) => To::Pid(ctx.whereis(name.clone()).ok_or_else(Raise::badarg)?),
        Term::Tuple(pair) => match pair.as_slice() {
            [Term::Atom(name), Term::Atom(node)] => To::NameAt(name.clone(), node.clone()),
            _ => return Err(Raise::badarg()),
        },
        _ => return Err(Raise::badarg()),
    })
}

impl World for Life {
    fn pid(&self) -> Pid {
        self.ctx.pid()
    }

    fn node(&self) -> Atom {
        self.ctx.node().name().clone()
    }

    fn make_ref(&mut self) -> Ref {
        self.ctx.make_ref()
    }

    fn send(&mut self, to: &Term, message: Term, options: &Term) -> Raised<Term> {
        let to = receiver(&self.ctx, to)?;
        let asked =
            |word: &str| options.as_list().is_some_and(|list| list.iter().any(|option| option.is_atom(word)));
        let options = SendOptions { noconnect: asked("noconnect"), nosuspend: asked("nosuspend") };
        Ok(Term::atom(match self.ctx.send_with(to, message, options) {
            Sent::Ok => "ok",
            Sent::NoConnect => "noconnect",
            Sent::NoSuspend => "nosuspend",
        }))
    }

    fn spawn<'a>(&'a mut self, entry: Entry, how: Spawn) -> Pending<'a, Raised<Term>> {
        match how.node.clone() {
            Some(node) if node != *self.ctx.node().name() => Box::pin(self.spawn_there(node, entry, how)),
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
            let look = |message: &Term| pick(message).then_some(());
            match time {
                Some(time) => self.ctx.select_within(time, look).await.is_some(),
                None => {
                    self.ctx.select(look).await;
                    true
                }
            }
        })
    }

    fn ask(&mut self, module: &Atom, function: &Atom, arguments: &[Term]) -> Option<Raised<Term>> {
        if let ("exit", [Term::Pid(pid), _]) = (function.as_str(), arguments) {
            self.signalled = Some(pid.clone());
        }
        natives::ask(&mut self.ctx, module, function, arguments)
    }

    fn is_exported(&self, module: &Atom, function: &Atom, arity: u8) -> bool {
        self.ctx.node().exported(module, function, arity).is_some()
    }

    fn apply<'a>(
        &'a mut self,
        module: Atom,
        function: Atom,
        arguments: Vec<Term>,
    ) -> Pending<'a, Raised<Term>> {
        Box::pin(async move {
            if function == "is_process_alive" && module == "erlang" {
                self.let_signal_pass(&arguments).await;
            }
            let arity = u8::try_from(arguments.len()).ok();
            let Some(body) = arity.and_then(|arity| self.ctx.node().exported(&module, &function, arity))
            else {
                return Err(Raise::undef(&module, &function, &arguments));
            };
            self.ctx.lend(move |ctx| body(ctx, arguments)).await.map_err(|exit| raised(exit.0))
        })
    }

    fn write<'a>(&'a mut self, device: Option<Term>, text: String) -> Pending<'a, Raised<Term>> {
        Box::pin(async move {
            let device = match &device {
                Some(device) => Device::from_term(device).map_err(|_| Raise::badarg())?,
                None => Device::of(&self.ctx),
            };
            device.put_chars(&mut self.ctx, &text).await.map(|()| Term::atom("ok")).map_err(|error| {
                match error {
                    io::IoError::Terminated => Raise::named("terminated"),
                    _ => Raise::badarg(),
                }
            })
        })
    }

    fn breathe<'a>(&'a mut self) -> Pending<'a, ()> {
        Box::pin(self.ctx.breathe())
    }

    #[expect(clippy::disallowed_methods, reason = "the time of day is no clock of the node's")]
    fn clock(&self) -> (i64, i64) {
        let system = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let nanos = i64::try_from(system.as_nanos()).unwrap_or(i64::MAX);
        (nanos, i64::try_from(self.ctx.node().now().as_nanos()).unwrap_or(i64::MAX))
    }

    fn roll(&mut self) -> u64 {
        self.ctx.node().roll()
    }

    fn numbers(&self) -> &dyn NodeNumbers {
        &self.numbers
    }
}
