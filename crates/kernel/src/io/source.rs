//! Where input comes from.

use std::future::pending;
use std::io::BufRead;
use std::thread;

use term::Term;
use tokio::sync::mpsc;

use crate::limits::INPUT_LINES_MAX;

/// Where a group leader takes its input from. The default is none: whoever reads is told `eof`.
#[derive(Debug, Default)]
pub struct Input(Kind);

#[derive(Debug, Default)]
enum Kind {
    #[default]
    Eof,
    Refused,
    Text(Option<String>),
    Channel(mpsc::Receiver<String>),
    /// Opened by the first who reads.
    Stdin,
}

/// What a source says when it is asked.
pub(super) enum Said {
    Text(String),
    /// `eof`, or `{error, Reason}`.
    End(Term),
}

impl Input {
    /// There is none, and nobody ever gets any: who reads is told `{error, enotsup}`.
    pub fn refused() -> Input {
        Input(Kind::Refused)
    }

    /// This text, and then `eof`.
    pub fn text(text: impl Into<String>) -> Input {
        Input(Kind::Text(Some(text.into())))
    }

    /// What is sent into the channel, with its ends of lines; `eof` when the sender is gone.
    pub fn channel(texts: mpsc::Receiver<String>) -> Input {
        Input(Kind::Channel(texts))
    }

    /// The standard input of this program. It is read by a thread of its own, from the first time on that somebody wants a
    /// line.
    pub fn stdin() -> Input {
        Input(Kind::Stdin)
    }

    /// The next piece. Safe to cancel.
    pub(super) async fn next(&mut self) -> Said {
        if let Kind::Stdin = self.0 {
            self.0 = Kind::Channel(read_stdin());
        }
        match &mut self.0 {
            Kind::Refused => Said::End(Term::tuple([Term::atom("error"), Term::atom("enotsup")])),
            Kind::Text(text) if text.is_some() => text.take().map_or_else(eof, Said::Text),
            Kind::Channel(texts) => texts.recv().await.map_or_else(eof, Said::Text),
            Kind::Eof | Kind::Text(_) | Kind::Stdin => eof(),
        }
    }

    /// As [`Input::next`] while somebody `wants` some; else never.
    pub(super) async fn next_if(&mut self, wants: bool) -> Said {
        if wants { self.next().await } else { pending().await }
    }
}

impl From<mpsc::Receiver<String>> for Input {
    fn from(texts: mpsc::Receiver<String>) -> Input {
        Input::channel(texts)
    }
}

fn eof() -> Said {
    Said::End(Term::atom("eof"))
}

/// A blocked read cannot be cancelled, and must not keep the program from ending: it has a thread that nobody waits for.
fn read_stdin() -> mpsc::Receiver<String> {
    let (lines, reader) = mpsc::channel(INPUT_LINES_MAX);
    let reading = move || {
        let mut input = std::io::stdin().lock();
        let mut line = Vec::new();
        while input.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
            let text = String::from_utf8_lossy(&line).into_owned();
            line.clear();
            if lines.blocking_send(text).is_err() {
                return;
            }
        }
    };
    if let Err(error) = thread::Builder::new().name("trunkline input".into()).spawn(reading) {
        tracing::error!("there is no thread for input, nobody can read: {error}");
    }
    reader
}
