//! What a leaf may say about itself, and how it must be written.

use rcgen::ExtendedKeyUsagePurpose::{self, Any, ClientAuth, CodeSigning, OcspSigning, ServerAuth};
use rcgen::KeyUsagePurpose::{
    self, ContentCommitment, DigitalSignature, KeyCertSign, KeyEncipherment,
};
use rcgen::{CertificateParams, CustomExtension, SerialNumber};

use super::{REFUSED, UNREADABLE, sent};
use crate::harness::chain::{Leaf, POLICY, at, policies};
use crate::harness::der::{integer, sequence, tlv};
use crate::harness::row::{Expect, Row, TOKEN, run};
use crate::harness::server::{TestServer, pki};

/// A row with a spoilt leaf.
fn leaf(
    id: &'static str,
    what: &str,
    expect: Expect,
    spoil: impl FnOnce(&mut CertificateParams),
) -> Row {
    sent(id, what, &pki().ca.leaf(spoil), &[], expect)
}

/// A row with a leaf whose inner members have been changed by hand, and which has been signed again.
fn patched(
    id: &'static str,
    what: &str,
    expect: Expect,
    change: impl FnOnce(&mut Vec<Vec<u8>>),
) -> Row {
    let good = pki().ca.leaf(|_| {});
    let der = pki().ca.patch(&good.der, change);
    sent(id, what, &Leaf { der, ..good }, &[], expect)
}

/// Places of the members of the inner part of a certificate.
const SERIAL: usize = 1;
const VALIDITY: usize = 4;
const EXTENSIONS: usize = 7;

const UTC: u8 = 0x17;
const GENERALIZED: u8 = 0x18;

#[tokio::test]
async fn times_have_one_form() {
    let server = TestServer::start().await;
    let until = |what: &str, tag: u8, end: &[u8], expect: Expect| {
        let end = end.to_vec();
        patched("D05", what, expect, move |inner| {
            inner[VALIDITY] = sequence(&[tlv(UTC, b"260101000000Z"), tlv(tag, &end)]);
        })
    };
    let backwards = |p: &mut CertificateParams| (p.not_before, p.not_after) = (at(60), at(-60));
    let rows = vec![
        until("as it should be", UTC, b"270101000000Z", TOKEN),
        until("2050, as it should be", GENERALIZED, b"20500101000000Z", TOKEN),
        until("GeneralizedTime too early", GENERALIZED, b"20270101000000Z", UNREADABLE),
        until("UTCTime of 1950", UTC, b"500101000000Z", UNREADABLE),
        until("fractions", GENERALIZED, b"20500101000000.5Z", UNREADABLE),
        until("an offset", UTC, b"270101000000+0100", UNREADABLE),
        until("no seconds", UTC, b"2701010000Z", UNREADABLE),
        until("no zone", UTC, b"270101000000", UNREADABLE),
        until("month 13", UTC, b"271301000000Z", UNREADABLE),
        until("before it begins", UTC, b"250101000000Z", UNREADABLE),
        leaf("D05", "backwards", UNREADABLE, backwards),
    ];
    run(&server, rows).await;
}

#[tokio::test]
async fn a_leaf_is_for_signing_and_for_a_purpose_that_is_accepted() {
    let server = TestServer::start().await;
    let usage = |what: &str, usages: &[KeyUsagePurpose], expect: Expect| {
        leaf("D33", what, expect, |p| p.key_usages = usages.to_vec()).failing("key usage")
    };
    let purpose = |id, what: &str, purposes: &[ExtendedKeyUsagePurpose], expect: Expect| {
        let row = leaf(id, what, expect, |p| p.extended_key_usages = purposes.to_vec());
        row.failing("extended key usage")
    };
    let custom = |oid: &'static [u64], content: Vec<u8>| {
        move |p: &mut CertificateParams| {
            p.key_usages.retain(|_| oid != [2, 5, 29, 15]);
            p.custom_extensions.push(CustomExtension::from_oid_content(oid, content));
        }
    };
    let rows = vec![
        usage("keyEncipherment alone", &[KeyEncipherment], REFUSED),
        usage("keyCertSign alone", &[KeyCertSign], REFUSED),
        usage("keyCertSign as well", &[DigitalSignature, KeyCertSign], REFUSED),
        usage("none", &[], REFUSED),
        leaf("D33", "an empty bit string", REFUSED, custom(&[2, 5, 29, 15], tlv(3, &[0]))),
        usage("encipherment as well", &[DigitalSignature, KeyEncipherment], TOKEN),
        purpose("D34", "serverAuth", &[ServerAuth], REFUSED),
        purpose("D34", "codeSigning", &[CodeSigning], REFUSED),
        purpose("D34", "OCSPSigning", &[OcspSigning], REFUSED),
        purpose("D34", "any", &[Any], REFUSED),
        leaf("D34", "an empty list", REFUSED, custom(&[2, 5, 29, 37], tlv(0x30, &[]))),
        purpose("D34", "clientAuth", &[ClientAuth], TOKEN),
        leaf("D35", "a seal", TOKEN, |p| p.key_usages = vec![ContentCommitment]),
    ];
    run(&server, rows).await;
}

