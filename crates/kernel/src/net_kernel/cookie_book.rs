//! The cookies of a node as terms: what `auth` answers, and `erlang:set_cookie`. Nothing means `badarg`, or that the node has no
//! name; whoever may ask knows a cookie already.

use proto::handshake::Cookie;
use runtime::Node;
use term::{Atom, Term};

use super::core::NetKernel;

/// Our own.
pub(crate) fn own(node: &Node) -> Option<Term> {
    Some(shown(&NetKernel::of(node)?.cookies.own()))
}

/// The one for this peer.
pub(crate) fn of(node: &Node, peer: &Atom) -> Option<Term> {
    if peer == node.name() {
        return own(node);
    }
    Some(shown(&NetKernel::of(node)?.cookies.of(peer)))
}

/// Changes our own.
pub(crate) fn set_own(node: &Node, cookie: &Term) -> Option<Term> {
    let net = NetKernel::of(node)?;
    net.cookies.set_own(read(cookie)?);
    Some(Term::atom("true"))
}

/// Gives a peer its own, for both directions.
pub(crate) fn set(node: &Node, peer: &Atom, cookie: &Term) -> Option<Term> {
    if peer == node.name() {
        return set_own(node, cookie);
    }
    let net = NetKernel::of(node)?;
    net.cookies.set(peer.clone(), read(cookie)?);
    Some(Term::atom("true"))
}

fn read(cookie: &Term) -> Option<Cookie> {
    Cookie::new(cookie.as_atom()?.as_str()).ok()
}

fn shown(cookie: &Cookie) -> Term {
    let text: String = cookie.danger_expose().iter().map(|byte| char::from(*byte)).collect();
    Term::Atom(Atom::new(&text))
}
