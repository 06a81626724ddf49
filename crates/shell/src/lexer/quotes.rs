//! What stands in quotes: atoms, strings, characters, strings in three quotes, sigils.

use trunkline::Atom;

use super::{LexError, Lexer, Loc, Tok, Wrong, error, illegal};

impl Lexer {
    pub(super) fn quoted(&mut self, first: char, loc: Loc) -> Result<Tok, LexError> {
        match first {
            '$' => self.character(loc),
            '~' => self.sigil(loc),
            '"' if self.quotes() >= 3 && self.opens_triple() => self.triple(loc).map(Tok::Str),
            '"' => {
                self.bump();
                Ok(Tok::Str(self.until('"', loc, true)?))
            }
            _ => {
                self.bump();
                let text = self.until('\'', loc, true)?;
                let text: Option<String> = text.iter().map(|c| char::from_u32(*c)).collect();
                let atom = text.and_then(|text| Atom::try_new(&text));
                atom.map(Tok::Atom).ok_or_else(|| illegal(loc, "atom"))
            }
        }
    }

    /// How many double quotes stand here.
    fn quotes(&self) -> usize {
        (0..).take_while(|ahead| self.peek(*ahead) == Some('"')).count()
    }

    /// Whether only space follows the quotes on their line.
    fn opens_triple(&self) -> bool {
        let quotes = self.quotes();
        (quotes..)
            .map(|ahead| self.peek(ahead))
            .find(|c| !matches!(c, Some(' ' | '\t' | '\r')))
            .is_some_and(|c| c.is_none_or(|c| c == '\n'))
    }

    /// A string in three or more quotes: lines, less the indentation of the last. OTP 27 has them.
    fn triple(&mut self, loc: Loc) -> Result<Vec<u32>, LexError> {
        let quotes = self.quotes();
        let open = || error(loc, "unterminated triple-quoted string", Wrong::Unterminated('"', Vec::new()));
        self.take(quotes);
        while self.bump().ok_or_else(open)? != '\n' {}
        let mut lines: Vec<Vec<char>> = Vec::new();
        loop {
            let indent: Vec<char> =
                (0..).map_while(|ahead| self.peek(ahead).filter(|c| matches!(c, ' ' | '\t'))).collect();
            let closes = (0..quotes).all(|at| self.peek(indent.len() + at) == Some('"'));
            if closes && self.peek(indent.len() + quotes) != Some('"') {
                self.take(indent.len() + quotes);
                return outdent(lines, &indent, loc);
            }
            let mut line = Vec::new();
            loop {
                match self.bump().ok_or_else(open)? {
                    '\n' => break,
                    c => line.push(c),
                }
            }
            lines.push(line);
        }
    }

    /// `~"text"`, `~b"text"`, `~S[text]`: OTP 27 has them.
    fn sigil(&mut self, loc: Loc) -> Result<Tok, LexError> {
        let name: String =
            (1..).map_while(|ahead| self.peek(ahead).filter(|c| c.is_ascii_alphanumeric())).collect();
        let Some(open) = self.peek(1 + name.len()) else {
            self.bump();
            return Ok(Tok::Word("~"));
        };
        let close = match open {
            '(' => ')',
            '[' => ']',
            '{' => '}',
            '<' => '>',
            '/' | '|' | '\'' | '"' | '`' | '#' => open,
            _ => {
                self.bump();
                return Ok(Tok::Word("~"));
            }
        };
        if !matches!(name.as_str(), "" | "b" | "B" | "s" | "S") {
            return Err(error(loc, "illegal sigil prefix", Wrong::Other("illegal sigil prefix")));
        }
        self.take(1 + name.len());
        let text = if open == '"' && self.quotes() >= 3 && self.opens_triple() {
            self.triple(loc)?
        } else {
            self.bump();
            self.until(close, loc, matches!(name.as_str(), "b" | "s") || name.is_empty())?
        };
        let suffix = self.name();
        if !suffix.is_empty() {
            return Err(error(loc, "illegal sigil suffix", Wrong::Other("illegal sigil suffix")));
        }
        Ok(Tok::Sigil(name, text, suffix))
    }

