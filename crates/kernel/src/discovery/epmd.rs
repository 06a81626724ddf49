//! The client of EPMD: keeps a node registered, and asks where others are.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use carrier::{Address, BoxFuture};
use proto::PeerFault;
use proto::epmd::{AliveReply, Registration as Entry, client};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::{Discovery, DiscoveryError, Registered, Registration};
use crate::epmd::{Epmd as Daemon, EpmdConfig, port_from_environment};
use crate::limits::{EPMD_ANSWER_MILLIS, EPMD_READ_BYTES, EPMD_RETRY_MILLIS};
use crate::names::split;

/// EPMD as the place where nodes find each other.
#[derive(Clone, Debug)]
pub struct Epmd {
    port: u16,
    own_host: IpAddr,
    start: bool,
}

impl Default for Epmd {
    fn default() -> Epmd {
        Epmd::new()
    }
}

impl Epmd {
    /// The EPMDs at the port that `ERL_EPMD_PORT` says, or 4369. Where none runs on this host, ours is started inside
    /// this program.
    pub fn new() -> Epmd {
        Epmd::at(port_from_environment())
    }

    /// The EPMDs at this port, on every host.
    pub fn at(port: u16) -> Epmd {
        Epmd { port, own_host: Ipv4Addr::LOCALHOST.into(), start: true }
    }

    /// Only uses an EPMD that runs already.
    #[must_use]
    pub fn never_start(self) -> Epmd {
        Epmd { start: false, ..self }
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    fn place(&self, host: &str) -> String {
        format!("EPMD {host}:{}", self.port)
    }

    fn own_place(&self) -> String {
        self.place(&self.own_host.to_string())
    }

    /// Registers with the EPMD of this host, starting ours if there is none.
    async fn alive(&self, who: &Registration) -> Result<Lease, DiscoveryError> {
        let (stream, server) = match TcpStream::connect((self.own_host, self.port)).await {
            Ok(stream) => (stream, None),
            Err(_) if self.start => self.start_ours(who.interface).await?,
            Err(source) => return Err(self.unreachable(source)),
        };
        let entry = Entry::new(who.name.local(), who.port);
        let mut lease = Lease { stream, server, creation: 0 };
        let asked = timeout(answer(), lease.ask(&entry)).await.map_err(|_| self.unreachable(timed_out()))?;
        match asked.map_err(|trouble| trouble.at(&self.own_place()))? {
            AliveReply::Registered { creation } => {
                lease.creation = creation;
                Ok(lease)
            }
            AliveReply::Refused => Err(self.taken(who).await),
        }
    }

    /// It serves this machine, what `ERL_EPMD_ADDRESS` says, and whoever can reach the node itself: others could not find
    /// the node otherwise.
    async fn start_ours(
        &self,
        interface: Option<IpAddr>,
    ) -> Result<(TcpStream, Option<BoxFuture<'static, ()>>), DiscoveryError> {
        let mut config = EpmdConfig { port: self.port, ..EpmdConfig::from_environment() };
        config.addresses.extend(interface);
        let server = match Daemon::bind(config) {
            Ok(daemon) => {
                tracing::info!(port = self.port, "no EPMD runs on this host: started one inside this node");
                Some(Box::pin(daemon.run(|line| tracing::info!("epmd: {line}"))) as BoxFuture<'static, ()>)
            }
            // Somebody else started one at this very moment.
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => None,
            Err(source) => return Err(self.unreachable(source)),
        };
        let connected = TcpStream::connect((self.own_host, self.port)).await;
        Ok((connected.map_err(|source| self.unreachable(source))?, server))
    }

    async fn taken(&self, who: &Registration) -> DiscoveryError {
        let name = who.name.to_string();
        let own_host = self.own_host.to_string();
        let found = timeout(answer(), self.port_please(&own_host, who.name.local())).await;
        let place = match found {
            Ok(Ok(Some(port))) => format!("port {port} of {}", self.own_place()),
            _ => self.own_place(),
        };
        DiscoveryError::NameTaken { name, place }
    }

    async fn port_please(&self, host: &str, local: &str) -> Result<Option<u16>, Trouble> {
        let mut stream = self.connect(host).await?;
        stream.write_all(&client::port_please2(local)?).await?;
        let mut answer = client::PortAnswer::default();
        let mut bytes = vec![0; EPMD_READ_BYTES];
        loop {
            let length = stream.read(&mut bytes).await?;
            if length == 0 {
                return Err(answer.closed().into());
            }
            if let Some(found) = answer.receive(&bytes[..length])? {
                return Ok(found.map(|node| node.port));
            }
        }
    }

    async fn listing(&self, host: &str) -> Result<Vec<(String, u16)>, Trouble> {
        let mut stream = self.connect(host).await?;
        stream.write_all(&client::names()).await?;
        let mut answer = client::ListingAnswer::default();
        let mut bytes = vec![0; EPMD_READ_BYTES];
        loop {
            let length = stream.read(&mut bytes).await?;
            if length == 0 {
                let nodes = answer.closed()?.nodes();
                return Ok(nodes.into_iter().map(|node| (node.name, node.port)).collect());
            }
            answer.receive(&bytes[..length])?;
        }
    }

    /// The EPMD of a host. The one of this machine may listen on loopback only, whatever name the machine is called by.
    async fn connect(&self, host: &str) -> io::Result<TcpStream> {
        match TcpStream::connect((host, self.port)).await {
            Err(_) if is_this_machine(host).await => TcpStream::connect((self.own_host, self.port)).await,
            connected => connected,
        }
    }

    fn unreachable(&self, source: io::Error) -> DiscoveryError {
        DiscoveryError::Unreachable { place: self.own_place(), source }
    }

    /// Keeps the name registered for the node's life. The creation of later registrations is ignored, as OTP does: ours
    /// stays what it is.
    async fn keep(self, who: Registration, mut lease: Lease) {
        loop {
            lease.lost().await;
            // An EPMD inside this node may still serve others, unless it is the one that ended.
            let mut server = lease.server.take();
            drop(lease.stream);
            tracing::warn!(name = %who.name, "the EPMD of this host is gone: registering again every 2 seconds");
            lease = loop {
                let wait = sleep(Duration::from_millis(EPMD_RETRY_MILLIS));
                match &mut server {
                    Some(running) => {
                        tokio::select! { biased; () = running => server = None, () = wait => {} }
                    }
                    None => wait.await,
                }
                let again = match &mut server {
                    Some(running) => {
                        tokio::select! { biased; again = self.alive(&who) => again, () = running => continue }
                    }
                    None => self.alive(&who).await,
                };
                match again {
                    Ok(fresh) => break fresh,
                    Err(error) => tracing::debug!(name = %who.name, "still not registered: {error}"),
                }
            };
            lease.server = lease.server.or(server);
        }
    }
}

impl Discovery for Epmd {
    fn register<'a>(&'a self, who: Registration) -> BoxFuture<'a, Result<Registered, DiscoveryError>> {
        Box::pin(async move {
            let lease = self.alive(&who).await?;
            let creation = Some(lease.creation);
            Ok(Registered { creation, keep: Box::pin(self.clone().keep(who, lease)) })
        })
    }

