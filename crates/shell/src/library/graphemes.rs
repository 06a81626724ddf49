//! Texts by what people take for one character, and their cases.

use trunkline::term::Term;
use unicode_segmentation::UnicodeSegmentation;

use super::convert::string;

/// The clusters of a text as Erlang has them: a character, or a list of several.
pub(super) fn clusters(text: &str) -> Vec<Term> {
    let cluster = |cluster: &str| {
        let mut chars = cluster.chars();
        match (chars.next(), chars.next()) {
            (Some(c), None) => Term::Int(c as i64),
            _ => string(cluster),
        }
    };
    text.graphemes(true).map(cluster).collect()
}

/// How many there are.
pub(super) fn count(text: &str) -> usize {
    if text.is_ascii() && !text.contains('\r') { text.len() } else { text.graphemes(true).count() }
}

/// The text with its clusters in the opposite order.
pub(super) fn reversed(text: &str) -> String {
    text.graphemes(true).rev().collect()
}

/// The first cluster, and how many bytes it has.
pub(super) fn first(text: &str) -> Option<(Term, usize)> {
    let first = text.graphemes(true).next()?;
    Some((clusters(first).pop()?, first.len()))
}

/// Upper case; what is one character can become several.
pub(super) fn upper(text: &str) -> String {
    text.chars().flat_map(char::to_uppercase).collect()
}

/// Lower case, each character by itself.
pub(super) fn lower(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

/// What texts are compared by that differ only in case.
pub(super) fn folded(text: &str) -> String {
    let mut folded = String::new();
    for c in text.chars() {
        match c {
            // The dotless i, and the capitals of Cherokee, stand for themselves.
            '\u{131}' | '\u{13a0}'..='\u{13f5}' => folded.push(c),
            '\u{13f8}'..='\u{13fd}' => folded.extend(char::from_u32(c as u32 - 8)),
            '\u{ab70}'..='\u{abbf}' => folded.extend(char::from_u32(c as u32 - 0xab70 + 0x13a0)),
            '\u{1e9e}' => folded.push_str("ss"),
            _ => folded.extend(c.to_uppercase().flat_map(char::to_lowercase)),
        }
    }
    folded
}

/// The first character as words begin in titles, the rest as it is.
pub(super) fn titled(text: &str) -> String {
    let mut rest = text.chars();
    let Some(first) = rest.next() else { return String::new() };
    title(first) + rest.as_str()
}

/// `ß` begins a word as `Ss`, `ǆ` as `ǅ`.
fn title(c: char) -> String {
    let code = c as u32;
    let one = |code: u32| char::from_u32(code).map(String::from).unwrap_or_default();
    match code {
        // Letters of Georgian have capitals, but words do not begin with them.
        0x10d0..=0x10ff => one(code),
        0x1c4..=0x1cc => one((code - 0x1c4) / 3 * 3 + 0x1c5),
        0x1f1..=0x1f3 => one(0x1f2),
        // With the iota below: it stays below.
        0x1f80..=0x1faf => one(code | 8),
        0x1fb3 | 0x1fc3 | 0x1ff3 => one(code + 9),
        0x1fbc | 0x1fcc | 0x1ffc => one(code),
        0x149 => c.to_uppercase().collect(),
        _ => {
            let mut capitals = c.to_uppercase();
            let mut text: String = capitals.next().into_iter().collect();
            for c in capitals {
                match c {
                    '\u{399}' => text.push('\u{345}'),
                    c => text.extend(c.to_lowercase()),
                }
            }
            text
        }
    }
}

/// How alike two texts are, from 0 to 1: `string:jaro_similarity/2`.
pub(super) fn jaro(one: &str, two: &str) -> f64 {
    let (one, two) = (clusters(one), clusters(two));
    if one.is_empty() && two.is_empty() {
        return 1.0;
    }
    let window = (one.len().max(two.len()) / 2).saturating_sub(1);
    let mut used = vec![false; two.len()];
    let mut matched = Vec::new();
    for (at, item) in one.iter().enumerate() {
        let (from, to) = (at.saturating_sub(window), (at + window + 1).min(two.len()));
        if let Some(found) = (from..to).find(|place| !used[*place] && two[*place] == *item) {
            used[found] = true;
            matched.push(item);
        }
    }
    if matched.is_empty() {
        return 0.0;
    }
    let others = two.iter().zip(&used).filter(|(_, used)| **used).map(|(item, _)| item);
    let moved = matched.iter().zip(others).filter(|(a, b)| **a != *b).count() / 2;
    let count = matched.len() as f64;
    (count / one.len() as f64 + count / two.len() as f64 + (count - moved as f64) / count) / 3.0
}
