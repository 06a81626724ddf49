//! Children that each have an id, in the order of their start.

use std::collections::BTreeMap;

use runtime::{Ctx, Exit, Node};
use term::{IntoTerm, Pid, Term, term};
use tokio::time::Instant;

use super::Supervisor;
use super::children::shutdown;
use super::handle::{ChildInfo, ChildState, Counts};
use super::intensity::Intensity;
use super::reports::{self, Who};
use super::serve::{again, ending, ok};
use super::spec::{AutoShutdown, Child, Kind, Restart};
use super::strategy::{Action, Family};
use crate::caught::caught;
use crate::gen_server::Flow;

pub(super) struct Named {
    name: Term,
    birth: Instant,
    auto_shutdown: AutoShutdown,
    family: Family<Term>,
    members: BTreeMap<Term, Member>,
    by_pid: BTreeMap<Pid, Term>,
}

struct Member {
    child: Child,
    place: Place,
}

#[derive(Clone)]
enum Place {
    Down,
    Up(Pid),
    /// With the pid it had last.
    Restarting(Option<Pid>),
}

impl Named {
    /// Starts the first children; when one fails, those before it are ended.
    pub(super) async fn start(ctx: &mut Ctx, name: Term, rules: Supervisor) -> Result<Named, Exit> {
        let intensity = Intensity::new(rules.restarts_max, rules.period);
        let mut named = Named {
            name,
            birth: Instant::now(),
            auto_shutdown: rules.auto_shutdown,
            family: Family::new(rules.strategy, rules.auto_shutdown, intensity),
            members: BTreeMap::new(),
            by_pid: BTreeMap::new(),
        };
        for child in &rules.children {
            let wrong = named.refused(child).or_else(|| {
                let id = &child.id;
                named.members.contains_key(id).then(|| term!({duplicate_child_name, (id.clone())}))
            });
            if let Some(reason) = wrong {
                return Err(Exit(term!({start_spec, (reason)})));
            }
            named.admit(child.clone());
        }
        for child in rules.children {
            let id = child.id.clone();
            let temporary = child.restart == Restart::Temporary;
            match named.start_one(ctx, &id).await {
                Ok(None) if temporary => named.forget(&id),
                Ok(_) => {}
                Err(reason) => {
                    named.stop_all(ctx).await;
                    return Err(Exit(term!({shutdown, {failed_to_start_child, (id), (reason)}})));
                }
            }
        }
        Ok(named)
    }

    /// What is wrong with a specification.
    fn refused(&self, child: &Child) -> Option<Term> {
        if !child.significant {
            return None;
        }
        if self.auto_shutdown == AutoShutdown::Never {
            return Some(term!({bad_combination, [{auto_shutdown, never}, {significant, true}]}));
        }
        (child.restart == Restart::Permanent)
            .then(|| term!({bad_combination, [{restart, permanent}, {significant, true}]}))
    }

    fn admit(&mut self, child: Child) {
        self.family.add(child.id.clone(), child.restart, child.significant);
        self.members.insert(child.id.clone(), Member { child, place: Place::Down });
    }

    fn forget(&mut self, id: &Term) {
        self.family.remove(id);
        self.settle(id, Place::Down);
        self.members.remove(id);
    }

    fn settle(&mut self, id: &Term, place: Place) {
        let Some(member) = self.members.get_mut(id) else { return };
        if let Place::Up(pid) = &member.place {
            self.by_pid.remove(pid);
        }
        if let Place::Up(pid) = &place {
            self.by_pid.insert(pid.clone(), id.clone());
        }
        self.family.set_up(id, matches!(place, Place::Up(_)));
        member.place = place;
    }

