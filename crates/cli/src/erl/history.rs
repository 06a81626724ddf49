//! Lines that were typed: remembered, searched, and kept in a file when `-kernel shell_history enabled` says so.
//!
//! The file is text: a first line that says what it is, then an entry a line, in which `\\` and `\n` stand for themselves. Only
//! its owner can read it, and what holds a cookie is never in it.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::limits::{HISTORY_ENTRY_BYTES_MAX, HISTORY_FILE_BYTES_MAX, HISTORY_LINES_MAX};

/// What the file begins with.
const HEADER: &str = "trunkline shell history 1\n";

/// What was typed, the latest last.
#[derive(Default)]
pub(super) struct History {
    entries: VecDeque<String>,
    file: Option<PathBuf>,
}

impl History {
    /// What a file holds, and where what is typed goes from now on.
    pub(super) fn kept_in(file: PathBuf) -> History {
        let mut history = History::default();
        match read(&file) {
            Ok(entries) => {
                entries.into_iter().for_each(|entry| history.remember(entry));
                history.file = Some(file);
            }
            Err(why) => tracing::warn!("the history {} is not used: {why}", file.display()),
        }
        history
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The entry so many back: 1 is the latest.
    pub(super) fn back(&self, count: usize) -> Option<&str> {
        let at = self.entries.len().checked_sub(count)?;
        self.entries.get(at).map(String::as_str)
    }

    /// The first entry that holds `what`, from the one so many back on: how many back it is.
    pub(super) fn find(&self, what: &str, from: usize, earlier: bool) -> Option<usize> {
        let holds = |count: &usize| self.back(*count).is_some_and(|entry| entry.contains(what));
        match earlier {
            true => (from.max(1)..=self.entries.len()).find(holds),
            false => (1..=from).rev().find(holds),
        }
    }

    /// Remembers an entry.
    pub(super) fn add(&mut self, entry: &str) {
        if entry.trim().is_empty() || entry.len() > HISTORY_ENTRY_BYTES_MAX || self.back(1) == Some(entry) {
            return;
        }
        self.remember(entry.to_owned());
        self.keep(entry);
    }

    /// Puts an entry and the one before together: they are one expression.
    pub(super) fn join(&mut self, entry: &str) {
        let Some(last) = self.entries.pop_back() else { return self.add(entry) };
        let both = format!("{last}\n{entry}");
        if both.len() > HISTORY_ENTRY_BYTES_MAX {
            self.entries.push_back(last);
            return self.add(entry);
        }
        self.remember(both.clone());
        self.keep(&both);
    }

    fn remember(&mut self, entry: String) {
        self.entries.push_back(entry);
        while self.entries.len() > HISTORY_LINES_MAX {
            self.entries.pop_front();
        }
    }

    fn keep(&mut self, entry: &str) {
        let Some(file) = &self.file else { return };
        if is_secret(entry) {
            return;
        }
        let line = entry.replace('\\', "\\\\").replace('\n', "\\n") + "\n";
        if let Err(why) = append(file, &line) {
            tracing::warn!("the history {} is not kept: {why}", file.display());
            self.file = None;
        }
    }
}

/// Whether somebody could learn a cookie from it.
fn is_secret(entry: &str) -> bool {
    ["set_cookie", "setcookie", "password", "passwd", "secret"].iter().any(|word| entry.contains(word))
}

/// The entries of a file that may not be there yet.
fn read(file: &Path) -> io::Result<Vec<String>> {
    let mut open = match File::open(file) {
        Ok(open) => open,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if let Some(place) = file.parent() {
                fs::DirBuilder::new().recursive(true).mode(0o700).create(place)?;
            }
            return Ok(Vec::new());
        }
        Err(error) => return Err(error),
    };
    let mut header = vec![0; HEADER.len()];
    let size = open.metadata()?.len();
    if size > 0 && (open.read_exact(&mut header).is_err() || header != HEADER.as_bytes()) {
        return Err(io::Error::other("it is another kind of file"));
    }
    let long = size > HISTORY_FILE_BYTES_MAX;
    if long {
        // The latter half; its first line may be half of one.
        open.seek(SeekFrom::End(-((HISTORY_FILE_BYTES_MAX / 2) as i64)))?;
    }
    let mut bytes = Vec::new();
    open.take(HISTORY_FILE_BYTES_MAX).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().skip(usize::from(long)).collect();
    if long {
        shorten(file, &lines)?;
    }
    Ok(lines.into_iter().map(unescaped).filter(|entry| entry.len() <= HISTORY_ENTRY_BYTES_MAX).collect())
}

