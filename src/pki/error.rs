//! Every reason for which a chain is refused.

use thiserror::Error;

use crate::clock::Timestamp;
use crate::pki::certificate::CertificateError;
use crate::pki::chain::CHAIN_CERTIFICATES_MAX;
use crate::pki::public_key::PublicKeyError;

/// Why a certificate chain is refused: what was seen, and what was expected.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum PkiError {
    /// The trust anchor itself is outside its validity (RFC 5280 section 6.2 leaves this to us).
    #[error(
        "the trust anchor {subject} is valid from {not_before} to {not_after}, and it is {now}"
    )]
    AnchorNotInForce {
        /// The anchor.
        subject: String,
        /// Its first moment.
        not_before: Timestamp,
        /// Its last moment.
        not_after: Timestamp,
        /// When it was judged.
        now: Timestamp,
    },
    /// An authority's keyUsage does not let it sign certificates (RFC 5280 section 6.1.4 (n)).
    #[error("the authority {subject} has a key usage without keyCertSign")]
    AuthorityKeyUsage {
        /// The authority.
        subject: String,
    },
    /// A certificate's signature is not its issuer's.
    #[error("a signature in the chain does not verify with the key of its issuer")]
    BadSignature,
    /// A certificate below the anchor was not sent, where all must be.
    #[error(
        "the chain lacks the certificate of {missing}; send every certificate up to the one that the anchor has issued"
    )]
    ChainIncomplete {
        /// Whose certificate is missing.
        missing: String,
    },
    /// There are no certificates, or more than any path needs.
    #[error("the chain has {count} certificates; 1 to {CHAIN_CERTIFICATES_MAX} are read")]
    ChainLength {
        /// How many there are.
        count: usize,
    },
    /// A certificate does not follow from the one before it.
    #[error("certificate {position} is {found}, but the one before it was issued by {expected}")]
    ChainOrder {
        /// Which certificate, the leaf being 1.
        position: usize,
        /// Its subject.
        found: String,
        /// The issuer that the certificate before it names.
        expected: String,
    },
    /// The validity has ended; the last moment is still inside (RFC 5280 section 4.1.2.5).
    #[error("the certificate of {subject} expired at {not_after}, and it is {now}")]
    Expired {
        /// Whose certificate.
        subject: String,
        /// Its last moment.
        not_after: Timestamp,
        /// When it was judged.
        now: Timestamp,
    },
    /// None of the certificate's extended key usages is one that is accepted here.
    #[error("the certificate of {subject} is for the purposes {found}; accepted: {accepted}")]
    ExtendedKeyUsage {
        /// Whose certificate.
        subject: String,
        /// The purposes it names, dotted.
        found: String,
        /// The purposes that are configured, dotted.
        accepted: String,
    },
    /// A certificate in the path that issued another is not an authority (RFC 5280 section 6.1.4 (k)).
    #[error("a certificate in the chain was issued by one that is not an authority")]
    IssuerNotAuthority,
    /// The same key is in the leaf and in an authority above it.
    #[error("the leaf has the same key as the authority {subject}")]
    KeyOfAuthority {
        /// The authority.
        subject: String,
    },
    /// The leaf's keyUsage is absent or does not allow signatures (RFC 5280 section 4.2.1.3).
    #[error(
        "the leaf's key usage is {found}; digitalSignature or nonRepudiation without keyCertSign is needed"
    )]
    KeyUsage {
        /// The usages it names.
        found: String,
    },
    /// The leaf is one of the configured anchors.
    #[error("the leaf is itself a trust anchor")]
    LeafIsAnchor,
    /// The leaf is an authority.
    #[error("the leaf is the certificate of an authority (CA)")]
    LeafIsAuthority,
    /// The leaf names itself as its issuer.
    #[error("the leaf is self-signed")]
    LeafIsSelfSigned,
    /// A certificate cannot be read.
    #[error("certificate {position} is refused: {reason}")]
    Malformed {
        /// Which certificate, the leaf being 1.
        position: usize,
        /// What is wrong with it.
        reason: CertificateError,
    },
    /// An authority above forbids the names (RFC 5280 section 4.2.1.10).
    #[error("the names are outside the name constraints of an authority above")]
    NameConstraints,
    /// The business is one of the country whose organizations have clients here.
    #[error(
        "its organizationIdentifier {identifier} is of a Norwegian register; Norwegian organizations register clients"
    )]
    NorwegianBusiness {
        /// The identifier.
        identifier: String,
    },
    /// The leaf is a certificate of a person.
    #[error(
        "its subject has a given name, a surname or a pseudonym: it is the certificate of a person, not for the seals of \
         an organization"
    )]
    PersonalCertificate,
    /// The leaf is a certificate for something else than seals.
    #[error(
        "its qcStatements (1.3.6.1.5.5.7.1.3) say that it is not a certificate for electronic seals"
    )]
    NoSeal,
    /// No path leads from the leaf to a configured anchor, and what else may be wrong is not the trust set's to tell.
    #[error("no path leads from the issuer {issuer} to a trust anchor of {trust_set}")]
    NoPath {
        /// The issuer that the leaf names.
        issuer: String,
        /// The name of the trust set.
        trust_set: String,
    },
    /// The validity has not begun.
    #[error("the certificate of {subject} is valid from {not_before}, and it is {now}")]
    NotYetValid {
        /// Whose certificate.
        subject: String,
        /// Its first moment.
        not_before: Timestamp,
        /// When it was judged.
        now: Timestamp,
    },
    /// The subject names two organizations, or one of them twice.
    #[error("the subject contradicts itself about its organization: {detail}")]
    OrganizationConflict {
        /// What contradicts what.
        detail: String,
    },
    /// The subject's organization attribute does not identify an organization as it should.
    #[error("the subject's {attribute} is {found}; expected {expected}")]
    OrganizationMalformed {
        /// The attribute.
        attribute: &'static str,
        /// Its value.
        found: String,
        /// What it should be.
        expected: &'static str,
    },
    /// The subject names no organization.
    #[error("the subject has no organizationIdentifier (2.5.4.97) with an organization number")]
    OrganizationMissing,
    /// The path is longer than an authority in it allows (RFC 5280 section 6.1.4 (l)).
    #[error("the path is longer than an authority in it allows")]
    PathLength,
    /// The search for a path was given up.
    #[error("no path could be built: {reason}")]
    PathSearch {
        /// Why.
        reason: String,
    },
    /// The PEM text is damaged.
    #[error("the PEM text cannot be read: {reason}")]
    Pem {
        /// What is wrong with it.
        reason: String,
    },
    /// The leaf is not issued under an accepted certificate policy.
    #[error("the leaf is issued under the policies {found}; accepted: {accepted}")]
    Policy {
        /// The policies it names, dotted.
        found: String,
        /// The policies that are configured, dotted.
        accepted: String,
    },
    /// An authority in the path may not issue under the leaf's policy.
    #[error("the authority {subject} may issue under {allowed} only, not under the leaf's policy")]
    PolicyOfAuthority {
        /// The authority.
        subject: String,
        /// The policies it names, dotted.
        allowed: String,
    },
    /// No fresh list tells whether the certificate is revoked.
    #[error("whether the certificate of {subject} is revoked is not known: {detail}")]
    RevocationUnknown {
        /// Whose certificate.
        subject: String,
        /// Which lists were looked at and why none would do.
        detail: String,
    },
    /// An authority lists the certificate as revoked.
    #[error("the certificate of {subject} is revoked, reason {reason}")]
    Revoked {
        /// Whose certificate.
        subject: String,
        /// The reason that the list gives.
        reason: &'static str,
    },
    /// A certificate is signed in a way that is not accepted.
    #[error("a certificate in the chain is signed with an algorithm that is not accepted")]
    SignatureAlgorithm,
    /// A key in the path is too weak, or of a type that is not accepted.
    #[error("the key of {subject} is refused: {reason}")]
    WeakKey {
        /// Whose key.
        subject: String,
        /// What is wrong with it.
        reason: PublicKeyError,
    },
}

