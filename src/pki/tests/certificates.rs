//! Certificates that break the form: attacks D05, D37 to D40, D65, and the limits on a chain.

use proptest::prelude::*;
use rcgen::{CustomExtension, DistinguishedName, SerialNumber};

use super::{Authority, World, now, pem, tlv};
use crate::pki::certificate::{CERTIFICATE_BYTES_MAX, CertificateError};
use crate::pki::chain::{CertificateChain, fingerprint};
use crate::pki::crl::Crl;
use crate::pki::describe::describe;
use crate::pki::error::PkiError;
use crate::pki::public_key::PublicKey;

fn malformed(leaf: Vec<u8>) -> CertificateError {
    match CertificateChain::from_der(vec![leaf]) {
        Err(PkiError::Malformed { position: 1, reason }) => reason,
        other => panic!("{other:?}"),
    }
}

/// Replaces the one place where `from` stands.
fn replace(der: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let places: Vec<usize> = (0..der.len()).filter(|&i| der[i..].starts_with(from)).collect();
    assert_eq!(places.len(), 1, "{from:02x?} stands at {places:?}");
    [&der[..places[0]], to, &der[places[0] + from.len()..]].concat()
}

#[test]
fn refuses_serial_numbers_that_are_not_positive_and_short() {
    let world = World::new();
    let with =
        |serial: &[u8]| world.ca.leaf(|p| p.serial_number = Some(SerialNumber::from_slice(serial)));
    let marker = &[0x02, 0x04, 0x5a, 0x5b, 0x5c, 0x5d];
    let leaf = with(&marker[2..]);
    let longest = [&[0x11][..], &[0x22; 19]].concat();
    assert!(CertificateChain::from_der(vec![with(&longest)]).is_ok());
    let too_long = [&[0x11][..], &[0x22; 20]].concat();
    assert_eq!(malformed(with(&too_long)), CertificateError::Serial);
    let negative = replace(&leaf, marker, &[0x02, 0x04, 0x8a, 0x5b, 0x5c, 0x5d]);
    assert_eq!(malformed(negative), CertificateError::Serial);
    assert_eq!(malformed(with(&[0])), CertificateError::Serial);
    let padded = replace(&leaf, marker, &[0x02, 0x04, 0x00, 0x5b, 0x5c, 0x5d]);
    assert!(matches!(malformed(padded), CertificateError::Encoding(_)));
}

#[test]
fn refuses_times_in_the_wrong_form() {
    let world = World::new();
    let leaf = world.ca.leaf(|_| {});
    let end = b"\x17\x0d260101000000Z";
    // An offset instead of Z does not fit without changing lengths; letters and short forms do.
    for other in [b"\x17\x0d26010100000.Z", b"\x17\x0d2601010000+1Z", b"\x17\x0d261301000000Z"] {
        CertificateChain::from_der(vec![replace(&leaf, end, other)]).unwrap_err();
    }
    let before_start = replace(&leaf, end, b"\x17\x0d240101000000Z");
    assert_eq!(malformed(before_start), CertificateError::Validity);
    // Twenty-fifty and later must be GeneralizedTime, earlier must not.
    let late = world.ca.leaf(|p| p.not_after = super::moment("2051-01-01T00:00:00Z"));
    assert!(CertificateChain::from_der(vec![late.clone()]).is_ok());
    let early = replace(&late, b"\x18\x0f20510101000000Z", b"\x18\x0f20490101000000Z");
    assert_eq!(malformed(early), CertificateError::Time);
}

#[test]
fn refuses_duplicate_extensions() {
    let world = World::new();
    for oid in [&[2, 5, 29, 15][..], &[1, 3, 6, 1, 4, 1, 99999, 3]] {
        let leaf = world.ca.leaf(|p| {
            p.key_usages.clear();
            p.custom_extensions.clear();
            for _ in 0..2 {
                let content = tlv(0x03, &[0x07, 0x80]);
                p.custom_extensions.push(CustomExtension::from_oid_content(oid, content));
            }
        });
        let reason = malformed(leaf);
        assert!(matches!(reason, CertificateError::DuplicateExtension(_)), "{reason}");
    }
}

