//! Characters: `io_lib:format` and the text in iodata, as far as output from afar needs them.

use std::fmt::Write;

use runtime::Node;
use term::print::{NodeNumbers, Printer};
use term::{NodeId, Term};

use crate::limits::{FORMAT_BYTES_MAX, FORMAT_WIDTH_MAX};

/// The numbers that a node gives to its peers in `<9000.84.0>`.
struct Numbers<'a>(Option<&'a Node>);

impl NodeNumbers for Numbers<'_> {
    fn number(&self, node: &NodeId) -> Option<u32> {
        self.0.map(|this| this.node_number(node))
    }
}

/// The text of characters, binaries and lists of them, however deep; nothing when there is something else in it.
/// Binaries are UTF-8, or Latin-1 where they are not.
pub(crate) fn text_of(characters: &Term) -> Option<String> {
    let mut out = String::new();
    let mut waiting = vec![characters.clone()];
    while let Some(term) = waiting.pop() {
        match &term {
            Term::Int(code) => out.push(u32::try_from(*code).ok().and_then(char::from_u32)?),
            Term::Binary(binary) => match std::str::from_utf8(binary.as_slice()) {
                Ok(text) => out.push_str(text),
                Err(_) => out.extend(binary.as_slice().iter().map(|byte| char::from(*byte))),
            },
            Term::List(list) => {
                if let Some((head, tail)) = list.uncons() {
                    waiting.push(tail);
                    waiting.push(head);
                }
            }
            _ => return None,
        }
    }
    Some(out)
}

/// `io_lib:format(Format, Arguments)` without a node at hand: nodes are shown by their names.
pub(crate) fn format_terms(format: &Term, arguments: &Term) -> String {
    formatted(None, format, arguments).unwrap_or_else(|| format!("{format} {arguments}"))
}

/// `io_lib:format(Format, Arguments)` as `node` shows pids; nothing when they do not go together.
pub(crate) fn format_on(node: &Node, format: &Term, arguments: &Term) -> Option<String> {
    formatted(Some(node), format, arguments)
}

fn formatted(node: Option<&Node>, format: &Term, arguments: &Term) -> Option<String> {
    let format = match format {
        Term::Atom(atom) => atom.to_string(),
        other => text_of(other)?,
    };
    let arguments: Vec<Term> = arguments.as_list()?.iter().collect();
    let numbers = Numbers(node);
    let mut formatter = Formatter { out: String::new(), arguments: arguments.into_iter(), numbers: &numbers };
    let mut rest = format.chars();
    while let Some(char) = rest.next() {
        match char {
            '~' => formatter.control(&mut rest)?,
            char => formatter.out.push(char),
        }
        if formatter.out.len() > FORMAT_BYTES_MAX {
            return None;
        }
    }
    formatter.arguments.next().is_none().then_some(formatter.out)
}

struct Formatter<'a> {
    out: String,
    arguments: std::vec::IntoIter<Term>,
    numbers: &'a Numbers<'a>,
}

/// `~F.P.PadModC`.
#[derive(Default)]
struct Control {
    left: bool,
    width: Option<usize>,
    precision: Option<usize>,
    pad: Option<char>,
    unicode: bool,
    plain: bool,
}

