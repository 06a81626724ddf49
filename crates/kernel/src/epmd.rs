//! The daemon: sockets around `proto::epmd::server`. Inside a node where no EPMD runs, or alone (`trunkline epmd`).

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use proto::Now;
use proto::epmd::server::{Config, Effect, Server};
use socket2::{Domain, Socket, Type};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::limits::{EPMD_ADDRESSES_MAX, EPMD_READ_BYTES};

/// How the daemon runs.
#[derive(Clone, Debug)]
pub struct EpmdConfig {
    /// The port; zero lets the system choose.
    pub port: u16,
    /// Interfaces besides the loopback ones, which are always served. Empty: this machine only.
    pub addresses: Vec<IpAddr>,
    /// Whether names can be stopped, and the daemon killed while nodes are registered.
    pub relaxed_command_check: bool,
    /// How often `-d` was said: 0 tells only what is wrong.
    pub debug: u8,
    /// How long a client may take to say its request.
    pub packet_timeout: Duration,
}

impl Default for EpmdConfig {
    fn default() -> EpmdConfig {
        let default = Config::default();
        EpmdConfig {
            port: default.port,
            addresses: Vec::new(),
            relaxed_command_check: false,
            debug: 0,
            packet_timeout: default.idle_timeout,
        }
    }
}

impl EpmdConfig {
    /// As the environment says: `ERL_EPMD_PORT`, `ERL_EPMD_ADDRESS` (comma or space between), and
    /// `ERL_EPMD_RELAXED_COMMAND_CHECK` (any value).
    pub fn from_environment() -> EpmdConfig {
        let addresses = std::env::var("ERL_EPMD_ADDRESS").unwrap_or_default();
        EpmdConfig {
            port: port_from_environment(),
            addresses: addresses.split([',', ' ']).filter_map(|word| word.parse().ok()).collect(),
            relaxed_command_check: std::env::var_os("ERL_EPMD_RELAXED_COMMAND_CHECK").is_some(),
            ..EpmdConfig::default()
        }
    }
}

/// The port of every EPMD we ask or start: `ERL_EPMD_PORT`, or 4369.
pub fn port_from_environment() -> u16 {
    let told = std::env::var("ERL_EPMD_PORT").ok().and_then(|text| text.trim().parse().ok());
    told.unwrap_or(proto::limits::EPMD_PORT_DEFAULT)
}

/// A daemon that has its sockets and does not serve yet.
#[derive(Debug)]
pub struct Epmd {
    config: EpmdConfig,
    listeners: Vec<TcpListener>,
    port: u16,
}

