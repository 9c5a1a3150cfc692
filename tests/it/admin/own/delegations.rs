//! Delegations in our own register.

use serde_json::{Value, json};

use crate::admin::own::{API, change, expect};
use crate::harness::admin::AdminServer;
use crate::harness::server::caller;
use crate::harness::{CONSUMER, ISSUER, PROVIDER, SUPPLIER};

fn at(method: &str, scope: &str) -> String {
    format!("{method} {API}/delegations/{CONSUMER}/{SUPPLIER}/{scope}")
}

async fn supplier_asks(server: &AdminServer) -> bool {
    let draft = caller("supplier").draft();
    let draft = draft.claim("scope", "test:delegated").claim("consumer_org", CONSUMER);
    server.server.ask(&draft.sign()).await.token().is_some()
}

#[tokio::test]
async fn a_delegation_holds_from_when_it_is_given_until_it_is_withdrawn() {
    let server = AdminServer::start().await;
    let token = server.full_token(CONSUMER).await;
    let theirs = server.full_token(SUPPLIER).await;
    assert!(supplier_asks(&server).await);
    let off = change(&server, &token, &at("DELETE", "test%3Adelegated"), Value::Null).await;
    assert!(expect(&off, 200)["revoked_at"].is_string());
    assert!(!supplier_asks(&server).await);

    let list = format!("GET {API}/delegations");
    let page = expect(&server.call(Some(&theirs), &list, Value::Null).await, 200);
    assert_eq!(page["items"], json!([]));
    let page = server.call(Some(&theirs), &format!("{list}?inactive=true"), Value::Null).await;
    assert_eq!(expect(&page, 200)["items"].as_array().unwrap().len(), 1);

    // It is there already, so a change must say which version it has seen.
    let body = json!({ "valid_to": "2030-01-01T00:00:00Z" });
    let unseen = server.call(Some(&token), &at("PUT", "test:delegated"), body.clone()).await;
    expect(&unseen, 428);
    let on = expect(&change(&server, &token, &at("PUT", "test:delegated"), body).await, 200);
    assert_eq!(on["valid_to"], "2030-01-01T00:00:00Z");
    assert_eq!(on["source"], ISSUER);
    assert!(on.get("revoked_at").is_none());
    assert!(supplier_asks(&server).await);
    let shown = server.call(Some(&theirs), &at("GET", "test:delegated"), Value::Null).await;
    assert_eq!(expect(&shown, 200)["supplier"], SUPPLIER);
    // Only the consumer decides.
    let by_supplier = change(&server, &theirs, &at("DELETE", "test:delegated"), Value::Null).await;
    expect(&by_supplier, 403);
    assert!(supplier_asks(&server).await);

    let line = format!("GET {API}/audit?noun=delegation");
    let rows = expect(&server.call(Some(&token), &line, Value::Null).await, 200);
    let told =
        |row: usize| (rows["items"][row]["action"].clone(), rows["items"][row]["outcome"].clone());
    assert_eq!(told(0), (json!("withdraw"), json!("refused")));
    assert_eq!(told(1), (json!("grant"), json!("done")));
    assert_eq!(told(2), (json!("withdraw"), json!("done")));
    assert!(rows["items"][2]["before"]["revoked_at"].is_null());
    assert!(rows["items"][2]["after"]["revoked_at"].is_string());
}

#[tokio::test]
async fn a_delegation_needs_a_scope_that_can_be_delegated_and_two_organizations() {
    let server = AdminServer::start().await;
    let token = server.full_token(CONSUMER).await;
    let put = |supplier: &str, scope: &str| {
        format!("PUT {API}/delegations/{CONSUMER}/{supplier}/{scope}")
    };
    for (line, body, status) in [
        (put(SUPPLIER, "test:read"), json!({}), 409),
        (put(SUPPLIER, "nobody:scope"), json!({}), 404),
        (put(SUPPLIER, "no%20scope"), json!({}), 400),
        (put(CONSUMER, "test:delegated"), json!({}), 400),
        (put("123456789", "test:delegated"), json!({}), 400),
        (put(PROVIDER, "test:delegated"), json!({ "valid_to": "2020-01-01T00:00:00Z" }), 400),
        (put(PROVIDER, "test:delegated"), json!({ "source": "https://x/" }), 400),
        (put(PROVIDER, "test:delegated"), json!({}), 201),
    ] {
        let reply = server.call(Some(&token), &line, body).await;
        assert_eq!(reply.status, status, "{line}: {}", reply.text());
    }
    let line = format!("GET {API}/delegation-sources");
    let sources = expect(&server.call(Some(&token), &line, Value::Null).await, 200);
    assert_eq!(sources, json!({ "items": [{ "issuer": ISSUER, "name": "Portvakt" }] }));
}
