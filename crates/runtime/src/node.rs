//! Node: a handle to one node; its clock, dice, tasks, and the shelf that upper floors use.

use std::any::{Any, TypeId};
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};

use proto::Now;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use term::{Atom, Identity, NodeId, Pid, Ref};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::border::Border;
use crate::exit::Exit;
use crate::exports::Exports;
use crate::garbled::Garbled;
use crate::limits::REF_FIRST_WORD_BITS;
use crate::mail::{Cause, Mail};
use crate::names::Names;
use crate::pids::PidNumbers;
use crate::process::Proc;
use crate::sched::{At, Scheduler};
use crate::table::{Roused, Seat, Table, lock};
use crate::timers::Timers;

/// How to make a node.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    /// The full name; `nonode@nohost` for a node that is alone.
    pub name: Atom,
    /// Tells this incarnation from earlier ones of the same name.
    pub creation: u32,
    /// The executor that runs the tasks of the node.
    pub handle: Handle,
    /// Where the dice start; from the system's randomness when nothing is said.
    pub seed: Option<u64>,
}

impl NodeConfig {
    /// A node that is alone: `nonode@nohost`, no network.
    pub fn alone(handle: Handle) -> NodeConfig {
        NodeConfig { name: Atom::inline("nonode@nohost"), creation: 0, handle, seed: None }
    }
}

/// A node is a value: cheap to clone, all clones are the same node. Several live side by side in one program.
///
/// The processes and tasks of a node belong to it and end with [`Node::shutdown`].
#[derive(Clone)]
pub struct Node(Arc<Inner>);

struct Inner {
    identity: Identity,
    handle: Handle,
    birth: Instant,
    dice: Mutex<StdRng>,
    table: Arc<Table>,
    names: Names,
    refs: AtomicU64,
    hints: AtomicU64,
    closing: AtomicBool,
    emptied: Notify,
    tasks: Mutex<Tasks>,
    shelf: RwLock<BTreeMap<TypeId, Arc<dyn Any + Send + Sync>>>,
    border: Border,
    exports: Exports,
    timers: Timers,
    pids: PidNumbers,
    dropped: AtomicU64,
    garbled: Garbled,
    scheduler: Arc<Scheduler>,
    #[cfg(test)]
    stage: Mutex<Option<Stage>>,
}

#[cfg(test)]
pub(crate) type Stage = Box<dyn FnMut(&Node, &Pid) + Send>;

#[derive(Default)]
struct Tasks {
    next: u64,
    running: BTreeMap<u64, AbortHandle>,
}

impl Node {
    /// A node without processes and without a network.
    ///
    /// The first one in a program also puts a panic hook before the one there is, which only remembers where a thread panicked:
    /// the line about a process that crashed can say it then.
    pub fn new(config: NodeConfig) -> Node {
        crate::crash::remember_places();
        let entered = config.handle.enter();
        let birth = Instant::now();
        drop(entered);
        let dice = match config.seed {
            Some(seed) => StdRng::seed_from_u64(seed),
            None => StdRng::from_seed(rand::random()),
        };
        let handle = config.handle.clone();
        let table = Arc::new(Table::new());
        let scheduler = Scheduler::new(&handle, table.clone());
        let node = Node(Arc::new(Inner {
            identity: Identity::new(config.name, config.creation),
            handle: config.handle,
            birth,
            dice: Mutex::new(dice),
            table: table.clone(),
            names: Names::default(),
            refs: AtomicU64::new(1),
            hints: AtomicU64::new(0),
            closing: AtomicBool::new(false),
            emptied: Notify::new(),
            tasks: Mutex::default(),
            shelf: RwLock::default(),
            border: Border::default(),
            exports: Exports::default(),
            timers: Timers::default(),
            pids: PidNumbers::default(),
            dropped: AtomicU64::new(0),
            garbled: Garbled::default(),
            scheduler: scheduler.clone(),
            #[cfg(test)]
            stage: Mutex::default(),
        }));
        let weak = Arc::downgrade(&node.0);
        scheduler.start(move || weak.upgrade().into_iter().for_each(|inner| Node(inner).abandon()));
        node
    }

