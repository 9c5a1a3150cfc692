//! N12: the database stands still (R07), is slow (R08), or cannot be reached from one node (R09); or only lists are
//! slow. Each prints its figures beside what they may be.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use portvakt::domain::record::Expected;
use portvakt::domain::right::Right;
use portvakt::registry::AccessTerms;
use serde_json::Value;
use tokio::task::{JoinSet, spawn_blocking};

use crate::admin::own::API;
use crate::harness::admin::AdminServer;
use crate::harness::chain::Trust;
use crate::harness::clock::tick;
use crate::harness::load::percentile_99;
use crate::harness::mark::{comes_true, hardly_any, most, most_of, tolerance};
use crate::harness::place::Place;
use crate::harness::proxy::Proxy;
use crate::harness::row::check_refusal;
use crate::harness::server::{TestServer, actor, caller, pki};
use crate::harness::{CONSUMER, PROVIDER};
use crate::nodes::cluster::Cluster;
use crate::nodes::ledger::{Entry, Ledger, WELL_TIME};
use crate::nodes::process::Home;
use crate::nodes::traffic::{CLIENTS, Traffic, key_sets, replay};

/// How long anybody waits to be told that it does not work.
const REFUSAL_MAX: Duration = Duration::from_secs(1);

/// How soon tokens are issued again.
const RECOVERY_MAX: Duration = Duration::from_secs(2);

/// Sessions that a node has with the database, and so the most that may wait for it; and by how many KiB it may grow
/// while they do.
const SESSIONS_MAX: usize = 16;
const GROWTH_KIB_MAX: u64 = 64 * 1024;

/// How soon a node that is cut off steps aside, and comes back when it is not any more.
const NOTICED_MAX: Duration = Duration::from_secs(3);

/// How many times longer tokens of another node may take meanwhile.
const SLOWER_MAX: f64 = 1.2;

/// Time between two requests of one client. There are four.
const PAUSE: Duration = Duration::from_millis(40);

fn start(node: &TestServer) -> Traffic {
    Traffic::inside(&[node.address], 4, PAUSE)
}

/// What came of it all, of a node that is well.
async fn stop(traffic: Traffic, node: SocketAddr) -> Vec<Entry> {
    let ledger = Arc::clone(&traffic.ledger);
    let sent = traffic.stop().await;
    check(node, &ledger, &sent).await
}

/// Holds that there were tokens, each for one assertion, and "not now", and that nothing is worth a second token.
async fn check(node: SocketAddr, ledger: &Ledger, sent: &[(String, String)]) -> Vec<Entry> {
    let entries = ledger.entries();
    let other = entries.iter().find(|it| !it.outcome.is_token() && !it.outcome.is_unavailable());
    assert!(other.is_none(), "{other:?}");
    replay(&[node], ledger, sent).await;
    assert_eq!(ledger.faults(), Vec::<String>::new());
    assert_eq!(ledger.unverified(&key_sets(&[node]).await), 0);
    entries
}

/// How long the answers took of which that holds.
fn times(entries: &[Entry], of: impl Fn(&Entry) -> bool) -> Vec<Duration> {
    entries.iter().filter(|it| of(it)).map(Entry::took).collect()
}

