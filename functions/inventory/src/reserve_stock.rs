//! Saga step: takes the units of an order out of stock, all or none.

use std::collections::BTreeMap;

use oxcart_domain::{
    Sku,
    order::TimelineEntry,
    reservation::{Reservation, ReservationRefused, StockLevel},
    saga::{ReserveStock, StockReserved},
    stock::{Shard, Source, Stock},
};
use oxcart_lambda::{TaskError, clock};
use oxcart_table::{TableError, Transacted, pause};
use oxcart_telemetry::{conflict, count};

use crate::table::{Inventory, Reserved};

/// How often stock is read and taken anew when others take from it between the two.
const TRIES: usize = 4;

/// Why the units were not reserved.
#[derive(Debug, thiserror::Error)]
pub enum ReserveError {
    /// The order can't have them.
    #[error(transparent)]
    Refused(#[from] ReservationRefused),
    /// The order's units were released before: too late.
    #[error("the reservation was released")]
    Closed,
    /// Others were taking from the same products at every try.
    #[error("the stock is contended")]
    Contended,
    /// The table failed.
    #[error(transparent)]
    Table(#[from] TableError),
}

impl TaskError for ReserveError {
    fn error_type(&self) -> &'static str {
        match self {
            Self::Refused(ReservationRefused::OutOfStock(_)) => "OutOfStock",
            Self::Refused(ReservationRefused::UnknownProduct(_)) => "UnknownProduct",
            Self::Refused(ReservationRefused::PriceChanged { .. }) => "PriceChanged",
            Self::Refused(ReservationRefused::MixedCurrencies) => "MixedCurrencies",
            Self::Refused(ReservationRefused::TooLarge) => "Internal",
            Self::Closed => "ReservationClosed",
            Self::Contended => "StockContention",
            Self::Table(error) => error.error_type(),
        }
    }

    fn is_answer(&self) -> bool {
        match self {
            Self::Refused(_) | Self::Closed => true,
            Self::Contended | Self::Table(_) => false,
        }
    }
}

/// Reserves the order's units at today's prices. Again → the same answer. After a release → refused.
///
/// # Errors
/// See [`ReserveError`].
pub async fn handle(
    inventory: &Inventory,
    order: ReserveStock,
) -> Result<StockReserved, ReserveError> {
    let mut was_short = false;
    for tried in 0..TRIES {
        let (earlier, mut stock) = inventory
            .reservation_and_stock(order.order_id, &order.lines)
            .await?;
        if let Some(reserved) = earlier {
            return answer(reserved);
        }
        // Nearly always the shard that is tried first has enough, and nobody needs to look.
        if was_short {
            inventory.count(&mut stock).await?;
        }
        let reservation = match price(&order, &stock) {
            Ok(reservation) => reservation,
            Err(ReservationRefused::OutOfStock(sku)) => {
                match sure_of_shortage(inventory, &order, &stock, sku).await? {
                    Some(held) => return Ok(held),
                    None => continue,
                }
            }
            Err(refused) => return Err(refused.into()),
        };
        let Some(shards) = sources(inventory, &reservation, &stock, tried).await? else {
            continue;
        };
        let event = reservation.reserved(clock::now());
        let timeline = vec![TimelineEntry::from(&event)];
        match inventory.hold(&reservation, &shards, event).await? {
            Transacted::Done => {
                return Ok(StockReserved {
                    lines: reservation.lines,
                    total: reservation.total,
                    timeline,
                });
            }
            Transacted::Refused(_) => was_short = true,
            Transacted::Conflict => pause().await,
        }
    }
    conflict();
    Err(ReserveError::Contended)
}

fn price(order: &ReserveStock, stock: &[StockLevel]) -> Result<Reservation, ReservationRefused> {
    Reservation::price(order.order_id, &order.lines, order.expected_total, stock)
}

/// The shards to take the lines' units from. None if some of them are scattered: they are brought together, and have to
/// be looked for again.
async fn sources(
    inventory: &Inventory,
    reservation: &Reservation,
    stock: &[StockLevel],
    tried: usize,
) -> Result<Option<BTreeMap<Sku, Shard>>, TableError> {
    let mut shards = BTreeMap::new();
    let mut is_scattered = false;
    for line in &reservation.lines {
        let level = stock.iter().find(|level| level.sku == line.sku);
        let Some(stock) = level.map(|level| &level.stock) else {
            continue;
        };
        let source = stock.source(reservation.order_id, line.quantity, tried);
        match (source, stock) {
            (Some(Source::Shard(Shard::FIRST)), _) => {}
            (Some(Source::Shard(shard)), _) => {
                shards.insert(line.sku.clone(), shard);
            }
            (Some(Source::Scattered), Stock::Counted(units)) => {
                inventory.gather(&line.sku, units, line.quantity).await?;
                is_scattered = true;
            }
            (Some(Source::Scattered) | None, _) => is_scattered = true,
        }
    }
    Ok((!is_scattered).then_some(shards))
}

/// Looks again before a shortage is told, at one moment: the missing units may be the order's own, just being
/// taken by another run of this step, or on their way between two shards. Nothing is answered where that can't
/// be told yet, or where the units are back.
async fn sure_of_shortage(
    inventory: &Inventory,
    order: &ReserveStock,
    stock: &[StockLevel],
    sku: Sku,
) -> Result<Option<StockReserved>, ReserveError> {
    let lines = order.lines.as_slice().iter();
    let wanted = lines
        .filter(|line| line.sku == sku)
        .map(|line| line.quantity);
    let counted = stock.iter().find_map(|level| match &level.stock {
        Stock::Counted(units) if level.sku == sku => Some(units.shards()),
        Stock::Counted(_) | Stock::Uncounted(_) => None,
    });
    let (Some(wanted), Some(shards)) = (wanted.max(), counted) else {
        return Ok(None);
    };
    let seen = inventory
        .reservation_and_units_at_once(order.order_id, &sku, shards)
        .await?;
    match seen {
        Some((Some(reserved), _)) => answer(reserved).map(Some),
        Some((None, units)) if units.total() < u64::from(wanted.get()) => {
            count("StockOuts").record();
            Err(ReservationRefused::OutOfStock(sku).into())
        }
        Some((None, _)) => Ok(None),
        None => {
            pause().await;
            Ok(None)
        }
    }
}

fn answer(reserved: Reserved) -> Result<StockReserved, ReserveError> {
    match reserved {
        Reserved::Held {
            reservation,
            reserved,
            ..
        } => Ok(StockReserved {
            lines: reservation.lines,
            total: reservation.total,
            timeline: vec![reserved],
        }),
        Reserved::Released { .. } => Err(ReserveError::Closed),
    }
}
