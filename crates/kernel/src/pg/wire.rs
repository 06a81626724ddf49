//! What scope processes of the same name say to each other, in both versions of the protocol (protocol manual, 7.1, 7.2).
//!
//! Version 0 is that of OTP 23 to 28, version 1 that of 29. To one who has not said that he knows more we say what 25
//! understands: anything else would end its scope process.

use std::collections::BTreeMap;

use term::{List, Map, Pid, Term};

use super::table::{Bag, bag};

/// The highest version we speak.
pub(super) const VERSION: i64 = 1;

/// What a peer says. Members that do not live where their announcer lives have been left out.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum PeerMessage {
    /// Who else is there? Answered with all we have.
    Discover { peer: Pid, version: i64 },
    /// Everything that the peer has; what was known of it before does not count any more.
    Data { peer: Pid, version: i64, groups: Vec<(Term, Vec<Pid>)> },
    /// Members that left, and then members that joined.
    Update { peer: Pid, changes: Vec<Change> },
    /// Members that left all of these groups, each as often as it is named.
    Leave { peer: Pid, pids: Bag, groups: BTreeMap<Term, u32> },
}

/// What changed in one group.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Change {
    pub(super) group: Term,
    pub(super) join: Vec<Pid>,
    pub(super) leave: Vec<Pid>,
}

impl PeerMessage {
    /// Reads a message, or what was in a cast. Nothing when it is none of these.
    pub(super) fn read(message: &Term) -> Option<PeerMessage> {
        let (word, rest) = message.as_tuple()?.split_first()?;
        let (Term::Pid(peer), rest) = rest.split_first()? else { return None };
        let peer = peer.clone();
        Some(match (word.as_atom()?.as_str(), rest) {
            ("discover", []) => PeerMessage::Discover { peer, version: 0 },
            ("discover", [Term::Int(version @ 0..)]) => PeerMessage::Discover { peer, version: *version },
            ("sync", [groups]) => {
                let groups =
                    proper(groups)?.iter().map(|pair| read_pair(&peer, &pair)).collect::<Option<_>>()?;
                PeerMessage::Data { peer, version: 0, groups }
            }
            // `data` in the drafts of OTP 29.
            ("local_data" | "data", [Term::Int(version @ 0..), Term::Map(groups)]) => {
                let pairs = groups.pairs().iter();
                let groups = pairs
                    .map(|(group, pids)| Some((group.clone(), read_pids(&peer, pids)?)))
                    .collect::<Option<_>>()?;
                PeerMessage::Data { peer, version: *version, groups }
            }
            ("join", [group, pids]) => {
                let join = read_pids(&peer, pids)?;
                let change = Change { group: group.clone(), join, leave: Vec::new() };
                PeerMessage::Update { peer, changes: vec![change] }
            }
            ("leave", [pids, groups]) => {
                let pids = bag(read_pids(&peer, pids)?);
                let mut counted = BTreeMap::new();
                for group in proper(groups)?.iter() {
                    *counted.entry(group).or_insert(0_u32) += 1;
                }
                PeerMessage::Leave { peer, pids, groups: counted }
            }
            ("update", [changes]) => {
                let changes = proper(changes)?
                    .iter()
                    .map(|change| read_change(&peer, &change))
                    .collect::<Option<_>>()?;
                PeerMessage::Update { peer, changes }
            }
            _ => return None,
        })
    }

    /// The scope process that speaks.
    pub(super) fn peer(&self) -> &Pid {
        match self {
            PeerMessage::Discover { peer, .. }
            | PeerMessage::Data { peer, .. }
            | PeerMessage::Update { peer, .. }
            | PeerMessage::Leave { peer, .. } => peer,
        }
    }
}

fn read_pair(peer: &Pid, pair: &Term) -> Option<(Term, Vec<Pid>)> {
    match pair.as_tuple()? {
        [group, pids] => Some((group.clone(), read_pids(peer, pids)?)),
        _ => None,
    }
}

fn read_change(peer: &Pid, change: &Term) -> Option<Change> {
    let [group, join, leave] = change.as_tuple()? else { return None };
    Some(Change { group: group.clone(), join: read_pids(peer, join)?, leave: read_pids(peer, leave)? })
}

