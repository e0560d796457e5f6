//! The sagas that wait for a customer to act on their payment.

use aws_sdk_sfn::{Client, error::SdkError, operation::send_task_success::SendTaskSuccessError};
use oxcart_domain::saga::TaskToken;

/// Sagas that wait.
#[derive(Debug)]
pub struct WaitingSagas {
    client: Client,
}

/// A saga was not woken.
#[derive(Debug, thiserror::Error)]
#[error("the waiting saga was not woken")]
pub struct NotWoken(#[source] Box<SdkError<SendTaskSuccessError>>);

impl WaitingSagas {
    /// Sagas, through `client`.
    #[must_use]
    pub const fn new(client: Client) -> Self {
        Self { client }
    }

    /// Wakes the saga that waits with `token`. One that waits no longer is a success.
    ///
    /// # Errors
    /// See [`NotWoken`].
    pub async fn wake(&self, token: &TaskToken) -> Result<(), NotWoken> {
        let woken = self
            .client
            .send_task_success()
            .task_token(token.as_str())
            .output("{}")
            .send()
            .await;
        match woken {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(
                    SendTaskSuccessError::TaskTimedOut(_)
                    | SendTaskSuccessError::TaskDoesNotExist(_)
                    | SendTaskSuccessError::InvalidToken(_),
                ) => Ok(()),
                _ => Err(NotWoken(Box::new(error))),
            },
        }
    }
}
