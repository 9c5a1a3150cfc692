//! The whole of `Issuer::issue` and its parts, called without HTTP.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cpu_time::ProcessTime;
use criterion::Criterion;
use portvakt::clock::Timestamp;
use portvakt::domain::algorithm::Algorithm;
use portvakt::keys::{SigningKey, TokenType};
use portvakt::store::{SpentId, Store};
use portvakt::token::TokenRequest;
use portvakt::token::jws::UnverifiedAssertion;
use portvakt::token::trail::Trail;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::client::ClientSide;
use crate::cpu::CpuTime;
use crate::server::{NOW, Server};
use crate::{CONCURRENCY, TOKEN_ALGORITHMS};

pub(crate) fn floor(criterion: &mut Criterion<CpuTime>) {
    let client = ClientSide::new();
    let assertion = client.assertion(&client.kid_header);
    let (signed, signature) = assertion.rsplit_once('.').expect("three parts");
    let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64");
    let public = client.public();
    let mut group = criterion.benchmark_group("floor");
    for algorithm in TOKEN_ALGORITHMS {
        let (token_key, _) = SigningKey::generate(algorithm, 2048).expect("key");
        let header = token_key.header(TokenType::Unsaid);
        let payload = [b'x'; 350];
        group.bench_function(format!("RS256->{algorithm}"), |bencher| {
            bencher.iter(|| {
                public.verify(black_box(signed.as_bytes()), &signature).expect("right");
                token_key.sign(&header, black_box(&payload)).expect("signed")
            });
        });
    }
    group.bench_function("verify RS256", |bencher| {
        bencher.iter(|| public.verify(black_box(signed.as_bytes()), &signature).expect("right"));
    });
}

pub(crate) fn issue(criterion: &mut Criterion<CpuTime>, runtime: &Runtime, algorithm: Algorithm) {
    let client = ClientSide::new();
    let server = runtime.block_on(Server::new(&client, algorithm));
    let mut group = criterion.benchmark_group("issue");
    for (name, header) in client.headers() {
        runtime.block_on(server.refuses_a_replay(&client.assertion(header)));
        group.bench_function(format!("RS256->{algorithm}/{name}"), |bencher| {
            bencher.iter_custom(|iterations| {
                let assertions = (0..iterations).map(|_| client.assertion(header)).collect();
                let began = ProcessTime::now();
                runtime.block_on(issue_all(&server, assertions));
                began.elapsed()
            });
        });
    }
}

async fn issue_all(server: &Server, assertions: Vec<String>) {
    let mut share = vec![Vec::new(); CONCURRENCY];
    for (at, assertion) in assertions.into_iter().enumerate() {
        share[at % CONCURRENCY].push(assertion);
    }
    let mut tasks = JoinSet::new();
    for share in share {
        let app = Arc::clone(&server.app);
        tasks.spawn(async move {
            for assertion in share {
                let request = TokenRequest { assertion: &assertion, client_id: None };
                let mut trail = Trail::new(&*app.issuer.clock);
                app.issuer.issue(&request, &mut trail).await.expect("issued");
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("no panic");
    }
}

pub(crate) fn parts(criterion: &mut Criterion<CpuTime>, runtime: &Runtime) {
    let client = ClientSide::new();
    let mut group = criterion.benchmark_group("part");
    for (name, header) in client.headers() {
        let assertion = client.assertion(header);
        group.bench_function(format!("parse an assertion with {name}"), |bencher| {
            bencher
                .iter(|| UnverifiedAssertion::parse(black_box(&assertion)).expect("well formed"));
        });
    }
    let folder = tempfile::tempdir().expect("folder");
    let store = runtime.block_on(Store::open(&folder.path().join("a.db"))).expect("store");
    runtime.block_on(store.migrate()).expect("tables");
    let mut log = store.replay_log();
    let next = AtomicU64::new(0);
    for count in [1, 32] {
        group.bench_function(format!("commit of {count} spent assertions"), |bencher| {
            bencher.iter(|| {
                let id = |_| {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let mut id = [0; 32];
                    id[..8].copy_from_slice(&number.to_be_bytes());
                    id
                };
                let ids: Vec<SpentId> = (0..count).map(id).collect();
                let keep_until = Timestamp::from_seconds(NOW);
                runtime.block_on(log.append(&ids, keep_until)).expect("spent")
            });
        });
    }
}
