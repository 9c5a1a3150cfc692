//! One certificate, read strictly and once.
//!
//! Both libraries must be able to read it, and the DER rules must hold, so that no two parts of the
//! server can see different certificates in the same bytes. What later checks need is taken out
//! here; nothing is judged that depends on a path, a time or a configuration.

use std::fmt::Write as _;
use std::sync::OnceLock;

use rustls_pki_types::CertificateDer;
use thiserror::Error;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{
    DistributionPointName, GeneralName, KeyUsage, ParsedExtension, X509Extension,
};
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time;
use x509_parser::x509::{X509Name, X509Version};

use crate::clock::Timestamp;
use crate::pki::der::{self, DerError, GENERALIZED_TIME, Reader, SEQUENCE, UTC_TIME};
use crate::pki::public_key::PublicKeyError;
use crate::pki::seal::{QC_STATEMENTS, QcStatements};
use crate::pki::{spki, strength};

/// The largest certificate that is read, in bytes of DER; real ones have 1.5 to 2.5 KiB.
pub const CERTIFICATE_BYTES_MAX: usize = 8 * 1024;

/// The longest serial number, in octets (RFC 5280 section 4.1.2.2).
const SERIAL_OCTETS_MAX: usize = 20;

/// The extensions that path validation processes (RFC 5280 section 4.2), and so the only ones that
/// may be critical: keyUsage, subjectAltName, basicConstraints, nameConstraints,
/// cRLDistributionPoints and extKeyUsage.
const PROCESSED: [&str; 6] =
    ["2.5.29.15", "2.5.29.17", "2.5.29.19", "2.5.29.30", "2.5.29.31", "2.5.29.37"];

/// The extensions that whoever does not process them must not pass over: nameConstraints,
/// policyConstraints and inhibitAnyPolicy (RFC 5280 sections 4.2.1.10, 4.2.1.11 and 4.2.1.14).
const MUST_BE_CRITICAL: [&str; 3] = ["2.5.29.30", "2.5.29.36", "2.5.29.54"];

/// id-pkix-ocsp-nocheck.
const OCSP_NO_CHECK: &str = "1.3.6.1.5.5.7.48.1.5";
/// id-ad-ocsp.
const ACCESS_OCSP: &str = "1.3.6.1.5.5.7.48.1";

/// Why bytes are not a certificate that is read here.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum CertificateError {
    /// Two extensions have the same identifier (RFC 5280 section 4.2).
    #[error("the extension {0} is there twice")]
    DuplicateExtension(String),
    /// An authority without a name, or a certificate whose issuer has none (RFC 5280 sections 4.1.2.4
    /// and 4.1.2.6).
    #[error("the name of an authority is empty")]
    EmptyName,
    /// The bytes break the encoding rules.
    #[error("it is not DER: {0}")]
    Encoding(#[from] DerError),
    /// An extension cannot be read.
    #[error("the extension {0} is malformed")]
    Extension(String),
    /// A name is not a list of attributes, each with an identifier and a text (RFC 5280 section 4.1.2.4).
    #[error("a name has an attribute without an identifier, or whose value is no text")]
    Name,
    /// Name constraints stand where only an authority may have them, or constrain nothing (RFC 5280
    /// section 4.2.1.10).
    #[error("its name constraints are empty, or it is not an authority")]
    NameConstraints,
    /// An extension that RFC 5280 wants critical is not, so that others would pass over it.
    #[error("the extension {0} must be critical")]
    NotCritical(String),
    /// The signature algorithm inside the signed part differs from the one outside (RFC 5280
    /// section 4.1.1.2).
    #[error("the signature algorithm inside differs from the one outside")]
    InnerAlgorithm,
    /// The serial number is not a positive number of at most 20 octets (RFC 5280 section 4.1.2.2).
    #[error("the serial number is not a positive number of at most 20 octets")]
    Serial,
    /// There are more bytes than any certificate has.
    #[error("it has {size} bytes; at most {CERTIFICATE_BYTES_MAX} are read")]
    Size {
        /// How many there are.
        size: usize,
    },
    /// The structure is not that of a certificate.
    #[error("it is not an X.509 certificate: {0}")]
    Structure(String),
    /// A time is written in the form that its year does not use (RFC 5280 section 4.1.2.5).
    #[error("a time is not written as RFC 5280 section 4.1.2.5 prescribes")]
    Time,
    /// It carries issuer or subject unique identifiers, which nobody may issue.
    #[error("it carries a unique identifier, which RFC 5280 section 4.1.2.8 forbids")]
    UniqueIdentifier,
    /// It is marked as needing something that is not processed here (RFC 5280 section 4.2).
    #[error("the extension {0} is critical and not one that is processed here")]
    UnknownCritical(String),
    /// The end lies before the beginning.
    #[error("it ends before it begins")]
    Validity,
    /// It is not of version 3.
    #[error("it is of version {0}; only version 3 has the extensions that are needed")]
    Version(u32),
}

