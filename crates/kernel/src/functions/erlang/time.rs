//! `erlang`: clocks, timers, unique numbers.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use runtime::{Ctx, Node, To};
use term::Term;

use super::super::{Answer, Fault, Module, args, calendar};
use args::{boolean, number};

pub(in super::super) const MODULE: Module = Module {
    name: "erlang",
    unfit: "badarg",
    near: &[
        ("monotonic_time", 0, |ctx, _| Ok(number(monotonic(ctx.node())))),
        ("monotonic_time", 1, |ctx, a| convert(monotonic(ctx.node()), NATIVE, unit(&a[0])?)),
        ("system_time", 0, |_, _| Ok(number(system()))),
        ("system_time", 1, |_, a| convert(system(), NATIVE, unit(&a[0])?)),
        ("time_offset", 0, |ctx, _| Ok(number(system() - monotonic(ctx.node())))),
        ("time_offset", 1, |ctx, a| convert(system() - monotonic(ctx.node()), NATIVE, unit(&a[0])?)),
        ("convert_time_unit", 3, |_, a| convert(args::int(&a[0])?.into(), unit(&a[1])?, unit(&a[2])?)),
        ("timestamp", 0, |_, _| Ok(timestamp())),
        ("now", 0, |_, _| Ok(timestamp())),
        ("universaltime", 0, |_, _| Ok(calendar::datetime(system_seconds()))),
        ("localtime", 0, |_, _| Ok(calendar::datetime(calendar::local(system_seconds())))),
        ("date", 0, |_, _| Ok(calendar::date(calendar::local(system_seconds())))),
        ("time", 0, |_, _| Ok(calendar::time(calendar::local(system_seconds())))),
        ("unique_integer", 0, |ctx, _| Ok(unique(ctx.node()))),
        ("unique_integer", 1, |ctx, a| {
            let known = |word: &Term| word.is_atom("positive") || word.is_atom("monotonic");
            if args::items(&a[0])?.iter().all(known) { Ok(unique(ctx.node())) } else { Err(Fault::Unfit) }
        }),
        ("send_after", 3, |ctx, a| send_after(ctx, a, false)),
        ("send_after", 4, |ctx, a| send_after(ctx, a, false)),
        ("start_timer", 3, |ctx, a| send_after(ctx, a, true)),
        ("start_timer", 4, |ctx, a| send_after(ctx, a, true)),
        ("cancel_timer", 1, |ctx, a| {
            let left = ctx.cancel_timer(a[0].as_ref().ok_or(Fault::Unfit)?);
            Ok(millis_left(left))
        }),
        ("read_timer", 1, |ctx, a| {
            Ok(millis_left(ctx.node().read_timer(a[0].as_ref().ok_or(Fault::Unfit)?)))
        }),
    ],
    far: &[],
};

/// Parts of a second in our native unit.
const NATIVE: i128 = 1_000_000_000;

fn monotonic(node: &Node) -> i128 {
    node.now().as_nanos().into()
}

/// Nanoseconds since 1970.
#[allow(clippy::disallowed_methods, reason = "the time of day is what is asked for")]
pub(in super::super) fn system() -> i128 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_nanos() as i128)
}

pub(in super::super) fn system_seconds() -> i64 {
    (system() / NATIVE) as i64
}

/// `{MegaSeconds, Seconds, Microseconds}`.
pub(in super::super) fn timestamp() -> Term {
    let micros = system() / 1_000;
    let parts = [micros / 1_000_000_000_000, micros / 1_000_000 % 1_000_000, micros % 1_000_000];
    Term::tuple(parts.map(number))
}

/// How many of these units make a second.
pub(in super::super) fn unit(term: &Term) -> Result<i128, Fault> {
    Ok(match term {
        Term::Int(parts) if *parts > 0 => (*parts).into(),
        term => match args::atom(term)?.as_str() {
            "second" | "seconds" => 1,
            "millisecond" | "milli_seconds" => 1_000,
            "microsecond" | "micro_seconds" => 1_000_000,
            "nanosecond" | "nano_seconds" => 1_000_000_000,
            "native" | "perf_counter" => NATIVE,
            _ => return Err(Fault::Unfit),
        },
    })
}

pub(in super::super) fn convert(time: i128, from: i128, to: i128) -> Answer {
    let product = time.checked_mul(to).ok_or(Fault::Unfit)?;
    let converted = i64::try_from(product.div_euclid(from)).map_err(|_| Fault::Unfit)?;
    Ok(Term::Int(converted))
}

/// The last number given out.
#[derive(Default)]
struct Unique(AtomicI64);

/// Unique on this node, positive and growing, whatever was asked for.
fn unique(node: &Node) -> Term {
    Term::Int(node.shelf::<Unique>().0.fetch_add(1, Ordering::Relaxed) + 1)
}

fn send_after(ctx: &mut Ctx, a: &[Term], wrapped: bool) -> Answer {
    let wait = args::millis(&a[0])?;
    if let Some(options) = a.get(3) {
        args::items(options)?;
    }
    let to = match &a[1] {
        Term::Pid(pid) => To::Pid(pid.clone()),
        Term::Atom(name) => To::Name(name.clone()),
        _ => return Err(Fault::Unfit),
    };
    if !wrapped {
        // Not the timer of this process, which ends as soon as it has answered.
        return Ok(Term::Ref(ctx.node().send_after(wait, to, a[2].clone())));
    }
    Ok(Term::Ref(ctx.node().start_timer(wait, to, a[2].clone())))
}

fn millis_left(left: Option<Duration>) -> Term {
    left.map_or(boolean(false), |left| number(left.as_millis()))
}
