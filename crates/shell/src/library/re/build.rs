//! Trees as steps for the machine that matches.

use super::parse::{Parsed, length};
use super::tree::{Assert, Condition, Greed, Node, Set};
use crate::limits::PATTERN_STEPS_MAX;

/// A step.
#[derive(Clone, Debug)]
pub(super) enum Step {
    One(One),
    /// One character several times.
    Many {
        one: One,
        least: u32,
        most: u32,
        how: Greed,
    },
    LineEnd,
    Cluster,
    Assert(Assert),
    /// Goes on there; later, if need be, there.
    Split(usize, usize),
    Jump(usize),
    Save(usize),
    /// Remembers where a round begins.
    Mark(usize),
    /// A round that has matched nothing is the last.
    Moved(usize),
    Back(Vec<usize>, bool),
    /// What is inside, up to the `Done` of its end; then on at the second.
    Look {
        not: bool,
        behind: Option<usize>,
        end: usize,
    },
    Atomic(usize),
    Done,
    IfGroup(Vec<usize>, usize),
    IfRecursion(Option<usize>, usize),
    Call(usize),
    Keep,
    Fail,
    Accept,
    Match,
}

/// What is one character.
#[derive(Clone, Debug)]
pub(super) enum One {
    Char(u32, bool),
    Set(Set),
    Any(bool),
}

/// A pattern that can be run.
pub(super) struct Program {
    pub(super) steps: Vec<Step>,
    /// Where each group begins and ends.
    pub(super) groups: Vec<(usize, usize)>,
    pub(super) marks: usize,
}

struct Builder {
    steps: Vec<Step>,
    groups: Vec<(usize, usize)>,
    marks: usize,
}

/// Builds; `None` when it would be too large.
pub(super) fn build(parsed: &Parsed) -> Option<Program> {
    let groups = vec![(usize::MAX, 0); parsed.groups + 1];
    let mut builder = Builder { steps: Vec::new(), groups, marks: 0 };
    builder.node(&parsed.node)?;
    builder.groups[0] = (0, builder.steps.len());
    builder.steps.push(Step::Match);
    Some(Program { steps: builder.steps, groups: builder.groups, marks: builder.marks })
}

fn one(node: &Node) -> Option<One> {
    match node {
        Node::Char(code, caseless) => Some(One::Char(*code, *caseless)),
        Node::Set(set) => Some(One::Set(set.clone())),
        Node::Any(all) => Some(One::Any(*all)),
        Node::Group(of, None) => one(of),
        _ => None,
    }
}

impl Builder {
    fn push(&mut self, step: Step) -> Option<usize> {
        if self.steps.len() >= PATTERN_STEPS_MAX {
            return None;
        }
        self.steps.push(step);
        Some(self.steps.len() - 1)
    }

    fn just(&mut self, step: Step) -> Option<()> {
        self.push(step).map(|_| ())
    }

    fn node(&mut self, node: &Node) -> Option<()> {
        match node {
            Node::Empty => {}
            Node::Char(..) | Node::Set(_) | Node::Any(_) => {
                self.push(Step::One(one(node)?))?;
            }
            Node::LineEnd => self.just(Step::LineEnd)?,
            Node::Cluster => self.just(Step::Cluster)?,
            Node::Assert(assert) => self.just(Step::Assert(*assert))?,
            Node::Group(of, None) => self.node(of)?,
            Node::Group(of, Some(group)) => {
                let begin = self.push(Step::Save(group * 2))?;
                self.node(of)?;
                let end = self.push(Step::Save(group * 2 + 1))?;
                if self.groups[*group].0 == usize::MAX {
                    self.groups[*group] = (begin, end + 1);
                }
            }
            Node::Sequence(all) => {
                for one in all {
                    self.node(one)?;
                }
            }
            Node::Choice(all) => self.choice(all)?,
            Node::Repeat { of, least, most, how } => self.repeat(of, *least, *most, *how)?,
            Node::Back(groups, caseless) => self.just(Step::Back(groups.clone(), *caseless))?,
            Node::Look { of, behind: false, not } => self.look(of, None, *not)?,
            Node::Look { of, behind: true, not } => self.behind(of, *not)?,
            Node::Atomic(of) => {
                let at = self.push(Step::Atomic(0))?;
                self.node(of)?;
                let end = self.push(Step::Done)?;
                self.steps[at] = Step::Atomic(end + 1);
            }
            Node::Condition(condition, yes, no) => self.condition(condition, yes, no)?,
            Node::Call(group) => self.just(Step::Call(*group))?,
            Node::Keep => self.just(Step::Keep)?,
            Node::Fail => self.just(Step::Fail)?,
            Node::Accept => self.just(Step::Accept)?,
        }
        Some(())
    }

