//! Both sides back to back, in a plain loop.

use super::*;
use crate::error::{Blame, Misuse, PeerFault};
use crate::limits::HANDSHAKE_BUFFER_BYTES_MAX;

const A: &str = "a@host";
const B: &str = "b@host";

fn cookie() -> Cookie {
    Cookie::new("monster").unwrap()
}

fn me(name: &str, creation: u32) -> Me {
    Me::new(name, creation, Flags::OURS).unwrap()
}

fn dial(name: &str) -> Initiation {
    Initiation::begin(me(name, 11), B, cookie(), 305_419_896)
}

fn welcome() -> Welcome {
    Welcome { cookie: cookie(), challenge: 77 }
}

#[derive(Debug, PartialEq)]
enum End {
    Done(Box<Peer>, Vec<u8>),
    Refused(Refusal),
    Blamed(Blame),
    Hung,
}

/// What the two callers answer.
struct Callers {
    verdict: Verdict,
    welcome: Welcome,
    insist: bool,
    torn_down: usize,
}

impl Callers {
    fn saying(verdict: Verdict) -> Callers {
        Callers { verdict, welcome: welcome(), insist: true, torn_down: 0 }
    }
}

fn step_a(a: &mut Initiation, bytes: &[u8], to_b: &mut Vec<u8>, callers: &Callers) -> Option<End> {
    let mut step = a.receive(bytes);
    loop {
        match step {
            Ok(Step::Send(bytes)) => to_b.extend(bytes),
            Ok(Step::Ask(Question::StillAlive)) => a.insist(callers.insist).unwrap(),
            Ok(Step::NeedMore) => return None,
            Ok(Step::Done(peer, rest)) => return Some(End::Done(peer, rest)),
            Ok(Step::Refused(why)) => return Some(End::Refused(why)),
            Ok(other) => panic!("unexpected {other:?}"),
            Err(blame) => return Some(End::Blamed(blame)),
        }
        step = a.receive(&[]);
    }
}

fn step_b(b: &mut Acceptance, bytes: &[u8], to_a: &mut Vec<u8>, callers: &mut Callers) -> Option<End> {
    let mut step = b.receive(bytes);
    loop {
        match step {
            Ok(Step::Send(bytes)) => to_a.extend(bytes),
            Ok(Step::Ask(Question::Knock(_))) => {
                b.answer(callers.verdict.clone(), callers.welcome.clone()).unwrap();
            }
            Ok(Step::Ask(Question::TearDown(_))) => {
                assert!(to_a.is_empty(), "the ack must wait");
                callers.torn_down += 1;
                b.release().unwrap();
            }
            Ok(Step::NeedMore) => return None,
            Ok(Step::Done(peer, rest)) => return Some(End::Done(peer, rest)),
            Ok(Step::Refused(why)) => return Some(End::Refused(why)),
            Ok(other) => panic!("unexpected {other:?}"),
            Err(blame) => return Some(End::Blamed(blame)),
        }
        step = b.receive(&[]);
    }
}

/// Lets both talk, `chunk` bytes at a time, until neither has anything to say.
fn meet(a: &mut Initiation, b: &mut Acceptance, callers: &mut Callers, chunk: usize) -> (End, End) {
    let (mut to_a, mut to_b) = (Vec::new(), Vec::new());
    let mut end_a = step_a(a, &[], &mut to_b, callers);
    let mut end_b = None;
    while (!to_a.is_empty() && end_a.is_none()) || (!to_b.is_empty() && end_b.is_none()) {
        if end_b.is_none() && !to_b.is_empty() {
            let rest = to_b.split_off(chunk.min(to_b.len()));
            end_b = step_b(b, &std::mem::replace(&mut to_b, rest), &mut to_a, callers);
        }
        if end_a.is_none() && !to_a.is_empty() {
            let rest = to_a.split_off(chunk.min(to_a.len()));
            end_a = step_a(a, &std::mem::replace(&mut to_a, rest), &mut to_b, callers);
        }
    }
    (end_a.unwrap_or(End::Hung), end_b.unwrap_or(End::Hung))
}

fn meet_as(verdict: Verdict) -> (End, End) {
    let mut callers = Callers::saying(verdict);
    meet(&mut dial(A), &mut Acceptance::begin(me(B, 22)).unwrap(), &mut callers, usize::MAX)
}

