//! The handle of a supervisor, ours or OTP's.

use runtime::Exit;
use term::{Atom, FromTerm, IntoTerm, Pid, Term, term};

use super::serve::{Ask, Serving};
use super::spec::{Child, ChildId, Kind};
use crate::ask::Asker;
use crate::gen_server::Server;
use crate::place::ServerRef;
use crate::reply::Reply;
use crate::request::CallError;

/// A handle of a supervisor: near, far or by name; ours or OTP's.
#[derive(Clone, Debug, PartialEq)]
pub struct SupervisorRef(Server<Serving>);

/// One child, as `which_children` gives it.
#[derive(Clone, Debug, PartialEq)]
pub struct ChildInfo {
    /// Its id; `undefined` where children have none.
    pub id: Term,
    /// Whether it runs.
    pub state: ChildState,
    /// What it is.
    pub kind: Kind,
    /// Its modules, or `dynamic`.
    pub modules: Term,
}

/// Whether a child runs.
#[derive(Clone, Debug, PartialEq)]
pub enum ChildState {
    /// It runs.
    Running(Pid),
    /// It does not.
    Stopped,
    /// It is started again and again, so far in vain.
    Restarting,
}

/// How many children there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Specifications.
    pub specs: usize,
    /// Children that run.
    pub active: usize,
    /// Children that are supervisors, running or not.
    pub supervisors: usize,
    /// Children that are workers, running or not.
    pub workers: usize,
}

/// Why a supervisor did not do what it was asked.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ChildError {
    /// There is no such child.
    #[error("not_found: there is no such child")]
    NotFound,
    /// The child runs.
    #[error("running: the child runs")]
    Running,
    /// The child is being restarted.
    #[error("restarting: the child is being restarted")]
    Restarting,
    /// There is a specification with this id, and its child does not run: restart or delete it.
    #[error("already_present: there is a child with this id, which does not run")]
    AlreadyPresent,
    /// There is a child with this id.
    #[error("already_started: there is a child with this id, {0}")]
    AlreadyStarted(Pid),
    /// This cannot be asked of a `simple_one_for_one` supervisor.
    #[error("simple_one_for_one: children of this supervisor have no id")]
    Simple,
    /// The child had nothing to do.
    #[error("ignore: the child had nothing to do")]
    Ignored,
    /// The child did not start, or its specification is wrong.
    #[error("{0:?}")]
    Failed(Term),
    /// The supervisor did not answer.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl ChildError {
    fn of(reason: &Term) -> ChildError {
        match (reason.as_atom().map(Atom::as_str), reason.as_tuple()) {
            (Some("not_found"), _) => ChildError::NotFound,
            (Some("running"), _) => ChildError::Running,
            (Some("restarting"), _) => ChildError::Restarting,
            (Some("already_present"), _) => ChildError::AlreadyPresent,
            (Some("simple_one_for_one"), _) => ChildError::Simple,
            (_, Some([word, Term::Pid(pid)])) if word.is_atom("already_started") => {
                ChildError::AlreadyStarted(pid.clone())
            }
            _ => ChildError::Failed(reason.clone()),
        }
    }
}

/// `?` in a process.
impl From<ChildError> for Exit {
    fn from(error: ChildError) -> Exit {
        match error {
            ChildError::Call(error) => error.into(),
            ChildError::Failed(reason) => Exit(reason),
            ChildError::AlreadyStarted(pid) => Exit(term!({already_started, (pid)})),
            other => Exit(Term::binary(&other.to_string())),
        }
    }
}

impl SupervisorRef {
    /// The supervisor that is there.
    pub fn at(place: impl Into<ServerRef>) -> SupervisorRef {
        SupervisorRef(Server::at(place))
    }

    /// Where it is.
    pub fn place(&self) -> &ServerRef {
        self.0.place()
    }

    /// Its pid, if the handle was made from one.
    pub fn pid(&self) -> Option<&Pid> {
        self.0.pid()
    }

    /// Starts a child of a supervisor of this node. (For one of another node see [`SupervisorRef::start_child_spec`].)
    ///
    /// # Errors
    /// Why it did not start.
    pub async fn start_child(&self, asker: impl Asker, child: Child) -> Result<Pid, ChildError> {
        let answer = self.0.call_within(asker, None, |reply| Ask::Start(Box::new(child), reply)).await?;
        started(&answer)
    }

    /// Starts a child by a specification in OTP's words, whose start function is one of the supervisor's node; for a
    /// `simple_one_for_one` supervisor, by a list of further arguments.
    ///
    /// # Errors
    /// Why it did not start.
    pub async fn start_child_spec(&self, asker: impl Asker, spec: impl IntoTerm) -> Result<Pid, ChildError> {
        let answer = self.ask(asker, term!({start_child, (spec.into_term())})).await?;
        started(&answer)
    }

