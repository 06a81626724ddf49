//! How processes of behaviours start and end: the starter waits until the new process says that it is ready, or why not.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use runtime::{Ctx, Down, Exit, Node, SpawnOptions};
use term::{Atom, FromTerm, Pid, Ref, Term, term};
use tokio::sync::oneshot;

use crate::ask::Asker;
use crate::caught::caught;
use crate::place::{Name, ServerRef};
use crate::report::{self, Level, show};
use crate::request::CallError;

/// Why a process did not start.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum StartError {
    /// The name is taken, by this process.
    #[error("already_started: the name belongs to {0}")]
    AlreadyStarted(Pid),
    /// It said so, or crashed.
    #[error("it did not start: {0:?}")]
    Failed(Term),
    /// It has nothing to do: `init` ended with [`ignore`].
    #[error("ignore: it has nothing to do")]
    Ignored,
    /// It was not ready in time, and was ended.
    #[error("timeout: it was not ready in time")]
    Timeout,
}

impl StartError {
    /// The `Reason` of OTP's `{error, Reason}`; `ignore` for [`StartError::Ignored`].
    pub fn reason(&self) -> Term {
        match self {
            StartError::AlreadyStarted(pid) => term!({already_started, (pid.clone())}),
            StartError::Failed(reason) => reason.clone(),
            StartError::Ignored => Term::atom("ignore"),
            StartError::Timeout => Term::atom("timeout"),
        }
    }
}

/// `?` in an `init` that starts others.
impl From<StartError> for Exit {
    fn from(error: StartError) -> Exit {
        Exit(error.reason())
    }
}

/// What `init` ends with when there is nothing to do: the starter gets [`StartError::Ignored`], and nothing is logged.
pub fn ignore() -> Exit {
    Exit::from("ignore")
}

/// How to start a process: its name, and how long it may take.
#[derive(Clone, Debug, Default)]
pub struct Birth {
    /// The name it registers before it does anything else.
    pub name: Option<Name>,
    /// How long it may take until it is ready; for ever when nothing is said.
    pub within: Option<Duration>,
    /// Mailbox and label.
    pub options: SpawnOptions,
    /// The module in its `$initial_call`.
    pub module: Option<Atom>,
}

/// Starts a process that nobody is linked to, and waits until it is [`Cradle::ready`].
///
/// # Errors
/// When it does not get ready.
///
/// # Cancel-safety
/// The process goes on when the future is dropped.
pub async fn start<F, Fut>(starter: impl Asker, birth: Birth, body: F) -> Result<Pid, StartError>
where
    F: FnOnce(Ctx, Cradle) -> Fut + Send + 'static,
    Fut: Future<Output = Exit> + Send + 'static,
{
    let (node, process) = (starter.its_node(), starter.its_pid());
    let mut options = birth.options.clone();
    if options.leader.is_none()
        && let Some(info) = process.as_ref().and_then(|starter| node.process_info(starter))
    {
        options.leader = info.group_leader;
    }
    let (cradle, ready) = Cradle::new(&birth, process, false);
    let pid = node.spawn_with(options, move |ctx| body(ctx, cradle));
    settle(ready, pid).await
}

/// Starts a process that is linked to this one: its parent. When it does not get ready it takes the link away first, so that
/// the error is all the parent hears.
///
/// # Errors
/// When it does not get ready.
///
/// # Cancel-safety
/// The process, and the link, go on when the future is dropped.
pub async fn start_link<F, Fut>(ctx: &mut Ctx, birth: Birth, body: F) -> Result<Pid, StartError>
where
    F: FnOnce(Ctx, Cradle) -> Fut + Send + 'static,
    Fut: Future<Output = Exit> + Send + 'static,
{
    let (cradle, ready) = Cradle::new(&birth, Some(ctx.pid()), true);
    let pid = ctx.spawn_link_with(birth.options, move |ctx| body(ctx, cradle));
    settle(ready, pid).await
}

