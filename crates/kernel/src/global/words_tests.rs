//! The machine alone with one peer, word by word: late words, wrong words, and words that are none.

use std::sync::Arc;

use proto::Now;
use term::{Atom, Export, List, Map, NodeId, Pid, Term};

use super::Mistake;
use super::events::{Actor, Effect, Event, Level, Request};
use super::machine::{Config, Global};
use super::messages::{self, LockId, Message, Named, News, Op, Question, VERSION};
use crate::limits::{
    GLOBAL_ANSWER_SECS_MAX, GLOBAL_FIRST_WORDS_MILLIS, GLOBAL_HELD_SECS_MAX, GLOBAL_SILENT_SECS_MAX,
};

const ME: &str = "a@h";
const PEER: &str = "b@h";
const THIRD: &str = "c@h";

/// The machine, its clock, and what it wanted done.
struct Stage {
    global: Global,
    now: u64,
    done: Vec<Effect>,
}

fn pid_of(node: &str, id: u32) -> Pid {
    Pid { node: NodeId::new(Atom::new(node), 7), id, serial: 0 }
}

impl Stage {
    /// We, and a peer that has just come up.
    fn new(mistake: Mistake) -> Stage {
        let config = Config {
            me: NodeId::new(Atom::new(ME), 7),
            server: pid_of(ME, 1),
            locker: pid_of(ME, 2),
            registrar: pid_of(ME, 3),
            creation_extension: 1 << 32,
            connect_all: true,
            prevent_overlapping: true,
            many_names: false,
            seed: 1,
            mistake,
        };
        let mut stage = Stage { global: Global::new(config), now: 0, done: Vec::new() };
        stage.happens(Event::NodeUp { node: Atom::new(PEER), visible: true, connection: 1 });
        stage
    }

    fn happens(&mut self, event: Event) {
        self.now += 1_000_000;
        self.global.on(Now::from_nanos(self.now), event);
        while let Some(effect) = self.global.poll_effect() {
            self.done.push(effect);
        }
    }

    fn hears(&mut self, message: Term) {
        self.happens(Event::Message { from: Atom::new(PEER), message });
    }

    /// Lets time pass, answering every call with `true`, as long as there is something to do at once.
    fn settles(&mut self) {
        (0..20).for_each(|_| self.settles_once());
    }

    fn settles_once(&mut self) {
        let calls: Vec<u64> = self.done.iter().filter_map(call_id).collect();
        self.done.retain(|effect| call_id(effect).is_none());
        for id in calls {
            self.happens(Event::CallReply { id, reply: Some(Term::atom("true")) });
        }
        if let Some(at) =
            self.global.poll_deadline().map(Now::as_nanos).filter(|at| *at < self.now + 3_000_000_000)
        {
            self.now = self.now.max(at);
            self.happens(Event::Wake);
        }
    }

    /// What was sent since this was asked last.
    fn said(&mut self) -> Vec<Term> {
        let (sent, rest) = std::mem::take(&mut self.done)
            .into_iter()
            .partition(|effect| matches!(effect, Effect::Send { .. }));
        self.done = rest;
        let sent: Vec<Effect> = sent;
        sent.into_iter()
            .filter_map(|effect| if let Effect::Send { message, .. } = effect { Some(message) } else { None })
            .collect()
    }

    /// The tag of the session that it has just begun.
    fn tag(&mut self) -> Term {
        let greeting = self.said().into_iter().rev().find_map(|message| match Message::read(&message) {
            Some(Message::InitConnect { theirs, .. }) => Some(theirs),
            _ => None,
        });
        greeting.expect("it has greeted the peer")
    }
}

fn call_id(effect: &Effect) -> Option<u64> {
    if let Effect::Call { id, .. } = effect { Some(*id) } else { None }
}

fn named(name: &str, id: u32) -> Named {
    let method = Term::Export(Arc::new(Export {
        module: "global".into(),
        function: "random_exit_name".into(),
        arity: 3,
    }));
    Named { name: Term::atom(name), pid: pid_of(PEER, id), method }
}

