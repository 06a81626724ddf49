//! Nodes that are lost: what they ran is waited for, and then decided anew.

use term::Atom;

use super::events::{Asked, Change, Order, Standing};
use super::machine::Machine;

impl Machine {
    pub(super) fn node_down(&mut self, node: &Atom) {
        self.known.remove(node);
        self.early.retain(|message| message.node() != Some(node));
        if self.awaiting.remove(node) {
            self.look_whether_met();
        }
        self.remote_started.retain(|(there, _)| there != node);
        self.weights.retain(|(_, there), _| there != node);
        self.owed.retain(|(_, there), _| there != node);
        self.loaded_there.retain(|(_, there), _| there != node);
        let names: Vec<Atom> = self.apps.keys().cloned().collect();
        for name in &names {
            if let Some(app) = self.apps.get_mut(name) {
                app.run.remove(node);
            }
            if self.deciding.contains_key(name) {
                self.lost_while_deciding(name, node);
            } else {
                self.lost(name, node);
            }
        }
        for mut left in std::mem::take(&mut self.leaving) {
            if left.nodes.remove(node) && left.nodes.is_empty() {
                self.controller(Asked::Change, &left.app, Change::Stop);
                self.stops.push((left.app, left.ticket));
            } else {
                self.leaving.push(left);
            }
        }
    }

    /// The node that ran it is lost.
    pub(super) fn lost(&mut self, name: &Atom, node: &Atom) {
        if self.standing(name) != Some(&Standing::Distributed(node.clone())) {
            return;
        }
        if !self.may_run_here(name) {
            self.controller(Asked::Change, name, Change::NotRunning);
            return self.set(name, Standing::Undefined);
        }
        self.set(name, Standing::Failover(node.clone()));
        let patience = self.apps.get(name).and_then(|app| app.ladder.patience());
        self.orders.extend(patience.map(|wait| Order::Wait(wait, name.clone())));
    }
}
