//! Money: integer minor units and a currency. Never a float.

use serde::{Deserialize, Serialize};

use crate::Quantity;

/// An ISO 4217 currency code, three capital letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

/// The text is not a currency code.
#[derive(Debug, thiserror::Error)]
#[error("must be an ISO 4217 code of three capital letters")]
pub struct InvalidCurrency;

impl TryFrom<String> for Currency {
    type Error = InvalidCurrency;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match *text.as_bytes() {
            [a, b, c] if [a, b, c].iter().all(u8::is_ascii_uppercase) => Ok(Self([a, b, c])),
            _ => Err(InvalidCurrency),
        }
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.to_string()
    }
}

impl std::fmt::Display for Currency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0
            .iter()
            .try_for_each(|letter| write!(f, "{}", char::from(*letter)))
    }
}

/// An amount in minor units (cents for EUR, yen for JPY) of one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Money {
    /// Minor units.
    pub amount: u64,
    /// What they are units of.
    pub currency: Currency,
}

/// Why amounts can't be combined.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Amounts of two currencies have no sum.
    #[error("the amounts are of different currencies")]
    MixedCurrencies,
    /// The result would not fit.
    #[error("the amount is too large")]
    Overflow,
}

impl Money {
    /// The sum, if both are of one currency and it fits.
    ///
    /// # Errors
    /// See [`MoneyError`].
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::MixedCurrencies);
        }
        let amount = self
            .amount
            .checked_add(other.amount)
            .ok_or(MoneyError::Overflow)?;
        Ok(Self { amount, ..self })
    }

    /// The price of `quantity` units at this unit price.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] when it doesn't fit.
    pub fn times(self, quantity: Quantity) -> Result<Self, MoneyError> {
        let amount = self
            .amount
            .checked_mul(u64::from(quantity.get()))
            .ok_or(MoneyError::Overflow)?;
        Ok(Self { amount, ..self })
    }
}

impl std::fmt::Display for Money {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.amount, self.currency)
    }
}

/// The price of one unit: 1 to 10,000,000,000 minor units.
///
/// The bound keeps the total of the largest possible order (50 lines of 1,000) below 2^53, which
/// every JSON reader holds exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Money", into = "Money")]
pub struct UnitPrice(Money);

/// The amount can't be a unit price.
#[derive(Debug, thiserror::Error)]
#[error("the amount must be from 1 to {}", UnitPrice::MAX)]
pub struct InvalidUnitPrice;

impl UnitPrice {
    /// The largest unit price, in minor units.
    pub const MAX: u64 = 10_000_000_000;

    /// The price as an amount.
    #[must_use]
    pub const fn money(self) -> Money {
        self.0
    }
}

impl TryFrom<Money> for UnitPrice {
    type Error = InvalidUnitPrice;

    fn try_from(price: Money) -> Result<Self, Self::Error> {
        if (1..=Self::MAX).contains(&price.amount) {
            Ok(Self(price))
        } else {
            Err(InvalidUnitPrice)
        }
    }
}

impl From<UnitPrice> for Money {
    fn from(price: UnitPrice) -> Self {
        price.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn eur(amount: u64) -> Money {
        Money {
            amount,
            currency: Currency(*b"EUR"),
        }
    }

    #[test]
    fn amounts_of_two_currencies_have_no_sum() {
        let usd = Money {
            amount: 1,
            currency: Currency(*b"USD"),
        };
        assert_eq!(eur(1).checked_add(usd), Err(MoneyError::MixedCurrencies));
    }

    #[test]
    fn a_sum_that_does_not_fit_is_refused() {
        assert_eq!(eur(u64::MAX).checked_add(eur(1)), Err(MoneyError::Overflow));
    }

    #[test]
    fn a_currency_is_three_capital_letters() {
        for bad in ["", "eur", "EU", "EURO", "E1R", "ÄÖ"] {
            assert!(Currency::try_from(bad.to_owned()).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn a_price_times_a_quantity_is_the_sum_of_that_many(price in 1..=UnitPrice::MAX, quantity in 1u32..=1000) {
            let summed = (0..quantity).try_fold(eur(0), |sum, _| sum.checked_add(eur(price))).unwrap();
            prop_assert_eq!(eur(price).times(Quantity::try_from(quantity).unwrap()).unwrap(), summed);
        }
    }
}
