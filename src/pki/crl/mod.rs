//! One certificate revocation list (RFC 5280 section 5), read whole when it is loaded.
//!
//! What is kept is small and quick to ask: the serial numbers in a table (`serials`), and the digest that
//! the signature is over. What the list may be used for is settled by its extensions here; whether it
//! is fresh, and signed by whom it should be, is asked each time.

mod entries;
mod serials;

pub(super) use entries::reason_text;

use num_bigint::BigUint;
use rustls_pki_types::pem::SectionKind;
use thiserror::Error;
use x509_parser::extensions::{DistributionPointName, ParsedExtension, X509Extension};
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time;
use x509_parser::x509::X509Name;

use crate::clock::Timestamp;
use crate::pki::certificate::{name_text, point_name};
use crate::pki::crl::entries::REMOVE_FROM_CRL;
use crate::pki::crl::serials::{Serials, SerialsBuilder};
use crate::pki::der::{DerError, GENERALIZED_TIME, Reader, SEQUENCE, UTC_TIME, Value};
use crate::pki::pem;
use crate::pki::signature::SignedDigest;

/// The largest list that is read, in bytes of DER; the largest Norwegian ones have a few megabytes.
pub const CRL_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Extensions of a list that are processed here: authorityKeyIdentifier needs no processing because
/// the key itself is tried.
const PROCESSED: [&str; 4] = ["2.5.29.20", "2.5.29.27", "2.5.29.28", "2.5.29.35"];
const DELTA_INDICATOR: &str = "2.5.29.27";

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
/// The tag of `crlExtensions`.
const EXTENSIONS: u8 = 0xa0;
/// How version 2 is written; version 1 is written by leaving it out.
const VERSION_2: &[u8] = &[1];

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
pub struct Crl {
    /// The issuer's name as it stands in the list, tag and length included.
    pub(super) issuer: Vec<u8>,
    /// The issuer's name for people.
    pub(super) issuer_text: String,
    pub(super) this_update: Timestamp,
    pub(super) next_update: Option<Timestamp>,
    pub(super) standing: Standing,
    pub(super) covers: Covers,
    /// The distribution point the list belongs to, if it belongs to one.
    pub(super) point: Option<Vec<String>>,
    pub(super) number: Option<BigUint>,
    revoked: Serials,
    signed: SignedDigest,
}

impl Crl {
    /// Reads what was fetched: one list, in DER as it should be, or in PEM.
    pub fn read(bytes: &[u8]) -> Result<Self, CrlError> {
        // A list in DER begins with the tag of SEQUENCE, which no PEM text begins with.
        if bytes.first() == Some(&SEQUENCE) {
            return Self::from_der(bytes);
        }
        if bytes.len() > CRL_BYTES_MAX {
            return Err(CrlError::Size { size: bytes.len() });
        }
        let sections = pem::sections(bytes, SectionKind::Crl).map_err(CrlError::Structure)?;
        match &sections[..] {
            [der] => Self::from_der(der),
            _ => Err(CrlError::Structure("neither DER nor one list in PEM".to_owned())),
        }
    }

    /// Reads a list in DER.
    pub(super) fn from_der(der: &[u8]) -> Result<Self, CrlError> {
        if der.len() > CRL_BYTES_MAX {
            return Err(CrlError::Size { size: der.len() });
        }
        let parts = Parts::read(der).map_err(|error| structure(&error))?;
        if !matches!(parts.version, None | Some(VERSION_2)) {
            return Err(structure(&"it is not of version 2"));
        }
        if parts.inner_algorithm != parts.outer_algorithm {
            return Err(structure(&"the signature algorithm inside differs from the one outside"));
        }
        let signed = SignedDigest::new(parts.outer_algorithm, parts.message, parts.signature)
            .ok_or(CrlError::Algorithm)?;
        let (_, issuer) = X509Name::from_der(parts.issuer).map_err(|error| structure(&error))?;
        let mut crl = Self {
            issuer: parts.issuer.to_vec(),
            issuer_text: name_text(&issuer),
            this_update: time(parts.this_update)?,
            next_update: parts.next_update.map(time).transpose()?,
            standing: Standing::Complete,
            covers: Covers::All,
            point: None,
            number: None,
            revoked: SerialsBuilder::default().finish(),
            signed,
        };
        crl.take_extensions(parts.extensions)?;
        crl.take_entries(parts.entries)?;
        if crl.number.is_none() && crl.standing == Standing::Complete {
            // Without it nobody can tell an earlier issue from a later one (RFC 5280 section 5.2.3).
            crl.lower(Standing::Partial("it has no number"));
        }
        Ok(crl)
    }

    /// Until when it holds, by its own account.
    pub fn next_update(&self) -> Option<Timestamp> {
        self.next_update
    }

    /// How many certificates it revokes.
    pub fn entries(&self) -> usize {
        self.revoked.len()
    }

