//! What a node exports: functions of its own by name, and libraries that it shares with other nodes.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use term::{Atom, Term};

use crate::ctx::Ctx;
use crate::exit::Exit;
use crate::node::Node;

/// What an exported function returns while it runs.
pub type ExportedFuture = Pin<Box<dyn Future<Output = Result<Term, Exit>> + Send>>;

/// A function that can be started by its name: it gets a process of its own, and the arguments.
pub type ExportedFn = Arc<dyn Fn(Ctx, Vec<Term>) -> ExportedFuture + Send + Sync>;

/// Finds a function that nobody has exported: what `error_handler` does in Erlang.
pub type Finder = Arc<dyn Fn(&Atom, &Atom, u8) -> Option<ExportedFn> + Send + Sync>;

/// Module, function, arity; without an arity it stands for all that are not there themselves.
pub type ExportKey = (Atom, Atom, Option<u8>);

/// Functions that many nodes have in common. They are looked for when they are called: a node that has them keeps nothing
/// of them, so a thousand nodes have them for nothing.
pub trait Library: Send + Sync {
    /// The function of that name and arity, if it is one of these.
    fn find(&self, module: &Atom, function: &Atom, arity: u8) -> Option<ExportedFn>;

    /// All of them, in any order.
    fn list(&self) -> Vec<ExportKey>;
}

/// The exported functions of a node.
#[derive(Default)]
pub(crate) struct Exports(RwLock<Shelves>);

#[derive(Default)]
struct Shelves {
    /// Its own, which come first. Nothing where one of a library was taken back.
    own: BTreeMap<ExportKey, Option<ExportedFn>>,
    libraries: Vec<&'static dyn Library>,
    finder: Option<Finder>,
}

impl Shelves {
    fn in_library(&self, module: &Atom, function: &Atom, arity: u8) -> Option<ExportedFn> {
        self.libraries.iter().find_map(|library| library.find(module, function, arity))
    }

    fn find(&self, module: &Atom, function: &Atom, arity: u8) -> Option<ExportedFn> {
        let exact = match self.own.get(&(module.clone(), function.clone(), Some(arity))) {
            Some(own) => own.clone(),
            None => self.in_library(module, function, arity),
        };
        exact.or_else(|| self.own.get(&(module.clone(), function.clone(), None)).cloned().flatten())
    }
}

impl Exports {
    pub(crate) fn list(&self) -> Vec<ExportKey> {
        let shelves = self.read();
        let mut all: BTreeSet<ExportKey> =
            shelves.libraries.iter().flat_map(|library| library.list()).collect();
        for (key, body) in &shelves.own {
            if body.is_some() {
                all.insert(key.clone())
            } else {
                all.remove(key)
            };
        }
        all.into_iter().collect()
    }

    fn read(&self) -> RwLockReadGuard<'_, Shelves> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Shelves> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Node {
    /// Lets other nodes, and this one, start `body` as `module:function/arity`; with `None`, for every arity.
    ///
    /// An [`Exit`] with the reason `{Reason, Stack}` is the error `Reason` for whoever calls it by `rpc` or `erpc`, any other is an
    /// exit; [`Exit::on_purpose`] says that even this one is.
    pub fn export(
        &self,
        module: impl Into<Atom>,
        function: impl Into<Atom>,
        arity: Option<u8>,
        body: ExportedFn,
    ) {
        self.exports().write().own.insert((module.into(), function.into(), arity), Some(body));
    }

    /// Exports all functions of a library, as long as nothing else of their names is exported.
    pub fn export_library(&self, library: &'static dyn Library) {
        self.exports().write().libraries.push(library);
    }

    /// Takes an export back; whether it was there.
    pub fn unexport(&self, module: &Atom, function: &Atom, arity: Option<u8>) -> bool {
        let mut shelves = self.exports().write();
        let key = (module.clone(), function.clone(), arity);
        if arity.is_some_and(|arity| shelves.in_library(module, function, arity).is_some()) {
            return !matches!(shelves.own.insert(key, None), Some(None));
        }
        shelves.own.remove(&key).is_some()
    }

    /// The function of that name and arity: exported, or found by the node's finder.
    pub fn exported(&self, module: &Atom, function: &Atom, arity: u8) -> Option<ExportedFn> {
        self.exported_by_name(module, function, arity).or_else(|| {
            let finder = self.exports().read().finder.clone();
            finder.and_then(|find| find(module, function, arity))
        })
    }

    /// From now on `finder` is asked for functions that are not exported. What it keeps must not hold the node.
    pub fn set_finder(&self, finder: Finder) {
        self.exports().write().finder = Some(finder);
    }

    /// The function of that name and arity, if it is exported; no finder is asked.
    pub fn exported_by_name(&self, module: &Atom, function: &Atom, arity: u8) -> Option<ExportedFn> {
        self.exports().read().find(module, function, arity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Greetings;

    impl Library for Greetings {
        fn find(&self, module: &Atom, function: &Atom, arity: u8) -> Option<ExportedFn> {
            (*module == "greet" && *function == "hello" && arity == 1).then(|| says("library"))
        }

        fn list(&self) -> Vec<ExportKey> {
            vec![(Atom::new("greet"), Atom::new("hello"), Some(1))]
        }
    }

    fn says(word: &'static str) -> ExportedFn {
        Arc::new(move |_, _| Box::pin(async move { Ok(Term::atom(word)) }))
    }

    #[tokio::test]
    async fn what_a_node_exports_itself_comes_before_libraries_and_both_can_be_taken_back() {
        let node = Node::alone();
        let (greet, hello) = (Atom::new("greet"), Atom::new("hello"));
        let ask = async || {
            let Some(body) = node.exported(&greet, &hello, 1) else { return "nothing".to_owned() };
            let answer = node.run(move |ctx| body(ctx, vec![])).await;
            answer.map_or_else(|_| "error".to_owned(), |term| term.as_atom().unwrap().to_string())
        };
        assert_eq!(ask().await, "nothing");
        node.export_library(&Greetings);
        assert_eq!(ask().await, "library");
        node.export("greet", "hello", Some(1), says("own"));
        node.export("greet", "bye", Some(1), says("bye"));
        assert_eq!(ask().await, "own");
        let names: Vec<String> = node.exports_list().iter().map(|(_, name, _)| name.to_string()).collect();
        assert_eq!(names, ["bye", "hello"]);
        assert!(node.unexport(&greet, &hello, Some(1)));
        assert_eq!(ask().await, "nothing");
        assert!(!node.unexport(&greet, &hello, Some(1)));
        assert_eq!(node.exports_list().len(), 1);
        node.export("greet", "hello", None, says("any"));
        assert_eq!(ask().await, "any");
        assert!(node.unexport(&greet, &hello, None));
        assert_eq!(ask().await, "nothing");
        node.export("greet", "hello", Some(1), says("own"));
        assert_eq!(ask().await, "own");
    }
}
