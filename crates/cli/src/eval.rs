//! The verb `eval`: expressions run on a node, the value of the last one printed.

use std::io::{self, Read, Write};
use std::process::ExitCode;
use std::time::Duration;

use shell::lexer::Loc;
use shell::{abstract_form, lexer, parser};
use trunkline::Term;
use trunkline::rpc::RpcError;

use crate::call::{exception, seconds};
use crate::identity::Identity;
use crate::limits::{CALL_TIMEOUT, EVAL_INPUT_BYTES_MAX};
use crate::visit::{FAILED, NO_CONNECTION, Trouble, Visit};

/// Run Erlang expressions on a node and print the value of the last one
///
/// Visits as a hidden node that no EPMD knows. What the expressions print appears here.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = "Examples:
  trunkline eval bill@localhost 'erlang:memory(total).'
  trunkline eval bill@localhost 'L = [1,2,3], lists:sum(L).'
  trunkline eval bill@localhost '[io:format(\"~p~n\", [N]) || N <- nodes()].'

Exit code: 0 for a value, which is printed; 1 for an exception, or no answer in time; 2 for a mistake in the command line \
or in the expressions; 3 when there is no connection; `trunkline doctor` says why.")]
pub(crate) struct Eval {
    /// The node, as it calls itself
    node: String,
    /// The expressions, separated by commas; the dot at the end may be left out; - reads them from standard input
    #[arg(value_name = "EXPRESSIONS")]
    expressions: String,
    #[command(flatten)]
    identity: Identity,
    /// How long to wait for the value, instead of a minute; fractions are allowed
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    timeout: Option<Duration>,
}

impl Eval {
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        self.identity.warn_of_cookie();
        Ok(self.ask().await.unwrap_or_else(|trouble| trouble.tell()))
    }

    async fn ask(&self) -> Result<ExitCode, Trouble> {
        let typed = match self.expressions.as_str() {
            "-" => Some(standard_input()?),
            _ => None,
        };
        let forms = forms(typed.as_ref().unwrap_or(&self.expressions)).map_err(Trouble::usage)?;
        let visit = Visit::to(&self.node, &self.identity, "eval").await?;
        let within = self.timeout.unwrap_or(CALL_TIMEOUT);
        let answer = visit.call("erl_eval", "exprs", vec![forms, Term::NIL], within).await;
        // What was printed there comes before the value.
        visit.end().await;
        match answer {
            Ok(answer) => {
                let value = match answer.as_tuple() {
                    Some([tag, value, _]) if tag.is_atom("value") => value.clone(),
                    _ => answer,
                };
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

/// All of it, as far as it goes.
fn standard_input() -> Result<String, Trouble> {
    let mut text = String::new();
    let read = io::stdin().lock().take(EVAL_INPUT_BYTES_MAX + 1).read_to_string(&mut text);
    read.map_err(|why| Trouble::usage(format!("standard input: {why}")))?;
    if text.len() as u64 > EVAL_INPUT_BYTES_MAX {
        return Err(Trouble::usage(format!("standard input: more than {EVAL_INPUT_BYTES_MAX} bytes")));
    }
    Ok(text)
}

/// The expressions in Erlang's abstract format, which every node understands.
fn forms(text: &str) -> Result<Term, String> {
    let text = text.trim_end();
    let whole = if text.ends_with('.') { text.to_owned() } else { format!("{text}.") };
    let tokens = lexer::tokens(&whole, Loc::new(1, 1)).map_err(|error| format!("{text}\n  {error}"))?;
    let body = parser::exprs(&tokens).map_err(|error| format!("{text}\n  {error}"))?;
    Ok(abstract_form::write_exprs(&body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dot_may_be_left_out_and_mistakes_have_a_place() {
        assert_eq!(forms("1 + 1"), forms("1 + 1."));
        assert!(forms("X = ").unwrap_err().contains("syntax error"));
        assert!(forms("foo(").unwrap_err().contains("1:"));
    }
}
