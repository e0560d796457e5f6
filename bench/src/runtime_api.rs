//! The side of Lambda that a function talks to: the Runtime API, for one program at a time.

use std::{
    convert::Infallible,
    time::{Duration, Instant},
};

use http_body_util::{BodyExt as _, Full};
use hyper::{
    Request, Response, StatusCode, body::Bytes, body::Incoming, http::response::Builder,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot},
    task::{JoinHandle, JoinSet},
};

use crate::failure::Failure;

/// The Runtime API of one program. It ends when it is dropped.
pub(crate) struct RuntimeApi {
    address: String,
    said: mpsc::UnboundedReceiver<Said>,
    server: JoinHandle<()>,
}

/// What the program says.
enum Said {
    /// It is ready for the next event, which goes here.
    Ready(oneshot::Sender<Event>),
    /// It has answered its event.
    Answered(Answer),
}

struct Event {
    id: String,
    body: Bytes,
}

/// How an event was answered.
pub(crate) struct Answer {
    /// When all of it had come.
    pub(crate) at: Instant,
    /// What the program says of it: `response`, or `error`.
    pub(crate) kind: String,
    /// The answer itself.
    pub(crate) body: Bytes,
}

/// A program that waits for an event.
pub(crate) struct Waiting {
    /// Since when.
    pub(crate) since: Instant,
    event: oneshot::Sender<Event>,
}

impl RuntimeApi {
    /// Starts one.
    pub(crate) async fn start() -> Result<Self, Failure> {
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.map_err(Failure::machine("listen"))?;
        let address = listener.local_addr().map_err(Failure::machine("listen"))?;
        let (say, said) = mpsc::unbounded_channel();
        let server = tokio::spawn(async move {
            // The connections end with the server.
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                // Else each answer would wait for the acknowledgement of the one before.
                let _ = stream.set_nodelay(true);
                let say = say.clone();
                connections.spawn(async move {
                    let service = service_fn(|request| hear(request, say.clone()));
                    let server = hyper::server::conn::http1::Builder::new();
                    // A program that is stopped breaks its connections; nothing is wrong then.
                    let _ = server.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Ok(Self {
            address: address.to_string(),
            said,
            server,
        })
    }

    /// Host and port, as `AWS_LAMBDA_RUNTIME_API` has them.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Waits until the program asks for an event; `None` when it doesn't within `limit`.
    pub(crate) async fn ready(&mut self, limit: Duration) -> Option<Waiting> {
        match tokio::time::timeout(limit, self.said.recv()).await {
            Ok(Some(Said::Ready(event))) => Some(Waiting {
                since: Instant::now(),
                event,
            }),
            _ => None,
        }
    }

    /// Hands an event out and waits for its answer, for `limit` at most. Answers also when it was handed out.
    pub(crate) async fn invoke(
        &mut self,
        program: Waiting,
        id: String,
        body: Bytes,
        limit: Duration,
    ) -> Option<(Instant, Answer)> {
        let handed_out = Instant::now();
        program.event.send(Event { id, body }).ok()?;
        match tokio::time::timeout(limit, self.said.recv()).await {
            Ok(Some(Said::Answered(answer))) => Some((handed_out, answer)),
            _ => None,
        }
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn hear(
    request: Request<Incoming>,
    say: mpsc::UnboundedSender<Said>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    if path.ends_with("/invocation/next") {
        let (event, handed_out) = oneshot::channel();
        let _ = say.send(Said::Ready(event));
        return Ok(match handed_out.await {
            Ok(event) => next(event),
            Err(_) => plain(Response::builder().status(StatusCode::GONE)),
        });
    }
    let body = request.into_body().collect().await;
    let body = body
        .map(http_body_util::Collected::to_bytes)
        .unwrap_or_default();
    let kind = path.rsplit('/').next().unwrap_or_default().to_owned();
    let at = Instant::now();
    let _ = say.send(Said::Answered(Answer { at, kind, body }));
    Ok(plain(Response::builder().status(StatusCode::ACCEPTED)))
}

fn next(event: Event) -> Response<Full<Bytes>> {
    // The functions' limits are seconds; this one is never reached.
    const FAR_AHEAD: &str = "4102444800000";
    let arn = "arn:aws:lambda:eu-central-1:123456789012:function:bench";
    let response = Response::builder()
        .header("content-type", "application/json")
        .header("lambda-runtime-aws-request-id", event.id)
        .header("lambda-runtime-deadline-ms", FAR_AHEAD)
        .header("lambda-runtime-invoked-function-arn", arn);
    response.body(Full::new(event.body)).unwrap_or_default()
}

fn plain(response: Builder) -> Response<Full<Bytes>> {
    let body = Full::new(Bytes::from_static(br#"{"status":"OK"}"#));
    response.body(body).unwrap_or_default()
}
