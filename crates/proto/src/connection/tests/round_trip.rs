//! Every signal, with every combination of flags that matters, cut into pieces at random: what is pushed arrives.

use super::*;
use crate::connection::Refusal;

/// The flags that change what is written.
const CHOICES: [Flags; 8] = [
    Flags::DIST_HDR_ATOM_CACHE,
    Flags::FRAGMENTS,
    Flags::SEND_SENDER,
    Flags::EXIT_PAYLOAD,
    Flags::ALIAS,
    Flags::ALTACT_SIG,
    Flags::SPAWN,
    Flags::UNLINK_ID,
];

fn every_choice() -> impl Iterator<Item = Flags> {
    (0u32..1 << CHOICES.len()).map(|mask| {
        let chosen = CHOICES.iter().enumerate().filter(|(bit, _)| mask & 1 << bit != 0);
        chosen.fold(Flags::DIST_MONITOR | Flags::DIST_MONITOR_NAME, |flags, (_, flag)| flags | *flag)
    })
}

fn token(dice: &mut Dice) -> Option<Term> {
    let me = Term::Pid(pid(there(), 9));
    let label = Term::atom("label");
    dice.coin().then(|| Term::tuple([Term::Int(1), label, Term::Int(2), me, Term::Int(0)]))
}

fn message(dice: &mut Dice) -> Term {
    let atom = Term::atom(&format!("atom_{}", dice.below(3_000)));
    match dice.below(8) {
        0 => Term::Int(dice.word() as i64),
        1 => atom,
        2 => Term::tuple([atom, Term::Pid(pid(there(), 5)), Term::Ref(reference(here(), 7))]),
        3 => Term::list((0..dice.below(300)).map(|n| Term::atom(&format!("many_{n}")))),
        4 => blob(dice.below(100_000) as usize, 7),
        5 => Term::tuple([atom, blob(dice.below(10_000) as usize, 1), Term::atom(&"é".repeat(200))]),
        6 => Term::list((0..dice.below(20_000)).map(|n| Term::Int(n as i64 * 1_000))),
        _ => Term::tuple([atom, Term::NIL]),
    }
}

fn dest(dice: &mut Dice) -> Dest {
    match dice.below(3) {
        0 => Dest::Name(Atom::new("registered")),
        1 => Dest::Alias(reference(here(), 77)),
        _ => Dest::Pid(pid(here(), 3)),
    }
}

fn signal(dice: &mut Dice) -> Signal {
    let (from, to) = (pid(there(), dice.below(4) as u32), pid(here(), 3));
    let watched = if dice.coin() { Dest::Name(Atom::new("watched")) } else { Dest::Pid(to.clone()) };
    let (token, reference) = (token(dice), reference(there(), dice.word() as u32));
    match dice.below(14) {
        0 => Signal::Exit { from, to, token },
        1 => Signal::Exit2 { from, to: dest(dice), token, priority: dice.coin() },
        2 => Signal::Link { from, to },
        3 => Signal::Unlink { id: 1 + dice.word() % 1_000, from, to },
        4 => Signal::UnlinkAck { id: u64::MAX - dice.below(9), from, to },
        5 => Signal::GroupLeader { leader: from, to },
        6 => Signal::Monitor { from, to: watched, reference },
        7 => Signal::Demonitor { from, to: watched, reference },
        8 => Signal::Down { from: Dest::Pid(from), to, reference },
        9 => Signal::SpawnRequest {
            id: reference,
            from: from.clone(),
            leader: from,
            module: Atom::new("lists"),
            function: Atom::new("a_rather_long_function_name"),
            arity: 3,
            options: Term::list([Term::atom("link"), Term::atom("monitor")]),
            token,
        },
        10 => Signal::SpawnReply {
            id: reference,
            to,
            linked: dice.coin(),
            monitored: dice.coin(),
            result: if dice.coin() { Ok(from) } else { Err(Atom::new("notsup")) },
            token,
        },
        _ => Signal::Send { from: Some(from), to: dest(dice), token, priority: dice.coin() },
    }
}

fn carries(signal: &Signal) -> bool {
    matches!(
        signal,
        Signal::Send { .. }
            | Signal::Exit { .. }
            | Signal::Exit2 { .. }
            | Signal::Down { .. }
            | Signal::SpawnRequest { .. }
    )
}

