//! People and things of a test, each new: customers, the admin, products, orders.

use futures::future::join_all;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::{
    api::{Answer, Call},
    eventually::{PATIENCE, eventually_for_many},
    stack::Stack,
    tokens::Token,
    webhooks::seconds_now,
};

/// A card that pays.
pub const GOOD_CARD: &str = "pm_card_visa";
/// A card that the gateway declines when charged.
pub const BAD_CARD: &str = "pm_card_chargeCustomerFail";
/// A password within the limits.
pub const PASSWORD: &str = "correct horse battery staple";

/// How long an access token holds.
const TOKEN_SECONDS: i64 = 15 * 60;
/// How much longer the admin's token has to hold for a test to begin with it.
const ENOUGH_SECONDS: i64 = 10 * 60;

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub struct Person {
    /// The user's id.
    pub id: String,
    /// The access token.
    pub token: String,
}

/// A body for `POST /users` that nobody has sent before.
pub fn new_user() -> Value {
    json!({
        "email": format!("buyer-{}@example.com", Uuid::new_v4()),
        "password": PASSWORD,
        "name": "Ada Buyer",
    })
}

/// A product key that nobody has used before.
pub fn new_sku() -> String {
    format!("sku-{}", Uuid::new_v4())
}

/// An Idempotency-Key that nobody has used before.
pub fn new_key() -> String {
    Uuid::new_v4().to_string()
}

/// The body of an order of these quantities, paid with this card.
pub fn order_of(lines: &[(&str, u32)], card: &str) -> Value {
    let lines: Vec<Value> = lines
        .iter()
        .map(|(sku, quantity)| json!({"sku": sku, "quantity": quantity}))
        .collect();
    json!({"lines": lines, "payment_method": card})
}

/// An amount in euro cents.
pub fn euro_cents(amount: i64) -> Value {
    json!({"amount": amount, "currency": "EUR"})
}

/// The order id that the contract derives from the customer and the Idempotency-Key.
pub fn order_id(customer: &str, key: &str) -> String {
    let customer = Uuid::parse_str(customer).expect("a user id is a UUID");
    Uuid::new_v5(&customer, key.as_bytes()).to_string()
}

/// The names of an order's timeline, in order.
pub fn story_of(order: &Value) -> Vec<&str> {
    order["timeline"]
        .as_array()
        .expect("a timeline")
        .iter()
        .map(|entry| entry["event"].as_str().expect("an event"))
        .collect()
}

impl Stack {
    /// Signs in.
    pub async fn log_in(&self, email: &str, password: &str) -> Answer {
        self.login_call(email, password).send().await
    }

    /// The tokens of a new session of somebody whose password this is.
    pub async fn session(&self, email: &str, password: &str) -> Value {
        let answer = self.login_call(email, password).served().await;
        answer.expect(200).json()
    }

    fn login_call(&self, email: &str, password: &str) -> Call {
        let body = json!({"email": email, "password": password});
        self.api.post("/auth/login").json(&body)
    }

    /// Registers a user who isn't yet, and answers them.
    pub async fn register(&self, user: &Value) -> Value {
        let answer = self.api.post("/users").json(user).send().await;
        answer.expect(201).json()
    }

    /// Registers a user who isn't yet, logs them in, and answers the tokens of their first session.
    pub async fn first_session(&self, user: &Value) -> Value {
        self.register(user).await;
        let email = user["email"].as_str().expect("an address");
        self.session(email, PASSWORD).await
    }

    /// A customer who has registered and logged in just now.
    pub async fn new_customer(&self) -> Person {
        let user = new_user();
        let id = self.register(&user).await["id"].clone();
        let email = user["email"].as_str().expect("an address");
        let session = self.session(email, PASSWORD).await;
        Person {
            id: id.as_str().expect("an id").to_owned(),
            token: session["access_token"]
                .as_str()
                .expect("a token")
                .to_owned(),
        }
    }

    /// The admin whom the deployment created. All tests of the process share a login as long as its token
    /// holds for some minutes more.
    pub async fn admin(&self) -> Person {
        static ADMIN: Mutex<Option<Person>> = Mutex::const_new(None);
        let mut admin = ADMIN.lock().await;
        if let Some(admin) = &*admin
            && Token::read(&admin.token).expires_at() > seconds_now() + ENOUGH_SECONDS
        {
            return admin.clone();
        }
        let (email, password) = (self.setting("ADMIN_EMAIL"), self.setting("ADMIN_PASSWORD"));
        let session = self.session(email, password).await;
        let token = session["access_token"].as_str().expect("a token");
        let me = self.api.get("/users/me").bearer(token).send().await;
        let me = me.expect(200).json();
        let person = Person {
            id: me["id"].as_str().expect("an id").to_owned(),
            token: token.to_owned(),
        };
        admin.insert(person).clone()
    }

    /// A customer with this id.
    pub async fn customer_with_id(&self, id: &str) -> Person {
        self.person_in_role(id, "customer").await
    }

    /// Somebody of the support.
    pub async fn support(&self) -> Person {
        let id = Uuid::new_v4().to_string();
        self.person_in_role(&id, "support").await
    }

    /// Somebody with this id and role: the operator signs the token, so that many come quickly.
    async fn person_in_role(&self, id: &str, role: &str) -> Person {
        let mut token = Token::read(&self.admin().await.token);
        token.claims["sub"] = json!(id);
        token.claims["role"] = json!(role);
        let now = seconds_now();
        token.claims["iat"] = json!(now);
        token.claims["exp"] = json!(now + TOKEN_SECONDS);
        Person {
            id: id.to_owned(),
            token: token.signed_by(self).await,
        }
    }

