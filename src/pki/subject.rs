//! Whose certificate it is: the organization number in a subject.
//!
//! A number counts only where the authorities vouch for it: in `organizationIdentifier` (ETSI EN 319
//! 412-1 section 5.1.4), or in `serialNumber` in certificates of the older profile. Common name,
//! organization name, unit, alternative names and anything printed never say whose it is. Attributes
//! are found by their identifiers in the parsed name, whatever their order or grouping.

use x509_parser::asn1_rs::Tag;
use x509_parser::prelude::FromDer;
use x509_parser::x509::{AttributeTypeAndValue, X509Name};

use crate::domain::european_business::BusinessNames;
use crate::domain::organization::OrganizationNumber;
use crate::domain::organization_identifier::OrganizationIdentifier;
use crate::pki::certificate::printable;
use crate::pki::error::PkiError;
use crate::pki::trust_set::SerialNumberRule;

const ORGANIZATION_IDENTIFIER: &str = "2.5.4.97";
const SERIAL_NUMBER: &str = "2.5.4.5";
const COMMON_NAME: &str = "2.5.4.3";
const COUNTRY_NAME: &str = "2.5.4.6";
const ORGANIZATION_NAME: &str = "2.5.4.10";
const ORGANIZATIONAL_UNIT_NAME: &str = "2.5.4.11";
/// Surname, given name and pseudonym: what a natural person is named by (EN 319 412-2 section 4.2.4).
const OF_PERSONS: [&str; 3] = ["2.5.4.4", "2.5.4.42", "2.5.4.65"];

/// National trade register, Norway.
const PREFIX: &str = "NTRNO-";

/// The organization of a subject, given as the bytes of its `Name`.
pub fn organization_number(
    subject: &[u8],
    rule: SerialNumberRule,
) -> Result<OrganizationNumber, PkiError> {
    let missing = |_| PkiError::OrganizationMissing;
    let (_, subject) = X509Name::from_der(subject).map_err(missing)?;
    let identifiers = values(&subject, ORGANIZATION_IDENTIFIER);
    let serial_numbers = values(&subject, SERIAL_NUMBER);
    match (&identifiers[..], &serial_numbers[..], rule) {
        ([], [], _) | ([], _, SerialNumberRule::Ignore) => Err(PkiError::OrganizationMissing),
        ([], [serial_number], SerialNumberRule::Accept) => from_serial_number(serial_number),
        ([], _, SerialNumberRule::Accept) => Err(PkiError::OrganizationConflict {
            detail: "it has more than one serialNumber".to_owned(),
        }),
        ([identifier], _, _) => {
            let number = from_identifier(identifier)?;
            agree(number, &serial_numbers)?;
            Ok(number)
        }
        _ => Err(PkiError::OrganizationConflict {
            detail: "it has more than one organizationIdentifier".to_owned(),
        }),
    }
}

/// The identifier of the organization of any country that a subject names; other attributes do not count.
pub fn organization_identifier(subject: &[u8]) -> Result<OrganizationIdentifier, PkiError> {
    let missing = |_| PkiError::OrganizationMissing;
    let (_, subject) = X509Name::from_der(subject).map_err(missing)?;
    let identifiers = values(&subject, ORGANIZATION_IDENTIFIER);
    let [identifier] = identifiers[..] else {
        return Err(if identifiers.is_empty() {
            PkiError::OrganizationMissing
        } else {
            PkiError::OrganizationConflict {
                detail: "it has more than one organizationIdentifier".to_owned(),
            }
        });
    };
    text(identifier).and_then(|text| text.parse().ok()).ok_or_else(|| {
        PkiError::OrganizationMalformed {
            attribute: "organizationIdentifier (2.5.4.97)",
            found: shown(identifier),
            expected: "a register, a country and a number there, such as NTRSE-5560360793",
        }
    })
}

