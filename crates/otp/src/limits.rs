//! Every ceiling of this crate.

use std::time::Duration;

/// How long a call waits when nothing is said: `gen:call`'s default, milliseconds.
pub const CALL_MILLIS_DEFAULT: u64 = 5_000;

/// The same as a time.
pub const CALL_TIME_DEFAULT: Duration = Duration::from_millis(CALL_MILLIS_DEFAULT);

/// How many events `sys:log/2` keeps when nothing is said.
pub const LOG_EVENTS_DEFAULT: usize = 10;

/// How many events `sys:log/2` may be told to keep: whoever asks for more gets so many.
pub const LOG_EVENTS_MAX: usize = 10_000;

/// How many characters of a term go into one report.
pub const REPORT_CHARACTERS_MAX: usize = 16_384;

/// How long a supervisor waits for a worker to end after `shutdown` when nothing is said, milliseconds.
pub const SHUTDOWN_MILLIS_DEFAULT: u64 = 5_000;

/// How often a supervisor restarts children in [`PERIOD_SECONDS_DEFAULT`] when nothing is said.
pub const INTENSITY_DEFAULT: usize = 1;

/// The period of a supervisor's restart intensity when nothing is said, seconds.
pub const PERIOD_SECONDS_DEFAULT: u64 = 5;

/// How long, in milliseconds, an application may take to stop when its node ends.
pub const APPLICATION_SHUTDOWN_MILLIS: u64 = 10_000;
