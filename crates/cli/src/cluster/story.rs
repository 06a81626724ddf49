//! The story of the cluster: steps, what each orders, when it has come true, and what it still waits for. Pure.

use std::collections::BTreeSet;
use std::time::Duration;

use super::report::{Command, Tie};
use super::world::{Life, Member, World, node_of, who_of};

/// The members that are always there.
pub(crate) const FOUR: [&str; 4] = ["bill", "zoey", "rick", "daryl"];
/// The real Erlang node, where one is installed.
pub(crate) const GUEST: &str = "joe";
/// Who is killed and comes back.
pub(crate) const VICTIM: &str = "daryl";

/// One step of the story.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Boot,
    Pairs,
    Mesh,
    GuestJoins,
    GuestPings,
    Messages,
    Watch,
    Kill,
    Return,
    Leave,
}

/// What the stage is asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Start(&'static str),
    Tell(&'static str, Command),
    Kill(&'static str),
}

/// How far a step is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Not yet: this is missing.
    Waiting(String),
    /// It came true.
    True,
    /// It cannot come true any more.
    Broken(String),
}

impl Step {
    /// The story, with or without the Erlang node.
    pub(crate) fn story(guest: bool) -> Vec<Step> {
        let all = [
            Step::Boot,
            Step::Pairs,
            Step::Mesh,
            Step::GuestJoins,
            Step::GuestPings,
            Step::Messages,
            Step::Watch,
            Step::Kill,
            Step::Return,
            Step::Leave,
        ];
        all.into_iter().filter(|step| guest || !matches!(step, Step::GuestJoins | Step::GuestPings)).collect()
    }

    /// One word for the exit message.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Step::Boot => "boot",
            Step::Pairs => "pairs",
            Step::Mesh => "mesh",
            Step::GuestJoins => "guest joins",
            Step::GuestPings => "guest pings",
            Step::Messages => "messages",
            Step::Watch => "watch",
            Step::Kill => "kill",
            Step::Return => "return",
            Step::Leave => "leave",
        }
    }

    /// What is about to happen.
    pub(crate) fn announcement(self) -> &'static str {
        match self {
            Step::Boot => "bill, zoey, rick and daryl start, each in an OS process of its own",
            Step::Pairs => "two pairs meet: bill connects to zoey, rick to daryl",
            Step::Mesh => "rick connects to bill, and nobody else is told anything",
            Step::GuestJoins => "joe starts, a real Erlang node, and connects to zoey alone",
            Step::GuestPings => "joe pings the four with net_adm:ping/1, and the four ping joe",
            Step::Messages => "everybody sends to everybody and waits for the answers",
            Step::Watch => "everybody else links to a process of daryl, monitors it, and monitors his node",
            Step::Kill => "daryl is killed (SIGKILL: he can say no goodbye)",
            Step::Return => "daryl comes back and connects to bill alone",
            Step::Leave => "everybody stops",
        }
    }

    /// How long it may take.
    pub(crate) fn limit(self) -> Duration {
        Duration::from_secs(match self {
            Step::Boot | Step::GuestJoins | Step::Leave => 20,
            _ => 10,
        })
    }

    /// How long it has to stay true before it counts: what must happen once could still happen twice.
    pub(crate) fn settle(self) -> Duration {
        Duration::from_millis(if self == Step::Kill { 400 } else { 0 })
    }

    /// Whether it looks at what EPMD lists.
    pub(crate) fn asks_epmd(self) -> bool {
        matches!(self, Step::Boot | Step::Leave)
    }

    /// What has to be done.
    pub(crate) fn orders(self, world: &World) -> Vec<Order> {
        let connect = |who, to| Order::Tell(who, Command::Connect(node_of(to)));
        match self {
            Step::Boot => FOUR.into_iter().map(Order::Start).collect(),
            Step::Pairs => vec![connect("bill", "zoey"), connect("rick", "daryl")],
            Step::Mesh => vec![connect("rick", "bill")],
            Step::GuestJoins => vec![Order::Start(GUEST)],
            Step::GuestPings => {
                let there = FOUR.into_iter().map(|who| Order::Tell(GUEST, Command::Ping(node_of(who))));
                let back = FOUR.into_iter().map(|who| Order::Tell(who, Command::Ping(node_of(GUEST))));
                there.chain(back).collect()
            }
            Step::Messages => vec![],
            Step::Watch => {
                let others = cast(world).filter(|&who| who != VICTIM);
                others.map(|who| Order::Tell(who, Command::Watch(node_of(VICTIM)))).collect()
            }
            Step::Kill => vec![Order::Kill(VICTIM)],
            Step::Return => vec![Order::Start(VICTIM)],
            Step::Leave => cast(world).map(|who| Order::Tell(who, Command::Quit)).collect(),
        }
    }

    /// What has to be done when a member is up that this step started.
    pub(crate) fn orders_once_up(self, who: &str) -> Vec<Order> {
        match self {
            // The others are introduced by `global`, whose protocol both kinds of nodes speak.
            Step::GuestJoins if who == GUEST => vec![Order::Tell(GUEST, Command::Connect(node_of("zoey")))],
            Step::Return if who == VICTIM => vec![Order::Tell(VICTIM, Command::Connect(node_of("bill")))],
            _ => vec![],
        }
    }

    /// Whether it has come true.
    pub(crate) fn look(self, world: &World) -> Progress {
        if let Some((who, _)) = world.members().find(|(_, member)| self.is_lost(member)) {
            return Progress::Broken(format!("{who} ended too early"));
        }
        match self {
            Step::Boot => all(FOUR, |who| match world.member(who) {
                Some(member) if member.life == Life::Up && world.registered.contains(who) => None,
                Some(member) if member.life == Life::Up => Some(format!("{who} is not in EPMD")),
                _ => Some(format!("{who} is not up")),
            }),
            Step::Pairs => pairs(world),
            Step::Mesh | Step::GuestJoins => everybody_sees_everybody(world, self == Step::GuestJoins),
            Step::GuestPings => {
                all(FOUR, |who| pinged(world, GUEST, who).or_else(|| pinged(world, who, GUEST)))
            }
            Step::Messages => messages(world),
            Step::Watch => all(others(world), |who| {
                let watching = world.member(who).is_some_and(|it| it.watching.contains(&node_of(VICTIM)));
                (!watching).then(|| format!("{who} does not watch yet"))
            }),
            Step::Kill => killed(world),
            Step::Return => returned(world),
            Step::Leave => left(world),
        }
    }

    /// A member that ended by itself, unless ending is what it was asked to do.
    fn is_lost(self, member: &Member) -> bool {
        match member.life {
            Life::Left(well) => self != Step::Leave || !well,
            _ => false,
        }
    }

    /// What came true, with its numbers.
    pub(crate) fn verdict(self, world: &World) -> Vec<String> {
        match self {
            Step::Boot => vec!["all four are up and registered with EPMD".to_owned()],
            Step::Pairs => vec!["two pairs, and the pairs do not know each other".to_owned()],
            Step::Mesh => vec!["everybody is connected to everybody".to_owned()],
            Step::GuestJoins => vec!["joe has all four in nodes(), and all four have joe".to_owned()],
            Step::GuestPings => ping_times(world),
            Step::Messages => vec![message_summary(world)],
            Step::Watch => vec!["the ties to daryl are in place".to_owned()],
            Step::Kill => kill_times(world),
            Step::Return => {
                vec!["everybody sees daryl, in a new life of his name, and he sees everybody".to_owned()]
            }
            Step::Leave => vec!["everybody left with exit code 0, and EPMD is empty".to_owned()],
        }
    }
}