impl PkiError {
    /// Whether the trust set knows no path at all for the certificate, so that another set may say more.
    pub fn is_of_stranger(&self) -> bool {
        matches!(self, Self::NoPath { .. })
    }

    /// The name of the check that refused, as in [`crate::pki::trust_set::Report`].
    pub fn check_name(&self) -> &'static str {
        match self {
            Self::ChainLength { .. }
            | Self::ChainOrder { .. }
            | Self::Malformed { .. }
            | Self::Pem { .. } => "chain",
            Self::BadSignature
            | Self::NameConstraints
            | Self::NoPath { .. }
            | Self::PathSearch { .. } => "path",
            Self::ChainIncomplete { .. } => "full chain",
            Self::Expired { .. } | Self::NotYetValid { .. } => "validity",
            Self::AnchorNotInForce { .. } | Self::LeafIsAnchor => "anchor",
            Self::IssuerNotAuthority
            | Self::KeyOfAuthority { .. }
            | Self::LeafIsAuthority
            | Self::LeafIsSelfSigned
            | Self::PathLength => "basic constraints",
            Self::AuthorityKeyUsage { .. } | Self::KeyUsage { .. } => "key usage",
            Self::ExtendedKeyUsage { .. } => "extended key usage",
            Self::Policy { .. } | Self::PolicyOfAuthority { .. } => "policy",
            Self::WeakKey { .. } => "key strength",
            Self::SignatureAlgorithm => "signature algorithms",
            Self::Revoked { .. } | Self::RevocationUnknown { .. } => "revocation",
            Self::NoSeal
            | Self::NorwegianBusiness { .. }
            | Self::PersonalCertificate
            | Self::OrganizationConflict { .. }
            | Self::OrganizationMalformed { .. }
            | Self::OrganizationMissing => "organization",
        }
    }
}
