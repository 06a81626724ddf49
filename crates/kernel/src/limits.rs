//! Every ceiling of this crate, with its unit last.

/// Longest node name in characters: it is an atom.
pub const NODE_NAME_CHARS_MAX: usize = 255;

/// Wires at once on which the handshake is not finished. One more, and the oldest of the host that has the most is dropped:
/// strangers that only connect cost this many sockets, and an honest peer, which takes milliseconds, is served between them.
pub const HALF_OPEN_WIRES_MAX: usize = 256;

/// Lines of one kind that strangers at the door can make a node log at once; then one per [`STRANGER_LINE_MILLIS`].
pub const STRANGER_LINES_BURST: u32 = 50;

/// See [`STRANGER_LINES_BURST`].
pub const STRANGER_LINE_MILLIS: u64 = 1_000;

/// How long a connection that somebody here wants waits for a peer of that name which knocks but has not proved itself,
/// in milliseconds. An honest handshake takes a few round trips; then we dial, because it may be anybody.
pub const UNPROVED_KNOCK_MILLIS: u64 = 1_000;

/// Nodes of a new peer that we connect to because it says so.
pub const MESH_NODES_MAX: usize = 4_096;

/// Pieces of output that wait to be written, of at most [`OUTPUT_PIECE_BYTES`]. Then who writes waits.
pub const OUTPUT_PIECES_MAX: usize = 64;

/// Longest piece of output, in bytes.
pub const OUTPUT_PIECE_BYTES: usize = 64 * 1024;

/// How long a node that stops waits for its output to be read, in milliseconds.
pub const OUTPUT_FLUSH_MILLIS: u64 = 1_000;

/// Rest before a service that somebody has killed starts again, in milliseconds.
pub const SERVICE_RESTART_MILLIS: u64 = 20;

/// Hosts whose dynamic nodes' names are kept to be given again.
pub const DYNAMIC_HOSTS_MAX: usize = 1_000;

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

/// Parcels that the writer of a connection keeps room for between two batches.
pub const TAKEN_PARCELS_KEPT_MAX: usize = 16 * 1024;

/// Chunks handed to one vectored write.
pub const WRITE_CHUNKS_MAX: usize = 64;

/// Bytes of spawn requests that wait while their sender does not read what it asked for. Above: the connection is closed.
pub const DEFERRED_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Bytes of answers that wait for a peer which does not read them. Above: the connection is closed.
pub const OWED_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Rest before reading on from a peer that does not read what it asked for, in milliseconds.
pub const READ_PAUSE_MILLIS: u64 = 5;

/// Longest rest before reading on from a peer that buries our services under messages, in milliseconds. Not until they are all
/// heard, whatever comes: a service might, by a fault, wait for that very peer.
pub const BURIED_PAUSE_MILLIS_MAX: u64 = 1_000;

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

/// Messages that `global` hears before it lets the processes run that wait behind it: each may change tables and have answers, so that
/// a turn takes about a millisecond.
pub const GLOBAL_MESSAGES_PER_TURN_MAX: u32 = 50;

/// Locks that all peers together may hold in our table of global locks.
pub const GLOBAL_LOCKS_MAX: usize = 10_000;

/// Requests inside one `{requests, _}` of the I/O protocol, nested ones included.
pub const IO_REQUESTS_MAX: usize = 10_000;

/// Processes that wait for input at one group leader.
pub const IO_READERS_MAX: usize = 10_000;

/// Functions that make characters for one group leader at once.
pub const IO_APPLYING_MAX: usize = 1_000;

/// Levels, and elements of each, of a term in a log event of another node.
pub const LOG_DEPTH_MAX: usize = 30;

/// Characters of a log event of another node.
pub const LOG_CHARACTERS_MAX: usize = 8_192;

/// Lines of standard input that wait to be read.
pub const INPUT_LINES_MAX: usize = 16;

/// Names in the global table.
pub const GLOBAL_NAMES_MAX: usize = 1_000_000;

/// Peers that `global` keeps something about.
pub const GLOBAL_PEERS_MAX: usize = 10_000;

/// Lost connections of others that `global` remembers at once, and for how long, in seconds (as OTP).
pub const GLOBAL_LOST_CONNECTIONS_MAX: usize = 10_000;
/// The first time that a locker waits before it locks two partitions for their meeting; it doubles with each refusal.
pub const GLOBAL_FIRST_TRY_MILLIS: u64 = 10;
/// Milliseconds that a new peer has, before `global` meets it, to exchange first words with all others that it connects to. OTP gives
/// it 200 and more.
pub const GLOBAL_FIRST_WORDS_MILLIS: u64 = 100;
/// See [`GLOBAL_LOST_CONNECTIONS_MAX`].
pub const GLOBAL_LOST_CONNECTION_SECS: u64 = 3_600;

/// For how long after a node was lost by one of our partition news of its coming are taken for late, in seconds.
pub const GLOBAL_STALE_NEWS_SECS: u64 = 3;

/// For how long after a node of our partition was lost the others' tales of its loss are taken for the same loss, in seconds:
/// silent nodes are not noticed by all at once.
pub const GLOBAL_SAME_LOSS_SECS: u64 = 30;

/// Attempts to connect to a node that others know, after the first (as OTP).
pub const GLOBAL_CONNECT_RETRIES: u32 = 5;

/// Questions for a name that wait at once until no name is changing.
pub const GLOBAL_WHEREIS_WAITING_MAX: usize = 1_000;

/// Longest wait of `global` for a peer's answer about a lock, in seconds.
pub const GLOBAL_ANSWER_SECS_MAX: u64 = 30;

