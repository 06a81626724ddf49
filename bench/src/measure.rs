//! What a run says: lines of `row_name value unit`; and what many runs say together: their median.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

/// One figure of one run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Measure {
    pub(crate) row: String,
    pub(crate) value: f64,
    pub(crate) unit: String,
}

impl Measure {
    pub(crate) fn new(row: &str, value: f64, unit: &str) -> Measure {
        Measure { row: row.to_owned(), value, unit: unit.to_owned() }
    }

    /// Reads a line; `None` for a line that has not three words, such as a log line.
    pub(crate) fn parse(line: &str) -> Option<Result<Measure>> {
        let words: Vec<_> = line.split_whitespace().collect();
        let &[row, value, unit] = words.as_slice() else { return None };
        let value = value.parse().with_context(|| format!("{line:?}: the second word is no number"));
        Some(value.map(|value| Measure::new(row, value, unit)))
    }
}

/// All figures of all rounds, by row and side.
#[derive(Debug, Default)]
pub(crate) struct Results {
    values: BTreeMap<(String, &'static str), Vec<f64>>,
}

impl Results {
    pub(crate) fn add(&mut self, side: &'static str, measures: Vec<Measure>) {
        for measure in measures {
            self.values.entry((measure.row, side)).or_default().push(measure.value);
        }
    }

    pub(crate) fn median(&self, row: &str, side: &'static str) -> Option<f64> {
        self.values.get(&(row.to_owned(), side)).and_then(|values| percentile(values, 50.0))
    }

    pub(crate) fn rounds(&self, row: &str, side: &'static str) -> &[f64] {
        self.values.get(&(row.to_owned(), side)).map_or(&[], Vec::as_slice)
    }
}

/// The value below which `percent` of them lie, by nearest rank as BEAM's side counts it.
pub(crate) fn percentile(values: &[f64], percent: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (sorted.len() as f64 * percent / 100.0).ceil() as usize;
    sorted.get(rank.clamp(1, sorted.len().max(1)) - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_row_a_number_and_a_unit() {
        let read = Measure::parse("spawn_exit 4.28633e+5 proc/s").unwrap().unwrap();
        assert_eq!(read, Measure::new("spawn_exit", 428_633.0, "proc/s"));
        assert!(Measure::parse("end").is_none());
        assert!(Measure::parse("spawn_exit many proc/s").unwrap().is_err());
    }

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let values = [5.0, 1.0, 4.0, 2.0, 3.0];
        assert_eq!(percentile(&values, 50.0), Some(3.0));
        assert_eq!(percentile(&values, 99.0), Some(5.0));
        assert_eq!(percentile(&values[..2], 50.0), Some(1.0));
        assert_eq!(percentile(&[], 50.0), None);
    }

    #[test]
    fn the_median_is_of_one_row_on_one_side() {
        let mut results = Results::default();
        for value in [1.0, 9.0, 2.0] {
            results.add("BEAM", vec![Measure::new("a", value, "x")]);
        }
        assert_eq!(results.median("a", "BEAM"), Some(2.0));
        assert_eq!(results.median("a", "Trunkline"), None);
        assert_eq!(results.rounds("a", "BEAM").len(), 3);
    }
}
