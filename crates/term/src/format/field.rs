//! Fields: how texts are padded and cut (`io_lib_format:term/5`, `string/6`, `char/5`).

use num_bigint::BigInt;

use super::spec::Spec;
use super::{FormatError, latin1_text, unicode_text};
use crate::limits::FORMAT_BYTES_MAX;
use crate::term::Term;

/// The room for a text, in characters.
pub(super) struct Field {
    pub(super) width: Option<usize>,
    pub(super) left: bool,
    pub(super) precision: Option<usize>,
    pad: char,
}

const BAD: FormatError = FormatError::BadArgument;

impl Field {
    pub(super) fn of(spec: &Spec) -> Result<Field, FormatError> {
        let room = |number: i64| match usize::try_from(number) {
            Ok(number) if number > FORMAT_BYTES_MAX => Err(FormatError::TooLong),
            Ok(number) => Ok(number),
            Err(_) => Err(BAD),
        };
        let left = spec.width.is_some_and(|width| width < 0);
        let width = spec.width.map(|width| room(width.saturating_abs())).transpose()?;
        // Of a column nobody needs to be afraid, nor of a base.
        let precision = match spec.control {
            'p' | 'P' => spec.precision.map(|column| usize::try_from(column).unwrap_or(1)),
            _ => spec.precision.map(room).transpose()?,
        };
        Ok(Field { width, left, precision, pad: spec.pad })
    }

    /// The same field with another precision.
    pub(super) fn precise(&self, precision: usize) -> Field {
        Field { width: self.width, left: self.left, precision: Some(precision), pad: self.pad }
    }

    fn pads(&self, count: usize) -> String {
        repeat(self.pad, count)
    }

    fn adjust(&self, text: String, pads: usize) -> String {
        match (pads, self.left) {
            (0, _) => text,
            (_, true) => text + &self.pads(pads),
            (_, false) => self.pads(pads) + &text,
        }
    }

    /// A text that must not be cut: stars stand for one that is too long.
    pub(super) fn term(&self, text: String) -> Result<String, FormatError> {
        let Some(width) = self.width.or(self.precision) else { return Ok(text) };
        let length = text.chars().count();
        let most = length.min(self.precision.map_or(width, |precision| precision.min(width)));
        if length > most {
            return Ok(self.adjust(repeat('*', most), width - most));
        }
        Ok(self.adjust(text, width - length))
    }

    /// A number's text, as wide as the field.
    pub(super) fn number(&self, text: String) -> Result<String, FormatError> {
        match self.width {
            None => Ok(text),
            width => Field { precision: width, width, ..*self }.term(text),
        }
    }

    /// A text that is cut where it is too long.
    pub(super) fn string(&self, text: String) -> Result<String, FormatError> {
        let length = text.chars().count();
        let cut = |most: usize| text.chars().take(most).collect::<String>();
        let (width, precision) = match (self.width, self.precision) {
            (None, None) => return Ok(text),
            (Some(width), None) => (width, width.min(length)),
            (None, Some(precision)) => {
                let field = Field { left: true, width: Some(precision), precision: None, ..*self };
                return field.string(text);
            }
            (Some(width), Some(precision)) if width < precision => return Err(BAD),
            (Some(width), Some(precision)) if width == precision => (width, width.min(length)),
            (Some(width), Some(precision)) => (width, precision),
        };
        let shown = if length > precision { cut(precision) } else { text + &self.pads(precision - length) };
        Ok(self.adjust(shown, width - precision))
    }

    pub(super) fn character(&self, c: char) -> Result<String, FormatError> {
        match (self.width, self.precision) {
            (None, None) => Ok(c.into()),
            (Some(count), None) | (None, Some(count)) => Ok(repeat(c, count)),
            (Some(width), Some(count)) if width >= count => Ok(self.adjust(repeat(c, count), width - count)),
            _ => Err(BAD),
        }
    }

    pub(super) fn newline(&self) -> Result<String, FormatError> {
        if self.left { Err(BAD) } else { Ok(repeat('\n', self.width.unwrap_or(1))) }
    }

    pub(super) fn integer(&self, spec: &Spec) -> Result<String, FormatError> {
        let base = self.precision.unwrap_or(10);
        let base = u32::try_from(base).ok().filter(|base| (2..=36).contains(base)).ok_or(BAD)?;
        let number = match spec.argument(0)? {
            Term::Int(number) => BigInt::from(*number),
            Term::Big(number) => BigInt::clone(number),
            _ => return Err(BAD),
        };
        let prefix = match spec.control {
            'x' | 'X' => prefix_of(spec.argument(1)?)?,
            '+' | '#' => format!("{base}#"),
            _ => String::new(),
        };
        let mut digits = number.magnitude().to_str_radix(base);
        if matches!(spec.control, 'B' | 'X' | '#') {
            digits.make_ascii_uppercase();
        }
        let sign = if number.sign() == num_bigint::Sign::Minus { "-" } else { "" };
        Field { precision: None, ..*self }.term(format!("{sign}{prefix}{digits}"))
    }
}

fn prefix_of(prefix: &Term) -> Result<String, FormatError> {
    match prefix {
        Term::Atom(atom) => Ok(atom.to_string()),
        // Characters without binaries among them; one who mixes them in is not worth a walk of its own.
        Term::List(_) => latin1_text(prefix).or_else(|| unicode_text(prefix)).ok_or(BAD),
        _ => Err(BAD),
    }
}

fn repeat(c: char, count: usize) -> String {
    std::iter::repeat_n(c, count).collect()
}
