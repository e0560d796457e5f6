//! Whether something that orders need is there: a table, a queue, a state machine, a key, the payment gateway. Asks
//! for what it is, and never for what it holds.

use std::{
    error::Error,
    time::{Duration, Instant},
};

use aws_sdk_sfn::types::IncludedData;
use aws_sdk_sqs::types::QueueAttributeName;
use oxcart_table::Table;
use oxcart_telemetry::Chain;
use reqwest::StatusCode;
use tokio::time::timeout;

/// How long an answer may take. Nothing is asked twice: the next report asks again.
const DEADLINE: Duration = Duration::from_secs(1);

/// Something that orders need.
#[derive(Debug)]
pub struct Dependency {
    /// Its name in reports.
    pub name: &'static str,
    /// Whether orders need it at once.
    pub need: Need,
    /// What it is.
    pub target: Target,
}

/// How much depends on something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Without it requests fail, or orders stand still.
    Hard,
    /// What needs it is made up for once it is back.
    Soft,
}

/// What is asked, and with what.
#[derive(Debug)]
pub enum Target {
    /// A table.
    Table(Table),
    /// A queue, by its URL.
    Queue(aws_sdk_sqs::Client, String),
    /// A state machine, by its ARN.
    StateMachine(aws_sdk_sfn::Client, String),
    /// A key, by its ARN.
    Key(aws_sdk_kms::Client, String),
    /// Something that answers over HTTP, by its address.
    Website(reqwest::Client, String),
}

/// What was found of a dependency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finding {
    /// Its name.
    pub name: &'static str,
    /// How much depends on it.
    pub need: Need,
    /// Whether it is as it should be.
    pub is_healthy: bool,
    /// How long it took to answer, or not to.
    pub latency: Duration,
}

/// Why something is not as it should be.
#[derive(Debug, thiserror::Error)]
enum Unhealthy {
    #[error("there was no answer in time")]
    TooLate,
    #[error("it can't be asked")]
    Unreachable(#[source] Box<dyn Error + Send + Sync>),
    #[error("it is in the state {0}")]
    State(String),
}

impl Dependency {
    /// Looks whether it is there. Why it isn't is logged here, and told nobody.
    pub async fn probe(&self) -> Finding {
        let began = Instant::now();
        let asked = timeout(DEADLINE, self.target.ask()).await;
        let latency = began.elapsed();
        let asked = asked.unwrap_or(Err(Unhealthy::TooLate));
        if let Err(error) = &asked {
            tracing::warn!(dependency = self.name, error = %Chain(error), "a dependency is unhealthy");
        }
        Finding {
            name: self.name,
            need: self.need,
            is_healthy: asked.is_ok(),
            latency,
        }
    }
}

impl Target {
    async fn ask(&self) -> Result<(), Unhealthy> {
        match self {
            Self::Table(table) => {
                let call = table.client().describe_table().table_name(table.name());
                let answer = call.send().await.map_err(unreachable)?;
                let state = answer.table.and_then(|table| table.table_status);
                // While an index is made, or a setting changed, a table is read and written all the same.
                expect_one_of(&["ACTIVE", "UPDATING"], state.as_ref())
            }
            Self::Queue(client, url) => {
                let call = client.get_queue_attributes().queue_url(url);
                let call = call.attribute_names(QueueAttributeName::QueueArn);
                call.send().await.map(drop).map_err(unreachable)
            }
            Self::StateMachine(client, arn) => {
                let call = client.describe_state_machine().state_machine_arn(arn);
                let call = call.included_data(IncludedData::MetadataOnly);
                let answer = call.send().await.map_err(unreachable)?;
                expect_one_of(&["ACTIVE"], answer.status.as_ref())
            }
            Self::Key(client, arn) => {
                let answer = client.describe_key().key_id(arn).send().await;
                let answer = answer.map_err(unreachable)?;
                let state = answer.key_metadata.and_then(|key| key.key_state);
                expect_one_of(&["Enabled"], state.as_ref())
            }
            Self::Website(client, address) => {
                let answer = client.get(address).send().await;
                let answer = answer.map_err(|error| unreachable(error.without_url()))?;
                expect_an_answer(answer.status())
            }
        }
    }
}

fn unreachable(error: impl Error + Send + Sync + 'static) -> Unhealthy {
    Unhealthy::Unreachable(Box::new(error))
}

fn expect_one_of(good: &[&str], state: Option<&impl AsRef<str>>) -> Result<(), Unhealthy> {
    let state = state.map_or("UNKNOWN", AsRef::as_ref);
    if good.contains(&state) {
        Ok(())
    } else {
        Err(Unhealthy::State(state.to_owned()))
    }
}

/// Whatever it says to who shows no key: it is there to say it.
fn expect_an_answer(status: StatusCode) -> Result<(), Unhealthy> {
    if status.is_server_error() {
        Err(Unhealthy::State(status.to_string()))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_that_is_being_changed_is_there() {
        let good = ["ACTIVE", "UPDATING"];
        for state in good {
            assert!(expect_one_of(&good, Some(&state)).is_ok(), "{state}");
        }
        for state in [Some(&"DELETING"), Some(&"CREATING"), None] {
            assert!(expect_one_of(&good, state).is_err(), "{state:?}");
        }
    }

    #[test]
    fn a_gateway_that_refuses_us_is_there() {
        for there in [
            StatusCode::OK,
            StatusCode::FOUND,
            StatusCode::UNAUTHORIZED,
            StatusCode::NOT_FOUND,
            StatusCode::TOO_MANY_REQUESTS,
        ] {
            assert!(expect_an_answer(there).is_ok(), "{there}");
        }
        for away in [
            StatusCode::INTERNAL_SERVER_ERROR,
            StatusCode::BAD_GATEWAY,
            StatusCode::SERVICE_UNAVAILABLE,
        ] {
            assert!(expect_an_answer(away).is_err(), "{away}");
        }
    }
}
