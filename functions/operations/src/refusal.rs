//! How what could not be done for an operator is answered.

use oxcart_http::Problem;
use oxcart_operating::Failure;

/// Answers a failure: 503 if trying again can help, else 500. What failed is logged, and not told.
#[must_use]
#[expect(
    clippy::needless_pass_by_value,
    reason = "it is what `map_err` hands over"
)]
pub fn refused(failure: Failure) -> Problem {
    if failure.is_transient() {
        Problem::unavailable(&failure)
    } else {
        Problem::internal(&failure)
    }
}

#[cfg(test)]
mod tests {
    use oxcart_http::StatusCode;

    use super::*;

    #[test]
    fn what_trying_again_does_not_help_is_our_fault() {
        let failure = Failure::new("The item ORDER#1 can't be read.");
        assert_eq!(refused(failure).status(), StatusCode::INTERNAL_SERVER_ERROR);
    }
}