/// The names that a subject has beside the identifier. They are told and decide nothing, so one that is there more than
/// once, or is no text that can be shown as it is, is left out.
pub(super) fn names(subject: &[u8]) -> BusinessNames {
    let Ok((_, subject)) = X509Name::from_der(subject) else { return BusinessNames::default() };
    let only = |oid| match values(&subject, oid)[..] {
        [attribute] => text(attribute).filter(|it| !it.is_empty() && printable(it) == *it),
        _ => None,
    };
    let name = |oid| only(oid).map(str::to_owned);
    BusinessNames {
        common_name: name(COMMON_NAME),
        organization_name: name(ORGANIZATION_NAME),
        organizational_unit_name: name(ORGANIZATIONAL_UNIT_NAME),
        country_name: name(COUNTRY_NAME),
    }
}

/// Whether a subject is a natural person, or may be one because it cannot be read.
pub(super) fn names_person(subject: &[u8]) -> bool {
    let Ok((_, subject)) = X509Name::from_der(subject) else { return true };
    OF_PERSONS.iter().any(|oid| !values(&subject, oid).is_empty())
}

/// Every organization number that a subject could be read as naming, right or wrong: for people.
pub(super) fn mentioned(subject: &X509Name<'_>) -> Vec<String> {
    [ORGANIZATION_IDENTIFIER, SERIAL_NUMBER]
        .into_iter()
        .flat_map(|oid| values(subject, oid))
        .map(|attribute| shown(attribute))
        .collect()
}

fn values<'a, 'n>(name: &'a X509Name<'n>, oid: &str) -> Vec<&'a AttributeTypeAndValue<'n>> {
    name.iter_attributes().filter(|attribute| attribute.attr_type().to_id_string() == oid).collect()
}

fn from_identifier(attribute: &AttributeTypeAndValue<'_>) -> Result<OrganizationNumber, PkiError> {
    text(attribute)
        .and_then(|text| text.strip_prefix(PREFIX))
        .and_then(|number| number.parse().ok())
        .ok_or_else(|| PkiError::OrganizationMalformed {
            attribute: "organizationIdentifier (2.5.4.97)",
            found: shown(attribute),
            expected: "NTRNO- and a valid organization number",
        })
}

fn from_serial_number(
    attribute: &AttributeTypeAndValue<'_>,
) -> Result<OrganizationNumber, PkiError> {
    text(attribute).and_then(|number| number.parse().ok()).ok_or_else(|| {
        PkiError::OrganizationMalformed {
            attribute: "serialNumber (2.5.4.5)",
            found: shown(attribute),
            expected: "a valid organization number",
        }
    })
}

/// A `serialNumber` of nine digits names an organization too, and must name the same one. One that
/// cannot be read could be hiding another number.
fn agree(
    number: OrganizationNumber,
    serial_numbers: &[&AttributeTypeAndValue<'_>],
) -> Result<(), PkiError> {
    for attribute in serial_numbers {
        let other = match text(attribute) {
            Some(text) => {
                let names = text.len() == 9 && text.bytes().all(|b| b.is_ascii_digit());
                names && text != number.as_str()
            }
            None => true,
        };
        if other {
            return Err(PkiError::OrganizationConflict {
                detail: format!(
                    "organizationIdentifier is {PREFIX}{number} and serialNumber is {}",
                    shown(attribute)
                ),
            });
        }
    }
    Ok(())
}

/// The text of an attribute in one of the two types that identity may be written in (RFC 5280
/// section 4.1.2.4); the others have readings that differ between programs.
fn text<'n>(attribute: &AttributeTypeAndValue<'n>) -> Option<&'n str> {
    let readable = matches!(attribute.attr_value().tag(), Tag::Utf8String | Tag::PrintableString);
    if readable { attribute.as_str().ok() } else { None }
}

fn shown(attribute: &AttributeTypeAndValue<'_>) -> String {
    match text(attribute) {
        Some(text) => format!("\"{}\"", printable(text)),
        None => format!("in the string type {}", attribute.attr_value().tag().0),
    }
}
