//! The encoding rules of DER (X.690) that certificates and keys must keep.
//!
//! The certificate parsers read some encodings that are not DER, and do not always look at what is
//! left over. Two readings of the same bytes are two identities, so everything that a client sends
//! passes through here first. This file knows no certificate: only tags, lengths and values.

use thiserror::Error;

/// Deeper nesting than any certificate has; it bounds the recursion.
const DEPTH_MAX: usize = 24;

const BOOLEAN: u8 = 0x01;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
/// The tag of OCTET STRING.
pub(super) const OCTET_STRING: u8 = 0x04;
const NULL: u8 = 0x05;
/// The tag of OBJECT IDENTIFIER.
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
const UTF8_STRING: u8 = 0x0c;
const UNIVERSAL_STRING: u8 = 0x1c;
const BMP_STRING: u8 = 0x1e;

/// The tag of `UTCTime`.
pub(super) const UTC_TIME: u8 = 0x17;
/// The tag of `GeneralizedTime`.
pub(super) const GENERALIZED_TIME: u8 = 0x18;
/// The tag of SEQUENCE.
pub(super) const SEQUENCE: u8 = 0x30;
/// The tag of SET.
pub(super) const SET: u8 = 0x31;
/// The tags of the values that attributes of names have: `NumericString`, `PrintableString`, `T61String` and
/// `IA5String` besides those named above, and BIT STRING, which X.520 gives to one.
pub(super) const TEXTS: [u8; 8] =
    [BIT_STRING, UTF8_STRING, 0x12, 0x13, 0x14, 0x16, UNIVERSAL_STRING, BMP_STRING];
const CONSTRUCTED: u8 = 0x20;
/// The bits of a tag that say whose it is; none for the types of the standard.
pub(super) const CLASS: u8 = 0xc0;

/// Why bytes are not DER.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum DerError {
    /// The value is deeper than any certificate.
    #[error("values are nested more than {DEPTH_MAX} deep")]
    Depth,
    /// The length is indefinite, not the shortest form, or longer than the bytes.
    #[error("a length is indefinite, longer than needed or beyond the end")]
    Length,
    /// A tag that certificates do not use, or a form that its type does not have.
    #[error("a tag is unknown or of the wrong form")]
    Tag,
    /// Bytes follow the value.
    #[error("bytes are left over after the value")]
    Trailing,
    /// The content is not the one encoding that DER allows for it.
    #[error("a value is not in its only allowed encoding")]
    Value,
}

/// One value: its tag, its content, and all of its bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value<'a> {
    pub(super) tag: u8,
    pub(super) content: &'a [u8],
    pub(super) whole: &'a [u8],
}

/// Reads values one after the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// A reader at the start of `bytes`.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Whether everything has been read.
    pub(super) fn at_end(&self) -> bool {
        self.0.is_empty()
    }

    /// The next value.
    pub(super) fn next(&mut self) -> Result<Value<'a>, DerError> {
        let (&tag, rest) = self.0.split_first().ok_or(DerError::Length)?;
        if tag & 0x1f == 0x1f {
            return Err(DerError::Tag);
        }
        let (length, rest) = read_length(rest)?;
        let content = rest.get(..length).ok_or(DerError::Length)?;
        let header = self.0.len() - rest.len();
        let (whole, rest) = self.0.split_at(header + length);
        self.0 = rest;
        Ok(Value { tag, content, whole })
    }

    /// The next value, which must carry `tag`.
    pub(super) fn take(&mut self, tag: u8) -> Result<Value<'a>, DerError> {
        let value = self.next()?;
        if value.tag == tag { Ok(value) } else { Err(DerError::Tag) }
    }
}

/// Lengths up to 24 bits, which is more than a certificate or a CRL entry needs; a whole CRL is
/// never read through here but for its outer two headers, which may take 32 bits.
fn read_length(bytes: &[u8]) -> Result<(usize, &[u8]), DerError> {
    let (&first, rest) = bytes.split_first().ok_or(DerError::Length)?;
    if first < 0x80 {
        return Ok((usize::from(first), rest));
    }
    let count = usize::from(first & 0x7f);
    if count == 0 || count > 4 {
        return Err(DerError::Length);
    }
    let octets = rest.get(..count).ok_or(DerError::Length)?;
    let length = octets.iter().fold(0_usize, |sum, &octet| sum << 8 | usize::from(octet));
    let shortest = octets[0] != 0 && length >= 0x80;
    if shortest { Ok((length, &rest[count..])) } else { Err(DerError::Length) }
}

/// A value of that tag with these parts as its content.
pub(super) fn write(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let mut bytes = vec![tag];
    match u8::try_from(content.len()) {
        Ok(short) if short < 0x80 => bytes.push(short),
        _ => {
            let length = content.len().to_be_bytes();
            let octets = &length[length.iter().take_while(|&&octet| octet == 0).count()..];
            // A length has at most eight octets.
            bytes.push(0x80 | octets.len().to_le_bytes()[0]);
            bytes.extend(octets);
        }
    }
    bytes.extend(content);
    bytes
}

/// Checks that `bytes` are one DER value and nothing after it, all the way down.
///
/// The order of the members of a SET and encoded default values are not judged: real authorities
/// err there, and neither changes what a parser reads.
pub(super) fn check(bytes: &[u8]) -> Result<Value<'_>, DerError> {
    let mut reader = Reader::new(bytes);
    let value = reader.next()?;
    if !reader.at_end() {
        return Err(DerError::Trailing);
    }
    check_value(value, DEPTH_MAX)?;
    Ok(value)
}

