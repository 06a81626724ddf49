//! What stands behind a backslash.

use super::{Parser, Read};
use crate::library::re::tree::{Assert, Kind, Node, Property, Set};

impl Parser<'_> {
    pub(super) fn kind(&self, kind: Kind, not: bool) -> Node {
        Node::Set(Set::of(kind, not, self.whole.ucp))
    }

    pub(super) fn escape(&mut self) -> Read<Node> {
        let Some(c) = self.next() else { return self.wrong("\\ at end of pattern") };
        if let Some((kind, not)) = kind_of(c) {
            return Ok(self.kind(kind, not));
        }
        Ok(match c {
            'A' => Node::Assert(Assert::TextStart),
            'Z' => Node::Assert(Assert::TextEndOrLine),
            'z' => Node::Assert(Assert::TextEnd),
            'G' => Node::Assert(Assert::MatchStart),
            'b' => Node::Assert(Assert::Word(true)),
            'B' => Node::Assert(Assert::Word(false)),
            'K' => Node::Keep,
            'R' => Node::LineEnd,
            'X' => Node::Cluster,
            'N' => Node::Any(false),
            'C' => Node::Any(true),
            'p' | 'P' => {
                let (property, not) = self.property(c == 'P')?;
                Node::Set(Set::of(Kind::Property(property), not, self.whole.ucp))
            }
            'k' => match self.next() {
                Some('<') => self.back_to_name('>')?,
                Some('\'') => self.back_to_name('\'')?,
                Some('{') => self.back_to_name('}')?,
                _ => {
                    return self
                        .wrong_back("\\k is not followed by a braced, angle-bracketed, or quoted name", 1);
                }
            },
            'g' => self.back_or_call()?,
            '1'..='9' => self.back_or_octal(c)?,
            _ => {
                self.at -= 1;
                Node::Char(self.literal_escape()?, self.flags.caseless)
            }
        })
    }

    pub(super) fn back_or_call(&mut self) -> Read<Node> {
        match self.peek(0) {
            Some(open @ ('<' | '\'')) => {
                self.at += 1;
                let close = if open == '<' { '>' } else { '\'' };
                if self.peek(0).is_some_and(|c| c.is_ascii_digit() || matches!(c, '+' | '-')) {
                    let number = self.number().filter(|n| *n <= self.ahead.0);
                    let ok = self.eat(close);
                    return match number {
                        Some(number) if ok => Ok(Node::Call(number)),
                        _ => self.wrong("reference to non-existent subpattern"),
                    };
                }
                let name = self.name(close)?;
                match self.ahead.1.get(&name) {
                    Some(groups) => Ok(Node::Call(groups[0])),
                    None => self.wrong_back("reference to non-existent subpattern", 1),
                }
            }
            braced => {
                let braced = braced == Some('{');
                self.at += usize::from(braced);
                if braced && self.peek(0).is_some_and(|c| c.is_ascii_alphabetic() || c == '_') {
                    return self.back_to_name('}');
                }
                let Some(number) = self.number() else {
                    return self.wrong_back("a numbered reference must not be zero", 1);
                };
                if braced && !self.eat('}') {
                    return self.wrong("\\g is not followed by a braced, angle-bracketed, or quoted name/number or by a plain number");
                }
                if number == 0 {
                    return self.wrong("a numbered reference must not be zero");
                }
                if number > self.ahead.0 {
                    return self.wrong("reference to non-existent subpattern");
                }
                Ok(Node::Back(vec![number], self.flags.caseless))
            }
        }
    }

    /// One digit is a group; several are one if there are so many, else a character in octal.
    pub(super) fn back_or_octal(&mut self, first: char) -> Read<Node> {
        let mut ahead = 0;
        let mut number = first as usize - '0' as usize;
        while let Some(digit) = self.peek(ahead).and_then(|c| c.to_digit(10)) {
            number = (number * 10 + digit as usize).min(1 << 20);
            ahead += 1;
        }
        if number < 8 || number <= self.ahead.0 {
            self.at += ahead;
            return match number <= self.ahead.0 {
                true => Ok(Node::Back(vec![number], self.flags.caseless)),
                false => self.wrong("reference to non-existent subpattern"),
            };
        }
        if first >= '8' {
            return Ok(Node::Char(first as u32, false));
        }
        self.at -= 1;
        Ok(Node::Char(self.octal(3)?, self.flags.caseless))
    }

    pub(super) fn octal(&mut self, most: usize) -> Read<u32> {
        let mut code = 0;
        for _ in 0..most {
            match self.peek(0).and_then(|c| c.to_digit(8)) {
                Some(digit) => code = code * 8 + digit,
                None => break,
            }
            self.at += 1;
        }
        if code > 255 && !self.whole.unicode {
            return self.wrong("octal value is greater than \\377 in 8-bit non-UTF-8 mode");
        }
        Ok(code)
    }

    /// An escape that is one character; the backslash is behind us.
    pub(super) fn literal_escape(&mut self) -> Read<u32> {
        let Some(c) = self.next() else { return self.wrong("\\ at end of pattern") };
        Ok(match c {
            'a' => 7,
            'e' => 27,
            'f' => 12,
            'n' => 10,
            'r' => 13,
            't' => 9,
            '0' => {
                self.at -= 1;
                self.octal(3)?
            }
            'o' if self.peek(0) == Some('{') => {
                self.at += 1;
                self.braced(8)?
            }
            'o' => return self.wrong("missing opening brace after \\o"),
            'x' if self.peek(0) == Some('{') => {
                self.at += 1;
                self.braced(16)?
            }
            'x' => {
                let mut code = 0;
                for _ in 0..2 {
                    match self.peek(0).and_then(|c| c.to_digit(16)) {
                        Some(digit) => code = code * 16 + digit,
                        None => break,
                    }
                    self.at += 1;
                }
                code
            }
            'c' => match self.next() {
                Some(c) if c.is_ascii() => c.to_ascii_uppercase() as u32 ^ 64,
                Some(_) => return self.wrong("\\c must be followed by an ASCII character"),
                None => return self.wrong("\\c at end of pattern"),
            },
            'L' | 'l' | 'U' | 'u' => {
                return self.wrong("PCRE does not support \\L, \\l, \\N{name}, \\U, or \\u");
            }
            c => c as u32,
        })
    }

    pub(super) fn braced(&mut self, base: u32) -> Read<u32> {
        let mut code = 0u32;
        let top = if self.whole.unicode { 0x10_ffff } else { 255 };
        while let Some(digit) = self.peek(0).and_then(|c| c.to_digit(base)) {
            self.at += 1;
            code = code.saturating_mul(base).saturating_add(digit);
            if code > top {
                while self.peek(0).is_some_and(|c| c.is_digit(base)) {
                    self.at += 1;
                }
                return self.wrong("character value in \\x{} or \\o{} is too large");
            }
        }
        if !self.eat('}') {
            return self.wrong(match base {
                8 => "non-octal character in \\o{} (closing brace missing?)",
                _ => "non-hex character in \\x{} (closing brace missing?)",
            });
        }
        if (0xd800..0xe000).contains(&code) {
            return self.wrong_back("disallowed Unicode code point (>= 0xd800 && <= 0xdfff)", 1);
        }
        Ok(code)
    }

    pub(super) fn property(&mut self, mut not: bool) -> Read<(Property, bool)> {
        let malformed = "malformed \\P or \\p sequence";
        let name: String = match self.next() {
            None => return self.wrong(malformed),
            Some('{') => {
                if self.eat('^') {
                    not = !not;
                }
                let from = self.at;
                while self.peek(0).is_some_and(|c| c != '}') {
                    self.at += 1;
                }
                let name = self.text[from..self.at].iter().filter_map(|c| char::from_u32(*c)).collect();
                if !self.eat('}') {
                    return self.wrong(malformed);
                }
                name
            }
            Some(c) => c.to_string(),
        };
        let property = match name.as_str() {
            "Any" => Property::Any,
            "L" | "Lo" | "Lt" | "Lm" => Property::Letter,
            "Ll" => Property::Lower,
            "Lu" => Property::Upper,
            "L&" => Property::CasedLetter,
            "N" | "Nd" | "Nl" | "No" => Property::Number,
            "Z" | "Zs" | "Zl" | "Zp" => Property::Space,
            "P" | "Pc" | "Pd" | "Pe" | "Pf" | "Pi" | "Po" | "Ps" => Property::Punctuation,
            "S" | "Sc" | "Sk" | "Sm" | "So" => Property::Symbol,
            "M" | "Mc" | "Me" | "Mn" => Property::Mark,
            "C" | "Cc" | "Cf" | "Cn" | "Co" | "Cs" => Property::Control,
            "Xan" => Property::Alnum,
            "Xsp" | "Xps" => Property::PosixSpace,
            "Xwd" => Property::PerlWord,
            _ => return self.wrong_back("unknown property name after \\P or \\p", 1),
        };
        Ok((property, not))
    }
}

/// The kinds that have a letter, and whether it means all others.
pub(super) fn kind_of(c: char) -> Option<(Kind, bool)> {
    let kind = match c.to_ascii_lowercase() {
        'd' => Kind::Digit,
        's' => Kind::Space,
        'w' => Kind::Word,
        'h' => Kind::Horizontal,
        'v' => Kind::Vertical,
        _ => return None,
    };
    Some((kind, c.is_ascii_uppercase()))
}
