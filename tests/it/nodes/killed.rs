//! N19 (R02): one of two nodes behind a load balancer is killed, and started again, one after the other, under load and
//! while things are changed.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::spawn_blocking;

use crate::harness::clock::tick;
use crate::harness::load::percentile_99;
use crate::harness::mark::{most, tolerance};
use crate::harness::place::Place;
use crate::nodes::balancer::Balancer;
use crate::nodes::cluster::Cluster;
use crate::nodes::failover::{registry, switch};
use crate::nodes::ledger::{Entry, Outcome, Switch};
use crate::nodes::process::Home;
use crate::nodes::rounds;
use crate::nodes::traffic::{Traffic, key_sets, replay};

/// How often a node is killed. It is even, so that what is switched off is on again in the end.
const KILLS: usize = 4;

/// The time before each kill that is compared with the time after it.
const CALM: Duration = Duration::from_secs(2);

/// How long after a kill requests may fail that were under way then.
const NOTICED: Duration = Duration::from_secs(1);

/// How many may, of a hundred in that time.
const FAILED_PERCENT_MAX: usize = 1;

/// How many times longer requests may take with one node. Below a few milliseconds it is the machine that is measured.
const SLOWER_MAX: u32 = 2;
const MEASURABLE: Duration = Duration::from_millis(10);

/// After which time a client that was switched off has no token at any node.
const HOLDS_MAX: Duration = Duration::from_secs(1);

/// Clients that ask all the time, and how long each pauses.
const CLIENTS: usize = 4;
const PAUSE: Duration = Duration::from_millis(1);

/// The client that is switched off and on, and what it is told while it is off.
const SWITCHED: &str = "eddsa";
const UNKNOWN: &str = "MP-100";

/// What was asked between two moments.
fn between(entries: &[Entry], from: Instant, to: Instant) -> Vec<&Entry> {
    entries.iter().filter(|it| it.answered >= from && it.answered < to).collect()
}

/// The time that nearly all of these took that have a token.
fn late(entries: &[&Entry]) -> Duration {
    let issued = entries.iter().filter(|it| it.outcome.is_token());
    percentile_99(&issued.map(|it| it.took()).collect::<Vec<_>>())
}

/// A kill, and the time over which the other node was alone.
struct Kill {
    at: Instant,
    alone_until: Instant,
}

impl Kill {
    /// Holds that of those requests that failed only a few are of its own second, and the others took no longer. Returns
    /// how many.
    fn check(&self, entries: &[Entry], failed: &HashSet<&str>) -> usize {
        let within = between(entries, self.at, self.at + NOTICED);
        let hit = within.iter().filter(|it| failed.contains(it.jti.as_str())).count();
        let before = late(&between(entries, self.at.checked_sub(CALM).unwrap(), self.at));
        let alone = late(&between(entries, self.at, self.alone_until));
        println!(
            "{hit} of {} failed in the second of the kill (at most {FAILED_PERCENT_MAX} %); p99 {alone:?} with one node, \
             {before:?} before (at most {SLOWER_MAX} times)",
            within.len(),
        );
        let hit_max = within.len() * FAILED_PERCENT_MAX * usize::try_from(tolerance()).unwrap();
        assert!(hit * 100 <= hit_max, "{hit}");
        assert!(alone <= most(before.max(MEASURABLE) * SLOWER_MAX), "{alone:?}, {before:?} before");
        hit
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n19_when_a_node_is_killed_only_the_requests_that_it_had_are_lost() {
    let cluster = spawn_blocking(Cluster::in_memory).await.unwrap();
    let place = Place::on(cluster.database()).await;
    let home = |name| Home::new(place.folder.path(), name, Some(cluster.url()), "");
    let homes = [home("a"), home("b")];
    let mut nodes = vec![homes[0].start().await.0, homes[1].start().await.0];
    let balancer = Balancer::start(&homes).await;
    let traffic = Traffic::start(&[balancer.address], CLIENTS, PAUSE);
    let changes = registry(&cluster.url()).await;
    let mut kills = Vec::new();
    for turn in 0..rounds(KILLS) {
        tokio::time::sleep(CALM).await;
        let (began, client, works) = (tick(), SWITCHED.to_owned(), turn % 2 == 1);
        switch(&changes, SWITCHED, works).await;
        traffic.ledger.add_switch(Switch { client, began, acknowledged: tick(), works });
        let (which, at) = (turn % homes.len(), tick());
        nodes.remove(which).kill();
        tokio::time::sleep(CALM).await;
        kills.push(Kill { at, alone_until: tick() });
        nodes.insert(which, homes[which].start().await.0);
    }
    tokio::time::sleep(CALM).await;
    let ledger = Arc::clone(&traffic.ledger);
    let sent = traffic.stop().await;

    let entries = ledger.entries();
    let has_failed = |it: &&Entry| match it.outcome {
        Outcome::Token(_) => false,
        Outcome::Refused { ref code, .. } if code == UNKNOWN => it.client != SWITCHED,
        _ => true,
    };
    let failures: Vec<_> = entries.iter().filter(has_failed).collect();
    let failed: HashSet<_> = failures.iter().map(|it| it.jti.as_str()).collect();
    let of_kills: usize = kills.iter().map(|kill| kill.check(&entries, &failed)).sum();
    println!(
        "{} requests, of which {} failed at other times (at most 0)",
        entries.len(),
        failed.len() - of_kills
    );
    assert_eq!(failed.len(), of_kills, "{failures:?}");

    // What a node had taken when it was killed is worth one token at most.
    let addresses = homes.each_ref().map(|home| home.token);
    let again: Vec<_> = sent.into_iter().filter(|(jti, _)| failed.contains(jti.as_str())).collect();
    replay(&addresses, &ledger, &again).await;
    assert_eq!(ledger.faults(), Vec::<String>::new());
    assert_eq!(ledger.unverified(&key_sets(&addresses).await), 0);
    let (used, asked) = ledger.used_after(HOLDS_MAX);
    println!("I3: {used} of {asked} requests of a client that was off had a token (at most 0)");
    assert!(used == 0 && asked > 0, "{used} of {asked}");
}
