//! The machine that matches: it goes back to where it had a choice, as PCRE does, and counts its steps.

use super::build::{One, Program, Step};
use super::tree::{Assert, Greed, Kind, is, same};
use crate::limits::MATCH_CALLS_DEEP_MAX;

/// What a text is and how it is to be looked at.
#[derive(Clone, Copy)]
pub(super) struct Look<'a> {
    pub(super) text: &'a [u32],
    pub(super) unicode: bool,
    pub(super) ucp: bool,
    pub(super) newline: Newline,
    pub(super) any_r: bool,
    pub(super) notbol: bool,
    pub(super) noteol: bool,
    pub(super) notempty: bool,
    pub(super) notempty_atstart: bool,
}

/// What ends a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Newline {
    Lf,
    Cr,
    CrLf,
    AnyCrLf,
    Any,
}

/// Why there is no answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Limit {
    Steps,
    Depth,
}

/// Where to go back to.
enum Choice {
    At(usize, usize),
    /// A run of one character, which can be shorter (or, if lazy, longer) yet.
    Shorter(usize, usize, usize),
    Longer(usize, usize, usize),
    Group(usize, Option<usize>),
    Mark(usize, usize),
    Kept(usize),
}

pub(super) struct Machine<'a> {
    program: &'a Program,
    look: Look<'a>,
    /// Begin and end of each group.
    pub(super) groups: Vec<Option<usize>>,
    marks: Vec<usize>,
    choices: Vec<Choice>,
    from: usize,
    /// Where the match is said to begin.
    kept: usize,
    steps: u64,
    deepest: u64,
    recursion: Vec<usize>,
    deep: usize,
    accepted: bool,
}

