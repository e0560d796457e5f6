//! The deployed stack: where it is, and one client for each of its doors.
//!
//! Nothing is guessed: all of it stands in the file that `OXCART_STACK_ENV` names.

use std::{collections::BTreeMap, env, fs, path::PathBuf};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::Credentials;
use aws_sdk_lambda::primitives::Blob;
use serde_json::Value;

use crate::{api::Api, gateway::Gateway, workspace};

/// The stack under test.
pub struct Stack {
    settings: BTreeMap<String, String>,
    /// The HTTP API.
    pub api: Api,
    /// The payment gateway's stand-in.
    pub gateway: Gateway,
    /// The tables.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// The functions.
    pub lambda: aws_sdk_lambda::Client,
    /// The state machine.
    pub states: aws_sdk_sfn::Client,
    /// The topic.
    pub sns: aws_sdk_sns::Client,
    /// The queues.
    pub sqs: aws_sdk_sqs::Client,
    /// The token key.
    pub kms: aws_sdk_kms::Client,
    /// What every further client is made of.
    pub aws: SdkConfig,
}

impl Stack {
    /// Connects to the stack as its operator.
    pub async fn connect() -> Self {
        let settings = settings();
        let setting = |name: &str| lookup(&settings, name).to_owned();
        let credentials = Credentials::new(
            setting("AWS_ACCESS_KEY_ID"),
            setting("AWS_SECRET_ACCESS_KEY"),
            None,
            None,
            "stack.env",
        );
        let aws = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new(setting("AWS_REGION")))
            .endpoint_url(setting("AWS_ENDPOINT_URL"))
            .credentials_provider(credentials)
            .load()
            .await;
        Self {
            api: Api::at(&setting("API_URL")),
            gateway: Gateway::at(
                &setting("GATEWAY_ADMIN_URL"),
                &setting("GATEWAY_SECRET_KEY"),
            ),
            dynamodb: aws_sdk_dynamodb::Client::new(&aws),
            lambda: aws_sdk_lambda::Client::new(&aws),
            states: aws_sdk_sfn::Client::new(&aws),
            sns: aws_sdk_sns::Client::new(&aws),
            sqs: aws_sdk_sqs::Client::new(&aws),
            kms: aws_sdk_kms::Client::new(&aws),
            aws,
            settings,
        }
    }

    /// A setting of the stack, such as `ORDERS_TABLE`.
    pub fn setting(&self, name: &str) -> &str {
        lookup(&self.settings, name)
    }

    /// All settings of the stack.
    pub fn settings(&self) -> &BTreeMap<String, String> {
        &self.settings
    }

    /// The deployed name of a function, given its binary's name.
    pub fn function(&self, binary: &str) -> String {
        format!("{}-{binary}", self.setting("STACK_NAME"))
    }

    /// Invokes a function as Step Functions would.
    pub async fn invoke(&self, binary: &str, payload: &Value) -> Outcome {
        let output = self
            .lambda
            .invoke()
            .function_name(self.function(binary))
            .payload(Blob::new(payload.to_string()))
            .send()
            .await
            .unwrap_or_else(|error| panic!("cannot invoke {binary}: {error:?}"));
        let answer = output
            .payload()
            .map(|blob| blob.as_ref().to_vec())
            .unwrap_or_default();
        let answer: Value = serde_json::from_slice(&answer)
            .unwrap_or_else(|error| panic!("{binary} answered no JSON ({error}): {answer:?}"));
        match output.function_error() {
            None => Outcome::Answer(answer),
            Some(_) => Outcome::Error {
                name: answer["errorType"].as_str().unwrap_or_default().to_owned(),
                message: answer["errorMessage"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned(),
            },
        }
    }
}

/// What a function made of its payload.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It answered.
    Answer(Value),
    /// It raised an error that a state machine can catch by name.
    Error {
        /// The `errorType`.
        name: String,
        /// The `errorMessage`.
        message: String,
    },
}

impl Outcome {
    /// The answer; an error fails the test.
    pub fn answer(self) -> Value {
        match self {
            Self::Answer(answer) => answer,
            Self::Error { name, message } => panic!("the function raised {name}: {message}"),
        }
    }

    /// The name of the error; an answer fails the test.
    pub fn error(self) -> String {
        match self {
            Self::Error { name, .. } => name,
            Self::Answer(answer) => {
                panic!("the function should have refused, but answered {answer}")
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the tests' start-up")]
fn settings() -> BTreeMap<String, String> {
    let path = env::var_os("OXCART_STACK_ENV")
        .map_or_else(|| workspace::root().join(".local/stack.env"), PathBuf::from);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| {
        panic!(
            "no stack to test: {} can't be read ({error}); run `cargo xtask test`, \
             or `cargo xtask up` to keep a stack running",
            path.display()
        )
    });
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let (name, value) = line
                .split_once('=')
                .unwrap_or_else(|| panic!("{}: no KEY=VALUE: {line}", path.display()));
            (name.to_owned(), value.trim_matches('"').to_owned())
        })
        .collect()
}

fn lookup<'s>(settings: &'s BTreeMap<String, String>, name: &str) -> &'s str {
    settings
        .get(name)
        .unwrap_or_else(|| panic!("the stack's file has no {name}; run `cargo xtask up` again"))
}
