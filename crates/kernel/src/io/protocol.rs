//! The server's side of the I/O protocol, without a process: requests and input in, replies and output out.
//!
//! What is written is written at once, also while somebody waits for input; who reads waits for those who asked before.
//! Replies are those of OTP's `group`.

use std::collections::{BTreeMap, VecDeque};

use term::format::{Formatter, latin1_text, strict_unicode_text};
use term::print::NodeNumbers;
use term::{Atom, Pid, Term};

use super::reading::{Buffer, Reading, Step, Until, cast, proper};
use crate::limits::{IO_APPLYING_MAX, IO_READERS_MAX, IO_REQUESTS_MAX};

/// What has to be done, in this order.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Show this text.
    Write(String),
    /// Send `{io_reply, ReplyAs, Reply}`.
    Reply {
        /// To whom.
        to: Pid,
        /// What the request called itself.
        reply_as: Term,
        /// The answer.
        reply: Term,
    },
    /// Call a function, here or where the requester is, and say what came of it with [`Machine::applied`].
    Apply {
        /// Names this call.
        token: u64,
        /// Who asked.
        requester: Pid,
        /// Module and function.
        function: (Atom, Atom),
        /// Its arguments.
        arguments: Vec<Term>,
    },
}

/// What `getopts` tells and `setopts` sets.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Whether input is given in binaries.
    pub binary: bool,
    /// Whether what is typed is shown.
    pub echo: bool,
    /// Whether characters beyond Latin-1 are shown.
    pub unicode: bool,
    /// What completes a line; `false` for nothing.
    pub expand_fun: Term,
}

impl Default for Options {
    fn default() -> Options {
        Options { binary: false, echo: false, unicode: true, expand_fun: Term::atom("false") }
    }
}

/// A server of the I/O protocol.
#[derive(Default)]
pub struct Machine {
    options: Options,
    /// Columns and rows.
    geometry: Option<(u32, u32)>,
    input: Buffer,
    /// Who reads now: its job, what it reads, and the call it waits for.
    reading: Option<(Job, Read, Option<u64>)>,
    readers: VecDeque<(Job, Read)>,
    /// Calls that make characters.
    applying: BTreeMap<u64, (Job, Chars)>,
    tokens: u64,
    ready: VecDeque<Job>,
    effects: Vec<Effect>,
}

/// One `io_request`, with what is left of it.
struct Job {
    from: Pid,
    reply_as: Term,
    waiting: Vec<Term>,
    served: usize,
    answer: Term,
}

struct Read {
    what: Reading,
    prompt: String,
    latin1: bool,
}

/// Characters that a function makes.
struct Chars {
    latin1: bool,
    function: Atom,
}

/// What one request comes to.
enum Wanted {
    Answer(Term),
    Write(String),
    Read(Read),
    Apply(Chars, Atom, Vec<Term>),
    More(Vec<Term>),
}

impl Machine {
    /// A server; columns and rows when it is a terminal.
    pub fn new(geometry: Option<(u32, u32)>) -> Machine {
        Machine { geometry, ..Machine::default() }
    }

    /// Its options.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Sets how large the terminal is now.
    pub fn set_geometry(&mut self, geometry: Option<(u32, u32)>) {
        self.geometry = geometry;
    }

    /// The terminal has so many columns and rows from now on.
    pub fn resize(&mut self, columns: u32, rows: u32) {
        self.geometry = Some((columns, rows));
    }

    /// Whether somebody waits for input.
    pub fn wants_input(&self) -> bool {
        matches!(self.reading, Some((_, _, None)))
    }

    /// Whether what is typed now must not be shown.
    pub fn wants_password(&self) -> bool {
        matches!(&self.reading, Some((_, Read { what: Reading::Password, .. }, None)))
    }

    /// `{io_request, From, ReplyAs, Request}` came. Identifiers in formats are shown with these numbers.
    pub fn request(
        &mut self,
        from: Pid,
        reply_as: Term,
        request: Term,
        numbers: &dyn NodeNumbers,
    ) -> Vec<Effect> {
        let (waiting, answer) = (vec![request], Term::atom("ok"));
        self.ready.push_back(Job { from, reply_as, waiting, served: 0, answer });
        self.settle(numbers)
    }

    /// More input.
    pub fn input(&mut self, text: &str, numbers: &dyn NodeNumbers) -> Vec<Effect> {
        self.input.push(text);
        self.settle(numbers)
    }

