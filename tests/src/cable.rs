//! TCP through a cable that can be cut: while it is, no byte passes either way, and nobody is told.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, duplex, split};
use tokio::sync::watch;
use trunkline::carrier::{Address, BoxFuture, Carrier, ListenAt, Listener, ReadHalf, Tcp, Wire, WriteHalf};

/// Bytes that may be inside the cable at once.
const CABLE_BYTES: usize = 64 * 1024;

/// A carrier for one node. Clones are the same cable.
#[derive(Clone, Debug)]
pub struct Cable(watch::Sender<bool>);

impl Default for Cable {
    fn default() -> Cable {
        Cable(watch::Sender::new(true))
    }
}

impl Cable {
    /// From here on nothing passes.
    pub fn cut(&self) {
        self.0.send_replace(false);
    }

    /// Everything passes again, also what was on its way.
    pub fn heal(&self) {
        self.0.send_replace(true);
    }

    async fn whole(&self) {
        // The sender is ours: it is there as long as we look.
        let _ = self.0.subscribe().wait_for(|whole| *whole).await;
    }

    fn through(&self, wire: Box<dyn Wire>) -> Box<dyn Wire> {
        let (peer, local) = (wire.peer(), wire.local());
        let (near, far) = duplex(CABLE_BYTES);
        let (from_wire, to_wire) = wire.split();
        let (from_node, to_node) = split(far);
        tokio::spawn(self.clone().pump(from_wire, to_node));
        tokio::spawn(self.clone().pump(from_node, to_wire));
        Box::new(Strand { near, peer, local })
    }

    async fn pump(self, mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin) {
        let mut bytes = vec![0; CABLE_BYTES];
        loop {
            let read = from.read(&mut bytes).await.unwrap_or(0);
            self.whole().await;
            if read == 0 || to.write_all(&bytes[..read]).await.is_err() {
                let _ = to.shutdown().await;
                return;
            }
        }
    }
}

impl Carrier for Cable {
    fn name(&self) -> &'static str {
        "cable"
    }

    fn listen<'a>(&'a self, at: &'a ListenAt) -> BoxFuture<'a, io::Result<Box<dyn Listener>>> {
        Box::pin(async move {
            let inner = Tcp::new().listen(at).await?;
            Ok(Box::new(Socket { inner, cable: self.clone() }) as Box<dyn Listener>)
        })
    }

    fn dial<'a>(&'a self, to: &'a Address) -> BoxFuture<'a, io::Result<Box<dyn Wire>>> {
        Box::pin(async move {
            self.whole().await;
            Ok(self.through(Tcp::new().dial(to).await?))
        })
    }
}

struct Socket {
    inner: Box<dyn Listener>,
    cable: Cable,
}

impl Listener for Socket {
    fn accept(&mut self) -> BoxFuture<'_, io::Result<Box<dyn Wire>>> {
        Box::pin(async move {
            let wire = self.inner.accept().await?;
            Ok(self.cable.through(wire))
        })
    }

    fn local(&self) -> Address {
        self.inner.local()
    }
}

struct Strand {
    near: DuplexStream,
    peer: Address,
    local: Address,
}

impl Wire for Strand {
    fn peer(&self) -> Address {
        self.peer.clone()
    }

    fn local(&self) -> Address {
        self.local.clone()
    }

    fn is_local_peer(&self) -> bool {
        true
    }

    fn split(self: Box<Self>) -> (ReadHalf, WriteHalf) {
        let (read, write) = split(self.near);
        (Box::new(read), Box::new(write))
    }
}

impl AsyncRead for Strand {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.near).poll_read(cx, bytes)
    }
}

impl AsyncWrite for Strand {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.near).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.near).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.near).poll_shutdown(cx)
    }
}
