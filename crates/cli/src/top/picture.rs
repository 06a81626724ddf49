//! What `top` shows: rows in an order, as a table or as JSON. Pure.

use std::cmp::Reverse;
use std::time::Duration;

use trunkline::Pid;

use crate::cluster::duration_text;
use crate::json::Json;
use crate::table::Table;

/// What the first rows have most of; names and pids come in their own order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Order {
    Reductions,
    Memory,
    Queue,
    Name,
    Pid,
}

/// A process, as it was at the last look.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) pid: Pid,
    /// Its registered name, or the function it began with.
    pub(crate) name: String,
    /// Whether the name may still be found out better (`proc_lib:translate_initial_call/1`).
    pub(crate) is_vague: bool,
    pub(crate) queue: i64,
    /// In bytes, where the node knows it.
    pub(crate) memory: Option<i64>,
    /// Since it began.
    pub(crate) reductions: i64,
    /// Since the look before, where there was one.
    pub(crate) per_second: Option<i64>,
    pub(crate) current: String,
    pub(crate) status: String,
}

/// All that is known of a node.
#[derive(Clone, Debug)]
pub(crate) struct Scene<'a> {
    pub(crate) node: String,
    pub(crate) rows: Vec<&'a Row>,
    pub(crate) processes: usize,
    pub(crate) examined: usize,
    pub(crate) run_queue: Option<i64>,
    pub(crate) memory: Option<i64>,
    pub(crate) took: Duration,
}

/// The rows in this order, ties by pid.
pub(crate) fn sorted<'a>(rows: impl Iterator<Item = &'a Row>, order: Order) -> Vec<&'a Row> {
    let mut rows: Vec<&Row> = rows.collect();
    rows.sort_by(|a, b| {
        let by = match order {
            // A rate first: who has worked much long ago does not matter now.
            Order::Reductions => (Reverse(a.per_second), Reverse(a.reductions))
                .cmp(&(Reverse(b.per_second), Reverse(b.reductions))),
            Order::Memory => Reverse(a.memory).cmp(&Reverse(b.memory)),
            Order::Queue => Reverse(a.queue).cmp(&Reverse(b.queue)),
            Order::Name => a.name.cmp(&b.name),
            Order::Pid => std::cmp::Ordering::Equal,
        };
        by.then_with(|| (a.pid.serial, a.pid.id).cmp(&(b.pid.serial, b.pid.id)))
    });
    rows
}

/// A head, a blank line, and a table.
pub(crate) fn picture(scene: &Scene<'_>, order: Order, count: usize, keys: &str) -> Vec<String> {
    let mut head = format!("{}   {} processes", scene.node, scene.processes);
    if scene.examined < scene.processes {
        head.push_str(&format!(" ({} examined)", scene.examined));
    }
    if let Some(run_queue) = scene.run_queue {
        head.push_str(&format!("   run queue {run_queue}"));
    }
    if let Some(memory) = scene.memory {
        head.push_str(&format!("   memory {}", bytes_text(memory)));
    }
    head.push_str(&format!("   look {}", duration_text(scene.took)));
    if !keys.is_empty() {
        head.push_str(&format!("   {keys}"));
    }
    let mut table = Table::new(&[
        "PID",
        "NAME OR INITIAL CALL",
        ">QUEUE",
        ">MEMORY",
        ">REDUCTIONS",
        ">PER SECOND",
        "STATE",
        "CURRENT FUNCTION",
    ]);
    for row in sorted(scene.rows.iter().copied(), order).into_iter().take(count) {
        let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        table.row([
            pid_text(&row.pid),
            clipped(&row.name),
            row.queue.to_string(),
            or_dash(row.memory.map(bytes_text)),
            row.reductions.to_string(),
            or_dash(row.per_second.map(|rate| rate.to_string())),
            row.status.clone(),
            clipped(&row.current),
        ]);
    }
    [head, String::new()].into_iter().chain(table.lines()).collect()
}

