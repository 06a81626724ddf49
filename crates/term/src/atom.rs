//! Names: small strings, equal by their text. There is no global atom table to fill up.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::limits::ATOM_CHARACTERS_MAX;

/// An Erlang atom: at most 255 characters of text, 16 bytes in memory.
///
/// Up to 14 bytes live in the atom itself; longer ones share one allocation among their clones.
#[derive(Clone)]
pub struct Atom(Repr);

#[derive(Clone)]
enum Repr {
    /// Unused bytes are zero, so two inline atoms are equal when their arrays are.
    Inline(u8, [u8; INLINE_BYTES_MAX]),
    Static(&'static &'static str),
    Shared(Arc<Box<str>>),
}

pub(crate) const INLINE_BYTES_MAX: usize = 14;

impl Atom {
    /// An atom from a text known to be short enough, such as a literal.
    ///
    /// # Panics
    /// When `text` has more than 255 characters. Use [`Atom::try_new`] for text from outside.
    pub fn new(text: &str) -> Atom {
        Atom::try_new(text).expect("an atom has at most 255 characters")
    }

    /// An atom, or `None` when `text` has more than 255 characters.
    pub fn try_new(text: &str) -> Option<Atom> {
        let bytes = text.as_bytes();
        if bytes.len() <= INLINE_BYTES_MAX {
            let mut inline = [0; INLINE_BYTES_MAX];
            inline[..bytes.len()].copy_from_slice(bytes);
            return Some(Atom(Repr::Inline(bytes.len() as u8, inline)));
        }
        if bytes.len() > ATOM_CHARACTERS_MAX && text.chars().count() > ATOM_CHARACTERS_MAX {
            return None;
        }
        Some(Atom(Repr::Shared(Arc::new(text.into()))))
    }

    /// The atom that the first `length` of these bytes are; `None` unless they are short and ASCII.
    ///
    /// Faster than [`Atom::try_new`]: what does not count is masked away, not left uncopied.
    #[inline]
    pub(crate) fn from_start_of(bytes: &[u8; 16], length: u8) -> Option<Atom> {
        const HIGH_BITS: u128 = 0x8080_8080_8080_8080_8080_8080_8080_8080;
        if usize::from(length) > INLINE_BYTES_MAX {
            return None;
        }
        let text = u128::from_le_bytes(*bytes) & ((1 << (8 * u32::from(length))) - 1);
        if text & HIGH_BITS != 0 {
            return None;
        }
        let mut inline = [0; INLINE_BYTES_MAX];
        inline.copy_from_slice(&text.to_le_bytes()[..INLINE_BYTES_MAX]);
        Some(Atom(Repr::Inline(length, inline)))
    }

    /// The bytes and their number, if they lie in the atom itself.
    #[inline]
    pub(crate) fn inline_bytes(&self) -> Option<(&[u8; INLINE_BYTES_MAX], u8)> {
        if let Repr::Inline(length, bytes) = &self.0 { Some((bytes, *length)) } else { None }
    }

    /// A constant atom of at most 14 bytes. A longer text does not compile in a `const`.
    ///
    /// # Panics
    /// When `text` has more than 14 bytes.
    pub const fn inline(text: &'static str) -> Atom {
        let bytes = text.as_bytes();
        assert!(bytes.len() <= INLINE_BYTES_MAX, "use Atom::constant for more than 14 bytes");
        let mut inline = [0; INLINE_BYTES_MAX];
        let mut at = 0;
        while at < bytes.len() {
            inline[at] = bytes[at];
            at += 1;
        }
        Atom(Repr::Inline(bytes.len() as u8, inline))
    }

    /// A constant atom of any length up to 255 bytes, without an allocation.
    ///
    /// # Panics
    /// When `text` has more than 255 bytes.
    pub const fn constant(text: &'static &'static str) -> Atom {
        if text.len() <= INLINE_BYTES_MAX {
            return Atom::inline(text);
        }
        assert!(text.len() <= ATOM_CHARACTERS_MAX, "an atom has at most 255 characters");
        Atom(Repr::Static(text))
    }

    /// The text of the atom.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Repr::Inline(length, bytes) => {
                std::str::from_utf8(&bytes[..*length as usize]).expect("made from a str")
            }
            Repr::Static(text) => text,
            Repr::Shared(text) => text,
        }
    }

    /// The text of the atom as UTF-8 bytes: cheaper than [`Atom::as_str`].
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Repr::Inline(length, bytes) => &bytes[..*length as usize],
            Repr::Static(text) => text.as_bytes(),
            Repr::Shared(text) => text.as_bytes(),
        }
    }
}

impl PartialEq for Atom {
    fn eq(&self, other: &Atom) -> bool {
        match (&self.0, &other.0) {
            (Repr::Inline(a, left), Repr::Inline(b, right)) => a == b && left == right,
            (Repr::Shared(left), Repr::Shared(right)) if Arc::ptr_eq(left, right) => true,
            _ => self.as_bytes() == other.as_bytes(),
        }
    }
}

impl Eq for Atom {}

impl PartialEq<str> for Atom {
    fn eq(&self, other: &str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl PartialEq<&str> for Atom {
    fn eq(&self, other: &&str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Hash for Atom {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

/// By code points, which for UTF-8 is the order of the bytes.
impl Ord for Atom {
    fn cmp(&self, other: &Atom) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl PartialOrd for Atom {
    fn partial_cmp(&self, other: &Atom) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// # Panics
/// When the text has more than 255 characters, as [`Atom::new`] does.
impl From<&Atom> for Atom {
    fn from(atom: &Atom) -> Atom {
        atom.clone()
    }
}

impl From<&str> for Atom {
    fn from(text: &str) -> Atom {
        Atom::new(text)
    }
}

/// The bare text, without the quotes that Erlang's printer would add where they are needed.
impl fmt::Display for Atom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Atom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_atom_is_sixteen_bytes() {
        assert_eq!(size_of::<Atom>(), 16);
    }

    #[test]
    fn atoms_are_equal_by_text_whatever_holds_it() {
        const LONG: Atom = Atom::constant(&"global_name_server");
        assert_eq!(LONG, Atom::new("global_name_server"));
        assert_eq!(Atom::inline("ok"), Atom::new("ok"));
        assert_ne!(Atom::inline("ok"), Atom::new("okay"));
    }

    #[test]
    fn an_atom_counts_characters_not_bytes() {
        assert!(Atom::try_new(&"é".repeat(255)).is_some());
        assert!(Atom::try_new(&"é".repeat(256)).is_none());
        assert!(Atom::try_new(&"a".repeat(256)).is_none());
    }
}
