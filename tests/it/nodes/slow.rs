//! N12: the database stands still (R07), is slow (R08), or cannot be reached from one node (R09). Each prints its
//! figures beside what they may be.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use portvakt::domain::record::Expected;
use portvakt::registry::AccessTerms;
use tokio::task::{JoinSet, spawn_blocking};

use crate::harness::CONSUMER;
use crate::harness::chain::Trust;
use crate::harness::clock::tick;
use crate::harness::http::{exchange, form, post};
use crate::harness::load::percentile_99;
use crate::harness::place::Place;
use crate::harness::proxy::Proxy;
use crate::harness::row::check_refusal;
use crate::harness::server::{TestServer, actor, caller, pki};
use crate::nodes::cluster::Cluster;

/// Time between two requests of one client. There are four.
const PAUSE: Duration = Duration::from_millis(40);

/// An answer, and when it came.
struct Answered {
    issued: bool,
    began: Instant,
    took: Duration,
}

/// Requests that go on until they are told to stop.
struct Load {
    stop: Arc<AtomicBool>,
    tasks: JoinSet<Vec<Answered>>,
}

impl Load {
    fn start(address: SocketAddr) -> Self {
        let (stop, mut tasks) = (Arc::new(AtomicBool::new(false)), JoinSet::new());
        for client in ["es256", "rs256", "ps256", "eddsa"] {
            let stop = Arc::clone(&stop);
            tasks.spawn(async move {
                let mut answered = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    let (assertion, began) = (caller(client).assertion(), tick());
                    let reply = exchange(address, &post(&form(&assertion))).await.unwrap();
                    if reply.status != 200 {
                        check_refusal(&reply, 503, "temporarily_unavailable", "").unwrap();
                    }
                    answered.push(Answered {
                        issued: reply.status == 200,
                        began,
                        took: reply.took,
                    });
                    tokio::time::sleep(PAUSE).await;
                }
                answered
            });
        }
        Self { stop, tasks }
    }

    async fn stop(self) -> Vec<Answered> {
        self.stop.store(true, Ordering::Relaxed);
        self.tasks.join_all().await.into_iter().flatten().collect()
    }
}

/// How long the answers took of which that holds.
fn times(answered: &[Answered], of: impl Fn(&Answered) -> bool) -> Vec<Duration> {
    answered.iter().filter(|it| of(it)).map(|it| it.took).collect()
}

