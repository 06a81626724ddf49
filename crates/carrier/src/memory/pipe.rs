//! One direction of a wire: bytes in order, and when each of them arrives. No locks and no rules here.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::ReadBuf;
use tokio::time::Instant;

use crate::limits::PIPE_BYTES_MAX;

/// When something on its way arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    Now,
    At(Instant),
    /// When the rules let it, which is not now.
    Held,
}

/// How a direction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// In good order: end of file.
    Closed,
    /// Its writer died.
    Reset,
}

/// Some bytes that arrive together, or the end.
#[derive(Debug)]
struct Flight {
    bytes: usize,
    when: When,
    end: Option<End>,
}

/// What a reader finds.
pub(super) enum Found {
    Bytes,
    EndOfFile,
    Reset,
    /// Nothing before then.
    NotBefore(Instant),
    Nothing,
}

#[derive(Debug, Default)]
pub(super) struct Pipe {
    /// Everything written and not yet read; `flights` tells when which part arrives, in the same order.
    bytes: BytesMut,
    flights: VecDeque<Flight>,
    /// The latest arrival promised: nothing that follows may arrive before it.
    promised: Option<Instant>,
    ended: bool,
    reader_gone: bool,
    reader_cut: bool,
    writer_cut: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Pipe {
    /// How many bytes of `wanted` would be taken now. Waits while there is no room, but not for a reader who is gone.
    pub(super) fn offer(&mut self, wanted: usize, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if self.writer_cut {
            return Poll::Ready(Err(reset()));
        }
        if self.ended {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::BrokenPipe, "written after shutdown")));
        }
        let room = PIPE_BYTES_MAX.saturating_sub(self.bytes.len());
        if room == 0 && !self.reader_gone {
            self.wait_to_write(cx);
            return Poll::Pending;
        }
        Poll::Ready(Ok(room.min(wanted)))
    }

    pub(super) fn wait_to_write(&mut self, cx: &mut Context<'_>) {
        set_waker(&mut self.writer, cx);
    }

    /// Takes the first `take` bytes of `bufs`.
    pub(super) fn push(&mut self, bufs: &[IoSlice<'_>], take: usize, when: When) -> Option<Waker> {
        let mut left = take;
        for buf in bufs {
            let part = &buf[..buf.len().min(left)];
            self.bytes.extend_from_slice(part);
            left -= part.len();
        }
        match self.flights.back_mut() {
            Some(last) if last.when == when && last.end.is_none() => last.bytes += take,
            _ => self.flights.push_back(Flight { bytes: take, when, end: None }),
        }
        self.reader.take()
    }

    /// The writer says no more. Only the first end counts.
    pub(super) fn end(&mut self, end: End, when: When) -> Option<Waker> {
        if self.ended || self.writer_cut {
            return None;
        }
        self.ended = true;
        self.flights.push_back(Flight { bytes: 0, when, end: Some(end) });
        self.reader.take()
    }

    /// When something that leaves now arrives: in order, whatever its own delay.
    pub(super) fn arrival(&mut self, after: Option<Duration>) -> When {
        if self.is_held() {
            return When::Held;
        }
        if after.is_none() && self.promised.is_none() {
            return When::Now;
        }
        let now = Instant::now();
        let Some(own) = now.checked_add(after.unwrap_or_default()) else { return When::Held };
        let at = self.promised.map_or(own, |promised| promised.max(own));
        if at <= now {
            self.promised = None;
            return When::Now;
        }
        self.promised = Some(at);
        When::At(at)
    }

    /// Does the direction stall?
    pub(super) fn is_held(&self) -> bool {
        self.flights.back().is_some_and(|last| last.when == When::Held)
    }

    /// Bytes that a rule holds back.
    pub(super) fn held_bytes(&self) -> usize {
        self.flights
            .iter()
            .rev()
            .take_while(|flight| flight.when == When::Held)
            .map(|flight| flight.bytes)
            .sum()
    }

    /// Lets go what was held.
    pub(super) fn release(&mut self, after: Option<Duration>) -> Option<Waker> {
        let first = self.flights.iter().position(|flight| flight.when == When::Held)?;
        let held = self.flights.split_off(first);
        let when = self.arrival(after);
        self.flights.extend(held.into_iter().map(|flight| Flight { when, ..flight }));
        self.reader.take()
    }

    /// Reads what has arrived. The second value is the writer to wake.
    pub(super) fn read(&mut self, buf: &mut ReadBuf<'_>, cx: &mut Context<'_>) -> (Found, Option<Waker>) {
        if self.reader_cut {
            return (Found::Reset, None);
        }
        let before = buf.filled().len();
        let stop = self.fill(buf);
        if buf.filled().len() > before {
            return (Found::Bytes, self.writer.take());
        }
        if matches!(stop, Found::NotBefore(_) | Found::Nothing) {
            set_waker(&mut self.reader, cx);
        }
        (stop, None)
    }

    /// Moves bytes until there is no room or nothing more has arrived; says why it stopped.
    fn fill(&mut self, buf: &mut ReadBuf<'_>) -> Found {
        while let Some(flight) = self.flights.front_mut() {
            match flight.when {
                When::Now => {}
                When::At(at) if at <= Instant::now() => flight.when = When::Now,
                When::At(at) => return Found::NotBefore(at),
                When::Held => return Found::Nothing,
            }
            match flight.end {
                Some(End::Closed) => return Found::EndOfFile,
                Some(End::Reset) => return Found::Reset,
                None => {}
            }
            let part = flight.bytes.min(buf.remaining());
            buf.put_slice(&self.bytes[..part]);
            self.bytes.advance(part);
            flight.bytes -= part;
            if flight.bytes > 0 {
                return Found::Bytes;
            }
            self.flights.pop_front();
        }
        Found::Nothing
    }

    pub(super) fn reader_is_gone(&self) -> bool {
        self.reader_gone
    }

    /// Nobody will read any more. What a rule holds back stays, unread: its writer must not learn before it may.
    pub(super) fn reader_leaves(&mut self) -> Option<Waker> {
        self.reader_gone = true;
        self.reader = None;
        if !self.is_held() {
            self.clear();
        }
        self.writer.take()
    }

    /// The reader has gone and the way is free: what was held falls on the floor, the writer may look again.
    pub(super) fn discard(&mut self) -> Option<Waker> {
        self.clear();
        self.writer.take()
    }

    /// The reader's host died: nobody reads any more, and a read that is still tried is told so.
    pub(super) fn reader_dies(&mut self) -> [Option<Waker>; 2] {
        self.reader_cut = true;
        let reader = self.reader.take();
        [reader, self.reader_leaves()]
    }

    /// The writer's host died.
    pub(super) fn writer_dies(&mut self, when: When) -> [Option<Waker>; 2] {
        let reader = self.end(End::Reset, when);
        self.writer_cut = true;
        [reader, self.writer.take()]
    }

    /// The connection is reset.
    pub(super) fn cut(&mut self) -> [Option<Waker>; 2] {
        self.reader_cut = true;
        self.writer_cut = true;
        self.clear();
        [self.reader.take(), self.writer.take()]
    }

    fn clear(&mut self) {
        self.bytes = BytesMut::new();
        self.flights.clear();
    }
}

fn set_waker(place: &mut Option<Waker>, cx: &mut Context<'_>) {
    match place {
        Some(waker) => waker.clone_from(cx.waker()),
        None => *place = Some(cx.waker().clone()),
    }
}

pub(super) fn reset() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, "the in-memory wire was reset")
}
