//! Pictures of how figures change with something, as SVG: panels of curves, with one legend for all.

use std::fmt::Write as _;

use crate::{chart::escaped, figures::precise};

/// One diagram of a picture.
pub(crate) struct Panel {
    /// What is said above it.
    pub(crate) title: &'static str,
    /// What the figures change with: more than zero, and drawn so that doubling it is always the same distance.
    pub(crate) across: &'static str,
    /// What is drawn, and in what.
    pub(crate) up: &'static str,
    /// The curves.
    pub(crate) curves: Vec<Curve>,
}

/// How one figure changes.
pub(crate) struct Curve {
    /// Whose figure it is: the same in all panels of a picture, and in their legend.
    pub(crate) name: String,
    /// Where, and how much there.
    pub(crate) points: Vec<(f64, f64)>,
}

const WIDTH: f64 = 860.0;
const MARGIN: f64 = 16.0;
const GAP: f64 = 28.0;
const COLUMNS: usize = 2;
/// What the names of the ticks and of the axes take of a panel.
const LEFT: f64 = 62.0;
const BELOW: f64 = 46.0;
const ABOVE: f64 = 30.0;
const PLOT: f64 = 190.0;
const PANEL: f64 = ABOVE + PLOT + BELOW;
const LEGEND: f64 = 24.0;
/// How many lines a panel has across, at most, and how many of the legend's names fit beside each other.
const TICKS: f64 = 5.0;
const NAMES: usize = 5;

/// As many as there are classes in [`STYLE`].
const COLOURS: usize = 8;

/// Colours that are told apart by those who see fewer, too, and can be read on the light and on the dark ground.
const STYLE: &str = "\
    text { font: 12px system-ui, sans-serif; fill: #1f2328 } .ground { fill: #f6f8fa } .plot { fill: #ffffff } \
    .title { font-weight: 600; font-size: 13px } .note, .tick { fill: #59636e; font-size: 11px } \
    .grid { stroke: #d8dee4; stroke-width: 1 } .curve { fill: none; stroke-width: 2 } \
    .s0 { stroke: #b7410e } .s1 { stroke: #0969da } .s2 { stroke: #1a7f37 } .s3 { stroke: #8250df } \
    .s4 { stroke: #9a6700 } .s5 { stroke: #0a7ea4 } .s6 { stroke: #bf3989 } .s7 { stroke: #57606a } \
    .f0 { fill: #b7410e } .f1 { fill: #0969da } .f2 { fill: #1a7f37 } .f3 { fill: #8250df } \
    .f4 { fill: #9a6700 } .f5 { fill: #0a7ea4 } .f6 { fill: #bf3989 } .f7 { fill: #57606a } \
    @media (prefers-color-scheme: dark) { text { fill: #f0f6fc } .ground { fill: #161b22 } .plot { fill: #0d1117 } \
    .note, .tick { fill: #9198a1 } .grid { stroke: #30363d } .curve { stroke-opacity: .9 } \
    .s0 { stroke: #f0883e } .s1 { stroke: #58a6ff } .s2 { stroke: #3fb950 } .s3 { stroke: #bc8cff } \
    .s4 { stroke: #d29922 } .s5 { stroke: #39c5cf } .s6 { stroke: #f778ba } .s7 { stroke: #8b949e } \
    .f0 { fill: #f0883e } .f1 { fill: #58a6ff } .f2 { fill: #3fb950 } .f3 { fill: #bc8cff } \
    .f4 { fill: #d29922 } .f5 { fill: #39c5cf } .f6 { fill: #f778ba } .f7 { fill: #8b949e } }";

/// Draws the panels, with their names and what is to be known of all of them.
pub(crate) fn draw(title: &str, panels: &[Panel], notes: &[&str]) -> String {
    let names = names(panels);
    let mut drawn = String::new();
    let mut top = MARGIN + legend(&mut drawn, &names);
    let width = (WIDTH - 2.0 * MARGIN - GAP) / 2.0;
    for row in panels.chunks(COLUMNS) {
        let mut left = MARGIN;
        for panel in row {
            drawn.push_str(&panel_at(panel, &names, left, top, width));
            left += width + GAP;
        }
        top += PANEL + 12.0;
    }
    for note in notes {
        let note = escaped(note);
        let _ = write!(
            drawn,
            r#"<text class="note" x="{MARGIN}" y="{top:.0}">{note}</text>"#
        );
        top += 16.0;
    }
    let (height, title) = (top + MARGIN / 2.0, escaped(title));
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0}" role="img"><title>{title}</title><style>{STYLE}</style><rect class="ground" width="{WIDTH}" height="{height:.0}" rx="6"/>{drawn}</svg>
"#
    )
}

