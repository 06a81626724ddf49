//! `net_adm`: which nodes there are, and whether they answer.

use std::collections::BTreeSet;

use runtime::{Ctx, Node};
use term::{Atom, Term};

use super::{Answer, Fault, Module, args, inet};
use crate::names::HostNames;
use crate::net_kernel::NetKernel;
use args::{atom, error, ok};

pub(super) const MODULE: Module = Module {
    name: "net_adm",
    unfit: "function_clause",
    near: &[
        ("localhost", 0, |_, _| {
            let names = HostNames::of_system();
            Ok(Term::string(names.long.as_deref().unwrap_or(&names.short)))
        }),
        // There is no `.hosts.erlang` here.
        ("host_file", 0, |_, _| Ok(error(Term::atom("enoent")))),
    ],
    far: &[
        ("ping", 1, |ctx, a| Box::pin(ping(ctx, a))),
        ("names", 0, |ctx, _| Box::pin(async move { names(ctx.node().clone(), None).await })),
        ("names", 1, |ctx, a| Box::pin(async move { names(ctx.node().clone(), Some(&text(&a[0])?)).await })),
        ("world", 0, |ctx, _| Box::pin(world(ctx, Vec::new()))),
        ("world", 1, |ctx, a| {
            Box::pin(async move {
                atom(&a[0])?;
                world(ctx, Vec::new()).await
            })
        }),
        ("world_list", 1, |ctx, a| {
            Box::pin(async move {
                let hosts = args::items(&a[0])?;
                let hosts = hosts.iter().map(text).collect::<Result<Vec<_>, Fault>>()?;
                world(ctx, hosts).await
            })
        }),
        ("dns_hostname", 1, |_, a| {
            Box::pin(async move {
                let host = text(&a[0])?;
                Ok(match inet::resolve(&host).await.is_empty() {
                    true => error(a[0].clone()),
                    false => ok(Term::string(&host)),
                })
            })
        }),
    ],
};

/// An atom or a list of characters.
pub(super) fn text(term: &Term) -> Result<String, Fault> {
    match term {
        Term::Atom(atom) => Ok(atom.to_string()),
        list => args::charlist(list),
    }
}

async fn ping(ctx: Ctx, a: Vec<Term>) -> Answer {
    let peer = atom(&a[0])?.clone();
    let answer = if crate::ping(ctx.node(), peer).await.is_ok() { "pong" } else { "pang" };
    Ok(Term::atom(answer))
}

async fn listed(node: &Node, host: &str) -> Option<Vec<(String, u16)>> {
    let discovery = NetKernel::of(node)?.discovery();
    discovery.names(host).await.ok()
}

fn own_host(node: &Node) -> String {
    node.name().as_str().rsplit_once('@').map_or("localhost", |(_, host)| host).to_owned()
}

/// `{ok, [{Name, Port}]}` or `{error, address}`.
async fn names(node: Node, host: Option<&str>) -> Answer {
    let host = host.map_or_else(|| own_host(&node), str::to_owned);
    Ok(match listed(&node, &host).await {
        Some(names) => ok(Term::list(
            names.iter().map(|(name, port)| Term::tuple([Term::string(name), Term::Int((*port).into())])),
        )),
        None => error(Term::atom("address")),
    })
}

/// Pings every node of these hosts, of our own without any; those that answered.
async fn world(ctx: Ctx, hosts: Vec<String>) -> Answer {
    let hosts = if hosts.is_empty() { vec![own_host(ctx.node())] } else { hosts };
    let mut there = BTreeSet::new();
    for host in hosts {
        for (name, _) in listed(ctx.node(), &host).await.unwrap_or_default() {
            let Some(peer) = Atom::try_new(&format!("{name}@{host}")) else { continue };
            if crate::ping(ctx.node(), peer.clone()).await.is_ok() {
                there.insert(peer);
            }
        }
    }
    Ok(Term::list(there.into_iter().map(Term::Atom)))
}
