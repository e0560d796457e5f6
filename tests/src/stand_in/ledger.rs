//! The intents and refunds, and what may become of them. Knows nothing of HTTP, keys or faults.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    answer::Refusal,
    cards::{Card, Decline},
    request::Command,
};

/// When the first object was created: seconds of the Unix epoch, one more for each further object.
const EPOCH: usize = 1_767_225_600;

/// Everything there is at the gateway.
#[derive(Default)]
pub(super) struct Ledger {
    intents: Vec<Intent>,
    refunds: Vec<Refund>,
}

struct Intent {
    id: String,
    created: usize,
    amount: u64,
    currency: String,
    method: Option<String>,
    metadata: Map<String, Value>,
    status: Status,
    last_error: Option<Value>,
    charge: Option<String>,
}

struct Refund {
    id: String,
    created: usize,
    intent: String,
    charge: Option<String>,
    amount: u64,
    currency: String,
    metadata: Map<String, Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    RequiresPaymentMethod,
    RequiresConfirmation,
    RequiresAction,
    Succeeded,
    Canceled,
}

impl Ledger {
    /// Does what was asked. A charge is declined whatever the card if there is a reason to.
    pub(super) fn carry_out(
        &mut self,
        command: Command,
        declined: Option<Decline>,
    ) -> Result<Value, Refusal> {
        match command {
            Command::Create {
                amount,
                currency,
                method,
                metadata,
            } => self.create(amount, currency, method, metadata),
            Command::Read { intent } => Ok(self.intent(&intent)?.to_json()),
            Command::Confirm { intent, method } => self.confirm(&intent, method, declined),
            Command::Cancel { intent } => self.intent(&intent)?.cancel(),
            Command::Refund {
                intent,
                amount,
                metadata,
            } => self.refund(&intent, amount, metadata),
            Command::Refunds {
                intent,
                limit,
                starting_after,
            } => self.list_refunds(intent.as_deref(), limit, starting_after.as_deref()),
        }
    }

    /// The customer has acted, or could not show who they are. Answers the intent.
    pub(super) fn authenticate(&mut self, id: &str, success: bool) -> Value {
        let intent = self.intents.iter_mut().find(|intent| intent.id == id);
        let intent = intent.unwrap_or_else(|| panic!("there is no intent {id}"));
        assert_eq!(
            intent.status,
            Status::RequiresAction,
            "intent {id} waits for its customer"
        );
        if success {
            intent.succeed();
        } else {
            intent.fail(json!({
                "type": "invalid_request_error",
                "code": "payment_intent_authentication_failure",
                "message": "The provided PaymentMethod has failed authentication.",
            }));
        }
        intent.to_json()
    }

    /// All intents as they are now.
    pub(super) fn intents(&self) -> Vec<Value> {
        self.intents.iter().map(Intent::to_json).collect()
    }

    /// All refunds.
    pub(super) fn refunds(&self) -> Vec<Value> {
        self.refunds.iter().map(Refund::to_json).collect()
    }

    fn create(
        &mut self,
        amount: u64,
        currency: String,
        method: Option<String>,
        metadata: Map<String, Value>,
    ) -> Result<Value, Refusal> {
        if let Some(token) = &method {
            card_behind(token)?;
        }
        let intent = Intent {
            id: new_id("pi"),
            created: self.now(),
            amount,
            currency,
            status: match method {
                Some(_) => Status::RequiresConfirmation,
                None => Status::RequiresPaymentMethod,
            },
            method,
            metadata,
            last_error: None,
            charge: None,
        };
        let answer = intent.to_json();
        self.intents.push(intent);
        Ok(answer)
    }

    fn confirm(
        &mut self,
        id: &str,
        method: Option<String>,
        declined: Option<Decline>,
    ) -> Result<Value, Refusal> {
        let intent = self.intent(id)?;
        match intent.status {
            Status::RequiresPaymentMethod
            | Status::RequiresConfirmation
            | Status::RequiresAction => {}
            Status::Succeeded | Status::Canceled => {
                return Err(intent.unexpected_state("confirm"));
            }
        }
        let Some(token) = method.or_else(|| intent.method.clone()) else {
            return Err(intent.unexpected_state("confirm"));
        };
        let card = card_behind(&token)?;
        intent.method = Some(token);
        match declined.map_or(card, Card::Declines) {
            Card::Pays => intent.succeed(),
            Card::Authenticates => intent.status = Status::RequiresAction,
            Card::Declines(decline) => {
                intent.fail(decline.error().into());
                return Err(Refusal::declined(&decline).with("payment_intent", intent.to_json()));
            }
        }
        Ok(intent.to_json())
    }

    fn refund(
        &mut self,
        id: &str,
        amount: Option<u64>,
        metadata: Map<String, Value>,
    ) -> Result<Value, Refusal> {
        let intent = self.named(id)?;
        if intent.status != Status::Succeeded {
            return Err(intent
                .unexpected_state("refund")
                .parameter("payment_intent"));
        }
        let left = intent.amount - self.given_back(id);
        if left == 0 {
            let message = "The payment has already been refunded.";
            return Err(Refusal::invalid(message).code("charge_already_refunded"));
        }
        let amount = amount.unwrap_or(left);
        if amount > left {
            let message = format!("Refund amount ({amount}) is greater than what is left ({left})");
            return Err(Refusal::invalid(&message)
                .code("amount_too_large")
                .parameter("amount"));
        }
        let refund = Refund {
            id: new_id("re"),
            created: self.now(),
            intent: intent.id.clone(),
            charge: intent.charge.clone(),
            amount,
            currency: intent.currency.clone(),
            metadata,
        };
        let answer = refund.to_json();
        self.refunds.push(refund);
        Ok(answer)
    }