/// The names of all curves, each once, in the order in which they come.
fn names(panels: &[Panel]) -> Vec<&str> {
    let mut names = Vec::new();
    for curve in panels.iter().flat_map(|panel| &panel.curves) {
        if !names.contains(&curve.name.as_str()) {
            names.push(&curve.name);
        }
    }
    names
}

/// Answers how much of the height it takes.
fn legend(drawn: &mut String, names: &[&str]) -> f64 {
    let mut top = MARGIN;
    let step = (WIDTH - 2.0 * MARGIN) / precise(NAMES);
    for (row, names) in names.chunks(NAMES).enumerate() {
        let mut left = MARGIN;
        for (place, name) in names.iter().enumerate() {
            let colour = (row * NAMES + place) % COLOURS;
            let (end, text, name) = (left + 20.0, left + 27.0, escaped(name));
            let _ = write!(
                drawn,
                r#"<line class="curve s{colour}" x1="{left:.0}" y1="{:.0}" x2="{end:.0}" y2="{:.0}"/><text x="{text:.0}" y="{:.0}">{name}</text>"#,
                top + 8.0,
                top + 8.0,
                top + 12.0,
            );
            left += step;
        }
        top += LEGEND;
    }
    top - MARGIN
}

fn panel_at(panel: &Panel, names: &[&str], left: f64, top: f64, width: f64) -> String {
    let points = || panel.curves.iter().flat_map(|curve| &curve.points);
    let mut places: Vec<f64> = points().map(|(across, _)| *across).collect();
    places.sort_by(f64::total_cmp);
    places.dedup();
    let (first, last) = (
        places.first().copied().unwrap_or(1.0),
        places.last().copied().unwrap_or(1.0),
    );
    let most = points().map(|(_, up)| *up).fold(0.0, f64::max);
    let step = tick(most);
    let ceiling = (most / step).ceil().max(1.0) * step;

    let (plot_left, plot_top) = (left + LEFT, top + ABOVE);
    let (plot_width, plot_bottom) = (width - LEFT, plot_top + PLOT);
    let inset = 14.0;
    let x = |across: f64| {
        let share = (across / first).ln() / (last / first).ln().max(f64::MIN_POSITIVE);
        plot_left + inset + share * (plot_width - 2.0 * inset)
    };
    let y = |up: f64| plot_bottom - up / ceiling * PLOT;

    let mut drawn = format!(
        r#"<text class="title" x="{left:.0}" y="{:.0}">{}</text><rect class="plot" x="{plot_left:.1}" y="{plot_top:.1}" width="{plot_width:.1}" height="{PLOT}"/>"#,
        top + 16.0,
        escaped(panel.title),
    );
    let mut up = 0.0;
    while up <= ceiling + step / 2.0 {
        let at = y(up);
        let _ = write!(
            drawn,
            r#"<line class="grid" x1="{plot_left:.1}" y1="{at:.1}" x2="{:.1}" y2="{at:.1}"/><text class="tick" text-anchor="end" x="{:.1}" y="{:.1}">{}</text>"#,
            plot_left + plot_width,
            plot_left - 6.0,
            at + 4.0,
            figure(up),
        );
        up += step;
    }
    for across in places {
        let _ = write!(
            drawn,
            r#"<text class="tick" text-anchor="middle" x="{:.1}" y="{:.1}">{}</text>"#,
            x(across),
            plot_bottom + 16.0,
            figure(across),
        );
    }
    let _ = write!(
        drawn,
        r#"<text class="note" text-anchor="middle" x="{:.1}" y="{:.1}">{}</text><text class="note" text-anchor="middle" transform="translate({:.1} {:.1}) rotate(-90)">{}</text>"#,
        plot_left + plot_width / 2.0,
        plot_bottom + 34.0,
        escaped(panel.across),
        left + 11.0,
        plot_top + PLOT / 2.0,
        escaped(panel.up),
    );
    for curve in &panel.curves {
        let place = names.iter().position(|name| *name == curve.name);
        let colour = place.unwrap_or_default() % COLOURS;
        let at: Vec<_> = curve
            .points
            .iter()
            .map(|(across, up)| (x(*across), y(*up)))
            .collect();
        let path = at.iter().fold(String::new(), |mut path, (x, y)| {
            let _ = write!(path, "{x:.1},{y:.1} ");
            path
        });
        let _ = write!(
            drawn,
            r#"<polyline class="curve s{colour}" points="{}"/>"#,
            path.trim_end()
        );
        for (x, y) in at {
            let _ = write!(
                drawn,
                r#"<circle class="f{colour}" cx="{x:.1}" cy="{y:.1}" r="2.5"/>"#
            );
        }
    }
    drawn
}

