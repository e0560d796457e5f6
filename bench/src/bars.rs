//! What is asked of the functions. Nothing fails when a bar isn't met: it is shown.

use std::collections::BTreeMap;

use crate::{
    figures::{Figures, Ratios},
    programs::{Kind, Program},
};

/// The most that a first invocation with one call may take.
const FIRST_MS: f64 = 2.0;

/// The same at a function's share of a CPU.
const THROTTLED_FIRST_MS: f64 = 15.0;

/// The largest that a package may be.
const ZIP_MB: f64 = 3.0;

/// The most memory that a function may need.
const MEMORY_MB: f64 = 14.0;

/// How many times that of the bare function a warm invocation with one call may take.
const WARM_RATIO: f64 = 6.0;

/// The functions that hash a password, which is made to need memory and time.
const HASHING: [&str; 3] = ["change-password", "login", "register-user"];

/// Whether a program meets what is asked of it, by the figure's name. What isn't asked isn't there.
pub(crate) type Verdicts = BTreeMap<&'static str, bool>;

/// What is asked of `program`, which makes `calls` calls, and whether it is met.
pub(crate) fn judge(
    program: &Program,
    calls: usize,
    figures: &Figures,
    ratios: &Ratios,
) -> Verdicts {
    let mut verdicts = Verdicts::new();
    if program.kind != Kind::Function {
        return verdicts;
    }
    verdicts.insert("zip_mb", figures.zip_mb <= ZIP_MB);
    if HASHING.contains(&program.name.as_str()) {
        return verdicts;
    }
    verdicts.insert("memory_mb", figures.memory_mb <= MEMORY_MB);
    if calls == 1 {
        verdicts.insert("first_ms", figures.first_ms <= FIRST_MS);
        let throttled = figures
            .throttled_first_ms
            .map(|first| first <= THROTTLED_FIRST_MS);
        verdicts.extend(throttled.map(|met| ("throttled_first_ms", met)));
        let warm = ratios.get("warm_p50_us").map(|ratio| *ratio <= WARM_RATIO);
        verdicts.extend(warm.map(|met| ("warm_p50_us", met)));
    }
    verdicts
}

/// What is asked, in a sentence.
pub(crate) fn sentence() -> String {
    format!(
        "Bars: package ≤ {ZIP_MB} MB; memory ≤ {MEMORY_MB} MB; with one call, first invocation ≤ {FIRST_MS} ms, \
         throttled ≤ {THROTTLED_FIRST_MS} ms, and warm p50 ≤ {WARM_RATIO}× that of hello. Of functions that hash a \
         password only the first is asked."
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::replies::Play;

    fn program(name: &str, kind: Kind) -> Program {
        Program {
            name: name.to_owned(),
            kind,
            command: Vec::new(),
            folder: "".into(),
            package: Vec::new(),
            event: json!({}),
            play: Play::default(),
            memory_mb: 256,
        }
    }

    fn figures() -> Figures {
        Figures {
            zip_mb: 2.9,
            first_ms: 2.1,
            throttled_first_ms: Some(15.0),
            memory_mb: 14.1,
            ..Figures::default()
        }
    }

    #[test]
    fn a_function_with_one_call_is_asked_everything() {
        let ratios = Ratios::from([("warm_p50_us".to_owned(), 6.1)]);
        let verdicts = judge(
            &program("get-product", Kind::Function),
            1,
            &figures(),
            &ratios,
        );
        let expected = Verdicts::from([
            ("first_ms", false),
            ("memory_mb", false),
            ("throttled_first_ms", true),
            ("warm_p50_us", false),
            ("zip_mb", true),
        ]);
        assert_eq!(verdicts, expected);
    }

    #[test]
    fn of_more_calls_and_of_hashing_less_is_asked() {
        let asked = |name, calls| {
            let program = program(name, Kind::Function);
            judge(&program, calls, &figures(), &Ratios::new())
        };
        let two_calls = Verdicts::from([("memory_mb", false), ("zip_mb", true)]);
        assert_eq!(asked("logout", 2), two_calls);
        assert_eq!(
            asked("register-user", 1),
            Verdicts::from([("zip_mb", true)])
        );
    }

    #[test]
    fn nothing_is_asked_of_what_isnt_ours() {
        for kind in [Kind::Bare, Kind::Other] {
            assert!(judge(&program("other", kind), 1, &figures(), &Ratios::new()).is_empty());
        }
    }
}