#[test]
fn refuses_extensions_with_something_left_over() {
    let world = World::new();
    let usage = tlv(0x03, &[0x07, 0x80]);
    for (oid, content) in [
        (&[2, 5, 29, 15][..], [&usage[..], &[0]].concat()),
        (&[2, 5, 29, 19], tlv(0x30, &[1, 1, 0xff, 2, 1, 0, 5, 0])),
        (&[2, 5, 29, 19], tlv(0x30, &[1, 1, 0x01])),
        (&[2, 5, 29, 37], [tlv(0x30, &[6, 1, 0x2a]), vec![5, 0]].concat()),
        (&[2, 5, 29, 17], tlv(0x30, &tlv(0x86, &[0xff, 0xfe]))),
        (&[2, 5, 29, 32], tlv(0x30, &tlv(0x04, b"x"))),
    ] {
        let leaf = world.ca.leaf(|p| {
            if oid[3] == 15 {
                p.key_usages.clear();
            }
            p.custom_extensions.retain(|e| e.oid_components().last() != Some(oid[3]));
            p.custom_extensions.push(CustomExtension::from_oid_content(oid, content));
        });
        let reason = world.judge(leaf).unwrap_err();
        assert!(
            matches!(reason, PkiError::Malformed { .. } | PkiError::PathSearch { .. }),
            "{reason}"
        );
    }
}

#[test]
fn refuses_a_signature_algorithm_that_differs_inside_and_outside() {
    let world = World::new();
    let mut leaf = world.ca.leaf(|_| {});
    // ecdsa-with-SHA256 stands twice, first inside; the other becomes ecdsa-with-SHA384.
    let oid = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
    let last = (0..leaf.len()).rfind(|&i| leaf[i..].starts_with(&oid)).unwrap();
    leaf[last + 7] = 0x03;
    assert_eq!(malformed(leaf), CertificateError::InnerAlgorithm);
}

#[test]
fn refuses_other_versions_and_unique_identifiers() {
    let world = World::new();
    let leaf = world.ca.leaf(|_| {});
    let version3 = &[0xa0, 0x03, 0x02, 0x01, 0x02, 0x02];
    for version in [0, 1, 3] {
        let other = replace(&leaf, version3, &[0xa0, 0x03, 0x02, 0x01, version, 0x02]);
        let reason = malformed(other);
        assert_eq!(reason, CertificateError::Version(u32::from(version) + 1));
    }
    // The extensions become what would be the unique identifier of the subject.
    let start = (0..leaf.len()).find(|&i| leaf[i] == 0xa3 && leaf[i + 2] == 0x30).unwrap();
    let mut identified = leaf;
    identified[start] = 0x82;
    malformed(identified);
}

