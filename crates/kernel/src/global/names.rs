//! The name table, and what a meeting of two tables makes of it. Pure.

use std::collections::{BTreeMap, BTreeSet};

use term::{Atom, Pid, Term};

use super::messages::{External, Named, Op};

/// Name → process and method; and back.
#[derive(Debug, Default)]
pub(super) struct Names {
    by_name: BTreeMap<Term, Named>,
    by_pid: BTreeMap<Pid, BTreeSet<Term>>,
    external: BTreeMap<Term, External>,
    /// What changed since somebody asked last, oldest first; nothing for a name that is gone.
    changes: Vec<(Term, Option<Named>)>,
}

impl Names {
    pub(super) fn get(&self, name: &Term) -> Option<&Named> {
        self.by_name.get(name)
    }

    /// Puts a name in, and gives back the process that had it.
    pub(super) fn insert(&mut self, named: Named) -> Option<Pid> {
        let old = self.remove(&named.name);
        self.by_pid.entry(named.pid.clone()).or_default().insert(named.name.clone());
        self.changes.push((named.name.clone(), Some(named.clone())));
        self.by_name.insert(named.name.clone(), named);
        old
    }

    /// What changed since this was asked last.
    pub(super) fn take_changes(&mut self) -> Vec<(Term, Option<Named>)> {
        std::mem::take(&mut self.changes)
    }

    /// Notes that a name belongs to a process of a foreign node.
    pub(super) fn mark_external(&mut self, external: External) {
        self.external.insert(external.name.clone(), external);
    }

    /// Takes a name out, and gives back the process that had it.
    pub(super) fn remove(&mut self, name: &Term) -> Option<Pid> {
        let named = self.by_name.remove(name)?;
        self.changes.push((name.clone(), None));
        self.external.remove(name);
        if let Some(names) = self.by_pid.get_mut(&named.pid) {
            names.remove(name);
            if names.is_empty() {
                self.by_pid.remove(&named.pid);
            }
        }
        Some(named.pid)
    }

    /// Takes out every name of a process.
    pub(super) fn died(&mut self, pid: &Pid) {
        for name in self.by_pid.remove(pid).unwrap_or_default() {
            self.by_name.remove(&name);
            self.external.remove(&name);
            self.changes.push((name, None));
        }
    }

    /// The names a process has.
    pub(super) fn names_of(&self, pid: &Pid) -> impl Iterator<Item = &Term> {
        self.by_pid.get(pid).into_iter().flatten()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Named> {
        self.by_name.values()
    }

    pub(super) fn external(&self) -> impl Iterator<Item = &External> {
        self.external.values()
    }

    pub(super) fn len(&self) -> usize {
        self.by_name.len()
    }
}

/// The work on one peer's table: names go by until one clashes and its method has to be asked.
#[derive(Debug)]
pub(super) struct Resolver {
    left: std::vec::IntoIter<Named>,
    /// What we shall do.
    pub(super) ops: Vec<Op>,
    /// What the other side shall do.
    pub(super) resolved: Vec<Op>,
    /// What both have: the same name of the same process.
    shared: Vec<Named>,
    /// What we have under names that he settles.
    pub(super) left_to_him: Vec<Named>,
    asked: Option<Clash>,
}

/// The same name on both sides.
#[derive(Clone, Debug)]
pub(super) struct Clash {
    pub(super) theirs: Named,
    pub(super) ours: Named,
}

impl Resolver {
    pub(super) fn new(names: Vec<Named>) -> Resolver {
        Resolver {
            left: names.into_iter(),
            ops: Vec::new(),
            resolved: Vec::new(),
            shared: Vec::new(),
            left_to_him: Vec::new(),
            asked: None,
        }
    }

    /// Goes on to the next clash that is ours to settle; `None` at the end of the list.
    ///
    /// Only the side whose node has the smaller name settles (6.3, step 4): each clash is settled once.
    pub(super) fn next_clash(&mut self, table: &Names, ours_to_settle: bool) -> Option<Clash> {
        for theirs in self.left.by_ref() {
            match table.get(&theirs.name) {
                None => self.ops.push(Op::Insert(theirs)),
                Some(ours) if ours.pid == theirs.pid => self.shared.push(theirs),
                Some(ours) if !ours_to_settle => self.left_to_him.push(ours.clone()),
                Some(ours) => {
                    let clash = Clash { theirs, ours: ours.clone() };
                    self.asked = Some(clash.clone());
                    return Some(clash);
                }
            }
        }
        None
    }

