//! A stand-in for DynamoDB that takes its time and lets requests meet, over HTTP.
//!
//! Emulators execute one transaction after the other, so that none is ever in the way of another. This one evaluates
//! requests with such an emulator, but holds the items of a transaction for as long as DynamoDB would be busy with
//! them, and refuses what meets it there, by the rules that AWS documents for
//! [transactions](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html). It counts
//! what was asked, what was refused for that reason, and what all of it would be billed.
//!
//! What it doesn't know: partitions and their limits, throttling, and the network.

mod evaluation;
mod ongoing;
mod request;

use std::{
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use aws_sdk_dynamodb::{
    Client,
    config::{BehaviorVersion, Credentials, Region, retry::RetryConfig},
};
use dynoxide::Item;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, Response, body::Bytes, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    task::{JoinHandle, JoinSet},
    time::{Instant, sleep, sleep_until},
};

use self::{
    evaluation::{Answer, Evaluation},
    ongoing::Ongoing,
    request::{Kind, Operation, Place},
};
use crate::{failure::Failure, tables::Table};

/// How long calls take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    read: Duration,
    write: Duration,
    transaction: Duration,
}

impl Pace {
    /// What a function sees of DynamoDB in its own region on an ordinary day: AWS speaks of single-digit milliseconds
    /// for reads and writes of an item, and a transaction goes to all its items twice.
    pub(crate) const DYNAMODB: Self = Self {
        read: Duration::from_millis(3),
        write: Duration::from_millis(4),
        transaction: Duration::from_millis(10),
    };

    const fn of(&self, kind: Kind) -> Duration {
        match kind {
            Kind::Read => self.read,
            Kind::Write => self.write,
            Kind::TransactedRead | Kind::TransactedWrite => self.transaction,
        }
    }
}

/// What was asked of the store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub(crate) struct Counts {
    /// Calls, refused ones among them.
    pub(crate) calls: u64,
    /// Those that were refused because a transaction, or for a transaction that reads any write, was at an item.
    pub(crate) conflicts: u64,
    /// Billed write units, of tables and indexes.
    pub(crate) write_units: f64,
    /// Billed read units.
    pub(crate) read_units: f64,
    /// How much longer than its pace the store took, all calls together: that is no time of DynamoDB's.
    pub(crate) late: Duration,
}

/// A running store, empty at first. It ends when it is dropped.
pub(crate) struct Store {
    address: String,
    desk: Arc<Desk>,
    server: JoinHandle<()>,
}

