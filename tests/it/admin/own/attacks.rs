//! Attacks on the admin API, group H of the list: tokens, parameters, bodies, addresses.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::pkey::PKey;
use serde_json::{Value, json};

use crate::admin::coverage::Things;
use crate::admin::own::authorization::OPERATIONS;
use crate::admin::own::{assert_status, new_client, tag};
use crate::harness::admin::{AdminServer, admin_key};
use crate::harness::caller::{Key, message, with_signature};
use crate::harness::clock::NOW;
use crate::harness::server::server_key;
use crate::harness::{CONSUMER, ISSUER, PROVIDER};

const BASE: &str = "/api/portvakt/v1";

#[tokio::test]
async fn h01_to_h03_only_a_token_for_this_api_counts() {
    let admin = AdminServer::start().await;
    let client = admin.client(PROVIDER, "idporten:scopes.read").await;
    let good = admin.token_of(&client.draft()).await;
    assert_status("H01 control", &admin.look(&good, "/scopes").await, 200);
    let line = format!("GET {BASE}/scopes");
    assert_status("H01 no token", &admin.call(None, &line, Value::Null).await, 401);
    let elsewhere = client.draft().claim("resource", "https://api.other.test/");
    let elsewhere = admin.token_of(&elsewhere).await;
    assert_status("H03 for another API", &admin.look(&elsewhere, "/scopes").await, 401);
    let wrong = admin.token(PROVIDER, "idporten:dcr.write").await;
    let refused = admin.look(&wrong, "/scopes").await;
    assert_status("H01 wrong scope", &refused, 403);
    let challenge = refused.header("www-authenticate").unwrap();
    assert!(challenge.contains("insufficient_scope"), "{challenge}");

    let (kid, pkcs8) = server_key();
    let key = Key::from_pkcs8("RS256", pkcs8);
    let signed = |more: Value| {
        let mut claims = json!({
            "iss": ISSUER, "client_id": client.client_id, "scope": "idporten:scopes.read",
            "exp": NOW + 60, "iat": NOW, "jti": "x",
            "consumer": { "authority": "iso6523-actorid-upis", "ID": format!("0192:{PROVIDER}") },
        });
        for (name, value) in more.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let header = json!({ "alg": "RS256", "kid": kid });
        let text = message(header.to_string(), claims.to_string());
        with_signature(&text, &key.sign(text.as_bytes()))
    };
    let made = admin.look(&signed(json!({})), "/scopes").await;
    assert_status("H01 control, made by hand", &made, 200);
    for (what, more) in [
        ("H01 bound to a key", json!({ "cnf": { "jkt": "x" } })),
        ("H01 expired", json!({ "exp": NOW })),
        ("H01 of another issuer", json!({ "iss": "https://other.test/" })),
        ("H03 for another API", json!({ "aud": ["https://admin.other.test/", "x"] })),
    ] {
        assert_status(what, &admin.look(&signed(more), "/scopes").await, 401);
    }
    let in_query = format!("GET {BASE}/scopes?access_token={good}");
    assert_status("H02", &admin.call(None, &in_query, Value::Null).await, 401);
    admin.server.clock.set(NOW + 121);
    assert_status("H01 expired", &admin.look(&good, "/scopes").await, 401);
    assert!(crate::harness::logs::lines_with(&good).is_empty(), "H02: the token is in the log");
}

