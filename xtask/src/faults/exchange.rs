//! Carries requests to a service and its answers back, and does to them what the rules say.

use std::io::{self, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use super::book::{Book, Strike};
use super::caller::Caller;
use super::message::Message;
use super::rule::Action;
use super::service::Service;

/// The way from the functions to one service.
#[derive(Clone)]
pub(super) struct Line {
    service: Service,
    target: SocketAddr,
    book: Arc<Book>,
}

/// A client's connection, and ours to the service for it.
struct Connection<'l> {
    line: &'l Line,
    client: BufReader<TcpStream>,
    target: Option<BufReader<TcpStream>>,
    /// Who the client is, once that was asked.
    caller: Option<Result<Option<Caller>, String>>,
}

/// What becomes of a connection after an exchange.
#[derive(PartialEq, Eq)]
enum Then {
    Next,
    Close,
}

impl Line {
    /// The way to `service`, which listens at `target`.
    pub(super) fn new(service: Service, target: SocketAddr, book: Arc<Book>) -> Self {
        Self {
            service,
            target,
            book,
        }
    }
}

/// Serves a client until either side closes the connection.
pub(super) fn relay(line: &Line, client: TcpStream) {
    let _ = client.set_nodelay(true);
    let mut connection = Connection {
        line,
        client: BufReader::new(client),
        target: None,
        caller: None,
    };
    // What breaks a connection here is what its client sees: a connection that broke.
    while let Ok(Some(request)) = Message::request(&mut connection.client) {
        match connection.exchange(&request) {
            Ok(Then::Next) => {}
            Ok(Then::Close) | Err(_) => return,
        }
    }
}

impl Connection<'_> {
    fn exchange(&mut self, request: &Message) -> io::Result<Then> {
        let Some(strike) = self.judge(request) else {
            return self.pass(request);
        };
        let service = self.line.service;
        match strike.action {
            Action::Watch => {
                // Asked before it goes through: after its last call a function may be gone.
                let function = self.function();
                let response = self.forward(request)?;
                let line = self.line;
                line.book.write_down(
                    &strike,
                    function.as_deref(),
                    line.service,
                    request,
                    &response,
                );
                self.answer(&response)
            }
            Action::Refuse => self.answer(&service.refusal(request)),
            Action::LoseAnswer => {
                self.forward(request)?;
                self.answer(&service.refusal(request))
            }
            Action::Throttle => self.answer(&service.throttle()),
            Action::Reset => Ok(Then::Close),
            Action::ResetAfter => {
                self.forward(request)?;
                Ok(Then::Close)
            }
            Action::HangAfter => {
                self.forward(request)?;
                self.line.book.wait(&strike, Some(strike.hang));
                Ok(Then::Close)
            }
            Action::Kill => {
                self.kill();
                Ok(Then::Close)
            }
            Action::KillAfter => {
                self.forward(request)?;
                self.kill();
                Ok(Then::Close)
            }
            Action::Hold => {
                self.line.book.wait(&strike, None);
                self.pass(request)
            }
            Action::HoldAnswer => {
                let response = self.forward(request)?;
                self.line.book.wait(&strike, None);
                self.answer(&response)
            }
        }
    }

    fn judge(&mut self, request: &Message) -> Option<Strike> {
        let line = self.line;
        line.book.judge(line.service, request, || self.caller())
    }

    /// Who calls. Looked for once per connection: it can't change hands.
    fn caller(&mut self) -> Result<Option<Caller>, String> {
        let Self { client, caller, .. } = self;
        caller.get_or_insert_with(|| find(client.get_ref())).clone()
    }

    /// The function that calls, if it is one.
    fn function(&mut self) -> Option<String> {
        Some(self.caller().ok()??.function)
    }

    fn kill(&self) {
        if let Some(Ok(Some(caller))) = &self.caller {
            println!("killing {}", caller.function);
            caller.kill();
        }
    }

    /// Has the service do it, and answers what it answered.
    fn pass(&mut self, request: &Message) -> io::Result<Then> {
        let response = self.forward(request)?;
        self.answer(&response)
    }

    fn answer(&mut self, response: &Message) -> io::Result<Then> {
        self.client.get_mut().write_all(response.bytes())?;
        Ok(if response.is_last() {
            Then::Close
        } else {
            Then::Next
        })
    }

    /// Sends the request on and reads the answer.
    ///
    /// It is sent once. If that fails, the client has to ask again, as it would without us between.
    fn forward(&mut self, request: &Message) -> io::Result<Message> {
        let mut target = match self.target.take() {
            Some(target) if is_open(target.get_ref()) => target,
            _ => connect(self.line.target)?,
        };
        target.get_mut().write_all(request.bytes())?;
        let response = Message::response(&mut target, request)?;
        if !response.is_last() {
            self.target = Some(target);
        }
        if self.line.service == Service::Gateway {
            self.line.book.learn(request, &response);
        }
        Ok(response)
    }
}

