//! HTTP/1.1 messages, read whole and kept byte for byte: what was signed has to arrive as it was sent.

use std::io::{self, BufRead, Read};

/// A request or a response.
pub(super) struct Message {
    head: String,
    /// All of it as it came, head included.
    bytes: Vec<u8>,
    /// The body without the marks of its chunks, if it came in chunks.
    unchunked: Option<Vec<u8>>,
    /// Whether the body went on until the connection was closed.
    until_close: bool,
}

/// How the end of a body is told.
#[derive(Clone, Copy)]
enum Body {
    None,
    Length(u64),
    Chunks,
    UntilClose,
}

impl Message {
    /// Reads the next request; none if the client is done.
    pub(super) fn request(from: &mut impl BufRead) -> io::Result<Option<Self>> {
        let Some(mut message) = Self::head(from)? else {
            return Ok(None);
        };
        let body = message.announced()?.unwrap_or(Body::None);
        message.read(from, body)?;
        Ok(Some(message))
    }

    /// Reads the response to `request`.
    pub(super) fn response(from: &mut impl BufRead, request: &Self) -> io::Result<Self> {
        loop {
            let Some(mut message) = Self::head(from)? else {
                return Err(broken("no answer"));
            };
            // "Go on" comes before the answer. Nobody here asks for it, since requests are sent whole.
            if message.status().starts_with('1') {
                continue;
            }
            let empty = request.method() == "HEAD" || ["204", "304"].contains(&message.status());
            let body = if empty {
                Body::None
            } else {
                message.announced()?.unwrap_or(Body::UntilClose)
            };
            message.read(from, body)?;
            return Ok(message);
        }
    }

    /// A response of our own.
    pub(super) fn of_our_own(status: &str, headers: &[(&str, &str)], body: &str) -> Self {
        let mut head = format!("HTTP/1.1 {status}\r\n");
        for (name, value) in headers {
            head.push_str(name);
            head.push_str(": ");
            head.push_str(value);
            head.push_str("\r\n");
        }
        head.push_str("content-length: ");
        head.push_str(&body.len().to_string());
        head.push_str("\r\n\r\n");
        let bytes = [head.as_bytes(), body.as_bytes()].concat();
        Self {
            head,
            bytes,
            unchunked: None,
            until_close: false,
        }
    }

    /// All of it as it came.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The body.
    pub(super) fn body(&self) -> &[u8] {
        self.unchunked
            .as_deref()
            .or_else(|| self.bytes.get(self.head.len()..))
            .unwrap_or_default()
    }

    /// A request's method.
    pub(super) fn method(&self) -> &str {
        self.word(0)
    }

    /// A request's path and query.
    pub(super) fn target(&self) -> &str {
        self.word(1)
    }

    /// A response's status code.
    pub(super) fn status(&self) -> &str {
        self.word(1)
    }

    /// The value of a header.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// Whether the connection ends with this message.
    pub(super) fn is_last(&self) -> bool {
        let closes = |value: &str| value.eq_ignore_ascii_case("close");
        self.until_close || self.header("connection").is_some_and(closes)
    }

    fn word(&self, position: usize) -> &str {
        let first = self.head.lines().next().unwrap_or_default();
        first.split(' ').nth(position).unwrap_or_default()
    }

    /// Reads up to and with the empty line; none if the other side closed the connection before.
    fn head(from: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut bytes = Vec::with_capacity(2048);
        loop {
            let start = bytes.len();
            from.read_until(b'\n', &mut bytes)?;
            match bytes.get(start..).unwrap_or_default() {
                [] if start == 0 => return Ok(None),
                [] => return Err(broken("half a head")),
                b"\r\n" | b"\n" => break,
                _ => {}
            }
        }
        let head =
            String::from_utf8(bytes.clone()).map_err(|_| broken("a head that is no text"))?;
        Ok(Some(Self {
            head,
            bytes,
            unchunked: None,
            until_close: false,
        }))
    }

    /// What the head says of the body.
    fn announced(&self) -> io::Result<Option<Body>> {
        let chunked = |value: &str| value.to_ascii_lowercase().contains("chunked");
        if self.header("transfer-encoding").is_some_and(chunked) {
            return Ok(Some(Body::Chunks));
        }
        let length = self.header("content-length").map(str::parse::<u64>);
        match length.transpose() {
            Ok(length) => Ok(length.map(Body::Length)),
            Err(_) => Err(broken("a length that is no number")),
        }
    }

