//! A line that is being typed: keys in, text to show out. Pure.
//!
//! The keys are those of OTP's `edlin`, and a few that people's fingers know from elsewhere. An expression may have several
//! lines: it comes back from the history as one, and the arrows move in it.

use super::history::History;
use super::text::Text;

/// What a key leads to.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Key {
    /// The line has changed, or where one is in it.
    Edited,
    /// Nothing to be seen.
    Nothing,
    /// A line is complete; it may have ends of lines in it.
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

/// What there is to see.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct View {
    /// What stands in the place of the prompt.
    pub(super) prompt: Option<String>,
    pub(super) line: String,
    /// How many characters of the line stand before the cursor.
    pub(super) at: usize,
}

/// An editor for lines.
#[derive(Default)]
pub(super) struct Editor {
    text: Text,
    /// Which entry of the history is shown, counted from its end; 0 is the one being typed.
    back: usize,
    typed: String,
    killed: String,
    search: Option<Search>,
    /// Between the marks of a bracketed paste: keys are text.
    pasting: bool,
    /// The last key that was pasted is a return: a line feed behind it is the same end of a line.
    returned: bool,
    /// Bytes of a character or of an escape sequence that is not complete.
    pending: Vec<u8>,
    escape: Option<Vec<u8>>,
}

/// A search in the history, from the latest entry back.
#[derive(Default)]
struct Search {
    pattern: String,
    /// How far back what was found is; 0 when nothing was.
    found: usize,
}

/// Bytes of an escape sequence.
const ESCAPE_BYTES_MAX: usize = 16;

