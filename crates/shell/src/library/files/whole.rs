//! `file`: whole files, directories, names and what is known of them.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use trunkline::term::Term;

use super::{BADARG, Done, Failed, answer, fine, name, ok_name, path, refuse_endless};
use crate::library::Row;
use crate::library::args::{int, iodata, items, ok};
use crate::limits::FILE_BYTES_MAX;
use crate::machine::code::Native::Pure;

pub(in crate::library) const TABLE: &[Row] = &[
    ("read_file", 1, Pure(|a| answer(read(&a[0])))),
    ("write_file", 2, Pure(|a| answer(write(&a[0], &a[1], &Term::NIL)))),
    ("write_file", 3, Pure(|a| answer(write(&a[0], &a[1], &a[2])))),
    ("list_dir", 1, Pure(|a| answer(list(&a[0], false)))),
    ("list_dir_all", 1, Pure(|a| answer(list(&a[0], true)))),
    ("make_dir", 1, Pure(|a| answer(one(&a[0], |path| fs::create_dir(path))))),
    ("del_dir", 1, Pure(|a| answer(one(&a[0], |path| fs::remove_dir(path))))),
    ("del_dir_r", 1, Pure(|a| answer(one(&a[0], remove_all)))),
    ("delete", 1, Pure(|a| answer(delete(&a[0])))),
    ("delete", 2, Pure(|a| answer(delete(&a[0])))),
    ("rename", 2, Pure(|a| answer(two(a, |from, to| fs::rename(from, to))))),
    ("make_link", 2, Pure(|a| answer(two(a, |from, to| fs::hard_link(from, to))))),
    ("make_symlink", 2, Pure(|a| answer(two(a, |from, to| std::os::unix::fs::symlink(from, to))))),
    ("read_link", 1, Pure(|a| answer(path(&a[0]).and_then(|path| Ok(ok_name(&fs::read_link(path)?)))))),
    ("read_link_all", 1, Pure(|a| answer(path(&a[0]).and_then(|path| Ok(ok_name(&fs::read_link(path)?)))))),
    ("get_cwd", 0, Pure(|_| answer(here()))),
    ("set_cwd", 1, Pure(|a| answer(one(&a[0], |path| std::env::set_current_dir(path))))),
    ("-copy", 2, Pure(|a| answer(copy(&a[0], &a[1])))),
    ("-info", 2, Pure(|a| answer(info(&a[0], a[1].is_atom("link"))))),
    ("-set_mode", 2, Pure(|a| answer(set_mode(&a[0], int(&a[1])?)))),
    ("-set_times", 3, Pure(|a| answer(set_times(&a[0], int(&a[1])?, int(&a[2])?)))),
    ("-set_owner", 3, Pure(|a| answer(set_owner(&a[0], int(&a[1])?, int(&a[2])?)))),
];

fn one(at: &Term, f: impl FnOnce(&Path) -> std::io::Result<()>) -> Done<Term> {
    f(&path(at)?)?;
    Ok(fine())
}

fn two(a: &[Term], f: impl FnOnce(&Path, &Path) -> std::io::Result<()>) -> Done<Term> {
    f(&path(&a[0])?, &path(&a[1])?)?;
    Ok(fine())
}

fn here() -> Done<Term> {
    Ok(ok_name(&std::env::current_dir()?))
}

fn read(at: &Term) -> Done<Term> {
    let path = path(at)?;
    refuse_endless(&path)?;
    let mut bytes = Vec::new();
    let read = fs::File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if read as u64 > FILE_BYTES_MAX {
        return Err(Failed("enomem"));
    }
    Ok(ok(Term::Binary(bytes.into())))
}

fn write(at: &Term, data: &Term, modes: &Term) -> Done<Term> {
    let path = path(at)?;
    let data = iodata(data).map_err(|_| BADARG)?;
    let modes = items(modes).map_err(|_| BADARG)?;
    let has = |word: &str| modes.iter().any(|mode| mode.is_atom(word));
    refuse_endless(&path)?;
    let mut options = fs::OpenOptions::new();
    options.write(true);
    match (has("exclusive"), has("append")) {
        (true, _) => options.create_new(true),
        (_, true) => options.append(true).create(true),
        _ => options.create(true).truncate(!has("read")),
    };
    options.open(path)?.write_all(&data)?;
    Ok(fine())
}

