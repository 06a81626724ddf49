//! `io_lib:format/2`: text from a format and its arguments, as OTP makes it.
//!
//! ```
//! use trunkline_term::{Term, format::Formatter, print::Names, term};
//!
//! let formatter = Formatter::new(&Names);
//! let text = formatter.format(&Term::string("~s has ~p~n"), &term!([joe, [1, {a, b}]]));
//! assert_eq!(text.unwrap(), "joe has [1,{a,b}]\n");
//! ```

mod chars;
mod field;
mod floats;
mod spec;

use crate::limits::FORMAT_BYTES_MAX;
use crate::print::{NodeNumbers, Printer};
use crate::term::Term;

pub use chars::{latin1_text, strict_unicode_text, unicode_text};
use field::Field;
use spec::{Piece, Spec};

/// A format and its arguments do not go together, or their text would be too long. Erlang says `badarg` to both.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FormatError {
    /// Arguments too few, too many or of the wrong kind; a control sequence that does not exist; a character that does not.
    #[error("badarg: the format and its arguments do not go together")]
    BadArgument,
    /// The text would have more than [`FORMAT_BYTES_MAX`] bytes.
    #[error("badarg: the text would have more than {FORMAT_BYTES_MAX} bytes")]
    TooLong,
}

/// Formats as a node does. The defaults are those of OTP 25.
#[derive(Clone, Copy, Debug)]
pub struct Formatter<'a> {
    printer: Printer<'a>,
}

impl<'a> Formatter<'a> {
    /// A formatter that shows identifiers with these numbers.
    pub fn new(numbers: &'a dyn NodeNumbers) -> Formatter<'a> {
        Formatter { printer: Printer::new(numbers) }
    }

    /// As a node started with `+pc unicode` formats: `~tp` shows lists of any printable text as strings.
    #[must_use]
    pub fn unicode_strings(self) -> Formatter<'a> {
        Formatter { printer: Printer { unicode_strings: true, ..self.printer } }
    }

    /// The text of `io_lib:format(Format, Arguments)`. The format is an atom, characters or a binary of Latin-1.
    ///
    /// Where OTP counts graphemes (`~ts` with a width) this counts characters; a number that is no character is refused.
    ///
    /// # Errors
    /// Where OTP raises `badarg`, and when the text becomes too long.
    pub fn format(&self, format: &Term, arguments: &Term) -> Result<String, FormatError> {
        let pieces = spec::scan(format, arguments)?;
        let mut out = Text { text: String::new(), column: 0, seen: 0 };
        for piece in &pieces {
            match piece {
                Piece::Char(c) => out.text.push(*c),
                Piece::Chars(term) => out.text.push_str(&unicode_text(term).ok_or(FormatError::BadArgument)?),
                Piece::Control(spec) => self.control(spec, &mut out)?,
            }
            if out.text.len() > FORMAT_BYTES_MAX {
                return Err(FormatError::TooLong);
            }
        }
        Ok(out.text)
    }

    fn control(&self, spec: &Spec, out: &mut Text) -> Result<(), FormatError> {
        let field = Field::of(spec)?;
        let text = match spec.control {
            'w' | 'W' => field.term(self.printer_for(spec)?.write(spec.argument(0)?)),
            'p' | 'P' => self.pretty(spec, &field, out),
            's' => field.string(string(spec)?),
            'e' => floats::e(float(spec)?, &field),
            'f' => floats::f(float(spec)?, &field),
            'g' => floats::g(float(spec)?, &field),
            'b' | 'B' | 'x' | 'X' | '+' | '#' => field.integer(spec),
            'c' => field.character(chars::character(spec.argument(0)?, spec.unicode)?),
            '~' => field.character('~'),
            'n' => field.newline(),
            'i' => Ok(String::new()),
            _ => Err(FormatError::BadArgument),
        }?;
        out.text.push_str(&text);
        Ok(())
    }

    /// A field is the end of the line here, a precision the column where the term begins.
    fn pretty(&self, spec: &Spec, field: &Field, out: &mut Text) -> Result<String, FormatError> {
        if field.left {
            return Err(FormatError::BadArgument);
        }
        let printer = Printer {
            line_length: field.width.unwrap_or(80),
            column: field.precision.unwrap_or_else(|| out.column() + 1),
            ..self.printer_for(spec)?
        };
        Ok(printer.pretty(spec.argument(0)?))
    }

    fn printer_for(&self, spec: &Spec) -> Result<Printer<'a>, FormatError> {
        let depth = match spec.control {
            'W' | 'P' => match spec.argument(1)? {
                // Negative: no end.
                Term::Int(depth) => usize::try_from(*depth).ok(),
                Term::Big(_) => None,
                _ => return Err(FormatError::BadArgument),
            },
            _ => None,
        };
        Ok(Printer { unicode: spec.unicode, strings: !spec.plain, depth, ..self.printer })
    }
}

fn string(spec: &Spec) -> Result<String, FormatError> {
    let text = match spec.argument(0)? {
        Term::Atom(atom) => Some(atom.to_string()),
        other if spec.unicode => unicode_text(other),
        other => latin1_text(other),
    };
    let text = text.ok_or(FormatError::BadArgument)?;
    if spec.unicode || text.chars().all(|c| c <= 'ÿ') { Ok(text) } else { Err(FormatError::BadArgument) }
}

fn float(spec: &Spec) -> Result<f64, FormatError> {
    match spec.argument(0)? {
        Term::Float(number) if number.is_finite() => Ok(*number),
        _ => Err(FormatError::BadArgument),
    }
}

/// What was formatted so far, and where its line stands: `~p` begins there.
struct Text {
    text: String,
    column: usize,
    /// Up to which byte the column is counted.
    seen: usize,
}

impl Text {
    fn column(&mut self) -> usize {
        for c in self.text[self.seen..].chars() {
            self.column = match c {
                '\n' => 0,
                '\t' => (self.column + 8) / 8 * 8,
                _ => self.column + 1,
            };
        }
        self.seen = self.text.len();
        self.column
    }
}

#[cfg(test)]
mod tests;
