//! What a process notes down while somebody watches it: trace, log, statistics.

use std::collections::VecDeque;

use runtime::{Ctx, Node};
use term::{Term, term};

use crate::limits::{LOG_EVENTS_DEFAULT, LOG_EVENTS_MAX};
use crate::reply::Outbox;
use crate::report::show;
use crate::request::Caller;

/// The debug options of one process. Nothing is noted, and nothing costs anything, until somebody asks for it.
#[derive(Default)]
pub(crate) struct Debug {
    trace: bool,
    log: Option<Log>,
    statistics: Option<Statistics>,
    /// Answers that were given since the last look.
    outbox: Option<Outbox>,
}

struct Log {
    events: VecDeque<Term>,
    events_max: usize,
}

struct Statistics {
    since: proto_now::Moment,
    read: u64,
    messages_in: u64,
    messages_out: u64,
}

/// Times for people: as `erlang:localtime/0`, in UTC.
mod proto_now {
    use std::time::{Duration, UNIX_EPOCH};

    use term::{Term, term};

    #[derive(Clone, Copy)]
    pub(super) struct Moment(Duration);

    impl Moment {
        #[allow(clippy::disallowed_methods, reason = "shown to people, decides nothing")]
        pub(super) fn now() -> Moment {
            Moment(std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
        }

        /// `{{Year, Month, Day}, {Hour, Minute, Second}}`, by the civil calendar.
        pub(super) fn to_term(self) -> Term {
            let seconds = self.0.as_secs() as i64;
            let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
            let (year, month, day) = civil(days);
            term!({{(year), (month), (day)}, {(rest / 3600), (rest / 60 % 60), (rest % 60)}})
        }
    }

    /// The date of a day counted from 1970-01-01 (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
    fn civil(days: i64) -> (i64, i64, i64) {
        let days = days + 719_468;
        let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
        let shifted = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted + 2) / 5 + 1;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        (year + era * 400 + i64::from(month <= 2), month, day)
    }

    #[cfg(test)]
    #[test]
    fn days_have_dates() {
        assert_eq!([civil(0), civil(11_016), civil(20_778)], [(1970, 1, 1), (2000, 2, 29), (2026, 11, 21)]);
    }
}

impl Debug {
    /// Whether anything is to be noted.
    pub(crate) fn is_on(&self) -> bool {
        self.trace || self.log.is_some() || self.statistics.is_some()
    }

    /// Where answers are to be noted.
    pub(crate) fn outbox(&mut self) -> Option<Outbox> {
        if !self.is_on() {
            return None;
        }
        Some(self.outbox.get_or_insert_default().clone())
    }

    /// A message came in.
    pub(crate) fn came(&mut self, name: &Term, message: &Term) {
        if let Some(statistics) = &mut self.statistics {
            statistics.messages_in += 1;
        }
        let event = || term!({in, (message.clone())});
        let said = || match message.as_tuple() {
            Some([tag, from, question]) if tag.is_atom("$gen_call") => {
                let from = from.as_tuple().and_then(|from| from.first()).unwrap_or(from);
                format!("got call {} from {}", show(question), show(from))
            }
            Some([tag, cast]) if tag.is_atom("$gen_cast") => format!("got cast {}", show(cast)),
            _ => format!("got {}", show(message)),
        };
        self.note(name, event, said);
    }

    /// The callback has returned; `state` is what it left.
    pub(crate) fn left(&mut self, name: &Term, state: Term) {
        let answers: Vec<(Term, Caller)> = match &self.outbox {
            Some(outbox) => outbox.lock().unwrap_or_else(|e| e.into_inner()).drain(..).collect(),
            None => Vec::new(),
        };
        if answers.is_empty() {
            let said = || format!("new state {}", show(&state));
            return self.note(name, || term!({noreply, (state.clone())}), said);
        }
        for (answer, to) in answers {
            if let Some(statistics) = &mut self.statistics {
                statistics.messages_out += 1;
            }
            let said = || format!("sent {} to {}, new state {}", show(&answer), to.pid, show(&state));
            let event = || term!({out, (answer.clone()), (to.clone()), (state.clone())});
            self.note(name, event, said);
        }
    }

