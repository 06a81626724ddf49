//! The processes that other nodes expect on a visible node. Without them they would wait for ever.

pub(crate) mod auth;
mod global_name_server;
mod kernel_sup;
mod log_report;
mod logger_proxy;
mod rex;
mod standing;
mod user;

pub(crate) use global_name_server::start as start_global;
pub(crate) use kernel_sup::children;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use runtime::{Ctx, Node, Outcome, SpawnOptions};
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

pub(crate) use crate::io::{Output, Sink};
pub(crate) use logger_proxy::{say_legacy, say_log};

use crate::limits::SERVICE_RESTART_MILLIS;

/// Starts those that every node has; those of a node with a name are net_kernel's.
pub(crate) fn start(node: &Node) {
    rex::start(node);
    crate::global::Hub::of(node);
    logger_proxy::start(node);
    user::start(node);
    standing::start(node);
}

/// Starts a process under a name that is free, because the node has only just begun.
///
/// Any peer can kill any process. Nobody could live with a node without these, so they start again.
///
/// The handle stops that: what runs goes on, and is not started again.
pub(crate) fn start_registered<F, Fut>(node: &Node, name: &'static str, body: F) -> AbortHandle
where
    F: Fn(Ctx) -> Fut + Send + Sync + 'static,
    Fut: Future + Send + 'static,
    Fut::Output: Outcome,
{
    let body = Arc::new(body);
    let mut ended = start_once(node, name, &body);
    let keeper = node.clone();
    node.spawn_task(async move {
        loop {
            // The sender goes with the process.
            let _ = ended.await;
            let rest = Duration::from_millis(SERVICE_RESTART_MILLIS);
            tokio::time::sleep(rest).await;
            while keeper.whereis(name).is_some() {
                tokio::time::sleep(rest).await;
            }
            tracing::error!("the process {name} has been ended from outside: it starts again");
            ended = start_once(&keeper, name, &body);
        }
    })
}

/// Starts the process; the receiver hears of its end.
fn start_once<F, Fut>(node: &Node, name: &'static str, body: &Arc<F>) -> oneshot::Receiver<()>
where
    F: Fn(Ctx) -> Fut + Send + Sync + 'static,
    Fut: Future + Send + 'static,
    Fut::Output: Outcome,
{
    let options = SpawnOptions { label: Some(name), service: true, ..SpawnOptions::default() };
    let (alive, ended) = oneshot::channel::<()>();
    let body = body.clone();
    let pid = node.spawn_with(options, move |ctx: Ctx| {
        // Exit signals of strangers become messages that nobody knows.
        ctx.set_trap_exit(true);
        let running = body(ctx);
        async move {
            let _alive = alive;
            running.await;
        }
    });
    if let Err(error) = node.register(name, &pid) {
        tracing::error!("the process {name} could not be registered: {error}");
    }
    ended
}
