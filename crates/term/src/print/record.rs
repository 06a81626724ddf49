//! Records among the tuples: `#name{field = Value}`, broken into lines as `io_lib_pretty` does.

use super::Printer;
use super::layout::{Layout, NoGood, Place, last_closing};
use super::text::write_atom;
use super::tree::{Kind, Pair, Shape, Tree};
use crate::term::Term;

/// The record that a tuple is, to be opened.
pub(super) fn of<'a>(items: &'a [Term], printer: &Printer<'_>) -> Option<Kind<'a>> {
    let (name, values) = items.split_first()?;
    let name = name.as_atom()?;
    let fields = printer.records?.fields(name, values.len())?;
    let written = |name: &crate::atom::Atom| {
        let mut out = String::new();
        // A String takes everything.
        let _ = write_atom(&mut out, name.as_str(), true);
        out
    };
    let fields: Vec<String> = fields.iter().map(written).collect();
    Some(Kind::Record {
        name: format!("#{}", written(name)),
        fields: fields.into_iter(),
        terms: values.iter(),
    })
}

/// The piece it is when its values are measured.
pub(super) fn close(name: String, fields: std::vec::IntoIter<String>, values: Vec<Tree>, dots: bool) -> Tree {
    let mut length = name.chars().count() as i64 + 1 + if dots { 4 } else { 0 };
    let mut pairs = Vec::with_capacity(values.len());
    for (field, value) in fields.zip(values) {
        let key = Tree::text(field);
        let pair = Pair { length: key.length + 3 + value.length, key, value };
        length += pair.length + 1;
        pairs.push(pair);
    }
    // Without a field there is no comma, but both brackets are there.
    if pairs.is_empty() {
        length += if dots { 0 } else { 1 };
    }
    Tree { length, shape: Shape::Record(name, pairs, dots) }
}

impl Layout {
    pub(super) fn end_record(&mut self, fields: &[Pair], dots: bool) {
        self.out.push_str(match (dots, fields.is_empty()) {
            (false, _) => "}",
            (true, false) => ",...}",
            (true, true) => "...}",
        });
    }

    pub(super) fn write_field(&mut self, field: &Pair) {
        self.write(&field.key);
        self.out.push_str(" = ");
        self.write(&field.value);
    }

    /// The fields, behind a name and a bracket.
    pub(super) fn record(&mut self, name: i64, fields: &[Pair], place: Place) {
        let Some((first, rest)) = fields.split_first() else { return };
        let place = self.indented(name + 1, Place { used: place.used + name + 1, ..place });
        let column = place.column;
        let closing = last_closing(rest.is_empty(), place.closing);
        let width = self.field(first, Place { closing, ..place });
        let (mut at, mut used) = (column + width, place.used + width);
        for (index, field) in rest.iter().enumerate() {
            let closing = last_closing(index + 1 == rest.len(), place.closing);
            self.out.push(',');
            if field.is_text() && self.fits_after_comma(field.length, at, closing, used) {
                self.write_field(field);
                at += 1 + field.length;
                used += 1 + field.length;
                continue;
            }
            self.new_line(column);
            used = self.field(field, Place { column, closing, used: 0 });
            at = column + used;
        }
    }

    /// Where what stands behind so many characters goes on: there, or on a line of its own.
    fn indented(&mut self, width: i64, place: Place) -> Place {
        if self.tag_indent > 0 && width > self.tag_indent {
            let column = place.column + self.tag_indent;
            self.new_line(column);
            return Place { column, used: 0, ..place };
        }
        Place { column: place.column + width, ..place }
    }

    fn field(&mut self, field: &Pair, place: Place) -> i64 {
        if self.fits_line(field.length, place) {
            self.write_field(field);
            return if field.is_text() { field.length } else { self.line };
        }
        self.write(&field.key);
        self.out.push_str(" =");
        let before = self.out.len();
        let name = field.key.length + 3;
        let place = self.indented(name, Place { used: place.used + name, ..place });
        if self.out.len() == before {
            self.out.push(' ');
        }
        self.tree(&field.value, place);
        self.line
    }

    /// The same walk without writing.
    pub(super) fn record_fits(&self, name: i64, fields: &[Pair], place: Place) -> Result<(), NoGood> {
        let Some((first, rest)) = fields.split_first() else { return Ok(()) };
        let place =
            self.indented_fits(name + 1, self.most, Place { used: place.used + name + 1, ..place })?;
        let column = place.column;
        let closing = last_closing(rest.is_empty(), place.closing);
        let width = self.field_fits(first, Place { closing, ..place })?;
        let (mut at, mut used) = (column + width, place.used + width);
        for (index, field) in rest.iter().enumerate() {
            let closing = last_closing(index + 1 == rest.len(), place.closing);
            if field.is_text() && self.fits_after_comma(field.length, at, closing, used) {
                at += 1 + field.length;
                used += 1 + field.length;
                continue;
            }
            used = self.field_fits(field, Place { column, closing, used: 0 })?;
            at = column + used;
        }
        Ok(())
    }

    fn indented_fits(&self, width: i64, most: i64, place: Place) -> Result<Place, NoGood> {
        let below = self.tag_indent > 0 && width > self.tag_indent;
        let column = place.column + if below { self.tag_indent } else { width };
        if most + column <= self.line || column <= self.line / 2 {
            return Ok(Place { column, used: if below { 0 } else { place.used }, ..place });
        }
        Err(NoGood)
    }

    fn field_fits(&self, field: &Pair, place: Place) -> Result<i64, NoGood> {
        if self.fits_line(field.length, place) {
            return Ok(if field.is_text() { field.length } else { self.line });
        }
        let name = field.key.length + 3;
        let inner = self.indented_fits(name, self.line, Place { used: place.used + name, ..place })?;
        self.fits(&field.value, inner)?;
        Ok(self.line)
    }
}
