//! Whose certificate it is: attacks D55 to D68, on hand-made subjects.

use super::{object_identifier, sequence, tlv};
use crate::pki::error::PkiError;
use crate::pki::subject::organization_number;
use crate::pki::trust_set::SerialNumberRule::{self, Accept, Ignore};

const UTF8: u8 = 0x0c;
const PRINTABLE: u8 = 0x13;
const T61: u8 = 0x14;
const IA5: u8 = 0x16;
const UNIVERSAL: u8 = 0x1c;
const BMP: u8 = 0x1e;
const BIT_STRING: u8 = 0x03;

const ORGANIZATION_IDENTIFIER: &str = "2.5.4.97";
const SERIAL_NUMBER: &str = "2.5.4.5";
const COMMON_NAME: &str = "2.5.4.3";
const ORGANIZATION_NAME: &str = "2.5.4.10";
const UNIT: &str = "2.5.4.11";

type Attribute<'a> = (&'a str, u8, &'a [u8]);

/// A `Name`; each member is a relative distinguished name of one or more attributes.
fn name(members: &[&[Attribute<'_>]]) -> Vec<u8> {
    let members = members.iter().map(|attributes| {
        let attributes = attributes
            .iter()
            .map(|(oid, tag, value)| sequence(&[object_identifier(oid), tlv(*tag, value)]));
        tlv(0x31, &attributes.collect::<Vec<_>>().concat())
    });
    sequence(&members.collect::<Vec<_>>())
}

fn read(members: &[&[Attribute<'_>]], rule: SerialNumberRule) -> Result<String, PkiError> {
    organization_number(&name(members), rule).map(|number| number.to_string())
}

#[test]
fn reads_the_identifier_wherever_it_stands() {
    for tag in [UTF8, PRINTABLE] {
        let identifier = (ORGANIZATION_IDENTIFIER, tag, &b"NTRNO-991825827"[..]);
        let common_name = (COMMON_NAME, UTF8, &b"A consumer"[..]);
        for members in [
            &[&[identifier][..], &[common_name]][..],
            &[&[common_name], &[identifier]],
            &[&[common_name, identifier]],
        ] {
            for rule in [Accept, Ignore] {
                assert_eq!(read(members, rule), Ok("991825827".to_owned()));
            }
        }
    }
}

#[test]
fn a_serial_number_beside_the_identifier_must_not_name_another_organization() {
    let identifier = (ORGANIZATION_IDENTIFIER, UTF8, &b"NTRNO-991825827"[..]);
    for (serial_number, accepted) in [
        ((SERIAL_NUMBER, PRINTABLE, &b"991825827"[..]), true),
        ((SERIAL_NUMBER, PRINTABLE, b"UN:NO-9578-4050-974760673"), true),
        ((SERIAL_NUMBER, PRINTABLE, b"974760673"), false),
        ((SERIAL_NUMBER, PRINTABLE, b"123456789"), false),
        ((SERIAL_NUMBER, T61, b"974760673"), false),
        ((SERIAL_NUMBER, BMP, b"\x009\x007\x004\x007\x006\x000\x006\x007\x003"), false),
    ] {
        for members in [&[&[identifier][..], &[serial_number]][..], &[&[serial_number, identifier]]]
        {
            for rule in [Accept, Ignore] {
                match read(members, rule) {
                    Ok(number) => {
                        assert!(accepted, "{serial_number:02x?}");
                        assert_eq!(number, "991825827");
                    }
                    Err(error) => {
                        assert!(!accepted, "{serial_number:02x?}");
                        assert!(matches!(error, PkiError::OrganizationConflict { .. }));
                    }
                }
            }
        }
    }
}

#[test]
fn refuses_two_identifiers_even_if_they_agree() {
    let one = (ORGANIZATION_IDENTIFIER, UTF8, &b"NTRNO-991825827"[..]);
    let other = (ORGANIZATION_IDENTIFIER, UTF8, &b"NTRNO-974760673"[..]);
    for members in [&[&[one][..], &[other]][..], &[&[one, other]], &[&[one], &[one]]] {
        let error = read(members, Ignore).unwrap_err();
        assert!(matches!(error, PkiError::OrganizationConflict { .. }), "{error}");
    }
}

#[test]
fn refuses_identifiers_that_are_not_exactly_a_norwegian_number() {
    for value in [
        "NTRNO- 991825827",
        "NTRNO-991825827 ",
        " NTRNO-991825827",
        "NTRNO-991825827\t",
        "NTRNO-991825827\0",
        "NTRNO-991825827\0evil",
        "NTRNO-991825827\n",
        "NTRNO-99182582",
        "NTRNO-9918258270",
        "NTRNO-991825828",
        "NTRNO-99182582x",
        "NTRNO-",
        "991825827",
        "ntrno-991825827",
        "NTRSE-991825827",
        "NTRNO:991825827",
        "NTRNO\u{2010}991825827",
        "N\u{0422}RNO-991825827",
        "NTRNO-\u{ff19}\u{ff19}1825827",
        "NTRNO-99182582\u{0667}",
        "PSDNO-FSA-991825827",
        "VATNO-991825827",
        "VATNO-991825827MVA",
        "NTRNO-NTRNO-991825827",
        "",
    ] {
        let identifier = (ORGANIZATION_IDENTIFIER, UTF8, value.as_bytes());
        // A good serial number does not mend a bad identifier.
        let serial_number = (SERIAL_NUMBER, PRINTABLE, &b"991825827"[..]);
        for members in [&[&[identifier][..]][..], &[&[identifier], &[serial_number]]] {
            let error = read(members, Accept).unwrap_err();
            assert!(matches!(error, PkiError::OrganizationMalformed { .. }), "{value:?}: {error}");
            assert!(!error.to_string().contains(char::is_control), "{error}");
        }
    }
}

#[test]
fn refuses_identifiers_in_other_string_types() {
    let wide: Vec<u8> = b"NTRNO-991825827".iter().flat_map(|&b| [0, b]).collect();
    let wider: Vec<u8> = b"NTRNO-991825827".iter().flat_map(|&b| [0, 0, 0, b]).collect();
    for (tag, value) in [
        (BMP, &wide[..]),
        (UNIVERSAL, &wider),
        (T61, b"NTRNO-991825827"),
        (IA5, b"NTRNO-991825827"),
        (BIT_STRING, b"\0NTRNO-991825827"),
    ] {
        let error = read(&[&[(ORGANIZATION_IDENTIFIER, tag, value)]], Accept).unwrap_err();
        assert!(matches!(error, PkiError::OrganizationMalformed { .. }), "{tag:02x}: {error}");
    }
}

#[test]
fn never_takes_a_number_from_another_attribute() {
    for oid in [COMMON_NAME, ORGANIZATION_NAME, UNIT, "2.5.4.13", "1.3.6.1.4.1.99999.5"] {
        for value in [
            &b"991825827"[..],
            b"NTRNO-991825827",
            b"ACME AS - 991825827",
            b"x, 2.5.4.97=NTRNO-991825827",
            b"x, organizationIdentifier=NTRNO-991825827",
        ] {
            for rule in [Accept, Ignore] {
                let verdict = read(&[&[(oid, UTF8, value)]], rule);
                assert_eq!(verdict, Err(PkiError::OrganizationMissing), "{oid}");
            }
        }
    }
    assert_eq!(read(&[], Accept), Err(PkiError::OrganizationMissing));
}

#[test]
fn a_serial_number_alone_counts_only_where_it_is_accepted() {
    let good = (SERIAL_NUMBER, PRINTABLE, &b"991825827"[..]);
    assert_eq!(read(&[&[good]], Accept), Ok("991825827".to_owned()));
    assert_eq!(read(&[&[good]], Ignore), Err(PkiError::OrganizationMissing));
    for members in [&[&[good][..], &[good]][..], &[&[good, good]]] {
        let error = read(members, Accept).unwrap_err();
        assert!(matches!(error, PkiError::OrganizationConflict { .. }), "{error}");
    }
    for value in [
        &b"UN:NO-9578-4050-991825827"[..],
        b"PNONO-01010112345",
        b"BP:NO",
        b"9578-4050-991825827",
        b"991825828",
        b"99182582",
        b"991825827 ",
        b"NTRNO-991825827",
        b"",
    ] {
        let error = read(&[&[(SERIAL_NUMBER, PRINTABLE, value)]], Accept).unwrap_err();
        assert!(matches!(error, PkiError::OrganizationMalformed { .. }), "{value:?}");
    }
}
