//! What was raised, as the shell tells it: `erl_error:format_exception/4`.

use trunkline::Term;
use trunkline::term::print::{NodeNumbers, Printer};

use crate::raise::{Class, Raise};

/// The report, beginning with `** exception`, ending with a line feed.
pub fn report(raise: &Raise, numbers: &dyn NodeNumbers, columns: usize) -> String {
    report_behind("** ", raise, numbers, columns)
}

/// The same behind another tag than `** `.
pub(super) fn report_behind(tag: &str, raise: &Raise, numbers: &dyn NodeNumbers, columns: usize) -> String {
    let teller = Teller { numbers, columns, tag: tag.len() };
    let (explained, rest) = teller.explain(raise);
    let mut text = format!("{tag}exception {}: {explained}", class(raise.class));
    for (at, call) in rest.iter().enumerate() {
        text.push_str(&teller.call(at, call));
        if at == 0 {
            text.push_str(&teller.arguments(&raise.reason, call));
        }
    }
    text.push('\n');
    text
}

fn class(class: Class) -> &'static str {
    class.as_str()
}

struct Teller<'a> {
    numbers: &'a dyn NodeNumbers,
    columns: usize,
    /// How long the tag is.
    tag: usize,
}

impl Teller<'_> {
    fn show(&self, term: &Term, column: usize) -> String {
        let printer = Printer::new(self.numbers).unicode();
        let printer = Printer {
            column,
            line_length: self.columns,
            line_characters: Some(60),
            depth: Some(30),
            ..printer
        };
        printer.pretty(term)
    }

    /// A value behind some words: on the same line, or on one of its own when it needs several.
    fn value(&self, words: &str, term: &Term, class: Class) -> String {
        let indent = self.tag + "exception : ".len() + class.as_str().len();
        let beside = self.show(term, indent + words.len() + 1);
        let rows = beside.matches('\n').count();
        if rows > 1 {
            let below = self.show(term, indent + 1);
            if below.matches('\n').count() < rows {
                return format!("{words}\n{}{below}", " ".repeat(indent));
            }
        }
        format!("{words}{beside}")
    }

    /// What happened in words, and the calls that are still to be told.
    fn explain<'r>(&self, raise: &'r Raise) -> (String, &'r [Term]) {
        let trace = raise.trace.as_slice();
        let plain = |text: &str| (text.to_owned(), trace);
        let bare = (self.show(&raise.reason, self.tag + 13 + class(raise.class).len()), trace);
        if raise.class != Class::Error {
            return bare;
        }
        let value = |words: &str, term: &Term| (self.value(words, term, raise.class), trace);
        if let Some(atom) = raise.reason.as_atom() {
            match atom.as_str() {
                "badarg" => return plain("bad argument"),
                "badarith" => return plain("an error occurred when evaluating an arithmetic expression"),
                "if_clause" => return plain("no true branch found when evaluating an if expression"),
                "noproc" => return plain("no such process or port"),
                "notalive" => return plain("the node cannot be part of a distributed system"),
                "system_limit" => return plain("a system limit has been reached"),
                "timeout_value" => return plain("bad receive timeout value"),
                "function_clause" if !trace.is_empty() => return self.no_clause(trace),
                "undef" if !trace.is_empty() => {
                    return (format!("undefined function {}", self.mfa(&trace[0])), &trace[1..]);
                }
                _ => {}
            }
        }
        match raise.reason.as_tuple() {
            Some([tag, what]) => match tag.as_atom().map(|tag| tag.as_str()) {
                Some("badarg") => value("bad argument: ", what),
                Some("badkey") => value("bad key: ", what),
                Some("badmap") => value("bad map: ", what),
                Some("badfun") => value("bad function ", what),
                Some("badmatch") => value("no match of right hand side value ", what),
                Some("case_clause") => value("no case clause matching ", what),
                Some("try_clause") => value("no try clause matching ", what),
                Some("else_clause") => value("no else clause matching ", what),
                Some("bad_filter") => value("bad filter ", what),
                Some("bad_generator") => value("bad generator ", what),
                Some("unbound") => plain(&format!("variable {what} is unbound")),
                Some("badarity") => (self.arity(what).unwrap_or(bare.0), trace),
                _ => bare,
            },
            Some([tag, name, arity, _]) if tag.is_atom("shell_undef") => {
                let words = format!("undefined shell command {name}/{arity}");
                (words, &[])
            }
            _ => bare,
        }
    }

    fn arity(&self, what: &Term) -> Option<String> {
        let [fun, arguments] = what.as_tuple()? else { return None };
        let name = match fun {
            Term::Fun(fun) if fun.module == *"erl_eval" => {
                format!("interpreted function with arity {}", fun.arity)
            }
            Term::Fun(fun) => format!("{}:-fun-/{}", fun.module.as_str(), fun.arity),
            Term::Export(e) => format!(
                "{}/{}",
                named(&Term::Atom(e.module.clone()), &Term::Atom(e.function.clone())),
                e.arity
            ),
            _ => return None,
        };
        let count = arguments.as_list()?.len();
        let with = match count {
            0 => "no arguments".to_owned(),
            1 => "one argument".to_owned(),
            2 => "two arguments".to_owned(),
            count => format!("{count} arguments"),
        };
        Some(format!("{name} called with {with}"))
    }

    /// `m:f/1`, without the module for those of `erlang` that need none.
    fn mfa(&self, call: &Term) -> String {
        let Some([module, function, arguments, ..]) = call.as_tuple() else { return call.to_string() };
        let count = match arguments {
            Term::List(list) => list.len() as i64,
            other => other.as_int().unwrap_or(0),
        };
        let short = module.is_atom("erlang")
            && function.as_atom().is_some_and(|f| {
                crate::library::is_auto_imported(f.as_str(), count as usize)
                    || is_operator(f.as_str(), count as usize)
            });
        if short {
            let operator = function.as_atom().filter(|f| is_operator(f.as_str(), count as usize));
            return match operator {
                Some(name) if *name != *"/" => format!("{}/{count}", name.as_str()),
                _ => format!("{function}/{count}"),
            };
        }
        format!("{}/{count}", named(module, function))
    }

    /// A function, or a command of the shell, that has no clause for its arguments.
    fn no_clause<'r>(&self, trace: &'r [Term]) -> (String, &'r [Term]) {
        let words = "no function clause matching ";
        match trace[0].as_tuple() {
            Some([Term::Atom(name), arity]) => (format!("{words}call to {}/{arity}", name.as_str()), &[]),
            Some([.., info]) => {
                let told =
                    self.whole_call(&trace[0], words, &" ".repeat(self.tag + "exception error: ".len()));
                let place = place(info);
                let place = if place.is_empty() { " " } else { place.as_str() };
                (format!("{words}{told}{place}"), &trace[1..])
            }
            _ => (words.to_owned(), &trace[1..]),
        }
    }

    /// `m:f(1,2)`, or `1 + 2`, behind some words; on a line of its own when it needs fewer lines there. (`format_call` of
    /// `erl_error`.)
    fn whole_call(&self, call: &Term, words: &str, before: &str) -> String {
        let Some([module, function, Term::List(list), ..]) = call.as_tuple() else { return self.mfa(call) };
        let arguments: Vec<Term> = list.iter().collect();
        let name = function.as_atom().map_or("", |name| name.as_str());
        let column = before.len() + words.len();
        if module.is_atom("erlang") && is_operator(name, arguments.len()) {
            return self.operation(name, &arguments, column);
        }
        let mfa = self.mfa(call);
        let name = mfa.rsplit_once('/').map_or(mfa.as_str(), |(name, _)| name);
        let rows = |text: &str| text.matches('\n').count();
        let long = name.chars().count();
        let beside = self.in_parentheses(&arguments, column + long);
        let below = self.in_parentheses(&arguments, before.len() + long);
        let two = [Term::atom("a2345"), Term::atom("b2345")];
        if rows(&self.in_parentheses(&two, column + long)) > 0 || rows(&below) < rows(&beside) {
            return format!("\n{before}{name}{below}");
        }
        format!("{name}{beside}")
    }

    fn in_parentheses(&self, arguments: &[Term], column: usize) -> String {
        // As a list, which must not be taken for a text.
        let shown = match arguments.split_first() {
            Some((Term::Int(first), rest)) if *first >= 0 => {
                let digits = first.to_string();
                let mut items = vec![Term::atom(&"a".repeat(digits.len()))];
                items.extend(rest.iter().cloned());
                self.show(&Term::list(items), column + 1).replacen(&"a".repeat(digits.len()), &digits, 1)
            }
            _ => self.show(&Term::list(arguments.iter().cloned()), column + 1),
        };
        let inner = shown.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or("");
        format!("({inner})")
    }

    fn operation(&self, name: &str, arguments: &[Term], column: usize) -> String {
        let rows = |text: &str| text.matches('\n').count();
        let [left, right] = arguments else {
            let one = arguments.first().map(|one| self.show(one, column + name.len() + 2));
            return format!("{name} {}", one.unwrap_or_default());
        };
        let (first, second) = (self.show(left, column + 1), self.show(right, column + 1));
        let beside = self.show(right, column + name.len() + 2 + first.chars().count() + 1);
        let indent = " ".repeat(column);
        if rows(&first) > 0 || rows(&second) < rows(&beside) {
            return format!("{first}\n{indent}{name}\n{indent}{second}");
        }
        format!("{first} {name} {beside}")
    }

    /// `*** argument 1: not an atom`, for each that is wrong.
    fn arguments(&self, reason: &Term, call: &Term) -> String {
        let Some([Term::Atom(module), Term::Atom(function), Term::List(given), info]) = call.as_tuple()
        else {
            return String::new();
        };
        let given: Vec<Term> = given.iter().collect();
        let wrong = match super::arguments::cause(info) {
            Some(told) => vec![(1, told.to_owned())],
            None => super::arguments::wrong(module.as_str(), function.as_str(), reason, &given),
        };
        let indent = " ".repeat(self.tag + 5);
        let told = |(at, what): &(usize, String)| match at {
            0 => format!("\n{indent}*** {what}"),
            at => {
                let words = format!("*** argument {at}: ");
                let next = format!("\n{indent}{}", " ".repeat(words.len()));
                format!("\n{indent}{words}{}", what.replace('\n', &next))
            }
        };
        wrong.iter().map(told).collect()
    }

    /// One line of the trace.
    fn call(&self, at: usize, call: &Term) -> String {
        let Some([module, function, arguments, info]) = call.as_tuple() else { return String::new() };
        let count = arguments.as_list().map_or(2, trunkline::List::len);
        let operator =
            module.is_atom("erlang") && function.as_atom().is_some_and(|f| is_operator(f.as_str(), count));
        let origin = match (at, operator) {
            (0, true) => "in operator ",
            (0, false) => "in function ",
            _ => "in call from",
        };
        let mut text = format!("\n{}{origin} {}", " ".repeat(self.tag + 2), self.mfa(call));
        if let Term::List(list) = arguments {
            if !list.is_nil() || at == 0 {
                let before = format!("{}called as ", " ".repeat(self.tag + 5));
                text.push_str(&format!("\n{before}{}", self.whole_call(call, "", &before)));
            }
        } else {
            text.push_str(&place(info));
        }
        text
    }
}

/// `!` is one, although only processes can compute it.
fn is_operator(name: &str, arity: usize) -> bool {
    crate::library::operator(name, arity).is_some() || (name == "!" && arity == 2)
}

fn named(module: &Term, function: &Term) -> String {
    format!("{module}:{function}")
}

/// ` (example.erl, line 7)`
fn place(info: &Term) -> String {
    let line = crate::library::keyfind(&Term::atom("line"), info);
    let file = crate::library::keyfind(&Term::atom("file"), info);
    match (file.as_ref().and_then(|file| crate::library::text(file).ok()), line) {
        (Some(file), Some(line)) => format!(" ({file}, line {line})"),
        _ => String::new(),
    }
}
