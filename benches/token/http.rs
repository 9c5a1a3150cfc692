//! Requests over HTTP on the loopback interface: connections that are kept, each with one request after another.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cpu_time::{ProcessTime, ThreadTime};
use criterion::Criterion;
use portvakt::domain::algorithm::Algorithm;
use portvakt::http::listen::Listener;
use portvakt::http::token_router;
use portvakt::keys::{SigningKey, TokenType};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

use crate::CONCURRENCY;
use crate::client::{ClientSide, Means};
use crate::cpu::{Cluster, CpuTime};
use crate::server::{Database, Server};

/// Room for an answer, head and body.
const ANSWER_BYTES_MAX: usize = 16 * 1024;

/// What stands between the end of a head and a body.
const END_OF_HEAD: &[u8] = b"\r\n\r\n";

pub(crate) fn http(criterion: &mut Criterion<CpuTime>, algorithm: Algorithm) {
    let (client, floors) = (ClientSide::new(), one_core());
    let mut group = criterion.benchmark_group("http");
    let kid = client.by_kid("by-kid");
    let floor = Asked::floor(&floors, &client, algorithm);
    group.bench_function(format!("floor RS256->{algorithm}"), |bencher| {
        bencher.iter_custom(|iterations| floor.cpu(&client, &kid, iterations));
    });
    drop(group);
    let postgres = Database::postgres().map(|database| ("http on PostgreSQL", database));
    for (name, database) in [Some(("http", Database::File)), postgres].into_iter().flatten() {
        // Of its own, so that the server before is gone with all that it does now and then.
        let runtime = one_core();
        let server = runtime.block_on(Server::new(&client, algorithm, &database));
        let asked = Asked::serve(&runtime, &server);
        let mut group = criterion.benchmark_group(name);
        for (name, means) in client.means() {
            runtime.block_on(server.refuses_a_replay(&client.assertion(&means)));
            group.bench_function(format!("RS256->{algorithm}/{name}"), |bencher| {
                bencher.iter_custom(|iterations| asked.cpu(&client, &means, iterations));
            });
        }
    }
}

/// One thread, as on a server with one core.
pub(crate) fn one_core() -> Runtime {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
    runtime.expect("threads")
}

/// A server that is asked for tokens.
pub(crate) struct Asked {
    address: SocketAddr,
    /// What works for it in other processes.
    cluster: Option<Cluster>,
}

impl Asked {
    /// The floor.
    pub(crate) fn floor(runtime: &Runtime, client: &ClientSide, algorithm: Algorithm) -> Self {
        Self { address: floor(runtime, client, algorithm), cluster: None }
    }

    /// Ours.
    pub(crate) fn serve(runtime: &Runtime, server: &Server) -> Self {
        Self { address: serve(runtime, server), cluster: server.cluster }
    }

    /// The CPU time that so many tokens take, [`CONCURRENCY`] at a time: that of this process beside the threads that send,
    /// and that of the database's.
    pub(crate) fn cpu(&self, client: &ClientSide, means: &Means, count: u64) -> Duration {
        let database = || self.cluster.map(Cluster::cpu).unwrap_or_default();
        let mut shares = vec![Vec::new(); CONCURRENCY];
        for (_, share) in (0..count).zip((0..CONCURRENCY).cycle()) {
            shares[share].push(request(&client.assertion(means)));
        }
        let before = database();
        requests(self.address, shares) + database().saturating_sub(before)
    }
}

/// A server that checks the signature of an assertion, signs a token that is always the same, and does nothing else.
fn floor(runtime: &Runtime, client: &ClientSide, algorithm: Algorithm) -> SocketAddr {
    let (token_key, _) = SigningKey::generate(algorithm, 2048).expect("key");
    let header = token_key.header(TokenType::Unsaid);
    let keys = Arc::new((client.public(), token_key, header));
    let answer = move |body: Bytes| {
        let keys = Arc::clone(&keys);
        async move {
            let (public, token_key, header) = &*keys;
            let (_, assertion) =
                str::from_utf8(&body).expect("text").rsplit_once('=').expect("a form");
            let (signed, signature) = assertion.rsplit_once('.').expect("three parts");
            let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64");
            public.verify(signed.as_bytes(), &signature).expect("right");
            let token = token_key.sign(header, &[b'x'; 350]).expect("signed");
            ([(CONTENT_TYPE, "application/json")], token)
        }
    };
    let router = Router::new().route("/token", post(answer));
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
    let address = listener.local_addr().expect("an address");
    runtime.spawn(async move { axum::serve(listener, router).await });
    address
}

fn serve(runtime: &Runtime, server: &Server) -> SocketAddr {
    let any = "127.0.0.1:0".parse().expect("an address");
    let connections = u32::try_from(CONCURRENCY).expect("few");
    let listener = runtime.block_on(Listener::bind(any, None, connections)).expect("a port");
    let address = listener.address().expect("an address");
    let router = token_router(server.app.clone());
    runtime.spawn(listener.serve(router, std::future::pending()));
    address
}

/// Sends the requests of each share one after the other, and returns the CPU time that the process has taken beside the
/// threads that send.
fn requests(address: SocketAddr, shares: Vec<Vec<Vec<u8>>>) -> Duration {
    let began = ProcessTime::now();
    let senders: Vec<_> = shares
        .into_iter()
        .filter(|share| !share.is_empty())
        .map(|share| std::thread::spawn(move || send(address, &share)))
        .collect();
    let sending: Duration = senders.into_iter().map(|sender| sender.join().expect("answers")).sum();
    began.elapsed().saturating_sub(sending)
}

fn request(assertion: &str) -> Vec<u8> {
    let body = format!(
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={assertion}"
    );
    let length = body.len();
    format!(
        "POST /token HTTP/1.1\r\nHost: bench.example\r\nContent-Length: {length}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\n{body}"
    )
    .into_bytes()
}

/// Sends requests one after another, each of which must get a token, and returns the CPU time of that.
fn send(address: SocketAddr, requests: &[Vec<u8>]) -> Duration {
    let began = ThreadTime::now();
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.set_nodelay(true).expect("no delay");
    let mut answer = vec![0; ANSWER_BYTES_MAX];
    for request in requests {
        stream.write_all(request).expect("sent");
        let mut length = 0;
        while !is_whole(&answer[..length]) {
            let more = stream.read(&mut answer[length..]).expect("an answer");
            assert_ne!(more, 0, "the connection has ended");
            length += more;
        }
        let answer = String::from_utf8_lossy(&answer[..length]);
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
    drop(stream);
    began.elapsed()
}

/// Whether an answer has come to its end, as its head says.
fn is_whole(answer: &[u8]) -> bool {
    let end = answer.windows(END_OF_HEAD.len()).position(|it| it == END_OF_HEAD);
    let Some(end) = end else { return false };
    let head = str::from_utf8(&answer[..end]).expect("a head is text");
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("content-length").then(|| value.parse::<usize>().ok())?
    });
    answer.len() >= end + END_OF_HEAD.len() + length.expect("answers have a length")
}
