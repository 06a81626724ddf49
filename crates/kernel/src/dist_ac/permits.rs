//! What programs ask for: to permit an application here or not, and to take it over.

use std::collections::BTreeSet;

use term::{Atom, Term};

use super::deciding::Then;
use super::events::{Asked, Change, Order, Standing, Ticket};
use super::machine::{Leaving, Machine};
use super::wire::Message;

impl Machine {
    pub(super) fn permit(&mut self, name: Atom, allow: bool, only_loaded: bool, ticket: Ticket) {
        let Some(app) = self.apps.get(&name) else {
            let reason = Term::tuple([Term::atom("not_loaded"), Term::Atom(name)]);
            return self.answer(ticket, Term::tuple([Term::atom("error"), reason]));
        };
        let standing = app.standing.clone();
        let nodes: Vec<Atom> = app.ladder.nodes().cloned().collect();
        self.note_permit(&name, self.me.clone(), Some(allow));
        let (node, is_his) = (self.me.clone(), standing == Standing::Local);
        self.tell(nodes, &Message::NewPermission { node, app: name.clone(), allow, is_his });
        match (only_loaded, allow, standing) {
            (true, ..) | (_, true, Standing::Local) => self.answer(ticket, Term::atom("ok")),
            (_, true, _) => self.start(name, Asked::Change, Then::Permit(ticket)),
            (_, false, Standing::Undefined | Standing::Distributed(_)) => {
                self.answer(ticket, Term::atom("ok"));
            }
            (_, false, _) => self.leave(name, ticket),
        }
    }

    /// It runs here and may not: another takes it, or it stops.
    fn leave(&mut self, name: Atom, ticket: Ticket) {
        let run = self.apps.get(&name).map(|app| app.run.clone()).unwrap_or_default();
        let may = run.into_iter().filter(|(_, permit)| *permit == Some(true)).map(|(node, _)| node);
        let nodes: BTreeSet<Atom> = may.collect();
        if nodes.is_empty() {
            self.controller(Asked::Change, &name, Change::Stop);
            self.stops.push((name, ticket));
        } else {
            self.leaving.push(Leaving { app: name, ticket, nodes });
        }
    }

    pub(super) fn take_over(&mut self, name: Atom, kind: Term, ticket: Ticket) {
        match self.standing(&name).cloned() {
            Some(Standing::Distributed(node)) => {
                self.controller(Asked::Change, &name, Change::Takeover(node, Some(kind)));
                self.set(&name, Standing::Takeover);
                self.takeovers.push((name, ticket));
            }
            standing => {
                let local = standing == Some(Standing::Local);
                let why = if local { "already_running_locally" } else { "not_running_distributed" };
                let reason = Term::tuple([Term::atom(why), Term::Atom(name)]);
                self.answer(ticket, Term::tuple([Term::atom("error"), reason]));
            }
        }
    }

    fn answer(&mut self, ticket: Ticket, answer: Term) {
        self.orders.push(Order::Answer(ticket, answer));
    }
}
