//! What the controller hears of starts and ends, and from who decides about distributed applications.

use runtime::Down;
use term::{Atom, Term, term};

use super::controller::{Controller, error, said_exited};
use super::state::{Place, Starting};
use super::{Kind, StartType};
use crate::request;

impl Controller {
    pub(super) async fn cast(&mut self, message: &Term) {
        if let Some([word, Term::Atom(name), result]) = message.as_tuple()
            && word.is_atom("application_started")
        {
            let result = match result.as_tuple() {
                Some([ok, Term::Pid(pid)]) if ok.is_atom("ok") => Ok(Place::Here(pid.clone())),
                Some([_, reason]) => Err(reason.clone()),
                _ => return,
            };
            // Only a start that we have ordered counts.
            if self.apps.state().starting.contains_key(name) {
                self.started(name, result).await;
            }
        } else if message.is_atom("stop_all") {
            self.shut_all().await;
        }
    }

    /// It runs, here or there, or does not start.
    pub(super) async fn started(&mut self, name: &Atom, result: Result<Place, Term>) {
        let apps = self.apps.clone();
        let Some(Starting { kind, .. }) = apps.state().starting.remove(name) else { return };
        let answer = match &result {
            Ok(_) => Term::atom("ok"),
            Err(reason) => error(reason.clone()),
        };
        self.answer_waiting(name, &answer);
        match result {
            Ok(place) => {
                {
                    let mut state = apps.state();
                    state.set_place(name, place.clone());
                    state.set_started(name, kind);
                }
                if let Place::There(_) = place {
                    return;
                }
                tracing::info!(application = %name, "an application runs");
                self.tell_run(name, &Term::atom("ok"));
            }
            Err(reason) => {
                self.tell_run(name, &answer);
                said_exited(self.ctx.node(), name, &reason, Some(kind));
                let quiet = kind == Kind::Temporary || kind == Kind::Transient && is_normal_start(&reason);
                if !quiet {
                    self.end_node(term!({application_start_failure, (name.clone()), (reason)})).await;
                }
            }
        }
    }

