//! N09: the clock of one node jumps (R23, R24). The node notices and stops, the other goes on, and what is kept is not
//! touched by the wrong time.

use std::collections::{BTreeMap, HashSet};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::harness::caller::Draft;
use crate::harness::clock::tick;
use crate::harness::http::Reply;
use crate::harness::mark::{hardly_any, most};
use crate::harness::place::Place;
use crate::harness::process::Process;
use crate::harness::server::caller;
use crate::nodes::ledger::Entry;
use crate::nodes::traffic::{Traffic, key_sets, replay};

/// How soon a node whose clock is wrong is not ready, and one whose clock is right again is.
const NOTICED_MAX: Duration = Duration::from_secs(5);

/// How far a clock may be off.
const APART_SECONDS_MAX: i64 = 5;

/// Clients that ask each node all the time, and how long each pauses.
const CLIENTS: usize = 2;
const PAUSE: Duration = Duration::from_millis(50);

/// What was sent in so much time is sent again in the end; assertions live longer.
const REPLAYED: Duration = Duration::from_secs(30);

/// A node with a clock that the test sets.
struct Skewed {
    node: Process,
    offset: std::path::PathBuf,
}

/// The library of `faketime`.
fn library() -> String {
    let found = std::process::Command::new("faketime")
        .args(["-f", "+0", "sh", "-c", "echo $LD_PRELOAD"])
        .output();
    let found = found.expect("faketime runs; install the package faketime").stdout;
    String::from_utf8(found).unwrap().trim().to_owned()
}

impl Skewed {
    async fn start(place: &Place) -> Self {
        let offset = place.folder.path().join("clock-offset");
        set(&offset, 0);
        let variables = [
            ("LD_PRELOAD", library()),
            ("FAKETIME_TIMESTAMP_FILE", offset.to_str().unwrap().to_owned()),
            // Only the time of day is wrong.
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
        ];
        let variables = variables.each_ref().map(|(name, value)| (*name, value.as_str()));
        let url = place.database.as_ref().unwrap().url();
        let node = Process::spawn(place, Some(&url), "", &[], &variables);
        node.until_ready(Duration::from_secs(20)).await;
        Self { node, offset }
    }
}

fn set(file: &Path, seconds: i64) {
    // In one step, so that nobody reads half of it.
    let new = file.with_extension("new");
    std::fs::write(&new, format!("{seconds:+}\n")).unwrap();
    std::fs::rename(new, file).unwrap();
}

fn draft() -> Draft {
    caller("es256").draft().now()
}

/// Holds that a token, if it is one, is from now.
fn check_token(reply: &Reply) {
    let Some(token) = reply.token() else { return };
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    let now = draft().claims["iat"].as_i64().unwrap();
    let apart = (claims["iat"].as_i64().unwrap() - now).abs();
    assert!(apart <= APART_SECONDS_MAX, "a token that is {apart} s off");
}

/// Ends the load of a node, and holds that whoever had no token was told to come again, and that nobody has had two anywhere.
async fn check_load(traffic: Traffic, nodes: &[SocketAddr]) -> BTreeMap<String, usize> {
    let ledger = Arc::clone(&traffic.ledger);
    let mut sent = traffic.stop().await;
    let (entries, counts) = (ledger.entries(), ledger.counts());
    let other = entries.iter().find(|it| !it.outcome.is_token() && !it.outcome.is_unavailable());
    assert!(other.is_none(), "{other:?}");
    // The others have ended.
    let young = |it: &&Entry| it.sent.elapsed() < REPLAYED;
    let young: HashSet<_> = entries.iter().filter(young).map(|it| it.jti.as_str()).collect();
    sent.retain(|(jti, _)| young.contains(jti.as_str()));
    replay(nodes, &ledger, &sent).await;
    assert_eq!(ledger.faults(), Vec::<String>::new());
    assert_eq!(ledger.unverified(&key_sets(nodes).await), 0);
    counts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n09_a_node_whose_clock_jumps_stops_until_it_is_right_again() {
    let place = Place::new().await;
    let right = Process::start(&place).await;
    let skewed = Skewed::start(&place).await;
    let sql = place.sql().await;
    let spent = draft().sign();
    assert_eq!(right.ask(&spent).await.status, 200);
    let addresses = [right.address, skewed.node.address];
    let loads = addresses.map(|address| Traffic::start(&[address], CLIENTS, PAUSE));
    for jump in [60, -60, 7_200, -7_200, -10] {
        let assertion = draft().sign();
        assert_eq!(skewed.node.ask(&assertion).await.status, 200);
        set(&skewed.offset, jump);
        let jumped = tick();
        // From the first request on, there is no token that is wrong.
        let mut noticed = None;
        while jumped.elapsed() < Duration::from_millis(1_500) {
            let reply = skewed.node.ask(&draft().anew().sign()).await;
            check_token(&reply);
            if reply.status != 200 {
                skewed.node.check_unavailable(&reply);
                noticed.get_or_insert_with(|| jumped.elapsed());
            }
            let reply = right.ask(&draft().anew().sign()).await;
            assert_eq!(reply.status, 200, "{}", reply.text());
        }
        let unready = skewed.node.until(false, most(NOTICED_MAX)).await;
        let reason = skewed.node.readiness().await.unwrap().text();
        assert!(reason.contains("the clock of this node is"), "{reason}");
        let metrics = skewed.node.look("/metrics").await.unwrap().text();
        let apart =
            metrics.lines().find_map(|line| line.strip_prefix("portvakt_clock_apart_seconds "));
        let apart: i64 = apart.unwrap().parse().unwrap();
        assert!((apart - jump).abs() <= 1, "{apart}");
        set(&skewed.offset, 0);
        let ready = skewed.node.until_ready(most(NOTICED_MAX)).await;
        println!(
            "{jump:+} s: refused after {noticed:?}, not ready after {:?}, ready again after {ready:?} (at most \
             {NOTICED_MAX:?})",
            Duration::from_millis(1_500) + unready,
        );
        assert!(noticed.is_some_and(|noticed| noticed <= most(NOTICED_MAX)), "{noticed:?}");
    }
    let [of_right, of_skewed] = loads;
    let of_right = check_load(of_right, &addresses).await;
    let of_skewed = check_load(of_skewed, &addresses).await;
    println!("under load: {of_right:?}, and where the clock jumps {of_skewed:?}");
    let (all, issued) = (of_right.values().sum::<usize>(), of_right["token"]);
    assert!(hardly_any(all - issued, all), "the other goes on: {of_right:?}");
    assert!(of_skewed.contains_key("token"), "{of_skewed:?}");
    assert!(
        skewed.node.log().contains("no tokens until the clock is right"),
        "{}",
        skewed.node.log()
    );
    // A node that is two hours ahead has not swept away what the others must remember, nor the others themselves.
    assert_eq!(sql.number("select count(*) from node").await, 2);
    let again = Process::start(&place).await.ask(&spent).await;
    assert!(again.status == 400 && again.text().contains("MP-012"), "{}", again.text());
}
