//! `application_controller`: starts and stops applications, one thing after the other, as OTP's does.

use std::sync::Arc;
use std::time::Duration;

use runtime::{Ctx, Down, Exit, SpawnOptions};
use term::{Atom, FromTerm, Pid, Term, term};

use super::boxed::AnyApplication;
use super::callbacks::Callbacks;
use super::spec::Spec;
use super::state::{Applications, Entry, Place, Starting, State};
use super::{Kind, StartType, api, master};
use crate::limits::APPLICATION_SHUTDOWN_MILLIS;
use crate::request::{self, Caller, Request};
use crate::sys;

/// The body of the process. It can be started again: what it knows is on the node's shelf.
pub async fn serve(ctx: Ctx) {
    let apps = Applications::of(ctx.node());
    let mut controller = Controller { ctx, apps };
    controller.watch_running();
    loop {
        let message: Term = controller.ctx.receive().await;
        match Request::read(message) {
            Request::Call(from, question) => {
                if let Some(answer) = controller.call(&from, &question).await {
                    request::answer(&mut controller.ctx, &from, answer);
                }
            }
            Request::Cast(message) => controller.cast(&message).await,
            Request::Info(message) => match Down::from_term(&message) {
                Ok(down) => controller.down(&down).await,
                Err(_) => controller.info(&message).await,
            },
            Request::System(from, question) => {
                let answer =
                    sys::service_answer(&controller.ctx, "gen_server", super::CONTROLLER, &from, &question);
                request::answer(&mut controller.ctx, &from, answer);
            }
        }
    }
}

pub(super) struct Controller {
    pub(super) ctx: Ctx,
    pub(super) apps: Arc<Applications>,
}

impl Controller {
    fn watch_running(&mut self) {
        let running = self.apps.state().running.clone();
        for (_, place) in running {
            if let Place::Here(pid) = place {
                self.ctx.monitor(&pid);
            }
        }
    }

    /// Nothing: it is answered later.
    async fn call(&mut self, from: &Caller, question: &Term) -> Option<Term> {
        let apps = self.apps.clone();
        let answer = match (question.as_atom().map(Atom::as_str), question.as_tuple()) {
            (Some("which_applications"), _) => api::running_term(&apps.state()),
            (Some("info"), _) => api::info_term(&apps.state()),
            (_, Some([word, rest @ ..])) => match (word.as_atom()?.as_str(), rest) {
                ("load_application", [what]) => return self.load(from, what),
                ("unload_application", [Term::Atom(name)]) => self.unload(name),
                ("start_application", [Term::Atom(name), kind]) => return self.start(from, name, kind).await,
                ("stop_application", [Term::Atom(name)]) => self.stop(name).await,
                ("is_running", [Term::Atom(name)]) => truth(apps.state().place(name).is_some()),
                ("control_application", [Term::Atom(name)]) => self.give_control(name, from),
                ("start_type", [Term::Atom(name)]) => {
                    let how = apps.state().starting.get(name).map(|starting| starting.how.to_term());
                    how.unwrap_or(Term::atom("local"))
                }
                ("permit_application", [Term::Atom(name), allow]) => {
                    return self.permit(from, name, allow.is_atom("true")).await;
                }
                ("set_env", [Term::Atom(name), Term::Atom(key), value, _]) => {
                    api::put_env(&apps, name, key, value.clone())
                }
                ("set_env", [config, _]) => api::put_config(&apps, config),
                ("unset_env", [Term::Atom(name), Term::Atom(key), _]) => {
                    apps.state().env.remove(&(name.clone(), key.clone()));
                    Term::atom("ok")
                }
                _ => unknown(question),
            },
            _ => unknown(question),
        };
        Some(answer)
    }

