//! An end of an in-memory wire, and its halves.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::link::Link;
use super::pipe::{Found, reset};
use crate::{Address, ReadHalf, Wire, WriteHalf};

pub(super) struct MemoryWire {
    read: Reading,
    write: Writing,
}

/// Dropping it tells the peer's writer, at its next write.
struct Reading {
    link: Arc<Link>,
    side: usize,
    /// Set while the next bytes are on their way.
    alarm: Option<(Instant, Pin<Box<Sleep>>)>,
}

/// Dropping it is the end of file at the peer.
struct Writing {
    link: Arc<Link>,
    side: usize,
}

impl MemoryWire {
    pub(super) fn new(link: Arc<Link>, side: usize) -> MemoryWire {
        let read = Reading { link: link.clone(), side, alarm: None };
        MemoryWire { read, write: Writing { link, side } }
    }

    /// Ends the wire for both with a reset.
    pub(super) fn reset(self) {
        self.write.link.cut();
    }
}

impl Wire for MemoryWire {
    fn peer(&self) -> Address {
        self.read.link.end_of(1 - self.read.side).clone()
    }

    fn local(&self) -> Address {
        self.read.link.end_of(self.read.side).clone()
    }

    fn is_local_peer(&self) -> bool {
        self.read.link.end_of(0).host == self.read.link.end_of(1).host
    }

    fn split(self: Box<Self>) -> (ReadHalf, WriteHalf) {
        (Box::new(self.read), Box::new(self.write))
    }
}

impl AsyncRead for Reading {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        let this = &mut *self;
        loop {
            match this.link.read(this.side, buf, cx) {
                Found::Bytes | Found::EndOfFile => {
                    this.alarm = None;
                    return Poll::Ready(Ok(()));
                }
                Found::Reset => return Poll::Ready(Err(reset())),
                Found::Nothing => return Poll::Pending,
                Found::NotBefore(at) => {
                    if this.alarm.as_ref().is_none_or(|(set, _)| *set != at) {
                        this.alarm = Some((at, Box::pin(tokio::time::sleep_until(at))));
                    }
                    let Some((_, alarm)) = &mut this.alarm else { continue };
                    ready!(alarm.as_mut().poll(cx));
                    this.alarm = None;
                }
            }
        }
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.link.reader_leaves(self.side);
    }
}

impl AsyncWrite for Writing {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.link.poll_write(self.side, &[IoSlice::new(buf)], cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.link.poll_write(self.side, bufs, cx)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.link.finish(self.side);
        Poll::Ready(Ok(()))
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        self.link.finish(self.side);
    }
}

impl AsyncRead for MemoryWire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.read).poll_read(cx, buf)
    }
}

impl AsyncWrite for MemoryWire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.write).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.write).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.write).poll_shutdown(cx)
    }
}
