//! Every ceiling of this crate, with its unit last. Each bounds something that a stranger could otherwise make us keep.

// -- handshake -------------------------------------------------------------------------------------------------------

/// Longest handshake message in bytes. The longest honest one carries a name of 255 characters; the rest is room for the
/// "extra bytes after the name" that the protocol tells us to ignore.
pub const HANDSHAKE_FRAME_BYTES_MAX: usize = 4 * 1024;

/// Most bytes that wait unread in a handshake: one frame, and what one generous read of a socket may carry behind it.
pub const HANDSHAKE_BUFFER_BYTES_MAX: usize = 256 * 1024;

/// Longest node name in characters: it is an atom.
pub const NODE_NAME_CHARS_MAX: usize = 255;

/// Longest cookie in characters: it is an atom. One byte each, so this is bytes too.
pub const COOKIE_CHARS_MAX: usize = 255;

/// How long one step of a handshake may take by default, in milliseconds (kernel parameter `net_setuptime`).
pub const HANDSHAKE_STEP_MILLIS_DEFAULT: u64 = 7_000;

// -- EPMD ------------------------------------------------------------------------------------------------------------

/// Where EPMD listens when nobody says otherwise.
pub const EPMD_PORT_DEFAULT: u16 = 4369;

/// Longest EPMD request in bytes, with its two bytes of length: the buffer of Erlang's program is one byte longer.
pub const EPMD_REQUEST_BYTES_MAX: usize = 3_059;

/// Longest name EPMD registers, in characters.
pub const EPMD_NAME_CHARS_MAX: usize = 255;

/// Longest name EPMD registers, in bytes of UTF-8.
pub const EPMD_NAME_BYTES_MAX: usize = 1_020;

/// Longest extra information EPMD keeps for a name, in bytes.
pub const EPMD_EXTRA_BYTES_MAX: usize = 1_020;

/// Names of the dead that EPMD remembers, so that the next node of that name gets the next creation.
pub const EPMD_DEAD_NAMES_MAX: usize = 1_000;

/// The same, in debug mode.
pub const EPMD_DEAD_NAMES_DEBUG_MAX: usize = 5;

/// Clients of one EPMD at once, unless told otherwise: the usual limit of open files.
pub const EPMD_CLIENTS_MAX_DEFAULT: usize = 1_024;

/// How long an EPMD client may take to say its one request, in seconds (`-packet_timeout`).
pub const EPMD_IDLE_SECS_DEFAULT: u64 = 60;

/// Longest answer to `NAMES` or `DUMP` that a client of ours collects, in bytes.
pub const EPMD_LISTING_BYTES_MAX: usize = 4 * 1024 * 1024;

// -- connection ------------------------------------------------------------------------------------------------------

/// Slots of the atom cache of one direction; fixed by the protocol.
pub const ATOM_CACHE_SLOTS: usize = 2_048;

/// Headers that the sending side keeps ready-made, because steady traffic repeats them.
pub const SENT_HEADERS_MAX: usize = 4;

/// Tables of headers that the receiving side keeps, because steady traffic repeats them.
pub const SEEN_HEADERS_MAX: usize = 64;

/// Longest packet we take, in bytes, unless told otherwise. OTP has no limit and sends what was queued before the
/// connection was up in one piece, so this is generous; only bytes seen are ever kept.
pub const FRAME_BYTES_MAX: usize = 512 * 1024 * 1024;

/// Unfinished sequences of fragments of one peer, unless told otherwise: one per sending process, so as many as a busy
/// peer has senders.
pub const FRAGMENTED_MESSAGES_MAX: usize = 65_536;

/// Bytes in the unfinished sequences of one peer, unless told otherwise.
pub const FRAGMENTED_BYTES_MAX: usize = 1024 * 1024 * 1024;

/// Control message and header of an unfinished sequence, in bytes, that are not counted: any signal needs some.
pub const FRAGMENT_HEAD_FREE_BYTES: usize = 256;

/// What a byte of a longer one counts for: a byte on the wire can become a term of this many bytes in memory.
pub const FRAGMENT_HEAD_WEIGHT: usize = 24;

/// Bytes of a payload in one fragment (what OTP uses), and the turn of one sender.
pub const FRAGMENT_BYTES: usize = 64 * 1024;

/// How many bytes of room to make for a read when nothing is known about what comes.
pub const READ_BYTES: usize = 64 * 1024;

/// How many bytes of room to make for a read when a further fragment is about to come: its head, and what stands before.
pub const READ_HEAD_BYTES: usize = 4 * 1024;

/// Fragments of at least this many bytes are read straight to where they belong.
pub const LANDING_BYTES_MIN: usize = 16 * 1024;

/// Pieces of at least this many bytes are handed through instead of copied into the batch.
pub const PASS_BYTES_MIN: usize = 4 * 1024;

/// Size of the batches into which small packets are collected.
pub const BATCH_BYTES: usize = 64 * 1024;

/// What a queued signal counts for besides its payload, in bytes.
pub const QUEUED_SIGNAL_BYTES: usize = 128;

/// Fewest ticks in a tick time (kernel parameter `net_tickintensity`).
pub const TICK_INTENSITY_MIN: u32 = 4;

/// Most ticks in a tick time.
pub const TICK_INTENSITY_MAX: u32 = 1_000;
