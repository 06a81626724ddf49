//! What programs ask for: to permit applications, and to take them over.

use std::time::Duration;

use otp::application::{self, ApplicationError, Kind};
use otp::request;
use runtime::{Ctx, Node};
use term::{Atom, Term, term};

use super::process::{Hub, NAME};
use crate::global;
use crate::limits::DIST_AC_LOCK_MILLIS;

/// Permits an application to run on this node, or not. One that runs here and may not moves to the next node of its ladder,
/// or stops; one that is started, and would rather run here, comes back. Returns when that is done. (`application:permit/2`.)
///
/// # Errors
/// When it is not loaded, or cannot be started.
///
/// # Cancel-safety
/// What was begun goes on when the future is dropped.
pub async fn permit(node: &Node, app: impl Into<Atom>, allow: bool) -> Result<(), ApplicationError> {
    let app = app.into();
    let asked = node.try_run(move |mut ctx: Ctx| async move { permit_from(&mut ctx, &app, allow).await });
    done(asked.await)
}

/// Takes over an application that runs on another node: it starts here while it runs there, and is stopped there then.
/// (`application:takeover/2`.)
///
/// # Errors
/// When it does not run on another node, or cannot be started.
///
/// # Cancel-safety
/// What was begun goes on when the future is dropped.
pub async fn takeover(node: &Node, app: impl Into<Atom>, kind: Kind) -> Result<(), ApplicationError> {
    let app = app.into();
    let asked =
        node.try_run(move |mut ctx: Ctx| async move { takeover_from(&mut ctx, &app, &kind.to_term()).await });
    done(asked.await)
}

/// The nodes whose distributed applications are known here, this one too. (`dist_ac:get_known_nodes/0`.)
pub fn known_nodes(node: &Node) -> Vec<Atom> {
    let hub = Hub::of(node);
    let machine = hub.machine();
    let others = machine.iter().flat_map(|machine| machine.known().iter().cloned());
    std::iter::once(node.name().clone()).chain(others).collect()
}

fn done(answer: Option<Option<Term>>) -> Result<(), ApplicationError> {
    let answer = answer.flatten().ok_or(ApplicationError::NoController)?;
    match answer.as_tuple() {
        Some([tag, reason]) if tag.is_atom("error") => Err(ApplicationError::Refused(reason.clone())),
        _ => Ok(()),
    }
}

/// `application:permit/2`. Nothing: there is nobody to ask.
pub(super) async fn permit_from(ctx: &mut Ctx, app: &Atom, allow: bool) -> Option<Term> {
    let question = term!({permit_application, (app.clone()), (allow)});
    let answer = request::call(ctx, application::CONTROLLER, question, None).await.ok()?;
    let info = match answer.as_tuple() {
        Some([word, info]) if word.is_atom("distributed_application") => info.clone(),
        _ if answer.is_atom("distributed_application") => Term::atom("started"),
        _ => return Some(answer),
    };
    wait_until_synced(ctx).await;
    let (me, app) = (ctx.pid(), app.clone());
    let lock = term!({(Atom::new(NAME)), (me.clone())});
    let question = term!({permit_application, (app), (allow), (lock), (info)});
    let body = async |ctx: &mut Ctx| request::call(ctx, NAME, question, None).await.ok();
    global::transaction(ctx, Atom::new(NAME), me, None, None, body).await.flatten()
}

/// `application:takeover/2`.
pub(super) async fn takeover_from(ctx: &mut Ctx, app: &Atom, kind: &Term) -> Option<Term> {
    if Kind::from_term(kind).is_none() {
        return Some(term!({error, {invalid_restart_type, (kind.clone())}}));
    }
    wait_until_synced(ctx).await;
    let nodes =
        Hub::of(ctx.node()).machine().as_ref().map(|machine| machine.nodes_of(app)).unwrap_or_default();
    let me = ctx.pid();
    let question = term!({takeover_application, (app.clone()), (kind.clone())});
    let body = async |ctx: &mut Ctx| request::call(ctx, NAME, question, None).await.ok();
    global::transaction(ctx, Atom::new(NAME), me, Some(&nodes), None, body).await.flatten()
}

async fn wait_until_synced(ctx: &mut Ctx) {
    let hub = Hub::of(ctx.node());
    while !hub.is_synced() && ctx.whereis(NAME).is_some() {
        ctx.sleep(Duration::from_millis(DIST_AC_LOCK_MILLIS)).await;
    }
}
