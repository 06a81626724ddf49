//! The part of every behaviour that answers system messages.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use runtime::{Ctx, Exit, ExitSignal, Node};
use term::{FromTerm, Ref, Term, term};

use super::debug::Debug;
use super::state_for;
use crate::caught::caught_now;
use crate::proc_lib::Cradle;
use crate::request::{self, Caller, Request};

/// What `sys` looks at and changes.
pub(crate) trait Subject: Send {
    /// The behaviour, such as `gen_server`.
    fn behaviour(&self) -> &'static str;

    /// What `get_state` answers.
    fn state_term(&self) -> Term;

    /// Takes a change of the state that was left by [`leave_patch`]; `false` when it is for another type.
    fn patch(&mut self, change: Box<dyn Any + Send>) -> bool;
}

/// What all processes of behaviours have.
pub(crate) struct Core {
    pub(crate) cradle: Cradle,
    pub(crate) name: Term,
    pub(crate) debug: Debug,
}

impl Core {
    pub(crate) fn new(ctx: &Ctx, cradle: Cradle) -> Core {
        Core { name: cradle.shown(ctx), cradle, debug: Debug::default() }
    }

    /// Whether this exit signal is the end of the parent, which is the end of the child.
    pub(crate) fn is_parents(&self, signal: &ExitSignal) -> bool {
        self.cradle.parent() == Some(&signal.from)
    }

    /// Answers a system message; a process that is suspended by it handles only such until it is resumed. `Some` when
    /// it must end.
    pub(crate) async fn system(
        &mut self,
        ctx: &mut Ctx,
        subject: &mut impl Subject,
        from: Caller,
        request: Term,
    ) -> Option<Exit> {
        let (mut from, mut request) = (from, request);
        let mut suspended = false;
        loop {
            if let Some([word, reason]) = request.as_tuple()
                && word.is_atom("terminate")
            {
                request::reply(ctx, &from, Term::atom("ok"));
                return Some(Exit(reason.clone()));
            }
            let answer = match request.as_atom().map(|word| word.as_str()) {
                Some("suspend") => {
                    suspended = true;
                    Term::atom("ok")
                }
                Some("resume") => {
                    suspended = false;
                    Term::atom("ok")
                }
                _ => self.answer(ctx, subject, suspended, &from, &request),
            };
            request::reply(ctx, &from, answer);
            if !suspended {
                return None;
            }
            let parent = self.cradle.parent().cloned();
            let heard = ctx.select(|message| match Request::read(message.clone()) {
                Request::System(from, request) => Some(Ok((from, request))),
                _ => ExitSignal::from_term(message)
                    .ok()
                    .filter(|signal| parent.as_ref() == Some(&signal.from))
                    .map(|signal| Err(Exit(signal.reason))),
            });
            match heard.await {
                Ok(next) => (from, request) = next,
                Err(exit) => return Some(exit),
            }
        }
    }

    fn answer(
        &mut self,
        ctx: &mut Ctx,
        subject: &mut impl Subject,
        suspended: bool,
        from: &Caller,
        request: &Term,
    ) -> Term {
        if request.is_atom("get_state") {
            return state_for(from, subject.state_term());
        }
        if request.is_atom("get_status") {
            return self.status(ctx, subject, suspended);
        }
        match request.as_tuple() {
            Some([word, change]) if word.is_atom("replace_state") => {
                match replace(ctx.node(), subject, change) {
                    Ok(state) => state_for(from, state),
                    Err(why) => why,
                }
            }
            Some([word, what]) if word.is_atom("debug") => self.debug.command(ctx, what),
            Some([word, _, _, _]) if word.is_atom("change_code") && suspended => term!({error, notsup}),
            _ => term!({error, {unknown_system_msg, (request.clone())}}),
        }
    }

    fn status(&self, ctx: &Ctx, subject: &impl Subject, suspended: bool) -> Term {
        let state = Term::atom(if suspended { "suspended" } else { "running" });
        let parent = self.cradle.parent().cloned().unwrap_or_else(|| ctx.pid());
        let header = format!("Status for {} {:?}", behaviour_text(subject.behaviour()), self.name);
        let text = Term::string;
        let misc = term!([
            {header, (text(&header))},
            {data, [
                {(text("Status")), (state.clone())},
                {(text("Parent")), (parent.clone())},
                {(text("Logged events")), (self.debug.events())}
            ]},
            {data, [{(text("State")), (subject.state_term())}]}
        ]);
        let dictionary = self.cradle.dictionary(ctx);
        let items = term!([(dictionary), (state), (parent), (self.debug.options()), (misc)]);
        term!({status, (ctx.pid()), {module, (term::Atom::new(subject.behaviour()))}, (items)})
    }
}

fn behaviour_text(behaviour: &str) -> &str {
    match behaviour {
        "gen_server" => "generic server",
        "gen_statem" => "state machine",
        "gen_event" => "event handler",
        other => other,
    }
}

/// Changes of states that wait to be made: closures cannot travel in messages.
#[derive(Default)]
struct Patches(Mutex<BTreeMap<Ref, Box<dyn Any + Send>>>);

/// What a patch is, inside of its box.
type Patch<S> = Box<dyn FnOnce(&mut S) + Send>;

/// Leaves a change where a process of this node will find it, and gives back what it is called.
pub(crate) fn leave_patch<S: 'static>(node: &Node, change: impl FnOnce(&mut S) + Send + 'static) -> Ref {
    let name = node.make_ref();
    let patch: Patch<S> = Box::new(change);
    let patches = node.shelf::<Patches>();
    patches.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone(), Box::new(patch));
    name
}

/// Takes a change back that nobody has made.
pub(crate) fn drop_patch(node: &Node, name: &Ref) {
    take_patch(node, name);
}

fn take_patch(node: &Node, name: &Ref) -> Option<Box<dyn Any + Send>> {
    node.shelf::<Patches>().0.lock().unwrap_or_else(PoisonError::into_inner).remove(name)
}

/// The state as it is then, or the answer that says why it was not changed.
fn replace(node: &Node, subject: &mut impl Subject, change: &Term) -> Result<Term, Term> {
    let failed = |why: Term| term!({error, {callback_failed, {(term::Atom::new("sys")), replace_state}, {error, (why)}}});
    let Some(patch) = change.as_ref().and_then(|name| take_patch(node, name)) else {
        return Err(failed(term!({badfun, (change.clone())})));
    };
    match caught_now(|| subject.patch(patch)) {
        Ok(true) => Ok(subject.state_term()),
        Ok(false) => Err(failed(Term::atom("badarg"))),
        Err(exit) => Err(failed(exit.0)),
    }
}

/// Makes a change that was found; `false` when it is for another type.
pub(crate) fn apply<S: 'static>(state: &mut S, change: Box<dyn Any + Send>) -> bool {
    match change.downcast::<Patch<S>>() {
        Ok(change) => {
            change(state);
            true
        }
        Err(_) => false,
    }
}
