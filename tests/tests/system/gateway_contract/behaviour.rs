//! What is so with every gateway: each behaviour is a test with the deployed one and one with the
//! stand-in.

use oxcart_payments::gateway::{Gateway, IntentStatus, NewIntent};
use oxcart_tests::{
    gateway::Books,
    shop::{BAD_CARD, GOOD_CARD},
    stack::Stack,
    stand_in::StandIn,
};

use super::{PRICE, given_back, intent_for, method, new_charge, stand_in, standing_secret, taken};

macro_rules! for_each_gateway {
    ($($behaviour:ident),+ $(,)?) => {
        mod with_the_deployed_gateway {
            $(
                #[tokio::test]
                async fn $behaviour() {
                    super::$behaviour(&super::Bench::deployed().await).await;
                }
            )+
        }

        mod with_the_stand_in {
            $(
                #[tokio::test]
                async fn $behaviour() {
                    super::$behaviour(&super::Bench::stand_in().await).await;
                }
            )+
        }
    };
}

for_each_gateway![
    a_new_intent_is_unconfirmed_and_takes_nothing,
    a_confirmation_takes_the_money_once_and_says_so_again,
    a_declined_card_is_told_with_its_code,
    an_unknown_payment_method_can_not_pay,
    a_cancelled_intent_takes_nothing_any_more,
    a_payment_that_went_through_can_not_be_cancelled,
    a_refund_gives_the_money_back_and_counts,
    partial_refunds_add_up,
    a_payment_that_needs_its_customer_waits_until_it_is_cancelled,
];

/// The adapter, and the gateway that it speaks to.
struct Bench {
    adapter: Gateway,
    theirs: Theirs,
}

enum Theirs {
    Deployed(Box<Stack>),
    StandIn(StandIn),
}

impl Bench {
    async fn deployed() -> Self {
        let stack = Stack::connect().await;
        let secret = standing_secret(&stack, stack.setting("GATEWAY_SECRET_KEY")).await;
        let url = stack.setting("GATEWAY_ADMIN_URL");
        Self {
            adapter: Gateway::new(url, secret).expect("an adapter"),
            theirs: Theirs::Deployed(Box::new(stack)),
        }
    }

    async fn stand_in() -> Self {
        let (stand_in, adapter) = stand_in().await;
        Self {
            adapter,
            theirs: Theirs::StandIn(stand_in),
        }
    }

    async fn books(&self) -> Books {
        match &self.theirs {
            Theirs::Deployed(stack) => stack.gateway.books().await,
            Theirs::StandIn(stand_in) => stand_in.books(),
        }
    }

    /// The cards that this gateway declines, each with why.
    fn declined_cards(&self) -> &'static [(&'static str, &'static str)] {
        match self.theirs {
            // The one that it declines when charged. It gives no decline code.
            Theirs::Deployed(_) => &[(BAD_CARD, "card_declined")],
            Theirs::StandIn(_) => &[
                (BAD_CARD, "generic_decline"),
                ("pm_card_visa_chargeDeclined", "generic_decline"),
                (
                    "pm_card_visa_chargeDeclinedInsufficientFunds",
                    "insufficient_funds",
                ),
                ("pm_card_visa_chargeDeclinedLostCard", "lost_card"),
                ("pm_card_visa_chargeDeclinedStolenCard", "stolen_card"),
                ("pm_card_chargeDeclinedExpiredCard", "expired_card"),
                ("pm_card_chargeDeclinedFraudulent", "fraudulent"),
                ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc"),
                ("pm_card_chargeDeclinedProcessingError", "processing_error"),
            ],
        }
    }

    /// A card whose bank wants the customer to act.
    async fn card_that_asks_its_customer(&self) -> String {
        match &self.theirs {
            Theirs::Deployed(stack) => stack.gateway.new_card("4000002500003155").await,
            Theirs::StandIn(_) => "pm_card_authenticationRequired".to_owned(),
        }
    }
}

async fn a_new_intent_is_unconfirmed_and_takes_nothing(bench: &Bench) {
    let charge = new_charge();
    let intent = intent_for(&bench.adapter, charge, GOOD_CARD).await;

    let status = bench.adapter.read(&intent).await.unwrap();
    assert_eq!(status, IntentStatus::Unconfirmed);
    let books = bench.books().await;
    assert_eq!(books.intent(&intent)["amount"], PRICE);
    assert_eq!(books.intent(&intent)["currency"], "eur");
    assert_eq!(taken(&books, charge), 0);
}

async fn a_confirmation_takes_the_money_once_and_says_so_again(bench: &Bench) {
    let charge = new_charge();
    let intent = intent_for(&bench.adapter, charge, GOOD_CARD).await;

    for _ in 0..3 {
        let status = bench.adapter.confirm(&intent).await.unwrap();
        assert_eq!(status, IntentStatus::Succeeded);
    }
    let status = bench.adapter.read(&intent).await.unwrap();
    assert_eq!(status, IntentStatus::Succeeded);
    assert_eq!(taken(&bench.books().await, charge), PRICE);
}

