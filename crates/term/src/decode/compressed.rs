//! Compressed terms: 131, 80, the length of what they unpack to, and a zlib stream.

use std::io::Read;

use bytes::Bytes;
use flate2::read::ZlibDecoder;

use super::DecodeError;
use crate::limits::INFLATED_BYTES_MAX;

/// The bytes of the term (no version byte) that `bytes`, a whole compressed term, unpack to.
///
/// Memory grows with what comes out, never with what is claimed.
pub(super) fn inflate(bytes: &Bytes) -> Result<Bytes, DecodeError> {
    let failed = |what| DecodeError { what, at: 2 };
    let Some((claimed, packed)) = bytes[2..].split_first_chunk::<4>() else {
        return Err(failed("a compressed term has no length"));
    };
    let claimed = u32::from_be_bytes(*claimed) as usize;
    if claimed > INFLATED_BYTES_MAX {
        return Err(failed("a compressed term claims more than the ceiling INFLATED_BYTES_MAX"));
    }
    let mut decoder = ZlibDecoder::new(packed);
    let mut plain = Vec::new();
    let read = (&mut decoder).take(claimed as u64 + 1).read_to_end(&mut plain);
    if read.is_err() {
        return Err(failed("a compressed term is damaged"));
    }
    if plain.len() != claimed {
        return Err(failed("a compressed term does not unpack to the length it claims"));
    }
    if decoder.total_in() < packed.len() as u64 {
        return Err(failed("the compressed term ends before its bytes do"));
    }
    Ok(plain.into())
}
