//! A message in one of its three forms: a Rust value that is moved, a term, or bytes not yet decoded.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use term::wire::WireTerm;
use term::{Atom, FromTerm, IntoTerm, Pid, Ref, Term};

use crate::lane::{Lane, Unheard};

/// A message on its way to, or unread in, a mailbox.
pub struct Message(pub(crate) Form);

pub(crate) enum Form {
    /// A near message: moved, never encoded. Becomes a term only when somebody asks for another type.
    Value(Box<dyn Near>),
    Term(Term),
    /// As it came off the wire: decoded by the process that receives it, once.
    Wire(Box<Letter>),
    /// Read already.
    Taken,
}

/// A message as it came off the wire.
pub(crate) struct Letter {
    wire: WireTerm,
    /// Counts it for its connection, as long as it is not decoded, when it is for a service.
    unheard: Option<Unheard>,
}

impl Message {
    /// The message `value`. Terms and the plain values that fit into one are kept as terms, everything else is boxed.
    #[inline]
    pub fn new<T: IntoTerm + Send + 'static>(value: T) -> Message {
        let mut value = Some(value);
        let any: &mut dyn Any = &mut value;
        if let Some(term) = any.downcast_mut::<Option<Term>>() {
            return Message(Form::Term(term.take().unwrap_or(Term::NIL)));
        }
        let plain = any.is::<Option<i64>>()
            || any.is::<Option<Atom>>()
            || any.is::<Option<Pid>>()
            || any.is::<Option<Ref>>();
        match value {
            Some(value) if plain => Message(Form::Term(value.into_term())),
            Some(value) => Message(Form::Value(Box::new(value))),
            None => Message(Form::Taken),
        }
    }

    /// A message that came off a connection.
    pub fn from_wire(wire: WireTerm) -> Message {
        Message(Form::Wire(Box::new(Letter { wire, unheard: None })))
    }

    /// The message as a term.
    ///
    /// # Errors
    /// When it came off a connection and cannot be decoded.
    pub fn into_term(self) -> Result<Term, term::decode::DecodeError> {
        match self.0 {
            Form::Value(value) => Ok(value.boxed_into_term()),
            Form::Term(term) => Ok(term),
            Form::Wire(letter) => letter.wire.decode(),
            Form::Taken => Ok(Term::NIL),
        }
    }

    /// Turns the message into a term in its place, once.
    ///
    /// # Errors
    /// As [`Message::into_term`]; the message is unchanged then.
    pub(crate) fn as_term(&mut self) -> Result<&Term, term::decode::DecodeError> {
        // What cannot be decoded stays as it came, so that one can say from whom.
        if let Form::Wire(letter) = &self.0 {
            self.0 = Form::Term(letter.wire.decode()?);
        } else if !matches!(self.0, Form::Term(_)) {
            let taken = std::mem::replace(self, Message(Form::Taken));
            self.0 = Form::Term(taken.into_term()?);
        }
        match &self.0 {
            Form::Term(term) => Ok(term),
            _ => unreachable!("it was made a term just above"),
        }
    }

    /// Takes the message out if it reads as an `M`.
    pub(crate) fn take_as<M: FromTerm + 'static>(&mut self) -> Look<M> {
        match &self.0 {
            Form::Taken => return Look::No,
            Form::Value(value) if (&**value as &dyn Any).is::<M>() => {
                let Form::Value(value) = std::mem::replace(&mut self.0, Form::Taken) else { return Look::No };
                let any: Box<dyn Any> = value;
                return any.downcast::<M>().map_or(Look::No, |value| Look::Yes(*value));
            }
            _ => {}
        }
        match self.as_term().map(M::from_term) {
            Ok(Ok(value)) => {
                self.0 = Form::Taken;
                Look::Yes(value)
            }
            Ok(Err(_)) => Look::No,
            Err(error) => Look::Undecodable(error),
        }
    }

    /// The node from which it came, while it is as it came.
    pub(crate) fn origin(&self) -> Option<&Atom> {
        match &self.0 {
            Form::Wire(letter) => crate::garbled::origin(&letter.wire),
            _ => None,
        }
    }

    /// Counts it among what its connection has brought for services and none of them has looked at.
    pub(crate) fn count_for(&mut self, lane: &Arc<Lane>) {
        if let Form::Wire(letter) = &mut self.0 {
            letter.unheard = Some(Unheard::new(lane));
        }
    }

    /// Bytes that must be decoded to look at it. (Nothing compressed comes over a connection.)
    pub(crate) fn undecoded_bytes(&self) -> usize {
        match &self.0 {
            Form::Wire(letter) => letter.wire.bytes.len(),
            _ => 0,
        }
    }

    pub(crate) fn is_taken(&self) -> bool {
        matches!(self.0, Form::Taken)
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Form::Value(_) => f.write_str("Message(a Rust value)"),
            Form::Term(term) => write!(f, "Message({term:?})"),
            Form::Wire(letter) => write!(f, "Message({} bytes off the wire)", letter.wire.bytes.len()),
            Form::Taken => f.write_str("Message(read)"),
        }
    }
}

