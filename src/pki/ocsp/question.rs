//! The question to a responder, which knows what an answer to it must be like.

use aws_lc_rs::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};

use crate::clock::Timestamp;
use crate::pki::certificate::Certificate;
use crate::pki::der::{self, OCTET_STRING, SEQUENCE};
use crate::pki::ocsp::response::{self, Asked};
use crate::pki::ocsp::{OCSP_NONCE_BYTES, OcspError, OcspRules, OcspStatus};
use crate::pki::signature;

/// `AlgorithmIdentifier` of SHA-1 with NULL parameters, as every responder expects it.
const SHA1: &[u8] = &[0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00];
/// id-pkix-ocsp-nonce, 1.3.6.1.5.5.7.48.1.2, with tag and length.
const NONCE: &[u8] = &[0x06, 0x09, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x02];
const INTEGER: u8 = 0x02;

/// A question about one certificate.
#[derive(Clone, Debug)]
pub struct OcspQuestion {
    pub(super) asked: Asked,
    url: Option<String>,
}

/// Bytes of what tells a certificate from all others.
pub const OCSP_KEY_BYTES: usize = 32;

/// What tells a certificate from all others: SHA-256 over its issuer's name and key, and its serial number.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct OcspKey([u8; OCSP_KEY_BYTES]);

impl OcspKey {
    pub(super) fn new(issuer_name: &[u8], issuer_spki: &[u8], serial: &[u8]) -> Self {
        let mut hash = Context::new(&SHA256);
        // Name and key are DER and so say themselves where they end.
        for part in [issuer_name, issuer_spki, serial] {
            hash.update(part);
        }
        let mut bytes = [0; OCSP_KEY_BYTES];
        bytes.copy_from_slice(hash.finish().as_ref());
        Self(bytes)
    }

    /// Itself.
    pub fn as_bytes(&self) -> &[u8; OCSP_KEY_BYTES] {
        &self.0
    }
}

impl OcspQuestion {
    /// The question about a certificate to the responder of its issuer; `nonce` is random, if there is to be one.
    pub(in crate::pki) fn new(
        certificate: &Certificate,
        issuer: &Certificate,
        nonce: Option<[u8; OCSP_NONCE_BYTES]>,
    ) -> Self {
        let asked = Asked {
            issuer_name: issuer.subject.clone(),
            issuer_spki: issuer.spki.clone(),
            name_hash: sha1(&issuer.subject),
            key_hash: key_hash(&issuer.spki),
            serial: certificate.serial.clone(),
            spki: certificate.spki.clone(),
            nonce,
        };
        Self { asked, url: certificate.ocsp_urls.first().cloned() }
    }

    /// Where the certificate says that its responder is.
    pub fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }

    /// The bytes to send, of the type `application/ocsp-request` (RFC 6960 section 4.1.1).
    pub fn to_der(&self) -> Vec<u8> {
        let asked = &self.asked;
        let certificate = der::write(
            SEQUENCE,
            &[
                SHA1,
                &der::write(OCTET_STRING, &[&asked.name_hash]),
                &der::write(OCTET_STRING, &[&asked.key_hash]),
                &der::write(INTEGER, &[&asked.serial]),
            ],
        );
        let list = der::write(SEQUENCE, &[&der::write(SEQUENCE, &[&certificate])]);
        let extensions = asked.nonce.map(|nonce| {
            let value = der::write(OCTET_STRING, &[&der::write(OCTET_STRING, &[&nonce])]);
            let extension = der::write(SEQUENCE, &[NONCE, &value]);
            der::write(0xa2, &[&der::write(SEQUENCE, &[&extension])])
        });
        let inner = der::write(SEQUENCE, &[&list, &extensions.unwrap_or_default()]);
        der::write(SEQUENCE, &[&inner])
    }

    /// What the answer says about the certificate as of `now`.
    ///
    /// # Errors
    ///
    /// Whatever keeps the answer from telling anything; none of it is "good".
    pub fn judge(
        &self,
        answer: &[u8],
        rules: OcspRules,
        now: Timestamp,
    ) -> Result<OcspStatus, OcspError> {
        self.judge_dated(answer, rules, now).map(|(status, _)| status)
    }

    /// The same, and when the status was known to be right.
    pub(super) fn judge_dated(
        &self,
        answer: &[u8],
        rules: OcspRules,
        now: Timestamp,
    ) -> Result<(OcspStatus, Timestamp), OcspError> {
        response::judge(&self.asked, answer, rules, now)
    }

    /// The same question with another nonce, or none.
    #[must_use]
    pub fn with_nonce(&self, nonce: Option<[u8; OCSP_NONCE_BYTES]>) -> Self {
        let asked = Asked { nonce, ..self.asked.clone() };
        Self { asked, url: self.url.clone() }
    }

    /// What tells the certificate from all others.
    pub fn key(&self) -> OcspKey {
        let asked = &self.asked;
        OcspKey::new(&asked.issuer_name, &asked.issuer_spki, &asked.serial)
    }
}

pub(super) fn sha1(bytes: &[u8]) -> Vec<u8> {
    digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref().to_vec()
}

/// The hash of the key alone, without the algorithm (RFC 6960 section 4.1.1); of nothing, if it has none.
pub(super) fn key_hash(spki: &[u8]) -> Vec<u8> {
    sha1(signature::take_apart(spki).map_or(&[], |(_, key)| key))
}
