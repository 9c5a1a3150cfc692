//! Scopes and what their owners say about them.

use portvakt::domain::scope::{OutagePolicy, Scope};
use serde_json::{Value, json};

use super::{call, done, members};
use crate::harness::admin::AdminServer;
use crate::harness::http::escape;
use crate::harness::server::actor;
use crate::harness::{CONSUMER, ISSUER, PROVIDER};

#[tokio::test]
async fn a_scope_is_returned_with_everything_that_its_owner_has_said() {
    let admin = AdminServer::start().await;
    let token = admin.full_token(PROVIDER).await;
    let small = json!({"prefix": "test", "subscope": "api3", "description": "Third"});
    let made = admin.call(Some(&token), "POST /api/v1/scopes", small).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let expected = r#"{"name":"test:api3","prefix":"test","subscope":"api3","description":"Third","active":true,"visibility":"PUBLIC","token_type":"SELF_CONTAINED","at_max_age":0,"authorization_max_lifetime":0,"accessible_for_all":false,"allowed_integration_types":[],"requires_user_consent":false,"requires_user_authentication":false,"requires_pseudonymous_tokens":false,"supports_european_businesses":false,"owner_orgno":"310000108","created":"2026-06-01T12:00:00Z","last_updated":"2026-06-01T12:00:00Z"}"#;
    assert_eq!(String::from_utf8(made.body).unwrap(), expected);

    let large = json!({
        "name": "test:api3", "prefix": "test", "subscope": "api3", "description": "Third, changed",
        "description#nn": "Tredje", "description#en": "Third", "description#se": "Goalmm\u{e1}t",
        "long_description": "# Much\nmore", "long_description#en": "More", "active": true,
        "visibility": "PRIVATE", "token_type": "SELF_CONTAINED", "at_max_age": 30,
        "authorization_max_lifetime": 7200, "delegation_source": ISSUER, "accessible_for_all": true,
        "allowed_integration_types": ["maskinporten", "api_klient"], "requires_user_consent": true,
        "requires_user_authentication": true, "requires_pseudonymous_tokens": true,
        "supports_european_businesses": true,
    });
    let line = "PUT /api/v1/scopes?scope=test:api3";
    let mut sent = large.clone();
    // What is not the caller's to say, and what this server has no use for.
    sent["owner_orgno"] = CONSUMER.into();
    sent["created"] = "2001-01-01T00:00:00Z".into();
    sent["protected"] = Value::Null;
    let changed = done(&admin, &token, line, sent).await;
    for (name, value) in large.as_object().unwrap() {
        assert_eq!(&changed[name], value, "{name}");
    }
    assert_eq!(changed["owner_orgno"], PROVIDER);
    assert_eq!(changed["created"], "2026-06-01T12:00:00Z");
    for line in ["GET /scopes/scope?scope=test:api3", "GET /scopes?scope=test%3Aapi3"] {
        assert_eq!(done(&admin, &token, line, Value::Null).await, changed);
    }
    // Digdirator writes every member that it knows, with nothing in some.
    let nais = json!({
        "accessible_for_all": false, "active": true, "allowed_integration_types": ["maskinporten"],
        "at_max_age": 30, "authorization_max_lifetime": 0, "description": "cluster:namespace:app",
        "name": "", "prefix": "test", "requires_pseudonymous_tokens": false,
        "requires_user_authentication": false, "requires_user_consent": false,
        "subscope": "nais/app.read", "token_type": "SELF_CONTAINED", "visibility": "PUBLIC",
    });
    let made_so = done(&admin, &token, "POST /api/v1/scopes", nais.clone()).await;
    assert_eq!(made_so["name"], "test:nais/app.read");
    let line_so = "PUT /api/v1/scopes?scope=test%3Anais%2Fapp.read";
    assert_eq!(done(&admin, &token, line_so, nais).await["at_max_age"], 30);
    // A change replaces everything but whether the scope is active, what older tools do not say,
    // and what their API knows nothing of.
    done(&admin, &token, "DELETE /scopes?scope=test:api3", Value::Null).await;
    let registry = &admin.server.app.registry;
    let name = "test:api3".parse().unwrap();
    let edit = |scope: &mut Scope| scope.outage_policy = OutagePolicy::Issue;
    registry.change_scope(&actor(), &name, None, edit).await.unwrap();
    let bare = done(&admin, &token, line, json!({"description": "Bare", "visibility": null})).await;
    assert_eq!(bare["active"], false);
    let kept = registry.scope(&actor(), &name).await.unwrap().value.outage_policy;
    assert_eq!(kept, OutagePolicy::Issue);
    assert_eq!(bare["visibility"], "PUBLIC");
    assert_eq!(bare["supports_european_businesses"], true);
    let optional = ["long_description", "description#en", "delegation_source"];
    assert!(optional.iter().all(|name| !members(&bare).contains(name)), "{bare}");
}

