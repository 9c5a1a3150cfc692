//! N10: nodes with different settings (R47).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portvakt::app::{App, AppError};
use portvakt::clock::SystemRandom;
use portvakt::config::{DifferingSettings, SealingKeySource};
use portvakt::domain::record::Expected;
use portvakt::registry::{AccessTerms, OtherAlgorithms};

use crate::harness::CONSUMER;
use crate::harness::chain::{Pki, Trust};
use crate::harness::clock::{NOW, TestClock, tick};
use crate::harness::mark::most;
use crate::harness::server::{TestServer, actor, caller, pki, write_configuration};

/// How soon a node notices that others have taken it for dead, or that it may come back: they show themselves every five
/// seconds.
const BACK_MAX: Duration = Duration::from_secs(7);

/// Builds another node on the database of a server, with these trust sets and these lines in its configuration.
async fn join(server: &TestServer, trust: &[Trust], more: &str) -> Result<App, AppError> {
    let folder = tempfile::tempdir().unwrap();
    let config = write_configuration(folder.path(), trust, more);
    let store = server.other_store().await;
    App::build(&config, store, Arc::new(TestClock::new()), Arc::new(SystemRandom)).await
}

async fn refusal(server: &TestServer, trust: &[Trust], more: &str) -> String {
    join(server, trust, more).await.err().expect("it does not start").to_string()
}

#[tokio::test]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n10_a_node_with_other_rules_does_not_join_and_says_which() {
    let server = TestServer::start().await;
    let trust = [Trust::of(pki())];
    for (more, setting) in [
        (
            "[token]\nlifetime_seconds_max = 60\n",
            "token.lifetime_seconds_max is 60 on this node and 7200",
        ),
        ("[token]\nclock_skew_seconds = 5\n", "token.clock_skew_seconds"),
        ("[token]\nsigning_algorithm = \"ES256\"\n", "token.signing_algorithm"),
        ("[environment]\nname = \"other\"\n", "environment.name"),
    ] {
        let refusal = refusal(&server, &trust, more).await;
        assert!(refusal.contains(setting), "{refusal}");
    }
    let other = Pki::new("Other");
    let refused = refusal(&server, &[Trust::of(&other)], "").await;
    assert!(refused.contains("anchors is"), "{refused}");
    let refused = refusal(&server, &[], "").await;
    assert!(refused.contains("trust is nothing on this node"), "{refused}");
    let asking = "ocsp = \"fallback\"\nocsp_responders = [\"http://ocsp.example\"]\n".to_owned();
    let asks = Trust { more: asking, ..Trust::with_crls(pki(), Vec::new()) };
    let refused = refusal(&server, &[asks], "").await;
    let told = "trust.set0.ocsp is fallback on this node and not_used on another";
    assert!(refused.contains(told), "{refused}");
    // What is a node's own may differ.
    join(&server, &trust, "[explain]\nretention_days = 1\n[log]\nfilter = \"warn\"\n")
        .await
        .unwrap();
}

#[tokio::test]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n10_settings_change_node_by_node_where_that_is_wanted() {
    let server = TestServer::start().await;
    let folder = tempfile::tempdir().unwrap();
    let trust = [Trust::of(pki())];
    let mut config =
        write_configuration(folder.path(), &trust, "[token]\nlifetime_seconds_max = 60\n");
    config.differing_settings = DifferingSettings::Warn;
    let build = async || {
        let store = server.other_store().await;
        App::build(&config, store, Arc::new(TestClock::new()), Arc::new(SystemRandom)).await
    };
    let second = build().await.unwrap();
    let difference = second.differing_setting().expect("it says so");
    assert_eq!(difference.setting, "token.lifetime_seconds_max");
    // The first notices too, a little later and however much is changed meanwhile, and both are content when it has gone.
    let (scope, consumer) = ("test:short".parse().unwrap(), CONSUMER.parse().unwrap());
    for _ in 0..100 {
        if server.app.differing_setting().is_some() {
            break;
        }
        let (terms, seen) = (AccessTerms::default(), Expected::Anything);
        let registry = &server.app.registry;
        registry.grant_access(&actor(), &scope, consumer, terms, seen).await.unwrap();
        registry.withdraw_access(&actor(), &scope, consumer, None, None).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(server.app.differing_setting().is_some());
    server.app.finish().await;
    assert_eq!(build().await.unwrap().differing_setting(), None);
    // Another issuer is another server, whatever is wanted.
    config.issuer = "https://other.test/".to_owned();
    let store = server.other_store().await;
    let other =
        App::build(&config, store, Arc::new(TestClock::new()), Arc::new(SystemRandom)).await;
    assert!(matches!(other, Err(AppError::OtherIssuer { .. })));
}

