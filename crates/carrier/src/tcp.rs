//! Wires over TCP, with the socket options that OTP sets and some it leaves to `inet_dist_connect_options`.

use std::io::{self, IoSlice};
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};

use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::error::{Doing, Trouble};
use crate::limits::SAME_HOST_SEND_BYTES;
use crate::{Address, BoxFuture, Carrier, ListenAt, Listener, ReadHalf, Wire, WriteHalf};

const NAME: &str = "tcp";

/// TCP. `Tcp::new()` is what OTP does by default: `nodelay` on, `keepalive` off, the system's buffers.
#[derive(Clone, Debug)]
pub struct Tcp {
    nodelay: bool,
    keepalive: bool,
    interface: Option<IpAddr>,
    congestion: Option<String>,
    send_buffer_bytes: Option<usize>,
    receive_buffer_bytes: Option<usize>,
}

impl Default for Tcp {
    fn default() -> Tcp {
        Tcp {
            nodelay: true,
            keepalive: false,
            interface: None,
            congestion: None,
            send_buffer_bytes: None,
            receive_buffer_bytes: None,
        }
    }
}

impl Tcp {
    /// TCP as OTP uses it by default.
    pub fn new() -> Tcp {
        Tcp::default()
    }

    /// `TCP_NODELAY`: small writes leave at once. On unless said otherwise (`dist_nodelay`).
    pub fn nodelay(mut self, on: bool) -> Tcp {
        self.nodelay = on;
        self
    }

    /// `SO_KEEPALIVE`. Off unless said otherwise: ticks find a dead peer sooner.
    pub fn keepalive(mut self, on: bool) -> Tcp {
        self.keepalive = on;
        self
    }

    /// The interface that dials leave from (`inet_dist_use_interface`). Where to listen is said in [`ListenAt`].
    pub fn interface(mut self, interface: IpAddr) -> Tcp {
        self.interface = Some(interface);
        self
    }

    /// The congestion control by its name in the system: `"bbr"`, `"cubic"`. Linux and FreeBSD only;
    /// elsewhere dial and listen answer `Unsupported`.
    pub fn congestion(mut self, algorithm: impl Into<String>) -> Tcp {
        self.congestion = Some(algorithm.into());
        self
    }

    /// `SO_SNDBUF` in bytes; the system may round (Linux doubles it).
    pub fn send_buffer_bytes(mut self, bytes: usize) -> Tcp {
        self.send_buffer_bytes = Some(bytes);
        self
    }

    /// `SO_RCVBUF` in bytes; the system may round (Linux doubles it).
    pub fn receive_buffer_bytes(mut self, bytes: usize) -> Tcp {
        self.receive_buffer_bytes = Some(bytes);
        self
    }
}

impl Carrier for Tcp {
    fn name(&self) -> &'static str {
        NAME
    }

    fn listen<'a>(&'a self, at: &'a ListenAt) -> BoxFuture<'a, io::Result<Box<dyn Listener>>> {
        Box::pin(async move {
            let listener = self.listen_in(at).map_err(|e| Trouble::wrap(NAME, Doing::Listen, at, e))?;
            Ok(Box::new(listener) as Box<dyn Listener>)
        })
    }

    fn dial<'a>(&'a self, to: &'a Address) -> BoxFuture<'a, io::Result<Box<dyn Wire>>> {
        Box::pin(async move {
            let wire = self.dial_any(to).await.map_err(|e| Trouble::wrap(NAME, Doing::Dial, to, e))?;
            Ok(Box::new(wire) as Box<dyn Wire>)
        })
    }
}

impl Tcp {
    fn listen_in(&self, at: &ListenAt) -> io::Result<TcpAccept> {
        let mut last = io::Error::new(io::ErrorKind::InvalidInput, "the port range is empty");
        for port in at.ports.clone() {
            match self.listen_on(SocketAddr::new(at.interface, port), at.backlog) {
                Ok(listener) => return Ok(listener),
                Err(e) if e.kind() == io::ErrorKind::AddrInUse => {
                    tracing::debug!(interface = %at.interface, port, "port is taken, trying the next");
                    last = e;
                }
                Err(e) => return Err(e),
            }
        }
        Err(last)
    }

