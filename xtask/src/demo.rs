//! Plays one story against the running shop, as a client would, and checks the books at the end.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::console::{Console, Tone, seconds};
use crate::failure::{Failure, Outcome};
use crate::ledger;
use crate::loopback::Answer;
use crate::opening::random_hex;
use crate::settings::Settings;
use crate::shop::{Call, Shop};
use crate::wait;

/// How long an order may take until it is settled.
const SETTLED: Duration = Duration::from_secs(30);

/// A card that is charged.
const GOOD_CARD: &str = "pm_card_visa";
/// A card that the gateway declines.
const BAD_CARD: &str = "pm_card_chargeCustomerFail";

/// A product of this run.
struct Product {
    sku: String,
    name: &'static str,
    price: i64,
    pieces: i64,
}

/// Someone who is signed in.
struct Session {
    token: String,
}

/// An order that has been settled.
struct Settled {
    id: String,
    /// The answer to the request that placed it.
    placed: String,
    order: Value,
}

/// The run: where the shop is, and how a step is shown.
struct Demo<'a> {
    console: &'a Console,
    shop: Shop,
    /// Makes everything of this run new.
    run: String,
}

/// Plays the story. `began` is when the person asked for it.
pub(crate) fn play(console: &Console, settings: &Settings, began: Instant) -> Outcome {
    let demo = Demo {
        console,
        shop: Shop::at(settings.get("API_URL")?),
        run: random_hex(3)?,
    };
    console.heading("The admin puts two products on sale");
    let admin = demo.sign_in(
        settings.get("ADMIN_EMAIL")?,
        settings.get("ADMIN_PASSWORD")?,
    )?;
    let lamp = demo.product("lamp", "Reading lamp", 5_950, 10);
    let chair = demo.product("chair", "Garden chair", 12_900, 2);
    for product in [&lamp, &chair] {
        demo.offer(&admin, product)?;
    }

    console.heading("A customer registers");
    let customer = demo.register()?;

    console.heading("An order that goes through");
    let lines = [(&lamp, 2), (&chair, 1)];
    let first = demo.order(&customer, &lines, GOOD_CARD, "first", "CONFIRMED", "")?;
    console.line(&format!(
        "  {}",
        console.paint(
            Tone::Quiet,
            &format!("{} after you asked for it", seconds(began.elapsed()))
        )
    ));
    demo.payment(&customer, &first)?;

    console.heading("The same request again, as after a lost answer");
    demo.replay(&customer, &lines, &first)?;

    console.heading("An order for more than there is");
    demo.order(
        &customer,
        &[(&chair, 5)],
        GOOD_CARD,
        "second",
        "REJECTED",
        "out-of-stock",
    )?;

    console.heading("An order whose card is declined");
    let before = demo.available(&lamp, "available before")?;
    demo.order(
        &customer,
        &[(&lamp, 3)],
        BAD_CARD,
        "third",
        "REJECTED",
        "payment-declined",
    )?;
    let after = demo.available(&lamp, "available after: the stock came back")?;
    if before != after {
        return Err(Failure::new(format!(
            "{before} lamps before the declined order, but {after} after it."
        )));
    }

    console.heading("The books");
    let put_in = [&lamp, &chair].map(|product| (product.sku.clone(), product.pieces));
    ledger::check(console, settings, &demo.shop, &customer.token, &put_in)?;
    demo.farewell(settings, &lamp);
    Ok(())
}

