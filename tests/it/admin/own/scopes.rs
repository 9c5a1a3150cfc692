//! Scopes: what can be said of them, and what becomes of it.

use serde_json::{Value, json};

use crate::admin::own::{assert_status, items, tag};
use crate::harness::admin::AdminServer;
use crate::harness::{CONSUMER, ISSUER, PROVIDER};

#[tokio::test]
async fn everything_said_of_a_scope_can_be_changed_and_what_can_be_absent_can_be_cleared() {
    let admin = AdminServer::start().await;
    let token = admin.token(PROVIDER, "idporten:scopes.write").await;
    let new = json!({
        "scope": "test:a/b.c:D-e", "description": "One", "long_description": "Two\nlines",
        "visibility": "PRIVATE", "accessible_for_all": true,
        "allowed_integration_types": ["maskinporten", "krr", "krr"],
        "token_lifetime_seconds_max": 60, "delegation_source": ISSUER, "issued_in_outage": true,
        "supports_european_businesses": true,
    });
    let made = admin.own(&token, "POST /scopes", "", new.clone()).await;
    assert_status("made", &made, 201);
    let mut expected = new;
    expected["allowed_integration_types"] = json!(["maskinporten", "krr"]);
    let times =
        json!({ "created_at": "2026-06-01T12:00:00Z", "updated_at": "2026-06-01T12:00:00Z" });
    let known = json!({
        "prefix": "test", "subscope": "a/b.c:D-e", "organization": PROVIDER, "active": true,
    });
    for (name, value) in [times, known].iter().flat_map(|it| it.as_object().unwrap()) {
        expected[name] = value.clone();
    }
    assert_eq!(made.json(), expected);
    let address = "/scopes/test%3Aa%2Fb.c%3AD-e";
    let shown = admin.look(&token, address).await;
    assert_eq!((shown.json(), tag(&shown)), (expected, tag(&made)));

    let patch = format!("PATCH {address}");
    let unchanged = admin.own(&token, &patch, &tag(&made), json!({})).await;
    assert_eq!(unchanged.json(), made.json());
    let cleared = json!({
        "long_description": null, "token_lifetime_seconds_max": null, "delegation_source": null,
        "description": "Other", "visibility": "PUBLIC", "accessible_for_all": false,
        "allowed_integration_types": [], "active": false, "issued_in_outage": false,
        "supports_european_businesses": false,
    });
    let changed = admin.own(&token, &patch, &tag(&unchanged), cleared).await;
    assert_status("changed", &changed, 200);
    let changed = changed.json();
    for member in ["long_description", "token_lifetime_seconds_max", "delegation_source"] {
        assert_eq!(changed.get(member), None, "{member}");
    }
    assert_eq!(changed["description"], "Other");
    assert_eq!(changed["active"], false);
    assert_eq!(changed["issued_in_outage"], false);
    assert_eq!(changed["supports_european_businesses"], false);
    assert_eq!(changed["allowed_integration_types"], json!([]));
}

#[tokio::test]
async fn lists_show_what_was_asked_for() {
    let admin = AdminServer::start().await;
    let token = admin.token(PROVIDER, "idporten:scopes.write").await;
    let names = |found: Vec<Value>| -> Vec<String> {
        found.iter().map(|it| it["scope"].as_str().unwrap().to_owned()).collect()
    };
    let all = names(items(&admin.look(&token, "/scopes?prefix=test").await));
    assert_eq!(all.len(), 9, "{all:?}");
    assert!(all.is_sorted());
    let inactive = names(items(&admin.look(&token, "/scopes?prefix=test&inactive=true").await));
    assert_eq!(inactive.len(), 10);
    let found = names(items(&admin.look(&token, "/scopes?q=scope%20TEST:Wri").await));
    assert_eq!(found, ["test:write"]);
    assert_eq!(items(&admin.look(&token, "/scopes?q=%25").await), Vec::<Value>::new());
    assert_eq!(items(&admin.look(&token, "/scopes?prefix=tes").await), Vec::<Value>::new());

    let line = "PATCH /scopes/test%3Awrite";
    admin.own(&token, line, "*", json!({ "visibility": "PRIVATE" })).await;
    let other = admin.token(CONSUMER, "test:read").await;
    let public = names(items(&admin.look(&other, "/scopes/public?prefix=test").await));
    assert_eq!(public.len(), 8, "{public:?}");
    assert!(!public.contains(&"test:write".to_owned()));

    let mut walked = Vec::new();
    let mut address = "/scopes/public?prefix=test&limit=3".to_owned();
    loop {
        let page = admin.look(&other, &address).await;
        walked.extend(names(items(&page)));
        match page.json()["next_cursor"].as_str() {
            Some(cursor) => address = format!("/scopes/public?prefix=test&limit=3&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(walked, public);
}
