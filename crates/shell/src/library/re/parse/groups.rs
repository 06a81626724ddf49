//! What stands in parentheses.

use super::{Parser, Read, fixed};
use crate::library::re::tree::{Condition, Node};
use crate::limits::PATTERN_GROUPS_MAX;

impl Parser<'_> {
    pub(super) fn capturing(&mut self, name: Option<String>) -> Read<Node> {
        self.groups += 1;
        if self.groups > PATTERN_GROUPS_MAX {
            return self.wrong("too many capturing groups");
        }
        let group = self.groups;
        if let Some(name) = name {
            let known = self.names.entry(name).or_default();
            if !known.contains(&group) {
                known.push(group);
            }
        }
        let node = self.inside()?;
        Ok(Node::Group(Box::new(node), Some(group)))
    }

    pub(super) fn group(&mut self) -> Read<Option<Node>> {
        match self.peek(0) {
            Some('*') => return self.verb().map(Some),
            Some('?') => self.at += 1,
            _ if self.whole.no_auto_capture => {
                return self.inside().map(|node| Some(Node::Group(Box::new(node), None)));
            }
            _ => return self.capturing(None).map(Some),
        }
        let look = |behind, not, of| Node::Look { of: Box::new(of), behind, not };
        let Some(c) = self.next() else { return self.wrong("unrecognized character after (? or (?-") };
        Ok(Some(match c {
            ':' => Node::Group(Box::new(self.inside()?), None),
            '|' => self.reset()?,
            '>' => Node::Atomic(Box::new(self.inside()?)),
            '=' => look(false, false, self.inside()?),
            '!' => look(false, true, self.inside()?),
            '<' => match self.peek(0) {
                Some(c @ ('=' | '!')) => {
                    self.at += 1;
                    let of = self.inside()?;
                    if !fixed(&of) {
                        return self.wrong_back("lookbehind assertion is not fixed length", 1);
                    }
                    look(true, c == '!', of)
                }
                _ => self.named('>')?,
            },
            '\'' => self.named('\'')?,
            'P' => match self.next() {
                Some('<') => self.named('>')?,
                Some('=') => self.back_to_name(')')?,
                Some('>') => self.call_name()?,
                Some(_) => return self.wrong_back("unrecognized character after (?P", 1),
                None => return self.wrong("unrecognized character after (?P"),
            },
            '&' => self.call_name()?,
            'R' => {
                if !self.eat(')') {
                    return self.wrong("(?R or (?[+-]digits must be followed by )");
                }
                Node::Call(0)
            }
            '(' => self.condition()?,
            c if c.is_ascii_digit()
                || c == '+'
                || c == '-' && self.peek(0).is_some_and(|c| c.is_ascii_digit()) =>
            {
                self.at -= 1;
                self.call_number()?
            }
            _ => {
                self.at -= 1;
                return self.flags_here();
            }
        }))
    }

    /// `(?|…)`: the choices share their numbers.
    pub(super) fn reset(&mut self) -> Read<Node> {
        let (begin, mut most, flags) = (self.groups, self.groups, self.flags);
        let mut all = Vec::new();
        loop {
            self.groups = begin;
            all.push(self.sequence()?);
            most = most.max(self.groups);
            if !self.eat('|') {
                break;
            }
        }
        (self.groups, self.flags) = (most, flags);
        self.close()?;
        Ok(Node::Group(Box::new(Node::Choice(all)), None))
    }

    pub(super) fn verb(&mut self) -> Read<Node> {
        self.at += 1;
        let from = self.at;
        while self.peek(0).is_some_and(|c| c.is_ascii_uppercase()) {
            self.at += 1;
        }
        let name: String = self.text[from..self.at].iter().filter_map(|c| char::from_u32(*c)).collect();
        let node = match name.as_str() {
            "F" | "FAIL" => Node::Fail,
            "ACCEPT" => Node::Accept,
            _ => return self.wrong_back("(*VERB) not recognized or malformed", 0),
        };
        self.close()?;
        Ok(node)
    }

    pub(super) fn name(&mut self, close: char) -> Read<String> {
        let from = self.at;
        if self.peek(0).is_some_and(|c| c.is_ascii_digit()) {
            return self.wrong("group name must start with a non-digit");
        }
        while self.peek(0).is_some_and(|c| c.is_ascii_alphanumeric() || c == '_') {
            self.at += 1;
        }
        let name: String = self.text[from..self.at].iter().filter_map(|c| char::from_u32(*c)).collect();
        if name.len() > 32 {
            return self.wrong("subpattern name is too long (maximum 32 characters)");
        }
        if self.peek(0) != Some(close) {
            return self.wrong("syntax error in subpattern name (missing terminator)");
        }
        if name.is_empty() {
            return self.wrong("unrecognized character after (?<");
        }
        self.at += 1;
        Ok(name)
    }

    pub(super) fn named(&mut self, close: char) -> Read<Node> {
        if self.peek(0).is_none_or(|c| !(c.is_ascii_alphanumeric() || c == '_')) {
            return self.wrong("unrecognized character after (?<");
        }
        let name = self.name(close)?;
        let twice = self.names.get(&name).is_some_and(|known| !known.contains(&(self.groups + 1)));
        if twice && !self.flags.dupnames {
            return self.wrong_back("two named subpatterns have the same name", 1);
        }
        self.capturing(Some(name))
    }

    pub(super) fn back_to_name(&mut self, close: char) -> Read<Node> {
        let name = self.name(close)?;
        match self.ahead.1.get(&name) {
            Some(groups) => Ok(Node::Back(groups.clone(), self.flags.caseless)),
            None => self.wrong_back("reference to non-existent subpattern", 1),
        }
    }

    pub(super) fn call_name(&mut self) -> Read<Node> {
        let name = self.name(')')?;
        match self.ahead.1.get(&name) {
            Some(groups) => Ok(Node::Call(groups[0])),
            None => self.wrong_back("reference to non-existent subpattern", 1),
        }
    }

    /// `+2`, `-1`, `3`: a group, counted from here or from the beginning.
    pub(super) fn number(&mut self) -> Option<usize> {
        let sign = self.peek(0).filter(|c| matches!(c, '+' | '-'));
        self.at += usize::from(sign.is_some());
        let mut number = 0usize;
        let from = self.at;
        while let Some(digit) = self.peek(0).and_then(|c| c.to_digit(10)) {
            self.at += 1;
            number = number.saturating_mul(10).saturating_add(digit as usize);
        }
        match sign {
            _ if from == self.at => None,
            Some('-') => (self.groups + 1).checked_sub(number).filter(|n| *n > 0),
            Some(_) => Some(self.groups + number),
            None => Some(number),
        }
    }

    pub(super) fn call_number(&mut self) -> Read<Node> {
        let Some(number) = self.number() else {
            return self.wrong("reference to non-existent subpattern");
        };
        if self.peek(0) != Some(')') {
            return self.wrong("(?R or (?[+-]digits must be followed by )");
        }
        if number > self.ahead.0 {
            return self.wrong("reference to non-existent subpattern");
        }
        self.at += 1;
        Ok(Node::Call(number))
    }

    pub(super) fn condition(&mut self) -> Read<Node> {
        let condition = if self.peek(0) == Some('?') {
            self.at -= 1;
            let from = self.at;
            self.at += 1;
            match self.group()? {
                Some(node @ Node::Look { .. }) => Condition::Look(Box::new(node)),
                _ => {
                    self.at = from + 1;
                    return self.wrong("assertion expected after (?( or (?(?C)");
                }
            }
        } else {
            self.test()?
        };
        let node = self.choice()?;
        let (yes, no) = match node {
            Node::Choice(mut all) if all.len() == 2 => {
                let no = all.pop().unwrap_or(Node::Empty);
                (all.pop().unwrap_or(Node::Empty), no)
            }
            Node::Choice(_) => return self.wrong("conditional group contains more than two branches"),
            one => (one, Node::Empty),
        };
        self.close()?;
        Ok(Node::Condition(condition, Box::new(yes), Box::new(no)))
    }

    pub(super) fn test(&mut self) -> Read<Condition> {
        let lookup = |parser: &mut Self, name: &str| match parser.ahead.1.get(name) {
            Some(groups) => Ok(Condition::Group(groups.clone())),
            None => parser.wrong_back("reference to non-existent subpattern", 0),
        };
        match self.peek(0) {
            Some(open @ ('<' | '\'')) => {
                self.at += 1;
                let name = self.name(if open == '<' { '>' } else { open })?;
                let found = lookup(self, &name)?;
                self.close()?;
                Ok(found)
            }
            Some(c) if c.is_ascii_digit() || matches!(c, '+' | '-') => {
                let number = self.number();
                self.close()?;
                match number.filter(|number| (1..=self.ahead.0).contains(number)) {
                    Some(number) => Ok(Condition::Group(vec![number])),
                    None => self.wrong("reference to non-existent subpattern"),
                }
            }
            Some(c) if c.is_ascii_alphabetic() || c == '_' => {
                let name = self.name(')')?;
                match (name.as_str(), self.ahead.1.contains_key(&name)) {
                    (_, true) => lookup(self, &name),
                    ("DEFINE", _) => Ok(Condition::Never),
                    ("R", _) => Ok(Condition::Recursion(None)),
                    (name, _) if name.starts_with('R') && name[1..].parse::<usize>().is_ok() => {
                        Ok(Condition::Recursion(name[1..].parse().ok()))
                    }
                    _ => self.wrong("reference to non-existent subpattern"),
                }
            }
            _ => self.wrong("assertion expected after (?( or (?(?C)"),
        }
    }

    /// `(?i)`, for the rest of the group, and `(?i:…)`.
    pub(super) fn flags_here(&mut self) -> Read<Option<Node>> {
        let (before, mut on) = (self.flags, true);
        loop {
            match self.next() {
                Some('-') => on = false,
                Some('i') => self.flags.caseless = on,
                Some('m') => self.flags.multiline = on,
                Some('s') => self.flags.dotall = on,
                Some('x') => self.flags.extended = on,
                Some('U') => self.flags.ungreedy = on,
                Some('J') => self.flags.dupnames = on,
                Some(')') => return Ok(None),
                Some(':') => {
                    let node = self.inside()?;
                    self.flags = before;
                    return Ok(Some(Node::Group(Box::new(node), None)));
                }
                Some(_) => {
                    return self.wrong_back("unrecognized character after (? or (?-", 1);
                }
                None => return self.wrong("unrecognized character after (? or (?-"),
            }
        }
    }
}
