//! Finding a path from a leaf to a trust anchor (RFC 5280 section 6.1, RFC 4158).
//!
//! The search itself, and on each path signatures, times, basicConstraints with its length and name
//! constraints, are done by rustls-webpki. Every complete path is then put to a judge, so that a path
//! that fails another check does not hide one that passes. The order is fixed: anchors and
//! intermediates as configured, then what the client sent.

use std::cell::RefCell;

use rustls_pki_types::{TrustAnchor, UnixTime};
use webpki::{Error, ExtendedKeyUsageValidator, KeyPurposeIdIter};

use crate::clock::Timestamp;
use crate::pki::certificate::Certificate;
use crate::pki::chain::{CHAIN_CERTIFICATES_MAX, CertificateChain};
use crate::pki::error::PkiError;
use crate::pki::signature;

/// A trust anchor in both of its forms.
pub(super) struct Anchor {
    pub(super) certificate: Certificate,
    trust_anchor: TrustAnchor<'static>,
}

impl Anchor {
    /// The anchor that a certificate stands for.
    pub(super) fn new(certificate: Certificate) -> Result<Self, Error> {
        let trust_anchor = webpki::anchor_from_trusted_cert(&certificate.der)?.to_owned();
        Ok(Self { certificate, trust_anchor })
    }
}

/// A leaf and the authorities above it, each the issuer of the one before; the last is the anchor.
#[derive(Clone)]
pub(super) struct Path<'a> {
    pub(super) leaf: &'a Certificate,
    pub(super) authorities: Vec<&'a Certificate>,
    /// What the client sent above the leaf, whether or not the path goes there.
    pub(super) sent: &'a [Certificate],
}

impl<'a> Path<'a> {
    /// Every certificate but the anchor with its issuer, leaf first.
    pub(super) fn issued(&self) -> impl Iterator<Item = (&'a Certificate, &'a Certificate)> {
        let certificates = std::iter::once(self.leaf).chain(self.authorities.iter().copied());
        certificates.zip(self.authorities.iter().copied())
    }

    /// The first authority below the anchor that the client has not sent.
    pub(super) fn not_sent(&self) -> Option<&'a Certificate> {
        let is_sent = |it: &Certificate| self.sent.iter().any(|sent| sent.der == it.der);
        self.intermediates().iter().copied().find(|it| !is_sent(it))
    }

    /// The authorities between the leaf and the anchor.
    pub(super) fn intermediates(&self) -> &[&'a Certificate] {
        self.authorities.split_last().map_or(&[], |(_, intermediates)| intermediates)
    }
}

/// Where paths may lead.
pub(super) struct Search<'a> {
    chain: &'a CertificateChain,
    anchors: &'a [Anchor],
    trust_anchors: Vec<TrustAnchor<'a>>,
    intermediates: Vec<&'a Certificate>,
}

impl<'a> Search<'a> {
    /// Prepares the search among the configured certificates and those that the client sent.
    pub(super) fn new(
        chain: &'a CertificateChain,
        anchors: &'a [Anchor],
        configured: &'a [Certificate],
    ) -> Self {
        let is_new = |sent: &&Certificate| configured.iter().all(|known| known.der != sent.der);
        Self {
            chain,
            anchors,
            trust_anchors: anchors.iter().map(|anchor| borrow(&anchor.trust_anchor)).collect(),
            intermediates: configured
                .iter()
                .chain(chain.above_leaf().iter().filter(is_new))
                .collect(),
        }
    }

