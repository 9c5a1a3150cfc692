//! Registered keys that are locked to a certificate: judged when they are registered (E12), and at every use.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertificateParams, KeyPair, RevocationReason, SerialNumber};
use serde_json::{Value, json};

use super::{API, ask, expect, new_client};
use crate::harness::admin::AdminServer;
use crate::harness::caller::{Caller, Key};
use crate::harness::chain::{
    Authority, LEAF_SERIAL, Leaf, Pki, Trust, at, leaf_params, pem, revoked,
};
use crate::harness::clock::NOW;
use crate::harness::server::{TestServer, pki};
use crate::harness::{CONSUMER, PROVIDER};

const DAY: i64 = 24 * 60 * 60;

/// The public half of a leaf's key with these certificates.
fn jwk(leaf: &Leaf, kid: &str, chain: &[&[u8]]) -> Value {
    let mut jwk = leaf.key.jwk(kid);
    jwk["x5c"] = chain.iter().map(|der| STANDARD.encode(der)).collect();
    jwk
}

/// A caller that signs with the leaf's key and names it by `kid`.
fn by_kid(client: &Caller, leaf: &Leaf, kid: &str) -> Caller {
    Caller { key: leaf.key.clone(), hint: ("kid", kid.into()), ..client.clone() }
}

/// An assertion of so many seconds later.
fn after(caller: &Caller, seconds: i64) -> String {
    let now = NOW + seconds;
    caller.draft().claim("iat", now).claim("exp", now + 60).sign()
}

/// Another organization's number in the subject.
fn of_provider(params: &mut CertificateParams) {
    params.distinguished_name = rcgen::DistinguishedName::new();
    let identifier = rcgen::DnType::CustomDnType(vec![2, 5, 4, 97]);
    params.distinguished_name.push(identifier, format!("NTRNO-{PROVIDER}"));
}

#[tokio::test]
async fn e12_a_certificate_is_judged_when_its_key_is_registered() {
    let server = AdminServer::start().await;
    let token = server.full_token(CONSUMER).await;
    let client = new_client(&server, &token, json!(["test:read"])).await;
    let seen = format!("GET {API}/clients/{}/keys", client.client_id);
    let before = expect(&server.call(Some(&token), &seen, Value::Null).await, 200);
    let ca = &pki().ca;
    let own = KeyPair::generate().unwrap();
    let self_signed = leaf_params().self_signed(&own).unwrap().der().to_vec();
    let self_signed =
        Leaf { der: self_signed, key: Key::from_pkcs8("ES256", own.serialized_der()) };
    let cases: [(&str, Leaf, &str); 7] = [
        ("expired", ca.leaf(|p| p.not_after = at(-1)), "expired"),
        ("not yet valid", ca.leaf(|p| p.not_before = at(60)), "valid from"),
        ("another organization's", ca.leaf(of_provider), PROVIDER),
        ("not chained", Pki::new("Stranger").ca.leaf(|_| {}), "no path"),
        ("self-signed", self_signed, "no path"),
        (
            "no organization",
            ca.leaf(|p| p.distinguished_name = rcgen::DistinguishedName::new()),
            "organization",
        ),
        ("of no accepted policy", ca.leaf(|p| p.custom_extensions.clear()), "policies"),
    ];
    for (what, leaf, told) in &cases {
        let jwk = jwk(leaf, "locked", &[&leaf.der]);
        for (line, body) in [
            (format!("POST {API}/clients/{}/keys", client.client_id), json!({ "jwk": jwk })),
            (
                format!("POST {API}/clients/{}/keys", client.client_id),
                json!({ "pem": pem("CERTIFICATE", &leaf.der), "kid": "locked" }),
            ),
            (format!("POST {API}/clients"), json!({ "name": "x", "keys": [jwk] })),
            (format!("POST /api/v1/clients/{}/jwks", client.client_id), json!({ "keys": [jwk] })),
        ] {
            let reply = server.call(Some(&token), &line, body).await;
            assert_eq!(reply.status, 400, "E12 {what}, {line}: {}", reply.text());
            assert!(reply.text().contains(told), "E12 {what}, {line}: {}", reply.text());
        }
    }
    // What is no chain of the key itself.
    let (good, other) = (ca.leaf(|_| {}), ca.leaf(|_| {}));
    for (what, chain) in [
        ("another key's", vec![&other.der[..]]),
        ("the issuer's", vec![&ca.der]),
        ("out of order", vec![&good.der, &pki().root.der]),
        ("cut short", vec![&good.der[..good.der.len() - 1]]),
        ("none", vec![]),
    ] {
        let body = json!({ "jwk": jwk(&good, "locked", &chain) });
        let line = format!("POST {API}/clients/{}/keys", client.client_id);
        let reply = server.call(Some(&token), &line, body).await;
        assert_eq!(reply.status, 400, "E12 {what}: {}", reply.text());
        assert!(reply.text().contains("x5c"), "E12 {what}: {}", reply.text());
    }
    assert_eq!(expect(&server.call(Some(&token), &seen, Value::Null).await, 200), before);
    crate::harness::logs::assert_clean();
}

