//! The processes that other nodes expect on a visible node. Without them they would wait for ever.

mod global_name_server;
mod logger_proxy;
mod rex;
mod user;

use std::future::Future;

use runtime::{Ctx, Node, Outcome, SpawnOptions};
pub(crate) use user::{Output, Sink};

/// Starts all of them.
pub(crate) fn start(node: &Node) {
    crate::net_kernel::start_service(node);
    rex::start(node);
    global_name_server::start(node);
    logger_proxy::start(node);
    user::start(node);
}

/// Starts a process under a name that is free, because the node has only just begun.
pub(crate) fn start_registered<F, Fut>(node: &Node, name: &'static str, body: F)
where
    F: FnOnce(Ctx) -> Fut + Send + 'static,
    Fut: Future + Send + 'static,
    Fut::Output: Outcome,
{
    let options = SpawnOptions { label: Some(name), ..SpawnOptions::default() };
    let pid = node.spawn_with(options, body);
    if let Err(error) = node.register(name, &pid) {
        tracing::error!("the process {name} could not be registered: {error}");
    }
}
