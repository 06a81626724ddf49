//! `file`: the operating system's files, as far as one call does it; the rest is Erlang, in `erl/file.erl`.

mod handles;
mod whole;

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

pub(crate) use handles::Files;
pub(super) use handles::TABLE as HANDLES;
use trunkline::term::Term;
pub(super) use whole::TABLE as WHOLE;

use super::args::ok;
use super::convert::string;
use crate::raise::Result;

/// `{ok, Value}` or `{error, Reason}`.
fn answer(done: std::result::Result<Term, Failed>) -> Result<Term> {
    Ok(match done {
        Ok(value) => value,
        Err(Failed(reason)) => Term::tuple([Term::atom("error"), Term::atom(reason)]),
    })
}

/// Why something did not work, as POSIX names it.
struct Failed(&'static str);

type Done<T> = std::result::Result<T, Failed>;

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Failed {
        Failed(posix(&error))
    }
}

const BADARG: Failed = Failed("badarg");

fn fine() -> Term {
    Term::atom("ok")
}

/// The name of an error. The numbers are those that Linux, macOS and the BSDs share.
fn posix(error: &io::Error) -> &'static str {
    use io::ErrorKind::*;
    match (error.raw_os_error(), error.kind()) {
        (Some(1), _) => "eperm",
        (_, NotFound) => "enoent",
        (_, PermissionDenied) => "eacces",
        (_, AlreadyExists | DirectoryNotEmpty) => "eexist",
        (_, NotADirectory) => "enotdir",
        (_, IsADirectory) => "eisdir",
        (_, InvalidInput | InvalidData) => "einval",
        (_, StorageFull) => "enospc",
        (_, ReadOnlyFilesystem) => "erofs",
        (_, CrossesDevices) => "exdev",
        (_, BrokenPipe) => "epipe",
        (_, Interrupted) => "eintr",
        (_, OutOfMemory) => "enomem",
        (_, Unsupported) => "enotsup",
        (_, ResourceBusy) => "ebusy",
        (_, ExecutableFileBusy) => "etxtbsy",
        (_, FileTooLarge) => "efbig",
        (_, TooManyLinks) => "emlink",
        (_, QuotaExceeded) => "edquot",
        (_, StaleNetworkFileHandle) => "estale",
        (_, WouldBlock) => "eagain",
        (Some(9), _) => "ebadf",
        (Some(23), _) => "enfile",
        (Some(24), _) => "emfile",
        (Some(36 | 63), _) => "enametoolong",
        (Some(40 | 62), _) => "eloop",
        _ => "eio",
    }
}

/// The name of a file: deep lists of characters and atoms, or bytes.
fn path(term: &Term) -> Done<PathBuf> {
    let mut bytes = Vec::new();
    if let Term::Binary(raw) = term {
        bytes.extend_from_slice(raw.as_slice());
    } else if matches!(term, Term::Int(_)) {
        return Err(BADARG);
    } else {
        let mut todo = vec![term.clone()];
        while let Some(next) = todo.pop() {
            match next {
                Term::Atom(atom) => bytes.extend_from_slice(atom.as_str().as_bytes()),
                Term::Int(c) => {
                    let c = u32::try_from(c).ok().and_then(char::from_u32).ok_or(BADARG)?;
                    bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                }
                Term::List(list) => {
                    if let Some((first, rest)) = list.uncons() {
                        if !matches!(rest, Term::List(_)) {
                            return Err(BADARG);
                        }
                        todo.push(rest);
                        todo.push(first);
                    }
                }
                _ => return Err(BADARG),
            }
        }
    }
    if bytes.contains(&0) { Err(BADARG) } else { Ok(PathBuf::from(OsString::from_vec(bytes))) }
}

/// A name as Erlang has it: characters, or bytes where they are none.
fn name(path: &Path) -> Term {
    match path.to_str() {
        Some(text) => string(text),
        None => Term::Binary(path.as_os_str().as_bytes().to_vec().into()),
    }
}

fn ok_name(path: &Path) -> Term {
    ok(name(path))
}

/// What would let a reader wait for ever is not opened: a pipe without a writer, a terminal.
fn refuse_endless(path: &Path) -> Done<()> {
    let Ok(found) = std::fs::metadata(path) else { return Ok(()) };
    let kind = found.file_type();
    let terminal = || {
        use std::io::IsTerminal;
        std::fs::OpenOptions::new().read(true).open(path).is_ok_and(|file| file.is_terminal())
    };
    if kind.is_fifo() || kind.is_socket() || kind.is_char_device() && terminal() {
        return Err(Failed("enotsup"));
    }
    Ok(())
}
