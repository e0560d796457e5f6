//! Opens the shop on a new stack: the payment stand-in's webhook, an admin, and a few products with stock.
//! Doing it again changes nothing.

use std::fs::File;
use std::io::Read;
use std::time::Instant;

use serde_json::json;

use crate::cloud::Cloud;
use crate::console::Console;
use crate::failure::{Explain, Failure, Outcome};
use crate::loopback::Client;
use crate::settings::Settings;
use crate::shop::{Call, Shop};

/// Who runs the shop. The domain is one that can't exist.
const ADMIN_EMAIL: &str = "admin@oxcart.test";

/// What the payment stand-in is asked to tell of, as the gateway is on AWS. Its refunds never fail later.
const WEBHOOK_EVENTS: [&str; 4] = [
    "payment_intent.succeeded",
    "payment_intent.payment_failed",
    "payment_intent.canceled",
    "payment_intent.processing",
];

/// sku, name, price in cents, pieces.
const PRODUCTS: [(&str, &str, i64, i64); 5] = [
    // The one that the sample events speak of.
    ("tea-assam", "Assam tea", 1_250, 500),
    ("oak-stool", "Oak stool", 4_900, 25),
    ("linen-apron", "Linen apron", 2_450, 60),
    ("stone-mug", "Stoneware mug", 1_290, 120),
    ("copper-kettle", "Copper kettle", 8_900, 3),
];

/// Decides who the admin is: the one of `before`, or a new one with a password that nobody could guess.
pub(crate) fn appoint_admin(settings: &mut Settings, before: Option<&Settings>) -> Outcome {
    let known = before.and_then(|before| before.get("ADMIN_PASSWORD").ok());
    settings.set("ADMIN_EMAIL", ADMIN_EMAIL);
    settings.set(
        "ADMIN_PASSWORD",
        match known {
            Some(password) => password.to_owned(),
            None => random_hex(16)?,
        },
    );
    Ok(())
}

/// Has the payment stand-in tell the shop of payments, and creates the admin and the products.
pub(crate) fn open(console: &Console, settings: &Settings) -> Outcome {
    let began = Instant::now();
    register_webhook(settings)?;
    let shop = Shop::at(settings.get("API_URL")?);
    let (email, password) = (
        settings.get("ADMIN_EMAIL")?,
        settings.get("ADMIN_PASSWORD")?,
    );
    let user = json!({"email": email, "password": password, "name": "Admin"});
    // 409: an earlier attempt came this far.
    shop.call(&Call::new("POST", "/users").with_body(&user), &[201, 409])?;
    let function = format!("{}-grant-role", settings.get("STACK_NAME")?);
    let cloud = Cloud::at(settings.get("AWS_ENDPOINT_URL")?);
    cloud.invoke(&function, &json!({"email": email, "role": "admin"}))?;
    // The role is in the token, so sign in now and not before.
    let answer = shop.sign_in(email, password)?;
    let token = answer.text_at("/access_token");
    for (sku, name, price, pieces) in PRODUCTS {
        let price = json!({"amount": price, "currency": "EUR"});
        let product = json!({"name": name, "unit_price": price});
        shop.call(
            &Call::new("PUT", format!("/products/{sku}"))
                .by(token)
                .with_body(&product),
            &[200, 201],
        )?;
        let adjustment = json!({"delta": pieces, "reason": "opening stock"});
        let path = format!("/products/{sku}/stock-adjustments");
        let call = Call::new("POST", path)
            .by(token)
            .once(&format!("opening-{sku}"))
            .with_body(&adjustment);
        shop.call(&call, &[200])?;
    }
    console.done(
        &format!("opened the shop: an admin and {} products", PRODUCTS.len()),
        began.elapsed(),
    );
    Ok(())
}

fn register_webhook(settings: &Settings) -> Outcome {
    let webhook = json!({
        "url": format!("{}/webhooks/payments", settings.get("API_URL")?),
        "secret": settings.get("PAYMENT_WEBHOOK_SECRET")?,
        "events": WEBHOOK_EVENTS,
    });
    let gateway = settings.get("GATEWAY_ADMIN_URL")?;
    let answer = Client::new().send(
        "POST",
        &format!("{gateway}/_config/webhooks/oxcart"),
        &[("content-type", "application/json")],
        &webhook.to_string(),
    )?;
    if answer.status == 200 {
        Ok(())
    } else {
        Err(Failure::new(format!(
            "The payment stand-in took no webhook ({}): {}",
            answer.status, answer.text
        )))
    }
}

/// `bytes` random bytes of the operating system, in hexadecimal.
pub(crate) fn random_hex(bytes: usize) -> Outcome<String> {
    let mut random = vec![0; bytes];
    let mut source =
        File::open("/dev/urandom").explain(|| "Could not open /dev/urandom".to_owned())?;
    source
        .read_exact(&mut random)
        .map_err(|error| Failure::new(format!("No random bytes: {error}.")))?;
    let digits = random.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    Ok(digits
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect())
}
