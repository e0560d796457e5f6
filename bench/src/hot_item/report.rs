//! What was found, as JSON, as a table and as a picture.

use std::{fmt::Write as _, time::Duration};

use serde::Serialize;

use super::{
    Sale,
    buyer::{End, Order},
};
use crate::{
    curves::{self, Curve, Panel},
    figures::{percentile, precise},
};

/// Everything that was found.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// The day, as `2026-01-02`.
    pub(super) date: String,
    /// How many CPUs the machine has, which buyers and store share.
    pub(super) cpus: usize,
    /// How long each sale lasted.
    pub(super) seconds: u64,
    /// The sales that ended with time.
    pub(super) rows: Vec<Row>,
    /// Those that ended with stock.
    pub(super) sold_out: Vec<SoldOut>,
}

/// What was found of so many shards and buyers.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    shards: u32,
    buyers: usize,
    #[serde(flatten)]
    figures: Figures,
    /// Orders that were waiting for their next try at the end.
    waiting: usize,
}

/// What was found when everything was sold.
#[derive(Debug, Serialize)]
pub(super) struct SoldOut {
    shards: u32,
    buyers: usize,
    /// Units put in, and sold.
    units: u64,
    seconds: f64,
    #[serde(flatten)]
    figures: Figures,
}

#[derive(Debug, Serialize)]
struct Figures {
    orders_per_second: f64,
    conflicts_per_order: f64,
    /// Of an order from its first try to its end; of one that was waiting at the end, as long as it had.
    p50_ms: f64,
    p99_ms: f64,
    write_units_per_order: f64,
    read_units_per_order: f64,
    /// Orders that the state machine would have given up.
    given_up: usize,
}

impl Figures {
    fn of(sale: &Sale, duration: Duration) -> Self {
        let count = |is: &dyn Fn(&Order) -> bool| {
            let orders = sale.orders.iter().filter(|order| is(order));
            orders.count()
        };
        let in_time = count(&|order| order.end == End::Reserved && order.is_in_time);
        let reserved = precise(count(&|order| order.end == End::Reserved)).max(1.0);
        // To be told that nothing is left is another matter.
        let wanting = sale.orders.iter();
        let wanting = wanting.filter(|order| order.end != End::OutOfStock);
        let times: Vec<Duration> = wanting.map(|order| order.took).collect();
        let ms = |share| percentile(&times, share).as_secs_f64() * 1e3;
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
        let conflicts = sale.counts.conflicts as f64;
        Self {
            orders_per_second: precise(in_time) / duration.as_secs_f64(),
            conflicts_per_order: conflicts / reserved,
            p50_ms: ms(0.5),
            p99_ms: ms(0.99),
            write_units_per_order: sale.counts.write_units / reserved,
            read_units_per_order: sale.counts.read_units / reserved,
            given_up: count(&|order| order.end == End::GivenUp),
        }
    }

    fn cells(&self) -> String {
        format!(
            "{:>10.1}{:>13.2}{:>9.0}{:>9.0}{:>10.1}{:>10.1}",
            self.orders_per_second,
            self.conflicts_per_order,
            self.p50_ms,
            self.p99_ms,
            self.write_units_per_order,
            self.read_units_per_order,
        )
    }
}

/// The headings of [`Figures::cells`].
const HEADINGS: &str = "  orders/s  conflicts/o   p50 ms   p99 ms  writes/o   reads/o";

impl Row {
    pub(super) fn of(shards: u32, buyers: usize, duration: Duration, sale: &Sale) -> Self {
        let waiting = sale.orders.iter();
        let waiting = waiting.filter(|order| order.end == End::Waiting);
        Self {
            shards,
            buyers,
            figures: Figures::of(sale, duration),
            waiting: waiting.count(),
        }
    }
}

impl SoldOut {
    pub(super) fn of(shards: u32, buyers: usize, sale: &Sale) -> Self {
        Self {
            shards,
            buyers,
            units: sale.held,
            seconds: sale.took.as_secs_f64(),
            figures: Figures::of(sale, sale.took),
        }
    }
}

impl Report {
    /// What a person reads.
    pub(super) fn table(&self) -> String {
        let mut text = format!("\nshards buyers{HEADINGS}  waiting  given up");
        for row in &self.rows {
            let cells = row.figures.cells();
            let (waiting, given_up) = (row.waiting, row.figures.given_up);
            let _ = write!(
                text,
                "\n{:>6}{:>7}{cells}{waiting:>9}{given_up:>10}",
                row.shards, row.buyers
            );
        }
        let _ = write!(
            text,
            "\n\nEach for {} s, after which every unit was sold once or left. /o: per order that got its unit; writes and \
             reads are billed units. Waiting: for their next try at the end, with the time that they had waited.\n\n\
             To the last unit:\nshards buyers{HEADINGS}   units        s  given up",
            self.seconds
        );
        for row in &self.sold_out {
            let cells = row.figures.cells();
            let (seconds, given_up) = (row.seconds, row.figures.given_up);
            let _ = write!(
                text,
                "\n{:>6}{:>7}{cells}{:>8}{seconds:>9.1}{given_up:>10}",
                row.shards, row.buyers, row.units
            );
        }
        text.push_str("\n\nNobody was told that there is none while a unit was left, and as many were sold as were put in.\n");
        text
    }

    /// The figures by the number of buyers, a curve for each number of shards.
    pub(super) fn picture(&self) -> String {
        let panel = |title, up, figure: fn(&Figures) -> f64| Panel {
            title,
            across: "buyers at a time",
            up,
            curves: self.curves(figure),
        };
        let panels = [
            panel("Orders of one product a second", "orders/s", |figures| {
                figures.orders_per_second
            }),
            panel("Slowest of 100 reservations", "p99, s", |figures| {
                figures.p99_ms / 1e3
            }),
            panel("Conflicts", "per order", |figures| {
                figures.conflicts_per_order
            }),
            panel("Writes that are billed", "units per order", |figures| {
                figures.write_units_per_order
            }),
        ];
        let seconds = self.seconds;
        let how = format!(
            "{}. Each point: {seconds} s against a stand-in for DynamoDB (reads 3 ms, writes 4 ms, transactions 10 ms), \
             tried again as the saga does.",
            self.date
        );
        let where_from = format!(
            "Buyers and stand-in share {} CPUs; every unit was sold once or left.",
            self.cpus
        );
        curves::draw(
            "One product that everybody wants",
            &panels,
            &[&how, &where_from],
        )
    }

    fn curves(&self, figure: fn(&Figures) -> f64) -> Vec<Curve> {
        let mut curves: Vec<Curve> = Vec::new();
        for row in &self.rows {
            let name = match row.shards {
                1 => "1 shard".to_owned(),
                shards => format!("{shards} shards"),
            };
            let point = (precise(row.buyers), figure(&row.figures));
            match curves.iter_mut().find(|curve| curve.name == name) {
                Some(curve) => curve.points.push(point),
                None => curves.push(Curve {
                    name,
                    points: vec![point],
                }),
            }
        }
        curves
    }
}
