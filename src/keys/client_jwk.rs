//! The public keys that clients register, read strictly from JWK documents (RFC 7517).

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;
use thiserror::Error;

use crate::clock::Timestamp;
use crate::domain::algorithm::Algorithm;
use crate::domain::client::KeyId;
use crate::domain::json::{Json, JsonObject};
use crate::pki::chain::{CHAIN_CERTIFICATES_MAX, CertificateChain};
use crate::pki::pem_key::{PemKey, PemKeyError};
use crate::pki::public_key::{PublicKey, PublicKeyError};
use crate::pki::spki::PublicNumbers;

/// A public key that a client may register.
#[derive(Clone, Debug)]
pub struct ClientJwk {
    /// Its `kid`.
    pub id: KeyId,
    /// The key, bound to the algorithm that its `alg` names.
    pub key: PublicKey,
    /// When it wants to end (`exp`), if it says.
    pub expires_at: Option<Timestamp>,
    /// The certificates that it is locked to (`x5c`), if it is.
    pub certificates: Option<KeyCertificates>,
    /// The key as a JWK document with the members that this server keeps, and no others.
    pub document: String,
}

/// The certificates that a key is locked to.
#[derive(Clone, Debug)]
pub struct KeyCertificates {
    /// Leaf first, in DER. The leaf holds the key.
    pub chain: Vec<Vec<u8>>,
    /// The last moment at which the leaf is valid.
    pub not_after: Timestamp,
}

/// Why a JWK cannot be registered. No variant holds a value from the document: it may be a secret.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum ClientJwkError {
    /// `alg` is missing, or names no algorithm that is accepted, or not one of this kind of key.
    #[error(
        "alg must be one of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384 or EdDSA, and fit kty and crv"
    )]
    Algorithm,
    /// `x5c` is not a chain of certificates of which the first is this key's.
    #[error("x5c must be an array of certificates in base64, of which the first is this key's")]
    Certificate,
    /// The document is not one JSON object with each member once.
    #[error("the JWK is not one JSON object with each member once")]
    Document,
    /// `kid` is missing or no identifier.
    #[error("kid must be 1 to 255 letters, digits and characters of ._:-")]
    KeyId,
    /// The key is not of a kind or strength that is accepted.
    #[error(transparent)]
    PublicKey(#[from] PublicKeyError),
    /// `exp` is no whole number of seconds.
    #[error("exp must be a whole number: seconds since 1970")]
    Expiry,
    /// A member that the kind of key needs is missing or not canonical base64url.
    #[error("member {0} is missing or is not canonical base64url")]
    Member(&'static str),
    /// The text is neither a JWK nor PEM with one certificate or public key.
    #[error("the text is neither a JWK nor one certificate or public key in PEM")]
    Pem,
    /// A member of a private or symmetric key is present.
    #[error(
        "the JWK holds a private or symmetric key; register the public half only, and make a new pair"
    )]
    Private,
    /// `use` or `key_ops` says that the key is not for verifying signatures.
    #[error("use must be \"sig\", and key_ops, if there, must be [\"verify\"]")]
    Use,
}

/// Members that only private and symmetric keys have (RFC 7518 sections 6.2.2, 6.3.2 and 6.4).
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

impl ClientJwk {
    /// Reads one JWK document.
    pub fn parse(document: &[u8]) -> Result<Self, ClientJwkError> {
        let jwk = JsonObject::parse(document).map_err(|_| ClientJwkError::Document)?;
        if jwk.names().any(|name| PRIVATE_MEMBERS.contains(&name)) {
            return Err(ClientJwkError::Private);
        }
        check_use(&jwk)?;
        let text = |name| jwk.member(name).and_then(Json::as_str);
        let id = text("kid").and_then(|kid| kid.parse().ok()).ok_or(ClientJwkError::KeyId)?;
        let algorithm = text("alg").and_then(|alg| alg.parse().ok());
        let algorithm: Algorithm = algorithm.ok_or(ClientJwkError::Algorithm)?;
        let key = match (text("kty"), text("crv"), algorithm) {
            (
                Some("RSA"),
                _,
                Algorithm::Rs256
                | Algorithm::Rs384
                | Algorithm::Rs512
                | Algorithm::Ps256
                | Algorithm::Ps384
                | Algorithm::Ps512,
            ) => PublicKey::from_rsa(&bytes(&jwk, "n")?, &bytes(&jwk, "e")?, algorithm)?,
            (Some("EC"), Some("P-256"), Algorithm::Es256)
            | (Some("EC"), Some("P-384"), Algorithm::Es384) => {
                PublicKey::from_ec(&bytes(&jwk, "x")?, &bytes(&jwk, "y")?, algorithm)?
            }
            (Some("OKP"), Some("Ed25519"), Algorithm::EdDsa) => {
                PublicKey::from_ed25519(&bytes(&jwk, "x")?)?
            }
            _ => return Err(ClientJwkError::Algorithm),
        };
        let expires_at = match jwk.member("exp") {
            None | Some(Json::Null) => None,
            Some(Json::Integer(seconds)) => Some(Timestamp::from_seconds(*seconds)),
            Some(_) => return Err(ClientJwkError::Expiry),
        };
        let certificates = read_certificates(&jwk)?;
        let document = kept_members(&jwk);
        Ok(Self { id, key, expires_at, certificates, document })
    }

