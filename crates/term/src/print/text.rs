//! The text of atoms, strings and numbers, quoted and escaped as Erlang has it.

use std::fmt::{Result, Write};

use crate::convert::text_of;
use crate::list::List;

/// What is never written without quotes (OTP 25's words; `maybe` and `else` came later).
pub(crate) const RESERVED: [&str; 27] = [
    "after", "and", "andalso", "band", "begin", "bnot", "bor", "bsl", "bsr", "bxor", "case", "catch", "cond",
    "div", "end", "fun", "if", "let", "not", "of", "or", "orelse", "receive", "rem", "try", "when", "xor",
];

/// Writes the text of an atom, in quotes where it needs them. Without `unicode`, characters from 256 on are
/// escaped, as `~w` does and `~tw` does not.
///
/// # Errors
/// When `out` fails.
pub fn write_atom(out: &mut impl Write, text: &str, unicode: bool) -> Result {
    if needs_quotes(text) { write_quoted(out, text.chars(), '\'', unicode) } else { out.write_str(text) }
}

/// Writes an atom of `fun m:f/1`, which the emulator itself prints, with rules of its own: it knows no reserved
/// words, quotes `@`, never escapes what is not a control character, and has fewer short escapes.
pub(super) fn write_fun_atom(out: &mut impl Write, text: &str) -> Result {
    if is_word(text, |c| c == '_') {
        return out.write_str(text);
    }
    out.write_char('\'')?;
    for c in text.chars() {
        match c {
            '\'' | '\\' => write!(out, "\\{c}")?,
            '\n' => out.write_str("\\n")?,
            '\r' => out.write_str("\\r")?,
            '\t' => out.write_str("\\t")?,
            '\u{b}' => out.write_str("\\v")?,
            '\u{8}' => out.write_str("\\b")?,
            '\u{c}' => out.write_str("\\f")?,
            '\u{0}'..='\u{1f}' | '\u{80}'..='\u{9f}' => write!(out, "\\{:03o}", u32::from(c))?,
            _ => out.write_char(c)?,
        }
    }
    out.write_char('\'')
}

fn needs_quotes(text: &str) -> bool {
    !is_word(text, |c| c == '_' || c == '@') || RESERVED.binary_search(&text).is_ok()
}

/// Whether a text is a small letter and then letters, digits and what `more` allows. Letters are Latin-1.
fn is_word(text: &str, more: fn(char) -> bool) -> bool {
    let mut characters = text.chars();
    let small = |c: char| c.is_ascii_lowercase() || (('ß'..='ÿ').contains(&c) && c != '÷');
    let capital = |c: char| c.is_ascii_uppercase() || (('À'..='Þ').contains(&c) && c != '×');
    characters.next().is_some_and(small)
        && characters.all(|c| small(c) || capital(c) || c.is_ascii_digit() || more(c))
}

/// Writes characters between quotes.
pub(super) fn write_quoted(
    out: &mut impl Write,
    text: impl Iterator<Item = char>,
    quote: char,
    unicode: bool,
) -> Result {
    out.write_char(quote)?;
    for c in text {
        match c {
            _ if c == quote => write!(out, "\\{c}")?,
            '\\' => out.write_str("\\\\")?,
            ' '..='~' | '\u{a0}'..='\u{ff}' => out.write_char(c)?,
            '\u{100}'.. if unicode => out.write_char(c)?,
            '\u{100}'.. => write!(out, "\\x{{{:X}}}", u32::from(c))?,
            '\n' => out.write_str("\\n")?,
            '\r' => out.write_str("\\r")?,
            '\t' => out.write_str("\\t")?,
            '\u{b}' => out.write_str("\\v")?,
            '\u{8}' => out.write_str("\\b")?,
            '\u{c}' => out.write_str("\\f")?,
            '\u{1b}' => out.write_str("\\e")?,
            '\u{7f}' => out.write_str("\\d")?,
            _ => write!(out, "\\{:03o}", u32::from(c))?,
        }
    }
    out.write_char(quote)
}

/// Writes the shortest text that reads as the same float: plain or with an exponent, what is shorter.
///
/// # Errors
/// When `out` fails.
pub fn write_float(out: &mut impl Write, number: f64) -> Result {
    /// From 2^53 on not every whole number is a float, so digits before the point would promise too much.
    const PLAIN_BELOW: f64 = 9_007_199_254_740_992.0;
    let shortest = format!("{:e}", number.abs());
    // Of two shortest texts that are equally close, the one with the even digit.
    let digits = shortest.bytes().take_while(|&byte| byte != b'e').filter(u8::is_ascii_digit).count();
    let scientific = format!("{:.*e}", digits.saturating_sub(1), number.abs());
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let point = if mantissa.contains('.') { "" } else { ".0" };
    let scientific = format!("{mantissa}{point}e{exponent}");
    if number.is_sign_negative() {
        out.write_char('-')?;
    }
    let plain = spell_out(&mantissa.replace('.', ""), exponent.parse().unwrap_or(0));
    if number.abs() < PLAIN_BELOW && plain.len() <= scientific.len() {
        return out.write_str(&plain);
    }
    out.write_str(&scientific)
}

/// A number without its exponent, which is that of its first digit.
fn spell_out(digits: &str, exponent: i32) -> String {
    let whole = usize::try_from(exponent + 1).unwrap_or(0);
    if whole == 0 {
        return format!("0.{}{digits}", "0".repeat(exponent.unsigned_abs() as usize - 1));
    }
    match digits.split_at_checked(whole) {
        Some((whole, part)) if !part.is_empty() => format!("{whole}.{part}"),
        _ => format!("{digits:0<whole$}.0"),
    }
}

/// Whether a character is shown as it is in strings.
pub(super) fn is_printable(c: char, unicode: bool) -> bool {
    match c {
        ' '..='~' | '\u{a0}'..='\u{ff}' => true,
        '\n' | '\r' | '\t' | '\u{b}' | '\u{8}' | '\u{c}' | '\u{1b}' => true,
        '\u{fffe}' | '\u{ffff}' => false,
        '\u{100}'.. => unicode,
        _ => false,
    }
}

/// The text of a list that is printed as a string. `[]` is not.
pub(super) fn printable_list(list: &List, unicode: bool) -> Option<String> {
    let text = text_of(list)?;
    if text.is_empty() || !text.chars().all(|c| is_printable(c, unicode)) { None } else { Some(text) }
}

/// The text of a binary that is printed as a string, and whether it is to be read as UTF-8.
pub(super) fn printable_binary(bytes: &[u8], utf8: bool, unicode: bool) -> Option<(String, bool)> {
    if utf8 && let Ok(text) = std::str::from_utf8(bytes) {
        let printable = text.chars().all(|c| is_printable(c, unicode));
        return if printable { Some((text.into(), !text.is_ascii())) } else { None };
    }
    let text = || bytes.iter().map(|&byte| char::from(byte));
    if text().all(|c| is_printable(c, false)) { Some((text().collect(), false)) } else { None }
}
