//! Every saga step may be repeated, and every undo is final: each is invoked as Step Functions would,
//! for orders of its own that no saga touches.

use oxcart_tests::{
    shop::{BAD_CARD, GOOD_CARD, euro_cents},
    stack::Stack,
};
use serde_json::{Value, json};
use uuid::Uuid;

#[tokio::test]
async fn reserving_twice_answers_the_same_and_takes_the_stock_once() {
    let stack = Stack::connect().await;
    let order = Order::new(&stack.new_product(500, 10).await, 4);

    let first = stack.answer_of("reserve-stock", &order.reserve()).await;
    assert_eq!(first["lines"], order.priced_lines());
    assert_eq!(first["total"], euro_cents(2000));
    assert_eq!(events_of(&first), ["stock.reserved"]);

    assert_eq!(
        stack.answer_of("reserve-stock", &order.reserve()).await,
        first
    );
    assert_eq!(stack.available(&order.sku).await, 6);
}

#[tokio::test]
async fn a_reservation_keeps_its_prices_when_the_product_gets_dearer() {
    let stack = Stack::connect().await;
    let order = Order::new(&stack.new_product(500, 10).await, 4);

    let first = stack.answer_of("reserve-stock", &order.reserve()).await;
    let dearer = json!({"name": "Dearer thing", "unit_price": euro_cents(900)});
    stack.put_product(&order.sku, &dearer).await.expect(200);

    assert_eq!(
        stack.answer_of("reserve-stock", &order.reserve()).await,
        first
    );
}

#[tokio::test]
async fn releasing_twice_gives_the_stock_back_once_and_is_final() {
    let stack = Stack::connect().await;
    let order = Order::new(&stack.new_product(500, 10).await, 4);

    stack.answer_of("reserve-stock", &order.reserve()).await;
    let first = stack.answer_of("release-stock", &order.release()).await;
    assert_eq!(events_of(&first), ["stock.released"]);
    assert_eq!(stack.available(&order.sku).await, 10);

    assert_eq!(
        stack.answer_of("release-stock", &order.release()).await,
        first
    );
    assert_eq!(stack.available(&order.sku).await, 10);
    assert_eq!(
        stack.error_of("reserve-stock", &order.reserve()).await,
        "ReservationClosed"
    );
    assert_eq!(stack.available(&order.sku).await, 10);
}

#[tokio::test]
async fn a_release_before_the_reservation_refuses_the_late_reservation() {
    let stack = Stack::connect().await;
    let order = Order::new(&stack.new_product(500, 10).await, 4);

    for _ in 0..2 {
        let released = stack.answer_of("release-stock", &order.release()).await;
        assert_eq!(
            released,
            json!({"timeline": []}),
            "nothing was held, so nothing is told"
        );
    }
    assert_eq!(
        stack.error_of("reserve-stock", &order.reserve()).await,
        "ReservationClosed"
    );
    assert_eq!(stack.available(&order.sku).await, 10);
}

#[tokio::test]
async fn a_reservation_refused_once_may_succeed_later() {
    let stack = Stack::connect().await;
    let order = Order::new(&stack.new_product(500, 3).await, 4);

    for _ in 0..2 {
        assert_eq!(
            stack.error_of("reserve-stock", &order.reserve()).await,
            "OutOfStock"
        );
    }
    stack
        .adjust_stock(&order.sku, 1, &Uuid::new_v4().to_string())
        .await
        .expect(200);
    stack.answer_of("reserve-stock", &order.reserve()).await;
    assert_eq!(stack.available(&order.sku).await, 0);
}

#[tokio::test]
async fn charging_twice_takes_the_money_once() {
    let stack = Stack::connect().await;
    let order = Order::new("not-asked-for", 4);

    let first = stack
        .answer_of("charge-payment", &order.charge(GOOD_CARD))
        .await;
    assert_eq!(events_of(&first), ["payment.charged"]);
    assert_eq!(
        stack
            .answer_of("charge-payment", &order.charge(GOOD_CARD))
            .await,
        first
    );

    let books = stack.gateway.books().await;
    assert_eq!(books.intents_for(&order.id).len(), 1);
    assert_eq!(books.charged(&order.id), 2000);
}

