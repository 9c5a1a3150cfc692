//! N15: the database is gone, and tokens are issued all the same for a scope whose owner wants that.

use std::sync::Arc;
use std::time::Duration;

use portvakt::domain::audit::AuditFilter;
use portvakt::domain::scope::{OutagePolicy, Scope};
use tokio::task::spawn_blocking;

use crate::harness::chain::Trust;
use crate::harness::clock::tick;
use crate::harness::http::Reply;
use crate::harness::mark::{comes_true, hardly_any, most};
use crate::harness::place::Place;
use crate::harness::row::check_refusal;
use crate::harness::server::{TestServer, actor, caller, pki};
use crate::nodes::cluster::Cluster;
use crate::nodes::traffic::{Traffic, key_sets, replay};

/// For how long nodes go on; and that what is cached is not known to be right after two seconds of it.
const RULES: &str =
    "[feed]\npoll_milliseconds = 50\nstale_seconds_max = 2\n[outage]\nissue_seconds_max = 8\n";
const GOES_ON: Duration = Duration::from_secs(8);

/// How soon what was used is known to the database, once it is back.
const TOLD_MAX: Duration = Duration::from_secs(3);

/// An assertion for a scope.
fn assertion(scope: &str) -> String {
    caller("es256").draft().claim("scope", scope).sign()
}

/// What this scope's owner wants in an outage.
async fn set_policy(node: &TestServer, scope: &str, policy: OutagePolicy) {
    let edit = |scope: &mut Scope| scope.outage_policy = policy;
    let name = scope.parse().unwrap();
    node.app.registry.change_scope(&actor(), &name, None, edit).await.unwrap();
}

