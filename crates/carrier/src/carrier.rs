//! The traits: a carrier listens and dials, a listener accepts, a wire carries bytes.

use std::io;
use std::pin::Pin;

use tokio::io::{AsyncRead, AsyncWrite};

use crate::{Address, ListenAt};

/// A future in a box, as the object-safe traits of this crate return them.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The reading half of a wire.
pub type ReadHalf = Box<dyn AsyncRead + Send + Unpin>;

/// The writing half of a wire.
pub type WriteHalf = Box<dyn AsyncWrite + Send + Unpin>;

/// A way to get bytes from host to host: TCP, TLS, QUIC, Unix sockets, memory.
///
/// What a carrier owes the floors above: bytes arrive in the order they were written, each once and unchanged, or
/// the wire ends. Nothing about Erlang is known here. `conformance::all` (feature `conformance`) checks the rest.
pub trait Carrier: Send + Sync + 'static {
    /// The carrier's short name for logs and error texts: `"tcp"`.
    fn name(&self) -> &'static str;

    /// Starts to listen. Ports are tried upward from the first of `at.ports` while they are taken, as OTP does
    /// with `inet_dist_listen_min` and `inet_dist_listen_max`.
    ///
    /// # Errors
    /// `AddrInUse` when the whole range is taken, `InvalidInput` when it is empty, otherwise what the system says.
    fn listen<'a>(&'a self, at: &'a ListenAt) -> BoxFuture<'a, io::Result<Box<dyn Listener>>>;

    /// Reaches out to a listener. Waits as long as the system does: a shorter patience is the caller's timeout.
    ///
    /// # Errors
    /// `ConnectionRefused` when nobody listens there, otherwise what the system says.
    ///
    /// # Cancel-safety
    /// Dropping the future gives up; the listener may still see a wire that ends at once.
    fn dial<'a>(&'a self, to: &'a Address) -> BoxFuture<'a, io::Result<Box<dyn Wire>>>;

    /// Bytes of the length in front of each handshake frame: 2 over TCP, 4 where distribution runs over TLS
    /// (`inet_tls_dist` reads `{packet, 4}` from the start).
    fn handshake_length_bytes(&self) -> usize {
        2
    }
}

/// A port where wires arrive. Dropping it frees the port and turns away those who wait.
pub trait Listener: Send {
    /// The next wire.
    ///
    /// # Errors
    /// An error concerns one dialler, or a shortage that passes (no descriptors left); the listener stays good
    /// and the caller accepts again. [`accept_pause`](crate::accept_pause) tells how long to rest before, and
    /// when the listener itself is gone (`NotConnected`).
    ///
    /// # Cancel-safety
    /// Dropping the future loses no wire. A carrier that greets first (TLS) must keep the half-greeted wire in
    /// the listener, not in the future, and must not let one slow dialler block the next.
    fn accept(&mut self) -> BoxFuture<'_, io::Result<Box<dyn Wire>>>;

    /// Where it listens, with the real port.
    fn local(&self) -> Address;
}

/// Bytes both ways between two hosts.
///
/// # Cancel-safety
/// As tokio's own sockets: a read or write that was not ready has taken nothing, so a future around one poll may
/// be dropped at any time and loses no byte. Half-read frames live in the caller's buffer.
/// (`read_exact` and `write_all` are loops over many polls, and are not cancel-safe over any wire.)
///
/// # Ends
/// `shutdown`, or dropping the writing half, lets the peer read what was written and then end of file, while the
/// other direction goes on. Dropping a whole wire ends both. A wire that broke says so with an error, at the latest
/// at a later write.
///
/// # Vectored writes
/// Are honoured (`is_write_vectored` is true): headers and payloads are written side by side without copying.
pub trait Wire: AsyncRead + AsyncWrite + Send + Unpin {
    /// Who is at the other end, as this end sees it.
    fn peer(&self) -> Address;

    /// This end.
    fn local(&self) -> Address;

    /// Is the peer on this very host? (Compression and the like are not worth it then.)
    fn is_local_peer(&self) -> bool;

    /// Two halves that may live in different tasks, without a lock between them where the carrier can.
    /// Dropping the writing half is the end of file at the peer.
    fn split(self: Box<Self>) -> (ReadHalf, WriteHalf);
}
