//! The door: wires that arrive, and what is said to those who knock.

use std::sync::Arc;

use carrier::{Address, Listener, Wire, accept_pause};
use proto::handshake::{Acceptance, Knock as Knocking, Verdict, Welcome};
use proto::{Blame, PeerFault};
use runtime::Node;
use term::Atom;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

use super::core::NetKernel;
use super::driver;
use super::end::{End, SetupFault};
use super::guard::AttemptGuard;
use super::half_open::HalfOpen;
use super::handshake::{self, Doorkeeper};
use super::hush::Kind;
use super::table::Knock;
use crate::limits::HALF_OPEN_WIRES_MAX;

/// Accepts wires for the node's life.
///
/// Strangers that connect and say nothing cost a bounded number of sockets: at the ceiling the oldest handshake of the host
/// with the most gives way.
pub(crate) async fn keep(node: Node, net: Arc<NetKernel>, mut listener: Box<dyn Listener>) {
    let mut half_open: HalfOpen<AbortHandle> = HalfOpen::new();
    loop {
        let wire = match listener.accept().await {
            Ok(wire) => wire,
            Err(error) => match accept_pause(&error) {
                Some(pause) => {
                    tracing::debug!("a connection could not be accepted: {error}");
                    tokio::time::sleep(pause).await;
                    continue;
                }
                None => return tracing::error!("the listener is gone, nobody can connect any more: {error}"),
            },
        };
        if half_open.len() >= HALF_OPEN_WIRES_MAX {
            half_open.sweep(AbortHandle::is_finished);
        }
        if half_open.len() >= HALF_OPEN_WIRES_MAX
            && let Some((oldest, address)) = half_open.evict()
        {
            if let Some(unsaid) = net.hush.allows(Kind::TooMany, node.now()) {
                let max = HALF_OPEN_WIRES_MAX;
                tracing::warn!(max, %address, unsaid, "too many unfinished handshakes: the oldest of this host is dropped");
            }
            oldest.abort();
        }
        // The task learns its own handle, so that another attempt can stop it.
        let (tell, handle) = oneshot::channel();
        let address = wire.peer();
        let task = node.spawn_task(welcome(node.clone(), net.clone(), wire, handle));
        let _ = tell.send(task.clone());
        half_open.add(task, address);
    }
}

async fn welcome(node: Node, net: Arc<NetKernel>, wire: Box<dyn Wire>, own: oneshot::Receiver<AbortHandle>) {
    let Ok(own) = own.await else { return };
    let Ok(machine) = net.me(&node).and_then(Acceptance::begin) else { return };
    let mut wire = wire;
    let address = wire.peer();
    let mut porter = Porter { node: &node, net: &net, own, guest: None, named: false, old: None };
    let shake = handshake::accept(&mut *wire, machine, &mut porter);
    let outcome = tokio::time::timeout(net.setup.setup_time, shake).await;
    let (guest, named) = (porter.guest.take(), porter.named);
    match (outcome, guest) {
        (Ok(Ok((met, rest))), Some(guest)) => {
            match net.attempt_succeeded(&node, guest.attempt(), &met, named) {
                Some(opened) => {
                    guest.succeeded();
                    driver::start(&node, &net, wire, met, rest, opened);
                }
                None => guest.failed(SetupFault::Abandoned),
            }
        }
        (Ok(Err(why)), guest) => {
            tell(&node, &net, &why, &address);
            if let Some(guest) = guest {
                guest.failed(why);
            }
        }
        (Err(_), guest) => {
            let millis = net.setup.setup_time.as_millis();
            if let Some(unsaid) = net.hush.allows(Kind::TimedOut, node.now()) {
                let what = "of an unfinished handshake";
                tracing::info!(%address, unsaid, "** Connection attempt given up after {millis} ms {what} **");
            }
            if let Some(guest) = guest {
                guest.failed(SetupFault::TimedOut { millis });
            }
        }
        (Ok(Ok(_)), None) => {}
    }
}

