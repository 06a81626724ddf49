//! What the reports of processes that crash say of an exception.

use super::Row;
use super::args::items;
use super::convert::string;
use crate::machine::code::Native::Process;
use crate::raise::{Class, Raise};
use crate::session::report;

pub(super) const TABLE: &[Row] = &[(
    "$crash",
    3,
    Process(|world, a| {
        let class = Class::read(&a[0]).ok_or_else(Raise::badarg)?;
        let mut raise = Raise::new(class, a[1].clone());
        (raise.trace, raise.traced) = (items(&a[2])?, true);
        let text = report(&raise, world.numbers(), COLUMNS);
        // The shell's words, one column further in.
        let lines = text.trim_end().lines().enumerate().map(|(at, line)| match at {
            0 => format!("    {}\n", line.trim_start_matches("** ")),
            _ => format!(" {line}\n"),
        });
        Ok(string(&lines.collect::<String>()))
    }),
)];

/// As wide as OTP takes a report to be.
const COLUMNS: usize = 80;
