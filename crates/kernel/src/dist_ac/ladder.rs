//! A ladder: the nodes that may run an application, best first, and how long to wait before the next one does.

use std::time::Duration;

use term::{Atom, Term};

/// One step of a ladder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rank {
    /// One node.
    One(Atom),
    /// Several that are as good as each other: the one with the fewest applications runs it.
    Equals(Vec<Atom>),
}

impl Rank {
    /// Its nodes.
    pub fn nodes(&self) -> &[Atom] {
        match self {
            Rank::One(node) => std::slice::from_ref(node),
            Rank::Equals(nodes) => nodes,
        }
    }

    /// Sets of equals are the same in any order, as in OTP.
    fn is_like(&self, other: &Rank) -> bool {
        match (self, other) {
            (Rank::One(one), Rank::One(another)) => one == another,
            (Rank::Equals(ours), Rank::Equals(theirs)) => {
                let sorted = |nodes: &[Atom]| {
                    let mut nodes = nodes.to_vec();
                    nodes.sort();
                    nodes
                };
                sorted(ours) == sorted(theirs)
            }
            _ => false,
        }
    }
}

/// Where an application runs: the best node that is up, and the next one when that is lost for longer than the wait.
///
/// ```ignore
/// Ladder::first(["n1@host"]).then(["n2@host", "n3@host"]).wait(Duration::from_secs(5))
/// ```
///
/// It must be the same on all its nodes. (An element of kernel's `distributed`.)
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ladder {
    ranks: Vec<Rank>,
    wait: Option<Duration>,
}

impl Ladder {
    /// Begins with the best: one node, or several equals.
    pub fn first(nodes: impl IntoIterator<Item = impl Into<Atom>>) -> Ladder {
        Ladder { ranks: Vec::new(), wait: Some(Duration::ZERO) }.then(nodes)
    }

    /// The next best: one node, or several equals.
    pub fn then(mut self, nodes: impl IntoIterator<Item = impl Into<Atom>>) -> Ladder {
        let mut nodes: Vec<Atom> = nodes.into_iter().map(Into::into).collect();
        match nodes.len() {
            0 => {}
            1 => self.ranks.push(Rank::One(nodes.remove(0))),
            _ => self.ranks.push(Rank::Equals(nodes)),
        }
        self
    }

    /// How long a lost node may take to come back before the next one runs the application. (Nothing when nothing is said.)
    pub fn wait(mut self, wait: Duration) -> Ladder {
        self.wait = Some(wait);
        self
    }

    /// A lost node is waited for without end. (`infinity`.)
    pub fn wait_for_ever(mut self) -> Ladder {
        self.wait = None;
        self
    }

    /// Its steps, best first.
    pub fn ranks(&self) -> &[Rank] {
        &self.ranks
    }

    /// The wait; nothing when it has no end.
    pub fn patience(&self) -> Option<Duration> {
        self.wait
    }

    /// All its nodes.
    pub fn nodes(&self) -> impl Iterator<Item = &Atom> {
        self.ranks.iter().flat_map(Rank::nodes)
    }

    /// Whether it has the node.
    pub fn has(&self, node: &Atom) -> bool {
        self.nodes().any(|one| one == node)
    }

    /// How good a node is: less is better. Of equals the smaller name: only for conflicts, which nobody could weigh.
    pub(crate) fn place(&self, node: &Atom) -> (usize, Atom) {
        let step = self.ranks.iter().position(|rank| rank.nodes().contains(node));
        (step.unwrap_or(usize::MAX), node.clone())
    }

    /// Whether the steps are the same. The wait may differ: OTP does not compare it.
    pub(crate) fn is_like(&self, ranks: &[Rank]) -> bool {
        self.ranks.len() == ranks.len() && self.ranks.iter().zip(ranks).all(|(one, other)| one.is_like(other))
    }