/// What looking at one message gave.
pub(crate) enum Look<M> {
    Yes(M),
    No,
    Undecodable(term::decode::DecodeError),
}

/// A value that can be sent near as it is, and far as a term.
pub(crate) trait Near: Any + Send {
    fn boxed_into_term(self: Box<Self>) -> Term;
}

impl<T: IntoTerm + Send + 'static> Near for T {
    fn boxed_into_term(self: Box<Self>) -> Term {
        (*self).into_term()
    }
}

/// `{'DOWN', Reference, process, Target, Reason}`: what a monitor says when it fires.
#[derive(Clone, Debug, PartialEq)]
pub struct Down {
    /// The monitor.
    pub reference: Ref,
    /// The pid that was watched, or `{Name, Node}`.
    pub target: Term,
    /// Why the watched process ended; `noproc` and `noconnection` when it is not known.
    pub reason: Term,
}

impl IntoTerm for Down {
    fn into_term(self) -> Term {
        let Down { reference, target, reason } = self;
        Term::tuple([Term::Atom(DOWN), Term::Ref(reference), Term::Atom(PROCESS), target, reason])
    }
}

impl FromTerm for Down {
    fn from_term(term: &Term) -> Result<Down, term::Mismatch> {
        let [Term::Atom(tag), Term::Ref(reference), Term::Atom(kind), target, reason] =
            term.as_tuple().unwrap_or_default()
        else {
            return Err(term::Mismatch { expected: "{'DOWN', Reference, process, Target, Reason}" });
        };
        if *tag != DOWN || *kind != PROCESS {
            return Err(term::Mismatch { expected: "{'DOWN', Reference, process, Target, Reason}" });
        }
        Ok(Down { reference: reference.clone(), target: target.clone(), reason: reason.clone() })
    }
}

/// `{'EXIT', From, Reason}`: an exit signal that reached a process which traps exits.
#[derive(Clone, Debug, PartialEq)]
pub struct ExitSignal {
    /// Who ended, or called `exit/2`.
    pub from: Pid,
    /// Why.
    pub reason: Term,
}

impl IntoTerm for ExitSignal {
    fn into_term(self) -> Term {
        Term::tuple([Term::Atom(EXIT), Term::Pid(self.from), self.reason])
    }
}

impl FromTerm for ExitSignal {
    fn from_term(term: &Term) -> Result<ExitSignal, term::Mismatch> {
        match term.as_tuple() {
            Some([Term::Atom(tag), Term::Pid(from), reason]) if *tag == EXIT => {
                Ok(ExitSignal { from: from.clone(), reason: reason.clone() })
            }
            _ => Err(term::Mismatch { expected: "{'EXIT', From, Reason}" }),
        }
    }
}

const DOWN: Atom = Atom::inline("DOWN");
const EXIT: Atom = Atom::inline("EXIT");
const PROCESS: Atom = Atom::inline("process");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_no_bigger_than_a_term() {
        assert_eq!(size_of::<Message>(), 24);
    }
}
