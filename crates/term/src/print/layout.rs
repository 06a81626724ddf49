//! Breaking a term into lines, as OTP's `io_lib_pretty` does, quirks included.
//!
//! The recursion here goes as deep as the tree, which `PRETTY_LEVELS_MAX` bounds.

use super::Printer;
use super::tree::{Pair, Shape, Tree};

/// The text of a tree.
pub(super) fn lay_out(tree: &Tree, printer: &Printer<'_>) -> String {
    let column = printer.column.max(1) as i64;
    let line = printer.line_length as i64;
    let most = printer.line_characters.map_or(tree.length, |most| most as i64);
    let mut layout = Layout { line, most, tag_indent: 1, out: String::new() };
    if line == 0 || tree.is_text() || (tree.length < line - column && tree.length <= most) {
        layout.write(tree);
        return layout.out;
    }
    // Negative: elements stand below the one after the tag, however long that is.
    let fitting = [-1, 4].into_iter().find(|&indent| {
        layout.tag_indent = indent;
        layout.fits(tree, Place { column, closing: 0, used: 0 }).is_ok()
    });
    layout.tag_indent = fitting.unwrap_or(1);
    layout.tree(tree, Place { column, closing: 0, used: 0 });
    layout.out
}

pub(super) struct Layout {
    pub(super) line: i64,
    /// How many characters a line may have, its indentation not counted.
    pub(super) most: i64,
    /// How far the elements of a tagged tuple are indented.
    pub(super) tag_indent: i64,
    pub(super) out: String,
}

/// Where one is on a line.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// The column, counted from 1, in which a piece and what goes below it begin.
    pub(super) column: i64,
    /// How many brackets close after it.
    pub(super) closing: i64,
    /// How many characters the line has already.
    pub(super) used: i64,
}

/// The indentation leaves too little room.
pub(super) struct NoGood;

impl Layout {
    pub(super) fn fits_line(&self, length: i64, place: Place) -> bool {
        length < self.line - place.column - place.closing && length + place.used + place.closing <= self.most
    }

    /// Whether a further element, after a comma, goes on the same line. Nothing closes unless it is the last.
    pub(super) fn fits_after_comma(&self, length: i64, column: i64, closing: i64, used: i64) -> bool {
        let length = length + 1;
        let room = closing.max(1);
        length < self.line - column - room && used + length + room <= self.most
    }

    pub(super) fn new_line(&mut self, column: i64) {
        self.out.push('\n');
        self.out.extend(std::iter::repeat_n(' ', (column - 1).max(0) as usize));
    }

    pub(super) fn tree(&mut self, tree: &Tree, place: Place) {
        if self.fits_line(tree.length, place) {
            return self.write(tree);
        }
        let Place { column, closing, used } = place;
        match &tree.shape {
            Shape::Text(text) => self.out.push_str(text),
            Shape::Bytes(numbers) => self.bytes(numbers, Place { column: column + 2, closing, used }),
            Shape::List(items, tail) => {
                self.out.push('[');
                self.row(items, tail.as_deref(), Place { column: column + 1, closing, used: used + 1 });
                self.out.push(']');
            }
            Shape::Dots(_) => self.out.push_str("..."),
            Shape::Tuple(false, items, dots) => {
                self.out.push('{');
                self.row(items, dots.as_deref(), Place { column: column + 1, closing, used: used + 1 });
                self.out.push('}');
            }
            Shape::Tuple(true, items, dots) => {
                self.out.push('{');
                self.tagged(items, dots.as_deref(), Place { column, closing, used: used + 1 });
                self.out.push('}');
            }
            Shape::Record(name, fields, dots) => {
                self.out.push_str(name);
                self.out.push('{');
                self.record(name.chars().count() as i64, fields, place);
                self.end_record(fields, *dots);
            }
            Shape::Map(pairs, dots) => {
                self.out.push_str("#{");
                self.map(pairs, Place { column: column + 2, closing, used: used + 1 });
                self.out.push_str(if *dots { ",...}" } else { "}" });
            }
        }
    }

    fn tagged(&mut self, items: &[Tree], dots: Option<&Tree>, place: Place) {
        let Some((tag, rest)) = items.split_first() else { return };
        let Place { column, closing, used } = place;
        self.write(tag);
        let indent = tag.length + 2;
        let below = column + indent;
        if self.tag_indent > 0 && indent > self.tag_indent {
            let start = Place { column: column + self.tag_indent, closing, used: used + tag.length };
            return self.tail(rest, dots, start, below);
        }
        self.out.push(',');
        self.row(rest, dots, Place { column: below, closing, used: used + tag.length + 1 });
    }

    fn row(&mut self, items: &[Tree], tail: Option<&Tree>, place: Place) {
        let Some((first, rest)) = items.split_first() else {
            if tail.is_some() {
                self.out.push_str("...");
            }
            return;
        };
        let closing = last_closing(rest.is_empty(), place.closing);
        let width = self.element(first, Place { closing, ..place });
        let used = place.used + width;
        self.tail(rest, tail, Place { used, ..place }, place.column + width);
    }

