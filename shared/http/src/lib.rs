//! How an HTTP endpoint reads its request and answers it: the caller, the body, idempotency keys,
//! pages, problem documents. Knows API Gateway's HTTP API, and nothing of any service.

mod body;
mod caller;
mod idempotency;
mod page;
mod problem;
mod respond;
mod serve;

pub use body::{body_bytes, json_body};
pub use caller::{AuthorizerContext, Caller, source_address};
pub use idempotency::idempotency_key;
pub use lambda_http::{Request, Response, http::StatusCode};
pub use page::{Page, PageRequest};
pub use problem::{Kind, Problem};
pub use respond::{Answer, json, no_content, path_parameter};
pub use serve::serve;
