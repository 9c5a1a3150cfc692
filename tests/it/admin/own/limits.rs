//! H20, and how much one organization may make: too much is refused, and nobody else notices.

use std::time::Duration;

use portvakt::token::limit::BURST_SECONDS;
use serde_json::{Value, json};

use crate::admin::own::{API, assert_status, change, expect, new_client};
use crate::harness::admin::AdminServer;
use crate::harness::clock::tick;
use crate::harness::http::Reply;
use crate::harness::server::caller;
use crate::harness::{CONSUMER, PROVIDER, SUPPLIER};

/// Holds that an answer is the one to too many requests, in the shape of the API that was asked.
fn assert_too_many(line: &str, reply: &Reply) {
    let seconds: u64 = reply.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=2).contains(&seconds), "{line}: {seconds}");
    if line.contains("/api/portvakt/") {
        assert_status(line, reply, 429);
        assert_eq!(reply.json()["code"], "too_many_requests");
    } else {
        let body = expect(reply, 429);
        assert_eq!((&body["status"], &body["error"]), (&json!(429), &json!("too_many_requests")));
        assert_eq!(body["correlation_id"].as_str(), reply.header("trace-id"), "{line}");
    }
}

#[tokio::test]
async fn h20_a_caller_over_its_limit_is_refused_and_no_other() {
    let admin = AdminServer::with("[limits]\nadmin_requests_by_caller = 5\n").await;
    let database = admin.server.sql().await;
    // Refused with 403, which leaves a row in the audit trail each time.
    let body = json!({ "name": "x", "scopes": [] });
    for line in [
        format!("POST {API}/clients"),
        "POST /api/v1/clients".to_owned(),
        "POST /clients/".to_owned(),
    ] {
        let token = admin.token(CONSUMER, "idporten:dcr.read").await;
        let other = admin.token(CONSUMER, "idporten:dcr.read").await;
        let before = database.number("select count(*) from audit").await;
        let began = tick();
        let mut attempts = 0_i64;
        for turn in 0..100 {
            let reply = admin.call(Some(&token), &line, body.clone()).await;
            if reply.status == 403 {
                attempts += 1;
            } else {
                assert_too_many(&line, &reply);
            }
            if turn % 25 == 0 {
                let reply = admin.call(Some(&other), &line, body.clone()).await;
                assert_eq!(reply.status, 403, "H20 {line}: another client");
                assert_eq!(admin.server.ask(&caller("es256").assertion()).await.status, 200, "H20");
            }
        }
        let burst = 5 * BURST_SECONDS;
        let most = f64::from(burst) + 5.0 * began.elapsed().as_secs_f64();
        let passed = u32::try_from(attempts).unwrap();
        assert!(passed >= burst && f64::from(passed) <= most, "H20 {line}: {passed} of {most}");
        let rows = database.number("select count(*) from audit").await - before;
        assert_eq!(rows, attempts + 4, "H20 {line}: what is too much leaves nothing behind");
        admin.server.clock.push_uptime(Duration::from_secs(1));
        assert_eq!(admin.call(Some(&token), &line, body.clone()).await.status, 403, "H20 {line}");
    }
    let text = admin.server.app.metrics.to_text();
    assert!(text.contains("portvakt_limited_requests_total{limit=\"admin_caller\"}"), "{text}");
}

#[tokio::test]
async fn h20_a_request_counts_once() {
    let admin = AdminServer::with("[limits]\nadmin_requests_by_caller = 5\n").await;
    let token = admin.token(CONSUMER, "idporten:dcr.write").await;
    for key in 0..5 * BURST_SECONDS {
        let (key, body) = (key.to_string(), json!({ "name": "x" }).to_string());
        let headers = [("Content-Type", "application/json"), ("Idempotency-Key", key.as_str())];
        let line = format!("POST {API}/clients");
        expect(&admin.send(Some(&token), &line, &headers, body.as_bytes()).await, 201);
    }
}

