//! Lines are edited on a terminal as erl edits them: keys in, screen out.

mod common;

use common::screen::Screen;
use common::terminal::Terminal;
use common::{Place, TRUNKLINE, erlang_is_here, until};

const COLUMNS: u16 = 40;

/// A shell on a terminal, and what it shows.
struct Seat {
    terminal: Terminal,
    /// The number of the command that is typed next.
    next: usize,
}

impl Seat {
    fn at(place: &Place, program: &str, flags: &[&str]) -> Seat {
        let verb: &[&str] = if program == TRUNKLINE { &["erl"] } else { &[] };
        let mut command = place.command(program, &[verb, flags].concat());
        command.env("HOME", &place.home).env("LC_ALL", "C.UTF-8").current_dir(&place.home);
        let terminal = Terminal::start_sized(command, 24, COLUMNS);
        let mut seat = Seat { terminal, next: 0 };
        seat.prompt();
        seat
    }

    fn rows(&self) -> Vec<String> {
        Screen::of(&self.terminal.said.lock().unwrap(), COLUMNS.into())
    }

    /// Waits for the next prompt.
    #[track_caller]
    fn prompt(&mut self) {
        self.prompt_below(0);
    }

    #[track_caller]
    fn prompt_below(&mut self, rows: usize) {
        self.next += 1;
        let (plain, named) = (format!("{}>", self.next), format!("){}>", self.next));
        until(&plain, || {
            let shown = self.rows();
            let last = shown.last().filter(|_| shown.len() > rows);
            last.is_some_and(|last| *last == plain || last.ends_with(&named))
        });
    }

    /// Types keys that make a command; the rows from its prompt to the next one.
    #[track_caller]
    fn types(&mut self, keys: &str) -> Vec<String> {
        let from = self.rows().len() - 1;
        self.terminal.types(keys);
        self.prompt_below(from + 1);
        let rows = self.rows();
        rows[from..rows.len() - 1].to_vec()
    }
}

/// Keys, and what stands on the screen then, from the prompt's line on without its number.
const SAME: &[(&str, &[&str])] = &[
    ("1+1.\r", &["1+1.", "2"]),
    ("{a,c}.\x1b[D\x1b[D\x1b[Db,\x1b[F\r", &["{a,b,c}.", "{a,b,c}"]),
    ("bc.\x01a\x05\r", &["abc.", "abc"]),
    ("xfoo.\x01\x04\r", &["foo.", "foo"]),
    ("foox\x7f.\r", &["foo.", "foo"]),
    ("[one,two\x17three].\r", &["[one,three].", "[one,three]"]),
    ("one, two.\x01\x0b\x19\r", &["one, two.", "two"]),
    ("ab.\x02\x02\x14\x05\r", &["ba.", "ba"]),
    ("foo bar.\r", &["foo bar.", "* 1:5: syntax error before: bar"]),
    ("[a,b].\x1bb\x1bdc\x05\r", &["[a,c].", "[a,c]"]),
    ("[a,bb].\x1bb\x1bb\x1bfx\x05\r", &["[ax,bb].", "[ax,bb]"]),
    ("lists:rev\t[1,2]).\r", &["lists:reverse([1,2]).", "[2,1]"]),
    (
        "lists:sum([1000000,2000000,3000000,4000000,5000000]).\r",
        &["lists:sum([1000000,2000000,3000000,400", "0000,5000000]).", "15000000"],
    ),
    (
        "is_atom(aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa).\x01\x06\x06\x06\x06\x06\x06\x06\x06x\x05\r",
        &["is_atom(xaaaaaaaaaaaaaaaaaaaaaaaaaaa", "aaaaaaaaaaaa).", "true"],
    ),
];

/// Where ours is like newer releases, or goes on where erl of OTP 25 does not.
const OURS: &[(&str, &[&str])] = &[
    ("one.\r", &["one.", "one"]),
    ("\x1b[A\r", &["one.", "one"]),
    ("two.\r", &["two.", "two"]),
    ("\x10\x10\x0e\r", &["two.", "two"]),
    ("two one.\x01\x1bf\x1bt,\x05\r", &["one two,.", "* 1:5: syntax error before: two"]),
    ("{\"日本語\"}.\x02\x02\x02\x02x\x05\r", &["{\"日本x語\"}.", "{[26085,26412,120,35486]}"]),
    ("\"e\u{301}x\".\x02\x02\x02\x02\x7f\r", &["e\u{301}x\".", "* 1:2: illegal"]),
    ("\x1b[200~[1,\n2].\n\x1b[201~\r", &["[1,", "2].", "[1,2]"]),
    ("[3,\x1b\r4].\r", &["[3,", "4].", "[3,4]"]),
    ("\x12[3\r", &["[3,", "4].", "[3,4]"]),
    ("\x12lists:r\x12\x15{}.\r", &["{}.", "{}"]),
    ("lists:nth(2,\r[a,b]).\r", &[]),
    ("\x1b[A\x7f\x7f\x7f\x7fc]).\r", &["lists:nth(2,", "[a,c]).", "c"]),
];