    /// Reads what people paste: a JWK document, or PEM with a certificate or a public key. A PEM text names no
    /// `kid` and no `alg`: it gets `id`, and the algorithm that is usual for its kind.
    pub fn from_text(text: &str, id: &KeyId) -> Result<Self, ClientJwkError> {
        if text.trim_start().starts_with('{') {
            return Self::parse(text.as_bytes());
        }
        let pem = PemKey::parse(text.as_bytes()).map_err(|error| match error {
            PemKeyError::Private => ClientJwkError::Private,
            PemKeyError::Text => ClientJwkError::Pem,
        })?;
        let members = numbers(&pem.spki)?;
        let algorithm = match members.iter().find(|(name, _)| *name == "crv") {
            None => Algorithm::Rs256,
            Some((_, curve)) if curve == "P-256" => Algorithm::Es256,
            Some((_, curve)) if curve == "P-384" => Algorithm::Es384,
            Some(_) => Algorithm::EdDsa,
        };
        let mut jwk = serde_json::Map::new();
        for (name, value) in members {
            jwk.insert(name.to_owned(), value.into());
        }
        jwk.insert("kid".to_owned(), id.as_str().into());
        jwk.insert("use".to_owned(), "sig".into());
        jwk.insert("alg".to_owned(), algorithm.name().into());
        if let Some(certificate) = pem.certificate {
            let text: Value = STANDARD.encode(certificate).into();
            jwk.insert("x5c".to_owned(), vec![text].into());
        }
        Self::parse(Value::Object(jwk).to_string().as_bytes())
    }

    /// Whether two documents hold the same key, whatever they call it.
    pub fn is_same_key(one: &str, other: &str) -> bool {
        let numbers = |text: &str| {
            let jwk = JsonObject::parse(text.as_bytes()).ok()?;
            let member = |name| jwk.member(name).and_then(Json::as_str).map(str::to_owned);
            Some(["kty", "crv", "n", "e", "x", "y"].map(member))
        };
        numbers(one).is_some_and(|one| Some(one) == numbers(other))
    }
}

/// The members of a public key that are kept, in the order in which they are written.
const MEMBERS: [&str; 9] = ["kty", "kid", "use", "alg", "crv", "n", "e", "x", "y"];

fn kept_members(jwk: &JsonObject) -> String {
    let mut kept = serde_json::Map::new();
    for name in MEMBERS {
        let value = jwk.member(name).and_then(Json::as_str);
        if let Some(value) = value.or_else(|| (name == "use").then_some("sig")) {
            kept.insert(name.to_owned(), value.into());
        }
    }
    if let Some(Json::Array(chain)) = jwk.member("x5c") {
        let chain: Vec<Value> = chain.iter().filter_map(Json::as_str).map(Value::from).collect();
        kept.insert("x5c".to_owned(), chain.into());
    }
    Value::Object(kept).to_string()
}

/// RFC 7517 section 4.7: standard base64, and the first certificate holds this very key.
fn read_certificates(jwk: &JsonObject) -> Result<Option<KeyCertificates>, ClientJwkError> {
    let chain = match jwk.member("x5c") {
        None | Some(Json::Null) => return Ok(None),
        Some(Json::Array(chain)) if !chain.is_empty() => chain,
        Some(_) => return Err(ClientJwkError::Certificate),
    };
    if chain.len() > CHAIN_CERTIFICATES_MAX {
        return Err(ClientJwkError::Certificate);
    }
    let der = |entry: &Json| entry.as_str().and_then(|text| STANDARD.decode(text).ok());
    let chain: Option<Vec<Vec<u8>>> = chain.iter().map(der).collect();
    let chain = chain.ok_or(ClientJwkError::Certificate)?;
    let read =
        CertificateChain::from_der(chain.clone()).map_err(|_| ClientJwkError::Certificate)?;
    let theirs = numbers(read.leaf_spki()).map_err(|_| ClientJwkError::Certificate)?;
    let is_ours = |(name, value): &(&str, String)| {
        jwk.member(name).and_then(Json::as_str) == Some(value.as_str())
    };
    if !theirs.iter().all(is_ours) {
        return Err(ClientJwkError::Certificate);
    }
    Ok(Some(KeyCertificates { chain, not_after: read.leaf_not_after() }))
}

