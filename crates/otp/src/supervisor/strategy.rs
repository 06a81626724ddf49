//! A child ended: now what? Pure: what happened goes in, what is to be done comes out.

use std::time::Duration;

use super::intensity::Intensity;
use super::spec::{AutoShutdown, Restart, Strategy};

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// `normal`, `shutdown` or `{shutdown, _}`.
    Orderly,
    /// Anything else.
    Crash,
}

/// What is to be done, in this order. When a [`Action::Start`] fails, the rest is void: see [`Family::on_failed_start`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action<K> {
    /// Report that the child ended (`child_terminated`).
    Report(K),
    /// End the child, and wait for its end.
    Stop(K),
    /// Start the child.
    Start(K),
    /// Forget the child's specification.
    Forget(K),
    /// Try again to start the child ([`Family::on_retry`]), after whatever else is waiting.
    Retry(K),
    /// Report that this restart was one too many.
    GiveUp(K),
    /// End the supervisor with `shutdown`.
    End,
}

/// What becomes of one child that ended, whatever becomes of the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is started again.
    Restart,
    /// It stays away; its specification stays, unless it is temporary.
    Rest,
}

/// Whether a child is started again.
pub fn fate(restart: Restart, ending: Ending) -> Fate {
    match (restart, ending) {
        (Restart::Permanent, _) | (Restart::Transient, Ending::Crash) => Fate::Restart,
        (Restart::Transient, Ending::Orderly) | (Restart::Temporary, _) => Fate::Rest,
    }
}

/// Whether the end of a child is worth a report.
pub fn is_reported(restart: Restart, ending: Ending) -> bool {
    restart == Restart::Permanent || ending == Ending::Crash
}

/// The children of a supervisor in the order of their start, and the rules by which they live.
#[derive(Clone, Debug)]
pub struct Family<K> {
    strategy: Strategy,
    auto_shutdown: AutoShutdown,
    intensity: Intensity,
    children: Vec<Member<K>>,
}

#[derive(Clone, Debug)]
struct Member<K> {
    id: K,
    restart: Restart,
    significant: bool,
    up: bool,
}

impl<K: Clone + PartialEq> Family<K> {
    /// No children.
    pub fn new(strategy: Strategy, auto_shutdown: AutoShutdown, intensity: Intensity) -> Family<K> {
        Family { strategy, auto_shutdown, intensity, children: Vec::new() }
    }

    /// A new child, the youngest.
    pub fn add(&mut self, id: K, restart: Restart, significant: bool) {
        self.children.push(Member { id, restart, significant, up: false });
    }

    /// The specification is gone.
    pub fn remove(&mut self, id: &K) {
        self.children.retain(|child| child.id != *id);
    }

    /// The child runs, or does not.
    pub fn set_up(&mut self, id: &K, up: bool) {
        if let Some(child) = self.children.iter_mut().find(|child| child.id == *id) {
            child.up = up;
        }
    }

    /// All children, oldest first.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = &K> {
        self.children.iter().map(|child| &child.id)
    }

    /// A child ended by itself at this time.
    pub fn on_exit(&mut self, id: &K, ending: Ending, now: Duration) -> Vec<Action<K>> {
        let Some(at) = self.children.iter().position(|child| child.id == *id) else { return Vec::new() };
        self.children[at].up = false;
        let child = self.children[at].clone();
        let mut actions = Vec::new();
        if is_reported(child.restart, ending) {
            actions.push(Action::Report(id.clone()));
        }
        if fate(child.restart, ending) == Fate::Restart {
            self.restart(at, now, &mut actions);
            return actions;
        }
        if child.restart == Restart::Temporary {
            self.children.remove(at);
            actions.push(Action::Forget(id.clone()));
        }
        if child.significant && self.ends_with_its_significant() {
            actions.push(Action::End);
        }
        actions
    }

    /// A child of the last actions did not start. Only for restarts; a first start that fails is the starter's matter.
    pub fn on_failed_start(&mut self, id: &K) -> Vec<Action<K>> {
        self.set_up(id, false);
        vec![Action::Retry(id.clone())]
    }

    /// The time has come to try again.
    pub fn on_retry(&mut self, id: &K, now: Duration) -> Vec<Action<K>> {
        let mut actions = Vec::new();
        let at = self.children.iter().position(|child| child.id == *id && !child.up);
        if let Some(at) = at {
            self.restart(at, now, &mut actions);
        }
        actions
    }

    fn restart(&mut self, at: usize, now: Duration, actions: &mut Vec<Action<K>>) {
        let id = self.children[at].id.clone();
        if !self.intensity.restart(now) {
            actions.extend([Action::GiveUp(id), Action::End]);
            return;
        }
        let range = match self.strategy {
            Strategy::OneForOne | Strategy::SimpleOneForOne => at..at + 1,
            Strategy::OneForAll => 0..self.children.len(),
            Strategy::RestForOne => at..self.children.len(),
        };
        for child in self.children[range.clone()].iter_mut().rev() {
            if child.up {
                child.up = false;
                actions.push(Action::Stop(child.id.clone()));
            }
            // What is not to be restarted is not restarted with the others either.
            if child.restart == Restart::Temporary {
                actions.push(Action::Forget(child.id.clone()));
            }
        }
        let first = range.start;
        let mut nth = 0;
        self.children.retain(|child| {
            nth += 1;
            !(range.contains(&(nth - 1)) && child.restart == Restart::Temporary)
        });
        let last = match self.strategy {
            Strategy::OneForOne | Strategy::SimpleOneForOne => first + 1,
            Strategy::OneForAll | Strategy::RestForOne => self.children.len(),
        };
        actions.extend(self.children[first..last].iter().map(|child| Action::Start(child.id.clone())));
    }

    /// Whether the supervisor ends, a significant child of it having done so.
    fn ends_with_its_significant(&self) -> bool {
        match self.auto_shutdown {
            AutoShutdown::Never => false,
            AutoShutdown::AnySignificant => true,
            AutoShutdown::AllSignificant => !self.children.iter().any(|child| child.significant && child.up),
        }
    }
}

#[cfg(test)]
mod tests;
