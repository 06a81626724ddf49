//! The functions that every node answers for: one file for each module of Erlang, or family of them.
//!
//! A function is one line in the table of its file. What it says of this node is true, or the constant that a node
//! without a BEAM inside has to give; it says so there. What does not exist here is `undef`, as everywhere.

mod application;
mod appmon_info;
mod appmon_tasks;
mod args;
mod asking;
mod binary;
mod calendar;
pub(crate) mod code;
mod erlang;
mod error_logger;
mod ets;
mod funs;
mod inet;
pub(crate) mod init;
mod io_lib;
mod lists;
mod lists_funs;
mod lists_keys;
mod logger;
mod maps;
mod math;
mod net_adm;
mod observer_backend;
mod os;
mod proc_lib;
mod proplists;
mod refused;
mod string;
pub(crate) mod sys;
mod timer;

use std::pin::Pin;
use std::sync::Arc;

use runtime::{Ctx, Exit, ExportKey, ExportedFn, Library, Node};
use term::{Atom, Term};

use crate::rpc::failure;

/// From now on nobody ends this node from afar.
pub(crate) fn refuse_stop(node: &Node) {
    node.shelf::<init::Halting>().refuse();
}

/// What a function returns.
type Answer = Result<Term, Fault>;

/// A function that answers at once.
type Near = fn(&mut Ctx, &[Term]) -> Answer;

/// A function that takes its time.
type Far = fn(Ctx, Vec<Term>) -> Pin<Box<dyn Future<Output = Answer> + Send>>;

/// How a function fails.
enum Fault {
    /// The arguments do not fit: `badarg` or `function_clause`, as its module has it.
    Unfit,
    /// Any other error.
    Error(Term),
    /// An exit.
    Exit(Term),
    /// Something thrown.
    Throw(Term),
}

/// The functions of one module of Erlang.
struct Module {
    name: &'static str,
    /// What a function of this module says to arguments that do not fit.
    unfit: &'static str,
    near: &'static [(&'static str, u8, Near)],
    far: &'static [(&'static str, u8, Far)],
}

const MODULES: &[&Module] = &[
    &erlang::arithmetic::MODULE,
    &erlang::convert::MODULE,
    &erlang::facts::MODULE,
    &erlang::integers::MODULE,
    &erlang::process::MODULE,
    &erlang::sums::MODULE,
    &erlang::terms::MODULE,
    &erlang::time::MODULE,
    &appmon_info::MODULE,
    &application::MODULE,
    &binary::MODULE,
    &calendar::MODULE,
    &code::MODULE,
    &error_logger::MODULE,
    &error_logger::LOGGER,
    &ets::MODULE,
    &init::MODULE,
    &inet::INET,
    &inet::NET,
    &io_lib::MODULE,
    &lists::MODULE,
    &lists_funs::MODULE,
    &lists_keys::MODULE,
    &logger::MODULE,
    &maps::MODULE,
    &math::MODULE,
    &net_adm::MODULE,
    &observer_backend::MODULE,
    &os::MODULE,
    &proc_lib::MODULE,
    &proplists::MODULE,
    &string::MODULE,
    &sys::MODULE,
    &sys::SUPERVISOR,
    &sys::GEN_SERVER,
    &sys::GEN_EVENT,
    &timer::MODULE,
];

/// All of these, the same for every node.
struct Functions;

/// Exports them.
pub(crate) fn install(node: &Node) {
    node.export_library(&Functions);
}

fn modules() -> impl Iterator<Item = &'static Module> {
    MODULES.iter().copied().chain(refused::MODULES)
}

impl Library for Functions {
    fn find(&self, module: &Atom, function: &Atom, arity: u8) -> Option<ExportedFn> {
        modules().filter(|known| *module == *known.name).find_map(|known| {
            let unfit = known.unfit;
            let is = |name: &str, takes: u8| takes == arity && *function == *name;
            let found = known.near.iter().find(|(name, takes, _)| is(name, *takes));
            let found = found.map(|(name, _, body)| near(known.name, name, unfit, *body));
            found.or_else(|| {
                let found = known.far.iter().find(|(name, takes, _)| is(name, *takes));
                found.map(|(name, _, body)| far(known.name, name, unfit, *body))
            })
        })
    }

    fn list(&self) -> Vec<ExportKey> {
        let key = |module: &Module, name: &'static str, arity| {
            (Atom::new(module.name), Atom::new(name), Some(arity))
        };
        let of = |module: &'static Module| {
            let near = module.near.iter().map(move |(name, arity, _)| key(module, name, *arity));
            near.chain(module.far.iter().map(move |(name, arity, _)| key(module, name, *arity)))
        };
        modules().flat_map(of).collect()
    }
}

fn near(module: &'static str, function: &'static str, unfit: &'static str, body: Near) -> ExportedFn {
    Arc::new(move |mut ctx, arguments| {
        Box::pin(async move {
            let answer = body(&mut ctx, &arguments);
            answer.map_err(|fault| raise(fault, module, function, unfit, arguments))
        })
    })
}

fn far(module: &'static str, function: &'static str, unfit: &'static str, body: Far) -> ExportedFn {
    Arc::new(move |ctx, arguments| {
        Box::pin(async move {
            let answer = body(ctx, arguments.clone()).await;
            answer.map_err(|fault| raise(fault, module, function, unfit, arguments))
        })
    })
}

fn raise(fault: Fault, module: &str, function: &str, unfit: &str, arguments: Vec<Term>) -> Exit {
    let (module, function) = (Atom::new(module), Atom::new(function));
    match fault {
        Fault::Unfit => failure(unfit, module, function, arguments),
        Fault::Error(reason) => {
            let call = [Term::Atom(module), Term::Atom(function), Term::list(arguments), Term::NIL];
            Exit(Term::tuple([reason, Term::list([Term::tuple(call)])]))
        }
        Fault::Exit(reason) => Exit(reason),
        Fault::Throw(value) => {
            let arity = Term::Int(arguments.len() as i64);
            let call = [Term::Atom(module), Term::Atom(function), arity, Term::NIL];
            Exit(Term::tuple([args::pair("nocatch", value), Term::list([Term::tuple(call)])]))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_function_is_there_once_and_is_found() {
        let all = Functions.list();
        let mut seen = BTreeSet::new();
        for key in &all {
            assert!(seen.insert(key), "{key:?} stands twice");
            assert!(Functions.find(&key.0, &key.1, key.2.unwrap()).is_some(), "{key:?}");
        }
        assert!(all.len() > 300, "{}", all.len());
        assert!(Functions.find(&Atom::new("lists"), &Atom::new("seq"), 9).is_none());
    }
}
