//! The whole of `Issuer::issue` and its parts, called without HTTP.

use std::cell::{Cell, OnceCell};
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cpu_time::ProcessTime;
use criterion::Criterion;
use portvakt::clock::{Clock as _, SystemClock};
use portvakt::domain::algorithm::Algorithm;
use portvakt::keys::{SigningKey, TokenType};
use portvakt::store::{SpentId, Store};
use portvakt::token::TokenRequest;
use portvakt::token::jws::UnverifiedAssertion;
use portvakt::token::trail::Trail;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::client::{Chain, ClientSide, Means};
use crate::cpu::CpuTime;
use crate::server::{Database, Server};
use crate::{CONCURRENCY, TOKEN_ALGORITHMS};

pub(crate) fn floor(criterion: &mut Criterion<CpuTime>) {
    let client = ClientSide::new();
    let assertion = client.assertion(&client.by_kid("by-kid"));
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
    let postgres = Database::postgres().map(|database| ("issue on PostgreSQL", database));
    for (name, database) in [Some(("issue", Database::File)), postgres].into_iter().flatten() {
        let server = runtime.block_on(Server::new(&client, algorithm, &database));
        let mut group = criterion.benchmark_group(name);
        for (name, means) in client.means() {
            runtime.block_on(server.refuses_a_replay(&client.assertion(&means)));
            group.bench_function(format!("RS256->{algorithm}/{name}"), |bencher| {
                bencher.iter_custom(|iterations| {
                    let assertions = (0..iterations).map(|_| client.assertion(&means)).collect();
                    measure(runtime, &server, assertions)
                });
            });
        }
        for (name, chain) in [("x5c", Chain::OfThree), ("x5c of 2", Chain::OfTwo)] {
            group.bench_function(format!("RS256->{algorithm}/{name}, first seen"), |bencher| {
                bencher.iter_custom(|iterations| {
                    let first_seen = |_| client.assertion(&client.by_certificate(chain));
                    measure(runtime, &server, (0..iterations).map(first_seen).collect())
                });
            });
        }
    }
}

/// By registered keys of many clients, each of which has had a token before.
pub(crate) fn clients(criterion: &mut Criterion<CpuTime>, runtime: &Runtime) {
    let (client, algorithm) = (ClientSide::new(), Algorithm::Es256);
    let server = runtime.block_on(Server::new(&client, algorithm, &Database::File));
    let mut group = criterion.benchmark_group("issue");
    for count in [1, CLIENTS_MANY] {
        // Made when it is wanted: criterion may have been asked for something else.
        let clients = OnceCell::new();
        let turn = Cell::new(0);
        group.bench_function(format!("RS256->{algorithm}/kid of {count} clients"), |bencher| {
            let clients = clients.get_or_init(|| warm_clients(runtime, &server, &client, count));
            bencher.iter_custom(|iterations| {
                let from = turn.replace(turn.get() + iterations);
                let in_turn = |turn| &clients[usize::try_from(turn).expect("few") % clients.len()];
                let turns = from..from + iterations;
                let assertions = turns.map(|turn| client.assertion(in_turn(turn))).collect();
                measure(runtime, &server, assertions)
            });
        });
    }
}

/// So many clients, each of which has had a token.
fn warm_clients(runtime: &Runtime, server: &Server, client: &ClientSide, count: u32) -> Vec<Means> {
    let ids = runtime.block_on(server.register_more(count));
    let clients: Vec<_> = ids.iter().map(|id| client.by_kid(id)).collect();
    for some in clients.chunks(WARMED_AT_A_TIME) {
        let assertions = some.iter().map(|means| client.assertion(means)).collect();
        measure(runtime, server, assertions);
    }
    clients
}

/// The clients that one organization can have are twice as many.
const CLIENTS_MANY: u32 = 100_000;

/// So few that their assertions do not grow old while the rest are signed.
const WARMED_AT_A_TIME: usize = 1_000;

/// The CPU time that the process takes to issue tokens for all of them.
fn measure(runtime: &Runtime, server: &Server, assertions: Vec<String>) -> Duration {
    let began = ProcessTime::now();
    runtime.block_on(issue_all(server, assertions));
    began.elapsed()
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
    for (name, means) in client.means() {
        let assertion = client.assertion(&means);
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
                let keep_until = SystemClock.now();
                runtime.block_on(log.append(&ids, keep_until)).expect("spent")
            });
        });
    }
}