    fn load(&mut self, from: &Caller, what: &Term) -> Option<Term> {
        let apps = self.apps.clone();
        let mut state = apps.state();
        let entry = match what {
            Term::Atom(name) => match state.catalogue.get(name) {
                Some(entry) => entry.clone(),
                None if state.entry(name).is_some() => return Some(already_loaded(name)),
                None => {
                    let finder = state.finder.clone();
                    drop(state);
                    let found = finder.and_then(|find| find(name));
                    state = apps.state();
                    match found {
                        None => return Some(api::no_file(name)),
                        Some(found) => match with_callbacks(&found) {
                            Some(entry) if entry.spec.name == *name => entry,
                            _ => return Some(error(term!({bad_application, (found)}))),
                        },
                    }
                }
            },
            _ => match Spec::from_term(what) {
                Some(spec) => match state.catalogue.get(&spec.name).and_then(|entry| entry.body.clone()) {
                    Some(body) => Entry { spec, body: Some(body) },
                    None => with_callbacks(what)?,
                },
                None => return Some(error(term!({bad_application, (what.clone())}))),
            },
        };
        let name = entry.spec.name.clone();
        if state.entry(&name).is_some() {
            return Some(already_loaded(&name));
        }
        state.load(entry);
        match state.control.get(&name).cloned() {
            Some(decider) => {
                state.loading.push((name.clone(), from.clone()));
                drop(state);
                self.ctx.send(&decider, term!({ac_load_application_req, (name)}));
                None
            }
            None => Some(Term::atom("ok")),
        }
    }

    fn unload(&mut self, name: &Atom) -> Term {
        let apps = self.apps.clone();
        let mut state = apps.state();
        if state.place(name).is_some() {
            return error(term!({running, (name.clone())}));
        }
        if state.entry(name).is_none() {
            return error(term!({not_loaded, (name.clone())}));
        }
        state.unload(name);
        drop(state);
        self.tell_decider(name, "ac_application_unloaded");
        Term::atom("ok")
    }

    async fn start(&mut self, from: &Caller, name: &Atom, kind: &Term) -> Option<Term> {
        let Some(kind_of) = Kind::from_term(kind) else {
            return Some(error(term!({invalid_restart_type, (kind.clone())})));
        };
        let apps = self.apps.clone();
        let decider = {
            let mut state = apps.state();
            if state.waiting.iter().any(|(waiting, _)| waiting == name) {
                state.waiting.push((name.clone(), from.clone()));
                return None;
            }
            if let Err(reason) = may_start(&state, name) {
                return Some(error(reason));
            }
            let decider = state.control.get(name).cloned();
            if decider.is_none() && forbidden(&state, name) {
                state.forbidden.insert(name.clone(), kind_of);
                return Some(Term::atom("ok"));
            }
            state
                .starting
                .insert(name.clone(), Starting { kind: kind_of, how: StartType::Normal, master: None });
            state.waiting.push((name.clone(), from.clone()));
            decider
        };
        match decider {
            Some(decider) => self.ctx.send(&decider, term!({ac_start_application_req, (name.clone())})),
            None => self.begin(name, StartType::Normal).await,
        }
        None
    }

    /// Starts it here and now: what it needs must run here.
    pub(super) async fn begin(&mut self, name: &Atom, how: StartType) {
        let apps = self.apps.clone();
        let entry = {
            let mut state = apps.state();
            if let Some(starting) = state.starting.get_mut(name) {
                starting.how = how.clone();
            }
            state.entry(name).cloned()
        };
        let Some(Entry { spec, body }) = entry else { return };
        let missing = {
            let state = apps.state();
            let needed = spec.needs.iter().filter(|need| !spec.optional.contains(need));
            needed.clone().find(|need| state.place(need).is_none()).cloned()
        };
        if let Some(missing) = missing {
            return self.started(name, Err(term!({not_running, (missing)}))).await;
        }
        let Some(body) = body else { return self.started(name, Ok(Place::Library)).await };
        let spec_name = spec.name.clone();
        let task = master::Task { spec, body, how, controller: self.ctx.pid() };
        // Under `user`, not under whoever asked: the application lives longer than he.
        let leader = self.ctx.whereis("user");
        let options = SpawnOptions { label: Some("application_master"), leader, ..SpawnOptions::default() };
        let pid = self.ctx.spawn_with(options, move |ctx| master::run(ctx, task));
        if let Some(starting) = apps.state().starting.get_mut(&spec_name) {
            starting.master = Some(pid.clone());
        }
        self.ctx.monitor(&pid);
    }

