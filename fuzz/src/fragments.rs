//! Sequences of fragments, right and wrong, against a model that is too simple to be wrong.

use std::collections::BTreeMap;

use arbitrary::{Arbitrary, Unstructured};
use bytes::BytesMut;
use proto::Flags;
use proto::connection::{Ceilings, Inbound};
use proto::signal::Payload;
use term::{Pid, Term};

const MESSAGES_MAX: usize = 4;
const BYTES_MAX: usize = 300;

#[derive(Arbitrary, Debug)]
struct Fragment<'a> {
    first: bool,
    sequence: u8,
    number: u8,
    part: &'a [u8],
}

/// The promise: parts become one in order, everything else is blamed, and no more is held than the ceilings say.
pub fn fragments(data: &[u8]) {
    let Ok(story) = Vec::<Fragment<'_>>::arbitrary_take_rest(Unstructured::new(data)) else { return };
    let (us, them) = crate::connection::nodes();
    let ceilings = Ceilings {
        fragmented_messages_max: MESSAGES_MAX,
        fragmented_bytes_max: BYTES_MAX,
        ..Ceilings::default()
    };
    let to = Term::Pid(Pid { node: us.clone(), id: 1, serial: 0 });
    let control = term::encode::encode(&Term::tuple([Term::Int(2), Term::atom(""), to]));
    let mut inbound = Inbound::with_ceilings(Flags::OURS, us, them, ceilings);
    let mut model: BTreeMap<u64, (u64, Vec<u8>)> = BTreeMap::new();
    for fragment in &story {
        let (sequence, number) = (u64::from(fragment.sequence % 6), u64::from(fragment.number % 5));
        let mut buffer = packet(fragment, sequence, number, &control[1..]);
        let heard = inbound.receive(&mut buffer);
        match expected(&mut model, fragment, sequence, number) {
            Expected::Blame => {
                assert!(heard.is_err(), "not blamed: {fragment:?}");
                return;
            }
            Expected::Nothing => assert!(heard.expect("no blame").is_none()),
            Expected::Whole(bytes) => {
                let arrival = heard.expect("no blame").expect("the whole");
                let Payload::Wire(wire) = arrival.payload else { panic!("a message has a payload") };
                assert_eq!(wire.bytes[..], bytes[..]);
            }
        }
        let held: usize = model.values().map(|(_, bytes)| bytes.len()).sum();
        assert_eq!(inbound.fragmented_bytes(), held);
    }
}

enum Expected {
    Blame,
    Nothing,
    Whole(Vec<u8>),
}

fn expected(
    model: &mut BTreeMap<u64, (u64, Vec<u8>)>,
    fragment: &Fragment<'_>,
    sequence: u64,
    number: u64,
) -> Expected {
    let held: usize = model.values().map(|(_, bytes)| bytes.len()).sum();
    let part = fragment.part.to_vec();
    match (fragment.first, number) {
        (_, 0) => Expected::Blame,
        // A sequence of one fragment is never open.
        (true, 1) if part.is_empty() => Expected::Blame,
        (true, 1) => Expected::Whole(part),
        (true, _) if model.contains_key(&sequence) || model.len() == MESSAGES_MAX => Expected::Blame,
        (true, _) if held + part.len() > BYTES_MAX => Expected::Blame,
        (true, _) => {
            model.insert(sequence, (number - 1, part));
            Expected::Nothing
        }
        (false, _) => match model.get_mut(&sequence) {
            Some((next, _)) if *next != number => Expected::Blame,
            Some(_) if held + part.len() > BYTES_MAX => Expected::Blame,
            Some((next, bytes)) => {
                *next -= 1;
                bytes.extend(part);
                if number > 1 {
                    return Expected::Nothing;
                }
                model.remove(&sequence).map_or(Expected::Blame, |(_, bytes)| Expected::Whole(bytes))
            }
            None => Expected::Blame,
        },
    }
}

fn packet(fragment: &Fragment<'_>, sequence: u64, number: u64, control: &[u8]) -> BytesMut {
    let mut body = vec![131, if fragment.first { 69 } else { 70 }];
    body.extend_from_slice(&sequence.to_be_bytes());
    body.extend_from_slice(&number.to_be_bytes());
    if fragment.first {
        body.push(0);
        body.extend_from_slice(control);
    }
    body.extend_from_slice(fragment.part);
    let mut packet = BytesMut::from(&(body.len() as u32).to_be_bytes()[..]);
    packet.extend_from_slice(&body);
    packet
}
