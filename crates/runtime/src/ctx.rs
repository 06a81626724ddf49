//! What a process holds in its hand.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use term::{Atom, IntoTerm, Pid, Ref, Term};

use crate::address::To;
use crate::exit::Outcome;
use crate::lane::Lane;
use crate::limits::RECEIVES_PER_POLL_MAX;
use crate::mail::{Cause, Mail};
use crate::mailbox::{Mark, Turns, Unread};
use crate::message::{Form, Message, Near};
use crate::names::RegisterError;
use crate::node::{Node, reference};
use crate::process::Proc;
use crate::router::{Routed, SendOptions, Sender, Sent};
use crate::spawn::{Birth, SpawnOptions};
use crate::ties::{Link, Watcher};

/// A process's own handle: everything it can do, it does through this. It belongs to the body of the process and
/// ends with it.
///
/// All its futures are safe to cancel: a message is looked at and taken in one poll, or not taken.
pub struct Ctx {
    process: Arc<Proc>,
    /// Made when it is first needed: a process that only rests has none.
    desk: Option<Box<Desk>>,
}

/// What a process works with.
pub(crate) struct Desk {
    pub(crate) unread: Unread,
    /// Taken from the inbox, and not yet looked at: later than all that is unread.
    pub(crate) incoming: VecDeque<Mail>,
    /// Where the next reference gets its number.
    references: u64,
    /// The monitor made last, and the mail there was before it: its end can only lie behind.
    pub(crate) watched: (u64, Mark),
    /// What few processes have, and few of them for long.
    pub(crate) aside: Option<Box<Aside>>,
    /// Messages that may be taken before others get their turn.
    pub(crate) turns: Turns,
    /// The poll in which the inbox was last emptied: it is looked at again when that poll is over. 0
    /// for none.
    pub(crate) armed: u32,
}

/// Beside the desk, which every process has that ever received: it is kept small.
#[derive(Default)]
pub(crate) struct Aside {
    /// A full lane this process has sent so many bytes to: it pauses at its next await.
    pub(crate) paused: Option<(Arc<Lane>, usize)>,
    /// Where the desk goes when its handle is only lent.
    lender: Option<Lender>,
}

/// Where a desk that was lent comes back to.
type Lender = Arc<Mutex<Option<Box<Desk>>>>;

impl Default for Desk {
    fn default() -> Desk {
        Desk {
            unread: Unread::default(),
            incoming: VecDeque::new(),
            references: 1,
            watched: (0, Mark::START),
            aside: None,
            turns: Turns(RECEIVES_PER_POLL_MAX),
            armed: 0,
        }
    }
}

impl Desk {
    fn aside(&mut self) -> &mut Aside {
        self.aside.get_or_insert_default()
    }

    /// What the process pauses for.
    pub(crate) fn paused(&mut self) -> Option<&mut Option<(Arc<Lane>, usize)>> {
        self.aside.as_mut().map(|aside| &mut aside.paused)
    }
}

/// Takes the desk back when the borrower is gone, however that came.
struct Return<'a> {
    owner: &'a mut Ctx,
    lender: Lender,
    references: u64,
}

impl Drop for Return<'_> {
    fn drop(&mut self) {
        let back = self.lender.lock().unwrap_or_else(PoisonError::into_inner).take();
        // A borrower that outlives its loan keeps the unread mail; its references are not given out twice.
        let lost = || Box::new(Desk { references: self.references + (1 << 32), ..Desk::default() });
        let mut desk = back.unwrap_or_else(lost);
        desk.aside().lender = None;
        self.owner.desk = Some(desk);
    }
}

impl Drop for Ctx {
    fn drop(&mut self) {
        let Some(lender) = self.desk.as_mut().and_then(|desk| desk.aside.as_mut()?.lender.take()) else {
            return;
        };
        *lender.lock().unwrap_or_else(PoisonError::into_inner) = self.desk.take();
    }
}

impl Ctx {
    pub(crate) fn new(process: Arc<Proc>) -> Ctx {
        Ctx { process, desk: None }
    }

    pub(crate) fn process(&self) -> &Arc<Proc> {
        &self.process
    }

    pub(crate) fn desk(&mut self) -> &mut Desk {
        self.desk.get_or_insert_default()
    }