    /// Why the certificate with this serial number is revoked, if the list says so.
    pub(super) fn reason(&self, serial: &[u8]) -> Option<&'static str> {
        self.revoked.reason(serial).map(reason_text)
    }

    /// Whether it is the very same list.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.signed == other.signed
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

    fn take_extensions(&mut self, extensions: &[u8]) -> Result<(), CrlError> {
        let mut seen = Vec::new();
        let mut reader = Reader::new(extensions);
        while !reader.at_end() {
            let extension = reader.take(SEQUENCE).map_err(|error| structure(&error))?;
            let (rest, extension) =
                X509Extension::from_der(extension.whole).map_err(|error| structure(&error))?;
            let oid = extension.oid.to_id_string();
            if !rest.is_empty() || seen.contains(&oid) {
                return Err(structure(&format!("its extension {oid} is there twice or too long")));
            }
            self.take_extension(&extension);
            seen.push(oid);
        }
        Ok(())
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
            ParsedExtension::CRLNumber(number) => {
                self.number = Some(number.clone());
                if extension.critical {
                    self.lower(Standing::Partial("its number is critical"));
                }
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

    fn take_entries(&mut self, entries: &[u8]) -> Result<(), CrlError> {
        let mut revoked = SerialsBuilder::default();
        let mut reader = Reader::new(entries);
        while !reader.at_end() {
            let entry = reader.next().and_then(entries::read).map_err(|error| structure(&error))?;
            if let Some(oid) = entry.unprocessed {
                let reason = format!("an entry's extension {oid} is not processed here");
                self.lower(Standing::Unusable(reason));
            }
            if entry.reason != REMOVE_FROM_CRL {
                revoked.take(entry.serial, entry.reason);
            }
        }
        self.revoked = revoked.finish();
        Ok(())
    }

    /// A list is never better than the worst thing about it.
    fn lower(&mut self, standing: Standing) {
        if !matches!(self.standing, Standing::Unusable(_)) {
            self.standing = standing;
        }
    }
}

/// The parts of a list, in place (RFC 5280 section 5.1).
struct Parts<'a> {
    /// What is signed, tag and length included.
    message: &'a [u8],
    inner_algorithm: &'a [u8],
    outer_algorithm: &'a [u8],
    signature: &'a [u8],
    version: Option<&'a [u8]>,
    issuer: &'a [u8],
    this_update: &'a [u8],
    next_update: Option<&'a [u8]>,
    /// The entries and the extensions, each one after the other.
    entries: &'a [u8],
    extensions: &'a [u8],
}

impl<'a> Parts<'a> {
    fn read(der: &'a [u8]) -> Result<Self, DerError> {
        let mut whole = Reader::new(der);
        let mut list = Reader::new(whole.take(SEQUENCE)?.content);
        let message = list.take(SEQUENCE)?;
        let outer_algorithm = list.take(SEQUENCE)?.content;
        let signature = list.take(BIT_STRING)?.content;
        // A signature is whole octets.
        let [0, signature @ ..] = signature else { return Err(DerError::Value) };
        if !list.at_end() || !whole.at_end() {
            return Err(DerError::Trailing);
        }
        let mut members = Members::new(message.content);
        let version = members.optional(|tag| tag == INTEGER)?.map(|value| value.content);
        let inner_algorithm = members.required(|tag| tag == SEQUENCE)?.content;
        let issuer = members.required(|tag| tag == SEQUENCE)?.whole;
        let this_update = members.required(is_time)?.whole;
        let next_update = members.optional(is_time)?.map(|value| value.whole);
        let entries = members.optional(|tag| tag == SEQUENCE)?.map_or(&[][..], |it| it.content);
        let extensions = match members.optional(|tag| tag == EXTENSIONS)? {
            None => &[],
            Some(extensions) => {
                let mut inside = Reader::new(extensions.content);
                let extensions = inside.take(SEQUENCE)?.content;
                if !inside.at_end() {
                    return Err(DerError::Trailing);
                }
                extensions
            }
        };
        members.end()?;
        Ok(Self {
            message: message.whole,
            inner_algorithm,
            outer_algorithm,
            signature,
            version,
            issuer,
            this_update,
            next_update,
            entries,
            extensions,
        })
    }
}

/// Members of which some may be left out.
struct Members<'a> {
    rest: Reader<'a>,
    next: Option<Value<'a>>,
}

impl<'a> Members<'a> {
    fn new(content: &'a [u8]) -> Self {
        Self { rest: Reader::new(content), next: None }
    }

    /// The next member, if it has such a tag.
    fn optional(&mut self, is_such: impl Fn(u8) -> bool) -> Result<Option<Value<'a>>, DerError> {
        if self.next.is_none() && !self.rest.at_end() {
            self.next = Some(self.rest.next()?);
        }
        Ok(self.next.take_if(|value| is_such(value.tag)))
    }

    fn required(&mut self, is_such: impl Fn(u8) -> bool) -> Result<Value<'a>, DerError> {
        self.optional(is_such)?.ok_or(DerError::Tag)
    }

    fn end(&self) -> Result<(), DerError> {
        let is_end = self.next.is_none() && self.rest.at_end();
        if is_end { Ok(()) } else { Err(DerError::Trailing) }
    }
}

fn is_time(tag: u8) -> bool {
    matches!(tag, UTC_TIME | GENERALIZED_TIME)
}

fn time(der: &[u8]) -> Result<Timestamp, CrlError> {
    let (_, time) = ASN1Time::from_der(der).map_err(|error| structure(&error))?;
    Ok(Timestamp::from_seconds(time.timestamp()))
}

fn structure(reason: &dyn ToString) -> CrlError {
    CrlError::Structure(reason.to_string())
}
