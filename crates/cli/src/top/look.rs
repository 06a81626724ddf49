//! How `top` looks at a node: functions that every node has, a bounded number of processes at a time, no code loaded.
//!
//! A BEAM answers a whole look in one call: `lists:zipwith3(fun erlang:apply/3, Modules, Functions, Arguments)` runs many
//! functions at once. A node without it is asked for each process by itself, and for fewer of them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use trunkline::proto::Now;
use trunkline::rpc::{self, RpcError};
use trunkline::term::Export;
use trunkline::{Atom, Pid, Term};

use super::picture::{Order, Row, Scene, sorted};
use crate::limits::{
    LEADERS_MAX, QUESTION_TIMEOUT, REMEMBERED_PROCESSES_MAX, SINGLE_CALLS_MAX, SINGLE_PROCESSES_MAX,
    SWEEP_PROCESSES_MAX,
};
use crate::visit::{Trouble, Visit};

/// What is asked of a process of a BEAM.
const ITEMS: [&str; 7] = [
    "registered_name",
    "initial_call",
    "current_function",
    "status",
    "message_queue_len",
    "reductions",
    "memory",
];
/// The last of them is not known everywhere.
const ITEMS_EVERYWHERE: usize = ITEMS.len() - 1;

/// Looks at one node again and again.
pub(super) struct Looker<'a> {
    visit: &'a Visit,
    /// Many functions in one call.
    in_one: bool,
    items: Term,
    /// All processes, as they were when this round through them began.
    all: Vec<Pid>,
    next: usize,
    rows: BTreeMap<Pid, Row>,
    before: BTreeMap<Pid, (Now, i64)>,
    run_queue: Option<i64>,
    memory: Option<i64>,
    took: Duration,
}

/// A function to run there.
type Question = (&'static str, &'static str, Vec<Term>);

impl<'a> Looker<'a> {
    /// Finds out what the node can do.
    pub(super) async fn begin(visit: &'a Visit) -> Result<Looker<'a>, Trouble> {
        let mut looker = Looker {
            visit,
            in_one: true,
            items: items(ITEMS.len()),
            all: Vec::new(),
            next: 0,
            rows: BTreeMap::new(),
            before: BTreeMap::new(),
            run_queue: None,
            memory: None,
            took: Duration::ZERO,
        };
        let probe = looker.ask_in_one(&[("erlang", "node", Vec::new())]).await;
        looker.in_one = match probe {
            Ok(answers) => matches!(answers.as_slice(), [Term::Atom(name)] if *name == visit.peer),
            Err(RpcError::NoConnection) => {
                return Err(Trouble::of_call(&visit.peer, &RpcError::NoConnection));
            }
            Err(_) => false,
        };
        looker.list().await?;
        if let Some(any) = looker.all.first().cloned() {
            let arguments = vec![Term::Pid(any), looker.items.clone()];
            let answer = visit.call("erlang", "process_info", arguments, QUESTION_TIMEOUT).await;
            if let Err(RpcError::Failed { .. }) = answer {
                looker.items = items(ITEMS_EVERYWHERE);
            }
        }
        Ok(looker)
    }

    /// Examines the leaders and the next processes on the way through all.
    pub(super) async fn look(&mut self, order: Order) -> Result<(), Trouble> {
        let begun = self.visit.node.now();
        let in_order = sorted(self.rows.values(), order);
        let mut pids: Vec<Pid> = in_order.into_iter().take(LEADERS_MAX).map(|row| row.pid.clone()).collect();
        if self.next >= self.all.len() {
            self.list().await?;
        }
        let most = if self.in_one { SWEEP_PROCESSES_MAX } else { SINGLE_PROCESSES_MAX };
        let end = self.all.len().min(self.next + most);
        let in_one_look = self.all.len() <= most;
        if in_one_look {
            pids.clear();
        }
        pids.extend_from_slice(&self.all[self.next..end]);
        self.next = end;
        pids.sort();
        pids.dedup();
        if in_one_look {
            self.rows.retain(|pid, _| pids.binary_search(pid).is_ok());
        }
        self.examine(&pids).await?;
        self.keep_leaders(order);
        self.took = self.visit.node.now() - begun;
        Ok(())
    }

    /// Whether the round through all processes is over.
    pub(super) fn seen_all(&self) -> bool {
        self.next >= self.all.len()
    }

    pub(super) fn scene(&self) -> Scene<'_> {
        Scene {
            node: self.visit.peer.to_string(),
            rows: self.rows.values().collect(),
            processes: self.all.len(),
            examined: self.next,
            run_queue: self.run_queue,
            memory: self.memory,
            took: self.took,
        }
    }