    /// Input ends: `eof` or `{error, Reason}`, for all who read until there is more.
    pub fn end_of_input(&mut self, end: Term, numbers: &dyn NodeNumbers) -> Vec<Effect> {
        self.input.end = Some(end);
        self.settle(numbers)
    }

    /// The one who reads is told `{error, interrupted}`.
    pub fn interrupt(&mut self, numbers: &dyn NodeNumbers) -> Vec<Effect> {
        if let Some((job, ..)) = self.reading.take() {
            self.answer(job, error("interrupted"));
        }
        self.settle(numbers)
    }

    /// What an [`Effect::Apply`] came to: its value, or that it failed.
    pub fn applied(&mut self, token: u64, value: Option<Term>, numbers: &dyn NodeNumbers) -> Vec<Effect> {
        if let Some((job, chars)) = self.applying.remove(&token) {
            let text = value.and_then(|value| chars.text(&value));
            match text {
                Some(text) => self.wrote(job, text),
                None => self.answer(job, error_of(Term::Atom(chars.function))),
            }
        } else if matches!(&self.reading, Some((_, _, Some(waits))) if *waits == token)
            && let Some((job, mut read, _)) = self.reading.take()
        {
            match self.said(&mut read, value) {
                Ok(Some(result)) => self.answer(job, result),
                Ok(None) => self.reading = Some((job, read, None)),
                Err(reply) => self.answer(job, reply),
            }
        }
        self.settle(numbers)
    }

    fn said(&mut self, read: &mut Read, value: Option<Term>) -> Result<Option<Term>, Term> {
        let Reading::Until(until) = &mut read.what else { return Err(error("request")) };
        let failed = error_of(Term::Atom(until.function.clone()));
        let said = until.said(&value.ok_or(failed.clone())?, &mut self.input).map_err(|()| failed)?;
        Ok(said.map(|result| match (&result, self.options.binary) {
            // Tokens and the like stay as they are.
            (Term::List(_), true) => {
                super::text_of(&result).and_then(|text| cast(&text, true, read.latin1)).unwrap_or(result)
            }
            _ => result,
        }))
    }

    /// Goes on with everybody who can.
    fn settle(&mut self, numbers: &dyn NodeNumbers) -> Vec<Effect> {
        loop {
            while let Some(job) = self.ready.pop_front() {
                self.run(job, numbers);
            }
            if self.reading.is_none() {
                let Some((job, read)) = self.readers.pop_front() else { break };
                if !read.prompt.is_empty() {
                    self.effects.push(Effect::Write(read.prompt.clone()));
                }
                self.reading = Some((job, read, None));
            }
            if !self.read() {
                break;
            }
        }
        std::mem::take(&mut self.effects)
    }

    /// The next step of who reads; whether there was one.
    fn read(&mut self) -> bool {
        let Some((_, read, waits @ None)) = &mut self.reading else { return false };
        let answer = match read.what.step(&mut self.input) {
            Step::Wait => return false,
            Step::Text(text) => cast(&text, self.options.binary, read.latin1).unwrap_or_else(no_translation),
            Step::End(end) => end,
            Step::Apply(arguments) => {
                let Reading::Until(until) = &read.what else { return false };
                let function = (until.module.clone(), until.function.clone());
                self.tokens += 1;
                *waits = Some(self.tokens);
                if let Some((job, ..)) = &self.reading {
                    let (token, requester) = (self.tokens, job.from.clone());
                    self.effects.push(Effect::Apply { token, requester, function, arguments });
                }
                return false;
            }
        };
        if let Some((job, ..)) = self.reading.take() {
            self.answer(job, answer);
        }
        true
    }

    /// Serves what is left of a request, in order; stops at the first that fails, or must wait.
    fn run(&mut self, mut job: Job, numbers: &dyn NodeNumbers) {
        let Some(request) = job.waiting.pop() else {
            return self.effects.push(Effect::Reply {
                to: job.from,
                reply_as: job.reply_as,
                reply: job.answer,
            });
        };
        job.served += 1;
        if job.served > IO_REQUESTS_MAX {
            return self.answer(job, error("request"));
        }
        match self.wanted(&request, numbers) {
            Wanted::Answer(answer) => self.answer(job, answer),
            Wanted::Write(text) => self.wrote(job, text),
            Wanted::More(mut more) => {
                more.reverse();
                job.waiting.extend(more);
                self.ready.push_front(job);
            }
            Wanted::Read(_) if self.readers.len() >= IO_READERS_MAX => {
                self.answer(job, error("system_limit"))
            }
            Wanted::Read(read) => self.readers.push_back((job, read)),
            Wanted::Apply(..) if self.applying.len() >= IO_APPLYING_MAX => {
                self.answer(job, error("system_limit"));
            }
            Wanted::Apply(chars, module, arguments) => {
                self.tokens += 1;
                let (token, requester) = (self.tokens, job.from.clone());
                let function = (module, chars.function.clone());
                self.effects.push(Effect::Apply { token, requester, function, arguments });
                self.applying.insert(token, (job, chars));
            }
        }
    }

