//! What a terminal shows of what it is told: as much of ECMA-48 as shells use.

use unicode_width::UnicodeWidthChar;

/// Rows of characters, and where the cursor is.
pub(crate) struct Screen {
    columns: usize,
    rows: Vec<Vec<String>>,
    row: usize,
    column: usize,
}

impl Screen {
    /// The rows, without the blanks at their ends, after this was said.
    pub(crate) fn of(said: &str, columns: usize) -> Vec<String> {
        let mut screen = Screen { columns, rows: vec![Vec::new()], row: 0, column: 0 };
        screen.take(said);
        let rows = screen.rows.iter().map(|row| row.concat().trim_end().to_owned());
        rows.collect()
    }

    fn take(&mut self, said: &str) {
        let mut rest = said.chars();
        while let Some(c) = rest.next() {
            match c {
                '\r' => self.column = 0,
                '\n' => self.down_to(self.row + 1),
                '\u{8}' => self.column = self.column.min(self.columns - 1).saturating_sub(1),
                '\u{7}' => {}
                '\u{1b}' => {
                    if rest.next() != Some('[') {
                        continue;
                    }
                    let mut numbers = String::new();
                    for c in rest.by_ref() {
                        if c.is_ascii_alphabetic() || c == '@' {
                            self.control(&numbers, c);
                            break;
                        }
                        numbers.push(c);
                    }
                }
                c => self.put(c),
            }
        }
    }

    fn down_to(&mut self, row: usize) {
        self.row = row;
        while self.rows.len() <= row {
            self.rows.push(Vec::new());
        }
    }

    fn put(&mut self, c: char) {
        let wide = c.width().unwrap_or(0);
        if wide == 0 {
            let at = self.column.saturating_sub(1);
            if let Some(cell) = self.rows[self.row].get_mut(at) {
                cell.push(c);
            }
            return;
        }
        if self.column + wide > self.columns {
            self.down_to(self.row + 1);
            self.column = 0;
        }
        let row = &mut self.rows[self.row];
        while row.len() < self.column + wide {
            row.push(" ".to_owned());
        }
        row[self.column] = c.to_string();
        // The right half of a wide character is nothing of its own.
        row[self.column + 1..self.column + wide].fill(String::new());
        self.column += wide;
    }

    fn control(&mut self, numbers: &str, what: char) {
        let count = numbers.parse().unwrap_or(1);
        self.column = self.column.min(self.columns - 1);
        match what {
            'A' => self.row = self.row.saturating_sub(count),
            'B' => self.down_to(self.row + count),
            'C' => self.column = (self.column + count).min(self.columns - 1),
            'D' => self.column = self.column.saturating_sub(count),
            'J' if numbers == "2" => {
                self.rows = vec![Vec::new()];
                self.down_to(self.row);
            }
            'J' => {
                self.rows.truncate(self.row + 1);
                self.rows[self.row].truncate(self.column);
            }
            'K' => self.rows[self.row].truncate(self.column),
            'H' => (self.row, self.column) = (0, 0),
            'P' => {
                let row = &mut self.rows[self.row];
                let end = (self.column + count).min(row.len());
                if self.column < end {
                    row.drain(self.column..end);
                }
            }
            '@' => {
                let (row, at) = (&mut self.rows[self.row], self.column);
                while row.len() < at {
                    row.push(" ".to_owned());
                }
                row.splice(at..at, std::iter::repeat_n(" ".to_owned(), count));
            }
            _ => {}
        }
    }
}