    /// Many customers at once.
    pub async fn customers(&self, count: usize) -> Vec<Person> {
        join_all((0..count).map(async |_| self.customer_with_id(&Uuid::new_v4().to_string()).await))
            .await
    }

    /// A new product at this price in euro cents, with this much in stock.
    pub async fn new_product(&self, price: i64, stock: i64) -> String {
        self.new_product_in("EUR", price, stock).await
    }

    /// A new product at this price in minor units of this currency, with this much in stock.
    pub async fn new_product_in(&self, currency: &str, price: i64, stock: i64) -> String {
        let sku = new_sku();
        let product = json!({
            "name": format!("Thing {sku}"),
            "unit_price": {"amount": price, "currency": currency},
        });
        self.put_product(&sku, &product).await.expect(201);
        if stock > 0 {
            let stocked = self.adjustment_call(&sku, stock, &new_key()).await;
            stocked.served().await.expect(200);
        }
        sku
    }

    /// Describes a product as the admin.
    pub async fn put_product(&self, sku: &str, product: &Value) -> Answer {
        let admin = self.admin().await;
        self.api
            .put(&format!("/products/{sku}"))
            .bearer(&admin.token)
            .json(product)
            .send()
            .await
    }

    /// Adjusts the stock as the admin.
    pub async fn adjust_stock(&self, sku: &str, delta: i64, key: &str) -> Answer {
        self.adjustment_call(sku, delta, key).await.send().await
    }

    async fn adjustment_call(&self, sku: &str, delta: i64, key: &str) -> Call {
        let admin = self.admin().await;
        self.api
            .post(&format!("/products/{sku}/stock-adjustments"))
            .bearer(&admin.token)
            .key(key)
            .json(&json!({"delta": delta, "reason": "stocktaking"}))
    }

    /// `GET /products/{sku}`, past what any execution environment has kept of it: a test that has just
    /// changed something wants to see just that.
    pub async fn product(&self, sku: &str) -> Answer {
        let path = format!("/products/{sku}");
        self.api.get(&path).anew().served().await
    }

    /// What the shop says is available.
    pub async fn available(&self, sku: &str) -> i64 {
        let product = self.product(sku).await.expect(200).json();
        product["available"].as_i64().expect("a number")
    }

    /// A signed-in `POST /orders`, not sent yet.
    pub fn order_call(&self, buyer: &Person, key: &str, order: &Value) -> Call {
        self.api
            .post("/orders")
            .bearer(&buyer.token)
            .key(key)
            .json(order)
    }

    /// Places an order and answers its id.
    pub async fn place(&self, buyer: &Person, order: &Value) -> String {
        let placed = self
            .order_call(buyer, &new_key(), order)
            .served()
            .await
            .expect(202)
            .json();
        placed["id"].as_str().expect("an id").to_owned()
    }

    /// The order as its buyer sees it once it is terminal.
    pub async fn settled(&self, buyer: &Person, order_id: &str) -> Value {
        eventually_for_many(
            &format!("order {order_id} is terminal"),
            PATIENCE,
            async || {
                let order = self.order(buyer, order_id).await.expect(200).json();
                match order["status"].as_str() {
                    Some("CONFIRMED" | "REJECTED" | "CANCELLED") => Ok(order),
                    _ => Err(order.to_string()),
                }
            },
        )
        .await
    }

    /// `GET /orders/{id}`
    pub async fn order(&self, buyer: &Person, order_id: &str) -> Answer {
        self.api
            .get(&format!("/orders/{order_id}"))
            .bearer(&buyer.token)
            .served()
            .await
    }

    /// `GET /orders/{id}/payment`
    pub async fn payment(&self, buyer: &Person, order_id: &str) -> Answer {
        self.api
            .get(&format!("/orders/{order_id}/payment"))
            .bearer(&buyer.token)
            .served()
            .await
    }

    /// Places an order and waits until it is terminal.
    pub async fn buy(&self, buyer: &Person, order: &Value) -> Value {
        let id = self.place(buyer, order).await;
        self.settled(buyer, &id).await
    }

    /// Everything that a paged route lists, two at a time to the end.
    pub async fn listed(&self, path: &str, reader: Option<&Person>) -> Vec<Value> {
        self.pages(path, reader, &[("limit", "2")]).await.concat()
    }

    /// The items of every page that a route lists when it is asked in this way, to the end. As they are now:
    /// see [`product`](Self::product).
    pub async fn pages(
        &self,
        path: &str,
        reader: Option<&Person>,
        query: &[(&str, &str)],
    ) -> Vec<Vec<Value>> {
        let limit = query.iter().find(|(name, _)| *name == "limit");
        let limit = limit.map_or(20, |(_, limit)| limit.parse::<usize>().expect("a number"));
        let (mut pages, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let mut query = query.to_vec();
            query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
            let mut call = self.api.get(path).anew().query(&query);
            if let Some(reader) = reader {
                call = call.bearer(&reader.token);
            }
            let page = call.send().await.expect(200).json();
            let items = page["items"].as_array().expect("items");
            assert!(items.len() <= limit, "more than asked for: {page}");
            pages.push(items.clone());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = Some(next.to_owned()),
                None => return pages,
            }
        }
    }
}