/// A certificate and what the checks ask of it.
#[derive(Debug)]
pub(super) struct Certificate {
    pub(super) der: CertificateDer<'static>,
    /// The names as they stand in the certificate, tag and length included.
    pub(super) subject: Vec<u8>,
    pub(super) issuer: Vec<u8>,
    /// The subject for people to read; never parsed again.
    pub(super) subject_text: String,
    pub(super) issuer_text: String,
    pub(super) serial: Vec<u8>,
    pub(super) not_before: Timestamp,
    pub(super) not_after: Timestamp,
    /// The `SubjectPublicKeyInfo`, tag and length included.
    pub(super) spki: Vec<u8>,
    pub(super) is_ca: bool,
    pub(super) key_usage: Option<KeyUsage>,
    /// Absent is another thing than empty: absent allows every purpose.
    pub(super) extended_key_usages: Option<Vec<String>>,
    pub(super) policies: Option<Vec<String>>,
    /// What it says about being a qualified one.
    pub(super) qc_statements: QcStatements,
    /// The names of the CRL distribution points, see [`point_name`].
    pub(super) crl_points: Vec<String>,
    /// Where its issuer answers questions about it (id-ad-ocsp).
    pub(super) ocsp_urls: Vec<String>,
    /// Whether nobody need ask if it is revoked itself (id-pkix-ocsp-nocheck, RFC 6960 section 4.2.2.2.1).
    pub(super) ocsp_no_check: bool,
    /// The outer signature algorithm identifier, without tag and length.
    pub(super) signature_algorithm: Vec<u8>,
    strength: OnceLock<Result<(), PublicKeyError>>,
}

impl Certificate {
    /// Reads a certificate that may come from anybody.
    pub(super) fn from_der(der: Vec<u8>) -> Result<Self, CertificateError> {
        if der.len() > CERTIFICATE_BYTES_MAX {
            return Err(CertificateError::Size { size: der.len() });
        }
        let skeleton = Skeleton::read(&der)?;
        let (rest, parsed) = X509Certificate::from_der(&der)
            .map_err(|error| CertificateError::Structure(error.to_string()))?;
        if !rest.is_empty() {
            return Err(DerError::Trailing.into());
        }
        if parsed.version() != X509Version::V3 {
            return Err(CertificateError::Version(parsed.version().0.saturating_add(1)));
        }
        if parsed.issuer_uid.is_some() || parsed.subject_uid.is_some() {
            return Err(CertificateError::UniqueIdentifier);
        }
        if skeleton.inner_algorithm != skeleton.outer_algorithm {
            return Err(CertificateError::InnerAlgorithm);
        }
        check_serial(parsed.raw_serial())?;
        check_name(parsed.issuer().as_raw()).map_err(|_| CertificateError::Name)?;
        check_name(parsed.subject().as_raw()).map_err(|_| CertificateError::Name)?;
        let not_before = time(&parsed.validity().not_before)?;
        let not_after = time(&parsed.validity().not_after)?;
        if not_before > not_after {
            return Err(CertificateError::Validity);
        }
        let extensions = Extensions::read(parsed.extensions())?;
        let nameless = |name: &X509Name<'_>| name.iter_rdn().next().is_none();
        if nameless(parsed.issuer()) || (extensions.is_ca && nameless(parsed.subject())) {
            return Err(CertificateError::EmptyName);
        }
        webpki::EndEntityCert::try_from(&CertificateDer::from(&der[..]))
            .map_err(|error| CertificateError::Structure(error.to_string()))?;
        Ok(Self {
            subject: parsed.subject().as_raw().to_vec(),
            issuer: parsed.issuer().as_raw().to_vec(),
            subject_text: name_text(parsed.subject()),
            issuer_text: name_text(parsed.issuer()),
            serial: parsed.raw_serial().to_vec(),
            not_before,
            not_after,
            spki: parsed.public_key().raw.to_vec(),
            is_ca: extensions.is_ca,
            key_usage: extensions.key_usage,
            extended_key_usages: extensions.extended_key_usages,
            policies: extensions.policies,
            qc_statements: extensions.qc_statements,
            crl_points: extensions.crl_points,
            ocsp_urls: extensions.ocsp_urls,
            ocsp_no_check: extensions.ocsp_no_check,
            signature_algorithm: skeleton.outer_algorithm.to_vec(),
            strength: OnceLock::new(),
            der: CertificateDer::from(der),
        })
    }

