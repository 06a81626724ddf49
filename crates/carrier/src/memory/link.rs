//! Two pipes between two hosts, and the rules' say over them.

use std::io::{self, IoSlice};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use tokio::io::ReadBuf;

use super::pipe::{End, Found, Pipe, When, reset};
use super::{Net, lock};
use crate::Address;
use crate::rule::{Crossing, Verdict};

/// Side 0 dialled, side 1 listened. Pipe `n` carries what side `n` writes.
pub(super) struct Link {
    id: u64,
    net: Arc<Net>,
    ends: [Address; 2],
    pipes: Mutex<[Pipe; 2]>,
}

impl Link {
    pub(super) fn new(id: u64, net: Arc<Net>, ends: [Address; 2]) -> Link {
        Link { id, net, ends, pipes: Mutex::default() }
    }

    pub(super) fn end_of(&self, side: usize) -> &Address {
        &self.ends[side]
    }

    /// Writes from `side`; takes what there is room for.
    pub(super) fn poll_write(
        &self,
        side: usize,
        bufs: &[IoSlice<'_>],
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let wanted = bufs.iter().map(|buf| buf.len()).sum();
        if wanted == 0 {
            return Poll::Ready(Ok(0));
        }
        loop {
            let (take, gone) = {
                let pipe = &mut lock(&self.pipes)[side];
                match pipe.offer(wanted, cx) {
                    Poll::Ready(Ok(take)) => (take, pipe.reader_is_gone()),
                    other => return other,
                }
            };
            // The news that the reader has gone comes the other way, and may be held up there.
            let rules = self.net.rules();
            let silent_back = gone && rules.judge(&self.crossing(1 - side, 0)) == Verdict::Drop;
            let (verdict, mut pipes) = self.judged(side, take);
            let pipe = &mut pipes[side];
            if pipe.reader_is_gone() != gone || (gone && !self.net.are_rules(&rules)) {
                continue;
            }
            // A reset may have come while nothing was locked.
            if let Poll::Ready(Err(e)) = pipe.offer(wanted, cx) {
                return Poll::Ready(Err(e));
            }
            let when = match verdict {
                Verdict::Cut => {
                    drop(pipes);
                    self.cut();
                    return Poll::Ready(Err(reset()));
                }
                Verdict::Drop => When::Held,
                _ if silent_back => When::Held,
                _ if gone => {
                    return Poll::Ready(Err(io::Error::new(io::ErrorKind::BrokenPipe, "the peer has gone")));
                }
                Verdict::Deliver(after) => pipe.arrival(Some(after)),
                Verdict::Pass => pipe.arrival(None),
            };
            if take == 0 {
                pipe.wait_to_write(cx);
                return Poll::Pending;
            }
            let reader = pipe.push(bufs, take, when);
            drop(pipes);
            wake([reader]);
            return Poll::Ready(Ok(take));
        }
    }

    /// Reads at `side`.
    pub(super) fn read(&self, side: usize, buf: &mut ReadBuf<'_>, cx: &mut Context<'_>) -> Found {
        let (found, writer) = lock(&self.pipes)[1 - side].read(buf, cx);
        wake([writer]);
        found
    }

    /// `side` writes no more.
    pub(super) fn finish(&self, side: usize) {
        let (verdict, mut pipes) = self.judged(side, 0);
        if verdict == Verdict::Cut {
            drop(pipes);
            return self.cut();
        }
        let when = arrival(&mut pipes[side], verdict);
        let reader = pipes[side].end(End::Closed, when);
        drop(pipes);
        wake([reader]);
    }

    /// `side` reads no more.
    pub(super) fn reader_leaves(&self, side: usize) {
        let writer = lock(&self.pipes)[1 - side].reader_leaves();
        wake([writer]);
    }

    /// The connection is reset, for both.
    pub(super) fn cut(&self) {
        let [one, two] = {
            let mut pipes = lock(&self.pipes);
            [pipes[0].cut(), pipes[1].cut()]
        };
        wake(one);
        wake(two);
    }

    /// One of the hosts died, if it is one of ours.
    pub(super) fn crash(&self, host: &str) {
        let dead = [self.ends[0].host == host, self.ends[1].host == host];
        match dead {
            [true, true] => self.cut(),
            [true, false] => self.crash_side(0),
            [false, true] => self.crash_side(1),
            [false, false] => {}
        }
    }

    fn crash_side(&self, side: usize) {
        let (verdict, mut pipes) = self.judged(side, 0);
        if verdict == Verdict::Cut {
            drop(pipes);
            return self.cut();
        }
        let when = arrival(&mut pipes[side], verdict);
        let outgoing = pipes[side].writer_dies(when);
        let incoming = pipes[1 - side].reader_dies();
        drop(pipes);
        wake(outgoing);
        wake(incoming);
    }

    /// The rules have changed: both directions are put before them.
    pub(super) fn judge_again(&self) {
        for side in 0..2 {
            let held = lock(&self.pipes)[side].held_bytes();
            let (verdict, mut pipes) = self.judged(side, held);
            let after = match verdict {
                Verdict::Cut => {
                    drop(pipes);
                    return self.cut();
                }
                Verdict::Drop => continue,
                Verdict::Deliver(after) => Some(after),
                Verdict::Pass => None,
            };
            // A writer whose reader has gone waits for the rules of either direction.
            let gone = [0, 1].map(|n| if pipes[n].reader_is_gone() { pipes[n].discard() } else { None });
            let reader = pipes[side].release(after);
            drop(pipes);
            wake(gone);
            wake([reader]);
        }
    }

    /// What the rules say about `bytes` from `side`, and the pipes, locked while these are still the rules.
    /// Rules are guests' code: they run without the lock, and run again if they were changed meanwhile.
    fn judged(&self, side: usize, bytes: usize) -> (Verdict, MutexGuard<'_, [Pipe; 2]>) {
        loop {
            let rules = self.net.rules();
            let verdict = rules.judge(&self.crossing(side, bytes));
            let pipes = lock(&self.pipes);
            // Whoever changes the rules puts this link before the new ones afterwards, so what is done
            // under this lock by the old ones is looked at again.
            if self.net.are_rules(&rules) {
                return (verdict, pipes);
            }
        }
    }

    fn crossing(&self, side: usize, bytes: usize) -> Crossing<'_> {
        let (from, to) = (&self.ends[side].host, &self.ends[1 - side].host);
        Crossing { from, to, bytes, port: self.ends[1].port, dial: false }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.net.forget_link(self.id);
    }
}

fn arrival(pipe: &mut Pipe, verdict: Verdict) -> When {
    match verdict {
        Verdict::Drop => When::Held,
        Verdict::Deliver(after) => pipe.arrival(Some(after)),
        Verdict::Pass | Verdict::Cut => pipe.arrival(None),
    }
}

/// Wakes outside the lock: a woken task may end at once, and with it the other end of this very link.
fn wake<const N: usize>(wakers: [Option<Waker>; N]) {
    for waker in wakers.into_iter().flatten() {
        waker.wake();
    }
}