fn told(rows: &[String]) -> Vec<&str> {
    // Rows that continue a long line do not begin with the prompt.
    let first = rows[0].split_once("> ").map_or("", |(_, line)| line);
    std::iter::once(first).chain(rows[1..].iter().map(String::as_str)).collect()
}

#[test]
fn lines_are_edited_as_erl_edits_them() {
    let place = Place::new();
    for (program, here) in [("erl", erlang_is_here()), (TRUNKLINE, true)] {
        if !here {
            continue;
        }
        let mut seat = Seat::at(&place, program, &[]);
        for (keys, wanted) in SAME {
            let error = wanted.last().is_some_and(|last| last.starts_with("* "));
            if error {
                seat.next -= 1;
            }
            let rows = seat.types(keys);
            let shown = told(&rows);
            // What is wider than the terminal is broken where the prompt's length has it.
            assert_eq!(shown.concat(), wanted.concat(), "{program}: {keys:?}: {rows:?}");
        }
    }
}

#[test]
fn expressions_of_several_lines_wide_characters_and_pastes() {
    let place = Place::new();
    let mut seat = Seat::at(&place, TRUNKLINE, &[]);
    for (keys, wanted) in OURS {
        let error = wanted.last().is_some_and(|last| last.starts_with("* "));
        if error {
            seat.next -= 1;
        }
        let rows = seat.types(keys);
        if !wanted.is_empty() {
            let shown = told(&rows);
            assert!(shown.concat().starts_with(&wanted.concat()), "{keys:?}: {rows:?}");
        }
    }
}

#[test]
fn output_without_end_is_stopped() {
    let place = Place::new();
    let mut seat = Seat::at(&place, TRUNKLINE, &[]);
    let endless = "F = fun L(N) -> io:format(\"~p and on~n\", [N]), L(N + 1) end, F(0).\r";
    seat.terminal.types(endless);
    seat.terminal.shows("50 and on");
    seat.terminal.types("\x03");
    seat.terminal.shows("** exception exit: killed");
    seat.terminal.shows("2> ");
    seat.terminal.types("6 * 7.\r");
    seat.terminal.shows("42");
}

#[test]
fn what_is_bound_and_what_is_there_is_completed() {
    let place = Place::new();
    std::fs::write(place.home.join("shopping list.txt"), "milk").unwrap();
    let _epmd = place.our_epmd();
    let mut seat = Seat::at(&place, TRUNKLINE, &["-sname", "seat@localhost"]);
    seat.types("Counter = 41.\r");
    for (keys, wanted) in [
        ("Cou\t + 1.\r", "Counter + 1.42"),
        ("rd(person, {name}).\r", "rd(person, {name}).person"),
        ("#per\tname = 1}.\r", "#person{name = 1}.#person{name = 1}"),
        ("length(\"shop\t).\r", "length(\"shopping list.txt\").17"),
        ("register(a_long_name, self()).\r", "register(a_long_name, self()).true"),
        ("a_lo\t ! x.\r", "a_long_name ! x.x"),
        ("flu\t).\r", "flush().Shell got xok"),
    ] {
        let rows = seat.types(keys);
        assert_eq!(told(&rows).concat(), wanted, "{keys:?}");
    }
}

#[test]
fn what_was_typed_is_kept_when_it_is_asked_for_and_never_otherwise() {
    let place = Place::new();
    let flags = ["-kernel", "shell_history", "enabled"];
    let file = place.home.join(".cache/trunkline/shell_history");
    drop(Seat::at(&place, TRUNKLINE, &[]).types("no_trace.\r"));
    assert!(!file.exists());
    let mut seat = Seat::at(&place, TRUNKLINE, &flags);
    seat.types("kept.\r");
    seat.types("atom_to_list(set_cookie).\r");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("kept.") && !text.contains("cookie"), "{text}");
    drop(seat);
    let mut again = Seat::at(&place, TRUNKLINE, &flags);
    assert_eq!(told(&again.types("\x1b[A\r")).concat(), "kept.kept");
    assert_eq!(told(&again.types("\x12kep\r")).concat(), "kept.kept");
}
