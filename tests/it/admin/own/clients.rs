//! Clients: each change holds for the next token request, and leaves what it was before in the audit trail.

use serde_json::{Value, json};

use crate::admin::own::{API, ask, change, expect, new_client};
use crate::harness::admin::AdminServer;
use crate::harness::caller::Caller;
use crate::harness::http::escape;
use crate::harness::{CONSUMER, PROVIDER};

async fn audit_of(server: &AdminServer, token: &str, client: &str) -> Value {
    let line = format!("GET {API}/audit?noun=client&key={client}&limit=1");
    let page = expect(&server.call(Some(token), &line, Value::Null).await, 200);
    page["items"][0].clone()
}

#[tokio::test]
async fn every_change_of_a_client_holds_for_the_next_token_request() {
    let server = AdminServer::start().await;
    let token = server.full_token(CONSUMER).await;
    let client = new_client(&server, &token, json!(["test:read"])).await;
    let at =
        |method: &str, rest: &str| format!("{method} {API}/clients/{}{rest}", client.client_id);
    let writes = Caller { scope: "test:write", ..client.clone() };
    assert_eq!(ask(&server, &client).await, Ok(()));
    assert_eq!(ask(&server, &writes).await, Err("MP-200".to_owned()));

    let put = change(&server, &token, &at("PUT", "/scopes/test%3Awrite"), Value::Null).await;
    assert_eq!(expect(&put, 200)["scopes"], json!(["test:read", "test:write"]));
    assert_eq!(ask(&server, &writes).await, Ok(()));
    let row = audit_of(&server, &token, &client.client_id).await;
    assert_eq!(row["before"]["scopes"], json!(["test:read"]));
    assert_eq!(row["after"]["scopes"], json!(["test:read", "test:write"]));

    change(&server, &token, &at("DELETE", "/scopes/test:write"), Value::Null).await;
    assert_eq!(ask(&server, &writes).await, Err("MP-200".to_owned()));
    let gone = change(&server, &token, &at("DELETE", "/scopes/test:write"), Value::Null).await;
    expect(&gone, 404);

    let off = change(&server, &token, &at("DELETE", ""), Value::Null).await;
    assert_eq!(expect(&off, 200)["active"], false);
    assert_eq!(ask(&server, &client).await, Err("MP-100".to_owned()));
    let row = audit_of(&server, &token, &client.client_id).await;
    assert_eq!((&row["action"], &row["outcome"]), (&json!("deactivate"), &json!("done")));
    assert_eq!((&row["before"]["active"], &row["after"]["active"]), (&json!(true), &json!(false)));

    let on = server.call(Some(&token), &at("POST", "/restore"), Value::Null).await;
    assert_eq!(expect(&on, 200)["active"], true);
    assert_eq!(ask(&server, &client).await, Ok(()));

    let body = json!({ "name": "B", "description": "What for", "access_token_lifetime": 30,
        "scopes": [], "active": false });
    let changed = expect(&change(&server, &token, &at("PATCH", ""), body).await, 200);
    assert_eq!(changed["name"], "B");
    assert_eq!(changed["access_token_lifetime"], 30);
    assert_eq!(ask(&server, &client).await, Err("MP-100".to_owned()));
    let row = audit_of(&server, &token, &client.client_id).await;
    assert_eq!(row["before"]["name"], "A client");
    assert_eq!(row["after"]["name"], "B");
    assert_eq!(row["by_right"], "idporten:dcr.write");
}

#[tokio::test]
async fn a_client_that_is_deactivated_takes_no_key_and_is_not_revived_by_one() {
    let server = AdminServer::start().await;
    let token = server.full_token(CONSUMER).await;
    let client = new_client(&server, &token, json!(["test:read"])).await;
    let at =
        |method: &str, rest: &str| format!("{method} {API}/clients/{}{rest}", client.client_id);
    expect(&change(&server, &token, &at("DELETE", ""), Value::Null).await, 200);
    let jwk = json!({ "jwk": crate::harness::caller::Key::generate("ES256").jwk("new") });
    for rest in ["/keys", "/keys/first/renew"] {
        expect(&server.call(Some(&token), &at("POST", rest), jwk.clone()).await, 409);
    }
    let shown = expect(&server.call(Some(&token), &at("GET", ""), Value::Null).await, 200);
    assert_eq!((&shown["active"], &shown["keys"]), (&json!(false), &json!(1)));
    // What is no longer to be trusted can be withdrawn all the same.
    expect(&change(&server, &token, &at("DELETE", "/keys/first"), Value::Null).await, 200);
}