/// A pid or a list of pids, of the node where the peer lives.
fn read_pids(peer: &Pid, pids: &Term) -> Option<Vec<Pid>> {
    let mut pids = pids_of(pids)?;
    pids.retain(|pid| pid.node == peer.node);
    Some(pids)
}

/// A pid or a list of pids.
pub(super) fn pids_of(term: &Term) -> Option<Vec<Pid>> {
    match term {
        Term::Pid(pid) => Some(vec![pid.clone()]),
        term => proper(term)?.iter().map(|pid| pid.as_pid().cloned()).collect(),
    }
}

fn proper(term: &Term) -> Option<&List> {
    term.as_list().filter(|list| list.improper_tail().is_none())
}

/// `{discover, Me}`, or `{discover, Me, 1}` to one who said so himself.
pub(super) fn discover(me: &Pid, version: i64) -> Term {
    match version {
        0 => Term::tuple([Term::atom("discover"), Term::Pid(me.clone())]),
        _ => Term::tuple([Term::atom("discover"), Term::Pid(me.clone()), Term::Int(VERSION)]),
    }
}

/// Everything we have; goes as a cast.
pub(super) fn data<'a>(me: &Pid, version: i64, groups: impl Iterator<Item = (&'a Term, Vec<Pid>)>) -> Term {
    let mut pairs = groups.map(|(group, pids)| (group.clone(), pid_list(pids)));
    if version == 0 {
        let pairs = Term::list(pairs.by_ref().map(|(group, pids)| Term::tuple([group, pids])));
        return Term::tuple([Term::atom("sync"), Term::Pid(me.clone()), pairs]);
    }
    let map = Term::Map(pairs.collect::<Map>());
    Term::tuple([Term::atom("local_data"), Term::Pid(me.clone()), Term::Int(VERSION), map])
}

/// Processes of ours that joined a group.
pub(super) fn join(me: &Pid, version: i64, group: &Term, pids: &[Pid]) -> Term {
    let me = Term::Pid(me.clone());
    match version {
        0 => Term::tuple([Term::atom("join"), me, group.clone(), one_or_list(pids)]),
        _ => {
            let change = Term::tuple([group.clone(), pid_list(pids.to_vec()), Term::NIL]);
            Term::tuple([Term::atom("update"), me, Term::list([change])])
        }
    }
}

/// Processes of ours that left a group: exactly those that were in it, because OTP 25 does not forgive others.
pub(super) fn leave(me: &Pid, version: i64, group: &Term, pids: &[Pid]) -> Term {
    let me = Term::Pid(me.clone());
    match version {
        0 => Term::tuple([Term::atom("leave"), me, one_or_list(pids), Term::list([group.clone()])]),
        _ => {
            let change = Term::tuple([group.clone(), Term::NIL, pid_list(pids.to_vec())]);
            Term::tuple([Term::atom("update"), me, Term::list([change])])
        }
    }
}

/// A process of ours that ended was in these groups, that often.
pub(super) fn gone(me: &Pid, version: i64, pid: &Pid, groups: &BTreeMap<Term, u32>) -> Term {
    let me = Term::Pid(me.clone());
    if version == 0 {
        let groups = groups.iter().flat_map(|(group, times)| std::iter::repeat_n(group, *times as usize));
        let groups = Term::list(groups.cloned());
        return Term::tuple([Term::atom("leave"), me, Term::Pid(pid.clone()), groups]);
    }
    let changes = groups.iter().map(|(group, times)| {
        let pids = std::iter::repeat_n(pid.clone(), *times as usize).collect();
        Term::tuple([group.clone(), Term::NIL, pid_list(pids)])
    });
    Term::tuple([Term::atom("update"), me, Term::list(changes)])
}

fn one_or_list(pids: &[Pid]) -> Term {
    match pids {
        [pid] => Term::Pid(pid.clone()),
        pids => pid_list(pids.to_vec()),
    }
}

pub(super) fn pid_list(pids: Vec<Pid>) -> Term {
    Term::list(pids.into_iter().map(Term::Pid))
}