/// The lines that operators know from OTP, and the address besides. `unsaid` counts lines like it that were left out
/// before, because strangers must not fill the log.
fn tell(node: &Node, net: &NetKernel, why: &SetupFault, address: &Address) {
    let kind = match why {
        SetupFault::Blame(Blame::Peer(PeerFault::BadCookie { .. })) => Kind::Cookie,
        SetupFault::Blame(Blame::Peer(PeerFault::MissingFlags { .. })) => Kind::Flags,
        SetupFault::Blame(_) => Kind::Protocol,
        _ => Kind::Closed,
    };
    let Some(unsaid) = net.hush.allows(kind, node.now()) else { return };
    match why {
        SetupFault::Blame(Blame::Peer(PeerFault::BadCookie { name })) => tracing::error!(
            %address,
            unsaid,
            "** Connection attempt from node {name} rejected. Invalid challenge reply. **"
        ),
        SetupFault::Blame(Blame::Peer(PeerFault::MissingFlags { name, missing })) => tracing::error!(
            %address,
            unsaid,
            "** Connection attempt from node {name} rejected since it cannot handle [{missing}]. **"
        ),
        SetupFault::Blame(blame) => {
            tracing::warn!(%address, unsaid, "** Connection attempt rejected: {blame} **");
        }
        why => tracing::debug!(%address, unsaid, "a handshake at our door ended: {why}"),
    }
}

struct Porter<'a> {
    node: &'a Node,
    net: &'a Arc<NetKernel>,
    own: AbortHandle,
    guest: Option<AttemptGuard>,
    named: bool,
    old: Option<Atom>,
}

impl Porter<'_> {
    fn welcome(&self, peer: &Atom) -> Welcome {
        Welcome { cookie: self.net.cookies.of(peer), challenge: self.node.roll() as u32 }
    }

    fn admit(&mut self, peer: &Atom, attempt: u64) {
        self.guest = Some(AttemptGuard::new(self.node, self.net, peer, attempt));
        self.net.remember(peer, attempt, self.own.clone());
    }

    fn name_guest(&mut self, host: &str) -> Option<(Verdict, Welcome)> {
        let (name, creation, peer, attempt) = {
            let mut state = self.net.state();
            let (name, creation) = state.grant(self.node, host);
            let peer = Atom::try_new(&name)?;
            let Knock::Ok(attempt) = state.table.knock(&peer) else { return None };
            (name, creation, peer, attempt)
        };
        self.admit(&peer, attempt);
        self.named = true;
        Some((Verdict::Named { name, creation }, self.welcome(&peer)))
    }
}

impl Doorkeeper for Porter<'_> {
    fn judge(&mut self, knock: &Knocking) -> Option<(Verdict, Welcome)> {
        if knock.dynamic {
            return self.name_guest(&knock.name);
        }
        let peer = Atom::try_new(&knock.name)?;
        let verdict = match self.net.knock(&peer) {
            Knock::Ok(attempt) => {
                self.admit(&peer, attempt);
                Verdict::Ok
            }
            Knock::OkSimultaneous { attempt } => {
                self.admit(&peer, attempt);
                Verdict::OkSimultaneous
            }
            Knock::Alive { attempt, .. } => {
                self.admit(&peer, attempt);
                self.old = Some(peer.clone());
                Verdict::Alive
            }
            Knock::Nok => Verdict::Nok,
            Knock::NotAllowed => {
                if let Some(unsaid) = self.net.hush.allows(Kind::Disallowed, self.node.now()) {
                    tracing::error!(unsaid, "** Connection attempt from disallowed node {peer} **");
                }
                Verdict::NotAllowed
            }
        };
        Some((verdict, self.welcome(&peer)))
    }

    async fn tear_down(&mut self) {
        let gone = self.old.take().and_then(|peer| self.net.end_connection(&peer, End::Replaced));
        if let Some(gone) = gone {
            let _ = gone.await;
        }
    }
}
