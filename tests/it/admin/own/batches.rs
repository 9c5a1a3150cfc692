//! Many accesses at once.

use std::time::Duration;

use portvakt::domain::audit::AuditFilter;
use portvakt::registry::AuditVerdict;
use serde_json::{Value, json};

use crate::admin::own::{NEWCOMER, assert_status, items};
use crate::harness::admin::AdminServer;
use crate::harness::server::actor;
use crate::harness::{CONSUMER, PROVIDER, SUPPLIER};

const BATCH: &str = "POST /scopes/test%3Aclosed/accesses/batch";

/// Numbers of organizations that nobody has registered.
pub(crate) fn numbers(count: usize) -> Vec<String> {
    let fits = |number: &String| {
        number.parse::<portvakt::domain::organization::OrganizationNumber>().is_ok()
    };
    let all = (800_000_000..).map(|number: u32| number.to_string());
    all.filter(fits).take(count).collect()
}

pub(crate) fn outcomes(reply: &crate::harness::http::Reply) -> Vec<(String, String)> {
    let text = |it: &Value, name: &str| it[name].as_str().unwrap().to_owned();
    let json = reply.json();
    let results = json["results"].as_array().unwrap_or_else(|| panic!("{}", reply.text()));
    results.iter().map(|it| (text(it, "action"), text(it, "outcome"))).collect()
}

#[tokio::test]
async fn a_batch_does_what_can_be_done_and_tells_of_each() {
    let admin = AdminServer::start().await;
    let token = admin.token(PROVIDER, "idporten:scopes.write").await;
    admin.own(&token, "PUT /scopes/test%3Aclosed/accesses/310000116", "*", json!({})).await;
    let body = |dry_run: bool| {
        json!({
            "dry_run": dry_run,
            "grant": [
                { "consumer": NEWCOMER, "note": "By batch" },
                { "consumer": CONSUMER },
                { "consumer": "310000133" },
                { "consumer": "310000140", "expires_at": "2020-01-01T00:00:00Z" },
                { "consumer": NEWCOMER },
            ],
            "withdraw": [SUPPLIER, "310000159", PROVIDER],
        })
    };
    let is = |action: &str, outcome: &str| (action.to_owned(), outcome.to_owned());
    let expected = vec![
        is("grant", "done"),
        is("grant", "unchanged"),
        is("grant", "refused"),
        is("grant", "refused"),
        is("grant", "refused"),
        is("withdraw", "unchanged"),
        is("withdraw", "refused"),
        is("withdraw", "unchanged"),
    ];
    let before = admin.server.store.latest_change().await.unwrap();
    let tried = admin.own(&token, BATCH, "", body(true)).await;
    assert_eq!(outcomes(&tried), expected, "{}", tried.text());
    assert_eq!(tried.json()["dry_run"], true);
    assert_eq!(admin.server.store.latest_change().await.unwrap(), before);

    let done = admin.own(&token, BATCH, "", body(false)).await;
    assert_eq!(outcomes(&done), expected);
    assert_eq!(done.json()["results"], tried.json()["results"]);
    let changes = admin.server.store.changes_from(before).await.unwrap();
    let keys: Vec<&str> = changes.iter().skip(1).map(|it| it.key.as_str()).collect();
    assert_eq!(keys, [format!("test:closed {NEWCOMER}")]);
    let again = outcomes(&admin.own(&token, BATCH, "", body(false)).await);
    assert_eq!(again[0], is("grant", "unchanged"));

    let unreadable = json!({ "grant": [{ "consumer": NEWCOMER, "expires_at": "soon" }] });
    let refused = admin.own(&token, BATCH, "", unreadable).await;
    assert_status("unreadable", &refused, 400);
    assert_eq!(refused.json()["errors"][0]["pointer"], "grant[0].expires_at");
}

#[tokio::test]
async fn a_thousand_at_once_are_quick_and_each_is_in_the_trail() {
    let admin = AdminServer::start().await;
    let token = admin.token(PROVIDER, "idporten:scopes.write").await;
    let many = numbers(1_001);
    let body = |count: usize| {
        let grants: Vec<_> = many[..count].iter().map(|it| json!({ "consumer": it })).collect();
        json!({ "grant": grants })
    };
    assert_status("too many", &admin.own(&token, BATCH, "", body(1_001)).await, 400);
    let before = admin.server.store.latest_change().await.unwrap();
    let reply = admin.own(&token, BATCH, "", body(1_000)).await;
    assert!(outcomes(&reply).iter().all(|(_, outcome)| outcome == "done"), "{}", reply.text());
    println!("1,000 accesses at once: {:?}", reply.took);
    assert!(reply.took < Duration::from_secs(10), "{:?}", reply.took);
    let after = admin.server.store.latest_change().await.unwrap();
    assert_eq!(after.0 - before.0, 1_000);
    let registry = &admin.server.app.registry;
    let key = format!("test:closed {}", many[999]);
    let filter = AuditFilter { key: Some(key), ..AuditFilter::default() };
    let rows = registry.audit_rows(&actor(), filter, None, 10).await.unwrap().items;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].action, "grant");
    assert!(matches!(registry.verify_audit(&actor()).await.unwrap(), AuditVerdict::Whole { .. }));
    let listed = items(&admin.look(&token, "/scopes/test%3Aclosed/accesses?limit=500").await);
    assert_eq!(listed.len(), 500);
}
