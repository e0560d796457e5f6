//! Amounts of money as a person reads them.

use oxcart_domain::Money;

/// Currencies whose minor unit is the unit itself (ISO 4217).
const WHOLE: [&str; 15] = [
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV",
    "XAF", "XPF",
];
/// Currencies of which a thousand minor units make one.
const THOUSANDS: [&str; 7] = ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"];

/// `12.50 EUR`, `1250 JPY`.
#[must_use]
pub fn money(money: Money) -> String {
    amount(
        money.amount.try_into().unwrap_or(i64::MAX),
        &money.currency.to_string(),
    )
}

/// The same of what may be negative.
#[must_use]
pub fn amount(minor: i64, currency: &str) -> String {
    let digits = if WHOLE.contains(&currency) {
        0
    } else if THOUSANDS.contains(&currency) {
        3
    } else {
        2
    };
    let unit = 10_u64.pow(digits);
    let (sign, minor) = (if minor < 0 { "-" } else { "" }, minor.unsigned_abs());
    let (whole, part) = (minor / unit, minor % unit);
    match digits {
        0 => format!("{sign}{whole} {currency}"),
        2 => format!("{sign}{whole}.{part:02} {currency}"),
        _ => format!("{sign}{whole}.{part:03} {currency}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_the_digits_of_their_currency() {
        assert_eq!(amount(1250, "EUR"), "12.50 EUR");
        assert_eq!(amount(-5, "EUR"), "-0.05 EUR");
        assert_eq!(amount(1250, "JPY"), "1250 JPY");
        assert_eq!(amount(1250, "KWD"), "1.250 KWD");
        assert_eq!(amount(0, "USD"), "0.00 USD");
    }
}
