//! N21 (R43): somebody changes accesses again and again, in batches, and tokens are fetched all the while, where that is done
//! and at another node.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;

use crate::admin::own::API;
use crate::admin::own::batches::numbers;
use crate::harness::admin::AdminServer;
use crate::harness::clock::tick;
use crate::harness::load::percentile_99;
use crate::harness::mark::{comes_true, enough, most};
use crate::harness::{CONSUMER, PROVIDER};
use crate::nodes::ledger::{Entry, Ledger};
use crate::nodes::rounds;
use crate::nodes::traffic::{Traffic, key_sets};

/// How long it is calm first, and how long the flood lasts.
const CALM: Duration = Duration::from_secs(2);
const FLOOD_SECONDS: usize = 4;

/// Changes a second, which so many callers make in batches of so many, each with so long from one to the next.
const CHANGES_A_SECOND: usize = 500;
const CALLERS: usize = 5;
const BATCH: usize = 20;
const BETWEEN_BATCHES: Duration = Duration::from_millis(200);

/// Clients that fetch tokens, and how long each pauses.
const CLIENTS: usize = 4;
const PAUSE: Duration = Duration::from_millis(20);

/// How many times longer tokens may take. Below a few milliseconds it is the machine that is measured.
const SLOWER_MAX: u32 = 2;
const MEASURABLE: Duration = Duration::from_millis(10);

/// How soon the other node has the last of the changes.
const HOLDS_MAX: Duration = Duration::from_secs(1);

/// Stops the traffic, holds that every request had its token, and says how long nearly all took.
async fn stop(traffic: Traffic, key_set: &serde_json::Value) -> Duration {
    let ledger: Arc<Ledger> = Arc::clone(&traffic.ledger);
    traffic.stop().await;
    let entries = ledger.entries();
    let refused = entries.iter().find(|it| !it.outcome.is_token());
    assert!(refused.is_none(), "{refused:?}");
    assert_eq!(ledger.faults(), Vec::<String>::new());
    assert_eq!(ledger.unverified(std::slice::from_ref(key_set)), 0);
    percentile_99(&entries.iter().map(Entry::took).collect::<Vec<_>>())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n21_a_flood_of_changes_slows_no_token_down_and_is_followed() {
    let admin = Arc::new(AdminServer::start().await);
    let other = admin.server.beside().await;
    let token = Arc::new(admin.token(PROVIDER, "idporten:scopes.write").await);
    let addresses = [admin.server.address, other.address];
    let key_set = key_sets(&addresses[..1]).await.remove(0);
    let traffic = Traffic::inside(&addresses, CLIENTS, PAUSE);
    tokio::time::sleep(CALM).await;
    let before = stop(traffic, &key_set).await;

    let traffic = Traffic::inside(&addresses, CLIENTS, PAUSE);
    let seconds = rounds(FLOOD_SECONDS);
    let until = tick() + Duration::from_secs(seconds.try_into().unwrap());
    let mut flood = JoinSet::new();
    for caller in 0..CALLERS {
        let (admin, token) = (Arc::clone(&admin), Arc::clone(&token));
        // The access of those who fetch tokens is among them.
        let others = numbers(BATCH * CALLERS).into_iter().skip(caller * BATCH).take(BATCH - 1);
        let consumers: Vec<_> = others.chain([CONSUMER.to_owned()]).collect();
        flood.spawn(async move {
            let line = format!("POST {API}/scopes/test%3Aread/accesses/batch");
            let mut pace = tokio::time::interval(BETWEEN_BATCHES);
            let mut made = 0;
            while tick() < until {
                pace.tick().await;
                let grants = consumers.iter().map(
                    |consumer| json!({ "consumer": consumer, "note": format!("{caller} {made}") }),
                );
                let body = json!({ "grant": grants.collect::<Vec<_>>() });
                let reply = admin.call(Some(&token), &line, body).await;
                let done = reply.text().matches("\"done\"").count();
                assert_eq!((reply.status, done), (200, BATCH), "{}", reply.text());
                made += done;
            }
            made
        });
    }
    let made: usize = flood.join_all().await.into_iter().sum();
    let (ended, last) = (tick(), admin.server.app.issuer.feed.applied());
    let holds = comes_true(HOLDS_MAX, || other.app.issuer.feed.applied() >= last).await;
    let held = ended.elapsed();
    let during = stop(traffic, &key_set).await;
    println!(
        "{made} changes, {} a second (as many as {CHANGES_A_SECOND}): p99 of tokens {during:?}, {before:?} before (at most {SLOWER_MAX} times); the other node \
         had the last {held:?} after it was made (at most {HOLDS_MAX:?})",
        made / seconds,
    );
    assert!(enough(made, seconds * CHANGES_A_SECOND), "{made} are no flood");
    assert!(holds, "the other node has not followed");
    assert!(during <= most(before.max(MEASURABLE) * SLOWER_MAX), "{during:?}, {before:?} before");
}