    fn answer_waiting(&mut self, name: &Atom, answer: &Term) {
        let waiting = std::mem::take(&mut self.apps.state().waiting);
        let (mine, rest): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|(app, _)| app == name);
        self.apps.state().waiting.extend(rest);
        for (_, caller) in mine.into_iter().rev() {
            request::answer(&mut self.ctx, &caller, answer.clone());
        }
    }

    fn tell_run(&mut self, name: &Atom, result: &Term) {
        let decider = self.apps.state().control.get(name).cloned();
        if let Some(decider) = decider {
            self.ctx.send(&decider, term!({ac_application_run, (name.clone()), (result.clone())}));
        }
    }

    pub(super) async fn info(&mut self, message: &Term) {
        let Some([word, Term::Atom(name), what]) = message.as_tuple() else { return };
        match word.as_atom().map(Atom::as_str) {
            Some("ac_load_application_reply") => self.load_decided(name, what),
            Some("ac_start_application_reply") => self.start_decided(name, what).await,
            Some("ac_change_application_req") => self.change(name, what).await,
            _ => {}
        }
    }

    fn load_decided(&mut self, name: &Atom, result: &Term) {
        let mut loading = std::mem::take(&mut self.apps.state().loading);
        if let Some(at) = loading.iter().position(|(app, _)| app == name) {
            let (_, caller) = loading.remove(at);
            if !result.is_atom("ok") {
                self.apps.state().unload(name);
            }
            request::answer(&mut self.ctx, &caller, result.clone());
        }
        self.apps.state().loading = loading;
    }

    /// The answer to our question who shall run it.
    async fn start_decided(&mut self, name: &Atom, what: &Term) {
        let apps = self.apps.clone();
        let Some(Starting { kind, .. }) = apps.state().starting.get(name).cloned() else { return };
        match Change::read(what) {
            Some(Change::Start) => self.begin(name, StartType::Normal).await,
            Some(Change::Takeover(from, _)) => self.begin(name, StartType::Takeover { from }).await,
            Some(Change::Started(node)) => self.started(name, Ok(Place::There(Some(node)))).await,
            Some(Change::NotStarted) => {
                {
                    let mut state = apps.state();
                    state.starting.remove(name);
                    state.set_started(name, kind);
                }
                self.answer_waiting(name, &Term::atom("ok"));
            }
            Some(Change::Error(reason)) => {
                apps.state().starting.remove(name);
                self.answer_waiting(name, &error(reason.clone()));
                if kind == Kind::Permanent {
                    self.end_node(reason).await;
                }
            }
            _ => {}
        }
    }

    /// Who decides wants it otherwise.
    async fn change(&mut self, name: &Atom, what: &Term) {
        let Some(change) = Change::read(what) else { return };
        let apps = self.apps.clone();
        let (place, kind) = {
            let state = apps.state();
            (state.place(name).cloned(), state.kind(name))
        };
        let runs_here = matches!(place, Some(Place::Here(_) | Place::Library));
        match change {
            Change::Started(node) => {
                if kind.is_some() {
                    apps.state().set_place(name, Place::There(Some(node)));
                }
                self.stop_here(name, place, kind).await;
            }
            Change::Stop => {
                apps.state().set_place(name, Place::There(None));
                self.stop_here(name, place, kind).await;
                self.tell_decider(name, "ac_application_not_run");
            }
            Change::NotRunning => apps.state().forget_running(name),
            Change::Start | Change::Takeover(..) | Change::Failover(_) if runs_here => {
                self.tell_run(name, &Term::atom("ok"));
            }
            Change::Start => self.restart(name, None, StartType::Normal).await,
            Change::Takeover(from, kind) => self.restart(name, kind, StartType::Takeover { from }).await,
            Change::Failover(from) => {
                let phases = apps.state().entry(name).is_some_and(|entry| entry.spec.start_phases.is_some());
                let how = if phases { StartType::Failover { from } } else { StartType::Normal };
                self.restart(name, None, how).await;
            }
            Change::NotStarted | Change::Error(_) => {}
        }
    }

    async fn restart(&mut self, name: &Atom, kind: Option<Kind>, how: StartType) {
        let apps = self.apps.clone();
        {
            let mut state = apps.state();
            if state.starting.contains_key(name) && state.kind(name).is_some() {
                return;
            }
            let kind = kind.or(state.kind(name)).or(state.starting.get(name).map(|starting| starting.kind));
            let Some(kind) = kind else {
                drop(state);
                // Who decides must not wait for what nobody here has started.
                return self.tell_run(name, &error(term!({not_started, (name.clone())})));
            };
            state.starting.insert(name.clone(), Starting { kind, how: how.clone(), master: None });
        }
        self.begin(name, how).await;
    }

    /// A master has ended.
    pub(super) async fn down(&mut self, down: &Down) {
        let apps = self.apps.clone();
        let Some(pid) = down.target.as_pid() else { return };
        let (name, kind) = {
            let mut state = apps.state();
            let here = Place::Here(pid.clone());
            let Some(name) =
                state.running.iter().find(|(_, place)| *place == here).map(|(name, _)| name.clone())
            else {
                return;
            };
            state.forget_running(&name);
            (name.clone(), state.kind(&name))
        };
        self.tell_decider(&name, "ac_application_stopped");
        said_exited(self.ctx.node(), &name, &down.reason, kind);
        let quiet = match kind {
            Some(Kind::Temporary) => true,
            Some(Kind::Transient) => down.reason.is_atom("normal"),
            Some(Kind::Permanent) | None => false,
        };
        if !quiet {
            self.end_node(term!({application_terminated, (name), (down.reason.clone())})).await;
        }
    }
}

/// `{{'EXIT', normal}, _}`.
fn is_normal_start(reason: &Term) -> bool {
    let first = reason.as_tuple().and_then(<[Term]>::first);
    first.is_some_and(|first| *first == term!({(Atom::new("EXIT")), normal}) || first.is_atom("normal"))
}

/// What who decides says. (The messages are those between OTP's `dist_ac` and its controller.)
enum Change {
    Start,
    Started(Atom),
    NotStarted,
    Takeover(Atom, Option<Kind>),
    Failover(Atom),
    Stop,
    NotRunning,
    Error(Term),
}

impl Change {
    fn read(term: &Term) -> Option<Change> {
        if let Some(word) = term.as_atom() {
            return match word.as_str() {
                "start_it" => Some(Change::Start),
                "stop_it" => Some(Change::Stop),
                "not_started" => Some(Change::NotStarted),
                "not_running" => Some(Change::NotRunning),
                _ => None,
            };
        }
        match term.as_tuple()? {
            [word, Term::Atom(node)] if word.is_atom("started") => Some(Change::Started(node.clone())),
            [word, reason] if word.is_atom("error") => Some(Change::Error(reason.clone())),
            [word, Term::Atom(node), rest @ ..] if word.is_atom("takeover") => {
                Some(Change::Takeover(node.clone(), rest.first().and_then(Kind::from_term)))
            }
            [word, Term::Atom(node), ..] if word.is_atom("failover") => Some(Change::Failover(node.clone())),
            _ => None,
        }
    }
}
