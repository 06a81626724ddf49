//! Node names as the handshake sees them, who we are, and whose attempt wins when both dial at once.

use super::frames::Framing;
use crate::error::{Misuse, PeerFault};
use crate::flags::Flags;
use crate::limits::NODE_NAME_CHARS_MAX;

/// Who we say we are in a handshake. Checked when made, so that a handshake never fails on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Me {
    pub(super) name: String,
    pub(super) creation: u32,
    pub(super) flags: Flags,
    pub(super) required: Flags,
    pub(super) framing: Framing,
}

impl Me {
    /// A node with a name and a creation, announcing `flags` (usually [`Flags::OURS`], or its hidden variant).
    ///
    /// # Errors
    /// When `name` is not `something@host`, is longer than 255 characters, or has characters outside Latin-1.
    pub fn new(name: &str, creation: u32, flags: Flags) -> Result<Me, Misuse> {
        let fits =
            is_node_name(name) && to_latin1(name).is_some_and(|name| name.len() <= NODE_NAME_CHARS_MAX);
        if !fits {
            return Err(Misuse::BadName(name.to_owned()));
        }
        let flags = flags.without(Flags::NAME_ME);
        let (required, framing) = (Flags::required(), Framing::default());
        Ok(Me { name: name.to_owned(), creation, flags, required, framing })
    }

    /// A node on `host` that asks its first peer for a name. Such a node is hidden. It can only dial, not accept.
    ///
    /// # Errors
    /// When `host` is empty, has an `@`, is too long, or has characters outside Latin-1.
    pub fn nameless(host: &str, flags: Flags) -> Result<Me, Misuse> {
        let fits = is_host(host) && to_latin1(host).is_some_and(|host| host.len() <= NODE_NAME_CHARS_MAX);
        if !fits {
            return Err(Misuse::BadName(host.to_owned()));
        }
        // OTP publishes no dynamically named node: its name must not outlive its first connection.
        let flags = flags.hidden().or(Flags::NAME_ME);
        let (required, framing) = (Flags::required(), Framing::default());
        Ok(Me { name: host.to_owned(), creation: 0, flags, required, framing })
    }

    /// The same node, with another demand on its peers than [`Flags::required`].
    #[must_use]
    pub fn requiring(self, required: Flags) -> Me {
        Me { required, ..self }
    }

    /// The same node, on a carrier that frames handshake messages differently.
    #[must_use]
    pub fn framed(self, framing: Framing) -> Me {
        Me { framing, ..self }
    }

    /// Our full name; only the host when we have none yet.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether we ask for a name.
    pub fn is_nameless(&self) -> bool {
        self.flags.contains(Flags::NAME_ME)
    }
}

/// Whether the text has the form of a node name: exactly one `@`, something on both sides.
/// This is all that OTP checks of a *peer's* name.
pub fn is_node_name(text: &str) -> bool {
    text.split_once('@').is_some_and(|(local, host)| !local.is_empty() && is_host(host))
}

/// Whose attempt survives when two nodes dial each other at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Winner {
    /// Ours: answer the knock with `nok`.
    Me,
    /// The peer's: drop our own attempt, answer the knock with `ok_simultaneous`.
    Peer,
}

/// The attempt of the greater name wins, by byte order of the text. Asked by the side that is knocked at while its own
/// attempt towards the same node is pending. A node that dials itself gets `nok`.
///
/// (Erlang Distribution Protocol, "Handshake": `ok_simultaneous` and `nok`.)
pub fn simultaneous(me: &str, peer: &str) -> Winner {
    if me >= peer { Winner::Me } else { Winner::Peer }
}

/// The name in a `send_name`: a node name, or only a host from a node that asks for a name.
///
/// OTP takes any characters; we take no control characters, because the name of a stranger goes into the log, where it
/// must not begin lines of its own or steer the operator's terminal.
pub(super) fn check_peer_name(name: &str, dynamic: bool) -> Result<(), PeerFault> {
    let well_formed = if dynamic { is_host(name) } else { is_node_name(name) };
    if well_formed && !name.contains(char::is_control) && name.chars().count() <= NODE_NAME_CHARS_MAX {
        return Ok(());
    }
    Err(PeerFault::BadName(name.chars().take(NODE_NAME_CHARS_MAX).collect()))
}

pub(super) fn host_of(name: &str) -> &str {
    name.split_once('@').map_or(name, |(_, host)| host)
}

/// Names travel as Latin-1 in `send_name` and `challenge`.
pub(super) fn from_latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

pub(super) fn to_latin1(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|char| u8::try_from(char).ok()).collect()
}

fn is_host(text: &str) -> bool {
    !text.is_empty() && !text.contains('@')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_name_has_one_at_and_two_halves() {
        assert!(is_node_name("a@b") && is_node_name("x y@127.0.0.1"));
        for bad in ["", "a", "@", "a@", "@b", "a@b@c", "a@@b"] {
            assert!(!is_node_name(bad), "{bad:?}");
        }
    }

    #[test]
    fn a_peer_has_no_control_characters_in_its_name() {
        assert!(check_peer_name("a b@\u{e9}", false).is_ok());
        for bad in ["a\n@b", "a@b\u{1b}[2J", "a\u{9b}@b", "a\0@b"] {
            assert!(check_peer_name(bad, false).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_attempt_of_the_greater_name_wins() {
        assert_eq!(simultaneous("b@h", "a@h"), Winner::Me);
        assert_eq!(simultaneous("a@h", "b@h"), Winner::Peer);
        assert_eq!(simultaneous("B@h", "a@h"), Winner::Peer);
        assert_eq!(simultaneous("a@h", "a@h"), Winner::Me, "a node that dials itself gets nok");
    }

    #[test]
    fn who_we_are_is_checked_once_and_early() {
        assert!(Me::new("a@b", 1, Flags::OURS).is_ok());
        assert!(Me::new("ketchup", 1, Flags::OURS).is_err());
        assert!(Me::new("\u{20ac}@b", 1, Flags::OURS).is_err());
        assert!(Me::new(&format!("{}@b", "a".repeat(254)), 1, Flags::OURS).is_err());
        let nameless = Me::nameless("b", Flags::OURS).unwrap();
        assert!(nameless.is_nameless() && !nameless.flags.contains(Flags::PUBLISHED));
        assert!(Me::nameless("a@b", Flags::OURS).is_err());
    }
}
