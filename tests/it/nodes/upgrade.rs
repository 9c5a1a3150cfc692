//! N18 (R33): a cluster of an older version is upgraded to this one and brought back, node by node, under load. No request
//! fails, the older version runs on the newer tables, and changes of either version hold on both.
//!
//! `tests/upgrade REVISION` builds the older version. Where nobody names one it is this version that follows itself, onto
//! tables that a later version has added to, which is half of the story and no older code.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use portvakt::domain::record::Expected;
use portvakt::registry::AccessTerms;
use portvakt::store::Store;
use tempfile::TempDir;
use tokio::task::spawn_blocking;

use crate::harness::CONSUMER;
use crate::harness::caller::Caller;
use crate::harness::chain::Trust;
use crate::harness::clock::tick;
use crate::harness::http::{exchange, form, post};
use crate::harness::load::percentile_99;
use crate::harness::mark::most;
use crate::harness::place::Place;
use crate::harness::postgres::{TestDatabase, run};
use crate::harness::server::{TestServer, actor, caller, fill, pki};
use crate::harness::sql::Sql;
use crate::nodes::balancer::Balancer;
use crate::nodes::cluster::Cluster;
use crate::nodes::ledger::Entry;
use crate::nodes::process::{Home, Node, fresh};
use crate::nodes::traffic::{Traffic, key_sets};

/// How long a node goes on when it is told to stop: longer than the balancer needs to notice.
const DRAIN: &str = "drain_seconds = 1";

/// Until the balancer has noticed.
const NOTICED: Duration = Duration::from_millis(800);

/// Clients that ask all the time, and their pause.
const CLIENTS: usize = 4;
const PAUSE: Duration = Duration::from_millis(5);

/// How long a migration may keep others from what they do.
const LOCKED_MAX: Duration = Duration::from_secs(1);

/// How soon a change of one version holds on nodes of the other.
const HOLDS_MAX: Duration = Duration::from_secs(2);

/// What is in the tables of a test server, in an order in which it can be put in.
const TABLES: [&str; 12] = [
    "organization",
    "email_domain",
    "prefix",
    "scope",
    "client",
    "client_scope",
    "client_key",
    "access",
    "delegation",
    "signing_key",
    "change",
    "audit",
];

/// What a version after this one adds, as such a migration may.
const LATER: &str = "alter table client add column later text not null default 'x'; \
                     create table later (key text not null, constraint later_pk primary key (key)); \
                     insert into _sqlx_migrations (version, description, success, checksum, execution_time) \
                     values (99991231000000, 'later', true, '\\x00', 0)";

/// The program of the older version.
fn older() -> PathBuf {
    let named = std::env::var_os("PORTVAKT_OLDER_BINARY");
    named.map_or_else(|| env!("CARGO_BIN_EXE_portvakt").into(), PathBuf::from)
}

/// Runs a command, which must end well.
fn done(command: &mut Command) {
    let done = command.output().unwrap();
    assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
}

/// Puts what a test server has into the tables of the older version, as far as that has columns for it.
fn fill_older(filled: &str, older: &str) {
    for table in TABLES {
        let columns = format!(
            "select string_agg(column_name, ', ') from information_schema.columns \
             where table_schema = current_schema() and table_name = '{table}'"
        );
        let found = Command::new("psql").args(["-qAt", older, "-c", &columns]).output().unwrap();
        let columns = String::from_utf8(found.stdout).unwrap();
        let columns = columns.trim();
        let copy = format!(
            "psql -q -v ON_ERROR_STOP=1 \"$1\" -c 'copy (select {columns} from {table}) to stdout' | \
             psql -q -v ON_ERROR_STOP=1 \"$2\" -c 'copy {table} ({columns}) from stdin'"
        );
        done(Command::new("bash").args(["-o", "pipefail", "-c", &copy, "copy", filled, older]));
    }
}

/// A node at each home, whichever version that runs.
struct Fleet {
    homes: Vec<Home>,
    nodes: Vec<Node>,
}

impl Fleet {
    /// Replaces the node there by one of that program.
    async fn replace(&mut self, place: usize, program: Option<PathBuf>) {
        let node = self.nodes.remove(place);
        node.terminate();
        self.homes[place].until(false).await;
        node.ended().await;
        self.homes[place].program = program;
        self.nodes.insert(place, self.homes[place].start().await.0);
        tokio::time::sleep(NOTICED).await;
    }