#[tokio::test]
async fn refunding_twice_gives_the_money_back_once_and_is_final() {
    let stack = Stack::connect().await;
    let order = Order::new("not-asked-for", 4);

    stack
        .answer_of("charge-payment", &order.charge(GOOD_CARD))
        .await;
    let first = stack.answer_of("refund-payment", &order.refund()).await;
    assert_eq!(first["payment_status"], "REFUNDED");
    assert_eq!(events_of(&first), ["payment.refunded"]);
    assert_eq!(
        stack.answer_of("refund-payment", &order.refund()).await,
        first
    );
    assert_eq!(
        stack
            .error_of("charge-payment", &order.charge(GOOD_CARD))
            .await,
        "PaymentClosed"
    );

    let books = stack.gateway.books().await;
    assert_eq!(books.refunds_for(&order.id).len(), 1);
    assert_eq!(
        (books.charged(&order.id), books.refunded(&order.id)),
        (2000, 2000)
    );
}

#[tokio::test]
async fn a_refund_before_the_charge_refuses_the_late_charge() {
    let stack = Stack::connect().await;
    let order = Order::new("not-asked-for", 4);

    for _ in 0..2 {
        let refunded = stack.answer_of("refund-payment", &order.refund()).await;
        assert_eq!(
            refunded,
            json!({"payment_status": "CANCELLED", "timeline": []})
        );
    }
    assert_eq!(
        stack
            .error_of("charge-payment", &order.charge(GOOD_CARD))
            .await,
        "PaymentClosed"
    );
    assert_eq!(stack.gateway.books().await.charged(&order.id), 0);
}

#[tokio::test]
async fn a_declined_charge_stays_declined_and_needs_no_refund() {
    let stack = Stack::connect().await;
    let order = Order::new("not-asked-for", 4);

    for _ in 0..2 {
        let declined = stack
            .invoke("charge-payment", &order.charge(BAD_CARD))
            .await;
        assert_eq!(declined.error(), "PaymentDeclined");
    }
    let first = stack.answer_of("refund-payment", &order.refund()).await;
    assert_eq!(first["payment_status"], "DECLINED");
    assert_eq!(events_of(&first), ["payment.declined"]);
    assert_eq!(
        stack.answer_of("refund-payment", &order.refund()).await,
        first
    );

    let books = stack.gateway.books().await;
    assert_eq!(
        (books.charged(&order.id), books.refunded(&order.id)),
        (0, 0)
    );
}

#[tokio::test]
async fn a_charge_that_waits_for_its_customer_can_be_given_up() {
    let stack = Stack::connect().await;
    let order = Order::new("not-asked-for", 4);
    let charge = order.charge(&stack.three_d_secure_card().await);

    for _ in 0..2 {
        let waiting = stack.error_of("charge-payment", &charge).await;
        assert_eq!(waiting, "PaymentActionRequired");
    }
    let wait = order.with(&json!({"task_token": "of-no-task"}));
    assert_eq!(stack.answer_of("await-action", &wait).await, json!({}));
    let books = stack.gateway.books().await;
    let [intent] = books.intents_for(&order.id)[..] else {
        panic!("one intent, however often it is charged");
    };
    assert_eq!(intent["status"], "requires_action");

    for _ in 0..2 {
        let refunded = stack.answer_of("refund-payment", &order.refund()).await;
        assert_eq!(
            refunded,
            json!({"payment_status": "CANCELLED", "timeline": []})
        );
    }
    assert_eq!(
        stack.error_of("charge-payment", &charge).await,
        "PaymentClosed"
    );
    assert_eq!(
        stack.answer_of("await-action", &wait).await,
        json!({}),
        "there is nothing to wait for, so the saga goes on"
    );
    let secret = intent["client_secret"].as_str().unwrap();
    assert_eq!(stack.gateway.authenticate(secret, true).await, 400);
    assert_eq!(stack.gateway.books().await.charged(&order.id), 0);
}

