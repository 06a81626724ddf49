//! A live Erlang node under a test's control: expressions in, printed values out.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use crate::world::COOKIE;

/// How long one expression may take before the test gives up on it.
const ANSWER_SECONDS_MAX: u64 = 60;

/// What stands before the printed value of an expression, so that other output can be told from it.
const MARK: &str = "#value#";

/// Reads expressions from standard input and answers each with its value or its exception, bindings kept. Maps are printed
/// with their keys in order, as OTP 25 does by itself and later releases when told `~k`.
const EVALUATOR: &str = r##"
Value = try io_lib:format("~kp", [x]) of _ -> "~n#value#~0tkp~n" catch error:_ -> "~n#value#~0tp~n" end,
F = fun F(B) ->
  case io:get_line("") of
    eof -> erlang:halt(0, [{flush, false}]);
    L ->
      {R, B2} = try
        {ok, T, _} = erl_scan:string(L), {ok, E} = erl_parse:parse_exprs(T),
        {value, V, Bx} = erl_eval:exprs(E, B), {V, case V of '#forget' -> []; _ -> Bx end}
      catch C:X -> {{'EXCEPTION', C, X}, B} end,
      io:format(Value, [R]), F(B2)
  end
end, F([]).
"##;

/// A running `erl`. Killed when dropped.
pub struct Erl {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    /// What it printed that was no answer, such as its log.
    pub printed: Vec<String>,
    /// The full name of the node.
    pub name: String,
}

impl Erl {
    /// Starts `erl` with these flags, which must name the node with `-sname` or `-name`.
    ///
    /// # Panics
    /// When `erl` can't be started or does not answer.
    pub fn start(name: &str, epmd_port: u16, flags: &[&str]) -> Erl {
        Erl::start_by(Command::new("erl"), name, epmd_port, flags)
    }

    /// As [`Erl::start`], by a command that starts `erl` somewhere, such as on another host.
    ///
    /// # Panics
    /// As [`Erl::start`].
    pub fn start_by(mut command: Command, name: &str, epmd_port: u16, flags: &[&str]) -> Erl {
        let kind = if name.contains('.') { "-name" } else { "-sname" };
        command
            .args([kind, name, "-setcookie", COOKIE, "-noshell", "-start_epmd", "false", "-eval", EVALUATOR])
            .args(flags)
            .env("ERL_EPMD_PORT", epmd_port.to_string())
            .env("ERL_CRASH_DUMP_SECONDS", "0")
            .env("ERL_FLAGS", "+S 2:2 +A 1");
        Erl::speak(command, name)
    }

    /// Starts any program that answers expressions as [`Erl::start`]'s does.
    ///
    /// # Panics
    /// When it can't be started or does not answer.
    pub fn speak(mut command: Command, name: &str) -> Erl {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap_or_else(|why| panic!("{command:?} starts: {why}"));
        let stdin = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let mut erl = Erl { child, stdin, lines, printed: Vec::new(), name: name.to_owned() };
        let node = erl.eval("node()");
        assert!(node == quoted(name) || name == "undefined", "erl is {node}, not {name}");
        erl
    }

    /// The printed value of an expression (without its full stop).
    ///
    /// # Panics
    /// When the node does not answer in time.
    pub fn eval(&mut self, expression: &str) -> String {
        self.ask(expression);
        self.answer()
    }

    /// Types an expression without waiting for its value: see [`Erl::answer`].
    ///
    /// # Panics
    /// When the node is gone.
    pub fn ask(&mut self, expression: &str) {
        let line = format!("{}.\n", expression.replace('\n', " "));
        let stdin = self.stdin.as_mut().expect("the node was not closed");
        stdin.write_all(line.as_bytes()).and_then(|()| stdin.flush()).expect("the node reads");
    }