/// Starts a process that is watched by this one.
///
/// # Errors
/// When it does not get ready.
///
/// # Cancel-safety
/// The process, and the monitor, go on when the future is dropped.
pub async fn start_monitor<F, Fut>(ctx: &mut Ctx, birth: Birth, body: F) -> Result<(Pid, Ref), StartError>
where
    F: FnOnce(Ctx, Cradle) -> Fut + Send + 'static,
    Fut: Future<Output = Exit> + Send + 'static,
{
    let (cradle, ready) = Cradle::new(&birth, Some(ctx.pid()), false);
    let pid = ctx.spawn_with(birth.options, move |ctx| body(ctx, cradle));
    let watch = ctx.monitor(&pid);
    match settle(ready, pid).await {
        Ok(pid) => Ok((pid, watch)),
        Err(why) => {
            ctx.demonitor(&watch, true);
            Err(why)
        }
    }
}

/// Lets a process of any behaviour end in order, and waits for its end. (`proc_lib:stop/3`, `gen_server:stop/3`.)
///
/// # Errors
/// When it was not there, ended for another reason, or does not end in time.
///
/// # Cancel-safety
/// The process may have been told to end when the future is dropped.
pub async fn stop(
    ctx: &mut Ctx,
    server: &ServerRef,
    reason: Exit,
    within: Option<Duration>,
) -> Result<(), CallError> {
    let place = server.find(ctx.node()).ok_or(CallError::NoProc)?;
    let mark = ctx.mark();
    let watch = ctx.monitor(place.clone());
    // Asked without waiting for the answer: the end is the answer.
    let tag = Term::tuple([Term::Ref(watch.clone()), Term::NIL]);
    let from = term!({(ctx.pid()), (tag.clone())});
    ctx.send(place, term!({system, (from), {terminate, (reason.reason().clone())}}));
    let pick = |message: &Term| Down::from_term(message).ok().filter(|down| down.reference == watch);
    let ended = match within {
        Some(wait) => ctx.select_from_within(mark, wait, pick).await,
        None => Some(ctx.select_from(mark, pick).await),
    };
    ctx.demonitor(&watch, true);
    ctx.try_select(mark, |message| message.as_tuple().filter(|pair| pair.first() == Some(&tag)).map(drop));
    match ended {
        Some(down) if down.reason == reason.0 => Ok(()),
        Some(down) if down.reason.is_atom("noproc") => Err(CallError::NoProc),
        Some(down) if down.reason.is_atom("noconnection") => Err(CallError::NodeDown),
        Some(down) => Err(CallError::Exited(down.reason)),
        None => Err(CallError::Timeout),
    }
}

async fn settle(ready: oneshot::Receiver<Result<(), StartError>>, pid: Pid) -> Result<Pid, StartError> {
    match ready.await {
        Ok(told) => told.map(|()| pid),
        // Ended from outside before it said anything.
        Err(_) => Err(StartError::Failed(Term::atom("killed"))),
    }
}

/// What a process that is being started has from its starter.
pub struct Cradle {
    parent: Option<Pid>,
    ack: Option<oneshot::Sender<Result<(), StartError>>>,
    name: Option<Name>,
    within: Option<Duration>,
    starter: Option<Pid>,
    module: Atom,
    identity: Option<Identity>,
}

impl Cradle {
    fn new(
        birth: &Birth,
        starter: Option<Pid>,
        linked: bool,
    ) -> (Cradle, oneshot::Receiver<Result<(), StartError>>) {
        let (ack, ready) = oneshot::channel();
        let cradle = Cradle {
            parent: starter.clone().filter(|_| linked),
            ack: Some(ack),
            name: birth.name.clone(),
            within: birth.within,
            starter,
            module: birth.module.clone().unwrap_or(Atom::inline("proc_lib")),
            identity: None,
        };
        (cradle, ready)
    }

