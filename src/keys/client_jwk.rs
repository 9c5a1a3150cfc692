//! The public keys that clients register, read strictly from JWK documents (RFC 7517).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use thiserror::Error;

use crate::domain::algorithm::Algorithm;
use crate::domain::client::KeyId;
use crate::domain::json::{Json, JsonObject};
use crate::pki::public_key::{PublicKey, PublicKeyError};

/// A public key that a client may register.
#[derive(Clone, Debug)]
pub struct ClientJwk {
    /// Its `kid`.
    pub id: KeyId,
    /// The key, bound to the algorithm that its `alg` names.
    pub key: PublicKey,
}

/// Why a JWK cannot be registered. No variant holds a value from the document: it may be a secret.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum ClientJwkError {
    /// `alg` is missing, or names no algorithm that is accepted, or not one of this kind of key.
    #[error(
        "alg must be one of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384 or EdDSA, and fit kty and crv"
    )]
    Algorithm,
    /// The document is not one JSON object with each member once.
    #[error("the JWK is not one JSON object with each member once")]
    Document,
    /// `kid` is missing or no identifier.
    #[error("kid must be 1 to 255 letters, digits and characters of ._:-")]
    KeyId,
    /// The key is not of a kind or strength that is accepted.
    #[error(transparent)]
    PublicKey(#[from] PublicKeyError),
    /// A member that the kind of key needs is missing or not canonical base64url.
    #[error("member {0} is missing or is not canonical base64url")]
    Member(&'static str),
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
        Ok(Self { id, key })
    }
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
