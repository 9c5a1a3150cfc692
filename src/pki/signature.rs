//! The algorithms with which authorities may sign certificates and revocation lists.
//!
//! SHA-2 with RSA (PKCS #1 v1.5, and PSS with a salt as long as the hash) and with ECDSA on the
//! curve that matches the hash. SHA-1 and MD5 are not here, and nothing else brings them back.

use aws_lc_rs::digest::{self, Digest, SHA256, SHA384, SHA512};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, VerificationAlgorithm,
};
use rustls_pki_types::SignatureVerificationAlgorithm;
use webpki::aws_lc_rs as rules;

use crate::pki::der::{Reader, SEQUENCE};

const BIT_STRING: u8 = 0x03;

/// One algorithm: how certificates name it, and how a digest of it is verified.
struct Accepted {
    rule: &'static dyn SignatureVerificationAlgorithm,
    digest: &'static digest::Algorithm,
    verifier: &'static dyn VerificationAlgorithm,
}

/// For path building; the same rows as [`accepted`].
pub(super) const ALGORITHMS: [&dyn SignatureVerificationAlgorithm; 8] = [
    rules::RSA_PKCS1_2048_8192_SHA256,
    rules::RSA_PKCS1_2048_8192_SHA384,
    rules::RSA_PKCS1_2048_8192_SHA512,
    rules::RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
    rules::RSA_PSS_2048_8192_SHA384_LEGACY_KEY,
    rules::RSA_PSS_2048_8192_SHA512_LEGACY_KEY,
    rules::ECDSA_P256_SHA256,
    rules::ECDSA_P384_SHA384,
];

fn accepted() -> [Accepted; 8] {
    let [rsa256, rsa384, rsa512, pss256, pss384, pss512, p256, p384] = ALGORITHMS;
    [
        Accepted { rule: rsa256, digest: &SHA256, verifier: &RSA_PKCS1_2048_8192_SHA256 },
        Accepted { rule: rsa384, digest: &SHA384, verifier: &RSA_PKCS1_2048_8192_SHA384 },
        Accepted { rule: rsa512, digest: &SHA512, verifier: &RSA_PKCS1_2048_8192_SHA512 },
        Accepted { rule: pss256, digest: &SHA256, verifier: &RSA_PSS_2048_8192_SHA256 },
        Accepted { rule: pss384, digest: &SHA384, verifier: &RSA_PSS_2048_8192_SHA384 },
        Accepted { rule: pss512, digest: &SHA512, verifier: &RSA_PSS_2048_8192_SHA512 },
        Accepted { rule: p256, digest: &SHA256, verifier: &ECDSA_P256_SHA256_ASN1 },
        Accepted { rule: p384, digest: &SHA384, verifier: &ECDSA_P384_SHA384_ASN1 },
    ]
}

/// Whether certificates signed so are accepted; the identifier comes without tag and length.
pub(super) fn is_accepted(algorithm: &[u8]) -> bool {
    ALGORITHMS.iter().any(|rule| rule.signature_alg_id().as_ref() == algorithm)
}

/// A signature and the digest it is over: all that is kept of a list that may have 50 megabytes.
pub(super) struct SignedDigest {
    /// The algorithm identifier, without tag and length.
    algorithm: Vec<u8>,
    digest: Digest,
    signature: Vec<u8>,
}

impl PartialEq for SignedDigest {
    fn eq(&self, other: &Self) -> bool {
        self.algorithm == other.algorithm
            && self.digest.as_ref() == other.digest.as_ref()
            && self.signature == other.signature
    }
}

impl SignedDigest {
    /// Digests `message` as the algorithm prescribes; `None` if it is not an accepted one.
    pub(super) fn new(algorithm: &[u8], message: &[u8], signature: &[u8]) -> Option<Self> {
        let row =
            accepted().into_iter().find(|row| row.rule.signature_alg_id().as_ref() == algorithm)?;
        Some(Self {
            algorithm: algorithm.to_vec(),
            digest: digest::digest(row.digest, message),
            signature: signature.to_vec(),
        })
    }

    /// Whether the signature is by the key of this `SubjectPublicKeyInfo`.
    pub(super) fn is_by(&self, spki: &[u8]) -> bool {
        let Some((key_algorithm, key)) = take_apart(spki) else { return false };
        accepted().into_iter().any(|row| {
            row.rule.signature_alg_id().as_ref() == self.algorithm
                && row.rule.public_key_alg_id().as_ref() == key_algorithm
                && row.verifier.verify_digest_sig(key, &self.digest, &self.signature).is_ok()
        })
    }
}

/// The signature of a certificate, or of anything else in the form of RFC 5280 section 4.1.1: what is signed, by which
/// algorithm, and the signature. `None` if it is not of that form, or the algorithm not an accepted one.
pub(super) fn signed_digest(der: &[u8]) -> Option<SignedDigest> {
    let mut members = Reader::new(Reader::new(der).take(SEQUENCE).ok()?.content);
    let message = members.take(SEQUENCE).ok()?.whole;
    let algorithm = members.take(SEQUENCE).ok()?.content;
    let (_unused_bits, signature) = members.take(BIT_STRING).ok()?.content.split_first()?;
    SignedDigest::new(algorithm, message, signature)
}

/// The algorithm identifier, without tag and length, and the key.
pub(super) fn take_apart(spki: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut members = Reader::new(Reader::new(spki).take(SEQUENCE).ok()?.content);
    let algorithm = members.take(SEQUENCE).ok()?.content;
    let (_unused_bits, key) = members.next().ok()?.content.split_first()?;
    Some((algorithm, key))
}