#[tokio::test]
async fn tools_that_add_scopes_at_once_all_succeed() {
    let server = AdminServer::start().await;
    let token = server.full_token(CONSUMER).await;
    let client = new_client(&server, &token, json!(["test:read"])).await.client_id;
    let scopes = ["test:write", "test:open", "test:delegated", "test:short"];
    let put = async |scope: &&str| {
        let line = format!("PUT {API}/clients/{client}/scopes/{}", escape(scope));
        server.send(Some(&token), &line, &[], b"").await.status
    };
    let put = (put(&scopes[0]), put(&scopes[1]), put(&scopes[2]), put(&scopes[3]));
    assert_eq!(tokio::join!(put.0, put.1, put.2, put.3), (200, 200, 200, 200));
    let line = format!("GET {API}/clients/{client}");
    let shown = expect(&server.call(Some(&token), &line, Value::Null).await, 200);
    assert_eq!(shown["scopes"].as_array().unwrap().len(), 5, "{shown}");
}

#[tokio::test]
async fn a_change_needs_the_version_that_it_is_meant_for() {
    let server = AdminServer::start().await;
    let token = server.full_token(CONSUMER).await;
    let client = new_client(&server, &token, json!(["test:read"])).await.client_id;
    let at = |method: &str, rest: &str| format!("{method} {API}/clients/{client}{rest}");
    let shown = server.call(Some(&token), &at("GET", ""), Value::Null).await;
    let tag = shown.header("etag").unwrap().to_owned();
    let send = async |line: String, tag: Option<&str>| {
        let mut headers = vec![("Content-Type", "application/json")];
        headers.extend(tag.map(|tag| ("If-Match", tag)));
        let body = if line.starts_with("PATCH") { &b"{\"name\":\"x\"}"[..] } else { b"" };
        server.send(Some(&token), &line, &headers, body).await
    };
    for (method, rest) in [("PATCH", ""), ("DELETE", ""), ("DELETE", "/keys/first")] {
        assert_eq!(send(at(method, rest), None).await.status, 428, "{method} {rest}");
        for stale in ["\"99\"", "W/\"1\"", "1", "\"\"", "\"1\", \"2\""] {
            let reply = send(at(method, rest), Some(stale)).await;
            assert_eq!(reply.status, 412, "{method} {rest} {stale}");
        }
    }
    expect(&send(at("PUT", "/scopes/test:write"), Some("\"99\"")).await, 412);
    let first = send(at("PATCH", ""), Some(&tag)).await;
    expect(&first, 200);
    assert_ne!(first.header("etag").unwrap(), tag);
    expect(&send(at("PATCH", ""), Some(&tag)).await, 412);
}

