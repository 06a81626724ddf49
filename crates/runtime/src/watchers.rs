//! Who watches a process from its own node: kept in the slot of the watched, so that a monitor is one look at it.

use crate::table::Seat;

/// Monitors of near processes, each at a place that it keeps.
#[derive(Default)]
pub(crate) struct Watchers {
    places: Vec<Near>,
    /// The first free place and one; every free place names the next.
    free: u32,
}

/// A monitor of a near process: who, and the number of its reference. Numbers begin at 1; 0 is a free place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Near {
    pub(crate) seat: Seat,
    pub(crate) counter: u64,
}

impl Watchers {
    /// Writes a monitor down; its place is how to find it again.
    pub(crate) fn add(&mut self, near: Near) -> u32 {
        match self.free.checked_sub(1) {
            Some(at) => {
                let place = &mut self.places[at as usize];
                self.free = place.seat.id;
                *place = near;
                at
            }
            None => {
                self.places.push(near);
                self.places.len() as u32 - 1
            }
        }
    }

    /// Takes a monitor out; looks for it where the place is not known.
    pub(crate) fn remove(&mut self, at: Option<u32>, near: Near) {
        let at = match at {
            Some(at) => Some(at as usize),
            None => self.places.iter().position(|place| *place == near),
        };
        if let Some(at) = at
            && let Some(place) = self.places.get_mut(at).filter(|place| **place == near)
        {
            *place = Near { seat: Seat { id: self.free, serial: 0 }, counter: 0 };
            self.free = at as u32 + 1;
        }
    }

    /// Takes out the one for which this holds.
    pub(crate) fn take(&mut self, is: impl Fn(Near) -> bool) -> Option<Near> {
        let near = self.iter().find(|near| is(*near))?;
        self.remove(None, near);
        Some(near)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Near> {
        self.places.iter().copied().filter(|place| place.counter != 0)
    }
}