fn list(at: &Term, raw: bool) -> Done<Term> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path(at)?)? {
        let file = entry?.file_name();
        // Names that are no characters are left out, as OTP does unless all are asked for.
        if raw || file.to_str().is_some() {
            names.push(name(Path::new(&file)));
        }
    }
    Ok(ok(Term::list(names)))
}

fn remove_all(path: &Path) -> std::io::Result<()> {
    if fs::symlink_metadata(path)?.is_dir() {
        fs::remove_dir_all(path)
    } else {
        Err(std::io::ErrorKind::NotADirectory.into())
    }
}

fn delete(at: &Term) -> Done<Term> {
    let path = path(at)?;
    // A directory is no file.
    if fs::symlink_metadata(&path)?.is_dir() {
        return Err(Failed("eperm"));
    }
    fs::remove_file(path)?;
    Ok(fine())
}

fn copy(from: &Term, to: &Term) -> Done<Term> {
    let (from, to) = (path(from)?, path(to)?);
    refuse_endless(&from)?;
    refuse_endless(&to)?;
    let mut source = fs::File::open(from)?;
    if source.metadata()?.is_dir() {
        return Err(Failed("eisdir"));
    }
    let copied = std::io::copy(&mut (&mut source).take(FILE_BYTES_MAX), &mut fs::File::create(to)?)?;
    Ok(ok(Term::Int(copied as i64)))
}

/// A `#file_info{}` whose times are seconds since 1970.
fn info(at: &Term, link: bool) -> Done<Term> {
    let path = path(at)?;
    let found = if link { fs::symlink_metadata(&path)? } else { fs::metadata(&path)? };
    let kind = found.file_type();
    let kind = match () {
        () if kind.is_file() => "regular",
        () if kind.is_dir() => "directory",
        () if kind.is_symlink() => "symlink",
        () if kind.is_char_device() || kind.is_block_device() => "device",
        () => "other",
    };
    let can = |open: &mut fs::OpenOptions| found.is_file() && open.open(&path).is_ok();
    let access = match found.is_file() {
        true => (can(fs::OpenOptions::new().read(true)), can(fs::OpenOptions::new().append(true))),
        false => (found.mode() & 0o444 != 0, found.mode() & 0o222 != 0 && !found.permissions().readonly()),
    };
    let access = match access {
        (true, true) => "read_write",
        (true, false) => "read",
        (false, true) => "write",
        (false, false) => "none",
    };
    let number = |value: u64| Term::Int(i64::try_from(value).unwrap_or(i64::MAX));
    let major = found.dev() >> 8 & 0xfff | found.dev() >> 32 & !0xfff;
    Ok(ok(Term::Tuple(
        vec![
            Term::atom("file_info"),
            number(found.size()),
            Term::atom(kind),
            Term::atom(access),
            Term::Int(found.atime()),
            Term::Int(found.mtime()),
            Term::Int(found.ctime()),
            number(found.mode().into()),
            number(found.nlink()),
            number(major << 8 | found.dev() & 0xff),
            number(found.rdev()),
            number(found.ino()),
            number(found.uid().into()),
            number(found.gid().into()),
        ]
        .into(),
    )))
}

fn set_mode(at: &Term, mode: i64) -> Done<Term> {
    let mode = u32::try_from(mode & 0o7777).map_err(|_| BADARG)?;
    fs::set_permissions(path(at)?, fs::Permissions::from_mode(mode))?;
    Ok(fine())
}

fn set_times(at: &Term, accessed: i64, modified: i64) -> Done<Term> {
    let moment = |seconds: i64| {
        let seconds = u64::try_from(seconds).map_err(|_| BADARG)?;
        UNIX_EPOCH.checked_add(Duration::from_secs(seconds)).ok_or(BADARG)
    };
    let times = fs::FileTimes::new().set_accessed(moment(accessed)?).set_modified(moment(modified)?);
    fs::File::open(path(at)?)?.set_times(times)?;
    Ok(fine())
}

fn set_owner(at: &Term, user: i64, group: i64) -> Done<Term> {
    let id = |id: i64| u32::try_from(id).ok();
    std::os::unix::fs::chown(path(at)?, id(user), id(group))?;
    Ok(fine())
}
