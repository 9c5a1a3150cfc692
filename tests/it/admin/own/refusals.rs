//! Refused token requests, explained to whom they concern.

use std::time::Duration;

use serde_json::{Value, json};

use crate::admin::own::{API, expect, new_client};
use crate::harness::admin::AdminServer;
use crate::harness::caller::{Caller, Key};
use crate::harness::clock::tick;
use crate::harness::{CONSUMER, PROVIDER};

/// The trace id of a refused request, once its record can be read.
async fn refused(server: &AdminServer, assertion: &str) -> String {
    let reply = server.server.ask(assertion).await;
    assert!(reply.token().is_none());
    let trace_id = reply.header("trace-id").unwrap().to_owned();
    let began = tick();
    while server.server.store.refused_request(&trace_id).await.unwrap().is_none() {
        assert!(began.elapsed() < Duration::from_secs(5), "no record");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    trace_id
}

#[tokio::test]
async fn a_refusal_is_explained_to_the_owner_of_the_client_and_the_operator() {
    let server = AdminServer::start().await;
    let (ours, others) = (server.full_token(CONSUMER).await, server.full_token(PROVIDER).await);
    let operator = server.token(PROVIDER, "portvakt:admin").await;
    let client = new_client(&server, &ours, json!(["test:read"])).await;
    let forged = client.draft().signed_by(&Key::generate("ES256")).sign();
    let forged = refused(&server, &forged).await;
    let closed = Caller { scope: "test:write", ..client.clone() };
    let closed = refused(&server, &closed.assertion()).await;

    let explain = |trace_id: &str| format!("GET {API}/explain/{trace_id}");
    let told = expect(&server.call(Some(&ours), &explain(&forged), Value::Null).await, 200);
    assert_eq!(told["client_id"], client.client_id.as_str());
    assert_eq!((&told["code"], &told["signature_verified"]), (&json!("MP-124"), &json!(false)));
    let steps = told["steps"].as_array().unwrap();
    let step = |name: &str| steps.iter().find(|step| step["step"] == name).unwrap();
    assert_eq!(step("key")["outcome"], "passed");
    assert_eq!(step("signature")["outcome"], "failed");
    assert!(step("signature")["expected"].is_string());
    assert_eq!(step("sign")["outcome"], "not_reached");
    assert!(told["what_to_do"].as_str().unwrap().len() > 20);
    let told = expect(&server.call(Some(&operator), &explain(&closed), Value::Null).await, 200);
    assert_eq!((&told["code"], &told["signature_verified"]), (&json!("MP-200"), &json!(true)));
    for trace_id in [forged.as_str(), "0", "00000000000000000000000000000000"] {
        expect(&server.call(Some(&others), &explain(trace_id), Value::Null).await, 404);
    }

    let list = format!("GET {API}/refusals?client_id={}", client.client_id);
    expect(&server.call(Some(&others), &list, Value::Null).await, 404);
    let first = server.call(Some(&ours), &format!("{list}&limit=1"), Value::Null).await;
    let first = expect(&first, 200);
    assert!(first["items"][0].get("steps").is_none());
    let next = format!("{list}&limit=1&cursor={}", first["next_cursor"].as_str().unwrap());
    let second = expect(&server.call(Some(&ours), &next, Value::Null).await, 200);
    let mut both = [&first, &second].map(|page| page["items"][0]["trace_id"].as_str().unwrap());
    let mut expected = [forged.as_str(), closed.as_str()];
    both.sort_unstable();
    expected.sort_unstable();
    assert_eq!(both, expected);
}
