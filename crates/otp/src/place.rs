//! Where a server is found, and under which name it registers.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};

use runtime::{Node, To};
use term::{Atom, FromTerm, IntoTerm, Mismatch, Pid, Term, term};

/// Where a server is: OTP's `server_ref()`.
#[derive(Clone, Debug, PartialEq)]
pub enum ServerRef {
    /// A process, near or far.
    Pid(Pid),
    /// A name registered on this node.
    Name(Atom),
    /// `{Name, Node}`.
    NameAt(Atom, Atom),
    /// `{global, Name}`, or `{via, Module, Name}`: looked up each time. A `global` name has the module `global`.
    Via(Atom, Term),
}

impl ServerRef {
    /// `{global, Name}`.
    pub fn global(name: impl IntoTerm) -> ServerRef {
        ServerRef::Via(GLOBAL, name.into_term())
    }

    /// `{via, Module, Name}`.
    pub fn via(module: impl Into<Atom>, name: impl IntoTerm) -> ServerRef {
        ServerRef::Via(module.into(), name.into_term())
    }

    /// Whom to send to; `None` when nobody has that name.
    pub fn find(&self, node: &Node) -> Option<To<'_>> {
        Some(match self {
            ServerRef::Pid(pid) => To::PidRef(pid),
            ServerRef::Name(name) => To::Name(name.clone()),
            ServerRef::NameAt(name, at) => To::NameAt(name.clone(), at.clone()),
            ServerRef::Via(module, name) => To::Pid(service(node, module)?.whereis(node, name)?),
        })
    }

    /// The process, if this node can tell.
    pub fn whereis(&self, node: &Node) -> Option<Pid> {
        match self {
            ServerRef::Pid(pid) => Some(pid.clone()),
            ServerRef::Name(name) => node.whereis(name.clone()),
            ServerRef::NameAt(name, at) if at == node.name() => node.whereis(name.clone()),
            ServerRef::NameAt(..) => None,
            ServerRef::Via(module, name) => service(node, module)?.whereis(node, name),
        }
    }
}

impl IntoTerm for ServerRef {
    fn into_term(self) -> Term {
        match self {
            ServerRef::Pid(pid) => Term::Pid(pid),
            ServerRef::Name(name) => Term::Atom(name),
            ServerRef::NameAt(name, node) => Term::tuple([Term::Atom(name), Term::Atom(node)]),
            ServerRef::Via(module, name) => via_term(module, name),
        }
    }
}

impl FromTerm for ServerRef {
    fn from_term(term: &Term) -> Result<ServerRef, Mismatch> {
        match term {
            Term::Pid(pid) => return Ok(ServerRef::Pid(pid.clone())),
            Term::Atom(name) => return Ok(ServerRef::Name(name.clone())),
            _ => {}
        }
        match term.as_tuple() {
            Some([Term::Atom(global), name]) if *global == GLOBAL => Ok(ServerRef::Via(GLOBAL, name.clone())),
            Some([Term::Atom(name), Term::Atom(node)]) => Ok(ServerRef::NameAt(name.clone(), node.clone())),
            Some([via, Term::Atom(module), name]) if via.is_atom("via") => {
                Ok(ServerRef::Via(module.clone(), name.clone()))
            }
            _ => Err(Mismatch { expected: "where a server is" }),
        }
    }
}

impl std::fmt::Display for ServerRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.clone().into_term())
    }
}

macro_rules! places {
    ($($from:ty, $value:pat => $place:expr;)*) => {$(
        impl From<$from> for ServerRef {
            fn from($value: $from) -> ServerRef {
                $place
            }
        }
    )*};
}

places! {
    Pid, pid => ServerRef::Pid(pid);
    &Pid, pid => ServerRef::Pid(pid.clone());
    Atom, name => ServerRef::Name(name);
    &Atom, name => ServerRef::Name(name.clone());
    &str, name => ServerRef::Name(Atom::new(name));
    (Atom, Atom), (name, node) => ServerRef::NameAt(name, node);
    (&str, &str), (name, node) => ServerRef::NameAt(Atom::new(name), Atom::new(node));
    (&str, &Atom), (name, node) => ServerRef::NameAt(Atom::new(name), node.clone());
    (&str, Atom), (name, node) => ServerRef::NameAt(Atom::new(name), node);
    &ServerRef, place => place.clone();
}

