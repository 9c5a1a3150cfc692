//! A public key that may verify signatures, with the one algorithm it may do so with.
//!
//! Keys come in two ways: from a registered JWK, as numbers, and from a certificate, as a
//! `SubjectPublicKeyInfo`. Both pass the same rules, and neither leaves the choice of the algorithm
//! to whoever sends the signature (RFC 8725 section 3.1).

use std::sync::Arc;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, ParsedPublicKey,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
    RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters,
    RsaPublicKeyComponents,
};
use thiserror::Error;

use crate::domain::algorithm::Algorithm;
use crate::pki::der::DerError;
use crate::pki::spki::{self, PublicNumbers};
use crate::pki::strength::{self, WeakKey};

/// A public key that passed the strength rules, bound to one algorithm.
///
/// It holds the key as the cryptographic library wants it, so that verifying parses nothing, and is
/// cheap to clone.
#[derive(Clone, Debug)]
pub struct PublicKey {
    algorithm: Algorithm,
    key: Arc<ParsedPublicKey>,
}

/// Why a public key is refused.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum PublicKeyError {
    /// The algorithm does not go with a key of this type.
    #[error("{algorithm} cannot be used with {key_type} keys")]
    AlgorithmMismatch {
        /// The algorithm asked for.
        algorithm: Algorithm,
        /// What the key is.
        key_type: &'static str,
    },
    /// The bytes are not a DER `SubjectPublicKeyInfo`.
    #[error("the public key is malformed: {0}")]
    Malformed(#[from] DerError),
    /// The key is of a type or on a curve that is not accepted, or its parameters are not the named
    /// ones.
    #[error("the key is not RSA, P-256, P-384 or Ed25519 with its standard parameters")]
    UnknownKeyType,
    /// The key is too weak.
    #[error("{0}")]
    Weak(#[from] WeakKey),
}

/// The signature is not one of this key over this message.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("the signature does not verify")]
pub struct BadSignature;

impl PublicKey {
    /// Reads a `SubjectPublicKeyInfo` (RFC 5280 section 4.1.2.7) in DER.
    pub fn from_spki(spki_der: &[u8], algorithm: Algorithm) -> Result<Self, PublicKeyError> {
        Self::from_material(spki::read(spki_der)?, algorithm)
    }

    /// Takes an RSA key as big-endian numbers without leading zeros (RFC 7518 section 6.3.1).
    pub fn from_rsa(
        modulus: &[u8],
        exponent: &[u8],
        algorithm: Algorithm,
    ) -> Result<Self, PublicKeyError> {
        if [modulus, exponent].iter().any(|number| number.first().is_none_or(|&b| b == 0)) {
            return Err(DerError::Value.into());
        }
        Self::from_material(PublicNumbers::Rsa { modulus, exponent }, algorithm)
    }

    /// Takes an elliptic curve key as full-length big-endian coordinates (RFC 7518 section 6.2.1);
    /// the algorithm, ES256 or ES384, names the curve.
    pub fn from_ec(x: &[u8], y: &[u8], algorithm: Algorithm) -> Result<Self, PublicKeyError> {
        let width = match algorithm {
            Algorithm::Es256 => 32,
            Algorithm::Es384 => 48,
            _ => return Err(PublicKeyError::AlgorithmMismatch { algorithm, key_type: "EC" }),
        };
        if x.len() != width || y.len() != width {
            return Err(WeakKey::NotOnCurve.into());
        }
        let point = [&[0x04], x, y].concat();
        let material = match algorithm {
            Algorithm::Es256 => PublicNumbers::P256(&point),
            _ => PublicNumbers::P384(&point),
        };
        Self::from_material(material, algorithm)
    }

    /// Takes an Ed25519 key as its 32 bytes (RFC 8037 section 2).
    pub fn from_ed25519(x: &[u8]) -> Result<Self, PublicKeyError> {
        Self::from_material(PublicNumbers::Ed25519(x), Algorithm::EdDsa)
    }

    /// The one algorithm this key verifies.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Checks a signature in the form of JWS: ECDSA as two full-width numbers (RFC 7518 section
    /// 3.4), RSASSA-PSS with a salt as long as the hash (section 3.5).
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
        self.key.verify_sig(message, signature).map_err(|_| BadSignature)
    }

    fn from_material(
        material: PublicNumbers<'_>,
        algorithm: Algorithm,
    ) -> Result<Self, PublicKeyError> {
        let mismatch = |key_type| PublicKeyError::AlgorithmMismatch { algorithm, key_type };
        // Whether the two go together is asked before the strength, which costs more.
        let parsed = match (material, algorithm) {
            (PublicNumbers::Ed25519(point), Algorithm::EdDsa) => {
                strength::check(material)?;
                ParsedPublicKey::new(&ED25519, point)
            }
            (PublicNumbers::P256(point), Algorithm::Es256) => {
                strength::check(material)?;
                ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
            }
            (PublicNumbers::P384(point), Algorithm::Es384) => {
                strength::check(material)?;
                ParsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, point)
            }
            (PublicNumbers::Rsa { modulus, exponent }, _) => {
                let parameters = rsa_parameters(algorithm).ok_or_else(|| mismatch("RSA"))?;
                strength::check(material)?;
                RsaPublicKeyComponents { n: modulus, e: exponent }.to_parsed_public_key(parameters)
            }
            (PublicNumbers::Ed25519(_), _) => return Err(mismatch("Ed25519")),
            (PublicNumbers::P256(_), _) => return Err(mismatch("P-256")),
            (PublicNumbers::P384(_), _) => return Err(mismatch("P-384")),
        };
        // The strength rules ask for more than the library does, so it refuses nothing here.
        let key = parsed.map_err(|_| PublicKeyError::UnknownKeyType)?;
        Ok(Self { algorithm, key: Arc::new(key) })
    }
}

fn rsa_parameters(algorithm: Algorithm) -> Option<&'static RsaParameters> {
    match algorithm {
        Algorithm::Ps256 => Some(&RSA_PSS_2048_8192_SHA256),
        Algorithm::Ps384 => Some(&RSA_PSS_2048_8192_SHA384),
        Algorithm::Ps512 => Some(&RSA_PSS_2048_8192_SHA512),
        Algorithm::Rs256 => Some(&RSA_PKCS1_2048_8192_SHA256),
        Algorithm::Rs384 => Some(&RSA_PKCS1_2048_8192_SHA384),
        Algorithm::Rs512 => Some(&RSA_PKCS1_2048_8192_SHA512),
        Algorithm::EdDsa | Algorithm::Es256 | Algorithm::Es384 => None,
    }
}
