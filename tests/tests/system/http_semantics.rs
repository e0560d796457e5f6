//! What HTTP itself says about requests and answers: HEAD, OPTIONS and CORS, paths and methods that aren't
//! there, conditional requests, caching and compression.

use std::collections::BTreeSet;

use oxcart_tests::{
    aftersales::refund_of,
    api::{Answer, Call},
    document::{Document, METHODS, Operation},
    eventually::{PATIENCE, eventually},
    shop::{
        GOOD_CARD, PASSWORD, Person, euro_cents, new_key, new_sku, new_user, order_id, order_of,
    },
    stack::Stack,
    template::yaml,
    tokens::Token,
};
use serde_json::{Value, json};
use uuid::Uuid;

/// An origin whose pages may call the API: that of a front-end's development server, as the local stack is
/// deployed.
const ORIGIN: &str = "http://localhost:5173";
/// What answers have to hold to be compressed, in bytes.
const WORTH_COMPRESSING: usize = 1400;

#[tokio::test]
async fn head_answers_as_get_does_without_a_body() {
    let stack = Stack::connect().await;
    let things = Things::make(&stack).await;

    for operation in readings() {
        // What others do meanwhile may change what there is to read.
        let (get, head, unchanged) = eventually("nothing changes", PATIENCE, async || {
            let get = things.call(&stack, "GET", &operation).send().await;
            let head = things.call(&stack, "HEAD", &operation).send().await;
            let unchanged = match get.header("ETag") {
                Some(tag) => {
                    let call = things.call(&stack, "HEAD", &operation);
                    Some(call.header("If-None-Match", tag).send().await)
                }
                None => None,
            };
            let again = things.call(&stack, "GET", &operation).send().await;
            if described(&again) == described(&get) {
                Ok((get.expect(200), head, unchanged))
            } else {
                Err(format!("{} answered {}", get.what, again.text()))
            }
        })
        .await;
        assert!(!get.body.is_empty(), "{} answered nothing", get.what);
        assert_eq!(described(&head), described(&get), "{}", head.what);
        assert!(head.body.is_empty(), "{}: {}", head.what, head.text());
        if let Some(unchanged) = unchanged {
            let unchanged = unchanged.expect(304);
            assert_eq!(
                unchanged.header("ETag"),
                get.header("ETag"),
                "{}",
                unchanged.what
            );
        }
    }
}

#[tokio::test]
async fn head_tells_as_much_of_what_is_not_there_as_get_does() {
    let stack = Stack::connect().await;
    let buyer = stack.new_customer().await;

    for path in [
        format!("/products/{}", new_sku()),
        format!("/orders/{}", Uuid::new_v4()),
        format!("/orders/{}/payment", Uuid::new_v4()),
        "/products?limit=0".to_owned(),
        "/orders?status=LOST".to_owned(),
        "/docs/nothing.js".to_owned(),
        "/problems/none".to_owned(),
        "/nothing-at-all".to_owned(),
    ] {
        let get = stack.api.get(&path).bearer(&buyer.token).send().await;
        let head = stack.api.head(&path).bearer(&buyer.token).send().await;
        assert!(matches!(get.status, 400 | 404), "{}", get.what);
        assert_eq!(described(&head), described(&get), "{}", head.what);
        assert!(head.body.is_empty(), "{}: {}", head.what, head.text());
    }
}

#[tokio::test]
async fn head_needs_the_token_that_get_needs() {
    let stack = Stack::connect().await;
    let things = Things::make(&stack).await;
    let forged = Token::read(&things.buyer.token).signed_by_a_stranger();

    let operations = Document::read().operations("GET");
    let protected = operations.iter().filter(|operation| operation.is_protected);
    for operation in protected {
        let path = things.path_of(&operation.id);
        let [get, head] = ["GET", "HEAD"].map(|method| stack.api.of_method(method, &path));
        let (get, head) = (get.bearer(&forged).send(), head.bearer(&forged).send());
        let (get, head) = (get.await.expect(401), head.await.expect(401));
        assert_eq!(described(&head), described(&get), "{}", head.what);
        assert!(head.body.is_empty(), "{}: {}", head.what, head.text());

        // No header at all: the gateway refuses this itself.
        stack.api.head(&path).send().await.expect(401);
    }
}

