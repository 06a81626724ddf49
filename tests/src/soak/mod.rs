//! Three nodes of OTP and three of ours, a long time, and every misfortune: in the end of each round all agree.

pub mod ours;
mod report;
mod round;
mod verdict;

use std::process::Command;

use trunkline::{Term, term};

use crate::erl::Erl;
use crate::world;

pub use round::{Soak, seed};

/// A node of the soak, of either kind: it answers the same expressions.
pub struct Member {
    /// Its full name.
    pub name: String,
    /// Whether it is one of ours.
    pub ours: bool,
    /// The process, while it lives.
    pub life: Option<Erl>,
    /// What was begun in this life, and not yet seen to its end.
    pub begun: Vec<i64>,
}

impl Member {
    fn new(name: String, ours: bool) -> Member {
        Member { name, ours, life: None, begun: Vec::new() }
    }

    /// Starts it, if it does not live. `soaker` is the program of ours.
    fn boot(&mut self, soaker: &str, epmd: u16) {
        if self.life.is_some() {
            return;
        }
        self.begun.clear();
        self.life = Some(if self.ours {
            let mut command = Command::new(soaker);
            command.args([&self.name, &epmd.to_string()]);
            Erl::speak(command, &self.name)
        } else {
            let mut erl = Erl::start(&self.name, epmd, &["-kernel", "logger_level", "critical"]);
            erl.load("soaker");
            erl.check("soaker:start()", "ok");
            if log_folder().is_some() {
                erl.check("gen_server:call(global_name_server, high_level_trace_start)", "ok");
            }
            erl
        });
    }

    /// What it logged is about what is over: only what comes is of interest.
    fn forget_log(&mut self) {
        let (Some(folder), Some(life)) = (log_folder(), &mut self.life) else { return };
        if self.ours {
            let path = std::path::Path::new(&folder).join(format!("{}.log", self.name));
            let _ = std::fs::File::options().write(true).truncate(true).open(path);
        } else {
            life.eval("gen_server:call(global_name_server, high_level_trace_get), ok");
        }
    }

    fn kill(&mut self) {
        if let Some(mut life) = self.life.take() {
            life.kill();
        }
    }

    fn begin(&mut self, id: i64, what: &str) {
        if let Some(life) = &mut self.life {
            life.check(&format!("soaker:do({id}, {what})"), "ok");
            self.begun.push(id);
        }
    }

    /// What it says, as a term.
    fn ask(&mut self, question: &str) -> Term {
        let said = self.life.as_mut().map(|life| life.eval(question)).unwrap_or_default();
        term::read::read_term(&said).unwrap_or_else(|_| Term::binary(&said))
    }

    /// What came of all that it was told in this life: `(number, result, milliseconds)`, or nothing where it still works.
    fn outcomes(&mut self) -> Vec<(i64, Option<(Term, i64)>)> {
        let all = self.ask("soaker:outcomes()");
        let read = |entry: Term| match entry.as_tuple()? {
            [Term::Int(id), word, _] if word.is_atom("waiting") => Some((*id, None)),
            [Term::Int(id), result, Term::Int(millis)] => Some((*id, Some((result.clone(), *millis)))),
            _ => None,
        };
        all.as_list().map(|list| list.iter().filter_map(read).collect()).unwrap_or_default()
    }
}

/// The dice of the soak (SplitMix64).
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % end.max(1) as u64) as usize
    }

    fn pick<'a, T: ?Sized>(&mut self, choice: &[&'a T]) -> &'a T {
        choice[self.below(choice.len())]
    }
}

/// Where nodes of ours log all that happens to them; nodes of OTP then keep a trace of `global`, which is in the report.
fn log_folder() -> Option<std::ffi::OsString> {
    std::env::var_os("TRUNKLINE_SOAK_LOG")
}

/// The name of a new member.
fn member_name(ours: bool) -> String {
    world::unique(if ours { "ours" } else { "otp" })
}
