//! Checks any carrier must pass. Whoever writes a carrier runs [`all`] in a test.
//!
//! ```no_run
//! # use trunkline_carrier as carrier;
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! carrier::conformance::all(|| carrier::conformance::Ground::one_host(carrier::Tcp::new())).await;
//! # }
//! ```
//!
//! The checks need a tokio runtime with time (and I/O, if the carrier does any). None of them sleeps in the
//! hope that something has happened meanwhile; those that poll rest a millisecond between polls, so that virtual time
//! goes on as well.

mod flow;
mod meeting;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use crate::{BoxFuture, Carrier, ListenAt, Listener, Wire};

/// How long one check may take before it counts as failed, in seconds.
pub const CHECK_SECONDS_MAX: u64 = 20;

/// Why a check failed.
pub type Failure = Box<dyn Error + Send + Sync>;

type Check = fn(Arc<Ground>) -> BoxFuture<'static, Result<(), Failure>>;

/// Where the checks take place. Each check gets a fresh one.
pub struct Ground {
    /// Listens.
    pub server: Arc<dyn Carrier>,
    /// Dials what [`Listener::local`] says; the same carrier as the server, or another host's.
    pub client: Arc<dyn Carrier>,
    /// Where the server listens. The range must be `0..=0`: checks that need a certain port first let the system choose.
    pub listen: ListenAt,
}

impl Ground {
    /// One carrier that dials itself over the loopback interface.
    pub fn one_host(carrier: impl Carrier) -> Ground {
        let carrier: Arc<dyn Carrier> = Arc::new(carrier);
        Ground { server: carrier.clone(), client: carrier, listen: ListenAt::loopback() }
    }

    /// One carrier that listens and another that dials it.
    pub fn two_hosts(server: impl Carrier, client: impl Carrier) -> Ground {
        Ground { server: Arc::new(server), client: Arc::new(client), listen: ListenAt::loopback() }
    }

    async fn listener(&self) -> Result<Box<dyn Listener>, Failure> {
        Ok(self.server.listen(&self.listen).await?)
    }

    /// Both ends of a new wire: the dialler's, then the listener's. They meet in two tasks, for carriers that greet.
    async fn meet(&self, listener: &mut dyn Listener) -> Result<(Box<dyn Wire>, Box<dyn Wire>), Failure> {
        let (client, to) = (self.client.clone(), listener.local());
        let dialling = tokio::spawn(async move { client.dial(&to).await });
        let theirs = listener.accept().await?;
        Ok((dialling.await??, theirs))
    }

    /// Both ends of a wire whose listener is gone already.
    async fn wire(&self) -> Result<(Box<dyn Wire>, Box<dyn Wire>), Failure> {
        let mut listener = self.listener().await?;
        self.meet(&mut *listener).await
    }
}

/// The checks by name, in the order they are run.
pub fn names() -> impl Iterator<Item = &'static str> {
    checks().map(|(name, _)| *name)
}

/// Runs every check on ground of its own and returns what each found.
pub async fn run(make: impl Fn() -> Ground) -> Vec<(&'static str, Result<(), Failure>)> {
    let mut found = Vec::new();
    for (name, check) in checks() {
        let patience = Duration::from_secs(CHECK_SECONDS_MAX);
        let result = timeout(patience, check(Arc::new(make()))).await;
        found.push((*name, result.unwrap_or_else(|_| Err(format!("not done after {patience:?}").into()))));
    }
    found
}

/// Runs every check.
///
/// # Panics
/// When any fails, naming all that did.
pub async fn all(make: impl Fn() -> Ground) {
    let carrier = make().server.name();
    let found = run(make).await;
    let total = found.len();
    let failed: Vec<String> =
        found.into_iter().filter_map(|(name, result)| Some(format!("  {name}: {}", result.err()?))).collect();
    assert!(failed.is_empty(), "{carrier} fails {} of {total} checks:\n{}", failed.len(), failed.join("\n"));
}

fn checks() -> impl Iterator<Item = &'static (&'static str, Check)> {
    meeting::CHECKS.iter().chain(flow::CHECKS)
}

/// Between two polls. A plain yield would keep a runtime with paused time from ever being idle, and time from moving.
async fn breathe() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

/// Fails the check unless it holds.
fn ensure(holds: bool, otherwise: impl Into<String>) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(otherwise.into().into()) }
}

/// Bytes in which a lost, doubled or swapped piece shows.
fn pattern(len: usize, salt: u8) -> Vec<u8> {
    (0..len).map(|i| (i ^ (i >> 8).wrapping_mul(31) ^ (i >> 16).wrapping_mul(101)) as u8 ^ salt).collect()
}