/// Longest that the lock `global` is held for one meeting of two partitions without any progress, in seconds. Conflict
/// methods run meanwhile, each of them counts as progress.
pub const GLOBAL_HELD_SECS_MAX: u64 = 120;

/// How long a peer that we asked to hang up may take before we do, in seconds.
pub const GLOBAL_REMOVING_SECS_MAX: u64 = 5;

/// How long one of two peers may know the other one-sidedly before the one who does something about it, in seconds.
pub const GLOBAL_ONE_SIDED_SECS_MAX: u64 = 5;

/// How long a visible peer may leave `global`'s greeting without an answer before the operator hears of it, in seconds.
pub const GLOBAL_SILENT_SECS_MAX: u64 = 60;

/// Longest seeded delay of a crossing in a simulation, in microseconds.
pub const SIM_DELAY_MICROS_MAX: u64 = 5_000;

/// Virtual milliseconds between two looks at whether something is so.
pub const SIM_CHECK_MILLIS: u64 = 1;

/// The same, when the wait has been long.
pub const SIM_CHECK_MILLIS_MAX: u64 = 100;

/// Longest wait for something to come true in a simulation, in virtual seconds.
pub const SIM_PATIENCE_SECS: u64 = 3_600;

/// Scope processes of others that one scope of `pg` keeps.
pub const PG_PEERS_MAX: usize = 10_000;

/// Members, counted as often as they joined, that one peer can have in one scope of `pg`.
pub const PG_MEMBERS_OF_PEER_MAX: usize = 4_000_000;

/// Processes that want to hear of changes in one scope of `pg`, counted as often as they asked.
pub const PG_MONITORS_MAX: usize = 1_000_000;

/// How often, in milliseconds, a scope of `pg` looks whether a peer that has too much to read can be told again.
pub const PG_CATCH_UP_MILLIS: u64 = 100;

/// Longest a question to a scope process of our own node may take, in milliseconds: it may just start again.
pub const PG_ANSWER_MILLIS: u64 = 5_000;

/// Elements that a function such as `lists:seq` makes for a caller, at most.
pub const FUNCTION_ITEMS_MAX: usize = 1_000_000;

/// Bytes of text or of a binary that a function such as `string:copies` makes for a caller, at most.
pub const FUNCTION_TEXT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Bits of an integer that a function such as `erlang:bsl` makes for a caller, at most.
pub const FUNCTION_INTEGER_BITS_MAX: u64 = 256 * 1024;

/// Things that `dist_ac` keeps because they came too early, of each kind: weights, loads, starts, events of one decision.
pub const DIST_AC_NOTES_MAX: usize = 10_000;

/// Requests to print that one request may hold, where the output of a call goes to its caller.
pub const STDOUT_REQUESTS_MAX: usize = 10_000;

/// How long a node that is asked to stop waits for the end of the process that was asked, in milliseconds.
pub const STOP_CALLER_MILLIS_MAX: u64 = 1_000;

/// How long its answer may take to get onto the wire after that, in milliseconds.
pub const STOP_GRACE_MILLIS: u64 = 50;

/// How long, in milliseconds, the better of two nodes that stopped an application for each other has to start it again.
pub const DIST_AC_DOUBT_MILLIS: u64 = 1_000;

/// How often a node that is sent from one to the other asks at once who runs an application.
pub const DIST_AC_DOUBTS_MAX: u32 = 8;

/// Tasks, and clients, of one `appmon_info`.
pub const APPMON_TASKS_MAX: usize = 1_000;
/// Names of nodes that `nodes(known)` remembers.
pub const KNOWN_NODES_MAX: usize = 10_000;

/// Longest that a node which loses its name waits until its services have heard that their peers are gone, in milliseconds.
pub const DRAIN_MILLIS_MAX: u64 = 500;

/// How often a name that this node has just given back is asked for again, while EPMD has not noticed, and how long after the
/// last time, in milliseconds.
pub const REGISTER_AGAIN_MAX: u32 = 20;
/// See [`REGISTER_AGAIN_MAX`].
pub const REGISTER_AGAIN_MILLIS: u64 = 25;

/// Dials under way at once that nobody asked for: signals to nodes that are not connected caused them, and peers can cause such
/// signals. More are refused, as if the node could not be reached.
pub const DIALS_UNASKED_MAX: usize = 1_024;

/// How long a change of the tick time takes when nobody says how long, in seconds.
pub const TRANSITION_SECS_DEFAULT: i64 = 60;

/// How often somebody who waits for a peer's connection looks whether it is there, in milliseconds.
pub const PASSIVE_LOOK_MILLIS: u64 = 20;

/// Arguments to which a function can be applied at all; the BEAM has no registers for more. (No function takes more than 255.)
pub const ARGUMENTS_MAX: usize = 1_023;

/// How long, in milliseconds, a start waits while somebody introduces himself or moves applications.
pub const DIST_AC_LOCK_MILLIS: u64 = 100;

/// Longest wait, in milliseconds, for a node to say whether it has a `dist_ac`.
pub const DIST_AC_QUESTION_MILLIS: u64 = 5_000;

/// How long, in milliseconds, until a node that does not know us yet is looked at again.
pub const DIST_AC_STRANGER_MILLIS: u64 = 500;

/// How often, in milliseconds, the boot looks whether the nodes it waits for are there; every 20th time it dials them.
pub const SYNC_NODES_AGAIN_MILLIS: u64 = 25;

/// Configuration files that one may name, and these again.
pub const CONFIG_FILES_MAX: usize = 100;
