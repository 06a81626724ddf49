//! Which argument is wrong, as OTP's `erl_erts_errors` and `erl_stdlib_errors` say it for the functions people call.

use trunkline::Term;

use super::argument_rows::ROWS;
use super::format_arguments;

/// For each wrong argument its number, from 1, and what is wrong with it; number 0 is about all of them.
pub(super) fn wrong(module: &str, function: &str, reason: &Term, given: &[Term]) -> Vec<(usize, String)> {
    let tag = match reason {
        Term::Tuple(parts) => parts.first().and_then(Term::as_atom),
        other => other.as_atom(),
    };
    if !tag
        .is_some_and(|tag| matches!(tag.as_str(), "badarg" | "badmap" | "badkey" | "badarith" | "notalive"))
    {
        return Vec::new();
    }
    let told = match (module, function) {
        ("io", "format" | "fwrite") => return format_arguments::wrong(given),
        ("io", "put_chars" | "nl" | "write") => device(function, given),
        ("erlang", "element" | "setelement" | "delete_element" | "insert_element") => element(given),
        ("erlang", "binary_part") | ("binary", "part" | "bin_to_list") if given.len() > 1 => part(given),
        ("erlang", "memory") => memory(given),
        ("erlang", "monitor") => monitor(given),
        ("erlang", "process_flag") => flag(given),
        ("erlang", "register") => register(given),
        ("lists", "seq") if given.len() == 3 => sequence(given),
        // Out of range, and not out of the domain.
        ("math", "exp" | "pow" | "cosh" | "sinh") if reason.is_atom("badarith") => return Vec::new(),
        _ => row(module, function, given),
    };
    told.into_iter().map(|(at, what)| (at, what.to_owned())).collect()
}

/// What is wrong with a table, which only who has looked for it can tell: it is in the `error_info` of the call.
pub(super) fn cause(info: &Term) -> Option<&'static str> {
    let about = info.as_list()?.iter().find_map(|pair| match pair.as_tuple() {
        Some([key, about]) if key.is_atom("error_info") => Some(about.clone()),
        _ => None,
    })?;
    match about.as_map()?.get(&Term::atom("cause"))?.as_atom()?.as_str() {
        "id" => Some("the table identifier does not refer to an existing ETS table"),
        "access" => Some("the table identifier refers to an ETS table with insufficient access rights"),
        _ => None,
    }
}

