//! What was measured before, as ratios to the bare function: those hardly depend on the machine.

use std::{collections::BTreeMap, fs, path::Path};

use serde::{Deserialize, Serialize};

use crate::{failure::Failure, figures::Ratios};

/// How much worse than before is worth a word.
const WORSE: f64 = 1.25;

/// The ratios of programs, by profile and name: `baseline.json`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Baseline {
    by_profile: BTreeMap<String, BTreeMap<String, Ratios>>,
}

/// A figure that was better before.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Worse {
    /// Of which program.
    pub(crate) program: String,
    /// Which one.
    pub(crate) figure: String,
    /// How many times that of the bare function it was.
    pub(crate) before: f64,
    /// How many times it is now.
    pub(crate) now: f64,
}

impl Baseline {
    /// What was recorded, or nothing yet.
    pub(crate) fn read(file: &Path) -> Result<Self, Failure> {
        match fs::read(file) {
            Ok(text) => serde_json::from_slice(&text).map_err(Failure::file(file)),
            Err(_) => Ok(Self::default()),
        }
    }

    /// Records the ratios of some programs, and keeps those of the others.
    pub(crate) fn record(&mut self, profile: &str, now: BTreeMap<String, Ratios>) {
        let rounded = |ratio: f64| (ratio * 100.0).round() / 100.0;
        let programs = self.by_profile.entry(profile.to_owned()).or_default();
        for (program, ratios) in now {
            let ratios = ratios
                .into_iter()
                .map(|(name, ratio)| (name, rounded(ratio)));
            programs.insert(program, ratios.collect());
        }
    }

    /// Writes it down.
    pub(crate) fn write(&self, file: &Path) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(self).map_err(Failure::file(file))? + "\n";
        fs::write(file, text).map_err(Failure::machine(format!("write {}", file.display())))
    }

    /// Whether there is something to compare with.
    pub(crate) fn has(&self, profile: &str) -> bool {
        self.by_profile.contains_key(profile)
    }

    /// The figures that are more than a quarter worse than they were.
    pub(crate) fn worse(&self, profile: &str, now: &BTreeMap<String, Ratios>) -> Vec<Worse> {
        let mut worse = Vec::new();
        let Some(before) = self.by_profile.get(profile) else {
            return worse;
        };
        for (program, ratios) in now {
            for (figure, now) in ratios {
                let before = before.get(program).and_then(|ratios| ratios.get(figure));
                if let Some(before) = before.copied().filter(|before| *now > before * WORSE) {
                    worse.push(Worse {
                        program: program.clone(),
                        figure: figure.clone(),
                        before,
                        now: *now,
                    });
                }
            }
        }
        worse
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ratios(figure: &str, ratio: f64) -> Ratios {
        Ratios::from([(figure.to_owned(), ratio)])
    }

    fn programs(name: &str, ratios: Ratios) -> BTreeMap<String, Ratios> {
        BTreeMap::from([(name.to_owned(), ratios)])
    }

    fn baseline() -> Baseline {
        let mut baseline = Baseline::default();
        baseline.record("release", programs("login", ratios("init_ms", 2.0)));
        baseline
    }

    #[test]
    fn a_ratio_that_grew_by_more_than_a_quarter_is_worse() {
        let at = |ratio| baseline().worse("release", &programs("login", ratios("init_ms", ratio)));
        assert_eq!(at(2.5), []);
        let [worse] = at(2.6).try_into().unwrap();
        assert_eq!(
            (worse.program.as_str(), worse.figure.as_str()),
            ("login", "init_ms")
        );
    }

    #[test]
    fn only_the_same_is_compared() {
        let far_worse = |figure| ratios(figure, 9.0);
        assert_eq!(
            baseline().worse("local", &programs("login", far_worse("init_ms"))),
            []
        );
        assert_eq!(
            baseline().worse("release", &programs("logout", far_worse("init_ms"))),
            []
        );
        assert_eq!(
            baseline().worse("release", &programs("login", far_worse("cpu_us"))),
            []
        );
    }

    #[test]
    fn recording_some_programs_keeps_the_others() {
        let mut baseline = baseline();
        baseline.record("release", programs("logout", ratios("init_ms", 1.0)));
        let worse = baseline.worse("release", &programs("login", ratios("init_ms", 9.0)));
        assert_eq!(worse.len(), 1);
    }
}
