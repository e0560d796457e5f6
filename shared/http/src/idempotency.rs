//! The `Idempotency-Key` request header.

use lambda_http::Request;
use oxcart_domain::IdempotencyKey;

use crate::{Kind, Problem};

/// The request's idempotency key.
///
/// # Errors
/// 400 when there is none, or it isn't 1 to 255 visible ASCII characters.
pub fn idempotency_key(request: &Request) -> Result<IdempotencyKey, Problem> {
    let header = request.headers().get("idempotency-key").ok_or_else(|| {
        Problem::new(
            Kind::KEY_REQUIRED,
            "Send a fresh key, a UUID for example; repeat it to repeat the request.",
        )
    })?;
    header
        .to_str()
        .ok()
        .and_then(|text| IdempotencyKey::try_from(text.to_owned()).ok())
        .ok_or_else(|| {
            Problem::new(
                Kind::KEY_INVALID,
                "The key must be 1 to 255 visible ASCII characters.",
            )
        })
}
