//! A decision under way: who of the ladder runs the application. Votes are awaited, then the start.

use std::collections::{BTreeMap, BTreeSet};

use term::{Atom, Term};

use super::events::{Asked, Change, Event, Order, Standing, Ticket};
use super::ladder::Rank;
use super::machine::Machine;
use super::wire::Message;

/// One decision.
#[derive(Debug)]
pub(super) struct Deciding {
    asked: Asked,
    then: Then,
    /// Where it may run.
    permitted: BTreeSet<Atom>,
    phase: Phase,
    /// Those who were a vote ahead of us: they have ours, and we have theirs for the next.
    ahead: BTreeMap<Atom, i64>,
    /// What came meanwhile.
    later: Vec<Later>,
}

/// What follows when it is decided.
#[derive(Debug)]
pub(super) enum Then {
    Nothing,
    /// The controller has asked.
    Start,
    /// The wait for a lost node was over.
    Failover,
    /// Somebody has permitted it here.
    Permit(Ticket),
}

#[derive(Debug)]
enum Phase {
    Looking,
    /// All say how busy they are.
    Voting {
        rank: usize,
        awaited: BTreeSet<Atom>,
        votes: Vec<(i64, Atom)>,
    },
    /// That node will start it.
    Starting(Atom),
    /// One of those that may will start it.
    SomebodyStarts,
}

#[derive(Debug)]
enum Later {
    Event(Event),
    Lost(Atom),
}

/// Who shall run it.
enum Pick {
    Run(Atom),
    Runs(Atom),
    /// Others may, we may not.
    Others,
    Nobody,
}

impl Machine {
    /// Begins to decide.
    pub(super) fn start(&mut self, name: Atom, asked: Asked, then: Then) {
        let Some(app) = self.apps.get(&name) else {
            let reason = Term::tuple([Term::atom("unknown_application"), Term::Atom(name.clone())]);
            return self.failed(&name, asked, &then, reason);
        };
        if app.standing == Standing::Local {
            return self.done(&name, then, false);
        }
        let not_loaded = |(node, permit): (&Atom, &Option<bool>)| permit.is_none().then(|| node.clone());
        let bad: Vec<Atom> =
            app.run.iter().filter_map(not_loaded).filter(|node| self.known.contains(node)).collect();
        if !bad.is_empty() {
            let bad = Term::list(bad.into_iter().map(Term::Atom));
            let reason = Term::tuple([Term::atom("app_not_loaded"), Term::Atom(name.clone()), bad]);
            return self.failed(&name, asked, &then, reason);
        }
        let may = app.run.iter().filter(|(_, permit)| **permit == Some(true));
        let permitted = may.map(|(node, _)| node.clone()).collect();
        let deciding = Deciding {
            asked,
            then,
            permitted,
            phase: Phase::Looking,
            ahead: BTreeMap::new(),
            later: Vec::new(),
        };
        self.deciding.insert(name.clone(), deciding);
        self.look(&name, 0);
    }

    /// Those of the ladder that may run it.
    fn candidates(&self, name: &Atom) -> Vec<Atom> {
        let (Some(app), Some(deciding)) = (self.apps.get(name), self.deciding.get(name)) else {
            return Vec::new();
        };
        app.ladder.nodes().filter(|node| deciding.permitted.contains(*node)).cloned().collect()
    }

    /// Looks for the best, from this step of the ladder on.
    fn look(&mut self, name: &Atom, from: usize) {
        let all = self.candidates(name);
        let elsewhere = self.running_elsewhere(name);
        if !all.contains(&self.me) {
            let there = self.remote_started.iter().find(|(_, app)| app == name).map(|(node, _)| node.clone());
            let pick =
                there.map(Pick::Runs).unwrap_or(if all.is_empty() { Pick::Nobody } else { Pick::Others });
            return self.picked(name, pick);
        }
        let ranks = self.apps.get(name).map(|app| app.ladder.ranks().to_vec()).unwrap_or_default();
        for (step, rank) in ranks.iter().enumerate().skip(from) {
            let runs = elsewhere.iter().find(|node| rank.nodes().contains(node) && all.contains(node));
            if let Some(node) = runs {
                return self.picked(name, Pick::Runs(node.clone()));
            }
            match rank {
                Rank::One(node) if all.contains(node) => return self.picked(name, Pick::Run(node.clone())),
                Rank::One(_) => {}
                Rank::Equals(_) => return self.call_the_vote(name, step, &all),
            }
        }
        self.picked(name, Pick::Others);
    }

