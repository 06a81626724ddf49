//! What stands on the terminal: output that scrolls, and below it the line that is being typed. Pure but for its pen.

use std::io::Write;

use super::editor::View;
use super::text::width;

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
    drawn: View,
}

/// A place on the terminal, counted from where the prompt begins.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Place {
    row: usize,
    column: usize,
}

impl Place {
    /// Where one is behind this text. A row that is full is left only by what comes next, as terminals do.
    fn behind(mut self, text: &str, columns: usize) -> Place {
        for c in text.chars() {
            let wide = width(c);
            if c == '\n' {
                self = Place { row: self.row + 1, column: 0 };
            } else if self.column + wide > columns {
                self = Place { row: self.row + 1, column: wide };
            } else {
                self.column += wide;
            }
        }
        self
    }

    /// Where the next character stands.
    fn settled(self, columns: usize) -> Place {
        if self.column >= columns { Place { row: self.row + 1, column: 0 } } else { self }
    }
}

const BEGIN: Place = Place { row: 0, column: 0 };

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
        if let Some(view) = drawn {
            if !text.ends_with('\n') {
                self.put("\r\n");
            }
            self.draw(&view);
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
    pub(super) fn ask(&mut self, prompt: &str, view: &View) {
        let prompt = match prompt.rsplit_once('\n') {
            Some((above, last)) => {
                self.print(&format!("{above}\n"));
                last
            }
            None => prompt,
        };
        let tail = std::mem::take(&mut self.tail);
        let full = format!("{tail}{prompt}");
        self.row = BEGIN.behind(&tail, self.columns).row;
        self.prompt = Some(full);
        if !tail.is_empty() {
            self.erase();
        }
        self.row = 0;
        self.draw(view);
        self.flush();
    }

    /// Shows the line as it is now.
    pub(super) fn edit(&mut self, view: &View) {
        let Some(prompt) = self.prompt.as_ref().filter(|_| *view != self.drawn) else { return };
        let before = BEGIN.behind(prompt, self.columns).behind(&self.drawn.line, self.columns);
        // What is typed at the end of a line only adds to it.
        let added = view.line.strip_prefix(self.drawn.line.as_str()).filter(|added| {
            let mut chars = added.chars();
            let one = chars.next().is_some_and(|c| c != '\n' && before.column + width(c) < self.columns);
            let plain = view.prompt.is_none() && self.drawn.prompt.is_none();
            one && plain
                && chars.next().is_none()
                && self.drawn.at + 1 == view.at
                && self.drawn.line.chars().count() == self.drawn.at
        });
        match added.map(str::to_owned) {
            Some(added) => {
                self.put(&added);
                self.drawn = view.clone();
            }
            None => {
                self.erase();
                self.draw(view);
            }
        }
        self.flush();
    }

    /// The terminal has another width.
    pub(super) fn resize(&mut self, columns: usize) {
        if columns == self.columns {
            return;
        }
        self.columns = columns.max(2);
        if self.prompt.is_some() {
            // Terminals have broken the rows anew; where the cursor is in them follows from what was drawn.
            let view = self.drawn.clone();
            self.row = self.cursor(&view).row;
            self.erase();
            self.draw(&view);
            self.flush();
        }
    }

    /// The line is complete, or given up: what follows begins below it.
    pub(super) fn leave(&mut self) {
        if self.prompt.is_some() {
            let mut view = self.drawn.clone();
            let end = view.line.chars().count();
            if view.at != end {
                view.at = end;
                self.erase();
                self.draw(&view);
            }
            self.prompt = None;
            self.put("\r\n");
        } else if !self.tail.is_empty() {
            self.put("\r\n");
        }
        self.tail.clear();
        (self.row, self.drawn) = (0, View::default());
        self.flush();
    }

    /// An empty screen.
    pub(super) fn clear(&mut self) {
        self.put("\x1b[H\x1b[2J");
        self.row = 0;
        if self.prompt.is_some() {
            let view = self.drawn.clone();
            self.draw(&view);
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

    /// Where the cursor stands in a line behind the prompt.
    fn cursor(&self, view: &View) -> Place {
        let prompt = view.prompt.as_ref().or(self.prompt.as_ref()).map_or("", String::as_str);
        let before: String = view.line.chars().take(view.at).collect();
        BEGIN.behind(prompt, self.columns).behind(&before, self.columns).settled(self.columns)
    }

    fn draw(&mut self, view: &View) {
        let Some(prompt) = view.prompt.clone().or(self.prompt.clone()) else { return };
        self.put(&prompt);
        self.put(&view.line.replace('\n', "\r\n"));
        let last = BEGIN.behind(&prompt, self.columns).behind(&view.line, self.columns);
        let (end, cursor) = (last.settled(self.columns), self.cursor(view));
        if end != last {
            // Terminals wait with the new line until there is something on it.
            self.put("\r\n");
        }
        if end != cursor {
            let mut moves = String::new();
            if end.row > cursor.row {
                moves.push_str(&format!("\x1b[{}A", end.row - cursor.row));
            }
            moves.push('\r');
            if cursor.column > 0 {
                moves.push_str(&format!("\x1b[{}C", cursor.column));
            }
            self.put(&moves);
        }
        self.row = cursor.row;
        self.drawn = view.clone();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(line: &str, at: usize) -> View {
        View { prompt: None, line: line.to_owned(), at }
    }

    fn shown(screen: &mut Screen<Vec<u8>>) -> String {
        String::from_utf8(std::mem::take(&mut screen.out)).unwrap()
    }

    #[test]
    fn output_stands_above_the_line_that_is_typed() {
        let mut screen = Screen::new(Vec::new(), 20);
        screen.print("hello\n");
        screen.ask("1> ", &view("", 0));
        assert_eq!(shown(&mut screen), "hello\r\n1> ");
        screen.edit(&view("a", 1));
        screen.edit(&view("ab", 2));
        assert_eq!(shown(&mut screen), "ab");
        screen.print("news\n");
        assert_eq!(shown(&mut screen), "\r\x1b[Jnews\r\n1> ab");
        screen.edit(&view("ab", 0));
        assert_eq!(shown(&mut screen), "\r\x1b[J1> ab\r\x1b[3C");
        screen.leave();
        assert!(shown(&mut screen).ends_with("1> ab\r\n"));
    }

    #[test]
    fn long_lines_are_erased_from_their_first_row() {
        let mut screen = Screen::new(Vec::new(), 10);
        screen.ask("1> ", &view(&"x".repeat(20), 20));
        shown(&mut screen);
        screen.edit(&view("y", 1));
        assert_eq!(shown(&mut screen), "\x1b[2A\r\x1b[J1> y");
    }

    #[test]
    fn what_was_written_before_a_prompt_on_its_line_stays() {
        let mut screen = Screen::new(Vec::new(), 80);
        screen.print("Name");
        screen.ask("? ", &view("", 0));
        assert_eq!(shown(&mut screen), "Name\r\x1b[JName? ");
    }

    #[test]
    fn wide_characters_rows_and_other_widths_are_counted() {
        let mut screen = Screen::new(Vec::new(), 10);
        screen.ask("1> ", &view("", 0));
        shown(&mut screen);
        screen.edit(&view("日本", 1));
        assert_eq!(shown(&mut screen), "\r\x1b[J1> 日本\r\x1b[5C");
        // The last one does not fit into the first row.
        screen.edit(&view("日本語語", 4));
        assert_eq!(shown(&mut screen), "\r\x1b[J1> 日本語語");
        screen.edit(&view("a", 1));
        assert_eq!(shown(&mut screen), "\x1b[1A\r\x1b[J1> a");
        screen.edit(&view("ab\ncde", 1));
        assert_eq!(shown(&mut screen), "\r\x1b[J1> ab\r\ncde\x1b[1A\r\x1b[4C");
        screen.leave();
        assert!(shown(&mut screen).ends_with("1> ab\r\ncde\r\n"));
        screen.ask("1> ", &view("0123456789", 10));
        shown(&mut screen);
        screen.resize(5);
        assert_eq!(shown(&mut screen), "\x1b[2A\r\x1b[J1> 0123456789");
        let search = View { prompt: Some("(search)`a': ".to_owned()), line: String::new(), at: 0 };
        screen.resize(40);
        shown(&mut screen);
        screen.edit(&search);
        assert_eq!(shown(&mut screen), "\r\x1b[J(search)`a': ");
    }
}
