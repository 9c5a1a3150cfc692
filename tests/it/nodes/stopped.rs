//! N16 (R14): a node that listens for changes stands still, and neither answers nor reads. Nobody else is slowed down, the
//! queue of the database stays short, and when the node goes on it reads what it has missed before it serves.

use std::sync::Arc;
use std::time::Duration;

use portvakt::domain::record::Expected;
use portvakt::domain::scope::ScopeName;
use portvakt::registry::AccessTerms;
use tokio::net::TcpStream;
use tokio::task::{JoinSet, spawn_blocking};

use crate::harness::CONSUMER;
use crate::harness::clock::tick;
use crate::harness::http::{Connection, form, post};
use crate::harness::load::percentile_99;
use crate::harness::mark::{most, most_of};
use crate::harness::place::Place;
use crate::harness::server::{TestServer, actor, caller};
use crate::harness::sql::Sql;
use crate::nodes::cluster::Cluster;
use crate::nodes::ledger::Outcome;
use crate::nodes::process::{Home, fresh};
use crate::nodes::rounds;

/// How long the node stands still, at least; `PORTVAKT_TEST_LONG=17` makes more than a minute of it.
const STILL: Duration = Duration::from_secs(4);

/// Without a look for so long it issues nothing: less than it stands still.
const STALE: &str = "[feed]\npoll_milliseconds = 250\nstale_seconds_max = 2\n";

/// Changes that are timed before.
const CHANGES: usize = 200;

/// How full the queue of notifications may become: a hundredth.
const QUEUE_MAX: f64 = 0.01;

/// How much longer changes may take meanwhile: a fifth.
const SLOWER_MAX: f64 = 1.2;

/// How soon after it goes on it serves by what holds.
const SERVES_MAX: Duration = Duration::from_secs(2);

/// Requests that lie there when it goes on.
const WAITING: usize = 8;

async fn switch(maker: &TestServer, scope: &ScopeName, on: bool) -> Duration {
    let (registry, consumer) = (&maker.app.registry, CONSUMER.parse().unwrap());
    let began = tick();
    if on {
        let terms = AccessTerms::default();
        registry.grant_access(&actor(), scope, consumer, terms, Expected::Anything).await.unwrap();
    } else {
        registry.withdraw_access(&actor(), scope, consumer, None, None).await.unwrap();
    }
    began.elapsed()
}

async fn queue_usage(sql: &Sql) -> f64 {
    sql.text("select pg_notification_queue_usage()::text").await.parse().unwrap()
}

/// Sends a request to a node that may not read it yet, and waits for the answer.
async fn ask(home: &Home) -> Outcome {
    let request = post(&form(&fresh(&caller("es256")).sign()));
    let mut connection = Connection::over(TcpStream::connect(home.token).await.unwrap());
    connection.send(&request).await;
    Outcome::of(connection.reply().await.as_ref())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n16_a_node_that_stands_still_slows_nobody_down_and_reads_before_it_serves() {
    let cluster = spawn_blocking(Cluster::in_memory).await.unwrap();
    let place = Place::on(cluster.database()).await;
    let home = Arc::new(Home::new(place.folder.path(), "node", Some(cluster.url()), STALE));
    let maker = TestServer::on(place, &[], "").await;
    let sql = maker.sql().await;
    let node = home.start().await.0;
    let (read, other) = ("test:read".parse().unwrap(), "test:short".parse().unwrap());
    assert!(ask(&home).await.is_token(), "it has the access in memory");
    let (mut before, mut fullest) = (Vec::new(), 0_f64);
    while before.len() < CHANGES {
        before.push(switch(&maker, &other, before.len() % 2 == 1).await);
        fullest = fullest.max(queue_usage(&sql).await);
    }

    node.signal("STOP");
    let stopped = tick();
    let still = STILL * rounds(1).try_into().unwrap();
    switch(&maker, &read, false).await;
    let mut meanwhile = Vec::new();
    while meanwhile.len() < CHANGES || stopped.elapsed() < still {
        meanwhile.push(switch(&maker, &other, meanwhile.len() % 2 == 1).await);
        fullest = fullest.max(queue_usage(&sql).await);
    }
    let mut waiting = JoinSet::new();
    for _ in 0..WAITING {
        let home = Arc::clone(&home);
        waiting.spawn(async move { ask(&home).await });
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    node.signal("CONT");
    let goes_on = tick();
    let first = waiting.join_all().await;

    let (before, slow) = (percentile_99(&before), percentile_99(&meanwhile));
    println!(
        "{} changes while a node stood still for {:?}: p99 {slow:?}, {before:?} before; the queue {fullest} full (at most \
         {QUEUE_MAX}); then {first:?}",
        meanwhile.len(),
        goes_on - stopped,
    );
    assert!(slow <= most_of(before, SLOWER_MAX), "{slow:?}, {before:?} before");
    assert!(fullest < QUEUE_MAX, "{fullest}");
    assert!(!first.iter().any(Outcome::is_token), "{first:?}");
    let refused = |outcome: &Outcome| matches!(outcome, Outcome::Refused { status: 403, .. });
    while !refused(&ask(&home).await) {
        assert!(goes_on.elapsed() <= most(SERVES_MAX), "it does not serve again");
    }
    // What it says by now is not what it has kept.
    switch(&maker, &read, true).await;
    let granted = tick();
    while !ask(&home).await.is_token() {
        assert!(granted.elapsed() <= most(SERVES_MAX), "it does not hear of changes any more");
    }
}
