//! What an API sees of the server: the keys that it publishes, and whether a token is signed with one of them.

use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::bn::BigNum;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use openssl::sign::Verifier;
use serde_json::Value;

use crate::harness::http::{exchange, request};

/// The key set as an API fetches it.
pub(crate) async fn jwks(address: SocketAddr) -> Value {
    exchange(address, &request("GET /jwk", &[], b"")).await.unwrap().json()
}

/// The keys in it.
pub(crate) async fn key_set(address: SocketAddr) -> Vec<Value> {
    jwks(address).await["keys"].as_array().unwrap().clone()
}

/// Their names.
pub(crate) async fn kids(address: SocketAddr) -> Vec<String> {
    let keys = key_set(address).await.into_iter();
    keys.map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

/// The key that a token says it is signed with.
pub(crate) fn kid_of(token: &str) -> String {
    let header = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    header["kid"].as_str().unwrap().to_owned()
}

/// Whether an API that has fetched these keys accepts the token.
pub(crate) fn accepts(keys: &[Value], token: &str) -> bool {
    let Some(key) = keys.iter().find(|key| key["kid"] == *kid_of(token)) else { return false };
    let number = |name: &str| {
        let bytes = URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap()).unwrap();
        BigNum::from_slice(&bytes).unwrap()
    };
    let key = Rsa::from_public_components(number("n"), number("e")).unwrap();
    let key = PKey::from_rsa(key).unwrap();
    let (message, signature) = token.rsplit_once('.').unwrap();
    let mut verifier = Verifier::new(MessageDigest::sha256(), &key).unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    verifier.verify_oneshot(&signature, message.as_bytes()).unwrap()
}
