//! Listeners of the in-memory network and the wires that wait at their door.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use super::wire::MemoryWire;
use super::{NAME, Net, lock, refused};
use crate::error::{Doing, Trouble};
use crate::{Address, BoxFuture, Listener, Wire};

/// The right to stand in a listener's queue.
pub(super) type Place = OwnedSemaphorePermit;

/// Wires that were dialled and not yet accepted.
pub(super) struct Backlog {
    /// `None` once the listener is gone.
    queue: Mutex<Option<VecDeque<(MemoryWire, Place)>>>,
    places: Arc<Semaphore>,
    arrived: Notify,
}

impl Backlog {
    pub(super) fn new(wires: u32) -> Backlog {
        let places = usize::try_from(wires).unwrap_or(usize::MAX).clamp(1, Semaphore::MAX_PERMITS);
        Backlog {
            queue: Mutex::new(Some(VecDeque::new())),
            places: Arc::new(Semaphore::new(places)),
            arrived: Notify::new(),
        }
    }

    /// Waits, in order of arrival, until there is a place.
    pub(super) async fn place(&self) -> io::Result<Place> {
        self.places.clone().acquire_owned().await.map_err(|_| refused())
    }

    pub(super) fn put(&self, wire: MemoryWire, place: Place) -> io::Result<()> {
        match lock(&self.queue).as_mut() {
            Some(queue) => queue.push_back((wire, place)),
            None => return Err(refused()),
        }
        self.arrived.notify_one();
        Ok(())
    }

    /// Turns everybody away: the waiting wires are reset, later diallers refused.
    pub(super) fn close(&self) {
        self.places.close();
        let waiting = lock(&self.queue).take();
        for (wire, _) in waiting.into_iter().flatten() {
            wire.reset();
        }
        self.arrived.notify_one();
    }

    /// The next wire, or nothing yet; an error once closed.
    fn take(&self) -> io::Result<Option<MemoryWire>> {
        match lock(&self.queue).as_mut() {
            Some(queue) => Ok(queue.pop_front().map(|(wire, _)| wire)),
            None => {
                Err(io::Error::new(io::ErrorKind::NotConnected, "the listener is gone: its host has crashed"))
            }
        }
    }
}

pub(super) struct MemoryListener {
    net: Arc<Net>,
    at: Address,
    backlog: Arc<Backlog>,
}

impl MemoryListener {
    pub(super) fn new(net: Arc<Net>, at: Address, backlog: Arc<Backlog>) -> MemoryListener {
        MemoryListener { net, at, backlog }
    }
}

impl Listener for MemoryListener {
    fn accept(&mut self) -> BoxFuture<'_, io::Result<Box<dyn Wire>>> {
        Box::pin(async move {
            loop {
                match self.backlog.take() {
                    Ok(Some(wire)) => return Ok(Box::new(wire) as Box<dyn Wire>),
                    // `notify_one` remembers one call, so nothing that came since `take` is missed.
                    Ok(None) => self.backlog.arrived.notified().await,
                    Err(e) => return Err(Trouble::wrap(NAME, Doing::Accept, &self.at, e)),
                }
            }
        })
    }

    fn local(&self) -> Address {
        self.at.clone()
    }
}

impl Drop for MemoryListener {
    fn drop(&mut self) {
        self.net.forget_listener(&self.at, &self.backlog);
        self.backlog.close();
    }
}
