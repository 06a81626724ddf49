//! The table as Markdown for people and as JSON for programs.

use crate::measure::Results;
use crate::table::{Better, Program, Row, Target};

pub(crate) fn markdown(programs: &[&Program], results: &Results) -> String {
    let mut text = String::from(
        "| row | BEAM | Trunkline | ratio | bare limit | target | met? |\n|---|--:|--:|--:|--:|---|---|\n",
    );
    for row in programs.iter().flat_map(|program| program.rows) {
        let line = Line::of(row, results);
        text += &format!(
            "| {} ({}) | {} | {} | {} | {} | {} | {} |\n",
            row.name,
            row.unit,
            line.beam.map_or("-".to_owned(), figure),
            line.ours.map_or("-".to_owned(), figure),
            line.ratio().map_or("-".to_owned(), |ratio| format!("{ratio:.2} x")),
            line.limit.map_or("-".to_owned(), figure),
            target(row),
            match line.met(row) {
                Some(true) => "yes",
                Some(false) => "no",
                None => "-",
            }
        );
    }
    text + &tally(programs, results)
}

/// How many targets are met, of those that could be judged.
fn tally(programs: &[&Program], results: &Results) -> String {
    let rows = programs.iter().flat_map(|program| program.rows);
    let judged: Vec<bool> = rows.filter_map(|row| Line::of(row, results).met(row)).collect();
    let met = judged.iter().filter(|&&met| met).count();
    format!("\nmedians; {met} of {} targets met in this run", judged.len())
}

pub(crate) fn json(programs: &[&Program], results: &Results) -> String {
    let rows: Vec<_> =
        programs.iter().flat_map(|program| program.rows).map(|row| json_row(row, results)).collect();
    format!("[\n{}\n]", rows.join(",\n"))
}

fn json_row(row: &Row, results: &Results) -> String {
    let line = Line::of(row, results);
    let number = |value: Option<f64>| value.map_or("null".to_owned(), |value| format!("{value}"));
    let met = line.met(row).map_or("null".to_owned(), |met| met.to_string());
    format!(
        "  {{\"row\": \"{}\", \"unit\": \"{}\", \"beam\": {}, \"ours\": {}, \"ratio\": {}, \"limit\": {}, \"target\": \"{}\", \
         \"met\": {met}, \"beam_rounds\": {:?}, \"ours_rounds\": {:?}}}",
        row.name,
        row.unit,
        number(line.beam),
        number(line.ours),
        number(line.ratio()),
        number(line.limit),
        target(row),
        results.rounds(row.name, "BEAM"),
        results.rounds(row.name, "Trunkline"),
    )
}

/// The medians of one row.
struct Line {
    beam: Option<f64>,
    ours: Option<f64>,
    limit: Option<f64>,
}

impl Line {
    fn of(row: &Row, results: &Results) -> Line {
        let median = |side| results.median(row.name, side);
        Line { beam: median("BEAM"), ours: median("Trunkline"), limit: median("limit") }
    }

    fn ratio(&self) -> Option<f64> {
        Some(self.ours? / self.beam.filter(|&beam| beam > 0.0)?)
    }

    fn met(&self, row: &Row) -> Option<bool> {
        let (reached, wanted) = match row.target {
            Target::TimesBeam(times) => (self.ratio()?, times),
            Target::TimesLimit(times) => (self.ours? / self.limit.filter(|&limit| limit > 0.0)?, times),
            Target::Figure(figure) => (self.ours?, figure),
        };
        Some(match row.better {
            Better::Higher => reached >= wanted,
            Better::Lower => reached <= wanted,
        })
    }
}

fn target(row: &Row) -> String {
    let sign = match row.better {
        Better::Higher => ">=",
        Better::Lower => "<=",
    };
    match row.target {
        Target::TimesBeam(times) => format!("{sign} {times} x BEAM"),
        Target::TimesLimit(times) => format!("{sign} {times} x limit"),
        Target::Figure(wanted) => format!("{sign} {}", figure(wanted)),
    }
}

/// Three digits that say something: `1.10`, `34.8`, `484 k`, `6.35 M`.
fn figure(value: f64) -> String {
    let (value, unit) = match value.abs() {
        size if size >= 999_500.0 => (value / 1.0e6, " M"),
        size if size >= 9_999.5 => (value / 1.0e3, " k"),
        _ => (value, ""),
    };
    let digits = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 0.1 => 2,
        _ => 4,
    };
    format!("{value:.digits$}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Measure;
    use crate::table::{Kind, PROGRAMS};

    const ROWS: &[Row] = &[
        Row { name: "a", unit: "msg/s", better: Better::Higher, target: Target::TimesBeam(2.0) },
        Row { name: "b", unit: "us", better: Better::Lower, target: Target::Figure(3.0) },
        Row { name: "c", unit: "us", better: Better::Lower, target: Target::Figure(1.0) },
    ];
    const PROGRAM: Program =
        Program { name: "p", body: "p", kind: Kind::Local, size_quick: 1, size_full: 1, rows: ROWS };

    fn results() -> Results {
        let mut results = Results::default();
        results.add("BEAM", vec![Measure::new("a", 1.0e6, "msg/s"), Measure::new("b", 2.0, "us")]);
        results.add("Trunkline", vec![Measure::new("a", 2.5e6, "msg/s"), Measure::new("b", 4.0, "us")]);
        results
    }

    #[test]
    fn the_table_says_who_met_what() {
        let text = markdown(&[&PROGRAM], &results());
        let lines: Vec<_> = text.lines().skip(2).collect();
        assert_eq!(lines[0], "| a (msg/s) | 1.00 M | 2.50 M | 2.50 x | - | >= 2 x BEAM | yes |");
        assert_eq!(lines[1], "| b (us) | 2.00 | 4.00 | 2.00 x | - | <= 3.00 | no |");
        assert_eq!(lines[2], "| c (us) | - | - | - | - | <= 1.00 | - |");
        assert_eq!(lines[4], "medians; 1 of 2 targets met in this run");
    }

    #[test]
    fn the_json_says_null_where_nothing_was_measured() {
        let text = json(&[&PROGRAM], &results());
        assert!(text.contains("\"row\": \"c\", \"unit\": \"us\", \"beam\": null, \"ours\": null"), "{text}");
        assert!(text.contains("\"beam_rounds\": [1000000.0]"), "{text}");
    }

    #[test]
    fn figures_are_short() {
        let short: Vec<_> = [1.1, 34.81, 9_000.0, 484_000.0, 6.35e6, 0.05, 0.5].map(figure).into();
        assert_eq!(short, ["1.10", "34.8", "9000", "484 k", "6.35 M", "0.0500", "0.50"]);
        assert!(!markdown(&PROGRAMS.iter().collect::<Vec<_>>(), &Results::default()).is_empty());
    }
}