    async fn stop(&mut self, name: &Atom) -> Term {
        let apps = self.apps.clone();
        let (kind, place) = {
            let mut state = apps.state();
            let (kind, place) = (state.kind(name), state.place(name).cloned());
            if kind.is_none() && place.is_none() {
                return error(term!({not_started, (name.clone())}));
            }
            state.forget_running(name);
            state.started.retain(|(started, _)| started != name);
            (kind, place)
        };
        self.stop_here(name, place, kind).await;
        self.tell_decider(name, "ac_application_stopped");
        Term::atom("ok")
    }

    /// Stops the copy that runs here, if one does.
    pub(super) async fn stop_here(&mut self, name: &Atom, place: Option<Place>, kind: Option<Kind>) {
        if let Some(Place::Here(pid)) = place {
            let reference = self.ctx.monitor(&pid);
            let me = self.ctx.pid();
            self.ctx.send(&pid, term!({stop, (reference.clone()), (me)}));
            let gone =
                |message: &Term| Down::from_term(message).ok().filter(|down| down.reference == reference);
            self.ctx.select(gone).await;
            while self.ctx.try_select(runtime::Mark::START, |message| answers(message, &reference)).is_some()
            {
            }
            said_exited(self.ctx.node(), name, &Term::atom("stopped"), kind);
        }
    }

    fn give_control(&mut self, name: &Atom, from: &Caller) -> Term {
        let apps = self.apps.clone();
        let mut state = apps.state();
        if state.control.get(name).is_some_and(|pid| self.ctx.node().is_process_alive(pid)) {
            return truth(false);
        }
        state.control.insert(name.clone(), from.pid.clone());
        truth(true)
    }

    async fn permit(&mut self, from: &Caller, name: &Atom, allow: bool) -> Option<Term> {
        let apps = self.apps.clone();
        let (decided_elsewhere, place, kind, known, starting, wanted) = {
            let mut state = apps.state();
            api::note_permission(&mut state, name, allow);
            let wanted = if allow { state.forbidden.remove(name) } else { None };
            let starting = state.starting.contains_key(name);
            let elsewhere = state.control.contains_key(name);
            (
                elsewhere,
                state.place(name).cloned(),
                state.kind(name),
                state.entry(name).is_some(),
                starting,
                wanted,
            )
        };
        if !known {
            return Some(error(term!({not_loaded, (name.clone())})));
        }
        if decided_elsewhere {
            let only_loaded = !starting && kind.is_none();
            return Some(if only_loaded {
                term!({distributed_application, only_loaded})
            } else {
                Term::atom("distributed_application")
            });
        }
        match (allow, place) {
            (false, place @ Some(_)) => {
                apps.state().forget_running(name);
                self.stop_here(name, place, kind).await;
                Some(Term::atom("ok"))
            }
            (true, None) if !starting && (wanted.is_some() || kind.is_some()) => {
                {
                    let mut state = apps.state();
                    let kind = wanted.or(kind).unwrap_or(Kind::Temporary);
                    state
                        .starting
                        .insert(name.clone(), Starting { kind, how: StartType::Normal, master: None });
                    state.waiting.push((name.clone(), from.clone()));
                }
                self.begin(name, StartType::Normal).await;
                None
            }
            _ => Some(Term::atom("ok")),
        }
    }

    /// To who decides about the application, if somebody does.
    pub(super) fn tell_decider(&mut self, name: &Atom, what: &str) {
        let decider = self.apps.state().control.get(name).cloned();
        if let Some(decider) = decider {
            self.ctx.send(&decider, Term::tuple([Term::atom(what), Term::Atom(name.clone())]));
        }
    }

