//! The proof: MD5 over the cookie and the other side's challenge, compared in constant time.

use std::fmt;

use md5::{Digest as _, Md5};
use subtle::ConstantTimeEq;

use super::Cookie;

/// What proves a cookie. Two digests compare in constant time.
#[derive(Clone, Copy)]
pub struct Digest([u8; 16]);

/// The digest that answers `challenge`: MD5 of the cookie's bytes followed by the challenge in decimal.
///
/// (Erlang Distribution Protocol, "Semantics of gen_digest".)
pub fn digest(cookie: &Cookie, challenge: u32) -> Digest {
    let mut hash = Md5::new();
    hash.update(cookie.danger_expose());
    hash.update(challenge.to_string().as_bytes());
    Digest(hash.finalize().into())
}

impl Digest {
    /// The digest that travelled as these bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Digest {
        Digest(bytes)
    }

    /// The digest as it travels.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl PartialEq for Digest {
    fn eq(&self, other: &Digest) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Digest {}

impl fmt::Debug for Digest {
    // A digest and its challenge are enough to guess cookies from, so logs get neither.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_otp() {
        let vectors = [
            ("c", 1, "a9f7e97965d6cf799a529102a973b8b9"),
            ("secretcookie", 4_294_967_295, "fbf4996d1d673d18152a8d6477996cb1"),
            ("monster", 305_419_896, "27c17f975376e00523e910cae5eafa3c"),
        ];
        for (cookie, challenge, expected) in vectors {
            let digest = digest(&Cookie::new(cookie).unwrap(), challenge);
            let hex: String = digest.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(hex, expected, "{cookie} {challenge}");
        }
    }
}
