//! Records as the shell shows them: the same lines as OTP's, for terms of any shape.

use std::process::Command;

use trunkline::term::print::{Names, Printer, RecordNames};
use trunkline::{Atom, Term};

/// What both know: `-record(p, {x, y})` and so on.
struct Known;

const RECORDS: &[(&str, &[&str])] = &[
    ("p", &["x", "y"]),
    ("empty", &[]),
    ("a_record_with_a_long_name", &["first_field", "second_field", "third"]),
    ("state", &["socket", "buffer", "pending", "options", "'Quoted Field'"]),
];

impl RecordNames for Known {
    fn fields(&self, name: &Atom, count: usize) -> Option<Vec<Atom>> {
        let (_, fields) = RECORDS.iter().find(|(this, _)| name == *this)?;
        (fields.len() == count)
            .then(|| fields.iter().map(|field| Atom::new(field.trim_matches('\''))).collect())
    }
}

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn some(&mut self, deep: u32, most: u64) -> Vec<Term> {
        (0..self.roll(most)).map(|_| self.term(deep)).collect()
    }

    fn term(&mut self, deep: u32) -> Term {
        if deep == 0 {
            return match self.roll(6) {
                0 => Term::Int(self.roll(100_000) as i64),
                1 => Term::atom(["ok", "undefined", "a_longer_atom", "x"][self.roll(4) as usize]),
                2 => Term::string(["", "text", "a longer text, which takes its room"][self.roll(3) as usize]),
                3 => Term::binary("some bytes of text"),
                4 => Term::Float(1.5),
                _ => Term::NIL,
            };
        }
        let deep = deep - 1;
        match self.roll(9) {
            0..=3 => {
                let (name, fields) = RECORDS[self.roll(4) as usize];
                let values = fields.iter().map(|_| self.term(deep)).collect::<Vec<_>>();
                Term::Tuple(std::iter::once(Term::atom(name)).chain(values).collect())
            }
            4 | 5 => Term::list(self.some(deep, 6)),
            6 => Term::Tuple(self.some(deep, 5).into_iter().collect()),
            7 => Term::Map(self.some(deep, 4).into_iter().map(|key| (key, self.term(deep))).collect()),
            _ => self.term(0),
        }
    }
}

const PRINT: &str = r#"
F = fun(p, 2) -> [x, y]; (empty, 0) -> []; (a_record_with_a_long_name, 3) -> [first_field, second_field, third];
       (state, 5) -> [socket, buffer, pending, options, 'Quoted Field']; (_, _) -> no end,
{ok, Bin} = file:read_file("in"),
Show = fun(T, D) -> unicode:characters_to_binary(io_lib_pretty:print(T,
    [{column, 1}, {line_length, 80}, {depth, D}, {line_max_chars, 60}, {record_print_fun, F}, {encoding, unicode}])) end,
ok = file:write_file("out", term_to_binary([{Show(T, -1), Show(T, 30), Show(T, 5)} || T <- binary_to_term(Bin)])),
halt()."#;

#[test]
fn records_are_broken_into_lines_as_otp_breaks_them() {
    let seed = std::env::var("TRUNKLINE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(7);
    eprintln!("TRUNKLINE_SEED={seed}");
    let mut dice = Dice(seed);
    let terms: Vec<Term> = (0..3000).map(|at| dice.term(1 + at % 5)).collect();
    let here = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("records");
    std::fs::create_dir_all(&here).expect("a directory of our own");
    std::fs::write(here.join("in"), trunkline::term::encode(&Term::list(terms.clone()))).expect("the terms");
    let done = Command::new("erl").args(["-noshell", "-eval", PRINT]).current_dir(&here).output();
    if done.is_err() && std::env::var_os("TRUNKLINE_REQUIRE_ERL").is_none() {
        return eprintln!("NOT TESTED: there is no erl");
    }
    let done = done.expect("erl is required");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
    let answers = std::fs::read(here.join("out")).expect("the answers");
    let answers = trunkline::term::decode(&answers.into()).expect("a term");
    let mut wrong = 0;
    for (term, theirs) in terms.iter().zip(answers.as_list().expect("a list").iter()) {
        let theirs = theirs.as_tuple().expect("three").to_vec();
        for (depth, theirs) in [None, Some(30), Some(5)].into_iter().zip(theirs) {
            let printer = Printer {
                line_characters: Some(60),
                depth,
                records: Some(&Known),
                ..Printer::new(&Names).unicode()
            };
            let ours = printer.pretty(term);
            let theirs = String::from_utf8_lossy(theirs.as_binary().expect("a text")).into_owned();
            if ours != theirs {
                wrong += 1;
                if wrong < 6 {
                    eprintln!("erl:\n{theirs}\nours ({depth:?}):\n{ours}");
                }
            }
        }
    }
    assert_eq!(wrong, 0, "of {} differ", terms.len() * 3);
}
