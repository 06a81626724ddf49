//! What was raised, as the shell tells it: `erl_error:format_exception/4`.

use trunkline::Term;
use trunkline::term::print::{NodeNumbers, Printer};

use crate::raise::{Class, Raise};

/// The report, beginning with `** exception`, ending with a line feed.
pub fn report(raise: &Raise, numbers: &dyn NodeNumbers, columns: usize) -> String {
    let teller = Teller { numbers, columns };
    let (explained, rest) = teller.explain(raise);
    let mut text = format!("** exception {}: {explained}", class(raise.class));
    for (at, call) in rest.iter().enumerate() {
        text.push_str(&teller.call(at, call));
        if at == 0 {
            text.push_str(&arguments(&raise.reason, call));
        }
    }
    text.push('\n');
    text
}

/// `*** argument 1: not an atom`, for each that is wrong.
fn arguments(reason: &Term, call: &Term) -> String {
    let Some([Term::Atom(module), Term::Atom(function), Term::List(given), _]) = call.as_tuple() else {
        return String::new();
    };
    let given: Vec<Term> = given.iter().collect();
    let wrong = super::arguments::wrong(module.as_str(), function.as_str(), reason, &given);
    wrong.iter().map(|(at, what)| format!("\n        *** argument {at}: {what}")).collect()
}

fn class(class: Class) -> &'static str {
    class.as_str()
}

/// Where the words behind `** exception error: ` begin.
const INDENT: usize = 20;

struct Teller<'a> {
    numbers: &'a dyn NodeNumbers,
    columns: usize,
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
        let indent = 3 + "exception : ".len() + class.as_str().len();
        let beside = self.show(term, indent + words.len() + 1);
        if !beside.contains('\n') {
            return format!("{words}{beside}");
        }
        let below = self.show(term, indent + 1);
        format!("{words}\n{}{below}", " ".repeat(indent))
    }

    /// What happened in words, and the calls that are still to be told.
    fn explain<'r>(&self, raise: &'r Raise) -> (String, &'r [Term]) {
        let trace = raise.trace.as_slice();
        let plain = |text: &str| (text.to_owned(), trace);
        let bare = (self.show(&raise.reason, 16 + class(raise.class).len()), trace);
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
                "function_clause" if !trace.is_empty() => {
                    let info =
                        trace[0].as_tuple().and_then(|call| call.get(3)).map(place).unwrap_or_default();
                    let info = if info.is_empty() { " " } else { info.as_str() };
                    let long = INDENT + "no function clause matching ".len() + self.mfa(&trace[0]).len() + 11;
                    let below =
                        if long > self.columns { format!("\n{}", " ".repeat(INDENT)) } else { String::new() };
                    let words =
                        format!("no function clause matching {below}{}{info}", self.whole_call(&trace[0]));
                    return (words, &trace[1..]);
                }
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
                    || crate::library::operator(f.as_str(), count as usize).is_some()
            });
        if short {
            let operator =
                function.as_atom().filter(|f| crate::library::operator(f.as_str(), count as usize).is_some());
            return match operator {
                Some(name) if *name != *"/" => format!("{}/{count}", name.as_str()),
                _ => format!("{function}/{count}"),
            };
        }
        format!("{}/{count}", named(module, function))
    }

    /// `m:f(1,2)`, or `1 + 2`.
    fn whole_call(&self, call: &Term) -> String {
        let Some([module, function, arguments, ..]) = call.as_tuple() else { return call.to_string() };
        let Some(list) = arguments.as_list() else { return self.mfa(call) };
        let shown: Vec<String> = list.iter().map(|argument| self.show(&argument, 10)).collect();
        let operator = module.is_atom("erlang")
            && function
                .as_atom()
                .is_some_and(|f| crate::library::operator(f.as_str(), shown.len()).is_some());
        match (operator, shown.as_slice()) {
            (true, [left, right]) => {
                let name = function.as_atom().map(|f| f.as_str().to_owned()).unwrap_or_default();
                format!("{left} {name} {right}")
            }
            (true, [one]) => {
                format!("{} {one}", function.as_atom().map(|f| f.as_str().to_owned()).unwrap_or_default())
            }
            _ => {
                let mfa = self.mfa(call);
                let name = mfa.rsplit_once('/').map_or(mfa.as_str(), |(name, _)| name).to_owned();
                format!("{name}({})", shown.join(","))
            }
        }
    }

    /// One line of the trace.
    fn call(&self, at: usize, call: &Term) -> String {
        let Some([module, function, arguments, info]) = call.as_tuple() else { return String::new() };
        let operator = module.is_atom("erlang")
            && function.as_atom().is_some_and(|f| {
                let count = arguments.as_list().map_or(2, trunkline::List::len);
                crate::library::operator(f.as_str(), count).is_some()
            });
        let origin = match (at, operator) {
            (0, true) => "in operator ",
            (0, false) => "in function ",
            _ => "in call from",
        };
        let mut text = format!("\n     {origin} {}", self.mfa(call));
        if let Term::List(list) = arguments {
            if !list.is_nil() || at == 0 {
                text.push_str(&format!("\n        called as {}", self.whole_call(call)));
            }
        } else {
            text.push_str(&place(info));
        }
        text
    }
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
