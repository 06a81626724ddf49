//! The functions of `application` and `dist_ac` that move applications, as other nodes call them.

use runtime::{Ctx, Node};
use term::{Atom, Term, term};

use super::api;
use super::process::NAME;
use crate::rpc;

/// Lets others call them.
pub(super) fn install(node: &Node) {
    // None of them holds the node: it would hold itself.
    let by_hand = |name: &'static str, body: fn(Node, Atom, Term) -> Told| {
        rpc::export_async(node, "application", name, move |ctx: Ctx, app: Atom, how: Term| {
            body(ctx.node().clone(), app, how)
        });
    };
    by_hand("permit", permit);
    by_hand("takeover", takeover);
    by_hand("load", load);
    rpc::export(node, NAME, "get_known_nodes", |ctx: &mut Ctx| api::known_nodes(ctx.node()));
}

type Told = std::pin::Pin<Box<dyn Future<Output = Term> + Send>>;

fn told(answer: Option<Option<Term>>) -> Term {
    answer.flatten().unwrap_or_else(|| term!({error, noproc}))
}

fn permit(node: Node, app: Atom, allow: Term) -> Told {
    Box::pin(async move {
        let allow = allow.is_atom("true");
        told(
            node.try_run(move |mut ctx: Ctx| async move { api::permit_from(&mut ctx, &app, allow).await })
                .await,
        )
    })
}

fn takeover(node: Node, app: Atom, kind: Term) -> Told {
    Box::pin(async move {
        told(
            node.try_run(move |mut ctx: Ctx| async move { api::takeover_from(&mut ctx, &app, &kind).await })
                .await,
        )
    })
}

/// With the ladder that `distributed` does not have.
fn load(node: Node, app: Atom, ladder: Term) -> Told {
    Box::pin(async move {
        let asked = node.try_run(move |mut ctx: Ctx| async move {
            let load = term!({load_application, (app.clone())});
            let loaded = otp::request::call(&mut ctx, otp::application::CONTROLLER, load, None).await.ok()?;
            if !loaded.is_atom("ok") || ladder == Term::NIL {
                return Some(loaded);
            }
            let question = term!({load_application, (app), (ladder)});
            otp::request::call(&mut ctx, NAME, question, None).await.ok()
        });
        told(asked.await)
    })
}