    /// The process that started this one and is linked to it: when it ends, this one ends too.
    pub fn parent(&self) -> Option<&Pid> {
        self.parent.as_ref()
    }

    /// How reports call this process: by its name, or its pid.
    pub fn shown(&self, ctx: &Ctx) -> Term {
        self.name.as_ref().map_or_else(|| Term::Pid(ctx.pid()), Name::shown)
    }

    /// Tells the starter that this process is there.
    pub fn ready(&mut self) {
        self.tell(Ok(()));
    }

    /// Registers the name and runs `init`. When that fails, the starter has been told why, the name is free again, and
    /// the process should end with the exit that is returned.
    ///
    /// # Errors
    /// The reason to end with.
    pub async fn begin<T>(
        &mut self,
        ctx: &mut Ctx,
        init: impl for<'c> FnOnce(&'c mut Ctx) -> Initial<'c, T> + Send,
    ) -> Result<T, Exit> {
        self.identity = Some(Identity::note(ctx, self.starter.as_ref(), &self.module));
        let node = ctx.node().clone();
        if let Some(name) = self.name.clone()
            && let Err(owner) = name.register(&node, ctx.pid_ref()).await
        {
            self.name = None;
            let why = owner.map_or(StartError::Failed(Term::atom("badarg")), StartError::AlreadyStarted);
            self.refuse(ctx, why).await;
            return Err(Exit::normal());
        }
        let starting = caught(init(ctx));
        let started = match self.within {
            Some(within) => tokio::time::timeout(within, starting).await,
            None => Ok(starting.await),
        };
        let (why, exit) = match started {
            Ok(Ok(Ok(state))) => return Ok(state),
            Ok(Ok(Err(exit))) if exit == ignore() => (StartError::Ignored, Exit::normal()),
            Ok(Ok(Err(exit)) | Err(exit)) => {
                self.end(ctx, &exit);
                (StartError::Failed(exit.reason().clone()), exit)
            }
            Err(_) => (StartError::Timeout, Exit::from("killed")),
        };
        self.refuse(ctx, why).await;
        Err(exit)
    }

    async fn refuse(&mut self, ctx: &mut Ctx, why: StartError) {
        if let Some(name) = self.name.take() {
            name.unregister(&ctx.node().clone()).await;
        }
        if let Some(parent) = &self.parent {
            ctx.unlink(parent);
        }
        self.tell(Err(why));
    }

    fn tell(&mut self, what: Result<(), StartError>) {
        if let Some(ack) = self.ack.take() {
            let _ = ack.send(what);
        }
    }

    /// The last words: a crash report, unless the end is an orderly one.
    pub fn end(&self, ctx: &mut Ctx, exit: &Exit) {
        if !is_orderly(exit) {
            crash_report(ctx, self, exit);
        }
    }

    /// What is in the process dictionary of a process like this on OTP.
    pub(crate) fn dictionary(&self, ctx: &Ctx) -> Term {
        let pairs = dictionary(ctx.node(), ctx.pid_ref());
        Term::list(pairs.into_iter().map(|(key, value)| Term::tuple([key, value])))
    }
}

/// What an `init` returns while it works.
pub type Initial<'c, T> = Pin<Box<dyn Future<Output = Result<T, Exit>> + Send + 'c>>;

/// `normal`, `shutdown` and `{shutdown, _}` are quiet.
pub(crate) fn is_orderly(exit: &Exit) -> bool {
    let reason = exit.reason();
    let tagged = |parts: &[Term]| parts.len() == 2 && parts[0].is_atom("shutdown");
    exit.is_normal() || reason.is_atom("shutdown") || reason.as_tuple().is_some_and(tagged)
}

