//! What all processes of a node share: the library, and the modules that were loaded.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use trunkline::Atom;

use crate::library::{Cells, Files, Library, System, Tables};
use crate::machine::Module;

/// The library and the modules. Cheap to share, used by many processes at once.
pub struct Vm {
    pub(crate) library: Library,
    modules: RwLock<BTreeMap<Atom, Arc<Module>>>,
    /// Modules of the library that are written in Erlang, read when they are first needed.
    own: RwLock<BTreeMap<Atom, Option<Arc<Module>>>>,
    /// Modules of which an older version may still run.
    old: RwLock<BTreeSet<Atom>>,
    /// One module is looked for and read at a time: who comes second finds it loaded.
    pub(crate) loading: Mutex<()>,
    /// Where modules are looked for.
    pub(crate) path: RwLock<Vec<PathBuf>>,
    /// The tables of `ets`.
    pub(crate) tables: Mutex<Tables>,
    /// The files that are open.
    pub(crate) files: Mutex<Files>,
    /// Persistent terms, counters, atomics.
    pub(crate) cells: Mutex<Cells>,
    /// The environment and other programs.
    pub(crate) system: Mutex<System>,
}

impl Vm {
    /// The library, and no modules.
    pub fn new() -> Arc<Vm> {
        Arc::new(Vm {
            library: Library::standard(),
            modules: RwLock::default(),
            own: RwLock::default(),
            old: RwLock::default(),
            loading: Mutex::default(),
            path: RwLock::new(vec![PathBuf::from(".")]),
            tables: Mutex::default(),
            files: Mutex::default(),
            cells: Mutex::default(),
            system: Mutex::default(),
        })
    }

    /// A module that was loaded.
    pub fn module(&self, name: &Atom) -> Option<Arc<Module>> {
        self.modules.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// All modules that were loaded.
    pub fn loaded(&self) -> Vec<Arc<Module>> {
        self.modules.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// The names of all modules there are: of the library, and loaded.
    pub fn modules(&self) -> Vec<Atom> {
        let mut all = self.library.modules();
        all.extend(self.loaded().iter().map(|module| module.name.clone()));
        all
    }

    /// Puts a module in the place of one of its name.
    pub fn load(&self, module: Arc<Module>) {
        let mut modules = self.modules.write().unwrap_or_else(PoisonError::into_inner);
        let name = module.name.clone();
        if modules.insert(name.clone(), module).is_some() {
            self.old.write().unwrap_or_else(PoisonError::into_inner).insert(name);
        }
    }

    /// Takes a module away; whether it was there.
    pub fn unload(&self, name: &Atom) -> bool {
        let there = self.modules.write().unwrap_or_else(PoisonError::into_inner).remove(name).is_some();
        if there {
            self.old.write().unwrap_or_else(PoisonError::into_inner).insert(name.clone());
        }
        there
    }

    /// Whether a module has an older version.
    pub fn has_old(&self, name: &Atom) -> bool {
        self.old.read().unwrap_or_else(PoisonError::into_inner).contains(name)
    }

    /// Forgets the older version of a module. Processes that run it go on: they hold it.
    pub fn purge(&self, name: &Atom) {
        self.old.write().unwrap_or_else(PoisonError::into_inner).remove(name);
    }

    /// A module of the library that is written in Erlang.
    pub(crate) fn own(&self, name: &Atom) -> Option<Arc<Module>> {
        if let Some(module) = self.own.read().unwrap_or_else(PoisonError::into_inner).get(name) {
            return module.clone();
        }
        let source = self.library.source(name);
        let module = source.and_then(|source| match crate::module::compile(source, &self.library) {
            Ok(module) => Some(Arc::new(module)),
            Err(error) => {
                debug_assert!(false, "{name:?}: {error:?}");
                None
            }
        });
        self.own.write().unwrap_or_else(PoisonError::into_inner).insert(name.clone(), module.clone());
        module
    }

    /// Whether somebody can call this function without asking the node.
    pub fn knows(&self, module: &Atom, function: &Atom, arity: u8) -> bool {
        let key = (function.clone(), arity);
        if let Some(module) = self.module(module) {
            return module.exports.contains(&key);
        }
        self.library.native(module, function, arity).is_some()
            || self.own(module).is_some_and(|module| module.exports.contains(&key))
    }

    /// The functions of a module of ours.
    pub fn functions(&self, name: &Atom) -> Vec<(Atom, u8)> {
        if let Some(module) = self.module(name) {
            return module.exports.iter().cloned().collect();
        }
        let mut all = self.library.functions(name);
        if let Some(module) = self.own(name) {
            all.extend(module.exports.iter().cloned());
        }
        all.sort();
        all.dedup();
        all
    }
}

impl std::fmt::Debug for Vm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vm").finish_non_exhaustive()
    }
}
