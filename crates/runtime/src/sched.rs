//! Who runs when: workers, each a task of the executor with a queue of processes that can run.
//!
//! Processes that talk stay on one worker: a process is woken where it ran last, or where its waker runs when that
//! worker is asleep. Work moves to another core late: only when a process has waited for [`STEAL_AFTER_MICROS`] behind
//! others. A thread of its own keeps watch for that as long as anybody is busy: a worker may be stuck in one process,
//! and the executor's timers with it.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Weak};
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
    /// The watch is on, or about to be.
    watched: AtomicBool,
    closed: AtomicBool,
    /// Worker tasks that are still there.
    tasks: AtomicU32,
    handle: Handle,
    own: Weak<Scheduler>,
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
}

impl Scheduler {
    /// As many workers as the executor has.
    pub(crate) fn new(handle: &Handle, table: Arc<Table>) -> Arc<Scheduler> {
        let workers = match handle.runtime_flavor() {
            RuntimeFlavor::CurrentThread => 1,
            _ => handle.metrics().num_workers().max(1),
        };
        let worker = || Worker { asleep: AtomicBool::new(false), queue: Mutex::default() };
        Arc::new_cyclic(|own| Scheduler {
            table,
            workers: (0..workers).map(|_| worker()).collect(),
            next: AtomicU32::new(0),
            asleep: AtomicU32::new(0),
            watched: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            tasks: AtomicU32::new(workers as u32),
            handle: handle.clone(),
            own: own.clone(),
        })
    }

    /// Starts the workers. `orphaned` is called when the executor has dropped the last of them, and with it every
    /// process that was still there.
    pub(crate) fn start(self: &Arc<Self>, orphaned: impl Fn() + Clone + Send + Sync + 'static) {
        for me in 0..self.workers.len() {
            let last_words = LastWords { scheduler: self.clone(), orphaned: orphaned.clone() };
            let scheduler = self.clone();
            // A worker has its own measure of what is enough; tokio's would end in the middle of a process.
            self.handle.spawn(tokio::task::unconstrained(async move {
                let _last_words = last_words;
                scheduler.work(me).await;
            }));
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
        } else {
            drop(queue);
            self.ensure_watch();
        }
    }

    /// Something waits behind another process: somebody who has nothing to do must look for how long.
    fn ensure_watch(&self) {
        if self.asleep.load(Ordering::SeqCst) > 0 && !self.watched.load(Ordering::SeqCst) {
            self.call_watch();
        }
    }