#[tokio::test]
async fn a_certified_key_ends_with_its_certificate() {
    let server = AdminServer::start().await;
    let token = server.full_token(CONSUMER).await;
    let client = new_client(&server, &token, json!(["test:read"])).await;
    let line = format!("POST {API}/clients/{}/keys", client.client_id);
    let leaf = pki().ca.leaf(|p| p.not_after = at(10 * DAY));
    let mut document = jwk(&leaf, "locked", &[&leaf.der, &pki().ca.der]);
    document["exp"] = (NOW + 200 * DAY).into();
    let made = expect(&server.call(Some(&token), &line, json!({ "jwk": document })).await, 201);
    assert_eq!(
        (&made["expires_at"], &made["certificate"]),
        (&"2026-06-11T12:00:00Z".into(), &true.into())
    );
    let caller = by_kid(&client, &leaf, "locked");
    assert_eq!(ask(&server, &caller).await, Ok(()));
    // The key beside it, which is locked to nothing, lives on.
    server.server.clock.set(NOW + 10 * DAY);
    let refused = server.server.ask(&after(&caller, 10 * DAY)).await;
    assert!(refused.text().contains("MP-121"), "{}", refused.text());
    assert!(server.server.ask(&after(&client, 10 * DAY)).await.token().is_some());
}

/// The server of a test with these lists, and a client with a key that is locked to a certificate of the CA.
async fn locked(pki: &Pki, lists: Vec<Vec<u8>>) -> (AdminServer, Caller, Caller) {
    let server = AdminServer::trusting(&[Trust::with_crls(pki, lists)], "").await;
    let token = server.full_token(CONSUMER).await;
    let client = new_client(&server, &token, json!(["test:read"])).await;
    let leaf = pki.ca.leaf(|_| {});
    let body = json!({ "jwk": jwk(&leaf, "locked", &[&leaf.der]) });
    let line = format!("POST {API}/clients/{}/keys", client.client_id);
    expect(&server.call(Some(&token), &line, body).await, 201);
    let caller = by_kid(&client, &leaf, "locked");
    (server, client, caller)
}

/// A later list of this authority.
fn later(authority: &Authority, revokes: Option<&[u8]>) -> Vec<u8> {
    authority.crl(|p| {
        p.crl_number = SerialNumber::from(8_u64);
        p.revoked_certs = revokes
            .map(|serial| revoked(serial, RevocationReason::KeyCompromise))
            .into_iter()
            .collect();
    })
}

fn replace_lists(server: &TestServer, lists: Vec<Vec<u8>>) {
    server.app.issuer.certificates.sets()[0].replace_crls(lists).unwrap();
}

#[tokio::test]
async fn revocation_is_checked_whenever_a_certified_key_is_used() {
    let pki = Pki::new("Revoking");
    let lists = vec![pki.ca.crl(|_| {}), pki.root.crl(|_| {})];
    let (server, client, caller) = locked(&pki, lists).await;
    assert_eq!(ask(&server, &caller).await, Ok(()));
    // Warm, and then revoked.
    let root = pki.root.crl(|_| {});
    replace_lists(&server.server, vec![later(&pki.ca, Some(LEAF_SERIAL)), root.clone()]);
    assert_eq!(ask(&server, &caller).await, Err("MP-120".to_owned()));
    assert_eq!(ask(&server, &client).await, Ok(()));
    // An authority above it that is revoked counts as well, and so does a list that has ended.
    let (server, _, caller) = locked(&pki, vec![pki.ca.crl(|_| {}), root]).await;
    let ca_revoked = later(&pki.root, Some(crate::harness::chain::CA_SERIAL));
    replace_lists(&server.server, vec![pki.ca.crl(|_| {}), ca_revoked]);
    assert_eq!(ask(&server, &caller).await, Err("MP-120".to_owned()));
    let (server, _, caller) = locked(&pki, vec![pki.ca.crl(|_| {}), pki.root.crl(|_| {})]).await;
    assert_eq!(ask(&server, &caller).await, Ok(()));
    server.server.clock.set(NOW + 2 * DAY);
    let reply = server.server.ask(&after(&caller, 2 * DAY)).await;
    assert!(
        reply.status == 503 && reply.text().contains("temporarily_unavailable"),
        "{}",
        reply.text()
    );
}

#[tokio::test]
async fn a_certified_key_is_worth_nothing_where_its_authority_is_not_trusted() {
    let pki = Pki::new("Leaving");
    let lists = vec![pki.ca.crl(|_| {}), pki.root.crl(|_| {})];
    let (server, client, caller) = locked(&pki, lists).await;
    assert_eq!(ask(&server, &caller).await, Ok(()));
    // The other node on the same database trusts other authorities.
    let differing = "[nodes]\ndiffering_settings = \"warn\"\n";
    let other = server.server.beside_with(differing).await;
    let reply = other.ask(&caller.assertion()).await;
    crate::harness::row::check_refusal(&reply, 400, "invalid_grant", "MP-120").unwrap();
    assert!(other.ask(&client.assertion()).await.token().is_some());
}
