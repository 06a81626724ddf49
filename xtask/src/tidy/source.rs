//! Rust source with its comments, strings and characters blanked, so that the checks see only code.

/// The same text, line for line and byte for byte, with spaces where no code is.
pub(crate) fn code_only(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let end = skip(bytes, at);
        if end == at {
            out.push(bytes[at]);
            at += 1;
        } else {
            out.extend(bytes[at..end].iter().map(|&byte| if byte == b'\n' { b'\n' } else { b' ' }));
            at = end;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Where the comment, string or character that starts at `at` ends; `at` itself when none starts there.
fn skip(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    let in_word = at > 0 && is_word(bytes[at - 1]);
    match rest {
        [b'/', b'/', ..] => at + rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len()),
        [b'/', b'*', ..] => at + block_comment(rest),
        [b'"', ..] => at + string(rest),
        [b'r' | b'b' | b'c', ..] if !in_word => prefixed(bytes, at),
        [b'\'', ..] => at + character(rest),
        _ => at,
    }
}

fn block_comment(rest: &[u8]) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at + 1 < rest.len() {
        match &rest[at..at + 2] {
            b"/*" => (depth, at) = (depth + 1, at + 2),
            b"*/" if depth == 1 => return at + 2,
            b"*/" => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
    rest.len()
}

fn string(rest: &[u8]) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// Strings that start with a letter or two: `r"…"`, `r#"…"#`, `b"…"`, `br"…"`, `c"…"`, and `b'…'`.
fn prefixed(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    let letters = rest.iter().take(2).take_while(|byte| b"rbc".contains(byte)).count();
    let hashes = rest[letters..].iter().take_while(|&&byte| byte == b'#').count();
    let raw = rest[..letters].contains(&b'r');
    match rest.get(letters + hashes) {
        Some(b'"') if raw => at + letters + raw_string(&rest[letters..], hashes),
        Some(b'"') if hashes == 0 => at + letters + string(&rest[letters..]),
        Some(b'\'') if &rest[..letters] == b"b" => at + letters + character(&rest[letters..]),
        _ => at,
    }
}

fn raw_string(rest: &[u8], hashes: usize) -> usize {
    let mut end = vec![b'"'];
    end.extend(vec![b'#'; hashes]);
    let begin = hashes + 1;
    let found = rest[begin..].windows(end.len()).position(|window| window == end);
    found.map_or(rest.len(), |at| begin + at + end.len())
}

/// A character, or nothing where the quote begins a lifetime.
fn character(rest: &[u8]) -> usize {
    if rest.get(1) == Some(&b'\\') {
        let end = rest.iter().skip(3).position(|&byte| byte == b'\'');
        return end.map_or(rest.len(), |at| at + 4);
    }
    let close = rest.iter().skip(2).take(4).position(|&byte| byte == b'\'');
    match close {
        Some(0) => 3,
        Some(more) if rest[1] >= 0x80 => more + 3,
        _ => 0,
    }
}

pub(crate) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn squeezed(text: &str) -> String {
        code_only(text).split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn comments_strings_and_characters_are_blanked() {
        assert_eq!(squeezed("a // b\nc /* d /* e */ f */ g"), "a c g");
        assert_eq!(squeezed(r#"x("{ \" {", '{', '\'', b'{', b"{")"#), "x( , , , , )");
        assert_eq!(squeezed("y(r#\"{ \" {\"#, br\"{\", c\"{\", 'é')"), "y( , , , )");
    }

    #[test]
    fn lifetimes_words_and_lines_stay() {
        assert_eq!(squeezed("fn f<'a>(x: &'a str, b: r#type)"), "fn f<'a>(x: &'a str, b: r#type)");
        assert_eq!(code_only("a \"b\nc\" d").lines().count(), 2);
    }
}
