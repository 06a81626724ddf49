//! The live picture: who sees whom, round trips, messages per second, and who knew of the death when. Pure.

use std::time::Duration;

use super::report::Tie;
use super::story::duration_text;
use super::world::{Life, Member, World, node_of, who_of};
use crate::limits::STORY_LINES_MAX;
use crate::table::Table;

/// All lines of one picture.
pub(crate) fn picture(
    world: &World,
    now: Duration,
    epmd_port: u16,
    story: &[String],
    keys: &str,
) -> Vec<String> {
    let mut lines = vec![
        format!("trunkline cluster   {:.1} s   EPMD on port {epmd_port}   {keys}", now.as_secs_f64()),
        String::new(),
    ];
    lines.extend(matrix(world).lines());
    lines.push(String::new());
    lines.extend(story.iter().skip(story.len().saturating_sub(STORY_LINES_MAX)).cloned());
    lines
}

/// A row for each member, a column for each that it may see: the round trip, or what is known instead.
fn matrix(world: &World) -> Table {
    let names: Vec<String> = world.members().map(|(who, _)| who.to_owned()).collect();
    let columns: Vec<String> = names.iter().map(|name| format!(">{name}")).collect();
    let death = world
        .killed
        .as_ref()
        .map(|(node, _)| format!("KNEW OF {}'S DEATH AFTER", who_of(node).to_uppercase()));
    let mut head = vec!["NODE", "STATE"];
    head.extend(columns.iter().map(String::as_str));
    head.push(">MESSAGES/S");
    head.extend(death.as_deref());
    let mut table = Table::new(&head);
    for (who, member) in world.members() {
        let seen = names.iter().map(|other| if other == who { "·".to_owned() } else { cell(member, other) });
        let row = [who.to_owned(), life(member).to_owned()].into_iter().chain(seen);
        table.row(row.chain([rate(member), knew(member)]));
    }
    table
}

fn life(member: &Member) -> &'static str {
    match member.life {
        Life::Starting => "starting",
        Life::Up => "up",
        Life::Left(true) => "left",
        Life::Left(false) => "crashed",
        Life::Killed => "killed",
    }
}

fn cell(member: &Member, other: &str) -> String {
    let node = node_of(other);
    match member.flows.get(&node) {
        Some(flow) => duration_text(Duration::from_micros(flow.micros)),
        None if member.sees.contains(&node) => "sees".to_owned(),
        None => "-".to_owned(),
    }
}

/// Pings that it sent and answers that it had.
fn rate(member: &Member) -> String {
    match member.flows.values().map(|flow| 2 * flow.per_second).sum::<u64>() {
        0 => String::new(),
        sum => sum.to_string(),
    }
}

fn knew(member: &Member) -> String {
    let fired = Tie::ALL.into_iter().filter_map(|tie| {
        let fired = member.fired.get(&tie)?;
        let times = if fired.times == 1 { String::new() } else { format!(" ({} times!)", fired.times) };
        Some(format!("{} {}{times}", tie.word(), duration_text(fired.after)))
    });
    fired.collect::<Vec<_>>().join("  ")
}

#[cfg(test)]
mod tests {
    use super::super::report::Report;
    use super::*;

    #[test]
    fn the_picture_shows_who_sees_whom_and_who_knew_when() {
        let at = Duration::from_millis;
        let mut world = World::default();
        for who in ["bill", "daryl"] {
            world.started(who);
            world.heard(who, at(1), Report::Ready { creation: 1 });
        }
        let daryl = || "daryl@localhost".to_owned();
        world.heard("bill", at(2), Report::Sees(vec![daryl()]));
        world.heard("bill", at(3), Report::Flow { node: daryl(), micros: 250, per_second: 100 });
        let story: Vec<String> = (0..STORY_LINES_MAX + 1).map(|line| format!("line {line}")).collect();
        let lines = picture(&world, at(1500), 4369, &story, "q quits");
        assert_eq!(lines[0], "trunkline cluster   1.5 s   EPMD on port 4369   q quits");
        assert_eq!(lines[2], "NODE   STATE  bill   daryl  MESSAGES/S");
        assert_eq!(lines[3], "bill   up        ·  250 µs         200");
        assert_eq!(lines[4], "daryl  up        -       ·");
        assert_eq!(lines[6], "line 1");
        world.killed("daryl", at(2000));
        world.heard(
            "bill",
            at(2002),
            Report::Fired { tie: Tie::Link, node: daryl(), reason: "noconnection".into() },
        );
        let lines = picture(&world, at(2500), 4369, &[], "");
        assert!(lines[2].ends_with("KNEW OF DARYL'S DEATH AFTER"), "{}", lines[2]);
        assert!(lines[3].ends_with("link 2.0 ms"), "{}", lines[3]);
    }
}
