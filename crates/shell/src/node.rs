//! The world of a process on a node: what a program does, its [`Ctx`] does.

mod ask;

use std::sync::Arc;
use std::time::Duration;

use trunkline::runtime::Node;
use trunkline::term::NodeId;
use trunkline::term::print::NodeNumbers;
use trunkline::{Atom, Ctx, Exit, Pid, Ref, SendOptions, SpawnAt, Term, To};

use crate::machine::{Entry, Machine, run};
use crate::raise::{Class, Raise, Result};
use crate::vm::Vm;
use crate::world::{Pending, Spawn, World};

/// A process of a node that runs Erlang.
pub struct NodeWorld {
    pub(crate) ctx: Ctx,
    pub(crate) vm: Arc<Vm>,
    numbers: Numbers,
    /// Whom it has sent exit signals: before asking whether they live, the signals must have reached them.
    exits: Vec<Pid>,
}

struct Numbers(Node);

impl NodeNumbers for Numbers {
    fn number(&self, node: &NodeId) -> Option<u32> {
        Some(self.0.node_number(node))
    }
}

impl NodeWorld {
    /// The world of this process.
    pub fn new(ctx: Ctx, vm: Arc<Vm>) -> NodeWorld {
        let numbers = Numbers(ctx.node().clone());
        NodeWorld { ctx, vm, numbers, exits: Vec::new() }
    }

    /// The process.
    pub fn ctx(&mut self) -> &mut Ctx {
        &mut self.ctx
    }
}

/// Runs Erlang as a process: what it comes to is the reason with which the process ends.
pub async fn process(ctx: Ctx, vm: Arc<Vm>, entry: Entry) -> Exit {
    let mut machine = Machine::new(vm.clone(), ctx.pid(), ctx.node().name().clone());
    let mut world = NodeWorld::new(ctx, vm);
    machine.start(entry);
    match run(&mut machine, &mut world).await {
        Ok(_) => Exit::normal(),
        Err(raise) => {
            if raise.class != Class::Exit {
                let shown = world.ctx.node().show_pid(world.ctx.pid_ref());
                let reason = raise.clone().into_exit();
                let text = format!("Error in process {shown} with exit value:\n{reason:#}\n");
                // Told by another process: those who wait for the end of this one wait for no device.
                let vm = world.vm.clone();
                world.ctx.node().spawn(move |ctx: Ctx| async move {
                    let _ = NodeWorld::new(ctx, vm).write(Some(Term::atom("user")), text).await;
                });
            }
            Exit(raise.into_exit())
        }
    }
}

/// How often is looked whether a process has heeded a signal.
const BREATHS_MAX: usize = 20;