    /// Asks what the first rows began as, where that is hidden behind `proc_lib`.
    pub(super) async fn learn_names(&mut self, order: Order, count: usize) -> Result<(), Trouble> {
        let vague: Vec<Pid> = sorted(self.rows.values(), order)
            .into_iter()
            .take(count.min(LEADERS_MAX))
            .filter(|row| row.is_vague)
            .map(|row| row.pid.clone())
            .collect();
        if vague.is_empty() || !self.in_one {
            return Ok(());
        }
        let question = |pid: &Pid| ("proc_lib", "translate_initial_call", vec![Term::Pid(pid.clone())]);
        let questions: Vec<Question> = vague.iter().map(question).collect();
        let answers = self.ask(&questions).await?;
        for (pid, answer) in vague.iter().zip(answers) {
            if let (Some(row), Some(name)) = (self.rows.get_mut(pid), answer.as_ref().and_then(function_text))
            {
                row.name = name;
                row.is_vague = false;
            }
        }
        Ok(())
    }

    /// All processes, and how the node fares.
    async fn list(&mut self) -> Result<(), Trouble> {
        let questions = [
            ("erlang", "processes", Vec::new()),
            ("erlang", "statistics", vec![Term::atom("run_queue")]),
            ("erlang", "memory", vec![Term::atom("total")]),
        ];
        let mut answers = self.ask(&questions).await?.into_iter();
        let list = answers.next().flatten();
        let pids = list
            .as_ref()
            .and_then(Term::as_list)
            .map(|list| list.iter().filter_map(|pid| pid.as_pid().cloned()));
        let Some(pids) = pids else {
            return Err(Trouble::failed(format!("{} does not say which processes it has", self.visit.peer)));
        };
        self.all = pids.collect();
        self.next = 0;
        self.run_queue = answers.next().flatten().and_then(|term| term.as_int());
        self.memory = answers.next().flatten().and_then(|term| term.as_int());
        if self.before.len() > REMEMBERED_PROCESSES_MAX.min(2 * self.all.len() + LEADERS_MAX) {
            let mut alive = self.all.clone();
            alive.sort();
            self.before.retain(|pid, _| alive.binary_search(pid).is_ok());
        }
        Ok(())
    }

    async fn examine(&mut self, pids: &[Pid]) -> Result<(), Trouble> {
        let question =
            |pid: &Pid| ("erlang", "process_info", vec![Term::Pid(pid.clone()), self.items.clone()]);
        let questions: Vec<Question> = pids.iter().map(question).collect();
        let answers = self.ask(&questions).await?;
        let now = self.visit.node.now();
        for (pid, answer) in pids.iter().zip(answers) {
            let Some(mut row) = answer.as_ref().and_then(|answer| row(pid, answer)) else {
                self.rows.remove(pid);
                self.before.remove(pid);
                continue;
            };
            if let Some((then, reductions)) = self.before.insert(pid.clone(), (now, row.reductions)) {
                let seconds = (now - then).as_secs_f64();
                row.per_second = Some(((row.reductions - reductions) as f64 / seconds.max(1e-3)) as i64);
            }
            if let Some(known) = self.rows.get(pid).filter(|known| row.is_vague && !known.is_vague) {
                row.name.clone_from(&known.name);
                row.is_vague = false;
            }
            self.rows.insert(pid.clone(), row);
        }
        Ok(())
    }