#[tokio::test]
async fn a_page_of_an_allowed_origin_may_send_all_that_the_api_takes() {
    let stack = Stack::connect().await;
    let cors = cors();

    for (path, method) in [
        ("/orders", "POST"),
        ("/users/me", "PATCH"),
        ("/products", "GET"),
    ] {
        let preflight = preflight(&stack, ORIGIN, path, method).await;
        assert!(
            matches!(preflight.status, 200 | 204),
            "{}: {}",
            preflight.what,
            preflight.text()
        );
        let allowed = preflight.header("Access-Control-Allow-Origin");
        assert_eq!(allowed, Some(ORIGIN));
        for (header, setting) in [
            ("Access-Control-Allow-Methods", "AllowMethods"),
            ("Access-Control-Allow-Headers", "AllowHeaders"),
        ] {
            assert_eq!(set_of(&preflight, header), texts(&cors[setting]));
        }
        // Tokens travel in a header of the page's own, so nothing is sent along unasked.
        let credentials = preflight.header("Access-Control-Allow-Credentials");
        assert_eq!(credentials, None);
    }

    let needed: [(&str, &[&str]); 3] = [
        (
            "AllowMethods",
            &["get", "head", "post", "put", "patch", "delete"],
        ),
        (
            "AllowHeaders",
            &[
                "authorization",
                "cache-control",
                "content-type",
                "idempotency-key",
                "if-none-match",
                "prefer",
            ],
        ),
        (
            "ExposeHeaders",
            &[
                "allow",
                "etag",
                "idempotent-replay",
                "location",
                "preference-applied",
                "retry-after",
            ],
        ),
    ];
    for (setting, names) in needed {
        let listed = texts(&cors[setting]);
        for name in names {
            assert!(listed.contains(*name), "{setting} has no {name}");
        }
    }
}

#[tokio::test]
async fn a_page_of_an_allowed_origin_may_read_what_it_gets() {
    let stack = Stack::connect().await;
    let exposed = texts(&cors()["ExposeHeaders"]);

    for (path, status) in [
        ("/products?limit=1", 200),
        ("/products/no-such-thing", 404),
        ("/nothing-at-all", 404),
        ("/users/me", 401),
    ] {
        let call = stack.api.get(path).header("Origin", ORIGIN);
        // The gateway's own refusal has no headers of ours: this token is refused by the function.
        let answer = call.bearer("forged").send().await.expect(status);
        let allowed = answer.header("Access-Control-Allow-Origin");
        assert_eq!(allowed, Some(ORIGIN), "{}", answer.what);
        let readable = set_of(&answer, "Access-Control-Expose-Headers");
        assert_eq!(readable, exposed, "{}", answer.what);
        assert!(
            answer.items_of("Vary").contains(&"origin".to_owned()),
            "{}: a cache would show this to other origins",
            answer.what
        );
    }
}

#[tokio::test]
async fn a_page_of_another_origin_may_neither_send_nor_read() {
    let stack = Stack::connect().await;

    for origin in [
        "https://shop.example",
        "https://localhost:5173",
        "http://localhost:5174",
        "http://localhost:5173.shop.example",
        "null",
    ] {
        let preflight = preflight(&stack, origin, "/orders", "POST").await;
        let call = stack.api.get("/products?limit=1").header("Origin", origin);
        let read = call.send().await.expect(200);
        for answer in [preflight, read] {
            for header in [
                "Access-Control-Allow-Origin",
                "Access-Control-Expose-Headers",
            ] {
                assert_eq!(
                    answer.header(header),
                    None,
                    "{origin}: {} has {header}",
                    answer.what
                );
            }
        }
    }
}