fn peers(ends: (End, End)) -> (Peer, Peer) {
    match ends {
        (End::Done(a, rest_a), End::Done(b, rest_b)) => {
            assert!(rest_a.is_empty() && rest_b.is_empty());
            (*a, *b)
        }
        other => panic!("no connection: {other:?}"),
    }
}

#[test]
fn two_nodes_with_one_cookie_meet_in_chunks_of_any_size() {
    for chunk in [1, 2, 3, 7, usize::MAX] {
        let mut callers = Callers::saying(Verdict::Ok);
        let mut b = Acceptance::begin(me(B, 22)).unwrap();
        let (of_a, of_b) = peers(meet(&mut dial(A), &mut b, &mut callers, chunk));
        assert_eq!((of_a.name.as_str(), of_a.creation, of_a.visible), (B, 22, true));
        assert_eq!((of_b.name.as_str(), of_b.creation, of_b.visible), (A, 11, true));
        assert_eq!(of_a.negotiated, Flags::OURS);
        assert_eq!(of_a.negotiated, of_b.negotiated);
    }
}

#[test]
fn a_carrier_with_four_byte_frames_works_the_same() {
    let mut a = Initiation::begin(me(A, 11).framed(Framing::Four), B, cookie(), 1);
    let mut b = Acceptance::begin(me(B, 22).framed(Framing::Four)).unwrap();
    peers(meet(&mut a, &mut b, &mut Callers::saying(Verdict::Ok), 1));
}

#[test]
fn a_hidden_side_makes_the_connection_hidden_on_both_ends() {
    let hidden = Me::new(A, 11, Flags::OURS.hidden()).unwrap();
    let mut a = Initiation::begin(hidden, B, cookie(), 1);
    let mut b = Acceptance::begin(me(B, 22)).unwrap();
    let (of_a, of_b) = peers(meet(&mut a, &mut b, &mut Callers::saying(Verdict::Ok), usize::MAX));
    assert!(!of_a.visible && !of_b.visible);
    assert!(of_a.flags.contains(Flags::PUBLISHED) && !of_b.flags.contains(Flags::PUBLISHED));
}

#[test]
fn every_refusal_ends_both_sides_without_blame() {
    for (verdict, refusal) in [(Verdict::Nok, Refusal::Nok), (Verdict::NotAllowed, Refusal::NotAllowed)] {
        assert_eq!(meet_as(verdict), (End::Refused(refusal), End::Refused(refusal)));
    }
}

#[test]
fn ok_simultaneous_goes_on_like_ok() {
    peers(meet_as(Verdict::OkSimultaneous));
}

#[test]
fn the_ack_waits_until_the_old_connection_is_gone() {
    let mut callers = Callers::saying(Verdict::Alive);
    peers(meet(&mut dial(A), &mut Acceptance::begin(me(B, 22)).unwrap(), &mut callers, 1));
    assert_eq!(callers.torn_down, 1);
}

#[test]
fn one_who_does_not_insist_leaves_the_old_connection_alone() {
    let mut callers = Callers { insist: false, ..Callers::saying(Verdict::Alive) };
    let ends = meet(&mut dial(A), &mut Acceptance::begin(me(B, 22)).unwrap(), &mut callers, 1);
    assert_eq!(ends, (End::Refused(Refusal::StillAlive), End::Refused(Refusal::StillAlive)));
    assert_eq!(callers.torn_down, 0);
}

#[test]
fn a_node_without_a_name_is_given_one() {
    let nameless = Me::nameless("host", Flags::OURS).unwrap();
    let mut a = Initiation::begin(nameless, B, cookie(), 1);
    let mut b = Acceptance::begin(me(B, 22)).unwrap();
    let verdict = Verdict::Named { name: "DYN1@host".into(), creation: 4242 };
    let (of_a, of_b) = peers(meet(&mut a, &mut b, &mut Callers::saying(verdict), 3));
    assert_eq!(of_a.granted, Some(Granted { name: "DYN1@host".into(), creation: 4242 }));
    assert_eq!((of_b.name.as_str(), of_b.creation, of_b.visible), ("DYN1@host", 4242, false));
    assert!(of_a.flags.contains(Flags::NAME_ME) && !of_a.flags.contains(Flags::PUBLISHED));
    assert!(!of_a.negotiated.contains(Flags::NAME_ME));
}

