//! `file`: files that are open, by number. Whoever opens one has a process that closes it: see `erl/file.erl`.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::sync::PoisonError;

use trunkline::term::Term;

use super::{BADARG, Done, Failed, answer, fine, path, refuse_endless};
use crate::library::Row;
use crate::library::args::{int, iodata, items, ok, size};
use crate::limits::{FILE_READ_BYTES_MAX, FILES_OPEN_MAX};
use crate::machine::Machine;
use crate::machine::code::After;
use crate::machine::code::Native::Step;
use crate::raise::Result;

/// The files that are open.
#[derive(Default)]
pub(crate) struct Files {
    open: BTreeMap<i64, Handle>,
    last: i64,
}

struct Handle {
    file: File,
    /// What was read ahead of whoever reads lines, and how much of it was taken.
    ahead: Vec<u8>,
    taken: usize,
}

/// Bytes that are read ahead.
const AHEAD_BYTES: usize = 16 << 10;

pub(in crate::library) const TABLE: &[Row] = &[
    ("-open", 2, Step(|m, _, a| done(open(m, &a[0], &a[1])))),
    ("-close", 1, Step(|m, _, a| done(close(m, int(&a[0])?)))),
    ("-read", 2, Step(|m, _, a| done(with(m, &a[0], |file| file.read(size(&a[1]).map_err(|_| BADARG)?))))),
    ("-read_line", 1, Step(|m, _, a| done(with(m, &a[0], Handle::read_line)))),
    (
        "-write",
        2,
        Step(|m, _, a| {
            done(with(m, &a[0], |handle| {
                let data = iodata(&a[1]).map_err(|_| BADARG)?;
                handle.settle()?;
                handle.file.write_all(&data)?;
                Ok(fine())
            }))
        }),
    ),
    ("-position", 2, Step(|m, _, a| done(with(m, &a[0], |handle| handle.position(&a[1]))))),
    ("-pread", 3, Step(|m, _, a| done(with(m, &a[0], |handle| pread(&handle.file, &a[1], &a[2]))))),
    (
        "-pwrite",
        3,
        Step(|m, _, a| {
            done(with(m, &a[0], |handle| {
                let at = size(&a[1]).map_err(|_| Failed("einval"))?;
                handle.file.write_all_at(&iodata(&a[2]).map_err(|_| BADARG)?, at as u64)?;
                Ok(fine())
            }))
        }),
    ),
    (
        "-truncate",
        1,
        Step(|m, _, a| {
            done(with(m, &a[0], |handle| {
                handle.settle()?;
                let at = handle.file.stream_position()?;
                handle.file.set_len(at)?;
                Ok(fine())
            }))
        }),
    ),
    (
        "-sync",
        1,
        Step(|m, _, a| {
            done(with(m, &a[0], |handle| {
                handle.file.sync_all()?;
                Ok(fine())
            }))
        }),
    ),
];

fn done(value: Done<Term>) -> Result<After> {
    answer(value).map(After::Value)
}

fn with(machine: &Machine, id: &Term, f: impl FnOnce(&mut Handle) -> Done<Term>) -> Done<Term> {
    let mut files = machine.vm.files.lock().unwrap_or_else(PoisonError::into_inner);
    let handle = id.as_int().and_then(|id| files.open.get_mut(&id));
    f(handle.ok_or(Failed("einval"))?)
}

fn open(machine: &Machine, at: &Term, modes: &Term) -> Done<Term> {
    let path = path(at)?;
    let modes = items(modes).map_err(|_| BADARG)?;
    let has = |word: &str| modes.iter().any(|mode| mode.is_atom(word));
    refuse_endless(&path)?;
    let (read, write) = (has("read"), has("write"));
    let (append, exclusive) = (has("append"), has("exclusive"));
    let mut options = OpenOptions::new();
    // `write` alone empties the file, together with `read` it does not.
    options.read(read || !(write || append || exclusive)).write(write || exclusive).append(append);
    options.create(write || append).create_new(exclusive);
    options.truncate(write && !read && !append && !exclusive);
    let file = options.open(path)?;
    if file.metadata()?.is_dir() && !has("directory") {
        return Err(Failed("eisdir"));
    }
    let mut files = machine.vm.files.lock().unwrap_or_else(PoisonError::into_inner);
    if files.open.len() >= FILES_OPEN_MAX {
        return Err(Failed("emfile"));
    }
    files.last += 1;
    let id = files.last;
    files.open.insert(id, Handle { file, ahead: Vec::new(), taken: 0 });
    Ok(ok(Term::Int(id)))
}

