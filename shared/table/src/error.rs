//! What can go wrong with a table, apart from a condition that doesn't hold.

use aws_sdk_dynamodb::error::{BuildError, SdkError};

/// Why a table could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The call failed. A write may or may not have happened.
    #[error("the table is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// DynamoDB asks for less, or others were at the same item.
    #[error("the table is throttled")]
    Throttled,
    /// An item is not in the form in which this service writes it.
    #[error("an item is malformed")]
    Malformed(#[from] serde_dynamo::Error),
    /// A call was put together wrongly.
    #[error("the call is incomplete")]
    Incomplete(#[from] BuildError),
}

impl TableError {
    /// Any failed call.
    pub fn unavailable<E, R>(error: SdkError<E, R>) -> Self
    where
        E: std::error::Error + Send + Sync + 'static,
        R: std::fmt::Debug + Send + Sync + 'static,
    {
        Self::Unavailable(Box::new(error))
    }

    /// Other writes were at the item at every try, so this one is given up. That is counted.
    #[must_use]
    pub fn contended() -> Self {
        oxcart_telemetry::conflict();
        Self::Throttled
    }

    /// Whether trying again later can help.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable(_) | Self::Throttled => true,
            Self::Malformed(_) | Self::Incomplete(_) => false,
        }
    }

    /// The name under which a step of a saga reports it.
    #[must_use]
    pub const fn error_type(&self) -> &'static str {
        if self.is_transient() {
            "Throttled"
        } else {
            "Internal"
        }
    }
}
