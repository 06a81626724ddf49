//! Columns of text, each as wide as its widest cell. Pure.

/// Rows of cells under a head.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
    right: Vec<bool>,
}

impl Table {
    /// A table with these columns; a name that starts with `>` is a column that is aligned to the right.
    pub(crate) fn new(head: &[&str]) -> Table {
        Table {
            right: head.iter().map(|name| name.starts_with('>')).collect(),
            head: head.iter().map(|name| name.trim_start_matches('>').to_owned()).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row. Cells that are missing stay empty, cells without a column are left out.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let mut row: Vec<String> = cells.into_iter().take(self.head.len()).collect();
        row.resize(self.head.len(), String::new());
        self.rows.push(row);
    }

    /// The lines, the head first, without spaces at their ends.
    pub(crate) fn lines(&self) -> Vec<String> {
        let widths: Vec<usize> = (0..self.head.len()).map(|column| self.width(column)).collect();
        let rows = std::iter::once(&self.head).chain(&self.rows);
        rows.map(|row| self.line(row, &widths)).collect()
    }

    fn line(&self, row: &[String], widths: &[usize]) -> String {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let space = " ".repeat(widths[column] - chars(cell));
            let (before, behind) =
                if self.right[column] { (space, String::new()) } else { (String::new(), space) };
            line.push_str(if column == 0 { "" } else { "  " });
            line.push_str(&before);
            line.push_str(cell);
            line.push_str(&behind);
        }
        line.trim_end().to_owned()
    }

    fn width(&self, column: usize) -> usize {
        let cells = std::iter::once(&self.head).chain(&self.rows).map(|row| chars(&row[column]));
        cells.max().unwrap_or(0)
    }
}

fn chars(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(&["NAME", ">PORT", "NOTE"]);
        table.row(["bill".to_owned(), "9".to_owned()]);
        table.row(["ä".to_owned(), "12345".to_owned(), "x".to_owned(), "no column".to_owned()]);
        assert_eq!(table.lines(), ["NAME   PORT  NOTE", "bill      9", "ä     12345  x"]);
    }
}
