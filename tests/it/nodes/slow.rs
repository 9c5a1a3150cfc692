//! N12: the database stands still (R07), is slow (R08), or cannot be reached from one node (R09). Each prints its
//! figures beside what they may be.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use portvakt::domain::record::Expected;
use portvakt::registry::AccessTerms;
use tokio::task::{JoinSet, spawn_blocking};

use crate::harness::CONSUMER;
use crate::harness::chain::Trust;
use crate::harness::clock::tick;
use crate::harness::http::{exchange, form, post};
use crate::harness::load::percentile_99;
use crate::harness::mark::{comes_true, hardly_any, most, tolerance};
use crate::harness::place::Place;
use crate::harness::proxy::Proxy;
use crate::harness::row::check_refusal;
use crate::harness::server::{TestServer, actor, caller, pki};
use crate::nodes::cluster::Cluster;

/// How long anybody waits to be told that it does not work.
const REFUSAL_MAX: Duration = Duration::from_secs(1);

/// How soon tokens are issued again.
const RECOVERY_MAX: Duration = Duration::from_secs(2);

/// How soon a node that is cut off steps aside, and comes back when it is not any more.
const NOTICED_MAX: Duration = Duration::from_secs(3);

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
    issued: Arc<AtomicUsize>,
    tasks: JoinSet<Vec<Answered>>,
}

impl Load {
    fn start(address: SocketAddr) -> Self {
        let (stop, issued) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let mut tasks = JoinSet::new();
        for client in ["es256", "rs256", "ps256", "eddsa"] {
            let (stop, issued) = (Arc::clone(&stop), Arc::clone(&issued));
            tasks.spawn(async move {
                let mut answered = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    let (assertion, began) = (caller(client).assertion(), tick());
                    let reply = exchange(address, &post(&form(&assertion))).await.unwrap();
                    if reply.status == 200 {
                        issued.fetch_add(1, Ordering::Relaxed);
                    } else {
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
        Self { stop, issued, tasks }
    }

    /// Tokens so far.
    fn issued(&self) -> usize {
        self.issued.load(Ordering::Relaxed)
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
    let node = TestServer::on(place, &[Trust::of(pki())], "").await;
    let load = Load::start(node.address);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let its = Arc::clone(&cluster);
    spawn_blocking(move || its.signal("STOP")).await.unwrap();
    let stopped = tick();
    tokio::time::sleep(Duration::from_secs(10)).await;
    let (its, soon) = (Arc::clone(&cluster), tick());
    spawn_blocking(move || its.signal("CONT")).await.unwrap();
    let (continued, before) = (tick(), load.issued());
    let well = comes_true(RECOVERY_MAX, || load.issued() > before).await;
    let answered = load.stop().await;
    let during = times(&answered, |it| it.began > stopped && it.began + it.took < soon);
    let late = percentile_99(&during);
    let after = answered.iter().filter(|it| it.issued && it.began + it.took > continued);
    let recovered = after.map(|it| it.began + it.took - continued).min();
    let sessions = "select count(*) from pg_stat_activity where application_name = 'portvakt'";
    let sessions = node.sql().await.number(sessions).await;
    println!(
        "{} requests while it stood still: p99 {late:?} (at most {REFUSAL_MAX:?}); tokens {recovered:?} after (at most \
         {RECOVERY_MAX:?}); {sessions} sessions (at most 11)",
        during.len()
    );
    assert!(during.len() > 20 && late <= most(REFUSAL_MAX), "{late:?}");
    assert!(well && recovered.is_some_and(|it| it <= most(RECOVERY_MAX)), "{recovered:?}");
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
        let (all, soon) = (answered.len(), times(&answered, |it| it.took <= most(REFUSAL_MAX)));
        let late = if issued.len() > 1 { percentile_99(&issued) } else { Duration::ZERO };
        println!(
            "{delay} ms: {} of {all} issued, p99 of them {late:?}; {} of {all} answered within {REFUSAL_MAX:?} times {}",
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
            200 => assert!(late <= most(Duration::from_millis(1_500)), "{late:?} (at most 1.5 s)"),
            _ => assert!(soon.len() * 100 >= all * 95, "95 % within a second"),
        }
        proxy.delay(Duration::ZERO);
        until(&node, true).await;
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
        let unready = until(&cut_off, false).await;
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
        let ready = until(&cut_off, true).await;
        let stale = cut_off.ask(&caller("es256").assertion()).await;
        assert_eq!(stale.status, 403, "it has the change when it is ready: {}", stale.text());
        println!(
            "round {round}: not ready after {unready:?}, ready {ready:?} after it was healed (at most {NOTICED_MAX:?} each); the \
             other: p99 {before:?} before, {during:?} meanwhile"
        );
        let terms = AccessTerms::default();
        let by = actor();
        let granted = registry.grant_access(&by, &scope, consumer, terms, Expected::Anything);
        granted.await.unwrap();
    }
}
