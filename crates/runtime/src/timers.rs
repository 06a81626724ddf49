//! Messages in the future: send_after and cancel.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use proto::Now;
use term::{Atom, IntoTerm, Pid, Ref, Term};
use tokio::task::AbortHandle;

use crate::address::To;
use crate::message::Message;
use crate::node::Node;
use crate::router::{SendOptions, Sender};
use crate::table::lock;

/// The timers of a node that have not fired.
#[derive(Default)]
pub(crate) struct Timers(Mutex<BTreeMap<Ref, Timer>>);

struct Timer {
    due: Now,
    task: AbortHandle,
}

impl Node {
    /// Sends `message` to `to` after `wait`. A timer for a process that ends meanwhile fires into nothing.
    pub fn send_after<'a>(
        &self,
        wait: Duration,
        to: impl Into<To<'a>>,
        message: impl IntoTerm + Send + 'static,
    ) -> Ref {
        self.timer_after(None, wait, owned(to.into()), Message::new(message))
    }

    /// As [`send_after`](Node::send_after), with the message `{timeout, Timer, Content}`. (`erlang:start_timer/3`.)
    pub fn start_timer<'a>(&self, wait: Duration, to: impl Into<To<'a>>, content: Term) -> Ref {
        let reference = self.make_ref();
        let message = Term::tuple([Term::atom("timeout"), Term::Ref(reference.clone()), content]);
        self.begin_timer(reference, None, wait, owned(to.into()), Message::new(message))
    }

    pub(crate) fn timer_after(
        &self,
        from: Option<Pid>,
        wait: Duration,
        to: Receiver,
        message: Message,
    ) -> Ref {
        self.begin_timer(self.make_ref(), from, wait, to, message)
    }

    fn begin_timer(
        &self,
        reference: Ref,
        from: Option<Pid>,
        wait: Duration,
        to: Receiver,
        message: Message,
    ) -> Ref {
        let due = self.now() + wait;
        let (node, key) = (self.clone(), reference.clone());
        // The lock is held until the timer is written down, so that it cannot fire before.
        let mut timers = lock(&self.timers().0);
        let task = self.spawn_task(async move {
            tokio::time::sleep(wait).await;
            if lock(&node.timers().0).remove(&key).is_some() {
                let from = Sender { pid: from.as_ref(), ..Sender::NOBODY };
                node.route(from, to.into(), message, SendOptions::default());
            }
        });
        timers.insert(reference.clone(), Timer { due, task });
        reference
    }

    /// Stops a timer: the time it had left, or `None` when it has fired, or was stopped before.
    pub fn cancel_timer(&self, timer: &Ref) -> Option<Duration> {
        let timer = lock(&self.timers().0).remove(timer)?;
        timer.task.abort();
        Some(timer.due.since(self.now()))
    }

    /// The time a timer has left.
    pub fn read_timer(&self, timer: &Ref) -> Option<Duration> {
        let due = lock(&self.timers().0).get(timer)?.due;
        Some(due.since(self.now()))
    }
}

/// A receiver that lasts.
pub(crate) enum Receiver {
    Pid(Pid),
    Name(Atom),
    NameAt(Atom, Atom),
    Alias(Ref),
}

pub(crate) fn owned(to: To<'_>) -> Receiver {
    match to {
        To::Pid(pid) => Receiver::Pid(pid),
        To::PidRef(pid) => Receiver::Pid(pid.clone()),
        To::Name(name) => Receiver::Name(name),
        To::NameAt(name, node) => Receiver::NameAt(name, node),
        To::Alias(alias) => Receiver::Alias(alias),
        To::AliasRef(alias) => Receiver::Alias(alias.clone()),
    }
}

impl From<Receiver> for To<'_> {
    fn from(receiver: Receiver) -> Self {
        match receiver {
            Receiver::Pid(pid) => To::Pid(pid),
            Receiver::Name(name) => To::Name(name),
            Receiver::NameAt(name, node) => To::NameAt(name, node),
            Receiver::Alias(alias) => To::Alias(alias),
        }
    }
}
