//! Who runs when: workers, each a task of the executor with a queue of processes that can run.
//!
//! Processes that talk stay on one worker: a process is woken where it ran last, or where its waker runs when that
//! worker is asleep. Work moves to another core late: only when a process has waited for [`STEAL_AFTER_MICROS`] behind
//! others. One worker that has nothing to do keeps watch for that, as long as another one is busy.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Duration;

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::time::Instant;

use crate::limits::{
    POLLS_PER_SLICE_MAX, SLICE_MICROS_MAX, STEAL_AFTER_MICROS, WATCH_MICROS_MAX, WATCH_MICROS_MIN,
};
use crate::process::Task;
use crate::table::{Table, lock};

/// A worker, by its number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct At(pub(crate) u32);

impl At {
    /// Not on a worker: a task of the executor, another thread.
    pub(crate) const ELSEWHERE: At = At(u32::MAX);
}

/// The workers of a node.
pub(crate) struct Scheduler {
    table: Arc<Table>,
    workers: Box<[Worker]>,
    next: AtomicU32,
    /// How many workers are asleep.
    asleep: AtomicU32,
    /// One of those that are asleep looks up now and then.
    watched: AtomicBool,
    closed: AtomicBool,
    /// Worker tasks that are still there.
    tasks: AtomicU32,
    decoy: Mutex<Option<Waker>>,
}

/// Alone on its cache lines.
#[repr(align(128))]
struct Worker {
    asleep: AtomicBool,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    tasks: VecDeque<Task>,
    /// How many have left the queue at its front, ever.
    popped: u64,
    /// Wakes the worker; there only while it sleeps.
    waker: Option<Waker>,
    /// The worker was woken to keep watch.
    called: bool,
}

impl Scheduler {
    /// As many workers as the executor has.
    pub(crate) fn new(handle: &Handle, table: Arc<Table>) -> Scheduler {
        let workers = match handle.runtime_flavor() {
            RuntimeFlavor::CurrentThread => 1,
            _ => handle.metrics().num_workers().max(1),
        };
        let worker = || Worker { asleep: AtomicBool::new(false), queue: Mutex::default() };
        Scheduler {
            table,
            workers: (0..workers).map(|_| worker()).collect(),
            next: AtomicU32::new(0),
            asleep: AtomicU32::new(0),
            watched: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            tasks: AtomicU32::new(workers as u32),
            decoy: Mutex::default(),
        }
    }

    /// Starts the workers. `orphaned` is called when the executor has dropped the last of them, and with it every
    /// process that was still there.
    pub(crate) fn start(
        self: &Arc<Self>,
        handle: &Handle,
        orphaned: impl Fn() + Clone + Send + Sync + 'static,
    ) {
        for me in 0..self.workers.len() {
            let last_words = LastWords { scheduler: self.clone(), orphaned: orphaned.clone() };
            let scheduler = self.clone();
            // A worker has its own measure of what is enough; tokio's would end in the middle of a process.
            handle.spawn(tokio::task::unconstrained(async move {
                let _last_words = last_words;
                scheduler.work(me).await;
            }));
        }
        if self.workers.len() > 1 {
            handle.spawn(self.clone().decoy());
        }
    }

    /// Where the next process starts that no process starts.
    pub(crate) fn anywhere(&self) -> At {
        At(self.next.fetch_add(1, Ordering::Relaxed) % self.workers.len() as u32)
    }

    /// Puts a process that can run at the end of the queue of `home`, or of `waker`'s if `home` is asleep.
    pub(crate) fn push(&self, task: Task, home: At, waker: At) {
        let home = self.worker(home);
        let worker = match self.workers.get(waker.0 as usize) {
            Some(here) if !std::ptr::eq(home, here) && home.asleep.load(Ordering::Relaxed) => here,
            _ => home,
        };
        let mut queue = lock(&worker.queue);
        queue.tasks.push_back(task);
        if queue.waker.is_some() {
            let waker = self.rouse(worker, &mut queue);
            drop(queue);
            waker.into_iter().for_each(Waker::wake);
        }
    }

