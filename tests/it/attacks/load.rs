//! Group L: work that an attacker can make the server do, measured on loopback. The bounds are generous,
//! because the machine may be slow and the build is not optimized; what they catch is work without a bound.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use num_bigint::BigUint;
use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use rcgen::{KeyPair, PKCS_RSA_SHA256, RevocationReason};

use crate::harness::caller::{Caller, Key, message, with_signature};
use crate::harness::chain::{Authority, LEAF_SERIAL, Leaf, Pki, RawKey, Trust, revoked};
use crate::harness::clock::tick;
use crate::harness::der::{integer, sequence};
use crate::harness::http::{exchange, form, post};
use crate::harness::load::{flood, percentile_99, timed_tokens};
use crate::harness::mark::most;
use crate::harness::row::check_refusal;
use crate::harness::server::{TestServer, actor, caller, certified, pki};

/// Floods the server, and checks that good clients are served meanwhile as they are without.
async fn others_are_served(
    server: &TestServer,
    assertions: Vec<String>,
    code: &'static str,
) -> Duration {
    let calm = percentile_99(&timed_tokens(server, 30).await);
    let (mean, times) = tokio::join!(flood(server, assertions, code), timed_tokens(server, 30));
    let busy = percentile_99(&times);
    assert!(busy < calm * 10 + Duration::from_millis(250), "{calm:?}, then {busy:?}");
    mean
}

