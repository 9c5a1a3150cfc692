//! The keys of clients.

use serde_json::{Value, json};

use super::{call, done, members, new_client};
use crate::harness::CONSUMER;
use crate::harness::admin::{AdminServer, admin_key};
use crate::harness::caller::Key;
use crate::harness::clock::NOW;
use crate::harness::server::pki;

const YEAR: i64 = 365 * 24 * 60 * 60;

/// A server, a token and the address of the keys of a new client.
async fn prepared() -> (AdminServer, String, String) {
    let admin = AdminServer::start().await;
    let token = admin.full_token(CONSUMER).await;
    let id = new_client(&admin, &token, "test:read").await;
    (admin, token, format!("/api/v1/clients/{id}/jwks"))
}

#[tokio::test]
async fn a_set_of_keys_is_replaced_as_a_whole_and_every_key_says_when_it_ends() {
    let (admin, token, path) = prepared().await;
    let empty = admin.call(Some(&token), &format!("GET {path}"), Value::Null).await;
    assert_eq!((empty.status, empty.body.as_slice()), (200, br#"{"keys":[]}"#.as_slice()));
    let rsa = Key::generate("RS256").jwk("rsa");
    let (status, set) = call(&admin, &token, &format!("POST {path}"), json!({"keys": [rsa]})).await;
    assert_eq!(status, 201, "{set}");
    let expected = json!({
        "keys": [{
            "kid": "rsa", "alg": "RS256", "kty": "RSA", "use": "sig", "n": rsa["n"], "e": "AQAB",
            "exp": NOW + YEAR, "created": "2026-06-01T12:00:00Z",
            "last_updated": "2026-06-01T12:00:00Z",
        }],
        "created": "2026-06-01T12:00:00Z", "last_updated": "2026-06-01T12:00:00Z",
    });
    assert_eq!(set, expected);
    assert_eq!(done(&admin, &token, &format!("GET {path}"), Value::Null).await, set);

    // Read, add, write: an end that was stamped stays, a new key begins.
    admin.server.clock.set(NOW + 10);
    let token = admin.full_token(CONSUMER).await;
    let mut second = admin_key().jwk("second");
    second["exp"] = (NOW + 1_000).into();
    second["x5c"] = Value::Null;
    let body = json!({"keys": [second, set["keys"][0]]});
    let set = done(&admin, &token, &format!("POST {path}"), body).await;
    let key = |kid: &str| {
        let keys = set["keys"].as_array().unwrap();
        keys.iter().find(|key| key["kid"] == kid).unwrap().clone()
    };
    assert_eq!(key("rsa")["exp"], NOW + YEAR);
    assert_eq!(key("rsa")["created"], "2026-06-01T12:00:00Z");
    assert_eq!(key("second")["exp"], NOW + 1_000);
    let numbers = ["kty", "crv", "x", "y", "alg", "use"];
    assert!(numbers.iter().all(|name| key("second")[name] == second[name]));
    assert_eq!(
        (&set["created"], &set["last_updated"]),
        (&json!("2026-06-01T12:00:00Z"), &json!("2026-06-01T12:00:10Z"))
    );
    // The same key once more without an end begins its year again.
    let set = done(&admin, &token, &format!("POST {path}"), json!({"keys": [rsa]})).await;
    assert_eq!(set["keys"].as_array().unwrap().len(), 1);
    assert_eq!(set["keys"][0]["exp"], NOW + 10 + YEAR);

    let gone = admin.call(Some(&token), &format!("DELETE {path}"), Value::Null).await;
    assert_eq!((gone.status, gone.body.len()), (200, 0));
    let empty = done(&admin, &token, &format!("GET {path}"), Value::Null).await;
    assert_eq!(empty, json!({"keys": []}));
}

#[tokio::test]
async fn a_key_that_is_over_does_not_stand_in_the_way_of_a_new_one() {
    let (admin, token, path) = prepared().await;
    let mut old = admin_key().jwk("old");
    old["exp"] = (NOW + 20).into();
    done(&admin, &token, &format!("POST {path}"), json!({"keys": [old]})).await;
    admin.server.clock.set(NOW + 30);
    let known = done(&admin, &token, &format!("GET {path}"), Value::Null).await["keys"].clone();
    assert_eq!(known[0]["exp"], NOW + 20);
    let new = Key::generate("ES256").jwk("new");
    let body = json!({"keys": [new, known[0]]});
    let set = done(&admin, &token, &format!("POST {path}"), body).await;
    let old_again = set["keys"].as_array().unwrap().iter().find(|key| key["kid"] == "old").unwrap();
    assert_eq!(old_again["exp"], NOW + 20);
    // But nobody registers a key that is over, or changes the end of one that is.
    for (kid, exp) in [("other", NOW + 20), ("old", NOW + 25)] {
        let mut jwk = old.clone();
        jwk["kid"] = kid.into();
        jwk["exp"] = exp.into();
        let (status, reply) =
            call(&admin, &token, &format!("POST {path}"), json!({"keys": [jwk]})).await;
        assert_eq!((status, &reply["errors"][0]["fieldIdentifier"]), (400, &json!("exp")));
    }
}

#[tokio::test]
async fn what_cannot_be_a_key_is_refused_and_never_repeated() {
    let (admin, token, path) = prepared().await;
    let good = admin_key().jwk("a");
    let with = |name: &str, value: Value| {
        let mut jwk = good.clone();
        jwk[name] = value;
        vec![jwk]
    };
    let small = openssl::rsa::Rsa::generate(1024).unwrap();
    let small = Key { pair: openssl::pkey::PKey::from_rsa(small).unwrap(), algorithm: "RS256" };
    let three = openssl::bn::BigNum::from_u32(3).unwrap();
    let three = openssl::rsa::Rsa::generate_with_e(2048, &three).unwrap();
    let three = Key { pair: openssl::pkey::PKey::from_rsa(three).unwrap(), algorithm: "RS256" };
    let renamed = |kid: &str| {
        let mut jwk = good.clone();
        jwk["kid"] = kid.into();
        jwk
    };
    for (id, keys, status) in [
        ("E01", with("d", "hunter2hunter2".into()), 400),
        (
            "E02",
            vec![json!({"kty": "oct", "k": "hunter2hunter2", "kid": "a", "alg": "HS256"})],
            400,
        ),
        ("E03", vec![small.jwk("a")], 400),
        ("E03", vec![three.jwk("a")], 400),
        ("E04", with("crv", "P-384".into()), 400),
        ("E04", with("x", "AAAA".into()), 400),
        ("E04", with("x", good["y"].clone()), 400),
        ("E05", with("use", "enc".into()), 400),
        ("E05", with("key_ops", json!(["encrypt"])), 400),
        ("E06", with("alg", "none".into()), 400),
        ("E06", with("alg", Value::Null), 400),
        ("E06", with("alg", "RS256".into()), 400),
        ("E07", vec![good.clone(), Key::generate("ES256").jwk("a")], 409),
        ("E07", vec![good.clone(), renamed("b")], 409),
        ("E08", vec![renamed("")], 400),
        ("E08", vec![renamed(&"a".repeat(10_000))], 400),
        ("E08", vec![renamed("a\nb")], 400),
        ("E10", (0..6).map(|at| renamed(&at.to_string())).collect(), 400),
        ("E10", (0..1_000).map(|at| renamed(&at.to_string())).collect(), 400),
        ("E13", with("exp", (NOW - 1).into()), 400),
        ("E13", with("exp", "soon".into()), 400),
        ("", Vec::new(), 400),
    ] {
        let body = json!({"keys": keys});
        let reply = admin.call(Some(&token), &format!("POST {path}"), body).await;
        assert_eq!(reply.status, status, "{id}: {}", reply.text());
        assert!(!reply.text().contains("hunter2"), "{id}: {}", reply.text());
    }
    let twice =
        format!(r#"{{"keys":[{}]}}"#, good.to_string().replacen('{', r#"{"kty":"RSA","#, 1));
    let headers = [("Content-Type", "application/json")];
    let reply = admin.send(Some(&token), &format!("POST {path}"), &headers, twice.as_bytes()).await;
    assert_eq!(reply.status, 400, "E09: {}", reply.text());
    let (status, _) = call(&admin, &token, &format!("POST {path}"), good.clone()).await;
    assert_eq!(status, 400, "a key without the set around it");
    assert!(!crate::harness::logs::all().contains("hunter2"));
    assert_eq!(
        done(&admin, &token, &format!("GET {path}"), Value::Null).await,
        json!({"keys": []})
    );
    // An end after more than a year is brought forward (E13).
    let far = with("exp", (NOW + 2 * YEAR).into());
    let set = done(&admin, &token, &format!("POST {path}"), json!({"keys": far})).await;
    assert_eq!(set["keys"][0]["exp"], NOW + YEAR);
}

#[tokio::test]
async fn single_keys_can_be_read_replaced_and_withdrawn() {
    let (admin, token, path) = prepared().await;
    let jwk = admin_key().jwk("a.b_c-1");
    done(&admin, &token, &format!("POST {path}"), json!({"keys": [jwk]})).await;
    let one = format!("{path}/a.b_c-1");
    let shown = done(&admin, &token, &format!("GET {one}"), Value::Null).await;
    assert_eq!((&shown["kid"], &shown["exp"]), (&jwk["kid"], &json!(NOW + YEAR)));
    let new = Key::generate("ES256").jwk("a.b_c-1");
    let put = done(&admin, &token, &format!("PUT {one}"), new.clone()).await;
    assert_eq!(put["x"], new["x"]);
    let other = Key::generate("ES256").jwk("other");
    for (line, body, status) in [
        (format!("PUT {one}"), other.clone(), 400),
        (format!("PUT {path}/other"), other, 404),
        (format!("GET {path}/other"), Value::Null, 404),
        (format!("DELETE {path}/other"), Value::Null, 404),
        (format!("GET {path}/%00"), Value::Null, 404),
    ] {
        assert_eq!(call(&admin, &token, &line, body).await.0, status, "{line}");
    }
    let gone = done(&admin, &token, &format!("DELETE {one}"), Value::Null).await;
    assert_eq!(gone["kid"], "a.b_c-1");
    let set = done(&admin, &token, &format!("GET {path}"), Value::Null).await;
    assert_eq!(set, json!({"keys": []}));
}

#[tokio::test]
async fn a_key_can_come_as_text() {
    let (admin, token, path) = prepared().await;
    let add = path.replace("/api/v1", "/api/v2").replace("/jwks", "/key");
    let line = format!("POST {add}");
    let send = async |text: &str| {
        let headers = [("Content-Type", "text/plain; charset=utf-8")];
        let reply = admin.send(Some(&token), &line, &headers, text.as_bytes()).await;
        (reply.status, reply.json(), reply.text())
    };
    let jwk = admin_key().jwk("mine");
    let (status, added, text) = send(&jwk.to_string()).await;
    assert_eq!((status, &added["kid"]), (201, &json!("mine")), "{text}");
    assert_eq!(send(&jwk.to_string()).await.0, 409);
    let key = Key::generate("RS256");
    let pem = String::from_utf8(key.pair.public_key_to_pem().unwrap()).unwrap();
    let (status, added, text) = send(&pem).await;
    assert_eq!(status, 201, "{text}");
    assert_eq!((&added["alg"], &added["n"]), (&json!("RS256"), &key.jwk("")["n"]));
    assert_eq!(added["kid"].as_str().unwrap().len(), 36);
    assert!(
        ["exp", "created", "last_updated", "use", "e"]
            .iter()
            .all(|it| members(&added).contains(it))
    );
    let leaf = pki().ca.leaf(|_| {});
    let pem = openssl::x509::X509::from_der(&leaf.der).unwrap().to_pem().unwrap();
    let (status, added, text) = send(&String::from_utf8(pem).unwrap()).await;
    assert_eq!(status, 201, "{text}");
    assert_eq!(added["x5c"].as_array().unwrap().len(), 1, "{added}");
    let kept = done(&admin, &token, &format!("GET {path}"), Value::Null).await;
    assert_eq!(kept["keys"].as_array().unwrap().len(), 3);
    // A certificate of nobody known, a private key, something else (E11, E12).
    let stranger = crate::harness::chain::Pki::new("Stranger").ca.leaf(|_| {});
    let stranger = openssl::x509::X509::from_der(&stranger.der).unwrap().to_pem().unwrap();
    let private = key.pair.private_key_to_pem_pkcs8().unwrap();
    for text in [stranger, private, b"hello".to_vec(), Vec::new(), b"{}".to_vec()] {
        let (status, _, reply) = send(std::str::from_utf8(&text).unwrap()).await;
        assert_eq!(status, 400, "{reply}");
    }
    let (status, _) = call(&admin, &token, &line, jwk).await;
    assert_eq!(status, 415);
}