/// Lets this node run funs that come from shells, and modules of `vm`, as `erlang:apply/2` and `apply/3` ask for them.
pub fn export_funs(node: &Node, vm: &Arc<Vm>) {
    let shared = vm.clone();
    let body: trunkline::ExportedFn = Arc::new(move |ctx, mut arguments| {
        let vm = shared.clone();
        Box::pin(async move {
            let given = arguments.pop().unwrap_or(Term::NIL);
            let fun = arguments.pop().unwrap_or(Term::NIL);
            let mut machine = Machine::new(vm.clone(), ctx.pid(), ctx.node().name().clone());
            let mut world = NodeWorld::new(ctx, vm);
            machine.start(Entry::Mfa(Atom::new("erlang"), Atom::new("apply"), vec![fun, given]));
            run(&mut machine, &mut world).await.map_err(|raise| Exit(raise.into_exit()))
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
        if let Term::Atom(name) = to
            && self.ctx.whereis(name.clone()).is_none()
        {
            return Err(Raise::badarg());
        }
        let has = |word: &str| options.as_list().is_some_and(|list| list.iter().any(|o| o.is_atom(word)));
        let how = SendOptions { noconnect: has("noconnect"), nosuspend: has("nosuspend") };
        let sent = self.ctx.send_with(destination(to)?, message, how);
        Ok(match sent {
            trunkline::Sent::Ok => Term::atom("ok"),
            trunkline::Sent::NoConnect => Term::atom("noconnect"),
            trunkline::Sent::NoSuspend => Term::atom("nosuspend"),
        })
    }

    fn spawn<'a>(&'a mut self, entry: Entry, how: Spawn) -> Pending<'a, Result<Term>> {
        Box::pin(self.start(entry, how))
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
        if *module != *"erlang" {
            return None;
        }
        self.erlang(function.as_str(), arguments)
    }

    fn is_exported(&self, module: &Atom, function: &Atom, arity: u8) -> bool {
        let alive = arity == 1 && *function == *"is_process_alive" && *module == *"erlang";
        alive || self.ctx.node().exported(module, function, arity).is_some()
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
        Box::pin(self.put_chars(device, text))
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

impl NodeWorld {
    async fn start(&mut self, entry: Entry, how: Spawn) -> Result<Term> {
        let here = self.ctx.node().name().clone();
        if let Some(node) = how.node.filter(|node| *node != here) {
            let at = SpawnAt { link: how.link, monitor: how.monitor };
            let (module, function, arguments) = match entry {
                Entry::Mfa(module, function, arguments) => (module, function, arguments),
                Entry::Fun(fun) => (Atom::new("erlang"), Atom::new("apply"), vec![fun, Term::NIL]),
            };
            let started = self.ctx.spawn_at(node, module, function, arguments, at).await;
            return match started {
                Ok((pid, reference)) if how.monitor => Ok(Term::tuple([pid.into(), reference.into()])),
                Ok((pid, _)) => Ok(Term::Pid(pid)),
                Err(error) => Err(Raise::error(Term::atom(&error.to_string()))),
            };
        }
        let vm = self.vm.clone();
        let body = move |ctx: Ctx| process(ctx, vm, entry);
        if how.monitor {
            let (pid, reference) = self.ctx.spawn_monitor(body);
            if how.link {
                self.ctx.link(&pid);
            }
            return Ok(Term::tuple([pid.into(), reference.into()]));
        }
        Ok(Term::Pid(if how.link { self.ctx.spawn_link(body) } else { self.ctx.spawn(body) }))
    }

    /// Whether a process lives after all exit signals that this one has sent it were heeded: it has had its turn since.
    async fn is_alive(&mut self, pid: &Pid) -> bool {
        let node = self.ctx.node().clone();
        let turns = |node: &Node| node.process_info(pid).map(|info| info.turns);
        let Some(before) = turns(&node) else { return false };
        self.exits.retain(|other| other != pid);
        for _ in 0..BREATHS_MAX {
            match turns(&node) {
                None => return false,
                Some(now) if now > before + 1 => break,
                Some(_) => self.ctx.sleep(Duration::from_millis(1)).await,
            }
        }
        node.is_process_alive(pid)
    }

    /// Calls an exported function in a process of its own; how that ends is the answer.
    async fn call(&mut self, module: Atom, function: Atom, arguments: Vec<Term>) -> Result<Term> {
        if let ("erlang", "is_process_alive", [Term::Pid(pid)]) =
            (module.as_str(), function.as_str(), arguments.as_slice())
        {
            let alive = self.is_alive(&pid.clone()).await;
            return Ok(Term::atom(if alive { "true" } else { "false" }));
        }
        let arity = arguments.len().min(255) as u8;
        let Some(body) = self.ctx.node().exported(&module, &function, arity) else {
            return Err(Raise::undef(&module, &function, &arguments));
        };
        let mark = self.ctx.mark();
        let (_, reference) = self.ctx.spawn_monitor(move |ctx: Ctx| async move {
            match body(ctx, arguments).await {
                Ok(value) => Exit(Term::tuple([Term::atom("-value-"), value])),
                Err(exit) => exit,
            }
        });
        let reason = self
            .ctx
            .select_from(mark, |message| match message.as_tuple() {
                Some([tag, Term::Ref(this), _, _, reason]) if tag.is_atom("DOWN") && *this == reference => {
                    Some(reason.clone())
                }
                _ => None,
            })
            .await;
        match reason.as_tuple() {
            Some([tag, value]) if tag.is_atom("-value-") => Ok(value.clone()),
            Some([why, trace @ Term::List(_)]) => {
                let trace = trace.as_list().map(|list| list.iter().collect()).unwrap_or_default();
                let own = false;
                Err(Box::new(Raise { class: Class::Error, reason: why.clone(), trace, traced: false, own }))
            }
            _ => Err(Raise::new(Class::Exit, reason)),
        }
    }

    /// `io:put_chars/2`: asks the device, which is a process, and waits for its answer.
    async fn put_chars(&mut self, device: Option<Term>, text_out: String) -> Result<Term> {
        let leader = Term::Pid(self.ctx.group_leader());
        let device = match device {
            Some(name) if name.is_atom("standard_io") => leader,
            Some(name) if name.is_atom("standard_error") => Term::atom("user"),
            Some(device) => device,
            None => leader,
        };
        let device = match &device {
            Term::Atom(name) => match self.ctx.whereis(name.clone()) {
                Some(pid) => Term::Pid(pid),
                None => return Err(Raise::named("terminated")),
            },
            other => other.clone(),
        };
        if device == Term::Pid(self.ctx.pid()) {
            return Err(Raise::new(Class::Exit, Term::atom("calling_self")));
        }
        let mark = self.ctx.mark();
        let reference = self.ctx.monitor(destination(&device)?);
        let request = Term::tuple([Term::atom("put_chars"), Term::atom("unicode"), Term::binary(&text_out)]);
        let me = Term::Pid(self.ctx.pid());
        let question = Term::tuple([Term::atom("io_request"), me, Term::Ref(reference.clone()), request]);
        self.ctx.send(destination(&device)?, question);
        let answer = self
            .ctx
            .select_from(mark, |message| match message.as_tuple() {
                Some([tag, Term::Ref(this), reply]) if tag.is_atom("io_reply") && *this == reference => {
                    Some(Some(reply.clone()))
                }
                Some([tag, Term::Ref(this), ..]) if tag.is_atom("DOWN") && *this == reference => Some(None),
                _ => None,
            })
            .await;
        self.ctx.demonitor(&reference, true);
        match answer {
            Some(reply) if reply.is_atom("ok") => Ok(reply),
            _ => Err(Raise::named("terminated")),
        }
    }
}

impl std::fmt::Debug for NodeWorld {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NodeWorld({:?})", self.ctx)
    }
}
