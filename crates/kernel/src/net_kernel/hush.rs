//! Keeps strangers from filling the log: so many lines at once, then one a second, with a count of what was left out.

use std::collections::BTreeMap;
use std::sync::Mutex;

use proto::Now;

use crate::limits::{STRANGER_LINE_MILLIS, STRANGER_LINES_BURST};

/// What strangers can make us say, each kind with an allowance of its own: noise must not hush up a wrong cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Cookie,
    Flags,
    Disallowed,
    Protocol,
    TimedOut,
    TooMany,
    TooManyDials,
    Closed,
}

/// The allowances of one node.
#[derive(Default)]
pub(super) struct Hush(Mutex<BTreeMap<Kind, Allowance>>);

#[derive(Clone, Copy)]
struct Allowance {
    lines: u32,
    since: Now,
    unsaid: u64,
}

impl Hush {
    /// Whether a line of this kind may be said, and how many were left out since the last one that was.
    pub(super) fn allows(&self, kind: Kind, now: Now) -> Option<u64> {
        let mut kinds = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let fresh = Allowance { lines: STRANGER_LINES_BURST, since: now, unsaid: 0 };
        let allowance = kinds.entry(kind).or_insert(fresh);
        let earned = now.since(allowance.since).as_millis() / u128::from(STRANGER_LINE_MILLIS);
        if earned > 0 {
            let earned = u32::try_from(earned).unwrap_or(STRANGER_LINES_BURST);
            allowance.lines = allowance.lines.saturating_add(earned).min(STRANGER_LINES_BURST);
            allowance.since = now;
        }
        if allowance.lines == 0 {
            allowance.unsaid += 1;
            return None;
        }
        allowance.lines -= 1;
        Some(std::mem::take(&mut allowance.unsaid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_said_then_one_line_a_second_and_nothing_is_uncounted() {
        let hush = Hush::default();
        let said = (0..1000).filter(|_| hush.allows(Kind::Protocol, Now::ZERO).is_some()).count();
        assert_eq!(said as u32, STRANGER_LINES_BURST);
        assert_eq!(hush.allows(Kind::Cookie, Now::ZERO), Some(0), "another kind has lines of its own");
        let later = Now::from_millis(STRANGER_LINE_MILLIS);
        assert_eq!(hush.allows(Kind::Protocol, later), Some(1000 - said as u64));
        assert_eq!(hush.allows(Kind::Protocol, later), None);
    }
}