fn close(machine: &Machine, id: i64) -> Done<Term> {
    let mut files = machine.vm.files.lock().unwrap_or_else(PoisonError::into_inner);
    files.open.remove(&id).map(|_| fine()).ok_or(Failed("einval"))
}

fn bytes_or_eof(bytes: Vec<u8>) -> Term {
    if bytes.is_empty() { Term::atom("eof") } else { ok(Term::Binary(bytes.into())) }
}

fn pread(file: &File, at: &Term, count: &Term) -> Done<Term> {
    let at = size(at).map_err(|_| Failed("einval"))? as u64;
    let count = size(count).map_err(|_| BADARG)?.min(FILE_READ_BYTES_MAX);
    let mut bytes = Vec::new();
    let mut part = vec![0; count.min(AHEAD_BYTES)];
    while bytes.len() < count {
        let want = part.len().min(count - bytes.len());
        let read = file.read_at(&mut part[..want], at + bytes.len() as u64)?;
        if read == 0 {
            break;
        }
        bytes.extend_from_slice(&part[..read]);
    }
    if count == 0 { Ok(ok(Term::Binary(Vec::new().into()))) } else { Ok(bytes_or_eof(bytes)) }
}

impl Handle {
    fn rest(&self) -> &[u8] {
        &self.ahead[self.taken..]
    }

    /// Takes so many bytes of what was read ahead.
    fn take(&mut self, count: usize) -> Vec<u8> {
        let bytes = self.rest()[..count].to_vec();
        self.taken += count;
        bytes
    }

    /// Reads ahead; whether there was anything.
    fn fill(&mut self) -> Done<bool> {
        self.ahead.drain(..self.taken);
        self.taken = 0;
        let before = self.ahead.len();
        (&mut self.file).take(AHEAD_BYTES as u64).read_to_end(&mut self.ahead)?;
        Ok(self.ahead.len() > before)
    }

    fn read(&mut self, count: usize) -> Done<Term> {
        if count == 0 {
            return Ok(ok(Term::Binary(Vec::new().into())));
        }
        let count = count.min(FILE_READ_BYTES_MAX);
        while self.rest().len() < count && self.fill()? {}
        let count = count.min(self.rest().len());
        Ok(bytes_or_eof(self.take(count)))
    }

    /// A line with its end; the last may have none.
    fn read_line(&mut self) -> Done<Term> {
        let mut looked = 0;
        loop {
            if let Some(at) = self.rest()[looked..].iter().position(|byte| *byte == b'\n') {
                let mut line = self.take(looked + at + 1);
                if line.ends_with(b"\r\n") {
                    line.truncate(line.len() - 2);
                    line.push(b'\n');
                }
                return Ok(bytes_or_eof(line));
            }
            looked = self.rest().len();
            if looked > FILE_READ_BYTES_MAX {
                return Err(Failed("enomem"));
            }
            if !self.fill()? {
                return Ok(bytes_or_eof(self.take(looked)));
            }
        }
    }

    /// Nothing is read ahead any more: the file stands where its reader does.
    fn settle(&mut self) -> Done<()> {
        let back = self.rest().len() as i64;
        if back > 0 {
            self.file.seek(SeekFrom::Current(-back))?;
        }
        self.ahead.clear();
        self.taken = 0;
        Ok(())
    }

    /// `Offset | {bof, Offset} | {cur, Offset} | {eof, Offset} | bof | cur | eof`.
    fn position(&mut self, to: &Term) -> Done<Term> {
        let (from, offset) = match (to, to.as_tuple()) {
            (Term::Int(offset), _) => ("bof", *offset),
            (Term::Atom(from), _) => (from.as_str(), 0),
            (_, Some([Term::Atom(from), Term::Int(offset)])) => (from.as_str(), *offset),
            _ => return Err(BADARG),
        };
        self.settle()?;
        let to = match from {
            "bof" => SeekFrom::Start(u64::try_from(offset).map_err(|_| Failed("einval"))?),
            "cur" => SeekFrom::Current(offset),
            "eof" => SeekFrom::End(offset),
            _ => return Err(BADARG),
        };
        Ok(ok(Term::Int(self.file.seek(to)? as i64)))
    }
}
