//! The identifier of an organization of any country, as certificates for seals write it.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use thiserror::Error;

/// What `organizationIdentifier` of a certificate says (ETSI EN 319 412-1 section 5.1.4): which register, of which
/// country, and the number there, as in `NTRSE-5560360793`. It is kept and shown letter for letter.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct OrganizationIdentifier(String);

/// Why a text is not an organization identifier.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error(
    "an organization identifier is NTR, VAT, PSD or LEI, two capital letters of a country, a hyphen, and 1 to 64 letters, digits and ._-/&+:"
)]
pub struct OrganizationIdentifierError;

/// National trade register, value added tax, payment services directive, and the global identifier of ISO 17442.
const REGISTERS: [&str; 4] = ["NTR", "VAT", "PSD", "LEI"];

/// Longer than the number of any register; X.520 lets attributes of a name have 64 characters.
const NUMBER_LENGTH_MAX: usize = 64;

impl OrganizationIdentifier {
    /// All of it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The two letters of the country whose register it is; `XG` for the global one.
    pub fn country(&self) -> &str {
        // The constructor lets nothing through that is not ASCII.
        &self.0[3..5]
    }
}

impl FromStr for OrganizationIdentifier {
    type Err = OrganizationIdentifierError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_known = REGISTERS.iter().any(|register| text.starts_with(register));
        let country = text.as_bytes().get(3..5).unwrap_or_default();
        let is_country = country.len() == 2 && country.iter().all(u8::is_ascii_uppercase);
        let number = text.as_bytes().get(6..).unwrap_or_default();
        let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-/&+:".contains(byte);
        let is_number = (1..=NUMBER_LENGTH_MAX).contains(&number.len()) && number.iter().all(fits);
        if is_known && is_country && text.as_bytes().get(5) == Some(&b'-') && is_number {
            Ok(Self(text.to_owned()))
        } else {
            Err(OrganizationIdentifierError)
        }
    }
}

impl fmt::Display for OrganizationIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_of_registers_are_kept_letter_for_letter() {
        for (text, country) in [
            ("NTRNO-991825827", "NO"),
            ("NTRSE-5560360793", "SE"),
            ("VATBE-0876866142", "BE"),
            ("PSDPL-PFSA-1234567890", "PL"),
            ("LEIXG-529900T8BM49AURSDO55", "XG"),
            ("NTRDE-HRB 1".replace(' ', "").as_str(), "DE"),
        ] {
            let identifier: OrganizationIdentifier = text.parse().unwrap();
            assert_eq!((identifier.as_str(), identifier.country()), (text, country));
        }
    }

    #[test]
    fn what_no_register_writes_is_refused() {
        for text in [
            "",
            "NTRNO",
            "NTRNO-",
            "ntrno-991825827",
            "NTRno-991825827",
            "NTRNO:991825827",
            "NTRNO\u{2010}991825827",
            "NTRNO- 991825827",
            "NTRNO-991825827\0",
            "NTRNO-\u{661}",
            "\u{422}NTRNO-1",
            "PNONO-01010112345",
            "XXXNO-991825827",
            &format!("NTRNO-{}", "1".repeat(65)),
        ] {
            assert!(text.parse::<OrganizationIdentifier>().is_err(), "{text:?}");
        }
    }
}
