//! Transactions: all writes or none.

use aws_sdk_dynamodb::{
    Client,
    operation::transact_write_items::TransactWriteItemsError,
    types::{CancellationReason, TransactWriteItem},
};

use crate::{Item, TRIES, TableError, pause};

/// What became of a transaction.
#[derive(Debug, PartialEq)]
pub enum Transacted {
    /// All of it is written.
    Done,
    /// Nothing is written: the conditions at these positions didn't hold. Each comes with its item as
    /// it stands, if the write asked for it.
    Refused(Vec<(usize, Item)>),
    /// Nothing is written: another transaction or write was at one of the items at every try.
    Conflict,
}

impl Transacted {
    /// The item that made the write at `position` be refused, if it was.
    #[must_use]
    pub fn refused_at(&self, position: usize) -> Option<&Item> {
        match self {
            Self::Refused(refused) => refused
                .iter()
                .find(|(at, _)| *at == position)
                .map(|(_, item)| item),
            Self::Done | Self::Conflict => None,
        }
    }
}

/// Writes all of `writes` (at most 100) or none. Waits out conflicts for a moment.
///
/// # Errors
/// See [`TableError`]; conditions that don't hold and conflicts that last are not errors.
pub async fn transact(
    client: &Client,
    writes: Vec<TransactWriteItem>,
) -> Result<Transacted, TableError> {
    let call = client
        .transact_write_items()
        .set_transact_items(Some(writes));
    for _ in 0..TRIES {
        let Err(error) = call.clone().send().await else {
            return Ok(Transacted::Done);
        };
        let outcome = match error.as_service_error() {
            Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                outcome(cancelled.cancellation_reasons())
            }
            _ => None,
        };
        match outcome {
            Some(Transacted::Conflict) => pause().await,
            Some(outcome) => return Ok(outcome),
            None => return Err(TableError::unavailable(error)),
        }
    }
    Ok(Transacted::Conflict)
}

/// Reads the reasons of a cancelled transaction; none if they are neither conflicts nor conditions.
///
/// A conflict is told first: whoever is at the other item may be a repeat of this very transaction,
/// half visible, and then a condition that fails says nothing yet.
fn outcome(reasons: &[CancellationReason]) -> Option<Transacted> {
    let with_code = |code: &'static str| {
        reasons
            .iter()
            .enumerate()
            .filter(move |(_, reason)| reason.code.as_deref() == Some(code))
    };
    if with_code("TransactionConflict").next().is_some() {
        return Some(Transacted::Conflict);
    }
    let refused: Vec<_> = with_code("ConditionalCheckFailed")
        .map(|(position, reason)| (position, reason.item.clone().unwrap_or_default()))
        .collect();
    (!refused.is_empty()).then_some(Transacted::Refused(refused))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reasons(codes: &[&str]) -> Vec<CancellationReason> {
        codes
            .iter()
            .map(|code| CancellationReason::builder().code(*code).build())
            .collect()
    }

    #[test]
    fn refused_writes_are_told_by_their_position() {
        let refused = outcome(&reasons(&["None", "ConditionalCheckFailed", "None"])).unwrap();
        assert!(refused.refused_at(1).is_some());
        assert!(refused.refused_at(0).is_none() && refused.refused_at(2).is_none());
    }

    #[test]
    fn a_condition_that_fails_during_a_conflict_is_no_refusal_yet() {
        let codes = ["TransactionConflict", "ConditionalCheckFailed"];
        assert_eq!(outcome(&reasons(&codes)), Some(Transacted::Conflict));
    }

    #[test]
    fn a_conflict_is_no_refusal() {
        assert_eq!(
            outcome(&reasons(&["None", "TransactionConflict"])),
            Some(Transacted::Conflict)
        );
    }

    #[test]
    fn other_reasons_are_failures() {
        assert_eq!(outcome(&reasons(&["ThrottlingError"])), None);
    }
}
