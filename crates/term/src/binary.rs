//! Binaries: slices of a shared buffer, most often of the very bytes that came off the wire.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use bytes::Bytes;

/// A run of bytes, 16 bytes in memory, sharing its buffer with whoever else looks at it.
#[derive(Clone)]
pub struct Binary {
    buffer: Arc<Bytes>,
    start: u32,
    length: u32,
}

impl Binary {
    /// A binary over all of `bytes`, nothing copied.
    ///
    /// # Panics
    /// When there are 4 GiB or more: the external format has no length for them.
    pub fn new(bytes: Bytes) -> Binary {
        let length = u32::try_from(bytes.len()).expect("a binary is shorter than 4 GiB");
        Binary { buffer: Arc::new(bytes), start: 0, length }
    }

    /// The slice `start..start + length` of a shared buffer, or `None` when it reaches beyond it.
    #[inline]
    pub fn slice_of(buffer: &Arc<Bytes>, start: usize, length: usize) -> Option<Binary> {
        let end = start.checked_add(length)?;
        if end > buffer.len() || end > u32::MAX as usize {
            return None;
        }
        Some(Binary { buffer: Arc::clone(buffer), start: start as u32, length: length as u32 })
    }

    /// A part of this binary, sharing its buffer; `None` when it reaches beyond the end.
    pub fn part(&self, start: usize, length: usize) -> Option<Binary> {
        if start.checked_add(length)? > self.len() {
            return None;
        }
        Binary::slice_of(&self.buffer, self.start as usize + start, length)
    }

    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        &self.buffer[self.start as usize..self.start as usize + self.length as usize]
    }

    /// The bytes as a [`Bytes`], sharing the buffer.
    pub fn to_bytes(&self) -> Bytes {
        self.buffer.slice(self.start as usize..self.start as usize + self.length as usize)
    }

    /// How many bytes there are.
    pub fn len(&self) -> usize {
        self.length as usize
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }
}

impl PartialEq for Binary {
    fn eq(&self, other: &Binary) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl Eq for Binary {}

impl Hash for Binary {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_slice().hash(state);
    }
}

impl From<Vec<u8>> for Binary {
    fn from(bytes: Vec<u8>) -> Binary {
        Binary::new(bytes.into())
    }
}

impl From<&[u8]> for Binary {
    fn from(bytes: &[u8]) -> Binary {
        Binary::new(Bytes::copy_from_slice(bytes))
    }
}

impl From<&str> for Binary {
    fn from(text: &str) -> Binary {
        Binary::from(text.as_bytes())
    }
}

impl fmt::Debug for Binary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_slice(), f)
    }
}

/// A bit string whose length is no whole number of bytes.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct BitString {
    /// All bytes; of the last one only the upper [`BitString::last_bits`] count, the rest are zero.
    pub bytes: Binary,
    /// How many bits of the last byte count: 1 to 7.
    pub last_bits: u8,
}