    /// Puts the paths that hold at `at` to the judge, until it accepts one.
    pub(super) fn run(
        &self,
        at: Timestamp,
        judge: impl FnMut(Path<'a>) -> bool,
    ) -> Result<(), Error> {
        let judge = RefCell::new(judge);
        let verify_path = |candidate: &webpki::VerifiedPath<'_>| {
            let path = self.path(candidate).ok_or(Error::UnknownIssuer)?;
            if path.authorities.len() >= CHAIN_CERTIFICATES_MAX {
                return Err(Error::MaximumPathDepthExceeded);
            }
            if judge.borrow_mut()(path) { Ok(()) } else { Err(Error::UnknownIssuer) }
        };
        let leaf = webpki::EndEntityCert::try_from(&self.chain.leaf().der)?;
        let intermediates: Vec<_> = self.intermediates.iter().map(|c| borrow_der(c)).collect();
        let seconds = u64::try_from(at.seconds()).unwrap_or(0);
        leaf.verify_for_usage(
            &signature::ALGORITHMS,
            &self.trust_anchors,
            &intermediates,
            UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds)),
            EveryPurpose,
            None,
            Some(&verify_path),
        )
        .map(|_| ())
    }

    /// Our own view of a path that was found.
    fn path(&self, candidate: &webpki::VerifiedPath<'_>) -> Option<Path<'a>> {
        let mut authorities = Vec::new();
        for found in candidate.intermediate_certificates() {
            let der = found.der();
            authorities.push(*self.intermediates.iter().find(|known| known.der == der)?);
        }
        // Two anchors may differ in nothing but their validity: it is the place that tells them apart.
        let place = self.trust_anchors.iter().position(|anchor| {
            std::ptr::eq(anchor.subject.as_ptr(), candidate.anchor().subject.as_ptr())
        })?;
        authorities.push(&self.anchors.get(place)?.certificate);
        Some(Path { leaf: self.chain.leaf(), authorities, sent: self.chain.above_leaf() })
    }
}

/// What a failed search means, when no path came before the judge.
pub(super) fn explain(
    error: &Error,
    leaf: &Certificate,
    now: Timestamp,
    trust_set: &str,
) -> PkiError {
    let someone = || "an authority above the leaf".to_owned();
    let timestamp = |time: &UnixTime| {
        Timestamp::from_seconds(i64::try_from(time.as_secs()).unwrap_or(i64::MAX))
    };
    match error {
        Error::CaUsedAsEndEntity => PkiError::LeafIsAuthority,
        Error::CertExpired { not_after, .. } => {
            PkiError::Expired { subject: someone(), not_after: timestamp(not_after), now }
        }
        Error::CertNotValidYet { not_before, .. } => {
            PkiError::NotYetValid { subject: someone(), not_before: timestamp(not_before), now }
        }
        Error::EndEntityUsedAsCa => PkiError::IssuerNotAuthority,
        Error::InvalidSignatureForPublicKey => PkiError::BadSignature,
        Error::MaximumPathDepthExceeded | Error::PathLenConstraintViolated => PkiError::PathLength,
        Error::NameConstraintViolation => PkiError::NameConstraints,
        Error::UnsupportedSignatureAlgorithmContext(_)
        | Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => {
            PkiError::SignatureAlgorithm
        }
        Error::UnknownIssuer => {
            PkiError::NoPath { issuer: leaf.issuer_text.clone(), trust_set: trust_set.to_owned() }
        }
        other => PkiError::PathSearch { reason: other.to_string() },
    }
}

/// Lets every extended key usage through: the rules for it are ours and come later.
struct EveryPurpose;

impl ExtendedKeyUsageValidator for EveryPurpose {
    fn validate(&self, purposes: KeyPurposeIdIter<'_, '_>) -> Result<(), Error> {
        purposes.into_iter().try_for_each(|purpose| purpose.map(|_| ()))
    }
}

fn borrow_der(certificate: &Certificate) -> rustls_pki_types::CertificateDer<'_> {
    rustls_pki_types::CertificateDer::from(&certificate.der[..])
}

fn borrow<'a>(anchor: &'a TrustAnchor<'static>) -> TrustAnchor<'a> {
    TrustAnchor {
        subject: anchor.subject.as_ref().into(),
        subject_public_key_info: anchor.subject_public_key_info.as_ref().into(),
        name_constraints: anchor.name_constraints.as_ref().map(|names| names.as_ref().into()),
    }
}
