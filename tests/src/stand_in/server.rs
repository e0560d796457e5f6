//! The stand-in's door: from HTTP to what is asked, through keys and faults, and back.

use std::{
    future,
    panic::resume_unwind,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    Form, Router,
    extract::{State, rejection::FormRejection},
    http::{HeaderMap, Method, Uri, header::AUTHORIZATION},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use tokio::time::sleep;

use super::{
    answer::{Answer, Refusal},
    cards::Decline,
    keys::Keys,
    ledger::Ledger,
    request::{Asked, Command, Parameters, Target},
    script::{Call, Fault, Script},
};

/// A request that came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// What was asked.
    pub call: Call,
    /// The intent in its address.
    pub intent: Option<String>,
    /// Its `Idempotency-Key`.
    pub key: Option<String>,
}

/// What the server and the test both hold.
pub(super) struct Shared {
    desk: Mutex<Desk>,
    connections: AtomicUsize,
}

/// All that a request can change.
pub(super) struct Desk {
    pub(super) secret_key: String,
    pub(super) ledger: Ledger,
    pub(super) script: Script,
    pub(super) seen: Vec<Seen>,
    keys: Keys,
}

impl Shared {
    pub(super) fn new(secret_key: &str) -> Self {
        Self {
            desk: Mutex::new(Desk {
                secret_key: secret_key.to_owned(),
                ledger: Ledger::default(),
                script: Script::default(),
                seen: Vec::new(),
                keys: Keys::default(),
            }),
            connections: AtomicUsize::new(0),
        }
    }

    /// Never to be held across an await.
    pub(super) fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().expect("nobody has failed at the desk")
    }

    pub(super) fn count_connection(&self) {
        self.connections.fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// Everything that the stand-in answers to.
pub(super) fn routes(shared: Arc<Shared>) -> Router {
    Router::new().fallback(receive).with_state(shared)
}

/// A form, or a query. A request without either has none.
type Sent = Result<Form<Vec<(String, String)>>, FormRejection>;

async fn receive(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    sent: Sent,
) -> Answer {
    let Some(target) = Target::at(&method, uri.path()) else {
        return Refusal::no_such_address(method.as_str(), uri.path()).into();
    };
    let asked = Asked {
        target,
        parameters: Parameters::new(sent.map(|Form(form)| form).unwrap_or_default()),
    };
    let key = text(&headers, "idempotency-key");
    let admitted = shared.desk().admit(&asked.target, key.clone(), &headers);
    let fault = match admitted {
        Ok(fault) => fault,
        Err(refusal) => return refusal.into(),
    };
    if fault == Some(Fault::ResetBeforeCommit) {
        cut_connection();
    }
    // A caller who goes away does not stop what has begun.
    let answering = tokio::spawn(answer(shared, asked, key, fault));
    let answer = answering
        .await
        .unwrap_or_else(|error| panic!("the stand-in failed: {error}"));
    match fault {
        Some(Fault::HangAfterCommit) => future::pending().await,
        Some(Fault::ResetAfterCommit) => cut_connection(),
        _ => answer,
    }
}

async fn answer(
    shared: Arc<Shared>,
    asked: Asked,
    key: Option<String>,
    fault: Option<Fault>,
) -> Answer {
    let command = match Command::read(&asked) {
        Ok(command) => command,
        Err(refusal) => return refusal.into(),
    };
    let key = key.filter(|_| asked.target.changes_something());
    if let Some(key) = &key {
        let begun = shared.desk().keys.begin(key, &asked);
        match begun {
            Ok(None) => {}
            Ok(Some(answer)) => return answer.replayed(),
            Err(refusal) => return refusal.into(),
        }
    }
    if let Some(Fault::Slow(time)) = fault {
        sleep(time).await;
    }
    let (answer, hook) = {
        let mut desk = shared.desk();
        let answer = desk.carry_out(command, fault);
        if let Some(key) = &key {
            desk.keys.end(key, &answer);
        }
        let hook = desk.script.next_hook(asked.target.call());
        (answer, hook)
    };
    if let Some(hook) = hook {
        hook().await;
    }
    answer
}

impl Desk {
    /// Lets a request in that shows the secret key, with what is to go wrong with it.
    fn admit(
        &mut self,
        target: &Target,
        key: Option<String>,
        headers: &HeaderMap,
    ) -> Result<Option<Fault>, Refusal> {
        let call = target.call();
        self.seen.push(Seen {
            call,
            intent: target.intent().map(ToOwned::to_owned),
            key,
        });
        if secret_key(headers).as_deref() != Some(self.secret_key.as_str()) {
            return Err(Refusal::unauthorised());
        }
        match self.script.next_fault(call) {
            Some(Fault::Throttled { retry_after }) => Err(Refusal::throttled(retry_after)),
            fault => Ok(fault),
        }
    }

    fn carry_out(&mut self, command: Command, fault: Option<Fault>) -> Answer {
        match fault {
            Some(Fault::ErrorBeforeCommit) => Refusal::broken().into(),
            Some(Fault::ErrorAfterCommit) => {
                // Nobody is told what came of it.
                drop(self.ledger.carry_out(command, None));
                Refusal::broken().into()
            }
            Some(Fault::Declined(code)) => {
                let decline = Decline::coded(code);
                self.ledger.carry_out(command, Some(decline)).into()
            }
            _ => self.ledger.carry_out(command, None).into(),
        }
    }
}

/// Closes the connection without an answer: what serves it ends here, as if it had failed, but without a
/// word in the test's output.
fn cut_connection() -> ! {
    resume_unwind(Box::new("the connection is cut"))
}

/// The key in `Authorization: Basic`, where it is the user, or `Bearer`.
fn secret_key(headers: &HeaderMap) -> Option<String> {
    let authorization = text(headers, AUTHORIZATION.as_str())?;
    match authorization.split_once(' ')? {
        ("Bearer", key) => Some(key.to_owned()),
        ("Basic", encoded) => {
            let decoded = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
            decoded.split(':').next().map(ToOwned::to_owned)
        }
        _ => None,
    }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?;
    value.to_str().ok().map(ToOwned::to_owned)
}