#[tokio::test]
async fn a_path_that_nothing_is_under_is_not_found() {
    let stack = Stack::connect().await;
    let buyer = stack.new_customer().await;

    for path in [
        "/",
        "/nothing-at-all",
        "/Products",
        "/products/tea/stock",
        "/orders/1/2/3",
        "/docs/assets/page.js",
        "/.well-known/nothing",
    ] {
        for method in METHODS {
            let call = stack.api.of_method(method, path).bearer(&buyer.token);
            let answer = call.send().await;
            answer.problem(404, "not-found");
            assert_eq!(answer.header("Cache-Control"), Some("no-store"));
            assert_eq!(answer.header("Allow"), None, "{}", answer.what);
        }
    }
}

#[tokio::test]
async fn a_method_that_a_path_does_not_take_is_refused_with_those_that_it_does() {
    let stack = Stack::connect().await;
    let document = Document::read();

    for path in document.paths() {
        let (taken, address) = (document.methods(path), filled(path));
        let expected = allowed(&taken);
        for method in METHODS {
            if taken.contains(method) {
                continue;
            }
            // It is refused to everybody, so nobody has to sign in to hear of it.
            let answer = stack.api.of_method(method, &address).send().await;
            answer.problem(405, "method-not-allowed");
            assert_eq!(set_of(&answer, "Allow"), expected, "{}", answer.what);
        }
        if !taken.contains("GET") {
            let answer = stack.api.head(&address).send().await.expect(405);
            assert_eq!(set_of(&answer, "Allow"), expected, "{}", answer.what);
            assert!(answer.body.is_empty(), "{}: {}", answer.what, answer.text());
        }
    }
}

/// Asked of the function: where pages of other origins may call the API, the gateway answers all OPTIONS
/// itself and takes them for preflights.
#[tokio::test]
async fn options_tells_which_methods_a_path_takes() {
    let stack = Stack::connect().await;
    let document = Document::read();

    for path in document.paths() {
        let answer = options(&stack, &filled(path)).await.expect(204);
        let expected = allowed(&document.methods(path));
        assert_eq!(set_of(&answer, "Allow"), expected, "{}", answer.what);
        assert!(answer.body.is_empty(), "{}: {}", answer.what, answer.text());
    }
    let nothing = options(&stack, "/nothing-at-all").await;
    nothing.problem(404, "not-found");
}

#[tokio::test]
async fn what_a_reader_has_already_is_not_sent_again_until_it_changes() {
    let stack = Stack::connect().await;
    let things = Things::make(&stack).await;
    let (buyer, sku) = (&things.buyer, &things.sku);
    let operations = Document::read().operations("GET");
    let read = |id: &str, tag: &str| {
        let mut found = operations.iter();
        let operation = found.find(|operation| operation.id == id).expect(id);
        let call = things.call(&stack, "GET", operation);
        call.header("If-None-Match", tag).send()
    };
    let known = [
        "get-product",
        "list-products",
        "get-order",
        "list-orders",
        "search-orders",
    ];
    let mut tags = Vec::new();
    for id in known {
        let first = read(id, "\"another\"").await.expect(200);
        let tag = first.header("ETag").expect("an ETag").to_owned();
        for held in [
            tag.clone(),
            format!("W/{tag}"),
            format!("\"another\", {tag}"),
            "*".to_owned(),
        ] {
            let unchanged = read(id, &held).await.expect(304);
            assert!(unchanged.body.is_empty(), "{id}: {}", unchanged.text());
            assert_eq!(unchanged.header("ETag"), Some(tag.as_str()), "{id}");
            assert_eq!(caching(&unchanged), caching(&first), "{id}");
        }
        tags.push(tag);
    }

    stack.adjust_stock(sku, 1, &new_key()).await.expect(200);
    stack.cancel(buyer, &things.order_id).await.expect(202);

    for (id, tag) in known.into_iter().zip(&tags) {
        let changed = read(id, tag).await.expect(200);
        assert_ne!(changed.header("ETag"), Some(tag.as_str()), "{id}");
        assert!(!changed.body.is_empty(), "{id}");
    }
    stack.settled(buyer, &things.order_id).await;
}

