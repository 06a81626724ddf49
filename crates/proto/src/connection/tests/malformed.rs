//! What a peer may not do: every one of these is blamed on it, none panics, none is kept.

use super::*;
use crate::connection::Ceilings;
use crate::error::PeerFault;

fn receive(inbound: &mut Inbound, packet: &[u8]) -> Result<Option<Arrival>, Blame> {
    let mut buffer = BytesMut::from(&(packet.len() as u32).to_be_bytes()[..]);
    buffer.extend_from_slice(packet);
    inbound.receive(&mut buffer)
}

fn fault(packet: &[u8]) -> PeerFault {
    match receive(&mut Inbound::new(Flags::OURS, here(), there()), packet) {
        Err(Blame::Peer(fault)) => fault,
        other => panic!("not blamed: {other:?}"),
    }
}

fn control(elements: &[Term]) -> Vec<u8> {
    let tuple = Term::Tuple(elements.to_vec().into());
    [&[131, 68, 0][..], &term::encode::encode(&tuple)[1..]].concat()
}

#[test]
fn codes_that_the_protocol_does_not_have_are_named() {
    assert_eq!(fault(&control(&[Term::Int(5)])), PeerFault::UnknownOpcode(5));
    assert_eq!(fault(&control(&[Term::Int(38), Term::Int(1)])), PeerFault::UnknownOpcode(38));
    let said = fault(&control(&[Term::Int(1_000), Term::Int(1)])).to_string();
    assert_eq!(said, "the control message has the operation code 1000, which the protocol does not have");
    assert!(matches!(fault(&control(&[Term::atom("link")])), PeerFault::NoControl(_)));
}

#[test]
fn control_messages_with_wrong_elements_are_blamed_by_name() {
    let (them, us) = (Term::Pid(pid(there(), 1)), Term::Pid(pid(here(), 1)));
    let third = Term::Pid(pid(NodeId::new(Atom::new("third@host"), 1), 1));
    let link = |from: &Term, to: &Term| control(&[Term::Int(1), from.clone(), to.clone()]);
    let said = fault(&link(&third, &us)).to_string();
    assert_eq!(said, "the control message 1 LINK is invalid: it comes from a process of another node");
    assert!(matches!(fault(&link(&Term::Int(3), &us)), PeerFault::BadControl { opcode: 1, .. }));
    let short = control(&[Term::Int(1), them.clone()]);
    assert!(matches!(fault(&short), PeerFault::BadControl { opcode: 1, .. }));
    let zero = control(&[Term::Int(35), Term::Int(0), them.clone(), us.clone()]);
    assert!(matches!(fault(&zero), PeerFault::BadControl { opcode: 35, .. }));
    let mut trailing = link(&them, &us);
    trailing.push(106);
    assert!(matches!(fault(&trailing), PeerFault::BadControl { opcode: 1, .. }));
    let missing = control(&[Term::Int(22), them, us]);
    assert!(matches!(fault(&missing), PeerFault::BadControl { opcode: 22, .. }));
}

#[test]
fn an_earlier_life_of_ours_may_still_be_named() {
    let old = NodeId::new(here().name().clone(), 3);
    let packet = control(&[Term::Int(1), Term::Pid(pid(old, 1)), Term::Pid(pid(here(), 1))]);
    assert!(receive(&mut Inbound::new(Flags::OURS, here(), there()), &packet).is_ok());
}

#[test]
fn packets_of_another_style_are_blamed() {
    assert!(matches!(fault(&[112, 131, 104, 1, 97, 1]), PeerFault::BadPacket { .. }));
    assert!(matches!(fault(&[131]), PeerFault::BadPacket { .. }));
    assert!(matches!(fault(&[131, 68]), PeerFault::Header(_)));
    assert!(matches!(fault(&[131, 68, 1, 0, 5]), PeerFault::Header(_)));
    let mut plain = Inbound::new(Flags::NONE, here(), there());
    assert!(receive(&mut plain, &[131, 68, 0, 104, 1, 97, 1]).is_err());
    let mut uncut = Inbound::new(Flags::DIST_HDR_ATOM_CACHE, here(), there());
    assert!(receive(&mut uncut, &[131, 70, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1]).is_err());
}

#[test]
fn a_claimed_length_reserves_nothing() {
    let mut inbound = Inbound::new(Flags::OURS, here(), there());
    let mut buffer = BytesMut::from(&(400u32 << 20).to_be_bytes()[..]);
    assert!(inbound.receive(&mut buffer).expect("not yet a fault").is_none());
    assert_eq!(inbound.wanted_bytes(&buffer), crate::limits::READ_BYTES);
    let mut buffer = BytesMut::from(&u32::MAX.to_be_bytes()[..]);
    let fault = inbound.receive(&mut buffer).expect_err("too long");
    assert!(matches!(fault, Blame::Peer(PeerFault::PacketTooLong { .. })));
}

