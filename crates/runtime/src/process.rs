//! One process: its block, and the task that runs it.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use pin_project_lite::pin_project;
use term::{Atom, Pid};

use crate::exit::{Exit, Outcome, of_panic};
use crate::mail::Mail;
use crate::mailbox::Bound;
use crate::message::Message;
use crate::node::Node;
use crate::table::{Life, Seat, lock};
use crate::ties::Ties;

/// What is shared between the task of a process, the hand it holds ([`crate::Ctx`]) and its slot in the table.
pub(crate) struct Proc {
    pub(crate) pid: Pid,
    pub(crate) node: Node,
    pub(crate) state: Mutex<State>,
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
    /// Who spawned it; always near.
    pub(crate) parent: Option<Seat>,
    pub(crate) bound: Option<Box<Bound>>,
}

/// What only the process itself changes, and lenses look at.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) ties: Option<Box<Ties>>,
    pub(crate) leader: Option<Pid>,
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

    /// Puts mail into the inbox of this very process.
    pub(crate) fn post_self(&self, mail: Mail) {
        let _ = self.node.table().push(self.seat(), mail);
    }

    /// The first poll: from now on the process can be woken.
    fn begin(&self, waker: &Waker) {
        if let Some(mut body) = self.node.table().find(self.seat()) {
            body.waker = Some(waker.clone());
        }
    }

    /// Handles the signals that came, in order. `Some` when the process must end.
    fn attend(&self) -> Option<Exit> {
        if !self.attention.load(Ordering::Relaxed) {
            return None;
        }
        self.attention.store(false, Ordering::Relaxed);
        let mut batch = Vec::new();
        if let Some(mut body) = self.node.table().find(self.seat()) {
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
        if came && let Some(mut body) = self.node.table().find(self.seat()) {
            // Whoever waits for mail through another waker than the task's own must hear too.
            if std::mem::take(&mut body.receiving) {
                body.wake();
            }
        }
        doom
    }

    /// The end: leave the tables, tell links and then watchers, close the inbox and answer what is still in it.
    fn finish(&self, exit: &Exit) {
        let node = &self.node;
        let mut batch = Vec::new();
        if let Some(mut body) = node.table().find(self.seat()) {
            body.life = Life::Exiting;
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
        if let Some(ties) = ties {
            self.tell_the_bereaved(*ties, exit.reason());
        }
        #[cfg(test)]
        node.stage(&self.pid);
        let mut late = Vec::new();
        let mut block = None;
        let mut waker = None;
        if let Some(mut body) = node.table().find(self.seat()) {
            std::mem::swap(&mut late, &mut body.inbox);
            body.life = Life::Free;
            body.receiving = false;
            body.reader = None;
            waker = body.waker.take();
            block = body.process.take();
        }
        drop((waker, block));
        for mail in late {
            node.bounce(&self.pid, mail);
        }
        node.release(self.seat());
    }
}

pin_project! {
    /// The task of a process.
    pub(crate) struct Runner<F> {
        process: Arc<Proc>,
        begun: bool,
        #[pin]
        body: Option<F>,
    }
}

impl<F> Runner<F> {
    /// A task for `process`; without a body it ends with `panicked` at once.
    pub(crate) fn new(process: Arc<Proc>, body: Option<F>) -> Runner<F> {
        Runner { process, begun: false, body }
    }
}

impl<F> Future for Runner<F>
where
    F: Future,
    F::Output: Outcome,
{
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        if !*this.begun {
            *this.begun = true;
            this.process.begin(cx.waker());
        }
        let turn = &this.process.turn;
        turn.store(turn.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
        let mut exit = this.process.attend();
        if exit.is_none() {
            let body = &mut this.body;
            let polled = catch_unwind(AssertUnwindSafe(|| match body.as_mut().as_pin_mut() {
                Some(future) => future.poll(cx).map(Outcome::into_exit),
                None => Poll::Ready(Exit::normal()),
            }));
            exit = match polled {
                Ok(Poll::Pending) => this.process.attend(),
                Ok(Poll::Ready(exit)) => Some(exit),
                Err(panic) => Some(this.process.panicked(&*panic)),
            };
        }
        let Some(mut exit) = exit else { return Poll::Pending };
        // What the process owns goes before anybody hears of its end.
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| this.body.set(None))) {
            exit = this.process.panicked(&*panic);
        }
        this.process.finish(&exit);
        Poll::Ready(())
    }
}

impl Proc {
    fn panicked(&self, panic: &(dyn std::any::Any + Send)) -> Exit {
        let exit = of_panic(panic);
        tracing::error!(pid = %self.pid, label = self.label, reason = ?exit.0, "a process panicked");
        exit
    }
}
