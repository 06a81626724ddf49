//! Patterns read, as PCRE reads them: what is wrong with them is told in its words, at its places.

mod classes;
mod escapes;
mod groups;

use std::collections::BTreeMap;

use super::tree::{Assert, Greed, Node};
use crate::limits::PATTERN_NESTING_MAX;

/// What is wrong, and at which byte.
pub(super) type Wrong = (&'static str, usize);
type Read<T> = Result<T, Wrong>;

/// Options that hold from where they stand.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Flags {
    pub(super) caseless: bool,
    pub(super) multiline: bool,
    pub(super) dotall: bool,
    pub(super) extended: bool,
    pub(super) ungreedy: bool,
    pub(super) dupnames: bool,
}

/// Options for all of a pattern.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Whole {
    pub(super) unicode: bool,
    pub(super) ucp: bool,
    pub(super) dollar_endonly: bool,
    pub(super) no_auto_capture: bool,
}

/// A pattern read.
pub(super) struct Parsed {
    pub(super) node: Node,
    pub(super) groups: usize,
    pub(super) names: BTreeMap<String, Vec<usize>>,
}

struct Parser<'a> {
    text: &'a [u32],
    /// Where each character begins, in bytes.
    places: &'a [usize],
    at: usize,
    flags: Flags,
    whole: Whole,
    groups: usize,
    names: BTreeMap<String, Vec<usize>>,
    deep: usize,
    /// All groups there will be, found ahead: names and numbers can be said before.
    ahead: (usize, BTreeMap<String, Vec<usize>>),
}

/// Reads a pattern.
pub(super) fn parse(text: &[u32], places: &[usize], flags: Flags, whole: Whole) -> Read<Parsed> {
    let ahead = groups_ahead(text, flags, whole);
    let mut parser =
        Parser { text, places, at: 0, flags, whole, groups: 0, names: BTreeMap::new(), deep: 0, ahead };
    let node = parser.choice()?;
    if parser.at < text.len() {
        return Err(("unmatched parentheses", parser.place(parser.at)));
    }
    Ok(Parsed { node, groups: parser.groups, names: parser.names })
}

/// Counts the groups, without understanding more than that needs.
fn groups_ahead(text: &[u32], flags: Flags, whole: Whole) -> (usize, BTreeMap<String, Vec<usize>>) {
    let c = |at: usize| text.get(at).copied().and_then(char::from_u32).unwrap_or('\0');
    let (mut at, mut count, mut names) = (0, 0, BTreeMap::<String, Vec<usize>>::new());
    while at < text.len() {
        match c(at) {
            '\\' if c(at + 1) == 'Q' => {
                while at < text.len() && !(c(at) == '\\' && c(at + 1) == 'E') {
                    at += 1;
                }
                at += 1;
            }
            '\\' => at += 1,
            '#' if flags.extended => {
                while at < text.len() && c(at) != '\n' {
                    at += 1;
                }
            }
            '[' => at = class_end(text, at),
            // The brackets of a condition.
            '(' if at >= 2 && c(at - 1) == '?' && c(at - 2) == '(' => {}
            '(' if c(at + 1) == '?' => {
                let (open, close) = match (c(at + 2), c(at + 3)) {
                    ('P', '<') => (at + 4, '>'),
                    ('<', next) if next != '=' && next != '!' => (at + 3, '>'),
                    ('\'', _) => (at + 3, '\''),
                    _ => (0, '\0'),
                };
                if open > 0 {
                    count += 1;
                    let name: String = (open..text.len()).map(c).take_while(|c| *c != close).collect();
                    names.entry(name).or_default().push(count);
                }
            }
            '(' if c(at + 1) != '*' && !whole.no_auto_capture => count += 1,
            _ => {}
        }
        at += 1;
    }
    (count, names)
}

