//! Scopes without nodes: what they say to whom, and what they make of what they hear.

use term::{Atom, NodeId, Pid, Ref, Term, term};

use super::groups::{Effect, Groups};
use super::wire::{Change, PeerMessage};

pub(super) fn node(name: &str) -> NodeId {
    NodeId::new(Atom::new(&format!("{name}@h")), 1)
}

pub(super) fn pid(node: &NodeId, id: u32) -> Pid {
    Pid { node: node.clone(), id, serial: 0 }
}

/// The scope of `a`, which has the process 1, and another's scope process.
fn scope() -> (Groups, Pid, Pid) {
    let mut groups = Groups::new(node("a"));
    let me = pid(&node("a"), 1);
    groups.begin(me.clone(), []);
    groups.take_effects();
    (groups, me, pid(&node("b"), 1))
}

fn hear(groups: &mut Groups, message: &Term) -> Vec<Effect> {
    groups.hear(PeerMessage::read(message).unwrap_or_else(|| panic!("understood: {message:?}")));
    groups.take_effects()
}

fn send(peer: &Pid, message: Term) -> Effect {
    Effect::Send { peer: peer.clone(), message }
}

fn cast(peer: &Pid, message: Term) -> Effect {
    Effect::Cast { peer: peer.clone(), message }
}

#[test]
fn a_scope_that_begins_asks_all_and_answers_with_all_it_has() {
    let (mut groups, me, b) = scope();
    groups.begin(me.clone(), [Atom::new("b@h")]);
    let discover = || term!({discover, (me.clone())});
    let asked = [Effect::SendNode { node: Atom::new("b@h"), message: discover() }];
    assert_eq!(groups.take_effects(), asked);
    groups.node_up(Atom::new("b@h"));
    assert_eq!(groups.take_effects(), asked);
    let member = pid(&node("a"), 7);
    groups.join(&term!(g), &[member.clone(), member.clone()]);
    assert_eq!(groups.take_effects(), [Effect::Monitor(member.clone())], "there is nobody to tell");
    let sync = || term!({sync, (me.clone()), [{g, [(member.clone()), (member.clone())]}]});
    let discovered = hear(&mut groups, &term!({discover, (b.clone())}));
    assert_eq!(discovered, [Effect::Monitor(b.clone()), cast(&b, sync()), send(&b, discover())]);
    assert_eq!(hear(&mut groups, &term!({discover, (b.clone())})), [cast(&b, sync())], "known by now");
}

