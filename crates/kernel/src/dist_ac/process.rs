//! The process `dist_ac`: hears other nodes and the controller, and does what the machine orders.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use otp::application;
use otp::request::{self, Caller, Request};
use runtime::{Ctx, Node};
use term::{Atom, Pid, Term, term};

use super::events::{Asked, Change, Event, Order, Ticket};
use super::introduce;
use super::ladder::Ladder;
use super::machine::Machine;
use super::wire::{Appl, Message, outcome_term};
use crate::functions::sys;
use crate::limits::DIST_AC_LOCK_MILLIS;
use crate::net_kernel::{self, WatchOptions};
use crate::{global, services};

/// Its registered name, and the resource of its locks.
pub(super) const NAME: &str = "dist_ac";

/// What a node keeps of it, on its shelf.
#[derive(Default)]
pub(crate) struct Hub {
    machine: Mutex<Option<Machine>>,
    /// Who introduces us to others at the moment.
    pub(super) introducer: Mutex<Option<Pid>>,
}

impl Hub {
    pub(crate) fn of(node: &Node) -> Arc<Hub> {
        node.shelf::<Hub>()
    }

    pub(super) fn machine(&self) -> MutexGuard<'_, Option<Machine>> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn knows(&self, node: &Atom) -> bool {
        self.machine().as_ref().is_some_and(|machine| machine.known().contains(node))
    }

    pub(super) fn is_synced(&self) -> bool {
        self.machine().as_ref().is_some_and(Machine::is_synced)
    }
}

/// Starts it. It stands still until the boot says `{go, From}`.
pub(crate) fn start(node: &Node) {
    services::start_registered(node, NAME, run);
}

async fn run(mut ctx: Ctx) {
    let hub = Hub::of(ctx.node());
    let fresh = hub.machine().is_none();
    if fresh {
        let booter = ctx.select(go).await;
        let machine = from_environment(ctx.node());
        take_control(&mut ctx, &machine).await;
        *hub.machine() = Some(machine);
        ctx.send(&booter, Term::atom("dist_ac_took_control"));
    }
    net_kernel::monitor_nodes(ctx.node(), ctx.pid_ref(), WatchOptions::default());
    introduce::begin(&ctx, !hub.is_synced());
    let mut process = Process {
        ctx,
        hub,
        askers: BTreeMap::new(),
        asked: 0,
        deciding: BTreeSet::new(),
        unsynced: Vec::new(),
    };
    loop {
        let Some((origin, message)) = process.ctx.receive_with_origin(None).await else { continue };
        process.hear(origin.is_none(), message).await;
    }
}

fn go(message: &Term) -> Option<Pid> {
    match message.as_tuple()? {
        [word, Term::Pid(from)] if word.is_atom("go") => Some(from.clone()),
        _ => None,
    }
}

/// Kernel's `distributed` and `permissions`.
fn from_environment(node: &Node) -> Machine {
    let list = |key: &str| match application::get_env(node, "kernel", key) {
        Some(Term::List(list)) => list.iter().collect(),
        _ => Vec::new(),
    };
    let ladders = list("distributed").iter().filter_map(Ladder::from_term).collect::<Vec<_>>();
    let permission = |pair: &Term| match pair.as_tuple()? {
        [Term::Atom(app), allow] => Some((app.clone(), allow.is_atom("true"))),
        _ => None,
    };
    let permissions = list("permissions").iter().filter_map(permission).collect();
    Machine::new(node.name().clone(), ladders, permissions)
}

async fn take_control(ctx: &mut Ctx, machine: &Machine) {
    for app in machine.apps() {
        let question = term!({control_application, (app.clone())});
        if let Err(why) = request::call(ctx, application::CONTROLLER, question, None).await {
            tracing::error!(%app, "dist_ac has no control over the application: {why}");
        }
    }
}

