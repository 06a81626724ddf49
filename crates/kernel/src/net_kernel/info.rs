//! What net_kernel says of itself and of its connections, as terms. Nothing where there is no net_kernel.

use std::fmt::Write;
use std::sync::atomic::Ordering;

use runtime::Node;
use term::{Atom, Map, Term, term};

use super::core::{Facts, NetKernel};
use crate::limits::SETUP_MILLIS_DEFAULT;
use crate::names::{self, Form};

/// `net_kernel:get_state/0`.
pub(super) fn state(node: &Node) -> Term {
    let Some(net) = NetKernel::of(node) else { return term!(#{started => no}) };
    let named = is_alive(node);
    let name = if named { node.name().clone() } else { Atom::inline("undefined") };
    let facts = [
        ("started", Term::atom(if net.may_stop { "dynamic" } else { "static" })),
        ("name_type", Term::atom(if net.naming.is_some() { "dynamic" } else { "static" })),
        ("name", Term::Atom(name)),
        ("name_domain", Term::atom(if net.setup.form == Form::Long { "longnames" } else { "shortnames" })),
    ];
    Term::Map(facts.into_iter().map(|(key, value)| (Term::atom(key), value)).collect::<Map>())
}

/// Whether the node has a name: one that waits for its name has none yet. (`erlang:is_alive/0`.)
pub(super) fn is_alive(node: &Node) -> bool {
    NetKernel::of(node).is_some_and(|net| !super::naming::is_nameless(node, &net))
}

pub(super) fn name(node: &Node) -> Option<Term> {
    NetKernel::of(node).map(|_| Term::Atom(node.name().clone()))
}

pub(super) fn long_names(node: &Node) -> Option<Term> {
    NetKernel::of(node).map(|net| Term::atom(if net.setup.form == Form::Long { "true" } else { "false" }))
}

/// The longest that a handshake may take.
pub(super) fn connect_millis(node: &Node) -> i64 {
    let millis =
        NetKernel::of(node).map_or(u128::from(SETUP_MILLIS_DEFAULT), |net| net.setup.setup_time.as_millis());
    i64::try_from(millis).unwrap_or(i64::MAX)
}

/// `ok`, or `error` when something on the list is no atom.
pub(super) fn allow(node: &Node, entries: &Term) -> Option<Term> {
    NetKernel::of(node)?;
    let list = entries.as_list().filter(|list| list.improper_tail().is_none());
    let atoms: Option<Vec<Atom>> =
        list.and_then(|list| list.iter().map(|entry| entry.as_atom().cloned()).collect());
    let Some(atoms) = atoms else { return Some(Term::atom("error")) };
    super::allow(node, atoms);
    Some(Term::atom("ok"))
}

/// `setopts/2` and `getopts/2`: a carrier need not have sockets, and what OTP says of those that have no options is said of all.
pub(super) fn socket_options(node: &Node, peer: &Atom) -> Term {
    let there = peer == "new" || super::nodes(node, super::Kind::Connected).contains(peer);
    if there { term!({error, enotsup}) } else { term!({error, noconnection}) }
}

pub(super) fn allowed(node: &Node) -> Option<Term> {
    let list = Term::list(NetKernel::of(node)?.state().table.allowed().iter().cloned().map(Term::Atom));
    Some(term!({ok, (list)}))
}

/// The level that was, which means nothing here.
pub(super) fn verbose(node: &Node, level: i64) -> Option<Term> {
    Some(Term::Int(NetKernel::of(node)?.verbose.swap(level, Ordering::Relaxed)))
}

/// `net_kernel:node_info/1`.
pub(super) fn of_node(node: &Node, peer: &Term) -> Term {
    match found(node, peer) {
        Some(facts) => term!({ok, (Term::list(pairs(node, &facts)))}),
        None => term!({error, bad_node}),
    }
}

/// `net_kernel:node_info/2`.
pub(super) fn item_of_node(node: &Node, peer: &Term, key: &Term) -> Term {
    let Some(facts) = found(node, peer) else { return term!({error, bad_node}) };
    let value = pairs(node, &facts).into_iter().find_map(|pair| match pair.as_tuple() {
        Some([name, value]) if name == key => Some(value.clone()),
        _ => None,
    });
    value.map_or_else(|| term!({error, invalid_key}), |value| term!({ok, (value)}))
}

/// `net_kernel:nodes_info/0`.
pub(super) fn of_nodes(node: &Node) -> Term {
    let all = all(node).into_iter().map(|facts| {
        let pairs = Term::list(pairs(node, &facts));
        Term::tuple([Term::Atom(facts.peer), pairs])
    });
    term!({ok, (Term::list(all))})
}

/// `net_kernel:i/0,1`, as a table.
pub(super) fn printed(node: &Node, peer: Option<&Term>) -> String {
    let mut text = String::new();
    let mut line = |cells: [&str; 6]| {
        let [name, state, kind, received, sent, address] = cells;
        let _ = writeln!(text, "{name:<30} {state:<10} {kind:<8} {received:>8} {sent:>8}  {address}");
    };
    line(["Node", "State", "Type", "In", "Out", "Address"]);
    let (mut received, mut sent) = (0, 0);
    for facts in all(node).iter().filter(|facts| peer.is_none_or(|peer| peer.as_atom() == Some(&facts.peer)))
    {
        let (name, state, kind) = (facts.peer.as_str(), word(facts), kind(facts));
        line([name, state, kind, &facts.received.to_string(), &facts.sent.to_string(), &facts.address]);
        (received, sent) = (received + facts.received, sent + facts.sent);
    }
    if peer.is_none() {
        line(["Total", "", "", &received.to_string(), &sent.to_string(), ""]);
    }
    text
}

fn all(node: &Node) -> Vec<Facts> {
    NetKernel::of(node).map(|net| net.facts()).unwrap_or_default()
}

fn found(node: &Node, peer: &Term) -> Option<Facts> {
    all(node).into_iter().find(|facts| Some(&facts.peer) == peer.as_atom())
}

fn word(facts: &Facts) -> &'static str {
    if facts.up { "up" } else { "pending" }
}

fn kind(facts: &Facts) -> &'static str {
    if facts.visible { "normal" } else { "hidden" }
}