#[test]
fn refuses_sha1_and_md5_signatures() {
    use openssl::hash::MessageDigest;
    use openssl::pkey::PKey;
    use openssl::rsa::Rsa;
    let key = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
    let certificate = |subject: &str, digest: MessageDigest, authority: bool| {
        use openssl::x509::{X509, X509NameBuilder, extension as ext};
        let name = |text: &str| {
            let mut name = X509NameBuilder::new().unwrap();
            name.append_entry_by_text("CN", text).unwrap();
            name.build()
        };
        let mut builder = X509::builder().unwrap();
        builder.set_version(2).unwrap();
        builder
            .set_serial_number(
                &openssl::bn::BigNum::from_u32(9).unwrap().to_asn1_integer().unwrap(),
            )
            .unwrap();
        builder.set_subject_name(&name(subject)).unwrap();
        builder.set_issuer_name(&name("Old root")).unwrap();
        let time = |text: &str| openssl::asn1::Asn1Time::from_str_x509(text).unwrap();
        builder.set_not_before(&time("20200101000000Z")).unwrap();
        builder.set_not_after(&time("20300101000000Z")).unwrap();
        let own = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
        builder.set_pubkey(if authority { &key } else { &own }).unwrap();
        if authority {
            builder
                .append_extension(ext::BasicConstraints::new().critical().ca().build().unwrap())
                .unwrap();
        } else {
            let usage = ext::KeyUsage::new().critical().digital_signature().build().unwrap();
            builder.append_extension(usage).unwrap();
        }
        builder.sign(&key, digest).unwrap();
        builder.build().to_der().unwrap()
    };
    let world = World::new();
    let root = certificate("Old root", MessageDigest::sha256(), true);
    let trust = world.trust(|s| {
        s.anchors_pem = pem("CERTIFICATE", &root);
        s.rules.policies = crate::pki::trust_set::PolicyRule::Any;
        s.rules.organization = crate::pki::trust_set::OrganizationRule::NotRequired;
    });
    for (digest, accepted) in [
        (MessageDigest::sha256(), true),
        (MessageDigest::sha512(), true),
        (MessageDigest::sha1(), false),
        (MessageDigest::md5(), false),
    ] {
        let leaf = certificate("Leaf", digest, false);
        let chain = CertificateChain::from_der(vec![leaf]).unwrap();
        let verdict = trust.verify(&chain, now()).map(|_| ());
        let expected = if accepted { Ok(()) } else { Err(PkiError::SignatureAlgorithm) };
        assert_eq!(verdict, expected);
        let report = trust.report(&chain, now());
        assert_eq!(report.accepted, accepted);
        let said = report.checks.iter().find(|check| check.name == "signature algorithms");
        assert_eq!(said.unwrap().passed, accepted);
    }
}

#[test]
fn a_chain_has_one_to_six_certificates_in_order() {
    let world = World::new();
    let leaf = world.ca.leaf(|_| {});
    let (ca, root) = (world.ca.der.clone(), world.root.der.clone());
    assert!(CertificateChain::from_der(vec![leaf.clone(), ca.clone(), root.clone()]).is_ok());
    let lengths = |count: usize| {
        let chain = std::iter::once(leaf.clone()).chain(std::iter::repeat_n(root.clone(), count));
        CertificateChain::from_der(chain.collect()).unwrap_err()
    };
    assert_eq!(
        CertificateChain::from_der(Vec::new()).unwrap_err(),
        PkiError::ChainLength { count: 0 }
    );
    assert_eq!(lengths(6), PkiError::ChainLength { count: 7 });
    for wrong in
        [vec![leaf.clone(), root.clone(), ca], vec![leaf.clone(), root], vec![leaf.clone(), leaf]]
    {
        let error = CertificateChain::from_der(wrong).unwrap_err();
        assert!(matches!(error, PkiError::ChainOrder { position: 2, .. }), "{error}");
    }
}

#[test]
fn refuses_a_certificate_that_is_too_large_or_is_not_the_whole() {
    let world = World::new();
    let huge = world.ca.leaf(|p| {
        p.distinguished_name
            .push(rcgen::DnType::OrganizationName, "x".repeat(CERTIFICATE_BYTES_MAX));
    });
    assert_eq!(malformed(huge.clone()), CertificateError::Size { size: huge.len() });
    let leaf = world.ca.leaf(|_| {});
    assert!(matches!(malformed([&leaf[..], &[0]].concat()), CertificateError::Encoding(_)));
    assert!(matches!(malformed(leaf[..leaf.len() - 1].to_vec()), CertificateError::Encoding(_)));
    assert!(matches!(malformed(Vec::new()), CertificateError::Encoding(_)));
}

