//! What programs ask of applications.

use runtime::{Ctx, Exit, Node, SpawnOptions};
use term::{Atom, FromTerm, IntoTerm, Pid, Term, term};

use super::boxed::AnyApplication;
use super::controller::{controller_of, error, serve};
use super::spec::{Spec, pairs};
use super::state::{Applications, Entry, Place, State};
use super::{Application, ApplicationError, CONTROLLER, Kind};
use crate::request;

/// The applications that [`ensure_all_started`] started, in their order.
pub type Started = Vec<Atom>;

/// Makes an application known to this node; it can be loaded and started then. A second one of the same name takes the place
/// of the first when it is next loaded.
pub fn install(node: &Node, application: impl Application) {
    let spec = AnyApplication::spec(&application);
    let entry = Entry { spec: spec.clone(), body: Some(std::sync::Arc::new(application)) };
    Applications::of(node).state().catalogue.insert(spec.name, entry);
}

/// An application without processes, that is loaded and runs as long as the node.
pub fn library(node: &Node, spec: Spec) {
    let apps = Applications::of(node);
    let mut state = apps.state();
    let name = spec.name.clone();
    if state.entry(&name).is_none() {
        state.load(Entry { spec, body: None });
        state.set_started(&name, Kind::Permanent);
        state.set_place(&name, Place::Library);
    }
}

/// Why the node was ended by its applications, when it was: `{application_terminated, Name, Reason}` or
/// `{application_start_failure, Name, Reason}`.
pub fn end_reason(node: &Node) -> Option<Term> {
    Applications::of(node).state().ended.clone()
}

/// What configuration files and the command line say: it counts for what is loaded from now on, and at once for what is
/// loaded. The command line wins.
pub fn configure(
    node: &Node,
    files: Vec<(Atom, Vec<(Atom, Term)>)>,
    command_line: Vec<(Atom, Vec<(Atom, Term)>)>,
) {
    let apps = Applications::of(node);
    let mut state = apps.state();
    for (name, pairs) in files.iter().chain(&command_line) {
        if state.entry(name).is_some() {
            for (key, value) in pairs {
                state.env.insert((name.clone(), key.clone()), value.clone());
            }
        }
    }
    state.config.extend(files);
    state.command_line.extend(command_line);
}

/// Where applications come from that this program does not have itself: `finder` gives `{application, Name, Keys}`, what an
/// `.app` file says. Its `mod` is a module of functions that are exported on the node, or found by its finder. What the hook
/// keeps must not hold the node.
pub fn find_with(node: &Node, finder: impl Fn(&Atom) -> Option<Term> + Send + Sync + 'static) {
    Applications::of(node).state().finder = Some(std::sync::Arc::new(finder));
}

/// What happens when an application without which the node may not be has ended; without one the node shuts down. The
/// others have been stopped then. The reason is OTP's: `{application_terminated, Name, Reason}`.
pub fn on_end(node: &Node, hook: impl Fn(&Node, Term) + Send + Sync + 'static) {
    Applications::of(node).state().on_end = Some(std::sync::Arc::new(hook));
}

/// Starts the controller, on a node that has none, and lets others call `application:*`.
pub fn serve_here(node: &Node) {
    let options = SpawnOptions { label: Some(CONTROLLER), ..SpawnOptions::default() };
    let pid = node.spawn_with(options, serve);
    if let Err(why) = node.register(CONTROLLER, &pid) {
        tracing::error!("there is another application controller: {why}");
    }
    super::export(node);
}

async fn ask(node: &Node, question: Term) -> Result<Term, ApplicationError> {
    let asked = node.try_run(move |mut ctx: Ctx| async move { ask_from(&mut ctx, question).await });
    asked.await.unwrap_or(Err(ApplicationError::NoController))
}

pub(super) async fn ask_from(ctx: &mut Ctx, question: Term) -> Result<Term, ApplicationError> {
    let Some(controller) = controller_of(ctx) else { return Err(ApplicationError::NoController) };
    request::call(ctx, &controller, question, None).await.map_err(|_| ApplicationError::NoController)
}

fn done(answer: Term) -> Result<(), ApplicationError> {
    match answer.as_tuple() {
        Some([tag, reason]) if tag.is_atom("error") => Err(ApplicationError::Refused(reason.clone())),
        _ => Ok(()),
    }
}