#[tokio::test]
async fn h20_without_a_token_that_counts_the_address_counts() {
    let admin = AdminServer::with("[limits]\nadmin_requests_by_source = 5\n").await;
    let token = admin.token(PROVIDER, "idporten:scopes.read").await;
    let look = async |line: &str, token: Option<&str>, source: &str| {
        admin.send(token, line, &[("X-Forwarded-For", source)], b"").await
    };
    for (index, (what, line, shown, status)) in [
        ("no token", format!("GET {API}/scopes"), None, 401),
        ("a token that is none", "GET /api/v1/scopes".to_owned(), Some("x.y.z"), 401),
        ("an open list", "GET /api/v1/scopes/all".to_owned(), None, 200),
        ("the description", "GET /openapi.json".to_owned(), None, 200),
        ("nothing there", "GET /api/v1/none".to_owned(), None, 404),
    ]
    .into_iter()
    .enumerate()
    {
        let (source, other) = (format!("2001:db8:{index}::1"), format!("2001:db8:{index}:1::1"));
        let mut statuses = Vec::new();
        for _ in 0..80 {
            let reply = look(&line, shown, &source).await;
            if reply.status == 429 {
                assert_too_many(&line, &reply);
            }
            statuses.push(reply.status);
        }
        assert!(statuses[..20].iter().all(|seen| *seen == status), "H20 {what}: {statuses:?}");
        assert!(statuses.contains(&429), "H20 {what}: {statuses:?}");
        let reply = look(&line, shown, &other).await;
        assert_eq!(reply.status, status, "H20 {what} from elsewhere: {}", reply.text());
        let reply = look(&format!("GET {API}/scopes"), Some(&token), &source).await;
        assert_eq!(reply.status, 200, "H20: with a token, from there");
    }
}

#[tokio::test]
async fn an_organization_has_so_many_clients_and_no_more() {
    let admin = AdminServer::start().await;
    let token = admin.full_token(CONSUMER).await;
    let database = admin.server.sql().await;
    let differing = database.number(
        "select count(*) from organization o where o.client_count <> \
         (select count(*) from client c where c.organization_number = o.number)",
    );
    assert_eq!(differing.await, 0, "every client is counted");
    let nearly = "update organization set client_count = 199999";
    database.execute(&format!("{nearly} where number = '{CONSUMER}'")).await;
    let client = new_client(&admin, &token, json!([])).await;
    let line = format!("POST {API}/clients");
    let refused = admin.call(Some(&token), &line, json!({ "name": "x" })).await;
    assert_eq!(expect(&refused, 409)["code"], "conflict");
    assert!(refused.text().contains("200000 clients"), "{}", refused.text());
    let renamed = format!("PATCH {API}/clients/{}", client.client_id);
    expect(&change(&admin, &token, &renamed, json!({ "name": "y" })).await, 200);
    let other = admin.full_token(SUPPLIER).await;
    expect(&admin.call(Some(&other), &line, json!({ "name": "x" })).await, 201);
}

#[tokio::test]
async fn a_scope_has_so_many_accesses_and_no_more() {
    let admin = AdminServer::start().await;
    let token = admin.full_token(PROVIDER).await;
    let database = admin.server.sql().await;
    let differing = database.number(
        "select count(*) from scope s where s.access_count <> \
         (select count(*) from access a where a.scope = s.name)",
    );
    assert_eq!(differing.await, 0, "every access is counted");
    let new = json!({ "scope": "test:capped", "description": "Capped" });
    expect(&admin.call(Some(&token), &format!("POST {API}/scopes"), new).await, 201);
    let nearly = "update scope set access_count = 1999999 where name = 'test:capped'";
    database.execute(nearly).await;
    let grant = |consumer: &str| format!("PUT {API}/scopes/test%3Acapped/accesses/{consumer}");
    expect(&change(&admin, &token, &grant(CONSUMER), json!({})).await, 201);
    let refused = change(&admin, &token, &grant(SUPPLIER), json!({})).await;
    assert_eq!(expect(&refused, 409)["code"], "conflict");
    assert!(refused.text().contains("2000000 accesses"), "{}", refused.text());
    // The one that is there can still be changed, and a batch refuses the new one alone.
    let withdraw = grant(CONSUMER).replace("PUT", "DELETE");
    expect(&change(&admin, &token, &withdraw, Value::Null).await, 200);
    let batch = json!({ "grant": [{ "consumer": SUPPLIER }, { "consumer": CONSUMER }] });
    let line = format!("POST {API}/scopes/test%3Acapped/accesses/batch");
    let outcomes = admin.call(Some(&token), &line, batch).await;
    assert_eq!(outcomes.status, 200, "{}", outcomes.text());
    assert!(outcomes.text().contains("2000000 accesses"), "{}", outcomes.text());
    let accesses = "select count(*) from access where scope = 'test:capped'";
    assert_eq!(database.number(accesses).await, 1);
}
