//! How scopes begin and end: alone, or with the process that started them.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use runtime::{Ctx, Node, SpawnOptions};
use term::{Atom, Pid};
use tokio::sync::oneshot;

use super::scope::{Process, Scope};
use super::{DEFAULT_SCOPE, PgError};
use crate::limits::SERVICE_RESTART_MILLIS;

/// Why a scope was not started.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum StartError {
    /// It runs already.
    #[error("the scope runs already, as {0}")]
    AlreadyStarted(Pid),
    /// A process that is no scope has the name, or the name cannot be registered.
    #[error(
        "the name {0} cannot be had for a scope: choose another, or take it from the process that has it"
    )]
    NameTaken(Atom),
}

/// Starts a scope, which lasts as long as the node: its process is registered under the scope's name, and starts again,
/// with the groups of this node as they were, should somebody end it. (`pg:start/1`.)
///
/// # Errors
/// When the scope runs already, or its name is taken.
pub fn start(node: &Node, scope: impl Into<Atom>) -> Result<Pid, StartError> {
    let scope = open(node, scope.into())?;
    let begun = begin(node, &scope, |options, body| node.spawn_with(options, body), None);
    let (pid, mut ended) = begun.inspect_err(|_| close(node, &scope))?;
    let keeper = node.clone();
    node.spawn_task(async move {
        loop {
            // The sender goes with the process.
            let _ = ended.await;
            ended = begin_again(&keeper, &scope).await;
        }
    });
    Ok(pid)
}

/// Starts a scope that is linked to this process and ends with it. (`pg:start_link/1`.)
///
/// # Errors
/// As [`start`].
pub fn start_link(ctx: &Ctx, scope: impl Into<Atom>) -> Result<Pid, StartError> {
    let node = ctx.node();
    let scope = open(node, scope.into())?;
    let begun = begin(node, &scope, |options, body| ctx.spawn_link_with(options, body), Some(ctx.pid()));
    let (pid, ended) = begun.inspect_err(|_| close(node, &scope))?;
    let keeper = node.clone();
    node.spawn_task(async move {
        let _ = ended.await;
        close(&keeper, &scope);
    });
    Ok(pid)
}

/// A scope of the node that was started.
pub(super) fn find(node: &Node, scope: &Atom) -> Option<Arc<Scope>> {
    node.shelf::<Scopes>().0.read().unwrap_or_else(PoisonError::into_inner).get(scope).cloned()
}

/// The default scope.
pub(super) fn find_or_start(node: &Node) -> Result<Arc<Scope>, PgError> {
    if let Some(scope) = find(node, &DEFAULT_SCOPE) {
        return Ok(scope);
    }
    // Another may have been faster: then it is there.
    let _ = start(node, DEFAULT_SCOPE);
    find(node, &DEFAULT_SCOPE).ok_or(PgError::NoScope(DEFAULT_SCOPE))
}

/// The scopes of a node, on its shelf.
#[derive(Default)]
struct Scopes(RwLock<BTreeMap<Atom, Arc<Scope>>>);

fn open(node: &Node, name: Atom) -> Result<Arc<Scope>, StartError> {
    let shelf = node.shelf::<Scopes>();
    let mut scopes = shelf.0.write().unwrap_or_else(PoisonError::into_inner);
    if scopes.contains_key(&name) {
        return Err(match node.whereis(name.clone()) {
            Some(pid) => StartError::AlreadyStarted(pid),
            None => StartError::NameTaken(name),
        });
    }
    let scope = Arc::new(Scope::new(node, name.clone()));
    scopes.insert(name, scope.clone());
    Ok(scope)
}

fn close(node: &Node, scope: &Arc<Scope>) {
    let shelf = node.shelf::<Scopes>();
    let mut scopes = shelf.0.write().unwrap_or_else(PoisonError::into_inner);
    if scopes.get(&scope.name).is_some_and(|there| Arc::ptr_eq(there, scope)) {
        scopes.remove(&scope.name);
    }
}

type Body = Box<dyn FnOnce(Ctx) -> Running + Send>;
type Running = std::pin::Pin<Box<dyn Future<Output = Result<(), runtime::Exit>> + Send>>;

/// Starts the process of a scope and gives it the name; the receiver hears of its end.
fn begin(
    node: &Node,
    scope: &Arc<Scope>,
    spawn: impl FnOnce(SpawnOptions, Body) -> Pid,
    parent: Option<Pid>,
) -> Result<(Pid, oneshot::Receiver<()>), StartError> {
    let options = SpawnOptions { label: Some("pg"), ..SpawnOptions::default() };
    let (alive, ended) = oneshot::channel::<()>();
    let (named, go) = oneshot::channel::<()>();
    let process = Process::new(scope.clone(), parent);
    let body: Body = Box::new(move |ctx| {
        // Exit signals of strangers become messages that nobody knows.
        ctx.set_trap_exit(true);
        Box::pin(async move {
            let _alive = alive;
            match go.await {
                Ok(()) => process.run(ctx).await,
                Err(_) => Ok(()),
            }
        })
    });
    let pid = spawn(options, body);
    match node.register(scope.name.clone(), &pid) {
        Ok(()) => {
            // Nobody there: somebody has ended it already, and `ended` says so.
            let _ = named.send(());
            Ok((pid, ended))
        }
        Err(_) => Err(StartError::NameTaken(scope.name.clone())),
    }
}

/// Any peer can kill any process.
async fn begin_again(node: &Node, scope: &Arc<Scope>) -> oneshot::Receiver<()> {
    loop {
        tokio::time::sleep(Duration::from_millis(SERVICE_RESTART_MILLIS)).await;
        if let Ok((_, ended)) = begin(node, scope, |options, body| node.spawn_with(options, body), None) {
            tracing::error!(scope = %scope.name, "a scope of pg has been ended from outside: it starts again");
            return ended;
        }
    }
}
