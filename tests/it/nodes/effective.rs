//! N11: when a change holds on all nodes is said by every one of them.

use std::time::Duration;

use portvakt::domain::record::Expected;
use portvakt::registry::AccessTerms;

use serde_json::{Value, json};

use crate::harness::admin::AdminServer;
use crate::harness::clock::tick;
use crate::harness::http::Reply;
use crate::harness::mark::most;
use crate::harness::server::{actor, caller};
use crate::harness::{CONSUMER, PROVIDER};

/// The number of the last change that the node that has answered has.
fn seq(reply: &Reply) -> i64 {
    let seq = reply.header("portvakt-change-seq").unwrap_or_else(|| panic!("{}", reply.text()));
    seq.parse().unwrap()
}

/// Asks whether a change holds everywhere.
async fn effective(server: &AdminServer, token: &str, seq: i64) -> Value {
    let line = format!("GET /api/portvakt/v1/effective/{seq}");
    let reply = server.call(Some(token), &line, Value::Null).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

#[tokio::test]
async fn n11_on_one_node_a_change_holds_when_it_is_answered() {
    let server = AdminServer::start().await;
    let token = server.token(PROVIDER, "portvakt:admin").await;
    let looked = server.call(Some(&token), "GET /api/portvakt/v1/me", Value::Null).await;
    let body = json!({ "scope": "test:numbered", "description": "Numbered" });
    let made = server.call(Some(&token), "POST /api/portvakt/v1/scopes", body).await;
    assert_eq!(made.status, 201, "{}", made.text());
    assert_eq!(seq(&made), seq(&looked) + 1);
    // Digdir's addresses and refusals say it as well.
    let refused = server.call(None, "GET /api/v1/clients", Value::Null).await;
    assert_eq!(seq(&refused), seq(&made));
    let reach = effective(&server, &token, seq(&made)).await;
    assert_eq!(reach, json!({ "seq": seq(&made), "effective": true, "nodes": 1, "behind": 0 }));
    let later = effective(&server, &token, seq(&made) + 1).await;
    assert_eq!((&later["effective"], &later["behind"]), (&false.into(), &1.into()));
    for (bad, status) in [("x", 400), ("-1", 400), ("9223372036854775808", 400)] {
        let line = format!("GET /api/portvakt/v1/effective/{bad}");
        assert_eq!(server.call(Some(&token), &line, Value::Null).await.status, status, "{bad}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n11_what_is_said_to_hold_on_three_nodes_does() {
    let first = AdminServer::start().await;
    let nodes = [first.server.beside().await, first.server.beside().await];
    let token = first.token(PROVIDER, "portvakt:admin").await;
    let scope = "test:read";
    let mut slowest = Duration::ZERO;
    for turn in 0..20 {
        let line = format!("/api/portvakt/v1/scopes/test%3Aread/accesses/{CONSUMER}");
        let grants = turn % 2 == 1;
        let (method, body) = if grants { ("PUT", "{}") } else { ("DELETE", "") };
        let headers = [("If-Match", "*"), ("Content-Type", "application/json")];
        let line = format!("{method} {line}");
        let changed = first.send(Some(&token), &line, &headers, body.as_bytes()).await;
        assert!(changed.status < 300, "{}", changed.text());
        let began = tick();
        loop {
            let reach = effective(&first, &token, seq(&changed)).await;
            assert_eq!(reach["nodes"], 3, "{reach}");
            if reach["effective"] == true {
                break;
            }
            assert!(began.elapsed() < most(Duration::from_secs(1)), "{reach}");
        }
        slowest = slowest.max(began.elapsed());
        for node in &nodes {
            let reply = node.ask(&caller("es256").assertion()).await;
            assert_eq!(reply.status == 200, grants, "{scope}: {}", reply.text());
        }
    }
    println!("said to hold on three nodes after {slowest:?} at most");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: tests/postgres run cargo test --test it -- --include-ignored"]
async fn n11_a_node_that_does_not_follow_is_behind_until_it_is_dead() {
    let first = AdminServer::start().await;
    let token = first.token(PROVIDER, "portvakt:admin").await;
    let sql = first.server.sql().await;
    let (seen, issuer) = (crate::harness::clock::NOW, crate::harness::ISSUER);
    sql.execute(&format!(
        "insert into node (id, issuer, seen_at, applied_seq) values ('stuck', '{issuer}', {seen}, 1)"
    ))
    .await;
    let consumer = CONSUMER.parse().unwrap();
    let scope = "test:write".parse().unwrap();
    let registry = &first.server.app.registry;
    registry
        .grant_access(&actor(), &scope, consumer, AccessTerms::default(), Expected::Anything)
        .await
        .unwrap();
    let now = 2;
    assert_eq!(effective(&first, &token, now).await["behind"], 1);
    sql.execute("update node set seen_at = seen_at - 31 where id = 'stuck'").await;
    let reach = effective(&first, &token, now).await;
    assert_eq!((&reach["effective"], &reach["nodes"]), (&true.into(), &1.into()));
}
