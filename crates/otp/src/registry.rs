//! Names of this node by any key: Elixir's `Registry`.
//!
//! ```
//! # use trunkline_otp as otp;
//! # use runtime::{Ctx, Exit, Node};
//! # use otp::{GenServer, Nothing, Server, gen_server::Start};
//! # use term::{Term, term};
//! use otp::registry::{Keys, Registry};
//!
//! # struct Player;
//! # impl GenServer for Player {
//! #     type Args = ();
//! #     type Call = Nothing;
//! #     type Cast = Nothing;
//! #     type Info = Nothing;
//! #     async fn init(_: &mut Ctx, (): ()) -> Result<Self, Exit> { Ok(Player) }
//! # }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let node = Node::alone();
//! let players = Registry::start(&node, "players", Keys::Unique).await?;
//! let anna = Start::<Player>::new(()).named(players.name(term!({player, 1}))).start(&node).await?;
//! assert_eq!(players.whereis(term!({player, 1})).as_ref(), anna.pid());
//! let found = Server::<Player>::at(players.name(term!({player, 1})));
//! # Ok(())
//! # }
//! ```
//!
//! With [`Keys::Duplicate`] many processes have a key each, with a value: the subscribers of a topic, say. An entry goes with
//! its process. Looking costs no message.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use runtime::{Ctx, Down, Exit, Node};
use term::{Atom, FromTerm, IntoTerm, Pid, Term};

use crate::ask::{Asker, Nothing};
use crate::gen_server::{Flow, GenServer, Start};
use crate::place::{self, Name, NameFuture, NameService};
use crate::proc_lib::StartError;
use crate::supervisor::{Child, Starting};

/// A registry of this node. Cheap to clone.
#[derive(Clone)]
pub struct Registry {
    node: Node,
    keeper: Atom,
    table: Arc<Table>,
}

/// How many processes may have one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keys {
    /// One. Names of processes.
    Unique,
    /// Any number, and one process may have a key more than once.
    Duplicate,
}

/// The key belongs to this process.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("already_registered: the key belongs to {0}")]
pub struct AlreadyRegistered(pub Pid);

impl Registry {
    /// Starts a registry; its process has the registry's name.
    ///
    /// # Errors
    /// [`StartError::AlreadyStarted`] when the name is taken.
    pub async fn start(
        starter: impl Asker,
        name: impl Into<Atom>,
        keys: Keys,
    ) -> Result<Registry, StartError> {
        let (node, keeper) = (starter.its_node(), name.into());
        let table = Arc::new(Table::new(keys));
        let args = (keeper.clone(), table.clone());
        Start::<Keeper>::new(args).named(keeper.clone()).start(starter).await?;
        Ok(Registry { node, keeper, table })
    }

    /// The same under a supervisor. When it is restarted it is empty; find it with [`Registry::find`].
    pub fn child(name: impl Into<Atom>, keys: Keys) -> Child {
        fn started(ctx: &mut Ctx, name: Atom, keys: Keys) -> Starting<'_> {
            Box::pin(async move {
                let args = (name.clone(), Arc::new(Table::new(keys)));
                match Start::<Keeper>::new(args).named(name).start_link(ctx).await {
                    Ok(keeper) => Ok(keeper.pid().cloned()),
                    Err(error) => Err(error.reason()),
                }
            })
        }
        let name = name.into();
        Child::new(name.clone(), move |ctx| started(ctx, name.clone(), keys))
    }

    /// The registry of that name.
    pub fn find(node: &Node, name: impl Into<Atom>) -> Option<Registry> {
        let keeper = name.into();
        let all = node.shelf::<All>();
        let table = all.0.read().unwrap_or_else(PoisonError::into_inner).get(&keeper).cloned()?;
        Some(Registry { node: node.clone(), keeper, table })
    }

    /// A key as the name of a process: `{via, Registry, Key}`.
    pub fn name(&self, key: impl IntoTerm) -> Name {
        Name::via(self.keeper.clone(), key)
    }

    /// Gives this process the key, and a value with it.
    ///
    /// # Errors
    /// When keys are unique and somebody has this one.
    pub fn register(
        &self,
        ctx: &Ctx,
        key: impl IntoTerm,
        value: impl IntoTerm,
    ) -> Result<(), AlreadyRegistered> {
        self.table.enter(&self.node, key.into_term(), ctx.pid(), value.into_term())?;
        self.node.send(&self.keeper, Term::Pid(ctx.pid()));
        Ok(())
    }

    /// Takes the key back from this process: all its entries under it.
    pub fn unregister(&self, ctx: &Ctx, key: impl IntoTerm) {
        self.table.leave(&key.into_term(), ctx.pid_ref());
    }

    /// Changes the value of this process under the key; whether it has it.
    pub fn update_value(&self, ctx: &Ctx, key: impl IntoTerm, change: impl Fn(&Term) -> Term) -> bool {
        let mut entries = self.table.write();
        let entries = entries.by_key.get_mut(&key.into_term());
        let mine = entries.into_iter().flatten().filter(|(pid, _)| pid == ctx.pid_ref());
        mine.map(|(_, value)| *value = change(value)).count() > 0
    }

    /// Who has the key, and with which value, in the order in which they came.
    pub fn lookup(&self, key: impl IntoTerm) -> Vec<(Pid, Term)> {
        let entries = self.table.read().by_key.get(&key.into_term()).cloned().unwrap_or_default();
        entries.into_iter().filter(|(pid, _)| self.lives(pid)).collect()
    }

    /// Who has the key; the first who came.
    pub fn whereis(&self, key: impl IntoTerm) -> Option<Pid> {
        self.lookup(key).into_iter().next().map(|(pid, _)| pid)
    }

    /// The keys of a process.
    pub fn keys(&self, pid: &Pid) -> Vec<Term> {
        self.table.read().by_pid.get(pid).map(|keys| keys.iter().cloned().collect()).unwrap_or_default()
    }

    /// How many entries there are.
    pub fn count(&self) -> usize {
        self.table.read().by_key.values().map(Vec::len).sum()
    }

    /// Sends to everybody who has the key; to how many.
    pub fn dispatch(&self, ctx: &mut Ctx, key: impl IntoTerm, message: impl IntoTerm) -> usize {
        let (entries, message) = (self.lookup(key), message.into_term());
        entries.iter().for_each(|(pid, _)| ctx.send(pid, message.clone()));
        entries.len()
    }

    fn lives(&self, pid: &Pid) -> bool {
        pid.node != *self.node.id() || self.node.is_process_alive(pid)
    }
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Registry({}, {:?})", self.keeper, self.table.keys)
    }
}

