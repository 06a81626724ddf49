//! Every ceiling of this crate, with its unit last.

/// Processes that one node can have at once. Each costs nothing until it is spawned.
pub const PROCESSES_MAX: u32 = 1 << 24;

/// Bytes that may wait in one lane, or be on their way through its driver. Above: senders pause at their next await.
pub const LANE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Below this many bytes, paused senders of a lane go on.
pub const LANE_BYTES_LOW: usize = LANE_BYTES_MAX / 2;

/// Bytes of answers that may wait for one peer: `noproc`s, acknowledgements, results, and what services say to it. Above,
/// nothing more is started for it until it has read them: what it asks for must not become our memory.
pub const ANSWER_BYTES_MAX: usize = 4 * LANE_BYTES_MAX;

/// Messages of one peer that may wait in the mailboxes of this node's services. Above, the peer is not read from until they
/// are heard: everybody else's wait behind them.
pub const SERVICE_MESSAGES_MAX: usize = 10_000;

/// Processes above which peers cannot start any more: the rest of the table is for this node's own.
pub const PROCESSES_FOR_PEERS_MAX: u32 = PROCESSES_MAX - PROCESSES_MAX / 16;

/// Undecodable terms of peers of which every single one is said; then one per [`GARBLED_LINE_EVERY`].
pub const GARBLED_LINES_BURST: u32 = 20;

/// See [`GARBLED_LINES_BURST`].
pub const GARBLED_LINE_EVERY: std::time::Duration = std::time::Duration::from_secs(1);

/// What a parcel counts in its lane beside its payload, in bytes: about its size in memory.
pub const PARCEL_BYTES: usize = 200;

/// Messages that one poll of a process may take before it must let others run.
pub const RECEIVES_PER_POLL_MAX: u32 = 2_000;

/// So many bytes that a process decodes count as one message more: a mebibyte uses up a poll.
pub const DECODED_BYTES_PER_RECEIVE: usize = 512;

/// Signals of the kind that need no wake-up which may wait in an inbox before they cause one all the same.
pub const LAZY_SIGNALS_MAX: usize = 256;

/// Messages that an empty mailbox keeps room for; a larger one is given back when it is empty.
pub const MAILBOX_ROOM_MESSAGES_MAX: usize = 1_024;

/// Bits of the first word of a reference that every peer keeps.
pub const REF_FIRST_WORD_BITS: u32 = 18;

/// Polls of processes that a worker makes before the other tasks of the executor get their turn.
pub const POLLS_PER_SLICE_MAX: u32 = 512;

/// After this many microseconds too, where several workers share the work.
pub const SLICE_MICROS_MAX: u64 = 200;

/// A process that has waited behind others for this long may be taken over by another worker, in microseconds.
pub const STEAL_AFTER_MICROS: u64 = 500;

/// How often a worker without work looks whether another has too much, in microseconds: at first, …
pub const WATCH_MICROS_MIN: u64 = 1_000;

/// … and when it was never so for a while.
pub const WATCH_MICROS_MAX: u64 = 8_000;

/// Levels, and elements of each, of the reason of a crash in the log.
pub const CRASH_DEPTH_MAX: usize = 30;

/// Characters of the reason of a crash in the log.
pub const CRASH_CHARACTERS_MAX: usize = 4_096;

/// Crashes of processes that a node says in a second; the others are counted.
pub const CRASHES_PER_SEC_MAX: u32 = 100;
