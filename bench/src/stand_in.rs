//! A stand-in for AWS and the payment gateway that answers at once and always the same, over TLS.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
};

use http_body_util::{BodyExt as _, Full};
use hyper::{Request, Response, body::Bytes, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};

use crate::{
    certificates::Certificates,
    failure::Failure,
    replies::{Play, Replies},
};

/// The stand-in for one program. It ends when it is dropped.
pub(crate) struct StandIn {
    address: String,
    calls: Calls,
    server: JoinHandle<()>,
}

/// The operations that were called in this invocation.
type Calls = Arc<Mutex<Vec<String>>>;

impl StandIn {
    /// Starts one that answers as `play` says.
    pub(crate) async fn start(certificates: &Certificates, play: &Play) -> Result<Self, Failure> {
        let listener = TcpListener::bind("localhost:0").await;
        let listener = listener.map_err(Failure::machine("listen"))?;
        let port = listener
            .local_addr()
            .map_err(Failure::machine("listen"))?
            .port();
        let calls = Calls::default();
        let acceptor = certificates.acceptor();
        let (replies, noted) = (Arc::new(Replies::new(play)), Arc::clone(&calls));
        let server = tokio::spawn(async move {
            // The connections end with the server.
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, replies) = (acceptor.clone(), Arc::clone(&replies));
                let noted = Arc::clone(&noted);
                connections.spawn(async move {
                    let _ = stream.set_nodelay(true);
                    // Who doesn't trust the certificate says so itself.
                    let Ok(stream) = acceptor.accept(stream).await else {
                        return;
                    };
                    serve(stream, &replies, &noted).await;
                });
            }
        });
        Ok(Self {
            address: format!("https://localhost:{port}"),
            calls,
            server,
        })
    }

    /// Where it is, without a slash at the end.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// What was called since the last time that this was asked.
    pub(crate) fn take_calls(&self) -> Vec<String> {
        std::mem::take(&mut *self.calls.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(
    stream: tokio_rustls::server::TlsStream<TcpStream>,
    replies: &Replies,
    calls: &Calls,
) {
    let service = service_fn(async |request: Request<Incoming>| {
        let (parts, body) = request.into_parts();
        let body = body
            .collect()
            .await
            .map(http_body_util::Collected::to_bytes);
        let operation = operation(&parts, &body.unwrap_or_default());
        let earlier = {
            let mut calls = calls.lock().unwrap_or_else(PoisonError::into_inner);
            let earlier = calls.iter().filter(|call| **call == operation).count();
            calls.push(operation.clone());
            earlier
        };
        let reply = Full::new(replies.to(&operation, earlier));
        Ok::<_, Infallible>(Response::new(reply))
    });
    let server = hyper::server::conn::http1::Builder::new();
    // A program that is stopped breaks its connections; nothing is wrong then.
    let _ = server.serve_connection(TokioIo::new(stream), service).await;
}

/// What a request asks for. AWS's JSON protocols say it in a header, its query protocol in the body, and REST in the
/// path.
fn operation(parts: &hyper::http::request::Parts, body: &Bytes) -> String {
    let target = parts.headers.get("x-amz-target");
    if let Some(name) = target.and_then(|target| target.to_str().ok()?.rsplit('.').next()) {
        return name.to_owned();
    }
    let query = std::str::from_utf8(body).unwrap_or_default();
    if let Some(action) = query.strip_prefix("Action=") {
        return action.split('&').next().unwrap_or_default().to_owned();
    }
    format!("{} {}", parts.method, parts.uri.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation_of(request: hyper::http::request::Builder, body: &'static str) -> String {
        let (parts, ()) = request.body(()).unwrap().into_parts();
        operation(&parts, &Bytes::from_static(body.as_bytes()))
    }

    #[test]
    fn an_operation_is_named_by_the_header_the_body_or_the_path() {
        let post = || Request::post("/v1/refunds");
        let json = post().header("x-amz-target", "DynamoDB_20120810.GetItem");
        assert_eq!(operation_of(json, "{}"), "GetItem");
        assert_eq!(
            operation_of(post(), "Action=PublishBatch&Version=2010-03-31"),
            "PublishBatch"
        );
        assert_eq!(operation_of(post(), "amount=5"), "POST /v1/refunds");
    }
}
