//! What a supervisor is told: its rules, and its children.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use runtime::{Ctx, Outcome, SpawnAt};
use term::{Atom, FromTerm, IntoTerm, Map, Mismatch, Pid, Term, term};

use super::Supervisor;
use super::start;
use crate::gen_server::{GenServer, Start};
use crate::limits::SHUTDOWN_MILLIS_DEFAULT;
use crate::place::Name;

/// Who is restarted when a child ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// That child.
    OneForOne,
    /// All children.
    OneForAll,
    /// That child, and those that were started after it.
    RestForOne,
    /// That child; all children are made after one pattern.
    SimpleOneForOne,
}

/// When a child is restarted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restart {
    /// Always.
    Permanent,
    /// When it ends with another reason than `normal`, `shutdown` and `{shutdown, _}`.
    Transient,
    /// Never; when it ends it is forgotten.
    Temporary,
}

/// How a child is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shutdown {
    /// With `kill`.
    BrutalKill,
    /// With `shutdown`, and with `kill` when it has not ended after this time.
    Within(Duration),
    /// With `shutdown`, and it may take as long as it takes: for supervisors.
    Infinity,
}

/// Whether a supervisor ends when its significant children have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AutoShutdown {
    /// No.
    Never,
    /// When one of them has ended by itself.
    AnySignificant,
    /// When the last of them has.
    AllSignificant,
}

/// What a child is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A worker.
    Worker,
    /// A supervisor.
    Supervisor,
}

macro_rules! words {
    ($($type:ident { $($variant:ident = $word:literal),* })*) => {$(
        impl $type {
            pub(crate) fn word(self) -> &'static str {
                match self { $($type::$variant => $word),* }
            }
        }

        impl FromTerm for $type {
            fn from_term(term: &Term) -> Result<$type, Mismatch> {
                match term.as_atom().map(Atom::as_str) {
                    $(Some($word) => Ok($type::$variant),)*
                    _ => Err(Mismatch { expected: concat!($($word, " "),*) }),
                }
            }
        }

        impl IntoTerm for $type {
            fn into_term(self) -> Term {
                Term::atom(self.word())
            }
        }
    )*};
}

words! {
    Restart { Permanent = "permanent", Transient = "transient", Temporary = "temporary" }
    Kind { Worker = "worker", Supervisor = "supervisor" }
}

impl IntoTerm for Shutdown {
    fn into_term(self) -> Term {
        match self {
            Shutdown::BrutalKill => Term::atom("brutal_kill"),
            Shutdown::Within(time) => u64::try_from(time.as_millis()).unwrap_or(u64::MAX).into_term(),
            Shutdown::Infinity => Term::atom("infinity"),
        }
    }
}

impl FromTerm for Shutdown {
    fn from_term(term: &Term) -> Result<Shutdown, Mismatch> {
        match term {
            Term::Int(millis) if *millis >= 0 => {
                Ok(Shutdown::Within(Duration::from_millis(millis.unsigned_abs())))
            }
            Term::Atom(word) if *word == "infinity" => Ok(Shutdown::Infinity),
            Term::Atom(word) if *word == "brutal_kill" => Ok(Shutdown::BrutalKill),
            _ => Err(Mismatch { expected: "milliseconds, infinity or brutal_kill" }),
        }
    }
}

/// What starting a child gives: its pid, or nothing when it has nothing to do (`ignore`), or why it did not start.
pub type Starting<'c> = Pin<Box<dyn Future<Output = Result<Option<Pid>, Term>> + Send + 'c>>;

type StartFn = Arc<dyn for<'c> Fn(&'c mut Ctx) -> Starting<'c> + Send + Sync>;

/// One child: OTP's child specification.
#[derive(Clone)]
pub struct Child {
    pub(crate) id: Term,
    pub(crate) start: StartFn,
    pub(crate) restart: Restart,
    pub(crate) significant: bool,
    pub(crate) shutdown: Shutdown,
    pub(crate) kind: Kind,
    pub(crate) modules: Term,
    /// How reports name the start function.
    pub(crate) mfargs: Term,
}

