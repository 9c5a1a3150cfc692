//! What each reason for a refusal tells the owner of the client, and what it keeps to itself.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;
use crate::clock::SystemClock;
use crate::domain::algorithm::Algorithm;
use crate::domain::client::{Client, ClientKey, ClientStatus};
use crate::domain::registration::RegisteredKey;
use crate::domain::scope::RequestedScopesError;
use crate::token::client_key::KeyedClient;
use crate::token::jws::UnverifiedAssertion;
use crate::token::refusal::HeaderFault;

const NOW: Timestamp = Timestamp::from_seconds(1_780_315_200);

fn client(keys: usize) -> KeyedClient {
    let key = |number| RegisteredKey {
        client: "client".parse().unwrap(),
        key: ClientKey {
            id: format!("key-{number}").parse().unwrap(),
            algorithm: Algorithm::Es256,
            jwk: "the-key-itself".to_owned(),
            expires_at: NOW,
        },
        created_at: NOW,
        updated_at: NOW,
        last_used_at: None,
    };
    let client = Client {
        id: "client".parse().unwrap(),
        organization: "310000116".parse().unwrap(),
        customer: None,
        name: "a".to_owned(),
        status: ClientStatus::Active,
        token_lifetime_seconds: 120,
        scopes: vec!["a:listed".parse().unwrap()],
    };
    KeyedClient::new(client, (0..keys).map(key).collect(), None)
}

/// The trail of a request with these claims, by a client that has so many keys.
fn trail(claims: &serde_json::Value, client: Option<KeyedClient>) -> Trail<'static> {
    let encode = |text: String| URL_SAFE_NO_PAD.encode(text);
    let header = encode(r#"{"alg":"ES256","kid":"said"}"#.to_owned());
    let text = format!("{header}.{}.AA", encode(claims.to_string()));
    let mut trail = Trail::new(&SystemClock);
    trail.note_said(&UnverifiedAssertion::parse(&text).unwrap().said);
    trail.note_client(client.map(Arc::new).as_ref());
    trail
}

fn compare(refusal: &Refusal, claims: &serde_json::Value) -> (String, String) {
    let trail = trail(claims, Some(client(2)));
    let Comparison { seen, expected } = refusal.comparison(trail.facts(), NOW);
    (seen.unwrap_or_default(), expected.unwrap_or_default())
}

#[test]
fn times_are_told_with_their_distance_from_our_clock() {
    let time = |fault| compare(&Refusal::Time { fault, now: NOW }, &serde_json::json!({}));
    let (seen, expected) = time(TimeFault::Expired(NOW.seconds() - 71));
    assert_eq!(seen, "exp 1780315129 (2026-06-01T11:58:49Z), 71 seconds before the server's time");
    assert_eq!(expected, "exp after the server's time, 2026-06-01T12:00:00Z (1780315200)");
    let (seen, _) = time(TimeFault::IssuedAhead(NOW.seconds() + 3_600));
    assert!(seen.ends_with("3600 seconds after the server's time"), "{seen}");
    let (seen, expected) = time(TimeFault::Lifetime { seen: 600, most: 120 });
    assert_eq!(
        (&*seen, &*expected),
        ("exp - iat is 600 seconds", "exp - iat is at most 120 seconds")
    );
}

#[test]
fn values_are_told_by_what_they_are() {
    for (aud, told) in [
        (serde_json::json!("https://as.example"), "aud \"https://as.example\""),
        (serde_json::json!(["https://as.example"]), "aud [\"https://as.example\"]"),
        (serde_json::json!(["a", "b"]), "aud an array of 2"),
        (serde_json::json!({"a": "b"}), "aud an object"),
        (serde_json::json!(7), "aud 7"),
        (serde_json::json!(null), "aud null"),
    ] {
        let refusal = Refusal::Audience { expected: "https://as.example/".into(), hint: "" };
        let (seen, expected) = compare(&refusal, &serde_json::json!({ "aud": aud }));
        assert_eq!((&*seen, &*expected), (told, "aud \"https://as.example/\""));
        assert_eq!(compare(&refusal, &serde_json::json!({})).0, "aud absent");
    }
}

#[test]
fn the_number_of_a_person_is_not_told() {
    let refusal = Refusal::Claim { name: "pid", expected: "it must be a number" };
    let (seen, _) = compare(&refusal, &serde_json::json!({ "pid": "9999" }));
    assert_eq!(seen, "");
}

#[test]
fn the_ids_of_keys_are_told_and_not_the_keys() {
    let told = |keys| {
        let trail = trail(&serde_json::json!({}), Some(client(keys)));
        Refusal::UnknownKey.comparison(trail.facts(), NOW)
    };
    assert_eq!(told(2).seen.unwrap(), "kid said");
    assert!(told(2).expected.unwrap().ends_with(": key-0, key-1"));
    assert!(told(12).expected.unwrap().ends_with(", key-9 and 2 more"));
    assert!(told(0).expected.unwrap().contains("no registered key"));
}

/// One of each; a new one belongs here as well.
fn every_refusal() -> Vec<Refusal> {
    let scope = || "a:b".parse().unwrap();
    let number = || "310000108".parse().unwrap();
    vec![
        Refusal::AlgorithmOfKey { registered: Algorithm::Es256, said: Algorithm::Rs256 },
        Refusal::Audience { expected: "https://as.example/".to_owned(), hint: "" },
        Refusal::AuthorizationDetailsShape,
        Refusal::AuthorizationDetailsType,
        Refusal::Certificate { check: "validity", detail: "none".to_owned() },
        Refusal::CertificateHeader,
        Refusal::CertificateOfStranger { detail: "none".to_owned() },
        Refusal::CertificateOrganization { certificate: number() },
        Refusal::Claim { name: "sub", expected: "it must be a text" },
        Refusal::ClientMismatch,
        Refusal::Delegation { consumer: number(), scope: scope(), supplier: number() },
        Refusal::ExpiredKey { expired_at: NOW },
        Refusal::Fenced { until: NOW, retry_after_seconds: 1 },
        Refusal::Header(HeaderFault::NoKey),
        Refusal::KeyRequired,
        Refusal::MalformedAssertion,
        Refusal::NoAccess { scope: scope() },
        Refusal::OwnConsumer,
        Refusal::Replayed,
        Refusal::Resource,
        Refusal::ScopeClaim(RequestedScopesError::Malformed),
        Refusal::ScopeProduct { scope: scope() },
        Refusal::ScopeOfClient { scope: scope() },
        Refusal::Signature,
        Refusal::Time { fault: TimeFault::Order, now: NOW },
        Refusal::UnknownClient,
        Refusal::UnknownKey,
    ]
}

#[test]
fn every_reason_but_our_own_failures_tells_what_was_expected() {
    let claims = serde_json::json!({ "iss": "client", "jti": "1", "aud": "x" });
    for known in [true, false] {
        let trail = trail(&claims, known.then(|| client(2)));
        for refusal in every_refusal() {
            let told = refusal.comparison(trail.facts(), NOW);
            let needs_client = matches!(refusal, Refusal::CertificateOrganization { .. });
            assert!(told.expected.is_some() || (needs_client && !known), "{refusal:?}");
            assert!(!format!("{told:?}").contains("the-key-itself"), "{refusal:?}");
        }
    }
    // What is wrong with us is for the operator, in the log.
    let trail = trail(&claims, Some(client(2)));
    let unavailable = Refusal::Unavailable { cause: "/var/lib/portvakt.db".to_owned() };
    assert_eq!(unavailable.comparison(trail.facts(), NOW), Comparison::default());
}
