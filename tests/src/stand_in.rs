//! A payment gateway in the test's own process, shaped like
//! [Stripe's PaymentIntents API](https://docs.stripe.com/api/payment_intents), for what the deployed
//! stack's gateway can't be told to do: to honour idempotency keys, to decline for every reason, to be
//! slow, to fail before and after it has done what it was asked, and to count.
//!
//! It knows Stripe's documentation, and nothing of who calls it.

mod answer;
mod cards;
mod keys;
mod ledger;
mod request;
mod script;
mod server;
mod webhook;

#[cfg(test)]
mod tests;

use std::{io, net::Ipv4Addr, sync::Arc};

use axum::serve::ListenerExt as _;
use futures::FutureExt as _;
use serde_json::Value;
use tokio::{net::TcpListener, task::JoinHandle};

use self::{script::Hook, server::Shared};
pub use self::{
    script::{Call, Fault},
    server::Seen,
};
use crate::{gateway::Books, webhooks};

/// The gateway, which is there until it is dropped.
pub struct StandIn {
    shared: Arc<Shared>,
    url: String,
    server: JoinHandle<io::Result<()>>,
}

impl StandIn {
    /// Opens on a port of its own for whoever shows this secret key.
    pub async fn start(secret_key: &str) -> Self {
        let shared = Arc::new(Shared::new(secret_key));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("a free port");
        let address = listener.local_addr().expect("an address");
        let counting = Arc::clone(&shared);
        let listener = listener.tap_io(move |_| counting.count_connection());
        let routes = server::routes(Arc::clone(&shared));
        Self {
            shared,
            url: format!("http://{address}"),
            server: tokio::spawn(axum::serve(listener, routes).into_future()),
        }
    }

    /// Where it listens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Takes this secret key from now on, and no other.
    pub fn accept_key(&self, secret_key: &str) {
        secret_key.clone_into(&mut self.shared.desk().secret_key);
    }

    /// The next call of this kind that nothing is planned for goes wrong like this.
    pub fn script(&self, on: Call, fault: Fault) {
        self.shared.desk().script.add_fault(on, fault);
    }

    /// This happens after the next call of this kind has been carried out and before it is answered, as
    /// a webhook may arrive. A call that is answered from its idempotency key is not carried out.
    pub fn before_answering<F, A>(&self, on: Call, hook: F)
    where
        F: FnOnce() -> A + Send + 'static,
        A: Future<Output = ()> + Send + 'static,
    {
        let hook: Hook = Box::new(move || hook().boxed());
        self.shared.desk().script.add_hook(on, hook);
    }

    /// The customer has shown who they are, or failed to, as an intent in `requires_action` asks of them.
    /// Answers the intent.
    pub fn authenticate(&self, intent: &str, success: bool) -> Value {
        self.shared.desk().ledger.authenticate(intent, success)
    }

    /// A copy of the books as they are now. It is no call.
    pub fn books(&self) -> Books {
        let desk = self.shared.desk();
        Books::of(desk.ledger.intents(), desk.ledger.refunds())
    }

    /// The body and the `Stripe-Signature` of a webhook that tells of an intent as it is now. `at` counts
    /// the seconds of the Unix epoch.
    pub fn signed_event(
        &self,
        kind: &str,
        intent: &str,
        secret: &str,
        at: i64,
    ) -> (String, String) {
        let body = webhook::event(kind, self.books().intent(intent), at);
        let signature = webhooks::signature(&body, secret, at);
        (body, signature)
    }

    /// Every request that came in so far, with or without the right key, in order.
    pub fn requests(&self) -> Vec<Seen> {
        self.shared.desk().seen.clone()
    }

    /// How many requests of this kind came in.
    pub fn calls(&self, kind: Call) -> usize {
        let desk = self.shared.desk();
        desk.seen.iter().filter(|seen| seen.call == kind).count()
    }

    /// How many connections were opened.
    pub fn connections(&self) -> usize {
        self.shared.connections()
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.server.abort();
    }
}