    fn listen_on(&self, at: SocketAddr, backlog: u32) -> io::Result<TcpAccept> {
        let socket = self.socket(at)?;
        // As OTP (`{reuseaddr, true}`): a restarted node gets its port back while old wires are in TIME_WAIT.
        // On Windows the option would let two programs share the port.
        #[cfg(unix)]
        socket.set_reuse_address(true)?;
        socket.bind(&at.into())?;
        socket.listen(i32::try_from(backlog).unwrap_or(i32::MAX).max(1))?;
        let listener = TcpListener::from_std(socket.into())?;
        let local = listener.local_addr()?;
        Ok(TcpAccept { listener, local, tcp: self.clone() })
    }

    async fn dial_any(&self, to: &Address) -> io::Result<TcpWire> {
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        for number in to.resolve().await? {
            match self.dial_one(number).await {
                Ok(wire) => return Ok(wire),
                Err(e) => last = e,
            }
        }
        Err(last)
    }

    async fn dial_one(&self, to: SocketAddr) -> io::Result<TcpWire> {
        let socket = self.socket(to)?;
        if let Some(interface) = self.interface {
            socket.bind(&SocketAddr::new(interface, 0).into())?;
        }
        let stream = TcpSocket::from_std_stream(socket.into()).connect(to).await?;
        let wire = self.wire(stream, to)?;
        // A dial to a free port of our own ephemeral range can meet itself (simultaneous open with one end).
        if wire.local == wire.peer {
            return Err(io::Error::new(
                io::ErrorKind::ConnectionRefused,
                "the dial met itself: nobody listens",
            ));
        }
        Ok(wire)
    }

    /// A socket with everything that must be said before `connect` and `listen`; accepted wires inherit it.
    fn socket(&self, towards: SocketAddr) -> io::Result<Socket> {
        let socket = Socket::new(Domain::for_address(towards), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        if let Some(bytes) = self.send_buffer_bytes {
            socket.set_send_buffer_size(bytes)?;
        }
        if let Some(bytes) = self.receive_buffer_bytes {
            socket.set_recv_buffer_size(bytes)?;
        }
        if let Some(algorithm) = &self.congestion {
            set_congestion(&socket, algorithm)?;
        }
        Ok(socket)
    }

    fn wire(&self, stream: TcpStream, peer: SocketAddr) -> io::Result<TcpWire> {
        stream.set_nodelay(self.nodelay)?;
        if self.keepalive {
            SockRef::from(&stream).set_keepalive(true)?;
        }
        let local = stream.local_addr()?;
        if peer.ip() == local.ip() || peer.ip().is_loopback() {
            self.suit_same_host(&stream);
        }
        Ok(TcpWire { stream, peer, local })
    }
}

impl Tcp {
    /// Within one host there is no path to be gentle with. Pacing (BBR) only costs time there, and what waits in long
    /// buffers only delays what comes after it. Where the system refuses, its defaults stay.
    fn suit_same_host(&self, stream: &TcpStream) {
        let socket = SockRef::from(stream);
        if self.send_buffer_bytes.is_none() {
            let _ = socket.set_send_buffer_size(SAME_HOST_SEND_BYTES);
        }
        #[cfg(any(target_os = "linux", target_os = "freebsd"))]
        if self.congestion.is_none() {
            let _ = socket.set_tcp_congestion(b"reno");
        }
    }
}

#[cfg(any(target_os = "linux", target_os = "freebsd"))]
fn set_congestion(socket: &Socket, algorithm: &str) -> io::Result<()> {
    socket.set_tcp_congestion(algorithm.as_bytes()).map_err(|e| {
        let text = format!(
            "congestion control {algorithm:?}: {e}; see /proc/sys/net/ipv4/tcp_available_congestion_control"
        );
        io::Error::new(e.kind(), text)
    })
}

#[cfg(not(any(target_os = "linux", target_os = "freebsd")))]
fn set_congestion(_: &Socket, algorithm: &str) -> io::Result<()> {
    let text = format!("congestion control {algorithm:?} cannot be chosen on this system; leave it out");
    Err(io::Error::new(io::ErrorKind::Unsupported, text))
}

struct TcpAccept {
    listener: TcpListener,
    local: SocketAddr,
    tcp: Tcp,
}

impl Listener for TcpAccept {
    fn accept(&mut self) -> BoxFuture<'_, io::Result<Box<dyn Wire>>> {
        Box::pin(async move {
            // The only await: once the system has handed the stream over, nothing can be cancelled any more.
            let accepted =
                self.listener.accept().await.and_then(|(stream, peer)| self.tcp.wire(stream, peer));
            let wire =
                accepted.map_err(|e| Trouble::wrap(NAME, Doing::Accept, Address::from(self.local), e))?;
            Ok(Box::new(wire) as Box<dyn Wire>)
        })
    }