/// The same for machines.
pub(crate) fn as_json(scene: &Scene<'_>, order: Order, count: usize) -> Json {
    let rows = sorted(scene.rows.iter().copied(), order).into_iter().take(count).map(|row| {
        Json::Object(vec![
            ("pid", Json::Text(pid_text(&row.pid))),
            ("name", Json::text(&row.name)),
            ("message_queue_len", Json::Int(row.queue)),
            ("memory", Json::maybe(row.memory.map(Json::Int))),
            ("reductions", Json::Int(row.reductions)),
            ("reductions_per_second", Json::maybe(row.per_second.map(Json::Int))),
            ("status", Json::text(&row.status)),
            ("current_function", Json::text(&row.current)),
        ])
    });
    Json::Object(vec![
        ("node", Json::text(&scene.node)),
        ("processes", Json::Int(scene.processes as i64)),
        ("examined", Json::Int(scene.examined as i64)),
        ("run_queue", Json::maybe(scene.run_queue.map(Json::Int))),
        ("memory", Json::maybe(scene.memory.map(Json::Int))),
        ("rows", Json::List(rows.collect())),
    ])
}

/// As the node itself prints it.
fn pid_text(pid: &Pid) -> String {
    format!("<0.{}.{}>", pid.id, pid.serial)
}

/// Names are chosen by others: no control characters, and not too long.
fn clipped(text: &str) -> String {
    let seen: String =
        text.chars().map(|c| if c.is_control() { '?' } else { c }).take(CELL_CHARS_MAX + 1).collect();
    match seen.char_indices().nth(CELL_CHARS_MAX) {
        Some((at, _)) => format!("{}…", &seen[..at]),
        None => seen,
    }
}

const CELL_CHARS_MAX: usize = 44;

/// `512 B`, `3.4 kB`, `1.2 MB`.
fn bytes_text(bytes: i64) -> String {
    match bytes {
        ..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use trunkline::{Atom, NodeId};

    use super::*;

    fn row(id: u32, name: &str, queue: i64, per_second: Option<i64>) -> Row {
        Row {
            pid: Pid { node: NodeId::new(Atom::new("a@b"), 1), id, serial: 0 },
            name: name.to_owned(),
            is_vague: false,
            queue,
            memory: (id != 2).then_some(2_500 * i64::from(id)),
            reductions: 1_000 - i64::from(id),
            per_second,
            current: "gen_server:loop/7".to_owned(),
            status: "waiting".to_owned(),
        }
    }

    #[test]
    fn the_first_rows_have_most_of_what_is_asked_for() {
        let rows = [row(1, "b", 5, Some(1)), row(2, "a", 9, None), row(3, "c\u{1b}[2J", 5, Some(7))];
        let ids = |order| sorted(rows.iter(), order).iter().map(|row| row.pid.id).collect::<Vec<_>>();
        assert_eq!(ids(Order::Reductions), [3, 1, 2]);
        assert_eq!(ids(Order::Memory), [3, 1, 2]);
        assert_eq!(ids(Order::Queue), [2, 1, 3]);
        assert_eq!(ids(Order::Name), [2, 1, 3]);
        assert_eq!(ids(Order::Pid), [1, 2, 3]);
    }

    #[test]
    fn a_picture_has_a_head_and_a_row_for_each_process() {
        let rows = [row(1, "b", 5, Some(1)), row(3, "c\u{1b}[2J", 5, None)];
        let scene = Scene {
            node: "a@b".to_owned(),
            rows: rows.iter().collect(),
            processes: 7,
            examined: 2,
            run_queue: Some(0),
            memory: Some(31_000_000),
            took: Duration::from_millis(3),
        };
        let lines = picture(&scene, Order::Pid, 2, "q quits");
        assert_eq!(
            lines[0],
            "a@b   7 processes (2 examined)   run queue 0   memory 31.0 MB   look 3.0 ms   q quits"
        );
        assert!(lines[3].starts_with("<0.1.0>  b "), "{}", lines[3]);
        assert!(lines[4].contains(" c?[2J "), "control characters do not reach the terminal: {}", lines[4]);
        assert_eq!(picture(&scene, Order::Pid, 1, "").len(), 4);
        let json = as_json(&scene, Order::Pid, 1).to_string();
        assert!(json.contains(r#""pid":"<0.1.0>","name":"b","message_queue_len":5,"memory":2500"#), "{json}");
    }
}
