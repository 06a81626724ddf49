//! What programs ask of `global`.

use runtime::{Ctx, Node};
use term::{Atom, FromTerm, IntoTerm, Pid, Term};
use tokio::sync::oneshot;

use super::events::Request;
use super::hub::Hub;
use super::resolver::Resolver;

/// Gives a process a name that all nodes of the cluster know; any term is a name. Whether it got it: not when the name is
/// taken, or the process has one already. Should two clusters meet that both have the name, one of the two processes is
/// killed: see [`register_with`]. (`global:register_name/2`.)
///
/// The name goes when the process ends.
///
/// # Cancel-safety
/// The name is registered even when the future is dropped.
pub async fn register(node: &Node, name: impl IntoTerm, pid: &Pid) -> bool {
    register_with(node, name, pid, &Resolver::default()).await
}

/// As [`register`], with another way to settle conflicts. (`global:register_name/3`.)
///
/// # Cancel-safety
/// As [`register`].
pub async fn register_with(node: &Node, name: impl IntoTerm, pid: &Pid, resolver: &Resolver) -> bool {
    let (name, pid, method) = (name.into_term(), pid.clone(), resolver.0.clone());
    let answer = ask(node, Request::Register { name, pid, method }).await;
    answer.is_some_and(|answer| answer.is_atom("yes"))
}

/// Gives the name to this process, whoever had it. (`global:re_register_name/2`.)
///
/// # Cancel-safety
/// As [`register`].
pub async fn re_register(node: &Node, name: impl IntoTerm, pid: &Pid) {
    re_register_with(node, name, pid, &Resolver::default()).await;
}

/// As [`re_register`], with another way to settle conflicts. (`global:re_register_name/3`.)
///
/// # Cancel-safety
/// As [`register`].
pub async fn re_register_with(node: &Node, name: impl IntoTerm, pid: &Pid, resolver: &Resolver) {
    let (name, pid, method) = (name.into_term(), pid.clone(), resolver.0.clone());
    ask(node, Request::ReRegister { name, pid, method }).await;
}

/// Takes a name away on all nodes. (`global:unregister_name/1`.)
///
/// # Cancel-safety
/// As [`register`].
pub async fn unregister(node: &Node, name: impl IntoTerm) {
    ask(node, Request::Unregister { name: name.into_term() }).await;
}

/// Who has the name, by this node's own table: nobody is asked. (`global:whereis_name/1`.)
pub fn whereis(node: &Node, name: impl IntoTerm) -> Option<Pid> {
    let name = name.into_term();
    let pid = Hub::of(node).names().get(&name).map(|named| named.pid.clone())?;
    (pid.node != *node.id() || node.is_process_alive(&pid)).then_some(pid)
}

/// Sends to whoever has the name; nothing, and nothing is sent, when nobody has. (`global:send/2`.)
pub fn send(ctx: &mut Ctx, name: impl IntoTerm, message: impl IntoTerm + Send + 'static) -> Option<Pid> {
    let pid = whereis(ctx.node(), name)?;
    ctx.send(&pid, message);
    Some(pid)
}

/// Every name, in term order, by this node's own table. (`global:registered_names/0`.)
pub fn registered_names(node: &Node) -> Vec<Term> {
    Hub::of(node).names().keys().cloned().collect()
}

/// Takes a lock on these nodes, or on all that are connected; whether it was had. The same `requester` may take it again, from
/// the same or another process, and has it until every process that took it has given it back or ended. When somebody else
/// has it: tries again after a while, so many times, or until it is had. (`global:set_lock/3`.)
///
/// # Cancel-safety
/// What was taken is given back when the future is dropped.
pub async fn set_lock(
    ctx: &mut Ctx,
    resource: impl IntoTerm,
    requester: impl IntoTerm,
    nodes: Option<&[Atom]>,
    retries: Option<u32>,
) -> bool {
    let (resource, requester) = (resource.into_term(), requester.into_term());
    take(ctx, resource, requester, nodes, retries).await.is_some_and(|lock| {
        lock.keep();
        true
    })
}

/// Gives back a lock of this process. (`global:del_lock/2`.)
///
/// # Cancel-safety
/// The lock is given back even when the future is dropped.
pub async fn del_lock(
    ctx: &mut Ctx,
    resource: impl IntoTerm,
    requester: impl IntoTerm,
    nodes: Option<&[Atom]>,
) {
    let (resource, requester, nodes) =
        (resource.into_term(), requester.into_term(), nodes.map(<[Atom]>::to_vec));
    ask(ctx.node(), Request::DelLock { client: ctx.pid(), resource, requester, nodes }).await;
}