impl Editor {
    /// What is typed so far.
    pub(super) fn view(&self, history: &History) -> View {
        match &self.search {
            None => View { prompt: None, line: self.text.to_string(), at: self.text.at() },
            Some(search) => View {
                prompt: Some(format!("(search)`{}': ", search.pattern)),
                line: history.back(search.found).unwrap_or("").to_owned(),
                at: 0,
            },
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Begins anew.
    pub(super) fn reset(&mut self) {
        self.text.set("");
        (self.back, self.escape, self.search) = (0, None, None);
    }

    pub(super) fn insert(&mut self, text: &str) {
        self.text.insert(text);
    }

    /// Takes one byte from the terminal.
    pub(super) fn byte(&mut self, byte: u8, history: &History) -> Key {
        if let Some(escape) = self.escape.take() {
            return self.escaped(escape, byte, history);
        }
        if byte == 0x1b {
            self.escape = Some(Vec::new());
            return Key::Nothing;
        }
        if self.pasting {
            return self.pasted(byte);
        }
        if self.search.is_some() {
            return self.searching(byte, history);
        }
        self.key(byte, history)
    }

    fn key(&mut self, byte: u8, history: &History) -> Key {
        match byte {
            b'\r' | b'\n' => return self.enter(),
            0x07 => return Key::Menu,
            0x03 => return Key::Interrupt,
            0x04 if self.text.is_empty() => return Key::Eof,
            0x09 => return Key::Complete(self.text.before()),
            0x0c => return Key::Clear,
            0x04 => self.text.delete_behind(),
            0x01 => self.text.go_row_begin(),
            0x05 => self.text.go_row_end(),
            0x02 => self.text.left(),
            0x06 => self.text.right(),
            0x08 | 0x7f => self.text.delete_before(),
            0x0b => self.killed = self.text.kill_to_row_end(),
            0x15 => self.killed = self.text.kill_to_row_begin(),
            0x17 => self.killed = self.text.kill_word_before(),
            0x14 => self.text.swap_characters(),
            0x19 => self.text.insert(&self.killed.clone()),
            0x10 => return self.remembered(self.back + 1, history),
            0x0e => return self.remembered(self.back.saturating_sub(1), history),
            0x12 | 0x13 => self.search = Some(Search::default()),
            0..=0x1f => return Key::Nothing,
            _ => return self.character(byte, |editor, text| editor.text.insert(text)),
        }
        Key::Edited
    }

    /// A byte behind ESC.
    fn escaped(&mut self, mut escape: Vec<u8>, byte: u8, history: &History) -> Key {
        match (escape.as_slice(), byte) {
            ([], b'[' | b'O') => {
                self.escape = Some(vec![byte]);
                return Key::Nothing;
            }
            ([_, ..], b'0'..=b'9' | b';') if escape.len() < ESCAPE_BYTES_MAX => {
                escape.push(byte);
                self.escape = Some(escape);
                return Key::Nothing;
            }
            ([_, numbers @ ..], last) => return self.sequence(numbers, last, history),
            // Keys with Meta, some terminals' way to send it.
            _ if self.pasting => return Key::Nothing,
            ([], 0x1b) => {
                self.escape = Some(Vec::new());
                return self.found(history);
            }
            _ => {}
        }
        self.found(history);
        match byte {
            b'b' | b'B' => self.text.go_word_before(),
            b'f' | b'F' => self.text.go_word_behind(),
            b'd' | b'D' => self.killed = self.text.kill_word_behind(),
            0x08 | 0x7f => self.killed = self.text.kill_word_before(),
            b't' | b'T' => self.text.swap_words(),
            b'<' => self.text.go_begin(),
            b'>' => self.text.go_end(),
            b'\r' | b'\n' => self.text.insert("\n"),
            _ => return Key::Edited,
        }
        Key::Edited
    }

    /// A sequence of ECMA-48, or of xterm.
    fn sequence(&mut self, numbers: &[u8], last: u8, history: &History) -> Key {
        match (numbers, last) {
            (b"200", b'~') => {
                self.pasting = true;
                self.found(history);
                return Key::Edited;
            }
            (b"201", b'~') => {
                self.pasting = false;
                // The end of what was copied is no end of the input.
                self.text.drop_last_end();
                return Key::Edited;
            }
            _ if self.pasting => return Key::Nothing,
            _ => {}
        }
        self.found(history);
        match (numbers, last) {
            (_, b'A') if self.text.up() => {}
            (_, b'A') => return self.remembered(self.back + 1, history),
            (_, b'B') if self.text.down() => {}
            (_, b'B') => return self.remembered(self.back.saturating_sub(1), history),
            (b"1;5" | b"5" | b"1;3", b'C') => self.text.go_word_behind(),
            (b"1;5" | b"5" | b"1;3", b'D') => self.text.go_word_before(),
            (_, b'C') => self.text.right(),
            (_, b'D') => self.text.left(),
            (_, b'H') | (b"1" | b"7", b'~') => self.text.go_row_begin(),
            (_, b'F') | (b"4" | b"8", b'~') => self.text.go_row_end(),
            (b"3", b'~') => self.text.delete_behind(),
            _ => return Key::Nothing,
        }
        Key::Edited
    }

    fn character(&mut self, byte: u8, take: impl Fn(&mut Editor, &str)) -> Key {
        self.pending.push(byte);
        match std::str::from_utf8(&self.pending) {
            Ok(text) => {
                let text = text.to_owned();
                self.pending.clear();
                take(self, &text);
                Key::Edited
            }
            Err(error) if error.error_len().is_none() => Key::Nothing,
            Err(_) => {
                self.pending.clear();
                Key::Nothing
            }
        }
    }

    fn pasted(&mut self, byte: u8) -> Key {
        let returned = std::mem::replace(&mut self.returned, byte == b'\r');
        match byte {
            b'\n' if returned => {}
            b'\r' | b'\n' => self.text.insert("\n"),
            b'\t' => self.text.insert("    "),
            0..=0x1f | 0x7f => {}
            _ => return self.character(byte, |editor, text| editor.text.insert(text)),
        }
        Key::Edited
    }

    fn searching(&mut self, byte: u8, history: &History) -> Key {
        let Some(search) = &mut self.search else { return Key::Nothing };
        match byte {
            0x12 => search.find(history, search.found + 1, true),
            0x13 => search.find(history, search.found.saturating_sub(1), false),
            0x08 | 0x7f => {
                search.pattern.pop();
                search.find(history, 1, true);
            }
            0x03 | 0x07 => {
                self.search = None;
                return if byte == 0x07 { Key::Menu } else { Key::Edited };
            }
            b'\r' | b'\n' => {
                self.found(history);
                return self.enter();
            }
            0..=0x1f => {
                // What is found is edited further, with this key.
                self.found(history);
                return if byte == 0x09 { Key::Edited } else { self.key(byte, history) };
            }
            _ => {
                return self.character(byte, |editor, text| {
                    if let Some(search) = &mut editor.search {
                        search.pattern.push_str(text);
                        search.find(history, search.found.max(1), true);
                    }
                });
            }
        }
        Key::Edited
    }

    /// Ends a search: what was found is the line.
    fn found(&mut self, history: &History) -> Key {
        if let Some(search) = self.search.take()
            && let Some(entry) = history.back(search.found)
        {
            self.back = search.found;
            self.text.set(entry);
        }
        Key::Edited
    }

    fn enter(&mut self) -> Key {
        let line = self.text.to_string();
        self.reset();
        Key::Line(line)
    }

    fn remembered(&mut self, back: usize, history: &History) -> Key {
        if back > history.len() || back == self.back {
            return Key::Nothing;
        }
        if self.back == 0 {
            self.typed = self.text.to_string();
        }
        match history.back(back) {
            Some(entry) => self.text.set(entry),
            None => self.text.set(&std::mem::take(&mut self.typed)),
        }
        self.back = back;
        Key::Edited
    }
}

impl Search {
    /// Looks from there on; what was found before stays when nothing is.
    fn find(&mut self, history: &History, from: usize, earlier: bool) {
        if let Some(found) = history.find(&self.pattern, from, earlier) {
            self.found = found;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes of these keys, and the line that is left.
    fn typed(history: &mut History, editor: &mut Editor, keys: &str) -> Vec<Key> {
        let mut all = Vec::new();
        for byte in keys.bytes() {
            let key = editor.byte(byte, history);
            if let Key::Line(line) = &key {
                history.add(line);
            }
            if !matches!(key, Key::Edited | Key::Nothing) {
                all.push(key);
            }
        }
        all
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
            ("ab\x14\r", "ba"),
            ("abc\x02\x14\r", "acb"),
            ("one two\x1b\x74\r", "two one"),
            ("one two\x01\x1bdx\r", "x two"),
            ("one two\x1b\x7fx\r", "one x"),
            ("one two\x1bbx\r", "one xtwo"),
            ("one two\x01\x1bfx\r", "onex two"),
            ("日本語\x02\x02x\r", "日x本語"),
            ("e\u{301}x\x02\x02y\r", "ye\u{301}x"),
            ("xe\u{301}\x7fy\r", "xy"),
            ("👩\u{200d}🚀!\x02\x7f\r", "!"),
            ("a\x1b\rb\r", "a\nb"),
            ("a\x1b\rbc\x1b[A\x05x\r", "ax\nbc"),
            ("a\x1b\rbc\x01\x7f\r", "abc"),
            ("\x1b[200~a\tb\r\nc\x07\n\x1b[201~d\r", "a    b\ncd"),
            ("\x1b[200~1+\r1.\x1b[201~\r", "1+\n1."),
        ] {
            let keys = typed(&mut History::default(), &mut Editor::default(), keys);
            let Some(Key::Line(said)) = keys.last() else { panic!("{keys:?}") };
            assert_eq!(said, line);
        }
    }

    #[test]
    fn lines_come_back_and_whole_expressions_too() {
        let (mut history, mut editor) = (History::default(), Editor::default());
        typed(&mut history, &mut editor, "one.\rtwo.\rthr\x1b[A\x1b[A");
        assert_eq!(editor.view(&history).line, "one.");
        typed(&mut history, &mut editor, "\x1b[A\x1b[B\x1b[B");
        assert_eq!(editor.view(&history), View { prompt: None, line: "thr".to_owned(), at: 3 });
        editor.reset();
        history.add("{a,");
        history.join("b}.");
        // Up once more moves in it, and then beyond it.
        typed(&mut history, &mut editor, "\x1b[A\x1b[A\x05x");
        assert_eq!(editor.view(&history).line, "{a,x\nb}.");
        typed(&mut history, &mut editor, "\x1b[A");
        assert_eq!(editor.view(&history).line, "two.");
    }

    #[test]
    fn what_was_typed_is_searched() {
        let (mut history, mut editor) = (History::default(), Editor::default());
        typed(&mut history, &mut editor, "alpha.\rbeta.\ralphabet.\r\x12alp");
        let view = editor.view(&history);
        assert_eq!(view.prompt.as_deref(), Some("(search)`alp': "));
        assert_eq!(view.line, "alphabet.");
        typed(&mut history, &mut editor, "\x12");
        assert_eq!(editor.view(&history).line, "alpha.");
        typed(&mut history, &mut editor, "\x12\x13");
        assert_eq!(editor.view(&history).line, "alphabet.");
        assert_eq!(typed(&mut history, &mut editor, "\x12\r"), [Key::Line("alpha.".to_owned())]);
        typed(&mut history, &mut editor, "\x12bet\x05!");
        assert_eq!(editor.view(&history).line, "alphabet.!");
    }

    #[test]
    fn some_keys_are_for_others() {
        let keys = typed(&mut History::default(), &mut Editor::default(), "\x07\x03\x04li\t\x0c");
        let complete = Key::Complete("li".to_owned());
        assert_eq!(keys, [Key::Menu, Key::Interrupt, Key::Eof, complete, Key::Clear]);
    }

    #[test]
    fn no_bytes_break_it() {
        let (mut history, mut editor) = (History::default(), Editor::default());
        let mut state = 7_u64;
        for _ in 0..200_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            if let Key::Line(line) = editor.byte((state >> 33) as u8, &history) {
                history.add(&line);
            }
            let view = editor.view(&history);
            assert!(view.at <= view.line.chars().count());
            if view.line.len() > 200 {
                editor.reset();
            }
        }
    }
}
