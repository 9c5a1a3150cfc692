//! A public key that may verify signatures, with the one algorithm it may do so with.
//!
//! Keys come in two ways: from a registered JWK, as numbers, and from a certificate, as a
//! `SubjectPublicKeyInfo`. Both pass the same rules, and neither leaves the choice of the algorithm
//! to whoever sends the signature (RFC 8725 section 3.1).

use std::sync::Arc;

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, ParsedPublicKey,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
    RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512,
    RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
};
use thiserror::Error;

use crate::domain::algorithm::Algorithm;
use crate::pki::der::DerError;
use crate::pki::spki::{self, PublicNumbers};
use crate::pki::strength::{self, WeakKey};

/// A public key that passed the strength rules, bound to one algorithm. It is cheap to clone.
///
/// It holds the bytes of the key, which the cryptographic library reads at each use. What that library makes of an RSA key
/// of 2048 bits takes 2 KiB once it has been used, which would be most of what a hundred thousand clients take; to make it
/// anew costs 3 microseconds beside the 20 of verifying.
#[derive(Clone, Debug)]
pub struct PublicKey {
    algorithm: Algorithm,
    bytes: Arc<[u8]>,
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
        let key = UnparsedPublicKey::new(verification(self.algorithm), &*self.bytes);
        key.verify(message, signature).map_err(|_| BadSignature)
    }

    fn from_material(
        material: PublicNumbers<'_>,
        algorithm: Algorithm,
    ) -> Result<Self, PublicKeyError> {
        let mismatch = |key_type| Err(PublicKeyError::AlgorithmMismatch { algorithm, key_type });
        // Whether the two go together is asked before the strength, which costs more.
        match (material, algorithm) {
            (PublicNumbers::Ed25519(_), Algorithm::EdDsa)
            | (PublicNumbers::P256(_), Algorithm::Es256)
            | (PublicNumbers::P384(_), Algorithm::Es384)
            | (
                PublicNumbers::Rsa { .. },
                Algorithm::Ps256
                | Algorithm::Ps384
                | Algorithm::Ps512
                | Algorithm::Rs256
                | Algorithm::Rs384
                | Algorithm::Rs512,
            ) => {}
            (PublicNumbers::Ed25519(_), _) => return mismatch("Ed25519"),
            (PublicNumbers::P256(_), _) => return mismatch("P-256"),
            (PublicNumbers::P384(_), _) => return mismatch("P-384"),
            (PublicNumbers::Rsa { .. }, _) => return mismatch("RSA"),
        }
        strength::check(material)?;
        // The strength rules ask for more than the library does, so it refuses nothing here.
        let refused = PublicKeyError::UnknownKeyType;
        let bytes: Arc<[u8]> = match material {
            PublicNumbers::Ed25519(point)
            | PublicNumbers::P256(point)
            | PublicNumbers::P384(point) => point.into(),
            PublicNumbers::Rsa { modulus, exponent } => {
                let der = RsaPublicKeyComponents { n: modulus, e: exponent }.as_der();
                der.map_err(|_| refused)?.as_ref().into()
            }
        };
        ParsedPublicKey::new(verification(algorithm), &bytes).map_err(|_| refused)?;
        Ok(Self { algorithm, bytes })
    }
}

/// How the library calls what verifies signatures of that algorithm.
fn verification(algorithm: Algorithm) -> &'static dyn VerificationAlgorithm {
    match algorithm {
        Algorithm::EdDsa => &ED25519,
        Algorithm::Es256 => &ECDSA_P256_SHA256_FIXED,
        Algorithm::Es384 => &ECDSA_P384_SHA384_FIXED,
        Algorithm::Ps256 => &RSA_PSS_2048_8192_SHA256,
        Algorithm::Ps384 => &RSA_PSS_2048_8192_SHA384,
        Algorithm::Ps512 => &RSA_PSS_2048_8192_SHA512,
        Algorithm::Rs256 => &RSA_PKCS1_2048_8192_SHA256,
        Algorithm::Rs384 => &RSA_PKCS1_2048_8192_SHA384,
        Algorithm::Rs512 => &RSA_PKCS1_2048_8192_SHA512,
    }
}
