//! What was found, as JSON, as a table and as a picture.

use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

use serde::Serialize;

use super::visit::{FUNCTIONS, STEPS, Seen, Visit};
use crate::{
    curves::{self, Curve, Panel},
    figures::{percentile, precise},
};

/// Everything that was found.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// The day, as `2026-01-02`.
    pub(super) date: String,
    /// What the functions were built with.
    pub(super) profile: String,
    /// How many orders were bought and looked at in each shop.
    pub(super) rounds: usize,
    /// How many CPUs the machine has.
    pub(super) cpus: usize,
    /// By the number of orders, of one line each.
    pub(super) by_orders: Vec<Row>,
    /// By the number of lines.
    pub(super) by_lines: Vec<Row>,
}

/// What was found in one shop.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    orders: usize,
    lines: usize,
    functions: BTreeMap<String, Figures>,
    #[serde(skip)]
    seen: BTreeMap<String, Vec<Seen>>,
}

/// What is known of a function: its calls of DynamoDB and their units on average, and what half of its invocations took
/// at most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
struct Figures {
    calls: f64,
    write_units: f64,
    read_units: f64,
    p50_ms: f64,
}

impl Figures {
    fn of(seen: &[Seen]) -> Self {
        let count = precise(seen.len()).max(1.0);
        let mean = |figure: &dyn Fn(&Seen) -> f64| seen.iter().map(figure).sum::<f64>() / count;
        let times: Vec<Duration> = seen.iter().map(|seen| seen.took).collect();
        Self {
            #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
            calls: mean(&|seen| seen.counts.calls as f64),
            write_units: mean(&|seen| seen.counts.write_units),
            read_units: mean(&|seen| seen.counts.read_units),
            p50_ms: percentile(&times, 0.5).as_secs_f64() * 1e3,
        }
    }

    fn units(self) -> f64 {
        self.write_units + self.read_units
    }
}

impl Row {
    pub(super) fn new(orders: usize, lines: usize) -> Self {
        Self {
            orders,
            lines,
            functions: BTreeMap::new(),
            seen: BTreeMap::new(),
        }
    }

    /// Adds what was seen of a visit.
    pub(super) fn add(&mut self, visit: Visit) {
        for (name, seen) in visit {
            let all = self.seen.entry(name.clone()).or_default();
            all.push(seen);
            self.functions.insert(name, Figures::of(all));
        }
    }

    fn of(&self, name: &str) -> Figures {
        self.functions.get(name).copied().unwrap_or_default()
    }

    /// What an order takes from being placed to being confirmed.
    fn order(&self) -> Figures {
        let steps = FUNCTIONS.iter().take(STEPS).map(|name| self.of(name));
        steps.fold(Figures::default(), |sum, step| Figures {
            calls: sum.calls + step.calls,
            write_units: sum.write_units + step.write_units,
            read_units: sum.read_units + step.read_units,
            p50_ms: sum.p50_ms + step.p50_ms,
        })
    }
}

/// By how much a figure has to grow to be pointed at.
const NOTEWORTHY: f64 = 1.1;

impl Report {
    /// What a person reads.
    pub(super) fn table(&self) -> String {
        let mut text = String::new();
        let orders = |row: &Row| format!("{} orders", row.orders);
        let lines = |row: &Row| match row.lines {
            1 => "1 line".to_owned(),
            lines => format!("{lines} lines"),
        };
        section(
            &mut text,
            "By orders in the tables, of one line each",
            &self.by_orders,
            &orders,
        );
        section(
            &mut text,
            "By lines, with 1000 orders in the tables",
            &self.by_lines,
            &lines,
        );
        let _ = write!(
            text,
            "Calls of DynamoDB with the write and read units that are billed for them, and what half of {} invocations \
             took at most, with nothing for the payment gateway.\n\n",
            self.rounds
        );
        for (before, after) in self.by_orders.iter().zip(self.by_orders.iter().skip(1)) {
            text.push_str(&grown(before, after));
        }
        text
    }