    /// Ends the workers as soon as nothing can run any more.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        for worker in &self.workers {
            let waker = self.rouse(worker, &mut lock(&worker.queue));
            waker.into_iter().for_each(Waker::wake);
        }
    }

    /// Takes everything out of the queues.
    pub(crate) fn clear(&self) -> Vec<Task> {
        self.workers.iter().flat_map(|worker| std::mem::take(&mut lock(&worker.queue).tasks)).collect()
    }

    /// How many wait in the queue of each worker.
    pub(crate) fn queue_lengths(&self) -> Vec<usize> {
        self.workers.iter().map(|worker| lock(&worker.queue).tasks.len()).collect()
    }

    /// How many have left the queues, ever: each time one process runs.
    pub(crate) fn turns(&self) -> u64 {
        self.workers.iter().map(|worker| lock(&worker.queue).popped).sum()
    }

    fn worker(&self, at: At) -> &Worker {
        &self.workers[at.0 as usize % self.workers.len()]
    }

    async fn work(&self, me: usize) {
        let mut seen = vec![Seen::default(); self.workers.len()];
        loop {
            if self.run(me) {
                // Wires and timers get their turn.
                tokio::task::yield_now().await;
            } else if self.closed.load(Ordering::SeqCst) {
                return;
            } else if !self.steal(me, &mut seen) {
                self.sleep(me).await;
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
        if more {
            self.ensure_watch();
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
            drop(queue);
            // Who was given more just before saw nobody asleep.
            if self.workers.iter().any(|other| !std::ptr::eq(other, worker) && other.is_waited_for()) {
                self.ensure_watch();
            }
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

    /// Takes half of a queue in which somebody has waited for too long.
    fn steal(&self, me: usize, seen: &mut [Seen]) -> bool {
        if seen.len() == 1 {
            return false;
        }
        let now = Instant::now();
        for (at, seen) in seen.iter_mut().enumerate().filter(|(at, _)| *at != me) {
            let early = |when| now - when < Duration::from_micros(STEAL_AFTER_MICROS);
            if seen.when.is_some_and(early) {
                continue;
            }
            seen.when = Some(now);
            let stolen = lock(&self.workers[at].queue).give_late(seen);
            if !stolen.is_empty() {
                lock(&self.workers[me].queue).tasks.extend(stolen);
                return true;
            }
        }
        false
    }

    /// Starts the watch. Not a task: that would wait for its turn with a worker that never gives one.
    #[cold]
    fn call_watch(&self) {
        if self.watched.swap(true, Ordering::SeqCst) {
            return;
        }
        if let Some(own) = self.own.upgrade() {
            self.handle.spawn_blocking(move || own.watch());
        }
    }

    /// Looks now and then whether somebody waits for too long while a worker sleeps. Until nobody was busy for a while.
    fn watch(&self) {
        let mut seen = vec![Seen::default(); self.workers.len()];
        let (mut pause, mut quiet) = (WATCH_MICROS_MIN, 0);
        while self.tasks.load(Ordering::SeqCst) > 0 && !self.closed.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_micros(pause));
            if self.relieve(&mut seen) {
                pause = WATCH_MICROS_MIN;
                continue;
            }
            pause = (pause * 2).min(WATCH_MICROS_MAX);
            let idle = self.asleep.load(Ordering::SeqCst) as usize == self.workers.len();
            quiet = if idle { quiet + 1 } else { 0 };
            if quiet < WATCH_QUIET_TURNS {
                continue;
            }
            self.watched.swap(false, Ordering::SeqCst);
            // Whoever became busy just now may have relied on us.
            let busy = self.workers.iter().any(Worker::is_waited_for);
            if !busy || self.watched.swap(true, Ordering::SeqCst) {
                return;
            }
            quiet = 0;
        }
        self.watched.store(false, Ordering::SeqCst);
    }

    /// Gives half of each queue in which somebody has waited since the last look to a worker that sleeps.
    fn relieve(&self, seen: &mut [Seen]) -> bool {
        let mut relieved = false;
        for (worker, seen) in self.workers.iter().zip(seen) {
            let Some(idle) = self.workers.iter().find(|idle| idle.asleep.load(Ordering::SeqCst)) else {
                break;
            };
            let late = lock(&worker.queue).give_late(seen);
            if late.is_empty() {
                continue;
            }
            relieved = true;
            let mut queue = lock(&idle.queue);
            queue.tasks.extend(late);
            let waker = self.rouse(idle, &mut queue);
            drop(queue);
            waker.into_iter().for_each(Waker::wake);
        }
        relieved
    }
}

impl Worker {
    fn is_waited_for(&self) -> bool {
        !lock(&self.queue).tasks.is_empty()
    }
}

impl Queue {
    /// Half of the queue, if somebody in it was in it already when it was last seen.
    fn give_late(&mut self, seen: &mut Seen) -> VecDeque<Task> {
        let late = self.popped < seen.end;
        let half = if late { self.tasks.len().div_ceil(2) } else { 0 };
        let rest = self.tasks.split_off(half);
        let late = std::mem::replace(&mut self.tasks, rest);
        self.popped += late.len() as u64;
        seen.end = self.popped + self.tasks.len() as u64;
        late
    }
}

/// What is remembered of a queue.
#[derive(Clone, Default)]
struct Seen {
    when: Option<Instant>,
    /// How many will have left the queue when all have that were in it then.
    end: u64,
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

/// Looks at which all workers must be asleep before the watch ends.
const WATCH_QUIET_TURNS: u32 = 3;

/// Polls between two looks at the clock.
const POLLS_PER_LOOK: u32 = 16;
