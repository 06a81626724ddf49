//! Who keeps us waiting: noticed, named, and not allowed to hold our locks for ever.
//!
//! OTP's locker waits without end, and a peer that does not answer stops every registration of its partition (6.7).
//! Here every wait on a peer has a ceiling. Past it the operator reads the peer's name, our locks are given back, and the
//! meeting begins anew with what peers of every release understand: `cancel_connect` and another `init_connect`.

use std::time::Duration;

use proto::Now;
use term::{Atom, Term};

use super::clients;
use super::events::{Effect, Level, RequestId};
use super::locker;
use super::machine::Global;
use super::peers::Peer;
use super::registrar;
use super::sessions::{End, Leave};
use crate::limits::{
    GLOBAL_ANSWER_SECS_MAX, GLOBAL_HELD_SECS_MAX, GLOBAL_ONE_SIDED_SECS_MAX, GLOBAL_REMOVING_SECS_MAX,
    GLOBAL_SILENT_SECS_MAX,
};

const ANSWER: Duration = Duration::from_secs(GLOBAL_ANSWER_SECS_MAX);
const HELD: Duration = Duration::from_secs(GLOBAL_HELD_SECS_MAX);
const REMOVING: Duration = Duration::from_secs(GLOBAL_REMOVING_SECS_MAX);
const ONE_SIDED: Duration = Duration::from_secs(GLOBAL_ONE_SIDED_SECS_MAX);
const SILENT: Duration = Duration::from_secs(GLOBAL_SILENT_SECS_MAX);

/// What is to be done about a peer.
enum Remedy {
    HangUp,
    /// It greets us, and we thought that we know it: it does not know us, so we begin anew.
    BeginAnew,
    /// We have waited long enough to begin anew.
    Restart,
    /// It says that it knows us, and nobody tells us of it.
    Greet,
    /// It knows us for good and will not greet: only a new connection helps.
    Reconnect,
    SayThatItIsSilent,
}

impl Global {
    pub(super) fn watch_deadline(&self) -> Option<Now> {
        let peers = self.peers.iter().filter_map(|(_, peer)| peer_deadline(peer)).min();
        let job = self.locker.job.as_ref().map(|job| job.since + job_patience(job));
        let task =
            self.registrar.task.as_ref().filter(|task| !matches!(task.stage, registrar::Stage::Sleep(_)));
        let task = task.map(|task| task.since + ANSWER);
        let clients = self.clients.values().filter(|job| !matches!(job.stage, clients::Stage::Sleeping(_)));
        let clients = clients.map(|job| job.since + ANSWER).min();
        let lock = self.global_lock_since.filter(|(_, told)| !told).map(|(since, _)| since + HELD);
        [peers, job, task, clients, lock].into_iter().flatten().min()
    }

    pub(super) fn watch_wake(&mut self) {
        self.watch_peers();
        self.watch_locker();
        self.watch_registrar();
        self.watch_clients();
        self.watch_global_lock();
    }

    fn watch_peers(&mut self) {
        let now = self.now;
        let due: Vec<(Atom, Remedy)> = self
            .peers
            .iter()
            .filter(|(_, peer)| peer_deadline(peer).is_some_and(|at| at <= now))
            .filter_map(|(node, peer)| Some((node.clone(), remedy(peer, now)?)))
            .collect();
        for (node, remedy) in due {
            self.apply_remedy(&node, remedy);
        }
    }

    fn apply_remedy(&mut self, node: &Atom, remedy: Remedy) {
        let now = self.now;
        match remedy {
            Remedy::HangUp => {
                self.peers.entry(node).removing = Some(now);
                self.effect(Effect::Disconnect { node: node.clone() });
            }
            Remedy::BeginAnew => {
                let early = self.peers.entry(node).early.take();
                self.log(
                    Level::Warning,
                    format!("global: {node} does not know us any more, meeting it again"),
                );
                // The others of our partition may have heard of it from us: they must forget what it had too.
                self.leave(node, Leave::Lost);
                self.peers.entry(node).early = early;
                self.start_session(node);
            }
            Remedy::Restart => {
                self.peers.entry(node).restart_at = None;
                self.start_session(node);
            }
            Remedy::Greet => {
                self.peers.entry(node).one_sided = Some(now);
                self.start_session(node);
            }
            Remedy::Reconnect => {
                let text = format!(
                    "global: {node} knows us and does not answer our greeting; connecting anew, so that the names of both \
                     sides become the same"
                );
                self.log(Level::Warning, text);
                self.peers.entry(node).one_sided = Some(now);
                self.effect(Effect::Disconnect { node: node.clone() });
            }
            Remedy::SayThatItIsSilent => {
                if let Some(session) = self.peers.session_mut(node) {
                    session.told = true;
                }
                let text = format!(
                    "global: {node} has not answered our greeting for {GLOBAL_SILENT_SECS_MAX} s; names are not shared with it"
                );
                self.log(Level::Warning, text);
            }
        }
    }

