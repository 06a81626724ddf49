//! A step is a name and what it runs; all of them run, each is timed, the last line counts them.

use std::io::IsTerminal;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// One named step of a run.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) work: Work,
}

/// What a step does.
pub(crate) enum Work {
    /// Commands run one after the other; the first that fails fails the step.
    Run(Vec<Order>),
    /// A function of this program.
    Here(Box<dyn Fn() -> Result<bool>>),
    /// What to do is known only when its turn comes.
    Later(Box<dyn Fn() -> Work>),
    /// Nothing to do, and why.
    Skip(String),
}

/// One command, where and with what, and how long it may take.
pub(crate) struct Order {
    program: String,
    args: Vec<String>,
    folder: PathBuf,
    env: Vec<(String, String)>,
    seconds_max: u64,
}

impl Order {
    pub(crate) fn new(folder: &Path, program: &str, args: &[&str]) -> Order {
        let args = args.iter().map(|&arg| arg.to_owned()).collect();
        Order {
            program: program.to_owned(),
            args,
            folder: folder.to_owned(),
            env: Vec::new(),
            seconds_max: STEP_SECONDS_MAX,
        }
    }

    pub(crate) fn cargo(root: &Path, line: &str) -> Order {
        Order::new(root, "cargo", &line.split_whitespace().collect::<Vec<_>>())
    }

    pub(crate) fn env(mut self, key: &str, value: &str) -> Order {
        self.env.push((key.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn within(mut self, seconds: u64) -> Order {
        self.seconds_max = seconds;
        self
    }

    pub(crate) fn arg(mut self, arg: &str) -> Order {
        self.args.push(arg.to_owned());
        self
    }

    fn shown(&self) -> String {
        let env = self.env.iter().map(|(key, value)| format!("{key}={value} "));
        format!("{}{} {}", env.collect::<String>(), self.program, self.args.join(" "))
    }

    /// Runs it to its end; false where it failed, was killed or took too long.
    pub(crate) fn run(&self) -> Result<bool> {
        println!("$ {}", self.shown());
        let mut command = Command::new(&self.program);
        command.args(&self.args).current_dir(&self.folder).stdin(Stdio::null());
        command.envs(self.env.iter().map(|(key, value)| (key, value)));
        // At a terminal Ctrl-C must reach the children; elsewhere a step that hangs is ended with all of its own.
        let own_group = !std::io::stdin().is_terminal();
        if own_group {
            command.process_group(0);
        }
        let mut child = command.spawn().with_context(|| format!("cannot start {}", self.program))?;
        match wait_within(&mut child, Duration::from_secs(self.seconds_max))? {
            Some(status) => Ok(status.success()),
            None => {
                println!("took longer than {} s: ended", self.seconds_max);
                end(&mut child, own_group);
                Ok(false)
            }
        }
    }
}

impl Step {
    pub(crate) fn run(name: &'static str, orders: Vec<Order>) -> Step {
        Step { name, work: Work::Run(orders) }
    }

    pub(crate) fn here(name: &'static str, work: impl Fn() -> Result<bool> + 'static) -> Step {
        Step { name, work: Work::Here(Box::new(work)) }
    }

    pub(crate) fn later(name: &'static str, work: impl Fn() -> Work + 'static) -> Step {
        Step { name, work: Work::Later(Box::new(work)) }
    }

    pub(crate) fn skip(name: &'static str, why: &str) -> Step {
        Step { name, work: Work::Skip(why.to_owned()) }
    }
}

/// How a step came out.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Outcome {
    Passed,
    Failed,
    Skipped,
}

/// Runs the chosen steps, all of them whatever fails, and prints the summary; true when none failed.
pub(crate) fn run_all(steps: &[Step], only: Option<&[String]>) -> Result<bool> {
    let chosen = choose(steps, only)?;
    let mut results = Vec::new();
    for step in chosen {
        println!("\n=== {}", step.name);
        let begun = now();
        let outcome = carry_out(&step.work);
        let took = begun.elapsed();
        println!("=== {}: {outcome:?} in {:.1} s", step.name, took.as_secs_f64());
        results.push((step.name, outcome, took));
    }
    println!("\n{}", summary(&results));
    Ok(results.iter().all(|(_, outcome, _)| *outcome != Outcome::Failed))
}

/// Runs one step without a summary.
pub(crate) fn run_one(step: &Step) -> Result<bool> {
    Ok(carry_out(&step.work) != Outcome::Failed)
}

fn choose<'a>(steps: &'a [Step], only: Option<&[String]>) -> Result<Vec<&'a Step>> {
    let Some(only) = only else { return Ok(steps.iter().collect()) };
    for name in only {
        if !steps.iter().any(|step| step.name == name) {
            let names: Vec<_> = steps.iter().map(|step| step.name).collect();
            bail!("there is no step {name:?}; there are {}", names.join(", "));
        }
    }
    Ok(steps.iter().filter(|step| only.iter().any(|name| name == step.name)).collect())
}

