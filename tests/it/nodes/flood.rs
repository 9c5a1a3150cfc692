//! N21 (R43): somebody changes accesses again and again, in batches, and tokens are fetched all the while, where that is done
//! and at another node.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::admin::own::API;
use crate::admin::own::batches::{numbers, outcomes};
use crate::harness::admin::AdminServer;
use crate::harness::clock::tick;
use crate::harness::load::percentile_99;
use crate::harness::mark::{comes_true, enough, hardly_any, most_of};
use crate::harness::{CONSUMER, PROVIDER};
use crate::nodes::ledger::Entry;
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

/// How many times longer tokens may take.
const SLOWER_MAX: f64 = 2.0;

/// How soon the other node has the last of the changes.
const HOLDS_MAX: Duration = Duration::from_secs(1);

/// Stops the traffic, holds that the requests had their tokens, and says how long nearly all took.
async fn stop(traffic: Traffic, key_sets: &[Value]) -> Duration {
    let ledger = Arc::clone(&traffic.ledger);
    traffic.stop().await;
    let (issued, refused): (Vec<_>, Vec<_>) =
        ledger.entries().into_iter().partition(|it| it.outcome.is_token());
    let is_away = refused.iter().all(|it| it.outcome.is_unavailable());
    assert!(is_away && hardly_any(refused.len(), issued.len()), "{refused:?}");
    assert_eq!(ledger.faults(), Vec::<String>::new());
    assert_eq!(ledger.unverified(key_sets), 0);
    percentile_99(&issued.iter().map(Entry::took).collect::<Vec<_>>())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n21_a_flood_of_changes_slows_no_token_down_and_is_followed() {
    let admin = Arc::new(AdminServer::start().await);
    let other = admin.server.beside().await;
    let token = Arc::new(admin.token(PROVIDER, "idporten:scopes.write").await);
    let addresses = [admin.server.address, other.address];
    let key_sets = key_sets(&addresses).await;
    let traffic = Traffic::inside(&addresses, CLIENTS, PAUSE);
    tokio::time::sleep(CALM).await;
    let before = stop(traffic, &key_sets).await;

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
                assert!(outcomes(&reply).iter().all(|(_, outcome)| outcome == "done"));
                made += BATCH;
            }
            made
        });
    }
    let made: usize = flood.join_all().await.into_iter().sum();
    let (ended, last) = (tick(), admin.server.app.issuer.feed.applied());
    let holds = comes_true(HOLDS_MAX, || other.app.issuer.feed.applied() >= last).await;
    let held = ended.elapsed();
    let during = stop(traffic, &key_sets).await;
    println!(
        "{made} changes, {} a second (at least {CHANGES_A_SECOND}): p99 of tokens {during:?}, {before:?} before (at most \
         {SLOWER_MAX} times); the other node had the last {held:?} after it was made (at most {HOLDS_MAX:?})",
        made / seconds,
    );
    assert!(enough(made, seconds * CHANGES_A_SECOND), "{made} are no flood");
    assert!(holds, "the other node has not followed");
    assert!(during <= most_of(before, SLOWER_MAX), "{during:?}, {before:?} before");
}
