//! Reservations: units taken out of stock for one order, at the price of that moment.

use serde::{Deserialize, Serialize};

use crate::{
    DomainEvent, Event, Money, OrderId, Sku, Timestamp,
    money::MoneyError,
    order::{OrderLines, PricedLine},
    stock::Stock,
};

/// Whether an order's units are out of stock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ReservationStatus {
    /// The units are held for the order.
    Held,
    /// The units are back, or were never taken. Final: a late reservation is refused.
    Released,
}

impl ReservationStatus {
    /// The status as it is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Held => "HELD",
            Self::Released => "RELEASED",
        }
    }
}

/// What is known of a product when an order wants some of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockLevel {
    /// Which product.
    pub sku: Sku,
    /// The price of one unit.
    pub unit_price: Money,
    /// Units that are not reserved.
    pub stock: Stock,
}

/// The units that an order holds, priced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    /// For which order.
    pub order_id: OrderId,
    /// Every line of the order: a reservation is all or nothing.
    pub lines: Vec<PricedLine>,
    /// The sum of the lines.
    pub total: Money,
}

/// Why an order's units can't be reserved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReservationRefused {
    /// The shop doesn't have this product.
    #[error("the shop has no product {0}")]
    UnknownProduct(Sku),
    /// Fewer units are left than the line asks for.
    #[error("fewer than the wanted units of {0} are left")]
    OutOfStock(Sku),
    /// The lines are priced in different currencies.
    #[error("the lines are priced in different currencies")]
    MixedCurrencies,
    /// The total is not the one that the customer expected.
    #[error("the total is {actual}, expected was {expected}")]
    PriceChanged {
        /// What the customer was shown.
        expected: Money,
        /// What it would be.
        actual: Money,
    },
    /// The total doesn't fit any amount; the bounds on prices and quantities make it impossible.
    #[error("the total is too large")]
    TooLarge,
}

impl Reservation {
    /// Prices the lines of an order against the stock levels that were just read.
    ///
    /// # Errors
    /// See [`ReservationRefused`]. An unknown product is told before one that is out of stock.
    pub fn price(
        order_id: OrderId,
        lines: &OrderLines,
        expected_total: Option<Money>,
        stock: &[StockLevel],
    ) -> Result<Self, ReservationRefused> {
        let wanted = lines
            .as_slice()
            .iter()
            .map(|line| {
                let level = stock.iter().find(|level| level.sku == line.sku);
                level
                    .map(|level| (line, level))
                    .ok_or_else(|| ReservationRefused::UnknownProduct(line.sku.clone()))
            })
            .collect::<Result<Vec<_>, _>>()?;
        if let Some((line, _)) = wanted
            .iter()
            .find(|(line, level)| !level.stock.may_have(line.quantity))
        {
            return Err(ReservationRefused::OutOfStock(line.sku.clone()));
        }
        let lines: Vec<_> = wanted
            .iter()
            .map(|(line, level)| PricedLine {
                sku: line.sku.clone(),
                quantity: line.quantity,
                unit_price: level.unit_price,
            })
            .collect();
        let total = total(&lines)?;
        match expected_total {
            Some(expected) if expected != total => Err(ReservationRefused::PriceChanged {
                expected,
                actual: total,
            }),
            _ => Ok(Self {
                order_id,
                lines,
                total,
            }),
        }
    }

    /// The event that tells of the units having been taken.
    #[must_use]
    pub fn reserved(&self, now: Timestamp) -> Event {
        let event = DomainEvent::StockReserved {
            order_id: self.order_id,
            lines: self.lines.clone(),
            total: self.total,
        };
        Event::once(event, now)
    }

    /// The event that tells of the units being back.
    #[must_use]
    pub fn released(&self, now: Timestamp) -> Event {
        let event = DomainEvent::StockReleased {
            order_id: self.order_id,
            lines: self.lines.clone(),
        };
        Event::once(event, now)
    }
}

fn total(lines: &[PricedLine]) -> Result<Money, ReservationRefused> {
    let mut prices = lines
        .iter()
        .map(|line| line.unit_price.times(line.quantity));
    let first = prices.next().unwrap_or(Err(MoneyError::Overflow));
    prices
        .try_fold(first?, |sum, price| sum.checked_add(price?))
        .map_err(ReservationRefused::from)
}

