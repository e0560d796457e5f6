//! What an order costs on AWS, from what it takes (`costs/units.json`) and the prices (`costs/prices.json`), as the
//! table in the README.

use std::fmt::Write as _;
use std::fs;

use serde_json::Value;

use crate::console::Console;
use crate::failure::{Explain, Failure, Outcome};
use crate::layout::Layout;

/// How an order of one line goes: the name in the files, and the head of its column.
const PATHS: [(&str, &str); 4] = [
    ("confirmed", "confirmed"),
    ("declined", "card declined"),
    ("out_of_stock", "out of stock"),
    ("cancelled", "confirmed, then cancelled"),
];
/// What Step Functions charges an Express execution for at least: in steps of 64 MB, of which ours take one.
const EXPRESS_GIGABYTES: f64 = 0.0625;
/// Up to which a run of an Express execution is rounded; on average by half of it.
const EXPRESS_STEP_MILLISECONDS: f64 = 100.0;
const BEGIN: &str = "<!-- costs: made by `cargo xtask costs --write` -->";
const END: &str = "<!-- end of costs -->";

/// Prints the table, or with `write` puts it into the README.
pub(crate) fn run(layout: &Layout, console: &Console, write: bool) -> Outcome {
    let table = table(layout)?;
    if !write {
        console.line(table.trim_end());
        return Ok(());
    }
    let path = layout.root().join("README.md");
    let readme = read(layout, "README.md")?;
    let replaced = replaced(&readme, &table)?;
    fs::write(&path, replaced).explain(|| format!("Could not write {}", path.display()))
}

/// One table for each type of saga, as Markdown: dollars for a million orders, and how many of the thing one order takes.
fn table(layout: &Layout) -> Outcome<String> {
    let units = json(layout, "costs/units.json")?;
    let prices = json(layout, "costs/prices.json")?;
    let mut tables = String::new();
    for (saga, title) in [("standard", "Standard sagas"), ("express", "Express sagas")] {
        let units = units
            .get(saga)
            .ok_or_else(|| Failure::new(format!("No {saga} in costs/units.json.")))?;
        let _ = write!(tables, "\n| a million orders, {title} |");
        for (_, head) in PATHS {
            let _ = write!(tables, " {head} |");
        }
        tables.push_str("\n|---|---|---|---|---|\n");
        add_rows(&mut tables, units, &prices)?;
    }
    tables.push('\n');
    Ok(tables)
}

fn add_rows(table: &mut String, units: &Value, prices: &Value) -> Outcome {
    // As by default, and with functions on arm64.
    let mut totals = [(0.0, 0.0); PATHS.len()];
    let kinds = prices.get("prices").and_then(Value::as_object);
    let mut kinds: Vec<_> = kinds.into_iter().flatten().collect();
    // Logs come last: how long they are is up to who deploys.
    kinds.sort_by_key(|(kind, _)| *kind == "log_bytes");
    for (kind, price) in kinds {
        if kind == "log_bytes" {
            add_totals(table, "together", totals.map(|(total, _)| total));
            let on_arm64 = totals.map(|(_, on_arm64)| on_arm64);
            add_totals(table, "together, functions on arm64", on_arm64);
        }
        let what = price.get("what").and_then(Value::as_str).unwrap_or(kind);
        let dollars = number(price, "/dollars_per_million")?;
        let on_arm64 = price.pointer("/on_arm64/dollars_per_million");
        let on_arm64 = on_arm64.and_then(Value::as_f64).unwrap_or(dollars);
        let mut row = format!("| {what} |");
        let mut some = false;
        for ((name, _), (total, total_on_arm64)) in PATHS.iter().zip(&mut totals) {
            let taken = units
                .get(name)
                .ok_or_else(|| Failure::new(format!("No {name} in costs/units.json.")))?;
            let count = count(taken, kind, prices)?;
            some |= count > 0.0;
            *total += count * dollars;
            *total_on_arm64 += count * on_arm64;
            let _ = write!(row, " ${:.2} ({}) |", count * dollars, shown(count));
        }
        if some {
            let _ = writeln!(table, "{row}");
        }
    }
    add_totals(table, "with logs", totals.map(|(total, _)| total));
    Ok(())
}

fn add_totals(table: &mut String, title: &str, totals: [f64; PATHS.len()]) {
    let _ = write!(table, "| **{title}** |");
    for total in totals {
        let _ = write!(table, " **${total:.2}** |");
    }
    table.push('\n');
}

/// How many of a kind of thing one order takes: counted, or assumed for what is counted.
fn count(taken: &Value, kind: &str, prices: &Value) -> Outcome<f64> {
    let assumed = |name: &str| number(prices, &format!("/assumptions/{name}/value"));
    Ok(match kind {
        "lambda_gb_seconds" => {
            let patient = |name: &str| named(prices, "waiting_gigabytes", name);
            let waiting = working_milliseconds(taken, prices, patient)?
                + sum(taken, "gateway_calls") * assumed("milliseconds_at_the_gateway")?
                + express_milliseconds(taken, prices)?;
            let working = working_milliseconds(taken, prices, |name| !patient(name))?
                + sum(taken, "sns_publishes") * assumed("milliseconds_per_publish")?;
            (working * assumed("memory_gigabytes")? + waiting * assumed("waiting_gigabytes")?)
                / 1000.0
        }
        "express_gb_seconds" => {
            let rounded = sum(taken, "express_executions") * EXPRESS_STEP_MILLISECONDS / 2.0;
            (express_milliseconds(taken, prices)? + rounded) / 1000.0 * EXPRESS_GIGABYTES
        }
        "log_bytes" => {
            sum(taken, "lambda_requests") * assumed("log_bytes_per_invocation")?
                + sum(taken, "api_requests") * assumed("log_bytes_per_api_request")?
        }
        counted => sum(taken, counted),
    })
}

