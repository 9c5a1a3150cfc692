//! Private keys of clients, read from PEM or JWK.
//!
//! A key goes in here and signatures come out: no error and no `Debug` shows any part of it, and no
//! message of a parser is passed on that might quote what it parsed.

use std::fmt;

use josekit::JoseError;
use josekit::jwk::alg::ec::EcKeyPair;
use josekit::jwk::alg::ed::EdKeyPair;
use josekit::jwk::alg::rsa::RsaKeyPair;
use josekit::jwk::{Jwk, KeyPair};
use josekit::jws::{ES256, ES384, EdDSA, JwsSigner, PS256, PS384, PS512, RS256, RS384, RS512};
use openssl::error::ErrorStack;
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, Private};
use openssl::x509::X509Ref;
use serde_json::{Map, Value};

use crate::cli::failure::Failure;
use crate::domain::algorithm::Algorithm;

/// A private key, and what it is to sign with.
pub(super) struct PrivateKey {
    key: PKey<Private>,
    algorithm: Algorithm,
    /// The `kid` of the JWK it was read from, if it had one.
    pub(super) kid: Option<String>,
}

impl PrivateKey {
    /// Reads a key from PEM (PKCS#8, PKCS#1 or SEC1) or from a private JWK. `name` is what messages
    /// call it.
    pub(super) fn read(text: &[u8], name: &str) -> Result<Self, Failure> {
        if text.trim_ascii_start().first() == Some(&b'{') {
            Self::from_jwk(text, name)
        } else {
            Self::from_pem(text, name)
        }
    }

    /// Takes a key that was read elsewhere; it signs with the usual algorithm of its type.
    pub(super) fn from_key(key: PKey<Private>, name: &str) -> Result<Self, Failure> {
        let algorithm = usual_algorithm(&key).ok_or_else(|| {
            Failure::usage(format!("{name} is not an RSA, P-256, P-384 or Ed25519 key"))
        })?;
        Ok(Self { key, algorithm, kid: None })
    }

    fn from_pem(text: &[u8], name: &str) -> Result<Self, Failure> {
        if text.windows(ENCRYPTED.len()).any(|window| window == ENCRYPTED) {
            return Err(Failure::usage(format!(
                "{name} is encrypted; write it without a password with: openssl pkey -in FILE -out KEY.pem"
            )));
        }
        // Without a callback OpenSSL would ask at the terminal for the password of some old formats.
        let key = PKey::private_key_from_pem_callback(text, |_| Ok(0)).map_err(|_| {
            Failure::usage(format!("{name} is neither a private key in PEM nor a private JWK"))
        })?;
        Self::from_key(key, name)
    }

    fn from_jwk(text: &[u8], name: &str) -> Result<Self, Failure> {
        let wrong = |problem: &str| Failure::usage(format!("{name} {problem}"));
        let members: Map<String, Value> =
            serde_json::from_slice(text).map_err(|_| wrong("is not one JSON object"))?;
        let jwk =
            Jwk::from_map(members).map_err(|_| wrong("is not a JWK: its members are not right"))?;
        if jwk.parameter("d").is_none() {
            return Err(wrong("is not a private JWK: it has no member d"));
        }
        if jwk.key_use().is_some_and(|purpose| purpose != "sig") {
            return Err(wrong("is not for signatures: its use is not \"sig\""));
        }
        let der = private_der(&jwk)
            .ok_or_else(|| wrong("has a kty and crv that are not RSA, P-256, P-384 or Ed25519"))?
            .map_err(|_| wrong("is not a private JWK that can be used: a member is not right"))?;
        let key = PKey::private_key_from_der(&der)
            .map_err(|_| wrong("is not a private JWK that can be used"))?;
        let mut read = Self::from_key(key, name)?;
        if let Some(algorithm) = jwk.algorithm() {
            read.algorithm = algorithm.parse().map_err(|_| {
                wrong("has an alg that is none of RS256 to PS512, ES256, ES384 and EdDSA")
            })?;
        }
        read.kid = jwk.key_id().map(str::to_owned);
        Ok(read)
    }

    /// Whether a certificate is for this key.
    pub(super) fn belongs_to(&self, certificate: &X509Ref) -> bool {
        certificate.public_key().is_ok_and(|public| public.public_eq(&self.key))
    }

