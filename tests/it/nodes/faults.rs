//! N04: the database stops without a word while tokens are fetched, and is started again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::task::{JoinSet, spawn_blocking};

use crate::harness::chain::Trust;
use crate::harness::clock::tick;
use crate::harness::http::{Reply, exchange, form, post};
use crate::harness::load::percentile_99;
use crate::harness::mark::{comes_true, most};
use crate::harness::place::Place;
use crate::harness::row::check_refusal;
use crate::harness::server::{TestServer, caller, pki};
use crate::nodes::cluster::Cluster;

/// How long the database is gone.
const GONE: Duration = Duration::from_secs(2);

/// Time between two requests of one client.
const PAUSE: Duration = Duration::from_millis(25);

/// How long anybody waits to be told that it is.
const REFUSAL_MAX: Duration = Duration::from_secs(1);

/// How soon tokens are issued when it is back.
const RECOVERY_MAX: Duration = Duration::from_secs(3);

/// An assertion that was sent, when, and what came of it.
struct Sent {
    assertion: String,
    began: Instant,
    reply: Reply,
}

/// Fetches tokens from these nodes until it is told to stop.
fn load(
    nodes: &[TestServer],
    stop: &Arc<AtomicBool>,
    issued: &Arc<AtomicUsize>,
) -> JoinSet<Vec<Sent>> {
    let mut tasks = JoinSet::new();
    for (number, client) in ["es256", "rs256", "ps256", "eddsa"].into_iter().enumerate() {
        let address = nodes[number % nodes.len()].address;
        let (stop, issued) = (Arc::clone(stop), Arc::clone(issued));
        tasks.spawn(async move {
            let mut sent = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                let (assertion, began) = (caller(client).assertion(), tick());
                let reply = exchange(address, &post(&form(&assertion))).await.unwrap();
                issued.fetch_add(usize::from(reply.status == 200), Ordering::Relaxed);
                sent.push(Sent { assertion, began, reply });
                tokio::time::sleep(PAUSE).await;
            }
            sent
        });
    }
    tasks
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n04_while_the_database_is_gone_nobody_has_a_token_and_afterwards_nobody_has_two() {
    let cluster = Arc::new(spawn_blocking(Cluster::new).await.unwrap());
    let place = Place::on(cluster.database()).await;
    let first = TestServer::on(place, &[Trust::of(pki())], "").await;
    let second = first.beside().await;
    let nodes = [first, second];
    for round in 0..2 {
        let (stop, issued) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let tasks = load(&nodes, &stop, &issued);
        tokio::time::sleep(Duration::from_millis(700 + 130 * round)).await;
        let its = Arc::clone(&cluster);
        spawn_blocking(move || its.kill()).await.unwrap();
        let gone = tick();
        tokio::time::sleep(GONE).await;
        let (its, back_soon) = (Arc::clone(&cluster), tick());
        spawn_blocking(move || its.start()).await.unwrap();
        let (back, before) = (tick(), issued.load(Ordering::Relaxed));
        comes_true(RECOVERY_MAX, || issued.load(Ordering::Relaxed) > before).await;
        stop.store(true, Ordering::Relaxed);
        let sent: Vec<Sent> = tasks.join_all().await.into_iter().flatten().collect();

        let during =
            sent.iter().filter(|it| it.began > gone && it.began + it.reply.took < back_soon);
        let mut times = Vec::new();
        for it in during {
            check_refusal(&it.reply, 503, "temporarily_unavailable", "").unwrap();
            assert!(it.reply.header("retry-after").is_some(), "{}", it.reply.text());
            times.push(it.reply.took);
        }
        let recovered = sent.iter().filter(|it| it.reply.status == 200 && it.began > gone);
        let recovered = recovered.map(|it| (it.began + it.reply.took) - back).min();
        println!(
            "{} requests, {} while it was gone, p99 {:?}; tokens {recovered:?} after it was back (at most {RECOVERY_MAX:?})",
            sent.len(),
            times.len(),
            percentile_99(&times),
        );
        assert!(percentile_99(&times) <= most(REFUSAL_MAX), "{:?}", percentile_99(&times));
        assert!(recovered.is_some_and(|it| it <= most(RECOVERY_MAX)), "{recovered:?}");
        check_once(&nodes, &sent).await;
    }
}

/// Holds that each assertion is worth one token at most, with what it has been worth already.
async fn check_once(nodes: &[TestServer; 2], sent: &[Sent]) {
    assert!(sent.iter().filter(|it| it.reply.status == 200).count() > 20, "it has worked before");
    for (number, it) in sent.iter().enumerate() {
        let known = usize::from(it.reply.status == 200);
        let mut tokens = known;
        for node in nodes {
            tokens += usize::from(node.ask(&it.assertion).await.status == 200);
        }
        assert!(tokens <= 1, "assertion {number} is worth {tokens} tokens, {known} at first");
    }
}
