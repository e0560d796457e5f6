//! Who is calling.

use std::net::IpAddr;

use lambda_http::{
    Request, RequestExt as _,
    http::{HeaderValue, header},
    request::RequestContext,
};
use oxcart_domain::{CustomerId, user::Role};
use oxcart_telemetry::about;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Kind, Problem};

/// What the authorizer hands on about a request: verified claims, or why there are none.
///
/// An HTTP API turns an authorizer's "no" into a bare 403, but a client needs a 401 with a reason to
/// know that it must refresh its token; so the authorizer lets the request through with the reason,
/// and [`Caller::of`], the only way to a subject, answers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum AuthorizerContext {
    /// The token is good.
    Claims {
        /// The token's subject.
        user_id: CustomerId,
        /// What the subject may do.
        role: Role,
    },
    /// The token is no good.
    Refused {
        /// A sentence for the client.
        reason: String,
    },
}

/// The signed-in user who makes a request. There is no other way for a handler to learn of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// Their id.
    pub user_id: CustomerId,
    /// What they may do.
    pub role: Role,
}

impl Caller {
    /// The caller of `request`.
    ///
    /// # Errors
    /// 401 with `WWW-Authenticate` (RFC 6750, section 3) when the authorizer handed on no claims, or
    /// when there is no authorizer: it fails closed.
    pub fn of(request: &Request) -> Result<Self, Problem> {
        match authorizer_context(request) {
            Some(AuthorizerContext::Claims { user_id, role }) => {
                about("user_id", user_id);
                Ok(Self { user_id, role })
            }
            Some(AuthorizerContext::Refused { reason }) => Err(unauthenticated(reason)),
            None => Err(Problem::new(
                Kind::UNAUTHENTICATED,
                "Send an access token: Authorization: Bearer <token>.",
            )
            .challenging()),
        }
    }

    /// The caller of `request`, if their role may do this.
    ///
    /// # Errors
    /// 401 as [`Caller::of`]; 403 when the role may not.
    pub fn who_may(may: impl Fn(Role) -> bool, request: &Request) -> Result<Self, Problem> {
        let caller = Self::of(request)?;
        if may(caller.role) {
            Ok(caller)
        } else {
            Err(Problem::new(
                Kind::FORBIDDEN,
                "Sign in as somebody whose role may do this.",
            ))
        }
    }

    /// Whether the caller may see an order or payment of `owner`.
    #[must_use]
    pub fn may_see_orders_of(self, owner: CustomerId) -> bool {
        self.user_id == owner || self.role.may_see_every_order()
    }
}

/// The address that the request came from, as the gateway saw it. Not a header: anybody can write one.
#[must_use]
pub fn source_address(request: &Request) -> Option<IpAddr> {
    let RequestContext::ApiGatewayV2(context) = request.request_context_ref()? else {
        return None;
    };
    context.http.source_ip.as_deref()?.parse().ok()
}

fn authorizer_context(request: &Request) -> Option<AuthorizerContext> {
    let RequestContext::ApiGatewayV2(context) = request.request_context_ref()? else {
        return None;
    };
    let fields = &context.authorizer.as_ref()?.fields;
    serde_json::from_value(Value::Object(fields.clone().into_iter().collect())).ok()
}

fn unauthenticated(reason: String) -> Problem {
    Problem::new(Kind::UNAUTHENTICATED, reason).with_header(
        header::WWW_AUTHENTICATE,
        HeaderValue::from_static(r#"Bearer realm="oxcart", error="invalid_token""#),
    )
}

#[cfg(test)]
mod tests {
    use lambda_http::{Body, Response, http::StatusCode};
    use serde_json::json;

    use super::*;

    fn request(authorizer: &Value) -> Request {
        let event = json!({
            "version": "2.0", "routeKey": "GET /x", "rawPath": "/x", "rawQueryString": "", "headers": {},
            "requestContext": { "http": { "method": "GET", "path": "/x", "protocol": "HTTP/1.1" }, "authorizer": authorizer },
            "isBase64Encoded": false,
        });
        lambda_http::request::from_str(&event.to_string()).unwrap()
    }

    const ADA: &str = "00000000-0000-4000-8000-000000000001";

    #[test]
    fn verified_claims_make_a_caller() {
        let caller = Caller::of(&request(
            &json!({ "lambda": { "user_id": ADA, "role": "customer" } }),
        ))
        .unwrap();
        assert_eq!(
            (caller.user_id.to_string().as_str(), caller.role),
            (ADA, Role::Customer)
        );
    }

    #[test]
    fn without_claims_there_is_no_entry() {
        for authorizer in [
            json!(null),
            json!({}),
            json!({ "lambda": {} }),
            json!({ "lambda": { "user_id": ADA } }),
            json!({ "lambda": { "user_id": ADA, "role": "root" } }),
            json!({ "lambda": { "reason": "The token has expired." } }),
            json!({ "jwt": { "claims": { "user_id": ADA, "role": "admin" }, "scopes": [] } }),
        ] {
            let response = Response::<Body>::from(Caller::of(&request(&authorizer)).unwrap_err());
            assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{authorizer}");
            assert!(
                response.headers().contains_key(header::WWW_AUTHENTICATE),
                "{authorizer}"
            );
        }
    }

    fn signed_in(role: &str) -> Request {
        request(&json!({ "lambda": { "user_id": ADA, "role": role } }))
    }

    #[test]
    fn only_who_may_do_it_passes() {
        let keep = |role: &str| Caller::who_may(Role::may_keep_the_catalogue, &signed_in(role));
        for role in ["customer", "support"] {
            assert_eq!(keep(role).unwrap_err().status(), StatusCode::FORBIDDEN);
        }
        assert!(keep("admin").is_ok());
    }

    #[test]
    fn all_see_their_own_orders_and_support_sees_all() {
        let bob = CustomerId::new(uuid::Uuid::from_u128(9));
        let sees = |role: &str, owner| {
            Caller::of(&signed_in(role))
                .unwrap()
                .may_see_orders_of(owner)
        };

        assert!(sees("customer", ADA.parse().unwrap()) && !sees("customer", bob));
        assert!(sees("support", bob) && !sees("admin", bob));
    }
}