    /// Starts a child that is known, and reports what came of it.
    async fn start_one(&mut self, ctx: &mut Ctx, id: &Term) -> Result<Option<Pid>, Term> {
        let Some(Member { child, place }) = self.members.get(id) else { return Ok(None) };
        let (child, place) = (child.clone(), place.clone());
        let started = caught((child.start)(ctx)).await.unwrap_or_else(|exit| Err(exit.0));
        match &started {
            Ok(Some(pid)) => {
                reports::progress(ctx, &self.name, &child, pid);
                self.settle(id, Place::Up(pid.clone()));
            }
            Ok(None) => self.settle(id, Place::Down),
            Err(reason) => {
                let who = match &place {
                    Place::Down => Who::Nobody,
                    Place::Up(pid) => Who::Pid(pid),
                    Place::Restarting(pid) => Who::Restarting(pid.as_ref()),
                };
                reports::error(ctx, &self.name, "start_error", reason, &child, who);
            }
        }
        started
    }

    async fn stop_one(&mut self, ctx: &mut Ctx, id: &Term) {
        let Some(Member { child, place: Place::Up(pid) }) = self.members.get(id) else { return };
        let (child, pid) = (child.clone(), pid.clone());
        if let Err(reason) = shutdown(ctx, &child, &pid).await {
            reports::error(ctx, &self.name, "shutdown_error", &reason, &child, Who::Pid(&pid));
        }
        self.settle(id, Place::Down);
    }

    /// The youngest first.
    pub(super) async fn stop_all(&mut self, ctx: &mut Ctx) {
        let ids: Vec<Term> = self.family.ids().rev().cloned().collect();
        for id in ids {
            self.stop_one(ctx, &id).await;
        }
    }

    /// A process that was linked to this one has ended.
    pub(super) async fn ended(&mut self, ctx: &mut Ctx, pid: &Pid, reason: Term) -> Flow {
        let Some(id) = self.by_pid.get(pid).cloned() else { return Flow::Continue };
        self.settle(&id, Place::Restarting(Some(pid.clone())));
        let actions = self.family.on_exit(&id, ending(&reason), self.birth.elapsed());
        let restarts = actions.iter().any(|action| matches!(action, Action::Start(_)));
        let flow = self.carry_out(ctx, actions, Some((pid, &reason))).await;
        if !restarts {
            self.settle(&id, Place::Down);
        }
        flow
    }

    pub(super) async fn retry(&mut self, ctx: &mut Ctx, id: &Term) -> Flow {
        if !matches!(self.members.get(id), Some(Member { place: Place::Restarting(_), .. })) {
            return Flow::Continue;
        }
        let actions = self.family.on_retry(id, self.birth.elapsed());
        self.carry_out(ctx, actions, None).await
    }

    async fn carry_out(
        &mut self,
        ctx: &mut Ctx,
        actions: Vec<Action<Term>>,
        dead: Option<(&Pid, &Term)>,
    ) -> Flow {
        for action in actions {
            match action {
                Action::Report(id) => {
                    let (Some(member), Some((pid, reason))) = (self.members.get(&id), dead) else { continue };
                    let child = &member.child;
                    reports::error(ctx, &self.name, "child_terminated", reason, child, Who::Pid(pid));
                }
                Action::Stop(id) => self.stop_one(ctx, &id).await,
                Action::Forget(id) => self.forget(&id),
                Action::Start(id) => {
                    if self.start_one(ctx, &id).await.is_err() {
                        let last = match self.members.get(&id).map(|member| &member.place) {
                            Some(Place::Restarting(last)) => last.clone(),
                            _ => None,
                        };
                        self.settle(&id, Place::Restarting(last));
                        self.family.on_failed_start(&id);
                        self.lay_down(&id, dead.map(|(pid, _)| pid));
                        again(ctx, id);
                        return Flow::Continue;
                    }
                }
                Action::Retry(id) => again(ctx, id),
                Action::GiveUp(id) => {
                    let Some(member) = self.members.get(&id) else { continue };
                    let why = Term::atom("reached_max_restart_intensity");
                    let who = dead.map_or(Who::Restarting(None), |(pid, _)| Who::Pid(pid));
                    reports::error(ctx, &self.name, "shutdown", &why, &member.child, who);
                }
                Action::End => return Flow::stop(Exit::shutdown()),
            }
        }
        Flow::Continue
    }

