//! Classes: what stands in brackets.

use super::escapes::kind_of;
use super::{Parser, Read, posix_end};
use crate::library::re::tree::{Kind, Node, Posix, Set};

impl Parser<'_> {
    pub(super) fn class(&mut self) -> Read<Node> {
        if self.peek(0).is_some_and(|c| matches!(c, ':' | '.' | '=')) && self.named_class_outside() {
            return self.wrong_back("POSIX named classes are supported only within a class", 1);
        }
        let mut set =
            Set { not: self.eat('^'), caseless: self.flags.caseless, ucp: self.whole.ucp, ..Set::default() };
        let mut first = true;
        loop {
            let Some(c) = self.next() else {
                return self.wrong("missing terminating ] for character class");
            };
            if c == ']' && !first {
                return Ok(Node::Set(set));
            }
            first = false;
            if c == '['
                && self.peek(0).is_some_and(|c| matches!(c, ':' | '.' | '='))
                && let Some(end) = posix_end(self.text, self.at + 1)
            {
                self.posix(&mut set, end)?;
                continue;
            }
            let Some(from) = self.member(c, &mut set)? else { continue };
            if self.peek(0) == Some('-') && self.peek(1).is_some_and(|c| c != ']') {
                self.at += 1;
                let c = self.next().unwrap_or('\0');
                let mut kinds = Set::default();
                match self.member(c, &mut kinds)? {
                    Some(to) if to < from => {
                        return self.wrong_back("range out of order in character class", 1);
                    }
                    Some(to) => set.ranges.push((from, to)),
                    None => return self.wrong_back("invalid range in character class", 1),
                }
            } else {
                set.ranges.push((from, from));
            }
        }
    }

    pub(super) fn named_class_outside(&self) -> bool {
        posix_end(self.text, self.at + 1).is_some()
    }

    pub(super) fn posix(&mut self, set: &mut Set, end: usize) -> Read<()> {
        self.at += 1;
        let not = self.eat('^');
        let name: String = self.text[self.at..end].iter().filter_map(|c| char::from_u32(*c)).collect();
        let kind = match name.as_str() {
            "alpha" => Kind::Posix(Posix::Alpha),
            "lower" if self.flags.caseless => Kind::Posix(Posix::Alpha),
            "upper" if self.flags.caseless => Kind::Posix(Posix::Alpha),
            "lower" => Kind::Posix(Posix::Lower),
            "upper" => Kind::Posix(Posix::Upper),
            "alnum" => Kind::Posix(Posix::Alnum),
            "ascii" => Kind::Posix(Posix::Ascii),
            "blank" => Kind::Posix(Posix::Blank),
            "cntrl" => Kind::Posix(Posix::Cntrl),
            "digit" => Kind::Digit,
            "graph" => Kind::Posix(Posix::Graph),
            "print" => Kind::Posix(Posix::Print),
            "punct" => Kind::Posix(Posix::Punct),
            "space" => Kind::Space,
            "word" => Kind::Word,
            "xdigit" => Kind::Posix(Posix::Xdigit),
            _ => return self.wrong("unknown POSIX class name"),
        };
        set.kinds.push((kind, not));
        self.at = end + 2;
        Ok(())
    }

    /// One character, or a kind that goes into the set.
    pub(super) fn member(&mut self, c: char, set: &mut Set) -> Read<Option<u32>> {
        if c != '\\' {
            return Ok(Some(c as u32));
        }
        match self.peek(0) {
            None => self.wrong("\\ at end of pattern"),
            Some('b') => {
                self.at += 1;
                Ok(Some(8))
            }
            Some('Q' | 'E') => {
                self.at += 1;
                Ok(None)
            }
            Some('p' | 'P') => {
                let not = self.next() == Some('P');
                let (property, not) = self.property(not)?;
                set.kinds.push((Kind::Property(property), not));
                Ok(None)
            }
            Some('B' | 'R' | 'X') => {
                self.at += 1;
                self.wrong("invalid escape sequence in character class")
            }
            Some('1'..='7') => self.octal(3).map(Some),
            Some(c) => match kind_of(c) {
                Some((kind, not)) => {
                    self.at += 1;
                    set.kinds.push((kind, not));
                    Ok(None)
                }
                None => self.literal_escape().map(Some),
            },
        }
    }
}