#[tokio::test]
async fn every_reading_says_who_may_keep_it_and_for_how_long() {
    let stack = Stack::connect().await;
    let things = Things::make(&stack).await;

    for operation in readings() {
        // What was kept for a while may have no whole second left.
        let call = things.call(&stack, "GET", &operation).anew();
        let answer = call.send().await.expect(200);
        let expected = match operation.id.as_str() {
            "get-user" | "get-payment" => "no-store",
            "get-order" | "list-orders" | "search-orders" | "examine-order" | "list-queues"
            | "list-dead-letters" | "audit-books" => "private, no-cache",
            "get-product" | "list-products" => "public, max-age=, must-revalidate",
            "publish-keys" | "describe-issuer" | "read-openapi" => {
                "public, max-age=300, must-revalidate"
            }
            "serve-docs" | "serve-console" | "explain-problem" => "no-cache",
            "read-docs-asset" => "public, max-age=31536000, immutable",
            other => panic!("{other} has no rule here: add one"),
        };
        assert_eq!(caching(&answer), expected, "{}", answer.what);
        assert_eq!(
            answer.header("ETag").is_some(),
            expected != "no-store",
            "{}: what may be kept can be asked for again, and nothing else",
            answer.what
        );
    }
}

#[tokio::test]
async fn nobody_keeps_the_answer_to_a_change_or_a_refusal() {
    let stack = Stack::connect().await;
    let things = Things::make(&stack).await;
    let (admin, support) = (stack.admin().await, stack.support().await);
    let leaver = stack.new_customer().await;
    let (buyer, sku) = (&things.buyer, &things.sku);
    let (user, order) = (new_user(), order_of(&[(sku, 1)], GOOD_CARD));
    let registered = stack.api.post("/users").json(&user).send().await;
    let email = user["email"].as_str().unwrap();
    let session = stack.log_in(email, PASSWORD).await.expect(200);
    let refresh_token = json!({"refresh_token": session.json()["refresh_token"]});
    let refreshed = stack.api.post("/auth/refresh").json(&refresh_token);
    let left = stack.api.post("/auth/logout").json(&refresh_token);
    let renamed = stack.api.patch("/users/me").bearer(&buyer.token);
    let product = json!({"name": sku, "unit_price": euro_cents(1250)});
    let refund = stack.refund_call(&support, &things.order_id, &new_key(), &refund_of(1, "x"));
    let keyless = stack.api.post("/orders").bearer(&buyer.token).json(&order);

    for (answer, status) in [
        (registered, 201),
        (session, 200),
        (refreshed.send().await, 200),
        (left.send().await, 204),
        (renamed.json(&json!({"name": "Ada"})).send().await, 200),
        (stack.put_product(sku, &product).await, 200),
        (stack.put_product(&new_sku(), &product).await, 201),
        (stack.adjust_stock(sku, 1, &new_key()).await, 200),
        (
            stack.order_call(buyer, &things.key, &order).send().await,
            202,
        ),
        (refund.send().await, 202),
        (
            stack.webhook(&json!({"note": "of no kind"})).send().await,
            204,
        ),
        (
            stack
                .change_password(&leaver, PASSWORD, "a battery staple")
                .await,
            204,
        ),
        (stack.erase_user(&leaver).await, 204),
        (stack.cancel(buyer, &things.order_id).await, 202),
        // And refusals.
        (keyless.send().await, 400),
        (stack.log_in(email, "a wrong password").await, 401),
        (
            stack.api.get("/users/me").bearer("forged").send().await,
            401,
        ),
        (stack.order_call(&support, "k", &order).send().await, 403),
        (stack.product(&new_sku()).await, 404),
        (stack.order(&admin, &things.order_id).await, 404),
        (stack.api.delete("/products").send().await, 405),
        (stack.api.post("/users").json(&user).send().await, 409),
    ] {
        let answer = answer.expect(status);
        assert_eq!(
            answer.header("Cache-Control"),
            Some("no-store"),
            "{} answered {status}",
            answer.what
        );
    }
    stack.settled(buyer, &things.order_id).await;
}