/// A chain that is good, with a signature that is not.
fn badly_signed(caller: &Caller) -> String {
    let text = caller.draft().message();
    with_signature(&text, &[7; 64])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_is_cheap() {
    let server = TestServer::start().await;
    // L01
    let garbage = vec!["garbage".repeat(40); 1_500];
    let mean = others_are_served(&server, garbage, "MP-011").await;
    assert!(mean < Duration::from_millis(20), "{mean:?}");
    // L07
    let mut random = vec![0; 40_000];
    openssl::rand::rand_bytes(&mut random).unwrap();
    let random = URL_SAFE_NO_PAD.encode(random);
    let mean = flood(&server, vec![random.clone(); 40], "MP-011").await;
    assert!(mean < Duration::from_millis(50), "{mean:?}");
    let parts = format!("{}.{}.{}", &random[..16_000], &random[..16_000], &random[..16_000]);
    let mean = flood(&server, vec![parts; 40], "MP-011").await;
    assert!(mean < Duration::from_millis(50), "{mean:?}");
}

#[tokio::test]
async fn json_costs_what_it_is_long() {
    // L08: as many members as a form can carry, of names of one length.
    let server = TestServer::start().await;
    let caller = caller("es256");
    let claims = |members: usize| {
        let members: Vec<String> = (0..members).map(|i| format!("\"{i:05}\":0")).collect();
        format!("{{{}}}", members.join(","))
    };
    let header = r#"{"alg":"ES256","kid":"es256-key"}"#;
    let text = message(header, claims(4_000));
    let signature = caller.key.sign(text.as_bytes());
    let assertions = vec![with_signature(&text, &signature); 30];
    let mean = flood(&server, assertions, "MP-011").await;
    assert!(mean < Duration::from_millis(50), "{mean:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chains_cost_little_whether_they_are_known_or_not() {
    let server = TestServer::start().await;
    let leaf = pki().ca.leaf(|_| {});
    let (ca, root) = (&pki().ca.der, &pki().root.der);
    // L02
    let known = certified(&leaf.key, &[&leaf.der, ca, root]);
    let assertions = (0..300).map(|_| badly_signed(&known)).collect();
    let mean = others_are_served(&server, assertions, "MP-124").await;
    assert!(mean < Duration::from_millis(30), "{mean:?}");
    // L03: nobody has signed these, so each is judged anew.
    let own = Pki::new("Test");
    let assertions = (0..60).map(|_| {
        let leaf = own.ca.leaf(|_| {});
        certified(&leaf.key, &[&leaf.der, &own.ca.der, &own.root.der]).assertion()
    });
    let mean = others_are_served(&server, assertions.collect(), "MP-120").await;
    assert!(mean < Duration::from_millis(60), "{mean:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chains_made_to_be_hard_are_given_up() {
    // L04: every certificate has the same subject and issuer, so that each could be above each.
    let server = TestServer::start().await;
    let name = "Every CA";
    let authorities: Vec<Authority> = (0..5).map(|_| Authority::root(name, |_| {})).collect();
    let leaf = Authority::root(name, |_| {}).leaf(|_| {});
    let mut chain: Vec<&[u8]> = vec![&leaf.der];
    chain.extend(authorities.iter().map(|authority| &authority.der[..]));
    let assertions = vec![certified(&leaf.key, &chain).assertion(); 20];
    let mean = others_are_served(&server, assertions, "MP-120").await;
    assert!(mean < most(Duration::from_millis(100)), "{mean:?}");
    // The same below the real anchor: a path exists, and is too long.
    let mut above = pki().root.below(name, |_| {});
    let mut ders = vec![above.der.clone()];
    for _ in 0..4 {
        above = above.below(name, |_| {});
        ders.insert(0, above.der.clone());
    }
    let leaf = above.leaf(|_| {});
    let chain: Vec<&[u8]> = std::iter::once(&leaf.der).chain(&ders).map(Vec::as_slice).collect();
    let assertions = vec![certified(&leaf.key, &chain).assertion(); 20];
    let mean = flood(&server, assertions, "MP-120").await;
    assert!(mean < most(Duration::from_millis(100)), "{mean:?}");
}

#[tokio::test]
async fn big_rsa_keys_are_used_or_refused_quickly() {
    let server = TestServer::start().await;
    // L05
    let key =
        Key { pair: PKey::from_rsa(Rsa::generate(4096).unwrap()).unwrap(), algorithm: "RS256" };
    let id = "rs256".parse().unwrap();
    let jwk = key.jwk("big-key").to_string();
    server.app.registry.add_client_key(&actor(), &id, &jwk, None).await.unwrap();
    let big = Caller { key, hint: ("kid", "big-key".into()), ..caller("rs256") };
    let requests: Vec<Vec<u8>> = (0..30).map(|_| post(&form(&big.assertion()))).collect();
    let began = tick();
    for request in &requests {
        assert_eq!(exchange(server.address, request).await.unwrap().status, 200);
    }
    let mean = began.elapsed() / 30;
    assert!(mean < most(Duration::from_millis(100)), "{mean:?}");
    // L06: neither as a registered key nor in a certificate.
    for bits in [8192_u64, 16384] {
        let modulus = ((BigUint::from(1_u8) << (bits - 1)) + 1_u8).to_bytes_be();
        let text = URL_SAFE_NO_PAD.encode(&modulus);
        let jwk = format!(r#"{{"kty":"RSA","alg":"RS256","kid":"huge","n":"{text}","e":"AQAB"}}"#);
        let began = tick();
        assert!(server.app.registry.add_client_key(&actor(), &id, &jwk, None).await.is_err());
        assert!(began.elapsed() < most(Duration::from_millis(250)), "{:?}", began.elapsed());
        let bytes = sequence(&[integer(&modulus), integer(&[1, 0, 1])]);
        let der = pki().ca.certificate(&RawKey { bytes, algorithm: &PKCS_RSA_SHA256 }, |_| {});
        let assertions = vec![certified(&caller("rs256").key, &[&der]).assertion(); 10];
        let mean = flood(&server, assertions, "MP-120").await;
        assert!(mean < Duration::from_millis(60), "{mean:?}");
    }
}

#[tokio::test]
async fn a_storm_of_revoked_certificates_is_refused_from_memory() {
    // L09: no list is fetched and nobody is asked, so each costs no more than any other refusal.
    let revoking = Pki::new("Storm");
    let list = revoking
        .ca
        .crl(|p| p.revoked_certs.push(revoked(LEAF_SERIAL, RevocationReason::KeyCompromise)));
    let trust = Trust::with_crls(&revoking, vec![list, revoking.root.crl(|_| {})]);
    let server = TestServer::with(&[Trust::of(pki()), trust], "").await;
    let key = KeyPair::generate().unwrap();
    let own = Key::from_pkcs8("ES256", key.serialized_der());
    let assertions = (0..100).map(|_| {
        let der = revoking.ca.certificate(&key, |_| {});
        let leaf = Leaf { der, key: own.clone() };
        certified(&leaf.key, &[&leaf.der]).assertion()
    });
    let mean = others_are_served(&server, assertions.collect(), "MP-120").await;
    assert!(mean < Duration::from_millis(60), "{mean:?}");
}

/// Bytes of memory that the process has in use.
fn memory() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_unknown_is_remembered_within_bounds() {
    // L14: as many unknown clients as are remembered, and a third more.
    let unlimited = "[limits]\ntoken_failures_by_source = 0\n";
    let server = TestServer::with(&[Trust::of(pki())], unlimited).await;
    let draft = caller("es256").draft();
    let signature = [7; 64];
    let assertions = (0..13_500).map(|i| {
        let claims = format!(r#"{{"iss":"nobody-{i}-{}"}}"#, "x".repeat(200));
        with_signature(&message(draft.header.to_string(), claims), &signature)
    });
    let before = memory();
    flood(&server, assertions.collect(), "MP-100").await;
    let grown = memory().saturating_sub(before);
    // Other tests run in this process too; without a bound it would still be more with time, not here.
    assert!(grown < 512 * 1024 * 1024, "{grown} bytes");
    assert_eq!(server.ask(&draft.sign()).await.status, 200);
}

#[tokio::test]
async fn a_long_jti_takes_no_more_room_than_a_short_one() {
    // L15
    let server = TestServer::start().await;
    for length in [1, 43, 255] {
        let assertion = caller("es256").draft().claim("jti", "j".repeat(length)).sign();
        assert_eq!(server.ask(&assertion).await.status, 200);
    }
    let too_long = caller("es256").draft().claim("jti", "j".repeat(256)).sign();
    check_refusal(&server.ask(&too_long).await, 400, "invalid_grant", "").unwrap();
    let other = "select count(*) from replay_log where length(ids) <> 43";
    assert_eq!(server.sql().await.number(other).await, 0);
}