/// Loads an application: its environment can be read then. (`application:load/1`.)
///
/// # Errors
/// When it is not known, or loaded already.
pub async fn load(node: &Node, name: impl Into<Atom>) -> Result<(), ApplicationError> {
    done(ask(node, term!({load_application, (name.into())})).await?)
}

/// Unloads it. (`application:unload/1`.)
///
/// # Errors
/// When it runs, or is not loaded.
pub async fn unload(node: &Node, name: impl Into<Atom>) -> Result<(), ApplicationError> {
    done(ask(node, term!({unload_application, (name.into())})).await?)
}

/// Loads it if need be and starts it, and returns when it runs: here, or, if it is distributed, on any node.
/// (`application:start/2`.)
///
/// # Errors
/// When what it needs is not started, it is started already, or its start fails.
///
/// # Cancel-safety
/// The start goes on when the future is dropped.
pub async fn start(node: &Node, name: impl Into<Atom>, kind: Kind) -> Result<(), ApplicationError> {
    let name = name.into();
    let asked =
        node.try_run(move |mut ctx: Ctx| async move { start_from(&mut ctx, &name, &kind.to_term()).await });
    done(asked.await.unwrap_or(Err(ApplicationError::NoController))?)
}

/// `application:start/2`.
pub(super) async fn start_from(ctx: &mut Ctx, name: &Atom, kind: &Term) -> Result<Term, ApplicationError> {
    start_what(ctx, &Term::Atom(name.clone()), name, kind).await
}

/// The same with a whole specification, `{application, Name, Keys}`.
pub(super) async fn start_what(
    ctx: &mut Ctx,
    what: &Term,
    name: &Atom,
    kind: &Term,
) -> Result<Term, ApplicationError> {
    let loaded = ask_from(ctx, term!({load_application, (what.clone())})).await?;
    let reason = loaded.as_tuple().and_then(|pair| pair.get(1)).and_then(Term::as_tuple);
    let fine = loaded.is_atom("ok") || reason.is_some_and(|reason| reason[0].is_atom("already_loaded"));
    if !fine {
        return Ok(loaded);
    }
    ask_from(ctx, term!({start_application, (name.clone()), (kind.clone())})).await
}

/// As [`start`], and no error when it is started. (`application:ensure_started/2`.)
///
/// # Errors
/// As [`start`].
pub async fn ensure_started(node: &Node, name: impl Into<Atom>, kind: Kind) -> Result<(), ApplicationError> {
    match start(node, name, kind).await {
        Err(ApplicationError::Refused(reason)) if is(&reason, "already_started") => Ok(()),
        other => other,
    }
}

/// Starts it and, before it, what it needs. What was started is stopped again when one fails.
/// (`application:ensure_all_started/2`.)
///
/// # Errors
/// `{Name, Reason}` of the one that failed.
///
/// # Cancel-safety
/// A start under way goes on when the future is dropped; the next one does not begin.
pub async fn ensure_all_started(
    node: &Node,
    name: impl Into<Atom>,
    kind: Kind,
) -> Result<Started, ApplicationError> {
    let name = name.into();
    let asked = node.try_run(move |mut ctx: Ctx| async move {
        ensure_all_from(&mut ctx, vec![name], &kind.to_term()).await
    });
    let answer = asked.await.unwrap_or(Err(ApplicationError::NoController))?;
    match answer.as_tuple() {
        Some([tag, started]) if tag.is_atom("ok") => Ok(Vec::<Atom>::from_term(started).unwrap_or_default()),
        Some([_, reason]) => Err(ApplicationError::Refused(reason.clone())),
        _ => Ok(Vec::new()),
    }
}

/// `application:ensure_all_started/2`: `{ok, Started}` or `{error, {Name, Reason}}`.
pub(super) async fn ensure_all_from(
    ctx: &mut Ctx,
    names: Vec<Atom>,
    kind: &Term,
) -> Result<Term, ApplicationError> {
    let mut started: Vec<Atom> = Vec::new();
    // A stack, not a recursion: what it needs lies on top of it.
    let mut wanted: Vec<Atom> = names.into_iter().rev().collect();
    while let Some(name) = wanted.last().cloned() {
        let answer = start_from(ctx, &name, kind).await?;
        let Some([_, reason]) = answer.as_tuple() else {
            wanted.pop();
            started.push(name);
            continue;
        };
        match reason.as_tuple() {
            Some([word, _]) if word.is_atom("already_started") => {
                wanted.pop();
            }
            // A circle of needs ends here: nobody can be the first.
            Some([word, Term::Atom(need)]) if word.is_atom("not_started") && !wanted.contains(need) => {
                wanted.push(need.clone());
            }
            _ => {
                for name in started.iter().rev() {
                    ask_from(ctx, term!({stop_application, (name.clone())})).await?;
                }
                return Ok(error(term!({(name), (reason.clone())})));
            }
        }
    }
    Ok(term!({ok, (started)}))
}