    /// One part of a request has this answer; the rest goes on unless it is an error.
    fn answer(&mut self, mut job: Job, answer: Term) {
        if answer.as_tuple().is_some_and(|parts| parts.first().is_some_and(|word| word.is_atom("error"))) {
            job.waiting.clear();
        }
        job.answer = answer;
        self.ready.push_front(job);
    }

    fn wrote(&mut self, job: Job, text: String) {
        if !text.is_empty() {
            self.effects.push(Effect::Write(text));
        }
        self.answer(job, Term::atom("ok"));
    }

    fn wanted(&mut self, request: &Term, numbers: &dyn NodeNumbers) -> Wanted {
        if request.is_atom("getopts") {
            return Wanted::Answer(self.options.to_term());
        }
        if request.is_atom("get_password") {
            return Wanted::Read(Read { what: Reading::Password, prompt: String::new(), latin1: true });
        }
        let parts = request.as_tuple().unwrap_or_default();
        let Some((Term::Atom(word), rest)) = parts.split_first() else { return refused("request") };
        match (word.as_str(), rest) {
            ("requests", [Term::List(more)]) => match proper(more) {
                Some(more) => Wanted::More(more.into_iter().take(IO_REQUESTS_MAX).collect()),
                None => refused("request"),
            },
            ("setopts", [Term::List(options)]) => {
                Wanted::Answer(match proper(options).and_then(|options| self.options.with(&options)) {
                    Some(options) => {
                        self.options = options;
                        Term::atom("ok")
                    }
                    None => error("enotsup"),
                })
            }
            ("get_geometry", [what]) if what.is_atom("columns") || what.is_atom("rows") => {
                let columns = what.is_atom("columns");
                let size = self.geometry.map(|(width, height)| if columns { width } else { height });
                Wanted::Answer(size.map_or_else(|| error("enotsup"), |size| Term::Int(size.into())))
            }
            (word, rest) => with_encoding(word, rest, numbers).unwrap_or_else(|| refused("request")),
        }
    }
}

/// Requests that say their encoding, or are so old that it is Latin-1.
fn with_encoding(word: &str, rest: &[Term], numbers: &dyn NodeNumbers) -> Option<Wanted> {
    let arguments = match word {
        "put_chars" | "get_line" | "get_password" => 1,
        "get_chars" => 2,
        "get_until" => 4,
        _ => return None,
    };
    // Characters, or a function that makes them.
    let full = [arguments, if word == "put_chars" { 3 } else { arguments }];
    let (latin1, rest) = match rest {
        [encoding, rest @ ..] if full.contains(&rest.len()) && encoding.is_atom("unicode") => (false, rest),
        [encoding, rest @ ..] if full.contains(&rest.len()) && encoding.is_atom("latin1") => (true, rest),
        // `{get_password, Encoding}` is no older than its encoding.
        [_] if word == "get_password" => (true, rest),
        rest if full.contains(&rest.len()) => (true, rest),
        _ => return None,
    };
    match (word, rest) {
        ("put_chars", [characters]) => {
            let text = if latin1 { latin1_text(characters) } else { strict_unicode_text(characters) };
            Some(text.map_or_else(|| Wanted::Answer(not_put(latin1, characters)), Wanted::Write))
        }
        ("put_chars", [Term::Atom(module), Term::Atom(function), Term::List(arguments)]) => {
            Some(made(latin1, module, function, proper(arguments)?, numbers))
        }
        ("get_password", _) => read(Reading::Password, &Term::string(""), latin1, numbers),
        ("get_line", [prompt]) => read(Reading::Line, prompt, latin1, numbers),
        ("get_chars", [prompt, Term::Int(count)]) => {
            read(Reading::Chars(usize::try_from(*count).ok()?), prompt, latin1, numbers)
        }
        ("get_until", [prompt, Term::Atom(module), Term::Atom(function), Term::List(extra)]) => {
            let (module, function, extra) = (module.clone(), function.clone(), proper(extra)?);
            let until = Until { module, function, extra, continuation: Term::NIL, ended: false };
            read(Reading::Until(until), prompt, latin1, numbers)
        }
        _ => None,
    }
}

