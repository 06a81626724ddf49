//! Receiving: the first unread message that reads as what was asked for.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use term::{Atom, FromTerm, Term};

use crate::ctx::{Ctx, Desk};
use crate::limits::{MAILBOX_ROOM_MESSAGES_MAX, RECEIVES_PER_POLL_MAX};
use crate::mail::Mail;
use crate::mailbox::{Found, Mark, Policy, Turns};
use crate::message::{Look, Message};
use crate::process::Proc;

impl Ctx {
    /// The first unread message that reads as an `M`; waits for it. Others stay.
    pub fn receive<M: FromTerm + 'static>(&mut self) -> impl Future<Output = M> {
        self.receive_from(Mark::START)
    }

    /// As [`Ctx::receive`], among the mail behind the mark.
    // Two words, and no more: what waits in a receive is what most processes of a node do.
    pub fn receive_from<M: FromTerm + 'static>(&mut self, mut mark: Mark) -> impl Future<Output = M> {
        poll_fn(move |cx| self.poll_for(cx, &mut mark, |message| message.take_as::<M>()))
    }

    /// As [`Ctx::receive`], for at most `wait`. Zero looks at what is there and does not wait.
    pub async fn receive_within<M: FromTerm + 'static>(&mut self, wait: Duration) -> Option<M> {
        if let Some(value) = self.try_receive() {
            return Some(value);
        }
        self.within(wait, start(), |message| message.take_as::<M>()).await
    }

    /// As [`Ctx::receive_within`], among the mail behind the mark.
    pub async fn receive_from_within<M: FromTerm + 'static>(
        &mut self,
        mark: Mark,
        wait: Duration,
    ) -> Option<M> {
        self.within(wait, mark, |message| message.take_as::<M>()).await
    }

    /// The first unread message, whatever it is, and the node it came from; `None` for one of this node. Waits for at most
    /// `wait`, or for as long as it takes.
    pub async fn receive_with_origin(&mut self, wait: Option<Duration>) -> Option<(Option<Atom>, Term)> {
        let look = |message: &mut Message| {
            let origin = message.origin().cloned();
            match message.take_as::<Term>() {
                Look::Yes(term) => Look::Yes((origin, term)),
                Look::No => Look::No,
                Look::Undecodable(error) => Look::Undecodable(error),
            }
        };
        match wait {
            Some(wait) => self.within(wait, Mark::START, look).await,
            None => {
                let mut mark = Mark::START;
                Some(poll_fn(|cx| self.poll_for(cx, &mut mark, look)).await)
            }
        }
    }

    /// The first unread message that reads as an `M`, if it is there already.
    pub fn try_receive<M: FromTerm + 'static>(&mut self) -> Option<M> {
        self.collect();
        self.take_unread(&mut start(), &mut Turns::unlimited(), |message| message.take_as::<M>())
    }

    /// The first unread message behind the mark for which `pick` gives something, if it is there already.
    pub fn try_select<R>(&mut self, mark: Mark, mut pick: impl FnMut(&Term) -> Option<R>) -> Option<R> {
        self.collect();
        self.take_unread(&mut { mark }, &mut Turns::unlimited(), |message| picked(message, &mut pick))
    }

    /// The first unread message for which `pick` gives something; waits for it. Others stay.
    pub fn select<R>(&mut self, pick: impl FnMut(&Term) -> Option<R>) -> impl Future<Output = R> {
        self.select_from(Mark::START, pick)
    }

    /// As [`Ctx::select`], among the mail behind the mark.
    pub fn select_from<R>(
        &mut self,
        mut mark: Mark,
        mut pick: impl FnMut(&Term) -> Option<R>,
    ) -> impl Future<Output = R> {
        poll_fn(move |cx| self.poll_for(cx, &mut mark, |message| picked(message, &mut pick)))
    }

    /// As [`Ctx::select`], for at most `wait`.
    pub async fn select_within<R>(
        &mut self,
        wait: Duration,
        pick: impl FnMut(&Term) -> Option<R>,
    ) -> Option<R> {
        self.select_from_within(Mark::START, wait, pick).await
    }

    /// As [`Ctx::select_within`], among the mail behind the mark.
    pub async fn select_from_within<R>(
        &mut self,
        mark: Mark,
        wait: Duration,
        mut pick: impl FnMut(&Term) -> Option<R>,
    ) -> Option<R> {
        self.within(wait, mark, |message| picked(message, &mut pick)).await
    }

    /// Waits. Exit signals are heard meanwhile, messages stay unread.
    pub async fn sleep(&mut self, wait: Duration) {
        self.unpaused().await;
        tokio::time::sleep(wait).await;
    }

    /// Lets others run: for processes that compute for long.
    pub async fn breathe(&mut self) {
        self.unpaused().await;
        let mut breathed = false;
        poll_fn(|cx| {
            if breathed {
                return Poll::Ready(());
            }
            breathed = true;
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    /// Waits until the lane that this process has filled has room again.
    pub(crate) async fn unpaused(&mut self) {
        poll_fn(|cx| self.poll_unpaused(cx)).await;
    }

    fn poll_unpaused(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(paused) = self.desk().paused()
            && let Some((lane, bytes)) = paused
        {
            if lane.poll_room(cx, *bytes).is_pending() {
                return Poll::Pending;
            }
            *paused = None;
        }
        Poll::Ready(())
    }

    async fn within<R>(
        &mut self,
        wait: Duration,
        mut mark: Mark,
        mut look: impl FnMut(&mut Message) -> Look<R>,
    ) -> Option<R> {
        let mut alarm = pin!(tokio::time::sleep(wait));
        poll_fn(|cx| {
            if let Poll::Ready(found) = self.poll_for(cx, &mut mark, &mut look) {
                return Poll::Ready(Some(found));
            }
            alarm.as_mut().poll(cx).map(|()| None)
        })
        .await
    }

    /// Looks and takes in one poll. `mark` moves on, so that nothing is looked at twice.
    fn poll_for<R>(
        &mut self,
        cx: &mut Context<'_>,
        mark: &mut Mark,
        mut look: impl FnMut(&mut Message) -> Look<R>,
    ) -> Poll<R> {
        if self.desk().aside.is_some() && self.poll_unpaused(cx).is_pending() {
            return Poll::Pending;
        }
        let mut turns = self.desk().turns;
        if turns.0 == 0 {
            return self.rest(cx);
        }
        turns.0 -= 1;
        loop {
            let found = self.take_unread(mark, &mut turns, &mut look);
            self.desk().turns = turns;
            if let Some(found) = found {
                return Poll::Ready(found);
            }
            if turns.0 == 0 {
                return self.rest(cx);
            }
            let (process, desk) = self.split();
            // Whatever came since the inbox was emptied in this very poll will be found at the end of it.
            let armed = std::mem::take(&mut desk.armed);
            if armed != 0 && armed == process.turn.load(Ordering::Relaxed) {
                process.wants_mail.store(true, Ordering::Relaxed);
                return Poll::Pending;
            }
            if !self.fetch(Some(cx)) {
                return Poll::Pending;
            }
        }
    }

    /// Others get their turn; this process goes on after them.
    fn rest<R>(&mut self, cx: &mut Context<'_>) -> Poll<R> {
        self.desk().turns = Turns(RECEIVES_PER_POLL_MAX);
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn take_unread<R>(
        &mut self,
        mark: &mut Mark,
        turns: &mut Turns,
        mut look: impl FnMut(&mut Message) -> Look<R>,
    ) -> Option<R> {
        let (process, desk) = self.split();
        let bad = |error, peer: Option<&term::Atom>| {
            process.node.count_drop();
            process.node.tell_garbled("a message", peer, &process.pid, &error);
        };
        let found = match desk.unread.find(*mark, turns, &mut look, bad) {
            Found::Yes(found) => Some(found),
            Found::Nothing(seen) => {
                *mark = seen.max(*mark);
                desk.take_incoming(process, turns, &mut look, bad)
            }
            Found::Tired(seen) => {
                *mark = seen.max(*mark);
                return None;
            }
        };
        if found.is_some() {
            process.unread.store((desk.unread.len() + desk.incoming.len()) as u32, Ordering::Relaxed);
            let received = &process.received;
            received.store(received.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        } else {
            *mark = desk.unread.mark().max(*mark);
        }
        found
    }

    /// Takes everything out of the inbox, and in.
    pub(crate) fn collect(&mut self) {
        self.fetch(None);
        let (process, desk) = self.split();
        desk.settle(process);
    }

    /// Moves mail from the inbox to the desk; `false` when there was none, and then `cx` is woken by the next.
    fn fetch(&mut self, cx: Option<&mut Context<'_>>) -> bool {
        let (process, desk) = self.split();
        desk.settle(process);
        let mut came = false;
        if process.has_fresh.load(Ordering::Relaxed) {
            process.has_fresh.store(false, Ordering::Relaxed);
            let fresh = process.state().ties.as_mut().map(|ties| std::mem::take(&mut ties.fresh));
            for message in fresh.into_iter().flatten() {
                desk.unread.push(message);
                came = true;
            }
        }
        if desk.incoming.capacity() > MAILBOX_ROOM_MESSAGES_MAX {
            desk.incoming = VecDeque::new();
        }
        let own = cx.as_ref().is_some_and(|cx| process.is_woken_by(cx.waker()));
        let mut orders = false;
        if let Some(mut body) = process.node.table().find(process.seat()) {
            std::mem::swap(&mut desk.incoming, &mut body.inbox);
            orders = std::mem::take(&mut body.orders);
            if let Some(cx) = cx {
                if own {
                    desk.armed = process.turn.load(Ordering::Relaxed);
                } else if desk.incoming.is_empty() && !came {
                    body.receiving = true;
                    body.reader = Some(Box::new(cx.waker().clone()));
                }
            }
        }
        came |= !desk.incoming.is_empty();
        if !came {
            desk.armed = 0;
            if own {
                process.wants_mail.store(true, Ordering::Relaxed);
            }
            desk.unread.shrink(MAILBOX_ROOM_MESSAGES_MAX);
            return false;
        }
        // Signals are heeded at once, however many messages lie before them.
        if orders || process.bound.is_some() {
            desk.settle(process);
        }
        let unread = &mut desk.unread;
        if let Some(bound) = process.bound.as_deref().filter(|bound| bound.policy == Policy::DropOldest) {
            while unread.len() > bound.messages_max {
                unread.drop_oldest();
            }
        }
        process.unread.store((unread.len() + desk.incoming.len()) as u32, Ordering::Relaxed);
        true
    }
}

impl Desk {
    /// Takes in what was fetched and not looked at.
    fn settle(&mut self, process: &Proc) {
        let Desk { unread, incoming, .. } = self;
        if !incoming.is_empty() {
            process.take_in(incoming.drain(..), |message| unread.push(message));
        }
    }

    /// The first fetched message for which `look` takes; those before it become unread mail.
    fn take_incoming<R>(
        &mut self,
        process: &Proc,
        turns: &mut Turns,
        mut look: impl FnMut(&mut Message) -> Look<R>,
        mut bad: impl FnMut(term::decode::DecodeError, Option<&term::Atom>),
    ) -> Option<R> {
        while let Some(mail) = self.incoming.pop_front() {
            let mut message = match mail {
                Mail::Message(message) => message,
                Mail::Aliased(counter, message) if process.admits(counter) => message,
                Mail::Aliased(..) => continue,
                signal => {
                    process.take_in(std::iter::once(signal), |message| self.unread.push(message));
                    continue;
                }
            };
            if !turns.take_for(&message) {
                self.incoming.push_front(Mail::Message(message));
                return None;
            }
            self.unread.scanned += 1;
            match look(&mut message) {
                Look::Yes(found) => return Some(found),
                Look::No => self.unread.push(message),
                Look::Undecodable(error) => bad(error, message.origin()),
            }
        }
        None
    }
}

fn start() -> Mark {
    Mark::START
}

fn picked<R>(message: &mut Message, pick: &mut impl FnMut(&Term) -> Option<R>) -> Look<R> {
    match message.as_term() {
        Ok(term) => match pick(term) {
            Some(found) => {
                *message = Message(crate::message::Form::Taken);
                Look::Yes(found)
            }
            None => Look::No,
        },
        Err(error) => Look::Undecodable(error),
    }
}