    /// The latest first.
    fn list_refunds(
        &self,
        intent: Option<&str>,
        limit: usize,
        starting_after: Option<&str>,
    ) -> Result<Value, Refusal> {
        if let Some(id) = intent {
            self.named(id)?;
        }
        let all: Vec<&Refund> = self
            .refunds
            .iter()
            .rev()
            .filter(|refund| intent.is_none_or(|id| refund.intent == id))
            .collect();
        let start = match starting_after {
            None => 0,
            Some(id) => {
                let last = all.iter().position(|refund| refund.id == id);
                1 + last.ok_or_else(|| Refusal::no_such("refund", id, "starting_after"))?
            }
        };
        let page: Vec<Value> = all
            .iter()
            .skip(start)
            .take(limit)
            .map(|refund| refund.to_json())
            .collect();
        Ok(json!({
            "object": "list",
            "url": "/v1/refunds",
            "has_more": start + page.len() < all.len(),
            "data": page,
        }))
    }

    /// The intent that the address names.
    fn intent(&mut self, id: &str) -> Result<&mut Intent, Refusal> {
        let mut intents = self.intents.iter_mut();
        intents
            .find(|intent| intent.id == id)
            .ok_or_else(|| Refusal::not_found("payment_intent", id, "intent"))
    }

    /// The intent that a parameter names.
    fn named(&self, id: &str) -> Result<&Intent, Refusal> {
        let mut intents = self.intents.iter();
        intents
            .find(|intent| intent.id == id)
            .ok_or_else(|| Refusal::no_such("payment_intent", id, "payment_intent"))
    }

    fn given_back(&self, id: &str) -> u64 {
        let refunds = self.refunds.iter().filter(|refund| refund.intent == id);
        refunds.map(|refund| refund.amount).sum()
    }

    fn now(&self) -> usize {
        EPOCH + self.intents.len() + self.refunds.len()
    }
}

impl Intent {
    fn succeed(&mut self) {
        self.status = Status::Succeeded;
        self.last_error = None;
        self.charge = Some(new_id("ch"));
    }

    /// A card that failed is not asked again.
    fn fail(&mut self, error: Value) {
        self.status = Status::RequiresPaymentMethod;
        self.method = None;
        self.last_error = Some(error);
    }

    fn cancel(&mut self) -> Result<Value, Refusal> {
        match self.status {
            Status::RequiresPaymentMethod
            | Status::RequiresConfirmation
            | Status::RequiresAction => {
                self.status = Status::Canceled;
                Ok(self.to_json())
            }
            Status::Succeeded | Status::Canceled => Err(self.unexpected_state("cancel")),
        }
    }

    fn unexpected_state(&self, verb: &str) -> Refusal {
        let status = self.status.as_str();
        let message =
            format!("You cannot {verb} this PaymentIntent because it has a status of {status}.");
        Refusal::invalid(&message)
            .code("payment_intent_unexpected_state")
            .with("payment_intent", self.to_json())
    }

    fn to_json(&self) -> Value {
        let taken = match self.status {
            Status::Succeeded => self.amount,
            Status::RequiresPaymentMethod
            | Status::RequiresConfirmation
            | Status::RequiresAction
            | Status::Canceled => 0,
        };
        let next_action = (self.status == Status::RequiresAction).then(|| {
            json!({
                "type": "use_stripe_sdk",
                "use_stripe_sdk": {"type": "three_d_secure_redirect", "stripe_js": ""},
            })
        });
        json!({
            "id": self.id,
            "object": "payment_intent",
            "amount": self.amount,
            "amount_received": taken,
            "client_secret": format!("{}_secret_stand_in", self.id),
            "created": self.created,
            "currency": self.currency,
            "last_payment_error": self.last_error,
            "latest_charge": self.charge,
            "livemode": false,
            "metadata": self.metadata,
            "next_action": next_action,
            "payment_method": self.method,
            "payment_method_types": ["card"],
            "status": self.status.as_str(),
        })
    }
}

impl Refund {
    fn to_json(&self) -> Value {
        json!({
            "id": self.id,
            "object": "refund",
            "amount": self.amount,
            "charge": self.charge,
            "created": self.created,
            "currency": self.currency,
            "metadata": self.metadata,
            "payment_intent": self.intent,
            "status": "succeeded",
        })
    }
}

impl Status {
    const fn as_str(self) -> &'static str {
        match self {
            Self::RequiresPaymentMethod => "requires_payment_method",
            Self::RequiresConfirmation => "requires_confirmation",
            Self::RequiresAction => "requires_action",
            Self::Succeeded => "succeeded",
            Self::Canceled => "canceled",
        }
    }
}

fn card_behind(token: &str) -> Result<Card, Refusal> {
    Card::behind(token).ok_or_else(|| Refusal::no_such("PaymentMethod", token, "payment_method"))
}

fn new_id(kind: &str) -> String {
    format!("{kind}_{}", Uuid::new_v4().simple())
}
