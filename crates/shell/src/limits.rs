//! Ceilings: what source, values and programs may cost.

/// Characters of source that are read as one command or one file.
pub const SOURCE_CHARACTERS_MAX: usize = 16 << 20;
/// How deep expressions may nest in one another.
pub const NESTING_LEVELS_MAX: usize = 200;
/// Digits of an integer literal.
pub const INTEGER_DIGITS_MAX: usize = 1 << 20;
/// Bits of an integer that arithmetic makes; beyond it is `system_limit`.
pub const INTEGER_BITS_MAX: u64 = 1 << 26;
/// Bits of a bit string that is built.
pub const BITS_MAX: usize = 1 << 33;
/// Calls that wait for the calls they made, before the process ends with `system_limit`.
pub const CALLS_DEEP_MAX: usize = 2 << 20;
/// Values that wait on the stack of one process.
pub const STACK_VALUES_MAX: usize = 32 << 20;
/// Steps between two breaths: how long a process computes before others have their turn.
pub const STEPS_PER_TURN_MAX: u32 = 4000;
/// Funs of which a process remembers the code it read from them.
pub const FUNS_REMEMBERED_MAX: usize = 256;
/// Evaluations within evaluations.
pub const MACHINES_DEEP_MAX: usize = 16;
/// Calls of a stack trace.
pub const TRACE_CALLS_MAX: usize = 8;
/// Bytes that a process may hold, as estimated; beyond it is killed. `process_flag(max_heap_size, Words)` sets less.
pub const HEAP_BYTES_MAX: u64 = 4 << 30;
/// Bytes that a process may allocate before it is weighed.
pub const HEAP_UNWEIGHED_BYTES_MAX: u64 = 64 << 20;
/// Processes of a node beyond which Erlang's code starts none: the `+P` of OTP 27.
pub const PROCESSES_MAX: usize = 1 << 20;
/// Elements of a list that `lists:seq/2` and its like make at once.
pub const LIST_ELEMENTS_MAX: usize = 1 << 27;
/// Files that include one another.
pub const INCLUDES_DEEP_MAX: usize = 32;
/// Tokens that a file has after its macros were expanded.
pub const TOKENS_MAX: usize = 8 << 20;
/// How deep match specifications may nest.
pub const MATCH_SPEC_LEVELS_MAX: usize = 200;
/// Bytes, as estimated, of all objects in all tables of a node; beyond it is `system_limit`.
pub const ETS_BYTES_MAX: usize = 4 << 30;
/// Tables of a node.
pub const ETS_TABLES_MAX: usize = 1 << 18;
/// How deep in a message to another node funs are looked for, which it knows by other numbers.
pub const FUN_SEARCH_LEVELS_MAX: usize = 100;
/// Bytes of a file that is read as a whole.
pub const FILE_BYTES_MAX: u64 = 4 << 30;
/// Bytes that are read of an open file at once.
pub const FILE_READ_BYTES_MAX: usize = 1 << 30;
/// Files that are open at once.
pub const FILES_OPEN_MAX: usize = 1 << 14;
/// Terms that `persistent_term` keeps.
pub const PERSISTENT_TERMS_MAX: usize = 1 << 20;
/// Cells of all arrays of `counters` and `atomics`, 8 bytes each.
pub const CELLS_MAX: usize = 1 << 24;
/// Commands of `os:cmd/1` that run at once.
pub const COMMANDS_MAX: usize = 256;
/// Bytes of what such a command says; the rest is not kept.
pub const COMMAND_OUTPUT_BYTES_MAX: usize = 256 << 20;
/// Random bytes at once.
pub const RANDOM_BYTES_MAX: usize = 64 << 20;
/// How many commands and results a session remembers.
pub const HISTORY_COMMANDS_MAX: usize = 20;
/// Directories in which modules are looked for.
pub const CODE_PATHS_MAX: usize = 1000;
/// Groups of a regular expression.
pub const PATTERN_GROUPS_MAX: usize = 65_535;
/// How deep groups of a regular expression may nest in one another.
pub const PATTERN_NESTING_MAX: usize = 200;
/// Steps that a regular expression becomes, its repetitions written out.
pub const PATTERN_STEPS_MAX: usize = 1 << 17;
/// How deep a match may look ahead, or call groups of its own, within one another.
pub const MATCH_CALLS_DEEP_MAX: usize = 500;
