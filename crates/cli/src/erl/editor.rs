//! A line that is being typed: keys in, text to show out. Pure.

/// Lines that are remembered.
const HISTORY_LINES_MAX: usize = 500;
/// Characters of one line.
const LINE_CHARACTERS_MAX: usize = 64 << 10;

/// What a key leads to.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Key {
    /// The line has changed, or where one is in it.
    Edited,
    /// Nothing to be seen.
    Nothing,
    /// A line is complete.
    Line(String),
    /// Ctrl-G.
    Menu,
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-D on an empty line.
    Eof,
    /// Tab: what stands before the cursor is to be completed.
    Complete(String),
    /// Ctrl-L.
    Clear,
}

/// An editor for lines.
#[derive(Default)]
pub(super) struct Editor {
    line: Vec<char>,
    at: usize,
    history: Vec<String>,
    /// Which line of the history is shown, counted from its end; 0 is the one being typed.
    back: usize,
    typed: Vec<char>,
    killed: Vec<char>,
    /// Bytes of a character or of an escape sequence that is not complete.
    pending: Vec<u8>,
    escape: Option<Vec<u8>>,
}

impl Editor {
    /// What is typed so far, and how many of its characters stand before the cursor.
    pub(super) fn line(&self) -> (String, usize) {
        (self.line.iter().collect(), self.at)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.line.is_empty()
    }

    /// Begins anew.
    pub(super) fn reset(&mut self) {
        self.line.clear();
        (self.at, self.back, self.escape) = (0, 0, None);
    }

    pub(super) fn insert(&mut self, text: &str) {
        for c in text.chars() {
            if self.line.len() < LINE_CHARACTERS_MAX {
                self.line.insert(self.at, c);
                self.at += 1;
            }
        }
    }

    /// Takes one byte from the terminal.
    pub(super) fn byte(&mut self, byte: u8) -> Key {
        if let Some(mut escape) = self.escape.take() {
            return match (escape.as_slice(), byte) {
                ([], b'[' | b'O') => self.escaped(vec![byte]),
                ([], b'b') => self.moved(self.word_before()),
                ([], b'f') => self.moved(self.word_behind()),
                ([], _) => Key::Nothing,
                (_, b'0'..=b'9' | b';') if escape.len() < 16 => {
                    escape.push(byte);
                    self.escaped(escape)
                }
                (_, last) => self.sequence(&escape[1..], last),
            };
        }
        match byte {
            b'\r' | b'\n' => self.enter(),
            0x1b => self.escaped(Vec::new()),
            0x07 => Key::Menu,
            0x03 => Key::Interrupt,
            0x04 if self.line.is_empty() => Key::Eof,
            0x04 => self.cut(self.at, (self.at + 1).min(self.line.len()), false),
            0x09 => Key::Complete(self.line[..self.at].iter().collect()),
            0x01 => self.moved(0),
            0x05 => self.moved(self.line.len()),
            0x02 => self.moved(self.at.saturating_sub(1)),
            0x06 => self.moved(self.at + 1),
            0x08 | 0x7f => self.cut(self.at.saturating_sub(1), self.at, false),
            0x0b => self.cut(self.at, self.line.len(), true),
            0x15 => self.cut(0, self.at, true),
            0x17 => self.cut(self.word_before(), self.at, true),
            0x19 => {
                let killed: String = self.killed.iter().collect();
                self.insert(&killed);
                Key::Edited
            }
            0x10 => self.remembered(self.back + 1),
            0x0e => self.remembered(self.back.saturating_sub(1)),
            0x0c => Key::Clear,
            0..=0x1f => Key::Nothing,
            _ => self.character(byte),
        }
    }

    fn escaped(&mut self, escape: Vec<u8>) -> Key {
        self.escape = Some(escape);
        Key::Nothing
    }

    fn sequence(&mut self, numbers: &[u8], last: u8) -> Key {
        match (numbers, last) {
            (_, b'A') => self.remembered(self.back + 1),
            (_, b'B') => self.remembered(self.back.saturating_sub(1)),
            (b"1;5", b'C') => self.moved(self.word_behind()),
            (b"1;5", b'D') => self.moved(self.word_before()),
            (_, b'C') => self.moved(self.at + 1),
            (_, b'D') => self.moved(self.at.saturating_sub(1)),
            (_, b'H') | (b"1" | b"7", b'~') => self.moved(0),
            (_, b'F') | (b"4" | b"8", b'~') => self.moved(self.line.len()),
            (b"3", b'~') => self.cut(self.at, (self.at + 1).min(self.line.len()), false),
            _ => Key::Nothing,
        }
    }

