//! The application: a supervisor, and under it the queue. What is said on the wire is what the Erlang form says.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use trunkline::application::{Application, Spec, StartType};
use trunkline::prelude::*;
use trunkline::supervisor::{Child, Supervisor};
use trunkline::{List, Map, term};

/// The application `job_center`.
pub(crate) struct JobCenter;

impl Application for JobCenter {
    fn spec(&self) -> Spec {
        let names = ["job_center", "job_center_sup"];
        Spec::new("job_center").describe("hands out jobs").vsn("1.0.0").modules(names).registered(names)
    }

    async fn start(&self, ctx: &mut Ctx, how: StartType) -> Result<Pid, Exit> {
        let top = Supervisor::one_for_one()
            .named(Atom::new("job_center_sup"))
            .intensity(3, Duration::from_secs(5))
            .child(Child::server::<JobServer>("job_center", how))
            .start_link(ctx)
            .await?;
        top.place().whereis(ctx.node()).ok_or_else(|| Exit::from("noproc"))
    }
}

/// The queue, under the global name `job_center`.
pub(crate) struct JobServer {
    next: i64,
    todo: VecDeque<(i64, Term)>,
    doing: BTreeMap<i64, Pid>,
    done: i64,
    how: StartType,
}

/// What others ask: `{add_job, Job}`, `work_wanted`, `{job_done, Number}`, `statistics`, `hand_over`, `start_type`.
#[derive(Request)]
pub(crate) enum Ask {
    /// The job's number.
    AddJob(Term, Reply<i64>),
    /// `{Number, Job}`, or `no`.
    WorkWanted(Reply<Term>),
    /// `ok`, or `{error, unknown_job}`.
    JobDone(i64, Reply<Term>),
    /// How many wait, are being done, and are done.
    Statistics(Reply<(i64, i64, i64)>),
    /// Everything, for the one that takes over.
    HandOver(Reply<Term>),
    /// `normal`, `{takeover, Node}` or `{failover, Node}`.
    StartType(Reply<Term>),
}

impl GenServer for JobServer {
    type Args = StartType;
    type Call = Ask;
    type Cast = Nothing;
    type Info = Term;

    /// Gets the queue from the one that runs, if one does, and then its name: there is always somebody who has it.
    async fn init(ctx: &mut Ctx, how: StartType) -> Result<Self, Exit> {
        let name = Atom::new("job_center");
        ctx.register(name.clone()).map_err(|_| Exit::from("already_registered"))?;
        let mut jobs = JobServer { next: 1, todo: VecDeque::new(), doing: BTreeMap::new(), done: 0, how };
        if let Some(old) = global::whereis(ctx.node(), name.clone()) {
            // One that is lost, and whose name is not yet taken back, has nothing to hand over any more.
            if let Ok(state) = Server::<JobServer>::at(old).call(&mut *ctx, Ask::HandOver).await {
                jobs.take(&state).ok_or_else(|| Exit::from("bad_hand_over"))?;
            }
        }
        let (node, me) = (ctx.node().clone(), ctx.pid());
        global::re_register(&node, name, &me).await;
        Ok(jobs)
    }

    async fn handle_call(&mut self, _: &mut Ctx, ask: Ask) -> Flow {
        match ask {
            Ask::AddJob(job, reply) => {
                self.todo.push_back((self.next, job));
                reply.send(self.next);
                self.next += 1;
            }
            Ask::WorkWanted(reply) => match self.todo.pop_front() {
                Some((number, job)) => {
                    self.doing.insert(number, reply.caller().pid.clone());
                    reply.send(term::term!({(number), (job)}));
                }
                None => reply.send(Term::atom("no")),
            },
            Ask::JobDone(number, reply) => match self.doing.remove(&number) {
                Some(_) => {
                    self.done += 1;
                    reply.send(Term::atom("ok"));
                }
                None => reply.send(term::term!({error, unknown_job})),
            },
            Ask::Statistics(reply) => {
                reply.send((self.todo.len() as i64, self.doing.len() as i64, self.done))
            }
            Ask::HandOver(reply) => reply.send(self.to_term()),
            Ask::StartType(reply) => reply.send(self.how.to_term()),
        }
        Flow::Continue
    }

    async fn handle_info(&mut self, _: &mut Ctx, _: Term) -> Flow {
        Flow::Continue
    }
}

impl JobServer {
    /// As the Erlang form keeps it: `#{next, todo, doing, done, start_type}`, with a queue of the module `queue`.
    fn to_term(&self) -> Term {
        let jobs = self.todo.iter().map(|(number, job)| term::term!({(*number), (job.clone())}));
        let queue = Term::tuple([Term::NIL, Term::list(jobs)]);
        let doing = self.doing.iter().map(|(number, pid)| (Term::Int(*number), Term::Pid(pid.clone())));
        let doing = Term::Map(doing.collect::<Map>());
        let how = self.how.to_term();
        term::term!(#{next => (self.next), todo => (queue), doing => (doing), done => (self.done), start_type => (how)})
    }

    /// Goes on where another stopped.
    fn take(&mut self, state: &Term) -> Option<()> {
        let state = state.as_map()?;
        let value = |key: &str| state.get(&Term::atom(key));
        let Some([Term::List(rear), Term::List(front)]) = value("todo")?.as_tuple() else { return None };
        let backwards = |list: &List| list.iter().collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>();
        let jobs = front.iter().chain(backwards(rear));
        self.todo = jobs.map(|job| <(i64, Term)>::from_term(&job).ok()).collect::<Option<_>>()?;
        self.doing = BTreeMap::<i64, Pid>::from_term(value("doing")?).ok()?;
        (self.next, self.done) = (value("next")?.as_int()?, value("done")?.as_int()?);
        Some(())
    }
}