#[tokio::test]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n10_a_node_that_does_not_start_after_all_is_none() {
    let server = TestServer::start().await;
    let folder = tempfile::tempdir().unwrap();
    let mut config = write_configuration(folder.path(), &[Trust::of(pki())], "");
    config.sealing_key = SealingKeySource::Text(STANDARD.encode([8; 32]));
    let store = server.other_store().await;
    let built =
        App::build(&config, store, Arc::new(TestClock::new()), Arc::new(SystemRandom)).await;
    let problem = built.err().expect("the keys open for nobody").to_string();
    assert!(problem.contains("sealing key"), "{problem}");
    let nodes = server.sql().await.number("select count(*) from node").await;
    assert_eq!(nodes, 1, "what waits for all nodes would wait for it");
}

#[tokio::test]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n10_a_node_of_another_algorithm_leaves_the_others_their_keys() {
    let first = TestServer::start().await;
    let folder = tempfile::tempdir().unwrap();
    let more = "[token]\nsigning_algorithm = \"ES256\"\n";
    let mut config = write_configuration(folder.path(), &[Trust::of(pki())], more);
    config.differing_settings = DifferingSettings::Warn;
    let clock = Arc::new(TestClock::new());
    let build = async || {
        let (store, its) = (first.other_store().await, Arc::<TestClock>::clone(&clock));
        App::build(&config, store, its, Arc::new(SystemRandom)).await.unwrap()
    };
    // Its key is announced, and has signed for a month when it starts again.
    build().await.finish().await;
    let later = NOW + 30 * 24 * 60 * 60;
    clock.set(later);
    first.clock.set(later);
    let seen = format!("select count(*) from node where seen_at >= {later}");
    let sql = first.sql().await;
    let keys = async || {
        let algorithms = "select string_agg(distinct algorithm, ' ' order by algorithm) from signing_key \
                          where sealed_private is not null";
        sql.text(algorithms).await
    };
    while sql.number(&seen).await == 0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // It looks after the keys as soon as it has started.
    let second = build().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(keys().await, "ES256 RS256");
    second.finish().await;
    first.app.finish().await;

    // Nobody signs with the others any more, but what has been signed lives, and who starts now cannot know that.
    let alone = build().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(keys().await, "ES256 RS256");
    alone.registry.keep_signing_keys(OtherAlgorithms::Retired).await.unwrap();
    assert_eq!(keys().await, "ES256");
}

#[tokio::test]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n10_a_node_that_was_taken_for_dead_comes_back_only_where_it_may_join() {
    let first = TestServer::start().await;
    let trust = [Trust::of(pki())];
    assert_eq!(first.ask(&caller("rs256").assertion()).await.status, 200);
    // As it is after it was cut off for so long that one which starts has taken it for dead.
    let sql = first.sql().await;
    let other = loop {
        sql.execute("delete from node").await;
        // Unless the first shows itself in this moment.
        if let Ok(other) = join(&first, &trust, "[token]\nclock_skew_seconds = 5\n").await {
            break other;
        }
    };
    let ready = async |is_ready| {
        let began = tick();
        while first.app.ready().is_ok() != is_ready {
            assert!(began.elapsed() < most(BACK_MAX), "{:?}", first.app.ready());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    ready(false).await;
    let refused = first.ask(&caller("rs256").assertion()).await;
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert_eq!(sql.number("select count(*) from node").await, 1, "it is not let in");
    other.finish().await;
    ready(true).await;
    assert_eq!(first.ask(&caller("rs256").assertion()).await.status, 200);
    assert_eq!(sql.number("select count(*) from node").await, 1);

    // Where nothing differs it is let in at once.
    sql.execute("delete from node").await;
    let _other = join(&first, &trust, "").await.unwrap();
    let began = tick();
    while sql.number("select count(*) from node").await != 2 {
        assert!(began.elapsed() < most(BACK_MAX));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    first.app.ready().unwrap();
}

#[tokio::test]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n10_a_node_of_another_version_is_compared_by_what_both_know() {
    let server = TestServer::start().await;
    let sql = server.sql().await;
    let known: BTreeMap<&str, &str> = BTreeMap::from([("token.made_up_later", "1")]);
    let known = serde_json::to_string(&known).unwrap();
    // One of a later version, which knows a setting more, and one of the version before, which tells nothing.
    for (id, settings) in [("later", known.as_str()), ("before", "{}")] {
        let seen = NOW;
        let issuer = crate::harness::ISSUER;
        sql.execute(&format!(
            "insert into node (id, issuer, seen_at, settings) values ('{id}', '{issuer}', {seen}, '{settings}')"
        ))
        .await;
    }
    let node = join(&server, &[Trust::of(pki())], "").await.unwrap();
    assert_eq!(node.differing_setting(), None);
}
