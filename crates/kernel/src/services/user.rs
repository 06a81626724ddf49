//! `user`: the group leader of last resort. Output from afar appears on standard output; there is no input.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::thread;

use runtime::{Ctx, Node};
use term::{Pid, Term};
use tokio::sync::{mpsc, oneshot};

use super::start_registered;
use crate::io::{format_on, text_of};
use crate::limits::{IO_REQUESTS_MAX, OUTPUT_PIECE_BYTES, OUTPUT_PIECES_MAX};

/// Where the output of a node goes: to standard output unless somebody says otherwise.
#[derive(Default)]
pub(crate) struct Output {
    sink: Mutex<Option<Sink>>,
    pen: Mutex<Option<mpsc::Sender<Stroke>>>,
}

pub(crate) type Sink = Arc<dyn Fn(&str) + Send + Sync>;

impl Output {
    pub(crate) fn set(&self, sink: Sink) {
        *self.sink.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some(sink);
    }

    /// Returns when the text is on its way; waits while too much is before it.
    async fn put(&self, text: &str) {
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

pub(super) fn start(node: &Node) {
    let output = node.shelf::<Output>();
    start_registered(node, "user", move |ctx: Ctx| run(ctx, output.clone()));
}

async fn run(mut ctx: Ctx, output: Arc<Output>) {
    loop {
        // Whatever it is, it is taken: what nobody reads would pile up.
        let message: Term = ctx.receive().await;
        let Some((from, reply_as, request)) = io_request(&message) else { continue };
        let answer = serve(ctx.node(), &output, request).await;
        ctx.answer(&from, Term::tuple([Term::atom("io_reply"), reply_as, answer]));
    }
}

fn io_request(message: &Term) -> Option<(Pid, Term, Term)> {
    match message.as_tuple() {
        Some([word, Term::Pid(from), reply_as, request]) if word.is_atom("io_request") => {
            Some((from.clone(), reply_as.clone(), request.clone()))
        }
        _ => None,
    }
}

/// Runs a request, and those inside it in their order; stops at the first that fails.
async fn serve(node: &Node, output: &Output, request: Term) -> Term {
    let mut waiting = vec![request];
    let mut answer = Term::atom("ok");
    let mut served = 0;
    while let Some(request) = waiting.pop() {
        served += 1;
        if served > IO_REQUESTS_MAX {
            return error("request");
        }
        match request.as_tuple() {
            Some([word, Term::List(more)]) if word.is_atom("requests") => {
                let mut more: Vec<Term> = more.iter().take(IO_REQUESTS_MAX).collect();
                more.reverse();
                waiting.extend(more);
                continue;
            }
            _ => answer = one(node, output, &request).await,
        }
        if answer.as_tuple().is_some_and(|parts| parts.first().is_some_and(|word| word.is_atom("error"))) {
            return answer;
        }
    }
    answer
}

async fn one(node: &Node, output: &Output, request: &Term) -> Term {
    if request.is_atom("getopts") {
        let pair = |key: &str, value: &str| Term::tuple([Term::atom(key), Term::atom(value)]);
        return Term::list([
            pair("expand_fun", "false"),
            pair("echo", "false"),
            pair("binary", "false"),
            pair("encoding", "unicode"),
        ]);
    }
    let parts = request.as_tuple().unwrap_or_default();
    let Some((Term::Atom(word), rest)) = parts.split_first() else { return error("request") };
    match (word.as_str(), rest) {
        ("put_chars", [characters] | [Term::Atom(_), characters]) => put(output, text_of(characters)).await,
        ("put_chars", [module, function, arguments] | [Term::Atom(_), module, function, arguments]) => {
            let text = match arguments.as_list().map(|list| list.iter().collect::<Vec<_>>()) {
                Some(list) if module.is_atom("io_lib") && function.is_atom("format") && list.len() == 2 => {
                    format_on(node, &list[0], &list[1])
                }
                _ => None,
            };
            put(output, text).await
        }
        ("get_line" | "get_chars" | "get_until" | "get_password", _) => Term::atom("eof"),
        ("get_geometry" | "setopts", _) => error("enotsup"),
        _ => error("request"),
    }
}

async fn put(output: &Output, text: Option<String>) -> Term {
    match text {
        Some(text) => {
            output.put(&text).await;
            Term::atom("ok")
        }
        None => error("put_chars"),
    }
}

fn error(why: &str) -> Term {
    Term::tuple([Term::atom("error"), Term::atom(why)])
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
