//! Process groups: any process joins any group, and every node of the scope knows who is in it. (`pg`.)
//!
//! ```
//! use trunkline_kernel as kernel;
//! use kernel::{Node, pg};
//! use term::Atom;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let node = Node::alone();
//! let room = || Atom::new("chat");
//! let news = node.run(move |mut ctx| async move {
//!     let (_, already) = pg::monitor(&mut ctx, room())?;
//!     assert!(already.is_empty());
//!     pg::join(ctx.node(), room(), ctx.pid())?;
//!     for member in pg::members(ctx.node(), room()) {
//!         ctx.send(member, "hello");
//!     }
//!     let change: pg::Change = ctx.receive().await;
//!     assert_eq!(change.pids, [ctx.pid()]);
//!     Ok::<String, pg::PgError>(ctx.receive().await)
//! });
//! assert_eq!(news.await?, "hello");
//! # Ok(())
//! # }
//! ```
//!
//! A group is any term; it is there while it has members. A process can join the same group several times, and leaves all
//! groups when it ends. Only a node's own processes can be made to join or leave through it. Reading is a look into a
//! table, never a question to a process.
//!
//! *Scopes* are worlds of groups that do not see each other: each is a process, registered under the scope's name, that
//! keeps in step with those of the same name on all visible nodes. The functions whose name ends in `_in` take the scope;
//! the others use the scope `pg`, which they start when it is first needed to join or to hear of changes. A node that
//! only reads must [`start`] it, or it hears nothing from the others.
//!
//! When the connection to a node ends its members are gone from here at once, and back when it is connected again.

#[cfg(test)]
mod agreement_tests;
mod exports;
mod groups;
#[cfg(test)]
mod groups_tests;
mod members;
mod scope;
mod start;
mod table;
mod wire;

use std::collections::BTreeMap;
use std::time::Duration;

use runtime::{Ctx, Node};
use term::{Atom, IntoTerm, Pid, Ref, Term};

pub(crate) use exports::install;
pub use members::{Change, ChangeKind, IntoIter, Members, Pids};
pub use start::{StartError, start, start_link};

use crate::limits::PG_ANSWER_MILLIS;
use scope::Scope;
use start::{find, find_or_start};

/// The scope of the functions that do not take one.
pub const DEFAULT_SCOPE: Atom = Atom::inline("pg");

/// Why something with groups cannot be done.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PgError {
    /// Nobody started this scope here.
    #[error("there is no scope {0} on this node: start it with pg::start")]
    NoScope(Atom),
    /// A process of another node, or of an earlier life of this one.
    #[error("{0} is not a process of this node: it can only join and leave where it lives")]
    NotLocal(Pid),
    /// As many as [`PG_MONITORS_MAX`](crate::limits::PG_MONITORS_MAX) want to hear of changes already.
    #[error("too many monitors of this scope: end some with pg::demonitor")]
    TooManyMonitors,
}

impl From<PgError> for runtime::Exit {
    fn from(error: PgError) -> runtime::Exit {
        runtime::Exit(match error {
            PgError::NoScope(_) => Term::atom("noproc"),
            PgError::NotLocal(pid) => Term::tuple([Term::atom("nolocal"), Term::Pid(pid)]),
            PgError::TooManyMonitors => Term::atom("system_limit"),
        })
    }
}

/// Makes processes of this node join a group, once more if they are in it. When this returns, whoever reads here sees
/// it; other nodes see it soon. (`pg:join/2`.)
///
/// # Errors
/// When one of the processes lives on another node; then nobody joined. When the default scope cannot be started because
/// another process has its name.
pub fn join(node: &Node, group: impl IntoTerm, pids: impl Pids) -> Result<(), PgError> {
    join_the(node, &*find_or_start(node)?, group.into_term(), pids.into_pids())
}

/// As [`join`], in a scope. (`pg:join/3`.)
///
/// # Errors
/// As [`join`], and when there is no such scope here.
pub fn join_in(
    node: &Node,
    scope: impl Into<Atom>,
    group: impl IntoTerm,
    pids: impl Pids,
) -> Result<(), PgError> {
    join_the(node, &*the(node, scope.into())?, group.into_term(), pids.into_pids())
}