#[test]
fn names_are_granted_only_to_those_who_ask_and_only_on_their_host() {
    let ask = |me: Me, verdict: Verdict| {
        let mut b = Acceptance::begin(super::Me::new(B, 22, Flags::OURS).unwrap()).unwrap();
        let Ok(Step::Send(bytes)) = Initiation::begin(me, B, cookie(), 1).receive(&[]) else { panic!() };
        assert!(matches!(b.receive(&bytes), Ok(Step::Ask(_))));
        b.answer(verdict, welcome())
    };
    let nameless = Me::nameless("host", Flags::OURS).unwrap();
    let named = |name: &str| Verdict::Named { name: name.into(), creation: 1 };
    assert!(matches!(ask(me(A, 1), named("x@host")), Err(Blame::Us(Misuse::BadVerdict(_)))));
    assert!(matches!(ask(nameless.clone(), Verdict::Ok), Err(Blame::Us(Misuse::BadVerdict(_)))));
    assert!(matches!(ask(nameless.clone(), named("x@elsewhere")), Err(Blame::Us(Misuse::BadVerdict(_)))));
    assert_eq!(ask(nameless, named("x@host")), Ok(()));
}

#[test]
fn a_wrong_cookie_is_blamed_on_the_peer_by_name_before_we_prove_anything() {
    let mut callers = Callers::saying(Verdict::Ok);
    callers.welcome.cookie = Cookie::new("other").unwrap();
    let ends = meet(&mut dial(A), &mut Acceptance::begin(me(B, 22)).unwrap(), &mut callers, usize::MAX);
    let blamed = End::Blamed(PeerFault::BadCookie { name: A.into() }.into());
    assert_eq!(ends, (End::Hung, blamed));
}

#[test]
fn an_acceptor_that_cannot_prove_itself_is_refused() {
    let mut a = dial(A);
    let mut out = Vec::new();
    assert!(step_a(&mut a, &[], &mut out, &Callers::saying(Verdict::Ok)).is_none());
    let mut bytes = Vec::new();
    frames::frame(Framing::Two, &mut bytes, |m| frames::Status::Ok.write(m));
    let challenge = frames::Challenge { flags: Flags::OURS, challenge: 1, creation: 2, name: B.into() };
    frames::frame(Framing::Two, &mut bytes, |m| challenge.write(m));
    frames::frame(Framing::Two, &mut bytes, |m| frames::write_ack(&digest(&cookie(), 999), m));
    let end = step_a(&mut a, &bytes, &mut out, &Callers::saying(Verdict::Ok));
    assert_eq!(end, Some(End::Blamed(PeerFault::BadCookie { name: B.into() }.into())));
}

#[test]
fn the_first_packet_may_share_a_segment_with_the_ack() {
    let mut a = dial(A);
    let mut to_b = Vec::new();
    let callers = &mut Callers::saying(Verdict::Ok);
    let mut b = Acceptance::begin(me(B, 22)).unwrap();
    let mut to_a = Vec::new();
    assert!(step_a(&mut a, &[], &mut to_b, callers).is_none());
    assert!(step_b(&mut b, &std::mem::take(&mut to_b), &mut to_a, callers).is_none());
    assert!(step_a(&mut a, &std::mem::take(&mut to_a), &mut to_b, callers).is_none());
    to_b.extend([0, 0, 0, 0]);
    let Some(End::Done(_, rest)) = step_b(&mut b, &to_b, &mut to_a, callers) else { panic!() };
    assert_eq!(rest, [0, 0, 0, 0]);
    to_a.extend([0, 0, 0, 1, 112]);
    let Some(End::Done(_, rest)) = step_a(&mut a, &to_a, &mut Vec::new(), callers) else { panic!() };
    assert_eq!(rest, [0, 0, 0, 1, 112]);
}

#[test]
fn the_node_that_answers_must_be_the_node_that_was_dialled() {
    let mut b = Acceptance::begin(me("c@host", 22)).unwrap();
    let (a, _) = meet(&mut dial(A), &mut b, &mut Callers::saying(Verdict::Ok), usize::MAX);
    let fault = PeerFault::WrongName { dialled: B.into(), answered: "c@host".into() };
    assert_eq!(a, End::Blamed(fault.into()));
}

