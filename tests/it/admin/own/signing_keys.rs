//! Signing keys take turns, and no token of any of them is refused while it lives.

use portvakt::clock::Clock as _;
use portvakt::registry::OtherAlgorithms;
use serde_json::{Value, json};

use crate::admin::own::{assert_status, items};
use crate::harness::admin::AdminServer;
use crate::harness::caller::Caller;
use crate::harness::clock::NOW;
use crate::harness::published::{accepts, key_set, kid_of, kids};
use crate::harness::server::{TestServer, caller, server_key};
use crate::harness::{CONSUMER, PROVIDER};

const HOUR: i64 = 60 * 60;
const DAY: i64 = 24 * HOUR;

/// A token of a client whose clock is the server's.
async fn token_for(server: &TestServer, who: &Caller) -> String {
    let now = server.clock.now().seconds();
    let draft = who.draft().claim("iat", now).claim("exp", now + 60);
    let reply = server.ask(&draft.sign()).await;
    reply.token().unwrap_or_else(|| panic!("no token: {}", reply.text()))
}

async fn token(server: &TestServer) -> String {
    token_for(server, &caller("es256")).await
}

async fn operator_token(admin: &AdminServer) -> String {
    token_for(&admin.server, &admin.client(PROVIDER, "portvakt:admin").await).await
}

