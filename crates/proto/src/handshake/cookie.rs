//! The shared secret of a cluster, kept out of every log.

use std::fmt;

use subtle::ConstantTimeEq;

use crate::error::Misuse;
use crate::limits::COOKIE_CHARS_MAX;

/// A cookie: 1 to 255 characters of Latin-1, one byte each in the digest. Its text never appears in `Debug` output.
#[derive(Clone)]
pub struct Cookie(Vec<u8>);

impl Cookie {
    /// Takes the text of a cookie.
    ///
    /// # Errors
    /// When it is empty, longer than an atom may be, or has a character outside Latin-1 (which no OTP node could match).
    pub fn new(text: &str) -> Result<Cookie, Misuse> {
        if text.is_empty() {
            return Err(Misuse::BadCookie("it is empty"));
        }
        let bytes: Option<Vec<u8>> = text.chars().map(|char| u8::try_from(char).ok()).collect();
        let bytes = bytes.ok_or(Misuse::BadCookie("it has characters outside Latin-1"))?;
        if bytes.len() > COOKIE_CHARS_MAX {
            return Err(Misuse::BadCookie("it is longer than 255 characters"));
        }
        Ok(Cookie(bytes))
    }

    /// The bytes that enter the digest. Handle with care: this is the secret.
    pub fn danger_expose(&self) -> &[u8] {
        &self.0
    }
}

impl PartialEq for Cookie {
    fn eq(&self, other: &Cookie) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Cookie {}

impl std::str::FromStr for Cookie {
    type Err = Misuse;
    fn from_str(text: &str) -> Result<Cookie, Misuse> {
        Cookie::new(text)
    }
}

impl fmt::Debug for Cookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cookie(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_never_shows_itself() {
        let cookie = Cookie::new("secret").unwrap();
        assert_eq!(format!("{cookie:?}"), "Cookie(..)");
    }

    #[test]
    fn a_cookie_that_could_never_match_is_refused_at_the_door() {
        assert!(Cookie::new("").is_err());
        assert!(Cookie::new("\u{1f36a}").is_err());
        assert!(Cookie::new(&"x".repeat(256)).is_err());
        assert!(Cookie::new(&"\u{ff}".repeat(255)).is_ok());
        assert_eq!("a".parse(), Cookie::new("a"));
        assert_ne!(Cookie::new("a"), Cookie::new("b"));
    }
}
