//! What happens when two partitions meet and both have a name: the conflict methods.

use std::sync::Arc;

use runtime::{Ctx, ExportedFn, Node};
use term::{Atom, FromTerm, Pid, Term};

use super::names::settle;
use crate::rpc::{self, Ran};

/// The method by which a conflict about a name is settled, given when the name is registered.
///
/// It runs on the node of the process that it was registered for, and chooses one of the two processes, or none: then the name
/// is gone.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolver(pub(super) Term);

impl Default for Resolver {
    fn default() -> Resolver {
        Resolver::random_exit()
    }
}

impl Resolver {
    /// One process keeps the name, the other is killed. What is called random is not: the node with the smaller name wins.
    /// (`fun global:random_exit_name/3`.)
    pub fn random_exit() -> Resolver {
        Resolver::exported("global", "random_exit_name")
    }

    /// One process keeps the name, the other hears `{global_name_conflict, Name}`. (`fun global:random_notify_name/3`.)
    pub fn random_notify() -> Resolver {
        Resolver::exported("global", "random_notify_name")
    }

    /// Nobody keeps the name, both hear `{global_name_conflict, Name, OtherPid}`. (`fun global:notify_all_name/3`.)
    pub fn notify_all() -> Resolver {
        Resolver::exported("global", "notify_all_name")
    }

    /// `fun Module:Function/3`: a function of the name and the two pids that is exported by the node of the process.
    pub fn exported(module: impl Into<Atom>, function: impl Into<Atom>) -> Resolver {
        let export = term::Export { module: module.into(), function: function.into(), arity: 3 };
        Resolver(Term::Export(Arc::new(export)))
    }

    /// A closure, exported by this node as `trunkline_resolver:Name/3` from now on. It gets the name and both pids, first
    /// that of the other partition. Use it for processes of this node: another node could not run it, and would drop the
    /// name.
    pub fn closure(
        node: &Node,
        name: &str,
        choose: impl Fn(&Term, &Pid, &Pid) -> Option<Pid> + Send + Sync + 'static,
    ) -> Resolver {
        let choose = Arc::new(choose);
        let body: ExportedFn = Arc::new(move |_, arguments| {
            let choose = choose.clone();
            Box::pin(async move {
                let chosen = match &arguments[..] {
                    [name, Term::Pid(theirs), Term::Pid(ours)] => choose(name, theirs, ours),
                    _ => None,
                };
                Ok(chosen.map_or(Term::atom("none"), Term::Pid))
            })
        });
        node.export(MODULE, name, Some(3), body);
        Resolver::exported(MODULE, name)
    }
}

const MODULE: &str = "trunkline_resolver";

/// `global:resolve_it/4`: `catch Method(Name, Pid1, Pid2)`.
pub(super) async fn resolve_it(ctx: Ctx, [method, name, one, other]: [Term; 4]) -> Term {
    let (Ok(first), Ok(second)) = (Pid::from_term(&one), Pid::from_term(&other)) else {
        return exit(Term::atom("badarg"));
    };
    if let Some(settled) = settle(&method, &name, &first, &second) {
        let mut ctx = ctx;
        for (pid, message) in settled.send {
            ctx.send(&pid, message);
        }
        let (keeper, ended) =
            (&settled.answer, if settled.kill.is_some() { ", the other one is ended" } else { "" });
        tracing::warn!("global: name conflict: {name} is {first} and {second}; {keeper} keeps it{ended}");
        if let Some(pid) = settled.kill {
            ctx.exit(&pid, Term::atom("kill"));
        }
        return settled.answer;
    }
    if !matches!(method, Term::Export(_) | Term::Fun(_)) {
        return exit(Term::tuple([Term::atom("badfun"), method.clone()]));
    }
    let called = vec![method, Term::list([name, one, other])];
    match rpc::apply(ctx, Atom::inline("erlang"), Atom::inline("apply"), called).await {
        Ran::Return(value) | Ran::Throw(value) => value,
        Ran::Exit(reason) => exit(reason),
        Ran::Limit => exit(Term::atom("system_limit")),
        Ran::Error(reason, stack) => exit(Term::tuple([reason, stack])),
    }
}

fn exit(reason: Term) -> Term {
    Term::tuple([Term::atom("EXIT"), reason])
}