impl Store {
    /// Starts one with `tables`.
    pub(crate) async fn start(pace: Pace, tables: &[Table]) -> Result<Self, Failure> {
        let desk = Arc::new(Desk {
            evaluation: Evaluation::of(tables).map_err(Failure::store("set up the tables"))?,
            ongoing: Ongoing::default(),
            pace,
            counts: Mutex::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.map_err(Failure::machine("listen"))?;
        let address = listener.local_addr().map_err(Failure::machine("listen"))?;
        let serving = Arc::clone(&desk);
        let server = tokio::spawn(async move {
            // The connections end with the server.
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                // Else each answer would wait for the acknowledgement of the one before.
                let _ = stream.set_nodelay(true);
                let desk = Arc::clone(&serving);
                connections.spawn(async move {
                    let service = service_fn(|request| desk.hear(request));
                    let server = hyper::server::conn::http1::Builder::new();
                    // A client that ends breaks its connections; nothing is wrong then.
                    let _ = server.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Ok(Self {
            address: format!("http://{address}"),
            desk,
            server,
        })
    }

    /// Where it is, without a slash at the end.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// A client of it, which tries as often as those of the functions.
    pub(crate) fn client(&self) -> Client {
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(Credentials::new("bench", "bench", None, None, "bench"))
            .retry_config(RetryConfig::standard().with_max_attempts(3))
            .endpoint_url(&self.address);
        Client::from_conf(config.build())
    }

    /// What was asked of it since the last time that this was called.
    pub(crate) fn take_counts(&self) -> Counts {
        std::mem::take(&mut *self.desk.counts())
    }

    /// Every item of a table, as it stands now. Takes no time and is not counted.
    pub(crate) fn items(&self, table: Table) -> Result<Vec<Item>, Failure> {
        let items = self.desk.evaluation.items(table.name);
        items.map_err(Failure::store("look into a table"))
    }

    /// Puts items into a table. Takes no time and is not counted.
    pub(crate) fn fill(&self, table: Table, items: Vec<Item>) -> Result<(), Failure> {
        let filled = self.desk.evaluation.fill(table.name, items);
        filled.map_err(Failure::store("fill a table"))
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Where requests come in.
struct Desk {
    evaluation: Evaluation,
    ongoing: Ongoing,
    pace: Pace,
    counts: Mutex<Counts>,
}

impl Desk {
    async fn hear(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        let target = request.headers().get("x-amz-target");
        let name = target.and_then(|target| target.to_str().ok()?.rsplit('.').next());
        let operation = name.and_then(Operation::named);
        let body = request.into_body().collect().await;
        let body = body.map(http_body_util::Collected::to_bytes);
        let request = serde_json::from_slice(&body.unwrap_or_default());
        let (Some(operation), Ok(request)) = (operation, request) else {
            return Ok(Answer::refused("UnknownOperationException", "not served here").sent());
        };
        let begun = Instant::now();
        let response = self.answer(operation, request).await.sent();
        let late = begun
            .elapsed()
            .saturating_sub(self.pace.of(operation.kind()));
        self.counts().late += late;
        Ok(response)
    }

    async fn answer(&self, operation: Operation, request: Value) -> Answer {
        let places = request::places(operation, &request);
        let answer = match operation.kind() {
            Kind::Read => {
                // It reads past whatever is going on.
                let end = Instant::now() + self.pace.read;
                let answer = self.evaluation.evaluate(operation, request, &places);
                sleep_until(end).await;
                answer
            }
            Kind::Write => self.write(operation, request, &places).await,
            Kind::TransactedRead => self.read_at_once(operation, request, &places).await,
            Kind::TransactedWrite => self.transact(operation, request, &places).await,
        };
        let mut counts = self.counts();
        counts.calls += 1;
        counts.conflicts += u64::from(answer.is_conflict);
        counts.write_units += answer.write_units;
        counts.read_units += answer.read_units;
        answer
    }

    async fn write(&self, operation: Operation, request: Value, places: &[Place]) -> Answer {
        let Some(_hold) = self.ongoing.write(places) else {
            sleep(self.pace.write).await;
            return Answer {
                write_units: self.evaluation.write_units_at(places),
                ..Answer::conflict("Transaction is ongoing for the item")
            };
        };
        let end = Instant::now() + self.pace.write;
        let answer = self.evaluation.evaluate(operation, request, places);
        sleep_until(end).await;
        answer
    }

    async fn read_at_once(&self, operation: Operation, request: Value, places: &[Place]) -> Answer {
        let end = Instant::now() + self.pace.transaction;
        let written = self.ongoing.is_written(places);
        let answer = if written.contains(&true) {
            Answer {
                read_units: 2.0 * self.evaluation.read_units_at(places),
                ..Answer::cancelled(&written)
            }
        } else {
            self.evaluation.evaluate(operation, request, places)
        };
        sleep_until(end).await;
        answer
    }

    async fn transact(&self, operation: Operation, request: Value, places: &[Place]) -> Answer {
        let _hold = match self.ongoing.transact(places) {
            Ok(hold) => hold,
            Err(held) => {
                // It is refused by the first of the two rounds.
                sleep(self.pace.transaction / 2).await;
                return Answer {
                    write_units: 2.0 * self.evaluation.write_units_at(places),
                    ..Answer::cancelled(&held)
                };
            }
        };
        // Until its end others see nothing of it.
        sleep(self.pace.transaction).await;
        self.evaluation.evaluate(operation, request, places)
    }

    fn counts(&self) -> std::sync::MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Answer {
    fn sent(&self) -> Response<Full<Bytes>> {
        let response = Response::builder()
            .status(self.status)
            .header("content-type", "application/x-amz-json-1.0")
            .body(Full::from(self.body.to_string()));
        response.unwrap_or_default()
    }

    /// A write of one item that a transaction is at.
    fn conflict(message: &str) -> Self {
        Self {
            is_conflict: true,
            ..Self::refused("TransactionConflictException", message)
        }
    }

    /// A transaction that meets another one, or a write, at those of its items for which `met` is true.
    fn cancelled(met: &[bool]) -> Self {
        let code = |met: &bool| {
            if *met { "TransactionConflict" } else { "None" }
        };
        let codes: Vec<&str> = met.iter().map(code).collect();
        let reasons = codes.iter().map(|code| match *code {
            "None" => json!({"Code": code}),
            code => json!({"Code": code, "Message": "Transaction is ongoing for the item"}),
        });
        let reasons: Vec<Value> = reasons.collect();
        let message = format!(
            "Transaction cancelled, please refer cancellation reasons for specific reasons [{}]",
            codes.join(", ")
        );
        let mut answer = Self::refused("TransactionCanceledException", &message);
        answer.is_conflict = true;
        if let Some(body) = answer.body.as_object_mut() {
            body.insert("CancellationReasons".to_owned(), json!(reasons));
        }
        answer
    }

    fn refused(kind: &str, message: &str) -> Self {
        Self {
            status: 400,
            body: json!({
                "__type": format!("com.amazonaws.dynamodb.v20120810#{kind}"),
                "message": message,
                // Of a cancelled transaction it is spelt like this.
                "Message": message,
            }),
            is_conflict: false,
            write_units: 0.0,
            read_units: 0.0,
        }
    }
}

#[cfg(test)]
mod tests;
