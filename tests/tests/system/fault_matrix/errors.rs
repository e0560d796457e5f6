//! How a step comes to refuse: for each error that a state catches by name, an order that meets it.

use std::rc::Rc;

use futures::{FutureExt as _, future::LocalBoxFuture};
use oxcart_tests::{
    faults::{Action, Armed, Rule},
    machines::Machine,
    shop::euro_cents,
};
use serde_json::json;

use super::{
    Bench,
    ways::{Order, Way},
};

/// Has an order meet an error at a state, and sees it through. Fails for an error that nothing is written
/// down for here.
pub(super) fn provoke(
    bench: Rc<Bench>,
    machine: Machine,
    state: String,
    error: String,
) -> LocalBoxFuture<'static, Order> {
    async move {
        let order = async |way| Order::new(&bench, &machine, way).await;
        let order = match (state.as_str(), error.as_str()) {
            ("ReserveStock", "OutOfStock") => went(order(Way::OutOfStock).await).await,
            ("ReserveStock", "UnknownProduct") => {
                let mut order = order(Way::Confirmed).await;
                let lines = order.body["lines"].as_array_mut().expect("lines");
                lines.push(json!({"sku": "no-such-thing", "quantity": 1}));
                sold(order).await
            }
            ("ReserveStock", "PriceChanged") => {
                let mut order = order(Way::Confirmed).await;
                order.body["expected_total"] = euro_cents(1);
                sold(order).await
            }
            ("ReserveStock", "MixedCurrencies") => {
                let mut order = order(Way::Confirmed).await;
                let other = bench.stack.new_product_in("USD", 700, 5).await;
                let lines = order.body["lines"].as_array_mut().expect("lines");
                lines.push(json!({"sku": other, "quantity": 1}));
                order.skus.push(other);
                sold(order).await
            }
            ("ReserveStock", "ReservationClosed") => {
                let order = order(Way::Confirmed).await;
                order.invoke("release-stock", &json!({})).await;
                sold(order).await
            }
            ("ChargePayment", "PaymentDeclined") => went(order(Way::Declined).await).await,
            ("ChargePayment", "PaymentActionRequired") => went(order(Way::Asked).await).await,
            ("ChargePayment", "PaymentGatewayUnavailable") => {
                unavailable(&bench, order(Way::Confirmed).await).await
            }
            ("ChargePayment", "PaymentClosed") => {
                let order = order(Way::Confirmed).await;
                order.invoke("refund-payment", &json!({})).await;
                sold(order).await
            }
            ("RequestAction", "OrderNotPending") => {
                let order = order(Way::Asked).await;
                let held = order.hold("request-action").await;
                order.place().await;
                held.wait_until_held().await;
                order.abandon().await;
                held.release().await;
                order.ends_well("order-saga").await;
                order
            }
            ("RequestAction", "ActionOverdue") => overdue(&bench, order(Way::Asked).await).await,
            ("AwaitAction", "CustomerAwaited") => {
                // A Standard saga always has a token to wait with, so the step is invoked by itself.
                return waited_without_a_token(&bench, order(Way::Asked).await).await;
            }
            ("ConfirmOrder", "OrderNotPending") => went(order(Way::Abandoned).await).await,
            ("AbandonOrder", "OrderNotPending") => {
                confirmed_by_another_run(&bench, &machine, order(Way::Confirmed).await).await
            }
            ("ParkOrder", "OrderNotPending") => {
                ended_by_another_run(&bench, &machine, order(Way::Parked).await).await
            }
            ("RejectOrder", "OrderNotPending") => {
                // No run of a saga gets there: what is confirmed is not abandoned, and what is abandoned
                // is not confirmed. So the step is invoked by itself.
                return refused_when_confirmed(&bench, order(Way::Confirmed).await).await;
            }
            _ => panic!("no order is known that meets {error} at {state}: add a scenario"),
        };
        let visits = bench.stack.visits(&order.execution()).await;
        let met = visits
            .iter()
            .any(|visit| visit.state == state && visit.errors.contains(&error));
        assert!(met, "{state} never failed with {error}: {visits:#?}");
        order
    }
    .boxed_local()
}

async fn went(order: Order) -> Order {
    order.run().await;
    order
}

async fn sold(order: Order) -> Order {
    order.sell().await;
    order
}

/// The customer's time is over when the saga is about to ask them.
async fn overdue(bench: &Bench, order: Order) -> Order {
    let held = order.hold("request-action").await;
    order.place().await;
    held.wait_until_held().await;
    let mut stored = order.stored().await;
    stored["act_by"] = stored["created_at"].clone();
    bench.stack.write_item("ORDERS_TABLE", &stored).await;
    held.release().await;
    order.ends_well("order-saga").await;
    assert_eq!(order.stored().await["status"], "REJECTED");
    order
}

/// The step answers that the customer has yet to act. Then the order takes its way.
async fn waited_without_a_token(bench: &Bench, order: Order) -> Order {
    let amount = euro_cents(700);
    let card = &order.body["payment_method"];
    let charge = order.with(&json!({"amount": amount, "payment_method": card}));
    let asked = bench.stack.error_of("charge-payment", &charge).await;
    assert_eq!(asked, "PaymentActionRequired");
    let wait = order.with(&json!({"task_token": null}));
    let refused = bench.stack.error_of("await-action", &wait).await;
    assert_eq!(refused, "CustomerAwaited");
    order.run().await;
    order
}

/// Sells an order whose every charge the gateway asks to come later.
async fn unavailable(bench: &Bench, order: Order) -> Order {
    let armed = throttled(bench, &order).await;
    order.sell().await;
    drop(armed);
    order
}

/// Has the gateway ask for less at every charge of the order. Were it down instead, the breakers of functions
/// would open that other orders share.
async fn throttled(bench: &Bench, order: &Order) -> Armed {
    let rule = Rule {
        gateway_only: true,
        times: 1000,
        ..Rule::write("charge-payment", &order.id, 0, Action::Throttle)
    };
    bench.stack.faults().arm(rule).await
}

/// The first run can't charge and is about to abandon the order, when a second one confirms it.
async fn confirmed_by_another_run(bench: &Bench, machine: &Machine, order: Order) -> Order {
    let failing = throttled(bench, &order).await;
    let held = order.hold("abandon-order").await;
    order.place().await;
    held.wait_until_held().await;
    failing.disarm().await;
    outrun(bench, machine, &order, held).await;
    order
}

/// The first run is about to be parked, when a second one ends the order.
async fn ended_by_another_run(bench: &Bench, machine: &Machine, order: Order) -> Order {
    let held = order.hold("park-order").await;
    let failing = order.fail_until_parked().await;
    held.wait_until_held().await;
    failing.disarm().await;
    outrun(bench, machine, &order, held).await;
    order
}

/// A second run ends the order, and then the first goes on from where it is held.
async fn outrun(bench: &Bench, machine: &Machine, order: &Order, held: Armed) {
    let second = bench.stack.run_again(machine, &order.id, "again").await;
    order.ends(&second, "SUCCEEDED").await;
    held.release().await;
    order.ends(&order.execution(), "SUCCEEDED").await;
}

async fn refused_when_confirmed(bench: &Bench, order: Order) -> Order {
    order.sell().await;
    let confirmed = order.stored().await;
    let payload = order.with(&json!({
        "reason": "internal",
        "payment_status": "CANCELLED",
        "lines": null,
        "total": null,
        "timeline": [],
    }));
    let refused = bench.stack.error_of("reject-order", &payload).await;
    assert_eq!(refused, "OrderNotPending");
    assert_eq!(order.stored().await, confirmed, "nothing changes");
    order
}
