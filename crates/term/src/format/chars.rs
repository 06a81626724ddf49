//! Characters in the forms that Erlang's I/O takes them: numbers, binaries, and lists of them however deep.

use super::FormatError;
use crate::list::Slice;
use crate::term::Term;

/// The text of `unicode:chardata()`: numbers are characters, binaries UTF-8, or Latin-1 where they are not. `None` when there
/// is something else in it.
pub fn unicode_text(term: &Term) -> Option<String> {
    text_of(
        term,
        |c| Some(c),
        |bytes, out| match std::str::from_utf8(bytes) {
            Ok(text) => out.push_str(text),
            Err(_) => out.extend(bytes.iter().map(|&byte| char::from(byte))),
        },
    )
}

/// The text of `iodata()`: numbers and binaries are bytes, each of them a character of Latin-1. `None` when there is something
/// else in it.
pub fn latin1_text(term: &Term) -> Option<String> {
    let byte = |c: char| Some(c).filter(|c| *c <= 'ÿ');
    text_of(term, byte, |bytes, out| out.extend(bytes.iter().map(|&byte| char::from(byte))))
}

/// Walks without recursion: what comes from afar may be deep.
fn text_of(
    term: &Term,
    number: impl Fn(char) -> Option<char>,
    binary: impl Fn(&[u8], &mut String),
) -> Option<String> {
    let mut out = String::new();
    let mut waiting = vec![term.clone()];
    // Only a whole term, or the tail of a list, may be a binary or a list; a number must be an element.
    let mut element = false;
    while let Some(term) = waiting.pop() {
        match &term {
            Term::Binary(bytes) => binary(bytes.as_slice(), &mut out),
            Term::List(list) => {
                let mut runs = list.runs();
                let mut nested = Vec::new();
                for run in &mut runs {
                    match run {
                        Slice::Bytes(bytes) if nested.is_empty() => {
                            out.extend(bytes.iter().map(|&byte| char::from(byte)));
                        }
                        Slice::Bytes(bytes) => {
                            nested.extend(bytes.iter().map(|&byte| Term::Int(byte.into())))
                        }
                        Slice::Terms(items) => {
                            for item in items {
                                match item {
                                    Term::Int(code) if nested.is_empty() => {
                                        out.push(number(to_char(*code)?)?)
                                    }
                                    Term::Int(_) | Term::List(_) | Term::Binary(_) => {
                                        nested.push(item.clone())
                                    }
                                    _ => return None,
                                }
                            }
                        }
                    }
                }
                match runs.improper_tail() {
                    None => {}
                    Some(tail @ Term::Binary(_)) => nested.push(tail.clone()),
                    Some(_) => return None,
                }
                element = true;
                waiting.extend(nested.into_iter().rev());
            }
            Term::Int(code) if element => out.push(number(to_char(*code)?)?),
            _ => return None,
        }
    }
    Some(out)
}

fn to_char(code: i64) -> Option<char> {
    u32::try_from(code).ok().and_then(char::from_u32)
}

/// The character of `~c`: of a larger number, its last eight bits are meant unless there is a `t`.
pub(super) fn character(term: &Term, unicode: bool) -> Result<char, FormatError> {
    let code = match term {
        Term::Int(code) if unicode => *code,
        Term::Int(code) => code & 255,
        Term::Big(code) if !unicode => {
            let low = num_bigint::BigInt::clone(code) & num_bigint::BigInt::from(255);
            i64::try_from(low).map_err(|_| FormatError::BadArgument)?
        }
        _ => return Err(FormatError::BadArgument),
    };
    to_char(code).ok_or(FormatError::BadArgument)
}