fn join_the(node: &Node, scope: &Scope, group: Term, pids: Vec<Pid>) -> Result<(), PgError> {
    local(node, &pids)?;
    scope.change(node, |groups| groups.join(&group, &pids));
    Ok(())
}

/// Makes processes of this node leave a group, once if they joined more often; whether any of them was in it.
/// (`pg:leave/2`.)
///
/// # Errors
/// When one of the processes lives on another node.
pub fn leave(node: &Node, group: impl IntoTerm, pids: impl Pids) -> Result<bool, PgError> {
    let pids = pids.into_pids();
    match find(node, &DEFAULT_SCOPE) {
        Some(scope) => leave_the(node, &scope, group.into_term(), pids),
        None => local(node, &pids).map(|()| false),
    }
}

/// As [`leave`], in a scope. (`pg:leave/3`.)
///
/// # Errors
/// As [`leave`], and when there is no such scope here.
pub fn leave_in(
    node: &Node,
    scope: impl Into<Atom>,
    group: impl IntoTerm,
    pids: impl Pids,
) -> Result<bool, PgError> {
    leave_the(node, &*the(node, scope.into())?, group.into_term(), pids.into_pids())
}

fn leave_the(node: &Node, scope: &Scope, group: Term, pids: Vec<Pid>) -> Result<bool, PgError> {
    local(node, &pids)?;
    Ok(scope.change(node, |groups| groups.leave(&group, &pids)))
}

/// The members of a group on all nodes, as far as they are known here. (`pg:get_members/1`.)
pub fn members(node: &Node, group: impl IntoTerm) -> Members {
    members_in(node, DEFAULT_SCOPE, group)
}

/// As [`members`], in a scope; none when there is no such scope here. (`pg:get_members/2`.)
pub fn members_in(node: &Node, scope: impl Into<Atom>, group: impl IntoTerm) -> Members {
    let group = group.into_term();
    let found = find(node, &scope.into());
    Members(found.map_or_else(|| [].into(), |scope| scope.read(|groups| groups.table().members(&group))))
}

/// The members of a group that live on this node. (`pg:get_local_members/1`.)
pub fn local_members(node: &Node, group: impl IntoTerm) -> Members {
    local_members_in(node, DEFAULT_SCOPE, group)
}

/// As [`local_members`], in a scope; none when there is no such scope here. (`pg:get_local_members/2`.)
pub fn local_members_in(node: &Node, scope: impl Into<Atom>, group: impl IntoTerm) -> Members {
    let group = group.into_term();
    let found = find(node, &scope.into());
    Members(
        found.map_or_else(|| [].into(), |scope| scope.read(|groups| groups.table().local_members(&group))),
    )
}

/// The groups that have members, in the order of terms. (`pg:which_groups/0`.)
pub fn which_groups(node: &Node) -> Vec<Term> {
    which_groups_in(node, DEFAULT_SCOPE)
}

/// As [`which_groups`], in a scope; none when there is no such scope here. (`pg:which_groups/1`.)
pub fn which_groups_in(node: &Node, scope: impl Into<Atom>) -> Vec<Term> {
    find(node, &scope.into()).map_or_else(Vec::new, |scope| scope.read(|groups| groups.table().groups()))
}

/// The groups that have members on this node, in the order of terms. (`pg:which_local_groups/0`.)
pub fn which_local_groups(node: &Node) -> Vec<Term> {
    which_local_groups_in(node, DEFAULT_SCOPE)
}

/// As [`which_local_groups`], in a scope; none when there is no such scope here. (`pg:which_local_groups/1`.)
pub fn which_local_groups_in(node: &Node, scope: impl Into<Atom>) -> Vec<Term> {
    find(node, &scope.into())
        .map_or_else(Vec::new, |scope| scope.read(|groups| groups.table().local_groups()))
}

/// The members of a group, and from this moment on a [`Change`] to this process for each change of it, until the process
/// ends or [`demonitor`]. Not a change is missing in between. (`pg:monitor/1`.)
///
/// # Errors
/// When too many want to hear of changes, or the default scope cannot be started.
pub fn monitor(ctx: &mut Ctx, group: impl IntoTerm) -> Result<(Ref, Members), PgError> {
    let scope = find_or_start(ctx.node())?;
    monitor_the(ctx, &scope, group.into_term())
}