/// How far apart the lines are drawn: 1, 2 or 5 times a power of ten, so that there are few.
fn tick(most: f64) -> f64 {
    let rough = (most / TICKS).max(f64::MIN_POSITIVE);
    let power = 10_f64.powf(rough.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|times| times * power);
    let enough = |step: &&f64| most <= **step * TICKS;
    steps.iter().find(enough).copied().unwrap_or(1.0)
}

/// A number with commas between thousands, and no more decimals than it needs.
fn figure(number: f64) -> String {
    let text = format!("{number:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut grouped = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn panel(names: &[&str]) -> Panel {
        let curve = |name: &&str| Curve {
            name: (*name).to_owned(),
            points: vec![(1.0, 5.0), (4.0, 40.0)],
        };
        Panel {
            title: "Orders <a second>",
            across: "buyers",
            up: "orders/s",
            curves: names.iter().map(curve).collect(),
        }
    }

    #[test]
    fn a_curve_has_the_same_colour_in_every_panel() {
        let svg = draw("Title", &[panel(&["1", "2"]), panel(&["2"])], &["a & b"]);
        // In the legend once, and in each panel that has it.
        assert_eq!(svg.matches(r#""curve s0""#).count(), 1 + 1);
        assert_eq!(svg.matches(r#""curve s1""#).count(), 1 + 2);
        assert!(svg.contains("Orders &lt;a second&gt;") && svg.contains("a &amp; b"));
    }

    #[test]
    fn a_curve_rises_to_the_right_within_its_panel() {
        let svg = draw("Title", &[panel(&["1"])], &[]);
        let (_, rest) = svg.split_once(r#"points=""#).unwrap();
        let (path, _) = rest.split_once('"').unwrap();
        let numbers = path.split([' ', ',']).map(|number| number.parse().unwrap());
        let [x1, y1, x2, y2] = numbers.collect::<Vec<f64>>()[..] else {
            panic!("two points: {path}");
        };
        assert!(MARGIN < x1 && x1 < x2 && x2 < WIDTH / 2.0);
        assert!(MARGIN < y2 && y2 < y1);
    }

    #[test]
    fn nothing_at_all_and_one_point_are_drawn_too() {
        for points in [vec![], vec![(1.0, 0.0)]] {
            let name = "none".to_owned();
            let mut panel = panel(&[]);
            panel.curves.push(Curve { name, points });
            let svg = draw("Title", &[panel], &[]);
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        }
    }

    #[test]
    fn lines_are_drawn_at_round_figures() {
        for (most, step) in [
            (5.0, 1.0),
            (5.1, 2.0),
            (0.3, 0.1),
            (740.0, 200.0),
            (99.0, 20.0),
        ] {
            let found = tick(most);
            assert!((found / step - 1.0).abs() < 1e-9, "{most}: {found}");
        }
    }

    #[test]
    fn large_figures_are_grouped_and_small_ones_are_exact() {
        let figures = [0.0, 0.25, 12.5, 1000.0, 100_000.0, 1_234_567.0].map(figure);
        let expected = ["0", "0.25", "12.5", "1,000", "100,000", "1,234,567"];
        assert_eq!(figures, expected);
    }
}