    /// Whether its key is strong enough; judged at the first call.
    pub(super) fn strength(&self) -> Result<(), PublicKeyError> {
        let judge = || Ok(strength::check(spki::read(&self.spki)?)?);
        *self.strength.get_or_init(judge)
    }
}

/// The parts of a certificate that the parsers do not show as they were written.
struct Skeleton<'a> {
    inner_algorithm: &'a [u8],
    outer_algorithm: &'a [u8],
}

impl<'a> Skeleton<'a> {
    /// `Certificate` and `TBSCertificate` of RFC 5280 section 4.1.
    fn read(der: &'a [u8]) -> Result<Self, DerError> {
        let mut certificate = Reader::new(der::check(der)?.content);
        let mut signed = Reader::new(certificate.take(SEQUENCE)?.content);
        let outer_algorithm = certificate.take(SEQUENCE)?.content;
        let mut value = signed.next()?;
        if value.tag != 0x02 {
            // The version comes before the serial number.
            value = signed.next()?;
        }
        if value.tag != 0x02 {
            return Err(DerError::Tag);
        }
        let inner_algorithm = signed.take(SEQUENCE)?.content;
        signed.take(SEQUENCE)?;
        let mut validity = Reader::new(signed.take(SEQUENCE)?.content);
        for _ in 0..2 {
            let time = validity.next()?;
            if !matches!(time.tag, UTC_TIME | GENERALIZED_TIME) {
                return Err(DerError::Tag);
            }
        }
        if !validity.at_end() {
            return Err(DerError::Trailing);
        }
        Ok(Self { inner_algorithm, outer_algorithm })
    }
}

/// The extensions that are read, whether critical or not.
#[derive(Default)]
struct Extensions {
    is_ca: bool,
    key_usage: Option<KeyUsage>,
    extended_key_usages: Option<Vec<String>>,
    policies: Option<Vec<String>>,
    qc_statements: QcStatements,
    crl_points: Vec<String>,
    ocsp_urls: Vec<String>,
    ocsp_no_check: bool,
    constrains_names: bool,
}

