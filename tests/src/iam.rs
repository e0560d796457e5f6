//! Acting under the role of a function, with nothing but what its policy allows.

use aws_config::sts::AssumeRoleProvider;
use aws_sdk_dynamodb::config::{Credentials, ProvideCredentials as _, SharedCredentialsProvider};
use reqwest::Url;
use serde_json::{Value, json};

use crate::{
    eventually::{PATIENCE, eventually},
    stack::Stack,
};

impl Stack {
    /// The tables, as the named function may use them. The operator lets themselves into the role
    /// for as long as it takes to get credentials.
    pub async fn dynamodb_as(&self, binary: &str) -> aws_sdk_dynamodb::Client {
        let configuration = self
            .lambda
            .get_function_configuration()
            .function_name(self.function(binary))
            .send()
            .await
            .unwrap_or_else(|error| panic!("no function {binary}: {error:?}"));
        let role_arn = configuration.role().expect("a function has a role");
        let (_, role_name) = role_arn
            .rsplit_once('/')
            .expect("a role's ARN ends in its name");

        let trust = self.trust_policy(role_name).await;
        let mut opened = trust.clone();
        opened["Statement"]
            .as_array_mut()
            .expect("statements")
            .push(json!({
                "Effect": "Allow",
                "Principal": {"AWS": account_root(role_arn)},
                "Action": "sts:AssumeRole",
            }));
        self.set_trust_policy(role_name, &opened).await;
        let credentials = self.credentials_of(role_arn).await;
        self.set_trust_policy(role_name, &trust).await;

        let config = self
            .aws
            .to_builder()
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .build();
        aws_sdk_dynamodb::Client::new(&config)
    }

    async fn credentials_of(&self, role_arn: &str) -> Credentials {
        let provider = AssumeRoleProvider::builder(role_arn)
            .session_name("oxcart-tests")
            .configure(&self.aws)
            .build()
            .await;
        eventually("the role lets the operator in", PATIENCE, async || {
            provider
                .provide_credentials()
                .await
                .map_err(|error| format!("{error:?}"))
        })
        .await
    }

    async fn trust_policy(&self, role_name: &str) -> Value {
        let answer = self
            .iam(&[("Action", "GetRole"), ("RoleName", role_name)])
            .await;
        let (_, rest) = answer
            .split_once("<AssumeRolePolicyDocument>")
            .expect("a trust policy");
        let (document, _) = rest
            .split_once("</AssumeRolePolicyDocument>")
            .expect("a trust policy");
        // IAM answers it percent-encoded, as a query would hold it.
        let url =
            Url::parse(&format!("iam:?document={document}")).expect("a percent-encoded document");
        let (_, document) = url.query_pairs().next().expect("the document");
        serde_json::from_str(&document).expect("a trust policy is JSON")
    }

    async fn set_trust_policy(&self, role_name: &str, document: &Value) {
        let document = document.to_string();
        let action = [
            ("Action", "UpdateAssumeRolePolicy"),
            ("RoleName", role_name),
            ("PolicyDocument", &document),
        ];
        self.iam(&action).await;
    }

    /// A call of IAM's query API, signed by the operator.
    async fn iam(&self, parameters: &[(&str, &str)]) -> String {
        let mut form = Url::parse("form:").expect("a URL");
        form.query_pairs_mut()
            .append_pair("Version", "2010-05-08")
            .extend_pairs(parameters);
        let body = form.query().unwrap_or_default().to_owned();
        let content_type = ("content-type", "application/x-www-form-urlencoded");
        let (status, answer) = self.signed_call("iam", &[content_type], body).await;
        assert!(
            (200..300).contains(&status),
            "IAM answered {status}: {answer}"
        );
        answer
    }
}

/// `arn:aws:iam::<account>:root` of a role's account.
fn account_root(role_arn: &str) -> String {
    let (account, _) = role_arn.split_once(":role/").expect("a role's ARN");
    format!("{account}:root")
}
