//! Every ceiling of this crate, with its unit last.

/// Characters in an atom (the manual's limit; up to 1,020 bytes of UTF-8).
pub const ATOM_CHARACTERS_MAX: usize = 255;

/// Bytes that a compressed term may claim or produce when it is unpacked. OTP sends none over a connection; a small one costs
/// its receiver as much time and memory as this.
pub const INFLATED_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Binaries of at least this many bytes are spliced into an encoded message instead of copied.
pub const SPLICE_BYTES_MIN: usize = 4 * 1024;

/// Bits of a big integer (what OTP 27 and later accept).
pub const BIG_INTEGER_BITS_MAX: u64 = 4_194_240;

/// Levels of nesting down to which a term is broken into lines when it is printed.
pub const PRETTY_LEVELS_MAX: usize = 256;

/// Bytes of a text that is read as terms.
pub const READ_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Bits of one segment of a binary in a text: few characters must not become much memory.
pub const READ_SEGMENT_BITS_MAX: usize = 4096;

/// Levels of nesting down to which serde types are read: there the recursion is serde's.
pub const SERDE_LEVELS_MAX: usize = 128;

/// Bytes of a text that [`crate::format`] makes, and characters of one field.
pub const FORMAT_BYTES_MAX: usize = 16 * 1024 * 1024;
