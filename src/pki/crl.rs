//! One certificate revocation list (RFC 5280 section 5), read whole when it is loaded.
//!
//! What is kept is small and quick to ask: the serial numbers in a hash table, and the digest that
//! the signature is over. What the list may be used for is settled by its extensions here; whether it
//! is fresh, and signed by whom it should be, is asked each time.

use std::collections::HashMap;

use num_bigint::BigUint;
use thiserror::Error;
use x509_parser::extensions::{DistributionPointName, ParsedExtension, X509Extension};
use x509_parser::prelude::FromDer;
use x509_parser::revocation_list::{CertificateRevocationList, RevokedCertificate};
use x509_parser::x509::{ReasonCode, X509Version};

use crate::clock::Timestamp;
use crate::pki::certificate::point_name;
use crate::pki::der::{Reader, SEQUENCE};
use crate::pki::signature::SignedDigest;

/// The largest list that is read, in bytes of DER; the largest Norwegian ones have a few megabytes.
pub const CRL_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Extensions of a list that are processed here: authorityKeyIdentifier needs no processing because
/// the key itself is tried.
const PROCESSED: [&str; 4] = ["2.5.29.20", "2.5.29.27", "2.5.29.28", "2.5.29.35"];
const DELTA_INDICATOR: &str = "2.5.29.27";
/// Extensions of an entry that are processed: reasonCode and invalidityDate.
const PROCESSED_IN_ENTRY: [&str; 2] = ["2.5.29.21", "2.5.29.24"];

/// Why bytes are not a revocation list that is read here.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum CrlError {
    /// It is signed with an algorithm that is not accepted.
    #[error("it is signed with an algorithm that is not accepted")]
    Algorithm,
    /// There are more bytes than are read.
    #[error("it has {size} bytes; at most {CRL_BYTES_MAX} are read")]
    Size {
        /// How many there are.
        size: usize,
    },
    /// The structure is not that of a revocation list, or something follows it.
    #[error("it is not a revocation list: {0}")]
    Structure(String),
}

/// What a list can tell.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Standing {
    /// Who is not on it is not revoked.
    Complete,
    /// Who is on it is revoked, but it may be silent about others.
    Partial(&'static str),
    /// Nothing, because its entries may mean something else than they seem to.
    Unusable(String),
}

/// Which certificates of its issuer a list covers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Covers {
    All,
    Authorities,
    EndEntities,
}

/// A revocation list.
pub(super) struct Crl {
    /// The issuer's name as it stands in the list, tag and length included.
    pub(super) issuer: Vec<u8>,
    pub(super) this_update: Timestamp,
    pub(super) next_update: Option<Timestamp>,
    pub(super) standing: Standing,
    pub(super) covers: Covers,
    /// The distribution point the list belongs to, if it belongs to one.
    pub(super) point: Option<Vec<String>>,
    number: Option<BigUint>,
    revoked: HashMap<Vec<u8>, &'static str>,
    signed: SignedDigest,
}

impl Crl {
    /// Reads a list in DER.
    pub(super) fn from_der(der: &[u8]) -> Result<Self, CrlError> {
        if der.len() > CRL_BYTES_MAX {
            return Err(CrlError::Size { size: der.len() });
        }
        let structure = |reason: &dyn ToString| CrlError::Structure(reason.to_string());
        let (rest, parsed) = CertificateRevocationList::from_der(der).map_err(|e| structure(&e))?;
        let (message, algorithm) = signed_part(der).ok_or_else(|| structure(&"broken lengths"))?;
        // The parser stops where it does not understand; what it left unread could be entries.
        if !rest.is_empty() || parsed.tbs_cert_list.as_ref().len() != message.len() {
            return Err(structure(&"bytes are left over"));
        }
        if !matches!(parsed.version(), None | Some(X509Version::V2)) {
            return Err(structure(&"it is not of version 2"));
        }
        if parsed.tbs_cert_list.signature != parsed.signature_algorithm {
            return Err(structure(&"the signature algorithm inside differs from the one outside"));
        }
        let signed = SignedDigest::new(algorithm, message, &parsed.signature_value.data)
            .ok_or(CrlError::Algorithm)?;
        let mut crl = Self {
            issuer: parsed.issuer().as_raw().to_vec(),
            this_update: Timestamp::from_seconds(parsed.last_update().timestamp()),
            next_update: parsed.next_update().map(|t| Timestamp::from_seconds(t.timestamp())),
            standing: Standing::Complete,
            covers: Covers::All,
            point: None,
            number: parsed.crl_number().cloned(),
            revoked: HashMap::with_capacity(parsed.tbs_cert_list.revoked_certificates.len()),
            signed,
        };
        // The parser would show the first of two extensions of one kind.
        parsed.tbs_cert_list.extensions_map().map_err(|e| structure(&e))?;
        for extension in parsed.extensions() {
            crl.take_extension(extension);
        }
        for entry in parsed.iter_revoked_certificates() {
            crl.take_entry(entry);
        }
        if crl.number.is_none() && crl.standing == Standing::Complete {
            // Without it nobody can tell an earlier issue from a later one (RFC 5280 section 5.2.3).
            crl.lower(Standing::Partial("it has no number"));
        }
        Ok(crl)
    }

