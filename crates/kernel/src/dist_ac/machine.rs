//! Who runs what, and who is next: what this node knows and decides. Pure: events in, orders out.
//!
//! The decisions are those of OTP's `dist_ac`, whose process stands still while it decides; here every application decides
//! for itself, so that two nodes that decide about two applications never wait for each other. What comes meanwhile for an
//! application that is being decided waits for the end of its decision.

use std::collections::{BTreeMap, BTreeSet};

use term::{Atom, Term};

use super::deciding::Deciding;
use super::events::{Asked, Change, Event, Order, Standing, Ticket};
use super::ladder::{Ladder, Rank};
use super::wire::{Appl, Message, outcome_term};
use crate::limits::DIST_AC_NOTES_MAX;

/// What is known of one application.
#[derive(Debug)]
pub(super) struct App {
    pub(super) standing: Standing,
    pub(super) ladder: Ladder,
    /// Per node whether it may run there; nothing: not loaded there.
    pub(super) run: BTreeMap<Atom, Option<bool>>,
}

/// Somebody has forbidden it here, and waits until it runs elsewhere.
#[derive(Debug)]
pub(super) struct Leaving {
    pub(super) app: Atom,
    pub(super) ticket: Ticket,
    pub(super) nodes: BTreeSet<Atom>,
}

/// Whether that node really runs it.
#[derive(Clone, Debug)]
pub(super) struct Doubt {
    pub(super) node: Atom,
    /// How often we have asked somebody.
    pub(super) asks: u32,
    /// The question whose answer counts.
    pub(super) ticket: Ticket,
}

/// The state of one node's `dist_ac`.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(super) me: Atom,
    pub(super) apps: BTreeMap<Atom, App>,
    pub(super) permissions: BTreeMap<Atom, bool>,
    /// The other nodes with a `dist_ac`.
    pub(super) known: BTreeSet<Atom>,
    /// Nodes we have introduced ourselves to, that did not answer yet. Every introduction is answered by one, be it theirs:
    /// so nobody answers an answer.
    pub(super) awaiting: BTreeSet<Atom>,
    /// Whether we hold the lock of those who introduce themselves.
    pub(super) introducing: bool,
    /// Whether the first introductions are over. Until then nothing is answered.
    pub(super) synced: bool,
    /// What came before that.
    pub(super) early: Vec<Message>,
    /// Started here: they run here or somewhere.
    pub(super) started: BTreeSet<Atom>,
    /// Node and application: they ran before they were started here.
    pub(super) remote_started: Vec<(Atom, Atom)>,
    /// Application and node: weights that came before we wanted them.
    pub(super) weights: BTreeMap<(Atom, Atom), i64>,
    /// The weight we have said for an application: we stay with it until it runs.
    pub(super) sent_weights: BTreeMap<Atom, i64>,
    /// Application and node: weights that will still come, and need no answer.
    pub(super) owed: BTreeMap<(Atom, Atom), u32>,
    /// Application and node: loaded there, and not here.
    pub(super) loaded_there: BTreeMap<(Atom, Atom), (Vec<Rank>, bool)>,
    /// Nodes that took applications over, and that we ask if they really run them.
    pub(super) doubts: BTreeMap<Atom, Doubt>,
    /// Whom we told, when we met, that it runs here: they hear when it does not any more.
    pub(super) claims: BTreeMap<Atom, BTreeSet<Atom>>,
    /// How many questions we have asked.
    pub(super) questions: Ticket,
    pub(super) takeovers: Vec<(Atom, Ticket)>,
    pub(super) stops: Vec<(Atom, Ticket)>,
    pub(super) leaving: Vec<Leaving>,
    pub(super) deciding: BTreeMap<Atom, Deciding>,
    /// How many applications run here.
    pub(super) load: i64,
    pub(super) orders: Vec<Order>,
}