    /// Where we think that it runs.
    fn running_elsewhere(&self, name: &Atom) -> Vec<Atom> {
        let before = self.remote_started.iter().filter(|(_, app)| app == name).map(|(node, _)| node.clone());
        let mut nodes: Vec<Atom> = before.collect();
        if let Some(Standing::Distributed(node)) = self.standing(name) {
            nodes.push(node.clone());
        }
        nodes
    }

    /// We tell all candidates our weight, and want theirs.
    fn call_the_vote(&mut self, name: &Atom, rank: usize, all: &[Atom]) {
        let weight = self.weight_to_say(name);
        let mut votes = vec![(weight, self.me.clone())];
        let mut awaited = BTreeSet::new();
        for node in all.iter().filter(|node| **node != self.me).cloned().collect::<Vec<_>>() {
            let ahead = self.deciding.get_mut(name).and_then(|deciding| deciding.ahead.remove(&node));
            if let Some(weight) = ahead {
                votes.push((weight, node));
                continue;
            }
            self.vote(name, weight, node.clone());
            match self.weights.remove(&(name.clone(), node.clone())) {
                Some(weight) => votes.push((weight, node)),
                None => {
                    awaited.insert(node);
                }
            }
        }
        if let Some(deciding) = self.deciding.get_mut(name) {
            deciding.phase = Phase::Voting { rank, awaited, votes };
        }
        self.count(name);
    }

    /// When all have voted, the least burdened of the step runs it.
    fn count(&mut self, name: &Atom) {
        let Some(Deciding { phase: Phase::Voting { rank, awaited, votes }, .. }) =
            self.deciding.get_mut(name)
        else {
            return;
        };
        if !awaited.is_empty() {
            return;
        }
        let (rank, mut votes) = (*rank, std::mem::take(votes));
        votes.sort();
        let step = self.apps.get(name).and_then(|app| app.ladder.ranks().get(rank).cloned());
        let equals = step.map(|rank| rank.nodes().to_vec()).unwrap_or_default();
        let alive = |node: &Atom| *node == self.me || self.known.contains(node);
        let best = votes.into_iter().map(|(_, node)| node).find(|node| equals.contains(node) && alive(node));
        match best {
            Some(node) => self.picked(name, Pick::Run(node)),
            None => self.look(name, rank + 1),
        }
    }

    fn picked(&mut self, name: &Atom, pick: Pick) {
        let Some(deciding) = self.deciding.get_mut(name) else { return };
        let asked = deciding.asked;
        match pick {
            Pick::Run(node) if node == self.me => {
                let change = self.how_to_start(name, asked);
                self.controller(asked, name, change);
                self.finish(name, Some(Standing::RunWaiting));
            }
            // A better one will take it over in its own time: OTP would wait for that here.
            Pick::Run(node) => match self.remote_started.iter().find(|(_, app)| app == name) {
                Some((there, _)) if asked == Asked::Reply => self.runs_there(name, asked, there.clone()),
                _ => self.await_start(name, node),
            },
            Pick::Others => {
                deciding.phase = Phase::SomebodyStarts;
                for node in self.candidates(name) {
                    self.ask(node);
                }
            }
            Pick::Runs(node) => self.runs_there(name, asked, node),
            Pick::Nobody => {
                let change = if asked == Asked::Reply { Change::NotStarted } else { Change::Stop };
                self.controller(asked, name, change);
                self.finish(name, Some(Standing::Undefined));
            }
        }
    }

