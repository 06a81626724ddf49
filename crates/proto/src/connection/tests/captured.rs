//! Packets recorded from OTP, byte for byte.

use super::*;
use crate::connection::atom_cache::Seen;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let pairs = digits.chunks(2).map(|pair| std::str::from_utf8(pair).expect("ascii"));
    pairs.map(|pair| u8::from_str_radix(pair, 16).expect("hexadecimal")).collect()
}

fn framed(packet: &[u8]) -> Vec<u8> {
    [&(packet.len() as u32).to_be_bytes()[..], packet].concat()
}

/// The nodes of the recording: it came from `peer`, whose name stood in slot 0x723; ours in 0x227.
fn inbound_with_names() -> Inbound {
    let mut inbound = Inbound::new(Flags::OURS, here(), there());
    let mut header = hex("02 AF 00");
    for (slot, node) in [(0x23, there()), (0x27, here())] {
        header.extend_from_slice(&[slot, node.name().as_bytes().len() as u8]);
        header.extend_from_slice(node.name().as_bytes());
    }
    let link = hex("68 03 61 01 58 52 00 00000001 00000000 6B00BF44 58 52 01 00000002 00000000 6B00C1C8");
    let packet = [&hex("83 44")[..], &header, &link].concat();
    feed(&mut inbound, &framed(&packet), &mut Dice::new(1)).expect("no blame");
    inbound
}

#[test]
fn a_message_with_two_cached_atoms_is_read_as_otp_wrote_it() {
    let packet = hex("83 44 02 27 00 23 27
         68 03 61 16 58 52 00 00000059 00000000 6B00BF44 58 52 01 0000000C 00000000 6B00BF50
         68 02 5A 0003 52 01 6B00BF50 00000003 0000004D 00000063 6B 0002 6F6B");
    let arrivals = feed(&mut inbound_with_names(), &framed(&packet), &mut Dice::new(1)).expect("no blame");
    let old_me = NodeId::new(here().name().clone(), 0x6B00_BF50);
    let expected = Signal::Send {
        from: Some(pid(there(), 0x59)),
        to: Dest::Pid(pid(old_me.clone(), 0xC)),
        token: None,
        priority: false,
    };
    assert_eq!(arrivals[0].signal, expected);
    let reference = Ref::new(old_me, &[3, 0x4D, 0x63]).expect("three words");
    assert_eq!(term_of(&arrivals[0]), Some(Term::tuple([Term::Ref(reference), Term::string("ok")])));
}

#[test]
fn a_header_with_new_entries_is_read_as_otp_wrote_it() {
    let text = "grüße, €uro";
    let mut header =
        hex("09 07 FC BD CC 0C 23 05 3D 03 666F6F 7A 05 68656C6C6F 87 01 61 A1 05 6C69737473 E1 03 6D6170");
    header.extend_from_slice(&[0x3E, text.len() as u8]);
    header.extend_from_slice(text.as_bytes());
    header.extend_from_slice(&hex("3F 01 62"));
    let length = header.len();
    // The recording is from the middle of a connection; slots 0x723 and 0x005 were filled long before.
    let mut seen = Seen::new(here(), there());
    seen.read_header(&hex("02 8F 00 23 01 70 05 01 71")).expect("two new entries");
    header.extend_from_slice(&hex("68 04 61 06"));
    let (context, end) = seen.read_header(&header).expect("a header");
    let names: Vec<_> = context.atoms.iter().map(Atom::as_str).collect();
    assert_eq!(names, ["p", "q", "foo", "hello", "a", "lists", "map", text, "b"]);
    assert_eq!(end, length);
}

#[test]
fn ticks_are_counted_and_passed_over() {
    let (mut outbound, mut inbound) = wire(Flags::OURS);
    outbound.tick();
    let mut bytes = drain(&mut outbound);
    assert_eq!(bytes, [0, 0, 0, 0]);
    outbound.push(send(1, &Term::Int(1))).expect("a message");
    bytes.extend(drain(&mut outbound));
    let arrivals = feed(&mut inbound, &bytes, &mut Dice::new(1)).expect("no blame");
    assert_eq!((arrivals.len(), inbound.packets_received(), inbound.counters().ticks), (1, 2, 1));
}

#[test]
fn altact_ignores_flags_and_elements_of_the_future() {
    let mut inbound = Inbound::new(Flags::FRAGMENTS, here(), there());
    let future = Term::from(num(1 << 40 | 1 | 2 | 16));
    let token = Term::atom("token");
    let (from, to) = (pid(there(), 1), pid(here(), 2));
    let control = Term::tuple([
        Term::Int(37),
        future,
        Term::Pid(from.clone()),
        Term::Pid(to.clone()),
        token.clone(),
        Term::atom("later"),
    ]);
    let packet = [&[131, 68, 0][..], &term::encode::encode(&control)[1..], &[97, 7]].concat();
    let arrivals = feed(&mut inbound, &framed(&packet), &mut Dice::new(1)).expect("no blame");
    let expected = Signal::Exit2 { from, to: Dest::Pid(to), token: Some(token), priority: true };
    assert_eq!(arrivals[0].signal, expected);
}

fn num(word: u64) -> i64 {
    word as i64
}

#[test]
fn reasons_inside_the_control_message_arrive_as_terms() {
    let (mut outbound, _) = wire(Flags::DIST_HDR_ATOM_CACHE);
    let mut inbound = Inbound::new(Flags::OURS, here(), there());
    let exit = Signal::Exit { from: pid(there(), 1), to: pid(here(), 2), token: None };
    let reason = Term::tuple([Term::atom("badarg"), Term::list([Term::atom("stack")])]);
    outbound.push(Parcel { signal: exit.clone(), payload: Some(encode_wire(&reason)) }).expect("an exit");
    let bytes = drain(&mut outbound);
    let arrivals = feed(&mut inbound, &bytes, &mut Dice::new(1)).expect("no blame");
    assert_eq!(arrivals[0].signal, exit);
    assert!(matches!(&arrivals[0].payload, Payload::Term(term) if *term == reason));
}
