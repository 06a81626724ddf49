//! What makes a generic server a state machine: the queue of events, the postponed ones, the time-outs.

use std::any::Any;
use std::collections::VecDeque;

use runtime::{Ctx, Exit};
use term::{Atom, IntoTerm, Term, term};
use tokio::time::Instant;

use super::step::{Go, SetTimer, Step};
use super::timers::{Key, Timers};
use super::{Event, GenStatem};
use crate::gen_server::{Flow, GenServer, Unknown, module_of};

/// A state machine at work. See [`super::Machine`].
pub struct Engine<M: GenStatem> {
    machine: M,
    state: M::State,
    /// To be handled before anything that is still in the mailbox.
    queue: VecDeque<Event<M>>,
    /// Waiting for another state, oldest first.
    postponed: VecDeque<Event<M>>,
    timers: Timers<M::Internal>,
    birth: Instant,
    hibernate: bool,
}

impl<M: GenStatem> GenServer for Engine<M> {
    type Args = M::Args;
    type Call = M::Call;
    type Cast = M::Cast;
    type Info = M::Info;

    async fn init(ctx: &mut Ctx, args: M::Args) -> Result<Self, Exit> {
        let (state, machine) = M::init(ctx, args).await?;
        Ok(Engine {
            machine,
            state,
            queue: VecDeque::new(),
            postponed: VecDeque::new(),
            timers: Timers::new(),
            birth: Instant::now(),
            hibernate: false,
        })
    }

    async fn started(&mut self, ctx: &mut Ctx) -> Flow {
        let first = self.state.clone();
        let entered = match M::STATE_ENTER {
            true => self.enter(ctx, &first).await,
            false => Ok(()),
        };
        let step = match entered {
            Ok(()) => self.machine.started(ctx, &self.state).await,
            Err(exit) => return Flow::Stop(exit),
        };
        match self.go(ctx, step).await {
            Ok(()) => self.run(ctx).await,
            Err(exit) => Flow::Stop(exit),
        }
    }

    async fn handle_call(&mut self, ctx: &mut Ctx, call: M::Call) -> Flow {
        self.happened(ctx, Event::Call(call)).await
    }

    async fn handle_cast(&mut self, ctx: &mut Ctx, cast: M::Cast) -> Flow {
        self.happened(ctx, Event::Cast(cast)).await
    }

    async fn handle_info(&mut self, ctx: &mut Ctx, info: M::Info) -> Flow {
        self.happened(ctx, Event::Info(info)).await
    }

    async fn handle_timeout(&mut self, ctx: &mut Ctx) -> Flow {
        self.run(ctx).await
    }

    async fn handle_unknown(&mut self, ctx: &mut Ctx, unknown: Unknown) -> Flow {
        self.timers.cancel(&Key::Event);
        self.machine.handle_unknown(ctx, unknown).await;
        self.run(ctx).await
    }

    async fn terminate(&mut self, ctx: &mut Ctx, reason: &Exit) {
        self.machine.terminate(ctx, reason, &self.state).await;
    }

    fn state_term(&self) -> Term {
        term!({(self.state.clone().into_term()), (self.machine.data_term())})
    }

    const BEHAVIOUR: &'static str = "gen_statem";

    fn module() -> Atom {
        module_of::<M>()
    }

    fn patch(&mut self, change: Box<dyn Any + Send>) -> bool {
        crate::sys::apply(&mut self.machine, change)
    }

    fn resumed(&mut self, _: &Flow) -> Flow {
        self.wait()
    }
}

impl<M: GenStatem> Engine<M> {
    async fn happened(&mut self, ctx: &mut Ctx, event: Event<M>) -> Flow {
        self.queue.push_back(event);
        self.run(ctx).await
    }

    /// Handles everything that can be handled without waiting.
    async fn run(&mut self, ctx: &mut Ctx) -> Flow {
        while let Some(event) = self.next() {
            self.hibernate = false;
            if !matches!(event, Event::EventTimeout(_)) {
                self.timers.cancel(&Key::Event);
            }
            let step = self.machine.handle_event(ctx, &self.state, event).await;
            if let Err(exit) = self.go(ctx, step).await {
                return Flow::Stop(exit);
            }
        }
        self.wait()
    }

    fn next(&mut self) -> Option<Event<M>> {
        if let Some(event) = self.queue.pop_front() {
            return Some(event);
        }
        self.timers.take(self.birth.elapsed()).map(|(key, what)| match key {
            Key::Event => Event::EventTimeout(what),
            Key::State => Event::StateTimeout(what),
            Key::Named(name) => Event::Timeout(name, what),
        })
    }

    fn wait(&self) -> Flow {
        match self.timers.next() {
            Some(due) => Flow::Timeout(due.saturating_sub(self.birth.elapsed())),
            None if self.hibernate => Flow::Hibernate,
            None => Flow::Continue,
        }
    }

    /// Goes where the step says, and does what it says on the way.
    async fn go(&mut self, ctx: &mut Ctx, step: Step<M>) -> Result<(), Exit> {
        let Step { go, postponed, next_events, timers, hibernate } = step;
        self.postponed.extend(postponed);
        let (entered, changed) = match go {
            Go::Stop(exit) => return Err(exit),
            Go::Keep => (None, false),
            Go::Repeat => (Some(self.state.clone()), false),
            Go::To(state) if state == self.state => {
                self.state = state;
                (None, false)
            }
            Go::To(state) => {
                self.timers.cancel(&Key::State);
                (Some(std::mem::replace(&mut self.state, state)), true)
            }
        };
        if changed {
            // The oldest of them comes first, before what has come since.
            while let Some(event) = self.postponed.pop_back() {
                self.queue.push_front(event);
            }
        }
        for event in next_events.into_iter().rev() {
            self.queue.push_front(event);
        }
        self.set(timers);
        self.hibernate = hibernate;
        match entered {
            Some(from) if M::STATE_ENTER => self.enter(ctx, &from).await,
            _ => Ok(()),
        }
    }

    async fn enter(&mut self, ctx: &mut Ctx, from: &M::State) -> Result<(), Exit> {
        let step = self.machine.enter(ctx, from, &self.state).await;
        let Step { go, postponed, next_events, timers, hibernate } = step;
        let stays = match &go {
            Go::Stop(exit) => return Err(exit.clone()),
            Go::Keep => true,
            Go::To(state) => *state == self.state,
            Go::Repeat => false,
        };
        if !stays || postponed.is_some() || !next_events.is_empty() {
            return Err(Exit(term!({bad_state_enter_return, (self.state.clone().into_term())})));
        }
        self.set(timers);
        self.hibernate |= hibernate;
        Ok(())
    }

    fn set(&mut self, timers: Vec<SetTimer<M::Internal>>) {
        let now = self.birth.elapsed();
        for (key, set) in timers {
            match set {
                Some((after, what)) => self.timers.set(key, now.saturating_add(after), what),
                None => self.timers.cancel(&key),
            }
        }
    }
}

impl<M: GenStatem> std::fmt::Debug for Engine<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let timers: Vec<_> = self.timers.keys().collect();
        let (queued, postponed) = (self.queue.len(), self.postponed.len());
        write!(f, "Engine({:?}, {queued} queued, {postponed} postponed, {timers:?})", self.state_term())
    }
}
