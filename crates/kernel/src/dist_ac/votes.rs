//! Votes: how busy each node is, so that the least burdened of equals runs an application.
//!
//! Every vote is answered with one. What is answered, and when, is OTP's: a peer that waits for our vote waits for ever.

use term::Atom;

use super::events::{Event, Order, Standing};
use super::machine::Machine;
use super::wire::Message;
use crate::limits::DIST_AC_NOTES_MAX;

impl Machine {
    /// Our weight for an application: once said, the same until it is decided, or two nodes may count differently.
    pub(super) fn weight_to_say(&mut self, app: &Atom) -> i64 {
        *self.sent_weights.entry(app.clone()).or_insert(self.load)
    }

    pub(super) fn forget_weights(&mut self, app: &Atom) {
        self.sent_weights.remove(app);
    }

    /// Somebody votes. Every vote is answered with one, now or when we vote ourselves.
    pub(super) fn weighed(&mut self, app: Atom, weight: i64, node: Atom) {
        if self.was_owed(&app, &node) {
            return;
        }
        match self.standing(&app) {
            Some(Standing::RunWaiting) => self.vote(&app, 0, node),
            None | Some(Standing::Undefined | Standing::Failover(_)) => {
                if self.weights.len() < DIST_AC_NOTES_MAX {
                    self.weights.insert((app, node), weight);
                }
            }
            Some(_) => {
                let weight = self.weight_to_say(&app);
                self.vote(&app, weight, node);
            }
        }
    }

    /// Whether this vote answers one of ours that we had not waited for.
    pub(super) fn was_owed(&mut self, app: &Atom, node: &Atom) -> bool {
        let key = (app.clone(), node.clone());
        let Some(owed) = self.owed.get_mut(&key) else { return false };
        *owed -= 1;
        if *owed == 0 {
            self.owed.remove(&key);
        }
        true
    }

    /// Those whose votes we did not need wait for ours.
    pub(super) fn answer_votes(&mut self, name: &Atom) {
        let unread: Vec<(Atom, Atom)> = self.weights.keys().filter(|(app, _)| app == name).cloned().collect();
        for (app, node) in unread {
            if let Some(weight) = self.weights.remove(&(app.clone(), node.clone())) {
                self.hear(Event::Wire(Message::Weight { app, weight, node }));
            }
        }
    }

    pub(super) fn vote(&mut self, app: &Atom, weight: i64, node: Atom) {
        let message = Message::Weight { app: app.clone(), weight, node: self.me.clone() };
        self.orders.push(Order::Send(node, message));
    }
}