    /// Characters up to the closing one, which is taken too.
    fn until(&mut self, close: char, loc: Loc, escapes: bool) -> Result<Vec<u32>, LexError> {
        let mut text = Vec::new();
        loop {
            let here = self.loc;
            match self.bump() {
                None => return Err(unterminated(close, loc, text)),
                Some('\\') if escapes => match self.escape(here)? {
                    Some(c) => text.push(c),
                    None => return Err(unterminated(close, loc, text)),
                },
                Some(c) if c == close => return Ok(text),
                Some(c) => text.push(c as u32),
            }
        }
    }

    fn character(&mut self, loc: Loc) -> Result<Tok, LexError> {
        self.bump();
        let unfinished = || error(loc, "unterminated character", Wrong::Char);
        match self.bump() {
            None => Err(unfinished()),
            Some('\\') => self.escape(loc)?.map(Tok::Char).ok_or_else(unfinished),
            Some(c) => Ok(Tok::Char(c as u32)),
        }
    }

    /// What stands behind a backslash; `None` when the source ends there.
    fn escape(&mut self, loc: Loc) -> Result<Option<u32>, LexError> {
        let Some(c) = self.bump() else { return Ok(None) };
        Ok(Some(match c {
            '0'..='7' => {
                let mut value = c as u32 - 48;
                for _ in 0..2 {
                    match self.peek(0) {
                        Some(c @ '0'..='7') => value = value * 8 + c as u32 - 48,
                        _ => break,
                    }
                    self.bump();
                }
                value
            }
            'x' => return self.hexadecimal(loc),
            '^' => match self.bump() {
                None => return Ok(None),
                Some('\n') => 10,
                Some(c) => c as u32 & 31,
            },
            'n' => 10,
            'r' => 13,
            't' => 9,
            'v' => 11,
            'b' => 8,
            'f' => 12,
            'e' => 27,
            's' => 32,
            'd' => 127,
            c => c as u32,
        }))
    }

    fn hexadecimal(&mut self, loc: Loc) -> Result<Option<u32>, LexError> {
        let wrong = || illegal(loc, "character");
        if self.peek(0) == Some('{') {
            self.bump();
            let mut value = 0u32;
            let mut digits = 0;
            while let Some(digit) = self.peek(0).and_then(|c| c.to_digit(16)) {
                value = value.saturating_mul(16).saturating_add(digit);
                digits += 1;
                self.bump();
            }
            return match self.bump() {
                None => Ok(None),
                Some('}') if digits > 0 && char::from_u32(value).is_some_and(|c| !is_no_character(c)) => {
                    Ok(Some(value))
                }
                Some(_) => Err(wrong()),
            };
        }
        if self.peek(0).is_none() {
            return Ok(None);
        }
        let digit = |lexer: &Lexer, ahead| lexer.peek(ahead).and_then(|c| c.to_digit(16));
        let (Some(high), Some(low)) = (digit(self, 0), digit(self, 1)) else { return Err(wrong()) };
        self.take(2);
        Ok(Some(high * 16 + low))
    }
}

fn is_no_character(c: char) -> bool {
    matches!(c, '\u{fffe}' | '\u{ffff}')
}

fn unterminated(close: char, loc: Loc, mut text: Vec<u32>) -> LexError {
    text.truncate(16);
    let what = match close {
        '\'' => "atom",
        _ => "string",
    };
    let shown = super::write_string(&text, if close == '\'' { '\'' } else { '"' });
    error(loc, format!("unterminated {what} starting with {shown}"), Wrong::Unterminated(close, text))
}

/// The lines, each without the indentation of the last one.
fn outdent(lines: Vec<Vec<char>>, indent: &[char], loc: Loc) -> Result<Vec<u32>, LexError> {
    let mut text = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        if at > 0 {
            text.push(10);
        }
        match line.strip_prefix(indent) {
            Some(rest) => text.extend(rest.iter().map(|c| *c as u32)),
            None if line.iter().all(|c| c.is_whitespace()) => {}
            None => {
                let what = "bad indentation in triple-quoted string";
                let loc = Loc { line: loc.line + 1 + at as u32, column: loc.column.min(1) };
                return Err(error(loc, what, Wrong::Other(what)));
            }
        }
    }
    Ok(text)
}
