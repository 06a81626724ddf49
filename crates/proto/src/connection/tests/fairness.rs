//! Bulk takes turns: small signals of others pass it by, a sender's own wait behind it, a tick waits for one fragment.

use super::*;
use crate::limits::FRAGMENT_BYTES;

const MIB: usize = 1 << 20;

fn number(arrival: &Arrival) -> i64 {
    let term = term_of(arrival).expect("a message");
    term.as_int().unwrap_or(-1)
}

fn sender(arrival: &Arrival) -> u32 {
    let Signal::Send { from: Some(from), .. } = &arrival.signal else { panic!("a message has a sender") };
    from.id
}

#[test]
fn small_signals_of_others_overtake_bulk_and_the_sender_s_own_do_not() {
    let (mut outbound, mut inbound) = wire(Flags::OURS);
    outbound.push(send(1, &Term::Int(1))).expect("a message");
    outbound.push(send(1, &blob(3 * MIB, 1))).expect("a message");
    outbound.push(send(1, &Term::Int(2))).expect("a message");
    outbound.push(send(2, &Term::Int(3))).expect("a message");
    let bytes = drain(&mut outbound);
    let arrivals = feed(&mut inbound, &bytes, &mut Dice::new(5)).expect("no blame");
    let story: Vec<_> = arrivals.iter().map(|arrival| (sender(arrival), number(arrival))).collect();
    assert_eq!(story, [(1, 1), (2, 3), (1, -1), (1, 2)]);
}

#[test]
fn a_signal_without_a_sender_waits_for_all_that_was_before_it() {
    let (mut outbound, mut inbound) = wire(Flags::OURS);
    outbound.push(send(1, &blob(MIB, 1))).expect("a message");
    outbound.push(send(2, &blob(2 * MIB, 1))).expect("a message");
    let (from, to) = (Dest::Name(Atom::new("watched")), pid(here(), 1));
    let down = Signal::Down { from, to, reference: reference(here(), 1) };
    outbound
        .push(Parcel { signal: down, payload: Some(encode_wire(&Term::atom("normal"))) })
        .expect("a down");
    outbound.push(send(3, &blob(8 * MIB, 1))).expect("a message");
    let bytes = drain(&mut outbound);
    let arrivals = feed(&mut inbound, &bytes, &mut Dice::new(5)).expect("no blame");
    let place = |wanted: &dyn Fn(&Signal) -> bool| {
        arrivals.iter().position(|arrival| wanted(&arrival.signal)).expect("it arrived")
    };
    assert_eq!(place(&|signal| matches!(signal, Signal::Down { .. })), 2);
    assert_eq!(arrivals.len(), 4);
}

#[test]
fn a_flood_of_small_signals_does_not_starve_bulk() {
    let (mut outbound, mut inbound) = wire(Flags::OURS);
    outbound.push(send(1, &blob(4 * FRAGMENT_BYTES, 1))).expect("a message");
    for n in 0..40_000 {
        outbound.push(send(2, &Term::Int(n))).expect("a message");
    }
    let bytes = drain(&mut outbound);
    let arrivals = feed(&mut inbound, &bytes, &mut Dice::new(5)).expect("no blame");
    let bulk = arrivals.iter().position(|arrival| sender(arrival) == 1).expect("it arrived");
    assert!(bulk < 20_000, "the bulk came as number {bulk}");
    let small: Vec<_> = arrivals.iter().filter(|arrival| sender(arrival) == 2).map(number).collect();
    assert!(small.iter().copied().eq(0..40_000));
}

#[test]
fn a_tick_waits_for_one_fragment_at_most() {
    let mut outbound = Outbound::new(Flags::OURS);
    outbound.push(send(1, &blob(8 * MIB, 1))).expect("a message");
    let mut chunks = VecDeque::new();
    assert!(outbound.fill(&mut chunks, 1).bytes < FRAGMENT_BYTES + 200);
    chunks.clear();
    outbound.tick();
    assert!(outbound.fill(&mut chunks, 1).more);
    assert_eq!(chunks[0][..4], [0; 4]);
    assert_eq!(outbound.counters().ticks, 1);
}

#[test]
fn what_is_queued_is_counted_until_it_is_out() {
    let mut outbound = Outbound::new(Flags::OURS);
    let mut chunks = VecDeque::new();
    outbound.push(send(1, &blob(MIB, 1))).expect("a message");
    outbound.push(send(2, &Term::Int(1))).expect("a message");
    let full = outbound.queued_bytes();
    assert!(full > MIB);
    outbound.fill(&mut chunks, 100_000);
    assert!(outbound.queued_bytes() < full - 60_000);
    drain(&mut outbound);
    assert_eq!(outbound.queued_bytes(), 0);
    assert!(outbound.is_empty());
}

#[test]
fn large_binaries_are_passed_through_uncopied() {
    let mut outbound = Outbound::new(Flags::OURS);
    let bytes = Bytes::from(vec![9; 50_000]);
    let term = Term::tuple([Term::atom("data"), Term::Binary(Binary::new(bytes.clone()))]);
    outbound.push(send(1, &term)).expect("a message");
    let mut chunks = VecDeque::new();
    outbound.fill(&mut chunks, MIB);
    assert!(chunks.iter().any(|chunk| chunk.as_ptr() == bytes.as_ptr()));
}

#[test]
fn senders_keep_their_order_whatever_they_send() {
    for seed in 1..40 {
        let mut dice = Dice::new(seed);
        let (mut outbound, mut inbound) = wire(Flags::OURS);
        let mut chunks = VecDeque::new();
        let mut said = [0i64; 5];
        for _ in 0..60 {
            let from = dice.below(5) as usize;
            let bytes = [0, 10, 50_000, 70_000, 300_000][dice.below(5) as usize];
            said[from] += 1;
            let term = Term::tuple([Term::Int(said[from]), blob(bytes, 3)]);
            outbound.push(send(from as u32, &term)).expect("a message");
            if dice.coin() {
                outbound.fill(&mut chunks, dice.below(200_000) as usize);
            }
        }
        let mut bytes: Vec<u8> = chunks.iter().flat_map(|chunk| chunk.to_vec()).collect();
        bytes.extend(drain(&mut outbound));
        let arrivals = feed(&mut inbound, &bytes, &mut dice).expect("no blame");
        let mut heard = [0i64; 5];
        for arrival in &arrivals {
            let from = sender(arrival) as usize;
            heard[from] += 1;
            let term = term_of(arrival).expect("a message");
            assert_eq!(term.as_tuple().expect("a tuple")[0], Term::Int(heard[from]), "seed {seed}");
        }
        assert_eq!(said, heard, "seed {seed}");
    }
}