    /// Takes an access away on a node of this version and gives it back, and waits until each holds on all nodes.
    async fn follow(&self, maker: &TestServer) -> Duration {
        let (scope, consumer) = ("test:short".parse().unwrap(), CONSUMER.parse().unwrap());
        let (registry, by, mut longest) = (&maker.app.registry, actor(), Duration::ZERO);
        for works in [false, true] {
            if works {
                let (terms, seen) = (AccessTerms::default(), Expected::Anything);
                registry.grant_access(&by, &scope, consumer, terms, seen).await.unwrap();
            } else {
                registry.withdraw_access(&by, &scope, consumer, None, None).await.unwrap();
            }
            let changed = tick();
            for home in &self.homes {
                let caller = Caller { scope: "test:short", ..caller("eddsa") };
                let ask = async || {
                    let assertion = fresh(&caller).sign();
                    exchange(home.token, &post(&form(&assertion))).await.unwrap().status
                };
                while ask().await != if works { 200 } else { 403 } {
                    assert!(changed.elapsed() <= most(HOLDS_MAX), "{}", home.log_end());
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }
            longest = longest.max(changed.elapsed());
        }
        longest
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n18_a_cluster_is_upgraded_and_brought_back_without_a_failed_request() {
    let cluster = spawn_blocking(Cluster::in_memory).await.unwrap();
    let url = cluster.url();
    let folder = Arc::new(TempDir::new().unwrap());
    let home = |name| {
        let mut home = Home::new(folder.path(), name, Some(url.clone()), "");
        home.set("[server]\n", &format!("[server]\n{DRAIN}\n"));
        home.program = Some(older());
        home
    };
    let mut fleet = Fleet { homes: vec![home("a"), home("b")], nodes: Vec::new() };
    done(&mut fleet.homes[0].command(&["migrate"]));
    let filled = TestDatabase::create_in(&url, "template0");
    let store = Store::connect(&filled.url()).await.unwrap();
    fill(&store, Sql::connect(&filled.url()).await).await;
    fill_older(&filled.url(), &url);
    for home in &fleet.homes {
        fleet.nodes.push(home.start().await.0);
    }
    let balancer = Balancer::start(&fleet.homes).await;
    let traffic = Traffic::start(&[balancer.address], CLIENTS, PAUSE);

    // Two migrate at once, and what a version after this one would add is there as well.
    for home in &mut fleet.homes {
        home.program = None;
    }
    let migrate = |place: usize| {
        let mut command = fleet.homes[place].command(&["migrate"]);
        spawn_blocking(move || done(&mut command))
    };
    let migrating = tick();
    let (one, other) = tokio::join!(migrate(0), migrate(1));
    one.unwrap();
    other.unwrap();
    run(&url, LATER);
    let migrated = tick();

    let place = Place { folder: Arc::clone(&folder), database: Some(Arc::new(cluster.database())) };
    let mut held = Vec::new();
    let maker = TestServer::on(place, &[Trust::of(pki())], "").await;
    held.push(fleet.follow(&maker).await);
    for program in [None, Some(older())] {
        for place in 0..fleet.homes.len() {
            fleet.replace(place, program.clone()).await;
            held.push(fleet.follow(&maker).await);
        }
    }
    let ledger = Arc::clone(&traffic.ledger);
    traffic.stop().await;
    let addresses: Vec<_> = fleet.homes.iter().map(|home| home.token).collect();
    let key_sets = key_sets(&addresses).await;
    let entries = ledger.entries();
    let failed: Vec<_> = entries.iter().filter(|entry| !entry.outcome.is_token()).collect();
    let times: Vec<_> = entries.iter().map(Entry::took).collect();
    let locked = entries.iter().filter(|entry| entry.answered > migrating && entry.sent < migrated);
    let locked = locked.map(Entry::took).max().unwrap();
    println!(
        "{:?} to this version and back: {} requests, p99 {:?}, failed {} (at most 0); while two migrated at once for {:?} \
         at most {locked:?} (at most {LOCKED_MAX:?}); changes held on all after {held:?} (at most {HOLDS_MAX:?})",
        older(),
        entries.len(),
        percentile_99(&times),
        failed.len(),
        migrated - migrating,
    );
    assert!(failed.is_empty(), "{:?}", &failed[..failed.len().min(5)]);
    assert!(locked <= most(LOCKED_MAX), "{locked:?}");
    assert_eq!(ledger.faults(), Vec::<String>::new());
    assert_eq!(ledger.unverified(&key_sets), 0);
}