/// From OTP 27 on it would forget the names of those with whom it is in the middle of its first words.
#[test]
fn a_peer_that_has_just_come_is_given_time_for_its_first_words_to_others() {
    let mut stage = Stage::new(Mistake::None);
    // Without a third node there is nobody to whom he could have words to say.
    stage.happens(Event::NodeUp { node: Atom::new(THIRD), visible: true, connection: 2 });
    stage.hears(messages::init_connect(&Atom::new(PEER), Term::Int(100), &pid_of(PEER, 2)));
    let heard = stage.now;
    while !stage.done.iter().any(|effect| call_id(effect).is_some()) {
        stage.now = stage.now.max(stage.global.poll_deadline().expect("it wants to meet him").as_nanos());
        stage.happens(Event::Wake);
    }
    let waited = (stage.now - heard) / 1_000_000;
    assert!(waited >= GLOBAL_FIRST_WORDS_MILLIS, "it locked him after {waited} ms");
    // An OTP node that knows nobody begins after 200 ms: two at once are in each other's way.
    assert!(waited < 200, "it locked him only after {waited} ms");
}

/// A peer begins anew while a word of its last session is still on its way; then the two meet. Whether the old word counted.
fn an_old_table_counts(mistake: Mistake) -> bool {
    let (peer, locker) = (Atom::new(PEER), pid_of(PEER, 2));
    let mut stage = Stage::new(mistake);
    let old = stage.tag();
    stage.hears(messages::init_connect(&peer, Term::Int(100), &locker));
    stage.hears(messages::cancel_connect(&peer, old.clone()));
    let new = stage.tag();
    assert_ne!(old, new);
    stage.hears(messages::exchange(&peer, [named("old", 50)].into_iter(), old));
    stage.hears(messages::init_connect(&peer, Term::Int(101), &locker));
    stage.settles();
    stage.hears(messages::lock_set(&locker, true, Term::NIL, Some(new.clone())));
    stage.settles();
    stage.hears(messages::exchange(&peer, [named("new", 51)].into_iter(), new.clone()));
    stage.hears(messages::resolved(&peer, &[], &[], &[], new, VERSION));
    assert!(stage.global.known().any(|known| *known == peer), "they have met");
    stage.global.whereis(&Term::atom("old")).is_some()
}

/// Two sessions crossed: the peer confirms ours for one of its own that it has left. Whether we begin anew.
fn a_wrong_confirmation_is_refused(mistake: Mistake) -> bool {
    let (peer, locker) = (Atom::new(PEER), pid_of(PEER, 2));
    let mut stage = Stage::new(mistake);
    let tag = stage.tag();
    stage.hears(messages::init_connect(&peer, Term::Int(101), &locker));
    stage.said();
    stage.hears(messages::init_connect_ack(&peer, tag, Term::Int(100)));
    let said: Vec<Option<Message>> = stage.said().iter().map(Message::read).collect();
    let cancelled = said
        .iter()
        .flatten()
        .any(|message| matches!(message, Message::CancelConnect { tag, .. } if *tag == Term::Int(100)));
    cancelled && said.iter().flatten().any(|message| matches!(message, Message::InitConnect { .. }))
}

/// Somebody whom we have not met tells of names. Whether they count.
fn news_of_a_stranger_count(mistake: Mistake) -> bool {
    let (peer, lock) = (Atom::new(PEER), LockId::global(Term::atom("me")));
    let (ops, nodes) = ([Op::Insert(named("strange", 50))], [(Atom::new("c@h"), VERSION)]);
    let news = News { node: &peer, ops: &ops, external: &[], nodes: &nodes, version: VERSION, lock: &lock };
    let mut stage = Stage::new(mistake);
    stage.hears(news.to_term(VERSION));
    stage.global.whereis(&Term::atom("strange")).is_some() || stage.global.known().count() > 0
}

/// The simulator's lives hardly ever bring such words too late (twenty thousand of them do not tell), so they are said here.
#[test]
fn words_of_another_session_do_not_count() {
    assert!(!an_old_table_counts(Mistake::None));
    assert!(an_old_table_counts(Mistake::BlindToTags), "the story would tell");
    assert!(!news_of_a_stranger_count(Mistake::None));
    assert!(news_of_a_stranger_count(Mistake::HearStrangers), "the story would tell");
    assert!(a_wrong_confirmation_is_refused(Mistake::None));
    assert!(!a_wrong_confirmation_is_refused(Mistake::TrustEveryAck), "the story would tell");
}