    /// Ends a child. Its specification stays, unless it is temporary; where children have no ids, name it by its pid.
    ///
    /// # Errors
    /// [`ChildError::NotFound`], and when there is no answer.
    pub async fn terminate_child(&self, asker: impl Asker, id: impl Into<ChildId>) -> Result<(), ChildError> {
        done(&self.ask(asker, term!({terminate_child, (id.into().0)})).await?)
    }

    /// Starts a child again that was ended.
    ///
    /// # Errors
    /// Why it did not start.
    pub async fn restart_child(&self, asker: impl Asker, id: impl Into<ChildId>) -> Result<Pid, ChildError> {
        started(&self.ask(asker, term!({restart_child, (id.into().0)})).await?)
    }

    /// Deletes the specification of a child that does not run.
    ///
    /// # Errors
    /// When it runs, or there is none.
    pub async fn delete_child(&self, asker: impl Asker, id: impl Into<ChildId>) -> Result<(), ChildError> {
        done(&self.ask(asker, term!({delete_child, (id.into().0)})).await?)
    }

    /// All children, the youngest first.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn which_children(&self, asker: impl Asker) -> Result<Vec<ChildInfo>, CallError> {
        let answer = self.ask(asker, Term::atom("which_children")).await?;
        Vec::from_term(&answer).map_err(|_| CallError::Unreadable(answer))
    }

    /// How many children there are.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn count_children(&self, asker: impl Asker) -> Result<Counts, CallError> {
        let answer = self.ask(asker, Term::atom("count_children")).await?;
        counts(&answer).ok_or(CallError::Unreadable(answer))
    }

    /// The specification of a child, as OTP writes it.
    ///
    /// # Errors
    /// [`ChildError::NotFound`], and when there is no answer.
    pub async fn get_childspec(&self, asker: impl Asker, id: impl Into<ChildId>) -> Result<Term, ChildError> {
        let answer = self.ask(asker, term!({get_childspec, (id.into().0)})).await?;
        match answer.as_tuple() {
            Some([ok, spec]) if ok.is_atom("ok") => Ok(spec.clone()),
            Some([_, reason]) => Err(ChildError::of(reason)),
            _ => Err(CallError::Unreadable(answer).into()),
        }
    }

    async fn ask(&self, asker: impl Asker, question: Term) -> Result<Term, CallError> {
        self.0.call_within(asker, None, |reply: Reply<Term>| Ask::Other(question, reply)).await
    }
}

impl From<&SupervisorRef> for ServerRef {
    fn from(supervisor: &SupervisorRef) -> ServerRef {
        supervisor.place().clone()
    }
}

fn started(answer: &Term) -> Result<Pid, ChildError> {
    match answer.as_tuple() {
        Some([ok, Term::Pid(pid)] | [ok, Term::Pid(pid), _]) if ok.is_atom("ok") => Ok(pid.clone()),
        Some([ok, _] | [ok, _, _]) if ok.is_atom("ok") => Err(ChildError::Ignored),
        Some([_, reason]) => Err(ChildError::of(reason)),
        _ => Err(CallError::Unreadable(answer.clone()).into()),
    }
}

fn done(answer: &Term) -> Result<(), ChildError> {
    match answer.as_tuple() {
        None if answer.is_atom("ok") => Ok(()),
        Some([_, reason]) => Err(ChildError::of(reason)),
        _ => Err(CallError::Unreadable(answer.clone()).into()),
    }
}

fn counts(answer: &Term) -> Option<Counts> {
    let pairs = Vec::<(Atom, usize)>::from_term(answer).ok()?;
    let get = |key: &str| pairs.iter().find(|(word, _)| *word == *key).map(|(_, count)| *count);
    Some(Counts {
        specs: get("specs")?,
        active: get("active")?,
        supervisors: get("supervisors")?,
        workers: get("workers")?,
    })
}

impl IntoTerm for ChildInfo {
    fn into_term(self) -> Term {
        let state = match self.state {
            ChildState::Running(pid) => Term::Pid(pid),
            ChildState::Stopped => Term::atom("undefined"),
            ChildState::Restarting => Term::atom("restarting"),
        };
        term!({(self.id), (state), (self.kind), (self.modules)})
    }
}

impl FromTerm for ChildInfo {
    fn from_term(term: &Term) -> Result<ChildInfo, term::Mismatch> {
        let (id, state, kind, modules) = <(Term, Term, Kind, Term)>::from_term(term)?;
        let state = match &state {
            Term::Pid(pid) => ChildState::Running(pid.clone()),
            state if state.is_atom("restarting") => ChildState::Restarting,
            _ => ChildState::Stopped,
        };
        Ok(ChildInfo { id, state, kind, modules })
    }
}

impl IntoTerm for Counts {
    fn into_term(self) -> Term {
        term!([
            {specs, (self.specs)},
            {active, (self.active)},
            {supervisors, (self.supervisors)},
            {workers, (self.workers)}
        ])
    }
}