    fn choice(&mut self, all: &[Node]) -> Option<()> {
        let mut jumps = Vec::new();
        for (at, one) in all.iter().enumerate() {
            if at + 1 == all.len() {
                self.node(one)?;
                break;
            }
            let split = self.push(Step::Fail)?;
            self.node(one)?;
            jumps.push(self.push(Step::Fail)?);
            self.steps[split] = Step::Split(split + 1, self.steps.len());
        }
        let end = self.steps.len();
        for jump in jumps {
            self.steps[jump] = Step::Jump(end);
        }
        Some(())
    }

    fn look(&mut self, of: &Node, behind: Option<usize>, not: bool) -> Option<()> {
        let at = self.push(Step::Fail)?;
        self.node(of)?;
        let end = self.push(Step::Done)? + 1;
        self.steps[at] = Step::Look { not, behind, end };
        Some(())
    }

    /// Looks back as far as each choice is long.
    fn behind(&mut self, of: &Node, not: bool) -> Option<()> {
        let of = match of {
            Node::Group(inner, None) => inner,
            of => of,
        };
        let Node::Choice(all) = of else { return self.look(of, Some(length(of)?), not) };
        if not {
            for one in all {
                self.look(one, Some(length(one)?), true)?;
            }
            return Some(());
        }
        let all = all.iter().map(|one| Node::Look { of: Box::new(one.clone()), behind: true, not: false });
        self.choice(&all.collect::<Vec<_>>())
    }

    fn condition(&mut self, condition: &Condition, yes: &Node, no: &Node) -> Option<()> {
        if let Condition::Look(look) = condition {
            // Either what is looked for is there, or it is not.
            let Node::Look { of, behind, not } = &**look else { return None };
            let opposite = Node::Look { of: of.clone(), behind: *behind, not: !not };
            let first = Node::Sequence(vec![(**look).clone(), yes.clone()]);
            let second = Node::Sequence(vec![opposite, no.clone()]);
            return self.choice(&[first, second]);
        }
        let at = self.push(Step::Fail)?;
        self.node(yes)?;
        let jump = self.push(Step::Fail)?;
        let otherwise = self.steps.len();
        self.node(no)?;
        self.steps[jump] = Step::Jump(self.steps.len());
        self.steps[at] = match condition {
            Condition::Group(groups) => Step::IfGroup(groups.clone(), otherwise),
            Condition::Recursion(group) => Step::IfRecursion(*group, otherwise),
            Condition::Never | Condition::Look(_) => Step::Jump(otherwise),
        };
        Some(())
    }

    fn repeat(&mut self, of: &Node, least: u32, most: Option<u32>, how: Greed) -> Option<()> {
        if let Some(one) = one(of) {
            self.push(Step::Many { one, least, most: most.unwrap_or(u32::MAX), how })?;
            return Some(());
        }
        let atomic = match how {
            Greed::Possessive => Some(self.push(Step::Atomic(0))?),
            _ => None,
        };
        for _ in 0..least {
            self.node(of)?;
        }
        match most {
            None => self.star(of, how)?,
            Some(most) => {
                let mut splits = Vec::new();
                for _ in least..most {
                    splits.push(self.push(Step::Fail)?);
                    self.node(of)?;
                }
                let end = self.steps.len();
                for split in splits {
                    self.steps[split] = either(how, split + 1, end);
                }
            }
        }
        if let Some(atomic) = atomic {
            let end = self.push(Step::Done)?;
            self.steps[atomic] = Step::Atomic(end + 1);
        }
        Some(())
    }

    fn star(&mut self, of: &Node, how: Greed) -> Option<()> {
        let mark = self.marks;
        self.marks += 1;
        let split = self.push(Step::Fail)?;
        self.push(Step::Mark(mark))?;
        self.node(of)?;
        self.push(Step::Moved(mark))?;
        self.push(Step::Jump(split))?;
        self.steps[split] = either(how, split + 1, self.steps.len());
        Some(())
    }
}

fn either(how: Greed, inside: usize, behind: usize) -> Step {
    match how {
        Greed::Lazy => Step::Split(behind, inside),
        _ => Step::Split(inside, behind),
    }
}
