//! What the machine hears, and what it orders.

use std::time::Duration;

use term::{Atom, Term};

use super::ladder::Rank;
use super::wire::{Appl, Message};

/// How an application stands, as this node sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Not started, or stopped.
    Undefined,
    /// It runs here.
    Local,
    /// We have ordered its start here.
    RunWaiting,
    /// Somebody here wants it to come here.
    Takeover,
    /// It runs there.
    Distributed(Atom),
    /// The node that ran it is lost; we wait.
    Failover(Atom),
}

/// Who waits for an answer: the process keeps his address.
pub(crate) type Ticket = u64;

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Event {
    /// The controller loads the application.
    Load(Atom),
    /// The controller has unloaded it.
    Unloaded(Atom),
    /// The controller wants to start it: who shall?
    Start(Atom),
    /// The controller has started it, or could not.
    Ran(Atom, Result<(), Term>),
    /// The controller has stopped it because we said so.
    NotRun(Atom),
    /// Somebody stopped it, or it ended.
    Stopped(Atom),
    /// From another node.
    Wire(Message),
    /// [`Order::Ask`] was answered.
    Told(Atom, Ticket, Vec<Appl>),
    /// A node is lost.
    NodeDown(Atom),
    /// The wait for a lost node is over.
    WaitOver(Atom),
    /// `application:permit`.
    Permit {
        /// What.
        app: Atom,
        /// Whether it may run here.
        allow: bool,
        /// It is loaded and not started.
        only_loaded: bool,
        /// Who asks.
        ticket: Ticket,
    },
    /// `application:takeover`.
    TakeOver {
        /// What.
        app: Atom,
        /// With which restart type.
        kind: Term,
        /// Who asks.
        ticket: Ticket,
    },
}

impl Event {
    /// The application it is about, when it is about one.
    pub(super) fn app(&self) -> Option<&Atom> {
        match self {
            Event::Load(app)
            | Event::Unloaded(app)
            | Event::Start(app)
            | Event::Ran(app, _)
            | Event::NotRun(app)
            | Event::Stopped(app)
            | Event::WaitOver(app)
            | Event::Permit { app, .. }
            | Event::TakeOver { app, .. } => Some(app),
            Event::Wire(message) => message.app(),
            Event::NodeDown(_) | Event::Told(..) => None,
        }
    }
}

/// Whom the controller's answer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// It asked us (`ac_start_application_reply`).
    Reply,
    /// We ask it (`ac_change_application_req`).
    Change,
}

/// What the controller shall do.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Change {
    /// Start it.
    Start,
    /// It runs there: stop your copy, if you have one.
    Started(Atom),
    /// It runs nowhere now.
    NotStarted,
    /// Start it while it runs there, with this restart type.
    Takeover(Atom, Option<Term>),
    /// Start it: that node is lost.
    Failover(Atom),
    /// Stop it.
    Stop,
    /// It does not run any more.
    NotRunning,
    /// It cannot be started.
    Error(Term),
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Order {
    /// To the `dist_ac` of a node.
    Send(Atom, Message),
    /// What does that node's `dist_ac` know of its applications? ([`Event::Told`].)
    Ask(Atom, Ticket),
    /// To the controller.
    Controller(Asked, Atom, Change),
    /// The controller may go on loading.
    Loaded(Atom),
    /// [`Event::WaitOver`] after this time.
    Wait(Duration, Atom),
    /// An answer.
    Answer(Ticket, Term),
    /// All to whom we introduced ourselves have answered or are lost.
    Met,
    /// It has been decided who runs it: others may decide.
    Decided(Atom),
    /// That node has another ladder for it: this node cannot go on.
    Mismatch {
        /// What.
        app: Atom,
        /// Where.
        node: Atom,
        /// The other ladder.
        theirs: Vec<Rank>,
    },
}
