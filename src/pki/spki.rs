//! Reading a `SubjectPublicKeyInfo` (RFC 5280 section 4.1.2.7) in the few forms that are accepted.
//!
//! Each form has one spelling of its algorithm identifier, compared byte for byte, so that explicit
//! curve parameters, id-RSASSA-PSS keys, DSA and the rest are unknown here and go no further.

use crate::pki::der::{self, DerError, Reader, SEQUENCE};
use crate::pki::public_key::PublicKeyError;

/// rsaEncryption with NULL parameters (RFC 3279 section 2.3.1).
const RSA: &[u8] =
    &[0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
/// id-ecPublicKey with the named curve secp256r1 (RFC 5480 section 2.1.1).
const P256: &[u8] = &[
    0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
    0xce, 0x3d, 0x03, 0x01, 0x07,
];
/// id-ecPublicKey with the named curve secp384r1 (RFC 5480 section 2.1.1).
const P384: &[u8] = &[
    0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04,
    0x00, 0x22,
];
/// id-Ed25519 without parameters (RFC 8410 section 3).
const ED25519: &[u8] = &[0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70];

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;

/// The numbers of a public key, not yet judged.
#[derive(Clone, Copy, Debug)]
pub enum PublicNumbers<'a> {
    /// An Edwards point in its 32 bytes.
    Ed25519(&'a [u8]),
    /// A point on P-256 as it stands in the key.
    P256(&'a [u8]),
    /// A point on P-384 as it stands in the key.
    P384(&'a [u8]),
    /// Big-endian numbers without leading zeros.
    Rsa {
        /// `n`.
        modulus: &'a [u8],
        /// `e`.
        exponent: &'a [u8],
    },
}

impl<'a> PublicNumbers<'a> {
    /// The numbers of a key, which may be of any strength.
    pub fn of_spki(spki: &'a [u8]) -> Result<Self, PublicKeyError> {
        read(spki)
    }
}

/// Takes a `SubjectPublicKeyInfo` apart.
pub(super) fn read(spki: &[u8]) -> Result<PublicNumbers<'_>, PublicKeyError> {
    let mut members = Reader::new(der::check(spki)?.content);
    let algorithm = members.take(SEQUENCE)?.whole;
    let bits = members.take(BIT_STRING)?.content;
    // The first octet counts the unused bits of the last one.
    let Some((0, key)) = bits.split_first().map(|(&unused, key)| (unused, key)) else {
        return Err(DerError::Value.into());
    };
    if !members.at_end() {
        return Err(DerError::Trailing.into());
    }
    match algorithm {
        RSA => read_rsa(key),
        P256 => Ok(PublicNumbers::P256(key)),
        P384 => Ok(PublicNumbers::P384(key)),
        ED25519 => Ok(PublicNumbers::Ed25519(key)),
        _ => Err(PublicKeyError::UnknownKeyType),
    }
}

/// `RSAPublicKey` (RFC 8017 section A.1.1).
fn read_rsa(key: &[u8]) -> Result<PublicNumbers<'_>, PublicKeyError> {
    let value = der::check(key)?;
    if value.tag != SEQUENCE {
        return Err(DerError::Tag.into());
    }
    let mut members = Reader::new(value.content);
    let modulus = positive(members.take(INTEGER)?.content)?;
    let exponent = positive(members.take(INTEGER)?.content)?;
    if !members.at_end() {
        return Err(DerError::Trailing.into());
    }
    Ok(PublicNumbers::Rsa { modulus, exponent })
}

/// The octets of a positive integer, without the one that only keeps the sign away.
fn positive(content: &[u8]) -> Result<&[u8], PublicKeyError> {
    match content {
        [0x00, rest @ ..] if !rest.is_empty() => Ok(rest),
        [first, ..] if *first < 0x80 && *first != 0 => Ok(content),
        _ => Err(DerError::Value.into()),
    }
}