struct Process {
    ctx: Ctx,
    hub: Arc<Hub>,
    askers: BTreeMap<Ticket, Caller>,
    asked: Ticket,
    /// Starts that are being decided: meanwhile we have our own lock.
    deciding: BTreeSet<Atom>,
    /// What the controller wanted before we had met all that were there.
    unsynced: Vec<Atom>,
}

impl Process {
    async fn hear(&mut self, near: bool, message: Term) {
        match Request::read(message) {
            Request::Call(from, question) => self.call(from, &question).await,
            Request::Info(message) => {
                if let Some(heard) = Message::read(&message) {
                    self.handle(Event::Wire(heard)).await;
                } else if near {
                    self.hear_near(&message).await;
                }
            }
            Request::System(from, question) => sys::serve(&mut self.ctx, NAME, &from, &question),
            Request::Cast(_) => {}
        }
    }

    /// What only this node itself says.
    async fn hear_near(&mut self, message: &Term) {
        let Some([Term::Atom(word), rest @ ..]) = message.as_tuple() else { return };
        let event = match (word.as_str(), rest) {
            ("ac_start_application_req", [Term::Atom(app)]) => return self.wanted(app).await,
            ("ac_load_application_req", [Term::Atom(app)]) => Event::Load(app.clone()),
            ("ac_application_unloaded", [Term::Atom(app)]) => Event::Unloaded(app.clone()),
            ("ac_application_not_run", [Term::Atom(app)]) => Event::NotRun(app.clone()),
            ("ac_application_stopped", [Term::Atom(app)]) => Event::Stopped(app.clone()),
            ("ac_application_run", [Term::Atom(app), result]) => Event::Ran(app.clone(), result_of(result)),
            ("internal_restart_appl", [Term::Atom(app)]) => Event::WaitOver(app.clone()),
            ("nodedown", [Term::Atom(node)]) => Event::NodeDown(node.clone()),
            ("nodeup", [Term::Atom(_)]) => return introduce::begin(&self.ctx, false),
            ("told", [Term::Atom(node), Term::Int(ticket), state]) => {
                // News of a node that is lost by now would outlive the news of its loss.
                if !net_kernel::nodes(self.ctx.node(), net_kernel::Kind::Connected).contains(node) {
                    return;
                }
                Event::Told(node.clone(), *ticket as Ticket, appls_of(state))
            }
            ("introduce", [Term::List(nodes)]) => {
                let nodes = nodes.iter().filter_map(|node| node.as_atom().cloned()).collect::<Vec<_>>();
                let orders = self.hub.machine().as_mut().map(|machine| machine.introduce(nodes));
                return self.obey(orders.unwrap_or_default()).await;
            }
            _ => return,
        };
        self.handle(event).await;
    }

    /// The controller wants to start it. Not while somebody introduces himself, or moves applications by hand; and not
    /// before we have done so: whoever knows nobody finds that he is the best. (OTP's stands still until then.)
    async fn wanted(&mut self, app: &Atom) {
        if !self.hub.is_synced() {
            return self.unsynced.push(app.clone());
        }
        if self.deciding.is_empty() {
            let (me, here) = (self.ctx.pid(), [self.ctx.node().name().clone()]);
            if !global::set_lock(&mut self.ctx, Atom::new(NAME), me.clone(), Some(&here), Some(0)).await {
                let again = term!({ac_start_application_req, (app.clone())});
                self.ctx.send_after(Duration::from_millis(DIST_AC_LOCK_MILLIS), &me, again);
                return;
            }
        }
        self.deciding.insert(app.clone());
        self.handle(Event::Start(app.clone())).await;
    }

    async fn handle(&mut self, event: Event) {
        let load = application::which_applications(self.ctx.node()).len() as i64;
        tracing::trace!(me = %self.ctx.node().name(), ?event, "dist_ac");
        let orders = self.hub.machine().as_mut().map(|machine| machine.handle(event, load));
        self.obey(orders.unwrap_or_default()).await;
    }

