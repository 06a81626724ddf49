//! How processes begin.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use term::{Pid, Ref};
use tokio::sync::oneshot;

use crate::ctx::Ctx;
use crate::exit::{Exit, Outcome};
use crate::mail::{Cause, Mail};
use crate::mailbox::{Bound, Limit};
use crate::node::{Node, counter_of};
use crate::process::{Proc, Shell, State, Task};
use crate::sched::At;
use crate::table::{Kind, Seat};
use crate::ties::{Link, Watcher};
use crate::watchers::Near;

/// How to spawn.
#[derive(Clone, Debug, Default)]
pub struct SpawnOptions {
    /// The ceiling of the mailbox.
    pub mailbox: Limit,
    /// What lenses call the process; the name of its type when nothing is said.
    pub label: Option<&'static str>,
    /// The group leader; the parent's when nothing is said.
    pub leader: Option<Pid>,
    /// Every peer may depend on this process, so none may bury it: a connection that brings messages for such processes faster
    /// than they are read ([`crate::limits::SERVICE_MESSAGES_MAX`]) is read more slowly.
    pub service: bool,
}

/// Ties that exist before the process first runs.
#[derive(Default)]
pub(crate) struct Birth {
    pub(crate) parent: Option<Arc<Proc>>,
    pub(crate) link: Option<(Pid, Link)>,
    pub(crate) watcher: Option<(Ref, Watcher)>,
    pub(crate) lane: Option<Arc<crate::lane::Lane>>,
}

impl Node {
    /// Starts a process that nobody is tied to.
    ///
    /// # Panics
    /// When the node has [`crate::limits::PROCESSES_MAX`] processes.
    pub fn spawn<F, Fut>(&self, body: F) -> Pid
    where
        F: FnOnce(Ctx) -> Fut + Send + 'static,
        Fut: Future + Send + 'static,
        Fut::Output: Outcome,
    {
        self.spawn_with(SpawnOptions::default(), body)
    }

    /// Starts a process with options.
    ///
    /// # Panics
    /// As [`Node::spawn`].
    pub fn spawn_with<F, Fut>(&self, options: SpawnOptions, body: F) -> Pid
    where
        F: FnOnce(Ctx) -> Fut + Send + 'static,
        Fut: Future + Send + 'static,
        Fut::Output: Outcome,
    {
        let label = options.label.unwrap_or(std::any::type_name::<F>());
        let process = self.conceive(options, label, Birth::default());
        self.run_process(process, body)
    }

    /// Runs a process that gives a value back. Dropping the future does not end the process.
    ///
    /// # Panics
    /// When the process ends without a value: it was killed, or panicked.
    pub async fn run<F, Fut>(&self, body: F) -> Fut::Output
    where
        F: FnOnce(Ctx) -> Fut + Send + 'static,
        Fut: Future + Send + 'static,
        Fut::Output: Send + 'static,
    {
        self.try_run(body).await.expect("the process ended without a value: it was killed, or it panicked")
    }

    /// Runs a process that gives a value back; nothing when it was killed, or panicked.
    pub async fn try_run<F, Fut>(&self, body: F) -> Option<Fut::Output>
    where
        F: FnOnce(Ctx) -> Fut + Send + 'static,
        Fut: Future + Send + 'static,
        Fut::Output: Send + 'static,
    {
        let (give, take) = oneshot::channel();
        let label = std::any::type_name::<F>();
        self.spawn_with(SpawnOptions { label: Some(label), ..SpawnOptions::default() }, |ctx| {
            let body = body(ctx);
            async move {
                let _ = give.send(body.await);
            }
        });
        take.await.ok()
    }

    /// A process that has a pid but does not run yet.
    pub(crate) fn conceive(&self, options: SpawnOptions, label: &'static str, birth: Birth) -> Arc<Proc> {
        let hint = birth.parent.as_ref().map_or_else(|| self.hint(), |parent| parent.pid.id);
        let seat = self.table().reserve(hint).expect("the process table is full: see limits::PROCESSES_MAX");
        let inherited = || birth.parent.as_ref().and_then(|parent| parent.state().leader.clone());
        let mut state = State { leader: options.leader.or_else(inherited), ..State::default() };
        if let Some((pid, link)) = birth.link {
            state.ties().links.insert(pid, link);
        }
        let mut near = None;
        if let Some((reference, watcher)) = birth.watcher {
            match counter_of(&reference, &watcher.pid).filter(|_| watcher.lane == 0) {
                Some(counter) => near = Some((watcher.pid, reference, counter)),
                None => {
                    state.ties().watchers.insert(reference, watcher);
                }
            }
        }
        if let Some(lane) = birth.lane {
            state.ties().lanes.insert(lane.id(), lane);
        }
        let bound = Bound::of(options.mailbox);
        let kind = Kind { bounded: bound.is_some(), service: options.service };
        let home = birth.parent.as_ref().map_or_else(|| self.scheduler().anywhere(), |parent| parent.home());
        let process = Arc::new(Proc {
            pid: Pid { node: self.id().clone(), id: seat.id, serial: seat.serial },
            node: self.clone(),
            state: Mutex::new(state),
            home: AtomicU32::new(home.0),
            wants_mail: AtomicBool::new(false),
            attention: AtomicBool::new(false),
            has_fresh: AtomicBool::new(false),
            turn: AtomicU32::new(0),
            unread: AtomicU32::new(0),
            received: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            label,
            parent: birth.parent.map_or(Seat { id: 0, serial: 0 }, |parent| parent.seat()),
            bound,
        });
        self.table().install(seat, process.clone(), kind);
        if let Some((from, reference, counter)) = near {
            let near = Near { seat: Seat { id: from.id, serial: from.serial }, counter };
            let _ = self.table().watch(seat, near, || Mail::Monitor { from, reference });
        }
        if self.is_closing() {
            let reason = Exit::shutdown().0;
            process.post_self(Mail::exit(process.pid.clone(), reason, Cause::Shutdown));
        }
        process
    }

    /// Starts the task of a process.
    pub(crate) fn run_process<F, Fut>(&self, process: Arc<Proc>, body: F) -> Pid
    where
        F: FnOnce(Ctx) -> Fut,
        Fut: Future + Send + 'static,
        Fut::Output: Outcome,
    {
        let pid = process.pid.clone();
        let ctx = Ctx::new(process.clone());
        let body = match catch_unwind(AssertUnwindSafe(|| body(ctx))) {
            Ok(body) => Some(Shell::boxed(body)),
            Err(panic) => {
                let exit = process.panicked(&*panic);
                process.state().ties().doom = Some(exit);
                process.attention.store(true, Ordering::Relaxed);
                None
            }
        };
        let home = process.home();
        self.scheduler().push(Task::new(process, body), home, At::ELSEWHERE);
        pid
    }
}
