//! Authorities in files that change while the server runs, and what it says of them.

use std::sync::Arc;
use std::time::Duration;

use portvakt::http::listen::Listener;
use portvakt::http::management_router;

use crate::harness::caller::Caller;
use crate::harness::chain::{Pki, Trust, at, pem};
use crate::harness::clock::{NOW, tick};
use crate::harness::http::{Reply, exchange, request};
use crate::harness::server::{TestServer, certified, pki};

/// What the management API answers.
async fn get(server: &TestServer, path: &str) -> Reply {
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), None, 10).await.unwrap();
    let address = listener.address().unwrap();
    let router = management_router(Arc::clone(&server.app));
    tokio::spawn(async move { listener.serve(router, std::future::pending()).await });
    exchange(address, &request(&format!("GET {path}"), &[], b"")).await.unwrap()
}

async fn is_accepted(server: &TestServer, caller: &Caller) -> bool {
    server.ask(&caller.assertion()).await.status == 200
}

/// Waits until a caller is accepted, or is not any more.
async fn wait(server: &TestServer, caller: &Caller, accepted: bool) {
    let began = tick();
    while is_accepted(server, caller).await != accepted {
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn authorities_that_are_replaced_count_without_a_restart() {
    let (old, new) = (Pki::new("Old"), Pki::new("New"));
    let server = TestServer::with(&[Trust::of(&old)], "").await;
    let by = |pki: &Pki| {
        let leaf = pki.ca.leaf(|_| {});
        certified(&leaf.key, &[&leaf.der, &pki.ca.der])
    };
    let (by_old, by_new) = (by(&old), by(&new));
    assert!(is_accepted(&server, &by_old).await && !is_accepted(&server, &by_new).await);
    let anchors = server.folder().join("0-anchor-0");
    // What is no authority changes nothing.
    std::fs::write(&anchors, pem("CERTIFICATE", &old.ca.leaf(|_| {}).der)).unwrap();
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(is_accepted(&server, &by_old).await, "the old authorities stay in use");
    let both = pem("CERTIFICATE", &old.root.der) + &pem("CERTIFICATE", &new.root.der);
    std::fs::write(&anchors, both).unwrap();
    wait(&server, &by_new, true).await;
    assert!(is_accepted(&server, &by_old).await);
    // A root that is taken out stops counting, warm or not.
    std::fs::write(&anchors, pem("CERTIFICATE", &new.root.der)).unwrap();
    wait(&server, &by_old, false).await;
    assert!(server.ask(&by_old.assertion()).await.text().contains("MP-120"));
    assert!(is_accepted(&server, &by_new).await);
}

#[tokio::test]
async fn health_and_metrics_say_when_each_authority_ends() {
    let ending = Pki::with("Ending", |p| p.not_after = at(5), |_| {});
    let server = TestServer::with(&[Trust::of(pki()), Trust::of(&ending)], "").await;
    let health = get(&server, "/health").await.json();
    assert_eq!(health["status"], "ok", "{health}");
    let set = &health["trust_sets"][1];
    assert_eq!((&set["name"], &set["environment"]), (&"set1".into(), &"production".into()));
    let authorities = set["authorities"].as_array().unwrap();
    assert_eq!(authorities.len(), 2);
    assert_eq!(authorities[0]["role"], "anchor");
    assert_eq!(authorities[0]["subject"], "CN=Ending root");
    assert_eq!(authorities[0]["not_after"], "2026-06-01T12:00:05Z");
    assert_eq!(authorities[1]["role"], "intermediate");
    let metrics = get(&server, "/metrics").await.text();
    let line = metrics.lines().find(|line| line.contains("CN=Ending root")).unwrap();
    assert!(
        line.starts_with("portvakt_trust_authority_not_after_seconds{trust_set=\"set1\""),
        "{line}"
    );
    assert!(line.ends_with(&format!(" {}", NOW + 5)), "{line}");
    assert!(metrics.contains("portvakt_trust_set_warnings{trust_set=\"set1\"} 0"), "{metrics}");
    server.clock.set(NOW + 6);
    let health = get(&server, "/health").await.json();
    assert_eq!(health["status"], "warning", "{health}");
    let warning = health["trust_sets"][1]["warnings"][0].as_str().unwrap();
    assert!(warning.contains("Ending root"), "{warning}");
    let metrics = get(&server, "/metrics").await.text();
    assert!(metrics.contains("portvakt_trust_set_warnings{trust_set=\"set1\"} 1"), "{metrics}");
}
