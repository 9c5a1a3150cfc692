//! Business data of an organization: where invoices go, whom to call, and who is told when something happens.
//!
//! It is one document, read and written as a whole; no decision about tokens depends on it. Its members are named as
//! our own API names them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::domain::alert::AlertKind;
use crate::domain::email_address::EmailAddress;
use crate::domain::language::Language;
use crate::domain::names::names;

/// The most contact points, and the most alert points: enough for every department, and few enough to be kept up to
/// date.
pub const POINTS_MAX: usize = 20;

/// The most lines of an address, as in invoices by EHF and on envelopes, with one to spare.
pub const ADDRESS_LINES_MAX: usize = 6;

/// All of it.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct BusinessData {
    /// Where invoices go.
    pub invoice: Invoice,
    /// Whom to call or write to.
    pub contact_points: Vec<ContactPoint>,
    /// Who is told when something happens.
    pub alert_points: Vec<AlertPoint>,
}

/// Where invoices go.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct Invoice {
    /// The postal address, line by line.
    pub address_lines: Vec<String>,
    /// For invoices by e-mail.
    pub email: Option<EmailAddress>,
    /// For invoices by EHF.
    pub peppol_id: Option<PeppolId>,
    /// What the invoice must say for the organization to know it.
    pub reference: Option<String>,
}

/// Somebody at the organization.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ContactPoint {
    /// The name of a person or of a department.
    pub name: String,
    /// For what.
    pub role: ContactRole,
    /// Their address.
    pub email: EmailAddress,
    /// Their number.
    pub phone: Option<PhoneNumber>,
}

/// What somebody is to be asked about.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ContactRole {
    /// Agreements and invoices.
    Commercial,
    /// Incidents.
    Security,
    /// Clients, keys and scopes.
    Technical,
}

names!(ContactRole {
    Commercial = "commercial",
    Security = "security",
    Technical = "technical",
});

/// An address to which alerts are mailed.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct AlertPoint {
    /// The address: better one of a team than of a person.
    pub email: EmailAddress,
    /// In which language.
    pub language: Language,
    /// Alerts of these kinds.
    pub kinds: Vec<AlertKind>,
}

/// Declares a text that is read once and is well formed from then on.
macro_rules! text {
    ($(#[$meta:meta])* $name:ident, $error:ident, $is:path) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = $error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                if $is(text) { Ok(Self(text.to_owned())) } else { Err($error) }
            }
        }

        impl TryFrom<String> for $name {
            type Error = $error;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text!(
    /// A participant of the PEPPOL network: the code of a register (ISO 6523) and an identifier in it, such as
    /// `0192:991825827` for a Norwegian organization.
    PeppolId,
    PeppolIdError,
    is_peppol_id
);

text!(
    /// A telephone number as people write it: digits, perhaps a `+` before them and spaces between them.
    PhoneNumber,
    PhoneNumberError,
    is_phone_number
);

/// The text is not a PEPPOL participant identifier.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error(
    "a PEPPOL id is the four digits of a register, a colon and up to 50 letters, digits or .-_, as in 0192:991825827"
)]
pub struct PeppolIdError;

/// The text is not a telephone number.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error(
    "a telephone number is 3 to 15 digits, perhaps with + before them and single spaces between them"
)]
pub struct PhoneNumberError;

/// PEPPOL Policy for use of identifiers, section 1.4.1: at most 50 characters after the scheme.
fn is_peppol_id(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b".-_".contains(&b);
    text.split_once(':').is_some_and(|(register, id)| {
        register.len() == 4
            && register.bytes().all(|b| b.is_ascii_digit())
            && (1..=50).contains(&id.len())
            && id.bytes().all(fits)
    })
}

/// E.164 has at most 15 digits; the short numbers of services have as few as three.
fn is_phone_number(text: &str) -> bool {
    let groups = text.strip_prefix('+').unwrap_or(text).split(' ');
    let is_group = |group: &str| !group.is_empty() && group.bytes().all(|b| b.is_ascii_digit());
    groups.clone().all(is_group) && (3..=15).contains(&groups.map(str::len).sum::<usize>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_and_numbers_are_read_strictly() {
        for text in ["0192:991825827", "0088:7315458756324", "9908:a.b-c_d"] {
            assert_eq!(text.parse::<PeppolId>().unwrap().as_str(), text);
        }
        let long = format!("0192:{}", "1".repeat(51));
        for text in ["", "0192", "0192:", "192:1", "0192: 1", "0192:å", "0192:1:2", "abcd:1", &long]
        {
            assert_eq!(text.parse::<PeppolId>(), Err(PeppolIdError), "{text:?}");
        }
        for text in ["112", "04827", "+47 22 45 10 00", "22451000"] {
            assert_eq!(text.parse::<PhoneNumber>().unwrap().as_str(), text);
        }
        for text in ["", "+", "12", "+47  22", " 112", "112 ", "1-800", "ring", "1234567890123456"]
        {
            assert_eq!(text.parse::<PhoneNumber>(), Err(PhoneNumberError), "{text:?}");
        }
    }

    #[test]
    fn documents_have_the_words_that_everybody_uses() {
        for kind in AlertKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
        for role in ContactRole::ALL {
            assert_eq!(serde_json::to_value(role).unwrap(), role.name());
        }
        for language in Language::ALL {
            assert_eq!(serde_json::to_value(language).unwrap(), language.name());
        }
        // What an older version has written has fewer members.
        assert_eq!(serde_json::from_str::<BusinessData>("{}").unwrap(), BusinessData::default());
    }
}