#[test]
fn a_peer_that_lacks_required_flags_hears_not_allowed() {
    let weak = Me::new(A, 1, Flags::OURS.without(Flags::V4_NC)).unwrap();
    let mut a = Initiation::begin(weak, B, cookie(), 1);
    let mut b = Acceptance::begin(me(B, 22)).unwrap();
    let ends = meet(&mut a, &mut b, &mut Callers::saying(Verdict::Ok), usize::MAX);
    let blame = PeerFault::MissingFlags { name: A.into(), missing: Flags::V4_NC }.into();
    assert_eq!(ends, (End::Refused(Refusal::NotAllowed), End::Blamed(blame)));
}

#[test]
fn an_acceptor_that_lacks_required_flags_is_left_after_its_challenge() {
    let mut b = Acceptance::begin(Me::new(B, 1, Flags::OURS.without(Flags::UNLINK_ID)).unwrap()).unwrap();
    let (a, _) = meet(&mut dial(A), &mut b, &mut Callers::saying(Verdict::Ok), usize::MAX);
    let fault = PeerFault::MissingFlags { name: B.into(), missing: Flags::UNLINK_ID };
    assert_eq!(a, End::Blamed(fault.into()));
}

#[test]
fn the_old_name_message_is_taken_when_a_complement_follows() {
    let flags = Flags::from_bits(0xD_07DF_7FBD);
    let mut b = Acceptance::begin(me(B, 22)).unwrap();
    let mut to_a = Vec::new();
    let mut name = vec![b'n', 0, 5];
    name.extend((flags.bits() as u32).to_be_bytes());
    name.extend(A.bytes());
    let mut bytes = Vec::new();
    frames::frame(Framing::Two, &mut bytes, |m| m.extend(&name));
    let callers = &mut Callers::saying(Verdict::Ok);
    assert_eq!(step_b(&mut b, &bytes, &mut to_a, callers), None);
    let mut bytes = Vec::new();
    frames::frame(Framing::Two, &mut bytes, |m| frames::write_complement(flags, 9, m));
    frames::frame(Framing::Two, &mut bytes, |m| frames::write_reply(5, &digest(&cookie(), 77), m));
    let Some(End::Done(peer, _)) = step_b(&mut b, &bytes, &mut to_a, callers) else { panic!() };
    assert_eq!((peer.name.as_str(), peer.creation, peer.flags), (A, 9, flags));
}

#[test]
fn an_old_peer_whose_complement_lacks_a_required_flag_is_left() {
    let mut b = Acceptance::begin(me(B, 22)).unwrap();
    let mut bytes = Vec::new();
    frames::frame(Framing::Two, &mut bytes, |m| {
        m.extend(b"n\0\x05\x07\xDF\x7F\xBDa@host");
    });
    frames::frame(Framing::Two, &mut bytes, |m| frames::write_complement(Flags::NONE, 9, m));
    let end = step_b(&mut b, &bytes, &mut Vec::new(), &mut Callers::saying(Verdict::Ok));
    let fault = PeerFault::MissingFlags { name: A.into(), missing: Flags::V4_NC };
    assert_eq!(end, Some(End::Blamed(fault.into())));
}

#[test]
fn the_name_message_is_byte_for_byte_that_of_otp() {
    let me = Me::new("r25@127.0.0.1", 0x6B00_C1C8, Flags::from_bits(0xD_07DF_7FBD)).unwrap();
    let Ok(Step::Send(bytes)) = Initiation::begin(me, B, cookie(), 1).receive(&[]) else { panic!() };
    let mut expected =
        vec![0, 28, 0x4E, 0, 0, 0, 0x0D, 0x07, 0xDF, 0x7F, 0xBD, 0x6B, 0x00, 0xC1, 0xC8, 0, 13];
    expected.extend(b"r25@127.0.0.1");
    assert_eq!(bytes, expected);
}

#[test]
fn bytes_behind_the_name_are_ignored() {
    let mut message = Vec::new();
    let name = frames::SendName { flags: Flags::OURS, creation: 1, name: A.into(), old: false };
    name.write(&mut message);
    message.extend([1, 2, 3]);
    assert_eq!(frames::SendName::read(&message), Ok(name));
}

