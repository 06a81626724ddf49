//! Rounds: misfortune, then quiet, then everybody is asked, and all must say the same.

use std::time::Duration;

use trunkline::Term;

use super::{Dice, Member, member_name};
use crate::world;

/// How long what was begun may take until it has an answer, beyond its own time.
const ANSWERS_SECS_MAX: u64 = 60;
/// How long nodes may take until all are connected, and of one opinion.
const AGREE_SECS_MAX: u64 = 90;
/// When connections that are missing are dialled again.
const REDIAL: Duration = Duration::from_secs(3);
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// A call has this limit of its own; some time is added for a busy machine.
const CALL_MILLIS_MAX: i64 = 3_000 + 5_000;

pub(super) const NAMES: [&str; 5] = ["alpha", "{beta, 1}", "\"gamma\"", "<<\"delta\">>", "5"];
const GROUPS: [&str; 3] = ["red", "{green, 2}", "<<\"blue\">>"];
const RESOURCES: [&str; 2] = ["kitchen", "{bath, 1}"];

/// A cluster and its misfortunes.
pub struct Soak {
    dice: Dice,
    soaker: String,
    epmd: u16,
    /// Whether names of far processes and lost connections are half of all misfortune.
    far: bool,
    /// The nodes, OTP's first.
    pub members: Vec<Member>,
    next: i64,
    /// What was done in this round, for the report.
    pub story: Vec<String>,
    /// What was done in all: how many of each.
    pub done: std::collections::BTreeMap<String, usize>,
    /// How many rounds there were.
    pub rounds: usize,
    /// The rounds after which OTP's nodes were at odds with each other and with nobody else: see `verdict`.
    pub wedges: Vec<usize>,
}

impl Soak {
    /// Six nodes that know each other, so many of them `ours`. `soaker` is `env!("CARGO_BIN_EXE_soaker")`.
    ///
    /// # Panics
    /// When one does not start.
    pub async fn start(seed: u64, soaker: &str, epmd: u16, ours: usize) -> Soak {
        let members =
            (0..6).map(|at| at >= 6 - ours.min(6)).map(|ours| Member::new(member_name(ours), ours)).collect();
        let mut soak = Soak {
            dice: Dice(seed),
            soaker: soaker.to_owned(),
            epmd,
            far: std::env::var("TRUNKLINE_SOAK_FAR").is_ok(),
            members,
            next: 0,
            story: Vec::new(),
            done: std::collections::BTreeMap::new(),
            rounds: 0,
            wedges: Vec::new(),
        };
        soak.begin_anew().await;
        soak
    }

    /// All are started, and meet.
    pub(super) async fn begin_anew(&mut self) {
        self.boot_all();
        if let Err(why) = self.heal(AGREE_SECS_MAX).await {
            panic!("{}", super::report::report(self, &why));
        }
    }

    fn boot_all(&mut self) {
        for member in &mut self.members {
            member.boot(&self.soaker, self.epmd);
        }
    }

    /// One round.
    ///
    /// # Panics
    /// When nodes disagree in the end, or somebody waits for an answer, and it is not OTP's own doing.
    pub async fn round(&mut self) {
        self.story.clear();
        self.members.iter_mut().for_each(Member::forget_log);
        for _ in 0..8 + self.dice.below(25) {
            self.misfortune().await;
            let pause = self.dice.below(10) * self.dice.below(30);
            tokio::time::sleep(Duration::from_millis(pause as u64)).await;
        }
        self.boot_all();
        self.story.push("--- quiet ---".into());
        self.rounds += 1;
        if let Err(why) = self.come_to_rest().await {
            self.judge(&why).await;
        }
    }

    async fn come_to_rest(&mut self) -> Result<(), String> {
        self.answers(ANSWERS_SECS_MAX).await?;
        self.heal(AGREE_SECS_MAX).await?;
        self.locks_are_free().await
    }