impl Machine {
    /// Nothing is loaded, nobody is known. `permissions` are kernel's `permissions`.
    pub(crate) fn new(
        me: Atom,
        ladders: impl IntoIterator<Item = (Atom, Ladder)>,
        permissions: BTreeMap<Atom, bool>,
    ) -> Machine {
        let mut machine = Machine {
            me,
            apps: BTreeMap::new(),
            permissions,
            known: BTreeSet::new(),
            awaiting: BTreeSet::new(),
            introducing: false,
            synced: false,
            early: Vec::new(),
            started: BTreeSet::new(),
            remote_started: Vec::new(),
            weights: BTreeMap::new(),
            sent_weights: BTreeMap::new(),
            owed: BTreeMap::new(),
            loaded_there: BTreeMap::new(),
            doubts: BTreeMap::new(),
            claims: BTreeMap::new(),
            questions: 0,
            takeovers: Vec::new(),
            stops: Vec::new(),
            leaving: Vec::new(),
            deciding: BTreeMap::new(),
            load: 0,
            orders: Vec::new(),
        };
        for (name, ladder) in ladders {
            let run = BTreeMap::from([(machine.me.clone(), Some(machine.permission(&name)))]);
            machine.apps.insert(name, App { standing: Standing::Undefined, ladder, run });
        }
        machine
    }

    /// Takes an application under control, or changes its ladder. (`application:load/2`.)
    pub(crate) fn adopt(&mut self, name: Atom, ladder: Ladder) {
        let run = ladder.nodes().map(|node| (node.clone(), None)).collect();
        self.apps.insert(name, App { standing: Standing::Undefined, ladder, run });
    }

    /// The applications under control.
    pub(crate) fn apps(&self) -> impl Iterator<Item = &Atom> {
        self.apps.keys()
    }

    /// The nodes that we know, without ourselves.
    pub(crate) fn known(&self) -> &BTreeSet<Atom> {
        &self.known
    }

    /// How an application stands.
    pub(crate) fn standing(&self, app: &Atom) -> Option<&Standing> {
        self.apps.get(app).map(|app| &app.standing)
    }

    /// The nodes of the application's ladder that are up.
    pub(crate) fn nodes_of(&self, app: &Atom) -> Vec<Atom> {
        let up = |node: &&Atom| **node == self.me || self.known.contains(*node);
        self.apps.get(app).map(|app| app.ladder.nodes().filter(up).cloned().collect()).unwrap_or_default()
    }

    /// Introduces us to nodes that do not know us: what they say of themselves next is the answer. Under the lock that all
    /// who introduce themselves share; [`Order::Met`] gives it back. The first time, before anything is decided, is the
    /// boot; for whom that is not over answers nobody.
    pub(crate) fn introduce(&mut self, to: impl IntoIterator<Item = Atom>) -> Vec<Order> {
        self.introducing = true;
        let strangers: Vec<Atom> = to.into_iter().filter(|node| self.is_stranger(node)).collect();
        for node in strangers {
            self.awaiting.insert(node.clone());
            let message = Message::NewNode { node: self.me.clone(), apps: self.appls(), started: Vec::new() };
            self.orders.push(Order::Send(node, message));
        }
        let mut early = std::mem::take(&mut self.early);
        early.retain(|message| match message {
            Message::NewNode { node, apps, started } if self.awaiting.contains(node) => {
                self.new_node(node.clone(), apps, started.clone());
                false
            }
            _ => true,
        });
        self.early = early;
        self.look_whether_met();
        std::mem::take(&mut self.orders)
    }

    fn is_stranger(&self, node: &Atom) -> bool {
        *node != self.me && !self.known.contains(node) && !self.awaiting.contains(node)
    }

    /// Whether the boot's introductions are over.
    pub(crate) fn is_synced(&self) -> bool {
        self.synced
    }

    pub(super) fn look_whether_met(&mut self) {
        if !self.awaiting.is_empty() || !std::mem::take(&mut self.introducing) {
            return;
        }
        self.orders.push(Order::Met);
        self.synced = true;
        for message in std::mem::take(&mut self.early) {
            self.hear(Event::Wire(message));
        }
    }

    /// Hears an event while so many applications run here.
    pub(crate) fn handle(&mut self, event: Event, load: i64) -> Vec<Order> {
        self.load = load;
        self.hear(event);
        std::mem::take(&mut self.orders)
    }

