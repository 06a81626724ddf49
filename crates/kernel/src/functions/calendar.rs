//! `calendar`: dates and times, and what time it is where this node runs.

use term::Term;

use super::erlang::time;
use super::{Answer, Fault, Module, args};
use args::{int, tuple};

pub(super) const MODULE: Module = Module {
    name: "calendar",
    unfit: "function_clause",
    near: &[
        ("universal_time", 0, |_, _| Ok(datetime(time::system_seconds()))),
        ("local_time", 0, |_, _| Ok(datetime(local(time::system_seconds())))),
        ("now_to_datetime", 1, |_, a| Ok(datetime(seconds_of_now(&a[0])?))),
        ("now_to_universal_time", 1, |_, a| Ok(datetime(seconds_of_now(&a[0])?))),
        ("now_to_local_time", 1, |_, a| Ok(datetime(local(seconds_of_now(&a[0])?)))),
        ("datetime_to_gregorian_seconds", 1, |_, a| {
            Ok(Term::Int(seconds_of(&a[0])? + GREGORIAN_SECONDS_OF_1970))
        }),
        ("gregorian_seconds_to_datetime", 1, |_, a| {
            let seconds = u64::try_from(int(&a[0])?).ok().and_then(|seconds| i64::try_from(seconds).ok());
            let seconds = seconds.filter(|seconds| *seconds < SECONDS_MAX).ok_or(Fault::Unfit)?;
            Ok(datetime(seconds - GREGORIAN_SECONDS_OF_1970))
        }),
        ("is_leap_year", 1, |_, a| Ok(args::boolean(is_leap(int(&a[0])?)))),
        ("last_day_of_the_month", 2, |_, a| {
            let (year, month) = (int(&a[0])?, int(&a[1])?);
            if (1..=12).contains(&month) { Ok(Term::Int(days_of(year, month))) } else { Err(Fault::Unfit) }
        }),
        ("day_of_the_week", 1, |_, a| day_of_the_week(tuple(&a[0])?)),
        ("day_of_the_week", 3, |_, a| day_of_the_week(a)),
    ],
    far: &[],
};

const DAY_SECONDS: i64 = 86_400;
/// From the year 0 to 1970.
const GREGORIAN_SECONDS_OF_1970: i64 = 62_167_219_200;
/// The year 99999 is as far as anybody looks.
const YEAR_MAX: i64 = 99_999;
const SECONDS_MAX: i64 = YEAR_MAX * 366 * DAY_SECONDS;

/// `{{Year, Month, Day}, {Hour, Minute, Second}}` of seconds since 1970.
pub(super) fn datetime(seconds: i64) -> Term {
    Term::tuple([date(seconds), time(seconds)])
}

pub(super) fn date(seconds: i64) -> Term {
    let (year, month, day) = civil(seconds.div_euclid(DAY_SECONDS));
    Term::tuple([year, month, day].map(Term::Int))
}

pub(super) fn time(seconds: i64) -> Term {
    let seconds = seconds.rem_euclid(DAY_SECONDS);
    Term::tuple([seconds / 3_600, seconds / 60 % 60, seconds % 60].map(Term::Int))
}

/// The date of a day counted from 1970, by the calendar of today: eras of 400 years that begin in March.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let march = (5 * day + 2) / 153;
    let month = if march < 10 { march + 3 } else { march - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day - (153 * march + 2) / 5 + 1)
}