impl Formatter<'_> {
    fn control(&mut self, rest: &mut std::str::Chars<'_>) -> Option<()> {
        let mut control = Control::default();
        let mut char = rest.next()?;
        if char == '-' {
            control.left = true;
            char = rest.next()?;
        }
        control.width = self.number(&mut char, rest)?;
        if char == '.' {
            char = rest.next()?;
            control.precision = self.number(&mut char, rest)?;
            if char == '.' {
                control.pad = rest.next();
                char = rest.next()?;
            }
        }
        while matches!(char, 't' | 'l' | 'k' | 'K') {
            control.unicode |= char == 't';
            control.plain |= char == 'l';
            char = rest.next()?;
        }
        self.directive(char, &control)
    }

    fn number(&mut self, char: &mut char, rest: &mut std::str::Chars<'_>) -> Option<Option<usize>> {
        if *char == '*' {
            *char = rest.next()?;
            let number = usize::try_from(self.arguments.next()?.as_int()?).ok()?;
            return Some(Some(number.min(FORMAT_WIDTH_MAX)));
        }
        let mut number = None;
        while let Some(digit) = char.to_digit(10) {
            number = Some((number.unwrap_or(0) * 10 + digit as usize).min(FORMAT_WIDTH_MAX));
            *char = rest.next()?;
        }
        Some(number)
    }

    fn directive(&mut self, char: char, control: &Control) -> Option<()> {
        let printer =
            Printer { unicode: control.unicode, strings: !control.plain, ..Printer::new(self.numbers) };
        let text = match char {
            '~' => "~".to_owned(),
            'n' => "\n".repeat(control.width.unwrap_or(1)),
            'c' => {
                let code = u32::try_from(self.arguments.next()?.as_int()?).ok()?;
                let times = control.width.unwrap_or(1);
                char::from_u32(code)?.to_string().repeat(times)
            }
            'i' => {
                self.arguments.next()?;
                String::new()
            }
            's' => self.string(control)?,
            'w' | 'W' | 'p' | 'P' => {
                let term = self.arguments.next()?;
                if matches!(char, 'W' | 'P') {
                    self.arguments.next()?;
                }
                let text =
                    if matches!(char, 'w' | 'W') { printer.write(&term) } else { printer.pretty(&term) };
                if matches!(char, 'w' | 'W') { pad(text, control, true) } else { text }
            }
            'b' | 'B' | '#' | '+' | 'x' | 'X' => self.integer(char, control)?,
            'f' | 'e' | 'g' => {
                let number = match self.arguments.next()? {
                    Term::Float(number) => number,
                    Term::Int(number) => number as f64,
                    _ => return None,
                };
                let digits = control.precision.unwrap_or(6);
                let text =
                    if char == 'e' { format!("{number:.digits$e}") } else { format!("{number:.digits$}") };
                pad(text, control, true)
            }
            _ => return None,
        };
        if !matches!(char, 'n' | 'c') || control.precision.is_none() {
            self.out.push_str(&text);
        }
        Some(())
    }

    fn string(&mut self, control: &Control) -> Option<String> {
        let text = match self.arguments.next()? {
            Term::Atom(atom) => atom.to_string(),
            other => text_of(&other)?,
        };
        let most = control.precision.or(control.width).unwrap_or(usize::MAX);
        Some(pad(text.chars().take(most).collect(), control, true))
    }

    fn integer(&mut self, char: char, control: &Control) -> Option<String> {
        let number = self.arguments.next()?;
        if matches!(char, 'x' | 'X') {
            self.arguments.next()?;
        }
        let base = control.precision.unwrap_or(10);
        let mut text = match &number {
            Term::Int(number) if base == 16 && *number >= 0 => format!("{number:x}"),
            Term::Int(number) if base == 2 && *number >= 0 => format!("{number:b}"),
            Term::Int(number) if base == 8 && *number >= 0 => format!("{number:o}"),
            Term::Int(_) | Term::Big(_) => number.to_string(),
            _ => return None,
        };
        if char.is_ascii_uppercase() || char == '#' {
            text = text.to_uppercase();
        }
        if char == '#' {
            let digits = std::mem::take(&mut text);
            write!(text, "{base}#{digits}").ok()?;
        }
        Some(pad(text, control, true))
    }
}

fn pad(text: String, control: &Control, right: bool) -> String {
    let Some(width) = control.width else { return text };
    let length = text.chars().count();
    if length > width {
        return if right { "*".repeat(width) } else { text };
    }
    let fill: String = std::iter::repeat_n(control.pad.unwrap_or(' '), width - length).collect();
    if control.left { text + &fill } else { fill + &text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formatted(format: &str, arguments: impl IntoIterator<Item = Term>) -> Option<String> {
        super::formatted(None, &Term::string(format), &Term::list(arguments))
    }

    #[test]
    fn the_usual_formats_print_as_in_erlang() {
        let pair = || Term::tuple([Term::atom("a"), Term::string("hi")]);
        assert_eq!(formatted("~w ~p~n", [pair(), pair()]).unwrap(), "{a,[104,105]} {a,\"hi\"}\n");
        assert_eq!(formatted("~s|~ts", [Term::string("x"), Term::binary("é")]).unwrap(), "x|é");
        assert_eq!(
            formatted("~5w|~-5s|~5.10.0B", [Term::Int(42), Term::atom("ab"), Term::Int(7)]).unwrap(),
            "   42|ab   |00007"
        );
        assert_eq!(
            formatted("~.16B ~.16# ~c~~", [Term::Int(255), Term::Int(255), Term::Int(65)]).unwrap(),
            "FF 16#FF A~"
        );
    }

    #[test]
    fn what_does_not_go_together_is_not_formatted() {
        assert_eq!(formatted("~w", []), None);
        assert_eq!(formatted("", [Term::Int(1)]), None);
        assert_eq!(formatted("~", []), None);
        assert_eq!(formatted("~B", [Term::atom("x")]), None);
    }
}