impl Child {
    /// A child that this function starts. What it starts must be linked to the process it is given, the supervisor.
    ///
    /// ```
    /// # use trunkline_otp as otp;
    /// use otp::supervisor::Child;
    ///
    /// let child = Child::new("logger", |ctx| {
    ///     Box::pin(async move {
    ///         let pid = ctx.spawn_link(|mut ctx| async move { drop(ctx.receive::<term::Term>().await) });
    ///         Ok(Some(pid))
    ///     })
    /// });
    /// ```
    pub fn new(
        id: impl Into<ChildId>,
        start: impl for<'c> Fn(&'c mut Ctx) -> Starting<'c> + Send + Sync + 'static,
    ) -> Child {
        let id = id.into().0;
        let module = id.as_atom().cloned().unwrap_or(Atom::inline("child"));
        Child {
            id,
            start: Arc::new(start),
            restart: Restart::Permanent,
            significant: false,
            shutdown: Shutdown::Within(Duration::from_millis(SHUTDOWN_MILLIS_DEFAULT)),
            kind: Kind::Worker,
            modules: Term::list([Term::Atom(module.clone())]),
            mfargs: term!({(module), start_link, []}),
        }
    }

    /// A generic server. Its arguments are cloned for every start.
    pub fn server<S: GenServer>(id: impl Into<ChildId>, args: S::Args) -> Child
    where
        S::Args: Clone + Sync,
    {
        Child::server_as::<S>(id, None, args)
    }

    /// A generic server with a name.
    pub fn named_server<S: GenServer>(id: impl Into<ChildId>, name: impl Into<Name>, args: S::Args) -> Child
    where
        S::Args: Clone + Sync,
    {
        Child::server_as::<S>(id, Some(name.into()), args)
    }

    fn server_as<S: GenServer>(id: impl Into<ChildId>, name: Option<Name>, args: S::Args) -> Child
    where
        S::Args: Clone + Sync,
    {
        let start = starter(move |ctx| {
            let start = Start::<S>::new(args.clone());
            let start = match &name {
                Some(name) => start.named(name.clone()),
                None => start,
            };
            started(ctx, start)
        });
        fn started<'c, S: GenServer>(ctx: &'c mut Ctx, start: Start<S>) -> Starting<'c> {
            Box::pin(async {
                start::outcome(start.start_link(ctx).await.map(|server| server.pid().cloned()))
            })
        }
        let module = S::module();
        let mut child = Child::new(id, start);
        child.modules = Term::list([Term::Atom(module.clone())]);
        child.mfargs = term!({(module), start_link, []});
        child
    }

    /// A process that runs this function.
    pub fn task<F, Fut>(id: impl Into<ChildId>, body: F) -> Child
    where
        F: Fn(Ctx) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future + Send + 'static,
        Fut::Output: Outcome,
    {
        Child::new(id, move |ctx| {
            let pid = ctx.spawn_link(body.clone());
            Box::pin(async { Ok(Some(pid)) })
        })
    }

    /// Another supervisor.
    pub fn supervisor(id: impl Into<ChildId>, supervisor: Supervisor) -> Child {
        let start = starter(move |ctx| {
            fn started(ctx: &mut Ctx, supervisor: Supervisor) -> Starting<'_> {
                Box::pin(async {
                    start::outcome(supervisor.start_link(ctx).await.map(|started| started.pid().cloned()))
                })
            }
            started(ctx, supervisor.clone())
        });
        let child = Child::new(id, start);
        Child { kind: Kind::Supervisor, shutdown: Shutdown::Infinity, ..child }
    }

    /// A process on another node: `Module:Function(Arguments…)` is called there, by a process of its own, and must return
    /// `{ok, Pid}` of a process that it did *not* link to itself (`gen_server:start`, not `start_link`): the supervisor links.
    pub fn at(
        id: impl Into<ChildId>,
        node: impl Into<Atom>,
        module: impl Into<Atom>,
        function: impl Into<Atom>,
        args: Vec<Term>,
    ) -> Child {
        let (node, module, function) = (node.into(), module.into(), function.into());
        let mfargs = term!({(module.clone()), (function.clone()), (args.clone())});
        let modules = Term::list([Term::Atom(module.clone())]);
        let start = starter(move |ctx| {
            let call = (module.clone(), function.clone(), args.clone());
            start::call_at(ctx, node.clone(), call)
        });
        Child { mfargs, modules, ..Child::new(id, start) }
    }

    /// A behaviour of an OTP node, started as OTP's `start_link` starts it, with this supervisor as its parent: `behaviour` is
    /// `gen_server` or `gen_statem`, `module` the callback module.
    pub fn otp(
        id: impl Into<ChildId>,
        node: impl Into<Atom>,
        behaviour: impl Into<Atom>,
        module: impl Into<Atom>,
        args: impl IntoTerm,
    ) -> Child {
        let (node, behaviour, module, args) =
            (node.into(), behaviour.into(), module.into(), args.into_term());
        let mfargs = term!({(behaviour.clone()), start_link, [(module.clone()), (args.clone()), []]});
        let modules = Term::list([Term::Atom(module.clone())]);
        let start = starter(move |ctx| {
            let what = (behaviour.clone(), module.clone(), args.clone());
            start::link_at(ctx, node.clone(), what, SpawnAt { link: true, monitor: true })
        });
        Child { mfargs, modules, ..Child::new(id, start) }
    }

    /// When it is restarted; [`Restart::Permanent`] when nothing is said.
    #[must_use]
    pub fn restart(mut self, restart: Restart) -> Child {
        self.restart = restart;
        self
    }

    /// How it is ended; five seconds for a worker when nothing is said.
    #[must_use]
    pub fn shutdown(mut self, shutdown: Shutdown) -> Child {
        self.shutdown = shutdown;
        self
    }

    /// Its end matters for [`Supervisor::auto_shutdown`]. Not for permanent children.
    #[must_use]
    pub fn significant(mut self) -> Child {
        self.significant = true;
        self
    }

    /// Worker or supervisor, as `which_children` says it.
    #[must_use]
    pub fn kind(mut self, kind: Kind) -> Child {
        self.kind = kind;
        self
    }

    /// The specification as OTP writes it.
    pub(crate) fn to_spec(&self) -> Term {
        term!(#{
            id => (self.id.clone()),
            start => (self.mfargs.clone()),
            restart => (self.restart),
            significant => (self.significant),
            shutdown => (self.shutdown),
            type => (self.kind),
            modules => (self.modules.clone())
        })
    }

    /// A child as an Erlang program describes it; its start function is looked up among the exported ones at each start.
    ///
    /// # Errors
    /// OTP's reason.
    pub(crate) fn from_spec(spec: &Term) -> Result<Child, Term> {
        let map = match (spec, spec.as_tuple()) {
            (Term::Map(map), _) => map.clone(),
            (_, Some([id, start, restart, shutdown, kind, modules])) => {
                let keys = ["id", "start", "restart", "shutdown", "type", "modules"];
                let values = [id, start, restart, shutdown, kind, modules];
                keys.into_iter().zip(values).map(|(key, value)| (Term::atom(key), value.clone())).collect()
            }
            _ => return Err(term!({invalid_child_spec, (spec.clone())})),
        };
        let get = |key: &str| map.get(&Term::atom(key));
        let id = get("id").ok_or(Term::atom("missing_id"))?;
        let mfargs = get("start").ok_or(Term::atom("missing_start"))?;
        let mut child = Child::from_mfargs(id.clone(), mfargs)?;
        child.restart = read_or(&map, "restart", child.restart, "invalid_restart_type")?;
        child.significant = read_or(&map, "significant", false, "invalid_significant")?;
        child.kind = read_or(&map, "type", Kind::Worker, "invalid_child_type")?;
        let usual = match child.kind {
            Kind::Worker => child.shutdown,
            Kind::Supervisor => Shutdown::Infinity,
        };
        child.shutdown = read_or(&map, "shutdown", usual, "invalid_shutdown")?;
        if let Some(modules) = get("modules") {
            let listed = Vec::<Atom>::from_term(modules).is_ok();
            if !listed && !modules.is_atom("dynamic") {
                return Err(term!({invalid_modules, (modules.clone())}));
            }
            child.modules = modules.clone();
        }
        Ok(child)
    }

    /// A child that an exported function of this node starts.
    pub(crate) fn from_mfargs(id: Term, mfargs: &Term) -> Result<Child, Term> {
        let invalid = || term!({invalid_mfa, (mfargs.clone())});
        let Some([Term::Atom(module), Term::Atom(function), args]) = mfargs.as_tuple() else {
            return Err(invalid());
        };
        let list = Vec::<Term>::from_term(args).map_err(|_| invalid())?;
        let call = (module.clone(), function.clone(), list);
        let start = starter(move |ctx| start::call_here(ctx, call.clone()));
        let modules = Term::list([Term::Atom(module.clone())]);
        Ok(Child { id, mfargs: mfargs.clone(), modules, ..Child::new("child", start) })
    }
}