#[tokio::test]
async fn h06_h09_h10_h17_parameters_are_known_and_in_bounds() {
    let admin = AdminServer::start().await;
    let token = admin.token(PROVIDER, "idporten:scopes.write").await;
    let other = admin.token(CONSUMER, "idporten:scopes.read").await;
    let page = admin.look(&token, "/scopes?limit=2").await;
    let cursor = page.json()["next_cursor"].as_str().unwrap().to_owned();
    let control = admin.look(&token, &format!("/scopes?cursor={cursor}")).await;
    assert_status("H09 control", &control, 200);
    let stolen = admin.look(&other, &format!("/scopes?cursor={cursor}")).await;
    assert_status("H09 of another", &stolen, 400);
    let moved = admin.look(&token, &format!("/scopes/public?cursor={cursor}")).await;
    assert_status("H09 of another list", &moved, 400);
    let long = format!("q={}", "_".repeat(7_000));
    for query in [
        "limit=-1",
        "limit=0",
        "limit=501",
        "limit=1000000000",
        "limit=x",
        "limit=",
        "cursor=eDp5.AAAA",
        "cursor=",
        "cursor=%00",
        "q=%00",
        "offset=9223372036854775808",
        "include=secrets",
        "fields=*",
        "sort=name;drop",
        "sort=1)%20OR%201=1",
        "limit=1&limit=2",
        "inactive=maybe",
        "organization=310000109",
        "organization=1%20OR%201=1",
        &long,
    ] {
        let reply = admin.look(&token, &format!("/scopes?{query}")).await;
        assert_status(&format!("H06, H09 {query}"), &reply, 400);
    }
    for query in ["q=1)%20OR%201=1--", "q=%27;drop%20table%20scope;--", "prefix=%25", "prefix=%00"]
    {
        let reply = admin.look(&token, &format!("/scopes?{query}")).await;
        assert_eq!(reply.json()["items"], json!([]), "H10 {query}: {}", reply.text());
    }
    for query in [
        "side=both",
        "state=approved",
        "consumer=31000010",
        "scope=nav",
        "side=given&consumer=310000116",
    ] {
        let status = if query.starts_with("side=given") { 403 } else { 400 };
        assert_status(query, &admin.look(&token, &format!("/accesses?{query}")).await, status);
    }
    for address in ["/me", "/organizations/310000108", "/scopes/test%3Aread", "/prefixes/test"] {
        let reply = admin.look(&token, &format!("{address}?verbose=1")).await;
        assert_status(address, &reply, 400);
    }
    let odd = "test:a/b.c-d_e:f/G";
    let new = json!({ "scope": odd, "description": "Odd" });
    assert_status("H17", &admin.own(&token, "POST /scopes", "", new).await, 201);
    let encoded = crate::harness::http::escape(odd);
    for address in [format!("/scopes/{encoded}"), format!("/accesses?scope={encoded}")] {
        assert_status("H17", &admin.look(&token, &address).await, 200);
    }
    let shown = admin.look(&token, &format!("/scopes/{encoded}")).await;
    assert_eq!(shown.json()["scope"], odd);
    for wrong in ["test%3Aa%2Bb", "test%3Aa%26b", "test%3Aa%25b", "test%3A%2E%2E", "test%3A", "nav"]
    {
        assert_status("H17", &admin.look(&token, &format!("/scopes/{wrong}")).await, 400);
    }
}

