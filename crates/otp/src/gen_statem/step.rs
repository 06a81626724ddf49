//! What a callback of a machine returns: where to go, and what to do on the way.

use std::time::Duration;

use runtime::Exit;
use term::{Atom, IntoTerm};

use super::timers::Key;
use super::{Event, GenStatem};
use crate::reply::Reply;

/// Where to go, and what to do on the way: OTP's transition and its actions.
#[must_use]
pub struct Step<M: GenStatem> {
    pub(super) go: Go<M>,
    pub(super) postponed: Option<Event<M>>,
    /// In their order.
    pub(super) next_events: Vec<Event<M>>,
    /// In their order.
    pub(super) timers: Vec<SetTimer<M::Internal>>,
    pub(super) hibernate: bool,
}

/// A time-out to be set, or with `None` to be taken back.
pub(super) type SetTimer<T> = (Key, Option<(Duration, T)>);

pub(super) enum Go<M: GenStatem> {
    Keep,
    Repeat,
    To(M::State),
    Stop(Exit),
}

impl<M: GenStatem> Step<M> {
    fn new(go: Go<M>) -> Step<M> {
        Step { go, postponed: None, next_events: Vec::new(), timers: Vec::new(), hibernate: false }
    }

    /// Stays in this state.
    pub fn keep() -> Step<M> {
        Step::new(Go::Keep)
    }

    /// Goes to this state. When it is another one, postponed events come again, and the state's time-out is taken back.
    pub fn to(state: M::State) -> Step<M> {
        Step::new(Go::To(state))
    }

    /// Stays in this state, and [`GenStatem::enter`] is called as if it were entered anew.
    pub fn repeat() -> Step<M> {
        Step::new(Go::Repeat)
    }

    /// Ends the machine.
    pub fn stop(reason: impl Into<Exit>) -> Step<M> {
        Step::new(Go::Stop(reason.into()))
    }

    /// Puts the event aside, until the state changes.
    pub fn postpone(mut self, event: Event<M>) -> Self {
        self.postponed = Some(event);
        self
    }

    /// Handles this next, before everything that waits; several in the order in which they are given.
    pub fn next_event(mut self, event: Event<M>) -> Self {
        self.next_events.push(event);
        self
    }

    /// Says this to itself: `next_event(Event::Internal(what))`.
    pub fn internal(self, what: M::Internal) -> Self {
        self.next_event(Event::Internal(what))
    }

    /// Answers a question.
    pub fn reply<T: IntoTerm>(self, reply: Reply<T>, answer: T) -> Self {
        reply.send(answer);
        self
    }

    /// When the machine is still in this state (the one gone to) after so much time: [`Event::StateTimeout`].
    pub fn state_timeout(self, after: Duration, what: M::Internal) -> Self {
        self.timer(Key::State, Some((after, what)))
    }

    /// Takes the state's time-out back.
    pub fn cancel_state_timeout(self) -> Self {
        self.timer(Key::State, None)
    }

    /// When nothing at all happens for so long: [`Event::EventTimeout`].
    pub fn event_timeout(self, after: Duration, what: M::Internal) -> Self {
        self.timer(Key::Event, Some((after, what)))
    }

    /// After so much time, whatever happens: [`Event::Timeout`]. Setting it again starts it anew.
    pub fn timeout(self, name: impl Into<Atom>, after: Duration, what: M::Internal) -> Self {
        self.timer(Key::Named(name.into()), Some((after, what)))
    }

    /// Takes a time-out back.
    pub fn cancel_timeout(self, name: impl Into<Atom>) -> Self {
        self.timer(Key::Named(name.into()), None)
    }

    /// May have to wait long.
    pub fn hibernate(mut self) -> Self {
        self.hibernate = true;
        self
    }

    fn timer(mut self, key: Key, set: Option<(Duration, M::Internal)>) -> Self {
        self.timers.push((key, set));
        self
    }
}