fn pairs(node: &Node, facts: &Facts) -> Vec<Term> {
    let owner = node.whereis("net_kernel").map_or(Term::atom("undefined"), Term::Pid);
    let count = |number: u64| Term::Int(i64::try_from(number).unwrap_or(i64::MAX));
    let entries = [
        ("owner", owner),
        ("state", Term::atom(word(facts))),
        ("address", address(facts)),
        ("type", Term::atom(kind(facts))),
        ("in", count(facts.received)),
        ("out", count(facts.sent)),
    ];
    entries.into_iter().map(|(key, value)| Term::tuple([Term::atom(key), value])).collect()
}

/// `#net_address{}`.
fn address(facts: &Facts) -> Term {
    let host = names::split(facts.peer.as_str()).map_or("", |(_, host)| host);
    let socket: Option<std::net::SocketAddr> = facts.address.parse().ok();
    let (number, family) = match socket {
        Some(std::net::SocketAddr::V4(at)) => {
            let parts = at.ip().octets().map(|part| Term::Int(part.into()));
            (term!({(Term::tuple(parts)), (i64::from(at.port()))}), "inet")
        }
        Some(std::net::SocketAddr::V6(at)) => {
            let parts = at.ip().segments().map(|part| Term::Int(part.into()));
            (term!({(Term::tuple(parts)), (i64::from(at.port()))}), "inet6")
        }
        None => (Term::atom("undefined"), "undefined"),
    };
    term!({net_address, (number), (Term::string(host)), tcp, (Term::atom(family))})
}
