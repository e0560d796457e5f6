//! Waiting for an order to come to rest, for clients that prefer that to asking again and again.
//!
//! Nobody tells a function that an order has changed, so it looks: soon at first, since most orders take
//! a second, then ever more seldom.

use std::time::Duration;

use oxcart_domain::OrderId;
use oxcart_telemetry::Chain;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::table::{Orders, StoredOrder};

const FIRST: Duration = Duration::from_millis(150);
const LONGEST: Duration = Duration::from_secs(2);
/// How long the look at the end of a wait may take.
const LAST_LOOK: Duration = Duration::from_secs(1);

/// The orders, for clients that may wait for one.
#[derive(Debug)]
pub struct AwaitedOrders {
    /// The orders.
    pub orders: Orders,
    /// For how many seconds at most. Who waits holds an execution environment.
    pub longest_wait: u32,
}

/// Waits until the order is at rest, or until `limit` has passed since `begun`, and answers it as it then
/// stands. `known` is the order if it was read already. A read that fails or hangs is as good as one that
/// finds nothing new: there is an answer without it.
pub async fn until_at_rest(
    orders: &Orders,
    id: OrderId,
    known: Option<StoredOrder>,
    begun: Instant,
    limit: Duration,
) -> Option<StoredOrder> {
    let mut latest = known;
    let end = begun + limit;
    for pause in pauses(end.saturating_duration_since(Instant::now())) {
        if latest.as_ref().is_some_and(StoredOrder::is_at_rest) {
            break;
        }
        sleep_until((Instant::now() + pause).min(end)).await;
        match timeout_at(end + LAST_LOOK, orders.order_lately(id)).await {
            Ok(Ok(Some(order))) if is_newer(&order, latest.as_ref()) => latest = Some(order),
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                tracing::warn!(order_id = %id, error = %Chain(&error), "could not look at the order");
            }
            Err(_) => tracing::warn!(order_id = %id, "could not look at the order in time"),
        }
        if Instant::now() >= end {
            break;
        }
    }
    latest
}

/// A read that isn't strongly consistent may go back in time.
fn is_newer(order: &StoredOrder, latest: Option<&StoredOrder>) -> bool {
    latest.is_none_or(|latest| latest.updated_at <= order.updated_at)
}

/// The pauses between looks: half as long again each time, `limit` altogether.
fn pauses(limit: Duration) -> impl Iterator<Item = Duration> {
    let mut next = FIRST;
    let mut left = limit;
    std::iter::from_fn(move || {
        let pause = next.min(left);
        left -= pause;
        next = (next * 3 / 2).min(LONGEST);
        (!pause.is_zero()).then_some(pause)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_for_the_longest_takes_sixteen_looks_at_most_with_the_one_before() {
        assert!(pauses(Duration::from_secs(20)).count() < 16);
    }

    #[test]
    fn a_wait_takes_as_long_as_was_asked_for() {
        for seconds in 0..=20 {
            let limit = Duration::from_secs(seconds);
            assert_eq!(pauses(limit).sum::<Duration>(), limit);
        }
    }

    #[test]
    fn most_orders_are_looked_at_while_they_are_fresh() {
        let first_second = pauses(Duration::from_secs(1)).count();
        assert!(first_second >= 4, "{first_second}");
    }
}