    pub(crate) fn split(&mut self) -> (&Arc<Proc>, &mut Desk) {
        (&self.process, self.desk.get_or_insert_default())
    }

    /// Lends this handle to a function that takes one for itself, and waits for what that gives: it runs in this very
    /// process. What it leaves unread stays unread.
    ///
    /// Cancel-safe as far as `body` is.
    pub async fn lend<F, Fut>(&mut self, body: F) -> Fut::Output
    where
        F: FnOnce(Ctx) -> Fut,
        Fut: Future,
    {
        let lender = Lender::default();
        let mut desk = self.desk.take().unwrap_or_default();
        let references = desk.references;
        desk.aside().lender = Some(lender.clone());
        let lent = Ctx { process: self.process.clone(), desk: Some(desk) };
        // Dropped after the body, which has the desk.
        let _back = Return { owner: self, lender, references };
        body(lent).await
    }

    /// This process.
    pub fn pid(&self) -> Pid {
        self.process.pid.clone()
    }

    /// This process, borrowed.
    pub fn pid_ref(&self) -> &Pid {
        &self.process.pid
    }

    /// The node it lives on.
    pub fn node(&self) -> &Node {
        &self.process.node
    }

    /// Sends. Never waits, never fails: nobody there is no error. When the lane to a far receiver is full, this process
    /// pauses at its next await.
    #[inline]
    pub fn send<'a>(&mut self, to: impl Into<To<'a>>, message: impl IntoTerm + Send + 'static) {
        match (to.into(), Message::new(message)) {
            (To::PidRef(pid), Message(Form::Value(value))) => self.send_value(pid, value),
            (To::Pid(pid), Message(Form::Value(value))) => self.send_value(&pid, value),
            (to, message) => {
                let _ = self.send_message(to, message, SendOptions::default());
            }
        }
    }

    /// The usual case of a near receiver: what is sent goes in registers, not through memory from call to call.
    fn send_value(&mut self, to: &Pid, value: Box<dyn Near>) {
        let process = &*self.process;
        let Some(seat) = process.node.seat(to) else {
            let _ = self.send_message(To::PidRef(to), Message(Form::Value(value)), SendOptions::default());
            return;
        };
        process.sent.store(process.sent.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        match process.node.table().push_value(seat, value) {
            Some(roused) => process.node.rouse(roused, process.home()),
            None => process.node.count_drop(),
        }
    }

    /// Sends, unless that needed a connection or would pause this process, as the options say.
    pub fn send_with<'a>(
        &mut self,
        to: impl Into<To<'a>>,
        message: impl IntoTerm + Send + 'static,
        options: SendOptions,
    ) -> Sent {
        self.send_message(to.into(), Message::new(message), options)
    }

    /// Answers, for services that everybody must be able to rely on: never connects, and never pauses this process, whoever
    /// does not read. Instead nothing more is read from a peer that leaves too many answers unread.
    pub fn answer<'a>(&mut self, to: impl Into<To<'a>>, message: impl IntoTerm + Send + 'static) {
        let options = SendOptions { noconnect: true, ..SendOptions::default() };
        let message = Message::new(message);
        let from = Sender { pid: Some(&self.process.pid), at: self.process.home() };
        if let Routed::Far(lane, bytes) = self.process.node.route(from, to.into(), message, options) {
            lane.count_answer(bytes);
        }
    }

    /// Sends, and pauses here and now when the lane is full: for loops that send in bulk.
    pub async fn send_paced<'a>(&mut self, to: impl Into<To<'a>>, message: impl IntoTerm + Send + 'static) {
        let _ = self.send_message(to.into(), Message::new(message), SendOptions::default());
        self.unpaused().await;
    }

    fn send_message(&mut self, to: To<'_>, message: Message, options: SendOptions) -> Sent {
        let sent = &self.process.sent;
        sent.store(sent.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        let from = Sender { pid: Some(&self.process.pid), at: self.process.home() };
        match self.process.node.route(from, to, message, options) {
            Routed::Near => Sent::Ok,
            Routed::Far(lane, bytes) => {
                if lane.is_full_for(bytes) && !options.nosuspend {
                    self.desk().aside().paused = Some((lane, bytes));
                }
                Sent::Ok
            }
            Routed::Refused(sent) => sent,
        }
    }

    /// Starts a process.
    ///
    /// # Panics
    /// As [`Node::spawn`].
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
        self.start(options, Birth::default(), body)
    }

    /// Starts a process that is linked to this one before it runs.
    ///
    /// # Panics
    /// As [`Node::spawn`].
    pub fn spawn_link<F, Fut>(&self, body: F) -> Pid
    where
        F: FnOnce(Ctx) -> Fut + Send + 'static,
        Fut: Future + Send + 'static,
        Fut::Output: Outcome,
    {
        self.spawn_link_with(SpawnOptions::default(), body)
    }

    /// Starts a linked process with options.
    ///
    /// # Panics
    /// As [`Node::spawn`].
    pub fn spawn_link_with<F, Fut>(&self, options: SpawnOptions, body: F) -> Pid
    where
        F: FnOnce(Ctx) -> Fut + Send + 'static,
        Fut: Future + Send + 'static,
        Fut::Output: Outcome,
    {
        let link = Some((self.pid(), Link { lane: 0, unlinking: None }));
        self.start(options, Birth { link, ..Birth::default() }, body)
    }

    /// Starts a process that is watched by this one before it runs.
    ///
    /// # Panics
    /// As [`Node::spawn`].
    pub fn spawn_monitor<F, Fut>(&mut self, body: F) -> (Pid, Ref)
    where
        F: FnOnce(Ctx) -> Fut + Send + 'static,
        Fut: Future + Send + 'static,
        Fut::Output: Outcome,
    {
        self.spawn_monitor_with(SpawnOptions::default(), false, body)
    }

    /// Starts a watched process with options; with `linked` it is linked too, before it runs.
    ///
    /// # Panics
    /// As [`Node::spawn`].
    pub fn spawn_monitor_with<F, Fut>(&mut self, options: SpawnOptions, linked: bool, body: F) -> (Pid, Ref)
    where
        F: FnOnce(Ctx) -> Fut + Send + 'static,
        Fut: Future + Send + 'static,
        Fut::Output: Outcome,
    {
        let (reference, _) = self.next_reference();
        let watcher = Watcher { pid: self.pid(), name: None, lane: 0 };
        let link = linked.then(|| (self.pid(), Link { lane: 0, unlinking: None }));
        let birth = Birth { watcher: Some((reference.clone(), watcher)), link, ..Birth::default() };
        (self.start(options, birth, body), reference)
    }

    fn start<F, Fut>(&self, options: SpawnOptions, mut birth: Birth, body: F) -> Pid
    where
        F: FnOnce(Ctx) -> Fut + Send + 'static,
        Fut: Future + Send + 'static,
        Fut::Output: Outcome,
    {
        let label = options.label.unwrap_or(std::any::type_name::<F>());
        birth.parent = Some(self.process.clone());
        let watched = birth.watcher.as_ref().map(|(reference, _)| reference.clone());
        let linked = birth.link.is_some();
        let child = self.process.node.conceive(options, label, birth);
        if linked {
            let link = Link { lane: 0, unlinking: None };
            self.process.state().ties().links.insert(child.pid.clone(), link);
        }
        if let Some(reference) = watched {
            self.note_monitor(&reference, child.pid.clone());
        }
        self.process.node.run_process(child, body)
    }

    /// Tells the one who watches this process by that monitor that it has ended with that reason; for all others it goes on.
    /// Whether there was such a monitor. A caller whose question makes no sense hears in this way what it would hear if the
    /// question had crashed the server.
    pub fn dismiss(&self, watcher: &Ref, reason: impl Into<crate::Exit>) -> bool {
        self.process().dismiss(watcher, &reason.into().0)
    }

    /// Sends an exit signal, as `exit/2` does. To oneself it takes effect at the next await.
    pub fn exit(&self, to: &Pid, reason: impl Into<crate::Exit>) {
        self.process.node.send_exit(&self.process.pid, to, None, &reason.into().0, Cause::Call);
    }

    /// Whether exit signals shall come as messages ([`crate::ExitSignal`]); what it was before.
    pub fn set_trap_exit(&self, trap: bool) -> bool {
        std::mem::replace(&mut self.process.state().trap_exit, trap)
    }

    /// A reference that no one else has. Mail that answers to it can only lie behind [`Ctx::mark`] of now.
    pub fn make_ref(&mut self) -> Ref {
        self.next_reference().0
    }

    pub(crate) fn next_reference(&mut self) -> (Ref, u64) {
        let (process, desk) = self.split();
        let counter = desk.references;
        desk.references += 1;
        (reference(&process.pid, counter), counter)
    }

    /// The end of the mail that was taken in so far: a wait from here does not look at what came before. Mail that
    /// came since this process last waited may be looked at once.
    pub fn mark(&mut self) -> Mark {
        self.desk().unread.mark()
    }

    /// Where this process's output goes: `user` when nobody said, and the process itself where there is no `user`.
    pub fn group_leader(&self) -> Pid {
        self.process.leader()
    }

    /// Sets the group leader of this process.
    pub fn set_group_leader(&self, leader: &Pid) {
        self.process.state().leader = Some(leader.clone());
    }

    /// Nothing is said in the log when this process returns with an error: somebody has said it already.
    pub fn end_quietly(&self) {
        self.process.state().ends_quietly = true;
    }

    /// Has a log event, `{log, Level, Report, Meta}` or `{log, Level, Format, Arguments, Meta}`, logged by the node of our group
    /// leader, if that is another one and we are connected to it. It is lost there when that node does not keep up.
    pub fn log_at_leader(&self, event: impl IntoTerm) {
        self.process.log_at(&self.group_leader(), event.into_term());
    }

    /// Gives this process a name.
    ///
    /// # Errors
    /// When the name is taken or this process has one.
    pub fn register(&self, name: impl Into<Atom>) -> Result<(), RegisterError> {
        self.process.node.register(name, &self.process.pid)
    }

    /// Takes a name back; whether somebody had it.
    pub fn unregister(&self, name: impl Into<Atom>) -> bool {
        self.process.node.unregister(name)
    }

    /// Who has the name on this node.
    pub fn whereis(&self, name: impl Into<Atom>) -> Option<Pid> {
        self.process.node.whereis(name)
    }

    /// All names of this node.
    pub fn registered(&self) -> Vec<Atom> {
        self.process.node.registered()
    }

    /// Sends `message` to `to` after `wait`.
    pub fn send_after<'a>(
        &self,
        wait: Duration,
        to: impl Into<To<'a>>,
        message: impl IntoTerm + Send + 'static,
    ) -> Ref {
        let to = crate::timers::owned(to.into());
        self.process.node.timer_after(Some(self.pid()), wait, to, Message::new(message))
    }

    /// Stops a timer: the time it had left, or `None` when it has fired.
    pub fn cancel_timer(&self, timer: &Ref) -> Option<Duration> {
        self.process.node.cancel_timer(timer)
    }

    /// The messages that were looked at so far in search of one to receive: what marks save shows here.
    pub fn scanned_messages(&self) -> u64 {
        self.desk.as_ref().map_or(0, |desk| desk.unread.scanned)
    }

    /// The unread messages, oldest first, as terms; nothing is taken.
    pub fn unread(&mut self) -> Vec<Term> {
        self.collect();
        let mut seen = Vec::new();
        let _ = self.desk().unread.find::<()>(
            Mark::START,
            &mut Turns::unlimited(),
            |message| match message.as_term() {
                Ok(term) => {
                    seen.push(term.clone());
                    crate::message::Look::No
                }
                Err(error) => crate::message::Look::Undecodable(error),
            },
            |_, _| {},
        );
        seen
    }
}

impl std::fmt::Debug for Ctx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Ctx({})", self.process.pid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What every process costs that rests in a receive. Allocators have room of 128 bytes, and of 160, but none between.
    #[test]
    fn a_process_at_rest_is_small() {
        let counts = 2 * size_of::<usize>();
        assert!(size_of::<Desk>() <= 128, "{}", size_of::<Desk>());
        assert!(size_of::<Proc>() + counts <= 160, "{}", size_of::<Proc>());
        assert!(size_of::<crate::table::Slot>() <= 120, "{}", size_of::<crate::table::Slot>());
    }
}
