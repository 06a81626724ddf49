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
mod ets;
mod funs;
mod inet;
pub(crate) mod init;
mod io_lib;
mod lists;
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

use runtime::{Ctx, Exit, ExportedFn, Node};
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
    &erlang::terms::MODULE,
    &erlang::time::MODULE,
    &appmon_info::MODULE,
    &application::MODULE,
    &binary::MODULE,
    &calendar::MODULE,
    &code::MODULE,
    &ets::MODULE,
    &init::MODULE,
    &inet::INET,
    &inet::NET,
    &io_lib::MODULE,
    &lists::MODULE,
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

/// Exports them.
pub(crate) fn install(node: &Node) {
    for module in MODULES {
        let (name, unfit) = (module.name, module.unfit);
        for (function, arity, body) in module.near {
            node.export(name, *function, Some(*arity), near(name, function, unfit, *body));
        }
        for (function, arity, body) in module.far {
            node.export(name, *function, Some(*arity), far(name, function, unfit, *body));
        }
    }
    refused::install(node);
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
