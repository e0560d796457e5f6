//! Where the stack is, and one client for each of its doors. The only module that reads the environment and
//! makes clients: `cargo xtask ops` hands both the local stack's and AWS's outputs over as variables.

use std::collections::BTreeMap;

use aws_config::{BehaviorVersion, Region};

use crate::failure::{Failure, Outcome};

/// The stack.
#[derive(Debug)]
pub(crate) struct Cloud {
    settings: BTreeMap<String, String>,
    /// The tables.
    pub(crate) dynamodb: aws_sdk_dynamodb::Client,
    /// The functions.
    pub(crate) lambda: aws_sdk_lambda::Client,
    /// The sagas.
    pub(crate) sfn: aws_sdk_sfn::Client,
    /// The topic.
    pub(crate) sns: aws_sdk_sns::Client,
    /// The queues.
    pub(crate) sqs: aws_sdk_sqs::Client,
    /// What we share with the payment gateway.
    pub(crate) secrets: aws_sdk_secretsmanager::Client,
}

impl Cloud {
    /// Connects to the stack that `settings` tell of, with the credentials of the environment or a profile.
    pub(crate) async fn connect(settings: BTreeMap<String, String>) -> Outcome<Self> {
        let order_saga = lookup(&settings, "ORDER_SAGA_ARN")?;
        // The stack is where its outputs say, whatever region the environment prefers.
        let region = order_saga.split(':').nth(3).unwrap_or_default().to_owned();
        let aws = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new(region))
            .load()
            .await;
        Ok(Self {
            dynamodb: aws_sdk_dynamodb::Client::new(&aws),
            lambda: aws_sdk_lambda::Client::new(&aws),
            sfn: aws_sdk_sfn::Client::new(&aws),
            sns: aws_sdk_sns::Client::new(&aws),
            sqs: aws_sdk_sqs::Client::new(&aws),
            secrets: aws_sdk_secretsmanager::Client::new(&aws),
            settings,
        })
    }

    /// A setting of the stack: an output of its template, such as `ORDERS_TABLE`, or `STACK_NAME`.
    pub(crate) fn setting(&self, name: &str) -> Outcome<&str> {
        lookup(&self.settings, name)
    }

    /// All settings, and whatever else the environment holds.
    pub(crate) fn settings(&self) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.settings.iter();
        pairs.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Makes sure that this is the stack that was asked for, if one was.
    pub(crate) fn is_named(&self, wanted: Option<&str>) -> Outcome {
        let name = self.setting("STACK_NAME")?;
        match wanted {
            Some(wanted) if wanted != name => Err(Failure::new(format!(
                "The settings are those of the stack {name}, not of {wanted}."
            ))
            .advice("`cargo xtask ops --stack-name` hands over the right ones.")),
            _ => Ok(()),
        }
    }

    /// The deployed name of a function, given its binary's name.
    pub(crate) fn function(&self, binary: &str) -> Outcome<String> {
        Ok(format!("{}-{binary}", self.setting("STACK_NAME")?))
    }
}

/// The environment. What isn't text is nothing of ours.
#[expect(
    clippy::disallowed_methods,
    reason = "this is where this program reads the environment"
)]
pub(crate) fn environment() -> BTreeMap<String, String> {
    let texts = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    std::env::vars_os().filter_map(texts).collect()
}

fn lookup<'s>(settings: &'s BTreeMap<String, String>, name: &str) -> Outcome<&'s str> {
    let value = settings.get(name).filter(|value| !value.is_empty());
    value.map(String::as_str).ok_or_else(|| {
        Failure::new(format!("The stack's settings lack {name}.")).advice(
            "`cargo xtask ops` hands them over. A stack that was deployed before there was this output has to \
             be deployed again.",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_that_is_missing_is_named() {
        let settings = BTreeMap::from([("EMPTY".to_owned(), String::new())]);
        for name in ["EMPTY", "ORDERS_TABLE"] {
            let failure = lookup(&settings, name).unwrap_err().to_string();
            assert!(failure.contains(name), "{failure}");
        }
    }
}