#[test]
fn the_fingerprint_tells_chains_apart() {
    let world = World::new();
    let leaf = world.ca.leaf(|_| {});
    let alone = CertificateChain::from_der(vec![leaf.clone()]).unwrap();
    let longer = CertificateChain::from_der(vec![leaf.clone(), world.ca.der.clone()]).unwrap();
    let text = [pem("CERTIFICATE", &leaf), pem("CERTIFICATE", &world.ca.der)].concat();
    let known_by = |chain: &CertificateChain| fingerprint(chain.certificates_der());
    assert_eq!(known_by(&CertificateChain::from_pem(&text).unwrap()), known_by(&longer));
    assert_ne!(known_by(&alone), known_by(&longer));
    assert_eq!(longer.leaf_der(), leaf);
    assert_eq!(longer.certificates_der().count(), 2);
}

#[test]
fn describes_a_certificate() {
    let world = World::new();
    let description = describe(&world.ca.leaf(|p| {
        p.crl_distribution_points = vec![rcgen::CrlDistributionPoint {
            uris: vec!["http://crl.example/ca.crl".to_owned()],
        }];
    }))
    .unwrap();
    assert_eq!(description.issuer, "CN=Test CA");
    assert_eq!(description.serial_number, "1122");
    assert_eq!(description.not_after, "2026-01-01T00:00:00Z");
    assert_eq!(description.key, "EC P-256");
    assert_eq!(description.key_usage, "Digital Signature");
    assert_eq!(description.policies, [super::POLICY]);
    assert_eq!(description.organization_numbers, ["\"NTRNO-991825827\""]);
    assert_eq!(description.crl_distribution_points, ["http://crl.example/ca.crl"]);
}

proptest! {
    #[test]
    fn no_bytes_make_the_readers_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = CertificateChain::from_der(vec![bytes.clone()]);
        let _ = CertificateChain::from_pem(&bytes);
        let _ = Crl::from_der(&bytes);
        let _ = describe(&bytes);
        let _ = PublicKey::from_spki(&bytes, crate::domain::algorithm::Algorithm::Rs256);
    }

    #[test]
    fn no_damage_makes_a_certificate_pass(places in proptest::collection::vec((any::<prop::sample::Index>(), 1_u8..), 1..4)) {
        thread_local! {
            static WORLD: (World, Vec<u8>, Vec<u8>) = {
                let world = World::new();
                let (leaf, list) = (world.ca.leaf(|_| {}), world.ca.crl(|_| {}));
                (world, leaf, list)
            };
        }
        WORLD.with(|(world, leaf, list)| {
            let damage = |bytes: &[u8]| {
                let mut damaged = bytes.to_vec();
                for (place, change) in &places {
                    let place = place.index(damaged.len());
                    damaged[place] ^= change;
                }
                damaged
            };
            let damaged = damage(leaf);
            let _ = describe(&damaged);
            let _ = Crl::from_der(&damage(list));
            if damaged != *leaf {
                assert!(world.judge(damaged).is_err());
            }
        });
    }
}

#[test]
fn refuses_authorities_without_a_name_and_constraints_that_others_would_pass_over() {
    let world = World::new();
    let with = |oid: &[u64], critical: bool, value: &[u8]| {
        let mut extension = CustomExtension::from_oid_content(oid, value.to_vec());
        extension.set_criticality(critical);
        malformed(world.ca.leaf(|p| p.custom_extensions.push(extension)))
    };
    let not_critical = |oid: &str| CertificateError::NotCritical(oid.to_owned());
    assert_eq!(with(&[2, 5, 29, 36], false, &[0x30, 0]), not_critical("2.5.29.36"));
    let subtree = [0x30, 0x07, 0xa0, 0x05, 0x30, 0x03, 0x82, 0x01, b'x'];
    assert_eq!(with(&[2, 5, 29, 30], false, &subtree), not_critical("2.5.29.30"));
    // Only an authority may constrain names, and not to nothing.
    assert_eq!(with(&[2, 5, 29, 30], true, &subtree), CertificateError::NameConstraints);
    assert_eq!(with(&[2, 5, 29, 30], true, &[0x30, 0]), CertificateError::NameConstraints);
    let nameless = Authority::root("Nameless", |p| p.distinguished_name = DistinguishedName::new());
    assert_eq!(malformed(nameless.der), CertificateError::EmptyName);
}
