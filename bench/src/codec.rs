//! Our codec rows, on the very bytes that BEAM's side has written.

use std::fs;
use std::hint::black_box;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use bytes::{Buf, Bytes};
use term::Term;
use term::decode::decode;
use term::encode::encode;

use crate::measure::Measure;
use crate::ours::{Run, took};

/// `size` small tuples each way, a thousand different ones in turn.
pub(crate) fn tuples(run: &Run) -> Result<Vec<Measure>> {
    let encoded = frames(read(&run.folder, "codec_tuple")?)?;
    let terms = encoded.iter().map(understand).collect::<Result<Vec<_>>>()?;
    let rounds = (run.size / terms.len().max(1) as u64).max(1);
    let count = (rounds * terms.len() as u64) as f64;
    let encoding = seconds(rounds, || terms.iter().for_each(|term| drop(black_box(encode(black_box(term))))));
    let decoding =
        seconds(rounds, || encoded.iter().for_each(|bytes| drop(black_box(decode(black_box(bytes))))));
    Ok(vec![
        Measure::new("codec_tuple_encode", count / encoding, "terms/s"),
        Measure::new("codec_tuple_decode", count / decoding, "terms/s"),
    ])
}

pub(crate) fn list(run: &Run) -> Result<Vec<Measure>> {
    bulk(run, "codec_list")
}

pub(crate) fn deep(run: &Run) -> Result<Vec<Measure>> {
    bulk(run, "codec_deep")
}

pub(crate) fn strings(run: &Run) -> Result<Vec<Measure>> {
    bulk(run, "codec_strings")
}

/// One large term again and again, until `size` kilobytes have gone each way.
fn bulk(run: &Run, name: &str) -> Result<Vec<Measure>> {
    let bytes = read(&run.folder, name)?;
    let term = understand(&bytes)?;
    let rounds = (run.size * 1000 / bytes.len().max(1) as u64).max(1);
    let megabytes = (rounds * bytes.len() as u64) as f64 / 1.0e6;
    let encoding = seconds(rounds, || drop(black_box(encode(black_box(&term)))));
    let decoding = seconds(rounds, || drop(black_box(decode(black_box(&bytes)))));
    Ok(vec![
        Measure::new(&format!("{name}_encode"), megabytes / encoding, "MB/s"),
        Measure::new(&format!("{name}_decode"), megabytes / decoding, "MB/s"),
    ])
}

/// Seconds for `rounds` times some work, after a tenth of it to warm up.
fn seconds(rounds: u64, work: impl Fn()) -> f64 {
    (0..rounds / 10).for_each(|_| work());
    took(|| (0..rounds).for_each(|_| work())).as_secs_f64()
}

fn understand(bytes: &Bytes) -> Result<Term> {
    decode(bytes).map_err(|error| anyhow!("our decoder refuses a term of BEAM's: {error}"))
}

fn read(folder: &Path, name: &str) -> Result<Bytes> {
    let file = folder.join(format!("{name}.etf"));
    let bytes =
        fs::read(&file).with_context(|| format!("cannot read {}; run the harness", file.display()))?;
    Ok(Bytes::from(bytes))
}

/// Cuts a file into its terms: each has its length before it, in four bytes.
fn frames(mut bytes: Bytes) -> Result<Vec<Bytes>> {
    let mut found = Vec::new();
    while bytes.has_remaining() {
        let length = bytes.try_get_u32()? as usize;
        if length > bytes.len() {
            return Err(anyhow!("the file of terms is cut short"));
        }
        found.push(bytes.split_to(length));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_frames_is_cut_into_its_terms() {
        let cut = frames(Bytes::from_static(b"\0\0\0\x02ab\0\0\0\x01c")).unwrap();
        assert_eq!(cut, [Bytes::from_static(b"ab"), Bytes::from_static(b"c")]);
        assert!(frames(Bytes::from_static(b"\0\0\0\x02a")).is_err());
    }
}
