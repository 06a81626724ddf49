//! Children that come and go, known by their pids.

use std::collections::BTreeMap;
use std::sync::Arc;

use runtime::{Ctx, Exit};
use term::{FromTerm, IntoTerm, Pid, Term, term};
use tokio::time::Instant;

use super::children::{shutdown, shutdown_all};
use super::handle::{ChildInfo, ChildState, Counts};
use super::intensity::Intensity;
use super::reports::{self, Who};
use super::serve::{again, ending, ok};
use super::spec::{AutoShutdown, Child, Kind};
use super::strategy::{Fate, fate, is_reported};
use super::{Pattern, Supervisor};
use crate::caught::caught;
use crate::gen_server::Flow;

pub(super) struct Dynamic {
    name: Term,
    birth: Instant,
    pattern: Pattern,
    auto_shutdown: AutoShutdown,
    intensity: Intensity,
    running: BTreeMap<Pid, Arc<Child>>,
    /// Those that did not start again, by the pids they had last.
    restarting: BTreeMap<Pid, Arc<Child>>,
}

impl Dynamic {
    pub(super) fn new(rules: &Supervisor, name: Term) -> Dynamic {
        Dynamic {
            name,
            birth: Instant::now(),
            pattern: rules.pattern.clone(),
            auto_shutdown: rules.auto_shutdown,
            intensity: Intensity::new(rules.restarts_max, rules.period),
            running: BTreeMap::new(),
            restarting: BTreeMap::new(),
        }
    }

    /// The child of `{start_child, What}`: further arguments for the pattern, or a specification; Elixir's
    /// `{MFA, Restart, Shutdown, Type, Modules}` too.
    pub(super) fn specified(&self, what: &Term) -> Result<Child, Term> {
        if let Pattern::Simple(make) = &self.pattern {
            let args = Vec::from_term(what).map_err(|_| term!({invalid_arguments, (what.clone())}))?;
            return Ok(make(args));
        }
        if let Some([mfa, restart, shutdown, kind, modules]) = what.as_tuple() {
            let spec = term!({undefined, (mfa.clone()), (restart.clone()), (shutdown.clone()), (kind.clone()), (modules.clone())});
            return Child::from_spec(&spec);
        }
        Child::from_spec(what)
    }

    pub(super) async fn start_child(&mut self, ctx: &mut Ctx, child: Child) -> Term {
        if let Pattern::Dynamic { children_max } = self.pattern
            && self.running.len() + self.restarting.len() >= children_max
        {
            return term!({error, max_children});
        }
        match self.start(ctx, Arc::new(child)).await {
            Ok(pid) => ok(pid),
            Err(reason) => term!({error, (reason)}),
        }
    }

    async fn start(&mut self, ctx: &mut Ctx, child: Arc<Child>) -> Result<Option<Pid>, Term> {
        let started = caught((child.start)(ctx)).await.unwrap_or_else(|exit| Err(exit.0))?;
        if let Some(pid) = &started {
            self.running.insert(pid.clone(), child);
        }
        Ok(started)
    }

    pub(super) async fn ended(&mut self, ctx: &mut Ctx, pid: &Pid, reason: Term) -> Flow {
        let Some(child) = self.running.remove(pid) else { return Flow::Continue };
        let ending = ending(&reason);
        if is_reported(child.restart, ending) {
            reports::error(ctx, &self.name, "child_terminated", &reason, &child, Who::Pid(pid));
        }
        if fate(child.restart, ending) == Fate::Restart {
            return self.restart(ctx, pid, child).await;
        }
        let significant = |child: &Arc<Child>| child.significant;
        let ends = child.significant
            && match self.auto_shutdown {
                AutoShutdown::Never => false,
                AutoShutdown::AnySignificant => true,
                AutoShutdown::AllSignificant => {
                    !self.running.values().chain(self.restarting.values()).any(significant)
                }
            };
        if ends { Flow::stop(Exit::shutdown()) } else { Flow::Continue }
    }

    pub(super) async fn retry(&mut self, ctx: &mut Ctx, id: &Term) -> Flow {
        let Some(pid) = id.as_tuple().and_then(|pair| pair.get(1)).and_then(Term::as_pid) else {
            return Flow::Continue;
        };
        match self.restarting.remove(pid) {
            Some(child) => self.restart(ctx, pid, child).await,
            None => Flow::Continue,
        }
    }

    async fn restart(&mut self, ctx: &mut Ctx, pid: &Pid, child: Arc<Child>) -> Flow {
        if !self.intensity.restart(self.birth.elapsed()) {
            let why = Term::atom("reached_max_restart_intensity");
            reports::error(ctx, &self.name, "shutdown", &why, &child, Who::Pid(pid));
            return Flow::stop(Exit::shutdown());
        }
        if let Err(reason) = self.start(ctx, child.clone()).await {
            let who = Who::Restarting(Some(pid));
            reports::error(ctx, &self.name, "start_error", &reason, &child, who);
            self.restarting.insert(pid.clone(), child);
            again(ctx, term!({restarting, (pid.clone())}));
        }
        Flow::Continue
    }

    pub(super) async fn terminate_child(&mut self, ctx: &mut Ctx, pid: &Pid) -> Term {
        if self.restarting.remove(pid).is_some() {
            return Term::atom("ok");
        }
        let Some(child) = self.running.remove(pid) else {
            return term!({error, not_found});
        };
        if let Err(reason) = shutdown(ctx, &child, pid).await {
            reports::error(ctx, &self.name, "shutdown_error", &reason, &child, Who::Pid(pid));
        }
        Term::atom("ok")
    }

    pub(super) async fn stop_all(&mut self, ctx: &mut Ctx) {
        let running = std::mem::take(&mut self.running);
        let children = running.into_iter().map(|(pid, child)| (pid, Child::clone(&child)));
        for (child, reason, count) in shutdown_all(ctx, children).await {
            reports::error(ctx, &self.name, "shutdown_error", &reason, &child, Who::Many(count));
        }
    }

    pub(super) fn childspec(&self, id: &Term) -> Term {
        let child = id.as_pid().and_then(|pid| self.running.get(pid).or_else(|| self.restarting.get(pid)));
        match child {
            Some(child) => term!({ok, (child.to_spec())}),
            None => term!({error, not_found}),
        }
    }

    pub(super) fn which(&self) -> Term {
        let running = self.running.iter().map(|(pid, child)| (ChildState::Running(pid.clone()), child));
        let restarting = self.restarting.values().map(|child| (ChildState::Restarting, child));
        Term::list(running.chain(restarting).map(|(state, child)| {
            let (kind, modules) = (child.kind, child.modules.clone());
            ChildInfo { id: Term::atom("undefined"), state, kind, modules }.into_term()
        }))
    }

    pub(super) fn count(&self) -> Term {
        let all = || self.running.values().chain(self.restarting.values());
        let kind = |kind: Kind| all().filter(|child| child.kind == kind).count();
        let specs = match self.pattern {
            Pattern::Simple(_) => 1,
            Pattern::Named | Pattern::Dynamic { .. } => all().count(),
        };
        let (supervisors, workers) = (kind(Kind::Supervisor), kind(Kind::Worker));
        Counts { specs, active: self.running.len(), supervisors, workers }.into_term()
    }
}
