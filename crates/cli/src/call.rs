//! The verb `call`: one function of a node, its value printed.

use std::borrow::Cow;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use trunkline::rpc::RpcError;
use trunkline::term::read::read_term;
use trunkline::{Atom, Term};

use crate::identity::Identity;
use crate::limits::{CALL_TIMEOUT, SHOWN_CHARS_MAX};
use crate::visit::{FAILED, NO_CONNECTION, Trouble, Visit};

/// Call a function of a node and print its value as an Erlang shell does
///
/// Visits as a hidden node that no EPMD knows.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = "Examples:
  trunkline call bill@localhost erlang node
  trunkline call bill@localhost lists sort '[[c, a, b]]'
  trunkline call bill@localhost Elixir.String upcase '[<<\"hello\">>]'
  trunkline call bill@127.0.0.1 timer sleep '[2000]' -timeout 1

Exit code: 0 for a value, which is printed; 1 for an exception, or no answer in time, told on standard error as Erlang's \
shell tells it; 2 for a mistake in the command line; 3 when there is no connection; `trunkline doctor` says why.")]
pub(crate) struct Call {
    /// The node, as it calls itself
    node: String,
    /// The module
    #[arg(value_name = "MODULE")]
    module: String,
    /// The function
    #[arg(value_name = "FUNCTION")]
    function: String,
    /// Its arguments, a list in Erlang's notation
    #[arg(default_value = "[]", value_name = "ARGUMENTS")]
    arguments: String,
    #[command(flatten)]
    identity: Identity,
    /// How long to wait for the value, instead of a minute; fractions are allowed
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    timeout: Option<Duration>,
}

impl Call {
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        self.identity.warn_of_cookie();
        Ok(self.ask().await.unwrap_or_else(|trouble| trouble.tell()))
    }

    async fn ask(&self) -> Result<ExitCode, Trouble> {
        let module = atom("module", &self.module)?;
        let function = atom("function", &self.function)?;
        let arguments = arguments(&self.arguments)?;
        let visit = Visit::to(&self.node, &self.identity, "call").await?;
        let within = self.timeout.unwrap_or(CALL_TIMEOUT);
        let answer = visit.call(module.as_str(), function.as_str(), arguments, within).await;
        visit.end().await;
        match answer {
            Ok(value) => {
                // Whoever does not read to the end has what he wanted.
                let _ = writeln!(io::stdout(), "{value:#}");
                Ok(ExitCode::SUCCESS)
            }
            Err(error) => {
                exception(&error).iter().for_each(|line| eprintln!("{line}"));
                let lost = matches!(error, RpcError::NoConnection);
                Ok(ExitCode::from(if lost { NO_CONNECTION } else { FAILED }))
            }
        }
    }
}

/// A name as it is, or as an atom in quotes.
fn atom(what: &str, text: &str) -> Result<Atom, Trouble> {
    if text.starts_with('\'') {
        let read = read_term(text).ok().and_then(|term| term.as_atom().cloned());
        return read.ok_or_else(|| Trouble::usage(format!("the {what} {text} is no atom")));
    }
    let named = Atom::try_new(text).filter(|_| !text.is_empty());
    named.ok_or_else(|| Trouble::usage(format!("the {what} must have 1 to 255 characters")))
}

fn arguments(text: &str) -> Result<Vec<Term>, Trouble> {
    let shown = shortened(text.trim());
    let term = read_term(text).map_err(|error| {
        Trouble::usage(format!(
            "the arguments {shown} are no list in Erlang's notation, such as '[1, atom, <<\"text\">>]': {error}"
        ))
    })?;
    let proper = term.as_list().filter(|list| list.improper_tail().is_none());
    proper
        .map(|list| list.iter().collect())
        .ok_or_else(|| Trouble::usage(format!("the arguments {shown} are no list: write '[{shown}]'")))
}

/// Its beginning: whoever pasted a megabyte still wants to see what is wrong with it.
fn shortened(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(SHOWN_CHARS_MAX) {
        Some((end, _)) => format!("{}...", &text[..end]).into(),
        None => text.into(),
    }
}

/// A number of seconds, as `2` or `0.5`.
pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    let number: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    let in_range = number > 0.0 && number <= SECONDS_MAX;
    in_range.then(|| Duration::from_secs_f64(number)).ok_or_else(|| "between 0 and 86400 seconds".to_owned())
}

const SECONDS_MAX: f64 = 86_400.0;

/// As Erlang's shell tells of an exception.
pub(crate) fn exception(error: &RpcError) -> Vec<String> {
    let first = match error {
        RpcError::Threw(value) => format!("** exception throw: {value:#}"),
        RpcError::Exited(reason) => format!("** exception exit: {reason:#}"),
        RpcError::Signal(reason) => format!("** exception exit: {{exception,{reason:#}}}"),
        RpcError::Refused(why) => format!("** exception error: {{erpc,{why}}}"),
        RpcError::NoConnection => "** exception error: {erpc,noconnection}".to_owned(),
        RpcError::Timeout => "** exception error: {erpc,timeout}".to_owned(),
        RpcError::Failed { reason, trace } => return failure(reason, trace),
        other => format!("** exception error: {other}"),
    };
    vec![first]
}

