//! `net_kernel` and its part of `erlang`: connections.

use std::time::Duration;

use runtime::Ctx;
use term::{Atom, Term};

use super::{Answer, Fault, Module, args};
use crate::net_kernel::{self, Kind, Kinds, TickTime, TickTimeChange, nodes};
use args::{atom, boolean, int};

pub(super) const MODULE: Module = Module {
    name: "net_kernel",
    unfit: "function_clause",
    near: &[
        ("get_net_ticktime", 0, |ctx, _| {
            Ok(match net_kernel::net_ticktime(ctx.node()) {
                Some(TickTime::Is(time)) => Term::Int(time.as_secs() as i64),
                Some(TickTime::OngoingChangeTo(time)) => ongoing(time),
                None => Term::atom("ignored"),
            })
        }),
        ("set_net_ticktime", 1, |ctx, a| set_ticktime(ctx, &a[0], &Term::Int(60))),
        ("set_net_ticktime", 2, |ctx, a| set_ticktime(ctx, &a[0], &a[1])),
    ],
    far: &[
        ("connect_node", 1, |ctx, a| {
            Box::pin(async move {
                let peer = peer(&a[0])?;
                Ok(boolean(net_kernel::connect(ctx.node(), peer).await.is_ok()))
            })
        }),
        ("disconnect", 1, |ctx, a| Box::pin(disconnect(ctx, a))),
    ],
};

pub(super) const ERLANG: Module = Module {
    name: "erlang",
    unfit: "badarg",
    near: &[
        ("nodes", 0, |ctx, _| Ok(names(nodes(ctx.node(), Kind::Visible)))),
        ("nodes", 1, |ctx, a| Ok(names(nodes(ctx.node(), kinds(&a[0])?)))),
        ("monitor_node", 2, |ctx, a| {
            ctx.monitor_node(peer(&a[0])?, args::truth(&a[1])?);
            Ok(boolean(true))
        }),
    ],
    far: &[("disconnect_node", 1, |ctx, a| Box::pin(disconnect(ctx, a)))],
};

fn peer(term: &Term) -> Result<Atom, Fault> {
    atom(term).cloned()
}

async fn disconnect(ctx: Ctx, a: Vec<Term>) -> Answer {
    let peer = peer(&a[0])?;
    Ok(boolean(net_kernel::disconnect(ctx.node(), peer).await))
}

fn set_ticktime(ctx: &Ctx, ticktime: &Term, transition: &Term) -> Answer {
    let seconds = |term: &Term| u64::try_from(int(term)?).map(Duration::from_secs).map_err(|_| Fault::Unfit);
    let change = net_kernel::set_net_ticktime(ctx.node(), seconds(ticktime)?, seconds(transition)?);
    Ok(match change {
        Some(TickTimeChange::Unchanged) => Term::atom("unchanged"),
        Some(TickTimeChange::ChangeInitiated) => Term::atom("change_initiated"),
        Some(TickTimeChange::OngoingChangeTo(time)) => ongoing(time),
        None => Term::atom("ignored"),
    })
}

fn ongoing(time: Duration) -> Term {
    args::pair("ongoing_change_to", Term::Int(time.as_secs() as i64))
}

fn kinds(term: &Term) -> Result<Kinds, Fault> {
    let kind = |term: &Term| Kind::from_name(atom(term)?.as_str()).ok_or(Fault::Unfit);
    match term {
        Term::List(_) => args::items(term)?.iter().map(kind).collect(),
        term => kind(term).map(Kinds::from),
    }
}

fn names(names: Vec<Atom>) -> Term {
    Term::list(names.into_iter().map(Term::Atom))
}
