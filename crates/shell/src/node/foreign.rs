//! What a fun of a shell is called elsewhere. Every build of OTP knows the code behind such funs, which lies in its module
//! `erl_eval`, by other numbers, and calls a fun with another's numbers a `badfun`. So each node is asked for its own
//! numbers, and gets our funs with these. (Between two releases of OTP typed funs do not run at all.)

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use trunkline::net_kernel::{self, Kind, WatchOptions};
use trunkline::runtime::Node;
use trunkline::term::{Fun, List, Map};
use trunkline::{Atom, Ctx, Term, To, rpc};

use crate::limits::FUN_SEARCH_LEVELS_MAX;
use crate::machine::{ERL_EVAL_OLD_UNIQ, ERL_EVAL_UNIQ};

/// How a build of OTP tells its `erl_eval` from others.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Numbers {
    uniq: [u8; 16],
    old_uniq: i64,
}

const OURS: Numbers = Numbers { uniq: ERL_EVAL_UNIQ, old_uniq: ERL_EVAL_OLD_UNIQ };

/// How long a node may take to tell its numbers; then it gets our funs as they are.
const ASKING_TIME_MAX: Duration = Duration::from_secs(5);

/// The nodes that were asked.
#[derive(Default)]
struct Asked {
    /// The numbers, where they are others than ours.
    nodes: Mutex<BTreeMap<Atom, Option<Numbers>>>,
    watched: AtomicBool,
}

