//! E-mail addresses, as people register with them and as mail is sent to them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::domain::organization::EmailDomain;

/// The longest part before the `@`, in characters (RFC 5321 section 4.5.3.1.1).
const LOCAL_CHARACTERS_MAX: usize = 64;

/// The longest address, in characters: a path of 256 less its angle brackets (RFC 5321 section 4.5.3.1.3).
const ADDRESS_CHARACTERS_MAX: usize = 254;

/// The address of one person or one point of contact: `local@domain` without comments, quotes and names. In lower
/// case: no server that matters tells letters of different case apart, and one person must not become two.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress {
    text: String,
    domain: EmailDomain,
}

/// The text is not an e-mail address.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error(
    "an e-mail address is written as name@example.no, without spaces, quotes and national letters"
)]
pub struct EmailAddressError;

impl EmailAddress {
    /// The address, in lower case.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What stands before the `@`.
    pub fn local_part(&self) -> &str {
        self.text.split('@').next().unwrap_or_default()
    }

    /// What stands after the `@`.
    pub fn domain(&self) -> &EmailDomain {
        &self.domain
    }
}

impl FromStr for EmailAddress {
    type Err = EmailAddressError;

    /// Reads an address whose local part is a dot-string of RFC 5321 section 4.1.2.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (local, domain) = text.split_once('@').ok_or(EmailAddressError)?;
        let domain: EmailDomain = domain.parse().map_err(|_| EmailAddressError)?;
        let atom = |atom: &str| !atom.is_empty() && atom.bytes().all(is_atom_text);
        let is_long = local.len() > LOCAL_CHARACTERS_MAX || text.len() > ADDRESS_CHARACTERS_MAX;
        if is_long || !local.split('.').all(atom) {
            return Err(EmailAddressError);
        }
        Ok(Self { text: format!("{}@{domain}", local.to_ascii_lowercase()), domain })
    }
}

impl TryFrom<String> for EmailAddress {
    type Error = EmailAddressError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<EmailAddress> for String {
    fn from(address: EmailAddress) -> Self {
        address.text
    }
}

/// `atext` of RFC 5322 section 3.2.3.
fn is_atom_text(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte)
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_address_is_one_person_at_one_domain_and_carries_nothing_else() {
        let address: EmailAddress = "Kari.Nordmann+api@Etat.Example".parse().unwrap();
        assert_eq!(address.as_str(), "kari.nordmann+api@etat.example");
        assert_eq!(address.local_part(), "kari.nordmann+api");
        assert_eq!(address.domain().as_str(), "etat.example");
        for text in [
            "",
            "kari",
            "@etat.example",
            "kari@",
            "kari@etat",
            "kari@@etat.example",
            "kari@etat.example, ola@etat.example",
            "kari@etat.example\r\nBcc: ola@etat.example",
            "kari\r\n@etat.example",
            "Kari <kari@etat.example>",
            "\"kari nordmann\"@etat.example",
            ".kari@etat.example",
            "kari..n@etat.example",
            "k\u{e5}re@etat.example",
            "kari@[127.0.0.1]",
            "kari@127.0.0.1",
            "kari@a@etat.example",
            "kari(comment)@etat.example",
            "<kari@etat.example>",
            "kari@etat.example;ola@etat.example",
            " kari@etat.example",
            "kari@etat.example ",
            "kari\r\nRCPT TO:<ola@etat.example>@etat.example",
            "kari\0@etat.example",
            "kari@\u{e5}s.no",
            "kari@etat.example.",
        ] {
            assert_eq!(text.parse::<EmailAddress>(), Err(EmailAddressError), "{text:?}");
        }
        assert!(format!("{}@etat.example", "a".repeat(65)).parse::<EmailAddress>().is_err());
        let long = format!("a@{}.no", ["b".repeat(63).as_str(); 4].join("."));
        assert!(long.parse::<EmailAddress>().is_err());
    }

    proptest! {
        #[test]
        fn no_address_holds_what_a_header_or_a_mail_server_would_read(
            text in "[a-z.@\"<>()\\r\\n ,;:\\\\\\[\\]åß0-9]{0,40}"
        ) {
            if let Ok(address) = text.parse::<EmailAddress>() {
                prop_assert!(address.as_str().bytes().all(|b| b.is_ascii_graphic()));
                prop_assert!(!address.as_str().contains(['"', '<', '>', '(', ')', ',', ';', ':', '\\', '[', ']']));
                prop_assert_eq!(address.as_str().matches('@').count(), 1);
            }
        }
    }
}