    fn keep_leaders(&mut self, order: Order) {
        if self.all.len() > SWEEP_PROCESSES_MAX {
            let leaders = sorted(self.rows.values(), order).into_iter().take(LEADERS_MAX);
            self.rows = leaders.map(|row| (row.pid.clone(), row.clone())).collect();
        }
    }

    /// The answers in the order of the questions; nothing where a function failed.
    async fn ask(&self, questions: &[Question]) -> Result<Vec<Option<Term>>, Trouble> {
        if self.in_one {
            let answers = self.ask_in_one(questions).await;
            let answers = answers.map_err(|error| Trouble::of_call(&self.visit.peer, &error))?;
            return Ok(answers.into_iter().map(Some).collect());
        }
        let mut all = Vec::with_capacity(questions.len());
        for some in questions.chunks(SINGLE_CALLS_MAX) {
            let calls: Vec<_> = some
                .iter()
                .cloned()
                .map(|(module, function, arguments)| {
                    let (node, peer) = (self.visit.node.clone(), self.visit.peer.clone());
                    tokio::spawn(async move {
                        rpc::call_within(&node, peer, module, function, arguments, QUESTION_TIMEOUT).await
                    })
                })
                .collect();
            for call in calls {
                match call.await {
                    Ok(Ok(answer)) => all.push(Some(answer)),
                    Ok(Err(error @ (RpcError::NoConnection | RpcError::Timeout))) => {
                        return Err(Trouble::of_call(&self.visit.peer, &error));
                    }
                    _ => all.push(None),
                }
            }
        }
        Ok(all)
    }

    async fn ask_in_one(&self, questions: &[Question]) -> Result<Vec<Term>, RpcError> {
        let apply = Term::Export(Arc::new(Export {
            module: Atom::new("erlang"),
            function: Atom::new("apply"),
            arity: 3,
        }));
        let arguments = vec![
            apply,
            Term::list(questions.iter().map(|(module, _, _)| Term::atom(module))),
            Term::list(questions.iter().map(|(_, function, _)| Term::atom(function))),
            Term::list(questions.iter().map(|(_, _, arguments)| Term::list(arguments.clone()))),
        ];
        let answers = self.visit.call("lists", "zipwith3", arguments, QUESTION_TIMEOUT).await?;
        Ok(answers.as_list().map(|list| list.iter().collect()).unwrap_or_default())
    }
}

fn items(count: usize) -> Term {
    Term::list(ITEMS[..count].iter().map(|item| Term::atom(item)))
}

/// Reads `[{Item, Value}]`; nothing for a process that is gone.
fn row(pid: &Pid, answer: &Term) -> Option<Row> {
    let list = answer.as_list()?;
    let fact = |key: &str| {
        list.iter().find_map(|pair| match pair.as_tuple()? {
            [name, value] if name.is_atom(key) => Some(value.clone()),
            _ => None,
        })
    };
    let number = |key: &str| fact(key).and_then(|value| value.as_int());
    let registered = fact("registered_name").and_then(|name| Some(name.as_atom()?.to_string()));
    let initial = fact("initial_call");
    let began = initial.as_ref().and_then(function_text).unwrap_or_default();
    Some(Row {
        pid: pid.clone(),
        is_vague: registered.is_none() && began.starts_with("proc_lib:"),
        name: registered.unwrap_or(began),
        queue: number("message_queue_len")?,
        memory: number("memory"),
        reductions: number("reductions").unwrap_or_default(),
        per_second: None,
        current: fact("current_function").as_ref().and_then(function_text).unwrap_or_default(),
        status: fact("status").and_then(|status| Some(status.as_atom()?.to_string())).unwrap_or_default(),
    })
}

/// `{Module, Function, Arity}` as `module:function/arity`.
fn function_text(term: &Term) -> Option<String> {
    let [module, function, arity] = term.as_tuple()? else { return None };
    Some(format!("{}:{}/{}", module.as_atom()?.as_str(), function.as_atom()?.as_str(), arity.as_int()?))
}
