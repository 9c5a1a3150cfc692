//! The entries of a list, one after the other (`revokedCertificates` of RFC 5280 section 5.1).
//!
//! A list of a million entries has forty megabytes, and a tree of all of them has ten times as much. So they are read
//! in place, each only once, and nothing of them is kept but number and reason.

use x509_parser::der_parser::Oid;

use crate::pki::der::{DerError, GENERALIZED_TIME, Reader, SEQUENCE, UTC_TIME, Value};

const INTEGER: u8 = 0x02;
const BOOLEAN: u8 = 0x01;
const OCTET_STRING: u8 = 0x04;
const OBJECT_IDENTIFIER: u8 = 0x06;
const ENUMERATED: u8 = 0x0a;

/// reasonCode (2.5.29.21) and invalidityDate (2.5.29.24), the extensions that are processed.
const REASON_CODE: &[u8] = &[0x55, 0x1d, 0x15];
const INVALIDITY_DATE: &[u8] = &[0x55, 0x1d, 0x18];

/// The code that takes a certificate off the list (RFC 5280 section 5.3.1).
pub(super) const REMOVE_FROM_CRL: u8 = 8;

/// The reasons of RFC 5280 section 5.3.1, by code; 7 is not used.
const REASONS: [&str; 11] = [
    "unspecified",
    "keyCompromise",
    "cACompromise",
    "affiliationChanged",
    "superseded",
    "cessationOfOperation",
    "certificateHold",
    "unspecified",
    "removeFromCRL",
    "privilegeWithdrawn",
    "aACompromise",
];

/// One entry.
pub(super) struct Entry<'a> {
    pub(super) serial: &'a [u8],
    /// The code of the reason; 0 where none is given, or none that is known.
    pub(super) reason: u8,
    /// An extension that is critical and not processed, dotted.
    pub(super) unprocessed: Option<String>,
}

/// The word for a reason.
pub(in crate::pki) fn reason_text(code: u8) -> &'static str {
    REASONS.get(usize::from(code)).copied().unwrap_or(REASONS[0])
}

/// Reads an entry.
pub(super) fn read(entry: Value<'_>) -> Result<Entry<'_>, DerError> {
    if entry.tag != SEQUENCE {
        return Err(DerError::Tag);
    }
    let mut members = Reader::new(entry.content);
    let serial = members.take(INTEGER)?.content;
    if serial.is_empty() {
        return Err(DerError::Value);
    }
    if !matches!(members.next()?.tag, UTC_TIME | GENERALIZED_TIME) {
        return Err(DerError::Tag);
    }
    let mut read = Entry { serial, reason: 0, unprocessed: None };
    if !members.at_end() {
        let mut extensions = Reader::new(members.take(SEQUENCE)?.content);
        while !extensions.at_end() {
            read.take(extensions.take(SEQUENCE)?.content)?;
        }
    }
    if members.at_end() { Ok(read) } else { Err(DerError::Trailing) }
}

impl Entry<'_> {
    fn take(&mut self, extension: &[u8]) -> Result<(), DerError> {
        let mut members = Reader::new(extension);
        let identifier = members.take(OBJECT_IDENTIFIER)?.content;
        let mut value = members.next()?;
        let mut is_critical = false;
        if value.tag == BOOLEAN {
            is_critical = value.content.iter().any(|&octet| octet != 0);
            value = members.next()?;
        }
        if value.tag != OCTET_STRING {
            return Err(DerError::Tag);
        }
        if !members.at_end() {
            return Err(DerError::Trailing);
        }
        if identifier == REASON_CODE {
            self.reason = match value.content {
                &[ENUMERATED, 1, code] if usize::from(code) < REASONS.len() => code,
                // Whatever the reason, it is on the list.
                _ => 0,
            };
        } else if is_critical && identifier != INVALIDITY_DATE {
            self.unprocessed = Some(Oid::new(identifier.into()).to_id_string());
        }
        Ok(())
    }
}