    /// That node will start it. Or runs it already: it may have told everybody just before it knew us, and when the node that
    /// was lost had taken it over from there, that may not be known there.
    fn await_start(&mut self, name: &Atom, node: Atom) {
        if let Some(deciding) = self.deciding.get_mut(name) {
            deciding.phase = Phase::Starting(node.clone());
        }
        self.ask(node);
    }

    fn how_to_start(&self, name: &Atom, asked: Asked) -> Change {
        let before = self.remote_started.iter().find(|(_, app)| app == name).map(|(node, _)| node.clone());
        match (asked, self.standing(name).cloned()) {
            (Asked::Change, Some(Standing::Failover(node))) => Change::Failover(node),
            (Asked::Change, Some(Standing::Distributed(node))) => Change::Takeover(node, None),
            (Asked::Reply, _) => before.map_or(Change::Start, |node| Change::Takeover(node, None)),
            _ => Change::Start,
        }
    }

    fn runs_there(&mut self, name: &Atom, asked: Asked, node: Atom) {
        self.controller(asked, name, Change::Started(node.clone()));
        let there = Standing::Distributed(node.clone());
        self.finish(name, Some(there.clone()));
        // What we heard before we started it may be old by now.
        if asked == Asked::Reply && self.standing(name) == Some(&there) && !self.deciding.contains_key(name) {
            self.doubt(node, name, 0);
        }
    }

    /// It is decided. Without a standing it stays as it was.
    fn finish(&mut self, name: &Atom, standing: Option<Standing>) {
        let Some(deciding) = self.deciding.remove(name) else { return };
        if let Phase::Voting { awaited, .. } = deciding.phase {
            for node in awaited {
                *self.owed.entry((name.clone(), node)).or_insert(0) += 1;
            }
        }
        let waiting = standing == Some(Standing::RunWaiting);
        if let Some(standing) = standing {
            self.set(name, standing);
        }
        self.forget_weights(name);
        self.remote_started.retain(|(_, app)| app != name);
        self.started.insert(name.clone());
        self.done(name, deciding.then, waiting);
        self.answer_votes(name);
        for later in deciding.later {
            match later {
                Later::Event(event) => self.hear(event),
                Later::Lost(node) if self.deciding.contains_key(name) => {
                    self.lost_while_deciding(name, &node)
                }
                Later::Lost(node) => self.lost(name, &node),
            }
        }
    }

    fn done(&mut self, name: &Atom, then: Then, waiting: bool) {
        match then {
            Then::Nothing | Then::Failover => {}
            Then::Start => self.orders.push(Order::Decided(name.clone())),
            Then::Permit(ticket) if waiting => self.takeovers.push((name.clone(), ticket)),
            Then::Permit(ticket) => self.orders.push(Order::Answer(ticket, Term::atom("ok"))),
        }
    }

    fn failed(&mut self, name: &Atom, asked: Asked, then: &Then, reason: Term) {
        match then {
            Then::Start => {
                self.controller(asked, name, Change::Error(reason));
                self.orders.push(Order::Decided(name.clone()));
            }
            Then::Permit(ticket) => {
                let answer = Term::tuple([Term::atom("error"), reason]);
                self.orders.push(Order::Answer(*ticket, answer));
            }
            Then::Nothing | Then::Failover => {
                tracing::warn!(app = %name, %reason, "the application cannot be moved here");
            }
        }
    }

    // What is heard while it is being decided.

    pub(super) fn hear_deciding(&mut self, event: Event) {
        match event {
            Event::Wire(Message::Weight { app, weight, node }) => self.voted(app, weight, node),
            Event::Wire(Message::Started { node, app, result }) => {
                if self.known.contains(&node) {
                    self.started_meanwhile(&app, node, result);
                }
            }
            Event::Wire(Message::Loaded { .. } | Message::Unloaded { .. }) => self.act(event),
            _ => self.put_off(event),
        }
    }