    /// Units and times of each function, by orders and by lines.
    pub(super) fn picture(&self) -> String {
        let orders = |row: &Row| precise(row.orders);
        let lines = |row: &Row| precise(row.lines);
        let ms = |figures: Figures| figures.p50_ms;
        let panels = [
            Panel {
                title: "Billed units as the shop grows",
                across: "orders in the tables, of one line each",
                up: "read and write units",
                curves: curves_of(&self.by_orders, orders, Figures::units),
            },
            Panel {
                title: "Time as the shop grows",
                across: "orders in the tables, of one line each",
                up: "half take at most, ms",
                curves: curves_of(&self.by_orders, orders, ms),
            },
            Panel {
                title: "Billed units as orders grow",
                across: "lines of an order, 1,000 orders in the tables",
                up: "read and write units",
                curves: curves_of(&self.by_lines, lines, Figures::units),
            },
            Panel {
                title: "Time as orders grow",
                across: "lines of an order, 1,000 orders in the tables",
                up: "half take at most, ms",
                curves: curves_of(&self.by_lines, lines, ms),
            },
        ];
        let how = format!(
            "{}, {} build, {} CPUs. Each point: {} invocations against a stand-in for DynamoDB (reads 3 ms, writes 4 ms, \
             transactions 10 ms).",
            self.date, self.profile, self.cpus, self.rounds
        );
        let what = "Without what the payment gateway, Step Functions and the network take.";
        curves::draw("A shop that grows", &panels, &[&how, what])
    }
}

fn section(text: &mut String, title: &str, rows: &[Row], name: &dyn Fn(&Row) -> String) {
    let _ = write!(text, "\n{title}\n{:<21}", "");
    for row in rows {
        let _ = write!(text, "{:>34}", name(row));
    }
    let _ = write!(text, "\n{:<21}", "");
    for _ in rows {
        let _ = write!(
            text,
            "{:>10}{:>8}{:>8}{:>8}",
            "calls", "writes", "reads", "p50 ms"
        );
    }
    let mut line = |name: &str, figures: &dyn Fn(&Row) -> Figures| {
        let _ = write!(text, "\n{name:<21}");
        for row in rows {
            let Figures {
                calls,
                write_units,
                read_units,
                p50_ms,
            } = figures(row);
            let _ = write!(
                text,
                "{calls:>10.1}{write_units:>8.1}{read_units:>8.1}{p50_ms:>8.1}"
            );
        }
    };
    for (place, name) in FUNCTIONS.iter().enumerate() {
        if place == STEPS {
            line("an order, altogether", &Row::order);
        }
        line(name, &|row| row.of(name));
    }
    text.push('\n');
}

/// What takes more calls or units in the larger of two shops.
fn grown(before: &Row, after: &Row) -> String {
    let mut text = String::new();
    for name in FUNCTIONS {
        let (small, large) = (before.of(name), after.of(name));
        for (what, small, large) in [
            ("calls", small.calls, large.calls),
            ("units", small.units(), large.units()),
        ] {
            if large > small * NOTEWORTHY {
                let _ = writeln!(
                    text,
                    "{name} takes {small:.1} {what} with {} orders, and {large:.1} with {}.",
                    before.orders, after.orders
                );
            }
        }
    }
    if text.is_empty() {
        let _ = writeln!(
            text,
            "Nothing takes more calls or units with {} orders than with {}.",
            after.orders, before.orders
        );
    }
    text
}

fn curves_of(
    rows: &[Row],
    across: impl Fn(&Row) -> f64,
    up: impl Fn(Figures) -> f64,
) -> Vec<Curve> {
    let curve = |name: &str| Curve {
        name: name.to_owned(),
        points: rows
            .iter()
            .map(|row| (across(row), up(row.of(name))))
            .collect(),
    };
    FUNCTIONS.into_iter().map(curve).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Counts;

    fn row(orders: usize, calls: u64, read_units: f64) -> Row {
        let mut row = Row::new(orders, 1);
        let counts = Counts {
            calls,
            read_units,
            ..Counts::default()
        };
        for millis in [1, 9, 2] {
            let took = Duration::from_millis(millis);
            let name = "list-orders".to_owned();
            row.add(Visit::from([(name, Seen { took, counts })]));
        }
        row
    }

    #[test]
    fn one_slow_invocation_moves_no_time() {
        let figures = row(10, 2, 1.5).of("list-orders");
        assert!((figures.p50_ms - 2.0).abs() < 1e-9);
        assert!((figures.read_units - 1.5).abs() < 1e-9);
    }

    #[test]
    fn what_grows_is_pointed_at_and_what_does_not_is_not() {
        let same = grown(&row(10, 2, 1.5), &row(1000, 2, 1.5));
        assert_eq!(
            same,
            "Nothing takes more calls or units with 1000 orders than with 10.\n"
        );
        let more = grown(&row(10, 2, 1.5), &row(1000, 2, 3.0));
        assert_eq!(
            more,
            "list-orders takes 1.5 units with 10 orders, and 3.0 with 1000.\n"
        );
    }
}