impl Asked {
    fn nodes(&self) -> MutexGuard<'_, BTreeMap<Atom, Option<Numbers>>> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// From now on every visible node is asked when it comes: a message may be on its way there before anybody could wait.
/// Hidden ones are asked when they are to run a fun; some tools take the first thing they hear for their answer.
pub(super) fn watch(node: &Node) {
    if node.shelf::<Asked>().watched.swap(true, Ordering::Relaxed) {
        return;
    }
    node.spawn(|mut ctx: Ctx| async move {
        let me = ctx.pid();
        net_kernel::monitor_nodes(ctx.node(), &me, WatchOptions::default());
        for peer in net_kernel::nodes(ctx.node(), Kind::Visible) {
            let node = ctx.node().clone();
            ctx.spawn(async move |_| {
                numbers_of(&node, &peer).await;
            });
        }
        loop {
            let message: Term = ctx.receive().await;
            let Some([Term::Atom(what), Term::Atom(peer)]) = message.as_tuple() else { continue };
            let (node, peer) = (ctx.node().clone(), peer.clone());
            node.shelf::<Asked>().nodes().remove(&peer);
            if what.as_str() == "nodeup" {
                ctx.spawn(async move |_| {
                    numbers_of(&node, &peer).await;
                });
            }
        }
    });
}

/// The numbers of a node, where they are others than ours; it is asked if it was not yet.
async fn numbers_of(node: &Node, peer: &Atom) -> Option<Numbers> {
    if let Some(known) = known(node, peer) {
        return known;
    }
    // It makes a fun as its own shell would.
    let atom = |word: &str| Term::atom(word);
    let body = Term::tuple([atom("atom"), Term::Int(1), atom("ok")]);
    let clause = [atom("clause"), Term::Int(1), Term::NIL, Term::NIL, Term::list([body])];
    let clauses = Term::tuple([atom("clauses"), Term::list([Term::tuple(clause)])]);
    let fun = Term::tuple([atom("fun"), Term::Int(1), clauses]);
    let asked = rpc::call_within::<Term>(
        node,
        peer.clone(),
        "erl_eval",
        "expr",
        vec![fun, Term::NIL],
        ASKING_TIME_MAX,
    );
    let told = asked.await.ok();
    let numbers = match told.as_ref().and_then(Term::as_tuple) {
        Some([_, Term::Fun(fun), _]) if fun.module == *"erl_eval" && fun.index == INDEX_OF_A_FUN_0 => {
            Some(Numbers { uniq: fun.uniq, old_uniq: fun.old_uniq }).filter(|numbers| *numbers != OURS)
        }
        _ => None,
    };
    node.shelf::<Asked>().nodes().insert(peer.clone(), numbers);
    numbers
}

/// The same in OTP 25 to 29, as are those of all other funs of `erl_eval`.
const INDEX_OF_A_FUN_0: u32 = 43;

fn known(node: &Node, peer: &Atom) -> Option<Option<Numbers>> {
    node.shelf::<Asked>().nodes().get(peer).copied()
}

/// A message as a node will understand it that was asked before.
pub(super) fn message_to(node: &Node, to: &To<'_>, message: Term) -> Term {
    let peer = match to {
        To::NameAt(_, peer) => peer,
        To::Pid(pid) => pid.node.name(),
        To::PidRef(pid) => pid.node.name(),
        To::AliasRef(alias) => alias.node().name(),
        _ => return message,
    };
    match known(node, peer) {
        Some(Some(numbers)) => with(&message, &numbers, 0).unwrap_or(message),
        _ => message,
    }
}

/// Arguments as the node will understand them that is to work with them; it is asked if it was not yet.
pub(super) async fn arguments_for(node: &Node, peer: &Atom, arguments: Vec<Term>) -> Vec<Term> {
    if peer == node.name() || known(node, peer) == Some(None) {
        return arguments;
    }
    if !arguments.iter().any(|argument| with(argument, &OURS, 0).is_some()) {
        return arguments;
    }
    match numbers_of(node, peer).await {
        Some(numbers) => {
            arguments.into_iter().map(|argument| with(&argument, &numbers, 0).unwrap_or(argument)).collect()
        }
        None => arguments,
    }
}

/// The other node of a call such as `rpc:call(Node, …)` or `gen_server:call({Name, Node}, …)`: its first argument says.
pub(super) fn addressee(node: &Node, module: &Atom, first: Option<&Term>) -> Option<Atom> {
    let peer = match first? {
        Term::Pid(pid) => pid.node.name().clone(),
        Term::Tuple(pair) => match pair.as_slice() {
            [Term::Atom(_), Term::Atom(peer)] => peer.clone(),
            _ => return None,
        },
        Term::Atom(peer) if matches!(module.as_str(), "rpc" | "erpc") => peer.clone(),
        // Of several, one stands for all.
        Term::List(peers) if matches!(module.as_str(), "rpc" | "erpc") => {
            peers.iter().find_map(|peer| peer.as_atom().filter(|peer| *peer != node.name()).cloned())?
        }
        _ => return None,
    };
    (peer != *node.name() && peer.as_str().contains('@')).then_some(peer)
}

/// A term in which our funs have these numbers; nothing where there are none of ours.
fn with(term: &Term, numbers: &Numbers, level: usize) -> Option<Term> {
    if level > FUN_SEARCH_LEVELS_MAX {
        return None;
    }
    let all = |terms: &mut dyn Iterator<Item = Term>| {
        let mut found = false;
        let terms: Vec<Term> = terms
            .map(|part| match with(&part, numbers, level + 1) {
                Some(other) => {
                    found = true;
                    other
                }
                None => part,
            })
            .collect();
        found.then_some(terms)
    };
    match term {
        Term::Fun(fun) => {
            let free = all(&mut fun.free.iter().cloned());
            let ours = fun.module == *"erl_eval" && fun.uniq == OURS.uniq;
            if !ours && free.is_none() {
                return None;
            }
            let mut other = Fun::clone(fun);
            other.free = free.unwrap_or_else(|| fun.free.clone());
            if ours {
                (other.uniq, other.old_uniq) = (numbers.uniq, numbers.old_uniq);
            }
            Some(Term::Fun(Arc::new(other)))
        }
        Term::Tuple(parts) => all(&mut parts.iter().cloned()).map(|parts| Term::Tuple(parts.into())),
        Term::Map(map) => {
            let flat = &mut map.pairs().iter().flat_map(|(key, value)| [key.clone(), value.clone()]);
            let flat = all(flat)?;
            let pairs = flat.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone()));
            Some(Term::Map(pairs.collect::<Map>()))
        }
        Term::List(list) if !list.is_nil() => {
            let items = all(&mut list.iter());
            let tail = list.improper_tail();
            let other = tail.and_then(|tail| with(tail, numbers, level + 1));
            if items.is_none() && other.is_none() {
                return None;
            }
            let items = items.unwrap_or_else(|| list.iter().collect());
            let end = other.or_else(|| tail.cloned()).unwrap_or(Term::NIL);
            Some(items.into_iter().rev().fold(end, |tail, head| Term::List(List::cons(head, tail))))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fun(free: Vec<Term>) -> Term {
        let node = Node::alone();
        let creator = node.spawn(async |_| {});
        let Numbers { uniq, old_uniq } = OURS;
        let module = Atom::new("erl_eval");
        Term::Fun(Arc::new(Fun { arity: 0, uniq, index: 43, module, old_index: 43, old_uniq, creator, free }))
    }

    #[tokio::test]
    async fn funs_are_found_wherever_they_are_and_nothing_else_changes() {
        let theirs = Numbers { uniq: [7; 16], old_uniq: 7 };
        let inner = fun(vec![Term::tuple([Term::Int(1), fun(vec![])])]);
        let improper = Term::List(List::cons(Term::Int(1), inner.clone()));
        let map = Term::Map([(Term::atom("key"), improper)].into_iter().collect::<Map>());
        let all = Term::tuple([Term::Int(5), Term::list([map, Term::string("text")])]);
        let changed = with(&all, &theirs, 0).expect("there are two");
        assert!(with(&changed, &theirs, 0).is_none(), "none of ours is left in {changed}");
        assert_eq!(changed.to_string().replace("erl_eval.43.7>", "erl_eval.43.3316493>"), all.to_string());
        let plain = Term::tuple([Term::list([Term::Int(1)]), Term::binary("b")]);
        assert!(with(&plain, &theirs, 0).is_none());
        let mut deep = fun(vec![]);
        for _ in 0..2 * FUN_SEARCH_LEVELS_MAX {
            deep = Term::tuple([deep]);
        }
        assert!(with(&deep, &theirs, 0).is_none(), "what lies too deep is left as it is");
    }
}
