//! E03 and E16 in both APIs: RSA keys that somebody could guess, and keys that lie elsewhere.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use num_bigint::BigUint;
use openssl::bn::{BigNum, BigNumContext};
use openssl::rsa::Rsa;
use serde_json::{Value, json};

use crate::admin::own::{API, expect, new_client};
use crate::harness::CONSUMER;
use crate::harness::admin::AdminServer;

fn jwk(modulus: &[u8], exponent: &[u8]) -> Value {
    let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    json!({ "kty": "RSA", "alg": "RS256", "kid": "weak", "n": text(modulus), "e": text(exponent) })
}

/// A prime of 1024 bits and the next one after it.
fn close_primes() -> BigUint {
    let mut context = BigNumContext::new().unwrap();
    let mut prime = BigNum::new().unwrap();
    prime.generate_prime(1024, false, None, None).unwrap();
    let first = BigUint::from_bytes_be(&prime.to_vec());
    loop {
        prime.add_word(2).unwrap();
        if prime.is_prime_fasttest(32, &mut context, true).unwrap() {
            return first * BigUint::from_bytes_be(&prime.to_vec());
        }
    }
}

/// A number of 2048 bits that looks like the broken generator's: a power of 65537 modulo each prime below 168, and
/// without a small factor.
fn roca() -> BigUint {
    let is_prime = |n: &u32| (2..*n).all(|d| !n.is_multiple_of(d));
    let product: BigUint = (2_u32..168).filter(is_prime).map(BigUint::from).product();
    let residue = BigUint::from(65537_u32).modpow(&BigUint::from(66_666_u32), &product);
    let top = (BigUint::from(3_u8) << 2046_u16) / &product;
    let candidates = (0_u32..).map(|k| (&top + k) * &product + &residue);
    let zero = BigUint::default();
    let mut whole = candidates.filter(|n| (2_u32..10_000).all(|d| n % d != zero));
    whole.next().unwrap()
}

#[tokio::test]
async fn e03_e16_weak_keys_and_keys_elsewhere_are_refused_by_both_apis() {
    let admin = AdminServer::start().await;
    let token = admin.full_token(CONSUMER).await;
    let client = new_client(&admin, &token, json!(["test:read"])).await.client_id;
    let seen = format!("GET {API}/clients/{client}/keys");
    let before = expect(&admin.call(Some(&token), &seen, Value::Null).await, 200);
    let good = Rsa::generate(2048).unwrap().n().to_vec();
    let mut even = good.clone();
    *even.last_mut().unwrap() &= 0xfe;
    let fermat = close_primes().to_bytes_be();
    let f4: &[u8] = &[1, 0, 1];
    for (what, jwk, told) in [
        ("1024 bits", jwk(&Rsa::generate(1024).unwrap().n().to_vec(), f4), "1024 bits"),
        ("e = 3", jwk(&good, &[3]), "exponent"),
        ("an even modulus", jwk(&even, f4), "divisible by 2"),
        ("ROCA", jwk(&roca().to_bytes_be(), f4), "ROCA"),
        ("primes that Fermat finds", jwk(&fermat, f4), "too close"),
    ] {
        for (line, body) in [
            (format!("POST {API}/clients/{client}/keys"), json!({ "jwk": jwk })),
            (format!("POST {API}/clients"), json!({ "name": "x", "keys": [jwk] })),
            (format!("POST /api/v1/clients/{client}/jwks"), json!({ "keys": [jwk] })),
        ] {
            let reply = admin.call(Some(&token), &line, body).await;
            assert_eq!(reply.status, 400, "E03 {what}, {line}: {}", reply.text());
            assert!(reply.text().contains(told), "E03 {what}, {line}: {}", reply.text());
        }
    }
    let elsewhere = "https://keys.example.test/jwks";
    for (line, body) in [
        (format!("POST {API}/clients"), json!({ "name": "x", "jwks_uri": elsewhere })),
        (format!("POST {API}/clients/{client}/keys"), json!({ "jwks_uri": elsewhere })),
        (
            "POST /api/v1/clients".to_owned(),
            json!({
                "client_name": "x", "integration_type": "maskinporten", "jwks_uri": elsewhere,
            }),
        ),
    ] {
        let reply = admin.call(Some(&token), &line, body).await;
        assert_eq!(reply.status, 400, "E16 {line}: {}", reply.text());
        assert!(reply.text().contains("jwks_uri"), "E16 {line}: {}", reply.text());
    }
    assert_eq!(expect(&admin.call(Some(&token), &seen, Value::Null).await, 200), before);
}