    /// What makes signatures with the key.
    pub(super) fn signer(&self) -> Result<Box<dyn JwsSigner>, Failure> {
        let signer = match self.algorithm {
            Algorithm::EdDsa => self.pkcs8().and_then(|der| boxed(EdDSA.signer_from_der(der))),
            Algorithm::Es256 => self.pkcs8().and_then(|der| boxed(ES256.signer_from_der(der))),
            Algorithm::Es384 => self.pkcs8().and_then(|der| boxed(ES384.signer_from_der(der))),
            Algorithm::Rs256 => self.pkcs8().and_then(|der| boxed(RS256.signer_from_der(der))),
            Algorithm::Rs384 => self.pkcs8().and_then(|der| boxed(RS384.signer_from_der(der))),
            Algorithm::Rs512 => self.pkcs8().and_then(|der| boxed(RS512.signer_from_der(der))),
            Algorithm::Ps256 => self.pkcs1().and_then(|der| boxed(PS256.signer_from_der(der))),
            Algorithm::Ps384 => self.pkcs1().and_then(|der| boxed(PS384.signer_from_der(der))),
            Algorithm::Ps512 => self.pkcs1().and_then(|der| boxed(PS512.signer_from_der(der))),
        };
        signer.map_err(|error| {
            Failure::usage(format!("the key cannot sign with {}: {error}", self.algorithm))
        })
    }

    fn pkcs8(&self) -> Result<Vec<u8>, JoseError> {
        self.key.private_key_to_pkcs8().map_err(unusable)
    }

    /// The form in which an RSA key does not say what it is for, which the PSS algorithms want.
    fn pkcs1(&self) -> Result<Vec<u8>, JoseError> {
        self.key.rsa().and_then(|key| key.private_key_to_der()).map_err(unusable)
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("PrivateKey");
        shown.field("algorithm", &self.algorithm).field("kid", &self.kid).finish_non_exhaustive()
    }
}

/// What encrypted PEM says, in both its forms: `BEGIN ENCRYPTED` and `Proc-Type: 4,ENCRYPTED`.
const ENCRYPTED: &[u8] = b"ENCRYPTED";

fn usual_algorithm(key: &PKey<Private>) -> Option<Algorithm> {
    match key.id() {
        Id::RSA => Some(Algorithm::Rs256),
        Id::ED25519 => Some(Algorithm::EdDsa),
        Id::EC => match key.ec_key().ok()?.group().curve_name()? {
            Nid::X9_62_PRIME256V1 => Some(Algorithm::Es256),
            Nid::SECP384R1 => Some(Algorithm::Es384),
            _ => None,
        },
        _ => None,
    }
}

/// The key of a JWK in DER; nothing if it is of a type that nobody here signs with.
fn private_der(jwk: &Jwk) -> Option<Result<Vec<u8>, JoseError>> {
    match jwk.key_type() {
        "RSA" => Some(RsaKeyPair::from_jwk(jwk).map(|pair| pair.to_der_private_key())),
        "EC" => Some(EcKeyPair::from_jwk(jwk).map(|pair| pair.to_der_private_key())),
        "OKP" => Some(EdKeyPair::from_jwk(jwk).map(|pair| pair.to_der_private_key())),
        _ => None,
    }
}

fn boxed<S: JwsSigner + 'static>(
    signer: Result<S, JoseError>,
) -> Result<Box<dyn JwsSigner>, JoseError> {
    signer.map(|signer| -> Box<dyn JwsSigner> { Box::new(signer) })
}