    async fn obey(&mut self, orders: Vec<Order>) {
        for order in orders {
            tracing::trace!(me = %self.ctx.node().name(), ?order, "dist_ac");
            match order {
                Order::Send(node, message) => self.ctx.send((Atom::new(NAME), node), message.to_term()),
                Order::Ask(node, ticket) => self.ask(node, ticket),
                Order::Controller(asked, app, change) => {
                    let word = match asked {
                        Asked::Reply => "ac_start_application_reply",
                        Asked::Change => "ac_change_application_req",
                    };
                    let message = term!({(Atom::new(word)), (app), (change_term(asked, change))});
                    self.ctx.send(application::CONTROLLER, message);
                }
                Order::Loaded(app) => {
                    self.ctx.send(application::CONTROLLER, term!({ac_load_application_reply, (app), ok}));
                }
                Order::Wait(wait, app) => {
                    let me = self.ctx.pid();
                    self.ctx.send_after(wait, &me, term!({internal_restart_appl, (app)}));
                }
                Order::Answer(ticket, answer) => {
                    if let Some(caller) = self.askers.remove(&ticket) {
                        request::answer(&mut self.ctx, &caller, answer);
                    }
                }
                Order::Met => self.met(),
                Order::Decided(app) => self.decided(&app).await,
                Order::Mismatch { app, node, theirs } => self.mismatch(&app, &node, &theirs),
            }
        }
    }

    /// What has waited for this comes after all that others have said: from us to ourselves.
    fn met(&mut self) {
        introduce::met(&mut self.ctx);
        let me = self.ctx.pid();
        for app in std::mem::take(&mut self.unsynced) {
            self.ctx.send(&me, term!({ac_start_application_req, (app)}));
        }
    }

    async fn decided(&mut self, app: &Atom) {
        if self.deciding.remove(app) && self.deciding.is_empty() {
            let (me, here) = (self.ctx.pid(), [self.ctx.node().name().clone()]);
            global::del_lock(&mut self.ctx, Atom::new(NAME), me, Some(&here)).await;
        }
    }

    /// As OTP's, the node does not go on with two ladders for one application.
    fn mismatch(&mut self, app: &Atom, node: &Atom, theirs: &[super::Rank]) {
        let ranks = super::ladder::ranks_term(theirs);
        tracing::error!(
            "the application {app} has another ladder on {node}, {ranks}: kernel's parameter distributed must be the same on \
             all its nodes"
        );
        let reason = term!({distribution_mismatch, (app.clone()), (node.clone())});
        self.ctx.send(
            application::CONTROLLER,
            term!({ac_load_application_reply, (app.clone()), {error, (reason.clone())}}),
        );
        super::boot::end(self.ctx.node(), reason);
    }

    /// Another process waits for the answer: that `dist_ac` may stand still.
    fn ask(&mut self, node: Atom, ticket: Ticket) {
        let me = self.ctx.pid();
        self.ctx.node().spawn(move |mut ctx: Ctx| async move {
            let there = (Atom::new(NAME), node.clone());
            if let Ok(state) = request::call(&mut ctx, there, Term::atom("info"), None).await {
                ctx.send(&me, term!({told, (node), (ticket as i64), (state)}));
            }
        });
    }

