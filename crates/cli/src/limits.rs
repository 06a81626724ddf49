//! Every ceiling of the binary, with its unit last in the name.

use std::time::Duration;

/// How long EPMD may take to accept, and to answer. OTP's client waits as long.
pub(crate) const EPMD_TIMEOUT: Duration = Duration::from_secs(10);

/// An answer of EPMD is cut here: 100,000 names fit.
pub(crate) const EPMD_ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;

/// How long a detached EPMD may take until it listens.
pub(crate) const DAEMON_START_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a port may take to accept a connection before the doctor calls it filtered.
pub(crate) const DIAL_TIMEOUT: Duration = Duration::from_secs(3);

/// How long a peer may take for one step of the handshake; OTP's `net_setuptime`.
pub(crate) const HANDSHAKE_STEP_TIMEOUT: Duration = Duration::from_secs(7);

/// How long a node may take to answer `is_auth`.
pub(crate) const IS_AUTH_TIMEOUT: Duration = Duration::from_secs(5);

/// A frame that the doctor reads while it waits for one small answer.
pub(crate) const DOCTOR_FRAME_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Longest line that a member of the cluster may report.
pub(crate) const REPORT_LINE_BYTES_MAX: u64 = 64 * 1024;

/// Times per second that the live table is drawn, at most.
pub(crate) const REDRAWS_PER_SECOND_MAX: u64 = 10;

/// Lines of the story that stay on the screen under the table.
pub(crate) const STORY_LINES_MAX: usize = 14;

/// Lines that members said on standard error, or that nobody understood, kept for the case of a failure.
pub(crate) const MUTTERED_LINES_MAX: usize = 50;

/// How long a watcher may look at what a step has changed before the next one begins.
pub(crate) const SCENE_PAUSE: Duration = Duration::from_millis(1_500);

/// How long members may take to end when they are asked to.
pub(crate) const STAGE_CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// How long `ping` waits, connection and answer together.
pub(crate) const PING_TIMEOUT: Duration = Duration::from_secs(10);

/// How long `call` waits for a value when nothing is said.
pub(crate) const CALL_TIMEOUT: Duration = Duration::from_secs(60);

/// How long a node may take to answer a small question about itself.
pub(crate) const QUESTION_TIMEOUT: Duration = Duration::from_secs(10);

/// How long `stop` waits when nothing is said.
pub(crate) const STOP_TIMEOUT: Duration = Duration::from_secs(30);

/// A cookie file is read so far.
pub(crate) const COOKIE_FILE_BYTES_MAX: u64 = 1024;

/// Processes that one look of `top` examines on their way through all of a node's.
pub(crate) const SWEEP_PROCESSES_MAX: usize = 5_000;

/// Processes of the sweeps before that `top` examines again at every look.
pub(crate) const LEADERS_MAX: usize = 500;

/// Processes that one look examines where each costs a call of its own.
pub(crate) const SINGLE_PROCESSES_MAX: usize = 1_000;

/// Calls under way at a time to a node where each process costs one.
pub(crate) const SINGLE_CALLS_MAX: usize = 32;

/// Processes whose last reductions `top` remembers.
pub(crate) const REMEMBERED_PROCESSES_MAX: usize = 1_000_000;

/// How much of a mistaken argument is said back, in characters.
pub(crate) const SHOWN_CHARS_MAX: usize = 200;

/// Entries that a shell remembers of what was typed.
pub(crate) const HISTORY_LINES_MAX: usize = 1000;

/// One entry of what was typed.
pub(crate) const HISTORY_ENTRY_BYTES_MAX: usize = 64 * 1024;

/// The file of what was typed, as OTP's `shell_history_file_bytes` has it.
pub(crate) const HISTORY_FILE_BYTES_MAX: u64 = 512 * 1024;

/// Expressions that `eval` reads from standard input.
pub(crate) const EVAL_INPUT_BYTES_MAX: u64 = 1024 * 1024;
