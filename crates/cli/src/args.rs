//! Words of the command line: single dashes become double ones. Pure.

use std::ffi::OsString;

/// Turns `-sname` into `--sname`, as Erlang's users type it. One letter (`-d`), a lone `-`, numbers and everything
/// behind `--` stay as they are.
pub(crate) fn with_double_dashes(words: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut literal = false;
    let normal = words.into_iter().map(|word| {
        literal |= word == "--";
        match word.to_str() {
            Some(text) if !literal && is_single_dashed(text) => OsString::from(format!("-{text}")),
            _ => word,
        }
    });
    normal.collect()
}

fn is_single_dashed(text: &str) -> bool {
    let mut chars = text.chars();
    let dashed = chars.next() == Some('-') && chars.next().is_some_and(|letter| letter.is_ascii_alphabetic());
    dashed && chars.next().is_some_and(|more| more != '=')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normal(line: &str) -> String {
        let words = with_double_dashes(line.split(' ').map(OsString::from));
        words.into_iter().map(|word| word.into_string().unwrap()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_single_dash_before_a_word_counts_as_two() {
        assert_eq!(normal("t ping -sname a b@c -setcookie=x"), "t ping --sname a b@c --setcookie=x");
        assert_eq!(normal("t epmd -daemon --port 5"), "t epmd --daemon --port 5");
    }

    #[test]
    fn letters_numbers_and_literals_keep_their_dash() {
        assert_eq!(normal("t epmd -d - -1 -- -name"), "t epmd -d - -1 -- -name");
    }
}