#[test]
fn a_frame_that_claims_too_much_is_refused_before_it_arrives() {
    let mut b = Acceptance::begin(me(B, 22)).unwrap();
    let blame = b.receive(b"GET / HTTP/1.1").unwrap_err();
    assert!(matches!(blame, Blame::Peer(PeerFault::FrameTooLong { claimed: 0x4745, .. })), "{blame}");
    assert_eq!(b.receive(&[]), Err(Misuse::OutOfOrder("receive").into()));
}

#[test]
fn a_flood_before_the_proof_is_not_kept() {
    let mut b = Acceptance::begin(me(B, 22)).unwrap();
    let flood = vec![0; HANDSHAKE_BUFFER_BYTES_MAX + 1];
    assert!(matches!(b.receive(&flood), Err(Blame::Peer(PeerFault::Flood { .. }))));
}

#[test]
fn every_message_cut_short_is_blamed_on_the_peer() {
    let mut name = Vec::new();
    frames::SendName { flags: Flags::OURS, creation: 1, name: A.into(), old: false }.write(&mut name);
    for cut in 0..name.len() {
        let blame = Acceptor::begin(me(B, 1)).unwrap().name(&name[..cut]).unwrap_err();
        assert!(matches!(blame, Blame::Peer(_)), "{cut}: {blame}");
    }
    let mut challenge = Vec::new();
    frames::Challenge { flags: Flags::OURS, challenge: 1, creation: 1, name: A.into() }.write(&mut challenge);
    for cut in 0..challenge.len() {
        assert!(frames::Challenge::read(&challenge[..cut]).is_err(), "{cut}");
    }
    let mut reply = Vec::new();
    frames::write_reply(1, &digest(&cookie(), 1), &mut reply);
    for cut in 0..reply.len() {
        assert!(frames::read_reply(&reply[..cut]).is_err(), "{cut}");
    }
    reply.push(0);
    assert!(frames::read_reply(&reply).is_err(), "a proof is the whole rest");
}

#[test]
fn a_name_with_the_wrong_form_or_a_status_that_does_not_exist_is_refused() {
    for bad in ["", "a", "a@", "@b", "a@b@c"] {
        let mut message = Vec::new();
        frames::SendName { flags: Flags::OURS, creation: 1, name: bad.into(), old: false }
            .write(&mut message);
        let blame = Acceptor::begin(me(B, 1)).unwrap().name(&message).unwrap_err();
        assert_eq!(blame, PeerFault::BadName(bad.into()).into());
    }
    for bad in [&b"sfoo"[..], b"s", b"", b"Nok", b"snamed:", b"snamed:\0\x01a\0\0\0\x01"] {
        let told = Initiator::begin(me(A, 1), B, cookie(), 1, &mut Vec::new());
        assert!(matches!(told.status(bad), Err(Blame::Peer(_))), "{bad:?}");
    }
    let nameless = Me::nameless("host", Flags::OURS).unwrap();
    for bad in [&b"sok"[..], b"salive", b"snok", b"snamed:\0\x05x@els\0\0\0\x01"] {
        let told = Initiator::begin(nameless.clone(), B, cookie(), 1, &mut Vec::new());
        assert!(matches!(told.status(bad), Err(Blame::Peer(_))), "{bad:?}");
    }
}

#[test]
fn answers_to_questions_nobody_asked_are_our_own_fault() {
    let mut b = Acceptance::begin(me(B, 22)).unwrap();
    assert_eq!(b.release(), Err(Misuse::OutOfOrder("release")));
    assert_eq!(b.answer(Verdict::Ok, welcome()), Err(Misuse::OutOfOrder("answer").into()));
    assert_eq!(dial(A).insist(true), Err(Misuse::OutOfOrder("insist")));
    assert!(Acceptance::begin(Me::nameless("host", Flags::OURS).unwrap()).is_err());
}

#[test]
fn neither_cookie_nor_digest_shows_up_in_debug_output() {
    let machine = Initiation::begin(me(A, 1), B, Cookie::new("sesame").unwrap(), 1);
    let text = format!("{machine:?}");
    assert!(!text.contains("sesame") && text.contains("Cookie(..)"), "{text}");
}
