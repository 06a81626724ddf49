//! Which argument is wrong, as OTP's `erl_erts_errors` and `erl_stdlib_errors` say it for the functions people call.

use trunkline::Term;

/// For each wrong argument its number, from 1, and what is wrong with it.
pub(super) fn wrong(
    module: &str,
    function: &str,
    reason: &Term,
    arguments: &[Term],
) -> Vec<(usize, &'static str)> {
    if module == "maps" && matches!(function, "get" | "update") {
        let key = reason.as_tuple().is_some_and(|pair| pair[0].is_atom("badkey"));
        return if key { vec![(1, "not present in map")] } else { Vec::new() };
    }
    if module == "math" && reason.is_atom("badarith") {
        return vec![(1, "is outside the domain for this function")];
    }
    if !reason.is_atom("badarg") {
        return Vec::new();
    }
    let expected: &[&str] = match (module, function, arguments.len()) {
        ("erlang", "atom_to_list" | "atom_to_binary", 1) => &["an atom"],
        ("erlang", "list_to_atom" | "list_to_tuple" | "length" | "list_to_integer" | "list_to_float", 1) => {
            &["a list"]
        }
        ("erlang", "hd" | "tl", 1) => &["a nonempty list"],
        ("erlang", "integer_to_list" | "integer_to_binary", 1) => &["an integer"],
        ("erlang", "binary_to_atom" | "binary_to_list" | "binary_to_integer" | "binary_to_term", 1) => {
            &["a binary"]
        }
        ("erlang", "tuple_size" | "tuple_to_list", 1) => &["a tuple"],
        ("erlang", "byte_size" | "bit_size", 1) => &["a bitstring"],
        ("erlang", "abs" | "float" | "round" | "trunc" | "floor" | "ceil", 1) => &["a number"],
        ("erlang", "spawn" | "spawn_link", 1) => &["a fun"],
        ("erlang", "element", 2) => &["an integer", "a tuple"],
        ("erlang", "setelement", 3) => &["an integer", "a tuple"],
        ("lists", "keyfind" | "keymember" | "keysearch", 3) => &["", "an integer", "a list"],
        ("lists", "member", 2) => &["", "a list"],
        _ => &[],
    };
    let all: Vec<(usize, &'static str)> = expected
        .iter()
        .zip(arguments)
        .enumerate()
        .filter(|(_, (kind, value))| !fits(kind, value))
        .map(|(at, (kind, _))| (at + 1, not(kind)))
        .collect();
    match (function, all.is_empty()) {
        ("element" | "setelement", true) => vec![(1, "out of range")],
        ("list_to_integer", true) => vec![(1, "not a textual representation of an integer")],
        ("list_to_float" | "binary_to_float", true) => vec![(1, "not a textual representation of a float")],
        ("binary_to_integer", true) => vec![(1, "not a textual representation of an integer")],
        _ => all,
    }
}

fn fits(kind: &str, value: &Term) -> bool {
    match kind {
        "an atom" => value.as_atom().is_some(),
        "a list" => value.as_list().is_some_and(|list| list.improper_tail().is_none()),
        "a nonempty list" => value.as_list().is_some_and(|list| !list.is_nil()),
        "an integer" => matches!(value, Term::Int(_) | Term::Big(_)),
        "a binary" => value.as_binary().is_some(),
        "a bitstring" => matches!(value, Term::Binary(_) | Term::Bits(_)),
        "a tuple" => value.as_tuple().is_some(),
        "a number" => matches!(value, Term::Int(_) | Term::Big(_) | Term::Float(_)),
        "a fun" => matches!(value, Term::Fun(_) | Term::Export(_)),
        _ => true,
    }
}

fn not(kind: &str) -> &'static str {
    match kind {
        "an atom" => "not an atom",
        "a list" => "not a list",
        "a nonempty list" => "not a nonempty list",
        "an integer" => "not an integer",
        "a binary" => "not a binary",
        "a bitstring" => "not a bitstring",
        "a tuple" => "not a tuple",
        "a number" => "not a number",
        _ => "not a fun",
    }
}
