//! Accesses: granted, asked for, decided, withdrawn, and who sees what of it.

use serde_json::{Value, json};

use crate::admin::own::{assert_status, items, tag};
use crate::harness::admin::AdminServer;
use crate::harness::{CONSUMER, PROVIDER, SUPPLIER};

const ACCESS: &str = "/scopes/test%3Aclosed/accesses/310000124";

#[tokio::test]
async fn a_put_makes_changes_and_never_overwrites_what_was_not_seen() {
    let admin = AdminServer::start().await;
    let token = admin.token(PROVIDER, "idporten:scopes.write").await;
    let line = "PUT /scopes/test%3Aclosed/accesses/310000132";
    let terms = json!({ "expires_at": "2026-07-01T02:00:00+02:00", "note": "Contract 7" });
    let made = admin.own(&token, line, "", terms).await;
    assert_status("made", &made, 201);
    let expected = json!({
        "scope": "test:closed", "consumer": "310000132", "owner": PROVIDER, "owner_name": PROVIDER,
        "state": "APPROVED", "expires_at": "2026-07-01T00:00:00Z", "note": "Contract 7",
        "created_at": "2026-06-01T12:00:00Z", "updated_at": "2026-06-01T12:00:00Z",
    });
    assert_eq!(made.json(), expected);
    assert_status("again", &admin.own(&token, line, "", json!({})).await, 428);
    let changed = admin.own(&token, line, &tag(&made), json!({})).await;
    assert_status("changed", &changed, 200);
    assert_eq!(
        (&changed.json()["expires_at"], &changed.json()["note"]),
        (&Value::Null, &Value::Null)
    );
    assert_status("stale", &admin.own(&token, line, &tag(&made), json!({})).await, 412);
    let past = json!({ "expires_at": "2026-06-01T12:00:00Z" });
    assert_status("past", &admin.own(&token, line, "*", past).await, 400);
    let words = json!({ "expires_at": "tomorrow" });
    assert_status("words", &admin.own(&token, line, "*", words).await, 400);
}

#[tokio::test]
async fn only_what_was_asked_for_is_approved_or_denied() {
    let admin = AdminServer::start().await;
    let owner = admin.token(PROVIDER, "idporten:scopes.write").await;
    let supplier = admin.full_token(SUPPLIER).await;
    let on = |verb: &str| format!("POST {ACCESS}/{verb}");
    let asked = json!({ "scope": "test:closed", "message": "Please" });
    let ask = || admin.own(&supplier, "POST /access-requests", "", asked.clone());
    for verb in ["approve", "deny"] {
        let refused = admin.own(&owner, &on(verb), "", json!({})).await;
        assert_status("withdrawn long ago", &refused, 409);
        let nobody = format!("POST /scopes/test%3Aclosed/accesses/310000132/{verb}");
        assert_status("never", &admin.own(&owner, &nobody, "", json!({})).await, 404);
    }
    let first = ask().await;
    assert_status("asked", &first, 201);
    assert_eq!(
        (&first.json()["state"], &first.json()["message"]),
        (&json!("REQUESTED"), &json!("Please"))
    );
    assert_status("asked twice", &ask().await, 409);
    let waiting = items(&admin.look(&owner, "/accesses?state=REQUESTED").await);
    assert_eq!(waiting.len(), 1);
    assert_eq!(waiting[0]["consumer"], SUPPLIER);

    let stale = admin.own(&owner, &on("deny"), "\"77\"", json!({})).await;
    assert_status("another version", &stale, 412);
    let denied = admin.own(&owner, &on("deny"), &tag(&first), json!({ "reason": "No" })).await;
    assert_eq!(
        (&denied.json()["state"], &denied.json()["reason"]),
        (&json!("DENIED"), &json!("No"))
    );
    assert_status("asked again", &ask().await, 201);
    let terms = json!({ "note": "Only for us" });
    let approved = admin.own(&owner, &on("approve"), "", terms).await;
    assert_eq!(
        (&approved.json()["state"], &approved.json()["note"]),
        (&json!("APPROVED"), &json!("Only for us"))
    );
    assert_eq!(approved.json()["message"], "Please");
    assert_status("approved twice", &admin.own(&owner, &on("approve"), "", json!({})).await, 409);

    let seen = admin.look(&supplier, ACCESS).await.json();
    assert_eq!((&seen["state"], &seen["note"]), (&json!("APPROVED"), &Value::Null));
    assert_status("asked for what it has", &ask().await, 409);
    let withdrawn =
        admin.own(&owner, &format!("DELETE {ACCESS}?reason=Over"), "*", Value::Null).await;
    assert_eq!(
        (&withdrawn.json()["state"], &withdrawn.json()["reason"]),
        (&json!("DENIED"), &json!("Over"))
    );
    // The owner's note is still there, and still only for the owner.
    assert_eq!(ask().await.json().get("note"), None);
    let seen = admin.look(&owner, ACCESS).await.json();
    assert_eq!((&seen["state"], &seen["note"]), (&json!("REQUESTED"), &json!("Only for us")));
}

#[tokio::test]
async fn each_side_sees_its_own() {
    let admin = AdminServer::start().await;
    let owner = admin.token(PROVIDER, "idporten:scopes.read").await;
    let consumer = admin.token(CONSUMER, "idporten:scopes.read").await;
    let operator = admin.token(PROVIDER, "portvakt:admin").await;
    let pairs = |found: Vec<Value>| -> Vec<(String, String)> {
        let text = |it: &Value, name: &str| it[name].as_str().unwrap().to_owned();
        found.iter().map(|it| (text(it, "scope"), text(it, "consumer"))).collect()
    };
    let given = pairs(items(&admin.look(&consumer, "/accesses?side=given&limit=500").await));
    assert!(given.iter().all(|(_, who)| who == CONSUMER) && given.len() > 9, "{given:?}");
    assert_eq!(items(&admin.look(&consumer, "/accesses").await).len(), 0);
    let listed = pairs(items(&admin.look(&owner, "/accesses?limit=500").await));
    assert!(listed.is_sorted() && listed.len() > 27, "{listed:?}");
    let filtered = "/accesses?consumer=310000116&scope=test:read&state=APPROVED";
    let one = pairs(items(&admin.look(&owner, filtered).await));
    assert_eq!(one, [("test:read".to_owned(), CONSUMER.to_owned())]);
    let of_scope = pairs(items(&admin.look(&owner, "/scopes/test%3Aread/accesses").await));
    assert_eq!(of_scope.len(), 3);
    let closed = "/accesses?scope=test:deactivated";
    assert_eq!(items(&admin.look(&owner, closed).await).len(), 0);
    let inactive = format!("{closed}&inactive=true");
    assert_eq!(items(&admin.look(&owner, &inactive).await).len(), 3);
    let of_consumer = "/accesses?side=given&organization=310000116&limit=500";
    assert_eq!(pairs(items(&admin.look(&operator, of_consumer).await)), given);

    let mut walked = Vec::new();
    let mut address = "/accesses?limit=4".to_owned();
    loop {
        let page = admin.look(&owner, &address).await;
        walked.extend(pairs(items(&page)));
        match page.json()["next_cursor"].as_str() {
            Some(cursor) => address = format!("/accesses?limit=4&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(walked, listed);
}