/// How long the order's functions of these names work, and wait for AWS to answer, but for the topic.
fn working_milliseconds(
    taken: &Value,
    prices: &Value,
    counts: impl Fn(&str) -> bool,
) -> Outcome<f64> {
    let of = |kind: &str| -> f64 {
        let functions = taken.get(kind).and_then(Value::as_object);
        let functions = functions.into_iter().flatten();
        let counted = functions.filter(|(name, _)| counts(name));
        counted.filter_map(|(_, count)| count.as_f64()).sum()
    };
    let work = number(prices, "/assumptions/milliseconds_of_work/value")?;
    let call = number(prices, "/assumptions/milliseconds_per_call/value")?;
    Ok(of("lambda_requests") * work + of("aws_calls") * call)
}

/// How long the order's Express sagas run: as long as their steps, and what lies between them.
fn express_milliseconds(taken: &Value, prices: &Value) -> Outcome<f64> {
    if sum(taken, "express_executions") == 0.0 {
        return Ok(0.0);
    }
    let between = "milliseconds_between_express_states";
    let steps = working_milliseconds(taken, prices, |name| named(prices, between, name))?;
    let each = number(prices, &format!("/assumptions/{between}/value"))?;
    let gateway = number(prices, "/assumptions/milliseconds_at_the_gateway/value")?;
    Ok(steps + sum(taken, "express_states") * each + sum(taken, "gateway_calls") * gateway)
}

/// Whether an assumption names this function.
fn named(prices: &Value, assumption: &str, function: &str) -> bool {
    let functions = prices.pointer(&format!("/assumptions/{assumption}/functions"));
    let functions = functions.and_then(Value::as_array);
    functions.into_iter().flatten().any(|name| name == function)
}

fn sum(taken: &Value, kind: &str) -> f64 {
    let counts = taken.get(kind).and_then(Value::as_object);
    let counts = counts.into_iter().flat_map(|counts| counts.values());
    counts.filter_map(Value::as_f64).sum()
}

fn number(json: &Value, pointer: &str) -> Outcome<f64> {
    let number = json.pointer(pointer).and_then(Value::as_f64);
    number.ok_or_else(|| Failure::new(format!("No number at {pointer} in costs/prices.json.")))
}

/// A count without decimals that say nothing.
fn shown(count: f64) -> String {
    let text = format!("{count:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn replaced(readme: &str, table: &str) -> Outcome<String> {
    let missing = || Failure::new("The README has no place for the costs.");
    let (before, rest) = readme.split_once(BEGIN).ok_or_else(missing)?;
    let (_, after) = rest.split_once(END).ok_or_else(missing)?;
    Ok(format!("{before}{BEGIN}\n{table}{END}{after}"))
}

fn json(layout: &Layout, path: &str) -> Outcome<Value> {
    serde_json::from_str(&read(layout, path)?).explain(|| format!("{path} is not JSON"))
}

fn read(layout: &Layout, path: &str) -> Outcome<String> {
    let path = layout.root().join(path);
    fs::read_to_string(&path).explain(|| format!("Could not read {}", path.display()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Layout, count, read, replaced, shown, table};

    #[test]
    fn the_readme_says_what_an_order_costs() {
        let layout = Layout::of_this_repository();
        let readme = read(&layout, "README.md").unwrap();
        let fresh = replaced(&readme, &table(&layout).unwrap()).unwrap();
        assert!(readme == fresh, "run `cargo xtask costs --write`");
    }

    #[test]
    fn time_is_assumed_by_the_invocation_and_the_call() {
        let prices = json!({"assumptions": {
            "memory_gigabytes": {"value": 0.5},
            "waiting_gigabytes": {"value": 0.25, "functions": ["charge-payment"]},
            "milliseconds_of_work": {"value": 1},
            "milliseconds_per_call": {"value": 10},
            "milliseconds_per_publish": {"value": 20},
            "milliseconds_at_the_gateway": {"value": 400},
            "milliseconds_between_express_states": {"value": 50, "functions": ["charge-payment", "confirm-order"]},
        }});
        let mut taken = json!({
            "lambda_requests": {"charge-payment": 1, "confirm-order": 1, "relay-events": 4},
            "aws_calls": {"charge-payment": 3, "confirm-order": 1},
            "sns_publishes": {"order.placed": 1},
            "gateway_calls": {"payment-gateway": 2},
        });
        let (charge, confirm, relay) = (0.831, 0.011, 0.024);
        let working = 0.5 * (confirm + relay);
        let seconds = count(&taken, "lambda_gb_seconds", &prices).unwrap();
        assert!(
            (seconds - working - 0.25 * charge).abs() < 1e-9,
            "{seconds}"
        );
        assert!(count(&taken, "express_gb_seconds", &prices).unwrap().abs() < 1e-9);

        taken["express_executions"] = json!({"order-saga": 1});
        taken["express_states"] = json!({"ChargePayment": 1, "ConfirmOrder": 1});
        // The two steps and what lies between, for which the starter waits.
        let saga = charge + confirm + 0.1;
        let seconds = count(&taken, "lambda_gb_seconds", &prices).unwrap();
        assert!(
            (seconds - working - 0.25 * (charge + saga)).abs() < 1e-9,
            "{seconds}"
        );
        let seconds = count(&taken, "express_gb_seconds", &prices).unwrap();
        assert!((seconds - 0.0625 * (saga + 0.05)).abs() < 1e-9, "{seconds}");
    }

    #[test]
    fn counts_are_shown_without_empty_decimals() {
        assert_eq!(
            [4.0, 10.0, 0.5, 0.296].map(shown),
            ["4", "10", "0.5", "0.296"]
        );
    }
}