    pub(super) fn hear(&mut self, event: Event) {
        match event.app() {
            Some(app) if self.deciding.contains_key(app) => self.hear_deciding(event),
            _ => self.act(event),
        }
    }

    pub(super) fn act(&mut self, event: Event) {
        match event {
            Event::Load(app) => self.load_here(&app),
            Event::Unloaded(app) => self.unloaded(&app),
            Event::Start(app) => self.start(app, Asked::Reply, super::deciding::Then::Start),
            Event::Ran(app, result) => self.ran(&app, &result),
            Event::NotRun(app) => self.ended(&app),
            Event::Stopped(app) => {
                self.ended(&app);
                self.started.remove(&app);
            }
            Event::Wire(message) => self.hear_message(message),
            Event::Told(node, ticket, apps) => self.told(&node, ticket, &apps),
            Event::NodeDown(node) => self.node_down(&node),
            Event::WaitOver(app) => match self.standing(&app) {
                Some(Standing::Failover(_)) => {
                    self.start(app, Asked::Change, super::deciding::Then::Failover);
                }
                _ => self.doubt_again(&app),
            },
            Event::Permit { app, allow, only_loaded, ticket } => self.permit(app, allow, only_loaded, ticket),
            Event::TakeOver { app, kind, ticket } => self.take_over(app, kind, ticket),
        }
    }

    fn hear_message(&mut self, message: Message) {
        let awaited = matches!(&message, Message::NewNode { node, .. } if self.awaiting.contains(node));
        if !self.synced && !awaited {
            if self.early.len() < DIST_AC_NOTES_MAX {
                self.early.push(message);
            }
            return;
        }
        match message {
            Message::NewNode { node, apps, started } => {
                self.new_node(node, &apps, started);
                if awaited {
                    self.look_whether_met();
                }
            }
            Message::Loaded { node, app, ranks, permit, knows_me } => {
                self.loaded_at(node, app, ranks, permit, knows_me);
            }
            Message::Unloaded { node, app } => {
                self.loaded_there.remove(&(app.clone(), node.clone()));
                self.note_permit(&app, node, None);
            }
            // Told by somebody else of a node that is lost, or that we shall meet: then it tells us itself.
            Message::Started { node, .. } if !self.known.contains(&node) => {}
            Message::Started { node, app, result: Ok(()) } => self.started_at(node, app),
            Message::Started { node, app, result: Err(_) } => self.not_started_at(&node, &app),
            Message::Stopped { app } => self.stopped_there(&app),
            Message::Weight { app, weight, node } => self.weighed(app, weight, node),
            Message::NewPermission { node, app, allow, is_his } => {
                self.note_permit(&app, node, Some(allow));
                if !allow && is_his && self.may_run_here(&app) {
                    self.start(app, Asked::Change, super::deciding::Then::Nothing);
                }
            }
        }
    }

    // What is known of others.

    /// What we say of our applications.
    pub(crate) fn appls(&self) -> Vec<Appl> {
        let appl = |(name, app): (&Atom, &App)| Appl {
            name: name.clone(),
            standing: app.standing.clone(),
            wait: app.ladder.patience(),
            ranks: app.ladder.ranks().to_vec(),
            run: app.run.iter().map(|(node, permit)| (node.clone(), *permit)).collect(),
        };
        self.apps.iter().map(appl).collect()
    }

    fn new_node(&mut self, node: Atom, apps: &[Appl], started: Vec<(Atom, Atom)>) {
        if node == self.me {
            return;
        }
        // Who says what he runs has been asked, if not by us.
        if !self.awaiting.remove(&node) && started.is_empty() {
            let here = self.apps.iter().filter(|(_, app)| app.standing == Standing::Local);
            let started: Vec<(Atom, Atom)> = here.map(|(name, _)| (self.me.clone(), name.clone())).collect();
            for (_, name) in &started {
                self.claims.entry(name.clone()).or_default().insert(node.clone());
            }
            let answer = Message::NewNode { node: self.me.clone(), apps: self.appls(), started };
            self.orders.push(Order::Send(node.clone(), answer));
        }
        self.known.insert(node.clone());
        self.meet(&node, apps, started);
    }

