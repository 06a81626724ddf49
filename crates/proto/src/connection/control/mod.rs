//! Control messages: their operation codes, and both ways between them and [`Signal`](crate::signal::Signal).

pub(crate) mod decode;
pub(crate) mod encode;

macro_rules! opcodes {
    ($($code:literal $name:ident arity $arity:literal payload $payload:literal;)*) => {
        $(pub(crate) const $name: u8 = $code;)*

        /// The codes a peer may send us, at any time and whatever was negotiated: signals that were queued before the
        /// connection was up come in their oldest form.
        pub(crate) const TABLE: &[Opcode] = &[
            $(Opcode { code: $code, name: stringify!($name), arity: $arity, payload: $payload },)*
        ];
    };
}

/// One line of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opcode {
    /// The number on the wire.
    pub(crate) code: u8,
    /// The protocol manual's name.
    pub(crate) name: &'static str,
    /// Elements of the tuple, the code included. For `ALTACT_SIG_SEND` the fewest.
    pub(crate) arity: usize,
    /// Whether a term follows the control message.
    pub(crate) payload: bool,
}

// (Erlang Distribution Protocol, "Control message(s)".) 5, NODE_LINK, is dead: OTP drops the connection.
opcodes! {
    1  LINK                   arity 3 payload false;
    2  SEND                   arity 3 payload true;
    3  EXIT                   arity 4 payload false;
    4  UNLINK                 arity 3 payload false;
    6  REG_SEND               arity 4 payload true;
    7  GROUP_LEADER           arity 3 payload false;
    8  EXIT2                  arity 4 payload false;
    12 SEND_TT                arity 4 payload true;
    13 EXIT_TT                arity 5 payload false;
    16 REG_SEND_TT            arity 5 payload true;
    18 EXIT2_TT               arity 5 payload false;
    19 MONITOR_P              arity 4 payload false;
    20 DEMONITOR_P            arity 4 payload false;
    21 MONITOR_P_EXIT         arity 5 payload false;
    22 SEND_SENDER            arity 3 payload true;
    23 SEND_SENDER_TT         arity 4 payload true;
    24 PAYLOAD_EXIT           arity 3 payload true;
    25 PAYLOAD_EXIT_TT        arity 4 payload true;
    26 PAYLOAD_EXIT2          arity 3 payload true;
    27 PAYLOAD_EXIT2_TT       arity 4 payload true;
    28 PAYLOAD_MONITOR_P_EXIT arity 4 payload true;
    29 SPAWN_REQUEST          arity 6 payload true;
    30 SPAWN_REQUEST_TT       arity 7 payload true;
    31 SPAWN_REPLY            arity 5 payload false;
    32 SPAWN_REPLY_TT         arity 6 payload false;
    33 ALIAS_SEND             arity 3 payload true;
    34 ALIAS_SEND_TT          arity 4 payload true;
    35 UNLINK_ID              arity 4 payload false;
    36 UNLINK_ID_ACK          arity 4 payload false;
    37 ALTACT_SIG_SEND        arity 4 payload true;
}

/// The line of `code`, if the protocol has one.
pub(crate) fn opcode(code: u64) -> Option<&'static Opcode> {
    let place = *PLACES.get(usize::try_from(code).ok()?)?;
    TABLE.get(usize::from(place))
}

/// Where in the table each code stands, so that the lookup is no search.
const PLACES: [u8; 38] = {
    let mut places = [u8::MAX; 38];
    let mut at = 0;
    while at < TABLE.len() {
        places[TABLE[at].code as usize] = at as u8;
        at += 1;
    }
    places
};

/// Flags of `ALTACT_SIG_SEND`.
pub(crate) mod altact {
    /// Sent with `priority`.
    pub(crate) const PRIORITY: u64 = 1;
    /// A fifth element, the trace token, is there.
    pub(crate) const TOKEN: u64 = 2;
    /// The receiver is an alias.
    pub(crate) const ALIAS: u64 = 4;
    /// The receiver is a registered name.
    pub(crate) const NAME: u64 = 8;
    /// The payload is an exit reason, not a message.
    pub(crate) const EXIT: u64 = 16;
}

/// Flags of `SPAWN_REPLY`.
pub(crate) mod spawned {
    /// The link was made.
    pub(crate) const LINKED: u64 = 1;
    /// The monitor was made.
    pub(crate) const MONITORED: u64 = 2;
}

/// Tags of the external term format that control messages are made of.
pub(crate) mod tag {
    pub(crate) const ATOM_CACHE_REF: u8 = 82;
    pub(crate) const NEW_PID: u8 = 88;
    pub(crate) const NEWER_REFERENCE: u8 = 90;
    pub(crate) const SMALL_INTEGER: u8 = 97;
    pub(crate) const INTEGER: u8 = 98;
    pub(crate) const SMALL_TUPLE: u8 = 104;
    pub(crate) const LARGE_TUPLE: u8 = 105;
    pub(crate) const SMALL_BIG: u8 = 110;
    pub(crate) const LARGE_BIG: u8 = 111;
    pub(crate) const ATOM_UTF8: u8 = 118;
    pub(crate) const SMALL_ATOM_UTF8: u8 = 119;
}