impl Epmd {
    /// Takes the sockets. Must be called inside tokio.
    ///
    /// # Errors
    /// `AddrInUse` when an EPMD runs already; otherwise what the system says about an address that was asked for. A missing
    /// IPv6 loopback is no error.
    pub fn bind(config: EpmdConfig) -> io::Result<Epmd> {
        let mut listeners: Vec<TcpListener> = Vec::new();
        let mut port = config.port;
        for address in interfaces(&config.addresses) {
            if listeners.len() >= EPMD_ADDRESSES_MAX {
                let why = "epmd listens on 16 addresses at most";
                return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
            }
            match listen(SocketAddr::new(address, port)) {
                Ok(listener) => {
                    port = listener.local_addr()?.port();
                    listeners.push(listener);
                }
                // A machine without IPv6 is no reason to stay silent.
                Err(_) if address == Ipv6Addr::LOCALHOST && !config.addresses.contains(&address) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Epmd { config, listeners, port })
    }

    /// Serves on sockets that somebody else has bound, such as systemd; `config` has no say in which these are. Must be called inside
    /// tokio.
    ///
    /// # Errors
    /// `InvalidInput` when there is none, or too many; what the system says about one that does not listen.
    pub fn on(listeners: Vec<std::net::TcpListener>, config: EpmdConfig) -> io::Result<Epmd> {
        let invalid = |why| io::Error::new(io::ErrorKind::InvalidInput, why);
        if listeners.len() > EPMD_ADDRESSES_MAX {
            return Err(invalid("epmd listens on 16 addresses at most"));
        }
        let first = listeners.first().ok_or_else(|| invalid("epmd needs a socket to listen on"))?;
        let port = first.local_addr()?.port();
        let waiting = listeners.into_iter().map(|listener| {
            listener.set_nonblocking(true)?;
            TcpListener::from_std(listener)
        });
        Ok(Epmd { config, listeners: waiting.collect::<io::Result<_>>()?, port })
    }

    /// The port, the real one.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Serves until it is killed by request. `log` hears the lines of the debug levels up to `debug`.
    ///
    /// # Cancel-safety
    /// Dropping the future closes everything.
    pub async fn run(self, log: impl FnMut(&str)) {
        let config = Config {
            port: self.port,
            relaxed_command_check: self.config.relaxed_command_check,
            debug: self.config.debug > 0,
            idle_timeout: self.config.packet_timeout,
            wall_clock_secs: wall_clock_secs(),
            ..Config::default()
        };
        let (events, inbox) = mpsc::channel(EVENTS_MAX);
        let mut tasks = JoinSet::new();
        for listener in self.listeners {
            tasks.spawn(accept(listener, events.clone()));
        }
        let daemon = Daemon {
            server: Server::new(config),
            clients: BTreeMap::new(),
            next_id: 0,
            born: Instant::now(),
            events,
            tasks: JoinSet::new(),
            debug: self.config.debug,
            patience: self.config.packet_timeout,
            log,
        };
        daemon.serve(inbox).await;
    }
}

/// Events that wait for the server, at most: whoever has more to say waits.
const EVENTS_MAX: usize = 256;

/// How long the last replies may take when the daemon ends.
const FAREWELL: Duration = Duration::from_millis(500);

enum Event {
    Connected(TcpStream, SocketAddr),
    Bytes(u64, Vec<u8>),
    Closed(u64),
}

enum Order {
    Reply(Vec<u8>),
    Close,
}

struct Daemon<L> {
    server: Server,
    clients: BTreeMap<u64, mpsc::UnboundedSender<Order>>,
    next_id: u64,
    born: Instant,
    events: mpsc::Sender<Event>,
    tasks: JoinSet<()>,
    debug: u8,
    /// How long a client may take to read its answer.
    patience: Duration,
    log: L,
}

impl<L: FnMut(&str)> Daemon<L> {
    async fn serve(mut self, mut inbox: mpsc::Receiver<Event>) {
        loop {
            let deadline = self.server.poll_deadline();
            tokio::select! {
                biased;
                event = inbox.recv() => match event {
                    Some(event) => self.on(event),
                    None => return,
                },
                () = until(self.born, deadline) => self.server.wake(self.now()),
            }
            while self.tasks.try_join_next().is_some() {}
            if self.drain() {
                let tasks = std::mem::take(&mut self.tasks);
                self.clients.clear();
                let _ = tokio::time::timeout(FAREWELL, tasks.join_all()).await;
                return;
            }
        }
    }

    fn on(&mut self, event: Event) {
        let now = self.now();
        match event {
            Event::Connected(stream, peer) => {
                self.next_id += 1;
                let local = stream.local_addr().map(|local| local.ip().to_canonical());
                let ip = peer.ip().to_canonical();
                let is_local = ip.is_loopback() || local.is_ok_and(|local| local == ip);
                let (orders, inbox) = mpsc::unbounded_channel();
                self.clients.insert(self.next_id, orders);
                self.tasks.spawn(client(self.next_id, stream, inbox, self.events.clone(), self.patience));
                self.server.connected(self.next_id, is_local, now);
            }
            Event::Bytes(id, bytes) => self.server.bytes(id, now, &bytes),
            Event::Closed(id) => {
                self.clients.remove(&id);
                self.server.closed(id);
            }
        }
    }