type Told = Vec<(usize, &'static str)>;

fn row(module: &str, function: &str, given: &[Term]) -> Told {
    for line in ROWS.lines() {
        let (kinds, otherwise) =
            line.split_once(" | ").map_or((line, None), |(line, words)| (line, Some(words)));
        let Some((name, kinds)) = kinds.split_once(' ') else { continue };
        if name.split_once(':') != Some((module, function)) || kinds.split(' ').count() != given.len() {
            continue;
        }
        let wrong: Told = kinds
            .split(' ')
            .zip(given)
            .enumerate()
            .filter_map(|(at, (kind, value))| Some((at + 1, not(kind, value)?)))
            .collect();
        if !wrong.is_empty() {
            return wrong;
        }
        let otherwise = otherwise.and_then(|words| words.split_once(' '));
        return otherwise.and_then(|(at, words)| Some((at.parse().ok()?, words))).into_iter().collect();
    }
    Vec::new()
}

/// What is wrong with a value that should be of this kind.
fn not(kind: &str, value: &Term) -> Option<&'static str> {
    let (fits, otherwise) = match kind {
        "atom" => (value.as_atom().is_some(), "not an atom"),
        "base" => (integer_in(value, 2, 36), "not an integer in the range 2 through 36"),
        "binary" => (value.as_binary().is_some(), "not a binary"),
        "bitstring" => (matches!(value, Term::Binary(_) | Term::Bits(_)), "not a bitstring"),
        "boolean" => (value.is_atom("true") || value.is_atom("false"), "not a boolean ('true' or 'false')"),
        "cons" => (value.as_list().is_some_and(|list| !list.is_nil()), "not a nonempty list"),
        "encoding" => (
            ["latin1", "unicode", "utf8"].iter().any(|name| value.is_atom(name)),
            "not one of the atoms: latin1, utf8, or unicode",
        ),
        "endian" => (value.is_atom("little") || value.is_atom("big"), "must be 'big' or 'little'"),
        "filled" if value.as_binary().is_some_and(<[u8]>::is_empty) => {
            return Some("a zero-sized binary is not allowed");
        }
        "filled" => return not("binary", value),
        "float" => (matches!(value, Term::Float(_)), "not a float"),
        "fun" => (matches!(value, Term::Fun(_) | Term::Export(_)), "not a fun"),
        "fun1" => (is_fun(value, 1), "not a fun that takes one argument"),
        "fun2" => (is_fun(value, 2), "not a fun that takes two arguments"),
        "fun3" => (is_fun(value, 3), "not a fun that takes three arguments"),
        "integer" => (matches!(value, Term::Int(_) | Term::Big(_)), "not an integer"),
        "nonneg" | "positive" => {
            let least = if kind == "nonneg" { 0 } else { 1 };
            match value {
                Term::Int(number) => (*number >= least, "out of range"),
                Term::Big(number) => (number.sign() == num_bigint::Sign::Plus, "out of range"),
                _ => (false, "not an integer"),
            }
        }
        "iodata" => (is_iodata(value), "not an iodata term"),
        "iolist" => (value.as_list().is_some() && is_iodata(value), "not an iolist term"),
        "list" | "list!" | "string" => match value.as_list() {
            None => (false, "not a list"),
            // The length of one that does not end is not asked for everywhere.
            Some(list) if list.improper_tail().is_some() => {
                (false, if kind == "list!" { "not a list" } else { "not a proper list" })
            }
            Some(_) => (kind != "string" || is_text(value), "not a list of characters"),
        },
        "map" => (value.as_map().is_some(), "not a map"),
        "mapiter" => (value.as_map().is_some(), "not a map or an iterator"),
        "number" => (matches!(value, Term::Int(_) | Term::Big(_) | Term::Float(_)), "not a number"),
        "pattern" => (is_pattern(value), "not a valid pattern"),
        "pid" => (matches!(value, Term::Pid(_)), "not a pid"),
        "process" => (matches!(value, Term::Pid(_) | Term::Atom(_)), "not a pid or an atom"),
        "ref" => (matches!(value, Term::Ref(_)), "not a reference"),
        "time_unit" => (is_time_unit(value), "invalid time unit"),
        "tuple" => (value.as_tuple().is_some(), "not a tuple"),
        _ => (true, ""),
    };
    (!fits).then_some(otherwise)
}

fn integer_in(value: &Term, least: i64, most: i64) -> bool {
    value.as_int().is_some_and(|number| (least..=most).contains(&number))
}

fn is_text(value: &Term) -> bool {
    crate::library::text(value).is_ok()
}

fn is_fun(value: &Term, arity: u8) -> bool {
    match value {
        Term::Fun(fun) => fun.arity == arity,
        Term::Export(export) => export.arity == arity,
        _ => false,
    }
}

fn is_iodata(value: &Term) -> bool {
    crate::library::iodata(value).is_ok()
}

fn is_pattern(value: &Term) -> bool {
    let filled = |value: &Term| value.as_binary().is_some_and(|bytes| !bytes.is_empty());
    match value {
        Term::List(list) => {
            !list.is_nil() && list.improper_tail().is_none() && list.iter().all(|item| filled(&item))
        }
        Term::Tuple(parts) => parts.first().is_some_and(|tag| tag.is_atom("bm") || tag.is_atom("ac")),
        other => filled(other),
    }
}

fn is_time_unit(value: &Term) -> bool {
    const UNITS: [&str; 6] = ["second", "millisecond", "microsecond", "nanosecond", "native", "perf_counter"];
    UNITS.iter().any(|unit| value.is_atom(unit)) || value.as_int().is_some_and(|parts| parts > 0)
}

fn element(given: &[Term]) -> Told {
    let [at, tuple, ..] = given else { return Vec::new() };
    let mut told = Vec::new();
    match (not("integer", at), at.as_int(), tuple.as_tuple()) {
        (Some(what), ..) => told.push((1, what)),
        (None, Some(at), Some(items)) if (1..=items.len() as i64).contains(&at) => {}
        (None, Some(at), None) if at > 0 => {}
        _ => told.push((1, "out of range")),
    }
    told.extend(not("tuple", tuple).map(|what| (2, what)));
    told
}