/// The registries of a node.
#[derive(Default)]
struct All(RwLock<BTreeMap<Atom, Arc<Table>>>);

struct Table {
    keys: Keys,
    entries: RwLock<Entries>,
}

#[derive(Default)]
struct Entries {
    by_key: BTreeMap<Term, Vec<(Pid, Term)>>,
    by_pid: BTreeMap<Pid, BTreeSet<Term>>,
}

impl Table {
    fn new(keys: Keys) -> Table {
        Table { keys, entries: RwLock::default() }
    }

    fn read(&self) -> RwLockReadGuard<'_, Entries> {
        self.entries.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Entries> {
        self.entries.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, node: &Node, key: Term, pid: Pid, value: Term) -> Result<(), AlreadyRegistered> {
        let mut entries = self.write();
        let holders = entries.by_key.entry(key.clone()).or_default();
        if self.keys == Keys::Unique {
            // One that has ended has nothing any more, even if the keeper has not heard it yet.
            holders.retain(|(holder, _)| holder.node != *node.id() || node.is_process_alive(holder));
            if let Some((holder, _)) = holders.first() {
                return Err(AlreadyRegistered(holder.clone()));
            }
        }
        holders.push((pid.clone(), value));
        entries.by_pid.entry(pid).or_default().insert(key);
        Ok(())
    }

    fn leave(&self, key: &Term, pid: &Pid) {
        let mut entries = self.write();
        entries.strike(key, pid);
        if let Some(keys) = entries.by_pid.get_mut(pid) {
            keys.remove(key);
            if keys.is_empty() {
                entries.by_pid.remove(pid);
            }
        }
    }

    fn forget(&self, pid: &Pid) {
        let mut entries = self.write();
        for key in entries.by_pid.remove(pid).unwrap_or_default() {
            entries.strike(&key, pid);
        }
    }
}

impl Entries {
    fn strike(&mut self, key: &Term, pid: &Pid) {
        let Some(holders) = self.by_key.get_mut(key) else { return };
        holders.retain(|(holder, _)| holder != pid);
        if holders.is_empty() {
            self.by_key.remove(key);
        }
    }
}

/// The process that hears of the ends of those who have keys.
struct Keeper {
    table: Arc<Table>,
    watched: BTreeSet<Pid>,
}

impl GenServer for Keeper {
    type Args = (Atom, Arc<Table>);
    type Call = Nothing;
    type Cast = Nothing;
    type Info = Term;

    async fn init(ctx: &mut Ctx, (name, table): Self::Args) -> Result<Self, Exit> {
        let node = ctx.node();
        let all = node.shelf::<All>();
        all.0.write().unwrap_or_else(PoisonError::into_inner).insert(name.clone(), table.clone());
        place::install(node, name.clone(), Arc::new(Names { keeper: name, table: table.clone() }));
        Ok(Keeper { table, watched: BTreeSet::new() })
    }

    async fn handle_info(&mut self, ctx: &mut Ctx, info: Term) -> Flow {
        if let Term::Pid(pid) = &info
            && self.watched.insert(pid.clone())
        {
            ctx.monitor(pid);
        }
        if let Ok(Down { target: Term::Pid(pid), .. }) = Down::from_term(&info) {
            self.watched.remove(&pid);
            self.table.forget(&pid);
        }
        Flow::Continue
    }

    fn state_term(&self) -> Term {
        self.table.read().by_key.keys().cloned().collect::<Vec<Term>>().into_term()
    }
}

/// `{via, Registry, Key}`.
struct Names {
    keeper: Atom,
    table: Arc<Table>,
}

impl NameService for Names {
    fn whereis(&self, node: &Node, name: &Term) -> Option<Pid> {
        let holders = self.table.read().by_key.get(name).cloned().unwrap_or_default();
        let mut holders = holders.into_iter().map(|(pid, _)| pid);
        holders.find(|pid| pid.node != *node.id() || node.is_process_alive(pid))
    }

    fn register<'a>(&'a self, node: &'a Node, name: &'a Term, pid: &'a Pid) -> NameFuture<'a, bool> {
        let entered = self.table.enter(node, name.clone(), pid.clone(), Term::atom("undefined")).is_ok();
        if entered {
            node.send(&self.keeper, Term::Pid(pid.clone()));
        }
        Box::pin(std::future::ready(entered))
    }

    fn unregister<'a>(&'a self, node: &'a Node, name: &'a Term) -> NameFuture<'a, ()> {
        if let Some(pid) = self.whereis(node, name) {
            self.table.leave(name, &pid);
        }
        Box::pin(std::future::ready(()))
    }
}