/// Stops it. (`application:stop/1`.)
///
/// # Errors
/// When it is not started.
///
/// # Cancel-safety
/// The stop goes on when the future is dropped.
pub async fn stop(node: &Node, name: impl Into<Atom>) -> Result<(), ApplicationError> {
    done(ask(node, term!({stop_application, (name.into())})).await?)
}

/// The masters of the applications that run here: the processes above all of theirs. (`application_controller:get_master`.)
pub fn masters(node: &Node) -> Vec<(Atom, Pid)> {
    let apps = Applications::of(node);
    let state = apps.state();
    let running = state.running.iter();
    let masters = running.filter_map(|(name, place)| match place {
        Place::Here(pid) => Some((name.clone(), pid.clone())),
        _ => None,
    });
    masters.collect()
}

/// Stops every application that runs here, the latest first, as a node does before it ends.
pub async fn stop_all(node: &Node) {
    let masters: Vec<Pid> = {
        let apps = Applications::of(node);
        let mut state = apps.state();
        let running = std::mem::take(&mut state.running);
        running
            .into_iter()
            .filter_map(|(_, place)| match place {
                Place::Here(pid) => Some(pid),
                _ => None,
            })
            .collect()
    };
    if masters.is_empty() {
        return;
    }
    let stopping = node.try_run(move |mut ctx: Ctx| async move {
        for master in masters {
            let reference = ctx.monitor(&master);
            ctx.exit(&master, Exit::shutdown());
            let gone = |message: &Term| {
                runtime::Down::from_term(message).ok().filter(|down| down.reference == reference)
            };
            let patience = std::time::Duration::from_millis(crate::limits::APPLICATION_SHUTDOWN_MILLIS);
            if ctx.select_within(patience, gone).await.is_none() {
                ctx.exit(&master, Exit::kill());
            }
        }
    });
    stopping.await;
}

/// An application that is loaded or runs: name, description, version.
pub type Shown = (Atom, String, String);

fn shown(entry: &Entry) -> Shown {
    (entry.spec.name.clone(), entry.spec.description.clone(), entry.spec.vsn.clone())
}

/// What runs on this node, the latest first. (`application:which_applications/0`.)
pub fn which_applications(node: &Node) -> Vec<Shown> {
    running(&Applications::of(node).state())
}

pub(super) fn running(state: &State) -> Vec<Shown> {
    let here = state.running.iter().filter(|(_, place)| !matches!(place, Place::There(_)));
    here.filter_map(|(name, _)| state.entry(name).map(shown)).collect()
}

/// What is loaded. (`application:loaded_applications/0`.)
pub fn loaded_applications(node: &Node) -> Vec<Shown> {
    Applications::of(node).state().loaded.iter().map(|(_, entry)| shown(entry)).collect()
}

/// Whether it is loaded.
pub fn loaded(node: &Node, name: impl Into<Atom>) -> bool {
    Applications::of(node).state().entry(&name.into()).is_some()
}

/// Whether it is started: it runs here, or is ready to.
pub fn started(node: &Node, name: impl Into<Atom>) -> bool {
    Applications::of(node).state().kind(&name.into()).is_some()
}

/// A parameter of an application; nobody is asked. (`application:get_env/2`.)
pub fn get_env(node: &Node, name: impl Into<Atom>, key: impl Into<Atom>) -> Option<Term> {
    Applications::of(node).state().get_env(&name.into(), &key.into())
}

/// All its parameters. (`application:get_all_env/1`.)
pub fn get_all_env(node: &Node, name: impl Into<Atom>) -> Vec<(Atom, Term)> {
    let name = name.into();
    let apps = Applications::of(node);
    let state = apps.state();
    let mine = state.env.iter().filter(|((app, _), _)| *app == name);
    mine.map(|((_, key), value)| (key.clone(), value.clone())).collect()
}

/// Changes a parameter. (`application:set_env/3`.)
pub fn set_env(node: &Node, name: impl Into<Atom>, key: impl Into<Atom>, value: impl IntoTerm) {
    put_env(&Applications::of(node), &name.into(), &key.into(), value.into_term());
}