fn part(given: &[Term]) -> Told {
    let [binary, place @ ..] = given else { return Vec::new() };
    let (at, length, whole) = match place {
        [at, length] => (at, length, false),
        [Term::Tuple(both)] if both.len() == 2 && both.iter().all(|n| not("integer", n).is_none()) => {
            (&both[0], &both[1], true)
        }
        _ => {
            let first = not("binary", binary).map(|what| (1, what));
            return first.into_iter().chain([(2, "not a valid {Pos,Length} tuple")]).collect();
        }
    };
    let checks = [not("binary", binary), not("nonneg", at), not("integer", length)];
    let mut told: Told = checks.iter().enumerate().filter_map(|(n, what)| Some((n + 1, (*what)?))).collect();
    if told.is_empty() {
        let size = binary.as_binary().map_or(0, <[u8]>::len) as i64;
        told.push((if at.as_int().is_some_and(|at| at <= size) { 3 } else { 2 }, "out of range"));
    }
    if whole {
        told.iter_mut().for_each(|(n, _)| *n = (*n).min(2));
        told.dedup();
    }
    told
}

fn memory(given: &[Term]) -> Told {
    match given {
        [Term::List(_)] => vec![(1, "invalid option in list")],
        [Term::Atom(_)] => vec![(1, "invalid memory type option")],
        [_] => vec![(1, "not an atom or a list of atoms")],
        _ => Vec::new(),
    }
}

fn monitor(given: &[Term]) -> Told {
    match given {
        [kind, ..] if !["process", "port", "time_offset"].iter().any(|name| kind.is_atom(name)) => {
            vec![(1, "invalid monitor type")]
        }
        [_, what] => not("pid", what).map(|what| (2, what)).into_iter().collect(),
        [_, _, options] => vec![(3, not("list", options).unwrap_or("invalid option in list"))],
        _ => Vec::new(),
    }
}

fn flag(given: &[Term]) -> Told {
    const FLAGS: [&str; 11] = [
        "trap_exit",
        "priority",
        "error_handler",
        "max_heap_size",
        "message_queue_data",
        "min_heap_size",
        "min_bin_vheap_size",
        "save_calls",
        "sensitive",
        "fullsweep_after",
        "async_dist",
    ];
    match given {
        [name, _] if FLAGS.iter().any(|flag| name.is_atom(flag)) => {
            vec![(2, "invalid value for this process flag")]
        }
        [_, _] => vec![(1, "invalid process flag")],
        _ => Vec::new(),
    }
}

fn register(given: &[Term]) -> Told {
    let [name, who] = given else { return Vec::new() };
    let mut told = Vec::new();
    match name {
        Term::Atom(name) if *name == *"undefined" => told.push((1, "'undefined' is not a valid name")),
        Term::Atom(_) => {}
        _ => told.push((1, "not an atom")),
    }
    if !matches!(who, Term::Pid(_) | Term::Port(_)) {
        told.push((2, "not a pid or port"));
    }
    if told.is_empty() { vec![(1, "name is in use")] } else { told }
}

fn sequence(given: &[Term]) -> Told {
    let wrong: Told =
        given.iter().enumerate().filter_map(|(at, n)| Some((at + 1, not("integer", n)?))).collect();
    let numbers: Vec<i64> = given.iter().filter_map(Term::as_int).collect();
    match numbers.as_slice() {
        _ if !wrong.is_empty() => wrong,
        [first, last, step] if *step <= 0 && first.saturating_sub(*step) <= *last => {
            vec![(3, "not a positive increment")]
        }
        [_, _, _] => vec![(3, "not a negative increment")],
        _ => Vec::new(),
    }
}

fn device(function: &str, given: &[Term]) -> Told {
    let own = function == "nl" || given.len() > 1;
    match given {
        [place, ..] if own && matches!(place, Term::Atom(_)) => vec![(1, "the device does not exist")],
        [place, ..] if own && !matches!(place, Term::Pid(_)) => vec![(1, "the device does not exist")],
        [.., text] if function == "put_chars" && !is_iodata(text) => {
            vec![(given.len(), "not valid character data (an iodata term)")]
        }
        _ => Vec::new(),
    }
}