#[tokio::test]
async fn a_leaf_is_issued_under_a_policy_that_is_accepted() {
    let server = TestServer::start().await;
    let under = |id, what: &str, oids: &[&str], critical: bool, expect: Expect| {
        leaf(id, what, expect, |p| {
            let mut extension = policies(oids);
            extension.set_criticality(critical);
            p.custom_extensions = vec![extension];
        })
        .failing("policy")
    };
    let rows = vec![
        under("D53", "of a person's certificate", &["2.16.578.1.26.1.3.1"], false, REFUSED),
        under("D53", "any", &["2.5.29.32.0"], false, REFUSED),
        under("D53", "below ours", &[&format!("{POLICY}.1")], false, REFUSED),
        under("D53", "ours among others", &["0.4.0.2042.1.1", POLICY], false, TOKEN),
        leaf("D53", "none", REFUSED, |p| p.custom_extensions.clear()),
        under("D54", "ours, critical", &[POLICY], true, UNREADABLE),
    ];
    run(&server, rows).await;
}

#[tokio::test]
async fn extensions_are_known_or_harmless_and_written_right() {
    let server = TestServer::start().await;
    let with = |id, what: &str, oid: &'static [u64], content: &[u8], critical: bool, expect| {
        let content = content.to_vec();
        leaf(id, what, expect, move |p| {
            p.custom_extensions.retain(|e| e.oid_components().last() != oid.last().copied());
            let mut extension = CustomExtension::from_oid_content(oid, content);
            extension.set_criticality(critical);
            p.custom_extensions.push(extension);
        })
    };
    let private: &[u64] = &[1, 3, 6, 1, 4, 1, 99999, 7];
    let constraints: &[u64] = &[2, 5, 29, 19];
    let twice = |p: &mut CertificateParams| {
        for _ in 0..2 {
            let content = tlv(0x30, &[]);
            p.custom_extensions.push(CustomExtension::from_oid_content(constraints, content));
        }
    };
    let unique = |inner: &mut Vec<Vec<u8>>| inner.insert(EXTENSIONS, tlv(0x81, &[0, 1]));
    let rows = vec![
        with("D36", "unknown, critical", private, &[5, 0], true, UNREADABLE),
        with("D36", "unknown, not critical", private, &[5, 0], false, TOKEN),
        leaf("D37", "basicConstraints twice", UNREADABLE, twice),
        with("D38", "bytes behind", constraints, &[0x30, 0, 5, 0], false, UNREADABLE),
        with("D38", "a member too many", constraints, &tlv(0x30, &[5, 0]), false, UNREADABLE),
        with(
            "D38",
            "a broken name",
            &[2, 5, 29, 17],
            &tlv(0x30, &tlv(0x86, &[0xff])),
            false,
            UNREADABLE,
        ),
        patched("D38", "issuerUniqueID", UNREADABLE, unique),
    ];
    run(&server, rows).await;
}

#[tokio::test]
async fn a_serial_number_is_positive_and_short() {
    let server = TestServer::start().await;
    let serial = |what: &str, member: Vec<u8>, expect: Expect| {
        patched("D38", what, expect, move |inner| inner[SERIAL] = member)
    };
    let long = |octets: usize| integer(&vec![0x11; octets]);
    let rows = vec![
        serial("negative", tlv(0x02, &[0x8a, 0x5b]), UNREADABLE),
        serial("zero", tlv(0x02, &[0]), UNREADABLE),
        serial("padded", tlv(0x02, &[0, 0x11]), UNREADABLE),
        serial("empty", tlv(0x02, &[]), UNREADABLE),
        serial("21 octets", long(21), UNREADABLE),
        serial("20 octets", long(20), TOKEN),
    ];
    run(&server, rows).await;
    // A number that is written another way is another number.
    let leaf_of = pki().ca.leaf(|p| p.serial_number = Some(SerialNumber::from(1_u64)));
    run(&server, vec![sent("D38", "1", &leaf_of, &[], TOKEN)]).await;
}

#[tokio::test]
async fn the_algorithm_inside_is_the_one_outside() {
    let server = TestServer::start().await;
    let good = pki().ca.leaf(|_| {});
    let mut der = good.der.clone();
    // ecdsa-with-SHA256 stands twice, first inside; the other becomes ecdsa-with-SHA384.
    let oid = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
    let last = (0..der.len()).rfind(|&i| der[i..].starts_with(&oid)).unwrap();
    der[last + 7] = 0x03;
    let rows = vec![sent("D39", "another outside", &Leaf { der, ..good }, &[], UNREADABLE)];
    run(&server, rows).await;
}
