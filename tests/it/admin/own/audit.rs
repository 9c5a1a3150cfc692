//! The audit trail, and our signing keys: what only the operator sees.

use serde_json::{Value, json};

use crate::admin::own::{API, expect, new_client};
use crate::harness::admin::AdminServer;
use crate::harness::server::server_key;
use crate::harness::{CONSUMER, PROVIDER};

async fn verify(server: &AdminServer, token: &str) -> Value {
    let line = format!("GET {API}/audit/verify");
    expect(&server.call(Some(token), &line, Value::Null).await, 200)
}

#[tokio::test]
async fn whoever_touches_the_audit_trail_is_found_out() {
    const COLUMNS: &str = "at, actor, by_right, action, noun, key, before, after, trace_id, outcome, \
         organization, actor_organization, hash";
    let edited = "update audit set key = 'other' where seq = 5";
    let inserted = format!(
        "insert into audit (seq, {COLUMNS}) select 1000, {COLUMNS} from audit where seq = 5"
    );
    let replaced = format!(
        "update audit set ({COLUMNS}) = (select {COLUMNS} from audit where seq = 4) where seq = 5"
    );
    for (statement, seq) in [
        (edited, 5),
        ("delete from audit where seq = 5", 6),
        (inserted.as_str(), 1_000),
        (replaced.as_str(), 5),
        ("update audit set hash = '' where seq = 1", 2),
    ] {
        let server = AdminServer::start().await;
        let token = server.token(PROVIDER, "portvakt:admin").await;
        let whole = verify(&server, &token).await;
        assert_eq!((&whole["whole"], &whole["unsealed"]), (&json!(true), &json!(0)), "{whole}");
        assert_eq!(whole["rows"], whole["newest"]["seq"]);
        server.server.sql().await.execute(statement).await;
        let broken = verify(&server, &token).await;
        assert_eq!(broken["whole"], false, "{statement}");
        assert_eq!(broken["broken"]["seq"], seq, "{statement}: {broken}");
    }
}

#[tokio::test]
async fn the_audit_trail_can_be_read_and_nothing_else() {
    // H24: no method changes it; that what was changed behind the server's back is found is the test above.
    let server = AdminServer::start().await;
    let token = server.token(PROVIDER, "portvakt:admin").await;
    for method in ["PUT", "PATCH", "DELETE", "POST"] {
        for path in ["audit", "audit/verify"] {
            let line = format!("{method} {API}/{path}");
            let reply = server.call(Some(&token), &line, json!({})).await;
            expect(&reply, 405);
            assert_eq!(reply.header("allow"), Some("GET,HEAD"));
        }
    }
    // Everything that is shown is the row's own; the reader of one organization sees no other's.
    let ours = server.full_token(CONSUMER).await;
    new_client(&server, &ours, json!([])).await;
    let line = format!("GET {API}/audit?limit=500");
    let rows = expect(&server.call(Some(&ours), &line, Value::Null).await, 200);
    let rows = rows["items"].as_array().unwrap();
    assert!(!rows.is_empty());
    assert!(
        rows.iter().all(|row| {
            row["organization"] == CONSUMER || row["actor_organization"] == CONSUMER
        })
    );
    let seqs: Vec<i64> = rows.iter().map(|row| row["seq"].as_i64().unwrap()).collect();
    assert!(seqs.is_sorted_by(|one, next| one > next));
    let other = format!("GET {API}/audit?organization={PROVIDER}");
    expect(&server.call(Some(&ours), &other, Value::Null).await, 403);
}

#[tokio::test]
async fn the_operator_sees_which_signing_key_signs() {
    let server = AdminServer::start().await;
    let token = server.token(PROVIDER, "portvakt:admin").await;
    let older = "insert into signing_key (kid, algorithm, jwk, sealed_private, state, created_at) \
         values ('older', 'RS256', '{}', null, 'RETIRED', 1)";
    server.server.sql().await.execute(older).await;
    let line = format!("GET {API}/signing-keys");
    let reply = server.call(Some(&token), &line, Value::Null).await;
    let keys = expect(&reply, 200);
    let told = |row: usize| {
        let key = &keys["items"][row];
        (
            key["kid"].as_str().unwrap(),
            key["state"].as_str().unwrap(),
            key["signs"].as_bool().unwrap(),
        )
    };
    assert_eq!(told(0), (server_key().0.as_str(), "ACTIVE", true));
    assert_eq!(told(1), ("older", "RETIRED", false));
    assert!(!reply.text().contains("sealed") && !reply.text().contains("jwk"));
}
