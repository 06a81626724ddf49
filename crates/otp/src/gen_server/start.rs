//! Starting generic servers.

use std::sync::Arc;
use std::time::Duration;

use runtime::{Ctx, ExportedFn, Limit, Node};
use term::{Atom, FromTerm, Ref, Term, term};

use super::{GenServer, Server, serve};
use crate::ask::Asker;
use crate::place::{Name, ServerRef};
use crate::proc_lib::{self, Birth, StartError};

/// Starts a server, and waits until its `init` is done. (`gen_server:start/3`.)
///
/// # Errors
/// What `init` failed with.
///
/// # Cancel-safety
/// The server goes on when the future is dropped.
pub async fn start<S: GenServer>(starter: impl Asker, args: S::Args) -> Result<Server<S>, StartError> {
    Start::new(args).start(starter).await
}

/// Starts a server that is linked to this process, its parent. (`gen_server:start_link/3`.)
///
/// # Errors
/// What `init` failed with; then there is no link, and the parent lives on.
///
/// # Cancel-safety
/// The server goes on when the future is dropped.
pub async fn start_link<S: GenServer>(ctx: &mut Ctx, args: S::Args) -> Result<Server<S>, StartError> {
    Start::new(args).start_link(ctx).await
}

/// Starts a server that is watched by this process. (`gen_server:start_monitor/3`.)
///
/// # Errors
/// What `init` failed with; then there is no monitor.
///
/// # Cancel-safety
/// The server goes on when the future is dropped.
pub async fn start_monitor<S: GenServer>(
    ctx: &mut Ctx,
    args: S::Args,
) -> Result<(Server<S>, Ref), StartError> {
    Start::new(args).start_monitor(ctx).await
}

/// Lets other nodes start servers of this kind here, as `Module:start(Args)`: for [`crate::supervisor::Child::at`] of a
/// supervisor elsewhere, and for `rpc:call(Node, Module, start, [Args])`. It returns what `gen_server:start/3` does.
pub fn export<S: GenServer>(node: &Node, module: impl Into<Atom>)
where
    S::Args: FromTerm,
{
    let start: ExportedFn = Arc::new(|mut ctx, mut args| {
        Box::pin(async move {
            let args = args.pop().and_then(|args| S::Args::from_term(&args).ok());
            let Some(args) = args else { return Ok(term!({error, badarg})) };
            Ok(match start::<S>(&mut ctx, args).await {
                Ok(server) => term!({ok, (server)}),
                Err(StartError::Ignored) => Term::atom("ignore"),
                Err(error) => term!({error, (error.reason())}),
            })
        })
    });
    node.export(module, "start", Some(1), start);
}

/// A server to be started, with more to say than its arguments.
///
/// ```
/// # use trunkline_otp as otp;
/// # use otp::{GenServer, Name, Nothing, gen_server::Start};
/// # use runtime::{Ctx, Exit, Node};
/// # use std::time::Duration;
/// # struct Counter;
/// # impl GenServer for Counter {
/// #     type Args = i64;
/// #     type Call = Nothing;
/// #     type Cast = Nothing;
/// #     type Info = Nothing;
/// #     async fn init(_: &mut Ctx, _: i64) -> Result<Self, Exit> { Ok(Counter) }
/// # }
/// # async fn example(ctx: &mut Ctx) -> Result<(), Exit> {
/// let near = Start::<Counter>::new(0).named("counter").start_link(ctx).await?;
/// let only = Start::<Counter>::new(0).named(Name::global("counter")).within(Duration::from_secs(5)).start(ctx).await?;
/// # Ok(())
/// # }
/// ```
pub struct Start<S: GenServer> {
    args: S::Args,
    birth: Birth,
}

impl<S: GenServer> Start<S> {
    /// A server with these arguments.
    pub fn new(args: S::Args) -> Start<S> {
        let mut birth = Birth { module: Some(S::module()), ..Birth::default() };
        birth.options.label = Some(std::any::type_name::<S>());
        Start { args, birth }
    }

    /// Registers this name before `init` runs.
    #[must_use]
    pub fn named(mut self, name: impl Into<Name>) -> Self {
        self.birth.name = Some(name.into());
        self
    }

    /// Ends it when `init` is not done by then.
    #[must_use]
    pub fn within(mut self, time: Duration) -> Self {
        self.birth.within = Some(time);
        self
    }

    /// A ceiling for its mailbox.
    #[must_use]
    pub fn mailbox(mut self, limit: Limit) -> Self {
        self.birth.options.mailbox = limit;
        self
    }

    /// Another module in its initial call than the name of its type.
    #[must_use]
    pub(crate) fn with_module(mut self, module: Atom) -> Self {
        self.birth.module = Some(module);
        self
    }

    /// See [`start`].
    ///
    /// # Errors
    /// What `init` failed with, or [`StartError::AlreadyStarted`].
    pub async fn start(self, starter: impl Asker) -> Result<Server<S>, StartError> {
        let Start { args, birth } = self;
        proc_lib::start(starter, birth, |ctx, cradle| serve::run::<S>(ctx, cradle, args))
            .await
            .map(Server::at)
    }

    /// See [`start_link`].
    ///
    /// # Errors
    /// As [`Start::start`].
    pub async fn start_link(self, ctx: &mut Ctx) -> Result<Server<S>, StartError> {
        let Start { args, birth } = self;
        proc_lib::start_link(ctx, birth, |ctx, cradle| serve::run::<S>(ctx, cradle, args))
            .await
            .map(Server::at)
    }

    /// See [`start_monitor`].
    ///
    /// # Errors
    /// As [`Start::start`].
    pub async fn start_monitor(self, ctx: &mut Ctx) -> Result<(Server<S>, Ref), StartError> {
        let Start { args, birth } = self;
        let started =
            proc_lib::start_monitor(ctx, birth, |ctx, cradle| serve::run::<S>(ctx, cradle, args)).await?;
        Ok((Server::at(ServerRef::Pid(started.0)), started.1))
    }
}

/// The type's own name, as the module of an initial call.
pub(crate) fn module_of<S>() -> Atom {
    let name = std::any::type_name::<S>();
    let path = name.split('<').next().unwrap_or(name);
    Atom::try_new(path.rsplit("::").next().unwrap_or(path)).unwrap_or(Atom::inline("unknown"))
}