/// Every word there is, as a peer says it.
fn words() -> Vec<Term> {
    let (peer, locker, lock) = (Atom::new(PEER), pid_of(PEER, 2), LockId::global(Term::atom("me")));
    let ops = [Op::Insert(named("x", 60)), Op::Delete(Term::atom("y"))];
    let nodes = [(Atom::new("c@h"), VERSION)];
    let news = News { node: &peer, ops: &ops, external: &[], nodes: &nodes, version: VERSION, lock: &lock };
    vec![
        messages::init_connect(&peer, Term::Int(1), &locker),
        messages::init_connect_ack(&peer, Term::Int(1), Term::Int(2)),
        messages::cancel_connect(&peer, Term::Int(1)),
        messages::exchange(&peer, [named("x", 60)].into_iter(), Term::Int(1)),
        messages::in_sync(&peer),
        messages::lost_connection(&peer, Term::Int(1), Term::Int(2), &Atom::new("c@h")),
        messages::remove_connection(&peer),
        messages::lock_set(&locker, true, Term::NIL, Some(Term::Int(1))),
        messages::resolved(&peer, &ops, &nodes, &[], Term::Int(1), VERSION),
        news.to_term(VERSION),
        messages::set_lock(&lock),
        messages::del_lock(&lock),
        messages::register(&named("x", 60)),
        messages::unregister(&Term::atom("x")),
        Term::tuple([Term::atom("sync"), Term::list([Term::atom("c@h")])]),
        messages::get_known(),
    ]
}

/// What may stand where something else is expected.
fn junk() -> Vec<Term> {
    let deep = (0..10_000).fold(Term::NIL, |inner, _| Term::list([inner]));
    vec![
        Term::atom("junk"),
        Term::Int(-1),
        Term::NIL,
        Term::tuple([]),
        Term::tuple([Term::Int(1), Term::atom("b"), Term::NIL]),
        Term::list([
            Term::Int(1),
            Term::tuple([Term::atom("insert")]),
            Term::tuple([Term::atom("delete"), Term::NIL]),
        ]),
        Term::List(List::cons(Term::atom("improper"), Term::Int(1))),
        Term::Map(Map::default()),
        Term::binary("text"),
        Term::Pid(pid_of("stranger@h", 1)),
        Term::Float(0.5),
        deep,
    ]
}

/// The term with something else in one place, in a place of one of its parts, with one part less, or one more.
fn bent(term: &Term, depth: u32) -> Vec<Term> {
    let Some(parts) = term.as_tuple() else { return Vec::new() };
    let with = |index: usize, part: Term| {
        let mut parts = parts.to_vec();
        parts[index] = part;
        Term::Tuple(parts.into())
    };
    let mut all = vec![
        Term::Tuple(parts[..parts.len().saturating_sub(1)].to_vec().into()),
        Term::Tuple(parts.iter().cloned().chain([Term::atom("more")]).collect::<Vec<_>>().into()),
    ];
    for (index, part) in parts.iter().enumerate() {
        all.extend(junk().into_iter().map(|junk| with(index, junk)));
        if depth > 0 {
            all.extend(bent(part, depth - 1).into_iter().map(|part| with(index, part)));
        }
    }
    all
}

/// Each wrong word is said to a node that waits, one that meets and one that has met: it stays, answers a call once at most,
/// and still meets who speaks properly.
#[test]
fn words_that_are_none_are_dropped_and_nothing_is_left_of_them() {
    let mut count = 0;
    for word in words() {
        assert!(Message::read(&word).is_some() || Question::read(&word).is_some(), "{word:?}");
        for wrong in bent(&word, 2).into_iter().chain(junk()) {
            let mut stage = Stage::new(Mistake::None);
            stage.hears(messages::init_connect(&Atom::new(PEER), Term::Int(101), &pid_of(PEER, 2)));
            stage.hears(wrong.clone());
            stage.done.clear();
            let from = Term::tuple([Term::Pid(pid_of(PEER, 9)), Term::Int(1)]);
            stage.happens(Event::Call { from, caller: pid_of(PEER, 9), request: wrong.clone() });
            let replies = stage.done.iter().filter(|effect| matches!(effect, Effect::Reply { .. })).count();
            assert!(replies <= 1, "{wrong:?} is answered {replies} times");
            stage.settles();
            stage.happens(Event::NodeDown { node: Atom::new(PEER) });
            stage.settles();
            assert_eq!(stage.global.locks().count(), 0, "{wrong:?} leaves a lock behind");
            count += 1;
        }
    }
    assert!(count > 1_000, "{count} wrong words");
}

