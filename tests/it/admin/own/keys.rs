//! Keys of clients: added, withdrawn and renewed, each from the next token request on.

use serde_json::{Value, json};

use crate::admin::own::{API, ask, change, expect, new_client};
use crate::harness::admin::AdminServer;
use crate::harness::caller::{Caller, Key};
use crate::harness::clock::NOW;
use crate::harness::{CONSUMER, SUPPLIER};

const DAY: i64 = 24 * 60 * 60;

fn with_key(client: &Caller, key: &Key, kid: &str) -> Caller {
    Caller { key: key.clone(), hint: ("kid", kid.into()), ..client.clone() }
}

#[tokio::test]
async fn a_key_counts_from_when_it_is_added_until_it_is_withdrawn() {
    let server = AdminServer::start().await;
    let token = server.full_token(CONSUMER).await;
    let client = new_client(&server, &token, json!(["test:read"])).await;
    let at = |method: &str, rest: &str| {
        format!("{method} {API}/clients/{}/keys{rest}", client.client_id)
    };
    let key = Key::generate("RS256");
    let second = with_key(&client, &key, "second");
    assert!(ask(&server, &second).await.is_err());
    let jwk = key.jwk("second");
    let made = server.call(Some(&token), &at("POST", ""), json!({ "jwk": jwk })).await;
    let made = expect(&made, 201);
    assert_eq!((&made["kid"], &made["alg"]), (&json!("second"), &json!("RS256")));
    assert_eq!(made["jwk"]["n"], jwk["n"]);
    assert_eq!(made["certificate"], false);
    assert_eq!(ask(&server, &second).await, Ok(()));

    let again = server.call(Some(&token), &at("POST", ""), json!({ "jwk": jwk })).await;
    expect(&again, 409);
    let mut renamed = jwk.clone();
    renamed["kid"] = "third".into();
    let same = server.call(Some(&token), &at("POST", ""), json!({ "jwk": renamed })).await;
    expect(&same, 409);

    let left = expect(&change(&server, &token, &at("DELETE", "/second"), Value::Null).await, 200);
    assert_eq!(left["items"].as_array().unwrap().len(), 1);
    assert!(ask(&server, &second).await.is_err());
    assert_eq!(ask(&server, &client).await, Ok(()));
    expect(&change(&server, &token, &at("DELETE", "/second"), Value::Null).await, 404);

    let line = format!("GET {API}/audit?noun=client&key={}", client.client_id);
    let rows = expect(&server.call(Some(&token), &line, Value::Null).await, 200);
    let kids = |side: &Value| side["keys"].as_array().map_or(0, Vec::len);
    let told: Vec<_> = rows["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            (row["action"].as_str().unwrap().to_owned(), kids(&row["before"]), kids(&row["after"]))
        })
        .collect();
    let expected = [("withdraw key", 2, 1), ("add key", 1, 2), ("create", 0, 1)];
    assert_eq!(told, expected.map(|(verb, before, after)| (verb.to_owned(), before, after)));
}

#[tokio::test]
async fn a_renewed_key_lives_beside_its_successor_until_it_ends() {
    let server = AdminServer::start().await;
    let token = server.full_token(CONSUMER).await;
    let client = new_client(&server, &token, json!(["test:read"])).await;
    let renew = format!("POST {API}/clients/{}/keys/first/renew", client.client_id);
    let key = Key::generate("ES256");
    for wrong in ["2026-06-01T12:00:00Z", "2020-01-01T00:00:00Z", "tomorrow"] {
        let body = json!({ "jwk": key.jwk("second"), "old_ends_at": wrong });
        expect(&server.call(Some(&token), &renew, body).await, 400);
    }
    expect(&server.call(Some(&token), &renew, json!({ "jwk": key.jwk("first") })).await, 409);
    let made = server.call(Some(&token), &renew, json!({ "jwk": key.jwk("second") })).await;
    let made = expect(&made, 201);
    assert_eq!(made["key"]["kid"], "second");
    assert_eq!(made["old"]["kid"], "first");
    assert_eq!(made["old"]["expires_at"], "2026-06-15T12:00:00Z");
    let second = with_key(&client, &key, "second");
    assert_eq!(ask(&server, &client).await, Ok(()));
    assert_eq!(ask(&server, &second).await, Ok(()));

    server.server.clock.set(NOW + 14 * DAY);
    let later = |caller: &Caller| {
        let now = NOW + 14 * DAY;
        caller.draft().claim("iat", now).claim("exp", now + 60).sign()
    };
    let refused = server.server.ask(&later(&client)).await;
    assert!(refused.text().contains("MP-121"), "{}", refused.text());
    assert!(server.server.ask(&later(&second)).await.token().is_some());
}

