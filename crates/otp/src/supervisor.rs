//! Supervisors: processes that start others, and start them again when they end.
//!
//! ```
//! # use trunkline_otp as otp;
//! # use runtime::{Ctx, Exit, Node};
//! # use otp::{Flow, GenServer, Nothing};
//! use std::time::Duration;
//!
//! use otp::supervisor::{Child, Restart, Shutdown, Supervisor};
//!
//! # #[derive(Clone)]
//! # struct Counter;
//! # impl GenServer for Counter {
//! #     type Args = i64;
//! #     type Call = Nothing;
//! #     type Cast = Nothing;
//! #     type Info = Nothing;
//! #     async fn init(_: &mut Ctx, _: i64) -> Result<Self, Exit> { Ok(Counter) }
//! # }
//! async fn sweep(mut ctx: Ctx) {
//!     loop {
//!         ctx.sleep(Duration::from_secs(60)).await;
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let node = Node::alone();
//! let shop = Supervisor::one_for_one()
//!     .intensity(3, Duration::from_secs(5))
//!     .child(Child::named_server::<Counter>("counter", "counter", 0))
//!     .child(Child::server::<Counter>("till", 1).restart(Restart::Transient))
//!     .child(Child::task("sweeper", sweep).shutdown(Shutdown::BrutalKill))
//!     .start(&node)
//!     .await?;
//! assert_eq!(shop.count_children(&node).await?.active, 3);
//! shop.start_child(&node, Child::server::<Counter>("late", 2)).await?;
//! # Ok(())
//! # }
//! ```
//!
//! Children of one kind, as many as one likes, live under [`Supervisor::dynamic`] (Elixir's `DynamicSupervisor`) or
//! [`Supervisor::simple_one_for_one`]. Children may live on other nodes: [`Child::at`], [`Child::otp`]. Erlang programs use
//! `supervisor:which_children({Name, Node})` and its like with ours, and [`SupervisorRef`] works with theirs.
//!
//! What is done when a child ends is decided in [`strategy`] and [`intensity`], which know no processes.

mod children;
mod dynamic;
mod handle;
pub mod intensity;
mod named;
mod reports;
mod serve;
mod spec;
mod start;
pub mod strategy;

use std::sync::Arc;
use std::time::Duration;

use runtime::Ctx;
use term::{Atom, Term};

pub use self::handle::{ChildError, ChildInfo, ChildState, Counts, SupervisorRef};
pub use self::spec::{AutoShutdown, Child, ChildId, Kind, Restart, Shutdown, Starting, Strategy};
use crate::ask::Asker;
use crate::gen_server::Start;
use crate::limits::{INTENSITY_DEFAULT, PERIOD_SECONDS_DEFAULT};
use crate::place::Name;
use crate::proc_lib::StartError;

/// A supervisor to be started: its rules and its first children.
#[derive(Clone)]
#[must_use = "a supervisor does nothing before it is started"]
pub struct Supervisor {
    strategy: Strategy,
    restarts_max: usize,
    period: Duration,
    auto_shutdown: AutoShutdown,
    children: Vec<Child>,
    pattern: Pattern,
    name: Option<Name>,
}

/// Where the children of a supervisor come from.
#[derive(Clone)]
enum Pattern {
    /// Each has a specification of its own, and a name among its siblings.
    Named,
    /// Each has a specification of its own, and no name.
    Dynamic { children_max: usize },
    /// All are made after one pattern, from arguments.
    Simple(MakeChild),
}

type MakeChild = Arc<dyn Fn(Vec<Term>) -> Child + Send + Sync>;

impl Supervisor {
    fn new(strategy: Strategy, pattern: Pattern) -> Supervisor {
        Supervisor {
            strategy,
            restarts_max: INTENSITY_DEFAULT,
            period: Duration::from_secs(PERIOD_SECONDS_DEFAULT),
            auto_shutdown: AutoShutdown::Never,
            children: Vec::new(),
            pattern,
            name: None,
        }
    }

    /// A child that ends is restarted.
    pub fn one_for_one() -> Supervisor {
        Supervisor::new(Strategy::OneForOne, Pattern::Named)
    }

    /// When a child ends all are restarted.
    pub fn one_for_all() -> Supervisor {
        Supervisor::new(Strategy::OneForAll, Pattern::Named)
    }

    /// When a child ends, it and those that were started after it are restarted.
    pub fn rest_for_one() -> Supervisor {
        Supervisor::new(Strategy::RestForOne, Pattern::Named)
    }

    /// For children that come and go: each with a specification of its own, none with an id.
    pub fn dynamic() -> Supervisor {
        Supervisor::new(Strategy::SimpleOneForOne, Pattern::Dynamic { children_max: usize::MAX })
    }

    /// For children that come and go, all made by one function from the arguments of `supervisor:start_child(Sup, Args)`.
    pub fn simple_one_for_one(child: impl Fn(Vec<Term>) -> Child + Send + Sync + 'static) -> Supervisor {
        Supervisor::new(Strategy::SimpleOneForOne, Pattern::Simple(Arc::new(child)))
    }

    /// Ends, with all its children, when there would be more restarts than this in so much time; one in five seconds when
    /// nothing is said.
    pub fn intensity(mut self, restarts_max: usize, period: Duration) -> Self {
        (self.restarts_max, self.period) = (restarts_max, period);
        self
    }

    /// Ends when significant children have ended by themselves.
    pub fn auto_shutdown(mut self, rule: AutoShutdown) -> Self {
        self.auto_shutdown = rule;
        self
    }

    /// Starts this child after those before it. Not for [`Supervisor::dynamic`] and [`Supervisor::simple_one_for_one`]:
    /// these start without children.
    pub fn child(mut self, child: Child) -> Self {
        self.children.push(child);
        self
    }

    /// At most so many children at a time, for [`Supervisor::dynamic`]: one more is `max_children`.
    pub fn children_max(mut self, children_max: usize) -> Self {
        if let Pattern::Dynamic { .. } = self.pattern {
            self.pattern = Pattern::Dynamic { children_max };
        }
        self
    }

    /// Registers this name.
    pub fn named(mut self, name: impl Into<Name>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Starts it, and its children in order, linked to this process.
    ///
    /// # Errors
    /// `{shutdown, {failed_to_start_child, Id, Reason}}` when a child does not start; those before it are ended then.
    ///
    /// # Cancel-safety
    /// The supervisor goes on when the future is dropped.
    pub async fn start_link(self, ctx: &mut Ctx) -> Result<SupervisorRef, StartError> {
        let server = self.prepared().start_link(ctx).await?;
        Ok(SupervisorRef::at(server.place()))
    }

    /// As [`Supervisor::start_link`], without a link.
    ///
    /// # Errors
    /// As [`Supervisor::start_link`].
    pub async fn start(self, starter: impl Asker) -> Result<SupervisorRef, StartError> {
        let server = self.prepared().start(starter).await?;
        Ok(SupervisorRef::at(server.place()))
    }

    fn prepared(mut self) -> Start<serve::Serving> {
        let name = self.name.take();
        let start = Start::new((self, name.clone())).with_module(Atom::inline("supervisor"));
        match name {
            Some(name) => start.named(name),
            None => start,
        }
    }
}

impl std::fmt::Debug for Supervisor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Supervisor({:?}, {:?})", self.strategy, self.children)
    }
}
