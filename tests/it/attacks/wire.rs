//! Group A, second part: how a request is framed, and how much of it there may be.

use std::time::Duration;

use tokio::time::sleep;

use super::framing::{good, spoilt};
use crate::harness::http::{Connection, FORM, exchange, post};
use crate::harness::row::{Expect, TOKEN, check_refusal, raw, refused, run};
use crate::harness::server::{TestServer, caller};

#[tokio::test]
async fn a_body_has_a_bound() {
    let server = TestServer::start().await;
    let too_large = refused(413, "invalid_request", "");
    let filled = |size: usize| {
        move |form: String| {
            let padding = "x".repeat(size - form.len() - 3);
            post(&format!("{form}&x={padding}"))
        }
    };
    let head = |length: &str, more: &str| {
        format!(
            "POST /token HTTP/1.1\r\nHost: a\r\nContent-Type: {FORM}\r\nContent-Length: {length}\r\n\
             {more}\r\n"
        )
        .into_bytes()
    };
    let rows = vec![
        spoilt("A11", "64 KiB", TOKEN, filled(64 * 1024)),
        spoilt("A11", "one byte more", too_large, filled(64 * 1024 + 1)),
        raw("A12", "10^12 bytes announced, none sent", head("1000000000000", ""), too_large),
        spoilt("A30", "3 MB", too_large, filled(3_000_000)),
        raw("A36", "100-continue", head("70000", "Expect: 100-continue\r\n"), too_large),
    ];
    run(&server, rows).await;
    // The client that may go on is told so, and is served.
    let (form, _) = good();
    let mut connection = Connection::open(server.address).await;
    let length = form.len().to_string();
    connection.send(&head(&length, "Expect: 100-continue\r\nConnection: close\r\n")).await;
    connection.send(form.as_bytes()).await;
    assert_eq!(connection.reply().await.unwrap().status, 200);
}

