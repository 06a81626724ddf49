//! Applications: parts of a program that are started and stopped as a whole, in the order of their needs.
//!
//! An application has a [`Spec`] and a start function that starts its top process. [`install`] makes it known to a node;
//! [`ensure_all_started`] starts it and whatever it needs. [`Kind`] says what its end means for the node. The process behind
//! it is registered as `application_controller` and answers what OTP's answers, so that `application:start(shop)`, called
//! from afar, works as in Erlang.
//!
//! ```
//! # use trunkline_otp as otp;
//! use otp::application::{self, Application, Kind, Spec, StartType};
//! use runtime::{Ctx, Exit, Node};
//! use term::{Pid, Term};
//!
//! struct Shop;
//!
//! impl Application for Shop {
//!     fn spec(&self) -> Spec {
//!         Spec::new("shop").describe("sells things").needs(["kernel", "stdlib"]).env("till", Term::Int(1))
//!     }
//!
//!     async fn start(&self, ctx: &mut Ctx, _how: StartType) -> Result<Pid, Exit> {
//!         Ok(ctx.spawn_link(|mut ctx: Ctx| async move { ctx.receive::<Term>().await; }))
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let node = Node::alone();
//! application::serve_here(&node);
//! application::install(&node, Shop);
//! let started = application::ensure_all_started(&node, "shop", Kind::Temporary).await.unwrap();
//! assert_eq!(started, ["shop"]);
//! assert_eq!(application::get_env(&node, "shop", "till"), Some(Term::Int(1)));
//! application::stop(&node, "shop").await.unwrap();
//! # }
//! ```

mod api;
mod boxed;
mod callbacks;
mod changes;
mod controller;
mod exports;
mod master;
mod spec;
mod state;

use std::future::Future;

use runtime::{Ctx, Exit};
use term::{Atom, Pid, Term, term};

pub use api::{
    Shown, Started, configure, end_reason, ensure_all_started, ensure_started, find_with, get_all_env,
    get_application, get_env, get_key, install, library, load, loaded, loaded_applications, masters, on_end,
    serve_here, set_env, start, started, stop, stop_all, unload, unset_env, which_applications,
};
pub use controller::serve;
pub use exports::export;
pub use spec::Spec;

/// The registered name of the process that starts and stops applications.
pub const CONTROLLER: &str = "application_controller";

/// How an application comes to run on this node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StartType {
    /// Nobody ran it before.
    Normal,
    /// It runs on that node, and will be stopped there when it has started here: what it knows can be handed over.
    Takeover {
        /// Where it runs.
        from: Atom,
    },
    /// That node ran it and is lost. Only applications with start phases are told so, as in OTP.
    Failover {
        /// Where it ran.
        from: Atom,
    },
}

impl StartType {
    /// `normal`, `{takeover, Node}` or `{failover, Node}`.
    pub fn to_term(&self) -> Term {
        match self {
            StartType::Normal => Term::atom("normal"),
            StartType::Takeover { from } => term!({takeover, (from.clone())}),
            StartType::Failover { from } => term!({failover, (from.clone())}),
        }
    }
}

/// What the end of an application means for its node. (`restart_type()`.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The node ends with it, whatever its reason.
    Permanent,
    /// The node ends with it unless its reason is `normal`.
    Transient,
    /// Nothing: it is only said in the log.
    Temporary,
}

impl Kind {
    /// As Erlang has it.
    pub fn to_term(self) -> Term {
        Term::atom(match self {
            Kind::Permanent => "permanent",
            Kind::Transient => "transient",
            Kind::Temporary => "temporary",
        })
    }

    /// Reads it.
    pub fn from_term(term: &Term) -> Option<Kind> {
        match term.as_atom()?.as_str() {
            "permanent" => Some(Kind::Permanent),
            "transient" => Some(Kind::Transient),
            "temporary" => Some(Kind::Temporary),
            _ => None,
        }
    }
}

/// An application. (The behaviour `application`.)
pub trait Application: Send + Sync + 'static {
    /// What others know of it: OTP's `.app` file.
    fn spec(&self) -> Spec;

    /// Starts its top process, linked to the process of `ctx`, and gives back its pid. The application runs as long as the
    /// top process. All processes started in it have the application's own process as their group leader.
    ///
    /// # Errors
    /// With the reason why it does not start.
    fn start(&self, ctx: &mut Ctx, how: StartType) -> impl Future<Output = Result<Pid, Exit>> + Send;

    /// For each of the spec's start phases, in their order, when the top process runs.
    ///
    /// # Errors
    /// With the reason why it does not start.
    fn start_phase(
        &self,
        _ctx: &mut Ctx,
        _phase: &Atom,
        _how: &StartType,
        _arguments: &Term,
    ) -> impl Future<Output = Result<(), Exit>> + Send {
        async { Ok(()) }
    }

    /// Before its processes are stopped.
    fn prep_stop(&self, _ctx: &mut Ctx) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// After its processes are gone.
    fn stop(&self, _ctx: &mut Ctx) -> impl Future<Output = ()> + Send {
        async {}
    }
}

/// Why an application was not started, stopped, loaded.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ApplicationError {
    /// As OTP says it, such as `{not_started, stock}`.
    #[error("the application is not there as it should be: {0:?}")]
    Refused(Term),
    /// The node has no `application_controller`, or it ended.
    #[error("the node has no application controller")]
    NoController,
}