fn unusable(error: ErrorStack) -> JoseError {
    JoseError::InvalidKeyFormat(error.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::test_keys;

    fn algorithm_of(text: &[u8]) -> String {
        let key = PrivateKey::read(text, "the key").unwrap();
        key.signer().unwrap().algorithm().name().to_owned()
    }

    #[test]
    fn reads_every_form_of_pem_and_signs_with_the_usual_algorithm_of_the_key() {
        let rsa = test_keys::rsa();
        let p256 = test_keys::ec(Nid::X9_62_PRIME256V1);
        let p384 = test_keys::ec(Nid::SECP384R1);
        let ed25519 = PKey::generate_ed25519().unwrap();
        for (pem, algorithm) in [
            (rsa.private_key_to_pem_pkcs8().unwrap(), "RS256"),
            (rsa.rsa().unwrap().private_key_to_pem().unwrap(), "RS256"),
            (p256.private_key_to_pem_pkcs8().unwrap(), "ES256"),
            (p256.ec_key().unwrap().private_key_to_pem().unwrap(), "ES256"),
            (p384.private_key_to_pem_pkcs8().unwrap(), "ES384"),
            (ed25519.private_key_to_pem_pkcs8().unwrap(), "EdDSA"),
        ] {
            assert_eq!(algorithm_of(&pem), algorithm);
        }
    }

    #[test]
    fn a_jwk_signs_with_its_alg_and_without_one_with_the_usual_algorithm() {
        let rsa = test_keys::jwk(&test_keys::rsa());
        assert_eq!(algorithm_of(rsa.to_string().as_bytes()), "RS256");
        for alg in ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"] {
            let mut jwk = rsa.clone();
            jwk.set_algorithm(alg);
            assert_eq!(algorithm_of(jwk.to_string().as_bytes()), alg);
        }
        let ec = test_keys::jwk(&test_keys::ec(Nid::SECP384R1));
        assert_eq!(algorithm_of(format!(" \n{ec}").as_bytes()), "ES384");
        let ed25519 = test_keys::jwk(&PKey::generate_ed25519().unwrap());
        assert_eq!(algorithm_of(ed25519.to_string().as_bytes()), "EdDSA");
    }

    #[test]
    fn refuses_keys_that_cannot_sign_here() {
        let p521 = test_keys::ec(Nid::SECP521R1).private_key_to_pem_pkcs8().unwrap();
        let encrypted = test_keys::rsa()
            .private_key_to_pem_pkcs8_passphrase(openssl::symm::Cipher::aes_256_cbc(), b"x")
            .unwrap();
        let public = test_keys::rsa().public_key_to_pem().unwrap();
        for (text, problem) in [
            (&p521[..], "P-256"),
            (&encrypted, "encrypted"),
            (&public, "neither a private key"),
            (b"", "neither a private key"),
            (br#"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#, "no member d"),
            (br#"{"kty":"oct","k":"AQAB","d":"AQAB"}"#, "kty"),
            (br#"{"kty":"RSA""#, "JSON"),
        ] {
            let failure = PrivateKey::read(text, "the key").unwrap_err();
            assert!(failure.message.contains(problem), "{failure}");
        }
    }

    #[test]
    fn a_jwk_whose_alg_is_for_another_type_of_key_cannot_sign() {
        let mut jwk = test_keys::jwk(&test_keys::ec(Nid::X9_62_PRIME256V1));
        for alg in ["RS256", "PS256", "ES384", "EdDSA"] {
            jwk.set_algorithm(alg);
            let key = PrivateKey::read(jwk.to_string().as_bytes(), "the key").unwrap();
            assert!(key.signer().is_err(), "{alg}");
        }
    }

    #[test]
    fn no_message_shows_any_part_of_a_private_key() {
        let jwk = test_keys::jwk(&test_keys::ec(Nid::X9_62_PRIME256V1)).to_string();
        let secret = serde_json::from_str::<Value>(&jwk).unwrap()["d"].as_str().unwrap().to_owned();
        let read = PrivateKey::read(jwk.as_bytes(), "the key").unwrap();
        assert!(!format!("{read:?}").contains(&secret));
        for broken in [
            jwk.replace(&format!("\"{secret}\""), &format!("[\"{secret}\"]")),
            jwk.replace(&secret, &format!("+{secret}")),
            jwk.replace("P-256", "P-384"),
            format!("{{\"kty\":\"EC\",\"d\":\"{secret}\",}}"),
            format!("-----BEGIN PRIVATE KEY-----\n{secret}\n-----END PRIVATE KEY-----"),
        ] {
            let failure = PrivateKey::read(broken.as_bytes(), "the key").unwrap_err();
            assert!(!format!("{failure} {failure:?}").contains(&secret), "{failure}");
        }
    }
}
