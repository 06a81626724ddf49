//! The machine that runs code: a stack of values, a stack of calls, no recursion.

pub(crate) mod bits;
mod calls;
pub(crate) mod code;
mod funs;
mod heap;
mod loops;
mod matching;
pub(crate) mod numbers;
mod run;
mod steps;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

pub use run::{Pause, run, run_with};
use trunkline::Atom;
use trunkline::term::{Fun, Term};

use crate::parser::Record;
use crate::raise::Result;
use crate::vm::Vm;
use code::{Code, Proto};
pub(crate) use funs::{ERL_EVAL_OLD_UNIQ, ERL_EVAL_UNIQ};
pub(crate) use heap::Heap;
use loops::{Gather, Iter};
pub(crate) use matching::Around;

/// A module.
pub struct Module {
    /// Its name.
    pub name: Atom,
    /// What others may call.
    pub exports: BTreeSet<(Atom, u8)>,
    pub(crate) functions: BTreeMap<(Atom, u8), Arc<Code>>,
    pub(crate) funs: Vec<Arc<Proto>>,
    /// The digest of its source.
    pub md5: [u8; 16],
    /// Its attributes.
    pub attributes: Vec<(Atom, Term)>,
    /// Its records.
    pub records: BTreeMap<Atom, Record>,
    /// The file it was read from.
    pub file: Option<std::path::PathBuf>,
    /// What a compiler warns of.
    pub warnings: Vec<crate::module::ModuleError>,
}

impl std::fmt::Debug for Module {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Module({})", self.name.as_str())
    }
}

/// Where a new process begins.
#[derive(Clone, PartialEq, Debug)]
pub enum Entry {
    /// With a fun without arguments.
    Fun(Term),
    /// With a function.
    Mfa(Atom, Atom, Vec<Term>),
}

/// What a machine waits for.
#[derive(Debug)]
pub enum Wait {
    /// Somebody else's turn.
    Turn,
    /// A message; the machine knows which.
    Receive(Option<Duration>),
    /// Time.
    Sleep(Option<Duration>),
    /// A function of the node.
    Apply(Atom, Atom, Vec<Term>),
    /// A command of the shell.
    Command(Atom, Vec<Term>),
    /// Text to be written.
    Write(Option<Term>, String),
    /// A process to be started.
    Spawn(Entry, crate::world::Spawn),
    /// Expressions with what is bound, evaluated apart.
    Evaluate(crate::ast::Body, BTreeMap<Atom, Term>, crate::library::Shape),
}

/// A call: where it is, and where its variables begin.
struct Call {
    code: Arc<Code>,
    module: Option<Arc<Module>>,
    at: usize,
    base: usize,
}

/// Where to go on when something is raised.
struct Handler {
    calls: usize,
    stack: usize,
    iters: usize,
    gathers: usize,
    label: u32,
}

/// A process's program as it runs.
pub struct Machine {
    pub(crate) vm: Arc<Vm>,
    stack: Vec<Term>,
    slots: Vec<Term>,
    now: Call,
    calls: Vec<Call>,
    handlers: Vec<Handler>,
    iters: Vec<Iter>,
    gathers: Vec<Gather>,
    around: Around,
    /// The process dictionary.
    pub dictionary: BTreeMap<Term, Term>,
    /// Code read from funs: by where the fun lies in memory, which it does as long as it is kept here.
    funs: HashMap<usize, (Arc<Fun>, Arc<funs::Closure>)>,
    steps: u32,
    /// What it holds, and may hold.
    pub(crate) heap: Heap,
    /// How many machines wait for this one.
    within: usize,
    /// The code of commands has slots that are not bound yet.
    sentinel: Term,
}

impl Machine {
    /// A machine for a process of this name on this node, with nothing to do.
    pub fn new(vm: Arc<Vm>, pid: trunkline::Pid, node: Atom) -> Machine {
        let code = Arc::new(Code {
            module: Atom::new("shell"),
            name: Atom::new("-idle-"),
            arity: 0,
            slots: 0,
            ops: vec![code::Op::Return],
            lines: vec![0],
            heads: Vec::new(),
            funs: Vec::new(),
        });
        Machine {
            vm,
            stack: Vec::new(),
            slots: Vec::new(),
            now: Call { code, module: None, at: 0, base: 0 },
            calls: Vec::new(),
            handlers: Vec::new(),
            iters: Vec::new(),
            gathers: Vec::new(),
            around: Around { pid, node },
            dictionary: BTreeMap::new(),
            funs: HashMap::new(),
            steps: 0,
            heap: Heap::default(),
            within: 0,
            sentinel: Term::atom("\u{0}unbound"),
        }
    }

    /// Prepares a command: its variables, as far as they are bound.
    pub(crate) fn prepare(&mut self, command: &crate::compile::Command, bindings: &BTreeMap<Atom, Term>) {
        self.clear();
        self.slots = vec![self.sentinel.clone(); command.code.slots as usize];
        for (name, slot) in &command.names {
            if let Some(value) = bindings.get(name) {
                self.slots[*slot as usize] = value.clone();
            }
        }
        self.now = Call { code: command.code.clone(), module: None, at: 0, base: 0 };
    }

    /// What a command has bound.
    pub(crate) fn bound(&self, command: &crate::compile::Command, bindings: &mut BTreeMap<Atom, Term>) {
        for (name, slot) in &command.names {
            if let Some(value) = self.slots.get(*slot as usize).filter(|value| **value != self.sentinel) {
                bindings.insert(name.clone(), value.clone());
            }
        }
    }

    /// Prepares a call.
    ///
    /// # Errors
    /// What the call raises at once: `undef`, `badfun`, `badarity`.
    pub fn start(&mut self, entry: Entry) {
        self.clear();
        let after = match entry {
            Entry::Fun(fun) => (fun, Vec::new()),
            Entry::Mfa(module, function, arguments) => {
                let apply =
                    trunkline::term::Export { module, function, arity: arguments.len().min(255) as u8 };
                (Term::Export(Arc::new(apply)), arguments)
            }
        };
        let count = after.1.len().min(255) as u8;
        self.stack.push(after.0);
        self.stack.extend(after.1);
        let ops = vec![code::Op::Call(Box::new(code::Callee::Fun), count, false), code::Op::Return];
        let code = Code {
            module: Atom::new("shell"),
            name: Atom::new("-entry-"),
            arity: 0,
            slots: 0,
            lines: vec![0; ops.len()],
            ops,
            heads: Vec::new(),
            funs: Vec::new(),
        };
        self.now = Call { code: Arc::new(code), module: None, at: 0, base: 0 };
    }

    fn clear(&mut self) {
        self.stack.clear();
        self.slots.clear();
        self.calls.clear();
        self.handlers.clear();
        self.iters.clear();
        self.gathers.clear();
    }

    /// Gives a value for what was waited for.
    pub fn resume(&mut self, value: Result<Term>) -> Option<Box<crate::raise::Raise>> {
        match value {
            Ok(value) => {
                self.stack.push(value);
                None
            }
            Err(raise) => self.unwind(raise),
        }
    }
}

impl std::fmt::Debug for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Machine").field("calls", &self.calls.len()).finish_non_exhaustive()
    }
}
