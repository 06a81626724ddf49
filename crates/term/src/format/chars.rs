//! Characters in the forms that Erlang's I/O takes them: numbers, binaries, and lists of them however deep.

use super::FormatError;
use crate::list::Slice;
use crate::term::Term;

/// The text of `unicode:chardata()`: numbers are characters, binaries UTF-8, or Latin-1 where they are not. `None` when there
/// is something else in it.
pub fn unicode_text(term: &Term) -> Option<String> {
    let mut out = String::new();
    walk(term, |piece| {
        match piece {
            Piece::Code(code) => out.push(to_char(code)?),
            Piece::Bytes(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => out.push_str(text),
                Err(_) => out.extend(bytes.iter().map(|&byte| char::from(byte))),
            },
        }
        Some(())
    })?;
    Some(out)
}

/// The text of `unicode:chardata()` as `unicode:characters_to_list/1` reads it: what is in binaries must be UTF-8, and a
/// character may begin in one and end in the next.
pub fn strict_unicode_text(term: &Term) -> Option<String> {
    let mut out = Vec::new();
    walk(term, |piece| {
        match piece {
            Piece::Code(code) => {
                out.extend_from_slice(to_char(code)?.encode_utf8(&mut [0; 4]).as_bytes());
            }
            Piece::Bytes(bytes) => out.extend_from_slice(bytes),
        }
        Some(())
    })?;
    String::from_utf8(out).ok()
}

/// The text of `iodata()`: numbers and binaries are bytes, each of them a character of Latin-1. `None` when there is something
/// else in it.
pub fn latin1_text(term: &Term) -> Option<String> {
    let mut out = String::new();
    walk(term, |piece| {
        match piece {
            Piece::Code(code) => out.push(char::from(u8::try_from(code).ok()?)),
            Piece::Bytes(bytes) => out.extend(bytes.iter().map(|&byte| char::from(byte))),
        }
        Some(())
    })?;
    Some(out)
}

enum Piece<'a> {
    Code(i64),
    Bytes(&'a [u8]),
}

/// Walks without recursion: what comes from afar may be deep.
fn walk(term: &Term, mut visit: impl FnMut(Piece<'_>) -> Option<()>) -> Option<()> {
    let mut waiting = vec![term.clone()];
    // Alone, a number is no text.
    let mut element = false;
    while let Some(term) = waiting.pop() {
        match &term {
            Term::Binary(bytes) => visit(Piece::Bytes(bytes.as_slice()))?,
            Term::Int(code) if element => visit(Piece::Code(*code))?,
            Term::List(list) => {
                let mut runs = list.runs();
                // From the first element that is no number on, the order must be kept.
                let mut later = Vec::new();
                for run in &mut runs {
                    match run {
                        Slice::Bytes(bytes) => {
                            for &byte in bytes {
                                let code = i64::from(byte);
                                if later.is_empty() {
                                    visit(Piece::Code(code))?
                                } else {
                                    later.push(Term::Int(code))
                                }
                            }
                        }
                        Slice::Terms(items) => {
                            for item in items {
                                match item {
                                    Term::Int(code) if later.is_empty() => visit(Piece::Code(*code))?,
                                    Term::Int(_) | Term::List(_) | Term::Binary(_) => {
                                        later.push(item.clone())
                                    }
                                    _ => return None,
                                }
                            }
                        }
                    }
                }
                match runs.improper_tail() {
                    None => {}
                    Some(tail @ Term::Binary(_)) => later.push(tail.clone()),
                    Some(_) => return None,
                }
                element = true;
                waiting.extend(later.into_iter().rev());
            }
            _ => return None,
        }
    }
    Some(())
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
