//! N07 (R11): the answer to a commit is lost, so that a node does not know whether it has spent an assertion.

use std::sync::Arc;
use std::time::Duration;

use crate::harness::chain::Trust;
use crate::harness::mark::most;
use crate::harness::place::Place;
use crate::harness::proxy::Proxy;
use crate::harness::row::check_refusal;
use crate::harness::server::{TestServer, caller, pki};
use crate::nodes::traffic::{Traffic, key_sets, replay};

/// Nobody waits longer to be told that it is unknown.
const ANSWER_MAX: Duration = Duration::from_millis(1_500);

/// How often answers are lost under traffic, and for how long.
const ROUNDS: u32 = 4;
const LOSES: Duration = Duration::from_millis(500);

/// A node that loses the answers to its commits when it is told to, and one on the same database that does not; with
/// these lines in their configuration.
async fn two(configuration: &str) -> (TestServer, TestServer, Proxy) {
    let place = Place::new().await;
    let proxy = Proxy::start();
    let cut_off = proxy.before(&place);
    let trust = [Trust::of(pki())];
    let direct = TestServer::on(place, &trust, configuration).await;
    let behind = TestServer::on(cut_off, &trust, configuration).await;
    (behind, direct, proxy)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n07_under_traffic_no_lost_answer_makes_an_assertion_worth_two_tokens() {
    let (behind, direct, proxy) = two("").await;
    let addresses = [behind.address, direct.address];
    let traffic = Traffic::inside(&addresses, 8, Duration::from_millis(20));
    for _ in 0..ROUNDS {
        tokio::time::sleep(LOSES).await;
        proxy.lose_commits(true);
        tokio::time::sleep(LOSES).await;
        proxy.lose_commits(false);
    }
    tokio::time::sleep(LOSES).await;
    let ledger = Arc::clone(&traffic.ledger);
    let sent = traffic.stop().await;
    let before = ledger.counts();
    let unknown = ledger.entries().iter().filter(|it| it.outcome.is_unavailable()).count();
    replay(&addresses, &ledger, &sent).await;
    println!("{before:?}; all of it sent again to both nodes: {:?}", ledger.counts());
    assert!(unknown > 0, "no answer was lost");
    assert_eq!(ledger.faults(), Vec::<String>::new());
    assert_eq!(ledger.unverified(&key_sets(&addresses).await), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n07_when_the_answer_to_a_commit_is_lost_the_assertion_counts_as_spent() {
    let (behind, direct, proxy) = two("").await;
    for client in ["es256", "rs256", "ps256", "eddsa"] {
        assert_eq!(behind.ask(&caller(client).assertion()).await.status, 200);
        proxy.lose_commits(true);
        let assertion = caller(client).assertion();
        let reply = behind.ask(&assertion).await;
        check_refusal(&reply, 503, "temporarily_unavailable", "").unwrap();
        assert!(reply.took < most(ANSWER_MAX), "{:?}", reply.took);
        proxy.lose_commits(false);
        // It was committed, so nobody takes it any more, not even who does not know.
        for node in [&direct, &behind, &direct] {
            check_refusal(&node.ask(&assertion).await, 400, "invalid_grant", "MP-012").unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n07_when_a_connection_ends_with_a_commit_nobody_is_told_that_the_assertion_was_used() {
    for rules in ["", "[outage]\nissue_seconds_max = 60\n"] {
        let (behind, direct, proxy) = two(rules).await;
        assert_eq!(behind.ask(&caller("es256").assertion()).await.status, 200);
        proxy.break_commit();
        let assertion = caller("es256").assertion();
        let reply = behind.ask(&assertion).await;
        check_refusal(&reply, 503, "temporarily_unavailable", "").unwrap();
        assert_eq!(behind.ask(&caller("es256").assertion()).await.status, 200, "the next one");
        for node in [&direct, &behind] {
            check_refusal(&node.ask(&assertion).await, 400, "invalid_grant", "MP-012").unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n07_a_connection_that_has_died_since_is_no_reason_to_refuse() {
    let (_, node, _) = two("").await;
    let sql = node.sql().await;
    for client in ["es256", "rs256", "ps256", "eddsa"] {
        assert_eq!(node.ask(&caller(client).assertion()).await.status, 200);
        let ended = sql.number(
            "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = current_database() \
             and query like '%replay_log%' and pid <> pg_backend_pid()",
        );
        assert!(ended.await > 0, "it was connected");
        let reply = node.ask(&caller(client).assertion()).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
}
