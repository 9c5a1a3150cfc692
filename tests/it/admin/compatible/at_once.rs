//! A change is there in the very next token request.

use serde_json::{Value, json};

use super::{call, done, minimal_client};
use crate::harness::admin::AdminServer;
use crate::harness::caller::{Caller, Key};
use crate::harness::http::Reply;
use crate::harness::{CONSUMER, PROVIDER};

/// A client that has just been made over the API, as it would fetch tokens.
fn caller(id: &str, key: &Key, kid: &str) -> Caller {
    Caller {
        client_id: id.to_owned(),
        key: key.clone(),
        hint: ("kid", kid.into()),
        scope: "test:fresh",
        good: None,
    }
}

async fn ask(admin: &AdminServer, caller: &Caller) -> Reply {
    admin.server.ask(&caller.assertion()).await
}

async fn must_get(admin: &AdminServer, caller: &Caller, when: &str) {
    let reply = ask(admin, caller).await;
    assert_eq!(reply.status, 200, "{when}: {}", reply.text());
}

async fn must_not(admin: &AdminServer, caller: &Caller, code: &str, when: &str) {
    let reply = ask(admin, caller).await;
    assert!(reply.status >= 400, "{when}: a token");
    assert!(reply.text().contains(code), "{when}: {}", reply.text());
}

#[tokio::test]
async fn from_nothing_to_a_token_and_back_with_every_change_at_once() {
    let admin = AdminServer::start().await;
    let provider = admin.full_token(PROVIDER).await;
    let consumer = admin.full_token(CONSUMER).await;
    let scope = json!({"prefix": "test", "subscope": "fresh", "description": "Fresh"});
    done(&admin, &provider, "POST /api/v1/scopes", scope.clone()).await;
    let access =
        |method: &str| format!("{method} /api/v1/scopes/access/{CONSUMER}?scope=test:fresh");
    let (status, _) =
        call(&admin, &consumer, "POST /api/v1/clients", minimal_client("test:fresh")).await;
    assert_eq!(status, 400, "a client cannot have a scope that nobody has granted");
    done(&admin, &provider, &access("PUT"), Value::Null).await;
    let made = done(&admin, &consumer, "POST /api/v1/clients", minimal_client("test:fresh")).await;
    let id = made["client_id"].as_str().unwrap();
    let jwks = format!("POST /api/v1/clients/{id}/jwks");
    let (first, second) = (Key::generate("ES256"), Key::generate("ES256"));
    done(&admin, &consumer, &jwks, json!({"keys": [first.jwk("a")]})).await;
    let (by_first, by_second) = (caller(id, &first, "a"), caller(id, &second, "b"));
    must_get(&admin, &by_first, "the first key").await;

    must_not(&admin, &by_second, "Unknown key", "before the second key").await;
    done(&admin, &consumer, &jwks, json!({"keys": [second.jwk("b")]})).await;
    must_get(&admin, &by_second, "the second key").await;
    must_not(&admin, &by_first, "Unknown key", "the first key is gone").await;

    done(&admin, &provider, &access("DELETE"), Value::Null).await;
    must_not(&admin, &by_second, "MP-", "withdrawn").await;
    done(&admin, &provider, &access("PUT"), Value::Null).await;
    must_get(&admin, &by_second, "granted again").await;

    let client = format!("/api/v1/clients/{id}");
    done(&admin, &consumer, &format!("DELETE {client}"), Value::Null).await;
    must_not(&admin, &by_second, "MP-", "F16: the client is deactivated").await;
    let mut body = minimal_client("test:fresh");
    body["active"] = true.into();
    done(&admin, &consumer, &format!("PUT {client}"), body.clone()).await;
    must_get(&admin, &by_second, "the client is active again").await;
    // G15: not on the client.
    body["scopes"] = json!([]);
    done(&admin, &consumer, &format!("PUT {client}"), body.clone()).await;
    must_not(&admin, &by_second, "invalid_scope", "the scope is off the client").await;
    body["scopes"] = json!(["test:fresh"]);
    done(&admin, &consumer, &format!("PUT {client}"), body).await;

    done(&admin, &provider, "DELETE /api/v1/scopes?scope=test:fresh", Value::Null).await;
    must_not(&admin, &by_second, "invalid_scope", "the scope is deactivated").await;
    let mut active = scope.clone();
    active["active"] = true.into();
    done(&admin, &provider, "PUT /api/v1/scopes?scope=test:fresh", active.clone()).await;
    must_get(&admin, &by_second, "the scope is restored").await;

    // Open to all: the access is not needed. Closed again, and not granted: G03.
    done(&admin, &provider, &access("DELETE"), Value::Null).await;
    active["accessible_for_all"] = true.into();
    done(&admin, &provider, "PUT /api/v1/scopes?scope=test:fresh", active.clone()).await;
    must_get(&admin, &by_second, "open to all").await;
    active["accessible_for_all"] = false.into();
    active["at_max_age"] = 30.into();
    done(&admin, &provider, "PUT /api/v1/scopes?scope=test:fresh", active.clone()).await;
    must_not(&admin, &by_second, "MP-", "closed again").await;
    done(&admin, &provider, &access("PUT"), Value::Null).await;
    let reply = ask(&admin, &by_second).await;
    assert_eq!(reply.json()["expires_in"], 29, "a second less than at_max_age: {}", reply.text());
    // G14: for another product.
    active["allowed_integration_types"] = json!(["idporten"]);
    done(&admin, &provider, "PUT /api/v1/scopes?scope=test:fresh", active).await;
    must_not(&admin, &by_second, "MP-", "for another product").await;

    done(&admin, &consumer, &format!("DELETE {client}/jwks/b"), Value::Null).await;
    must_not(&admin, &by_second, "", "the key is withdrawn").await;
}
