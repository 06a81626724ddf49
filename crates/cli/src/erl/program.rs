//! What a node of the shell has for everybody: the code that was loaded, funs of any shell, shells for visitors.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use shell::{Entry, Vm};
use trunkline::{Atom, Ctx, Exit, ExportedFn, Node, Term, runtime};

use super::life::value_of;
use super::server;

/// The interpreted program of a node.
pub(crate) struct Program {
    pub(crate) vm: Arc<Vm>,
    published: Mutex<BTreeMap<Atom, [u8; 16]>>,
}

impl Program {
    /// With the library, and no modules.
    pub(crate) fn new() -> Arc<Program> {
        Arc::new(Program { vm: Vm::new(), published: Mutex::default() })
    }

    /// Lets other nodes run funs here, and open shells.
    pub(crate) fn install(self: &Arc<Self>, node: &Node) {
        let this = self.clone();
        // Where `erlang:apply/2` leads with a fun that has code of its own.
        node.export_raw(
            "trunkline_shell",
            "apply",
            Some(2),
            Arc::new(move |ctx, arguments| {
                let vm = this.vm.clone();
                Box::pin(async move {
                    let [fun, list] = <[Term; 2]>::try_from(arguments).map_err(|_| Exit::from("badarg"))?;
                    let list = list.as_list().map(|list| list.iter().collect::<Vec<_>>()).unwrap_or_default();
                    let list = vec![fun, Term::list(list)];
                    value_of(ctx, vm, Entry::Mfa(Atom::new("erlang"), Atom::new("apply"), list)).await
                })
            }),
        );
        super::expand::install(self, node);
        super::commands::install(node);
        node.export_async("observer", "start", |mut ctx: Ctx| async move {
            let _ = trunkline::io::put_chars(&mut ctx, NO_OBSERVER).await;
            Atom::new("ok")
        });
        for name in ["start", "start_interactive"] {
            node.export_raw("shell", name, Some(0), self.starter());
            node.export_raw("shell", name, Some(1), self.starter());
        }
        for (module, function, arity) in LIBRARY {
            if node.exported(&Atom::new(module), &Atom::new(function), *arity).is_none() {
                node.export_raw(module, function, Some(*arity), self.function(module, function));
            }
        }
    }

    /// `shell:start()`: a shell whose terminal is where its caller's group leader is.
    fn starter(self: &Arc<Self>) -> ExportedFn {
        let this = self.clone();
        Arc::new(move |ctx: Ctx, _| {
            let this = this.clone();
            Box::pin(async move { Ok(Term::Pid(this.start_shell(&ctx))) })
        })
    }

    /// Starts a shell under the group leader of this process.
    pub(crate) fn start_shell(self: &Arc<Self>, ctx: &Ctx) -> trunkline::Pid {
        let this = self.clone();
        ctx.spawn(move |ctx: Ctx| {
            ctx.set_trap_exit(true);
            server::guarded(ctx, this)
        })
    }

    fn function(self: &Arc<Self>, module: &str, function: &str) -> ExportedFn {
        let (this, module, function) = (self.clone(), Atom::new(module), Atom::new(function));
        Arc::new(move |ctx, arguments| {
            let entry = Entry::Mfa(module.clone(), function.clone(), arguments);
            Box::pin(value_of(ctx, this.vm.clone(), entry))
        })
    }

    /// Exports the modules that were loaded since the last time.
    pub(crate) fn publish(self: &Arc<Self>, node: &runtime::Node) {
        let mut published = self.published.lock().unwrap_or_else(PoisonError::into_inner);
        for module in self.vm.loaded() {
            if published.get(&module.name) == Some(&module.md5) {
                continue;
            }
            for (function, arity) in &module.exports {
                let body = self.function(module.name.as_str(), function.as_str());
                node.export(module.name.clone(), function.clone(), Some(*arity), body);
            }
            published.insert(module.name.clone(), module.md5);
        }
    }
}

const NO_OBSERVER: &str = "\
There are no windows here. `trunkline top NODE` shows this node in a terminal; the observer of an Erlang node that is
connected shows it too: start it there, and choose this node in its menu Nodes.
";

/// Functions of the library that others may want of a node with a shell.
const LIBRARY: &[(&str, &str, u8)] = &[
    ("erl_eval", "exprs", 2),
    ("erl_eval", "expr", 2),
    ("erl_scan", "string", 1),
    ("erl_scan", "string", 2),
    ("erl_scan", "tokens", 2),
    ("erl_scan", "tokens", 3),
    ("erl_parse", "parse_exprs", 1),
    ("erl_parse", "parse_term", 1),
];
