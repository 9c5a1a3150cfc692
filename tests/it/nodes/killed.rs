//! N19 (R02): one of two nodes behind a load balancer is killed, and started again, one after the other, under load and
//! while things are changed.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use portvakt::registry::Registry;
use tokio::task::spawn_blocking;

use crate::harness::clock::tick;
use crate::harness::load::percentile_99;
use crate::harness::mark::{most_of, tolerance};
use crate::harness::place::Place;
use crate::nodes::balancer::Balancer;
use crate::nodes::cluster::Cluster;
use crate::nodes::failover::{registry, switch};
use crate::nodes::ledger::{Entry, Ledger, Outcome, Switch};
use crate::nodes::process::{Home, Node};
use crate::nodes::rounds;
use crate::nodes::traffic::{Traffic, key_sets, replay};

/// How often a node is killed; an even number, so that what is switched off is on again in the end.
const KILLS: usize = 4;

/// The time before each kill that is compared with the time after it.
const CALM: Duration = Duration::from_secs(2);

/// How long after a kill requests may fail that were under way then, and how many of a hundred in that time.
const NOTICED: Duration = Duration::from_secs(1);
const FAILED_PERCENT_MAX: usize = 1;

/// How many times longer requests may take with one node.
const SLOWER_MAX: f64 = 2.0;

/// After which time a client that was switched off has no token at any node.
const HOLDS_MAX: Duration = Duration::from_secs(1);

/// Clients that ask all the time, and how long each pauses.
const CLIENTS: usize = 4;
const PAUSE: Duration = Duration::from_millis(1);

/// The client that is switched off and on, and what it is told while it is off.
const SWITCHED: &str = "eddsa";
const UNKNOWN: &str = "MP-100";

/// Two nodes behind a balancer, and who changes things.
struct Pair {
    homes: [Home; 2],
    nodes: [Option<Node>; 2],
    balancer: Balancer,
    changes: Registry,
}

/// What was asked between two moments.
fn between(entries: &[Entry], from: Instant, to: Instant) -> Vec<&Entry> {
    entries.iter().filter(|it| it.answered >= from && it.answered < to).collect()
}

/// The time that nearly all of these took that have a token.
fn late(entries: &[&Entry]) -> Duration {
    let issued = entries.iter().filter(|it| it.outcome.is_token());
    percentile_99(&issued.map(|it| it.took()).collect::<Vec<_>>())
}

/// Whether it is what becomes of a request of the client that is switched, as long as that is off.
fn is_off(entry: &Entry, switch: &Switch) -> bool {
    let refused = matches!(&entry.outcome, Outcome::Refused { code, .. } if code == UNKNOWN);
    let expected = if switch.works {
        entry.sent <= switch.acknowledged + HOLDS_MAX
    } else {
        entry.answered >= switch.began
    };
    refused && expected && entry.client == switch.client
}

impl Pair {
    async fn start(place: &Place, url: &str) -> Self {
        let home = |name| Home::new(place.folder.path(), name, Some(url.to_owned()), "");
        let homes = [home("a"), home("b")];
        let nodes = [Some(homes[0].start().await.0), Some(homes[1].start().await.0)];
        let balancer = Balancer::start(&homes).await;
        Self { homes, nodes, balancer, changes: registry(url).await }
    }

    /// Kills one of them under load, just after the client has been switched, and starts it again.
    async fn kill(&mut self, which: usize, works: bool) {
        // Anew, so that the clients are spread over both.
        let traffic = Traffic::start(&[self.balancer.address], CLIENTS, PAUSE);
        let ledger = Arc::clone(&traffic.ledger);
        tokio::time::sleep(CALM).await;
        let (began, client) = (tick(), SWITCHED.to_owned());
        switch(&self.changes, SWITCHED, works).await;
        let switched = Switch { client, began, acknowledged: tick(), works };
        ledger.add_switch(switched.clone());
        let killed = tick();
        self.nodes[which].take().unwrap().kill();
        tokio::time::sleep(CALM).await;
        let alone_until = tick();
        self.nodes[which] = Some(self.homes[which].start().await.0);
        let sent = traffic.stop().await;
        let turn = Turn { ledger, sent, switched, killed, alone_until };
        turn.check(&self.homes.each_ref().map(|home| home.token)).await;
    }
}

/// What there was in one turn.
struct Turn {
    ledger: Arc<Ledger>,
    sent: Vec<(String, String)>,
    switched: Switch,
    killed: Instant,
    alone_until: Instant,
}

impl Turn {
    /// Holds what has to hold of it, and says so.
    async fn check(self, nodes: &[SocketAddr]) {
        let (entries, works) = (self.ledger.entries(), self.switched.works);
        let has_failed = |it: &&Entry| !it.outcome.is_token() && !is_off(it, &self.switched);
        let failures: Vec<_> = entries.iter().filter(has_failed).collect();
        let within = between(&entries, self.killed, self.killed + NOTICED);
        let hit = within.iter().filter(|it| has_failed(it)).count();
        let calm_since = self.switched.began.checked_sub(CALM).unwrap();
        let before = late(&between(&entries, calm_since, self.switched.began));
        let alone = late(&between(&entries, self.killed, self.alone_until));
        let unverified = self.ledger.unverified(&key_sets(nodes).await);
        let (used, asked) = self.ledger.used_after(HOLDS_MAX);
        println!(
            "{hit} of {} failed in the second of the kill (at most {FAILED_PERCENT_MAX} %), {} of {} at other times (at most \
             0); p99 {alone:?} with one node, {before:?} before (at most {SLOWER_MAX} times); I2: {unverified}, I3: {used} of \
             {asked} (at most 0)",
            within.len(),
            failures.len() - hit,
            entries.len() - within.len(),
        );
        let hit_max = within.len() * FAILED_PERCENT_MAX * usize::try_from(tolerance()).unwrap();
        assert!(hit * 100 <= hit_max, "{hit}");
        assert_eq!(failures.len(), hit, "{failures:?}");
        assert!(alone <= most_of(before, SLOWER_MAX), "{alone:?}, {before:?} before");
        assert_eq!((unverified, used), (0, 0));
        assert!(works || asked > 0, "nobody who is off has asked");

        // What the node had taken is worth one token at most. One who is off is refused before that matters.
        let lost = failures.iter().filter(|it| works || it.client != SWITCHED);
        let lost: HashSet<_> = lost.map(|it| it.jti.as_str()).collect();
        let mut again = self.sent;
        again.retain(|(jti, _)| lost.contains(jti.as_str()));
        replay(nodes, &self.ledger, &again).await;
        assert_eq!(self.ledger.faults(), Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n19_when_a_node_is_killed_only_the_requests_that_it_had_are_lost() {
    let cluster = spawn_blocking(Cluster::in_memory).await.unwrap();
    let place = Place::on(cluster.database()).await;
    let mut pair = Pair::start(&place, &cluster.url()).await;
    for turn in 0..rounds(KILLS) {
        pair.kill(turn % 2, turn % 2 == 1).await;
    }
}
