//! N08: a node is started while the database is gone (R45), or with settings that no database mends (R46).

use std::process::Command;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::task::spawn_blocking;

use crate::harness::http::{exchange, request};
use crate::harness::mark::most;
use crate::harness::place::Place;
use crate::harness::process::Process;
use crate::harness::server::caller;
use crate::nodes::cluster::Cluster;

/// How soon a node is ready when its database has appeared.
const READY_MAX: Duration = Duration::from_secs(2);

/// How soon a node listens.
const LISTENS_MAX: Duration = Duration::from_secs(10);

/// A place on a cluster of its own, and that.
async fn place() -> (Cluster, Place) {
    let cluster = spawn_blocking(Cluster::new).await.unwrap();
    let place = Place::on(cluster.database()).await;
    (cluster, place)
}

fn spawn(place: &Place, cluster: &Cluster, variables: &[(&str, &str)]) -> Process {
    Process::spawn(place, Some(&cluster.url()), "", &[], variables)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n08_a_node_that_starts_without_its_database_says_so_and_is_ready_soon_after_it_appears() {
    let (cluster, place) = place().await;
    cluster.kill();
    let node = spawn(&place, &cluster, &[]);
    node.until(false, LISTENS_MAX).await;
    assert_eq!(node.look("/livez").await.unwrap().status, 200);
    let reason = node.readiness().await.unwrap().text();
    assert!(reason.contains("the database is unavailable"), "{reason}");
    let health = node.look("/health").await.unwrap().json();
    assert_eq!(health["status"], "unavailable", "{health}");
    let metrics = node.look("/metrics").await.unwrap().text();
    assert!(metrics.contains("portvakt_ready 0"), "{metrics}");
    let refused = node.ask(&caller("es256").draft().now().sign()).await;
    node.check_unavailable(&refused);
    assert!(!refused.text().contains("database"), "that is the operator's: {}", refused.text());
    // Nothing is served of a server that is not there: no keys, no metadata, which would be empty or old.
    for path in ["/jwk", "/.well-known/oauth-authorization-server"] {
        let reply = exchange(node.address, &request(&format!("GET {path}"), &[], b"")).await;
        node.check_unavailable(&reply.unwrap());
    }
    // Somebody who keeps a connection open and says nothing keeps nobody from being served.
    let _silent = tokio::net::TcpStream::connect(node.address).await.unwrap();
    let (cluster, started) = spawn_blocking(move || {
        cluster.start();
        let at = crate::harness::clock::tick();
        (cluster, at)
    })
    .await
    .unwrap();
    node.until_ready(most(READY_MAX)).await;
    let took = started.elapsed();
    println!("ready {took:?} after the database was there (at most {READY_MAX:?})");
    assert!(took <= most(READY_MAX), "{took:?}");
    let issued = node.ask(&caller("es256").draft().now().sign()).await;
    assert_eq!(issued.status, 200, "{}", issued.text());
    drop(cluster);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n08_a_node_that_waits_stops_when_it_is_told_to() {
    let (cluster, place) = place().await;
    cluster.kill();
    let mut node = spawn(&place, &cluster, &[]);
    node.until(false, LISTENS_MAX).await;
    assert!(Command::new("kill").arg(node.id().to_string()).status().unwrap().success());
    let (status, log) = node.ended().await;
    assert!(status.success(), "{status}: {log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n08_a_node_that_finds_its_database_when_it_is_told_to_stop_stops() {
    let (cluster, place) = place().await;
    let sql = place.sql().await;
    let lock = sql.lock("signing_key").await;
    let mut node = spawn(&place, &cluster, &[]);
    node.until(false, LISTENS_MAX).await;
    // It tries again, and waits for the lock.
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(Command::new("kill").arg(node.id().to_string()).status().unwrap().success());
    drop(lock);
    let (status, log) = node.ended().await;
    assert!(status.success(), "{status}: {log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n08_settings_that_no_database_mends_end_the_start_with_a_clear_error() {
    let (cluster, place) = place().await;
    let other_key = STANDARD.encode([8; 32]);
    let elsewhere = cluster.url().replace("/postgres", "/nowhere");
    let stranger = cluster.url().replace("postgres@", "stranger@");
    // The settings, and what is said while the database is there.
    for (variable, value, said) in [
        ("PORTVAKT__KEYS__SEALING_KEY", other_key.as_str(), "sealing key"),
        ("PORTVAKT__DATABASE__URL", &elsewhere, "nowhere"),
        ("PORTVAKT__DATABASE__URL", &stranger, "stranger"),
    ] {
        let mut node = spawn(&place, &cluster, &[(variable, value)]);
        let (status, log) = node.ended().await;
        assert_eq!(status.code(), Some(1), "{variable}: {log}");
        assert!(log.contains(said), "{variable}: {log}");
    }
    // The database is gone: what needs none is told at once, and the wrong sealing key when the database is there.
    cluster.kill();
    let missing = [("PORTVAKT__KEYS__SEALING_KEY", "c2hvcnQ=")];
    let (status, log) = spawn(&place, &cluster, &missing).ended().await;
    assert_eq!(status.code(), Some(1), "{log}");
    let mut node = spawn(&place, &cluster, &[("PORTVAKT__KEYS__SEALING_KEY", &other_key)]);
    node.until(false, LISTENS_MAX).await;
    let cluster = spawn_blocking(move || {
        cluster.start();
        cluster
    });
    let _cluster = cluster.await.unwrap();
    let (status, log) = node.ended().await;
    assert!(status.code() == Some(1) && log.contains("sealing key"), "{status}: {log}");
}

#[tokio::test]
async fn n08_a_file_that_cannot_be_opened_ends_the_start() {
    let place = Place::new().await;
    let nowhere = [("PORTVAKT__DATABASE__FILE", "nowhere/portvakt.db")];
    let mut node = Process::spawn(&place, None, "", &[], &nowhere);
    let (status, log) = node.ended().await;
    assert_eq!(status.code(), Some(1), "{log}");
}