    /// Adds the names of our table whose process lives outside of our partition: some of us may have lost its node, and
    /// the name with it, while others have not.
    pub(super) fn add_strangers(&mut self, table: &Names, stranger: impl Fn(&Pid) -> bool) {
        let touched: BTreeSet<Term> =
            self.ops.iter().chain(&self.resolved).map(|op| op.name().clone()).collect();
        let strangers = table.iter().filter(|named| stranger(&named.pid) && !touched.contains(&named.name));
        self.ops.extend(strangers.cloned().map(Op::Insert));
    }

    /// Both sides are told of what both have: partitions have nothing in common, so some nodes of one of them may have lost the
    /// process of such a name once, and the name with it. (OTP sees no reason to tell.)
    pub(super) fn add_shared(&mut self) {
        for named in std::mem::take(&mut self.shared) {
            self.ops.push(Op::Insert(named.clone()));
            self.resolved.push(Op::Insert(named));
        }
    }

    /// Takes the verdict of the method: a pid stays, anything else removes the name on both sides; when the method
    /// could not be asked (`Err`), the other side's process stays. Says what was strange, if anything was.
    pub(super) fn verdict(&mut self, verdict: Result<Term, Term>) -> Option<String> {
        let Clash { theirs, ours } = self.asked.take()?;
        let name = theirs.name.clone();
        match verdict {
            Ok(Term::Pid(pid)) if pid == theirs.pid => self.stays(theirs),
            Ok(Term::Pid(pid)) if pid == ours.pid => self.stays(ours),
            Err(reason) => {
                self.ops.push(Op::Insert(theirs));
                return Some(format!(
                    "global: badrpc {reason:?} received when conflicting name {name:?} was found"
                ));
            }
            Ok(other) => {
                self.ops.push(Op::Delete(name.clone()));
                self.resolved.push(Op::Delete(name.clone()));
                if !other.is_atom("none") {
                    return Some(format!(
                        "global: resolve method for conflicting name {name:?} returned {other:?}"
                    ));
                }
            }
        }
        None
    }

    /// Who loses has to hear of it, and so have those of the winner's side who have lost the name meanwhile.
    fn stays(&mut self, named: Named) {
        self.ops.push(Op::Insert(named.clone()));
        self.resolved.push(Op::Insert(named));
    }
}

/// What one of OTP's own methods does about a clash: answer it, kill, send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// The value of the method.
    pub answer: Term,
    /// Exit this process with the reason `kill`.
    pub kill: Option<Pid>,
    /// Send these.
    pub send: Vec<(Pid, Term)>,
}

/// OTP's three methods; `None` for a fun of somebody else, which only its maker can run.
///
/// `fun global:F/3` is meant, and OTP's own default, which travels as a local fun of the module `global`: the only fun
/// of three arguments there is `random_exit_name`. It is not random: the process on the node with the smaller name stays.
pub fn settle(method: &Term, name: &Term, one: &Pid, other: &Pid) -> Option<Settled> {
    let function = match method {
        Term::Export(export) if export.module == *"global" && export.arity == 3 => export.function.clone(),
        Term::Fun(fun) if fun.module == *"global" && fun.arity == 3 => Atom::new("random_exit_name"),
        _ => return None,
    };
    let (min, max) = if one.node.name() < other.node.name() { (one, other) } else { (other, one) };
    let (one_term, other_term) = (Term::Pid(one.clone()), Term::Pid(other.clone()));
    let conflict = Term::atom("global_name_conflict");
    match function.as_str() {
        "random_exit_name" => {
            Some(Settled { answer: Term::Pid(min.clone()), kill: Some(max.clone()), send: Vec::new() })
        }
        "random_notify_name" => {
            let told = (max.clone(), Term::tuple([conflict, name.clone()]));
            Some(Settled { answer: Term::Pid(min.clone()), kill: None, send: vec![told] })
        }
        "notify_all_name" => {
            let first = (one.clone(), Term::tuple([conflict.clone(), name.clone(), other_term]));
            let second = (other.clone(), Term::tuple([conflict, name.clone(), one_term]));
            Some(Settled { answer: Term::atom("none"), kill: None, send: vec![first, second] })
        }
        _ => None,
    }
}