    fn resolve<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Address, DiscoveryError>> {
        Box::pin(async move {
            let missing = |place| DiscoveryError::NotFound { name: name.to_owned(), place };
            let (local, host) = split(name).ok_or_else(|| missing("any EPMD".to_owned()))?;
            let place = self.place(host);
            let asked = timeout(answer(), self.port_please(host, local)).await;
            let found =
                asked.unwrap_or_else(|_| Err(timed_out().into())).map_err(|trouble| trouble.at(&place))?;
            Ok(Address::new(host, found.ok_or_else(|| missing(place))?))
        })
    }

    fn names<'a>(&'a self, host: &'a str) -> BoxFuture<'a, Result<Vec<(String, u16)>, DiscoveryError>> {
        Box::pin(async move {
            let asked = timeout(answer(), self.listing(host)).await;
            asked.unwrap_or_else(|_| Err(timed_out().into())).map_err(|trouble| trouble.at(&self.place(host)))
        })
    }
}

/// The connection that keeps a name registered, and the EPMD at its other end when it runs inside this node.
struct Lease {
    stream: TcpStream,
    server: Option<BoxFuture<'static, ()>>,
    creation: u32,
}

impl Lease {
    async fn ask(&mut self, entry: &Entry) -> Result<AliveReply, Trouble> {
        match &mut self.server {
            Some(server) => {
                let asking = ask(&mut self.stream, entry);
                tokio::select! {
                    biased;
                    answer = asking => answer,
                    () = server => Err(PeerFault::Closed("EPMD answered the registration").into()),
                }
            }
            None => ask(&mut self.stream, entry).await,
        }
    }

    /// Returns when the registration is lost.
    async fn lost(&mut self) {
        let Lease { stream, server, .. } = self;
        match server {
            Some(running) => tokio::select! {
                biased;
                () = hung_up(stream) => {}
                () = running => self.server = None,
            },
            None => hung_up(stream).await,
        }
    }
}

async fn ask(stream: &mut TcpStream, entry: &Entry) -> Result<AliveReply, Trouble> {
    stream.write_all(&client::alive2(entry)?).await?;
    let mut answer = client::AliveAnswer::default();
    let mut bytes = [0; 64];
    loop {
        let length = stream.read(&mut bytes).await?;
        if length == 0 {
            return Err(answer.closed().into());
        }
        if let Some(reply) = answer.receive(&bytes[..length])? {
            return Ok(reply);
        }
    }
}

async fn hung_up(stream: &mut TcpStream) {
    let mut bytes = [0; 64];
    while stream.read(&mut bytes).await.is_ok_and(|length| length > 0) {}
}

/// What can go wrong on the way to an EPMD and back.
enum Trouble {
    Io(io::Error),
    Nonsense(String),
}

impl Trouble {
    fn at(self, place: &str) -> DiscoveryError {
        match self {
            Trouble::Io(source) => DiscoveryError::Unreachable { place: place.to_owned(), source },
            Trouble::Nonsense(why) => DiscoveryError::Nonsense { place: place.to_owned(), why },
        }
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Trouble {
        Trouble::Io(error)
    }
}

impl From<PeerFault> for Trouble {
    fn from(fault: PeerFault) -> Trouble {
        Trouble::Nonsense(fault.to_string())
    }
}

impl From<proto::Misuse> for Trouble {
    fn from(misuse: proto::Misuse) -> Trouble {
        Trouble::Nonsense(misuse.to_string())
    }
}

/// Whether one of the host's addresses is ours: only then can a socket be bound to it.
async fn is_this_machine(host: &str) -> bool {
    let found = tokio::net::lookup_host((host, 0)).await;
    found.is_ok_and(|mut found| found.any(|address| std::net::UdpSocket::bind((address.ip(), 0)).is_ok()))
}

fn answer() -> Duration {
    Duration::from_millis(EPMD_ANSWER_MILLIS)
}

fn timed_out() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "no answer within 10 seconds")
}
