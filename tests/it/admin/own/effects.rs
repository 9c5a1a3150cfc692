//! A change is seen by the very next token request.

use serde_json::{Value, json};

use crate::admin::own::assert_status;
use crate::harness::admin::AdminServer;
use crate::harness::clock::NOW;
use crate::harness::http::Reply;
use crate::harness::server::caller;
use crate::harness::{CONSUMER, PROVIDER};

/// What comes of the consumer's asking for a scope.
async fn ask(admin: &AdminServer, scope: &str) -> Reply {
    admin.server.ask(&caller("es256").draft().claim("scope", scope).sign()).await
}

fn assert_token(what: &str, reply: &Reply, expected: bool) {
    assert_eq!(reply.token().is_some(), expected, "{what}: {}", reply.text());
}

#[tokio::test]
async fn accesses_hold_from_the_next_token_on_and_not_a_token_longer() {
    let admin = AdminServer::start().await;
    let owner = admin.token(PROVIDER, "idporten:scopes.write").await;
    let consumer = admin.token(CONSUMER, "idporten:dcr.write").await;
    let access = "/scopes/test%3Aclosed/accesses/310000116";
    assert_token("before", &ask(&admin, "test:closed").await, false);
    let terms = json!({ "expires_at": "2026-06-01T12:00:30Z" });
    let granted = admin.own(&owner, &format!("PUT {access}"), "*", terms).await;
    assert_status("granted", &granted, 200);
    assert_token("granted", &ask(&admin, "test:closed").await, true);
    admin.server.clock.set(NOW + 30);
    assert_token("expired", &ask(&admin, "test:closed").await, false);
    let asked = json!({ "scope": "test:closed" });
    let reply = admin.own(&consumer, "POST /access-requests", "", asked).await;
    assert_status("asked", &reply, 201);
    assert_token("asked for", &ask(&admin, "test:closed").await, false);
    let reply = admin.own(&owner, &format!("POST {access}/approve"), "", json!({})).await;
    assert_status("approved", &reply, 200);
    assert_token("approved", &ask(&admin, "test:closed").await, true);
    let reply = admin.own(&owner, &format!("DELETE {access}"), "*", Value::Null).await;
    assert_status("withdrawn", &reply, 200);
    assert_token("withdrawn", &ask(&admin, "test:closed").await, false);
    let batch = json!({ "grant": [{ "consumer": CONSUMER }] });
    admin.own(&owner, "POST /scopes/test%3Aclosed/accesses/batch", "", batch).await;
    assert_token("granted with others", &ask(&admin, "test:closed").await, true);
}

#[tokio::test]
async fn a_deactivated_scope_gives_no_token_until_it_is_restored() {
    let admin = AdminServer::start().await;
    let owner = admin.token(PROVIDER, "idporten:scopes.write").await;
    assert_token("before", &ask(&admin, "test:read").await, true);
    let gone = admin.own(&owner, "DELETE /scopes/test%3Aread", "*", Value::Null).await;
    assert_eq!(gone.json()["active"], false, "{}", gone.text());
    assert_token("deactivated", &ask(&admin, "test:read").await, false);
    let back = admin.own(&owner, "POST /scopes/test%3Aread/restore", "", Value::Null).await;
    assert_eq!(back.json()["active"], true, "{}", back.text());
    assert_token("restored", &ask(&admin, "test:read").await, true);
}

#[tokio::test]
async fn a_deactivated_organization_gets_nothing_and_nobody_gets_anything_for_it() {
    let admin = AdminServer::start().await;
    let operator = admin.token(PROVIDER, "portvakt:admin").await;
    let own = admin.token(CONSUMER, "idporten:scopes.read").await;
    let for_consumer = || {
        let draft = caller("supplier").draft();
        draft.claim("scope", "test:delegated").claim("consumer_org", CONSUMER).sign()
    };
    for (active, status) in [(true, 200), (false, 401), (true, 200)] {
        let body = json!({ "active": active });
        let line = "PATCH /organizations/310000116";
        assert_status(line, &admin.own(&operator, line, "*", body).await, 200);
        assert_token("its own client", &ask(&admin, "test:read").await, active);
        assert_token("on its behalf", &admin.server.ask(&for_consumer()).await, active);
        assert_status("the admin API", &admin.look(&own, "/me").await, status);
    }
}
