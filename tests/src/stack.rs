//! The deployed stack: where it is, and one client for each of its doors.
//!
//! Nothing is guessed: all of it stands in the file that `OXCART_STACK_ENV` names.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::Credentials;
use aws_sdk_lambda::primitives::Blob;
use serde_json::Value;

use crate::{
    api::Api,
    eventually::{PATIENCE, eventually},
    gateway::Gateway,
    workspace,
};

/// The stack under test.
pub struct Stack {
    settings: BTreeMap<String, String>,
    settings_file: PathBuf,
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
    /// The token keys.
    pub kms: aws_sdk_kms::Client,
    /// What every further client is made of.
    pub aws: SdkConfig,
}

impl Stack {
    /// Connects to the stack as its operator.
    pub async fn connect() -> Self {
        let settings_file = settings_file();
        let settings = settings(&settings_file);
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
            settings_file,
        }
    }

    /// A setting of the stack, such as `ORDERS_TABLE`.
    pub fn setting(&self, name: &str) -> &str {
        lookup(&self.settings, name)
    }

    /// A setting that not every stack has.
    pub fn setting_if_any(&self, name: &str) -> Option<&str> {
        self.settings.get(name).map(String::as_str)
    }

    /// Whether its state machines are Express ones. AWS forgets an execution of such a machine when it has
    /// ended; the local cloud doesn't, so that tests see what became of each. It forgets an earlier execution
    /// of the same name, though, which Standard machines don't have.
    pub fn is_express(&self) -> bool {
        self.setting("SAGA_TYPE") == "EXPRESS"
    }

    /// The file that says where the stack is.
    pub fn settings_file(&self) -> &Path {
        &self.settings_file
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

    /// What a function answers; an error fails the test, if it isn't one that passes.
    pub async fn answer_of(&self, binary: &str, payload: &Value) -> Value {
        self.outcome_of(binary, payload).await.answer()
    }

    /// The name of the error that a function raises, if it isn't one that passes; an answer fails the test.
    pub async fn error_of(&self, binary: &str, payload: &Value) -> String {
        self.outcome_of(binary, payload).await.error()
    }

    /// What a function makes of its payload in the end: as the state machines do, it is tried again while it raises
    /// what the faults of other tests make it raise, and a busy machine.
    async fn outcome_of(&self, binary: &str, payload: &Value) -> Outcome {
        let what = format!("{binary} gets to its work");
        eventually(&what, PATIENCE, async || {
            match self.invoke(binary, payload).await {
                Outcome::Error { name, message } if PASSING.contains(&name.as_str()) => {
                    Err(format!("{name}: {message}"))
                }
                outcome => Ok(outcome),
            }
        })
        .await
    }
}

/// The errors that pass: the gateway is left alone for a moment, or the cloud is.
const PASSING: [&str; 2] = ["PaymentGatewayUnavailable", "Throttled"];

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
pub(crate) fn settings_file() -> PathBuf {
    // A relative name is meant from the root: cargo runs tests in their package's folder.
    let named = env::var_os("OXCART_STACK_ENV").unwrap_or_else(|| ".local/stack.env".into());
    workspace::root().join(named)
}

fn settings(file: &Path) -> BTreeMap<String, String> {
    let text = fs::read_to_string(file).unwrap_or_else(|error| {
        panic!(
            "no stack to test: {} can't be read ({error}); run `cargo xtask test`, \
             or `cargo xtask up` to keep a stack running",
            file.display()
        )
    });
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let setting = line.split_once('=');
            let (name, value) =
                setting.unwrap_or_else(|| panic!("{}: no KEY=VALUE: {line}", file.display()));
            (name.to_owned(), value.trim_matches('"').to_owned())
        })
        .collect()
}

fn lookup<'s>(settings: &'s BTreeMap<String, String>, name: &str) -> &'s str {
    settings
        .get(name)
        .unwrap_or_else(|| panic!("the stack's file has no {name}; run `cargo xtask up` again"))
}
