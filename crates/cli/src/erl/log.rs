//! What the node logs, as `erl` shows it: a line that says how bad it is and when, and the message.

use std::fmt::{self, Write as _};
use std::io;
use std::sync::Arc;

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, MakeWriter};
use tracing_subscriber::registry::LookupSpan;

/// Shows text.
pub(super) type Pen = Arc<dyn Fn(&str) + Send + Sync>;

/// From now on what is logged goes there. Nothing happens when somebody else logs already.
pub(super) fn install(pen: Pen, level: Level) {
    let log = tracing_subscriber::fmt().with_max_level(level).event_format(Report).with_writer(Writes(pen));
    let _ = log.try_init();
}

struct Writes(Pen);

struct Page(Pen);

impl<'a> MakeWriter<'a> for Writes {
    type Writer = Page;

    fn make_writer(&'a self) -> Page {
        Page(self.0.clone())
    }
}

impl io::Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !bytes.is_empty() {
            (self.0)(&String::from_utf8_lossy(bytes));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Report;

impl<S, N> FormatEvent<S, N> for Report
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut out: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        // The end that somebody has typed is no news to him.
        let about = event.metadata().target();
        if about.ends_with("functions::init") {
            return Ok(());
        }
        // How names and partitions were settled is for those who look into it: erl says nothing of it either.
        if about.contains("kernel::global") && *event.metadata().level() != Level::ERROR {
            return Ok(());
        }
        let level = match *event.metadata().level() {
            Level::ERROR => "ERROR",
            Level::WARN => "WARNING",
            _ => "INFO",
        };
        let mut message = Message::default();
        event.record(&mut message);
        // What is only of interest for those who look for it has no title.
        if level == "INFO" && message.title.is_empty() {
            return Ok(());
        }
        let title = if message.title.is_empty() { format!("{level} REPORT") } else { message.title };
        writeln!(out, "={title}==== {} ===\n{}", now(), as_erl_says(&message.text))
    }
}

/// The end of a process: it is the first of its node there, and a node without a name is not told of.
fn as_erl_says(text: &str) -> String {
    let told = || {
        let (pid, rest) = text.strip_prefix("Error in process <")?.split_once('>')?;
        let (name, rest) = rest.split_once(" on node ")?;
        let (node, reason) = rest.split_once(" with exit value: ")?;
        let pid = pid.strip_prefix(node)?;
        let place = if node == "nonode@nohost" { String::new() } else { format!(" on node {node}") };
        Some(format!("Error in process <0{pid}>{name}{place} with exit value:\n{reason}\n"))
    };
    told().unwrap_or_else(|| text.to_owned())
}

#[derive(Default)]
struct Message {
    text: String,
    title: String,
}

impl tracing::field::Visit for Message {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            let _ = write!(self.text, "{value:?}");
        }
    }

    fn record_str(&mut self, field: &tracing::field::Field, value: &str) {
        match field.name() {
            "title" => self.title = value.to_owned(),
            "message" => self.text = value.to_owned(),
            _ => {}
        }
    }
}

/// `21-Nov-2026::03:50:00.123456`, in UTC.
#[expect(clippy::disallowed_methods, reason = "the time of day is no clock of the node's")]
fn now() -> String {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let (days, seconds) = ((since.as_secs() / 86_400) as i64, since.as_secs() % 86_400);
    let (year, month, day) = date(days);
    let month =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"][month - 1];
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{day}-{month}-{year}::{hour:02}:{minute:02}:{second:02}.{:06}", since.subsec_micros())
}

/// Year, month and day of a day counted from 1970 (Hinnant's `civil_from_days`).
fn date(days: i64) -> (i64, usize, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year + era * 400 + i64::from(month <= 2), month as usize, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crash_names_its_process_as_this_node_does() {
        let told = as_erl_says("Error in process <a@b.19.8> (me) on node a@b with exit value: {x,[]}");
        assert_eq!(told, "Error in process <0.19.8> (me) on node a@b with exit value:\n{x,[]}\n");
        let told =
            as_erl_says("Error in process <nonode@nohost.9.0> on node nonode@nohost with exit value: x");
        assert_eq!(told, "Error in process <0.9.0> with exit value:\nx\n");
        assert_eq!(as_erl_says("something else"), "something else");
    }

    #[test]
    fn days_are_dates() {
        assert_eq!(date(0), (1970, 1, 1));
        assert_eq!(date(11_016), (2000, 2, 29));
        assert_eq!(date(20_778), (2026, 11, 21));
    }
}