async fn a_declined_card_is_told_with_its_code(bench: &Bench) {
    for (card, code) in bench.declined_cards() {
        let charge = new_charge();
        let intent = intent_for(&bench.adapter, charge, card).await;

        for _ in 0..2 {
            match bench.adapter.confirm(&intent).await {
                Ok(IntentStatus::Declined(why)) => assert_eq!(why.as_str(), *code, "{card}"),
                other => panic!("{card} should be declined: {other:?}"),
            }
        }
        match bench.adapter.read(&intent).await {
            Ok(IntentStatus::Declined(why)) => assert_eq!(why.as_str(), *code, "{card}"),
            other => panic!("{card} should have been declined: {other:?}"),
        }
        assert_eq!(taken(&bench.books().await, charge), 0, "{card}");
    }
}

async fn an_unknown_payment_method_can_not_pay(bench: &Bench) {
    let charge = new_charge();
    let unknown = method("pm_nobody_has_this");

    let outcome = bench.adapter.create_intent(charge, &unknown).await;
    assert!(
        matches!(outcome, Ok(NewIntent::Unpayable(_))),
        "{outcome:?}"
    );
    let books = bench.books().await;
    let intents = books.intents_for(&charge.order_id.to_string());
    assert!(intents.is_empty(), "{intents:?}");
}

async fn a_cancelled_intent_takes_nothing_any_more(bench: &Bench) {
    let charge = new_charge();
    let intent = intent_for(&bench.adapter, charge, GOOD_CARD).await;

    for _ in 0..2 {
        let status = bench.adapter.cancel(&intent).await.unwrap();
        assert_eq!(status, IntentStatus::Cancelled);
    }
    let status = bench.adapter.confirm(&intent).await.unwrap();
    assert_eq!(status, IntentStatus::Cancelled);
    assert_eq!(taken(&bench.books().await, charge), 0);
}

async fn a_payment_that_went_through_can_not_be_cancelled(bench: &Bench) {
    let charge = new_charge();
    let intent = intent_for(&bench.adapter, charge, GOOD_CARD).await;
    bench.adapter.confirm(&intent).await.unwrap();

    let status = bench.adapter.cancel(&intent).await.unwrap();
    assert_eq!(status, IntentStatus::Succeeded);
    assert_eq!(taken(&bench.books().await, charge), PRICE);
}

async fn a_refund_gives_the_money_back_and_counts(bench: &Bench) {
    let charge = new_charge();
    let intent = intent_for(&bench.adapter, charge, GOOD_CARD).await;
    bench.adapter.confirm(&intent).await.unwrap();
    assert_eq!(bench.adapter.refunded(&intent).await.unwrap(), 0);

    let key = format!("{}-refund", charge.order_id);
    bench.adapter.refund(&intent, PRICE, &key).await.unwrap();
    assert_eq!(bench.adapter.refunded(&intent).await.unwrap(), PRICE);
    assert_eq!(given_back(&bench.books().await, charge), PRICE);
}

async fn partial_refunds_add_up(bench: &Bench) {
    let charge = new_charge();
    let intent = intent_for(&bench.adapter, charge, GOOD_CARD).await;
    bench.adapter.confirm(&intent).await.unwrap();

    let key = |number| format!("{}-refund-{number}", charge.order_id);
    for (number, amount) in [(1, 200), (2, 34)] {
        let key = key(number);
        bench.adapter.refund(&intent, amount, &key).await.unwrap();
    }
    assert_eq!(bench.adapter.refunded(&intent).await.unwrap(), 234);
    assert_eq!(given_back(&bench.books().await, charge), 234);
    for (number, made) in [(1, true), (2, true), (3, false)] {
        let known = bench.adapter.is_refunded(&intent, &key(number)).await;
        assert_eq!(known.unwrap(), made, "refund {number}");
    }
}

async fn a_payment_that_needs_its_customer_waits_until_it_is_cancelled(bench: &Bench) {
    let charge = new_charge();
    let card = bench.card_that_asks_its_customer().await;
    let intent = intent_for(&bench.adapter, charge, &card).await;
    assert_eq!(bench.adapter.client_secret(&intent).await.unwrap(), None);

    for _ in 0..2 {
        let status = bench.adapter.confirm(&intent).await.unwrap();
        assert_eq!(status, IntentStatus::NeedsAction);
    }
    let secret = bench.adapter.client_secret(&intent).await.unwrap();
    assert!(secret.is_some_and(|secret| secret.starts_with(&intent)));

    let status = bench.adapter.cancel(&intent).await.unwrap();
    assert_eq!(status, IntentStatus::Cancelled);
    assert_eq!(taken(&bench.books().await, charge), 0);
}