/// The time until a node takes work, or does not any more.
async fn until(node: &TestServer, ready: bool, most: Duration) -> Duration {
    let began = tick();
    while node.app.ready().is_ok() != ready {
        assert!(began.elapsed() <= most, "ready is not {ready} after {:?}", began.elapsed());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    began.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n12_while_the_database_stands_still_everybody_is_told_so_within_a_second() {
    let cluster = Arc::new(spawn_blocking(Cluster::new).await.unwrap());
    let place = Place::on(cluster.database()).await;
    let node = TestServer::on(place, &[Trust::of(pki())], "").await;
    let load = Load::start(node.address);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let its = Arc::clone(&cluster);
    spawn_blocking(move || its.signal("STOP")).await.unwrap();
    let stopped = tick();
    tokio::time::sleep(Duration::from_secs(10)).await;
    let (its, soon) = (Arc::clone(&cluster), tick());
    spawn_blocking(move || its.signal("CONT")).await.unwrap();
    let continued = tick();
    tokio::time::sleep(Duration::from_secs(3)).await;
    let answered = load.stop().await;
    let during = times(&answered, |it| it.began > stopped && it.began + it.took < soon);
    let late = percentile_99(&during);
    let after = answered.iter().filter(|it| it.issued && it.began + it.took > continued);
    let recovered = after.map(|it| it.began + it.took - continued).min();
    let sessions = "select count(*) from pg_stat_activity where application_name = 'portvakt'";
    let sessions = node.sql().await.number(sessions).await;
    println!(
        "{} requests while it stood still: p99 {late:?} (at most 1 s); tokens {recovered:?} after (at most 2 s); \
         {sessions} sessions (at most 11)",
        during.len()
    );
    assert!(during.len() > 20 && late <= Duration::from_millis(1_050), "{late:?}");
    assert!(recovered.is_some_and(|it| it <= Duration::from_secs(2)), "{recovered:?}");
    assert!(sessions <= 11, "{sessions}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n12_a_slow_database_is_borne_as_long_as_that_is_any_good() {
    let place = Place::new().await;
    let proxy = Proxy::start();
    let node = TestServer::on(proxy.before(&place), &[Trust::of(pki())], "").await;
    for client in ["es256", "rs256", "ps256", "eddsa"] {
        assert_eq!(node.ask(&caller(client).assertion()).await.status, 200);
    }
    for delay in [50, 200, 1_000] {
        proxy.delay(Duration::from_millis(delay));
        // What is noticed of it is noticed by then.
        tokio::time::sleep(Duration::from_secs(2)).await;
        let load = Load::start(node.address);
        tokio::time::sleep(Duration::from_secs(4)).await;
        let answered = load.stop().await;
        let issued = times(&answered, |it| it.issued);
        let (all, soon) =
            (answered.len(), times(&answered, |it| it.took <= Duration::from_secs(1)));
        let late = if issued.len() > 1 { percentile_99(&issued) } else { Duration::ZERO };
        println!(
            "{delay} ms: {} of {all} issued, p99 of them {late:?}; {} of {all} answered within a second",
            issued.len(),
            soon.len(),
        );
        match delay {
            50 => {
                assert_eq!(issued.len(), all, "all are issued");
                assert!(late <= Duration::from_millis(300), "{late:?} (at most 300 ms)");
            }
            200 => assert!(late <= Duration::from_millis(1_500), "{late:?} (at most 1.5 s)"),
            _ => assert!(soon.len() * 100 >= all * 95, "95 % within a second"),
        }
        proxy.delay(Duration::ZERO);
        until(&node, true, Duration::from_secs(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n12_a_node_that_cannot_reach_the_database_steps_aside_and_the_other_goes_on() {
    let place = Place::new().await;
    let proxy = Proxy::start();
    let trust = [Trust::of(pki())];
    let cut_off = TestServer::on(proxy.before(&place), &trust, "").await;
    let other = TestServer::on(place, &trust, "").await;
    let (scope, consumer) = ("test:read".parse().unwrap(), CONSUMER.parse().unwrap());
    assert_eq!(cut_off.ask(&caller("es256").assertion()).await.status, 200);
    for round in 0..3 {
        let load = Load::start(other.address);
        tokio::time::sleep(Duration::from_secs(1)).await;
        let before = percentile_99(&times(&load.stop().await, |it| it.issued));
        proxy.swallow(true);
        let load = Load::start(other.address);
        let unready = until(&cut_off, false, Duration::from_secs(3)).await;
        let refused = cut_off.ask(&caller("es256").assertion()).await;
        check_refusal(&refused, 503, "temporarily_unavailable", "").unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
        let meanwhile = load.stop().await;
        assert!(meanwhile.iter().all(|it| it.issued), "the other goes on");
        let during = percentile_99(&times(&meanwhile, |_| true));
        // A change that it does not see.
        let registry = &other.app.registry;
        registry.withdraw_access(&actor(), &scope, consumer, None, None).await.unwrap();
        proxy.swallow(false);
        let ready = until(&cut_off, true, Duration::from_secs(3)).await;
        let stale = cut_off.ask(&caller("es256").assertion()).await;
        assert_eq!(stale.status, 403, "it has the change when it is ready: {}", stale.text());
        println!(
            "round {round}: not ready after {unready:?}, ready {ready:?} after it was healed (at most 3 s each); the \
             other: p99 {before:?} before, {during:?} meanwhile"
        );
        let terms = AccessTerms::default();
        let by = actor();
        let granted = registry.grant_access(&by, &scope, consumer, terms, Expected::Anything);
        granted.await.unwrap();
    }
}
