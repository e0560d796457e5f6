//! Saga step: takes the units of an order out of stock, all or none.

use oxcart_domain::{
    order::TimelineEntry,
    reservation::{Reservation, ReservationRefused, StockLevel},
    saga::{ReserveStock, StockReserved},
};
use oxcart_lambda::{TaskError, clock};
use oxcart_table::{TableError, pause};
use oxcart_telemetry::{conflict, count};

use crate::table::{Inventory, Reserved};

/// How often stock is read and taken anew when others take from it between the two.
const TRIES: u32 = 4;

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
    for _ in 0..TRIES {
        let (earlier, stock) = inventory
            .reservation_and_stock(order.order_id, &order.lines)
            .await?;
        if let Some(reserved) = earlier {
            return answer(reserved);
        }
        let reservation = match price(&order, &stock) {
            Ok(reservation) => reservation,
            Err(ReservationRefused::OutOfStock(_)) => {
                match sure_of_shortage(inventory, &order).await? {
                    Some(held) => return Ok(held),
                    None => continue,
                }
            }
            Err(refused) => return Err(refused.into()),
        };
        let event = reservation.reserved(clock::now());
        let timeline = vec![TimelineEntry::from(&event)];
        if inventory.hold(&reservation, event).await? {
            return Ok(StockReserved {
                lines: reservation.lines,
                total: reservation.total,
                timeline,
            });
        }
        pause().await;
    }
    conflict();
    Err(ReserveError::Contended)
}

fn price(order: &ReserveStock, stock: &[StockLevel]) -> Result<Reservation, ReservationRefused> {
    Reservation::price(order.order_id, &order.lines, order.expected_total, stock)
}

/// Looks again before a shortage is told, at one moment: the missing units may be the order's own,
/// just being taken by another run of this step. Nothing is answered where that can't be told yet, or
/// where the units are back.
async fn sure_of_shortage(
    inventory: &Inventory,
    order: &ReserveStock,
) -> Result<Option<StockReserved>, ReserveError> {
    let seen = inventory
        .reservation_and_stock_at_once(order.order_id, &order.lines)
        .await?;
    match seen {
        Some((Some(reserved), _)) => answer(reserved).map(Some),
        Some((None, stock)) => {
            price(order, &stock).inspect_err(|refused| {
                if matches!(refused, ReservationRefused::OutOfStock(_)) {
                    count("StockOuts").record();
                }
            })?;
            Ok(None)
        }
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
        } => Ok(StockReserved {
            lines: reservation.lines,
            total: reservation.total,
            timeline: vec![reserved],
        }),
        Reserved::Released { .. } => Err(ReserveError::Closed),
    }
}
