//! What our nodes log, kept for tests to look at.

use std::fmt::Write as _;
use std::sync::{Mutex, OnceLock, PoisonError};

use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

static LINES: OnceLock<Mutex<Vec<String>>> = OnceLock::new();

/// Keeps every line from now on, for all tests of this program: look for names that are [`crate::world::unique`].
pub fn keep() {
    LINES.get_or_init(|| {
        let subscriber = tracing_subscriber::registry().with(Keep);
        tracing::subscriber::set_global_default(subscriber).expect("nobody else listens");
        Mutex::new(Vec::new())
    });
}

/// The lines so far that have all these words.
pub fn with(words: &[&str]) -> Vec<String> {
    let Some(lines) = LINES.get() else { return Vec::new() };
    let lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
    lines.iter().filter(|line| words.iter().all(|word| line.contains(word))).cloned().collect()
}

struct Keep;

impl<S: tracing::Subscriber> Layer<S> for Keep {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let mut line = format!("{} ", event.metadata().level());
        event.record(&mut Text(&mut line));
        if let Some(lines) = LINES.get() {
            lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }
    }
}

struct Text<'a>(&'a mut String);

impl Visit for Text<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let name = if field.name() == "message" { "" } else { field.name() };
        let _ = write!(self.0, "{name} {value:?} ");
    }
}
