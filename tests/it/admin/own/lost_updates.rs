//! F15: many who change one thing at the same time.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use crate::admin::own::tag;
use crate::harness::PROVIDER;
use crate::harness::admin::AdminServer;

/// Who change the scope, all at once.
const WRITERS: u64 = 200;

/// Reads the scope, adds one to its description, and begins anew when somebody else was faster. Returns how often
/// somebody was.
async fn add_one(admin: &AdminServer, token: &str, writer: u64) -> u64 {
    let mut stale = 0;
    loop {
        let seen = admin.look(token, "/scopes/test%3Aread").await;
        assert_eq!(seen.status, 200, "{}", seen.text());
        let count: u64 = seen.json()["description"].as_str().unwrap().parse().unwrap();
        let body = json!({ "description": (count + 1).to_string() });
        let done = admin.own(token, "PATCH /scopes/test%3Aread", &tag(&seen), body).await;
        match done.status {
            200 => return stale,
            412 => stale += 1,
            _ => panic!("{}", done.text()),
        }
        // As programs do that have met others: wait for a while that is not the others'.
        tokio::time::sleep(Duration::from_millis((writer * 37 + stale * 101) % 400)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_update_is_lost_under_another() {
    let admin = Arc::new(AdminServer::start().await);
    let token = admin.token(PROVIDER, "idporten:scopes.write").await;
    let zero = json!({ "description": "0" });
    admin.own(&token, "PATCH /scopes/test%3Aread", "*", zero).await;
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let (admin, token) = (Arc::clone(&admin), token.clone());
        writers.spawn(async move { add_one(&admin, &token, writer).await });
    }
    let stale: u64 = writers.join_all().await.into_iter().sum();
    println!("{WRITERS} writers were told {stale} times that somebody was faster");
    let last = admin.look(&token, "/scopes/test%3Aread").await.json();
    assert_eq!(last["description"], WRITERS.to_string());
    assert!(stale > 0, "nobody met anybody, so nothing has been tested");
}
