//! Faults between the functions and what they call: rules that the stack's fault proxy carries out, armed
//! for as long as somebody holds on to them.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::stack::Stack;

/// How often a rule is looked at that something is waited for from.
const INTERVAL: Duration = Duration::from_millis(50);
/// How long it may take until a rule strikes: a saga may have to give up before.
const PATIENCE: Duration = Duration::from_mins(3);

/// The fault proxy's admin interface.
#[derive(Debug, Clone)]
pub struct Faults {
    base: String,
    stack: String,
    http: reqwest::Client,
}

/// What becomes of a call that is struck.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It goes through, and is written down.
    Watch,
    /// It is refused, and the service never hears of it.
    Refuse,
    /// The service does it, and then it is refused.
    LoseAnswer,
    /// There were too many, says the service, which never heard of it.
    Throttle,
    /// The connection is closed, and the service never hears of it.
    Reset,
    /// The service does it, and the connection is closed without an answer.
    ResetAfter,
    /// The service does it, nothing is answered for so long, and the connection is closed.
    HangAfter(Duration),
    /// The caller is killed, and the service never hears of it.
    Kill,
    /// The service does it, and the caller is killed before it has the answer.
    KillAfter,
    /// It goes through once it is released.
    Hold,
    /// The service does it, and answers once it is released.
    HoldAnswer,
}

impl Action {
    /// Its name at the proxy.
    pub fn name(self) -> &'static str {
        match self {
            Self::Watch => "watch",
            Self::Refuse => "refuse",
            Self::LoseAnswer => "lose-answer",
            Self::Throttle => "throttle",
            Self::Reset => "reset",
            Self::ResetAfter => "reset-after",
            Self::HangAfter(_) => "hang-after",
            Self::Kill => "kill",
            Self::KillAfter => "kill-after",
            Self::Hold => "hold",
            Self::HoldAnswer => "hold-answer",
        }
    }
}

/// Which calls are struck, and how.
#[derive(Debug, Clone)]
pub struct Rule {
    /// The binary's name of the function whose calls are struck; none: those of all.
    pub function: Option<String>,
    /// What the call's path or body holds, or the id of the order whose payment intent it is about. Never
    /// empty: a rule strikes the orders of its own test and of no other.
    pub about: String,
    /// Only calls of the payment gateway.
    pub gateway_only: bool,
    /// Only calls that change something.
    pub writes_only: bool,
    /// How many such calls pass before the first is struck.
    pub skip: usize,
    /// How many are struck.
    pub times: usize,
    /// What is done to them.
    pub action: Action,
}

impl Rule {
    /// Watches everything that any function asks for about an order.
    pub fn watch_all(order_id: &str) -> Self {
        Self {
            function: None,
            about: order_id.to_owned(),
            gateway_only: false,
            writes_only: false,
            skip: 0,
            times: usize::MAX,
            action: Action::Watch,
        }
    }

    /// Strikes one write of a function for an order: the one after `skip` others.
    pub fn write(function: &str, order_id: &str, skip: usize, action: Action) -> Self {
        Self {
            function: Some(function.to_owned()),
            about: order_id.to_owned(),
            gateway_only: false,
            writes_only: true,
            skip,
            times: 1,
            action,
        }
    }
}

/// A call that was watched.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The deployed name of the function that called.
    pub function: String,
    /// Whether the payment gateway was called, and not the cloud.
    pub to_gateway: bool,
    /// What it asked for, such as `PutItem`.
    pub call: String,
    /// The body of the request.
    pub request: String,
    /// The status of the answer.
    pub status: u16,
    /// The body of the answer.
    pub answer: String,
}

/// A rule that is armed. It is taken off when this is dropped, and what it holds then goes on.
#[derive(Debug)]
pub struct Armed {
    faults: Faults,
    id: u64,
    rule: Rule,
}

impl Stack {
    /// The fault proxy.
    pub fn faults(&self) -> Faults {
        Faults {
            base: self.setting("FAULTS_URL").trim_end_matches('/').to_owned(),
            stack: self.setting("STACK_NAME").to_owned(),
            http: self.gateway.http.clone(),
        }
    }
}

