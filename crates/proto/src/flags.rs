//! Distribution flags: one table of what a node can announce, since when, who demands it, and whether we say it.

use std::fmt;
use std::ops::{BitAnd, BitOr};

/// A set of distribution flags, as they travel in `send_name` and `challenge`.
///
/// Each side uses the bitwise *and* of both words for the life of the connection.
/// (Erlang Distribution Protocol, "Distribution Flags".)
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Flags(u64);

/// One line of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flag {
    /// The flag itself: one bit.
    pub flag: Flags,
    /// OTP's name for it, without the `DFLAG_` in front.
    pub name: &'static str,
    /// The OTP release (major number) that first announced it; 0 where it is older than anything still alive.
    pub since: u8,
    /// The first OTP release that refuses peers without it; 0 when none does.
    pub required_since: u8,
    /// Whether a visible node of ours announces it.
    pub ours: bool,
}

macro_rules! flags {
    ($($bit:literal $name:ident since $since:literal required $required:literal ours $ours:literal : $doc:literal;)*) => {
        impl Flags {
            $(#[doc = $doc] pub const $name: Flags = Flags(1 << $bit);)*
        }

        /// Every flag that has a name on the wire, lowest bit first.
        pub const TABLE: &[Flag] = &[
            $(Flag {
                flag: Flags::$name, name: stringify!($name), since: $since, required_since: $required, ours: $ours,
            },)*
        ];
    };
}

// Bits 15, 21 and 36 are internal to the BEAM and never travel; 27 to 31 are reserved.
flags! {
    0  PUBLISHED            since 0  required 0  ours true:  "Visible: listed in `nodes()`; counts only when both sides set it.";
    1  ATOM_CACHE           since 0  required 0  ours false: "Obsolete cache of atoms in control messages.";
    2  EXTENDED_REFERENCES  since 0  required 25 ours true:  "References of several words.";
    3  DIST_MONITOR         since 0  required 0  ours true:  "`MONITOR_P` and its family; without it peers' monitors on us never fire.";
    4  FUN_TAGS             since 0  required 25 ours true:  "Funs.";
    5  DIST_MONITOR_NAME    since 0  required 0  ours true:  "Monitors by registered name.";
    6  HIDDEN_ATOM_CACHE    since 0  required 0  ours false: "Obsolete cache of atoms for hidden nodes.";
    7  NEW_FUN_TAGS         since 0  required 25 ours true:  "`NEW_FUN_EXT`.";
    8  EXTENDED_PIDS_PORTS  since 0  required 25 ours true:  "Pids and ports with more bits.";
    9  EXPORT_PTR_TAG       since 0  required 25 ours true:  "`EXPORT_EXT`.";
    10 BIT_BINARIES         since 0  required 25 ours true:  "`BIT_BINARY_EXT`.";
    11 NEW_FLOATS           since 0  required 25 ours true:  "`NEW_FLOAT_EXT`.";
    12 UNICODE_IO           since 0  required 0  ours true:  "Unicode variants of the I/O requests.";
    13 DIST_HDR_ATOM_CACHE  since 0  required 0  ours true:  "Distribution headers with an atom cache in each direction.";
    14 SMALL_ATOM_TAGS      since 0  required 0  ours true:  "`SMALL_ATOM_EXT`.";
    16 UTF8_ATOMS           since 16 required 25 ours true:  "Atoms in UTF-8.";
    17 MAP_TAG              since 17 required 25 ours true:  "`MAP_EXT`.";
    18 BIG_CREATION         since 19 required 25 ours true:  "32-bit creations.";
    19 SEND_SENDER          since 21 required 0  ours true:  "`SEND_SENDER` and `SEND_SENDER_TT`.";
    20 BIG_SEQTRACE_LABELS  since 21 required 0  ours true:  "Any term as a trace label.";
    22 EXIT_PAYLOAD         since 22 required 0  ours true:  "Exit reasons as the message of a packet (`PAYLOAD_*`).";
    23 FRAGMENTS            since 22 required 0  ours true:  "Fragmented packets.";
    24 HANDSHAKE_23         since 23 required 25 ours true:  "The handshake of version 6.";
    25 UNLINK_ID            since 23 required 26 ours true:  "`UNLINK_ID` and its acknowledgement.";
    26 MANDATORY_25_DIGEST  since 25 required 0  ours true:  "Shorthand for everything OTP 25 requires (bit 26; the manual's 36 is a misprint).";
    32 SPAWN                since 23 required 0  ours true:  "`SPAWN_REQUEST` and `SPAWN_REPLY`.";
    33 NAME_ME              since 23 required 0  ours false: "A request for a dynamic node name, not a capability.";
    34 V4_NC                since 24 required 26 ours true:  "Full 32-bit pid fields, 64-bit ports, references of five words.";
    35 ALIAS                since 24 required 0  ours true:  "`ALIAS_SEND` and `ALIAS_SEND_TT`.";
    37 ALTACT_SIG           since 28 required 0  ours true:  "`ALTACT_SIG_SEND`.";
    38 NATIVE_RECORDS       since 29 required 0  ours false: "Native records (tag 67).";
}

impl Flags {
    /// No flag at all.
    pub const NONE: Flags = Flags(0);
    /// What a visible node of ours announces: OTP 27's word and `ALTACT_SIG`.
    pub const OURS: Flags = of_table(Pick::Ours);
    /// What OTP 25 demands of its peers, and what `MANDATORY_25_DIGEST` stands for.
    pub const REQUIRED_25: Flags = of_table(Pick::RequiredUpTo(25));
    /// What OTP 26 to 29 demand of their peers, and so do we.
    pub const REQUIRED_26: Flags = of_table(Pick::RequiredUpTo(26));

    /// The set with exactly these bits, known or not.
    pub const fn from_bits(bits: u64) -> Flags {
        Flags(bits)
    }

    /// The word as it travels.
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// What a visible node announces: [`Flags::OURS`].
    pub const fn ours() -> Flags {
        Flags::OURS
    }

    /// The same set, announced by a hidden node.
    pub const fn hidden(self) -> Flags {
        self.without(Flags::PUBLISHED)
    }

    /// What we demand of a peer: the set of OTP 26 to 29, which every OTP from 25 on announces.
    pub const fn required() -> Flags {
        Flags::REQUIRED_26
    }

    /// With `MANDATORY_25_DIGEST` written out: the peer has all that OTP 25 requires.
    pub const fn expanded(self) -> Flags {
        if self.contains(Flags::MANDATORY_25_DIGEST) { self.or(Flags::REQUIRED_25) } else { self }
    }

    /// What both sets have.
    pub const fn and(self, other: Flags) -> Flags {
        Flags(self.0 & other.0)
    }

    /// What either set has.
    pub const fn or(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }

    /// This set less the flags of `other`.
    pub const fn without(self, other: Flags) -> Flags {
        Flags(self.0 & !other.0)
    }

    /// Whether every flag of `other` is here.
    pub const fn contains(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether no flag is set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The flags of `required` that this (peer's) set lacks, after writing out `MANDATORY_25_DIGEST`.
    pub const fn missing(self, required: Flags) -> Flags {
        required.without(self.expanded())
    }

    /// OTP's names of the flags in this set; bits without a name appear as `BIT_n`.
    pub fn names(self) -> Vec<String> {
        (0..u64::BITS).filter(|bit| self.0 & (1 << bit) != 0).map(name_of).collect()
    }
}

impl BitAnd for Flags {
    type Output = Flags;
    fn bitand(self, other: Flags) -> Flags {
        self.and(other)
    }
}

impl BitOr for Flags {
    type Output = Flags;
    fn bitor(self, other: Flags) -> Flags {
        self.or(other)
    }
}

impl fmt::Display for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names().join(", "))
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Flags({:#x})", self.0)
    }
}

fn name_of(bit: u32) -> String {
    let known = TABLE.iter().find(|row| row.flag.0 == 1 << bit);
    known.map_or_else(|| format!("BIT_{bit}"), |row| row.name.to_owned())
}

enum Pick {
    Ours,
    RequiredUpTo(u8),
}

const fn of_table(pick: Pick) -> Flags {
    let mut bits = 0;
    let mut row = 0;
    while row < TABLE.len() {
        let line = TABLE[row];
        let take = match pick {
            Pick::Ours => line.ours,
            Pick::RequiredUpTo(release) => line.required_since != 0 && line.required_since <= release,
        };
        if take {
            bits |= line.flag.0;
        }
        row += 1;
    }
    Flags(bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_adds_up_to_the_words_seen_on_the_wire() {
        assert_eq!(Flags::OURS.bits(), 0xD_07DF_7FBD | 1 << 37);
        assert_eq!(Flags::OURS.hidden().bits(), 0xD_07DF_7FBC | 1 << 37);
        assert_eq!(Flags::REQUIRED_25.bits(), 0x107_0F94);
        assert_eq!(Flags::REQUIRED_26.bits(), 0x4_0307_0F94);
        assert_eq!(Flags::MANDATORY_25_DIGEST.bits(), 1 << 26);
    }

    #[test]
    fn the_shorthand_counts_as_everything_otp_25_requires() {
        assert!(Flags::from_bits(0x4_0600_0000).missing(Flags::required()).is_empty());
        assert!(Flags::from_bits(0x4_0307_0F94).missing(Flags::required()).is_empty());
        let short = Flags::from_bits(0x107_0F94).missing(Flags::required());
        assert_eq!(format!("missing: {short}"), "missing: UNLINK_ID, V4_NC");
    }

    #[test]
    fn every_release_we_promise_to_speak_with_is_let_in() {
        for word in [0xD_07DF_7FBD, 0x2D_07DF_7FBD, 0x6D_07DF_7FBD, 0x4_0707_4F9C] {
            assert!(Flags::from_bits(word).missing(Flags::required()).is_empty(), "{word:#x}");
        }
    }

    #[test]
    fn a_bit_without_a_name_is_still_shown() {
        assert_eq!(Flags::from_bits(1 << 61 | 1).to_string(), "PUBLISHED, BIT_61");
    }
}