impl From<Name> for ServerRef {
    fn from(name: Name) -> ServerRef {
        match name {
            Name::Local(name) => ServerRef::Name(name),
            Name::Via(module, name) => ServerRef::Via(module, name),
        }
    }
}

/// The name under which a process registers: OTP's `{local, N}`, `{global, N}`, `{via, M, N}`.
#[derive(Clone, Debug, PartialEq)]
pub enum Name {
    /// On this node.
    Local(Atom),
    /// With a [`NameService`]; `global` is one.
    Via(Atom, Term),
}

impl Name {
    /// `{global, Name}`: one process of the whole cluster has it.
    pub fn global(name: impl IntoTerm) -> Name {
        Name::Via(GLOBAL, name.into_term())
    }

    /// `{via, Module, Name}`.
    pub fn via(module: impl Into<Atom>, name: impl IntoTerm) -> Name {
        Name::Via(module.into(), name.into_term())
    }

    /// How reports, `sys` and `$ancestors` call a process of this name.
    pub(crate) fn shown(&self) -> Term {
        match self {
            Name::Local(name) => Term::Atom(name.clone()),
            Name::Via(module, name) => via_term(module.clone(), name.clone()),
        }
    }

    /// Registers the process, or says who has the name.
    pub(crate) async fn register(&self, node: &Node, pid: &Pid) -> Result<(), Option<Pid>> {
        match self {
            Name::Local(name) => node.register(name.clone(), pid).map_err(|_| node.whereis(name.clone())),
            Name::Via(module, name) => {
                let service = service(node, module).ok_or(None)?;
                match service.register(node, name, pid).await {
                    true => Ok(()),
                    false => Err(service.whereis(node, name)),
                }
            }
        }
    }

    pub(crate) async fn unregister(&self, node: &Node) {
        match self {
            Name::Local(name) => {
                node.unregister(name.clone());
            }
            Name::Via(module, name) => {
                if let Some(service) = service(node, module) {
                    service.unregister(node, name).await;
                }
            }
        }
    }
}

impl From<&str> for Name {
    fn from(name: &str) -> Name {
        Name::Local(Atom::new(name))
    }
}

impl From<Atom> for Name {
    fn from(name: Atom) -> Name {
        Name::Local(name)
    }
}

/// What `{via, Module, Name}` asks: a table of names with a process under each.
pub trait NameService: Send + Sync + 'static {
    /// Who has the name.
    fn whereis(&self, node: &Node, name: &Term) -> Option<Pid>;

    /// Gives a process the name; `false` when somebody has it.
    fn register<'a>(&'a self, node: &'a Node, name: &'a Term, pid: &'a Pid) -> NameFuture<'a, bool>;

    /// Takes the name back.
    fn unregister<'a>(&'a self, node: &'a Node, name: &'a Term) -> NameFuture<'a, ()>;
}

/// What a [`NameService`] returns while it works.
pub type NameFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Makes `{via, Module, Name}` work on this node; the module `global` is `{global, Name}`.
pub fn install(node: &Node, module: impl Into<Atom>, service: Arc<dyn NameService>) {
    let services = node.shelf::<Services>();
    services.0.write().unwrap_or_else(PoisonError::into_inner).insert(module.into(), service);
}

fn service(node: &Node, module: &Atom) -> Option<Arc<dyn NameService>> {
    let services = node.shelf::<Services>();
    services.0.read().unwrap_or_else(PoisonError::into_inner).get(module).cloned()
}

/// The name services of a node.
#[derive(Default)]
struct Services(RwLock<BTreeMap<Atom, Arc<dyn NameService>>>);

fn via_term(module: Atom, name: Term) -> Term {
    match module == GLOBAL {
        true => Term::tuple([Term::Atom(module), name]),
        false => term!({via, (module), (name)}),
    }
}

const GLOBAL: Atom = Atom::inline("global");
