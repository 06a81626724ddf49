//! A connection after its handshake: signals to bytes, bytes to signals, ticks. Three machines, no I/O, no clock.
//!
//! Reading and writing happen in different tasks, so the connection is cut in two: [`Outbound`] takes parcels and gives
//! chunks of bytes, [`Inbound`] takes bytes and gives arrivals. They share nothing but the negotiated flags.
//! [`Ticks`] decides when silence is broken, and when it means death.
//!
//! ```text
//! parcels → Outbound::push … Outbound::fill → chunks ═══ wire ═══ bytes → Inbound::receive → arrivals
//! ```

pub mod atom_cache;
pub mod control;
pub mod fragments;
mod inbound;
mod outbound;
mod ticks;

#[cfg(test)]
mod tests;

pub use inbound::{Ceilings, Inbound};
pub use outbound::{Filled, Outbound, Refusal, Refused};
pub use ticks::{TickAction, TickChange, Ticks};

use crate::flags::Flags;

/// What one direction of a connection has carried since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Packets, ticks and fragments included: what the tick algorithm counts.
    pub packets: u64,
    /// Bytes, with the four of each packet's length.
    pub bytes: u64,
    /// Ticks among the packets.
    pub ticks: u64,
    /// Whole signals.
    pub signals: u64,
}

/// What the packets of a connection look like; both directions agree.
/// (Erlang Distribution Protocol, "Protocol between Connected Nodes".)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// `131 68 Header …`: atoms stand in the header and in a cache.
    Cached,
    /// `131 68 0 …`: headers that are always empty, because only fragments were negotiated.
    Bare,
    /// `112 131 Control [131 Message]`: neither cache nor fragments.
    PassThrough,
}

impl Style {
    /// The style that the negotiated flags ask for.
    pub(crate) fn of(negotiated: Flags) -> Style {
        if negotiated.contains(Flags::DIST_HDR_ATOM_CACHE) {
            Style::Cached
        } else if negotiated.contains(Flags::FRAGMENTS) {
            Style::Bare
        } else {
            Style::PassThrough
        }
    }
}

/// `112`, the first byte of a packet without a header.
pub(crate) const PASS_THROUGH: u8 = 112;
/// `131`, the version byte before headers and terms.
pub(crate) const VERSION: u8 = 131;
/// `131 68`: a packet that holds a whole signal.
pub(crate) const HEADER: u8 = 68;
/// `131 69`: the first fragment of a signal.
pub(crate) const FRAGMENT_FIRST: u8 = 69;
/// `131 70`: a further fragment.
pub(crate) const FRAGMENT_NEXT: u8 = 70;