#[tokio::test]
async fn a_body_that_never_ends_is_given_up() {
    // A13
    let server = TestServer::start().await;
    let mut connection = Connection::open(server.address).await;
    let head = format!(
        "POST /token HTTP/1.1\r\nHost: a\r\nContent-Type: {FORM}\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    connection.send(head.as_bytes()).await;
    let reply = async {
        for _ in 0..14 {
            connection.send(b"1\r\na\r\n").await;
            sleep(Duration::from_secs(1)).await;
        }
        connection.reply().await
    };
    // Others are served meanwhile.
    let assertion = caller("es256").assertion();
    let (reply, other) = tokio::join!(reply, server.ask(&assertion));
    assert_eq!(other.status, 200);
    check_refusal(&reply.unwrap(), 408, "invalid_request", "").unwrap();
    assert!(connection.is_closed(Duration::from_secs(2)).await);
}

#[tokio::test]
async fn a_chunked_body_that_ends_is_a_body() {
    let server = TestServer::start().await;
    let (form, _) = good();
    let request = format!(
        "POST /token HTTP/1.1\r\nHost: a\r\nContent-Type: {FORM}\r\nTransfer-Encoding: chunked\r\n\
         Connection: close\r\n\r\n{:x}\r\n{form}\r\n0\r\n\r\n",
        form.len()
    );
    assert_eq!(exchange(server.address, request.as_bytes()).await.unwrap().status, 200);
}

/// Something in the framing of a request, between its first headers and its body.
type Framing = fn(length: usize) -> String;

/// What of a request ends the connection with 400, or without a word.
const BROKEN: [(&str, &str, Framing); 11] = [
    ("A15", "two lengths", |n| format!("Content-Length: {n}\r\nContent-Length: {}\r\n", n - 1)),
    ("A15", "a list of lengths", |n| format!("Content-Length: {n}, 3\r\n")),
    ("A15", "a signed length", |n| format!("Content-Length: +{n}\r\n")),
    ("A15", "a length of its own kind", |n| format!("Content-Length: 0x{n:x}\r\n")),
    ("A16", "xchunked", |_| "Transfer-Encoding: xchunked\r\n".to_owned()),
    ("A16", "chunks inside of something", |_| "Transfer-Encoding: chunked, gzip\r\n".to_owned()),
    ("A16", "a folded header", |n| format!("X: a\r\n b\r\nContent-Length: {n}\r\n")),
    ("A16", "a space before the colon", |n| format!("Content-Length : {n}\r\n")),
    ("A16", "a bare return", |n| format!("X: a\rb\r\nContent-Length: {n}\r\n")),
    ("A16", "NUL in a header", |n| format!("X: a\0b\r\nContent-Length: {n}\r\n")),
    ("A16", "a header without a name", |n| format!(": a\r\nContent-Length: {n}\r\n")),
];

/// What stands behind a request that should be its end.
const SMUGGLED: &str = "GET /jwk HTTP/1.1\r\nHost: a\r\n\r\n";

/// Sends a request with this framing and another behind it, and returns the answers' statuses.
async fn framed(server: &TestServer, framing: Framing, line_end: &str) -> Vec<u16> {
    let (form, _) = good();
    let chunked = format!("{:x}\r\n{form}\r\n0\r\n\r\n", form.len());
    let sample = framing(1);
    let body = if sample.contains("Transfer-Encoding") { &chunked } else { &form };
    let head = format!(
        "POST /token HTTP/1.1\r\nHost: a\r\nContent-Type: {FORM}\r\n{}\r\n",
        framing(body.len())
    );
    let mut connection = Connection::open(server.address).await;
    connection.send(head.replace("\r\n", line_end).as_bytes()).await;
    connection.send(format!("{body}{SMUGGLED}").as_bytes()).await;
    let mut statuses = Vec::new();
    while let Some(reply) = connection.reply().await {
        statuses.push(reply.status);
        if statuses.len() == 2 {
            return statuses;
        }
    }
    assert!(connection.is_closed(Duration::from_secs(1)).await);
    statuses
}

#[tokio::test]
async fn framing_that_two_servers_could_read_differently_ends_the_connection() {
    let server = TestServer::start().await;
    let mut wrong = Vec::new();
    for (id, what, framing) in BROKEN {
        let statuses = framed(&server, framing, "\r\n").await;
        if !matches!(statuses[..], [] | [400]) {
            wrong.push(format!("{id} {what}: {statuses:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let mut connection = Connection::open(server.address).await;
    connection.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    // A18: HTTP/2 is not spoken, so the connection ends and none of its floods can be tried.
    assert!(connection.reply().await.is_none_or(|reply| reply.status == 400));
    assert!(connection.is_closed(Duration::from_secs(1)).await);
}

#[tokio::test]
async fn framing_that_has_one_reading_hides_no_second_request() {
    // A14: RFC 9112 section 6.1 lets a server go by the chunks, if it then ends the connection.
    let server = TestServer::start().await;
    let first: Framing = |n| format!("Content-Length: {n}\r\nTransfer-Encoding: chunked\r\n");
    let last: Framing = |n| format!("Transfer-Encoding: chunked\r\nContent-Length: {n}\r\n");
    for both in [first, last] {
        assert_eq!(framed(&server, both, "\r\n").await, [200]);
    }
    // A16: section 2.2 lets a bare line feed end a line. What follows is a request in plain sight.
    let length: Framing = |n| format!("Content-Length: {n}\r\n");
    assert_eq!(framed(&server, length, "\n").await, [200, 200]);
    assert_eq!(framed(&server, length, "\r\n").await, [200, 200]);
}

#[tokio::test]
async fn a_head_has_bounds() {
    let server = TestServer::start().await;
    let (form, _) = good();
    let many = (0..200).map(|i| format!("X-{i}: a\r\n")).collect::<Vec<_>>().concat();
    let wide = "X: ".to_owned() + &"a".repeat(4096) + "\r\n";
    let wide = wide.repeat(16);
    let line = format!("/token?{}", "a".repeat(70_000));
    let head = |path: &str, more: &str| {
        let length = form.len();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: {FORM}\r\nContent-Length: {length}\r\n\
             Connection: close\r\n{more}\r\n"
        );
        [head.as_bytes(), form.as_bytes()].concat()
    };
    let long = format!("X: {}\r\n", "a".repeat(16 * 1024));
    let hung_up = Expect::HungUp(&[400, 413, 414, 431]);
    let rows = vec![
        raw("A17", "200 headers", head("/token", &many), hung_up),
        raw("A17", "64 KiB of headers", head("/token", &wide), hung_up),
        raw("A17", "a header of 16 KiB", head("/token", &long), hung_up),
        raw("A17", "a target of 70,000 bytes", head(&line, ""), hung_up),
    ];
    run(&server, rows).await;
}