    fn note(&mut self, name: &Term, event: impl FnOnce() -> Term, said: impl FnOnce() -> String) {
        if self.trace {
            tracing::info!(target: "sys", "*DBG* {} {}", show(name), said());
        }
        if let Some(log) = &mut self.log {
            while log.events.len() >= log.events_max {
                log.events.pop_front();
            }
            log.events.push_back(event());
        }
    }

    /// The logged events, oldest first.
    pub(crate) fn events(&self) -> Term {
        self.log.as_ref().map_or(Term::NIL, |log| Term::list(log.events.iter().cloned()))
    }

    /// The options as `sys:get_status/1` shows them.
    pub(crate) fn options(&self) -> Term {
        let mut options = Vec::new();
        if self.trace {
            options.push(term!({trace, true}));
        }
        if let Some(log) = &self.log {
            options.push(term!({log, {(log.events_max), (self.events())}}));
        }
        if let Some(statistics) = &self.statistics {
            options.push(term!({statistics, (statistics.shown(statistics.read))}));
        }
        Term::list(options)
    }

    /// `{debug, What}`: the answer.
    pub(crate) fn command(&mut self, ctx: &Ctx, what: &Term) -> Term {
        if what.is_atom("no_debug") {
            *self = Debug::default();
            return Term::atom("ok");
        }
        let Some([Term::Atom(option), value]) = what.as_tuple() else { return Term::atom("unknown_debug") };
        let word = value.as_atom().map(|word| word.as_str());
        match (option.as_str(), word) {
            ("trace", Some("true")) => self.trace = true,
            ("trace", Some("false")) => self.trace = false,
            ("log", Some("false")) => self.log = None,
            ("log", Some("get")) => return term!({ok, (self.events())}),
            ("log", Some("print")) => self.print(),
            ("log", Some("true")) => {
                self.keep(self.log.as_ref().map_or(LOG_EVENTS_DEFAULT, |log| log.events_max))
            }
            ("log", None) => match value.as_tuple() {
                Some([on, Term::Int(count @ 1..)]) if on.is_atom("true") => {
                    self.keep(usize::try_from(*count).unwrap_or(usize::MAX));
                }
                _ => return Term::atom("unknown_debug"),
            },
            ("statistics", Some("true")) => {
                self.statistics.get_or_insert_with(|| Statistics::new(ctx));
            }
            ("statistics", Some("false")) => self.statistics = None,
            ("statistics", Some("get")) => {
                let statistics = self.statistics.as_ref();
                let shown = statistics.map(|statistics| statistics.shown(read(ctx.node(), ctx)));
                return term!({ok, (shown.unwrap_or(Term::atom("no_statistics")))});
            }
            ("remove", _) | ("log_to_file", Some("false")) => {}
            // A file of this node that a peer names, and a fun that cannot run here.
            ("log_to_file", _) => return term!({error, open_file}),
            ("install", _) => return term!({error, notsup}),
            _ => return Term::atom("unknown_debug"),
        }
        Term::atom("ok")
    }

    fn keep(&mut self, events_max: usize) {
        let events = self.log.take().map(|log| log.events).unwrap_or_default();
        let events_max = events_max.min(LOG_EVENTS_MAX);
        let surplus = events.len().saturating_sub(events_max);
        self.log = Some(Log { events: events.into_iter().skip(surplus).collect(), events_max });
    }

    fn print(&self) {
        for event in self.log.iter().flat_map(|log| &log.events) {
            tracing::info!(target: "sys", "*DBG* {}", show(event));
        }
    }
}

impl Statistics {
    fn new(ctx: &Ctx) -> Statistics {
        let since = proto_now::Moment::now();
        Statistics { since, read: read(ctx.node(), ctx), messages_in: 0, messages_out: 0 }
    }

    /// As OTP; a message read counts as a reduction, of which there are none here.
    fn shown(&self, read: u64) -> Term {
        term!([
            {start_time, (self.since.to_term())},
            {current_time, (proto_now::Moment::now().to_term())},
            {reductions, (read - self.read)},
            {messages_in, (self.messages_in)},
            {messages_out, (self.messages_out)}
        ])
    }
}

fn read(node: &Node, ctx: &Ctx) -> u64 {
    node.process_info(ctx.pid_ref()).map_or(0, |info| info.messages_received)
}
