//! `GET /operations/books`: whether the books of a day agree.

use std::{collections::BTreeMap, time::Duration};

use oxcart_domain::{OrderId, Sku, Timestamp, user::Role};
use oxcart_http::{Answer, Caller, Problem, Request, StatusCode, filter, json};
use oxcart_lambda::clock;
use oxcart_operating::{
    Cloud, Outcome,
    reconcile::{DayBooks, Finding, Held, Kind, Sums},
};
use serde::Serialize;
use tokio::sync::Mutex;

use crate::refusal::refused;

/// How long a day's books are kept in the execution environment, so that a page that asks again and again costs little.
const TIME_TO_LIVE: Duration = Duration::from_secs(10);

/// Looks at the books of days, and keeps what it found for some seconds.
#[derive(Debug)]
pub struct Auditor {
    cloud: Cloud,
    latest: Mutex<BTreeMap<String, DayBooks>>,
}

/// The books of a day as the API shows them.
#[derive(Debug, Serialize)]
struct BooksView {
    day: String,
    checked_at: Timestamp,
    complete: bool,
    orders: BTreeMap<&'static str, usize>,
    money: Vec<MoneyView>,
    invariants: Vec<Held>,
    findings: Vec<FindingView>,
}

#[derive(Debug, Serialize)]
struct MoneyView {
    currency: String,
    #[serde(flatten)]
    sums: Sums,
    difference: i64,
}

#[derive(Debug, Serialize)]
struct FindingView {
    kind: Kind,
    order_id: Option<OrderId>,
    sku: Option<Sku>,
    says: String,
    remedy: &'static str,
}

/// The text is no day.
#[derive(Debug, thiserror::Error)]
#[error("must be a day such as 2026-03-01")]
struct InvalidDay;

/// Answers how a day's orders, their stock and their money stand, and what disagrees.
///
/// # Errors
/// 401; 403 for all but admins; 400 for what is no day.
pub async fn handle(auditor: &Auditor, request: Request) -> Result<Answer, Problem> {
    Caller::who_may(Role::may_operate, &request)?;
    let now = clock::now();
    let day = filter(&request, "day", parse_day)?.unwrap_or_else(|| now.day());
    let books = Box::pin(auditor.books(&day, now)).await.map_err(refused)?;
    Ok(json(StatusCode::OK, &BooksView::new(day, books))?
        .compressed_for(&request)
        .conditional(&request))
}

impl Auditor {
    /// Looks at the books of this shop.
    #[must_use]
    pub fn new(cloud: Cloud) -> Self {
        Self {
            cloud,
            latest: Mutex::new(BTreeMap::new()),
        }
    }

    /// The books of a day: the latest if they are recent, else as they are now.
    async fn books(&self, day: &str, now: Timestamp) -> Outcome<DayBooks> {
        let mut latest = self.latest.lock().await;
        latest.retain(|_, books| is_recent(books.checked_at, now));
        if let Some(books) = latest.get(day) {
            return Ok(books.clone());
        }
        let books = self.cloud.books_of_day(day).await?;
        latest.insert(day.to_owned(), books.clone());
        Ok(books)
    }
}

/// By the wall clock, which goes on while the environment is frozen. If that was set back, nobody knows.
fn is_recent(checked_at: Timestamp, now: Timestamp) -> bool {
    let age = checked_at.duration_until(now);
    age.is_some_and(|age| age < TIME_TO_LIVE)
}

/// A day as it is written, if there is such a one.
fn parse_day(text: String) -> Result<String, InvalidDay> {
    let midnight = Timestamp::try_from(format!("{text}T00:00:00Z")).map_err(|_| InvalidDay)?;
    if midnight.day() == text {
        Ok(text)
    } else {
        Err(InvalidDay)
    }
}

impl BooksView {
    fn new(day: String, books: DayBooks) -> Self {
        let money = books.money.into_iter();
        Self {
            day,
            checked_at: books.checked_at,
            complete: books.complete,
            orders: books.orders,
            money: money.map(MoneyView::from).collect(),
            invariants: books.invariants,
            findings: books.findings.into_iter().map(FindingView::from).collect(),
        }
    }
}

impl From<(String, Sums)> for MoneyView {
    fn from((currency, sums): (String, Sums)) -> Self {
        Self {
            currency,
            difference: sums.difference(),
            sums,
        }
    }
}

impl From<Finding> for FindingView {
    fn from(finding: Finding) -> Self {
        Self {
            kind: finding.kind,
            order_id: finding.order,
            sku: finding.sku,
            says: finding.says,
            remedy: finding.remedy,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_day_is_one_of_the_calendar() {
        assert_eq!(parse_day("2028-02-29".to_owned()).unwrap(), "2028-02-29");
        for wrong in [
            "",
            "today",
            "2026-02-29",
            "2026-3-1",
            "2026-03-01T00:00:00Z",
            "2026-03-01,2026-03-02",
            "20260301",
        ] {
            assert!(parse_day(wrong.to_owned()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn books_are_kept_for_seconds() {
        let at = Timestamp::try_from("2026-03-01T09:30:00.250Z".to_owned()).unwrap();
        assert!(is_recent(at, at) && is_recent(at, at.plus_seconds(9)));
        assert!(!is_recent(at, at.plus_seconds(10)));
        assert!(!is_recent(at, at.plus_seconds(-1)));
    }

    #[test]
    fn money_is_told_with_what_is_left_over() {
        let sums = Sums {
            charged: 4000,
            refunded: 1000,
            kept: 2500,
            in_open_orders: 400,
        };
        let view = serde_json::to_value(MoneyView::from(("EUR".to_owned(), sums))).unwrap();
        let expected = json!({
            "currency": "EUR", "charged": 4000, "refunded": 1000, "kept": 2500, "in_open_orders": 400,
            "difference": 100,
        });
        assert_eq!(view, expected);
    }
}