/// The members of a JWK that say which key it is (RFC 7518 section 6, RFC 8037 section 2).
fn numbers(spki: &[u8]) -> Result<Vec<(&'static str, String)>, ClientJwkError> {
    let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let point = |curve: &str, point: &[u8]| {
        // Uncompressed: 4, x, y. Other forms are refused where the key is read.
        let (x, y) = point.get(1..).unwrap_or_default().split_at(point.len() / 2);
        vec![("kty", "EC".to_owned()), ("crv", curve.to_owned()), ("x", text(x)), ("y", text(y))]
    };
    Ok(match PublicNumbers::of_spki(spki)? {
        PublicNumbers::Ed25519(x) => {
            vec![("kty", "OKP".to_owned()), ("crv", "Ed25519".to_owned()), ("x", text(x))]
        }
        PublicNumbers::P256(bytes) => point("P-256", bytes),
        PublicNumbers::P384(bytes) => point("P-384", bytes),
        PublicNumbers::Rsa { modulus, exponent } => {
            vec![("kty", "RSA".to_owned()), ("n", text(modulus)), ("e", text(exponent))]
        }
    })
}

/// RFC 7517 sections 4.2 and 4.3: `use` and `key_ops` must agree, and both must allow verifying.
fn check_use(jwk: &JsonObject) -> Result<(), ClientJwkError> {
    let use_allows = match jwk.member("use") {
        None => true,
        Some(purpose) => purpose.as_str() == Some("sig"),
    };
    let operations_allow = match jwk.member("key_ops") {
        None => true,
        Some(Json::Array(operations)) => {
            matches!(&operations[..], [operation] if operation.as_str() == Some("verify"))
        }
        Some(_) => false,
    };
    if use_allows && operations_allow { Ok(()) } else { Err(ClientJwkError::Use) }
}

fn bytes(jwk: &JsonObject, name: &'static str) -> Result<Vec<u8>, ClientJwkError> {
    let text = jwk.member(name).and_then(Json::as_str).ok_or(ClientJwkError::Member(name))?;
    URL_SAFE_NO_PAD.decode(text).map_err(|_| ClientJwkError::Member(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The public key of RFC 7515 appendix A.3.
    const EC: &str = r#"{"kty":"EC","crv":"P-256","alg":"ES256","kid":"a","use":"sig",
        "x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;

    fn changed(from: &str, to: &str) -> Result<ClientJwk, ClientJwkError> {
        assert!(EC.contains(from), "{from}");
        ClientJwk::parse(EC.replace(from, to).as_bytes())
    }

    #[test]
    fn reads_a_key_and_binds_it_to_its_algorithm() {
        let jwk = ClientJwk::parse(EC.as_bytes()).unwrap();
        assert_eq!(jwk.id.as_str(), "a");
        assert_eq!(jwk.key.algorithm(), Algorithm::Es256);
    }

    #[test]
    fn refuses_private_and_symmetric_keys_without_naming_values() {
        let refused = changed(r#""use":"sig""#, r#""d":"hunter2""#).unwrap_err();
        assert_eq!(refused, ClientJwkError::Private);
        assert!(!format!("{refused:?} {refused}").contains("hunter2"));
        let oct = br#"{"kty":"oct","k":"AAAA","alg":"HS256","kid":"a"}"#;
        assert_eq!(ClientJwk::parse(oct).unwrap_err(), ClientJwkError::Private);
    }

    #[test]
    fn refuses_a_key_that_is_not_for_signatures_or_says_two_things() {
        use ClientJwkError::{Algorithm, Document, KeyId, Member, Use};
        for (from, to, reason) in [
            (r#""use":"sig""#, r#""use":"enc""#, Use),
            (r#""use":"sig""#, r#""key_ops":["encrypt"]"#, Use),
            (r#""use":"sig""#, r#""use":"sig","key_ops":["sign"]"#, Use),
            (r#""use":"sig""#, r#""use":1"#, Use),
            (r#""alg":"ES256","#, "", Algorithm),
            ("ES256", "none", Algorithm),
            ("ES256", "RS256", Algorithm),
            ("ES256", "ES384", Algorithm),
            (r#""kid":"a""#, r#""kid":"""#, KeyId),
            (r#""kid":"a""#, r#""kid":7"#, KeyId),
            (r#""kid":"a""#, r#""kid":"a","kid":"b""#, Document),
            (r#""x":"f83O"#, r#""x":"+83O"#, Member("x")),
        ] {
            assert_eq!(changed(from, to).unwrap_err(), reason, "{to}");
        }
    }

    #[test]
    fn refuses_points_of_the_wrong_length_or_off_the_curve() {
        for (from, to) in [("f83OJ3D2", "f83OJ3D3"), ("f83OJ3D2", ""), ("P-256", "P-384")] {
            assert!(changed(from, to).is_err(), "{to}");
        }
    }
}
