//! Requests that are handed to a function as the gateway would hand them: for those that no client can send
//! through it, because the gateway answers them itself or because clients tidy their addresses up.

use serde_json::{Value, json};

use crate::{api::Answer, stack::Stack, workspace};

impl Stack {
    /// What a function answers to this request, which came to it by this route and has these path
    /// parameters. It has neither a body nor a token.
    pub async fn handed(
        &self,
        function: &str,
        route: &str,
        method: &str,
        path: &str,
        parameters: Value,
    ) -> Answer {
        let mut event = workspace::json("events/get-product.json");
        event["routeKey"] = json!(route);
        event["rawPath"] = json!(path);
        event["pathParameters"] = parameters;
        let context = &mut event["requestContext"];
        context["routeKey"] = json!(route);
        context["http"]["method"] = json!(method);
        context["http"]["path"] = json!(path);
        let answer = self.answer_of(function, &event).await;
        Answer::of_function(format!("{method} {path} handed to {function}"), &answer)
    }
}