#[tokio::test]
async fn a_long_answer_is_compressed_for_who_takes_that() {
    let stack = Stack::connect().await;
    let things = Things::make(&stack).await;
    let family = things.sku.as_str();
    for number in 0..10 {
        let described = json!({
            "name": format!("{family} {number}"),
            "description": "Holds tea, and hardly ever spills any. ".repeat(3),
            "unit_price": euro_cents(1250),
        });
        let sku = new_sku();
        stack.put_product(&sku, &described).await.expect(201);
    }
    let wordy = new_sku();
    let described = json!({
        "name": format!("Wordy {wordy}"),
        "description": "A mug. ".repeat(280),
        "unit_price": euro_cents(1250),
    });
    stack.put_product(&wordy, &described).await.expect(201);
    let order = an_order_of_many_lines(&stack, &things.buyer).await;

    for path in [
        format!("/products?name_prefix={family}"),
        format!("/products/{wordy}"),
        format!("/orders/{order}"),
        "/orders".to_owned(),
    ] {
        let read = |method: &str, accepted: Option<&str>, tag: Option<&str>| {
            let call = stack.api.of_method(method, &path).anew();
            let call = call.bearer(&things.buyer.token);
            let headers = [("Accept-Encoding", accepted), ("If-None-Match", tag)];
            let headers = headers
                .into_iter()
                .filter_map(|(name, value)| Some((name, value?)));
            headers
                .fold(call, |call, (name, value)| call.header(name, value))
                .send()
        };
        let plain = read("GET", None, None).await.expect(200);
        let zipped = read("GET", Some("br, gzip"), None).await.expect(200);

        assert!(plain.body.len() >= WORTH_COMPRESSING, "{path}");
        assert_eq!(zipped.header("Content-Encoding"), Some("gzip"), "{path}");
        assert!(zipped.body.len() < plain.body.len() / 2, "{path}");
        assert_eq!(zipped.decoded(), plain.body, "{path}");
        for answer in [&plain, &zipped] {
            assert!(
                answer
                    .items_of("Vary")
                    .contains(&"accept-encoding".to_owned()),
                "{path}: a cache would send one for the other"
            );
        }

        // The bytes differ, so a tag that is strong can't be that of both.
        let [plain_tag, tag] = [&plain, &zipped].map(|answer| answer.header("ETag").unwrap());
        assert!(plain_tag.starts_with('"'), "{path}: {plain_tag}");
        assert!(tag.starts_with("W/\"") || tag != plain_tag, "{path}: {tag}");
        let unchanged = read("GET", Some("gzip"), Some(tag)).await.expect(304);
        assert_eq!(unchanged.header("ETag"), Some(tag), "{path}");
        assert!(unchanged.body.is_empty(), "{path}");

        let head = read("HEAD", Some("gzip"), None).await;
        assert_eq!(described_of(&head), described_of(&zipped), "{path}");
        for unwilling in ["identity", "br", "gzip;q=0", "gzip;q=0.0, br;q=1"] {
            let answer = read("GET", Some(unwilling), None).await.expect(200);
            let coding = answer.header("Content-Encoding");
            assert_eq!(coding, None, "{path} for {unwilling}");
            assert_eq!(answer.body, plain.body, "{path} for {unwilling}");
        }
    }
}

#[tokio::test]
async fn what_is_short_or_secret_is_not_compressed() {
    let stack = Stack::connect().await;
    let things = Things::make(&stack).await;
    let user = new_user();
    let email = stack.register(&user).await["email"].clone();
    let login = json!({"email": email, "password": PASSWORD});
    let session = stack.api.post("/auth/login").json(&login);
    let session = session.header("Accept-Encoding", "gzip").send().await;
    let session = session.expect(200);
    let token = json!({"refresh_token": session.json()["refresh_token"]});
    let refresh = stack.api.post("/auth/refresh").json(&token);

    let get = |path: &str| stack.api.get(path).bearer(&things.buyer.token);
    let long_payment = a_payment_of_many_words(&stack, &things.buyer).await;
    let (product, order) = (
        format!("/products/{}", things.sku),
        format!("/orders/{}", things.order_id),
    );
    for call in [
        refresh,
        get("/users/me"),
        get(&product),
        get(&order),
        get(&long_payment),
        get("/.well-known/openid-configuration"),
    ] {
        let answer = call.header("Accept-Encoding", "gzip").send().await;
        let answer = answer.expect(200);
        let coding = answer.header("Content-Encoding");
        assert_eq!(coding, None, "{}", answer.what);
        // It is not so because it is short, where that isn't the reason.
        let is_long = answer.body.len() >= WORTH_COMPRESSING;
        assert_eq!(is_long, answer.what.contains(&long_payment));
    }
    assert_eq!(session.header("Content-Encoding"), None);
}