#[tokio::test]
async fn a_client_says_nothing_about_what_is_not_its_organizations_to_say() {
    let server = AdminServer::start().await;
    let token = server.full_token(CONSUMER).await;
    let clients = format!("POST {API}/clients");
    for body in [
        json!({ "name": "x", "client_id": "mine" }),
        json!({ "name": "x", "created_at": "2020-01-01T00:00:00Z" }),
        json!({ "name": "x", "is_admin": true }),
        json!({ "name": "x", "jwks_uri": "https://a.example/" }),
        json!({ "name": "x", "customer": PROVIDER }),
        json!({ "name": null }),
        json!({ "name": "" }),
        json!({ "name": "x", "organization": "310000117" }),
        json!({ "name": "x", "integration_type": "idporten" }),
        json!({ "name": "x", "integration_type": "other" }),
        json!({ "name": "x", "access_token_lifetime": 0 }),
        json!({ "name": "x", "access_token_lifetime": -1 }),
        json!({ "name": "x", "scopes": ["test:closed"] }),
        json!({ "name": "x", "scopes": ["nobody:scope"] }),
        json!({ "name": "x", "scopes": ["no scope"] }),
        json!({ "name": "x", "scopes": "test:read" }),
        json!({}),
    ] {
        expect(&server.call(Some(&token), &clients, body).await, 400);
    }
    let client = new_client(&server, &token, json!([])).await.client_id;
    let one = format!("PATCH {API}/clients/{client}");
    for name in ["name", "description", "active", "access_token_lifetime", "scopes"] {
        let reply = change(&server, &token, &one, json!({ name: null })).await;
        expect(&reply, 400);
        assert!(reply.text().contains(name), "{}", reply.text());
    }
    for member in ["client_id", "organization", "integration_type", "keys"] {
        expect(&change(&server, &token, &one, json!({ member: "x" })).await, 400);
    }
    let other = json!({ "name": "x", "organization": PROVIDER });
    expect(&server.call(Some(&token), &clients, other).await, 403);
}

#[tokio::test]
async fn no_text_makes_it_stumble() {
    let server = AdminServer::start().await;
    let token = server.full_token(CONSUMER).await;
    let long = "x".repeat(100_000);
    for text in
        ["\0", "a\u{202e}b", "\u{7f}", "\u{1f600}", "<b>x</b>", "' or 1=1 --", "\u{fffd}", &long]
    {
        let refused = text.chars().any(|c| c.is_control() || c == '\u{202e}') || text.len() > 1_000;
        let status = if refused { 400 } else { 201 };
        for member in ["name", "description"] {
            let mut body = json!({ "name": "x" });
            body[member] = text.into();
            let reply = server.call(Some(&token), &format!("POST {API}/clients"), body).await;
            assert_eq!(reply.status, status, "{member} {:?}", &text[..text.len().min(20)]);
            if status == 201 {
                assert_eq!(reply.json()[member], text);
            }
        }
        for list in
            ["clients?q=", "audit?key=", "audit?noun=", "audit?actor=", "refusals?client_id="]
        {
            if text.len() < 1_000 {
                let line = format!("GET {API}/{list}{}", escape(text));
                let reply = server.call(Some(&token), &line, Value::Null).await;
                assert!([200, 400, 404].contains(&reply.status), "{list}: {}", reply.text());
            }
        }
    }
    let line = format!("POST {API}/clients");
    let twice = br#"{"name":"a","name":"b"}"#;
    let json = [("Content-Type", "application/json")];
    expect(&server.send(Some(&token), &line, &json, twice).await, 400);
    expect(&server.send(Some(&token), &line, &[("Content-Type", "text/plain")], b"{}").await, 415);
    let large = vec![b' '; 300 * 1024];
    expect(&server.send(Some(&token), &line, &json, &large).await, 413);
}

#[tokio::test]
async fn lists_come_in_pages_and_show_ones_own() {
    let server = AdminServer::start().await;
    let token = server.full_token(CONSUMER).await;
    for _ in 0..3 {
        new_client(&server, &token, json!(["test:short"])).await;
    }
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let line = format!("GET {API}/clients?limit=2&scope=test%3Ashort&q=a%20CLIENT{cursor}");
        let page = expect(&server.call(Some(&token), &line, Value::Null).await, 200);
        let items = page["items"].as_array().unwrap();
        assert!(items.iter().all(|item| item["organization"] == CONSUMER));
        seen.extend(items.iter().map(|item| item["client_id"].to_string()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), 3);
    assert!(seen.is_sorted());
    let foreign = server.full_token(CONSUMER).await;
    if !cursor.is_empty() {
        let line = format!("GET {API}/clients?limit=2{cursor}");
        expect(&server.call(Some(&foreign), &line, Value::Null).await, 400);
    }
    for bad in
        ["limit=0", "limit=501", "limit=-1", "limit=x", "cursor=x", "other=1", "limit=1&limit=2"]
    {
        let line = format!("GET {API}/clients?{bad}");
        expect(&server.call(Some(&token), &line, Value::Null).await, 400);
    }
}
