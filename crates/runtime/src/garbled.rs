//! Terms of peers that cannot be decoded: said in the log with the peer's name, so often and no more.

use std::sync::Mutex;

use proto::Now;
use term::decode::DecodeError;
use term::wire::WireTerm;
use term::{Atom, Pid};
use tracing::warn;

use crate::limits::{GARBLED_LINE_EVERY, GARBLED_LINES_BURST};
use crate::node::Node;
use crate::table::lock;

/// How many lines may be said, and how many were not.
#[derive(Default)]
pub(crate) struct Garbled(Mutex<Count>);

#[derive(Default)]
struct Count {
    said: u32,
    unsaid: u64,
    last: Now,
}

impl Garbled {
    /// Whether to say one more, and how many were left out before it.
    fn allows(&self, now: Now) -> Option<u64> {
        let mut count = lock(&self.0);
        if count.said >= GARBLED_LINES_BURST && now < count.last + GARBLED_LINE_EVERY {
            count.unsaid += 1;
            return None;
        }
        count.said = count.said.saturating_add(1);
        count.last = now;
        Some(std::mem::take(&mut count.unsaid))
    }
}

/// The node from which a term came.
pub(crate) fn origin(wire: &WireTerm) -> Option<&Atom> {
    wire.context.nodes.first().map(term::NodeId::name)
}

impl Node {
    /// Says that something from a peer cannot be decoded and is dropped.
    pub(crate) fn tell_garbled(&self, what: &str, peer: Option<&Atom>, to: &Pid, error: &DecodeError) {
        if let Some(unsaid) = self.garbled().allows(self.now()) {
            let peer = peer.map_or("?", Atom::as_str);
            warn!(%to, %error, unsaid, "** Node {peer} sent {what} that cannot be decoded; it is dropped **");
        }
    }
}
