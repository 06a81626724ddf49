//! Strangers on both sides of a handshake: any bytes in any cuts, and honest nodes with a wire that lies.

use arbitrary::{Arbitrary, Unstructured};
use proto::handshake::{
    Acceptance, Cookie, Framing, Initiation, Me, Question, Refusal, Step, Verdict, Welcome,
};
use proto::{Blame, Flags};

const US: &str = "us@host";
const THEM: &str = "them@host";

#[derive(Arbitrary, Debug)]
struct Story<'a> {
    wide: bool,
    nameless: bool,
    insist: bool,
    verdict: u8,
    flags: Option<u64>,
    required: Option<u64>,
    cut: u8,
    /// Bytes of the conversation that are changed on the way: where, and by what.
    lies: Vec<(u16, u8)>,
    stranger: Vec<Message<'a>>,
}

/// What a stranger may say: the right messages with any content, which gets far, or anything at all.
#[derive(Arbitrary, Debug)]
enum Message<'a> {
    Name { flags: Option<u64>, creation: u32, dynamic: bool },
    OldName { flags: Option<u32> },
    Status(u8),
    Challenge { flags: Option<u64>, challenge: u32, creation: u32 },
    Complement { high: Option<u32>, creation: u32 },
    Reply { challenge: u32, proof: [u8; 16] },
    Ack { proof: [u8; 16] },
    Framed(&'a [u8]),
    Raw(&'a [u8]),
}

/// The promise: no panic, no connection for one who does not know the cookie, and the cuts of a stream change nothing.
pub fn handshake(data: &[u8]) {
    let Ok(story) = Story::arbitrary_take_rest(Unstructured::new(data)) else { return };
    let bytes: Vec<u8> = story.stranger.iter().flat_map(|message| said(message, story.wide)).collect();
    let whole = alone_as_acceptor(&story, &bytes, usize::MAX);
    let cut = alone_as_acceptor(&story, &bytes, usize::from(story.cut).max(1));
    assert_eq!(whole, cut, "cuts matter to the acceptor");
    let whole = alone_as_initiator(&story, &bytes, usize::MAX);
    let cut = alone_as_initiator(&story, &bytes, usize::from(story.cut).max(1));
    assert_eq!(whole, cut, "cuts matter to the initiator");
    together(&story);
}

#[derive(Debug, PartialEq)]
enum End {
    Waits,
    Refused(Refusal),
    Blamed(Blame),
    Connected,
}

struct Side<M> {
    machine: M,
    said: Vec<u8>,
    end: Option<End>,
}

fn said(message: &Message<'_>, wide: bool) -> Vec<u8> {
    let ours = Flags::OURS.bits();
    let name = |name: &str| [&(name.len() as u16).to_be_bytes(), name.as_bytes()].concat();
    let body = match message {
        Message::Name { flags, creation, dynamic } => {
            let flags = flags.unwrap_or(if *dynamic { ours | 1 << 33 } else { ours });
            let name = name(if flags & 1 << 33 != 0 { "host" } else { US });
            [&b"N"[..], &flags.to_be_bytes(), &creation.to_be_bytes(), &name].concat()
        }
        Message::OldName { flags } => {
            [&b"n\0\x05"[..], &flags.unwrap_or(ours as u32).to_be_bytes(), US.as_bytes()].concat()
        }
        Message::Status(which) => {
            let texts = ["ok", "ok_simultaneous", "nok", "not_allowed", "alive", "true", "false"];
            let named = b"snamed:\0\x06x@host\0\0\0\x05".to_vec();
            texts.get(usize::from(*which % 8)).map_or(named, |text| [b"s", text.as_bytes()].concat())
        }
        Message::Challenge { flags, challenge, creation } => {
            let flags = flags.unwrap_or(ours).to_be_bytes();
            let (challenge, creation) = (challenge.to_be_bytes(), creation.to_be_bytes());
            [&b"N"[..], &flags, &challenge, &creation, &name(THEM)].concat()
        }
        Message::Complement { high, creation } => {
            let high = high.unwrap_or((ours >> 32) as u32).to_be_bytes();
            [&b"c"[..], &high, &creation.to_be_bytes()].concat()
        }
        Message::Reply { challenge, proof } => [&b"r"[..], &challenge.to_be_bytes(), proof].concat(),
        Message::Ack { proof } => [&b"a"[..], proof].concat(),
        Message::Framed(body) => body.to_vec(),
        Message::Raw(bytes) => return bytes.to_vec(),
    };
    let length = (body.len() as u32).to_be_bytes();
    [if wide { &length[..] } else { &length[2..] }, &body].concat()
}

fn framing(story: &Story<'_>) -> Framing {
    if story.wide { Framing::Four } else { Framing::Two }
}

fn cookie() -> Cookie {
    Cookie::new("a cookie").unwrap()
}

fn acceptor(story: &Story<'_>) -> Side<Acceptance> {
    let required = story.required.map_or(Flags::required(), Flags::from_bits);
    let me = Me::new(THEM, 7, Flags::OURS).unwrap().requiring(required).framed(framing(story));
    Side { machine: Acceptance::begin(me).unwrap(), said: Vec::new(), end: None }
}

fn initiator(story: &Story<'_>) -> Side<Initiation> {
    let flags = story.flags.map_or(Flags::OURS, Flags::from_bits);
    let me = if story.nameless { Me::nameless("host", flags) } else { Me::new(US, 9, flags) };
    let machine = Initiation::begin(me.unwrap().framed(framing(story)), THEM, cookie(), 0x1234_5678);
    Side { machine, said: Vec::new(), end: None }
}

fn accept(side: &mut Side<Acceptance>, story: &Story<'_>, bytes: &[u8]) {
    let mut step = if side.end.is_none() { side.machine.receive(bytes) } else { return };
    loop {
        side.end = match step {
            Ok(Step::NeedMore) => return,
            Ok(Step::Send(bytes)) => {
                side.said.extend(bytes);
                None
            }
            Ok(Step::Ask(Question::Knock(knock))) => {
                let verdict = match story.verdict % 6 {
                    0 if knock.dynamic => Verdict::Named { name: format!("x@{}", knock.name), creation: 5 },
                    0 => Verdict::Ok,
                    1 => Verdict::OkSimultaneous,
                    2 => Verdict::Nok,
                    3 => Verdict::NotAllowed,
                    4 => Verdict::Alive,
                    _ => Verdict::Named { name: "x@host".into(), creation: 5 },
                };
                let answered =
                    side.machine.answer(verdict, Welcome { cookie: cookie(), challenge: 0x8765_4321 });
                answered.err().map(End::Blamed)
            }
            Ok(Step::Ask(Question::TearDown(_))) => {
                side.machine.release().err().map(|why| End::Blamed(why.into()))
            }
            Ok(Step::Ask(Question::StillAlive)) => panic!("an acceptor does not ask that"),
            Ok(Step::Refused(why)) => Some(End::Refused(why)),
            Ok(Step::Done(peer, _)) => {
                assert!(proto::handshake::is_node_name(&peer.name), "{peer:?}");
                assert!(Flags::OURS.contains(peer.negotiated), "{peer:?}");
                Some(End::Connected)
            }
            Err(blame) => Some(End::Blamed(blame)),
        };
        if side.end.is_some() {
            return;
        }
        step = side.machine.receive(&[]);
    }
}

fn dial(side: &mut Side<Initiation>, story: &Story<'_>, bytes: &[u8]) {
    let mut step = if side.end.is_none() { side.machine.receive(bytes) } else { return };
    loop {
        side.end = match step {
            Ok(Step::NeedMore) => return,
            Ok(Step::Send(bytes)) => {
                side.said.extend(bytes);
                None
            }
            Ok(Step::Ask(Question::StillAlive)) => {
                side.machine.insist(story.insist).unwrap();
                None
            }
            Ok(Step::Ask(other)) => panic!("an initiator does not ask {other:?}"),
            Ok(Step::Refused(why)) => Some(End::Refused(why)),
            Ok(Step::Done(peer, _)) => {
                assert_eq!(peer.name, THEM);
                Some(End::Connected)
            }
            Err(blame) => Some(End::Blamed(blame)),
        };
        if side.end.is_some() {
            return;
        }
        step = side.machine.receive(&[]);
    }
}

fn alone_as_acceptor(story: &Story<'_>, bytes: &[u8], cut: usize) -> (End, Vec<u8>) {
    let mut side = acceptor(story);
    for bytes in bytes.chunks(cut) {
        accept(&mut side, story, bytes);
    }
    assert_ne!(side.end, Some(End::Connected), "a stranger got in");
    (side.end.unwrap_or(End::Waits), side.said)
}

fn alone_as_initiator(story: &Story<'_>, bytes: &[u8], cut: usize) -> (End, Vec<u8>) {
    let mut side = initiator(story);
    dial(&mut side, story, &[]);
    for bytes in bytes.chunks(cut) {
        dial(&mut side, story, bytes);
    }
    assert_ne!(side.end, Some(End::Connected), "a stranger got in");
    (side.end.unwrap_or(End::Waits), side.said)
}

fn together(story: &Story<'_>) {
    const ROUNDS_MAX: usize = 16;
    let (mut a, mut b) = (initiator(story), acceptor(story));
    let (mut a_at, mut b_at) = (0, 0);
    dial(&mut a, story, &[]);
    for _ in 0..ROUNDS_MAX {
        let bytes = lied(std::mem::take(&mut a.said), &mut a_at, story);
        accept(&mut b, story, &bytes);
        let bytes = lied(std::mem::take(&mut b.said), &mut b_at, story);
        dial(&mut a, story, &bytes);
        if a.said.is_empty() && b.said.is_empty() {
            break;
        }
    }
    let honest = story.lies.is_empty() && story.flags.is_none() && story.required.is_none();
    let welcome = matches!((story.verdict % 6, story.nameless), (0, _) | (5, true) | (1 | 4, false));
    if honest && welcome && (story.insist || story.verdict % 6 != 4) {
        assert_eq!((a.end, b.end), (Some(End::Connected), Some(End::Connected)), "honest nodes did not meet");
    }
}

fn lied(mut bytes: Vec<u8>, at: &mut usize, story: &Story<'_>) -> Vec<u8> {
    for (offset, byte) in bytes.iter_mut().enumerate() {
        let lie = story.lies.iter().find(|(place, _)| usize::from(*place % 200) == *at + offset);
        *byte ^= lie.map_or(0, |(_, change)| *change);
    }
    *at += bytes.len();
    bytes
}