/// Where the class that begins here ends.
fn class_end(text: &[u32], from: usize) -> usize {
    let mut at = from + 1;
    if text.get(at) == Some(&u32::from(b'^')) {
        at += 1;
    }
    if text.get(at) == Some(&u32::from(b']')) {
        at += 1;
    }
    while let Some(c) = text.get(at).copied().and_then(char::from_u32) {
        match c {
            ']' => return at,
            '\\' => at += 1,
            '[' if text.get(at + 1) == Some(&u32::from(b':')) => {
                if let Some(end) = posix_end(text, at + 2) {
                    at = end + 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
    at
}

/// Where `:]` stands that ends a named class.
fn posix_end(text: &[u32], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let c = text.get(at).copied().and_then(char::from_u32)?;
        if c == ':' && text.get(at + 1) == Some(&u32::from(b']')) {
            return Some(at);
        }
        if !(c.is_ascii_alphabetic() || c == '^') {
            return None;
        }
        at += 1;
    }
}

impl Parser<'_> {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.text.get(self.at + ahead).copied().and_then(char::from_u32)
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek(0)?;
        self.at += 1;
        Some(c)
    }

    fn eat(&mut self, c: char) -> bool {
        let there = self.peek(0) == Some(c);
        self.at += usize::from(there);
        there
    }

    fn place(&self, at: usize) -> usize {
        self.places.get(at).or(self.places.last()).copied().unwrap_or(0)
    }

    fn wrong<T>(&self, what: &'static str) -> Read<T> {
        Err((what, self.place(self.at)))
    }

    fn wrong_back<T>(&self, what: &'static str, back: usize) -> Read<T> {
        Err((what, self.place(self.at.saturating_sub(back))))
    }

    fn choice(&mut self) -> Read<Node> {
        self.deep += 1;
        if self.deep > PATTERN_NESTING_MAX {
            return self.wrong("parentheses are too deeply nested (stack check)");
        }
        let flags = self.flags;
        let mut all = vec![self.sequence()?];
        while self.eat('|') {
            all.push(self.sequence()?);
        }
        self.flags = flags;
        self.deep -= 1;
        Ok(if all.len() == 1 { all.remove(0) } else { Node::Choice(all) })
    }

    fn sequence(&mut self) -> Read<Node> {
        let mut all = Vec::new();
        loop {
            self.skip_extended()?;
            match self.peek(0) {
                None | Some('|' | ')') => break,
                Some('\\') if self.peek(1) == Some('Q') => {
                    self.quoted(&mut all)?;
                    continue;
                }
                Some('\\') if self.peek(1) == Some('E') => {
                    self.at += 2;
                    continue;
                }
                _ => {}
            }
            if let Some(atom) = self.atom()? {
                let atom = self.repeated(atom)?;
                all.push(atom);
            }
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Node::Sequence(all) })
    }

    fn skip_extended(&mut self) -> Read<()> {
        loop {
            match (self.peek(0), self.flags.extended) {
                (Some('\t'..='\r' | ' '), true) => self.at += 1,
                (Some('#'), true) => while self.next().is_some_and(|c| c != '\n') {},
                (Some('('), _) if self.peek(1) == Some('?') && self.peek(2) == Some('#') => {
                    while self.peek(0).is_some_and(|c| c != ')') {
                        self.at += 1;
                    }
                    if !self.eat(')') {
                        return self.wrong("missing ) after comment");
                    }
                }
                _ => return Ok(()),
            }
        }
    }

    fn quoted(&mut self, all: &mut Vec<Node>) -> Read<()> {
        self.at += 2;
        while let Some(c) = self.next() {
            if c == '\\' && self.eat('E') {
                if let Some(last) = all.pop() {
                    let last = self.repeated(last)?;
                    all.push(last);
                }
                break;
            }
            all.push(Node::Char(c as u32, self.flags.caseless));
        }
        Ok(())
    }

    fn repeated(&mut self, mut atom: Node) -> Read<Node> {
        self.skip_extended()?;
        let (least, most) = match self.peek(0) {
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('?') => (0, Some(1)),
            Some('{') => match self.counts()? {
                Some(counts) => counts,
                None => return Ok(atom),
            },
            _ => return Ok(atom),
        };
        self.at += 1;
        let how = if self.eat('+') {
            Greed::Possessive
        } else if self.eat('?') != self.flags.ungreedy {
            Greed::Lazy
        } else {
            Greed::Greedy
        };
        atom = match atom {
            // Nothing is to be repeated of what only looks.
            Node::Assert(_) | Node::Keep if least > 0 => return Ok(atom),
            Node::Assert(_) | Node::Keep => return Ok(Node::Empty),
            atom => Node::Repeat { of: Box::new(atom), least, most, how },
        };
        // `x{2}{3}` repeats what is repeated.
        if self.peek(0) == Some('{') && self.counts_here().is_some() {
            return self.wrong_after_counts();
        }
        Ok(atom)
    }

    fn wrong_after_counts<T>(&mut self) -> Read<T> {
        let _ = self.counts()?;
        self.wrong("nothing to repeat")
    }

    /// Whether counts stand here: how far they go.
    fn counts_here(&self) -> Option<usize> {
        let digits =
            |from: usize| (from..).take_while(|i| self.peek(*i).is_some_and(|c| c.is_ascii_digit())).count();
        let mut at = 1 + digits(1);
        if at == 1 {
            return None;
        }
        if self.peek(at) == Some(',') {
            at += 1 + digits(at + 1);
        }
        (self.peek(at) == Some('}')).then_some(at)
    }

    /// `{2,5}`, up to its last character.
    fn counts(&mut self) -> Read<Option<(u32, Option<u32>)>> {
        let Some(end) = self.counts_here() else { return Ok(None) };
        let number = |parser: &mut Self| {
            let mut number = 0u32;
            while let Some(digit) = parser.peek(0).and_then(|c| c.to_digit(10)) {
                parser.at += 1;
                number = number * 10 + digit;
                if number > 65_535 {
                    return parser.wrong("number too big in {} quantifier");
                }
            }
            Ok(number)
        };
        let close = self.at + end;
        self.at += 1;
        let least = number(self)?;
        let most = match self.peek(0) {
            Some(',') => {
                self.at += 1;
                match self.peek(0) {
                    Some('}') => None,
                    _ => Some(number(self)?),
                }
            }
            _ => Some(least),
        };
        self.at = close;
        if most.is_some_and(|most| most < least) {
            return self.wrong("numbers out of order in {} quantifier");
        }
        Ok(Some((least, most)))
    }

    fn atom(&mut self) -> Read<Option<Node>> {
        let flags = self.flags;
        let Some(c) = self.next() else { return Ok(None) };
        Ok(Some(match c {
            '^' if flags.multiline => Node::Assert(Assert::LineStart),
            '^' => Node::Assert(Assert::TextStart),
            '$' if flags.multiline => Node::Assert(Assert::LineEnd),
            '$' if self.whole.dollar_endonly => Node::Assert(Assert::DollarOnly),
            '$' => Node::Assert(Assert::Dollar),
            '.' => Node::Any(flags.dotall),
            '*' | '+' | '?' => return self.wrong_back("nothing to repeat", 1),
            '{' => {
                self.at -= 1;
                if self.counts_here().is_some() {
                    return self.wrong("nothing to repeat");
                }
                self.at += 1;
                Node::Char('{' as u32, false)
            }
            '(' => return self.group(),
            '[' => self.class()?,
            '\\' => self.escape()?,
            c => Node::Char(c as u32, flags.caseless),
        }))
    }

    fn close(&mut self) -> Read<()> {
        if self.eat(')') { Ok(()) } else { self.wrong("missing )") }
    }

    fn inside(&mut self) -> Read<Node> {
        let node = self.choice()?;
        self.close()?;
        Ok(node)
    }
}

/// Whether each choice has one length.
fn fixed(node: &Node) -> bool {
    match node {
        Node::Choice(all) => all.iter().all(|one| length(one).is_some()),
        one => length(one).is_some(),
    }
}

/// How many characters a node matches, if that is always the same.
pub(super) fn length(node: &Node) -> Option<usize> {
    match node {
        Node::Empty | Node::Assert(_) | Node::Look { .. } | Node::Keep | Node::Fail | Node::Accept => Some(0),
        Node::Char(..) | Node::Set(_) | Node::Any(_) => Some(1),
        Node::Group(of, _) | Node::Atomic(of) => length(of),
        Node::Sequence(all) => all.iter().map(length).sum(),
        Node::Choice(all) => {
            let mut lengths = all.iter().map(length);
            let first = lengths.next()??;
            lengths.all(|other| other == Some(first)).then_some(first)
        }
        Node::Repeat { of, least, most: Some(most), .. } if least == most => {
            Some(length(of)? * *least as usize)
        }
        Node::Condition(_, yes, no) => length(yes).filter(|one| length(no) == Some(*one)),
        _ => None,
    }
}
