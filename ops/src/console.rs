//! What the person at the terminal sees: lines, tables, colour where it helps, or JSON in place of all that.
//! Knows nothing of what is told.

use std::io::{self, IsTerminal as _, Write as _};

use oxcart_operating::{Explain as _, Outcome};
use serde::Serialize;

/// How a piece of text is set off from the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// As all the rest.
    Plain,
    /// A heading.
    Strong,
    /// Of minor interest.
    Quiet,
    /// As it should be.
    Good,
    /// Worth a look.
    Odd,
    /// Not as it should be.
    Bad,
}

/// Where a report goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Console {
    colour: bool,
    json: bool,
}

impl Console {
    /// The console of this process. Colour goes to a terminal only, and to none that is to be `plain`.
    pub(crate) fn new(json: bool, plain: bool) -> Self {
        Self {
            colour: io::stdout().is_terminal() && !plain,
            json,
        }
    }

    /// Shows a report: as JSON, or in the lines that `tell` prints.
    pub(crate) fn report<T: Serialize>(self, report: &T, tell: impl FnOnce(Self, &T)) -> Outcome {
        if self.json {
            let text = serde_json::to_string_pretty(report)
                .explain(|| "The report can't be written as JSON".to_owned())?;
            line(&text);
        } else {
            tell(self, report);
        }
        Ok(())
    }

    /// Prints a table.
    pub(crate) fn table(self, table: &Table) {
        for text in table.lines(self) {
            line(&text);
        }
    }

    /// Sets `text` off from the rest, where colour is shown.
    pub(crate) fn paint(self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Plain => return text.to_owned(),
            Tone::Strong => "1",
            Tone::Quiet => "2",
            Tone::Good => "32",
            Tone::Odd => "33",
            Tone::Bad => "31",
        };
        if self.colour {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

/// Prints one line. Nobody is told if nobody reads it any more, as behind a pipe into `head`.
pub(crate) fn line(text: &str) {
    let _ = writeln!(io::stdout().lock(), "{}", text.trim_end());
}

/// Says something beside the report.
pub(crate) fn remark(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// A piece of a table.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    /// A piece that is set off like this.
    pub(crate) fn toned(tone: Tone, text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            tone,
        }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::toned(Tone::Plain, text)
    }
}

/// Which side the pieces of a column stand on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// As words do.
    Left,
    /// As numbers do.
    Right,
}

/// Rows whose pieces stand below each other.
#[derive(Debug)]
pub(crate) struct Table {
    columns: Vec<(&'static str, Side)>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table with these columns and no rows yet.
    pub(crate) fn new(columns: &[(&'static str, Side)]) -> Self {
        Self {
            columns: columns.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    fn lines(&self, console: Console) -> Vec<String> {
        let names = self.columns.iter().map(|(title, _)| *title);
        let has_head = self.columns.iter().any(|(title, _)| !title.is_empty());
        let head: Vec<Cell> = names.map(|title| Cell::toned(Tone::Quiet, title)).collect();
        let rows: Vec<&Vec<Cell>> = has_head
            .then_some(&head)
            .into_iter()
            .chain(&self.rows)
            .collect();
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|column| {
                let cells = rows.iter().filter_map(|row| row.get(column));
                cells
                    .map(|cell| cell.text.chars().count())
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        let line = |row: &Vec<Cell>| {
            let cells = row.iter().zip(&self.columns).zip(&widths);
            let cells = cells.map(|((cell, (_, side)), width)| {
                let painted = console.paint(cell.tone, &cell.text);
                // Counted without the colour, which takes no room.
                let gap = " ".repeat(width.saturating_sub(cell.text.chars().count()));
                match side {
                    Side::Left => painted + &gap,
                    Side::Right => gap + &painted,
                }
            });
            format!("  {}", cells.collect::<Vec<_>>().join("  "))
        };
        rows.into_iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Console = Console {
        colour: false,
        json: false,
    };

    #[test]
    fn the_pieces_of_a_table_stand_below_each_other() {
        let mut table = Table::new(&[("queue", Side::Left), ("messages", Side::Right)]);
        table.row(["refunds-dlq".into(), "12".into()]);
        table.row(["geparkt für später".into(), Cell::toned(Tone::Bad, "7")]);
        assert_eq!(
            table.lines(PLAIN),
            [
                "  queue               messages",
                "  refunds-dlq               12",
                "  geparkt für später         7",
            ]
        );
    }

    #[test]
    fn colour_takes_no_room() {
        let coloured = Console {
            colour: true,
            ..PLAIN
        };
        let mut table = Table::new(&[("", Side::Right), ("", Side::Left)]);
        table.row([Cell::toned(Tone::Bad, "7"), "a".into()]);
        table.row(["10".into(), "b".into()]);
        assert_eq!(
            table.lines(coloured),
            ["   \u{1b}[31m7\u{1b}[0m  a", "  10  b"]
        );
    }
}