/// Runs `body` under a lock, as [`set_lock`] takes it, and gives the lock back; nothing when it was not had.
/// (`global:trans/4`.)
///
/// # Cancel-safety
/// The lock is given back when the future is dropped.
pub async fn transaction<T>(
    ctx: &mut Ctx,
    resource: impl IntoTerm,
    requester: impl IntoTerm,
    nodes: Option<&[Atom]>,
    retries: Option<u32>,
    body: impl AsyncFnOnce(&mut Ctx) -> T,
) -> Option<T> {
    let (resource, requester) = (resource.into_term(), requester.into_term());
    // What nodes there are may change until the lock is given back: it is given back where it was taken.
    let nodes = nodes.map_or_else(|| everybody(ctx.node()), <[Atom]>::to_vec);
    let lock = take(ctx, resource, requester, Some(&nodes), retries).await?;
    let value = body(ctx).await;
    lock.give_back().await;
    Some(value)
}

/// Waits until this node's table is in step with those of all nodes that it is connected to. (`global:sync/0`.)
///
/// # Cancel-safety
/// Safe to cancel.
pub async fn sync(node: &Node) {
    ask(node, Request::Sync { nodes: None }).await;
}

/// As [`sync`], with these nodes; connects to them where need be. Does not wait for one that cannot be reached.
///
/// # Cancel-safety
/// Safe to cancel.
pub async fn sync_with(node: &Node, nodes: impl IntoIterator<Item = impl Into<Atom>>) {
    let nodes = nodes.into_iter().map(Into::into).collect();
    ask(node, Request::Sync { nodes: Some(nodes) }).await;
}

/// Leaves the cluster: disconnects from every visible node, without the others taking that for a partition. Gives back the
/// nodes. (`global:disconnect/0`.)
///
/// # Cancel-safety
/// The node leaves even when the future is dropped.
pub async fn disconnect(node: &Node) -> Vec<Atom> {
    let _started = Hub::of(node);
    let asking = node.try_run(|mut ctx| async move {
        otp::request::call(&mut ctx, super::shell::NAME, Term::atom("disconnect"), None).await
    });
    match asking.await {
        Some(Ok(nodes)) => Vec::from_term(&nodes).unwrap_or_default(),
        _ => Vec::new(),
    }
}

async fn ask(node: &Node, request: Request) -> Option<Term> {
    Hub::of(node).ask(node, request).await.ok()
}

fn everybody(node: &Node) -> Vec<Atom> {
    let mut nodes = crate::net_kernel::nodes(node, crate::net_kernel::Kind::Visible);
    nodes.push(node.name().clone());
    nodes
}

async fn take(
    ctx: &mut Ctx,
    resource: Term,
    requester: Term,
    nodes: Option<&[Atom]>,
    retries: Option<u32>,
) -> Option<Taken> {
    let (client, nodes) = (ctx.pid(), nodes.map(<[Atom]>::to_vec));
    let request = Request::SetLock {
        client: client.clone(),
        resource: resource.clone(),
        requester: requester.clone(),
        nodes: nodes.clone(),
        retries,
    };
    let back = Request::DelLock { client, resource, requester, nodes };
    let hub = Hub::of(ctx.node());
    let mut taking =
        Taking { node: ctx.node().clone(), answer: hub.ask(ctx.node(), request), back: Some(back) };
    let granted = (&mut taking.answer).await.is_ok_and(|answer| answer.is_atom("true"));
    let back = taking.back.take()?;
    granted.then(|| Taken { node: ctx.node().clone(), back: Some(back) })
}

/// A lock that is being taken. Who asks may go away in the moment in which it is granted.
struct Taking {
    node: Node,
    answer: oneshot::Receiver<Term>,
    back: Option<Request>,
}

impl Drop for Taking {
    fn drop(&mut self) {
        // From here on the answer finds nobody, and the lock is not kept; unless it has been given already.
        self.answer.close();
        if let Some(back) = self.back.take()
            && self.answer.try_recv().is_ok_and(|answer| answer.is_atom("true"))
        {
            drop(Hub::of(&self.node).ask(&self.node, back));
        }
    }
}

/// A lock that was taken, given back when dropped.
struct Taken {
    node: Node,
    back: Option<Request>,
}

impl Taken {
    fn keep(mut self) {
        self.back = None;
    }

    async fn give_back(mut self) {
        if let Some(back) = self.back.take() {
            ask(&self.node, back).await;
        }
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        if let Some(back) = self.back.take() {
            drop(Hub::of(&self.node).ask(&self.node, back));
        }
    }
}