fn find(client: &TcpStream) -> Result<Option<Caller>, String> {
    match (client.local_addr(), client.peer_addr()) {
        (Ok(ours), Ok(theirs)) => Caller::find(ours, theirs),
        // It has hung up, so there is nobody to find.
        _ => Ok(None),
    }
}

fn connect(target: SocketAddr) -> io::Result<BufReader<TcpStream>> {
    let target = TcpStream::connect(target)?;
    target.set_nodelay(true)?;
    Ok(BufReader::new(target))
}

/// Whether a connection that was not used for a while still is one: services close idle ones.
fn is_open(target: &TcpStream) -> bool {
    let looked = target
        .set_nonblocking(true)
        .and_then(|()| target.peek(&mut [0]));
    let nothing_to_read = looked.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock);
    nothing_to_read && target.set_nonblocking(false).is_ok()
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{SocketAddr, TcpListener, TcpStream};
    use std::sync::Arc;
    use std::thread;

    use serde_json::json;

    use super::{Book, Line, Message, Service, relay};
    use crate::faults::rule::Rule;

    const PUT: &[u8] =
        b"POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: DynamoDB_20120810.PutItem\r\nContent-Length: 2\r\n\r\n{}";

    /// A service that answers each request with its own bytes, and closes after `patience` of them.
    fn echo(patience: usize) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for client in listener.incoming() {
                let client = client.unwrap();
                let mut from = std::io::BufReader::new(client.try_clone().unwrap());
                for _ in 0..patience {
                    let Some(request) = Message::request(&mut from).unwrap() else {
                        break;
                    };
                    let body = String::from_utf8(request.bytes().to_vec()).unwrap();
                    let answer = Message::of_our_own("200 OK", &[], &body);
                    (&client).write_all(answer.bytes()).unwrap();
                }
            }
        });
        address
    }

    /// A proxy before such a service, and a client that is connected to it.
    fn connected(patience: usize) -> (Arc<Book>, TcpStream) {
        let book = Arc::new(Book::default());
        let line = Line::new(Service::Cloud, echo(patience), Arc::clone(&book));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        thread::spawn(move || relay(&line, listener.accept().unwrap().0));
        (book, client)
    }

    fn ask(client: &TcpStream) -> Option<Message> {
        let mut client = client;
        client.write_all(PUT).unwrap();
        let mut sent = PUT;
        let request = Message::request(&mut sent).unwrap().unwrap();
        Message::response(&mut std::io::BufReader::new(client), &request).ok()
    }

    #[test]
    fn without_rules_every_byte_passes() {
        let (_, client) = connected(9);
        for _ in 0..3 {
            assert_eq!(ask(&client).unwrap().body(), PUT);
        }
    }

    #[test]
    fn a_service_that_closes_idle_connections_is_not_noticed() {
        let (_, client) = connected(1);
        for _ in 0..3 {
            assert_eq!(ask(&client).unwrap().body(), PUT);
            thread::sleep(std::time::Duration::from_millis(20));
        }
    }

    #[test]
    fn what_is_refused_does_not_reach_the_service_and_the_next_call_does() {
        let (book, client) = connected(9);
        book.arm(Rule::read(&json!({"writes_only": true, "action": "refuse"})).unwrap());
        let refused = ask(&client).unwrap();
        assert_eq!(refused.status(), "400");
        assert_eq!(
            refused.header("x-amzn-errortype"),
            Some("AccessDeniedException")
        );
        assert_eq!(ask(&client).unwrap().body(), PUT);
    }

    #[test]
    fn a_lost_answer_is_a_connection_that_ends() {
        for action in ["reset", "reset-after"] {
            let (book, client) = connected(9);
            book.arm(Rule::read(&json!({"action": action})).unwrap());
            assert!(ask(&client).is_none(), "{action}");
            let mut rest = Vec::new();
            assert_eq!((&client).read_to_end(&mut rest).unwrap(), 0, "{action}");
        }
    }
}
