//! Whose certificate it is: the organization number in a subject, and every way to fake one.

use rcgen::CustomExtension;

use super::{REFUSED, UNREADABLE, sent};
use crate::harness::chain::{Leaf, ORGANIZATION_IDENTIFIER, Pki, Trust};
use crate::harness::der::{object_identifier, sequence, set, tlv};
use crate::harness::row::{Expect, Row, TOKEN, invalid_grant, run};
use crate::harness::server::{TestServer, pki};
use crate::harness::{CONSUMER, SUPPLIER};

const COMMON_NAME: &str = "2.5.4.3";
const SERIAL_NUMBER: &str = "2.5.4.5";
const ORGANIZATION_NAME: &str = "2.5.4.10";
const UNIT: &str = "2.5.4.11";

const UTF8: u8 = 0x0c;
const PRINTABLE: u8 = 0x13;

/// The place of the subject in the inner part of a certificate.
const SUBJECT: usize = 5;

type Attribute<'a> = (&'a str, u8, &'a [u8]);

/// A row with a leaf of this subject: the attributes of each relative name.
fn named(
    id: &'static str,
    what: &str,
    authorities: &Pki,
    names: &[&[Attribute<'_>]],
    expect: Expect,
) -> Row {
    let attribute =
        |(oid, tag, value): &Attribute<'_>| sequence(&[object_identifier(oid), tlv(*tag, value)]);
    let names: Vec<Vec<u8>> = names
        .iter()
        .map(|attributes| {
            // The members of a SET are sorted (X.690 section 11.6).
            let mut members: Vec<Vec<u8>> = attributes.iter().map(attribute).collect();
            members.sort();
            set(&members)
        })
        .collect();
    let good = authorities.ca.leaf(|_| {});
    let der = authorities.ca.patch(&good.der, |inner| inner[SUBJECT] = sequence(&names));
    sent(id, what, &Leaf { der, ..good }, &[], expect).failing("organization")
}

fn identifier(value: &[u8]) -> Attribute<'_> {
    (ORGANIZATION_IDENTIFIER, UTF8, value)
}

const GOOD: &[u8] = b"NTRNO-310000116";

#[tokio::test]
async fn the_number_stands_in_organization_identifier_alone() {
    let server = TestServer::start().await;
    let named =
        |id, what: &str, names: &[&[Attribute<'_>]], expect| named(id, what, pki(), names, expect);
    let other = format!("NTRNO-{SUPPLIER}");
    let mut rows = Vec::new();
    for oid in [COMMON_NAME, ORGANIZATION_NAME, UNIT, "2.5.4.13"] {
        for value in [CONSUMER.as_bytes(), GOOD, b"ACME - 310000116"] {
            rows.push(named("D55", oid, &[&[(oid, UTF8, value)]], REFUSED));
        }
    }
    let serial = |value: &'static [u8]| (SERIAL_NUMBER, PRINTABLE, value);
    rows.extend([
        named(
            "D56",
            "twice, different",
            &[&[identifier(GOOD)], &[identifier(other.as_bytes())]],
            REFUSED,
        ),
        named("D56", "twice, the same", &[&[identifier(GOOD)], &[identifier(GOOD)]], REFUSED),
        named(
            "D56",
            "together with another's",
            &[&[identifier(GOOD), serial(b"310000124")]],
            REFUSED,
        ),
        named(
            "D57",
            "with another's beside",
            &[&[identifier(GOOD)], &[serial(b"310000124")]],
            REFUSED,
        ),
        named("D57", "with its own beside", &[&[identifier(GOOD)], &[serial(b"310000116")]], TOKEN),
        named("D63", "serialNumber where it does not count", &[&[serial(b"310000116")]], REFUSED),
        named(
            "D64",
            "a name inside a name",
            &[&[(ORGANIZATION_NAME, UTF8, b"x, 2.5.4.97=NTRNO-310000116")]],
            REFUSED,
        ),
        named(
            "D64",
            "an escaped one",
            &[&[(ORGANIZATION_NAME, UTF8, b"x\\, OID.2.5.4.97=NTRNO-310000116")]],
            REFUSED,
        ),
        named("D65", "an empty subject", &[], REFUSED),
        named(
            "D66",
            "in another order",
            &[&[identifier(GOOD)], &[(COMMON_NAME, UTF8, b"A")]],
            TOKEN,
        ),
        named("D66", "grouped", &[&[identifier(GOOD), (COMMON_NAME, UTF8, b"A")]], TOKEN),
        named(
            "D67",
            "of another organization",
            &[&[identifier(other.as_bytes())]],
            invalid_grant("MP-122"),
        ),
    ]);
    let long = vec![b'x'; 20_000];
    rows.push(named(
        "D65",
        "20 KB",
        &[&[identifier(GOOD)], &[(COMMON_NAME, UTF8, &long)]],
        UNREADABLE,
    ));
    let many: Vec<&[Attribute<'_>]> = vec![&[(COMMON_NAME, UTF8, b"A")]; 1_000];
    rows.push(named("D65", "1,000 names", &many, UNREADABLE));
    run(&server, rows).await;
}

#[tokio::test]
async fn the_number_is_written_in_one_way() {
    let server = TestServer::start().await;
    let mut rows = Vec::new();
    for value in [
        "NTRNO- 310000116",
        "NTRNO-310000116 ",
        " NTRNO-310000116",
        "NTRNO-310000116\t",
        "NTRNO-310000116\0x",
        "NTRNO-310000116\n",
        "NTRNO-31000011",
        "NTRNO-3100001160",
        "NTRNO-310000117",
        "NTRNO-31000011A",
        "NTRNO-",
        "310000116",
        "",
    ] {
        rows.push(named("D59", value, pki(), &[&[identifier(value.as_bytes())]], REFUSED));
    }
    for value in [
        "ntrno-310000116",
        "NTRSE-310000116",
        "NTRNO:310000116",
        "NTRNO310000116",
        "NTRNO\u{2010}310000116",
        "N\u{422}RNO-310000116",
        "NTRNO-\u{ff13}\u{ff11}0000116",
        "NTRNO-31000011\u{0666}",
    ] {
        rows.push(named("D60", value, pki(), &[&[identifier(value.as_bytes())]], REFUSED));
    }
    for value in ["PSDNO-FSA-310000116", "VATNO-310000116MVA", "VATNO-310000116", "LEIXG-310000116"]
    {
        rows.push(named("D62", value, pki(), &[&[identifier(value.as_bytes())]], REFUSED));
    }
    let wide: Vec<u8> = GOOD.iter().flat_map(|&b| [0, b]).collect();
    let wider: Vec<u8> = GOOD.iter().flat_map(|&b| [0, 0, 0, b]).collect();
    let bits = [&[0], GOOD].concat();
    for (what, tag, value, expect) in [
        ("UTF8String", UTF8, GOOD, TOKEN),
        ("PrintableString", PRINTABLE, GOOD, TOKEN),
        ("BMPString", 0x1e, &wide, REFUSED),
        ("UniversalString", 0x1c, &wider, REFUSED),
        ("T61String", 0x14, GOOD, REFUSED),
        ("IA5String", 0x16, GOOD, REFUSED),
        ("BIT STRING", 0x03, &bits, REFUSED),
    ] {
        rows.push(named("D61", what, pki(), &[&[(ORGANIZATION_IDENTIFIER, tag, value)]], expect));
    }
    run(&server, rows).await;
}

#[tokio::test]
async fn a_serial_number_counts_where_it_is_configured_to() {
    let old = Pki::new("Old profile");
    let accepting = Trust { serial_number: true, ..Trust::of(&old) };
    let server = TestServer::with(&[Trust::of(pki()), accepting], "").await;
    let with =
        |id, what: &str, names: &[&[Attribute<'_>]], expect| named(id, what, &old, names, expect);
    let serial = |value: &'static [u8]| (SERIAL_NUMBER, PRINTABLE, value);
    let mut rows = vec![
        with("D58", "one", &[&[serial(b"310000116")]], TOKEN),
        with("D58", "two", &[&[serial(b"310000116")], &[serial(b"310000116")]], REFUSED),
        with("D58", "two together", &[&[serial(b"310000116"), serial(b"310000124")]], REFUSED),
        with(
            "D57",
            "another's identifier",
            &[&[identifier(GOOD)], &[serial(b"310000124")]],
            REFUSED,
        ),
    ];
    for value in [
        &b"UN:NO-9578-4050-310000116"[..],
        b"PNONO-01010112345",
        b"9578-4050-310000116",
        b"9578-310000116",
        b"310000117",
        b"310000116 ",
        b"NTRNO-310000116",
    ] {
        rows.push(with("D63", "not nine digits", &[&[(SERIAL_NUMBER, PRINTABLE, value)]], REFUSED));
    }
    run(&server, rows).await;
}

#[tokio::test]
async fn no_other_place_of_a_certificate_names_the_organization() {
    let server = TestServer::start().await;
    let bare = |p: &mut rcgen::CertificateParams| {
        p.distinguished_name = rcgen::DistinguishedName::new();
        p.distinguished_name.push(rcgen::DnType::CommonName, "A consumer");
    };
    // otherName of a user principal name, with the number as its text.
    let other_name =
        [object_identifier("1.3.6.1.4.1.311.20.2.3"), tlv(0xa0, &tlv(UTF8, GOOD))].concat();
    let alternative = pki().ca.leaf(|p| {
        bare(p);
        let content = tlv(0x30, &tlv(0xa0, &other_name));
        p.custom_extensions.push(CustomExtension::from_oid_content(&[2, 5, 29, 17], content));
    });
    let directory = sequence(&[set(&[sequence(&[
        object_identifier(ORGANIZATION_IDENTIFIER),
        tlv(UTF8, GOOD),
    ])])]);
    let directory = pki().ca.leaf(|p| {
        bare(p);
        let content = tlv(0x30, &tlv(0xa4, &directory));
        p.custom_extensions.push(CustomExtension::from_oid_content(&[2, 5, 29, 17], content));
    });
    let issuer = pki().root.below("Organized CA", |p| {
        let name = rcgen::DnType::CustomDnType(vec![2, 5, 4, 97]);
        p.distinguished_name.push(name, format!("NTRNO-{CONSUMER}"));
    });
    let rows = vec![
        sent("D68", "a principal name", &alternative, &[], REFUSED),
        sent("D68", "a directory name", &directory, &[], REFUSED),
        sent("D66", "the issuer's", &issuer.leaf(bare), &[&issuer.der], REFUSED),
        sent("D66", "the issuer's as well", &issuer.leaf(|_| {}), &[&issuer.der], TOKEN),
    ];
    run(&server, rows).await;
}
