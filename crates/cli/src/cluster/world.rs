//! What the stage knows about everybody, learnt from reports alone. Pure: events and their times in, facts out.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::report::{Report, Tie};

/// Time since the curtain rose.
pub(crate) type At = Duration;

/// Everything that is known.
#[derive(Clone, Debug, Default)]
pub(crate) struct World {
    members: BTreeMap<String, Member>,
    /// The names that EPMD listed when it was last asked.
    pub(crate) registered: BTreeSet<String>,
    /// Who was killed, and when.
    pub(crate) killed: Option<(String, At)>,
}

/// One member: a node in a process of its own.
#[derive(Clone, Debug, Default)]
pub(crate) struct Member {
    pub(crate) life: Life,
    /// The creation of its present life, and that of the one before.
    pub(crate) creation: u32,
    pub(crate) creation_before: u32,
    pub(crate) sees: BTreeSet<String>,
    pub(crate) flows: BTreeMap<String, Flow>,
    pub(crate) watching: BTreeSet<String>,
    pub(crate) fired: BTreeMap<Tie, Fired>,
    pub(crate) pings: BTreeMap<String, Option<u64>>,
}

/// Where a member is in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Life {
    #[default]
    Starting,
    Up,
    /// Ended by itself; whether its exit code was 0.
    Left(bool),
    /// Ended by us, with a signal that cannot be caught.
    Killed,
}

/// Messages between one member and another node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Flow {
    pub(crate) micros: u64,
    pub(crate) per_second: u64,
    pub(crate) at: At,
}

/// A tie to the node that was killed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fired {
    pub(crate) times: u32,
    /// From the kill to the first report of it.
    pub(crate) after: Duration,
    pub(crate) reason: String,
}

impl World {
    /// A member was started, for the first time or again.
    pub(crate) fn started(&mut self, who: &str) {
        let before = self.members.get(who).map_or(0, |member| member.creation);
        self.members.insert(who.to_owned(), Member { creation_before: before, ..Member::default() });
    }

    /// A member was killed: what fires from now on is counted from here.
    pub(crate) fn killed(&mut self, who: &str, at: At) {
        self.killed = Some((node_of(who), at));
        for member in self.members.values_mut() {
            member.fired.clear();
            member.watching.clear();
        }
        if let Some(member) = self.members.get_mut(who) {
            *member = Member { life: Life::Killed, creation: member.creation, ..Member::default() };
        }
    }

    /// A member's process ended.
    pub(crate) fn ended(&mut self, who: &str, well: bool) {
        if let Some(member) = self.members.get_mut(who)
            && member.life != Life::Killed
        {
            let creation = member.creation;
            *member = Member { life: Life::Left(well), creation, ..Member::default() };
        }
    }

    /// A member reported something.
    pub(crate) fn heard(&mut self, who: &str, at: At, report: Report) {
        let killed = self.killed.clone();
        let Some(member) = self.members.get_mut(who) else { return };
        match report {
            Report::Ready { creation } => (member.life, member.creation) = (Life::Up, creation),
            Report::Sees(nodes) => {
                member.sees = nodes.into_iter().collect();
                member.flows.retain(|node, _| member.sees.contains(node));
            }
            Report::Flow { node, micros, per_second } => {
                member.flows.insert(node, Flow { micros, per_second, at });
            }
            Report::Watching(node) => {
                member.watching.insert(node);
            }
            Report::Fired { tie, node, reason } => match killed {
                Some((dead, since)) if dead == node => member.fire(tie, at.saturating_sub(since), reason),
                _ => {}
            },
            Report::Pinged { node, micros } => {
                member.pings.insert(node, micros);
            }
            Report::Note(_) => {}
        }
    }

    /// Everybody, by name.
    pub(crate) fn members(&self) -> impl Iterator<Item = (&str, &Member)> {
        self.members.iter().map(|(name, member)| (name.as_str(), member))
    }

    /// Those that are up.
    pub(crate) fn up(&self) -> impl Iterator<Item = (&str, &Member)> {
        self.members().filter(|(_, member)| member.life == Life::Up)
    }

    /// One of them.
    pub(crate) fn member(&self, who: &str) -> Option<&Member> {
        self.members.get(who)
    }
}

impl Member {
    fn fire(&mut self, tie: Tie, after: Duration, reason: String) {
        let fired = self.fired.entry(tie).or_insert(Fired { times: 0, after, reason });
        fired.times += 1;
    }
}

/// The node of a member.
pub(crate) fn node_of(who: &str) -> String {
    format!("{who}@localhost")
}

/// The member that a node is.
pub(crate) fn who_of(node: &str) -> &str {
    node.split_once('@').map_or(node, |(who, _)| who)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn fired(tie: Tie) -> Report {
        Report::Fired { tie, node: "daryl@localhost".into(), reason: "noconnection".into() }
    }

    #[test]
    fn ties_are_counted_from_the_kill() {
        let mut world = World::default();
        world.started("bill");
        world.started("daryl");
        world.heard("bill", SECOND, fired(Tie::Link)); // before the kill: none of our business
        world.killed("daryl", 2 * SECOND);
        world.heard("bill", 3 * SECOND, fired(Tie::Link));
        world.heard("bill", 4 * SECOND, fired(Tie::Link));
        let told = &world.member("bill").unwrap().fired[&Tie::Link];
        assert_eq!((told.times, told.after), (2, SECOND));
    }

    #[test]
    fn a_second_life_remembers_the_creation_of_the_first() {
        let mut world = World::default();
        world.started("daryl");
        world.heard("daryl", SECOND, Report::Ready { creation: 7 });
        world.killed("daryl", SECOND);
        world.ended("daryl", false);
        assert_eq!(world.member("daryl").unwrap().life, Life::Killed);
        world.started("daryl");
        assert_eq!(world.member("daryl").unwrap().creation_before, 7);
    }
}
