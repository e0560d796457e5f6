//! The picture for the README: one of our functions beside the bare one and the other languages, as SVG.

use std::fmt::Write as _;

use crate::report::{Report, Row};

/// What is drawn: the figure's name, what is said above it, its factor and how many decimals are worth showing.
const PANELS: [(&str, &str, f64, usize); 5] = [
    ("zip_mb", "Package, MB", 1.0, 1),
    ("init_ms", "Init, ms", 1.0, 0),
    (
        "throttled_first_ms",
        "First invocation with 256 MB, ms",
        1.0,
        1,
    ),
    (
        "warm_p50_us",
        "Warm invocation, half are faster, ms",
        1e-3,
        2,
    ),
    ("memory_mb", "Peak memory, MB", 1.0, 1),
];

const WIDTH: f64 = 760.0;
const LABELS: f64 = 150.0;
const VALUES: f64 = 70.0;
const LINE: f64 = 20.0;
const BAR: f64 = 12.0;
const TITLE: f64 = 30.0;
const MARGIN: f64 = 12.0;

/// Colours that can be read on a light and on a dark page.
const STYLE: &str = "\
    text { font: 13px system-ui, sans-serif; fill: #1f2328 } \
    .title { font-weight: 600 } .note { fill: #59636e; font-size: 11px } \
    .ours { fill: #b7410e } .other { fill: #8c959f } \
    @media (prefers-color-scheme: dark) { \
    text { fill: #f0f6fc } .note { fill: #9198a1 } .ours { fill: #f0883e } .other { fill: #656c76 } }";

/// Draws the rows of `report` whose names are in `names`, those in `ours` set off.
pub(crate) fn draw(report: &Report, names: &[&str], ours: &str) -> String {
    let row_of = |name: &&str| report.programs.iter().find(|row| row.name == *name);
    let rows: Vec<&Row> = names.iter().filter_map(row_of).collect();
    let mut drawn = String::new();
    let mut top = MARGIN;
    for (figure, title, factor, decimals) in PANELS {
        let value = |row: &Row| row.figures.named().get(figure).map(|value| value * factor);
        let most = rows.iter().filter_map(|row| value(row)).fold(0.0, f64::max);
        if most <= 0.0 {
            continue;
        }
        let _ = write!(
            drawn,
            r#"<text class="title" x="{MARGIN}" y="{}">{}</text>"#,
            top + 14.0,
            escaped(title)
        );
        top += TITLE;
        for row in &rows {
            let Some(value) = value(row) else {
                continue;
            };
            let length = ((WIDTH - LABELS - VALUES - 2.0 * MARGIN) * value / most).max(1.0);
            let class = if row.name == ours { "ours" } else { "other" };
            let (bar, base) = (MARGIN + LABELS, top + BAR - 1.5);
            let _ = write!(
                drawn,
                r#"<text x="{MARGIN}" y="{base}">{}</text><rect class="{class}" x="{bar}" y="{top}" width="{length:.1}" height="{BAR}" rx="2"/><text x="{:.1}" y="{base}">{value:.decimals$}</text>"#,
                escaped(&row.name),
                bar + length + 6.0,
            );
            top += LINE;
        }
        top += MARGIN;
    }
    let note = format!(
        "{}, {} build, {} rounds, a stand-in for DynamoDB on the same machine with {} CPUs. Less is better.",
        report.date, report.profile, report.rounds, report.cpus
    );
    let _ = write!(
        drawn,
        r#"<text class="note" x="{MARGIN}" y="{}">{}</text>"#,
        top + 6.0,
        escaped(&note)
    );
    let height = top + 2.0 * MARGIN;
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img"><title>Cold and warm, beside others</title><style>{STYLE}</style>{drawn}</svg>
"#
    )
}

/// Text as it may stand in a picture.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        bars::Verdicts,
        figures::{Figures, Ratios},
    };

    fn report() -> Report {
        let row = |name: &str, first: Option<f64>| Row {
            name: name.to_owned(),

            calls: Vec::new(),
            figures: Figures {
                zip_mb: 2.0,
                init_ms: 5.0,
                throttled_first_ms: first,
                ..Figures::default()
            },
            ratios: Ratios::new(),
            bars: Verdicts::new(),
        };
        Report {
            date: "2026-01-02".to_owned(),
            profile: "release".to_owned(),
            rounds: 3,
            cpus: 2,
            not_throttled: None,
            programs: vec![
                row("a < b & c", Some(1.5)),
                row("ours", None),
                row("left out", None),
            ],
            worse: Vec::new(),
        }
    }

    /// The names of the elements in the order in which they end, if each that begins also ends, inside of its parent.
    fn elements(svg: &str) -> Option<Vec<String>> {
        let (mut open, mut ended) = (Vec::new(), Vec::new());
        for tag in svg.split('<').skip(1) {
            let (tag, text) = tag.split_once('>')?;
            let name = tag
                .trim_start_matches('/')
                .split([' ', '/'])
                .next()?
                .to_owned();
            if text.contains('>') || tag.matches('"').count() % 2 != 0 {
                return None;
            }
            let entities = text.matches('&').count();
            let known = ["&amp;", "&lt;", "&gt;"].map(|entity| text.matches(entity).count());
            if entities != known.iter().sum::<usize>() {
                return None;
            }
            if tag.starts_with('/') {
                if open.pop()? != name {
                    return None;
                }
                ended.push(name);
            } else if tag.ends_with('/') {
                ended.push(name);
            } else {
                open.push(name);
            }
        }
        open.is_empty().then_some(ended)
    }

    #[test]
    fn the_picture_is_well_formed_whatever_the_programs_are_called() {
        let svg = draw(&report(), &["a < b & c", "ours"], "ours");
        let elements = elements(&svg).expect(&svg);
        assert_eq!(elements.last().map(String::as_str), Some("svg"));
        // Two panels of two bars, and one bar of what only one of them has.
        assert_eq!(elements.iter().filter(|name| *name == "rect").count(), 5);
        assert!(
            elements_are_found_wanting("<svg><g></svg>")
                && elements_are_found_wanting("<svg>a & b</svg>")
        );
    }

    fn elements_are_found_wanting(svg: &str) -> bool {
        elements(svg).is_none()
    }

    #[test]
    fn only_the_named_are_drawn_and_ours_are_set_off() {
        let svg = draw(&report(), &["a < b & c", "ours"], "ours");
        assert!(!svg.contains("left out"));
        assert_eq!(svg.matches(r#"class="ours""#).count(), 2);
        assert!(svg.contains("prefers-color-scheme: dark"));
    }
}