#[tokio::test]
async fn what_cannot_be_a_scope_is_refused_and_changes_nothing() {
    let admin = AdminServer::start().await;
    let token = admin.full_token(PROVIDER).await;
    let before = done(&admin, &token, "GET /scopes?inactive=true", Value::Null).await;
    let good = json!({"prefix": "test", "subscope": "x", "description": "X"});
    let with = |name: &str, value: Value| {
        let mut body = good.clone();
        body[name] = value;
        body
    };
    for (id, body, status, field) in [
        ("G04", with("prefix", "absent".into()), 403, ""),
        ("G07", with("subscope", "a b".into()), 400, "subscope"),
        ("G07", with("subscope", "a\"b".into()), 400, "subscope"),
        ("G07", with("subscope", "*".into()), 400, "subscope"),
        ("G07", with("subscope", "..".into()), 400, "subscope"),
        ("G07", with("subscope", "a".repeat(300).into()), 400, "subscope"),
        ("G05", with("prefix", "TEST".into()), 400, "subscope"),
        ("H18", with("subscope", "read".into()), 409, ""),
        ("H18", with("subscope", "deactivated".into()), 409, ""),
        ("", with("name", "test:y".into()), 400, "name"),
        ("", with("description", Value::Null), 400, "description"),
        ("H25", with("description", "a\0b".into()), 400, "description"),
        ("H25", with("description#en", "a\0b".into()), 400, "description"),
        ("E15", with("description", "\u{202e}x".into()), 400, "description"),
        ("E15", with("long_description", "x".repeat(1_024).into()), 400, "long_description"),
        ("", with("token_type", "OPAQUE".into()), 400, "token_type"),
        ("", with("visibility", "SECRET".into()), 400, "visibility"),
        ("H19", with("visibility", "INTERNAL".into()), 400, "visibility"),
        ("", with("delegation_source", "https://altinn.test/".into()), 400, "delegation_source"),
        ("", with("allowed_integration_types", json!(["x"])), 400, "allowed_integration_types"),
        ("", with("at_max_age", json!(-1)), 400, "at_max_age"),
        ("", json!({"description": "X"}), 400, "prefix"),
        ("", json!([]), 400, ""),
    ] {
        let (got, reply) = call(&admin, &token, "POST /api/v1/scopes", body.clone()).await;
        assert_eq!(got, status, "{id} {body}: {reply}");
        assert_eq!(reply["errors"][0]["fieldIdentifier"], field, "{id} {body}: {reply}");
    }
    // A prefix is a name, not the beginning of one (G06).
    for scope in ["tes:x", "test2:x", "idporten:x"] {
        let (prefix, subscope) = scope.split_once(':').unwrap();
        let other = admin.full_token(CONSUMER).await;
        let body = json!({"prefix": prefix, "subscope": subscope, "description": "X"});
        let (status, reply) = call(&admin, &other, "POST /api/v1/scopes", body).await;
        assert_eq!(status, 403, "{scope}: {reply}");
    }
    let renamed = json!({"name": "test:write", "description": "X"});
    let (status, _) = call(&admin, &token, "PUT /scopes?scope=test:read", renamed).await;
    assert_eq!(status, 400);
    for line in ["PUT /scopes", "DELETE /scopes", "GET /scopes/scope", "GET /scopes?scope=a"] {
        let body = if line.starts_with("PUT") { good.clone() } else { Value::Null };
        assert_eq!(call(&admin, &token, line, body).await.0, 400, "{line}");
    }
    assert_eq!(done(&admin, &token, "GET /scopes?inactive=true", Value::Null).await, before);
}

#[tokio::test]
async fn a_body_that_is_not_plain_json_is_refused() {
    let admin = AdminServer::start().await;
    let token = admin.full_token(PROVIDER).await;
    let deep = "[".repeat(10_000);
    let large = format!("{{\"prefix\":\"{}\"}}", "a".repeat(300_000));
    for (id, kind, body, status) in [
        ("H11", "application/json", large.as_str(), 413),
        ("H11", "application/json", deep.as_str(), 400),
        ("H11", "application/json", r#"{"prefix":"test","prefix":"x"}"#, 400),
        ("H11", "application/json", r#"{"prefix":1e999}"#, 400),
        ("H12", "text/plain", "{}", 415),
        ("H12", "application/x-www-form-urlencoded", "{}", 415),
        ("", "application/json", "{\"prefix\":\"\u{fffd}\"", 400),
        ("", "application/json", "", 400),
        ("", "application/json; charset=utf-8", "{}", 400),
    ] {
        let reply = admin
            .send(Some(&token), "POST /api/v1/scopes", &[("Content-Type", kind)], body.as_bytes())
            .await;
        assert_eq!(reply.status, status, "{id} {kind}: {}", reply.text());
        super::check_error(&reply);
    }
}

#[tokio::test]
async fn every_character_of_a_scope_goes_through_the_address_and_back() {
    let admin = AdminServer::start().await;
    let token = admin.full_token(PROVIDER).await;
    for subscope in ["a/b.read", "a:b:c", "a_b-c.D/1"] {
        let body = json!({"prefix": "test", "subscope": subscope, "description": "X"});
        done(&admin, &token, "POST /api/v1/scopes", body).await;
        let name = format!("test:{subscope}");
        for written in [name.clone(), escape(&name)] {
            let line = format!("GET /api/v1/scopes/scope?scope={written}");
            assert_eq!(done(&admin, &token, &line, Value::Null).await["name"], name);
        }
    }
    for written in ["test%3Aa%2Fb.read%26x", "test:a+b", "test:a%252Fb"] {
        let line = format!("GET /api/v1/scopes/scope?scope={written}");
        assert_eq!(call(&admin, &token, &line, Value::Null).await.0, 400, "{written}");
    }
}