/// What the trail says of outages, when it says that there have been so many.
async fn told(node: &TestServer, outages: usize) -> Vec<String> {
    let filter = AuditFilter { noun: Some("node".to_owned()), ..AuditFilter::default() };
    let began = tick();
    loop {
        let registry = &node.app.registry;
        let rows = registry.audit_rows(&actor(), filter.clone(), None, 10).await.unwrap().items;
        if rows.len() >= outages || began.elapsed() > most(TOLD_MAX) {
            return rows.into_iter().filter_map(|row| row.after).collect();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn check_away(reply: &Reply) {
    check_refusal(reply, 503, "temporarily_unavailable", "").unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n15_a_scope_that_allows_it_is_issued_in_an_outage_and_each_assertion_once_a_node() {
    let cluster = spawn_blocking(Cluster::new).await.unwrap();
    let place = Place::on(cluster.database()).await;
    let first = TestServer::on(place, &[Trust::of(pki())], RULES).await;
    set_policy(&first, "test:read", OutagePolicy::Issue).await;
    let second = first.beside_with(RULES).await;
    let before = assertion("test:read");
    for (node, known) in [(&first, before.clone()), (&second, assertion("test:read"))] {
        assert_eq!(node.ask(&known).await.status, 200);
        assert_eq!(node.ask(&assertion("test:write")).await.status, 200);
    }
    assert_eq!(first.app.outage(), None);

    cluster.kill();
    let gone = tick();
    let mut used = vec![before];
    let (mut slowest, mut stale) = (Duration::ZERO, 0);
    while gone.elapsed() < GOES_ON / 2 {
        let fresh = assertion("test:read");
        let reply = first.ask(&fresh).await;
        assert_eq!(reply.status, 200, "after {:?}: {}", gone.elapsed(), reply.text());
        slowest = slowest.max(reply.took);
        used.push(fresh);
        // Not so what has another policy, alone or beside it, from the first request on.
        check_away(&first.ask(&assertion("test:write")).await);
        check_away(&first.ask(&assertion("test:read test:write")).await);
        stale += usize::from(gone.elapsed() > Duration::from_secs(3));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    println!(
        "{} tokens without the database, {stale} of them by what may be out of date; the slowest took {slowest:?} (at \
         most 1 s, which is how long the database is waited for)",
        used.len() - 1
    );
    assert!(stale > 0 && slowest <= most(Duration::from_secs(1)), "{slowest:?}");
    for spent in &used {
        check_refusal(&first.ask(spent).await, 400, "invalid_grant", "MP-012").unwrap();
    }
    // The other node has heard nothing of it: there it works, once.
    let at_both = used.pop().unwrap();
    assert_eq!(second.ask(&at_both).await.status, 200);
    check_refusal(&second.ask(&at_both).await, 400, "invalid_grant", "MP-012").unwrap();
    let amiss = first.app.outage().unwrap();
    assert!(amiss.contains(&format!("{} tokens have been issued", used.len())), "{amiss}");
    assert!(first.app.ready().is_ok(), "it takes work");
    first.app.measure();
    let metrics = first.app.metrics.to_text();
    assert!(metrics.contains(&format!("portvakt_outage_tokens {}\n", used.len())), "{metrics}");
    let health = first.manage("/health").await.text();
    assert!(health.contains(&amiss), "{health}");

    // It does not go on for ever.
    tokio::time::sleep((GOES_ON + Duration::from_secs(1)).saturating_sub(gone.elapsed())).await;
    check_away(&first.ask(&assertion("test:read")).await);
    assert!(first.app.ready().is_err());

    let _cluster = spawn_blocking(move || {
        cluster.start();
        cluster
    })
    .await
    .unwrap();
    let back = tick();
    let is_over = |node: &TestServer| node.app.outage().is_none() && node.app.ready().is_ok();
    assert!(comes_true(TOLD_MAX, || is_over(&first) && is_over(&second)).await, "it goes on");
    println!("over {:?} after the database was back (at most {TOLD_MAX:?})", back.elapsed());
    used.push(at_both);
    for node in [&first, &second] {
        for spent in &used {
            check_refusal(&node.ask(spent).await, 400, "invalid_grant", "MP-012").unwrap();
        }
        assert_eq!(node.ask(&assertion("test:write")).await.status, 200);
    }
    // A node that starts now knows it as well.
    let third = first.beside_with(RULES).await;
    for spent in &used {
        check_refusal(&third.ask(spent).await, 400, "invalid_grant", "MP-012").unwrap();
    }

    let told = told(&first, 2).await;
    assert_eq!(told.len(), 2, "{told:?}");
    let tokens = format!("\"tokens\":{}", used.len() - 1);
    assert!(told.iter().any(|text| text.contains(&tokens)), "{told:?}");
    assert!(told.iter().any(|text| text.contains("\"tokens\":1")), "{told:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n15_where_the_installation_refuses_a_scope_that_allows_it_is_refused_too() {
    let cluster = spawn_blocking(Cluster::new).await.unwrap();
    let place = Place::on(cluster.database()).await;
    let node = TestServer::on(place, &[Trust::of(pki())], "").await;
    set_policy(&node, "test:read", OutagePolicy::Issue).await;
    assert_eq!(node.ask(&assertion("test:read")).await.status, 200);
    cluster.kill();
    for _ in 0..3 {
        check_away(&node.ask(&assertion("test:read")).await);
    }
    assert_eq!(node.app.outage(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n15_an_outage_ends_under_load_and_each_is_told() {
    let cluster = Arc::new(spawn_blocking(Cluster::new).await.unwrap());
    let place = Place::on(cluster.database()).await;
    let node = TestServer::on(place, &[Trust::of(pki())], RULES).await;
    for scope in ["test:read", "test:open"] {
        set_policy(&node, scope, OutagePolicy::Issue).await;
    }
    let traffic = Traffic::inside(&[node.address], 8, Duration::ZERO);
    // It does not answer, and then it does again; twice.
    for _ in 0..2 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let its = Arc::clone(&cluster);
        spawn_blocking(move || its.signal("STOP")).await.unwrap();
        tokio::time::sleep(Duration::from_millis(2_500)).await;
        assert!(node.app.outage().is_some(), "it is not away");
        let its = Arc::clone(&cluster);
        spawn_blocking(move || its.signal("CONT")).await.unwrap();
        let (back, is_over) = (tick(), || node.app.outage().is_none());
        assert!(comes_true(TOLD_MAX, is_over).await, "it goes on under load");
        println!("over {:?} after the database was back, under load", back.elapsed());
    }
    let ledger = Arc::clone(&traffic.ledger);
    let sent = traffic.stop().await;
    let refused = ledger.entries().iter().filter(|it| !it.outcome.is_token()).count();
    println!("{} requests, {refused} refused (at most 0)", sent.len());
    assert!(hardly_any(refused, sent.len()), "{refused}");
    let other = node.beside_with(RULES).await;
    // All of them would take a minute.
    let some: Vec<_> = sent.into_iter().step_by(10).collect();
    replay(&[node.address, other.address], &ledger, &some).await;
    assert_eq!(ledger.faults(), Vec::<String>::new());
    assert_eq!(ledger.unverified(&key_sets(&[other.address]).await), 0);
    assert_eq!(told(&node, 2).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n15_a_connection_that_has_died_is_no_outage() {
    let cluster = spawn_blocking(Cluster::new).await.unwrap();
    let place = Place::on(cluster.database()).await;
    let node = TestServer::on(place, &[Trust::of(pki())], RULES).await;
    set_policy(&node, "test:read", OutagePolicy::Issue).await;
    let sql = node.sql().await;
    for _ in 0..3 {
        for scope in ["test:read", "test:write"] {
            assert_eq!(node.ask(&assertion(scope)).await.status, 200, "{scope}");
            let others = "select count(pg_terminate_backend(pid)) from pg_stat_activity \
                          where application_name = 'portvakt'";
            assert!(sql.number(others).await > 0);
        }
        assert_eq!(node.ask(&assertion("test:write")).await.status, 200);
    }
    assert_eq!(node.app.outage(), None);
    assert_eq!(node.app.issuer.replay.outage(), None, "there has been one");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n15_a_database_that_is_there_is_no_outage_and_who_cannot_follow_it_takes_no_work() {
    let long = RULES.replace("issue_seconds_max = 8", "issue_seconds_max = 600");
    let node = TestServer::on(Place::new().await, &[Trust::of(pki())], &long).await;
    set_policy(&node, "test:read", OutagePolicy::Issue).await;
    // What is spent is kept, and changes cannot be read.
    let standing = node.sql().await.lock("change").await;
    let ready = async {
        while node.app.ready().is_ok() {
            node.ask(&assertion("test:read")).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let noticed = tokio::time::timeout(most(Duration::from_secs(5)), ready).await;
    check_away(&node.ask(&assertion("test:write")).await);
    drop(standing);
    assert!(noticed.is_ok(), "it takes work, of which nothing comes");
    assert!(comes_true(TOLD_MAX, || node.app.ready().is_ok()).await);
    assert_eq!(node.ask(&assertion("test:read")).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n15_a_database_that_takes_no_writes_is_away() {
    let cluster = spawn_blocking(Cluster::new).await.unwrap();
    let place = Place::on(cluster.database()).await;
    let node = TestServer::on(place, &[Trust::of(pki())], RULES).await;
    set_policy(&node, "test:read", OutagePolicy::Issue).await;
    assert_eq!(node.ask(&assertion("test:read")).await.status, 200);
    let sql = node.sql().await;
    sql.execute("alter system set default_transaction_read_only = on").await;
    sql.execute("select pg_reload_conf()").await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let gone = tick();
    while gone.elapsed() < GOES_ON / 2 {
        let reply = node.ask(&assertion("test:read")).await;
        assert_eq!(reply.status, 200, "after {:?}: {}", gone.elapsed(), reply.text());
        check_away(&node.ask(&assertion("test:write")).await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(node.app.ready().is_ok(), "it takes work");
    sql.execute("alter system reset default_transaction_read_only").await;
    sql.execute("select pg_reload_conf()").await;
    assert!(comes_true(TOLD_MAX, || node.app.outage().is_none()).await);
    assert_eq!(node.ask(&assertion("test:write")).await.status, 200);
}