fn failure(reason: &Term, trace: &Term) -> Vec<String> {
    let entries = trace.as_list().map(|list| list.iter().collect::<Vec<Term>>()).unwrap_or_default();
    let stack: Vec<Frame> = entries.iter().filter_map(Frame::read).collect();
    let undefined = stack.first().filter(|_| reason.is_atom("undef"));
    let what = match (undefined, reason.as_atom().map(Atom::as_str)) {
        (Some(frame), _) => format!("undefined function {}", frame.function),
        (None, Some("badarg")) => "bad argument".to_owned(),
        (None, Some("badarith")) => "an error occurred when evaluating an arithmetic expression".to_owned(),
        (None, Some("function_clause")) => "no function clause matching".to_owned(),
        _ => format!("{reason:#}"),
    };
    let mut lines = vec![format!("** exception error: {what}")];
    let shown = stack.iter().skip(usize::from(undefined.is_some())).take(FRAMES_SHOWN_MAX);
    lines.extend(shown.enumerate().map(|(depth, frame)| {
        let how = if depth == 0 && undefined.is_none() { "in function " } else { "in call from" };
        format!("     {how} {}{}", frame.function, frame.place)
    }));
    lines
}

const FRAMES_SHOWN_MAX: usize = 8;

/// An entry of a stack trace: `{Module, Function, ArityOrArguments, Location}`.
struct Frame {
    function: String,
    place: String,
}

impl Frame {
    fn read(term: &Term) -> Option<Frame> {
        let [module, function, arity, location] = term.as_tuple()? else { return None };
        let function = match arity {
            Term::Int(arity) => format!("{module}:{function}/{arity}"),
            Term::List(arguments) => {
                let shown: Vec<String> = arguments.iter().map(|argument| format!("{argument:?}")).collect();
                match shown.join(",") {
                    text if text.chars().count() <= ARGUMENTS_SHOWN_CHARS_MAX => {
                        format!("{module}:{function}/{} called as {module}:{function}({text})", shown.len())
                    }
                    _ => format!("{module}:{function}/{}", shown.len()),
                }
            }
            _ => return None,
        };
        let fact = |key: &str| {
            location.as_list()?.iter().find_map(|fact| match fact.as_tuple()? {
                [name, value] if name.is_atom(key) => Some(value.clone()),
                _ => None,
            })
        };
        let place = match (fact("file").as_ref().and_then(text_of), fact("line")) {
            (Some(file), Some(line)) => format!(" ({file}, line {line})"),
            _ => String::new(),
        };
        Some(Frame { function, place })
    }
}

const ARGUMENTS_SHOWN_CHARS_MAX: usize = 60;

/// A list of characters.
fn text_of(term: &Term) -> Option<String> {
    let list = term.as_list()?;
    list.iter().map(|char| u32::try_from(char.as_int()?).ok().and_then(char::from_u32)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_in_long_arguments_is_told_in_a_few_lines() {
        for text in ["[".repeat(100_000), "é".repeat(100_000), format!("'{}'", "a".repeat(200))] {
            let told = format!("{:?}", arguments(&text).unwrap_err());
            assert!(told.len() < 2_000, "{} bytes", told.len());
        }
    }

    #[test]
    fn an_exception_reads_as_in_the_shell() {
        let told = |reason: &str, trace: &str| {
            let (reason, trace) = (read_term(reason).unwrap(), read_term(trace).unwrap());
            exception(&RpcError::Failed { reason, trace }).join("\n")
        };
        assert_eq!(
            told("undef", "[{m,f,[1],[]}]"),
            "** exception error: undefined function m:f/1 called as m:f(1)"
        );
        assert_eq!(
            told("badarg", "[{erlang,atom_to_list,[1],[]},{m,f,0,[{file,\"m.erl\"},{line,3}]}]"),
            "** exception error: bad argument\n     in function  erlang:atom_to_list/1 called as erlang:atom_to_list(1)\n     \
             in call from m:f/0 (m.erl, line 3)"
        );
        assert_eq!(told("{no,stack}", "garbage"), "** exception error: {no,stack}");
        assert_eq!(exception(&RpcError::Timeout), ["** exception error: {erpc,timeout}"]);
    }

    #[test]
    fn arguments_must_be_a_proper_list() {
        assert_eq!(arguments("[1, a]").unwrap().len(), 2);
        assert!(arguments("1").unwrap_err().text.contains("write '[1]'"));
        for bad in ["[1", "[1|2]", "", "[fun]"] {
            assert_eq!(arguments(bad).unwrap_err().code, 2, "{bad}");
        }
        assert_eq!(atom("module", "'a b'").unwrap(), *"a b");
        assert!(atom("module", "").is_err() && atom("module", &"x".repeat(256)).is_err());
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        for bad in ["0", "-1", "x", "NaN", "1e9"] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
    }
}
