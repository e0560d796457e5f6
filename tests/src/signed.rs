//! Calls to the cloud for which no SDK is linked in, signed by the operator.

use std::time::SystemTime;

use aws_sdk_dynamodb::config::Credentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};

use crate::stack::Stack;

impl Stack {
    /// Sends `body` to a service that takes all its calls in one place. Answers the status, and what it said.
    pub(crate) async fn signed_call(
        &self,
        service: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> (u16, String) {
        let endpoint = format!(
            "{}/",
            self.setting("AWS_ENDPOINT_URL").trim_end_matches('/')
        );
        let credentials = Credentials::new(
            self.setting("AWS_ACCESS_KEY_ID"),
            self.setting("AWS_SECRET_ACCESS_KEY"),
            None,
            None,
            "stack.env",
        );
        let identity = credentials.into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(self.setting("AWS_REGION"))
            .name(service)
            .time(now())
            .settings(SigningSettings::default())
            .build()
            .expect("all that a signature needs")
            .into();
        let signable = SignableRequest::new(
            "POST",
            &endpoint,
            headers.iter().copied(),
            SignableBody::Bytes(body.as_bytes()),
        )
        .expect("a request that can be signed");
        let (instructions, _) = sign(signable, &parameters)
            .expect("a signature")
            .into_parts();

        let mut request = self.gateway.http.post(&endpoint);
        for (name, value) in headers.iter().copied().chain(instructions.headers()) {
            request = request.header(name, value);
        }
        let response = request.body(body).send().await;
        let response = response.unwrap_or_else(|error| panic!("no answer of {service}: {error}"));
        let status = response.status().as_u16();
        (status, response.text().await.expect("an answer of text"))
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a signature holds for minutes, by the clock on the wall"
)]
fn now() -> SystemTime {
    SystemTime::now()
}
