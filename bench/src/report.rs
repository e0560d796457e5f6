//! Everything that a run has found, as JSON and as a table.

use std::{collections::BTreeMap, fmt::Write as _};

use serde::Serialize;

use crate::{
    bars::{self, Verdicts},
    baseline::Worse,
    figures::{Figures, Ratios},
    programs::HELLO,
};

/// What a run has found.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// The day, as `2026-01-02`.
    pub(crate) date: String,
    /// What the functions were built with.
    pub(crate) profile: String,
    /// How often each was started.
    pub(crate) rounds: usize,
    /// How many CPUs the machine has.
    pub(crate) cpus: usize,
    /// Why nothing could be measured at a function's share of a CPU, if so.
    pub(crate) not_throttled: Option<String>,
    /// The programs, in the order of the table.
    pub(crate) programs: Vec<Row>,
    /// What was better in the baseline.
    pub(crate) worse: Vec<Worse>,
}

/// What was found of one program.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Row {
    /// Its name.
    pub(crate) name: String,
    /// What its first invocation called.
    pub(crate) calls: Vec<String>,
    /// Its figures.
    pub(crate) figures: Figures,
    /// How many times those of the bare function they are.
    pub(crate) ratios: Ratios,
    /// Whether what is asked of it is met.
    pub(crate) bars: Verdicts,
}

/// The figures in the order of the table: name, heading, and how many decimals are worth showing.
const COLUMNS: [(&str, &str, usize); 8] = [
    ("zip_mb", "zip MB", 2),
    ("init_ms", "init ms", 1),
    ("first_ms", "first ms", 2),
    ("throttled_first_ms", "throttled", 1),
    ("warm_p50_us", "p50 µs", 0),
    ("warm_p99_us", "p99 µs", 0),
    ("cpu_us", "CPU µs", 0),
    ("memory_mb", "mem MB", 1),
];

impl Report {
    /// The ratios of our functions and the others, as a baseline keeps them.
    pub(crate) fn ratios(&self) -> BTreeMap<String, Ratios> {
        let rows = self.programs.iter().filter(|row| row.name != HELLO);
        rows.map(|row| (row.name.clone(), row.ratios.clone()))
            .collect()
    }

    /// What a person reads.
    pub(crate) fn table(&self) -> String {
        let mut text = String::new();
        let _ = write!(text, "\n{:<26}{:>6}", "", "calls");
        for (_, heading, _) in COLUMNS {
            let _ = write!(text, "{heading:>19}");
        }
        for row in &self.programs {
            let _ = write!(text, "\n{:<26}{:>6}", row.name, row.calls.len());
            let figures = row.figures.named();
            for (name, _, decimals) in COLUMNS {
                let cell = figures.get(name).map_or_else(
                    || "–".to_owned(),
                    |figure| cell(*figure, decimals, row.ratios.get(name), row.bars.get(name)),
                );
                let _ = write!(text, "{cell:>19}");
            }
        }
        let _ = write!(
            text,
            "\n\n(n×): times hello. ✓ ✗: the bar is met or not. {}",
            bars::sentence()
        );
        let _ = match &self.not_throttled {
            None => write!(
                text,
                "\nThrottled: with the share of a CPU that Lambda gives the function, after its init."
            ),
            Some(why) => write!(text, "\nNothing could be throttled here: {why}."),
        };
        if self.profile != "release" {
            let _ = write!(
                text,
                "\nThe bars are meant for release builds; these are {} ones.",
                self.profile
            );
        }
        for worse in &self.worse {
            let (before, now) = (worse.before, worse.now);
            let _ = write!(
                text,
                "\nWorse than the baseline: {} of {} was {before:.2}× that of hello and is {now:.2}×.",
                worse.figure, worse.program
            );
        }
        text
    }
}

fn cell(figure: f64, decimals: usize, ratio: Option<&f64>, met: Option<&bool>) -> String {
    let mut cell = format!("{figure:.decimals$}");
    if let Some(ratio) = ratio {
        let _ = write!(cell, " ({ratio:.1}×)");
    }
    cell.push_str(match met {
        Some(true) => " ✓",
        Some(false) => " ✗",
        None => "  ",
    });
    cell
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_says_the_figure_its_ratio_and_whether_its_bar_is_met() {
        assert_eq!(cell(2.345, 2, Some(&3.0), Some(&true)), "2.35 (3.0×) ✓");
        assert_eq!(cell(812.4, 0, Some(&11.26), Some(&false)), "812 (11.3×) ✗");
        assert_eq!(cell(1.0, 1, None, None), "1.0  ");
    }
}
