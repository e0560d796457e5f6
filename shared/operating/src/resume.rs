//! Runs the saga of an order again that is open, by asking the one function that does so.

use aws_sdk_lambda::primitives::Blob;
use oxcart_domain::OrderId;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    cloud::Cloud,
    failure::{Explain as _, Failure, Outcome},
};

/// The function.
const FUNCTION: &str = "resume-stuck-orders";

/// What became of an order that was to be resumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Resumption {
    /// Its saga runs again.
    Restarted,
    /// Its saga was under way and was left alone.
    Running,
    /// It has ended, or there is no such order.
    NotOpen,
    /// Somebody else looked after it at the same moment.
    LeftToOthers,
}

impl Resumption {
    /// In words.
    #[must_use]
    pub const fn says(self) -> &'static str {
        match self {
            Self::Restarted => "The order's saga runs again.",
            Self::Running => "The order's saga is under way; it was left alone.",
            Self::NotOpen => "There is no such order that is open.",
            Self::LeftToOthers => "Somebody else looks after the order at this moment.",
        }
    }
}

#[derive(Deserialize)]
struct Answer {
    resumed: Vec<OrderId>,
    running: Vec<OrderId>,
}

impl Cloud {
    /// Has an order looked after, due or not, parked or not.
    pub async fn resume(&self, order: OrderId) -> Outcome<Resumption> {
        let function = self.function(FUNCTION)?;
        let payload = json!({"order_id": order}).to_string();
        let call = self.lambda.invoke().function_name(&function);
        let answer = call.payload(Blob::new(payload)).send().await;
        let answer = answer
            .map_err(|error| Failure::of_call(&format!("{function} was not invoked"), &error))?;
        let body = answer.payload.map(Blob::into_inner).unwrap_or_default();
        let body: Value =
            serde_json::from_slice(&body).explain(|| format!("{function} answered no JSON"))?;
        if answer.function_error.is_some() {
            return refusal(&function, &body);
        }
        let answer = Answer::deserialize(&body)
            .explain(|| format!("{function} answered something else: {body}"))?;
        Ok(if answer.resumed.contains(&order) {
            Resumption::Restarted
        } else if answer.running.contains(&order) {
            Resumption::Running
        } else {
            Resumption::LeftToOthers
        })
    }
}

fn refusal(function: &str, body: &Value) -> Outcome<Resumption> {
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or("?");
    match text("errorType") {
        "OrderNotOpen" => Ok(Resumption::NotOpen),
        error => Err(Failure::new(format!(
            "{function} failed with {error}: {}.",
            text("errorMessage")
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_that_is_not_open_is_no_failure_of_the_function() {
        let refused = refusal(
            "f",
            &json!({"errorType": "OrderNotOpen", "errorMessage": "…"}),
        );
        assert_eq!(refused.unwrap(), Resumption::NotOpen);
        let failed = refusal(
            "f",
            &json!({"errorType": "Throttled", "errorMessage": "too many"}),
        );
        assert_eq!(
            failed.unwrap_err().to_string(),
            "f failed with Throttled: too many."
        );
    }
}