    /// Why the certificate with this serial number is revoked, if the list says so.
    pub(super) fn reason(&self, serial: &[u8]) -> Option<&'static str> {
        self.revoked.get(without_sign(serial)).copied()
    }

    /// Whether the list is signed with the key of this `SubjectPublicKeyInfo`.
    pub(super) fn is_signed_by(&self, spki: &[u8]) -> bool {
        self.signed.is_by(spki)
    }

    /// Whether this list is an earlier issue of the same list as `other`.
    pub(super) fn is_older_issue_of(&self, other: &Self) -> bool {
        let same = self.issuer == other.issuer
            && self.standing == other.standing
            && self.covers == other.covers
            && self.point == other.point;
        let older = match (&self.number, &other.number) {
            (Some(mine), Some(others)) => mine < others,
            _ => self.this_update < other.this_update,
        };
        same && older
    }

    fn take_extension(&mut self, extension: &X509Extension<'_>) {
        let oid = extension.oid.to_id_string();
        match extension.parsed_extension() {
            ParsedExtension::IssuingDistributionPoint(point) => {
                if point.indirect_crl {
                    self.lower(Standing::Unusable("it is an indirect list".to_owned()));
                }
                if point.only_contains_attribute_certs {
                    let reason = "it is for attribute certificates only";
                    self.lower(Standing::Unusable(reason.to_owned()));
                }
                if point.only_some_reasons.is_some() {
                    self.lower(Standing::Partial("it is for some reasons only"));
                }
                match (point.only_contains_user_certs, point.only_contains_ca_certs) {
                    (false, false) => {}
                    (true, false) => self.covers = Covers::EndEntities,
                    (false, true) => self.covers = Covers::Authorities,
                    (true, true) => {
                        self.lower(Standing::Unusable("its scope contradicts itself".to_owned()));
                    }
                }
                self.point = point.distribution_point.as_ref().map(|point| match point {
                    DistributionPointName::FullName(names) => {
                        names.iter().map(point_name).collect()
                    }
                    // No certificate names its point so here, hence nothing can match it.
                    DistributionPointName::NameRelativeToCRLIssuer(_) => Vec::new(),
                });
            }
            ParsedExtension::ParseError { .. } => {
                self.lower(Standing::Unusable(format!("its extension {oid} is malformed")));
            }
            ParsedExtension::CRLNumber(_) if extension.critical => {
                self.lower(Standing::Partial("its number is critical"));
            }
            _ if oid == DELTA_INDICATOR => {
                self.lower(Standing::Partial("it lists changes to another list only"));
            }
            _ if extension.critical && !PROCESSED.contains(&oid.as_str()) => {
                let reason = format!("its extension {oid} is critical and not processed here");
                self.lower(Standing::Unusable(reason));
            }
            _ => {}
        }
    }

    fn take_entry(&mut self, entry: &RevokedCertificate<'_>) {
        let mut reason = "unspecified";
        for extension in entry.extensions() {
            let oid = extension.oid.to_id_string();
            match extension.parsed_extension() {
                ParsedExtension::ReasonCode(ReasonCode::RemoveFromCRL) => return,
                ParsedExtension::ReasonCode(code) => reason = reason_text(*code),
                _ if extension.critical && !PROCESSED_IN_ENTRY.contains(&oid.as_str()) => {
                    let reason = format!("an entry's extension {oid} is not processed here");
                    self.lower(Standing::Unusable(reason));
                }
                _ => {}
            }
        }
        self.revoked.insert(without_sign(entry.raw_serial()).to_vec(), reason);
    }

    /// A list is never better than the worst thing about it.
    fn lower(&mut self, standing: Standing) {
        if !matches!(self.standing, Standing::Unusable(_)) {
            self.standing = standing;
        }
    }
}

/// The bytes that are signed, and the algorithm without tag and length.
fn signed_part(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut members = Reader::new(Reader::new(der).take(SEQUENCE).ok()?.content);
    let message = members.take(SEQUENCE).ok()?.whole;
    let algorithm = members.take(SEQUENCE).ok()?.content;
    Some((message, algorithm))
}

/// Serial numbers are compared without the octets that only carry the sign.
fn without_sign(serial: &[u8]) -> &[u8] {
    let start = serial.iter().position(|&octet| octet != 0).unwrap_or(serial.len());
    &serial[start..]
}

/// The reasons of RFC 5280 section 5.3.1.
pub(super) fn reason_text(code: ReasonCode) -> &'static str {
    match code {
        ReasonCode::KeyCompromise => "keyCompromise",
        ReasonCode::CACompromise => "cACompromise",
        ReasonCode::AffiliationChanged => "affiliationChanged",
        ReasonCode::Superseded => "superseded",
        ReasonCode::CessationOfOperation => "cessationOfOperation",
        ReasonCode::CertificateHold => "certificateHold",
        ReasonCode::PrivilegeWithdrawn => "privilegeWithdrawn",
        ReasonCode::AACompromise => "aACompromise",
        _ => "unspecified",
    }
}