/// Takes a parameter away. (`application:unset_env/2`.)
pub fn unset_env(node: &Node, name: impl Into<Atom>, key: impl Into<Atom>) {
    Applications::of(node).state().env.remove(&(name.into(), key.into()));
}

/// The value of a key of its specification. (`application:get_key/2`.)
pub fn get_key(node: &Node, name: impl Into<Atom>, key: &str) -> Option<Term> {
    Applications::of(node).state().entry(&name.into()).and_then(|entry| entry.spec.key(key))
}

/// To which application a process belongs. (`application:get_application/1`.)
pub fn get_application(node: &Node, pid: &Pid) -> Option<Atom> {
    let leader = node.process_info(pid)?.group_leader?;
    let here = Place::Here(leader);
    let apps = Applications::of(node);
    let state = apps.state();
    let running = state.running.iter().find(|(_, place)| *place == here).map(|(name, _)| name.clone());
    let starting = || {
        let Place::Here(leader) = &here else { return None };
        let mine = state.starting.iter().find(|(_, starting)| starting.master.as_ref() == Some(leader));
        mine.map(|(name, _)| name.clone())
    };
    running.or_else(starting)
}

// For the controller and the exports.

fn is(reason: &Term, word: &str) -> bool {
    reason.as_tuple().and_then(<[Term]>::first).is_some_and(|first| first.is_atom(word))
}

pub(super) fn put_env(apps: &Applications, name: &Atom, key: &Atom, value: Term) -> Term {
    apps.state().env.insert((name.clone(), key.clone()), value);
    Term::atom("ok")
}

/// `[{App, [{Key, Value}]}]`.
pub(super) fn put_config(apps: &Applications, config: &Term) -> Term {
    let Some(list) = pairs(config) else { return error(Term::atom("badarg")) };
    for (name, values) in list {
        for (key, value) in pairs(&values).unwrap_or_default() {
            put_env(apps, &name, &key, value);
        }
    }
    Term::atom("ok")
}

pub(super) fn note_permission(state: &mut State, name: &Atom, allow: bool) {
    let key = (Atom::new("kernel"), Atom::new("permissions"));
    let mut permissions = state.env.get(&key).and_then(pairs).unwrap_or_default();
    permissions.retain(|(app, _)| app != name);
    permissions.push((name.clone(), Term::atom(if allow { "true" } else { "false" })));
    state.env.insert(key, Term::list(permissions.into_iter().map(|(app, allow)| term!({(app), (allow)}))));
}

pub(super) fn shown_term(list: Vec<Shown>) -> Term {
    Term::list(
        list.into_iter().map(
            |(name, description, vsn)| term!({(name), (Term::string(&description)), (Term::string(&vsn))}),
        ),
    )
}

pub(super) fn running_term(state: &State) -> Term {
    shown_term(running(state))
}

/// `application_controller:info()`.
pub(super) fn info_term(state: &State) -> Term {
    let place = |place: &Place| match place {
        Place::Here(pid) => Term::Pid(pid.clone()),
        Place::Library => Term::atom("undefined"),
        Place::There(Some(node)) => term!({distributed, (node.clone())}),
        Place::There(None) => term!({distributed, []}),
    };
    let loaded = shown_term(state.loaded.iter().map(|(_, entry)| shown(entry)).collect());
    let names = |names: Vec<Atom>| Term::list(names.into_iter().map(Term::Atom));
    let loading = names(state.loading.iter().map(|(name, _)| name.clone()).collect());
    let started =
        Term::list(state.started.iter().map(|(name, kind)| term!({(name.clone()), (kind.to_term())})));
    let running = Term::list(state.running.iter().map(|(name, at)| term!({(name.clone()), (place(at))})));
    let forbidden = names(state.forbidden.keys().cloned().collect());
    let starting = names(state.starting.keys().cloned().collect());
    term!([{loaded, (loaded)}, {loading, (loading)}, {started, (started)}, {start_p_false, (forbidden)},
           {running, (running)}, {starting, (starting)}])
}

/// `{error, {"no such file or directory", "name.app"}}`.
pub(super) fn no_file(name: &Atom) -> Term {
    let file = Term::string(&format!("{name}.app"));
    error(term!({(Term::string("no such file or directory")), (file)}))
}

/// The spec of a loaded application.
pub(super) fn spec_of(node: &Node, name: &Atom) -> Option<Spec> {
    Applications::of(node).state().entry(name).map(|entry| entry.spec.clone())
}
