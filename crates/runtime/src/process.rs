//! One process: its block, and the task that runs it.

use std::collections::VecDeque;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Wake, Waker};

use pin_project_lite::pin_project;
use term::{Atom, Pid};

use crate::exit::{Exit, Outcome};
use crate::mail::Mail;
use crate::mailbox::Bound;
use crate::message::Message;
use crate::node::Node;
use crate::sched::At;
use crate::table::{Life, Roused, Seat, Table, lock};
use crate::ties::Ties;

/// What is shared between the task of a process, the hand it holds ([`crate::Ctx`]) and its slot in the table.
pub(crate) struct Proc {
    pub(crate) pid: Pid,
    pub(crate) node: Node,
    pub(crate) state: Mutex<State>,
    /// The worker it ran on last.
    pub(crate) home: AtomicU32,
    /// It waits for mail, says the poll that is going on.
    pub(crate) wants_mail: AtomicBool,
    /// There are signals in the inbox, or an end is near: the task must look before the process runs on.
    pub(crate) attention: AtomicBool,
    /// The task took messages out of the inbox, on the way to a signal.
    pub(crate) has_fresh: AtomicBool,
    /// Counts the polls of the task.
    pub(crate) turn: AtomicU32,
    /// How many messages the process has in its hands. Written by it alone.
    pub(crate) unread: AtomicU32,
    pub(crate) received: AtomicU64,
    pub(crate) sent: AtomicU64,
    pub(crate) label: &'static str,
    /// Who spawned it; always near. Seat 0, which nobody has, for nobody.
    pub(crate) parent: Seat,
    pub(crate) bound: Option<Box<Bound>>,
}

/// What only the process itself changes, and lenses look at.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) ties: Option<Box<Ties>>,
    pub(crate) leader: Option<Pid>,
    /// Whatever it returns with: nothing is said of it.
    pub(crate) ends_quietly: bool,
    pub(crate) name: Option<Atom>,
    pub(crate) trap_exit: bool,
}

impl State {
    pub(crate) fn ties(&mut self) -> &mut Ties {
        self.ties.get_or_insert_default()
    }
}

impl Proc {
    pub(crate) fn seat(&self) -> Seat {
        Seat { id: self.pid.id, serial: self.pid.serial }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// The group leader: `user` when nobody said, and the process itself where there is none.
    pub(crate) fn leader(&self) -> Pid {
        let said = self.state().leader.clone();
        said.or_else(|| self.node.whereis("user")).unwrap_or_else(|| self.pid.clone())
    }

    /// Puts mail into the inbox of this very process.
    pub(crate) fn post_self(&self, mail: Mail) {
        let _ = self.node.post(self.seat(), mail, self.home());
    }

    pub(crate) fn home(&self) -> At {
        At(self.home.load(Ordering::Relaxed))
    }

    /// Whether this waker is the process's own.
    pub(crate) fn is_woken_by(self: &Arc<Self>, waker: &Waker) -> bool {
        std::ptr::eq(waker.data(), Arc::as_ptr(self).cast())
    }

    /// Handles the signals that came, in order. `Some` when the process must end.
    fn attend(&self) -> Option<Exit> {
        if !self.attention.load(Ordering::Relaxed) {
            return None;
        }
        self.attention.store(false, Ordering::Relaxed);
        let mut batch = VecDeque::new();
        if let Some(mut body) = self.node.table().find(self.seat()) {
            body.orders = false;
            std::mem::swap(&mut batch, &mut body.inbox);
        }
        let mut fresh: Vec<Message> = Vec::new();
        self.take_in(batch.drain(..), |message| fresh.push(message));
        let came = !fresh.is_empty();
        if came {
            self.has_fresh.store(true, Ordering::Relaxed);
        }
        let doom = match &mut self.state().ties {
            Some(ties) => {
                ties.fresh.append(&mut fresh);
                ties.doom.take()
            }
            none => {
                if came {
                    none.get_or_insert_default().fresh = fresh;
                }
                None
            }
        };
        if came {
            self.say_mail();
        }
        doom
    }

    /// Whoever waits for mail hears that some was put aside for it.
    fn say_mail(&self) {
        let roused = self.node.table().find(self.seat()).map(|mut body| {
            let roused = body.say_mail();
            body.woken = true;
            roused
        });
        self.node.rouse(roused.unwrap_or_default(), self.home());
    }

    /// The end: leave the tables, tell links and then watchers, close the inbox and answer what is still in it.
    fn finish(&self, exit: &Exit) {
        let node = &self.node;
        let mut batch = VecDeque::new();
        let mut watchers = None;
        if let Some(mut body) = node.table().find(self.seat()) {
            body.life = Life::Exiting;
            watchers = body.watchers.take();
            std::mem::swap(&mut batch, &mut body.inbox);
        }
        // These came while it lived: links and monitors among them are told the true reason.
        if !batch.is_empty() {
            self.take_in(batch.into_iter(), drop);
        }
        let (name, ties) = {
            let mut state = self.state();
            (state.name.take(), state.ties.take())
        };
        if let Some(name) = name {
            node.names().forget(&name, &self.pid);
        }
        if ties.is_some() || watchers.is_some() {
            self.tell_the_bereaved(ties.map_or_else(Ties::default, |ties| *ties), watchers, exit.reason());
        }
        #[cfg(test)]
        node.stage(&self.pid);
        let mut late = VecDeque::new();
        let mut block = None;
        let mut reader = None;
        if let Some(mut body) = node.table().find(self.seat()) {
            std::mem::swap(&mut late, &mut body.inbox);
            body.life = Life::Free;
            body.receiving = false;
            body.woken = false;
            body.orders = false;
            reader = body.reader.take();
            block = body.process.take();
        }
        drop((reader, block));
        for mail in late {
            node.bounce(&self.pid, mail);
        }
        node.release(self.seat());
    }
}

impl Wake for Proc {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let task = self.node.table().find(self.seat()).and_then(|mut body| body.rouse());
        self.node.rouse(Roused { task, reader: None }, At::ELSEWHERE);
    }
}