    fn load_here(&mut self, name: &Atom) {
        let permit = self.permission(name);
        let Some(app) = self.apps.get_mut(name) else { return };
        app.run.insert(self.me.clone(), Some(permit));
        let (ranks, nodes) = (app.ladder.ranks().to_vec(), app.ladder.nodes().cloned().collect::<Vec<_>>());
        let mut loaded = BTreeSet::new();
        let keys = self.loaded_there.keys().filter(|(app, _)| app == name).cloned().collect::<Vec<_>>();
        for key in keys {
            let Some((theirs, permit)) = self.loaded_there.remove(&key) else { continue };
            if !self.agrees(name, &key.1, theirs) {
                return;
            }
            self.note_permit(name, key.1.clone(), Some(permit));
            loaded.insert(key.1);
        }
        for node in nodes.into_iter().filter(|node| *node != self.me) {
            let knows_me = loaded.contains(&node);
            let (me, app, ranks) = (self.me.clone(), name.clone(), ranks.clone());
            let message = Message::Loaded { node: me, app, ranks, permit, knows_me };
            self.orders.push(Order::Send(node, message));
        }
        self.orders.push(Order::Loaded(name.clone()));
    }

    fn loaded_at(&mut self, node: Atom, app: Atom, ranks: Vec<Rank>, permit: bool, knows_me: bool) {
        let loaded_here =
            self.apps.get(&app).is_some_and(|app| matches!(app.run.get(&self.me), Some(Some(_))));
        if !loaded_here {
            if self.loaded_there.len() < DIST_AC_NOTES_MAX {
                self.loaded_there.insert((app, node), (ranks, permit));
            }
            return;
        }
        if !self.agrees(&app, &node, ranks) {
            return;
        }
        self.note_permit(&app, node.clone(), Some(permit));
        if !knows_me && let Some(mine) = self.apps.get(&app) {
            let ranks = mine.ladder.ranks().to_vec();
            let permit = self.may_run_here(&app);
            let answer = Message::Loaded { node: self.me.clone(), app, ranks, permit, knows_me: true };
            self.orders.push(Order::Send(node, answer));
        }
    }

    /// The ladder must be the same everywhere.
    fn agrees(&mut self, app: &Atom, node: &Atom, theirs: Vec<Rank>) -> bool {
        let same = self.apps.get(app).is_none_or(|mine| mine.ladder.is_like(&theirs));
        if !same {
            self.orders.push(Order::Mismatch { app: app.clone(), node: node.clone(), theirs });
        }
        same
    }

    fn unloaded(&mut self, name: &Atom) {
        let Some(app) = self.apps.get_mut(name) else { return };
        (app.standing, app.run) = (Standing::Undefined, BTreeMap::new());
        let nodes: Vec<Atom> = app.ladder.nodes().cloned().collect();
        let message = Message::Unloaded { node: self.me.clone(), app: name.clone() };
        self.tell(nodes, &message);
    }

    pub(super) fn note_permit(&mut self, app: &Atom, node: Atom, permit: Option<bool>) {
        if let Some(app) = self.apps.get_mut(app) {
            app.run.insert(node, permit);
        }
    }

    pub(super) fn may_run_here(&self, app: &Atom) -> bool {
        self.apps.get(app).is_some_and(|app| app.run.get(&self.me) == Some(&Some(true)))
    }

    fn permission(&self, app: &Atom) -> bool {
        self.permissions.get(app).copied().unwrap_or(true)
    }

    // Starts and stops, here and there.

    fn ran(&mut self, app: &Atom, result: &Result<(), Term>) {
        let message = Message::Started { node: self.me.clone(), app: app.clone(), result: result.clone() };
        self.tell_known(&message);
        self.set(app, if result.is_ok() { Standing::Local } else { Standing::Undefined });
        self.answer_takeovers(app, &outcome_term(result));
    }