    async fn call(&mut self, from: Caller, question: &Term) {
        if question.is_atom("get_known_nodes") {
            let nodes = super::api::known_nodes(self.ctx.node());
            return request::answer(&mut self.ctx, &from, Term::list(nodes.into_iter().map(Term::Atom)));
        }
        if question.is_atom("info") {
            let state = self.state();
            return request::answer(&mut self.ctx, &from, state);
        }
        let ticket = self.asked + 1;
        let event = match question.as_tuple() {
            Some([word, Term::Atom(app), allow, _, info]) if word.is_atom("permit_application") => {
                Event::Permit {
                    app: app.clone(),
                    allow: allow.is_atom("true"),
                    only_loaded: info.is_atom("only_loaded"),
                    ticket,
                }
            }
            Some([word, Term::Atom(app), kind]) if word.is_atom("takeover_application") => {
                Event::TakeOver { app: app.clone(), kind: kind.clone(), ticket }
            }
            Some([word, Term::Atom(app)]) if word.is_atom("get_nodes") => {
                let nodes =
                    self.hub.machine().as_ref().map(|machine| machine.nodes_of(app)).unwrap_or_default();
                let nodes = Term::list(nodes.into_iter().map(Term::Atom));
                return request::answer(&mut self.ctx, &from, nodes);
            }
            Some([word, Term::Atom(app), ladder]) if word.is_atom("load_application") => {
                return self.adopt(&from, app, ladder).await;
            }
            _ => {
                let answer = term!({error, {unknown_call, (question.clone())}});
                return request::answer(&mut self.ctx, &from, answer);
            }
        };
        self.asked = ticket;
        self.askers.insert(ticket, from);
        self.handle(event).await;
    }

    /// `application:load/2`.
    async fn adopt(&mut self, from: &Caller, app: &Atom, ladder: &Term) {
        let read = Ladder::from_term(ladder).filter(|(name, _)| name == app);
        if read.is_none() && !ladder.is_atom("default") {
            let answer = term!({error, {bad_distribution_spec, (ladder.clone())}});
            return request::answer(&mut self.ctx, from, answer);
        }
        let had = self.hub.machine().as_ref().is_some_and(|machine| machine.standing(app).is_some());
        if let Some((name, ladder)) = read {
            if let Some(machine) = self.hub.machine().as_mut() {
                machine.adopt(name, ladder);
            }
            if !had {
                let question = term!({control_application, (app.clone())});
                let _ = request::call(&mut self.ctx, application::CONTROLLER, question, None).await;
            }
            self.handle(Event::Load(app.clone())).await;
        }
        request::answer(&mut self.ctx, from, Term::atom("ok"));
    }

    /// OTP's record `state`: only its applications are of use to others.
    fn state(&self) -> Term {
        let machine = self.hub.machine();
        let (apps, known) = match machine.as_ref() {
            Some(machine) => (machine.appls(), machine.known().iter().cloned().collect()),
            None => (Vec::new(), Vec::new()),
        };
        let apps = Term::list(apps.iter().map(Appl::to_term));
        let known = Term::list(known.into_iter().map(Term::Atom));
        term!({state, (apps), [], [], (known), [], [], [], [], [], []})
    }
}

fn result_of(term: &Term) -> Result<(), Term> {
    match term.as_tuple() {
        Some([_, reason]) => Err(reason.clone()),
        _ => Ok(()),
    }
}

/// The applications in OTP's record `state`.
fn appls_of(state: &Term) -> Vec<Appl> {
    let apps = state.as_tuple().and_then(|state| state.get(1)).and_then(Term::as_list);
    apps.map(|apps| apps.iter().filter_map(|app| Appl::read(&app)).collect()).unwrap_or_default()
}

/// As OTP's `dist_ac` says it to its controller.
fn change_term(asked: Asked, change: Change) -> Term {
    match change {
        Change::Start => Term::atom("start_it"),
        Change::Started(node) => term!({started, (node)}),
        Change::NotStarted => Term::atom("not_started"),
        Change::Takeover(node, _) if asked == Asked::Reply => term!({takeover, (node)}),
        Change::Takeover(node, kind) => {
            term!({takeover, (node), (kind.unwrap_or(Term::atom("undefined")))})
        }
        Change::Failover(node) => term!({failover, (node), undefined}),
        Change::Stop => Term::atom("stop_it"),
        Change::NotRunning => Term::atom("not_running"),
        Change::Error(reason) => outcome_term(&Err(reason)),
    }
}
