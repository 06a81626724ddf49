//! A room, not a warehouse: how long a file and a function may be, and that a file says what it is.

use super::Fault;
use super::allow::Allowed;
use super::source::{code_only, is_word};

/// Checks one Rust file.
pub(crate) fn faults(place: &str, text: &str, allowed: &mut Allowed) -> Vec<Fault> {
    let mut found = Vec::new();
    if !text.starts_with("//!") {
        found.push(Fault::new(place, "the first line must say what the file is: `//! …`"));
    }
    found.extend(file_size(place, text.lines().count(), allowed));
    for function in functions(&code_only(text)) {
        let what = format!("function {place}::{}", function.name);
        if function.lines > FUNCTION_LINES_MAX && !allowed.permits(&what) {
            let (name, lines) = (function.name, function.lines);
            let long = format!("`{name}` has {lines} lines; {FUNCTION_LINES_MAX} is the limit");
            found.push(Fault::new(format!("{place}:{}", function.line), long));
        }
    }
    found
}

fn file_size(place: &str, lines: usize, allowed: &mut Allowed) -> Option<Fault> {
    if lines <= FILE_LINES_GOOD {
        None
    } else if lines <= FILE_LINES_MAX {
        Some(Fault::remark(place, format!("{lines} lines; above {FILE_LINES_GOOD} think of two files")))
    } else if allowed.permits(&format!("file {place}")) {
        None
    } else {
        Some(Fault::new(place, format!("{lines} lines; {FILE_LINES_MAX} is the limit")))
    }
}

/// A function with a body: where it starts (from 1) and how many lines it takes.
#[derive(Debug, PartialEq)]
struct Function {
    name: String,
    line: usize,
    lines: usize,
}

fn functions(code: &str) -> Vec<Function> {
    let bytes = code.as_bytes();
    let mut found = Vec::new();
    for (at, _) in code.match_indices("fn ") {
        if at > 0 && is_word(bytes[at - 1]) {
            continue;
        }
        let name: String =
            code[at + 3..].trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let Some(end) = end_of_body(&bytes[at..]).filter(|_| !name.is_empty()) else { continue };
        let lines = 1 + code[at..at + end].matches('\n').count();
        let line = 1 + code[..at].matches('\n').count();
        found.push(Function { name, line, lines });
    }
    found
}

/// The offset of the brace that closes the first body; none for a declaration that ends in a semicolon.
fn end_of_body(code: &[u8]) -> Option<usize> {
    let mut parentheses = 0;
    let mut braces = 0;
    for (at, byte) in code.iter().enumerate() {
        match byte {
            b'(' | b'[' => parentheses += 1,
            b')' | b']' => parentheses -= 1,
            b';' if parentheses == 0 && braces == 0 => return None,
            b'{' => braces += 1,
            b'}' if braces == 1 => return Some(at),
            b'}' => braces -= 1,
            _ => {}
        }
    }
    None
}

const FILE_LINES_GOOD: usize = 400;
const FILE_LINES_MAX: usize = 700;
const FUNCTION_LINES_MAX: usize = 70;

#[cfg(test)]
mod tests {
    use super::super::Weight;
    use super::*;

    fn body(lines: usize) -> String {
        format!("//! x\n\npub fn long(a: [u8; 3]) {{\n{}}}\n", "    a(\"}}\");\n".repeat(lines - 2))
    }

    #[test]
    fn a_function_is_measured_from_its_name_to_its_last_brace() {
        let code =
            "trait T {\n    fn declared(&self) -> [u8; 3];\n    fn given(&self) {\n        { }\n    }\n}\n";
        assert_eq!(functions(code), [Function { name: "given".to_owned(), line: 3, lines: 3 }]);
    }

    #[test]
    fn a_function_of_seventy_lines_passes_and_one_more_does_not() {
        let mut none = Allowed::default();
        assert_eq!(faults("a.rs", &body(70), &mut none), []);
        let found = faults("a.rs", &body(71), &mut none);
        assert_eq!(found, [Fault::new("a.rs:3", "`long` has 71 lines; 70 is the limit")]);
    }

    #[test]
    fn an_exception_with_a_reason_lets_it_pass() {
        let mut allowed = Allowed::parse("function a.rs::long: a table").unwrap();
        assert_eq!(faults("a.rs", &body(200), &mut allowed), []);
    }

    #[test]
    fn a_long_file_is_remarked_on_and_a_very_long_one_refused() {
        let file = |lines: usize| format!("//! x\n{}", "// y\n".repeat(lines - 1));
        let mut none = Allowed::default();
        assert_eq!(faults("a.rs", &file(400), &mut none), []);
        assert_eq!(faults("a.rs", &file(401), &mut none)[0].weight, Weight::Remark);
        assert_eq!(faults("a.rs", &file(701), &mut none)[0].weight, Weight::Fault);
    }

    #[test]
    fn a_file_that_does_not_say_what_it_is_is_refused() {
        let found = faults("a.rs", "use std::fmt;\n", &mut Allowed::default());
        assert_eq!(found.len(), 1);
    }
}
