//! The metrics that functions record, and the table that lists them.

use std::collections::{BTreeMap, BTreeSet};

use oxcart_tests::workspace;

const TABLE: &str = "docs/metrics.md";

/// What is said of a metric: its unit, and the dimensions that its values are told apart by.
type Said = (String, BTreeSet<String>);

#[test]
fn every_metric_that_is_recorded_is_in_the_table_and_the_reverse() {
    let recorded = recorded();
    assert!(!recorded.is_empty());
    assert_eq!(recorded, listed());
}

#[test]
fn what_every_metric_means_is_told_for_each_value_of_its_dimension() {
    let text = workspace::text(TABLE);
    for (name, (_, dimensions)) in listed() {
        for dimension in dimensions {
            let told = text.contains(&format!("\n- `{dimension}`: "));
            assert!(told, "{name}: nothing is said of {dimension}");
        }
    }
}

/// The metrics that the code records. One that is recorded at several places is the same at all of them.
fn recorded() -> BTreeMap<String, Said> {
    let mut found = BTreeMap::new();
    for folder in ["functions", "shared"] {
        for file in workspace::files_below(folder, "rs") {
            let source = workspace::text(&file);
            let code: Vec<&str> = source
                .split("#[cfg(test)]")
                .next()
                .unwrap()
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"))
                .collect();
            for (name, said) in recorded_in(&code.join("\n")) {
                let before = found.insert(name.clone(), said.clone());
                let same = before.is_none_or(|before| before == said);
                assert!(same, "{}: {name} is another one elsewhere", file.display());
            }
        }
    }
    found
}

/// The metrics of a source: a name in quotes right after the call that makes one, and all up to its record.
fn recorded_in(code: &str) -> Vec<(String, Said)> {
    let calls = ["count(", "metric("].into_iter().flat_map(|call| {
        let arguments = code.split(call).skip(1);
        arguments.filter_map(move |rest| Some((call, rest.trim_start().strip_prefix('"')?)))
    });
    calls
        .map(|(call, rest)| {
            let (name, rest) = rest.split_once('"').unwrap();
            let (made, _) = rest
                .split_once(".record()")
                .unwrap_or_else(|| panic!("{name} is made and not recorded"));
            let unit = if call == "count(" {
                "Count"
            } else {
                let (_, unit) = made.split_once("Unit::").expect("a unit");
                let end = |letter: char| !letter.is_alphanumeric();
                unit.split(end).next().unwrap()
            };
            let dimensions = made.split(".by(").skip(1).map(|rest| {
                let name = rest.trim_start().strip_prefix('"');
                let name = name.expect("a dimension has its name there");
                name.split('"').next().unwrap().to_owned()
            });
            (name.to_owned(), (unit.to_owned(), dimensions.collect()))
        })
        .collect()
}

/// The rows of the table.
fn listed() -> BTreeMap<String, Said> {
    let text = workspace::text(TABLE);
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    let rows: Vec<(String, Said)> = rows
        .map(|row| {
            let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
            let [name, unit, dimensions, by, meaning] = cells[..] else {
                panic!("{TABLE}: {row}");
            };
            assert!(!by.is_empty() && !meaning.is_empty(), "{TABLE}: {row}");
            let dimensions = dimensions.split('`').skip(1).step_by(2);
            let dimensions = dimensions.map(ToOwned::to_owned).collect();
            (
                name.trim_matches('`').to_owned(),
                (unit.to_owned(), dimensions),
            )
        })
        .collect();
    let listed: BTreeMap<_, _> = rows.iter().cloned().collect();
    assert_eq!(listed.len(), rows.len(), "{TABLE}: one is listed twice");
    listed
}
