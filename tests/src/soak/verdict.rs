//! Whose fault is it? OTP's `global` can wedge without anybody's help (six nodes of OTP alone did), and leave names as they are when
//! who changes them is lost halfway: what `docs/semantics.md` says of global names.
//!
//! When a round does not come to rest, all nodes of ours are killed. What they held, here and elsewhere, ends with them, and what
//! they were waited for too. If the nodes of OTP are still at odds with each other after that, it is their own doing: either
//! they are connected and have not met, or they differ about a name that none of ours has been told to change in that round, and
//! ours are of one opinion. Then all begin anew, the round is counted, and told in full; more than one of them in
//! [`ROUNDS_PER_WEDGE`] rounds (and one) fail. In every other case it counts as our fault. What this cannot see: a change that one
//! of ours finished for somebody else, and finished wrongly.

use trunkline::Term;

use super::report::report;
use super::round::NAMES;
use super::{Member, Soak};
use crate::world;

/// How long nodes of OTP among themselves may take to agree.
const ALONE_SECS_MAX: u64 = 45;
const ROUNDS_PER_WEDGE: usize = 20;
/// What changes a name.
const CHANGES: [&str; 5] = ["register", "re_register", "register_far", "unregister", "kill"];

impl Soak {
    /// The round did not come to rest.
    pub(super) async fn judge(&mut self, why: &str) {
        let text = report(self, why);
        match self.without_ours().await {
            Err(still) => {
                println!("round {}: OTP's own doing, for without any of ours: {still}\n{text}", self.rounds);
            }
            Ok(()) => panic!("{text}"),
        }
        self.wedges.push(self.rounds);
        let (wedges, rounds) = (self.wedges.len(), self.rounds);
        assert!(wedges <= 1 + rounds / ROUNDS_PER_WEDGE, "OTP wedged {wedges} times in {rounds} rounds");
        self.members.iter_mut().for_each(Member::kill);
        self.begin_anew().await;
    }

    /// What is still wrong when none of ours is there, and none of them can have caused it.
    async fn without_ours(&mut self) -> Result<(), String> {
        let ours_agree = self.ours_agree();
        self.members.iter_mut().filter(|member| member.ours).for_each(Member::kill);
        if let Err(why) = self.heal(ALONE_SECS_MAX).await {
            let unmet = self.unmet();
            let (differ, touched) = self.names_that_differ();
            if !unmet.is_empty() {
                return Err(format!("{why}; they are connected and have not met: {unmet:?}"));
            } else if ours_agree && !touched {
                return Err(format!("{why}; nobody but they touched {differ:?}"));
            }
        }
        self.answers(ALONE_SECS_MAX).await
    }

    /// Whether all of ours have the same names.
    fn ours_agree(&mut self) -> bool {
        let ours = self.members.iter_mut().filter(|member| member.ours && member.life.is_some());
        let mut names = ours
            .map(|member| member.ask("soaker:state()").as_tuple().and_then(|state| state.get(1).cloned()));
        let first = names.next();
        names.all(|names| Some(names) == first)
    }

    /// Nodes of OTP that are connected and whose name servers are not one partition.
    fn unmet(&mut self) -> Vec<(String, String)> {
        let live =
            self.members.iter_mut().filter_map(|member| Some((member.name.clone(), member.life.as_mut()?)));
        let unmet = live.map(|(name, life)| (name, life.eval("soaker:unmet()")));
        unmet.filter(|(_, nodes)| nodes != "[]").collect()
    }

    /// The names about which those who live disagree, and whether one of ours changed one of them in this round.
    fn names_that_differ(&mut self) -> (Vec<&'static str>, bool) {
        let states = self.states();
        let differ: Vec<&str> = NAMES
            .into_iter()
            .filter(|name| {
                let name = world::t(name);
                let mut owners = states.iter().map(|state| owner(state, &name));
                let first = owners.next();
                owners.any(|owner| Some(owner) != first)
            })
            .collect();
        let ours: Vec<&str> =
            self.members.iter().filter(|member| member.ours).map(|member| member.name.as_str()).collect();
        let mut told = self
            .story
            .iter()
            .filter(|line| line.split_whitespace().nth(1).is_some_and(|teller| ours.contains(&teller)));
        let changes = |line: &str, name: &str| {
            CHANGES.iter().any(|change| line.contains(&format!("{{{change}, {name}")))
        };
        let touched = told.any(|line| differ.iter().any(|name| changes(line, name)));
        (differ, touched)
    }
}

/// The process of a name, in what a node thinks.
fn owner(state: &Term, name: &Term) -> Option<Term> {
    let names = state.as_tuple()?.get(1)?.as_list()?;
    names.iter().find_map(|entry| match entry.as_tuple()? {
        [this, pid] if this == name => Some(pid.clone()),
        _ => None,
    })
}