/// Everybody of the cast that has been started.
fn cast(world: &World) -> impl Iterator<Item = &'static str> {
    FOUR.into_iter().chain([GUEST]).filter(|who| world.member(who).is_some())
}

fn others(world: &World) -> impl Iterator<Item = &'static str> {
    cast(world).filter(|&who| who != VICTIM)
}

/// True when nobody has anything to complain about.
fn all(
    who: impl IntoIterator<Item = &'static str>,
    complaint: impl Fn(&'static str) -> Option<String>,
) -> Progress {
    let complaints: Vec<String> = who.into_iter().filter_map(complaint).collect();
    if complaints.is_empty() { Progress::True } else { Progress::Waiting(complaints.join(", ")) }
}

fn sees(world: &World, who: &str) -> BTreeSet<String> {
    world.member(who).map(|member| member.sees.clone()).unwrap_or_default()
}

fn pairs(world: &World) -> Progress {
    let partner = |who| match who {
        "bill" => "zoey",
        "zoey" => "bill",
        "rick" => "daryl",
        _ => "rick",
    };
    for who in FOUR {
        let strangers = sees(world, who).into_iter().find(|node| who_of(node) != partner(who));
        if let Some(node) = strangers {
            return Progress::Broken(format!("{who} is connected to {} already", who_of(&node)));
        }
    }
    all(FOUR, |who| {
        (!sees(world, who).contains(&node_of(partner(who))))
            .then(|| format!("{who} does not see {}", partner(who)))
    })
}

fn everybody_sees_everybody(world: &World, guest: bool) -> Progress {
    if guest && world.member(GUEST).is_none_or(|member| member.life != Life::Up) {
        return Progress::Waiting(format!("{GUEST} is not up"));
    }
    all(cast(world), |who| {
        let missing: Vec<_> = cast(world)
            .filter(|&other| other != who && !sees(world, who).contains(&node_of(other)))
            .collect();
        (!missing.is_empty()).then(|| format!("{who} does not see {}", missing.join(" and ")))
    })
}

fn pinged(world: &World, from: &str, to: &str) -> Option<String> {
    match world.member(from)?.pings.get(&node_of(to)) {
        Some(Some(_)) => None,
        Some(None) => Some(format!("{from} got pang from {to}")),
        None => Some(format!("{from} has no answer from {to}")),
    }
}

/// Every pair has had an answer, both ways.
fn messages(world: &World) -> Progress {
    all(cast(world), |who| {
        let member = world.member(who)?;
        let answered =
            |other: &&str| member.flows.get(&node_of(other)).is_some_and(|flow| flow.per_second > 0);
        let silent: Vec<_> =
            cast(world).filter(|&other| other != who).filter(|other| !answered(other)).collect();
        (!silent.is_empty()).then(|| format!("{who} has no answers from {}", silent.join(" and ")))
    })
}

/// Everybody else knows, by each tie, exactly once, for the reason that Erlang gives.
fn killed(world: &World) -> Progress {
    for who in others(world) {
        let Some(member) = world.member(who) else { continue };
        for (tie, fired) in &member.fired {
            if fired.times > 1 {
                return Progress::Broken(format!("{who}'s {} fired {} times", tie.word(), fired.times));
            }
            if fired.reason != "noconnection" {
                return Progress::Broken(format!("{who}'s {} fired with {}", tie.word(), fired.reason));
            }
        }
    }
    all(others(world), |who| {
        let member = world.member(who)?;
        let silent: Vec<_> = Tie::ALL.into_iter().filter(|tie| !member.fired.contains_key(tie)).collect();
        if let Some(tie) = silent.first() {
            return Some(format!("{who}'s {} has not fired", tie.word()));
        }
        member.sees.contains(&node_of(VICTIM)).then(|| format!("{who} still sees {VICTIM}"))
    })
}

fn returned(world: &World) -> Progress {
    let Some(victim) = world.member(VICTIM) else { return Progress::Waiting(String::new()) };
    if victim.life != Life::Up {
        return Progress::Waiting(format!("{VICTIM} is not up"));
    }
    if victim.creation == victim.creation_before {
        return Progress::Broken(format!("{VICTIM} has the creation of his last life, {}", victim.creation));
    }
    match everybody_sees_everybody(world, false) {
        Progress::True => messages(world),
        other => other,
    }
}

fn left(world: &World) -> Progress {
    if let Progress::Waiting(who) = all(cast(world), |who| {
        let gone = world.member(who).is_some_and(|member| member.life == Life::Left(true));
        (!gone).then(|| format!("{who} is still here"))
    }) {
        return Progress::Waiting(who);
    }
    match world.registered.iter().next() {
        Some(name) => Progress::Waiting(format!("EPMD still lists {name}")),
        None => Progress::True,
    }
}

fn ping_times(world: &World) -> Vec<String> {
    let time = |from: &str, to: &str| {
        let micros = world.member(from).and_then(|member| member.pings.get(&node_of(to)).copied().flatten());
        micros.map_or("?".to_owned(), |micros| duration_text(Duration::from_micros(micros)))
    };
    let there = FOUR.map(|who| format!("{who} {}", time(GUEST, who)));
    let back = FOUR.map(|who| format!("{who} {}", time(who, GUEST)));
    vec![
        format!("joe had a pong from {}", there.join(", ")),
        format!("the four had a pong from joe: {}", back.join(", ")),
    ]
}

fn message_summary(world: &World) -> String {
    let flows: Vec<_> = world.up().flat_map(|(_, member)| member.flows.values()).collect();
    let total: u64 = flows.iter().map(|flow| 2 * flow.per_second).sum();
    let mut times: Vec<_> = flows.iter().map(|flow| flow.micros).collect();
    times.sort_unstable();
    let middle = times.get(times.len() / 2).copied().unwrap_or(0);
    let middle = duration_text(Duration::from_micros(middle));
    format!("{} directions, {total} messages/s together, median round trip {middle}", flows.len())
}

fn kill_times(world: &World) -> Vec<String> {
    let line = |who: &'static str| {
        let member = world.member(who)?;
        let fired = Tie::ALL.map(|tie| {
            let after = member.fired.get(&tie).map_or("never".to_owned(), |it| duration_text(it.after));
            format!("{} {after}", tie.word())
        });
        Some(format!("{who} knew: {}, each exactly once", fired.join(", ")))
    };
    others(world).filter_map(line).collect()
}

/// A time a human reads: `730 µs`, `1.4 ms`, `2.1 s`.
pub(crate) fn duration_text(time: Duration) -> String {
    let micros = time.as_micros();
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..1_000_000 => format!("{:.1} ms", time.as_secs_f64() * 1e3),
        _ => format!("{:.1} s", time.as_secs_f64()),
    }
}

#[cfg(test)]
#[path = "story_tests.rs"]
mod tests;
