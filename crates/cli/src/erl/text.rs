//! Text with a cursor in it: what keys do to it. It may have several rows. Pure.

use unicode_width::UnicodeWidthChar;

/// Characters of one text.
const TEXT_CHARACTERS_MAX: usize = 64 << 10;

/// Text, and where one is in it.
#[derive(Default)]
pub(super) struct Text {
    chars: Vec<char>,
    at: usize,
}

/// Joins what stands on both of its sides.
const JOINER: char = '\u{200d}';

/// The columns a character takes on a terminal.
pub(super) fn width(c: char) -> usize {
    c.width().unwrap_or(0)
}

/// Whether this character is seen together with the one before it.
fn follows(before: Option<&char>, c: char) -> bool {
    width(c) == 0 && c != '\n' || before == Some(&JOINER)
}

fn in_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

impl Text {
    pub(super) fn set(&mut self, text: &str) {
        self.chars = text.chars().take(TEXT_CHARACTERS_MAX).collect();
        self.at = self.chars.len();
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn is_empty(&self) -> bool {
        self.chars.is_empty()
    }

    /// What stands before the cursor.
    pub(super) fn before(&self) -> String {
        self.chars[..self.at].iter().collect()
    }

    pub(super) fn insert(&mut self, text: &str) {
        let room = TEXT_CHARACTERS_MAX.saturating_sub(self.chars.len());
        let new: Vec<char> = text.chars().take(room).collect();
        let count = new.len();
        self.chars.splice(self.at..self.at, new);
        self.at += count;
    }

    pub(super) fn left(&mut self) {
        self.at = self.before_cluster();
    }

    pub(super) fn right(&mut self) {
        self.at = self.behind_cluster();
    }

    /// Where the character before the cursor begins, with the marks that are on it.
    fn before_cluster(&self) -> usize {
        let mut at = self.at.saturating_sub(1);
        while at > 0 && follows(self.chars.get(at - 1), self.chars[at]) {
            at -= 1;
        }
        at
    }

    fn behind_cluster(&self) -> usize {
        let mut at = (self.at + 1).min(self.chars.len());
        while at < self.chars.len() && follows(self.chars.get(at - 1), self.chars[at]) {
            at += 1;
        }
        at
    }

    pub(super) fn delete_before(&mut self) {
        self.cut(self.before_cluster(), self.at);
    }

    pub(super) fn delete_behind(&mut self) {
        self.cut(self.at, self.behind_cluster());
    }

    fn cut(&mut self, from: usize, to: usize) -> String {
        self.at = from;
        self.chars.drain(from..to).collect()
    }

    fn row_begin(&self) -> usize {
        self.chars[..self.at].iter().rposition(|c| *c == '\n').map_or(0, |at| at + 1)
    }

    fn row_end(&self) -> usize {
        let rest = &self.chars[self.at..];
        self.at + rest.iter().position(|c| *c == '\n').unwrap_or(rest.len())
    }

    pub(super) fn go_row_begin(&mut self) {
        self.at = self.row_begin();
    }

    pub(super) fn go_row_end(&mut self) {
        self.at = self.row_end();
    }

    pub(super) fn go_begin(&mut self) {
        self.at = 0;
    }

    pub(super) fn go_end(&mut self) {
        self.at = self.chars.len();
    }

    /// To the row above; whether there is one.
    pub(super) fn up(&mut self) -> bool {
        let begin = self.row_begin();
        if begin == 0 {
            return false;
        }
        let column = self.at - begin;
        self.at = begin - 1;
        let above = self.row_begin();
        self.at = (above + column).min(begin - 1);
        true
    }

    /// To the row below; whether there is one.
    pub(super) fn down(&mut self) -> bool {
        let (begin, end) = (self.row_begin(), self.row_end());
        if end == self.chars.len() {
            return false;
        }
        let column = self.at - begin;
        self.at = end + 1;
        self.at = (self.at + column).min(self.row_end());
        true
    }

    pub(super) fn kill_to_row_begin(&mut self) -> String {
        self.cut(self.row_begin(), self.at)
    }

    /// To the end of the row; when one is there, the end itself.
    pub(super) fn kill_to_row_end(&mut self) -> String {
        let end = self.row_end();
        let end = if end == self.at { (end + 1).min(self.chars.len()) } else { end };
        self.cut(self.at, end)
    }

    fn word_before(&self) -> usize {
        let before = &self.chars[..self.at];
        let end = before.iter().rposition(|c| in_word(*c)).map_or(0, |at| at + 1);
        before[..end].iter().rposition(|c| !in_word(*c)).map_or(0, |at| at + 1)
    }

    fn word_behind(&self) -> usize {
        let behind = &self.chars[self.at..];
        let begin = behind.iter().position(|c| in_word(*c)).unwrap_or(behind.len());
        let length = behind[begin..].iter().position(|c| !in_word(*c));
        self.at + length.map_or(behind.len(), |length| begin + length)
    }

    pub(super) fn go_word_before(&mut self) {
        self.at = self.word_before();
    }

    pub(super) fn go_word_behind(&mut self) {
        self.at = self.word_behind();
    }

    pub(super) fn kill_word_before(&mut self) -> String {
        self.cut(self.word_before(), self.at)
    }

    pub(super) fn kill_word_behind(&mut self) -> String {
        self.cut(self.at, self.word_behind())
    }

    /// The characters around the cursor; at the end the two before it.
    pub(super) fn swap_characters(&mut self) {
        let at = if self.at == self.chars.len() { self.at.saturating_sub(1) } else { self.at };
        if at > 0 {
            self.chars.swap(at - 1, at);
            self.at = at + 1;
        }
    }

    /// The word before the cursor and the one it is in or behind it.
    pub(super) fn swap_words(&mut self) {
        let was = self.at;
        self.go_word_behind();
        let second = (self.word_before(), self.at);
        self.at = second.0;
        let begin = self.word_before();
        self.at = begin;
        let first = (begin, self.word_behind());
        if first.1 > second.0 || first.0 == second.0 || second.0 == second.1 {
            self.at = was;
            return;
        }
        let swapped: Vec<char> =
            [&self.chars[second.0..second.1], &self.chars[first.1..second.0], &self.chars[first.0..first.1]]
                .concat();
        self.chars.splice(first.0..second.1, swapped);
        self.at = second.1;
    }

    /// Takes an end of a row away that nothing stands behind.
    pub(super) fn drop_last_end(&mut self) {
        if self.at == self.chars.len() && self.chars.last() == Some(&'\n') {
            self.delete_before();
        }
    }
}

impl std::fmt::Display for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.chars.iter().try_for_each(|c| std::fmt::Write::write_char(f, *c))
    }
}
