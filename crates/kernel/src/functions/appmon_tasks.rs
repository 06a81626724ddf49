//! The tasks of `appmon_info`: load, applications, the tree of one, the facts of one process.

use std::collections::BTreeSet;

use runtime::{Ctx, Node};
use term::{Pid, Term};

use super::args;
use super::erlang::{convert, facts, info};
use crate::services;

/// One task, and what came of it last.
pub(super) struct Task<'a> {
    pub(super) command: &'a Term,
    pub(super) with: &'a Term,
    pub(super) options: &'a [Term],
    pub(super) last: Option<&'a Term>,
}

/// Readings of the load, from which differences are made.
#[derive(Default)]
pub(super) struct Load {
    runtime: i64,
    wall_clock: i64,
}

/// The full load.
const LOAD_MAX: f64 = 16.0;

/// Processes in the tree of an application, at most.
const TREE_MAX: usize = 10_000;

impl Task<'_> {
    /// The result; nothing when there is no such task.
    pub(super) fn run(&self, ctx: &mut Ctx, load: &mut Load) -> Option<Term> {
        match self.command.as_atom()?.as_str() {
            "load" => Some(self.load(ctx.node(), load)),
            "app_ctrl" => Some(applications(ctx.node())),
            "app" => Some(tree(ctx, self.with)),
            "pinfo" => Some(facts_of(ctx, self.with)),
            _ => None,
        }
    }

    /// `{Before, Now}`.
    fn load(&self, node: &Node, readings: &mut Load) -> Term {
        let is = |name: &str, word: &str| option(self.options, name).is_some_and(|value| value.is_atom(word));
        let queue = node.run_queue_lengths().iter().sum::<usize>() as f64 / 6.0;
        let (runtime, wall_clock) = (total(node, "runtime"), total(node, "wall_clock"));
        let (ran, passed) = (runtime - readings.runtime, wall_clock - readings.wall_clock);
        *readings = Load { runtime, wall_clock };
        let share = if is("load_method", "queue") { 0.0 } else { ran as f64 / passed.max(1) as f64 };
        let busy = share + queue;
        let busy = if is("load_scale", "linear") { busy } else { (busy.abs() / 0.9).sqrt() };
        let now = (LOAD_MAX * busy).min(LOAD_MAX) as i64;
        let before = self.last.and_then(Term::as_tuple).and_then(|pair| pair.get(1)?.as_int());
        Term::tuple([Term::Int(before.unwrap_or(0)), Term::Int(now)])
    }
}

fn total(node: &Node, item: &str) -> i64 {
    let pair = facts::statistics(node, item);
    pair.as_ref().and_then(Term::as_tuple).and_then(|pair| pair.first()?.as_int()).unwrap_or(0)
}

/// The value of `{Name, Value}`.
pub(super) fn option(options: &[Term], name: &str) -> Option<Term> {
    options.iter().find_map(|option| match option.as_tuple() {
        Some([key, value]) if key.is_atom(name) => Some(value.clone()),
        _ => None,
    })
}

/// `[{Master, Name, {Name, Description, Version}}]` of those that have processes of their own.
fn applications(node: &Node) -> Term {
    let all = otp::application::which_applications(node);
    let rows = all.into_iter().filter_map(|(name, description, version)| {
        let name = Term::Atom(name);
        let pid = Term::Pid(master(node, &name)?);
        let entry = [name.clone(), Term::string(&description), Term::string(&version)];
        Some(Term::tuple([pid, name, Term::tuple(entry)]))
    });
    Term::list(rows)
}

/// The process at the top of an application.
fn master(node: &Node, name: &Term) -> Option<Pid> {
    if name.is_atom("kernel") {
        return node.whereis("kernel_sup");
    }
    let masters = otp::application::masters(node);
    masters.into_iter().find(|(known, _)| name.as_atom() == Some(known)).map(|(_, pid)| pid)
}

/// `{Root, [{Pid, Text}], [{Parent, Child}], []}`: the services or the master of an application, and what is linked to them.
fn tree(ctx: &Ctx, name: &Term) -> Term {
    let node = ctx.node();
    let Some(root) = master(node, name) else {
        return Term::tuple([Term::NIL, Term::NIL, Term::NIL, Term::NIL]);
    };
    let mut found = BTreeSet::from([root.clone()]);
    let mut links = Vec::new();
    let linked = |pid: &Pid| node.process_info(pid).map_or(Vec::new(), |info| info.links);
    let children = if name.is_atom("kernel") { services::children(node) } else { linked(&root) };
    let mut waiting: Vec<(Pid, Vec<Pid>)> = vec![(root.clone(), children)];
    while let Some((parent, children)) = waiting.pop() {
        for child in children {
            if found.len() >= TREE_MAX || child.node != *node.id() || !found.insert(child.clone()) {
                continue;
            }
            links.push(Term::tuple([text(ctx, &parent), text(ctx, &child)]));
            let beyond = linked(&child);
            waiting.push((child, beyond));
        }
    }
    let rows = found.iter().map(|pid| Term::tuple([Term::Pid(pid.clone()), text(ctx, pid)]));
    Term::tuple([text(ctx, &root), Term::list(rows), Term::list(links), Term::NIL])
}

/// Its name, or the pid as text.
fn text(ctx: &Ctx, pid: &Pid) -> Term {
    let name = ctx.node().process_info(pid).and_then(|info| info.registered_name);
    name.map_or_else(|| convert::shown(ctx, &Term::Pid(pid.clone())), |name| Term::string(name.as_str()))
}

fn facts_of(ctx: &mut Ctx, who: &Term) -> Term {
    let Term::Pid(pid) = who else { return Term::NIL };
    let facts = match args::own_pid(ctx, who) {
        Ok(_) => info::process_info(ctx, pid).ok(),
        Err(_) => None,
    };
    let facts = facts.unwrap_or_else(args::undefined);
    let arguments = Term::list([Term::Atom(ctx.node().name().clone()), who.clone(), facts]);
    let format = Term::string("Node: ~p, Process: ~p~n~p~n~n");
    let text = crate::io::format_on(ctx.node(), &format, &arguments);
    text.map_or(Term::NIL, |text| Term::string(&text))
}
