//! Attacks with what was: rights that are gone, organizations that were switched off, rights that are handed on.
//! Groups G and H of the list.

use serde_json::{Value, json};

use crate::admin::own::{API, ask, assert_status, change, expect, items, new_client};
use crate::harness::admin::AdminServer;
use crate::harness::caller::Caller;
use crate::harness::row::check_refusal;
use crate::harness::server::caller;
use crate::harness::{CONSUMER, PROVIDER, SUPPLIER};

#[tokio::test]
async fn what_is_made_again_inherits_nothing() {
    let admin = AdminServer::start().await;
    let operator = admin.token(PROVIDER, "portvakt:admin").await;
    let consumer = admin.full_token(CONSUMER).await;
    let old = new_client(&admin, &consumer, json!(["test:read"])).await;
    assert_eq!(ask(&admin, &old).await, Ok(()), "G09 control");
    let line = format!("DELETE {API}/clients/{}", old.client_id);
    expect(&change(&admin, &consumer, &line, Value::Null).await, 200);
    let proposed = json!({ "name": "again", "client_id": old.client_id });
    let line = format!("POST {API}/clients");
    expect(&admin.call(Some(&consumer), &line, proposed).await, 400);
    let new = new_client(&admin, &consumer, json!(["test:read"])).await;
    assert_ne!(new.client_id, old.client_id, "G09");
    let with_the_old_key = Caller { key: old.key.clone(), ..new };
    assert_eq!(ask(&admin, &with_the_old_key).await, Err("MP-124".into()), "G09");
    assert!(ask(&admin, &old).await.is_err(), "G09: the old client");

    let off = json!({ "active": false });
    let line = format!("PATCH {API}/organizations/{CONSUMER}");
    expect(&change(&admin, &operator, &line, off).await, 200);
    let again = json!({ "organization": CONSUMER, "name": "Somebody else" });
    let again = admin.own(&operator, "POST /organizations", "", again).await;
    assert_status("G09 an organization is not made twice", &again, 409);
    assert!(ask(&admin, &with_the_old_key).await.is_err(), "G09");
}

#[tokio::test]
async fn a_delegation_is_not_handed_on() {
    let admin = AdminServer::start().await;
    let supplier = admin.full_token(SUPPLIER).await;
    let line = format!("PUT {API}/delegations/{SUPPLIER}/{PROVIDER}/test:delegated");
    expect(&admin.call(Some(&supplier), &line, json!({})).await, 201);
    let third = admin.client(PROVIDER, "test:delegated").await;
    for (what, who, consumer, code) in [
        ("G12 for the first in the chain", &third, CONSUMER, "MP-251"),
        ("G11 nobody has delegated", &caller("supplier"), PROVIDER, "MP-251"),
    ] {
        let draft = who.draft().claim("scope", "test:delegated").claim("consumer_org", consumer);
        let refused = admin.server.ask(&draft.sign()).await;
        let checked = check_refusal(&refused, 403, "forbidden", code);
        assert!(checked.is_ok(), "{what}: {}", checked.unwrap_err());
    }
    let draft = caller("supplier").draft().claim("scope", "test:delegated");
    let control = admin.server.ask(&draft.claim("consumer_org", CONSUMER).sign()).await;
    assert!(control.token().is_some(), "G11, G12 control: {}", control.text());
}

#[tokio::test]
async fn a_token_is_worth_what_holds_now() {
    let admin = AdminServer::start().await;
    let operator = admin.token(PROVIDER, "portvakt:admin").await;
    let client = admin.client(CONSUMER, "idporten:dcr.read").await;
    let token = admin.token_of(&client.draft()).await;
    let look = || admin.look(&token, "/clients");
    assert_status("H26 control", &look().await, 200);
    let access = format!("/scopes/idporten%3Adcr.read/accesses/{CONSUMER}");
    let withdraw = format!("DELETE {access}?reason=over");
    expect(&admin.own(&operator, &withdraw, "*", Value::Null).await, 200);
    assert_status("H26, G16 the access is withdrawn", &look().await, 403);
    expect(&admin.own(&operator, &format!("PUT {access}"), "*", json!({})).await, 200);
    assert_status("H26 control, granted again", &look().await, 200);

    let active = |is: bool| json!({ "active": is });
    let organization = format!("PATCH /organizations/{CONSUMER}");
    expect(&admin.own(&operator, &organization, "*", active(false)).await, 200);
    assert_status("H26 the organization is switched off", &look().await, 401);
    expect(&admin.own(&operator, &organization, "*", active(true)).await, 200);
    assert_status("H26 control, switched on", &look().await, 200);

    let line = format!("DELETE /clients/{}", client.client_id);
    expect(&admin.own(&operator, &line, "*", Value::Null).await, 200);
    assert_status("H26 the client is deactivated", &look().await, 401);
}

#[tokio::test]
async fn names_that_look_alike_are_told_apart_by_their_numbers() {
    let admin = AdminServer::start().await;
    let operator = admin.token(PROVIDER, "portvakt:admin").await;
    let alike = [
        ("310000140", "Kystverket"),
        ("310000159", "KYSTVERKET"),
        // Full-width letters, which NFKC makes the same, and a Cyrillic letter.
        ("310000167", "\u{ff2b}ystverket"),
        ("310000175", "Kystv\u{435}rket"),
    ];
    for (number, name) in alike {
        let new = json!({ "organization": number, "name": name });
        let made = admin.own(&operator, "POST /organizations", "", new).await;
        assert_status("G18", &made, 201);
    }
    let found = items(&admin.look(&operator, "/organizations?q=kystverket").await);
    let numbers: Vec<&str> = found.iter().filter_map(|it| it["organization"].as_str()).collect();
    assert_eq!(numbers, ["310000140", "310000159"], "G18 {found:?}");
    for (number, name) in alike {
        let one = admin.look(&operator, &format!("/organizations?q={number}")).await;
        let one = items(&one);
        assert_eq!(one.len(), 1, "G18 {number}");
        assert_eq!(one[0]["name"], name, "G18");
    }
}
