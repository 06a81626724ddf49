//! What a node of the shell has for everybody: the code that was loaded, funs of any shell, shells for visitors.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use shell::{Entry, Vm};
use trunkline::{Atom, Ctx, Exit, ExportedFn, Node, Pid, Term};

use super::server;
use shell::node::value_of;

/// The interpreted program of a node.
pub(crate) struct Program {
    pub(crate) vm: Arc<Vm>,
    /// What is bound in the shells that have a terminal here, by their group leaders.
    words: Mutex<BTreeMap<Pid, Vec<String>>>,
}

impl Program {
    /// With the library, and no modules.
    pub(crate) fn new() -> Arc<Program> {
        Arc::new(Program { vm: Vm::new(), words: Mutex::default() })
    }

    /// What is bound in the shell under this group leader, for completion.
    pub(super) fn know_words(&self, leader: Pid, words: Vec<String>) {
        self.words.lock().unwrap_or_else(PoisonError::into_inner).insert(leader, words);
    }

    /// What was told last of the shell under this group leader.
    pub(super) fn words(&self, leader: &Pid) -> Vec<String> {
        self.words.lock().unwrap_or_else(PoisonError::into_inner).get(leader).cloned().unwrap_or_default()
    }

    /// A shell that is over needs no words.
    pub(super) fn forget_words(&self, leader: &Pid) {
        self.words.lock().unwrap_or_else(PoisonError::into_inner).remove(leader);
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
        node.export_async("observer", "start", |mut ctx: Ctx| async move {
            let _ = trunkline::io::put_chars(&mut ctx, NO_OBSERVER).await;
            Atom::new("ok")
        });
        for name in ["start", "start_interactive"] {
            node.export_raw("shell", name, Some(0), self.starter());
            node.export_raw("shell", name, Some(1), self.starter());
        }
        self.find_for(node);
    }

    /// What is asked for by name and not exported is looked for in the library and in the modules on the code path.
    fn find_for(self: &Arc<Self>, node: &Node) {
        // What the shell knows of code and tables is truer than what a node without one says.
        for module in ["code", "ets"] {
            for (function, arity) in self.vm.functions(&Atom::new(module)) {
                let name = function.as_str();
                node.export_raw(module, name, Some(arity), self.function(module, name));
            }
        }
        self.load_for(node);
        let this = self.clone();
        trunkline::otp::application::find_with(node, move |name| this.vm.find_application(name));
        let this = self.clone();
        node.set_finder(Arc::new(move |module, function, arity| {
            let known =
                this.vm.knows(module, function, arity) || this.vm.has_function(module, function, arity);
            known.then(|| this.function(module.as_str(), function.as_str()))
        }));
    }

    /// Nor is a module missing that only the node has: `erl -remsh` of OTP 26 and later loads `shell` here before it starts it.
    fn load_for(self: &Arc<Self>, node: &Node) {
        let this = self.clone();
        let loaded = self.function("code", "ensure_loaded");
        let body: ExportedFn = Arc::new(move |ctx, arguments| {
            let asked = arguments.first().and_then(Term::as_atom).cloned();
            let nodes_own = |name: &Atom| {
                let exports = ctx.node().exports_list();
                this.vm.functions(name).is_empty() && exports.iter().any(|(module, ..)| module == name)
            };
            match asked.filter(nodes_own) {
                Some(name) => {
                    Box::pin(async move { Ok(Term::tuple([Term::atom("module"), Term::Atom(name)])) })
                }
                None => loaded(ctx, arguments),
            }
        });
        node.export_raw("code", "ensure_loaded", Some(1), body);
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
}

const NO_OBSERVER: &str = "\
There are no windows here. `trunkline top NODE` shows this node in a terminal; the observer of an Erlang node that is
connected shows it too: start it there, and choose this node in its menu Nodes.
";
