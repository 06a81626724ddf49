//! What a node knows of its applications: on its shelf, so that reading the environment asks nobody.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use runtime::Node;
use term::{Atom, Pid, Term};

use super::boxed::AnyApplication;
use super::{Kind, Spec, StartType};
use crate::request::Caller;

/// Where an application runs.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Place {
    /// Here: its master.
    Here(Pid),
    /// Here, and it has no process.
    Library,
    /// On that node; on none, when it was stopped by decision.
    There(Option<Atom>),
}

/// A start under way.
#[derive(Clone, Debug)]
pub(super) struct Starting {
    pub(super) kind: Kind,
    pub(super) how: StartType,
    /// Its master, when there is one.
    pub(super) master: Option<Pid>,
}

/// An application that this program has.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) spec: Spec,
    /// Without one it is a library.
    pub(super) body: Option<Arc<dyn AnyApplication>>,
}

/// Finds the specification of an application that this program does not have itself.
pub(super) type Finder = Arc<dyn Fn(&Atom) -> Option<Term> + Send + Sync>;

type EndHook = Arc<dyn Fn(&Node, Term) + Send + Sync>;

#[derive(Default)]
pub(super) struct State {
    pub(super) catalogue: BTreeMap<Atom, Entry>,
    /// From configuration files; the command line; both per application, in their order.
    pub(super) config: Vec<(Atom, Vec<(Atom, Term)>)>,
    pub(super) command_line: Vec<(Atom, Vec<(Atom, Term)>)>,
    /// The latest first, as OTP lists them.
    pub(super) loaded: Vec<(Atom, Entry)>,
    pub(super) env: BTreeMap<(Atom, Atom), Term>,
    pub(super) loading: Vec<(Atom, Caller)>,
    pub(super) starting: BTreeMap<Atom, Starting>,
    pub(super) waiting: Vec<(Atom, Caller)>,
    /// Wanted, and not permitted here.
    pub(super) forbidden: BTreeMap<Atom, Kind>,
    pub(super) started: Vec<(Atom, Kind)>,
    pub(super) running: Vec<(Atom, Place)>,
    /// Who decides for distributed applications.
    pub(super) control: BTreeMap<Atom, Pid>,
    pub(super) finder: Option<Finder>,
    pub(super) on_end: Option<EndHook>,
    pub(super) ended: Option<Term>,
}

impl State {
    pub(super) fn entry(&self, name: &Atom) -> Option<&Entry> {
        self.loaded.iter().find(|(loaded, _)| loaded == name).map(|(_, entry)| entry)
    }

    pub(super) fn kind(&self, name: &Atom) -> Option<Kind> {
        self.started.iter().find(|(started, _)| started == name).map(|(_, kind)| *kind)
    }

    pub(super) fn place(&self, name: &Atom) -> Option<&Place> {
        self.running.iter().find(|(running, _)| running == name).map(|(_, place)| place)
    }

    /// Keeps its place in the order, or comes first.
    pub(super) fn set_place(&mut self, name: &Atom, place: Place) {
        match self.running.iter_mut().find(|(running, _)| running == name) {
            Some(entry) => entry.1 = place,
            None => self.running.insert(0, (name.clone(), place)),
        }
    }

    pub(super) fn set_started(&mut self, name: &Atom, kind: Kind) {
        match self.started.iter_mut().find(|(started, _)| started == name) {
            Some(entry) => entry.1 = kind,
            None => self.started.insert(0, (name.clone(), kind)),
        }
    }

    pub(super) fn forget_running(&mut self, name: &Atom) {
        self.running.retain(|(running, _)| running != name);
    }

    pub(super) fn get_env(&self, name: &Atom, key: &Atom) -> Option<Term> {
        self.env.get(&(name.clone(), key.clone())).cloned()
    }

    /// Spec, then configuration, then command line: the last who says something is right.
    pub(super) fn load(&mut self, entry: Entry) {
        let name = entry.spec.name.clone();
        let of = |list: &[(Atom, Vec<(Atom, Term)>)]| {
            let mine = list.iter().filter(|(app, _)| *app == name);
            mine.flat_map(|(_, pairs)| pairs.clone()).collect::<Vec<_>>()
        };
        let said = [entry.spec.env.clone(), of(&self.config), of(&self.command_line)];
        for (key, value) in said.into_iter().flatten() {
            self.env.insert((name.clone(), key), value);
        }
        self.loaded.insert(0, (name, entry));
    }

    pub(super) fn unload(&mut self, name: &Atom) {
        self.env.retain(|(app, _), _| app != name);
        self.loaded.retain(|(loaded, _)| loaded != name);
    }
}

/// The state, on the shelf.
pub(super) struct Applications(Mutex<State>);

impl Default for Applications {
    fn default() -> Applications {
        let mut state = State::default();
        for name in ["kernel", "stdlib"] {
            let spec = Spec::new(name).describe("ERTS  CXC 138 10").vsn(env!("CARGO_PKG_VERSION"));
            let needs: &[&str] = if name == "kernel" { &[] } else { &["kernel"] };
            let entry = Entry { spec: spec.needs(needs.iter().copied()), body: None };
            state.load(entry);
            let name = Atom::new(name);
            state.set_started(&name, Kind::Permanent);
            state.set_place(&name, Place::Library);
        }
        Applications(Mutex::new(state))
    }
}

impl Applications {
    pub(super) fn of(node: &Node) -> Arc<Applications> {
        node.shelf::<Applications>()
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