#[tokio::test]
async fn a_charge_goes_on_when_its_customer_has_acted() {
    let stack = Stack::connect().await;
    let order = Order::new("not-asked-for", 4);
    let charge = order.charge(&stack.three_d_secure_card().await);

    let waiting = stack.error_of("charge-payment", &charge).await;
    assert_eq!(waiting, "PaymentActionRequired");
    let intent = stack.intent_that_asks(&order.id).await;
    let secret = intent["client_secret"].as_str().unwrap();
    assert_eq!(stack.gateway.authenticate(secret, true).await, 200);

    let first = stack.answer_of("charge-payment", &charge).await;
    assert_eq!(events_of(&first), ["payment.charged"]);
    assert_eq!(stack.answer_of("charge-payment", &charge).await, first);
    let books = stack.gateway.books().await;
    assert_eq!(books.intents_for(&order.id).len(), 1);
    assert_eq!(books.charged(&order.id), 2000);
}

#[tokio::test]
async fn a_customer_is_asked_to_act_while_the_order_may_still_be_confirmed() {
    let stack = Stack::connect().await;
    let order = Order::pending(&stack).await;
    let request = order.with(&json!({}));

    for _ in 0..2 {
        let asked = stack.answer_of("request-action", &request).await;
        assert_eq!(asked, json!({}));
        assert_eq!(order.item(&stack).await["action_requested"], true);
    }
    stack
        .answer_of("abandon-order", &order.abandon("internal"))
        .await;
    let late = stack.error_of("request-action", &request).await;
    assert_eq!(late, "OrderNotPending");

    let confirmed = Order::pending(&stack).await;
    let request = confirmed.with(&json!({}));
    stack.answer_of("request-action", &request).await;
    stack.answer_of("confirm-order", &confirmed.confirm()).await;
    assert_eq!(
        confirmed.item(&stack).await["action_requested"],
        Value::Null
    );
    let late = stack.error_of("request-action", &request).await;
    assert_eq!(late, "OrderNotPending");
}

#[tokio::test]
async fn an_order_is_parked_only_as_long_as_it_is_open() {
    let stack = Stack::connect().await;
    let order = Order::pending(&stack).await;

    for _ in 0..2 {
        let parked = stack.answer_of("park-order", &order.park()).await;
        assert_eq!(parked, json!({}));
        assert_eq!(order.item(&stack).await["needs_attention"], true);
    }
    stack.answer_of("confirm-order", &order.confirm()).await;
    let late = stack.error_of("park-order", &order.park()).await;
    assert_eq!(late, "OrderNotPending");
    assert_eq!(order.item(&stack).await["needs_attention"], Value::Null);
}

#[tokio::test]
async fn confirming_twice_confirms_once() {
    let stack = Stack::connect().await;
    let order = Order::pending(&stack).await;

    let first = stack.answer_of("confirm-order", &order.confirm()).await;
    assert_eq!(first, json!({"status": "CONFIRMED"}));
    let confirmed = order.item(&stack).await;
    assert_eq!(
        stack.answer_of("confirm-order", &order.confirm()).await,
        first
    );
    assert_eq!(
        order.item(&stack).await,
        confirmed,
        "the second time changes nothing"
    );

    let late = stack
        .invoke("abandon-order", &order.abandon("internal"))
        .await;
    assert_eq!(late.error(), "OrderNotPending");
    let late = stack
        .invoke("reject-order", &order.reject("internal"))
        .await;
    assert_eq!(late.error(), "OrderNotPending");
    assert_eq!(order.item(&stack).await, confirmed);
}

#[tokio::test]
async fn an_abandoned_order_can_only_be_rejected_and_for_the_first_reason() {
    let stack = Stack::connect().await;
    let order = Order::pending(&stack).await;

    let first = stack
        .answer_of("abandon-order", &order.abandon("out-of-stock"))
        .await;
    assert_eq!(first, json!({"reason": "out-of-stock"}));
    let again = stack
        .answer_of("abandon-order", &order.abandon("internal"))
        .await;
    assert_eq!(again, first, "the reason decided first stands");
    assert_eq!(order.item(&stack).await["status"], "PENDING");
    assert_eq!(
        stack.error_of("confirm-order", &order.confirm()).await,
        "OrderNotPending"
    );

    let rejected = stack
        .answer_of("reject-order", &order.reject("out-of-stock"))
        .await;
    assert_eq!(rejected, json!({"status": "REJECTED"}));
    let item = order.item(&stack).await;
    assert_eq!(
        stack
            .answer_of("reject-order", &order.reject("out-of-stock"))
            .await,
        rejected
    );
    assert_eq!(
        order.item(&stack).await,
        item,
        "the second time changes nothing"
    );
    assert_eq!(
        stack
            .answer_of("abandon-order", &order.abandon("internal"))
            .await,
        first
    );
    assert_eq!(
        stack.error_of("confirm-order", &order.confirm()).await,
        "OrderNotPending"
    );
}

