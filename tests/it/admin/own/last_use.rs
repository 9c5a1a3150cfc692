//! When things were last used: noted once in fifteen minutes, shown a moment later, never lost by a clean stop.

use std::time::Duration;

use serde_json::{Value, json};

use crate::admin::own::{API, ask, expect, new_client};
use crate::harness::CONSUMER;
use crate::harness::admin::AdminServer;
use crate::harness::caller::Caller;
use crate::harness::clock::{NOW, tick};

async fn shown(server: &AdminServer, token: &str, path: &str) -> Value {
    expect(&server.call(Some(token), &format!("GET {API}/{path}"), Value::Null).await, 200)
}

/// Waits until the client has been used at that time.
async fn wait(server: &AdminServer, token: &str, client: &str, time: &str) {
    let began = tick();
    while shown(server, token, &format!("clients/{client}")).await["last_used_at"] != time {
        assert!(began.elapsed() < Duration::from_secs(5), "not noted");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn at(client: &Caller, now: i64) -> String {
    client.draft().claim("iat", now).claim("exp", now + 60).sign()
}

#[tokio::test]
async fn what_a_token_was_issued_by_says_when() {
    let server = AdminServer::start().await;
    let token = server.full_token(CONSUMER).await;
    let client = new_client(&server, &token, json!(["test:read", "test:write"])).await;
    let id = &client.client_id;
    let path = format!("clients/{id}");
    // One that is refused is no use.
    let refused = Caller { scope: "test:open", ..client.clone() };
    assert!(ask(&server, &refused).await.is_err());
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert!(shown(&server, &token, &path).await.get("last_used_at").is_none());

    assert_eq!(ask(&server, &client).await, Ok(()));
    wait(&server, &token, id, "2026-06-01T12:00:00Z").await;
    let keys = shown(&server, &token, &format!("{path}/keys")).await;
    assert_eq!(keys["items"][0]["last_used_at"], "2026-06-01T12:00:00Z");
    let access = format!("scopes/test%3Aread/accesses/{CONSUMER}");
    assert_eq!(shown(&server, &token, &access).await["last_used_at"], "2026-06-01T12:00:00Z");
    let unused = format!("scopes/test%3Awrite/accesses/{CONSUMER}");
    assert!(shown(&server, &token, &unused).await.get("last_used_at").is_none());
    let list = shown(&server, &token, "clients?limit=500").await;
    let items = list["items"].as_array().unwrap();
    let listed = items.iter().find(|item| item["client_id"] == id.as_str()).unwrap();
    assert_eq!(listed["last_used_at"], "2026-06-01T12:00:00Z");

    // Within fifteen minutes nothing more is written.
    let database = server.server.sql().await;
    database.execute("delete from last_use").await;
    server.server.clock.set(NOW + 899);
    assert!(server.server.ask(&at(&client, NOW + 899)).await.token().is_some());
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(database.number("select count(*) from last_use").await, 0);
    server.server.clock.set(NOW + 900);
    assert!(server.server.ask(&at(&client, NOW + 900)).await.token().is_some());
    // The token of the one who looks has ended by now.
    let began = tick();
    while database.number("select count(*) from last_use").await < 3 {
        assert!(began.elapsed() < Duration::from_secs(5), "not noted");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let earliest = database.number("select min(used_at) from last_use").await;
    assert_eq!(earliest, NOW + 900);
}

#[tokio::test]
async fn a_clean_stop_writes_what_is_queued() {
    let server = AdminServer::start().await;
    let token = server.full_token(CONSUMER).await;
    let client = new_client(&server, &token, json!(["test:read"])).await;
    assert_eq!(ask(&server, &client).await, Ok(()));
    server.server.app.finish().await;
    let path = format!("clients/{}", client.client_id);
    assert_eq!(shown(&server, &token, &path).await["last_used_at"], "2026-06-01T12:00:00Z");
}

/// A hundred thousand clients would have three times as many rows written after every start.
#[tokio::test]
async fn what_one_node_has_noted_another_does_not_note_again_so_soon() {
    let server = AdminServer::start().await;
    let token = server.full_token(CONSUMER).await;
    let client = new_client(&server, &token, json!(["test:read"])).await;
    assert_eq!(ask(&server, &client).await, Ok(()));
    wait(&server, &token, &client.client_id, "2026-06-01T12:00:00Z").await;
    server.server.app.finish().await;

    let other = server.server.beside().await;
    let database = other.sql().await;
    // The client, its key and its access.
    let noted_at = async |second: i64| {
        let names = format!("('{0}', '{0} ' || kid, 'test:read {CONSUMER}')", client.client_id);
        let statement = format!(
            "select count(*) from last_use, (select kid from client_key where client_id = '{}') \
             as its where key in {names} and used_at = {second}",
            client.client_id
        );
        database.number(&statement).await
    };
    assert_eq!(noted_at(NOW).await, 3);
    other.clock.set(NOW + 899);
    assert!(other.ask(&at(&client, NOW + 899)).await.token().is_some());
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(noted_at(NOW).await, 3);
    other.clock.set(NOW + 900);
    assert!(other.ask(&at(&client, NOW + 900)).await.token().is_some());
    other.app.finish().await;
    assert_eq!(noted_at(NOW + 900).await, 3);
}
