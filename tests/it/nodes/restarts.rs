//! N10 (R05, R06): the database is restarted again and again, with force and politely, while tokens are fetched and things
//! are changed.

use std::sync::Arc;
use std::time::Duration;

use portvakt::domain::client::ClientStatus;
use tokio::task::spawn_blocking;

use crate::harness::clock::tick;
use crate::harness::mark::{comes_true, most};
use crate::harness::place::Place;
use crate::harness::server::actor;
use crate::nodes::cluster::Cluster;
use crate::nodes::failover::registry;
use crate::nodes::ledger::{Switch, WELL_TIME};
use crate::nodes::process::Home;
use crate::nodes::rounds;
use crate::nodes::traffic::{Traffic, key_sets};

/// Restarts of each kind.
const ROUNDS: usize = 1;

/// How soon nearly all works again.
const RECOVERY_MAX: Duration = Duration::from_secs(3);

/// After which time a client that was switched off has no token at any node.
const HOLDS_MAX: Duration = Duration::from_secs(5);

/// By how much a node may grow, in KiB, and how many descriptors more it may have in the end.
const GROWTH_KIB_MAX: u64 = 64 * 1024;
const DESCRIPTORS_MORE_MAX: usize = 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n10_restarts_of_the_database_lose_nothing_that_was_acknowledged() {
    let cluster = Arc::new(spawn_blocking(Cluster::new).await.unwrap());
    let place = Place::on(cluster.database()).await;
    let home = |name| Home::new(place.folder.path(), name, Some(cluster.url()), "");
    let homes = [home("a"), home("b")];
    let nodes = [homes[0].start().await.0, homes[1].start().await.0];
    let addresses: Vec<_> = homes.iter().map(|home| home.token).collect();
    let traffic = Traffic::start(&addresses, 8, Duration::from_millis(20));
    tokio::time::sleep(Duration::from_secs(1)).await;
    let before: Vec<_> =
        nodes.iter().map(|node| (node.resident_kib(), node.descriptors())).collect();
    let changes = registry(&cluster.url()).await;
    let mut recoveries = Vec::new();
    for round in 0..rounds(ROUNDS) * 2 {
        let works = round % 2 == 1;
        let began = tick();
        let status = if works { ClientStatus::Active } else { ClientStatus::Deactivated };
        // One whose connections have died may need a second try; only what was acknowledged counts.
        let client = "eddsa".parse().unwrap();
        while changes.set_client_status(&actor(), &client, status, None).await.is_err() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let client = "eddsa".to_owned();
        traffic.ledger.add_switch(Switch { client, began, acknowledged: tick(), works });
        let its = Arc::clone(&cluster);
        spawn_blocking(move || {
            if works {
                its.stop();
            } else {
                its.kill();
            }
            its.start();
        })
        .await
        .unwrap();
        let back = tick();
        let well = || traffic.ledger.well_of("es256", back);
        comes_true(RECOVERY_MAX + WELL_TIME, || well().is_some()).await;
        recoveries.push((works, well()));
    }
    let ledger = Arc::clone(&traffic.ledger);
    let key_sets = key_sets(&addresses).await;
    traffic.stop().await;
    let (unverified, used) = (ledger.unverified(&key_sets), ledger.used_after(HOLDS_MAX));
    println!(
        "{:?}; I1, I4: {:?}; I2: {unverified} (at most 0); I3: {used} (at most 0); I5 (polite, time): {recoveries:?} (at \
         most {RECOVERY_MAX:?})",
        ledger.counts(),
        ledger.faults(),
    );
    assert_eq!(ledger.faults(), Vec::<String>::new());
    assert_eq!((unverified, used), (0, 0));
    let slow =
        recoveries.iter().find(|(_, time)| time.is_none_or(|time| time > most(RECOVERY_MAX)));
    assert!(slow.is_none(), "{slow:?}");
    for (node, (resident, descriptors)) in nodes.iter().zip(before) {
        let (grown, more) = (node.resident_kib().saturating_sub(resident), node.descriptors());
        println!(
            "I6: {grown} KiB more (at most {GROWTH_KIB_MAX}), {descriptors} descriptors before and {more} after"
        );
        assert!(grown <= GROWTH_KIB_MAX && more <= descriptors + DESCRIPTORS_MORE_MAX);
    }
}
