//! Clients.

use serde_json::{Value, json};

use super::{call, done, members, minimal_client, new_client};
use crate::harness::admin::AdminServer;
use crate::harness::caller::{Caller, Key};
use crate::harness::http::token_claims;
use crate::harness::row::check_refusal;
use crate::harness::{CONSUMER, PROVIDER, SUPPLIER};

#[tokio::test]
async fn the_bodies_of_tools_in_production_make_clients() {
    let admin = AdminServer::start().await;
    let token = admin.full_token(CONSUMER).await;
    let made = admin.call(Some(&token), "POST /clients/", minimal_client("test:read")).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let made = made.json();
    let id = made["client_id"].as_str().unwrap();
    assert_eq!(id.len(), 36);
    let expected = json!({
        "client_id": id, "client_name": "Team A", "description": "Team A's client",
        "client_orgno": CONSUMER, "active": true, "integration_type": "maskinporten",
        "application_type": "web", "token_endpoint_auth_method": "private_key_jwt",
        "grant_types": ["urn:ietf:params:oauth:grant-type:jwt-bearer"], "scopes": ["test:read"],
        "access_token_lifetime": 120, "jwks": {"keys": []}, "onbehalfof": [],
        "created": "2026-06-01T12:00:00Z", "last_updated": "2026-06-01T12:00:00Z",
    });
    assert_eq!(made, expected);

    // Digdirator writes the fields of log-in clients too, with nothing in them.
    let nais = json!({
        "access_token_lifetime": 3600, "application_type": "web", "authorization_lifetime": 7200,
        "client_name": "ARBEIDS- OG VELFERDSETATEN", "client_uri": "https://www.nav.no",
        "description": "cluster:namespace:app", "frontchannel_logout_session_required": false,
        "grant_types": ["urn:ietf:params:oauth:grant-type:jwt-bearer"],
        "integration_type": "maskinporten", "post_logout_redirect_uris": null,
        "redirect_uris": null, "refresh_token_usage": "ONETIME", "scopes": ["test:write"],
        "sso_disabled": false, "token_endpoint_auth_method": "private_key_jwt",
    });
    let made = done(&admin, &token, "POST /api/v1/clients", nais.clone()).await;
    for (name, value) in nais.as_object().unwrap() {
        assert_eq!(made.get(name).unwrap_or(&Value::Null), value, "{name}");
    }
    // What is read can be written back as it is.
    let line = format!("/api/v1/clients/{}", made["client_id"].as_str().unwrap());
    let read = done(&admin, &token, &format!("GET {line}"), Value::Null).await;
    assert_eq!(read, made);
    let written = done(&admin, &token, &format!("PUT {line}"), read.clone()).await;
    assert_eq!(written, read);
}