#[tokio::test]
async fn keys_by_expiry_show_the_first_to_end_first() {
    let server = AdminServer::start().await;
    let token = server.full_token(CONSUMER).await;
    let client = new_client(&server, &token, json!([])).await.client_id;
    let mut jwk = Key::generate("ES256").jwk("soon");
    jwk["exp"] = (NOW + 5 * DAY).into();
    let line = format!("POST {API}/clients/{client}/keys");
    let made = expect(&server.call(Some(&token), &line, json!({ "jwk": jwk })).await, 201);
    assert_eq!(made["expires_at"], "2026-06-06T12:00:00Z");
    let line = format!("GET {API}/keys?before=2026-06-07T00%3A00%3A00Z");
    let page = expect(&server.call(Some(&token), &line, Value::Null).await, 200);
    let soon = page["items"].as_array().unwrap().iter().find(|key| key["kid"] == "soon");
    assert_eq!(soon.map(|key| key["client_id"].as_str()), Some(Some(client.as_str())), "{page}");
    let mut ends = Vec::new();
    let mut cursor = String::new();
    loop {
        let line = format!("GET {API}/keys?limit=3{cursor}");
        let page = expect(&server.call(Some(&token), &line, Value::Null).await, 200);
        let items = page["items"].as_array().unwrap();
        ends.extend(items.iter().map(|key| key["expires_at"].as_str().unwrap().to_owned()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert!(ends.is_sorted() && ends.len() > 5, "{ends:?}");
    let line = format!("GET {API}/clients/{client}");
    let shown = expect(&server.call(Some(&token), &line, Value::Null).await, 200);
    assert_eq!(shown["first_key_expires_at"], "2026-06-06T12:00:00Z");
}

#[tokio::test]
async fn pem_is_taken_as_well_and_private_keys_are_not() {
    let server = AdminServer::start().await;
    let token = server.full_token(CONSUMER).await;
    let client = new_client(&server, &token, json!(["test:read"])).await;
    let line = format!("POST {API}/clients/{}/keys", client.client_id);
    let key = Key::generate("ES256");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let public = text(key.pair.public_key_to_pem().unwrap());
    let named = json!({ "pem": public, "kid": "from-pem" });
    expect(&server.call(Some(&token), &line, named).await, 201);
    assert_eq!(ask(&server, &with_key(&client, &key, "from-pem")).await, Ok(()));
    let unnamed = text(Key::generate("RS256").pair.public_key_to_pem().unwrap());
    let made = expect(&server.call(Some(&token), &line, json!({ "pem": unnamed })).await, 201);
    assert_eq!(made["kid"].as_str().unwrap().len(), 36);

    let pkcs8 = text(Key::generate("ES256").pair.private_key_to_pem_pkcs8().unwrap());
    let sign = |members: &[(&str, Value)]| {
        let mut jwk = Key::generate("ES256").jwk("x");
        for (name, value) in members {
            jwk[*name] = value.clone();
        }
        json!({ "jwk": jwk })
    };
    let rows = [
        ("E01", sign(&[("d", "hunter2".into())]), 400),
        (
            "E02",
            json!({ "jwk": { "kty": "oct", "k": "hunter2", "alg": "HS256", "kid": "x" } }),
            400,
        ),
        ("E04", sign(&[("crv", "P-384".into())]), 400),
        ("E04", sign(&[("x", "AAAA".into())]), 400),
        ("E05", sign(&[("use", "enc".into())]), 400),
        ("E05", sign(&[("key_ops", json!(["encrypt"]))]), 400),
        ("E06", sign(&[("alg", Value::Null)]), 400),
        ("E06", sign(&[("alg", "none".into())]), 400),
        ("E06", sign(&[("alg", "RS256".into())]), 400),
        ("E07", sign(&[("kid", "first".into())]), 409),
        ("E08", sign(&[("kid", "".into())]), 400),
        ("a kid that no address can name", sign(&[("kid", ".".into())]), 400),
        ("a kid that no address can name", sign(&[("kid", "..".into())]), 400),
        ("E08", sign(&[("kid", "x".repeat(10_000).into())]), 400),
        ("E08", sign(&[("kid", "a\u{1}b".into())]), 400),
        ("E11", json!({ "pem": pkcs8 }), 400),
        (
            "E12",
            json!({ "pem": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----" }),
            400,
        ),
        ("E13", sign(&[("exp", (NOW - 1).into())]), 400),
        ("both", json!({ "jwk": { "kty": "EC" }, "pem": "x" }), 400),
        ("neither", json!({}), 400),
        ("kid beside a JWK", json!({ "jwk": { "kty": "EC" }, "kid": "x" }), 400),
    ];
    for (what, body, status) in rows {
        let reply = server.call(Some(&token), &line, body).await;
        assert_eq!(reply.status, status, "{what}: {}", reply.text());
        assert!(!reply.text().contains("hunter2"), "{what}");
    }
    crate::harness::logs::assert_clean();
    let duplicate = br#"{"jwk":{"kty":"EC","kty":"RSA"}}"#;
    let json_type = [("Content-Type", "application/json")];
    expect(&server.send(Some(&token), &line, &json_type, duplicate).await, 400);

    let thousand: Vec<Value> =
        (0..1_000).map(|n| json!({ "kty": "EC", "kid": n.to_string() })).collect();
    let many = json!({ "name": "x", "keys": thousand });
    expect(&server.call(Some(&token), &format!("POST {API}/clients"), many).await, 400);
    let far = sign(&[("kid", "far".into()), ("exp", (NOW + 900 * DAY).into())]);
    let capped = expect(&server.call(Some(&token), &line, far).await, 201);
    assert_eq!(capped["expires_at"], "2027-06-01T12:00:00Z");
    let reply = server.call(Some(&token), &format!("GET {API}/keys"), Value::Null).await;
    for key in expect(&reply, 200)["items"].as_array().unwrap() {
        let known = ["kty", "kid", "use", "alg", "crv", "n", "e", "x", "y", "x5c"];
        assert!(key["jwk"].as_object().unwrap().keys().all(|name| known.contains(&name.as_str())));
    }
}

#[tokio::test]
async fn e07_e17_a_key_may_be_that_of_several_clients_and_a_client_is_that_of_its_own_organization()
{
    let server = AdminServer::start().await;
    let token = server.full_token(CONSUMER).await;
    // Operators use one certificate or key for several clients, and Maskinporten lets them.
    let key = Key::generate("ES256");
    let mut callers = Vec::new();
    for _ in 0..2 {
        let client = new_client(&server, &token, json!(["test:read"])).await;
        let line = format!("POST {API}/clients/{}/keys", client.client_id);
        let body = json!({ "jwk": key.jwk("shared") });
        expect(&server.call(Some(&token), &line, body).await, 201);
        callers.push(with_key(&client, &key, "shared"));
    }
    for caller in &callers {
        assert_eq!(ask(&server, caller).await, Ok(()));
    }
    // Whoever may make clients makes those of its own organization only, and sees no others.
    let others = server.full_token(SUPPLIER).await;
    let body = json!({ "name": "x", "organization": CONSUMER });
    let made = server.call(Some(&others), &format!("POST {API}/clients"), body).await;
    assert_eq!(made.status, 403, "E17: {}", made.text());
    let line = format!("POST {API}/clients/{}/keys", callers[0].client_id);
    let body = json!({ "jwk": Key::generate("ES256").jwk("foreign") });
    let added = server.call(Some(&others), &line, body).await;
    assert_eq!(added.status, 404, "E17: {}", added.text());
}