/// Tells the compiler that a closure starts children for a process of any lifetime.
fn starter<F: for<'c> Fn(&'c mut Ctx) -> Starting<'c>>(start: F) -> F {
    start
}

fn read_or<T: FromTerm>(map: &Map, key: &str, usual: T, wrong: &str) -> Result<T, Term> {
    match map.get(&Term::atom(key)) {
        None => Ok(usual),
        Some(value) => T::from_term(value).map_err(|_| Term::tuple([Term::atom(wrong), value.clone()])),
    }
}

impl std::fmt::Debug for Child {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Child({:?})", self.to_spec())
    }
}

/// What a child is called among its siblings: an atom from a `&str`, or any term.
#[derive(Clone, Debug, PartialEq)]
pub struct ChildId(pub(crate) Term);

impl From<&str> for ChildId {
    fn from(id: &str) -> ChildId {
        ChildId(Term::atom(id))
    }
}

impl From<Atom> for ChildId {
    fn from(id: Atom) -> ChildId {
        ChildId(Term::Atom(id))
    }
}

impl From<Term> for ChildId {
    fn from(id: Term) -> ChildId {
        ChildId(id)
    }
}

impl From<i64> for ChildId {
    fn from(id: i64) -> ChildId {
        ChildId(Term::Int(id))
    }
}

impl From<&Pid> for ChildId {
    fn from(pid: &Pid) -> ChildId {
        ChildId(Term::Pid(pid.clone()))
    }
}
