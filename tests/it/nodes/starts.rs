//! N05: nodes that start at the same time, and databases that are not fit to run on.

use std::sync::Arc;

use portvakt::app::App;
use portvakt::clock::{SystemRandom, Timestamp};
use portvakt::store::{Store, StoreError};
use tokio::task::JoinSet;

use crate::harness::ISSUER;
use crate::harness::chain::Trust;
use crate::harness::clock::TestClock;
use crate::harness::place::Place;
use crate::harness::postgres::{TestDatabase, cluster, run};
use crate::harness::server::{TestServer, caller, pki, write_configuration};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n05_several_nodes_may_migrate_at_once() {
    let database = TestDatabase::create().expect("PostgreSQL");
    let mut tasks = JoinSet::new();
    for _ in 0..4 {
        let url = database.url();
        tasks.spawn(async move {
            let store = Store::connect(&url).await.unwrap();
            store.migrate().await.unwrap();
            store.pending_migrations().await.unwrap()
        });
    }
    for pending in tasks.join_all().await {
        assert_eq!(pending, []);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n05_several_nodes_may_start_at_once_for_the_first_time() {
    // R18: they make one signing key, and the operator's scopes once.
    let place = Place::new().await;
    let sql = place.sql().await;
    sql.execute("delete from signing_key").await;
    let mut tasks = JoinSet::new();
    for _ in 0..3 {
        let place = place.clone();
        tasks.spawn(async move {
            let operator = "[operator]\norganization_number = \"991825827\"\norganization_name = \"Operator\"\n";
            TestServer::on(place, &[Trust::of(pki())], operator).await
        });
    }
    for server in tasks.join_all().await {
        assert_eq!(server.ask(&caller("es256").assertion()).await.status, 200);
    }
    assert_eq!(sql.number("select count(*) from signing_key").await, 1);
}

#[tokio::test]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n06_a_node_with_another_issuer_does_not_join() {
    let server = TestServer::start().await;
    let mut config = write_configuration(server.folder(), &[], "");
    config.issuer = "https://other.test/".to_owned();
    let build = async || {
        let store = server.other_store().await;
        App::build(&config, store, Arc::new(TestClock::new()), Arc::new(SystemRandom)).await
    };
    let refused = build().await.err().unwrap();
    assert!(refused.to_string().contains(ISSUER), "{refused}");
    server.app.finish().await;
    assert!(build().await.is_ok(), "the database is free");
}

#[tokio::test]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n06_a_database_that_orders_text_otherwise_is_refused() {
    let cluster = cluster().expect("PostgreSQL");
    let database =
        TestDatabase::create_in(&cluster, "template0 locale_provider icu icu_locale 'en'");
    let refused = Store::connect(&database.url()).await;
    assert!(
        matches!(&refused, Err(StoreError::Unsuitable(problem)) if problem.contains("code points")),
        "{refused:?}"
    );
}

#[tokio::test]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n06_a_server_that_forgets_is_refused_and_one_that_is_lazy_is_told_to_be_careful() {
    let own = tokio::task::spawn_blocking(super::cluster::Cluster::new).await.unwrap();
    run(&own.url(), "alter system set synchronous_commit = off");
    run(&own.url(), "select pg_reload_conf()");
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    Store::connect(&own.url()).await.unwrap();
    run(&own.url(), "alter system set fsync = off");
    run(&own.url(), "select pg_reload_conf()");
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let refused = Store::connect(&own.url()).await;
    assert!(
        matches!(&refused, Err(StoreError::Unsuitable(problem)) if problem.contains("fsync")),
        "{refused:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n06_whoever_waits_for_its_turn_sees_what_was_done_before_it_whatever_is_usual() {
    let database = TestDatabase::create().expect("PostgreSQL");
    let name = database.url().rsplit('/').next().unwrap().to_owned();
    let usual = format!("alter database {name} set default_transaction_isolation = serializable");
    run(&database.url(), &usual);
    let store = Store::connect(&database.url()).await.unwrap();
    store.migrate().await.unwrap();
    let mut tasks = JoinSet::new();
    for node in 0..4 {
        let mut log = store.replay_log();
        tasks.spawn(async move {
            for _ in 0..25 {
                log.append(&[[node; 32]], Timestamp::from_seconds(1)).await.unwrap();
            }
        });
    }
    tasks.join_all().await;
}