impl<'a> Machine<'a> {
    pub(super) fn new(program: &'a Program, look: Look<'a>, steps: u64, deepest: u64) -> Machine<'a> {
        Machine {
            program,
            look,
            groups: vec![None; program.groups.len() * 2],
            marks: vec![0; program.marks],
            choices: Vec::new(),
            from: 0,
            kept: 0,
            steps,
            deepest,
            recursion: Vec::new(),
            deep: 0,
            accepted: false,
        }
    }

    /// A match that begins at or behind `first`; if `anchored`, there only. The offset is what `\G` means.
    pub(super) fn find(&mut self, first: usize, offset: usize, anchored: bool) -> Result<bool, Limit> {
        for begin in first..=self.look.text.len() {
            self.groups.fill(None);
            self.choices.clear();
            (self.from, self.kept, self.accepted) = (offset, begin, false);
            if let Some(end) = self.run(0, begin, None)? {
                self.groups[0] = Some(self.kept);
                self.groups[1] = Some(end);
                return Ok(true);
            }
            if anchored {
                break;
            }
        }
        Ok(false)
    }

    /// Runs from a step to the end of the pattern, to a `Done`, or to the step `until`.
    fn run(&mut self, step: usize, place: usize, until: Option<usize>) -> Result<Option<usize>, Limit> {
        let base = self.choices.len();
        let (mut step, mut at) = (step, place);
        loop {
            self.steps = self.steps.checked_sub(1).ok_or(Limit::Steps)?;
            if self.choices.len() as u64 > self.deepest {
                return Err(Limit::Depth);
            }
            if until == Some(step) {
                return Ok(Some(at));
            }
            let next = match &self.program.steps[step] {
                Step::Done => return Ok(Some(at)),
                Step::Match | Step::Accept => {
                    self.accepted |= matches!(self.program.steps[step], Step::Accept);
                    let empty = at == self.kept;
                    let refused = empty
                        && until.is_none()
                        && (self.look.notempty || self.look.notempty_atstart && at == self.from);
                    if refused { None } else { return Ok(Some(at)) }
                }
                Step::Fail => None,
                Step::Jump(to) => Some((*to, at)),
                Step::Split(first, second) => {
                    self.choices.push(Choice::At(*second, at));
                    Some((*first, at))
                }
                Step::One(one) => self.one(one, at).then_some((step + 1, at + 1)),
                Step::Many { one, least, most, how } => {
                    self.many(one, (*least as usize, *most as usize), *how, step, at)
                }
                Step::Save(slot) => {
                    let old = self.groups[*slot].replace(at);
                    self.choices.push(Choice::Group(*slot, old));
                    Some((step + 1, at))
                }
                Step::Mark(mark) => {
                    let old = std::mem::replace(&mut self.marks[*mark], at);
                    self.choices.push(Choice::Mark(*mark, old));
                    Some((step + 1, at))
                }
                // The jump back stands behind this step: who has not moved does not take it.
                Step::Moved(mark) => Some((step + 1 + usize::from(self.marks[*mark] == at), at)),
                Step::Keep => {
                    self.choices.push(Choice::Kept(self.kept));
                    self.kept = at;
                    Some((step + 1, at))
                }
                _ => self.far(step, at)?,
            };
            if self.accepted && until.is_some() {
                return Ok(Some(at));
            }
            match next.or_else(|| self.back(base)) {
                Some(next) => (step, at) = next,
                None => return Ok(None),
            }
        }
    }

    /// Steps that look further, or run other steps within.
    fn far(&mut self, step: usize, at: usize) -> Result<Option<(usize, usize)>, Limit> {
        let program = self.program;
        Ok(match &program.steps[step] {
            Step::LineEnd => self.line_end(at).map(|length| (step + 1, at + length)),
            Step::Cluster => self.cluster(at).map(|length| (step + 1, at + length)),
            Step::Assert(assert) => self.holds(*assert, at).then_some((step + 1, at)),
            Step::Back(groups, caseless) => self.again(groups, *caseless, at).map(|end| (step + 1, end)),
            Step::Look { not, behind, end } => {
                let base = self.choices.len();
                let begin = behind.map_or(Some(at), |length| at.checked_sub(length));
                let found = match begin {
                    Some(begin) => self.inner(step + 1, begin, None)?.is_some(),
                    None => false,
                };
                if *not {
                    self.undo(base)
                } else {
                    self.settle(base)
                }
                (found != *not).then_some((*end, at))
            }
            Step::Atomic(end) => {
                let base = self.choices.len();
                let found = self.inner(step + 1, at, None)?;
                self.settle(base);
                found.map(|at| (*end, at))
            }
            Step::IfGroup(groups, otherwise) => {
                let set = groups.iter().any(|group| self.groups[group * 2 + 1].is_some());
                Some((if set { step + 1 } else { *otherwise }, at))
            }
            Step::IfRecursion(group, otherwise) => {
                let last = self.recursion.last();
                let so = match group {
                    Some(group) => last == Some(group),
                    None => last.is_some(),
                };
                Some((if so { step + 1 } else { *otherwise }, at))
            }
            Step::Call(group) => {
                let (begin, end) = program.groups[*group];
                let kept = self.groups.clone();
                let base = self.choices.len();
                self.recursion.push(*group);
                let found = self.inner(begin, at, Some(end));
                self.recursion.pop();
                let found = found?;
                // What groups matched inside is forgotten, and so is how.
                self.undo(base);
                self.groups = kept;
                found.map(|at| (step + 1, at))
            }
            _ => None,
        })
    }

    fn inner(&mut self, step: usize, at: usize, until: Option<usize>) -> Result<Option<usize>, Limit> {
        if self.deep >= MATCH_CALLS_DEEP_MAX {
            return Err(Limit::Depth);
        }
        self.deep += 1;
        let found = self.run(step, at, until);
        self.deep -= 1;
        found
    }

    /// Goes back to the last choice.
    fn back(&mut self, base: usize) -> Option<(usize, usize)> {
        while self.choices.len() > base {
            match self.choices.pop()? {
                Choice::At(step, at) => return Some((step, at)),
                Choice::Shorter(step, least, at) => {
                    let at = at - 1;
                    if at > least {
                        self.choices.push(Choice::Shorter(step, least, at));
                    }
                    return Some((step, at));
                }
                Choice::Longer(step, at, most) => {
                    let Step::Many { one, .. } = &self.program.steps[step - 1] else { continue };
                    if self.one(one, at) {
                        if at + 1 < most {
                            self.choices.push(Choice::Longer(step, at + 1, most));
                        }
                        return Some((step, at + 1));
                    }
                }
                other => self.restore(other),
            }
        }
        None
    }

    fn restore(&mut self, choice: Choice) {
        match choice {
            Choice::Group(slot, old) => self.groups[slot] = old,
            Choice::Mark(mark, old) => self.marks[mark] = old,
            Choice::Kept(old) => self.kept = old,
            Choice::At(..) | Choice::Shorter(..) | Choice::Longer(..) => {}
        }
    }

    /// Undoes all since.
    fn undo(&mut self, base: usize) {
        while self.choices.len() > base {
            if let Some(choice) = self.choices.pop() {
                self.restore(choice);
            }
        }
    }

    /// There is no going back into it any more; what it has set is still undone by going back before it.
    fn settle(&mut self, base: usize) {
        let since = self.choices.split_off(base);
        let lasting =
            since.into_iter().filter(|c| matches!(c, Choice::Group(..) | Choice::Mark(..) | Choice::Kept(_)));
        self.choices.extend(lasting);
    }

    fn one(&self, one: &One, at: usize) -> bool {
        let Some(code) = self.look.text.get(at).copied() else { return false };
        match one {
            One::Char(wanted, false) => code == *wanted,
            One::Char(wanted, true) => same(code, *wanted, self.look.unicode || self.look.ucp),
            One::Set(set) => set.has(code, self.look.unicode || self.look.ucp),
            One::Any(true) => true,
            One::Any(false) => self.newline_at(at).is_none(),
        }
    }

    fn many(
        &mut self,
        one: &One,
        (least, most): (usize, usize),
        how: Greed,
        step: usize,
        at: usize,
    ) -> Option<(usize, usize)> {
        let wanted = if how == Greed::Lazy { least } else { most };
        let mut end = at;
        while end - at < wanted && self.one(one, end) {
            end += 1;
        }
        let taken = end - at;
        self.steps = self.steps.saturating_sub(taken as u64 / 8);
        if taken < least {
            return None;
        }
        match how {
            Greed::Greedy if taken > least => {
                self.choices.push(Choice::Shorter(step + 1, at + least, end));
            }
            Greed::Lazy if most > least => {
                self.choices.push(Choice::Longer(step + 1, end, at.saturating_add(most)));
            }
            _ => {}
        }
        Some((step + 1, end))
    }

    /// How long the end of a line is that is here.
    fn newline_at(&self, at: usize) -> Option<usize> {
        let here = *self.look.text.get(at)?;
        let crlf = here == 13 && self.look.text.get(at + 1) == Some(&10);
        match (self.look.newline, here) {
            (Newline::Lf, 10) | (Newline::Cr, 13) => Some(1),
            (Newline::CrLf | Newline::AnyCrLf | Newline::Any, 13) if crlf => Some(2),
            (Newline::AnyCrLf | Newline::Any, 10 | 13) => Some(1),
            (Newline::Any, 11 | 12 | 0x85 | 0x2028 | 0x2029) => Some(1),
            _ => None,
        }
    }

    /// Whether a line has ended just before.
    fn newline_before(&self, at: usize) -> bool {
        let Some(before) = at.checked_sub(1) else { return false };
        match self.look.newline {
            Newline::CrLf => before > 0 && self.newline_at(before - 1) == Some(2),
            // Not between the two of a pair.
            Newline::AnyCrLf | Newline::Any if self.newline_at(before) == Some(2) => false,
            _ => self.newline_at(before).is_some(),
        }
    }

    fn line_end(&self, at: usize) -> Option<usize> {
        let here = *self.look.text.get(at)?;
        match here {
            13 if self.look.text.get(at + 1) == Some(&10) => Some(2),
            10 | 13 => Some(1),
            11 | 12 | 0x85 | 0x2028 | 0x2029 if self.look.any_r => Some(1),
            _ => None,
        }
    }

    fn cluster(&self, at: usize) -> Option<usize> {
        let rest = self.look.text.get(at..)?.iter().take(64);
        let text: String = rest.filter_map(|c| char::from_u32(*c)).collect();
        let first = unicode_segmentation::UnicodeSegmentation::graphemes(text.as_str(), true).next()?;
        Some(first.chars().count())
    }

    fn word(&self, at: Option<usize>) -> bool {
        let code = at.and_then(|at| self.look.text.get(at));
        code.is_some_and(|code| is(Kind::Word, *code, self.look.ucp))
    }

    fn holds(&self, assert: Assert, at: usize) -> bool {
        let end = self.look.text.len();
        let last_line = at == end || self.newline_at(at).is_some_and(|length| at + length == end);
        match assert {
            Assert::TextStart => at == 0 && !self.look.notbol,
            Assert::TextEnd => at == end,
            Assert::TextEndOrLine => last_line,
            Assert::DollarOnly => at == end && !self.look.noteol,
            Assert::Dollar => last_line && !self.look.noteol,
            Assert::LineStart => {
                at == 0 && !self.look.notbol || at > 0 && at < end && self.newline_before(at)
            }
            Assert::LineEnd => at == end && !self.look.noteol || at < end && self.newline_at(at).is_some(),
            Assert::Word(edge) => (self.word(at.checked_sub(1)) != self.word(Some(at))) == edge,
            Assert::MatchStart => at == self.from,
        }
    }

    /// Where what a group has matched ends if it comes once more.
    fn again(&mut self, groups: &[usize], caseless: bool, at: usize) -> Option<usize> {
        let group = groups.iter().find(|group| self.groups[**group * 2 + 1].is_some())?;
        let (from, to) = (self.groups[group * 2]?, self.groups[group * 2 + 1]?);
        let was = self.look.text.get(from..to)?;
        let here = self.look.text.get(at..at + was.len())?;
        self.steps = self.steps.saturating_sub(was.len() as u64 / 8);
        let unicode = self.look.unicode || self.look.ucp;
        let equal = was.iter().zip(here).all(|(a, b)| if caseless { same(*a, *b, unicode) } else { a == b });
        equal.then_some(at + was.len())
    }
}
