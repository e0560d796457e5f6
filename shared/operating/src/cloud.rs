//! Where the stack is, and one client for each of its doors. The only module that makes clients.

use std::collections::BTreeMap;

use aws_config::SdkConfig;

use crate::failure::{Failure, Outcome};

/// The stack.
#[derive(Debug)]
pub struct Cloud {
    settings: BTreeMap<String, String>,
    pub(crate) dynamodb: aws_sdk_dynamodb::Client,
    pub(crate) lambda: aws_sdk_lambda::Client,
    pub(crate) sfn: aws_sdk_sfn::Client,
    pub(crate) sns: aws_sdk_sns::Client,
    pub(crate) sqs: aws_sdk_sqs::Client,
    /// Where the payment gateway's key is.
    pub(crate) secrets: aws_sdk_secretsmanager::Client,
}

impl Cloud {
    /// The stack that `settings` tell of: `STACK_NAME`, and outputs of its template such as `ORDERS_TABLE`. Each
    /// is needed by what asks for it only.
    #[must_use]
    pub fn new(aws: &SdkConfig, settings: BTreeMap<String, String>) -> Self {
        Self {
            dynamodb: aws_sdk_dynamodb::Client::new(aws),
            lambda: aws_sdk_lambda::Client::new(aws),
            sfn: aws_sdk_sfn::Client::new(aws),
            sns: aws_sdk_sns::Client::new(aws),
            sqs: aws_sdk_sqs::Client::new(aws),
            secrets: aws_sdk_secretsmanager::Client::new(aws),
            settings,
        }
    }

    /// A setting of the stack.
    ///
    /// # Errors
    /// When there is none of this name, or it is empty.
    pub fn setting(&self, name: &str) -> Outcome<&str> {
        lookup(&self.settings, name)
    }

    /// Whether the sagas run in Express machines, which forget each execution when it ends. A stack that was
    /// deployed before there was a choice doesn't say, and has none.
    pub(crate) fn forgets_runs(&self) -> bool {
        self.setting("SAGA_TYPE")
            .is_ok_and(|kind| kind == "EXPRESS")
    }

    /// All settings, and whatever else stands among them.
    pub(crate) fn settings(&self) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.settings.iter();
        pairs.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Makes sure that this is the stack that was asked for, if one was.
    ///
    /// # Errors
    /// When it is another one.
    pub fn is_named(&self, wanted: Option<&str>) -> Outcome {
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

/// The region that the stack of these settings is in, whatever region the environment prefers.
///
/// # Errors
/// When they name no `ORDER_SAGA_ARN`.
pub fn region_of(settings: &BTreeMap<String, String>) -> Outcome<String> {
    let order_saga = lookup(settings, "ORDER_SAGA_ARN")?;
    Ok(order_saga.split(':').nth(3).unwrap_or_default().to_owned())
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

    #[test]
    fn a_stack_is_in_the_region_of_its_sagas() {
        let arn = "arn:aws:states:eu-central-1:1:stateMachine:shop-order-saga";
        let settings = BTreeMap::from([("ORDER_SAGA_ARN".to_owned(), arn.to_owned())]);
        assert_eq!(region_of(&settings).unwrap(), "eu-central-1");
    }
}