    /// `{App, Nodes}` or `{App, Ms | infinity, Nodes}`: an element of `distributed`.
    pub fn from_term(term: &Term) -> Option<(Atom, Ladder)> {
        match term.as_tuple()? {
            [Term::Atom(app), nodes] => {
                Some((app.clone(), Ladder { ranks: ranks_from(nodes)?, wait: Some(Duration::ZERO) }))
            }
            [Term::Atom(app), wait, nodes] => {
                Some((app.clone(), Ladder { ranks: ranks_from(nodes)?, wait: wait_from(wait)? }))
            }
            _ => None,
        }
    }

    /// `{App, Ms | infinity, Nodes}`.
    pub fn to_term(&self, app: &Atom) -> Term {
        Term::tuple([Term::Atom(app.clone()), wait_term(self.wait), ranks_term(&self.ranks)])
    }
}

/// `[Node | {Node, ...}]`.
pub(crate) fn ranks_from(term: &Term) -> Option<Vec<Rank>> {
    let list = term.as_list().filter(|list| list.improper_tail().is_none())?;
    list.iter().map(|rank| rank_from(&rank)).collect()
}

fn rank_from(term: &Term) -> Option<Rank> {
    match term {
        Term::Atom(node) => Some(Rank::One(node.clone())),
        _ => {
            let nodes = term.as_tuple()?.iter().map(|node| node.as_atom().cloned());
            nodes.collect::<Option<Vec<Atom>>>().map(Rank::Equals)
        }
    }
}

pub(crate) fn ranks_term(ranks: &[Rank]) -> Term {
    Term::list(ranks.iter().map(|rank| match rank {
        Rank::One(node) => Term::Atom(node.clone()),
        Rank::Equals(nodes) => Term::Tuple(nodes.iter().cloned().map(Term::Atom).collect()),
    }))
}

/// Milliseconds, or `infinity`.
fn wait_from(term: &Term) -> Option<Option<Duration>> {
    if term.is_atom("infinity") {
        return Some(None);
    }
    let millis = u64::try_from(term.as_int()?).ok()?;
    Some(Some(Duration::from_millis(millis)))
}

pub(crate) fn wait_term(wait: Option<Duration>) -> Term {
    wait.map_or(Term::atom("infinity"), |wait| Term::Int(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use term::read::read_term;

    #[test]
    fn a_ladder_is_read_as_otp_writes_it_and_written_again() {
        let text = "{shop,1000,[a@h,{b@h,c@h},d@h]}";
        let (app, ladder) = Ladder::from_term(&read_term(text).unwrap()).unwrap();
        let built = Ladder::first(["a@h"]).then(["b@h", "c@h"]).then(["d@h"]).wait(Duration::from_secs(1));
        assert_eq!((app.as_str(), &ladder), ("shop", &built));
        assert_eq!(ladder.to_term(&app).to_string(), text);
        let (_, bare) = Ladder::from_term(&read_term("{shop,[a@h]}").unwrap()).unwrap();
        assert_eq!(bare.patience(), Some(Duration::ZERO));
        let (_, patient) = Ladder::from_term(&read_term("{shop,infinity,[a@h]}").unwrap()).unwrap();
        assert_eq!(patient.patience(), None);
    }

    #[test]
    fn equals_are_the_same_in_any_order_and_a_step_of_one_is_not_a_node() {
        let ladder = |text| Ladder::from_term(&read_term(text).unwrap()).unwrap().1;
        let one = ladder("{s,[a,{b,c}]}");
        assert!(one.is_like(ladder("{s,5,[a,{c,b}]}").ranks()));
        for other in ["{s,[a,{b}]}", "{s,[a]}", "{s,[{b,c},a]}", "{s,[{a},{b,c}]}", "{s,[a,b]}"] {
            assert!(!one.is_like(ladder(other).ranks()), "{other}");
        }
    }

    #[test]
    fn what_is_no_ladder_is_refused() {
        for text in [
            "{s}",
            "s",
            "{s,-1,[a]}",
            "{s,soon,[a]}",
            "{s,a}",
            "{s,[1]}",
            "{s,[{a,1}]}",
            "{1,[a]}",
            "{s,[a|b]}",
        ] {
            assert_eq!(Ladder::from_term(&read_term(text).unwrap()), None, "{text}");
        }
    }
}
