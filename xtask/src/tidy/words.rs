//! Words that have no place in the repository: paths of one machine, promises instead of code, escape hatches.

use super::Fault;
use super::source::{code_only, is_word};

/// Forbidden in every text file. Written in two halves, so that this file passes its own check.
const EVERYWHERE: [&str; 5] = [
    concat!("/wo", "rk/"),
    concat!("/tmp", "/t-"),
    concat!("/ro", "ot/"),
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
];

/// Forbidden in the code of Rust files; comments and strings may speak of them.
const IN_CODE: [&str; 2] = [concat!("db", "g!"), concat!("uns", "afe")];

/// Checks one text file.
pub(crate) fn faults(place: &str, text: &str) -> Vec<Fault> {
    let mut found = search(place, text, &EVERYWHERE);
    if place.ends_with(".rs") {
        found.extend(search(place, &code_only(text), &IN_CODE));
    }
    found
}

fn search(place: &str, text: &str, words: &[&str]) -> Vec<Fault> {
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for word in words.iter().filter(|word| contains_word(line, word)) {
            found.push(Fault::new(format!("{place}:{}", index + 1), format!("`{word}` has no place here")));
        }
    }
    found
}

/// Whether `word` is in `line` and is not a part of a longer word.
fn contains_word(line: &str, word: &str) -> bool {
    let bytes = line.as_bytes();
    let bounded = |edge: Option<&u8>, end: u8| !is_word(end) || !edge.is_some_and(|&byte| is_word(byte));
    line.match_indices(word).any(|(at, _)| {
        let (first, last) = (word.as_bytes()[0], word.as_bytes()[word.len() - 1]);
        bounded(at.checked_sub(1).and_then(|before| bytes.get(before)), first)
            && bounded(bytes.get(at + word.len()), last)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_forbidden_word_is_found_with_its_line() {
        for word in EVERYWHERE {
            let found = faults("notes.md", &format!("fine\nsee {word}x here {word}\n"));
            assert_eq!(found.len(), 1, "{word}");
            assert_eq!(found[0].place, "notes.md:2");
        }
        for word in IN_CODE {
            assert_eq!(faults("a.rs", &format!("{word} {{ }}\n")).len(), 1, "{word}");
            assert_eq!(faults("a.rs", &format!("// no {word}\n")), [], "{word}");
            assert_eq!(faults("a.md", &format!("no {word}\n")), [], "{word}");
        }
    }

    #[test]
    fn a_part_of_a_longer_word_is_fine() {
        assert_eq!(faults("a.rs", concat!("#![deny(uns", "afe_code)]")), []);
        assert_eq!(faults("a.md", concat!("MASTO", "DON TO", "DOS")), []);
    }

    #[test]
    fn the_check_passes_itself() {
        assert_eq!(faults("words.rs", include_str!("words.rs")), []);
    }
}
