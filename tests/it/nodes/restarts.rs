//! N10 (R05, R06): the database is restarted again and again, at any moment, with force and politely, while tokens are fetched
//! and things are changed.

use std::sync::Arc;
use std::time::Duration;

use portvakt::clock::{Random as _, SystemRandom};
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
use crate::nodes::traffic::{Traffic, key_sets, lost_registrations};

/// Restarts of each kind.
const ROUNDS: usize = 1;

/// How soon nearly all works again after it has been killed, and after it has said that it stops.
const KILLED_RECOVERY_MAX: Duration = Duration::from_secs(3);
const POLITE_RECOVERY_MAX: Duration = Duration::from_secs(2);

/// Sessions that two nodes and who makes the changes may have with the database, then as ever: each has sixteen at most.
const SESSIONS_MAX: i64 = 48;

/// The client that is switched off and on.
const SWITCHED: &str = "eddsa";

/// After which time a client that was switched off has no token at any node.
const HOLDS_MAX: Duration = Duration::from_secs(1);

/// By how much a node may grow, in KiB, and how many descriptors more it may have in the end.
const GROWTH_KIB_MAX: u64 = 64 * 1024;
const DESCRIPTORS_MORE_MAX: usize = 10;

/// Up to a quarter of a second.
fn any_time() -> Duration {
    let mut milliseconds = [0];
    SystemRandom.fill(&mut milliseconds);
    Duration::from_millis(milliseconds[0].into())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n10_restarts_of_the_database_lose_nothing_that_was_acknowledged() {
    let cluster = Arc::new(spawn_blocking(Cluster::new).await.unwrap());
    let place = Place::on(cluster.database()).await;
    let home = |name| Home::new(place.folder.path(), name, Some(cluster.url()), "");
    let homes = [home("a"), home("b")];
    let nodes = [homes[0].start().await.0, homes[1].start().await.0];
    let addresses: Vec<_> = homes.iter().map(|home| home.token).collect();
    let changes = registry(&cluster.url()).await;
    let traffic = Traffic::steady(&addresses, changes.clone());
    tokio::time::sleep(Duration::from_secs(1)).await;
    let before: Vec<_> =
        nodes.iter().map(|node| (node.resident_kib(), node.descriptors())).collect();
    let (mut backs, mut sessions) = (Vec::new(), Vec::new());
    for round in 0..rounds(ROUNDS) * 2 {
        tokio::time::sleep(any_time()).await;
        let works = round % 2 == 1;
        let began = tick();
        let status = if works { ClientStatus::Active } else { ClientStatus::Deactivated };
        // One whose connections have died may need a second try; only what was acknowledged counts.
        let client = SWITCHED.parse().unwrap();
        while changes.set_client_status(&actor(), &client, status, None).await.is_err() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let client = SWITCHED.to_owned();
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
        let well = || traffic.ledger.well_without(SWITCHED, back);
        comes_true(KILLED_RECOVERY_MAX + WELL_TIME, || well().is_some()).await;
        backs.push((works, back));
        let sql = place.sql().await;
        let kept =
            format!("select count(*) from client where id = '{SWITCHED}' and active = {works}");
        assert_eq!(sql.number(&kept).await, 1, "what was acknowledged is lost");
        let all = "select count(*) from pg_stat_activity where application_name = 'portvakt'";
        sessions.push(sql.number(all).await);
        sql.close().await;
    }
    let ledger = Arc::clone(&traffic.ledger);
    let key_sets = key_sets(&addresses).await;
    traffic.stop().await;
    // Now that everybody has been answered.
    let recovery = |(polite, back)| (polite, ledger.well_without(SWITCHED, back));
    let recoveries: Vec<_> = backs.into_iter().map(recovery).collect();
    let unverified = ledger.unverified(&key_sets);
    let (used, asked) = ledger.used_after(HOLDS_MAX);
    let sql = place.sql().await;
    let lost = lost_registrations(&ledger, &sql).await;
    sql.close().await;
    let (registered, fetched) = (ledger.registered().len(), ledger.key_sets());
    println!(
        "{:?}; I1, I4: {:?}; I2: {unverified} (at most 0), key sets that could not be fetched: {} of {} (at most 0); I3: {used} \
         of {asked}, lost {} of {registered} (at most 0); I5 (polite, time): {recoveries:?} (at most {KILLED_RECOVERY_MAX:?}, \
         {POLITE_RECOVERY_MAX:?} if polite); sessions: {sessions:?} (at most {SESSIONS_MAX})",
        ledger.counts(),
        ledger.faults(),
        fetched.failed,
        fetched.fetched + fetched.failed,
        lost.len(),
    );
    assert_eq!(ledger.faults(), Vec::<String>::new());
    assert_eq!((unverified, used, fetched.failed), (0, 0, 0));
    assert_eq!(lost, Vec::<String>::new());
    assert!(registered > 2 && fetched.fetched > 10, "{registered}, {}", fetched.fetched);
    assert!(asked > 0, "nobody who is off has asked");
    let slow = recoveries.iter().find(|(polite, time)| {
        let mark = if *polite { POLITE_RECOVERY_MAX } else { KILLED_RECOVERY_MAX };
        time.is_none_or(|time| time > most(mark))
    });
    assert!(sessions.iter().all(|it| *it <= SESSIONS_MAX), "{sessions:?}");
    assert!(slow.is_none(), "{slow:?}");
    for (node, (resident, descriptors)) in nodes.iter().zip(before) {
        let (grown, more) = (node.resident_kib().saturating_sub(resident), node.descriptors());
        println!(
            "I6: {grown} KiB more (at most {GROWTH_KIB_MAX}), {descriptors} descriptors before and {more} after"
        );
        assert!(grown <= GROWTH_KIB_MAX && more <= descriptors + DESCRIPTORS_MORE_MAX);
    }
}