    fn put_off(&mut self, event: Event) {
        let Some(deciding) = event.app().cloned().and_then(|app| self.deciding.get_mut(&app)) else { return };
        if deciding.later.len() < crate::limits::DIST_AC_NOTES_MAX {
            deciding.later.push(Later::Event(event));
        }
    }

    fn voted(&mut self, app: Atom, weight: i64, node: Atom) {
        let Some(deciding) = self.deciding.get_mut(&app) else { return };
        match &mut deciding.phase {
            Phase::Voting { awaited, votes, .. } if awaited.contains(&node) => {
                awaited.remove(&node);
                votes.push((weight, node));
                self.count(&app);
            }
            // He counts other candidates than we do, or is a step further down. Nobody waits for the next in a circle.
            Phase::Voting { .. } => {
                if !self.was_owed(&app, &node) {
                    let mine = self.weight_to_say(&app);
                    self.vote(&app, mine, node.clone());
                    if let Some(deciding) = self.deciding.get_mut(&app) {
                        deciding.ahead.insert(node, weight);
                    }
                }
            }
            // He wins or is lost; any weight will do.
            _ => {
                if !self.was_owed(&app, &node) {
                    let mine = self.weight_to_say(&app);
                    self.vote(&app, mine, node);
                }
            }
        }
    }

    pub(super) fn started_meanwhile(&mut self, name: &Atom, node: Atom, result: Result<(), Term>) {
        let Some(deciding) = self.deciding.get(name) else { return };
        let asked = deciding.asked;
        match (&deciding.phase, result) {
            (Phase::Looking, _) => {}
            (Phase::Voting { rank, .. }, Ok(())) => {
                let rank = *rank;
                let place = self.apps.get(name).map_or(usize::MAX, |app| app.ladder.place(&node).0);
                // At a failover it is enough that somebody runs it.
                if place <= rank || asked == Asked::Change {
                    self.runs_there(name, asked, node);
                } else {
                    self.note_remote(node, name.clone());
                }
            }
            (Phase::Voting { .. }, Err(_)) => {}
            (Phase::Starting(_) | Phase::SomebodyStarts, Ok(())) => self.runs_there(name, asked, node),
            (Phase::Starting(expected), Err(_)) if *expected != node => {}
            (_, Err(reason)) => {
                if asked == Asked::Reply {
                    let reason = Term::tuple([Term::Atom(node), reason]);
                    self.controller(asked, name, Change::Error(reason));
                }
                self.finish(name, None);
            }
        }
    }

    /// The one of whom we thought that it would start it knows better.
    pub(super) fn pointed_to(&mut self, name: &Atom, node: &Atom, there: &Atom) {
        let Some(deciding) = self.deciding.get(name) else { return };
        let awaited = match &deciding.phase {
            Phase::Starting(starter) => starter == node,
            Phase::SomebodyStarts => true,
            Phase::Looking | Phase::Voting { .. } => false,
        };
        if !awaited {
            return;
        }
        if *there == self.me {
            // He waits for us, and we for him.
            self.picked(name, Pick::Run(there.clone()));
        } else if self.known.contains(there) {
            self.started_meanwhile(name, there.clone(), Ok(()));
        }
    }

    pub(super) fn lost_while_deciding(&mut self, name: &Atom, node: &Atom) {
        let ran_it = self.standing(name) == Some(&Standing::Distributed(node.clone()));
        let Some(deciding) = self.deciding.get_mut(name) else { return };
        if ran_it {
            deciding.later.push(Later::Lost(node.clone()));
        }
        deciding.permitted.remove(node);
        deciding.ahead.remove(node);
        match &mut deciding.phase {
            Phase::Voting { awaited, .. } => {
                if awaited.remove(node) {
                    self.count(name);
                }
            }
            Phase::Starting(starter) if starter != node => {}
            Phase::Looking | Phase::Starting(_) | Phase::SomebodyStarts => self.look(name, 0),
        }
    }
}
