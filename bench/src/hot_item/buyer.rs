//! Somebody who orders one unit after the other.

use std::{sync::Arc, time::Duration};

use oxcart_domain::reservation::ReservationRefused;
use oxcart_inventory::reserve_stock::ReserveError;
use oxcart_lambda::TaskError as _;
use tokio::time::{Instant, sleep};

use super::shop::Shop;
use crate::{failure::Failure, retries::Retries};

/// Who buys, and until when; without that until nothing is left.
pub(super) struct Buyer {
    pub(super) shop: Arc<Shop>,
    pub(super) retries: Arc<Retries>,
    pub(super) until: Option<Instant>,
}

/// What became of an order.
#[derive(Debug)]
pub(super) struct Order {
    /// From its first try to its end, or to that of the sale.
    pub(super) took: Duration,
    pub(super) end: End,
    /// Whether it ended within the sale.
    pub(super) is_in_time: bool,
}

/// How an order ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// It holds its unit.
    Reserved,
    /// It was told that there is none.
    OutOfStock,
    /// Others were in its way at every try that the state machine makes.
    GivenUp,
    /// It was waiting for its next try when the sale ended.
    Waiting,
}

impl Buyer {
    /// Buys, and answers what became of each order.
    pub(super) async fn buy(self) -> Result<Vec<Order>, Failure> {
        let mut orders = Vec::new();
        while self.until.is_none_or(|until| Instant::now() < until) {
            let order = self.order().await?;
            let end = order.end;
            orders.push(order);
            if end == End::OutOfStock {
                // Nothing comes back, so what is left now was left when this was told.
                let left = self.shop.left()?;
                if left > 0 {
                    let wrong = format!("an order was told of a shortage with {left} units left");
                    return Err(Failure::Books(wrong));
                }
                break;
            }
        }
        Ok(orders)
    }

    async fn order(&self) -> Result<Order, Failure> {
        let order = Shop::order()?;
        let begun = Instant::now();
        let mut attempts = self.retries.begin();
        let end = loop {
            let error = match self.shop.reserve(order.clone()).await {
                Ok(()) => break End::Reserved,
                Err(ReserveError::Refused(ReservationRefused::OutOfStock(_))) => {
                    break End::OutOfStock;
                }
                Err(error) => error,
            };
            if error.is_answer() {
                return Err(Failure::service("reserve a unit")(error));
            }
            let Some(pause) = attempts.pause_after(error.error_type()) else {
                break End::GivenUp;
            };
            if let Some(until) = self.until.filter(|until| Instant::now() + pause >= *until) {
                return Ok(Order {
                    took: until.saturating_duration_since(begun),
                    end: End::Waiting,
                    is_in_time: false,
                });
            }
            sleep(pause).await;
        };
        let now = Instant::now();
        Ok(Order {
            took: now - begun,
            end,
            is_in_time: self.until.is_none_or(|until| now <= until),
        })
    }
}