    fn tell(&mut self, at: usize, what: &str) {
        self.next += 1;
        let line =
            format!("{:>5}  {}  {what}  at {:?}", self.next, self.members[at].name, world::time_of_day());
        self.story.push(line);
        let word = what.trim_start_matches('{').split(',').next().unwrap_or_default().to_owned();
        *self.done.entry(word).or_default() += 1;
        let id = self.next;
        self.members[at].begin(id, what);
    }

    async fn misfortune(&mut self) {
        let count = self.members.len();
        let (at, to) = (self.dice.below(count), self.dice.below(count));
        let peer = self.members[to].name.clone();
        let (name, group) = (self.dice.pick(&NAMES), self.dice.pick(&GROUPS));
        let resource = self.dice.pick(&RESOURCES);
        let millis = self.dice.below(300);
        let far = self.far && self.dice.below(2) == 0;
        let what = match if far { [4, 18, 18][self.dice.below(3)] } else { self.dice.below(40) } {
            0 => return self.crash(at),
            1 => return self.doze(at).await,
            2 | 3 => return self.members[at].boot(&self.soaker, self.epmd),
            4..=6 if at != to => format!("{{disconnect, '{peer}'}}"),
            4..=9 if at != to => format!("{{connect, '{peer}'}}"),
            4..=14 => format!("{{register, {name}}}"),
            15..=17 => format!("{{re_register, {name}}}"),
            18 => format!("{{register_far, {name}, '{peer}'}}"),
            19..=20 => format!("{{unregister, {name}}}"),
            21 => format!("{{kill, {name}}}"),
            22..=25 => format!("{{join, {group}}}"),
            26..=27 => format!("{{leave, {group}}}"),
            28..=30 => format!("{{lock, {resource}, {millis}}}"),
            31..=33 => format!("{{call, '{peer}', {millis}}}"),
            34..=36 => format!("{{erpc, '{peer}', {millis}}}"),
            _ => format!("{{ask, {name}}}"),
        };
        self.tell(at, &what);
    }

    fn crash(&mut self, at: usize) {
        self.story.push(format!("       {}  is killed at {:?}", self.members[at].name, world::time_of_day()));
        *self.done.entry("crash".into()).or_default() += 1;
        self.members[at].kill();
    }

    /// Stops the whole program for a moment.
    async fn doze(&mut self, at: usize) {
        let Some(life) = &self.members[at].life else { return };
        let millis = 100 + self.dice.below(1_200) as u64;
        life.signal("STOP");
        tokio::time::sleep(Duration::from_millis(millis)).await;
        life.signal("CONT");
        self.story.push(format!("       {}  was stopped for {millis} ms", self.members[at].name));
        *self.done.entry("doze".into()).or_default() += 1;
    }

    /// Everything that was begun comes to an end, calls in their own time.
    pub(super) async fn answers(&mut self, secs: u64) -> Result<(), String> {
        let mut waited = Duration::ZERO;
        loop {
            let mut waiting = Vec::new();
            let mut late = Vec::new();
            for member in &mut self.members {
                if member.begun.is_empty() {
                    continue;
                }
                for (id, outcome) in member.outcomes() {
                    match outcome {
                        None => waiting.push((member.name.clone(), id)),
                        Some((result, millis)) if member.begun.contains(&id) => {
                            member.begun.retain(|begun| *begun != id);
                            self.story.push(format!("{id:>5}  came to {result:?} after {millis} ms"));
                            late.push((id, millis));
                        }
                        Some(_) => {}
                    }
                }
            }
            for (id, millis) in late {
                let called = |line: &&String| {
                    line.starts_with(&format!("{id:>5}  "))
                        && (line.contains("{call,") || line.contains("{erpc,") || line.contains("{ask,"))
                };
                if millis > CALL_MILLIS_MAX && self.story.iter().any(|line| called(&line)) {
                    return Err(format!("the call {id} was answered after {millis} ms"));
                }
            }
            if waiting.is_empty() {
                return Ok(());
            }
            if waited > Duration::from_secs(secs) {
                return Err(format!("these have no answer: {waiting:?}"));
            }
            tokio::time::sleep(LOOK_AGAIN).await;
            waited += LOOK_AGAIN;
        }
    }

