//! What a builder says of applications.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use otp::application::{self, Application, Kind};
use runtime::Node;
use term::{Atom, Term};

use super::ladder::Ladder;
use crate::builder::Builder;

type Install = Arc<dyn Fn(&Node) + Send + Sync>;
/// Applications and their parameters.
pub(crate) type Parameters = Vec<(Atom, Vec<(Atom, Term)>)>;

/// The applications of a node to be.
#[derive(Clone, Default)]
pub(crate) struct Programs {
    pub(super) install: Vec<Install>,
    pub(super) start: Vec<(Atom, Kind)>,
    pub(super) ladders: Vec<(Atom, Ladder)>,
    pub(super) permissions: Vec<(Atom, bool)>,
    pub(super) mandatory: Vec<Atom>,
    pub(super) optional: Vec<Atom>,
    /// Nothing: nobody is waited for. Nothing inside: for ever.
    pub(super) sync_within: Option<Option<Duration>>,
    pub(crate) files: Parameters,
    pub(crate) command_line: Parameters,
}

impl fmt::Debug for Programs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Programs").field("start", &self.start).finish_non_exhaustive()
    }
}

/// An application behind several nodes of one builder.
struct Shared<A>(Arc<A>);

impl<A: Application> Application for Shared<A> {
    fn spec(&self) -> application::Spec {
        self.0.spec()
    }

    async fn start(
        &self,
        ctx: &mut runtime::Ctx,
        how: application::StartType,
    ) -> Result<term::Pid, runtime::Exit> {
        self.0.start(ctx, how).await
    }

    async fn start_phase(
        &self,
        ctx: &mut runtime::Ctx,
        phase: &Atom,
        how: &application::StartType,
        arguments: &Term,
    ) -> Result<(), runtime::Exit> {
        self.0.start_phase(ctx, phase, how, arguments).await
    }

    async fn prep_stop(&self, ctx: &mut runtime::Ctx) {
        self.0.prep_stop(ctx).await;
    }

    async fn stop(&self, ctx: &mut runtime::Ctx) {
        self.0.stop(ctx).await;
    }
}

impl Builder {
    /// An application that the node starts, after those that were named before it, before `start` returns. A distributed one
    /// is started when it runs on some node of its ladder.
    pub fn application(self, application: impl Application, kind: Kind) -> Builder {
        let name = application.spec().name().clone();
        let mut builder = self.offer(application);
        builder.programs.start.push((name, kind));
        builder
    }

    /// An application that the node has and does not start: somebody will say when. See [`application::ensure_all_started`].
    pub fn offer(mut self, application: impl Application) -> Builder {
        let application = Arc::new(application);
        let install = move |node: &Node| application::install(node, Shared(application.clone()));
        self.programs.install.push(Arc::new(install));
        self
    }

    /// Where an application runs: the same on all nodes of the ladder. (An element of `distributed`.)
    pub fn distributed(mut self, app: impl Into<Atom>, ladder: Ladder) -> Builder {
        let app = app.into();
        self.programs.ladders.retain(|(name, _)| *name != app);
        self.programs.ladders.push((app, ladder));
        self
    }

    /// Whether an application may run on this node, until [`permit`](crate::dist_ac::permit) says otherwise. (An element of
    /// `permissions`.)
    pub fn permit(mut self, app: impl Into<Atom>, allow: bool) -> Builder {
        self.programs.permissions.push((app.into(), allow));
        self
    }

    /// The nodes that must be up before this one starts its applications: when one of them is not up within the time, the start
    /// fails. (`sync_nodes_mandatory`, `sync_nodes_timeout`.)
    pub fn sync_nodes(
        mut self,
        nodes: impl IntoIterator<Item = impl Into<Atom>>,
        within: Duration,
    ) -> Builder {
        self.programs.mandatory.extend(nodes.into_iter().map(Into::into));
        self.programs.sync_within = Some(Some(within));
        self
    }

    /// The nodes that are waited for, and may be missing when the time is over. (`sync_nodes_optional`,
    /// `sync_nodes_timeout`.)
    pub fn sync_optional(
        mut self,
        nodes: impl IntoIterator<Item = impl Into<Atom>>,
        within: Duration,
    ) -> Builder {
        self.programs.optional.extend(nodes.into_iter().map(Into::into));
        self.programs.sync_within = Some(Some(within));
        self
    }

    /// A parameter of an application. (`-App Key Value`.)
    pub fn env(mut self, app: impl Into<Atom>, key: impl Into<Atom>, value: Term) -> Builder {
        self.programs.command_line.push((app.into(), vec![(key.into(), value)]));
        self
    }
}