    /// The value of the earliest expression not yet answered.
    ///
    /// # Panics
    /// When the node does not answer in time.
    pub fn answer(&mut self) -> String {
        loop {
            match self.lines.recv_timeout(Duration::from_secs(ANSWER_SECONDS_MAX)) {
                Ok(line) => match line.strip_prefix(MARK) {
                    Some(value) => return value.to_owned(),
                    None => self.printed.push(line),
                },
                Err(RecvTimeoutError::Timeout) => {
                    panic!("{} gave no answer; printed: {:?}", self.name, self.printed)
                }
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("{} ended; printed: {:?}", self.name, self.printed)
                }
            }
        }
    }

    /// Evaluates and compares.
    ///
    /// # Panics
    /// When the value is another one.
    #[track_caller]
    pub fn check(&mut self, expression: &str, value: &str) {
        assert_eq!(self.eval(expression), value, "{expression}");
    }

    /// As [`Erl::check`], with variables of its own: `receive` may wait for long with `?WAIT` behind its clauses.
    ///
    /// # Panics
    /// When the value is another one.
    #[track_caller]
    pub fn scene(&mut self, body: &str, value: &str) {
        let body = body.replace("?WAIT", "after 30000 -> lost");
        self.check(&format!("(fun() -> {body} end)()"), value);
    }

    /// Evaluates until the value is the wanted one, for what takes a moment to come true.
    ///
    /// # Panics
    /// When it does not come true in time.
    #[track_caller]
    pub fn until(&mut self, expression: &str, value: &str) {
        let wait = format!(
            "(fun Until_(0) -> {expression}; Until_(N_) -> case {expression} of {value} = V_ -> V_; _ -> timer:sleep(20), Until_(N_ - 1) end end)(1000)"
        );
        assert_eq!(self.eval(&wait), value, "{expression}");
    }

    /// Loads the module `guest`, and starts its `echo` and `counter`.
    ///
    /// # Panics
    /// When it does not compile.
    pub fn load_guest(&mut self) {
        self.load("guest");
        self.check("guest:echo(), element(1, guest:start())", "ok");
    }

    /// Loads a module of the folder `erl`.
    ///
    /// # Panics
    /// When it does not compile.
    pub fn load(&mut self, module: &str) {
        let path = format!("{}/erl/{module}.erl", env!("CARGO_MANIFEST_DIR"));
        let load = format!(
            "{{ok, M, B}} = compile:file({path:?}, [binary]), element(1, code:load_binary(M, {path:?}, B))"
        );
        self.check(&load, "module");
        self.forget();
    }

    /// Forgets all variables.
    ///
    /// # Panics
    /// When the node does not answer.
    pub fn forget(&mut self) {
        self.check("'#forget'", "'#forget'");
    }

    /// Waits until a line that it printed has all these words, and gives it back.
    ///
    /// # Panics
    /// When there is none in time.
    pub fn until_printed(&mut self, words: &[&str]) -> String {
        for _ in 0..1500 {
            // An answer makes us read everything before it.
            self.eval("timer:sleep(20)");
            let found = self.printed.iter().find(|line| words.iter().all(|word| line.contains(word)));
            if let Some(line) = found {
                return line.clone();
            }
        }
        panic!("{} printed nothing with {words:?}, but: {:?}", self.name, self.printed);
    }

    /// The operating system's number of the process.
    pub fn os_pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal such as `KILL`, `STOP` or `CONT`.
    ///
    /// # Panics
    /// When there is no `kill` command.
    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        Command::new("kill").args(["-s", name, &id]).status().expect("kill runs");
    }

    /// Ends the node as `kill -9` does.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Erl {
    fn drop(&mut self) {
        self.kill();
    }
}

/// An atom as Erlang prints a node name.
pub fn quoted(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '@');
    if plain { name.to_owned() } else { format!("'{name}'") }
}

/// What `erl` says when it cannot start under this name.
///
/// # Panics
/// When it can.
pub fn fails_to_start(name: &str, epmd_port: u16) -> String {
    let output = Command::new("erl")
        .args(["-sname", name, "-setcookie", COOKIE, "-noinput", "-start_epmd", "false", "-eval", "halt()."])
        .env("ERL_EPMD_PORT", epmd_port.to_string())
        .env("ERL_CRASH_DUMP_SECONDS", "0")
        .output()
        .expect("erl starts");
    assert!(!output.status.success(), "erl started as {name}");
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

/// Whether `erl` is here. Says so loudly when it is not; insists on it when `TRUNKLINE_REQUIRE_ERL` is set.
///
/// # Panics
/// When it is required and missing.
pub fn found() -> bool {
    let found =
        Command::new("erl").args(["-noshell", "-eval", "halt()."]).status().is_ok_and(|s| s.success());
    if !found {
        assert!(std::env::var_os("TRUNKLINE_REQUIRE_ERL").is_none(), "erl is required and was not found");
        eprintln!("SKIPPED: no erl was found, so nothing was proved against OTP");
    }
    found
}
