//! HTTP by hand: bytes out, bytes in, so that a test can send what no library would.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::harness::clock::tick;

/// The grant type of every good request.
pub(crate) const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// The content type of every good request.
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

/// How long an answer is waited for. Only a server that hangs takes so long.
const PATIENCE: Duration = Duration::from_secs(20);

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// Status line and headers.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    /// Time since the request was sent.
    pub(crate) took: Duration,
}

impl Reply {
    /// The value of a header, which must not be there twice.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.head.lines().skip(1).filter_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        });
        let value = found.next();
        assert!(found.next().is_none(), "two {name}: {}", self.head);
        value
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The access token, if there is one.
    pub(crate) fn token(&self) -> Option<String> {
        self.json()["access_token"].as_str().map(str::to_owned)
    }

    pub(crate) fn text(&self) -> String {
        format!("{}\n{}", self.head, String::from_utf8_lossy(&self.body))
    }
}

/// A connection, and what has come over it and not been read.
pub(crate) struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).await.unwrap())
    }

    /// One that has been made.
    pub(crate) fn over(stream: TcpStream) -> Self {
        stream.set_nodelay(true).unwrap();
        Self { stream, received: Vec::new() }
    }

    /// Sends bytes. The server may have hung up already; the answer will tell.
    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes).await;
    }

    /// The next answer, or `None` if the connection ends or the patience does before there is one.
    pub(crate) async fn reply(&mut self) -> Option<Reply> {
        let began = tick();
        loop {
            if let Some(reply) = self.complete(false) {
                return Some(Reply { took: began.elapsed(), ..reply });
            }
            if !self.read(PATIENCE).await {
                return self.complete(true).map(|reply| Reply { took: began.elapsed(), ..reply });
            }
        }
    }

    /// Whether the server closes the connection within `patience`.
    pub(crate) async fn is_closed(&mut self, patience: Duration) -> bool {
        let mut byte = [0];
        match tokio::time::timeout(patience, self.stream.read(&mut byte)).await {
            Ok(Ok(0) | Err(_)) => true,
            Ok(Ok(_)) | Err(_) => false,
        }
    }

    /// Reads some more; false when there is no more.
    async fn read(&mut self, patience: Duration) -> bool {
        let read = self.stream.read_buf(&mut self.received);
        matches!(tokio::time::timeout(patience, read).await, Ok(Ok(count)) if count > 0)
    }

    /// The answer at the front of what has been received, if it is whole. At the end of the connection a
    /// head counts as whole, because an answer to HEAD has a length and no body.
    fn complete(&mut self, at_end: bool) -> Option<Reply> {
        let end = self.received.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
        let head = String::from_utf8(self.received[..end].to_vec()).unwrap();
        let status: u16 = head.get(9..12)?.parse().ok()?;
        if status == 100 {
            self.received.drain(..end);
            return self.complete(at_end);
        }
        let reply = Reply { status, head, body: Vec::new(), took: Duration::ZERO };
        let length: usize = reply.header("content-length").map_or(0, |text| text.parse().unwrap());
        let available = self.received.len() - end;
        if available < length && !at_end {
            return None;
        }
        let body = self.received[end..end + available.min(length)].to_vec();
        self.received.drain(..end + body.len());
        Some(Reply { body, ..reply })
    }
}

/// Sends one request on a connection of its own and reads the answer.
pub(crate) async fn exchange(address: SocketAddr, request: &[u8]) -> Option<Reply> {
    let mut connection = Connection::open(address).await;
    let began = tick();
    connection.send(request).await;
    connection.reply().await.map(|reply| Reply { took: began.elapsed(), ..reply })
}

/// A request with these headers. `Host`, `Content-Length` and `Connection: close` are added.
pub(crate) fn request(line: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut head = format!("{line} HTTP/1.1\r\nHost: as.test\r\nConnection: close\r\n");
    for (name, value) in headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    if !body.is_empty() || line.starts_with("POST") {
        let _ = write!(head, "Content-Length: {}\r\n", body.len());
    }
    head.push_str("\r\n");
    [head.as_bytes(), body].concat()
}

/// A form posted to the token endpoint.
pub(crate) fn post(body: &str) -> Vec<u8> {
    request("POST /token", &[("Content-Type", FORM)], body.as_bytes())
}

/// The form of a good request.
pub(crate) fn form(assertion: &str) -> String {
    format!("grant_type={}&assertion={}", escape(JWT_BEARER), escape(assertion))
}

/// Percent-encoding of everything that is not unreserved (RFC 3986 section 2.3).
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

/// The claims of a token, read without looking at its signature.
pub(crate) fn token_claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

/// The head of a request, as a server of a test reads it; nothing when the caller hangs up before. A body is read, and
/// left.
pub(crate) async fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut received = Vec::new();
    let end = loop {
        if let Some(at) = received.windows(4).position(|it| it == b"\r\n\r\n") {
            break at + 4;
        }
        if !matches!(stream.read_buf(&mut received).await, Ok(count) if count > 0) {
            return None;
        }
    };
    let head = String::from_utf8(received[..end].to_vec()).unwrap();
    let lower = head.to_ascii_lowercase();
    let length = lower.lines().find_map(|line| line.strip_prefix("content-length:"));
    let length = length.map_or(0, |length| length.trim().parse::<usize>().unwrap());
    while received.len() < end + length {
        if !matches!(stream.read_buf(&mut received).await, Ok(count) if count > 0) {
            return None;
        }
    }
    Some(head)
}