/// The operations that read, but those of health: what these answer depends on more than on who asks for what. They
/// have tests of their own.
fn readings() -> Vec<Operation> {
    let mut readings = Document::read().operations("GET");
    readings.retain(|operation| !["/health", "/ready"].contains(&operation.path.as_str()));
    readings
}

/// Something to read for every operation that reads.
struct Things {
    /// The key under which the order was placed.
    key: String,
    order_id: String,
    buyer: Person,
    admin: Person,
    /// A product that is named as its sku is.
    sku: String,
    asset: String,
}

impl Things {
    async fn make(stack: &Stack) -> Self {
        let (buyer, sku, key) = (stack.new_customer().await, new_sku(), new_key());
        let product = json!({"name": sku, "unit_price": euro_cents(1250)});
        stack.put_product(&sku, &product).await.expect(201);
        stack.adjust_stock(&sku, 9, &new_key()).await.expect(200);
        let order = order_of(&[(&sku, 1)], GOOD_CARD);
        let placed = stack.order_call(&buyer, &key, &order).send().await;
        placed.expect(202);
        let order_id = order_id(&buyer.id, &key);
        let settled = stack.settled(&buyer, &order_id).await;
        assert_eq!(settled["status"], "CONFIRMED", "{settled}");
        Self {
            key,
            order_id,
            buyer,
            admin: stack.admin().await,
            sku,
            asset: stack.docs_asset().await,
        }
    }

    fn path_of(&self, operation: &str) -> String {
        match operation {
            "get-user" => "/users/me".to_owned(),
            "publish-keys" => "/.well-known/jwks.json".to_owned(),
            "describe-issuer" => "/.well-known/openid-configuration".to_owned(),
            "list-products" => format!("/products?name_prefix={}", self.sku),
            "get-product" => format!("/products/{}", self.sku),
            "list-orders" => "/orders".to_owned(),
            "search-orders" => format!("/operations/orders?customer_id={}", self.buyer.id),
            "examine-order" => format!("/operations/orders/{}", self.order_id),
            "list-queues" => "/operations/queues".to_owned(),
            "list-dead-letters" => "/operations/queues/refunds-dlq/messages".to_owned(),
            // A day before there were orders, whose books stay as they are.
            "audit-books" => "/operations/books?day=2020-01-01".to_owned(),
            "serve-console" => "/console".to_owned(),
            "get-order" => format!("/orders/{}", self.order_id),
            "get-payment" => format!("/orders/{}/payment", self.order_id),
            "serve-docs" => "/docs".to_owned(),
            "read-docs-asset" => self.asset.clone(),
            "read-openapi" => "/openapi.json".to_owned(),
            "explain-problem" => "/problems/not-found".to_owned(),
            other => panic!("{other} reads nothing here: add something"),
        }
    }

    /// An operation that reads, called by who may, past what was kept.
    fn call(&self, stack: &Stack, method: &str, operation: &Operation) -> Call {
        let path = self.path_of(&operation.id);
        let call = stack.api.of_method(method, &path).anew();
        // What looks after the shop is not for customers.
        if operation.path.starts_with("/operations/") {
            call.bearer(&self.admin.token)
        } else if operation.is_protected {
            call.bearer(&self.buyer.token)
        } else {
            call
        }
    }
}

/// An order that nobody will sell, of as many lines as an order may have. Answers its id once it has ended.
async fn an_order_of_many_lines(stack: &Stack, buyer: &Person) -> String {
    let lines: Vec<Value> = (0..50)
        .map(|number| json!({"sku": format!("none-{number}"), "quantity": 1}))
        .collect();
    let order = json!({"lines": lines, "payment_method": GOOD_CARD});
    let settled = stack.buy(buyer, &order).await;
    settled["id"].as_str().unwrap().to_owned()
}