    /// Does what the server wants done; whether it wants to end.
    fn drain(&mut self) -> bool {
        let mut exit = false;
        while let Some(effect) = self.server.poll_effect() {
            match effect {
                Effect::Reply(id, bytes) => self.order(id, Order::Reply(bytes)),
                Effect::Close(id) => {
                    self.order(id, Order::Close);
                    self.clients.remove(&id);
                }
                Effect::Exit => exit = true,
                Effect::Log(level, line) if level <= self.debug => (self.log)(&line),
                Effect::Log(..) => {}
            }
        }
        exit
    }

    fn order(&mut self, id: u64, order: Order) {
        if let Some(client) = self.clients.get(&id) {
            // A client that is gone already says so with `Closed`.
            let _ = client.send(order);
        }
    }

    fn now(&self) -> Now {
        Now::from_nanos(u64::try_from(self.born.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }
}

/// The loopback ones, and what is asked for; a wildcard covers the others of its kind.
fn interfaces(asked: &[IpAddr]) -> Vec<IpAddr> {
    let mut all = vec![IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)];
    for address in asked {
        if !all.contains(address) {
            all.push(*address);
        }
    }
    let wildcard = |v4: bool| asked.iter().any(|address| address.is_unspecified() && address.is_ipv4() == v4);
    all.retain(|address| address.is_unspecified() || !wildcard(address.is_ipv4()));
    all
}

async fn until(born: Instant, deadline: Option<Now>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(born + deadline.since(Now::ZERO)).await,
        None => std::future::pending().await,
    }
}

fn listen(at: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(at), Type::STREAM, None)?;
    if at.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&at.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

const BACKLOG: i32 = 128;

async fn accept(listener: TcpListener, events: mpsc::Sender<Event>) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                if events.send(Event::Connected(stream, peer)).await.is_err() {
                    return;
                }
            }
            // Out of descriptors, or a client that was gone before it was served: go on, but do not spin.
            Err(_) => tokio::time::sleep(Duration::from_millis(carrier::limits::ACCEPT_PAUSE_MILLIS)).await,
        }
    }
}

async fn client(
    id: u64,
    mut stream: TcpStream,
    mut orders: mpsc::UnboundedReceiver<Order>,
    events: mpsc::Sender<Event>,
    patience: Duration,
) {
    let mut bytes = vec![0; EPMD_READ_BYTES];
    loop {
        tokio::select! {
            biased;
            order = orders.recv() => match order {
                Some(Order::Reply(reply)) => {
                    // Whoever does not read his answer must not keep the socket: the server counts him no more.
                    match tokio::time::timeout(patience, stream.write_all(&reply)).await {
                        Ok(Ok(())) => {}
                        Ok(Err(_)) | Err(_) => break,
                    }
                }
                Some(Order::Close) | None => {
                    let _ = stream.shutdown().await;
                    return;
                }
            },
            read = stream.read(&mut bytes) => match read {
                Ok(0) | Err(_) => break,
                Ok(length) => {
                    if events.send(Event::Bytes(id, bytes[..length].to_vec())).await.is_err() {
                        return;
                    }
                }
            },
        }
    }
    let _ = events.send(Event::Closed(id)).await;
}

/// Creations start from the time of day, so that an EPMD that starts again does not repeat them.
#[allow(clippy::disallowed_methods, reason = "the daemon is the door through which the time of day comes in")]
fn wall_clock_secs() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_always_served_and_a_wildcard_covers_its_kind() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        assert_eq!(interfaces(&[]), [ip("127.0.0.1"), ip("::1")]);
        assert_eq!(interfaces(&[ip("127.0.1.1"), ip("::1")]), [ip("127.0.0.1"), ip("::1"), ip("127.0.1.1")]);
        assert_eq!(interfaces(&[ip("0.0.0.0"), ip("10.0.0.1")]), [ip("::1"), ip("0.0.0.0")]);
        assert_eq!(interfaces(&[ip("::"), ip("0.0.0.0")]), [ip("::"), ip("0.0.0.0")]);
    }
}
