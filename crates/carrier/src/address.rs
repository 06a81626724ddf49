//! Where to dial and where to listen.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;

use crate::limits::BACKLOG_WIRES_DEFAULT;

/// One end of a wire: a host, by name or by number, and a port.
///
/// What a host name means is the carrier's affair: TCP asks the resolver, [`MemoryNet`](crate::MemoryNet) its own table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// A host name or an IP number in text, without brackets.
    pub host: String,
    /// The port; zero is nobody's.
    pub port: u16,
}

impl Address {
    /// Host and port.
    pub fn new(host: impl Into<String>, port: u16) -> Address {
        Address { host: host.into(), port }
    }

    /// The resolved form, when the host is already a number.
    pub fn socket_addr(&self) -> Option<SocketAddr> {
        self.host.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, self.port))
    }

    /// The resolved forms, in the order the system's resolver prefers; never empty. Numbers ask nobody.
    ///
    /// # Errors
    /// What the resolver said, or `NotFound` when it knows the name but has no number for it.
    pub async fn resolve(&self) -> io::Result<Vec<SocketAddr>> {
        if let Some(number) = self.socket_addr() {
            return Ok(vec![number]);
        }
        let found: Vec<SocketAddr> =
            tokio::net::lookup_host((self.host.as_str(), self.port)).await?.collect();
        if found.is_empty() {
            return Err(io::Error::new(io::ErrorKind::NotFound, "the resolver has no address for this name"));
        }
        Ok(found)
    }
}

impl From<SocketAddr> for Address {
    /// An IPv4 number dressed as IPv6 (`::ffff:10.0.0.1`) becomes plain again.
    fn from(number: SocketAddr) -> Address {
        Address::new(number.ip().to_canonical().to_string(), number.port())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// Where to listen. The interface has no default: listening on all of them is a decision, not an accident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenAt {
    /// The interface's own number. An in-memory host has one interface and does not look at this.
    pub interface: IpAddr,
    /// Ports to try, upward, until one is free (`inet_dist_listen_min` and `_max`). Zero lets the system choose.
    pub ports: RangeInclusive<u16>,
    /// Wires that may wait to be accepted; the next dialler waits.
    pub backlog: u32,
}

impl ListenAt {
    /// Any free port of this interface.
    pub fn new(interface: IpAddr) -> ListenAt {
        ListenAt { interface, ports: 0..=0, backlog: BACKLOG_WIRES_DEFAULT }
    }

    /// Any free port of 127.0.0.1: reachable from this machine only.
    pub fn loopback() -> ListenAt {
        ListenAt::new(IpAddr::V4(Ipv4Addr::LOCALHOST))
    }

    /// The first free port of this range.
    pub fn ports(mut self, ports: RangeInclusive<u16>) -> ListenAt {
        self.ports = ports;
        self
    }

    /// This port or none.
    pub fn port(self, port: u16) -> ListenAt {
        self.ports(port..=port)
    }

    /// How many wires may wait to be accepted.
    pub fn backlog(mut self, wires: u32) -> ListenAt {
        self.backlog = wires;
        self
    }
}

impl fmt::Display for ListenAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, last) = (self.ports.start(), self.ports.end());
        let interface = self.interface;
        match (first, last) {
            (0, 0) => write!(f, "any port of {interface}"),
            (first, last) if first == last => write!(f, "port {first} of {interface}"),
            (first, last) => write!(f, "ports {first} to {last} of {interface}"),
        }
    }
}