    /// The node cannot go on without it.
    pub(super) async fn end_node(&mut self, reason: Term) {
        tracing::error!(%reason, "the node stops: an application without which it may not be has ended");
        self.shut_all().await;
        let apps = self.apps.clone();
        let hook = {
            let mut state = apps.state();
            state.ended = Some(reason.clone());
            state.on_end.clone()
        };
        match hook {
            Some(hook) => hook(self.ctx.node(), reason),
            None => {
                let node = self.ctx.node().clone();
                self.ctx.node().handle().spawn(async move { node.shutdown().await });
            }
        }
    }

    /// The latest first.
    pub(super) async fn shut_all(&mut self) {
        let running = std::mem::take(&mut self.apps.state().running);
        for (_, place) in running {
            let Place::Here(pid) = place else { continue };
            let reference = self.ctx.monitor(&pid);
            self.ctx.exit(&pid, Exit::shutdown());
            let gone =
                |message: &Term| Down::from_term(message).ok().filter(|down| down.reference == reference);
            let patience = Duration::from_millis(APPLICATION_SHUTDOWN_MILLIS);
            if self.ctx.select_within(patience, gone).await.is_none() {
                self.ctx.exit(&pid, Exit::kill());
            }
        }
    }
}

/// An application whose callbacks are exported functions.
fn with_callbacks(found: &Term) -> Option<Entry> {
    let spec = Spec::from_term(found)?;
    let body = Callbacks::of(&spec).map(|callbacks| Arc::new(callbacks) as Arc<dyn AnyApplication>);
    Some(Entry { spec, body })
}

fn answers(message: &Term, reference: &term::Ref) -> Option<()> {
    match message.as_tuple() {
        Some([Term::Ref(other), word]) if other == reference && word.is_atom("ok") => Some(()),
        _ => None,
    }
}

/// Whether it can be started: loaded, not running, and what it needs is started.
fn may_start(state: &State, name: &Atom) -> Result<(), Term> {
    let Some(entry) = state.entry(name) else { return Err(term!({not_loaded, (name.clone())})) };
    if state.place(name).is_some() {
        return Err(term!({already_started, (name.clone())}));
    }
    let needs = entry.spec.needs.iter().filter(|need| !entry.spec.optional.contains(need));
    match needs.into_iter().find(|need| state.kind(need).is_none()) {
        Some(need) => Err(term!({not_started, (need.clone())})),
        None => Ok(()),
    }
}

/// Kernel's `permissions` say so.
fn forbidden(state: &State, name: &Atom) -> bool {
    let permissions = state.get_env(&Atom::new("kernel"), &Atom::new("permissions"));
    let wanted = term!({(name.clone()), false});
    permissions.is_some_and(|all| all.as_list().is_some_and(|list| list.iter().any(|item| item == wanted)))
}

pub(super) fn said_exited(node: &runtime::Node, name: &Atom, reason: &Term, kind: Option<Kind>) {
    if !crate::report::is_wanted(node, crate::report::Level::Info, "INFO REPORT") {
        return;
    }
    let kind = kind.map_or(Term::atom("undefined"), Kind::to_term);
    tracing::info!(
        title = "INFO REPORT",
        "    application: {name}\n    exited: {}\n    type: {kind}\n",
        crate::report::show_at(reason, "    exited: ".len())
    );
}

fn already_loaded(name: &Atom) -> Term {
    error(term!({already_loaded, (name.clone())}))
}

fn unknown(question: &Term) -> Term {
    error(term!({unknown_call, (question.clone())}))
}

pub(super) fn error(reason: Term) -> Term {
    term!({error, (reason)})
}

pub(super) fn truth(so: bool) -> Term {
    Term::atom(if so { "true" } else { "false" })
}

/// Who asks the controller from this node.
pub(super) fn controller_of(ctx: &Ctx) -> Option<Pid> {
    ctx.whereis(super::CONTROLLER)
}