#[test]
fn each_peer_is_spoken_to_in_the_version_it_knows() {
    let (mut groups, me, old) = scope();
    let new = pid(&node("c"), 1);
    hear(&mut groups, &term!({discover, (old.clone())}));
    assert_eq!(
        hear(&mut groups, &term!({discover, (new.clone()), 1})),
        [
            Effect::Monitor(new.clone()),
            cast(&new, term!({local_data, (me.clone()), 1, #{}})),
            send(&new, term!({discover, (me.clone()), 1})),
        ]
    );
    let p = pid(&node("a"), 7);
    groups.join(&term!(g), std::slice::from_ref(&p));
    groups.join(&term!(g), &[p.clone(), p.clone()]);
    assert!(groups.leave(&term!(g), std::slice::from_ref(&p)));
    groups.join(&term!(h), std::slice::from_ref(&p));
    assert!(!groups.leave(&term!(i), std::slice::from_ref(&p)), "never joined");
    groups.down(&p);
    let me = || Term::Pid(me.clone());
    let p = || Term::Pid(p.clone());
    let sent = groups.take_effects();
    let to = |peer: &Pid| -> Vec<Term> {
        let mine = sent.iter().filter_map(|effect| match effect {
            Effect::Send { peer: to, message } if to == peer => Some(message.clone()),
            _ => None,
        });
        mine.collect()
    };
    assert_eq!(
        to(&old),
        [
            term!({join, (me()), g, (p())}),
            term!({join, (me()), g, [(p()), (p())]}),
            term!({leave, (me()), (p()), [g]}),
            term!({join, (me()), h, (p())}),
            term!({leave, (me()), (p()), [g, g, h]}),
        ]
    );
    assert_eq!(
        to(&new),
        [
            term!({update, (me()), [{g, [(p())], []}]}),
            term!({update, (me()), [{g, [(p()), (p())], []}]}),
            term!({update, (me()), [{g, [], [(p())]}]}),
            term!({update, (me()), [{h, [(p())], []}]}),
            term!({update, (me()), [{g, [], [(p()), (p())]}, {h, [], [(p())]}]}),
        ]
    );
}

#[test]
fn a_peer_of_either_version_is_understood_whatever_it_said_first() {
    for discover in [false, true] {
        let (mut groups, _, b) = scope();
        let (x, y) = (pid(&b.node, 8), pid(&b.node, 9));
        let (b, tx, ty) = (Term::Pid(b), Term::Pid(x.clone()), Term::Pid(y.clone()));
        let members = |groups: &Groups, group: &str| groups.table().members(&Term::atom(group)).to_vec();
        hear(&mut groups, &term!({join, (b.clone()), g, (tx.clone())}));
        assert!(members(&groups, "g").is_empty(), "from a stranger");
        if discover {
            hear(&mut groups, &term!({discover, (b.clone()), 1}));
        }
        hear(&mut groups, &term!({sync, (b.clone()), [{g, [(tx.clone())]}, {h, [(ty.clone())]}, {e, []}]}));
        assert_eq!((members(&groups, "g"), members(&groups, "h")), (vec![x.clone()], vec![y.clone()]));
        assert!(members(&groups, "e").is_empty());
        hear(&mut groups, &term!({join, (b.clone()), g, [(tx.clone()), (ty.clone())]}));
        assert_eq!(members(&groups, "g"), [x.clone(), x.clone(), y.clone()]);
        hear(
            &mut groups,
            &term!({update, (b.clone()), [{g, [(ty.clone())], [(tx.clone())]}, {h, [], [(ty.clone())]}]}),
        );
        assert_eq!(members(&groups, "g"), [x.clone(), y.clone(), y.clone()]);
        assert_eq!(groups.table().groups(), [term!(g)]);
        hear(&mut groups, &term!({leave, (b.clone()), (ty.clone()), [g, h, g, g]}));
        assert_eq!(members(&groups, "g"), std::slice::from_ref(&x));
        hear(&mut groups, &term!({local_data, (b.clone()), 1, #{h => [(ty.clone())], g => [(ty.clone())]}}));
        assert_eq!((members(&groups, "g"), members(&groups, "h")), (vec![y.clone()], vec![y.clone()]));
        groups.down(b.as_pid().unwrap());
        assert!(groups.table().groups().is_empty());
    }
}

#[test]
fn those_who_monitor_hear_exactly_what_changed() {
    let (mut groups, _, b) = scope();
    let (mine, x, y) = (pid(&node("a"), 7), pid(&b.node, 8), pid(&b.node, 9));
    let (one, all) = (Ref::new(node("a"), &[1, 0, 0]).unwrap(), Ref::new(node("a"), &[2, 0, 0]).unwrap());
    assert!(groups.monitor(one.clone(), &mine, Some(term!(g))));
    assert!(groups.monitor(all.clone(), &mine, None));
    assert_eq!(groups.take_effects(), [Effect::Monitor(mine.clone())], "once is enough");
    let told = |effects: Vec<Effect>| -> Vec<Term> {
        let messages = effects.into_iter().filter_map(|effect| match effect {
            Effect::Tell { message, .. } => Some(message),
            _ => None,
        });
        messages.collect()
    };
    let (tb, tx, ty) = (Term::Pid(b.clone()), Term::Pid(x), Term::Pid(y));
    let sync = term!({sync, (tb.clone()), [{g, [(tx.clone())]}, {h, [(tx.clone())]}]});
    assert_eq!(
        told(hear(&mut groups, &sync)),
        [
            term!({(all.clone()), join, g, [(tx.clone())]}),
            term!({(one.clone()), join, g, [(tx.clone())]}),
            term!({(all.clone()), join, h, [(tx.clone())]}),
        ]
    );
    assert!(told(hear(&mut groups, &sync)).is_empty(), "nothing is new");
    let sync = term!({sync, (tb.clone()), [{g, [(tx.clone()), (ty.clone())]}]});
    assert_eq!(
        told(hear(&mut groups, &sync)),
        [
            term!({(all.clone()), join, g, [(ty.clone())]}),
            term!({(one.clone()), join, g, [(ty.clone())]}),
            term!({(all.clone()), leave, h, [(tx.clone())]}),
        ]
    );
    assert!(groups.demonitor(&all) && !groups.demonitor(&all));
    groups.down(&b);
    assert_eq!(told(groups.take_effects()), [term!({(one.clone()), leave, g, [(tx), (ty)]})]);
    assert!(groups.demonitor(&one));
    assert_eq!(groups.take_effects(), [Effect::Demonitor(mine)]);
}

#[test]
fn what_is_malformed_is_not_understood_and_strangers_members_are_left_out() {
    let b = pid(&node("b"), 1);
    let tb = || Term::Pid(b.clone());
    let x = || Term::Pid(pid(&b.node, 8));
    for bad in [
        term!(discover),
        term!({ discover }),
        term!({discover, b}),
        term!({discover, (tb()), x}),
        term!({discover, (tb()), -1}),
        term!({sync, (tb()), g}),
        term!({sync, (tb()), [g]}),
        term!({sync, (tb()), [{g, [1]}]}),
        term!({sync, (tb()), [{g, [(x()) | 1]}]}),
        term!({sync, (tb()), [{g, []} | 1]}),
        term!({join, (tb()), g, 1}),
        term!({join, (tb()), g}),
        term!({leave, (tb()), (x()), g}),
        term!({leave, (tb()), (x()), [g | g]}),
        term!({update, (tb()), [{g, [], 1}]}),
        term!({update, (tb()), [{g, []}]}),
        term!({local_data, (tb()), 1, []}),
        term!({local_data, (tb()), x, #{}}),
        term!({local_data, (tb()), 1, #{g => 1}}),
    ] {
        assert_eq!(PeerMessage::read(&bad), None, "{bad:?}");
    }
    let stranger = Term::Pid(pid(&node("c"), 8));
    let (mut groups, me, _) = scope();
    hear(&mut groups, &term!({sync, (tb()), [{g, [(stranger.clone()), (x())]}]}));
    hear(&mut groups, &term!({join, (tb()), h, (stranger)}));
    assert_eq!(groups.table().members(&term!(g)).to_vec(), [pid(&b.node, 8)]);
    assert!(groups.table().members(&term!(h)).is_empty());
    assert!(hear(&mut groups, &term!({discover, (me)})).is_empty(), "we are no peer of ours");
}

#[test]
fn a_scope_process_that_begins_again_keeps_our_members_and_asks_for_the_others() {
    let (mut groups, _, b) = scope();
    let (mine, x) = (pid(&node("a"), 7), Term::Pid(pid(&b.node, 8)));
    groups.join(&term!(g), std::slice::from_ref(&mine));
    let of = Ref::new(node("a"), &[1, 0, 0]).unwrap();
    groups.monitor(of.clone(), &mine, None);
    hear(&mut groups, &term!({sync, (Term::Pid(b.clone())), [{g, [(x.clone())]}]}));
    let again = pid(&node("a"), 2);
    groups.begin(again.clone(), [b.node.name().clone()]);
    assert_eq!(
        groups.take_effects(),
        [
            Effect::Tell { pid: mine.clone(), message: term!({(of), leave, g, [(x)]}) },
            Effect::Monitor(mine.clone()),
            Effect::SendNode { node: b.node.name().clone(), message: term!({discover, (again.clone())}) },
        ]
    );
    let sync = term!({sync, (again), [{g, [(Term::Pid(mine))]}]});
    assert_eq!(hear(&mut groups, &term!({discover, (b.clone())}))[1], cast(&b, sync));
}

#[test]
fn a_peer_that_could_not_be_told_everything_gets_everything() {
    let (mut groups, me, b) = scope();
    hear(&mut groups, &term!({discover, (b.clone())}));
    let mine = pid(&node("a"), 7);
    groups.join(&term!(g), std::slice::from_ref(&mine));
    groups.catch_up(&b);
    let sync = term!({sync, (me), [{g, [(Term::Pid(mine.clone()))]}]});
    assert_eq!(groups.take_effects(), [Effect::Monitor(mine), cast(&b, sync)], "not twice");
}

#[test]
fn a_change_is_read_as_it_is_made() {
    let b = pid(&node("b"), 1);
    let x = pid(&b.node, 8);
    let read = PeerMessage::read(&term!({join, (b.clone()), {room, 1}, (x.clone())}));
    let change = Change { group: term!({room, 1}), join: vec![x], leave: vec![] };
    assert_eq!(read, Some(PeerMessage::Update { peer: b, changes: vec![change] }));
}
