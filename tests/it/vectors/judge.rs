//! What the server says to a signature and a key, step by step as it does it.
//!
//! The payloads of most published signatures are no claims sets, so the server refuses the whole assertion
//! whatever its signature. Here the signature is judged by itself, and the assertion as a whole beside it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portvakt::domain::json::{Json, JsonObject};
use portvakt::keys::client_jwk::{ClientJwk, ClientJwkError};
use portvakt::pki::public_key::PublicKey;
use portvakt::token::jws::UnverifiedAssertion;
use portvakt::token::refusal::Refusal;
use serde_json::{Value, json};

/// Why a signature is refused.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Why {
    /// It is not three parts of canonical base64url with a strict JSON object as header.
    Shape,
    /// The key cannot be registered.
    Key(ClientJwkError),
    /// The header names another algorithm than the one that the key is bound to, or none.
    Algorithm,
    /// It is not a signature of the key over the message.
    Signature,
}

/// A compact JWS, taken apart.
pub(crate) struct Parts<'a> {
    signed: &'a str,
    header: JsonObject,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

impl<'a> Parts<'a> {
    pub(crate) fn of(jws: &'a str) -> Option<Self> {
        let (signed, signature) = jws.rsplit_once('.')?;
        let (header, payload) = signed.split_once('.')?;
        // The base64 of the engine knows no dot, so a fourth part is refused with the payload.
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
        let header = JsonObject::parse(&decode(header)?).ok()?;
        Some(Self { signed, header, payload: decode(payload)?, signature: decode(signature)? })
    }

    fn algorithm(&self) -> Option<&str> {
        self.header.member("alg").and_then(Json::as_str)
    }
}

/// The key as it would be registered: a `kid` and an `alg`, if the document has none, are those of the token.
fn registered(jwk: &Value, parts: &Parts<'_>) -> Result<PublicKey, Why> {
    let mut document = jwk.clone();
    for (name, value) in [("kid", Some("vector")), ("alg", parts.algorithm())] {
        if document.get(name).is_none() {
            document[name] = json!(value);
        }
    }
    ClientJwk::parse(document.to_string().as_bytes()).map(|jwk| jwk.key).map_err(Why::Key)
}

/// Judges the signature.
pub(crate) fn signature(jwk: &Value, jws: &str) -> Result<(), Why> {
    let parts = Parts::of(jws).ok_or(Why::Shape)?;
    let key = registered(jwk, &parts)?;
    if parts.algorithm() != Some(key.algorithm().name()) {
        return Err(Why::Algorithm);
    }
    key.verify(parts.signed.as_bytes(), &parts.signature).map_err(|_| Why::Signature)
}

/// Checks that the server accepts the assertion as a whole exactly if its signature is right, its payload is a
/// claims set and its header names the key.
pub(crate) fn check_whole(jwk: &Value, jws: &str, name: &str) {
    let read = UnverifiedAssertion::parse(jws);
    let Some(parts) = Parts::of(jws) else {
        assert_eq!(read.unwrap_err(), Refusal::MalformedAssertion, "{name}");
        return;
    };
    let Ok(key) = registered(jwk, &parts) else { return };
    let complete =
        JsonObject::parse(&parts.payload).is_ok() && parts.header.member("kid").is_some();
    let expected = complete && signature(jwk, jws).is_ok();
    let accepted = read.and_then(|assertion| assertion.verify(&key)).is_ok();
    assert_eq!(accepted, expected, "{name}");
}