fn check_value(value: Value<'_>, depth: usize) -> Result<(), DerError> {
    let universal = value.tag & CLASS == 0;
    let constructed = value.tag & CONSTRUCTED != 0;
    if universal && constructed != matches!(value.tag | CONSTRUCTED, SEQUENCE | SET) {
        return Err(DerError::Tag);
    }
    if constructed {
        let depth = depth.checked_sub(1).ok_or(DerError::Depth)?;
        let mut members = Reader::new(value.content);
        while !members.at_end() {
            check_value(members.next()?, depth)?;
        }
        return Ok(());
    }
    let allowed = match value.tag {
        BOOLEAN => matches!(value.content, [0x00 | 0xff]),
        INTEGER => is_shortest_integer(value.content),
        BIT_STRING => is_padded_with_zeros(value.content),
        NULL => value.content.is_empty(),
        OBJECT_IDENTIFIER => is_object_identifier(value.content),
        // Others refuse text that is none; a name must not exist for some and not for others.
        UTF8_STRING => std::str::from_utf8(value.content).is_ok(),
        BMP_STRING => value.content.len().is_multiple_of(2),
        UNIVERSAL_STRING => value.content.len().is_multiple_of(4),
        UTC_TIME => is_time(value.content, 12),
        GENERALIZED_TIME => is_time(value.content, 14),
        _ => true,
    };
    if allowed { Ok(()) } else { Err(DerError::Value) }
}

fn is_shortest_integer(content: &[u8]) -> bool {
    match content {
        [] => false,
        [0x00, next, ..] => next & 0x80 != 0,
        [0xff, next, ..] => next & 0x80 == 0,
        _ => true,
    }
}

fn is_padded_with_zeros(content: &[u8]) -> bool {
    match content {
        [] => false,
        [unused] => *unused == 0,
        [unused, .., last] => *unused < 8 && last & ((1_u8 << unused) - 1) == 0,
    }
}

fn is_object_identifier(content: &[u8]) -> bool {
    let ends = content.last().is_some_and(|last| last & 0x80 == 0);
    // A component does not start with padding (X.690 section 8.19.2).
    let mut starts = true;
    let unpadded = content.iter().all(|&octet| {
        let padded = starts && octet == 0x80;
        starts = octet & 0x80 == 0;
        !padded
    });
    ends && unpadded
}

/// Whole seconds, in UTC, nothing else (RFC 5280 section 4.1.2.5).
fn is_time(content: &[u8], digits: usize) -> bool {
    content.len() == digits + 1
        && content[..digits].iter().all(u8::is_ascii_digit)
        && content[digits] == b'Z'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_the_only_encoding_of_a_value() {
        for bytes in [
            &[0x30, 0x03, 0x02, 0x01, 0x05][..],
            &[0x02, 0x02, 0x00, 0x80],
            &[0x03, 0x02, 0x07, 0x80],
            &[0x01, 0x01, 0xff],
            &[0x06, 0x03, 0x55, 0x1d, 0x0f],
            b"\x17\x0d250101000000Z",
        ] {
            assert!(check(bytes).is_ok(), "{bytes:02x?}");
        }
    }

    #[test]
    fn refuses_every_other_encoding() {
        use DerError::{Length, Tag, Trailing, Value};
        for (bytes, reason) in [
            (&[0x30, 0x80, 0x00, 0x00][..], Length),
            (&[0x02, 0x81, 0x01, 0x05], Length),
            (&[0x02, 0x82, 0x00, 0x81], Length),
            (&[0x02, 0x02, 0x05], Length),
            (&[], Length),
            (&[0x1f, 0x81, 0x01, 0x00], Tag),
            (&[0x24, 0x00], Tag),
            (&[0x10, 0x00], Tag),
            (&[0x05, 0x00, 0x00], Trailing),
            (&[0x30, 0x03, 0x05, 0x00, 0x00], Length),
            (&[0x02, 0x02, 0x00, 0x05], Value),
            (&[0x02, 0x00], Value),
            (&[0x03, 0x02, 0x07, 0xc0], Value),
            (&[0x01, 0x01, 0x01], Value),
            (&[0x06, 0x02, 0x80, 0x01], Value),
            (b"\x17\x0b2501010000Z", Value),
            (b"\x0c\x02a\x80", Value),
            (b"\x1e\x03abc", Value),
            (b"\x1c\x06abcdef", Value),
            (b"\x18\x1120500101000000.0Z", Value),
            (b"\x17\x0f2501010000+0100", Value),
        ] {
            assert_eq!(check(bytes).map(|_| ()), Err(reason), "{bytes:02x?}");
        }
    }

    #[test]
    fn what_is_written_is_the_only_encoding() {
        for size in [0, 1, 127, 128, 255, 256, 70_000] {
            let bytes = write(OCTET_STRING, &[&vec![7; size / 2], &vec![7; size - size / 2]]);
            let value = check(&bytes).unwrap();
            assert_eq!((value.tag, value.content.len()), (OCTET_STRING, size));
        }
    }

    #[test]
    fn refuses_nesting_without_end() {
        let mut bytes = Vec::new();
        for length in (0..60_u8).rev() {
            bytes.extend([0x30, length * 2]);
        }
        assert_eq!(check(&bytes).map(|_| ()), Err(DerError::Depth));
    }
}
