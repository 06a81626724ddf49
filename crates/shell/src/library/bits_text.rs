//! Text from chardata, where it is well formed.

use trunkline::term::Term;

/// The characters of chardata: deep lists of characters and of binaries in UTF-8.
pub(crate) fn chars(term: &Term) -> Option<String> {
    let mut text = String::new();
    let mut todo = vec![term.clone()];
    while let Some(next) = todo.pop() {
        match next {
            Term::Int(c) => text.push(char::from_u32(u32::try_from(c).ok()?)?),
            Term::Binary(bytes) => text.push_str(std::str::from_utf8(bytes.as_slice()).ok()?),
            Term::List(list) => {
                if let Some((first, rest)) = list.uncons() {
                    if !matches!(rest, Term::List(_) | Term::Binary(_)) {
                        return None;
                    }
                    todo.push(rest);
                    todo.push(first);
                }
            }
            _ => return None,
        }
    }
    matches!(term, Term::List(_) | Term::Binary(_)).then_some(text)
}
