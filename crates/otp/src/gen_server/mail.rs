//! What comes to a generic server: values of its own types from near, terms from anywhere.

use std::marker::PhantomData;

use runtime::ExitSignal;
use term::{FromTerm, IntoTerm, Mismatch, Term};

use super::GenServer;
use crate::ask::Request;
use crate::request::{self, Caller, GEN_CALL, GEN_CAST};

/// A message to a server `S`. A near handle sends the first two as they are.
pub(crate) enum Mail<S: GenServer> {
    Call(S::Call),
    Cast(S::Cast),
    /// A question not yet read.
    Asked(Caller, Term),
    Told(Term),
    System(Caller, Term),
    Exit(ExitSignal),
    Other(Term, PhantomData<fn() -> S>),
}

impl<S: GenServer> FromTerm for Mail<S> {
    fn from_term(term: &Term) -> Result<Mail<S>, Mismatch> {
        Ok(match request::Request::read(term.clone()) {
            request::Request::Call(from, question) => Mail::Asked(from, question),
            request::Request::Cast(message) => Mail::Told(message),
            request::Request::System(from, request) => Mail::System(from, request),
            request::Request::Info(term) => match ExitSignal::from_term(&term) {
                Ok(signal) => Mail::Exit(signal),
                Err(_) => Mail::Other(term, PhantomData),
            },
        })
    }
}

impl<S: GenServer> IntoTerm for Mail<S> {
    fn into_term(self) -> Term {
        match self {
            Mail::Call(question) => {
                let (question, reply) = question.into_question();
                let from = reply.caller().cloned().map_or(Term::NIL, IntoTerm::into_term);
                Term::tuple([Term::Atom(GEN_CALL), from, question])
            }
            Mail::Asked(from, question) => Term::tuple([Term::Atom(GEN_CALL), from.into_term(), question]),
            Mail::Cast(message) => Term::tuple([Term::Atom(GEN_CAST), message.into_term()]),
            Mail::Told(message) => Term::tuple([Term::Atom(GEN_CAST), message]),
            Mail::System(from, request) => {
                Term::tuple([Term::Atom(request::SYSTEM), from.into_term(), request])
            }
            Mail::Exit(signal) => signal.into_term(),
            Mail::Other(term, _) => term,
        }
    }
}
