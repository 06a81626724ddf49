//! Read-only pictures of processes, for shells and dashboards.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use term::{Atom, Pid, Ref, Term};

use crate::node::{Node, reference};
use crate::process::Proc;
use crate::table::Life;
use crate::watchers::Near;

/// What a process does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// It waits for mail.
    Waiting,
    /// It runs, can run, or waits for something that is not mail.
    Running,
    /// It is ending.
    Exiting,
}

/// A picture of one process, as `process_info` gives it. Taken while the process goes on: its parts may be of
/// slightly different moments.
#[derive(Clone, Debug)]
pub struct ProcessInfo {
    /// Its name, if it has one.
    pub registered_name: Option<Atom>,
    /// Unread messages.
    pub message_queue_len: usize,
    /// Whom it is linked to.
    pub links: Vec<Pid>,
    /// Whom it watches: pids, or `{Name, Node}`.
    pub monitors: Vec<Term>,
    /// Who watches it.
    pub monitored_by: Vec<(Pid, Ref)>,
    /// Whether exits reach it as messages.
    pub trap_exit: bool,
    /// What it does.
    pub status: Status,
    /// What it was started as.
    pub label: &'static str,
    /// Who spawned it, if a process of this node did.
    pub parent: Option<Pid>,
    /// Where its output goes.
    pub group_leader: Option<Pid>,
    /// Messages it has read.
    pub messages_received: u64,
    /// Messages it has sent.
    pub messages_sent: u64,
    /// How often it was let run.
    pub turns: u64,
    /// Bytes of its block and of the state of its body; what its body points to is not known to anybody. Of a process
    /// that runs at this moment the block only.
    pub bytes: usize,
    /// How often its mailbox was full, if it is bounded.
    pub mailbox_full: Option<u64>,
}

impl Node {
    /// All processes, in the order of their slots.
    pub fn processes(&self) -> Vec<Pid> {
        self.table().processes().iter().map(|process| process.pid.clone()).collect()
    }

    /// How many processes there are.
    pub fn process_count(&self) -> usize {
        self.table().alive() as usize
    }

    /// Whether the process is there and not ending. `false` for processes of other nodes.
    pub fn is_process_alive(&self, pid: &Pid) -> bool {
        let found = self.seat(pid).and_then(|seat| self.table().find(seat));
        found.is_some_and(|body| body.life == Life::Alive)
    }

    /// A picture of a process of this node; `None` when it is not there.
    pub fn process_info(&self, pid: &Pid) -> Option<ProcessInfo> {
        let (process, status, waiting, near, bytes) = {
            let body = self.table().find(self.seat(pid)?)?;
            let status = match body.life {
                Life::Alive if body.receiving => Status::Waiting,
                Life::Alive => Status::Running,
                Life::Exiting | Life::Free => Status::Exiting,
            };
            let near = body.watchers.iter().flat_map(|watchers| watchers.iter());
            let near: Vec<Near> = near.collect();
            let waiting = body.inbox.iter().filter(|mail| mail.is_message()).count();
            let bytes = body.task.as_ref().map_or(0, |task| task.body_bytes());
            (body.process.clone()?, status, waiting, near, bytes)
        };
        let mut info = picture(self, &process, status, waiting);
        info.bytes += bytes;
        info.monitored_by.extend(near.into_iter().map(|near| {
            let pid = Pid { node: self.id().clone(), id: near.seat.id, serial: near.seat.serial };
            let reference = reference(&pid, near.counter);
            (pid, reference)
        }));
        Some(info)
    }
}

fn picture(node: &Node, process: &Arc<Proc>, status: Status, waiting: usize) -> ProcessInfo {
    let group_leader = Some(process.leader());
    let state = process.state();
    let ties = state.ties.as_deref();
    let fresh = ties.map_or(0, |ties| ties.fresh.len());
    let unread = process.unread.load(Ordering::Relaxed) as usize;
    ProcessInfo {
        registered_name: state.name.clone(),
        message_queue_len: waiting + fresh + unread,
        links: ties.map_or_else(Vec::new, |ties| {
            let links = ties.links.iter().filter(|(_, link)| link.unlinking.is_none());
            links.map(|(pid, _)| pid.clone()).collect()
        }),
        monitors: ties.map_or_else(Vec::new, |ties| {
            ties.monitors.iter().map(|(_, watch)| watch.target.to_term(node)).collect()
        }),
        monitored_by: ties.map_or_else(Vec::new, |ties| {
            ties.watchers.iter().map(|(reference, by)| (by.pid.clone(), reference.clone())).collect()
        }),
        trap_exit: state.trap_exit,
        status,
        label: process.label,
        parent: (process.parent.id != 0).then(|| process.parent.pid(node)),
        group_leader,
        messages_received: process.received.load(Ordering::Relaxed),
        messages_sent: process.sent.load(Ordering::Relaxed),
        turns: process.turn.load(Ordering::Relaxed).into(),
        bytes: size_of::<Proc>(),
        mailbox_full: process.bound.as_ref().map(|bound| bound.hits.load(Ordering::Relaxed)),
    }
}