    fn ended(&mut self, app: &Atom) {
        self.answer_takeovers(app, &Term::tuple([Term::atom("error"), Term::atom("stopped")]));
        let (done, rest) = std::mem::take(&mut self.stops).into_iter().partition(|(name, _)| name == app);
        self.stops = rest;
        let done: Vec<(Atom, Ticket)> = done;
        self.orders.extend(done.into_iter().map(|(_, ticket)| Order::Answer(ticket, Term::atom("ok"))));
        match self.standing(app).cloned() {
            Some(Standing::Local) => self.tell_known(&Message::Stopped { app: app.clone() }),
            Some(Standing::Distributed(node)) => self.remote_started.push((node, app.clone())),
            _ => {}
        }
        self.set(app, Standing::Undefined);
    }

    /// Another node has started it, after all had agreed or as a takeover.
    pub(super) fn started_at(&mut self, node: Atom, app: Atom) {
        if !self.apps.contains_key(&app) || !self.started.contains(&app) {
            return self.note_remote(node, app);
        }
        let moved = match self.standing(&app) {
            Some(Standing::Local) => true,
            Some(Standing::Distributed(there)) => *there != node,
            _ => false,
        };
        self.controller(Asked::Change, &app, Change::Started(node.clone()));
        self.set(&app, Standing::Distributed(node.clone()));
        self.answer_votes(&app);
        self.take_back_claims(&app, &node);
        if moved {
            self.doubt(node, &app, 0);
        }
        self.sent_weights.remove(&app);
        let (gone, rest) = std::mem::take(&mut self.leaving).into_iter().partition(|left| left.app == app);
        self.leaving = rest;
        let gone: Vec<Leaving> = gone;
        self.orders.extend(gone.into_iter().map(|left| Order::Answer(left.ticket, Term::atom("ok"))));
    }

    /// Another node could not start it. What runs here goes on running, and says so again.
    fn not_started_at(&mut self, node: &Atom, app: &Atom) {
        match self.standing(app) {
            Some(Standing::Local) => self.announce(app),
            Some(Standing::Distributed(_) | Standing::Failover(_)) if self.started.contains(app) => {
                tracing::warn!(%app, %node, "the application could not be started there");
                self.set(app, Standing::Undefined);
            }
            _ => {}
        }
    }

    fn stopped_there(&mut self, app: &Atom) {
        self.remote_started.retain(|(_, name)| name != app);
        if matches!(self.standing(app), Some(Standing::Distributed(_) | Standing::Failover(_))) {
            self.set(app, Standing::Undefined);
        }
    }

    pub(super) fn note_remote(&mut self, node: Atom, app: Atom) {
        let note = (node, app);
        if !self.remote_started.contains(&note) && self.remote_started.len() < DIST_AC_NOTES_MAX {
            self.remote_started.push(note);
        }
    }

    // Words to others.

    pub(super) fn ask(&mut self, node: Atom) -> Ticket {
        self.questions += 1;
        self.orders.push(Order::Ask(node, self.questions));
        self.questions
    }

    pub(super) fn set(&mut self, app: &Atom, standing: Standing) {
        if let Some(app) = self.apps.get_mut(app) {
            app.standing = standing;
        }
    }

    pub(super) fn controller(&mut self, asked: Asked, app: &Atom, change: Change) {
        self.orders.push(Order::Controller(asked, app.clone(), change));
    }

    /// It runs here.
    pub(super) fn announce(&mut self, app: &Atom) {
        let message = Message::Started { node: self.me.clone(), app: app.clone(), result: Ok(()) };
        self.tell_known(&message);
    }

    pub(super) fn tell_known(&mut self, message: &Message) {
        self.tell(self.known.clone(), message);
    }

    pub(super) fn tell(&mut self, nodes: impl IntoIterator<Item = Atom>, message: &Message) {
        let others = nodes.into_iter().filter(|node| *node != self.me);
        self.orders.extend(others.map(|node| Order::Send(node, message.clone())));
    }

    fn answer_takeovers(&mut self, app: &Atom, answer: &Term) {
        let waiting = std::mem::take(&mut self.takeovers);
        for (name, ticket) in waiting {
            if name == *app {
                self.orders.push(Order::Answer(ticket, answer.clone()));
            } else {
                self.takeovers.push((name, ticket));
            }
        }
    }
}