impl From<MoneyError> for ReservationRefused {
    fn from(error: MoneyError) -> Self {
        match error {
            MoneyError::MixedCurrencies => Self::MixedCurrencies,
            MoneyError::Overflow => Self::TooLarge,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::{
        Currency, Quantity,
        money::UnitPrice,
        order::OrderLine,
        stock::{StockShards, Units},
    };

    const ORDER: OrderId = OrderId::new(Uuid::from_u128(7));

    fn sku(text: &str) -> Sku {
        Sku::try_from(text.to_owned()).unwrap()
    }

    fn money(amount: u64, currency: &str) -> Money {
        Money {
            amount,
            currency: Currency::try_from(currency.to_owned()).unwrap(),
        }
    }

    fn lines(wanted: &[(&str, u32)]) -> OrderLines {
        let line = |(name, units): &(&str, u32)| OrderLine {
            sku: sku(name),
            quantity: Quantity::try_from(*units).unwrap(),
        };
        OrderLines::try_from(wanted.iter().map(line).collect::<Vec<_>>()).unwrap()
    }

    fn level(name: &str, available: u64, unit_price: Money) -> StockLevel {
        StockLevel {
            sku: sku(name),
            unit_price,
            stock: Stock::Counted(Units::of(StockShards::ONE, |_| available)),
        }
    }

    #[test]
    fn the_total_is_the_sum_of_the_lines() {
        let stock = [
            level("tea", 5, money(300, "EUR")),
            level("cup", 5, money(1250, "EUR")),
        ];
        let reservation =
            Reservation::price(ORDER, &lines(&[("tea", 2), ("cup", 1)]), None, &stock).unwrap();
        assert_eq!(reservation.total, money(1850, "EUR"));
    }

    #[test]
    fn the_last_units_can_be_reserved_and_one_more_cannot() {
        let stock = [level("tea", 2, money(300, "EUR"))];
        assert!(Reservation::price(ORDER, &lines(&[("tea", 2)]), None, &stock).is_ok());
        assert_eq!(
            Reservation::price(ORDER, &lines(&[("tea", 3)]), None, &stock),
            Err(ReservationRefused::OutOfStock(sku("tea")))
        );
    }

    #[test]
    fn an_unknown_product_is_told_before_a_shortage() {
        let stock = [level("tea", 0, money(300, "EUR"))];
        assert_eq!(
            Reservation::price(ORDER, &lines(&[("tea", 1), ("cup", 1)]), None, &stock),
            Err(ReservationRefused::UnknownProduct(sku("cup")))
        );
    }

    #[test]
    fn prices_in_two_currencies_have_no_total() {
        let stock = [
            level("tea", 5, money(300, "EUR")),
            level("cup", 5, money(1250, "USD")),
        ];
        assert_eq!(
            Reservation::price(ORDER, &lines(&[("tea", 1), ("cup", 1)]), None, &stock),
            Err(ReservationRefused::MixedCurrencies)
        );
    }

    #[test]
    fn a_total_other_than_the_expected_one_is_refused() {
        let stock = [level("tea", 5, money(300, "EUR"))];
        let price =
            |expected| Reservation::price(ORDER, &lines(&[("tea", 2)]), Some(expected), &stock);

        assert!(price(money(600, "EUR")).is_ok());
        assert!(matches!(
            price(money(599, "EUR")),
            Err(ReservationRefused::PriceChanged { .. })
        ));
        assert!(matches!(
            price(money(600, "USD")),
            Err(ReservationRefused::PriceChanged { .. })
        ));
    }

    proptest! {
        #[test]
        fn the_largest_order_fits_what_json_readers_hold_exactly(prices in prop::collection::vec(1..=UnitPrice::MAX, 1..=50)) {
            let names: Vec<_> = (0..prices.len()).map(|n| format!("sku-{n}")).collect();
            let stock: Vec<_> = names.iter().zip(&prices).map(|(name, price)| level(name, 1000, money(*price, "EUR"))).collect();
            let wanted: Vec<_> = names.iter().map(|name| (name.as_str(), Quantity::MAX)).collect();

            let reservation = Reservation::price(ORDER, &lines(&wanted), None, &stock).unwrap();
            prop_assert_eq!(reservation.total.amount, prices.iter().map(|price| price * u64::from(Quantity::MAX)).sum::<u64>());
            prop_assert!(reservation.total.amount < 1 << 53);
        }
    }
}