    /// All who live dial each other until everybody sees everybody and all are of one opinion.
    pub(super) async fn heal(&mut self, secs: u64) -> Result<(), String> {
        let lives = |member: &&Member| member.life.is_some();
        let names: Vec<String> =
            self.members.iter().filter(lives).map(|member| member.name.clone()).collect();
        let mut waited = Duration::ZERO;
        let mut dialled = None;
        loop {
            let states = self.states();
            match disagreement(&names, &states) {
                None => return Ok(()),
                Some(why) if waited > Duration::from_secs(secs) => return Err(why),
                Some(_) => {}
            }
            let meshed = states.iter().all(|state| nodes_of(state) + 1 == names.len());
            if !meshed && dialled.is_none_or(|at| waited >= at + REDIAL) {
                dialled = Some(waited);
                for member in self.members.iter_mut().filter(|member| member.life.is_some()) {
                    let before = names.iter().position(|name| *name == member.name).unwrap_or_default();
                    for peer in &names[..before] {
                        self.next += 1;
                        member.begin(self.next, &format!("{{connect, '{peer}'}}"));
                    }
                }
            }
            tokio::time::sleep(LOOK_AGAIN).await;
            waited += LOOK_AGAIN;
        }
    }

    /// Whoever wants a lock now gets it.
    async fn locks_are_free(&mut self) -> Result<(), String> {
        for resource in RESOURCES {
            let at = self.dice.below(self.members.len());
            self.tell(at, &format!("{{lock, {resource}, 0}}"));
            let (id, asked) = (self.next, self.next);
            self.answers(ANSWERS_SECS_MAX).await?;
            let had = self.story.iter().any(|line| line.starts_with(&format!("{id:>5}  came to true")));
            if !had {
                return Err(format!("the lock {resource} (request {asked}) is not free"));
            }
        }
        Ok(())
    }

    /// What those who live think.
    pub(super) fn states(&mut self) -> Vec<Term> {
        let live = self.members.iter_mut().filter(|member| member.life.is_some());
        live.map(|member| member.ask("soaker:state()")).collect()
    }
}

fn nodes_of(state: &Term) -> usize {
    state.as_tuple().and_then(|parts| parts.first()?.as_list()).map_or(0, trunkline::List::len)
}

/// The first two that do not say the same; or one that does not see all others.
pub(super) fn disagreement(names: &[String], states: &[Term]) -> Option<String> {
    let parts = |state: &Term| state.as_tuple().map(<[Term]>::to_vec).unwrap_or_default();
    for (name, state) in names.iter().zip(states) {
        let mut others: Vec<&String> = names.iter().filter(|other| *other != name).collect();
        others.sort();
        let seen: Vec<String> = match parts(state).first().and_then(Term::as_list) {
            Some(list) => list.iter().filter_map(|node| Some(node.as_atom()?.to_string())).collect(),
            None => return Some(format!("{name} says {state:?}")),
        };
        if !seen.iter().eq(others) {
            return Some(format!("{name} sees only {seen:?}"));
        }
    }
    for (what, index) in [("global names", 1), ("pg groups", 2)] {
        let of = |state: &Term| parts(state).get(index).cloned().unwrap_or(Term::NIL);
        let first = of(&states[0]);
        if let Some(at) = states.iter().position(|state| of(state) != first) {
            let other = of(&states[at]);
            return Some(format!(
                "the {what} differ: {} has {first:?}, {} has {other:?}",
                names[0], names[at]
            ));
        }
    }
    // Nobody may have a name who is not there.
    let dead = format!("{:?}", states[0]).contains("undefined");
    dead.then(|| format!("a name belongs to nobody: {:?}", states[0]))
}

/// A seed that was asked for, or one that nobody foresaw.
pub fn seed() -> u64 {
    let asked = std::env::var("TRUNKLINE_SEED").ok().and_then(|text| text.parse().ok());
    asked.unwrap_or_else(|| world::time_of_day().as_nanos() as u64 % 1_000_000)
}
