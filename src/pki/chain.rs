//! The certificates that a client sends along with a grant, read under strict limits.
//!
//! Reading costs little and decides nothing: whether the chain leads anywhere is for the trust set.

use std::fmt;

use aws_lc_rs::digest::{Context, SHA256};
use rustls_pki_types::pem::SectionKind;

use crate::clock::Timestamp;
use crate::pki::certificate::Certificate;
use crate::pki::error::PkiError;
use crate::pki::pem;

/// The most certificates in a chain and in a path; real ones have three.
pub const CHAIN_CERTIFICATES_MAX: usize = 6;

/// A client's certificate and those it sent to explain it, each the issuer of the one before.
pub struct CertificateChain {
    /// Never empty; the leaf is first.
    certificates: Vec<Certificate>,
}

impl CertificateChain {
    /// Reads a chain of DER certificates, leaf first (RFC 7515 section 4.1.6).
    pub fn from_der(certificates: Vec<Vec<u8>>) -> Result<Self, PkiError> {
        let count = certificates.len();
        if !(1..=CHAIN_CERTIFICATES_MAX).contains(&count) {
            return Err(PkiError::ChainLength { count });
        }
        let mut read: Vec<Certificate> = Vec::with_capacity(count);
        for (index, der) in certificates.into_iter().enumerate() {
            let position = index + 1;
            let certificate = Certificate::from_der(der)
                .map_err(|reason| PkiError::Malformed { position, reason })?;
            if let Some(before) = read.last()
                && before.issuer != certificate.subject
            {
                return Err(PkiError::ChainOrder {
                    position,
                    found: certificate.subject_text,
                    expected: before.issuer_text.clone(),
                });
            }
            read.push(certificate);
        }
        Ok(Self { certificates: read })
    }

    /// Reads a chain of PEM certificates, leaf first.
    pub fn from_pem(pem: &[u8]) -> Result<Self, PkiError> {
        let sections = pem::sections(pem, SectionKind::Certificate)
            .map_err(|reason| PkiError::Pem { reason })?;
        Self::from_der(sections)
    }

    /// The client's own certificate.
    pub fn leaf_der(&self) -> &[u8] {
        &self.leaf().der
    }

    /// The public key of the leaf, as a `SubjectPublicKeyInfo`.
    pub fn leaf_spki(&self) -> &[u8] {
        &self.leaf().spki
    }

    /// The last moment at which the leaf is valid.
    pub fn leaf_not_after(&self) -> Timestamp {
        self.leaf().not_after
    }

    /// All certificates, leaf first.
    pub fn certificates_der(&self) -> impl Iterator<Item = &[u8]> {
        self.certificates.iter().map(|certificate| &certificate.der[..])
    }

    pub(super) fn leaf(&self) -> &Certificate {
        &self.certificates[0]
    }

    pub(super) fn above_leaf(&self) -> &[Certificate] {
        &self.certificates[1..]
    }
}

impl fmt::Debug for CertificateChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let subjects = self.certificates.iter().map(|certificate| &certificate.subject_text);
        f.debug_list().entries(subjects).finish()
    }
}

/// SHA-256 over certificates, each preceded by its length: what a cache may know a chain by before it is read.
pub fn fingerprint<'a>(certificates: impl IntoIterator<Item = &'a [u8]>) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    for der in certificates {
        context.update(&der.len().to_be_bytes());
        context.update(der);
    }
    let mut fingerprint = [0; 32];
    fingerprint.copy_from_slice(context.finish().as_ref());
    fingerprint
}