/// The first or a further fragment of `sequence`.
fn fragment(tag: u8, sequence: u64, number: u64, part: &[u8]) -> Vec<u8> {
    let mut packet = vec![131, tag];
    packet.extend_from_slice(&sequence.to_be_bytes());
    packet.extend_from_slice(&number.to_be_bytes());
    if tag == 69 {
        let control = Term::tuple([Term::Int(2), Term::atom(""), Term::Pid(pid(here(), 1))]);
        packet.push(0);
        packet.extend_from_slice(&term::encode::encode(&control)[1..]);
    }
    packet.extend_from_slice(part);
    packet
}

#[test]
fn fragments_out_of_order_are_blamed() {
    let start = |inbound: &mut Inbound| {
        assert!(receive(inbound, &fragment(69, 1, 3, &[104])).expect("a first fragment").is_none());
    };
    let wrong: [Vec<u8>; 5] = [
        fragment(69, 1, 3, &[104]),
        fragment(70, 1, 1, &[0]),
        fragment(70, 1, 3, &[0]),
        fragment(70, 2, 2, &[0]),
        fragment(70, 1, 0, &[0]),
    ];
    for packet in wrong {
        let mut inbound = Inbound::new(Flags::OURS, here(), there());
        start(&mut inbound);
        assert!(receive(&mut inbound, &packet).is_err(), "{packet:?}");
    }
    let mut inbound = Inbound::new(Flags::OURS, here(), there());
    start(&mut inbound);
    assert_eq!(inbound.fragmented_bytes(), 1);
    assert!(receive(&mut inbound, &fragment(70, 1, 2, &[0])).expect("the second").is_none());
    let whole = receive(&mut inbound, &fragment(70, 1, 1, &[])).expect("the last").expect("the signal");
    assert_eq!(term_of(&whole), Some(Term::tuple([])));
    assert_eq!(inbound.fragmented_bytes(), 0);
}

#[test]
fn unfinished_fragments_have_a_ceiling() {
    let ceilings = Ceilings { fragmented_messages_max: 3, fragmented_bytes_max: 100, ..Ceilings::default() };
    let mut inbound = Inbound::with_ceilings(Flags::OURS, here(), there(), ceilings);
    for sequence in 0..3 {
        assert!(receive(&mut inbound, &fragment(69, sequence, u64::MAX, &[1; 10])).is_ok());
    }
    assert!(receive(&mut inbound, &fragment(69, 9, 2, &[1; 10])).is_err());
    let mut inbound = Inbound::with_ceilings(Flags::OURS, here(), there(), ceilings);
    assert!(receive(&mut inbound, &fragment(69, 1, 9, &[1; 60])).is_ok());
    let fault = receive(&mut inbound, &fragment(70, 1, 8, &[1; 60])).expect_err("too many bytes");
    assert_eq!(fault, PeerFault::TooManyFragments { held: 120, max: 100 }.into());
}

#[test]
fn long_control_messages_count_towards_the_ceiling() {
    let ceilings = Ceilings { fragmented_bytes_max: 1 << 20, ..Ceilings::default() };
    let mut inbound = Inbound::with_ceilings(Flags::OURS, here(), there(), ceilings);
    let token = Term::list((0..10_000).map(|_| Term::NIL));
    let control = Term::tuple([Term::Int(12), Term::atom(""), Term::Pid(pid(here(), 1)), token]);
    let control = term::encode::encode(&control);
    let mut refused = false;
    for sequence in 0..6u64 {
        let mut packet = vec![131, 69];
        packet.extend_from_slice(&sequence.to_be_bytes());
        packet.extend_from_slice(&9u64.to_be_bytes());
        packet.push(0);
        packet.extend_from_slice(&control[1..]);
        packet.push(104);
        refused |= receive(&mut inbound, &packet).is_err();
    }
    assert!(refused, "60,000 bytes became as many terms, and nobody counted");
}

#[test]
fn damaged_traffic_never_panics() {
    let (mut outbound, _) = wire(Flags::OURS);
    for n in 0..20 {
        let term = Term::tuple([Term::atom(&format!("a{n}")), Term::Pid(pid(there(), 1)), Term::Int(n)]);
        outbound.push(send(1, &term)).expect("a message");
    }
    outbound.push(send(1, &blob(70_000, 1))).expect("a message");
    let good = drain(&mut outbound);
    for seed in 1..1_000 {
        let mut dice = Dice::new(seed);
        let mut bytes = good.clone();
        for _ in 0..=dice.below(3) {
            // Mostly at the front, where the small packets are.
            let limit = if dice.coin() { 1_000 } else { bytes.len() as u64 };
            let at = dice.below(limit) as usize;
            bytes[at] = dice.word() as u8;
        }
        let mut inbound = Inbound::new(Flags::OURS, here(), there());
        let mut buffer = BytesMut::from(&bytes[..]);
        while let Ok(Some(arrival)) = inbound.receive(&mut buffer) {
            if let Payload::Wire(wire) = arrival.payload {
                let _ = wire.decode();
            }
        }
    }
}