/// The time until a node takes work, or does not any more.
async fn until(node: &TestServer, ready: bool) -> Duration {
    let began = tick();
    while node.app.ready().is_ok() != ready {
        assert!(
            began.elapsed() <= most(NOTICED_MAX),
            "ready is not {ready} after {:?}",
            began.elapsed()
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    began.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n12_while_the_database_stands_still_everybody_is_told_so_within_a_second() {
    let cluster = Arc::new(spawn_blocking(Cluster::new).await.unwrap());
    let place = Place::on(cluster.database()).await;
    let home = Home::new(place.folder.path(), "node", Some(cluster.url()), "");
    let node = home.start().await.0;
    let traffic = Traffic::start(&[home.token], 4, PAUSE);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let calm = (node.resident_kib(), node.descriptors());
    let its = Arc::clone(&cluster);
    spawn_blocking(move || its.signal("STOP")).await.unwrap();
    let stopped = tick();
    tokio::time::sleep(Duration::from_secs(10)).await;
    let waiting = (node.resident_kib(), node.descriptors());
    let (its, soon) = (Arc::clone(&cluster), tick());
    spawn_blocking(move || its.signal("CONT")).await.unwrap();
    let continued = tick();
    let well = || traffic.ledger.well_after(continued);
    comes_true(RECOVERY_MAX + WELL_TIME, || well().is_some()).await;
    let recovered = well();
    let entries = stop(traffic, home.token).await;
    let during = times(&entries, |it| it.sent > stopped && it.answered < soon);
    let late = percentile_99(&during);
    let sessions = "select count(*) from pg_stat_activity where application_name = 'portvakt'";
    let sessions = place.sql().await.number(sessions).await;
    let (grown, more) = (waiting.0.saturating_sub(calm.0), waiting.1.saturating_sub(calm.1));
    println!(
        "meanwhile {grown} KiB more (at most {GROWTH_KIB_MAX}) and {more} descriptors (at most {SESSIONS_MAX})"
    );
    println!(
        "{} requests while it stood still: p99 {late:?} (at most {REFUSAL_MAX:?}); I5 {recovered:?} (at most \
         {RECOVERY_MAX:?}); {sessions} sessions (at most {SESSIONS_MAX})",
        during.len()
    );
    assert!(grown <= GROWTH_KIB_MAX && more <= SESSIONS_MAX);
    assert!(during.len() > 20 && late <= most(REFUSAL_MAX), "{late:?}");
    assert!(recovered.is_some_and(|it| it <= most(RECOVERY_MAX)), "{recovered:?}");
    assert!(sessions <= i64::try_from(SESSIONS_MAX).unwrap(), "{sessions}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n12_a_slow_database_is_borne_as_long_as_that_is_any_good() {
    let place = Place::new().await;
    let proxy = Proxy::start();
    let node = TestServer::on(proxy.before(&place), &[Trust::of(pki())], "").await;
    for client in CLIENTS {
        assert_eq!(node.ask(&caller(client).assertion()).await.status, 200);
    }
    for delay in [50, 200, 1_000] {
        proxy.delay(Duration::from_millis(delay));
        // What is noticed of it is noticed by then.
        tokio::time::sleep(Duration::from_secs(2)).await;
        let traffic = start(&node);
        tokio::time::sleep(Duration::from_secs(4)).await;
        let ledger = Arc::clone(&traffic.ledger);
        // Until the last answer it is slow: nothing that was quick stands among what is measured.
        let sent = traffic.stop().await;
        proxy.delay(Duration::ZERO);
        until(&node, true).await;
        let entries = check(node.address, &ledger, &sent).await;
        let issued = times(&entries, |it| it.outcome.is_token());
        let (all, soon) = (entries.len(), times(&entries, |it| it.took() <= most(REFUSAL_MAX)));
        let late = if issued.len() > 1 { percentile_99(&issued) } else { Duration::ZERO };
        println!(
            "{delay} ms: {} of {all} issued, p99 of them {late:?} (at most 300 ms where it is 50, and 1.5 s where it is 200); \
             {} of {all} answered within {REFUSAL_MAX:?} times {} (at least 95 % where it is 1 s)",
            issued.len(),
            soon.len(),
            tolerance(),
        );
        match delay {
            50 => {
                let lost = all - issued.len();
                assert!(hardly_any(lost, all), "{lost} of {all} are refused");
                assert!(late <= most(Duration::from_millis(300)), "{late:?} (at most 300 ms)");
            }
            200 => {
                assert!(!issued.is_empty(), "nobody has a token");
                assert!(late <= most(Duration::from_millis(1_500)), "{late:?} (at most 1.5 s)");
            }
            _ => assert!(soon.len() * 100 >= all * 95, "95 % within a second"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n12_lists_that_stand_still_keep_no_token_from_anybody() {
    let admin = AdminServer::with("[feed]\npoll_milliseconds = 50\nstale_seconds_max = 2\n").await;
    let admin = Arc::new(admin);
    let operator = Arc::new(admin.token(PROVIDER, Right::Operate.name()).await);
    let mut clients = Vec::new();
    for _ in 0..100 {
        clients.push(admin.client(CONSUMER, "test:read").await);
    }
    // Everybody who lists waits for it, and who asks for a token does not.
    let standing = admin.server.sql().await.lock("audit").await;
    let mut lists = JoinSet::new();
    for _ in 0..16 {
        let (admin, operator) = (Arc::clone(&admin), Arc::clone(&operator));
        lists.spawn(async move {
            loop {
                let line = format!("GET {API}/audit");
                let reply = admin.call(Some(&operator), &line, Value::Null).await;
                assert_eq!(reply.status, 503, "the table is locked: {}", reply.text());
            }
        });
    }
    let mut took = Vec::new();
    for client in &clients {
        // The node has not seen this one, and has to read it.
        let asked = tick();
        let reply = admin.server.ask(&client.draft().sign()).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        took.push(asked.elapsed());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(lists.len(), 16);
    assert!(lists.try_join_next().is_none(), "nobody has been given a list");
    drop(standing);
    let late = percentile_99(&took);
    println!(
        "{} tokens while 16 lists stood still: p99 {late:?} (at most {REFUSAL_MAX:?})",
        took.len()
    );
    assert!(late <= most(REFUSAL_MAX), "{late:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n12_a_node_that_cannot_reach_the_database_steps_aside_and_the_other_goes_on() {
    let cluster = spawn_blocking(Cluster::in_memory).await.unwrap();
    let place = Place::on(cluster.database()).await;
    let proxy = Proxy::to(&cluster.url());
    let trust = [Trust::of(pki())];
    let cut_off = TestServer::on(proxy.before(&place), &trust, "").await;
    let other = TestServer::on(place, &trust, "").await;
    let (scope, consumer) = ("test:read".parse().unwrap(), CONSUMER.parse().unwrap());
    assert_eq!(cut_off.ask(&caller("es256").assertion()).await.status, 200);
    for round in 0..3 {
        let traffic = start(&other);
        tokio::time::sleep(Duration::from_secs(1)).await;
        let before = stop(traffic, other.address).await;
        let before = percentile_99(&times(&before, |it| it.outcome.is_token()));
        proxy.swallow(true);
        let traffic = start(&other);
        let unready = until(&cut_off, false).await;
        let refused = cut_off.ask(&caller("es256").assertion()).await;
        check_refusal(&refused, 503, "temporarily_unavailable", "").unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
        let meanwhile = stop(traffic, other.address).await;
        let lost: Vec<&Entry> = meanwhile.iter().filter(|it| !it.outcome.is_token()).collect();
        assert!(hardly_any(lost.len(), meanwhile.len()), "the other goes on, but for {lost:?}");
        let during = percentile_99(&times(&meanwhile, |it| it.outcome.is_token()));
        // A change that it does not see.
        let registry = &other.app.registry;
        registry.withdraw_access(&actor(), &scope, consumer, None, None).await.unwrap();
        proxy.swallow(false);
        let ready = until(&cut_off, true).await;
        let stale = cut_off.ask(&caller("es256").assertion()).await;
        assert_eq!(stale.status, 403, "it has the change when it is ready: {}", stale.text());
        println!(
            "round {round}: not ready after {unready:?}, ready {ready:?} after it was healed (at most {NOTICED_MAX:?} each); the \
             other: p99 {before:?} before, {during:?} meanwhile (at most {SLOWER_MAX} times), {} of {} refused",
            lost.len(),
            meanwhile.len()
        );
        assert!(during <= most_of(before, SLOWER_MAX), "{during:?}, {before:?} before");
        let terms = AccessTerms::default();
        let by = actor();
        let granted = registry.grant_access(&by, &scope, consumer, terms, Expected::Anything);
        granted.await.unwrap();
    }
}
