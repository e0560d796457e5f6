//! Saga step (compensation): puts the units of an order back, and refuses to take them from then on.

use oxcart_domain::{
    order::TimelineEntry,
    saga::{ReleaseStock, StepDone},
};
use oxcart_lambda::{TaskError, clock};
use oxcart_table::{TableError, pause};
use oxcart_telemetry::conflict;

use crate::table::{Inventory, Reserved};

/// How often the reservation is read and released anew when a write comes between the two.
const TRIES: u32 = 4;

/// Why the units are not back.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    /// Others were at the same products at every try.
    #[error("the stock is contended")]
    Contended,
    /// The table failed.
    #[error(transparent)]
    Table(#[from] TableError),
}

impl TaskError for ReleaseError {
    fn error_type(&self) -> &'static str {
        match self {
            Self::Contended => "StockContention",
            Self::Table(error) => error.error_type(),
        }
    }

    fn is_answer(&self) -> bool {
        match self {
            Self::Contended | Self::Table(_) => false,
        }
    }
}

/// Releases the order's units. Again → nothing more happens. Before a reservation → a tombstone, so
/// that the late reservation is refused.
///
/// # Errors
/// See [`ReleaseError`].
pub async fn handle(inventory: &Inventory, order: ReleaseStock) -> Result<StepDone, ReleaseError> {
    for _ in 0..TRIES {
        let now = clock::now();
        match inventory.reservation(order.order_id).await? {
            Some(Reserved::Released { released }) => {
                return Ok(StepDone {
                    timeline: released.into_iter().collect(),
                });
            }
            Some(Reserved::Held {
                reservation,
                shards,
                ..
            }) => {
                let event = reservation.released(now);
                let timeline = vec![TimelineEntry::from(&event)];
                if inventory.release(&reservation, &shards, event).await? {
                    return Ok(StepDone { timeline });
                }
            }
            None => {
                if inventory.close(order.order_id, now).await? {
                    return Ok(StepDone {
                        timeline: Vec::new(),
                    });
                }
            }
        }
        pause().await;
    }
    conflict();
    Err(ReleaseError::Contended)
}
