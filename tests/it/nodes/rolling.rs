//! N09 (R03): three nodes behind a load balancer are stopped and started again, one after the other, under load.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::spawn_blocking;

use crate::harness::clock::tick;
use crate::harness::http::{exchange, request};
use crate::harness::load::percentile_99;
use crate::harness::mark::most;
use crate::harness::place::Place;
use crate::nodes::balancer::Balancer;
use crate::nodes::cluster::Cluster;
use crate::nodes::ledger::Entry;
use crate::nodes::process::{Home, get};
use crate::nodes::rounds;
use crate::nodes::traffic::{Traffic, key_sets};

/// Requests, at least.
const REQUESTS: usize = 10_000;

/// How long a node goes on when it is told to stop: longer than the balancer needs to notice.
const DRAIN: &str = "drain_seconds = 1";

/// How soon it is gone then: requests under way take little.
const GONE_MAX: Duration = Duration::from_secs(2);

/// Clients that ask all the time.
const CLIENTS: usize = 6;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n09_when_nodes_are_restarted_one_by_one_no_request_fails() {
    let cluster = spawn_blocking(Cluster::in_memory).await.unwrap();
    let place = Place::on(cluster.database()).await;
    let url = cluster.url();
    let home = |name| {
        let home = Home::new(place.folder.path(), name, Some(url.clone()), "");
        home.set("[server]\n", &format!("[server]\n{DRAIN}\n"));
        home
    };
    let homes = [home("a"), home("b"), home("c")];
    let mut nodes = Vec::new();
    for home in &homes {
        nodes.push(home.start().await.0);
    }
    let balancer = Balancer::start(&homes).await;
    let traffic = Traffic::start(&[balancer.address], CLIENTS, Duration::ZERO);
    let (began, mut restarts, mut slowest) = (tick(), 0, Duration::ZERO);
    while restarts < homes.len() || traffic.ledger.entries().len() < rounds(REQUESTS) {
        let place = restarts % homes.len();
        let node = nodes.remove(place);
        node.terminate();
        let stopped = tick();
        // First it says that it is going, and goes on; then it goes.
        homes[place].until(false).await;
        let alive = exchange(homes[place].token, &request("GET /jwk", &[], b"")).await.unwrap();
        assert_eq!(alive.status, 200, "{}", alive.text());
        let live = get(homes[place].management, "/livez").await.unwrap();
        assert_eq!(live.status, 200);
        node.ended().await;
        slowest = slowest.max(stopped.elapsed());
        nodes.insert(place, homes[place].start().await.0);
        restarts += 1;
        // Until the balancer has noticed.
        tokio::time::sleep(Duration::from_millis(800)).await;
    }
    let (ledger, took) = (Arc::clone(&traffic.ledger), began.elapsed());
    traffic.stop().await;
    let key_sets = key_sets(&homes.each_ref().map(|home| home.token)).await;
    let entries = ledger.entries();
    let failed: Vec<_> = entries.iter().filter(|entry| !entry.outcome.is_token()).collect();
    let times: Vec<Duration> = entries.iter().map(Entry::took).collect();
    println!(
        "{} requests in {took:?}, {restarts} restarts, each node gone within {slowest:?} (at most {GONE_MAX:?}), p99 {:?}; \
         failed: {} (at most 0)",
        entries.len(),
        percentile_99(&times),
        failed.len()
    );
    let told = homes.iter().flat_map(|home| home.log_lines("could not be spent"));
    let told: Vec<_> = told.collect();
    assert!(failed.is_empty(), "{:?} {told:#?}", &failed[..failed.len().min(5)]);
    assert!(slowest <= most(GONE_MAX), "{slowest:?}");
    assert_eq!(ledger.faults(), Vec::<String>::new());
    assert_eq!(ledger.unverified(&key_sets), 0);
}