    /// It was not the child that had ended which did not start: that one does not run, and is not tried again by itself.
    fn lay_down(&mut self, failed: &Term, dead: Option<&Pid>) {
        let is_it = |place: &Place| matches!(place, Place::Restarting(Some(last)) if Some(last) == dead);
        let it = self.members.iter().find(|(id, member)| *id != failed && is_it(&member.place));
        if let Some(id) = it.map(|(id, _)| id.clone()) {
            self.settle(&id, Place::Down);
        }
    }

    pub(super) async fn start_child(&mut self, ctx: &mut Ctx, child: Child) -> Term {
        if let Some(reason) = self.refused(&child) {
            return term!({error, (reason)});
        }
        let id = child.id.clone();
        match self.members.get(&id).map(|member| &member.place) {
            Some(Place::Up(pid)) => return term!({error, {already_started, (pid.clone())}}),
            Some(_) => return term!({error, already_present}),
            None => {}
        }
        let (temporary, spec) = (child.restart == Restart::Temporary, child.to_spec());
        self.admit(child);
        match self.start_one(ctx, &id).await {
            Ok(None) if temporary => {
                self.forget(&id);
                ok(None)
            }
            Ok(pid) => ok(pid),
            Err(reason) => {
                self.forget(&id);
                term!({error, {(reason), (spec)}})
            }
        }
    }

    pub(super) async fn terminate_child(&mut self, ctx: &mut Ctx, id: &Term) -> Term {
        let Some(member) = self.members.get(id) else { return term!({error, not_found}) };
        let temporary = member.child.restart == Restart::Temporary;
        self.stop_one(ctx, id).await;
        match temporary {
            true => self.forget(id),
            false => self.settle(id, Place::Down),
        }
        Term::atom("ok")
    }

    pub(super) async fn restart_child(&mut self, ctx: &mut Ctx, id: &Term) -> Term {
        match self.at_rest(id) {
            Err(error) => error,
            Ok(()) => match self.start_one(ctx, id).await {
                Ok(pid) => ok(pid),
                Err(reason) => term!({error, (reason)}),
            },
        }
    }

    pub(super) fn delete_child(&mut self, id: &Term) -> Term {
        match self.at_rest(id) {
            Err(error) => error,
            Ok(()) => {
                self.forget(id);
                Term::atom("ok")
            }
        }
    }

    fn at_rest(&self, id: &Term) -> Result<(), Term> {
        match self.members.get(id).map(|member| &member.place) {
            None => Err(term!({error, not_found})),
            Some(Place::Down) => Ok(()),
            Some(Place::Up(_)) => Err(term!({error, running})),
            Some(Place::Restarting(_)) => Err(term!({error, restarting})),
        }
    }

    pub(super) fn childspec(&self, id: &Term) -> Term {
        let by_pid = id.as_pid().and_then(|pid| self.by_pid.get(pid));
        match self.members.get(by_pid.unwrap_or(id)) {
            Some(member) => term!({ok, (member.child.to_spec())}),
            None => term!({error, not_found}),
        }
    }

    pub(super) fn which(&self) -> Term {
        let members = self.family.ids().rev().filter_map(|id| self.members.get(id));
        Term::list(members.map(|Member { child, place }| {
            let state = match place {
                Place::Down => ChildState::Stopped,
                Place::Up(pid) => ChildState::Running(pid.clone()),
                Place::Restarting(_) => ChildState::Restarting,
            };
            let (id, kind, modules) = (child.id.clone(), child.kind, child.modules.clone());
            ChildInfo { id, state, kind, modules }.into_term()
        }))
    }

    pub(super) fn count(&self, node: &Node) -> Term {
        let lives = |place: &Place| match place {
            Place::Up(pid) => pid.node != *node.id() || node.is_process_alive(pid),
            Place::Down | Place::Restarting(_) => false,
        };
        let kind = |kind: Kind| self.members.values().filter(|member| member.child.kind == kind).count();
        let active = self.members.values().filter(|member| lives(&member.place)).count();
        let (supervisors, workers) = (kind(Kind::Supervisor), kind(Kind::Worker));
        Counts { specs: self.members.len(), active, supervisors, workers }.into_term()
    }
}