    /// A node without a name on the current executor: processes, no network.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn alone() -> Node {
        Node::new(NodeConfig::alone(Handle::current()))
    }

    /// Name and creation.
    pub fn id(&self) -> &NodeId {
        self.0.identity.id()
    }

    /// The full name.
    pub fn name(&self) -> &Atom {
        self.id().name()
    }

    /// Gives the node another name: it starts distribution, or stops it. Its pids and references have that name from then on,
    /// wherever they are kept. `false`, and nothing has changed, when it has had [`term::LIVES_MAX`] names.
    ///
    /// For the room above, which sees to it that there is no connection meanwhile: peers know us by one name.
    #[must_use]
    pub fn rename(&self, name: Atom, creation: u32) -> bool {
        self.0.identity.rename(name, creation)
    }

    /// The executor that runs this node.
    pub fn handle(&self) -> &Handle {
        &self.0.handle
    }

    /// The time since the node was born. Stands still, and jumps, with tokio's paused clock.
    pub fn now(&self) -> Now {
        let _entered = self.0.handle.enter();
        let age = Instant::now().duration_since(self.0.birth);
        Now::from_nanos(u64::try_from(age.as_nanos()).unwrap_or(u64::MAX))
    }

    /// 64 random bits from the node's dice: the same sequence for the same seed.
    pub fn roll(&self) -> u64 {
        lock(&self.0.dice).random()
    }

    /// A reference that no one else has.
    pub fn make_ref(&self) -> Ref {
        let count = self.0.refs.fetch_add(1, Ordering::Relaxed);
        let words = [low(count), (count >> REF_FIRST_WORD_BITS) as u32, (count >> 50) as u32];
        new_ref(self.id(), &words)
    }

    /// Runs `task` as a part of this node: it is dropped when the node shuts down.
    pub fn spawn_task<F>(&self, task: F) -> AbortHandle
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let node = self.clone();
        let mut tasks = lock(&self.0.tasks);
        let id = tasks.next;
        tasks.next += 1;
        let running = self.0.handle.spawn(async move {
            task.await;
            lock(&node.0.tasks).running.remove(&id);
        });
        let abort = running.abort_handle();
        if self.is_closing() {
            abort.abort();
        } else {
            // A task that ends takes itself out; one that was aborted is swept up now and then.
            if id.is_multiple_of(SWEEP_TASKS) {
                tasks.running.retain(|_, task| !task.is_finished());
            }
            tasks.running.insert(id, abort.clone());
        }
        abort
    }

    /// The one `T` of this node: made by the first who asks.
    pub fn shelf<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        self.shelf_or(T::default)
    }

    /// The one `T` of this node: made by `make` for the first who asks.
    pub fn shelf_or<T: Send + Sync + 'static>(&self, make: impl FnOnce() -> T) -> Arc<T> {
        let kept = self.0.shelf.read().unwrap_or_else(|e| e.into_inner()).get(&TypeId::of::<T>()).cloned();
        if let Some(Ok(kept)) = kept.map(Arc::downcast::<T>) {
            return kept;
        }
        // Made before the lock is taken: `make` may want the shelf too.
        let made: Arc<T> = Arc::new(make());
        let mut shelf = self.0.shelf.write().unwrap_or_else(|e| e.into_inner());
        let kept = shelf.entry(TypeId::of::<T>()).or_insert(made.clone()).clone();
        kept.downcast::<T>().unwrap_or(made)
    }

    /// Ends every process (reason `shutdown`, not to be trapped) and every task of the node, and waits until no
    /// process is left. Safe to cancel; the end goes on.
    pub async fn shutdown(&self) {
        self.0.closing.store(true, Ordering::SeqCst);
        let tasks = std::mem::take(&mut lock(&self.0.tasks).running);
        tasks.into_values().for_each(|task| task.abort());
        for process in self.0.table.processes() {
            let reason = Exit::shutdown().0;
            process.post_self(Mail::exit(process.pid.clone(), reason, Cause::Shutdown));
        }
        loop {
            let emptied = self.0.emptied.notified();
            if self.0.table.alive() == 0 {
                return;
            }
            emptied.await;
        }
    }

    /// Whether the node is shutting down, or has.
    pub fn is_closing(&self) -> bool {
        // In one order with the count of the living: see `Table::alive`.
        self.0.closing.load(Ordering::SeqCst)
    }

    /// Messages that were dropped because nobody was there: no such process, no way to the node, not decodable.
    pub fn dropped_messages(&self) -> u64 {
        self.0.dropped.load(Ordering::Relaxed)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.scheduler.close();
    }
}

/// How many tasks are started between two sweeps.
const SWEEP_TASKS: u64 = 1_024;

/// For the other rooms of this crate.
impl Node {
    pub(crate) fn table(&self) -> &Table {
        &self.0.table
    }

    pub(crate) fn names(&self) -> &Names {
        &self.0.names
    }

    pub(crate) fn border(&self) -> &Border {
        &self.0.border
    }

    pub(crate) fn exports(&self) -> &Exports {
        &self.0.exports
    }

    pub(crate) fn timers(&self) -> &Timers {
        &self.0.timers
    }

