//! How an HTTP endpoint reads its request and answers it: the caller, the body, idempotency keys,
//! preferences, pages, compression, problem documents. Knows API Gateway's HTTP API, and nothing of any service.

mod body;
mod caller;
mod compression;
mod filter;
mod idempotency;
mod list;
mod page;
mod preference;
mod problem;
mod respond;
mod serve;

pub use body::{body_bytes, json_body};
pub use caller::{AuthorizerContext, Caller, source_address};
pub use filter::{filter, invalid_filter};
pub use idempotency::idempotency_key;
pub use lambda_http::{Request, RequestExt, Response, http::StatusCode, http::header};
pub use page::{Page, PageRequest};
pub use preference::{Wait, wants_fresh};
pub use problem::{Kind, Problem};
pub use respond::{Answer, content, json, no_content, path_parameter};
pub use serve::serve;