/// Leaves only these lines in the file.
fn shorten(file: &Path, lines: &[&str]) -> io::Result<()> {
    let beside = file.with_extension("new");
    let _ = fs::remove_file(&beside);
    let mut new = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
    new.write_all(format!("{HEADER}{}\n", lines.join("\n")).as_bytes())?;
    fs::rename(beside, file)
}

/// One write, so that nodes that share the file do not mix their lines.
fn append(file: &Path, line: &str) -> io::Result<()> {
    let mut open = OpenOptions::new().append(true).create(true).mode(0o600).open(file)?;
    let text = if open.metadata()?.len() == 0 { format!("{HEADER}{line}") } else { line.to_owned() };
    open.write_all(text.as_bytes())
}

fn unescaped(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line.chars();
    while let Some(c) = rest.next() {
        match c {
            '\\' => match rest.next() {
                Some('n') => text.push('\n'),
                Some(other) => text.push(other),
                None => {}
            },
            c => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn place(name: &str) -> PathBuf {
        let place = std::env::temp_dir().join(format!("trunkline-history-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&place);
        place
    }

    #[test]
    fn what_is_typed_comes_back_in_another_life() {
        let place = place("comes-back");
        let file = place.join("deep/history");
        let mut history = History::kept_in(file.clone());
        history.add("one.");
        history.add("one.");
        history.add("auth:set_cookie(salt).");
        history.add("{a,");
        history.join("\"b\\n\"}.");
        let again = History::kept_in(file.clone());
        assert_eq!(again.back(1), Some("{a,\n\"b\\n\"}."));
        assert_eq!(again.back(2), Some("{a,"));
        assert_eq!(again.back(3), Some("one."));
        assert_eq!((again.len(), again.back(4)), (3, None));
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!fs::read_to_string(&file).unwrap().contains("salt"));
        fs::remove_dir_all(place).unwrap();
    }

    #[test]
    fn a_file_of_another_kind_is_left_alone() {
        let place = place("other");
        fs::create_dir_all(&place).unwrap();
        let file = place.join("letter");
        fs::write(&file, "Dear Joe").unwrap();
        let mut history = History::kept_in(file.clone());
        history.add("one.");
        assert_eq!(history.back(1), Some("one."));
        assert_eq!(fs::read_to_string(&file).unwrap(), "Dear Joe");
        fs::remove_dir_all(place).unwrap();
    }

    #[test]
    fn a_long_file_is_shortened() {
        let place = place("long");
        fs::create_dir_all(&place).unwrap();
        let file = place.join("history");
        let lines: String = (0..100_000).map(|n| format!("lists:seq(1, {n}).\n")).collect();
        fs::write(&file, format!("{HEADER}{lines}")).unwrap();
        let history = History::kept_in(file.clone());
        assert_eq!(history.back(1), Some("lists:seq(1, 99999)."));
        assert!(fs::metadata(&file).unwrap().len() <= HISTORY_FILE_BYTES_MAX);
        assert_eq!(History::kept_in(file).back(1), Some("lists:seq(1, 99999)."));
        fs::remove_dir_all(place).unwrap();
    }

    #[test]
    fn entries_are_found_backwards_and_forwards() {
        let mut history = History::default();
        ["alpha.", "beta.", "alphabet."].iter().for_each(|entry| history.add(entry));
        assert_eq!(history.find("alpha", 1, true), Some(1));
        assert_eq!(history.find("alpha", 2, true), Some(3));
        assert_eq!(history.find("alpha", 4, true), None);
        assert_eq!(history.find("alpha", 2, false), Some(1));
    }
}
