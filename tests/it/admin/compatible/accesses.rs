//! Accesses.

use portvakt::clock::Timestamp;
use portvakt::domain::record::Expected;
use portvakt::registry::AccessTerms;
use serde_json::{Value, json};

use super::{call, done};
use crate::harness::admin::AdminServer;
use crate::harness::clock::NOW;
use crate::harness::server::actor;
use crate::harness::{CONSUMER, PROVIDER, SUPPLIER};

/// An organization that nobody has registered.
const STRANGER: &str = "310000132";

#[tokio::test]
async fn an_access_is_shown_as_the_reference_has_it_and_stays_when_it_is_withdrawn() {
    let admin = AdminServer::start().await;
    let token = admin.full_token(PROVIDER).await;
    let line = |method: &str| format!("{method} /api/v1/scopes/access/{STRANGER}?scope=test:read");
    let granted = done(&admin, &token, &line("PUT"), Value::Null).await;
    let expected = json!({
        "scope": "test:read", "state": "APPROVED", "consumer_orgno": STRANGER,
        "owner_orgno": PROVIDER, "owner_organization_name": PROVIDER,
        "created": "2026-06-01T12:00:00Z", "last_updated": "2026-06-01T12:00:00Z",
    });
    assert_eq!(granted, expected);
    admin.server.clock.set(NOW + 5);
    let withdrawn = done(&admin, &token, &line("DELETE"), Value::Null).await;
    assert_eq!(withdrawn["state"], "DENIED");
    assert_eq!(withdrawn["created"], "2026-06-01T12:00:00Z");
    assert_eq!(withdrawn["last_updated"], "2026-06-01T12:00:05Z");
    let states = async |token: &str, line: &str| {
        let all = done(&admin, token, line, Value::Null).await;
        let state = |it: &Value| {
            let text = |name: &str| it[name].as_str().unwrap().to_owned();
            format!("{} {} {}", text("scope"), text("consumer_orgno"), text("state"))
        };
        all.as_array().unwrap().iter().map(state).collect::<Vec<_>>()
    };
    let expected = [
        "test:read 310000108 DENIED",
        "test:read 310000116 APPROVED",
        "test:read 310000124 DENIED",
        "test:read 310000132 DENIED",
    ];
    assert_eq!(states(&token, "GET /scopes/access?scope=test:read").await, expected);
    let one = format!("GET /scopes/access?scope=test:read&consumer_orgno={CONSUMER}");
    assert_eq!(states(&token, &one).await, ["test:read 310000116 APPROVED"]);
    let registry = &admin.server.app.registry;
    let by = portvakt::registry::Actor { organization: Some(SUPPLIER.parse().unwrap()), ..actor() };
    let (scope, supplier) = ("test:write".parse().unwrap(), SUPPLIER.parse().unwrap());
    registry.request_access(&by, &scope, supplier, None).await.unwrap();
    let supplier = admin.token(SUPPLIER, "idporten:scopes.read").await;
    let given = states(&supplier, "GET /scopes/access/all?integration_type=maskinporten").await;
    assert!(given.contains(&"test:write 310000124 REQUESTED".to_owned()), "{given:?}");
    assert!(given.contains(&"test:read 310000124 DENIED".to_owned()), "{given:?}");
    assert!(given.iter().all(|access| access.contains(SUPPLIER)), "{given:?}");
    assert!(!given.iter().any(|access| access.starts_with("test:deactivated")), "{given:?}");
    let all = states(&supplier, "GET /scopes/access/all?inactive=true").await;
    assert!(all.contains(&"test:deactivated 310000124 DENIED".to_owned()), "{all:?}");
    assert_eq!(states(&supplier, "GET /scopes/access").await, Vec::<String>::new());
}

#[tokio::test]
async fn an_end_and_a_note_outlive_a_grant_by_tools_that_know_neither() {
    let admin = AdminServer::start().await;
    let token = admin.full_token(PROVIDER).await;
    let (scope, consumer) = ("test:read".parse().unwrap(), CONSUMER.parse().unwrap());
    let registry = &admin.server.app.registry;
    let end = Some(Timestamp::from_seconds(NOW + 100));
    let terms = AccessTerms { expires_at: end, note: Some("trial".to_owned()) };
    registry.grant_access(&actor(), &scope, consumer, terms, Expected::Anything).await.unwrap();
    let put = format!("PUT /scopes/access/{CONSUMER}?scope=test:read");
    assert_eq!(done(&admin, &token, &put, Value::Null).await["state"], "APPROVED");
    let kept = registry.access(&actor(), &scope, consumer).await.unwrap().value;
    assert_eq!((kept.access.expires_at, kept.note.as_deref()), (end, Some("trial")));
    // When it is over it looks so, and granting it once more makes it hold.
    admin.server.clock.set(NOW + 100);
    let list = format!("GET /scopes/access?consumer_orgno={CONSUMER}&scope=test:read");
    assert_eq!(done(&admin, &token, &list, Value::Null).await[0]["state"], "DENIED");
    assert_eq!(done(&admin, &token, &put, Value::Null).await["state"], "APPROVED");
    let kept = registry.access(&actor(), &scope, consumer).await.unwrap().value;
    assert_eq!((kept.access.expires_at, kept.note.as_deref()), (None, Some("trial")));
}

#[tokio::test]
async fn nothing_is_granted_to_nobody_or_of_others() {
    let admin = AdminServer::start().await;
    let token = admin.full_token(PROVIDER).await;
    let other = admin.full_token(SUPPLIER).await;
    for (id, token, number, scope, status) in [
        ("H16", &token, "310000109", "test:read", 400),
        ("H16", &token, "31000010", "test:read", 400),
        ("H16", &token, "0192:310000116", "test:read", 400),
        ("H16", &token, "abc", "test:read", 400),
        ("", &token, CONSUMER, "test:absent", 404),
        ("", &token, CONSUMER, "nonsense", 400),
        ("", &token, CONSUMER, "test:deactivated", 409),
        ("G10", &other, SUPPLIER, "test:read", 403),
        ("G10", &other, SUPPLIER, "idporten:dcr.supplier", 403),
        ("H19", &other, SUPPLIER, "portvakt:admin", 404),
    ] {
        let line = format!("PUT /api/v1/scopes/access/{number}?scope={scope}");
        let (got, reply) = call(&admin, token, &line, Value::Null).await;
        assert_eq!(got, status, "{id} {line}: {reply}");
    }
    for (line, status) in [
        (format!("PUT /scopes/access/{CONSUMER}"), 400),
        (format!("DELETE /scopes/access/{STRANGER}?scope=test:read"), 404),
        ("GET /scopes/access?consumer_orgno=1".to_owned(), 400),
        ("GET /scopes/access?scope=test:absent".to_owned(), 404),
    ] {
        assert_eq!(call(&admin, &token, &line, Value::Null).await.0, status, "{line}");
    }
}