/// The peer and we have met, and a third node is of our partition.
fn met(mistake: Mistake) -> Stage {
    let (peer, locker) = (Atom::new(PEER), pid_of(PEER, 2));
    let mut stage = Stage::new(mistake);
    let tag = stage.tag();
    stage.hears(messages::init_connect(&peer, Term::Int(100), &locker));
    stage.settles();
    stage.hears(messages::lock_set(&locker, true, Term::NIL, Some(tag.clone())));
    stage.settles();
    stage.hears(messages::exchange(&peer, [].into_iter(), tag.clone()));
    stage.hears(messages::resolved(&peer, &[], &[(Atom::new(THIRD), VERSION)], &[], tag, VERSION));
    stage.happens(Event::NodeUp { node: Atom::new(THIRD), visible: true, connection: 2 });
    stage.settles();
    assert_eq!(stage.global.known().count(), 2);
    stage
}

/// The peer's registrar asks.
fn registrar_asks(stage: &mut Stage, request: Term) {
    let caller = pid_of(PEER, 3);
    stage.happens(Event::Call { from: Term::Pid(caller.clone()), caller, request });
}

/// What we make the third node change, once the peer is gone.
fn finished(stage: &mut Stage) -> Vec<Term> {
    stage.happens(Event::NodeDown { node: Atom::new(PEER) });
    let mut asked = Vec::new();
    for _ in 0..20 {
        asked.extend(stage.done.iter().filter_map(|effect| match effect {
            Effect::Call { node, request, .. } if *node == *THIRD => Some(request.clone()),
            _ => None,
        }));
        stage.settles_once();
    }
    asked.retain(|request| {
        request.as_tuple().is_some_and(|ask| ask[0].is_atom("register") || ask[0].is_atom("unregister"))
    });
    asked
}

/// A peer makes a change, tells us, and is gone before it has told the third node. Whether that one hears it from us.
#[test]
fn a_change_that_was_cut_short_is_finished() {
    let lock = LockId::global(Term::Pid(pid_of(PEER, 3)));
    let on = |node: &str| Named { pid: pid_of(node, 60), ..named("x", 60) };
    let (mine, his) = (messages::register(&on(ME)), messages::register(&on(PEER)));
    let remove = messages::unregister(&Term::atom("x"));
    // What he asked us before, his last change, and what the third node hears.
    let cases: [(&[&Term], &Term, &[&Term]); 4] = [
        (&[], &mine, &[&mine]),
        (&[&mine], &remove, &[&remove]),
        // The name goes with him, and whoever has not heard of it has nothing.
        (&[], &his, &[]),
        // Whoever has not heard that the name is his now still has the one before, which we have not any more.
        (&[&mine], &his, &[&remove]),
    ];
    for (number, (before, change, expected)) in cases.into_iter().enumerate() {
        for given_back in [false, true] {
            let mut stage = met(Mistake::None);
            for request in before {
                registrar_asks(&mut stage, messages::set_lock(&lock));
                registrar_asks(&mut stage, (*request).clone());
                registrar_asks(&mut stage, messages::del_lock(&lock));
                // So long ago that everybody has heard it.
                stage.now += 60_000_000_000;
            }
            registrar_asks(&mut stage, messages::set_lock(&lock));
            registrar_asks(&mut stage, change.clone());
            if given_back {
                registrar_asks(&mut stage, messages::del_lock(&lock));
            }
            let told = finished(&mut stage);
            assert_eq!(told.iter().collect::<Vec<_>>(), expected, "case {number}, given back: {given_back}");
        }
    }
    let mut stage = met(Mistake::LeaveChangesUndone);
    registrar_asks(&mut stage, messages::set_lock(&lock));
    registrar_asks(&mut stage, mine);
    assert_eq!(finished(&mut stage), [], "the story would tell");
}

