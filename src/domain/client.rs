//! Clients: the machines of an organization, and the public keys they register.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::clock::Timestamp;
use crate::domain::algorithm::Algorithm;
use crate::domain::organization::OrganizationNumber;
use crate::domain::scope::ScopeName;

/// The longest client id or key id, in characters; a UUID has 36, a thumbprint 43.
pub const ID_CHARACTERS_MAX: usize = 255;

/// How the ids of European businesses' clients begin.
const EUROPEAN_PREFIX: &str = "eidas-";

/// Seconds that tokens live when nobody says otherwise, as in Maskinporten.
pub const TOKEN_LIFETIME_SECONDS: u32 = 120;

/// The identifier of a client, compared byte for byte.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ClientId(String);

/// The identifier of a client's key (`kid`), unique within the client.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct KeyId(String);

/// The text cannot be an identifier.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("an identifier is 1 to 255 letters, digits and characters of ._:-")]
pub struct IdError;

impl ClientId {
    /// The text of a UUID.
    pub fn from_uuid(bytes: [u8; 16]) -> Self {
        Self(uuid_text(bytes))
    }

    /// What tokens call the client of a European business: `eidas-` and the serial number of its certificate, given in
    /// octets, in decimal. It is a name and no key: every authority counts for itself, so certificates of two businesses
    /// may have the same.
    pub fn of_serial_number(octets: &[u8]) -> Self {
        Self(format!("{EUROPEAN_PREFIX}{}", decimal(octets)))
    }

    /// Whether it is one that only tokens for European businesses may have.
    pub fn is_european(&self) -> bool {
        self.0.starts_with(EUROPEAN_PREFIX)
    }

    /// The identifier as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A big-endian number in decimal, with no zero in front of it.
fn decimal(octets: &[u8]) -> String {
    let mut digits = vec![0_u8];
    for octet in octets {
        let mut carry = u16::from(*octet);
        for digit in &mut digits {
            carry += u16::from(*digit) << 8;
            *digit = u8::try_from(carry % 10).unwrap_or_default();
            carry /= 10;
        }
        while carry > 0 {
            digits.push(u8::try_from(carry % 10).unwrap_or_default());
            carry /= 10;
        }
    }
    digits.iter().rev().map(|digit| char::from(b'0' + digit)).collect()
}

impl KeyId {
    /// The text of a UUID (RFC 9562 section 4).
    pub fn from_uuid(bytes: [u8; 16]) -> Self {
        Self(uuid_text(bytes))
    }

    /// The identifier as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// RFC 9562 section 4.
fn uuid_text(bytes: [u8; 16]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(36);
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        let _ = write!(text, "{byte:02x}");
    }
    text
}

impl FromStr for ClientId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        read_id(text).map(Self)
    }
}

impl FromStr for KeyId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        read_id(text).map(Self)
    }
}

fn read_id(text: &str) -> Result<String, IdError> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._:-".contains(&b);
    let fits = !text.is_empty() && text.len() <= ID_CHARACTERS_MAX && text.bytes().all(allowed);
    if fits { Ok(text.to_owned()) } else { Err(IdError) }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a client can get tokens.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ClientStatus {
    /// It can.
    Active,
    /// It has been switched off; it is kept for the audit trail and can be restored.
    Deactivated,
}

impl ClientStatus {
    /// That of a client which is active, or is not.
    pub const fn of(active: bool) -> Self {
        if active { Self::Active } else { Self::Deactivated }
    }
}

/// A client as its organization has registered it.
#[derive(Clone, Debug, PartialEq)]
pub struct Client {
    /// Its identifier.
    pub id: ClientId,
    /// The organization whose machines use it.
    pub organization: OrganizationNumber,
    /// The organization that its tokens stand for when that is not its own: a supplier's client that was made
    /// for one customer. Access is the supplier's own.
    pub customer: Option<OrganizationNumber>,
    /// What people call it.
    pub name: String,
    /// Whether it can get tokens.
    pub status: ClientStatus,
    /// How long its tokens live, before any limit of a scope.
    pub token_lifetime_seconds: u32,
    /// The scopes it may ask for.
    pub scopes: Vec<ScopeName>,
    /// The keys that are registered on it and not withdrawn; with any, the client must name one by
    /// `kid` and cannot use an enterprise certificate.
    pub keys: Vec<ClientKey>,
}

/// A public key registered on a client.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientKey {
    /// Its identifier within the client.
    pub id: KeyId,
    /// The one algorithm it may be used with (RFC 8725 section 3.1).
    pub algorithm: Algorithm,
    /// The public key as a JWK document (RFC 7517).
    pub jwk: String,
    /// From this moment on it is refused with MP-121.
    pub expires_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_cannot_carry_syntax_of_other_languages() {
        for text in
            ["' OR 1=1--", "../../etc/passwd", "/dev/null", "a\0", "{{7*7}}", "a\r\nb", "", "a b"]
        {
            assert!(text.parse::<KeyId>().is_err(), "{text:?}");
            assert!(text.parse::<ClientId>().is_err(), "{text:?}");
        }
        let of = |octets: &[u8]| ClientId::of_serial_number(octets).to_string();
        assert_eq!(of(&[0x11, 0x22]), "eidas-4386");
        assert_eq!(
            of(&[0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
            "eidas-18446744073709551615"
        );
        assert_eq!(of(&[0x7f; 20]).len(), 54);
        assert_eq!(of(&[0x7f; 20]).parse(), Ok(ClientId::of_serial_number(&[0x7f; 20])));
        assert!("a".repeat(256).parse::<ClientId>().is_err());
        assert_eq!("uuid.0_A-1:b".parse::<KeyId>().unwrap().as_str(), "uuid.0_A-1:b");
    }
}