/// As [`monitor`], in a scope. (`pg:monitor/2`.)
///
/// # Errors
/// As [`monitor`], and when there is no such scope here.
pub fn monitor_in(
    ctx: &mut Ctx,
    scope: impl Into<Atom>,
    group: impl IntoTerm,
) -> Result<(Ref, Members), PgError> {
    let scope = the(ctx.node(), scope.into())?;
    monitor_the(ctx, &scope, group.into_term())
}

fn monitor_the(ctx: &mut Ctx, scope: &Scope, group: Term) -> Result<(Ref, Members), PgError> {
    let reference = ctx.make_ref();
    let members = scope.change(ctx.node(), |groups| {
        let members = groups.table().members(&group);
        groups.monitor(reference.clone(), ctx.pid_ref(), Some(group)).then_some(members)
    });
    Ok((reference, Members(members.ok_or(PgError::TooManyMonitors)?)))
}

/// All groups with their members, and from this moment on a [`Change`] to this process for each change in the scope.
/// See [`monitor`]. (`pg:monitor_scope/0`.)
///
/// # Errors
/// As [`monitor`].
pub fn monitor_scope(ctx: &mut Ctx) -> Result<(Ref, BTreeMap<Term, Members>), PgError> {
    let scope = find_or_start(ctx.node())?;
    monitor_all(ctx, &scope)
}

/// As [`monitor_scope`], for another scope. (`pg:monitor_scope/1`.)
///
/// # Errors
/// As [`monitor`], and when there is no such scope here.
pub fn monitor_scope_in(
    ctx: &mut Ctx,
    scope: impl Into<Atom>,
) -> Result<(Ref, BTreeMap<Term, Members>), PgError> {
    let scope = the(ctx.node(), scope.into())?;
    monitor_all(ctx, &scope)
}

fn monitor_all(ctx: &mut Ctx, scope: &Scope) -> Result<(Ref, BTreeMap<Term, Members>), PgError> {
    let reference = ctx.make_ref();
    let all = scope.change(ctx.node(), |groups| {
        let table = groups.table();
        let all = table.groups().into_iter().map(|group| (group.clone(), Members(table.members(&group))));
        let all = all.collect();
        groups.monitor(reference.clone(), ctx.pid_ref(), None).then_some(all)
    });
    Ok((reference, all.ok_or(PgError::TooManyMonitors)?))
}

/// Ends what [`monitor`] or [`monitor_scope`] began, and throws away the [`Change`]s that have come already; whether it
/// was there. (`pg:demonitor/1`.)
///
/// # Cancel-safety
/// When the future is dropped it may have ended or not, and changes may be left unread.
pub async fn demonitor(ctx: &mut Ctx, reference: &Ref) -> bool {
    demonitor_in(ctx, DEFAULT_SCOPE, reference).await
}

/// As [`demonitor`], in a scope. (`pg:demonitor/2`.)
///
/// # Cancel-safety
/// As [`demonitor`].
pub async fn demonitor_in(ctx: &mut Ctx, scope: impl Into<Atom>, reference: &Ref) -> bool {
    // The answer of the process comes after everything that it had still to say.
    let question = Term::tuple([Term::atom("demonitor"), Term::Ref(reference.clone())]);
    let within = Some(Duration::from_millis(PG_ANSWER_MILLIS));
    let answer = otp::request::call(ctx, scope.into(), question, within).await;
    let ours = |message: &Term| match message.as_tuple() {
        Some([Term::Ref(of), Term::Atom(word), _, _]) if of == reference => {
            (*word == *"join" || *word == *"leave").then_some(())
        }
        _ => None,
    };
    while ctx.select_within(Duration::ZERO, ours).await.is_some() {}
    answer.is_ok_and(|answer| answer.is_atom("ok"))
}

fn the(node: &Node, scope: Atom) -> Result<std::sync::Arc<Scope>, PgError> {
    find(node, &scope).ok_or(PgError::NoScope(scope))
}

fn local(node: &Node, pids: &[Pid]) -> Result<(), PgError> {
    match pids.iter().find(|pid| pid.node != *node.id()) {
        Some(stranger) => Err(PgError::NotLocal(stranger.clone())),
        None => Ok(()),
    }
}
