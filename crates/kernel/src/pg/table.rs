//! Who is in which group, by who said so. Pure.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use term::{Map, Pid, Term};

/// How often each process stands there: a process may join a group several times.
pub(super) type Bag = BTreeMap<Pid, u32>;

/// Counts the pids.
pub(super) fn bag(pids: impl IntoIterator<Item = Pid>) -> Bag {
    let mut bag = Bag::new();
    for pid in pids {
        put(&mut bag, pid);
    }
    bag
}

fn put(bag: &mut Bag, pid: Pid) {
    let count = bag.entry(pid).or_insert(0);
    *count = count.saturating_add(1);
}

/// The pids, each as often as it stands there.
pub(super) fn listed(bag: &Bag) -> Vec<Pid> {
    bag.iter().flat_map(|(pid, count)| std::iter::repeat_n(pid, *count as usize)).cloned().collect()
}

/// Who announces a member: this node, or the scope process of another.
#[derive(Clone, Copy)]
pub(super) enum Owner<'a> {
    Here,
    Peer(&'a Pid),
}

/// The groups that have members.
#[derive(Default)]
pub(super) struct Table(BTreeMap<Term, Group>);

#[derive(Default)]
struct Group {
    local: Bag,
    remote: BTreeMap<Pid, Bag>,
    /// Made by the first who reads after a change, shared by all who read until the next.
    all: OnceLock<Arc<[Pid]>>,
    near: OnceLock<Arc<[Pid]>>,
}

impl Table {
    /// All members of a group, ours first.
    pub(super) fn members(&self, group: &Term) -> Arc<[Pid]> {
        self.0.get(group).map_or_else(|| Arc::from([]), Group::members)
    }

    /// The members of a group that live on this node.
    pub(super) fn local_members(&self, group: &Term) -> Arc<[Pid]> {
        let near = |group: &Group| group.near.get_or_init(|| listed(&group.local).into()).clone();
        self.0.get(group).map_or_else(|| Arc::from([]), near)
    }

    /// All groups.
    pub(super) fn groups(&self) -> Vec<Term> {
        self.0.keys().cloned().collect()
    }

    /// The groups that have members on this node.
    pub(super) fn local_groups(&self) -> Vec<Term> {
        self.local().map(|(group, _)| group.clone()).collect()
    }

    /// The groups that have members on this node, with these.
    pub(super) fn local(&self) -> impl Iterator<Item = (&Term, Vec<Pid>)> {
        let local = self.0.iter().filter(|(_, group)| !group.local.is_empty());
        local.map(|(name, group)| (name, listed(&group.local)))
    }

    /// `#{Group => Pids}`.
    pub(super) fn to_map(&self) -> Map {
        let pair = |(name, group): (&Term, &Group)| {
            (name.clone(), Term::list(group.members().iter().cloned().map(Term::Pid)))
        };
        self.0.iter().map(pair).collect()
    }

    /// What a peer has announced in a group.
    pub(super) fn announced(&self, peer: &Pid, group: &Term) -> Bag {
        self.0.get(group).and_then(|group| group.remote.get(peer)).cloned().unwrap_or_default()
    }

    /// Adds members.
    pub(super) fn add(&mut self, owner: Owner<'_>, group: &Term, pids: &[Pid]) {
        if pids.is_empty() {
            return;
        }
        let bag = self.0.entry(group.clone()).or_default().changing(owner);
        for pid in pids {
            put(bag, pid.clone());
        }
    }

    /// Takes each of `pids` out as often as it stands there, `times` times: those that really left.
    pub(super) fn remove(&mut self, owner: Owner<'_>, group: &Term, pids: &Bag, times: u32) -> Vec<Pid> {
        let Some(found) = self.0.get_mut(group) else { return Vec::new() };
        let there = match owner {
            Owner::Here => Some(&mut found.local),
            Owner::Peer(peer) => found.remote.get_mut(peer),
        };
        let Some(there) = there else { return Vec::new() };
        let left = subtract(there, pids, times);
        if !left.is_empty() {
            found.changed();
            self.tidy(group);
        }
        left
    }

    /// Takes out everything that the owner has in the group.
    pub(super) fn take(&mut self, owner: Owner<'_>, group: &Term) -> Bag {
        let Some(found) = self.0.get_mut(group) else { return Bag::new() };
        let taken = std::mem::take(found.changing(owner));
        self.tidy(group);
        taken
    }

    /// Forgets what is empty.
    fn tidy(&mut self, name: &Term) {
        let Some(group) = self.0.get_mut(name) else { return };
        group.remote.retain(|_, bag| !bag.is_empty());
        if group.local.is_empty() && group.remote.is_empty() {
            self.0.remove(name);
        }
    }
}

impl Group {
    fn members(&self) -> Arc<[Pid]> {
        let all = || std::iter::once(&self.local).chain(self.remote.values()).flat_map(listed).collect();
        self.all.get_or_init(all).clone()
    }

    fn changing(&mut self, owner: Owner<'_>) -> &mut Bag {
        self.changed();
        match owner {
            Owner::Here => &mut self.local,
            Owner::Peer(peer) => self.remote.entry(peer.clone()).or_default(),
        }
    }

    fn changed(&mut self) {
        self.all = OnceLock::new();
        self.near = OnceLock::new();
    }
}

/// Walks over the smaller of the two: a long list of strangers costs nothing for every group it names.
fn subtract(there: &mut Bag, pids: &Bag, times: u32) -> Vec<Pid> {
    let both: Vec<(Pid, u32)> = if pids.len() <= there.len() {
        pids.iter().filter(|(pid, _)| there.contains_key(*pid)).map(|(p, n)| (p.clone(), *n)).collect()
    } else {
        there.keys().filter_map(|pid| pids.get(pid).map(|count| (pid.clone(), *count))).collect()
    };
    let mut left = Vec::new();
    for (pid, count) in both {
        let Some(stands) = there.get_mut(&pid) else { continue };
        let gone = count.saturating_mul(times).min(*stands);
        *stands -= gone;
        if *stands == 0 {
            there.remove(&pid);
        }
        left.extend(std::iter::repeat_n(pid, gone as usize));
    }
    left
}
