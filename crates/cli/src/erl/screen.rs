//! What stands on the terminal: output that scrolls, and below it the line that is being typed. Pure but for its pen.

use std::io::Write;

/// The last line of the terminal.
pub(super) struct Screen<W> {
    pub(super) out: W,
    pub(super) columns: usize,
    /// Output since the last end of a line.
    tail: String,
    /// What stands before the line that is being typed; nothing while none is.
    prompt: Option<String>,
    /// In which row of the prompt and its line the cursor is.
    row: usize,
    drawn: (String, usize),
}

/// Of a line that does not end, so much is remembered.
const TAIL_CHARACTERS_MAX: usize = 4096;

impl<W: Write> Screen<W> {
    pub(super) fn new(out: W, columns: usize) -> Screen<W> {
        Screen {
            out,
            columns: columns.max(2),
            tail: String::new(),
            prompt: None,
            row: 0,
            drawn: Default::default(),
        }
    }

    fn put(&mut self, text: &str) {
        // Nobody may be looking any more.
        let _ = self.out.write_all(text.as_bytes());
    }

    fn flush(&mut self) {
        let _ = self.out.flush();
    }

    /// Output: above the line that is being typed.
    pub(super) fn print(&mut self, text: &str) {
        let drawn = self.prompt.is_some().then(|| self.drawn.clone());
        if drawn.is_some() {
            self.erase();
        }
        self.put(&text.replace('\n', "\r\n"));
        if let Some((line, at)) = drawn {
            if !text.ends_with('\n') {
                self.put("\r\n");
            }
            self.draw(&line, at);
        } else {
            match text.rsplit_once('\n') {
                Some((_, last)) => self.tail = last.to_owned(),
                None => self.tail.push_str(text),
            }
            if self.tail.len() > TAIL_CHARACTERS_MAX {
                self.tail.clear();
            }
        }
        self.flush();
    }

    /// From now on a line is typed behind this prompt.
    pub(super) fn ask(&mut self, prompt: &str, line: &str, at: usize) {
        let prompt = match prompt.rsplit_once('\n') {
            Some((above, last)) => {
                self.print(&format!("{above}\n"));
                last
            }
            None => prompt,
        };
        let tail = std::mem::take(&mut self.tail);
        let full = format!("{tail}{prompt}");
        self.row = tail.chars().count() / self.columns;
        self.prompt = Some(full);
        if !tail.is_empty() {
            self.erase();
        }
        self.row = 0;
        self.draw(line, at);
        self.flush();
    }

    /// Shows the line as it is now.
    pub(super) fn edit(&mut self, line: &str, at: usize) {
        let Some(prompt) = &self.prompt else { return };
        let long = line.chars().count();
        let before = prompt.chars().count() + long;
        // What is typed at the end of a line only adds to it.
        let added = line.strip_prefix(self.drawn.0.as_str()).filter(|added| {
            added.chars().count() == 1
                && at == long
                && self.drawn.1 + 1 == at
                && !before.is_multiple_of(self.columns)
        });
        match added.map(str::to_owned) {
            Some(added) => {
                self.put(&added);
                self.row = before / self.columns;
                self.drawn = (line.to_owned(), at);
            }
            None => {
                self.erase();
                self.draw(line, at);
            }
        }
        self.flush();
    }

    /// The line is complete, or given up: what follows begins below it.
    pub(super) fn leave(&mut self) {
        if self.prompt.is_some() {
            let (line, _) = self.drawn.clone();
            let end = line.chars().count();
            if self.drawn.1 != end {
                self.erase();
                self.draw(&line, end);
            }
            self.prompt = None;
            self.put("\r\n");
        } else if !self.tail.is_empty() {
            self.put("\r\n");
        }
        self.tail.clear();
        (self.row, self.drawn) = (0, Default::default());
        self.flush();
    }

    /// An empty screen.
    pub(super) fn clear(&mut self) {
        self.put("\x1b[H\x1b[2J");
        self.row = 0;
        if self.prompt.is_some() {
            let (line, at) = self.drawn.clone();
            self.draw(&line, at);
        }
        self.flush();
    }

    /// Whether a line is being typed.
    pub(super) fn asks(&self) -> bool {
        self.prompt.is_some()
    }

    fn erase(&mut self) {
        if self.row > 0 {
            let up = format!("\x1b[{}A", self.row);
            self.put(&up);
        }
        self.put("\r\x1b[J");
        self.row = 0;
    }

    fn draw(&mut self, line: &str, at: usize) {
        let Some(prompt) = self.prompt.clone() else { return };
        self.put(&prompt);
        self.put(line);
        let (long, all) = (prompt.chars().count(), line.chars().count());
        let (end, cursor) = (long + all, long + at);
        if end > 0 && end.is_multiple_of(self.columns) {
            // Terminals wait with the new line until there is something on it.
            self.put("\r\n");
        }
        if end != cursor {
            let up = end / self.columns - cursor / self.columns;
            let right = cursor % self.columns;
            let mut moves = String::new();
            if up > 0 {
                moves.push_str(&format!("\x1b[{up}A"));
            }
            moves.push('\r');
            if right > 0 {
                moves.push_str(&format!("\x1b[{right}C"));
            }
            self.put(&moves);
        }
        self.row = cursor / self.columns;
        self.drawn = (line.to_owned(), at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(screen: &mut Screen<Vec<u8>>) -> String {
        String::from_utf8(std::mem::take(&mut screen.out)).unwrap()
    }

    #[test]
    fn output_stands_above_the_line_that_is_typed() {
        let mut screen = Screen::new(Vec::new(), 20);
        screen.print("hello\n");
        screen.ask("1> ", "", 0);
        assert_eq!(shown(&mut screen), "hello\r\n1> ");
        screen.edit("a", 1);
        screen.edit("ab", 2);
        assert_eq!(shown(&mut screen), "ab");
        screen.print("news\n");
        assert_eq!(shown(&mut screen), "\r\x1b[Jnews\r\n1> ab");
        screen.edit("ab", 0);
        assert_eq!(shown(&mut screen), "\r\x1b[J1> ab\r\x1b[3C");
        screen.leave();
        assert!(shown(&mut screen).ends_with("1> ab\r\n"));
    }

    #[test]
    fn long_lines_are_erased_from_their_first_row() {
        let mut screen = Screen::new(Vec::new(), 10);
        screen.ask("1> ", &"x".repeat(20), 20);
        shown(&mut screen);
        screen.edit("y", 1);
        assert_eq!(shown(&mut screen), "\x1b[2A\r\x1b[J1> y");
    }

    #[test]
    fn what_was_written_before_a_prompt_on_its_line_stays() {
        let mut screen = Screen::new(Vec::new(), 80);
        screen.print("Name");
        screen.ask("? ", "", 0);
        assert_eq!(shown(&mut screen), "Name\r\x1b[JName? ");
    }
}
