//! `trunkline top` live on a terminal: keys, another size, more processes than it examines, nodes that stop answering and die.

mod common;

use std::process::Command;
use std::time::Duration;

use common::terminal::Terminal;
use common::{Place, TRUNKLINE, erlang_is_here, now, until};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

/// What the screen holds: the lines of the last whole picture.
fn screen(seat: &Terminal) -> Vec<String> {
    let said = seat.said.lock().unwrap();
    let Some((whole, _)) = said.rsplit_once("\x1b[J") else { return Vec::new() };
    let picture = whole.rsplit_once("\x1b[H").map_or("", |(_, picture)| picture);
    // A terminal puts a return of its own before each new line.
    picture
        .split('\n')
        .map(|line| line.trim_end_matches('\r').trim_end_matches("\x1b[K").to_owned())
        .collect()
}

/// Waits until the screen is as wanted.
#[track_caller]
fn until_shown(seat: &Terminal, what: &str, wanted: impl Fn(&[String]) -> bool) -> Vec<String> {
    let mut shown = Vec::new();
    until(what, || {
        shown = screen(seat);
        wanted(&shown)
    });
    shown
}

fn size(seat: &Terminal, rows: u16, columns: u16) {
    let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&seat.keys, size).unwrap();
}

fn signal(id: u32, name: &str) {
    Command::new("kill").args(["-s", name, &id.to_string()]).status().unwrap();
}

/// Watches bill on a terminal of 24 rows and 100 columns.
fn watch(place: &Place, more: &[&str]) -> Terminal {
    let args = [&["top", "bill@localhost"], more].concat();
    let seat = Terminal::start_sized(place.command(TRUNKLINE, &args), 24, 100);
    until_shown(&seat, "the first picture", |lines| lines.len() > 5);
    seat
}

/// Waits for the end, and looks whether the terminal is given back: its first screen, its cursor, lines that are echoed.
#[track_caller]
fn ends_with(seat: &mut Terminal, code: i32) {
    let mut ended = None;
    until("it ends", || {
        ended = seat.running.0.try_wait().unwrap();
        ended.is_some()
    });
    assert_eq!(ended.unwrap().code(), Some(code));
    let modes = tcgetattr(&seat.keys).unwrap().local_modes;
    assert!(modes.contains(LocalModes::ICANON | LocalModes::ECHO), "the terminal is as it was");
    until("the first screen is back", || seat.said.lock().unwrap().contains("\x1b[?25h\x1b[?1049l"));
}

/// A queue of 77, and 100,000 processes in all.
const CROWD: &str = "register(slow, spawn(fun() -> receive never -> ok end end)), [slow ! X || X <- lists:seq(1, 77)], \
                     [spawn(fun() -> receive x -> x end end) || _ <- lists:seq(1, 100000)],";

