//! The matrix as it is shown: a row for each way to each step, a column for each fault.

use std::{fmt::Write as _, io::Write as _};

use super::Fault;

/// What came of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// All of its orders ended well.
    Passed,
    /// One of them did not.
    Failed,
    /// There is no such thing; the number is that of the reason in the legend.
    Missing(usize),
}

/// Why a cell is empty.
pub(super) const REASONS: [&str; 4] = [
    "no error is caught by name there, or the row above has it",
    "nothing is written there on this way",
    "nothing is undone there",
    "not tried, because no order got there while nothing was wrong",
];

/// A row.
pub(super) struct Row {
    /// The machine, the state and the way.
    pub(super) name: String,
    /// One for each fault, in their order.
    pub(super) marks: Vec<Mark>,
}

/// Shows the matrix.
pub(super) fn show(rows: &[Row], remark: &str) {
    say(&drawn(rows, remark));
}

/// Says something also where the output of tests that pass is kept back: that goes for `print!` only.
pub(super) fn say(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

fn drawn(rows: &[Row], remark: &str) -> String {
    let width = rows.iter().map(|row| row.name.len()).max();
    let width = width.unwrap_or_default();
    let mut text = format!("\n{remark}\n\n{:width$}", "");
    for fault in Fault::ALL {
        let _ = write!(text, "  {}", fault.title());
    }
    text.push('\n');
    for Row { name, marks } in rows {
        let _ = write!(text, "{name:width$}");
        for (fault, mark) in Fault::ALL.into_iter().zip(marks) {
            let width = fault.title().chars().count();
            let mark = match mark {
                Mark::Passed => "ok".to_owned(),
                Mark::Failed => "FAIL".to_owned(),
                Mark::Missing(reason) => format!("— {}", reason + 1),
            };
            let _ = write!(text, "  {mark:width$}");
        }
        text.push('\n');
    }
    text.push('\n');
    for (number, reason) in REASONS.into_iter().enumerate() {
        let _ = writeln!(text, "— {}: {reason}", number + 1);
    }
    text.push('\n');
    text
}
