//! The list of exceptions, `tidy.allow`: `file PATH: reason` or `function PATH::NAME: reason`, one a line.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::Fault;

/// The exceptions, and which of them were needed.
#[derive(Debug, Default)]
pub(crate) struct Allowed {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    what: String,
    used: bool,
}

impl Allowed {
    pub(crate) fn read(file: &Path) -> Result<Allowed> {
        if !file.exists() {
            return Ok(Allowed::default());
        }
        let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        Allowed::parse(&text)
    }

    /// Reads the list; an exception without a reason is refused.
    pub(crate) fn parse(text: &str) -> Result<Allowed> {
        let mut entries = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            match line.split_once(": ") {
                Some((what, reason)) if is_known(what) && !reason.trim().is_empty() => {
                    entries.push(Entry { what: what.to_owned(), used: false });
                }
                _ => bail!(
                    "tidy.allow:{}: expected `file PATH: reason` or `function PATH::NAME: reason`",
                    index + 1
                ),
            }
        }
        Ok(Allowed { entries })
    }

    /// Whether there is an exception for this, and remembers that it was needed.
    pub(crate) fn permits(&mut self, what: &str) -> bool {
        let entry = self.entries.iter_mut().find(|entry| entry.what == what);
        entry.map(|entry| entry.used = true).is_some()
    }

    /// A remark for each exception that nothing needed.
    pub(crate) fn unused(&self) -> Vec<Fault> {
        let unused = self.entries.iter().filter(|entry| !entry.used);
        unused
            .map(|entry| Fault::remark("tidy.allow", format!("`{}` is not needed any more", entry.what)))
            .collect()
    }
}

fn is_known(what: &str) -> bool {
    what.starts_with("file ") || what.starts_with("function ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exception_needs_a_reason() {
        assert!(Allowed::parse("file a.rs").is_err());
        assert!(Allowed::parse("file a.rs:  ").is_err());
        assert!(Allowed::parse("poem a.rs: it is short").is_err());
        assert!(Allowed::parse("# a remark\n\nfile a.rs: a table").is_ok());
    }

    #[test]
    fn an_exception_that_nothing_needs_is_remarked_on() {
        let mut allowed = Allowed::parse("file a.rs: a table\nfunction b.rs::f: a table").unwrap();
        assert!(allowed.permits("file a.rs"));
        assert!(!allowed.permits("file c.rs"));
        let left: Vec<_> = allowed.unused().into_iter().map(|fault| fault.what).collect();
        assert_eq!(left, ["`function b.rs::f` is not needed any more"]);
    }
}