impl Faults {
    /// Arms a rule.
    pub async fn arm(&self, rule: Rule) -> Armed {
        assert!(!rule.about.is_empty(), "a rule about everybody's orders");
        let function = rule.function.as_ref();
        let mut given = json!({
            "function": function.map(|binary| format!("{}-{binary}", self.stack)),
            "service": rule.gateway_only.then_some("gateway"),
            "contains": rule.about,
            "writes_only": rule.writes_only,
            "skip": rule.skip,
            "times": rule.times,
            "action": rule.action.name(),
        });
        if let Action::HangAfter(hang) = rule.action {
            given["milliseconds"] = json!(u64::try_from(hang.as_millis()).expect("a short time"));
        }
        let call = self.http.post(format!("{}/rules", self.base)).json(&given);
        let armed = answer(call).await;
        Armed {
            faults: self.clone(),
            id: armed["id"].as_u64().expect("a rule has a number"),
            rule,
        }
    }
}

impl Armed {
    /// The rule.
    pub fn rule(&self) -> &Rule {
        &self.rule
    }

    /// What has become of the rule so far.
    pub async fn state(&self) -> Value {
        let state = answer(self.faults.http.get(self.url())).await;
        assert_eq!(state["trouble"], Value::Null, "{state}");
        state
    }

    /// How many calls it struck.
    pub async fn hits(&self) -> u64 {
        self.state().await["hits"].as_u64().expect("a number")
    }

    /// What the calls asked for that it struck, such as `PutItem`, in order.
    pub async fn calls(&self) -> Vec<String> {
        let state = self.state().await;
        let calls = state["calls"].as_array().expect("calls");
        calls
            .iter()
            .map(|call| call.as_str().expect("a text").to_owned())
            .collect()
    }

    /// What passed between the functions and what they called, in the calls that it watched, in order.
    pub async fn exchanges(&self) -> Vec<Exchange> {
        let told = answer(self.faults.http.get(format!("{}/exchanges", self.url()))).await;
        let exchanges = told["exchanges"].as_array().expect("exchanges").iter();
        let text = |exchange: &Value, name: &str| {
            let text = exchange[name].as_str();
            text.unwrap_or_else(|| panic!("no {name}: {exchange}"))
                .to_owned()
        };
        exchanges
            .map(|exchange| Exchange {
                function: text(exchange, "function"),
                to_gateway: text(exchange, "service") == "gateway",
                call: text(exchange, "call"),
                request: text(exchange, "request"),
                status: text(exchange, "status").parse().expect("a status"),
                answer: text(exchange, "answer"),
            })
            .collect()
    }

    /// Waits until it has struck.
    pub async fn wait_until_hit(&self) {
        self.wait_for("hits").await;
    }

    /// Waits until it holds a call.
    pub async fn wait_until_held(&self) {
        self.wait_for("holding").await;
    }

    /// Lets go what it holds, and whatever it would hold.
    pub async fn release(&self) {
        let url = format!("{}/release", self.url());
        answer(self.faults.http.post(url)).await;
    }

    /// Takes it off. Answers how many calls it struck.
    pub async fn disarm(self) -> u64 {
        let state = answer(self.faults.http.delete(self.url())).await;
        state["hits"].as_u64().expect("a number")
    }

    async fn wait_for(&self, count: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let state = self.state().await;
            if state[count] != 0 {
                return;
            }
            assert!(Instant::now() < deadline, "no {count} in time: {state}");
            sleep(INTERVAL).await;
        }
    }

    fn url(&self) -> String {
        format!("{}/rules/{}", self.faults.base, self.id)
    }

    /// Takes the rule off without a runtime to wait in.
    fn disarm_at_once(&self) -> std::io::Result<()> {
        let address = self.faults.base.trim_start_matches("http://");
        let mut proxy = TcpStream::connect(address)?;
        proxy.set_read_timeout(Some(Duration::from_secs(5)))?;
        let id = self.id;
        let request = format!("DELETE /rules/{id} HTTP/1.1\r\nConnection: close\r\n\r\n");
        proxy.write_all(request.as_bytes())?;
        // The rule is off once that is answered; it may have been off before.
        proxy.read_to_end(&mut Vec::new()).map(drop)
    }
}

impl Drop for Armed {
    fn drop(&mut self) {
        // A proxy that is gone has no rules.
        let _ = self.disarm_at_once();
    }
}

async fn answer(call: reqwest::RequestBuilder) -> Value {
    let response = call.send().await.expect("the fault proxy answers");
    let status = response.status();
    let answer: Value = response.json().await.expect("the fault proxy speaks JSON");
    assert!(status.is_success(), "the fault proxy: {status} {answer}");
    answer
}
