//! The invocation that is being handled, as whatever it writes names it.

use std::fmt::Display;

use tracing::{Span, field::display};

use crate::{TraceContext, TraceSpan};

tokio::task_local! {
    static CURRENT: Invocation;
}

/// One invocation.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// The function's deployed name.
    pub function: String,
    /// Lambda's id of the invocation.
    pub request_id: String,
    /// Where in which trace it is.
    pub trace: TraceContext,
    /// Its span there.
    pub span: TraceSpan,
}

impl Invocation {
    /// Runs `work` as this invocation's: it is [`Self::current`] there.
    pub async fn scope<T>(self, work: impl Future<Output = T>) -> T {
        CURRENT.scope(self, work).await
    }

    /// The invocation that is being handled, if one is.
    pub(crate) fn current() -> Option<Self> {
        CURRENT.try_with(Self::clone).ok()
    }
}

/// The trace context of the invocation that is being handled, if one is.
#[must_use]
pub fn current() -> Option<TraceContext> {
    CURRENT.try_with(|invocation| invocation.trace).ok()
}

/// Names what the invocation turns out to be about, by its id, on all log lines that follow and on its span:
/// `order_id`, `sku` or `user_id`. Never by what tells of a person or pays: no address, no token.
pub fn about(name: &'static str, id: impl Display) {
    Span::current().record(name, display(&id));
    if let Some(invocation) = Invocation::current()
        && invocation.span.is_recorded()
    {
        let attribute = match name {
            "order_id" => "oxcart.order.id",
            "user_id" => "enduser.pseudo.id",
            _ => "oxcart.product.sku",
        };
        invocation.span.set(attribute, id.to_string());
    }
}
