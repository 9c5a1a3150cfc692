//! Organizations and their nine-digit numbers.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The number of a Norwegian organization: nine digits, the last a modulus-11 check digit.
///
/// The first digit is not judged: synthetic test organizations use digits that the real register
/// does not.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct OrganizationNumber([u8; 9]);

/// Why a text is not an organization number.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum OrganizationNumberError {
    /// The ninth digit is not the check digit of the first eight.
    #[error("the last digit is not the modulus-11 check digit of the first eight")]
    CheckDigit,
    /// The text is not nine ASCII digits.
    #[error("an organization number is nine digits without spaces or prefix")]
    Shape,
}

impl OrganizationNumber {
    /// The digits as text.
    pub fn as_str(&self) -> &str {
        // Only ASCII digits get past the constructor.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Whether it can only be a made-up one: the real register hands out numbers that begin with 8 or 9.
    pub fn is_synthetic(&self) -> bool {
        !matches!(self.0[0], b'8' | b'9')
    }

    /// The identifier of the organization in ISO 6523 form, as tokens carry it: `0192:` names the
    /// Norwegian register.
    pub fn iso6523(&self) -> String {
        format!("0192:{self}")
    }
}

/// Weights of the modulus-11 rule for the first eight digits.
const WEIGHTS: [u32; 8] = [3, 2, 7, 6, 5, 4, 3, 2];

impl FromStr for OrganizationNumber {
    type Err = OrganizationNumberError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits: [u8; 9] =
            text.as_bytes().try_into().map_err(|_| OrganizationNumberError::Shape)?;
        if !digits.iter().all(u8::is_ascii_digit) {
            return Err(OrganizationNumberError::Shape);
        }
        let value = |digit: u8| u32::from(digit - b'0');
        let sum: u32 =
            digits.iter().zip(WEIGHTS).map(|(&digit, weight)| value(digit) * weight).sum();
        let check = (11 - sum % 11) % 11;
        if check == value(digits[8]) { Ok(Self(digits)) } else { Err(Self::Err::CheckDigit) }
    }
}

impl TryFrom<String> for OrganizationNumber {
    type Error = OrganizationNumberError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<OrganizationNumber> for String {
    fn from(number: OrganizationNumber) -> Self {
        number.as_str().to_owned()
    }
}

impl fmt::Display for OrganizationNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether an organization takes part.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OrganizationStatus {
    /// It does.
    Active,
    /// It does not: none of its clients gets a token, nobody gets one on its behalf, and it can change nothing.
    Deactivated,
}

/// An organization that owns prefixes, scopes and clients.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Organization {
    /// The number that identifies it everywhere.
    pub number: OrganizationNumber,
    /// The name people know it by.
    pub name: String,
    /// Whether it takes part.
    pub status: OrganizationStatus,
}

impl Organization {
    /// An organization that takes part.
    pub fn new(number: OrganizationNumber, name: &str) -> Self {
        Self { number, name: name.to_owned(), status: OrganizationStatus::Active }
    }
}

/// A domain of e-mail addresses that belongs to an organization: whoever has an address there belongs to it.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct EmailDomain(String);

/// The text is not a domain of e-mail addresses.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error(
    "an e-mail domain is labels of letters, digits and hyphens with dots between them, as in example.no"
)]
pub struct EmailDomainError;

impl EmailDomain {
    /// The domain, in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for EmailDomain {
    type Err = EmailDomainError;

    /// Reads a host name (RFC 1123 section 2.1) of two labels or more; letters become lower case.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let fits = text.len() <= 253 && text.contains('.') && text.split('.').all(label);
        // Numbers alone are an address, not a name.
        let is_name =
            text.rsplit('.').next().is_some_and(|last| !last.bytes().all(|b| b.is_ascii_digit()));
        if fits && is_name { Ok(Self(text.to_ascii_lowercase())) } else { Err(EmailDomainError) }
    }
}

impl fmt::Display for EmailDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_real_and_synthetic_numbers() {
        for text in ["991825827", "974760673", "310547891"] {
            let number: OrganizationNumber = text.parse().unwrap();
            assert_eq!(number.as_str(), text);
            assert_eq!(number.is_synthetic(), text.starts_with('3'));
        }
    }

    #[test]
    fn refuses_wrong_shapes_and_check_digits() {
        use OrganizationNumberError::{CheckDigit, Shape};
        for (text, reason) in [
            ("991825828", CheckDigit),
            ("99182582", Shape),
            ("9918258270", Shape),
            (" 91825827", Shape),
            ("99182582\u{0667}", Shape),
            ("0192:991825827", Shape),
            ("", Shape),
        ] {
            assert_eq!(text.parse::<OrganizationNumber>(), Err(reason), "{text:?}");
        }
    }

    #[test]
    fn eight_digits_whose_check_digit_would_be_ten_have_no_number() {
        let any =
            (0..=9).any(|digit| format!("10000013{digit}").parse::<OrganizationNumber>().is_ok());
        assert!(!any);
    }
}
