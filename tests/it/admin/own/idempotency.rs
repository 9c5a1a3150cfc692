//! Idempotency-Key (H15): a POST that comes twice is done once.

use portvakt::clock::Timestamp;
use portvakt::store::{MarkBounds, MarkedRequest};
use serde_json::{Value, json};

use crate::admin::own::{API, expect, new_client};
use crate::harness::CONSUMER;
use crate::harness::admin::AdminServer;
use crate::harness::clock::NOW;
use crate::harness::http::Reply;

async fn post(server: &AdminServer, token: &str, path: &str, key: &str, body: &Value) -> Reply {
    let headers = [("Content-Type", "application/json"), ("Idempotency-Key", key)];
    let line = format!("POST {API}/{path}");
    server.send(Some(token), &line, &headers, body.to_string().as_bytes()).await
}

async fn clients(server: &AdminServer, token: &str) -> usize {
    let line = format!("GET {API}/clients?limit=500");
    let page = expect(&server.call(Some(token), &line, Value::Null).await, 200);
    page["items"].as_array().unwrap().len()
}

#[tokio::test]
async fn the_same_request_is_answered_again_and_done_once() {
    let server = AdminServer::start().await;
    let token = server.full_token(CONSUMER).await;
    let body = json!({ "name": "once" });
    let first = post(&server, &token, "clients", "\"key-1\"", &body).await;
    expect(&first, 201);
    let before = clients(&server, &token).await;
    let again = post(&server, &token, "clients", "\"key-1\"", &body).await;
    assert_eq!((again.status, &again.body), (201, &first.body));
    for name in ["etag", "content-type", "cache-control"] {
        assert_eq!(again.header(name), first.header(name), "{name}");
        assert!(again.header(name).is_some(), "{name}");
    }
    assert_eq!(clients(&server, &token).await, before);

    let other = post(&server, &token, "clients", "\"key-1\"", &json!({ "name": "two" })).await;
    assert_eq!(expect(&other, 422)["code"], "idempotency_key");
    let elsewhere = post(&server, &token, "prefixes", "\"key-1\"", &body).await;
    expect(&elsewhere, 422);
    let query = post(&server, &token, "clients?a=b", "\"key-1\"", &body).await;
    expect(&query, 422);
    // A key is its caller's own.
    let stranger = server.full_token(CONSUMER).await;
    let theirs = post(&server, &stranger, "clients", "\"key-1\"", &body).await;
    assert_ne!(expect(&theirs, 201)["client_id"], first.json()["client_id"]);

    // What was refused is refused again in the same words.
    let bad = json!({ "name": "" });
    let refused = post(&server, &token, "clients", "key-2", &bad).await;
    expect(&refused, 400);
    let again = post(&server, &token, "clients", "key-2", &bad).await;
    assert_eq!((again.status, &again.body), (400, &refused.body));
    assert_eq!(again.header("content-type"), Some("application/problem+json"));
}

#[tokio::test]
async fn a_key_is_visible_ascii_and_a_caller_must_be_known() {
    let server = AdminServer::start().await;
    let token = server.full_token(CONSUMER).await;
    let body = json!({ "name": "x" });
    for key in ["", "a b", "\u{e5}", &"k".repeat(256)] {
        expect(&post(&server, &token, "clients", key, &body).await, 400);
    }
    let line = format!("POST {API}/clients");
    let twice =
        [("Content-Type", "application/json"), ("Idempotency-Key", "a"), ("Idempotency-Key", "a")];
    expect(&server.send(Some(&token), &line, &twice, b"{}").await, 400);
    expect(&post(&server, &token, "clients", &"k".repeat(255), &body).await, 201);
    let none = server.send(None, &line, &twice[..2], body.to_string().as_bytes()).await;
    expect(&none, 401);
    expect(&post(&server, &token, "clients", "a", &body).await, 201);
    // Other methods have no use for it.
    let client = new_client(&server, &token, json!([])).await.client_id;
    let line = format!("GET {API}/clients/{client}");
    expect(&server.send(Some(&token), &line, &[("Idempotency-Key", "a")], b"").await, 200);
}

#[tokio::test]
async fn of_two_at_once_one_is_done() {
    let server = AdminServer::start().await;
    let token = server.full_token(CONSUMER).await;
    let before = clients(&server, &token).await;
    let body = json!({ "name": "at once" });
    let ask = || post(&server, &token, "clients", "at-once", &body);
    let replies = tokio::join!(ask(), ask(), ask(), ask(), ask());
    let replies = [replies.0, replies.1, replies.2, replies.3, replies.4];
    let statuses = replies.each_ref().map(|reply| reply.status);
    assert!(statuses.contains(&201), "{statuses:?}");
    assert!(statuses.iter().all(|status| [201, 409].contains(status)), "{statuses:?}");
    assert_eq!(clients(&server, &token).await, before + 1);
}

#[tokio::test]
async fn a_server_that_died_blocks_a_key_for_a_minute() {
    let server = AdminServer::start().await;
    let client = server.client(CONSUMER, "idporten:dcr.write").await;
    let token = server.token_of(&client.draft()).await;
    let body = json!({ "name": "interrupted" });
    let target = format!("{API}/clients");
    let body_text = body.to_string();
    let request = MarkedRequest::new(&client.client_id, "k", "POST", &target, body_text.as_bytes());
    let now = Timestamp::from_seconds(NOW);
    let before = now.minus_seconds(1);
    let bounds = MarkBounds { oldest: before, oldest_under_way: before, kept_max: 1 };
    let organization = CONSUMER.parse().ok();
    server.server.store.begin_marked(&request, organization, bounds, now).await.unwrap();
    expect(&post(&server, &token, "clients", "k", &body).await, 409);
    server.server.clock.set(NOW + 60);
    expect(&post(&server, &token, "clients", "k", &body).await, 409);
    server.server.clock.set(NOW + 61);
    let done = expect(&post(&server, &token, "clients", "k", &body).await, 201);
    let again = expect(&post(&server, &token, "clients", "k", &body).await, 201);
    assert_eq!(again, done);

    // A day later it is another request.
    let tomorrow = NOW + 61 + 24 * 60 * 60 + 1;
    server.server.clock.set(tomorrow);
    let draft = client.draft().claim("iat", tomorrow).claim("exp", tomorrow + 60);
    let token = server.token_of(&draft).await;
    let anew = expect(&post(&server, &token, "clients", "k", &body).await, 201);
    assert_ne!(anew["client_id"], done["client_id"]);
}

#[tokio::test]
async fn an_answer_that_the_server_has_failed_is_not_kept() {
    let server = AdminServer::start().await;
    let token = server.full_token(CONSUMER).await;
    let database = server.server.sql().await;
    database.execute("alter table client rename to client_elsewhere").await;
    let body = json!({ "name": "again" });
    expect(&post(&server, &token, "clients", "k", &body).await, 503);
    expect(&post(&server, &token, "clients", "k", &body).await, 503);
    database.execute("alter table client_elsewhere rename to client").await;
    expect(&post(&server, &token, "clients", "k", &body).await, 201);
}

#[tokio::test]
async fn nothing_is_kept_of_what_a_client_without_rights_asks() {
    let server = AdminServer::start().await;
    let token = server.token(CONSUMER, "test:read").await;
    for key in ["a", "b"] {
        expect(&post(&server, &token, "clients", key, &json!({ "name": "x" })).await, 403);
    }
    let kept = server.server.sql().await.number("select count(*) from idempotency").await;
    assert_eq!(kept, 0);
}
