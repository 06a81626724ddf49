//! Every ceiling of this crate, with its unit last.

/// Longest node name in characters: it is an atom.
pub const NODE_NAME_CHARS_MAX: usize = 255;

/// Wires at once on which the handshake is not finished. One more, and the oldest is dropped: strangers that only
/// connect cost this many sockets, and an honest peer, which takes milliseconds, is served between them.
pub const HALF_OPEN_WIRES_MAX: usize = 256;

/// Longest a whole handshake may take, in milliseconds (kernel parameter `net_setuptime`; OTP restarts it at each step,
/// we do not).
pub const SETUP_MILLIS_DEFAULT: u64 = 7_000;

/// Longest `net_setuptime` that OTP takes, in milliseconds.
pub const SETUP_MILLIS_MAX: u64 = 120_000;

/// Seconds of silence after which a peer is believed dead (kernel parameter `net_ticktime`).
pub const NET_TICKTIME_SECS_DEFAULT: u32 = 60;

/// Ticks per `net_ticktime` (kernel parameter `net_tickintensity`).
pub const NET_TICKINTENSITY_DEFAULT: u32 = 4;

/// Bytes the writer of a connection asks for at once.
pub const WRITE_BATCH_BYTES: usize = 256 * 1024;

/// Chunks handed to one vectored write.
pub const WRITE_CHUNKS_MAX: usize = 64;

/// Rest before reading on from a peer, when a receiver on this node cannot keep up, in milliseconds.
pub const READ_PAUSE_MILLIS: u64 = 5;

/// Bytes read from a handshake at once.
pub const HANDSHAKE_READ_BYTES: usize = 1024;

/// Longest cookie file that is read, in bytes.
pub const COOKIE_FILE_BYTES_MAX: u64 = 4 * 1024;

/// Letters of a cookie that we make.
pub const COOKIE_LETTERS: usize = 20;

/// Wait before asking a dead EPMD again, in milliseconds (as `erl_epmd`).
pub const EPMD_RETRY_MILLIS: u64 = 2_000;

/// Longest wait for an answer of EPMD, in milliseconds (as `erl_epmd`).
pub const EPMD_ANSWER_MILLIS: u64 = 10_000;

/// Longest wait for an EPMD that we have just started, in milliseconds.
pub const EPMD_START_MILLIS: u64 = 2_000;

/// Bytes read from an EPMD client or server at once.
pub const EPMD_READ_BYTES: usize = 4 * 1024;

/// Sockets an EPMD listens on.
pub const EPMD_ADDRESSES_MAX: usize = 16;

/// Names given to dynamic nodes of one host that wait to be given again, at most.
pub const DYNAMIC_NAMES_FREE_MAX: usize = 1_000;

/// Longest wait for the answer of a new peer about its own peers, in milliseconds.
pub const MESH_ANSWER_MILLIS: u64 = 10_000;

/// Locks that all peers together may hold in our table of global locks.
pub const GLOBAL_LOCKS_MAX: usize = 10_000;

/// Widest field that `io_lib:format` pads, in characters.
pub const FORMAT_WIDTH_MAX: usize = 4_096;

/// Requests inside one `{requests, _}` of the I/O protocol, nested ones included.
pub const IO_REQUESTS_MAX: usize = 10_000;
