//! A peer that lies after its handshake: any bytes in any cuts, packets that are almost right, honest traffic damaged.

use std::collections::VecDeque;

use arbitrary::{Arbitrary, Unstructured};
use bytes::BytesMut;
use proto::Flags;
use proto::connection::{Inbound, Outbound};
use proto::signal::{Dest, Parcel, Payload, Signal};
use term::encode::encode_wire;
use term::{Atom, NodeId, Pid, Term};

#[derive(Arbitrary, Debug)]
struct Story<'a> {
    style: u8,
    cut: u8,
    /// Bodies that are put behind a right length and the first bytes of a right packet.
    packets: Vec<(u8, &'a [u8])>,
    /// Bytes of honest traffic that are changed on the way.
    lies: Vec<(u16, u8)>,
    /// Numbers that honest traffic is made of.
    honest: Vec<u16>,
    stranger: &'a [u8],
}

/// The promise: no panic, and the cuts of a stream change nothing.
pub fn connection(data: &[u8]) {
    let Ok(story) = Story::arbitrary_take_rest(Unstructured::new(data)) else { return };
    let cut = usize::from(story.cut).max(1);
    for bytes in [story.stranger.to_vec(), almost_right(&story)] {
        let whole = heard(&story, &bytes, usize::MAX);
        assert_eq!(whole, heard(&story, &bytes, cut), "cuts matter");
    }
    honest(&story);
}

/// The same for other targets of this folder.
pub(crate) fn nodes() -> (NodeId, NodeId) {
    (NodeId::new(Atom::new("us@host"), 7), NodeId::new(Atom::new("them@host"), 9))
}

fn flags(story: &Story<'_>) -> Flags {
    let bare = Flags::OURS.without(Flags::DIST_HDR_ATOM_CACHE);
    [Flags::OURS, bare, bare.without(Flags::FRAGMENTS)][usize::from(story.style % 3)]
}

/// What arrives, and how it ends.
fn heard(story: &Story<'_>, bytes: &[u8], cut: usize) -> Vec<String> {
    let (us, them) = nodes();
    let mut inbound = Inbound::new(flags(story), us, them);
    let (mut buffer, mut said) = (BytesMut::new(), Vec::new());
    for piece in bytes.chunks(cut) {
        buffer.extend_from_slice(piece);
        loop {
            match inbound.receive(&mut buffer) {
                Ok(Some(arrival)) => {
                    if let Payload::Wire(wire) = &arrival.payload {
                        let _ = wire.decode();
                    }
                    said.push(format!("{arrival:?}"));
                }
                Ok(None) => break,
                Err(blame) => {
                    said.push(blame.to_string());
                    return said;
                }
            }
        }
        let most = 2 * buffer.len().max(proto::limits::READ_BYTES);
        assert!(inbound.wanted_bytes(&buffer) <= most, "room for a claim");
    }
    said
}

fn almost_right(story: &Story<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (start, body) in &story.packets {
        let start: &[u8] = match start % 5 {
            0 => &[131, 68],
            1 => &[131, 68, 0, 104],
            2 => &[131, 69, 0, 0, 0, 0, 0, 0, 0],
            3 => &[131, 70, 0, 0, 0, 0, 0, 0, 0],
            _ => &[112, 131, 104],
        };
        bytes.extend_from_slice(&((start.len() + body.len()) as u32).to_be_bytes());
        bytes.extend_from_slice(start);
        bytes.extend_from_slice(body);
    }
    bytes
}

fn honest(story: &Story<'_>) {
    let (us, them) = nodes();
    let mut outbound = Outbound::new(flags(story));
    for number in &story.honest {
        let from = Some(Pid { node: them.clone(), id: u32::from(*number % 3), serial: 0 });
        let to = Dest::Pid(Pid { node: us.clone(), id: 1, serial: 0 });
        let message = Term::tuple([Term::atom(&format!("a{}", number % 99)), Term::Int(i64::from(*number))]);
        let signal = Signal::Send { from, to, token: None, priority: number.is_multiple_of(2) };
        outbound.push(Parcel { signal, payload: Some(encode_wire(&message)) }).expect("it can be said");
    }
    let mut chunks = VecDeque::new();
    while outbound.fill(&mut chunks, 1_000).more {}
    let mut bytes: Vec<u8> = chunks.iter().flat_map(|chunk| chunk.to_vec()).collect();
    let end = heard(story, &bytes, usize::from(story.cut).max(1));
    assert_eq!(end.len(), story.honest.len(), "honest traffic was lost: {end:?}");
    for (place, change) in &story.lies {
        let length = bytes.len().max(1);
        if let Some(byte) = bytes.get_mut(usize::from(*place) % length) {
            *byte ^= change;
        }
    }
    heard(story, &bytes, usize::MAX);
}