#[test]
fn a_hundred_thousand_processes_are_watched_sorted_and_fitted_to_the_screen() {
    if !erlang_is_here() {
        return;
    }
    let place = Place::new();
    let _epmd = place.our_epmd();
    let _bill = place.erl("bill@localhost", &["+P", "200000"], CROWD);
    let mut seat = watch(&place, &["-interval", "0.02"]);
    let shown = screen(&seat);
    assert!(shown.len() == 24 && shown.iter().all(|line| line.chars().count() <= 100), "{shown:?}");
    assert!(shown[0].starts_with("bill@localhost   1000"), "{shown:?}");
    assert!(shown[0].contains("examined)"), "not all are examined at once: {shown:?}");
    // The leaders are found on the way through all, a bounded number at a time, and the way begins again.
    seat.types("l");
    until_shown(&seat, "the longest queue is first", |lines| {
        lines[3].contains(" slow ") && lines[3].contains(" 77 ")
    });
    until_shown(&seat, "all were seen", |lines| !lines[0].contains("examined)"));
    until_shown(&seat, "they are seen again", |lines| lines[0].contains("examined)"));
    seat.types("n");
    until_shown(&seat, "names are in their order", |lines| {
        let names: Vec<&str> = lines[3..].iter().filter_map(|line| line.split_whitespace().nth(1)).collect();
        names.is_sorted() && names[0] < "b"
    });
    // A key that means nothing changes nothing. Kilobytes and megabytes are told apart.
    seat.types("?m");
    until_shown(&seat, "the largest are first", |lines| {
        let cells = |line: &String| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let unit = |line| cells(line).iter().position(|cell| ["B", "kB", "MB"].contains(&cell.as_str()));
        let size = |line| {
            let at = unit(line)?;
            let scale = ["B", "kB", "MB"].iter().position(|unit| *unit == cells(line)[at]);
            Some(cells(line)[at - 1].parse::<f64>().ok()? * 1e3f64.powi(scale? as i32))
        };
        let sizes: Vec<f64> = lines[3..].iter().filter_map(size).collect();
        sizes.len() > 15 && sizes.is_sorted_by(|a, b| a >= b) && sizes[0] > 1e5
    });
    seat.types("q");
    ends_with(&mut seat, 0);
}

#[test]
fn keys_and_another_size_show_at_once_and_not_with_the_next_look() {
    if !erlang_is_here() {
        return;
    }
    let place = Place::new();
    let _epmd = place.our_epmd();
    let bill = place.erl("bill@localhost", &[], "");
    let mut seat = watch(&place, &["-interval", "3600"]);
    seat.types("p");
    let shown = until_shown(&seat, "pids are in their order", |lines| lines[3].starts_with("<0.0.0> "));
    assert!(shown[3].contains(" init "), "{shown:?}");
    size(&seat, 10, 30);
    // Told by its number: this terminal is nobody's controlling terminal.
    signal(seat.running.0.id(), "WINCH");
    let shown = until_shown(&seat, "the picture is smaller", |lines| lines.len() == 10);
    assert!(shown.iter().all(|line| line.chars().count() <= 30), "{shown:?}");
    size(&seat, 50, 200);
    signal(seat.running.0.id(), "WINCH");
    let shown = until_shown(&seat, "the picture is larger", |lines| lines.len() > 24);
    assert!(shown[0].ends_with("q quits") && shown.len() <= 50, "{shown:?}");
    for (name, code) in [("INT", 0), ("TERM", 0), ("HUP", 0)] {
        let mut seat = watch(&place, &[]);
        signal(seat.running.0.id(), name);
        ends_with(&mut seat, code);
    }
    drop(bill);
    until("it heard", || {
        seat.running.0.try_wait().unwrap().is_some() || {
            seat.types("q");
            true
        }
    });
}

#[test]
fn who_watches_a_node_that_freezes_can_leave_and_hears_when_it_dies() {
    if !erlang_is_here() {
        return;
    }
    let place = Place::new();
    let _epmd = place.our_epmd();
    let bill = place.erl("bill@localhost", &[], "");
    let mut leaves = watch(&place, &["-interval", "0.05"]);
    let mut stays = watch(&place, &["-interval", "0.05"]);
    signal(bill.running.0.id(), "STOP");
    let pictures = |seat: &Terminal| seat.said.lock().unwrap().matches("\x1b[H").count();
    let mut before = usize::MAX;
    until("nothing new is shown", || {
        std::thread::sleep(Duration::from_millis(200));
        let now = pictures(&leaves);
        std::mem::replace(&mut before, now) == now
    });
    let begun = now();
    leaves.types("q");
    ends_with(&mut leaves, 0);
    assert!(begun.elapsed() < Duration::from_secs(3), "it took {:?}", begun.elapsed());
    signal(bill.running.0.id(), "KILL");
    ends_with(&mut stays, 3);
    stays.shows("\x1b[?1049l");
    stays.shows("bill@localhost");
}