    /// Ends the workers as soon as nothing can run any more.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        for worker in &self.workers {
            let waker = self.rouse(worker, &mut lock(&worker.queue));
            waker.into_iter().for_each(Waker::wake);
        }
        let decoy = lock(&self.decoy).take();
        decoy.into_iter().for_each(Waker::wake);
    }

    /// Takes everything out of the queues.
    pub(crate) fn clear(&self) -> Vec<Task> {
        self.workers.iter().flat_map(|worker| std::mem::take(&mut lock(&worker.queue).tasks)).collect()
    }

    fn worker(&self, at: At) -> &Worker {
        &self.workers[at.0 as usize % self.workers.len()]
    }

    async fn work(&self, me: usize) {
        let mut watch = Watch::new(self.workers.len());
        loop {
            if self.run(me) {
                // Wires and timers get their turn.
                tokio::task::yield_now().await;
            } else if self.closed.load(Ordering::SeqCst) {
                return;
            } else if self.workers.len() == 1 {
                self.sleep(me).await;
            } else if !self.steal(me, &mut watch) {
                self.rest(me, &mut watch).await;
            } else if std::mem::take(&mut watch.called) {
                self.watched.store(false, Ordering::SeqCst);
            }
        }
    }

    /// Runs processes for a while; whether there may be more to run.
    fn run(&self, me: usize) -> bool {
        let alone = self.workers.len() == 1;
        // Virtual time stands still while processes run: a lone worker counts polls.
        let start = (!alone).then(Instant::now);
        for turn in 1..=POLLS_PER_SLICE_MAX {
            let Some(task) = self.pop(me) else { return false };
            let at = At(me as u32);
            if let Some(task) = task.run(at, &self.table) {
                self.push(task, at, at);
            }
            if turn.is_multiple_of(POLLS_PER_LOOK)
                && start.is_some_and(|start| start.elapsed() > Duration::from_micros(SLICE_MICROS_MAX))
            {
                return true;
            }
        }
        true
    }

    fn pop(&self, me: usize) -> Option<Task> {
        let mut queue = lock(&self.workers[me].queue);
        let task = queue.tasks.pop_front()?;
        queue.popped += 1;
        let more = !queue.tasks.is_empty();
        drop(queue);
        if more && self.asleep.load(Ordering::Relaxed) > 0 && !self.watched.load(Ordering::SeqCst) {
            self.call_watch();
        }
        Some(task)
    }

    /// Until something is in the queue.
    async fn sleep(&self, me: usize) {
        let worker = &self.workers[me];
        let _awake = Awake { scheduler: self, worker };
        let mut asleep = false;
        poll_fn(|cx| {
            let mut queue = lock(&worker.queue);
            // Without a waker somebody has taken it to wake us.
            let roused = asleep && queue.waker.is_none();
            if roused || !queue.tasks.is_empty() || self.closed.load(Ordering::SeqCst) {
                return Poll::Ready(());
            }
            asleep = true;
            if queue.waker.is_none() {
                worker.asleep.store(true, Ordering::SeqCst);
                self.asleep.fetch_add(1, Ordering::SeqCst);
            }
            queue.waker = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    fn rouse(&self, worker: &Worker, queue: &mut Queue) -> Option<Waker> {
        let waker = queue.waker.take()?;
        worker.asleep.store(false, Ordering::SeqCst);
        self.asleep.fetch_sub(1, Ordering::SeqCst);
        Some(waker)
    }

    /// Sleeps, and keeps watch meanwhile if nobody else does and somebody may have too much to do.
    async fn rest(&self, me: usize, watch: &mut Watch) {
        let called = std::mem::take(&mut watch.called);
        let on_watch = called || (self.others_awake(me) && !self.watched.swap(true, Ordering::SeqCst));
        if !on_watch {
            self.sleep(me).await;
            return self.heed_call(me, watch);
        }
        let mut pause = WATCH_MICROS_MIN;
        loop {
            let slept = tokio::time::timeout(Duration::from_micros(pause), self.sleep(me)).await;
            if slept.is_ok() || self.steal(me, watch) {
                self.watched.swap(false, Ordering::SeqCst);
                return;
            }
            if pause < WATCH_MICROS_MAX {
                pause *= 2;
            } else if !self.others_awake(me) {
                self.watched.swap(false, Ordering::SeqCst);
                // Whoever became busy just now may have relied on us.
                let busy = (0..self.workers.len()).any(|at| !lock(&self.workers[at].queue).tasks.is_empty());
                if !busy {
                    return self.sleep(me).await;
                }
                return;
            }
        }
    }

    /// Whoever was called to keep watch does, unless it has work of its own by now.
    fn heed_call(&self, me: usize, watch: &mut Watch) {
        let mut queue = lock(&self.workers[me].queue);
        if std::mem::take(&mut queue.called) {
            watch.called = queue.tasks.is_empty();
            self.watched.store(watch.called, Ordering::SeqCst);
        }
    }

    fn others_awake(&self, me: usize) -> bool {
        let others = self.workers.iter().enumerate().filter(|(at, _)| *at != me);
        others.into_iter().any(|(_, worker)| !worker.asleep.load(Ordering::SeqCst))
    }

    /// A worker has more to do than one process, and nobody is on watch.
    #[cold]
    fn call_watch(&self) {
        if self.watched.swap(true, Ordering::SeqCst) {
            return;
        }
        for worker in &self.workers {
            let mut queue = lock(&worker.queue);
            if let Some(waker) = self.rouse(worker, &mut queue) {
                queue.called = true;
                drop(queue);
                waker.wake();
                // What a task wakes last waits for that very task (tokio's LIFO slot, not to be stolen from). So
                // another one is woken behind it.
                let decoy = lock(&self.decoy).clone();
                decoy.into_iter().for_each(Waker::wake);
                return;
            }
        }
        self.watched.swap(false, Ordering::SeqCst);
    }

    async fn decoy(self: Arc<Self>) {
        poll_fn(|cx| {
            let mut decoy = lock(&self.decoy);
            if self.closed.load(Ordering::SeqCst) {
                return Poll::Ready(());
            }
            *decoy = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Takes half of a queue in which somebody has waited for too long.
    fn steal(&self, me: usize, watch: &mut Watch) -> bool {
        let now = Instant::now();
        for (at, seen) in watch.seen.iter_mut().enumerate().filter(|(at, _)| *at != me) {
            let mut queue = lock(&self.workers[at].queue);
            let waited = seen.when.is_none_or(|when| now - when >= Duration::from_micros(STEAL_AFTER_MICROS));
            if !waited {
                continue;
            }
            let late = seen.when.is_some() && queue.popped < seen.end;
            let half = if late { queue.tasks.len().div_ceil(2) } else { 0 };
            let rest = queue.tasks.split_off(half);
            let stolen = std::mem::replace(&mut queue.tasks, rest);
            queue.popped += stolen.len() as u64;
            *seen = Seen { when: Some(now), end: queue.popped + queue.tasks.len() as u64 };
            drop(queue);
            if !stolen.is_empty() {
                lock(&self.workers[me].queue).tasks.extend(stolen);
                return true;
            }
        }
        false
    }
}

/// What a worker with nothing to do remembers of the others.
struct Watch {
    seen: Vec<Seen>,
    called: bool,
}

#[derive(Clone, Default)]
struct Seen {
    when: Option<Instant>,
    /// How many will have left the queue when all have that were in it then.
    end: u64,
}

impl Watch {
    fn new(workers: usize) -> Watch {
        Watch { seen: vec![Seen::default(); workers], called: false }
    }
}

/// Whoever stops to sleep is awake, however that comes about.
struct Awake<'a> {
    scheduler: &'a Scheduler,
    worker: &'a Worker,
}

impl Drop for Awake<'_> {
    fn drop(&mut self) {
        self.scheduler.rouse(self.worker, &mut lock(&self.worker.queue));
    }
}

/// Tells when the executor is gone.
struct LastWords<F: Fn()> {
    scheduler: Arc<Scheduler>,
    orphaned: F,
}

impl<F: Fn()> Drop for LastWords<F> {
    fn drop(&mut self) {
        let last = self.scheduler.tasks.fetch_sub(1, Ordering::SeqCst) == 1;
        if last && !self.scheduler.closed.load(Ordering::SeqCst) {
            (self.orphaned)();
        }
    }
}

/// Polls between two looks at the clock.
const POLLS_PER_LOOK: u32 = 16;