/// A process that can run. It is in one place: in the queue of a worker, in that worker's hands, or at rest in its slot.
pub(crate) struct Task {
    process: Arc<Proc>,
    body: Option<Body>,
    waker: Waker,
}

/// What a process does, up to its end.
pub(crate) type Body = Pin<Box<dyn Future<Output = Exit> + Send>>;

impl Task {
    /// A process; without a body it ends as soon as it runs.
    pub(crate) fn new(process: Arc<Proc>, body: Option<Body>) -> Task {
        Task { waker: Waker::from(process.clone()), process, body }
    }

    pub(crate) fn process(&self) -> &Arc<Proc> {
        &self.process
    }

    /// Bytes of the state that the body keeps between two polls.
    pub(crate) fn body_bytes(&self) -> usize {
        self.body.as_ref().map_or(0, |body| size_of_val(&**body))
    }

    /// Lets the process run until it waits, on the worker `at`. Gives it back if it can run on at once.
    pub(crate) fn run(mut self, at: At, table: &Table) -> Option<Task> {
        self.process.home.store(at.0, Ordering::Relaxed);
        if let Some(exit) = self.poll() {
            self.process.finish(&exit);
            return None;
        }
        self.rest(table)
    }

    /// `Some` when the process has come to its end.
    fn poll(&mut self) -> Option<Exit> {
        let process = &self.process;
        process.turn.store(process.turn.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
        let mut exit = process.attend();
        if exit.is_none() {
            let body = &mut self.body;
            let mut cx = Context::from_waker(&self.waker);
            let polled = catch_unwind(AssertUnwindSafe(|| match body {
                Some(body) => body.as_mut().poll(&mut cx),
                None => Poll::Ready(Exit::normal()),
            }));
            exit = match polled {
                Ok(Poll::Pending) => process.attend(),
                Ok(Poll::Ready(exit)) => {
                    process.returned(&exit);
                    Some(exit)
                }
                Err(panic) => Some(process.panicked(&*panic)),
            };
        }
        let exit = exit?;
        // What the process owns goes before anybody hears of its end.
        let body = self.body.take();
        match catch_unwind(AssertUnwindSafe(|| drop(body))) {
            Ok(()) => Some(exit),
            Err(panic) => Some(self.process.panicked(&*panic)),
        }
    }

    /// Back into its slot, unless something came meanwhile.
    fn rest(self, table: &Table) -> Option<Task> {
        let process = &*self.process;
        let wants = process.wants_mail.load(Ordering::Relaxed);
        if wants {
            process.wants_mail.store(false, Ordering::Relaxed);
        }
        let mut body = table.find(process.seat())?;
        body.receiving |= wants;
        if body.woken || (body.receiving && !body.inbox.is_empty()) {
            body.woken = false;
            body.receiving = body.receiving && body.inbox.is_empty();
            return Some(self);
        }
        body.task = Some(self);
        None
    }
}

pin_project! {
    /// Gives what a body returns its common form.
    pub(crate) struct Shell<F> {
        #[pin]
        body: F,
    }
}

impl<F> Shell<F>
where
    F: Future + Send + 'static,
    F::Output: Outcome,
{
    pub(crate) fn boxed(body: F) -> Body {
        Box::pin(Shell { body })
    }
}

impl<F> Future for Shell<F>
where
    F: Future,
    F::Output: Outcome,
{
    type Output = Exit;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Exit> {
        self.project().body.poll(cx).map(Outcome::into_exit)
    }
}