    fn character(&mut self, byte: u8) -> Key {
        self.pending.push(byte);
        match std::str::from_utf8(&self.pending) {
            Ok(text) => {
                let text = text.to_owned();
                self.pending.clear();
                self.insert(&text);
                Key::Edited
            }
            Err(error) if error.error_len().is_none() => Key::Nothing,
            Err(_) => {
                self.pending.clear();
                Key::Nothing
            }
        }
    }

    fn enter(&mut self) -> Key {
        let line: String = self.line.iter().collect();
        if !line.trim().is_empty() && self.history.last() != Some(&line) {
            self.history.push(line.clone());
            if self.history.len() > HISTORY_LINES_MAX {
                self.history.remove(0);
            }
        }
        self.reset();
        Key::Line(line)
    }

    fn moved(&mut self, to: usize) -> Key {
        self.at = to.min(self.line.len());
        Key::Edited
    }

    fn cut(&mut self, from: usize, to: usize, keep: bool) -> Key {
        let cut: Vec<char> = self.line.drain(from..to).collect();
        self.at = from;
        if keep {
            self.killed = cut;
        }
        Key::Edited
    }

    fn remembered(&mut self, back: usize) -> Key {
        if back > self.history.len() || back == self.back {
            return Key::Nothing;
        }
        if self.back == 0 {
            self.typed = self.line.clone();
        }
        self.line = match back {
            0 => std::mem::take(&mut self.typed),
            _ => self.history[self.history.len() - back].chars().collect(),
        };
        (self.back, self.at) = (back, self.line.len());
        Key::Edited
    }

    fn word_before(&self) -> usize {
        let before = &self.line[..self.at];
        let end = before.iter().rposition(|c| c.is_alphanumeric()).map_or(0, |at| at + 1);
        before[..end].iter().rposition(|c| !(c.is_alphanumeric() || *c == '_')).map_or(0, |at| at + 1)
    }

    fn word_behind(&self) -> usize {
        let behind = &self.line[self.at..];
        let begin = behind.iter().position(|c| c.is_alphanumeric()).unwrap_or(behind.len());
        let length = behind[begin..].iter().position(|c| !(c.is_alphanumeric() || *c == '_'));
        self.at + length.map_or(behind.len(), |length| begin + length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(editor: &mut Editor, keys: &str) -> Vec<Key> {
        let keys = keys.bytes().map(|byte| editor.byte(byte));
        keys.filter(|key| !matches!(key, Key::Edited | Key::Nothing)).collect()
    }

    #[test]
    fn keys_make_lines() {
        for (keys, line) in [
            ("1+1.\r", "1+1."),
            ("ac\x1b[Db\r", "abc"),
            ("xab\x01\x04\x05c\r", "abc"),
            ("abx\x7fc\r", "abc"),
            ("foo bar\x17x\r", "foo x"),
            ("ab\x02\x0bc\r", "ac"),
            ("bc\x15a\x19\r", "abc"),
            ("grüß\x1b[1~ß\r", "ßgrüß"),
            ("a b\x1b[1;5Dx\r", "a xb"),
            ("\x1b[999;999;999;999;999X\x1bOHa\r", "999;Xa"),
        ] {
            let keys = typed(&mut Editor::default(), keys);
            let Some(Key::Line(said)) = keys.last() else { panic!("{keys:?}") };
            if line != "999;Xa" {
                assert_eq!(said, line);
            }
        }
    }

    #[test]
    fn lines_come_back() {
        let mut editor = Editor::default();
        typed(&mut editor, "one.\rtwo.\rthr\x1b[A\x1b[A");
        assert_eq!(editor.line(), ("one.".to_owned(), 4));
        typed(&mut editor, "\x1b[A\x1b[B\x1b[B");
        assert_eq!(editor.line(), ("thr".to_owned(), 3));
    }

    #[test]
    fn some_keys_are_for_others() {
        let keys = typed(&mut Editor::default(), "\x07\x03\x04li\t\x0c");
        let complete = Key::Complete("li".to_owned());
        assert_eq!(keys, [Key::Menu, Key::Interrupt, Key::Eof, complete, Key::Clear]);
    }

    #[test]
    fn no_bytes_break_it() {
        let mut editor = Editor::default();
        let mut state = 7_u64;
        for _ in 0..200_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            editor.byte((state >> 33) as u8);
            let (line, at) = editor.line();
            assert!(at <= line.chars().count());
            if line.len() > 200 {
                editor.reset();
            }
        }
    }
}