#[tokio::test]
async fn h07_h08_h11_h12_bodies_are_read_strictly() {
    let admin = AdminServer::start().await;
    let token = admin.token(PROVIDER, "idporten:scopes.write").await;
    let before = admin.server.store.latest_change().await.unwrap();
    for member in ["org_id", "owner", "organization", "is_admin", "created_at", "tenant", "active"]
    {
        let mut new = json!({ "scope": "test:h07", "description": "H07" });
        new[member] = "310000116".into();
        assert_status("H07", &admin.own(&token, "POST /scopes", "", new).await, 400);
    }
    let line = "PATCH /scopes/test%3Aread";
    for body in [
        json!({ "description": null }),
        json!({ "active": null }),
        json!({ "visibility": null }),
        json!({ "accessible_for_all": null }),
        json!({ "allowed_integration_types": null }),
        json!({ "scope": "test:write" }),
        json!({ "organization": CONSUMER }),
        json!([{ "op": "copy", "from": "/secret", "path": "/description" }]),
        json!([{ "op": "test", "path": "/description", "value": "x" }]),
        json!({ "visibility": "public" }),
        json!({ "visibility": "INTERNAL" }),
        json!({ "allowed_integration_types": ["other"] }),
        json!({ "token_lifetime_seconds_max": 0 }),
        json!({ "token_lifetime_seconds_max": -1 }),
        json!({ "token_lifetime_seconds_max": 4_294_967_296_u64 }),
        json!({ "delegation_source": "https://unknown.test/" }),
        json!({ "description": "" }),
        json!({ "description": "x".repeat(256) }),
    ] {
        let reply = admin.own(&token, line, "*", body.clone()).await;
        assert_status(&format!("H08 {body}"), &reply, 400);
    }
    let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
    let patch = format!("PATCH {BASE}/scopes/test%3Aread");
    for (what, status, body) in [
        ("H11 deep", 400, format!("{{\"description\":{deep}}}")),
        ("H11 twice", 400, r#"{"description":"a","description":"b"}"#.to_owned()),
        ("H11 number", 400, r#"{"token_lifetime_seconds_max":1e999}"#.to_owned()),
        ("H11 no object", 400, "null".to_owned()),
        ("H11 large", 413, format!("{{\"description\":\"{}\"}}", "x".repeat(10 * 1024 * 1024))),
    ] {
        let headers = [("Content-Type", "application/json"), ("If-Match", "*")];
        let reply = admin.send(Some(&token), &patch, &headers, body.as_bytes()).await;
        assert_status(what, &reply, status);
    }
    for kind in
        ["text/plain", "application/x-www-form-urlencoded", "application/json-patch+json", ""]
    {
        let headers = [("Content-Type", kind), ("If-Match", "*")];
        let headers = if kind.is_empty() { &headers[1..] } else { &headers[..] };
        let reply = admin.send(Some(&token), &patch, headers, b"{\"description\":\"x\"}").await;
        assert_status("H12", &reply, 415);
    }
    assert_eq!(admin.server.store.latest_change().await.unwrap(), before);
}

#[tokio::test]
async fn h13_h28_addresses_and_methods_that_are_not_there() {
    let admin = AdminServer::start().await;
    let token = admin.token(PROVIDER, "idporten:scopes.write").await;
    for address in [
        "/api/portvakt/v1/../v1/scopes",
        "/api/portvakt/v1/%2e%2e/token",
        "/api/portvakt/v1;x/scopes",
        "/api/portvakt/v1//scopes",
        "/API/portvakt/v1/scopes",
        "/api/portvakt/v1/scopes/",
        "/api/portvakt/v1/Scopes",
        "/api/portvakt/v1/scopes/test:a/b",
        "/api/portvakt/v1/scopes/%ff",
    ] {
        let reply = admin.call(Some(&token), &format!("GET {address}"), Value::Null).await;
        assert_eq!(reply.status, 404, "H13 {address}: {}", reply.text());
    }
    for address in ["/scopes/test%3Aread", "/scopes/test%3Anone"] {
        let shown = admin.look(&token, address).await;
        let head = admin.own(&token, &format!("HEAD {address}"), "", Value::Null).await;
        assert_eq!((head.status, head.body.len()), (shown.status, 0), "H28 {}", head.text());
        let bare = admin.call(None, &format!("HEAD {BASE}{address}"), Value::Null).await;
        assert_eq!(bare.status, 401, "H28");
        let options = admin.call(None, &format!("OPTIONS {BASE}{address}"), Value::Null).await;
        assert_eq!(options.status, 405, "H28 {}", options.text());
        assert_eq!(options.header("access-control-allow-origin"), None);
    }
}

#[tokio::test]
async fn h14_a_change_names_the_version_that_was_seen() {
    let admin = AdminServer::start().await;
    let token = admin.token(PROVIDER, "portvakt:admin").await;
    let access = "/scopes/test%3Aread/accesses/310000116";
    for (address, method, body) in [
        ("/scopes/test%3Aread", "PATCH", json!({ "description": "H14" })),
        ("/scopes/test%3Aread", "DELETE", Value::Null),
        ("/scopes/test%3Aread", "PATCH", json!({ "active": true })),
        (access, "PUT", json!({})),
        (access, "DELETE", Value::Null),
        ("/organizations/310000116", "PATCH", json!({ "name": "H14" })),
        ("/prefixes/test", "PATCH", json!({ "active": true })),
    ] {
        let line = format!("{method} {address}");
        let seen = tag(&admin.look(&token, address).await);
        assert_status(&line, &admin.own(&token, &line, "", body.clone()).await, 428);
        for stale in ["\"0\"", "\"99\"", "W/\"1\"", "1", "\"x\"", "\"\"", "\"1\", \"2\""] {
            assert_status(&line, &admin.own(&token, &line, stale, body.clone()).await, 412);
        }
        let done = admin.own(&token, &line, &seen, body.clone()).await;
        assert_status(&line, &done, 200);
        assert_status(&line, &admin.own(&token, &line, &seen, body).await, 412);
    }
}

/// Whatever the server or a client keeps to itself, as it could stand in an answer.
fn secrets(sealed: &str) -> Vec<String> {
    let base64url = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let client = admin_key().pair.ec_key().unwrap().private_key().to_vec();
    let server = PKey::private_key_from_pkcs8(&server_key().1).unwrap().rsa().unwrap();
    let server = [server.d().to_vec(), server.p().unwrap().to_vec()];
    let mut secrets = vec![sealed.to_owned(), base64url(&client), "PRIVATE KEY".to_owned()];
    secrets.extend(server.iter().map(|part| base64url(part)));
    secrets.extend(["\"d\":", "\"p\":", "\"q\":", "\"k\":", "sealed_private"].map(str::to_owned));
    secrets
}

#[tokio::test]
async fn no_answer_holds_the_private_half_of_a_key() {
    let admin = AdminServer::start().await;
    let operator = admin.token(PROVIDER, "portvakt:admin").await;
    let consumer = admin.full_token(CONSUMER).await;
    let client = new_client(&admin, &consumer, json!(["test:read"])).await.client_id;
    let things = Things { client, kid: "first".to_owned(), trace_id: "none".to_owned() };
    let rows = admin.server.store.signing_keys_in_use().await.unwrap();
    let secrets = secrets(rows[0].sealed_private.as_deref().unwrap());
    let listed = OPERATIONS.iter().filter(|it| it.method == "GET").map(|it| it.line(&things));
    let lines = listed.chain(super::rights::lines().filter(|line| line.starts_with("GET ")));
    let (mut answered, mut read) = (0, 0);
    for line in lines {
        for token in [&operator, &consumer] {
            let reply = admin.call(Some(token), &line, Value::Null).await;
            answered += usize::from(reply.status == 200);
            read += 1;
            let text = reply.text();
            let found = secrets.iter().find(|secret| text.contains(secret.as_str()));
            assert_eq!(found, None, "H22 {line}: {text}");
        }
    }
    assert!(answered > 30, "H22: of {read} answers only {answered} were no refusals");
}

#[tokio::test]
async fn other_sites_are_not_let_in_by_browsers() {
    let admin = AdminServer::start().await;
    let token = admin.token(PROVIDER, "portvakt:admin").await;
    let origin = ("Origin", "https://evil.example");
    let asks = [
        origin,
        ("Access-Control-Request-Method", "PUT"),
        ("Access-Control-Request-Headers", "authorization, if-match"),
    ];
    for path in ["/api/portvakt/v1/scopes", "/api/v1/scopes", "/openapi.json", "/portal/sign-in"] {
        let preflight = admin.send(None, &format!("OPTIONS {path}"), &asks, b"").await;
        let real = admin.send(Some(&token), &format!("GET {path}"), &[origin], b"").await;
        for reply in [preflight, real] {
            let text = reply.text().to_ascii_lowercase();
            assert!(!text.contains("access-control-allow"), "H27 {path}: {text}");
        }
    }
}
