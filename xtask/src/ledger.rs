//! Checks the invariants of the shop from outside: no piece and no cent may appear or get lost.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use crate::cloud::Cloud;
use crate::console::{Console, Tone};
use crate::failure::{Failure, Outcome};
use crate::loopback::Client;
use crate::settings::Settings;
use crate::shop::{Call, Shop};
use crate::wait;

/// How long the shop may take to come to rest.
const REST: Duration = Duration::from_secs(20);

/// An amount of money per currency.
type Sums = BTreeMap<String, i64>;

/// The money of the whole shop, as the payment stand-in and as the orders have it.
#[derive(PartialEq)]
struct Money {
    charged: Sums,
    refunded: Sums,
    /// The totals of confirmed orders, less what of them was given back in parts.
    kept: Sums,
    /// How many orders are not settled yet, and partial refunds not made.
    pending: usize,
}

/// Checks that stock and money add up, and shows the figures. `put_in` is what was put in per sku, all of
/// it ordered, if at all, by the customer whose token this is.
pub(crate) fn check(
    console: &Console,
    settings: &Settings,
    shop: &Shop,
    token: &str,
    put_in: &[(String, i64)],
) -> Outcome {
    let held = held_by_confirmed_orders(shop, token)?;
    let mut agree = true;
    console.line("  Stock                  put in   available   held by confirmed orders");
    for (sku, pieces) in put_in {
        let read = Call::new("GET", format!("/products/{sku}")).anew();
        let product = shop.call(&read, &[200])?;
        let available = product.number_at("/available").unwrap_or(-1);
        let held = held.get(sku).copied().unwrap_or_default();
        let fits = *pieces == available + held && available >= 0;
        agree &= fits;
        console.line(&format!(
            "  {sku:<20} {pieces:>8} {available:>11} {held:>26}  {}",
            verdict(console, fits)
        ));
    }

    // Someone else may be ordering at this moment, and then the two sides are read at different times.
    let mut money = money_now(settings)?;
    let _ = wait::until(REST, Duration::from_millis(200), || {
        if money.is_at_rest() && money.agrees() {
            return Some(());
        }
        money = money_now(settings).ok()?;
        None
    });
    let fits = money.is_at_rest() && money.agrees();
    agree &= fits;
    console.line("\n  Money                 charged    refunded     kept of confirmed orders");
    for currency in money.currencies() {
        let sum = |sums: &Sums| decimal(sums.get(&currency).copied().unwrap_or_default());
        console.line(&format!(
            "  {:<20} {:>8} {:>11} {:>26}  {}",
            format!("{currency}, whole shop"),
            sum(&money.charged),
            sum(&money.refunded),
            sum(&money.kept),
            verdict(console, fits)
        ));
    }
    if agree {
        Ok(())
    } else {
        Err(Failure::new("The figures do not agree.").advice(format!(
            "Put in has to be available + held, and charged − refunded has to be what is kept: the totals of \
             confirmed orders, less partial refunds ({} orders and refunds are still pending).",
            money.pending
        )))
    }
}

fn verdict(console: &Console, fits: bool) -> String {
    if fits {
        console.paint(Tone::Good, "agrees")
    } else {
        console.paint(Tone::Bad, "DOES NOT AGREE")
    }
}

/// Pieces per sku in the customer's confirmed orders.
fn held_by_confirmed_orders(shop: &Shop, token: &str) -> Outcome<BTreeMap<String, i64>> {
    let mut held = BTreeMap::new();
    let mut path = "/orders?limit=100".to_owned();
    loop {
        let page = shop.call(&Call::new("GET", path.as_str()).by(token), &[200])?;
        for order in list(&page.json, "items").filter(|order| text(order, "/status") == "CONFIRMED")
        {
            for line in list(order, "lines") {
                let quantity = line
                    .get("quantity")
                    .and_then(Value::as_i64)
                    .unwrap_or_default();
                *held.entry(text(line, "/sku").to_owned()).or_default() += quantity;
            }
        }
        match page.text_at("/next_cursor") {
            "" => return Ok(held),
            cursor => path = format!("/orders?limit=100&cursor={cursor}"),
        }
    }
}

