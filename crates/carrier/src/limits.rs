//! Every ceiling of this crate, with the unit in the name.

/// Bytes one direction of an in-memory wire holds before its writer must wait.
pub const PIPE_BYTES_MAX: usize = 64 * 1024;

/// Wires waiting to be accepted, unless [`ListenAt::backlog`](crate::ListenAt) says otherwise. OTP has 128
/// (`inet_tcp_dist`); whoever comes when the queue is full is heard a second later at the earliest, so that a burst of
/// strangers would delay friends. A place in the queue costs next to nothing.
pub const BACKLOG_WIRES_DEFAULT: u32 = 1_024;

/// The first port an in-memory host allots by itself; it counts upward from here to 65535 and starts again.
pub const EPHEMERAL_PORT_FIRST: u16 = 49152;

/// How long to rest after an accept that failed because the machine has run out of something, in milliseconds.
pub const ACCEPT_PAUSE_MILLIS: u64 = 100;

/// `SO_SNDBUF` of a wire within one host, unless told otherwise (Linux doubles it).
pub const SAME_HOST_SEND_BYTES: usize = 256 * 1024;
