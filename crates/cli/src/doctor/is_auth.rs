//! The question of `net_adm:ping/1`, and its answer, in the plainest words that a connection can carry. Pure.
//!
//! A connection without distribution headers carries `112`, the control message and the message, each as a whole
//! external term. (Erlang Distribution Protocol, "Protocol between connected nodes"; `net_kernel` answers `is_auth`.)

use bytes::Bytes;
use trunkline::proto::Flags;
use trunkline::term::decode::{DecodeError, decode_at};
use trunkline::term::encode::encode;
use trunkline::term::wire::WireContext;
use trunkline::term::{Atom, NodeId, Pid, Ref, Term};

/// What the doctor announces: as much as any peer requires, hidden, and nothing that needs headers.
pub(super) const FLAGS: Flags = Flags::OURS
    .hidden()
    .without(Flags::DIST_HDR_ATOM_CACHE)
    .without(Flags::FRAGMENTS)
    .without(Flags::ALTACT_SIG);

/// One question.
pub(super) struct Question {
    me: String,
    from: Pid,
    reference: Ref,
}

impl Question {
    /// A question of the node `me`, in the life `creation`.
    pub(super) fn new(me: &str, creation: u32) -> Option<Question> {
        let node = NodeId::new(Atom::try_new(me)?, creation);
        let from = Pid { node: node.clone(), id: 1, serial: 0 };
        Some(Question { me: me.to_owned(), from, reference: Ref::new(node, &[1, 0, 0])? })
    }

    /// The packet, with its four bytes of length: `REG_SEND` to `net_kernel`.
    pub(super) fn packet(&self) -> Vec<u8> {
        let from = Term::Pid(self.from.clone());
        let control =
            Term::tuple([Term::Int(REG_SEND), from.clone(), Term::atom(""), Term::atom("net_kernel")]);
        let tag = Term::tuple([from, Term::Ref(self.reference.clone())]);
        let ask = Term::tuple([Term::atom("is_auth"), Term::atom(&self.me)]);
        let message = Term::tuple([Term::atom("$gen_call"), tag, ask]);
        let body = [&[PASS_THROUGH][..], &encode(&control), &encode(&message)].concat();
        [&u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes()[..], &body].concat()
    }

    /// What a packet (without its length) says: the answer, if it is the answer.
    pub(super) fn answer(&self, packet: &Bytes) -> Option<Term> {
        let (_, message) = parts(packet).ok()??;
        match message.as_tuple()? {
            [Term::Ref(reference), answer] if *reference == self.reference => Some(answer.clone()),
            _ => None,
        }
    }
}

/// The control message and the message of a packet; nothing when it has no message.
fn parts(packet: &Bytes) -> Result<Option<(Term, Term)>, DecodeError> {
    let plain = WireContext::default();
    if packet.get(..2) != Some(&[PASS_THROUGH, VERSION]) {
        return Ok(None);
    }
    let (control, end) = decode_at(packet, 2, &plain)?;
    if packet.get(end) != Some(&VERSION) {
        return Ok(None);
    }
    Ok(Some((control, decode_at(packet, end + 1, &plain)?.0)))
}

const PASS_THROUGH: u8 = 112;
const VERSION: u8 = 131;
const REG_SEND: i64 = 6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_answer_to_this_question_counts() {
        let question = Question::new("me@localhost", 7).unwrap();
        let packet = |reference: Ref, word: &str| {
            let control = Term::tuple([Term::Int(2), Term::atom(""), Term::Pid(question.from.clone())]);
            let message = Term::tuple([Term::Ref(reference), Term::atom(word)]);
            Bytes::from([&[PASS_THROUGH][..], &encode(&control), &encode(&message)].concat())
        };
        let yes = question.answer(&packet(question.reference.clone(), "yes")).unwrap();
        assert!(yes.is_atom("yes"));
        let other = Ref::new(question.reference.node().clone(), &[2, 0, 0]).unwrap();
        assert!(question.answer(&packet(other, "yes")).is_none());
        assert!(question.answer(&Bytes::from_static(b"")).is_none());
        assert!(question.answer(&Bytes::from_static(b"\x70\x83")).is_none());
    }

    #[test]
    fn the_packet_says_how_long_it_is() {
        let packet = Question::new("me@localhost", 7).unwrap().packet();
        let length = u32::from_be_bytes(packet[..4].try_into().unwrap());
        assert_eq!(length as usize, packet.len() - 4);
        assert_eq!(packet[4..6], [PASS_THROUGH, VERSION]);
    }
}