    fn read(&mut self, from: &mut impl BufRead, body: Body) -> io::Result<()> {
        match body {
            Body::None => Ok(()),
            Body::Length(length) => read_exactly(from, &mut self.bytes, length),
            Body::Chunks => {
                self.unchunked = Some(read_chunks(from, &mut self.bytes)?);
                Ok(())
            }
            Body::UntilClose => {
                self.until_close = true;
                from.read_to_end(&mut self.bytes).map(drop)
            }
        }
    }
}

/// Reads chunks to the last, as they come into `bytes`. Answers what they hold.
fn read_chunks(from: &mut impl BufRead, bytes: &mut Vec<u8>) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    loop {
        let line = read_line(from, bytes)?;
        let size = line.split(';').next().unwrap_or_default().trim();
        let size = u64::from_str_radix(size, 16).map_err(|_| broken("a chunk without a size"))?;
        if size == 0 {
            while !read_line(from, bytes)?.is_empty() {}
            return Ok(content);
        }
        let start = bytes.len();
        read_exactly(from, bytes, size)?;
        content.extend_from_slice(bytes.get(start..).unwrap_or_default());
        read_line(from, bytes)?;
    }
}

fn read_line(from: &mut impl BufRead, bytes: &mut Vec<u8>) -> io::Result<String> {
    let start = bytes.len();
    from.read_until(b'\n', bytes)?;
    match bytes.get(start..) {
        Some(line) if line.ends_with(b"\n") => {
            Ok(String::from_utf8_lossy(line).trim_end().to_owned())
        }
        _ => Err(broken("half a message")),
    }
}

fn read_exactly(from: &mut impl BufRead, bytes: &mut Vec<u8>, length: u64) -> io::Result<()> {
    let read = from.take(length).read_to_end(bytes)?;
    if read as u64 == length {
        Ok(())
    } else {
        Err(broken("half a body"))
    }
}

fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::Message;

    const ASKED: &[u8] = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n";

    fn asked() -> Message {
        let mut from = ASKED;
        Message::request(&mut from).unwrap().unwrap()
    }

    #[test]
    fn requests_on_one_connection_are_told_apart_and_kept_as_they_came() {
        let first = b"POST /a?b=c HTTP/1.1\r\nHost: x\r\ncontent-LENGTH: 5\r\n\r\nhello";
        let both = [first.as_slice(), ASKED].concat();
        let mut from = both.as_slice();

        let read = Message::request(&mut from).unwrap().unwrap();
        assert_eq!((read.method(), read.target()), ("POST", "/a?b=c"));
        assert_eq!(
            (read.bytes(), read.body()),
            (first.as_slice(), b"hello".as_slice())
        );
        assert_eq!(read.header("Host"), Some("x"));
        let next = Message::request(&mut from).unwrap().unwrap();
        assert_eq!((next.bytes(), next.body()), (ASKED, b"".as_slice()));
        assert!(Message::request(&mut from).unwrap().is_none());
    }

    #[test]
    fn chunks_are_kept_as_they_came_and_read_as_what_they_hold() {
        let sent = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n";
        let read = Message::response(&mut sent.as_slice(), &asked()).unwrap();
        assert_eq!(
            (read.bytes(), read.body()),
            (sent.as_slice(), b"abcde".as_slice())
        );
        assert!(!read.is_last());
    }

    #[test]
    fn a_body_without_a_length_ends_with_the_connection() {
        let sent = b"HTTP/1.1 200 OK\r\n\r\nall of it";
        let read = Message::response(&mut sent.as_slice(), &asked()).unwrap();
        assert_eq!(read.body(), b"all of it");
        assert!(read.is_last());
    }

    #[test]
    fn an_answer_without_a_body_is_not_waited_for() {
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n";
        let asked = b"HEAD / HTTP/1.1\r\n\r\n";
        let asked = Message::request(&mut asked.as_slice()).unwrap().unwrap();
        assert_eq!(
            Message::response(&mut head.as_slice(), &asked)
                .unwrap()
                .body(),
            b""
        );
        let none = b"HTTP/1.1 204 No Content\r\n\r\n";
        assert_eq!(
            Message::response(&mut none.as_slice(), &self::asked())
                .unwrap()
                .status(),
            "204"
        );
    }

    #[test]
    fn half_a_message_is_none() {
        for sent in [
            "GET / HTTP/1.1\r\nHost:",
            "POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nabc",
        ] {
            assert!(Message::request(&mut sent.as_bytes()).is_err(), "{sent}");
        }
    }

    #[test]
    fn an_answer_of_our_own_can_be_read() {
        let ours = Message::of_our_own("400 Bad Request", &[("x-why", "so")], "{}");
        let read = Message::response(&mut ours.bytes(), &asked()).unwrap();
        assert_eq!(
            (read.status(), read.header("X-Why"), read.body()),
            ("400", Some("so"), b"{}".as_slice())
        );
    }
}
