//! N04 (R04): every process of the database is killed while tokens are fetched and things are changed, and it is started
//! again.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::spawn_blocking;

use crate::harness::chain::Trust;
use crate::harness::clock::tick;
use crate::harness::load::percentile_99;
use crate::harness::mark::{comes_true, most};
use crate::harness::place::Place;
use crate::harness::server::{TestServer, pki};
use crate::nodes::cluster::Cluster;
use crate::nodes::failover::{registry, switch};
use crate::nodes::ledger::{Entry, Switch, WELL_TIME};
use crate::nodes::traffic::{Traffic, key_sets, lost_registrations, replay};

/// How long the database is gone.
const GONE: Duration = Duration::from_secs(5);

/// How long anybody waits to be told that it is.
const REFUSAL_MAX: Duration = Duration::from_secs(1);

/// How soon tokens are issued when it is back.
const RECOVERY_MAX: Duration = Duration::from_secs(3);

/// After which time a client that was switched off has no token at any node.
const HOLDS_MAX: Duration = Duration::from_secs(1);

/// The client that is switched off, and on again.
const SWITCHED: &str = "eddsa";

/// What was sent by clients that are not switched.
fn of_others(mut sent: Vec<(String, String)>, entries: &[Entry]) -> Vec<(String, String)> {
    let own: HashSet<_> =
        entries.iter().filter(|it| it.client == SWITCHED).map(|it| it.jti.as_str()).collect();
    sent.retain(|(jti, _)| !own.contains(jti.as_str()));
    sent
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n04_while_the_database_is_gone_nobody_has_a_token_and_afterwards_nobody_has_two() {
    let cluster = Arc::new(spawn_blocking(Cluster::new).await.unwrap());
    let place = Place::on(cluster.database()).await;
    let first = TestServer::on(place, &[Trust::of(pki())], "").await;
    let second = first.beside().await;
    let nodes = [first, second];
    let addresses = nodes.each_ref().map(|node| node.address);
    for (round, works) in [(0, false), (1, true)] {
        let traffic = Traffic::steady_inside(&addresses, registry(&cluster.url()).await);
        tokio::time::sleep(Duration::from_millis(700 + 130 * round)).await;
        // What was acknowledged just before is not lost.
        let began = tick();
        switch(&nodes[0].app.registry, SWITCHED, works).await;
        let client = SWITCHED.to_owned();
        traffic.ledger.add_switch(Switch { client, began, acknowledged: tick(), works });
        let its = Arc::clone(&cluster);
        spawn_blocking(move || its.crash()).await.unwrap();
        let gone = tick();
        tokio::time::sleep(GONE).await;
        let (its, back_soon) = (Arc::clone(&cluster), tick());
        spawn_blocking(move || its.start()).await.unwrap();
        let back = tick();
        let ledger = Arc::clone(&traffic.ledger);
        comes_true(RECOVERY_MAX + WELL_TIME, || ledger.well_without(SWITCHED, back).is_some())
            .await;
        let sent = traffic.stop().await;

        let entries = ledger.entries();
        // So early that whoever had waited for it to be back has waited too long.
        let early = |it: &&Entry| it.sent > gone && it.sent + REFUSAL_MAX < back_soon;
        let during = entries.iter().filter(early);
        let during = during.filter(|it| it.client != SWITCHED);
        let during: Vec<_> = during.collect();
        let times: Vec<_> = during.iter().map(|it| it.took()).collect();
        let first = ledger.first_token_after(gone).map(|first| first - back);
        let well = ledger.well_without(SWITCHED, back);
        let (used, asked) = ledger.used_after(HOLDS_MAX);
        let sql = nodes[0].sql().await;
        let lost = lost_registrations(&ledger, &sql).await;
        sql.close().await;
        let fetched = ledger.key_sets();
        println!(
            "{} assertions, {} while it was gone, p99 {:?}; a token {first:?} after it was back, I5 {well:?} (at most \
             {RECOVERY_MAX:?}); I3: {used} of {asked}, lost {} of {} (at most 0); key sets that could not be fetched: {} of {} \
             (at most 0)",
            sent.len(),
            times.len(),
            percentile_99(&times),
            lost.len(),
            ledger.registered().len(),
            fetched.failed,
            fetched.fetched + fetched.failed,
        );
        assert_eq!((lost, fetched.failed), (Vec::new(), 0));
        assert!(!ledger.registered().is_empty() && fetched.fetched > 10, "nothing else went on");
        let other = during.iter().find(|it| !it.outcome.is_unavailable());
        assert!(other.is_none(), "{other:?}");
        assert!(percentile_99(&times) <= most(REFUSAL_MAX), "{:?}", percentile_99(&times));
        assert!(first.is_some_and(|it| it <= most(RECOVERY_MAX)), "{first:?}");
        assert!(well.is_some_and(|it| it <= most(RECOVERY_MAX)), "{well:?}");
        assert!(entries.iter().filter(|it| it.outcome.is_token()).count() > 20, "it has worked");
        assert!(used == 0 && (works || asked > 0), "I3: {used} of {asked}");
        // One who is off is refused before that matters.
        let all = if works { sent } else { of_others(sent, &entries) };
        replay(&addresses, &ledger, &all).await;
        assert_eq!(ledger.faults(), Vec::<String>::new());
        assert_eq!(ledger.unverified(&key_sets(&addresses).await), 0);
    }
}
