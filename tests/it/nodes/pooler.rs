//! N17 (R13): a pooler stands between a node and the database. Through one that hands a session from client to client
//! after each transaction, nobody would hear of changes, and settings and statements would be somebody else's: a node
//! does not start through it, and says why.

use std::sync::Arc;

use portvakt::store::{Store, StoreError};
use tokio::task::spawn_blocking;

use crate::harness::postgres::run;
use crate::harness::server::fill;
use crate::harness::sql::Sql;
use crate::nodes::cluster::Cluster;

/// What each session sets, set for everybody, as an operator may do for whom the pooler has told that it cannot.
const SET_FOR_ALL: &str = "alter role postgres set statement_timeout = '5s'; \
                           alter role postgres set lock_timeout = '5s'; \
                           alter role postgres set idle_in_transaction_session_timeout = '5s'";

/// A pooler so told takes the settings that our sessions have, which it otherwise refuses, and forgets them.
const DROPS: &str = "ignore_startup_parameters = extra_float_digits,options";

/// Starts behind the pooler, as often as this.
const STARTS: usize = 5;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL and pgbouncer: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n17_a_node_does_not_start_behind_a_pooler_that_shares_sessions() {
    let cluster = Arc::new(spawn_blocking(Cluster::in_memory).await.unwrap());
    let store = Store::connect(&cluster.url()).await.unwrap();
    fill(&store, Sql::connect(&cluster.url()).await).await;
    for (settings, what) in [
        ("", "it takes no settings"),
        (DROPS, "it drops settings"),
        (DROPS, "its settings hold for all"),
    ] {
        if what.contains("for all") {
            run(&cluster.url(), SET_FOR_ALL);
        }
        let its = Arc::clone(&cluster);
        let url = spawn_blocking(move || its.pooler("transaction", settings)).await.unwrap();
        for start in 0..STARTS {
            let refused = Store::connect(&url).await;
            let told = match &refused {
                Err(error @ StoreError::Unsuitable(_)) => error.to_string(),
                _ => panic!("{what}, start {start}: {refused:?}"),
            };
            assert!(told.contains("pgbouncer") && told.contains("connect past it"), "{told}");
        }
        // The same database, without the pooler.
        let store = Store::connect(&cluster.url()).await.unwrap();
        assert_eq!(store.pending_migrations().await.unwrap(), []);
        store.close().await;
    }
}