/// Where a payment is read that is worth compressing: the reasons of its refunds are long.
async fn a_payment_of_many_words(stack: &Stack, buyer: &Person) -> String {
    let order_id = Uuid::new_v4().to_string();
    let charge = json!({
        "order_id": order_id,
        "customer_id": buyer.id,
        "amount": euro_cents(700),
        "payment_method": GOOD_CARD,
    });
    stack.answer_of("charge-payment", &charge).await;
    let (support, refund) = (stack.support().await, refund_of(1, &"chipped ".repeat(24)));
    for _ in 0..5 {
        let call = stack.refund_call(&support, &order_id, &new_key(), &refund);
        call.send().await.expect(202);
    }
    format!("/orders/{order_id}/payment")
}

async fn options(stack: &Stack, path: &str) -> Answer {
    let (function, route) = ("answer-unrouted", "$default");
    let answer = stack.handed(function, route, "OPTIONS", path, Value::Null);
    answer.await
}

async fn preflight(stack: &Stack, origin: &str, path: &str, method: &str) -> Answer {
    let call = stack
        .api
        .of_method("OPTIONS", path)
        .header("Origin", origin);
    let call = call.header("Access-Control-Request-Method", method);
    let headers = "authorization, content-type, idempotency-key, if-none-match, prefer";
    let call = call.header("Access-Control-Request-Headers", headers);
    call.send().await
}

/// What the template says of CORS, for a stack that has origins to allow.
fn cors() -> Value {
    let template = yaml("infra/template.yaml");
    template["Resources"]["HttpApi"]["Properties"]["CorsConfiguration"]["Fn::If"][1].clone()
}

/// A list of texts in lower case, in no order.
fn texts(list: &Value) -> BTreeSet<String> {
    let texts = list.as_array().expect("a list").iter();
    texts
        .map(|text| text.as_str().expect("a text").to_ascii_lowercase())
        .collect()
}

/// A header that is a list, in lower case and in no order.
fn set_of(answer: &Answer, header: &str) -> BTreeSet<String> {
    answer.items_of(header).into_iter().collect()
}

/// What `Allow` has to list for a path that has these operations.
fn allowed(methods: &BTreeSet<&str>) -> BTreeSet<String> {
    let head = methods.contains("GET").then_some("HEAD");
    let all = methods.iter().copied().chain(head).chain(["OPTIONS"]);
    all.map(str::to_ascii_lowercase).collect()
}

/// A path with something in place of its parameters.
fn filled(path: &str) -> String {
    let fill = |part: &str| {
        if part.starts_with('{') {
            Uuid::new_v4().to_string()
        } else {
            part.to_owned()
        }
    };
    path.split('/').map(fill).collect::<Vec<_>>().join("/")
}

/// An answer without its body, and without what is different each time.
fn described(answer: &Answer) -> (u16, String, [Option<&str>; 5]) {
    let headers = [
        "Content-Type",
        "ETag",
        "Content-Encoding",
        "Vary",
        "WWW-Authenticate",
    ];
    let headers = headers.map(|name| answer.header(name));
    (answer.status, caching(answer), headers)
}

/// The same of an answer that must be there.
fn described_of(answer: &Answer) -> (u16, String, [Option<&str>; 5]) {
    assert_eq!(answer.status, 200, "{}", answer.what);
    described(answer)
}

/// Who may keep an answer. Products may be kept for what is left of a few seconds.
fn caching(answer: &Answer) -> String {
    let caching = answer.header("Cache-Control").unwrap_or_default();
    let seconds = caching
        .strip_prefix("public, max-age=")
        .and_then(|rest| rest.strip_suffix(", must-revalidate"));
    match seconds {
        Some(seconds) if seconds.len() == 1 => "public, max-age=, must-revalidate".to_owned(),
        _ => caching.to_owned(),
    }
}
