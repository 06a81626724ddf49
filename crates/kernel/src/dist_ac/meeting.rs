//! Two nodes meet: what each knows of the applications of the other, and what happens when both run the same one.
//!
//! OTP's nodes introduce themselves only when they boot. Ours do so too when a connection that was lost is back: then both
//! halves of a split cluster may run an application. The better place in the ladder keeps it; the worse one stops its copy.

use std::collections::BTreeSet;
use std::time::Duration;

use term::Atom;

use super::events::{Asked, Change, Order, Standing, Ticket};
use super::machine::{Doubt, Machine};
use super::wire::{Appl, Message};
use crate::limits::{DIST_AC_DOUBT_MILLIS, DIST_AC_DOUBTS_MAX};

impl Machine {
    /// `node` says what it has and what it runs.
    pub(super) fn meet(&mut self, node: &Atom, apps: &[Appl], started: Vec<(Atom, Atom)>) {
        let mut runs: BTreeSet<Atom> =
            started.into_iter().filter(|(there, _)| there == node).map(|(_, app)| app).collect();
        for theirs in apps {
            if theirs.standing == Standing::Local {
                runs.insert(theirs.name.clone());
            }
            let permit = theirs.run.iter().find(|(there, _)| there == node).and_then(|(_, permit)| *permit);
            self.note_permit(&theirs.name, node.clone(), permit);
        }
        for app in &runs {
            self.runs_at(node, app);
        }
        for theirs in apps.iter().filter(|theirs| !runs.contains(&theirs.name)) {
            let knows = [Standing::Undefined, Standing::Distributed(self.me.clone())];
            if self.standing(&theirs.name) == Some(&Standing::Local) && !knows.contains(&theirs.standing) {
                let message =
                    Message::Started { node: self.me.clone(), app: theirs.name.clone(), result: Ok(()) };
                self.orders.push(Order::Send(node.clone(), message));
                self.claims.entry(theirs.name.clone()).or_default().insert(node.clone());
            }
        }
    }

    /// What a node has answered when we asked.
    pub(super) fn told(&mut self, node: &Atom, ticket: Ticket, apps: &[Appl]) {
        for theirs in apps {
            self.settle_doubt(node, ticket, theirs);
            match &theirs.standing {
                Standing::Local => self.runs_at(node, &theirs.name),
                Standing::Distributed(there) => self.pointed_to(&theirs.name, node, there),
                _ => {}
            }
        }
    }

    /// A node that we have just met runs it.
    fn runs_at(&mut self, node: &Atom, name: &Atom) {
        let said = Message::Started { node: node.clone(), app: name.clone(), result: Ok(()) };
        if self.deciding.contains_key(name) {
            // He says it himself: it counts, known or not.
            return self.started_meanwhile(name, node.clone(), Ok(()));
        }
        let Some(app) = self.apps.get(name) else { return self.note_remote(node.clone(), name.clone()) };
        match app.standing.clone() {
            Standing::Local if app.ladder.place(&self.me) < app.ladder.place(node) => self.announce(name),
            Standing::Local => {
                tracing::warn!(app = %name, %node, "the application runs here and there: the copy here is stopped");
                let others = self.known.iter().filter(|other| *other != node).cloned().collect::<Vec<_>>();
                self.tell(others, &said);
                self.follow(node, name);
            }
            Standing::Distributed(there) if there == *node => {}
            Standing::Distributed(there) if app.ladder.place(&there) < app.ladder.place(node) => {}
            Standing::Distributed(_) | Standing::Failover(_) => self.follow(node, name),
            Standing::Undefined if self.started.contains(name) => self.follow(node, name),
            Standing::Undefined => self.note_remote(node.clone(), name.clone()),
            // When ours runs we tell him, and his stops.
            Standing::RunWaiting | Standing::Takeover => {}
        }
    }

    /// It was taken over, says somebody. When two nodes had started it without knowing of each other, each has stopped for
    /// the other, and others may have heard of them in any order: so we ask who runs it now.
    pub(super) fn doubt(&mut self, node: Atom, name: &Atom, asks: u32) {
        let ticket = self.ask(node.clone());
        self.doubts.insert(name.clone(), Doubt { node, asks, ticket });
    }

    /// The time is over in which somebody else should have done something.
    pub(super) fn doubt_again(&mut self, name: &Atom) {
        if let Some(Doubt { node, asks, .. }) = self.doubts.get(name).cloned() {
            self.doubt(node, name, asks + 1);
        }
    }

    fn settle_doubt(&mut self, node: &Atom, ticket: Ticket, theirs: &Appl) {
        let name = &theirs.name;
        let Some(doubt) = self.doubts.get(name).cloned() else { return };
        let (doubted, asks) = (doubt.node, doubt.asks);
        if doubt.ticket != ticket || self.deciding.contains_key(name) {
            return;
        }
        let runs = matches!(theirs.standing, Standing::Local | Standing::RunWaiting | Standing::Takeover);
        if runs || self.standing(name) != Some(&Standing::Distributed(doubted)) {
            self.doubts.remove(name);
            return;
        }
        match &theirs.standing {
            Standing::Distributed(there) if *there != self.me && there != node => {
                self.controller(Asked::Change, name, Change::Started(there.clone()));
                self.set(name, Standing::Distributed(there.clone()));
                self.answer_votes(name);
                if !self.known.contains(there) {
                    // He has not heard yet that it is lost.
                    self.doubts.remove(name);
                    return self.lost(name, there);
                }
                if asks < DIST_AC_DOUBTS_MAX {
                    return self.doubt(there.clone(), name, asks + 1);
                }
                self.doubts.insert(name.clone(), Doubt { node: there.clone(), asks, ticket });
            }
            _ => {
                let better = |app: &super::machine::App| app.ladder.place(&self.me) < app.ladder.place(node);
                let ours = asks > 0 || self.apps.get(name).is_some_and(better);
                if ours && self.may_run_here(name) {
                    self.doubts.remove(name);
                    self.controller(Asked::Change, name, Change::Start);
                    return self.set(name, Standing::RunWaiting);
                }
            }
        }
        self.orders.push(Order::Wait(Duration::from_millis(DIST_AC_DOUBT_MILLIS), name.clone()));
    }

    /// It runs there now, and not where we said when we met others.
    pub(super) fn take_back_claims(&mut self, name: &Atom, node: &Atom) {
        let told = self.claims.remove(name).unwrap_or_default();
        let message = Message::Started { node: node.clone(), app: name.clone(), result: Ok(()) };
        self.tell(told.into_iter().filter(|other| other != node), &message);
    }

    fn follow(&mut self, node: &Atom, name: &Atom) {
        self.controller(Asked::Change, name, Change::Started(node.clone()));
        self.set(name, Standing::Distributed(node.clone()));
        self.answer_votes(name);
        self.take_back_claims(name, node);
        self.doubt(node.clone(), name, 0);
    }
}