/// What the receiver sees of a signal: older codes do not tell everything.
fn as_seen(mut signal: Signal, flags: Flags) -> Signal {
    let altact = flags.contains(Flags::ALTACT_SIG);
    match &mut signal {
        Signal::Send { from, to, priority, .. } => {
            let told = altact && *priority;
            *priority = told;
            if matches!(to, Dest::Pid(_)) && !told && !flags.contains(Flags::SEND_SENDER) {
                *from = None;
            }
        }
        Signal::Exit2 { priority, .. } => *priority &= altact,
        Signal::Unlink { from, to, .. } if !flags.contains(Flags::UNLINK_ID) => {
            return Signal::UnlinkOld { from: from.clone(), to: to.clone() };
        }
        _ => {}
    }
    signal
}

fn sender(signal: &Signal) -> String {
    match signal {
        Signal::Send { from, .. } => format!("{from:?}"),
        Signal::SpawnReply { result: Ok(from), .. } => format!("{:?}", Some(from)),
        Signal::GroupLeader { .. } | Signal::SpawnReply { .. } => "None".to_owned(),
        Signal::Down { from: Dest::Pid(from), .. } => format!("{:?}", Some(from)),
        Signal::Down { .. } => "None".to_owned(),
        Signal::Exit { from, .. }
        | Signal::Exit2 { from, .. }
        | Signal::Link { from, .. }
        | Signal::Unlink { from, .. }
        | Signal::UnlinkAck { from, .. }
        | Signal::UnlinkOld { from, .. }
        | Signal::Monitor { from, .. }
        | Signal::Demonitor { from, .. }
        | Signal::SpawnRequest { from, .. } => format!("{:?}", Some(from)),
    }
}

#[test]
fn every_signal_arrives_with_every_choice_of_flags() {
    for (seed, flags) in every_choice().enumerate() {
        let mut dice = Dice::new(seed as u64 + 1);
        let (mut outbound, mut inbound) = wire(flags);
        let mut expected = Vec::new();
        for _ in 0..15 {
            let signal = signal(&mut dice);
            let term = carries(&signal).then(|| message(&mut dice));
            let parcel = Parcel { signal: signal.clone(), payload: term.as_ref().map(encode_wire) };
            match outbound.push(parcel) {
                Ok(()) => expected.push((as_seen(signal, flags), term)),
                Err(refused) => assert_eq!(refused.parcel.signal, signal, "seed {seed}"),
            }
        }
        let bytes = drain(&mut outbound);
        assert_eq!(outbound.queued_bytes(), 0, "seed {seed}");
        let arrivals = feed(&mut inbound, &bytes, &mut dice).unwrap_or_else(|blame| {
            panic!("seed {seed}, {flags}: {blame}");
        });
        let mut seen: Vec<_> =
            arrivals.iter().map(|arrival| (arrival.signal.clone(), term_of(arrival))).collect();
        assert_eq!(outbound.counters(), inbound.counters(), "seed {seed}");
        // Senders may overtake each other, so compare what each of them said; those who cannot be told keep behind all.
        let by_sender = |told: &(Signal, Option<Term>)| sender(&told.0);
        expected.sort_by_key(by_sender);
        seen.sort_by_key(by_sender);
        if flags.contains(Flags::SEND_SENDER) {
            assert!(expected == seen, "seed {seed}, {flags}: what was said is not what was heard");
        } else {
            assert_eq!(expected.len(), seen.len(), "seed {seed}");
        }
    }
}

#[test]
fn thousands_of_atoms_overflow_the_cache_and_still_mean_the_same() {
    let mut dice = Dice::new(42);
    let (mut outbound, mut inbound) = wire(Flags::OURS);
    let mut sent = Vec::new();
    for round in 0..150 {
        let count = [3, 40, 255, 256, 300][dice.below(5) as usize];
        let atoms = (0..count).map(|_| Term::atom(&format!("atom_{}", dice.below(6_000))));
        let long = Term::atom(&"ü".repeat((round % 255) as usize));
        let term = Term::list(atoms.chain([long]));
        outbound.push(send(1, &term)).expect("a message");
        sent.push(term);
    }
    let bytes = drain(&mut outbound);
    let arrivals = feed(&mut inbound, &bytes, &mut dice).expect("no blame");
    let seen: Vec<_> = arrivals.iter().filter_map(term_of).collect();
    assert!(sent == seen);
}

