//! Asking an EPMD on any host, for verbs that want to understand the answer.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use trunkline::proto::epmd::client::{self, ListingAnswer, PortAnswer};
use trunkline::proto::epmd::{Listing, Registration};
use trunkline::proto::{Misuse, PeerFault};

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// Nobody listens there.
    Refused,
    /// Nothing comes back, not even a refusal; or no answer to the request.
    Silent,
    /// Something listens, but it is no EPMD.
    NotEpmd(PeerFault),
    /// The name cannot be asked for.
    BadName(Misuse),
    /// The system says no.
    Io(io::Error),
}

/// What is registered there.
pub(crate) async fn names_of(place: SocketAddr, patience: Duration) -> Result<Listing, Trouble> {
    let mut answer = ListingAnswer::default();
    exchange(place, &client::names(), patience, |bytes| answer.receive(bytes).map(|()| false)).await?;
    answer.closed().map_err(Trouble::NotEpmd)
}

/// Where the node of this name (without host) listens; nothing when EPMD does not know it.
pub(crate) async fn port_of(
    place: SocketAddr,
    name: &str,
    patience: Duration,
) -> Result<Option<Registration>, Trouble> {
    let request = client::port_please2(name).map_err(Trouble::BadName)?;
    let (mut answer, mut found) = (PortAnswer::default(), None);
    exchange(place, &request, patience, |bytes| {
        found = answer.receive(bytes)?;
        Ok(found.is_some())
    })
    .await?;
    found.ok_or_else(|| Trouble::NotEpmd(answer.closed()))
}

/// The addresses of a host, version 4 first as OTP asks by default.
pub(crate) async fn addresses_of(host: &str) -> io::Result<Vec<IpAddr>> {
    let mut found: Vec<IpAddr> = tokio::net::lookup_host((host, 0)).await?.map(|place| place.ip()).collect();
    found.sort_by_key(IpAddr::is_ipv6);
    found.dedup();
    Ok(found)
}

/// Sends one request and hands over what comes, until `enough` says so or the other side hangs up.
async fn exchange(
    place: SocketAddr,
    request: &[u8],
    patience: Duration,
    enough: impl FnMut(&[u8]) -> Result<bool, PeerFault>,
) -> Result<(), Trouble> {
    let talk = talk(place, request, enough);
    timeout(patience, talk).await.unwrap_or(Err(Trouble::Silent))
}

async fn talk(
    place: SocketAddr,
    request: &[u8],
    mut enough: impl FnMut(&[u8]) -> Result<bool, PeerFault>,
) -> Result<(), Trouble> {
    let mut socket = TcpStream::connect(place).await?;
    socket.write_all(request).await?;
    let mut bytes = [0; 4096];
    loop {
        let count = socket.read(&mut bytes).await?;
        if count == 0 || enough(&bytes[..count]).map_err(Trouble::NotEpmd)? {
            return Ok(());
        }
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Trouble {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Trouble::Refused,
            io::ErrorKind::TimedOut => Trouble::Silent,
            _ => Trouble::Io(error),
        }
    }
}
