//! A certificate in plain words, for `portvakt cert inspect`.
//!
//! Nothing is judged here, and what is refused elsewhere is shown as far as it can be read: whoever
//! inspects a certificate often does so because it was refused.

use serde::Serialize;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{DistributionPointName, ParsedExtension};
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey as ParsedKey;

use crate::clock::Timestamp;
use crate::pki::certificate::{
    CertificateError, hex, name_text, object_identifiers, point_name, printable,
};
use crate::pki::spki::{self, PublicNumbers};
use crate::pki::strength;
use crate::pki::subject;

/// What a certificate says, as text.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct CertificateDescription {
    /// Whose it is.
    pub subject: String,
    /// Who issued it.
    pub issuer: String,
    /// Its serial number in hexadecimal.
    pub serial_number: String,
    /// The first moment of its validity, RFC 3339.
    pub not_before: String,
    /// The last moment of its validity, RFC 3339.
    pub not_after: String,
    /// The type of its key, and why it would be refused if it would.
    pub key: String,
    /// Whether it is an authority's.
    pub authority: bool,
    /// Its certificate policies, dotted.
    pub policies: Vec<String>,
    /// Its key usages; empty if it has none.
    pub key_usage: String,
    /// Its extended key usages, dotted.
    pub extended_key_usages: Vec<String>,
    /// The values of organizationIdentifier and serialNumber in its subject.
    pub organization_numbers: Vec<String>,
    /// Where its revocation lists are published.
    pub crl_distribution_points: Vec<String>,
}

/// Describes a certificate in DER.
///
/// # Errors
///
/// [`CertificateError::Structure`] if it cannot be read at all.
pub fn describe(der: &[u8]) -> Result<CertificateDescription, CertificateError> {
    let (_, certificate) = X509Certificate::from_der(der)
        .map_err(|error| CertificateError::Structure(error.to_string()))?;
    let moment = |seconds| Timestamp::from_seconds(seconds).to_string();
    let mut description = CertificateDescription {
        subject: name_text(certificate.subject()),
        issuer: name_text(certificate.issuer()),
        serial_number: hex(certificate.raw_serial()),
        not_before: moment(certificate.validity().not_before.timestamp()),
        not_after: moment(certificate.validity().not_after.timestamp()),
        key: describe_key(&certificate),
        organization_numbers: subject::mentioned(certificate.subject()),
        ..CertificateDescription::default()
    };
    for extension in certificate.extensions() {
        match extension.parsed_extension() {
            ParsedExtension::BasicConstraints(constraints) => {
                description.authority = constraints.ca;
            }
            ParsedExtension::CertificatePolicies(policies) => {
                let policies = policies.iter().map(|policy| policy.policy_id.to_id_string());
                description.policies = policies.collect();
            }
            ParsedExtension::KeyUsage(usage) => description.key_usage = usage.to_string(),
            ParsedExtension::ExtendedKeyUsage(_) => {
                description.extended_key_usages =
                    object_identifiers(extension.value).unwrap_or_default();
            }
            ParsedExtension::CRLDistributionPoints(points) => {
                let names = points.points.iter().filter_map(|point| {
                    match point.distribution_point.as_ref()? {
                        DistributionPointName::FullName(names) => Some(names),
                        DistributionPointName::NameRelativeToCRLIssuer(_) => None,
                    }
                });
                let shown = names.flatten().map(|name| printable(&point_name(name)));
                description.crl_distribution_points = shown.collect();
            }
            _ => {}
        }
    }
    Ok(description)
}

fn describe_key(certificate: &X509Certificate<'_>) -> String {
    let key = certificate.public_key();
    let bits = match key.parsed() {
        Ok(ParsedKey::RSA(rsa)) => rsa.key_size(),
        _ => 0,
    };
    let material = match spki::read(key.raw) {
        Ok(material) => material,
        Err(error) => return format!("refused: {error}"),
    };
    let kind = match material {
        PublicNumbers::Ed25519(_) => "Ed25519".to_owned(),
        PublicNumbers::P256(_) => "EC P-256".to_owned(),
        PublicNumbers::P384(_) => "EC P-384".to_owned(),
        PublicNumbers::Rsa { .. } => format!("RSA {bits} bits"),
    };
    match strength::check(material) {
        Ok(()) => kind,
        Err(weakness) => format!("{kind}, refused: {weakness}"),
    }
}