    fn local(&self) -> Address {
        self.local.into()
    }
}

struct TcpWire {
    stream: TcpStream,
    peer: SocketAddr,
    local: SocketAddr,
}

impl Wire for TcpWire {
    fn peer(&self) -> Address {
        self.peer.into()
    }

    fn local(&self) -> Address {
        self.local.into()
    }

    fn is_local_peer(&self) -> bool {
        let peer = self.peer.ip().to_canonical();
        peer.is_loopback() || peer == self.local.ip().to_canonical()
    }

    fn split(self: Box<Self>) -> (ReadHalf, WriteHalf) {
        let (read, write) = self.stream.into_split();
        (Box::new(read), Box::new(write))
    }
}

impl AsyncRead for TcpWire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for TcpWire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn pair(tcp: &Tcp) -> (TcpWire, TcpWire) {
        let accept = tcp.listen_in(&ListenAt::loopback()).unwrap();
        let ours = tcp.dial_any(&accept.local()).await.unwrap();
        let (stream, peer) = accept.listener.accept().await.unwrap();
        (ours, accept.tcp.wire(stream, peer).unwrap())
    }

    #[tokio::test]
    async fn nodelay_is_on_by_default_and_keepalive_off_at_both_ends() {
        let (ours, theirs) = pair(&Tcp::new()).await;
        for wire in [&ours, &theirs] {
            assert!(wire.stream.nodelay().unwrap());
            assert!(!SockRef::from(&wire.stream).keepalive().unwrap());
        }
    }

    #[tokio::test]
    async fn options_reach_the_sockets_of_both_ends() {
        let bytes = 32 * 1024;
        let tcp =
            Tcp::new().nodelay(false).keepalive(true).send_buffer_bytes(bytes).receive_buffer_bytes(bytes);
        let (ours, theirs) = pair(&tcp).await;
        let plain = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        for wire in [&ours, &theirs] {
            let socket = SockRef::from(&wire.stream);
            assert!(!wire.stream.nodelay().unwrap());
            assert!(socket.keepalive().unwrap());
            assert!((bytes..=2 * bytes).contains(&socket.send_buffer_size().unwrap()));
            assert_ne!(socket.recv_buffer_size().unwrap(), plain.recv_buffer_size().unwrap());
        }
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn congestion_control_is_chosen_by_name_and_a_wrong_name_is_explained() {
        // Reno is compiled into every Linux.
        let (ours, theirs) = pair(&Tcp::new().congestion("reno")).await;
        for wire in [&ours, &theirs] {
            let name = SockRef::from(&wire.stream).tcp_congestion().unwrap();
            assert!(name.starts_with(b"reno"), "{name:?}");
        }
        let error =
            Tcp::new().congestion("snail").listen(&ListenAt::loopback()).await.map(|_| ()).unwrap_err();
        assert!(error.to_string().contains("snail"), "{error}");
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_dial_leaves_from_the_chosen_interface() {
        let listener = Tcp::new().listen(&ListenAt::loopback()).await.unwrap();
        let from: IpAddr = "127.0.0.2".parse().unwrap();
        let wire = Tcp::new().interface(from).dial(&listener.local()).await.unwrap();
        assert_eq!(wire.local().host, "127.0.0.2");
    }
}