#[tokio::test]
async fn a_list_shows_clients_that_are_active_and_others_on_demand() {
    let admin = AdminServer::start().await;
    let token = admin.full_token(SUPPLIER).await;
    let before = done(&admin, &token, "GET /clients", Value::Null).await.as_array().unwrap().len();
    let id = new_client(&admin, &token, "test:open").await;
    let ids = async |line: &str| {
        let all = done(&admin, &token, line, Value::Null).await;
        let all = all.as_array().unwrap().clone();
        assert!(all.iter().all(|client| !members(client).contains(&"jwks")));
        all.iter()
            .map(|client| client["client_id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids("GET /api/v1/clients").await.len(), before + 1);
    let line = format!("/api/v1/clients/{id}");
    let gone = admin.call(Some(&token), &format!("DELETE {line}"), Value::Null).await;
    assert_eq!((gone.status, gone.body.len()), (200, 0));
    assert!(!ids("GET /api/v1/clients").await.contains(&id));
    assert!(ids("GET /api/v1/clients?inactive=true").await.contains(&id));
    assert_eq!(done(&admin, &token, &format!("GET {line}"), Value::Null).await["active"], false);
    // A change that does not say so restores nothing; one that does, does.
    let changed = done(&admin, &token, &format!("PUT {line}"), minimal_client("test:open")).await;
    assert_eq!(changed["active"], false);
    let mut body = minimal_client("test:open");
    body["active"] = true.into();
    assert_eq!(done(&admin, &token, &format!("PUT {line}"), body).await["active"], true);
}

#[tokio::test]
async fn a_change_replaces_everything_but_what_never_changes() {
    let admin = AdminServer::start().await;
    let token = admin.full_token(CONSUMER).await;
    let mut body = minimal_client("test:read");
    body["access_token_lifetime"] = 60.into();
    body["logo_uri"] = "https://a.test/logo.png".into();
    let made = done(&admin, &token, "POST /api/v1/clients", body).await;
    let line = format!("PUT /api/v1/clients/{}", made["client_id"].as_str().unwrap());
    // Whatever a caller says about what is not theirs to say (H07).
    let body = json!({
        "client_name": "B", "client_id": "chosen", "supplier_orgno": SUPPLIER, "owner": PROVIDER,
        "created": "2001-01-01T00:00:00Z", "is_admin": true, "org_id": PROVIDER, "tenant": "x",
    });
    let changed = done(&admin, &token, &line, body).await;
    assert_eq!(changed["client_id"], made["client_id"]);
    assert_eq!((&changed["client_name"], &changed["description"]), (&json!("B"), &json!("")));
    assert_eq!((&changed["scopes"], &changed["access_token_lifetime"]), (&json!([]), &json!(120)));
    assert_eq!(changed["created"], made["created"]);
    assert!(!members(&changed).iter().any(|name| ["logo_uri", "supplier_orgno"].contains(name)));
    for (name, value) in [("integration_type", "krr"), ("client_orgno", SUPPLIER)] {
        let mut body = minimal_client("test:read");
        body[name] = value.into();
        let (status, reply) = call(&admin, &token, &line, body).await;
        assert_eq!((status, &reply["errors"][0]["fieldIdentifier"]), (400, &json!(name)));
    }
}

#[tokio::test]
async fn what_cannot_be_a_client_is_refused_and_changes_nothing() {
    let admin = AdminServer::start().await;
    let token = admin.full_token(CONSUMER).await;
    let before = done(&admin, &token, "GET /clients?inactive=true", Value::Null).await;
    let with = |name: &str, value: Value| {
        let mut body = minimal_client("test:read");
        body[name] = value;
        body
    };
    for (id, body, field) in [
        ("", with("client_name", "".into()), "client_name"),
        ("E15", with("client_name", "a\0".into()), "client_name"),
        ("E15", with("client_name", "\u{202e}evil".into()), "client_name"),
        ("E15", with("client_name", "x".repeat(100_000).into()), "client_name"),
        ("E16", with("jwks_uri", "https://a.test/jwks".into()), "jwks_uri"),
        ("", with("integration_type", "idporten".into()), "integration_type"),
        ("", with("integration_type", "other".into()), "integration_type"),
        ("", with("application_type", "browser".into()), "application_type"),
        ("", with("grant_types", json!(["authorization_code"])), "grant_types"),
        ("", with("token_endpoint_auth_method", "none".into()), "token_endpoint_auth_method"),
        ("", with("access_token_lifetime", 1_000_000.into()), "access_token_lifetime"),
        ("", with("scopes", json!(["test:closed"])), "scopes"),
        ("", with("scopes", json!(["test:absent"])), "scopes"),
        ("", with("scopes", json!(["test:deactivated"])), "scopes"),
        ("", with("scopes", json!(["test:login"])), "scopes"),
        ("", with("scopes", json!(["no scope"])), "scopes"),
        ("", with("scopes", "test:read".into()), "scopes"),
        ("", with("client_orgno", "310000109".into()), "client_orgno"),
    ] {
        let (status, reply) = call(&admin, &token, "POST /api/v1/clients", body).await;
        assert_eq!(status, 400, "{id} {field}: {reply}");
        assert_eq!(reply["errors"][0]["fieldIdentifier"], field, "{id}: {reply}");
    }
    // Text that is code elsewhere is text here (E15, H10).
    for name in ["<script>alert(1)</script>", "x'); drop table client;--"] {
        let made = done(&admin, &token, "POST /clients", with("client_name", name.into())).await;
        assert_eq!(made["client_name"], name);
        let line = format!("DELETE /clients/{}", made["client_id"].as_str().unwrap());
        done(&admin, &token, &line, Value::Null).await;
    }
    let after = done(&admin, &token, "GET /clients", Value::Null).await;
    let active =
        |all: &Value| all.as_array().unwrap().iter().filter(|it| it["active"] == true).count();
    assert_eq!(active(&after), active(&before));
    // A proposed id is not taken (E14).
    let made = done(&admin, &token, "POST /clients", with("client_id", "chosen".into())).await;
    assert_ne!(made["client_id"], "chosen");
}

#[tokio::test]
async fn a_client_for_a_customer_needs_the_right_of_suppliers() {
    let admin = AdminServer::start().await;
    let mut body = minimal_client("test:open");
    body["client_orgno"] = CONSUMER.into();
    let plain = admin.token(SUPPLIER, "idporten:dcr.write").await;
    assert_eq!(call(&admin, &plain, "POST /api/v1/clients", body.clone()).await.0, 403);
    let token = admin.token(SUPPLIER, "idporten:dcr.write idporten:dcr.supplier").await;
    let made = done(&admin, &token, "POST /api/v1/clients", body.clone()).await;
    assert_eq!(
        (&made["client_orgno"], &made["supplier_orgno"]),
        (&json!(CONSUMER), &json!(SUPPLIER))
    );
    let line = format!("GET /clients/{}", made["client_id"].as_str().unwrap());
    assert_eq!(done(&admin, &token, &line, Value::Null).await["client_orgno"], CONSUMER);
    // It is the supplier's: the customer does not see it.
    let customer = admin.full_token(CONSUMER).await;
    assert_eq!(call(&admin, &customer, &line, Value::Null).await.0, 404);
    // One's own number is no customer.
    body["client_orgno"] = SUPPLIER.into();
    let made = done(&admin, &plain, "POST /api/v1/clients", body.clone()).await;
    assert!(!members(&made).contains(&"supplier_orgno"), "{made}");
    // The operator makes clients of whom it names.
    let operator = admin.token(PROVIDER, "portvakt:admin").await;
    body["client_orgno"] = CONSUMER.into();
    let made = done(&admin, &operator, "POST /api/v1/clients", body).await;
    assert!(!members(&made).contains(&"supplier_orgno"), "{made}");
    let line = format!("GET /clients/{}", made["client_id"].as_str().unwrap());
    assert_eq!(done(&admin, &customer, &line, Value::Null).await["client_orgno"], CONSUMER);
}

#[tokio::test]
async fn tokens_for_a_customer_last_as_long_as_the_right_of_suppliers() {
    let admin = AdminServer::start().await;
    let token = admin.token(SUPPLIER, "idporten:dcr.write idporten:dcr.supplier").await;
    let mut body = minimal_client("test:open");
    body["client_orgno"] = CONSUMER.into();
    let made = done(&admin, &token, "POST /api/v1/clients", body).await;
    let client_id = made["client_id"].as_str().unwrap().to_owned();
    let key = Key::generate("ES256");
    let keys = json!({ "keys": [key.jwk("a")] });
    done(&admin, &token, &format!("POST /api/v1/clients/{client_id}/jwks"), keys).await;
    let caller =
        Caller { client_id, key, hint: ("kid", "a".into()), scope: "test:open", good: None };
    let token = admin.server.ask(&caller.assertion()).await.token();
    let claims = token_claims(&token.unwrap());
    assert_eq!(claims["consumer"]["ID"], format!("0192:{CONSUMER}"));
    assert_eq!(claims["supplier"]["ID"], format!("0192:{SUPPLIER}"));
    let operator = admin.full_token(PROVIDER).await;
    let line = format!("DELETE /scopes/access/{SUPPLIER}?scope=idporten:dcr.supplier");
    done(&admin, &operator, &line, Value::Null).await;
    let refused = admin.server.ask(&caller.assertion()).await;
    assert_eq!(check_refusal(&refused, 403, "forbidden", "MP-250"), Ok(()));
}

#[tokio::test]
async fn on_behalf_of_objects_are_kept_and_returned() {
    let admin = AdminServer::start().await;
    let token = admin.full_token(CONSUMER).await;
    let id = new_client(&admin, &token, "test:read").await;
    let all = format!("/api/v1/clients/{id}/onbehalfof");
    assert_eq!(done(&admin, &token, &format!("GET {all}"), Value::Null).await, json!([]));
    let body = json!({
        "onbehalfof": "kunde-1", "name": "Kunde", "orgno": SUPPLIER, "description": "D",
        "uri": "https://k.test", "logo_uri": null,
    });
    let (status, added) = call(&admin, &token, &format!("POST {all}"), body.clone()).await;
    assert_eq!(status, 201, "{added}");
    assert_eq!((&added["onbehalfof"], &added["orgno"]), (&json!("kunde-1"), &json!(SUPPLIER)));
    assert!(added["created"].is_string() && !members(&added).contains(&"logo_uri"));
    assert_eq!(call(&admin, &token, &format!("POST {all}"), body.clone()).await.0, 409);
    assert_eq!(done(&admin, &token, &format!("GET {all}"), Value::Null).await, json!([added]));
    let client = done(&admin, &token, &format!("GET /clients/{id}"), Value::Null).await;
    assert_eq!(client["onbehalfof"], json!([added]));
    let one = format!("{all}/kunde-1");
    let new = json!({"name": "Ny", "orgno": SUPPLIER});
    assert_eq!(done(&admin, &token, &format!("PUT {one}"), new.clone()).await["name"], "Ny");
    assert_eq!(done(&admin, &token, &format!("GET {one}"), Value::Null).await["name"], "Ny");
    for (line, body, status) in [
        (format!("PUT {all}/other"), new.clone(), 404),
        (format!("PUT {one}"), json!({"onbehalfof": "x", "name": "A", "orgno": SUPPLIER}), 400),
        (format!("PUT {one}"), json!({"name": "A", "orgno": "1"}), 400),
        (format!("PUT {one}"), json!({"orgno": SUPPLIER}), 400),
        (format!("POST {all}"), new, 400),
        (format!("GET {all}/%00"), Value::Null, 404),
    ] {
        assert_eq!(call(&admin, &token, &line, body).await.0, status, "{line}");
    }
    done(&admin, &token, &format!("DELETE {one}"), Value::Null).await;
    assert_eq!(call(&admin, &token, &format!("GET {one}"), Value::Null).await.0, 404);
}

#[tokio::test]
async fn an_attempt_to_replace_a_client_of_another_stands_in_the_trail() {
    let admin = AdminServer::start().await;
    let owner = admin.full_token(CONSUMER).await;
    let id = new_client(&admin, &owner, "test:read").await;
    let line = format!("PUT /api/v1/clients/{id}");
    let body = || minimal_client("test:read");
    let stranger = admin.full_token(SUPPLIER).await;
    assert_eq!(call(&admin, &stranger, &line, body()).await.0, 404);
    let reader = admin.token(CONSUMER, "idporten:dcr.read").await;
    assert_eq!(call(&admin, &reader, &line, body()).await.0, 403);
    let trail = format!("GET /api/portvakt/v1/audit?noun=client&key={id}");
    let rows = done(&admin, &owner, &trail, Value::Null).await["items"].clone();
    let tried: Vec<_> = rows
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["outcome"] == "refused")
        .map(|row| (row["action"].as_str().unwrap(), row["actor_organization"].as_str().unwrap()))
        .collect();
    assert_eq!(tried, [("change", CONSUMER), ("change", SUPPLIER)]);
}
