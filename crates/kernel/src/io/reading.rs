//! What is read: a line, characters, until a function has enough, a password.

use term::{Atom, List, Term};

use super::text_of;

/// Text that came and was not read yet, and how it ends.
#[derive(Default)]
pub(super) struct Buffer {
    text: String,
    /// How much of the text was read.
    read: usize,
    /// `eof` or `{error, Reason}`, after the text.
    pub(super) end: Option<Term>,
}

impl Buffer {
    pub(super) fn push(&mut self, text: &str) {
        self.end = None;
        self.text.push_str(text);
    }

    /// Puts back what was read too much.
    fn unread(&mut self, text: &str) {
        // Nearly always it is the end of what was read last.
        if self.text[..self.read].ends_with(text) {
            self.read -= text.len();
            return;
        }
        let rest = self.text.split_off(self.read);
        self.text = format!("{text}{rest}");
        self.read = 0;
    }

    fn rest(&self) -> &str {
        &self.text[self.read..]
    }

    fn take(&mut self, bytes: usize) -> String {
        let taken = self.rest()[..bytes].to_owned();
        self.read += bytes;
        if self.read == self.text.len() {
            self.text.clear();
            self.read = 0;
        }
        taken
    }

    /// The next line with its end, or what stands before the end of all.
    fn line(&mut self) -> Option<String> {
        let rest = self.rest();
        match rest.find('\n') {
            Some(at) => Some(self.take(at + 1)),
            None if self.end.is_some() && !rest.is_empty() => Some(self.take(rest.len())),
            None => None,
        }
    }
}

/// One read under way.
pub(super) enum Reading {
    Line,
    Chars(usize),
    Password,
    Until(Until),
}

/// `{get_until, Encoding, Prompt, Module, Function, ExtraArguments}`.
pub(super) struct Until {
    pub(super) module: Atom,
    pub(super) function: Atom,
    pub(super) extra: Vec<Term>,
    pub(super) continuation: Term,
    /// The function was given `eof`: it can want no more.
    pub(super) ended: bool,
}

/// What a read needs, or gives.
pub(super) enum Step {
    /// More input.
    Wait,
    /// This text.
    Text(String),
    /// There is no more, or an error: as it is.
    End(Term),
    /// This list of arguments for its function.
    Apply(Vec<Term>),
}

impl Reading {
    pub(super) fn step(&mut self, input: &mut Buffer) -> Step {
        let found = match self {
            Reading::Line => input.line().map(|line| match line.strip_suffix("\r\n") {
                Some(bare) => format!("{bare}\n"),
                None => line,
            }),
            Reading::Password => {
                input.line().map(|line| line.trim_end_matches('\n').trim_end_matches('\r').to_owned())
            }
            Reading::Chars(count) => {
                let rest = input.rest();
                let end = rest.char_indices().nth(*count).map(|(at, _)| at);
                let here = rest.chars().take(*count).count();
                match end {
                    Some(end) => Some(input.take(end)),
                    None if here == *count || (input.end.is_some() && here > 0) => {
                        Some(input.take(rest.len()))
                    }
                    None => None,
                }
            }
            Reading::Until(until) => return until.step(input),
        };
        match (found, &input.end) {
            (Some(text), _) => Step::Text(text),
            (None, Some(end)) => Step::End(end.clone()),
            (None, None) => Step::Wait,
        }
    }
}

impl Until {
    fn step(&mut self, input: &mut Buffer) -> Step {
        let characters = match (input.line(), &input.end) {
            (Some(line), _) => Term::string(&line),
            (None, Some(end)) if end.is_atom("eof") => {
                self.ended = true;
                end.clone()
            }
            (None, Some(end)) => return Step::End(end.clone()),
            (None, None) => return Step::Wait,
        };
        let mut arguments = vec![self.continuation.clone(), characters];
        arguments.extend(self.extra.iter().cloned());
        Step::Apply(arguments)
    }

    /// What the function said: its result, `None` to go on, or that it is none of the two.
    pub(super) fn said(&mut self, answer: &Term, input: &mut Buffer) -> Result<Option<Term>, ()> {
        match answer.as_tuple() {
            Some([word, result, rest]) if word.is_atom("done") => {
                if !rest.is_atom("eof") {
                    input.unread(&text_of(rest).ok_or(())?);
                }
                Ok(Some(result.clone()))
            }
            Some([word, continuation]) if word.is_atom("more") && !self.ended => {
                self.continuation = continuation.clone();
                Ok(None)
            }
            _ => Err(()),
        }
    }
}

/// The text in the form in which the reader wants it; nothing when its encoding has no such character.
pub(super) fn cast(text: &str, binary: bool, latin1: bool) -> Option<Term> {
    if latin1 && text.chars().any(|c| c > 'ÿ') {
        return None;
    }
    Some(match (binary, latin1) {
        (false, _) => Term::string(text),
        (true, false) => Term::binary(text),
        (true, true) => Term::Binary(text.chars().map(|c| c as u8).collect::<Vec<u8>>().into()),
    })
}

/// The elements of a proper list.
pub(super) fn proper(list: &List) -> Option<Vec<Term>> {
    list.improper_tail().is_none().then(|| list.iter().collect())
}