/// The other way round.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, year) = (year.div_euclid(400), year.rem_euclid(400));
    let day = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year * 365 + year / 4 - year / 100 + day - 719_468
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_of(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn days_since(date: &[Term]) -> Result<i64, Fault> {
    let [year, month, day] = date else { return Err(Fault::Unfit) };
    let (year, month, day) = (int(year)?, int(month)?, int(day)?);
    let fits = (0..=YEAR_MAX).contains(&year)
        && (1..=12).contains(&month)
        && (1..=days_of(year, month)).contains(&day);
    if fits { Ok(days_since_1970(year, month, day)) } else { Err(Fault::Unfit) }
}

/// Seconds since 1970 of a date and time.
fn seconds_of(term: &Term) -> Result<i64, Fault> {
    let [date, time] = tuple(term)? else { return Err(Fault::Unfit) };
    let [hour, minute, second] = tuple(time)? else { return Err(Fault::Unfit) };
    let (hour, minute, second) = (int(hour)?, int(minute)?, int(second)?);
    if !(0..24).contains(&hour) || !(0..60).contains(&minute) || !(0..60).contains(&second) {
        return Err(Fault::Unfit);
    }
    Ok(days_since(tuple(date)?)? * DAY_SECONDS + hour * 3_600 + minute * 60 + second)
}

fn seconds_of_now(term: &Term) -> Result<i64, Fault> {
    let [mega, seconds, micros] = tuple(term)? else { return Err(Fault::Unfit) };
    int(micros)?;
    let seconds = int(mega)?.checked_mul(1_000_000).and_then(|mega| mega.checked_add(int(seconds).ok()?));
    seconds.filter(|seconds| (0..SECONDS_MAX).contains(seconds)).ok_or(Fault::Unfit)
}

/// Monday is 1.
fn day_of_the_week(date: &[Term]) -> Answer {
    Ok(Term::Int((days_since(date)? + 3).rem_euclid(7) + 1))
}

/// Seconds since 1970 as a clock on the wall shows them here, from the zone file of this machine; UTC where there is none.
pub(super) fn local(seconds: i64) -> i64 {
    let path = match std::env::var("TZ") {
        Ok(zone) if !zone.is_empty() => {
            let zone = zone.trim_start_matches(':').to_owned();
            if zone.starts_with('/') { zone } else { format!("/usr/share/zoneinfo/{zone}") }
        }
        _ => "/etc/localtime".to_owned(),
    };
    let offset = std::fs::read(path).ok().and_then(|file| offset_at(&file, seconds));
    seconds + offset.unwrap_or(0)
}

/// The offset from UTC at this moment by a zone file (RFC 8536, the part with 64 bits). What is only in the rule for the
/// future behind the last transition is not read: the last transition counts on.
fn offset_at(file: &[u8], seconds: i64) -> Option<i64> {
    const HEADER: usize = 44;
    let counts = |at: usize| -> Option<[usize; 6]> {
        let mut counts = [0; 6];
        for (field, count) in counts.iter_mut().enumerate() {
            let bytes = file.get(at + 20 + field * 4..at + 24 + field * 4)?;
            *count = u32::from_be_bytes(bytes.try_into().ok()?) as usize;
        }
        file.get(at..at + 4).filter(|magic| *magic == b"TZif").map(|_| counts)
    };
    let [utc, standard, leaps, times, types, chars] = counts(0)?;
    let second = HEADER + times * 5 + types * 6 + chars + leaps * 8 + standard + utc;
    let [_, _, _, times, types, _] = counts(second)?;
    let begins = file.get(second + HEADER..)?.get(..times * 8)?;
    let kinds = file.get(second + HEADER + times * 8..)?.get(..times)?;
    let zones = file.get(second + HEADER + times * 9..)?.get(..types * 6)?;
    let begin = |bytes: &[u8]| bytes.try_into().map_or(i64::MAX, i64::from_be_bytes);
    let passed = begins.chunks_exact(8).take_while(|bytes| begin(bytes) <= seconds).count();
    let kind = passed.checked_sub(1).and_then(|last| kinds.get(last)).copied().unwrap_or(0);
    let zone = zones.get(usize::from(kind) * 6..)?.get(..4)?;
    Some(i32::from_be_bytes(zone.try_into().ok()?).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A zone file with these transitions (second, kind) and offsets of kinds.
    fn zone(transitions: &[(i64, u8)], offsets: &[i32]) -> Vec<u8> {
        let header = |times: usize, types: usize| {
            let mut bytes = b"TZif2".to_vec();
            bytes.extend([0; 15]);
            let counts = [0, 0, 0, times, types, 0];
            bytes.extend(counts.iter().flat_map(|count| (*count as u32).to_be_bytes()));
            bytes
        };
        // The part with 32 bits is as short as it may be.
        let mut file = header(0, 1);
        file.extend([0; 6]);
        file.extend(header(transitions.len(), offsets.len()));
        file.extend(transitions.iter().flat_map(|(at, _)| at.to_be_bytes()));
        file.extend(transitions.iter().map(|(_, kind)| *kind));
        for offset in offsets {
            file.extend(offset.to_be_bytes());
            file.extend([0, 0]);
        }
        file
    }

    #[test]
    fn the_clock_on_the_wall_goes_by_the_last_transition() {
        let file = zone(&[(1_000, 1), (2_000, 0)], &[3_600, 7_200]);
        let at = |seconds| offset_at(&file, seconds);
        assert_eq!(
            [at(0), at(999), at(1_000), at(1_999), at(2_000)].map(Option::unwrap),
            [3_600, 3_600, 7_200, 7_200, 3_600]
        );
        assert_eq!(offset_at(&zone(&[], &[-18_000]), 5), Some(-18_000));
        for length in 0..file.len() {
            let _ = offset_at(&file[..length], 1_500);
        }
        assert_eq!(offset_at(b"no zone file", 0), None);
    }

    #[test]
    fn days_are_the_same_there_and_back() {
        for day in (-800_000..800_000).step_by(37) {
            let (year, month, day_of_month) = civil(day);
            assert_eq!(days_since_1970(year, month, day_of_month), day);
        }
    }
}