/// Reads the money of the whole shop: the one side from the payment stand-in, the other from the orders' table.
fn money_now(settings: &Settings) -> Outcome<Money> {
    let mut money = Money {
        charged: Sums::new(),
        refunded: Sums::new(),
        kept: Sums::new(),
        pending: 0,
    };
    // Refunds are read first: one that is made in between then shows as too much money, never as nothing wrong.
    for refund in gateway(settings, "refunds")? {
        add(
            &mut money.refunded,
            text(&refund, "/currency"),
            refund.get("amount").and_then(Value::as_i64),
        );
    }
    for intent in gateway(settings, "payment_intents")? {
        if text(&intent, "/status") == "succeeded" {
            add(
                &mut money.charged,
                text(&intent, "/currency"),
                intent.get("amount").and_then(Value::as_i64),
            );
        }
    }
    let cloud = Cloud::at(settings.get("AWS_ENDPOINT_URL")?);
    for order in cloud.scan(settings.get("ORDERS_TABLE")?)? {
        match text(&order, "/status/S") {
            "CONFIRMED" => {
                let amount = text(&order, "/total/M/amount/N").parse().ok();
                add(&mut money.kept, text(&order, "/total/M/currency/S"), amount);
            }
            "PENDING" | "CANCELLING" => money.pending += 1,
            _ => {}
        }
    }
    for payment in cloud.scan(settings.get("PAYMENTS_TABLE")?)? {
        // Of others, all is given back or nothing was taken, and the order isn't confirmed.
        if text(&payment, "/status/S") != "CHARGED" {
            continue;
        }
        let parts = payment.pointer("/refunds/M").and_then(Value::as_object);
        for part in parts.into_iter().flat_map(|parts| parts.values()) {
            if text(part, "/M/status/S") != "DONE" {
                money.pending += 1;
                continue;
            }
            let amount: Option<i64> = text(part, "/M/amount/M/amount/N").parse().ok();
            let currency = text(part, "/M/amount/M/currency/S");
            add(&mut money.kept, currency, amount.map(i64::saturating_neg));
        }
    }
    Ok(money)
}

/// Every object of a kind that the payment stand-in has.
fn gateway(settings: &Settings, kind: &str) -> Outcome<Vec<Value>> {
    // The stand-in knows no upper limit, so one page holds all.
    let url = format!(
        "{}/v1/{kind}?limit=1000000",
        settings.get("GATEWAY_ADMIN_URL")?
    );
    let key = format!("Bearer {}", settings.get("GATEWAY_SECRET_KEY")?);
    let answer = Client::new().send("GET", &url, &[("authorization", &key)], "")?;
    if answer.status == 200 {
        Ok(list(&answer.json, "data").cloned().collect())
    } else {
        Err(Failure::new(format!(
            "The payment stand-in answered {}: {}",
            answer.status, answer.text
        )))
    }
}

impl Money {
    fn is_at_rest(&self) -> bool {
        self.pending == 0
    }

    fn agrees(&self) -> bool {
        let of = |sums: &Sums, currency: &str| sums.get(currency).copied().unwrap_or_default();
        self.currencies().iter().all(|currency| {
            of(&self.charged, currency) - of(&self.refunded, currency) == of(&self.kept, currency)
        })
    }

    fn currencies(&self) -> Vec<String> {
        let mut all: Vec<String> = [&self.charged, &self.refunded, &self.kept]
            .into_iter()
            .flat_map(|sums| sums.keys().cloned())
            .collect();
        all.sort();
        all.dedup();
        all
    }
}

fn add(sums: &mut Sums, currency: &str, amount: Option<i64>) {
    *sums.entry(currency.to_uppercase()).or_default() += amount.unwrap_or_default();
}

fn list<'a>(json: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    json.get(name)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn text<'a>(json: &'a Value, pointer: &str) -> &'a str {
    json.pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// `EUR 59.50`. Every currency of the demo has two decimals.
pub(crate) fn money(amount: i64, currency: &str) -> String {
    format!("{currency} {}", decimal(amount))
}

fn decimal(amount: i64) -> String {
    format!("{}.{:02}", amount / 100, amount.rem_euclid(100))
}