    /// The elements after the first, the next of which would begin in column `at`.
    fn tail(&mut self, items: &[Tree], tail: Option<&Tree>, place: Place, mut at: i64) {
        let Place { column, mut used, .. } = place;
        for (index, item) in items.iter().enumerate() {
            let closing = last_closing(index + 1 == items.len(), place.closing);
            self.out.push(',');
            if item.is_text() && self.fits_after_comma(item.length, at, closing, used) {
                self.write(item);
                at += 1 + item.length;
                used += 1 + item.length;
                continue;
            }
            self.new_line(column);
            let width = self.element(item, Place { column, closing, used: 0 });
            at = column + width;
            used = width;
        }
        let Some(tail) = tail else { return };
        if let Shape::Dots(after) = tail.shape {
            self.out.push(after);
            return self.out.push_str("...");
        }
        self.out.push('|');
        let closing = place.closing + 1;
        if tail.is_text()
            && tail.length + 1 < self.line - at - closing
            && tail.length + 1 + used + closing <= self.most
        {
            return self.write(tail);
        }
        self.new_line(column);
        self.tree(tail, Place { column, closing, used: 0 });
    }

    /// How wide the element is; after one that is no plain text the line is over.
    fn element(&mut self, item: &Tree, place: Place) -> i64 {
        if item.is_text() && self.fits_line(item.length, place) {
            self.write(item);
            return item.length;
        }
        self.tree(item, place);
        self.line
    }

    fn map(&mut self, pairs: &[Pair], place: Place) {
        let Some((first, rest)) = pairs.split_first() else { return };
        let Place { column, .. } = place;
        let closing = last_closing(rest.is_empty(), place.closing);
        let mut used = self.pair(first, Place { closing, ..place });
        let mut at = column + used;
        for (index, pair) in rest.iter().enumerate() {
            let closing = last_closing(index + 1 == rest.len(), place.closing);
            self.out.push(',');
            if pair.is_text() && self.fits_after_comma(pair.length, at, closing, used) {
                self.write_pair(pair);
                at += 1 + pair.length;
                used += 1 + pair.length;
                continue;
            }
            self.new_line(column);
            used = self.pair(pair, Place { column, closing, used: 0 });
            at = column + used;
        }
    }

    fn pair(&mut self, pair: &Pair, place: Place) -> i64 {
        if self.fits_line(pair.length, place) {
            self.write_pair(pair);
            return if pair.is_text() { pair.length } else { self.line };
        }
        self.tree(&pair.key, place);
        self.out.push_str(" =>");
        let column = place.column + self.value_indent();
        self.new_line(column);
        self.tree(&pair.value, Place { column, closing: place.closing, used: 0 });
        self.line
    }

    fn value_indent(&self) -> i64 {
        if self.tag_indent > 0 { self.tag_indent } else { 4 }
    }

    fn bytes(&mut self, numbers: &[String], place: Place) {
        let room = (self.line - place.column).min(self.most - 4 - place.used) - place.closing;
        let room = room.max(8);
        let mut left = room;
        self.out.push_str("<<");
        for (index, number) in numbers.iter().enumerate() {
            let last = index + 1 == numbers.len();
            let length = number.len() as i64 + i64::from(!last);
            if left < length {
                self.new_line(place.column);
                left = room;
            }
            left -= length;
            self.out.push_str(number);
            if !last {
                self.out.push(',');
            }
        }
        self.out.push_str(">>");
    }

    /// Everything on one line.
    pub(super) fn write(&mut self, tree: &Tree) {
        match &tree.shape {
            Shape::Text(text) => self.out.push_str(text),
            Shape::Bytes(numbers) => {
                self.out.push_str("<<");
                self.out.push_str(&numbers.join(","));
                self.out.push_str(">>");
            }
            Shape::Dots(_) => self.out.push_str("..."),
            Shape::Tuple(_, items, dots) => {
                self.out.push('{');
                self.write_row(items);
                self.out.push_str(if dots.is_some() { ",...}" } else { "}" });
            }
            Shape::List(items, tail) => {
                self.out.push('[');
                self.write_row(items);
                if let Some(tail) = tail {
                    self.out.push_str(if items.is_empty() { "" } else { "|" });
                    self.write(tail);
                }
                self.out.push(']');
            }
            Shape::Record(name, fields, dots) => {
                self.out.push_str(name);
                self.out.push('{');
                for (index, field) in fields.iter().enumerate() {
                    self.out.push_str(if index == 0 { "" } else { "," });
                    self.write_field(field);
                }
                self.end_record(fields, *dots);
            }
            Shape::Map(pairs, dots) => {
                self.out.push_str("#{");
                for (index, pair) in pairs.iter().enumerate() {
                    self.out.push_str(if index == 0 { "" } else { "," });
                    self.write_pair(pair);
                }
                self.out.push_str(if *dots { ",...}" } else { "}" });
            }
        }
    }

    fn write_row(&mut self, items: &[Tree]) {
        for (index, item) in items.iter().enumerate() {
            self.out.push_str(if index == 0 { "" } else { "," });
            self.write(item);
        }
    }

