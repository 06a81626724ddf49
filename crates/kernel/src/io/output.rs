//! Where output goes: to a sink of the program's, or to standard output through a thread of its own.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::thread;

use tokio::sync::{mpsc, oneshot};

use super::Input;
use crate::limits::{OUTPUT_PIECE_BYTES, OUTPUT_PIECES_MAX};

/// Where the output of a node goes: to standard output unless somebody says otherwise.
#[derive(Default)]
pub(crate) struct Output {
    sink: Mutex<Option<Sink>>,
    pen: Mutex<Option<mpsc::Sender<Stroke>>>,
    /// Where input comes from; whoever serves has it.
    pub(super) input: tokio::sync::Mutex<Input>,
    /// Columns and rows of a terminal.
    pub(super) geometry: Option<(u32, u32)>,
}

pub(crate) type Sink = Arc<dyn Fn(&str) + Send + Sync>;

impl Output {
    pub(super) fn new(sink: Sink) -> Output {
        Output { sink: Mutex::new(Some(sink)), ..Output::default() }
    }

    /// Says where input comes from, before anybody serves.
    pub(crate) fn set_input(&self, input: Input) {
        if let Ok(mut place) = self.input.try_lock() {
            *place = input;
        }
    }

    pub(crate) fn set(&self, sink: Sink) {
        *self.sink.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some(sink);
    }

    /// Returns when the text is on its way; waits while too much is before it.
    pub(super) async fn put(&self, text: &str) {
        let sink = self.sink.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone();
        if let Some(sink) = sink {
            return sink(text);
        }
        let pen = self.pen(io::stdout);
        for piece in text.as_bytes().chunks(OUTPUT_PIECE_BYTES) {
            // It is written by a thread of its own that ends only with its senders.
            let _ = pen.send(Stroke::Write(piece.to_vec())).await;
        }
    }

    /// Returns when everything that was put before is written.
    pub(crate) async fn flush(&self) {
        let pen = self.pen.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone();
        let Some(pen) = pen else { return };
        let (tell, written) = oneshot::channel();
        if pen.send(Stroke::Tell(tell)).await.is_ok() {
            let _ = written.await;
        }
    }

    fn pen<W: Write>(&self, open: impl FnOnce() -> W + Send + 'static) -> mpsc::Sender<Stroke> {
        let mut pen = self.pen.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        pen.get_or_insert_with(|| start_pen(open)).clone()
    }
}

/// What the thread that writes is told.
enum Stroke {
    Write(Vec<u8>),
    /// Everything before is written.
    Tell(oneshot::Sender<()>),
}

/// A thread that writes what it is sent, in its order. Whoever does not read our output stops it, and no worker; and since it
/// is no task of the executor, the program can end without it.
fn start_pen<W: Write>(open: impl FnOnce() -> W + Send + 'static) -> mpsc::Sender<Stroke> {
    let (pen, mut strokes) = mpsc::channel(OUTPUT_PIECES_MAX);
    let writing = move || {
        let mut out = open();
        while let Some(stroke) = strokes.blocking_recv() {
            match stroke {
                // Nobody reads it: nothing to be done.
                Stroke::Write(bytes) => drop(out.write_all(&bytes).and_then(|()| out.flush())),
                Stroke::Tell(tell) => drop(tell.send(())),
            }
        }
    };
    if let Err(error) = thread::Builder::new().name("trunkline output".into()).spawn(writing) {
        tracing::error!("there is no thread for output, it is lost: {error}");
    }
    pen
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// A pipe that nobody reads until the test says so.
    struct Pipe(std::sync::mpsc::Receiver<()>, Arc<Mutex<Vec<u8>>>);

    impl Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.0.recv();
            self.1.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// On one thread: if writing blocked it, nothing here would go on.
    #[tokio::test]
    async fn a_full_pipe_stops_who_writes_and_nobody_else_and_the_order_is_kept() {
        let (output, written) = (Arc::new(Output::default()), Arc::new(Mutex::new(Vec::new())));
        let (open, wait) = std::sync::mpsc::channel();
        let end = written.clone();
        drop(output.pen(move || Pipe(wait, end)));
        let lines: Vec<String> =
            (0..3 * OUTPUT_PIECES_MAX).map(|number| format!("line {number}\n")).collect();
        let (all, writer) = (lines.clone(), output.clone());
        let writing = tokio::spawn(async move {
            for line in all {
                writer.put(&line).await;
            }
        });
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(!writing.is_finished(), "the queue is bounded");
        drop(open);
        writing.await.unwrap();
        output.flush().await;
        assert_eq!(String::from_utf8(written.lock().unwrap().clone()).unwrap(), lines.concat());
    }
}