/// The states of the keys, newest first.
async fn states(admin: &AdminServer) -> Vec<String> {
    let operator = operator_token(admin).await;
    let keys = items(&admin.look(&operator, "/signing-keys").await);
    keys.iter().map(|key| key["state"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_key_is_announced_a_day_ahead_and_leaves_when_its_last_token_is_dead() {
    let admin = AdminServer::start().await;
    let server = &admin.server;
    let operator = operator_token(&admin).await;
    let old = server_key().0.clone();
    let made = admin.own(&operator, "POST /signing-keys", "", json!({})).await;
    assert_status("rotated", &made, 201);
    let new = made.json()["kid"].as_str().unwrap().to_owned();
    assert_eq!(made.json()["state"], "ANNOUNCED");
    assert_eq!(kids(server.address).await, [new.clone(), old.clone()]);
    let again = admin.own(&operator, "POST /signing-keys", "", json!({})).await;
    assert_status("one is announced already", &again, 409);

    // An API that fetched the keys when the new one was announced, and has not fetched them since.
    let cached = key_set(server.address).await;
    server.clock.set(NOW + DAY - 1);
    let last_of_old = token(server).await;
    assert_eq!(kid_of(&last_of_old), old);
    server.clock.set(NOW + DAY);
    let first_of_new = token(server).await;
    assert_eq!(kid_of(&first_of_new), new);
    assert!(accepts(&cached, &last_of_old) && accepts(&cached, &first_of_new));
    assert_eq!(states(&admin).await, ["ACTIVE", "RETIRING"]);
    assert!(
        accepts(&key_set(server.address).await, &last_of_old),
        "it is alive, and its key is published"
    );

    server.app.registry.keep_signing_keys(OtherAlgorithms::Retired).await.unwrap();
    assert_eq!(kids(server.address).await.len(), 2, "it is too early to retire the old key");
    server.clock.set(NOW + DAY + DAY + 2 * HOUR);
    server.app.registry.keep_signing_keys(OtherAlgorithms::Retired).await.unwrap();
    assert_eq!(kids(server.address).await, [new]);
    assert_eq!(states(&admin).await, ["ACTIVE", "RETIRED"]);
    let rows = server.store.signing_keys_in_use().await.unwrap();
    assert_eq!(rows.len(), 1);
    let operator = operator_token(&admin).await;
    let trail = items(&admin.look(&operator, "/audit?noun=signing_key").await);
    let acts: Vec<_> = trail.iter().map(|row| row["action"].as_str().unwrap()).collect();
    assert_eq!(acts[..2], ["retire", "rotate"]);
}

#[tokio::test]
async fn in_an_emergency_another_key_signs_at_once_and_the_old_one_is_retired() {
    let admin = AdminServer::start().await;
    let server = &admin.server;
    let operator = operator_token(&admin).await;
    let old = server_key().0.clone();
    let stolen = token(server).await;
    let retire = format!("DELETE /signing-keys/{old}");
    let refused = admin.own(&operator, &retire, "*", Value::Null).await;
    assert_status("the key that signs", &refused, 409);
    let announced = admin.own(&operator, "POST /signing-keys", "", json!({})).await.json();
    let made = admin.own(&operator, "POST /signing-keys", "", json!({ "now": true })).await;
    assert_status("brought forward", &made, 201);
    assert_eq!(made.json()["kid"], announced["kid"]);
    assert_eq!(made.json()["signs"], true);
    let fresh = token(server).await;
    assert_eq!(kid_of(&fresh), announced["kid"].as_str().unwrap());
    assert!(accepts(&key_set(server.address).await, &stolen));
    // The operator's own token is of the old key, and still good: it is not retired yet.
    assert_status("retired", &admin.own(&operator, &retire, "*", Value::Null).await, 200);
    assert!(!accepts(&key_set(server.address).await, &stolen));
    assert!(accepts(&key_set(server.address).await, &fresh));
    assert_status("of the old key", &admin.look(&operator, "/signing-keys").await, 401);
    let operator = operator_token(&admin).await;
    let gone = admin.own(&operator, &retire, "*", Value::Null).await;
    assert_status("retired twice", &gone, 404);
    let wrong = admin.own(&operator, "POST /signing-keys", "", json!({ "now": 1 })).await;
    assert_status("a wrong body", &wrong, 400);
    // A key that has been announced by mistake is withdrawn, and another can be announced.
    let first = admin.own(&operator, "POST /signing-keys", "", json!({})).await.json();
    let line = format!("DELETE /signing-keys/{}", first["kid"].as_str().unwrap());
    assert_status("withdrawn", &admin.own(&operator, &line, "*", Value::Null).await, 200);
    let second = admin.own(&operator, "POST /signing-keys", "", json!({})).await;
    assert_status("another", &second, 201);
}

#[tokio::test]
async fn keys_are_replaced_by_themselves_once_however_many_nodes_look_after_them() {
    let admin = AdminServer::start().await;
    let server = &admin.server;
    let beside = server.beside().await;
    let settle = async || {
        let (one, other) = (&server.app.registry, &beside.app.registry);
        let both = tokio::join!(
            Box::pin(one.keep_signing_keys(OtherAlgorithms::Retired)),
            Box::pin(other.keep_signing_keys(OtherAlgorithms::Retired))
        );
        assert!(both.0.is_ok() || both.1.is_ok(), "{both:?}");
        for node in [server, &beside] {
            node.app.issuer.feed.catch_up().await.unwrap();
        }
    };
    settle().await;
    assert_eq!(kids(server.address).await.len(), 1);
    for node in [server, &beside] {
        node.clock.set(NOW + 364 * DAY);
    }
    settle().await;
    assert_eq!(kids(server.address).await.len(), 2);
    assert_eq!(kids(server.address).await, kids(beside.address).await);
    settle().await;
    assert_eq!(kids(server.address).await.len(), 2, "one is announced already");
    for node in [server, &beside] {
        node.clock.set(NOW + 365 * DAY);
    }
    let client = admin.client(CONSUMER, "test:read").await;
    beside.app.issuer.feed.catch_up().await.unwrap();
    let both = [token_for(server, &client).await, token_for(&beside, &client).await];
    assert_eq!(kid_of(&both[0]), kid_of(&both[1]));
    assert_ne!(kid_of(&both[0]), server_key().0);
    // Whoever asks both at the same moment for another gets one.
    let (by, start) =
        (crate::harness::server::actor(), portvakt::registry::SigningStart::Announced);
    let (one, other) = (&server.app.registry, &beside.app.registry);
    let asked =
        tokio::join!(one.rotate_signing_key(&by, start), other.rotate_signing_key(&by, start));
    assert!(asked.0.is_ok() != asked.1.is_ok(), "{asked:?}");
}