    fn watch_locker(&mut self) {
        let Some(job) = self.locker.job.as_ref().filter(|job| job.since + job_patience(job) <= self.now)
        else {
            return;
        };
        let peer = job.peer.clone();
        let secs = job_patience(job).as_secs();
        let text = match &job.stage {
            locker::Stage::Locking(_, round) => {
                let silent = round.silent();
                self.log(
                    Level::Warning,
                    format!(
                        "global: no answer from {silent} to a request for the lock for {secs} s, given up"
                    ),
                );
                return self.locker_refused();
            }
            locker::Stage::Waiting => {
                format!(
                    "global: {peer} has not locked its side for {secs} s; giving our lock back, meeting it again later"
                )
            }
            locker::Stage::Held => {
                format!(
                    "global: {peer} has not finished the exchange of names for {secs} s; giving our lock back, meeting it again later"
                )
            }
        };
        self.log(Level::Warning, text);
        let peer_state = self.peers.entry(&peer);
        peer_state.wedged = peer_state.wedged.saturating_add(1);
        self.restart_session(&peer, End::Tell);
    }

    fn watch_registrar(&mut self) {
        let now = self.now;
        let late = self.registrar.task.as_ref().is_some_and(|task| task.since + ANSWER <= now);
        let Some(silent) = self.registrar_round().map(|round| round.silent()).filter(|_| late) else {
            return;
        };
        self.log(
            Level::Warning,
            format!(
                "global: no answer from {silent} to the registrar for {GLOBAL_ANSWER_SECS_MAX} s, given up"
            ),
        );
        self.registrar_give_up();
    }

    fn watch_clients(&mut self) {
        let now = self.now;
        let late: Vec<(RequestId, bool, String)> = self
            .clients
            .iter()
            .filter(|(_, job)| job.since + ANSWER <= now)
            .filter_map(|(id, job)| match &job.stage {
                clients::Stage::Taking(round) => Some((*id, true, round.silent())),
                clients::Stage::Giving(round) => Some((*id, false, round.silent())),
                clients::Stage::Sleeping(_) => None,
            })
            .collect();
        for (id, taking, silent) in late {
            let text = format!(
                "global: no answer from {silent} about a lock for {GLOBAL_ANSWER_SECS_MAX} s, given up"
            );
            self.log(Level::Warning, text);
            if taking {
                self.client_refused(id);
            } else {
                self.client_finish(id, "true");
            }
        }
    }

    /// Keeps the time since which the lock `global` is held here.
    pub(super) fn note_global_lock(&mut self) {
        let now = self.now;
        if self.global_lock_is_set() {
            self.global_lock_since.get_or_insert((now, false));
        } else {
            self.global_lock_since = None;
        }
    }

    fn watch_global_lock(&mut self) {
        let Some((since, false)) = self.global_lock_since else { return };
        if since + HELD > self.now {
            return;
        }
        self.global_lock_since = Some((since, true));
        let holders = match self.locks.lock(&Term::atom("global")) {
            Some((_, holders)) => holders.iter().map(|pid| pid.to_string()).collect::<Vec<_>>().join(", "),
            None => return,
        };
        let text = format!(
            "global: {holders} hold the lock 'global' for {GLOBAL_HELD_SECS_MAX} s now; no name can be registered meanwhile"
        );
        self.log(Level::Warning, text);
    }
}

fn peer_deadline(peer: &Peer) -> Option<Now> {
    remedies(peer).map(|(at, _)| at).min()
}

fn remedy(peer: &Peer, now: Now) -> Option<Remedy> {
    remedies(peer).find(|(at, _)| *at <= now).map(|(_, remedy)| remedy)
}

/// What will have to be done about a peer, and when, if nothing changes.
fn remedies(peer: &Peer) -> impl Iterator<Item = (Now, Remedy)> {
    let known = peer.known.is_some();
    let silent = peer.session.as_ref().filter(|session| session.his.is_none());
    let one_sided = peer.one_sided.filter(|_| !known);
    let early = peer.early.as_ref().filter(|_| known);
    [
        peer.removing.map(|since| (since + REMOVING, Remedy::HangUp)),
        peer.restart_at.map(|at| (at, Remedy::Restart)),
        early.map(|(_, since)| (*since + ONE_SIDED, Remedy::BeginAnew)),
        one_sided.filter(|_| peer.session.is_none()).map(|since| (since + ONE_SIDED, Remedy::Greet)),
        one_sided.filter(|_| silent.is_some()).map(|since| (since + SILENT, Remedy::Reconnect)),
        silent
            .filter(|session| !session.told)
            .map(|session| (session.since + SILENT, Remedy::SayThatItIsSilent)),
    ]
    .into_iter()
    .flatten()
    .filter(|_| peer.up.is_some())
}

fn job_patience(job: &locker::Job) -> Duration {
    match job.stage {
        locker::Stage::Locking(..) => ANSWER,
        locker::Stage::Waiting => ANSWER,
        locker::Stage::Held => HELD,
    }
}