    pub(crate) fn pid_numbers(&self) -> &PidNumbers {
        &self.0.pids
    }

    pub(crate) fn garbled(&self) -> &Garbled {
        &self.0.garbled
    }

    pub(crate) fn count_drop(&self) {
        self.0.dropped.fetch_add(1, Ordering::Relaxed);
    }

    /// Where to look for a free seat, for spawns that no process makes.
    pub(crate) fn hint(&self) -> u32 {
        self.0.hints.fetch_add(1, Ordering::Relaxed) as u32
    }

    /// The seat of a pid of this very incarnation.
    pub(crate) fn seat(&self, pid: &Pid) -> Option<Seat> {
        (pid.node == *self.id()).then_some(Seat { id: pid.id, serial: pid.serial })
    }

    /// The process, while it is in the table.
    pub(crate) fn process(&self, pid: &Pid) -> Option<Arc<Proc>> {
        self.0.table.find(self.seat(pid)?)?.process.clone()
    }

    /// Puts mail into the inbox of a near process; `false` when there is none.
    pub(crate) fn push(&self, pid: &Pid, mail: Mail) -> bool {
        self.seat(pid).is_some_and(|seat| self.post(seat, mail, At::ELSEWHERE).is_ok())
    }

    /// Puts mail into the inbox of a process, or gives it back when there is no such process. `from` is where the
    /// sender runs.
    pub(crate) fn post(&self, seat: Seat, mail: Mail, from: At) -> Result<(), Mail> {
        let roused = self.0.table.push(seat, mail)?;
        self.rouse(roused, from);
        Ok(())
    }

    pub(crate) fn rouse(&self, roused: Roused, from: At) {
        if let Some(task) = roused.task {
            let home = task.process().home();
            self.0.scheduler.push(task, home, from);
        }
        if let Some(reader) = roused.reader {
            reader.wake();
        }
    }

    pub(crate) fn scheduler(&self) -> &Scheduler {
        &self.0.scheduler
    }

    /// The executor is gone: nothing will run any more, and what the processes own is dropped.
    fn abandon(&self) {
        self.0.closing.store(true, Ordering::SeqCst);
        drop(self.0.scheduler.clear());
        for process in self.0.table.processes() {
            let resting = self.0.table.find(process.seat()).and_then(|mut body| body.task.take());
            drop(resting);
            let block = self.0.table.find(process.seat()).and_then(|mut body| body.process.take());
            drop(block);
        }
        drop(self.0.scheduler.clear());
    }

    pub(crate) fn release(&self, seat: Seat) {
        self.0.table.release(seat);
        if self.is_closing() && self.0.table.alive() == 0 {
            self.0.emptied.notify_waiters();
        }
    }

    #[cfg(test)]
    pub(crate) fn set_stage(&self, stage: Stage) {
        *lock(&self.0.stage) = Some(stage);
    }

    /// Lets a test act at the one moment that matters: a process has told everybody, and its inbox is not yet closed.
    #[cfg(test)]
    pub(crate) fn stage(&self, pid: &Pid) {
        let stage = lock(&self.0.stage).take();
        if let Some(mut stage) = stage {
            stage(self, pid);
        }
    }
}

/// The reference number `counter` of a process. It carries the numbers of its pid: whoever sends to an alias needs no table.
pub(crate) fn reference(pid: &Pid, counter: u64) -> Ref {
    let words =
        [low(counter), (counter >> REF_FIRST_WORD_BITS) as u32, (counter >> 50) as u32, pid.id, pid.serial];
    new_ref(&pid.node, &words)
}

/// Which reference of its process this is, and which process that is.
pub(crate) fn owner_of(reference: &Ref) -> Option<(Seat, u64)> {
    let &[low, middle, high, id, serial] = reference.words() else { return None };
    let counter = u64::from(low) | u64::from(middle) << REF_FIRST_WORD_BITS | u64::from(high) << 50;
    Some((Seat { id, serial }, counter))
}

/// Which reference of the process `pid` this is.
pub(crate) fn counter_of(reference: &Ref, pid: &Pid) -> Option<u64> {
    let (seat, counter) = owner_of(reference)?;
    (seat == Seat { id: pid.id, serial: pid.serial } && *reference.node() == pid.node).then_some(counter)
}

/// The first word of a reference has 18 bits that count for every peer.
fn low(counter: u64) -> u32 {
    (counter & ((1 << REF_FIRST_WORD_BITS) - 1)) as u32
}

fn new_ref(node: &NodeId, words: &[u32]) -> Ref {
    Ref::new(node.clone(), words).expect("3 or 5 words are a reference")
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Node({:?})", self.id())
    }
}