impl Extensions {
    fn read(extensions: &[X509Extension<'_>]) -> Result<Self, CertificateError> {
        let mut read = Self::default();
        let mut seen = Vec::new();
        for extension in extensions {
            let oid = extension.oid.to_id_string();
            if seen.contains(&oid) {
                return Err(CertificateError::DuplicateExtension(oid));
            }
            if extension.critical && !PROCESSED.contains(&oid.as_str()) {
                return Err(CertificateError::UnknownCritical(oid));
            }
            if !extension.critical && MUST_BE_CRITICAL.contains(&oid.as_str()) {
                return Err(CertificateError::NotCritical(oid));
            }
            read.take(extension, &oid)?;
            seen.push(oid);
        }
        if read.constrains_names && !read.is_ca {
            return Err(CertificateError::NameConstraints);
        }
        Ok(read)
    }

    fn take(&mut self, extension: &X509Extension<'_>, oid: &str) -> Result<(), CertificateError> {
        let malformed = || CertificateError::Extension(oid.to_owned());
        // Private extensions may hold anything; those of the standard hold one DER value.
        if oid.starts_with("2.5.29.") || oid.starts_with("1.3.6.1.5.5.7.1.") {
            // The parser of key usages looks at the number of the tag only.
            let value = der::check(extension.value).map_err(|_| malformed())?;
            if value.tag & der::CLASS != 0 {
                return Err(malformed());
            }
        }
        if oid == QC_STATEMENTS {
            self.qc_statements = QcStatements::read(extension.value).map_err(|_| malformed())?;
        }
        self.ocsp_no_check |= oid == OCSP_NO_CHECK;
        match extension.parsed_extension() {
            ParsedExtension::ParseError { .. } => return Err(malformed()),
            ParsedExtension::BasicConstraints(constraints) => {
                self.is_ca = constraints.ca;
                if constraints.ca && !extension.critical {
                    return Err(CertificateError::NotCritical(oid.to_owned()));
                }
            }
            ParsedExtension::NameConstraints(names) => {
                let some = |trees: &Option<Vec<_>>| trees.as_ref().is_some_and(|it| !it.is_empty());
                if !some(&names.permitted_subtrees) && !some(&names.excluded_subtrees) {
                    return Err(CertificateError::NameConstraints);
                }
                self.constrains_names = true;
            }
            ParsedExtension::KeyUsage(usage) => self.key_usage = Some(*usage),
            ParsedExtension::ExtendedKeyUsage(_) => {
                self.extended_key_usages =
                    Some(object_identifiers(extension.value).ok_or_else(malformed)?);
            }
            ParsedExtension::CertificatePolicies(policies) => {
                let policies = policies.iter().map(|policy| policy.policy_id.to_id_string());
                self.policies = Some(policies.collect());
            }
            ParsedExtension::CRLDistributionPoints(points) => {
                let names = points.points.iter().filter_map(|point| {
                    match point.distribution_point.as_ref()? {
                        DistributionPointName::FullName(names) => Some(names),
                        DistributionPointName::NameRelativeToCRLIssuer(_) => None,
                    }
                });
                self.crl_points = names.flatten().map(point_name).collect();
            }
            ParsedExtension::AuthorityInfoAccess(access) => {
                let ocsp =
                    access.iter().filter(|it| it.access_method.to_id_string() == ACCESS_OCSP);
                let urls = ocsp.filter_map(|it| match it.access_location {
                    GeneralName::URI(url) => Some(url.to_owned()),
                    _ => None,
                });
                self.ocsp_urls = urls.collect();
            }
            ParsedExtension::SubjectAlternativeName(names) => {
                let invalid = |name: &_| matches!(name, GeneralName::Invalid(..));
                if names.general_names.iter().any(invalid) {
                    return Err(malformed());
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// The members of a SEQUENCE OF OBJECT IDENTIFIER, dotted.
pub(super) fn object_identifiers(value: &[u8]) -> Option<Vec<String>> {
    let (rest, identifiers) = <Vec<x509_parser::der_parser::Oid<'_>>>::from_der(value).ok()?;
    let dotted = identifiers.iter().map(x509_parser::der_parser::Oid::to_id_string).collect();
    rest.is_empty().then_some(dotted)
}

/// A name of a CRL distribution point in a form that can be compared.
pub(super) fn point_name(name: &GeneralName<'_>) -> String {
    match name {
        GeneralName::URI(uri) => (*uri).to_owned(),
        GeneralName::DirectoryName(name) => format!("directory:{}", hex(name.as_raw())),
        other => other.to_string(),
    }
}

/// Holds that a `Name` is one for every reader: some pass over attributes that others refuse.
fn check_name(name: &[u8]) -> Result<(), DerError> {
    let mut sets = Reader::new(Reader::new(name).take(SEQUENCE)?.content);
    while !sets.at_end() {
        let mut attributes = Reader::new(sets.take(der::SET)?.content);
        // A set has at least one attribute.
        loop {
            let mut attribute = Reader::new(attributes.take(SEQUENCE)?.content);
            attribute.take(der::OBJECT_IDENTIFIER)?;
            if !der::TEXTS.contains(&attribute.next()?.tag) {
                return Err(DerError::Tag);
            }
            if !attribute.at_end() {
                return Err(DerError::Trailing);
            }
            if attributes.at_end() {
                break;
            }
        }
    }
    Ok(())
}

fn check_serial(serial: &[u8]) -> Result<(), CertificateError> {
    let positive = serial.iter().any(|&octet| octet != 0) && serial[0] & 0x80 == 0;
    if positive && serial.len() <= SERIAL_OCTETS_MAX {
        Ok(())
    } else {
        Err(CertificateError::Serial)
    }
}

/// Years through 2049 are `UTCTime`, later ones `GeneralizedTime` (RFC 5280 section 4.1.2.5); the
/// encoding check has already refused fractions and offsets.
fn time(time: &ASN1Time) -> Result<Timestamp, CertificateError> {
    let generalized = time.to_datetime().year() >= 2050;
    if generalized == time.is_generalizedtime() {
        Ok(Timestamp::from_seconds(time.timestamp()))
    } else {
        Err(CertificateError::Time)
    }
}

/// A name for people: control characters are escaped, so that it can stand in a log or a terminal.
pub(super) fn name_text(name: &X509Name<'_>) -> String {
    printable(&name.to_string())
}

/// Text with control characters and what reorders text escaped, shortened where it is absurd.
pub(super) fn printable(text: &str) -> String {
    const CHARACTERS_MAX: usize = 300;
    let mut shown = String::new();
    for character in text.chars().take(CHARACTERS_MAX) {
        let reorders = matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
        if character.is_control() || reorders {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, octet| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{octet:02x}");
        text
    })
}