impl Demo<'_> {
    /// Makes a call and shows it.
    fn step(
        &self,
        call: &Call,
        expected: u16,
        remark: impl FnOnce(&Answer) -> String,
    ) -> Outcome<Answer> {
        let answer = self.shop.call(call, &[expected])?;
        self.show(
            &call.to_string(),
            answer.status,
            answer.took,
            &remark(&answer),
        );
        Ok(answer)
    }

    fn show(&self, call: &str, status: u16, took: Duration, remark: &str) {
        let status = self.console.paint(Tone::Good, &status.to_string());
        let took = self
            .console
            .paint(Tone::Quiet, &format!("{:>5} ms", took.as_millis()));
        self.console
            .line(&format!("  {call:<56} {status} {took}  {remark}"));
    }

    fn product(&self, word: &str, name: &'static str, price: i64, pieces: i64) -> Product {
        Product {
            sku: format!("{word}-{}", self.run),
            name,
            price,
            pieces,
        }
    }

    fn sign_in(&self, email: &str, password: &str) -> Outcome<Session> {
        let body = json!({"email": email, "password": password});
        let call = Call::new("POST", "/auth/login").with_body(&body);
        let answer = self.step(&call, 200, |answer| {
            let minutes = answer.number_at("/expires_in").unwrap_or_default() / 60;
            format!("a token for {minutes} minutes")
        })?;
        Ok(Session {
            token: answer.text_at("/access_token").to_owned(),
        })
    }

    fn offer(&self, admin: &Session, product: &Product) -> Outcome {
        let path = format!("/products/{}", product.sku);
        let body = json!({"name": product.name, "unit_price": {"amount": product.price, "currency": "EUR"}});
        let put = Call::new("PUT", path.as_str())
            .by(&admin.token)
            .with_body(&body);
        self.step(&put, 201, |_| {
            format!("{}, {}", product.name, ledger::money(product.price, "EUR"))
        })?;
        let adjustment = json!({"delta": product.pieces, "reason": "delivery"});
        let adjust = Call::new("POST", format!("{path}/stock-adjustments"));
        let adjust = adjust
            .by(&admin.token)
            .once(&format!("delivery-{}", product.sku))
            .with_body(&adjustment);
        self.step(&adjust, 200, |answer| {
            format!("{} available", number(answer, "/available"))
        })?;
        Ok(())
    }

    fn register(&self) -> Outcome<Session> {
        let email = format!("customer-{}@oxcart.test", self.run);
        let password = random_hex(12)?;
        let user = json!({"email": email, "password": password, "name": "Customer"});
        self.step(&Call::new("POST", "/users").with_body(&user), 201, |_| {
            email.clone()
        })?;
        self.sign_in(&email, &password)
    }

    fn place(&self, customer: &Session, lines: &[(&Product, i64)], card: &str, key: &str) -> Call {
        let lines: Vec<Value> = lines
            .iter()
            .map(|(product, quantity)| json!({"sku": product.sku, "quantity": quantity}))
            .collect();
        let body = json!({"lines": lines, "payment_method": card});
        let key = format!("{key}-{}", self.run);
        Call::new("POST", "/orders")
            .by(&customer.token)
            .once(&key)
            .with_body(&body)
    }

    /// Places an order and waits until it is settled, in the way that the story wants.
    fn order(
        &self,
        customer: &Session,
        lines: &[(&Product, i64)],
        card: &str,
        key: &str,
        status: &str,
        reason: &str,
    ) -> Outcome<Settled> {
        let asked = Instant::now();
        let answer = self.step(&self.place(customer, lines, card, key), 202, |answer| {
            let lines: Vec<String> = lines
                .iter()
                .map(|(product, quantity)| format!("{quantity} × {}", product.sku))
                .collect();
            format!("{}: {}", answer.text_at("/status"), lines.join(", "))
        })?;
        let (id, placed) = (answer.text_at("/id").to_owned(), answer.text);
        let get = Call::new("GET", format!("/orders/{id}")).by(&customer.token);
        let settled = wait::until(SETTLED, Duration::from_millis(40), || {
            let answer = self.shop.call(&get, &[200]);
            let pending = answer
                .as_ref()
                .is_ok_and(|answer| answer.text_at("/status") == "PENDING");
            (!pending).then_some(answer)
        });
        let answer = settled.ok_or_else(|| {
            Failure::new(format!(
                "Order {id} is still PENDING after {}.",
                seconds(SETTLED)
            ))
            .advice("The functions' own words: cargo xtask logs")
        })??;
        let found = (answer.text_at("/status"), answer.text_at("/reason"));
        let outcome = match found.1 {
            "" => format!("{}, {}", found.0, money_at(&answer.json, "/total")),
            reason => format!("{}, {reason}", found.0),
        };
        let remark = format!("{outcome}, settled in {} ms", asked.elapsed().as_millis());
        self.show(&get.to_string(), answer.status, answer.took, &remark);
        if found != (status, reason) {
            return Err(Failure::new(format!(
                "The story wanted {status} {reason} here."
            )));
        }
        Ok(Settled {
            id,
            placed,
            order: answer.json,
        })
    }

    fn payment(&self, customer: &Session, order: &Settled) -> Outcome {
        let call = Call::new("GET", format!("/orders/{}/payment", order.id)).by(&customer.token);
        let answer = self.step(&call, 200, |answer| {
            format!(
                "{} {}",
                answer.text_at("/status"),
                money_at(&answer.json, "/amount")
            )
        })?;
        if answer.json.pointer("/amount") == order.order.pointer("/total") {
            Ok(())
        } else {
            Err(Failure::new("What was charged is not the order's total."))
        }
    }

    /// Sends the first order's request once more. The answer has to be the same bytes.
    fn replay(&self, customer: &Session, lines: &[(&Product, i64)], first: &Settled) -> Outcome {
        let call = self.place(customer, lines, GOOD_CARD, "first");
        let answer = self.step(&call, 202, |answer| {
            format!("Idempotent-Replay: {}", answer.header("idempotent-replay"))
        })?;
        if answer.header("idempotent-replay") != "true" || answer.text != first.placed {
            return Err(Failure::new(format!(
                "The replayed request was not answered like the first: {} instead of {}.",
                answer.text, first.placed
            )));
        }
        self.console
            .line("  byte for byte the answer from before, and no second order");
        Ok(())
    }

    fn available(&self, product: &Product, what: &str) -> Outcome<i64> {
        let call = Call::new("GET", format!("/products/{}", product.sku)).anew();
        let answer = self.step(&call, 200, |answer| {
            format!("{} {what}", number(answer, "/available"))
        })?;
        answer
            .number_at("/available")
            .ok_or_else(|| Failure::new("A product without a stock figure."))
    }

    fn farewell(&self, settings: &Settings, product: &Product) {
        self.console.heading("Yours to play with");
        let setting = |name| settings.get(name).unwrap_or_default();
        let api = setting("API_URL");
        self.console.line(&format!(
            "  The API is at {api} until you say `cargo xtask down`. Try:\n"
        ));
        let login = json!({"email": setting("ADMIN_EMAIL"), "password": setting("ADMIN_PASSWORD")});
        for line in [
            format!("curl -s '{api}/products?limit=3'"),
            format!("curl -si '{api}/products/{}'", product.sku),
            format!("curl -s '{api}/auth/login' -H 'content-type: application/json' -d '{login}'"),
        ] {
            self.console.line(&format!("  {line}"));
        }
    }
}

fn number(answer: &Answer, pointer: &str) -> String {
    answer
        .number_at(pointer)
        .map_or_else(|| "no".to_owned(), |number| number.to_string())
}

fn money_at(json: &Value, pointer: &str) -> String {
    let part = |name: &str| json.pointer(&format!("{pointer}/{name}"));
    match (
        part("amount").and_then(Value::as_i64),
        part("currency").and_then(Value::as_str),
    ) {
        (Some(amount), Some(currency)) => ledger::money(amount, currency),
        _ => "no amount".to_owned(),
    }
}