fn carry_out(work: &Work) -> Outcome {
    let result = match work {
        Work::Run(orders) => orders.iter().try_fold(true, |good, order| Ok(good && order.run()?)),
        Work::Here(work) => work(),
        Work::Later(work) => return carry_out(&work()),
        Work::Skip(why) => {
            println!("skipped: {why}");
            return Outcome::Skipped;
        }
    };
    match result {
        Ok(true) => Outcome::Passed,
        Ok(false) => Outcome::Failed,
        Err(error) => {
            println!("{error:#}");
            Outcome::Failed
        }
    }
}

fn summary(results: &[(&str, Outcome, Duration)]) -> String {
    let mut text = String::from("step             outcome     seconds\n");
    for (name, outcome, took) in results {
        text += &format!("{name:<16} {:<11} {:>7.1}\n", format!("{outcome:?}"), took.as_secs_f64());
    }
    let count = |wanted| results.iter().filter(|(_, outcome, _)| *outcome == wanted).count();
    let skipped = match count(Outcome::Skipped) {
        0 => String::new(),
        some => format!(", {some} skipped"),
    };
    text + &format!("\n{} passed, {} failed{skipped}", count(Outcome::Passed), count(Outcome::Failed))
}

fn wait_within(child: &mut Child, limit: Duration) -> Result<Option<ExitStatus>> {
    let begun = now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if begun.elapsed() > limit {
            return Ok(None);
        }
        sleep(POLL);
    }
}

/// Ends a child, and with it everything that it started where it has a process group of its own.
fn end(child: &mut Child, own_group: bool) {
    if own_group {
        let group = format!("-{}", child.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
    }
    let _ = child.kill();
    let _ = child.wait();
}

/// The wall clock: a build tool has no node to ask.
#[expect(clippy::disallowed_methods, reason = "xtask runs outside of any node")]
fn now() -> Instant {
    Instant::now()
}

const STEP_SECONDS_MAX: u64 = 25 * 60;
const POLL: Duration = Duration::from_millis(20);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_counts_the_steps() {
        let second = Duration::from_secs(1);
        let results =
            [("a", Outcome::Passed, second), ("b", Outcome::Failed, second), ("c", Outcome::Skipped, second)];
        assert_eq!(summary(&results).lines().last(), Some("1 passed, 1 failed, 1 skipped"));
        assert_eq!(summary(&results[..1]).lines().last(), Some("1 passed, 0 failed"));
    }

    #[test]
    fn a_step_that_is_not_there_is_refused_by_name() {
        let steps = [Step::skip("unit", "for the test")];
        let wrong = choose(&steps, Some(&["units".to_owned()])).err().map(|error| error.to_string());
        assert_eq!(wrong.as_deref(), Some("there is no step \"units\"; there are unit"));
    }

    #[test]
    fn a_command_that_hangs_is_ended() {
        let order = Order::new(Path::new("."), "sleep", &["600"]).within(0);
        assert!(!order.run().unwrap());
    }

    #[test]
    fn a_failing_command_fails_its_step_and_stops_it() {
        let here = Path::new(".");
        let step = Step::run(
            "x",
            vec![Order::new(here, "false", &[]), Order::new(here, "no-such-program-anywhere", &[])],
        );
        assert_eq!(carry_out(&step.work), Outcome::Failed);
    }
}
