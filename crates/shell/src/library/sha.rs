//! SHA-1, SHA-224 and SHA-256 (FIPS 180-4). To tell data apart, not to keep secrets.

/// The message, padded, in blocks of 64 bytes.
fn blocks(data: &[u8]) -> Vec<u8> {
    let mut bytes = data.to_vec();
    bytes.push(0x80);
    while bytes.len() % 64 != 56 {
        bytes.push(0);
    }
    bytes.extend_from_slice(&((data.len() as u64) << 3).to_be_bytes());
    bytes
}

fn words<const N: usize>(block: &[u8]) -> [u32; N] {
    let mut words = [0; N];
    for (word, bytes) in words.iter_mut().zip(block.chunks_exact(4)) {
        *word = bytes.iter().fold(0, |word, byte| word << 8 | u32::from(*byte));
    }
    words
}

fn bytes<const N: usize>(state: &[u32]) -> [u8; N] {
    let mut bytes = [0; N];
    for (to, from) in bytes.iter_mut().zip(state.iter().flat_map(|word| word.to_be_bytes())) {
        *to = from;
    }
    bytes
}

pub(super) fn sha1(data: &[u8]) -> [u8; 20] {
    let mut state = [0x6745_2301u32, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
    for block in blocks(data).chunks_exact(64) {
        let mut w: [u32; 80] = words(block);
        for at in 16..80 {
            w[at] = (w[at - 3] ^ w[at - 8] ^ w[at - 14] ^ w[at - 16]).rotate_left(1);
        }
        let [mut a, mut b, mut c, mut d, mut e] = state;
        for (at, word) in w.iter().enumerate() {
            let (f, k) = match at {
                0..20 => (b & c | !b & d, 0x5a82_7999),
                20..40 => (b ^ c ^ d, 0x6ed9_eba1),
                40..60 => (b & c | b & d | c & d, 0x8f1b_bcdc),
                _ => (b ^ c ^ d, 0xca62_c1d6u32),
            };
            let next = a.rotate_left(5).wrapping_add(f).wrapping_add(e).wrapping_add(k).wrapping_add(*word);
            (a, b, c, d, e) = (next, a, b.rotate_left(30), c, d);
        }
        for (word, more) in state.iter_mut().zip([a, b, c, d, e]) {
            *word = word.wrapping_add(more);
        }
    }
    bytes(&state)
}

/// The first 32 bits of the fractional parts of the roots of the first primes: cube roots for the rounds.
fn round_constants() -> [u32; 64] {
    let mut constants = [0; 64];
    let mut prime = 1u64;
    for constant in &mut constants {
        prime = (prime + 1..).find(|n| (2..*n).all(|d| n % d != 0)).unwrap_or(prime);
        *constant = fraction_of_cube_root(prime);
    }
    constants
}

/// By halving, in integers: the root times 2^32, without its whole part.
fn fraction_of_cube_root(n: u64) -> u32 {
    let (mut low, mut high) = (0u128, 1u128 << 36);
    while high - low > 1 {
        let middle = (low + high) / 2;
        if middle * middle * middle <= u128::from(n) << 96 {
            low = middle;
        } else {
            high = middle;
        }
    }
    low as u32
}

fn sha2(data: &[u8], mut state: [u32; 8]) -> [u32; 8] {
    let k = round_constants();
    for block in blocks(data).chunks_exact(64) {
        let mut w: [u32; 64] = words(block);
        for at in 16..64 {
            let s0 = w[at - 15].rotate_right(7) ^ w[at - 15].rotate_right(18) ^ w[at - 15] >> 3;
            let s1 = w[at - 2].rotate_right(17) ^ w[at - 2].rotate_right(19) ^ w[at - 2] >> 10;
            w[at] = w[at - 16].wrapping_add(s0).wrapping_add(w[at - 7]).wrapping_add(s1);
        }
        let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = state;
        for (constant, word) in k.iter().zip(&w) {
            let s1 = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
            let choice = e & f ^ !e & g;
            let one = h.wrapping_add(s1).wrapping_add(choice).wrapping_add(*constant).wrapping_add(*word);
            let s0 = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
            let two = s0.wrapping_add(a & b ^ a & c ^ b & c);
            (h, g, f, e, d, c, b, a) = (g, f, e, d.wrapping_add(one), c, b, a, one.wrapping_add(two));
        }
        for (word, more) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
            *word = word.wrapping_add(more);
        }
    }
    state
}

pub(super) fn sha256(data: &[u8]) -> [u8; 32] {
    bytes(&sha2(
        data,
        [
            0x6a09_e667,
            0xbb67_ae85,
            0x3c6e_f372,
            0xa54f_f53a,
            0x510e_527f,
            0x9b05_688c,
            0x1f83_d9ab,
            0x5be0_cd19,
        ],
    ))
}

pub(super) fn sha224(data: &[u8]) -> [u8; 28] {
    bytes(&sha2(
        data,
        [
            0xc105_9ed8,
            0x367c_d507,
            0x3070_dd17,
            0xf70e_5939,
            0xffc0_0b31,
            0x6858_1511,
            0x64f9_8fa7,
            0xbefa_4fa4,
        ],
    ))
}