/// What the operator has read by now.
fn warnings(stage: &Stage) -> Vec<&str> {
    let read = |effect: &'_ Effect| matches!(effect, Effect::Log { level: Level::Warning, .. });
    let warnings = stage.done.iter().filter(|effect| read(effect));
    warnings
        .filter_map(|effect| if let Effect::Log { text, .. } = effect { Some(text.as_str()) } else { None })
        .collect()
}

/// Who keeps us waiting is named, once, and not before its time.
#[test]
fn the_operator_reads_who_holds_the_lock_or_does_not_answer() {
    let lock = LockId::global(Term::Pid(pid_of(PEER, 3)));
    let holds = |stage: &mut Stage| registrar_asks(stage, messages::set_lock(&lock));
    let holder = pid_of(PEER, 3).to_string();
    let silent: fn() -> Stage = || Stage::new(Mistake::None);
    let half: fn() -> Stage = || {
        let mut stage = Stage::new(Mistake::None);
        stage.hears(messages::init_connect(&Atom::new(PEER), Term::Int(100), &pid_of(PEER, 2)));
        stage.settles();
        stage
    };
    let held = move || {
        let mut stage = met(Mistake::None);
        holds(&mut stage);
        stage
    };
    type Scene<'s> = Box<dyn Fn() -> Stage + 's>;
    let scenes: [(Scene<'_>, u64, &str, &str); 3] = [
        (Box::new(held), GLOBAL_HELD_SECS_MAX, &holder, "hold the lock 'global'"),
        (Box::new(silent), GLOBAL_SILENT_SECS_MAX, PEER, "has not answered our greeting"),
        (Box::new(half), GLOBAL_ANSWER_SECS_MAX, PEER, "has not locked its side"),
    ];
    for (scene, secs, who, what) in scenes {
        let mut stage = scene();
        let since = stage.now;
        stage.now = since + (secs - 5) * 1_000_000_000;
        stage.happens(Event::Wake);
        assert_eq!(warnings(&stage), Vec::<&str>::new(), "{what}: too soon");
        for late in [2, 4] {
            stage.now = since + (secs + late) * 1_000_000_000;
            stage.happens(Event::Wake);
        }
        let said = warnings(&stage);
        assert_eq!(said.len(), 1, "{what}: {said:?}");
        assert!(said[0].contains(who) && said[0].contains(what), "{said:?}");
    }
}

/// The third node is lost; the peer, who may be connected to it again, registers a process of it. We take the name, connected or
/// not: the peer has it, and nobody would tell us later. When the third node is one of us again, we tell all of the name, in case
/// somebody had lost it meanwhile; when it is out of reach, the monitor takes it away.
#[test]
fn a_name_on_a_node_that_we_lost_is_taken_and_told_when_that_node_is_back() {
    let (peer, third) = (Atom::new(PEER), Atom::new(THIRD));
    let lock = LockId::global(Term::Pid(pid_of(PEER, 3)));
    let far = Named { pid: pid_of(THIRD, 60), ..named("x", 60) };
    for spoken_of in [false, true] {
        let mut stage = met(Mistake::None);
        stage.happens(Event::NodeDown { node: third.clone() });
        registrar_asks(&mut stage, messages::set_lock(&lock));
        registrar_asks(&mut stage, messages::register(&far));
        registrar_asks(&mut stage, messages::del_lock(&lock));
        assert!(stage.global.whereis(&far.name).is_some());
        let watched =
            stage.done.iter().any(|effect| matches!(effect, Effect::Monitor { pid, .. } if *pid == far.pid));
        assert!(watched, "who is out of reach loses the name");
        stage.happens(Event::NodeUp { node: third.clone(), visible: true, connection: 3 });
        let ops = if spoken_of { vec![Op::Insert(far.clone())] } else { Vec::new() };
        let news = News {
            node: &peer,
            ops: &ops,
            external: &[],
            nodes: &[(third.clone(), VERSION)],
            version: VERSION,
            lock: &lock,
        };
        stage.done.clear();
        stage.hears(news.to_term(VERSION));
        let mut told = std::collections::BTreeSet::new();
        for _ in 0..20 {
            told.extend(stage.done.iter().filter_map(|effect| match effect {
                Effect::Call { node, request, .. } if *request == messages::register(&far) => {
                    Some(node.clone())
                }
                _ => None,
            }));
            stage.settles_once();
        }
        let all = if spoken_of { Vec::new() } else { vec![peer.clone(), third.clone()] };
        assert!(told.into_iter().eq(all), "spoken of: {spoken_of}");
    }
}

/// What we ask the third node for first over a new connection, after the one over which our registrar asked for the lock is gone.
fn asked_first_over_a_new_connection(mistake: Mistake, answer: Option<&str>) -> Option<Term> {
    let third = Atom::new(THIRD);
    let mut stage = met(mistake);
    let request =
        Request::Register { name: Term::atom("x"), pid: pid_of(ME, 60), method: named("x", 1).method };
    stage.happens(Event::Request { id: 1, request });
    let asked = stage.done.iter().find_map(|effect| match effect {
        Effect::Call { id, node, .. } if *node == third => Some(*id),
        _ => None,
    });
    let id = asked.expect("the third node is the boss");
    if let Some(answer) = answer {
        stage.happens(Event::CallReply { id, reply: Some(Term::atom(answer)) });
    }
    stage.happens(Event::NodeDown { node: third.clone() });
    stage.done.clear();
    stage.happens(Event::NodeUp { node: third.clone(), visible: true, connection: 3 });
    stage.done.iter().find_map(|effect| match effect {
        Effect::Call { node, connection: 3, actor: Actor::Registrar, request, .. } if *node == third => {
            Some(request.clone())
        }
        _ => None,
    })
}

/// A node of OTP that reads our request for a lock when there is a new connection already takes the lock, and nothing but us ends
/// it. What it answered it has forgotten with the connection.
#[test]
fn a_lock_that_a_peer_may_have_taken_after_the_connection_was_gone_is_given_back() {
    let back = messages::del_lock(&LockId::global(Term::Pid(pid_of(ME, 3))));
    assert_eq!(asked_first_over_a_new_connection(Mistake::None, None), Some(back));
    assert_eq!(asked_first_over_a_new_connection(Mistake::None, Some("true")), None);
    assert_eq!(asked_first_over_a_new_connection(Mistake::None, Some("false")), None);
    assert_eq!(asked_first_over_a_new_connection(Mistake::LeaveDebts, None), None, "the story would tell");
}

/// Two meet, and the peer has a name for a process of ours already, which some of his partition may have lost again: it is told
/// to tell all of them.
#[test]
fn a_name_for_our_process_that_the_other_side_has_is_told_to_all_of_that_side() {
    let (peer, locker) = (Atom::new(PEER), pid_of(PEER, 2));
    let ours = Named { pid: pid_of(ME, 60), ..named("x", 60) };
    let mut stage = Stage::new(Mistake::None);
    let Named { name, pid, method } = ours.clone();
    stage.happens(Event::Request { id: 1, request: Request::Register { name, pid, method } });
    stage.settles();
    let tag = stage.tag();
    stage.hears(messages::init_connect(&peer, Term::Int(100), &locker));
    stage.settles();
    stage.hears(messages::lock_set(&locker, true, Term::NIL, Some(tag.clone())));
    stage.settles();
    stage.said();
    stage.hears(messages::exchange(&peer, [ours.clone(), named("y", 61)].into_iter(), tag));
    let told = stage.said().iter().find_map(|message| match Message::read(message) {
        Some(Message::Resolved { ops, .. }) => Some(ops),
        _ => None,
    });
    assert_eq!(told, Some(vec![Op::Insert(ours)]));
}

/// Whether news of the third node, which we have lost, are taken for late after a tale that the teller lost it too.
fn a_tale_makes_the_news_late(teller: &str) -> bool {
    let (peer, third, fourth) = (Atom::new(PEER), Atom::new(THIRD), Atom::new("d@h"));
    let lock = LockId::global(Term::atom("me"));
    let mut stage = met(Mistake::None);
    let news = |of: &Atom| {
        let nodes = [(of.clone(), VERSION)];
        News { node: &peer, ops: &[], external: &[], nodes: &nodes, version: VERSION, lock: &lock }
            .to_term(VERSION)
    };
    stage.happens(Event::NodeDown { node: third.clone() });
    stage.hears(news(&fourth));
    stage.happens(Event::NodeUp { node: fourth, visible: true, connection: 3 });
    stage.happens(Event::NodeUp { node: third.clone(), visible: true, connection: 4 });
    let tale = messages::lost_connection(&Atom::new(teller), Term::Int(1), Term::Int(1), &third);
    stage.happens(Event::Message { from: Atom::new(teller), message: tale });
    stage.hears(news(&third));
    !stage.global.known().any(|known| *known == third)
}

/// The peer was with us when we lost the third node, and tells of the same loss. The fourth has come since: the loss that it tells
/// of is a new one, which has overtaken the news.
#[test]
fn a_tale_of_a_loss_is_about_the_one_that_its_teller_saw() {
    assert!(!a_tale_makes_the_news_late(PEER));
    assert!(a_tale_makes_the_news_late("d@h"));
}

/// A node with a smaller name settles whose name it is, and finds nothing for us to do: our process keeps it. Some of our partition
/// may have lost it meanwhile, so all of them are told.
#[test]
fn a_name_that_stays_is_told_to_those_who_may_have_lost_it() {
    let (judge, locker) = (Atom::new("0@h"), pid_of("0@h", 2));
    let ours = Named { pid: pid_of(ME, 60), ..named("x", 60) };
    let his = Named { pid: pid_of("0@h", 61), ..named("x", 61) };
    for (ops, told) in [
        (Vec::new(), vec![Op::Insert(ours.clone())]),
        (vec![Op::Insert(his.clone())], vec![Op::Insert(his.clone())]),
    ] {
        let mut stage = met(Mistake::None);
        let Named { name, pid, method } = ours.clone();
        stage.happens(Event::Request { id: 1, request: Request::Register { name, pid, method } });
        stage.settles();
        stage.said();
        stage.happens(Event::NodeUp { node: judge.clone(), visible: true, connection: 4 });
        let tag = stage.tag();
        let says =
            |stage: &mut Stage, message| stage.happens(Event::Message { from: judge.clone(), message });
        says(&mut stage, messages::init_connect(&judge, Term::Int(100), &locker));
        stage.settles();
        says(&mut stage, messages::lock_set(&locker, true, Term::NIL, Some(tag.clone())));
        stage.settles();
        says(&mut stage, messages::exchange(&judge, [his.clone()].into_iter(), tag.clone()));
        says(&mut stage, messages::resolved(&judge, &ops, &[], &[], tag, VERSION));
        let news: Vec<Vec<Op>> = stage
            .said()
            .iter()
            .filter_map(|message| match Message::read(message) {
                Some(Message::NewNodes { ops, .. }) => Some(ops),
                _ => None,
            })
            .collect();
        assert_eq!(news, vec![told; 2]);
    }
}

/// Somebody has lost us, and somebody else has met us: the news of that speak of ourselves, and come to us too. We do not lose
/// ourselves over that, nor our names.
#[test]
fn nobody_loses_himself() {
    let (peer, me) = (Atom::new(PEER), Atom::new(ME));
    let mut stage = met(Mistake::None);
    let Named { name, method, .. } = named("x", 1);
    stage.happens(Event::Request { id: 1, request: Request::Register { name, pid: pid_of(ME, 60), method } });
    stage.settles();
    let tale = messages::lost_connection(&Atom::new(THIRD), Term::Int(1), Term::Int(1), &me);
    stage.happens(Event::Message { from: Atom::new(PEER), message: tale });
    stage.said();
    let (lock, nodes) = (LockId::global(Term::atom("me")), [(me.clone(), VERSION)]);
    let news = News { node: &peer, ops: &[], external: &[], nodes: &nodes, version: VERSION, lock: &lock };
    stage.hears(news.to_term(VERSION));
    let told = stage.said();
    let lost =
        |term: &Term| matches!(Message::read(term), Some(Message::LostConnection { lost, .. }) if lost == me);
    assert!(!told.iter().any(lost), "{told:?}");
    assert_eq!(stage.global.whereis(&Term::atom("x")), Some(&pid_of(ME, 60)));
}
