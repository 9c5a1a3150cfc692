//! Organizations and their e-mail domains.

use serde_json::{Value, json};

use crate::admin::own::{NEWCOMER, assert_status, items, tag};
use crate::harness::admin::AdminServer;
use crate::harness::{CONSUMER, ISSUER, PROVIDER};

#[tokio::test]
async fn an_organization_is_admitted_with_its_domains_or_not_at_all() {
    let admin = AdminServer::start().await;
    let operator = admin.token(PROVIDER, "portvakt:admin").await;
    let new = json!({
        "organization": NEWCOMER, "name": "Ålesund", "email_domains": ["Example.no", "example.com"],
    });
    let made = admin.own(&operator, "POST /organizations", "", new.clone()).await;
    assert_status("admitted", &made, 201);
    assert_eq!(made.json()["email_domains"], json!(["example.com", "example.no"]));
    assert_status("twice", &admin.own(&operator, "POST /organizations", "", new).await, 409);

    let other =
        json!({ "organization": "310000140", "name": "Other", "email_domains": ["example.no"] });
    let taken = admin.own(&operator, "POST /organizations", "", other).await;
    assert_status("a domain of another", &taken, 409);
    let absent = admin.look(&operator, "/organizations/310000140").await;
    assert_status("nothing is left of it", &absent, 404);

    for q in ["%C3%85les", "LESUND", "310000132"] {
        let found = items(&admin.look(&operator, &format!("/organizations?q={q}")).await);
        assert_eq!(found.len(), 1, "{q}: {found:?}");
    }
    let address = format!("/organizations/{NEWCOMER}/email-domains/example.no");
    for (line, domains) in [
        (format!("DELETE {address}"), json!(["example.com"])),
        (format!("PUT {address}"), json!(["example.com", "example.no"])),
        (format!("PUT {address}"), json!(["example.com", "example.no"])),
    ] {
        let reply = admin.own(&operator, &line, "", Value::Null).await;
        assert_eq!(reply.json()["email_domains"], domains, "{line}: {}", reply.text());
    }
    let line = "DELETE /organizations/310000132/email-domains/example.net";
    assert_status(line, &admin.own(&operator, line, "", Value::Null).await, 404);
    let line = "PUT /organizations/310000116/email-domains/example.no";
    assert_status(line, &admin.own(&operator, line, "", Value::Null).await, 409);
    let line = "PUT /organizations/310000116/email-domains/example";
    assert_status(line, &admin.own(&operator, line, "", Value::Null).await, 400);
}

#[tokio::test]
async fn the_token_says_who_is_calling() {
    let admin = AdminServer::start().await;
    let token = admin.token(CONSUMER, "idporten:scopes.read idporten:dcr.write test:read").await;
    let me = admin.look(&token, "/me").await.json();
    assert_eq!(me["organization"], CONSUMER);
    assert_eq!(me["organization_name"], CONSUMER);
    assert_eq!(me["rights"], json!(["idporten:scopes.read", "idporten:dcr.write"]));
    assert_eq!(me["issuer"], ISSUER);
    assert!(me["client_id"].as_str().unwrap().starts_with("admin-"));
}

#[tokio::test]
async fn a_changed_organization_has_another_tag() {
    let admin = AdminServer::start().await;
    let operator = admin.token(PROVIDER, "portvakt:admin").await;
    let seen = tag(&admin.look(&operator, "/organizations/310000116").await);
    let line = "PATCH /organizations/310000116";
    let changed = admin.own(&operator, line, &seen, json!({ "name": "New name" })).await;
    assert_eq!(changed.json()["name"], "New name");
    assert_eq!(changed.json()["active"], true);
    assert_ne!(tag(&changed), seen);
    for body in [json!({ "name": null }), json!({ "active": null }), json!({ "number": "1" })] {
        assert_status("body", &admin.own(&operator, line, "*", body).await, 400);
    }
}