/// OTP's `{proc_lib, crash}`.
fn crash_report(ctx: &mut Ctx, cradle: &Cradle, exit: &Exit) {
    let unread = ctx.unread();
    let info = ctx.node().process_info(ctx.pid_ref());
    let name = info.as_ref().and_then(|info| info.registered_name.clone());
    let links = info.map_or_else(Vec::new, |info| info.links);
    let (initial, ancestors) = match &cradle.identity {
        Some(identity) => (identity.facts.initial_call.clone(), identity.facts.ancestors.clone()),
        None => (Term::NIL, Term::NIL),
    };
    let name = name.map_or(Term::NIL, |name| term!({registered_name, (name)}));
    let facts = term!([
        {initial_call, (initial)},
        {pid, (ctx.pid())},
        (name),
        {error_info, {exit, (exit.reason().clone()), []}},
        {ancestors, (ancestors)},
        {message_queue_len, (unread.len())},
        {messages, (Term::list(unread.into_iter().take(MESSAGES_IN_REPORT)))},
        {links, (links)}
    ]);
    let text = format!(
        "CRASH REPORT Process {} with {} exits: {}",
        ctx.pid(),
        show(&cradle.shown(ctx)),
        show(exit.reason())
    );
    let report = term!(#{label => {proc_lib, crash}, report => [(facts), []]});
    report::tell(ctx, Level::Error, report, text);
}

const MESSAGES_IN_REPORT: usize = 10;

/// What OTP's observers read in the process dictionary: `'$ancestors'` and `'$initial_call'`. Nothing for a process that was
/// not started by this module.
pub fn dictionary(node: &Node, pid: &Pid) -> Vec<(Term, Term)> {
    let families = node.shelf::<Families>();
    let families = families.0.read().unwrap_or_else(PoisonError::into_inner);
    families.get(pid).map_or_else(Vec::new, |facts| {
        vec![
            (Term::atom("$initial_call"), facts.initial_call.clone()),
            (Term::atom("$ancestors"), facts.ancestors.clone()),
        ]
    })
}

/// Notes of this process what [`dictionary`] tells, as long as what is returned is kept.
pub fn remember(ctx: &Ctx, initial_call: Term, ancestors: Term) -> Remembered {
    let families = ctx.node().shelf::<Families>();
    let facts = Arc::new(Facts { initial_call, ancestors });
    families.0.write().unwrap_or_else(PoisonError::into_inner).insert(ctx.pid(), facts.clone());
    Remembered { _identity: Identity { families, pid: ctx.pid(), facts } }
}

/// What is known of a process, until this is dropped.
pub struct Remembered {
    _identity: Identity,
}

impl std::fmt::Debug for Remembered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Remembered").finish_non_exhaustive()
    }
}

/// Who descends from whom, among the living.
#[derive(Default)]
struct Families(RwLock<BTreeMap<Pid, Arc<Facts>>>);

struct Facts {
    initial_call: Term,
    ancestors: Term,
}

/// Keeps the facts of a process as long as it lives.
struct Identity {
    families: Arc<Families>,
    pid: Pid,
    facts: Arc<Facts>,
}

impl Identity {
    fn note(ctx: &Ctx, starter: Option<&Pid>, module: &Atom) -> Identity {
        let node = ctx.node();
        let families = node.shelf::<Families>();
        let mut all = families.0.write().unwrap_or_else(PoisonError::into_inner);
        let ancestors = starter.map_or(Term::NIL, |starter| {
            let name = node.process_info(starter).and_then(|info| info.registered_name);
            let parent = name.map_or(Term::Pid(starter.clone()), Term::Atom);
            let older = all.get(starter).map_or(Term::NIL, |facts| facts.ancestors.clone());
            Term::List(term::List::cons(parent, older))
        });
        let initial_call = term!({(module.clone()), init, 1});
        let facts = Arc::new(Facts { initial_call, ancestors });
        all.insert(ctx.pid(), facts.clone());
        drop(all);
        Identity { families, pid: ctx.pid(), facts }
    }
}

impl Drop for Identity {
    fn drop(&mut self) {
        self.families.0.write().unwrap_or_else(PoisonError::into_inner).remove(&self.pid);
    }
}