    fn write_pair(&mut self, pair: &Pair) {
        self.write(&pair.key);
        self.out.push_str(" => ");
        self.write(&pair.value);
    }
}

/// The last element has one more bracket after it; nothing closes after the others.
pub(super) fn last_closing(last: bool, closing: i64) -> i64 {
    if last { closing + 1 } else { 0 }
}

/// Trying an indentation, without writing: the same walk, which fails where a tagged tuple is indented too far.
impl Layout {
    pub(super) fn fits(&self, tree: &Tree, place: Place) -> Result<(), NoGood> {
        if self.fits_line(tree.length, place) {
            return Ok(());
        }
        let Place { column, closing, used } = place;
        match &tree.shape {
            Shape::Text(_) | Shape::Bytes(_) | Shape::Dots(_) => Ok(()),
            Shape::List(items, tail) => {
                self.row_fits(items, tail.as_deref(), Place { column: column + 1, closing, used: used + 1 })
            }
            Shape::Tuple(false, items, _) => {
                self.row_fits(items, None, Place { column: column + 1, closing, used: used + 1 })
            }
            Shape::Tuple(true, items, _) => {
                self.tagged_fits(items, Place { column, closing, used: used + 1 })
            }
            Shape::Record(name, fields, _) => self.record_fits(name.chars().count() as i64, fields, place),
            Shape::Map(pairs, _) => {
                self.map_fits(pairs, Place { column: column + 2, closing, used: used + 2 })
            }
        }
    }

    fn tagged_fits(&self, items: &[Tree], place: Place) -> Result<(), NoGood> {
        let Some((tag, rest)) = items.split_first() else { return Ok(()) };
        let Place { column, closing, used } = place;
        let indent = tag.length + 2;
        let below = column + indent;
        if self.tag_indent > 0 && indent > self.tag_indent {
            let column = column + self.tag_indent;
            if self.most + column > self.line && column > self.line / 2 {
                return Err(NoGood);
            }
            return self.tail_fits(rest, None, Place { column, closing, used: used + tag.length }, below);
        }
        if self.most + below >= self.line && below >= self.line / 2 {
            return Err(NoGood);
        }
        self.row_fits(rest, None, Place { column: below, closing, used: used + tag.length + 1 })
    }

    fn row_fits(&self, items: &[Tree], tail: Option<&Tree>, place: Place) -> Result<(), NoGood> {
        let Some((first, rest)) = items.split_first() else { return Ok(()) };
        let closing = last_closing(rest.is_empty(), place.closing);
        let width = self.element_fits(first, Place { closing, ..place })?;
        self.tail_fits(rest, tail, Place { used: place.used + width, ..place }, place.column + width)
    }

    fn tail_fits(
        &self,
        items: &[Tree],
        tail: Option<&Tree>,
        place: Place,
        mut at: i64,
    ) -> Result<(), NoGood> {
        let Place { column, mut used, .. } = place;
        for (index, item) in items.iter().enumerate() {
            let closing = last_closing(index + 1 == items.len(), place.closing);
            if item.is_text() && self.fits_after_comma(item.length, at, closing, used) {
                at += 1 + item.length;
                used += 1 + item.length;
                continue;
            }
            used = self.element_fits(item, Place { column, closing, used: 0 })?;
            at = column + used;
        }
        match tail {
            Some(tail) if !tail.is_text() => {
                self.fits(tail, Place { column: at, closing: place.closing + 1, used: 0 })
            }
            _ => Ok(()),
        }
    }

    fn element_fits(&self, item: &Tree, place: Place) -> Result<i64, NoGood> {
        if item.is_text() && self.fits_line(item.length, place) {
            return Ok(item.length);
        }
        self.fits(item, place)?;
        Ok(self.line)
    }

    fn map_fits(&self, pairs: &[Pair], place: Place) -> Result<(), NoGood> {
        let Some((first, rest)) = pairs.split_first() else { return Ok(()) };
        let Place { column, .. } = place;
        let closing = last_closing(rest.is_empty(), place.closing);
        let width = self.pair_fits(first, Place { closing, ..place })?;
        let mut used = place.used + width;
        let mut at = column + width;
        for (index, pair) in rest.iter().enumerate() {
            let closing = last_closing(index + 1 == rest.len(), place.closing);
            if pair.is_text() && self.fits_after_comma(pair.length, at, closing, used) {
                at += 1 + pair.length;
                used += 1 + pair.length;
                continue;
            }
            used = self.pair_fits(pair, Place { column, closing, used: 0 })?;
            at = column + used;
        }
        Ok(())
    }

    fn pair_fits(&self, pair: &Pair, place: Place) -> Result<i64, NoGood> {
        if self.fits_line(pair.length, place) {
            return Ok(if pair.is_text() { pair.length } else { self.line });
        }
        self.fits(&pair.key, place)?;
        let column = place.column + self.value_indent();
        self.fits(&pair.value, Place { column, closing: place.closing, used: 0 })?;
        Ok(self.line)
    }
}