#[test]
fn the_same_header_again_costs_neither_side_a_new_table() {
    let (mut outbound, mut inbound) = wire(Flags::OURS);
    let term = Term::tuple([Term::atom("hello"), Term::atom("world")]);
    let mut lengths = Vec::new();
    let mut contexts = Vec::new();
    for _ in 0..4 {
        outbound.push(send(1, &term)).expect("a message");
        let bytes = drain(&mut outbound);
        lengths.push(bytes.len());
        let arrivals = feed(&mut inbound, &bytes, &mut Dice::new(1)).expect("no blame");
        let Payload::Wire(wire) = &arrivals[0].payload else { panic!("a message has a payload") };
        contexts.push(std::sync::Arc::as_ptr(&wire.context));
    }
    assert!(lengths[0] > lengths[1] && lengths[1] == lengths[2]);
    assert_ne!(contexts[0], contexts[1]);
    assert_eq!(contexts[1], contexts[3]);
}

#[test]
fn a_table_is_forgotten_when_one_of_its_slots_is_filled_anew() {
    let (_, mut inbound) = wire(Flags::OURS);
    let mut heard = |header: &[u8]| {
        let control = encode_control();
        let mut packet = vec![131, 68];
        packet.extend_from_slice(header);
        packet.extend_from_slice(&control);
        packet.extend_from_slice(&[82, 0]);
        let mut bytes = (packet.len() as u32).to_be_bytes().to_vec();
        bytes.extend_from_slice(&packet);
        let arrivals = feed(&mut inbound, &bytes, &mut Dice::new(3)).expect("no blame");
        term_of(&arrivals[0]).expect("a message")
    };
    assert_eq!(heard(&[1, 0x08, 5, 1, b'a']), Term::atom("a"));
    assert_eq!(heard(&[1, 0x00, 5]), Term::atom("a"));
    assert_eq!(heard(&[1, 0x08, 6, 1, b'x']), Term::atom("x"));
    assert_eq!(heard(&[1, 0x00, 5]), Term::atom("a"));
    assert_eq!(heard(&[1, 0x08, 5, 1, b'b']), Term::atom("b"));
    assert_eq!(heard(&[1, 0x00, 5]), Term::atom("b"));
}

/// `{2, '', To}` with everything written out.
fn encode_control() -> Vec<u8> {
    let control = Term::tuple([Term::Int(2), Term::atom(""), Term::Pid(pid(here(), 1))]);
    term::encode::encode(&control)[1..].to_vec()
}

#[test]
fn what_a_peer_cannot_hear_is_given_back() {
    let mut outbound = Outbound::new(Flags::FRAGMENTS);
    let refused = |outbound: &mut Outbound, parcel| outbound.push(parcel).expect_err("refused").why;
    let from = pid(there(), 1);
    let alias = Signal::Send {
        from: Some(from.clone()),
        to: Dest::Alias(reference(here(), 1)),
        token: None,
        priority: false,
    };
    let payload = Some(encode_wire(&Term::Int(1)));
    let why = refused(&mut outbound, Parcel { signal: alias, payload: payload.clone() });
    assert_eq!(why, Refusal::NotNegotiated(Flags::ALIAS));
    let nameless =
        Signal::Send { from: None, to: Dest::Name(Atom::new("rex")), token: None, priority: false };
    let why = refused(&mut outbound, Parcel { signal: nameless, payload: payload.clone() });
    assert_eq!(why, Refusal::NoSender);
    let link = Signal::Link { from: from.clone(), to: pid(here(), 1) };
    let why = refused(&mut outbound, Parcel { signal: link, payload });
    assert_eq!(why, Refusal::Payload);
    let unlink = Signal::Unlink { id: 0, from, to: pid(here(), 1) };
    assert_eq!(refused(&mut outbound, Parcel { signal: unlink, payload: None }), Refusal::Malformed);
    assert!(outbound.is_empty());
}