#[tokio::test]
async fn an_order_that_does_not_exist_can_not_be_decided_about() {
    let stack = Stack::connect().await;
    let order = Order::new("not-asked-for", 1);

    for (step, payload) in [
        ("confirm-order", order.confirm()),
        ("abandon-order", order.abandon("internal")),
        ("reject-order", order.reject("internal")),
        ("request-action", order.with(&json!({}))),
        ("park-order", order.park()),
    ] {
        assert_eq!(
            stack.error_of(step, &payload).await,
            "UnknownOrder",
            "{step}"
        );
    }
    assert_eq!(
        stack
            .item("ORDERS_TABLE", &format!("ORDER#{}", order.id))
            .await,
        None
    );
}

/// An order of one line at 5.00 EUR a piece, and what the saga would send to its steps.
struct Order {
    id: String,
    customer_id: String,
    sku: String,
    quantity: i64,
}

impl Order {
    fn new(sku: &str, quantity: i64) -> Self {
        Self {
            id: Uuid::new_v4().to_string(),
            customer_id: Uuid::new_v4().to_string(),
            sku: sku.to_owned(),
            quantity,
        }
    }

    /// An order that is taken down but whose `order.placed` nobody hears, so that no saga begins.
    async fn pending(stack: &Stack) -> Self {
        let order = Self::new("not-asked-for", 1);
        stack
            .place_silently(&order.id, &order.customer_id, &order.sku)
            .await;
        order
    }

    async fn item(&self, stack: &Stack) -> Value {
        stack
            .item("ORDERS_TABLE", &format!("ORDER#{}", self.id))
            .await
            .expect("the order")
    }

    fn priced_lines(&self) -> Value {
        json!([{"sku": self.sku, "quantity": self.quantity, "unit_price": euro_cents(500)}])
    }

    fn total(&self) -> Value {
        euro_cents(500 * self.quantity)
    }

    fn reserve(&self) -> Value {
        self.with(&json!({"lines": [{"sku": self.sku, "quantity": self.quantity}], "expected_total": null}))
    }

    fn release(&self) -> Value {
        self.with(&json!({}))
    }

    fn charge(&self, card: &str) -> Value {
        self.with(&json!({"customer_id": self.customer_id, "amount": self.total(), "payment_method": card}))
    }

    fn refund(&self) -> Value {
        self.with(&json!({"customer_id": self.customer_id}))
    }

    fn confirm(&self) -> Value {
        self.with(&json!({
            "customer_id": self.customer_id,
            "lines": self.priced_lines(),
            "total": self.total(),
            "timeline": [
                {"at": "2026-01-02T03:04:06.000Z", "event": "stock.reserved"},
                {"at": "2026-01-02T03:04:07.000Z", "event": "payment.charged"},
            ],
        }))
    }

    fn abandon(&self, reason: &str) -> Value {
        self.with(&json!({"reason": reason}))
    }

    fn park(&self) -> Value {
        self.with(&json!({"state": "ConfirmOrder", "error": "Throttled"}))
    }

    fn reject(&self, reason: &str) -> Value {
        self.with(&json!({
            "customer_id": self.customer_id,
            "reason": reason,
            "payment_status": "CANCELLED",
            "lines": null,
            "total": null,
            "timeline": [],
        }))
    }

    /// What a step needs, and what all steps get.
    fn with(&self, own: &Value) -> Value {
        let mut payload = json!({
            "order_id": self.id,
            "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        });
        for (name, value) in own.as_object().unwrap() {
            payload[name] = value.clone();
        }
        payload
    }
}

fn events_of(answer: &Value) -> Vec<&str> {
    oxcart_tests::shop::story_of(answer)
}