fn read(what: Reading, prompt: &Term, latin1: bool, numbers: &dyn NodeNumbers) -> Option<Wanted> {
    Some(Wanted::Read(Read { what, prompt: prompt_of(prompt, numbers), latin1 }))
}

/// Characters that a function makes: what formats does so here, everything else is called.
fn made(
    latin1: bool,
    module: &Atom,
    function: &Atom,
    arguments: Vec<Term>,
    numbers: &dyn NodeNumbers,
) -> Wanted {
    let chars = Chars { latin1, function: function.clone() };
    match (module.as_str(), function.as_str(), &arguments[..]) {
        ("io_lib", "format" | "fwrite", [format, arguments]) => {
            let text = Formatter::new(numbers).format(format, arguments).ok();
            let text = text.filter(|text| !latin1 || text.chars().all(|c| c <= 'ÿ'));
            text.map_or_else(|| Wanted::Answer(error_of(Term::Atom(chars.function))), Wanted::Write)
        }
        _ => Wanted::Apply(chars, module.clone(), arguments),
    }
}

impl Chars {
    fn text(&self, value: &Term) -> Option<String> {
        if self.latin1 { latin1_text(value) } else { strict_unicode_text(value) }
    }
}

/// `io_lib:format_prompt/2`.
fn prompt_of(prompt: &Term, numbers: &dyn NodeNumbers) -> String {
    let formatter = Formatter::new(numbers);
    let text = match prompt.as_tuple() {
        Some([word, format, arguments]) if word.is_atom("format") => formatter.format(format, arguments),
        _ => {
            let format = match prompt {
                Term::Atom(_) | Term::List(_) | Term::Binary(_) => "~ts",
                _ => "~tp",
            };
            formatter.format(&Term::string(format), &Term::list([prompt.clone()]))
        }
    };
    text.unwrap_or_else(|_| "???".into())
}

impl Options {
    fn to_term(&self) -> Term {
        let pair = |key: &str, value: Term| Term::tuple([Term::atom(key), value]);
        let truth = |truth: bool| Term::atom(if truth { "true" } else { "false" });
        Term::list([
            pair("expand_fun", self.expand_fun.clone()),
            pair("echo", truth(self.echo)),
            pair("binary", truth(self.binary)),
            pair("encoding", Term::atom(if self.unicode { "unicode" } else { "latin1" })),
        ])
    }

    /// With these set; nothing when one of them is unknown.
    fn with(&self, wanted: &[Term]) -> Option<Options> {
        let mut options = self.clone();
        for option in wanted {
            let yes = Term::atom("true");
            let (key, value) = match option {
                Term::Atom(key) => (key, &yes),
                Term::Tuple(pair) => match pair.as_slice() {
                    [Term::Atom(key), value] => (key, value),
                    _ => return None,
                },
                _ => return None,
            };
            let truth = value.is_atom("true");
            match key.as_str() {
                "binary" => options.binary = truth,
                "list" => options.binary = !truth,
                "echo" => options.echo = truth,
                "expand_fun" => options.expand_fun = value.clone(),
                "unicode" if truth => options.unicode = true,
                "latin1" if truth => options.unicode = false,
                "encoding" if value.is_atom("unicode") || value.is_atom("utf8") => options.unicode = true,
                "encoding" if value.is_atom("latin1") => options.unicode = false,
                _ => return None,
            }
        }
        Some(options)
    }
}

fn error(why: &str) -> Term {
    error_of(Term::atom(why))
}

fn error_of(why: Term) -> Term {
    Term::tuple([Term::atom("error"), why])
}

fn refused(why: &str) -> Wanted {
    Wanted::Answer(error(why))
}

fn no_translation() -> Term {
    error_of(Term::tuple([Term::atom("no_translation"), Term::atom("unicode"), Term::atom("latin1")]))
}

/// `{error, {put_chars, Encoding, Characters}}`.
fn not_put(latin1: bool, characters: &Term) -> Term {
    let encoding = Term::atom(if latin1 { "latin1" } else { "unicode" });
    error_of(Term::tuple([Term::atom("put_chars"), encoding, characters.clone()]))
}

#[cfg(test)]
mod tests;
